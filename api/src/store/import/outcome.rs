//! What is kept of the rows of a file: what came of each, and what it made or changed.

use std::collections::BTreeMap;

use sea_orm::prelude::Json;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::job::State;
use super::verdict::{Double, Verdict, What};
use super::write::Done;
use crate::entity::{import_job, import_row};
use crate::import::Remark;
use crate::page;
use crate::store::{Failure, Tx, corrupt};

/// How many rows are inserted at a time: each has ten values, and SQLite takes 32,766.
const ROWS: usize = 2000;

/// What came of a row (结果).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It made something new.
    Created,
    /// It changed something.
    Changed,
    /// It was left, for somebody has to say what it is about.
    Duplicate,
    /// It was refused.
    Refused,
    /// It changed nothing, and something has to be said of it.
    Remarked,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [
        Self::Created,
        Self::Changed,
        Self::Duplicate,
        Self::Refused,
        Self::Remarked,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Duplicate => "duplicate",
            Self::Refused => "refused",
            Self::Remarked => "remarked",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.code() == code)
    }

    fn of(verdict: &Verdict) -> Option<Self> {
        match verdict.what {
            What::Do { is_new: true, .. } => Some(Self::Created),
            What::Do { is_new: false, .. } => Some(Self::Changed),
            What::Held => Some(Self::Duplicate),
            What::Refused => Some(Self::Refused),
            What::Same if verdict.remarks.is_empty() => None,
            What::Same => Some(Self::Remarked),
        }
    }
}

/// What is kept of a row.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Detail {
    /// What was, of what it changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Json>,
    /// What is then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Json>,
    /// What is like it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub double: Option<Double>,
    /// What has to be said of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<Remark>,
    /// Its cells by the letters of their columns, if it was not taken in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub cells: BTreeMap<String, String>,
}

/// The rows of a file of which something has to be kept.
pub(super) fn of(
    job: Uuid,
    verdicts: &[Verdict],
    done: &BTreeMap<usize, Done>,
) -> Vec<import_row::Model> {
    let rows = verdicts.iter().enumerate().filter_map(|(place, verdict)| {
        let outcome = Outcome::of(verdict)?;
        let (before, after) = match &verdict.what {
            What::Do { before, after, .. } => (before.clone(), after.clone()),
            What::Same | What::Held | What::Refused => (None, None),
        };
        let detail = Detail {
            before,
            after,
            double: verdict.double.clone(),
            remarks: verdict.remarks.clone(),
            cells: verdict.cells.clone(),
        };
        let done = done.get(&place);
        Some(import_row::Model {
            job_id: job,
            seq: i64::try_from(place).unwrap_or(i64::MAX),
            sheet: i32::try_from(verdict.place.sheet).unwrap_or(i32::MAX),
            number: i64::from(verdict.place.row),
            outcome: outcome.code().to_owned(),
            name: Some(verdict.name.clone()),
            subject: done.map(|done| done.subject.clone()),
            version_before: done.and_then(|done| done.before),
            version_after: done.map(|done| done.after),
            detail: serde_json::to_value(detail).unwrap_or_else(|_| json!({})),
        })
    });
    rows.collect()
}

/// The rows of a preview.
pub(crate) fn previewed(job: Uuid, verdicts: &[Verdict]) -> Vec<import_row::Model> {
    of(job, verdicts, &BTreeMap::new())
}

/// Puts rows down.
pub(super) async fn insert(tx: &Tx, rows: Vec<import_row::Model>) -> Result<(), Failure> {
    for some in rows.chunks(ROWS) {
        let some = some.iter().cloned().map(import_row::ActiveModel::from);
        import_row::Entity::insert_many(some)
            .exec_without_returning(&tx.db)
            .await?;
    }
    Ok(())
}

/// Forgets the rows of some jobs.
pub(super) async fn forget(tx: &Tx, jobs: &[Uuid]) -> Result<(), Failure> {
    import_row::Entity::delete_many()
        .filter(import_row::Column::JobId.is_in(jobs.iter().copied()))
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// What came of a row.
#[derive(Clone, Debug)]
pub struct RowRecord {
    /// Its place among the rows of which something is kept.
    pub seq: i64,
    /// Its sheet, from 0.
    pub sheet: usize,
    /// Its number in the sheet, from 1.
    pub number: i64,
    /// What came of it.
    pub outcome: Outcome,
    /// The name of its project or target.
    pub name: String,
    /// What it made or changed.
    pub subject: Option<String>,
    /// The rest.
    pub detail: Detail,
}

fn row_record(row: import_row::Model) -> Result<RowRecord, Failure> {
    Ok(RowRecord {
        seq: row.seq,
        sheet: usize::try_from(row.sheet).unwrap_or_default(),
        number: row.number,
        outcome: Outcome::from_code(&row.outcome).ok_or_else(|| corrupt(&row.outcome))?,
        name: row.name.unwrap_or_default(),
        subject: row.subject,
        detail: serde_json::from_value(row.detail).map_err(|e| corrupt(&e.to_string()))?,
    })
}

/// One page of what came of the rows of a job, in their order.
///
/// # Errors
/// `invalid_cursor`, or [`Failure`] of the database.
pub async fn page(
    db: &impl ConnectionTrait,
    job: Uuid,
    outcome: Option<Outcome>,
    (limit, cursor): (u64, Option<&str>),
) -> Result<(Vec<RowRecord>, Option<String>), Failure> {
    let question = format!("import rows {job} {outcome:?}");
    let mut query = import_row::Entity::find()
        .filter(import_row::Column::JobId.eq(job))
        .order_by_asc(import_row::Column::Seq)
        .limit(limit + 1);
    if let Some(outcome) = outcome {
        query = query.filter(import_row::Column::Outcome.eq(outcome.code()));
    }
    if let Some(cursor) = cursor {
        query = query.filter(import_row::Column::Seq.gt(page::open::<i64>(&question, cursor)?));
    }
    let (rows, next) = page::page_of(query.all(db).await?, limit, &question, |row| row.seq);
    let records: Result<_, Failure> = rows.into_iter().map(row_record).collect();
    Ok((records?, next))
}

/// The rows of a job that were not taken in, in their order.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn not_taken(
    db: &impl ConnectionTrait,
    job: Uuid,
    limit: u64,
) -> Result<Vec<RowRecord>, Failure> {
    let outcomes = [Outcome::Refused, Outcome::Duplicate].map(Outcome::code);
    let rows = import_row::Entity::find()
        .filter(import_row::Column::JobId.eq(job))
        .filter(import_row::Column::Outcome.is_in(outcomes))
        .order_by_asc(import_row::Column::Seq)
        .limit(limit)
        .all(db)
        .await?;
    rows.into_iter().map(row_record).collect()
}

/// What a row made or changed.
pub(super) struct Kept {
    seq: i64,
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) before: Option<i64>,
    pub(super) after: i64,
}

impl Kept {
    /// The project, if that is what it made or changed.
    pub(super) fn project(&self) -> Option<Uuid> {
        self.subject.strip_prefix("project/")?.parse().ok()
    }

    /// Whether it registered a project.
    pub(super) fn is_entered(&self) -> bool {
        self.before.is_none() && self.project().is_some()
    }
}

/// All that a job made and changed, in its order.
pub(super) async fn kept(tx: &Tx, job: Uuid) -> Result<Vec<Kept>, Failure> {
    let rows = import_row::Entity::find()
        .filter(import_row::Column::JobId.eq(job))
        .filter(import_row::Column::Subject.is_not_null())
        .order_by_asc(import_row::Column::Seq)
        .all(&tx.db)
        .await?;
    let kept = rows.into_iter().filter_map(|row| {
        Some(Kept {
            seq: row.seq,
            name: row.name.unwrap_or_default(),
            subject: row.subject?,
            before: row.version_before,
            after: row.version_after?,
        })
    });
    Ok(kept.collect())
}

/// Keeps at which version a project is again as it was before a job changed it.
pub(super) async fn restored(tx: &Tx, job: Uuid, one: &Kept, version: i64) -> Result<(), Failure> {
    import_row::Entity::update_many()
        .col_expr(import_row::Column::VersionAfter, Expr::value(version))
        .filter(import_row::Column::JobId.eq(job))
        .filter(import_row::Column::Seq.eq(one.seq))
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// What jobs that were taken back did to some projects: of each, the version before, and the one at which it was again as
/// at that.
pub(super) async fn restorations(
    tx: &Tx,
    projects: &[Uuid],
) -> Result<Vec<(Uuid, i64, i64)>, Failure> {
    let subjects = projects.iter().map(|id| format!("project/{id}"));
    let undone = Query::select()
        .column(import_job::Column::Id)
        .from(import_job::Entity)
        .and_where(import_job::Column::State.eq(State::Undone.code()))
        .take();
    let rows = import_row::Entity::find()
        .filter(import_row::Column::Subject.is_in(subjects))
        .filter(import_row::Column::JobId.in_subquery(undone))
        .all(&tx.db)
        .await?;
    let told = rows.into_iter().filter_map(|row| {
        let id = row.subject?.strip_prefix("project/")?.parse().ok()?;
        Some((id, row.version_before?, row.version_after?))
    });
    Ok(told.collect())
}
