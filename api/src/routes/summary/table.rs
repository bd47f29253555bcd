//! A roll-up as a table for people (汇总表).

use actix_web::HttpResponse;
use domain::rollup::{Measures, Told};

use super::Summed;
use crate::clock::Clock;
use crate::print::{Cell, Column, Sheet, Table};
use crate::problem::{Language, Problem};
use crate::routes::table::{
    self, Names, Scope, instant, key_columns, keys, link_column, names_of, not_additive, said,
    set_cells, set_columns,
};
use crate::store::Db;

/// The answer to who wants a table.
pub(super) async fn answer(
    db: &Db,
    sheet: Sheet,
    summed: &Summed,
) -> Result<HttpResponse, Problem> {
    let cells = summed.answer.cells.iter();
    let cells: Vec<&[Option<String>]> = cells.map(|cell| cell.keys.as_slice()).collect();
    let group_by = &summed.question.group_by;
    let names = names_of(db.reader(), group_by, &cells, sheet.language).await?;
    sheet.answer(table(sheet, db.clock(), summed, &names))
}

fn table(sheet: Sheet, clock: Clock, summed: &Summed, names: &[Names]) -> Table {
    let language = sheet.language;
    let link = summed.link();
    let rows = summed.answer.cells.iter().map(|cell| {
        let mut row = keys(&cell.keys, names, language);
        row.extend(measured(&cell.measures));
        row.push(Cell::Text(link.to(&summed.keys(cell), None)));
        row
    });
    let mut total = table::total(&summed.question.group_by, language);
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
    let mut columns = key_columns(&summed.question.group_by, language);
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
    columns.extend(set_columns("", language));
    columns.extend([
        Column::of_amounts(planned),
        Column::of_amounts(completed),
        Column::of_amounts(language.choose("累计完成投资", "Completed to date")),
        Column::of_amounts(language.choose("累计到位资金", "Funds received")),
        link_column(language),
    ]);
    columns
}

/// The measures in the order of their columns; amounts of which nothing was told are nothing, for what they would be is not
/// known.
fn measured(measures: &Measures) -> impl Iterator<Item = Cell> {
    let sum = |told: Told| match told.count {
        0 => Cell::Nothing,
        _ => Cell::Amount(told.sum),
    };
    let told = [
        measures.annual_plan,
        measures.completed_in_year,
        measures.completed_total,
        measures.funds_received,
    ];
    set_cells(measures).into_iter().chain(told.map(sum))
}

fn notes(sheet: Sheet, clock: Clock, summed: &Summed) -> Vec<String> {
    let language = sheet.language;
    let Summed {
        answer,
        question,
        filters,
        as_of,
    } = summed;
    let scope = Scope {
        base: &answer.base,
        level: question.frame.level,
        covers_all: answer.covers_all,
        filters,
    };
    let mut notes = vec![said(language, "截至", "As of", &instant(clock, *as_of))];
    notes.extend(scope.notes(language));
    if answer.inside_families > 0 {
        let inside = answer.inside_families.to_string();
        notes.push(said(
            language,
            "另有计入其上级的项目数",
            "Projects counted within a parent",
            &inside,
        ));
    }
    if let Some(rest) = &answer.not_broken_down {
        let rest = sheet.amount(rest.exact_sum);
        notes.push(said(
            language,
            "未分解到子项的准确金额",
            "Exact amounts not broken down to parts",
            &rest,
        ));
    }
    if !answer.additive {
        notes.push(not_additive(language));
    }
    notes
}
