//! Which projects are asked for: the same filters for lists, summaries and the links between them.

mod account;

pub use account::Account;
pub(crate) use account::{had_landed, stands_in};

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use domain::family::Level;
use domain::money::Money;
use domain::stage::{Condition as ProjectCondition, Stage};
use domain::tier::InvestmentTier;
use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
};
use uuid::Uuid;

use super::counting::{Frame, INVESTED, MEMBER, PLAN, SPAN};
use super::reference::list::List;
use super::reference::named::{Chain, Programme};
use super::reference::region::Region;
use super::reference::sector::Sector;
use super::reference::unit::Unit;
use super::reference::{self, Kind};
use super::rollup::{Asked, Kept};
use super::{Failure, project, search};
use crate::auth::Reach;
use crate::entity::project::{Column, Entity};
use crate::entity::{project_version, region_closure, region_closure_past};
use crate::problem::{Fault, Problem};

/// Any of these values; `None` stands for projects that have none.
pub type AnyOf<T> = Vec<Option<T>>;

/// Which projects are asked for; an empty part asks for all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Words in name, alias, code or owner.
    pub q: Option<String>,
    /// Standing on any of these lists.
    pub lists: AnyOf<String>,
    /// In the subtree of any of these regions.
    pub regions: Vec<String>,
    /// In one of these regions itself.
    pub regions_exact: Vec<String>,
    /// In one of these stages.
    pub stages: Vec<Stage>,
    /// In one of these conditions.
    pub conditions: Vec<ProjectCondition>,
    /// In one of these tiers.
    pub tiers: Vec<InvestmentTier>,
    /// Of one of these programmes.
    pub programmes: AnyOf<String>,
    /// Of one of these sectors.
    pub sectors: AnyOf<String>,
    /// Of one of these chains.
    pub chains: AnyOf<String>,
    /// Answered for by one of these units.
    pub units: AnyOf<String>,
    /// Part of one of these projects.
    pub parents: AnyOf<Uuid>,
    /// Whose exact amount or lower bound is at least this.
    pub min_investment: Option<Money>,
    /// Whose exact amount is at most this.
    pub max_investment: Option<Money>,
    /// Started in one of these years.
    pub started_years: AnyOf<i32>,
    /// Completed in one of these years.
    pub completed_years: AnyOf<i32>,
    /// Changed at this instant or later.
    pub updated_since: Option<DateTime<Utc>>,
    /// Standing in any of these lines of the accounts.
    pub accounts: Vec<Account>,
    /// In the annual plan of one of these years.
    pub plan_years: Vec<i32>,
    /// Of which it was told what was completed in any of these months.
    pub invested: Vec<Months>,
    /// That may be told to everybody, or that may not.
    pub published: Option<bool>,
}

/// Months of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months {
    /// The year.
    pub year: i32,
    /// The first month, from 1 to 12.
    pub from: u32,
    /// The last month.
    pub to: u32,
}

/// A filter within a scope, its regions resolved.
#[derive(Clone, Debug)]
pub(crate) struct Scoped {
    filter: Filter,
    /// Whether the question is about the past.
    past: bool,
    /// The scope that is left.
    reach: Reach,
}

impl Filter {
    /// Limits the filter to a scope and resolves its regions; the lists that are counted are checked with it.
    ///
    /// # Errors
    /// `validation_failed` for a region, list, unit, programme, sector or chain that is not there, or bounds
    /// that exclude each other.
    pub(crate) async fn within(
        self,
        db: &impl ConnectionTrait,
        reach: &Reach,
        frame: &Frame,
    ) -> Result<Scoped, Failure> {
        self.check(db, frame.lists()).await?;
        if let Some(instant) = frame.as_of {
            check_begun(db, instant, "as_of").await?;
        }
        let mut reach = reach.clone();
        let mut within = None;
        if !self.regions.is_empty() {
            let lying = subtrees(db, &self.regions, frame.as_of).await?;
            reach = reach.narrowed(&lying);
            within = Some(lying);
        }
        if !self.regions_exact.is_empty() {
            let exact: BTreeSet<String> = self.regions_exact.iter().cloned().collect();
            if within.is_some_and(|within| within.is_disjoint(&exact)) {
                return Err(Problem::invalid(vec![Fault::parameter(
                    "region_exact",
                    "contradictory_filters",
                    "region_exact 不在 region 之内",
                    "region_exact does not lie within region",
                )])
                .into());
            }
            reach = reach.narrowed(&exact);
        }
        Ok(Scoped {
            filter: self,
            past: frame.as_of.is_some(),
            reach,
        })
    }

    async fn check(
        &self,
        db: &impl ConnectionTrait,
        counted_lists: &[String],
    ) -> Result<(), Failure> {
        let mut faults = Vec::new();
        if let (Some(min), Some(max)) = (self.min_investment, self.max_investment)
            && max < min
        {
            faults.push(Fault::parameter(
                "max_investment",
                "contradictory_filters",
                "上限小于下限",
                "The upper bound is below the lower",
            ));
        }
        if self.lists.len() > 1 && self.lists.contains(&None) {
            faults.push(Fault::parameter(
                "list",
                "contradictory_filters",
                "list=null 不能与其他清单同时使用",
                "list=null excludes every other list",
            ));
        }
        let lists = self.lists.iter().flatten().chain(counted_lists);
        faults.extend(unknown::<Region>(db, "region_exact", &self.regions_exact).await?);
        faults.extend(unknown::<List>(db, "list", lists).await?);
        faults
            .extend(unknown::<Programme>(db, "programme", self.programmes.iter().flatten()).await?);
        faults.extend(unknown::<Sector>(db, "sector", self.sectors.iter().flatten()).await?);
        faults.extend(unknown::<Chain>(db, "chain", self.chains.iter().flatten()).await?);
        faults.extend(unknown::<Unit>(db, "unit", self.units.iter().flatten()).await?);
        if faults.is_empty() {
            return Ok(());
        }
        Err(Problem::invalid(faults).into())
    }
}

impl Filter {
    /// The same of the lines of the accounts, which are kept by less.
    pub(crate) fn is_kept_of_accounts(&self) -> bool {
        self.is_kept() && self.stages.is_empty() && self.conditions.is_empty()
    }

    /// Whether the sums that are kept can tell what it asks for: only what they are kept by.
    pub(crate) fn is_kept(&self) -> bool {
        let Self {
            q,
            lists,
            regions: _,
            regions_exact: _,
            stages: _,
            conditions: _,
            tiers: _,
            programmes,
            sectors,
            chains,
            units,
            parents,
            min_investment,
            max_investment,
            started_years,
            completed_years,
            updated_since,
            accounts,
            plan_years,
            invested,
            published,
        } = self;
        let by_reference =
            lists.len() + programmes.len() + sectors.len() + chains.len() + units.len();
        let by_year = started_years.len() + completed_years.len() + accounts.len();
        let by_money = plan_years.len() + invested.len();
        by_reference + by_year + by_money + parents.len() == 0
            && q.is_none()
            && min_investment.is_none()
            && max_investment.is_none()
            && updated_since.is_none()
            && published.is_none()
    }
}

/// Before the first project came in, nothing was known: that is not the same as none.
///
/// # Errors
/// `validation_failed` for an instant before, of the parameter that asks for it.
pub(super) async fn check_begun(
    db: &impl ConnectionTrait,
    instant: DateTime<Utc>,
    parameter: &str,
) -> Result<(), Failure> {
    let first: Option<DateTime<Utc>> = project_version::Entity::find()
        .select_only()
        .column(project_version::Column::UpdatedAt)
        .order_by_asc(project_version::Column::UpdatedAt)
        .limit(1)
        .into_tuple()
        .one(db)
        .await?;
    match first {
        Some(first) if instant < first => {
            let first = first.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
            Err(Problem::invalid(vec![Fault::parameter(
                parameter,
                "as_of_before_library",
                format!("库的记录始于 {first}，此前的情况未知"),
                format!("The library begins at {first}; of before, nothing is known"),
            )])
            .into())
        }
        Some(_) | None => Ok(()),
    }
}

/// These regions with all that lie within them, or lay at an instant. Each lies within itself: one without any is not
/// there.
///
/// # Errors
/// `validation_failed` with every region that is not there.
pub(super) async fn subtrees(
    db: &impl ConnectionTrait,
    regions: &[String],
    as_of: Option<DateTime<Utc>>,
) -> Result<BTreeSet<String>, Failure> {
    let rows = region_closure::Entity::find()
        .filter(region_closure::Column::Ancestor.is_in(regions))
        .all(db)
        .await?;
    let present: BTreeSet<&str> = rows.iter().map(|row| row.ancestor.as_str()).collect();
    let unknown: Vec<Fault> = regions
        .iter()
        .filter(|code| !present.contains(code.as_str()))
        .map(|code| Region::unknown("", code).of_parameter("region"))
        .collect();
    if !unknown.is_empty() {
        return Err(Problem::invalid(unknown).into());
    }
    let Some(instant) = as_of else {
        return Ok(rows.into_iter().map(|row| row.descendant).collect());
    };
    let lay = |row: &region_closure::Model| row.recorded_at.is_none_or(|at| at <= instant);
    let stay = rows.into_iter().filter(lay).map(|row| row.descendant);
    let past = region_closure_past::Entity::find()
        .filter(region_closure_past::Column::Ancestor.is_in(regions))
        .filter(region_closure_past::Column::SupersededAt.gt(instant))
        .filter(
            Condition::any()
                .add(region_closure_past::Column::RecordedAt.is_null())
                .add(region_closure_past::Column::RecordedAt.lte(instant)),
        )
        .all(db)
        .await?;
    Ok(stay
        .chain(past.into_iter().map(|row| row.descendant))
        .collect())
}

/// The values of a parameter that are not there.
async fn unknown<K: Kind>(
    db: &impl ConnectionTrait,
    parameter: &str,
    values: impl IntoIterator<Item = &String>,
) -> Result<Vec<Fault>, Failure> {
    let wanted: BTreeSet<&str> = values.into_iter().map(String::as_str).collect();
    let known = reference::known::<K>(db, &wanted).await?;
    Ok(wanted
        .into_iter()
        .filter(|code| !known.contains(*code))
        .map(|code| K::unknown("", code).of_parameter(parameter))
        .collect())
}

impl Scoped {
    /// The condition on `project`, but for the regions.
    pub(crate) fn conditions(&self, backend: DbBackend) -> Condition {
        let f = &self.filter;
        let mut all = Condition::all();
        if let Some(q) = &f.q {
            all = all.add(if self.past {
                search::matches_as_it_was(backend, q)
            } else {
                search::matches(backend, q)
            });
        }
        if !f.lists.is_empty() {
            all = all.add(on_lists(&f.lists));
        }
        if !f.accounts.is_empty() {
            let any = f.accounts.iter().map(in_account);
            all = all.add(any.fold(Condition::any(), Condition::add));
        }
        if !f.plan_years.is_empty() {
            all = all.add(in_plans(&f.plan_years));
        }
        if !f.invested.is_empty() {
            all = all.add(invested_in(&f.invested));
        }
        if !f.stages.is_empty() {
            all = all.add(Column::Stage.is_in(f.stages.iter().map(|s| s.code())));
        }
        if !f.conditions.is_empty() {
            all = all.add(Column::Condition.is_in(f.conditions.iter().map(|c| c.code())));
        }
        if !f.tiers.is_empty() {
            all = all.add(Column::Tier.is_in(f.tiers.iter().map(|t| t.code())));
        }
        all = all
            .add_option(any_of(Column::Programme, &f.programmes))
            .add_option(any_of(Column::Sector, &f.sectors))
            .add_option(any_of(Column::Chain, &f.chains))
            .add_option(any_of(Column::Unit, &f.units))
            .add_option(any_of(Column::ParentId, &f.parents))
            .add_option(in_years(Column::StartedOn, &f.started_years))
            .add_option(in_years(Column::CompletedOn, &f.completed_years))
            .add_option(f.min_investment.map(|min| Column::AmountFen.gte(min.fen())))
            .add_option(f.updated_since.map(|since| Column::UpdatedAt.gte(since)))
            .add_option(f.published.map(|published| Column::Published.eq(published)));
        if let Some(max) = f.max_investment {
            all = all
                .add(Column::AmountKind.eq("exact"))
                .add(Column::AmountFen.lte(max.fen()));
        }
        all
    }

    /// The whole condition on `project`.
    pub(crate) fn condition(&self, backend: DbBackend) -> Condition {
        self.conditions(backend).add(self.within_reach())
    }

    /// The condition on `project` that is left of it without the other filters: the regions and the scope.
    pub(crate) fn within_reach(&self) -> Condition {
        project::within(&self.reach)
    }

    /// The same condition in parts that have no project in common and an index each: one for each region, and
    /// for each unit beyond them. None where there is no limit.
    pub(crate) fn parts(&self, backend: DbBackend) -> Option<Vec<Condition>> {
        let whole = self.reach.whole_regions()?;
        let by_unit = self.reach.extents().iter().filter(|e| e.unit.is_some());
        let by_unit: Vec<Condition> = by_unit
            .map(|extent| {
                self.conditions(backend)
                    .add(project::within_one(extent))
                    .add(Column::Region.is_not_in(whole.iter().copied()))
            })
            .collect();
        let by_region = whole
            .iter()
            .map(|region| self.conditions(backend).add(Column::Region.eq(*region)));
        Some(by_region.chain(by_unit).collect())
    }

    /// Whether the counted set leaves the withdrawn out: unless they are asked for. What happened in a year stays in
    /// its accounts, and so does what was planned and completed of the investment.
    pub(crate) fn leaves_withdrawn_out(&self) -> bool {
        let Filter {
            conditions,
            accounts,
            plan_years,
            invested,
            ..
        } = &self.filter;
        let of_a_time = accounts.len() + plan_years.len() + invested.len();
        conditions.is_empty() && of_a_time == 0
    }

    /// Whether a project is out for being withdrawn, be it by the filters.
    pub(crate) fn excludes_withdrawn(&self) -> bool {
        let asked_for = &self.filter.conditions;
        self.leaves_withdrawn_out()
            || !asked_for.is_empty() && !asked_for.contains(&ProjectCondition::Withdrawn)
    }

    /// The same question to the sums that are kept, which don't tell units apart.
    pub(crate) fn asked<'a>(&'a self, which: String, level: Level, by: &'a [Kept]) -> Asked<'a> {
        Asked {
            regions: self.reach.whole_regions(),
            which,
            level,
            by,
            with_detail: false,
            tiers: &self.filter.tiers,
            stages: &self.filter.stages,
            conditions: &self.filter.conditions,
            leaves_withdrawn_out: self.leaves_withdrawn_out(),
        }
    }
}

fn any_of<T: Clone + Into<sea_orm::Value>>(column: Column, values: &AnyOf<T>) -> Option<Condition> {
    if values.is_empty() {
        return None;
    }
    let some: Vec<T> = values.iter().flatten().cloned().collect();
    let mut any = Condition::any();
    if !some.is_empty() {
        any = any.add(column.is_in(some));
    }
    if values.iter().any(Option::is_none) {
        any = any.add(column.is_null());
    }
    Some(any)
}

fn in_years(column: Column, years: &AnyOf<i32>) -> Option<Condition> {
    if years.is_empty() {
        return None;
    }
    let mut any = Condition::any();
    for year in years {
        any = match year {
            None => any.add(column.is_null()),
            Some(year) => {
                let from = NaiveDate::from_ymd_opt(*year, 1, 1);
                let to = NaiveDate::from_ymd_opt(*year, 12, 31);
                match (from, to) {
                    (Some(from), Some(to)) => any.add(column.between(from, to)),
                    _ => any,
                }
            }
        };
    }
    Some(any)
}

/// On any of the lists, or on none at all.
fn on_lists(lists: &AnyOf<String>) -> Expr {
    let id = Expr::col((Entity, Column::Id));
    let some: Vec<&str> = lists.iter().flatten().map(String::as_str).collect();
    let mut members = Query::select();
    members.column((MEMBER, "project_id")).from(MEMBER);
    if some.is_empty() {
        return id.not_in_subquery(members.take());
    }
    members.and_where(Expr::col((MEMBER, "list_code")).is_in(some));
    id.in_subquery(members.take())
}

/// Standing in any of some lines of the accounts.
fn in_account(account: &Account) -> Expr {
    let mut standing = Query::select();
    standing
        .column((SPAN, "project_id"))
        .from(SPAN)
        .cond_where(stands_in(account));
    Expr::col((Entity, Column::Id)).in_subquery(standing.take())
}

/// In the annual plan of any of some years.
fn in_plans(years: &[i32]) -> Expr {
    let planned = Query::select()
        .column((PLAN, "project_id"))
        .from(PLAN)
        .and_where(Expr::col((PLAN, "year")).is_in(years.iter().copied()))
        .take();
    Expr::col((Entity, Column::Id)).in_subquery(planned)
}

/// Of which it was told what was completed in any of some months.
fn invested_in(months: &[Months]) -> Expr {
    let any = months.iter().map(|months| told_of(*months));
    let told = Query::select()
        .column((INVESTED, "project_id"))
        .from(INVESTED)
        .cond_where(any.fold(Condition::any(), Condition::add))
        .take();
    Expr::col((Entity, Column::Id)).in_subquery(told)
}

/// Whether a row tells what was completed in some months.
pub(crate) fn told_of(months: Months) -> Condition {
    let Months { year, from, to } = months;
    Condition::all()
        .add(Expr::col((INVESTED, "completed_fen")).is_not_null())
        .add(Expr::col((INVESTED, "year")).eq(year))
        .add(Expr::col((INVESTED, "month")).between(from, to))
}
