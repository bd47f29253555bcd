//! What a roll-up adds up (汇总), telling unknown from zero.

use crate::coded::coded_enum;
use crate::money::{Money, Total};
use crate::tier::Investment;

coded_enum! {
    /// How the amount of a project is known (投资额口径).
    pub enum Known {
        /// To the 分.
        Exact => "exact", "确定", "exact";
        /// By a lower bound only (以上).
        Floor => "floor", "下限", "lower bound";
        /// Not at all.
        Unknown => "unknown", "未定", "unknown";
    }
}

/// The measures of a set of projects.
///
/// Exact amounts and lower bounds are added apart, and the projects that have neither are told: an
/// unknown amount never counts as zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measures {
    /// How many projects.
    pub count: u64,
    /// How many have an exact amount.
    pub exact_count: u64,
    /// The sum of the exact amounts.
    pub exact_sum: Total,
    /// How many have a lower bound only.
    pub floor_count: u64,
    /// The sum of the lower bounds.
    pub floor_sum: Total,
    /// How many have neither.
    pub undetermined: u64,
    /// The sum of the annual plans of the year asked for (年度计划投资).
    pub annual_plan: Total,
}

impl Measures {
    /// Takes one project in.
    pub fn add(&mut self, investment: Investment, annual_plan: Option<Money>) {
        self.count += 1;
        match investment {
            Investment::Exact(amount) => {
                self.exact_count += 1;
                self.exact_sum = plus(self.exact_sum, amount);
            }
            Investment::Floor(amount) => {
                self.floor_count += 1;
                self.floor_sum = plus(self.floor_sum, amount);
            }
            Investment::Unknown => self.undetermined += 1,
        }
        if let Some(plan) = annual_plan {
            self.annual_plan = plus(self.annual_plan, plan);
        }
    }

    /// Takes in so many projects whose amounts are known alike, with the sum of what is known.
    pub fn add_many(&mut self, known: Known, count: u64, sum: Total) {
        self.count += count;
        match known {
            Known::Exact => {
                self.exact_count += count;
                self.exact_sum = join(self.exact_sum, sum);
            }
            Known::Floor => {
                self.floor_count += count;
                self.floor_sum = join(self.floor_sum, sum);
            }
            Known::Unknown => self.undetermined += count,
        }
    }

    /// Takes the sum of annual plans in.
    pub fn add_plans(&mut self, sum: Total) {
        self.annual_plan = join(self.annual_plan, sum);
    }

    /// The measures of two disjoint sets together.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            exact_count: self.exact_count + other.exact_count,
            exact_sum: join(self.exact_sum, other.exact_sum),
            floor_count: self.floor_count + other.floor_count,
            floor_sum: join(self.floor_sum, other.floor_sum),
            undetermined: self.undetermined + other.undetermined,
            annual_plan: join(self.annual_plan, other.annual_plan),
        }
    }
}

fn join(a: Total, b: Total) -> Total {
    Total::from_fen(a.fen() + b.fen())
}

fn plus(sum: Total, amount: Money) -> Total {
    // 10^17 分 at most each: an i128 holds more of them than there are atoms to build with.
    Total::from_fen(sum.fen() + i128::from(amount.fen()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_told_apart_and_never_counted_as_zero() {
        let mut measures = Measures::default();
        measures.add(Investment::Exact(Money::from_fen(150).unwrap()), None);
        measures.add(Investment::Floor(Money::from_fen(500).unwrap()), None);
        measures.add(Investment::Unknown, None);
        assert_eq!(
            (
                measures.count,
                measures.exact_count,
                measures.floor_count,
                measures.undetermined
            ),
            (3, 1, 1, 1)
        );
        assert_eq!(measures.exact_sum.to_string(), "1.50");
        assert_eq!(measures.floor_sum.to_string(), "5.00");
    }

    #[test]
    fn a_thousand_of_the_largest_projects_add_up() {
        let mut measures = Measures::default();
        for _ in 0..1000 {
            measures.add(Investment::Exact(Money::MAX), Some(Money::MAX));
        }
        assert_eq!(measures.exact_sum.to_string(), "1000000000000000000.00");
        assert_eq!(
            measures.join(measures).annual_plan.to_string(),
            "2000000000000000000.00"
        );
    }
}
