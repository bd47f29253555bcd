//! Takes a data set into the library: reference data, targets, and existing projects as opening balance (期初导入).
//!
//! All or nothing. Reference data and targets are made to be as the data set has them; projects that are there already stay as
//! they are. Loading twice changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use domain::stage::Stage;
use domain::target::Target;
use domain::transition::Standing;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::family::Household;
use super::project::{self, Came, blank};
use super::reference::list::List;
use super::reference::{self, Kind};
use super::{Failure, Tx, event, list, target};
use crate::catalogue::{Catalogue, ProjectRow, TargetRow, optional, several};
use crate::entity::project::{self as table, Model};
use crate::entity::{region, region_closure};
use crate::input::ProjectFields;
use crate::input::read::Reader;
use crate::input::target::TargetInput;
use crate::problem::value::unknown_code;
use crate::problem::{Fault, Problem, kinds};

/// What loading changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loaded {
    /// Entries of reference data and targets made or changed.
    pub reference: usize,
    /// Projects taken over.
    pub projects: usize,
    /// Projects that were there already and stay as they are.
    pub present: usize,
}

/// Takes a data set in.
///
/// # Errors
/// `validation_failed` with everything that is wrong, by line; `opening_closed` after the last day on which a
/// region takes existing projects over.
pub async fn load(tx: &Tx, catalogue: &Catalogue) -> Result<Loaded, Failure> {
    // Before the data set's own regions are taken in, and again after: neither may open what the other closes.
    let refs: Vec<&str> = catalogue
        .projects
        .iter()
        .map(|(_, row)| row.external_ref.as_str())
        .collect();
    let mut known = known_refs(tx, &refs).await?;
    let present: BTreeSet<String> = known.keys().cloned().collect();
    let new: Vec<&(u64, ProjectRow)> = catalogue
        .projects
        .iter()
        .filter(|(_, row)| !present.contains(&row.external_ref))
        .collect();
    check_open(tx, &new).await?;
    let mut loaded = Loaded {
        reference: load_reference(tx, catalogue).await? + load_targets(tx, catalogue).await?,
        ..Loaded::default()
    };
    loaded.present = catalogue.projects.len() - new.len();
    loaded.projects = new.len();
    if new.is_empty() {
        return Ok(loaded);
    }
    check_open(tx, &new).await?;
    let mut models = read_rows(tx, &new, &known).await?;
    for model in &models {
        if let Some(external_ref) = &model.external_ref {
            known.insert(external_ref.clone(), (model.id, model.id));
        }
    }
    let household = join_families(tx, &new, &known, &mut models).await?;
    project::enter(tx, household, models, Came::TAKEN_OVER).await?;
    put_on_lists(tx, &new, &known).await?;
    Ok(loaded)
}

async fn load_reference(tx: &Tx, catalogue: &Catalogue) -> Result<usize, Failure> {
    let mut changed = 0;
    changed += load_all(tx, "regions.csv", &catalogue.regions).await?;
    changed += load_all(tx, "units.csv", &catalogue.units).await?;
    changed += load_all(tx, "programmes.csv", &catalogue.programmes).await?;
    changed += load_all(tx, "sectors.csv", &catalogue.sectors).await?;
    changed += load_all(tx, "chains.csv", &catalogue.chains).await?;
    changed += load_all(tx, "lists.csv", &catalogue.lists).await?;
    if !catalogue.approval_rules.is_empty()
        && reference::rules::set(tx, &catalogue.approval_rules).await?
    {
        changed += 1;
    }
    Ok(changed)
}

async fn load_targets(tx: &Tx, catalogue: &Catalogue) -> Result<usize, Failure> {
    const FILE: &str = "targets.csv";
    let targets =
        read_targets(&catalogue.targets).map_err(|faults| Problem::invalid(faults).about(FILE))?;
    match target::load(tx, &targets).await {
        Err(Failure::Refused(problem)) => Err(problem.about(FILE).into()),
        done => done,
    }
}

fn read_targets(rows: &[(u64, TargetRow)]) -> Result<Vec<(u64, Target)>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut targets = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (line, row) in rows {
        let mut wrong = Vec::new();
        if !seen.insert(&row.code) {
            wrong.push(fault(
                "/code",
                "code_not_unique",
                "代码重复",
                "The code stands twice",
            ));
        }
        let input = TargetInput::of_row(row).map_err(|fault| vec![fault]);
        match input.and_then(|input| input.read(&row.code)) {
            Ok(target) => targets.push((*line, target)),
            Err(found) => wrong.extend(found),
        }
        faults.extend(wrong.into_iter().map(|fault| fault.with("line", *line)));
    }
    if faults.is_empty() {
        Ok(targets)
    } else {
        Err(faults)
    }
}

async fn load_all<K: Kind>(tx: &Tx, file: &str, entries: &[(String, K)]) -> Result<usize, Failure> {
    let mut changed = 0;
    for (code, fields) in entries {
        let did = match reference::load(tx, code, fields.clone()).await {
            Err(Failure::Refused(problem)) => {
                return Err(problem.about(&format!("{file}: {code}")).into());
            }
            done => done?,
        };
        changed += usize::from(did);
    }
    Ok(changed)
}

/// The projects of the data set that are in the library: their ids and roots.
async fn known_refs(tx: &Tx, refs: &[&str]) -> Result<BTreeMap<String, (Uuid, Uuid)>, Failure> {
    let mut known = BTreeMap::new();
    for some in refs.chunks(500) {
        let rows = table::Entity::find()
            .filter(table::Column::ExternalRef.is_in(some.iter().copied()))
            .all(&tx.db)
            .await?;
        known.extend(
            rows.into_iter()
                .filter_map(|row| Some((row.external_ref?, (row.id, row.root_id)))),
        );
    }
    Ok(known)
}

/// Existing projects may be taken over only until the day that their city, or any region above, has set.
async fn check_open(tx: &Tx, new: &[&(u64, ProjectRow)]) -> Result<(), Failure> {
    let codes: BTreeSet<&str> = new.iter().map(|(_, row)| row.region.as_str()).collect();
    match closed(&tx.db, codes, tx.today).await?.into_values().next() {
        None => Ok(()),
        Some(problem) => Err(problem.into()),
    }
}

/// Those of some regions that take no more existing projects over, each with the refusal.
pub(crate) async fn closed(
    db: &impl ConnectionTrait,
    regions: BTreeSet<&str>,
    today: NaiveDate,
) -> Result<BTreeMap<String, Problem>, Failure> {
    let above = region_closure::Entity::find()
        .filter(region_closure::Column::Descendant.is_in(regions))
        .all(db)
        .await?;
    let closed = region::Entity::find()
        .filter(region::Column::Code.is_in(above.iter().map(|row| row.ancestor.as_str())))
        .filter(region::Column::OpeningClosedOn.lt(today))
        .all(db)
        .await?;
    let names: BTreeMap<String, String> = closed
        .into_iter()
        .map(|region| (region.code, region.name))
        .collect();
    let refused = above.into_iter().filter_map(|row| {
        let name = names.get(&row.ancestor)?;
        let problem = Problem::new(kinds::OPENING_CLOSED).say(
            format!("{name} 的期初导入已截止"),
            format!("{name} takes no more existing projects over"),
        );
        Some((row.descendant, problem))
    });
    Ok(refused.collect())
}

async fn read_rows(
    tx: &Tx,
    new: &[&(u64, ProjectRow)],
    known: &BTreeMap<String, (Uuid, Uuid)>,
) -> Result<Vec<Model>, Failure> {
    let mut faults = Vec::new();
    let mut models = Vec::new();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let refs: BTreeSet<&str> = new
        .iter()
        .map(|(_, row)| row.external_ref.as_str())
        .collect();
    for (line, row) in new {
        let mut wrong = Vec::new();
        if row.external_ref.is_empty()
            || row.external_ref.chars().count() > 200
            || !seen.insert(&row.external_ref)
        {
            wrong.push(fault(
                "/ref",
                "ref_not_unique",
                "ref 为空、过长或重复",
                "The ref is empty, too long or stands twice",
            ));
        }
        let parent = row.parent_ref.as_str();
        if !parent.is_empty() && !refs.contains(parent) && !known.contains_key(parent) {
            wrong.push(fault(
                "/parent_ref",
                "unknown_parent",
                "没有这个上级",
                "There is no such parent",
            ));
        }
        match read_row(tx, row).await? {
            Ok(model) => models.push(model),
            Err(found) => wrong.extend(found),
        }
        faults.extend(wrong.into_iter().map(|fault| fault.with("line", *line)));
    }
    if faults.is_empty() {
        Ok(models)
    } else {
        Err(Problem::invalid(faults).about("projects.csv").into())
    }
}

async fn read_row(tx: &Tx, row: &ProjectRow) -> Result<Result<Model, Vec<Fault>>, Failure> {
    let mut faults = Vec::new();
    let read = ProjectFields::of_row(row).and_then(|fields| fields.registered());
    let facts = match read {
        Ok(facts) => facts,
        Err(found) => return Ok(Err(found)),
    };
    let mut reader = Reader::default();
    let mut day = |pointer: &str, text: &str| {
        let text = optional(text)?;
        let invalid = || {
            fault(
                pointer,
                "invalid_date",
                "日期须为 YYYY-MM-DD",
                "A date is YYYY-MM-DD",
            )
        };
        let day = reader.take(text.parse().map_err(|_| invalid()))?;
        reader.day(pointer, day)
    };
    let started_on = day("/started_on", &row.started_on);
    let completed_on = day("/completed_on", &row.completed_on);
    faults.extend(reader.faults);
    let stage = Stage::from_code(&row.stage);
    if stage.is_none() {
        faults.push(unknown_code("/stage", &row.stage));
    }
    faults.extend(wrong_dates(stage, started_on, completed_on, tx.today));
    faults.extend(reference::check(&tx.db, &facts, None, tx.today).await?);
    let context = domain::project::FactsContext {
        stage: stage.unwrap_or(Stage::Planning),
        started_on,
        today: tx.today,
    };
    faults.extend(facts.faults(context).iter().map(Fault::from));
    let (Some(stage), true) = (stage, faults.is_empty()) else {
        return Ok(Err(faults));
    };
    let standing = Standing::taken_over(stage, started_on, completed_on);
    let mut model = blank(tx, &facts, &standing);
    model.external_ref = Some(row.external_ref.clone());
    model.basis_quote = optional(&row.basis_quote);
    model.basis_source = optional(&row.basis_source);
    model.basis_as_of = optional(&row.basis_as_of);
    model.basis_inferred = row.basis_inferred.trim() == "true";
    Ok(Ok(model))
}

/// Dates of works that can't be.
fn wrong_dates(
    stage: Option<Stage>,
    started_on: Option<NaiveDate>,
    completed_on: Option<NaiveDate>,
    today: NaiveDate,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let days = [("/started_on", started_on), ("/completed_on", completed_on)];
    for (pointer, day) in days {
        if day.is_some_and(|day| day > today) {
            faults.push(fault(
                pointer,
                "date_in_future",
                "日期不能晚于今天",
                "The day is later than today",
            ));
        }
    }
    if completed_on.is_some() && stage != Some(Stage::Completion) {
        faults.push(fault(
            "/completed_on",
            "not_completed",
            "项目未竣工",
            "The project is not completed",
        ));
    }
    if let (Some(start), Some(end)) = (started_on, completed_on)
        && end < start
    {
        faults.push(fault(
            "/completed_on",
            "date_out_of_order",
            "竣工早于开工",
            "Completed before it started",
        ));
    }
    faults
}

fn fault(pointer: &str, code: &str, zh: &str, en: &str) -> Fault {
    Fault::at(pointer, code, zh, en)
}

/// Sets the parents by their refs, and locks the families that are joined.
async fn join_families(
    tx: &Tx,
    new: &[&(u64, ProjectRow)],
    known: &BTreeMap<String, (Uuid, Uuid)>,
    models: &mut [Model],
) -> Result<Household, Failure> {
    let mut roots = BTreeSet::new();
    for ((_, row), model) in new.iter().zip(models.iter_mut()) {
        if let Some((parent, root)) = known.get(&row.parent_ref) {
            model.parent_id = Some(*parent);
            roots.insert(*root);
        }
    }
    Household::lock(tx, roots).await
}

async fn put_on_lists(
    tx: &Tx,
    new: &[&(u64, ProjectRow)],
    known: &BTreeMap<String, (Uuid, Uuid)>,
) -> Result<(), Failure> {
    let mut changed = BTreeSet::new();
    for (line, row) in new {
        let Some((id, _)) = known.get(&row.external_ref) else {
            continue;
        };
        for code in several(&row.lists) {
            if reference::find::<List>(&tx.db, &code).await?.is_none() {
                let told = List::unknown("/lists", &code).with("line", *line);
                return Err(Problem::invalid(vec![told]).about("projects.csv").into());
            }
            list::add(tx, &code, *id).await?;
            changed.insert(code);
        }
    }
    for code in changed {
        let list = reference::read::<List>(&tx.db, &code).await?;
        list::bump(tx, &code, list.version).await?;
        let done = event::Entry::of_code(List::NAME, &code, "members_loaded", list.version + 1);
        event::record(
            tx,
            done.changing(None, Some(json!({ "projects": new.len() }))),
        )
        .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_that_comes_with_the_service_can_be_read() {
        let catalogue = Catalogue::panjin().unwrap();
        assert_eq!(catalogue.projects.len(), 341);
    }
}
