//! Sums that a sheet states, held against the rows that they cover.

use std::collections::BTreeMap;
use std::ops::Range;

use domain::money::{Money, Total};

use super::ordinal::Level;
use crate::document::{ControlTotal, Row, TotalKind};
use crate::field::Field;
use crate::value::Value;

/// A sum as the sheet states it.
pub(super) struct Stated {
    pub(super) row: u32,
    pub(super) kind: TotalKind,
    pub(super) label: String,
    /// The number of rows that it tells, and the letter of the column where it does.
    pub(super) count: Option<(usize, String)>,
    /// The amounts that it tells, by column and field; none where one can't be read.
    pub(super) amounts: Vec<(String, Field, Option<Money>)>,
}

/// Which rows a sum covers.
enum Cover {
    /// These.
    Rows(Range<usize>),
    /// From this one to where the section ends.
    Open(usize, Level),
    /// All of the sheet, or these, whichever it agrees with.
    AllOr(Range<usize>),
}

/// The sums of a sheet as they are met.
#[derive(Default)]
pub(super) struct Totals {
    stated: Vec<(Stated, Cover)>,
    /// Those of them that go on to where their section ends.
    open: Vec<usize>,
    /// The first row since the last sum or heading of a section.
    since: usize,
    /// The sections that are open, each with its first row.
    sections: Vec<(Level, usize)>,
}

impl Totals {
    /// A section begins before the row that comes next.
    pub(super) fn section(&mut self, level: Level, next: usize, stated: Option<Stated>) {
        self.close(level, next);
        self.sections.retain(|(open, _)| *open < level);
        self.sections.push((level, next));
        self.since = next;
        if let Some(stated) = stated {
            self.push(stated, Cover::Open(next, level));
        }
    }

    /// A sum is met before the row that comes next.
    pub(super) fn met(&mut self, stated: Stated, next: usize) {
        let is_at_head = self
            .sections
            .last()
            .is_some_and(|(_, start)| *start == next);
        let above = if self.since < next {
            self.since..next
        } else {
            // Right behind another sum: the one of the section around both.
            let outer = self.sections.iter().find(|(_, start)| *start < next);
            outer.map_or(0, |(_, start)| *start)..next
        };
        let cover = match stated.kind {
            TotalKind::Running => Cover::Rows(0..next),
            TotalKind::Total => Cover::AllOr(above),
            TotalKind::Subtotal | TotalKind::Section if is_at_head || next == 0 => {
                let level = self
                    .sections
                    .last()
                    .map_or(Level::Plain, |(level, _)| *level);
                Cover::Open(next, level)
            }
            TotalKind::Subtotal | TotalKind::Section => Cover::Rows(above),
        };
        self.since = next;
        self.push(stated, cover);
    }

    fn push(&mut self, stated: Stated, cover: Cover) {
        if matches!(cover, Cover::Open(..)) {
            self.open.push(self.stated.len());
        }
        self.stated.push((stated, cover));
    }

    /// What is open at this level or deeper ends before the row that comes next.
    fn close(&mut self, level: Level, next: usize) {
        let stated = &mut self.stated;
        self.open.retain(|place| {
            let Some((_, cover)) = stated.get_mut(*place) else {
                return false;
            };
            let ended = match cover {
                Cover::Open(start, open) if *open >= level => Some(Cover::Rows(*start..next)),
                Cover::Open(..) | Cover::Rows(_) | Cover::AllOr(_) => None,
            };
            let has_ended = ended.is_some();
            if let Some(ended) = ended {
                *cover = ended;
            }
            !has_ended
        });
    }

    /// Holds all of them against the rows.
    pub(super) fn held(self, rows: &[Row]) -> Vec<ControlTotal> {
        let fields = self
            .stated
            .iter()
            .flat_map(|(stated, _)| stated.amounts.iter().map(|(_, field, _)| *field));
        let sums: BTreeMap<Field, Sums> = fields.map(|field| (field, Sums::default())).collect();
        let sums: BTreeMap<Field, Sums> = sums
            .into_keys()
            .map(|field| (field, Sums::of(rows, field)))
            .collect();
        let counts = counts(rows);
        let all = 0..rows.len();
        let totals = self
            .stated
            .iter()
            .filter(|(stated, _)| stated.kind == TotalKind::Total)
            .count();
        let mut held = Vec::new();
        let mut met = 0;
        for (stated, cover) in &self.stated {
            let lines = |range: &Range<usize>| lines(stated, range, &sums, &counts);
            held.extend(match cover {
                Cover::Rows(range) => lines(range),
                Cover::Open(start, _) => lines(&(*start..rows.len())),
                Cover::AllOr(above) => {
                    met += 1;
                    let (of_all, of_above) = (lines(&all), lines(above));
                    let agreeing =
                        |lines: &[ControlTotal]| lines.iter().filter(|line| line.agrees).count();
                    let (whole, part) = (agreeing(&of_all), agreeing(&of_above));
                    // Several of them: those in the middle are of their sections, unless they say otherwise.
                    let is_in_middle = totals > 1 && met != totals && !above.is_empty();
                    let is_of_all = totals == 1 || whole > part || (whole == part && !is_in_middle);
                    if is_of_all { of_all } else { of_above }
                }
            });
        }
        held
    }
}

/// The running sums of a field over the rows: up to each row the sum and how many rows were added.
#[derive(Default)]
struct Sums(Vec<(i128, usize)>);

impl Sums {
    fn of(rows: &[Row], field: Field) -> Self {
        let mut sums = vec![(0, 0)];
        let (mut sum, mut added) = (0_i128, 0);
        for row in rows {
            if row.part_of.is_none()
                && let Some(Value::Amount(amount)) = row.fields.get(&field).map(|cell| &cell.value)
                && amount.currency.is_none()
            {
                sum += i128::from(amount.amount.fen());
                added += 1;
            }
            sums.push((sum, added));
        }
        Self(sums)
    }

    fn over(&self, range: &Range<usize>) -> (i128, usize) {
        let at = |place: usize| self.0.get(place).copied().unwrap_or((0, 0));
        let (first, last) = (at(range.start), at(range.end));
        (last.0 - first.0, last.1.saturating_sub(first.1))
    }
}

/// How many rows that are no parts stand before each row.
fn counts(rows: &[Row]) -> Vec<usize> {
    let mut counts = vec![0];
    let mut count = 0;
    for row in rows {
        count += usize::from(row.part_of.is_none());
        counts.push(count);
    }
    counts
}

/// What a sum says of each of its columns, over these rows.
fn lines(
    stated: &Stated,
    range: &Range<usize>,
    sums: &BTreeMap<Field, Sums>,
    counts: &[usize],
) -> Vec<ControlTotal> {
    let at = |place: usize| counts.get(place).copied().unwrap_or(0);
    let rows = at(range.end).saturating_sub(at(range.start));
    let line =
        |column: &str, field, told: Option<String>, computed: String, left_out| ControlTotal {
            row: stated.row,
            column: column.to_owned(),
            label: stated.label.clone(),
            kind: stated.kind,
            field,
            agrees: told.as_ref() == Some(&computed),
            stated: told,
            computed,
            rows,
            left_out,
        };
    let counted = stated
        .count
        .iter()
        .map(|(count, column)| line(column, None, Some(count.to_string()), rows.to_string(), 0));
    let added = stated.amounts.iter().map(|(column, field, told)| {
        let (sum, added) = sums.get(field).map_or((0, 0), |sums| sums.over(range));
        let computed = Total::from_fen(sum).to_string();
        line(
            column,
            Some(*field),
            told.map(|told| told.to_string()),
            computed,
            rows.saturating_sub(added),
        )
    });
    counted.chain(added).collect()
}
