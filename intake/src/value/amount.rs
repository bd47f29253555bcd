//! Amounts as people write them into tables and texts (金额).

mod signs;

use domain::money::Money;
use serde::{Deserialize, Serialize};

use signs::{BEFORE, BEHIND, CURRENCIES, Mark, UNITS, YUAN};

use super::{Decimal, LONGEST, is_unknown, normal};
use crate::coded::coded;
use crate::document::FaultCode;
use crate::unit::Unit;

coded! {
    /// How an amount is meant.
    pub enum Known {
        /// As it stands.
        Exact => "exact",
        /// As the least that it may be: 50亿元以上, 超过50亿元.
        Floor => "floor",
        /// As roughly that: 约50亿元. It is taken as it stands and told.
        Approximate => "approximate",
    }
}

/// An amount, in 元 unless a currency is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// How it is meant.
    pub known: Known,
    /// How much, in units of the currency with two decimals.
    pub amount: Money,
    /// The foreign currency in which it is told (ISO 4217); none for 元.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// Reads an amount as people write it; a unit of its own goes before `unit`. None if it says that nothing is known.
///
/// # Errors
/// What is wrong with it; `unit_unknown` if it has no unit and `unit` is none.
pub fn amount(text: &str, unit: Option<Unit>) -> Result<Option<Amount>, FaultCode> {
    if text.len() > LONGEST * 4 || text.chars().count() > LONGEST {
        return Err(FaultCode::NotAnAmount);
    }
    // Most cells of a clean table are a plain number.
    if text.starts_with(|c: char| c.is_ascii_digit())
        && let Some(number) = Decimal::parse(text)
    {
        return Ok(Some(Amount {
            known: Known::Exact,
            amount: in_unit(&number, unit)?.money()?,
            currency: None,
        }));
    }
    if is_unknown(text) {
        return Ok(None);
    }
    let text = normal(text);
    let mut marks = Vec::new();
    let text = without_brackets(&text, &mut marks);
    let (text, currency) = without_currency(&text);
    let (text, rest) = without_words(&text, marks)?;
    let number = compound(&text, currency.is_some(), unit)?;
    Ok(Some(Amount {
        known: rest,
        amount: number.money()?,
        currency: currency.map(str::to_owned),
    }))
}

/// The amount of a number in a cell.
///
/// # Errors
/// As for [`amount`].
pub fn amount_of_number(number: f64, unit: Option<Unit>) -> Result<Amount, FaultCode> {
    let number = Decimal::of_double(number).ok_or(FaultCode::NotAnAmount)?;
    let amount = in_unit(&number, unit)?.money()?;
    Ok(Amount {
        known: Known::Exact,
        amount,
        currency: None,
    })
}

/// Nothing is nothing in any unit.
fn in_unit(number: &Decimal, unit: Option<Unit>) -> Result<Decimal, FaultCode> {
    match unit {
        Some(unit) => Ok(number.shifted(unit.zeros())),
        None if number.is_zero() => Ok(number.clone()),
        None if number.is_negative() => Err(FaultCode::Negative),
        None => Err(FaultCode::UnitUnknown),
    }
}

/// Takes off brackets at the end that say how the amount is meant, or its unit; others stay and are refused.
fn without_brackets(text: &str, marks: &mut Vec<Mark>) -> String {
    let Some((head, inner)) = text
        .strip_suffix(')')
        .and_then(|text| text.rsplit_once('('))
    else {
        return text.to_owned();
    };
    let (head, inner) = (head.trim(), inner.trim());
    if head.is_empty() {
        return text.to_owned();
    }
    if Unit::parse(inner).is_some() {
        return format!("{head}{inner}");
    }
    let is_meant = |words: &[&str]| words.iter().any(|word| inner.starts_with(word));
    if is_meant(&["估算", "暂估", "暂定", "暂列", "概算", "预估", "约"]) {
        marks.push(Mark::About);
        head.to_owned()
    } else if is_meant(&["其中", "含", "不含", "折合", "人民币", "RMB"]) {
        head.to_owned()
    } else {
        text.to_owned()
    }
}

/// Takes a foreign currency out; what it is counted in stays (3亿美元 is 3亿元 of it).
fn without_currency(text: &str) -> (String, Option<&'static str>) {
    for (word, code) in CURRENCIES {
        if let Some(rest) = text.strip_prefix(word) {
            return (
                format!("{}元", rest.trim().trim_end_matches('元')),
                Some(code),
            );
        }
        if let Some(at) = text.find(word) {
            let (before, behind) = text.split_at(at);
            let behind = behind.get(word.len()..).unwrap_or_default();
            return (format!("{before}元{behind}"), Some(code));
        }
    }
    (text.to_owned(), None)
}

/// Takes off the words around the number, and says how it is meant.
fn without_words(text: &str, mut marks: Vec<Mark>) -> Result<(String, Known), FaultCode> {
    let mut text = text.trim().to_owned();
    loop {
        let yuan = YUAN.iter().find_map(|word| {
            text.strip_prefix(word)
                .or_else(|| text.strip_suffix(word))
                .map(|rest| (rest, Mark::Nothing))
        });
        let before = || {
            let found = |(word, mark)| Some((text.strip_prefix(word)?, mark));
            BEFORE.into_iter().find_map(found)
        };
        let behind = || {
            let found = |(word, mark)| Some((text.strip_suffix(word)?, mark));
            BEHIND.into_iter().find_map(found)
        };
        let Some((rest, mark)) = yuan.or_else(before).or_else(behind) else {
            break;
        };
        marks.push(mark);
        text = rest.trim_matches([' ', ':']).to_owned();
    }
    // 50余亿元, 50亿多元: more than that.
    for word in ["余", "多"] {
        if text.matches(word).count() == 1 && !text.starts_with(word) {
            text = text.replacen(word, "", 1);
            marks.push(Mark::Floor);
        }
    }
    if marks.contains(&Mark::Ceiling) {
        return Err(FaultCode::UpperBound);
    }
    let known = if marks.contains(&Mark::Floor) {
        Known::Floor
    } else if marks.contains(&Mark::About) {
        Known::Approximate
    } else {
        Known::Exact
    };
    Ok((text, known))
}

/// One number with its unit, or several of falling units (1亿2000万元), as 元.
fn compound(text: &str, is_foreign: bool, unit: Option<Unit>) -> Result<Decimal, FaultCode> {
    let (number, rest) = number_of(text)?;
    let (zeros, rest) = match own_unit(rest) {
        Some((zeros, rest)) => (zeros, rest),
        None if rest.is_empty() && is_foreign => (0, rest),
        None if rest.is_empty() => return in_unit(&number, unit),
        None => return Err(strange(text)),
    };
    let first = number.shifted(zeros);
    if rest.is_empty() {
        return Ok(first);
    }
    let mut total = first.money()?;
    let (mut rest, mut last) = (rest, zeros);
    while !rest.is_empty() {
        let (number, behind) = number_of(rest).map_err(|_| strange(text))?;
        let (zeros, behind) = own_unit(behind).ok_or_else(|| strange(text))?;
        if zeros >= last || number.is_negative() {
            return Err(FaultCode::NotAnAmount);
        }
        let more = number.shifted(zeros).money()?;
        total = total.checked_add(more).ok_or(FaultCode::TooLarge)?;
        (rest, last) = (behind, zeros);
    }
    Decimal::parse(&total.to_string()).ok_or(FaultCode::NotAnAmount)
}

/// The number with which a text begins, and what is behind it.
fn number_of(text: &str) -> Result<(Decimal, &str), FaultCode> {
    let text = text.trim();
    let is_bracketed = text.starts_with('(') && text.ends_with(')');
    if is_bracketed && Decimal::parse(text.trim_matches(['(', ')'])).is_some() {
        return Err(FaultCode::Negative);
    }
    if ["△", "▲", "负"].iter().any(|sign| text.starts_with(sign)) {
        return Err(FaultCode::Negative);
    }
    let of_number = |c: char| c.is_ascii_digit() || "+-.,'_ ".contains(c);
    let end = text.find(|c| !of_number(c)).unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let number = Decimal::parse(number.trim()).ok_or_else(|| strange(text))?;
    Ok((number, rest.trim()))
}

fn own_unit(text: &str) -> Option<(i32, &str)> {
    UNITS
        .into_iter()
        .find_map(|(word, zeros)| Some((zeros, text.strip_prefix(word)?.trim())))
}

/// Why a text is no amount, as well as can be told.
fn strange(text: &str) -> FaultCode {
    let text = text.trim();
    let is_chinese_digit =
        |c: char| "一二三四五六七八九十百千两壹贰叁肆伍陆柒捌玖拾佰仟".contains(c);
    if text.starts_with(is_chinese_digit) {
        return FaultCode::ChineseDigits;
    }
    let is_between = |c: char| "-~～—–至到".contains(c);
    let mut digits_before = false;
    let mut between = false;
    for c in text.chars() {
        if c.is_ascii_digit() {
            if between {
                return FaultCode::Range;
            }
            digits_before = true;
        } else if digits_before && is_between(c) {
            between = true;
        }
    }
    FaultCode::NotAnAmount
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Option<(Known, String)>, FaultCode> {
        let read = amount(text, Some(Unit::WanYuan))?;
        Ok(read.map(|read| {
            let currency = read.currency.unwrap_or_default();
            (read.known, format!("{}{currency}", read.amount))
        }))
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        use Known::{Approximate, Exact, Floor};
        for (text, known, told) in [
            ("800", Exact, "8000000.00"),
            ("800万元", Exact, "8000000.00"),
            ("12.6亿元", Exact, "1260000000.00"),
            ("12.6亿", Exact, "1260000000.00"),
            ("3000元", Exact, "3000.00"),
            ("1.2亿元人民币", Exact, "120000000.00"),
            ("人民币1.2亿元", Exact, "120000000.00"),
            ("￥３，０００．５０元", Exact, "3000.50"),
            ("¥500", Exact, "5000000.00"),
            ("12,600", Exact, "126000000.00"),
            ("12，600.5", Exact, "126005000.00"),
            ("1 234 567", Exact, "12345670000.00"),
            ("1.2万亿元", Exact, "1200000000000.00"),
            ("1亿2000万元", Exact, "120000000.00"),
            ("500（万元）", Exact, "5000000.00"),
            ("0", Exact, "0.00"),
            ("约12.6亿元", Approximate, "1260000000.00"),
            ("大约 5 亿元", Approximate, "500000000.00"),
            ("5亿元左右", Approximate, "500000000.00"),
            ("近50亿元", Approximate, "5000000000.00"),
            ("5亿元（估算）", Approximate, "500000000.00"),
            ("50亿元以上", Floor, "5000000000.00"),
            ("50亿以上", Floor, "5000000000.00"),
            ("超过50亿元", Floor, "5000000000.00"),
            ("超50亿元", Floor, "5000000000.00"),
            ("逾50亿元", Floor, "5000000000.00"),
            ("不低于500万元", Floor, "5000000.00"),
            ("不少于500", Floor, "5000000.00"),
            ("≥500", Floor, "5000000.00"),
            ("＞＝500", Floor, "5000000.00"),
            ("50余亿元", Floor, "5000000000.00"),
            ("50多亿元", Floor, "5000000000.00"),
            ("约50亿元以上", Floor, "5000000000.00"),
            ("12.6亿元（其中：中央投资3亿元）", Exact, "1260000000.00"),
            ("3亿美元", Exact, "300000000.00USD"),
            ("300万美元", Exact, "3000000.00USD"),
            ("USD 300万", Exact, "3000000.00USD"),
            ("约2亿欧元", Approximate, "200000000.00EUR"),
            ("3亿美元（折合人民币21亿元）", Exact, "300000000.00USD"),
        ] {
            assert_eq!(read(text), Ok(Some((known, told.to_owned()))), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_for_what_is_wrong() {
        for (text, code) in [
            ("1,23", FaultCode::NotAnAmount),
            ("12 5", FaultCode::NotAnAmount),
            ("很多", FaultCode::NotAnAmount),
            ("1.26E+05", FaultCode::NotAnAmount),
            ("12.6亿元（一期）", FaultCode::NotAnAmount),
            ("2000万1亿元", FaultCode::NotAnAmount),
            ("-5", FaultCode::Negative),
            ("（5）", FaultCode::Negative),
            ("－５万元", FaultCode::Negative),
            ("3-5亿元", FaultCode::Range),
            ("3亿～5亿元", FaultCode::Range),
            ("不超过5亿元", FaultCode::UpperBound),
            ("5亿元以下", FaultCode::UpperBound),
            ("十二亿元", FaultCode::ChineseDigits),
            ("上百亿元", FaultCode::NotAnAmount),
            ("0.0000001", FaultCode::TooPrecise),
            ("1.005元", FaultCode::TooPrecise),
            ("100000001亿元", FaultCode::TooLarge),
            ("99999999999999999999999", FaultCode::TooLarge),
        ] {
            assert_eq!(read(text), Err(code), "{text}");
        }
        for text in ["", "-", "——", "待定", "无", "/"] {
            assert_eq!(read(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn a_number_needs_a_unit_from_somewhere() {
        assert_eq!(amount("12.6", None), Err(FaultCode::UnitUnknown));
        assert_eq!(amount_of_number(12.6, None), Err(FaultCode::UnitUnknown));
        assert!(amount("12.6亿元", None).is_ok());
        assert!(amount_of_number(0.0, None).is_ok());
    }

    #[test]
    fn a_number_of_a_cell_is_exact() {
        let read = |number| {
            amount_of_number(number, Some(Unit::YiYuan)).map(|read| read.amount.to_string())
        };
        assert_eq!(read(12.6).unwrap(), "1260000000.00");
        assert_eq!(read(12.600_000_000_000_001).unwrap(), "1260000000.00");
        assert_eq!(read(1.0 / 3.0), Err(FaultCode::TooPrecise));
        assert_eq!(read(-1.0), Err(FaultCode::Negative));
        assert_eq!(read(1e300), Err(FaultCode::TooLarge));
        assert_eq!(read(f64::NAN), Err(FaultCode::NotAnAmount));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[-—约超≥近0-9０-９.．,， ()（）亿万千百元美欧$¥余多以上左右~一十]{0,24}", anything in any::<String>()) {
            for text in [text, anything] {
                let _ = amount(&text, None);
                let _ = amount(&text, Some(Unit::YiYuan));
            }
        }

        #[test]
        fn no_number_makes_the_reader_panic(number in any::<f64>()) {
            let _ = amount_of_number(number, Some(Unit::YiYuan));
        }

        #[test]
        fn every_amount_reads_back_from_every_unit(fen in 0..=Money::MAX.fen()) {
            use domain::money::MoneyUnit;
            let money = Money::from_fen(fen).unwrap();
            for unit in [MoneyUnit::Yuan, MoneyUnit::WanYuan, MoneyUnit::YiYuan] {
                let number = money.in_unit(unit);
                let plain = amount(&number, Some(unit.into())).unwrap().unwrap();
                prop_assert_eq!(plain.amount, money);
                let labelled = format!("约{number}{}", unit.label());
                let labelled = amount(&labelled, None).unwrap().unwrap();
                prop_assert_eq!((labelled.known, labelled.amount), (Known::Approximate, money));
            }
        }
    }
}
