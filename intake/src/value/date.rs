//! Dates as people write them, known to the day, the month or the year (日期).

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Days, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Decimal, LONGEST, is_unknown, numeral, squeezed};
use crate::document::FaultCode;

/// The years that a date may have.
pub const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// A date, as far as it is known. It is written as `2023-05-01`, `2023-05` or `2023`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Date {
    /// A year.
    Year(i32),
    /// A month of a year.
    Month(i32, u32),
    /// A day.
    Day(NaiveDate),
}

impl Date {
    /// The day of these numbers.
    fn day(year: i32, month: u32, day: u32) -> Result<Self, FaultCode> {
        in_years(year)?;
        let day = NaiveDate::from_ymd_opt(year, month, day);
        day.map(Self::Day).ok_or(FaultCode::ImpossibleDate)
    }

    /// The month of these numbers.
    fn month(year: i32, month: u32) -> Result<Self, FaultCode> {
        in_years(year)?;
        let is_month = (1..=12).contains(&month);
        is_month
            .then_some(Self::Month(year, month))
            .ok_or(FaultCode::ImpossibleDate)
    }

    /// The year of this number.
    fn year_of(year: i32) -> Result<Self, FaultCode> {
        in_years(year).map(|()| Self::Year(year))
    }

    /// Its year.
    #[must_use]
    pub fn year(self) -> i32 {
        match self {
            Self::Year(year) | Self::Month(year, _) => year,
            Self::Day(day) => day.year(),
        }
    }
}

fn in_years(year: i32) -> Result<(), FaultCode> {
    YEARS
        .contains(&year)
        .then_some(())
        .ok_or(FaultCode::ImpossibleDate)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
            Self::Day(day) => day.fmt(f),
        }
    }
}

impl FromStr for Date {
    type Err = FaultCode;

    fn from_str(text: &str) -> Result<Self, FaultCode> {
        date(text)?.ok_or(FaultCode::NotADate)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// How much of a date a cell shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All of it.
    Day,
    /// Year and month: `2023年5月`.
    Month,
    /// The year.
    Year,
}

/// Reads a date; none if the text says that nothing is known.
///
/// # Errors
/// What is wrong with it.
pub fn date(text: &str) -> Result<Option<Date>, FaultCode> {
    if text.len() > LONGEST * 4 || text.chars().count() > LONGEST {
        return Err(FaultCode::NotADate);
    }
    if is_unknown(text) {
        return Ok(None);
    }
    // As programs write it.
    if text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
    {
        return written(text).map(Some);
    }
    let spaced = super::normal(text);
    let text = squeezed(without_time(&spaced));
    let text = numeral::date_in_digits(&text).unwrap_or(text);
    let text = without_ending(&text);
    written(text).map(Some)
}

/// Takes a time of day off the end, and an `T` or blank before it.
fn without_time(text: &str) -> &str {
    let Some((day, time)) = text.split_once([' ', 'T']) else {
        return text;
    };
    let time = time.trim().trim_end_matches('Z');
    let is_time = time.contains(':')
        && time
            .chars()
            .all(|c| c.is_ascii_digit() || c == ':' || c == '.');
    if is_time { day } else { text }
}

/// Takes off what makes a date rough (底, 初, 左右, 前后) or repeats what it is (开工): the month or year stays known.
fn without_ending(text: &str) -> &str {
    let mut text = text.trim_end_matches(['。', '.', ';', ',']);
    for word in [
        "前后", "左右", "年底", "月底", "年末", "月末", "年初", "月初", "上旬", "中旬", "下旬",
    ] {
        let sign = word.chars().next().filter(|c| ['年', '月'].contains(c));
        if let Some(rest) = text.strip_suffix(word) {
            // The 年 of 年底 belongs to the date too.
            let kept = rest.len() + sign.map_or(0, char::len_utf8);
            text = text.get(..kept).unwrap_or(rest);
        }
    }
    for word in [
        "上半年",
        "下半年",
        "一季度",
        "二季度",
        "三季度",
        "四季度",
        "第",
    ] {
        if let Some(rest) = text.strip_suffix(word) {
            text = rest;
        }
    }
    text
}

/// Reads what is left: digits and their signs.
fn written(text: &str) -> Result<Date, FaultCode> {
    let numbers: Vec<&str> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .collect();
    let signs: Vec<char> = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let number = |place: usize| {
        numbers
            .get(place)
            .and_then(|digits| digits.parse::<u32>().ok())
    };
    let lengths: Vec<usize> = numbers.iter().map(|digits| digits.len()).collect();
    let year = || {
        number(0)
            .and_then(|year| i32::try_from(year).ok())
            .ok_or(FaultCode::NotADate)
    };
    let part = |place: usize| number(place).ok_or(FaultCode::NotADate);
    match (lengths.as_slice(), signs.as_slice()) {
        ([4], [] | ['年']) => Date::year_of(year()?),
        ([4, 1..=2], ['年' | '/' | '.', '月'] | ['-' | '/' | '.' | '年']) => {
            Date::month(year()?, part(1)?)
        }
        (
            [4, 1..=2, 1..=2],
            ['年', '月', '日' | '号'] | ['年', '月'] | ['-', '-'] | ['/', '/'] | ['.', '.'],
        ) => Date::day(year()?, part(1)?, part(2)?),
        ([6 | 8], []) => compact(text),
        ([5], []) => of_serial(f64::from(part(0)?), false, Shown::Day),
        ([2, 1..=2], ['年', '月']) | ([2], ['年']) | ([2, 1..=2, 1..=2], _) => {
            Err(FaultCode::TwoDigitYear)
        }
        ([1..=2], ['月']) | ([1..=2, 1..=2], ['月', '日' | '号'] | ['月' | '/' | '.']) => {
            Err(FaultCode::YearMissing)
        }
        ([4, 4] | [4, 1..=2, 4] | [4, 1..=2, 4, 1..=2], _) => Err(FaultCode::Range),
        _ => Err(FaultCode::NotADate),
    }
}

/// `20230501` or `202305`.
fn compact(digits: &str) -> Result<Date, FaultCode> {
    let part =
        |range: std::ops::Range<usize>| digits.get(range).and_then(|text| text.parse::<u32>().ok());
    let year = part(0..4).and_then(|year| i32::try_from(year).ok());
    let (Some(year), Some(month)) = (year, part(4..6)) else {
        return Err(FaultCode::NotADate);
    };
    match part(6..8) {
        Some(day) => Date::day(year, month, day),
        None => Date::month(year, month),
    }
}

/// The date of a number in a column of dates: `20230501`, `202305`, `2023`, `2023.05`, or the serial number of a day.
///
/// # Errors
/// `ambiguous_date` for `2023.1`, which is January or a 2023.10 that lost its zero; otherwise what is wrong with it.
pub fn date_of_number(number: f64, is_1904: bool) -> Result<Date, FaultCode> {
    let plain = Decimal::of_double(number).ok_or(FaultCode::NotADate)?;
    let text = plain.plain();
    match (text.split_once('.'), text.len()) {
        (None, 4 | 6 | 8) => written(&text),
        (Some((year, "1")), 6) if year.len() == 4 => Err(FaultCode::AmbiguousDate),
        (Some((year, _)), 6 | 7) if year.len() == 4 => written(&text),
        (Some(_) | None, _) => of_serial(number, is_1904, Shown::Day),
    }
}

/// The date of a cell that shows a date.
///
/// # Errors
/// `impossible_date` for what is no day, such as the 29th of February 1900 that spreadsheets count.
pub fn of_serial(serial: f64, is_1904: bool, shown: Shown) -> Result<Date, FaultCode> {
    let text = Decimal::of_double(serial)
        .ok_or(FaultCode::NotADate)?
        .plain();
    let whole = text
        .split_once('.')
        .map_or(text.as_str(), |(whole, _)| whole);
    let days: u64 = whole.parse().map_err(|_| FaultCode::ImpossibleDate)?;
    // Spreadsheets take 1900 for a leap year: their 60th day never was, and those behind it are one too many.
    let (year, month, day, days) = match (is_1904, days) {
        (true, days) => (1904, 1, 1, days),
        (false, 0 | 60) => return Err(FaultCode::ImpossibleDate),
        (false, days @ 1..60) => (1899, 12, 31, days),
        (false, days) => (1899, 12, 30, days),
    };
    let day = NaiveDate::from_ymd_opt(year, month, day)
        .and_then(|start| start.checked_add_days(Days::new(days)))
        .filter(|day| YEARS.contains(&day.year()))
        .ok_or(FaultCode::ImpossibleDate)?;
    Ok(match shown {
        Shown::Month if day.day() == 1 => Date::Month(day.year(), day.month()),
        Shown::Year if day.ordinal() == 1 => Date::Year(day.year()),
        Shown::Day | Shown::Month | Shown::Year => Date::Day(day),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Option<String>, FaultCode> {
        date(text).map(|read| read.map(|date| date.to_string()))
    }

    fn number(number: f64) -> Result<String, FaultCode> {
        date_of_number(number, false).map(|date| date.to_string())
    }

    #[test]
    fn dates_are_known_as_far_as_they_are_written() {
        for (text, told) in [
            ("2023-05-01", "2023-05-01"),
            ("2023/5/1", "2023-05-01"),
            ("2023.5.1", "2023-05-01"),
            ("2023年5月1日", "2023-05-01"),
            ("２０２３年５月１日", "2023-05-01"),
            ("20230501", "2023-05-01"),
            ("2023-05-01 00:00:00", "2023-05-01"),
            ("2023-05-01T08:30:00Z", "2023-05-01"),
            ("2023年5月", "2023-05"),
            ("2023.05", "2023-05"),
            ("2023.10", "2023-10"),
            ("2023-05", "2023-05"),
            ("2023/5", "2023-05"),
            ("202305", "2023-05"),
            ("2023年5月底", "2023-05"),
            ("2023年", "2023"),
            ("2023", "2023"),
            ("2023年底", "2023"),
            ("2023年上半年", "2023"),
            ("二〇二三年五月", "2023-05"),
            ("45047", "2023-05-01"),
        ] {
            assert_eq!(read(text), Ok(Some(told.to_owned())), "{text}");
        }
        for text in ["", "待定", "-", "/"] {
            assert_eq!(read(text), Ok(None));
        }
    }

    #[test]
    fn what_is_no_date_is_refused_for_what_is_wrong() {
        for (text, code) in [
            ("2023-02-30", FaultCode::ImpossibleDate),
            ("2023年13月", FaultCode::ImpossibleDate),
            ("0023-05-01", FaultCode::ImpossibleDate),
            ("23年5月", FaultCode::TwoDigitYear),
            ("5月1日", FaultCode::YearMissing),
            ("5月", FaultCode::YearMissing),
            ("2023-2025", FaultCode::Range),
            ("2023年5月-2025年6月", FaultCode::Range),
            ("已开工", FaultCode::NotADate),
            ("05/01/2023", FaultCode::NotADate),
            ("2023年以前", FaultCode::NotADate),
        ] {
            assert_eq!(read(text), Err(code), "{text}");
        }
    }

    #[test]
    fn numbers_of_cells_are_dates_too() {
        for (value, told) in [
            (45_047.0, "2023-05-01"),
            (45_047.75, "2023-05-01"),
            (20_230_501.0, "2023-05-01"),
            (202_305.0, "2023-05"),
            (2023.0, "2023"),
            (2023.05, "2023-05"),
            (2023.11, "2023-11"),
            (2023.5, "2023-05"),
            (1.0, "1900-01-01"),
            (59.0, "1900-02-28"),
            (61.0, "1900-03-01"),
        ] {
            assert_eq!(number(value), Ok(told.to_owned()), "{value}");
        }
        assert_eq!(number(2023.1), Err(FaultCode::AmbiguousDate));
        assert_eq!(number(60.0), Err(FaultCode::ImpossibleDate));
        assert_eq!(number(0.0), Err(FaultCode::ImpossibleDate));
        assert_eq!(number(-5.0), Err(FaultCode::ImpossibleDate));
        assert_eq!(number(1e20), Err(FaultCode::ImpossibleDate));
    }

    #[test]
    fn a_workbook_may_count_from_1904() {
        let told = |serial, shown| of_serial(serial, true, shown).unwrap().to_string();
        assert_eq!(told(43_585.0, Shown::Day), "2023-05-01");
        assert_eq!(told(0.0, Shown::Day), "1904-01-01");
    }

    #[test]
    fn a_cell_that_shows_a_month_tells_a_month() {
        let told = |serial, shown| of_serial(serial, false, shown).unwrap().to_string();
        assert_eq!(told(45_047.0, Shown::Month), "2023-05");
        assert_eq!(told(45_048.0, Shown::Month), "2023-05-02");
        assert_eq!(told(44_927.0, Shown::Year), "2023");
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_panic(text in "[0-9０-９年月日号./\\-: T底初左右二〇十]{0,20}", anything in any::<String>(), number in any::<f64>()) {
            let _ = date(&text);
            let _ = date(&anything);
            let _ = date_of_number(number, false);
            let _ = of_serial(number, true, Shown::Month);
        }

        #[test]
        fn every_date_reads_back(days in 0_u64..73_000, shown in 0..3) {
            let day = NaiveDate::from_ymd_opt(1950, 1, 1).unwrap() + Days::new(days);
            let date = match shown {
                0 => Date::Day(day),
                1 => Date::Month(day.year(), day.month()),
                _ => Date::Year(day.year()),
            };
            prop_assert_eq!(date.to_string().parse(), Ok(date));
        }
    }
}
