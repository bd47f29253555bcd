//! What was recorded, as it is handed out: a line of JSON or of CSV for each entry, with its hash and the one before.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use crate::store::audit::Entry;

/// The columns, in both forms.
pub const COLUMNS: [&str; 17] = [
    "seq",
    "previous",
    "hash",
    "algorithm",
    "id",
    "recorded_at",
    "kind",
    "result",
    "subject",
    "project",
    "version",
    "before",
    "after",
    "actor_id",
    "actor",
    "source",
    "request_id",
];

fn values(entry: &Entry) -> [Value; 17] {
    let link = entry.link.as_ref();
    let recorded_at = entry
        .recorded_at
        .to_rfc3339_opts(SecondsFormat::Micros, true);
    [
        json!(link.map(|link| link.seq)),
        json!(link.and_then(|link| link.previous.as_deref())),
        json!(link.map(|link| &link.hash)),
        json!(link.map(|link| &link.algorithm)),
        json!(entry.id),
        json!(recorded_at),
        json!(entry.kind),
        json!(entry.result),
        json!(entry.subject),
        json!(entry.project),
        json!(entry.version),
        json!(entry.before),
        json!(entry.after),
        json!(entry.actor_id),
        json!(entry.actor),
        json!(entry.source),
        json!(entry.request_id),
    ]
}

/// An entry as a line of JSON.
#[must_use]
pub fn line(entry: &Entry) -> String {
    let members = COLUMNS.map(str::to_owned).into_iter().zip(values(entry));
    Value::Object(members.collect()).to_string()
}

/// An entry as the cells of a line of CSV.
#[must_use]
pub fn cells(entry: &Entry) -> [String; 17] {
    values(entry).map(|value| match value.as_str() {
        Some(text) => harmless(text),
        None if value.is_null() => String::new(),
        None => value.to_string(),
    })
}

/// A text that no spreadsheet takes for a formula: one that it would begins with an apostrophe.
fn harmless(text: &str) -> String {
    let first = text
        .chars()
        .find(|c| !(c.is_whitespace() || c.is_control()) || matches!(c, '\t' | '\r'));
    if matches!(
        first,
        Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '\t' | '\r')
    ) {
        return format!("'{text}");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for text in [
            "=1",
            "+1",
            "-1",
            "@a",
            " =1",
            "\u{a0}\u{1}=1",
            "＝1",
            "\ta",
            "\n\r",
        ] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["", "a=1", "改", "'=1"] {
            assert_eq!(harmless(text), text);
        }
    }
}
