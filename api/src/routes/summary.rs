//! Roll-ups, each number with the link to the projects behind it.

use std::collections::BTreeMap;

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, Utc};
use domain::rollup::Measures;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::query::{Grouping, ProjectFilters, SummaryParameters};
use super::views::Amount;
use crate::app::App;
use crate::auth::Caller;
use crate::body::Query;
use crate::codes::LevelCode;
use crate::problem::Problem;
use crate::store::counting::Base;
use crate::store::summary::{self, Cell, Dimension, Question};

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
}

/// A cell: its value of each dimension, what it adds up to, and the projects behind it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"tier": "from_100m", "stage": "construction", "count": 41, "exact": {"count": 40, "sum": "9120000000.00"},
    "floor": {"count": 1, "sum": "100000000.00"}, "undetermined": 0, "annual_plan": "0.00",
    "projects": "/v1/projects?counting=portfolio&level=project&tier=from_100m&stage=construction"}))]
pub struct CellView {
    /// The dimensions asked for, by name; null where projects have none.
    #[serde(flatten)]
    #[schema(value_type = Object, additional_properties = true)]
    keys: BTreeMap<&'static str, Option<String>>,
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
/// The counted set by any combination of dimensions. Every cell links to exactly the projects behind it.
#[utoipa::path(tag = "summary", params(ProjectFilters, Grouping), security(("bearer" = [])),
    responses((status = 200, description = "The roll-up", body = SummaryView)))]
#[get("/v1/summary")]
async fn get_summary(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    parameters: Query<SummaryParameters>,
) -> Result<HttpResponse, Problem> {
    let clock = app.db.clock();
    let question = parameters.0.question(clock)?;
    let reach = caller.principal.reads();
    let asked = question.clone();
    let answer = app
        .db
        .read(async move |tx| summary::answer(tx, &reach, asked).await)
        .await?;
    let filters = set_filters(request.query_string());
    let as_of = question.frame.as_of.unwrap_or_else(|| clock.now());
    Ok(HttpResponse::Ok().json(view(answer, &question, filters, as_of)))
}

/// The filters as they were sent, by name.
fn set_filters(query: &str) -> BTreeMap<String, Vec<String>> {
    let pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
    let mut filters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        if !["group_by", "year", "level", "as_of"].contains(&name.as_str()) {
            filters.entry(name).or_default().push(value);
        }
    }
    filters
}

fn view(
    answer: summary::Summary,
    question: &Question,
    filters: BTreeMap<String, Vec<String>>,
    as_of: DateTime<Utc>,
) -> SummaryView {
    let link = Link {
        question,
        filters: &filters,
        base: &answer.base,
    };
    let cells = answer
        .cells
        .into_iter()
        .map(|cell| link.cell(cell))
        .collect();
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
        projects: link.to(&[]),
        filters,
    }
}

/// Makes the links from numbers to projects.
struct Link<'a> {
    question: &'a Question,
    filters: &'a BTreeMap<String, Vec<String>>,
    base: &'a Base,
}

impl Link<'_> {
    fn cell(&self, cell: Cell) -> CellView {
        let keys: Vec<(Dimension, Option<String>)> = self
            .question
            .group_by
            .iter()
            .copied()
            .zip(cell.keys)
            .collect();
        CellView {
            projects: self.to(&keys),
            keys: keys
                .into_iter()
                .map(|(dimension, key)| (dimension.code(), key))
                .collect(),
            measures: MeasuresView::from(cell.measures),
        }
    }

    /// The project query behind a cell: what it groups by takes the place of the filter of the same name.
    fn to(&self, keys: &[(Dimension, Option<String>)]) -> String {
        let list = keys
            .iter()
            .find(|(dimension, _)| *dimension == Dimension::List);
        let counting = match list {
            Some((_, Some(code))) => format!("list:{code}"),
            Some((_, None)) | None => self.base.told(),
        };
        let mut pairs = vec![
            ("counting", counting),
            ("level", self.question.frame.level.code().to_owned()),
        ];
        if let Some(as_of) = self.question.frame.as_of {
            let instant = as_of.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
            pairs.push(("as_of", instant));
        }
        for (dimension, key) in keys.iter().filter(|(d, _)| *d != Dimension::List) {
            let value = key.clone().unwrap_or_else(|| "null".to_owned());
            pairs.push((dimension.parameter(), value));
        }
        // Lists that are named are what is counted; `list=null` is a filter and stays one.
        let is_replaced = |name: &str| match name {
            "list" => *self.base != Base::Portfolio,
            _ => keys
                .iter()
                .any(|(dimension, _)| dimension.parameter() == name),
        };
        for (name, values) in self.filters.iter().filter(|(name, _)| !is_replaced(name)) {
            pairs.extend(values.iter().map(|value| (name.as_str(), value.clone())));
        }
        let query = serde_html_form::to_string(&pairs).unwrap_or_default();
        format!("/v1/projects?{query}")
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
        } = measures;
        Self {
            count,
            exact: CountAndSum {
                count: exact_count,
                sum: exact_sum.to_string(),
            },
            floor: CountAndSum {
                count: floor_count,
                sum: floor_sum.to_string(),
            },
            undetermined,
            annual_plan: annual_plan.to_string(),
        }
    }
}
