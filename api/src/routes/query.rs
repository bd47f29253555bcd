//! The parameters of lists and summaries, read into questions.

mod accounts;
mod diff;
mod events;
mod reader;
mod scoreboard;
mod targets;
mod when;

use chrono::Datelike;
use domain::family::Level;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::body::{Parameters, documented, read_part};
use crate::clock::Clock;
use crate::codes::{
    AccountLine, CodeOrNull, ConditionCode, DayOrInstant, IdOrNull, InvestedMonths, LevelCode,
    StageCode, TierCode, YearOrNull,
};
use crate::print::Printing;
use crate::problem::Problem;
use crate::store::counting::Frame;
use crate::store::listing;
use crate::store::summary;

pub use accounts::{Accounting, AccountsParameters, Comparison};
pub use diff::{ChangeFilters, ChangedParameters, DiffFilters, DiffParameters, Span};
pub use events::{Asked, EventParameters, Place};
use reader::Reader;
pub use scoreboard::{ReopenParameters, ScoreboardParameters, period_of};
pub use targets::{
    AttainmentParameters, CascadeParameters, CascadeQuestion, TargetFilters, TargetParameters,
    TargetQuestion,
};

/// The longest text to search for, in characters.
const MAX_Q: usize = 200;
/// How many values one filter may have.
const MAX_VALUES: usize = 50;
/// New and continued together (开复工), as a line of the accounts.
pub(super) const UNDER_CONSTRUCTION: &str = "under_construction";
/// Of those signed, those that landed within so many months: the number follows.
pub(super) const LANDED_WITHIN: &str = "landed_within_";
/// The value that selects what is empty.
const NULL: &str = "null";

/// Which projects; a filter that is repeated means any of its values.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ProjectFilters {
    /// Words in name, alias, code or owner.
    #[param(pattern = r"^[^\x00-\x1F\x7F-\x9F]{1,200}$", example = "储气库")]
    pub q: Option<String>,
    /// On this list; `null`: on none.
    #[param(value_type = Vec<CodeOrNull>, inline, max_items = 50, example = json!(["gas-storage"]))]
    pub list: Vec<String>,
    /// In this region or within it.
    #[param(value_type = Vec<CodeOrNull>, inline, max_items = 50, example = json!(["211100"]))]
    pub region: Vec<String>,
    /// In this region itself.
    #[param(value_type = Vec<CodeOrNull>, inline, max_items = 50)]
    pub region_exact: Vec<String>,
    /// In this stage.
    #[param(value_type = Vec<StageCode>, max_items = 50)]
    pub stage: Vec<String>,
    /// In this condition.
    #[param(value_type = Vec<ConditionCode>, max_items = 50)]
    pub condition: Vec<String>,
    /// In this tier.
    #[param(value_type = Vec<TierCode>, max_items = 50)]
    pub tier: Vec<String>,
    /// Of this programme; `null`: of none.
    #[param(value_type = Vec<CodeOrNull>, inline, max_items = 50)]
    pub programme: Vec<String>,
    /// Of this sector; `null`: of none.
    #[param(value_type = Vec<CodeOrNull>, inline, max_items = 50)]
    pub sector: Vec<String>,
    /// Of this industrial chain; `null`: of none.
    #[param(value_type = Vec<CodeOrNull>, inline, max_items = 50, example = json!(["ethylene"]))]
    pub chain: Vec<String>,
    /// Answered for by this unit; `null`: by none.
    #[param(value_type = Vec<CodeOrNull>, inline, max_items = 50)]
    pub unit: Vec<String>,
    /// Part of this project; `null`: of none.
    #[param(value_type = Vec<IdOrNull>, inline, max_items = 50)]
    pub parent: Vec<String>,
    /// Whose exact amount or lower bound is at least this, in 元.
    #[param(pattern = r"^[0-9]{1,15}(\.[0-9]{1,2})?$")]
    pub min_investment: Option<String>,
    /// Whose exact amount is at most this, in 元.
    #[param(pattern = r"^[0-9]{1,15}(\.[0-9]{1,2})?$")]
    pub max_investment: Option<String>,
    /// Started in this year; `null`: not known to have started.
    #[param(value_type = Vec<YearOrNull>, inline, max_items = 50)]
    pub started_year: Vec<String>,
    /// Completed in this year; `null`: not known to be completed.
    #[param(value_type = Vec<YearOrNull>, inline, max_items = 50)]
    pub completed_year: Vec<String>,
    /// Standing in this line of the accounts of a year, a quarter or a month, as `2024:new`, `2024-Q1:new` or
    /// `2024-03:new`, or of any of several years, as `2021-2025:new`; `:` and a day for no later than that.
    /// `landed_within_6` is of those signed that landed within so many months.
    #[param(value_type = Vec<AccountLine>, inline, max_items = 50, example = json!(["2024:new"]))]
    pub account: Vec<String>,
    /// In the annual plan of this year.
    #[param(value_type = Vec<i32>, max_items = 50, minimum = 1949, maximum = 2200)]
    pub plan_year: Vec<String>,
    /// Of which it was told what investment was completed in this month or quarter, as `2025-03` or `2025-Q1`, or in any
    /// month of several, as `2025-01..2025-03`.
    #[param(value_type = Vec<InvestedMonths>, inline, max_items = 50, example = json!(["2025-03"]))]
    pub invested: Vec<String>,
    /// That may be told to everybody, or that may not.
    pub published: Option<bool>,
    /// Changed at this instant or later (RFC 3339).
    #[param(value_type = Option<DateTime<Utc>>)]
    pub updated_since: Option<String>,
    /// As it was known at this instant (RFC 3339), or at the end of this day.
    #[param(value_type = Option<DayOrInstant>, inline, example = "2025-03-31")]
    pub as_of: Option<String>,
    /// By project or by part; only with `counting`, or in a summary.
    #[param(value_type = Option<LevelCode>)]
    pub level: Option<String>,
}

/// Which projects are counted, and in what order they stand.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Arrangement {
    /// The counted set only: `portfolio`, or `list:CODE` (several codes with commas).
    #[param(
        pattern = r"^(portfolio|list:[^,\x00-\x1F\x7F-\x9F]{1,64}(,[^,\x00-\x1F\x7F-\x9F]{1,64})*)$",
        example = "portfolio"
    )]
    pub counting: Option<String>,
    /// The order: `updated_at`, `created_at`, `name` or `total_investment`, with `-` for the greatest first.
    #[param(pattern = "^-?(updated_at|created_at|name|total_investment)$")]
    pub sort: Option<String>,
}

/// A page of projects.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Listing {
    /// How many on a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u64>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(min_length = 1)]
    pub cursor: Option<String>,
    /// Whether to count them all.
    pub with_total: Option<bool>,
}

/// How a summary is broken up.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Grouping {
    /// The dimensions, with commas: `tier, stage, condition, region, list, programme, sector, chain, unit,
    /// started_year, completed_year`.
    #[param(
        pattern = "^(tier|stage|condition|region|list|programme|sector|chain|unit|started_year|completed_year)(,(tier|stage|condition|region|list|programme|sector|chain|unit|started_year|completed_year))*$",
        example = "tier,stage"
    )]
    pub group_by: Option<String>,
    /// Of which year the annual plan is added up; the present one unless told otherwise.
    #[param(minimum = 1949, maximum = 2200)]
    pub year: Option<i32>,
}

/// A page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// How many on a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u64>,
    /// Where the page begins: `next_cursor` of the page before.
    #[param(min_length = 1)]
    pub cursor: Option<String>,
}

/// The parameters of the list of projects.
#[derive(Clone, Debug)]
pub struct ListParameters {
    /// Which projects.
    pub filters: ProjectFilters,
    /// Which of them are counted, and in what order they stand.
    pub arrangement: Arrangement,
    /// How many of them at a time.
    pub listing: Listing,
}

impl Parameters for ListParameters {
    fn names() -> Vec<String> {
        [
            documented::<ProjectFilters>(),
            documented::<Arrangement>(),
            documented::<Listing>(),
        ]
        .concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            filters: read_part(query)?,
            arrangement: read_part(query)?,
            listing: read_part(query)?,
        })
    }
}

/// The parameters of a summary.
#[derive(Clone, Debug)]
pub struct SummaryParameters {
    /// Which projects.
    pub filters: ProjectFilters,
    /// How it is broken up.
    pub grouping: Grouping,
}

impl Parameters for SummaryParameters {
    fn names() -> Vec<String> {
        [
            documented::<ProjectFilters>(),
            documented::<Grouping>(),
            documented::<Printing>(),
        ]
        .concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            filters: read_part(query)?,
            grouping: read_part(query)?,
        })
    }
}

/// The parameters of a file of projects.
#[derive(Clone, Debug)]
pub struct ExportParameters {
    /// Which projects.
    pub filters: ProjectFilters,
    /// Which of them are counted, and in what order they stand.
    pub arrangement: Arrangement,
}

impl Parameters for ExportParameters {
    fn names() -> Vec<String> {
        [
            documented::<ProjectFilters>(),
            documented::<Arrangement>(),
            documented::<Printing>(),
        ]
        .concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            filters: read_part(query)?,
            arrangement: read_part(query)?,
        })
    }
}

impl ExportParameters {
    /// The question that the parameters ask, of so many projects at a time.
    ///
    /// # Errors
    /// As of [`ListParameters::question`].
    pub fn question(self, clock: Clock, limit: u64) -> Result<listing::Question, Problem> {
        let list = ListParameters {
            filters: self.filters,
            arrangement: self.arrangement,
            listing: Listing::default(),
        };
        Ok(listing::Question {
            limit,
            ..list.question(clock)?
        })
    }
}

/// The parameters of a package of open data.
#[derive(Clone, Debug)]
pub struct OpenDataParameters(ExportParameters);

impl Parameters for OpenDataParameters {
    fn names() -> Vec<String> {
        [documented::<ProjectFilters>(), documented::<Arrangement>()].concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        ExportParameters::read(query).map(Self)
    }
}

impl OpenDataParameters {
    /// The question that the parameters ask, of those projects alone that may be told to everybody.
    ///
    /// # Errors
    /// As of [`ListParameters::question`]; `validation_failed` if those are asked for that may not.
    pub fn question(self, clock: Clock, limit: u64) -> Result<listing::Question, Problem> {
        let mut reader = Reader::default();
        if self.0.filters.published == Some(false) {
            reader.refused(
                "published",
                "contradictory_filters",
                "未公开的项目不能作为公开数据导出",
                "What may not be told to everybody is no open data",
            );
        }
        let mut question = reader.done(self.0)?.question(clock, limit)?;
        question.filter.published = Some(true);
        Ok(question)
    }
}

impl Parameters for Paging {
    fn names() -> Vec<String> {
        documented::<Self>()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        read_part(query)
    }
}

impl ListParameters {
    /// The question that the parameters ask.
    ///
    /// # Errors
    /// `invalid_parameter` with everything that is wrong; `validation_failed` if all can be read, but is against
    /// a rule.
    pub fn question(self, clock: Clock) -> Result<listing::Question, Problem> {
        let mut reader = Reader::default();
        let Self {
            filters,
            arrangement,
            listing,
        } = self;
        let base = reader.counting(arrangement.counting.as_ref());
        let level = reader.level(filters.level.as_ref());
        if level.is_some() && base.is_none() {
            reader.refused(
                "level",
                "needs_counting",
                "level 须与 counting 同用",
                "level needs counting",
            );
        }
        let words = format!("{filters:?} {arrangement:?}");
        let question = listing::Question {
            filter: reader.filter(&filters),
            frame: Frame {
                as_of: reader.as_of(filters.as_of.as_ref(), clock),
                base,
                level: level.unwrap_or(Level::Project),
            },
            sort: reader.sort(arrangement.sort.as_ref()),
            limit: reader.limit(listing.limit),
            cursor: listing.cursor,
            with_total: listing.with_total.unwrap_or(false),
            words,
        };
        reader.done(question)
    }
}

impl SummaryParameters {
    /// The question that the parameters ask.
    ///
    /// # Errors
    /// `invalid_parameter` with everything that is wrong; `validation_failed` if all can be read, but is against
    /// a rule.
    pub fn question(&self, clock: Clock) -> Result<summary::Question, Problem> {
        let mut reader = Reader::default();
        let (filter, base) = reader.counted(&self.filters);
        let as_of = reader.as_of(self.filters.as_of.as_ref(), clock);
        let this_year = clock.day_of(as_of.unwrap_or_else(|| clock.now())).year();
        let year = self.grouping.year.unwrap_or(this_year);
        if !(1949..=2200).contains(&year) {
            reader.wrong(
                "year",
                "year_out_of_range",
                "年份须在 1949 至 2200 之间",
                "The year has to be from 1949 to 2200",
            );
        }
        let level = reader.level(self.filters.level.as_ref());
        let question = summary::Question {
            filter,
            frame: Frame {
                as_of,
                base: Some(base),
                level: level.unwrap_or(Level::Project),
            },
            group_by: reader.dimensions(self.grouping.group_by.as_ref()),
            year,
        };
        reader.done(question)
    }
}

impl Paging {
    /// The limit and the cursor.
    ///
    /// # Errors
    /// `invalid_parameter`.
    pub fn checked(self) -> Result<(u64, Option<String>), Problem> {
        let mut reader = Reader::default();
        let limit = reader.limit(self.limit);
        reader.done((limit, self.cursor))
    }
}
