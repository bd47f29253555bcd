//! Periods of the scoreboard that are closed.

use actix_web::{HttpRequest, HttpResponse, delete, get, put, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::auth::Caller;
use crate::body::Query;
use crate::page::Page;
use crate::precondition::Precondition;
use crate::problem::Problem;
use crate::routes::query::{Paging, ReopenParameters, period_of};
use crate::routes::views::ProblemDetails;
use crate::routes::{page, put_done, single};
use crate::store::Failure;
use crate::store::scoreboard::closing::{self, Closing};

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_closed_periods)
        .service(get_closed_period)
        .service(close_period)
        .service(reopen_period);
}

/// A period of the scoreboard that is closed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClosedPeriod {
    /// The month or the quarter.
    #[schema(example = "2025-03")]
    period: String,
    /// Its first day.
    from: NaiveDate,
    /// Its last day.
    to: NaiveDate,
    /// When it was closed: the instant whose knowledge its ranking shows.
    closed_at: DateTime<Utc>,
    /// The version of the scheme that it was closed under.
    scheme_version: i64,
    /// How often it was closed; its ETag.
    version: i64,
}

impl From<Closing> for ClosedPeriod {
    fn from(closing: Closing) -> Self {
        Self {
            period: closing.period.to_string(),
            from: closing.period.first(),
            to: closing.period.last(),
            closed_at: closing.closed_at,
            scheme_version: closing.scheme.version,
            version: closing.version,
        }
    }
}

/// List the closed periods
///
/// Those of the latest year first.
#[utoipa::path(tag = "scoreboard", params(Paging), security(("bearer" = [])),
    responses((status = 200, description = "A page of them", body = Page<ClosedPeriod>)))]
#[get("/v1/scoreboard/periods")]
async fn list_closed_periods(
    app: web::Data<App>,
    request: HttpRequest,
    _caller: Caller,
    paging: Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let (limit, cursor) = paging.0.checked()?;
    let (closings, next) = closing::list_page(app.db.reader(), limit, cursor.as_deref())
        .await
        .map_err(Failure::told)?;
    let items: Vec<ClosedPeriod> = closings.into_iter().map(ClosedPeriod::from).collect();
    Ok(page(&request, items, next, None))
}

/// Read how a period is closed
#[utoipa::path(tag = "scoreboard", security(("bearer" = [])),
    params(("period" = String, Path, description = "The month or the quarter", example = "2025-03",
        pattern = "^[0-9]{4}-(0[1-9]|1[0-2]|Q[1-4])$")),
    responses((status = 200, description = "Its closing", body = ClosedPeriod),
        (status = 400, description = "Malformed: the period can't be read", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = 422, description = "The year is out of range", body = ProblemDetails,
            content_type = "application/problem+json")))]
#[get("/v1/scoreboard/periods/{period}")]
async fn get_closed_period(
    app: web::Data<App>,
    _caller: Caller,
    period: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let period = period_of(&period)?;
    let closing = closing::read(app.db.reader(), period)
        .await
        .map_err(Failure::told)?;
    let version = closing.version;
    Ok(single(&ClosedPeriod::from(closing), version))
}

/// Close a period
///
/// For a manager of the whole library, once the period is over: `If-None-Match: *`. From then on its ranking is what it
/// was at that instant, whatever becomes of projects, amounts, regions and the scheme.
#[utoipa::path(tag = "scoreboard", security(("bearer" = [])),
    params(("period" = String, Path, description = "The month or the quarter", example = "2025-03",
            pattern = "^[0-9]{4}-(0[1-9]|1[0-2]|Q[1-4])$"),
        ("If-Match" = Option<String>, Header, description = "The ETag of a closing, which is answered as it stands", example = "\"1\""),
        ("If-None-Match" = Option<String>, Header, description = "`*` if it is open", example = "*")),
    responses((status = 200, description = "It was closed", body = ClosedPeriod), (status = 201, description = "Closed", body = ClosedPeriod)))]
#[put("/v1/scoreboard/periods/{period}")]
async fn close_period(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    period: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let period = period_of(&period)?;
    let precondition = Precondition::either(&request)?;
    let (by, principal) = (caller.author(), caller.principal);
    let closing = app
        .db
        .write(by, async move |tx| {
            closing::close(tx, &principal, period, precondition).await
        })
        .await?;
    Ok(put_done(precondition, closing.version).json(ClosedPeriod::from(closing)))
}

/// Reopen a period
///
/// For a manager of the whole library, with a reason. Its ranking is that of the present again; what was closed stays
/// known, for `as_of`.
#[utoipa::path(tag = "scoreboard", security(("bearer" = [])),
    params(("period" = String, Path, description = "The month or the quarter", example = "2025-03",
            pattern = "^[0-9]{4}-(0[1-9]|1[0-2]|Q[1-4])$"),
        ("If-Match" = String, Header, description = "The ETag of its closing", example = "\"1\""),
        ReopenParameters),
    responses((status = 204, description = "Reopened")))]
#[delete("/v1/scoreboard/periods/{period}")]
async fn reopen_period(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    period: web::Path<String>,
    parameters: Query<ReopenParameters>,
) -> Result<HttpResponse, Problem> {
    let period = period_of(&period)?;
    let seen = Precondition::if_match(&request)?;
    let reason = parameters.0.reason()?;
    let (by, principal) = (caller.author(), caller.principal);
    app.db
        .write(by, async move |tx| {
            closing::reopen(tx, &principal, period, seen, reason.as_str()).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
