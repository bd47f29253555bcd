//! A roll-up as a table for people (汇总表).

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use chrono::SecondsFormat;
use domain::coded::Coded;
use domain::rollup::Measures;
use domain::stage::{Condition, Stage};
use domain::tier::InvestmentTier;
use sea_orm::ConnectionTrait;

use super::Summed;
use crate::clock::Clock;
use crate::print::{Cell, Column, Sheet, Table};
use crate::problem::{Language, Problem};
use crate::store::counting::Base;
use crate::store::reference::chain::Chain;
use crate::store::reference::list::List;
use crate::store::reference::names;
use crate::store::reference::programme::Programme;
use crate::store::reference::region::Region;
use crate::store::reference::sector::Sector;
use crate::store::reference::unit::Unit;
use crate::store::summary::Dimension;
use crate::store::{Db, Failure};

/// What people call the values of a dimension, by code.
type Names = BTreeMap<String, String>;

/// The answer to who wants a table.
pub(super) async fn answer(
    db: &Db,
    sheet: Sheet,
    summed: &Summed,
) -> Result<HttpResponse, Problem> {
    let mut all = Vec::new();
    for (place, dimension) in summed.question.group_by.iter().enumerate() {
        let keys = summed.answer.cells.iter();
        let codes: Vec<String> = keys.filter_map(|c| c.keys.get(place)?.clone()).collect();
        let names = named(db.reader(), *dimension, &codes, sheet.language).await;
        all.push(names.map_err(Failure::told)?);
    }
    sheet.answer(table(sheet, db.clock(), summed, &all))
}

/// What the values of a dimension are called.
async fn named(
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

const fn heading(dimension: Dimension, language: Language) -> &'static str {
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

fn table(sheet: Sheet, clock: Clock, summed: &Summed, names: &[Names]) -> Table {
    let language = sheet.language;
    let link = summed.link();
    let rows = summed.answer.cells.iter().map(|cell| {
        let keys = cell.keys.iter().zip(names);
        let keys = keys.map(|(key, names)| {
            let name = |code: &String| names.get(code).unwrap_or(code).clone();
            Cell::text(key.as_ref().map(name))
        });
        let mut row: Vec<Cell> = keys.collect();
        if row.is_empty() {
            row.push(Cell::Text(language.choose("全部", "All").to_owned()));
        }
        row.extend(measured(&cell.measures));
        row.push(Cell::Text(link.to(&summed.keys(cell), None)));
        row
    });
    let dimensions = summed.question.group_by.len().max(1);
    let mut total = vec![Cell::Nothing; dimensions];
    if let Some(first) = total.first_mut() {
        *first = Cell::Text(language.choose("合计", "Total").to_owned());
    }
    total.extend(measured(&summed.answer.total));
    total.push(Cell::Text(link.to(&[], None)));
    Table {
        name: format!("summary-{}", clock.day_of(summed.as_of)),
        title: language
            .choose("重大项目汇总表", "Major projects, added up")
            .to_owned(),
        notes: notes(sheet, clock, summed),
        columns: columns(summed, language),
        rows: rows.collect(),
        total: Some(total),
    }
}

fn columns(summed: &Summed, language: Language) -> Vec<Column> {
    let dimensions = &summed.question.group_by;
    let mut columns: Vec<Column> = dimensions
        .iter()
        .map(|dimension| Column::of(heading(*dimension, language)))
        .collect();
    if columns.is_empty() {
        columns.push(Column::of(language.choose("范围", "Projects counted")));
    }
    let year = summed.question.year;
    let (planned, completed) = match language {
        Language::Chinese => (
            format!("{year} 年度计划投资"),
            format!("{year} 年度完成投资"),
        ),
        Language::English => (
            format!("Annual plan of {year}"),
            format!("Completed in {year}"),
        ),
    };
    columns.extend([
        Column::of(language.choose("项目数", "Projects")),
        Column::of(language.choose("金额准确的项目数", "With an exact amount")),
        Column::of_amounts(language.choose("准确金额合计", "Exact amounts")),
        Column::of(language.choose("只有下限的项目数", "With a lower bound only")),
        Column::of_amounts(language.choose("金额下限合计", "Lower bounds")),
        Column::of(language.choose("金额未定的项目数", "Undetermined")),
        Column::of_amounts(planned),
        Column::of_amounts(completed),
        Column::of_amounts(language.choose("累计完成投资", "Completed to date")),
        Column::of_amounts(language.choose("累计到位资金", "Funds received")),
        Column::of(language.choose("项目查询", "Query of the projects")),
    ]);
    columns
}

/// The measures in the order of their columns; amounts of which nothing was told are nothing, for what they would be is not
/// known.
fn measured(measures: &Measures) -> [Cell; 10] {
    let Measures {
        count,
        exact_count,
        exact_sum,
        floor_count,
        floor_sum,
        undetermined,
        annual_plan,
        completed_in_year,
        completed_total,
        funds_received,
    } = *measures;
    let sum = |count: u64, sum| match count {
        0 => Cell::Nothing,
        _ => Cell::Amount(sum),
    };
    [
        Cell::Count(count),
        Cell::Count(exact_count),
        sum(exact_count, exact_sum),
        Cell::Count(floor_count),
        sum(floor_count, floor_sum),
        Cell::Count(undetermined),
        sum(annual_plan.count, annual_plan.sum),
        sum(completed_in_year.count, completed_in_year.sum),
        sum(completed_total.count, completed_total.sum),
        sum(funds_received.count, funds_received.sum),
    ]
}

fn notes(sheet: Sheet, clock: Clock, summed: &Summed) -> Vec<String> {
    let language = sheet.language;
    let Summed {
        answer,
        question,
        filters,
        as_of,
    } = summed;
    let said = |zh: &str, en: &str, what: &str| match language {
        Language::Chinese => format!("{zh}：{what}"),
        Language::English => format!("{en}: {what}"),
    };
    // Exactly, so that the same can be asked for again.
    let as_of = clock
        .local(*as_of)
        .to_rfc3339_opts(SecondsFormat::AutoSi, false);
    let level = question.frame.level;
    let counting = match &answer.base {
        Base::Portfolio => language.choose("全库", "the whole library").to_owned(),
        Base::Lists(_) | Base::EachList(_) => answer.base.told(),
    };
    let covers = if answer.covers_all {
        language.choose("全部项目", "all projects")
    } else {
        language.choose("仅您可见的项目", "the projects that you may see")
    };
    let mut notes = vec![
        said("截至", "As of", &as_of),
        said("计数范围", "Counted", &counting),
        said(
            "统计口径",
            "Level",
            language.choose(level.label_zh(), level.label_en()),
        ),
        said("涵盖", "Covers", covers),
    ];
    let set: Vec<String> = filters
        .iter()
        .flat_map(|(name, values)| values.iter().map(move |value| format!("{name}={value}")))
        .collect();
    if !set.is_empty() {
        notes.push(said("筛选", "Filters", &set.join(" & ")));
    }
    if answer.inside_families > 0 {
        let inside = answer.inside_families.to_string();
        notes.push(said(
            "另有计入其上级的项目数",
            "Projects counted within a parent",
            &inside,
        ));
    }
    if let Some(rest) = &answer.not_broken_down {
        let rest = sheet.amount(rest.exact_sum);
        notes.push(said(
            "未分解到子项的准确金额",
            "Exact amounts not broken down to parts",
            &rest,
        ));
    }
    if !answer.additive {
        let why = language.choose(
            "同一项目可在多个清单上，各行之和与合计不符",
            "A project may stand on several lists, so the rows don't add up to the total",
        );
        notes.push(why.to_owned());
    }
    notes
}
