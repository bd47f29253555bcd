//! The parameters of lists and summaries, read into questions.

mod accounts;
mod diff;
mod scoreboard;
mod targets;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use domain::accounting::{FIRST_YEAR, LAST_YEAR, Line};
use domain::coded::Coded;
use domain::family::Level;
use domain::money::Money;
use domain::project::MAX_CODE;
use domain::scoreboard::{Period, PeriodError};
use domain::stage::{Condition, Stage};
use domain::target::Period as Years;
use domain::tier::InvestmentTier;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::body::{Parameters, documented, read_part};
use crate::clock::Clock;
use crate::codes::{
    AccountLine, CodeOrNull, ConditionCode, DayOrInstant, IdOrNull, InvestedMonths, LevelCode,
    StageCode, TierCode, YearOrNull,
};
use crate::page::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::print::Printing;
use crate::problem::value::money_told;
use crate::problem::{Fault, Problem};
use crate::store::counting::{Base, Frame};
use crate::store::filter::{Account, AnyOf, Filter, Months};
use crate::store::listing::{self, Sort, SortKey};
use crate::store::summary::{self, Dimension};

pub use accounts::{Accounting, AccountsParameters, Comparison};
pub use diff::{ChangeFilters, ChangedParameters, DiffFilters, DiffParameters, Span};
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

/// How projects are listed.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct Listing {
    /// The counted set only: `portfolio`, or `list:CODE` (several codes with commas).
    #[param(
        pattern = r"^(portfolio|list:[^,\x00-\x1F\x7F-\x9F]{1,64}(,[^,\x00-\x1F\x7F-\x9F]{1,64})*)$",
        example = "portfolio"
    )]
    pub counting: Option<String>,
    /// The order: `updated_at`, `created_at`, `name` or `total_investment`, with `-` for the greatest first.
    #[param(pattern = "^-?(updated_at|created_at|name|total_investment)$")]
    pub sort: Option<String>,
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
    /// How they are listed.
    pub listing: Listing,
}

impl Parameters for ListParameters {
    fn names() -> Vec<String> {
        [documented::<ProjectFilters>(), documented::<Listing>()].concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            filters: read_part(query)?,
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

impl Parameters for Paging {
    fn names() -> Vec<String> {
        documented::<Self>()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        read_part(query)
    }
}

/// Reads parameters, gathering what is wrong: what can't be read, and what can but is against a rule.
#[derive(Default)]
struct Reader {
    faults: Vec<Fault>,
    refusals: Vec<Fault>,
}

impl Reader {
    fn wrong(&mut self, name: &str, code: &str, zh: impl Into<String>, en: impl Into<String>) {
        self.faults.push(Fault::parameter(name, code, zh, en));
    }

    fn refused(&mut self, name: &str, code: &str, zh: &str, en: &str) {
        self.refusals.push(Fault::parameter(name, code, zh, en));
    }

    fn done<T>(mut self, value: T) -> Result<T, Problem> {
        if !self.faults.is_empty() {
            self.faults.append(&mut self.refusals);
            Err(Problem::bad_parameters(self.faults))
        } else if !self.refusals.is_empty() {
            Err(Problem::invalid(self.refusals))
        } else {
            Ok(value)
        }
    }

    fn bounded(&mut self, name: &str, values: &[String]) {
        if values.len() > MAX_VALUES {
            self.wrong(
                name,
                "too_many",
                format!("最多 {MAX_VALUES} 个"),
                format!("{MAX_VALUES} at the most"),
            );
        }
    }

    fn codes<T: Coded>(&mut self, name: &str, values: &[String]) -> Vec<T> {
        self.bounded(name, values);
        let mut read = Vec::new();
        for value in values {
            if let Some(code) = T::of_code(value) {
                read.push(code);
            } else {
                let known: Vec<_> = T::VALUES.iter().map(|v| v.as_code()).collect();
                self.wrong(
                    name,
                    "unknown_code",
                    format!("没有 {value}；可用：{}", known.join("、")),
                    format!("There is no {value}; there are: {}", known.join(", ")),
                );
            }
        }
        read
    }

    fn any_of<T>(
        &mut self,
        name: &str,
        values: &[String],
        read: impl Fn(&str) -> Option<T>,
    ) -> AnyOf<T> {
        self.bounded(name, values);
        let mut any = Vec::new();
        for value in values {
            if value == NULL {
                any.push(None);
            } else if let Some(value) = read(value) {
                any.push(Some(value));
            } else {
                self.unreadable(name, value);
            }
        }
        any
    }

    /// Values of which none stands for what is empty.
    fn some<T>(
        &mut self,
        name: &str,
        values: &[String],
        read: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        self.bounded(name, values);
        let mut some = Vec::new();
        for value in values {
            match read(value) {
                Some(value) => some.push(value),
                None => self.unreadable(name, value),
            }
        }
        some
    }

    fn unreadable(&mut self, name: &str, value: &str) {
        self.wrong(
            name,
            "unreadable_parameter",
            format!("无法读取 {value}"),
            format!("{value} can't be read"),
        );
    }

    fn texts(&mut self, name: &str, values: &[String]) -> AnyOf<String> {
        self.any_of(name, values, |value| {
            is_plain(value, MAX_CODE).then(|| value.to_owned())
        })
    }

    fn money(&mut self, name: &str, value: Option<&String>) -> Option<Money> {
        match Money::parse_yuan(value?) {
            Ok(money) => Some(money),
            Err(error) => {
                let told = money_told("", error);
                self.faults.push(told.of_parameter(name));
                None
            }
        }
    }

    fn filter(&mut self, raw: &ProjectFilters) -> Filter {
        let q = raw.q.as_ref().filter(|q| !q.trim().is_empty());
        if q.is_some_and(|q| !is_plain(q, MAX_Q)) {
            self.wrong(
                "q",
                "unreadable_parameter",
                format!("最多 {MAX_Q} 个字符，不含控制字符"),
                format!("{MAX_Q} characters at the most, no control characters"),
            );
        }
        let year = |value: &str| {
            value
                .parse()
                .ok()
                .filter(|year| (1949..=2200).contains(year))
        };
        // Every project has a region: there, `null` is a code like any other, and nobody's.
        let some = |any: AnyOf<String>| {
            any.into_iter()
                .map(|code| code.unwrap_or_else(|| NULL.to_owned()))
                .collect()
        };
        Filter {
            q: q.cloned(),
            lists: self.texts("list", &raw.list),
            regions: some(self.texts("region", &raw.region)),
            regions_exact: some(self.texts("region_exact", &raw.region_exact)),
            stages: self.codes::<Stage>("stage", &raw.stage),
            conditions: self.codes::<Condition>("condition", &raw.condition),
            tiers: self.codes::<InvestmentTier>("tier", &raw.tier),
            programmes: self.texts("programme", &raw.programme),
            sectors: self.texts("sector", &raw.sector),
            chains: self.texts("chain", &raw.chain),
            units: self.texts("unit", &raw.unit),
            parents: self.any_of("parent", &raw.parent, |value| value.parse().ok()),
            min_investment: self.money("min_investment", raw.min_investment.as_ref()),
            max_investment: self.money("max_investment", raw.max_investment.as_ref()),
            started_years: self.any_of("started_year", &raw.started_year, year),
            completed_years: self.any_of("completed_year", &raw.completed_year, year),
            updated_since: self.instant("updated_since", raw.updated_since.as_ref()),
            accounts: self.accounts(&raw.account),
            plan_years: self.some("plan_year", &raw.plan_year, year),
            invested: self.invested(&raw.invested),
        }
    }

    fn invested(&mut self, values: &[String]) -> Vec<Months> {
        self.bounded("invested", values);
        let mut all = Vec::new();
        for value in values {
            match months(value) {
                Ok(months) => all.push(months),
                Err(true) => self.refused(
                    "invested",
                    "months_out_of_range",
                    "月份须在 1949 至 2200 年之间、同属一年且先后有序",
                    "The months have to be of one year from 1949 to 2200, in their order",
                ),
                Err(false) => self.wrong(
                    "invested",
                    "unreadable_parameter",
                    format!("无法读取 {value}"),
                    format!("{value} can't be read"),
                ),
            }
        }
        all
    }

    fn accounts(&mut self, values: &[String]) -> Vec<Account> {
        self.bounded("account", values);
        let mut accounts = Vec::new();
        for value in values {
            match account(value) {
                Ok(account) => accounts.push(account),
                Err(is_read) => {
                    let known: Vec<_> = Line::ALL.iter().map(|line| line.code()).collect();
                    let known = known.join(", ");
                    let told = Fault::parameter(
                        "account",
                        "unknown_account",
                        format!(
                            "须为 期间:科目，如 2024:new、2021-2025:new、2024-Q1:new、2024-03:new；科目有 {UNDER_CONSTRUCTION}, \
                             {LANDED_WITHIN}6, {known}"
                        ),
                        format!(
                            "It is PERIOD:LINE, such as 2024:new, 2021-2025:new, 2024-Q1:new or 2024-03:new; the lines are \
                             {UNDER_CONSTRUCTION}, {LANDED_WITHIN}6, {known}"
                        ),
                    );
                    if is_read {
                        self.refusals.push(told);
                    } else {
                        self.faults.push(told);
                    }
                }
            }
        }
        accounts
    }

    /// What is counted, and the filter on it: lists named are what is counted; `null` is a filter.
    fn counted(&mut self, raw: &ProjectFilters) -> (Filter, Base) {
        let mut filter = self.filter(raw);
        if filter.lists.is_empty() || filter.lists.contains(&None) {
            return (filter, Base::Portfolio);
        }
        let named = std::mem::take(&mut filter.lists);
        (filter, Base::Lists(named.into_iter().flatten().collect()))
    }

    fn instant(&mut self, name: &str, value: Option<&String>) -> Option<DateTime<Utc>> {
        let value = value?;
        let read = DateTime::parse_from_rfc3339(value).ok();
        if read.is_none() {
            self.wrong(
                name,
                "invalid_instant",
                "时间须为 RFC 3339，如 2025-03-31T08:00:00Z",
                "An instant is RFC 3339, such as 2025-03-31T08:00:00Z",
            );
        }
        read.map(|instant| instant.with_timezone(&Utc))
    }

    fn as_of(&mut self, value: Option<&String>, clock: Clock) -> Option<DateTime<Utc>> {
        self.then("as_of", value, clock)
    }

    /// A day stands for its end; the future is not known yet. None if it is today's, which has not ended.
    fn then(&mut self, name: &str, value: Option<&String>, clock: Clock) -> Option<DateTime<Utc>> {
        let value = value?;
        let now = clock.now();
        if let Ok(day) = value.parse::<NaiveDate>() {
            if day.year() < 1949 {
                self.too_early(name);
                return None;
            }
            if day > clock.day_of(now) {
                self.future(name);
                return None;
            }
            let end = clock.end_of(day)?;
            return (end < now).then_some(end);
        }
        let instant = self.instant(name, Some(value))?;
        if instant.year() < 1949 {
            self.too_early(name);
            return None;
        }
        if instant > now {
            self.future(name);
            return None;
        }
        Some(instant)
    }

    fn too_early(&mut self, name: &str) {
        self.refused(
            name,
            "as_of_too_early",
            &format!("{name} 不能早于 1949 年"),
            &format!("{name} is before 1949"),
        );
    }

    fn future(&mut self, name: &str) {
        self.refused(
            name,
            "as_of_in_future",
            &format!("{name} 不能晚于现在"),
            &format!("{name} is in the future"),
        );
    }

    fn level(&mut self, value: Option<&String>) -> Option<Level> {
        self.code("level", value)
    }

    fn code<T: Coded>(&mut self, name: &str, value: Option<&String>) -> Option<T> {
        let values: Vec<String> = value.cloned().into_iter().collect();
        self.codes::<T>(name, &values).first().copied()
    }

    fn counting(&mut self, value: Option<&String>) -> Option<Base> {
        let value = value?;
        if value == "portfolio" {
            return Some(Base::Portfolio);
        }
        let codes: Vec<String> = value
            .strip_prefix("list:")
            .map(|codes| codes.split(',').map(str::to_owned).collect())
            .unwrap_or_default();
        if codes.is_empty() || !codes.iter().all(|code| is_plain(code, MAX_CODE)) {
            self.wrong(
                "counting",
                "unreadable_parameter",
                "counting 须为 portfolio 或 list:清单代码",
                "counting is portfolio or list:CODE",
            );
            return None;
        }
        Some(Base::Lists(codes))
    }

    fn sort(&mut self, value: Option<&String>) -> Sort {
        let Some(value) = value else {
            return Sort::DEFAULT;
        };
        let (descending, name) = match value.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, value.as_str()),
        };
        let key = match name {
            "updated_at" => SortKey::UpdatedAt,
            "created_at" => SortKey::CreatedAt,
            "name" => SortKey::Name,
            "total_investment" => SortKey::TotalInvestment,
            _ => {
                self.wrong(
                    "sort",
                    "unknown_sort",
                    "可用：updated_at、created_at、name、total_investment，前加 - 为降序",
                    "There are: updated_at, created_at, name, total_investment, with - for descending",
                );
                return Sort::DEFAULT;
            }
        };
        Sort { key, descending }
    }

    fn limit(&mut self, value: Option<u64>) -> u64 {
        let limit = value.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            self.wrong(
                "limit",
                "limit_out_of_range",
                format!("limit 须为 1 至 {MAX_LIMIT}"),
                format!("limit is from 1 to {MAX_LIMIT}"),
            );
        }
        limit
    }

    fn dimensions(&mut self, value: Option<&String>) -> Vec<Dimension> {
        let mut found = Vec::new();
        for name in value.iter().flat_map(|value| value.split(',')) {
            match Dimension::ALL.into_iter().find(|d| d.code() == name) {
                Some(dimension) if found.contains(&dimension) => {}
                Some(dimension) => found.push(dimension),
                None => {
                    let known: Vec<_> = Dimension::ALL.iter().map(|d| d.code()).collect();
                    self.wrong(
                        "group_by",
                        "unknown_group",
                        format!("不能按 {name} 分组；可用：{}", known.join("、")),
                        format!(
                            "There is no grouping by {name}; there are: {}",
                            known.join(", ")
                        ),
                    );
                }
            }
        }
        found
    }
}

/// A line of a year, of several or of a part of one, up to a day if one is told; else whether that could be read, and only
/// names nothing.
fn account(value: &str) -> Result<Account, bool> {
    let mut parts = value.splitn(3, ':');
    let (years, period) = years_or_period(parts.next().ok_or(false)?)?;
    let code = parts.next().ok_or(false)?;
    let until = parts
        .next()
        .map(|day| day.parse::<NaiveDate>().map_err(|_| true));
    let until = until.transpose()?;
    if until.is_some_and(|day| !(FIRST_YEAR..=LAST_YEAR).contains(&day.year())) {
        return Err(true);
    }
    let landed_within = code.strip_prefix(LANDED_WITHIN);
    let landed_within = landed_within.map(|months| months.parse::<u16>().map_err(|_| true));
    let lines = match Line::from_code(code) {
        Some(line) => vec![line],
        None if code == UNDER_CONSTRUCTION => vec![Line::New, Line::Continued],
        None if landed_within.is_some() => vec![Line::Signed],
        None => return Err(true),
    };
    Ok(Account {
        years,
        lines,
        since: period.map(Period::first),
        until: until.into_iter().chain(period.map(Period::last)).min(),
        landed_within: landed_within.transpose()?.map(u32::from),
    })
}

/// The years, and the month or the quarter if one is told; else whether that could be read, and only is out of range.
fn years_or_period(text: &str) -> Result<(Years, Option<Period>), bool> {
    match (years(text), Period::parse(text)) {
        (Some(years), _) => {
            let Years { from_year, to_year } = years;
            let is_span = FIRST_YEAR <= from_year && from_year <= to_year && to_year <= LAST_YEAR;
            is_span.then_some((years, None)).ok_or(true)
        }
        (None, Ok(period)) => Ok((Years::year(period.year()), Some(period))),
        (None, Err(PeriodError::YearOutOfRange)) => Err(true),
        (None, Err(PeriodError::Unreadable)) => Err(false),
    }
}

/// The months of a month or a quarter, or from one month to another of the same year; else whether that could be read.
fn months(value: &str) -> Result<Months, bool> {
    let (first, last) = value.split_once("..").unwrap_or((value, value));
    let read = |text| Period::parse(text).map_err(|error| error == PeriodError::YearOutOfRange);
    let (first, last) = (read(first)?, read(last)?);
    let (from, to) = (first.months().0, last.months().1);
    let is_span = first.year() == last.year() && from <= to;
    let months = Months {
        year: first.year(),
        from,
        to,
    };
    is_span.then_some(months).ok_or(true)
}

/// A year of four digits, or the first and the last of several.
fn years(value: &str) -> Option<Years> {
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

/// Not too long, and without control characters.
fn is_plain(value: &str, longest: usize) -> bool {
    (1..=longest).contains(&value.chars().count()) && !value.chars().any(char::is_control)
}

impl ListParameters {
    /// The question that the parameters ask.
    ///
    /// # Errors
    /// `invalid_parameter` with everything that is wrong; `validation_failed` if all can be read, but is against
    /// a rule.
    pub fn question(self, clock: Clock) -> Result<listing::Question, Problem> {
        let mut reader = Reader::default();
        let Self { filters, listing } = self;
        let base = reader.counting(listing.counting.as_ref());
        let level = reader.level(filters.level.as_ref());
        if level.is_some() && base.is_none() {
            reader.refused(
                "level",
                "needs_counting",
                "level 须与 counting 同用",
                "level needs counting",
            );
        }
        let words = format!("{filters:?} {:?} {:?}", listing.counting, listing.sort);
        let question = listing::Question {
            filter: reader.filter(&filters),
            frame: Frame {
                as_of: reader.as_of(filters.as_of.as_ref(), clock),
                base,
                level: level.unwrap_or(Level::Project),
            },
            sort: reader.sort(listing.sort.as_ref()),
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
