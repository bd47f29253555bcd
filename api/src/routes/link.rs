//! The way from a number to the projects behind it.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::family::Level;
use serde_json::Value;

use crate::store::counting::{Base, Frame};
use crate::store::summary::Dimension;

/// Parameters that say how numbers are told, not of which projects.
const NO_FILTERS: [&str; 8] = [
    "group_by",
    "year",
    "level",
    "as_of",
    "from",
    "to",
    "compare",
    "money_unit",
];

/// The parameters as they were sent, by name.
pub(super) fn sent(query: &str) -> BTreeMap<String, Vec<String>> {
    let pairs: Vec<(String, String)> = serde_html_form::from_str(query).unwrap_or_default();
    let mut sent: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        sent.entry(name).or_default().push(value);
    }
    sent
}

/// The filters among them.
pub(super) fn set_filters(query: &str) -> BTreeMap<String, Vec<String>> {
    let mut filters = sent(query);
    filters.retain(|name, _| !NO_FILTERS.contains(&name.as_str()));
    filters
}

/// A path with parameters.
pub(super) fn query(path: &str, parameters: &[(&str, String)]) -> String {
    let query = serde_html_form::to_string(parameters).unwrap_or_default();
    format!("{path}?{query}")
}

/// An instant as a parameter, to the microsecond.
pub(super) fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The values of a cell's dimensions as it tells them: a year is a number, anything else a code; null where projects
/// have none.
pub(super) fn told(keys: Vec<(Dimension, Option<String>)>) -> BTreeMap<&'static str, Value> {
    let value = |(dimension, key): (Dimension, Option<String>)| {
        let year: Option<i32> = match dimension {
            Dimension::StartedYear | Dimension::CompletedYear => {
                key.as_ref().and_then(|key| key.parse().ok())
            }
            Dimension::Tier
            | Dimension::Stage
            | Dimension::Condition
            | Dimension::Region
            | Dimension::List
            | Dimension::Programme
            | Dimension::Sector
            | Dimension::Chain
            | Dimension::Unit => None,
        };
        (
            dimension.code(),
            year.map_or_else(|| key.into(), Value::from),
        )
    };
    keys.into_iter().map(value).collect()
}

/// Makes the links from numbers to projects.
pub(super) struct Link<'a> {
    base: &'a Base,
    level: Level,
    as_of: Option<DateTime<Utc>>,
    filters: &'a BTreeMap<String, Vec<String>>,
}

impl<'a> Link<'a> {
    pub(super) fn new(
        base: &'a Base,
        frame: &Frame,
        filters: &'a BTreeMap<String, Vec<String>>,
    ) -> Self {
        Self {
            base,
            level: frame.level,
            as_of: frame.as_of,
            filters,
        }
    }

    /// The project query behind a cell: what it groups by takes the place of the filter of the same name. An account
    /// is a line of a year that they stand in.
    pub(super) fn to(
        &self,
        keys: &[(Dimension, Option<String>)],
        account: Option<String>,
    ) -> String {
        let list = keys
            .iter()
            .find(|(dimension, _)| *dimension == Dimension::List);
        let counting = match list {
            Some((_, Some(code))) => format!("list:{code}"),
            Some((_, None)) | None => self.base.told(),
        };
        let mut pairs = vec![
            ("counting", counting),
            ("level", self.level.code().to_owned()),
        ];
        if let Some(as_of) = self.as_of {
            pairs.push(("as_of", instant(as_of)));
        }
        pairs.extend(account.map(|account| ("account", account)));
        for (dimension, key) in keys.iter().filter(|(d, _)| *d != Dimension::List) {
            let value = key.clone().unwrap_or_else(|| "null".to_owned());
            pairs.push((dimension.parameter(), value));
        }
        // Lists that are named are what is counted; `list=null` is a filter and stays one.
        let is_replaced = |name: &str| match name {
            "list" => *self.base != Base::Portfolio,
            _ => keys
                .iter()
                .any(|(dimension, _)| dimension.parameter() == name),
        };
        for (name, values) in self.filters.iter().filter(|(name, _)| !is_replaced(name)) {
            pairs.extend(values.iter().map(|value| (name.as_str(), value.clone())));
        }
        query("/v1/projects", &pairs)
    }
}
