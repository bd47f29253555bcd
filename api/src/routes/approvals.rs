//! Permits and documents of a project.

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use chrono::NaiveDate;
use domain::approval::{ApprovalItem, ApprovalStatus};
use domain::text::Text;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::views::Approval;
use super::{page, put_done, single};
use crate::app::App;
use crate::auth::Caller;
use crate::body::Body;
use crate::codes::{ApprovalItemCode, ApprovalStatusCode};
use crate::input::read::Reader;
use crate::page::Page;
use crate::precondition::Precondition;
use crate::problem::{Fault, Problem};
use crate::store::{Failure, approval};

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_approvals)
        .service(get_approval)
        .service(put_approval);
}

/// How a permit stands.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "obtained", "document_number": "地字第2111002025001号", "issued_on": "2025-02-20",
    "authority": "盘锦市自然资源局"}))]
pub struct ApprovalInput {
    /// How far it has come; `waived` is a manager's word and needs a reason.
    #[schema(value_type = ApprovalStatusCode)]
    status: String,
    /// 文号; needed once obtained.
    #[schema(min_length = 1, max_length = 100)]
    document_number: Option<String>,
    /// The day of the document; needed once obtained.
    issued_on: Option<NaiveDate>,
    /// Who issued it; needed once obtained.
    #[schema(min_length = 1, max_length = 200)]
    authority: Option<String>,
    /// Where it can be read.
    #[schema(min_length = 1, max_length = 1000, pattern = "^https?://")]
    attachment: Option<String>,
    /// Why it does not apply; needed if waived.
    #[schema(min_length = 1, max_length = 2000)]
    reason: Option<String>,
}

impl ApprovalInput {
    fn read(self, today: NaiveDate) -> Result<approval::Approval, Problem> {
        let mut reader = Reader::default();
        let status = reader.coded("/status", ApprovalStatus::from_code, &self.status);
        let number = self.document_number.as_deref();
        let number: Option<Text<100>> = number.and_then(|s| reader.text("/document_number", s));
        let authority = self.authority.as_deref();
        let authority: Option<Text<200>> = authority.and_then(|s| reader.text("/authority", s));
        let attachment = self.attachment.as_deref();
        let attachment = attachment.and_then(|s| reader.address("/attachment", s));
        let reason = self.reason.as_deref();
        let reason: Option<Text<2000>> = reason.and_then(|s| reader.lines("/reason", s));
        let issued_on = self.issued_on.and_then(|day| reader.day("/issued_on", day));
        if issued_on.is_some_and(|day| day > today) {
            reader.faults.push(Fault::at(
                "/issued_on",
                "date_in_future",
                "日期不能晚于今天",
                "The day is later than today",
            ));
        }
        let needed = |pointer| Fault::at(pointer, "required", "必须填写", "Required");
        let mut need = |pointer, is_there: bool| {
            if !is_there {
                reader.faults.push(needed(pointer));
            }
        };
        match status {
            Some(ApprovalStatus::Obtained) => {
                need("/document_number", self.document_number.is_some());
                need("/issued_on", self.issued_on.is_some());
                need("/authority", self.authority.is_some());
            }
            Some(ApprovalStatus::Waived) => need("/reason", self.reason.is_some()),
            Some(ApprovalStatus::Pending) | None => {}
        }
        match status {
            Some(status) if reader.faults.is_empty() => Ok(approval::Approval {
                status,
                document_number: number.map(Text::into_string),
                issued_on,
                authority: authority.map(Text::into_string),
                attachment: attachment.map(Text::into_string),
                reason: reason.map(Text::into_string),
            }),
            _ => Err(Problem::invalid(reader.faults)),
        }
    }
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
