//! Pages of projects.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{
    Expr, ExprTrait, JoinType, Order, Query, SelectStatement, SimpleExpr, UnionType,
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, FromQueryResult, Iterable, TryGetable};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::counting::{Frame, MEMBER, Rows};
use super::filter::{Filter, Scoped};
use super::project::Record;
use super::{Failure, list};
use crate::auth::Reach;
use crate::entity::project::{self, Column, Model};
use crate::page;

/// Of how many regions and units at the most each is paged by its own index; beyond, they are taken together.
const MAX_MERGED: usize = 32;

/// In what order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// By the latest change.
    UpdatedAt,
    /// By registration.
    CreatedAt,
    /// By name.
    Name,
    /// By total investment, the unknown as the least.
    TotalInvestment,
}

/// An order and its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By what.
    pub key: SortKey,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl Sort {
    /// The latest change first.
    pub const DEFAULT: Self = Self {
        key: SortKey::UpdatedAt,
        descending: true,
    };

    fn order(self) -> Order {
        if self.descending {
            Order::Desc
        } else {
            Order::Asc
        }
    }
}

impl SortKey {
    fn expr(self) -> SimpleExpr {
        match self {
            Self::UpdatedAt => Expr::col((project::Entity, Column::UpdatedAt)),
            Self::CreatedAt => Expr::col((project::Entity, Column::CreatedAt)),
            Self::Name => Expr::col((project::Entity, Column::Name)),
            // To the letter as the index has it.
            Self::TotalInvestment => Expr::cust("COALESCE(amount_fen, 0)"),
        }
    }

    /// Whether there is an index for this order within a region.
    const fn is_indexed_by_region(self) -> bool {
        match self {
            Self::UpdatedAt | Self::CreatedAt => true,
            Self::Name | Self::TotalInvestment => false,
        }
    }
}

/// Where a page ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Position {
    #[serde(rename = "t")]
    Instant(DateTime<Utc>),
    #[serde(rename = "n")]
    Name(String),
    #[serde(rename = "a")]
    Fen(i64),
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which projects.
    pub filter: Filter,
    /// Of what, and when.
    pub frame: Frame,
    /// In what order.
    pub sort: Sort,
    /// How many on a page.
    pub limit: u64,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// Whether to count them all.
    pub with_total: bool,
    /// The question in words, for its cursors.
    pub words: String,
}

/// One page of projects.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The projects.
    pub records: Vec<Record>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// How many there are.
    pub total: Option<u64>,
}

/// Answers one page.
///
/// # Errors
/// `validation_failed` for filters that mean nothing, `invalid_cursor`.
pub async fn answer(
    db: &impl ConnectionTrait,
    reach: &Reach,
    question: Question,
) -> Result<Answer, Failure> {
    let scoped = question
        .filter
        .clone()
        .within(db, reach, &question.frame)
        .await?;
    let rows = page_rows(db, &question, &scoped).await?;
    let (rows, next) = page::page_of(rows, question.limit, &question.words, |row| {
        (position(question.sort.key, row), row.id)
    });
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut lists = match question.frame.as_of {
        None => list::of_projects(db, &ids).await?,
        Some(_) => lists_then(db, &question.frame, &ids).await?,
    };
    let total = if question.with_total {
        Some(count(db, &question.frame, &scoped, Rows::Counted).await?)
    } else {
        None
    };
    Ok(Answer {
        records: rows
            .iter()
            .map(|row| Record::of(row, lists.remove(&row.id).unwrap_or_default()))
            .collect::<Result<_, _>>()?,
        next,
        total,
    })
}

fn position(key: SortKey, row: &Model) -> Position {
    match key {
        SortKey::UpdatedAt => Position::Instant(row.updated_at),
        SortKey::CreatedAt => Position::Instant(row.created_at),
        SortKey::Name => Position::Name(row.name.clone()),
        SortKey::TotalInvestment => Position::Fen(row.amount_fen.unwrap_or(0)),
    }
}

async fn page_rows(
    db: &impl ConnectionTrait,
    question: &Question,
    scoped: &Scoped,
) -> Result<Vec<Model>, Failure> {
    let after: Option<(Position, Uuid)> = question
        .cursor
        .as_ref()
        .map(|cursor| page::open(&question.words, cursor))
        .transpose()?;
    let backend = db.get_database_backend();
    let one = |condition: Condition| {
        let mut select = Query::select();
        select
            .columns(Column::iter().map(|column| (project::Entity, column)))
            .from(project::Entity)
            .cond_where(counted_only(scoped, &question.frame, condition));
        question.frame.limit(&mut select, Rows::Counted);
        if let Some(after) = &after {
            select.cond_where(comes_after(question.sort, after));
        }
        in_order(&mut select, question);
        select
    };
    let is_merged = question.sort.key.is_indexed_by_region() && question.frame.as_of.is_none();
    let parts = is_merged.then(|| scoped.parts(backend)).flatten();
    let select = match parts {
        Some(parts) if (2..=MAX_MERGED).contains(&parts.len()) => {
            merged(parts.into_iter().map(one).collect(), question)
        }
        Some(_) | None => one(scoped.condition(backend)),
    };
    question
        .frame
        .run(db, select)
        .await?
        .iter()
        .map(|row| Model::from_query_result(row, "").map_err(Failure::from))
        .collect()
}

/// The counted set leaves the withdrawn out; a plain list shows them.
pub(super) fn counted_only(scoped: &Scoped, frame: &Frame, condition: Condition) -> Condition {
    if frame.base.is_some() && scoped.leaves_withdrawn_out() {
        condition.add(Column::Condition.ne(domain::stage::Condition::Withdrawn.code()))
    } else {
        condition
    }
}

/// Each part's page by its own index, and the page of them all out of those.
fn merged(parts: Vec<SelectStatement>, question: &Question) -> SelectStatement {
    let mut pages = parts.into_iter().map(|select| {
        Query::select()
            .column(sea_orm::sea_query::Asterisk)
            .from_subquery(select, "page")
            .take()
    });
    let mut all = pages.next().unwrap_or_default();
    for page in pages {
        all.union(UnionType::All, page);
    }
    let mut select = Query::select();
    select
        .column(sea_orm::sea_query::Asterisk)
        .from_subquery(all, project::Entity);
    in_order(&mut select, question);
    select
}

fn in_order(select: &mut SelectStatement, question: &Question) {
    let order = question.sort.order();
    select
        .order_by_expr(question.sort.key.expr(), order.clone())
        .order_by((project::Entity, Column::Id), order)
        .limit(question.limit + 1);
}

/// Beyond the position, in the order of the sort.
fn comes_after(sort: Sort, (position, id): &(Position, Uuid)) -> SimpleExpr {
    let value: SimpleExpr = match position {
        Position::Instant(instant) => Expr::val(*instant),
        Position::Name(name) => Expr::val(name.clone()),
        Position::Fen(fen) => Expr::val(*fen),
    };
    let row = Expr::tuple([sort.key.expr(), Expr::col((project::Entity, Column::Id))]);
    let here = Expr::tuple([value, Expr::val(*id)]);
    if sort.descending {
        row.lt(here)
    } else {
        row.gt(here)
    }
}

/// How many rows of a frame there are.
pub(super) async fn count(
    db: &impl ConnectionTrait,
    frame: &Frame,
    scoped: &Scoped,
    rows: Rows,
) -> Result<u64, Failure> {
    let backend = db.get_database_backend();
    let mut select = Query::select();
    select
        .expr(Expr::col((project::Entity, Column::Id)).count())
        .from(project::Entity)
        .cond_where(counted_only(scoped, frame, scoped.condition(backend)));
    frame.limit(&mut select, rows);
    let rows = frame.run(db, select).await?;
    let Some(row) = rows.first() else {
        return Ok(0);
    };
    let count = i64::try_get_by_index(row, 0).map_err(|_| super::corrupt("count"))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// A project as it is named by its parts.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Whether it may be told to everybody.
    pub published: bool,
}

/// What projects were called at the frame's time, whoever may see them: that is all one may know of an ancestor out of
/// scope.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn names(
    db: &impl ConnectionTrait,
    frame: &Frame,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<BTreeMap<Uuid, Named>, Failure> {
    let mut select = Query::select();
    select
        .columns([Column::Id, Column::Name, Column::Published])
        .from(project::Entity)
        .and_where(Column::Id.is_in(ids));
    let mut names = BTreeMap::new();
    for row in frame.run(db, select).await? {
        let project = Named {
            name: row.try_get_by_index(1)?,
            published: row.try_get_by_index(2)?,
        };
        names.insert(row.try_get_by_index(0)?, project);
    }
    Ok(names)
}

/// On which lists projects stood at the frame's time.
async fn lists_then(
    db: &impl ConnectionTrait,
    frame: &Frame,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Vec<String>>, Failure> {
    let mut select = Query::select();
    select
        .column((MEMBER, "project_id"))
        .column((MEMBER, "list_code"))
        .from(MEMBER)
        .join(
            JoinType::InnerJoin,
            project::Entity,
            Expr::col((project::Entity, Column::Id)).equals((MEMBER, "project_id")),
        )
        .and_where(Column::Id.is_in(ids.iter().copied()))
        .order_by((MEMBER, "list_code"), Order::Asc);
    let mut lists = BTreeMap::<Uuid, Vec<String>>::new();
    for row in frame.run(db, select).await? {
        let id = Uuid::try_get_by_index(&row, 0).map_err(|_| super::corrupt("list"))?;
        let code = String::try_get_by_index(&row, 1).map_err(|_| super::corrupt("list"))?;
        lists.entry(id).or_default().push(code);
    }
    Ok(lists)
}
