//! The table of a sheet: where it begins, what its columns are for, and what each of its rows is.

mod amounts;
mod heading;
mod label;
mod line;
mod mapping;
mod ordinal;
mod read;
mod synonyms;
mod total;
mod walk;

use heading::Heading;
use mapping::{Known, Mapping};

use crate::document::{Note, NoteCode, Row, Sheet, SheetState};
use crate::field::{FieldName, Of};
use crate::file::{MAX_ROWS, Refused, RefusedCode};
use crate::grid::Grid;
use crate::request::{Kind, Request};
use crate::unit::Unit;
use crate::value::period::term_in;
use crate::value::{Term, normal, tidy};

/// The most notes that are told of a sheet.
const MAX_NOTES: usize = 200;

/// Reads a sheet; `left` is how many rows the file may have yet.
pub(crate) fn read(mut grid: Grid, request: &Request, left: &mut usize) -> Result<Sheet, Refused> {
    let name = grid.name.clone();
    let known = Known::of(request, &name);
    let Some(heading) = heading::find(&grid, &known) else {
        return Ok(Sheet::unread(&name, SheetState::NoTable));
    };
    let mut sheet = Sheet::unread(&name, SheetState::Read);
    above(&grid, &heading, request.kind, &mut sheet);
    sheet.header_rows = (heading.first..=heading.last).collect();
    let mapping = mapping::columns(&grid, &heading, &known, sheet.term);
    missing(&mapping, request.kind, &mut sheet);
    if grid.has_hidden {
        tell(&mut sheet.notes, NoteCode::HiddenCells, None, String::new());
    }
    let unit = sheet.unit.or(known.default_unit());
    let walked = walk::rows(&mut grid, &heading, &mapping, request.kind, unit, left)?;
    sheet.mapping = mapping.told;
    sheet.control_totals = walked.totals;
    sheet.rows = walked.rows;
    for note in walked.notes {
        tell(&mut sheet.notes, note.code, note.row, note.text);
    }
    Ok(sheet)
}

fn tell(notes: &mut Vec<Note>, code: NoteCode, row: Option<u32>, text: String) {
    if notes.len() < MAX_NOTES {
        notes.push(Note { code, row, text });
    }
}

/// Reads what stands above the table: title, unit, year.
fn above(grid: &Grid, heading: &Heading, kind: Kind, sheet: &mut Sheet) {
    let mut terms: Vec<Term> = Vec::new();
    for row in grid
        .rows
        .iter()
        .take_while(|row| row.number < heading.first)
    {
        let texts: Vec<String> = row
            .cells
            .iter()
            .map(|(_, raw)| raw.shown().into_owned())
            .collect();
        let text = tidy(&texts.join(" "));
        match (
            Unit::of_note(&text).or_else(|| Unit::of_title(&text)),
            sheet.unit,
        ) {
            (Some(unit), None) => sheet.unit = Some(unit),
            (Some(unit), Some(other)) if unit != other => {
                tell(
                    &mut sheet.notes,
                    NoteCode::SecondUnit,
                    Some(row.number),
                    text.clone(),
                );
            }
            (Some(_) | None, _) => {}
        }
        let plain = normal(&text);
        let is_note = plain.contains(':')
            || plain.starts_with('(')
            || plain.starts_with("附件")
            || plain.starts_with("附表");
        let has_title = sheet.notes.iter().any(|note| note.code == NoteCode::Title);
        let is_title = !is_note && !has_title;
        terms.extend(term_in(&text));
        tell(
            &mut sheet.notes,
            if is_title {
                NoteCode::Title
            } else {
                NoteCode::Footnote
            },
            Some(row.number),
            text,
        );
    }
    terms.extend(term_in(&sheet.name));
    let is_month = |term: &&Term| matches!(term, Term::Month(..));
    let month = terms
        .iter()
        .find(is_month)
        .filter(|_| matches!(kind, Kind::MonthlyFigures));
    let of_name = || {
        crate::value::period::term(&sheet.name)
            .ok()
            .flatten()
            .filter(|term| matches!(term, Term::MonthOnly(_)))
    };
    let year = terms.first().copied();
    sheet.term = month.copied().or_else(|| match (year, of_name()) {
        (Some(year), Some(month)) if matches!(kind, Kind::MonthlyFigures) => {
            Some(month.within(Some(year)))
        }
        (None, Some(month)) if matches!(kind, Kind::MonthlyFigures) => Some(month),
        (year, _) => year,
    });
}

/// Tells which fields have no column that rows of this kind need.
fn missing(mapping: &Mapping, kind: Kind, sheet: &mut Sheet) {
    let has = |names: &[FieldName]| {
        mapping
            .read
            .iter()
            .any(|mapped| names.contains(&mapped.field.name))
    };
    let is_wide = mapping
        .read
        .iter()
        .any(|mapped| matches!(mapped.field.of, Some(Of::Item(_))));
    let needed: &[&[FieldName]] = match kind {
        Kind::Projects => &[&[FieldName::Name], &[FieldName::Region]],
        Kind::AnnualPlans => &[&[FieldName::PlannedInvestment]],
        Kind::MonthlyFigures => &[&[
            FieldName::Completed,
            FieldName::Statistics,
            FieldName::FundsAllocated,
            FieldName::FundsReceived,
            FieldName::FundsPaid,
        ]],
        Kind::Approvals if is_wide => &[],
        Kind::Approvals => &[
            &[FieldName::Item],
            &[FieldName::Status, FieldName::DocumentNumber],
        ],
        Kind::Targets => &[&[FieldName::Name], &[FieldName::Value]],
    };
    for names in needed {
        if !has(names) {
            let text = names.first().map_or("", |name| name.code()).to_owned();
            tell(&mut sheet.notes, NoteCode::FieldMissing, None, text);
        }
    }
}

/// What a walk through the rows found.
struct Walked {
    rows: Vec<Row>,
    totals: Vec<crate::document::ControlTotal>,
    notes: Vec<Note>,
}

/// Counts a row that was read.
fn counted(left: &mut usize, number: u32) -> Result<(), Refused> {
    let too_many = || {
        let mut refused = Refused::with(RefusedCode::TooManyRows, "row", &number);
        refused.data.insert("max".to_owned(), MAX_ROWS.to_string());
        refused
    };
    *left = left.checked_sub(1).ok_or_else(too_many)?;
    Ok(())
}
