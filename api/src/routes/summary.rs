//! Roll-ups, each number with the link to the projects behind it.

mod table;

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use domain::money::Total;
use domain::rollup::Measures;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::link::{Link, told};
use super::numbers::{Asking, IfNoneMatch};
use super::query::{Grouping, ProjectFilters, SummaryParameters};
use super::views::Amount;
use crate::app::App;
use crate::body::Query;
use crate::codes::{LevelCode, Spreadsheet};
use crate::print::negotiate::{CSV, XLSX};
use crate::print::{Print, Printing};
use crate::problem::Problem;
use crate::store::summary::{self, Cell, Dimension, Question};
use crate::store::{Db, Failure};

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(get_summary);
}

/// How many, and how much together.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountAndSum {
    /// How many projects.
    count: u64,
    /// Their amounts together, in 元.
    #[schema(example = "9120000000.00")]
    sum: Amount,
}

impl CountAndSum {
    pub(super) fn new(count: u64, sum: Total) -> Self {
        Self {
            count,
            sum: sum.to_string(),
        }
    }
}

/// What a set of projects adds up to; unknown amounts are told apart and never counted as zero.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeasuresView {
    /// How many projects.
    count: u64,
    /// Those with an exact amount.
    exact: CountAndSum,
    /// Those with a lower bound only.
    floor: CountAndSum,
    /// How many have neither.
    undetermined: u64,
    /// The annual plans of the year, in 元.
    annual_plan: Amount,
    /// What was completed in the year, in 元.
    completed_in_year: Amount,
    /// What was completed to date, in 元.
    completed_total: Amount,
    /// The funds received to date, in 元.
    funds_received: Amount,
    /// How many figures these sums are of: without any a sum is unknown, not zero.
    told: ToldView,
}

/// How many figures were told.
#[derive(Debug, Serialize, ToSchema)]
pub struct ToldView {
    /// Annual plans, one a project.
    annual_plan: u64,
    /// Months of the year of which it was told what was completed, one a project and month.
    completed_in_year: u64,
    /// The same of all months.
    completed_total: u64,
    /// Months of which it was told what funds were received.
    funds_received: u64,
}

/// A cell: its value of each dimension, what it adds up to, and the projects behind it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"tier": "from_100m", "stage": "construction", "count": 41, "exact": {"count": 40, "sum": "9120000000.00"},
    "floor": {"count": 1, "sum": "100000000.00"}, "undetermined": 0, "annual_plan": "120000000.00",
    "completed_in_year": "60000000.00", "completed_total": "90000000.00", "funds_received": "0.00",
    "told": {"annual_plan": 1, "completed_in_year": 6, "completed_total": 14, "funds_received": 0},
    "projects": "/v1/projects?counting=portfolio&level=project&tier=from_100m&stage=construction"}))]
pub struct CellView {
    /// The dimensions asked for, by name; null where projects have none.
    #[serde(flatten)]
    #[schema(value_type = Object, additional_properties = true)]
    keys: BTreeMap<&'static str, Value>,
    /// What it adds up to.
    #[serde(flatten)]
    measures: MeasuresView,
    /// The query that answers exactly these projects.
    projects: String,
}

/// A roll-up of the counted set.
#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryView {
    /// The instant whose knowledge it shows.
    as_of: DateTime<Utc>,
    /// What is counted: `portfolio` or `list:CODE`.
    #[schema(example = "portfolio")]
    counting: String,
    /// By project or by part.
    level: LevelCode,
    /// The year of the annual plan.
    year: i32,
    /// How many visible projects are counted within a parent.
    inside_families: u64,
    /// Money of wholes that their parts don't carry; only at `level=part`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    not_broken_down: Option<MeasuresView>,
    /// `all`, or `visible` if there are projects out of the caller's scope.
    #[schema(example = "all")]
    covers: String,
    /// The filters that were set.
    filters: BTreeMap<String, Vec<String>>,
    /// The dimensions.
    group_by: Vec<String>,
    /// Whether the cells add up to the total; by list they don't, for a project may stand on several.
    additive: bool,
    /// The cells that hold anything.
    cells: Vec<CellView>,
    /// All together.
    total: MeasuresView,
    /// The query that answers exactly the projects of the total.
    projects: String,
}

/// Add projects up
///
/// The counted set by any combination of dimensions. Every cell links to exactly the projects behind it. As a table for
/// people too: `Accept: text/csv`, or the path with the ending `.csv` or `.xlsx`. An answer in JSON that is known already,
/// by its `ETag`, is not told again: 304.
#[utoipa::path(tag = "summary", params(ProjectFilters, Grouping, Printing, IfNoneMatch), security(("bearer" = [])),
    responses((status = 200, description = "The roll-up",
            content((SummaryView = "application/json"), (String = CSV), (Spreadsheet = XLSX))),
        (status = 304, description = "It is as it was")))]
#[get("/v1/summary")]
async fn get_summary(
    app: web::Data<App>,
    asking: Asking,
    parameters: Query<SummaryParameters>,
    print: Print,
) -> Result<HttpResponse, Problem> {
    if let Some(known) = asking.known(print.0) {
        return Ok(known);
    }
    let question = parameters.0.question(app.db.clock())?;
    let summed = Summed::read(&app.db, &asking, question).await?;
    match print.0 {
        Some(sheet) => table::answer(&app.db, sheet, &summed).await,
        None => asking.answer(&view(summed)),
    }
}

/// A roll-up with what was asked for.
struct Summed {
    answer: summary::Summary,
    question: Question,
    filters: BTreeMap<String, Vec<String>>,
    as_of: DateTime<Utc>,
}

impl Summed {
    async fn read(db: &Db, asking: &Asking, question: Question) -> Result<Self, Problem> {
        let (asked, reach) = (question.clone(), asking.reach.clone());
        let sums_are_complete = asking.sums_are_complete;
        let answer = if question.needs_one_state(&reach) || !sums_are_complete {
            let whole =
                async move |tx: &_| summary::answer(tx, &reach, asked, sums_are_complete).await;
            db.read(whole).await?
        } else {
            let answer = summary::answer(db.reader(), &reach, asked, true).await;
            answer.map_err(Failure::told)?
        };
        let as_of = question.frame.as_of.unwrap_or_else(|| db.clock().now());
        Ok(Self {
            answer,
            question,
            filters: asking.filters(),
            as_of,
        })
    }

    fn link(&self) -> Link<'_> {
        Link::new(&self.answer.base, &self.question.frame, &self.filters)
    }

    fn keys(&self, cell: &Cell) -> Vec<(Dimension, Option<String>)> {
        let dimensions = self.question.group_by.iter().copied();
        dimensions.zip(cell.keys.iter().cloned()).collect()
    }
}

fn view(summed: Summed) -> SummaryView {
    let link = summed.link();
    let cells = summed.answer.cells.iter();
    let cells = cells.map(|cell| cell_view(&link, summed.keys(cell), cell.measures));
    let (cells, projects) = (cells.collect(), link.to(&[], None));
    let Summed {
        answer,
        question,
        filters,
        as_of,
    } = summed;
    SummaryView {
        as_of,
        counting: answer.base.told(),
        level: LevelCode(question.frame.level),
        year: question.year,
        inside_families: answer.inside_families,
        not_broken_down: answer.not_broken_down.map(MeasuresView::from),
        covers: if answer.covers_all { "all" } else { "visible" }.to_owned(),
        group_by: question
            .group_by
            .iter()
            .map(|d| d.code().to_owned())
            .collect(),
        additive: answer.additive,
        cells,
        total: MeasuresView::from(answer.total),
        projects,
        filters,
    }
}

fn cell_view(
    link: &Link<'_>,
    keys: Vec<(Dimension, Option<String>)>,
    measures: Measures,
) -> CellView {
    CellView {
        projects: link.to(&keys, None),
        keys: told(keys),
        measures: MeasuresView::from(measures),
    }
}

impl From<Measures> for MeasuresView {
    fn from(measures: Measures) -> Self {
        let Measures {
            count,
            exact_count,
            exact_sum,
            floor_count,
            floor_sum,
            undetermined,
            annual_plan,
            completed_in_year,
            completed_total,
            funds_received,
        } = measures;
        Self {
            count,
            exact: CountAndSum::new(exact_count, exact_sum),
            floor: CountAndSum::new(floor_count, floor_sum),
            undetermined,
            annual_plan: annual_plan.sum.to_string(),
            completed_in_year: completed_in_year.sum.to_string(),
            completed_total: completed_total.sum.to_string(),
            funds_received: funds_received.sum.to_string(),
            told: ToldView {
                annual_plan: annual_plan.count,
                completed_in_year: completed_in_year.count,
                completed_total: completed_total.count,
                funds_received: funds_received.count,
            },
        }
    }
}
