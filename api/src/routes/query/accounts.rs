//! The parameters of the accounts of a year.

use chrono::{Datelike, Months, NaiveDate};
use domain::accounting::{FIRST_YEAR, LAST_YEAR};
use domain::family::Level;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{ProjectFilters, Reader};
use crate::body::{Parameters, documented, read_part};
use crate::clock::Clock;
use crate::print::Printing;
use crate::problem::Problem;
use crate::store::accounting::year;
use crate::store::counting::Frame;

/// How the accounts of a year are drawn up.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Accounting {
    /// The dimensions, with commas: `region, programme, sector, chain, tier, list, unit, stage, condition, started_year,
    /// completed_year`.
    #[param(
        pattern = "^(tier|stage|condition|region|list|programme|sector|chain|unit|started_year|completed_year)(,(tier|stage|condition|region|list|programme|sector|chain|unit|started_year|completed_year))*$",
        example = "region"
    )]
    pub group_by: Option<String>,
    /// With what they are compared, with commas: `previous_year`, the whole year before; `same_day`, the year before
    /// up to the same day (同比).
    #[param(
        pattern = "^(previous_year|same_day)(,(previous_year|same_day))*$",
        example = "same_day"
    )]
    pub compare: Option<String>,
}

/// With what the accounts of a year are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The whole year before.
    PreviousYear,
    /// The year before, up to the same day (同比).
    SameDay,
}

impl Comparison {
    /// Its code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::PreviousYear => "previous_year",
            Self::SameDay => "same_day",
        }
    }
}

/// The parameters of the accounts of a year.
#[derive(Clone, Debug)]
pub struct AccountsParameters {
    /// Which projects.
    pub filters: ProjectFilters,
    /// How they are drawn up.
    pub accounting: Accounting,
}

impl Parameters for AccountsParameters {
    fn names() -> Vec<String> {
        [
            documented::<ProjectFilters>(),
            documented::<Accounting>(),
            documented::<Printing>(),
        ]
        .concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            filters: read_part(query)?,
            accounting: read_part(query)?,
        })
    }
}

impl Reader {
    fn comparisons(&mut self, value: Option<&String>) -> Vec<Comparison> {
        let mut found = Vec::new();
        for name in value.iter().flat_map(|value| value.split(',')) {
            let known = [Comparison::PreviousYear, Comparison::SameDay];
            match known.into_iter().find(|one| one.code() == name) {
                Some(one) if found.contains(&one) => {}
                Some(one) => found.push(one),
                None => self.wrong(
                    "compare",
                    "unknown_comparison",
                    format!("不能与 {name} 比较；可用：previous_year、same_day"),
                    format!(
                        "There is no comparison with {name}; there are: previous_year, same_day"
                    ),
                ),
            }
        }
        found
    }
}

impl AccountsParameters {
    /// The questions that the parameters ask of a year: its own, and those of the years that it is compared with.
    ///
    /// # Errors
    /// `invalid_parameter` with everything that is wrong; `validation_failed` if all can be read, but is against
    /// a rule.
    pub fn questions(
        &self,
        year: i32,
        clock: Clock,
        landing_months: u32,
    ) -> Result<(year::Question, Vec<(Comparison, year::Question)>), Problem> {
        let mut reader = Reader::default();
        let (filter, base) = reader.counted(&self.filters);
        if !filter.accounts.is_empty() {
            // The query of a figure asks for its line in the same way, and would find either.
            reader.refused(
                "account",
                "not_here",
                "年度账本身按各账目统计，不能再按 account 筛选；请用 started_year 等其他条件",
                "The accounts tell these lines themselves and take no account=; filter by started_year or another",
            );
        }
        let as_of = reader.as_of(self.filters.as_of.as_ref(), clock);
        let today = clock.day_of(as_of.unwrap_or_else(|| clock.now()));
        if !(FIRST_YEAR..=LAST_YEAR).contains(&year) {
            reader.wrong(
                "year",
                "year_out_of_range",
                format!("年份须在 {FIRST_YEAR} 至 {LAST_YEAR} 之间"),
                format!("The year has to be from {FIRST_YEAR} to {LAST_YEAR}"),
            );
        } else if year > today.year() {
            reader.refused(
                "year",
                "year_in_future",
                "该年尚未开始，没有账",
                "That year has not begun and has no accounts",
            );
        }
        let level = reader.level(self.filters.level.as_ref());
        let compared = reader.comparisons(self.accounting.compare.as_ref());
        let question = year::Question {
            filter,
            frame: Frame {
                as_of,
                base: Some(base),
                level: level.unwrap_or(Level::Project),
            },
            group_by: reader.dimensions(self.accounting.group_by.as_ref()),
            year,
            until: None,
            landing_months,
        };
        let compared = compared.into_iter().map(|comparison| {
            let then = year::Question {
                year: year - 1,
                until: (comparison == Comparison::SameDay)
                    .then(|| a_year_before(today))
                    .filter(|until| until.year() == year - 1),
                ..question.clone()
            };
            (comparison, then)
        });
        let compared = compared.collect();
        reader.done((question, compared))
    }
}

/// The same day of the year before; of 29 February, the 28th.
fn a_year_before(day: NaiveDate) -> NaiveDate {
    day.checked_sub_months(Months::new(12)).unwrap_or(day)
}
