//! Taking the registration of projects back, as long as nothing is built upon them.

use std::collections::BTreeSet;

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::{snapshot, within};
use crate::auth::Principal;
use crate::entity::project::{self, Model};
use crate::entity::{external_ref, project_search};
use crate::problem::{Problem, kinds};
use crate::store::family::Household;
use crate::store::{Failure, Tx, event};

/// How many projects are taken back at a time.
const TOGETHER: usize = 500;

/// Takes projects out of the library, as if they had never been registered: out of every list and number, while what was
/// known of them until now can still be asked for. Their codes and keys are free again.
///
/// # Errors
/// `not_found`, 403; `still_in_use` if one has parts that are not among them.
pub(crate) async fn annul(
    tx: &Tx,
    principal: &Principal,
    ids: &BTreeSet<Uuid>,
) -> Result<(), Failure> {
    let in_order: Vec<Uuid> = ids.iter().copied().collect();
    for some in in_order.chunks(TOGETHER) {
        let found = project::Entity::find()
            .filter(project::Column::Id.is_in(some.iter().copied()))
            .filter(within(&principal.reads()))
            .all(&tx.db)
            .await?;
        if found.len() != some.len() {
            return Err(Problem::not_found().into());
        }
        for model in &found {
            principal.need_mandate(&model.region, model.unit.as_deref())?;
        }
        let roots = found.iter().map(|model| model.root_id).collect();
        let household = Household::lock(tx, roots).await?;
        annul_some(tx, household, some, ids).await?;
    }
    Ok(())
}

async fn annul_some(
    tx: &Tx,
    household: Household,
    some: &[Uuid],
    all: &BTreeSet<Uuid>,
) -> Result<(), Failure> {
    let mut changes = Vec::new();
    let mut told = Vec::new();
    for &id in some {
        let model = household.get(id).ok_or(Failure::Moved)?;
        if household.inside(id).any(|part| !all.contains(&part.id)) {
            return Err(Problem::new(kinds::STILL_IN_USE)
                .say(
                    format!("“{}”已有子项", model.name),
                    format!("\"{}\" has parts", model.name),
                )
                .into());
        }
        let entry = event::Entry::of_project(id, "annulled", model.version + 1);
        told.push(entry.changing(Some(snapshot(model)), None));
        changes.push(Model {
            annulled: true,
            parent_id: None,
            code: None,
            external_ref: None,
            ..model.clone()
        });
    }
    external_ref::Entity::delete_many()
        .filter(external_ref::Column::ProjectId.is_in(some.iter().copied()))
        .exec(&tx.db)
        .await?;
    household.settle(tx, changes).await?;
    project_search::Entity::delete_many()
        .filter(project_search::Column::ProjectId.is_in(some.iter().copied()))
        .exec(&tx.db)
        .await?;
    event::record_all(tx, told).await
}
