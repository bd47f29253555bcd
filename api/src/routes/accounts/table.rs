//! The accounts of a year as a table for people (年度账): a row for each line and rate of each cell.

use std::collections::BTreeSet;

use actix_web::HttpResponse;
use domain::accounting::{Accounts, Line};
use domain::rate::{Covered, Rate};
use domain::rollup::Measures;

use super::{Told, change_of};
use crate::clock::Clock;
use crate::print::{Cell, Column, Sheet, Table};
use crate::problem::{Language, Problem};
use crate::routes::query::{Comparison, UNDER_CONSTRUCTION};
use crate::routes::table::{
    self, Names, Scope, instant, key_columns, keys, link_column, names_of, not_additive, said,
    set_cells, set_columns,
};
use crate::store::Db;
use crate::store::accounting::year::Year;
use crate::store::summary::{Dimension, rank};

/// The value of each dimension, of one cell.
type Keys = Vec<Option<String>>;

/// The answer to who wants a table.
pub(super) async fn answer(db: &Db, sheet: Sheet, told: &Told) -> Result<HttpResponse, Problem> {
    let group_by = &told.question.group_by;
    let cells = cells(told);
    let slices: Vec<&[Option<String>]> = cells.iter().map(Vec::as_slice).collect();
    let names = names_of(db.reader(), group_by, &slices, sheet.language).await?;
    let table = table(sheet.language, db.clock(), told, (&cells, &names));
    sheet.answer(table)
}

/// The cells of the year and of those that it is compared with, in their order.
fn cells(told: &Told) -> Vec<Keys> {
    let group_by = &told.question.group_by;
    if group_by.is_empty() {
        return Vec::new();
    }
    let years = std::iter::once(&told.answer).chain(told.others.iter().map(|(_, _, then)| then));
    let cells: BTreeSet<Keys> = years
        .flat_map(|year| year.cells.iter().map(|cell| cell.keys.clone()))
        .collect();
    let mut cells: Vec<Keys> = cells.into_iter().collect();
    cells.sort_by_cached_key(|keys| rank(group_by, keys));
    cells
}

fn table(
    language: Language,
    clock: Clock,
    told: &Told,
    (cells, names): (&[Keys], &[Names]),
) -> Table {
    let mut rows = Vec::new();
    let found = |year: &Year, cell: &Keys| {
        // A year's cells stand in the order of their ranks.
        let at = rank(&told.question.group_by, cell);
        let found = year
            .cells
            .binary_search_by_key(&at, |one| rank(&told.question.group_by, &one.keys));
        found
            .ok()
            .and_then(|place| year.cells.get(place))
            .map(|one| one.accounts.clone())
    };
    for cell in cells {
        let of = |year: &Year| found(year, cell).unwrap_or_default();
        rows.extend(Rows::new(language, told, cell, of).under(&keys(cell, names, language)));
    }
    let head = table::total(&told.question.group_by, language);
    let all = Rows::new(language, told, &[], |year| year.total.clone());
    rows.extend(all.under(&head));
    let year = told.question.year;
    Table {
        name: format!("accounts-{year}-{}", clock.day_of(told.as_of)),
        title: match language {
            Language::Chinese => format!("{year} 年重大项目年度账"),
            Language::English => format!("Major projects: the accounts of {year}"),
        },
        notes: notes(language, clock, told),
        columns: columns(language, told),
        rows,
        // It has as many rows as a cell, and is the last of them.
        total: None,
    }
}

/// The rows of a cell.
struct Rows<'a> {
    language: Language,
    told: &'a Told,
    keys: Vec<(Dimension, Option<String>)>,
    now: Accounts,
    then: Vec<Accounts>,
}

impl<'a> Rows<'a> {
    fn new(
        language: Language,
        told: &'a Told,
        cell: &[Option<String>],
        of: impl Fn(&Year) -> Accounts,
    ) -> Self {
        let group_by = told.question.group_by.iter().copied();
        Self {
            language,
            told,
            keys: group_by.zip(cell.iter().cloned()).collect(),
            now: of(&told.answer),
            then: told.others.iter().map(|(_, _, then)| of(then)).collect(),
        }
    }

    fn under(&self, head: &[Cell]) -> Vec<Vec<Cell>> {
        let choose = |zh, en| self.language.choose(zh, en);
        let mut rows = Vec::new();
        for &line in Line::ALL {
            if line == Line::New {
                let name = choose("开复工", "under construction");
                rows.push(self.line(name, UNDER_CONSTRUCTION, Accounts::under_construction));
            }
            let name = choose(line.label_zh(), line.label_en());
            rows.push(self.line(name, line.code(), |accounts| accounts.line(line)));
        }
        rows.push(self.rate(choose("开工率", "start rate"), Accounts::start_rate));
        rows.push(self.rate(choose("落地率", "landing rate"), Accounts::landing_rate));
        let name = choose("投资完成率", "investment completed");
        rows.push(self.covered(name, |accounts| accounts.investment.completion));
        let name = choose("年度投资完成率", "annual plan completed");
        rows.push(self.covered(name, |accounts| accounts.investment.annual_completion));
        let name = choose("资金到位率", "funds received");
        rows.push(self.covered(name, |accounts| accounts.investment.funds_received));
        let rows = rows.into_iter();
        rows.map(|row| [head.to_vec(), row].concat()).collect()
    }

    fn line(&self, name: &str, code: &str, of: impl Fn(&Accounts) -> Measures) -> Vec<Cell> {
        let now = of(&self.now);
        let mut row = vec![Cell::Text(name.to_owned())];
        row.extend(set_cells(&now));
        row.extend([Cell::Nothing, Cell::Nothing, Cell::Nothing, Cell::Nothing]);
        for then in &self.then {
            let then = of(then).count;
            let (more, percent) = change_of(now.count, then);
            row.extend([
                Cell::Count(then),
                Cell::Whole(more),
                percent.map_or(Cell::Nothing, Cell::Percent),
                Cell::Nothing,
            ]);
        }
        row.push(Cell::Text(self.told.link_of(
            &self.told.question,
            &self.told.answer.base,
            &self.keys,
            code,
        )));
        row
    }

    fn rate(&self, name: &str, of: impl Fn(&Accounts) -> Rate) -> Vec<Cell> {
        let now = of(&self.now);
        let whole = |part: Option<i128>| {
            let count = part.and_then(|part| u64::try_from(part).ok());
            count.map_or(Cell::Nothing, Cell::Count)
        };
        let mut row = vec![Cell::Text(name.to_owned()), whole(now.denominator)];
        row.extend(vec![Cell::Nothing; 5]);
        row.extend([whole(now.numerator), Cell::Nothing, Cell::Nothing]);
        self.ended(row, now, of)
    }

    fn covered(&self, name: &str, of: impl Fn(&Accounts) -> Covered) -> Vec<Cell> {
        let now = of(&self.now);
        let amount = |sum| match now.projects {
            0 => Cell::Nothing,
            _ => Cell::Amount(sum),
        };
        let mut row = vec![Cell::Text(name.to_owned()), Cell::Count(now.projects)];
        row.extend(vec![Cell::Nothing; 6]);
        row.extend([amount(now.numerator), amount(now.denominator)]);
        self.ended(row, now.rate(), |accounts| of(accounts).rate())
    }

    /// The rate itself, and what it was.
    fn ended(&self, mut row: Vec<Cell>, now: Rate, of: impl Fn(&Accounts) -> Rate) -> Vec<Cell> {
        let percent = |rate: Rate| rate.percent().map_or(Cell::Nothing, Cell::Percent);
        row.push(percent(now));
        for then in &self.then {
            row.extend(vec![Cell::Nothing; 3]);
            row.push(percent(of(then)));
        }
        row.push(Cell::Nothing);
        row
    }
}

fn columns(language: Language, told: &Told) -> Vec<Column> {
    let mut columns = key_columns(&told.question.group_by, language);
    columns.push(Column::of(language.choose("科目", "Line")));
    columns.extend(set_columns("", language));
    columns.extend([
        Column::of(language.choose("其中达到的项目数", "Of which reached it")),
        Column::of_amounts(language.choose("实际金额", "Reached")),
        Column::of_amounts(language.choose("对照金额", "To be reached")),
        Column::of(language.choose("比率", "Rate")),
    ]);
    for (with, question, _) in &told.others {
        let year = question.year;
        let then = match (language, with) {
            (Language::Chinese, Comparison::PreviousYear) => format!("{year} 年"),
            (Language::Chinese, Comparison::SameDay) => format!("{year} 年同期"),
            (Language::English, Comparison::PreviousYear) => format!("{year}: "),
            (Language::English, Comparison::SameDay) => format!("{year}, same day: "),
        };
        let of = |zh: &str, en: &str| Column::of(format!("{then}{}", language.choose(zh, en)));
        columns.extend([
            of("项目数", "projects"),
            of("比增减", "more or fewer"),
            of("比增长", "growth"),
            of("比率", "rate"),
        ]);
    }
    columns.push(link_column(language));
    columns
}

fn notes(language: Language, clock: Clock, told: &Told) -> Vec<String> {
    let (question, answer) = (&told.question, &told.answer);
    let scope = Scope {
        base: &answer.base,
        level: question.frame.level,
        covers_all: answer.covers_all,
        filters: &told.filters,
    };
    let until = told.until(question).to_string();
    let months = question.landing_months.to_string();
    let mut notes = vec![
        said(language, "截至", "As of", &instant(clock, told.as_of)),
        said(language, "计至", "Up to", &until),
    ];
    notes.extend(scope.notes(language));
    notes.push(said(
        language,
        "落地率的期限（月）",
        "Landing rate: months to land within",
        &months,
    ));
    notes.push(
        language
            .choose(
                "投资完成率、年度投资完成率、资金到位率只计两边均已填报的项目，项目数即其个数；开复工已含竣工，不可相加",
                "The rates of investment cover the projects of which both sides are told, and say how many they are; what was \
                 completed is among what is under construction: never add them",
            )
            .to_owned(),
    );
    if !answer.additive {
        notes.push(not_additive(language));
    }
    notes
}
