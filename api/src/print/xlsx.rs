//! A table as a spreadsheet (XLSX): title and notes, the headings, bold and always in sight, the rows and the total.
//!
//! Numbers are numbers and texts are texts, so nothing in it is a formula.

use domain::money::MoneyUnit;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::{Cell, Table};

/// The most that a cell holds, in UTF-16 units.
const MAX_TEXT: usize = 32_767;
/// A spreadsheet keeps so many digits of a number; one with more is written as a text, so that none is lost.
const MAX_DIGITS: usize = 15;
/// The widths that a column may have, in digits.
const WIDTHS: std::ops::RangeInclusive<u16> = 8..=40;
/// A4, as spreadsheets number the sizes of paper.
const A4: u8 = 9;

/// Writes it.
pub(super) fn written(
    table: &Table,
    unit: MoneyUnit,
) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut workbook = Workbook::new();
    // The same table is the same file, whenever it is written.
    let always = ExcelDateTime::from_ymd(2000, 1, 1)?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&always));
    let sheet = workbook.add_worksheet();
    sheet.set_landscape().set_paper_size(A4);
    sheet.set_print_fit_to_pages(1, 0);
    let mut pen = Pen {
        sheet,
        unit,
        row: 0,
    };
    pen.head(table)?;
    for row in &table.rows {
        pen.line(row, &Format::new())?;
    }
    if let Some(total) = &table.total {
        let summed = Format::new().set_bold().set_border_top(FormatBorder::Thin);
        pen.line(total, &summed)?;
    }
    widen(sheet, table, unit)?;
    Ok(workbook.save_to_buffer()?)
}

/// Writes row after row.
struct Pen<'s> {
    sheet: &'s mut Worksheet,
    unit: MoneyUnit,
    row: u32,
}

impl Pen<'_> {
    /// The title, the notes and the headings, which stay in sight.
    fn head(&mut self, table: &Table) -> Result<(), XlsxError> {
        let title = Format::new().set_bold().set_font_size(14);
        self.text(0, &table.title, &title)?;
        self.row += 1;
        for note in &table.notes {
            self.text(0, note, &Format::new())?;
            self.row += 1;
        }
        let heading = Format::new()
            .set_bold()
            .set_text_wrap()
            .set_align(FormatAlign::VerticalCenter)
            .set_border_bottom(FormatBorder::Thin);
        for (number, column) in (0_u16..).zip(&table.columns) {
            self.text(number, &column.heading, &heading)?;
        }
        self.sheet.set_repeat_rows(self.row, self.row)?;
        self.row += 1;
        self.sheet.set_freeze_panes(self.row, 0)?;
        Ok(())
    }

    fn line(&mut self, cells: &[Cell], format: &Format) -> Result<(), XlsxError> {
        for (column, cell) in (0_u16..).zip(cells) {
            self.cell(column, cell, format)?;
        }
        self.row += 1;
        Ok(())
    }

    fn cell(&mut self, column: u16, cell: &Cell, format: &Format) -> Result<(), XlsxError> {
        let format = format.clone();
        match cell {
            Cell::Text(text) => self.text(column, text, &format),
            Cell::Count(count) => {
                self.number(column, &count.to_string(), &format.set_num_format("#,##0"))
            }
            Cell::Whole(more) => {
                self.number(column, &more.to_string(), &format.set_num_format("#,##0"))
            }
            Cell::Number(number) => {
                let number = number.to_string();
                self.number(column, &number, &format.set_num_format("#,##0.00"))
            }
            Cell::Amount(amount) => {
                let number = amount.rounded(self.unit);
                self.number(column, &number, &format.set_num_format("#,##0.00"))
            }
            Cell::Percent(percent) => {
                // A spreadsheet shows a share as a percentage.
                let number = format!("{}e-4", percent.hundredths());
                self.number(column, &number, &format.set_num_format("0.00%"))
            }
            Cell::Date(day) => {
                let day = ExcelDateTime::parse_from_str(&day.to_string())?;
                let format = format.set_num_format("yyyy-mm-dd");
                self.sheet
                    .write_datetime_with_format(self.row, column, &day, &format)?;
                Ok(())
            }
            Cell::Nothing => {
                self.sheet.write_blank(self.row, column, &format)?;
                Ok(())
            }
        }
    }

    fn number(&mut self, column: u16, digits: &str, format: &Format) -> Result<(), XlsxError> {
        let is_exact = digits.bytes().filter(u8::is_ascii_digit).count() <= MAX_DIGITS;
        match digits.parse::<f64>() {
            Ok(number) if is_exact => {
                self.sheet
                    .write_number_with_format(self.row, column, number, format)?;
                Ok(())
            }
            Ok(_) | Err(_) => {
                let right = format.clone().set_align(FormatAlign::Right);
                self.text(column, digits, &right)
            }
        }
    }

    fn text(&mut self, column: u16, text: &str, format: &Format) -> Result<(), XlsxError> {
        self.sheet
            .write_string_with_format(self.row, column, shortened(text), format)?;
        Ok(())
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

/// Makes the columns as wide as what stands in them, within reason.
fn widen(sheet: &mut Worksheet, table: &Table, unit: MoneyUnit) -> Result<(), XlsxError> {
    let rows = || table.rows.iter().chain(&table.total);
    for (place, (number, column)) in (0_u16..).zip(&table.columns).enumerate() {
        let cells = rows().filter_map(|row| row.get(place));
        let widest = cells.map(|cell| width(&cell.shown(unit))).max();
        let width = widest.unwrap_or(0).max(width(&column.heading));
        // Room for the separators between groups of digits, which are not counted.
        let width = width.saturating_add(4);
        sheet.set_column_width(number, width.clamp(*WIDTHS.start(), *WIDTHS.end()))?;
    }
    Ok(())
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
