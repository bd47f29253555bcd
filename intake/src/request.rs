//! What the caller knows of a file before it is read.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::coded::coded;
use crate::field::{Field, NoField};
use crate::unit::Unit;

coded! {
    /// What the rows of a file are.
    pub enum Kind {
        /// Projects.
        Projects => "projects",
        /// Places in annual plans (年度计划).
        AnnualPlans => "annual_plans",
        /// Investment figures by month (月度投资).
        MonthlyFigures => "monthly_figures",
        /// Permits (手续).
        Approvals => "approvals",
        /// Targets (目标).
        Targets => "targets",
    }
}

/// What a column is to be taken for, by somebody's word. It is written as a field or as `ignore`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assigned {
    /// This field.
    Field(Field),
    /// Nothing.
    Ignore,
}

impl fmt::Display for Assigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => field.fmt(f),
            Self::Ignore => f.write_str("ignore"),
        }
    }
}

impl FromStr for Assigned {
    type Err = NoField;

    fn from_str(text: &str) -> Result<Self, NoField> {
        match text {
            "ignore" => Ok(Self::Ignore),
            field => field.parse().map(Self::Field),
        }
    }
}

impl Serialize for Assigned {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Assigned {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// How a sheet is to be read, as somebody corrected it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Correction {
    /// The name of the sheet; none for every sheet.
    pub sheet: Option<String>,
    /// The first and the last row of the headings, from 1.
    pub header_rows: Option<(u32, u32)>,
    /// What columns are for, by letter or by heading (its parts joined by `|`).
    pub columns: BTreeMap<String, Assigned>,
}

/// How a file is to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What its rows are.
    pub kind: Kind,
    /// The unit of amounts for which the file tells none.
    #[serde(default)]
    pub default_unit: Option<Unit>,
    /// Corrections of this file.
    #[serde(default)]
    pub mapping: Vec<Correction>,
    /// What columns of these headings were for in earlier files of the same sender.
    #[serde(default)]
    pub remembered: BTreeMap<String, Assigned>,
}

impl Request {
    /// A request that knows nothing but the kind.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        Self {
            kind,
            default_unit: None,
            mapping: Vec::new(),
            remembered: BTreeMap::new(),
        }
    }
}
