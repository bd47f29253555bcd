//! Registering a project, and amending what is said of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::family::FamilyCounting;
use domain::gate::Part;
use domain::project::{Facts, FactsContext};
use domain::stage::{Condition, Stage};
use domain::text::Text;
use domain::transition::Standing;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::Value;
use uuid::Uuid;

use super::gates::{check_gates, is_completed_whole, parts_inside};
use super::hold::{hold_with, parent_row};
use super::{Key, Record, complete, difference, need, snapshot};
use crate::auth::{Principal, Reach};
use crate::clock::new_id;
use crate::entity::project::{self, Model};
use crate::problem::{Fault, Problem, kinds};
use crate::store::family::Household;
use crate::store::reference::region::Region;
use crate::store::{Failure, Tx, accounting, corrupt, event, reference, row, transition};

/// A project to be registered.
#[derive(Clone, Debug)]
pub struct Registration {
    /// What is said of it.
    pub facts: Facts,
    /// The day it was thought out, if that is to be held against later moves.
    pub planned_on: Option<NaiveDate>,
}

/// Registers a project in 谋划.
///
/// # Errors
/// `validation_failed`, `code_taken`, `family_refused`, 403 outside the region that one may edit, `needs_manager` to
/// publish it.
pub async fn register(
    tx: &Tx,
    principal: &Principal,
    new: Registration,
) -> Result<Record, Failure> {
    let Registration { facts, planned_on } = new;
    let region = facts.region.as_str();
    if reference::find::<Region>(&tx.db, region).await?.is_some() {
        let unit = facts.unit.as_ref().map(Text::as_str);
        principal.need_mandate(region, unit)?;
        if facts.published {
            principal.need_manager(region, unit)?;
        }
    }
    check_facts(tx, &facts, None, None).await?;
    if planned_on.is_some_and(|day| day > tx.today) {
        return Err(Problem::new(kinds::DATE_IN_FUTURE).into());
    }
    let mut roots = BTreeSet::new();
    if let Some(parent) = facts.parent {
        roots.insert(parent_row(tx, principal, parent.0).await?.root_id);
    }
    let household = Household::lock(tx, roots).await?;
    if let Some(parent) = facts.parent {
        check_parent(&household, parent.0)?;
    }
    let model = blank(tx, &facts, &Standing::registered(planned_on));
    let id = model.id;
    let came = Came {
        occurred_on: planned_on,
        ..Came::REGISTERED
    };
    let saved = enter(tx, household, vec![model], came).await?;
    let model = saved.get(&id).ok_or_else(|| corrupt("saved row"))?;
    complete(&tx.db, model).await
}

/// How projects come into the library.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Came {
    /// As what their histories of moves begin.
    opening: &'static str,
    /// As what it is recorded.
    event: &'static str,
    /// When it happened, if that is known.
    occurred_on: Option<NaiveDate>,
}

impl Came {
    /// By registration.
    pub(crate) const REGISTERED: Self = Self {
        opening: "registered",
        event: "registered",
        occurred_on: None,
    };
    /// As opening balance (期初导入).
    pub(crate) const TAKEN_OVER: Self = Self {
        opening: "opening_balance",
        event: "taken_over",
        occurred_on: None,
    };
}

/// Saves projects that come into the library together, and records how they came.
pub(crate) async fn enter(
    tx: &Tx,
    household: Household,
    models: Vec<Model>,
    came: Came,
) -> Result<BTreeMap<Uuid, Model>, Failure> {
    let ids: Vec<Uuid> = models.iter().map(|model| model.id).collect();
    let saved = household.settle(tx, models).await?;
    let new: Vec<&Model> = ids.iter().filter_map(|id| saved.get(id)).collect();
    transition::open_all(tx, &new, came.opening, came.occurred_on).await?;
    let entries = new.iter().map(|model| {
        event::Entry::of_project(model.id, came.event, model.version)
            .changing(None, Some(snapshot(model)))
    });
    event::record_all(tx, entries.collect()).await?;
    Ok(saved)
}

pub(crate) fn check_parent(household: &Household, parent: Uuid) -> Result<(), Failure> {
    let row = household.get(parent).ok_or(Failure::Moved)?;
    let above = household.ancestors(parent);
    if std::iter::once(row).chain(above).any(is_completed_whole) {
        return Err(Problem::new(kinds::INSIDE_COMPLETED_WHOLE)
            .say(
                "所属项目已竣工，不能再增加子项；请先更正其竣工",
                "The whole is completed and takes no more parts; take its completion back first",
            )
            .into());
    }
    Ok(())
}

/// A new row, not yet saved.
pub(crate) fn blank(tx: &Tx, facts: &Facts, standing: &Standing) -> Model {
    let id = new_id();
    let mut model = Model {
        id,
        version: 0,
        root_id: id,
        parent_id: None,
        family_counting: String::new(),
        external_ref: None,
        code: None,
        name: String::new(),
        aliases: Value::Null,
        region: String::new(),
        unit: None,
        programme: None,
        sector: None,
        chain: None,
        kind: None,
        stage: String::new(),
        condition: String::new(),
        stage_since: None,
        stage_basis: String::new(),
        basis_quote: None,
        basis_source: None,
        basis_as_of: None,
        basis_inferred: false,
        amount_kind: String::new(),
        amount_fen: None,
        tier: String::new(),
        original_amount: None,
        original_currency: None,
        original_rate: None,
        original_rate_on: None,
        investment_note: None,
        owner_name: None,
        owner_uscc: None,
        steward: None,
        capacity: None,
        note: None,
        planned_start_on: None,
        planned_completion_on: None,
        signed_on: None,
        signed_document: None,
        landed_on: None,
        landed_document: None,
        funds_approved_on: None,
        funds_approved_document: None,
        started_on: None,
        completed_on: None,
        commissioned_on: None,
        at_capacity_on: None,
        published: false,
        counts_by_project: false,
        counts_by_part: false,
        remainder_fen: None,
        annulled: false,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    row::set_facts(&mut model, facts);
    row::set_standing(&mut model, standing);
    model
}

/// Amends what is said of a project; `change` gets the present facts and answers the wanted ones.
///
/// # Errors
/// `validation_failed`, `evidence_in_use`, `family_refused`, `code_taken`; 412 if it is not at version `seen`;
/// `needs_manager` to publish it or to withdraw it from publication.
pub async fn amend(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    seen: i64,
    change: impl Fn(Facts) -> Result<Facts, Problem>,
) -> Result<Record, Failure> {
    let present = need(&tx.db, &principal.reads(), Key::Id(id)).await?;
    let wanted = change(row::facts(&present)?);
    let joining = match &wanted {
        Ok(wanted) => wanted
            .parent
            .map(|parent| parent.0)
            .filter(|parent| present.parent_id != Some(*parent)),
        Err(_) => None,
    };
    let held = hold_with(tx, principal, id, Some(seen), joining).await?;
    let before = row::facts(&held.model)?;
    let after = change(before.clone())?;
    if after == before {
        return complete(&tx.db, &held.model).await;
    }
    check_facts(tx, &after, Some(&before), Some(&held.model)).await?;
    let (region, unit) = (after.region.as_str(), after.unit.as_ref().map(Text::as_str));
    principal.need_mandate(region, unit)?;
    if before.published != after.published {
        // Where it was and where it will be: neither is published by whoever is no manager there.
        principal.need_manager(&held.model.region, held.model.unit.as_deref())?;
        principal.need_manager(region, unit)?;
    }
    if let Some(parent) = joining {
        check_parent(&held.household, parent)?;
    }
    if before.parent != after.parent
        && let Some(left) = before.parent.and_then(|id| held.household.get(id.0))
    {
        // Who leaves a whole changes how it is counted and opens its gate.
        principal.need_mandate(&left.region, left.unit.as_deref())?;
    }
    check_gates(tx, &held, &before, &after).await?;
    let mut model = held.model.clone();
    row::set_facts(&mut model, &after);
    recast(tx, &before, &after, &mut model).await?;
    check_whole(&held.household, &before, &after, &model)?;
    let was = snapshot(&held.model);
    let saved = held.household.settle(tx, vec![model]).await?;
    let model = saved.get(&id).ok_or_else(|| corrupt("saved row"))?;
    accounting::restate(tx, model).await?;
    let (was, is) = difference(was, snapshot(model));
    event::record(
        tx,
        event::Entry::of_project(id, "amended", model.version).changing(Some(was), Some(is)),
    )
    .await?;
    complete(&tx.db, model).await
}

/// A completed project can't become a whole whose parts are not completed.
fn check_whole(
    household: &Household,
    before: &Facts,
    after: &Facts,
    model: &Model,
) -> Result<(), Failure> {
    let becomes_whole =
        after.counting == FamilyCounting::Whole && before.counting != FamilyCounting::Whole;
    if !becomes_whole || model.stage != Stage::Completion.code() {
        return Ok(());
    }
    let parts = parts_inside(model, household, &Reach::everywhere())?;
    let is_open =
        |part: &Part| part.stage != Stage::Completion && part.condition != Condition::Withdrawn;
    if parts.iter().any(is_open) {
        return Err(Problem::new(kinds::FAMILY_REFUSED)
            .say(
                "项目已竣工，而有子项尚未竣工，不能改为整体计数",
                "It is completed and has a part that is not, so it can't count as a whole",
            )
            .into());
    }
    Ok(())
}

/// A project that becomes a cover must not have moved; one that stops being a cover stands again where it was
/// registered, for a cover's shown stage went through no gate.
async fn recast(tx: &Tx, before: &Facts, after: &Facts, model: &mut Model) -> Result<(), Failure> {
    let was_cover = before.counting == FamilyCounting::Parts;
    let is_cover = after.counting == FamilyCounting::Parts;
    if is_cover && !was_cover && transition::latest(&tx.db, model.id).await?.is_some() {
        return Err(Problem::new(kinds::COVER_NEEDS_NO_MOVES).into());
    }
    if was_cover && !is_cover {
        let opening = transition::opening(&tx.db, model.id).await?;
        row::set_standing(model, &opening);
    }
    Ok(())
}

/// Checks facts by the rules and against the reference data; of a change, only what it changes.
async fn check_facts(
    tx: &Tx,
    facts: &Facts,
    before: Option<&Facts>,
    model: Option<&Model>,
) -> Result<(), Failure> {
    let standing = model.map(row::standing).transpose()?;
    let context = FactsContext {
        stage: standing.as_ref().map_or(Stage::Planning, |s| s.stage),
        started_on: standing.as_ref().and_then(|s| s.started_on),
        today: tx.today,
    };
    let known_before = before.map(|b| b.faults(context)).unwrap_or_default();
    let mut faults: Vec<Fault> = facts
        .faults(context)
        .iter()
        .filter(|fault| !known_before.contains(fault))
        .map(Fault::from)
        .collect();
    let lacked_before = before
        .map(Facts::missing_for_registration)
        .unwrap_or_default();
    faults.extend(
        facts
            .missing_for_registration()
            .iter()
            .filter(|fault| !lacked_before.contains(fault))
            .map(Fault::from),
    );
    faults.extend(reference::check(&tx.db, facts, before, tx.today).await?);
    if !faults.is_empty() {
        return Err(Problem::invalid(faults).into());
    }
    check_code(tx, facts, model).await
}

async fn check_code(tx: &Tx, facts: &Facts, model: Option<&Model>) -> Result<(), Failure> {
    let Some(code) = &facts.code else {
        return Ok(());
    };
    let taken = project::Entity::find()
        .filter(project::Column::Code.eq(code.as_str()))
        .one(&tx.db)
        .await?;
    match taken {
        Some(other) if model.is_none_or(|model| model.id != other.id) => {
            Err(Problem::new(kinds::CODE_TAKEN)
                .say(
                    format!("项目代码 {code} 已属于另一项目"),
                    format!("The project code {code} belongs to another project"),
                )
                .into())
        }
        Some(_) | None => Ok(()),
    }
}
