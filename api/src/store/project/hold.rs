//! Taking hold of a project in order to change it.

use std::collections::BTreeSet;

use domain::family::FamilyCounting;
use domain::transition::Mandate;
use serde_json::Value;
use uuid::Uuid;

use super::{Key, find, need};
use crate::auth::Principal;
use crate::entity::project::Model;
use crate::precondition::stale;
use crate::problem::{Fault, Problem};
use crate::store::family::Household;
use crate::store::{Failure, Tx, event};

/// A project that is about to be changed: found in scope, its family locked, its version checked.
#[derive(Debug)]
pub(crate) struct Held {
    /// As it stands.
    pub model: Model,
    /// Its family.
    pub household: Household,
    /// What the changer may do.
    pub mandate: Mandate,
}

impl Held {
    /// Whether it is a cover, which has no stage, evidence and plan of its own.
    pub(crate) fn is_cover(&self) -> bool {
        self.model.family_counting == FamilyCounting::Parts.code()
    }

    /// Saves the project's next version after a change beside its row (evidence, plan, membership), which a gate
    /// or a roll-up reads, and says in its history what was done. Answers that version.
    pub(crate) async fn changed_beside(
        self,
        tx: &Tx,
        kind: &'static str,
        before: Option<Value>,
        after: Option<Value>,
    ) -> Result<i64, Failure> {
        let id = self.model.id;
        let saved = self.household.settle(tx, vec![self.model]).await?;
        let version = saved.get(&id).map_or(0, |row| row.version);
        let done = event::Entry::of_project(id, kind, version);
        event::record(tx, done.changing(before, after)).await?;
        Ok(version)
    }
}

/// Takes hold of a project in order to change it.
pub(crate) async fn hold(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    seen: Option<i64>,
) -> Result<Held, Failure> {
    hold_with(tx, principal, id, seen, None).await
}

/// The same, with the family of a parent that it is to join.
pub(super) async fn hold_with(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    seen: Option<i64>,
    joining: Option<Uuid>,
) -> Result<Held, Failure> {
    let found = need(&tx.db, &principal.reads(), Key::Id(id)).await?;
    let mandate = principal.need_mandate(&found.region, found.unit.as_deref())?;
    let mut roots = BTreeSet::from([found.root_id]);
    let parent = match joining {
        Some(parent) => Some(parent_row(tx, principal, parent).await?),
        None => None,
    };
    roots.extend(parent.as_ref().map(|parent| parent.root_id));
    let household = Household::lock(tx, roots).await?;
    // What was read before the lock may have moved to another family meanwhile.
    let model = household.get(id).cloned().ok_or(Failure::Moved)?;
    // Nor may it have gone where he who changes it may not follow.
    let is_elsewhere =
        |now: &Model, then: &Model| (&now.region, &now.unit) != (&then.region, &then.unit);
    if is_elsewhere(&model, &found) {
        return Err(Failure::Moved);
    }
    if let Some(then) = &parent
        && household
            .get(then.id)
            .is_none_or(|now| is_elsewhere(now, then))
    {
        return Err(Failure::Moved);
    }
    if seen.is_some_and(|seen| seen != model.version) {
        return Err(stale(model.version).into());
    }
    Ok(Held {
        model,
        household,
        mandate,
    })
}

/// A parent to be joined, in the scope of who joins it.
pub(crate) async fn parent_row(tx: &Tx, principal: &Principal, id: Uuid) -> Result<Model, Failure> {
    let found = find(&tx.db, &principal.reads(), Key::Id(id)).await?;
    let parent = found.ok_or_else(|| {
        Problem::invalid(vec![Fault::at(
            "/parent_id",
            "unknown_parent",
            "上级项目不存在，或不在您的范围",
            "There is no such parent in your scope",
        )])
    })?;
    // A part changes how its whole is counted and what its gates read.
    principal.need_mandate(&parent.region, parent.unit.as_deref())?;
    Ok(parent)
}
