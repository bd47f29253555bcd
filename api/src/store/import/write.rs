//! Doing what the rows of a file say.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chrono::NaiveDate;
use domain::stage::StageBasis;
use domain::transition::Standing;
use intake::document::Document;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;
use uuid::Uuid;

use super::job::{self, Finished, State};
use super::outcome;
use super::verdict::{Deed, New, Terms, Verdict, What};
use super::{judge, told};
use crate::auth::Principal;
use crate::entity::project::{self as table, Model};
use crate::import::Report;
use crate::precondition::Precondition;
use crate::problem::{Problem, kinds};
use crate::store::family::Household;
use crate::store::project::{self, Came, Key};
use crate::store::{
    Author, Db, Failure, Tx, approval, catalogue, corrupt, event, external_ref, investment,
    plan_year, target,
};

/// How many new projects are saved together.
const TOGETHER: usize = 500;
/// How long a file waits for the one before it to be taken in, and how often it asks.
const TURNS: u32 = 2400;
const TURN: std::time::Duration = std::time::Duration::from_millis(250);

/// What was done with a row: to what, from which version to which.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    /// `project/ID`, `plan_year/ID/YEAR`, `investment_month/ID/YEAR-MONTH`, `approval/ID/ITEM` or `target/CODE`.
    pub(crate) subject: String,
    /// The version that stood before; none if there was nothing.
    pub(crate) before: Option<i64>,
    /// The version that stands after it.
    pub(crate) after: i64,
}

/// What came of a file.
#[derive(Debug)]
pub struct Committed {
    /// Whether it was taken in; if not, nothing was changed.
    pub is_done: bool,
}

/// Takes a file in, as one transaction, with all that is recorded of it: its rows, the job's end and the audit.
///
/// # Errors
/// [`Problem`] of the database, or if the job is no longer this process's.
pub async fn commit(
    db: &Db,
    by: Author,
    principal: Rc<Principal>,
    work: Rc<Work>,
) -> Result<Committed, Problem> {
    for _ in 0..TURNS {
        match try_commit(db, by.clone(), Rc::clone(&principal), Rc::clone(&work)).await? {
            Some(committed) => return Ok(committed),
            None => tokio::time::sleep(TURN).await,
        }
    }
    Err(Problem::new(kinds::UNAVAILABLE).say(
        "前面的导入一直没有结束，请稍后再试",
        "The import before did not end; try again later",
    ))
}

/// A file that is to be taken in.
pub struct Work {
    /// Its job.
    pub(crate) job: Uuid,
    /// What was read of it.
    pub(crate) document: Document,
    /// What is known of it besides.
    pub(crate) terms: Terms,
    /// What it is called.
    pub(crate) file_name: String,
    /// Whether it is all or nothing.
    pub(crate) is_atomic: bool,
    /// Told how many rows are done.
    pub(crate) step: Box<dyn Fn(usize)>,
}

/// None if another file is being taken in.
async fn try_commit(
    db: &Db,
    by: Author,
    principal: Rc<Principal>,
    work: Rc<Work>,
) -> Result<Option<Committed>, Problem> {
    // What an atomic import would not take: it is told after all has been taken back.
    let refused: Rc<RefCell<Option<Vec<Verdict>>>> = Rc::default();
    let kept = Rc::clone(&refused);
    let taken = Rc::clone(&work);
    let done = db
        .write(by.clone(), async move |tx| {
            if !tx.alone_with_imports().await? {
                return Ok(None);
            }
            let step = |rows| (taken.step)(rows);
            let wanted = (&taken.document, &taken.terms);
            let mut verdicts = judge(&tx.db, &principal, wanted, tx.today, step).await?;
            let mut done = BTreeMap::new();
            if !taken.is_atomic || verdicts.iter().all(is_taken) {
                done = write(tx, &principal, &taken, &mut verdicts).await?;
            }
            if taken.is_atomic && !verdicts.iter().all(is_taken) {
                kept.replace(Some(verdicts));
                return Err(Problem::new(kinds::BATCH_REFUSED).into());
            }
            finish(tx, &taken, State::Done, &verdicts, &done).await?;
            Ok(Some(Committed { is_done: true }))
        })
        .await;
    let Some(verdicts) = refused.take() else {
        return done;
    };
    db.write(by, async move |tx| {
        finish(tx, &work, State::Refused, &verdicts, &BTreeMap::new()).await
    })
    .await?;
    Ok(Some(Committed { is_done: false }))
}

fn is_taken(verdict: &Verdict) -> bool {
    matches!(verdict.what, What::Do { .. } | What::Same)
}

async fn finish(
    tx: &Tx,
    work: &Work,
    state: State,
    verdicts: &[Verdict],
    done: &BTreeMap<usize, Done>,
) -> Result<(), Failure> {
    let report = Report::of(&work.document, work.terms.kind, verdicts);
    if state == State::Done {
        let entry = event::Entry::of_import(work.job, "imported");
        let told = json!({
            "file": work.file_name,
            "kind": work.terms.kind,
            "created": report.created,
            "changed": report.changed,
        });
        event::record(tx, entry.changing(None, Some(told))).await?;
    }
    let finished = Finished {
        state,
        report,
        rows: outcome::of(work.job, verdicts, done),
    };
    job::finish(tx, work.job, finished).await
}

/// Does all of it; what single rules refuse becomes a refusal of its row, and the rest stands.
async fn write(
    tx: &Tx,
    principal: &Principal,
    work: &Work,
    verdicts: &mut [Verdict],
) -> Result<BTreeMap<usize, Done>, Failure> {
    let mut done = BTreeMap::new();
    let mut desk = Desk {
        tx,
        principal,
        source: &work.file_name,
        ids: BTreeMap::new(),
        waiting: Vec::new(),
    };
    for place in 0..verdicts.len() {
        if place.is_multiple_of(TOGETHER) {
            (work.step)(place);
        }
        let Some(verdict) = verdicts.get(place) else {
            continue;
        };
        let What::Do { deed, .. } = &verdict.what else {
            continue;
        };
        let outcome = match deed {
            Deed::Enter(new) => desk.enter(place, new).await,
            Deed::Amend { .. }
            | Deed::Plan { .. }
            | Deed::Figures { .. }
            | Deed::Approval { .. }
            | Deed::Target { .. } => tx
                .attempt(async || one(tx, principal, deed).await)
                .await
                .map(Some),
        };
        match outcome {
            Ok(Some(what)) => {
                done.insert(place, what);
            }
            Ok(None) => {}
            Err(Failure::Refused(problem)) => {
                if let Some(verdict) = verdicts.get_mut(place) {
                    verdict.refuse(told(problem));
                }
            }
            Err(failure) => return Err(failure),
        }
    }
    desk.flush().await?;
    done.extend(desk.entered(verdicts).await?);
    tell_last_versions(tx, &mut done).await?;
    Ok(done)
}

/// Where new projects wait until there are enough of them to be saved together.
struct Desk<'a> {
    tx: &'a Tx,
    principal: &'a Principal,
    source: &'a str,
    /// The ids of the projects, by the places of the rows that register them.
    ids: BTreeMap<usize, Uuid>,
    waiting: Vec<Model>,
}

impl Desk<'_> {
    /// Takes a new project; one that joins a family that is saved already is saved by itself, and may be refused.
    async fn enter(&mut self, place: usize, new: &New) -> Result<Option<Done>, Failure> {
        let mut model = self.model(new);
        let parent = match new.parent {
            Some(parent) => Some(self.ids.get(&parent).copied().ok_or_else(whole_refused)?),
            None => new.facts.parent.map(|id| id.0),
        };
        model.parent_id = parent;
        let id = model.id;
        let is_waiting = |id: Uuid| {
            self.waiting
                .iter()
                .rev()
                .take(domain::family::MAX_MEMBERS)
                .any(|m| m.id == id)
        };
        match parent {
            Some(parent) if !is_waiting(parent) => {
                self.flush().await?;
                let (tx, principal, came) = (self.tx, self.principal, came(new));
                tx.attempt(async || {
                    let parent = project::parent_row(tx, principal, parent).await?;
                    let household = Household::lock(tx, BTreeSet::from([parent.root_id])).await?;
                    project::check_parent(&household, parent.id)?;
                    project::enter(tx, household, vec![model], came).await
                })
                .await?;
            }
            Some(_) => self.waiting.push(model),
            None => {
                if self.waiting.len() >= TOGETHER {
                    self.flush().await?;
                }
                self.waiting.push(model);
            }
        }
        self.ids.insert(place, id);
        Ok(None)
    }

    fn model(&self, new: &New) -> Model {
        let Some((standing, quote)) = &new.standing else {
            return project::blank(self.tx, &new.facts, &Standing::registered(None));
        };
        let mut model = project::blank(self.tx, &new.facts, standing);
        model.basis_quote = Some(quote.clone());
        model.basis_source = Some(self.source.to_owned());
        model
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        let models = std::mem::take(&mut self.waiting);
        if models.is_empty() {
            return Ok(());
        }
        let taken_over = models
            .first()
            .is_some_and(|model| model.stage_basis == StageBasis::OpeningBalance.code());
        let came = if taken_over {
            Came::TAKEN_OVER
        } else {
            Came::REGISTERED
        };
        let household = Household::lock(self.tx, BTreeSet::new()).await?;
        project::enter(self.tx, household, models, came).await?;
        Ok(())
    }

    /// What was registered, linked to the keys of the other system.
    async fn entered(&self, verdicts: &[Verdict]) -> Result<BTreeMap<usize, Done>, Failure> {
        let mut done = BTreeMap::new();
        for (&place, &id) in &self.ids {
            let link = verdicts.get(place).and_then(|verdict| match &verdict.what {
                What::Do {
                    deed: Deed::Enter(new),
                    ..
                } => new.external.as_ref(),
                What::Do { .. } | What::Same | What::Held | What::Refused => None,
            });
            if let Some(link) = link {
                let model =
                    project::need(&self.tx.db, &self.principal.reads(), Key::Id(id)).await?;
                external_ref::link(self.tx, self.principal, id, model.version, link).await?;
            }
            done.insert(
                place,
                Done {
                    subject: format!("project/{id}"),
                    before: None,
                    after: 1,
                },
            );
        }
        Ok(done)
    }
}

const fn came(new: &New) -> Came {
    if new.standing.is_some() {
        Came::TAKEN_OVER
    } else {
        Came::REGISTERED
    }
}

fn whole_refused() -> Failure {
    Problem::new(kinds::FAMILY_REFUSED)
        .say(
            "所属项目没有导入",
            "The project that it is part of is not taken in",
        )
        .into()
}

/// The versions of the projects as they are left, for other rows may have changed them after.
async fn tell_last_versions(tx: &Tx, done: &mut BTreeMap<usize, Done>) -> Result<(), Failure> {
    let id_of =
        |done: &Done| -> Option<Uuid> { done.subject.strip_prefix("project/")?.parse().ok() };
    let ids: Vec<Uuid> = done.values().filter_map(id_of).collect();
    let mut versions: BTreeMap<Uuid, i64> = BTreeMap::new();
    for some in ids.chunks(1000) {
        let found: Vec<(Uuid, i64)> = table::Entity::find()
            .select_only()
            .column(table::Column::Id)
            .column(table::Column::Version)
            .filter(table::Column::Id.is_in(some.iter().copied()))
            .into_tuple()
            .all(&tx.db)
            .await?;
        versions.extend(found);
    }
    for done in done.values_mut() {
        if let Some(version) = id_of(done).and_then(|id| versions.get(&id)) {
            done.after = *version;
        }
    }
    Ok(())
}

/// Whether only trying tells if something is refused; a new project by itself is judged wholly in memory.
pub(super) fn has_to_be_tried(deed: &Deed) -> bool {
    match deed {
        Deed::Enter(new) => new.facts.parent.is_some(),
        Deed::Amend { .. }
        | Deed::Plan { .. }
        | Deed::Figures { .. }
        | Deed::Approval { .. }
        | Deed::Target { .. } => true,
    }
}

/// Does one thing.
pub(super) async fn one(tx: &Tx, principal: &Principal, deed: &Deed) -> Result<Done, Failure> {
    let precondition = |seen: Option<i64>| seen.map_or(Precondition::Absent, Precondition::Version);
    let done = |subject: String, before: Option<i64>, after: i64| Done {
        subject,
        before,
        after,
    };
    match deed {
        Deed::Enter(new) => enter_one(tx, principal, new).await,
        Deed::Amend {
            id,
            seen,
            after,
            link,
        } => {
            let facts = after.as_ref().clone();
            let mut version = project::amend(tx, principal, *id, *seen, |_| Ok(facts.clone()))
                .await?
                .version;
            if let Some(link) = link {
                (_, version) = external_ref::link(tx, principal, *id, version, link).await?;
            }
            Ok(done(format!("project/{id}"), Some(*seen), version))
        }
        Deed::Plan {
            id,
            year,
            planned,
            seen,
        } => {
            let put = plan_year::put(tx, principal, *id, *year, precondition(*seen), *planned);
            let record = put.await?;
            Ok(done(
                format!("plan_year/{id}/{year}"),
                *seen,
                record.version,
            ))
        }
        Deed::Figures {
            id,
            month,
            figures,
            seen,
        } => {
            let put = investment::put(tx, principal, *id, *month, precondition(*seen), *figures);
            let record = put.await?;
            let (year, number) = (month.year(), month.number());
            let subject = format!("investment_month/{id}/{year}-{number:02}");
            Ok(done(subject, *seen, record.version))
        }
        Deed::Approval {
            id,
            item,
            approval,
            seen,
        } => {
            let new = approval.as_ref().clone();
            let put = approval::put(tx, principal, *id, *item, precondition(*seen), new);
            let record = put.await?;
            Ok(done(
                format!("approval/{id}/{}", item.code()),
                *seen,
                record.version,
            ))
        }
        Deed::Target { target, seen } => {
            let record = target::put(tx, principal, precondition(*seen), target).await?;
            Ok(done(
                format!("target/{}", target.code),
                *seen,
                record.version,
            ))
        }
    }
}

/// Registers a part of a project that is there, to find out whether it may be.
async fn enter_one(tx: &Tx, principal: &Principal, new: &New) -> Result<Done, Failure> {
    let mut desk = Desk {
        tx,
        principal,
        source: "",
        ids: BTreeMap::new(),
        waiting: Vec::new(),
    };
    desk.enter(0, new).await?;
    let id = desk.ids.get(&0).ok_or_else(|| corrupt("entered project"))?;
    Ok(Done {
        subject: format!("project/{id}"),
        before: None,
        after: 1,
    })
}

/// Refuses the projects that would be taken over in regions that take none over any more.
pub(super) async fn refuse_closed(
    db: &impl ConnectionTrait,
    verdicts: &mut [Verdict],
    today: NaiveDate,
) -> Result<(), Failure> {
    let region_of = |verdict: &Verdict| match &verdict.what {
        What::Do {
            deed: Deed::Enter(new),
            ..
        } => Some(new.facts.region.as_str().to_owned()),
        What::Do { .. } | What::Same | What::Held | What::Refused => None,
    };
    let regions: BTreeSet<String> = verdicts.iter().filter_map(region_of).collect();
    let codes = regions.iter().map(String::as_str).collect();
    let closed = catalogue::closed(db, codes, today).await?;
    for verdict in verdicts {
        if let Some(problem) = region_of(verdict).and_then(|region| closed.get(&region)) {
            verdict.refuse(told(problem.clone()));
        }
    }
    Ok(())
}
