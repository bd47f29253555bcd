//! How far targets are reached, as a table for people (目标完成情况表).

use actix_web::HttpResponse;
use domain::money::Total;
use domain::target::{Target, TargetUnit};
use domain::tier::InvestmentTier;

use super::{Answer, projects};
use crate::clock::Clock;
use crate::print::{Cell, Column, Sheet, Table};
use crate::problem::{Language, Problem};
use crate::routes::table::{
    Names, covers, filters, heading, instant, link_column, name_in, named, said,
};
use crate::store::attainment::Held;
use crate::store::summary::Dimension;
use crate::store::{Db, Failure};

/// By what a target is limited that has a name.
const SCOPES: [Dimension; 3] = [Dimension::Region, Dimension::Programme, Dimension::Sector];

/// The answer to who wants a table.
pub(super) async fn answer(
    db: &Db,
    sheet: Sheet,
    answer: &Answer,
) -> Result<HttpResponse, Problem> {
    let mut names = Vec::new();
    for (place, dimension) in SCOPES.into_iter().enumerate() {
        let targets = answer.held.iter().map(|held| &held.record.target);
        let codes: Vec<String> = targets
            .filter_map(|target| scopes(target).into_iter().nth(place).flatten())
            .collect();
        let found = named(db.reader(), dimension, &codes, sheet.language).await;
        names.push(found.map_err(Failure::told)?);
    }
    sheet.answer(table(sheet, db.clock(), answer, &names))
}

/// The codes of a target's scopes.
fn scopes(target: &Target) -> [Option<String>; 3] {
    [
        Some(target.region.to_string()),
        target.programme.as_ref().map(ToString::to_string),
        target.sector.as_ref().map(ToString::to_string),
    ]
}

fn table(sheet: Sheet, clock: Clock, answer: &Answer, names: &[Names]) -> Table {
    let language = sheet.language;
    let rows = answer.held.iter();
    let rows = rows.map(|held| row(sheet, answer, held, names));
    let mut notes = vec![
        said(language, "截至", "As of", &instant(clock, answer.as_of)),
        said(
            language,
            "时间计至",
            "Time up to",
            &answer.today.to_string(),
        ),
        covers(language, answer.covers_all),
    ];
    notes.extend(filters(language, &answer.filters));
    notes.push(sheet.rounding());
    Table {
        name: format!("attainment-{}", answer.today),
        title: language
            .choose("目标完成情况表", "How far targets are reached")
            .to_owned(),
        notes,
        columns: columns(language),
        rows: rows.collect(),
        // Projects and money, a year and five: together they mean nothing.
        total: None,
    }
}

fn row(sheet: Sheet, answer: &Answer, held: &Held, names: &[Names]) -> Vec<Cell> {
    let language = sheet.language;
    let target = &held.record.target;
    let text = |zh: &str, en: &str| Cell::Text(language.choose(zh, en).to_owned());
    let mut row = vec![
        Cell::Text(target.code.to_string()),
        Cell::Text(target.plan.to_string()),
        Cell::Text(target.name.to_string()),
    ];
    let scopes = scopes(target).into_iter().zip(names);
    row.extend(scopes.map(|(code, names)| name_in(names, code.as_deref())));
    let tier = |tier: Option<InvestmentTier>| {
        tier.map_or(Cell::Nothing, |tier| text(tier.label_zh(), tier.label_en()))
    };
    let unit = match target.unit {
        TargetUnit::Yuan => Cell::Text(sheet.unit_name().to_owned()),
        other @ (TargetUnit::Project | TargetUnit::Usd | TargetUnit::Percent | TargetUnit::Mu) => {
            text(other.label_zh(), other.label_en())
        }
    };
    row.extend([
        tier(target.from_tier),
        tier(target.up_to_tier),
        text(target.metric.label_zh(), target.metric.label_en()),
        period(language, target),
        unit,
    ]);
    row.extend(reached(language, held));
    let entered = held
        .entered
        .map(|entered| value(target.unit, entered.into()));
    row.extend([
        if held.is_derived {
            text("项目库", "derived")
        } else {
            text("填报", "entered")
        },
        entered.unwrap_or(Cell::Nothing),
        Cell::text(projects(target, answer.asked_as_of)),
    ]);
    row
}

/// How far it is reached; what is not known is nothing.
fn reached(language: Language, held: &Held) -> Vec<Cell> {
    let target = &held.record.target;
    let of = |total| value(target.unit, total);
    let Some(reached) = &held.attainment else {
        let mut cells = vec![of(target.goal())];
        cells.extend(vec![Cell::Nothing; 9]);
        return cells;
    };
    let state = reached.state;
    vec![
        of(reached.goal),
        of(reached.attained),
        Cell::Count(reached.may_belong),
        reached.rate.map_or(Cell::Nothing, Cell::Percent),
        Cell::Percent(reached.elapsed),
        of(reached.expected),
        of(reached.ahead),
        reached.forecast.map_or(Cell::Nothing, of),
        of(reached.missing),
        Cell::Text(
            language
                .choose(state.label_zh(), state.label_en())
                .to_owned(),
        ),
    ]
}

/// A value in its unit: money in the reader's, and projects come whole.
fn value(unit: TargetUnit, value: Total) -> Cell {
    match unit {
        TargetUnit::Yuan => Cell::Amount(value),
        TargetUnit::Project => {
            let whole = i64::try_from(value.fen() / 100);
            whole.map_or(Cell::Number(value), Cell::Whole)
        }
        TargetUnit::Usd | TargetUnit::Percent | TargetUnit::Mu => Cell::Number(value),
    }
}

fn period(language: Language, target: &Target) -> Cell {
    let (from, to) = (target.period.from_year, target.period.to_year);
    if from == to {
        return Cell::Text(from.to_string());
    }
    let each = if target.each_year {
        language.choose("（逐年）", ", each year")
    } else {
        ""
    };
    Cell::Text(format!("{from}–{to}{each}"))
}

fn columns(language: Language) -> Vec<Column> {
    let of = |zh, en| Column::of(language.choose(zh, en));
    let mut columns = vec![of("代码", "Code"), of("规划", "Plan"), of("目标", "Target")];
    columns.extend(SCOPES.map(|dimension| Column::of(heading(dimension, language))));
    columns.extend([
        of("最低投资分档", "Lowest tier"),
        of("最高投资分档", "Highest tier"),
        of("指标", "Metric"),
        of("期间", "Period"),
        of("单位", "Unit"),
        of("目标值", "Goal"),
        of("已完成", "Reached"),
        of("可能属于的项目数", "Projects that may belong"),
        of("完成率", "Rate"),
        of("时间进度", "Time over"),
        of("应完成", "Expected by now"),
        of("超前或落后", "Ahead or behind"),
        of("预计期末完成", "Forecast"),
        of("尚缺", "Missing"),
        of("状态", "State"),
        of("依据", "Basis"),
        of("填报实绩", "Entered"),
        link_column(language),
    ]);
    columns
}
