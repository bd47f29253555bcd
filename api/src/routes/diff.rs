//! What became of a summary between two instants, each number with the link to the projects behind it.

mod table;

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, Utc};
use domain::money::Total;
use domain::rollup::{Difference, Measures};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::link::{instant, query};
use super::numbers::{Asking, IfNoneMatch};
use super::page;
use super::query::{ChangeFilters, ChangedParameters, DiffFilters, DiffParameters, Paging, Span};
use super::summary::CountAndSum;
use super::views::{Amount, InvestmentView};
use crate::app::App;
use crate::auth::Caller;
use crate::body::Query;
use crate::codes::{
    ChangeCode, ConditionCode, LevelCode, ReasonCode, Spreadsheet, StageCode, TierCode,
};
use crate::page::Page;
use crate::print::negotiate::{CSV, XLSX};
use crate::print::{Print, Printing};
use crate::problem::Problem;
use crate::store::diff::{self, Cell, Diff, Group, Item, Question, Stood};

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(get_diff).service(list_changed);
}

/// What a set of projects adds up to.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetMeasures {
    /// How many projects.
    count: u64,
    /// Those with an exact amount.
    exact: CountAndSum,
    /// Those with a lower bound only.
    floor: CountAndSum,
    /// How many have neither.
    undetermined: u64,
}

impl From<Measures> for SetMeasures {
    fn from(measures: Measures) -> Self {
        Self {
            count: measures.count,
            exact: CountAndSum::new(measures.exact_count, measures.exact_sum),
            floor: CountAndSum::new(measures.floor_count, measures.floor_sum),
            undetermined: measures.undetermined,
        }
    }
}

/// How many more, and how much more together; below zero for less.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedCountAndSum {
    /// How many more projects.
    count: i64,
    /// By how much their amounts together are higher, in 元.
    #[schema(example = "-300000000.00")]
    sum: Amount,
}

impl SignedCountAndSum {
    fn new(count: i64, sum: Total) -> Self {
        Self {
            count,
            sum: sum.to_string(),
        }
    }
}

/// What is more after than before; below zero for what is less.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedMeasures {
    /// How many more projects.
    count: i64,
    /// Of those with an exact amount.
    exact: SignedCountAndSum,
    /// Of those with a lower bound only.
    floor: SignedCountAndSum,
    /// How many more that have neither.
    undetermined: i64,
}

impl From<Difference> for SignedMeasures {
    fn from(difference: Difference) -> Self {
        Self {
            count: difference.count,
            exact: SignedCountAndSum::new(difference.exact_count, difference.exact_sum),
            floor: SignedCountAndSum::new(difference.floor_count, difference.floor_sum),
            undetermined: difference.undetermined,
        }
    }
}

/// Where counted projects stand.
#[derive(Debug, Serialize, ToSchema)]
pub struct TierAndStage {
    /// Their tier.
    tier: TierCode,
    /// Their stage.
    stage: StageCode,
}

impl From<Cell> for TierAndStage {
    fn from(cell: Cell) -> Self {
        Self {
            tier: TierCode(cell.tier),
            stage: StageCode(cell.stage),
        }
    }
}

/// The projects that changed in the same way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"change": "moved", "from": {"tier": "from_1b", "stage": "attraction"},
    "to": {"tier": "from_1b", "stage": "construction"}, "count": 1,
    "before": {"count": 1, "exact": {"count": 1, "sum": "1200000000.00"}, "floor": {"count": 0, "sum": "0.00"}, "undetermined": 0},
    "after": {"count": 1, "exact": {"count": 1, "sum": "1500000000.00"}, "floor": {"count": 0, "sum": "0.00"}, "undetermined": 0},
    "difference": {"count": 0, "exact": {"count": 0, "sum": "300000000.00"}, "floor": {"count": 0, "sum": "0.00"}, "undetermined": 0},
    "projects": "/v1/summary/diff/projects?from=2025-03-31T15:59:59.999999Z&to=2025-06-30T15:59:59.999999Z&level=project&change=moved&from_tier=from_1b&from_stage=attraction&to_tier=from_1b&to_stage=construction"}))]
pub struct SummaryChange {
    /// What became of them.
    change: ChangeCode,
    /// Why they came or went; only of those that did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<ReasonCode>,
    /// Where they stood; null if they were not counted.
    from: Option<TierAndStage>,
    /// Where they stand; null if they are not counted.
    to: Option<TierAndStage>,
    /// How many projects.
    count: u64,
    /// What they added up to; null if they were not counted.
    before: Option<SetMeasures>,
    /// What they add up to; null if they are not counted.
    after: Option<SetMeasures>,
    /// What is more after than before.
    difference: SignedMeasures,
    /// The query that answers exactly these projects.
    projects: String,
}

/// What became of a summary between two instants.
#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryDiff {
    /// The first instant.
    from: DateTime<Utc>,
    /// The second.
    to: DateTime<Utc>,
    /// What is counted: `portfolio` or `list:CODE`.
    #[schema(example = "portfolio")]
    counting: String,
    /// By project or by part.
    level: LevelCode,
    /// `all`, or `visible` if there are projects out of the caller's scope.
    #[schema(example = "all")]
    covers: String,
    /// The filters that were set.
    filters: BTreeMap<String, Vec<String>>,
    /// All that was counted at the first instant.
    before: SetMeasures,
    /// All that is counted at the second.
    after: SetMeasures,
    /// What is more after than before.
    difference: SignedMeasures,
    /// The changes, which add up to the difference, in each tier and stage and together.
    changes: Vec<SummaryChange>,
}

/// Explain how a summary changed
///
/// What the summary of the same filters told at two instants, and which projects lie between: those that came or went,
/// moved, changed tier or amount. Each is in one of the changes, and these add up to the difference exactly. What is
/// out of the caller's scope or of the filters at one of the instants is `reclassified`. As a table for people too:
/// `Accept: text/csv`, or the path with the ending `.csv` or `.xlsx`. An answer in JSON that is known already, by its `ETag`,
/// is not told again: 304.
#[utoipa::path(tag = "summary", params(Span, DiffFilters, Printing, IfNoneMatch), security(("bearer" = [])),
    responses((status = 200, description = "The changes",
            content((SummaryDiff = "application/json"), (String = CSV), (Spreadsheet = XLSX))),
        (status = 304, description = "It is as it was")))]
#[get("/v1/summary/diff")]
async fn get_diff(
    app: web::Data<App>,
    asking: Asking,
    parameters: Query<DiffParameters>,
    print: Print,
) -> Result<HttpResponse, Problem> {
    if let Some(known) = asking.known(print.0) {
        return Ok(known);
    }
    let question = parameters.0.question(app.db.clock())?;
    let (asked, reach) = (question.clone(), asking.reach.clone());
    let whole = async move |tx: &_| diff::answer(tx, &reach, &asked).await;
    let found = app.db.read(whole).await?;
    let filters = asking.filters();
    match print.0 {
        Some(sheet) => table::answer(sheet, app.db.clock(), &question, &found, &filters),
        None => asking.answer(&view(&question, &found, filters)),
    }
}

fn view(question: &Question, found: &Diff, filters: BTreeMap<String, Vec<String>>) -> SummaryDiff {
    let changes = found.groups.iter();
    let changes = changes.map(|group| change(group, link(question, &filters, group)));
    SummaryDiff {
        from: question.from,
        to: question.to,
        counting: question.base.told(),
        level: LevelCode(question.level),
        covers: if found.covers_all { "all" } else { "visible" }.to_owned(),
        changes: changes.collect(),
        before: found.before.into(),
        after: found.after.into(),
        difference: found.after.less(found.before).into(),
        filters,
    }
}

fn change(group: &Group, projects: String) -> SummaryChange {
    let Group {
        change,
        reason,
        from,
        to,
        before,
        after,
    } = *group;
    SummaryChange {
        change: ChangeCode(change),
        reason: reason.map(ReasonCode),
        from: from.map(TierAndStage::from),
        to: to.map(TierAndStage::from),
        count: before.count.max(after.count),
        before: from.map(|_| before.into()),
        after: to.map(|_| after.into()),
        difference: after.less(before).into(),
        projects,
    }
}

/// The query behind a group of changes.
fn link(question: &Question, filters: &BTreeMap<String, Vec<String>>, group: &Group) -> String {
    let mut pairs = vec![
        ("from", instant(question.from)),
        ("to", instant(question.to)),
        ("level", question.level.code().to_owned()),
        ("change", group.change.code().to_owned()),
    ];
    pairs.extend(
        group
            .reason
            .map(|reason| ("reason", reason.code().to_owned())),
    );
    for (cell, tier, stage) in [
        (group.from, "from_tier", "from_stage"),
        (group.to, "to_tier", "to_stage"),
    ] {
        pairs.extend(cell.into_iter().flat_map(|cell| {
            [
                (tier, cell.tier.code().to_owned()),
                (stage, cell.stage.code().to_owned()),
            ]
        }));
    }
    for (name, values) in filters {
        pairs.extend(values.iter().map(|value| (name.as_str(), value.clone())));
    }
    query("/v1/summary/diff/projects", &pairs)
}

/// How a project stood, or stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoodView {
    /// Its tier.
    tier: TierCode,
    /// Its stage.
    stage: StageCode,
    /// Its condition.
    condition: ConditionCode,
    /// Its total investment; null if unknown.
    total_investment: Option<InvestmentView>,
}

impl From<Stood> for StoodView {
    fn from(stood: Stood) -> Self {
        Self {
            tier: TierCode(stood.cell.tier),
            stage: StageCode(stood.cell.stage),
            condition: ConditionCode(stood.condition),
            total_investment: InvestmentView::of(stood.investment, None),
        }
    }
}

/// A project that changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedProject {
    /// Its id.
    id: Uuid,
    /// Its name when it was last counted.
    name: String,
    /// The code of its region then.
    #[schema(example = "211100")]
    region: String,
    /// How it stood; null if it was not counted.
    before: Option<StoodView>,
    /// How it stands; null if it is not counted.
    after: Option<StoodView>,
}

impl From<Item> for ChangedProject {
    fn from(item: Item) -> Self {
        Self {
            id: item.id,
            name: item.name,
            region: item.region,
            before: item.before.map(StoodView::from),
            after: item.after.map(StoodView::from),
        }
    }
}

/// List the projects behind a change of the summary
///
/// By id. The links of the changes lead here.
#[utoipa::path(tag = "summary", params(Span, DiffFilters, ChangeFilters, Paging), security(("bearer" = [])),
    responses((status = 200, description = "A page of them", body = Page<ChangedProject>)))]
#[get("/v1/summary/diff/projects")]
async fn list_changed(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    parameters: Query<ChangedParameters>,
) -> Result<HttpResponse, Problem> {
    let (question, which, paged) = parameters.0.question(app.db.clock())?;
    let reach = caller.principal.reads();
    let asked = async move |tx: &_| diff::list(tx, &reach, &question, which, &paged).await;
    let (items, next) = app.db.read(asked).await?;
    let items: Vec<ChangedProject> = items.into_iter().map(ChangedProject::from).collect();
    Ok(page(&request, items, next, None))
}
