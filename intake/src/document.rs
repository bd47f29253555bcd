//! What was read of a file: every sheet, how its columns were understood, its rows, and what is wrong with them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::coded::coded;
use crate::field::Field;
use crate::file::Format;
use crate::grid::{column_of, letters};
use crate::unit::Unit;
use crate::value::{Term, Value};

/// Data beside a code, such as what was found and what is allowed.
pub type Data = BTreeMap<String, String>;

/// What was read of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What kind of file it is.
    pub format: Format,
    /// In which encoding its text is; none for workbooks.
    pub encoding: Option<String>,
    /// Its sheets, in order; a file of text is one sheet.
    pub sheets: Vec<Sheet>,
}

coded! {
    /// Whether a sheet was read.
    pub enum SheetState {
        /// It has a table, which was read.
        Read => "read",
        /// It has no table of the kind that was asked for.
        NoTable => "no_table",
        /// It is hidden and was not read.
        Hidden => "hidden",
        /// It is no sheet of cells but a chart or a dialogue.
        NotCells => "not_cells",
    }
}

/// What was read of a sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Its name; empty for a file of text.
    pub name: String,
    /// Whether it was read.
    pub state: SheetState,
    /// The unit that a note above the table tells.
    pub unit: Option<Unit>,
    /// The year or month that the title tells.
    pub term: Option<Term>,
    /// The rows of the headings, from 1.
    pub header_rows: Vec<u32>,
    /// How its columns were understood.
    pub mapping: Vec<Column>,
    /// Its rows, without headings, sections, sums and notes.
    pub rows: Vec<Row>,
    /// The sums that it states, held against its rows.
    pub control_totals: Vec<ControlTotal>,
    /// What else has to be told of it.
    pub notes: Vec<Note>,
}

coded! {
    /// Why a column was taken for what it was.
    pub enum Because {
        /// The caller said so.
        Given => "given",
        /// The sender's earlier files had it so.
        Remembered => "remembered",
        /// Its heading is a name of the field.
        Exact => "exact",
        /// Its heading contains a name of the field.
        Contained => "contained",
        /// It numbers the rows (序号).
        Ordinal => "ordinal",
        /// The caller said that it is to be left out.
        Ignored => "ignored",
        /// Another column has a better claim to the field.
        Duplicate => "duplicate",
        /// Its heading could be several fields.
        Ambiguous => "ambiguous",
        /// Its heading says nothing that is known.
        Unknown => "unknown",
        /// It has cells but no heading.
        NoHeading => "no_heading",
    }
}

/// How a column was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its letter.
    pub column: String,
    /// Its heading; the parts of one with several rows are joined by `|`.
    pub heading: String,
    /// What it was taken for.
    pub field: Option<Field>,
    /// Why.
    pub because: Because,
    /// The unit of its amounts that its heading tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// What else it could be for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Field>,
    /// What stands in it, of a column that was not understood.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<String>,
}

/// One row: a project, a place in a plan, a month, a permit or a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its row in the sheet, from 1.
    pub number: u32,
    /// What numbers it (序号).
    pub ordinal: Option<String>,
    /// The sections that it stands in, the outer ones first, without their numbers.
    pub section: Vec<String>,
    /// The row of the project that it is part of (其中).
    pub part_of: Option<u32>,
    /// What its cells say; empty cells are left out.
    pub fields: BTreeMap<Field, Cell>,
    /// What is wrong with them.
    pub faults: Vec<Fault>,
}

/// The letter of a column, of which a large document has millions. It is written as `A`, `AB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Letter(u16);

impl From<u16> for Letter {
    fn from(column: u16) -> Self {
        Self(column)
    }
}

impl std::fmt::Display for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&letters(self.0))
    }
}

impl Serialize for Letter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Letter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let column = column_of(&name).and_then(|column| u16::try_from(column).ok());
        column
            .map(Self)
            .ok_or_else(|| de::Error::custom("there is no such column"))
    }
}

/// What a cell says, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "Written<String, Value>")]
pub struct Cell {
    /// The row in which it stands, from 1: a merged cell may begin above.
    pub row: u32,
    /// The letter of its column.
    pub column: Letter,
    /// Its text, as it stands.
    pub text: String,
    /// What it says.
    pub value: Value,
}

/// A cell as it is written: its text is left out where it is the value, as it is of most cells.
#[derive(Serialize, Deserialize)]
struct Written<T, V> {
    row: u32,
    column: Letter,
    #[serde(default = "Option::default", skip_serializing_if = "Option::is_none")]
    text: Option<T>,
    value: V,
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_value = matches!(&self.value, Value::Text(value) if *value == self.text);
        let written = Written {
            row: self.row,
            column: self.column,
            text: (!is_value).then_some(self.text.as_str()),
            value: &self.value,
        };
        written.serialize(serializer)
    }
}

impl From<Written<String, Value>> for Cell {
    fn from(written: Written<String, Value>) -> Self {
        let text = match (written.text, &written.value) {
            (Some(text), _) => text,
            (None, Value::Text(value)) => value.clone(),
            (None, _) => String::new(),
        };
        Self {
            row: written.row,
            column: written.column,
            text,
            value: written.value,
        }
    }
}

coded! {
    /// What is wrong with a cell.
    pub enum FaultCode {
        /// It is empty and may not be.
        Required => "required",
        /// It holds an error of the spreadsheet (`#REF!`).
        CellError => "cell_error",
        /// It holds a formula of which the file keeps no result: it was never computed.
        NotComputed => "not_computed",
        /// It is no amount.
        NotAnAmount => "not_an_amount",
        /// No unit is told for the amount, neither by cell, heading, sheet nor caller.
        UnitUnknown => "unit_unknown",
        /// It is below zero.
        Negative => "negative",
        /// It is above 10^15 元.
        TooLarge => "too_large",
        /// It is finer than a 分.
        TooPrecise => "too_precise",
        /// It is a range, of which neither end is the amount or date.
        Range => "range",
        /// It is an upper bound (以下, 不超过).
        UpperBound => "upper_bound",
        /// It is written in Chinese numerals.
        ChineseDigits => "chinese_digits",
        /// It is no date.
        NotADate => "not_a_date",
        /// It may be one of two dates: 2023.1 as a number.
        AmbiguousDate => "ambiguous_date",
        /// There is no such day.
        ImpossibleDate => "impossible_date",
        /// A date without its year.
        YearMissing => "year_missing",
        /// A year of two digits.
        TwoDigitYear => "two_digit_year",
        /// It is no year or month.
        NotAMonth => "not_a_month",
        /// It is no span of time.
        NotASpan => "not_a_span",
        /// It is no project code (GB/T 40058).
        InvalidProjectCode => "invalid_project_code",
        /// It is no unified social credit code (GB 32100).
        InvalidUscc => "invalid_uscc",
        /// It is no percentage.
        NotAPercent => "not_a_percent",
        /// It is no stage.
        UnknownStage => "unknown_stage",
        /// It is no kind of project.
        UnknownKind => "unknown_kind",
        /// It is no status of a permit.
        UnknownStatus => "unknown_status",
        /// It is no permit.
        UnknownItem => "unknown_item",
        /// It is nothing that a target counts.
        UnknownMetric => "unknown_metric",
        /// It is no tier of investment.
        UnknownTier => "unknown_tier",
        /// It is no unit of a target.
        UnknownUnit => "unknown_unit",
        /// It is neither yes nor no.
        NotAFlag => "not_a_flag",
    }
}

/// Something wrong in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The letter of the column; none if there is no such column.
    pub column: Option<String>,
    /// The field that the column is for.
    pub field: Field,
    /// What is wrong.
    pub code: FaultCode,
    /// The text of the cell, as it stands.
    pub text: String,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Data::is_empty")]
    pub data: Data,
}

coded! {
    /// What kind of sum a sheet states.
    pub enum TotalKind {
        /// 小计: of the rows since the section began or the last one.
        Subtotal => "subtotal",
        /// 合计, 总计: of the whole sheet.
        Total => "total",
        /// 累计: of the rows so far.
        Running => "running",
        /// What stands beside the heading of a section: of its rows.
        Section => "section",
    }
}

/// A sum that the sheet states, held against the rows that it covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlTotal {
    /// Its row, from 1.
    pub row: u32,
    /// The letter of its column.
    pub column: String,
    /// What it is called.
    pub label: String,
    /// What kind of sum it is.
    pub kind: TotalKind,
    /// What it adds up; none for a count of rows.
    pub field: Option<Field>,
    /// What the sheet states: 元 with two decimals, or a number of rows; none if it can't be read.
    pub stated: Option<String>,
    /// What the rows come to.
    pub computed: String,
    /// How many rows were counted or added.
    pub rows: usize,
    /// How many of the rows say nothing that could be added: unknown, in a foreign currency, or refused.
    pub left_out: usize,
    /// Whether both are the same.
    pub agrees: bool,
}

coded! {
    /// What has to be told of a sheet.
    pub enum NoteCode {
        /// The title above the table.
        Title => "title",
        /// A note above or below the table.
        Footnote => "footnote",
        /// Rows or columns of the table are hidden; they were read.
        HiddenCells => "hidden_cells",
        /// A field that rows of this kind need has no column.
        FieldMissing => "field_missing",
        /// A sum has rows below that break it down; they are no projects.
        Breakdown => "breakdown",
        /// Rows that are no rows of the table: they repeat its headings.
        RepeatedHeading => "repeated_heading",
        /// Two units are told for the sheet; the later one was not used.
        SecondUnit => "second_unit",
    }
}

/// Something to tell of a sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// What.
    pub code: NoteCode,
    /// Where, from 1.
    pub row: Option<u32>,
    /// Its text.
    pub text: String,
}

impl Sheet {
    /// A sheet of which nothing was read.
    #[must_use]
    pub fn unread(name: &str, state: SheetState) -> Self {
        Self {
            name: name.to_owned(),
            state,
            unit: None,
            term: None,
            header_rows: Vec::new(),
            mapping: Vec::new(),
            rows: Vec::new(),
            control_totals: Vec::new(),
            notes: Vec::new(),
        }
    }
}
