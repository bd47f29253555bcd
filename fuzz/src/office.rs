//! What other offices send: amounts, dates, words, texts of tables and of plans, workbooks.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use domain::code::{ProjectCode, Uscc};
use domain::money::{Money, MoneyUnit};
use domain::region::RegionCode;
use intake::document::Document;
use intake::field::Field;
use intake::file::{MAX_COLUMNS, MAX_ROWS, MAX_TEXT_ROWS};
use intake::plan::{MAX_LINES, MAX_PROPOSALS};
use intake::request::Assigned;
use intake::value::date::{Shown, YEARS, date_of_number, of_serial};
use intake::value::{Known, Term, Value, codes, period, words};
use intake::{Format, Kind, Request, Unit, value};

/// The text of the bytes; those that are none are left out by most parsers' callers.
fn told(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// A double of the first bytes, for what a cell holds as a number.
fn number(bytes: &[u8]) -> Option<f64> {
    bytes.first_chunk().map(|bytes| f64::from_le_bytes(*bytes))
}

/// What was read is read again from how it is written.
fn is_written<T: Display + FromStr + PartialEq + Debug>(read: &T) {
    let written = read.to_string();
    let again = written.parse().ok();
    assert_eq!(again.as_ref(), Some(read), "{written} is read otherwise");
}

pub(crate) fn amount(bytes: &[u8]) {
    if let Some(number) = number(bytes) {
        for unit in [None, Some(Unit::Yuan), Some(Unit::YiYuan)] {
            if let Ok(amount) = value::amount::amount_of_number(number, unit) {
                assert!(amount.amount <= Money::MAX && amount.known == Known::Exact);
            }
        }
    }
    let Some(text) = told(bytes) else { return };
    let alone = value::amount(text, None);
    if let Ok(Some(amount)) = &alone {
        assert!((Money::ZERO..=Money::MAX).contains(&amount.amount));
        let written = amount.amount.to_string();
        assert_eq!(Money::parse_yuan(&written), Ok(amount.amount));
    }
    for unit in Unit::ALL {
        let within = value::amount(text, Some(*unit));
        if alone.is_ok() {
            assert_eq!(within, alone, "an amount's own unit goes before");
        }
    }
}

pub(crate) fn date(bytes: &[u8]) {
    if let Some(number) = number(bytes) {
        for is_1904 in [false, true] {
            let plain = date_of_number(number, is_1904);
            let serials =
                [Shown::Day, Shown::Month, Shown::Year].map(|how| of_serial(number, is_1904, how));
            for date in std::iter::once(plain).chain(serials).flatten() {
                assert!(YEARS.contains(&date.year()));
                is_written(&date);
            }
        }
    }
    let Some(text) = told(bytes) else { return };
    if let Ok(Some(date)) = value::date(text) {
        assert!(YEARS.contains(&date.year()));
        is_written(&date);
    }
}

pub(crate) fn term(bytes: &[u8]) {
    let Some(text) = told(bytes) else { return };
    let found = period::term(text).ok().flatten();
    for term in found.into_iter().chain(period::term_in(text)) {
        assert!(term.year().is_none_or(|year| YEARS.contains(&year)));
        is_written(&term);
        is_written(&term.within(Some(Term::Year(2025))));
    }
    if let Ok(Some(span)) = period::span(text) {
        is_written(&span.from);
        is_written(&span.to);
    }
}

pub(crate) fn words(bytes: &[u8]) {
    let Some(text) = told(bytes) else { return };
    let _ = words::stage(text);
    let _ = words::project_kind(text);
    let _ = words::target_kind(text);
    let _ = words::item(text);
    let _ = words::status(text);
    let _ = words::is_document_number(text);
    let _ = words::metric(text);
    let _ = words::tier(text);
    let _ = words::target_unit(text);
    let _ = codes::flag(text);
    let _ = codes::region(text);
    let _ = Unit::parse(text);
    let _ = Unit::of_note(text);
    for is_share in [false, true] {
        let percent = codes::percent(text, is_share);
        // A number of sixty digits is read, and one of more is not.
        if let Some(percent) = percent.ok().filter(|percent| percent.len() <= 60) {
            assert_eq!(codes::percent(&percent, false), Ok(percent.clone()));
        }
    }
    if let Ok(code) = codes::project_code(text) {
        let read = ProjectCode::parse(&code);
        assert!(read.is_ok_and(|read| read.as_str() == code));
    }
    if let Ok(code) = codes::uscc(text) {
        assert!(Uscc::parse(&code).is_ok_and(|read| read.as_str() == code));
    }
    if let Ok(code) = RegionCode::parse(text) {
        assert_eq!(code.as_str(), text);
    }
    if let Ok(field) = text.parse::<Field>() {
        is_written(&field);
        is_written(&Assigned::Field(field));
    }
}

pub(crate) fn money(bytes: &[u8]) {
    let Some(text) = told(bytes) else { return };
    let strict = Money::parse_yuan(text);
    for unit in [MoneyUnit::Yuan, MoneyUnit::WanYuan, MoneyUnit::YiYuan] {
        let Ok(money) = Money::parse_text(text, unit) else {
            continue;
        };
        assert!((Money::ZERO..=Money::MAX).contains(&money));
        assert_eq!(Money::parse_yuan(&money.to_string()), Ok(money));
        let written = money.in_unit(unit);
        assert_eq!(Money::parse_text(&written, unit), Ok(money), "{written}");
    }
    if let Ok(money) = strict {
        // Whoever writes strictly is understood by who reads generously.
        assert_eq!(Money::parse_text(text, MoneyUnit::Yuan), Ok(money));
        assert_eq!(Money::parse_yuan(&money.to_string()), Ok(money));
    }
}

/// Reads a file as rows of a kind, and holds what was read to its limits.
fn read(bytes: &[u8], kind: u8) {
    let kind = Kind::ALL.iter().cycle().nth(usize::from(kind % 8));
    let Ok(document) = intake::read(bytes, &Request::of(*kind.unwrap_or(&Kind::Projects))) else {
        return;
    };
    let longest = match document.format {
        Format::Xlsx => MAX_ROWS,
        Format::Csv => MAX_TEXT_ROWS,
    };
    let rows = document.sheets.iter().map(|sheet| sheet.rows.len());
    assert!(rows.sum::<usize>() <= longest);
    for sheet in &document.sheets {
        assert!(sheet.mapping.len() <= usize::from(MAX_COLUMNS));
        for cell in sheet.rows.iter().flat_map(|row| row.fields.values()) {
            if let Value::Amount(amount) = &cell.value {
                assert!((Money::ZERO..=Money::MAX).contains(&amount.amount));
            }
        }
    }
    // It goes from the child process that reads to the one that asked as JSON.
    let written = serde_json::to_vec(&document).unwrap_or_default();
    let again = serde_json::from_slice::<Document>(&written).ok();
    assert!(
        again.as_ref() == Some(&document),
        "the document is not read as it was written: {}",
        String::from_utf8_lossy(&written)
    );
}

pub(crate) fn text(bytes: &[u8]) {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    // Archives have a target of their own.
    if bytes.starts_with(b"PK") {
        return;
    }
    let text = intake::text(bytes);
    assert!(
        intake::inspect(bytes).is_err() || text.is_ok(),
        "what is taken for a text is one"
    );
    read(bytes, *kind);
}

pub(crate) fn plan(bytes: &[u8]) {
    let Some(text) = told(bytes) else { return };
    let proposals = intake::read_plan(text);
    assert!(proposals.len() <= MAX_PROPOSALS);
    for (place, proposal) in proposals.iter().enumerate() {
        assert!(proposal.parent.is_none_or(|parent| parent < place));
        assert!((1..=MAX_LINES).contains(&proposal.line));
        let line = text.lines().nth(proposal.line - 1).unwrap_or_default();
        assert!(
            (1..=line.chars().count().max(1)).contains(&proposal.column),
            "{proposal:?} does not stand in {line}"
        );
        if let Some(amount) = &proposal.amount {
            assert!((Money::ZERO..=Money::MAX).contains(&amount.amount));
        }
    }
    assert_eq!(intake::read_plan(text), proposals);
}

pub(crate) fn scan(bytes: &[u8]) {
    let _ = intake::inspect(bytes);
}

pub(crate) fn workbook(bytes: &[u8]) {
    // What the rows are, by a byte that says nothing else: the minute at which the first entry was written.
    let kind = bytes.get(10).copied().unwrap_or_default();
    read(bytes, kind);
}
