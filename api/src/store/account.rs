//! Accounts, their grants and their sign-ins.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter,
};
use uuid::Uuid;

use super::reference::region::Region;
use super::{Failure, Tx, corrupt, event, reference};
use crate::auth::caller::{Grant, Principal, Reach, Role};
use crate::clock::new_id;
use crate::entity::{account, account_grant, region_closure, session};
use crate::problem::{Problem, kinds};

/// How long a sign-in lasts without being used.
const IDLE_LIFE: TimeDelta = TimeDelta::minutes(30);
/// How long a sign-in lasts at the most.
const ABSOLUTE_LIFE: TimeDelta = TimeDelta::hours(12);

#[derive(FromQueryResult)]
struct PrincipalRow {
    username: String,
    display_name: String,
    grant_id: Uuid,
    role: String,
    region: Option<String>,
    descendant: Option<String>,
}

/// The person of a sign-in that is in force, with all rights; one query.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn principal(
    db: &impl ConnectionTrait,
    account: Uuid,
    session: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Principal>, Failure> {
    let select = Query::select()
        .column((account::Entity, account::Column::Username))
        .column((account::Entity, account::Column::DisplayName))
        .expr_as(
            Expr::col((account_grant::Entity, account_grant::Column::Id)),
            "grant_id",
        )
        .column((account_grant::Entity, account_grant::Column::Role))
        .column((account_grant::Entity, account_grant::Column::Region))
        .column((region_closure::Entity, region_closure::Column::Descendant))
        .from(session::Entity)
        .join(
            JoinType::InnerJoin,
            account::Entity,
            Expr::col((account::Entity, account::Column::Id))
                .equals((session::Entity, session::Column::AccountId)),
        )
        .join(
            JoinType::InnerJoin,
            account_grant::Entity,
            Expr::col((account_grant::Entity, account_grant::Column::AccountId))
                .equals((account::Entity, account::Column::Id)),
        )
        .join(
            JoinType::LeftJoin,
            region_closure::Entity,
            Expr::col((region_closure::Entity, region_closure::Column::Ancestor))
                .equals((account_grant::Entity, account_grant::Column::Region)),
        )
        .and_where(session::Column::Id.eq(session))
        .and_where(session::Column::AccountId.eq(account))
        .and_where(session::Column::EndedAt.is_null())
        .and_where(session::Column::AbsoluteUntil.gt(now))
        .and_where(account::Column::DisabledAt.is_null())
        .to_owned();
    let rows = db.query_all(&select).await?;
    let mut principal: Option<Principal> = None;
    let mut seen: Option<Uuid> = None;
    let mut rows: Vec<PrincipalRow> = rows
        .iter()
        .map(|row| PrincipalRow::from_query_result(row, ""))
        .collect::<Result<_, _>>()?;
    rows.sort_by_key(|row| row.grant_id);
    for row in rows {
        let person = principal.get_or_insert_with(|| Principal {
            id: account,
            session,
            username: row.username,
            display_name: row.display_name,
            grants: Vec::new(),
        });
        if seen != Some(row.grant_id) {
            seen = Some(row.grant_id);
            person.grants.push(Grant {
                role: Role::from_code(&row.role).ok_or_else(|| corrupt(&row.role))?,
                reach: match row.region {
                    None => Reach::Everywhere,
                    Some(_) => Reach::Regions(BTreeSet::new()),
                },
                region: row.region,
            });
        }
        if let (Some(grant), Some(within)) = (person.grants.last_mut(), row.descendant)
            && let Reach::Regions(regions) = &mut grant.reach
        {
            regions.insert(within);
        }
    }
    Ok(principal)
}

/// An account, by the name that its owner signs in with: its id and the hash of its password.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn credentials(
    db: &impl ConnectionTrait,
    username: &str,
) -> Result<Option<(Uuid, String)>, Failure> {
    let found = account::Entity::find()
        .filter(account::Column::Username.eq(username))
        .filter(account::Column::DisabledAt.is_null())
        .one(db)
        .await?;
    Ok(found.map(|account| (account.id, account.password_hash)))
}

/// A sign-in that has begun or been renewed.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub account: Uuid,
    /// The one refresh token that is good for it now.
    pub refresh_id: Uuid,
    /// When it ends unless it is renewed.
    pub idle_until: DateTime<Utc>,
}

/// Begins a sign-in.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn sign_in(tx: &Tx, account: Uuid) -> Result<Session, Failure> {
    let begun = Session {
        id: new_id(),
        account,
        refresh_id: new_id(),
        idle_until: tx.now() + IDLE_LIFE,
    };
    let row = session::ActiveModel {
        id: Set(begun.id),
        account_id: Set(account),
        refresh_id: Set(begun.refresh_id),
        created_at: Set(tx.now()),
        idle_until: Set(begun.idle_until),
        absolute_until: Set(tx.now() + ABSOLUTE_LIFE),
        ended_at: Set(None),
    };
    session::Entity::insert(row)
        .exec_without_returning(&tx.db)
        .await?;
    event::record(tx, event::Entry::of_account(account, "signed_in")).await?;
    Ok(begun)
}

/// Renews a sign-in: the refresh token that was shown is used up and another takes its place.
///
/// # Errors
/// `invalid_refresh_token` if it was used before, or the sign-in has ended.
pub async fn renew(tx: &Tx, id: Uuid, shown: Uuid) -> Result<Session, Failure> {
    let refresh_id = new_id();
    let idle_until = tx.now() + IDLE_LIFE;
    let changed = session::Entity::update_many()
        .col_expr(session::Column::RefreshId, Expr::value(refresh_id))
        .col_expr(session::Column::IdleUntil, Expr::value(idle_until))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::RefreshId.eq(shown))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::IdleUntil.gt(tx.now()))
        .filter(session::Column::AbsoluteUntil.gt(tx.now()))
        .exec(&tx.db)
        .await?;
    let found = session::Entity::find_by_id(id).one(&tx.db).await?;
    match found {
        Some(row) if changed.rows_affected == 1 => Ok(Session {
            id,
            account: row.account_id,
            refresh_id,
            idle_until: Ord::min(idle_until, row.absolute_until),
        }),
        Some(_) | None => Err(Problem::new(kinds::INVALID_REFRESH_TOKEN).into()),
    }
}

/// Ends a sign-in; one that has ended stays so.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn sign_out(tx: &Tx, id: Uuid, account: Uuid) -> Result<(), Failure> {
    session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(tx.now()))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::EndedAt.is_null())
        .exec(&tx.db)
        .await?;
    event::record(tx, event::Entry::of_account(account, "signed_out")).await
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The name to sign in with.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// The hash of the password.
    pub password_hash: String,
    /// The role.
    pub role: Role,
    /// The region that it holds in; none for everywhere.
    pub region: Option<String>,
}

/// Makes an account.
///
/// # Errors
/// `already_exists` for a name that is taken, `validation_failed` for an unknown region.
pub async fn add(tx: &Tx, new: &NewAccount) -> Result<Uuid, Failure> {
    let taken = account::Entity::find()
        .filter(account::Column::Username.eq(&new.username))
        .one(&tx.db)
        .await?;
    if taken.is_some() {
        return Err(Problem::new(kinds::ALREADY_EXISTS)
            .say(
                format!("用户名 {} 已被使用", new.username),
                format!("The user name {} is taken", new.username),
            )
            .into());
    }
    let unknown = reference::missing::<Region>(&tx.db, "/region", new.region.as_deref()).await?;
    if let Some(fault) = unknown {
        return Err(Problem::invalid(vec![fault]).into());
    }
    let id = new_id();
    let row = account::ActiveModel {
        id: Set(id),
        username: Set(new.username.clone()),
        display_name: Set(new.display_name.clone()),
        password_hash: Set(new.password_hash.clone()),
        disabled_at: Set(None),
        created_at: Set(tx.now()),
    };
    account::Entity::insert(row)
        .exec_without_returning(&tx.db)
        .await?;
    let grant = account_grant::ActiveModel {
        id: Set(new_id()),
        account_id: Set(id),
        role: Set(new.role.code().to_owned()),
        region: Set(new.region.clone()),
    };
    account_grant::Entity::insert(grant)
        .exec_without_returning(&tx.db)
        .await?;
    event::record(tx, event::Entry::of_account(id, "account_added")).await?;
    Ok(id)
}

/// Whether an account of that name exists.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn exists(db: &impl ConnectionTrait, username: &str) -> Result<bool, Failure> {
    let found = account::Entity::find()
        .filter(account::Column::Username.eq(username))
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// Whether there is no account at all.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn none(db: &impl ConnectionTrait) -> Result<bool, Failure> {
    Ok(account::Entity::find().one(db).await?.is_none())
}
