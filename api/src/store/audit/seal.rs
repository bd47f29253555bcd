//! Sealing: what waits is chained, in batches that end in a checkpoint.

use std::collections::HashSet;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::chain::link;
use crate::audit::checkpoint::{Checkpoint, SigningKey};
use crate::audit::{Algorithm, Hash, START};
use crate::entity::{audit_checkpoint, audit_pending, audit_seal, event};
use crate::store::{Failure, Tx, corrupt};

/// How many events are sealed at a time.
const BATCH: u64 = 2048;
/// How many of them have a checkpoint of their own, at the most.
const SIGNED: usize = 256;
/// How many checkpoints are read at a time.
const CHECKPOINTS: u64 = 1000;

/// What was sealed at a time.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// How many events.
    pub events: usize,
    /// The last id that was looked at.
    pub last: Uuid,
}

/// The next ids that wait after this one, oldest first.
///
/// Each step here asks one table by its key. A join would say it in one query, but what the database makes of that
/// depends on what it believes of the tables' sizes, and it looked through the whole chain for every batch.
async fn waiting(db: &impl ConnectionTrait, after: Uuid, limit: u64) -> Result<Vec<Uuid>, Failure> {
    let rows = audit_pending::Entity::find()
        .filter(audit_pending::Column::EventId.gt(after))
        .order_by_asc(audit_pending::Column::EventId)
        .limit(limit)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.event_id).collect())
}

/// Whether an event waits to be sealed, of the ids after this one.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn is_waiting(db: &impl ConnectionTrait, after: Uuid) -> Result<bool, Failure> {
    Ok(!waiting(db, after, 1).await?.is_empty())
}

/// Chains the next events that wait after this id, oldest first, with signed ones among them, of which the last is one.
/// None if none waits, or if another service is sealing.
///
/// A transaction that commits late is sealed late: its events stand in the chain where they became visible. Events of
/// one project are sealed in the order in which they happened: all that wait are seen by one query, and whoever comes
/// later to a project is dated, and visible, after who came before. What waits without an event goes on waiting, for the
/// proof to find it.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn seal(
    tx: &Tx,
    key: &SigningKey,
    algorithm: Algorithm,
    after: Uuid,
) -> Result<Option<Batch>, Failure> {
    if !tx.alone_with_the_chain().await? {
        return Ok(None);
    }
    let ids = waiting(&tx.db, after, BATCH).await?;
    let Some(last) = ids.last().copied() else {
        return Ok(None);
    };
    let sealed: HashSet<Uuid> = audit_seal::Entity::find()
        .filter(audit_seal::Column::EventId.is_in(ids.iter().copied()))
        .all(&tx.db)
        .await?
        .into_iter()
        .map(|row| row.event_id)
        .collect();
    let mut events = event::Entity::find()
        .filter(event::Column::Id.is_in(ids))
        .order_by_asc(event::Column::Id)
        .all(&tx.db)
        .await?;
    events.retain(|event| !sealed.contains(&event.id));
    let batch = Batch {
        events: events.len(),
        last,
    };
    if events.is_empty() {
        return Ok(Some(batch));
    }
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
    let mut end = end(&tx.db).await?;
    while !events.is_empty() {
        let rest = events.split_off(SIGNED.min(events.len()));
        end = chain(tx, key, algorithm, end, events).await?;
        events = rest;
    }
    audit_pending::Entity::delete_many()
        .filter(audit_pending::Column::EventId.is_in(ids))
        .exec(&tx.db)
        .await?;
    Ok(Some(batch))
}

/// Chains events to the end of the chain and signs the last of them; answers the new end.
async fn chain(
    tx: &Tx,
    key: &SigningKey,
    algorithm: Algorithm,
    (mut seq, mut hash): (i64, Hash),
    events: Vec<event::Model>,
) -> Result<(i64, Hash), Failure> {
    let first = seq + 1;
    let mut seals = Vec::with_capacity(events.len());
    for event in events {
        seq += 1;
        let event_id = event.id;
        hash = link(algorithm, &hash, seq, event);
        seals.push(audit_seal::ActiveModel {
            seq: Set(seq),
            event_id: Set(event_id),
            algorithm: Set(algorithm.code().to_owned()),
            hash: Set(hash.to_vec()),
        });
    }
    audit_seal::Entity::insert_many(seals)
        .exec_without_returning(&tx.db)
        .await?;
    let signed = key.sign(first, seq, hash, tx.now());
    audit_checkpoint::Entity::insert(audit_checkpoint::ActiveModel {
        seq: Set(signed.seq),
        first: Set(signed.first),
        hash: Set(signed.hash.to_vec()),
        sealed_at: Set(signed.sealed_at),
        key_id: Set(signed.key_id),
        signature: Set(signed.signature),
    })
    .exec_without_returning(&tx.db)
    .await?;
    Ok((seq, hash))
}

/// The last link of the chain.
async fn end(db: &impl ConnectionTrait) -> Result<(i64, Hash), Failure> {
    let last = audit_seal::Entity::find()
        .order_by_desc(audit_seal::Column::Seq)
        .one(db)
        .await?;
    match last {
        None => Ok((0, START)),
        Some(seal) => {
            let hash = super::hash(seal.hash).ok_or_else(|| corrupt("audit_seal"))?;
            Ok((seal.seq, hash))
        }
    }
}

/// The checkpoints that answer for entries after this one, oldest first; a limited number of them.
///
/// # Errors
/// [`Failure`] of the database, or one that can't be a checkpoint.
pub async fn checkpoints_after(
    db: &impl ConnectionTrait,
    seq: i64,
) -> Result<Vec<Checkpoint>, Failure> {
    let rows = audit_checkpoint::Entity::find()
        .filter(audit_checkpoint::Column::Seq.gt(seq))
        .order_by_asc(audit_checkpoint::Column::Seq)
        .limit(CHECKPOINTS)
        .all(db)
        .await?;
    rows.into_iter()
        .map(|row| super::checkpoint(row).ok_or_else(|| corrupt("audit_checkpoint")))
        .collect()
}

/// The stored hash of an entry, if it is there.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn hash_at(db: &impl ConnectionTrait, seq: i64) -> Result<Option<Vec<u8>>, Failure> {
    let found = audit_seal::Entity::find_by_id(seq).one(db).await?;
    Ok(found.map(|seal| seal.hash))
}
