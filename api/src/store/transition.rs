//! Moves: what may be done, doing it, and what was done.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use domain::family::FamilyCounting;
use domain::gate::{self, Brought, Missing};
use domain::id::TransitionId;
use domain::stage::{Condition, Move, Stage, StageBasis};
use domain::transition::{
    Dossier, MoveRequest, Offer, Standing, StandingMove, Transition, decide, offers,
};
use sea_orm::sea_query::Query;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IdenStatic,
    IntoActiveModel, QueryFilter, QueryOrder, prelude::Json,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::family::Household;
use super::project::{self, Record};
use super::row::{self, coded};
use super::{Failure, Tx, accounting, corrupt, event};
use crate::auth::{Principal, Reach};
use crate::clock::new_id;
use crate::entity::project::{Column, Model};
use crate::entity::project_version;
use crate::entity::transition::{self, Model as Row};

/// How many moves are inserted at a time: each has 22 values, and SQLite takes 32,766.
const ROWS: usize = 1000;

/// What may be done with a project, and how its gates stand.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// The project.
    pub record: Record,
    /// The moves that the table allows, with what each still lacks.
    pub offers: Vec<Offer>,
    /// Whether the asker is a manager there; none if only a reader.
    pub mandate: Option<domain::transition::Mandate>,
    /// Each gate behind the project: the stage, and whether it was met or taken over.
    pub passed: Vec<(Stage, StageBasis)>,
    /// Each gate ahead, with what it lacks besides what the move itself will bring.
    pub ahead: Vec<(Stage, Vec<Missing>)>,
}

/// What may be done with a project now, and what is missing for the rest.
///
/// # Errors
/// `not_found` if it is absent or out of scope.
pub async fn outlook(
    db: &impl ConnectionTrait,
    principal: &Principal,
    id: Uuid,
    today: NaiveDate,
) -> Result<Outlook, Failure> {
    let model = project::need(db, &principal.reads(), project::Key::Id(id)).await?;
    let household = Household::read(db, BTreeSet::from([model.root_id])).await?;
    let dossier = dossier(db, &model, &household, &principal.reads()).await?;
    Ok(Outlook {
        offers: offers(&dossier, today),
        mandate: principal.mandate(&model.region, model.unit.as_deref()),
        passed: passed(db, &model).await?,
        ahead: if dossier.is_cover {
            Vec::new()
        } else {
            ahead(&dossier, today)
        },
        record: project::complete(db, &model).await?,
    })
}

fn ahead(dossier: &Dossier, today: NaiveDate) -> Vec<(Stage, Vec<Missing>)> {
    let brought = Brought {
        start_evidence: true,
        acceptance: true,
    };
    Stage::ALL
        .iter()
        .filter(|&&stage| stage > dossier.standing.stage)
        .map(|&stage| {
            let missing = gate::missing(stage, &dossier.file, today.year(), brought);
            (stage, missing)
        })
        .collect()
}

/// Each stage that the project has reached, and how.
async fn passed(
    db: &impl ConnectionTrait,
    model: &Model,
) -> Result<Vec<(Stage, StageBasis)>, Failure> {
    if model.family_counting == FamilyCounting::Parts.code() {
        return Ok(Vec::new());
    }
    let standing = row::standing(model)?;
    let opening = opening(db, model.id).await?;
    // Who came back into the reserve goes through every gate again.
    let came_back = standing_rows(db, model.id)
        .await?
        .iter()
        .any(|row| row.kind == Move::Planning.code());
    Ok(Stage::ALL
        .iter()
        .filter(|&&stage| stage <= standing.stage)
        .map(|&stage| {
            let taken_over =
                opening.basis == StageBasis::OpeningBalance && stage <= opening.stage && !came_back;
            let basis = if taken_over {
                StageBasis::OpeningBalance
            } else {
                StageBasis::Gate
            };
            (stage, basis)
        })
        .collect())
}

/// Moves a project.
///
/// # Errors
/// The rules' refusal; 412 if it is not at version `seen`; nothing is then changed.
pub async fn advance(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    seen: i64,
    request: &MoveRequest,
) -> Result<Record, Failure> {
    let held = project::hold(tx, principal, id, Some(seen)).await?;
    let dossier = dossier(&tx.db, &held.model, &held.household, &principal.reads()).await?;
    let granted = decide(&dossier, request, held.mandate, tx.today)?;
    let mut model = held.model.clone();
    row::set_standing(&mut model, &granted.after);
    if granted.after.stage < Stage::Construction {
        // Nothing is produced by works that have not begun; the history keeps the dates.
        model.commissioned_on = None;
        model.at_capacity_on = None;
    } else if granted.before.stage < Stage::Construction
        && let Some(undone) = granted.corrects
    {
        // A re-entry is taken back: the works had begun after all, and so had what they produced.
        let produced = production_before(tx, id, undone).await?;
        (model.commissioned_on, model.at_capacity_on) = produced;
    }
    let was = project::snapshot(&held.model);
    let saved = held.household.settle(tx, vec![model]).await?;
    let model = saved.get(&id).ok_or_else(|| corrupt("saved row"))?;
    insert(tx, model, granted.kind.code(), &granted).await?;
    let (was, is) = project::difference(was, project::snapshot(model));
    event::record(
        tx,
        event::Entry::of_project(id, "moved", model.version)
            .changing(Some(was), Some(with_move(is, &granted))),
    )
    .await?;
    project::complete(&tx.db, model).await
}

/// The days of 投产 and 达产 as they stood before a move.
async fn production_before(
    tx: &Tx,
    id: Uuid,
    undone: TransitionId,
) -> Result<(Option<NaiveDate>, Option<NaiveDate>), Failure> {
    let undone = transition::Entity::find_by_id(undone.0)
        .one(&tx.db)
        .await?
        .ok_or_else(|| corrupt("corrected move"))?;
    let before = Query::select()
        .column(Column::CommissionedOn)
        .column(Column::AtCapacityOn)
        .from(project_version::Entity)
        .and_where(project_version::Column::Id.eq(id))
        .and_where(project_version::Column::Version.eq(undone.seq - 1))
        .to_owned();
    let row = tx.db.query_one(&before).await?;
    let row = row.ok_or_else(|| corrupt("no version before the corrected move"))?;
    Ok((
        row.try_get("", Column::CommissionedOn.as_str())?,
        row.try_get("", Column::AtCapacityOn.as_str())?,
    ))
}

fn with_move(mut is: Value, granted: &Transition) -> Value {
    if let Some(members) = is.as_object_mut() {
        let done = json!({
            "to": granted.kind.code(),
            "occurred_on": granted.occurred_on,
            "note": granted.note.as_ref().map(domain::text::Text::as_str),
            "evidence": granted.evidence.as_ref().map(row::evidence_json),
            "corrects": granted.corrects,
        });
        members.insert("transition".to_owned(), done);
    }
    is
}

/// A project as the rules of moving see it.
async fn dossier(
    db: &impl ConnectionTrait,
    model: &Model,
    household: &Household,
    reach: &Reach,
) -> Result<Dossier, Failure> {
    let facts = row::facts(model)?;
    let parts = project::parts_inside(model, household, reach)?;
    let file = project::file(db, model, &facts, parts).await?;
    let standing_rows = standing_rows(db, model.id).await?;
    Ok(Dossier {
        standing: row::standing(model)?,
        is_cover: facts.counting == FamilyCounting::Parts,
        last_moved_on: standing_rows.iter().filter_map(|row| row.occurred_on).max(),
        latest: standing_rows
            .last()
            .map(standing_move)
            .transpose()?
            .flatten(),
        inside_completed: project::is_inside_completed(model, household),
        file,
    })
}

/// The registration or opening entry and the moves that nobody has taken back, oldest first.
pub(crate) async fn standing_rows(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Vec<Row>, Failure> {
    let rows = transition::Entity::find()
        .filter(transition::Column::ProjectId.eq(id))
        .order_by_asc(transition::Column::Seq)
        .all(db)
        .await?;
    Ok(standing(rows))
}

/// Of all that was recorded of a project, what nobody has taken back.
pub(crate) fn standing(rows: Vec<Row>) -> Vec<Row> {
    let undone: Vec<Uuid> = rows.iter().filter_map(|row| row.corrects).collect();
    rows.into_iter()
        .filter(|row| row.corrects.is_none() && !undone.contains(&row.id))
        .collect()
}

/// The move of a row; none for a registration or an opening entry.
fn standing_move(row: &Row) -> Result<Option<StandingMove>, Failure> {
    let Some(kind) = Move::from_code(&row.kind) else {
        return Ok(None);
    };
    let needed = |value: &Option<String>| value.clone().ok_or_else(|| corrupt(&row.kind));
    Ok(Some(StandingMove {
        id: TransitionId(row.id),
        kind,
        before: Standing {
            stage: coded(Stage::from_code, &needed(&row.before_stage)?)?,
            condition: coded(Condition::from_code, &needed(&row.before_condition)?)?,
            stage_since: row.before_stage_since,
            basis: coded(StageBasis::from_code, &needed(&row.before_basis)?)?,
            started_on: row.before_started_on,
            completed_on: row.before_completed_on,
        },
    }))
}

/// The latest standing move of a project.
pub(crate) async fn latest(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<StandingMove>, Failure> {
    let rows = standing_rows(db, id).await?;
    Ok(rows.last().map(standing_move).transpose()?.flatten())
}

/// Where a project stood when it was registered or taken over.
pub(crate) async fn opening(db: &impl ConnectionTrait, id: Uuid) -> Result<Standing, Failure> {
    let rows = standing_rows(db, id).await?;
    let first = rows.first().ok_or_else(|| corrupt("no registration"))?;
    Ok(Standing {
        stage: coded(Stage::from_code, &first.after_stage)?,
        condition: coded(Condition::from_code, &first.after_condition)?,
        stage_since: first.after_stage_since,
        basis: coded(StageBasis::from_code, &first.after_basis)?,
        started_on: first.after_started_on,
        completed_on: first.after_completed_on,
    })
}

/// The furthest stage of any standing move, to which a correction may lead back, and the year of its start.
pub(crate) async fn reached(
    db: &impl ConnectionTrait,
    id: Uuid,
) -> Result<(Stage, Option<i32>), Failure> {
    let rows = standing_rows(db, id).await?;
    let mut furthest = Stage::Planning;
    for row in rows
        .iter()
        .filter(|row| row.after_basis == StageBasis::Gate.code())
    {
        furthest = furthest.max(coded(Stage::from_code, &row.after_stage)?);
    }
    let started = rows
        .iter()
        .rev()
        .find(|row| row.kind == Move::Construction.code())
        .and_then(|row| row.occurred_on);
    Ok((furthest, started.map(|day| day.year())))
}

/// Records how projects came into the library: `registered` or `opening_balance`.
pub(crate) async fn open_all(
    tx: &Tx,
    models: &[&Model],
    kind: &str,
    occurred_on: Option<NaiveDate>,
) -> Result<(), Failure> {
    let rows: Vec<Row> = models
        .iter()
        .map(|model| opening_row(tx, model, kind, occurred_on))
        .collect();
    for some in rows.chunks(ROWS) {
        let some = some
            .iter()
            .cloned()
            .map(|row| row.into_active_model().reset_all());
        transition::Entity::insert_many(some)
            .exec_without_returning(&tx.db)
            .await?;
    }
    let opened: Vec<_> = models.iter().copied().zip(rows).collect();
    accounting::open(tx, &opened).await
}

fn opening_row(tx: &Tx, model: &Model, kind: &str, occurred_on: Option<NaiveDate>) -> Row {
    Row {
        id: new_id(),
        project_id: model.id,
        seq: model.version,
        kind: kind.to_owned(),
        occurred_on,
        note: None,
        evidence: None,
        corrects: None,
        before_stage: None,
        before_condition: None,
        before_stage_since: None,
        before_basis: None,
        before_started_on: None,
        before_completed_on: None,
        after_stage: model.stage.clone(),
        after_condition: model.condition.clone(),
        after_stage_since: model.stage_since,
        after_basis: model.stage_basis.clone(),
        after_started_on: model.started_on,
        after_completed_on: model.completed_on,
        actor_id: tx.by.account,
        recorded_at: tx.now(),
    }
}

async fn insert(tx: &Tx, model: &Model, kind: &str, granted: &Transition) -> Result<(), Failure> {
    let Transition {
        kind: _,
        occurred_on,
        note,
        evidence,
        corrects,
        before,
        after,
    } = granted;
    let evidence: Option<Json> = evidence.as_ref().map(row::evidence_json);
    let row = transition::ActiveModel {
        id: Set(new_id()),
        project_id: Set(model.id),
        seq: Set(model.version),
        kind: Set(kind.to_owned()),
        occurred_on: Set(*occurred_on),
        note: Set(note.as_ref().map(|note| note.as_str().to_owned())),
        evidence: Set(evidence),
        corrects: Set(corrects.map(|id| id.0)),
        before_stage: Set(Some(before.stage.code().to_owned())),
        before_condition: Set(Some(before.condition.code().to_owned())),
        before_stage_since: Set(before.stage_since),
        before_basis: Set(Some(before.basis.code().to_owned())),
        before_started_on: Set(before.started_on),
        before_completed_on: Set(before.completed_on),
        after_stage: Set(after.stage.code().to_owned()),
        after_condition: Set(after.condition.code().to_owned()),
        after_stage_since: Set(after.stage_since),
        after_basis: Set(after.basis.code().to_owned()),
        after_started_on: Set(after.started_on),
        after_completed_on: Set(after.completed_on),
        actor_id: Set(tx.by.account),
        recorded_at: Set(tx.now()),
    };
    transition::Entity::insert(row)
        .exec_without_returning(&tx.db)
        .await?;
    if granted.kind == Move::Attraction {
        // No line of the accounts: the dates that 引育 rests on are, and were told before.
        return Ok(());
    }
    accounting::restate(tx, model).await
}
