//! The parameters of lists of targets and of their check.

use chrono::{DateTime, Utc};
use domain::accounting::{FIRST_YEAR, LAST_YEAR};
use domain::target::{Metric, Period, TargetKind};
use serde::Deserialize;
use utoipa::IntoParams;

use super::when::years;
use super::{NULL, Paging, Reader};
use crate::body::{Parameters, documented, read_part};
use crate::clock::Clock;
use crate::codes::{CodeOrNull, DayOrInstant, MetricCode, TargetKindCode};
use crate::print::Printing;
use crate::problem::Problem;
use crate::store::attainment;
use crate::store::target::Filter;

/// Which targets; a filter that is repeated means any of its values.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct TargetFilters {
    /// Of this plan.
    #[param(value_type = Vec<CodeOrNull>, inline, max_items = 50, example = json!(["十四五"]))]
    pub plan: Vec<String>,
    /// For this region or one within it.
    #[param(value_type = Vec<CodeOrNull>, inline, max_items = 50, example = json!(["211100"]))]
    pub region: Vec<String>,
    /// Wanted or reached.
    #[param(value_type = Vec<TargetKindCode>, max_items = 50)]
    pub kind: Vec<String>,
    /// Of this metric.
    #[param(value_type = Vec<MetricCode>, max_items = 50)]
    pub metric: Vec<String>,
    /// Of this period: a year, also with those for every year of a longer period; or the first and the last year.
    #[param(pattern = "^[0-9]{4}(-[0-9]{4})?$", example = "2021-2025")]
    pub period: Option<String>,
    /// As it was known at this instant (RFC 3339), or at the end of this day.
    #[param(value_type = Option<DayOrInstant>, inline)]
    pub as_of: Option<String>,
}

/// The parameters of a list of targets.
#[derive(Clone, Debug)]
pub struct TargetParameters {
    /// Which targets.
    pub filters: TargetFilters,
    /// Which page.
    pub paging: Paging,
}

impl Parameters for TargetParameters {
    fn names() -> Vec<String> {
        [documented::<TargetFilters>(), documented::<Paging>()].concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            filters: read_part(query)?,
            paging: read_part(query)?,
        })
    }
}

/// A question about targets.
#[derive(Clone, Debug)]
pub struct TargetQuestion {
    /// Which.
    pub filter: Filter,
    /// As they were known then; now if none.
    pub as_of: Option<DateTime<Utc>>,
    /// How many on a page.
    pub limit: u64,
    /// Where the page begins.
    pub cursor: Option<String>,
}

impl TargetParameters {
    /// The question that the parameters ask.
    ///
    /// # Errors
    /// `invalid_parameter` with everything that can't be read; `validation_failed` for a time to come, or a period
    /// that ends before it begins.
    pub fn question(self, clock: Clock) -> Result<TargetQuestion, Problem> {
        let mut reader = Reader::default();
        let Self { filters, paging } = self;
        let question = TargetQuestion {
            filter: Filter {
                plans: reader.plain("plan", &filters.plan),
                regions: reader.plain("region", &filters.region),
                kinds: reader.codes::<TargetKind>("kind", &filters.kind),
                metrics: reader.codes::<Metric>("metric", &filters.metric),
                period: reader.period(filters.period.as_deref()),
            },
            as_of: reader.as_of(filters.as_of.as_ref(), clock),
            limit: reader.limit(paging.limit),
            cursor: paging.cursor,
        };
        reader.done(question)
    }
}

/// The parameters of the check of a plan's targets.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct CascadeParameters {
    /// The plan.
    #[param(value_type = CodeOrNull, inline, required = true, example = "十四五")]
    pub plan: Option<String>,
    /// For this region or one within it.
    #[param(value_type = Vec<CodeOrNull>, inline, max_items = 50, example = json!(["211100"]))]
    pub region: Vec<String>,
    /// As it was known at this instant (RFC 3339), or at the end of this day.
    #[param(value_type = Option<DayOrInstant>, inline)]
    pub as_of: Option<String>,
}

impl Parameters for CascadeParameters {
    fn names() -> Vec<String> {
        documented::<Self>()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        read_part(query)
    }
}

/// A question about where a plan's targets disagree.
#[derive(Clone, Debug)]
pub struct CascadeQuestion {
    /// The plan.
    pub plan: String,
    /// Its targets that are looked at.
    pub filter: Filter,
    /// As they were known then; now if none.
    pub as_of: Option<DateTime<Utc>>,
}

impl CascadeParameters {
    /// The question that the parameters ask.
    ///
    /// # Errors
    /// `invalid_parameter` with everything that can't be read; `validation_failed` for a time to come.
    pub fn question(self, clock: Clock) -> Result<CascadeQuestion, Problem> {
        let mut reader = Reader::default();
        if self.plan.is_none() {
            reader.wrong(
                "plan",
                "missing_parameter",
                "请用 plan 说明核对哪一规划的目标",
                "Say by plan which plan's targets are to be checked",
            );
        }
        let question = CascadeQuestion {
            filter: Filter {
                plans: reader.plain("plan", self.plan.as_slice()),
                regions: reader.plain("region", &self.region),
                kinds: vec![TargetKind::Target],
                ..Filter::default()
            },
            as_of: reader.as_of(self.as_of.as_ref(), clock),
            plan: self.plan.unwrap_or_default(),
        };
        reader.done(question)
    }
}

/// The parameters of the attainment of targets.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct AttainmentParameters {
    /// Of this plan.
    #[param(value_type = Vec<CodeOrNull>, inline, max_items = 50, example = json!(["2025"]))]
    pub plan: Vec<String>,
    /// For this region or one within it.
    #[param(value_type = Vec<CodeOrNull>, inline, max_items = 50)]
    pub region: Vec<String>,
    /// Of this metric.
    #[param(value_type = Vec<MetricCode>, max_items = 50)]
    pub metric: Vec<String>,
    /// Of this period: a year, also with those for every year of a longer period, held to that year; or the first and
    /// the last year.
    #[param(pattern = "^[0-9]{4}(-[0-9]{4})?$", example = "2025")]
    pub period: Option<String>,
    /// As it was known at this instant (RFC 3339), or at the end of this day.
    #[param(value_type = Option<DayOrInstant>, inline)]
    pub as_of: Option<String>,
}

impl Parameters for AttainmentParameters {
    fn names() -> Vec<String> {
        [documented::<Self>(), documented::<Printing>()].concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        read_part(query)
    }
}

impl AttainmentParameters {
    /// The question that the parameters ask.
    ///
    /// # Errors
    /// `invalid_parameter` with everything that can't be read; `validation_failed` for a time to come, or a period
    /// that ends before it begins.
    pub fn question(&self, clock: Clock) -> Result<attainment::Question, Problem> {
        let mut reader = Reader::default();
        let as_of = reader.as_of(self.as_of.as_ref(), clock);
        let question = attainment::Question {
            filter: Filter {
                plans: reader.plain("plan", &self.plan),
                regions: reader.plain("region", &self.region),
                kinds: Vec::new(),
                metrics: reader.codes::<Metric>("metric", &self.metric),
                period: reader.period(self.period.as_deref()),
            },
            as_of,
            today: clock.day_of(as_of.unwrap_or_else(|| clock.now())),
        };
        reader.done(question)
    }
}

impl Reader {
    /// Codes of what every target has: there, `null` is a code like any other.
    fn plain(&mut self, name: &str, values: &[String]) -> Vec<String> {
        let read = self.texts(name, values).into_iter();
        read.map(|code| code.unwrap_or_else(|| NULL.to_owned()))
            .collect()
    }

    /// A year, or the first and the last of several.
    fn period(&mut self, value: Option<&str>) -> Option<Period> {
        let value = value?;
        let read = years(value);
        match read {
            None => self.wrong(
                "period",
                "unreadable_parameter",
                "期间须为年份，或起止年份，如 2025、2021-2025",
                "A period is a year or two, such as 2025 or 2021-2025",
            ),
            Some(period) if period.to_year < period.from_year => self.refused(
                "period",
                "period_out_of_order",
                "止年早于起年",
                "The period ends before it begins",
            ),
            Some(Period { from_year, to_year })
                if from_year < FIRST_YEAR || to_year > LAST_YEAR =>
            {
                self.refused(
                    "period",
                    "year_out_of_range",
                    &format!("年份须在 {FIRST_YEAR} 至 {LAST_YEAR} 之间"),
                    &format!("The year has to be from {FIRST_YEAR} to {LAST_YEAR}"),
                );
            }
            Some(_) => {}
        }
        read
    }
}
