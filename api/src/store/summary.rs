//! Roll-ups: the counted set by any dimensions, added up exactly.

use std::collections::BTreeMap;

use domain::coded::Coded;
use domain::family::Level;
use domain::money::Total;
use domain::rollup::{Measures, Told};
use domain::stage::{Condition as ProjectCondition, Stage};
use domain::tier::InvestmentTier;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement, SimpleExpr};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, TryGetable};

use super::counting::{Base, COUNTED, Frame, INVESTED as MONTHS, PLAN, Rows};
use super::filter::{Filter, Scoped};
use super::listing::{count, counted_only};
use super::reference::region;
use super::rollup::{
    self, Asked, INVESTED, INVESTED_TOTAL, Kept, PLAN as PLANS, RECEIVED_TOTAL, REST, STOCK, Source,
};
use super::{Failure, corrupt};
use crate::auth::Reach;
use crate::entity::project::{self, Column};

/// A sum of 分 that any number of projects may reach is taken in two parts, each of which fits a BIGINT.
pub(crate) const PART: i64 = 1_000_000_000;

/// By what a summary is broken up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// 投资分档.
    Tier,
    /// 阶段.
    Stage,
    /// 状态.
    Condition,
    /// The project's own region.
    Region,
    /// Each list by itself.
    List,
    /// 五大工程.
    Programme,
    /// 行业.
    Sector,
    /// 产业链.
    Chain,
    /// 责任单位.
    Unit,
    /// The year in which it started (开工年份).
    StartedYear,
    /// The year in which it was completed (竣工年份).
    CompletedYear,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 11] = [
        Self::Tier,
        Self::Stage,
        Self::Condition,
        Self::Region,
        Self::List,
        Self::Programme,
        Self::Sector,
        Self::Chain,
        Self::Unit,
        Self::StartedYear,
        Self::CompletedYear,
    ];

    /// The stable code; also the name of the member in a cell.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Tier => "tier",
            Self::Stage => "stage",
            Self::Condition => "condition",
            Self::Region => "region",
            Self::List => "list",
            Self::Programme => "programme",
            Self::Sector => "sector",
            Self::Chain => "chain",
            Self::Unit => "unit",
            Self::StartedYear => "started_year",
            Self::CompletedYear => "completed_year",
        }
    }

    /// The parameter of the project query that selects one value of it.
    #[must_use]
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Region => "region_exact",
            Self::Tier
            | Self::Stage
            | Self::Condition
            | Self::List
            | Self::Programme
            | Self::Sector
            | Self::Chain
            | Self::Unit
            | Self::StartedYear
            | Self::CompletedYear => self.code(),
        }
    }

    /// The same, where sums are kept by it.
    pub(crate) const fn kept(self) -> Option<Kept> {
        match self {
            Self::Tier => Some(Kept::Tier),
            Self::Stage => Some(Kept::Stage),
            Self::Condition => Some(Kept::Condition),
            Self::Region => Some(Kept::Region),
            Self::List
            | Self::Programme
            | Self::Sector
            | Self::Chain
            | Self::Unit
            | Self::StartedYear
            | Self::CompletedYear => None,
        }
    }

    pub(crate) fn expr(self) -> SimpleExpr {
        match self {
            Self::Tier => Expr::col((project::Entity, Column::Tier)),
            Self::Stage => Expr::col((project::Entity, Column::Stage)),
            Self::Condition => Expr::col((project::Entity, Column::Condition)),
            Self::Region => Expr::col((project::Entity, Column::Region)),
            Self::List => Expr::col((COUNTED, "base")),
            Self::Programme => Expr::col((project::Entity, Column::Programme)),
            Self::Sector => Expr::col((project::Entity, Column::Sector)),
            Self::Chain => Expr::col((project::Entity, Column::Chain)),
            Self::Unit => Expr::col((project::Entity, Column::Unit)),
            Self::StartedYear => year_of("started_on"),
            Self::CompletedYear => year_of("completed_on"),
        }
    }
}

/// The year of a date of the project, in one text for both databases and without parameters, so that it can be selected
/// and grouped by.
fn year_of(date: &str) -> SimpleExpr {
    Expr::cust(format!(
        "SUBSTR(CAST(\"project\".\"{date}\" AS TEXT), 1, 4)"
    ))
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which projects.
    pub filter: Filter,
    /// Of what, and when.
    pub frame: Frame,
    /// By what.
    pub group_by: Vec<Dimension>,
    /// Of which year the annual plan is added up.
    pub year: i32,
}

/// One cell.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Its value of each dimension asked for, in that order; none where projects have none.
    pub keys: Vec<Option<String>>,
    /// What is in it.
    pub measures: Measures,
}

/// A roll-up.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The cells that hold anything.
    pub cells: Vec<Cell>,
    /// All of them together.
    pub total: Measures,
    /// Whether the cells add up to the total.
    pub additive: bool,
    /// How many visible projects are counted within a parent.
    pub inside_families: u64,
    /// Money of wholes that their parts don't carry; only at `level=part`.
    pub not_broken_down: Option<Measures>,
    /// Whether the asker sees everything there is.
    pub covers_all: bool,
    /// What the total counts.
    pub base: Base,
}

impl Question {
    /// The dimensions, if the sums that are kept can tell the answer.
    fn kept(&self, reach: &Reach) -> Option<Vec<Kept>> {
        let is_kept = reach.is_by_region()
            && self.frame.base == Some(Base::Portfolio)
            && self.filter.is_kept();
        let kept = self.group_by.iter().map(|dimension| dimension.kept());
        is_kept.then(|| kept.collect()).flatten()
    }

    /// Whether one state of the library has to be held while the answer is made: not for the sums of the present that
    /// are kept, which are read by one statement.
    #[must_use]
    pub fn needs_one_state(&self, reach: &Reach) -> bool {
        self.frame.as_of.is_some() || self.kept(reach).is_none()
    }
}

/// Adds up, from the sums that are kept if they can tell it.
///
/// # Errors
/// `validation_failed` for filters that mean nothing.
pub async fn answer(
    db: &impl ConnectionTrait,
    reach: &Reach,
    question: Question,
    sums_are_complete: bool,
) -> Result<Summary, Failure> {
    let by = question.kept(reach);
    let Question {
        filter,
        frame,
        group_by,
        year,
    } = question;
    let scoped = filter.within(db, reach, &frame).await?;
    if let Some(by) = by {
        let mut asked = scoped.asked(which(year), frame.level, &by);
        let source = rollup::source(db, frame.as_of, &mut asked, sums_are_complete).await?;
        if let Some(source) = source {
            return from_sums(db, reach, source, &asked, &group_by).await;
        }
    }
    let by_list = group_by.contains(&Dimension::List);
    let base = frame.base.clone().unwrap_or(Base::Portfolio);
    let total_frame = Frame {
        base: Some(base.clone()),
        ..frame.clone()
    };
    let cell_frame = if by_list {
        each_list(&frame)
    } else {
        total_frame.clone()
    };
    let mut cells = cells(db, &cell_frame, &scoped, &group_by, year, Rows::Counted).await?;
    cells.retain(|cell| cell.measures.count > 0);
    cells.sort_by_cached_key(|cell| rank(&group_by, &cell.keys));
    let all = if by_list {
        total(db, &total_frame, &scoped, year, Rows::Counted).await?
    } else {
        cells
            .iter()
            .fold(Measures::default(), |sum, cell| sum.join(cell.measures))
    };
    let by_project = total_frame.level == Level::Project;
    let inside_families = if by_project {
        count(db, &total_frame, &scoped, Rows::WithinParent).await?
    } else {
        0
    };
    let not_broken_down = if by_project {
        None
    } else {
        Some(total(db, &total_frame, &scoped, year, Rows::BrokenDown).await?)
    };
    Ok(Summary {
        cells,
        total: all,
        additive: !by_list,
        inside_families,
        not_broken_down,
        covers_all: covers_all(db, reach).await?,
        base,
    })
}

/// Which of the sums that are kept a summary shows.
fn which(year: i32) -> String {
    let lines = [STOCK, REST, PLANS, INVESTED, INVESTED_TOTAL, RECEIVED_TOTAL].join("', '");
    format!("line IN ('{lines}') AND year IN (0, {year})")
}

/// The answer from the sums that are kept.
async fn from_sums(
    db: &impl ConnectionTrait,
    reach: &Reach,
    source: Source,
    asked: &Asked<'_>,
    group_by: &[Dimension],
) -> Result<Summary, Failure> {
    let mut cells: BTreeMap<Vec<Option<String>>, Measures> = BTreeMap::new();
    let mut inside_families = 0;
    let mut broken_down = Measures::default();
    for sum in rollup::sums(db, source, asked).await? {
        let count = u64::try_from(sum.count).map_err(|_| corrupt("a sum of projects"))?;
        if (sum.line.as_str(), sum.is_counted) == (STOCK, false) {
            inside_families += count;
            continue;
        }
        let measures = if sum.is_counted {
            cells.entry(sum.keys).or_default()
        } else {
            &mut broken_down
        };
        let told = Told {
            count,
            sum: sum.amount,
        };
        match sum.line.as_str() {
            STOCK => measures.add_many(sum.kind, count, sum.amount),
            REST => broken_down.add_many(sum.kind, count, sum.amount),
            PLANS => measures.annual_plan = measures.annual_plan.join(told),
            INVESTED => measures.completed_in_year = measures.completed_in_year.join(told),
            INVESTED_TOTAL => measures.completed_total = measures.completed_total.join(told),
            _ => measures.funds_received = measures.funds_received.join(told),
        }
    }
    let mut cells: Vec<Cell> = cells
        .into_iter()
        .filter(|(_, measures)| measures.count > 0)
        .map(|(keys, measures)| Cell { keys, measures })
        .collect();
    cells.sort_by_cached_key(|cell| rank(group_by, &cell.keys));
    let by_project = asked.level == Level::Project;
    Ok(Summary {
        total: cells
            .iter()
            .fold(Measures::default(), |sum, cell| sum.join(cell.measures)),
        cells,
        additive: true,
        inside_families: if by_project { inside_families } else { 0 },
        not_broken_down: (!by_project).then_some(broken_down),
        covers_all: covers_all(db, reach).await?,
        base: Base::Portfolio,
    })
}

/// The same frame with each of its lists by itself: all lists, if it names none.
pub(crate) fn each_list(frame: &Frame) -> Frame {
    Frame {
        base: Some(Base::EachList(frame.lists().to_vec())),
        ..frame.clone()
    }
}

/// Cells stand in the order of the lifecycle and of the tiers, others by code; what has none comes last.
pub(crate) fn rank(
    group_by: &[Dimension],
    keys: &[Option<String>],
) -> Vec<(bool, usize, Option<String>)> {
    fn place<T: Coded>(code: &str) -> usize {
        T::VALUES
            .iter()
            .position(|value| value.as_code() == code)
            .unwrap_or(usize::MAX)
    }
    let rank_of = |(dimension, key): (&Dimension, &Option<String>)| {
        let code = key.as_deref().unwrap_or_default();
        let place = match dimension {
            Dimension::Tier => place::<InvestmentTier>(code),
            Dimension::Stage => place::<Stage>(code),
            Dimension::Condition => place::<ProjectCondition>(code),
            Dimension::Region
            | Dimension::List
            | Dimension::Programme
            | Dimension::Sector
            | Dimension::Chain
            | Dimension::Unit
            | Dimension::StartedYear
            | Dimension::CompletedYear => 0,
        };
        (key.is_none(), place, key.clone())
    };
    group_by.iter().zip(keys).map(rank_of).collect()
}

pub(super) async fn total(
    db: &impl ConnectionTrait,
    frame: &Frame,
    scoped: &Scoped,
    year: i32,
    rows: Rows,
) -> Result<Measures, Failure> {
    let cells = cells(db, frame, scoped, &[], year, rows).await?;
    Ok(cells
        .first()
        .map_or_else(Measures::default, |cell| cell.measures))
}

async fn cells(
    db: &impl ConnectionTrait,
    frame: &Frame,
    scoped: &Scoped,
    group_by: &[Dimension],
    year: i32,
    rows: Rows,
) -> Result<Vec<Cell>, Failure> {
    let backend = db.get_database_backend();
    let mut select = Query::select();
    for dimension in group_by {
        select
            .expr_as(dimension.expr(), dimension.code())
            .add_group_by([dimension.expr()]);
    }
    measures(
        &mut select,
        if rows == Rows::BrokenDown {
            "remainder_fen"
        } else {
            "amount_fen"
        },
    );
    select
        .from(project::Entity)
        .join(
            JoinType::LeftJoin,
            PLAN,
            Expr::col((PLAN, "project_id"))
                .equals((project::Entity, Column::Id))
                .and(Expr::col((PLAN, "year")).eq(year)),
        )
        .cond_where(counted_only(scoped, frame, scoped.condition(backend)));
    frame.limit(&mut select, rows);
    let mut months = months(scoped, frame, group_by, year, backend);
    frame.limit(&mut months, rows);
    let mut told = BTreeMap::new();
    for row in frame.run(db, months).await? {
        told.insert(keys(&row, group_by)?, row);
    }
    let cells = frame.run(db, select).await?;
    let cells = cells.iter().map(|row| {
        let keys = keys(row, group_by)?;
        let mut measures = of_projects(row)?;
        if let Some(row) = told.get(&keys) {
            of_months(row, &mut measures)?;
        }
        Ok(Cell { keys, measures })
    });
    cells.collect()
}

/// The value of each dimension in a row.
pub(crate) fn keys(
    row: &QueryResult,
    group_by: &[Dimension],
) -> Result<Vec<Option<String>>, Failure> {
    let keys = group_by
        .iter()
        .map(|dimension| row.try_get::<Option<String>>("", dimension.code()));
    Ok(keys.collect::<Result<_, _>>()?)
}

/// What was told of months: the name, and what is summed up.
const MONIES: [(&str, &str); 3] = [
    ("in_year", "CASE WHEN year = {year} THEN completed_fen END"),
    ("total", "completed_fen"),
    ("received", "received_fen"),
];

/// What was told of the months of the same projects, by the same dimensions: how many, and how much in two parts.
fn months(
    scoped: &Scoped,
    frame: &Frame,
    group_by: &[Dimension],
    year: i32,
    backend: DbBackend,
) -> SelectStatement {
    let mut select = Query::select();
    for dimension in group_by {
        select
            .expr_as(dimension.expr(), dimension.code())
            .add_group_by([dimension.expr()]);
    }
    for (name, fen) in MONIES {
        let fen = fen.replace("{year}", &year.to_string());
        let sum = |part: &str| format!("CAST(COALESCE(SUM(({fen}) {part} {PART}), 0) AS BIGINT)");
        select
            .expr_as(Expr::cust(format!("COUNT({fen})")), format!("{name}_count"))
            .expr_as(Expr::cust(sum("/")), format!("{name}_high"))
            .expr_as(Expr::cust(sum("%")), format!("{name}_low"));
    }
    select
        .from(project::Entity)
        .join(
            JoinType::InnerJoin,
            MONTHS,
            Expr::col((MONTHS, "project_id")).equals((project::Entity, Column::Id)),
        )
        .cond_where(counted_only(scoped, frame, scoped.condition(backend)))
        .take()
}

/// Count, exact amounts, lower bounds and annual plan; the sums in two parts each.
fn measures(select: &mut SelectStatement, amount: &'static str) {
    let of_kind = |kind: &str, value: &str| {
        format!(
            "CAST(COALESCE(SUM(CASE WHEN amount_kind = '{kind}' THEN {value} ELSE 0 END), 0) AS BIGINT)"
        )
    };
    let plan = |part: &str| format!("CAST(COALESCE(SUM(planned_fen {part}), 0) AS BIGINT)");
    let high = format!("{amount} / {PART}");
    let low = format!("{amount} % {PART}");
    for (name, sql) in [
        ("count", "COUNT(*)".to_owned()),
        ("exact_count", of_kind("exact", "1")),
        ("exact_high", of_kind("exact", &high)),
        ("exact_low", of_kind("exact", &low)),
        ("floor_count", of_kind("floor", "1")),
        ("floor_high", of_kind("floor", &high)),
        ("floor_low", of_kind("floor", &low)),
        ("plan_count", "COUNT(planned_fen)".to_owned()),
        ("plan_high", plan(&format!("/ {PART}"))),
        ("plan_low", plan(&format!("% {PART}"))),
    ] {
        select.expr_as(Expr::cust(sql), name);
    }
}

fn of_projects(row: &QueryResult) -> Result<Measures, Failure> {
    let (exact, floor) = (told(row, "exact")?, told(row, "floor")?);
    let count = natural(row, "count")?;
    Ok(Measures {
        count,
        exact_count: exact.count,
        exact_sum: exact.sum,
        floor_count: floor.count,
        floor_sum: floor.sum,
        undetermined: count
            .saturating_sub(exact.count)
            .saturating_sub(floor.count),
        annual_plan: told(row, "plan")?,
        ..Measures::default()
    })
}

fn of_months(row: &QueryResult, measures: &mut Measures) -> Result<(), Failure> {
    measures.completed_in_year = told(row, "in_year")?;
    measures.completed_total = told(row, "total")?;
    measures.funds_received = told(row, "received")?;
    Ok(())
}

/// How many, and how much in two parts.
fn told(row: &QueryResult, name: &str) -> Result<Told, Failure> {
    let part = |part: &str| number(row, &format!("{name}_{part}"));
    Ok(Told {
        count: natural(row, &format!("{name}_count"))?,
        sum: Total::from_parts(part("high")?, part("low")?),
    })
}

fn natural(row: &QueryResult, name: &str) -> Result<u64, Failure> {
    u64::try_from(number(row, name)?).map_err(|_| corrupt(name))
}

fn number(row: &QueryResult, name: &str) -> Result<i64, Failure> {
    i64::try_get(row, "", name).map_err(|_| corrupt(name))
}

/// Whether nothing is out of reach: every region's projects, whatever their unit.
pub(crate) async fn covers_all(db: &impl ConnectionTrait, reach: &Reach) -> Result<bool, Failure> {
    match reach.whole_regions() {
        None => Ok(true),
        Some(whole) => region::are_all(db, &whole).await,
    }
}
