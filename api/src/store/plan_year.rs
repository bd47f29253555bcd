//! Annual plans of a project.

use std::collections::BTreeSet;

use domain::money::Money;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::project::{self, Held, Key};
use super::{Failure, Tx, row};
use crate::auth::{Principal, Reach};
use crate::entity::plan_year::{self, Model};
use crate::precondition::Precondition;
use crate::problem::{Problem, kinds};

/// One year of a project's annual plan.
#[derive(Clone, Debug)]
pub struct Record {
    /// The year.
    pub year: i32,
    /// How often it was changed.
    pub version: i64,
    /// The investment planned for the year; none if not told.
    pub planned: Option<Money>,
}

pub(super) fn record(row: &Model) -> Result<Record, Failure> {
    Ok(Record {
        year: row.year,
        version: row.version,
        planned: row.planned_fen.map(row::money).transpose()?,
    })
}

async fn present(db: &impl ConnectionTrait, id: Uuid) -> Result<Vec<Model>, Failure> {
    Ok(plan_year::Entity::find()
        .filter(plan_year::Column::ProjectId.eq(id))
        .filter(plan_year::Column::SupersededAt.is_null())
        .order_by_asc(plan_year::Column::Year)
        .all(db)
        .await?)
}

/// Every year in whose plan the project stands.
///
/// # Errors
/// `not_found` if the project is absent or out of scope.
pub async fn all(
    db: &impl ConnectionTrait,
    reach: &Reach,
    id: Uuid,
) -> Result<Vec<Record>, Failure> {
    project::need(db, reach, Key::Id(id)).await?;
    present(db, id).await?.iter().map(record).collect()
}

/// The years in whose plan a project stands.
pub(crate) async fn years(db: &impl ConnectionTrait, id: Uuid) -> Result<BTreeSet<i32>, Failure> {
    Ok(present(db, id).await?.iter().map(|row| row.year).collect())
}

/// Puts a project into the annual plan of a year, or changes its planned investment.
///
/// # Errors
/// `needs_manager`, `cover_has_no_stage`, a failed precondition.
pub async fn put(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    year: i32,
    precondition: Precondition,
    planned: Option<Money>,
) -> Result<Record, Failure> {
    let held = hold(tx, principal, id).await?;
    let before = find(tx, id, year).await?;
    precondition.check(before.as_ref().map(|row| row.version))?;
    if let Some(same) = before
        .as_ref()
        .filter(|row| row.planned_fen == planned.map(Money::fen))
    {
        return record(same);
    }
    let version = next_version(tx, id, year).await?;
    supersede(tx, id, year).await?;
    let row = plan_year::ActiveModel {
        project_id: Set(id),
        year: Set(year),
        planned_fen: Set(planned.map(Money::fen)),
        version: Set(version),
        recorded_at: Set(tx.now()),
        superseded_at: Set(None),
    };
    plan_year::Entity::insert(row)
        .exec_without_returning(&tx.db)
        .await?;
    let before = before.as_ref().map(told).transpose()?;
    let after = json!({ "year": year, "planned_investment": planned });
    held.changed_beside(tx, "planned", before, Some(after))
        .await?;
    Ok(Record {
        year,
        version,
        planned,
    })
}

/// Takes a project out of the annual plan of a year.
///
/// # Errors
/// `needs_manager`, `not_found`, 412, and `evidence_in_use` if its start rests on that plan.
pub async fn remove(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    year: i32,
    seen: i64,
) -> Result<(), Failure> {
    let held = hold(tx, principal, id).await?;
    let before = find(tx, id, year).await?.ok_or_else(Problem::not_found)?;
    Precondition::Version(seen).check(Some(before.version))?;
    let had = project::evidence(tx, &held).await?;
    supersede(tx, id, year).await?;
    let has = project::evidence(tx, &held).await?;
    project::refuse_lost(tx, &held.model, &had, &has).await?;
    held.changed_beside(tx, "unplanned", Some(told(&before)?), None)
        .await?;
    Ok(())
}

async fn hold(tx: &Tx, principal: &Principal, id: Uuid) -> Result<Held, Failure> {
    let held = project::hold(tx, principal, id, None).await?;
    principal.need_manager(&held.model.region, held.model.unit.as_deref())?;
    if held.is_cover() {
        return Err(Problem::new(kinds::COVER_HAS_NO_STAGE)
            .say(
                "打捆项目本身不列计划，请在其子项上安排",
                "A cover holds no plan of its own; plan its parts",
            )
            .into());
    }
    Ok(held)
}

async fn find(tx: &Tx, id: Uuid, year: i32) -> Result<Option<Model>, Failure> {
    let all = present(&tx.db, id).await?;
    Ok(all.into_iter().find(|row| row.year == year))
}

/// Versions go on after a removal, so that an old ETag never fits a new entry.
async fn next_version(tx: &Tx, id: Uuid, year: i32) -> Result<i64, Failure> {
    let last = plan_year::Entity::find()
        .filter(plan_year::Column::ProjectId.eq(id))
        .filter(plan_year::Column::Year.eq(year))
        .order_by_desc(plan_year::Column::Version)
        .one(&tx.db)
        .await?;
    Ok(last.map_or(1, |row| row.version + 1))
}

async fn supersede(tx: &Tx, id: Uuid, year: i32) -> Result<(), Failure> {
    plan_year::Entity::update_many()
        .col_expr(plan_year::Column::SupersededAt, Expr::value(tx.now()))
        .filter(plan_year::Column::ProjectId.eq(id))
        .filter(plan_year::Column::Year.eq(year))
        .filter(plan_year::Column::SupersededAt.is_null())
        .exec(&tx.db)
        .await?;
    Ok(())
}

fn told(row: &Model) -> Result<Value, Failure> {
    let record = record(row)?;
    Ok(json!({ "year": record.year, "planned_investment": record.planned }))
}
