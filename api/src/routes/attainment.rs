//! How far targets are reached, each with the link to the projects behind it.

use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, NaiveDate, Utc};
use domain::accounting::Line;
use domain::target::{Attainment, Metric, Target};
use domain::tier::InvestmentTier;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::numbers::{self, Begun, IfNoneMatch};
use super::query::{AttainmentParameters, UNDER_CONSTRUCTION};
use super::targets::TargetView;
use crate::app::App;
use crate::auth::Caller;
use crate::body::Query;
use crate::codes::AttainmentStateCode;
use crate::print::{Print, json};
use crate::problem::Problem;
use crate::store::attainment::{self, Held};
use crate::store::summary;

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(get_attainment);
}

/// How far a target is reached; values are in its unit.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReachedView {
    /// What is to be reached in the whole period.
    #[schema(example = "366.00")]
    goal: String,
    /// What is reached.
    attained: String,
    /// How many projects may belong to it beside those that are counted: their amount is not known well enough.
    may_belong: u64,
    /// How much of the goal is reached, in percent, rounded down; null of a goal of nothing.
    rate: Option<String>,
    /// How much of the period is over, in percent, rounded down: by day.
    elapsed: String,
    /// What ought to be reached by now: by day, or by the months' plan.
    expected: String,
    /// How much more is reached than that; below zero, how much less.
    ahead: String,
    /// What will be reached by the end of the period at the pace so far; null before there is any.
    forecast: Option<String>,
    /// What is still missing.
    missing: String,
    /// Where that leaves it.
    state: AttainmentStateCode,
}

impl From<Attainment> for ReachedView {
    fn from(reached: Attainment) -> Self {
        Self {
            goal: reached.goal.to_string(),
            attained: reached.attained.to_string(),
            may_belong: reached.may_belong,
            rate: reached.rate,
            elapsed: reached.elapsed,
            expected: reached.expected.to_string(),
            ahead: reached.ahead.to_string(),
            forecast: reached.forecast.map(|forecast| forecast.to_string()),
            missing: reached.missing.to_string(),
            state: AttainmentStateCode(reached.state),
        }
    }
}

/// A target with how far it is reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttainmentItem {
    /// The target, held to the year that was asked for.
    target: TargetView,
    /// `derived`: counted from the library; `entered`: held against the actual that was entered.
    #[schema(example = "derived")]
    basis: String,
    /// How far it is reached; null if nothing can be counted and no actual was entered: not known is not nothing.
    attainment: Option<ReachedView>,
    /// The actual that was entered for the same, as it was published; null if none was.
    entered: Option<String>,
    /// The query that answers exactly the projects that are counted; null where no projects are.
    projects: Option<String>,
}

/// How far targets are reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttainmentView {
    /// The instant whose knowledge it shows.
    as_of: DateTime<Utc>,
    /// The day up to which time is over.
    today: NaiveDate,
    /// `all`, or `visible` if there are regions out of the caller's scope.
    #[schema(example = "all")]
    covers: String,
    /// The targets, by code.
    items: Vec<AttainmentItem>,
}

/// Hold targets against what is reached
///
/// Each target with the counted set of its scope and period, the pace to the end of the period, a forecast at the
/// present pace, and what is missing. What can't be counted is held against the actual that was entered. Only targets
/// of regions that one sees wholly.
#[utoipa::path(tag = "targets", params(AttainmentParameters, IfNoneMatch), security(("bearer" = [])),
    responses((status = 200, description = "The targets", body = AttainmentView),
        (status = 304, description = "They are as they were")))]
#[get("/v1/targets/attainment")]
async fn get_attainment(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    parameters: Query<AttainmentParameters>,
    print: Print,
) -> Result<HttpResponse, Problem> {
    let clock = app.db.clock();
    let question = parameters.0.question(clock)?;
    let reach = caller.principal.reads();
    let (state, tag) = match numbers::begin(&app, &request, &reach, &print).await? {
        Begun::Known(response) => return Ok(response),
        Begun::New(state, tag) => (state, tag),
    };
    let (as_of, today) = (question.as_of, question.today);
    let (covers_all, held) = app
        .db
        .read(async move |tx| {
            let held = attainment::answer(tx, &reach, &question, state.is_complete).await?;
            Ok((summary::covers_all(tx, &reach).await?, held))
        })
        .await?;
    Ok(tag.on(json(&AttainmentView {
        as_of: as_of.unwrap_or_else(|| clock.now()),
        today,
        covers: if covers_all { "all" } else { "visible" }.to_owned(),
        items: held.into_iter().map(|held| item(held, as_of)).collect(),
    })))
}

fn item(held: Held, as_of: Option<DateTime<Utc>>) -> AttainmentItem {
    let Held {
        record,
        attainment,
        entered,
        is_derived,
    } = held;
    AttainmentItem {
        projects: projects(&record.target, as_of),
        basis: if is_derived { "derived" } else { "entered" }.to_owned(),
        attainment: attainment.map(ReachedView::from),
        entered: entered.map(|value| value.to_string()),
        target: TargetView::from(record),
    }
}

/// The query of the projects that a target counts.
fn projects(target: &Target, as_of: Option<DateTime<Utc>>) -> Option<String> {
    let line = line(target.metric)?;
    let mut pairs = vec![
        ("counting", "portfolio".to_owned()),
        ("level", "project".to_owned()),
        ("region", target.region.to_string()),
    ];
    let code = |name, code: &Option<domain::project::RefCode>| {
        code.as_ref().map(|code| (name, code.as_str().to_owned()))
    };
    pairs.extend(code("programme", &target.programme));
    pairs.extend(code("sector", &target.sector));
    if target.from_tier.is_some() || target.up_to_tier.is_some() {
        let is_in = |tier: &&InvestmentTier| {
            **tier != InvestmentTier::Undetermined
                && target.from_tier.is_none_or(|from| from <= **tier)
                && target.up_to_tier.is_none_or(|to| **tier <= to)
        };
        let tiers = InvestmentTier::ALL.iter().filter(is_in);
        pairs.extend(tiers.map(|tier| ("tier", tier.code().to_owned())));
    }
    // Of several years any will do: a project is answered once.
    let is_carried = target.metric == Metric::Continued;
    let years = target.period.from_year..=target.period.to_year;
    for year in years.take(if is_carried { 1 } else { usize::MAX }) {
        pairs.push(("account", format!("{year}:{line}")));
    }
    pairs.extend(as_of.map(|as_of| {
        let instant = as_of.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        ("as_of", instant)
    }));
    let query = serde_html_form::to_string(&pairs).unwrap_or_default();
    Some(format!("/v1/projects?{query}"))
}

const fn line(metric: Metric) -> Option<&'static str> {
    match metric {
        Metric::ProjectCount | Metric::UnderConstruction => Some(UNDER_CONSTRUCTION),
        Metric::Planned => Some(Line::Planned.code()),
        Metric::Signed => Some(Line::Signed.code()),
        Metric::Landed => Some(Line::Landed.code()),
        Metric::New => Some(Line::New.code()),
        Metric::Continued => Some(Line::Continued.code()),
        Metric::Completed => Some(Line::Completed.code()),
        Metric::Commissioned => Some(Line::Commissioned.code()),
        Metric::AtCapacity => Some(Line::AtCapacity.code()),
        Metric::CompletedInvestment | Metric::Entered => None,
    }
}
