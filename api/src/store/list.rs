//! Lists of projects, and which projects stand on them.

use std::collections::BTreeMap;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use serde_json::json;
use uuid::Uuid;

use super::reference::list::List;
use super::{Failure, Tx, project, reference};
use crate::auth::Principal;
use crate::entity::{list_member, project_list};
use crate::precondition::Precondition;

/// Puts a project on a list, or takes it off; doing it twice changes nothing.
///
/// # Errors
/// `needs_manager`, `not_found` for the list or the project, 412 if the list is not at version `seen`.
pub async fn set_membership(
    tx: &Tx,
    principal: &Principal,
    list: &str,
    id: Uuid,
    seen: i64,
    member: bool,
) -> Result<i64, Failure> {
    // The list's version is that of its entry too; taken before the family's lock, as loading does.
    tx.alone_with_reference_data().await?;
    let held = project::hold(tx, principal, id, None).await?;
    principal.need_manager(&held.model.region, held.model.unit.as_deref())?;
    let found = reference::read::<List>(&tx.db, list).await?;
    Precondition::Version(seen).check(Some(found.version))?;
    let stands = list_member::Entity::find()
        .filter(list_member::Column::ListCode.eq(list))
        .filter(list_member::Column::ProjectId.eq(id))
        .filter(list_member::Column::SupersededAt.is_null())
        .one(&tx.db)
        .await?
        .is_some();
    if stands == member {
        return Ok(found.version);
    }
    bump(tx, list, seen).await?;
    if member {
        add(tx, list, id).await?;
    } else {
        take_off(tx, list, id).await?;
    }
    let kind = if member { "listed" } else { "unlisted" };
    held.changed_beside(tx, kind, None, Some(json!({ "list": list })))
        .await?;
    Ok(seen + 1)
}

/// Makes a new version of a list whose members change.
pub(crate) async fn bump(tx: &Tx, list: &str, seen: i64) -> Result<(), Failure> {
    let changed = project_list::Entity::update_many()
        .col_expr(project_list::Column::Version, Expr::value(seen + 1))
        .filter(project_list::Column::Code.eq(list))
        .filter(project_list::Column::Version.eq(seen))
        .exec(&tx.db)
        .await?;
    if changed.rows_affected == 1 {
        Ok(())
    } else {
        Err(Failure::Moved)
    }
}

pub(crate) async fn add(tx: &Tx, list: &str, id: Uuid) -> Result<(), Failure> {
    let row = list_member::ActiveModel {
        list_code: Set(list.to_owned()),
        project_id: Set(id),
        recorded_at: Set(tx.now()),
        superseded_at: Set(None),
    };
    list_member::Entity::insert(row)
        .exec_without_returning(&tx.db)
        .await?;
    Ok(())
}

async fn take_off(tx: &Tx, list: &str, id: Uuid) -> Result<(), Failure> {
    list_member::Entity::update_many()
        .col_expr(list_member::Column::SupersededAt, Expr::value(tx.now()))
        .filter(list_member::Column::ListCode.eq(list))
        .filter(list_member::Column::ProjectId.eq(id))
        .filter(list_member::Column::SupersededAt.is_null())
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// On which lists each of these projects stands now.
pub(crate) async fn of_projects(
    db: &impl ConnectionTrait,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Vec<String>>, Failure> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = list_member::Entity::find()
        .filter(list_member::Column::ProjectId.is_in(ids.iter().copied()))
        .filter(list_member::Column::SupersededAt.is_null())
        .order_by_asc(list_member::Column::ListCode)
        .all(db)
        .await?;
    let mut lists: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
    for row in rows {
        lists.entry(row.project_id).or_default().push(row.list_code);
    }
    Ok(lists)
}
