//! The investment tier (投资分档) of a project: derived from its total investment, never entered.

use crate::coded::coded_enum;
use crate::money::Money;

/// What is known of a project's total investment (总投资). Unknown never counts as zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Investment {
    /// The exact amount.
    Exact(Money),
    /// A lower bound: "50亿元以上".
    Floor(Money),
    /// Not known.
    Unknown,
}

impl Investment {
    /// The tier: of the amount, or of the lower bound, which [`Investment::basis`] then says.
    #[must_use]
    pub fn tier(self) -> InvestmentTier {
        match self {
            Investment::Exact(amount) | Investment::Floor(amount) => InvestmentTier::of(amount),
            Investment::Unknown => InvestmentTier::Undetermined,
        }
    }

    /// What the tier rests on.
    #[must_use]
    pub const fn basis(self) -> TierBasis {
        match self {
            Investment::Exact(_) => TierBasis::Exact,
            Investment::Floor(_) => TierBasis::Floor,
            Investment::Unknown => TierBasis::None,
        }
    }

    /// The exact amount, if there is one.
    #[must_use]
    pub const fn exact(self) -> Option<Money> {
        match self {
            Investment::Exact(amount) => Some(amount),
            Investment::Floor(_) | Investment::Unknown => None,
        }
    }

    /// The lower bound, if that is all that is known.
    #[must_use]
    pub const fn floor(self) -> Option<Money> {
        match self {
            Investment::Floor(amount) => Some(amount),
            Investment::Exact(_) | Investment::Unknown => None,
        }
    }

    /// The amount that the investment certainly reaches: the exact one or the lower bound.
    #[must_use]
    pub const fn known(self) -> Option<Money> {
        match self {
            Investment::Exact(amount) | Investment::Floor(amount) => Some(amount),
            Investment::Unknown => None,
        }
    }
}

coded_enum! {
    /// What a tier rests on (分档依据).
    pub enum TierBasis {
        /// An exact amount.
        Exact => "exact", "准确金额", "exact amount";
        /// A lower bound: the true tier may be a higher one.
        Floor => "floor", "金额下限", "lower bound";
        /// Nothing: the tier is undetermined.
        None => "none", "金额未定", "no amount";
    }
}

coded_enum! {
    /// A tier of total investment (投资分档): its lower bound is in it, its upper bound is not.
    /// The tiers stand from the lowest, with the undetermined one last.
    pub enum InvestmentTier {
        /// Under 500万元: out of the scope of major projects.
        Under5m => "under_5m", "500万元以下", "under 5 million yuan";
        /// From 500万元, under 1亿元.
        From5m => "from_5m", "500万元至1亿元", "5 to 100 million yuan";
        /// From 1亿元, under 10亿元.
        From100m => "from_100m", "1亿元至10亿元", "100 million to 1 billion yuan";
        /// From 10亿元, under 50亿元.
        From1b => "from_1b", "10亿元至50亿元", "1 to 5 billion yuan";
        /// From 50亿元, under 100亿元.
        From5b => "from_5b", "50亿元至100亿元", "5 to 10 billion yuan";
        /// From 100亿元.
        From10b => "from_10b", "100亿元以上", "10 billion yuan and over";
        /// No amount is known (未定).
        Undetermined => "undetermined", "未定", "undetermined";
    }
}

impl InvestmentTier {
    /// The tier of an amount.
    #[must_use]
    pub fn of(amount: Money) -> InvestmentTier {
        Self::ALL
            .iter()
            .copied()
            .rev()
            .find(|tier| tier.lower_bound().is_some_and(|bound| bound <= amount))
            .unwrap_or(InvestmentTier::Under5m)
    }

    /// The least amount in the tier; none if undetermined.
    #[must_use]
    pub const fn lower_bound(self) -> Option<Money> {
        match self {
            InvestmentTier::Under5m => Some(Money::ZERO),
            InvestmentTier::From5m => Some(const { Money::from_yuan(5_000_000) }),
            InvestmentTier::From100m => Some(const { Money::from_yuan(100_000_000) }),
            InvestmentTier::From1b => Some(const { Money::from_yuan(1_000_000_000) }),
            InvestmentTier::From5b => Some(const { Money::from_yuan(5_000_000_000) }),
            InvestmentTier::From10b => Some(const { Money::from_yuan(10_000_000_000) }),
            InvestmentTier::Undetermined => None,
        }
    }

    /// The least amount above the tier, itself no longer in it; none if the tier is open or undetermined.
    #[must_use]
    pub const fn upper_bound(self) -> Option<Money> {
        match self {
            InvestmentTier::Under5m => InvestmentTier::From5m.lower_bound(),
            InvestmentTier::From5m => InvestmentTier::From100m.lower_bound(),
            InvestmentTier::From100m => InvestmentTier::From1b.lower_bound(),
            InvestmentTier::From1b => InvestmentTier::From5b.lower_bound(),
            InvestmentTier::From5b => InvestmentTier::From10b.lower_bound(),
            InvestmentTier::From10b | InvestmentTier::Undetermined => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tier_of(fen: i64) -> InvestmentTier {
        InvestmentTier::of(Money::from_fen(fen).unwrap())
    }

    #[test]
    fn a_lower_bound_is_in_its_tier_and_a_fen_less_is_not() {
        let bounds = [
            (
                "5000000.00",
                InvestmentTier::Under5m,
                InvestmentTier::From5m,
            ),
            (
                "100000000.00",
                InvestmentTier::From5m,
                InvestmentTier::From100m,
            ),
            (
                "1000000000.00",
                InvestmentTier::From100m,
                InvestmentTier::From1b,
            ),
            (
                "5000000000.00",
                InvestmentTier::From1b,
                InvestmentTier::From5b,
            ),
            (
                "10000000000.00",
                InvestmentTier::From5b,
                InvestmentTier::From10b,
            ),
        ];
        for (bound, below, at) in bounds {
            let fen = Money::parse_yuan(bound).unwrap().fen();
            assert_eq!(tier_of(fen - 1), below, "a 分 below {bound}");
            assert_eq!(tier_of(fen), at, "at {bound}");
            assert_eq!(tier_of(fen + 1), at, "a 分 above {bound}");
        }
    }

    #[test]
    fn the_ends_of_the_scale_are_open() {
        assert_eq!(InvestmentTier::of(Money::ZERO), InvestmentTier::Under5m);
        assert_eq!(InvestmentTier::of(Money::MAX), InvestmentTier::From10b);
        assert_eq!(InvestmentTier::From10b.upper_bound(), None);
    }

    #[test]
    fn an_unknown_amount_is_undetermined_and_not_the_lowest_tier() {
        assert_eq!(Investment::Unknown.tier(), InvestmentTier::Undetermined);
        assert_eq!(Investment::Unknown.known(), None);
        assert_eq!(Investment::Unknown.basis().code(), "none");
        assert_eq!(InvestmentTier::Undetermined.lower_bound(), None);
        assert_eq!(InvestmentTier::Undetermined.upper_bound(), None);
    }

    #[test]
    fn a_lower_bound_gives_the_tier_of_the_bound_and_says_so() {
        let bound = Money::from_yuan(5_000_000_000);
        let investment = Investment::Floor(bound);
        assert_eq!(investment.tier(), InvestmentTier::From5b);
        assert_eq!(investment.basis().code(), "floor");
        assert_eq!(investment.exact(), None);
        assert_eq!(investment.floor(), Some(bound));
        assert_eq!(investment.known(), Some(bound));
    }

    #[test]
    fn an_exact_amount_is_no_lower_bound() {
        let amount = Money::from_yuan(5_000_000);
        let investment = Investment::Exact(amount);
        assert_eq!(investment.tier(), InvestmentTier::From5m);
        assert_eq!(investment.basis().code(), "exact");
        assert_eq!(investment.exact(), Some(amount));
        assert_eq!(investment.floor(), None);
        assert_eq!(investment.known(), Some(amount));
    }

    #[test]
    fn codes_are_read_back_and_no_others() {
        let codes: Vec<_> = InvestmentTier::ALL.iter().map(|tier| tier.code()).collect();
        assert_eq!(
            codes,
            [
                "under_5m",
                "from_5m",
                "from_100m",
                "from_1b",
                "from_5b",
                "from_10b",
                "undetermined"
            ]
        );
        for &tier in InvestmentTier::ALL {
            assert_eq!(InvestmentTier::from_code(tier.code()), Some(tier));
        }
        for other in ["", "FROM_5M", "from_5m ", "none"] {
            assert_eq!(InvestmentTier::from_code(other), None);
        }
    }

    proptest! {
        #[test]
        fn every_amount_is_in_exactly_one_tier(fen in 0..=2 * 1_000_000_000_000_i64) {
            let amount = Money::from_fen(fen).unwrap();
            let holds = |tier: &InvestmentTier| {
                tier.lower_bound().is_some_and(|bound| bound <= amount)
                    && tier.upper_bound().is_none_or(|bound| amount < bound)
            };
            let holding: Vec<_> = InvestmentTier::ALL.iter().copied().filter(holds).collect();
            prop_assert_eq!(holding, [InvestmentTier::of(amount)]);
        }
    }
}
