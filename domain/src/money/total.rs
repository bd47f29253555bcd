//! Sums of amounts.

use std::fmt;
use std::iter::Sum;

use serde::{Serialize, Serializer};

use super::{Money, MoneyUnit};

/// An exact sum of amounts (合计) in 分: it may be above [`Money::MAX`], and a difference may be below zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Total(i128);

impl Total {
    /// The sum of nothing.
    pub const ZERO: Total = Total(0);

    /// The sum of so many 分.
    #[must_use]
    pub const fn from_fen(fen: i128) -> Total {
        Total(fen)
    }

    /// Joins two sums that a database took apart so that neither overflows:
    /// `high`, of `fen / 10^9`, and `low`, of `fen % 10^9`.
    #[must_use]
    pub fn from_parts(high: i64, low: i64) -> Total {
        Total(i128::from(high) * 1_000_000_000 + i128::from(low))
    }

    /// The sum in 分.
    #[must_use]
    pub const fn fen(self) -> i128 {
        self.0
    }

    /// The number of units with two decimals, rounded half up (四舍五入): `12.35` for 12.345 万元.
    #[must_use]
    pub fn rounded(self, unit: MoneyUnit) -> String {
        // A hundredth of a unit is to the unit what a 分 is to a 元.
        let hundredth = i128::from(unit.fen_per_unit() / 100);
        let (whole, rest) = (self.0.div_euclid(hundredth), self.0.rem_euclid(hundredth));
        let rounded = whole + i128::from(hundredth > 1 && rest >= hundredth / 2);
        Total(rounded).to_string()
    }

    /// The sum of both, or `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Total) -> Option<Total> {
        self.0.checked_add(other.0).map(Total)
    }

    /// The difference, which may be negative, or `None` on overflow.
    #[must_use]
    pub fn checked_sub(self, other: Total) -> Option<Total> {
        self.0.checked_sub(other.0).map(Total)
    }
}

impl From<Money> for Total {
    fn from(amount: Money) -> Total {
        Total(i128::from(amount.0))
    }
}

/// An i128 holds the sum of 10^21 of the largest amounts, so this cannot overflow.
impl Sum<Money> for Total {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Total {
        Total(amounts.map(|amount| i128::from(amount.0)).sum())
    }
}

/// 元 with two decimals, `-0.05`.
impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fen = self.0.unsigned_abs();
        let digits = format!("{}.{:02}", fen / 100, fen % 100);
        f.pad_integral(self.0 >= 0, "", &digits)
    }
}

impl Serialize for Total {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_sum_may_be_above_the_largest_amount() {
        let total: Total = [Money::MAX; 1_000].into_iter().sum();
        assert_eq!(total.to_string(), "1000000000000000000.00");
        assert_eq!([].into_iter().sum::<Total>(), Total::ZERO);
    }

    #[test]
    fn a_difference_may_be_negative_even_by_a_fen() {
        let shown = |fen| Total::from_fen(fen).to_string();
        assert_eq!(shown(-5), "-0.05");
        assert_eq!(shown(-12_345), "-123.45");
        assert_eq!(shown(0), "0.00");
        assert_eq!(
            Total::ZERO.checked_sub(Total::from_fen(1)),
            Some(Total::from_fen(-1))
        );
    }

    #[test]
    fn people_read_a_rounded_number_of_units() {
        for (fen, yuan, wan, yi) in [
            (0, "0.00", "0.00", "0.00"),
            (1, "0.01", "0.00", "0.00"),
            (4_999, "49.99", "0.00", "0.00"),
            (5_000, "50.00", "0.01", "0.00"),
            (-5_000, "-50.00", "0.00", "0.00"),
            (-5_001, "-50.01", "-0.01", "0.00"),
            (123_450_000, "1234500.00", "123.45", "0.01"),
            (49_999_999, "499999.99", "50.00", "0.00"),
            (50_000_000, "500000.00", "50.00", "0.01"),
            (837_000_000_000, "8370000000.00", "837000.00", "83.70"),
        ] {
            let total = Total::from_fen(fen);
            let told = [MoneyUnit::Yuan, MoneyUnit::WanYuan, MoneyUnit::YiYuan];
            assert_eq!(
                told.map(|unit| total.rounded(unit)),
                [yuan, wan, yi],
                "{fen}"
            );
        }
        for extreme in [i128::MAX, i128::MIN] {
            let exact = Total::from_fen(extreme);
            assert_eq!(exact.rounded(MoneyUnit::Yuan), exact.to_string());
            assert!(exact.rounded(MoneyUnit::YiYuan).len() > 25);
        }
    }

    #[test]
    fn an_overflow_is_no_total() {
        let (max, min) = (Total::from_fen(i128::MAX), Total::from_fen(i128::MIN));
        assert_eq!(max.checked_add(Total::from_fen(1)), None);
        assert_eq!(min.checked_sub(Total::from_fen(1)), None);
        assert_eq!(min.to_string(), "-1701411834604692317316873037158841057.28");
    }

    proptest! {
        #[test]
        fn a_sum_taken_apart_is_the_sum(fen in prop::collection::vec(0..=Money::MAX.fen(), 0..100)) {
            let whole: Total = fen.iter().map(|fen| Money::from_fen(*fen).unwrap()).sum();
            let high = fen.iter().map(|fen| fen / 1_000_000_000).sum();
            let low = fen.iter().map(|fen| fen % 1_000_000_000).sum();
            prop_assert_eq!(Total::from_parts(high, low), whole);
        }

        #[test]
        fn adding_and_taking_away_lead_back(a in any::<i64>(), b in any::<i64>()) {
            let (a, b) = (Total::from_fen(a.into()), Total::from_fen(b.into()));
            prop_assert_eq!(a.checked_add(b).unwrap().checked_sub(b), Some(a));
        }
    }
}
