//! Projects: listed, read, registered, amended, and looked up or upserted by code.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, put, web};
use domain::code::ProjectCode;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::once::{key, made, once};
use super::query::{Arrangement, ListParameters, Listing, ProjectFilters};
use super::views::Project;
use super::{page, put_done, single};
use crate::app::App;
use crate::auth::{Caller, Principal};
use crate::body::{Body, Patch, Query};
use crate::codes::ProjectRegistration;
use crate::input::ProjectFields;
use crate::page::Page;
use crate::precondition::Precondition;
use crate::problem::value::code_told;
use crate::problem::{Fault, Problem};
use crate::store::project::{self, Key, Known, Outcome, Registration, Seen};
use crate::store::{Failure, Tx, listing};

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_projects)
        .service(create_project)
        .service(get_project_by_code)
        .service(upsert_project_by_code)
        .service(get_project)
        .service(amend_project);
}

/// List projects
///
/// Every visible project that the filters let through, covers and parts too; with `counting`, the counted set
/// only, as a summary counts it.
#[utoipa::path(tag = "projects", params(ProjectFilters, Arrangement, Listing), security(("bearer" = [])),
    responses((status = 200, description = "A page of projects", body = Page<Project>)))]
#[get("/v1/projects")]
async fn list_projects(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    parameters: Query<ListParameters>,
) -> Result<HttpResponse, Problem> {
    let question = parameters.0.question(app.db.clock())?;
    let reach = caller.principal.reads();
    let answer = app
        .db
        .read(async move |tx| listing::answer(tx, &reach, question).await)
        .await?;
    let items: Vec<Project> = answer.records.into_iter().map(Project::from).collect();
    Ok(page(&request, items, answer.next, answer.total))
}

/// Register a project
///
/// It enters 谋划. Name, region, responsible unit and sector are needed.
#[utoipa::path(tag = "projects", request_body = ProjectRegistration, security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key does the same once", max_length = 255)),
    responses((status = 201, description = "Registered", body = Project)))]
#[post("/v1/projects")]
async fn create_project(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: Body<ProjectFields>,
) -> Result<HttpResponse, Problem> {
    let new = registration(&body.value)?;
    let key = key(&request, caller.principal.id, &body.bytes)?;
    let (by, principal) = (caller.author(), caller.principal);
    once(&app.db, by, key, async move |tx| {
        let record = project::register(tx, &principal, new.clone()).await?;
        let (id, version) = (record.id, record.version);
        made(&Project::single(record), version, Some(location(id)))
    })
    .await
}

fn registration(fields: &ProjectFields) -> Result<Registration, Problem> {
    fields.refuse_secret()?;
    Ok(Registration {
        facts: fields.registered().map_err(Problem::invalid)?,
        planned_on: fields.planned_on,
    })
}

pub(super) fn location(id: Uuid) -> String {
    format!("/v1/projects/{id}")
}

/// Read a project
#[utoipa::path(tag = "projects", params(("id" = Uuid, Path, description = "The project")), security(("bearer" = [])),
    responses((status = 200, description = "The project", body = Project)))]
#[get("/v1/projects/{id}")]
async fn get_project(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    read(&app, caller, Key::Id(*id)).await
}

/// Look a project up by its 项目代码
#[utoipa::path(tag = "projects", security(("bearer" = [])),
    params(("code" = String, Path, description = "The 项目代码", example = "2101-211100-04-01-123456")),
    responses((status = 200, description = "The project", body = Project)))]
#[get("/v1/projects/by-code/{code}")]
async fn get_project_by_code(
    app: web::Data<App>,
    caller: Caller,
    code: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    read(&app, caller, Key::Code(&code)).await
}

async fn read(app: &App, caller: Caller, key: Key<'_>) -> Result<HttpResponse, Problem> {
    if matches!(key, Key::Code(code) if ProjectCode::parse(code).is_err()) {
        return Err(Problem::not_found());
    }
    let record = project::read(app.db.reader(), &caller.principal.reads(), key)
        .await
        .map_err(Failure::told)?;
    let version = record.version;
    Ok(single(&Project::single(record), version))
}

/// Amend a project
///
/// A JSON Merge Patch (RFC 7396): what is absent stays, null clears. `total_investment`, `owner` and documents
/// are values and given whole. The stage is never changed here.
#[utoipa::path(tag = "projects", security(("bearer" = [])),
    request_body(content = ProjectFields, content_type = "application/merge-patch+json"),
    params(("id" = Uuid, Path, description = "The project"),
        ("If-Match" = String, Header, description = "The ETag of the version that is changed", example = "\"7\"")),
    responses((status = 200, description = "Amended", body = Project)))]
#[patch("/v1/projects/{id}")]
async fn amend_project(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
    patch: Patch<ProjectFields>,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(&request)?;
    let fields = patch.0;
    fields.refuse_secret()?;
    let (by, principal, id) = (caller.author(), caller.principal, *id);
    let record = app
        .db
        .write(by, async move |tx| {
            let change = |facts| fields.applied(facts).map_err(Problem::invalid);
            project::amend(tx, &principal, id, seen, change).await
        })
        .await?;
    let version = record.version;
    Ok(single(&Project::single(record), version))
}

/// Make or amend a project by its 项目代码
///
/// For other offices' systems. `If-None-Match: *` registers it, `If-Match` amends it as a merge patch does;
/// the stage is never changed.
#[utoipa::path(tag = "projects", request_body = ProjectFields, security(("bearer" = [])),
    params(("code" = String, Path, description = "The 项目代码", example = "2101-211100-04-01-123456"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is changed", example = "\"7\""),
        ("If-None-Match" = Option<String>, Header, description = "`*` if there must be none", example = "*")),
    responses((status = 200, description = "Amended", body = Project), (status = 201, description = "Registered", body = Project)))]
#[put("/v1/projects/by-code/{code}")]
async fn upsert_project_by_code(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    code: web::Path<String>,
    body: Body<ProjectFields>,
) -> Result<HttpResponse, Problem> {
    let fields = with_code(body.value, &code)?;
    let known = Known {
        external: None,
        code: ProjectCode::parse(&code).ok(),
    };
    upsert(&app, &request, caller, known, fields).await
}

/// Registers or amends the project that is known so, as the precondition of a PUT says.
pub(super) async fn upsert(
    app: &App,
    request: &HttpRequest,
    caller: Caller,
    known: Known,
    fields: ProjectFields,
) -> Result<HttpResponse, Problem> {
    let precondition = Precondition::either(request)?;
    let (by, principal) = (caller.author(), caller.principal);
    let seen = Seen::Precondition(precondition);
    let (_, record) = app
        .db
        .write(by, async move |tx| {
            Box::pin(put(tx, &principal, &known, seen, &fields)).await
        })
        .await?;
    Ok(put_done(precondition, record.version)
        .insert_header((LOCATION, location(record.id)))
        .json(Project::single(record)))
}

/// What is sent of a project, put where it is known.
pub(super) async fn put(
    tx: &Tx,
    principal: &Principal,
    known: &Known,
    seen: Seen,
    fields: &ProjectFields,
) -> Result<(Outcome, project::Record), Failure> {
    let new = || registration(fields);
    let change = |facts| fields.applied(facts).map_err(Problem::invalid);
    project::upsert(tx, principal, known, seen, new, change).await
}

fn with_code(fields: ProjectFields, code: &str) -> Result<ProjectFields, Problem> {
    fields.refuse_secret()?;
    if ProjectCode::parse(code).is_err() {
        return Err(Problem::invalid(vec![code_told("/code")]));
    }
    match &fields.code {
        None => {}
        Some(Some(same)) if same == code => {}
        Some(_) => {
            return Err(Problem::invalid(vec![Fault::at(
                "/code",
                "code_differs",
                "与地址中的项目代码不一致",
                "It is not the code in the address",
            )]));
        }
    }
    Ok(ProjectFields {
        code: Some(Some(code.to_owned())),
        ..fields
    })
}
