//! A data set: a directory of CSV files with reference data and existing projects.
//!
//! The files and their columns are documented in `data/panjin/README.md`; each may be missing, and
//! `|` separates several values of one field. What is wrong is told with file, line and column.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::NaiveDate;
use domain::approval::{AppliesTo, ApprovalItem};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::store::reference::list::List;
use crate::store::reference::named::{Chain, Programme};
use crate::store::reference::region::Region;
use crate::store::reference::sector::Sector;
use crate::store::reference::unit::Unit;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// A data set, as read; its values are checked when it is loaded.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Regions, with their codes.
    pub regions: Vec<(String, Region)>,
    /// Units.
    pub units: Vec<(String, Unit)>,
    /// Programmes.
    pub programmes: Vec<(String, Programme)>,
    /// Sectors.
    pub sectors: Vec<(String, Sector)>,
    /// Industrial chains.
    pub chains: Vec<(String, Chain)>,
    /// Lists.
    pub lists: Vec<(String, List)>,
    /// Which approvals which projects need; none to leave them as they are.
    pub approval_rules: Vec<(AppliesTo, ApprovalItem)>,
    /// Targets and entered actuals, with the lines they stand on.
    pub targets: Vec<(u64, TargetRow)>,
    /// Existing projects, with the lines they stand on.
    pub projects: Vec<(u64, ProjectRow)>,
}

/// Why a data set can't be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// The directory or a file can't be read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The directory has none of the files.
    #[error(
        "{0}: no regions.csv, units.csv, programmes.csv, sectors.csv, chains.csv, lists.csv, approval_rules.csv, targets.csv or projects.csv in it"
    )]
    Empty(String),
    /// A line that means nothing.
    #[error("{file}: {why}")]
    Malformed {
        /// Which file.
        file: String,
        /// What is wrong, with line and column.
        why: String,
    },
}

/// A line of `projects.csv`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectRow {
    /// What the source calls it: the same line is not taken over twice.
    #[serde(rename = "ref")]
    pub external_ref: String,
    /// 项目代码.
    pub code: String,
    /// 项目名称.
    pub name: String,
    /// 别名.
    pub aliases: String,
    /// The `ref` of the project that it is part of.
    pub parent_ref: String,
    /// `whole`, `parts` or `separate`.
    pub family_counting: String,
    /// The codes of its lists.
    pub lists: String,
    /// The code of its region.
    pub region: String,
    /// The code of its unit.
    pub unit: String,
    /// The code of its programme.
    pub programme: String,
    /// The code of its sector.
    pub sector: String,
    /// The code of its chain.
    pub chain: String,
    /// 项目类型.
    pub kind: String,
    /// 业主; several are joined by a comma.
    pub owner: String,
    /// 统一社会信用代码.
    pub owner_uscc: String,
    /// Its stage.
    pub stage: String,
    /// 签约引进.
    pub signed_on: String,
    /// 培育落地.
    pub landed_on: String,
    /// 争取立项.
    pub funds_approved_on: String,
    /// 开工.
    pub started_on: String,
    /// 竣工.
    pub completed_on: String,
    /// 投产.
    pub commissioned_on: String,
    /// The words from which the stage was read.
    pub basis_quote: String,
    /// The document, and where in it.
    pub basis_source: String,
    /// The time of which it speaks.
    pub basis_as_of: String,
    /// `true` if the stage was inferred.
    pub basis_inferred: String,
    /// The exact total investment in 元.
    pub investment_exact: String,
    /// Its lower bound in 元.
    pub investment_floor: String,
    /// What the text says of the amount.
    pub investment_note: String,
    /// 建设规模.
    pub capacity: String,
    /// Anything else.
    pub note: String,
    /// `true` if it may be told to everybody.
    pub published: String,
}

/// A line of `targets.csv`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetRow {
    /// Its code.
    pub code: String,
    /// The plan that sets it.
    pub plan: String,
    /// The code of its region.
    pub region: String,
    /// The code of its programme.
    pub programme: String,
    /// The code of its sector.
    pub sector: String,
    /// The lowest tier that is in.
    pub from_tier: String,
    /// The highest tier that is in.
    pub up_to_tier: String,
    /// What is counted.
    pub metric: String,
    /// What the plan calls it.
    pub name: String,
    /// The first year.
    pub from_year: i32,
    /// The last year.
    pub to_year: i32,
    /// Whether the value is for every year.
    pub each_year: bool,
    /// How much, in the unit.
    pub value: String,
    /// The unit.
    pub unit: String,
    /// `target` or `actual`.
    pub kind: String,
    /// Twelve cumulative percents.
    #[serde(default)]
    pub schedule: String,
    /// The words of the plan.
    #[serde(default)]
    pub quote: String,
    /// The document, and where in it.
    #[serde(default)]
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionRow {
    code: String,
    name: String,
    kind: String,
    parent: String,
    valid_from: Option<i32>,
    valid_to: Option<i32>,
    #[serde(default)]
    aliases: String,
    #[serde(default)]
    opening_closed_on: Option<NaiveDate>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitRow {
    code: String,
    name: String,
    region: String,
    uscc: String,
    #[serde(default)]
    aliases: String,
}

/// What has a name and other names, and nothing else: programmes and chains.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NamedRow {
    code: String,
    name: String,
    #[serde(default)]
    aliases: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SectorRow {
    code: String,
    name: String,
    programme: String,
    approval_profile: String,
    #[serde(default)]
    aliases: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListRow {
    code: String,
    name: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovalRuleRow {
    applies_to: String,
    item: String,
}

/// Several values of one field.
pub(crate) fn several(field: &str) -> Vec<String> {
    field
        .split('|')
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A field that may be empty.
pub(crate) fn optional(field: &str) -> Option<String> {
    let trimmed = field.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

impl Catalogue {
    /// The projects of Panjin, which come with the service.
    ///
    /// # Errors
    /// [`CatalogueError::Malformed`] never, as a test holds.
    pub fn panjin() -> Result<Self, CatalogueError> {
        macro_rules! file {
            ($name:literal) => {
                ($name, include_str!(concat!("../../data/panjin/", $name)))
            };
        }
        Self::parse(&BTreeMap::from([
            file!("regions.csv"),
            file!("units.csv"),
            file!("programmes.csv"),
            file!("sectors.csv"),
            file!("chains.csv"),
            file!("lists.csv"),
            file!("targets.csv"),
            file!("projects.csv"),
        ]))
    }

    /// Reads a directory.
    ///
    /// # Errors
    /// [`CatalogueError`] with file, line and column.
    pub fn read(directory: &Path) -> Result<Self, CatalogueError> {
        let unreadable = |path: &Path, source| CatalogueError::Unreadable {
            path: path.display().to_string(),
            source,
        };
        let mut texts = BTreeMap::new();
        for name in FILES {
            let path = directory.join(name);
            match std::fs::metadata(&path) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                Err(e) => return Err(unreadable(&path, e)),
                Ok(file) if file.len() > MAX_FILE => {
                    let source = std::io::Error::other("more than 64 MiB");
                    return Err(unreadable(&path, source));
                }
                Ok(_) => {}
            }
            let text = std::fs::read_to_string(&path).map_err(|e| unreadable(&path, e))?;
            texts.insert(name, text);
        }
        if texts.is_empty() {
            return Err(CatalogueError::Empty(directory.display().to_string()));
        }
        let borrowed = texts.iter().map(|(name, text)| (*name, text.as_str()));
        Self::parse(&borrowed.collect())
    }

    fn parse(texts: &BTreeMap<&str, &str>) -> Result<Self, CatalogueError> {
        let regions = rows(texts, "regions.csv", |_, row: RegionRow| {
            let fields = Region {
                name: row.name,
                kind: row.kind,
                parent: optional(&row.parent),
                valid_from: row.valid_from,
                valid_to: row.valid_to,
                aliases: several(&row.aliases),
                opening_closed_on: row.opening_closed_on,
            };
            Ok((row.code, fields))
        })?;
        let units = rows(texts, "units.csv", |_, row: UnitRow| {
            let fields = Unit {
                name: row.name,
                region: row.region,
                uscc: optional(&row.uscc),
                aliases: several(&row.aliases),
            };
            Ok((row.code, fields))
        })?;
        let programmes = rows(texts, "programmes.csv", |_, row: NamedRow| {
            let fields = Programme {
                name: row.name,
                aliases: several(&row.aliases),
            };
            Ok((row.code, fields))
        })?;
        let sectors = rows(texts, "sectors.csv", |_, row: SectorRow| {
            let fields = Sector {
                name: row.name,
                programme: optional(&row.programme),
                approval_profile: row.approval_profile,
                aliases: several(&row.aliases),
            };
            Ok((row.code, fields))
        })?;
        let chains = rows(texts, "chains.csv", |_, row: NamedRow| {
            let fields = Chain {
                name: row.name,
                aliases: several(&row.aliases),
            };
            Ok((row.code, fields))
        })?;
        let lists = rows(texts, "lists.csv", |_, row: ListRow| {
            let fields = List {
                name: row.name,
                description: optional(&row.description),
            };
            Ok((row.code, fields))
        })?;
        let approval_rules = rows(texts, "approval_rules.csv", |_, row: ApprovalRuleRow| {
            let to = AppliesTo::from_code(&row.applies_to)
                .ok_or_else(|| format!("applies_to: there is no {}", row.applies_to))?;
            let item = ApprovalItem::from_code(&row.item)
                .ok_or_else(|| format!("item: there is no {}", row.item))?;
            Ok((to, item))
        })?;
        let targets = rows(texts, "targets.csv", |line, row: TargetRow| Ok((line, row)))?;
        let projects = rows(texts, "projects.csv", |line, row: ProjectRow| {
            Ok((line, row))
        })?;
        Ok(Self {
            regions,
            units,
            programmes,
            sectors,
            chains,
            lists,
            approval_rules,
            targets,
            projects,
        })
    }
}

const FILES: [&str; 9] = [
    "regions.csv",
    "units.csv",
    "programmes.csv",
    "sectors.csv",
    "chains.csv",
    "lists.csv",
    "approval_rules.csv",
    "targets.csv",
    "projects.csv",
];

fn rows<R: DeserializeOwned, T>(
    texts: &BTreeMap<&str, &str>,
    file: &str,
    convert: impl Fn(u64, R) -> Result<T, String>,
) -> Result<Vec<T>, CatalogueError> {
    let malformed = |why: String| CatalogueError::Malformed {
        file: file.to_owned(),
        why,
    };
    let Some(text) = texts.get(file) else {
        return Ok(Vec::new());
    };
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(|e| malformed(e.to_string()))?;
    let header = header.clone();
    let mut found = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|e| malformed(e.to_string()))?;
        // A quoted field may have several lines, so the rows don't number them.
        let line = record.position().map_or(0, csv::Position::line);
        let row = record
            .deserialize(Some(&header))
            .map_err(|e| malformed(e.to_string()))?;
        found.push(convert(line, row).map_err(|why| malformed(format!("line {line}: {why}")))?);
    }
    Ok(found)
}
