//! Where a table begins: the rows of its headings, of which there may be one, two or three.

use std::collections::{BTreeMap, BTreeSet};

use super::label::Label;
use super::mapping::Known;
use crate::document::Because;
use crate::field::FieldName;
use crate::grid::{Grid, Raw};
use crate::request::Kind;
use crate::unit::Unit;

/// In how many rows from the top the headings are looked for.
const LOOKED_AT: u32 = 100;
/// How many rows behind headings better ones may stand.
const SETTLED: u32 = 10;
/// The most rows that headings have.
const MAX_DEPTH: u32 = 3;
/// How many merged regions at the top are looked at.
const MAX_MERGES: usize = 3_000;

/// The headings of a table.
#[derive(Debug)]
pub(super) struct Heading {
    pub(super) first: u32,
    pub(super) last: u32,
    /// What stands over each column.
    pub(super) labels: BTreeMap<u16, Label>,
}

/// The rows at the top of a sheet, each cell with the one that it is merged into.
struct Top<'g> {
    grid: &'g Grid,
    origins: BTreeMap<(u32, u16), (u32, u16)>,
    /// The last row that the cell at this place is merged down to.
    depths: BTreeMap<(u32, u16), u32>,
    width: u16,
}

impl<'g> Top<'g> {
    fn of(grid: &'g Grid) -> Self {
        let (mut origins, mut depths) = (BTreeMap::new(), BTreeMap::new());
        let at_top = grid
            .merges
            .iter()
            .filter(|merge| merge.first_row <= LOOKED_AT);
        for merge in at_top.take(MAX_MERGES) {
            let origin = (merge.first_row, merge.first_column);
            for row in merge.first_row..=merge.last_row.min(LOOKED_AT + MAX_DEPTH) {
                for column in merge.first_column..=merge.last_column.min(crate::file::MAX_COLUMNS) {
                    origins.entry((row, column)).or_insert(origin);
                }
            }
            depths.insert(origin, merge.last_row);
        }
        Self {
            grid,
            origins,
            depths,
            width: grid.width(),
        }
    }

    /// The place of the cell that covers this one.
    fn origin(&self, row: u32, column: u16) -> (u32, u16) {
        self.origins
            .get(&(row, column))
            .copied()
            .unwrap_or((row, column))
    }

    fn text(&self, row: u32, column: u16) -> Option<String> {
        let (row, column) = self.origin(row, column);
        self.grid
            .at(row, column)
            .map(|raw| raw.shown().into_owned())
    }

    /// The cells of a row that say something, a merged one once.
    fn told(&self, row: u32) -> Vec<(u16, String)> {
        let cells = self
            .grid
            .row(row)
            .map(|row| row.cells.as_slice())
            .unwrap_or_default();
        cells
            .iter()
            .map(|(column, raw)| (*column, raw.shown().into_owned()))
            .collect()
    }

    /// Whether rows stand together: nothing that is merged reaches out of them.
    fn is_whole(&self, first: u32, last: u32) -> bool {
        let within = |row: u32, column: u16| {
            let origin = self.origin(row, column);
            let reaches = self.depths.get(&origin).copied().unwrap_or(row);
            origin.0 >= first && reaches <= last
        };
        (first..=last).all(|row| (0..self.width).all(|column| within(row, column)))
    }

    /// The labels of some rows.
    fn labels(&self, first: u32, last: u32) -> BTreeMap<u16, Label> {
        let mut labels = BTreeMap::new();
        let mut above: BTreeMap<u32, (u16, String)> = BTreeMap::new();
        for column in 0..self.width {
            let mut parts = Vec::new();
            for row in first..=last {
                match self.text(row, column) {
                    Some(text) => {
                        above.insert(row, (column, text.clone()));
                        parts.push(text);
                    }
                    // Without merges, what stands over several columns stands over the first of them.
                    None if row < last && self.text(last, column).is_some() => {
                        parts.extend(self.carried(&above, row, last, column));
                    }
                    None => {}
                }
            }
            let label = Label::of(&parts);
            if !label.is_empty() {
                labels.insert(column, label);
            }
        }
        labels
    }

    /// What stands to the left over this column too.
    fn carried(
        &self,
        above: &BTreeMap<u32, (u16, String)>,
        row: u32,
        last: u32,
        column: u16,
    ) -> Option<String> {
        let (from, text) = above.get(&row)?;
        let is_merged = self.origins.contains_key(&(row, *from));
        let goes_on = (*from..column).all(|between| self.grid.at(last, between).is_some());
        (!is_merged && goes_on).then(|| text.clone())
    }
}

/// Finds the headings.
pub(super) fn find(grid: &Grid, known: &Known<'_>) -> Option<Heading> {
    let top = Top::of(grid);
    if let Some((first, last)) = known.header_rows() {
        return Some(Heading {
            first,
            last,
            labels: top.labels(first, last.min(first.saturating_add(MAX_DEPTH))),
        });
    }
    let mut best: Option<(usize, u32, u32)> = None;
    let starts = grid
        .rows
        .iter()
        .map(|row| row.number)
        .take_while(|row| *row <= LOOKED_AT);
    for first in starts {
        // Rows of the table may look like headings too, but not more so.
        if best.is_some_and(|(_, found, _)| first > found + SETTLED) {
            break;
        }
        let told = top.told(first);
        let is_note = told.iter().any(|(_, text)| is_note(text));
        // A title or a note is no heading; one column alone is a table too if it says 项目名称.
        if is_note
            || (told.len() < 2 && !told.iter().any(|(_, text)| is_telling(text, known.kind())))
        {
            continue;
        }
        for depth in 1..=MAX_DEPTH {
            let last = first + depth - 1;
            if !top.is_whole(first, last) {
                continue;
            }
            let score = score(&top.labels(first, last), top.width, known);
            let is_better = best
                .is_none_or(|(other, _, deep)| score > other || (score == other && depth < deep));
            if score > 0 && is_better {
                best = Some((score, first, depth));
            }
        }
    }
    let (_, first, depth) = best?;
    Some(grown(&top, known, first, first + depth - 1))
}

/// How many fields labels name; nothing if they don't tell what the rows are of.
fn score(labels: &BTreeMap<u16, Label>, width: u16, known: &Known<'_>) -> usize {
    let found = |column: u16| known.field_at(column, labels.get(&column));
    let matches: Vec<_> = (0..width).filter_map(found).collect();
    let fields: BTreeSet<_> = matches.iter().filter_map(|found| found.field).collect();
    let is_known = |name| fields.iter().any(|field| field.name == name);
    let has_key = [FieldName::Name, FieldName::Code, FieldName::ExternalRef]
        .into_iter()
        .any(is_known);
    let is_named = matches.iter().any(|found| {
        let is_name = found
            .field
            .is_some_and(|field| field.name == FieldName::Name);
        is_name && found.because != Because::Contained
    });
    let is_enough = fields.len() >= 2 || (is_named && labels.len() == 1) || known.has_letters();
    if has_key && is_enough {
        fields.len()
    } else {
        0
    }
}

/// Takes in the row above that groups the columns, and rows below that belong to the headings: names of columns that
/// nobody knows, and the numbers of columns (甲 乙 1 2 3).
fn grown(top: &Top<'_>, known: &Known<'_>, first: u32, last: u32) -> Heading {
    let (mut first, mut last) = (first, last);
    let above = first.saturating_sub(1);
    if last - first + 1 < MAX_DEPTH && above > 0 && groups(top, above) && top.is_whole(above, last)
    {
        first = above;
    }
    let labels = top.labels(first, last);
    let name = labels.iter().find_map(|(column, label)| {
        let field = known.field(label).field?;
        (field.name == FieldName::Name).then_some(*column)
    });
    if last - first + 1 < MAX_DEPTH && names_only(top, name, last + 1) {
        last += 1;
    }
    let labels = top.labels(first, last);
    let mut end = last;
    if numbers_columns(top, name, last + 1) {
        end = last + 1;
    }
    Heading {
        first,
        last: end,
        labels,
    }
}

/// Whether a row groups the columns of the row below.
fn groups(top: &Top<'_>, row: u32) -> bool {
    let told = top.told(row);
    let is_wide = |column: u16| top.origins.get(&(row, column + 1)) == Some(&(row, column));
    // A title stands over all columns from the first one.
    let is_group = told.len() >= 2 || told.iter().all(|(column, _)| *column > 0);
    is_group
        && told.iter().any(|(column, _)| is_wide(*column))
        && !told.iter().any(|(_, text)| is_note(text))
}

/// Whether a row below the headings names columns further: under headings of several columns only.
fn names_only(top: &Top<'_>, name: Option<u16>, row: u32) -> bool {
    let Some(name) = name else {
        return false;
    };
    let told = top.told(row);
    let is_word = |raw: Option<&Raw>| matches!(raw, Some(Raw::Text { text, .. }) if !text.chars().any(|c| c.is_ascii_digit()) && text.chars().count() <= 12);
    // Two neighbours under one heading: a single word in a row may be anything.
    let has_pair = told
        .iter()
        .zip(told.iter().skip(1))
        .any(|((left, _), (right, _))| {
            left + 1 == *right
                && top.text(row - 1, *left).is_some()
                && top.text(row - 1, *right).is_none()
        });
    has_pair
        && told
            .iter()
            .all(|(column, _)| *column > name && is_word(top.grid.at(row, *column)))
}

/// Whether a row numbers the columns.
fn numbers_columns(top: &Top<'_>, name: Option<u16>, row: u32) -> bool {
    let told = top.told(row);
    let is_mark = |text: &str| {
        matches!(
            text.trim(),
            "甲" | "乙" | "丙" | "丁" | "戊" | "A" | "B" | "C" | "D"
        )
    };
    let names_mark = |(column, text): &(u16, String)| {
        Some(*column) == name && (is_mark(text) || text.trim().parse::<u32>().is_ok())
    };
    if told.len() < 3 || !told.iter().any(names_mark) {
        return false;
    }
    let mut next = None;
    told.iter().all(|(_, text)| {
        let digits = text.split('=').next().unwrap_or_default().trim();
        let number: Option<u32> = digits.parse().ok();
        let fits = match (number, next) {
            (Some(number), Some(wanted)) => number == wanted,
            (Some(number), None) => number <= 4,
            (None, _) => return is_mark(text),
        };
        next = number.map(|number| number.saturating_add(1));
        fits
    })
}

/// How a note above a table begins.
const BEGINS: [&str; 12] = [
    "单位:",
    "填报",
    "编制",
    "制表",
    "填表",
    "时间:",
    "日期:",
    "数据截",
    "截止",
    "截至",
    "附件",
    "附表",
];

/// Whether a text is a note: of the unit, the day, the office.
fn is_note(text: &str) -> bool {
    let text = crate::value::squeezed(text);
    let is_telling = text.contains(':') || text.bytes().any(|byte| byte.is_ascii_digit());
    // 截至2023年底完成投资 is a heading.
    let is_heading = text.contains("投资") || text.contains("完成") || text.contains("资金");
    let begins = is_telling && !is_heading && BEGINS.iter().any(|word| text.starts_with(word));
    // A unit in a heading stands behind what it is the unit of.
    let is_of_unit =
        text.starts_with("(单位:") || text.starts_with("金额单位") || text.starts_with("(金额单位");
    begins || is_of_unit || (Unit::of_note(&text).is_some() && !text.contains('('))
}

/// Whether a single heading is enough to tell a table.
fn is_telling(text: &str, kind: Kind) -> bool {
    let text = crate::value::squeezed(text);
    match kind {
        Kind::Targets => text == "指标名称",
        Kind::Projects | Kind::AnnualPlans | Kind::MonthlyFigures | Kind::Approvals => {
            matches!(text.as_str(), "项目名称" | "工程名称" | "建设项目名称")
        }
    }
}
