//! Permits and documents of a project.

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use domain::approval::ApprovalItem;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::views::Approval;
use super::{page, put_done, single};
use crate::app::App;
use crate::auth::Caller;
use crate::body::Body;
use crate::codes::ApprovalItemCode;
use crate::input::approval::ApprovalInput;
use crate::page::Page;
use crate::precondition::Precondition;
use crate::problem::Problem;
use crate::store::{Failure, approval};

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_approvals)
        .service(get_approval)
        .service(put_approval);
}

/// List the permits of a project
///
/// Those that something is known of; there are nine at the most, so there is one page.
#[utoipa::path(tag = "evidence", params(("id" = Uuid, Path, description = "The project")), security(("bearer" = [])),
    responses((status = 200, description = "The permits", body = Page<Approval>)))]
#[get("/v1/projects/{id}/approvals")]
async fn list_approvals(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let all = approval::all(app.db.reader(), &caller.principal.reads(), *id)
        .await
        .map_err(Failure::told)?;
    let items: Vec<Approval> = all.into_iter().map(Approval::from).collect();
    Ok(page(&request, items, None, None))
}

/// Read a permit of a project
#[utoipa::path(tag = "evidence", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"),
        ("item" = inline(ApprovalItemCode), Path, description = "Which permit", example = "land_use")),
    responses((status = 200, description = "The permit", body = Approval)))]
#[get("/v1/projects/{id}/approvals/{item}")]
async fn get_approval(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(Uuid, String)>,
) -> Result<HttpResponse, Problem> {
    let (id, item) = path.into_inner();
    let item = ApprovalItem::from_code(&item).ok_or_else(Problem::not_found)?;
    let all = approval::all(app.db.reader(), &caller.principal.reads(), id)
        .await
        .map_err(Failure::told)?;
    let found = all.into_iter().find(|record| record.item == item);
    let found = Approval::from(found.ok_or_else(Problem::not_found)?);
    Ok(single(&found, found.version))
}

/// Say how a permit of a project stands
///
/// `If-None-Match: *` for the first word on it, `If-Match` to change it.
#[utoipa::path(tag = "evidence", request_body = ApprovalInput, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"),
        ("item" = inline(ApprovalItemCode), Path, description = "Which permit", example = "land_use"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is changed", example = "\"7\""),
        ("If-None-Match" = Option<String>, Header, description = "`*` if nothing was known of it", example = "*")),
    responses((status = 200, description = "As it stands now", body = Approval), (status = 201, description = "The first word on it", body = Approval)))]
#[put("/v1/projects/{id}/approvals/{item}")]
async fn put_approval(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(Uuid, String)>,
    body: Body<ApprovalInput>,
) -> Result<HttpResponse, Problem> {
    let (id, item) = path.into_inner();
    let item = ApprovalItem::from_code(&item).ok_or_else(Problem::not_found)?;
    let precondition = Precondition::either(&request)?;
    let clock = app.db.clock();
    let new = body.value.read(clock.day_of(clock.now()))?;
    let (by, principal) = (caller.author(), caller.principal);
    let record = app
        .db
        .write(by, async move |tx| {
            approval::put(tx, &principal, id, item, precondition, new.clone()).await
        })
        .await?;
    let view = Approval::from(record);
    Ok(put_done(precondition, view.version).json(view))
}
