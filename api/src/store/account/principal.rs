//! Who asks: the account of a sign-in with all rights, read at each request, so that what is taken away is gone
//! at the next.

use std::collections::BTreeSet;
use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, Utc};
use ipnet::IpNet;
use sea_orm::prelude::Json;
use sea_orm::sea_query::{Cond, Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, FromQueryResult, QueryResult};
use uuid::Uuid;

use crate::auth::policy::Standing;
use crate::auth::principal::{Grant, Rights};
use crate::auth::reach::Extent;
use crate::auth::token::Claims;
use crate::auth::{Policy, Principal, Role, Scope};
use crate::entity::{
    account, account_grant, account_password, region_closure, second_factor, service_account,
    session,
};
use crate::store::rollup::State;
use crate::store::row::strings;
use crate::store::{Db, Failure, corrupt};

use super::service::SERVICE;

#[derive(FromQueryResult)]
struct Row {
    username: String,
    display_name: String,
    method: String,
    scopes: Option<Json>,
    is_one_time: Option<bool>,
    set_at: Option<DateTime<Utc>>,
    confirmed_at: Option<DateTime<Utc>>,
    service_until: Option<DateTime<Utc>>,
    addresses: Option<Json>,
}

/// One region of one right; nothing of it where there is no right.
#[derive(FromQueryResult)]
struct GrantRow {
    grant_id: Option<Uuid>,
    role: Option<String>,
    region: Option<String>,
    unit: Option<String>,
    valid_until: Option<NaiveDate>,
    descendant: Option<String>,
}

/// An account whose rights are asked for without a sign-in of it.
#[derive(FromQueryResult)]
struct Absent {
    kind: String,
    scopes: Option<Json>,
    service_until: Option<DateTime<Utc>>,
}

/// The person or the system of a sign-in that is in force, with all rights; one query.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn principal(
    db: &Db,
    policy: &Policy,
    claims: &Claims,
    source: Option<IpAddr>,
) -> Result<Option<Principal>, Failure> {
    let now = db.clock().now();
    let rows = db.reader().query_all(&question(db, claims, now)).await?;
    of(&rows, policy, claims, source, now)
}

/// The same, with where the data stood; one query too.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn principal_and_state(
    db: &Db,
    policy: &Policy,
    claims: &Claims,
    source: Option<IpAddr>,
) -> Result<Option<(Principal, State)>, Failure> {
    let now = db.clock().now();
    let mut question = question(db, claims, now);
    State::beside(&mut question);
    let rows = db.reader().query_all(&question).await?;
    let state = rows.first().map(State::of).transpose()?;
    Ok(of(&rows, policy, claims, source, now)?.zip(state))
}

fn of(
    rows: &[QueryResult],
    policy: &Policy,
    claims: &Claims,
    source: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<Option<Principal>, Failure> {
    let grants = grants_of(rows)?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let row = Row::from_query_result(row, "")?;
    if row.method == session::CLIENT && !is_welcome(&row, source, now) {
        return Ok(None);
    }
    let standing = Standing {
        is_one_time: row.is_one_time.unwrap_or_default(),
        password_set_at: row.set_at,
        has_second_factor: row.confirmed_at.is_some(),
    };
    let restriction = (row.method == session::PASSWORD)
        .then(|| policy.restriction(standing, &grants, now))
        .flatten();
    Ok(Some(Principal {
        id: claims.sub,
        session: claims.sid,
        username: row.username,
        display_name: row.display_name,
        grants,
        restriction,
        scopes: row.scopes.map(|scopes| scopes_of(&scopes)),
        has_second_factor: standing.has_second_factor,
    }))
}

/// Whether a system may still come, and from there.
fn is_welcome(row: &Row, source: Option<IpAddr>, now: DateTime<Utc>) -> bool {
    let listed = row.addresses.as_ref().map(strings).unwrap_or_default();
    row.service_until.is_some_and(|until| now < until) && is_listed(&listed, source)
}

/// Whether an address is on a list; an empty list has every address.
pub(crate) fn is_listed(addresses: &[String], source: Option<IpAddr>) -> bool {
    let nets = addresses.iter().filter_map(|net| net.parse::<IpNet>().ok());
    addresses.is_empty()
        || source.is_some_and(|source| nets.into_iter().any(|n| n.contains(&source)))
}

fn scopes_of(stored: &Json) -> BTreeSet<Scope> {
    let codes = strings(stored);
    codes.iter().filter_map(|c| Scope::from_code(c)).collect()
}

/// The rights of rows, of which there is one for each region of each grant.
fn grants_of(rows: &[QueryResult]) -> Result<Vec<Grant>, Failure> {
    let mut rows: Vec<GrantRow> = rows
        .iter()
        .map(|row| GrantRow::from_query_result(row, ""))
        .collect::<Result<_, _>>()?;
    rows.sort_by_key(|row| row.grant_id);
    let mut grants: Vec<Grant> = Vec::new();
    let mut last: Option<Uuid> = None;
    for row in &rows {
        let (Some(id), Some(role)) = (row.grant_id, &row.role) else {
            continue;
        };
        if last != Some(id) {
            last = Some(id);
            grants.push(Grant {
                role: Role::from_code(role).ok_or_else(|| corrupt(role))?,
                region: row.region.clone(),
                valid_until: row.valid_until,
                extent: Extent {
                    regions: row.region.is_some().then(BTreeSet::new),
                    unit: row.unit.clone(),
                },
            });
        }
        if let (Some(grant), Some(within)) = (grants.last_mut(), &row.descendant)
            && let Some(regions) = &mut grant.extent.regions
        {
            regions.insert(within.clone());
        }
    }
    Ok(grants)
}

/// What an account may do that is not asking now; none if it may not come any more.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn rights(db: &Db, account: Uuid) -> Result<Option<Rights>, Failure> {
    let now = db.clock().now();
    let mut select = Query::select();
    select
        .column((account::Entity, account::Column::Kind))
        .column((service_account::Entity, service_account::Column::Scopes))
        .expr_as(
            Expr::col((service_account::Entity, service_account::Column::ExpiresAt)),
            "service_until",
        )
        .from(account::Entity)
        .left_join(
            service_account::Entity,
            Expr::col((service_account::Entity, service_account::Column::AccountId))
                .equals((account::Entity, account::Column::Id)),
        )
        .and_where(Expr::col((account::Entity, account::Column::Id)).eq(account))
        .and_where(account::Column::DisabledAt.is_null());
    with_grants(&mut select, db.clock().day_of(now));
    let rows = db.reader().query_all(&select).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let row = Absent::from_query_result(row, "")?;
    let is_system = row.kind == SERVICE;
    if is_system && row.service_until.is_none_or(|until| until <= now) {
        return Ok(None);
    }
    Ok(Some(Rights {
        grants: grants_of(&rows)?,
        scopes: is_system.then(|| row.scopes.as_ref().map(scopes_of).unwrap_or_default()),
    }))
}

fn question(db: &Db, claims: &Claims, now: DateTime<Utc>) -> SelectStatement {
    let mut select = Query::select();
    select
        .columns([
            (account::Entity, account::Column::Username),
            (account::Entity, account::Column::DisplayName),
        ])
        .columns([
            (session::Entity, session::Column::Method),
            (session::Entity, session::Column::Scopes),
        ])
        .columns([
            (
                account_password::Entity,
                account_password::Column::IsOneTime,
            ),
            (account_password::Entity, account_password::Column::SetAt),
        ])
        .column((second_factor::Entity, second_factor::Column::ConfirmedAt))
        .expr_as(
            Expr::col((service_account::Entity, service_account::Column::ExpiresAt)),
            "service_until",
        )
        .column((service_account::Entity, service_account::Column::Addresses))
        .from(session::Entity)
        .join(
            JoinType::InnerJoin,
            account::Entity,
            Expr::col((account::Entity, account::Column::Id))
                .equals((session::Entity, session::Column::AccountId)),
        );
    let mut beside = |table: &'static str, column: &'static str| {
        select.left_join(
            table,
            Expr::col((table, column)).equals((account::Entity, account::Column::Id)),
        );
    };
    beside("account_password", "account_id");
    beside("second_factor", "account_id");
    beside("service_account", "account_id");
    with_grants(&mut select, db.clock().day_of(now));
    select
        .and_where(session::Column::Id.eq(claims.sid))
        .and_where(session::Column::AccountId.eq(claims.sub))
        .and_where(session::Column::EndedAt.is_null())
        .and_where(session::Column::AbsoluteUntil.gt(now))
        .and_where(account::Column::DisabledAt.is_null())
        .to_owned()
}

/// Adds the rights that an account has on a day, as [`GrantRow`] reads them.
fn with_grants(select: &mut SelectStatement, today: NaiveDate) {
    let in_force = Cond::all()
        .add(
            Expr::col((account_grant::Entity, account_grant::Column::AccountId))
                .equals((account::Entity, account::Column::Id)),
        )
        .add(account_grant::Column::State.eq("granted"))
        .add(
            account_grant::Column::ValidFrom
                .is_null()
                .or(account_grant::Column::ValidFrom.lte(today)),
        )
        .add(
            account_grant::Column::ValidUntil
                .is_null()
                .or(account_grant::Column::ValidUntil.gte(today)),
        );
    select
        .expr_as(
            Expr::col((account_grant::Entity, account_grant::Column::Id)),
            "grant_id",
        )
        .columns([
            (account_grant::Entity, account_grant::Column::Role),
            (account_grant::Entity, account_grant::Column::Region),
            (account_grant::Entity, account_grant::Column::Unit),
            (account_grant::Entity, account_grant::Column::ValidUntil),
        ])
        .column((region_closure::Entity, region_closure::Column::Descendant))
        .join(JoinType::LeftJoin, account_grant::Entity, in_force)
        .join(
            JoinType::LeftJoin,
            region_closure::Entity,
            Expr::col((region_closure::Entity, region_closure::Column::Ancestor))
                .equals((account_grant::Entity, account_grant::Column::Region)),
        );
}
