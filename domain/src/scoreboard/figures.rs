//! What was counted of a region, and the values of indicators that follow from it.

use std::collections::BTreeMap;
use std::fmt;

use super::ranking::Ratio;
use super::scheme::{Basis, Indicator, Item, Measure};
use crate::accounting::Line;
use crate::money::Total;
use crate::rate::Rate;
use crate::rollup::{Measures, Told};

/// 分 in a 元.
const YUAN: i128 = 100;
/// 元 in a 亿元.
const YI: i128 = 100_000_000;

/// Money that was told of some projects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Completed {
    /// Of how many projects.
    pub projects: u64,
    /// How many figures, and what they come to.
    pub told: Told,
}

impl Completed {
    fn join(self, other: Self) -> Self {
        Self {
            projects: self.projects + other.projects,
            told: self.told.join(other.told),
        }
    }
}

/// The annual plans of a year, held against what was completed since its January.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnnualPlans {
    /// How many projects have one.
    pub projects: u64,
    /// How many of them told what they completed.
    pub reported: u64,
    /// The plans of which both the amount and what was completed are told: only these are compared.
    pub planned: Told,
    /// What was completed of them.
    pub completed: Told,
}

impl AnnualPlans {
    fn join(self, other: Self) -> Self {
        Self {
            projects: self.projects + other.projects,
            reported: self.reported + other.reported,
            planned: self.planned.join(other.planned),
            completed: self.completed.join(other.completed),
        }
    }
}

/// What was counted of a region in a period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What happened in the period, by line of the accounts; of lines that last, who stands in them in its year.
    pub lines: BTreeMap<Line, Measures>,
    /// Of those signed in the period: landed within the months that are given.
    pub landed_in_time: u64,
    /// What was completed in the period.
    pub completed: Completed,
    /// The annual plans of the year, and what was completed of them until the period's end.
    pub plans: AnnualPlans,
    /// The projects in stock, but for the withdrawn.
    pub stock: Measures,
}

impl Figures {
    /// Takes the figures of another region in.
    pub fn join(&mut self, other: &Self) {
        for (&line, &measures) in &other.lines {
            let present = self.lines.entry(line).or_default();
            *present = present.join(measures);
        }
        self.landed_in_time += other.landed_in_time;
        self.completed = self.completed.join(other.completed);
        self.plans = self.plans.join(other.plans);
        self.stock = self.stock.join(other.stock);
    }

    /// What stands in a line.
    #[must_use]
    pub fn line(&self, line: Line) -> Measures {
        self.lines.get(&line).copied().unwrap_or_default()
    }
}

/// A value of an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// So many projects.
    Projects(u64),
    /// So much money.
    Amount(Total),
    /// A share of what was to be reached.
    Rate(Rate),
}

impl Value {
    /// The code of its unit: `project`, `yuan` or `percent`.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Projects(_) => "project",
            Self::Amount(_) => "yuan",
            Self::Rate(_) => "percent",
        }
    }

    /// The value in its unit; a rate as a share of one. None if it is out of all proportion.
    fn ratio(self) -> Option<Ratio> {
        match self {
            Self::Projects(count) => Ratio::new(count.into(), 1),
            Self::Amount(amount) => Ratio::new(amount.fen(), YUAN),
            Self::Rate(rate) => Ratio::new(rate.numerator?, rate.denominator?),
        }
    }
}

/// In its unit, with two decimals, rounded half up.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Projects(count) => write!(f, "{count}.00"),
            Self::Amount(amount) => amount.fmt(f),
            Self::Rate(rate) => match rate.percent() {
                Some(percent) => percent.fmt(f),
                None => Ok(()),
            },
        }
    }
}

/// What is known of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading<T> {
    /// It.
    Known(T),
    /// Something is there that was not told: that is not nothing.
    Unknown,
    /// There is nothing to measure by.
    NotApplicable,
}

impl<T> Reading<T> {
    /// The value, if it is known.
    #[must_use]
    pub fn known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown | Self::NotApplicable => None,
        }
    }
}

/// The projects that a value is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// How many projects.
    pub count: u64,
    /// Of how many of them the amount does not count, for it or what it is compared with is not told exactly; nothing
    /// where no amount is asked for.
    pub unknown: u64,
    /// What the amounts come to; none where no amount is asked for, or none is told.
    pub amount: Option<Total>,
}

/// An indicator of a region, opened into what it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The projects that reached it.
    pub reached: Share,
    /// Of a rate: the projects that were to.
    pub of: Option<Share>,
    /// The value.
    pub value: Reading<Value>,
    /// The value without the size of the region: what is scored.
    pub normalised: Reading<Ratio>,
}

/// Opens an indicator of a region.
#[must_use]
pub fn open(item: Item, figures: &Figures) -> Opened {
    let (reached, of, value) = match item.indicator {
        Indicator::CompletedInvestment => {
            let reached = of_money(figures.completed);
            (reached, None, told(reached).map(Value::Amount))
        }
        Indicator::AnnualPlanRate => of_plans(figures.plans),
        Indicator::StartRate => of_counts(
            figures.line(Line::StartMet).count,
            figures.line(Line::StartPlanned).count,
        ),
        Indicator::LandingRate => {
            of_counts(figures.landed_in_time, figures.line(Line::Signed).count)
        }
        Indicator::Planned
        | Indicator::Signed
        | Indicator::Landed
        | Indicator::FundsApproved
        | Indicator::Started
        | Indicator::Completed
        | Indicator::Commissioned
        | Indicator::AtCapacity => {
            let line = item.indicator.lines().first().copied();
            let measures = line.map(|line| figures.line(line)).unwrap_or_default();
            let (reached, value) = of_measures(item.measure, measures);
            (reached, None, value)
        }
    };
    Opened {
        reached,
        of,
        normalised: normalised(item.basis, &figures.stock, value),
        value,
    }
}

impl<T> Reading<T> {
    fn map<U>(self, change: impl FnOnce(T) -> U) -> Reading<U> {
        match self {
            Self::Known(value) => Reading::Known(change(value)),
            Self::Unknown => Reading::Unknown,
            Self::NotApplicable => Reading::NotApplicable,
        }
    }
}

fn counted(count: u64) -> Share {
    Share {
        count,
        unknown: 0,
        amount: None,
    }
}

/// The sum of what was told; what nobody told is not known to be nothing.
fn told(share: Share) -> Reading<Total> {
    share.amount.map_or(Reading::Unknown, Reading::Known)
}

fn of_money(money: Completed) -> Share {
    Share {
        count: money.projects,
        unknown: money.projects.saturating_sub(money.told.count),
        amount: (money.told.count > 0).then_some(money.told.sum),
    }
}

/// What happened to no project is nothing; of projects none of which has an exact amount, the sum is not known.
fn of_measures(measure: Measure, measures: Measures) -> (Share, Reading<Value>) {
    match measure {
        Measure::Count => (
            counted(measures.count),
            Reading::Known(Value::Projects(measures.count)),
        ),
        Measure::Investment => {
            let is_told = measures.count == 0 || measures.exact_count > 0;
            let share = Share {
                count: measures.count,
                unknown: measures.count.saturating_sub(measures.exact_count),
                amount: is_told.then_some(measures.exact_sum),
            };
            (share, told(share).map(Value::Amount))
        }
    }
}

fn of_counts(reached: u64, of: u64) -> (Share, Option<Share>, Reading<Value>) {
    let rate = Rate {
        numerator: Some(reached.into()),
        denominator: Some(of.into()),
    };
    let value = if rate.is_applicable() {
        Reading::Known(Value::Rate(rate))
    } else {
        Reading::NotApplicable
    };
    (counted(reached), Some(counted(of)), value)
}

/// A plan of which nothing was reported is no plan of which nothing was completed: it is left out on both sides.
fn of_plans(plans: AnnualPlans) -> (Share, Option<Share>, Reading<Value>) {
    let is_any = plans.planned.count > 0;
    let share = |count: u64, amount: Total| Share {
        count,
        unknown: count.saturating_sub(plans.planned.count),
        amount: is_any.then_some(amount),
    };
    let rate = Rate {
        numerator: Some(plans.completed.sum.fen()),
        denominator: Some(plans.planned.sum.fen()),
    };
    let value = if rate.is_applicable() {
        Reading::Known(Value::Rate(rate))
    } else if plans.projects > 0 && !is_any {
        Reading::Unknown
    } else {
        Reading::NotApplicable
    };
    let of = share(plans.projects, plans.planned.sum);
    (share(plans.reported, plans.completed.sum), Some(of), value)
}

/// Takes the size of a region out of a value.
fn normalised(basis: Basis, stock: &Measures, value: Reading<Value>) -> Reading<Ratio> {
    let per = match basis {
        Basis::None => Reading::Known((1, 1)),
        Basis::Projects if stock.count > 0 => Reading::Known((i128::from(stock.count), 1)),
        Basis::Investment if stock.exact_sum > Total::ZERO => {
            Reading::Known((stock.exact_sum.fen(), YUAN * YI))
        }
        // Of what is there, no amount is known.
        Basis::Investment if stock.count > 0 => Reading::Unknown,
        Basis::Projects | Basis::Investment => Reading::NotApplicable,
    };
    match (value, per) {
        (Reading::Known(value), Reading::Known((size, unit))) => {
            let ratio = value.ratio().and_then(|ratio| ratio.per(size, unit));
            ratio.map_or(Reading::Unknown, Reading::Known)
        }
        (Reading::Unknown, _) | (Reading::Known(_), Reading::Unknown) => Reading::Unknown,
        (Reading::NotApplicable, _) | (Reading::Known(_), Reading::NotApplicable) => {
            Reading::NotApplicable
        }
    }
}
