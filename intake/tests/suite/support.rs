//! Workbooks made for the tests, and a short way to write down what was read of them.

use std::fmt::Write;

use intake::document::{Document, Row, Sheet};
use intake::value::Value;
use rust_xlsxwriter::{Format, Formula, Workbook, Worksheet};

/// What a test puts into a cell.
pub(crate) enum C {
    /// A text.
    T(&'static str),
    /// A number.
    N(f64),
    /// A number with a format of its own: a date by its serial number, a percentage.
    F(f64, &'static str),
    /// A formula with the result that the spreadsheet kept.
    S(&'static str, &'static str),
    /// An indented text.
    I(&'static str, u8),
    /// Nothing.
    E,
}

impl From<&'static str> for C {
    fn from(text: &'static str) -> Self {
        if text.is_empty() {
            Self::E
        } else {
            Self::T(text)
        }
    }
}

impl From<f64> for C {
    fn from(number: f64) -> Self {
        Self::N(number)
    }
}

/// A row of cells.
macro_rules! row {
    ($($cell:expr),* $(,)?) => { vec![$($crate::support::C::from($cell)),*] };
}

/// Fills a sheet from its first row on.
pub(crate) fn fill(sheet: &mut Worksheet, rows: Vec<Vec<C>>, merges: &[&str]) {
    for (number, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(cells) {
            put(sheet, number, column, &cell);
        }
    }
    for merge in merges {
        let (first, last) = merge.split_once(':').unwrap();
        let ((first_row, first_column), (last_row, last_column)) = (place(first), place(last));
        // Merging writes the first cell anew: the text goes in with it.
        sheet
            .merge_range(
                first_row,
                first_column,
                last_row,
                last_column,
                "",
                &Format::new(),
            )
            .unwrap();
    }
}

/// Fills a sheet with merged cells, each given with its text.
pub(crate) fn merged(sheet: &mut Worksheet, cells: &[(&str, &str)]) {
    for (merge, text) in cells {
        let (first, last) = merge.split_once(':').unwrap();
        let ((first_row, first_column), (last_row, last_column)) = (place(first), place(last));
        sheet
            .merge_range(
                first_row,
                first_column,
                last_row,
                last_column,
                text,
                &Format::new(),
            )
            .unwrap();
    }
}

fn put(sheet: &mut Worksheet, row: u32, column: u16, cell: &C) {
    match *cell {
        C::T(text) => sheet.write_string(row, column, text).map(|_| ()).unwrap(),
        C::N(number) => sheet.write_number(row, column, number).map(|_| ()).unwrap(),
        C::F(number, format) => {
            let format = Format::new().set_num_format(format);
            sheet
                .write_number_with_format(row, column, number, &format)
                .map(|_| ())
                .unwrap();
        }
        C::S(formula, result) => {
            let formula = Formula::new(formula).set_result(result);
            sheet
                .write_formula(row, column, formula)
                .map(|_| ())
                .unwrap();
        }
        C::I(text, indent) => {
            let format = Format::new().set_indent(indent);
            sheet
                .write_string_with_format(row, column, text, &format)
                .map(|_| ())
                .unwrap();
        }
        C::E => {}
    }
}

fn place(name: &str) -> (u32, u16) {
    let digits = name.find(|c: char| c.is_ascii_digit()).unwrap();
    let (letters, digits) = name.split_at(digits);
    let column = letters.bytes().fold(0_u16, |column, letter| {
        column * 26 + u16::from(letter - b'A') + 1
    });
    (digits.parse::<u32>().unwrap() - 1, column - 1)
}

/// A workbook of one sheet.
pub(crate) fn book(name: &str, rows: Vec<Vec<C>>, merges: &[(&str, &str)]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name(name).unwrap();
    fill(sheet, rows, &[]);
    merged(sheet, merges);
    workbook.save_to_buffer().unwrap()
}

/// The only sheet of a document.
pub(crate) fn only(document: Document) -> Sheet {
    let mut sheets = document.sheets;
    assert_eq!(sheets.len(), 1);
    sheets.remove(0)
}

/// How a sheet was understood and what its rows say, a line each.
pub(crate) fn shown(sheet: &Sheet) -> String {
    let mut shown = String::new();
    let unit = sheet.unit.map_or("-", |unit| unit.code());
    let term = sheet.term.map_or("-".to_owned(), |term| term.to_string());
    writeln!(
        shown,
        "{} unit={unit} term={term} header={:?}",
        sheet.state, sheet.header_rows
    )
    .unwrap();
    for column in &sheet.mapping {
        let field = column
            .field
            .map_or("-".to_owned(), |field| field.to_string());
        let unit = column.unit.map_or(String::new(), |unit| format!(" {unit}"));
        writeln!(
            shown,
            "{} {} -> {field} {}{unit}",
            column.column, column.heading, column.because
        )
        .unwrap();
    }
    for row in &sheet.rows {
        row_shown(&mut shown, row);
    }
    for total in &sheet.control_totals {
        let field = total
            .field
            .map_or("count".to_owned(), |field| field.to_string());
        let stated = total.stated.clone().unwrap_or("?".to_owned());
        let verdict = if total.agrees { "agrees" } else { "differs" };
        writeln!(
            shown,
            "sum {} {}{} {field} {stated} = {} of {} {verdict}",
            total.kind, total.column, total.row, total.computed, total.rows
        )
        .unwrap();
    }
    shown
}

/// The rows alone.
pub(crate) fn rows(sheet: &Sheet) -> String {
    let mut shown = String::new();
    for row in &sheet.rows {
        row_shown(&mut shown, row);
    }
    shown
}

fn row_shown(shown: &mut String, row: &Row) {
    write!(shown, "{}", row.number).unwrap();
    if let Some(ordinal) = &row.ordinal {
        write!(shown, " #{ordinal}").unwrap();
    }
    if !row.section.is_empty() {
        write!(shown, " [{}]", row.section.join(">")).unwrap();
    }
    if let Some(whole) = row.part_of {
        write!(shown, " part of {whole}").unwrap();
    }
    for (field, cell) in &row.fields {
        let row_of = if cell.row == row.number {
            String::new()
        } else {
            cell.row.to_string()
        };
        write!(
            shown,
            "; {field}@{}{row_of}={}",
            cell.column,
            value(&cell.value)
        )
        .unwrap();
    }
    for fault in &row.faults {
        let column = fault.column.as_deref().unwrap_or("-");
        let told = format!("; !{column} {} {}", fault.code, fault.text);
        write!(shown, "{}", told.trim_end()).unwrap();
    }
    writeln!(shown).unwrap();
}

fn value(value: &Value) -> String {
    match value {
        Value::Unknown => "?".to_owned(),
        Value::Text(text) => text.clone(),
        Value::Texts(texts) => texts.join("|"),
        Value::Amount(amount) => {
            let mark = match amount.known {
                intake::value::Known::Exact => "",
                intake::value::Known::Floor => ">=",
                intake::value::Known::Approximate => "~",
            };
            format!(
                "{mark}{}{}",
                amount.amount,
                amount.currency.clone().unwrap_or_default()
            )
        }
        Value::Date(date) => date.to_string(),
        Value::Span(span) => format!("{}..{}", span.from, span.to),
        Value::Term(term) => term.to_string(),
        Value::Code(code) => format!("<{code}>"),
        Value::Quantity { value, unit } => format!("{value} {unit}"),
    }
}

/// Compares line by line, so that a difference is seen.
pub(crate) fn assert_same(read: &str, wanted: &str) {
    let wanted = wanted.lines().map(str::trim);
    let wanted: Vec<&str> = wanted.filter(|line| !line.is_empty()).collect();
    let found: Vec<&str> = read.lines().collect();
    for (number, line) in wanted.iter().enumerate() {
        assert_eq!(found.get(number), Some(line), "line {number} of\n{read}");
    }
    assert_eq!(found.len(), wanted.len(), "{read}");
}
