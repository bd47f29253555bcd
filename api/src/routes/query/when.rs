//! Reads when something happened: a line of the accounts in a time (`account=`), months (`invested=`).

use chrono::{Datelike, NaiveDate};
use domain::accounting::{FIRST_YEAR, LAST_YEAR, Line};
use domain::scoreboard::{Period, PeriodError};
use domain::target::Period as Years;

use super::{LANDED_WITHIN, UNDER_CONSTRUCTION};
use crate::store::filter::{Account, Months};

/// Why a value names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unnamed {
    /// It is of another form.
    Unreadable,
    /// It can be read, and there is no such thing.
    Refused,
}

/// A line of a year, of several or of a part of one, up to a day if one is told.
pub(super) fn account(value: &str) -> Result<Account, Unnamed> {
    let mut parts = value.splitn(3, ':');
    let (years, period) = years_or_period(parts.next().ok_or(Unnamed::Unreadable)?)?;
    let code = parts.next().ok_or(Unnamed::Unreadable)?;
    let until = parts
        .next()
        .map(|day| day.parse::<NaiveDate>().map_err(|_| Unnamed::Refused));
    let until = until.transpose()?;
    if until.is_some_and(|day| !(FIRST_YEAR..=LAST_YEAR).contains(&day.year())) {
        return Err(Unnamed::Refused);
    }
    let landed_within = code.strip_prefix(LANDED_WITHIN);
    let landed_within =
        landed_within.map(|months| months.parse::<u16>().map_err(|_| Unnamed::Refused));
    let lines = match Line::from_code(code) {
        Some(line) => vec![line],
        None if code == UNDER_CONSTRUCTION => vec![Line::New, Line::Continued],
        None if landed_within.is_some() => vec![Line::Signed],
        None => return Err(Unnamed::Refused),
    };
    Ok(Account {
        years,
        lines,
        since: period.map(Period::first),
        until: until.into_iter().chain(period.map(Period::last)).min(),
        landed_within: landed_within.transpose()?.map(u32::from),
    })
}

/// The years, and the month or the quarter if one is told.
fn years_or_period(text: &str) -> Result<(Years, Option<Period>), Unnamed> {
    match (years(text), Period::parse(text)) {
        (Some(years), _) => {
            let Years { from_year, to_year } = years;
            let is_span = FIRST_YEAR <= from_year && from_year <= to_year && to_year <= LAST_YEAR;
            is_span.then_some((years, None)).ok_or(Unnamed::Refused)
        }
        (None, Ok(period)) => Ok((Years::year(period.year()), Some(period))),
        (None, Err(PeriodError::YearOutOfRange)) => Err(Unnamed::Refused),
        (None, Err(PeriodError::Unreadable)) => Err(Unnamed::Unreadable),
    }
}

/// The months of a month or a quarter, or from one month to another of the same year.
pub(super) fn months(value: &str) -> Result<Months, Unnamed> {
    let (first, last) = value.split_once("..").unwrap_or((value, value));
    let read = |text| {
        Period::parse(text).map_err(|error| match error {
            PeriodError::YearOutOfRange => Unnamed::Refused,
            PeriodError::Unreadable => Unnamed::Unreadable,
        })
    };
    let (first, last) = (read(first)?, read(last)?);
    let (from, to) = (first.months().0, last.months().1);
    let is_span = first.year() == last.year() && from <= to;
    let months = Months {
        year: first.year(),
        from,
        to,
    };
    is_span.then_some(months).ok_or(Unnamed::Refused)
}

/// A year of four digits, or the first and the last of several.
pub(super) fn years(value: &str) -> Option<Years> {
    let year = |text: &str| {
        let is_year = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_year.then(|| text.parse().ok()).flatten()
    };
    match value.split_once('-') {
        None => year(value).map(Years::year),
        Some((from, to)) => year(from)
            .zip(year(to))
            .map(|(from_year, to_year)| Years { from_year, to_year }),
    }
}
