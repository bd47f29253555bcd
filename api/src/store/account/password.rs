//! Passwords that are kept here.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Cond, Expr, ExprTrait, JoinType, OnConflict, Query};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult};
use uuid::Uuid;

use super::attempts::{self, Attempt, Verdict};
use super::second_factor::{self as second_factor_of, Proof};
use super::session::{self, Because, Method, Session};
use crate::entity::{account, account_password, second_factor};
use crate::store::{Failure, Tx, event};

/// What is needed to check who signs in.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Credentials {
    /// The account.
    pub account: Uuid,
    /// The hash of its password.
    pub hash: String,
    /// Its second factor, sealed, if it has one.
    pub sealed_secret: Option<String>,
}

/// For how long a password that somebody else has given opens anything.
const ONE_TIME_LIFE: TimeDelta = TimeDelta::days(3);

/// What is needed to check an account that is in force, by the name that its owner signs in with; one query, for
/// names that are known and that are not. A one-time password that was not changed in time is no password.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn credentials(
    db: &impl ConnectionTrait,
    username: &str,
    now: DateTime<Utc>,
) -> Result<Option<Credentials>, Failure> {
    let in_time = account_password::Column::IsOneTime
        .eq(false)
        .or(account_password::Column::SetAt.gt(now - ONE_TIME_LIFE));
    let confirmed = Cond::all()
        .add(
            Expr::col((second_factor::Entity, second_factor::Column::AccountId))
                .equals((account::Entity, account::Column::Id)),
        )
        .add(second_factor::Column::ConfirmedAt.is_not_null());
    let select = Query::select()
        .expr_as(Expr::col((account::Entity, account::Column::Id)), "account")
        .column((account_password::Entity, account_password::Column::Hash))
        .column((second_factor::Entity, second_factor::Column::SealedSecret))
        .from(account::Entity)
        .join(
            JoinType::InnerJoin,
            account_password::Entity,
            Expr::col((
                account_password::Entity,
                account_password::Column::AccountId,
            ))
            .equals((account::Entity, account::Column::Id)),
        )
        .join(JoinType::LeftJoin, second_factor::Entity, confirmed)
        .and_where(account::Column::Username.eq(username))
        .and_where(account::Column::DisabledAt.is_null())
        .and_where(in_time)
        .to_owned();
    let found = db.query_one(&select).await?;
    Ok(found
        .map(|row| Credentials::from_query_result(&row, ""))
        .transpose()?)
}

/// What comes of signing in with a password.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// It was right.
    SignedIn(Session),
    /// The password was; the second factor is still to be shown.
    NeedsSecondFactor,
    /// Something was wrong.
    Wrong,
    /// It is not looked at until then.
    Locked(DateTime<Utc>),
}

/// Signs somebody in whose password has been compared.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn sign_in(
    tx: &Tx,
    attempt: &Attempt,
    known: Option<&Credentials>,
    is_password: bool,
    proof: Option<&Proof>,
    user_agent: Option<&str>,
) -> Result<Outcome, Failure> {
    let account = known.map(|known| known.account);
    let needs_second = known.is_some_and(|known| known.sealed_secret.is_some());
    let is_right = match (account.filter(|_| is_password), proof) {
        (None, _) => false,
        (Some(_), None) if needs_second => {
            // Neither right nor wrong: nothing is counted.
            let locked = attempts::locked_until(&tx.db, attempt, tx.now()).await?;
            return Ok(locked.map_or(Outcome::NeedsSecondFactor, Outcome::Locked));
        }
        (Some(account), Some(proof)) if needs_second => {
            second_factor_of::take(tx, account, proof).await?
        }
        (Some(_), _) => true,
    };
    match (judge(tx, account, attempt, is_right).await?, account) {
        (Verdict::Right, Some(account)) => {
            let begun = session::sign_in(tx, account, Method::Password, user_agent).await?;
            Ok(Outcome::SignedIn(begun))
        }
        (Verdict::Right | Verdict::Wrong(_), _) => Ok(Outcome::Wrong),
        (Verdict::Locked(until), _) => Ok(Outcome::Locked(until)),
    }
}

/// Sets a password; one that somebody else has chosen is to be changed before anything else is done.
pub(super) async fn set(
    tx: &Tx,
    account: Uuid,
    hash: &str,
    is_one_time: bool,
) -> Result<(), Failure> {
    let row = account_password::ActiveModel {
        account_id: Set(account),
        hash: Set(hash.to_owned()),
        is_one_time: Set(is_one_time),
        set_at: Set(tx.now()),
    };
    let replace = OnConflict::column(account_password::Column::AccountId)
        .update_columns([
            account_password::Column::Hash,
            account_password::Column::IsOneTime,
            account_password::Column::SetAt,
        ])
        .to_owned();
    account_password::Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(&tx.db)
        .await?;
    Ok(())
}

/// Changes a password after its owner has shown the present one; his other sign-ins end.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn change(
    tx: &Tx,
    (account, this_session): (Uuid, Uuid),
    attempt: &Attempt,
    is_right: bool,
    hash: &str,
) -> Result<Verdict, Failure> {
    let verdict = judge(tx, Some(account), attempt, is_right).await?;
    if verdict == Verdict::Right {
        set(tx, account, hash, false).await?;
        session::end_all(tx, account, Some(this_session), Because::PasswordChanged).await?;
        event::record(tx, event::Entry::of_account(account, "password_changed")).await?;
    }
    Ok(verdict)
}

/// Counts an attempt and records the one that was wrong; of an account that is not there, nothing that was typed.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn judge(
    tx: &Tx,
    account: Option<Uuid>,
    attempt: &Attempt,
    is_right: bool,
) -> Result<Verdict, Failure> {
    let verdict = attempts::judge(tx, attempt, is_right).await?;
    if let Verdict::Wrong(lock) = verdict {
        let entry = match account {
            Some(id) => event::Entry::of_account(id, "attempt_failed"),
            None => event::Entry::of_nobody("attempt_failed"),
        };
        let lock = lock.map(|until: DateTime<Utc>| serde_json::json!({ "locked_until": until }));
        event::record(tx, entry.denied().changing(None, lock)).await?;
    }
    Ok(verdict)
}
