//! The schemes of the scoreboard: each version with the time it was known, none overwritten.

use chrono::{DateTime, Utc};
use domain::scoreboard::Scheme;
use sea_orm::prelude::Json;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::need_manager_of_all;
use crate::auth::Principal;
use crate::entity::scoreboard_scheme::{ActiveModel, Column, Entity};
use crate::input::scoreboard::SchemeInput;
use crate::precondition::Precondition;
use crate::store::counting::known;
use crate::store::{Failure, Tx, corrupt, event, rollup};

/// What schemes and closings are called in events.
pub(super) const NAME: &str = "scoreboard";
/// There is one scheme at a time.
const ONLY: i32 = 1;
/// The version of the preset, which holds until a scheme is set.
const PRESET: i64 = 1;

/// A scheme as it stands, or stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// How often it was changed; its ETag.
    pub version: i64,
    /// When it became known, where that is asked; none of the preset.
    pub recorded_at: Option<DateTime<Utc>>,
    /// What it says.
    pub scheme: Scheme,
}

impl Record {
    /// Whether it is the one that holds until a scheme is set.
    #[must_use]
    pub const fn is_preset(&self) -> bool {
        self.version == PRESET
    }
}

/// The scheme as it was known then, or is now.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn find(
    db: &impl ConnectionTrait,
    as_of: Option<DateTime<Utc>>,
) -> Result<Record, Failure> {
    let row = Entity::find()
        .filter(known(as_of, Column::RecordedAt, Column::SupersededAt))
        .one(db)
        .await?;
    let Some(row) = row else {
        return Ok(Record {
            version: PRESET,
            recorded_at: None,
            scheme: Scheme::preset(),
        });
    };
    Ok(Record {
        version: row.version,
        recorded_at: Some(row.recorded_at),
        scheme: read(row.scheme)?,
    })
}

/// Sets the scheme, if it stands at version `seen`.
///
/// # Errors
/// 403 for who is not a manager of the whole library, 412.
pub async fn put(
    tx: &Tx,
    principal: &Principal,
    seen: i64,
    scheme: &Scheme,
) -> Result<Record, Failure> {
    need_manager_of_all(tx, principal).await?;
    tx.alone_with_reference_data().await?;
    let before = find(&tx.db, None).await?;
    Precondition::Version(seen).check(Some(before.version))?;
    if before.scheme == *scheme {
        return Ok(before);
    }
    tx.comes_after(before.recorded_at);
    Entity::update_many()
        .col_expr(Column::SupersededAt, Expr::value(tx.now()))
        .filter(Column::SupersededAt.is_null())
        .exec(&tx.db)
        .await?;
    let version = before.version + 1;
    let row = ActiveModel {
        id: Set(ONLY),
        version: Set(version),
        scheme: Set(told(scheme)?),
        recorded_at: Set(tx.now()),
        superseded_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(&tx.db).await?;
    rollup::touch(tx).await?;
    let done = event::Entry::of_code(NAME, "scheme", "scheme_set", version);
    let (was, is) = (told(&before.scheme)?, told(scheme)?);
    event::record(tx, done.changing(Some(was), Some(is))).await?;
    Ok(Record {
        version,
        recorded_at: Some(tx.now()),
        scheme: scheme.clone(),
    })
}

/// A scheme as it is stored.
pub(super) fn told(scheme: &Scheme) -> Result<Json, Failure> {
    serde_json::to_value(SchemeInput::from(scheme)).map_err(|_| corrupt("a scheme"))
}

/// A scheme that was stored.
pub(super) fn read(stored: Json) -> Result<Scheme, Failure> {
    let input: SchemeInput = serde_json::from_value(stored).map_err(|_| corrupt("a scheme"))?;
    input.read().map_err(|_| corrupt("a scheme"))
}
