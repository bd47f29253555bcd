//! The rates of investment in the accounts of a year, over the projects of which both sides are told.

use std::collections::BTreeMap;

use domain::money::Total;
use domain::monthly::{CoveredRates, Month};
use domain::rate::Covered;
use domain::rollup::Known;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{ConnectionTrait, QueryResult};

use super::year::Question;
use crate::entity::project::{self, Column};
use crate::store::counting::{Frame, INVESTED as MONTHS, PLAN, Rows};
use crate::store::filter::Scoped;
use crate::store::listing::counted_only;
use crate::store::rollup::{
    self, ALLOCATED, Asked, FUNDED, INVESTED, PLAN_MET, PLAN_TOLD, RECEIVED, Source, TOLD,
};
use crate::store::summary::{Dimension, PART, keys};
use crate::store::{Failure, corrupt};

/// The rates by cell.
pub(super) type Rates = BTreeMap<Vec<Option<String>>, CoveredRates>;

/// What is summed up of each project.
enum Side {
    /// A figure of its months, as [`sums_of_months`] tells it.
    Months(&'static str),
    /// An amount of its own, in 分.
    Amount(&'static str),
}

impl Side {
    /// As SQL, in two parts.
    fn parts(&self) -> [String; 2] {
        match self {
            Self::Months(name) => [format!("{name}_high"), format!("{name}_low")],
            Self::Amount(fen) => [format!("{fen} / {PART}"), format!("{fen} % {PART}")],
        }
    }
}

const COMPLETION: &str = "completion";
const ANNUAL: &str = "annual";
const FUNDS: &str = "funds";

/// Each rate: its name, which projects it covers, what they reached, and what they were to reach.
const RATES: [(&str, &str, Side, Side); 3] = [
    (
        COMPLETION,
        "amount_kind = 'exact' AND completed_count > 0",
        Side::Months("completed"),
        Side::Amount("amount_fen"),
    ),
    (
        ANNUAL,
        "planned_fen IS NOT NULL AND in_year_count > 0",
        Side::Months("in_year"),
        Side::Amount("planned_fen"),
    ),
    (
        FUNDS,
        "allocated_count > 0 AND received_count > 0",
        Side::Months("received"),
        Side::Months("allocated"),
    ),
];

/// The same from the sums that are kept, which tell them at the end of a year.
pub(super) async fn from_sums(
    db: &impl ConnectionTrait,
    source: Source,
    asked: Asked<'_>,
    year: i32,
) -> Result<Rates, Failure> {
    let exact = Known::Exact.code();
    let asked = Asked {
        which: format!(
            "(line IN ('{TOLD}', '{INVESTED}') AND year <= {year} AND kind = '{exact}') \
             OR (line IN ('{FUNDED}', '{ALLOCATED}', '{RECEIVED}') AND year <= {year}) \
             OR (line IN ('{PLAN_TOLD}', '{PLAN_MET}') AND year = {year})"
        ),
        ..asked
    };
    let mut rates = Rates::new();
    for sum in rollup::sums(db, source, &asked).await? {
        if !sum.is_counted {
            continue;
        }
        let projects = u64::try_from(sum.count).map_err(|_| corrupt("a sum of projects"))?;
        let none = Covered::default();
        let line = sum.line.as_str();
        let part = match line {
            TOLD | PLAN_TOLD => Covered {
                projects,
                denominator: sum.amount,
                ..none
            },
            FUNDED => Covered { projects, ..none },
            ALLOCATED => Covered {
                denominator: sum.amount,
                ..none
            },
            _ => Covered {
                numerator: sum.amount,
                ..none
            },
        };
        let of_cell = rates.entry(sum.keys).or_default();
        let rate = match line {
            TOLD | INVESTED => &mut of_cell.completion,
            PLAN_TOLD | PLAN_MET => &mut of_cell.annual_completion,
            _ => &mut of_cell.funds_received,
        };
        *rate = rate.join(part);
    }
    Ok(rates)
}

/// The rates of each cell that has any, at the end of the year or of the last month that is over by the last day. As in a
/// summary, the withdrawn are out unless they are asked for.
pub(super) async fn from_months(
    db: &impl ConnectionTrait,
    frame: &Frame,
    scoped: &Scoped,
    question: &Question,
    group_by: &[Dimension],
) -> Result<Rates, Failure> {
    let last = match question.until {
        None => Month::new(question.year, 12),
        Some(day) => Month::last_over(day),
    };
    let Some(last) = last else {
        return Ok(Rates::new());
    };
    let mut select = Query::select();
    for dimension in group_by {
        select
            .expr_as(dimension.expr(), dimension.code())
            .add_group_by([dimension.expr()]);
    }
    sum_up(&mut select);
    let in_year = format!("CASE WHEN year = {} THEN completed_fen END", question.year);
    let mut months = sums_of_months(&[
        ("completed", "completed_fen".to_owned()),
        ("in_year", in_year),
        ("allocated", "allocated_fen".to_owned()),
        ("received", "received_fen".to_owned()),
    ]);
    months.cond_where(is_by(last));
    select
        .from(project::Entity)
        .join_subquery(
            JoinType::InnerJoin,
            months,
            MONEY,
            Expr::col((MONEY, "project_id")).equals((project::Entity, Column::Id)),
        )
        .join(
            JoinType::LeftJoin,
            PLAN,
            Expr::col((PLAN, "project_id"))
                .equals((project::Entity, Column::Id))
                .and(Expr::col((PLAN, "year")).eq(question.year)),
        )
        .cond_where(counted_only(
            scoped,
            frame,
            scoped.condition(db.get_database_backend()),
        ));
    frame.limit(&mut select, Rows::Counted);
    let mut rates = Rates::new();
    for row in frame.run(db, select).await? {
        rates.insert(keys(&row, group_by)?, read(&row)?);
    }
    Ok(rates)
}

fn sum_up(select: &mut SelectStatement) {
    for (name, covers, reached, wanted) in RATES {
        let sum = |value: &str| {
            let sum = format!("SUM(CASE WHEN {covers} THEN {value} END)");
            Expr::cust(format!("CAST(COALESCE({sum}, 0) AS BIGINT)"))
        };
        select.expr_as(sum("1"), format!("{name}_projects"));
        for (side, of) in [("reached", reached), ("wanted", wanted)] {
            for (part, value) in ["high", "low"].into_iter().zip(of.parts()) {
                select.expr_as(sum(&value), format!("{name}_{side}_{part}"));
            }
        }
    }
}

/// What was told of each project's months: how many, and how much in two parts.
const MONEY: &str = "money";

/// The sums of some figures of each project's months: how many of them were told as `…_count`, and how much they come to
/// in two parts, as `…_high` and `…_low`.
fn sums_of_months(figures: &[(&str, String)]) -> SelectStatement {
    let mut select = Query::select();
    select
        .column((MONTHS, "project_id"))
        .from(MONTHS)
        .group_by_col((MONTHS, "project_id"));
    for (name, fen) in figures {
        for (part, sql) in [
            ("count", format!("COUNT({fen})")),
            ("high", format!("CAST(SUM(({fen}) / {PART}) AS BIGINT)")),
            ("low", format!("CAST(SUM(({fen}) % {PART}) AS BIGINT)")),
        ] {
            select.expr_as(Expr::cust(sql), format!("{name}_{part}"));
        }
    }
    select
}

/// The months up to one of them.
fn is_by(last: Month) -> Condition {
    let year = || Expr::col((MONTHS, "year"));
    let month = Expr::col((MONTHS, "month"));
    Condition::any().add(year().lt(last.year())).add(
        year()
            .eq(last.year())
            .and(month.lte(i32::from(last.number()))),
    )
}

fn read(row: &QueryResult) -> Result<CoveredRates, Failure> {
    let covered = |name: &str| {
        let number = |what: &str| {
            let column = format!("{name}_{what}");
            row.try_get::<i64>("", &column)
                .map_err(|_| corrupt(&column))
        };
        let projects = number("projects")?;
        Ok::<_, Failure>(Covered {
            projects: u64::try_from(projects).map_err(|_| corrupt("a sum of projects"))?,
            numerator: Total::from_parts(number("reached_high")?, number("reached_low")?),
            denominator: Total::from_parts(number("wanted_high")?, number("wanted_low")?),
        })
    };
    Ok(CoveredRates {
        completion: covered(COMPLETION)?,
        annual_completion: covered(ANNUAL)?,
        funds_received: covered(FUNDS)?,
    })
}
