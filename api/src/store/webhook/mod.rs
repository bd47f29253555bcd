//! Webhooks: who is told of what happens, and where (docs/decisions/0008).
//!
//! Here are the webhooks themselves; `log.rs` has what was delivered of each, `work.rs` the delivering.

pub mod log;
pub mod work;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::feed::{self, Type};
use super::project::{self, Key};
use super::row::{coded, strings};
use super::{Failure, Tx, corrupt, event};
use crate::auth::{Principal, Role};
use crate::entity::webhook::{self, Model};
use crate::entity::{account, region};
use crate::page;
use crate::precondition::Precondition;
use crate::problem::value::unknown_reference;
use crate::problem::{Fault, Problem, kinds};
use domain::coded::Coded;

/// How many webhooks an account may have.
pub const MAX_WEBHOOKS: u64 = 20;

/// Whether a webhook is told of anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is.
    Active,
    /// It isn't, and why.
    Disabled(Reason),
}

/// Why a webhook is told of nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Whoever keeps it wants it so.
    ByOwner,
    /// An administrator wants it so.
    ByAdministrator,
    /// The receiver answered that it is there no more (410).
    Gone,
    /// Every attempt at a delivery has failed, and none at another has succeeded meanwhile.
    Failing,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 4] = [
        Self::ByOwner,
        Self::ByAdministrator,
        Self::Gone,
        Self::Failing,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ByOwner => "by_owner",
            Self::ByAdministrator => "by_administrator",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }
}

impl State {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled(_) => "disabled",
        }
    }

    /// Why it is told of nothing.
    #[must_use]
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::Active => None,
            Self::Disabled(reason) => Some(reason),
        }
    }
}

/// What is said of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    /// Where it is told.
    pub url: String,
    /// What it is for.
    pub description: Option<String>,
    /// Of which types of events; of every type if there is none.
    pub types: Vec<Type>,
    /// Of projects in these regions' subtrees only, if there is one.
    pub regions: Vec<String>,
    /// Of this project only.
    pub project: Option<Uuid>,
}

/// A webhook as it is known.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub account: Uuid,
    /// What is said of it.
    pub fields: Fields,
    /// Whether it is told of anything.
    pub state: State,
    /// Since when.
    pub state_since: DateTime<Utc>,
    /// Until when the former secret signs too.
    pub former_until: Option<DateTime<Utc>>,
    /// Up to which place of the feed its deliveries have been put down.
    pub place: i64,
    /// When its receiver last took something.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
    /// How often it has been changed.
    pub version: i64,
}

/// Secrets of a webhook, each sealed for its id: the one, and the one before for as long as it signs too.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// The one.
    pub secret: String,
    /// The one before.
    pub former: Option<String>,
}

fn record(row: Model) -> Result<Record, Failure> {
    let types = strings(&row.types);
    let types = types.iter().map(|code| coded(Type::of_code, code));
    Ok(Record {
        id: row.id,
        account: row.account_id,
        state: state_of(&row)?,
        fields: Fields {
            types: types.collect::<Result<_, _>>()?,
            regions: strings(&row.regions),
            url: row.url,
            description: row.description,
            project: row.project_id,
        },
        state_since: row.state_since,
        former_until: row.former_until,
        place: row.place,
        delivered_at: row.delivered_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
    })
}

fn state_of(row: &Model) -> Result<State, Failure> {
    match (row.state.as_str(), row.reason.as_deref()) {
        ("active", None) => Ok(State::Active),
        ("disabled", Some(reason)) => Ok(State::Disabled(coded(Reason::from_code, reason)?)),
        (state, _) => Err(corrupt(state)),
    }
}

/// The secrets that sign at an instant.
fn sealed(row: &Model, now: DateTime<Utc>) -> Sealed {
    let is_good = row.former_until.is_some_and(|until| now < until);
    Sealed {
        secret: row.secret.clone(),
        former: row.former_secret.clone().filter(|_| is_good),
    }
}

/// As the audit tells it: what follows a question mark in a URL may be a password.
fn told(record: &Record) -> Value {
    let Fields {
        url,
        description,
        types,
        regions,
        project,
    } = &record.fields;
    let types: Vec<&str> = types.iter().map(|of| of.as_code()).collect();
    json!({
        "url": url.split('?').next(), "description": description, "types": types, "regions": regions,
        "project": project, "state": record.state.code(), "reason": record.state.reason().map(Reason::code),
    })
}

fn entry(id: Uuid, kind: &'static str, version: i64) -> event::Entry {
    event::Entry::of_code("webhook", &id.to_string(), kind, version)
}

/// The webhooks that somebody may see: his own; the security administrator sees all.
fn seen_by(principal: &Principal) -> Condition {
    let all = principal.has_any(&[Role::SecurityAdmin]);
    let own = webhook::Column::AccountId.eq(principal.id);
    Condition::all().add_option((!all).then_some(own))
}

/// What projects and regions a webhook is limited to has to be there for whoever says so.
async fn check(
    db: &impl ConnectionTrait,
    principal: &Principal,
    fields: &Fields,
) -> Result<(), Failure> {
    let mut faults = Vec::new();
    if let Some(id) = fields.project {
        match project::need(db, &principal.reads(), Key::Id(id)).await {
            Ok(_) => {}
            Err(Failure::Refused(_)) => faults.push(unknown_project(id)),
            Err(failure) => return Err(failure),
        }
    }
    let known: Vec<String> = region::Entity::find()
        .select_only()
        .column(region::Column::Code)
        .filter(region::Column::Code.is_in(&fields.regions))
        .into_tuple()
        .all(db)
        .await?;
    let regions = fields.regions.iter().enumerate();
    let unknown = regions.filter(|(_, code)| !known.contains(code));
    faults.extend(unknown.map(|(place, code)| unknown_region(place, code)));
    if faults.is_empty() {
        return Ok(());
    }
    Err(Problem::invalid(faults).into())
}

/// A region that is not there, by its place among those that are named.
pub(crate) fn unknown_region(place: usize, code: &str) -> Fault {
    unknown_reference(&format!("/regions/{place}"), "region", "地区", code)
}

/// A project that is not there, or out of scope.
fn unknown_project(id: Uuid) -> Fault {
    unknown_reference("/project", "project", "项目", &id.to_string())
}

/// Makes a webhook, which is told of what comes after a place of the feed; the latest, if none is named.
///
/// # Errors
/// `too_many_webhooks`; 404 and 422 for a project or a region that is not there.
pub async fn add(
    tx: &Tx,
    principal: &Principal,
    (id, secret): (Uuid, &str),
    fields: Fields,
    place: Option<i64>,
) -> Result<Record, Failure> {
    let mine = webhook::Entity::find().filter(webhook::Column::AccountId.eq(principal.id));
    if mine.count(&tx.db).await? >= MAX_WEBHOOKS {
        return Err(Problem::new(kinds::TOO_MANY_WEBHOOKS)
            .say(
                format!("每个账号最多 {MAX_WEBHOOKS} 个"),
                format!("{MAX_WEBHOOKS} for each account at the most"),
            )
            .into());
    }
    check(&tx.db, principal, &fields).await?;
    let place = match place {
        Some(place) => place,
        None => feed::end(&tx.db).await?,
    };
    let row = Model {
        id,
        account_id: principal.id,
        types: codes(&fields.types),
        regions: json!(fields.regions),
        url: fields.url,
        description: fields.description,
        project_id: fields.project,
        state: State::Active.code().to_owned(),
        reason: None,
        state_since: tx.now(),
        secret: secret.to_owned(),
        former_secret: None,
        former_until: None,
        place,
        delivered_at: None,
        created_at: tx.now(),
        updated_at: tx.now(),
        version: 1,
    };
    webhook::Entity::insert(row.clone().into_active_model().reset_all())
        .exec_without_returning(&tx.db)
        .await?;
    let record = record(row)?;
    let added = entry(id, "webhook_added", record.version);
    event::record(tx, added.changing(None, Some(told(&record)))).await?;
    Ok(record)
}

fn codes(types: &[Type]) -> Value {
    types.iter().map(|of| of.as_code()).collect()
}

async fn find(
    db: &impl ConnectionTrait,
    principal: &Principal,
    id: Uuid,
) -> Result<Model, Failure> {
    let found = webhook::Entity::find_by_id(id)
        .filter(seen_by(principal))
        .one(db)
        .await?;
    found.ok_or_else(|| Problem::not_found().into())
}

/// One that somebody wants to change, at the version that he has seen; held until that is done.
async fn hold(tx: &Tx, principal: &Principal, id: Uuid, seen: i64) -> Result<Model, Failure> {
    let row = locked(tx, principal, id).await?;
    Precondition::Version(seen).check(Some(row.version))?;
    Ok(row)
}

/// One of one's own, whatever its version.
async fn hold_own(tx: &Tx, principal: &Principal, id: Uuid) -> Result<Model, Failure> {
    let row = locked(tx, principal, id).await?;
    need_own(principal, row.account_id)?;
    Ok(row)
}

async fn locked(tx: &Tx, principal: &Principal, id: Uuid) -> Result<Model, Failure> {
    let found = webhook::Entity::find_by_id(id)
        .filter(seen_by(principal))
        .lock_exclusive()
        .one(&tx.db)
        .await?;
    found.ok_or_else(|| Problem::not_found().into())
}

fn need_own(principal: &Principal, owner: Uuid) -> Result<(), Problem> {
    if principal.id == owner {
        return Ok(());
    }
    Err(Problem::new(kinds::FORBIDDEN).say(
        "别人的 webhook 只能停用或删除",
        "Somebody else's webhook can only be disabled or removed",
    ))
}

/// One webhook.
///
/// # Errors
/// `not_found` if there is none, or it is somebody else's.
pub async fn read(
    db: &impl ConnectionTrait,
    principal: &Principal,
    id: Uuid,
) -> Result<Record, Failure> {
    record(find(db, principal, id).await?)
}

/// One webhook of one's own, with the secrets that sign now.
///
/// # Errors
/// `not_found`; 403 for somebody else's.
pub async fn read_own(
    db: &impl ConnectionTrait,
    principal: &Principal,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(Record, Sealed), Failure> {
    let row = find(db, principal, id).await?;
    need_own(principal, row.account_id)?;
    let sealed = sealed(&row, now);
    Ok((record(row)?, sealed))
}

/// A page of the webhooks that somebody may see, oldest first, each with its owner's name.
///
/// # Errors
/// `invalid_cursor`.
pub async fn page(
    db: &impl ConnectionTrait,
    principal: &Principal,
    limit: u64,
    cursor: Option<&str>,
) -> Result<(Vec<Record>, Option<String>), Failure> {
    const WORDS: &str = "webhooks";
    let mut which = seen_by(principal);
    if let Some(cursor) = cursor {
        let after: Uuid = page::open(WORDS, cursor)?;
        which = which.add(webhook::Column::Id.gt(after));
    }
    let rows = webhook::Entity::find()
        .filter(which)
        .order_by_asc(webhook::Column::Id)
        .limit(limit + 1)
        .all(db)
        .await?;
    let (rows, next) = page::page_of(rows, limit, WORDS, |row| row.id);
    let records = rows.into_iter().map(record).collect::<Result<_, _>>()?;
    Ok((records, next))
}

/// The names of the accounts that keep some webhooks.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn owners(
    db: &impl ConnectionTrait,
    records: &[Record],
) -> Result<Vec<(Uuid, String)>, Failure> {
    let rows = account::Entity::find()
        .filter(account::Column::Id.is_in(records.iter().map(|record| record.account)))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.username)).collect())
}

/// How a webhook is changed; what is not said stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Where it is told.
    pub url: Option<String>,
    /// What it is for.
    pub description: Option<Option<String>>,
    /// Of which types of events.
    pub types: Option<Vec<Type>>,
    /// In which regions' subtrees.
    pub regions: Option<Vec<String>>,
    /// Of which project.
    pub project: Option<Option<Uuid>>,
    /// Whether it is told of anything.
    pub is_active: Option<bool>,
}

impl Change {
    /// Whether nothing is to be changed but that it is told of nothing any more.
    const fn only_disables(&self) -> bool {
        self.url.is_none()
            && self.description.is_none()
            && self.types.is_none()
            && self.regions.is_none()
            && self.project.is_none()
            && matches!(self.is_active, Some(false))
    }

    fn of(self, before: Fields) -> Fields {
        Fields {
            url: self.url.unwrap_or(before.url),
            description: self.description.unwrap_or(before.description),
            types: self.types.unwrap_or(before.types),
            regions: self.regions.unwrap_or(before.regions),
            project: self.project.unwrap_or(before.project),
        }
    }
}

/// Changes a webhook. One that is enabled again goes on where it stopped, with what waited first.
///
/// # Errors
/// `not_found`; 403 if somebody else's is to be changed and not only disabled; 412 if it is not at version `seen`; 404 and
/// 422 for a project or a region that is not there.
pub async fn change(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    seen: i64,
    change: Change,
) -> Result<Record, Failure> {
    let row = hold(tx, principal, id, seen).await?;
    if !change.only_disables() {
        need_own(principal, row.account_id)?;
    }
    let before = record(row.clone())?;
    let state = match change.is_active {
        Some(true) => State::Active,
        Some(false) if before.state == State::Active => {
            let is_own = principal.id == before.account;
            State::Disabled(if is_own {
                Reason::ByOwner
            } else {
                Reason::ByAdministrator
            })
        }
        Some(false) | None => before.state,
    };
    if before.state == State::Disabled(Reason::ByAdministrator) && state == State::Active {
        return Err(Problem::new(kinds::FORBIDDEN)
            .say(
                "管理员已停用；请联系安全管理员，或删除后另建",
                "An administrator has disabled it: ask the security administrator",
            )
            .into());
    }
    let fields = change.of(before.fields.clone());
    if fields == before.fields && state == before.state {
        return Ok(before);
    }
    if fields != before.fields {
        check(&tx.db, principal, &fields).await?;
    }
    if state != before.state && state == State::Active {
        work::take_up(tx, id).await?;
    }
    let after = save(tx, row, fields, state).await?;
    let changed = entry(id, "webhook_changed", after.version);
    let changed = changed.changing(Some(told(&before)), Some(told(&after)));
    event::record(tx, changed).await?;
    Ok(after)
}

async fn save(tx: &Tx, row: Model, fields: Fields, state: State) -> Result<Record, Failure> {
    let version = row.version + 1;
    let since = if state_of(&row)? == state {
        row.state_since
    } else {
        tx.now()
    };
    let mut next = row.into_active_model();
    next.types = Set(codes(&fields.types));
    next.regions = Set(json!(fields.regions));
    next.url = Set(fields.url);
    next.description = Set(fields.description);
    next.project_id = Set(fields.project);
    next.state = Set(state.code().to_owned());
    next.reason = Set(state.reason().map(|reason| reason.code().to_owned()));
    next.state_since = Set(since);
    next.updated_at = Set(tx.now());
    next.version = Set(version);
    record(next.update(&tx.db).await?)
}

/// Removes a webhook with its log.
///
/// # Errors
/// `not_found`; 412 if it is not at version `seen`.
pub async fn remove(tx: &Tx, principal: &Principal, id: Uuid, seen: i64) -> Result<(), Failure> {
    let before = record(hold(tx, principal, id, seen).await?)?;
    webhook::Entity::delete_by_id(id).exec(&tx.db).await?;
    let removed = entry(id, "webhook_removed", before.version);
    event::record(tx, removed.changing(Some(told(&before)), None)).await
}

/// Gives a webhook a new secret; the one it has signs too for a while.
///
/// # Errors
/// `not_found`; 403 for somebody else's.
pub async fn add_secret(
    tx: &Tx,
    principal: &Principal,
    id: Uuid,
    (secret, overlap): (&str, TimeDelta),
) -> Result<Record, Failure> {
    let row = hold_own(tx, principal, id).await?;
    let until = tx.now() + overlap;
    let version = row.version + 1;
    let former = (overlap > TimeDelta::zero()).then(|| row.secret.clone());
    let mut next = row.into_active_model();
    next.former_until = Set(former.is_some().then_some(until));
    next.former_secret = Set(former);
    next.secret = Set(secret.to_owned());
    next.updated_at = Set(tx.now());
    next.version = Set(version);
    let after = record(next.update(&tx.db).await?)?;
    let added = entry(id, "webhook_secret_added", version);
    let former = json!({ "former_until": after.former_until });
    event::record(tx, added.changing(None, Some(former))).await?;
    Ok(after)
}

/// Writes down that somebody has tried whether a webhook's receiver is there.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn note_test(tx: &Tx, record: &Record) -> Result<(), Failure> {
    event::record(tx, entry(record.id, "webhook_tested", record.version)).await
}

/// Drops former secrets that sign no more.
///
/// # Errors
/// [`Failure`] of the database.
pub(crate) async fn forget_secrets(tx: &Tx) -> Result<(), Failure> {
    webhook::Entity::update_many()
        .col_expr(webhook::Column::FormerSecret, Expr::value(None::<String>))
        .col_expr(
            webhook::Column::FormerUntil,
            Expr::value(None::<DateTime<Utc>>),
        )
        .filter(webhook::Column::FormerUntil.lte(tx.now()))
        .exec(&tx.db)
        .await?;
    Ok(())
}
