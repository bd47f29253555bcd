//! Projects: read within a scope, registered, and amended.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use domain::approval::{ApprovalItem, ApprovalProfile, ApprovalStatus};
use domain::family::FamilyCounting;
use domain::gate::{self, File, Part};
use domain::id::ProjectId;
use domain::project::{Facts, FactsContext};
use domain::stage::{Condition, Stage, StageBasis};
use domain::transition::{Mandate, Standing};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use super::family::Household;
use super::row::{self, coded};
use super::{Failure, Tx, approval, corrupt, event, list, plan_year, reference, transition};
use crate::auth::caller::{Principal, Reach};
use crate::clock::new_id;
use crate::entity::project::{self, Model};
use crate::precondition::stale;
use crate::problem::{Fault, Problem, kinds};

/// Where a stage was read, when it was taken over (阶段依据).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// The words of the document.
    pub quote: Option<String>,
    /// Which document, and where in it.
    pub source: Option<String>,
    /// The time of which the document speaks.
    pub as_of: Option<String>,
    /// Whether the stage was inferred, not told.
    pub inferred: bool,
}

/// A project as it is known.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its id.
    pub id: Uuid,
    /// How often it has been changed.
    pub version: i64,
    /// What is said of it.
    pub facts: Facts,
    /// Where it stands.
    pub standing: Standing,
    /// Where its opening stage was read.
    pub basis: Basis,
    /// The lists on which it stands.
    pub lists: Vec<String>,
    /// Its ancestors, nearest first; only read for a single project.
    pub ancestors: Vec<Ancestor>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What one may know of an ancestor, even out of scope.
#[derive(Clone, Debug)]
pub struct Ancestor {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its code.
    pub code: Option<String>,
    /// Its stage.
    pub stage: Stage,
}

impl Record {
    pub(crate) fn of(model: &Model, lists: Vec<String>) -> Result<Self, Failure> {
        Ok(Self {
            id: model.id,
            version: model.version,
            facts: row::facts(model)?,
            standing: row::standing(model)?,
            basis: Basis {
                quote: model.basis_quote.clone(),
                source: model.basis_source.clone(),
                as_of: model.basis_as_of.clone(),
                inferred: model.basis_inferred,
            },
            lists,
            ancestors: Vec::new(),
            created_at: model.created_at,
            updated_at: model.updated_at,
        })
    }
}

/// How a project is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Key<'a> {
    /// By id.
    Id(Uuid),
    /// By 项目代码.
    Code(&'a str),
}

/// THE scope: what a person may read. Every query on projects goes through it.
pub(crate) fn within(reach: &Reach) -> sea_orm::Condition {
    match reach {
        Reach::Everywhere => sea_orm::Condition::all(),
        Reach::Regions(regions) => sea_orm::Condition::all()
            .add(project::Column::Region.is_in(regions.iter().map(String::as_str))),
    }
}

pub(crate) async fn find(
    db: &impl ConnectionTrait,
    reach: &Reach,
    key: Key<'_>,
) -> Result<Option<Model>, Failure> {
    let by_key = match key {
        Key::Id(id) => project::Column::Id.eq(id),
        Key::Code(code) => project::Column::Code.eq(code),
    };
    let found = project::Entity::find()
        .filter(by_key)
        .filter(within(reach))
        .one(db)
        .await?;
    Ok(found)
}

pub(crate) async fn need(
    db: &impl ConnectionTrait,
    reach: &Reach,
    key: Key<'_>,
) -> Result<Model, Failure> {
    find(db, reach, key)
        .await?
        .ok_or_else(|| Problem::not_found().into())
}

/// One project with its lists and its ancestors.
///
/// # Errors
/// `not_found` if it is absent or out of scope.
pub async fn read(
    db: &impl ConnectionTrait,
    reach: &Reach,
    key: Key<'_>,
) -> Result<Record, Failure> {
    let model = need(db, reach, key).await?;
    complete(db, &model).await
}

/// The record of a row that has been read or saved.
pub(crate) async fn complete(db: &impl ConnectionTrait, model: &Model) -> Result<Record, Failure> {
    let lists = list::of_projects(db, &[model.id]).await?;
    let mut record = Record::of(model, lists.get(&model.id).cloned().unwrap_or_default())?;
    let mut above = model.parent_id;
    while let Some(id) = above {
        let Some(parent) = project::Entity::find_by_id(id).one(db).await? else {
            break;
        };
        above = parent.parent_id;
        record.ancestors.push(Ancestor {
            id,
            name: parent.name,
            code: parent.code,
            stage: coded(Stage::from_code, &parent.stage)?,
        });
    }
    Ok(record)
}

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

/// Takes hold of a project in order to change it.
pub(crate) async fn hold(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    seen: Option<i64>,
) -> Result<Held, Failure> {
    hold_with(tx, principal, id, seen, None).await
}

async fn hold_with(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    seen: Option<i64>,
    joining: Option<Uuid>,
) -> Result<Held, Failure> {
    let found = need(&tx.db, &principal.reads(), Key::Id(id)).await?;
    let mandate = principal.need_mandate(&found.region)?;
    let mut roots = BTreeSet::from([found.root_id]);
    if let Some(parent) = joining {
        roots.insert(parent_row(tx, principal, parent).await?.root_id);
    }
    let household = Household::lock(tx, roots).await?;
    // What was read before the lock may have moved to another family meanwhile.
    let model = household.get(id).cloned().ok_or(Failure::Moved)?;
    if model.region != found.region {
        return Err(Failure::Moved);
    }
    if joining.is_some_and(|parent| household.get(parent).is_none()) {
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

async fn parent_row(tx: &Tx, principal: &Principal, id: Uuid) -> Result<Model, Failure> {
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
    principal.need_mandate(&parent.region)?;
    Ok(parent)
}

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
            let is_seen = reach.covers(&part.region);
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

fn is_completed_whole(row: &Model) -> bool {
    row.family_counting == FamilyCounting::Whole.code() && row.stage == Stage::Completion.code()
}

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
/// `validation_failed`, `code_taken`, `family_refused`, 403 outside the region that one may edit.
pub async fn register(
    tx: &Tx,
    principal: &Principal,
    new: Registration,
) -> Result<Record, Failure> {
    let Registration { facts, planned_on } = new;
    let region = facts.region.as_str();
    if reference::region::find(&tx.db, region).await?.is_some() {
        principal.need_mandate(region)?;
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
    let standing = Standing {
        stage: Stage::Planning,
        condition: Condition::Active,
        stage_since: planned_on,
        basis: StageBasis::Gate,
        started_on: None,
        completed_on: None,
    };
    let model = blank(tx, &facts, &standing);
    let id = model.id;
    let saved = household.settle(tx, vec![model]).await?;
    let model = saved.get(&id).ok_or_else(|| corrupt("saved row"))?;
    transition::open(tx, model, "registered", planned_on).await?;
    event::record(
        tx,
        event::Entry::of_project(id, "registered", model.version)
            .changing(None, Some(snapshot(model))),
    )
    .await?;
    complete(&tx.db, model).await
}

fn check_parent(household: &Household, parent: Uuid) -> Result<(), Failure> {
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
        counts_by_project: false,
        counts_by_part: false,
        remainder_fen: None,
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
/// `validation_failed`, `evidence_in_use`, `family_refused`, `code_taken`; 412 if it is not at version `seen`.
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
    principal.need_mandate(after.region.as_str())?;
    if let Some(parent) = joining {
        check_parent(&held.household, parent)?;
    }
    if before.parent != after.parent
        && let Some(left) = before.parent.and_then(|id| held.household.get(id.0))
    {
        // Who leaves a whole changes how it is counted and opens its gate.
        principal.need_mandate(&left.region)?;
    }
    check_gates(tx, &held, &before, &after).await?;
    let mut model = held.model.clone();
    row::set_facts(&mut model, &after);
    recast(tx, &before, &after, &mut model).await?;
    check_whole(&held.household, &before, &after, &model)?;
    let was = snapshot(&held.model);
    let saved = held.household.settle(tx, vec![model]).await?;
    let model = saved.get(&id).ok_or_else(|| corrupt("saved row"))?;
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
    let parts = parts_inside(model, household, &Reach::Everywhere)?;
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

/// Evidence that opened a gate stays while the move stands.
async fn check_gates(tx: &Tx, held: &Held, before: &Facts, after: &Facts) -> Result<(), Failure> {
    let standing = row::standing(&held.model)?;
    if standing.basis != StageBasis::Gate || before.counting == FamilyCounting::Parts {
        return Ok(());
    }
    let had = file(&tx.db, &held.model, before, Vec::new()).await?;
    let has = file(&tx.db, &held.model, after, Vec::new()).await?;
    refuse_lost(tx, &held.model, &had, &has).await
}

/// Refuses a change that takes away what a standing move rests on.
pub(crate) async fn refuse_lost(
    tx: &Tx,
    model: &Model,
    had: &File,
    has: &File,
) -> Result<(), Failure> {
    let (reached, start_year) = transition::reached(&tx.db, model.id).await?;
    let lost = gate::lost(reached, had, has, start_year);
    if lost.is_empty() {
        return Ok(());
    }
    Err(Problem::evidence_in_use(reached, &lost).into())
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

/// A row as it is told in the history: the members of the API, where they were entered or moved.
pub(crate) fn snapshot(model: &Model) -> Value {
    let total_investment = model.amount_fen.map(|fen| {
        let amount = domain::money::Total::from_fen(fen.into());
        json!({ model.amount_kind.as_str(): amount })
    });
    json!({
        "code": model.code,
        "name": model.name,
        "aliases": model.aliases,
        "parent_id": model.parent_id,
        "family_counting": model.family_counting,
        "region": model.region,
        "unit": model.unit,
        "programme": model.programme,
        "sector": model.sector,
        "kind": model.kind,
        "stage": model.stage,
        "condition": model.condition,
        "stage_since": model.stage_since,
        "stage_basis": model.stage_basis,
        "total_investment": total_investment,
        "original_amount": model
            .original_amount
            .map(|hundredths| domain::money::Total::from_fen(hundredths.into())),
        "original_rate_on": model.original_rate_on,
        "original_currency": model.original_currency,
        "original_rate": model.original_rate,
        "investment_note": model.investment_note,
        "owner_name": model.owner_name,
        "owner_uscc": model.owner_uscc,
        "steward": model.steward,
        "capacity": model.capacity,
        "note": model.note,
        "planned_start_on": model.planned_start_on,
        "planned_completion_on": model.planned_completion_on,
        "signed_on": model.signed_on,
        "signed_document": model.signed_document,
        "landed_on": model.landed_on,
        "landed_document": model.landed_document,
        "funds_approved_on": model.funds_approved_on,
        "funds_approved_document": model.funds_approved_document,
        "started_on": model.started_on,
        "completed_on": model.completed_on,
        "commissioned_on": model.commissioned_on,
        "at_capacity_on": model.at_capacity_on,
    })
}

/// Only the members in which two snapshots differ.
pub(crate) fn difference(mut was: Value, mut is: Value) -> (Value, Value) {
    if let (Some(before), Some(after)) = (was.as_object_mut(), is.as_object_mut()) {
        let same: Vec<String> = before
            .iter()
            .filter(|(name, value)| after.get(*name) == Some(value))
            .map(|(name, _)| name.clone())
            .collect();
        for name in same {
            before.remove(&name);
            after.remove(&name);
        }
    }
    (was, is)
}
