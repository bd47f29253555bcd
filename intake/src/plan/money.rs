//! Amounts in prose, and the projects to which they belong.

use super::clause::Clause;
use super::name;
use super::{Draft, Reason};
use crate::value::{Amount, amount};

/// What is invested in many things, or comes from somewhere, is not what one project costs.
const SUMS: [&str; 14] = [
    "完成",
    "资产",
    "累计",
    "招商",
    "年度",
    "到位",
    "预算内",
    "中央",
    "省级",
    "社会",
    "民间",
    "外商",
    "有效",
    "工业",
];

/// Round numbers that stand before 亿.
const ROUND: [(&str, &str); 3] = [("十", "10"), ("百", "100"), ("千", "1000")];

/// An amount of investment in a clause, in bytes of the clause.
struct Mention {
    /// Where the words before it begin: 总投资约.
    from: usize,
    /// Where the words behind it end: 以上.
    to: usize,
    amount: Amount,
}

/// The projects that a clause tells with their amounts.
pub(super) fn told(clause: &Clause<'_>) -> Vec<Draft> {
    let mentions = mentions(clause.text);
    let mut drafts: Vec<Draft> = Vec::new();
    let mut from = 0;
    for mention in mentions {
        let before = clause.text.get(from..mention.from).unwrap_or_default();
        let behind = clause.text.get(mention.to..).unwrap_or_default();
        // 投资5亿元的某工程, and 某集团投资5亿元建设某工程.
        let named = ["的", "建设", "新建", "实施", "打造"]
            .iter()
            .find_map(|word| behind.strip_prefix(word));
        let draft = if let Some(rest) = named {
            let at = clause.text.len() - rest.len();
            let name = name::until_end(rest);
            from = at + name.len();
            name::plain(name).map(|(skipped, name)| (at + skipped, name, Reason::AmountBefore))
        } else {
            let found = behind_name(before).map(|(at, name, reason)| (from + at, name, reason));
            from = mention.to;
            found
        };
        if let Some((at, name, reason)) = draft {
            drafts.push(Draft {
                name,
                at: clause.at + at,
                amount: Some(mention.amount),
                claimed: None,
                reasons: vec![reason],
            });
        }
    }
    drafts
}

/// The name that stands before an amount: right before it, or the first piece that is named as a project.
fn behind_name(before: &str) -> Option<(usize, String, Reason)> {
    let before = before.trim_end_matches(['，', ',', '（', '(', '：', ':', ' ', '\u{3000}', '、']);
    let pieces = name::pieces(before);
    let (last_at, last) = *pieces.last()?;
    let is_named = |piece: &str| name::is_project(piece) && piece.trim().chars().count() > 3;
    let found = pieces.iter().find(|(_, piece)| is_named(piece));
    match found {
        Some((at, piece)) => {
            let reason = if *at == last_at {
                Reason::AmountBehind
            } else {
                Reason::AmountApart
            };
            name::plain(piece).map(|(skipped, name)| (at + skipped, name, reason))
        }
        None if pieces.len() == 1 => {
            name::plain(last).map(|(skipped, name)| (last_at + skipped, name, Reason::AmountBehind))
        }
        None => {
            let (at, piece) = *pieces.first()?;
            name::plain(piece).map(|(skipped, name)| (at + skipped, name, Reason::AmountApart))
        }
    }
}

/// The amounts of a clause that are the investment of something.
fn mentions(text: &str) -> Vec<Mention> {
    let mut mentions: Vec<Mention> = Vec::new();
    let mut passed = 0;
    for (at, c) in text.char_indices() {
        let is_unit = ['亿', '万'].contains(&c);
        if !is_unit || at < passed {
            continue;
        }
        let head = text.get(..at).unwrap_or_default();
        let number = head.trim_end_matches(|c: char| {
            c.is_ascii_digit() || ('０'..='９').contains(&c) || ".．,，余多 ".contains(c)
        });
        let start = number.len();
        let digits = head
            .get(start..)
            .unwrap_or_default()
            .trim_start_matches([',', '，', ' ', '余', '多', '.']);
        let word = ROUND.into_iter().find(|(word, _)| head.ends_with(word));
        let (start, number) = match word {
            Some((word, number)) => (at - word.len(), Some(number)),
            None => (at - digits.len(), None),
        };
        let is_digit = |c: char| c.is_ascii_digit() || ('０'..='９').contains(&c);
        if number.is_none() && !digits.starts_with(is_digit) {
            continue;
        }
        let Some(to) = end_of(text, at) else {
            continue;
        };
        let (from, is_investment) = beginning(text.get(..start).unwrap_or_default());
        let belongs = is_investment || text.get(to..).is_some_and(|rest| rest.starts_with('的'));
        let told = text.get(from..to).unwrap_or_default();
        // 超百亿元: a round number in words.
        let told = match word {
            Some((word, number)) => told.replacen(word, number, 1),
            None => told.to_owned(),
        };
        let told = told.as_str();
        let told = name::INVESTMENT
            .iter()
            .find_map(|word| told.strip_prefix(word))
            .unwrap_or(told);
        let told = told.trim_start_matches(['额', '达', '为', '：', ':', ' ']);
        passed = to;
        if let (true, Ok(Some(amount))) = (belongs, amount(told, None)) {
            mentions.push(Mention { from, to, amount });
        }
    }
    mentions
}

/// Where an amount ends whose unit begins here; none if it is no money (亿吨, 万亩).
fn end_of(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let behind = rest.trim_start_matches(['亿', '万', '余', '多']);
    let currencies = ["元人民币", "元", "美元", "欧元", "港元", "日元", "英镑"];
    let behind = currencies
        .iter()
        .find_map(|word| behind.strip_prefix(word))?;
    let ends = ["及以上", "以上", "左右"];
    let behind = ends
        .iter()
        .find_map(|word| behind.strip_prefix(word))
        .unwrap_or(behind);
    Some(text.len() - behind.len())
}

/// Where the words before an amount begin, and whether they say that it is an investment.
fn beginning(before: &str) -> (usize, bool) {
    const QUALIFIERS: [&str; 20] = [
        "约",
        "近",
        "超过",
        "超",
        "逾",
        "达到",
        "达",
        "为",
        "额",
        "不低于",
        "不少于",
        "大约",
        "：",
        ":",
        " ",
        "人民币",
        "规模",
        "估算",
        "概算",
        "约为",
    ];
    let mut text = before;
    while let Some(rest) = QUALIFIERS.iter().find_map(|word| text.strip_suffix(word)) {
        text = rest;
    }
    let qualified = text.len();
    match name::INVESTMENT
        .iter()
        .find_map(|word| text.strip_suffix(word))
    {
        // 完成投资 and 固定资产投资 are sums, not what a project costs.
        Some(rest) if SUMS.iter().any(|word| rest.ends_with(word)) => (qualified, false),
        Some(rest) => (rest.len(), true),
        None => (qualified, false),
    }
}
