//! What numbers sections and rows: 一、（一）1. (1) ① and 1.1.

use crate::value::numeral::{is_numeral, small};
use crate::value::squeezed;

/// How deep something stands that is numbered, the outer ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// 一、 第一部分.
    Chinese,
    /// （一）.
    BracketedChinese,
    /// 1、.
    Arabic,
    /// (1), and 1.1.
    BracketedArabic,
    /// ①.
    Circled,
    /// Not numbered at all.
    Plain,
}

/// The number with which a text begins, and what is behind it: `一、港口项目`, `（二）储气库`, `3.航道`.
pub(super) fn lead(text: &str) -> Option<(Level, &str)> {
    let text = text.trim_start_matches(is_blank);
    let (level, rest) = bracketed(text)
        .or_else(|| circled(text))
        .or_else(|| part(text))
        .or_else(|| marked(text))?;
    let rest = rest.trim_start_matches(is_blank);
    (!rest.is_empty()).then_some((level, rest))
}

/// How deep a text in a column of numbers stands; none if it is no number.
pub(super) fn level_of(text: &str) -> Option<Level> {
    if text.is_empty() || text.len() > 40 {
        return None;
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Level::Arabic);
    }
    let text = squeezed(text);
    let bare = text.trim_end_matches(['、', '.', ',', ':']);
    let is_small = |text: &str| small(text).is_some();
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_small(bare) && bare.chars().all(is_numeral) {
        return Some(Level::Chinese);
    }
    let inner = bare
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'));
    match inner {
        Some(inner) if inner.chars().all(is_numeral) && is_small(inner) => {
            return Some(Level::BracketedChinese);
        }
        Some(inner) if is_digits(inner) => return Some(Level::BracketedArabic),
        Some(_) | None => {}
    }
    if is_digits(bare) {
        return Some(Level::Arabic);
    }
    let mut steps = bare.split(['.', '-']);
    if steps.clone().count() > 1 && steps.all(is_digits) {
        return Some(Level::BracketedArabic);
    }
    let is_circled = bare.chars().count() == 1 && bare.starts_with(is_circle);
    let is_part = bare.starts_with('第') && part(&format!("{bare}、x")).is_some();
    if is_circled {
        Some(Level::Circled)
    } else {
        is_part.then_some(Level::Chinese)
    }
}

/// The number above a number of several steps: 1 of 1.2.
pub(super) fn above(text: &str) -> Option<String> {
    if text.len() > 40 || !text.contains(['.', '-', '．', '－']) {
        return None;
    }
    let text = squeezed(text);
    let (above, last) = text.trim_end_matches(['、', '.']).rsplit_once(['.', '-'])?;
    let is_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| above.to_owned())
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || c == '\u{200B}'
}

fn is_circle(c: char) -> bool {
    ('\u{2460}'..='\u{2473}').contains(&c) || ('\u{2474}'..='\u{2487}').contains(&c)
}

fn circled(text: &str) -> Option<(Level, &str)> {
    text.strip_prefix(is_circle)
        .map(|rest| (Level::Circled, rest))
}

fn bracketed(text: &str) -> Option<(Level, &str)> {
    let inner = text.strip_prefix(['(', '（'])?;
    let (number, rest) = inner.split_once([')', '）'])?;
    let number = squeezed(number);
    if !number.is_empty() && number.chars().all(is_numeral) && small(&number).is_some() {
        return Some((
            Level::BracketedChinese,
            rest.trim_start_matches(['、', '.']),
        ));
    }
    let is_digits =
        (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then_some((Level::BracketedArabic, rest.trim_start_matches(['、', '.'])))
}

/// 第一部分 港口项目.
fn part(text: &str) -> Option<(Level, &str)> {
    let inner = text.strip_prefix('第')?;
    let end = inner.find(|c| !is_numeral(c))?;
    let (number, rest) = inner.split_at(end);
    small(number)?;
    let rest = ["部分", "类", "章", "批"]
        .iter()
        .find_map(|word| rest.strip_prefix(word))?;
    Some((
        Level::Chinese,
        rest.trim_start_matches([':', '：', '、', '.', ' ', '\u{3000}']),
    ))
}

/// 一、 or 1. with something behind it that is no number itself: 一、二期工程 and 3、4号泊位 are names, 1.5 is a number.
fn marked(text: &str) -> Option<(Level, &str)> {
    let end = text.find(|c: char| !(is_numeral(c) || c.is_ascii_digit()))?;
    let (number, rest) = text.split_at(end);
    let mut chars = rest.chars();
    let sign = chars
        .next()
        .filter(|c| ['、', '.', '．', ',', '，'].contains(c))?;
    let rest = chars.as_str();
    let is_chinese = !number.is_empty() && number.chars().all(is_numeral);
    if is_chinese {
        small(number)?;
        let goes_on =
            rest.starts_with(is_numeral) && rest.chars().any(|c| ['期', '号', '标'].contains(&c));
        return (!goes_on).then_some((Level::Chinese, rest));
    }
    let is_arabic =
        (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let goes_on = rest.starts_with(|c: char| c.is_ascii_digit());
    let is_mark = ['、', '.', '．'].contains(&sign);
    (is_arabic && is_mark && !goes_on).then_some((Level::Arabic, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_names_that_begin_like_them() {
        for (text, level, rest) in [
            ("一、港口项目", Level::Chinese, "港口项目"),
            ("十二、港口项目", Level::Chinese, "港口项目"),
            ("（二）储气库", Level::BracketedChinese, "储气库"),
            ("(二) 储气库", Level::BracketedChinese, "储气库"),
            ("(3) 航道", Level::BracketedArabic, "航道"),
            ("3.航道", Level::Arabic, "航道"),
            ("3、航道", Level::Arabic, "航道"),
            ("①航道", Level::Circled, "航道"),
            ("第一部分 港口项目", Level::Chinese, "港口项目"),
        ] {
            assert_eq!(lead(text), Some((level, rest)), "{text}");
        }
        for text in [
            "一期工程",
            "一、二期工程",
            "3、4号泊位",
            "1.5万吨级泊位",
            "港口",
            "一、",
            "十里河整治",
            "",
            "第一污水处理厂",
        ] {
            assert_eq!(lead(text), None, "{text}");
        }
    }

    #[test]
    fn columns_of_numbers_tell_how_deep_a_row_stands() {
        for (text, level) in [
            ("一", Level::Chinese),
            ("一、", Level::Chinese),
            ("（一）", Level::BracketedChinese),
            ("1", Level::Arabic),
            ("1.1", Level::BracketedArabic),
            ("1-2", Level::BracketedArabic),
            ("（1）", Level::BracketedArabic),
            ("①", Level::Circled),
        ] {
            assert_eq!(level_of(text), Some(level), "{text}");
        }
        assert_eq!(level_of("合计"), None);
        assert_eq!(level_of(""), None);
        assert_eq!(above("1.2"), Some("1".to_owned()));
        assert_eq!(above("2"), None);
    }
}
