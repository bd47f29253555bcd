//! Proving the sums that are kept: against the library, counted from the ground.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Statement, Value};

use super::entries::{KEYS, MEASURES, Of, entries};
use super::past::{last_kept, of_everything};
use super::{TOUCHED, alone, of_all_regions, unhurried};
use crate::store::{Db, Failure, corrupt};

/// How many differences are told.
const TOLD: usize = 100;
/// What is compared: the measures as kept and as counted.
const SIDES: &str = "kept_n, kept_high, kept_low, counted_n, counted_high, counted_low";

/// A cell that is not what the library adds up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which cell, by its keys.
    pub cell: String,
    /// How many projects, and 分 in two parts, as kept.
    pub kept: [i64; 3],
    /// The same, as counted.
    pub counted: [i64; 3],
}

/// What a proof found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// When.
    pub at: DateTime<Utc>,
    /// How many cells differ.
    pub count: u64,
    /// The first of them.
    pub differences: Vec<Difference>,
}

/// Counts the whole library, as it is and as it was at the end of the last day that is kept, and compares it with what is
/// kept; the result is kept too.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn verify(db: &Db) -> Result<Proof, Failure> {
    let at = db.clock().now();
    // One state is looked at, and nobody is kept waiting meanwhile.
    let (count, differences) = db
        .snapshot(async |tx| {
            unhurried(tx).await?;
            let (present, mut told) = differences(tx).await?;
            let (past, of_past) = differences_of_past(tx).await?;
            told.extend(of_past);
            told.truncate(TOLD);
            Ok((present + past, told))
        })
        .await?;
    db.maintain(async |tx| {
        alone(tx, "").await?;
        let sql = "UPDATE rollup_state SET verified_at = $1, differences = $2";
        let kept = Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            [Value::from(at), Value::from(count)],
        );
        tx.execute_raw(kept).await?;
        Ok(())
    })
    .await?;
    Ok(Proof {
        at,
        count: u64::try_from(count).unwrap_or_default(),
        differences,
    })
}

/// What the last proof found, and how much waits to be folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// When the sums were proved last, and how many differed; none if they never were.
    pub proved: Option<(DateTime<Utc>, i64)>,
    /// How many changes wait to be folded.
    pub waiting: i64,
}

/// How the sums are.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn health(db: &impl ConnectionTrait) -> Result<Health, Failure> {
    let asked = Statement::from_string(
        db.get_database_backend(),
        "SELECT verified_at, differences, (SELECT COUNT(*) FROM rollup_pending) AS waiting FROM rollup_state",
    );
    let row = db.query_one_raw(asked).await?;
    let row = row.ok_or_else(|| corrupt("rollup_state"))?;
    let at: Option<DateTime<Utc>> = row.try_get("", "verified_at")?;
    let count: Option<i64> = row.try_get("", "differences")?;
    Ok(Health {
        proved: at.zip(count),
        waiting: row.try_get("", "waiting")?,
    })
}

/// How many cells differ, and the first of them.
async fn differences(tx: &DatabaseTransaction) -> Result<(i64, Vec<Difference>), Failure> {
    let all_regions = of_all_regions();
    let waiting = format!("rollup_pending WHERE line <> '{TOUCHED}'");
    let waiting_of_all = format!("(SELECT {all_regions}, {MEASURES} FROM {waiting}) AS waiting");
    let counted_of_all = format!("(SELECT {all_regions}, {MEASURES} FROM present) AS everywhere");
    let present = format!(
        "present AS (SELECT * FROM ({}) AS entries), ",
        entries(Of::All)
    );
    let sides = [
        side(KEYS, true, "rollup_cell"),
        side(KEYS, true, &waiting),
        side(KEYS, true, &waiting_of_all),
        side(KEYS, false, "present"),
        side(KEYS, false, &counted_of_all),
    ];
    compare(tx, KEYS, &present, &sides, Vec::new()).await
}

/// The same of the whole library as it was at the end of the last day that is kept.
async fn differences_of_past(tx: &DatabaseTransaction) -> Result<(i64, Vec<Difference>), Failure> {
    let until = last_kept(tx, None).await?;
    let keys = of_everything();
    let counted = format!("({}) AS counted", entries(Of::Until));
    let sides = [
        side(&keys, true, "rollup_past"),
        side(&keys, false, &counted),
    ];
    let (count, mut told) = compare(tx, &keys, "", &sides, vec![until.into()]).await?;
    for difference in &mut told {
        difference.cell = format!("until={} {}", until.to_rfc3339(), difference.cell);
    }
    Ok((count, told))
}

/// Rows as they are kept, or as they are counted.
fn side(keys: &str, is_kept: bool, rows: &str) -> String {
    let zeros = "0, 0, 0";
    let (kept, counted) = if is_kept {
        (MEASURES, zeros)
    } else {
        (zeros, MEASURES)
    };
    format!("SELECT {keys}, {kept}, {counted} FROM {rows}")
}

async fn compare(
    tx: &DatabaseTransaction,
    keys: &str,
    with: &str,
    sides: &[String],
    values: Vec<Value>,
) -> Result<(i64, Vec<Difference>), Failure> {
    let sums: Vec<String> = SIDES
        .split(", ")
        .map(|name| format!("CAST(SUM({name}) AS BIGINT) AS {name}"))
        .collect();
    let sql = format!(
        "WITH {with}side ({keys}, {SIDES}) AS ({}) SELECT {keys}, {}, COUNT(*) OVER () AS total FROM side \
         GROUP BY {keys} HAVING SUM(kept_n) <> SUM(counted_n) OR SUM(kept_high) <> SUM(counted_high) \
         OR SUM(kept_low) <> SUM(counted_low) ORDER BY {keys} LIMIT {TOLD}",
        sides.join(" UNION ALL "),
        sums.join(", "),
    );
    let asked = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let rows = tx.query_all_raw(asked).await?;
    let count = rows
        .first()
        .map(|row| row.try_get("", "total"))
        .transpose()?;
    let told: Result<Vec<_>, _> = rows.iter().map(|row| difference(keys, row)).collect();
    Ok((count.unwrap_or_default(), told?))
}

fn difference(keys: &str, row: &QueryResult) -> Result<Difference, Failure> {
    let mut cell = Vec::new();
    for key in keys.split(", ") {
        let value = match key {
            "year" | "detail" => row.try_get::<i32>("", key)?.to_string(),
            "by_project" | "by_part" => row.try_get::<bool>("", key)?.to_string(),
            _ => row.try_get::<String>("", key)?,
        };
        if !value.is_empty() {
            cell.push(format!("{key}={value}"));
        }
    }
    let number = |name: &str| row.try_get::<i64>("", name);
    Ok(Difference {
        cell: cell.join(" "),
        kept: [number("kept_n")?, number("kept_high")?, number("kept_low")?],
        counted: [
            number("counted_n")?,
            number("counted_high")?,
            number("counted_low")?,
        ],
    })
}
