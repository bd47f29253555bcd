//! What became of a roll-up between two instants: each project that differs, added up by where it stood and where it
//! stands.
//!
//! Both sides are read in one statement, each from its own tables of that time, and only of the projects that can
//! differ at all.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::family::Level;
use domain::money::Total;
use domain::rollup::{Change, Measures, Reason};
use domain::stage::{Condition as ProjectCondition, Stage};
use domain::tier::{Investment, InvestmentTier};
use sea_orm::sea_query::{
    CaseStatement, CommonTableExpression, Expr, ExprTrait, JoinType, Order, Query, SelectStatement,
    WithClause,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, QueryResult, TryGetable};
use uuid::Uuid;

use super::counting::{Base, Frame, Rows};
use super::filter::{self, Filter, Scoped};
use super::row::{coded, investment};
use super::summary::{self, PART};
use super::{Failure, corrupt};
use crate::auth::Reach;
use crate::entity::project::{self, Column};
use crate::entity::project_version::{self, Column as Version};
use crate::page;

/// The projects that can differ: `id`.
const CHANGED: &str = "changed";
/// Of those, the ones that changed themselves, where families count: `id`.
const TOUCHED: &str = "touched";
/// What is known at the first instant.
const EARLIER: &str = "earlier";
/// What is known at the second.
const LATER: &str = "later";
/// The projects that do differ.
const DIFFERENCE: &str = "difference";
/// The year of whose annual plan nothing is asked.
const NO_YEAR: i32 = 0;

/// What tells one group of changes from another.
const GROUP: [&str; 6] = [
    "change",
    "reason",
    "from_tier",
    "from_stage",
    "to_tier",
    "to_stage",
];

/// Counted at either instant, and not alike.
const DIFFERS: &str = "(earlier.standing = 'in' OR later.standing = 'in') \
    AND (COALESCE(earlier.standing, 'absent') <> later.standing \
    OR earlier.tier <> later.tier OR earlier.stage <> later.stage \
    OR earlier.amount_kind <> later.amount_kind \
    OR COALESCE(earlier.amount_fen, -1) <> COALESCE(later.amount_fen, -1))";

const CHANGE: &str = "CASE WHEN COALESCE(earlier.standing, 'absent') <> 'in' THEN 'entered' \
    WHEN later.standing <> 'in' THEN 'left' \
    WHEN earlier.stage <> later.stage AND earlier.tier <> later.tier THEN 'moved_and_retiered' \
    WHEN earlier.stage <> later.stage THEN 'moved' \
    WHEN earlier.tier <> later.tier THEN 'retiered' ELSE 'amount' END";

/// Who stays has none.
const REASON: &str = "CASE WHEN earlier.standing IS NULL THEN 'registered' \
    WHEN earlier.standing = 'withdrawn' THEN 're_entered' \
    WHEN earlier.standing = 'uncounted' THEN 'counted' \
    WHEN earlier.standing = 'outside' OR later.standing = 'outside' THEN 'reclassified' \
    WHEN later.standing = 'withdrawn' THEN 'withdrawn' \
    WHEN later.standing = 'uncounted' THEN 'not_counted' END";

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which projects.
    pub filter: Filter,
    /// What is counted.
    pub base: Base,
    /// By project or by part.
    pub level: Level,
    /// The first instant.
    pub from: DateTime<Utc>,
    /// The second.
    pub to: DateTime<Utc>,
}

/// Where a counted project stands in a roll-up by tier and stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// Its tier.
    pub tier: InvestmentTier,
    /// Its stage.
    pub stage: Stage,
}

/// The projects that changed in the same way.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What became of them.
    pub change: Change,
    /// Why they came or went.
    pub reason: Option<Reason>,
    /// Where they stood; none if they were not counted.
    pub from: Option<Cell>,
    /// Where they stand; none if they are not counted.
    pub to: Option<Cell>,
    /// What they added up to.
    pub before: Measures,
    /// What they add up to.
    pub after: Measures,
}

/// A difference between two instants.
#[derive(Clone, Debug)]
pub struct Diff {
    /// All that was counted at the first.
    pub before: Measures,
    /// All that is counted at the second.
    pub after: Measures,
    /// What lies between them; each project that differs is in one of these.
    pub groups: Vec<Group>,
    /// Whether the asker sees everything there is.
    pub covers_all: bool,
}

/// Which of the changed projects; what is not said is any.
#[derive(Clone, Copy, Debug, Default)]
pub struct Which {
    /// What became of them.
    pub change: Option<Change>,
    /// Why they came or went.
    pub reason: Option<Reason>,
    /// The tier that they were in.
    pub from_tier: Option<InvestmentTier>,
    /// The stage that they were in.
    pub from_stage: Option<Stage>,
    /// The tier that they are in.
    pub to_tier: Option<InvestmentTier>,
    /// The stage that they are in.
    pub to_stage: Option<Stage>,
}

/// A page of the changed projects.
#[derive(Clone, Debug)]
pub struct Paged {
    /// How many on a page.
    pub limit: u64,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// The question in words, for its cursors.
    pub words: String,
}

/// A changed project.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its id.
    pub id: Uuid,
    /// Its name, where it was last counted.
    pub name: String,
    /// The code of its region, likewise.
    pub region: String,
    /// How it stood; none if it was not counted.
    pub before: Option<Stood>,
    /// How it stands; none if it is not counted.
    pub after: Option<Stood>,
}

/// How a project stood at an instant.
#[derive(Clone, Copy, Debug)]
pub struct Stood {
    /// Its tier and its stage.
    pub cell: Cell,
    /// Its condition.
    pub condition: ProjectCondition,
    /// Its total investment.
    pub investment: Investment,
}

/// What became of a roll-up.
///
/// # Errors
/// `validation_failed` for filters that mean nothing, or a time before the library began.
pub async fn answer(
    db: &impl ConnectionTrait,
    reach: &Reach,
    question: &Question,
) -> Result<Diff, Failure> {
    let sides = Sides::of(db, reach, question).await?;
    let mut select = Query::select();
    for column in GROUP {
        select
            .column((DIFFERENCE, column))
            .group_by_col((DIFFERENCE, column));
    }
    for side in ["from", "to"] {
        for (name, sql) in sums(side) {
            select.expr_as(Expr::cust(sql), name);
        }
    }
    let rows = db.query_all(&sides.ask(db, select)).await?;
    let mut groups = rows.iter().map(group).collect::<Result<Vec<_>, _>>()?;
    groups.sort_by_key(|group| (group.change, group.reason, group.from, group.to));
    Ok(Diff {
        before: sides.earlier.total(db).await?,
        after: sides.later.total(db).await?,
        groups,
        covers_all: summary::covers_all(db, reach).await?,
    })
}

/// A page of the projects that changed in a way, by id.
///
/// # Errors
/// Those of [`answer`], and `invalid_cursor`.
pub async fn list(
    db: &impl ConnectionTrait,
    reach: &Reach,
    question: &Question,
    which: Which,
    paged: &Paged,
) -> Result<(Vec<Item>, Option<String>), Failure> {
    let cursor = paged.cursor.as_ref();
    let after: Option<Uuid> = cursor
        .map(|cursor| page::open(&paged.words, cursor))
        .transpose()?;
    let sides = Sides::of(db, reach, question).await?;
    let mut select = Query::select();
    select
        .column((DIFFERENCE, sea_orm::sea_query::Asterisk))
        .cond_where(which.condition())
        .order_by((DIFFERENCE, "id"), Order::Asc)
        .limit(paged.limit + 1);
    if let Some(after) = after {
        select.and_where(Expr::col((DIFFERENCE, "id")).gt(after));
    }
    let rows = db.query_all(&sides.ask(db, select)).await?;
    let items = rows.iter().map(item).collect::<Result<Vec<_>, _>>()?;
    Ok(page::page_of(items, paged.limit, &paged.words, |item| {
        item.id
    }))
}

/// Both instants.
struct Sides {
    earlier: Side,
    later: Side,
    /// What can differ.
    changed: WithClause,
}

/// The library at one of them.
struct Side {
    frame: Frame,
    scoped: Scoped,
}

impl Sides {
    async fn of(
        db: &impl ConnectionTrait,
        reach: &Reach,
        question: &Question,
    ) -> Result<Self, Failure> {
        filter::check_begun(db, question.from, "from").await?;
        let earlier = Side::of(db, reach, question, question.from).await?;
        let later = Side::of(db, reach, question, question.to).await?;
        let regions = rearranged(db, question).await?;
        Ok(Self {
            earlier,
            later,
            changed: changed(question, &regions),
        })
    }

    /// A select on [`DIFFERENCE`].
    fn ask(&self, db: &impl ConnectionTrait, mut select: SelectStatement) -> SelectStatement {
        let backend = db.get_database_backend();
        let mut with = self.changed.clone();
        for (name, side) in [(EARLIER, &self.earlier), (LATER, &self.later)] {
            with.cte(side.table(name, backend));
        }
        select
            .from_subquery(differences(), DIFFERENCE)
            .with_cte(with);
        select
    }
}

/// Each project that differs: [`GROUP`], who it is, and how it stood and stands where it is counted.
fn differences() -> SelectStatement {
    let latest = |column| {
        format!("CASE WHEN later.standing = 'in' THEN later.{column} ELSE earlier.{column} END")
    };
    let mut select = Query::select();
    select.column((LATER, "id"));
    for (name, sql) in [
        ("change", CHANGE.to_owned()),
        ("reason", REASON.to_owned()),
        ("name", latest("name")),
        ("region", latest("region")),
    ] {
        select.expr_as(Expr::cust(sql), name);
    }
    for (side, of) in [("from", EARLIER), ("to", LATER)] {
        for (name, column) in [
            ("tier", "tier"),
            ("stage", "stage"),
            ("condition", "condition"),
            ("kind", "amount_kind"),
            ("fen", "amount_fen"),
        ] {
            let sql = format!("CASE WHEN {of}.standing = 'in' THEN {of}.{column} END");
            select.expr_as(Expr::cust(sql), format!("{side}_{name}"));
        }
    }
    // Nothing is ever deleted: what was there is there.
    select
        .from(LATER)
        .join(
            JoinType::LeftJoin,
            EARLIER,
            Expr::col((EARLIER, "id")).equals((LATER, "id")),
        )
        .and_where(Expr::cust(DIFFERS));
    select
}

impl Side {
    async fn of(
        db: &impl ConnectionTrait,
        reach: &Reach,
        question: &Question,
        instant: DateTime<Utc>,
    ) -> Result<Self, Failure> {
        let frame = Frame {
            as_of: Some(instant),
            base: Some(question.base.clone()),
            level: question.level,
        };
        let scoped = question.filter.clone().within(db, reach, &frame).await?;
        Ok(Self { frame, scoped })
    }

    async fn total(&self, db: &impl ConnectionTrait) -> Result<Measures, Failure> {
        summary::total(db, &self.frame, &self.scoped, NO_YEAR, Rows::Counted).await
    }

    /// The projects that can differ, as they are known, each with its standing: `in`, or why it is not. What a
    /// standing rests on is worked out once, however often it is looked at.
    fn table(&self, name: &'static str, backend: DbBackend) -> CommonTableExpression {
        let columns = [
            Column::Id,
            Column::Name,
            Column::Region,
            Column::Tier,
            Column::Stage,
            Column::Condition,
            Column::AmountKind,
            Column::AmountFen,
        ];
        let changed = Query::select().column("id").from(CHANGED).take();
        let rows = Query::select()
            .columns(columns.map(|column| (project::Entity, column)))
            .expr_as(self.standing(backend), "standing")
            .from(project::Entity)
            .and_where(Expr::col((project::Entity, Column::Id)).in_subquery(changed))
            .with_cte(self.frame.tables())
            .take();
        CommonTableExpression::new()
            .table_name(name)
            .query(rows)
            .materialized(true)
            .to_owned()
    }

    /// What is out of reach is told as `outside` and nothing else of it.
    fn standing(&self, backend: DbBackend) -> CaseStatement {
        let told = |text: &'static str| Expr::cust(text);
        let mut within = CaseStatement::new();
        if self.scoped.excludes_withdrawn() {
            let withdrawn = Column::Condition.eq(ProjectCondition::Withdrawn.code());
            within = within.case(withdrawn, told("'withdrawn'"));
        }
        let filtered = CaseStatement::new()
            .case(self.scoped.conditions(backend), told("'in'"))
            .finally(told("'outside'"));
        let within = within
            .case(self.frame.is_counted(), filtered)
            .finally(told("'uncounted'"));
        CaseStatement::new()
            .case(self.scoped.within_reach(), within)
            .finally(told("'outside'"))
    }
}

/// The regions that lay within those asked for at one instant and not at the other.
async fn rearranged(
    db: &impl ConnectionTrait,
    question: &Question,
) -> Result<BTreeSet<String>, Failure> {
    let asked = &question.filter.regions;
    if asked.is_empty() {
        return Ok(BTreeSet::new());
    }
    let then = filter::subtrees(db, asked, Some(question.from)).await?;
    let now = filter::subtrees(db, asked, Some(question.to)).await?;
    Ok(then.symmetric_difference(&now).cloned().collect())
}

/// The projects that can differ: who has a new version, and who lies in a region that was rearranged. On a list a
/// project is also counted by what stands above it, so that there the whole family can differ.
fn changed(question: &Question, regions: &BTreeSet<String>) -> WithClause {
    let is_new = Condition::all()
        .add(Version::UpdatedAt.gt(question.from))
        .add(Version::UpdatedAt.lte(question.to));
    let mut any = Condition::any().add(is_new);
    if !regions.is_empty() {
        let region = Expr::col((project_version::Entity, Column::Region));
        any = any.add(region.is_in(regions.iter().map(String::as_str)));
    }
    let touched = versions(Column::Id, any);
    let mut with = WithClause::new();
    if !matches!(question.base, Base::Lists(_) | Base::EachList(_)) {
        return with.cte(ids(CHANGED, touched)).to_owned();
    }
    let known = Condition::all()
        .add(Version::UpdatedAt.lte(question.to))
        .add(
            Condition::any()
                .add(Version::SupersededAt.is_null())
                .add(Version::SupersededAt.gt(question.from)),
        );
    let those = Query::select().column("id").from(TOUCHED).take();
    let theirs = known.clone().add(Version::Id.in_subquery(those));
    let roots = versions(Column::RootId, theirs);
    let root = Expr::col((project_version::Entity, Column::RootId));
    let families = versions(Column::Id, known.add(root.in_subquery(roots)));
    with.cte(ids(TOUCHED, touched))
        .cte(ids(CHANGED, families))
        .to_owned()
}

fn versions(column: Column, condition: Condition) -> SelectStatement {
    Query::select()
        .column((project_version::Entity, column))
        .from(project_version::Entity)
        .cond_where(condition)
        .take()
}

fn ids(name: &'static str, query: SelectStatement) -> CommonTableExpression {
    CommonTableExpression::new()
        .table_name(name)
        .column("id")
        .query(query)
        .to_owned()
}

impl Which {
    fn condition(self) -> Condition {
        let codes = [
            self.change.map(Change::code),
            self.reason.map(Reason::code),
            self.from_tier.map(InvestmentTier::code),
            self.from_stage.map(Stage::code),
            self.to_tier.map(InvestmentTier::code),
            self.to_stage.map(Stage::code),
        ];
        GROUP
            .into_iter()
            .zip(codes)
            .fold(Condition::all(), |all, (column, code)| {
                all.add_option(code.map(|code| Expr::col((DIFFERENCE, column)).eq(code)))
            })
    }
}

/// The measures of a side of the difference, the sums in two parts each.
fn sums(side: &str) -> [(String, String); 7] {
    let of_kind = |kind: &str, value: &str| {
        format!(
            "CAST(COALESCE(SUM(CASE WHEN {side}_kind = '{kind}' THEN {value} ELSE 0 END), 0) AS BIGINT)"
        )
    };
    let high = format!("{side}_fen / {PART}");
    let low = format!("{side}_fen % {PART}");
    [
        ("count", format!("COUNT({side}_kind)")),
        ("exact_count", of_kind("exact", "1")),
        ("exact_high", of_kind("exact", &high)),
        ("exact_low", of_kind("exact", &low)),
        ("floor_count", of_kind("floor", "1")),
        ("floor_high", of_kind("floor", &high)),
        ("floor_low", of_kind("floor", &low)),
    ]
    .map(|(name, sql)| (format!("{side}_{name}"), sql))
}

fn measures(row: &QueryResult, side: &str) -> Result<Measures, Failure> {
    let number =
        |name: &str| i64::try_get(row, "", &format!("{side}_{name}")).map_err(|_| corrupt(name));
    let natural =
        |name: &str| number(name).and_then(|n| u64::try_from(n).map_err(|_| corrupt(name)));
    let sum =
        |high: &str, low: &str| Ok::<_, Failure>(Total::from_parts(number(high)?, number(low)?));
    let (all, exact, floor) = (
        natural("count")?,
        natural("exact_count")?,
        natural("floor_count")?,
    );
    Ok(Measures {
        count: all,
        exact_count: exact,
        exact_sum: sum("exact_high", "exact_low")?,
        floor_count: floor,
        floor_sum: sum("floor_high", "floor_low")?,
        undetermined: all.saturating_sub(exact).saturating_sub(floor),
        ..Measures::default()
    })
}

fn group(row: &QueryResult) -> Result<Group, Failure> {
    let reason: Option<String> = row.try_get("", "reason")?;
    Ok(Group {
        change: coded(Change::from_code, &row.try_get::<String>("", "change")?)?,
        reason: reason
            .map(|code| coded(Reason::from_code, &code))
            .transpose()?,
        from: cell(row, "from")?,
        to: cell(row, "to")?,
        before: measures(row, "from")?,
        after: measures(row, "to")?,
    })
}

fn cell(row: &QueryResult, side: &str) -> Result<Option<Cell>, Failure> {
    let tier: Option<String> = row.try_get("", &format!("{side}_tier"))?;
    let stage: Option<String> = row.try_get("", &format!("{side}_stage"))?;
    tier.zip(stage)
        .map(|(tier, stage)| {
            Ok(Cell {
                tier: coded(InvestmentTier::from_code, &tier)?,
                stage: coded(Stage::from_code, &stage)?,
            })
        })
        .transpose()
}

fn item(row: &QueryResult) -> Result<Item, Failure> {
    Ok(Item {
        id: row.try_get("", "id")?,
        name: row.try_get("", "name")?,
        region: row.try_get("", "region")?,
        before: stood(row, "from")?,
        after: stood(row, "to")?,
    })
}

fn stood(row: &QueryResult, side: &str) -> Result<Option<Stood>, Failure> {
    let Some(cell) = cell(row, side)? else {
        return Ok(None);
    };
    let condition: String = row.try_get("", &format!("{side}_condition"))?;
    let kind: String = row.try_get("", &format!("{side}_kind"))?;
    Ok(Some(Stood {
        cell,
        condition: coded(ProjectCondition::from_code, &condition)?,
        investment: investment(&kind, row.try_get("", &format!("{side}_fen"))?)?,
    }))
}
