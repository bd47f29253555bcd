//! The chain of what was recorded: sealed, proved and read.

mod chain;
mod read;
mod seal;
mod verify;

pub use read::{Entry, Filter, Link, Reached, export_page, last_checkpoint, page, waiting};
pub use seal::{Batch, checkpoints_after, hash_at, is_waiting, seal};
pub use verify::{Verdict, Window, verify};

use crate::audit::Hash;
use crate::audit::checkpoint::Checkpoint;
use crate::entity::audit_checkpoint;

/// A stored hash, if it is one.
fn hash(stored: Vec<u8>) -> Option<Hash> {
    stored.try_into().ok()
}

/// A stored checkpoint, if it can be one.
fn checkpoint(row: audit_checkpoint::Model) -> Option<Checkpoint> {
    Some(Checkpoint {
        seq: row.seq,
        first: row.first,
        hash: hash(row.hash)?,
        sealed_at: row.sealed_at,
        key_id: row.key_id,
        signature: row.signature,
    })
}
