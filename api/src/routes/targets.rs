//! Targets: what the plans want to be reached, and where they disagree.

use actix_web::{HttpRequest, HttpResponse, delete, get, put, web};
use chrono::{DateTime, Utc};
use domain::target::{Finding, Part, Period, Side};
use domain::text::Text;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::query::{CascadeParameters, Paging, TargetFilters, TargetParameters};
use super::{page, put_done, single};
use crate::app::App;
use crate::auth::Caller;
use crate::body::{Body, Query};
use crate::codes::{
    MetricCode, SideKindCode, TargetKindCode, TargetUnitCode, TierCode, VerdictCode,
};
use crate::input::target::TargetInput;
use crate::page::Page;
use crate::precondition::Precondition;
use crate::problem::Problem;
use crate::store::target::{self, Record};
use crate::store::{Failure, summary};

pub(super) fn operations(service: &mut ServiceConfig) {
    // Before the single target, whose path would take it for a code.
    service
        .service(check_targets)
        .service(list_targets)
        .service(get_target)
        .service(put_target)
        .service(delete_target);
}

/// A target, or an actual that was entered.
#[derive(Debug, Serialize, ToSchema)]
pub struct TargetView {
    /// Its code, which never changes.
    code: String,
    /// The plan that sets it.
    plan: String,
    /// The code of its region.
    region: String,
    /// The code of its programme; null for all.
    programme: Option<String>,
    /// The code of its sector; null for all.
    sector: Option<String>,
    /// The lowest tier that is in; null for any amount.
    from_tier: Option<TierCode>,
    /// The highest tier that is in; null for all above the lowest.
    up_to_tier: Option<TierCode>,
    /// What is counted.
    metric: MetricCode,
    /// What the plan calls it.
    name: String,
    /// The first year of its period.
    from_year: i32,
    /// The last year of its period.
    to_year: i32,
    /// Whether the value is for every year of the period.
    each_year: bool,
    /// How much, in its unit.
    #[schema(example = "1500.00")]
    value: String,
    /// Of what.
    unit: TargetUnitCode,
    /// Whether it is wanted or was reached.
    kind: TargetKindCode,
    /// How many percent of a year's value are to be reached by the end of each month; null for evenly by day.
    schedule: Option<Vec<u8>>,
    /// The words of the plan.
    quote: Option<String>,
    /// The document, and where in it.
    source: Option<String>,
    /// How often it was changed; its ETag.
    version: i64,
    /// When it became known.
    recorded_at: DateTime<Utc>,
}

impl From<Record> for TargetView {
    fn from(record: Record) -> Self {
        let target = record.target;
        Self {
            code: target.code.into_string(),
            plan: target.plan.into_string(),
            region: target.region.to_string(),
            programme: target.programme.map(Text::into_string),
            sector: target.sector.map(Text::into_string),
            from_tier: target.from_tier.map(TierCode),
            up_to_tier: target.up_to_tier.map(TierCode),
            metric: MetricCode(target.metric),
            name: target.name.into_string(),
            from_year: target.period.from_year,
            to_year: target.period.to_year,
            each_year: target.each_year,
            value: target.value.to_string(),
            unit: TargetUnitCode(target.unit),
            kind: TargetKindCode(target.kind),
            schedule: target.schedule.map(|months| months.percents().to_vec()),
            quote: target.quote.map(Text::into_string),
            source: target.source.map(Text::into_string),
            version: record.version,
            recorded_at: record.recorded_at,
        }
    }
}

/// One target of a comparison.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparedTarget {
    /// Its code.
    code: String,
    /// Its value.
    value: String,
}

/// One side of a comparison.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparedSide {
    /// A single target, or how it is broken down.
    by: SideKindCode,
    /// The lowest tier that it covers; null for any amount.
    from_tier: Option<TierCode>,
    /// Its targets.
    targets: Vec<ComparedTarget>,
    /// What they come to.
    sum: String,
}

impl From<Side> for ComparedSide {
    fn from(side: Side) -> Self {
        let told = |part: Part| ComparedTarget {
            code: part.code.into_string(),
            value: part.value.to_string(),
        };
        Self {
            by: SideKindCode(side.kind),
            from_tier: side.from_tier.map(TierCode),
            targets: side.targets.into_iter().map(told).collect(),
            sum: side.sum.to_string(),
        }
    }
}

/// A comparison of targets that cover the same, or nearly.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparisonView {
    /// What they count.
    metric: MetricCode,
    /// What the plan calls it.
    name: String,
    /// The first year of their period.
    from_year: i32,
    /// The last year of their period.
    to_year: i32,
    /// Whether they are for every year of it.
    each_year: bool,
    /// Their unit.
    unit: TargetUnitCode,
    /// The code of the region.
    region: String,
    /// The code of the programme; null for all.
    programme: Option<String>,
    /// The code of the sector; null for all.
    sector: Option<String>,
    /// The highest tier that both cover; null for all above the lowest.
    up_to_tier: Option<TierCode>,
    /// The whole, where one is compared.
    left: ComparedSide,
    /// What breaks it down.
    right: ComparedSide,
    /// Whether the left side also covers lower amounts, so that both need not come to the same.
    thresholds_differ: bool,
    /// The left side less the right one.
    difference: String,
    /// `not_allotted` if the right side comes to less, `exceeds` if it comes to more.
    verdict: VerdictCode,
}

impl From<Finding> for ComparisonView {
    fn from(finding: Finding) -> Self {
        let Period { from_year, to_year } = finding.period;
        Self {
            metric: MetricCode(finding.metric),
            name: finding.name.into_string(),
            from_year,
            to_year,
            each_year: finding.each_year,
            unit: TargetUnitCode(finding.unit),
            region: finding.region.to_string(),
            programme: finding.programme.map(Text::into_string),
            sector: finding.sector.map(Text::into_string),
            up_to_tier: finding.up_to_tier.map(TierCode),
            left: finding.left.into(),
            right: finding.right.into(),
            thresholds_differ: finding.thresholds_differ,
            difference: finding.difference.to_string(),
            verdict: VerdictCode(finding.verdict),
        }
    }
}

/// Whether the targets of a plan agree.
#[derive(Debug, Serialize, ToSchema)]
pub struct CascadeView {
    /// The plan.
    plan: String,
    /// The instant whose knowledge it shows.
    as_of: DateTime<Utc>,
    /// `all`, or `visible` if there are regions out of the caller's scope.
    #[schema(example = "all")]
    covers: String,
    /// Every comparison that could be made.
    comparisons: Vec<ComparisonView>,
}

/// Check whether a plan's targets agree
///
/// Tiers that follow each other up to the top, programmes, the sectors of a programme, and the regions within one are
/// added up and held against the target of the whole, and against each other. Where no whole has the same threshold,
/// the next wider one is taken, and `thresholds_differ` says so. Entered actuals and growths are left out.
#[utoipa::path(tag = "targets", params(CascadeParameters), security(("bearer" = [])),
    responses((status = 200, description = "The comparisons", body = CascadeView)))]
#[get("/v1/targets/cascade")]
async fn check_targets(
    app: web::Data<App>,
    caller: Caller,
    parameters: Query<CascadeParameters>,
) -> Result<HttpResponse, Problem> {
    let clock = app.db.clock();
    let question = parameters.0.question(clock)?;
    let (reach, as_of) = (caller.principal.reads(), question.as_of);
    let (covers_all, findings) = app
        .db
        .read(async move |tx| {
            let found = target::disagreements(tx, &reach, &question.filter, as_of).await?;
            Ok((summary::covers_all(tx, &reach).await?, found))
        })
        .await?;
    Ok(HttpResponse::Ok().json(CascadeView {
        plan: question.plan,
        as_of: as_of.unwrap_or_else(|| clock.now()),
        covers: if covers_all { "all" } else { "visible" }.to_owned(),
        comparisons: findings.into_iter().map(ComparisonView::from).collect(),
    }))
}

/// List targets
///
/// With the actuals that were entered (`kind=actual`), by code. Who reads a unit's projects only sees none.
#[utoipa::path(tag = "targets", params(TargetFilters, Paging), security(("bearer" = [])),
    responses((status = 200, description = "A page of them", body = Page<TargetView>)))]
#[get("/v1/targets")]
async fn list_targets(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    parameters: Query<TargetParameters>,
) -> Result<HttpResponse, Problem> {
    let asked = parameters.0.question(app.db.clock())?;
    let reach = caller.principal.reads();
    let paging = (asked.limit, asked.cursor.as_deref());
    let (records, next) =
        target::list_page(app.db.reader(), &reach, &asked.filter, asked.as_of, paging)
            .await
            .map_err(Failure::told)?;
    let items: Vec<TargetView> = records.into_iter().map(TargetView::from).collect();
    Ok(page(&request, items, next, None))
}

/// Read a target
#[utoipa::path(tag = "targets", security(("bearer" = [])),
    params(("code" = String, Path, description = "Its code", example = "pj-t-2025-xinjian")),
    responses((status = 200, description = "The target", body = TargetView)))]
#[get("/v1/targets/{code}")]
async fn get_target(
    app: web::Data<App>,
    caller: Caller,
    code: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let record = target::read(app.db.reader(), &caller.principal.reads(), &code)
        .await
        .map_err(Failure::told)?;
    let version = record.version;
    Ok(single(&TargetView::from(record), version))
}

/// Set a target, or enter an actual
///
/// For a manager of its region: `If-None-Match: *` to set a new one, `If-Match` to replace one.
/// What was known before stays, for `as_of`.
#[utoipa::path(tag = "targets", request_body = TargetInput, security(("bearer" = [])),
    params(("code" = String, Path, description = "Its code", example = "dawa-2026-new"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is replaced", example = "\"7\""),
        ("If-None-Match" = Option<String>, Header, description = "`*` if there must be none", example = "*")),
    responses((status = 200, description = "Replaced", body = TargetView), (status = 201, description = "Set", body = TargetView)))]
#[put("/v1/targets/{code}")]
async fn put_target(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    code: web::Path<String>,
    body: Body<TargetInput>,
) -> Result<HttpResponse, Problem> {
    let precondition = Precondition::either(&request)?;
    let wanted = body.value.read(&code).map_err(Problem::invalid)?;
    let (by, principal) = (caller.author(), caller.principal);
    let record = app
        .db
        .write(by, async move |tx| {
            target::put(tx, &principal, precondition, &wanted).await
        })
        .await?;
    Ok(put_done(precondition, record.version).json(TargetView::from(record)))
}

/// Remove a target
///
/// For a manager of its region. What was known before stays, for `as_of`.
#[utoipa::path(tag = "targets", security(("bearer" = [])),
    params(("code" = String, Path, description = "Its code", example = "dawa-2026-new"),
        ("If-Match" = String, Header, description = "The ETag of the version that is removed", example = "\"1\"")),
    responses((status = 204, description = "Removed")))]
#[delete("/v1/targets/{code}")]
async fn delete_target(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    code: web::Path<String>,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(&request)?;
    let (by, principal) = (caller.author(), caller.principal);
    let code = code.into_inner();
    app.db
        .write(by, async move |tx| {
            target::remove(tx, &principal, &code, seen).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
