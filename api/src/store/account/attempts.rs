//! Failed attempts to prove who one is: one count for signing in, for changing the password and for the second
//! factor, in the database, so that all instances of the service share it.
//!
//! Each attempt counts for its account and source, for its account, and for its source. The answer to an attempt is
//! given in the transaction that counts it, under the lock of the counts: of many at once, no more are answered than
//! one after another would be.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use crate::auth::keys::hash_of_secret;
use crate::edge::source::network_of;
use crate::entity::failed_attempts::{self, ActiveModel, Column, Entity, Model};
use crate::store::{Failure, Tx};

/// How many may fail for one account from one source.
const MAX_FOR_ACCOUNT_AND_SOURCE: i32 = 5;
/// How many may fail for one account, from wherever.
const MAX_FOR_ACCOUNT: i32 = 100;
/// How many may fail from one source, for whichever account: an office may share one address.
const MAX_FROM_SOURCE: i32 = 300;
/// For how long it is locked.
const LOCKED_FOR: TimeDelta = TimeDelta::minutes(15);
/// After how long without a lock the count begins anew.
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// Somebody who tries to prove that he is the owner of an account, or says there is one.
#[derive(Clone, Debug)]
pub struct Attempt {
    account: String,
    source: String,
}

impl Attempt {
    /// By the name to sign in with, whether there is such an account or not, and the address it came from.
    #[must_use]
    pub fn new(username: &str, source: Option<IpAddr>) -> Self {
        Self {
            // Hashed: people type passwords where the name belongs.
            account: hash_of_secret(username),
            source: source.map_or_else(
                || "nowhere".to_owned(),
                |address| network_of(address).to_string(),
            ),
        }
    }

    /// What is counted, and how many may fail; in the order in which the counts are locked.
    fn subjects(&self) -> [(String, i32); 3] {
        let Self { account, source } = self;
        [
            (format!("account {account}"), MAX_FOR_ACCOUNT),
            (
                format!("account {account} from {source}"),
                MAX_FOR_ACCOUNT_AND_SOURCE,
            ),
            (format!("from {source}"), MAX_FROM_SOURCE),
        ]
    }
}

/// Until when an attempt is locked out, if it is.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn locked_until(
    db: &impl ConnectionTrait,
    attempt: &Attempt,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Failure> {
    let subjects = attempt.subjects().map(|(subject, _)| subject);
    let rows = Entity::find()
        .filter(Column::Subject.is_in(subjects))
        .all(db)
        .await?;
    Ok(latest_lock(&rows, now))
}

fn latest_lock(rows: &[Model], now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let locks = rows.iter().filter_map(|row| row.locked_until);
    locks.filter(|until| *until > now).max()
}

/// What an attempt is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was right, and the count for this account and source begins anew.
    Right,
    /// It was wrong; the lock if this was one too many.
    Wrong(Option<DateTime<Utc>>),
    /// It is not looked at until then.
    Locked(DateTime<Utc>),
}

/// Counts an attempt, in the transaction of what it lets its maker do.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn judge(tx: &Tx, attempt: &Attempt, is_right: bool) -> Result<Verdict, Failure> {
    let mut counts = Vec::new();
    for (subject, max) in attempt.subjects() {
        counts.push((hold(tx, subject).await?, max));
    }
    let rows: Vec<Model> = counts.iter().map(|(row, _)| row.clone()).collect();
    if let Some(until) = latest_lock(&rows, tx.now()) {
        return Ok(Verdict::Locked(until));
    }
    if is_right {
        let [_, (own, _), _] = attempt.subjects();
        Entity::delete_by_id(own).exec(&tx.db).await?;
        return Ok(Verdict::Right);
    }
    let mut lock = None;
    for (mut row, max) in counts {
        if row.locked_until.is_some() || row.window_from + WINDOW <= tx.now() {
            row.failures = 0;
            row.window_from = tx.now();
            row.locked_until = None;
        }
        row.failures += 1;
        if row.failures >= max {
            row.locked_until = Some(tx.now() + LOCKED_FOR);
            lock = row.locked_until;
        }
        Entity::update_many()
            .col_expr(Column::Failures, Expr::value(row.failures))
            .col_expr(Column::WindowFrom, Expr::value(row.window_from))
            .col_expr(Column::LockedUntil, Expr::value(row.locked_until))
            .filter(Column::Subject.eq(row.subject))
            .exec(&tx.db)
            .await?;
    }
    Ok(Verdict::Wrong(lock))
}

/// Holds the count of a subject until the end of the transaction.
async fn hold(tx: &Tx, subject: String) -> Result<Model, Failure> {
    let row = ActiveModel {
        subject: Set(subject),
        failures: Set(0),
        window_from: Set(tx.now()),
        locked_until: Set(None),
    };
    let same = Expr::col((failed_attempts::Entity, Column::Failures));
    let on_conflict = OnConflict::column(Column::Subject)
        .value(Column::Failures, same)
        .to_owned();
    Ok(Entity::insert(row)
        .on_conflict(on_conflict)
        .exec_with_returning(&tx.db)
        .await?)
}

/// Lets an account be tried again, from wherever.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn unlock(tx: &Tx, username: &str) -> Result<(), Failure> {
    let account = format!("account {}", hash_of_secret(username));
    Entity::delete_many()
        .filter(
            Column::Subject
                .eq(account.clone())
                .or(Column::Subject.starts_with(format!("{account} from "))),
        )
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// Drops counts that no longer matter.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn forget_old(tx: &Tx) -> Result<(), Failure> {
    Entity::delete_many()
        .filter(Column::WindowFrom.lt(tx.now() - WINDOW - LOCKED_FOR))
        .filter(
            Column::LockedUntil
                .is_null()
                .or(Column::LockedUntil.lt(tx.now())),
        )
        .exec(&tx.db)
        .await?;
    Ok(())
}
