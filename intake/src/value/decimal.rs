//! Decimal numbers as digits: nothing here is computed with a float.

use domain::money::{Money, MoneyError};

use crate::document::FaultCode;

/// The digits that a spreadsheet keeps of a number; what a double has beyond them is left over from its computing.
const DIGITS: usize = 15;
/// The longest number that is read, in characters.
const LONGEST: usize = 60;

/// A decimal number: its digits, without needless zeros, and how many of them stand behind the point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decimal {
    negative: bool,
    digits: String,
    scale: i32,
}

impl Decimal {
    /// The number that a spreadsheet shows for a double: 15 significant digits. None for what is no number.
    pub(crate) fn of_double(number: f64) -> Option<Self> {
        if !number.is_finite() {
            return None;
        }
        let text = format!("{number:.precision$e}", precision = DIGITS - 1);
        let (mantissa, exponent) = text.split_once('e')?;
        let exponent: i32 = exponent.parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.')?;
        let negative = whole.starts_with('-');
        let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        Some(Self::trimmed(negative, &digits, scale))
    }

    /// Reads ASCII digits, with a sign, a point and thousands separators (one kind, groups of three) if wanted.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (negative, text) = match text.strip_prefix(['-', '+']) {
            Some(rest) => (text.starts_with('-'), rest.trim_start()),
            None => (false, text),
        };
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) if is_digits(fraction) => (whole, fraction),
            Some(_) => return None,
            None => (text, ""),
        };
        let digits = format!("{}{fraction}", ungrouped(whole)?);
        Some(Self::trimmed(
            negative,
            &digits,
            i32::try_from(fraction.len()).ok()?,
        ))
    }

    /// Without zeros before the digits, and without those at the end of a fraction.
    fn trimmed(negative: bool, digits: &str, scale: i32) -> Self {
        let mut digits = digits.trim_start_matches('0').to_owned();
        let mut scale = scale;
        while scale > 0 && digits.ends_with('0') {
            digits.pop();
            scale -= 1;
        }
        if digits.is_empty() {
            scale = 0;
        }
        Self {
            negative: negative && !digits.is_empty(),
            digits,
            scale,
        }
    }

    /// The number with the point moved to the right by so many places.
    pub(crate) fn shifted(&self, places: i32) -> Self {
        Self::trimmed(
            self.negative,
            &self.digits,
            self.scale.saturating_sub(places),
        )
        .settled()
    }

    /// With a scale of at least zero where that takes only a few zeros.
    fn settled(mut self) -> Self {
        while self.scale < 0 && self.digits.len() < LONGEST && !self.digits.is_empty() {
            self.digits.push('0');
            self.scale += 1;
        }
        self
    }

    pub(crate) const fn is_negative(&self) -> bool {
        self.negative
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// How many digits stand behind the point.
    pub(crate) fn decimals(&self) -> usize {
        usize::try_from(self.scale).unwrap_or(0)
    }

    /// The number as people write it, without an exponent.
    pub(crate) fn plain(&self) -> String {
        let sign = if self.negative { "-" } else { "" };
        let Ok(scale) = usize::try_from(self.scale) else {
            let zeros = usize::try_from(self.scale.unsigned_abs()).unwrap_or(0);
            return format!("{sign}{}{}", self.digits, "0".repeat(zeros));
        };
        if scale == 0 {
            let whole = if self.digits.is_empty() {
                "0"
            } else {
                &self.digits
            };
            return format!("{sign}{whole}");
        }
        let padded = format!("{:0>width$}", self.digits, width = scale + 1);
        let (whole, fraction) = padded.split_at(padded.len() - scale);
        format!("{sign}{whole}.{fraction}")
    }

    /// The number as an amount, itself in 元.
    pub(crate) fn money(&self) -> Result<Money, FaultCode> {
        if self.negative {
            return Err(FaultCode::Negative);
        }
        let number = self.clone().settled();
        if number.scale < 0 {
            return Err(FaultCode::TooLarge);
        }
        if number.decimals() > 2 {
            return Err(FaultCode::TooPrecise);
        }
        Money::parse_yuan(&number.plain()).map_err(|error| match error {
            MoneyError::TooLarge => FaultCode::TooLarge,
            MoneyError::Negative => FaultCode::Negative,
            MoneyError::TooPrecise => FaultCode::TooPrecise,
            MoneyError::Empty | MoneyError::NotANumber => FaultCode::NotAnAmount,
        })
    }
}

/// Takes the thousands separators out of a whole number: `1,23` and `12 5` are more likely slips than numbers.
fn ungrouped(whole: &str) -> Option<String> {
    let Some(separator) = whole.chars().find(|c| [',', '\'', '_', ' '].contains(c)) else {
        return is_digits(whole).then(|| whole.to_owned());
    };
    let mut groups = whole.split(separator);
    let first_fits = groups.next().is_some_and(|g| is_digits(g) && g.len() <= 3);
    let fits = first_fits && groups.all(|g| is_digits(g) && g.len() == 3);
    fits.then(|| whole.replace(separator, ""))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(number: f64) -> String {
        Decimal::of_double(number).unwrap().plain()
    }

    #[test]
    fn a_double_is_the_number_that_the_spreadsheet_shows() {
        for (number, text) in [
            (12.6, "12.6"),
            (12.600_000_000_000_001, "12.6"),
            (0.1 + 0.2, "0.3"),
            (0.0, "0"),
            (-0.0, "0"),
            (-5.25, "-5.25"),
            (2023.1, "2023.1"),
            (123_456.0, "123456"),
            (1e15, "1000000000000000"),
            (1e17, "100000000000000000"),
            (0.000_001, "0.000001"),
            (1.0 / 3.0, "0.333333333333333"),
        ] {
            assert_eq!(shown(number), text);
        }
        assert_eq!(Decimal::of_double(f64::NAN), None);
        assert_eq!(Decimal::of_double(f64::INFINITY), None);
        assert!(shown(f64::MAX).starts_with("179769313486232"));
    }

    #[test]
    fn separators_stand_between_groups_of_three() {
        for text in ["1,234,567.5", "1 234 567.5", "1'234'567.5"] {
            assert_eq!(Decimal::parse(text).unwrap().plain(), "1234567.5");
        }
        for text in [
            "1,23",
            "12 5",
            "1,,234",
            ",123",
            "1,234 567",
            "1.",
            ".5",
            "",
            "1.2.3",
            "--1",
            "1e6",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_moved_point_keeps_every_digit() {
        let moved = |text: &str, places| Decimal::parse(text).unwrap().shifted(places).plain();
        assert_eq!(moved("12.6", 8), "1260000000");
        assert_eq!(moved("0.0000000001", 8), "0.01");
        assert_eq!(moved("85", -2), "0.85");
        assert_eq!(moved("0", 8), "0");
    }
}
