//! Requests that may be sent twice and are done once.

use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use serde::Serialize;
use uuid::Uuid;

use crate::precondition::etag;
use crate::problem::{Problem, kinds};
use crate::store::idempotency::{self, Answer, Request};
use crate::store::{Author, Db, Failure, Tx};

/// The longest key, in characters.
const MAX_KEY: usize = 255;

/// What a key looks like.
pub(crate) const KEY_PATTERN: &str = "^[!-~]{1,255}$";

/// The client's key for this request, if it sent one.
///
/// # Errors
/// `invalid_idempotency_key`.
pub fn key(request: &HttpRequest, account: Uuid, body: &[u8]) -> Result<Option<Request>, Problem> {
    let Some(value) = request.headers().get("Idempotency-Key") else {
        return Ok(None);
    };
    let key = value
        .to_str()
        .ok()
        .map(str::trim)
        .filter(|key| {
            (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
        })
        .ok_or_else(|| {
            Problem::new(kinds::INVALID_IDEMPOTENCY_KEY).say(
                format!("须为 1 至 {MAX_KEY} 个可见 ASCII 字符"),
                format!("It has 1 to {MAX_KEY} visible ASCII characters"),
            )
        })?;
    let hash = digest::digest(&digest::SHA256, body);
    Ok(Some(Request {
        account,
        route: format!("{} {}", request.method(), request.path()),
        key: key.to_owned(),
        hash: BASE64_STANDARD_NO_PAD.encode(hash),
    }))
}

/// Something made: its answer, to be given now and again.
pub(crate) fn made<T: Serialize>(
    body: &T,
    version: i64,
    location: Option<String>,
) -> Result<Answer, Failure> {
    let body = serde_json::to_string(body).map_err(|e| Failure::Broken(e.to_string()))?;
    Ok(Answer {
        status: StatusCode::CREATED.as_u16(),
        etag: Some(etag(version)),
        location,
        body,
    })
}

/// Does the work once: a request with a key that was answered gets that answer.
pub(crate) async fn once<F>(
    db: &Db,
    by: Author,
    key: Option<Request>,
    work: F,
) -> Result<HttpResponse, Problem>
where
    F: AsyncFn(&Tx) -> Result<Answer, Failure> + 'static,
{
    answered(db, by, key, work).await.map(told)
}

/// The same, with the answer as it is kept: what is told once has to be added to it.
pub(crate) async fn answered<F>(
    db: &Db,
    by: Author,
    key: Option<Request>,
    work: F,
) -> Result<Answer, Problem>
where
    F: AsyncFn(&Tx) -> Result<Answer, Failure> + 'static,
{
    db.write(by, async move |tx| {
        let Some(request) = &key else {
            return work(tx).await;
        };
        if let Some(given) = idempotency::take(tx, request).await? {
            return Ok(given);
        }
        let answer = work(tx).await?;
        idempotency::keep(tx, request, &answer).await?;
        Ok(answer)
    })
    .await
}

/// An answer as it is sent.
pub(crate) fn told(answer: Answer) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::CREATED);
    let mut response = HttpResponse::build(status);
    if let Some(tag) = answer.etag {
        response.insert_header((ETAG, tag));
    }
    if let Some(location) = answer.location {
        response.insert_header((LOCATION, location));
    }
    response.content_type("application/json").body(answer.body)
}
