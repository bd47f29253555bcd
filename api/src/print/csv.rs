//! A table as CSV (RFC 4180): UTF-8 with a byte order mark, without which spreadsheets take Chinese for something else.
//!
//! The headings come first and the total last, so that a program finds them; below it, as under a printed table,
//! stand the title and the notes, each in a line of its own.

use std::borrow::Cow;
use std::io::Write;

use csv::{Terminator, Writer, WriterBuilder};
use domain::money::MoneyUnit;

use super::{Cell, Column, PrintError, Table};

const BYTE_ORDER_MARK: &[u8] = "\u{FEFF}".as_bytes();

/// Writes a whole table.
pub(super) fn written(table: &Table, unit: MoneyUnit) -> Result<Vec<u8>, PrintError> {
    let mut lines = Lines::begin(Vec::new(), &table.columns, unit)?;
    for row in table.rows.iter().chain(&table.total) {
        lines.row(row)?;
    }
    lines.end(&table.title, &table.notes)
}

/// Writes one line after the other.
pub(super) struct Lines<W: Write> {
    writer: Writer<W>,
    unit: MoneyUnit,
}

impl<W: Write> Lines<W> {
    /// With the headings.
    pub(super) fn begin(
        mut file: W,
        columns: &[Column],
        unit: MoneyUnit,
    ) -> Result<Self, PrintError> {
        file.write_all(BYTE_ORDER_MARK)?;
        let mut writer = WriterBuilder::new()
            .flexible(true)
            .terminator(Terminator::CRLF)
            .from_writer(file);
        let headings = columns.iter().map(|column| guarded(&column.heading));
        writer.write_record(headings.map(Cow::into_owned))?;
        Ok(Self { writer, unit })
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<(), PrintError> {
        let fields = cells.iter().map(|cell| field(cell, self.unit));
        Ok(self.writer.write_record(fields)?)
    }

    /// What is said of the table, below it.
    pub(super) fn end(mut self, title: &str, notes: &[String]) -> Result<W, PrintError> {
        for line in std::iter::once(title).chain(notes.iter().map(String::as_str)) {
            self.writer.write_record([guarded(line).as_ref()])?;
        }
        self.writer
            .into_inner()
            .map_err(|error| error.into_error().into())
    }
}

fn field(cell: &Cell, unit: MoneyUnit) -> String {
    let shown = cell.shown(unit);
    match cell {
        Cell::Text(_) => guarded(&shown).into_owned(),
        // A number or a day that the service wrote itself; one below zero has to stay a number.
        Cell::Count(_)
        | Cell::Whole(_)
        | Cell::Amount(_)
        | Cell::Exact(_)
        | Cell::Number(_)
        | Cell::Percent(_)
        | Cell::Date(_)
        | Cell::Moment(_)
        | Cell::Nothing => shown,
    }
}

/// A text that no spreadsheet takes for a formula: with an apostrophe before it if it could be one. What stands before
/// the sign and is not seen does not make it harmless.
fn guarded(text: &str) -> Cow<'_, str> {
    const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let is_unseen = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
    };
    let is_dangerous = text.starts_with(['\t', '\r', '\n'])
        || text.trim_start_matches(is_unseen).starts_with(SIGNS);
    if is_dangerous {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::print::Column;
    use domain::money::Total;
    use domain::rate::Rate;

    #[test]
    fn every_kind_of_cell_is_written_as_people_read_it() {
        let half = Rate {
            numerator: Some(1),
            denominator: Some(2),
        };
        let table = Table {
            name: "all".to_owned(),
            title: "=title".to_owned(),
            notes: vec!["note, with a comma".to_owned()],
            columns: ["@text", "amount", "percent", "date", "nothing"]
                .map(Column::of)
                .to_vec(),
            rows: vec![vec![
                Cell::Text("say \"-1\"\r\nhere".to_owned()),
                Cell::Amount(Total::from_fen(-1_234_567)),
                half.percent().map_or(Cell::Nothing, Cell::Percent),
                Cell::Date(chrono::NaiveDate::from_ymd_opt(2025, 3, 18).unwrap()),
                Cell::Nothing,
            ]],
            total: Some(vec![Cell::Text("-".to_owned()), Cell::Count(1_234_567)]),
        };
        let written = written(&table, MoneyUnit::WanYuan).unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            "\u{FEFF}'@text,amount,percent,date,nothing\r\n\
             \"say \"\"-1\"\"\r\nhere\",-1.23,50.00%,2025-03-18,\r\n\
             '-,1234567\r\n'=title\r\n\"note, with a comma\"\r\n"
        );
    }

    #[test]
    fn what_could_be_a_formula_is_no_formula() {
        for text in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\ttext",
            " =1",
            "\u{3000}=1",
            "\u{FEFF}=1",
            "\u{200B}@x",
            "＝1+1",
            " －1",
            "\u{1}=1",
        ] {
            assert_eq!(guarded(text), format!("'{text}"), "{text:?}");
        }
        for text in [
            "",
            "盘锦港",
            "1-2",
            "a=b",
            "/v1/projects?a=b",
            "（-1）",
            "'=1",
        ] {
            assert_eq!(guarded(text), text);
        }
    }
}
