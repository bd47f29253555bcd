//! Targets and entered actuals: each version with the time it was known, none overwritten.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::project::RefCode;
use domain::region::RegionCode;
use domain::target::{
    Finding, Metric, Period, Quantity, Schedule, Target, TargetKind, TargetUnit, cascade,
};
use domain::text::Text;
use domain::tier::InvestmentTier;
use sea_orm::prelude::Json;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect, Select,
};
use serde_json::{Value, json};

use super::counting::known;
use super::filter::subtrees;
use super::reference::named::Programme;
use super::reference::region::{self, Region};
use super::reference::sector::Sector;
use super::reference::{self, Kind};
use super::row::{coded, text};
use super::{Failure, Tx, corrupt, event, rollup};
use crate::auth::{Principal, Reach};
use crate::entity::sector as sector_table;
use crate::entity::target::{ActiveModel, Column, Entity, Model};
use crate::page;
use crate::precondition::Precondition;
use crate::problem::{Fault, Problem};

/// What a target is called in events.
const NAME: &str = "target";
/// How many targets are looked at together.
pub const MAX_TARGETS: u64 = 5000;
/// How many codes are asked for at once.
const CHUNK: usize = 500;

/// A target as it stands, or stood.
#[derive(Clone, Debug)]
pub struct Record {
    /// How often it was changed; its ETag.
    pub version: i64,
    /// When it became known.
    pub recorded_at: DateTime<Utc>,
    /// What is said of it.
    pub target: Target,
}

/// Which targets are asked for; an empty part asks for all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of one of these plans.
    pub plans: Vec<String>,
    /// In the subtree of any of these regions.
    pub regions: Vec<String>,
    /// Wanted or reached.
    pub kinds: Vec<TargetKind>,
    /// Of one of these metrics.
    pub metrics: Vec<Metric>,
    /// Of this period: of one year, also those for every year of a period that it is in.
    pub period: Option<Period>,
}

/// The targets that somebody may see, by code, as they were known then; now if none.
///
/// # Errors
/// `validation_failed` for a region that is not there, or for more than [`MAX_TARGETS`].
pub async fn present(
    db: &impl ConnectionTrait,
    reach: &Reach,
    filter: &Filter,
    as_of: Option<DateTime<Utc>>,
) -> Result<Vec<Record>, Failure> {
    let rows = select(db, reach, filter, as_of)
        .await?
        .limit(MAX_TARGETS + 1)
        .all(db)
        .await?;
    if u64::try_from(rows.len()).is_ok_and(|count| count > MAX_TARGETS) {
        return Err(Problem::invalid(vec![Fault::parameter(
            "region",
            "too_many_targets",
            format!("目标超过 {MAX_TARGETS} 项，请缩小范围"),
            format!("More than {MAX_TARGETS} targets; ask for fewer"),
        )])
        .into());
    }
    rows.into_iter().map(record).collect()
}

/// One page of them.
///
/// # Errors
/// As for [`present`], and `invalid_cursor`.
pub async fn list_page(
    db: &impl ConnectionTrait,
    reach: &Reach,
    filter: &Filter,
    as_of: Option<DateTime<Utc>>,
    (limit, cursor): (u64, Option<&str>),
) -> Result<(Vec<Record>, Option<String>), Failure> {
    let question = format!("{NAME} {filter:?} {as_of:?}");
    let mut query = select(db, reach, filter, as_of).await?.limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(Column::Code.gt(page::open::<String>(&question, cursor)?));
    }
    let (rows, next) = page::page_of(query.all(db).await?, limit, &question, |row| {
        row.code.clone()
    });
    let records: Result<_, Failure> = rows.into_iter().map(record).collect();
    Ok((records?, next))
}

/// One target.
///
/// # Errors
/// `not_found` if it is absent or out of scope.
pub async fn read(db: &impl ConnectionTrait, reach: &Reach, code: &str) -> Result<Record, Failure> {
    let found = match last(db, code).await? {
        Some(row) if is_seen(reach, &row) => row,
        Some(_) | None => return Err(Problem::not_found().into()),
    };
    record(found)
}

/// A target as it was at a version.
pub(super) async fn at_version(
    db: &impl ConnectionTrait,
    code: &str,
    version: i64,
) -> Result<Target, Failure> {
    let found = Entity::find()
        .filter(Column::Code.eq(code))
        .filter(Column::Version.eq(version))
        .one(db)
        .await?;
    Ok(record(found.ok_or_else(|| corrupt("version of a target"))?)?.target)
}

/// Those of some codes that stand and that somebody may see.
pub(super) async fn of_codes(
    db: &impl ConnectionTrait,
    reach: &Reach,
    codes: BTreeSet<String>,
) -> Result<Vec<Record>, Failure> {
    let rows = Entity::find()
        .filter(Column::Code.is_in(codes))
        .filter(Column::SupersededAt.is_null())
        .all(db)
        .await?;
    let seen = rows.into_iter().filter(|row| is_seen(reach, row));
    seen.map(record).collect()
}

/// Where the targets of a plan disagree, as far as somebody may see them.
///
/// # Errors
/// As for [`present`].
pub async fn disagreements(
    db: &impl ConnectionTrait,
    reach: &Reach,
    filter: &Filter,
    as_of: Option<DateTime<Utc>>,
) -> Result<Vec<Finding>, Failure> {
    let records = present(db, reach, filter, as_of).await?;
    let targets: Vec<Target> = records.into_iter().map(|record| record.target).collect();
    let rows = sector_table::Entity::find()
        .filter(sector_table::Column::Programme.is_not_null())
        .all(db)
        .await?;
    let mut programme_of: BTreeMap<RefCode, RefCode> = BTreeMap::new();
    for row in rows {
        if let Some(programme) = &row.programme {
            programme_of.insert(text(&row.code)?, text(programme)?);
        }
    }
    let regions = region::tree_as_of(db, as_of).await?;
    Ok(cascade(&targets, &programme_of, &regions))
}

/// Sets a target, or replaces it.
///
/// # Errors
/// `validation_failed`, `needs_manager`, a failed precondition.
pub async fn put(
    tx: &Tx,
    principal: &Principal,
    precondition: Precondition,
    target: &Target,
) -> Result<Record, Failure> {
    let code = target.code.as_str();
    tx.alone_with_reference_data().await?;
    let last = last(&tx.db, code).await?;
    let before = last.as_ref().filter(|row| row.superseded_at.is_none());
    let reach = principal.reads();
    let shown = match precondition {
        // That a code is taken has to be told, whoever has taken it.
        Precondition::Absent => before,
        Precondition::Version(_) => before.filter(|row| is_seen(&reach, row)),
    };
    precondition.check(shown.map(|row| row.version))?;
    if let Some(before) = before {
        principal.need_manager(&before.region, None)?;
    }
    let faults = unknown_references(tx, &[target]).await?;
    if !faults.is_empty() {
        return Err(Problem::invalid(faults.into_iter().map(|(_, fault)| fault).collect()).into());
    }
    principal.need_manager(target.region.as_str(), None)?;
    if let Some(before) = before {
        let same = record(before.clone())?;
        if same.target == *target {
            return Ok(same);
        }
    }
    replace(tx, last.as_ref(), target).await
}

/// Takes a target back: from now on there is none.
///
/// # Errors
/// `not_found`, 412, `needs_manager`.
pub async fn remove(tx: &Tx, principal: &Principal, code: &str, seen: i64) -> Result<(), Failure> {
    tx.alone_with_reference_data().await?;
    let before = match last(&tx.db, code).await? {
        Some(row) if is_seen(&principal.reads(), &row) => row,
        Some(_) | None => return Err(Problem::not_found().into()),
    };
    Precondition::Version(seen).check(Some(before.version))?;
    principal.need_manager(&before.region, None)?;
    tx.comes_after(latest(&before));
    supersede(tx, code).await?;
    let version = before.version;
    let was = told(&record(before)?.target);
    rollup::touch(tx).await?;
    let done = event::Entry::of_code(NAME, code, "target_removed", version);
    event::record(tx, done.changing(Some(was), None)).await
}

/// Makes the targets of a data set what it says, line by line; answers how many were not.
///
/// # Errors
/// `validation_failed` for what they refer to and is not there, by line.
pub(crate) async fn load(tx: &Tx, targets: &[(u64, Target)]) -> Result<usize, Failure> {
    if targets.is_empty() {
        return Ok(0);
    }
    tx.alone_with_reference_data().await?;
    let all: Vec<&Target> = targets.iter().map(|(_, target)| target).collect();
    let faults = unknown_references(tx, &all).await?;
    if !faults.is_empty() {
        let told = faults.into_iter().map(|(place, fault)| {
            let line = targets.get(place).map(|(line, _)| *line);
            fault.with("line", line)
        });
        return Err(Problem::invalid(told.collect()).into());
    }
    let mut known: BTreeMap<String, Model> = BTreeMap::new();
    for some in all.chunks(CHUNK) {
        let rows = Entity::find()
            .filter(Column::Code.is_in(some.iter().map(|target| target.code.as_str())))
            .order_by_asc(Column::Version)
            .all(&tx.db)
            .await?;
        known.extend(rows.into_iter().map(|row| (row.code.clone(), row)));
    }
    let mut changed = 0;
    for target in all {
        let last = known.get(target.code.as_str());
        let is_same = match last.filter(|row| row.superseded_at.is_none()) {
            None => false,
            Some(row) => record(row.clone())?.target == *target,
        };
        if !is_same {
            replace(tx, last, target).await?;
            changed += 1;
        }
    }
    Ok(changed)
}

/// Writes the next version of a target. Versions go on after a removal, so that an old ETag never fits a new target.
async fn replace(tx: &Tx, last: Option<&Model>, target: &Target) -> Result<Record, Failure> {
    let code = target.code.as_str();
    if let Some(last) = last {
        tx.comes_after(latest(last));
        supersede(tx, code).await?;
    }
    let version = last.map_or(1, |row| row.version + 1);
    Entity::insert(row(tx, version, target))
        .exec_without_returning(&tx.db)
        .await?;
    let before = last.filter(|row| row.superseded_at.is_none());
    let before = before.map(|row| record(row.clone())).transpose()?;
    let was = before.map(|record| told(&record.target));
    rollup::touch(tx).await?;
    let done = event::Entry::of_code(NAME, code, "target_set", version);
    event::record(tx, done.changing(was, Some(told(target)))).await?;
    Ok(Record {
        version,
        recorded_at: tx.now(),
        target: target.clone(),
    })
}

/// When a version began or ended, whichever is later.
fn latest(row: &Model) -> Option<DateTime<Utc>> {
    row.superseded_at.or(Some(row.recorded_at))
}

/// Whether a target is there for a reader: of a unit's projects there are no targets.
fn is_seen(reach: &Reach, row: &Model) -> bool {
    row.superseded_at.is_none() && reach.covers(&row.region, None)
}

/// The last version of a target, which may have ended; what can't be a code is not asked for.
async fn last(db: &impl ConnectionTrait, code: &str) -> Result<Option<Model>, Failure> {
    if RefCode::parse(code).is_err() {
        return Ok(None);
    }
    Ok(Entity::find()
        .filter(Column::Code.eq(code))
        .order_by_desc(Column::Version)
        .one(db)
        .await?)
}

async fn supersede(tx: &Tx, code: &str) -> Result<(), Failure> {
    Entity::update_many()
        .col_expr(Column::SupersededAt, Expr::value(tx.now()))
        .filter(Column::Code.eq(code))
        .filter(Column::SupersededAt.is_null())
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// The rows that a filter and a scope leave, by code.
async fn select(
    db: &impl ConnectionTrait,
    reach: &Reach,
    filter: &Filter,
    as_of: Option<DateTime<Utc>>,
) -> Result<Select<Entity>, Failure> {
    let mut reach = reach.clone();
    if !filter.regions.is_empty() {
        reach = reach.narrowed(&subtrees(db, &filter.regions, as_of).await?);
    }
    let regions = reach.whole_regions();
    let one_of =
        |column: Column, values: Vec<&str>| (!values.is_empty()).then(|| column.is_in(values));
    let conditions = Condition::all()
        .add(known(as_of, Column::RecordedAt, Column::SupersededAt))
        .add_option(regions.map(|regions| Column::Region.is_in(regions)))
        .add_option(one_of(
            Column::Plan,
            filter.plans.iter().map(String::as_str).collect(),
        ))
        .add_option(one_of(
            Column::Kind,
            filter.kinds.iter().map(|kind| kind.code()).collect(),
        ))
        .add_option(one_of(
            Column::Metric,
            filter.metrics.iter().map(|metric| metric.code()).collect(),
        ))
        .add_option(filter.period.map(of_period));
    Ok(Entity::find().filter(conditions).order_by_asc(Column::Code))
}

fn of_period(period: Period) -> Condition {
    let Period { from_year, to_year } = period;
    let exactly = Condition::all()
        .add(Column::FromYear.eq(from_year))
        .add(Column::ToYear.eq(to_year));
    if from_year < to_year {
        return exactly;
    }
    let every_year = Condition::all()
        .add(Column::EachYear.eq(true))
        .add(Column::FromYear.lte(from_year))
        .add(Column::ToYear.gte(to_year));
    Condition::any().add(exactly).add(every_year)
}

/// What targets refer to and is not there, with the place of the target.
async fn unknown_references(tx: &Tx, targets: &[&Target]) -> Result<Vec<(usize, Fault)>, Failure> {
    let regions = |target: &Target| Some(target.region.as_str().to_owned());
    let code = |code: &Option<RefCode>| code.as_ref().map(|code| code.as_str().to_owned());
    let mut faults = missing::<Region>(tx, "/region", targets, regions).await?;
    let programmes = |target: &Target| code(&target.programme);
    faults.extend(missing::<Programme>(tx, "/programme", targets, programmes).await?);
    let sectors = |target: &Target| code(&target.sector);
    faults.extend(missing::<Sector>(tx, "/sector", targets, sectors).await?);
    Ok(faults)
}

async fn missing<K: Kind>(
    tx: &Tx,
    pointer: &str,
    targets: &[&Target],
    code: impl Fn(&Target) -> Option<String>,
) -> Result<Vec<(usize, Fault)>, Failure> {
    let codes: Vec<(usize, String)> = targets
        .iter()
        .enumerate()
        .filter_map(|(place, target)| Some((place, code(target)?)))
        .collect();
    let wanted: BTreeSet<&str> = codes.iter().map(|(_, code)| code.as_str()).collect();
    let known = reference::known::<K>(&tx.db, &wanted).await?;
    let missing = codes.iter().filter(|(_, code)| !known.contains(code));
    Ok(missing
        .map(|(place, code)| (*place, K::unknown(pointer, code)))
        .collect())
}

fn record(row: Model) -> Result<Record, Failure> {
    let Model {
        code,
        version,
        plan,
        region,
        programme,
        sector,
        from_tier,
        up_to_tier,
        metric,
        name,
        from_year,
        to_year,
        each_year,
        value,
        unit,
        kind,
        schedule,
        quote,
        source,
        recorded_at,
        superseded_at: _,
    } = row;
    let tier = |stored: Option<String>| {
        let read = |code: String| coded(InvestmentTier::from_code, &code);
        stored.map(read).transpose()
    };
    Ok(Record {
        version,
        recorded_at,
        target: Target {
            code: text(&code)?,
            plan: text(&plan)?,
            region: RegionCode::parse(&region).map_err(|_| corrupt(&region))?,
            programme: programme.as_deref().map(text).transpose()?,
            sector: sector.as_deref().map(text).transpose()?,
            from_tier: tier(from_tier)?,
            up_to_tier: tier(up_to_tier)?,
            period: Period { from_year, to_year },
            each_year,
            metric: coded(Metric::from_code, &metric)?,
            name: text(&name)?,
            value: Quantity::from_hundredths(value).ok_or_else(|| corrupt("value"))?,
            unit: coded(TargetUnit::from_code, &unit)?,
            kind: coded(TargetKind::from_code, &kind)?,
            schedule: schedule.as_ref().map(stored_schedule).transpose()?,
            quote: quote.as_deref().map(text).transpose()?,
            source: source.as_deref().map(text).transpose()?,
        },
    })
}

fn stored_schedule(stored: &Json) -> Result<Schedule, Failure> {
    let numbers = stored.as_array().into_iter().flatten();
    let percents: Vec<i64> = numbers.filter_map(Value::as_i64).collect();
    Schedule::new(&percents).map_err(|_| corrupt("schedule"))
}

fn row(tx: &Tx, version: i64, target: &Target) -> ActiveModel {
    let Target {
        code,
        plan,
        region,
        programme,
        sector,
        from_tier,
        up_to_tier,
        period,
        each_year,
        metric,
        name,
        value,
        unit,
        kind,
        schedule,
        quote,
        source,
    } = target;
    ActiveModel {
        code: Set(code.as_str().to_owned()),
        version: Set(version),
        plan: Set(plan.as_str().to_owned()),
        region: Set(region.as_str().to_owned()),
        programme: Set(programme.clone().map(Text::into_string)),
        sector: Set(sector.clone().map(Text::into_string)),
        from_tier: Set(from_tier.map(|tier| tier.code().to_owned())),
        up_to_tier: Set(up_to_tier.map(|tier| tier.code().to_owned())),
        metric: Set(metric.code().to_owned()),
        name: Set(name.as_str().to_owned()),
        from_year: Set(period.from_year),
        to_year: Set(period.to_year),
        each_year: Set(*each_year),
        value: Set(value.hundredths()),
        unit: Set(unit.code().to_owned()),
        kind: Set(kind.code().to_owned()),
        schedule: Set(schedule.map(|schedule| json!(schedule.percents()))),
        quote: Set(quote.clone().map(Text::into_string)),
        source: Set(source.clone().map(Text::into_string)),
        recorded_at: Set(tx.now()),
        superseded_at: Set(None),
    }
}

/// A target as an event tells it.
pub(super) fn told(target: &Target) -> Value {
    json!({
        "plan": target.plan.as_str(),
        "region": target.region.as_str(),
        "programme": target.programme.as_ref().map(Text::as_str),
        "sector": target.sector.as_ref().map(Text::as_str),
        "from_tier": target.from_tier.map(InvestmentTier::code),
        "up_to_tier": target.up_to_tier.map(InvestmentTier::code),
        "metric": target.metric.code(),
        "name": target.name.as_str(),
        "from_year": target.period.from_year,
        "to_year": target.period.to_year,
        "each_year": target.each_year,
        "value": target.value.to_string(),
        "unit": target.unit.code(),
        "kind": target.kind.code(),
        "schedule": target.schedule.map(|schedule| *schedule.percents()),
        "quote": target.quote.as_ref().map(Text::as_str),
        "source": target.source.as_ref().map(Text::as_str),
    })
}
