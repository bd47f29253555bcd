//! When what could not be delivered is tried again.

use chrono::TimeDelta;

/// How long to wait before each attempt, in seconds; the first is made at once.
const WAITS: [i64; 10] = [
    0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400,
];
/// By how much a wait may be longer or shorter, in thousandths: those that failed together are not to come back together.
const SPREAD: i64 = 200;

/// How long to wait after so many attempts; none if that was the last. `chance` is any number, drawn anew for each.
#[must_use]
pub fn wait_after(attempts: usize, chance: u32) -> Option<TimeDelta> {
    let seconds = WAITS.get(attempts)?;
    let spread = i64::from(chance) % (2 * SPREAD + 1) - SPREAD;
    Some(TimeDelta::milliseconds(seconds * (1000 + spread)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_attempts_are_made_each_a_fifth_sooner_or_later_at_the_most() {
        let planned = [
            (1, 5),
            (2, 5 * 60),
            (3, 30 * 60),
            (4, 2 * 3600),
            (5, 5 * 3600),
            (6, 10 * 3600),
            (7, 14 * 3600),
            (8, 20 * 3600),
            (9, 24 * 3600),
        ];
        for (attempts, seconds) in planned {
            let waits: Vec<i64> = (0..1000)
                .map(|chance| wait_after(attempts, chance).unwrap().num_milliseconds())
                .collect();
            assert_eq!(waits.iter().min(), Some(&(seconds * 800)));
            assert_eq!(waits.iter().max(), Some(&(seconds * 1200)));
        }
        assert_eq!(wait_after(0, 7), Some(TimeDelta::zero()));
        assert_eq!(wait_after(10, 7), None);
    }
}
