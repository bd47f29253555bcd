//! The sums of the whole library as they were. What each day changed is kept when the day is over, so that a sum of
//! the past is that of the days until then and of the little that changed after the last of them.
//!
//! It is made from the versions that are kept of everything, by the same definition: nothing is written by who changes a
//! project, and what has been recorded of a day that is over does not change any more.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Statement, Value};

use super::alone;
use super::entries::{KEYS, MEASURES, Of, entries};
use crate::store::{Db, Failure};

/// How long after a day a change of that day may still be on its way.
const SETTLED: TimeDelta = TimeDelta::hours(1);
/// How many changes are added up when they are asked for; beyond, the library itself is asked.
const FEW: i64 = 5_000;

/// An instant, and the end of the last day before it that is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Past {
    kept: DateTime<Utc>,
    instant: DateTime<Utc>,
}

impl Past {
    /// What stands for `$1` and `$2` in the parts of it.
    pub(super) fn values(self) -> Vec<Value> {
        vec![self.kept.into(), self.instant.into()]
    }
}

/// The sums of an instant, if they can be told without a look at the whole library.
pub(super) async fn past(
    db: &impl ConnectionTrait,
    instant: DateTime<Utc>,
) -> Result<Option<Past>, Failure> {
    let past = Past {
        kept: last_kept(db, Some(instant)).await?,
        instant,
    };
    let sql = format!(
        "SELECT COUNT(*) AS n FROM (SELECT id FROM project_version \
         WHERE updated_at > $1 AND updated_at <= $2 LIMIT {}) AS few",
        FEW + 1
    );
    let asked = Statement::from_sql_and_values(db.get_database_backend(), sql, past.values());
    let row = db.query_one_raw(asked).await?;
    let changed = number(row.as_ref())?;
    Ok((changed <= FEW).then_some(past))
}

/// Keeps what changed until an instant, after the last one that is kept; later than that nothing may be recorded of
/// the time before it.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn keep(db: &Db, until: DateTime<Utc>) -> Result<(), Failure> {
    db.maintain(async |tx| {
        alone(tx, "").await?;
        let last = last_kept(tx, None).await?;
        if last >= until {
            return Ok(());
        }
        let backend = tx.get_database_backend();
        let marked = "INSERT INTO rollup_past_day (until) VALUES ($1)";
        tx.execute_raw(Statement::from_sql_and_values(backend, marked, [until.into()]))
            .await?;
        let (keys, sums) = (of_everything(), sums());
        let kept = format!(
            "INSERT INTO rollup_past (until, {keys}, {MEASURES}) \
             SELECT (SELECT MAX(until) FROM rollup_past_day), {keys}, {sums} FROM ({}) AS changed GROUP BY {keys}",
            entries(Of::Between)
        );
        let values = [Value::from(last), Value::from(until)];
        tx.execute_raw(Statement::from_sql_and_values(backend, kept, values))
            .await?;
        Ok(())
    })
    .await
}

/// Keeps the next day that is over; answers whether there was one.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn keep_next_day(db: &Db) -> Result<bool, Failure> {
    let clock = db.clock();
    let last = last_kept(db.reader(), None).await?;
    let sql = "SELECT updated_at AS at FROM project_version WHERE updated_at > $1 ORDER BY updated_at LIMIT 1";
    let backend = db.reader().get_database_backend();
    let asked = Statement::from_sql_and_values(backend, sql, [last.into()]);
    let Some(row) = db.reader().query_one_raw(asked).await? else {
        return Ok(false);
    };
    let changed: DateTime<Utc> = row.try_get("", "at")?;
    let Some(end) = clock.end_of(clock.day_of(changed)) else {
        return Ok(false);
    };
    let is_over = end + SETTLED < clock.now();
    if is_over {
        keep(db, end).await?;
    }
    Ok(is_over)
}

/// Forgets every day, so that all are kept anew.
pub(super) async fn forget(tx: &DatabaseTransaction) -> Result<(), Failure> {
    tx.execute_unprepared("DELETE FROM rollup_past").await?;
    tx.execute_unprepared("DELETE FROM rollup_past_day").await?;
    Ok(())
}

/// The end of the last day that is kept, up to an instant if there is one; before the first of them, long ago.
pub(super) async fn last_kept(
    db: &impl ConnectionTrait,
    up_to: Option<DateTime<Utc>>,
) -> Result<DateTime<Utc>, Failure> {
    let (which, values) = match up_to {
        None => ("", Vec::new()),
        Some(instant) => (" WHERE until <= $1", vec![Value::from(instant)]),
    };
    let sql = format!("SELECT MAX(until) AS until FROM rollup_past_day{which}");
    let asked = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let row = db.query_one_raw(asked).await?;
    let last: Option<DateTime<Utc>> = row
        .map(|row| row.try_get("", "until"))
        .transpose()?
        .flatten();
    Ok(last.unwrap_or(DateTime::UNIX_EPOCH))
}

/// The keys of all regions together.
pub(super) fn of_everything() -> String {
    KEYS.replacen("region, ", "", 1)
}

fn sums() -> String {
    let sums = MEASURES.split(", ");
    let sums = sums.map(|measure| format!("CAST(SUM({measure}) AS BIGINT)"));
    sums.collect::<Vec<_>>().join(", ")
}

fn number(row: Option<&QueryResult>) -> Result<i64, Failure> {
    let number = row.map(|row| row.try_get("", "n")).transpose()?;
    Ok(number.unwrap_or_default())
}
