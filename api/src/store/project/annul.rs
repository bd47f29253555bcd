//! Taking the registration of a project back, as long as nothing is built upon it.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{hold, snapshot};
use crate::auth::Principal;
use crate::entity::{external_ref, project_search};
use crate::problem::{Problem, kinds};
use crate::store::{Failure, Tx, corrupt, event};

/// Takes a project out of the library, as if it had never been registered: out of every list and number, while what was
/// known of it until now can still be asked for. Its code and its keys are free again.
///
/// # Errors
/// `not_found`, 403; 412 if it is not at version `seen`, for then something is built upon it; `still_in_use` if it has
/// parts.
pub(crate) async fn annul(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    seen: i64,
) -> Result<i64, Failure> {
    let held = hold(tx, principal, id, Some(seen)).await?;
    if held.household.inside(id).next().is_some() {
        return Err(Problem::new(kinds::STILL_IN_USE)
            .say("该项目已有子项", "The project has parts")
            .into());
    }
    let before = snapshot(&held.model);
    let mut model = held.model.clone();
    model.annulled = true;
    model.parent_id = None;
    model.code = None;
    model.external_ref = None;
    external_ref::Entity::delete_many()
        .filter(external_ref::Column::ProjectId.eq(id))
        .exec(&tx.db)
        .await?;
    let saved = held.household.settle(tx, vec![model]).await?;
    project_search::Entity::delete_by_id(id)
        .exec(&tx.db)
        .await?;
    let version = saved.get(&id).ok_or_else(|| corrupt("saved row"))?.version;
    let done = event::Entry::of_project(id, "annulled", version);
    event::record(tx, done.changing(Some(before), None)).await?;
    Ok(version)
}
