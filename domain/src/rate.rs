//! Rates (率): what was reached of what was to be reached, exactly, and nothing where there is nothing to reach.

use std::fmt;

use crate::money::Total;

/// One quantity by another (率): both in 分, or both counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// What was reached; none if not told.
    pub numerator: Option<i128>,
    /// What was to be reached; none if not told.
    pub denominator: Option<i128>,
}

impl Rate {
    /// Whether there is anything to measure by: a denominator that is told and above zero. Without it a rate is
    /// "not applicable" (不适用), never 0 % or 100 %.
    #[must_use]
    pub fn is_applicable(self) -> bool {
        self.denominator.is_some_and(|denominator| denominator > 0)
    }

    /// The rate, rounded half up to two decimals; none if it is not applicable, if what was reached is not told, and
    /// beyond what an i128 holds (some 10^33 分).
    #[must_use]
    pub fn percent(self) -> Option<Percent> {
        let denominator = self.denominator.filter(|denominator| *denominator > 0)?;
        let twice = denominator.checked_mul(2)?;
        let doubled = self.numerator?.checked_mul(2 * Percent::ONE)?;
        let rounded = doubled.checked_add(denominator)?.div_euclid(twice);
        Some(Percent(rounded))
    }
}

/// A rate over the projects of which both of its sides are told (率及其覆盖的项目): of the others, what is told of one
/// side belongs to neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Covered {
    /// How many projects.
    pub projects: u64,
    /// What they reached.
    pub numerator: Total,
    /// What they were to reach.
    pub denominator: Total,
}

impl Covered {
    /// The rates of two disjoint sets of projects together.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        // 10^17 分 a project at most: an i128 holds more of them than there will be.
        let sum = |a: Total, b: Total| Total::from_fen(a.fen() + b.fen());
        Self {
            projects: self.projects + other.projects,
            numerator: sum(self.numerator, other.numerator),
            denominator: sum(self.denominator, other.denominator),
        }
    }

    /// The rate, of which nothing is told where no project is covered.
    #[must_use]
    pub fn rate(self) -> Rate {
        let told = |sum: Total| (self.projects > 0).then_some(sum.fen());
        Rate {
            numerator: told(self.numerator),
            denominator: told(self.denominator),
        }
    }
}

/// A percentage (百分比) with two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(i128);

impl Percent {
    /// What a rate of one is, in hundredths of a percent.
    const ONE: i128 = 100 * 100;

    /// So many hundredths of a percent.
    #[must_use]
    pub const fn from_hundredths(hundredths: i128) -> Self {
        Self(hundredths)
    }

    /// The percentage in hundredths of a percent: 1234 is 12.34 %.
    #[must_use]
    pub const fn hundredths(self) -> i128 {
        self.0
    }
}

/// The number with two decimals and without a sign of percent: `12.34`.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.unsigned_abs();
        let digits = format!("{}.{:02}", size / 100, size % 100);
        f.pad_integral(self.0 >= 0, "", &digits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(numerator: i128, denominator: i128) -> Option<String> {
        let rate = Rate {
            numerator: Some(numerator),
            denominator: Some(denominator),
        };
        rate.percent().map(|percent| percent.to_string())
    }

    #[test]
    fn a_rate_has_two_decimals_and_is_rounded_half_up() {
        for (numerator, denominator, expected) in [
            (0, 1, "0.00"),
            (1, 1, "100.00"),
            (1, 3, "33.33"),
            (2, 3, "66.67"),
            (3, 2, "150.00"),
            (175, 502, "34.86"),
            // 0.005 % and the least that is under it.
            (1, 20_000, "0.01"),
            (4_999, 100_000_000, "0.00"),
            (99_995, 100_000, "100.00"),
            (99_994, 100_000, "99.99"),
            (-1, 3, "-33.33"),
            (-1, 2_000, "-0.05"),
            (-1, 20_000, "0.00"),
        ] {
            let told = told(numerator, denominator);
            assert_eq!(told.as_deref(), Some(expected), "{numerator}/{denominator}");
        }
    }

    #[test]
    fn an_empty_denominator_is_not_applicable_and_never_a_number() {
        for denominator in [None, Some(0), Some(-1)] {
            for numerator in [None, Some(0), Some(1)] {
                let rate = Rate {
                    numerator,
                    denominator,
                };
                assert!(!rate.is_applicable());
                assert_eq!(rate.percent(), None);
            }
        }
    }

    #[test]
    fn over_no_project_a_rate_tells_nothing() {
        assert_eq!(Covered::default().rate(), Rate::default());
        let one = Covered {
            projects: 1,
            numerator: Total::from_fen(25),
            denominator: Total::from_fen(100),
        };
        let idle = Covered {
            numerator: Total::ZERO,
            ..one
        };
        let both = one.join(idle).join(Covered::default());
        assert_eq!(both.projects, 2);
        let percent = both.rate().percent().unwrap();
        assert_eq!(percent.to_string(), "12.50");
    }

    #[test]
    fn a_numerator_that_is_not_told_makes_no_zero() {
        let rate = Rate {
            numerator: None,
            denominator: Some(5),
        };
        assert!(rate.is_applicable());
        assert_eq!(rate.percent(), None);
    }

    #[test]
    fn what_can_not_be_held_is_not_told_wrong() {
        assert_eq!(told(i128::MAX, 1), None);
        assert_eq!(told(1, i128::MAX), None);
        let most = i128::MAX / 20_001;
        assert_eq!(told(most, most).as_deref(), Some("100.00"));
    }

    proptest! {
        #[test]
        fn a_percentage_is_within_half_a_hundredth(n in 0..10_i128.pow(20), d in 1..10_i128.pow(20)) {
            let rate = Rate { numerator: Some(n), denominator: Some(d) };
            let told = rate.percent().unwrap().hundredths();
            // told - 1/2 <= n * 10^4 / d < told + 1/2, but for the side that is rounded up.
            let off = 2 * (told * d - n * 10_000);
            prop_assert!(-d < off && off <= d, "{told}");
        }
    }
}
