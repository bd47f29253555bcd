//! What people call the entries of the reference data, and which entry a text names.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use sea_orm::{ConnectionTrait, EntityTrait};

use crate::problem::Fault;
use crate::store::Failure;
use crate::store::reference::list::List;
use crate::store::reference::named::{Chain, Programme};
use crate::store::reference::region::Region;
use crate::store::reference::sector::Sector;
use crate::store::reference::unit::Unit;
use crate::store::reference::{Entry, Kind, labels};
use crate::store::search::fold;

/// The names of all that a project refers to.
pub(super) struct Names {
    pub(super) regions: Lookup,
    pub(super) units: Lookup,
    pub(super) programmes: Lookup,
    pub(super) sectors: Lookup,
    pub(super) chains: Lookup,
    lists: Lookup,
    /// The regions that are not in force this year.
    past_regions: BTreeSet<String>,
}

impl Names {
    pub(super) async fn read(db: &impl ConnectionTrait, today: NaiveDate) -> Result<Self, Failure> {
        let year = today.year();
        let is_in_force = |region: &Region| {
            region.valid_from.is_none_or(|from| from <= year)
                && region.valid_to.is_none_or(|to| year <= to)
        };
        let regions = all::<Region>(db).await?;
        let past_regions = regions
            .iter()
            .filter(|entry| !is_in_force(&entry.fields))
            .map(|entry| entry.code.clone())
            .collect();
        let names = |region: &Region| (region.name.clone(), region.aliases.clone());
        Ok(Self {
            regions: Lookup::of::<Region>(&regions, names),
            past_regions,
            units: Lookup::of::<Unit>(&all(db).await?, |unit: &Unit| {
                (unit.name.clone(), unit.aliases.clone())
            }),
            programmes: Lookup::of::<Programme>(&all(db).await?, |named: &Programme| {
                (named.name.clone(), named.aliases.clone())
            }),
            sectors: Lookup::of::<Sector>(&all(db).await?, |sector: &Sector| {
                (sector.name.clone(), sector.aliases.clone())
            }),
            chains: Lookup::of::<Chain>(&all(db).await?, |named: &Chain| {
                (named.name.clone(), named.aliases.clone())
            }),
            lists: Lookup::of::<List>(&all(db).await?, |list: &List| {
                (list.name.clone(), Vec::new())
            }),
        })
    }

    /// What lists are called, in one cell.
    pub(super) fn of_lists(&self, codes: &[String]) -> String {
        let names: Vec<&str> = codes.iter().map(|code| self.lists.label(code)).collect();
        names.join("、")
    }

    /// The region that a text names, by its code, a name, or an address that begins with a name.
    pub(super) fn region(&self, text: &str) -> Found {
        match self.regions.find(text) {
            Found::None => self.region_of_address(text),
            Found::Several(codes) => {
                let now = codes
                    .into_iter()
                    .filter(|code| !self.is_past(code))
                    .collect();
                Found::of(now)
            }
            found @ Found::One { .. } => found,
        }
    }

    /// Whether a region is not in force this year.
    pub(super) fn is_past(&self, region: &str) -> bool {
        self.past_regions.contains(region)
    }

    /// 盘锦市大洼区荣兴街道: the last region of those whose names follow each other from the beginning.
    fn region_of_address(&self, text: &str) -> Found {
        let folded = key(text);
        let mut rest = folded.as_str();
        let mut found = Vec::new();
        while let Some((name, codes)) = self.regions.longest_beginning(rest) {
            found.clone_from(codes);
            rest = rest.get(name.len()..).unwrap_or_default();
        }
        let now = found
            .into_iter()
            .filter(|code| !self.is_past(code))
            .collect();
        match Found::of(now) {
            Found::One { code, .. } => Found::One {
                code,
                is_guessed: true,
            },
            found @ (Found::None | Found::Several(_)) => found,
        }
    }
}

async fn all<K: Kind>(db: &impl ConnectionTrait) -> Result<Vec<Entry<K>>, Failure> {
    let rows = K::Table::find().all(db).await?;
    Ok(rows.into_iter().map(K::entry).collect())
}

/// What a text names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// One entry, by its code; guessed if the text says more than its name.
    One { code: String, is_guessed: bool },
    /// None.
    None,
    /// Any of several that have the same name.
    Several(Vec<String>),
}

impl Found {
    fn of(mut codes: Vec<String>) -> Self {
        match (codes.pop(), codes.is_empty()) {
            (None, _) => Self::None,
            (Some(code), true) => Self::One {
                code,
                is_guessed: false,
            },
            (Some(code), false) => {
                codes.push(code);
                Self::Several(codes)
            }
        }
    }
}

/// The entries of one kind by what they are called.
pub(super) struct Lookup {
    /// What each is shown as.
    labels: BTreeMap<String, String>,
    by_name: BTreeMap<String, Vec<String>>,
    what: (&'static str, &'static str),
}

impl Lookup {
    fn of<K: Kind>(entries: &[Entry<K>], names: impl Fn(&K) -> (String, Vec<String>)) -> Self {
        let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut shown = BTreeMap::new();
        for Entry { code, fields, .. } in entries {
            let (name, aliases) = names(fields);
            let keys: BTreeSet<String> = aliases.iter().chain([&name]).map(|n| key(n)).collect();
            for key in keys {
                by_name.entry(key).or_default().push(code.clone());
            }
            shown.insert(code.clone(), name);
        }
        Self {
            labels: labels(shown),
            by_name,
            what: (K::NAME, K::NAME_ZH),
        }
    }

    /// What an entry is shown as.
    pub(super) fn label<'a>(&'a self, code: &'a str) -> &'a str {
        self.labels.get(code).map_or(code, String::as_str)
    }

    /// Whether there is such an entry.
    pub(super) fn has(&self, code: &str) -> bool {
        self.labels.contains_key(code)
    }

    /// The entry that a text names: by its code, what it is shown as, its name or another name.
    pub(super) fn find(&self, text: &str) -> Found {
        let text = text.trim();
        if self.has(text) {
            return Found::of(vec![text.to_owned()]);
        }
        let shown: Vec<String> = self
            .labels
            .iter()
            .filter(|(_, label)| label.as_str() == text)
            .map(|(code, _)| code.clone())
            .collect();
        if shown.len() == 1 {
            return Found::of(shown);
        }
        Found::of(self.by_name.get(&key(text)).cloned().unwrap_or_default())
    }

    /// The longest name with which a text begins.
    fn longest_beginning(&self, text: &str) -> Option<(&String, &Vec<String>)> {
        self.by_name
            .iter()
            .filter(|(name, _)| text.starts_with(name.as_str()))
            .max_by_key(|(name, _)| name.len())
    }

    /// The code of the entry that a text names, or what is wrong with it.
    pub(super) fn code(&self, pointer: &str, text: &str, found: Found) -> Result<String, Fault> {
        let (what, zh) = self.what;
        match found {
            Found::One { code, .. } => Ok(code),
            Found::None => Err(Fault::at(
                pointer,
                format!("unknown_{what}"),
                format!("没有{zh}“{text}”"),
                format!("There is no {what} called \"{text}\""),
            )),
            Found::Several(codes) => Err(Fault::at(
                pointer,
                format!("ambiguous_{what}"),
                format!("有几个{zh}叫“{text}”，请写代码：{}", codes.join("、")),
                format!(
                    "Several are called \"{text}\"; write the code: {}",
                    codes.join(", ")
                ),
            )),
        }
    }
}

/// A name in one case and width, without blanks.
fn key(name: &str) -> String {
    fold(name).split_whitespace().collect()
}
