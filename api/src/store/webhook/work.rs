//! The delivering of events to webhooks, by as many processes as there are.
//!
//! What happened is put down as deliveries in the transaction that moves the webhook's place in the feed, so none is lost
//! behind it. A delivery is leased by one process at a time; a lease that is not settled in time is anybody's again, and
//! what its holder reports later does not count. Of the deliveries of a webhook about one subject only the first is due:
//! whatever adds or finishes deliveries locks the webhook's row first, so that the next always comes to be due.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, LockBehavior, LockType};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Statement,
};
use serde_json::json;
use uuid::Uuid;

use super::log::Status;
use super::{Reason, Record, Sealed, State, entry, record, sealed};
use crate::auth::{Reach, Role, Scope};
use crate::clock::{id_at, new_id};
use crate::delivery::receiver::{Fault, Outcome};
use crate::delivery::schedule;
use crate::entity::{webhook, webhook_attempt, webhook_delivery};
use crate::store::account;
use crate::store::feed::{self, Happening, Wanted};
use crate::store::{Author, Db, Failure, Tx, event, filter};
use domain::coded::Coded;

/// The roles of which a webhook's owner needs one, when he makes it and whenever it is told of something.
pub const KEEPERS: [Role; 2] = [Role::Officer, Role::Manager];
/// How many deliveries are put down at a time.
const PUT_DOWN: usize = 500;
/// How many deliveries of a webhook wait at the most; what happens besides waits in the feed.
const WAITING: u64 = 10_000;
/// For how long what was delivered, and what came of each attempt, is kept.
const KEPT: TimeDelta = TimeDelta::days(30);
/// How many old deliveries are dropped at a time.
const DROPPED: u64 = 5000;

/// A webhook that may be told something now.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The webhook.
    pub record: Record,
    /// Its secrets.
    pub sealed: Sealed,
    /// What its owner may read, as far as it is about projects, within what it is limited to.
    reach: Reach,
}

/// One event to be delivered.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The delivery.
    pub delivery: Uuid,
    /// What happened; none if the owner may no longer read it.
    pub happening: Option<Happening>,
}

/// What came of a delivery that was leased.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    /// The delivery.
    pub delivery: Uuid,
    /// When it was tried.
    pub at: DateTime<Utc>,
    /// What came of it; none if its owner may no longer read what it tells of, so that it was not sent.
    pub outcome: Option<Outcome>,
}

/// The webhooks for which there is something to do.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn with_work(db: &Db) -> Result<Vec<Uuid>, Failure> {
    let sql = "SELECT w.id FROM webhook w WHERE w.state = 'active' AND ( \
        w.place < (SELECT MAX(seq) FROM audit_seal) OR EXISTS ( \
        SELECT 1 FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.next_at <= $1))";
    let backend = db.reader().get_database_backend();
    let asked = Statement::from_sql_and_values(backend, sql, [db.clock().now().into()]);
    let rows = db.reader().query_all_raw(asked).await?;
    let ids = rows.iter().map(|row| row.try_get_by_index(0));
    Ok(ids.collect::<Result<_, _>>()?)
}

/// How the delivering is, for monitoring.
#[derive(Clone, Copy, Debug)]
pub struct Health {
    /// How many deliveries wait.
    pub waiting: u64,
    /// How many webhooks the service has disabled, because their receivers are gone or fail.
    pub disabled: u64,
}

/// How the delivering is.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn health(db: &impl ConnectionTrait) -> Result<Health, Failure> {
    let waiting = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::DoneAt.is_null())
        .count(db)
        .await?;
    let by_itself = [Reason::Gone, Reason::Failing].map(Reason::code);
    let disabled = webhook::Entity::find()
        .filter(webhook::Column::Reason.is_in(by_itself))
        .count(db)
        .await?;
    Ok(Health { waiting, disabled })
}

/// A webhook as it stands now; none if it is disabled or gone, or if its owner may not keep one now.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn hook(db: &Db, id: Uuid) -> Result<Option<Hook>, Failure> {
    let found = webhook::Entity::find_by_id(id).one(db.reader()).await?;
    let Some(row) = found else { return Ok(None) };
    let sealed = sealed(&row, db.clock().now());
    let record = record(row)?;
    if record.state != State::Active {
        return Ok(None);
    }
    let rights = account::rights(db, record.account).await?;
    let reach = rights.and_then(|rights| rights.reads_as(&KEEPERS, Scope::WebhooksManage));
    let Some(mut reach) = reach else {
        return Ok(None);
    };
    if !record.fields.regions.is_empty() {
        let regions = filter::subtrees(db.reader(), &record.fields.regions, None).await;
        match regions {
            Ok(regions) => reach = reach.narrowed(&regions),
            // A region that it is limited to was removed: there is nothing in it.
            Err(Failure::Refused(_)) => reach = reach.narrowed(&BTreeSet::new()),
            Err(failure) => return Err(failure),
        }
    }
    Ok(Some(Hook {
        record,
        sealed,
        reach,
    }))
}

/// Puts down what has happened since as deliveries; answers whether there was anything to look through.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn put_down(db: &Db, hook: &Hook) -> Result<bool, Failure> {
    let id = hook.record.id;
    let waiting = webhook_delivery::Entity::find()
        .filter(webhook_delivery::Column::WebhookId.eq(id))
        .filter(webhook_delivery::Column::DoneAt.is_null())
        .count(db.reader())
        .await?;
    if waiting >= WAITING {
        return Ok(false);
    }
    let fields = &hook.record.fields;
    let wanted = Wanted {
        types: fields.types.clone(),
        project: fields.project,
    };
    let from = hook.record.place;
    let mut stretch = feed::after(db.reader(), &hook.reach, &wanted, from, PUT_DOWN).await?;
    if stretch.reached == from {
        return Ok(false);
    }
    if !fields.regions.is_empty() {
        stretch.happenings.retain(|told| told.project.is_some());
    }
    let reached = stretch.reached;
    let rows: Vec<webhook_delivery::Model> = stretch
        .happenings
        .into_iter()
        .map(|told| delivery(id, told, db.clock().now()))
        .collect();
    let put = async move |tx: &Tx| {
        let held = webhook::Entity::find_by_id(id)
            .filter(webhook::Column::State.eq(State::Active.code()))
            .filter(webhook::Column::Place.eq(from))
            .lock_exclusive()
            .one(&tx.db)
            .await?;
        if held.is_some() {
            insert(tx, id, reached, rows.clone()).await?;
        }
        Ok(())
    };
    db.write(author(), put).await?;
    Ok(true)
}

fn delivery(webhook: Uuid, told: Happening, now: DateTime<Utc>) -> webhook_delivery::Model {
    webhook_delivery::Model {
        id: new_id(),
        webhook_id: webhook,
        seq: told.seq,
        event_id: told.id,
        event_type: told.of.as_code().to_owned(),
        subject: told.subject,
        project_id: told.project,
        status: Status::Pending.code().to_owned(),
        tries: 0,
        first_tried_at: None,
        next_at: None,
        lease: None,
        created_at: now,
        done_at: None,
    }
}

/// Puts deliveries down and moves the webhook's place behind them.
async fn insert(
    tx: &Tx,
    webhook: Uuid,
    reached: i64,
    rows: Vec<webhook_delivery::Model>,
) -> Result<(), Failure> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    if !rows.is_empty() {
        let rows = rows
            .into_iter()
            .map(|row| row.into_active_model().reset_all());
        webhook_delivery::Entity::insert_many(rows)
            .exec_without_returning(&tx.db)
            .await?;
        promote(tx, &ids).await?;
    }
    webhook::Entity::update_many()
        .col_expr(webhook::Column::Place, Expr::value(reached))
        .filter(webhook::Column::Id.eq(webhook))
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// Places for so many values, from the nth on.
fn places(from: usize, count: usize) -> String {
    let each: Vec<String> = (from..from + count).map(|n| format!("${n}")).collect();
    each.join(", ")
}

/// Makes the first that is not done due, of each subject that some deliveries are about. The webhook is held.
async fn promote(tx: &Tx, of: &[Uuid]) -> Result<(), Failure> {
    let sql = format!(
        "UPDATE webhook_delivery SET next_at = $1 WHERE next_at IS NULL AND id IN ( \
         SELECT (SELECT n.id FROM webhook_delivery n WHERE n.webhook_id = d.webhook_id \
                 AND n.subject = d.subject AND n.done_at IS NULL ORDER BY n.seq LIMIT 1) \
         FROM webhook_delivery d WHERE d.id IN ({}))",
        places(2, of.len())
    );
    let mut values: Vec<sea_orm::Value> = vec![tx.now().into()];
    values.extend(of.iter().map(|id| (*id).into()));
    let asked = Statement::from_sql_and_values(tx.db.get_database_backend(), sql, values);
    tx.db.execute_raw(asked).await?;
    Ok(())
}

/// Lets those wait that are due although an earlier one about the same subject is not done, which happens when that is
/// replayed; of all of a webhook, or of these. What is being sent can't be called back. The webhook is held.
async fn demote(tx: &Tx, webhook: Uuid, of: Option<&[Uuid]>) -> Result<(), Failure> {
    let these = of.map_or_else(String::new, |of| {
        format!("AND id IN ({})", places(2, of.len()))
    });
    let sql = format!(
        "UPDATE webhook_delivery SET next_at = NULL \
         WHERE webhook_id = $1 AND next_at IS NOT NULL AND lease IS NULL {these} AND EXISTS ( \
         SELECT 1 FROM webhook_delivery e WHERE e.webhook_id = webhook_delivery.webhook_id \
         AND e.subject = webhook_delivery.subject AND e.done_at IS NULL AND e.seq < webhook_delivery.seq)"
    );
    let mut values: Vec<sea_orm::Value> = vec![webhook.into()];
    values.extend(of.unwrap_or_default().iter().map(|id| (*id).into()));
    let asked = Statement::from_sql_and_values(tx.db.get_database_backend(), sql, values);
    tx.db.execute_raw(asked).await?;
    Ok(())
}

/// Puts deliveries back to be sent again, each subject's in order. The webhook is held.
///
/// # Errors
/// [`Failure`] of the database.
pub(super) async fn again(tx: &Tx, webhook: Uuid, of: &[Uuid]) -> Result<(), Failure> {
    webhook_delivery::Entity::update_many()
        .col_expr(
            webhook_delivery::Column::Status,
            Expr::value(Status::Pending.code()),
        )
        .col_expr(webhook_delivery::Column::Tries, Expr::value(0))
        .col_expr(
            webhook_delivery::Column::FirstTriedAt,
            Expr::value(None::<DateTime<Utc>>),
        )
        .col_expr(
            webhook_delivery::Column::NextAt,
            Expr::value(None::<DateTime<Utc>>),
        )
        .col_expr(
            webhook_delivery::Column::DoneAt,
            Expr::value(None::<DateTime<Utc>>),
        )
        .filter(webhook_delivery::Column::Id.is_in(of.iter().copied()))
        .filter(webhook_delivery::Column::Lease.is_null())
        .exec(&tx.db)
        .await?;
    demote(tx, webhook, None).await?;
    promote(tx, of).await
}

/// Makes due at once whatever waits to be tried again: the webhook is enabled again, and held.
///
/// # Errors
/// [`Failure`] of the database.
pub(super) async fn take_up(tx: &Tx, webhook: Uuid) -> Result<(), Failure> {
    webhook_delivery::Entity::update_many()
        .col_expr(webhook_delivery::Column::Tries, Expr::value(0))
        .col_expr(
            webhook_delivery::Column::FirstTriedAt,
            Expr::value(None::<DateTime<Utc>>),
        )
        .col_expr(webhook_delivery::Column::NextAt, Expr::value(tx.now()))
        .filter(webhook_delivery::Column::WebhookId.eq(webhook))
        .filter(webhook_delivery::Column::NextAt.is_not_null())
        .filter(webhook_delivery::Column::Lease.is_null())
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// Leases up to so many deliveries that are due to a process, for so long. Others that lease at the same time get others.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn lease(
    db: &Db,
    hook: &Hook,
    process: Uuid,
    (count, lasts): (usize, TimeDelta),
) -> Result<Vec<Parcel>, Failure> {
    let (id, limit) = (hook.record.id, u64::try_from(count).unwrap_or(u64::MAX));
    let take = async move |tx: &Tx| {
        let due = webhook_delivery::Entity::find()
            .filter(webhook_delivery::Column::WebhookId.eq(id))
            .filter(webhook_delivery::Column::NextAt.lte(tx.now()))
            .order_by_asc(webhook_delivery::Column::NextAt)
            .order_by_asc(webhook_delivery::Column::Seq)
            .limit(limit)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(&tx.db)
            .await?;
        if due.is_empty() {
            return Ok(due);
        }
        webhook_delivery::Entity::update_many()
            .col_expr(webhook_delivery::Column::Lease, Expr::value(process))
            .col_expr(
                webhook_delivery::Column::NextAt,
                Expr::value(tx.now() + lasts),
            )
            .filter(webhook_delivery::Column::Id.is_in(due.iter().map(|row| row.id)))
            .exec(&tx.db)
            .await?;
        Ok(due)
    };
    let due = db.write(author(), take).await?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let about = due.iter().filter_map(|row| row.project_id).collect();
    let readable = feed::readable(db.reader(), &hook.reach, about).await?;
    let is_readable = |told: &Happening| told.project.is_none_or(|id| readable.contains(&id));
    let events: Vec<(i64, Uuid)> = due.iter().map(|row| (row.seq, row.event_id)).collect();
    let told = feed::at(db.reader(), &events).await?;
    let told = told.into_iter().filter(is_readable);
    let mut told: HashMap<i64, Happening> = told.map(|told| (told.seq, told)).collect();
    let parcel = |row: webhook_delivery::Model| Parcel {
        delivery: row.id,
        happening: told.remove(&row.seq),
    };
    Ok(due.into_iter().map(parcel).collect())
}

/// Writes down what came of deliveries that a process has leased; what it has leased no more does not count. Those that
/// come next are due then.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn settle(
    db: &Db,
    webhook: Uuid,
    process: Uuid,
    reports: Vec<Report>,
) -> Result<(), Failure> {
    let write = async move |tx: &Tx| {
        let held = webhook::Entity::find_by_id(webhook)
            .lock_exclusive()
            .one(&tx.db)
            .await?;
        // It may have been removed, and its deliveries with it.
        let Some(held) = held else { return Ok(()) };
        let leased = webhook_delivery::Entity::find()
            .filter(webhook_delivery::Column::Id.is_in(reports.iter().map(|of| of.delivery)))
            .filter(webhook_delivery::Column::Lease.eq(process))
            .all(&tx.db)
            .await?;
        if leased.is_empty() {
            return Ok(());
        }
        let hook = Settling {
            tx,
            delivered_at: held.delivered_at,
            record: record(held)?,
        };
        hook.write(&leased, &reports).await
    };
    Ok(db.write(author(), write).await?)
}

/// A webhook of which deliveries are being settled.
struct Settling<'t> {
    tx: &'t Tx,
    record: Record,
    delivered_at: Option<DateTime<Utc>>,
}

impl Settling<'_> {
    async fn write(
        &self,
        leased: &[webhook_delivery::Model],
        reports: &[Report],
    ) -> Result<(), Failure> {
        let mut delivered = Vec::new();
        let mut skipped = Vec::new();
        let mut failed = Vec::new();
        let mut attempts = Vec::new();
        for report in reports {
            let Some(row) = leased.iter().find(|row| row.id == report.delivery) else {
                continue;
            };
            match report.outcome {
                None => skipped.push(row.id),
                Some(outcome) => {
                    attempts.push(attempt(report, outcome));
                    match outcome.fault {
                        None => delivered.push(row.id),
                        Some(fault) => failed.push((row, report.at, fault)),
                    }
                }
            }
        }
        self.done(&delivered, Status::Delivered).await?;
        self.done(&skipped, Status::Skipped).await?;
        if !attempts.is_empty() {
            webhook_attempt::Entity::insert_many(attempts)
                .exec_without_returning(&self.tx.db)
                .await?;
        }
        let mut because = None;
        let mut put_off = Vec::new();
        for (row, at, fault) in failed {
            because = self.put_off(row, at, fault).await?.or(because);
            put_off.push(row.id);
        }
        if !put_off.is_empty() {
            demote(self.tx, self.record.id, Some(&put_off)).await?;
        }
        if !delivered.is_empty() {
            webhook::Entity::update_many()
                .col_expr(webhook::Column::DeliveredAt, Expr::value(self.tx.now()))
                .filter(webhook::Column::Id.eq(self.record.id))
                .exec(&self.tx.db)
                .await?;
        }
        if let Some(reason) = because.filter(|_| self.record.state == State::Active) {
            self.disable(reason).await?;
        }
        let settled: Vec<Uuid> = leased.iter().map(|row| row.id).collect();
        promote(self.tx, &settled).await
    }

    /// These are done.
    async fn done(&self, ids: &[Uuid], status: Status) -> Result<(), Failure> {
        if ids.is_empty() {
            return Ok(());
        }
        webhook_delivery::Entity::update_many()
            .col_expr(webhook_delivery::Column::Status, Expr::value(status.code()))
            .col_expr(
                webhook_delivery::Column::Tries,
                Expr::col(webhook_delivery::Column::Tries).add(1),
            )
            .col_expr(
                webhook_delivery::Column::NextAt,
                Expr::value(None::<DateTime<Utc>>),
            )
            .col_expr(webhook_delivery::Column::Lease, Expr::value(None::<Uuid>))
            .col_expr(webhook_delivery::Column::DoneAt, Expr::value(self.tx.now()))
            .filter(webhook_delivery::Column::Id.is_in(ids.iter().copied()))
            .exec(&self.tx.db)
            .await?;
        Ok(())
    }

    /// What could not be delivered is tried again later, or it has failed. Answers why the webhook has to be disabled, if
    /// it has to: then what was tried last waits with the rest, so that nothing is lost when it is enabled again.
    async fn put_off(
        &self,
        row: &webhook_delivery::Model,
        at: DateTime<Utc>,
        fault: Fault,
    ) -> Result<Option<Reason>, Failure> {
        let tries = row.tries + 1;
        let first = row.first_tried_at.unwrap_or(at);
        let chance = u32::try_from(new_id().as_u128() & 0xFFFF).unwrap_or_default();
        let wait = schedule::wait_after(usize::try_from(tries).unwrap_or(usize::MAX), chance);
        let because = match wait {
            _ if fault == Fault::Gone => Some(Reason::Gone),
            None if self.delivered_at.is_none_or(|last| last < first) => Some(Reason::Failing),
            _ => None,
        };
        let mut next = webhook_delivery::ActiveModel {
            id: Set(row.id),
            tries: Set(tries),
            first_tried_at: Set(Some(first)),
            lease: Set(None),
            ..Default::default()
        };
        match (because, wait) {
            (Some(_), _) => next.next_at = Set(Some(self.tx.now())),
            (None, Some(wait)) => next.next_at = Set(Some(self.tx.now() + wait)),
            (None, None) => {
                next.next_at = Set(None);
                next.done_at = Set(Some(self.tx.now()));
                next.status = Set(Status::Failed.code().to_owned());
            }
        }
        webhook_delivery::Entity::update(next)
            .exec(&self.tx.db)
            .await?;
        Ok(because)
    }

    async fn disable(&self, reason: Reason) -> Result<(), Failure> {
        let Record { id, version, .. } = self.record;
        webhook::Entity::update_many()
            .col_expr(
                webhook::Column::State,
                Expr::value(State::Disabled(reason).code()),
            )
            .col_expr(webhook::Column::Reason, Expr::value(reason.code()))
            .col_expr(webhook::Column::StateSince, Expr::value(self.tx.now()))
            .col_expr(webhook::Column::UpdatedAt, Expr::value(self.tx.now()))
            .col_expr(webhook::Column::Version, Expr::value(version + 1))
            .filter(webhook::Column::Id.eq(id))
            .exec(&self.tx.db)
            .await?;
        let why = json!({ "reason": reason.code() });
        let disabled = entry(id, "webhook_disabled", version + 1);
        event::record(self.tx, disabled.changing(None, Some(why))).await
    }
}

fn attempt(report: &Report, outcome: Outcome) -> webhook_attempt::ActiveModel {
    webhook_attempt::ActiveModel {
        id: Set(new_id()),
        delivery_id: Set(report.delivery),
        tried_at: Set(report.at),
        response_status: Set(outcome.status.map(i32::from)),
        error: Set(outcome.fault.map(|fault| fault.code().to_owned())),
        duration_ms: Set(i64::try_from(outcome.took.as_millis()).unwrap_or(i64::MAX)),
    }
}

/// Drops what was done long ago, with what came of each attempt.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn forget_old(tx: &Tx) -> Result<(), Failure> {
    let old: Vec<Uuid> = webhook_delivery::Entity::find()
        .select_only()
        .column(webhook_delivery::Column::Id)
        .filter(webhook_delivery::Column::Id.lt(id_at(tx.now() - KEPT, 0)))
        .filter(webhook_delivery::Column::DoneAt.is_not_null())
        .limit(DROPPED)
        .into_tuple()
        .all(&tx.db)
        .await?;
    webhook_delivery::Entity::delete_many()
        .filter(webhook_delivery::Column::Id.is_in(old))
        .exec(&tx.db)
        .await?;
    super::forget_secrets(tx).await
}

/// Who writes while nobody asks.
fn author() -> Author {
    Author {
        account: None,
        name: "webhooks".to_owned(),
        request_id: None,
        source: None,
    }
}
