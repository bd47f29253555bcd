//! Answers already given: a request that is sent twice is done once.

use actix_web::http::header::RETRY_AFTER;
use chrono::TimeDelta;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{Failure, Tx};
use crate::entity::idempotency_key::{self, Model};
use crate::problem::{Problem, kinds};

/// How long an answer is kept.
const KEPT: TimeDelta = TimeDelta::hours(48);

/// A request that may be sent twice.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who sends it.
    pub account: Uuid,
    /// The method and path.
    pub route: String,
    /// The client's key.
    pub key: String,
    /// A hash of the rest of the request.
    pub hash: String,
}

/// An answer that was given.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The entity tag.
    pub etag: Option<String>,
    /// Where what was made can be read.
    pub location: Option<String>,
    /// The body.
    pub body: String,
}

/// Takes the key, or answers what was answered before.
///
/// Who comes second waits for the first: PostgreSQL on the key's row, SQLite on the write lock.
///
/// # Errors
/// `idempotency_key_reused` if the key was used for other content.
pub async fn take(tx: &Tx, request: &Request) -> Result<Option<Answer>, Failure> {
    forget_old(tx, request.account).await?;
    let row = idempotency_key::ActiveModel {
        account_id: Set(request.account),
        route: Set(request.route.clone()),
        key: Set(request.key.clone()),
        request_hash: Set(request.hash.clone()),
        status: Set(None),
        etag: Set(None),
        location: Set(None),
        body: Set(None),
        created_at: Set(tx.now()),
    };
    let taken = idempotency_key::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&tx.db)
        .await;
    match taken {
        Ok(1) => return Ok(None),
        Ok(_) | Err(sea_orm::DbErr::RecordNotInserted) => {}
        Err(error) => return Err(error.into()),
    }
    let found = idempotency_key::Entity::find_by_id((
        request.account,
        request.route.clone(),
        request.key.clone(),
    ))
    .one(&tx.db)
    .await?;
    answer_of(found, request)
}

fn answer_of(found: Option<Model>, request: &Request) -> Result<Option<Answer>, Failure> {
    let in_flight = || Problem::new(kinds::REQUEST_IN_FLIGHT).with_header(RETRY_AFTER, "1");
    let row = found.ok_or_else(in_flight)?;
    if row.request_hash != request.hash {
        return Err(Problem::new(kinds::IDEMPOTENCY_KEY_REUSED)
            .say(
                "请为不同的内容使用不同的 Idempotency-Key",
                "Use another Idempotency-Key for other content",
            )
            .into());
    }
    let status = row.status.and_then(|status| u16::try_from(status).ok());
    let (Some(status), Some(body)) = (status, row.body) else {
        return Err(in_flight().into());
    };
    Ok(Some(Answer {
        status,
        etag: row.etag,
        location: row.location,
        body,
    }))
}

/// Keeps the answer, in the transaction of what it answers.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn keep(tx: &Tx, request: &Request, answer: &Answer) -> Result<(), Failure> {
    idempotency_key::Entity::update_many()
        .col_expr(
            idempotency_key::Column::Status,
            Expr::value(i32::from(answer.status)),
        )
        .col_expr(
            idempotency_key::Column::Etag,
            Expr::value(answer.etag.clone()),
        )
        .col_expr(
            idempotency_key::Column::Location,
            Expr::value(answer.location.clone()),
        )
        .col_expr(
            idempotency_key::Column::Body,
            Expr::value(answer.body.clone()),
        )
        .filter(idempotency_key::Column::AccountId.eq(request.account))
        .filter(idempotency_key::Column::Route.eq(&request.route))
        .filter(idempotency_key::Column::Key.eq(&request.key))
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// Drops what this account's old keys kept, so that the table stays in bounds.
async fn forget_old(tx: &Tx, account: Uuid) -> Result<(), Failure> {
    idempotency_key::Entity::delete_many()
        .filter(idempotency_key::Column::AccountId.eq(account))
        .filter(idempotency_key::Column::CreatedAt.lt(tx.now() - KEPT))
        .exec(&tx.db)
        .await?;
    Ok(())
}
