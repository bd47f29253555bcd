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

/// An id of what happens at an instant, as the `nth` of it (`UUIDv7`; RFC 9562, 6.2, methods 3 and 1): ids sort by the
/// instant, to the microsecond, and then by the number, whichever process made them.
#[must_use]
pub fn id_at(instant: DateTime<Utc>, nth: u32) -> Uuid {
    /// The version in its place, and the variant.
    const MARKS: u128 = (7 << 76) | (0b10 << 62);
    const DRAWN: u32 = 38;
    const LAST: u32 = (1 << (62 - DRAWN)) - 1;
    let millis = u128::try_from(instant.timestamp_millis()).unwrap_or_default();
    // Of 4096 to a millisecond, four to a microsecond.
    let part = u128::from(instant.timestamp_subsec_micros() % 1000) * 4;
    let nth = u128::from(nth.min(LAST));
    let drawn = new_id().as_u128() & ((1 << DRAWN) - 1);
    Uuid::from_u128((millis << 80) | (part << 64) | (nth << DRAWN) | drawn | MARKS)
}

/// A new id; later ones sort after earlier ones.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place")]
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_the_instant_and_then_by_the_number() {
        let clock = Clock::new(Tz::Asia__Shanghai);
        let now = clock.now();
        let later = now + chrono::TimeDelta::microseconds(1);
        let ids = [
            id_at(now, 0),
            id_at(now, 1),
            id_at(now, u32::MAX),
            id_at(later, 0),
            id_at(now + chrono::TimeDelta::milliseconds(1), 0),
        ];
        assert!(ids.is_sorted(), "{ids:?}");
        for id in ids {
            assert_eq!(id.get_version_num(), 7);
            assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
        }
        assert_ne!(id_at(now, 0), id_at(now, 0));
    }
}
