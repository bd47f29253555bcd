//! Permits and documents of a project.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::approval::{ApprovalItem, ApprovalStatus};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::project::{self, Key};
use super::row::coded;
use super::{Failure, Tx};
use crate::auth::{Principal, Reach};
use crate::entity::approval::{self, Model};
use crate::precondition::Precondition;
use crate::problem::{Problem, kinds};

/// What is said of one permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// How far it has come.
    pub status: ApprovalStatus,
    /// 文号.
    pub document_number: Option<String>,
    /// The day of the document.
    pub issued_on: Option<NaiveDate>,
    /// Who issued it.
    pub authority: Option<String>,
    /// Where it can be read.
    pub attachment: Option<String>,
    /// Why it does not apply, if waived.
    pub reason: Option<String>,
}

/// A permit as it stands.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which.
    pub item: ApprovalItem,
    /// How often it was changed.
    pub version: i64,
    /// What is said of it.
    pub approval: Approval,
}

pub(super) fn record(row: Model) -> Result<Record, Failure> {
    let Model {
        project_id: _,
        item,
        status,
        document_number,
        issued_on,
        authority,
        attachment,
        reason,
        version,
        recorded_at: _,
        superseded_at: _,
    } = row;
    Ok(Record {
        item: coded(ApprovalItem::from_code, &item)?,
        version,
        approval: Approval {
            status: coded(ApprovalStatus::from_code, &status)?,
            document_number,
            issued_on,
            authority,
            attachment,
            reason,
        },
    })
}

async fn present(db: &impl ConnectionTrait, id: Uuid) -> Result<Vec<Record>, Failure> {
    approval::Entity::find()
        .filter(approval::Column::ProjectId.eq(id))
        .filter(approval::Column::SupersededAt.is_null())
        .all(db)
        .await?
        .into_iter()
        .map(record)
        .collect()
}

/// Every permit that something is known of.
///
/// # Errors
/// `not_found` if the project is absent or out of scope.
pub async fn all(
    db: &impl ConnectionTrait,
    reach: &Reach,
    id: Uuid,
) -> Result<Vec<Record>, Failure> {
    project::need(db, reach, Key::Id(id)).await?;
    let mut all = present(db, id).await?;
    all.sort_by_key(|record| record.item);
    Ok(all)
}

/// How far each permit has come.
pub(crate) async fn statuses(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<BTreeMap<ApprovalItem, ApprovalStatus>, Failure> {
    let all = present(db, id).await?;
    Ok(all
        .into_iter()
        .map(|record| (record.item, record.approval.status))
        .collect())
}

/// Says how one permit stands. A manager alone may waive, or take a waiver back.
///
/// # Errors
/// `needs_manager`, `evidence_in_use`, a failed precondition.
pub async fn put(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    item: ApprovalItem,
    precondition: Precondition,
    new: Approval,
) -> Result<Record, Failure> {
    let held = project::hold(tx, principal, id, None).await?;
    let before = present(&tx.db, id)
        .await?
        .into_iter()
        .find(|record| record.item == item);
    precondition.check(before.as_ref().map(|record| record.version))?;
    let waives = |approval: &Approval| approval.status == ApprovalStatus::Waived;
    if waives(&new)
        || before
            .as_ref()
            .is_some_and(|record| waives(&record.approval))
    {
        principal.need_manager(&held.model.region, held.model.unit.as_deref())?;
    }
    if held.is_cover() {
        return Err(Problem::new(kinds::COVER_HAS_NO_STAGE).into());
    }
    if let Some(same) = before.as_ref().filter(|record| record.approval == new) {
        return Ok(same.clone());
    }
    let had = project::evidence(tx, &held).await?;
    let version = next_version(tx, id, item).await?;
    supersede(tx, id, item).await?;
    insert(tx, id, item, version, &new).await?;
    let has = project::evidence(tx, &held).await?;
    project::refuse_lost(tx, &held.model, &had, &has).await?;
    let before = before.map(|record| told(item, &record.approval));
    let after = told(item, &new);
    held.changed_beside(tx, "approval_changed", before, Some(after))
        .await?;
    Ok(Record {
        item,
        version,
        approval: new,
    })
}

/// Takes what is said of a permit back, as if nothing were known of it.
///
/// # Errors
/// `not_found`, 412 if it is not at version `seen`, `needs_manager` for a waiver, `evidence_in_use`.
pub(super) async fn remove(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    item: ApprovalItem,
    seen: i64,
) -> Result<(), Failure> {
    let held = project::hold(tx, principal, id, None).await?;
    let before = present(&tx.db, id)
        .await?
        .into_iter()
        .find(|record| record.item == item)
        .ok_or_else(Problem::not_found)?;
    Precondition::Version(seen).check(Some(before.version))?;
    if before.approval.status == ApprovalStatus::Waived {
        principal.need_manager(&held.model.region, held.model.unit.as_deref())?;
    }
    let had = project::evidence(tx, &held).await?;
    supersede(tx, id, item).await?;
    let has = project::evidence(tx, &held).await?;
    project::refuse_lost(tx, &held.model, &had, &has).await?;
    let before = told(item, &before.approval);
    held.changed_beside(tx, "approval_changed", Some(before), None)
        .await?;
    Ok(())
}

/// Versions go on after a removal, so that an old entity tag never fits a new entry.
async fn next_version(tx: &Tx, id: Uuid, item: ApprovalItem) -> Result<i64, Failure> {
    let last = approval::Entity::find()
        .filter(approval::Column::ProjectId.eq(id))
        .filter(approval::Column::Item.eq(item.code()))
        .order_by_desc(approval::Column::Version)
        .one(&tx.db)
        .await?;
    Ok(last.map_or(1, |row| row.version + 1))
}

pub(super) fn told(item: ApprovalItem, approval: &Approval) -> Value {
    json!({
        "item": item.code(),
        "status": approval.status.code(),
        "document_number": approval.document_number,
        "issued_on": approval.issued_on,
        "authority": approval.authority,
        "attachment": approval.attachment,
        "reason": approval.reason,
    })
}

async fn supersede(tx: &Tx, id: Uuid, item: ApprovalItem) -> Result<(), Failure> {
    approval::Entity::update_many()
        .col_expr(approval::Column::SupersededAt, Expr::value(tx.now()))
        .filter(approval::Column::ProjectId.eq(id))
        .filter(approval::Column::Item.eq(item.code()))
        .filter(approval::Column::SupersededAt.is_null())
        .exec(&tx.db)
        .await?;
    Ok(())
}

async fn insert(
    tx: &Tx,
    id: Uuid,
    item: ApprovalItem,
    version: i64,
    approval: &Approval,
) -> Result<(), Failure> {
    let Approval {
        status,
        document_number,
        issued_on,
        authority,
        attachment,
        reason,
    } = approval.clone();
    let row = approval::ActiveModel {
        project_id: Set(id),
        item: Set(item.code().to_owned()),
        status: Set(status.code().to_owned()),
        document_number: Set(document_number),
        issued_on: Set(issued_on),
        authority: Set(authority),
        attachment: Set(attachment),
        reason: Set(reason),
        version: Set(version),
        recorded_at: Set(tx.now()),
        superseded_at: Set(None),
    };
    approval::Entity::insert(row)
        .exec_without_returning(&tx.db)
        .await?;
    Ok(())
}
