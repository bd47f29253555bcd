//! Files that are brought in, as jobs: put down, worked on, finished once, and looked at.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::outcome::{self, Kept};
use super::verdict::Terms;
use crate::clock::new_id;
use crate::entity::import_job::{self, Model};
use crate::entity::import_row;
use crate::import::Report;
use crate::page;
use crate::problem::{Problem, kinds};
use crate::store::{Db, Failure, Tx, corrupt};

/// How long a job is its process's without a sign of life.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// The same of one that writes to SQLite, which takes no sign of life meanwhile.
const LONG_LEASE: TimeDelta = TimeDelta::hours(1);
/// How long what came of the rows of a preview is kept.
const PREVIEWS_LAST: TimeDelta = TimeDelta::days(7);

/// Where a job stands (状态).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is being read, judged or taken in; of one that ended without a word nothing was changed.
    Running,
    /// It is done: a preview was made, or the file was taken in.
    Done,
    /// Nothing was changed, for the file or, of all or nothing, a row of it was refused.
    Refused,
    /// The service ended meanwhile: nothing was changed.
    Interrupted,
    /// It was taken in and taken back.
    Undone,
}

impl State {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Interrupted => "interrupted",
            Self::Undone => "undone",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        [
            Self::Running,
            Self::Done,
            Self::Refused,
            Self::Interrupted,
            Self::Undone,
        ]
        .into_iter()
        .find(|state| state.code() == code)
    }
}

/// Whether a file is looked at or taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing is changed.
    #[default]
    Preview,
    /// It is taken in.
    Commit,
}

impl Mode {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Preview => "preview",
            Self::Commit => "commit",
        }
    }
}

/// A job that is put down.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The file's name.
    pub file_name: String,
    /// How large it is, in bytes.
    pub file_size: usize,
    /// Its SHA-256, in hexadecimal digits.
    pub file_hash: String,
    /// Looked at or taken in.
    pub mode: Mode,
    /// All or nothing.
    pub is_atomic: bool,
    /// Who sent the file, by whose earlier files its columns are understood.
    pub sender: String,
    /// What is known of it.
    pub terms: Terms,
}

/// A job as it stands.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its id.
    pub id: Uuid,
    /// Who brought the file in.
    pub by: String,
    /// What it was put down with.
    pub begun: Begun,
    /// Where it stands.
    pub state: State,
    /// How many rows are done, of how many.
    pub progress: (i64, i64),
    /// What came of it; none while it runs.
    pub report: Option<Report>,
    /// When it was put down.
    pub created_at: DateTime<Utc>,
    /// When it was finished.
    pub finished_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub undone_at: Option<DateTime<Utc>>,
}

fn record(row: Model, now: DateTime<Utc>) -> Result<Record, Failure> {
    let terms: Terms =
        serde_json::from_value(row.terms).map_err(|error| corrupt(&error.to_string()))?;
    let state = State::from_code(&row.state).ok_or_else(|| corrupt(&row.state))?;
    let has_died = row.lease_until.is_none_or(|until| until < now);
    let report = row.report.map(serde_json::from_value).transpose();
    Ok(Record {
        id: row.id,
        by: row.account_name,
        begun: Begun {
            file_name: row.file_name,
            file_size: usize::try_from(row.file_size).unwrap_or_default(),
            file_hash: row.file_hash,
            mode: if row.mode == Mode::Commit.code() {
                Mode::Commit
            } else {
                Mode::Preview
            },
            is_atomic: row.is_atomic,
            sender: row.sender,
            terms,
        },
        // Whose process is gone has changed nothing: what changes something ends the job in the same transaction.
        state: if state == State::Running && has_died {
            State::Interrupted
        } else {
            state
        },
        progress: (row.rows_done, row.rows_total),
        report: report.map_err(|error| corrupt(&error.to_string()))?,
        created_at: row.created_at,
        finished_at: row.finished_at,
        undone_at: row.undone_at,
    })
}

/// Puts a job down, and answers its id.
pub(crate) async fn begin(tx: &Tx, begun: &Begun) -> Result<Uuid, Failure> {
    let id = new_id();
    let terms = serde_json::to_value(&begun.terms).map_err(|e| corrupt(&e.to_string()))?;
    let row = import_job::ActiveModel {
        id: Set(id),
        account_id: Set(tx.by.account),
        account_name: Set(tx.by.name.clone()),
        kind: Set(begun.terms.kind.code().to_owned()),
        mode: Set(begun.mode.code().to_owned()),
        is_atomic: Set(begun.is_atomic),
        sender: Set(begun.sender.clone()),
        terms: Set(terms),
        file_name: Set(begun.file_name.clone()),
        file_size: Set(i64::try_from(begun.file_size).unwrap_or(i64::MAX)),
        file_hash: Set(begun.file_hash.clone()),
        state: Set(State::Running.code().to_owned()),
        lease_until: Set(Some(tx.now() + LEASE)),
        rows_done: Set(0),
        rows_total: Set(0),
        report: Set(None),
        created_at: Set(tx.now()),
        finished_at: Set(None),
        undone_at: Set(None),
    };
    import_job::Entity::insert(row)
        .exec_without_returning(&tx.db)
        .await?;
    Ok(id)
}

/// Says that a job is alive, and how far it is.
///
/// # Errors
/// [`Failure`] of the database.
pub(crate) async fn progress(db: &Db, id: Uuid, done: i64, total: i64) -> Result<(), Failure> {
    let is_sqlite = db.reader().get_database_backend() == DbBackend::Sqlite;
    let lease = if is_sqlite { LONG_LEASE } else { LEASE };
    let until = db.clock().now() + lease;
    db.maintain(async |tx| {
        import_job::Entity::update_many()
            .col_expr(import_job::Column::LeaseUntil, Expr::value(until))
            .col_expr(import_job::Column::RowsDone, Expr::value(done))
            .col_expr(import_job::Column::RowsTotal, Expr::value(total))
            .filter(import_job::Column::Id.eq(id))
            .filter(import_job::Column::State.eq(State::Running.code()))
            .exec(tx)
            .await?;
        Ok(())
    })
    .await
}

/// The end of a job.
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) state: State,
    /// What came of it.
    pub(crate) report: Report,
    /// What came of its rows.
    pub(crate) rows: Vec<import_row::Model>,
}

/// Ends a job, in the transaction of what it did. One that was given up is not ended: what it did is taken back.
pub(crate) async fn finish(tx: &Tx, id: Uuid, finished: Finished) -> Result<(), Failure> {
    let Finished {
        state,
        report,
        rows,
    } = finished;
    outcome::insert(tx, rows).await?;
    let total = i64::try_from(report.rows).unwrap_or(i64::MAX);
    let report = serde_json::to_value(report).map_err(|e| corrupt(&e.to_string()))?;
    let ended = import_job::Entity::update_many()
        .col_expr(import_job::Column::State, Expr::value(state.code()))
        .col_expr(import_job::Column::Report, Expr::value(report))
        .col_expr(import_job::Column::RowsDone, Expr::value(total))
        .col_expr(import_job::Column::RowsTotal, Expr::value(total))
        .col_expr(import_job::Column::FinishedAt, Expr::value(tx.now()))
        .filter(import_job::Column::Id.eq(id))
        .filter(import_job::Column::State.eq(State::Running.code()))
        .exec(&tx.db)
        .await?;
    if ended.rows_affected == 1 {
        return Ok(());
    }
    Err(Problem::new(kinds::CONCURRENT_CHANGE)
        .say("这次导入已被中止", "The import was given up meanwhile")
        .into())
}

/// Gives up what a service left behind that ended without a word, when the next one starts. On SQLite there is one
/// service; on PostgreSQL others may be at work, and what none is at work on is found by its lease.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn give_up_left(db: &Db) -> Result<(), Failure> {
    if db.reader().get_database_backend() != DbBackend::Sqlite {
        return Ok(());
    }
    let now = db.clock().now();
    db.maintain(async |tx| give_up(tx, import_job::Column::AccountId.is_not_null(), now).await)
        .await
}

async fn give_up(
    db: &impl ConnectionTrait,
    which: SimpleExpr,
    now: DateTime<Utc>,
) -> Result<(), Failure> {
    let state = Expr::value(State::Interrupted.code());
    import_job::Entity::update_many()
        .col_expr(import_job::Column::State, state)
        .col_expr(import_job::Column::FinishedAt, Expr::value(now))
        .filter(import_job::Column::State.eq(State::Running.code()))
        .filter(which)
        .exec(db)
        .await?;
    Ok(())
}

/// Gives up the jobs whose processes are gone, and forgets what came of the rows of old previews.
pub(crate) async fn tidy(tx: &Tx) -> Result<(), Failure> {
    let is_over = import_job::Column::LeaseUntil.lt(tx.now());
    give_up(&tx.db, is_over, tx.now()).await?;
    let old: Vec<Uuid> = import_job::Entity::find()
        .select_only()
        .column(import_job::Column::Id)
        .filter(import_job::Column::Mode.eq(Mode::Preview.code()))
        .filter(import_job::Column::FinishedAt.lt(tx.now() - PREVIEWS_LAST))
        .limit(100)
        .into_tuple()
        .all(&tx.db)
        .await?;
    if old.is_empty() {
        return Ok(());
    }
    outcome::forget(tx, &old).await?;
    import_job::Entity::delete_many()
        .filter(import_job::Column::Id.is_in(old))
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// A job of somebody.
///
/// # Errors
/// `not_found` if it is absent or another one's.
pub async fn read(
    db: &impl ConnectionTrait,
    account: Option<Uuid>,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Record, Failure> {
    let found = import_job::Entity::find_by_id(id)
        .filter(of_account(account))
        .one(db)
        .await?;
    record(found.ok_or_else(Problem::not_found)?, now)
}

fn of_account(account: Option<Uuid>) -> Condition {
    match account {
        Some(account) => Condition::all().add(import_job::Column::AccountId.eq(account)),
        None => Condition::all().add(import_job::Column::AccountId.is_null()),
    }
}

/// One page of the jobs of somebody, the latest first.
///
/// # Errors
/// `invalid_cursor`, or [`Failure`] of the database.
pub async fn list_page(
    db: &impl ConnectionTrait,
    account: Uuid,
    (limit, cursor): (u64, Option<&str>),
    now: DateTime<Utc>,
) -> Result<(Vec<Record>, Option<String>), Failure> {
    const QUESTION: &str = "imports";
    let mut query = import_job::Entity::find()
        .filter(of_account(Some(account)))
        .order_by_desc(import_job::Column::Id)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(import_job::Column::Id.lt(page::open::<Uuid>(QUESTION, cursor)?));
    }
    let (rows, next) = page::page_of(query.all(db).await?, limit, QUESTION, |row| row.id);
    let records: Result<_, Failure> = rows.into_iter().map(|row| record(row, now)).collect();
    Ok((records?, next))
}

/// The job that took the same file in before this one, and was not taken back.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn same_file(
    db: &impl ConnectionTrait,
    account: Option<Uuid>,
    job: &Record,
) -> Result<Option<Uuid>, Failure> {
    let Begun {
        file_hash, terms, ..
    } = &job.begun;
    let found = import_job::Entity::find()
        .filter(of_account(account))
        .filter(import_job::Column::Id.lt(job.id))
        .filter(import_job::Column::FileHash.eq(file_hash))
        .filter(import_job::Column::Kind.eq(terms.kind.code()))
        .filter(import_job::Column::Mode.eq(Mode::Commit.code()))
        .filter(import_job::Column::State.eq(State::Done.code()))
        .order_by_desc(import_job::Column::Id)
        .one(db)
        .await?;
    Ok(found.map(|row| row.id))
}

/// All that a job made and changed, in its order, if it can be taken back.
///
/// # Errors
/// `not_found`, `import_running`, `import_not_committed`.
pub(super) async fn undoable(tx: &Tx, account: Uuid, id: Uuid) -> Result<Vec<Kept>, Failure> {
    let job = read(&tx.db, Some(account), id, tx.now()).await?;
    if job.state == State::Running {
        return Err(Problem::new(kinds::IMPORT_RUNNING).into());
    }
    if job.state != State::Done || job.begun.mode != Mode::Commit {
        return Err(Problem::new(kinds::IMPORT_NOT_COMMITTED).into());
    }
    outcome::kept(tx, id).await
}

/// Says that a job was taken back.
pub(super) async fn undone(tx: &Tx, id: Uuid) -> Result<(), Failure> {
    let changed = import_job::Entity::update_many()
        .col_expr(import_job::Column::State, Expr::value(State::Undone.code()))
        .col_expr(import_job::Column::UndoneAt, Expr::value(tx.now()))
        .filter(import_job::Column::Id.eq(id))
        .filter(import_job::Column::State.eq(State::Done.code()))
        .exec(&tx.db)
        .await?;
    if changed.rows_affected == 1 {
        Ok(())
    } else {
        Err(Failure::Moved)
    }
}
