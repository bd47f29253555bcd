//! Second factors: begun, confirmed, used, removed.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use crate::entity::{recovery_code, second_factor};
use crate::problem::{Problem, kinds};
use crate::store::{Failure, Tx, event};

/// A second factor as it is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The secret, sealed for its account.
    pub sealed_secret: String,
    /// When its owner proved that he has it.
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// The second factor of an account, confirmed or not.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn find(db: &impl ConnectionTrait, account: Uuid) -> Result<Option<Kept>, Failure> {
    let found = second_factor::Entity::find_by_id(account).one(db).await?;
    Ok(found.map(|row| Kept {
        sealed_secret: row.sealed_secret,
        confirmed_at: row.confirmed_at,
    }))
}

/// Begins a second factor; one that was begun and not confirmed is replaced.
///
/// # Errors
/// `second_factor_set` if there is one.
pub async fn begin(tx: &Tx, account: Uuid, sealed_secret: &str) -> Result<(), Failure> {
    refuse_set(tx, account).await?;
    let row = second_factor::ActiveModel {
        account_id: Set(account),
        sealed_secret: Set(sealed_secret.to_owned()),
        created_at: Set(tx.now()),
        confirmed_at: Set(None),
        last_step: Set(0),
    };
    let replace = OnConflict::column(second_factor::Column::AccountId)
        .update_columns([
            second_factor::Column::SealedSecret,
            second_factor::Column::CreatedAt,
        ])
        .to_owned();
    second_factor::Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(&tx.db)
        .await?;
    event::record(tx, event::Entry::of_account(account, "second_factor_begun")).await
}

async fn refuse_set(tx: &Tx, account: Uuid) -> Result<(), Failure> {
    let kept = find(&tx.db, account).await?;
    if kept.is_some_and(|kept| kept.confirmed_at.is_some()) {
        return Err(Problem::new(kinds::SECOND_FACTOR_SET).into());
    }
    Ok(())
}

/// Confirms the second factor of a sealed secret, whose code was the right one at `step`; from now on it is asked for.
///
/// # Errors
/// `second_factor_set` if there is one; `second_factor_unset` if another has been begun since.
pub async fn confirm(
    tx: &Tx,
    account: Uuid,
    (sealed_secret, step): (&str, i64),
    recovery_hashes: &[String],
) -> Result<(), Failure> {
    refuse_set(tx, account).await?;
    let confirmed = second_factor::Entity::update_many()
        .col_expr(second_factor::Column::ConfirmedAt, Expr::value(tx.now()))
        .col_expr(second_factor::Column::LastStep, Expr::value(step))
        .filter(second_factor::Column::AccountId.eq(account))
        .filter(second_factor::Column::SealedSecret.eq(sealed_secret))
        .exec(&tx.db)
        .await?;
    if confirmed.rows_affected == 0 {
        return Err(Problem::new(kinds::SECOND_FACTOR_UNSET).into());
    }
    let codes = recovery_hashes
        .iter()
        .map(|hash| recovery_code::ActiveModel {
            account_id: Set(account),
            hash: Set(hash.clone()),
            used_at: Set(None),
        });
    recovery_code::Entity::insert_many(codes)
        .exec_without_returning(&tx.db)
        .await?;
    event::record(tx, event::Entry::of_account(account, "second_factor_set")).await
}

/// How somebody proves the second factor.
#[derive(Clone, Debug)]
pub enum Proof {
    /// By a code that was the right one at a step of time; none if at no step.
    Code(Option<i64>),
    /// By a recovery code, of which this is the hash.
    Recovery(String),
}

/// Uses a proof up: each is good once. Answers whether it was good.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn take(tx: &Tx, account: Uuid, proof: &Proof) -> Result<bool, Failure> {
    let used = match proof {
        Proof::Code(None) => return Ok(false),
        Proof::Code(Some(step)) => {
            second_factor::Entity::update_many()
                .col_expr(second_factor::Column::LastStep, Expr::value(*step))
                .filter(second_factor::Column::AccountId.eq(account))
                .filter(second_factor::Column::ConfirmedAt.is_not_null())
                .filter(second_factor::Column::LastStep.lt(*step))
                .exec(&tx.db)
                .await?
        }
        Proof::Recovery(hash) => {
            let used = recovery_code::Entity::update_many()
                .col_expr(recovery_code::Column::UsedAt, Expr::value(tx.now()))
                .filter(recovery_code::Column::AccountId.eq(account))
                .filter(recovery_code::Column::Hash.eq(hash))
                .filter(recovery_code::Column::UsedAt.is_null())
                .exec(&tx.db)
                .await?;
            if used.rows_affected == 1 {
                let entry = event::Entry::of_account(account, "recovery_code_used");
                event::record(tx, entry).await?;
            }
            used
        }
    };
    Ok(used.rows_affected == 1)
}

/// Removes a second factor with its recovery codes.
///
/// # Errors
/// `second_factor_unset` if there is none.
pub async fn remove(tx: &Tx, account: Uuid) -> Result<(), Failure> {
    let removed = second_factor::Entity::delete_by_id(account)
        .exec(&tx.db)
        .await?;
    if removed.rows_affected == 0 {
        return Err(Problem::new(kinds::SECOND_FACTOR_UNSET).into());
    }
    recovery_code::Entity::delete_many()
        .filter(recovery_code::Column::AccountId.eq(account))
        .exec(&tx.db)
        .await?;
    event::record(
        tx,
        event::Entry::of_account(account, "second_factor_removed"),
    )
    .await
}
