//! What a row of a sheet is: a project, a part of one, a section, a sum, or none of these.

use super::mapping::Mapping;
use super::ordinal::{self, Level};
use crate::document::TotalKind;
use crate::field::FieldName;
use crate::grid::{Grid, GridRow, Merge, Raw};
use crate::value::{squeezed, tidy};

/// The longest text that a section may be called, in characters.
const LONGEST_SECTION: usize = 60;

/// How a note under a table begins.
const BEGINS: [&str; 18] = [
    "注:",
    "注1",
    "注.",
    "备注:",
    "说明:",
    "填表说明",
    "填报说明",
    "填报人",
    "填报单位",
    "填报日期",
    "填表人",
    "填表",
    "审核人",
    "审核:",
    "制表",
    "联系人:",
    "负责人",
    "单位负责人",
];

/// What a row says before anything is read into fields.
#[derive(Debug)]
pub(super) struct Line {
    /// The text of the column of numbers.
    pub(super) ordinal: String,
    /// The text of the column of names, as it stands.
    pub(super) name: String,
    /// How far the name is indented.
    pub(super) indent: usize,
    /// The columns with cells, from left to right.
    pub(super) filled: Vec<u16>,
    /// The text of the first of them.
    pub(super) first: String,
    /// Whether its only cell is merged over the table.
    pub(super) is_across: bool,
    /// Whether it has cells in columns that are read, beside name and amounts.
    pub(super) has_facts: bool,
    /// Whether it has amounts.
    pub(super) has_amounts: bool,
}

impl Line {
    /// Looks at a row.
    pub(super) fn of(grid: &Grid, row: &GridRow, mapping: &Mapping, merges: &[Merge]) -> Self {
        let text = |column: Option<u16>| {
            column
                .and_then(|column| row.at(column))
                .map(|raw| raw.shown().into_owned())
                .unwrap_or_default()
        };
        let seen = row.cells.iter().filter(|(_, raw)| !raw.is_blank());
        let filled: Vec<u16> = seen.map(|(column, _)| *column).collect();
        let half = grid_half(mapping);
        let across = |merge: &Merge| {
            let covers_name = mapping
                .name
                .is_none_or(|name| merge.first_column <= name && name <= merge.last_column);
            covers_name && usize::from(merge.width()) >= half && merge.first_row == row.number
        };
        let read = |column: &u16| mapping.read.iter().find(|mapped| mapped.column == *column);
        let fields = filled
            .iter()
            .filter_map(read)
            .map(|mapped| mapped.field.name);
        let (mut has_facts, mut has_amounts) = (false, false);
        for field in fields {
            let is_amount = field.is_amount();
            has_amounts |= is_amount;
            has_facts |= !is_amount && !matches!(field, FieldName::Name | FieldName::Note);
        }
        let name = text(mapping.name);
        let indent = match mapping.name.and_then(|column| row.at(column)) {
            Some(Raw::Text { indent, .. }) => usize::from(*indent) * 2 + leading_blanks(&name),
            Some(_) | None => 0,
        };
        Self {
            ordinal: text(mapping.ordinal),
            name,
            indent,
            is_across: filled.len() == 1 && merges.iter().any(across) && !grid.is_plain,
            first: text(filled.first().copied()),
            filled,
            has_facts,
            has_amounts,
        }
    }

    /// The sum that the row states, with its label and the number of rows that it tells.
    pub(super) fn total(&self) -> Option<(TotalKind, String, Option<usize>)> {
        let (kind, text, count) = [
            self.ordinal.as_str(),
            self.name.as_str(),
            self.first.as_str(),
        ]
        .into_iter()
        .find_map(|text| total_word(text).map(|(kind, count)| (kind, text, count)))?;
        let count = count.or_else(|| count_alone(&self.name));
        Some((kind, tidy(text), count))
    }

    /// How deep it stands by its number; the name may have one too.
    pub(super) fn level(&self) -> Level {
        let by_name = || ordinal::lead(&self.name).map(|(level, _)| level);
        ordinal::level_of(&self.ordinal)
            .or_else(by_name)
            .unwrap_or(Level::Plain)
    }

    /// The text that could be the name of a section, without its number.
    fn section_text(&self) -> (Level, &str) {
        let text = if self.name.trim().is_empty() {
            self.first.as_str()
        } else {
            &self.name
        };
        let of_number = ordinal::level_of(&self.ordinal);
        match (ordinal::lead(text), of_number) {
            (_, Some(level)) if text == self.name => {
                (level, ordinal::lead(text).map_or(text, |(_, rest)| rest))
            }
            (Some((level, rest)), _) => (level, rest),
            (None, _) => (Level::Plain, text),
        }
    }

    /// The section that begins here: its level, its name, and the number of rows that it tells.
    pub(super) fn section(
        &self,
        mapping: &Mapping,
        next: Option<&Line>,
    ) -> Option<(Level, String, Option<usize>)> {
        let (level, text) = self.section_text();
        let is_name = self.filled.iter().all(|column| {
            Some(*column) == mapping.name
                || Some(*column) == mapping.ordinal
                || mapping.name.is_none_or(|name| *column < name)
        });
        let is_short = text.chars().count() <= LONGEST_SECTION && !text.contains(['。', '；', ';']);
        let found = if self.is_across {
            is_short
        } else if self.filled.is_empty() || !is_short {
            false
        } else if is_name {
            self.is_bare_section(level, mapping, next)
        } else {
            // A heading with the sums of its section beside it.
            let is_outer = level <= Level::BracketedChinese;
            is_outer
                && self.has_amounts
                && !self.has_facts
                && next.is_some_and(|next| next.level() > level && next.total().is_none())
        };
        let title = tidy(text);
        let (title, count) = without_count(&title);
        (found && !title.is_empty()).then_some((level, title, count))
    }

    /// Whether a row with nothing but its name is a section.
    fn is_bare_section(&self, level: Level, mapping: &Mapping, next: Option<&Line>) -> bool {
        let has_number =
            !self.ordinal.trim().is_empty() && ordinal::level_of(&self.ordinal).is_some();
        let leads_deeper = || {
            next.is_some_and(|next| {
                ordinal::above(&next.ordinal).as_deref() == Some(squeezed(&self.ordinal).as_str())
            })
        };
        match level {
            // 1 and nothing but a name is a project, unless 1.1 follows; in the name it is a section.
            Level::Arabic | Level::BracketedArabic | Level::Circled if has_number => leads_deeper(),
            Level::Chinese | Level::BracketedChinese | Level::BracketedArabic | Level::Circled => {
                true
            }
            Level::Arabic => mapping.ordinal.is_some(),
            // Without a number where the others have one.
            Level::Plain => {
                mapping.ordinal.is_some() && next.is_some_and(|next| next.filled.len() > 1)
            }
        }
    }

    /// Whether it is a note under the table and no row of it.
    pub(super) fn is_footnote(&self, is_after_notes: bool) -> bool {
        let text = squeezed(self.first.as_str());
        let is_signature = text.contains(':')
            && ["审核", "填报", "制表", "负责人", "联系电话"]
                .iter()
                .any(|word| text.contains(word));
        let is_few = self.filled.len() <= 3 && !self.has_amounts;
        let begins =
            BEGINS.iter().any(|word| text.starts_with(word)) || text == "注" || text == "说明";
        let is_long = self.filled.len() == 1
            && (text.contains('。') || text.chars().count() > LONGEST_SECTION);
        (begins && !self.has_facts_beside_notes())
            || (is_signature && !self.has_amounts)
            || (is_few && is_after_notes && self.filled.len() == 1)
            || is_long
    }

    fn has_facts_beside_notes(&self) -> bool {
        self.has_amounts || (self.has_facts && self.filled.len() > 3)
    }

    /// The name of a part of the project above (其中：一期工程), and whether the row says 其中 at all.
    pub(super) fn part_name(&self) -> Option<String> {
        if ![&self.ordinal, &self.name]
            .iter()
            .any(|text| text.contains('其'))
        {
            return None;
        }
        let text = if squeezed(&self.ordinal).starts_with("其中") {
            &self.ordinal
        } else {
            &self.name
        };
        let text = tidy(text);
        let rest = text.strip_prefix("其中").or_else(|| {
            let inner = text.strip_prefix(['（', '('])?;
            inner.strip_prefix("其中")
        })?;
        let rest =
            rest.trim_start_matches([':', '：', '、', ',', '，', ' ', '\u{3000}', '）', ')']);
        // The mark may stand in the column of numbers, the name in its own.
        let is_in_ordinal = squeezed(&self.ordinal).starts_with("其中");
        Some(if is_in_ordinal && rest.is_empty() {
            tidy(&self.name)
        } else {
            rest.to_owned()
        })
    }
}

/// Half of the columns that are told, but three at least.
fn grid_half(mapping: &Mapping) -> usize {
    (mapping.told.len() / 2)
        .max(3)
        .min(mapping.told.len().max(2))
}

fn leading_blanks(text: &str) -> usize {
    text.chars()
        .take_while(|c| c.is_whitespace())
        .map(|c| if c.is_ascii() { 1 } else { 2 })
        .sum()
}

/// The sum that a text names, and the number of rows in it: 小计, 合计12个, 共12项, 港口项目小计.
pub(super) fn total_word(text: &str) -> Option<(TotalKind, Option<usize>)> {
    // Every one of them has one of these.
    if text.len() > 120 || !text.contains(['计', '共', '总']) {
        return None;
    }
    let text = squeezed(text);
    if text.is_empty() || text.chars().count() > 24 {
        return None;
    }
    let text = ordinal::lead(&text).map_or(text.clone(), |(_, rest)| rest.to_owned());
    let (text, count) = without_count(&text);
    let text = text.split(['(', '[']).next().unwrap_or_default();
    let text = text.trim_matches([':', ',', '、', '.', '-', '—', '*']);
    let text = text
        .strip_suffix("项目")
        .filter(|rest| is_sum(rest))
        .unwrap_or(text);
    let kind = match text {
        "累计" => TotalKind::Running,
        "共" if count.is_some() => TotalKind::Total,
        "共计" | "总数" | "合计数" | "总合计" => TotalKind::Total,
        text if text.ends_with("小计") => TotalKind::Subtotal,
        "本页合计" => TotalKind::Subtotal,
        text if text.ends_with("合计") || text.ends_with("总计") => TotalKind::Total,
        _ => return None,
    };
    Some((kind, count))
}

fn is_sum(text: &str) -> bool {
    ["小计", "合计", "总计", "共计", "共"].contains(&text)
}

/// Takes a number of projects out of a text: 合计12个, 港口项目（5个）, 共12项.
fn without_count(text: &str) -> (String, Option<usize>) {
    let signs = ["个", "项", "家"];
    for (at, sign) in signs.iter().flat_map(|sign| text.match_indices(sign)) {
        let before = text.get(..at).unwrap_or_default().trim_end();
        let head = before.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = before.get(head.len()..).unwrap_or_default();
        let behind = text.get(at + sign.len()..).unwrap_or_default();
        let behind = behind.trim_start_matches("项目");
        let (head, behind) = match (
            head.strip_suffix(['(', '（']),
            behind.strip_prefix([')', '）']),
        ) {
            (Some(head), Some(behind)) => (head, behind),
            _ => (head, behind),
        };
        let is_end =
            behind.is_empty() || behind.starts_with([',', '，', '、', ':', '：', '。', '(', '（']);
        if let (Ok(count), true) = (digits.parse(), is_end) {
            let head = head.trim_end_matches(['共', ' ', ',', '，', '(', '（']);
            // 共12项: the word is all that is left of the text.
            let head = if head.is_empty() && text.trim_start().starts_with('共') {
                "共"
            } else {
                head
            };
            return (head.to_owned(), Some(count));
        }
    }
    (text.to_owned(), None)
}

/// A cell that says nothing but a number of projects.
fn count_alone(text: &str) -> Option<usize> {
    let text = squeezed(text);
    let (rest, count) = without_count(&text);
    let count = count.or_else(|| text.parse().ok());
    count.filter(|_| rest.is_empty() || rest == "共" || rest == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_told_from_names() {
        use TotalKind::{Running, Subtotal, Total};
        for (text, kind, count) in [
            ("小计", Subtotal, None),
            ("合 计", Total, None),
            ("总计", Total, None),
            ("合计：", Total, None),
            ("合计（12个）", Total, Some(12)),
            ("合计12个", Total, Some(12)),
            ("合计 12 个项目", Total, Some(12)),
            ("共12项", Total, Some(12)),
            ("共计12个", Total, Some(12)),
            ("港口项目小计", Subtotal, None),
            ("一、合计", Total, None),
            ("全市合计", Total, None),
            ("本页小计", Subtotal, None),
            ("累计", Running, None),
        ] {
            assert_eq!(total_word(text), Some((kind, count)), "{text}");
        }
        for text in [
            "",
            "某港",
            "共济医院项目",
            "累计完成",
            "统计中心",
            "会计楼",
            "12个",
        ] {
            assert_eq!(total_word(text), None, "{text}");
        }
        assert_eq!(count_alone("12个"), Some(12));
        assert_eq!(count_alone("共12个项目"), Some(12));
        assert_eq!(count_alone("12"), Some(12));
        assert_eq!(count_alone("某港"), None);
    }

    #[test]
    fn sections_tell_how_many_rows_they_have() {
        assert_eq!(
            without_count("港口项目（5个）"),
            ("港口项目".to_owned(), Some(5))
        );
        assert_eq!(
            without_count("港口项目5个"),
            ("港口项目".to_owned(), Some(5))
        );
        assert_eq!(without_count("港口项目"), ("港口项目".to_owned(), None));
        assert_eq!(
            without_count("2个泊位工程"),
            ("2个泊位工程".to_owned(), None)
        );
    }
}
