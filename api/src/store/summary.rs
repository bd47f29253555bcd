//! Roll-ups: the counted set by any dimensions, added up exactly.

use std::collections::BTreeMap;

use domain::coded::Coded;
use domain::family::Level;
use domain::money::Total;
use domain::rollup::{Measures, Told};
use domain::stage::{Condition as ProjectCondition, Stage};
use domain::tier::InvestmentTier;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryResult, TryGetable,
};

use super::counting::{Base, COUNTED, Frame, INVESTED as MONTHS, PLAN, Rows};
use super::filter::{Filter, Scoped};
use super::listing::{count, counted_only};
use super::rollup::{
    self, INVESTED, INVESTED_TOTAL, Kept, PLAN as PLANS, RECEIVED_TOTAL, REST, STOCK,
};
use super::{Failure, corrupt};
use crate::auth::Reach;
use crate::entity::project::{self, Column};
use crate::entity::region;

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
    /// 责任单位.
    Unit,
}

impl Dimension {
    /// Every dimension.
    pub const ALL: [Self; 8] = [
        Self::Tier,
        Self::Stage,
        Self::Condition,
        Self::Region,
        Self::List,
        Self::Programme,
        Self::Sector,
        Self::Unit,
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
            Self::Unit => "unit",
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
            | Self::Unit => self.code(),
        }
    }

    /// The same, where sums are kept by it.
    pub(crate) const fn kept(self) -> Option<Kept> {
        match self {
            Self::Tier => Some(Kept::Tier),
            Self::Stage => Some(Kept::Stage),
            Self::Condition => Some(Kept::Condition),
            Self::Region => Some(Kept::Region),
            Self::List | Self::Programme | Self::Sector | Self::Unit => None,
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
            Self::Unit => Expr::col((project::Entity, Column::Unit)),
        }
    }
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
            && self.frame.as_of.is_none()
            && self.frame.base == Some(Base::Portfolio)
            && self.filter.is_kept();
        let kept = self.group_by.iter().map(|dimension| dimension.kept());
        is_kept.then(|| kept.collect()).flatten()
    }

    /// Whether one state of the library has to be held while the answer is made: not for the sums that are kept,
    /// which are read by one statement.
    #[must_use]
    pub fn needs_one_state(&self, reach: &Reach) -> bool {
        self.kept(reach).is_none()
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
    if let Some(by) = question.kept(reach).filter(|_| sums_are_complete) {
        return from_sums(db, reach, question, &by).await;
    }
    let Question {
        filter,
        frame,
        group_by,
        year,
    } = question;
    let scoped = filter.within(db, reach, &frame).await?;
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

/// The answer from the sums that are kept.
async fn from_sums(
    db: &impl ConnectionTrait,
    reach: &Reach,
    question: Question,
    by: &[Kept],
) -> Result<Summary, Failure> {
    let Question {
        filter,
        frame,
        group_by,
        year,
    } = question;
    let scoped = filter.within(db, reach, &frame).await?;
    let lines = [STOCK, REST, PLANS, INVESTED, INVESTED_TOTAL, RECEIVED_TOTAL].join("', '");
    let which = format!("line IN ('{lines}') AND year IN (0, {year})");
    let asked = scoped.asked(which, frame.level, by);
    let mut cells: BTreeMap<Vec<Option<String>>, Measures> = BTreeMap::new();
    let mut inside_families = 0;
    let mut broken_down = Measures::default();
    for sum in rollup::sums(db, &asked).await? {
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
    cells.sort_by_cached_key(|cell| rank(&group_by, &cell.keys));
    let by_project = frame.level == Level::Project;
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
            | Dimension::Unit => 0,
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
        .join_subquery(
            JoinType::LeftJoin,
            money(year),
            MONEY,
            Expr::col((MONEY, "project_id")).equals((project::Entity, Column::Id)),
        )
        .cond_where(counted_only(scoped, frame, scoped.condition(backend)));
    frame.limit(&mut select, rows);
    frame
        .run(db, select)
        .await?
        .iter()
        .map(|row| cell(row, group_by))
        .collect()
}

/// What was told of each project's months: how many, and how much in two parts.
const MONEY: &str = "money";
/// The sums of [`MONEY`]: the name, and what is summed up.
const MONIES: [(&str, &str); 3] = [
    ("in_year", "CASE WHEN year = {year} THEN completed_fen END"),
    ("total", "completed_fen"),
    ("received", "received_fen"),
];

fn money(year: i32) -> SelectStatement {
    let mut select = Query::select();
    select
        .column((MONTHS, "project_id"))
        .from(MONTHS)
        .group_by_col((MONTHS, "project_id"));
    for (name, fen) in MONIES {
        let fen = fen.replace("{year}", &year.to_string());
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

/// Count, exact amounts, lower bounds, annual plan and what was told of months; the sums in two parts each.
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
    for (name, _) in MONIES {
        for part in ["count", "high", "low"] {
            let sum = format!("CAST(COALESCE(SUM({MONEY}.{name}_{part}), 0) AS BIGINT)");
            select.expr_as(Expr::cust(sum), format!("{name}_{part}"));
        }
    }
}

fn cell(row: &QueryResult, group_by: &[Dimension]) -> Result<Cell, Failure> {
    let mut keys = Vec::with_capacity(group_by.len());
    for dimension in group_by {
        keys.push(row.try_get::<Option<String>>("", dimension.code())?);
    }
    let number = |name: &str| i64::try_get(row, "", name).map_err(|_| corrupt(name));
    let natural =
        |name: &str| number(name).and_then(|n| u64::try_from(n).map_err(|_| corrupt(name)));
    let sum =
        |high: &str, low: &str| Ok::<_, Failure>(Total::from_parts(number(high)?, number(low)?));
    let told = |name: &str| {
        Ok::<_, Failure>(Told {
            count: natural(&format!("{name}_count"))?,
            sum: sum(&format!("{name}_high"), &format!("{name}_low"))?,
        })
    };
    let (all, exact, floor) = (
        natural("count")?,
        natural("exact_count")?,
        natural("floor_count")?,
    );
    Ok(Cell {
        keys,
        measures: Measures {
            count: all,
            exact_count: exact,
            exact_sum: sum("exact_high", "exact_low")?,
            floor_count: floor,
            floor_sum: sum("floor_high", "floor_low")?,
            undetermined: all.saturating_sub(exact).saturating_sub(floor),
            annual_plan: told("plan")?,
            completed_in_year: told("in_year")?,
            completed_total: told("total")?,
            funds_received: told("received")?,
        },
    })
}

/// Whether nothing is out of reach: every region's projects, whatever their unit.
pub(crate) async fn covers_all(db: &impl ConnectionTrait, reach: &Reach) -> Result<bool, Failure> {
    let Some(whole) = reach.whole_regions() else {
        return Ok(true);
    };
    let unseen = region::Entity::find()
        .filter(region::Column::Code.is_not_in(whole))
        .count(db)
        .await?;
    Ok(unseen == 0)
}
