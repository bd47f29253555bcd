//! What a scoreboard looks at, and how much each thing weighs (考核办法).

use super::ranking::Score;
use crate::accounting::Line;
use crate::coded::coded_enum;

/// How many indicators there may be.
pub const MAX_ITEMS: usize = 20;
/// The greatest weight.
pub const MAX_WEIGHT: u32 = 1000;
/// The most places that a list may be made of, before ties.
pub const MAX_PLACES: u32 = 100;
/// The most months that what was signed may be given to land.
pub const MAX_LANDING_MONTHS: u32 = 120;

coded_enum! {
    /// What regions are compared by (考核指标).
    pub enum Indicator {
        /// Registered into the reserve in the period (新增谋划).
        Planned => "planned", "新增谋划", "planned";
        /// Signed in the period (签约引进).
        Signed => "signed", "签约引进", "signed";
        /// Landed in the period (培育落地).
        Landed => "landed", "培育落地", "landed";
        /// Approved with funds in the period (争取立项).
        FundsApproved => "funds_approved", "争取立项", "approved with funds";
        /// Started in the period (新建).
        Started => "started", "新建开工", "started";
        /// Completed in the period (竣工).
        Completed => "completed", "竣工", "completed";
        /// Commissioned in the period (投产).
        Commissioned => "commissioned", "投产", "commissioned";
        /// At capacity since the period (达产).
        AtCapacity => "at_capacity", "达产", "at capacity";
        /// What was completed of the investment in the period (完成投资).
        CompletedInvestment => "completed_investment", "完成投资", "completed investment";
        /// What was completed from January to the period's end, of the annual plans of the year (年度投资完成率).
        AnnualPlanRate => "annual_plan_rate", "年度投资完成率", "annual plan completed";
        /// Of those planned to start in the period: started by the end of the year, as far as is known (开工率).
        StartRate => "start_rate", "开工率", "start rate";
        /// Of those signed in the period: landed within the months that are given, as far as is known (落地率).
        LandingRate => "landing_rate", "落地率", "landing rate";
    }
}

coded_enum! {
    /// Whether projects are counted or money is added up (计量方式).
    pub enum Measure {
        /// Projects.
        Count => "count", "项目数", "projects";
        /// Money: of projects, their exact total investment.
        Investment => "investment", "投资额", "investment";
    }
}

coded_enum! {
    /// By what the size of a region is taken out of a value (规模折算).
    pub enum Basis {
        /// By nothing: the value itself.
        None => "none", "不折算", "not normalised";
        /// Per project that the region has in stock.
        Projects => "projects", "每个在库项目", "per project in stock";
        /// Per 亿元 of exact total investment that the region has in stock.
        Investment => "investment", "每亿元在库总投资", "per 100 million yuan in stock";
    }
}

impl Indicator {
    /// What it may be measured by, the usual first.
    #[must_use]
    pub const fn measures(self) -> &'static [Measure] {
        match self {
            Self::Planned
            | Self::Signed
            | Self::Landed
            | Self::FundsApproved
            | Self::Started
            | Self::Completed
            | Self::Commissioned
            | Self::AtCapacity => &[Measure::Count, Measure::Investment],
            Self::CompletedInvestment | Self::AnnualPlanRate => &[Measure::Investment],
            Self::StartRate | Self::LandingRate => &[Measure::Count],
        }
    }

    /// Whether it is a rate, which the size of a region is out of already.
    #[must_use]
    pub const fn is_rate(self) -> bool {
        match self {
            Self::AnnualPlanRate | Self::StartRate | Self::LandingRate => true,
            Self::Planned
            | Self::Signed
            | Self::Landed
            | Self::FundsApproved
            | Self::Started
            | Self::Completed
            | Self::Commissioned
            | Self::AtCapacity
            | Self::CompletedInvestment => false,
        }
    }

    /// The lines of the accounts that it is counted from: what was reached, and what was to be.
    #[must_use]
    pub const fn lines(self) -> &'static [Line] {
        match self {
            Self::Planned => &[Line::Planned],
            Self::Signed | Self::LandingRate => &[Line::Signed],
            Self::Landed => &[Line::Landed],
            Self::FundsApproved => &[Line::FundsApproved],
            Self::Started => &[Line::New],
            Self::Completed => &[Line::Completed],
            Self::Commissioned => &[Line::Commissioned],
            Self::AtCapacity => &[Line::AtCapacity],
            Self::StartRate => &[Line::StartMet, Line::StartPlanned],
            Self::CompletedInvestment | Self::AnnualPlanRate => &[],
        }
    }
}

/// An indicator with its weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is looked at.
    pub indicator: Indicator,
    /// How it is measured.
    pub measure: Measure,
    /// How much it weighs beside the others.
    pub weight: u32,
    /// How the size of a region is taken out.
    pub basis: Basis,
}

/// Who is on a list: whoever meets all that is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// So many places from the top (the red list) or from the bottom (the black list); ties at the edge are all in.
    pub places: Option<u32>,
    /// At least this score (the red list), or less than it (the black list).
    pub score: Option<Score>,
}

/// What a scoreboard looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scheme {
    items: Vec<Item>,
    red: Option<Rule>,
    black: Option<Rule>,
    landing_months: u32,
}

/// What is wrong with a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemeFault {
    /// It has none, or more than [`MAX_ITEMS`].
    NumberOfItems,
    /// The weight of this item is zero or more than [`MAX_WEIGHT`].
    Weight(usize),
    /// This item can't be measured so.
    Measure(usize),
    /// This item is a rate, and is not normalised.
    Normalised(usize),
    /// This item says the same as one before it.
    Duplicate(usize),
    /// The red rule says nothing.
    RedSaysNothing,
    /// The black rule says nothing.
    BlackSaysNothing,
    /// The red rule has no place, or more than [`MAX_PLACES`].
    RedPlaces,
    /// The black rule has no place, or more than [`MAX_PLACES`].
    BlackPlaces,
    /// What was signed is given no month to land, or more than [`MAX_LANDING_MONTHS`].
    LandingMonths,
}

impl Scheme {
    /// A scheme.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn new(
        items: Vec<Item>,
        red: Option<Rule>,
        black: Option<Rule>,
        landing_months: u32,
    ) -> Result<Self, Vec<SchemeFault>> {
        let mut faults = Vec::new();
        if !(1..=MAX_ITEMS).contains(&items.len()) {
            faults.push(SchemeFault::NumberOfItems);
        }
        for (place, item) in items.iter().enumerate() {
            if !(1..=MAX_WEIGHT).contains(&item.weight) {
                faults.push(SchemeFault::Weight(place));
            }
            if !item.indicator.measures().contains(&item.measure) {
                faults.push(SchemeFault::Measure(place));
            }
            if item.indicator.is_rate() && item.basis != Basis::None {
                faults.push(SchemeFault::Normalised(place));
            }
            let says = |item: &Item| (item.indicator, item.measure, item.basis);
            if items
                .iter()
                .take(place)
                .any(|other| says(other) == says(item))
            {
                faults.push(SchemeFault::Duplicate(place));
            }
        }
        let rules = [
            (red, SchemeFault::RedSaysNothing, SchemeFault::RedPlaces),
            (
                black,
                SchemeFault::BlackSaysNothing,
                SchemeFault::BlackPlaces,
            ),
        ];
        for (rule, says_nothing, of_places) in rules {
            if rule == Some(Rule::default()) {
                faults.push(says_nothing);
            }
            let places = rule.and_then(|rule| rule.places);
            if places.is_some_and(|places| !(1..=MAX_PLACES).contains(&places)) {
                faults.push(of_places);
            }
        }
        if !(1..=MAX_LANDING_MONTHS).contains(&landing_months) {
            faults.push(SchemeFault::LandingMonths);
        }
        if faults.is_empty() {
            Ok(Self {
                items,
                red,
                black,
                landing_months,
            })
        } else {
            Err(faults)
        }
    }

    /// The scheme that holds until one is set: the course of a project from 谋划 to 竣工, with the money beside it; the
    /// first two regions are on the red list, the last two on the black one.
    #[must_use]
    pub fn preset() -> Self {
        let count = |indicator, weight| Item {
            indicator,
            measure: Measure::Count,
            weight,
            basis: Basis::None,
        };
        let money = |indicator, weight| Item {
            measure: Measure::Investment,
            ..count(indicator, weight)
        };
        let two = Some(Rule {
            places: Some(2),
            score: None,
        });
        Self {
            items: vec![
                count(Indicator::Planned, 10),
                count(Indicator::Signed, 15),
                count(Indicator::Landed, 15),
                count(Indicator::Started, 20),
                count(Indicator::Completed, 10),
                money(Indicator::CompletedInvestment, 15),
                money(Indicator::AnnualPlanRate, 15),
            ],
            red: two,
            black: two,
            landing_months: 6,
        }
    }

    /// What is looked at, at least one thing.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Who is on the red list (红榜); nobody if there is no rule.
    #[must_use]
    pub const fn red(&self) -> Option<Rule> {
        self.red
    }

    /// Who is on the black list (黑榜); nobody if there is no rule.
    #[must_use]
    pub const fn black(&self) -> Option<Rule> {
        self.black
    }

    /// Within how many months what was signed has to land.
    #[must_use]
    pub const fn landing_months(&self) -> u32 {
        self.landing_months
    }
}
