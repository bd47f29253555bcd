//! Sums that are kept, so that a summary costs the same in a library of any size.
//!
//! A transaction adds what it changed to `rollup_pending`, where no two writers meet; every second that is folded into
//! `rollup_cell`. Who reads adds both, and so sees exactly what is committed. How many changes there have been is the
//! version of the data.

mod check;
mod entries;
mod past;
mod read;

use sea_orm::DbErr;
use sea_orm::sea_query::{Expr, Query, SelectStatement};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, QueryResult, RuntimeErr, Statement, Value,
    sqlx,
};
use uuid::Uuid;

use super::{Db, Failure, Tx, accounting, corrupt};
pub use check::{Difference, Health, Proof, health, verify};
pub(crate) use entries::{
    ALLOCATED, ENDED, FUNDED, INVESTED, INVESTED_TOTAL, PLAN, PLAN_MET, PLAN_TOLD, RECEIVED,
    RECEIVED_TOTAL, REST, STOCK, TOLD,
};
use entries::{KEYS, MEASURES, Of, entries};
pub use past::{keep, keep_next_day};
pub(crate) use read::{Asked, Kept, Source, source, sums};

/// Of how many projects the changes are posted by one statement.
const POSTED: usize = 200;
/// The line of a change that no sum shows: it makes a new version of the data all the same.
const TOUCHED: &str = "touched";

/// Where the data stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// How many changes there have been: whoever finds it as it was finds everything as it was.
    pub version: i64,
    /// Whether the sums hold the whole library; a library from before they were kept has to be counted first.
    pub is_complete: bool,
}

impl State {
    /// Has a query tell it too.
    pub(crate) fn beside(select: &mut SelectStatement) {
        let version = "(SELECT folded + (SELECT COUNT(*) FROM rollup_pending) FROM rollup_state)";
        let is_complete = "(SELECT is_complete FROM rollup_state)";
        select
            .expr_as(Expr::cust(version), "data_version")
            .expr_as(Expr::cust(is_complete), "sums_are_complete");
    }

    /// Out of a row of such a query.
    pub(crate) fn of(row: &QueryResult) -> Result<Self, Failure> {
        Ok(Self {
            version: row.try_get("", "data_version")?,
            is_complete: row.try_get("", "sums_are_complete")?,
        })
    }
}

/// Where the data stands, of what is committed.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn state(db: &impl ConnectionTrait) -> Result<State, Failure> {
    let mut select = Query::select();
    State::beside(&mut select);
    let row = db.query_one(&select).await?;
    State::of(&row.ok_or_else(|| corrupt("rollup_state"))?)
}

/// Adds to the sums what a transaction has changed, at its present time, of the projects that it saved. Before its time
/// goes on, and at its end.
pub(super) async fn post(tx: &Tx) -> Result<(), Failure> {
    let saved = tx.take_saved();
    if tx.db.get_database_backend() == DbBackend::Postgres && !saved.is_empty() {
        // To plan this statement takes longer than to run it, and the ids make no difference to its plan. Of many it is
        // planned anew: they make the library so much larger that the plan of before may not do any more.
        let how = if saved.len() < POSTED {
            "force_generic_plan"
        } else {
            "force_custom_plan"
        };
        tx.db
            .execute_unprepared(&format!("SET LOCAL plan_cache_mode = {how}"))
            .await?;
    }
    for some in saved.chunks(POSTED) {
        let ids: Vec<String> = (2..some.len() + 2)
            .map(|place| format!("${place}"))
            .collect();
        let sql = format!(
            "INSERT INTO rollup_pending ({KEYS}, {MEASURES}) {}",
            entries(Of::Changed(&ids.join(", ")))
        );
        let mut values: Vec<Value> = vec![tx.now().into()];
        values.extend(some.iter().map(|&id: &Uuid| Value::from(id)));
        let backend = tx.db.get_database_backend();
        let posted = Statement::from_sql_and_values(backend, sql, values);
        if tx.db.execute_raw(posted).await?.rows_affected() == 0 {
            touch(tx).await?;
        }
    }
    Ok(())
}

/// Makes a new version of the data for a change that no sum shows.
pub(crate) async fn touch(tx: &Tx) -> Result<(), Failure> {
    tx.db
        .execute_unprepared(&format!(
            "INSERT INTO rollup_pending ({KEYS}, {MEASURES}) \
             VALUES ('', '{TOUCHED}', 0, '', '', '', '', FALSE, FALSE, 0, 0, 0, 0)"
        ))
        .await?;
    Ok(())
}

/// Folds what waits into the cells; answers how many changes that were. None if another service is at it.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn fold(db: &Db) -> Result<Option<u64>, Failure> {
    let waiting = count(db.reader()).await?;
    if waiting == 0 {
        return Ok(Some(0));
    }
    let done = db
        .maintain(async |tx| {
            alone(tx, "NOWAIT").await?;
            let pending =
                format!("SELECT {KEYS}, {MEASURES} FROM rollup_pending WHERE line <> '{TOUCHED}'");
            add(tx, &pending).await?;
            empty(tx).await
        })
        .await;
    match done {
        Err(failure) if is_locked(&failure) => Ok(None),
        done => done.map(Some),
    }
}

/// Makes all sums anew from the library, while it is written to; what is committed meanwhile is added as ever. Those of
/// the days before are kept anew by and by ([`keep_next_day`]).
///
/// # Errors
/// [`Failure`] of the database.
pub async fn rebuild(db: &Db) -> Result<(), Failure> {
    db.maintain(async |tx| rebuild_within(tx).await).await
}

async fn rebuild_within(tx: &DatabaseTransaction) -> Result<(), Failure> {
    alone(tx, "").await?;
    past::forget(tx).await?;
    let of_all = of_all_regions();
    // What the cells lack of what is counted: most are right, and are left alone.
    let lacking = format!(
        "WITH present AS ({}) SELECT {KEYS}, {} FROM (SELECT {KEYS}, {MEASURES} FROM present \
         UNION ALL SELECT {of_all}, {MEASURES} FROM present \
         UNION ALL SELECT {KEYS}, -n, -high, -low FROM rollup_cell) AS sides GROUP BY {KEYS} \
         HAVING SUM(n) <> 0 OR SUM(high) <> 0 OR SUM(low) <> 0",
        entries(Of::All),
        summed()
    );
    grow(tx, &lacking).await?;
    tx.execute_unprepared("DELETE FROM rollup_cell WHERE n = 0 AND high = 0 AND low = 0")
        .await?;
    empty(tx).await?;
    // What was answered by the sums before may have been wrong: a new version, so that it is not given again.
    tx.execute_unprepared("UPDATE rollup_state SET is_complete = TRUE, folded = folded + 1")
        .await?;
    Ok(())
}

/// Counts a library from before the sums were kept, with the accounts of every time; nothing if that was done.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn complete(db: &Db) -> Result<bool, Failure> {
    if state(db.reader()).await?.is_complete {
        return Ok(false);
    }
    let clock = db.clock();
    db.maintain(async |tx| {
        alone(tx, "").await?;
        // Another service that started with this one may have done it meanwhile.
        if state(tx).await?.is_complete {
            return Ok(false);
        }
        accounting::replay(tx, clock).await?;
        rebuild_within(tx).await?;
        Ok(true)
    })
    .await
}

/// Adds rows of keys and measures to the cells, each region's and all together.
async fn add(tx: &DatabaseTransaction, rows: &str) -> Result<(), Failure> {
    let of_all = of_all_regions();
    let twice = format!(
        "WITH added AS ({rows}) SELECT {KEYS}, {} FROM (SELECT {KEYS}, {MEASURES} FROM added \
         UNION ALL SELECT {of_all}, {MEASURES} FROM added) AS twice GROUP BY {KEYS}",
        summed()
    );
    grow(tx, &twice).await
}

/// Adds to the cells, by rows each of which has a cell of its own; in their order, so that those which are read together
/// lie together.
async fn grow(tx: &DatabaseTransaction, rows: &str) -> Result<(), Failure> {
    let grow = MEASURES
        .split(", ")
        .map(|measure| format!("{measure} = rollup_cell.{measure} + excluded.{measure}"))
        .collect::<Vec<_>>()
        .join(", ");
    tx.execute_unprepared(&format!(
        "INSERT INTO rollup_cell ({KEYS}, {MEASURES}) SELECT {KEYS}, {MEASURES} FROM ({rows}) AS grown WHERE TRUE \
         ORDER BY {KEYS} ON CONFLICT ({KEYS}) DO UPDATE SET {grow}"
    ))
    .await?;
    Ok(())
}

/// The keys of the cells of all regions together.
fn of_all_regions() -> String {
    KEYS.replacen("region", "'' AS region", 1)
}

/// The sums of the measures, under their names.
fn summed() -> String {
    MEASURES
        .split(", ")
        .map(|measure| format!("CAST(SUM({measure}) AS BIGINT) AS {measure}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Empties what waits, of what this transaction sees, and counts it as folded.
async fn empty(tx: &DatabaseTransaction) -> Result<u64, Failure> {
    let folded = tx
        .execute_unprepared("DELETE FROM rollup_pending")
        .await?
        .rows_affected();
    let sql = format!("UPDATE rollup_state SET folded = folded + {folded}");
    tx.execute_unprepared(&sql).await?;
    Ok(folded)
}

async fn count(db: &impl ConnectionTrait) -> Result<i64, Failure> {
    let asked = Statement::from_string(
        db.get_database_backend(),
        "SELECT COUNT(*) AS n FROM rollup_pending",
    );
    let row = db.query_one_raw(asked).await?;
    let row = row.ok_or_else(|| corrupt("rollup_pending"))?;
    Ok(row.try_get("", "n")?)
}

/// Keeps other folding out until the transaction ends. Taking a lock is not yet looking, so what was committed while
/// it was waited for is seen.
async fn alone(tx: &DatabaseTransaction, how: &str) -> Result<(), Failure> {
    unhurried(tx).await?;
    if tx.get_database_backend() == DbBackend::Postgres {
        let lock = format!("LOCK TABLE rollup_state IN EXCLUSIVE MODE {how}");
        tx.execute_unprepared(&lock).await?;
    }
    Ok(())
}

/// Takes as long as it takes, waits as long, and sorts and joins the whole library in memory.
async fn unhurried(tx: &DatabaseTransaction) -> Result<(), Failure> {
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; \
             SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL work_mem = '512MB'",
        )
        .await?;
    }
    Ok(())
}

/// Whether somebody else is at it.
fn is_locked(failure: &Failure) -> bool {
    let Failure::Database(DbErr::Exec(RuntimeErr::SqlxError(error))) = failure else {
        return false;
    };
    matches!(&**error, sqlx::Error::Database(told) if told.code().as_deref() == Some("55P03"))
}
