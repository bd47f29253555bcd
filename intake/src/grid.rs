//! The cells of a sheet before anybody knows what they mean.

use std::borrow::Cow;

use crate::value::date::{Shown, of_serial};
use crate::value::{Decimal, is_blank};

/// The cells of one sheet.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    /// The name of the sheet; empty for a file of text.
    pub(crate) name: String,
    /// Its rows that have cells, from top to bottom.
    pub(crate) rows: Vec<GridRow>,
    /// What is merged.
    pub(crate) merges: Vec<Merge>,
    /// Whether it has rows or columns that are hidden.
    pub(crate) has_hidden: bool,
    /// Whether its dates count from 1904.
    pub(crate) is_1904: bool,
    /// Whether its cells are texts that may have been numbers once (CSV).
    pub(crate) is_plain: bool,
}

/// One row with its cells that are not empty, from left to right.
#[derive(Debug)]
pub(crate) struct GridRow {
    /// From 1, as a spreadsheet counts.
    pub(crate) number: u32,
    /// Each with its column, from 0.
    pub(crate) cells: Vec<(u16, Raw)>,
}

/// What stands in a cell.
#[derive(Clone, Debug)]
pub(crate) enum Raw {
    /// A text, and how far it is indented.
    Text { text: Box<str>, indent: u8 },
    /// A number, and whether it is shown as a percentage.
    Number { value: f64, is_share: bool },
    /// The serial number of a day that is shown as a date.
    Date {
        serial: f64,
        shown: Shown,
        is_1904: bool,
    },
    /// TRUE or FALSE.
    Bool(bool),
    /// An error, `#REF!`.
    Error(Box<str>),
    /// A formula of which no result was kept.
    Uncomputed,
}

/// Cells that are one, rows from 1 and columns from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) first_row: u32,
    pub(crate) last_row: u32,
    pub(crate) first_column: u16,
    pub(crate) last_column: u16,
}

impl Merge {
    /// How many columns it has.
    pub(crate) fn width(&self) -> u16 {
        self.last_column.saturating_sub(self.first_column) + 1
    }
}

impl Grid {
    /// The row of a number.
    pub(crate) fn row(&self, number: u32) -> Option<&GridRow> {
        let place = self.rows.binary_search_by_key(&number, |row| row.number);
        self.rows.get(place.ok()?)
    }

    /// What stands in a cell.
    pub(crate) fn at(&self, row: u32, column: u16) -> Option<&Raw> {
        self.row(row)?.at(column)
    }

    /// How many columns have cells.
    pub(crate) fn width(&self) -> u16 {
        let last = |row: &GridRow| row.cells.last().map(|(column, _)| column + 1);
        self.rows.iter().filter_map(last).max().unwrap_or(0)
    }
}

impl GridRow {
    /// What stands in a column.
    pub(crate) fn at(&self, column: u16) -> Option<&Raw> {
        let place = self
            .cells
            .binary_search_by_key(&column, |(column, _)| *column);
        self.cells.get(place.ok()?).map(|(_, raw)| raw)
    }
}

impl Raw {
    /// A text of no indent.
    pub(crate) fn text_of(text: &str) -> Self {
        Self::Text {
            text: text.into(),
            indent: 0,
        }
    }

    /// The text as it stands.
    pub(crate) fn shown(&self) -> Cow<'_, str> {
        let owned = match self {
            Self::Text { text, .. } | Self::Error(text) => return Cow::Borrowed(text),
            Self::Number { value, is_share } => match Decimal::of_double(*value) {
                Some(number) if *is_share => format!("{}%", number.shifted(2).plain()),
                Some(number) => number.plain(),
                None => value.to_string(),
            },
            Self::Date {
                serial,
                shown,
                is_1904,
            } => match of_serial(*serial, *is_1904, *shown) {
                Ok(date) => date.to_string(),
                Err(_) => {
                    Decimal::of_double(*serial).map_or_else(|| serial.to_string(), |n| n.plain())
                }
            },
            Self::Uncomputed => "=".to_owned(),
            Self::Bool(true) => "TRUE".to_owned(),
            Self::Bool(false) => "FALSE".to_owned(),
        };
        Cow::Owned(owned)
    }

    /// Whether nothing can be seen in it.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Self::Text { text, .. } => is_blank(text),
            Self::Number { .. }
            | Self::Date { .. }
            | Self::Bool(_)
            | Self::Error(_)
            | Self::Uncomputed => false,
        }
    }
}

/// The letters of a column, from 0: `A`, `Z`, `AA`.
pub(crate) fn letters(column: u16) -> String {
    let mut letters = Vec::new();
    let mut left = u32::from(column) + 1;
    while left > 0 {
        left -= 1;
        letters.push(char::from_digit(left % 26 + 10, 36).map_or('A', |c| c.to_ascii_uppercase()));
        left /= 26;
    }
    letters.iter().rev().collect()
}

/// The column of letters, from 0; none for what no spreadsheet has.
pub(crate) fn column_of(letters: &str) -> Option<u32> {
    if !(1..=3).contains(&letters.len()) {
        return None;
    }
    let column = letters.chars().try_fold(0_u32, |column, c| {
        let digit = c.is_ascii_alphabetic().then(|| c.to_digit(36))??;
        Some(column * 26 + digit - 9)
    })?;
    column.checked_sub(1).filter(|column| *column < 16_384)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_as_spreadsheets_name_them() {
        for (column, name) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (701, "ZZ"),
            (702, "AAA"),
            (16_383, "XFD"),
        ] {
            assert_eq!(letters(column), name);
            assert_eq!(column_of(name), Some(u32::from(column)));
        }
        for name in ["", "XFE", "AAAA", "A1", "项"] {
            assert_eq!(column_of(name), None, "{name}");
        }
    }

    #[test]
    fn cells_show_what_the_spreadsheet_shows() {
        let number = |value, is_share| Raw::Number { value, is_share }.shown().into_owned();
        assert_eq!(number(0.855, true), "85.5%");
        assert_eq!(number(12.600_000_000_000_001, false), "12.6");
        let date = Raw::Date {
            serial: 45_047.0,
            shown: Shown::Month,
            is_1904: false,
        };
        assert_eq!(date.shown(), "2023-05");
    }
}
