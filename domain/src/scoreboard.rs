//! The scoreboard (督考比: 月月评, 季度比, 红黑榜): regions held against each other, by what happened in a month or a quarter.
//!
//! A [`Scheme`] says what is looked at and how much it weighs. Of each region a [`Figures`] tells what was counted;
//! [`open`] makes the value of an indicator of it, and [`rank`] the scores, the ranks, and the red and the black list.
//! All of it is exact: nothing is rounded but what is told, and ranks go by what is told.

mod figures;
mod period;
mod ranking;
mod scheme;

pub use figures::{AnnualPlans, Completed, Figures, Opened, Reading, Share, Value, open};
pub use period::{Period, PeriodError};
pub use ranking::{Ratio, Score, Standing, State, change, rank};
pub use scheme::{
    Basis, Indicator, Item, MAX_ITEMS, MAX_LANDING_MONTHS, MAX_PLACES, MAX_WEIGHT, Measure, Rule,
    Scheme, SchemeFault,
};

#[cfg(test)]
mod tests;
