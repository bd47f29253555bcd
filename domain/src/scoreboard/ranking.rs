//! Scores, totals, ranks and lists.

use std::cmp::Ordering;
use std::fmt;

use super::figures::Reading;
use super::scheme::{Rule, Scheme};
use crate::coded::coded_enum;

/// A quantity that is never negative, exactly and in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    numerator: i128,
    denominator: i128,
}

impl Ratio {
    /// The greatest part that a ratio may have: so many times as it is multiplied by to score it, it still fits.
    const MAX: i128 = i128::MAX / (4 * Score::STEPS);
    /// A unit has so many of the least parts that are told.
    const TOLD: i128 = 10_000;

    /// One number by another; none if that is not positive, if the first is negative, or beyond all amounts.
    #[must_use]
    pub fn new(numerator: i128, denominator: i128) -> Option<Self> {
        if numerator < 0 || denominator < 1 {
            return None;
        }
        let common = greatest_common(numerator, denominator);
        let ratio = Self {
            numerator: numerator / common,
            denominator: denominator / common,
        };
        (ratio.numerator.max(ratio.denominator) <= Self::MAX).then_some(ratio)
    }

    /// Per so many parts of a unit; none if there are none, or beyond all amounts.
    pub(super) fn per(self, parts: i128, unit: i128) -> Option<Self> {
        let numerator = self.numerator.checked_mul(unit)?;
        Self::new(numerator, self.denominator.checked_mul(parts)?)
    }

    /// Whether it is nothing.
    const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    fn times(self, factor: i128) -> (i128, i128) {
        (self.numerator.saturating_mul(factor), self.denominator)
    }
}

/// With four decimals, rounded half up.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (parts, of) = self.times(2 * Self::TOLD);
        let rounded = parts.saturating_add(of) / of.saturating_mul(2);
        write!(f, "{}.{:04}", rounded / Self::TOLD, rounded % Self::TOLD)
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.times(1), other.times(1))
    }
}

fn greatest_common(a: i128, b: i128) -> i128 {
    if a == 0 { b } else { greatest_common(b % a, a) }
}

/// Holds two fractions against each other without multiplying across, which might not fit: first what is whole of
/// them, and where that is the same, what is left of them, upside down.
fn compare(one: (i128, i128), other: (i128, i128)) -> Ordering {
    let whole = (one.0 / one.1).cmp(&(other.0 / other.1));
    if whole.is_ne() {
        return whole;
    }
    let left = (one.0 % one.1, other.0 % other.1);
    match left {
        (0, 0) => Ordering::Equal,
        (0, _) => Ordering::Less,
        (_, 0) => Ordering::Greater,
        (of_one, of_other) => compare((other.1, of_other), (one.1, of_one)),
    }
}

/// A score (得分) from 0 to 100, in hundredths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Score(u32);

impl Score {
    /// What the best region has.
    pub const BEST: Self = Self(10_000);
    /// How many steps there are from nothing to the best.
    const STEPS: i128 = 10_000;

    /// So many hundredths; none beyond the best.
    #[must_use]
    pub fn from_hundredths(hundredths: i64) -> Option<Self> {
        let score = u32::try_from(hundredths).ok().map(Self)?;
        (score <= Self::BEST).then_some(score)
    }

    /// In hundredths.
    #[must_use]
    pub const fn hundredths(self) -> u32 {
        self.0
    }

    /// What a value is worth beside the best, which is not nothing and not less: a hundred times one by the other,
    /// rounded half up to two decimals.
    fn of(value: Ratio, best: Ratio) -> Self {
        // The highest score whose lower edge, half a step below it, is reached.
        let is_reached = |score: u32| {
            let edge = 2 * i128::from(score) - 1;
            compare(best.times(edge), value.times(2 * Self::STEPS)).is_le()
        };
        let (mut reached, mut beyond) = (0, Self::BEST.0 + 1);
        while beyond - reached > 1 {
            let middle = reached.midpoint(beyond);
            if is_reached(middle) {
                reached = middle;
            } else {
                beyond = middle;
            }
        }
        Self(reached)
    }

    /// The mean of weighed scores, rounded half up to two decimals; none without any.
    fn mean(weighed: &[(u32, Self)]) -> Option<Self> {
        let weights: u64 = weighed.iter().map(|(weight, _)| u64::from(*weight)).sum();
        let scores = weighed.iter();
        let sum: u64 = scores
            .map(|(weight, score)| u64::from(*weight) * u64::from(score.0))
            .sum();
        let doubled = (2 * sum + weights).checked_div(2 * weights)?;
        u32::try_from(doubled).ok().map(Self)
    }
}

/// With two decimals.
impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

coded_enum! {
    /// How an indicator counts for a region (计分情况).
    pub enum State {
        /// It has a score.
        Scored => "scored", "计分", "scored";
        /// What it would be is not known, so it has none: its weight is left out for this region.
        Unknown => "unknown", "数据未知，不计分", "not known, so not scored";
        /// There is nothing to measure by, here or, where even the best is nothing, anywhere.
        NotApplicable => "not_applicable", "不适用", "not applicable";
    }
}

/// Where a region stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Of each item of the scheme, in its order: how it counts, and its score if it has one.
    pub scores: Vec<(State, Option<Score>)>,
    /// What the items that have a score weigh together.
    pub weight: u32,
    /// The mean of the scores by weight, rounded half up; none without any.
    pub total: Option<Score>,
    /// Its place: one more than there are regions with a higher total. Equal totals share one, and the next ones are
    /// left out (1, 2, 2, 4).
    pub rank: Option<u32>,
    /// Whether it is on the red list (红榜).
    pub is_red: bool,
    /// Whether it is on the black list (黑榜).
    pub is_black: bool,
}

/// Ranks regions by what is scored of each: the readings of one region for each item of the scheme.
///
/// The best value of an item is worth 100. Where the best is nothing, the item is left out for everybody; where a value
/// is not known or not applicable, for that region alone. Who has the lowest total of all is never on the red list, and
/// who has the highest never on the black one; who would be on both otherwise is on neither. So nobody is on any where
/// there is nothing to compare.
#[must_use]
pub fn rank(scheme: &Scheme, regions: &[Vec<Reading<Ratio>>]) -> Vec<Standing> {
    let mut standings = vec![Standing::default(); regions.len()];
    for (place, item) in scheme.items().iter().enumerate() {
        let of = |readings: &Vec<Reading<Ratio>>| {
            readings.get(place).copied().unwrap_or(Reading::Unknown)
        };
        let best = regions
            .iter()
            .filter_map(|readings| of(readings).known())
            .max();
        for (standing, readings) in standings.iter_mut().zip(regions) {
            let scored = match (of(readings), best) {
                (Reading::Known(value), Some(best)) if !best.is_zero() => {
                    (State::Scored, Some(Score::of(value, best)))
                }
                (Reading::Known(_) | Reading::NotApplicable, _) => (State::NotApplicable, None),
                (Reading::Unknown, _) => (State::Unknown, None),
            };
            if scored.1.is_some() {
                standing.weight += item.weight;
            }
            standing.scores.push(scored);
        }
    }
    for standing in &mut standings {
        let scores = scheme.items().iter().zip(&standing.scores);
        let weighed: Vec<(u32, Score)> = scores
            .filter_map(|(item, (_, score))| Some((item.weight, (*score)?)))
            .collect();
        standing.total = Score::mean(&weighed);
    }
    put_on_lists(scheme, &mut standings);
    standings
}

fn put_on_lists(scheme: &Scheme, standings: &mut [Standing]) {
    let totals: Vec<Score> = standings
        .iter()
        .filter_map(|standing| standing.total)
        .collect();
    let (highest, lowest) = (totals.iter().max().copied(), totals.iter().min().copied());
    let place = |is_before: &dyn Fn(&Score) -> bool| {
        let before = totals.iter().filter(|other| is_before(other)).count();
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    };
    for standing in standings {
        let Some(total) = standing.total else {
            continue;
        };
        let from_top = place(&|other| *other > total);
        let from_bottom = place(&|other| *other < total);
        standing.rank = Some(from_top);
        let meets = |rule: Option<Rule>, place: u32, is_of: &dyn Fn(Score) -> bool| {
            rule.is_some_and(|rule| {
                rule.places.is_none_or(|places| place <= places) && rule.score.is_none_or(is_of)
            })
        };
        let red = meets(scheme.red(), from_top, &|least| total >= least);
        let black = meets(scheme.black(), from_bottom, &|bound| total < bound);
        let (red, black) = (
            red && Some(total) != lowest,
            black && Some(total) != highest,
        );
        standing.is_red = red && !black;
        standing.is_black = black && !red;
    }
}

/// By how many places a region has come up since another ranking; below zero, gone down. None where it has no place in
/// one of them.
#[must_use]
pub fn change(before: Option<u32>, now: Option<u32>) -> Option<i64> {
    Some(i64::from(before?) - i64::from(now?))
}
