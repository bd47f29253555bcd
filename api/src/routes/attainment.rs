//! How far targets are reached, each with the link to the projects behind it.

mod table;

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, NaiveDate, Utc};
use domain::accounting::Line;
use domain::family::Level;
use domain::project::RefCode;
use domain::target::{Attainment, Metric, Period, Target};
use domain::tier::InvestmentTier;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::link::Link;
use super::numbers::{Asking, IfNoneMatch};
use super::query::{AttainmentParameters, UNDER_CONSTRUCTION};
use super::targets::TargetView;
use crate::app::App;
use crate::body::Query;
use crate::codes::{AttainmentStateCode, Spreadsheet};
use crate::print::negotiate::{CSV, XLSX};
use crate::print::{Print, Printing};
use crate::problem::Problem;
use crate::store::attainment::{self, Held, Question};
use crate::store::counting::{Base, Frame};
use crate::store::{Db, summary};

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
            rate: reached.rate.map(|rate| rate.to_string()),
            elapsed: reached.elapsed.to_string(),
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
/// of regions that one sees wholly. As a table for people too: `Accept: text/csv`, or the path with the ending `.csv` or
/// `.xlsx`.
#[utoipa::path(tag = "targets", params(AttainmentParameters, Printing, IfNoneMatch), security(("bearer" = [])),
    responses((status = 200, description = "The targets",
            content((AttainmentView = "application/json"), (String = CSV), (Spreadsheet = XLSX))),
        (status = 304, description = "They are as they were")))]
#[get("/v1/targets/attainment")]
async fn get_attainment(
    app: web::Data<App>,
    asking: Asking,
    parameters: Query<AttainmentParameters>,
    print: Print,
) -> Result<HttpResponse, Problem> {
    if let Some(known) = asking.known(print.0) {
        return Ok(known);
    }
    let question = parameters.0.question(app.db.clock())?;
    let answer = Answer::read(&app.db, &asking, question).await?;
    match print.0 {
        Some(sheet) => table::answer(&app.db, sheet, &answer).await,
        None => asking.answer(&view(answer)),
    }
}

/// Targets held against what is reached, with what was asked for.
struct Answer {
    held: Vec<Held>,
    covers_all: bool,
    filters: BTreeMap<String, Vec<String>>,
    asked_as_of: Option<DateTime<Utc>>,
    as_of: DateTime<Utc>,
    today: NaiveDate,
}

impl Answer {
    async fn read(db: &Db, asking: &Asking, question: Question) -> Result<Self, Problem> {
        let (reach, sums_are_complete) = (asking.reach.clone(), asking.sums_are_complete);
        let (asked_as_of, today) = (question.as_of, question.today);
        let (covers_all, held) = db
            .read(async move |tx| {
                let held = attainment::answer(tx, &reach, &question, sums_are_complete).await?;
                Ok((summary::covers_all(tx, &reach).await?, held))
            })
            .await?;
        Ok(Self {
            held,
            covers_all,
            filters: asking.filters(),
            asked_as_of,
            as_of: asked_as_of.unwrap_or_else(|| db.clock().now()),
            today,
        })
    }
}

fn view(answer: Answer) -> AttainmentView {
    let as_of = answer.asked_as_of;
    let held = answer.held.into_iter();
    AttainmentView {
        as_of: answer.as_of,
        today: answer.today,
        covers: if answer.covers_all { "all" } else { "visible" }.to_owned(),
        items: held.map(|held| item(held, as_of)).collect(),
    }
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
    let code = |code: &Option<RefCode>| code.iter().map(ToString::to_string).collect();
    let mut filters: BTreeMap<String, Vec<String>> = BTreeMap::from([
        ("region".to_owned(), vec![target.region.to_string()]),
        ("programme".to_owned(), code(&target.programme)),
        ("sector".to_owned(), code(&target.sector)),
    ]);
    if target.from_tier.is_some() || target.up_to_tier.is_some() {
        let is_in = |tier: &&InvestmentTier| {
            **tier != InvestmentTier::Undetermined
                && target.from_tier.is_none_or(|from| from <= **tier)
                && target.up_to_tier.is_none_or(|to| **tier <= to)
        };
        let tiers = InvestmentTier::ALL.iter().filter(is_in);
        let tiers = tiers.map(|tier| tier.code().to_owned()).collect();
        filters.insert("tier".to_owned(), tiers);
    }
    let Period { from_year, to_year } = target.period;
    // Of several years any will do: a project is answered once.
    let years = if from_year == to_year || target.metric == Metric::Continued {
        from_year.to_string()
    } else {
        format!("{from_year}-{to_year}")
    };
    let frame = Frame {
        as_of,
        base: Some(Base::Portfolio),
        level: Level::Project,
    };
    let account = format!("{years}:{line}");
    Some(Link::new(&Base::Portfolio, &frame, &filters).to(&[], Some(account)))
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
