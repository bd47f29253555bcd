//! A month or a quarter.

use std::fmt;

use chrono::{Months, NaiveDate};

use crate::accounting::{FIRST_YEAR, LAST_YEAR};

/// How many months a quarter has.
const QUARTER: u32 = 3;

/// A month (`2025-03`) or a quarter (`2025-Q1`) of a year that accounts are kept for (考核期).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    year: i32,
    from_month: u32,
    to_month: u32,
    first: NaiveDate,
    last: NaiveDate,
}

/// Why a text is no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// It is neither a month nor a quarter.
    #[error("a period is a month such as 2025-03 or a quarter such as 2025-Q1")]
    Unreadable,
    /// No accounts are kept for its year.
    #[error("the year has to be from {FIRST_YEAR} to {LAST_YEAR}")]
    YearOutOfRange,
}

impl Period {
    /// Reads a month or a quarter.
    ///
    /// # Errors
    /// [`PeriodError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, PeriodError> {
        let digits = |text: &str, count: usize| -> Option<u32> {
            let is_number = text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse().ok()).flatten()
        };
        let (year, part) = text.split_once('-').ok_or(PeriodError::Unreadable)?;
        let year = digits(year, 4).and_then(|year| i32::try_from(year).ok());
        let year = year.ok_or(PeriodError::Unreadable)?;
        let months = match part.strip_prefix('Q') {
            Some(quarter) => digits(quarter, 1)
                .filter(|quarter| (1..=4).contains(quarter))
                .map(|quarter| (quarter * QUARTER - 2, quarter * QUARTER)),
            None => digits(part, 2)
                .filter(|month| (1..=12).contains(month))
                .map(|month| (month, month)),
        };
        let (from, to) = months.ok_or(PeriodError::Unreadable)?;
        Self::of(year, from, to).ok_or(PeriodError::YearOutOfRange)
    }

    fn of(year: i32, from_month: u32, to_month: u32) -> Option<Self> {
        if !(FIRST_YEAR..=LAST_YEAR).contains(&year) {
            return None;
        }
        let last_month = NaiveDate::from_ymd_opt(year, to_month, 1)?;
        Some(Self {
            year,
            from_month,
            to_month,
            first: NaiveDate::from_ymd_opt(year, from_month, 1)?,
            last: last_month.checked_add_months(Months::new(1))?.pred_opt()?,
        })
    }

    /// The year that it lies in.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.year
    }

    /// Its first and its last month, from 1 to 12; the same of a month.
    #[must_use]
    pub const fn months(self) -> (u32, u32) {
        (self.from_month, self.to_month)
    }

    /// Its first day.
    #[must_use]
    pub const fn first(self) -> NaiveDate {
        self.first
    }

    /// Its last day.
    #[must_use]
    pub const fn last(self) -> NaiveDate {
        self.last
    }

    /// The month before a month, the quarter before a quarter; none before accounts are kept.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        let length = self.to_month - self.from_month + 1;
        if self.from_month > length {
            Self::of(self.year, self.from_month - length, self.to_month - length)
        } else {
            Self::of(self.year - 1, 13 - length, 12)
        }
    }
}

/// As it is parsed.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from_month == self.to_month {
            write!(f, "{:04}-{:02}", self.year, self.from_month)
        } else {
            write!(f, "{:04}-Q{}", self.year, self.to_month / QUARTER)
        }
    }
}
