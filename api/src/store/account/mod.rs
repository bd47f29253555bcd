//! Accounts: who they are, what they may do, how they sign in.

pub mod attempts;
pub mod grant;
pub mod identity;
pub mod password;
mod principal;
pub mod second_factor;
pub mod service;
pub mod session;
pub mod user;

pub(crate) use principal::is_listed;
pub use principal::{principal, principal_and_state, rights};

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::Failure;
use crate::entity::account;

/// The account of a name.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn named(db: &impl ConnectionTrait, username: &str) -> Result<Option<Uuid>, Failure> {
    let found = account::Entity::find()
        .filter(account::Column::Username.eq(username))
        .one(db)
        .await?;
    Ok(found.map(|account| account.id))
}

/// Whether an account of that name exists.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn exists(db: &impl ConnectionTrait, username: &str) -> Result<bool, Failure> {
    Ok(named(db, username).await?.is_some())
}

/// Whether there is no account at all.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn none(db: &impl ConnectionTrait) -> Result<bool, Failure> {
    Ok(account::Entity::find().one(db).await?.is_none())
}
