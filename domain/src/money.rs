//! Amounts of money (金额): whole 分, exact, checked, and never through a float.

mod parse;
mod total;

use std::fmt;

pub use total::Total;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One amount (金额) in 分: never negative, at most [`Money::MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

impl Money {
    /// Nothing: 0 元. It is an amount that is known, not one that is missing.
    pub const ZERO: Money = Money(0);

    /// The largest single amount: 10^15 元, 10^17 分.
    pub const MAX: Money = Money(100_000_000_000_000_000);

    /// The amount of so many 分.
    ///
    /// # Errors
    /// [`MoneyError::Negative`] below zero, [`MoneyError::TooLarge`] above [`Money::MAX`].
    pub const fn from_fen(fen: i64) -> Result<Money, MoneyError> {
        if fen < 0 {
            Err(MoneyError::Negative)
        } else if fen > Self::MAX.0 {
            Err(MoneyError::TooLarge)
        } else {
            Ok(Money(fen))
        }
    }

    /// The amount of so many 元, for constants of the program; what comes from outside is parsed.
    ///
    /// # Panics
    /// If the amount is out of range: in a `const`, that is an error of the compiler.
    #[must_use]
    pub const fn from_yuan(yuan: i64) -> Money {
        assert!(
            0 <= yuan && yuan <= Self::MAX.0 / 100,
            "a constant amount must be in range"
        );
        Money(yuan * 100)
    }

    /// The amount in 分.
    #[must_use]
    pub const fn fen(self) -> i64 {
        self.0
    }

    /// The exact number of units, without the unit's label and without zeros at the end:
    /// `12.6` for 12.6 亿元 in [`MoneyUnit::YiYuan`].
    #[must_use]
    pub fn in_unit(self, unit: MoneyUnit) -> String {
        let whole = self.0 / unit.fen_per_unit();
        let rest = self.0 % unit.fen_per_unit();
        if rest == 0 {
            return whole.to_string();
        }
        let fraction = format!("{rest:0width$}", width = unit.decimals());
        format!("{whole}.{}", fraction.trim_end_matches('0'))
    }

    /// The sum, or `None` above [`Money::MAX`]. A sum over many projects is a [`Total`].
    #[must_use]
    pub fn checked_add(self, other: Money) -> Option<Money> {
        let fen = self.0.checked_add(other.0)?;
        Money::from_fen(fen).ok()
    }

    /// The difference, or `None` below zero.
    #[must_use]
    pub fn checked_sub(self, other: Money) -> Option<Money> {
        let fen = self.0.checked_sub(other.0)?;
        Money::from_fen(fen).ok()
    }
}

/// The form of the API: 元 with two decimals, `5000000.00`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Total::from(*self).fmt(f)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
        let text = String::deserialize(deserializer)?;
        Money::parse_yuan(&text).map_err(de::Error::custom)
    }
}

/// The unit in which an amount is written (计量单位).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MoneyUnit {
    /// 元
    Yuan,
    /// 万元, 10^4 元
    WanYuan,
    /// 亿元, 10^8 元
    YiYuan,
}

impl MoneyUnit {
    /// How many 分 one unit is.
    #[must_use]
    pub const fn fen_per_unit(self) -> i64 {
        match self {
            MoneyUnit::Yuan => 100,
            MoneyUnit::WanYuan => 1_000_000,
            MoneyUnit::YiYuan => 10_000_000_000,
        }
    }

    /// The unit as people write it: 元, 万元 or 亿元.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            MoneyUnit::Yuan => "元",
            MoneyUnit::WanYuan => "万元",
            MoneyUnit::YiYuan => "亿元",
        }
    }

    /// How many decimals reach down to a 分.
    const fn decimals(self) -> usize {
        match self {
            MoneyUnit::Yuan => 2,
            MoneyUnit::WanYuan => 6,
            MoneyUnit::YiYuan => 10,
        }
    }
}

/// Why a text or a number is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Nothing was written. An unknown amount is left out, not written as an empty text.
    #[error("the amount is empty")]
    Empty,
    /// The text is no number in the form that was asked for.
    #[error("the amount is not a number in the accepted form")]
    NotANumber,
    /// The amount is below zero.
    #[error("the amount is negative")]
    Negative,
    /// The amount is finer than a 分; it is not rounded.
    #[error("the amount is finer than a 分 (0.01 元)")]
    TooPrecise,
    /// The amount is above [`Money::MAX`].
    #[error("the amount is above 10^15 元")]
    TooLarge,
}

impl MoneyError {
    /// The stable code of the error, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            MoneyError::Empty => "amount_empty",
            MoneyError::NotANumber => "amount_not_a_number",
            MoneyError::Negative => "amount_negative",
            MoneyError::TooPrecise => "amount_too_precise",
            MoneyError::TooLarge => "amount_too_large",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, I64Deserializer};

    use super::*;

    const UNITS: [MoneyUnit; 3] = [MoneyUnit::Yuan, MoneyUnit::WanYuan, MoneyUnit::YiYuan];

    /// What serde writes for a value that is a plain text.
    struct Written<T>(T);

    impl<T: Serialize> fmt::Display for Written<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.serialize(f)
        }
    }

    fn read(text: &str) -> Result<Money, Error> {
        Money::deserialize(text.into_deserializer())
    }

    #[test]
    fn an_amount_that_a_float_would_lose_comes_back_whole() {
        let text = "123456789012345.67";
        let amount = Money::parse_yuan(text).unwrap();
        assert_eq!(amount.fen(), 12_345_678_901_234_567);
        assert_eq!(amount.to_string(), text);
        assert_eq!(Written(amount).to_string(), text);
        assert_eq!(Written(Total::from(amount)).to_string(), text);
        assert_eq!(read(text), Ok(amount));
    }

    #[test]
    fn an_amount_is_between_zero_and_the_largest() {
        assert_eq!(Money::from_fen(0), Ok(Money::ZERO));
        assert_eq!(Money::from_fen(Money::MAX.fen()), Ok(Money::MAX));
        assert_eq!(Money::from_fen(-1).unwrap_err().code(), "amount_negative");
        assert_eq!(
            Money::from_fen(Money::MAX.fen() + 1).unwrap_err().code(),
            "amount_too_large"
        );
        assert_eq!(Money::MAX, Money::from_yuan(1_000_000_000_000_000));
    }

    #[test]
    fn adding_and_taking_away_stay_within_the_bounds() {
        let fen = Money::from_fen(1).unwrap();
        assert_eq!(Money::MAX.checked_add(fen), None);
        assert_eq!(Money::ZERO.checked_sub(fen), None);
        assert_eq!(fen.checked_sub(fen), Some(Money::ZERO));
    }

    #[test]
    fn an_amount_is_shown_in_a_unit_without_needless_zeros() {
        let shown = |fen, unit| Money::from_fen(fen).unwrap().in_unit(unit);
        assert_eq!(shown(126_000_000_000, MoneyUnit::YiYuan), "12.6");
        assert_eq!(shown(500_000_000, MoneyUnit::WanYuan), "500");
        assert_eq!(shown(500_000_000, MoneyUnit::YiYuan), "0.05");
        assert_eq!(shown(1, MoneyUnit::YiYuan), "0.0000000001");
        assert_eq!(shown(1_250, MoneyUnit::Yuan), "12.5");
        assert_eq!(shown(0, MoneyUnit::WanYuan), "0");
    }

    #[test]
    fn json_takes_texts_only_and_says_what_is_wrong() {
        let error = read("1,000").unwrap_err().to_string();
        assert_eq!(error, "the amount is not a number in the accepted form");
        let number: I64Deserializer<Error> = 5_i64.into_deserializer();
        assert!(Money::deserialize(number).is_err());
    }

    #[test]
    fn a_unit_is_as_many_fen_as_its_decimals_say() {
        for unit in UNITS {
            let one = format!("1{:0width$}", 0, width = unit.decimals());
            assert_eq!(unit.fen_per_unit().to_string(), one);
        }
    }

    proptest! {
        #[test]
        fn every_amount_reads_back_from_every_form(fen in 0..=Money::MAX.fen()) {
            let amount = Money::from_fen(fen).unwrap();
            prop_assert_eq!(Money::parse_yuan(&amount.to_string()), Ok(amount));
            for unit in UNITS {
                let number = amount.in_unit(unit);
                prop_assert_eq!(Money::parse_text(&number, unit), Ok(amount));
                let labelled = format!("{number}{}", unit.label());
                prop_assert_eq!(Money::parse_text(&labelled, MoneyUnit::Yuan), Ok(amount));
            }
        }

        #[test]
        fn adding_and_taking_away_lead_back(a in 0..=Money::MAX.fen(), b in 0..=Money::MAX.fen()) {
            let (a, b) = (Money::from_fen(a).unwrap(), Money::from_fen(b).unwrap());
            match a.checked_add(b) {
                Some(sum) => prop_assert_eq!(sum.checked_sub(b), Some(a)),
                None => prop_assert!(a.fen() + b.fen() > Money::MAX.fen()),
            }
        }
    }
}
