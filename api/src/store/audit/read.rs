//! Reading what was recorded: for the audit administrator, and to be kept elsewhere.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::prelude::Json;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, Iterable, QueryOrder, QueryResult,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::audit::checkpoint::Checkpoint;
use crate::entity::{audit_checkpoint, audit_pending, audit_seal, event};
use crate::page;
use crate::store::{Failure, corrupt};

/// The same seal, of the entry before.
const PREVIOUS: &str = "previous";
/// The most that ids are dated before or after the events they name: clocks differ, and a transaction lasts a while.
const BEFORE: TimeDelta = TimeDelta::minutes(5);
const AFTER: TimeDelta = TimeDelta::days(1);
/// How many entries are exported at a time.
const EXPORTED: u64 = 1000;

/// One thing that was recorded.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub recorded_at: DateTime<Utc>,
    /// What happened.
    pub kind: String,
    /// `done` or `denied`.
    pub result: String,
    /// What it is about.
    pub subject: String,
    /// The project, if it is about one.
    pub project: Option<Uuid>,
    /// The version that came of it.
    pub version: Option<i64>,
    /// As it was.
    pub before: Option<Json>,
    /// As it is.
    pub after: Option<Json>,
    /// The account; none for the command line.
    pub actor_id: Option<Uuid>,
    /// Its name.
    pub actor: String,
    /// The address that it came from.
    pub source: Option<String>,
    /// The request.
    pub request_id: Option<String>,
    /// Its link in the chain; none if it waits for it.
    pub link: Option<Link>,
}

/// A link of the chain.
#[derive(Clone, Debug)]
pub struct Link {
    /// The place in the chain, from 1.
    pub seq: i64,
    /// How it is hashed.
    pub algorithm: String,
    /// The hash of this entry and the one before.
    pub hash: String,
    /// The hash of the one before; only exported.
    pub previous: Option<String>,
}

#[derive(FromQueryResult)]
struct LinkRow {
    seq: Option<i64>,
    algorithm: Option<String>,
    hash: Option<Vec<u8>>,
    previous: Option<Vec<u8>>,
}

fn entry(row: &QueryResult) -> Result<Entry, Failure> {
    let event = event::Model::from_query_result(row, "")?;
    let link = LinkRow::from_query_result(row, "")?;
    let link = match (link.seq, link.algorithm, link.hash) {
        (Some(seq), Some(algorithm), Some(hash)) => Some(Link {
            seq,
            algorithm,
            hash: hex::encode(hash),
            previous: link.previous.map(hex::encode),
        }),
        _ => None,
    };
    Ok(Entry {
        id: event.id,
        recorded_at: event.recorded_at,
        kind: event.kind,
        result: event.result,
        subject: event.subject,
        project: event.project_id,
        version: event.version,
        before: event.before,
        after: event.after,
        actor_id: event.actor_id,
        actor: event.actor_name,
        source: event.source,
        request_id: event.request_id,
        link,
    })
}

/// Events with their links, if they have one.
fn entries(join: JoinType) -> SelectStatement {
    Query::select()
        .columns(event::Column::iter().map(|column| (event::Entity, column)))
        .columns([
            (audit_seal::Entity, audit_seal::Column::Seq),
            (audit_seal::Entity, audit_seal::Column::Algorithm),
            (audit_seal::Entity, audit_seal::Column::Hash),
        ])
        .from(event::Entity)
        .join(
            join,
            audit_seal::Entity,
            Expr::col((audit_seal::Entity, audit_seal::Column::EventId))
                .equals((event::Entity, event::Column::Id)),
        )
        .take()
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// The account that did it.
    pub actor: Option<Uuid>,
    /// What happened.
    pub kind: Option<String>,
    /// `done` or `denied`.
    pub result: Option<String>,
    /// What it is about.
    pub subject: Option<String>,
    /// The project that it is about.
    pub project: Option<Uuid>,
    /// The address that it came from.
    pub source: Option<String>,
    /// The request.
    pub request_id: Option<String>,
    /// Recorded then or later.
    pub from: Option<DateTime<Utc>>,
    /// Recorded then or before.
    pub to: Option<DateTime<Utc>>,
}

impl Filter {
    fn narrow(&self, select: &mut SelectStatement) {
        let equals = [
            (event::Column::Kind, &self.kind),
            (event::Column::Result, &self.result),
            (event::Column::Subject, &self.subject),
            (event::Column::Source, &self.source),
            (event::Column::RequestId, &self.request_id),
        ];
        for (column, wanted) in equals {
            if let Some(wanted) = wanted {
                select.and_where(column.eq(wanted.as_str()));
            }
        }
        let equals = [
            (event::Column::ActorId, self.actor),
            (event::Column::ProjectId, self.project),
        ];
        for (column, wanted) in equals {
            if let Some(wanted) = wanted {
                select.and_where(column.eq(wanted));
            }
        }
        // Ids sort by the time at which they were made, so a time is a place in their order, more or less.
        if let Some(from) = self.from {
            select.and_where(event::Column::RecordedAt.gte(from));
            select.and_where(event::Column::Id.gte(first_id(from - BEFORE)));
        }
        if let Some(to) = self.to {
            select.and_where(event::Column::RecordedAt.lte(to));
            select.and_where(event::Column::Id.lt(first_id(to + AFTER)));
        }
    }
}

/// The id before all that were made at this time.
fn first_id(at: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(at.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128(millis << 80)
}

/// One page of what was recorded, newest first.
///
/// # Errors
/// `invalid_cursor`, or [`Failure`] of the database.
pub async fn page(
    db: &impl ConnectionTrait,
    filter: &Filter,
    limit: u64,
    cursor: Option<&str>,
) -> Result<(Vec<Entry>, Option<String>), Failure> {
    let question = format!("audit {}", serde_json::json!(filter));
    let mut select = entries(JoinType::LeftJoin);
    select.expr_as(Expr::val(Option::<Vec<u8>>::None), PREVIOUS);
    filter.narrow(&mut select);
    if let Some(cursor) = cursor {
        let after: Uuid = page::open(&question, cursor)?;
        select.and_where(event::Column::Id.lt(after));
    }
    select
        .order_by((event::Entity, event::Column::Id), Order::Desc)
        .limit(limit + 1);
    let rows = db.query_all(&select).await?;
    let rows: Vec<Entry> = rows.iter().map(entry).collect::<Result<_, _>>()?;
    Ok(page::page_of(rows, limit, &question, |row| row.id))
}

/// The next entries of the chain after this one, in its order, each with the hash before it.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn export_page(
    db: &impl ConnectionTrait,
    filter: &Filter,
    after: i64,
) -> Result<Vec<Entry>, Failure> {
    let mut select = entries(JoinType::InnerJoin);
    select
        .expr_as(Expr::col((PREVIOUS, audit_seal::Column::Hash)), PREVIOUS)
        .join_as(
            JoinType::LeftJoin,
            audit_seal::Entity,
            PREVIOUS,
            Expr::col((PREVIOUS, audit_seal::Column::Seq)).eq(Expr::col((
                audit_seal::Entity,
                audit_seal::Column::Seq,
            ))
            .sub(1)),
        )
        .and_where(audit_seal::Column::Seq.gt(after))
        .order_by((audit_seal::Entity, audit_seal::Column::Seq), Order::Asc)
        .limit(EXPORTED);
    filter.narrow(&mut select);
    db.query_all(&select).await?.iter().map(entry).collect()
}

/// The last checkpoint, if there is one.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn last_checkpoint(db: &impl ConnectionTrait) -> Result<Option<Checkpoint>, Failure> {
    let last = audit_checkpoint::Entity::find()
        .order_by_desc(audit_checkpoint::Column::Seq)
        .one(db)
        .await?;
    last.map(|row| super::checkpoint(row).ok_or_else(|| corrupt("audit_checkpoint")))
        .transpose()
}

/// How many events wait for their seal, up to a limit, and since when the oldest does.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn waiting(
    db: &impl ConnectionTrait,
    limit: u64,
) -> Result<(u64, Option<DateTime<Utc>>), Failure> {
    let select = Query::select()
        .column((event::Entity, event::Column::RecordedAt))
        .from(audit_pending::Entity)
        .join(
            JoinType::InnerJoin,
            event::Entity,
            Expr::col((event::Entity, event::Column::Id))
                .equals((audit_pending::Entity, audit_pending::Column::EventId)),
        )
        .limit(limit)
        .take();
    let mut waiting = 0;
    let mut since: Option<DateTime<Utc>> = None;
    for row in db.query_all(&select).await? {
        let recorded_at: DateTime<Utc> = row.try_get("", "recorded_at")?;
        waiting += 1;
        since = Some(since.map_or(recorded_at, |oldest| Ord::min(oldest, recorded_at)));
    }
    Ok((waiting, since))
}
