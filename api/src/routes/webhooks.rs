//! Webhooks: other offices' systems are told of what happens, where they want to be.

pub mod deliveries;

use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::auth::broken_key;
use super::events::begin;
use super::query::{Paging, Place};
use super::service_accounts::overlap;
use super::views::ProblemDetails;
use super::{once, page, single};
use crate::app::App;
use crate::auth::Caller;
use crate::body::{Body, Patch, Query};
use crate::clock::new_id;
use crate::cloud_event::CloudEvent;
use crate::codes::EventTypeCode;
use crate::delivery::signature::Secret;
use crate::delivery::{self, receiver};
use crate::input::webhook::{NewWebhook, WebhookPatch, refused_told};
use crate::input::whole;
use crate::page::Page;
use crate::precondition::Precondition;
use crate::problem::{Fault, Problem, kinds};
use crate::store::Failure;
use crate::store::idempotency::Answer;
use crate::store::webhook::{self, Reason, Record};

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_webhooks)
        .service(create_webhook)
        .service(get_webhook)
        .service(amend_webhook)
        .service(delete_webhook)
        .service(add_webhook_secret)
        .service(test_webhook);
    deliveries::operations(service);
}

/// One who is told of what happens.
#[derive(Debug, Serialize, ToSchema)]
pub struct Webhook {
    /// Which.
    id: Uuid,
    /// The name of the account that keeps it: it is told of what that account may read when it is told.
    #[schema(example = "oa")]
    owner: String,
    /// Where it is told.
    #[schema(example = "https://oa.example.gov.cn/taizhang")]
    url: String,
    /// What it is for.
    description: Option<String>,
    /// Of which types of events; of every type if there is none.
    types: Vec<EventTypeCode>,
    /// Only of projects in these regions' subtrees, and of nothing else, if there is one.
    regions: Vec<String>,
    /// Only of this project.
    project: Option<Uuid>,
    /// `active` or `disabled`.
    #[schema(example = "active")]
    state: String,
    /// Why it is disabled: `by_owner`, `by_administrator`, `gone` (its receiver answered 410) or `failing` (every attempt
    /// at a delivery has failed); null if it is not.
    state_reason: Option<String>,
    /// Since when it is so.
    state_since: DateTime<Utc>,
    /// Up to which place of the feed its deliveries have been put down.
    #[schema(example = "4711")]
    place: String,
    /// When its receiver last took something.
    delivered_at: Option<DateTime<Utc>>,
    /// Until when the former secret signs too; null if it does not.
    former_secret_until: Option<DateTime<Utc>>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When it was last changed.
    updated_at: DateTime<Utc>,
    /// How often it has been changed; its `ETag`.
    version: i64,
}

impl Webhook {
    fn new(record: Record, owner: String, now: DateTime<Utc>) -> Self {
        let Record {
            id,
            account: _,
            fields,
            state,
            state_since,
            former_until,
            place,
            delivered_at,
            created_at,
            updated_at,
            version,
        } = record;
        Self {
            id,
            owner,
            url: fields.url,
            description: fields.description,
            types: fields.types.into_iter().map(EventTypeCode).collect(),
            regions: fields.regions,
            project: fields.project,
            state: state.code().to_owned(),
            state_reason: state.reason().map(Reason::code).map(str::to_owned),
            state_since,
            place: place.to_string(),
            delivered_at,
            former_secret_until: former_until.filter(|until| now < *until),
            created_at,
            updated_at,
            version,
        }
    }
}

/// Webhooks with their owners' names.
async fn views(app: &App, records: Vec<Record>) -> Result<Vec<Webhook>, Problem> {
    let owners = webhook::owners(app.db.reader(), &records)
        .await
        .map_err(Failure::told)?;
    let now = app.db.clock().now();
    let views = records.into_iter().map(|record| {
        let owner = owners.iter().find(|(id, _)| *id == record.account);
        let owner = owner.map(|(_, name)| name.clone()).unwrap_or_default();
        Webhook::new(record, owner, now)
    });
    Ok(views.collect())
}

async fn view(app: &App, record: Record) -> Result<HttpResponse, Problem> {
    let version = record.version;
    let mut views = views(app, vec![record]).await?;
    let view = views.pop().ok_or_else(Problem::not_found)?;
    Ok(single(&view, version))
}

/// List webhooks
///
/// One's own, oldest first; the security administrator sees everybody's.
#[utoipa::path(tag = "webhooks", params(Paging), security(("bearer" = [])),
    responses((status = 200, description = "A page of them", body = Page<Webhook>)))]
#[get("/v1/webhooks")]
async fn list_webhooks(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    paging: Query<Paging>,
) -> Result<HttpResponse, Problem> {
    let (limit, cursor) = paging.0.checked()?;
    let (records, next) =
        webhook::page(app.db.reader(), &caller.principal, limit, cursor.as_deref())
            .await
            .map_err(Failure::told)?;
    Ok(page(&request, views(&app, records).await?, next, None))
}

/// A new webhook.
#[derive(Serialize, ToSchema)]
pub struct WebhookMade {
    /// The webhook.
    webhook: Webhook,
    /// What signs what it is told. It is shown once: if this answer is given again (`Idempotency-Key`), it is null; another
    /// one is made by `POST /v1/webhooks/{id}/secrets`.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: Option<String>,
}

/// Make a webhook
///
/// From now on it is told of what happens, by POST of one `CloudEvent` at a time, signed as Standard Webhooks has it
/// (`webhook-id`, `webhook-timestamp`, `webhook-signature`). Events about one project come in their order; each comes at
/// least once, under the same `webhook-id` every time.
#[utoipa::path(tag = "webhooks", request_body = NewWebhook, security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key makes it once")),
    responses((status = 201, description = "Made", body = WebhookMade)))]
#[post("/v1/webhooks")]
async fn create_webhook(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: Body<NewWebhook>,
) -> Result<HttpResponse, Problem> {
    let (by, principal) = (caller.author(), caller.principal);
    let key = once::key(&request, principal.id, &body.bytes)?;
    let after = place(&app, body.value.after.as_deref()).await?;
    let url = admitted(&app, &body.value.url).await?;
    let fields = body.value.fields(url)?;
    let (id, secret) = (new_id(), Secret::draw().map_err(broken_key)?);
    let sealed = app.vault.seal(id.as_bytes(), secret.bytes());
    let sealed = sealed.map_err(broken_key)?;
    let now = app.db.clock().now();
    let make = async move |tx: &_| {
        let made = (id, sealed.as_str());
        let record = webhook::add(tx, &principal, made, fields.clone(), after).await?;
        let (version, owner) = (record.version, principal.username.clone());
        let made = WebhookMade {
            webhook: Webhook::new(record, owner, now),
            secret: None,
        };
        once::made(&made, version, Some(format!("/v1/webhooks/{id}")))
    };
    let answer = once::answered(&app.db, by, key, make).await?;
    Ok(once::told(with_secret(answer, id, &secret)))
}

/// The answer with the secret of the webhook of this id, unless it is about another: then it was given before.
fn with_secret(mut answer: Answer, id: Uuid, secret: &Secret) -> Answer {
    let is_new = answer.location == Some(format!("/v1/webhooks/{id}"));
    if let (true, Ok(Value::Object(mut body))) = (is_new, serde_json::from_str(&answer.body)) {
        body.insert("secret".to_owned(), secret.told().into());
        answer.body = Value::Object(body).to_string();
    }
    answer
}

/// A URL to which something may be sent, as it is kept.
async fn admitted(app: &App, url: &str) -> Result<String, Problem> {
    let admitted = app.receivers.admit(url).await;
    let target = admitted.map_err(|refused| Problem::invalid(vec![refused_told(refused)]))?;
    Ok(target.url.into())
}

/// The place of the feed that somebody means; none for the end.
async fn place(app: &App, text: Option<&str>) -> Result<Option<i64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    match Place::read(text) {
        Some(Place::Latest) => Ok(None),
        Some(place) => Ok(Some(begin(&app.db, place).await?)),
        None => Err(Problem::invalid(vec![Fault::at(
            "/after",
            "unreadable_place",
            "须为 GET /v1/events 的 next_cursor，或 latest",
            "It has to be a next_cursor of GET /v1/events, or latest",
        )])),
    }
}

/// Read a webhook
#[utoipa::path(tag = "webhooks", security(("bearer" = [])), params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook", body = Webhook)))]
#[get("/v1/webhooks/{id}")]
async fn get_webhook(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let record = webhook::read(app.db.reader(), &caller.principal, *id)
        .await
        .map_err(Failure::told)?;
    view(&app, record).await
}

/// Change a webhook
///
/// One that is enabled again goes on where it stopped: what happened meanwhile is told, oldest first. The security
/// administrator may disable everybody's.
#[utoipa::path(tag = "webhooks", security(("bearer" = [])),
    request_body(content((WebhookPatch = "application/merge-patch+json"), (WebhookPatch = "application/json"))),
    params(("id" = Uuid, Path, description = "The webhook"),
        ("If-Match" = String, Header, description = "The ETag of the version that is changed", example = "\"1\"")),
    responses((status = 200, description = "As it is now", body = Webhook)))]
#[patch("/v1/webhooks/{id}")]
async fn amend_webhook(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
    body: Patch<WebhookPatch>,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(&request)?;
    let (by, principal, id) = (caller.author(), caller.principal, id.into_inner());
    let url = match &body.0.url {
        Some(url) => Some(admitted(&app, url).await?),
        None => None,
    };
    let change = body.0.change(url)?;
    let record = app
        .db
        .write(by, async move |tx| {
            webhook::change(tx, &principal, id, seen, change.clone()).await
        })
        .await?;
    view(&app, record).await
}

/// Remove a webhook
///
/// With its log. What is being sent comes to its end.
#[utoipa::path(tag = "webhooks", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The webhook"),
        ("If-Match" = String, Header, description = "The ETag of the version that is removed", example = "\"1\"")),
    responses((status = 204, description = "Removed")))]
#[delete("/v1/webhooks/{id}")]
async fn delete_webhook(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(&request)?;
    let (by, principal, id) = (caller.author(), caller.principal, id.into_inner());
    app.db
        .write(by, async move |tx| {
            webhook::remove(tx, &principal, id, seen).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How a webhook's secret is followed by another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookSecretRequest {
    /// For how many hours the former one signs too, so that the receiver can be set to the new one.
    #[serde(default = "a_day", deserialize_with = "whole::one")]
    #[schema(minimum = 0, maximum = 720, default = 24, example = 24)]
    overlap_hours: i64,
}

const fn a_day() -> i64 {
    24
}

/// A new secret of a webhook.
#[derive(Serialize, ToSchema)]
pub struct WebhookSecretMade {
    /// It is not shown again.
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: String,
    /// Until when the former one signs too; null if it signs no more.
    former_secret_until: Option<DateTime<Utc>>,
}

/// Give a webhook a new secret
///
/// Shown once. For a while there are two signatures, by the new secret and by the former: whichever the receiver knows is
/// good. One that is followed already signs no more.
#[utoipa::path(tag = "webhooks", request_body = WebhookSecretRequest, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 201, description = "The secret", body = WebhookSecretMade)))]
#[post("/v1/webhooks/{id}/secrets")]
async fn add_webhook_secret(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
    body: Body<WebhookSecretRequest>,
) -> Result<HttpResponse, Problem> {
    let former_goes_on = overlap(body.value.overlap_hours)?;
    let (by, principal, id) = (caller.author(), caller.principal, id.into_inner());
    let secret = Secret::draw().map_err(broken_key)?;
    let sealed = app.vault.seal(id.as_bytes(), secret.bytes());
    let sealed = sealed.map_err(broken_key)?;
    let record = app
        .db
        .write(by, async move |tx| {
            let new = (sealed.as_str(), former_goes_on);
            webhook::add_secret(tx, &principal, id, new).await
        })
        .await?;
    Ok(HttpResponse::Created().json(WebhookSecretMade {
        secret: secret.told(),
        former_secret_until: record.former_until,
    }))
}

/// What came of a test.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookTest {
    /// The `webhook-id` of what was sent.
    id: Uuid,
    /// Whether the receiver has taken it.
    delivered: bool,
    /// What it answered; null if nothing.
    response_status: Option<u16>,
    /// Why it has not: `address_refused`, `unresolved`, `unreachable`, `untrusted` (its certificate), `timed_out`, `broken`,
    /// `redirected`, `gone` or `not_taken`; null if it has.
    error: Option<String>,
    /// How long it took, in milliseconds.
    duration_ms: i64,
}

/// Try whether a webhook's receiver is there
///
/// Sends an event of type `taizhang.webhook.test` at once, signed as any other, also if the webhook is disabled, and says
/// what came of it.
#[utoipa::path(tag = "webhooks", security(("bearer" = [])), params(("id" = Uuid, Path, description = "The webhook")),
    responses((status = 200, description = "What came of it", body = WebhookTest),
        (status = 422, description = "Nothing may be sent to its URL", body = ProblemDetails,
            content_type = "application/problem+json")))]
#[post("/v1/webhooks/{id}/tests")]
async fn test_webhook(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (by, principal, id) = (caller.author(), caller.principal, id.into_inner());
    let now = app.db.clock().now();
    let (record, sealed) = webhook::read_own(app.db.reader(), &principal, id, now)
        .await
        .map_err(Failure::told)?;
    let _leave = app
        .sending
        .try_acquire()
        .map_err(|_| Problem::new(kinds::UNAVAILABLE).with_header(RETRY_AFTER, "2"))?;
    let url = admitted(&app, &record.fields.url).await?;
    let secrets = delivery::open(&app.vault, id, &sealed).map_err(broken_key)?;
    let event = CloudEvent::test(new_id(), id, principal.username, now);
    let came = delivery::post(&app, &url, &secrets, &event).await;
    app.db
        .write(by, async move |tx| webhook::note_test(tx, &record).await)
        .await?;
    Ok(HttpResponse::Ok().json(WebhookTest {
        id: event.id(),
        delivered: came.fault.is_none(),
        response_status: came.status,
        error: came.fault.map(receiver::Fault::code).map(str::to_owned),
        duration_ms: i64::try_from(came.took.as_millis()).unwrap_or(i64::MAX),
    }))
}
