//! Whole numbers, in JSON's sense: 2016.0 is one.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

struct Whole<T>(T);

impl<'de, T: TryFrom<i64>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = serde_json::Number::deserialize(deserializer)?.to_string();
        let digits = text.strip_suffix(".0").unwrap_or(&text);
        let number: Option<i64> = digits.parse().ok();
        number
            .and_then(|number| T::try_from(number).ok())
            .map(Self)
            .ok_or_else(|| D::Error::custom("it has to be a whole number, and not too large"))
    }
}

/// One.
pub(crate) fn one<'de, T: TryFrom<i64>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Whole::deserialize(deserializer).map(|whole| whole.0)
}

/// One, or null.
pub(crate) fn one_or_none<'de, T: TryFrom<i64>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let whole: Option<Whole<T>> = Option::deserialize(deserializer)?;
    Ok(whole.map(|whole| whole.0))
}

/// Several, or null.
pub(crate) fn several_or_none<'de, T: TryFrom<i64>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let some: Option<Vec<Whole<T>>> = Option::deserialize(deserializer)?;
    Ok(some.map(|some| some.into_iter().map(|whole| whole.0).collect()))
}
