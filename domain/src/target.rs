//! Targets (目标): what a plan wants to be reached, of what, where and by when; and what is wrong with one.

mod attainment;
mod cascade;

pub use attainment::{Attainment, AttainmentState, Reached, attainment};
pub use cascade::{Finding, Part, Side, SideKind, Verdict, cascade};

use crate::coded::coded_enum;
use crate::money::{Money, Total};
use crate::project::{MAX_NAME, RefCode};
use crate::region::RegionCode;
use crate::rollup::Known;
use crate::text::Text;
use crate::tier::InvestmentTier;

/// The longest name of a plan, in characters.
pub const MAX_PLAN: usize = 40;
/// The longest quote, in characters.
pub const MAX_QUOTE: usize = 500;
/// The first and the last year that a period may have.
pub const YEARS: (i32, i32) = (1949, 2200);
/// The months of a year.
pub const MONTHS: usize = 12;
/// What the operations beside a single target are called in a path, so that no target may be.
const RESERVED: [&str; 4] = ["attainment", "attainment.csv", "attainment.xlsx", "cascade"];

coded_enum! {
    /// What a target counts or adds up (指标).
    pub enum Metric {
        /// Distinct projects started or continued in the period.
        ProjectCount => "project_count", "项目个数", "projects under construction in the period";
        /// Investment completed in the period.
        CompletedInvestment => "completed_investment", "完成投资", "completed investment";
        /// Projects newly thought out.
        Planned => "planned", "谋划", "projects planned";
        /// Projects signed.
        Signed => "signed", "签约引进", "projects signed";
        /// Projects landed.
        Landed => "landed", "培育落地", "projects landed";
        /// Projects started.
        New => "new", "新建", "projects started";
        /// Projects continued from the year before.
        Continued => "continued", "续建", "projects continued";
        /// Projects started or continued.
        UnderConstruction => "under_construction", "开复工", "projects under construction";
        /// Projects completed.
        Completed => "completed", "竣工", "projects completed";
        /// Projects that went into production.
        Commissioned => "commissioned", "投产", "projects commissioned";
        /// Projects that came to their capacity.
        AtCapacity => "at_capacity", "达产", "projects at capacity";
        /// Anything that the projects don't tell: compared with an entered actual of the same name and scope.
        Entered => "entered", "填报指标", "an entered figure";
    }
}

impl Metric {
    /// The unit that its values have; none if any unit will do.
    #[must_use]
    pub const fn unit(self) -> Option<TargetUnit> {
        match self {
            Self::ProjectCount
            | Self::Planned
            | Self::Signed
            | Self::Landed
            | Self::New
            | Self::Continued
            | Self::UnderConstruction
            | Self::Completed
            | Self::Commissioned
            | Self::AtCapacity => Some(TargetUnit::Project),
            Self::CompletedInvestment => Some(TargetUnit::Yuan),
            Self::Entered => None,
        }
    }
}

coded_enum! {
    /// The unit of a target's value (计量单位).
    pub enum TargetUnit {
        /// Projects, or other things that come whole.
        Project => "project", "个", "projects";
        /// 元.
        Yuan => "yuan", "元", "yuan";
        /// US dollars.
        Usd => "usd", "美元", "US dollars";
        /// A level in percent, such as a growth: it does not add up, neither over time nor over places.
        Percent => "percent", "%", "percent";
        /// 亩, a fifteenth of a hectare.
        Mu => "mu", "亩", "mu";
    }
}

impl TargetUnit {
    /// Whether values add up: over the years of a period, and over the parts of a whole.
    #[must_use]
    pub const fn adds_up(self) -> bool {
        match self {
            Self::Project | Self::Yuan | Self::Usd | Self::Mu => true,
            Self::Percent => false,
        }
    }

    /// The least difference between two values, in hundredths.
    const fn step(self) -> i128 {
        match self {
            Self::Project => 100,
            Self::Yuan | Self::Usd | Self::Percent | Self::Mu => 1,
        }
    }
}

coded_enum! {
    /// Whether a figure is wanted or was reached (目标或实绩).
    pub enum TargetKind {
        /// What is to be reached.
        Target => "target", "目标", "target";
        /// What was reached, as somebody entered it: never a target.
        Actual => "actual", "实绩", "actual";
    }
}

/// A value (目标值) in hundredths of its unit: never negative, at most 10^15 units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(i64);

impl Quantity {
    /// So many hundredths; none if they are out of range.
    #[must_use]
    pub fn from_hundredths(hundredths: i64) -> Option<Self> {
        let is_in_range = (0..=Money::MAX.fen()).contains(&hundredths);
        is_in_range.then_some(Self(hundredths))
    }

    /// Reads ASCII digits, with a point and one or two decimals if wanted; none if it is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let amount = Money::parse_yuan(text).ok()?;
        Some(Self(amount.fen()))
    }

    /// The value in hundredths.
    #[must_use]
    pub const fn hundredths(self) -> i64 {
        self.0
    }
}

/// The number with two decimals, without its unit: `1500.00`.
impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Total::from(*self).fmt(f)
    }
}

impl From<Quantity> for Total {
    fn from(value: Quantity) -> Total {
        Total::from_fen(value.0.into())
    }
}

/// Whole calendar years (规划期), the first and the last of them included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period {
    /// The first year.
    pub from_year: i32,
    /// The last year.
    pub to_year: i32,
}

impl Period {
    /// One year.
    #[must_use]
    pub const fn year(year: i32) -> Self {
        Self {
            from_year: year,
            to_year: year,
        }
    }

    /// Whether a year is in it.
    #[must_use]
    pub const fn contains(self, year: i32) -> bool {
        self.from_year <= year && year <= self.to_year
    }

    /// How many years it has; none, if it ends before it begins.
    fn years(self) -> i128 {
        let years = i128::from(self.to_year) - i128::from(self.from_year) + 1;
        years.max(0)
    }
}

/// The months' plan of a year (月度进度计划): how many percent are to be reached by the end of each month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Schedule([u8; MONTHS]);

/// Why some numbers are no months' plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleFault {
    /// There are not twelve.
    NotTwelve,
    /// A month is below the one before it, or not from 0 to 100.
    OutOfOrder,
    /// December is not 100.
    NotAllByDecember,
}

impl Schedule {
    /// Takes twelve percents that never fall and end at 100.
    ///
    /// # Errors
    /// [`ScheduleFault`].
    pub fn new(percents: &[i64]) -> Result<Self, ScheduleFault> {
        if percents.len() != MONTHS {
            return Err(ScheduleFault::NotTwelve);
        }
        let mut months = [0; MONTHS];
        let mut before = 0;
        for (month, percent) in months.iter_mut().zip(percents) {
            let percent = u8::try_from(*percent).map_err(|_| ScheduleFault::OutOfOrder)?;
            if percent < before || percent > 100 {
                return Err(ScheduleFault::OutOfOrder);
            }
            *month = percent;
            before = percent;
        }
        if before == 100 {
            Ok(Self(months))
        } else {
            Err(ScheduleFault::NotAllByDecember)
        }
    }

    /// The percents, from January.
    #[must_use]
    pub const fn percents(&self) -> &[u8; MONTHS] {
        &self.0
    }
}

/// Whether a project is of those that a target counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belonging {
    /// It is: its exact amount or its lower bound is within the thresholds.
    In,
    /// It may be: its amount is unknown, or its lower bound is below the threshold.
    May,
    /// It is not.
    Out,
}

/// One target, or one entered actual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its code, which never changes.
    pub code: RefCode,
    /// The plan that sets it: 十四五, 2025.
    pub plan: Text<MAX_PLAN>,
    /// Where.
    pub region: RegionCode,
    /// Of which of the 五大工程; none for all of them.
    pub programme: Option<RefCode>,
    /// Of which 行业; none for all of them.
    pub sector: Option<RefCode>,
    /// The lowest tier of total investment that is in; none for projects of any amount.
    pub from_tier: Option<InvestmentTier>,
    /// The highest tier that is in; none for all above the lowest, as in "亿元以上".
    pub up_to_tier: Option<InvestmentTier>,
    /// In which years.
    pub period: Period,
    /// Whether the value is for every year of the period (逐年) and not for the whole of it.
    pub each_year: bool,
    /// What is counted or added up.
    pub metric: Metric,
    /// What the plan calls it, as printed.
    pub name: Text<MAX_NAME>,
    /// How much.
    pub value: Quantity,
    /// Of what unit.
    pub unit: TargetUnit,
    /// Whether it is wanted or was reached.
    pub kind: TargetKind,
    /// How a year's value is spread over its months; none for evenly by day.
    pub schedule: Option<Schedule>,
    /// The words of the plan.
    pub quote: Option<Text<MAX_QUOTE>>,
    /// The document, and where in it.
    pub source: Option<Text<MAX_NAME>>,
}

/// Something wrong with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetFault {
    /// The field.
    pub pointer: &'static str,
    /// What is wrong.
    pub kind: TargetFaultKind,
}

/// What may be wrong with a target as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetFaultKind {
    /// Its code is the name of an operation.
    Reserved,
    /// A year that no period has.
    YearOutOfRange,
    /// The period ends before it begins.
    PeriodOutOfOrder,
    /// Every year of a period that has only one: two ways to say the same.
    OnlyOneYear,
    /// A tier that is no threshold: under the least, or undetermined.
    NoThreshold,
    /// An upper tier without a lower one.
    NeedsFromTier,
    /// The upper tier is below the lower one.
    TiersOutOfOrder,
    /// The highest tier has no upper bound: the field stays empty.
    OpenAtTheTop,
    /// The metric has another unit.
    UnitOfMetric(TargetUnit),
    /// A part of what comes whole.
    NotWhole,
    /// A months' plan for a value that is of several years.
    ScheduleOfYears,
}

impl TargetFaultKind {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Reserved => "reserved_code",
            Self::YearOutOfRange => "year_out_of_range",
            Self::PeriodOutOfOrder => "period_out_of_order",
            Self::OnlyOneYear => "only_one_year",
            Self::NoThreshold => "no_threshold",
            Self::NeedsFromTier => "needs_from_tier",
            Self::TiersOutOfOrder => "tiers_out_of_order",
            Self::OpenAtTheTop => "open_at_the_top",
            Self::UnitOfMetric(_) => "unit_of_metric",
            Self::NotWhole => "not_whole",
            Self::ScheduleOfYears => "schedule_of_years",
        }
    }
}

impl Target {
    /// Everything that is wrong with the target as a whole.
    #[must_use]
    pub fn faults(&self) -> Vec<TargetFault> {
        let mut faults = Vec::new();
        let mut wrong = |is_wrong, pointer, kind| {
            if is_wrong {
                faults.push(TargetFault { pointer, kind });
            }
        };
        let Period { from_year, to_year } = self.period;
        let is_year = |year| (YEARS.0..=YEARS.1).contains(&year);
        wrong(
            RESERVED.contains(&self.code.as_str()),
            "/code",
            TargetFaultKind::Reserved,
        );
        wrong(
            !is_year(from_year),
            "/from_year",
            TargetFaultKind::YearOutOfRange,
        );
        wrong(
            !is_year(to_year),
            "/to_year",
            TargetFaultKind::YearOutOfRange,
        );
        wrong(
            to_year < from_year,
            "/to_year",
            TargetFaultKind::PeriodOutOfOrder,
        );
        wrong(
            self.each_year && to_year == from_year,
            "/each_year",
            TargetFaultKind::OnlyOneYear,
        );
        if let Some(unit) = self.metric.unit().filter(|unit| *unit != self.unit) {
            wrong(true, "/unit", TargetFaultKind::UnitOfMetric(unit));
        }
        wrong(
            i128::from(self.value.0) % self.unit.step() != 0,
            "/value",
            TargetFaultKind::NotWhole,
        );
        wrong(
            self.schedule.is_some() && !self.each_year && to_year > from_year,
            "/schedule",
            TargetFaultKind::ScheduleOfYears,
        );
        faults.extend(self.faults_of_tiers());
        faults
    }

    fn faults_of_tiers(&self) -> Vec<TargetFault> {
        let (from, up_to) = (self.from_tier, self.up_to_tier);
        let is_none = |tier: Option<InvestmentTier>| tier.is_some_and(|tier| !is_threshold(tier));
        let mut faults = Vec::new();
        let mut wrong = |is_wrong, pointer, kind| {
            if is_wrong {
                faults.push(TargetFault { pointer, kind });
            }
        };
        wrong(is_none(from), "/from_tier", TargetFaultKind::NoThreshold);
        wrong(is_none(up_to), "/up_to_tier", TargetFaultKind::NoThreshold);
        wrong(
            up_to == Some(InvestmentTier::From10b),
            "/up_to_tier",
            TargetFaultKind::OpenAtTheTop,
        );
        match (from, up_to) {
            (None, Some(_)) => wrong(true, "/up_to_tier", TargetFaultKind::NeedsFromTier),
            (Some(from), Some(up_to)) => wrong(
                up_to < from,
                "/up_to_tier",
                TargetFaultKind::TiersOutOfOrder,
            ),
            (_, None) => {}
        }
        faults
    }

    /// Whether a project of a tier, whose amount is so known, is of those that the target counts.
    #[must_use]
    pub fn belongs(&self, tier: InvestmentTier, known: Known) -> Belonging {
        if self.from_tier.is_none() && self.up_to_tier.is_none() {
            return Belonging::In;
        }
        let is_below = self.from_tier.is_some_and(|from| tier < from);
        let is_above = self.up_to_tier.is_some_and(|to| tier > to);
        match known {
            Known::Unknown => Belonging::May,
            Known::Floor if is_below => Belonging::May,
            Known::Exact | Known::Floor if is_below || is_above => Belonging::Out,
            Known::Exact | Known::Floor => Belonging::In,
        }
    }

    /// What is to be reached in the whole period, in hundredths of the unit: of a value for every year, the sum of
    /// the years, where values add up.
    #[must_use]
    pub fn goal(&self) -> Total {
        let value = i128::from(self.value.0);
        if self.each_year && self.unit.adds_up() {
            Total::from_fen(value * self.period.years())
        } else {
            Total::from_fen(value)
        }
    }

    /// The target of one year, where there is one: it is of that year, or for every year of its period.
    #[must_use]
    pub fn in_year(&self, year: i32) -> Option<Self> {
        let has_one = self.each_year || self.period == Period::year(year);
        (has_one && self.period.contains(year)).then(|| Self {
            period: Period::year(year),
            each_year: false,
            ..self.clone()
        })
    }
}

/// Whether the lower bound of a tier is one of the thresholds that plans draw: 500万, 1亿, 10亿, 50亿, 100亿元.
const fn is_threshold(tier: InvestmentTier) -> bool {
    match tier {
        InvestmentTier::Under5m | InvestmentTier::Undetermined => false,
        InvestmentTier::From5m
        | InvestmentTier::From100m
        | InvestmentTier::From1b
        | InvestmentTier::From5b
        | InvestmentTier::From10b => true,
    }
}

#[cfg(test)]
mod tests;
