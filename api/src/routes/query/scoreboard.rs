//! The parameters of the scoreboard.

use domain::project::MAX_CODE;
use domain::scoreboard::{Period, PeriodError};
use domain::text::Text;
use serde::Deserialize;
use utoipa::IntoParams;

use super::reader::{Reader, is_plain};
use crate::body::{Parameters, documented, read_part};
use crate::clock::Clock;
use crate::codes::{CodeOrNull, DayOrInstant};
use crate::print::Printing;
use crate::problem::Problem;
use crate::problem::value::text_told;
use crate::store::scoreboard::Question;

/// The longest reason to reopen a period, in characters.
const MAX_REASON: usize = 500;

/// The parameters of the scoreboard.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ScoreboardParameters {
    /// A month (`2025-03`) or a quarter (`2025-Q1`) that has begun.
    #[param(
        required = true,
        pattern = "^[0-9]{4}-(0[1-9]|1[0-2]|Q[1-4])$",
        example = "2025-03"
    )]
    pub period: Option<String>,
    /// The region whose direct parts are ranked; the root of the library unless told otherwise.
    #[param(value_type = Option<CodeOrNull>, inline, example = "211100")]
    pub region: Option<String>,
    /// As it was known at this instant (RFC 3339), or at the end of this day.
    #[param(value_type = Option<DayOrInstant>, inline)]
    pub as_of: Option<String>,
}

impl Parameters for ScoreboardParameters {
    fn names() -> Vec<String> {
        [documented::<Self>(), documented::<Printing>()].concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        read_part(query)
    }
}

impl ScoreboardParameters {
    /// The question that the parameters ask; none of a period that is not told, which is a fault.
    ///
    /// # Errors
    /// `invalid_parameter` with everything that can't be read; `validation_failed` for a time to come.
    pub fn question(self, clock: Clock) -> Result<Question, Problem> {
        let mut reader = Reader::default();
        let period = reader.month_or_quarter(self.period.as_deref());
        let as_of = reader.as_of(self.as_of.as_ref(), clock);
        if self
            .region
            .as_deref()
            .is_some_and(|code| !is_plain(code, MAX_CODE))
        {
            reader.unreadable("region", self.region.as_deref().unwrap_or_default());
        }
        let today = clock.day_of(as_of.unwrap_or_else(|| clock.now()));
        if period.is_some_and(|period| period.first() > today) {
            reader.refused(
                "period",
                "period_in_future",
                "该期尚未开始",
                "That period has not begun",
            );
        }
        let region = self.region;
        let question = period.map(|period| Question {
            period,
            region,
            as_of,
        });
        // Without a period there is a fault.
        reader.done(question)?.ok_or_else(Problem::not_found)
    }
}

/// Why a period is reopened.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ReopenParameters {
    /// Why it is reopened.
    #[param(
        required = true,
        min_length = 1,
        max_length = 500,
        example = "更正3月完成投资"
    )]
    pub reason: Option<String>,
}

impl Parameters for ReopenParameters {
    fn names() -> Vec<String> {
        documented::<Self>()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        read_part(query)
    }
}

impl ReopenParameters {
    /// The reason.
    ///
    /// # Errors
    /// `invalid_parameter` without it; `validation_failed` if it says nothing or is too long.
    pub fn reason(&self) -> Result<Text<MAX_REASON>, Problem> {
        let mut reader = Reader::default();
        let Some(reason) = &self.reason else {
            reader.wrong(
                "reason",
                "missing_parameter",
                "请用 reason 说明为何重新开账",
                "Say by reason why it is reopened",
            );
            return reader.done(()).and(Err(Problem::not_found()));
        };
        Text::parse(reason)
            .map_err(|error| Problem::invalid(vec![text_told("", &error).of_parameter("reason")]))
    }
}

impl Reader {
    fn month_or_quarter(&mut self, value: Option<&str>) -> Option<Period> {
        let Some(value) = value else {
            self.wrong(
                "period",
                "missing_parameter",
                "请用 period 说明哪一月或哪一季度，如 2025-03、2025-Q1",
                "Say by period which month or quarter, such as 2025-03 or 2025-Q1",
            );
            return None;
        };
        match Period::parse(value) {
            Ok(period) => Some(period),
            Err(error) => {
                self.no_period(error);
                None
            }
        }
    }

    fn no_period(&mut self, error: PeriodError) {
        match error {
            PeriodError::Unreadable => self.wrong(
                "period",
                "unreadable_parameter",
                "期间须为月份或季度，如 2025-03、2025-Q1",
                "A period is a month or a quarter, such as 2025-03 or 2025-Q1",
            ),
            PeriodError::YearOutOfRange => self.refused(
                "period",
                "year_out_of_range",
                "年份须在 1949 至 2200 之间",
                "The year has to be from 1949 to 2200",
            ),
        }
    }
}

/// The period in a path.
///
/// # Errors
/// `invalid_parameter` if it is none.
pub fn period_of(text: &str) -> Result<Period, Problem> {
    let mut reader = Reader::default();
    let period = reader.month_or_quarter(Some(text));
    reader.done(period)?.ok_or_else(Problem::not_found)
}
