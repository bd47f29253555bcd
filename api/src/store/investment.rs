//! Investment figures of a project by month.

use domain::money::Money;
use domain::monthly::{Figures, Month};
use domain::tier::Investment;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::project::{self, Held, Key};
use super::{Failure, Tx, corrupt, plan_year, row};
use crate::auth::{Principal, Reach};
use crate::entity::investment_month::{self, Column, Model};
use crate::precondition::Precondition;
use crate::problem::{Problem, kinds};

/// What is told of one month of a project.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// Which month.
    pub month: Month,
    /// What is told of it.
    pub figures: Figures,
    /// How often it was changed.
    pub version: i64,
}

/// All that the figures of a year are measured by.
#[derive(Clone, Debug)]
pub struct Account {
    /// The months that are told, to the end of the year, oldest first.
    pub months: Vec<Record>,
    /// The project's place in the year's annual plan, if it has one.
    pub annual_plan: Option<plan_year::Record>,
    /// The project's total investment.
    pub investment: Investment,
    /// The project's version.
    pub version: i64,
}

pub(super) fn record(row: &Model) -> Result<Record, Failure> {
    let month = u8::try_from(row.month).ok();
    let month = month.and_then(|number| Month::new(row.year, number));
    let amount = |fen: Option<i64>| fen.map(row::money).transpose();
    Ok(Record {
        month: month.ok_or_else(|| corrupt("month"))?,
        figures: Figures {
            completed: amount(row.completed_fen)?,
            statistics: amount(row.statistics_fen)?,
            allocated: amount(row.allocated_fen)?,
            received: amount(row.received_fen)?,
            paid: amount(row.paid_fen)?,
        },
        version: row.version,
    })
}

/// The figures of a project to the end of a year, and what they are measured by.
///
/// # Errors
/// `not_found` if the project is absent or out of scope.
pub async fn account(
    db: &impl ConnectionTrait,
    reach: &Reach,
    id: Uuid,
    year: i32,
) -> Result<Account, Failure> {
    let project = project::need(db, reach, Key::Id(id)).await?;
    let rows = investment_month::Entity::find()
        .filter(Column::ProjectId.eq(id))
        .filter(Column::Year.lte(year))
        .filter(Column::SupersededAt.is_null())
        .order_by_asc(Column::Year)
        .order_by_asc(Column::Month)
        .all(db)
        .await?;
    let plans = plan_year::all(db, reach, id).await?;
    Ok(Account {
        months: rows.iter().map(record).collect::<Result<_, _>>()?,
        annual_plan: plans.into_iter().find(|plan| plan.year == year),
        investment: row::investment(&project.amount_kind, project.amount_fen)?,
        version: project.version,
    })
}

/// What is told of one month.
///
/// # Errors
/// `not_found` if nothing is, or the project is absent or out of scope.
pub async fn read(
    db: &impl ConnectionTrait,
    reach: &Reach,
    id: Uuid,
    month: Month,
) -> Result<Record, Failure> {
    project::need(db, reach, Key::Id(id)).await?;
    let found = find(db, id, month).await?;
    record(&found.ok_or_else(Problem::not_found)?)
}

/// Enters the figures of a month, or corrects them.
///
/// # Errors
/// 403, `cover_has_no_stage`, `month_in_future`, a failed precondition.
pub async fn put(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    month: Month,
    precondition: Precondition,
    figures: Figures,
) -> Result<Record, Failure> {
    let held = hold(tx, principal, id).await?;
    refuse_future(tx, month)?;
    let before = find(&tx.db, id, month).await?;
    let before = before.as_ref().map(record).transpose()?;
    precondition.check(before.map(|record| record.version))?;
    if let Some(same) = before.filter(|record| record.figures == figures) {
        return Ok(same);
    }
    let after = Record {
        month,
        figures,
        version: next_version(tx, id, month).await?,
    };
    supersede(tx, id, month).await?;
    investment_month::Entity::insert(new_row(tx, id, &after))
        .exec_without_returning(&tx.db)
        .await?;
    let before = before.as_ref().map(told);
    held.changed_beside(tx, "invested", before, Some(told(&after)))
        .await?;
    Ok(after)
}

/// Takes the figures of a month back, as if nothing had been told.
///
/// # Errors
/// 403, `cover_has_no_stage`, `not_found`, 412.
pub async fn remove(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    month: Month,
    seen: i64,
) -> Result<(), Failure> {
    let held = hold(tx, principal, id).await?;
    let found = find(&tx.db, id, month).await?;
    let before = record(&found.ok_or_else(Problem::not_found)?)?;
    Precondition::Version(seen).check(Some(before.version))?;
    supersede(tx, id, month).await?;
    held.changed_beside(tx, "uninvested", Some(told(&before)), None)
        .await?;
    Ok(())
}

async fn hold(tx: &Tx, principal: &Principal, id: Uuid) -> Result<Held, Failure> {
    let held = project::hold(tx, principal, id, None).await?;
    if held.is_cover() {
        return Err(Problem::new(kinds::COVER_HAS_NO_STAGE)
            .say(
                "打捆项目本身不填投资完成情况，请在其子项上填报",
                "A cover holds no figures of its own; enter those of its parts",
            )
            .into());
    }
    Ok(held)
}

fn refuse_future(tx: &Tx, month: Month) -> Result<(), Problem> {
    if !month.is_after(tx.today) {
        return Ok(());
    }
    let this = tx.today.format("%Y-%m");
    Err(Problem::new(kinds::MONTH_IN_FUTURE).say(
        format!("最晚可填报本月（{this}）"),
        format!("The present month ({this}) is the last of which figures are taken"),
    ))
}

pub(super) fn of_month(id: Uuid, month: Month) -> Condition {
    Condition::all()
        .add(Column::ProjectId.eq(id))
        .add(Column::Year.eq(month.year()))
        .add(Column::Month.eq(i32::from(month.number())))
}

async fn find(db: &impl ConnectionTrait, id: Uuid, month: Month) -> Result<Option<Model>, Failure> {
    Ok(investment_month::Entity::find()
        .filter(of_month(id, month))
        .filter(Column::SupersededAt.is_null())
        .one(db)
        .await?)
}

/// Versions go on after a removal, so that an old `ETag` never fits a new entry.
async fn next_version(tx: &Tx, id: Uuid, month: Month) -> Result<i64, Failure> {
    let last = investment_month::Entity::find()
        .filter(of_month(id, month))
        .order_by_desc(Column::Version)
        .one(&tx.db)
        .await?;
    Ok(last.map_or(1, |row| row.version + 1))
}

async fn supersede(tx: &Tx, id: Uuid, month: Month) -> Result<(), Failure> {
    investment_month::Entity::update_many()
        .col_expr(Column::SupersededAt, Expr::value(tx.now()))
        .filter(of_month(id, month))
        .filter(Column::SupersededAt.is_null())
        .exec(&tx.db)
        .await?;
    Ok(())
}

fn new_row(tx: &Tx, id: Uuid, record: &Record) -> investment_month::ActiveModel {
    let Figures {
        completed,
        statistics,
        allocated,
        received,
        paid,
    } = record.figures;
    investment_month::ActiveModel {
        project_id: Set(id),
        year: Set(record.month.year()),
        month: Set(record.month.number().into()),
        completed_fen: Set(completed.map(Money::fen)),
        statistics_fen: Set(statistics.map(Money::fen)),
        allocated_fen: Set(allocated.map(Money::fen)),
        received_fen: Set(received.map(Money::fen)),
        paid_fen: Set(paid.map(Money::fen)),
        version: Set(record.version),
        recorded_at: Set(tx.now()),
        superseded_at: Set(None),
    }
}

pub(super) fn told(record: &Record) -> Value {
    let figures = record.figures;
    json!({
        "year": record.month.year(),
        "month": record.month.number(),
        "completed": figures.completed,
        "statistics": figures.statistics,
        "funds_allocated": figures.allocated,
        "funds_received": figures.received,
        "funds_paid": figures.paid,
    })
}
