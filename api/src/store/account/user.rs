//! People: made, amended, disabled; kept by the system administrator.

use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use super::session::{self, Because};
use super::{attempts, grant, password};
use crate::auth::Role;
use crate::clock::new_id;
use crate::entity::account::{self, Column, Entity, Model};
use crate::entity::{account_grant, account_password, second_factor};
use crate::page;
use crate::precondition::Precondition;
use crate::problem::{Problem, kinds};
use crate::store::{Failure, Tx, event};

/// The kind of an account that is a person's.
pub(crate) const PERSON: &str = "person";

/// A person, as administrators see him.
#[derive(Clone, Debug)]
pub struct Record {
    /// The account.
    pub id: Uuid,
    /// The name to sign in with.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// When it was disabled, if it is.
    pub disabled_at: Option<DateTime<Utc>>,
    /// Whether a password is kept here.
    pub has_password: bool,
    /// Whether there is a second factor.
    pub has_second_factor: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How often it has been changed.
    pub version: i64,
}

/// A person to be made.
#[derive(Clone, Debug)]
pub struct New {
    /// The name to sign in with.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// The hash of the first password.
    pub password_hash: String,
    /// Whether the password is to be changed at the first sign-in.
    pub is_one_time: bool,
}

/// Makes an account without any rights.
///
/// # Errors
/// `already_exists` for a name that is taken.
pub async fn add(tx: &Tx, new: &New) -> Result<Uuid, Failure> {
    let id = insert(tx, &new.username, &new.display_name, PERSON).await?;
    password::set(tx, id, &new.password_hash, new.is_one_time).await?;
    Ok(id)
}

/// Makes the row of an account of a kind.
pub(crate) async fn insert(
    tx: &Tx,
    username: &str,
    display_name: &str,
    kind: &str,
) -> Result<Uuid, Failure> {
    if super::exists(&tx.db, username).await? {
        return Err(Problem::new(kinds::ALREADY_EXISTS)
            .say(
                format!("用户名 {username} 已被使用"),
                format!("The user name {username} is taken"),
            )
            .into());
    }
    let id = new_id();
    let row = account::ActiveModel {
        id: Set(id),
        username: Set(username.to_owned()),
        display_name: Set(display_name.to_owned()),
        kind: Set(kind.to_owned()),
        version: Set(1),
        disabled_at: Set(None),
        created_at: Set(tx.now()),
    };
    Entity::insert(row).exec_without_returning(&tx.db).await?;
    let who = json!({ "username": username, "display_name": display_name, "kind": kind });
    let entry = event::Entry::of_account(id, "account_added").changing(None, Some(who));
    event::record(tx, entry).await?;
    Ok(id)
}

/// One person.
///
/// # Errors
/// `not_found`.
pub async fn read(db: &impl ConnectionTrait, id: Uuid) -> Result<Record, Failure> {
    let row = find(db, id, PERSON).await?;
    let mut records = complete(db, vec![row]).await?;
    records.pop().ok_or_else(|| Problem::not_found().into())
}

/// The row of an account of a kind.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    id: Uuid,
    kind: &str,
) -> Result<Model, Failure> {
    let found = Entity::find_by_id(id)
        .filter(Column::Kind.eq(kind))
        .one(db)
        .await?;
    found.ok_or_else(|| Problem::not_found().into())
}

/// Which people are asked for.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// A part of either name.
    pub q: Option<String>,
    /// Only those disabled, or only those not.
    pub disabled: Option<bool>,
    /// How many on a page.
    pub limit: u64,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// A page of people, by name.
///
/// # Errors
/// `invalid_cursor`.
pub async fn page(
    db: &impl ConnectionTrait,
    question: &Question,
) -> Result<(Vec<Record>, Option<String>), Failure> {
    let Question {
        q,
        disabled,
        limit,
        cursor,
    } = question;
    let words = format!("users {q:?} {disabled:?}");
    let mut which = Condition::all().add(Column::Kind.eq(PERSON));
    if let Some(q) = q {
        let like = format!("%{}%", escaped(q));
        let like = |column: Column| {
            Expr::col(column).like(sea_orm::sea_query::LikeExpr::new(&like).escape('\\'))
        };
        which = which.add(like(Column::Username).or(like(Column::DisplayName)));
    }
    which = which.add_option(disabled.map(|yes| {
        if yes {
            Column::DisabledAt.is_not_null()
        } else {
            Column::DisabledAt.is_null()
        }
    }));
    if let Some(cursor) = cursor {
        let after: String = page::open(&words, cursor)?;
        which = which.add(Column::Username.gt(after));
    }
    let rows = Entity::find()
        .filter(which)
        .order_by_asc(Column::Username)
        .limit(*limit + 1)
        .all(db)
        .await?;
    let (rows, next) = page::page_of(rows, *limit, &words, |row| row.username.clone());
    Ok((complete(db, rows).await?, next))
}

fn escaped(q: &str) -> String {
    q.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

async fn complete(db: &impl ConnectionTrait, rows: Vec<Model>) -> Result<Vec<Record>, Failure> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let passwords = account_password::Entity::find()
        .filter(account_password::Column::AccountId.is_in(ids.iter().copied()))
        .all(db)
        .await?;
    let factors = second_factor::Entity::find()
        .filter(second_factor::Column::AccountId.is_in(ids.iter().copied()))
        .filter(second_factor::Column::ConfirmedAt.is_not_null())
        .all(db)
        .await?;
    let record = |row: Model| Record {
        has_password: passwords.iter().any(|p| p.account_id == row.id),
        has_second_factor: factors.iter().any(|f| f.account_id == row.id),
        id: row.id,
        username: row.username,
        display_name: row.display_name,
        disabled_at: row.disabled_at,
        created_at: row.created_at,
        version: row.version,
    };
    Ok(rows.into_iter().map(record).collect())
}

/// What is changed of a person; what is not said stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// The name to show.
    pub display_name: Option<String>,
    /// Whether he may not sign in.
    pub disabled: Option<bool>,
}

/// Changes a person. Who is disabled is out at the next request.
///
/// # Errors
/// `not_found`; 412 if it is not at version `seen`; `own_account` for one's own; `last_administrator`.
pub async fn amend(tx: &Tx, id: Uuid, seen: i64, change: &Change) -> Result<Record, Failure> {
    let row = find(&tx.db, id, PERSON).await?;
    Precondition::Version(seen).check(Some(row.version))?;
    if change.would_change(&row) {
        save(tx, row, change).await?;
    }
    read(&tx.db, id).await
}

impl Change {
    fn would_change(&self, row: &Model) -> bool {
        self.display_name
            .as_ref()
            .is_some_and(|name| *name != row.display_name)
            || self
                .disabled
                .is_some_and(|disabled| disabled != row.disabled_at.is_some())
    }
}

/// Saves an account as its next version.
pub(crate) async fn save(tx: &Tx, row: Model, change: &Change) -> Result<(), Failure> {
    let mut after = row.clone();
    if let Some(name) = &change.display_name {
        after.display_name.clone_from(name);
    }
    match change.disabled {
        Some(true) if row.disabled_at.is_none() => after.disabled_at = Some(tx.now()),
        Some(false) => after.disabled_at = None,
        Some(true) | None => {}
    }
    if after.disabled_at.is_some() && row.disabled_at.is_none() {
        refuse_own(tx, row.id)?;
        grant::refuse_last_administrator(tx, row.id).await?;
        session::end_all(tx, row.id, None, Because::AccountDisabled).await?;
    }
    let done = Entity::update_many()
        .col_expr(Column::DisplayName, Expr::value(after.display_name.clone()))
        .col_expr(Column::DisabledAt, Expr::value(after.disabled_at))
        .col_expr(Column::Version, Expr::value(row.version + 1))
        .filter(Column::Id.eq(row.id))
        .filter(Column::Version.eq(row.version))
        .exec(&tx.db)
        .await?;
    if done.rows_affected != 1 {
        return Err(Failure::Moved);
    }
    let told = |row: &Model| json!({ "display_name": row.display_name, "disabled": row.disabled_at.is_some() });
    let mut entry = event::Entry::of_account(row.id, "account_amended")
        .changing(Some(told(&row)), Some(told(&after)));
    entry.version = Some(row.version + 1);
    event::record(tx, entry).await
}

/// Nobody disables, resets or raises himself.
pub(crate) fn refuse_own(tx: &Tx, id: Uuid) -> Result<(), Problem> {
    if tx.by.account == Some(id) {
        return Err(Problem::new(kinds::OWN_ACCOUNT));
    }
    Ok(())
}

/// Refuses to let the system administrator decide how those sign in who watch over him: he could come in their place
/// and decide what he has asked for himself. Whoever has the machine's terminal may.
pub(crate) async fn refuse_guarded(tx: &Tx, id: Uuid) -> Result<(), Failure> {
    let guard = account_grant::Entity::find()
        .filter(account_grant::Column::AccountId.eq(id))
        .filter(account_grant::Column::State.eq("granted"))
        .filter(
            account_grant::Column::Role
                .is_in([Role::SecurityAdmin, Role::AuditAdmin].map(Role::code)),
        )
        .one(&tx.db)
        .await?;
    if guard.is_some() && tx.by.account.is_some() {
        return Err(Problem::new(kinds::GUARDED_ACCOUNT)
            .say(
                "请在服务器上执行 taizhang user password",
                "Run `taizhang user password` on the server",
            )
            .into());
    }
    Ok(())
}

/// Gives somebody a new one-time password in place of the one he has lost; his sign-ins end, and he may try again.
///
/// # Errors
/// `not_found`; `own_account` for one's own; `guarded_account` for a security or audit administrator's.
pub async fn reset_password(tx: &Tx, id: Uuid, hash: &str) -> Result<(), Failure> {
    let row = find(&tx.db, id, PERSON).await?;
    refuse_own(tx, id)?;
    refuse_guarded(tx, id).await?;
    password::set(tx, id, hash, true).await?;
    attempts::unlock(tx, &row.username).await?;
    session::end_all(tx, id, None, Because::PasswordChanged).await?;
    event::record(tx, event::Entry::of_account(id, "password_reset")).await
}

/// Lets somebody try again who has failed too often.
///
/// # Errors
/// `not_found`; `own_account` for one's own.
pub async fn unlock(tx: &Tx, id: Uuid) -> Result<(), Failure> {
    let row = find(&tx.db, id, PERSON).await?;
    refuse_own(tx, id)?;
    attempts::unlock(tx, &row.username).await?;
    event::record(tx, event::Entry::of_account(id, "unlocked")).await
}

/// Ends every sign-in of somebody.
///
/// # Errors
/// `not_found`.
pub async fn end_sessions(tx: &Tx, id: Uuid) -> Result<(), Failure> {
    Entity::find_by_id(id)
        .one(&tx.db)
        .await?
        .ok_or_else(Problem::not_found)?;
    session::end_all(tx, id, None, Because::EndedByAdministrator).await
}
