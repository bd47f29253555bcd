//! Which column is for which field: by the caller's word, by what is remembered, by what the headings say.

use std::collections::{BTreeMap, BTreeSet};

use super::heading::Heading;
use super::label::{Label, Match};
use crate::document::{Because, Column};
use crate::field::{Field, FieldName, Of};
use crate::grid::{Grid, column_of, letters};
use crate::request::{Assigned, Correction, Kind, Request};
use crate::unit::Unit;
use crate::value::{Term, squeezed, tidy};

/// How many different texts of a column that was not understood are told, and how long each.
const SAMPLES: usize = 3;
const SAMPLE_LENGTH: usize = 40;

/// What is known of a sheet's columns before it is read.
pub(super) struct Known<'r> {
    request: &'r Request,
    corrections: Vec<&'r Correction>,
    /// What headings were said to be for, in this file and in earlier ones, by their texts without blanks.
    given: BTreeMap<String, Assigned>,
    remembered: BTreeMap<String, Assigned>,
}

/// Headings by their texts without blanks.
fn by_text<'a>(
    names: impl Iterator<Item = (&'a String, &'a Assigned)>,
) -> BTreeMap<String, Assigned> {
    let joined = |name: &String| name.split('|').map(squeezed).collect::<String>();
    names
        .map(|(name, assigned)| (joined(name), *assigned))
        .collect()
}

impl<'r> Known<'r> {
    pub(super) fn of(request: &'r Request, sheet: &str) -> Self {
        let is_of_sheet =
            |correction: &&Correction| correction.sheet.as_deref().is_none_or(|name| name == sheet);
        let corrections: Vec<&Correction> = request.mapping.iter().filter(is_of_sheet).collect();
        Self {
            request,
            given: by_text(
                corrections
                    .iter()
                    .flat_map(|correction| &correction.columns),
            ),
            corrections,
            remembered: by_text(request.remembered.iter()),
        }
    }

    pub(super) fn kind(&self) -> Kind {
        self.request.kind
    }

    pub(super) fn default_unit(&self) -> Option<Unit> {
        self.request.default_unit
    }

    pub(super) fn header_rows(&self) -> Option<(u32, u32)> {
        let rows = self
            .corrections
            .iter()
            .find_map(|correction| correction.header_rows);
        rows.filter(|(first, last)| (1..=*last).contains(first))
    }

    /// Whether the caller names columns by their letters: then their headings may say anything.
    pub(super) fn has_letters(&self) -> bool {
        let mut names = self
            .corrections
            .iter()
            .flat_map(|correction| correction.columns.keys());
        names.any(|name| column_of(name).is_some())
    }

    fn given_letter(&self, column: u16) -> Option<Assigned> {
        let letters = letters(column);
        let mut all = self
            .corrections
            .iter()
            .flat_map(|correction| &correction.columns);
        all.find(|(name, _)| name.eq_ignore_ascii_case(&letters))
            .map(|(_, assigned)| *assigned)
    }

    /// The field that a heading is for.
    pub(super) fn field(&self, label: &Label) -> Match {
        let names = label.names();
        let of_names = |said: &BTreeMap<String, Assigned>| {
            names.iter().find_map(|name| said.get(*name).copied())
        };
        if let Some(assigned) = of_names(&self.given) {
            return told(assigned, Because::Given);
        }
        if let Some(assigned) = of_names(&self.remembered) {
            return told(assigned, Because::Remembered);
        }
        if label.is_ordinal() {
            return Match::none(Because::Ordinal);
        }
        label.field(self.kind())
    }

    /// The field that a column is for; nothing is known of one that has no heading and no letter given.
    pub(super) fn field_at(&self, column: u16, label: Option<&Label>) -> Option<Match> {
        let given = self
            .given_letter(column)
            .map(|assigned| told(assigned, Because::Given));
        given.or_else(|| label.map(|label| self.field(label)))
    }
}

/// What somebody said of a column.
fn told(assigned: Assigned, because: Because) -> Match {
    match assigned {
        Assigned::Field(field) => Match::of(field, because, 0),
        Assigned::Ignore => Match::none(Because::Ignored),
    }
}

/// A column as it is read.
#[derive(Clone, Debug)]
pub(super) struct Mapped {
    pub(super) column: u16,
    pub(super) letters: String,
    pub(super) field: Field,
    pub(super) unit: Option<Unit>,
}

/// The columns of a table.
pub(super) struct Mapping {
    /// All of them, as they are told.
    pub(super) told: Vec<Column>,
    /// Those that are read.
    pub(super) read: Vec<Mapped>,
    /// The one that numbers the rows.
    pub(super) ordinal: Option<u16>,
    /// The one of the names.
    pub(super) name: Option<u16>,
}

/// How much a reason weighs against another one for the same field; less is more.
const fn weight(because: Because) -> u8 {
    match because {
        Because::Given => 0,
        Because::Remembered => 1,
        Because::Exact => 2,
        Because::Contained
        | Because::Ordinal
        | Because::Ignored
        | Because::Duplicate
        | Because::Ambiguous
        | Because::Unknown
        | Because::NoHeading => 3,
    }
}

/// Finds out what each column is for.
pub(super) fn columns(
    grid: &Grid,
    heading: &Heading,
    known: &Known<'_>,
    term: Option<Term>,
) -> Mapping {
    let none = Label::default();
    let mut matches: BTreeMap<u16, Match> = BTreeMap::new();
    let used = used_columns(grid, heading.last);
    for column in 0..grid.width() {
        let label = heading.labels.get(&column);
        let mut found = match known.field_at(column, label) {
            Some(found) => found,
            None if used.contains(&column) => Match::none(Because::NoHeading),
            None => continue,
        };
        found.field = found.field.map(|field| within(field, term));
        matches.insert(column, found);
    }
    keep_one_each(&mut matches);
    resolve(&mut matches);
    let mut mapping = Mapping {
        told: Vec::new(),
        read: Vec::new(),
        ordinal: None,
        name: None,
    };
    for (column, found) in matches {
        let label = heading.labels.get(&column).unwrap_or(&none);
        if found.because == Because::Ordinal {
            mapping.ordinal = mapping.ordinal.or(Some(column));
        }
        if let Some(field) = found.field {
            if field.name == FieldName::Name {
                mapping.name = mapping.name.or(Some(column));
            }
            mapping.read.push(Mapped {
                column,
                letters: letters(column),
                field,
                unit: label.unit,
            });
        }
        let is_strange = matches!(
            found.because,
            Because::Unknown | Because::Ambiguous | Because::Duplicate | Because::NoHeading
        );
        mapping.told.push(Column {
            column: letters(column),
            heading: label.shown.clone(),
            field: found.field,
            because: found.because,
            unit: label.unit,
            candidates: found.candidates,
            samples: if is_strange {
                samples(grid, heading.last, column)
            } else {
                Vec::new()
            },
        });
    }
    mapping
}

/// A month of a heading is one of the sheet's year.
fn within(field: Field, term: Option<Term>) -> Field {
    let of = field.of.map(|of| match of {
        Of::Term(own) => Of::Term(own.within(term)),
        Of::Item(item) => Of::Item(item),
    });
    Field { of, ..field }
}

/// Of several columns for one field, the best stays; another one is for what else it could be for.
fn keep_one_each(matches: &mut BTreeMap<u16, Match>) {
    let mut best: BTreeMap<Field, (u8, usize, u16)> = BTreeMap::new();
    for (column, found) in matches.iter() {
        let Some(field) = found.field else {
            continue;
        };
        let claim = (weight(found.because), found.rank, *column);
        let held = best.entry(field).or_insert(claim);
        *held = claim.min(*held);
    }
    for (column, found) in matches.iter_mut() {
        if let Some(field) = found.field
            && best
                .get(&field)
                .is_some_and(|(_, _, holder)| holder != column)
        {
            found.field = found.candidates.pop();
            if found.field.is_none() {
                found.because = Because::Duplicate;
                found.candidates = vec![field];
            }
        }
    }
}

/// A column that could be several fields is the one that no other column is, if only one is left.
fn resolve(matches: &mut BTreeMap<u16, Match>) {
    let taken: BTreeSet<FieldName> = matches
        .values()
        .filter_map(|found| found.field)
        .map(|field| field.name)
        .collect();
    let mut given = BTreeSet::new();
    for found in matches
        .values_mut()
        .filter(|found| found.because == Because::Ambiguous)
    {
        let mut free = found
            .candidates
            .iter()
            .filter(|field| !taken.contains(&field.name) && !given.contains(&field.name));
        if let (Some(field), None) = (free.next().copied(), free.next()) {
            given.insert(field.name);
            found.field = Some(field);
            found.because = Because::Contained;
        }
    }
}

/// The columns that have cells below the headings.
fn used_columns(grid: &Grid, last: u32) -> BTreeSet<u16> {
    let below = grid.rows.iter().filter(|row| row.number > last);
    below
        .flat_map(|row| row.cells.iter().map(|(column, _)| *column))
        .collect()
}

/// A few different texts of a column.
fn samples(grid: &Grid, last: u32, column: u16) -> Vec<String> {
    let mut samples: Vec<String> = Vec::new();
    for row in grid.rows.iter().filter(|row| row.number > last) {
        let Some(raw) = row.at(column) else {
            continue;
        };
        let sample: String = tidy(&raw.shown()).chars().take(SAMPLE_LENGTH).collect();
        if !samples.contains(&sample) {
            samples.push(sample);
        }
        if samples.len() >= SAMPLES {
            break;
        }
    }
    samples
}
