//! Reads parameters one by one.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use domain::accounting::Line;
use domain::coded::Coded;
use domain::family::Level;
use domain::money::Money;
use domain::project::MAX_CODE;
use domain::stage::{Condition, Stage};
use domain::tier::InvestmentTier;

use super::when::{self, Unnamed};
use super::{LANDED_WITHIN, MAX_Q, MAX_VALUES, NULL, ProjectFilters, UNDER_CONSTRUCTION};
use crate::clock::Clock;
use crate::page::{DEFAULT_LIMIT, MAX_LIMIT};
use crate::problem::value::money_told;
use crate::problem::{Fault, Problem};
use crate::store::counting::Base;
use crate::store::filter::{Account, AnyOf, Filter, Months};
use crate::store::listing::{Sort, SortKey};
use crate::store::summary::Dimension;

/// Reads parameters, gathering what is wrong: what can't be read, and what can but is against a rule.
#[derive(Default)]
pub(super) struct Reader {
    faults: Vec<Fault>,
    refusals: Vec<Fault>,
}

impl Reader {
    pub(super) fn wrong(
        &mut self,
        name: &str,
        code: &str,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) {
        self.faults.push(Fault::parameter(name, code, zh, en));
    }

    pub(super) fn refused(&mut self, name: &str, code: &str, zh: &str, en: &str) {
        self.refusals.push(Fault::parameter(name, code, zh, en));
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_content(&self) -> bool {
        self.faults.is_empty() && self.refusals.is_empty()
    }

    pub(super) fn done<T>(mut self, value: T) -> Result<T, Problem> {
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

    pub(super) fn codes<T: Coded>(&mut self, name: &str, values: &[String]) -> Vec<T> {
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

    pub(super) fn unreadable(&mut self, name: &str, value: &str) {
        self.wrong(
            name,
            "unreadable_parameter",
            format!("无法读取 {value}"),
            format!("{value} can't be read"),
        );
    }

    pub(super) fn texts(&mut self, name: &str, values: &[String]) -> AnyOf<String> {
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

    pub(super) fn filter(&mut self, raw: &ProjectFilters) -> Filter {
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
            published: raw.published,
        }
    }

    fn invested(&mut self, values: &[String]) -> Vec<Months> {
        self.bounded("invested", values);
        let mut all = Vec::new();
        for value in values {
            match when::months(value) {
                Ok(months) => all.push(months),
                Err(Unnamed::Refused) => self.refused(
                    "invested",
                    "months_out_of_range",
                    "月份须在 1949 至 2200 年之间、同属一年且先后有序",
                    "The months have to be of one year from 1949 to 2200, in their order",
                ),
                Err(Unnamed::Unreadable) => self.wrong(
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
            match when::account(value) {
                Ok(account) => accounts.push(account),
                Err(why) => {
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
                    match why {
                        Unnamed::Refused => self.refusals.push(told),
                        Unnamed::Unreadable => self.faults.push(told),
                    }
                }
            }
        }
        accounts
    }

    /// What is counted, and the filter on it: lists named are what is counted; `null` is a filter.
    pub(super) fn counted(&mut self, raw: &ProjectFilters) -> (Filter, Base) {
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

    pub(super) fn as_of(&mut self, value: Option<&String>, clock: Clock) -> Option<DateTime<Utc>> {
        self.then("as_of", value, clock)
    }

    /// A day stands for its end; the future is not known yet. None if it is today's, which has not ended.
    pub(super) fn then(
        &mut self,
        name: &str,
        value: Option<&String>,
        clock: Clock,
    ) -> Option<DateTime<Utc>> {
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

    pub(super) fn level(&mut self, value: Option<&String>) -> Option<Level> {
        self.code("level", value)
    }

    pub(super) fn code<T: Coded>(&mut self, name: &str, value: Option<&String>) -> Option<T> {
        let values: Vec<String> = value.cloned().into_iter().collect();
        self.codes::<T>(name, &values).first().copied()
    }

    pub(super) fn counting(&mut self, value: Option<&String>) -> Option<Base> {
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

    pub(super) fn sort(&mut self, value: Option<&String>) -> Sort {
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

    pub(super) fn limit(&mut self, value: Option<u64>) -> u64 {
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

    pub(super) fn dimensions(&mut self, value: Option<&String>) -> Vec<Dimension> {
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

/// Not too long, and without control characters.
pub(super) fn is_plain(value: &str, longest: usize) -> bool {
    (1..=longest).contains(&value.chars().count()) && !value.chars().any(char::is_control)
}
