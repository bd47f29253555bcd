//! Rights: asked for by the system administrator, decided and ended by the security administrator.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::page;
use super::query::Paging;
use crate::app::App;
use crate::auth::{Caller, Role};
use crate::body::{Body, Parameters, Query, documented, read_part};
use crate::input::read::Reader;
use crate::page::Page;
use crate::problem::{Fault, Problem};
use crate::store::Failure;
use crate::store::account::grant::{self, Origin, Question, Wanted};

/// What may become of a right.
const STATES: [&str; 4] = ["requested", "granted", "rejected", "ended"];

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_grants)
        .service(list_users_grants)
        .service(request_grant)
        .service(decide_grant)
        .service(end_grant);
}

/// A right of an account, whatever has become of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Grant {
    /// Which.
    id: Uuid,
    /// Whose.
    account: Uuid,
    /// The role: `officer`, `manager`, `leader`, `system_admin`, `security_admin`, `audit_admin`.
    #[schema(example = "officer")]
    role: String,
    /// The region in whose subtree it holds; null for every region.
    #[schema(example = "211100")]
    region: Option<String>,
    /// The unit for whose projects it holds; null for every unit.
    unit: Option<String>,
    /// The first day on which it holds.
    valid_from: Option<NaiveDate>,
    /// The last day on which it holds.
    valid_until: Option<NaiveDate>,
    /// Where it comes from: `request`, `terminal`, `identity_provider`.
    #[schema(example = "request")]
    origin: String,
    /// What has become of it: `requested`, `granted`, `rejected`, `ended`.
    #[schema(example = "granted")]
    state: String,
    /// Who asked for it.
    requested_by: Option<Uuid>,
    /// When.
    requested_at: DateTime<Utc>,
    /// Who decided.
    decided_by: Option<Uuid>,
    /// When.
    decided_at: Option<DateTime<Utc>>,
    /// Why so.
    note: Option<String>,
    /// When it ended.
    ended_at: Option<DateTime<Utc>>,
}

impl From<grant::Record> for Grant {
    fn from(record: grant::Record) -> Self {
        let grant::Record {
            id,
            account,
            role,
            region,
            unit,
            valid_from,
            valid_until,
            origin,
            state,
            requested_by,
            requested_at,
            decided_by,
            decided_at,
            note,
            ended_at,
        } = record;
        Self {
            id,
            account,
            role,
            region,
            unit,
            valid_from,
            valid_until,
            origin,
            state,
            requested_by,
            requested_at,
            decided_by,
            decided_at,
            note,
            ended_at,
        }
    }
}

/// Which rights.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct GrantFilters {
    /// What has become of it: `requested`, `granted`, `rejected`, `ended`.
    #[param(
        pattern = "^(requested|granted|rejected|ended)$",
        example = "requested"
    )]
    state: Option<String>,
}

/// The parameters of a list of rights.
#[derive(Debug)]
pub struct GrantQuery {
    filters: GrantFilters,
    paging: Paging,
}

impl Parameters for GrantQuery {
    fn names() -> Vec<String> {
        [documented::<GrantFilters>(), documented::<Paging>()].concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        let filters: GrantFilters = read_part(query)?;
        if let Some(state) = &filters.state
            && !STATES.contains(&state.as_str())
        {
            return Err(Problem::bad_parameters(vec![Fault::parameter(
                "state",
                "unknown_code",
                format!("没有 {state} 这个值；可用：{}", STATES.join("、")),
                format!(
                    "There is no such value as {state}; there are: {}",
                    STATES.join(", ")
                ),
            )]));
        }
        Ok(Self {
            filters,
            paging: read_part(query)?,
        })
    }
}

async fn list(
    app: &App,
    request: &HttpRequest,
    account: Option<Uuid>,
    query: GrantQuery,
) -> Result<HttpResponse, Problem> {
    let (limit, cursor) = query.paging.checked()?;
    let question = Question {
        account,
        state: query.filters.state,
        limit,
        cursor,
    };
    let (records, next) = grant::page(app.db.reader(), &question)
        .await
        .map_err(Failure::told)?;
    let items: Vec<Grant> = records.into_iter().map(Grant::from).collect();
    Ok(page(request, items, next, None))
}

/// List rights
///
/// Of all accounts, the latest first; `state=requested` are those that wait for a decision.
#[utoipa::path(tag = "users", params(GrantFilters, Paging), security(("bearer" = [])),
    responses((status = 200, description = "A page of them", body = Page<Grant>)))]
#[get("/v1/grants")]
async fn list_grants(
    app: web::Data<App>,
    request: HttpRequest,
    _caller: Caller,
    query: Query<GrantQuery>,
) -> Result<HttpResponse, Problem> {
    list(&app, &request, None, query.0).await
}

/// List the rights of an account
#[utoipa::path(tag = "users", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account"), GrantFilters, Paging),
    responses((status = 200, description = "A page of them", body = Page<Grant>)))]
#[get("/v1/users/{id}/grants")]
async fn list_users_grants(
    app: web::Data<App>,
    request: HttpRequest,
    _caller: Caller,
    id: web::Path<Uuid>,
    query: Query<GrantQuery>,
) -> Result<HttpResponse, Problem> {
    list(&app, &request, Some(*id), query.0).await
}

/// A right that is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantRequest {
    /// The role: `officer`, `manager`, `leader`, `system_admin`, `security_admin`, `audit_admin`.
    #[schema(example = "officer")]
    role: String,
    /// The region in whose subtree it is to hold; null for every region.
    #[schema(example = "211104")]
    region: Option<String>,
    /// The unit for whose projects it is to hold; null for every unit.
    #[schema(example = json!(null))]
    unit: Option<String>,
    /// The first day on which it is to hold; null from the day it is granted.
    #[schema(example = json!(null))]
    valid_from: Option<NaiveDate>,
    /// The last day on which it is to hold; null without an end.
    #[schema(example = json!(null))]
    valid_until: Option<NaiveDate>,
}

/// Ask for a right
///
/// For somebody else; it holds once the security administrator has granted it.
#[utoipa::path(tag = "users", request_body = GrantRequest, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 201, description = "Asked for", body = Grant)))]
#[post("/v1/users/{id}/grants")]
async fn request_grant(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
    body: Body<GrantRequest>,
) -> Result<HttpResponse, Problem> {
    let GrantRequest {
        role,
        region,
        unit,
        valid_from,
        valid_until,
    } = body.value;
    let mut reader = Reader::default();
    let role = reader.coded("/role", Role::from_code, &role);
    let valid_from = valid_from.and_then(|day| reader.day("/valid_from", day));
    let valid_until = valid_until.and_then(|day| reader.day("/valid_until", day));
    let Some(role) = role.filter(|_| reader.faults.is_empty()) else {
        return Err(Problem::invalid(reader.faults));
    };
    let wanted = Wanted {
        role,
        region,
        unit,
        valid_from,
        valid_until,
    };
    let id = id.into_inner();
    let record = app
        .db
        .write(caller.author(), async move |tx| {
            grant::add(tx, id, &wanted, Origin::Request).await
        })
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/v1/users/{id}/grants")))
        .json(Grant::from(record)))
}

/// A decision on a right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantDecision {
    /// Whether it is granted; otherwise it is rejected.
    granted: bool,
    /// Why so.
    #[schema(min_length = 1, max_length = 2000, example = "按市政府人事任命")]
    note: Option<String>,
}

/// Decide on a right
///
/// Neither by who asked for it nor by who is to get it.
#[utoipa::path(tag = "users", request_body = GrantDecision, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The right")),
    responses((status = 200, description = "As it is now", body = Grant)))]
#[post("/v1/grants/{id}/decide")]
async fn decide_grant(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
    body: Body<GrantDecision>,
) -> Result<HttpResponse, Problem> {
    let GrantDecision { granted, note } = body.value;
    let mut reader = Reader::default();
    let note = note.and_then(|note| reader.lines::<2000>("/note", &note));
    if !reader.faults.is_empty() {
        return Err(Problem::invalid(reader.faults));
    }
    let id = id.into_inner();
    let record = app
        .db
        .write(caller.author(), async move |tx| {
            let note = note.as_ref().map(domain::text::Text::as_str);
            grant::decide(tx, id, granted, note).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(Grant::from(record)))
}

/// End a right
///
/// It is gone at the next request of whoever had it. A request is withdrawn.
#[utoipa::path(tag = "users", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The right")),
    responses((status = 200, description = "As it is now", body = Grant)))]
#[post("/v1/grants/{id}/end")]
async fn end_grant(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let id = id.into_inner();
    let record = app
        .db
        .write(caller.author(), async move |tx| grant::end(tx, id).await)
        .await?;
    Ok(HttpResponse::Ok().json(Grant::from(record)))
}
