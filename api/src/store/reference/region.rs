//! Regions, with the closure that tells which lie within which.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use domain::region::{Region as DomainRegion, RegionCode, RegionKind, RegionTree};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait,
    QueryFilter,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Entry, Kind, common_faults, missing, still_told, to_json};
use crate::entity::region::{ActiveModel, Column, Entity, Model};
use crate::entity::{region_closure, region_closure_past};
use crate::input::read::Reader;
use crate::input::whole;
use crate::problem::Fault;
use crate::problem::value::unknown_code;
use crate::store::row::strings;
use crate::store::scoreboard::closing;
use crate::store::{Failure, Tx, corrupt, rollup};

/// What is said of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Its name.
    #[schema(min_length = 1, max_length = 200, example = "大洼区")]
    pub name: String,
    /// What it is.
    #[schema(value_type = crate::codes::RegionKindCode)]
    pub kind: String,
    /// The region that it lies in.
    #[schema(example = "211100")]
    pub parent: Option<String>,
    /// The first year in which it exists; none if it always has.
    #[serde(default, deserialize_with = "whole::one_or_none")]
    #[schema(minimum = 1949, maximum = 2200)]
    pub valid_from: Option<i32>,
    /// The last year in which it exists; none if it still does.
    #[serde(default, deserialize_with = "whole::one_or_none")]
    #[schema(minimum = 1949, maximum = 2200)]
    pub valid_to: Option<i32>,
    /// Other names it goes by.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub aliases: Vec<String>,
    /// The last day on which existing projects may be taken over here (期初导入截止).
    pub opening_closed_on: Option<NaiveDate>,
}

impl Kind for Region {
    const NAME: &'static str = "region";
    const NAME_ZH: &'static str = "地区";

    type Table = Entity;
    type Row = ActiveModel;

    fn code() -> Column {
        Column::Code
    }

    fn version() -> Column {
        Column::Version
    }

    fn entry(row: Model) -> Entry<Self> {
        let Model {
            code,
            name,
            kind,
            parent,
            valid_from,
            valid_to,
            aliases,
            opening_closed_on,
            version,
        } = row;
        Entry {
            code,
            version,
            fields: Region {
                name,
                kind,
                parent,
                valid_from,
                valid_to,
                aliases: strings(&aliases),
                opening_closed_on,
            },
        }
    }

    fn row(entry: Entry<Self>) -> ActiveModel {
        let Region {
            name,
            kind,
            parent,
            valid_from,
            valid_to,
            aliases,
            opening_closed_on,
        } = entry.fields;
        ActiveModel {
            code: Set(entry.code),
            name: Set(name),
            kind: Set(kind),
            parent: Set(parent),
            valid_from: Set(valid_from),
            valid_to: Set(valid_to),
            aliases: Set(to_json(&aliases)),
            opening_closed_on: Set(opening_closed_on),
            version: Set(entry.version),
        }
    }

    fn keeping(self, present: &Self) -> Self {
        Self {
            opening_closed_on: self.opening_closed_on.or(present.opening_closed_on),
            ..self
        }
    }

    async fn faults(&self, tx: &Tx, code: &str) -> Result<Vec<Fault>, Failure> {
        let mut faults = common_faults(code, &self.name, &self.aliases);
        if RegionCode::parse(code).is_err() {
            faults.push(Fault::at(
                "/code",
                "invalid_region_code",
                "地区代码为 6 位数字（GB/T 2260），功能区在其后加连字符和小写字母或数字",
                "A region code has 6 digits (GB/T 2260); a functional zone adds a hyphen and lower-case letters or digits",
            ));
        }
        if RegionKind::from_code(&self.kind).is_none() {
            faults.push(unknown_code("/kind", &self.kind));
        }
        let years = [
            ("/valid_from", self.valid_from),
            ("/valid_to", self.valid_to),
        ];
        for (pointer, year) in years {
            if year.is_some_and(|year| !(1949..=2200).contains(&year)) {
                faults.push(Fault::at(
                    pointer,
                    "year_out_of_range",
                    "年份须在 1949 至 2200 之间",
                    "The year has to be from 1949 to 2200",
                ));
            }
        }
        if let (Some(from), Some(to)) = (self.valid_from, self.valid_to)
            && to < from
        {
            faults.push(Fault::at(
                "/valid_to",
                "date_out_of_order",
                "止年早于起年",
                "The last year is before the first",
            ));
        }
        if let Some(day) = self.opening_closed_on {
            let mut reader = Reader::default();
            reader.day("/opening_closed_on", day);
            faults.append(&mut reader.faults);
        }
        if self.parent.as_deref() == Some(code) {
            faults.push(Fault::at(
                "/parent",
                "region_cycle",
                "地区不能是自己的上级",
                "A region can't lie in itself",
            ));
        } else {
            faults.extend(missing::<Self>(&tx.db, "/parent", self.parent.as_deref()).await?);
        }
        Ok(faults)
    }

    async fn changed(tx: &Tx) -> Result<(), Failure> {
        rebuild_closure(tx).await?;
        // Names and years are told with numbers too.
        rollup::touch(tx).await
    }

    async fn going(tx: &Tx, code: &str) -> Result<(), Failure> {
        if closing::tells_of(&tx.db, code).await? {
            return Err(still_told());
        }
        let within = region_closure::Entity::find()
            .filter(
                Condition::any()
                    .add(region_closure::Column::Ancestor.eq(code))
                    .add(region_closure::Column::Descendant.eq(code)),
            )
            .all(&tx.db)
            .await?;
        for row in within {
            part(tx, row).await?;
        }
        rollup::touch(tx).await
    }
}

/// From now on, one region does not lie within another any more; before, it did.
async fn part(tx: &Tx, row: region_closure::Model) -> Result<(), Failure> {
    let region_closure::Model {
        ancestor,
        descendant,
        recorded_at,
    } = row;
    region_closure::Entity::delete_by_id((ancestor.clone(), descendant.clone()))
        .exec(&tx.db)
        .await?;
    let past = region_closure_past::ActiveModel {
        ancestor: Set(ancestor),
        descendant: Set(descendant),
        recorded_at: Set(recorded_at),
        superseded_at: Set(tx.now()),
    };
    region_closure_past::Entity::insert(past)
        .exec_without_returning(&tx.db)
        .await?;
    Ok(())
}

/// Whether there is no other region than these.
pub(crate) async fn are_all(
    db: &impl ConnectionTrait,
    codes: &BTreeSet<&str>,
) -> Result<bool, Failure> {
    let others = Entity::find().filter(Column::Code.is_not_in(codes.iter().copied()));
    Ok(others.count(db).await? == 0)
}

/// All regions as the domain's tree; it refuses cycles and depth.
pub(crate) async fn tree(db: &impl ConnectionTrait) -> Result<RegionTree, Failure> {
    let rows = Entity::find().all(db).await?;
    let code = |code: &str| RegionCode::parse(code).map_err(|_| corrupt(code));
    let mut regions = Vec::with_capacity(rows.len());
    for row in rows {
        regions.push(DomainRegion {
            code: code(&row.code)?,
            kind: RegionKind::from_code(&row.kind).ok_or_else(|| corrupt(&row.kind))?,
            parent: row.parent.as_deref().map(code).transpose()?,
            name: row.name,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
        });
    }
    Ok(RegionTree::new(regions)?)
}

/// The regions that there were at an instant, as the domain's tree; without one, all there are.
pub(crate) async fn tree_as_of(
    db: &impl ConnectionTrait,
    as_of: Option<DateTime<Utc>>,
) -> Result<RegionTree, Failure> {
    let tree = tree(db).await?;
    if as_of.is_none() {
        return Ok(tree);
    }
    let parents = parents(db, as_of).await?;
    let then = tree.iter().filter_map(|region| {
        let parent = parents.get(region.code.as_str())?.as_deref();
        let parent = parent.and_then(|parent| RegionCode::parse(parent).ok());
        Some(DomainRegion {
            // One that is there no more has no name any more, and nothing is told of it.
            parent: parent.filter(|parent| tree.iter().any(|other| other.code == *parent)),
            ..region.clone()
        })
    });
    Ok(RegionTree::new(then)?)
}

/// What each region lay directly in at an instant, or lies in now, by code.
pub(crate) async fn parents(
    db: &impl ConnectionTrait,
    as_of: Option<DateTime<Utc>>,
) -> Result<BTreeMap<String, Option<String>>, Failure> {
    let above = above(db, as_of).await?;
    let parents = above.iter().map(|(code, ancestors)| {
        let depth = |above_it: &&String| above.get(*above_it).map_or(0, BTreeSet::len);
        let others = ancestors.iter().filter(|ancestor| *ancestor != code);
        (code.clone(), others.max_by_key(depth).cloned())
    });
    Ok(parents.collect())
}

/// Of each region, itself and those that it lies in, at an instant or now.
async fn above(
    db: &impl ConnectionTrait,
    as_of: Option<DateTime<Utc>>,
) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
    let mut above: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in region_closure::Entity::find().all(db).await? {
        let was_known = |instant| row.recorded_at.is_none_or(|at| at <= instant);
        if as_of.is_none_or(was_known) {
            above
                .entry(row.descendant)
                .or_default()
                .insert(row.ancestor);
        }
    }
    if let Some(instant) = as_of {
        let past = region_closure_past::Entity::find()
            .filter(region_closure_past::Column::SupersededAt.gt(instant))
            .filter(
                Condition::any()
                    .add(region_closure_past::Column::RecordedAt.is_null())
                    .add(region_closure_past::Column::RecordedAt.lte(instant)),
            );
        for row in past.all(db).await? {
            above
                .entry(row.descendant)
                .or_default()
                .insert(row.ancestor);
        }
    }
    Ok(above)
}

/// Which regions lie within which, by the tree.
async fn rebuild_closure(tx: &Tx) -> Result<(), Failure> {
    let tree = tree(&tx.db).await?;
    let wanted: BTreeSet<(String, String)> = tree
        .iter()
        .flat_map(|region| {
            tree.path(&region.code)
                .into_iter()
                .map(|above| (above.as_str().to_owned(), region.code.as_str().to_owned()))
        })
        .collect();
    let mut present = BTreeSet::new();
    for row in region_closure::Entity::find().all(&tx.db).await? {
        let pair = (row.ancestor.clone(), row.descendant.clone());
        if !wanted.contains(&pair) {
            part(tx, row).await?;
        }
        present.insert(pair);
    }
    for (ancestor, descendant) in wanted.difference(&present) {
        let row = region_closure::ActiveModel {
            ancestor: Set(ancestor.clone()),
            descendant: Set(descendant.clone()),
            recorded_at: Set(Some(tx.now())),
        };
        region_closure::Entity::insert(row)
            .exec_without_returning(&tx.db)
            .await?;
    }
    Ok(())
}
