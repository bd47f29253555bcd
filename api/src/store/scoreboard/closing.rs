//! Periods of the scoreboard that are closed: each closing holds the instant, and stays when a period is reopened.

use chrono::{DateTime, Utc};
use domain::scoreboard::Period;
use sea_orm::prelude::Json;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;

use super::need_manager_of_all;
use super::places::Places;
use super::scheme::{self, NAME, Record};
use crate::auth::Principal;
use crate::entity::project_version;
use crate::entity::scoreboard_closing::{ActiveModel, Column, Entity, Model};
use crate::page;
use crate::precondition::Precondition;
use crate::problem::{Fault, Problem};
use crate::store::counting::known;
use crate::store::{Failure, Tx, corrupt, event, rollup};

/// A closed period.
#[derive(Clone, Debug)]
pub struct Closing {
    /// The period.
    pub period: Period,
    /// How often it was closed; its ETag.
    pub version: i64,
    /// The instant whose knowledge it keeps.
    pub closed_at: DateTime<Utc>,
    /// The scheme of then.
    pub scheme: Record,
    /// The regions of then.
    pub(super) places: Places,
}

fn closing(row: Model) -> Result<Closing, Failure> {
    let Model {
        period,
        version,
        scheme_version,
        scheme,
        places,
        recorded_at,
        superseded_at: _,
        reopened_for: _,
    } = row;
    Ok(Closing {
        period: Period::parse(&period).map_err(|_| corrupt(&period))?,
        version,
        closed_at: recorded_at,
        scheme: Record {
            version: scheme_version,
            recorded_at: None,
            scheme: scheme::read(scheme)?,
        },
        places: serde_json::from_value(places).map_err(|_| corrupt("regions"))?,
    })
}

/// How a period is closed, as it was known then, or is now; none if it is open.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn find(
    db: &impl ConnectionTrait,
    period: Period,
    as_of: Option<DateTime<Utc>>,
) -> Result<Option<Closing>, Failure> {
    let row = Entity::find()
        .filter(Column::Period.eq(period.to_string()))
        .filter(known(as_of, Column::RecordedAt, Column::SupersededAt))
        .one(db)
        .await?;
    row.map(closing).transpose()
}

/// One closed period.
///
/// # Errors
/// `not_found` if it is open.
pub async fn read(db: &impl ConnectionTrait, period: Period) -> Result<Closing, Failure> {
    let found = find(db, period, None).await?;
    found.ok_or_else(|| Problem::not_found().into())
}

/// Whether a period that is or was closed tells of a region.
pub(crate) async fn tells_of(db: &impl ConnectionTrait, region: &str) -> Result<bool, Failure> {
    let all = Entity::find().select_only().column(Column::Places);
    for places in all.into_tuple::<Json>().all(db).await? {
        let places: Places = serde_json::from_value(places).map_err(|_| corrupt("regions"))?;
        if places.has(region) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A page of the periods that are closed, the latest year first.
///
/// # Errors
/// `invalid_cursor`.
pub async fn list_page(
    db: &impl ConnectionTrait,
    limit: u64,
    cursor: Option<&str>,
) -> Result<(Vec<Closing>, Option<String>), Failure> {
    let mut query = Entity::find()
        .filter(Column::SupersededAt.is_null())
        .order_by_desc(Column::Period)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(Column::Period.lt(page::open::<String>(NAME, cursor)?));
    }
    let (rows, next) = page::page_of(query.all(db).await?, limit, NAME, |row| row.period.clone());
    let closings: Result<_, Failure> = rows.into_iter().map(closing).collect();
    Ok((closings?, next))
}

/// Closes a period that is over: from now on its ranking is that of this instant.
///
/// # Errors
/// 403 for who is not a manager of the whole library, 412, `validation_failed` before the period is over or the library
/// has begun.
pub async fn close(
    tx: &Tx,
    principal: &Principal,
    period: Period,
    precondition: Precondition,
) -> Result<Closing, Failure> {
    need_manager_of_all(tx, principal).await?;
    tx.alone_with_the_library().await?;
    let last = last(tx, period).await?;
    let present = last.clone().filter(|row| row.superseded_at.is_none());
    precondition.check(present.as_ref().map(|row| row.version))?;
    if let Some(present) = present {
        return closing(present);
    }
    may_be_closed(tx, period).await?;
    tx.comes_after(last.as_ref().and_then(|row| row.superseded_at));
    let closed = Closing {
        period,
        version: last.map_or(1, |row| row.version + 1),
        closed_at: tx.now(),
        scheme: scheme::find(&tx.db, None).await?,
        places: Places::read(&tx.db, None).await?,
    };
    let row = ActiveModel {
        period: Set(period.to_string()),
        version: Set(closed.version),
        scheme_version: Set(closed.scheme.version),
        scheme: Set(scheme::told(&closed.scheme.scheme)?),
        places: Set(serde_json::to_value(&closed.places).map_err(|_| corrupt("regions"))?),
        recorded_at: Set(tx.now()),
        superseded_at: Set(None),
        reopened_for: Set(None),
    };
    Entity::insert(row).exec_without_returning(&tx.db).await?;
    rollup::touch(tx).await?;
    let done = event::Entry::of_code(NAME, &period.to_string(), "period_closed", closed.version);
    let after = json!({ "scheme_version": closed.scheme.version });
    event::record(tx, done.changing(None, Some(after))).await?;
    Ok(closed)
}

/// Reopens a period: its ranking is that of the present again. What was closed stays known, for `as_of`.
///
/// # Errors
/// 403 for who is not a manager of the whole library, `not_found` if it is open, 412.
pub async fn reopen(
    tx: &Tx,
    principal: &Principal,
    period: Period,
    seen: i64,
    reason: &str,
) -> Result<(), Failure> {
    need_manager_of_all(tx, principal).await?;
    tx.alone_with_the_library().await?;
    let closing = read(&tx.db, period).await?;
    Precondition::Version(seen).check(Some(closing.version))?;
    tx.comes_after(Some(closing.closed_at));
    Entity::update_many()
        .col_expr(Column::SupersededAt, Expr::value(tx.now()))
        .col_expr(Column::ReopenedFor, Expr::value(reason))
        .filter(Column::Period.eq(period.to_string()))
        .filter(Column::SupersededAt.is_null())
        .exec(&tx.db)
        .await?;
    rollup::touch(tx).await?;
    let done = event::Entry::of_code(
        NAME,
        &period.to_string(),
        "period_reopened",
        closing.version,
    );
    let before =
        json!({ "closed_at": closing.closed_at, "scheme_version": closing.scheme.version });
    event::record(
        tx,
        done.changing(Some(before), Some(json!({ "reason": reason }))),
    )
    .await
}

/// The last closing of a period, which may have been reopened.
async fn last(tx: &Tx, period: Period) -> Result<Option<Model>, Failure> {
    Ok(Entity::find()
        .filter(Column::Period.eq(period.to_string()))
        .order_by_desc(Column::Version)
        .one(&tx.db)
        .await?)
}

/// A period that runs may still bring something; and of a time before the first project, nothing is known.
async fn may_be_closed(tx: &Tx, period: Period) -> Result<(), Failure> {
    let last = period.last();
    let fault = if tx.today <= last {
        Fault::parameter(
            "period",
            "period_not_over",
            format!("该期到 {last} 才结束，尚不能关账"),
            format!("The period ends on {last}; until it is over it can't be closed"),
        )
    } else if project_version::Entity::find()
        .limit(1)
        .count(&tx.db)
        .await?
        == 0
    {
        Fault::parameter(
            "period",
            "library_not_begun",
            "库中还没有项目，无可关账",
            "There is no project in the library yet, and so nothing to close",
        )
    } else {
        return Ok(());
    };
    Err(Problem::invalid(vec![fault]).into())
}
