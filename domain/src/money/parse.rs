//! Reading amounts: strictly, as the API writes them, and generously, as people write them.

use super::{Money, MoneyError, MoneyUnit};

impl Money {
    /// Reads the form of the API: 元 as ASCII digits, with a point and one or two decimals if wanted.
    /// No sign, blank, separator or exponent.
    ///
    /// # Errors
    /// A [`MoneyError`] that says which rule the text breaks.
    pub fn parse_yuan(text: &str) -> Result<Money, MoneyError> {
        if text.trim().is_empty() {
            return Err(MoneyError::Empty);
        }
        let (negative, digits) = split_sign(text);
        let (whole, fraction) = split_point(digits)?;
        if !is_digits(whole) {
            return Err(MoneyError::NotANumber);
        }
        if negative {
            return Err(MoneyError::Negative);
        }
        compose(whole, fraction, MoneyUnit::Yuan)
    }

    /// Reads an amount as people write it: full-width characters, thousands separators
    /// (comma, apostrophe, underscore or space) between groups of three digits, and a unit of its own
    /// (元, 万, 万元, 亿, 亿元), which overrides `unit`. Exact: what is finer than a 分 is refused,
    /// never rounded; zeros at the end are not finer.
    ///
    /// # Errors
    /// A [`MoneyError`] that says which rule the text breaks.
    pub fn parse_text(text: &str, unit: MoneyUnit) -> Result<Money, MoneyError> {
        let text: String = text.trim().chars().map(narrow).collect();
        if text.is_empty() {
            return Err(MoneyError::Empty);
        }
        let (number, unit) = split_unit(&text, unit);
        let (negative, digits) = split_sign(number);
        let (whole, fraction) = split_point(digits)?;
        let whole = ungroup(whole)?;
        if negative {
            return Err(MoneyError::Negative);
        }
        compose(&whole, fraction.trim_end_matches('0'), unit)
    }
}

/// Brings full-width characters to ASCII, and every blank that people put into numbers to a plain space.
fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        '\u{2212}' => '-',
        '\u{00A0}' | '\u{2009}' | '\u{202F}' | '\u{3000}' => ' ',
        other => other,
    }
}

/// Takes the unit off the end; without one, `unit` stands.
fn split_unit(text: &str, unit: MoneyUnit) -> (&str, MoneyUnit) {
    let suffixes = [
        ("亿元", MoneyUnit::YiYuan),
        ("万元", MoneyUnit::WanYuan),
        ("亿", MoneyUnit::YiYuan),
        ("万", MoneyUnit::WanYuan),
        ("元", MoneyUnit::Yuan),
    ];
    suffixes
        .into_iter()
        .find_map(|(suffix, own)| Some((text.strip_suffix(suffix)?.trim_end(), own)))
        .unwrap_or((text, unit))
}

/// Takes a minus off the front, and says whether there was one.
fn split_sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    }
}

/// Parts a number at its point. The whole part is not looked at; the fraction is all digits, and empty
/// only where there is no point.
fn split_point(text: &str) -> Result<(&str, &str), MoneyError> {
    match text.split_once('.') {
        Some((whole, fraction)) if is_digits(fraction) => Ok((whole, fraction)),
        Some(_) => Err(MoneyError::NotANumber),
        None => Ok((text, "")),
    }
}

/// Takes the thousands separators out of a whole number: one kind of separator throughout, groups of
/// three. `1,23` and `12 5` are more likely slips than numbers.
fn ungroup(whole: &str) -> Result<String, MoneyError> {
    let Some(separator) = whole.chars().find(|c| [',', '\'', '_', ' '].contains(c)) else {
        return if is_digits(whole) {
            Ok(whole.to_owned())
        } else {
            Err(MoneyError::NotANumber)
        };
    };
    let mut groups = whole.split(separator);
    let first_fits = groups.next().is_some_and(|g| is_digits(g) && g.len() <= 3);
    if first_fits && groups.all(|g| is_digits(g) && g.len() == 3) {
        Ok(whole.replace(separator, ""))
    } else {
        Err(MoneyError::NotANumber)
    }
}

/// Puts digits and the digits of a fraction together as 分, by moving the point.
fn compose(whole: &str, fraction: &str, unit: MoneyUnit) -> Result<Money, MoneyError> {
    if fraction.len() > unit.decimals() {
        return Err(MoneyError::TooPrecise);
    }
    let fen = format!("{whole}{fraction:0<width$}", width = unit.decimals());
    // Only digits are left: an overflow is all that can fail.
    let fen = fen.parse().map_err(|_| MoneyError::TooLarge)?;
    Money::from_fen(fen)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn strict(text: &str) -> Result<i64, MoneyError> {
        Money::parse_yuan(text).map(Money::fen)
    }

    fn written(text: &str) -> Result<i64, MoneyError> {
        Money::parse_text(text, MoneyUnit::Yuan).map(Money::fen)
    }

    #[test]
    fn the_api_takes_yuan_with_up_to_two_decimals() {
        let accepted = [
            ("0", 0),
            ("5000000", 500_000_000),
            ("12.6", 1_260),
            ("0.01", 1),
            ("007.50", 750),
            ("1000000000000000.00", Money::MAX.fen()),
        ];
        for (text, fen) in accepted {
            assert_eq!(strict(text), Ok(fen), "{text:?}");
        }
    }

    #[test]
    fn the_api_takes_no_other_form() {
        let not_numbers = [
            "abc",
            "+5",
            "5.",
            ".5",
            ".",
            "-",
            "--5",
            "1e6",
            "1,000",
            "1 000",
            " 5",
            "5 ",
            "5\n",
            "５",
            "5元",
            "0x10",
            "1.2.3",
            "NaN",
            "∞",
            "1_000",
            "5\u{200B}",
        ];
        for text in not_numbers {
            assert_eq!(strict(text), Err(MoneyError::NotANumber), "{text:?}");
        }
        for text in ["", " ", "\u{3000}"] {
            assert_eq!(strict(text), Err(MoneyError::Empty), "{text:?}");
        }
        for text in ["-5", "-0.01", "-1.005"] {
            assert_eq!(strict(text), Err(MoneyError::Negative), "{text:?}");
        }
        for text in ["0.001", "5.000"] {
            assert_eq!(strict(text), Err(MoneyError::TooPrecise), "{text:?}");
        }
        for text in [
            "1000000000000000.01",
            "99999999999999999999999999",
            "92233720368547758.08",
        ] {
            assert_eq!(strict(text), Err(MoneyError::TooLarge), "{text:?}");
        }
    }

    #[test]
    fn people_write_units_and_they_are_exact() {
        let accepted = [
            ("12.6亿元", 126_000_000_000),
            ("12.6 亿", 126_000_000_000),
            ("0.00000001亿元", 100),
            ("0.0000000001亿元", 1),
            ("500万", 500_000_000),
            ("500.000001万元", 500_000_001),
            ("5元", 500),
            ("5", 500),
            ("837.12345678亿", 8_371_234_567_800),
            ("10000000亿元", Money::MAX.fen()),
        ];
        for (text, fen) in accepted {
            assert_eq!(written(text), Ok(fen), "{text:?}");
        }
    }

    #[test]
    fn a_unit_in_the_text_overrides_the_unit_of_the_column() {
        let read = |text| Money::parse_text(text, MoneyUnit::WanYuan).map(Money::fen);
        assert_eq!(read("12.6"), Ok(12_600_000));
        assert_eq!(read("12.6万元"), Ok(12_600_000));
        assert_eq!(read("12.6亿元"), Ok(126_000_000_000));
        assert_eq!(read("12.6元"), Ok(1_260));
    }

    #[test]
    fn full_width_characters_are_read() {
        assert_eq!(written("１，２３４，５６７．８９"), Ok(123_456_789));
        assert_eq!(
            written("\u{3000}１２．６\u{3000}亿元 "),
            Ok(126_000_000_000)
        );
    }

    #[test]
    fn separators_stand_between_groups_of_three() {
        for text in [
            "1,234,567.89",
            "1，234,567.89",
            "1'234'567.89",
            "1_234_567.89",
            "1 234 567.89",
            "1\u{3000}234\u{3000}567.89",
            "1\u{00A0}234\u{00A0}567.89",
        ] {
            assert_eq!(written(text), Ok(123_456_789), "{text:?}");
        }
        for text in [
            "1,23",
            "1234,567",
            "1,,234",
            ",123",
            "123,",
            "1,234 567",
            "1.234,567",
            "0.123,456",
            "12 5",
            "1\t234",
            "1\n234",
            "1,234-",
        ] {
            assert_eq!(written(text), Err(MoneyError::NotANumber), "{text:?}");
        }
    }

    #[test]
    fn what_is_finer_than_a_fen_is_refused_and_never_rounded() {
        for text in ["0.001", "0.0000001万元", "0.00000000001亿元", "1.005元"] {
            assert_eq!(written(text), Err(MoneyError::TooPrecise), "{text:?}");
        }
        assert_eq!(
            written("12.50000"),
            Ok(1_250),
            "zeros at the end are not finer"
        );
    }

    #[test]
    fn what_people_write_is_refused_for_what_is_wrong_with_it() {
        for text in ["", " ", "\u{3000}\u{00A0}"] {
            assert_eq!(written(text), Err(MoneyError::Empty), "{text:?}");
        }
        for text in ["-5", "－５万元", "−1,234"] {
            assert_eq!(written(text), Err(MoneyError::Negative), "{text:?}");
        }
        for text in [
            "亿元",
            "50亿元以上",
            "约5亿",
            "1万亿",
            "1e6",
            "5美元",
            "+5",
            "- 5",
            "（5）",
        ] {
            assert_eq!(written(text), Err(MoneyError::NotANumber), "{text:?}");
        }
        for text in ["10000000.0000000001亿元", "99999999999999999999万元"] {
            assert_eq!(written(text), Err(MoneyError::TooLarge), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_readers_panic(
            text in "[-+０-９0-9.．,， '_\u{3000}亿万元a]{0,24}",
            anything in any::<String>(),
        ) {
            for text in [text, anything] {
                if let Ok(amount) = Money::parse_yuan(&text) {
                    prop_assert_eq!(Money::parse_text(&text, MoneyUnit::Yuan), Ok(amount));
                }
                let _ = Money::parse_text(&text, MoneyUnit::YiYuan);
            }
        }
    }
}
