//! The accounts of a year, each figure with the link to the projects behind it.

mod table;

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, NaiveDate, Utc};
use domain::accounting::{Accounts, Line};
use domain::monthly::CoveredRates;
use domain::rate::{Covered, Percent, Rate};
use domain::rollup::Measures;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::investment::InvestmentRate;
use super::link::{Link, told};
use super::numbers::{Asking, IfNoneMatch};
use super::query::{
    Accounting, AccountsParameters, Comparison, ProjectFilters, UNDER_CONSTRUCTION,
};
use super::summary::CountAndSum;
use crate::app::App;
use crate::body::Query;
use crate::codes::{LevelCode, Spreadsheet};
use crate::print::negotiate::{CSV, XLSX};
use crate::print::{Print, Printing};
use crate::problem::Problem;
use crate::store::Db;
use crate::store::accounting::year::{self, Question, Year};
use crate::store::counting::Base;
use crate::store::summary::Dimension;

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(get_accounts);
}

/// What the projects of a line add up to; unknown amounts are told apart and never counted as zero.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountsLine {
    /// How many projects.
    count: u64,
    /// Those with an exact amount.
    exact: CountAndSum,
    /// Those with a lower bound only.
    floor: CountAndSum,
    /// How many have neither.
    undetermined: u64,
    /// The query that answers exactly these projects.
    projects: String,
}

/// Projects of which something happened on a day that is not known; they may belong to the year.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountsDateUnknown {
    /// They started.
    started: AccountsLine,
    /// They were completed.
    completed: AccountsLine,
}

/// The lines of the accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountsLines {
    /// 新增谋划: registered into the reserve.
    planned: AccountsLine,
    /// 签约引进: signed.
    signed: AccountsLine,
    /// 培育落地: landed.
    landed: AccountsLine,
    /// 争取立项: approved with funds.
    funds_approved: AccountsLine,
    /// 计划开工: planned to start.
    start_planned: AccountsLine,
    /// Of those planned to start: started by the end of the year.
    start_met: AccountsLine,
    /// 开复工: new and continued together.
    under_construction: AccountsLine,
    /// 新建: started.
    new: AccountsLine,
    /// 续建: carried over from before the year.
    continued: AccountsLine,
    /// Of the new and the continued: left the library in the year.
    withdrawn: AccountsLine,
    /// 竣工: completed. They are among those under construction: never add them.
    completed: AccountsLine,
    /// 投产: commissioned.
    commissioned: AccountsLine,
    /// 达产: at capacity.
    at_capacity: AccountsLine,
    /// Not known to the day, and not guessed.
    date_unknown: AccountsDateUnknown,
}

/// A rate.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"code": "landing_rate", "numerator": 30, "denominator": 50, "percent": "60.00"}))]
pub struct AccountsRate {
    /// `start_rate` (开工率: started, of what was planned to start in the year) or `landing_rate` (落地率: landed
    /// within so many months, of what was signed in the year).
    code: String,
    /// What was reached.
    numerator: u64,
    /// What was to be reached.
    denominator: u64,
    /// The rate in percent, rounded half up; null if there was nothing to be reached, which is neither 0 nor 100.
    percent: Option<String>,
}

/// A rate of investment, in 元, over the projects of which both sides are told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"numerator": "37500000.00", "denominator": "120000000.00", "percent": "31.25", "applicable": true,
    "covered": 3}))]
pub struct CoveredRate {
    /// The rate; nothing of it is told where no project is covered.
    #[serde(flatten)]
    rate: InvestmentRate,
    /// How many projects it covers: those of which what was reached and what was to be reached are told. What is told of
    /// others is in neither sum.
    covered: u64,
}

impl From<Covered> for CoveredRate {
    fn from(covered: Covered) -> Self {
        Self {
            rate: covered.rate().into(),
            covered: covered.projects,
        }
    }
}

/// The rates of investment at the end of the year, or of the last month that is over by the last day that counts. As in a
/// summary, withdrawn projects are out unless they are asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct CoveredRatesView {
    /// 投资完成率: completed to date, by the total investment where that is an exact amount.
    completion: CoveredRate,
    /// 年度投资完成率: completed in the year, by the annual plan of the year.
    annual_completion: CoveredRate,
    /// 资金到位率: funds received, by funds allocated, both to date.
    funds_received: CoveredRate,
}

impl From<CoveredRates> for CoveredRatesView {
    fn from(rates: CoveredRates) -> Self {
        Self {
            completion: rates.completion.into(),
            annual_completion: rates.annual_completion.into(),
            funds_received: rates.funds_received.into(),
        }
    }
}

/// A cell: its value of each dimension, and its accounts.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountsCell {
    /// The dimensions asked for, by name; null where projects have none.
    #[serde(flatten)]
    #[schema(value_type = Object, additional_properties = true)]
    keys: BTreeMap<&'static str, Value>,
    /// The lines.
    lines: AccountsLines,
    /// The rates.
    rates: Vec<AccountsRate>,
    /// The rates of investment.
    investment_rates: CoveredRatesView,
}

/// How a line differs from that of the period it is compared with.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountsChange {
    /// How many more projects, or fewer.
    count: i64,
    /// The same in percent of that period, rounded half up; null if there were none.
    percent: Option<String>,
}

/// The accounts of a period that a year is compared with.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountsComparison {
    /// `previous_year`, or `same_day` for the year before up to the same day (同比).
    with: String,
    /// The year.
    year: i32,
    /// The last day that counts.
    until: NaiveDate,
    /// Its cells.
    cells: Vec<AccountsCell>,
    /// All together.
    total: AccountsCell,
    /// How the lines of the year asked for differ from these, together, by line.
    change: BTreeMap<&'static str, AccountsChange>,
}

/// The accounts of a year.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccountsView {
    /// The year.
    year: i32,
    /// The last day that counts: the year's, or today.
    until: NaiveDate,
    /// The instant whose knowledge they show.
    as_of: DateTime<Utc>,
    /// What is counted: `portfolio` or `list:CODE`.
    #[schema(example = "portfolio")]
    counting: String,
    /// By project or by part.
    level: LevelCode,
    /// Within how many months what was signed has to land for the landing rate.
    landing_months: u32,
    /// `all`, or `visible` if there are projects out of the caller's scope.
    #[schema(example = "all")]
    covers: String,
    /// The filters that were set.
    filters: BTreeMap<String, Vec<String>>,
    /// The dimensions.
    group_by: Vec<String>,
    /// Whether the cells add up to the total; by list they don't, for a project may stand on several.
    additive: bool,
    /// The cells that hold anything.
    cells: Vec<AccountsCell>,
    /// All together.
    total: AccountsCell,
    /// The periods that the year is compared with.
    comparisons: Vec<AccountsComparison>,
}

/// Draw up the accounts of a year
///
/// What was planned, signed, started, carried over and completed in a year, by the dates on which it happened; the rates,
/// and how they and the lines differ from those of the year before. As a table for people too: `Accept: text/csv`, or the
/// path with the ending `.csv` or `.xlsx`.
#[utoipa::path(tag = "summary", security(("bearer" = [])),
    params(("year" = i32, Path, description = "The year, not after the present one", example = 2024, minimum = 1949, maximum = 2200),
        ProjectFilters, Accounting, Printing, IfNoneMatch),
    responses((status = 200, description = "The accounts",
            content((AccountsView = "application/json"), (String = CSV), (Spreadsheet = XLSX))),
        (status = 304, description = "They are as they were")))]
#[get("/v1/accounts/{year}")]
async fn get_accounts(
    app: web::Data<App>,
    asking: Asking,
    year: web::Path<i32>,
    parameters: Query<AccountsParameters>,
    print: Print,
) -> Result<HttpResponse, Problem> {
    if let Some(known) = asking.known(print.0) {
        return Ok(known);
    }
    let questions = parameters
        .0
        .questions(*year, app.db.clock(), app.landing_months)?;
    let told = Told::read(&app.db, &asking, questions).await?;
    match print.0 {
        Some(sheet) => table::answer(&app.db, sheet, &told).await,
        None => asking.answer(&told.accounts()),
    }
}

type Compared = Vec<(Comparison, Question, Year)>;

/// The accounts of a year and of what it is compared with, all of one state, with what was asked for.
struct Told {
    question: Question,
    filters: BTreeMap<String, Vec<String>>,
    as_of: DateTime<Utc>,
    today: NaiveDate,
    answer: Year,
    others: Compared,
}

impl Told {
    async fn read(
        db: &Db,
        asking: &Asking,
        (question, compared): (Question, Vec<(Comparison, Question)>),
    ) -> Result<Self, Problem> {
        let (reach, sums_are_complete) = (asking.reach.clone(), asking.sums_are_complete);
        let asked = question.clone();
        let (answer, others) = db
            .read(async move |tx| {
                let answer = year::answer(tx, &reach, &asked, sums_are_complete).await?;
                let mut others = Vec::new();
                for (comparison, question) in compared {
                    let then = year::answer(tx, &reach, &question, sums_are_complete).await?;
                    others.push((comparison, question, then));
                }
                Ok((answer, others))
            })
            .await?;
        let clock = db.clock();
        let as_of = question.frame.as_of.unwrap_or_else(|| clock.now());
        Ok(Self {
            question,
            filters: asking.filters(),
            as_of,
            today: clock.day_of(as_of),
            answer,
            others,
        })
    }

    fn accounts(&self) -> AccountsView {
        let answer = &self.answer;
        let Question {
            frame,
            group_by,
            year,
            landing_months,
            ..
        } = &self.question;
        let (cells, total) = self.cells(&self.question, answer);
        AccountsView {
            year: *year,
            until: self.until(&self.question),
            as_of: self.as_of,
            counting: answer.base.told(),
            level: LevelCode(frame.level),
            landing_months: *landing_months,
            covers: if answer.covers_all { "all" } else { "visible" }.to_owned(),
            filters: self.filters.clone(),
            group_by: group_by.iter().map(|d| d.code().to_owned()).collect(),
            additive: answer.additive,
            cells,
            total,
            comparisons: self
                .others
                .iter()
                .map(|(with, question, then)| self.comparison(*with, question, then))
                .collect(),
        }
    }

    fn comparison(&self, with: Comparison, question: &Question, then: &Year) -> AccountsComparison {
        let (cells, total) = self.cells(question, then);
        AccountsComparison {
            with: with.code().to_owned(),
            year: question.year,
            until: self.until(question),
            cells,
            total,
            change: changes(&self.answer.total, &then.total),
        }
    }

    /// The last day that counts.
    fn until(&self, question: &Question) -> NaiveDate {
        let end = NaiveDate::from_ymd_opt(question.year, 12, 31).unwrap_or(self.today);
        question.until.unwrap_or(end).min(self.today)
    }

    fn cells(&self, question: &Question, answer: &Year) -> (Vec<AccountsCell>, AccountsCell) {
        let of = |keys: &[Option<String>], accounts: &Accounts| {
            self.cell(&answer.base, question, keys, accounts)
        };
        let cells = answer.cells.iter();
        (
            cells.map(|cell| of(&cell.keys, &cell.accounts)).collect(),
            of(&[], &answer.total),
        )
    }

    /// The query of the projects that stand in a line of a cell.
    fn link_of(
        &self,
        question: &Question,
        base: &Base,
        keys: &[(Dimension, Option<String>)],
        line: &str,
    ) -> String {
        let until = question.until.map(|day| format!(":{day}"));
        let account = format!("{}:{line}{}", question.year, until.unwrap_or_default());
        Link::new(base, &question.frame, &self.filters).to(keys, Some(account))
    }

    fn cell(
        &self,
        base: &Base,
        question: &Question,
        keys: &[Option<String>],
        accounts: &Accounts,
    ) -> AccountsCell {
        let group_by = question.group_by.iter().copied();
        let keys: Vec<(Dimension, Option<String>)> = group_by.zip(keys.iter().cloned()).collect();
        let view = |code: &str, measures: Measures| {
            line_view(measures, self.link_of(question, base, &keys, code))
        };
        let of = |line: Line| view(line.code(), accounts.line(line));
        AccountsCell {
            lines: AccountsLines {
                planned: of(Line::Planned),
                signed: of(Line::Signed),
                landed: of(Line::Landed),
                funds_approved: of(Line::FundsApproved),
                start_planned: of(Line::StartPlanned),
                start_met: of(Line::StartMet),
                under_construction: view(UNDER_CONSTRUCTION, accounts.under_construction()),
                new: of(Line::New),
                continued: of(Line::Continued),
                withdrawn: of(Line::Withdrawn),
                completed: of(Line::Completed),
                commissioned: of(Line::Commissioned),
                at_capacity: of(Line::AtCapacity),
                date_unknown: AccountsDateUnknown {
                    started: of(Line::StartUnknown),
                    completed: of(Line::CompletionUnknown),
                },
            },
            rates: vec![
                rate_view("start_rate", accounts.start_rate()),
                rate_view("landing_rate", accounts.landing_rate()),
            ],
            investment_rates: accounts.investment.into(),
            keys: told(keys),
        }
    }
}

fn line_view(measures: Measures, projects: String) -> AccountsLine {
    AccountsLine {
        count: measures.count,
        exact: CountAndSum::new(measures.exact_count, measures.exact_sum),
        floor: CountAndSum::new(measures.floor_count, measures.floor_sum),
        undetermined: measures.undetermined,
        projects,
    }
}

fn rate_view(code: &str, rate: Rate) -> AccountsRate {
    let whole = |part: Option<i128>| part.and_then(|n| u64::try_from(n).ok()).unwrap_or_default();
    AccountsRate {
        code: code.to_owned(),
        numerator: whole(rate.numerator),
        denominator: whole(rate.denominator),
        percent: rate.percent().map(|percent| percent.to_string()),
    }
}

/// How each line differs, in how many projects.
fn changes(now: &Accounts, then: &Accounts) -> BTreeMap<&'static str, AccountsChange> {
    let change = |now: Measures, then: Measures| {
        let (count, percent) = change_of(now.count, then.count);
        AccountsChange {
            count,
            percent: percent.map(|percent| percent.to_string()),
        }
    };
    let both = change(now.under_construction(), then.under_construction());
    Line::ALL
        .iter()
        .map(|&line| (line.code(), change(now.line(line), then.line(line))))
        .chain([(UNDER_CONSTRUCTION, both)])
        .collect()
}

/// How many more projects there are, or fewer, and the same in percent of those there were.
fn change_of(now: u64, then: u64) -> (i64, Option<Percent>) {
    let more = now.wrapping_sub(then).cast_signed();
    let rate = Rate {
        numerator: Some(more.into()),
        denominator: Some(then.into()),
    };
    (more, rate.percent())
}
