//! Rows for either database.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Null,
    Text(String),
    Word(&'static str),
    Int(i64),
    Bool(bool),
    Id(Uuid),
    Day(NaiveDate),
    At(DateTime<Utc>),
}

impl From<u64> for Cell {
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

macro_rules! cell_from {
    ($($of:ty => $cell:ident),+) => {
        $(impl From<$of> for Cell {
            fn from(value: $of) -> Self {
                Self::$cell(value)
            }
        })+
    };
}
cell_from!(String => Text, &'static str => Word, i64 => Int, bool => Bool, Uuid => Id, NaiveDate => Day,
    DateTime<Utc> => At);

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row.
pub(crate) type Row = Vec<Cell>;

/// Rows of one table.
#[derive(Debug)]
pub(crate) struct Table {
    pub name: &'static str,
    pub columns: &'static [&'static str],
    pub rows: Vec<Row>,
}

impl Table {
    pub(crate) const fn new(name: &'static str, columns: &'static [&'static str]) -> Self {
        Self {
            name,
            columns,
            rows: Vec::new(),
        }
    }
}

/// A row out of values of different types.
macro_rules! row {
    ($($value:expr),+ $(,)?) => {
        vec![$(crate::table::Cell::from($value)),+]
    };
}
pub(crate) use row;
