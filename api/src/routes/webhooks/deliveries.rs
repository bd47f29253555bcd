//! What was delivered to a webhook, and sending it again.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::super::page;
use super::super::query::Paging;
use super::place;
use crate::app::App;
use crate::auth::Caller;
use crate::body::{Body, Parameters, Query, documented, read_part};
use crate::codes::DeliveryStatusCode;
use crate::page::Page;
use crate::problem::{Problem, value::unknown_parameter_value};
use crate::store::webhook::log::{self, Delivery, Replayed, Status};
use domain::coded::Coded;

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_deliveries)
        .service(get_delivery)
        .service(replay_delivery)
        .service(replay_deliveries);
}

/// One attempt to deliver an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookAttempt {
    /// When.
    tried_at: DateTime<Utc>,
    /// What the receiver answered; null if nothing.
    response_status: Option<i32>,
    /// Why it has not taken it, as in a test; null if it has.
    error: Option<String>,
    /// How long it took, in milliseconds.
    duration_ms: i64,
}

/// One event that a webhook is told of, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// Which.
    id: Uuid,
    /// The event: its `webhook-id`.
    event: Uuid,
    /// Its place in the feed.
    #[schema(example = "4711")]
    place: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "taizhang.project.moved")]
    of: String,
    /// What it is about.
    subject: String,
    /// How it stands: `pending`, `delivered`, `failed`, or `skipped` for one that the webhook's owner could no longer read.
    status: DeliveryStatusCode,
    /// When it is tried next; null if it is done, is being sent, or waits for another about the same.
    next_at: Option<DateTime<Utc>>,
    /// When it was put down.
    created_at: DateTime<Utc>,
    /// When it was done.
    done_at: Option<DateTime<Utc>>,
    /// The attempts, oldest first.
    attempts: Vec<WebhookAttempt>,
}

impl From<Delivery> for WebhookDelivery {
    fn from(delivery: Delivery) -> Self {
        let Delivery {
            id,
            event,
            seq,
            of,
            subject,
            status,
            next_at,
            created_at,
            done_at,
            attempts,
        } = delivery;
        let attempt = |tried: log::Attempt| WebhookAttempt {
            tried_at: tried.tried_at,
            response_status: tried.response_status,
            error: tried.error,
            duration_ms: tried.duration_ms,
        };
        Self {
            id,
            event,
            place: seq.to_string(),
            of,
            subject,
            status: DeliveryStatusCode(status),
            next_at,
            created_at,
            done_at,
            attempts: attempts.into_iter().map(attempt).collect(),
        }
    }
}

/// Which deliveries.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct DeliveryFilters {
    /// Only those that stand so.
    #[param(value_type = Option<DeliveryStatusCode>, inline)]
    status: Option<String>,
}

/// The parameters of a list of deliveries.
#[derive(Debug)]
pub struct DeliveryQuery {
    filters: DeliveryFilters,
    paging: Paging,
}

impl Parameters for DeliveryQuery {
    fn names() -> Vec<String> {
        [documented::<DeliveryFilters>(), documented::<Paging>()].concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            filters: read_part(query)?,
            paging: read_part(query)?,
        })
    }
}

impl DeliveryFilters {
    fn status(&self) -> Result<Option<Status>, Problem> {
        let read = |code: &String| {
            let status = Status::of_code(code);
            status.ok_or_else(|| unknown_parameter_value::<Status>("status", code))
        };
        self.status.as_ref().map(read).transpose()
    }
}

/// What a webhook was told
///
/// Newest first, with every attempt. Kept for thirty days; nothing of what receivers answer is kept but the status.
#[utoipa::path(tag = "webhooks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The webhook"), DeliveryFilters, Paging),
    responses((status = 200, description = "A page of deliveries", body = Page<WebhookDelivery>)))]
#[get("/v1/webhooks/{id}/deliveries")]
async fn list_deliveries(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
    query: Query<DeliveryQuery>,
) -> Result<HttpResponse, Problem> {
    let DeliveryQuery { filters, paging } = query.0;
    let status = filters.status()?;
    let (limit, cursor) = paging.checked()?;
    let (principal, id) = (caller.principal, id.into_inner());
    let (deliveries, next) = app
        .db
        .read(async move |tx| {
            log::page(tx, &principal, id, status, (limit, cursor.as_deref())).await
        })
        .await?;
    let items: Vec<WebhookDelivery> = deliveries.into_iter().map(Into::into).collect();
    Ok(page(&request, items, next, None))
}

/// One event that a webhook was told
#[utoipa::path(tag = "webhooks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The webhook"), ("delivery" = Uuid, Path, description = "The delivery")),
    responses((status = 200, description = "The delivery", body = WebhookDelivery)))]
#[get("/v1/webhooks/{id}/deliveries/{delivery}")]
async fn get_delivery(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (id, delivery) = path.into_inner();
    let principal = caller.principal;
    let found = app
        .db
        .read(async move |tx| log::read(tx, &principal, id, delivery).await)
        .await?;
    Ok(HttpResponse::Ok().json(WebhookDelivery::from(found)))
}

/// Send an event again
///
/// However it stands, under the same `webhook-id`; what came later about the same subject and has not been sent waits for
/// it.
#[utoipa::path(tag = "webhooks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The webhook"), ("delivery" = Uuid, Path, description = "The delivery")),
    responses((status = 200, description = "The delivery, as it stands now", body = WebhookDelivery)))]
#[post("/v1/webhooks/{id}/deliveries/{delivery}/replay")]
async fn replay_delivery(
    app: web::Data<App>,
    caller: Caller,
    path: web::Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (id, delivery) = path.into_inner();
    let (by, principal) = (caller.author(), caller.principal);
    let found = app
        .db
        .write(by, async move |tx| {
            log::replay(tx, &principal, id, Replayed::One(delivery)).await?;
            log::read(&tx.db, &principal, id, delivery).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(WebhookDelivery::from(found)))
}

/// Which deliveries are sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplayRequest {
    /// Those of events after this place of the feed; `0` for all that are kept.
    #[schema(pattern = "^(latest|[0-9]{1,20})$", example = "0")]
    after: String,
    /// Only those that have failed; otherwise those that were delivered or skipped too.
    #[serde(default = "yes")]
    #[schema(default = true)]
    only_failed: bool,
}

const fn yes() -> bool {
    true
}

/// How much is sent again.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayBegun {
    /// How many deliveries.
    deliveries: usize,
    /// Where to go on, if there may be more: 10,000 are taken at a time. Null if these are all.
    #[schema(required = true)]
    next_after: Option<String>,
}

/// Send events again
///
/// Those that failed since a place of the feed, or all, under the same ids and each subject's in order.
#[utoipa::path(tag = "webhooks", request_body = ReplayRequest, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "How many", body = ReplayBegun)))]
#[post("/v1/webhooks/{id}/replay")]
async fn replay_deliveries(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
    body: Body<ReplayRequest>,
) -> Result<HttpResponse, Problem> {
    const FAILED: &[Status] = &[Status::Failed];
    const DONE: &[Status] = &[Status::Failed, Status::Delivered, Status::Skipped];
    let ReplayRequest { after, only_failed } = body.value;
    let (by, principal, id) = (caller.author(), caller.principal, id.into_inner());
    // After the latest there is nothing.
    let after = place(&app, Some(&after)).await?.unwrap_or(i64::MAX);
    let which = Replayed::Since(after, if only_failed { FAILED } else { DONE });
    let (deliveries, last) = app
        .db
        .write(by, async move |tx| {
            log::replay(tx, &principal, id, which).await
        })
        .await?;
    Ok(HttpResponse::Ok().json(ReplayBegun {
        deliveries,
        next_after: last.map(|place| place.to_string()),
    }))
}
