//! What was done to a project.

use actix_web::{HttpRequest, HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::page;
use super::query::Paging;
use super::views::HistoryEntry;
use crate::app::App;
use crate::auth::Caller;
use crate::body::Query;
use crate::page::Page;
use crate::problem::Problem;
use crate::store::{Failure, history};

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(get_project_history);
}

/// Read a project's history
///
/// Every event, newest first: moves, amounts, changes, with before and after.
#[utoipa::path(tag = "projects", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"), Paging),
    responses((status = 200, description = "A page of its history", body = Page<HistoryEntry>)))]
#[get("/v1/projects/{id}/history")]
async fn get_project_history(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
    paging: Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let (limit, cursor) = paging.0.checked()?;
    let reach = caller.principal.reads();
    let (entries, next) = history::read(app.db.reader(), &reach, *id, limit, cursor.as_deref())
        .await
        .map_err(Failure::told)?;
    let items: Vec<HistoryEntry> = entries.into_iter().map(HistoryEntry::from).collect();
    Ok(page(&request, items, next, None))
}
