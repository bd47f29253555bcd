//! What stands in a cell, read as what its column is for.

pub mod amount;
pub mod codes;
pub mod date;
mod decimal;
mod normal;
pub mod numeral;
pub mod period;
pub mod words;

use domain::money::Money;
use serde::{Deserialize, Serialize};

pub use amount::{Amount, Known, amount};
pub use date::{Date, date};
pub(crate) use decimal::Decimal;
pub use normal::{is_blank, normal, squeezed, tidy, tidy_lines};
pub use period::{Span, Term};

/// The longest text that is taken for a number, a date or a word; longer ones are texts.
const LONGEST: usize = 120;

/// What a cell says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// That it is not known: `-`, 待定, 暂无.
    Unknown,
    /// A text.
    Text(String),
    /// Several texts, such as other names.
    Texts(Vec<String>),
    /// An amount of money.
    Amount(Amount),
    /// A date, as far as it is known.
    Date(Date),
    /// From when to when (建设年限).
    Span(Span),
    /// A year or a month (年度、月份).
    Term(Term),
    /// A stable code of the API: a stage, a status, a kind, a region by its code.
    Code(String),
    /// The value of a target in its base unit, with two decimals, and the code of the unit.
    Quantity {
        /// How much.
        value: Money,
        /// The code of the unit: `project`, `yuan`, `usd`, `percent`, `mu`.
        unit: String,
    },
}

/// Whether a text says that nothing is known: empty, a dash or two, a stroke, 无, 待定.
#[must_use]
pub fn is_unknown(text: &str) -> bool {
    // Most texts are longer than any of these words.
    const LONGEST: usize = 40;
    if text.len() > LONGEST && !text.starts_with(['-', '—', '–', ' ', '\u{3000}']) {
        return false;
    }
    let text = squeezed(text);
    text.chars().all(|c| "-—–―─_/\\*.…·".contains(c))
        || matches!(
            text.to_ascii_lowercase().as_str(),
            "无" | "待定"
                | "暂无"
                | "未定"
                | "暂未定"
                | "暂未确定"
                | "待确定"
                | "尚未确定"
                | "待核定"
                | "未知"
                | "不详"
                | "n/a"
                | "na"
                | "null"
                | "none"
                | "(无)"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_unknown_and_not_zero() {
        for text in [
            "",
            " ",
            "-",
            "—",
            "——",
            "/",
            "／",
            "无",
            "待定",
            "暂无",
            "未定",
            "N/A",
            "n/a",
            " 待 定 ",
            "\u{3000}",
        ] {
            assert!(is_unknown(text), "{text:?}");
        }
        for text in ["0", "无锡", "待定区", "-5", "某-某"] {
            assert!(!is_unknown(text), "{text:?}");
        }
    }
}
