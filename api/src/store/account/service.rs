//! Other offices' systems: their accounts, secrets, keys and tokens.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::prelude::Json;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde_json::json;
use uuid::Uuid;

use super::attempts::{Attempt, Verdict};
use super::user::{self, Change};
use super::{password, session};
use crate::auth::Scope;
use crate::clock::new_id;
use crate::entity::{
    account, client_assertion, service_account, service_key, service_secret, session as row,
};
use crate::page;
use crate::precondition::Precondition;
use crate::problem::{Problem, kinds};
use crate::store::row::strings;
use crate::store::{Failure, Tx, event};

/// The kind of an account that is a system's.
pub(crate) const SERVICE: &str = "service";
/// How many keys a system may have.
pub(crate) const MAX_KEYS: usize = 10;

/// What is said of a system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// The name to show.
    pub display_name: String,
    /// What it is for, and whom to call.
    pub description: Option<String>,
    /// What it may ask for.
    pub scopes: BTreeSet<Scope>,
    /// From which addresses or networks it may come; empty for any.
    pub addresses: Vec<String>,
    /// Until when it may come.
    pub expires_at: DateTime<Utc>,
    /// Whether it may not come.
    pub disabled: bool,
}

/// A system, as administrators see it.
#[derive(Clone, Debug)]
pub struct Record {
    /// The account.
    pub id: Uuid,
    /// The name by which it asks for tokens.
    pub client_id: String,
    /// What is said of it.
    pub fields: Fields,
    /// Its secrets that are in force: when each was made, and when it ends.
    pub secrets: Vec<(DateTime<Utc>, Option<DateTime<Utc>>)>,
    /// The names of its keys.
    pub keys: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// How often it has been changed.
    pub version: i64,
}

fn codes(scopes: &BTreeSet<Scope>) -> Json {
    scopes.iter().map(|scope| scope.code()).collect()
}

fn told(fields: &Fields) -> Json {
    json!({
        "display_name": fields.display_name, "description": fields.description,
        "scopes": codes(&fields.scopes), "addresses": fields.addresses,
        "expires_at": fields.expires_at, "disabled": fields.disabled,
    })
}

/// Makes the account of a system, without any rights and without a secret.
///
/// # Errors
/// `already_exists` for a name that is taken.
pub async fn add(tx: &Tx, client_id: &str, fields: &Fields) -> Result<Record, Failure> {
    let id = user::insert(tx, client_id, &fields.display_name, SERVICE).await?;
    service_account::Entity::insert(details(id, fields))
        .exec_without_returning(&tx.db)
        .await?;
    let entry = event::Entry::of_account(id, "service_account_set");
    event::record(tx, entry.changing(None, Some(told(fields)))).await?;
    read(&tx.db, id, tx.now()).await
}

fn details(id: Uuid, fields: &Fields) -> service_account::ActiveModel {
    service_account::ActiveModel {
        account_id: Set(id),
        description: Set(fields.description.clone()),
        scopes: Set(codes(&fields.scopes)),
        addresses: Set(json!(fields.addresses)),
        expires_at: Set(fields.expires_at),
    }
}

/// One system.
///
/// # Errors
/// `not_found`.
pub async fn read(
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Record, Failure> {
    let account = user::find(db, id, SERVICE).await?;
    let mut records = complete(db, vec![account], now).await?;
    records.pop().ok_or_else(|| Problem::not_found().into())
}

/// A page of systems, by name.
///
/// # Errors
/// `invalid_cursor`.
pub async fn page(
    db: &impl ConnectionTrait,
    limit: u64,
    cursor: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(Vec<Record>, Option<String>), Failure> {
    const WORDS: &str = "service accounts";
    let mut which = Condition::all().add(account::Column::Kind.eq(SERVICE));
    if let Some(cursor) = cursor {
        let after: String = page::open(WORDS, cursor)?;
        which = which.add(account::Column::Username.gt(after));
    }
    let rows = account::Entity::find()
        .filter(which)
        .order_by_asc(account::Column::Username)
        .limit(limit + 1)
        .all(db)
        .await?;
    let (rows, next) = page::page_of(rows, limit, WORDS, |row| row.username.clone());
    Ok((complete(db, rows, now).await?, next))
}

async fn complete(
    db: &impl ConnectionTrait,
    accounts: Vec<account::Model>,
    now: DateTime<Utc>,
) -> Result<Vec<Record>, Failure> {
    let ids: Vec<Uuid> = accounts.iter().map(|account| account.id).collect();
    let details = service_account::Entity::find()
        .filter(service_account::Column::AccountId.is_in(ids.iter().copied()))
        .all(db)
        .await?;
    let secrets = service_secret::Entity::find()
        .filter(service_secret::Column::AccountId.is_in(ids.iter().copied()))
        .filter(in_force(now))
        .order_by_asc(service_secret::Column::Id)
        .all(db)
        .await?;
    let keys = service_key::Entity::find()
        .filter(service_key::Column::AccountId.is_in(ids.iter().copied()))
        .order_by_asc(service_key::Column::KeyId)
        .all(db)
        .await?;
    let mut records = Vec::new();
    for account in accounts {
        let Some(detail) = details.iter().find(|d| d.account_id == account.id) else {
            continue;
        };
        records.push(Record {
            id: account.id,
            secrets: secrets
                .iter()
                .filter(|secret| secret.account_id == account.id)
                .map(|secret| (secret.created_at, secret.expires_at))
                .collect(),
            keys: keys
                .iter()
                .filter(|key| key.account_id == account.id)
                .map(|key| key.key_id.clone())
                .collect(),
            fields: fields_of(&account, detail),
            client_id: account.username,
            created_at: account.created_at,
            version: account.version,
        });
    }
    Ok(records)
}

fn fields_of(account: &account::Model, detail: &service_account::Model) -> Fields {
    let scopes = strings(&detail.scopes);
    Fields {
        display_name: account.display_name.clone(),
        description: detail.description.clone(),
        scopes: scopes.iter().filter_map(|s| Scope::from_code(s)).collect(),
        addresses: strings(&detail.addresses),
        expires_at: detail.expires_at,
        disabled: account.disabled_at.is_some(),
    }
}

fn in_force(now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(service_secret::Column::RevokedAt.is_null())
        .add(
            service_secret::Column::ExpiresAt
                .is_null()
                .or(service_secret::Column::ExpiresAt.gt(now)),
        )
}

/// Replaces what is said of a system. What is taken away is gone at its next request.
///
/// # Errors
/// `not_found`; 412 if it is not at version `seen`.
pub async fn put(tx: &Tx, id: Uuid, seen: i64, fields: &Fields) -> Result<Record, Failure> {
    let present = read(&tx.db, id, tx.now()).await?;
    Precondition::Version(seen).check(Some(present.version))?;
    if present.fields == *fields {
        return Ok(present);
    }
    let account = user::find(&tx.db, id, SERVICE).await?;
    let replace = OnConflict::column(service_account::Column::AccountId)
        .update_columns([
            service_account::Column::Description,
            service_account::Column::Scopes,
            service_account::Column::Addresses,
            service_account::Column::ExpiresAt,
        ])
        .to_owned();
    service_account::Entity::insert(details(id, fields))
        .on_conflict(replace)
        .exec_without_returning(&tx.db)
        .await?;
    let change = Change {
        display_name: Some(fields.display_name.clone()),
        disabled: Some(fields.disabled),
    };
    user::save(tx, account, &change).await?;
    // What tokens were given for no longer holds.
    session::end_all(tx, id, None, session::Because::EndedByAdministrator).await?;
    let entry = event::Entry::of_account(id, "service_account_set");
    event::record(
        tx,
        entry.changing(Some(told(&present.fields)), Some(told(fields))),
    )
    .await?;
    read(&tx.db, id, tx.now()).await
}

/// Gives a system a new secret, of which the hash is kept; those it has go on for a while.
///
/// # Errors
/// `not_found`.
pub async fn add_secret(
    tx: &Tx,
    id: Uuid,
    hash: &str,
    overlap: TimeDelta,
) -> Result<Record, Failure> {
    user::find(&tx.db, id, SERVICE).await?;
    let until = tx.now() + overlap;
    service_secret::Entity::update_many()
        .col_expr(service_secret::Column::ExpiresAt, Expr::value(until))
        .filter(service_secret::Column::AccountId.eq(id))
        .filter(in_force(until))
        .exec(&tx.db)
        .await?;
    let row = service_secret::ActiveModel {
        id: Set(new_id()),
        account_id: Set(id),
        hash: Set(hash.to_owned()),
        created_at: Set(tx.now()),
        expires_at: Set(None),
        revoked_at: Set(None),
    };
    service_secret::Entity::insert(row)
        .exec_without_returning(&tx.db)
        .await?;
    let former = json!({ "former_until": until });
    let entry = event::Entry::of_account(id, "secret_added").changing(None, Some(former));
    event::record(tx, entry).await?;
    read(&tx.db, id, tx.now()).await
}

/// Takes every secret of a system away, and ends its tokens.
///
/// # Errors
/// `not_found`.
pub async fn revoke_secrets(tx: &Tx, id: Uuid) -> Result<Record, Failure> {
    user::find(&tx.db, id, SERVICE).await?;
    service_secret::Entity::update_many()
        .col_expr(service_secret::Column::RevokedAt, Expr::value(tx.now()))
        .filter(service_secret::Column::AccountId.eq(id))
        .filter(service_secret::Column::RevokedAt.is_null())
        .exec(&tx.db)
        .await?;
    session::end_all(tx, id, None, session::Because::EndedByAdministrator).await?;
    event::record(tx, event::Entry::of_account(id, "secrets_revoked")).await?;
    read(&tx.db, id, tx.now()).await
}

/// Sets the public keys by which a system signs its assertions: name and JSON Web Key.
///
/// # Errors
/// `not_found`; 412 if it is not at version `seen`.
pub async fn set_keys(
    tx: &Tx,
    id: Uuid,
    seen: i64,
    keys: &[(String, Json)],
) -> Result<Record, Failure> {
    let account = user::find(&tx.db, id, SERVICE).await?;
    Precondition::Version(seen).check(Some(account.version))?;
    user::save(tx, account, &Change::default()).await?;
    service_key::Entity::delete_many()
        .filter(service_key::Column::AccountId.eq(id))
        .exec(&tx.db)
        .await?;
    let rows = keys.iter().map(|(key_id, jwk)| service_key::ActiveModel {
        account_id: Set(id),
        key_id: Set(key_id.clone()),
        jwk: Set(jwk.clone()),
        created_at: Set(tx.now()),
    });
    if !keys.is_empty() {
        service_key::Entity::insert_many(rows)
            .exec_without_returning(&tx.db)
            .await?;
    }
    let names: Vec<&str> = keys.iter().map(|(name, _)| name.as_str()).collect();
    let entry = event::Entry::of_account(id, "keys_set").changing(None, Some(json!(names)));
    event::record(tx, entry).await?;
    read(&tx.db, id, tx.now()).await
}

/// A system that asks for a token, as far as it is known.
#[derive(Clone, Debug)]
pub struct Client {
    /// The account.
    pub account: Uuid,
    /// What it may ask for.
    pub scopes: BTreeSet<Scope>,
    /// From which addresses or networks it may come; empty for any.
    pub addresses: Vec<String>,
    /// Hashes of the secrets that are in force.
    pub secret_hashes: Vec<String>,
    /// Its public keys: name and JSON Web Key.
    pub keys: Vec<(String, Json)>,
}

/// A system that may come, by the name under which it asks for tokens.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn client(
    db: &impl ConnectionTrait,
    client_id: &str,
    now: DateTime<Utc>,
) -> Result<Option<Client>, Failure> {
    let found = account::Entity::find()
        .filter(account::Column::Username.eq(client_id))
        .filter(account::Column::Kind.eq(SERVICE))
        .filter(account::Column::DisabledAt.is_null())
        .one(db)
        .await?;
    let Some(account) = found else {
        return Ok(None);
    };
    let detail = service_account::Entity::find_by_id(account.id)
        .filter(service_account::Column::ExpiresAt.gt(now))
        .one(db)
        .await?;
    let Some(detail) = detail else {
        return Ok(None);
    };
    let secrets = service_secret::Entity::find()
        .filter(service_secret::Column::AccountId.eq(account.id))
        .filter(in_force(now))
        .all(db)
        .await?;
    let keys = service_key::Entity::find()
        .filter(service_key::Column::AccountId.eq(account.id))
        .all(db)
        .await?;
    let fields = fields_of(&account, &detail);
    Ok(Some(Client {
        account: account.id,
        scopes: fields.scopes,
        addresses: fields.addresses,
        secret_hashes: secrets.into_iter().map(|secret| secret.hash).collect(),
        keys: keys.into_iter().map(|key| (key.key_id, key.jwk)).collect(),
    }))
}

/// How a system has proved who it is.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Not at all, or wrongly.
    None,
    /// By its secret.
    Secret,
    /// By an assertion, which is good once: its id, and until when it could be shown.
    Assertion(String, DateTime<Utc>),
}

/// Begins the sign-in of a system, which is good until a time, or counts the failure.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn sign_in(
    tx: &Tx,
    attempt: &Attempt,
    account: Option<Uuid>,
    proof: &Proof,
    scopes: &BTreeSet<Scope>,
    until: DateTime<Utc>,
) -> Result<(Verdict, Uuid), Failure> {
    let is_right = match (account, proof) {
        (None, _) | (_, Proof::None) => false,
        (Some(_), Proof::Secret) => true,
        (Some(account), Proof::Assertion(jti, until)) => take(tx, account, jti, *until).await?,
    };
    let verdict = password::judge(tx, account, attempt, is_right).await?;
    let session = new_id();
    if let (Verdict::Right, Some(account)) = (verdict, account) {
        let begun = row::ActiveModel {
            id: Set(session),
            account_id: Set(account),
            refresh_id: Set(new_id()),
            created_at: Set(tx.now()),
            idle_until: Set(until),
            absolute_until: Set(until),
            ended_at: Set(None),
            method: Set(row::CLIENT.to_owned()),
            scopes: Set(Some(codes(scopes))),
            last_used_at: Set(Some(tx.now())),
            source: Set(tx.by.source.map(|source| source.to_string())),
            user_agent: Set(None),
            ended_because: Set(None),
        };
        row::Entity::insert(begun)
            .exec_without_returning(&tx.db)
            .await?;
        let how = json!({ "method": row::CLIENT, "scopes": codes(scopes) });
        let entry = event::Entry::of_account(account, "signed_in").changing(None, Some(how));
        event::record(tx, entry).await?;
    }
    Ok((verdict, session))
}

/// Uses an assertion up; answers whether it was shown for the first time.
async fn take(tx: &Tx, account: Uuid, jti: &str, until: DateTime<Utc>) -> Result<bool, Failure> {
    let row = client_assertion::ActiveModel {
        account_id: Set(account),
        jti: Set(jti.to_owned()),
        expires_at: Set(until),
    };
    let taken = client_assertion::Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .exec_without_returning(&tx.db)
        .await;
    match taken {
        Ok(1) => Ok(true),
        Ok(_) | Err(sea_orm::DbErr::RecordNotInserted) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Refuses what is for people only.
pub(super) async fn refuse_system(tx: &Tx, account: Uuid) -> Result<(), Failure> {
    let found = account::Entity::find_by_id(account)
        .filter(account::Column::Kind.eq(SERVICE))
        .one(&tx.db)
        .await?;
    if found.is_some() {
        return Err(Problem::new(kinds::PEOPLE_ONLY).into());
    }
    Ok(())
}
