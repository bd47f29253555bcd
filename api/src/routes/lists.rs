//! Which projects stand on which lists. The lists themselves are reference data.

use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, delete, put, web};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::app::App;
use crate::auth::Caller;
use crate::precondition::{Precondition, etag};
use crate::problem::Problem;
use crate::store::list;

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(add_to_list).service(remove_from_list);
}

/// Put a project on a list
///
/// A manager's; the `If-Match` is the list's ETag. Doing it twice changes nothing.
#[utoipa::path(tag = "lists", security(("bearer" = [])),
    params(("code" = String, Path, description = "The list", example = "gas-storage"),
        ("id" = Uuid, Path, description = "The project"),
        ("If-Match" = String, Header, description = "The ETag of the list", example = "\"1\"")),
    responses((status = 204, description = "It stands on the list; the ETag is the list's")))]
#[put("/v1/lists/{code}/projects/{id}")]
async fn add_to_list(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, Uuid)>,
) -> Result<HttpResponse, Problem> {
    set(&app, &request, caller, path.into_inner(), true).await
}

/// Take a project off a list
///
/// A manager's; the `If-Match` is the list's ETag. Doing it twice changes nothing.
#[utoipa::path(tag = "lists", security(("bearer" = [])),
    params(("code" = String, Path, description = "The list", example = "gas-storage"),
        ("id" = Uuid, Path, description = "The project"),
        ("If-Match" = String, Header, description = "The ETag of the list", example = "\"1\"")),
    responses((status = 204, description = "It does not stand on the list; the ETag is the list's")))]
#[delete("/v1/lists/{code}/projects/{id}")]
async fn remove_from_list(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    path: web::Path<(String, Uuid)>,
) -> Result<HttpResponse, Problem> {
    set(&app, &request, caller, path.into_inner(), false).await
}

async fn set(
    app: &App,
    request: &HttpRequest,
    caller: Caller,
    (code, id): (String, Uuid),
    member: bool,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(request)?;
    let (by, principal) = (caller.author(), caller.principal);
    let version = app
        .db
        .write(by, async move |tx| {
            list::set_membership(tx, &principal, &code, id, seen, member).await
        })
        .await?;
    Ok(HttpResponse::NoContent()
        .insert_header((ETAG, etag(version)))
        .finish())
}
