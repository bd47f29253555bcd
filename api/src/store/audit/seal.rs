//! Sealing: what waits is chained, in batches that end in a checkpoint.

use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, Iterable,
    QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::chain::link;
use crate::audit::checkpoint::{Checkpoint, SigningKey};
use crate::audit::{Algorithm, Hash, START};
use crate::entity::{audit_checkpoint, audit_pending, audit_seal, event};
use crate::store::{Failure, Tx, corrupt};

/// How many events are sealed at a time, with one checkpoint.
const BATCH: u64 = 256;
/// How many checkpoints are read at a time.
const CHECKPOINTS: u64 = 1000;

/// What was sealed at a time.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// How many events.
    pub events: usize,
    /// The last of them.
    pub last: Uuid,
}

/// What waits, of the ids after this one. An event that is sealed or gone doesn't.
fn waiting(after: Uuid) -> SelectStatement {
    let sealed = Query::select()
        .expr(Expr::val(1))
        .from(audit_seal::Entity)
        .and_where(
            Expr::col((audit_seal::Entity, audit_seal::Column::EventId))
                .equals((audit_pending::Entity, audit_pending::Column::EventId)),
        )
        .take();
    Query::select()
        .from(audit_pending::Entity)
        .join(
            JoinType::InnerJoin,
            event::Entity,
            Expr::col((event::Entity, event::Column::Id))
                .equals((audit_pending::Entity, audit_pending::Column::EventId)),
        )
        .and_where(audit_pending::Column::EventId.gt(after))
        .and_where(Expr::exists(sealed).not())
        .take()
}

/// Whether an event waits to be sealed, of the ids after this one.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn is_waiting(db: &impl ConnectionTrait, after: Uuid) -> Result<bool, Failure> {
    let one = waiting(after).expr(Expr::val(1)).limit(1).take();
    Ok(db.query_one(&one).await?.is_some())
}

/// Chains the next events that wait after this id, oldest first, and signs the last of them. None if none waits, or
/// if another service is sealing.
///
/// A transaction that commits late is sealed late: its events stand in the chain where they became visible.
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
    let next = waiting(after)
        .columns(event::Column::iter().map(|column| (event::Entity, column)))
        .order_by(
            (audit_pending::Entity, audit_pending::Column::EventId),
            Order::Asc,
        )
        .limit(BATCH)
        .take();
    let events: Vec<event::Model> = tx
        .db
        .query_all(&next)
        .await?
        .iter()
        .map(|row| event::Model::from_query_result(row, ""))
        .collect::<Result<_, _>>()?;
    let Some(last) = events.last().map(|event| event.id) else {
        return Ok(None);
    };
    let (mut seq, mut hash) = end(&tx.db).await?;
    let first = seq + 1;
    let ids: Vec<Uuid> = events.iter().map(|event| event.id).collect();
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
    let events = ids.len();
    audit_pending::Entity::delete_many()
        .filter(audit_pending::Column::EventId.is_in(ids))
        .exec(&tx.db)
        .await?;
    Ok(Some(Batch { events, last }))
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
