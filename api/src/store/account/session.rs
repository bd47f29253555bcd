//! Sign-ins: begun, renewed, listed and ended.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder,
};
use serde_json::json;
use uuid::Uuid;

use crate::clock::new_id;
use crate::entity::session::{self, CLIENT};
use crate::entity::{account, client_assertion};
use crate::problem::Problem;
use crate::store::{Failure, Tx, event};

/// How long a sign-in lasts without being used.
const IDLE_LIFE: TimeDelta = TimeDelta::minutes(30);
/// How long a sign-in lasts at the most.
const ABSOLUTE_LIFE: TimeDelta = TimeDelta::hours(12);
/// For how long a sign-in that is over is kept: its tokens are recognised as used up.
const KEPT: TimeDelta = TimeDelta::days(1);
/// The longest name of a client that is kept, in characters.
const MAX_USER_AGENT: usize = 300;

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

/// By what somebody has signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// A password that is kept here, perhaps with a second factor.
    Password,
    /// The office's own identity provider.
    IdentityProvider,
}

impl Method {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Password => session::PASSWORD,
            Self::IdentityProvider => session::IDENTITY_PROVIDER,
        }
    }
}

/// Begins a sign-in.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn sign_in(
    tx: &Tx,
    account: Uuid,
    method: Method,
    user_agent: Option<&str>,
) -> Result<Session, Failure> {
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
        method: Set(method.code().to_owned()),
        scopes: Set(None),
        last_used_at: Set(Some(tx.now())),
        source: Set(tx.by.source.map(|source| source.to_string())),
        user_agent: Set(user_agent.map(short)),
        ended_because: Set(None),
    };
    session::Entity::insert(row)
        .exec_without_returning(&tx.db)
        .await?;
    let how = json!({ "method": method.code() });
    let entry = event::Entry::of_account(account, "signed_in").changing(None, Some(how));
    event::record(tx, entry).await?;
    Ok(begun)
}

fn short(user_agent: &str) -> String {
    let printable = user_agent.chars().filter(|c| !c.is_control());
    printable.take(MAX_USER_AGENT).collect()
}

/// What became of a refresh token that was shown.
#[derive(Clone, Copy, Debug)]
pub enum Renewal {
    /// It is used up and another takes its place.
    Renewed(Session),
    /// It was used up before: somebody has a copy. The sign-in is ended.
    Reused,
    /// The sign-in is over.
    Over,
}

/// Renews a sign-in. The token that was shown is exchanged in one statement, so of several that show it one is
/// first; whoever comes after him ends the sign-in, for nobody can tell which of them is its owner.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn renew(tx: &Tx, id: Uuid, shown: Uuid) -> Result<Renewal, Failure> {
    let refresh_id = new_id();
    let idle_until = tx.now() + IDLE_LIFE;
    let in_force = Condition::all()
        .add(session::Column::Id.eq(id))
        .add(session::Column::EndedAt.is_null())
        .add(session::Column::IdleUntil.gt(tx.now()))
        .add(session::Column::AbsoluteUntil.gt(tx.now()));
    let changed = session::Entity::update_many()
        .col_expr(session::Column::RefreshId, Expr::value(refresh_id))
        .col_expr(session::Column::IdleUntil, Expr::value(idle_until))
        .col_expr(session::Column::LastUsedAt, Expr::value(tx.now()))
        .filter(in_force.clone())
        .filter(session::Column::RefreshId.eq(shown))
        .exec(&tx.db)
        .await?;
    let found = session::Entity::find().filter(in_force).one(&tx.db).await?;
    let Some(row) = found else {
        return Ok(Renewal::Over);
    };
    if changed.rows_affected == 1 {
        let is_disabled = account::Entity::find_by_id(row.account_id)
            .filter(account::Column::DisabledAt.is_not_null())
            .one(&tx.db)
            .await?
            .is_some();
        if is_disabled {
            return Ok(Renewal::Over);
        }
        return Ok(Renewal::Renewed(Session {
            id,
            account: row.account_id,
            refresh_id,
            idle_until: Ord::min(idle_until, row.absolute_until),
        }));
    }
    let which = Condition::all().add(session::Column::Id.eq(id));
    end(tx, row.account_id, which, Because::RefreshReused).await?;
    Ok(Renewal::Reused)
}

/// Why sign-ins are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Because {
    /// Their owner ended one.
    SignedOut,
    /// Their owner ended all.
    SignedOutEverywhere,
    /// An administrator did.
    EndedByAdministrator,
    /// A refresh token came a second time.
    RefreshReused,
    /// The password was changed.
    PasswordChanged,
    /// The account was disabled.
    AccountDisabled,
}

impl Because {
    const fn code(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::SignedOutEverywhere => "signed_out_everywhere",
            Self::EndedByAdministrator => "ended_by_administrator",
            Self::RefreshReused => "refresh_reused",
            Self::PasswordChanged => "password_changed",
            Self::AccountDisabled => "account_disabled",
        }
    }
}

/// Ends one sign-in of an account; one that has ended stays so.
///
/// # Errors
/// `not_found` if it is not there or somebody else's.
pub async fn end_one(tx: &Tx, account: Uuid, id: Uuid, because: Because) -> Result<(), Failure> {
    let found = session::Entity::find_by_id(id)
        .filter(session::Column::AccountId.eq(account))
        .one(&tx.db)
        .await?;
    if found.is_none() {
        return Err(Problem::not_found().into());
    }
    let which = Condition::all().add(session::Column::Id.eq(id));
    end(tx, account, which, because).await
}

/// Ends every sign-in of an account, but for one that goes on.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn end_all(
    tx: &Tx,
    account: Uuid,
    but: Option<Uuid>,
    because: Because,
) -> Result<(), Failure> {
    let which = Condition::all().add_option(but.map(|id| session::Column::Id.ne(id)));
    end(tx, account, which, because).await
}

async fn end(tx: &Tx, account: Uuid, which: Condition, because: Because) -> Result<(), Failure> {
    let ended = session::Entity::update_many()
        .col_expr(session::Column::EndedAt, Expr::value(tx.now()))
        .col_expr(session::Column::EndedBecause, Expr::value(because.code()))
        .filter(session::Column::AccountId.eq(account))
        .filter(session::Column::EndedAt.is_null())
        .filter(which)
        .exec(&tx.db)
        .await?;
    if ended.rows_affected == 0 {
        return Ok(());
    }
    let how = json!({ "because": because.code(), "sessions": ended.rows_affected });
    let entry = event::Entry::of_account(account, "signed_out").changing(None, Some(how));
    event::record(tx, entry).await
}

/// A sign-in that is in force.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Which.
    pub id: Uuid,
    /// By what: `password`, `identity_provider`.
    pub method: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last renewed.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it ends unless it is renewed.
    pub idle_until: DateTime<Utc>,
    /// When it ends in any case.
    pub absolute_until: DateTime<Utc>,
    /// From which address it was begun.
    pub source: Option<String>,
    /// By which program.
    pub user_agent: Option<String>,
}

/// The sign-ins of an account that are in force, the latest first.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn standing(
    db: &impl ConnectionTrait,
    account: Uuid,
    now: DateTime<Utc>,
) -> Result<Vec<Standing>, Failure> {
    let rows = session::Entity::find()
        .filter(session::Column::AccountId.eq(account))
        .filter(session::Column::Method.ne(CLIENT))
        .filter(session::Column::EndedAt.is_null())
        .filter(session::Column::IdleUntil.gt(now))
        .filter(session::Column::AbsoluteUntil.gt(now))
        .order_by_desc(session::Column::Id)
        .all(db)
        .await?;
    let standing = rows.into_iter().map(|row| Standing {
        id: row.id,
        method: row.method,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        idle_until: row.idle_until,
        absolute_until: row.absolute_until,
        source: row.source,
        user_agent: row.user_agent,
    });
    Ok(standing.collect())
}

/// Drops sign-ins that are long over, and assertions that could no longer be shown.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn forget_old(tx: &Tx) -> Result<(), Failure> {
    session::Entity::delete_many()
        .filter(session::Column::AbsoluteUntil.lt(tx.now() - KEPT))
        .exec(&tx.db)
        .await?;
    client_assertion::Entity::delete_many()
        .filter(client_assertion::Column::ExpiresAt.lt(tx.now()))
        .exec(&tx.db)
        .await?;
    Ok(())
}
