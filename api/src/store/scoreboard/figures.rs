//! What is counted of each region in a period.

use std::collections::{BTreeMap, BTreeSet};

use domain::accounting::Line;
use domain::money::Total;
use domain::rollup::{Known, Told};
use domain::scoreboard::{AnnualPlans, Completed, Figures, Indicator, Period, Scheme};
use domain::stage::Condition as ProjectCondition;
use domain::target::Period as Years;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryResult};

use crate::entity::project::{self, Column};
use crate::store::counting::{Frame, INVESTED, PLAN, Rows, SPAN};
use crate::store::filter::{Account, Months, Scoped, stands_in, told_of};
use crate::store::row::coded;
use crate::store::summary::PART;
use crate::store::{Failure, corrupt};

/// What a region's own projects add up to, by region.
type ByRegion = BTreeMap<String, Figures>;

/// Asks the library, in the frame's time.
struct Asker<'a, C> {
    db: &'a C,
    scoped: &'a Scoped,
    frame: &'a Frame,
}

/// What a scheme needs to know of a period, by region.
pub(super) async fn read(
    db: &impl ConnectionTrait,
    scoped: &Scoped,
    frame: &Frame,
    period: Period,
    scheme: &Scheme,
) -> Result<ByRegion, Failure> {
    let asker = Asker { db, scoped, frame };
    let mut all = ByRegion::new();
    asker.stock(&mut all).await?;
    asker.lines(&mut all, period, scheme).await?;
    let has = |indicator: Indicator| scheme.items().iter().any(|i| i.indicator == indicator);
    let (from, to) = period.months();
    let year = period.year();
    if has(Indicator::CompletedInvestment) {
        let months = Months { year, from, to };
        for (region, completed) in asker.completed(months).await? {
            all.entry(region).or_default().completed = completed;
        }
    }
    if has(Indicator::AnnualPlanRate) {
        let months = Months { year, from: 1, to };
        for (region, plans) in asker.plans(months).await? {
            all.entry(region).or_default().plans = plans;
        }
    }
    Ok(all)
}

impl<C: ConnectionTrait> Asker<'_, C> {
    /// The counted projects in scope, by region and, where it is asked for, by how their amount is known.
    fn by_region(&self, by_known: bool) -> SelectStatement {
        let mut select = Query::select();
        let columns = if by_known {
            &[Column::Region, Column::AmountKind][..]
        } else {
            &[Column::Region]
        };
        for column in columns {
            let column = Expr::col((project::Entity, *column));
            select.expr(column.clone()).add_group_by([column]);
        }
        select
            .from(project::Entity)
            .cond_where(self.scoped.condition(self.db.get_database_backend()));
        self.frame.limit(&mut select, Rows::Counted);
        select
    }

    async fn stock(&self, all: &mut ByRegion) -> Result<(), Failure> {
        let mut select = self.by_region(true);
        select
            .expr(Expr::cust("COUNT(*)"))
            .and_where(Column::Condition.ne(ProjectCondition::Withdrawn.code()));
        add_sums(&mut select, "amount_fen");
        for row in self.frame.run(self.db, select).await? {
            let known = coded(Known::from_code, &row.try_get_by_index::<String>(1)?)?;
            let stock = &mut all.entry(row.try_get_by_index(0)?).or_default().stock;
            stock.add_many(known, count(&row, 2)?, sum(&row, 3)?);
        }
        Ok(())
    }

    /// What happened in the period, and whose dates are not known.
    async fn lines(
        &self,
        all: &mut ByRegion,
        period: Period,
        scheme: &Scheme,
    ) -> Result<(), Failure> {
        let items = scheme.items().iter();
        let wanted = items.flat_map(|item| item.indicator.lines().iter().copied());
        let wanted: BTreeSet<Line> = wanted
            .chain([Line::StartUnknown, Line::CompletionUnknown])
            .collect();
        let account = Account {
            years: Years::year(period.year()),
            lines: wanted.into_iter().collect(),
            since: Some(period.first()),
            until: Some(period.last()),
            landed_within: None,
        };
        let mut select = self.by_region(true);
        let line = Expr::col((SPAN, "line"));
        let months = scheme.landing_months();
        let in_time = format!(
            "CAST(COALESCE(SUM(CASE WHEN landed_after <= {months} THEN 1 ELSE 0 END), 0) AS BIGINT)"
        );
        select
            .expr(Expr::cust("COUNT(*)"))
            .expr(line.clone())
            .add_group_by([line])
            .expr(Expr::cust(in_time))
            .join(
                JoinType::InnerJoin,
                SPAN,
                Expr::col((SPAN, "project_id")).equals((project::Entity, Column::Id)),
            )
            .cond_where(stands_in(&account));
        add_sums(&mut select, "amount_fen");
        for row in self.frame.run(self.db, select).await? {
            let known = coded(Known::from_code, &row.try_get_by_index::<String>(1)?)?;
            let line = coded(Line::from_code, &row.try_get_by_index::<String>(3)?)?;
            let figures = all.entry(row.try_get_by_index(0)?).or_default();
            let measures = figures.lines.entry(line).or_default();
            measures.add_many(known, count(&row, 2)?, sum(&row, 5)?);
            if line == Line::Signed {
                figures.landed_in_time += count(&row, 4)?;
            }
        }
        Ok(())
    }

    /// What was told to be completed in some months.
    async fn completed(&self, months: Months) -> Result<Vec<(String, Completed)>, Failure> {
        let mut select = self.by_region(false);
        select
            .expr(Expr::cust("COUNT(DISTINCT project.id)"))
            .join(
                JoinType::InnerJoin,
                INVESTED,
                Expr::col((INVESTED, "project_id")).equals((project::Entity, Column::Id)),
            )
            .cond_where(told_of(months))
            .expr(Expr::cust("COUNT(completed_fen)"));
        add_sums(&mut select, "completed_fen");
        let rows = self.frame.run(self.db, select).await?;
        rows.iter()
            .map(|row| {
                let completed = Completed {
                    projects: count(row, 1)?,
                    told: Told {
                        count: count(row, 2)?,
                        sum: sum(row, 3)?,
                    },
                };
                Ok((row.try_get_by_index(0)?, completed))
            })
            .collect()
    }

    /// The annual plans of a year, and what the same projects told of its months.
    async fn plans(&self, months: Months) -> Result<Vec<(String, AnnualPlans)>, Failure> {
        let mut told = Query::select();
        told.column((INVESTED, "project_id"))
            .expr_as(Expr::cust(part_of("completed_fen", "/")), "high")
            .expr_as(Expr::cust(part_of("completed_fen", "%")), "low")
            .from(INVESTED)
            .cond_where(told_of(months))
            .add_group_by([Expr::col((INVESTED, "project_id"))]);
        let of_project = |table: &'static str| {
            Expr::col((table, "project_id")).equals((project::Entity, Column::Id))
        };
        let mut select = self.by_region(false);
        select
            .join(JoinType::InnerJoin, PLAN, of_project(PLAN))
            .join_subquery(JoinType::LeftJoin, told.take(), "told", of_project("told"))
            .and_where(Expr::col((PLAN, "year")).eq(months.year));
        let both = |sum: &str| {
            format!(
                "CAST(COALESCE(SUM(CASE WHEN planned_fen IS NOT NULL AND told.high IS NOT NULL THEN {sum} END), 0) \
                 AS BIGINT)"
            )
        };
        for sum in [
            "COUNT(*)".to_owned(),
            "COUNT(told.high)".to_owned(),
            both("1"),
            both(&format!("planned_fen / {PART}")),
            both(&format!("planned_fen % {PART}")),
            both("told.high"),
            both("told.low"),
        ] {
            select.expr(Expr::cust(sum));
        }
        let rows = self.frame.run(self.db, select).await?;
        rows.iter()
            .map(|row| {
                let both = |place: usize| {
                    Ok::<_, Failure>(Told {
                        count: count(row, 3)?,
                        sum: sum(row, place)?,
                    })
                };
                let plans = AnnualPlans {
                    projects: count(row, 1)?,
                    reported: count(row, 2)?,
                    planned: both(4)?,
                    completed: both(6)?,
                };
                Ok((row.try_get_by_index(0)?, plans))
            })
            .collect()
    }
}

/// The sum of one part of a column of 分.
fn part_of(column: &str, part: &str) -> String {
    format!("CAST(COALESCE(SUM({column} {part} {PART}), 0) AS BIGINT)")
}

/// Adds the sum of a column of 分, in two parts.
fn add_sums(select: &mut SelectStatement, column: &str) {
    for part in ["/", "%"] {
        select.expr(Expr::cust(part_of(column, part)));
    }
}

fn count(row: &QueryResult, place: usize) -> Result<u64, Failure> {
    let count: i64 = row.try_get_by_index(place)?;
    u64::try_from(count).map_err(|_| corrupt("a count of projects"))
}

fn sum(row: &QueryResult, place: usize) -> Result<Total, Failure> {
    let (high, low) = (
        row.try_get_by_index(place)?,
        row.try_get_by_index(place + 1)?,
    );
    Ok(Total::from_parts(high, low))
}
