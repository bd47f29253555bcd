//! Chinese numerals of ordinals and dates (一, 十二, 二〇二三); amounts in them are not read.

/// The digit of a character.
fn digit(c: char) -> Option<u32> {
    "〇一二三四五六七八九"
        .chars()
        .zip(0..)
        .find_map(|(sign, value)| (sign == c).then_some(value))
        .or(match c {
            '零' | '○' | 'Ｏ' | 'O' => Some(0),
            '两' => Some(2),
            _ => None,
        })
}

/// Whether a character may stand in a numeral.
pub(crate) fn is_numeral(c: char) -> bool {
    "一二三四五六七八九十百".contains(c)
}

/// The value of a numeral below a hundred: 九, 十, 十二, 二十, 三十一.
pub(crate) fn small(text: &str) -> Option<u32> {
    let Some((tens, ones)) = text.split_once('十') else {
        let mut chars = text.chars();
        let value = digit(chars.next()?)?;
        return chars.next().is_none().then_some(value);
    };
    let one = |text: &str, none: u32| match text {
        "" => Some(none),
        other => small(other).filter(|value| (1..=9).contains(value)),
    };
    if tens.contains('十') || ones.contains('十') {
        return None;
    }
    Some(one(tens, 1)? * 10 + one(ones, 0)?)
}

/// A date with its numerals as digits: 二〇二三年五月 becomes 2023年5月. None if there is no numeral of that kind in it.
pub(crate) fn date_in_digits(text: &str) -> Option<String> {
    let (year, rest) = text.split_once('年')?;
    let digits: Option<String> = year
        .chars()
        .map(|c| digit(c).and_then(|value| char::from_digit(value, 10)))
        .collect();
    let mut told = format!("{}年", digits.filter(|digits| digits.len() == 4)?);
    let mut rest = rest;
    for sign in ['月', '日'] {
        let Some((number, behind)) = rest.split_once(sign) else {
            break;
        };
        let value = small(number).or_else(|| number.parse().ok())?;
        told.push_str(&value.to_string());
        told.push(sign);
        rest = behind;
    }
    Some(format!("{told}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_below_a_hundred_are_read() {
        for (text, value) in [
            ("一", 1),
            ("九", 9),
            ("十", 10),
            ("十二", 12),
            ("二十", 20),
            ("三十一", 31),
        ] {
            assert_eq!(small(text), Some(value), "{text}");
        }
        for text in ["", "十十", "一二", "百", "港", "二十一十"] {
            assert_eq!(small(text), None, "{text}");
        }
    }

    #[test]
    fn dates_in_numerals_become_digits() {
        assert_eq!(
            date_in_digits("二〇二三年五月"),
            Some("2023年5月".to_owned())
        );
        assert_eq!(
            date_in_digits("二零二四年十二月三十一日"),
            Some("2024年12月31日".to_owned())
        );
        assert_eq!(date_in_digits("2023年5月"), None);
    }
}
