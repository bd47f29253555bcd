//! How far a target has been reached, beside how much of its time is over.

use chrono::{Datelike, NaiveDate};

use super::{Metric, Period, Schedule, Target};
use crate::coded::coded_enum;
use crate::money::Total;
use crate::rate::Percent;

coded_enum! {
    /// Where a target stands (完成情况).
    pub enum AttainmentState {
        /// Its period is still to come.
        NotBegun => "not_begun", "未开始", "not begun";
        /// At least as much is reached as ought to be by now.
        OnPace => "on_pace", "达到序时进度", "on pace";
        /// Less is reached than ought to be by now.
        Behind => "behind", "落后序时进度", "behind";
        /// All of it is reached.
        Reached => "reached", "已完成", "reached";
        /// The period is over, and it was not reached.
        Missed => "missed", "未完成", "missed";
    }
}

/// What there is of what a target wants, in hundredths of its unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// All of it.
    pub attained: Total,
    /// Of that, what was there before the first day of the period (结转), to which no day adds.
    pub carried: Total,
    /// How many projects may belong to it beside those that do: their amount is not known well enough.
    pub may_belong: u64,
}

/// How far a target has been reached (完成情况). Amounts are in hundredths of the target's unit; of what comes whole,
/// none is told in part. Everything is rounded down: 100 percent is told of what is reached, and of nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attainment {
    /// What is to be reached in the whole period.
    pub goal: Total,
    /// What is reached.
    pub attained: Total,
    /// How many projects may belong to it beside those that do: their amount is not known well enough.
    pub may_belong: u64,
    /// How much of the goal is reached, in percent with two decimals; none of a goal of nothing.
    pub rate: Option<Percent>,
    /// How much of the period is over (时间进度), in percent with two decimals: all of today is.
    pub elapsed: Percent,
    /// What ought to be reached by now (序时进度).
    pub expected: Total,
    /// How much more is reached than that; below zero, how much less.
    pub ahead: Total,
    /// What will be reached by the end of the period at the pace so far; none before there is any.
    pub forecast: Option<Total>,
    /// What is still to be reached, never below zero.
    pub missing: Total,
    /// Where that leaves it.
    pub state: AttainmentState,
}

/// Holds what is reached against a target, in the whole of its period: a target for every year is held to a single
/// year by [`Target::in_year`], or else to the sum of all of them.
#[must_use]
pub fn attainment(target: &Target, reached: Reached, today: NaiveDate) -> Attainment {
    let Reached {
        attained,
        carried,
        may_belong,
    } = reached;
    let over = Share::over(target.period, target.schedule.as_ref(), today);
    let (goal, reached) = (target.goal().fen(), attained.fen());
    let whole = |hundredths: i128| {
        let step = target.unit.step();
        hundredths.div_euclid(step).saturating_mul(step)
    };
    let has_begun = target.period.from_year <= today.year();
    let is_over = target.period.to_year < today.year();
    let (expected, forecast) = if is_level(target) {
        let begun = Share::begun(target, today);
        let lasting = || whole(reached.saturating_mul(begun.of) / begun.part);
        (whole(begun.of(goal)), (begun.part > 0).then(lasting))
    } else {
        let carried = if has_begun { carried.fen() } else { 0 };
        let to_gather = goal.saturating_sub(carried).max(0);
        let gathered = reached.saturating_sub(carried);
        let pace = || whole(carried + gathered.saturating_mul(over.of) / over.part);
        let expected = carried.min(goal).saturating_add(over.of(to_gather));
        (whole(expected), (over.part > 0).then(pace))
    };
    let state = if !has_begun {
        AttainmentState::NotBegun
    } else if reached >= goal {
        AttainmentState::Reached
    } else if is_over {
        AttainmentState::Missed
    } else if reached >= expected {
        AttainmentState::OnPace
    } else {
        AttainmentState::Behind
    };
    Attainment {
        goal: target.goal(),
        attained,
        may_belong,
        rate: (goal > 0).then(|| percent(reached, goal)),
        elapsed: percent(over.part, over.of),
        expected: Total::from_fen(expected),
        ahead: Total::from_fen(reached.saturating_sub(expected)),
        forecast: forecast.map(Total::from_fen),
        missing: Total::from_fen(goal.saturating_sub(reached).max(0)),
        state,
    }
}

/// Whether it is not gathered day by day but holds from the first day of a year to its last: a growth does, and so do
/// the projects that were carried over into it.
fn is_level(target: &Target) -> bool {
    !target.unit.adds_up() || target.metric == Metric::Continued
}

/// A part of a whole, in percent with two decimals, rounded down.
fn percent(part: i128, whole: i128) -> Percent {
    Percent::from_hundredths(part.saturating_mul(10_000).div_euclid(whole))
}

/// How much of a time is over: `part` of `of`, which is never nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Share {
    part: i128,
    of: i128,
}

impl Share {
    const NONE: Self = Self { part: 0, of: 1 };
    const ALL: Self = Self { part: 1, of: 1 };

    /// Of what holds all through a year: of each year that has begun, where it is wanted of every year.
    fn begun(target: &Target, today: NaiveDate) -> Self {
        let Period { from_year, to_year } = target.period;
        let begun = i128::from(today.year().min(to_year)) - i128::from(from_year) + 1;
        if begun <= 0 {
            Self::NONE
        } else if target.each_year && target.unit.adds_up() {
            Self {
                part: begun,
                of: target.period.years(),
            }
        } else {
            Self::ALL
        }
    }

    /// Of a period on a day, which itself is over; evenly by day, or each year by its months' plan.
    fn over(period: Period, schedule: Option<&Schedule>, today: NaiveDate) -> Self {
        let year = today.year();
        if year < period.from_year {
            return Self::NONE;
        }
        if year > period.to_year {
            return Self::ALL;
        }
        if let Some(schedule) = schedule {
            let of_year = Self::of_year(schedule, today);
            let years_over = i128::from(year) - i128::from(period.from_year);
            return Self {
                part: years_over * of_year.of + of_year.part,
                of: period.years() * of_year.of,
            };
        }
        let days = |years: std::ops::Range<i32>| years.map(days_of).sum::<i128>();
        Self {
            part: days(period.from_year..year) + i128::from(today.ordinal()),
            of: days(period.from_year..year) + days(year..period.to_year) + days_of(period.to_year),
        }
    }

    /// Of a year by its months' plan: what the months before are to bring, and of the running one its days' part.
    fn of_year(schedule: &Schedule, today: NaiveDate) -> Self {
        let by_end_of = |months: u32| {
            let before = usize::try_from(months).ok().and_then(|m| m.checked_sub(1));
            let percent = before.and_then(|m| schedule.percents().get(m));
            percent.map_or(0, |percent| i128::from(*percent))
        };
        let before = by_end_of(today.month0());
        let (day, days) = (
            i128::from(today.day()),
            i128::from(today.num_days_in_month()),
        );
        Self {
            part: before * days + (by_end_of(today.month()) - before) * day,
            of: 100 * days,
        }
    }

    /// As much of an amount, rounded down.
    fn of(self, amount: i128) -> i128 {
        amount.saturating_mul(self.part) / self.of
    }
}

/// How many days a year has.
fn days_of(year: i32) -> i128 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if is_leap { 366 } else { 365 }
}

#[cfg(test)]
mod tests;
