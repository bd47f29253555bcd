//! Years, months and spans of time (年度、月份、建设年限).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::date::{Date, YEARS, date};
use super::{LONGEST, is_unknown, squeezed};
use crate::document::FaultCode;

/// A year or a month, of which the year may be missing. It is written as `2025`, `2025-03` or `--03`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Term {
    /// A year.
    Year(i32),
    /// A month of a year.
    Month(i32, u32),
    /// A month of a year that is told elsewhere.
    MonthOnly(u32),
}

impl Term {
    /// The term within the year of another one, if it has none itself.
    #[must_use]
    pub const fn within(self, other: Option<Term>) -> Self {
        match (self, other) {
            (Self::MonthOnly(month), Some(Self::Year(year) | Self::Month(year, _))) => {
                Self::Month(year, month)
            }
            _ => self,
        }
    }

    /// Its year.
    #[must_use]
    pub const fn year(self) -> Option<i32> {
        match self {
            Self::Year(year) | Self::Month(year, _) => Some(year),
            Self::MonthOnly(_) => None,
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::MonthOnly(month) => write!(f, "--{month:02}"),
        }
    }
}

impl FromStr for Term {
    type Err = FaultCode;

    fn from_str(text: &str) -> Result<Self, FaultCode> {
        match text.strip_prefix("--") {
            Some(month) => month_only(month).ok_or(FaultCode::NotAMonth),
            None => term(text)?.ok_or(FaultCode::NotAMonth),
        }
    }
}

impl Serialize for Term {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Term {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// From when to when, each end as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first day, month or year.
    pub from: Date,
    /// The last one.
    pub to: Date,
}

fn month_only(text: &str) -> Option<Term> {
    let text = text.trim_end_matches(['份', '月']);
    let is_number = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let month: u32 = is_number.then(|| text.parse().ok())??;
    (1..=12).contains(&month).then_some(Term::MonthOnly(month))
}

/// Reads a year or a month; none if the text says that nothing is known.
///
/// # Errors
/// `not_a_month`, or what is wrong with it as a date.
pub fn term(text: &str) -> Result<Option<Term>, FaultCode> {
    if text.len() > LONGEST * 4 || text.chars().count() > LONGEST {
        return Err(FaultCode::NotAMonth);
    }
    if is_unknown(text) {
        return Ok(None);
    }
    let text = squeezed(text);
    let text = text.trim_end_matches("度").trim_end_matches('份');
    let in_words = || {
        let month = super::numeral::small(text.strip_suffix('月')?)?;
        (1..=12).contains(&month).then_some(Term::MonthOnly(month))
    };
    if let Some(month) = month_only(text).or_else(in_words) {
        return Ok(Some(month));
    }
    match date(text) {
        Ok(Some(Date::Year(year))) => Ok(Some(Term::Year(year))),
        Ok(Some(Date::Month(year, month))) => Ok(Some(Term::Month(year, month))),
        Ok(Some(Date::Day(day))) => {
            use chrono::Datelike;
            Ok(Some(Term::Month(day.year(), day.month())))
        }
        Ok(None) => Ok(None),
        Err(code @ (FaultCode::AmbiguousDate | FaultCode::ImpossibleDate)) => Err(code),
        Err(_) => Err(FaultCode::NotAMonth),
    }
}

/// Reads a span: `2023-2025`, `2023—2025年`, `2023年5月至2025年6月`, `2023.05-2025.06`; one year alone is both its ends.
///
/// # Errors
/// `not_a_span`, or what is wrong with an end of it.
pub fn span(text: &str) -> Result<Option<Span>, FaultCode> {
    if text.len() > LONGEST * 4 || text.chars().count() > LONGEST {
        return Err(FaultCode::NotASpan);
    }
    if is_unknown(text) {
        return Ok(None);
    }
    let text = squeezed(text);
    if let Ok(Some(only)) = date(&text) {
        return Ok(Some(Span {
            from: only,
            to: only,
        }));
    }
    let (from, to) = ends(&text).ok_or(FaultCode::NotASpan)?;
    let from = date(from)?.ok_or(FaultCode::NotASpan)?;
    // 2023年5月至10月: the second end is in the year of the first.
    let to = match month_only(to) {
        Some(Term::MonthOnly(month)) if to.ends_with('月') => Date::Month(from.year(), month),
        Some(_) | None => date(to)?.ok_or(FaultCode::NotASpan)?,
    };
    if to.year() < from.year() {
        return Err(FaultCode::NotASpan);
    }
    Ok(Some(Span { from, to }))
}

/// Parts a text at the sign between two ends.
fn ends(text: &str) -> Option<(&str, &str)> {
    for sign in ["——", "--", "至", "到", "~", "—", "–", "―", "－"] {
        if let Some((from, to)) = text.split_once(sign) {
            return Some((from, to));
        }
    }
    // A hyphen may stand within the ends too: 2023-05-2025-06.
    let hyphens: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
    let middle = hyphens
        .get(hyphens.len() / 2)
        .filter(|_| hyphens.len() % 2 == 1)?;
    Some((text.get(..*middle)?, text.get(middle + 1..)?))
}

/// The first year that a text tells (2024年, 2024年度), and the month behind it, if any.
#[must_use]
pub fn term_in(text: &str) -> Option<Term> {
    let text = squeezed(text);
    for (at, _) in text.match_indices('年') {
        let start = at.saturating_sub(4);
        let year = text
            .get(start..at)
            .filter(|year| year.len() == 4 && year.bytes().all(|b| b.is_ascii_digit()));
        let Some(year) = year
            .and_then(|year| year.parse().ok())
            .filter(|year| YEARS.contains(year))
        else {
            continue;
        };
        let rest = text.get(at + '年'.len_utf8()..).unwrap_or_default();
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let is_month = rest
            .get(digits.len()..)
            .is_some_and(|rest| rest.starts_with('月'));
        return Some(match month_only(&digits) {
            Some(Term::MonthOnly(month)) if is_month => Term::Month(year, month),
            Some(_) | None => Term::Year(year),
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_years_are_read() {
        for (text, told) in [
            ("1月", "--01"),
            ("12", "--12"),
            ("三月", "--03"),
            ("3月份", "--03"),
            ("2025年3月", "2025-03"),
            ("2025年3月份", "2025-03"),
            ("2025-03", "2025-03"),
            ("2025年度", "2025"),
            ("2025", "2025"),
        ] {
            assert_eq!(term(text).unwrap().unwrap().to_string(), told, "{text}");
        }
        assert_eq!(term("13月"), Err(FaultCode::NotAMonth));
        assert_eq!(term("春季"), Err(FaultCode::NotAMonth));
        assert_eq!(term("-"), Ok(None));
    }

    #[test]
    fn spans_are_read() {
        for (text, from, to) in [
            ("2023-2025", "2023", "2025"),
            ("2023—2025年", "2023", "2025"),
            ("2023~2025", "2023", "2025"),
            ("2023年5月至2025年6月", "2023-05", "2025-06"),
            ("2023.05-2025.06", "2023-05", "2025-06"),
            ("2023-05-2025-06", "2023-05", "2025-06"),
            ("2024年3月-10月", "2024-03", "2024-10"),
            ("2024年", "2024", "2024"),
        ] {
            let read = span(text).unwrap().unwrap();
            assert_eq!(
                (read.from.to_string(), read.to.to_string()),
                (from.to_owned(), to.to_owned()),
                "{text}"
            );
        }
        assert!(span("36个月").is_err());
        assert!(span("2025-2023").is_err());
    }

    #[test]
    fn titles_tell_their_year() {
        assert_eq!(term_in("某市2024年重点项目计划表"), Some(Term::Year(2024)));
        assert_eq!(term_in("（2024年3月）"), Some(Term::Month(2024, 3)));
        assert_eq!(term_in("五年计划"), None);
        assert_eq!(term_in("年"), None);
    }
}
