//! Keyset paging: a cursor says after which row the next page begins.

use aws_lc_rs::digest;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;

use crate::problem::{Problem, kinds};

/// How many items a page has unless asked otherwise.
pub const DEFAULT_LIMIT: u64 = 50;
/// How many items a page has at the most.
pub const MAX_LIMIT: u64 = 200;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// Where the next page begins; null on the last.
    #[schema(required = true)]
    pub next_cursor: Option<String>,
    /// How many there are in all; only when asked for by `with_total=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub total: Option<u64>,
}

/// Makes the page of `limit` rows out of up to `limit + 1` that were read.
pub(crate) fn page_of<R, K: Serialize>(
    mut rows: Vec<R>,
    limit: u64,
    question: &str,
    key: impl Fn(&R) -> K,
) -> (Vec<R>, Option<String>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return (rows, None);
    }
    rows.truncate(limit);
    let cursor = rows.last().map(|last| seal(question, &key(last)));
    (rows, cursor)
}

#[derive(Serialize, Deserialize)]
struct Sealed<K> {
    /// What was asked: a cursor is of no use for another question.
    q: String,
    k: K,
}

fn mark(question: &str) -> String {
    let hash = digest::digest(&digest::SHA256, question.as_bytes());
    BASE64_URL_SAFE_NO_PAD.encode(hash.as_ref().get(..6).unwrap_or_default())
}

/// The cursor that leads behind a key, for this question alone.
pub fn seal<K: Serialize>(question: &str, key: &K) -> String {
    let sealed = Sealed {
        q: mark(question),
        k: key,
    };
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&sealed).unwrap_or_default())
}

/// Reads a cursor back.
///
/// # Errors
/// `invalid_cursor` for one that was not made here, or for another question.
pub fn open<K: DeserializeOwned>(question: &str, cursor: &str) -> Result<K, Problem> {
    BASE64_URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        // No cursor of ours has a NUL in it, and PostgreSQL takes none.
        .filter(|bytes| !bytes.windows(6).any(|part| part == b"\\u0000"))
        .and_then(|bytes| serde_json::from_slice::<Sealed<K>>(&bytes).ok())
        .filter(|sealed| sealed.q == mark(question))
        .map(|sealed| sealed.k)
        .ok_or_else(|| {
            Problem::new(kinds::INVALID_CURSOR).say(
                "游标无效，或不属于这一查询；请从第一页重新开始",
                "The cursor is invalid or belongs to another query; begin again at the first page",
            )
        })
}
