//! Reading what was recorded: for the audit administrator, and to be kept elsewhere.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::prelude::Json;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::audit::checkpoint::Checkpoint;
use crate::entity::{audit_checkpoint, audit_pending, audit_seal, event};
use crate::page;
use crate::store::{Failure, corrupt};

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

fn entry(event: event::Model, link: Option<Link>) -> Entry {
    Entry {
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
    }
}

fn link(seal: &audit_seal::Model, previous: Option<String>) -> Link {
    Link {
        seq: seal.seq,
        algorithm: seal.algorithm.clone(),
        hash: hex::encode(&seal.hash),
        previous,
    }
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
    fn narrow(&self, mut select: Select<event::Entity>) -> Select<event::Entity> {
        let equals = [
            (event::Column::Kind, &self.kind),
            (event::Column::Result, &self.result),
            (event::Column::Subject, &self.subject),
            (event::Column::Source, &self.source),
            (event::Column::RequestId, &self.request_id),
        ];
        for (column, wanted) in equals {
            if let Some(wanted) = wanted {
                select = select.filter(column.eq(wanted.as_str()));
            }
        }
        let equals = [
            (event::Column::ActorId, self.actor),
            (event::Column::ProjectId, self.project),
        ];
        for (column, wanted) in equals {
            if let Some(wanted) = wanted {
                select = select.filter(column.eq(wanted));
            }
        }
        // Ids sort by the time at which they were made, so a time is a place in their order, more or less.
        if let Some(from) = self.from {
            select = select
                .filter(event::Column::RecordedAt.gte(from))
                .filter(event::Column::Id.gte(first_id(from - BEFORE)));
        }
        if let Some(to) = self.to {
            select = select
                .filter(event::Column::RecordedAt.lte(to))
                .filter(event::Column::Id.lt(first_id(to + AFTER)));
        }
        select
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
    let mut select = filter.narrow(event::Entity::find());
    if let Some(cursor) = cursor {
        let after: Uuid = page::open(&question, cursor)?;
        select = select.filter(event::Column::Id.lt(after));
    }
    let events = select
        .order_by_desc(event::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await?;
    let (events, next) = page::page_of(events, limit, &question, |event| event.id);
    let mut seals: HashMap<Uuid, audit_seal::Model> = audit_seal::Entity::find()
        .filter(audit_seal::Column::EventId.is_in(events.iter().map(|event| event.id)))
        .all(db)
        .await?
        .into_iter()
        .map(|seal| (seal.event_id, seal))
        .collect();
    let entries = events.into_iter().map(|event| {
        let seal = seals.remove(&event.id);
        entry(event, seal.map(|seal| link(&seal, None)))
    });
    Ok((entries.collect(), next))
}

/// How far an export has come: the last entry that was looked at, and its hash.
#[derive(Clone, Debug, Default)]
pub struct Reached {
    seq: i64,
    hash: Option<String>,
}

/// What is asked for among the next entries of the chain, in its order, each with the hash before it; and how far that
/// went. None at the end.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn export_page(
    db: &impl ConnectionTrait,
    filter: &Filter,
    reached: Reached,
) -> Result<Option<(Vec<Entry>, Reached)>, Failure> {
    let seals = audit_seal::Entity::find()
        .filter(audit_seal::Column::Seq.gt(reached.seq))
        .order_by_asc(audit_seal::Column::Seq)
        .limit(EXPORTED)
        .all(db)
        .await?;
    if seals.is_empty() {
        return Ok(None);
    }
    let ids = seals.iter().map(|seal| seal.event_id);
    let mut events: HashMap<Uuid, event::Model> = filter
        .narrow(event::Entity::find())
        .filter(event::Column::Id.is_in(ids))
        .all(db)
        .await?
        .into_iter()
        .map(|event| (event.id, event))
        .collect();
    let mut reached = reached;
    let mut entries = Vec::with_capacity(events.len());
    for seal in seals {
        let link = link(&seal, reached.hash);
        reached = Reached {
            seq: seal.seq,
            hash: Some(link.hash.clone()),
        };
        if let Some(event) = events.remove(&seal.event_id) {
            entries.push(entry(event, Some(link)));
        }
    }
    Ok(Some((entries, reached)))
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
    let ids: Vec<Uuid> = audit_pending::Entity::find()
        .limit(limit)
        .all(db)
        .await?
        .into_iter()
        .map(|row| row.event_id)
        .collect();
    let events = event::Entity::find()
        .filter(event::Column::Id.is_in(ids))
        .all(db)
        .await?;
    let waiting = u64::try_from(events.len()).unwrap_or(limit);
    let since = events.into_iter().map(|event| event.recorded_at).min();
    Ok((waiting, since))
}
