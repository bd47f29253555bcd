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

coded_enum! {
    /// What became of a project between two instants, as a roll-up sees it (变化类别).
    pub enum Change {
        /// It is counted and was not.
        Entered => "entered", "新增", "entered";
        /// It was counted and is not.
        Left => "left", "减少", "left";
        /// In another stage, of the same tier.
        Moved => "moved", "阶段变动", "moved";
        /// Of another tier, in the same stage.
        Retiered => "retiered", "分档变动", "changed its tier";
        /// In another stage and of another tier.
        MovedAndRetiered => "moved_and_retiered", "阶段和分档变动", "moved and changed its tier";
        /// In the same cell, but its amount is another or is known in another way.
        Amount => "amount", "投资额变动", "changed its amount";
    }
}

coded_enum! {
    /// Why a project came into a roll-up or went out of it (变化原因).
    pub enum Reason {
        /// It was not in the library.
        Registered => "registered", "新入库", "registered";
        /// It was withdrawn.
        ReEntered => "re_entered", "重新入库", "re-entered";
        /// It was there, but counted within another, or not on the list.
        Counted => "counted", "纳入计数", "counted by itself";
        /// It has been withdrawn.
        Withdrawn => "withdrawn", "退库", "withdrawn";
        /// It is now counted within another, or no longer on the list.
        NotCounted => "not_counted", "不再计数", "no longer counted by itself";
        /// It is there and was, but on one side of the filters and the scope, or on the other.
        Reclassified => "reclassified", "归类变动", "reclassified";
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

    /// What this set has more than another; below zero where it has less.
    #[must_use]
    pub fn less(self, other: Self) -> Difference {
        let count = |a: u64, b: u64| a.wrapping_sub(b).cast_signed();
        let sum = |a: Total, b: Total| Total::from_fen(a.fen() - b.fen());
        Difference {
            count: count(self.count, other.count),
            exact_count: count(self.exact_count, other.exact_count),
            exact_sum: sum(self.exact_sum, other.exact_sum),
            floor_count: count(self.floor_count, other.floor_count),
            floor_sum: sum(self.floor_sum, other.floor_sum),
            undetermined: count(self.undetermined, other.undetermined),
        }
    }
}

/// By how much the measures of one set of projects are above those of another (增减); below zero where they are below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// How many more projects.
    pub count: i64,
    /// How many more with an exact amount.
    pub exact_count: i64,
    /// By how much the sum of the exact amounts is higher.
    pub exact_sum: Total,
    /// How many more with a lower bound only.
    pub floor_count: i64,
    /// By how much the sum of the lower bounds is higher.
    pub floor_sum: Total,
    /// How many more that have neither.
    pub undetermined: i64,
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
    fn a_difference_is_signed_and_turns_around_with_its_sides() {
        let mut before = Measures::default();
        before.add_many(Known::Exact, 1, Total::from(Money::MAX));
        before.add_many(Known::Unknown, 1, Total::ZERO);
        let mut after = Measures::default();
        after.add_many(Known::Floor, 1, fen(500));
        let expected = Difference {
            count: -1,
            exact_count: -1,
            exact_sum: Total::from_fen(-i128::from(Money::MAX.fen())),
            floor_count: 1,
            floor_sum: Total::from_fen(500),
            undetermined: -1,
        };
        assert_eq!(after.less(before), expected);
        assert_eq!(
            after.less(before).exact_sum.to_string(),
            "-1000000000000000.00"
        );
        assert_eq!(before.less(after).count, 1);
        assert_eq!(after.less(after), Difference::default());
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
