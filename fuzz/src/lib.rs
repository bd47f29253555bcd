//! What is fuzzed: every parser of what somebody else sends, each with what holds of it whatever it reads.
//!
//! `scripts/fuzz` runs them under libFuzzer, which the binary beside this library is linked with. A target panics where
//! something does not hold; that it aborts, needs too much memory or takes too long is seen from outside.

mod office;
mod request;
mod seeds;
mod workbook;

pub use workbook::mutated;

/// A parser, by a name for the command line.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name.
    pub name: &'static str,
    /// Reads what was made up, and panics if something does not hold that should.
    pub read: fn(&[u8]),
    /// Inputs to begin with: what its tests read.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Whether it reads archives, which are damaged part by part.
    pub is_archive: bool,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    light("amount", office::amount, seeds::amounts),
    light("date", office::date, seeds::dates),
    light("term", office::term, seeds::terms),
    light("words", office::words, seeds::words),
    light("money", office::money, seeds::money),
    light("text", office::text, seeds::texts),
    light("plan", office::plan, seeds::plans),
    light("precondition", request::precondition, seeds::preconditions),
    light("idempotency_key", request::idempotency_key, seeds::keys),
    light("query", request::query, seeds::queries),
    light("cursor", request::cursor, seeds::cursors),
    light("address", request::address, seeds::addresses),
    archive("scan", office::scan),
    archive("workbook", office::workbook),
];

const fn light(name: &'static str, read: fn(&[u8]), seeds: fn() -> Vec<Vec<u8>>) -> Target {
    Target {
        name,
        read,
        seeds,
        is_archive: false,
    }
}

const fn archive(name: &'static str, read: fn(&[u8])) -> Target {
    Target {
        name,
        read,
        seeds: workbook::seeds,
        is_archive: true,
    }
}

/// The target of a name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_takes_its_seeds() {
        for target in TARGETS {
            let seeds = (target.seeds)();
            assert!(seeds.len() >= 5, "{} has few seeds", target.name);
            for seed in seeds {
                (target.read)(&seed);
            }
        }
    }
}
