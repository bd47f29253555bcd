//! What was done to a project, newest first.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::Failure;
use super::project::{self, Key};
use crate::auth::Reach;
use crate::entity::event;
use crate::page;

/// One thing that was done.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its id.
    pub id: Uuid,
    /// What happened.
    pub kind: String,
    /// The project's version after it.
    pub version: Option<i64>,
    /// What was, of what changed.
    pub before: Option<serde_json::Value>,
    /// What is.
    pub after: Option<serde_json::Value>,
    /// Who did it.
    pub actor: String,
    /// The request in which it was done.
    pub request_id: Option<String>,
    /// When it became known.
    pub recorded_at: chrono::DateTime<chrono::Utc>,
}

/// One page of a project's history.
///
/// # Errors
/// `not_found` if the project is absent or out of scope; `invalid_cursor`.
pub async fn read(
    db: &impl ConnectionTrait,
    reach: &Reach,
    id: Uuid,
    limit: u64,
    cursor: Option<&str>,
) -> Result<(Vec<Entry>, Option<String>), Failure> {
    project::need(db, reach, Key::Id(id)).await?;
    let question = format!("history {id}");
    let mut query = event::Entity::find()
        .filter(event::Column::ProjectId.eq(id))
        .order_by_desc(event::Column::Id)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        let after: Uuid = page::open(&question, cursor)?;
        query = query.filter(event::Column::Id.lt(after));
    }
    let rows = query.all(db).await?;
    let (rows, next) = page::page_of(rows, limit, &question, |row| row.id);
    let entries = rows
        .into_iter()
        .map(|row| Entry {
            id: row.id,
            kind: row.kind,
            version: row.version,
            before: row.before,
            after: row.after,
            actor: row.actor_name,
            request_id: row.request_id,
            recorded_at: row.recorded_at,
        })
        .collect();
    Ok((entries, next))
}
