//! The investment figures of a project by month (月度投资), what they add up to, and the rates that follow.

use chrono::{Datelike, NaiveDate};

use crate::money::{Money, Total};
use crate::rate::{Covered, Rate};
use crate::tier::Investment;

/// One month of one year (月份), 1949 to 2200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    number: u8,
}

impl Month {
    /// The month of this number, 1 to 12, in a year; none if there is no such month.
    #[must_use]
    pub fn new(year: i32, number: u8) -> Option<Self> {
        let is_one = (1949..=2200).contains(&year) && (1..=12).contains(&number);
        is_one.then_some(Self { year, number })
    }

    /// Its year.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.year
    }

    /// Its number in the year, 1 to 12.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.number
    }

    /// The last month that is over at the end of a day; none before there are any.
    #[must_use]
    pub fn last_over(day: NaiveDate) -> Option<Self> {
        let next = day.succ_opt()?;
        match u8::try_from(next.month()).ok()? {
            1 => Self::new(next.year() - 1, 12),
            number => Self::new(next.year(), number - 1),
        }
    }

    /// Whether it begins after this day.
    #[must_use]
    pub fn is_after(self, day: NaiveDate) -> bool {
        (self.year, u32::from(self.number)) > (day.year(), day.month())
    }
}

/// What is told of one month; what is not told is unknown and never zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// What was completed as the dispatch reports it (调度完成投资).
    pub completed: Option<Money>,
    /// What entered the books of statistics (统计入库投资).
    pub statistics: Option<Money>,
    /// Funds allocated (资金下达).
    pub allocated: Option<Money>,
    /// Funds received (资金到位).
    pub received: Option<Money>,
    /// Funds paid out (资金支付).
    pub paid: Option<Money>,
}

impl Figures {
    /// Whether nothing is told.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    /// What statistics have more than the dispatch, below zero if less (统计与调度的差额); none unless both are told.
    #[must_use]
    pub fn gap(self) -> Option<Total> {
        let dispatched = Total::from(self.completed?);
        Total::from(self.statistics?).checked_sub(dispatched)
    }
}

/// A sum over the months in which something is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// The sum; none over no month.
    pub total: Option<Total>,
    /// How many months it covers.
    pub months: u32,
}

impl Sum {
    fn of(amounts: impl Iterator<Item = Option<Total>>) -> Self {
        amounts.flatten().fold(Self::default(), |sum, amount| {
            // 10^17 分 a month at most: an i128 holds more months than there have been.
            let so_far = sum.total.unwrap_or(Total::ZERO).fen();
            Self {
                total: Some(Total::from_fen(so_far + amount.fen())),
                months: sum.months + 1,
            }
        })
    }

    fn fen(self) -> Option<i128> {
        self.total.map(Total::fen)
    }
}

/// What some months add up to, each figure over the months in which it is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// 调度完成投资.
    pub completed: Sum,
    /// 统计入库投资.
    pub statistics: Sum,
    /// 统计 less 调度, over the months in which both are told.
    pub gap: Sum,
    /// 资金下达.
    pub allocated: Sum,
    /// 资金到位.
    pub received: Sum,
    /// 资金支付.
    pub paid: Sum,
}

impl Sums {
    /// Adds months up.
    #[must_use]
    pub fn of(months: &[Figures]) -> Self {
        let sum = |figure: fn(&Figures) -> Option<Money>| {
            Sum::of(months.iter().map(|month| figure(month).map(Total::from)))
        };
        Self {
            completed: sum(|month| month.completed),
            statistics: sum(|month| month.statistics),
            gap: Sum::of(months.iter().map(|month| month.gap())),
            allocated: sum(|month| month.allocated),
            received: sum(|month| month.received),
            paid: sum(|month| month.paid),
        }
    }
}

/// The rates of a project at the end of a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rates {
    /// 投资完成率: completed to the end of the year, by the total investment if that is exact.
    pub completion: Rate,
    /// 年度投资完成率: completed in the year, by the annual plan.
    pub annual_completion: Rate,
    /// 资金到位率: received, by allocated, both to the end of the year, for funds may come in the year after.
    pub funds_received: Rate,
}

impl Rates {
    /// The rates from what was done in a year and to its end, the total investment and the annual plan.
    #[must_use]
    pub fn of(
        in_year: &Sums,
        to_date: &Sums,
        investment: Investment,
        annual_plan: Option<Money>,
    ) -> Self {
        let amount = |money: Option<Money>| money.map(|money| i128::from(money.fen()));
        Self {
            completion: Rate {
                numerator: to_date.completed.fen(),
                denominator: amount(investment.exact()),
            },
            annual_completion: Rate {
                numerator: in_year.completed.fen(),
                denominator: amount(annual_plan),
            },
            funds_received: Rate {
                numerator: to_date.received.fen(),
                denominator: to_date.allocated.fen(),
            },
        }
    }
}

/// The rates of several projects at the end of a year, each over those of which both sides are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoveredRates {
    /// 投资完成率: completed to date, by the total investment where that is exact.
    pub completion: Covered,
    /// 年度投资完成率: completed in the year, by the annual plan.
    pub annual_completion: Covered,
    /// 资金到位率: received, by allocated, both to date.
    pub funds_received: Covered,
}

impl CoveredRates {
    /// The rates of two disjoint sets of projects together.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            completion: self.completion.join(other.completion),
            annual_completion: self.annual_completion.join(other.annual_completion),
            funds_received: self.funds_received.join(other.funds_received),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yuan(yuan: i64) -> Money {
        Money::from_yuan(yuan)
    }

    #[test]
    fn a_month_begins_on_its_first_day() {
        let month = Month::new(2025, 3).unwrap();
        let day = |month, day| NaiveDate::from_ymd_opt(2025, month, day).unwrap();
        assert!(month.is_after(day(2, 28)));
        assert!(!month.is_after(day(3, 1)));
        assert!(!month.is_after(day(12, 31)));
        assert!(Month::new(2026, 1).unwrap().is_after(day(12, 31)));
        for (year, number) in [(2025, 0), (2025, 13), (1948, 1), (2201, 1)] {
            assert_eq!(Month::new(year, number), None);
        }
    }

    #[test]
    fn a_month_is_over_at_the_end_of_its_last_day() {
        let last = |year, month, day| {
            let day = NaiveDate::from_ymd_opt(year, month, day).unwrap();
            Month::last_over(day).map(|month| (month.year(), month.number()))
        };
        assert_eq!(last(2025, 3, 30), Some((2025, 2)));
        assert_eq!(last(2025, 3, 31), Some((2025, 3)));
        assert_eq!(last(2025, 1, 30), Some((2024, 12)));
        assert_eq!(last(2024, 12, 31), Some((2024, 12)));
        assert_eq!(last(2024, 2, 28), Some((2024, 1)));
        assert_eq!(last(1949, 1, 30), None);
    }

    #[test]
    fn what_is_not_told_adds_nothing_and_is_not_covered() {
        let months = [
            Figures {
                completed: Some(yuan(5)),
                statistics: Some(yuan(3)),
                ..Figures::default()
            },
            Figures {
                completed: Some(yuan(0)),
                received: Some(yuan(2)),
                ..Figures::default()
            },
            Figures {
                statistics: Some(yuan(9)),
                ..Figures::default()
            },
        ];
        let sums = Sums::of(&months);
        let sum = |yuan: i128, months| Sum {
            total: Some(Total::from_fen(100 * yuan)),
            months,
        };
        assert_eq!(sums.completed, sum(5, 2));
        assert_eq!(sums.statistics, sum(12, 2));
        assert_eq!(sums.gap, sum(-2, 1), "only where both are told");
        assert_eq!(sums.received, sum(2, 1));
        assert_eq!(sums.allocated, Sum::default());
        assert_eq!(Sums::of(&[]), Sums::default());
    }

    #[test]
    fn a_month_in_which_nothing_was_done_is_told() {
        let idle = Figures {
            completed: Some(yuan(0)),
            ..Figures::default()
        };
        assert!(!idle.is_empty());
        assert!(Figures::default().is_empty());
        assert_eq!(Sums::of(&[idle]).completed.total, Some(Total::ZERO));
    }

    #[test]
    fn a_lower_bound_measures_nothing() {
        let done = Sums::of(&[Figures {
            completed: Some(yuan(50)),
            allocated: Some(yuan(40)),
            received: Some(yuan(10)),
            ..Figures::default()
        }]);
        let percents = |investment, plan| {
            let rates = Rates::of(&done, &done, investment, plan);
            [
                rates.completion,
                rates.annual_completion,
                rates.funds_received,
            ]
            .map(|rate| rate.percent().map(|percent| percent.to_string()))
        };
        let told = |percent: &str| Some(percent.to_owned());
        let exact = Investment::Exact(Money::from_yuan(200));
        assert_eq!(
            percents(exact, Some(yuan(100))),
            [told("25.00"), told("50.00"), told("25.00")]
        );
        let floor = Investment::Floor(Money::from_yuan(200));
        assert_eq!(percents(floor, None), [None, None, told("25.00")]);
        assert_eq!(
            percents(Investment::Unknown, Some(yuan(0)))[..2],
            [None, None]
        );
    }
}
