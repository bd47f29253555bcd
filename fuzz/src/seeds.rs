//! Inputs to begin with: the texts that the parsers' own tests read, taken out of their sources.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use taizhang::page;
use uuid::Uuid;

use crate::request::QUESTION;

/// The texts between quotation marks of a source.
fn literals(source: &str) -> Vec<String> {
    let (mut literals, mut chars) = (Vec::new(), source.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            // A character: '"'.
            '\'' if chars.peek() == Some(&'"') => {
                chars.next();
            }
            '"' => literals.push(literal(&mut chars)),
            _ => {}
        }
    }
    literals
}

/// The rest of a text, up to its closing mark.
fn literal(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut text = String::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                Some('r') => text.push('\r'),
                Some('t') => text.push('\t'),
                Some('0') => text.push('\0'),
                Some('u') => {
                    let code: String = chars.by_ref().take_while(|c| *c != '}').collect();
                    let code = u32::from_str_radix(code.trim_start_matches('{'), 16).ok();
                    text.extend(code.and_then(char::from_u32));
                }
                // The line goes on.
                Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                Some(other) => text.push(other),
                None => break,
            },
            other => text.push(other),
        }
    }
    text
}

fn of(sources: &[&str]) -> Vec<Vec<u8>> {
    let literals = sources.iter().flat_map(|source| literals(source));
    let mut seeds: Vec<Vec<u8>> = literals.map(String::into_bytes).collect();
    seeds.sort_unstable();
    seeds.dedup();
    seeds
}

fn bytes(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub(crate) fn amounts() -> Vec<Vec<u8>> {
    of(&[
        include_str!("../../intake/src/value/amount.rs"),
        include_str!("../../intake/src/value/amount/signs.rs"),
        include_str!("../../intake/src/value/decimal.rs"),
    ])
}

pub(crate) fn dates() -> Vec<Vec<u8>> {
    of(&[
        include_str!("../../intake/src/value/date.rs"),
        include_str!("../../intake/src/value/numeral.rs"),
    ])
}

pub(crate) fn terms() -> Vec<Vec<u8>> {
    of(&[include_str!("../../intake/src/value/period.rs")])
}

pub(crate) fn words() -> Vec<Vec<u8>> {
    of(&[
        include_str!("../../intake/src/value/words.rs"),
        include_str!("../../intake/src/value/codes.rs"),
        include_str!("../../intake/src/field.rs"),
        include_str!("../../intake/src/unit.rs"),
    ])
}

pub(crate) fn money() -> Vec<Vec<u8>> {
    of(&[
        include_str!("../../domain/src/money.rs"),
        include_str!("../../domain/src/money/parse.rs"),
    ])
}

/// Tables: the tests' own, in several encodings, and the beginning of a data set. The first byte says what the rows are.
pub(crate) fn texts() -> Vec<Vec<u8>> {
    let tests = [
        include_str!("../../intake/tests/suite/text.rs"),
        include_str!("../../intake/tests/suite/messy.rs"),
        include_str!("../../intake/tests/suite/months_and_permits.rs"),
    ];
    let mut tables: Vec<String> = tests.iter().flat_map(|test| literals(test)).collect();
    for data in [
        include_str!("../../data/panjin/projects.csv"),
        include_str!("../../data/panjin/targets.csv"),
    ] {
        tables.push(data.lines().take(4).flat_map(|line| [line, "\n"]).collect());
    }
    tables.sort_unstable();
    tables.dedup();
    let mut seeds = Vec::new();
    for (number, table) in tables.iter().enumerate() {
        let kind = u8::try_from(number % 5).unwrap_or_default();
        let (gbk, ..) = encoding_rs::GBK.encode(table);
        let wide = [0xFF, 0xFE]
            .into_iter()
            .chain(table.encode_utf16().flat_map(u16::to_le_bytes));
        seeds.push(std::iter::once(kind).chain(table.bytes()).collect());
        if table.len() > 80 {
            seeds.push(std::iter::once(kind).chain(gbk.iter().copied()).collect());
            seeds.push(std::iter::once(kind).chain(wide).collect());
        }
    }
    seeds
}

pub(crate) fn plans() -> Vec<Vec<u8>> {
    of(&[
        include_str!("../../intake/tests/suite/plan.rs"),
        include_str!("../../intake/src/plan/clause.rs"),
        include_str!("../../intake/src/plan/money.rs"),
        include_str!("../../intake/src/plan/name.rs"),
    ])
}

pub(crate) fn preconditions() -> Vec<Vec<u8>> {
    bytes(&[
        "\"7\"",
        "\"1\"\n*",
        "\n*",
        "*",
        "W/\"7\"",
        "\"7\", \"8\"",
        "\"999999999999999999\"",
        "\"9223372036854775808\"",
        "\"07\"",
        " \"7\" ",
    ])
}

pub(crate) fn keys() -> Vec<Vec<u8>> {
    let longest = "k".repeat(255);
    let mut keys = bytes(&[
        "a",
        "0193a2b4-7c1e-7d1a-9a55-6f1d2f6b9a10",
        " key ",
        "with blank",
        "一",
        "!~",
    ]);
    keys.push(longest.clone().into_bytes());
    keys.push(format!("{longest}k").into_bytes());
    keys
}

pub(crate) fn queries() -> Vec<Vec<u8>> {
    bytes(&[
        "q=%E5%82%A8%E6%B0%94%E5%BA%93&list=gas-storage&region=211100&region_exact=211104",
        "stage=construction&condition=active&tier=from_1b&tier=from_5b&programme=null&sector=a&chain=ethylene",
        "unit=port-office&parent=0193a2b4-7c1e-7d1a-9a55-6f1d2f6b9a10&parent=null",
        "min_investment=100000000.00&max_investment=999999999999999.99",
        "started_year=2024&completed_year=null&plan_year=2025&account=2024:new&account=2021-2025:new:2024-03-31",
        "account=2024-Q1:continued&account=2024-03:under_construction&account=2024:landed_within_6",
        "invested=2025-03&invested=2025-Q1&invested=2025-01..2025-03",
        "updated_since=2025-03-31T08:00:00Z&as_of=2025-03-31",
        "as_of=2025-03-31T08:00:00.123456%2B08:00&counting=list:gas-storage,panjin-port&level=part",
        "counting=portfolio&level=project&sort=-total_investment&limit=200&with_total=true&cursor=eyJxIjoiIn0",
        "group_by=tier,stage,condition,region&year=2025",
        "of=project.changed&after=latest&wait=30&limit=5&project=0193a2b4-7c1e-7d1a-9a55-6f1d2f6b9a10",
        "",
    ])
}

/// Cursors, and what they have inside. The first byte says which.
pub(crate) fn cursors() -> Vec<Vec<u8>> {
    let id = Uuid::from_u128(0x0193_a2b4_7c1e_7d1a_9a55_6f1d_2f6b_9a10);
    let cursors = [
        page::seal(QUESTION, &(12_600_000_000_i64, id)),
        page::seal(QUESTION, &(None::<i64>, id)),
        page::seal(QUESTION, &("2025-03-31T08:00:00.000001Z", id)),
        page::seal("another", &("储气库", id)),
    ];
    let mut seeds = Vec::new();
    for cursor in cursors {
        let inside = BASE64_URL_SAFE_NO_PAD.decode(&cursor).unwrap_or_default();
        seeds.push(std::iter::once(b'i').chain(inside).collect());
        seeds.push(std::iter::once(b'c').chain(cursor.into_bytes()).collect());
    }
    seeds
}

pub(crate) fn addresses() -> Vec<Vec<u8>> {
    let corpus = include_str!("../../tests/suite/webhooks/addresses.txt");
    let own = of(&[include_str!("../../api/src/delivery/address.rs")]);
    corpus
        .lines()
        .map(|line| line.as_bytes().to_vec())
        .chain(own)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_of_a_source_are_found() {
        let source = r#"let a = "一\n二"; let quote = '"'; f("x \
            y", "\"\u{3000}")"#;
        assert_eq!(literals(source), ["一\n二", "x y", "\"\u{3000}"]);
    }
}
