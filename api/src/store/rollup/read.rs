//! Reading the sums that are kept.

use std::collections::BTreeSet;
use std::fmt::Write;

use chrono::{DateTime, Utc};
use domain::family::Level;
use domain::money::Total;
use domain::rollup::Known;
use domain::stage::{Condition, Stage};
use domain::tier::InvestmentTier;
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};

use super::entries::{Of, entries};
use super::past::{Past, past};
use crate::store::Failure;
use crate::store::reference::region;
use crate::store::row::coded;

/// A dimension by which sums are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Tier,
    Stage,
    Condition,
    Region,
}

impl Kept {
    const fn column(self) -> &'static str {
        match self {
            Self::Tier => "tier",
            Self::Stage => "stage",
            Self::Condition => "condition",
            Self::Region => "region",
        }
    }
}

/// What is asked of the sums.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// In these regions themselves; everywhere if none.
    pub regions: Option<BTreeSet<&'a str>>,
    /// Which lines of which years, as SQL.
    pub which: String,
    /// Of which level.
    pub level: Level,
    /// By what.
    pub by: &'a [Kept],
    /// Whether the year and the detail of the entries are told.
    pub with_detail: bool,
    /// In any of these tiers.
    pub tiers: &'a [InvestmentTier],
    /// In any of these stages.
    pub stages: &'a [Stage],
    /// In any of these conditions.
    pub conditions: &'a [Condition],
    /// Whether those that have left the library are left out.
    pub leaves_withdrawn_out: bool,
}

/// A sum.
#[derive(Clone, Debug)]
pub(crate) struct Sum {
    /// Its value of each dimension.
    pub keys: Vec<Option<String>>,
    /// The line.
    pub line: String,
    /// How the amounts are known.
    pub kind: Known,
    /// The year, if it is told.
    pub year: i32,
    /// What else the line tells, if that is.
    pub detail: i32,
    /// Whether the projects are of the counted set.
    pub is_counted: bool,
    /// How many.
    pub count: i64,
    /// How much.
    pub amount: Total,
}

/// Of when the sums are told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// What is committed.
    Present,
    /// What was known at an instant, of all regions together.
    Past(Past),
}

/// Where the sums of a time are told, if they are kept: of the past only those of all regions together, which are no
/// longer told one by one then.
pub(crate) async fn source(
    db: &impl ConnectionTrait,
    as_of: Option<DateTime<Utc>>,
    asked: &mut Asked<'_>,
    sums_are_complete: bool,
) -> Result<Option<Source>, Failure> {
    let instant = match as_of {
        _ if !sums_are_complete => return Ok(None),
        None => return Ok(Some(Source::Present)),
        Some(instant) => instant,
    };
    if let Some(regions) = &asked.regions
        && region::are_all(db, regions).await?
    {
        asked.regions = None;
    }
    if asked.is_everywhere() {
        Ok(past(db, instant).await?.map(Source::Past))
    } else {
        Ok(None)
    }
}

impl Asked<'_> {
    /// Whether regions are neither chosen nor told apart.
    fn is_everywhere(&self) -> bool {
        self.regions.is_none() && !self.by.contains(&Kept::Region)
    }
}

/// The sums that are asked for.
pub(crate) async fn sums(
    db: &impl ConnectionTrait,
    source: Source,
    asked: &Asked<'_>,
) -> Result<Vec<Sum>, Failure> {
    let (mut keys, mut groups) = (String::new(), String::new());
    for (place, kept) in asked.by.iter().enumerate() {
        let _ = write!(keys, "{} AS key_{place}, ", kept.column());
        let _ = write!(groups, "key_{place}, ");
    }
    let detail = if asked.with_detail {
        "year, detail"
    } else {
        "0 AS year, 0 AS detail"
    };
    let counted = match asked.level {
        Level::Project => "by_project",
        Level::Part => "by_part",
    };
    let condition = condition(asked);
    let (kept, waiting) = match &asked.regions {
        None if asked.is_everywhere() => ("region = ''".to_owned(), "line <> 'touched'".to_owned()),
        // With regions to be told apart, the row of all together is of no use.
        None => ("region <> ''".to_owned(), "line <> 'touched'".to_owned()),
        Some(regions) if regions.is_empty() => ("FALSE".to_owned(), "FALSE".to_owned()),
        Some(regions) => {
            let places: Vec<String> = (1..=regions.len())
                .map(|place| format!("${place}"))
                .collect();
            let within = format!("region IN ({})", places.join(", "));
            (within.clone(), within)
        }
    };
    let side = |table: &str, within: &str| {
        format!(
            "SELECT {keys}line, kind, {detail}, {counted} AS is_counted, n, high, low FROM {table} \
             WHERE {within} AND {condition}"
        )
    };
    let (first, second, values) = match source {
        Source::Present => {
            let regions = asked.regions.iter().flatten();
            (
                side("rollup_cell", &kept),
                side("rollup_pending", &waiting),
                regions.map(|&region| Value::from(region)).collect(),
            )
        }
        Source::Past(past) => (
            side("rollup_past", "until <= $1"),
            side(&format!("({}) AS since", entries(Of::Between)), "TRUE"),
            past.values(),
        ),
    };
    let sql = format!(
        "SELECT {groups}line, kind, year, detail, is_counted, CAST(SUM(n) AS BIGINT) AS n, \
         CAST(SUM(high) AS BIGINT) AS high, CAST(SUM(low) AS BIGINT) AS low FROM ({first} UNION ALL {second}) AS sides \
         GROUP BY {groups}line, kind, year, detail, is_counted"
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| sum(row, asked.by.len())).collect()
}

/// The codes are ours, and stand in the text.
fn condition(asked: &Asked<'_>) -> String {
    let mut all = format!("({})", asked.which);
    let mut any = |column: &str, codes: Vec<&'static str>| {
        if !codes.is_empty() {
            let _ = write!(all, " AND {column} IN ('{}')", codes.join("', '"));
        }
    };
    any("tier", asked.tiers.iter().map(|tier| tier.code()).collect());
    any(
        "stage",
        asked.stages.iter().map(|stage| stage.code()).collect(),
    );
    any(
        "condition",
        asked.conditions.iter().map(|c| c.code()).collect(),
    );
    if asked.leaves_withdrawn_out {
        let _ = write!(all, " AND condition <> '{}'", Condition::Withdrawn.code());
    }
    all
}

fn sum(row: &QueryResult, dimensions: usize) -> Result<Sum, Failure> {
    // By their places: there are many rows, and to look for a name in each takes longer than to read it.
    let text = |place: usize| row.try_get_by_index::<String>(dimensions + place);
    let number = |place: usize| row.try_get_by_index::<i64>(dimensions + place);
    let keys = (0..dimensions).map(|place| row.try_get_by_index::<Option<String>>(place));
    Ok(Sum {
        keys: keys.collect::<Result<_, _>>()?,
        line: text(0)?,
        kind: coded(Known::from_code, &text(1)?)?,
        year: row.try_get_by_index(dimensions + 2)?,
        detail: row.try_get_by_index(dimensions + 3)?,
        is_counted: row.try_get_by_index(dimensions + 4)?,
        count: number(5)?,
        amount: Total::from_parts(number(6)?, number(7)?),
    })
}
