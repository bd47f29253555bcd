//! What the gates read of a project, and that it stays while a move rests on it.

use std::collections::BTreeMap;

use domain::approval::{ApprovalItem, ApprovalProfile, ApprovalStatus};
use domain::family::FamilyCounting;
use domain::gate::{self, File, Part};
use domain::id::ProjectId;
use domain::project::Facts;
use domain::stage::{Condition, Stage, StageBasis};
use sea_orm::ConnectionTrait;

use super::Held;
use crate::auth::Reach;
use crate::entity::project::Model;
use crate::problem::Problem;
use crate::store::family::Household;
use crate::store::row::{self, coded};
use crate::store::{Failure, Tx, approval, plan_year, reference, transition};

/// All that the gates read of a project.
pub(crate) async fn file(
    db: &impl ConnectionTrait,
    model: &Model,
    facts: &Facts,
    parts: Vec<Part>,
) -> Result<File, Failure> {
    let approvals: BTreeMap<ApprovalItem, ApprovalStatus> =
        approval::statuses(db, model.id).await?;
    let plan_years = plan_year::years(db, model.id).await?;
    let profile = match &facts.sector {
        None => ApprovalProfile::General,
        Some(sector) => reference::profile_of(db, sector.as_str()).await?,
    };
    let rules = reference::approval_rules(db).await?;
    Ok(File {
        signed: facts.signed.clone(),
        landed: facts.landed.clone(),
        funds_approved: facts.funds_approved.clone(),
        investment: facts.investment,
        has_owner: facts.owner.is_some(),
        has_code: facts.code.is_some(),
        kind: facts.kind,
        required: rules.required(facts.kind, profile),
        approvals,
        plan_years,
        parts,
    })
}

/// The parts that a whole's gate waits for: all that is inside it, of any generation, but for covers, whose
/// parts speak for them. What is out of the asker's scope stays without a name.
pub(crate) fn parts_inside(
    model: &Model,
    household: &Household,
    reach: &Reach,
) -> Result<Vec<Part>, Failure> {
    if model.family_counting != FamilyCounting::Whole.code() {
        return Ok(Vec::new());
    }
    household
        .inside(model.id)
        .filter(|part| part.family_counting != FamilyCounting::Parts.code())
        .map(|part| {
            let is_seen = reach.covers(&part.region, part.unit.as_deref());
            Ok(Part {
                id: ProjectId(part.id),
                name: is_seen.then(|| part.name.clone()),
                stage: coded(Stage::from_code, &part.stage)?,
                condition: coded(Condition::from_code, &part.condition)?,
            })
        })
        .collect()
}

/// Whether a project is inside a whole that is completed.
pub(crate) fn is_inside_completed(model: &Model, household: &Household) -> bool {
    household.ancestors(model.id).any(is_completed_whole)
}

pub(super) fn is_completed_whole(row: &Model) -> bool {
    row.family_counting == FamilyCounting::Whole.code() && row.stage == Stage::Completion.code()
}

/// What a project's own evidence is, to be compared before and after a change of it.
pub(crate) async fn evidence(tx: &Tx, held: &Held) -> Result<File, Failure> {
    let facts = row::facts(&held.model)?;
    file(&tx.db, &held.model, &facts, Vec::new()).await
}

/// Evidence that opened a gate stays while the move stands.
pub(super) async fn check_gates(
    tx: &Tx,
    held: &Held,
    before: &Facts,
    after: &Facts,
) -> Result<(), Failure> {
    if before.counting == FamilyCounting::Parts {
        return Ok(());
    }
    let had = file(&tx.db, &held.model, before, Vec::new()).await?;
    let has = file(&tx.db, &held.model, after, Vec::new()).await?;
    refuse_lost(tx, &held.model, &had, &has).await
}

/// Refuses a change that takes away what a standing move rests on; what was taken over rests on no gate.
pub(crate) async fn refuse_lost(
    tx: &Tx,
    model: &Model,
    had: &File,
    has: &File,
) -> Result<(), Failure> {
    if row::standing(model)?.basis != StageBasis::Gate {
        return Ok(());
    }
    let (reached, start_year) = transition::reached(&tx.db, model.id).await?;
    let lost = gate::lost(reached, had, has, start_year);
    if lost.is_empty() {
        return Ok(());
    }
    Err(Problem::evidence_in_use(reached, &lost).into())
}
