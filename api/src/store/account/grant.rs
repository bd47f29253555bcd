//! Rights: asked for by the system administrator, decided by the security administrator, ended by him.
//!
//! Nobody gets a right by himself: who asks, who decides and who gets it are three. The database holds that too.

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::service;
use super::user::refuse_own;
use crate::auth::Role;
use crate::auth::provider::Mapping;
use crate::clock::new_id;
use crate::entity::account;
use crate::entity::account_grant::{Column, Entity, Model};
use crate::page;
use crate::problem::{Fault, Problem, kinds};
use crate::store::reference::region::Region;
use crate::store::reference::unit::Unit;
use crate::store::{Failure, Tx, event, reference};

/// A right that is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The role.
    pub role: Role,
    /// The region in whose subtree it is to hold; none for every region.
    pub region: Option<String>,
    /// The unit for whose projects it is to hold; none for every unit.
    pub unit: Option<String>,
    /// The first day on which it is to hold.
    pub valid_from: Option<NaiveDate>,
    /// The last day on which it is to hold.
    pub valid_until: Option<NaiveDate>,
}

impl Wanted {
    /// A role for every project, from now on.
    #[must_use]
    pub const fn everywhere(role: Role) -> Self {
        Self {
            role,
            region: None,
            unit: None,
            valid_from: None,
            valid_until: None,
        }
    }

    /// The same, limited to a region's subtree if there is one.
    #[must_use]
    pub fn within(mut self, region: Option<&str>) -> Self {
        self.region = region.map(str::to_owned);
        self
    }
}

/// A right, whatever has become of it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Which.
    pub id: Uuid,
    /// Whose.
    pub account: Uuid,
    /// What and where.
    pub role: String,
    /// The region in whose subtree it holds; none for every region.
    pub region: Option<String>,
    /// The unit for whose projects it holds; none for every unit.
    pub unit: Option<String>,
    /// The first day on which it holds.
    pub valid_from: Option<NaiveDate>,
    /// The last day on which it holds.
    pub valid_until: Option<NaiveDate>,
    /// Where it comes from: `request`, `terminal`, `identity_provider`.
    pub origin: String,
    /// What has become of it: `requested`, `granted`, `rejected`, `ended`.
    pub state: String,
    /// Who asked for it.
    pub requested_by: Option<Uuid>,
    /// When.
    pub requested_at: DateTime<Utc>,
    /// Who decided.
    pub decided_by: Option<Uuid>,
    /// When.
    pub decided_at: Option<DateTime<Utc>>,
    /// Why so.
    pub note: Option<String>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
}

impl From<Model> for Record {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            account: row.account_id,
            role: row.role,
            region: row.region,
            unit: row.unit,
            valid_from: row.valid_from,
            valid_until: row.valid_until,
            origin: row.origin,
            state: row.state,
            requested_by: row.requested_by,
            requested_at: row.requested_at,
            decided_by: row.decided_by,
            decided_at: row.decided_at,
            note: row.note,
            ended_at: row.ended_at,
        }
    }
}

/// Where a right comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Asked for; holds once it has been decided.
    Request,
    /// Given at the machine's own terminal, when there is nobody yet to ask.
    Terminal,
    /// Mapped from what the office's identity provider says.
    IdentityProvider,
}

impl Origin {
    const fn code(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Terminal => "terminal",
            Self::IdentityProvider => "identity_provider",
        }
    }
}

/// Asks for a right, or gives it where nobody has to be asked.
///
/// # Errors
/// `validation_failed`; `already_exists` if it is there or asked for; `own_account` for oneself;
/// `administrators_exclude_each_other`.
pub async fn add(
    tx: &Tx,
    account: Uuid,
    wanted: &Wanted,
    origin: Origin,
) -> Result<Record, Failure> {
    account::Entity::find_by_id(account)
        .one(&tx.db)
        .await?
        .ok_or_else(Problem::not_found)?;
    refuse_own(tx, account)?;
    check(tx, wanted).await?;
    if wanted.role.is_administrator() {
        service::refuse_system(tx, account).await?;
    }
    check_beside(tx, account, wanted).await?;
    let (state, requested_by) = match origin {
        Origin::Request => ("requested", tx.by.account),
        Origin::Terminal | Origin::IdentityProvider => ("granted", None),
    };
    let row = Model {
        id: new_id(),
        account_id: account,
        role: wanted.role.code().to_owned(),
        region: wanted.region.clone(),
        unit: wanted.unit.clone(),
        valid_from: wanted.valid_from,
        valid_until: wanted.valid_until,
        origin: origin.code().to_owned(),
        state: state.to_owned(),
        requested_by,
        requested_at: tx.now(),
        decided_by: None,
        decided_at: None,
        note: None,
        ended_at: None,
    };
    let new = row.clone().into_active_model().reset_all();
    Entity::insert(new).exec_without_returning(&tx.db).await?;
    let kind = match origin {
        Origin::Request => "grant_requested",
        Origin::Terminal | Origin::IdentityProvider => "granted",
    };
    let entry = event::Entry::of_account(account, kind).changing(None, Some(told(&row)));
    event::record(tx, entry).await?;
    Ok(row.into())
}

async fn check(tx: &Tx, wanted: &Wanted) -> Result<(), Failure> {
    let mut faults = Vec::new();
    if wanted.role.is_administrator() && (wanted.region.is_some() || wanted.unit.is_some()) {
        faults.push(Fault::at(
            "/region",
            "holds_everywhere",
            "管理员角色不限地区和单位，region 与 unit 须为 null",
            "An administrator's role holds everywhere: region and unit have to be null",
        ));
    }
    if let (Some(from), Some(until)) = (wanted.valid_from, wanted.valid_until)
        && until < from
    {
        faults.push(Fault::at(
            "/valid_until",
            "ends_before_it_begins",
            "截止日期早于开始日期",
            "It ends before it begins",
        ));
    }
    if wanted.valid_until.is_some_and(|until| until < tx.today) {
        faults.push(Fault::at(
            "/valid_until",
            "over_already",
            "截止日期已过",
            "It would be over already",
        ));
    }
    faults.extend(reference::missing::<Region>(&tx.db, "/region", wanted.region.as_deref()).await?);
    faults.extend(reference::missing::<Unit>(&tx.db, "/unit", wanted.unit.as_deref()).await?);
    if faults.is_empty() {
        return Ok(());
    }
    Err(Problem::invalid(faults).into())
}

/// What the account has already, or is asked for.
async fn check_beside(tx: &Tx, account: Uuid, wanted: &Wanted) -> Result<(), Failure> {
    let standing = standing_of(tx, account).await?;
    let is_same = |row: &Model| {
        row.role == wanted.role.code() && row.region == wanted.region && row.unit == wanted.unit
    };
    if standing.iter().any(is_same) {
        return Err(Problem::new(kinds::ALREADY_EXISTS)
            .say(
                "该账号已有或已申请这一权限；如要改变期限，请先终止原有权限",
                "The account has this right or has been asked for it; to change its dates, end it first",
            )
            .into());
    }
    let is_administrator =
        |row: &Model| Role::from_code(&row.role).is_some_and(Role::is_administrator);
    if wanted.role.is_administrator() && standing.iter().any(is_administrator) {
        return Err(Problem::new(kinds::ADMINISTRATORS_EXCLUDE).into());
    }
    Ok(())
}

/// Decides what was asked for.
///
/// # Errors
/// `not_found`; `own_account` for one's own; `own_request` for what one has asked for; `decided_already`.
pub async fn decide(
    tx: &Tx,
    id: Uuid,
    is_granted: bool,
    note: Option<&str>,
) -> Result<Record, Failure> {
    let row = need(tx, id).await?;
    refuse_own(tx, row.account_id)?;
    if row.requested_by == tx.by.account {
        return Err(Problem::new(kinds::OWN_REQUEST).into());
    }
    if row.state != "requested" {
        return Err(Problem::new(kinds::DECIDED_ALREADY).into());
    }
    let mut after = row.clone();
    if is_granted { "granted" } else { "rejected" }.clone_into(&mut after.state);
    after.decided_by = tx.by.account;
    after.decided_at = Some(tx.now());
    after.note = note.map(str::to_owned);
    let kind = if is_granted {
        "granted"
    } else {
        "grant_rejected"
    };
    save(tx, &row, after, kind).await
}

/// Ends a right, or a request for one.
///
/// # Errors
/// `not_found`; `own_account` for one's own; `decided_already` if it is over; `last_administrator`.
pub async fn end(tx: &Tx, id: Uuid) -> Result<Record, Failure> {
    let row = need(tx, id).await?;
    refuse_own(tx, row.account_id)?;
    if !["requested", "granted"].contains(&row.state.as_str()) {
        return Err(Problem::new(kinds::DECIDED_ALREADY).into());
    }
    if row.state == "granted" && Role::from_code(&row.role).is_some_and(Role::is_administrator) {
        refuse_last_administrator(tx, row.account_id).await?;
    }
    end_row(tx, &row).await
}

async fn end_row(tx: &Tx, row: &Model) -> Result<Record, Failure> {
    let mut after = row.clone();
    "ended".clone_into(&mut after.state);
    after.ended_at = Some(tx.now());
    save(tx, row, after, "grant_ended").await
}

/// Brings the rights that come of the identity provider to what it says; those that were asked for stay, and one that
/// is asked for waits for its decision. Also the last administrator's is ended: the provider says who it is.
///
/// # Errors
/// `validation_failed` for a region or a unit that is not there; `administrators_exclude_each_other`.
pub(super) async fn bring_to_mapped(
    tx: &Tx,
    account: Uuid,
    mapped: &[Mapping],
) -> Result<(), Failure> {
    let mut standing = Vec::new();
    for row in standing_of(tx, account).await? {
        let is_said = mapped.iter().any(|mapping| is_of(&row, mapping));
        let is_over = row.valid_until.is_some_and(|until| until < tx.today);
        let is_mapped = row.origin == Origin::IdentityProvider.code();
        if (is_mapped && !is_said) || (!is_mapped && is_said && is_over) {
            end_row(tx, &row).await?;
        } else {
            standing.push(row);
        }
    }
    let mut added: Vec<&Mapping> = Vec::new();
    for mapping in mapped {
        let is_same = |other: &&Mapping| {
            (other.role, &other.region, &other.unit)
                == (mapping.role, &mapping.region, &mapping.unit)
        };
        if standing.iter().any(|row| is_of(row, mapping)) || added.iter().any(is_same) {
            continue;
        }
        let mut wanted = Wanted::everywhere(mapping.role).within(mapping.region.as_deref());
        wanted.unit.clone_from(&mapping.unit);
        add(tx, account, &wanted, Origin::IdentityProvider).await?;
        added.push(mapping);
    }
    Ok(())
}

fn is_of(row: &Model, mapping: &Mapping) -> bool {
    row.role == mapping.role.code() && row.region == mapping.region && row.unit == mapping.unit
}

/// The roles of an account, granted or asked for, that do not come of the identity provider.
pub(super) async fn roles_beside_mapped(tx: &Tx, account: Uuid) -> Result<Vec<Role>, Failure> {
    let standing = standing_of(tx, account).await?;
    let beside = standing
        .iter()
        .filter(|row| row.origin != Origin::IdentityProvider.code());
    Ok(beside
        .filter_map(|row| Role::from_code(&row.role))
        .collect())
}

/// The rights of an account that are granted or asked for.
async fn standing_of(tx: &Tx, account: Uuid) -> Result<Vec<Model>, Failure> {
    Ok(Entity::find()
        .filter(Column::AccountId.eq(account))
        .filter(Column::State.is_in(["requested", "granted"]))
        .all(&tx.db)
        .await?)
}

/// Refuses to take away the last administrator of a kind: nobody could give the role back but at the terminal.
pub(super) async fn refuse_last_administrator(tx: &Tx, account: Uuid) -> Result<(), Failure> {
    let administrators = Role::ALL.into_iter().filter(|role| role.is_administrator());
    let held = Entity::find()
        .filter(Column::AccountId.eq(account))
        .filter(Column::State.eq("granted"))
        .filter(Column::Role.is_in(administrators.map(Role::code)))
        .one(&tx.db)
        .await?;
    let Some(held) = held else {
        return Ok(());
    };
    // One after another: two who take each other's role away must not both find the other one in force.
    Entity::find()
        .filter(Column::Role.eq(&held.role))
        .filter(Column::State.eq("granted"))
        .order_by_asc(Column::Id)
        .lock_exclusive()
        .all(&tx.db)
        .await?;
    let enabled = Query::select()
        .column(account::Column::Id)
        .from(account::Entity)
        .and_where(account::Column::DisabledAt.is_null())
        .to_owned();
    let other = Entity::find()
        .filter(Column::Role.eq(held.role))
        .filter(Column::State.eq("granted"))
        .filter(Column::AccountId.ne(account))
        .filter(Column::AccountId.in_subquery(enabled))
        .one(&tx.db)
        .await?;
    if other.is_none() {
        return Err(Problem::new(kinds::LAST_ADMINISTRATOR).into());
    }
    Ok(())
}

async fn need(tx: &Tx, id: Uuid) -> Result<Model, Failure> {
    let found = Entity::find_by_id(id).one(&tx.db).await?;
    found.ok_or_else(|| Problem::not_found().into())
}

async fn save(
    tx: &Tx,
    before: &Model,
    after: Model,
    kind: &'static str,
) -> Result<Record, Failure> {
    let done = Entity::update_many()
        .col_expr(Column::State, Expr::value(after.state.clone()))
        .col_expr(Column::DecidedBy, Expr::value(after.decided_by))
        .col_expr(Column::DecidedAt, Expr::value(after.decided_at))
        .col_expr(Column::Note, Expr::value(after.note.clone()))
        .col_expr(Column::EndedAt, Expr::value(after.ended_at))
        .filter(Column::Id.eq(before.id))
        .filter(Column::State.eq(&before.state))
        .exec(&tx.db)
        .await?;
    if done.rows_affected != 1 {
        return Err(Failure::Moved);
    }
    let entry = event::Entry::of_account(after.account_id, kind)
        .changing(Some(told(before)), Some(told(&after)));
    event::record(tx, entry).await?;
    Ok(after.into())
}

fn told(row: &Model) -> Value {
    json!({
        "grant": row.id, "role": row.role, "region": row.region, "unit": row.unit,
        "valid_from": row.valid_from, "valid_until": row.valid_until, "origin": row.origin,
        "state": row.state, "note": row.note,
    })
}

/// Which rights are asked for.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// Of one account.
    pub account: Option<Uuid>,
    /// Of which something has become.
    pub state: Option<String>,
    /// How many on a page.
    pub limit: u64,
    /// Where the page begins.
    pub cursor: Option<String>,
}

/// A page of rights, the latest first.
///
/// # Errors
/// `invalid_cursor`; `not_found` for an account that is not there.
pub async fn page(
    db: &impl ConnectionTrait,
    question: &Question,
) -> Result<(Vec<Record>, Option<String>), Failure> {
    let Question {
        account,
        state,
        limit,
        cursor,
    } = question;
    if let Some(id) = account {
        account::Entity::find_by_id(*id)
            .one(db)
            .await?
            .ok_or_else(Problem::not_found)?;
    }
    let words = format!("grants {account:?} {state:?}");
    let mut which = Condition::all()
        .add_option(account.map(|id| Column::AccountId.eq(id)))
        .add_option(state.as_ref().map(|state| Column::State.eq(state)));
    if let Some(cursor) = cursor {
        let after: Uuid = page::open(&words, cursor)?;
        which = which.add(Column::Id.lt(after));
    }
    let rows = Entity::find()
        .filter(which)
        .order_by_desc(Column::Id)
        .limit(*limit + 1)
        .all(db)
        .await?;
    let (rows, next) = page::page_of(rows, *limit, &words, |row| row.id);
    Ok((rows.into_iter().map(Record::from).collect(), next))
}
