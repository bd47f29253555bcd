//! The lifecycle 谋划 → 引育 → 开工 → 竣工 and the table of moves.

use crate::coded::coded_enum;

coded_enum! {
    /// Where a project stands in its life (阶段).
    pub enum Stage {
        /// Thought out, in the reserve (谋划).
        Planning => "planning", "谋划", "planning";
        /// Signed, cultivated or approved with funds (引育).
        Attraction => "attraction", "引育", "attraction";
        /// Permanent works really broke ground (开工).
        Construction => "construction", "开工", "construction";
        /// Works done and accepted (竣工).
        Completion => "completion", "竣工", "completion";
    }
}

coded_enum! {
    /// Whether a project goes on in its stage (状态).
    pub enum Condition {
        /// Goes on (正常).
        Active => "active", "正常", "active";
        /// Held in its stage (停缓建).
        Suspended => "suspended", "停缓建", "suspended";
        /// Left the library (退库).
        Withdrawn => "withdrawn", "退库", "withdrawn";
    }
}

coded_enum! {
    /// A move that may be asked for; the codes are the values of `to` in the API.
    pub enum Move {
        /// 谋划 → 引育.
        Attraction => "attraction", "转入引育", "enter attraction";
        /// 引育 → 开工.
        Construction => "construction", "转入开工", "start construction";
        /// 开工 → 竣工.
        Completion => "completion", "转入竣工", "complete";
        /// Held in its stage (停缓建).
        Suspended => "suspended", "停缓建", "suspend";
        /// Goes on again (复工).
        Resumed => "resumed", "恢复", "resume";
        /// Leaves the library (退库).
        Withdrawn => "withdrawn", "退库", "withdraw";
        /// Comes back into the reserve after having left (重新入库).
        Planning => "planning", "重新入库", "re-enter planning";
        /// The latest standing move is taken back (更正).
        Corrected => "corrected", "更正", "correct";
    }
}

coded_enum! {
    /// How a stage was reached (阶段依据).
    pub enum StageBasis {
        /// Through the gates, with evidence.
        Gate => "gate", "按规则进入", "through the gate";
        /// Taken over as it was found, quoted from a document (期初导入).
        OpeningBalance => "opening_balance", "期初导入", "opening balance";
    }
}

/// The moves that a project in this stage and condition may take: THE table.
///
/// [`Move::Corrected`] is not in it: whether there is something to take back depends on what was done,
/// not on where the project stands.
#[must_use]
pub const fn exits(stage: Stage, condition: Condition) -> &'static [Move] {
    match (stage, condition) {
        (Stage::Planning, Condition::Active) => {
            &[Move::Attraction, Move::Suspended, Move::Withdrawn]
        }
        (Stage::Attraction, Condition::Active) => {
            &[Move::Construction, Move::Suspended, Move::Withdrawn]
        }
        (Stage::Construction, Condition::Active) => {
            &[Move::Completion, Move::Suspended, Move::Withdrawn]
        }
        (Stage::Planning | Stage::Attraction | Stage::Construction, Condition::Suspended) => {
            &[Move::Resumed, Move::Withdrawn]
        }
        (Stage::Planning | Stage::Attraction | Stage::Construction, Condition::Withdrawn) => {
            &[Move::Planning]
        }
        (Stage::Completion, Condition::Active | Condition::Suspended | Condition::Withdrawn) => &[],
    }
}

impl Move {
    /// Whether only a manager may do it; the others an officer may do too.
    #[must_use]
    pub const fn needs_manager(self) -> bool {
        match self {
            Self::Attraction | Self::Construction | Self::Completion => false,
            Self::Suspended
            | Self::Resumed
            | Self::Withdrawn
            | Self::Planning
            | Self::Corrected => true,
        }
    }

    /// The stage that a step forward leads to; `None` for a move that is not a step forward.
    #[must_use]
    pub const fn step_to(self) -> Option<Stage> {
        match self {
            Self::Attraction => Some(Stage::Attraction),
            Self::Construction => Some(Stage::Construction),
            Self::Completion => Some(Stage::Completion),
            Self::Suspended
            | Self::Resumed
            | Self::Withdrawn
            | Self::Planning
            | Self::Corrected => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    #[test]
    fn the_table_is_the_one_that_was_agreed() {
        let mut table = String::new();
        for &stage in Stage::ALL {
            for &condition in Condition::ALL {
                let to: Vec<_> = exits(stage, condition).iter().map(|m| m.code()).collect();
                writeln!(table, "{stage} {condition}: {}", to.join(" ")).unwrap();
            }
        }
        assert_eq!(
            table,
            "planning active: attraction suspended withdrawn\n\
             planning suspended: resumed withdrawn\n\
             planning withdrawn: planning\n\
             attraction active: construction suspended withdrawn\n\
             attraction suspended: resumed withdrawn\n\
             attraction withdrawn: planning\n\
             construction active: completion suspended withdrawn\n\
             construction suspended: resumed withdrawn\n\
             construction withdrawn: planning\n\
             completion active: \n\
             completion suspended: \n\
             completion withdrawn: \n"
        );
    }

    #[test]
    fn codes_and_values_belong_to_each_other() {
        for &stage in Stage::ALL {
            assert_eq!(Stage::from_code(stage.code()), Some(stage));
        }
        for &m in Move::ALL {
            assert_eq!(Move::from_code(m.code()), Some(m));
        }
        assert_eq!(Stage::from_code("开工"), None);
    }
}
