//! A ranking as a table for people (督考比排名表).

use actix_web::HttpResponse;
use chrono::SecondsFormat;
use domain::money::Total;
use domain::rate::Percent;
use domain::scoreboard::{Basis, Item, Measure, Opened, Score, Value};

use super::view::{ScoreboardIndicator, ScoreboardRegion, ScoreboardView};
use crate::clock::Clock;
use crate::print::{Cell, Column, Sheet, Table};
use crate::problem::{Language, Problem};
use crate::store::scoreboard::{Answer, Row};

/// The answer to who wants a table.
pub(super) fn answer(
    clock: Clock,
    sheet: Sheet,
    answer: &Answer,
    view: &ScoreboardView,
) -> Result<HttpResponse, Problem> {
    let language = sheet.language;
    let board = &answer.board;
    let items = board.scheme.scheme.items();
    let rows = board.rows.iter().zip(&view.regions);
    sheet.answer(Table {
        name: format!("scoreboard-{}", board.period),
        title: match language {
            Language::Chinese => format!("{} 督考比排名表", board.period),
            Language::English => format!("Scoreboard of {}", board.period),
        },
        notes: notes(language, clock, answer, view),
        columns: columns(language, items),
        rows: rows
            .map(|(row, told)| cells(language, items, row, told))
            .collect(),
        total: None,
    })
}

fn columns(language: Language, items: &[Item]) -> Vec<Column> {
    let mut columns: Vec<Column> = [
        ("名次", "Rank"),
        ("地区", "Region"),
        ("得分", "Score"),
        ("上期名次", "Rank before"),
        ("名次升降", "Change"),
        ("榜单", "List"),
    ]
    .map(|(zh, en)| Column::of(language.choose(zh, en)))
    .into();
    for &item in items {
        let name = named(language, item);
        let weight = item.weight;
        let (score, projects) = match language {
            Language::Chinese => (
                format!("{name}得分（权重 {weight}）"),
                format!("{name}项目查询"),
            ),
            Language::English => (
                format!("Score of {name} (weight {weight})"),
                format!("Query of the projects of {name}"),
            ),
        };
        columns.push(if is_amount(item) {
            Column::of_amounts(name)
        } else {
            Column::of(name)
        });
        columns.extend([Column::of(score), Column::of(projects)]);
    }
    columns
}

/// Whether its values are amounts: of money, and not the rate of it.
fn is_amount(item: Item) -> bool {
    item.measure == Measure::Investment && !item.indicator.is_rate()
}

fn named(language: Language, item: Item) -> String {
    let indicator = language.choose(item.indicator.label_zh(), item.indicator.label_en());
    let measure = language.choose(item.measure.label_zh(), item.measure.label_en());
    match (item.basis, language) {
        (Basis::None, _) if item.indicator.measures().len() == 1 => indicator.to_owned(),
        (Basis::None, Language::Chinese) => format!("{indicator}{measure}"),
        (Basis::None, Language::English) => format!("{indicator}, {measure}"),
        (Basis::Projects | Basis::Investment, Language::Chinese) => {
            format!("{indicator}{measure}（按{}计分）", item.basis.label_zh())
        }
        (Basis::Projects | Basis::Investment, Language::English) => {
            format!("{indicator}, {measure} (scored {})", item.basis.label_en())
        }
    }
}

fn cells(language: Language, items: &[Item], row: &Row, told: &ScoreboardRegion) -> Vec<Cell> {
    let standing = &row.standing;
    let place = |rank: Option<u32>| rank.map_or(Cell::Nothing, |rank| Cell::Count(rank.into()));
    let before = row.previous;
    let list = match (standing.is_red, standing.is_black) {
        (true, _) => Some(language.choose("红榜", "red")),
        (false, true) => Some(language.choose("黑榜", "black")),
        (false, false) => None,
    };
    let mut cells = vec![
        place(standing.rank),
        Cell::Text(row.name.clone()),
        score(standing.total),
        place(before.and_then(|before| before.rank)),
        Cell::text(before.and_then(|before| before.change).map(arrow)),
        Cell::text(list.map(str::to_owned)),
    ];
    let opened = row
        .opened
        .iter()
        .zip(&standing.scores)
        .zip(&told.indicators);
    for (_, ((opened, (_, scored)), told)) in items.iter().zip(opened) {
        cells.extend([value(opened), score(*scored), link(told)]);
    }
    cells
}

fn score(score: Option<Score>) -> Cell {
    score.map_or(Cell::Nothing, |score| {
        Cell::Number(Total::from_fen(score.hundredths().into()))
    })
}

fn link(indicator: &ScoreboardIndicator) -> Cell {
    Cell::Text(indicator.reached.projects.clone())
}

/// Places come up or gone down, with an arrow: a sign of its own would be taken for a formula.
fn arrow(change: i64) -> String {
    let places = change.unsigned_abs();
    match change.signum() {
        1 => format!("↑{places}"),
        -1 => format!("↓{places}"),
        _ => "—".to_owned(),
    }
}

fn value(opened: &Opened) -> Cell {
    let percent = |percent: Option<Percent>| percent.map_or(Cell::Nothing, Cell::Percent);
    match opened.value.known() {
        None => Cell::Nothing,
        Some(Value::Projects(count)) => Cell::Count(count),
        Some(Value::Amount(amount)) => Cell::Amount(amount),
        Some(Value::Rate(rate)) => percent(rate.percent()),
    }
}

fn notes(language: Language, clock: Clock, answer: &Answer, view: &ScoreboardView) -> Vec<String> {
    let board = &answer.board;
    let said = |zh: &str, en: &str, what: &str| match language {
        Language::Chinese => format!("{zh}：{what}"),
        Language::English => format!("{en}: {what}"),
    };
    let at = |instant| {
        let local = clock.local(instant);
        local.to_rfc3339_opts(SecondsFormat::AutoSi, false)
    };
    let days = format!("{} – {}", board.period.first(), board.period.last());
    let closed = match board.closed_at {
        Some(closed_at) => at(closed_at),
        None => language.choose("否", "no").to_owned(),
    };
    vec![
        said("期间", "Period", &days),
        said("在此地区内排名", "Ranked within", &board.region),
        said("截至", "As of", &at(view.as_of)),
        said("关账", "Closed", &closed),
        said("考核办法版本", "Version of the scheme", &board.scheme.version.to_string()),
        language
            .choose(
                "得分：各指标以最好值为 100 分按比例计，四舍五入到两位小数；总分为有得分各指标的加权平均；空白为未知或不适用，不是零",
                "Scores: the best value of an indicator is worth 100, the others in proportion, rounded half up to two \
                 decimals; the total is the mean by weight of those that have one; what is empty is not known or not \
                 applicable, and not zero",
            )
            .to_owned(),
    ]
}
