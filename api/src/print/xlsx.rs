//! A table as a spreadsheet (XLSX): title and notes, the headings, bold and always in sight, the rows and the total.
//!
//! Numbers are numbers and texts are texts, so nothing in it is a formula.

use std::io::{Seek, Write};
use std::path::Path;

use domain::money::MoneyUnit;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{Cell, Column, PrintError, Table};

/// The most that a cell holds, in UTF-16 units.
const MAX_TEXT: usize = 32_767;
/// The most rows that a sheet has below its headings.
pub(super) const MAX_ROWS: u64 = 1_048_575;
/// A spreadsheet keeps so many digits of a number; one with more is written as a text, so that none is lost.
const MAX_DIGITS: usize = 15;
/// The widths that a column may have, in digits.
const WIDTHS: std::ops::RangeInclusive<u16> = 8..=40;
/// By how many rows at the most the width of a column is judged.
const JUDGED: u32 = 1000;
/// A4, as spreadsheets number the sizes of paper.
const A4: u8 = 9;

/// Writes a whole table, with its title and notes above.
pub(super) fn written(table: &Table, unit: MoneyUnit) -> Result<Vec<u8>, PrintError> {
    let mut workbook = workbook()?;
    let mut pen = Pen::new(Worksheet::new(), unit);
    pen.about(&table.title, &table.notes)?;
    pen.head(&table.columns)?;
    let inside = Formats::of(&Format::new());
    for row in &table.rows {
        pen.line(row, &inside)?;
    }
    if let Some(total) = &table.total {
        let summed = Format::new().set_bold().set_border_top(FormatBorder::Thin);
        pen.line(total, &Formats::of(&summed))?;
    }
    workbook.push_worksheet(pen.end()?);
    Ok(workbook.save_to_buffer()?)
}

/// The same table is the same file, whenever it is written.
fn workbook() -> Result<Workbook, XlsxError> {
    let mut workbook = Workbook::new();
    let always = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&always));
    Ok(workbook)
}

/// Writes one row after the other on a sheet with the headings above and filters in them; what is said of the table
/// stands on a sheet of its own.
pub(super) struct Book {
    workbook: Workbook,
    pen: Pen,
    inside: Formats,
}

impl Book {
    pub(super) fn begin(
        name: &str,
        columns: &[Column],
        unit: MoneyUnit,
        scratch: &Path,
    ) -> Result<Self, PrintError> {
        let mut workbook = workbook()?;
        workbook.set_tempdir(scratch)?;
        let mut sheet = workbook.new_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        let mut pen = Pen::new(sheet, unit);
        pen.head(columns)?;
        Ok(Self {
            workbook,
            pen,
            inside: Formats::of(&Format::new()),
        })
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<(), PrintError> {
        Ok(self.pen.line(cells, &self.inside)?)
    }

    /// Writes the whole into a file, with what is said of it on a sheet of this name.
    pub(super) fn end(
        mut self,
        file: &mut (impl Write + Seek + Send),
        about: &str,
        title: &str,
        notes: &[String],
    ) -> Result<(), PrintError> {
        let unit = self.pen.unit;
        self.pen.filter()?;
        self.workbook.push_worksheet(self.pen.end()?);
        let mut sheet = Worksheet::new();
        sheet.set_name(about)?;
        let mut pen = Pen::new(sheet, unit);
        pen.about(title, notes)?;
        self.workbook.push_worksheet(pen.end()?);
        Ok(self.workbook.save_to_writer(file)?)
    }
}

/// How the cells of a row look.
struct Formats {
    /// Whether an empty cell looks like none.
    is_plain: bool,
    text: Format,
    digits: Format,
    whole: Format,
    hundredths: Format,
    exact: Format,
    percent: Format,
    day: Format,
    moment: Format,
}

impl Formats {
    fn of(row: &Format) -> Self {
        let numbered = |pattern: &str| row.clone().set_num_format(pattern);
        Self {
            is_plain: *row == Format::new(),
            text: row.clone(),
            digits: row.clone().set_align(FormatAlign::Right),
            whole: numbered("#,##0"),
            hundredths: numbered("#,##0.00"),
            exact: numbered("#,##0.00########"),
            percent: numbered("0.00%"),
            day: numbered("yyyy-mm-dd"),
            moment: numbered("yyyy-mm-dd hh:mm:ss"),
        }
    }
}

/// Writes row after row.
struct Pen {
    sheet: Worksheet,
    unit: MoneyUnit,
    row: u32,
    /// The row of the headings.
    headings: u32,
    /// How wide the widest cell of each column is.
    widths: Vec<u16>,
}

impl Pen {
    fn new(mut sheet: Worksheet, unit: MoneyUnit) -> Self {
        sheet.set_landscape().set_paper_size(A4);
        sheet.set_print_fit_to_pages(1, 0);
        Self {
            sheet,
            unit,
            row: 0,
            headings: 0,
            widths: Vec::new(),
        }
    }

    /// The title and the notes.
    fn about(&mut self, title: &str, notes: &[String]) -> Result<(), XlsxError> {
        let big = Format::new().set_bold().set_font_size(14);
        self.text(0, title, &big)?;
        self.row += 1;
        for note in notes {
            self.text(0, note, &Format::new())?;
            self.row += 1;
        }
        Ok(())
    }

    /// The headings, which stay in sight.
    fn head(&mut self, columns: &[Column]) -> Result<(), XlsxError> {
        let heading = Format::new()
            .set_bold()
            .set_text_wrap()
            .set_align(FormatAlign::VerticalCenter)
            .set_border_bottom(FormatBorder::Thin);
        for (number, column) in (0_u16..).zip(columns) {
            self.text(number, &column.heading, &heading)?;
            self.widths.push(width(&column.heading));
        }
        self.headings = self.row;
        self.sheet.set_repeat_rows(self.row, self.row)?;
        self.row += 1;
        self.sheet.set_freeze_panes(self.row, 0)?;
        Ok(())
    }

    fn line(&mut self, cells: &[Cell], formats: &Formats) -> Result<(), XlsxError> {
        if self.row - self.headings <= JUDGED {
            for (widest, cell) in self.widths.iter_mut().zip(cells) {
                *widest = (*widest).max(width(&cell.shown(self.unit)));
            }
        }
        for (column, cell) in (0_u16..).zip(cells) {
            self.cell(column, cell, formats)?;
        }
        self.row += 1;
        Ok(())
    }

    /// Filters in the headings, over all rows.
    fn filter(&mut self) -> Result<(), XlsxError> {
        let last = u16::try_from(self.widths.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let rows = self.headings..self.row;
        self.sheet
            .autofilter(rows.start, 0, rows.end.saturating_sub(1), last)?;
        Ok(())
    }

    /// The sheet, its columns as wide as what stands in them, within reason.
    fn end(mut self) -> Result<Worksheet, XlsxError> {
        for (column, width) in (0_u16..).zip(self.widths) {
            // Room for the separators between groups of digits, which are not counted.
            let width = width.saturating_add(4);
            self.sheet
                .set_column_width(column, width.clamp(*WIDTHS.start(), *WIDTHS.end()))?;
        }
        Ok(self.sheet)
    }

    fn cell(&mut self, column: u16, cell: &Cell, formats: &Formats) -> Result<(), XlsxError> {
        match cell {
            Cell::Text(text) => self.text(column, text, &formats.text),
            Cell::Count(count) => self.number(column, &count.to_string(), &formats.whole, formats),
            Cell::Whole(more) => self.number(column, &more.to_string(), &formats.whole, formats),
            Cell::Number(number) => {
                self.number(column, &number.to_string(), &formats.hundredths, formats)
            }
            Cell::Amount(amount) => {
                let number = amount.rounded(self.unit);
                self.number(column, &number, &formats.hundredths, formats)
            }
            Cell::Exact(amount) => {
                let number = amount.in_unit(self.unit);
                self.number(column, &number, &formats.exact, formats)
            }
            Cell::Percent(percent) => {
                // A spreadsheet shows a share as a percentage.
                let number = format!("{}e-4", percent.hundredths());
                self.number(column, &number, &formats.percent, formats)
            }
            Cell::Date(day) => self.datetime(column, &day.to_string(), &formats.day),
            Cell::Moment(moment) => {
                let moment = moment.format("%Y-%m-%dT%H:%M:%S").to_string();
                self.datetime(column, &moment, &formats.moment)
            }
            Cell::Nothing if formats.is_plain => Ok(()),
            Cell::Nothing => self
                .sheet
                .write_blank(self.row, column, &formats.text)
                .map(drop),
        }
    }

    fn datetime(&mut self, column: u16, text: &str, format: &Format) -> Result<(), XlsxError> {
        let moment = ExcelDateTime::parse_from_str(text)?;
        self.sheet
            .write_datetime_with_format(self.row, column, &moment, format)
            .map(drop)
    }

    fn number(
        &mut self,
        column: u16,
        digits: &str,
        format: &Format,
        formats: &Formats,
    ) -> Result<(), XlsxError> {
        let is_exact = digits.bytes().filter(u8::is_ascii_digit).count() <= MAX_DIGITS;
        match digits.parse::<f64>() {
            Ok(number) if is_exact => self
                .sheet
                .write_number_with_format(self.row, column, number, format)
                .map(drop),
            Ok(_) | Err(_) => self.text(column, digits, &formats.digits),
        }
    }

    fn text(&mut self, column: u16, text: &str, format: &Format) -> Result<(), XlsxError> {
        self.sheet
            .write_string_with_format(self.row, column, shortened(text), format)
            .map(drop)
    }
}

/// As much of a text as a cell holds.
fn shortened(text: &str) -> String {
    let mut room = MAX_TEXT;
    let fits = |c: &char| {
        let left = room.checked_sub(c.len_utf16());
        room = left.unwrap_or_default();
        left.is_some()
    };
    text.chars().take_while(fits).collect()
}

/// How wide a text is, in digits: a Chinese character is as wide as two.
fn width(text: &str) -> u16 {
    text.chars()
        .map(|c| if c.is_ascii() { 1_u16 } else { 2 })
        .fold(0, u16::saturating_add)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use calamine::{Data, Reader, Xlsx};
    use chrono::NaiveDate;
    use domain::money::Total;
    use domain::rate::Rate;

    use super::*;
    use crate::print::Column;

    fn of(cells: Vec<Cell>) -> Table {
        Table {
            name: "all".to_owned(),
            title: "=title".to_owned(),
            notes: vec!["+note".to_owned()],
            columns: cells.iter().map(|_| Column::of("-heading")).collect(),
            rows: vec![cells],
            total: None,
        }
    }

    /// The cells below the title, the note and the headings.
    fn read(table: &Table) -> Vec<Data> {
        let file = written(table, MoneyUnit::Yuan).unwrap();
        let mut book = Xlsx::new(Cursor::new(file)).unwrap();
        let sheet = book.sheet_names().remove(0);
        assert!(book.worksheet_formula(&sheet).unwrap().is_empty());
        let range = book.worksheet_range(&sheet).unwrap();
        let said = [(0, "=title"), (1, "+note"), (2, "-heading")];
        for (row, text) in said {
            assert_eq!(range.get((row, 0)), Some(&Data::String(text.to_owned())));
        }
        range.rows().nth(3).unwrap().to_vec()
    }

    #[test]
    fn numbers_are_numbers_and_texts_are_texts() {
        let share = Rate {
            numerator: Some(1),
            denominator: Some(8),
        };
        let cells = read(&of(vec![
            Cell::Text("=1+1".to_owned()),
            Cell::Count(7),
            Cell::Amount(Total::from_fen(-1_250)),
            share.percent().map_or(Cell::Nothing, Cell::Percent),
            Cell::Date(NaiveDate::from_ymd_opt(2025, 3, 18).unwrap()),
            Cell::Nothing,
            Cell::Text("end".to_owned()),
        ]));
        // Days since the end of 1899.
        let Some(Data::DateTime(day)) = cells.get(4) else {
            panic!("no date: {:?}", cells.get(4));
        };
        assert_eq!(Some(day.as_f64()), Some(45_734.0));
        let others: Vec<&Data> = cells
            .iter()
            .filter(|cell| !matches!(cell, Data::DateTime(_)))
            .collect();
        assert_eq!(
            others,
            [
                &Data::String("=1+1".to_owned()),
                &Data::Float(7.0),
                &Data::Float(-12.5),
                &Data::Float(0.125),
                &Data::Empty,
                &Data::String("end".to_owned()),
            ]
        );
    }

    #[test]
    fn no_digit_is_lost_and_no_text_too_long() {
        let cells = read(&of(vec![
            Cell::Amount(Total::from_fen(999_999_999_999_999)),
            Cell::Amount(Total::from_fen(1_000_000_000_000_001)),
            Cell::Text("😀".repeat(MAX_TEXT)),
        ]));
        assert_eq!(
            cells,
            [
                Data::Float(9_999_999_999_999.99),
                Data::String("10000000000000.01".to_owned()),
                Data::String("😀".repeat(MAX_TEXT / 2)),
            ]
        );
    }

    #[test]
    fn the_same_table_is_the_same_file() {
        let table = of(vec![Cell::Count(1)]);
        let write = || written(&table, MoneyUnit::Yuan).unwrap();
        assert_eq!(write(), write());
    }
}
