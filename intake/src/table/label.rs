//! What a heading says: its parts, the unit in it, and the field that it names.

use super::{amounts, synonyms};
use crate::document::Because;
use crate::field::{Field, FieldName, Of};
use crate::request::Kind;
use crate::unit::Unit;
use crate::value::period::term_in;
use crate::value::{squeezed, tidy, words};

/// The longest heading that is looked at, in characters.
const LONGEST: usize = 60;

/// A heading of one or several rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Label {
    /// As it is shown: its parts joined by `|`.
    pub(super) shown: String,
    /// Its parts without blanks, brackets and units.
    parts: Vec<String>,
    /// Those joined.
    joined: String,
    /// All of it without blanks.
    whole: String,
    /// The unit that it tells.
    pub(super) unit: Option<Unit>,
}

/// What a heading names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) field: Option<Field>,
    pub(super) because: Because,
    /// How telling it is: of two headings for one field the one with less is taken.
    pub(super) rank: usize,
    pub(super) candidates: Vec<Field>,
}

impl Match {
    pub(super) fn of(field: impl Into<Field>, because: Because, rank: usize) -> Self {
        Self {
            field: Some(field.into()),
            because,
            rank,
            candidates: Vec::new(),
        }
    }

    pub(super) fn none(because: Because) -> Self {
        Self {
            field: None,
            because,
            rank: usize::MAX,
            candidates: Vec::new(),
        }
    }

    pub(super) fn ambiguous(names: &[FieldName]) -> Self {
        Self {
            candidates: names.iter().copied().map(Field::from).collect(),
            ..Self::none(Because::Ambiguous)
        }
    }
}

impl Label {
    /// The heading of these parts, the outer ones first; a part that repeats the one above it says nothing more.
    pub(super) fn of(texts: &[String]) -> Self {
        let mut label = Self::default();
        let mut shown: Vec<String> = Vec::new();
        for text in texts {
            let told = tidy(text);
            if told.is_empty() || shown.last() == Some(&told) {
                continue;
            }
            let (part, unit) = parted(text);
            label.unit = unit.or(label.unit);
            label.whole.push_str(&squeezed(text));
            if !part.is_empty() {
                label.parts.push(part);
            }
            shown.push(told);
        }
        label.joined = label.parts.concat();
        label.shown = shown.join("|");
        label
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }

    fn last(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    /// Whether it numbers the rows.
    pub(super) fn is_ordinal(&self) -> bool {
        synonyms::ORDINALS.contains(&self.last())
    }

    /// What it may be called: all of it, with its brackets and without, and its last part.
    pub(super) fn names(&self) -> [&str; 3] {
        [&self.whole, &self.joined, self.last()]
    }

    /// The field that it names in a table of this kind.
    pub(super) fn field(&self, kind: Kind) -> Match {
        let joined = self.joined.as_str();
        if joined.is_empty() || self.whole.chars().count() > LONGEST {
            return Match::none(Because::Unknown);
        }
        self.exact(kind, joined)
            .or_else(|| self.amount(kind, joined))
            .or_else(|| self.date(joined))
            .or_else(|| self.permit(kind))
            .or_else(|| Self::target(kind, joined))
            .unwrap_or_else(|| contained(kind, &[self.last(), joined, &self.whole]))
    }

    fn exact(&self, kind: Kind, joined: &str) -> Option<Match> {
        // 手续 above several columns: their own headings say what they hold, and of which permit.
        let is_of_permit =
            matches!(kind, Kind::Approvals) && self.parts.len() > 1 && self.permit(kind).is_some();
        if is_of_permit {
            return None;
        }
        // The API's own names, as a program writes them or as they are read.
        let written = self.last().to_ascii_lowercase().parse::<Field>().ok();
        if let Some(field) = written.or_else(|| FieldName::of_heading(self.last()).map(Field::from))
        {
            return Some(Match::of(field, Because::Exact, 0));
        }
        [joined, self.last()].into_iter().find_map(|text| {
            synonyms::of(kind).find_map(|(name, exact, _)| {
                let rank = exact.iter().position(|word| *word == text)?;
                let second = synonyms::second(kind, text).map(Field::from);
                Some(Match {
                    candidates: second.into_iter().collect(),
                    ..Match::of(*name, Because::Exact, rank)
                })
            })
        })
    }

    fn amount(&self, kind: Kind, joined: &str) -> Option<Match> {
        let heading = amounts::Heading {
            kind,
            whole: &self.whole,
            joined,
            last: self.last(),
        };
        heading.field()
    }

    /// Dates of starting and completing, planned and real ones, and the span between them.
    fn date(&self, joined: &str) -> Option<Match> {
        let found = |name| Some(Match::of(name, Because::Contained, 0));
        // 建设起止时间|开工: the last part says which end it is.
        let is_one_end = self.parts.len() > 1
            && ["开工", "竣工", "完工"]
                .iter()
                .filter(|word| self.last().contains(**word))
                .count()
                == 1;
        let joined = if is_one_end && !self.last().contains("起止") {
            self.last()
        } else {
            joined
        };
        let is_start = joined.contains("开工");
        let is_end = any(joined, &["竣工", "完工", "建成"]);
        let is_span = any(
            joined,
            &[
                "起止",
                "开竣工",
                "建设年限",
                "建设工期",
                "建设周期",
                "建设期限",
                "建设时间",
            ],
        );
        if is_span
            || joined == "建设期"
            || joined == "工期"
            || (is_start && is_end && joined.contains("时间"))
        {
            return found(FieldName::Period);
        }
        let is_date = any(joined, &["时间", "日期", "年月", "年份", "月份"]);
        let alone = [
            "开工",
            "竣工",
            "计划开工",
            "实际开工",
            "计划竣工",
            "实际竣工",
            "计划完工",
            "拟开工",
            "计划建成",
        ];
        if !(is_start || is_end)
            || !(is_date || alone.contains(&joined))
            || any(joined, &["是否", "未开工", "验收"])
        {
            return None;
        }
        let is_planned = any(joined, &["计划", "预计", "拟", "预期"]);
        found(match (is_start, is_planned) {
            (true, true) => FieldName::PlannedStartOn,
            (true, false) => FieldName::StartedOn,
            (false, true) => FieldName::PlannedCompletionOn,
            (false, false) => FieldName::CompletedOn,
        })
    }

    /// A column of one permit among several: 用地|文号, 环评.
    fn permit(&self, kind: Kind) -> Option<Match> {
        if !matches!(kind, Kind::Approvals) {
            return None;
        }
        let item = self.parts.iter().find_map(|part| words::item(part))?;
        let of = |name| {
            let of = Some(Of::Item(item));
            Some(Match::of(Field { name, of }, Because::Contained, 0))
        };
        let last = self.last();
        if self.parts.len() > 1 {
            for (name, exact, contained) in synonyms::of(kind) {
                let is_of_permit = matches!(
                    name,
                    FieldName::Status
                        | FieldName::DocumentNumber
                        | FieldName::IssuedOn
                        | FieldName::Authority
                        | FieldName::Reason
                );
                if is_of_permit && (exact.contains(&last) || any(last, contained)) {
                    return of(*name);
                }
            }
        }
        for (words, name) in [
            (["文号", "证号", "编号"], FieldName::DocumentNumber),
            (["时间", "日期", "年月"], FieldName::IssuedOn),
            (["部门", "机关", "单位"], FieldName::Authority),
        ] {
            if any(last, &words) {
                return of(name);
            }
        }
        of(FieldName::Status)
    }

    /// A column of one year's targets: 2025年目标.
    fn target(kind: Kind, joined: &str) -> Option<Match> {
        let term = term_in(joined).filter(|_| matches!(kind, Kind::Targets))?;
        let field = Field {
            name: FieldName::Value,
            of: Some(Of::Term(term)),
        };
        Some(Match::of(field, Because::Contained, 0))
    }
}

/// The field of the longest name that a heading contains.
fn contained(kind: Kind, texts: &[&str]) -> Match {
    for (rank, text) in texts.iter().enumerate() {
        let mut best: Vec<(usize, FieldName)> = Vec::new();
        for (name, _, contained) in synonyms::of(kind) {
            let longest = contained
                .iter()
                .filter(|word| text.contains(**word))
                .map(|word| word.len())
                .max();
            best.extend(longest.map(|length| (length, *name)));
        }
        let longest = best.iter().map(|(length, _)| *length).max();
        let names: Vec<FieldName> = best
            .iter()
            .filter(|(length, _)| Some(*length) == longest)
            .map(|(_, name)| *name)
            .collect();
        match names.as_slice() {
            [] => {}
            [name] => return Match::of(*name, Because::Contained, rank),
            several => return Match::ambiguous(several),
        }
    }
    Match::none(Because::Unknown)
}

pub(super) fn any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// A part of a heading without blanks, brackets and marks, and the unit in it.
fn parted(text: &str) -> (String, Option<Unit>) {
    let text = squeezed(text);
    let text = text.trim_matches(['*', '#', ':', '★']);
    let (mut base, mut unit, mut rest) = (String::new(), None, text);
    while let Some((before, inner, behind)) = bracket(rest) {
        base.push_str(before);
        unit = unit
            .or_else(|| Unit::parse(inner))
            .or_else(|| Unit::of_note(inner));
        unit = unit.or_else(|| inner.split([',', '、', '/', ':']).find_map(Unit::parse));
        rest = behind;
    }
    base.push_str(rest);
    if let Some((before, behind)) = base.rsplit_once(['/', ',', ':', '-'])
        && let Some(told) = Unit::parse(behind)
    {
        return (before.to_owned(), Some(told));
    }
    for word in ["万元", "亿元"] {
        if let Some(before) = base.strip_suffix(word).filter(|before| !before.is_empty()) {
            return (before.to_owned(), Unit::parse(word));
        }
    }
    (base, unit)
}

/// The first bracket of a text, and what stands before and behind it.
fn bracket(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once(['(', '['])?;
    let (inner, behind) = rest.split_once([')', ']'])?;
    Some((before, inner, behind))
}
