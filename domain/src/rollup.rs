//! What a roll-up adds up (汇总), telling unknown from zero.

use crate::coded::coded_enum;
use crate::money::Total;

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
    /// The annual plans of the year asked for (年度计划投资).
    pub annual_plan: Told,
    /// What was completed in the year asked for (年度完成投资).
    pub completed_in_year: Told,
    /// What was completed to date (累计完成投资).
    pub completed_total: Told,
    /// The funds received to date (到位资金).
    pub funds_received: Told,
}

/// A sum of figures that were told; without any it is unknown, not zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How many figures: plans of projects, or months of projects.
    pub count: u64,
    /// What they come to.
    pub sum: Total,
}

impl Told {
    /// The sum of both.
    #[must_use]
    pub fn join(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: join(self.sum, other.sum),
        }
    }
}

impl Measures {
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
            annual_plan: self.annual_plan.join(other.annual_plan),
            completed_in_year: self.completed_in_year.join(other.completed_in_year),
            completed_total: self.completed_total.join(other.completed_total),
            funds_received: self.funds_received.join(other.funds_received),
        }
    }
}

fn join(a: Total, b: Total) -> Total {
    // 10^17 分 at most each: an i128 holds more of them than there are atoms to build with.
    Total::from_fen(a.fen() + b.fen())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Money;

    fn fen(fen: i128) -> Total {
        Total::from_fen(fen)
    }

    #[test]
    fn unknown_is_told_apart_and_never_counted_as_zero() {
        let mut measures = Measures::default();
        measures.add_many(Known::Exact, 1, fen(150));
        measures.add_many(Known::Floor, 2, fen(500));
        measures.add_many(Known::Unknown, 3, Total::ZERO);
        let Measures {
            count,
            exact_count,
            floor_count,
            undetermined,
            ..
        } = measures;
        assert_eq!(
            (count, exact_count, floor_count, undetermined),
            (6, 1, 2, 3)
        );
        assert_eq!(measures.exact_sum.to_string(), "1.50");
        assert_eq!(measures.floor_sum.to_string(), "5.00");
        assert_eq!(measures.completed_total, Told::default());
    }

    #[test]
    fn a_thousand_of_the_largest_projects_add_up() {
        let most = Total::from(Money::MAX);
        let mut measures = Measures {
            annual_plan: Told {
                count: 1,
                sum: most,
            },
            ..Measures::default()
        };
        measures.add_many(Known::Exact, 1, most);
        let all = (0..1000).fold(Measures::default(), |all, _| all.join(measures));
        assert_eq!(all.exact_sum.to_string(), "1000000000000000000.00");
        let plans = all.join(all).annual_plan;
        assert_eq!(
            (plans.count, plans.sum.to_string().as_str()),
            (2000, "2000000000000000000.00")
        );
    }
}
