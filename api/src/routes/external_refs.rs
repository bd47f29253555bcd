//! The keys under which other offices' systems know projects.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, delete, get, put, web};
use chrono::{DateTime, Utc};
use domain::code::ProjectCode;
use domain::text::Text;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::projects::upsert;
use super::views::Project;
use super::{page, single};
use crate::app::App;
use crate::auth::Caller;
use crate::body::Body;
use crate::input::ProjectFields;
use crate::page::Page;
use crate::precondition::{Precondition, etag};
use crate::problem::value::text_told;
use crate::problem::{Fault, Problem};
use crate::store::Failure;
use crate::store::external_ref::{self, ExternalRef, Record};
use crate::store::project::Known;

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_external_refs)
        .service(put_external_ref)
        .service(delete_external_ref)
        .service(get_project_by_ref)
        .service(upsert_project_by_ref);
}

/// The key under which a system knows a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExternalRefView {
    /// Which system.
    #[schema(example = "oa")]
    system: String,
    /// Its key of the project.
    #[schema(example = "XM-2025-0042")]
    key: String,
    /// Since when the two are linked.
    linked_at: DateTime<Utc>,
}

impl From<Record> for ExternalRefView {
    fn from(record: Record) -> Self {
        let Record {
            system,
            key,
            linked_at,
        } = record;
        Self {
            system,
            key,
            linked_at,
        }
    }
}

/// A system's key of a project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyInput {
    /// The key.
    #[schema(min_length = 1, max_length = 128, example = "XM-2025-0042")]
    key: String,
}

/// A system and its key, as they stand in a path or a body.
///
/// # Errors
/// What is wrong with either; `placed` says where it stands.
pub(super) fn external(
    system: &str,
    key: &str,
    placed: impl Fn(Fault, &'static str) -> Fault,
) -> Result<ExternalRef, Problem> {
    let system = exactly::<64>(system).map_err(|fault| placed(fault, "system"));
    let key = exactly::<128>(key).map_err(|fault| placed(fault, "key"));
    match (system, key) {
        (Ok(system), Ok(key)) => Ok(ExternalRef { system, key }),
        (system, key) => {
            let faults = [system.err(), key.err()];
            Err(Problem::invalid(faults.into_iter().flatten().collect()))
        }
    }
}

/// A text as it stands: a key with a blank at its end would be another one.
fn exactly<const MAX: usize>(text: &str) -> Result<Text<MAX>, Fault> {
    let read = Text::parse(text).map_err(|error| text_told("", &error))?;
    if read.as_str() == text {
        return Ok(read);
    }
    Err(Fault::at(
        "",
        "blank_at_the_ends",
        "首尾不能有空白",
        "It may not begin or end with a blank",
    ))
}

fn of_path(system: &str, key: &str) -> Result<ExternalRef, Problem> {
    external(system, key, Fault::of_parameter)
}

/// List the keys of a project
///
/// Under which other offices' systems know it; all on one page.
#[utoipa::path(tag = "exchange", params(("id" = Uuid, Path, description = "The project")), security(("bearer" = [])),
    responses((status = 200, description = "The keys, by system", body = Page<ExternalRefView>)))]
#[get("/v1/projects/{id}/external-refs")]
async fn list_external_refs(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let all = external_ref::all(app.db.reader(), &caller.principal.reads(), *id)
        .await
        .map_err(Failure::told)?;
    let items: Vec<ExternalRefView> = all.into_iter().map(ExternalRefView::from).collect();
    Ok(page(&request, items, None, None))
}

/// Say under which key a system knows a project
///
/// In place of the one that the system had for it. The entity tag is the project's.
#[utoipa::path(tag = "exchange", request_body = KeyInput, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"),
        ("system" = String, Path, description = "The system", example = "oa"),
        ("If-Match" = String, Header, description = "The ETag of the project", example = "\"7\"")),
    responses((status = 200, description = "The key", body = ExternalRefView)))]
#[put("/v1/projects/{id}/external-refs/{system}")]
async fn put_external_ref(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(Uuid, String)>,
    body: Body<KeyInput>,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(&request)?;
    let (id, system) = path.into_inner();
    let of = external(&system, &body.value.key, |fault, name| match name {
        "key" => fault.within("/key"),
        _ => fault.of_parameter(name),
    })?;
    let (by, principal) = (caller.author(), caller.principal);
    let (record, version) = app
        .db
        .write(by, async move |tx| {
            external_ref::link(tx, &principal, id, seen, &of).await
        })
        .await?;
    Ok(single(&ExternalRefView::from(record), version))
}

/// Take a system's key off a project
#[utoipa::path(tag = "exchange", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"),
        ("system" = String, Path, description = "The system", example = "oa"),
        ("If-Match" = String, Header, description = "The ETag of the project", example = "\"7\"")),
    responses((status = 204, description = "Taken off")))]
#[delete("/v1/projects/{id}/external-refs/{system}")]
async fn delete_external_ref(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(Uuid, String)>,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(&request)?;
    let (id, system) = path.into_inner();
    let (by, principal) = (caller.author(), caller.principal);
    let version = app
        .db
        .write(by, async move |tx| {
            external_ref::unlink(tx, &principal, id, seen, &system).await
        })
        .await?;
    Ok(HttpResponse::NoContent()
        .insert_header((ETAG, etag(version)))
        .finish())
}

/// Look a project up by another system's key
#[utoipa::path(tag = "exchange", security(("bearer" = [])),
    params(("system" = String, Path, description = "The system", example = "oa"),
        ("key" = String, Path, description = "Its key of the project", example = "XM-2025-0042")),
    responses((status = 200, description = "The project", body = Project)))]
#[get("/v1/external-refs/{system}/{key}")]
async fn get_project_by_ref(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (system, key) = path.into_inner();
    let of = of_path(&system, &key).map_err(|_| Problem::not_found())?;
    let record = external_ref::read(app.db.reader(), &caller.principal.reads(), &of)
        .await
        .map_err(Failure::told)?;
    let version = record.version;
    Ok(single(&Project::single(record), version))
}

/// Make or amend a project by another system's key
///
/// `If-None-Match: *` registers it and links it to the key, `If-Match` amends it as a merge patch does. A project that is
/// not linked yet and is found by its 项目代码 is amended and linked. The stage is never changed.
#[utoipa::path(tag = "exchange", request_body = ProjectFields, security(("bearer" = [])),
    params(("system" = String, Path, description = "The system", example = "oa"),
        ("key" = String, Path, description = "Its key of the project", example = "XM-2025-0042"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is changed", example = "\"7\""),
        ("If-None-Match" = Option<String>, Header, description = "`*` if there must be none", example = "*")),
    responses((status = 200, description = "Amended", body = Project), (status = 201, description = "Registered", body = Project)))]
#[put("/v1/external-refs/{system}/{key}")]
async fn upsert_project_by_ref(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, String)>,
    body: Body<ProjectFields>,
) -> Result<HttpResponse, Problem> {
    let (system, key) = path.into_inner();
    let fields = body.value;
    fields.refuse_secret()?;
    let known = Known {
        external: Some(of_path(&system, &key)?),
        code: code_of(&fields),
    };
    upsert(&app, &request, caller, known, fields).await
}

/// The 项目代码 among some fields, if it is one.
pub(super) fn code_of(fields: &ProjectFields) -> Option<ProjectCode> {
    let code = fields.code.as_ref()?.as_deref()?;
    ProjectCode::parse(code).ok()
}
