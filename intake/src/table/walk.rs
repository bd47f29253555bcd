//! The rows of a table, one after another.

mod record;

use std::collections::{BTreeMap, BTreeSet};

use super::heading::Heading;
use super::line::Line;
use super::mapping::Mapping;
use super::ordinal::{self, Level};
use super::read::Eye;
use super::total::{Stated, Totals};
use super::{Walked, counted, tell};
use crate::document::{FaultCode, NoteCode, Row, TotalKind};
use crate::file::Refused;
use crate::grid::{Grid, GridRow, Merge, Raw, letters};
use crate::request::Kind;
use crate::unit::Unit;
use crate::value::{Value, squeezed, tidy};

/// Where the walk stands.
struct Walk<'m> {
    mapping: &'m Mapping,
    eye: Eye,
    /// The texts of the headings and of what stands above them, to know them when they come again.
    headings: BTreeSet<String>,
    titles: BTreeSet<String>,
    found: Walked,
    totals: Totals,
    sections: Vec<(Level, String)>,
    /// The last row that is no part: its number, how deep its number stands, how far it is indented.
    last: Option<(u32, Level, usize)>,
    /// Rows of this section by what numbers them.
    numbers: BTreeMap<String, u32>,
    /// Whether rows without a number are parts of the last one.
    in_parts: bool,
    after_total: bool,
    in_notes: bool,
    /// What is merged down over rows that are yet to come: by column the last row, where it stands, and what.
    shared: BTreeMap<u16, (u32, u32, Raw)>,
}

/// Walks through the rows below the headings; the grid gives them up one by one.
pub(super) fn rows(
    grid: &mut Grid,
    heading: &Heading,
    mapping: &Mapping,
    kind: Kind,
    unit: Option<Unit>,
    left: &mut usize,
) -> Result<Walked, Refused> {
    let merges = by_row(&grid.merges);
    let none: Vec<Merge> = Vec::new();
    let texts = |range: std::ops::RangeInclusive<u32>| -> BTreeSet<String> {
        let rows = grid.rows.iter().filter(|row| range.contains(&row.number));
        let cells = rows.flat_map(|row| &row.cells);
        cells.map(|(_, raw)| squeezed(&raw.shown())).collect()
    };
    let headings = texts(heading.first..=heading.last);
    let titles = texts(1..=heading.first.saturating_sub(1));
    let mut walk = Walk {
        mapping,
        eye: Eye {
            kind,
            unit,
            is_1904: grid.is_1904,
            is_plain: grid.is_plain,
            measure: None,
        },
        headings,
        titles,
        found: Walked {
            rows: Vec::new(),
            totals: Vec::new(),
            notes: Vec::new(),
        },
        totals: Totals::default(),
        sections: Vec::new(),
        last: None,
        numbers: BTreeMap::new(),
        in_parts: false,
        after_total: false,
        in_notes: false,
        shared: BTreeMap::new(),
    };
    let rows = std::mem::take(&mut grid.rows);
    let mut rows = rows
        .into_iter()
        .filter(|row| row.number > heading.last)
        .peekable();
    let of = |row: &GridRow| Line::of(grid, row, mapping, merges.get(&row.number).unwrap_or(&none));
    let mut next = rows.peek().map(of);
    while let Some(row) = rows.next() {
        let line = next.take().unwrap_or_else(|| of(&row));
        next = rows.peek().map(of);
        if line.filled.is_empty() {
            continue;
        }
        walk.share(&row, merges.get(&row.number).unwrap_or(&none));
        let before = walk.found.rows.len();
        walk.line(&row, &line, next.as_ref());
        if walk.found.rows.len() > before {
            counted(left, row.number)?;
        }
    }
    let mut found = walk.found;
    found.totals = walk.totals.held(&found.rows);
    Ok(found)
}

fn by_row(merges: &[Merge]) -> BTreeMap<u32, Vec<Merge>> {
    let mut by_row: BTreeMap<u32, Vec<Merge>> = BTreeMap::new();
    for merge in merges {
        by_row.entry(merge.first_row).or_default().push(*merge);
    }
    by_row
}

impl Walk<'_> {
    /// Keeps what is merged down from this row.
    fn share(&mut self, row: &GridRow, merges: &[Merge]) {
        self.shared.retain(|_, (last, _, _)| *last >= row.number);
        for merge in merges.iter().filter(|merge| merge.last_row > row.number) {
            if let Some(raw) = row.at(merge.first_column) {
                self.shared.insert(
                    merge.first_column,
                    (merge.last_row, row.number, raw.clone()),
                );
            }
        }
    }

    /// Takes a row for what it is.
    fn line(&mut self, row: &GridRow, line: &Line, next: Option<&Line>) {
        if self.is_heading(row, line) {
            tell(
                &mut self.found.notes,
                NoteCode::RepeatedHeading,
                Some(row.number),
                String::new(),
            );
            return;
        }
        if let Some((kind, label, count)) = line.total() {
            let stated = self.stated(row, kind, label, count);
            self.totals.met(stated, self.found.rows.len());
            self.last = None;
            self.in_parts = false;
            self.after_total = true;
            return;
        }
        let part = line.part_name();
        let has_no_number = line.ordinal.trim().is_empty() || part.is_some();
        if self.after_total && has_no_number && (part.is_some() || self.in_parts) {
            self.in_parts = self.mapping.ordinal.is_some();
            tell(
                &mut self.found.notes,
                NoteCode::Breakdown,
                Some(row.number),
                tidy(&line.first),
            );
            return;
        }
        if line.is_footnote(self.in_notes) || self.is_behind_all(line, next) {
            self.footnote(row);
            return;
        }
        if part.is_none()
            && !self.is_listed_part(line)
            && let Some((level, title, count)) = line.section(self.mapping, next)
        {
            self.section(row, line, level, title, count);
            return;
        }
        if part.is_none() && self.is_remark(line) {
            self.footnote(row);
            return;
        }
        self.project(row, line, part);
    }

    fn footnote(&mut self, row: &GridRow) {
        let texts: Vec<_> = row.cells.iter().map(|(_, raw)| raw.shown()).collect();
        let text = tidy(&texts.join(" "));
        let at = Some(row.number);
        tell(&mut self.found.notes, NoteCode::Footnote, at, text);
        self.in_notes = true;
    }

    /// Whether a row repeats the headings or the title, as on a new page, or is the heading of another table.
    fn is_heading(&self, row: &GridRow, line: &Line) -> bool {
        let name = squeezed(&line.name);
        let is_name = ["项目名称", "工程名称", "建设项目名称", "指标名称"].contains(&name.as_str());
        if line.filled.len() == 1 {
            return is_name || self.titles.contains(&squeezed(&line.first));
        }
        let known = |(_, raw): &&(u16, Raw)| self.headings.contains(&squeezed(&raw.shown()));
        // Rows that repeat headings do so from the beginning.
        if !is_name && row.cells.iter().take(3).find(known).is_none() {
            return false;
        }
        let same = row.cells.iter().filter(known).count();
        is_name || (same >= 2 && same * 2 > line.filled.len())
    }

    /// Whether a lonely text under the last sum is a note and no project.
    fn is_behind_all(&self, line: &Line, next: Option<&Line>) -> bool {
        let is_last = next.is_none_or(|next| next.filled.len() <= 1);
        let is_wide = self.mapping.read.len() > 1;
        self.after_total
            && is_wide
            && is_last
            && line.filled.len() == 1
            && !line.is_across
            && line.level() == Level::Plain
    }

    /// Whether a lonely text beside the names, which is no code either, says something of the table: 截至：2026-11-29.
    fn is_remark(&self, line: &Line) -> bool {
        const WIDE: usize = 3;
        line.filled.len() == 1
            && line.name.trim().is_empty()
            && self.mapping.name.is_some()
            && self.mapping.read.len() >= WIDE
            && (line.first.contains(['：', ':'])
                || !line.first.contains(|c: char| c.is_ascii_digit()))
    }

    /// Whether a row without a number goes on with the parts of the project above, or is indented below it.
    fn is_listed_part(&self, line: &Line) -> bool {
        let is_indented = self
            .last
            .is_some_and(|(_, _, indent)| line.indent >= indent + 2);
        let is_listed = self.in_parts && self.mapping.ordinal.is_some();
        self.last.is_some()
            && line.ordinal.trim().is_empty()
            && !line.name.trim().is_empty()
            && ordinal::lead(&line.name).is_none()
            && (is_listed || is_indented)
    }

    fn section(
        &mut self,
        row: &GridRow,
        line: &Line,
        level: Level,
        title: String,
        count: Option<usize>,
    ) {
        let has_sums = line.has_amounts || count.is_some();
        let stated = has_sums.then(|| self.stated(row, TotalKind::Section, title.clone(), count));
        self.totals.section(level, self.found.rows.len(), stated);
        self.sections.retain(|(open, _)| *open < level);
        self.sections.push((level, title));
        self.last = None;
        self.numbers.clear();
        self.in_parts = false;
        self.after_total = false;
        self.in_notes = false;
    }

    /// What a sum states in each column of amounts.
    fn stated(
        &self,
        row: &GridRow,
        kind: TotalKind,
        label: String,
        count: Option<usize>,
    ) -> Stated {
        let mut amounts = Vec::new();
        for mapped in &self.mapping.read {
            let is_amount = mapped.field.name.is_amount();
            let Some(raw) = row.at(mapped.column).filter(|_| is_amount) else {
                continue;
            };
            let told = match self.eye.read(mapped, raw) {
                Ok(Value::Amount(amount)) => Some(amount.amount),
                // What is not known, or was never computed, states nothing.
                Ok(Value::Unknown) | Err(FaultCode::NotComputed) => continue,
                Ok(_) | Err(_) => None,
            };
            amounts.push((mapped.letters.clone(), mapped.field, told));
        }
        let column = self.mapping.name.or(self.mapping.ordinal).unwrap_or(0);
        Stated {
            row: row.number,
            kind,
            label,
            count: count.map(|count| (count, letters(column))),
            amounts,
        }
    }

    /// A project, a part of one, or whatever else the rows are of.
    fn project(&mut self, row: &GridRow, line: &Line, part: Option<String>) {
        let is_named = part.as_ref().is_none_or(|name| !name.is_empty());
        if !is_named && line.filled.len() <= 1 {
            // 其中 alone: what follows are parts.
            self.in_parts = true;
            return;
        }
        let part_of = self.parent(line, part.is_some());
        let name = part.unwrap_or_else(|| self.plain_name(line, part_of.is_some()));
        let (fields, faults) = self.fields(row, line, &name);
        if fields.is_empty() && faults.iter().all(|fault| fault.code == FaultCode::Required) {
            tell(
                &mut self.found.notes,
                NoteCode::Footnote,
                Some(row.number),
                tidy(&line.first),
            );
            return;
        }
        let number = squeezed(&line.ordinal);
        if !number.is_empty() {
            self.numbers
                .insert(number.trim_end_matches(['、', '.']).to_owned(), row.number);
        }
        if part_of.is_none() {
            let level = ordinal::level_of(&line.ordinal).unwrap_or(Level::Plain);
            self.last = Some((row.number, level, line.indent));
            self.in_parts = false;
        }
        self.after_total = false;
        self.in_notes = false;
        self.found.rows.push(Row {
            number: row.number,
            ordinal: Some(tidy(&line.ordinal)).filter(|ordinal| !ordinal.is_empty()),
            section: self
                .sections
                .iter()
                .map(|(_, title)| title.clone())
                .collect(),
            part_of,
            fields,
            faults,
        });
    }

    /// The project that a row is part of.
    fn parent(&mut self, line: &Line, is_part: bool) -> Option<u32> {
        let (last, level, _) = self.last?;
        if is_part {
            self.in_parts = true;
            return Some(last);
        }
        if let Some(above) = ordinal::above(&line.ordinal)
            && let Some(row) = self.numbers.get(&above)
        {
            return Some(*row);
        }
        let own = ordinal::level_of(&line.ordinal);
        let is_deeper = own.is_some_and(|own| level != Level::Plain && own > level);
        (is_deeper || self.is_listed_part(line)).then_some(last)
    }
}
