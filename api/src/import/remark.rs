//! What has to be said of a cell or a row, in both languages.

use intake::document::Fault as Read;
use serde::{Deserialize, Serialize};

use super::words;
use crate::problem::{Fault, Problem};

/// Something to be said of a row, and of which of its cells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The letter of the column; none if it is about the row.
    pub column: Option<String>,
    /// The field that the column is for.
    pub field: Option<String>,
    /// The stable code.
    pub code: String,
    /// The text of the cell, as it stands.
    pub text: Option<String>,
    /// What is said, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Remark {
    /// About a row as a whole.
    pub fn of_row(code: &str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            column: None,
            field: None,
            code: code.to_owned(),
            text: None,
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// What is wrong with a cell that could not be read.
    #[must_use]
    pub fn of_cell(fault: &Read) -> Self {
        let (zh, en) = words::of_fault(fault.code, &fault.data);
        Self {
            column: fault.column.clone(),
            field: Some(fault.field.to_string()),
            code: fault.code.to_string(),
            text: Some(fault.text.clone()),
            zh,
            en,
        }
    }

    /// A fault of the library's rules; its pointer names the field.
    #[must_use]
    pub fn of_fault(fault: &Fault) -> Self {
        let (zh, en) = fault.said();
        let pointer = fault.pointer().unwrap_or_default();
        let field = pointer.split('/').nth(1).filter(|name| !name.is_empty());
        Self {
            field: field.map(str::to_owned),
            ..Self::of_row(fault.code(), zh, en)
        }
    }

    /// Everything that a refusal says.
    #[must_use]
    pub fn of_problem(problem: Problem) -> Vec<Self> {
        problem.at("").iter().map(Self::of_fault).collect()
    }
}
