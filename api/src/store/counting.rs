//! The counted set as SQL, at any time that is known; the tests hold it to `domain::family::counted_set`.
//!
//! A query is written against `project`, [`MEMBER`], [`PLAN`] and [`SPAN`]. For the past, common table expressions of
//! the same names take the place of what is known now, so that every query can be asked of any instant.

use chrono::{DateTime, Utc};
use domain::family::{FamilyCounting, Level};
use sea_orm::sea_query::{
    CommonTableExpression, Expr, ExprTrait, JoinType, Query, SelectStatement, SimpleExpr,
    UnionType, WithClause,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, Iterable, QueryResult};

use crate::entity::project::{self, Column};
use crate::entity::{accounting_span, investment_month, list_member, plan_year, project_version};

/// Who stands on which list: `list_code`, `project_id`.
pub(crate) const MEMBER: &str = "member";
/// Who is in which annual plan: `project_id`, `year`, `planned_fen`.
pub(crate) const PLAN: &str = "plan";
/// In which years who stands in which line of the accounts: `project_id`, `line`, `from_year`, `to_year`,
/// `previous_year`, `landed_after`, `happened_on`.
pub(crate) const SPAN: &str = "span";
/// What was told of a month: `project_id`, `year`, `month`, `completed_fen`, `allocated_fen`, `received_fen`.
pub(crate) const INVESTED: &str = "invested";
/// On a list, with the parts of covers: `base`, `id`.
const ON_LIST: &str = "on_list";
/// Inside a whole that stands on the list: `base`, `id`.
const INSIDE: &str = "inside";
/// The counted set of each base: `base`, `id`.
pub(crate) const COUNTED: &str = "counted";

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Base {
    /// 全部项目.
    Portfolio,
    /// The union of these lists, as one list.
    Lists(Vec<String>),
    /// Each list by itself: these, or all if none is named.
    EachList(Vec<String>),
}

impl Base {
    /// How it is written in an answer and in a link.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::Portfolio => "portfolio".to_owned(),
            Self::Lists(codes) | Self::EachList(codes) => format!("list:{}", codes.join(",")),
        }
    }
}

/// At which time, of what, and how deep.
#[derive(Clone, Debug)]
pub struct Frame {
    /// As it was known then; now if none.
    pub as_of: Option<DateTime<Utc>>,
    /// What is counted; none for the projects as they are, counted or not.
    pub base: Option<Base>,
    /// By project or by part.
    pub level: Level,
}

/// Which rows of a frame a query is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// The counted ones.
    Counted,
    /// Those that are counted within a parent.
    WithinParent,
    /// Wholes that are broken down.
    BrokenDown,
}

impl Frame {
    /// The lists that are counted, by name.
    pub(crate) fn lists(&self) -> &[String] {
        match &self.base {
            Some(Base::Lists(codes) | Base::EachList(codes)) => codes,
            Some(Base::Portfolio) | None => &[],
        }
    }

    /// Limits a select on `project` to the rows asked for.
    pub(crate) fn limit(&self, select: &mut SelectStatement, rows: Rows) {
        match (&self.base, rows) {
            (None, _) => {}
            (Some(Base::Portfolio), Rows::Counted) => {
                select.and_where(match self.level {
                    Level::Project => Column::CountsByProject.eq(true),
                    Level::Part => Column::CountsByPart.eq(true),
                });
            }
            (Some(Base::Portfolio), Rows::WithinParent) => {
                select.cond_where(
                    Condition::all()
                        .add(Column::CountsByProject.eq(false))
                        .add(is_not_cover()),
                );
            }
            (Some(Base::Portfolio), Rows::BrokenDown) => {
                select.cond_where(is_broken_down());
            }
            (Some(Base::Lists(_) | Base::EachList(_)), Rows::Counted) => {
                select.join(
                    JoinType::InnerJoin,
                    COUNTED,
                    Expr::col((COUNTED, "id")).equals((project::Entity, Column::Id)),
                );
            }
            (Some(Base::Lists(_) | Base::EachList(_)), Rows::WithinParent) => {
                select.cond_where(
                    Condition::all()
                        .add(is_among(ON_LIST))
                        .add(is_among(INSIDE))
                        .add(is_not_cover()),
                );
            }
            (Some(Base::Lists(_) | Base::EachList(_)), Rows::BrokenDown) => {
                select.cond_where(
                    is_broken_down().add(
                        Condition::any()
                            .add(is_among(ON_LIST))
                            .add(is_among(INSIDE)),
                    ),
                );
            }
        }
    }

    /// Whether a project is in the counted set, for a select that looks at others too.
    pub(crate) fn is_counted(&self) -> SimpleExpr {
        match (&self.base, self.level) {
            (None, _) => Expr::val(1).eq(1),
            (Some(Base::Portfolio), Level::Project) => Column::CountsByProject.eq(true),
            (Some(Base::Portfolio), Level::Part) => Column::CountsByPart.eq(true),
            (Some(Base::Lists(_) | Base::EachList(_)), _) => is_among(COUNTED),
        }
    }

    /// Runs a select on `project`, [`MEMBER`], [`PLAN`] and [`SPAN`] at the frame's time.
    pub(crate) async fn run(
        &self,
        db: &impl ConnectionTrait,
        select: SelectStatement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        db.query_all(&self.tables().query(select)).await
    }

    /// What a select at the frame's time is written against.
    pub(crate) fn tables(&self) -> WithClause {
        let mut with = WithClause::new().recursive(true).to_owned();
        if let Some(instant) = self.as_of {
            with.cte(past_projects(instant));
        }
        with.cte(members(self.as_of))
            .cte(plans(self.as_of))
            .cte(spans(self.as_of))
            .cte(investments(self.as_of));
        if let Some(Base::Lists(codes) | Base::EachList(codes)) = &self.base {
            let each = matches!(self.base, Some(Base::EachList(_)));
            with.cte(on_list(codes, each))
                .cte(inside())
                .cte(counted(self.level));
        }
        with
    }
}

fn is_broken_down() -> Condition {
    Condition::all()
        .add(Column::CountsByPart.eq(false))
        .add(is_not_cover())
}

fn is_not_cover() -> SimpleExpr {
    Column::FamilyCounting.ne(FamilyCounting::Parts.code())
}

fn is_among(table: &'static str) -> SimpleExpr {
    let ids = Query::select().column((table, "id")).from(table).take();
    Expr::col((project::Entity, Column::Id)).in_subquery(ids)
}

fn table(
    name: &'static str,
    columns: &[&'static str],
    query: SelectStatement,
) -> CommonTableExpression {
    CommonTableExpression::new()
        .table_name(name)
        .columns(columns.iter().copied())
        .query(query)
        .to_owned()
}

/// `project` as it was known at an instant.
fn past_projects(instant: DateTime<Utc>) -> CommonTableExpression {
    let columns: Vec<Column> = Column::iter().collect();
    let mut select = Query::select();
    for column in &columns {
        select.column((project_version::Entity, *column));
    }
    select.from(project_version::Entity).cond_where(known(
        Some(instant),
        project_version::Column::UpdatedAt,
        project_version::Column::SupersededAt,
    ));
    CommonTableExpression::new()
        .table_name(project::Entity)
        .columns(columns)
        .query(select.take())
        .to_owned()
}

/// What was known at an instant, of rows that have the time they were known; what is known now if none.
pub(crate) fn known<C: ColumnTrait>(
    as_of: Option<DateTime<Utc>>,
    recorded_at: C,
    superseded_at: C,
) -> Condition {
    match as_of {
        None => Condition::all().add(superseded_at.is_null()),
        Some(instant) => Condition::all().add(recorded_at.lte(instant)).add(
            Condition::any()
                .add(superseded_at.is_null())
                .add(superseded_at.gt(instant)),
        ),
    }
}

fn members(as_of: Option<DateTime<Utc>>) -> CommonTableExpression {
    use list_member::{Column, Entity};
    let select = Query::select()
        .columns([Column::ListCode, Column::ProjectId])
        .from(Entity)
        .cond_where(known(as_of, Column::RecordedAt, Column::SupersededAt))
        .take();
    table(MEMBER, &["list_code", "project_id"], select)
}

fn plans(as_of: Option<DateTime<Utc>>) -> CommonTableExpression {
    use plan_year::{Column, Entity};
    let select = Query::select()
        .columns([Column::ProjectId, Column::Year, Column::PlannedFen])
        .from(Entity)
        .cond_where(known(as_of, Column::RecordedAt, Column::SupersededAt))
        .take();
    table(PLAN, &["project_id", "year", "planned_fen"], select)
}

fn spans(as_of: Option<DateTime<Utc>>) -> CommonTableExpression {
    use accounting_span::{Column, Entity};
    let columns = [
        Column::ProjectId,
        Column::Line,
        Column::FromYear,
        Column::ToYear,
        Column::PreviousYear,
        Column::LandedAfter,
        Column::HappenedOn,
    ];
    let select = Query::select()
        .columns(columns)
        .from(Entity)
        .cond_where(known(as_of, Column::RecordedAt, Column::SupersededAt))
        .take();
    CommonTableExpression::new()
        .table_name(SPAN)
        .columns(columns)
        .query(select)
        .to_owned()
}

fn investments(as_of: Option<DateTime<Utc>>) -> CommonTableExpression {
    use investment_month::{Column, Entity};
    let columns = [
        Column::ProjectId,
        Column::Year,
        Column::Month,
        Column::CompletedFen,
        Column::AllocatedFen,
        Column::ReceivedFen,
    ];
    let select = Query::select()
        .columns(columns)
        .from(Entity)
        .cond_where(known(as_of, Column::RecordedAt, Column::SupersededAt))
        .take();
    CommonTableExpression::new()
        .table_name(INVESTED)
        .columns(columns)
        .query(select)
        // A query that reads it twice would else have it made whole first, of the whole library.
        .materialized(false)
        .to_owned()
}

/// The members, and of each cover among them its parts, recursively.
fn on_list(codes: &[String], each: bool) -> CommonTableExpression {
    let base = if each {
        Expr::col((MEMBER, "list_code"))
    } else {
        Expr::val("").cast_as("text")
    };
    let mut first = Query::select();
    first.expr(base).column((MEMBER, "project_id")).from(MEMBER);
    if !codes.is_empty() {
        first.and_where(Expr::col((MEMBER, "list_code")).is_in(codes.iter().map(String::as_str)));
    }
    let parts = parts_of(ON_LIST, Some(FamilyCounting::Parts));
    table(
        ON_LIST,
        &["base", "id"],
        first.union(UnionType::Distinct, parts).take(),
    )
}

/// All that is inside a whole on the list.
fn inside() -> CommonTableExpression {
    let mut first = parts_of(ON_LIST, Some(FamilyCounting::Whole));
    let further = parts_of(INSIDE, None);
    table(
        INSIDE,
        &["base", "id"],
        first.union(UnionType::Distinct, further).take(),
    )
}

/// The direct parts of the rows of `above`, of those that count their family in this way.
fn parts_of(above: &'static str, counting: Option<FamilyCounting>) -> SelectStatement {
    const PARENT: &str = "parent";
    const CHILD: &str = "child";
    let mut select = Query::select();
    select
        .column((above, "base"))
        .column((CHILD, Column::Id))
        .from(above)
        .join_as(
            JoinType::InnerJoin,
            project::Entity,
            PARENT,
            Expr::col((PARENT, Column::Id)).equals((above, "id")),
        )
        .join_as(
            JoinType::InnerJoin,
            project::Entity,
            CHILD,
            Expr::col((CHILD, Column::ParentId)).equals((PARENT, Column::Id)),
        );
    if let Some(counting) = counting {
        select.and_where(Expr::col((PARENT, Column::FamilyCounting)).eq(counting.code()));
    }
    select
}

fn counted(level: Level) -> CommonTableExpression {
    let inside_too = Query::select()
        .expr(Expr::val(1))
        .from(INSIDE)
        .and_where(Expr::col((INSIDE, "base")).equals((ON_LIST, "base")))
        .and_where(Expr::col((INSIDE, "id")).equals((ON_LIST, "id")))
        .take();
    let mut select = rows_of(ON_LIST);
    select
        .and_where(is_not_cover())
        .and_where(Expr::exists(inside_too).not());
    if level == Level::Part {
        let mut broken_down = rows_of(INSIDE);
        broken_down.and_where(Column::CountsByPart.eq(true));
        select
            .and_where(Column::CountsByPart.eq(true))
            .union(UnionType::Distinct, broken_down);
    }
    table(COUNTED, &["base", "id"], select.take())
}

fn rows_of(table: &'static str) -> SelectStatement {
    Query::select()
        .column((table, "base"))
        .column((table, "id"))
        .from(table)
        .join(
            JoinType::InnerJoin,
            project::Entity,
            Expr::col((project::Entity, Column::Id)).equals((table, "id")),
        )
        .take()
}
