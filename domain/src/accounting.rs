//! The year's accounts (年度账): in which years a project counts as what.
//!
//! What happened is taken from the moves that nobody has taken back and from the dates among the facts. A project
//! stands in a line of the accounts for one year, or from one year to another; a date that is not known is told as
//! unknown and never guessed.

use std::collections::BTreeMap;

use chrono::{Datelike, Months, NaiveDate};

use crate::coded::coded_enum;
use crate::money::Total;
use crate::monthly::CoveredRates;
use crate::rate::Rate;
use crate::rollup::{Known, Measures};
use crate::stage::{Move, Stage};

/// The first year that accounts are kept for, and what stands for "at any time before".
pub const FIRST_YEAR: i32 = 1949;
/// The last year that accounts are kept for.
pub const LAST_YEAR: i32 = 2200;

coded_enum! {
    /// A line of the year's accounts.
    pub enum Line {
        /// Registered into the reserve in the year (新增谋划).
        Planned => "planned", "新增谋划", "planned";
        /// Signed in the year (签约引进).
        Signed => "signed", "签约引进", "signed";
        /// Landed in the year (培育落地).
        Landed => "landed", "培育落地", "landed";
        /// Approved with funds in the year (争取立项).
        FundsApproved => "funds_approved", "争取立项", "approved with funds";
        /// Planned to start in the year (计划开工).
        StartPlanned => "start_planned", "计划开工", "planned to start";
        /// Of those planned to start in the year: started by its end, and not given up before it (计划内已开工).
        StartMet => "start_met", "计划内已开工", "started as planned";
        /// Started in the year (新建).
        New => "new", "新建", "new";
        /// Carried over from before the year (续建).
        Continued => "continued", "续建", "continued";
        /// Of the new and the continued ones: left the library in the year (其中退库).
        Withdrawn => "withdrawn", "其中退库", "withdrawn";
        /// Completed in the year (竣工).
        Completed => "completed", "竣工", "completed";
        /// Commissioned in the year (投产).
        Commissioned => "commissioned", "投产", "commissioned";
        /// At capacity since the year (达产).
        AtCapacity => "at_capacity", "达产", "at capacity";
        /// Started, on a day that is not known: new or carried over in the year, or neither yet (开工日期不详).
        StartUnknown => "start_unknown", "开工日期不详", "start unknown";
        /// Completed, on a day that is not known: in the year, or in another (竣工日期不详).
        CompletionUnknown => "completion_unknown", "竣工日期不详", "completion unknown";
    }
}

impl Line {
    /// Whether a project stands in it over a range of years, not in a single one.
    #[must_use]
    pub const fn is_range(self) -> bool {
        match self {
            Self::Continued | Self::StartUnknown | Self::CompletionUnknown => true,
            Self::Planned
            | Self::Signed
            | Self::Landed
            | Self::FundsApproved
            | Self::StartPlanned
            | Self::StartMet
            | Self::New
            | Self::Withdrawn
            | Self::Completed
            | Self::Commissioned
            | Self::AtCapacity => false,
        }
    }
}

/// How a project came into the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Registered in 谋划.
    Registered {
        /// The day it was thought out; the day of registration if that was not told.
        on: NaiveDate,
    },
    /// Taken over at its stage (期初导入).
    TakenOver {
        /// The stage.
        stage: Stage,
        /// Since when it is in the stage, if known to the day.
        since: Option<NaiveDate>,
        /// When it started, if known to the day.
        started_on: Option<NaiveDate>,
        /// When it was completed, if known to the day.
        completed_on: Option<NaiveDate>,
        /// The day it was taken over: what is not known had happened by then.
        on: NaiveDate,
    },
}

/// All that the accounts read of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// How it came into the library.
    pub entry: Entry,
    /// The moves that stand, in the order in which they were made, each with its day.
    pub moves: Vec<(Move, NaiveDate)>,
    /// 签约引进.
    pub signed_on: Option<NaiveDate>,
    /// 培育落地.
    pub landed_on: Option<NaiveDate>,
    /// 争取立项.
    pub funds_approved_on: Option<NaiveDate>,
    /// 计划开工.
    pub planned_start_on: Option<NaiveDate>,
    /// 投产.
    pub commissioned_on: Option<NaiveDate>,
    /// 达产.
    pub at_capacity_on: Option<NaiveDate>,
}

/// A project's standing in a line, from one year to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The line.
    pub line: Line,
    /// The first year; [`FIRST_YEAR`] if it may be any before.
    pub from: i32,
    /// The last year; none while it goes on.
    pub to: Option<i32>,
    /// The latest year up to the first one in which the project was already new or continued by an earlier span:
    /// so that a project is counted once over several years.
    pub previous: Option<i32>,
    /// For what was signed: after how many months, begun ones counted as whole, it landed; none if it has not.
    pub landed_after: Option<u32>,
    /// The day on which it happened, in a line of a single year.
    pub on: Option<NaiveDate>,
}

/// Works from their start to their completion or to the project's withdrawal.
#[derive(Clone, Debug)]
struct Works {
    start: Start,
    /// Held from this day, and again at work from that one.
    pauses: Vec<(NaiveDate, Option<NaiveDate>)>,
    end: Option<End>,
}

impl Works {
    /// Whether they are what was planned to start on a day: begun by the end of its year, and not given up before it.
    fn meet(&self, planned: NaiveDate) -> bool {
        let given_up = match self.end {
            Some(End::Withdrawn(day)) => day.year() < planned.year(),
            Some(End::Completed(_) | End::CompletedBy(_)) | None => false,
        };
        self.start.year() <= planned.year() && !given_up
    }
}

#[derive(Clone, Copy, Debug)]
enum Start {
    On(NaiveDate),
    /// Not known, but before the end of this day.
    By(NaiveDate),
}

impl Start {
    /// The year by the end of which it has begun for sure.
    fn year(self) -> i32 {
        match self {
            Self::On(day) | Self::By(day) => day.year(),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum End {
    Completed(NaiveDate),
    /// On a day that is not known, but before the end of this one.
    CompletedBy(NaiveDate),
    Withdrawn(NaiveDate),
}

/// The lines in which a project stands, by line and year.
#[must_use]
pub fn spans(course: &Course) -> Vec<Span> {
    let mut spans = Vec::new();
    let dated = [
        (Line::Planned, planned_on(course)),
        (Line::Signed, course.signed_on),
        (Line::Landed, course.landed_on),
        (Line::FundsApproved, course.funds_approved_on),
        (Line::Commissioned, course.commissioned_on),
        (Line::AtCapacity, course.at_capacity_on),
    ];
    for (line, day) in dated {
        spans.extend(day.map(|day| happened(line, day)));
    }
    for signed in spans.iter_mut().filter(|span| span.line == Line::Signed) {
        signed.landed_after = landed_after(course);
    }
    let all_works = all_works(course);
    if let Some(day) = course.planned_start_on {
        spans.push(happened(Line::StartPlanned, day));
        if all_works.iter().any(|works| works.meet(day)) {
            spans.push(happened(Line::StartMet, day));
        }
    }
    for works in &all_works {
        spans.extend(of_works(works));
    }
    spans.sort_unstable();
    // What happened twice in a year counts once in it.
    spans.dedup_by_key(|span| (span.line, span.from));
    tell_previous(&mut spans);
    spans
}

fn planned_on(course: &Course) -> Option<NaiveDate> {
    match course.entry {
        Entry::Registered { on } => Some(on),
        Entry::TakenOver {
            stage: Stage::Planning,
            since,
            ..
        } => since,
        Entry::TakenOver { .. } => None,
    }
}

fn landed_after(course: &Course) -> Option<u32> {
    let (signed, landed) = (course.signed_on?, course.landed_on?);
    // Years before and after have been refused where the dates were entered.
    (0..12 * 300).find(|&months| {
        signed
            .checked_add_months(Months::new(months))
            .is_some_and(|day| day >= landed)
    })
}

fn happened(line: Line, day: NaiveDate) -> Span {
    Span {
        line,
        from: day.year(),
        to: Some(day.year()),
        previous: None,
        landed_after: None,
        on: Some(day),
    }
}

fn lasting(line: Line, from: i32, to: Option<i32>) -> Option<Span> {
    to.is_none_or(|to| from <= to).then_some(Span {
        line,
        from,
        to,
        previous: None,
        landed_after: None,
        on: None,
    })
}

fn all_works(course: &Course) -> Vec<Works> {
    let mut all: Vec<Works> = taken_over(course.entry).into_iter().collect();
    for &(kind, day) in &course.moves {
        let open = all.last_mut().filter(|works| works.end.is_none());
        match (kind, open) {
            (Move::Construction, _) => all.push(Works {
                start: Start::On(day),
                pauses: Vec::new(),
                end: None,
            }),
            (Move::Completion, Some(works)) => works.end = Some(End::Completed(day)),
            (Move::Withdrawn, Some(works)) => works.end = Some(End::Withdrawn(day)),
            (Move::Suspended, Some(works)) => works.pauses.push((day, None)),
            (Move::Resumed, Some(works)) => {
                if let Some(pause) = works.pauses.last_mut() {
                    pause.1 = Some(day);
                }
            }
            // Before the works began, or nothing of theirs.
            (Move::Completion | Move::Withdrawn | Move::Suspended | Move::Resumed, None)
            | (Move::Attraction | Move::Planning | Move::Corrected, _) => {}
        }
    }
    all
}

fn taken_over(entry: Entry) -> Option<Works> {
    let Entry::TakenOver {
        stage,
        started_on,
        completed_on,
        on,
        ..
    } = entry
    else {
        return None;
    };
    let end = match stage {
        Stage::Planning | Stage::Attraction => return None,
        Stage::Construction => None,
        Stage::Completion => Some(completed_on.map_or(End::CompletedBy(on), End::Completed)),
    };
    Some(Works {
        start: started_on.map_or(Start::By(on), Start::On),
        pauses: Vec::new(),
        end,
    })
}

fn of_works(works: &Works) -> Vec<Span> {
    let mut spans = Vec::new();
    let last = works.end.map(|end| match end {
        End::Completed(day) | End::CompletedBy(day) | End::Withdrawn(day) => day.year(),
    });
    let mut carried_from = match works.start {
        Start::On(day) => {
            spans.push(happened(Line::New, day));
            day.year() + 1
        }
        Start::By(day) => {
            let until = last.map_or(day.year(), |last| last.min(day.year()));
            spans.extend(lasting(Line::StartUnknown, FIRST_YEAR, Some(until)));
            day.year() + 1
        }
    };
    if let Some(End::CompletedBy(day)) = works.end {
        // It may have been carried over through any of these years, and completed in any of them.
        let from = match works.start {
            Start::On(start) => start.year(),
            Start::By(_) => FIRST_YEAR,
        };
        spans.extend(lasting(Line::CompletionUnknown, from, Some(day.year())));
        return spans;
    }
    for (from, to) in idle_years(&works.pauses) {
        spans.extend(lasting(
            Line::Continued,
            carried_from,
            Some(last.map_or(from - 1, |last| last.min(from - 1))),
        ));
        let Some(to) = to else {
            carried_from = LAST_YEAR + 1;
            break;
        };
        carried_from = carried_from.max(to + 1);
    }
    if carried_from <= LAST_YEAR {
        spans.extend(lasting(Line::Continued, carried_from, last));
    }
    match works.end {
        Some(End::Completed(day)) => spans.push(happened(Line::Completed, day)),
        Some(End::Withdrawn(day)) if is_under_way(&spans, day.year()) => {
            spans.push(happened(Line::Withdrawn, day));
        }
        Some(End::Withdrawn(_) | End::CompletedBy(_)) | None => {}
    }
    spans
}

/// The years throughout which works were held: held on the first day or before, and not at work on the last.
fn idle_years(
    pauses: &[(NaiveDate, Option<NaiveDate>)],
) -> impl Iterator<Item = (i32, Option<i32>)> {
    pauses.iter().filter_map(|&(held, resumed)| {
        let is_new_year = held.ordinal() == 1;
        let from = if is_new_year {
            held.year()
        } else {
            held.year() + 1
        };
        let to = resumed.map(|day| day.year() - 1);
        to.is_none_or(|to| from <= to).then_some((from, to))
    })
}

fn is_under_way(spans: &[Span], year: i32) -> bool {
    spans
        .iter()
        .any(|span| counts_as_works(span.line) && stands(span, year))
}

/// New and continued together are 开复工.
fn counts_as_works(line: Line) -> bool {
    matches!(line, Line::New | Line::Continued)
}

/// Whether a span holds in a year.
#[must_use]
pub fn stands(span: &Span, year: i32) -> bool {
    span.from <= year && span.to.is_none_or(|to| year <= to)
}

fn tell_previous(spans: &mut [Span]) {
    let works: Vec<Span> = spans
        .iter()
        .copied()
        .filter(|span| counts_as_works(span.line))
        .collect();
    for span in spans.iter_mut().filter(|span| counts_as_works(span.line)) {
        // In one year the continued one comes first: who is carried over, leaves and starts anew is one project.
        let is_earlier = |other: &&Span| {
            (other.from, other.line != Line::Continued) < (span.from, span.line != Line::Continued)
        };
        span.previous = works
            .iter()
            .filter(is_earlier)
            .map(|other| other.to.map_or(span.from, |to| to.min(span.from)))
            .max();
    }
}

/// The accounts of a year of a set of projects: what each line adds up to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accounts {
    lines: BTreeMap<Line, Measures>,
    /// Of those signed in the year: landed within the months that are asked for.
    pub landed_in_time: u64,
    /// The rates of investment at the end of the year.
    pub investment: CoveredRates,
}

impl Accounts {
    /// Takes projects that stand in a line in, whose amounts are known alike.
    pub fn add(&mut self, line: Line, known: Known, count: u64, sum: Total) {
        let measures = self.lines.entry(line).or_default();
        measures.add_many(known, count, sum);
    }

    /// Takes the accounts of other projects in.
    pub fn join(&mut self, other: &Self) {
        for (&line, &measures) in &other.lines {
            let present = self.lines.entry(line).or_default();
            *present = present.join(measures);
        }
        self.landed_in_time += other.landed_in_time;
        self.investment = self.investment.join(other.investment);
    }

    /// Whether no project stands in any line, and no rate covers any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.values().all(|measures| measures.count == 0)
            && self.investment == CoveredRates::default()
    }

    /// What a line adds up to.
    #[must_use]
    pub fn line(&self, line: Line) -> Measures {
        self.lines.get(&line).copied().unwrap_or_default()
    }

    /// New and continued together (开复工). What was completed in the year is among them: never add it.
    #[must_use]
    pub fn under_construction(&self) -> Measures {
        self.line(Line::New).join(self.line(Line::Continued))
    }

    /// Started as planned, of what was planned to start (开工率).
    #[must_use]
    pub fn start_rate(&self) -> Rate {
        self.rate(self.line(Line::StartMet).count, Line::StartPlanned)
    }

    /// Landed in time, of what was signed (落地率).
    #[must_use]
    pub fn landing_rate(&self) -> Rate {
        self.rate(self.landed_in_time, Line::Signed)
    }

    fn rate(&self, reached: u64, of: Line) -> Rate {
        Rate {
            numerator: Some(reached.into()),
            denominator: Some(self.line(of).count.into()),
        }
    }
}

#[cfg(test)]
mod tests;
