//! Seeded numbers: the same library from the same seed, on every machine.

/// `SplitMix64`.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The numbers that belong to one thing of a library, whatever else was made before it.
    pub(crate) const fn of(seed: u64, thing: u64) -> Self {
        Self(seed ^ thing.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number under `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or_default()
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let width = u64::try_from(high - low).unwrap_or_default() + 1;
        low + i64::try_from(self.below(width)).unwrap_or_default()
    }

    /// True in so many of a hundred cases.
    pub(crate) fn percent(&mut self, share: u64) -> bool {
        self.below(100) < share
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let place = self.below(u64::try_from(all.len()).unwrap_or(1));
        all.get(usize::try_from(place).unwrap_or_default()).copied()
    }

    /// One of these, each as likely as its weight.
    pub(crate) fn weighted<T: Copy>(&mut self, all: &[(T, u64)]) -> Option<T> {
        let mut left = self.below(all.iter().map(|(_, weight)| weight).sum());
        for &(value, weight) in all {
            if left < weight {
                return Some(value);
            }
            left -= weight;
        }
        None
    }
}
