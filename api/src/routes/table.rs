//! What the tables of numbers have in common: the names of values, the headings, and the notes below the title.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use domain::coded::Coded;
use domain::family::Level;
use domain::rollup::Measures;
use domain::stage::{Condition, Stage};
use domain::tier::InvestmentTier;
use sea_orm::ConnectionTrait;

use crate::clock::Clock;
use crate::print::{Cell, Column};
use crate::problem::{Language, Problem};
use crate::store::Failure;
use crate::store::counting::Base;
use crate::store::reference::list::List;
use crate::store::reference::named::{Chain, Programme};
use crate::store::reference::names;
use crate::store::reference::region::Region;
use crate::store::reference::sector::Sector;
use crate::store::reference::unit::Unit;
use crate::store::summary::Dimension;

/// What people call the values of a dimension, by code.
pub(super) type Names = BTreeMap<String, String>;

/// What the values of each dimension of some cells are called.
pub(super) async fn names_of(
    db: &impl ConnectionTrait,
    group_by: &[Dimension],
    cells: &[&[Option<String>]],
    language: Language,
) -> Result<Vec<Names>, Problem> {
    let mut all = Vec::new();
    for (place, dimension) in group_by.iter().enumerate() {
        let keys = cells.iter();
        // Each once: there are fewer of them than cells.
        let codes: BTreeSet<String> = keys.filter_map(|keys| keys.get(place)?.clone()).collect();
        let codes: Vec<String> = codes.into_iter().collect();
        let names = named(db, *dimension, &codes, language).await;
        all.push(names.map_err(Failure::told)?);
    }
    Ok(all)
}

/// What some values of a dimension are called.
pub(super) async fn named(
    db: &impl ConnectionTrait,
    dimension: Dimension,
    codes: &[String],
    language: Language,
) -> Result<Names, Failure> {
    match dimension {
        Dimension::Tier => Ok(labels(InvestmentTier::ALL, |tier| {
            language.choose(tier.label_zh(), tier.label_en())
        })),
        Dimension::Stage => Ok(labels(Stage::ALL, |stage| {
            language.choose(stage.label_zh(), stage.label_en())
        })),
        Dimension::Condition => Ok(labels(Condition::ALL, |condition| {
            language.choose(condition.label_zh(), condition.label_en())
        })),
        Dimension::Region => names::<Region>(db, codes, |region| region.name).await,
        Dimension::List => names::<List>(db, codes, |list| list.name).await,
        Dimension::Programme => names::<Programme>(db, codes, |programme| programme.name).await,
        Dimension::Sector => names::<Sector>(db, codes, |sector| sector.name).await,
        Dimension::Chain => names::<Chain>(db, codes, |chain| chain.name).await,
        Dimension::Unit => names::<Unit>(db, codes, |unit| unit.name).await,
        // A year is what it is called.
        Dimension::StartedYear | Dimension::CompletedYear => Ok(Names::new()),
    }
}

fn labels<T: Coded>(values: &[T], label: impl Fn(T) -> &'static str) -> Names {
    let told = |value: &T| (value.as_code().to_owned(), label(*value).to_owned());
    values.iter().map(told).collect()
}

/// The name of a value, or its code where it has none; nothing where there is no value.
pub(super) fn name_in(names: &Names, code: Option<&str>) -> Cell {
    let name = |code: &str| names.get(code).map_or(code, String::as_str).to_owned();
    Cell::text(code.map(name))
}

/// The names of a cell's values; of all projects together, that it is all of them.
pub(super) fn keys(keys: &[Option<String>], names: &[Names], language: Language) -> Vec<Cell> {
    let cells = keys.iter().zip(names);
    let mut cells: Vec<Cell> = cells
        .map(|(key, names)| name_in(names, key.as_deref()))
        .collect();
    if cells.is_empty() {
        cells.push(Cell::Text(language.choose("全部", "All").to_owned()));
    }
    cells
}

/// What stands in the place of the names in the row of all together.
pub(super) fn total(group_by: &[Dimension], language: Language) -> Vec<Cell> {
    let mut cells = vec![Cell::Nothing; group_by.len().max(1)];
    if let Some(first) = cells.first_mut() {
        *first = Cell::Text(language.choose("合计", "Total").to_owned());
    }
    cells
}

/// The columns of the names.
pub(super) fn key_columns(group_by: &[Dimension], language: Language) -> Vec<Column> {
    let mut columns: Vec<Column> = group_by
        .iter()
        .map(|dimension| Column::of(heading(*dimension, language)))
        .collect();
    if columns.is_empty() {
        columns.push(Column::of(language.choose("范围", "Projects counted")));
    }
    columns
}

/// What a dimension is called.
pub(super) const fn heading(dimension: Dimension, language: Language) -> &'static str {
    match dimension {
        Dimension::Tier => language.choose("投资分档", "Tier"),
        Dimension::Stage => language.choose("阶段", "Stage"),
        Dimension::Condition => language.choose("状态", "Condition"),
        Dimension::Region => language.choose("地区", "Region"),
        Dimension::List => language.choose("清单", "List"),
        Dimension::Programme => language.choose("五大工程", "Programme"),
        Dimension::Sector => language.choose("行业", "Sector"),
        Dimension::Chain => language.choose("产业链", "Chain"),
        Dimension::Unit => language.choose("责任单位", "Responsible unit"),
        Dimension::StartedYear => language.choose("开工年份", "Year of start"),
        Dimension::CompletedYear => language.choose("竣工年份", "Year of completion"),
    }
}

/// The column of the links.
pub(super) fn link_column(language: Language) -> Column {
    Column::of(language.choose("项目查询", "Query of the projects"))
}

/// The columns of how many projects there are and what they come to, with a word before each heading.
pub(super) fn set_columns(before: &str, language: Language) -> [Column; 6] {
    let of = |zh: &str, en: &str| format!("{before}{}", language.choose(zh, en));
    [
        Column::of(of("项目数", "Projects")),
        Column::of(of("金额准确的项目数", "With an exact amount")),
        Column::of_amounts(of("准确金额合计", "Exact amounts")),
        Column::of(of("只有下限的项目数", "With a lower bound only")),
        Column::of_amounts(of("金额下限合计", "Lower bounds")),
        Column::of(of("金额未定的项目数", "Undetermined")),
    ]
}

/// How many projects there are and what they come to, in the order of the columns; the sum over no project is nothing,
/// for there is none.
pub(super) fn set_cells(measures: &Measures) -> [Cell; 6] {
    let sum = |count: u64, sum| match count {
        0 => Cell::Nothing,
        _ => Cell::Amount(sum),
    };
    [
        Cell::Count(measures.count),
        Cell::Count(measures.exact_count),
        sum(measures.exact_count, measures.exact_sum),
        Cell::Count(measures.floor_count),
        sum(measures.floor_count, measures.floor_sum),
        Cell::Count(measures.undetermined),
    ]
}

/// A note: what is told, and what it is.
pub(super) fn said(language: Language, zh: &str, en: &str, what: &str) -> String {
    match language {
        Language::Chinese => format!("{zh}：{what}"),
        Language::English => format!("{en}: {what}"),
    }
}

/// An instant in the reader's time: exactly, so that the same can be asked for again.
pub(super) fn instant(clock: Clock, at: DateTime<Utc>) -> String {
    clock
        .local(at)
        .to_rfc3339_opts(SecondsFormat::AutoSi, false)
}

/// Whether all projects are covered.
pub(super) fn covers(language: Language, covers_all: bool) -> String {
    let what = if covers_all {
        language.choose("全部项目", "all projects")
    } else {
        language.choose("仅您可见的项目", "the projects that you may see")
    };
    said(language, "涵盖", "Covers", what)
}

/// Of what a table is.
pub(super) struct Scope<'a> {
    pub(super) base: &'a Base,
    pub(super) level: Level,
    pub(super) covers_all: bool,
    pub(super) filters: &'a BTreeMap<String, Vec<String>>,
}

impl Scope<'_> {
    /// What is counted, how, of whom, and by which filters.
    pub(super) fn notes(&self, language: Language) -> Vec<String> {
        let counting = match self.base {
            Base::Portfolio => language.choose("全库", "the whole library").to_owned(),
            Base::Lists(_) | Base::EachList(_) => self.base.told(),
        };
        let level = language.choose(self.level.label_zh(), self.level.label_en());
        let mut notes = vec![
            said(language, "计数范围", "Counted", &counting),
            said(language, "统计口径", "Level", level),
            covers(language, self.covers_all),
        ];
        notes.extend(filters(language, self.filters));
        notes
    }
}

/// The filters that are set, if any are.
pub(super) fn filters(
    language: Language,
    filters: &BTreeMap<String, Vec<String>>,
) -> Option<String> {
    let set: Vec<String> = filters
        .iter()
        .flat_map(|(name, values)| values.iter().map(move |value| format!("{name}={value}")))
        .collect();
    (!set.is_empty()).then(|| said(language, "筛选", "Filters", &set.join(" & ")))
}

/// That the rows don't add up, where they don't.
pub(super) fn not_additive(language: Language) -> String {
    let why = language.choose(
        "同一项目可在多个清单上，各行之和与合计不符",
        "A project may stand on several lists, so the rows don't add up to the total",
    );
    why.to_owned()
}
