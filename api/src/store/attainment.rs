//! How far targets are reached: what the library counts for each, or the actual that was entered for it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use domain::accounting::Line;
use domain::family::Level;
use domain::money::Total;
use domain::region::RegionCode;
use domain::rollup::Known;
use domain::target::{
    Attainment, Belonging, Metric, Period, Quantity, Reached, Target, TargetKind, attainment,
};
use domain::tier::InvestmentTier;
use sea_orm::sea_query::{Expr, ExprTrait, JoinType, Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, QueryResult};

use super::Failure;
use super::counting::{Base, Frame, INVESTED, Rows, SPAN};
use super::filter::{Filter as ProjectFilter, Scoped, check_begun, subtrees};
use super::rollup::{self, ENDED, Kept, Source};
use super::row::coded;
use super::summary::PART;
use super::target::{self, Filter, Record};
use crate::auth::Reach;
use crate::entity::project::{self, Column};

/// The year before for which anything completed was told.
const TOLD_BEFORE: &str = "told_before";

/// A target with how far it is reached.
#[derive(Clone, Debug)]
pub struct Held {
    /// The target, held to the year that is asked about.
    pub record: Record,
    /// How far it is reached; none if nothing can be counted for it and no actual was entered.
    pub attainment: Option<Attainment>,
    /// The actual that was entered for the same, if one was.
    pub entered: Option<Quantity>,
    /// Whether it is held against what the library counts.
    pub is_derived: bool,
}

/// Which targets, and what is known when.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which.
    pub filter: Filter,
    /// As it was known then; now if none.
    pub as_of: Option<DateTime<Utc>>,
    /// The day up to which time is over.
    pub today: NaiveDate,
}

/// Holds targets against what the library counts.
///
/// # Errors
/// `validation_failed` for filters that mean nothing.
pub async fn answer(
    db: &impl ConnectionTrait,
    reach: &Reach,
    question: &Question,
    sums_are_complete: bool,
) -> Result<Vec<Held>, Failure> {
    if let Some(instant) = question.as_of {
        check_begun(db, instant, "as_of").await?;
    }
    let records = target::present(db, reach, &question.filter, question.as_of).await?;
    let records = seen_wholly(db, reach, question.as_of, records).await?;
    let records: Vec<Record> = records
        .into_iter()
        .filter_map(|record| held_to(record, question.filter.period))
        .collect();
    let (wanted, actuals): (Vec<Record>, Vec<Record>) = records
        .into_iter()
        .partition(|record| record.target.kind == TargetKind::Target);
    let actuals: Vec<Target> = actuals.into_iter().map(|record| record.target).collect();
    let mut counted: BTreeMap<RegionCode, Counted> = BTreeMap::new();
    for record in &wanted {
        let region = &record.target.region;
        if record.target.metric != Metric::Entered && !counted.contains_key(region) {
            let targets = wanted.iter().map(|record| &record.target);
            let of_region: Vec<&Target> = targets.filter(|t| t.region == *region).collect();
            let found = Counted::read(db, reach, question, &of_region, sums_are_complete).await?;
            counted.insert(region.clone(), found);
        }
    }
    let held = wanted.into_iter().map(|record| {
        let target = &record.target;
        let entered = actuals.iter().find(|actual| is_actual_of(actual, target));
        let entered = entered.map(|actual| actual.value);
        let reached = match counted.get(&target.region) {
            Some(counted) if target.metric != Metric::Entered => {
                Some(counted.of(target, question.today))
            }
            Some(_) | None => entered.map(|value| Reached {
                attained: Total::from(value),
                ..Reached::default()
            }),
        };
        Held {
            attainment: reached.map(|reached| attainment(target, reached, question.today)),
            is_derived: target.metric != Metric::Entered,
            record,
            entered,
        }
    });
    Ok(held.collect())
}

/// Those of whose regions everything is seen: who may read all that lies in a region may not read all that lay in it
/// then, and would be told a part for the whole.
async fn seen_wholly(
    db: &impl ConnectionTrait,
    reach: &Reach,
    as_of: Option<DateTime<Utc>>,
    records: Vec<Record>,
) -> Result<Vec<Record>, Failure> {
    let (Some(_), Some(regions)) = (as_of, reach.whole_regions()) else {
        return Ok(records);
    };
    let mut seen: BTreeMap<RegionCode, bool> = BTreeMap::new();
    for record in &records {
        let region = &record.target.region;
        if !seen.contains_key(region) {
            let lay_in_it = subtrees(db, &[region.as_str().to_owned()], as_of).await?;
            let is_seen = lay_in_it.iter().all(|code| regions.contains(code.as_str()));
            seen.insert(region.clone(), is_seen);
        }
    }
    let is_seen = |record: &Record| seen.get(&record.target.region).copied() == Some(true);
    Ok(records.into_iter().filter(is_seen).collect())
}

/// A target of the one year that is asked about, if one is.
fn held_to(record: Record, period: Option<Period>) -> Option<Record> {
    let Some(period) = period.filter(|period| period.from_year == period.to_year) else {
        return Some(record);
    };
    let target = record.target.in_year(period.from_year)?;
    Some(Record { target, ..record })
}

/// Whether an actual was entered for what a target wants.
fn is_actual_of(actual: &Target, target: &Target) -> bool {
    let of = |t: &Target| {
        let (metric, unit, tiers) = (t.metric, t.unit, (t.from_tier, t.up_to_tier));
        let scope = (t.region.clone(), t.programme.clone(), t.sector.clone());
        // What can't be derived is told apart by its name alone.
        let name = (t.metric == Metric::Entered).then(|| t.name.clone());
        (metric, unit, tiers, scope, name, t.period, t.each_year)
    };
    of(actual) == of(target)
}

/// An entry of the accounts, or money of a year, of projects that are alike.
#[derive(Debug)]
struct Entry {
    programme: Option<String>,
    sector: Option<String>,
    tier: InvestmentTier,
    known: Known,
    what: What,
    year: i32,
    count: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    /// Projects that stand in a line from a year on; the year before in which they were under construction.
    Begins(Line, Option<i32>),
    /// Projects that stand in a lasting line no longer.
    Ends(Line),
    /// 分 that were completed in a year; the year before for which any were told.
    Invested(Total, Option<i32>),
}

/// What the library counts in a region.
#[derive(Debug, Default)]
struct Counted {
    /// Of every project, without programme and sector.
    all: Vec<Entry>,
    /// Of projects of the programmes and sectors that targets name.
    named: Vec<Entry>,
}

impl Counted {
    async fn read(
        db: &impl ConnectionTrait,
        reach: &Reach,
        question: &Question,
        targets: &[&Target],
        sums_are_complete: bool,
    ) -> Result<Self, Failure> {
        let Some(first) = targets.first() else {
            return Ok(Self::default());
        };
        let frame = Frame {
            as_of: question.as_of,
            base: Some(Base::Portfolio),
            level: Level::Project,
        };
        let filter = ProjectFilter {
            regions: vec![first.region.as_str().to_owned()],
            ..ProjectFilter::default()
        };
        let scoped = filter.within(db, reach, &frame).await?;
        let mut counted = Self::default();
        let is_kept = sums_are_complete && frame.as_of.is_none() && reach.is_by_region();
        if is_kept {
            counted.all = from_sums(db, &scoped, targets).await?;
        } else {
            counted.all = from_spans(db, &frame, &scoped, None, targets).await?;
        }
        counted
            .all
            .extend(invested(db, &frame, &scoped, None, targets).await?);
        let named: Vec<&Target> = targets
            .iter()
            .copied()
            .filter(|t| t.programme.is_some() || t.sector.is_some())
            .collect();
        if !named.is_empty() {
            let limit = Some(named.as_slice());
            counted.named = from_spans(db, &frame, &scoped, limit, targets).await?;
            let money = invested(db, &frame, &scoped, limit, targets).await?;
            counted.named.extend(money);
        }
        Ok(counted)
    }

    /// What is reached of a target; of one for each of several years, what is reached of it in each that has begun.
    fn of(&self, target: &Target, today: NaiveDate) -> Reached {
        let Period { from_year, to_year } = target.period;
        if !target.each_year || from_year == to_year {
            return self.of_period(target);
        }
        let begun = (from_year..=to_year).take_while(|year| *year <= today.year());
        let of_years = begun.filter_map(|year| target.in_year(year));
        of_years.fold(Reached::default(), |sum, of_year| {
            let reached = self.of_period(&of_year);
            Reached {
                attained: Total::from_fen(sum.attained.fen() + reached.attained.fen()),
                // What each year took over is gathered by the year before.
                carried: Total::ZERO,
                may_belong: sum.may_belong + reached.may_belong,
            }
        })
    }

    fn of_period(&self, target: &Target) -> Reached {
        let is_named = target.programme.is_some() || target.sector.is_some();
        let entries = if is_named { &self.named } else { &self.all };
        let code = |code: &Option<domain::project::RefCode>| {
            code.as_ref().map(|code| code.as_str().to_owned())
        };
        let (programme, sector) = (code(&target.programme), code(&target.sector));
        let (mut reached, mut carried) = (0_i128, 0_i128);
        let mut may = 0_i64;
        for entry in entries {
            let is_other =
                |wanted: &Option<String>, has: &Option<String>| wanted.is_some() && wanted != has;
            if is_other(&programme, &entry.programme) || is_other(&sector, &entry.sector) {
                continue;
            }
            let worth = worth(target, entry);
            match target.belongs(entry.tier, entry.known) {
                Belonging::In => {
                    reached += worth.hundredths;
                    carried += worth.carried;
                }
                Belonging::May => may += worth.projects,
                Belonging::Out => {}
            }
        }
        Reached {
            attained: Total::from_fen(reached),
            carried: Total::from_fen(carried),
            may_belong: u64::try_from(may).unwrap_or_default(),
        }
    }
}

/// What an entry adds to a target.
#[derive(Clone, Copy, Debug, Default)]
struct Worth {
    /// In hundredths of its unit.
    hundredths: i128,
    /// Of those, what was carried over into its period.
    carried: i128,
    /// In projects, each once.
    projects: i64,
}

fn worth(target: &Target, entry: &Entry) -> Worth {
    let Period { from_year, to_year } = target.period;
    let is_within = (from_year..=to_year).contains(&entry.year);
    let is_first = |previous: Option<i32>| previous.is_none_or(|previous| previous < from_year);
    let count = match (lines(target.metric), entry.what) {
        (_, What::Invested(amount, previous)) => {
            let is_told = target.metric == Metric::CompletedInvestment && is_within;
            return if is_told {
                Worth {
                    hundredths: amount.fen(),
                    carried: 0,
                    projects: if is_first(previous) { entry.count } else { 0 },
                }
            } else {
                Worth::default()
            };
        }
        (Counting::Flow(wanted), What::Begins(line, _)) if line == wanted && is_within => {
            entry.count
        }
        // At the first day of the period.
        (Counting::Carried, What::Begins(Line::Continued, _)) if entry.year <= from_year => {
            entry.count
        }
        (Counting::Carried, What::Ends(Line::Continued)) if entry.year <= from_year => -entry.count,
        // Each once: those carried into the period, and then whoever was not yet in it.
        (Counting::Distinct, What::Begins(line, previous)) => {
            let is_works = line == Line::New || line == Line::Continued;
            let is_carried = line == Line::Continued && entry.year < from_year;
            if is_works && (is_carried || is_within && is_first(previous)) {
                entry.count
            } else {
                0
            }
        }
        (Counting::Distinct, What::Ends(Line::Continued)) if entry.year <= from_year => {
            -entry.count
        }
        (
            Counting::Flow(_) | Counting::Carried | Counting::Distinct | Counting::None,
            What::Begins(..) | What::Ends(_),
        ) => 0,
    };
    let is_carried = match entry.what {
        What::Begins(line, _) | What::Ends(line) => {
            line == Line::Continued && entry.year <= from_year
        }
        What::Invested(..) => false,
    };
    let hundredths = i128::from(count) * 100;
    Worth {
        hundredths,
        carried: if is_carried { hundredths } else { 0 },
        projects: count,
    }
}

/// How a metric counts projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    /// Those that stand in a line in any year of the period, once for each.
    Flow(Line),
    /// Those carried over into its first year.
    Carried,
    /// Those under construction in any of its years, once.
    Distinct,
    /// None.
    None,
}

const fn lines(metric: Metric) -> Counting {
    match metric {
        Metric::ProjectCount | Metric::UnderConstruction => Counting::Distinct,
        Metric::Planned => Counting::Flow(Line::Planned),
        Metric::Signed => Counting::Flow(Line::Signed),
        Metric::Landed => Counting::Flow(Line::Landed),
        Metric::New => Counting::Flow(Line::New),
        Metric::Continued => Counting::Carried,
        Metric::Completed => Counting::Flow(Line::Completed),
        Metric::Commissioned => Counting::Flow(Line::Commissioned),
        Metric::AtCapacity => Counting::Flow(Line::AtCapacity),
        Metric::CompletedInvestment | Metric::Entered => Counting::None,
    }
}

/// The lines that some targets need.
fn needed(targets: &[&Target]) -> BTreeSet<Line> {
    let mut all = BTreeSet::new();
    for target in targets {
        match lines(target.metric) {
            Counting::Flow(line) => all.extend([line]),
            Counting::Carried => all.extend([Line::Continued]),
            Counting::Distinct => all.extend([Line::New, Line::Continued]),
            Counting::None => {}
        }
    }
    all
}

/// The last year that any of them asks about.
fn last_year(targets: &[&Target]) -> i32 {
    let years = targets.iter().map(|target| target.period.to_year);
    years.max().unwrap_or_default()
}

async fn from_sums(
    db: &impl ConnectionTrait,
    scoped: &Scoped,
    targets: &[&Target],
) -> Result<Vec<Entry>, Failure> {
    let needed = needed(targets);
    if needed.is_empty() {
        return Ok(Vec::new());
    }
    let codes = needed.iter().map(|line| {
        let code = line.code();
        if line.is_range() {
            format!("'{code}', '{code}{ENDED}'")
        } else {
            format!("'{code}'")
        }
    });
    let codes: Vec<String> = codes.collect();
    let which = format!(
        "line IN ({}) AND year <= {}",
        codes.join(", "),
        last_year(targets)
    );
    let by = [Kept::Tier];
    let mut asked = scoped.asked(which, Level::Project, &by);
    asked.with_detail = true;
    asked.leaves_withdrawn_out = false;
    let sums = rollup::sums(db, Source::Present, &asked).await?;
    let counted = sums.into_iter().filter(|sum| sum.is_counted);
    counted
        .map(|sum| {
            let tier = sum.keys.first().cloned().flatten().unwrap_or_default();
            let what = if let Some(code) = sum.line.strip_suffix(ENDED) {
                What::Ends(coded(Line::from_code, code)?)
            } else {
                let previous = Some(sum.detail).filter(|detail| *detail > 0);
                What::Begins(coded(Line::from_code, &sum.line)?, previous)
            };
            Ok(Entry {
                programme: None,
                sector: None,
                tier: coded(InvestmentTier::from_code, &tier)?,
                known: sum.kind,
                what,
                year: sum.year,
                count: sum.count,
            })
        })
        .collect()
}

/// Projects alike by tier and how their amount is known; by programme and sector too where some are named.
fn alike(scoped: &Scoped, db: &impl ConnectionTrait, named: Option<&[&Target]>) -> SelectStatement {
    let mut select = Query::select();
    for column in [Column::Programme, Column::Sector] {
        if named.is_some() {
            let column = Expr::col((project::Entity, column));
            select.expr(column.clone()).add_group_by([column]);
        } else {
            select.expr(Expr::cust("CAST(NULL AS TEXT)"));
        }
    }
    for column in [Column::Tier, Column::AmountKind] {
        let column = Expr::col((project::Entity, column));
        select.expr(column.clone()).add_group_by([column]);
    }
    select
        .from(project::Entity)
        .cond_where(scoped.condition(db.get_database_backend()));
    if let Some(targets) = named {
        let codes = |code: fn(&Target) -> Option<&domain::project::RefCode>| -> BTreeSet<&str> {
            targets
                .iter()
                .filter_map(|target| Some(code(target)?.as_str()))
                .collect()
        };
        let programmes = codes(|target| target.programme.as_ref());
        let sectors = codes(|target| target.sector.as_ref());
        select.cond_where(
            sea_orm::Condition::any()
                .add(Column::Programme.is_in(programmes))
                .add(Column::Sector.is_in(sectors)),
        );
    }
    select
}

/// What every row of these selects tells first.
fn entry(row: &QueryResult, what: What, year: i32, count: i64) -> Result<Entry, Failure> {
    let text = |place: usize| row.try_get_by_index::<String>(place);
    Ok(Entry {
        programme: row.try_get_by_index(0)?,
        sector: row.try_get_by_index(1)?,
        tier: coded(InvestmentTier::from_code, &text(2)?)?,
        known: coded(Known::from_code, &text(3)?)?,
        what,
        year,
        count,
    })
}

async fn from_spans(
    db: &impl ConnectionTrait,
    frame: &Frame,
    scoped: &Scoped,
    named: Option<&[&Target]>,
    targets: &[&Target],
) -> Result<Vec<Entry>, Failure> {
    let needed = needed(targets);
    if needed.is_empty() {
        return Ok(Vec::new());
    }
    let mut select = alike(scoped, db, named);
    for name in ["line", "from_year", "to_year", "previous_year"] {
        let column = Expr::col((SPAN, name));
        select.expr(column.clone()).add_group_by([column]);
    }
    select
        .expr(Expr::cust("COUNT(*)"))
        .join(
            JoinType::InnerJoin,
            SPAN,
            Expr::col((SPAN, "project_id")).equals((project::Entity, Column::Id)),
        )
        .and_where(Expr::col((SPAN, "line")).is_in(needed.iter().map(|line| line.code())))
        .and_where(Expr::col((SPAN, "from_year")).lte(last_year(targets)));
    frame.limit(&mut select, Rows::Counted);
    let mut entries = Vec::new();
    for row in frame.run(db, select).await? {
        let line = coded(Line::from_code, &row.try_get_by_index::<String>(4)?)?;
        let (from, to): (i32, Option<i32>) = (row.try_get_by_index(5)?, row.try_get_by_index(6)?);
        let previous: Option<i32> = row.try_get_by_index(7)?;
        let count: i64 = row.try_get_by_index(8)?;
        entries.push(entry(&row, What::Begins(line, previous), from, count)?);
        if let Some(to) = to.filter(|_| line.is_range()) {
            entries.push(entry(&row, What::Ends(line), to + 1, count)?);
        }
    }
    Ok(entries)
}

async fn invested(
    db: &impl ConnectionTrait,
    frame: &Frame,
    scoped: &Scoped,
    named: Option<&[&Target]>,
    targets: &[&Target],
) -> Result<Vec<Entry>, Failure> {
    let wanted = |target: &&&Target| target.metric == Metric::CompletedInvestment;
    if targets.iter().find(wanted).is_none() {
        return Ok(Vec::new());
    }
    let mut select = alike(scoped, db, named);
    let year = Expr::col((INVESTED, "year"));
    select
        .expr(year.clone())
        .add_group_by([year.clone()])
        .expr(Expr::cust("COUNT(DISTINCT project.id)"));
    for part in ["/", "%"] {
        let sum = format!("CAST(SUM(completed_fen {part} {PART}) AS BIGINT)");
        select.expr(Expr::cust(sum));
    }
    // Of what certainly belongs, or not, only the money is told; of others each project once in all the years.
    select
        .expr_as(
            Expr::cust(format!(
                "CASE WHEN amount_kind <> 'exact' THEN (SELECT MAX(earlier.year) FROM {INVESTED} AS earlier \
                 WHERE earlier.project_id = project.id AND earlier.completed_fen IS NOT NULL \
                 AND earlier.year < {INVESTED}.year) END"
            )),
            TOLD_BEFORE,
        )
        .add_group_by([Expr::col(TOLD_BEFORE)])
        .join(
            JoinType::InnerJoin,
            INVESTED,
            Expr::col((INVESTED, "project_id")).equals((project::Entity, Column::Id)),
        )
        .and_where(Expr::col((INVESTED, "completed_fen")).is_not_null())
        .and_where(year.lte(last_year(targets)));
    frame.limit(&mut select, Rows::Counted);
    let rows = frame.run(db, select).await?;
    rows.iter()
        .map(|row| {
            let (year, count): (i32, i64) = (row.try_get_by_index(4)?, row.try_get_by_index(5)?);
            let (high, low): (i64, i64) = (row.try_get_by_index(6)?, row.try_get_by_index(7)?);
            let what = What::Invested(Total::from_parts(high, low), row.try_get_by_index(8)?);
            entry(row, what, year, count)
        })
        .collect()
}
