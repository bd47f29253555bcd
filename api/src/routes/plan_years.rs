//! Annual plans of a project.

use actix_web::{HttpRequest, HttpResponse, delete, get, put, web};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::views::PlanYear;
use super::{page, put_done, single};
use crate::app::App;
use crate::auth::Caller;
use crate::body::Body;
use crate::input::read::Reader;
use crate::page::Page;
use crate::precondition::Precondition;
use crate::problem::Problem;
use crate::store::{Failure, plan_year};

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_plan_years)
        .service(get_plan_year)
        .service(put_plan_year)
        .service(delete_plan_year);
}

/// A project's place in an annual plan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"planned_investment": "120000000.00"}))]
pub struct PlanYearInput {
    /// The investment planned for the year, in 元; null if not told.
    #[schema(pattern = r"^[0-9]{1,16}(\.[0-9]{1,2})?$")]
    planned_investment: Option<String>,
}

/// The years that a plan may be for.
pub(super) fn year_of(year: i32) -> Result<i32, Problem> {
    if (1949..=2200).contains(&year) {
        Ok(year)
    } else {
        Err(Problem::not_found())
    }
}

/// List the annual plans of a project
///
/// All years on one page.
#[utoipa::path(tag = "evidence", params(("id" = Uuid, Path, description = "The project")), security(("bearer" = [])),
    responses((status = 200, description = "The years", body = Page<PlanYear>)))]
#[get("/v1/projects/{id}/plan-years")]
async fn list_plan_years(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let all = plan_year::all(app.db.reader(), &caller.principal.reads(), *id)
        .await
        .map_err(Failure::told)?;
    let items: Vec<PlanYear> = all.into_iter().map(PlanYear::from).collect();
    Ok(page(&request, items, None, None))
}

/// Read a project's place in the annual plan of a year
#[utoipa::path(tag = "evidence", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"),
        ("year" = i32, Path, description = "The year", example = 2025, minimum = 1949, maximum = 2200)),
    responses((status = 200, description = "Its place", body = PlanYear)))]
#[get("/v1/projects/{id}/plan-years/{year}")]
async fn get_plan_year(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(Uuid, i32)>,
) -> Result<HttpResponse, Problem> {
    let (id, year) = path.into_inner();
    let all = plan_year::all(app.db.reader(), &caller.principal.reads(), id)
        .await
        .map_err(Failure::told)?;
    let found = all.into_iter().find(|record| record.year == year);
    let found = PlanYear::from(found.ok_or_else(Problem::not_found)?);
    Ok(single(&found, found.version))
}

/// Put a project into the annual plan of a year
///
/// A manager's. `If-None-Match: *` to put it in, `If-Match` to change its planned investment.
#[utoipa::path(tag = "evidence", request_body = PlanYearInput, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"),
        ("year" = i32, Path, description = "The year", example = 2025, minimum = 1949, maximum = 2200),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is changed", example = "\"7\""),
        ("If-None-Match" = Option<String>, Header, description = "`*` if it is not in that plan", example = "*")),
    responses((status = 200, description = "Its place now", body = PlanYear), (status = 201, description = "Put in", body = PlanYear)))]
#[put("/v1/projects/{id}/plan-years/{year}")]
async fn put_plan_year(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(Uuid, i32)>,
    body: Body<PlanYearInput>,
) -> Result<HttpResponse, Problem> {
    let (id, year) = path.into_inner();
    let year = year_of(year)?;
    let precondition = Precondition::either(&request)?;
    let mut reader = Reader::default();
    let planned = body.value.planned_investment.as_deref();
    let planned = planned.and_then(|amount| reader.money("/planned_investment", amount));
    if !reader.faults.is_empty() {
        return Err(Problem::invalid(reader.faults));
    }
    let (by, principal) = (caller.author(), caller.principal);
    let record = app
        .db
        .write(by, async move |tx| {
            plan_year::put(tx, &principal, id, year, precondition, planned).await
        })
        .await?;
    let view = PlanYear::from(record);
    Ok(put_done(precondition, view.version).json(view))
}

/// Take a project out of the annual plan of a year
#[utoipa::path(tag = "evidence", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"),
        ("year" = i32, Path, description = "The year", example = 2025, minimum = 1949, maximum = 2200),
        ("If-Match" = String, Header, description = "The ETag of the version that is taken out", example = "\"1\"")),
    responses((status = 204, description = "Taken out")))]
#[delete("/v1/projects/{id}/plan-years/{year}")]
async fn delete_plan_year(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(Uuid, i32)>,
) -> Result<HttpResponse, Problem> {
    let (id, year) = path.into_inner();
    let seen = Precondition::if_match(&request)?;
    let (by, principal) = (caller.author(), caller.principal);
    app.db
        .write(by, async move |tx| {
            plan_year::remove(tx, &principal, id, year, seen).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
