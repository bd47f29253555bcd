//! Under which keys other offices' systems know projects (外部标识).

use chrono::{DateTime, Utc};
use domain::text::Text;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::project::{self, Key};
use super::{Failure, Tx};
use crate::auth::{Principal, Reach};
use crate::entity::external_ref::{self, Model};
use crate::problem::{Problem, kinds};

/// A system and its key of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalRef {
    /// Which system, by a code that the offices have agreed on.
    pub system: Text<64>,
    /// Its key of the project.
    pub key: Text<128>,
}

/// A link as it is known.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which system.
    pub system: String,
    /// Its key of the project.
    pub key: String,
    /// Since when.
    pub linked_at: DateTime<Utc>,
}

fn record(row: Model) -> Record {
    Record {
        system: row.system,
        key: row.key,
        linked_at: row.linked_at,
    }
}

/// The links of a project, by system.
///
/// # Errors
/// `not_found` if the project is absent or out of scope.
pub async fn all(
    db: &impl ConnectionTrait,
    reach: &Reach,
    project: Uuid,
) -> Result<Vec<Record>, Failure> {
    project::need(db, reach, Key::Id(project)).await?;
    let rows = external_ref::Entity::find()
        .filter(external_ref::Column::ProjectId.eq(project))
        .order_by_asc(external_ref::Column::System)
        .all(db)
        .await?;
    Ok(rows.into_iter().map(record).collect())
}

/// One project, by a system's key.
///
/// # Errors
/// `not_found` if there is none, or if it is out of scope.
pub async fn read(
    db: &impl ConnectionTrait,
    reach: &Reach,
    of: &ExternalRef,
) -> Result<project::Record, Failure> {
    let id = project_of(db, of).await?.ok_or_else(Problem::not_found)?;
    project::read(db, reach, Key::Id(id)).await
}

/// The project that a system knows by a key.
pub(super) async fn project_of(
    db: &impl ConnectionTrait,
    of: &ExternalRef,
) -> Result<Option<Uuid>, Failure> {
    let key = (of.system.as_str().to_owned(), of.key.as_str().to_owned());
    let found = external_ref::Entity::find_by_id(key).one(db).await?;
    Ok(found.map(|row| row.project_id))
}

/// Links a project to a system's key, in place of the one that the system had for it. Answers the link and the project's
/// version.
///
/// # Errors
/// `not_found`, 403, 412 if the project is not at version `seen`, `key_taken` if it is another project's.
pub async fn link(
    tx: &Tx,
    principal: &Principal,
    project: Uuid,
    seen: i64,
    of: &ExternalRef,
) -> Result<(Record, i64), Failure> {
    let held = project::hold(tx, principal, project, Some(seen)).await?;
    let before = of_system(tx, project, of.system.as_str()).await?;
    if let Some(same) = before.clone().filter(|row| row.key == of.key.as_str()) {
        return Ok((record(same), held.model.version));
    }
    if project_of(&tx.db, of).await?.is_some() {
        return Err(Problem::new(kinds::KEY_TAKEN)
            .say(
                format!("{} 的标识 {} 已属于另一项目", of.system, of.key),
                format!("The key {} of {} is another project's", of.key, of.system),
            )
            .into());
    }
    if let Some(before) = &before {
        take_off(tx, before).await?;
    }
    let row = Model {
        system: of.system.as_str().to_owned(),
        key: of.key.as_str().to_owned(),
        project_id: project,
        linked_at: tx.now(),
    };
    let active = external_ref::ActiveModel {
        system: Set(row.system.clone()),
        key: Set(row.key.clone()),
        project_id: Set(row.project_id),
        linked_at: Set(row.linked_at),
    };
    external_ref::Entity::insert(active)
        .exec_without_returning(&tx.db)
        .await?;
    let before = before.as_ref().map(told);
    let version = held
        .changed_beside(tx, "linked", before, Some(told(&row)))
        .await?;
    Ok((record(row), version))
}

/// Takes a system's link off a project. Answers the project's version.
///
/// # Errors
/// `not_found` if there is none, 403, 412 if the project is not at version `seen`.
pub async fn unlink(
    tx: &Tx,
    principal: &Principal,
    project: Uuid,
    seen: i64,
    system: &str,
) -> Result<i64, Failure> {
    let held = project::hold(tx, principal, project, Some(seen)).await?;
    let before = of_system(tx, project, system).await?;
    let before = before.ok_or_else(Problem::not_found)?;
    take_off(tx, &before).await?;
    held.changed_beside(tx, "unlinked", Some(told(&before)), None)
        .await
}

/// The systems that a project was linked to since an instant.
pub(super) async fn since(
    db: &impl ConnectionTrait,
    project: Uuid,
    instant: DateTime<Utc>,
) -> Result<Vec<String>, Failure> {
    let rows = external_ref::Entity::find()
        .filter(external_ref::Column::ProjectId.eq(project))
        .filter(external_ref::Column::LinkedAt.gt(instant))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| row.system).collect())
}

async fn of_system(tx: &Tx, project: Uuid, system: &str) -> Result<Option<Model>, Failure> {
    let found = external_ref::Entity::find()
        .filter(external_ref::Column::ProjectId.eq(project))
        .filter(external_ref::Column::System.eq(system))
        .one(&tx.db)
        .await?;
    Ok(found)
}

async fn take_off(tx: &Tx, row: &Model) -> Result<(), Failure> {
    external_ref::Entity::delete_by_id((row.system.clone(), row.key.clone()))
        .exec(&tx.db)
        .await?;
    Ok(())
}

fn told(row: &Model) -> Value {
    json!({ "system": row.system, "key": row.key })
}
