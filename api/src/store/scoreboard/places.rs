//! The regions of a scoreboard, as they are or were.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, EntityTrait};
use serde::{Deserialize, Serialize};

use crate::entity::region;
use crate::store::Failure;
use crate::store::reference::region::parents;

/// A region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// Its code.
    pub(super) code: String,
    /// Its name.
    pub(super) name: String,
    /// The region that it lies in.
    parent: Option<String>,
    /// The first year in which it exists; none if it always has.
    valid_from: Option<i32>,
    /// The last year in which it exists; none if it still does.
    valid_to: Option<i32>,
}

impl Place {
    fn is_valid_in(&self, year: i32) -> bool {
        self.valid_from.is_none_or(|from| from <= year) && self.valid_to.is_none_or(|to| year <= to)
    }
}

/// Regions, and which lies in which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Places(Vec<Place>);

impl Places {
    /// All that there were at an instant, or are now, by code. Names and years are those of now; of a region that is
    /// there no more they are not known.
    pub(super) async fn read(
        db: &impl ConnectionTrait,
        as_of: Option<DateTime<Utc>>,
    ) -> Result<Self, Failure> {
        let rows = region::Entity::find().all(db).await?;
        let named = rows.into_iter().map(|row| (row.code.clone(), row));
        let named: BTreeMap<String, region::Model> = named.collect();
        let places = parents(db, as_of).await?.into_iter().map(|(code, parent)| {
            let row = named.get(&code);
            Place {
                name: row.map_or(&code, |row| &row.name).clone(),
                code,
                parent,
                valid_from: row.and_then(|row| row.valid_from),
                valid_to: row.and_then(|row| row.valid_to),
            }
        });
        Ok(Self(places.collect()))
    }

    /// Whether there is such a region.
    pub(super) fn has(&self, code: &str) -> bool {
        self.0.iter().any(|place| place.code == code)
    }

    /// Those of a year that lie in no other.
    pub(super) fn roots(&self, year: i32) -> Vec<&str> {
        let roots = self.0.iter().filter(|place| place.parent.is_none());
        let of_year = roots.filter(|place| place.is_valid_in(year));
        of_year.map(|place| place.code.as_str()).collect()
    }

    /// Those of a year that lie in a region directly.
    pub(super) fn within(&self, code: &str, year: i32) -> impl Iterator<Item = &Place> {
        let parts = self.parts(code);
        parts.filter(move |place| place.is_valid_in(year))
    }

    /// A region and everything within it.
    pub(super) fn subtree(&self, code: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open = vec![code.to_owned()];
        while let Some(code) = open.pop() {
            let parts = self.parts(&code).map(|place| place.code.clone());
            open.extend(parts.filter(|part| !found.contains(part)));
            found.insert(code);
        }
        found
    }

    fn parts(&self, code: &str) -> impl Iterator<Item = &Place> {
        let places = self.0.iter();
        places.filter(move |place| place.parent.as_deref() == Some(code))
    }
}
