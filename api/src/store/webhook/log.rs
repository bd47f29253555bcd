//! What was delivered to a webhook and what was not, and sending it again.

use chrono::{DateTime, Utc};
use domain::coded::Coded;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use super::{entry, find, hold_own, work};
use crate::auth::Principal;
use crate::entity::{webhook_attempt, webhook_delivery};
use crate::page;
use crate::problem::Problem;
use crate::store::row::coded;
use crate::store::{Failure, Tx, event};

/// How many deliveries are put back at a time.
pub const MAX_REPLAYED: u64 = 10_000;
/// How many at a time are changed by one statement.
const AT_A_TIME: usize = 1000;

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It waits for its turn, or to be tried again.
    Pending,
    /// The receiver has taken it.
    Delivered,
    /// Every attempt has failed.
    Failed,
    /// It was not sent: when it was its turn, the webhook's owner could no longer read what it tells of.
    Skipped,
}

impl Status {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl Coded for Status {
    const VALUES: &'static [Self] = &[Self::Pending, Self::Delivered, Self::Failed, Self::Skipped];

    fn as_code(self) -> &'static str {
        self.code()
    }
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When.
    pub tried_at: DateTime<Utc>,
    /// What the receiver answered.
    pub response_status: Option<i32>,
    /// Why it has not taken it; none if it has.
    pub error: Option<String>,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
}

/// One event that a webhook is told of, and what came of it.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Which.
    pub id: Uuid,
    /// The event.
    pub event: Uuid,
    /// Its place in the feed.
    pub seq: i64,
    /// Its type.
    pub of: String,
    /// What it is about.
    pub subject: String,
    /// How it stands.
    pub status: Status,
    /// When it is tried next; none if it is done, is being sent, or waits for another about the same.
    pub next_at: Option<DateTime<Utc>>,
    /// When it was put down.
    pub created_at: DateTime<Utc>,
    /// When it was done.
    pub done_at: Option<DateTime<Utc>>,
    /// The attempts, oldest first.
    pub attempts: Vec<Attempt>,
}

/// A page of the deliveries of a webhook, newest first; only those that stand so, if that is said.
///
/// # Errors
/// `not_found` for a webhook that somebody may not see; `invalid_cursor`.
pub async fn page(
    db: &impl ConnectionTrait,
    principal: &Principal,
    webhook: Uuid,
    status: Option<Status>,
    (limit, cursor): (u64, Option<&str>),
) -> Result<(Vec<Delivery>, Option<String>), Failure> {
    find(db, principal, webhook).await?;
    let question = format!("deliveries of {webhook} {status:?}");
    let mut which = Condition::all().add(webhook_delivery::Column::WebhookId.eq(webhook));
    if let Some(status) = status {
        which = which.add(webhook_delivery::Column::Status.eq(status.code()));
    }
    if let Some(cursor) = cursor {
        let before: i64 = page::open(&question, cursor)?;
        which = which.add(webhook_delivery::Column::Seq.lt(before));
    }
    let rows = webhook_delivery::Entity::find()
        .filter(which)
        .order_by_desc(webhook_delivery::Column::Seq)
        .limit(limit + 1)
        .all(db)
        .await?;
    let (rows, next) = page::page_of(rows, limit, &question, |row| row.seq);
    Ok((complete(db, rows).await?, next))
}

/// One delivery.
///
/// # Errors
/// `not_found`.
pub async fn read(
    db: &impl ConnectionTrait,
    principal: &Principal,
    webhook: Uuid,
    id: Uuid,
) -> Result<Delivery, Failure> {
    find(db, principal, webhook).await?;
    let row = webhook_delivery::Entity::find_by_id(id)
        .filter(webhook_delivery::Column::WebhookId.eq(webhook))
        .one(db)
        .await?;
    let mut found = complete(db, row.into_iter().collect()).await?;
    found.pop().ok_or_else(|| Problem::not_found().into())
}

/// Deliveries with their attempts.
async fn complete(
    db: &impl ConnectionTrait,
    rows: Vec<webhook_delivery::Model>,
) -> Result<Vec<Delivery>, Failure> {
    let attempts = webhook_attempt::Entity::find()
        .filter(webhook_attempt::Column::DeliveryId.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(webhook_attempt::Column::Id)
        .all(db)
        .await?;
    let of = |delivery: Uuid| {
        let own = attempts.iter().filter(|row| row.delivery_id == delivery);
        own.map(|row| Attempt {
            tried_at: row.tried_at,
            response_status: row.response_status,
            error: row.error.clone(),
            duration_ms: row.duration_ms,
        })
        .collect()
    };
    let each = rows.into_iter().map(|row| {
        Ok(Delivery {
            attempts: of(row.id),
            id: row.id,
            event: row.event_id,
            seq: row.seq,
            of: row.event_type,
            subject: row.subject,
            status: coded(Status::of_code, &row.status)?,
            next_at: row.next_at.filter(|_| row.lease.is_none()),
            created_at: row.created_at,
            done_at: row.done_at,
        })
    });
    each.collect()
}

/// Which deliveries are sent again.
#[derive(Clone, Copy, Debug)]
pub enum Replayed {
    /// This one, however it stands.
    One(Uuid),
    /// Those that stand so, of events after this place of the feed; oldest first.
    Since(i64, &'static [Status]),
}

/// Sends deliveries again, under the same ids and each subject's in order; what waits anyway is tried at once. Answers how
/// many, and the place up to which there were as many as are taken at a time.
///
/// # Errors
/// `not_found`; 403 for somebody else's.
pub async fn replay(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    which: Replayed,
) -> Result<(usize, Option<i64>), Failure> {
    let row = hold_own(tx, principal, id).await?;
    let mut wanted = Condition::all().add(webhook_delivery::Column::WebhookId.eq(id));
    wanted = match which {
        Replayed::One(delivery) => wanted.add(webhook_delivery::Column::Id.eq(delivery)),
        Replayed::Since(place, status) => wanted
            .add(webhook_delivery::Column::Seq.gt(place))
            .add(webhook_delivery::Column::Status.is_in(status.iter().map(|s| s.code()))),
    };
    let rows: Vec<(Uuid, i64)> = webhook_delivery::Entity::find()
        .select_only()
        .column(webhook_delivery::Column::Id)
        .column(webhook_delivery::Column::Seq)
        .filter(wanted)
        .order_by_asc(webhook_delivery::Column::Seq)
        .limit(MAX_REPLAYED)
        .into_tuple()
        .all(&tx.db)
        .await?;
    if rows.is_empty() && matches!(which, Replayed::One(_)) {
        return Err(Problem::not_found().into());
    }
    let ids: Vec<Uuid> = rows.iter().map(|(id, _)| *id).collect();
    for some in ids.chunks(AT_A_TIME) {
        work::again(tx, id, some).await?;
    }
    let how_many = json!({ "deliveries": ids.len() });
    let replayed = entry(id, "webhook_replayed", row.version);
    event::record(tx, replayed.changing(None, Some(how_many))).await?;
    let is_full = u64::try_from(ids.len()).is_ok_and(|count| count == MAX_REPLAYED);
    let last = rows.last().map(|(_, seq)| *seq);
    Ok((ids.len(), last.filter(|_| is_full)))
}
