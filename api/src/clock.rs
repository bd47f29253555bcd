//! The only place that reads the clock and makes ids.

use chrono::{DateTime, FixedOffset, NaiveDate, SubsecRound, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

/// The time of the day and the calendar that deadlines go by.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zone: Tz,
}

impl Clock {
    /// A clock whose days are those of `zone`.
    #[must_use]
    pub const fn new(zone: Tz) -> Self {
        Self { zone }
    }

    /// Now, to the microsecond: PostgreSQL keeps no more, and SQLite must not disagree.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    pub fn now(&self) -> DateTime<Utc> {
        Utc::now().trunc_subsecs(6)
    }

    /// An instant as a clock on the wall shows it, with its distance from UTC.
    #[must_use]
    pub fn local(&self, instant: DateTime<Utc>) -> DateTime<FixedOffset> {
        instant.with_timezone(&self.zone).fixed_offset()
    }

    /// The calendar day of an instant.
    #[must_use]
    pub fn day_of(&self, instant: DateTime<Utc>) -> NaiveDate {
        instant.with_timezone(&self.zone).date_naive()
    }

    /// The first instant of a calendar day.
    #[must_use]
    pub fn start_of(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let midnight = day.and_hms_opt(0, 0, 0)?;
        let midnight = midnight.and_local_timezone(self.zone).earliest()?;
        Some(midnight.with_timezone(&Utc))
    }

    /// The last microsecond of a calendar day.
    #[must_use]
    pub fn end_of(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let next = self.start_of(day.succ_opt()?)?;
        Some(next - chrono::TimeDelta::microseconds(1))
    }
}

/// A new id; later ones sort after earlier ones.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}
