//! A ranking as it is told, each figure with the query of its projects.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::accounting::Line;
use domain::scoreboard::{Indicator, Item, Measure, Opened, Period, Score, Share, State};
use serde::Serialize;
use utoipa::ToSchema;

use super::ScoreboardSchemeView;
use crate::codes::{BasisCode, IndicatorCode, MeasureCode, ScoreStateCode};
use crate::routes::link::Link;
use crate::routes::query::LANDED_WITHIN;
use crate::store::counting::{Base, Frame};
use crate::store::scoreboard::{Answer, Board, Previous, Row};

/// The projects that a figure is made of.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoreboardProjects {
    /// How many projects.
    pub(super) count: u64,
    /// Of how many of them the amount does not count, for it is not told exactly, or one side of a plan and what was
    /// completed of it is not told; null where no amount is asked for.
    unknown_amounts: Option<u64>,
    /// What their amounts come to, in 元; null where none is asked for, or none is told.
    amount: Option<String>,
    /// The query that answers exactly these projects.
    pub(super) projects: String,
}

/// An indicator of a region.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoreboardIndicator {
    /// What is looked at.
    indicator: IndicatorCode,
    /// Whether projects are counted or money is added up.
    measure: MeasureCode,
    /// By what the size of the region is taken out.
    normalised_by: BasisCode,
    /// How much it weighs beside the others.
    weight: u32,
    /// The unit of the value: `project`, `yuan` or `percent`; null without a value.
    #[schema(example = "project")]
    unit: Option<String>,
    /// The value, rounded half up; null if it is not known or not applicable, which is not zero.
    value: Option<String>,
    /// The value per project in stock or per 亿元 in stock, as `normalised_by` says, a rate as a share of one, rounded half
    /// up to four decimals; it is scored exactly.
    normalised: Option<String>,
    /// How it counts.
    state: ScoreStateCode,
    /// A hundred times the value by the best one; null if it does not count.
    score: Option<String>,
    /// The projects that reached it.
    pub(super) reached: ScoreboardProjects,
    /// Of a rate: the projects that were to; null of anything else.
    of: Option<ScoreboardProjects>,
}

/// Where a region stood in the period before.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoreboardPrevious {
    /// Its score.
    score: Option<String>,
    /// Its rank.
    rank: Option<u32>,
    /// By how many places it has come up since; below zero, gone down.
    change: Option<i64>,
}

/// What happened on a day that is not known, and so in no month: projects that may belong to the year.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoreboardDateUnknown {
    /// They started.
    started: ScoreboardProjects,
    /// They were completed.
    completed: ScoreboardProjects,
}

/// A ranked region.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoreboardRegion {
    /// Its code.
    region: String,
    /// Its name.
    name: String,
    /// Its place: 1 is the best. Equal scores share one, and the next ones are left out; null without a score.
    rank: Option<u32>,
    /// The mean of its indicators' scores by weight, rounded half up; null if none counts.
    score: Option<String>,
    /// What the indicators that count weigh together.
    weight: u32,
    /// Where it stood in the period before; null if it was not ranked.
    previous: Option<ScoreboardPrevious>,
    /// Its indicators, in the order of the scheme.
    pub(super) indicators: Vec<ScoreboardIndicator>,
    /// What it has in stock, by which values are normalised, with its exact total investment.
    pub(super) stock: ScoreboardProjects,
    /// What happened on a day that is not known.
    date_unknown: ScoreboardDateUnknown,
}

/// The period before.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoreboardPeriod {
    /// The month or the quarter.
    #[schema(example = "2025-02")]
    period: String,
    /// When it was closed, as far as that was known; null if it was open.
    closed_at: Option<DateTime<Utc>>,
}

/// The regions within one, ranked.
#[derive(Debug, Serialize, ToSchema)]
pub struct ScoreboardView {
    /// The month or the quarter.
    #[schema(example = "2025-03")]
    period: String,
    /// Its first day.
    from: NaiveDate,
    /// Its last day.
    to: NaiveDate,
    /// The region whose direct parts are ranked.
    region: String,
    /// The instant whose knowledge it shows.
    pub(super) as_of: DateTime<Utc>,
    /// When the period was closed; null if it is open.
    closed_at: Option<DateTime<Utc>>,
    /// What is looked at.
    scheme: ScoreboardSchemeView,
    /// The period before, which `previous` is about; null before accounts are kept.
    previous: Option<ScoreboardPeriod>,
    /// The regions, by rank.
    pub(super) regions: Vec<ScoreboardRegion>,
    /// The red list (红榜), by rank.
    red: Vec<String>,
    /// The black list (黑榜), by rank.
    black: Vec<String>,
    /// What the region has in stock that is in none of those ranked: its own, and that of regions of other years; null
    /// if that is nothing.
    outside: Option<ScoreboardProjects>,
}

impl ScoreboardView {
    /// The ranking as it is told now.
    pub(super) fn new(answer: &Answer, now: DateTime<Utc>) -> Self {
        let Answer { board, previous } = answer;
        let links = Links {
            period: board.period,
            frame: &board.frame,
            landing_months: board.scheme.scheme.landing_months(),
        };
        let on_list = |is_on: fn(&Row) -> bool| {
            let rows = board.rows.iter().filter(|row| is_on(row));
            rows.map(|row| row.code.clone()).collect()
        };
        Self {
            period: board.period.to_string(),
            from: board.period.first(),
            to: board.period.last(),
            region: board.region.clone(),
            as_of: board.frame.as_of.unwrap_or(now),
            closed_at: board.closed_at,
            scheme: ScoreboardSchemeView::from(&board.scheme),
            previous: previous.map(|(period, closed_at)| ScoreboardPeriod {
                period: period.to_string(),
                closed_at,
            }),
            regions: board
                .rows
                .iter()
                .map(|row| links.region(board.scheme.scheme.items(), row))
                .collect(),
            red: on_list(|row| row.standing.is_red),
            black: on_list(|row| row.standing.is_black),
            outside: links.outside(board),
        }
    }
}

/// The filters of a query, by their names.
type Filters = Vec<(&'static str, String)>;

/// Makes the queries of the projects behind figures.
struct Links<'a> {
    period: Period,
    frame: &'a Frame,
    landing_months: u32,
}

impl Links<'_> {
    /// The query of the counted projects of a region, filtered.
    fn to(&self, region: (&str, Vec<String>), filters: Filters) -> String {
        let mut all = BTreeMap::from([(region.0.to_owned(), region.1)]);
        let filters = filters.into_iter();
        all.extend(filters.map(|(name, value)| (name.to_owned(), vec![value])));
        Link::new(&Base::Portfolio, self.frame, &all).to(&[], None)
    }

    fn region(&self, items: &[Item], row: &Row) -> ScoreboardRegion {
        let standing = &row.standing;
        let opened = items.iter().zip(&row.opened).zip(&standing.scores);
        let stock = &row.figures.stock;
        let unknown = |line: Line| ScoreboardProjects {
            count: row.figures.line(line).count,
            unknown_amounts: None,
            amount: None,
            projects: self.to(
                ("region", vec![row.code.clone()]),
                vec![("account", format!("{}:{line}", self.period.year()))],
            ),
        };
        ScoreboardRegion {
            region: row.code.clone(),
            name: row.name.clone(),
            rank: standing.rank,
            score: standing.total.map(told),
            weight: standing.weight,
            previous: row.previous.map(|previous| {
                let Previous {
                    total,
                    rank,
                    change,
                } = previous;
                ScoreboardPrevious {
                    score: total.map(told),
                    rank,
                    change,
                }
            }),
            indicators: opened
                .map(|((item, opened), scored)| self.indicator(&row.code, *item, opened, *scored))
                .collect(),
            stock: ScoreboardProjects {
                count: stock.count,
                unknown_amounts: Some(stock.count.saturating_sub(stock.exact_count)),
                amount: (stock.exact_count > 0).then(|| stock.exact_sum.to_string()),
                projects: self.to(("region", vec![row.code.clone()]), vec![]),
            },
            date_unknown: ScoreboardDateUnknown {
                started: unknown(Line::StartUnknown),
                completed: unknown(Line::CompletionUnknown),
            },
        }
    }

    fn indicator(
        &self,
        region: &str,
        item: Item,
        opened: &Opened,
        (state, score): (State, Option<Score>),
    ) -> ScoreboardIndicator {
        let value = opened.value.known();
        let (reached, of) = self.filters(item.indicator);
        let is_money = item.measure == Measure::Investment;
        let projects = |share: Share, filters: Filters| ScoreboardProjects {
            count: share.count,
            unknown_amounts: is_money.then_some(share.unknown),
            amount: share.amount.map(|amount| amount.to_string()),
            projects: self.to(("region", vec![region.to_owned()]), filters),
        };
        ScoreboardIndicator {
            indicator: IndicatorCode(item.indicator),
            measure: MeasureCode(item.measure),
            normalised_by: BasisCode(item.basis),
            weight: item.weight,
            unit: value.map(|value| value.unit().to_owned()),
            value: value.map(|value| value.to_string()),
            normalised: opened.normalised.known().map(|ratio| ratio.to_string()),
            state: ScoreStateCode(state),
            score: score.map(told),
            reached: projects(opened.reached, reached),
            of: opened
                .of
                .zip(of)
                .map(|(share, filter)| projects(share, filter)),
        }
    }

    /// By which filters the projects of an indicator are found: those that reached it, and of a rate those that were to.
    fn filters(&self, indicator: Indicator) -> (Filters, Option<Filters>) {
        let (period, year) = (self.period, self.period.year());
        let in_line = |line: &str| vec![("account", format!("{period}:{line}"))];
        match indicator {
            Indicator::CompletedInvestment => (vec![("invested", period.to_string())], None),
            Indicator::AnnualPlanRate => {
                let to_date = format!("{year}-01..{year}-{:02}", period.months().1);
                let planned = ("plan_year", year.to_string());
                let reported = vec![("invested", to_date), planned.clone()];
                (reported, Some(vec![planned]))
            }
            Indicator::LandingRate => (
                in_line(&format!("{LANDED_WITHIN}{}", self.landing_months)),
                Some(in_line(Line::Signed.code())),
            ),
            Indicator::StartRate => (
                in_line(Line::StartMet.code()),
                Some(in_line(Line::StartPlanned.code())),
            ),
            Indicator::Planned
            | Indicator::Signed
            | Indicator::Landed
            | Indicator::FundsApproved
            | Indicator::Started
            | Indicator::Completed
            | Indicator::Commissioned
            | Indicator::AtCapacity => {
                let line = indicator.lines().first().map_or("", |line| line.code());
                (in_line(line), None)
            }
        }
    }

    fn outside(&self, board: &Board) -> Option<ScoreboardProjects> {
        let (regions, count) = &board.outside;
        let codes: Vec<String> = regions.iter().cloned().collect();
        (!codes.is_empty()).then(|| ScoreboardProjects {
            count: *count,
            unknown_amounts: None,
            amount: None,
            projects: self.to(("region_exact", codes), vec![]),
        })
    }
}

fn told(score: Score) -> String {
    score.to_string()
}
