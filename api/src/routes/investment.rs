//! Investment figures of a project by year and month (年度投资、调度与统计).

use actix_web::{HttpRequest, HttpResponse, delete, get, put, web};
use domain::money::{Money, Total};
use domain::monthly::{Figures, Month, Rates, Sum, Sums};
use domain::rate::Rate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::plan_years::year_of;
use super::views::{Amount, PlanYear};
use super::{put_done, single};
use crate::app::App;
use crate::auth::Caller;
use crate::body::Body;
use crate::input::read::Reader;
use crate::precondition::Precondition;
use crate::problem::{Fault, Problem};
use crate::store::investment::{self, Account, Record};

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(get_investment_year)
        .service(get_investment_month)
        .service(put_investment_month)
        .service(delete_investment_month);
}

/// The figures of a month in 元; null or left out is not told, and at least one is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"completed": "12500000.00", "statistics": "11000000.00", "funds_allocated": "20000000.00",
    "funds_received": "15000000.00", "funds_paid": null}))]
pub struct MonthFiguresInput {
    /// What was completed in the month as the dispatch reports it (调度完成投资).
    #[schema(pattern = r"^[0-9]{1,16}(\.[0-9]{1,2})?$")]
    completed: Option<String>,
    /// What entered the books of statistics in the month (统计入库投资).
    #[schema(pattern = r"^[0-9]{1,16}(\.[0-9]{1,2})?$")]
    statistics: Option<String>,
    /// Funds allocated in the month (资金下达).
    #[schema(pattern = r"^[0-9]{1,16}(\.[0-9]{1,2})?$")]
    funds_allocated: Option<String>,
    /// Funds received in the month (资金到位).
    #[schema(pattern = r"^[0-9]{1,16}(\.[0-9]{1,2})?$")]
    funds_received: Option<String>,
    /// Funds paid out in the month (资金支付).
    #[schema(pattern = r"^[0-9]{1,16}(\.[0-9]{1,2})?$")]
    funds_paid: Option<String>,
}

impl MonthFiguresInput {
    fn read(&self) -> Result<Figures, Problem> {
        let mut reader = Reader::default();
        let mut amount = |pointer: &str, sent: Option<&String>| -> Option<Money> {
            sent.and_then(|sent| reader.money(pointer, sent))
        };
        let figures = Figures {
            completed: amount("/completed", self.completed.as_ref()),
            statistics: amount("/statistics", self.statistics.as_ref()),
            allocated: amount("/funds_allocated", self.funds_allocated.as_ref()),
            received: amount("/funds_received", self.funds_received.as_ref()),
            paid: amount("/funds_paid", self.funds_paid.as_ref()),
        };
        if reader.faults.is_empty() && figures.is_empty() {
            reader.faults.push(Fault::at(
                "",
                "nothing_told",
                "至少填报一项；全部撤销请用 DELETE",
                "Tell at least one figure; to take all of them back, use DELETE",
            ));
        }
        if reader.faults.is_empty() {
            Ok(figures)
        } else {
            Err(Problem::invalid(reader.faults))
        }
    }
}

/// What is told of a month, in 元; null is not told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"year": 2025, "month": 3, "completed": "12500000.00", "statistics": "11000000.00",
    "gap": "-1500000.00", "funds_allocated": "20000000.00", "funds_received": "15000000.00", "funds_paid": null, "version": 1}))]
pub struct InvestmentMonth {
    /// The year.
    year: i32,
    /// The month, 1 to 12.
    #[schema(minimum = 1, maximum = 12)]
    month: u8,
    /// 调度完成投资.
    completed: Option<Amount>,
    /// 统计入库投资.
    statistics: Option<Amount>,
    /// 统计 less 调度; null unless both are told.
    gap: Option<Amount>,
    /// 资金下达.
    funds_allocated: Option<Amount>,
    /// 资金到位.
    funds_received: Option<Amount>,
    /// 资金支付.
    funds_paid: Option<Amount>,
    /// How often it has been changed; its ETag.
    version: i64,
}

/// A sum, with how many months it covers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"sum": "37500000.00", "months": 3}))]
pub struct MonthsSum {
    /// The sum in 元; null if no month is told.
    sum: Option<Amount>,
    /// Over how many months that are told.
    months: u32,
}

/// What months add up to, each figure over the months in which it is told.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvestmentSums {
    /// 调度完成投资.
    completed: MonthsSum,
    /// 统计入库投资.
    statistics: MonthsSum,
    /// 统计 less 调度, over the months in which both are told.
    gap: MonthsSum,
    /// 资金下达.
    funds_allocated: MonthsSum,
    /// 资金到位.
    funds_received: MonthsSum,
    /// 资金支付.
    funds_paid: MonthsSum,
}

/// A rate, with what it is made of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"numerator": "37500000.00", "denominator": "120000000.00", "percent": "31.25", "applicable": true}))]
pub struct InvestmentRate {
    /// What was reached, in 元; null if not told.
    numerator: Option<Amount>,
    /// What was to be reached, in 元; null if not told.
    denominator: Option<Amount>,
    /// The one by the other in percent, rounded half up to two decimals; null if not applicable, or if the numerator
    /// is not told.
    #[schema(pattern = r"^[0-9]+\.[0-9]{2}$")]
    percent: Option<String>,
    /// Whether there is anything to measure by. False (不适用) where the denominator is not told or zero.
    applicable: bool,
}

/// The rates at the end of a year.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvestmentRates {
    /// 投资完成率: completed to the end of the year, by the total investment if it is an exact amount.
    completion: InvestmentRate,
    /// 年度投资完成率: completed in the year, by the annual plan.
    annual_completion: InvestmentRate,
    /// 资金到位率: received, by allocated, both to the end of the year.
    funds_received: InvestmentRate,
}

/// A year of a project's investment.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvestmentYear {
    /// The year.
    year: i32,
    /// The project's place in the year's annual plan; null if it has none.
    annual_plan: Option<PlanYear>,
    /// Those of the twelve months that are told.
    months: Vec<InvestmentMonth>,
    /// The year's sums.
    in_year: InvestmentSums,
    /// The sums to the end of the year, from the first month that is told.
    to_date: InvestmentSums,
    /// The rates.
    rates: InvestmentRates,
}

/// Read a year of a project's investment
///
/// The annual plan, the months that are told, their sums in the year and to its end, 统计 beside 调度 with the gap, and
/// the rates. A sum says how many months it covers; over no month it is null, never zero. The `ETag` is the project's.
#[utoipa::path(tag = "investment", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"),
        ("year" = i32, Path, description = "The year", example = 2025, minimum = 1949, maximum = 2200)),
    responses((status = 200, description = "The year", body = InvestmentYear)))]
#[get("/v1/projects/{id}/investment/{year}")]
async fn get_investment_year(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(Uuid, i32)>,
) -> Result<HttpResponse, Problem> {
    let (id, year) = path.into_inner();
    let year = year_of(year)?;
    let reach = caller.principal.reads();
    let account = app
        .db
        .read(async move |tx| investment::account(tx, &reach, id, year).await)
        .await?;
    let version = account.version;
    Ok(single(&InvestmentYear::of(year, account), version))
}

/// Read the investment figures of a month
#[utoipa::path(tag = "investment", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"),
        ("year" = i32, Path, description = "The year", example = 2025, minimum = 1949, maximum = 2200),
        ("month" = u8, Path, description = "The month", example = 3, minimum = 1, maximum = 12)),
    responses((status = 200, description = "The month", body = InvestmentMonth)))]
#[get("/v1/projects/{id}/investment/{year}/{month}")]
async fn get_investment_month(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(Uuid, i32, u8)>,
) -> Result<HttpResponse, Problem> {
    let (id, year, month) = path.into_inner();
    let month = month_of(year, month)?;
    let reach = caller.principal.reads();
    let record = app
        .db
        .read(async move |tx| investment::read(tx, &reach, id, month).await)
        .await?;
    let view = InvestmentMonth::from(&record);
    Ok(single(&view, view.version))
}

/// Enter the investment figures of a month
///
/// `If-None-Match: *` to enter them, `If-Match` to correct them: all of them are replaced, and what they were is kept in
/// the history. Not of a month that has not begun (`month_in_future`).
#[utoipa::path(tag = "investment", request_body = MonthFiguresInput, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"),
        ("year" = i32, Path, description = "The year", example = 2025, minimum = 1949, maximum = 2200),
        ("month" = u8, Path, description = "The month", example = 3, minimum = 1, maximum = 12),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is corrected", example = "\"1\""),
        ("If-None-Match" = Option<String>, Header, description = "`*` if nothing is told of that month", example = "*")),
    responses((status = 200, description = "The month now", body = InvestmentMonth), (status = 201, description = "Entered", body = InvestmentMonth)))]
#[put("/v1/projects/{id}/investment/{year}/{month}")]
async fn put_investment_month(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(Uuid, i32, u8)>,
    body: Body<MonthFiguresInput>,
) -> Result<HttpResponse, Problem> {
    let (id, year, month) = path.into_inner();
    let month = month_of(year, month)?;
    let precondition = Precondition::either(&request)?;
    let figures = body.value.read()?;
    let (by, principal) = (caller.author(), caller.principal);
    let record = app
        .db
        .write(by, async move |tx| {
            investment::put(tx, &principal, id, month, precondition, figures).await
        })
        .await?;
    let view = InvestmentMonth::from(&record);
    Ok(put_done(precondition, view.version).json(view))
}

/// Take the investment figures of a month back
///
/// As if nothing had been told of it; what it was is kept in the history.
#[utoipa::path(tag = "investment", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"),
        ("year" = i32, Path, description = "The year", example = 2025, minimum = 1949, maximum = 2200),
        ("month" = u8, Path, description = "The month", example = 3, minimum = 1, maximum = 12),
        ("If-Match" = String, Header, description = "The ETag of the version that is taken back", example = "\"1\"")),
    responses((status = 204, description = "Taken back")))]
#[delete("/v1/projects/{id}/investment/{year}/{month}")]
async fn delete_investment_month(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(Uuid, i32, u8)>,
) -> Result<HttpResponse, Problem> {
    let (id, year, month) = path.into_inner();
    let month = month_of(year, month)?;
    let seen = Precondition::if_match(&request)?;
    let (by, principal) = (caller.author(), caller.principal);
    app.db
        .write(by, async move |tx| {
            investment::remove(tx, &principal, id, month, seen).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn month_of(year: i32, month: u8) -> Result<Month, Problem> {
    Month::new(year, month).ok_or_else(Problem::not_found)
}

fn told<T: ToString>(amount: Option<T>) -> Option<Amount> {
    amount.map(|amount| amount.to_string())
}

impl From<&Record> for InvestmentMonth {
    fn from(record: &Record) -> Self {
        let Record {
            month,
            figures,
            version,
        } = *record;
        Self {
            year: month.year(),
            month: month.number(),
            completed: told(figures.completed),
            statistics: told(figures.statistics),
            gap: told(figures.gap()),
            funds_allocated: told(figures.allocated),
            funds_received: told(figures.received),
            funds_paid: told(figures.paid),
            version,
        }
    }
}

impl From<Sum> for MonthsSum {
    fn from(sum: Sum) -> Self {
        Self {
            sum: told(sum.total),
            months: sum.months,
        }
    }
}

impl From<&Sums> for InvestmentSums {
    fn from(sums: &Sums) -> Self {
        let Sums {
            completed,
            statistics,
            gap,
            allocated,
            received,
            paid,
        } = *sums;
        Self {
            completed: completed.into(),
            statistics: statistics.into(),
            gap: gap.into(),
            funds_allocated: allocated.into(),
            funds_received: received.into(),
            funds_paid: paid.into(),
        }
    }
}

impl From<Rate> for InvestmentRate {
    fn from(rate: Rate) -> Self {
        Self {
            numerator: told(rate.numerator.map(Total::from_fen)),
            denominator: told(rate.denominator.map(Total::from_fen)),
            percent: told(rate.percent()),
            applicable: rate.is_applicable(),
        }
    }
}

impl InvestmentYear {
    fn of(year: i32, account: Account) -> Self {
        let is_in_year = |record: &&Record| record.month.year() == year;
        let months: Vec<&Record> = account.months.iter().filter(is_in_year).collect();
        let figures: Vec<Figures> = months.iter().map(|record| record.figures).collect();
        let in_year = Sums::of(&figures);
        let figures: Vec<Figures> = account.months.iter().map(|r| r.figures).collect();
        let to_date = Sums::of(&figures);
        let planned = account.annual_plan.as_ref().and_then(|plan| plan.planned);
        let rates = Rates::of(&in_year, &to_date, account.investment, planned);
        Self {
            year,
            months: months.into_iter().map(InvestmentMonth::from).collect(),
            in_year: InvestmentSums::from(&in_year),
            to_date: InvestmentSums::from(&to_date),
            rates: InvestmentRates {
                completion: rates.completion.into(),
                annual_completion: rates.annual_completion.into(),
                funds_received: rates.funds_received.into(),
            },
            annual_plan: account.annual_plan.map(PlanYear::from),
        }
    }
}
