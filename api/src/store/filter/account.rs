//! Lines of the accounts as a filter, and how they are told up to a day.

use chrono::{Datelike, NaiveDate};
use domain::accounting::Line;
use domain::target::Period;
use sea_orm::Condition;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SimpleExpr};

use crate::store::counting::SPAN;

/// Lines of the accounts of some years, from a day up to another if not from their beginning to their end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The years, in any of which they may hold.
    pub years: Period,
    /// The lines, of which any may hold.
    pub lines: Vec<Line>,
    /// The first day.
    pub since: Option<NaiveDate>,
    /// The last day.
    pub until: Option<NaiveDate>,
    /// Within how many months what was signed has landed, if that is asked.
    pub landed_within: Option<u32>,
}

/// Whether a span holds in any of the years, from the day up to the other; of what lasts, in the years.
pub(crate) fn stands_in(account: &Account) -> Condition {
    let Account {
        years,
        lines,
        since,
        until,
        landed_within,
    } = account;
    let Period { from_year, to_year } = *years;
    let (lasting, mut single): (Vec<Line>, Vec<Line>) =
        lines.iter().partition(|line| line.is_range());
    let column = |name: &'static str| Expr::col((SPAN, name));
    let of = |lines: Vec<Line>| column("line").is_in(lines.into_iter().map(Line::code));
    let mut any = Condition::any();
    // Of a year up to a day (同比), as it was told on that day: what was planned, for the whole year; that it was met, if
    // works had begun by then; that it landed, if it had.
    let up_to = until.filter(|_| since.is_none());
    let planned = single.extract_if(.., |line| {
        up_to.is_some() && matches!(line, Line::StartPlanned | Line::StartMet)
    });
    for line in planned.collect::<Vec<_>>() {
        let begun = up_to.filter(|_| line == Line::StartMet).map(had_begun);
        any = any.add(
            Condition::all()
                .add(of(vec![line]))
                .add(column("from_year").between(from_year, to_year))
                .add_option(begun),
        );
    }
    if !single.is_empty() {
        let happened = Condition::all()
            .add(of(single))
            .add(column("from_year").between(from_year, to_year))
            .add_option(since.map(|day| column("happened_on").gte(day)))
            .add_option(until.map(|day| column("happened_on").lte(day)))
            .add_option(landed_within.map(|months| column("landed_after").lte(months)))
            .add_option(up_to.filter(|_| landed_within.is_some()).map(had_landed));
        any = any.add(happened);
    }
    if !lasting.is_empty() {
        let goes_on = Condition::any()
            .add(column("to_year").is_null())
            .add(column("to_year").gte(from_year));
        any = any.add(
            Condition::all()
                .add(of(lasting))
                .add(column("from_year").lte(to_year))
                .add(goes_on),
        );
    }
    any
}

/// Another span of the same project.
const OTHER: &str = "other_span";

/// Whether the project of a span had landed by a day.
pub(crate) fn had_landed(day: NaiveDate) -> SimpleExpr {
    let other = |name: &'static str| Expr::col((OTHER, name));
    let landed = other("line").eq(Line::Landed.code());
    has_other(
        Condition::all()
            .add(landed)
            .add(other("happened_on").lte(day)),
    )
}

/// Whether the project of a span had begun by a day, or had been under construction before.
fn had_begun(day: NaiveDate) -> SimpleExpr {
    let other = |name: &'static str| Expr::col((OTHER, name));
    let new = Condition::all()
        .add(other("line").eq(Line::New.code()))
        .add(other("happened_on").lte(day));
    let before = Condition::all()
        .add(other("line").is_in([Line::Continued.code(), Line::StartUnknown.code()]))
        .add(other("from_year").lte(day.year()));
    has_other(Condition::any().add(new).add(before))
}

fn has_other(condition: Condition) -> SimpleExpr {
    let same = Expr::col((OTHER, "project_id")).equals((SPAN, "project_id"));
    let others = Query::select()
        .expr(Expr::val(1))
        .from_as(SPAN, OTHER)
        .and_where(same)
        .cond_where(condition)
        .take();
    Expr::exists(others)
}
