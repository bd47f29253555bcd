//! The changes of a summary as a table for people (增减变动表).

use std::collections::BTreeMap;

use actix_web::HttpResponse;
use domain::rollup::Difference;

use super::link;
use crate::clock::Clock;
use crate::print::{Cell, Column, Sheet, Table};
use crate::problem::{Language, Problem};
use crate::routes::table::{Scope, instant, link_column, said, set_cells, set_columns};
use crate::store::diff::{self, Diff, Group, Question};

/// The filters as they were sent.
type Filters = BTreeMap<String, Vec<String>>;

/// The answer to who wants a table.
pub(super) fn answer(
    sheet: Sheet,
    clock: Clock,
    question: &Question,
    found: &Diff,
    filters: &Filters,
) -> Result<HttpResponse, Problem> {
    let language = sheet.language;
    let rows = found.groups.iter();
    let rows = rows.map(|group| row(language, group, link(question, filters, group)));
    let total = language.choose("合计", "Total").to_owned();
    let mut total = vec![Cell::Text(total)];
    total.extend(vec![Cell::Nothing; 5]);
    total.extend(set_cells(&found.before));
    total.extend(set_cells(&found.after));
    total.extend(more(found.after.less(found.before)));
    total.push(Cell::Nothing);
    sheet.answer(Table {
        name: format!(
            "summary-diff-{}-{}",
            clock.day_of(question.from),
            clock.day_of(question.to)
        ),
        title: language
            .choose("重大项目增减变动表", "Major projects: what changed")
            .to_owned(),
        notes: notes(language, clock, question, found, filters),
        columns: columns(language),
        rows: rows.collect(),
        total: Some(total),
    })
}

fn row(language: Language, group: &Group, projects: String) -> Vec<Cell> {
    let Group {
        change,
        reason,
        from,
        to,
        before,
        after,
    } = *group;
    let text = |zh: &str, en: &str| Cell::Text(language.choose(zh, en).to_owned());
    let place = |cell: Option<diff::Cell>| match cell {
        None => [Cell::Nothing, Cell::Nothing],
        Some(diff::Cell { tier, stage }) => [
            text(tier.label_zh(), tier.label_en()),
            text(stage.label_zh(), stage.label_en()),
        ],
    };
    let mut row = vec![
        text(change.label_zh(), change.label_en()),
        reason.map_or(Cell::Nothing, |reason| {
            text(reason.label_zh(), reason.label_en())
        }),
    ];
    row.extend(place(from));
    row.extend(place(to));
    for (side, measures) in [(from, before), (to, after)] {
        match side {
            Some(_) => row.extend(set_cells(&measures)),
            None => row.extend(vec![Cell::Nothing; 6]),
        }
    }
    row.extend(more(after.less(before)));
    row.push(Cell::Text(projects));
    row
}

/// What is more after than before.
fn more(difference: Difference) -> [Cell; 6] {
    let Difference {
        count,
        exact_count,
        exact_sum,
        floor_count,
        floor_sum,
        undetermined,
    } = difference;
    [
        Cell::Whole(count),
        Cell::Whole(exact_count),
        Cell::Amount(exact_sum),
        Cell::Whole(floor_count),
        Cell::Amount(floor_sum),
        Cell::Whole(undetermined),
    ]
}

fn columns(language: Language) -> Vec<Column> {
    let of = |zh, en| Column::of(language.choose(zh, en));
    let mut columns = vec![
        of("变化", "Change"),
        of("原因", "Reason"),
        of("原投资分档", "Tier before"),
        of("原阶段", "Stage before"),
        of("现投资分档", "Tier after"),
        of("现阶段", "Stage after"),
    ];
    for (zh, en) in [
        ("变动前：", "Before: "),
        ("变动后：", "After: "),
        ("增减：", "More or less: "),
    ] {
        columns.extend(set_columns(language.choose(zh, en), language));
    }
    columns.push(link_column(language));
    columns
}

fn notes(
    language: Language,
    clock: Clock,
    question: &Question,
    found: &Diff,
    filters: &Filters,
) -> Vec<String> {
    let scope = Scope {
        base: &question.base,
        level: question.level,
        covers_all: found.covers_all,
        filters,
    };
    let mut notes = vec![
        said(language, "自", "From", &instant(clock, question.from)),
        said(language, "至", "To", &instant(clock, question.to)),
    ];
    notes.extend(scope.notes(language));
    notes
}
