//! What came of a file.

use std::collections::BTreeSet;

use domain::money::{Money, Total};
use intake::document::{Column, ControlTotal, Document, Note, Row, Sheet, SheetState};
use intake::field::{Field, FieldName};
use intake::value::{Known, Term, Value};
use intake::{Kind, Unit};
use serde::{Deserialize, Serialize};

use super::Remark;
use crate::problem::Problem;
use crate::store::import::{Verdict, What};

/// What came of a file, but for its rows.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// In which encoding its text is; none for workbooks.
    pub encoding: Option<String>,
    /// Its sheets.
    pub sheets: Vec<SheetReport>,
    /// How many rows were read.
    pub rows: usize,
    /// How many made something new.
    pub created: usize,
    /// How many changed something.
    pub changed: usize,
    /// How many stood so already.
    pub unchanged: usize,
    /// How many were left, for somebody has to say what they are about.
    pub duplicates: usize,
    /// How many were refused.
    pub refused: usize,
    /// The sums that the sheets state, held against their rows: with the name of the sheet.
    pub control_totals: Vec<(String, ControlTotal)>,
    /// The exact amounts of the rows that are taken in, without those that are part of another, in 元.
    pub total: String,
    /// Why the file was not read.
    pub problem: Vec<Remark>,
}

/// How a sheet was understood.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SheetReport {
    /// Its name.
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
    /// How many rows were read.
    pub rows: usize,
    /// What else has to be told of it.
    pub notes: Vec<Note>,
}

impl From<&Sheet> for SheetReport {
    fn from(sheet: &Sheet) -> Self {
        Self {
            name: sheet.name.clone(),
            state: sheet.state,
            unit: sheet.unit,
            term: sheet.term,
            header_rows: sheet.header_rows.clone(),
            mapping: sheet.mapping.clone(),
            rows: sheet.rows.len(),
            notes: sheet.notes.clone(),
        }
    }
}

impl Report {
    /// Of a file that was not read.
    #[must_use]
    pub fn refused(problem: Problem) -> Self {
        Self {
            problem: Remark::of_problem(problem),
            total: Total::default().to_string(),
            ..Self::default()
        }
    }

    /// Of a file and what came of its rows.
    #[must_use]
    pub(crate) fn of(document: &Document, kind: Kind, verdicts: &[Verdict]) -> Self {
        let mut report = Self {
            encoding: document.encoding.clone(),
            sheets: document.sheets.iter().map(SheetReport::from).collect(),
            rows: document.sheets.iter().map(|sheet| sheet.rows.len()).sum(),
            total: total(document, kind, verdicts).to_string(),
            ..Self::default()
        };
        for sheet in &document.sheets {
            let totals = sheet.control_totals.iter().cloned();
            report
                .control_totals
                .extend(totals.map(|total| (sheet.name.clone(), total)));
        }
        for verdict in verdicts {
            *match verdict.what {
                What::Do { is_new: true, .. } => &mut report.created,
                What::Do { is_new: false, .. } => &mut report.changed,
                What::Same => &mut report.unchanged,
                What::Held => &mut report.duplicates,
                What::Refused => &mut report.refused,
            } += 1;
        }
        report
    }
}

/// The exact amounts of the rows that are taken in.
fn total(document: &Document, kind: Kind, verdicts: &[Verdict]) -> Total {
    let not_taken: BTreeSet<_> = verdicts
        .iter()
        .filter(|verdict| matches!(verdict.what, What::Held | What::Refused))
        .map(|verdict| verdict.place)
        .collect();
    let mut sum = Total::default();
    for (number, sheet) in document.sheets.iter().enumerate() {
        for row in sheet.rows.iter().filter(|row| row.part_of.is_none()) {
            let place = crate::store::import::Place {
                sheet: number,
                row: row.number,
            };
            if not_taken.contains(&place) {
                continue;
            }
            for amount in amounts(row, kind) {
                sum = sum.checked_add(Total::from(amount)).unwrap_or(sum);
            }
        }
    }
    sum
}

/// The exact amounts that a row of a kind is about.
fn amounts(row: &Row, kind: Kind) -> impl Iterator<Item = Money> {
    let wanted = match kind {
        Kind::Projects => Some(FieldName::TotalInvestment),
        Kind::AnnualPlans => Some(FieldName::PlannedInvestment),
        Kind::MonthlyFigures => Some(FieldName::Completed),
        Kind::Approvals | Kind::Targets => None,
    };
    let cells = row
        .fields
        .iter()
        .filter(move |(Field { name, .. }, _)| Some(*name) == wanted);
    cells.filter_map(|(_, cell)| {
        let Value::Amount(amount) = &cell.value else {
            return None;
        };
        let is_exact = amount.known != Known::Floor && amount.currency.is_none();
        is_exact.then_some(amount.amount)
    })
}
