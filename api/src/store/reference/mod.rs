//! Reference data: regions, units, programmes, sectors, chains, lists and the rules of approvals.
//!
//! Each kind says how it is stored; looking up, replacing and removing are the same for all.

pub mod list;
pub mod named;
pub mod region;
pub mod rules;
pub mod sector;
pub mod unit;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use domain::code::ProjectCode;
use domain::project::{Facts, RefCode};
use domain::text::Text;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, prelude::Json,
};
use serde::Serialize;

use super::{Failure, Tx, event, rollup};
use crate::entity::project_version;
use crate::page;
use crate::precondition::Precondition;
use crate::problem::value::{text_told, unknown_reference};
use crate::problem::{Fault, Problem, kinds};

use named::{Chain, Programme};
use region::Region;
pub(crate) use rules::{approval_rules, profile_of};
use sector::Sector;
use unit::Unit;

/// The most aliases that an entry has.
const MAX_ALIASES: usize = 20;

/// One entry of reference data, with its code and how often it was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<F> {
    /// Its code, which never changes.
    pub code: String,
    /// How often it was changed.
    pub version: i64,
    /// What is said of it.
    pub fields: F,
}

/// A kind of reference data.
pub trait Kind: Clone + std::fmt::Debug + PartialEq + Serialize + Sized + 'static {
    /// What it is called in events and problems.
    const NAME: &'static str;
    /// The same in Chinese.
    const NAME_ZH: &'static str;

    /// Whether projects refer to it, by a column of its name.
    const IS_OF_PROJECTS: bool = true;

    /// Where it is stored.
    type Table: EntityTrait<Model: IntoActiveModel<Self::Row>>;
    /// A row to be stored.
    type Row: ActiveModelTrait<Entity = Self::Table> + Send;

    /// The column of the code.
    fn code() -> Column<Self>;

    /// The column of the version.
    fn version() -> Column<Self>;

    /// A row as an entry.
    fn entry(row: <Self::Table as EntityTrait>::Model) -> Entry<Self>;

    /// An entry as a row.
    fn row(entry: Entry<Self>) -> Self::Row;

    /// An entry that is referred to and is not there.
    #[must_use]
    fn unknown(pointer: &str, code: &str) -> Fault {
        unknown_reference(pointer, Self::NAME, Self::NAME_ZH, code)
    }

    /// The fields of a data set, with what it can't tell kept as it stands.
    #[must_use]
    fn keeping(self, _present: &Self) -> Self {
        self
    }

    /// Everything that is wrong with an entry, by the rules and the other data.
    fn faults(&self, tx: &Tx, code: &str) -> impl Future<Output = Result<Vec<Fault>, Failure>>;

    /// What follows from a change of an entry, in the same transaction.
    fn changed(_tx: &Tx) -> impl Future<Output = Result<(), Failure>> {
        std::future::ready(Ok(()))
    }

    /// What has to go before an entry can, in the same transaction.
    fn going(_tx: &Tx, _code: &str) -> impl Future<Output = Result<(), Failure>> {
        std::future::ready(Ok(()))
    }
}

/// A column of a kind's table.
type Column<K> = <<K as Kind>::Table as EntityTrait>::Column;

/// One page of a kind.
///
/// # Errors
/// `invalid_cursor`, or [`Failure`] of the database.
pub async fn list_page<K: Kind>(
    db: &impl ConnectionTrait,
    limit: u64,
    cursor: Option<&str>,
) -> Result<(Vec<Entry<K>>, Option<String>), Failure> {
    let after = cursor
        .map(|cursor| page::open::<String>(K::NAME, cursor))
        .transpose()?;
    let mut query = K::Table::find().order_by_asc(K::code()).limit(limit + 1);
    if let Some(after) = after {
        query = query.filter(K::code().gt(after));
    }
    let rows = query.all(db).await?.into_iter().map(K::entry).collect();
    Ok(page::page_of(rows, limit, K::NAME, |entry| {
        entry.code.clone()
    }))
}

/// One entry, if there is one: what can't be a code is not asked for, for `PostgreSQL` takes no NUL.
pub(crate) async fn find<K: Kind>(
    db: &impl ConnectionTrait,
    code: &str,
) -> Result<Option<Entry<K>>, Failure> {
    if RefCode::parse(code).is_err() {
        return Ok(None);
    }
    let found = K::Table::find().filter(K::code().eq(code)).one(db).await?;
    Ok(found.map(K::entry))
}

/// What people call the entries with these codes; those that are not there are left out.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn names<K: Kind>(
    db: &impl ConnectionTrait,
    codes: &[String],
    name: impl Fn(K) -> String,
) -> Result<BTreeMap<String, String>, Failure> {
    let codes = codes.iter().map(String::as_str);
    let rows = K::Table::find().filter(K::code().is_in(codes)).all(db);
    let entries = rows.await?.into_iter().map(K::entry);
    Ok(entries
        .map(|entry| (entry.code, name(entry.fields)))
        .collect())
}

/// What people call every entry.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn all_names<K: Kind>(
    db: &impl ConnectionTrait,
    name: impl Fn(K) -> String,
) -> Result<BTreeMap<String, String>, Failure> {
    let entries = K::Table::find().all(db).await?.into_iter().map(K::entry);
    Ok(entries
        .map(|entry| (entry.code, name(entry.fields)))
        .collect())
}

/// Labels by code: the names, with the code behind where several have the same.
#[must_use]
pub fn labels(mut names: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut bearers: BTreeMap<String, u32> = BTreeMap::new();
    for name in names.values() {
        *bearers.entry(name.clone()).or_default() += 1;
    }
    for (code, name) in &mut names {
        if bearers.get(name).is_some_and(|bearers| *bearers > 1) {
            *name = format!("{name}（{code}）");
        }
    }
    names
}

/// One entry.
///
/// # Errors
/// `not_found`.
pub async fn read<K: Kind>(db: &impl ConnectionTrait, code: &str) -> Result<Entry<K>, Failure> {
    find(db, code)
        .await?
        .ok_or_else(|| Problem::not_found().into())
}

/// Has reference data to itself, and dates what is written after whatever it waited for.
async fn alone(tx: &Tx) -> Result<(), Failure> {
    tx.alone_with_reference_data().await?;
    tx.comes_after(None);
    Ok(())
}

/// Makes or replaces an entry.
///
/// # Errors
/// `validation_failed`, or a failed precondition.
pub async fn put<K: Kind>(
    tx: &Tx,
    code: &str,
    precondition: Precondition,
    fields: K,
) -> Result<Entry<K>, Failure> {
    alone(tx).await?;
    let before = find::<K>(&tx.db, code).await?;
    precondition.check(before.as_ref().map(|entry| entry.version))?;
    Ok(replace(tx, code, before, fields).await?.0)
}

/// Makes an entry as a data set has it, or replaces it where it differs; answers whether it did.
///
/// # Errors
/// `validation_failed`.
pub async fn load<K: Kind>(tx: &Tx, code: &str, fields: K) -> Result<bool, Failure> {
    alone(tx).await?;
    let before = find::<K>(&tx.db, code).await?;
    let fields = match &before {
        Some(entry) => fields.keeping(&entry.fields),
        None => fields,
    };
    Ok(replace(tx, code, before, fields).await?.1)
}

/// Writes an entry and what follows from it; answers it, and whether it differs from what stood.
async fn replace<K: Kind>(
    tx: &Tx,
    code: &str,
    before: Option<Entry<K>>,
    fields: K,
) -> Result<(Entry<K>, bool), Failure> {
    if let Some(before) = before.as_ref().filter(|before| before.fields == fields) {
        return Ok((before.clone(), false));
    }
    let faults = fields.faults(tx, code).await?;
    if !faults.is_empty() {
        return Err(Problem::invalid(faults).into());
    }
    let entry = Entry {
        code: code.to_owned(),
        version: match &before {
            Some(before) => before.version + 1,
            None => event::last_version(tx, K::NAME, code).await? + 1,
        },
        fields,
    };
    let row = K::row(entry.clone());
    match &before {
        None => {
            K::Table::insert(row).exec_without_returning(&tx.db).await?;
        }
        Some(before) => {
            let changed = K::Table::update_many()
                .set(row)
                .filter(K::code().eq(code))
                .filter(K::version().eq(before.version))
                .exec(&tx.db)
                .await?;
            if changed.rows_affected != 1 {
                return Err(Failure::Moved);
            }
        }
    }
    K::changed(tx).await?;
    let was = before.and_then(|entry| serde_json::to_value(entry.fields).ok());
    let is = serde_json::to_value(&entry.fields).ok();
    let done = event::Entry::of_code(K::NAME, code, "reference_changed", entry.version);
    event::record(tx, done.changing(was, is)).await?;
    Ok((entry, true))
}

/// Removes an entry.
///
/// # Errors
/// `not_found`, 412, or `still_in_use`.
pub async fn delete<K: Kind>(tx: &Tx, code: &str, seen: i64) -> Result<(), Failure> {
    alone(tx).await?;
    let before = read::<K>(&tx.db, code).await?;
    Precondition::Version(seen).check(Some(before.version))?;
    if K::IS_OF_PROJECTS {
        // What was counted once has to be found again for ever.
        let told = project_version::Entity::find().filter(Expr::col(K::NAME).eq(code));
        if told.one(&tx.db).await?.is_some() {
            return Err(still_told());
        }
    }
    K::going(tx, code).await?;
    K::Table::delete_many()
        .filter(K::code().eq(code))
        .exec(&tx.db)
        .await?;
    // A question that named it is refused from now on, and was answered.
    rollup::touch(tx).await?;
    let was = serde_json::to_value(before.fields).ok();
    let done = event::Entry::of_code(K::NAME, code, "reference_removed", before.version);
    event::record(tx, done.changing(was, None)).await
}

/// The refusal to remove what numbers of the past tell of.
fn still_told() -> Failure {
    Problem::new(kinds::STILL_IN_USE)
        .say(
            "以往的项目记录或已封账的督考比仍引用它，删除后历史数字将无法查证；可改为停用（地区可填 valid_to）",
            "Projects of the past or a closed scoreboard refer to it, and numbers of then could not be opened without it; \
             a region may be given its last year instead (valid_to)",
        )
        .into()
}

/// Faults of a code, a name and aliases, which every kind has.
fn common_faults(code: &str, name: &str, aliases: &[String]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let is_plain = RefCode::parse(code).is_ok_and(|text| text.as_str() == code);
    // A comma parts the codes of a query, and `null` selects what has none.
    if !is_plain || code.contains(',') || code == "null" {
        faults.push(Fault::at(
            "/code",
            "invalid_code",
            "代码须为 1 到 64 个字符，不含控制字符",
            "A code has 1 to 64 characters and no control characters",
        ));
    }
    faults.extend(text_fault::<200>("/name", name));
    if aliases.len() > MAX_ALIASES {
        faults.push(Fault::at(
            "/aliases",
            "too_many",
            format!("最多 {MAX_ALIASES} 个"),
            format!("{MAX_ALIASES} at the most"),
        ));
    }
    for (index, alias) in aliases.iter().enumerate() {
        faults.extend(text_fault::<200>(&format!("/aliases/{index}"), alias));
    }
    faults
}

/// What is wrong with a text, if anything is.
pub(crate) fn text_fault<const MAX: usize>(pointer: &str, value: &str) -> Option<Fault> {
    match Text::<MAX>::parse(value) {
        Ok(text) if text.as_str() == value => None,
        Ok(_) => Some(Fault::at(
            pointer,
            "text_not_trimmed",
            "前后不能有空白",
            "No blanks before or after it",
        )),
        Err(error) => Some(text_told(pointer, &error)),
    }
}

fn to_json(strings: &[String]) -> Json {
    strings.iter().map(String::as_str).collect()
}

/// Which of these codes there are.
pub(crate) async fn known<K: Kind>(
    db: &impl ConnectionTrait,
    codes: &BTreeSet<&str>,
) -> Result<BTreeSet<String>, Failure> {
    if codes.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows = K::Table::find()
        .filter(K::code().is_in(codes.iter().copied()))
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| K::entry(row).code).collect())
}

/// The fault of a reference to an entry that is not there, if it is one.
pub(crate) async fn missing<K: Kind>(
    db: &impl ConnectionTrait,
    pointer: &str,
    code: Option<&str>,
) -> Result<Option<Fault>, Failure> {
    let Some(code) = code else { return Ok(None) };
    let is_there = find::<K>(db, code).await?.is_some();
    Ok((!is_there).then(|| K::unknown(pointer, code)))
}

/// Checks the references of a project against the data; of a change, only what it changes.
pub(crate) async fn check(
    db: &impl ConnectionTrait,
    facts: &Facts,
    before: Option<&Facts>,
    today: NaiveDate,
) -> Result<Vec<Fault>, Failure> {
    let mut faults = Vec::new();
    if before.is_none_or(|b| b.region != facts.region) {
        faults.extend(check_region(db, facts.region.as_str(), today).await?);
    }
    if before.is_none_or(|b| b.code != facts.code) {
        let region = facts.code.as_ref().map(ProjectCode::region);
        faults.extend(missing::<Region>(db, "/code", region).await?);
    }
    if before.is_none_or(|b| b.unit != facts.unit) {
        let unit = facts.unit.as_ref().map(RefCode::as_str);
        faults.extend(missing::<Unit>(db, "/unit", unit).await?);
    }
    if before.is_none_or(|b| b.programme != facts.programme) {
        let programme = facts.programme.as_ref().map(RefCode::as_str);
        faults.extend(missing::<Programme>(db, "/programme", programme).await?);
    }
    if before.is_none_or(|b| b.sector != facts.sector) {
        let sector = facts.sector.as_ref().map(RefCode::as_str);
        faults.extend(missing::<Sector>(db, "/sector", sector).await?);
    }
    if before.is_none_or(|b| b.chain != facts.chain) {
        let chain = facts.chain.as_ref().map(RefCode::as_str);
        faults.extend(missing::<Chain>(db, "/chain", chain).await?);
    }
    Ok(faults)
}

async fn check_region(
    db: &impl ConnectionTrait,
    code: &str,
    today: NaiveDate,
) -> Result<Option<Fault>, Failure> {
    let Some(Entry { fields: row, .. }) = find::<Region>(db, code).await? else {
        return Ok(Some(Region::unknown("/region", code)));
    };
    let year = today.year();
    let is_valid =
        row.valid_from.is_none_or(|from| from <= year) && row.valid_to.is_none_or(|to| year <= to);
    Ok((!is_valid).then(|| {
        Fault::at(
            "/region",
            "region_not_in_force",
            format!("{}（{code}）在 {year} 年已撤销或尚未设立", row.name),
            format!("{} ({code}) is not in force in {year}", row.name),
        )
    }))
}
