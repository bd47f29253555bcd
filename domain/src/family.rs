//! Projects that belong together (项目群), and how they are counted without doubling.

use std::collections::{BTreeMap, BTreeSet};

use crate::coded::coded_enum;
use crate::id::ProjectId;
use crate::money::{Money, Total};
use crate::stage::{Condition, Stage};
use crate::tier::Investment;

/// How many generations a family may have.
pub const MAX_DEPTH: usize = 6;
/// How many projects a family may have.
pub const MAX_MEMBERS: usize = 1000;

coded_enum! {
    /// How a project's family is counted (项目群计数方式).
    pub enum FamilyCounting {
        /// The root counts; its parts are shown as 其中.
        Whole => "whole", "整体计数", "the whole counts";
        /// A cover: it never counts, its parts do (打捆项目).
        Parts => "parts", "按子项计数", "the parts count";
        /// Root and parts are projects of their own (分期).
        Separate => "separate", "分别计数", "each counts";
    }
}

coded_enum! {
    /// At which level projects are counted (统计口径).
    pub enum Level {
        /// 按项目.
        Project => "project", "按项目", "by project";
        /// 按子项目: wholes are replaced by their parts.
        Part => "part", "按子项目", "by part";
    }
}

/// What the rules of counting read of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Which project.
    pub id: ProjectId,
    /// The project that it is part of.
    pub parent: Option<ProjectId>,
    /// How its family is counted.
    pub counting: FamilyCounting,
    /// Its own stage; a cover's is derived.
    pub stage: Stage,
    /// Its own condition; a cover's is derived.
    pub condition: Condition,
    /// Its total investment.
    pub investment: Investment,
}

/// What is wrong with a family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FamilyFault {
    /// A parent that is not among the members.
    UnknownParent(ProjectId),
    /// A project that would be its own ancestor.
    Cycle(ProjectId),
    /// More than [`MAX_DEPTH`] generations.
    TooDeep(ProjectId),
    /// A cover that holds an amount.
    CoverHoldsAmount(ProjectId),
    /// The parts' exact amounts together exceed the whole's.
    PartsExceedWhole {
        /// The whole.
        whole: ProjectId,
        /// Its exact amount.
        amount: Money,
        /// What its parts carry together.
        parts: Total,
    },
}

impl FamilyFault {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownParent(_) => "unknown_parent",
            Self::Cycle(_) => "family_cycle",
            Self::TooDeep(_) => "family_too_deep",
            Self::CoverHoldsAmount(_) => "cover_holds_no_amount",
            Self::PartsExceedWhole { .. } => "parts_exceed_whole",
        }
    }
}

/// Money of a whole that its parts don't carry (未分解).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remainder {
    /// Of an exact amount.
    pub exact: Option<Money>,
    /// Of a lower bound.
    pub floor: Option<Money>,
}

/// How a project is counted in the portfolio, and what a cover shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// It counts at [`Level::Project`].
    pub by_project: bool,
    /// It counts at [`Level::Part`].
    pub by_part: bool,
    /// It is a whole with parts; what they don't carry of its money.
    pub remainder: Option<Remainder>,
    /// The stage and condition to show: derived for a cover with parts, else its own.
    pub shown: (Stage, Condition),
}

/// A set of projects with their parents, checked: one family, or a whole library.
#[derive(Clone, Debug, Default)]
pub struct Families {
    members: BTreeMap<ProjectId, Member>,
    children: BTreeMap<ProjectId, Vec<ProjectId>>,
}

impl Families {
    /// Takes the members in and checks them.
    ///
    /// # Errors
    /// The first [`FamilyFault`] found, in the order of ids.
    pub fn new(members: impl IntoIterator<Item = Member>) -> Result<Self, FamilyFault> {
        let mut families = Self::default();
        for member in members {
            if let Some(parent) = member.parent {
                families.children.entry(parent).or_default().push(member.id);
            }
            families.members.insert(member.id, member);
        }
        for member in families.members.values() {
            families.check_ancestors(member)?;
        }
        for member in families.members.values() {
            families.check_money(member)?;
        }
        Ok(families)
    }

    fn check_ancestors(&self, member: &Member) -> Result<(), FamilyFault> {
        let mut above = member.parent;
        let mut depth = 1;
        while let Some(id) = above {
            if id == member.id {
                return Err(FamilyFault::Cycle(id));
            }
            depth += 1;
            if depth > MAX_DEPTH {
                return Err(FamilyFault::TooDeep(member.id));
            }
            let parent = self
                .members
                .get(&id)
                .ok_or(FamilyFault::UnknownParent(id))?;
            above = parent.parent;
        }
        Ok(())
    }

    fn check_money(&self, member: &Member) -> Result<(), FamilyFault> {
        match (member.counting, member.investment) {
            (FamilyCounting::Parts, Investment::Exact(_) | Investment::Floor(_)) => {
                Err(FamilyFault::CoverHoldsAmount(member.id))
            }
            (FamilyCounting::Whole, Investment::Exact(amount)) => {
                let parts = self.carried_by_parts(member.id);
                if parts > Total::from(amount) {
                    return Err(FamilyFault::PartsExceedWhole {
                        whole: member.id,
                        amount,
                        parts,
                    });
                }
                Ok(())
            }
            (FamilyCounting::Whole, Investment::Floor(_) | Investment::Unknown)
            | (FamilyCounting::Parts, Investment::Unknown)
            | (FamilyCounting::Separate, _) => Ok(()),
        }
    }

    /// Every member, in the order of ids.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    /// A member.
    #[must_use]
    pub fn get(&self, id: ProjectId) -> Option<&Member> {
        self.members.get(&id)
    }

    /// The direct parts of a project.
    #[must_use]
    pub fn parts(&self, id: ProjectId) -> &[ProjectId] {
        self.children.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The ancestors of a project, nearest first.
    pub fn ancestors(&self, id: ProjectId) -> impl Iterator<Item = &Member> {
        std::iter::successors(self.parent_of(id), |member| self.parent_of(member.id))
    }

    fn parent_of(&self, id: ProjectId) -> Option<&Member> {
        self.members.get(&self.members.get(&id)?.parent?)
    }

    /// How each project is counted in the portfolio, and what the covers show.
    #[must_use]
    pub fn placements(&self) -> BTreeMap<ProjectId, Placement> {
        self.members
            .values()
            .map(|member| (member.id, self.placement(member)))
            .collect()
    }

    fn placement(&self, member: &Member) -> Placement {
        let is_cover = member.counting == FamilyCounting::Parts;
        let is_broken_down =
            member.counting == FamilyCounting::Whole && !self.parts(member.id).is_empty();
        let inside_whole = self
            .ancestors(member.id)
            .any(|above| above.counting == FamilyCounting::Whole);
        Placement {
            by_project: !is_cover && !inside_whole,
            by_part: !is_cover && !is_broken_down,
            remainder: is_broken_down.then(|| self.remainder(member)),
            shown: self.shown(member),
        }
    }

    /// What a project shows: a cover with parts shows what they say together.
    fn shown(&self, member: &Member) -> (Stage, Condition) {
        let parts = self.parts(member.id);
        if member.counting != FamilyCounting::Parts || parts.is_empty() {
            return (member.stage, member.condition);
        }
        let shown: Vec<_> = parts
            .iter()
            .filter_map(|id| self.members.get(id))
            .map(|part| self.shown(part))
            .collect();
        let staying: Vec<_> = shown
            .iter()
            .copied()
            .filter(|&(_, condition)| condition != Condition::Withdrawn)
            .collect();
        if staying.is_empty() {
            let furthest = shown.iter().map(|&(stage, _)| stage).max();
            return (furthest.unwrap_or(member.stage), Condition::Withdrawn);
        }
        let all = |test: fn((Stage, Condition)) -> bool| staying.iter().all(|&s| test(s));
        if all(|(stage, _)| stage == Stage::Completion) {
            return (Stage::Completion, Condition::Active);
        }
        // One part completed means that the cover is under way, not that it is done.
        let furthest = staying.iter().map(|&(stage, _)| stage).max();
        let stage = furthest.map_or(member.stage, |stage| stage.min(Stage::Construction));
        let open_are_held = staying
            .iter()
            .filter(|&&(stage, _)| stage != Stage::Completion)
            .all(|&(_, condition)| condition == Condition::Suspended);
        let condition = if open_are_held {
            Condition::Suspended
        } else {
            Condition::Active
        };
        (stage, condition)
    }

    fn remainder(&self, whole: &Member) -> Remainder {
        let carried = self.carried_by_parts(whole.id);
        let left = |amount: Money| {
            let left = Total::from(amount).fen() - carried.fen();
            i64::try_from(left.max(0))
                .ok()
                .and_then(|fen| Money::from_fen(fen).ok())
        };
        match whole.investment {
            Investment::Exact(amount) => Remainder {
                exact: left(amount),
                floor: None,
            },
            Investment::Floor(amount) => Remainder {
                exact: None,
                floor: left(amount),
            },
            Investment::Unknown => Remainder::default(),
        }
    }

    fn carried_by_parts(&self, id: ProjectId) -> Total {
        self.parts(id)
            .iter()
            .filter_map(|part| self.members.get(part))
            .filter(|part| part.condition != Condition::Withdrawn)
            .fold(Total::ZERO, |sum, part| add(sum, self.carried(part)))
    }

    /// The exact money of a part, as its whole sees it.
    fn carried(&self, part: &Member) -> Total {
        let own = part.investment.exact().map_or(Total::ZERO, Total::from);
        match (part.counting, part.investment) {
            (FamilyCounting::Whole, Investment::Exact(_)) => own,
            (FamilyCounting::Whole, Investment::Floor(_) | Investment::Unknown)
            | (FamilyCounting::Parts | FamilyCounting::Separate, _) => {
                add(own, self.carried_by_parts(part.id))
            }
        }
    }
}

fn add(a: Total, b: Total) -> Total {
    // At most a thousand members of at most 10^17 分 each: an i128 holds any sum.
    Total::from_fen(a.fen() + b.fen())
}

/// What is counted: the whole library, or the union of some lists as one list.
#[derive(Clone, Copy, Debug)]
pub enum Base<'a> {
    /// 全部项目.
    Portfolio,
    /// The members of the lists asked for.
    List(&'a BTreeSet<ProjectId>),
}

/// The counted set (计数集): what a right roll-up counts, before any filter.
///
/// This is the definition, written for reading; the store counts by stored placements and SQL, and the
/// tests hold it to this.
#[must_use]
pub fn counted_set(families: &Families, base: Base<'_>, level: Level) -> BTreeSet<ProjectId> {
    let candidates = match base {
        Base::Portfolio => families.members.keys().copied().collect(),
        Base::List(members) => with_parts_of_covers(families, members),
    };
    let counted: BTreeSet<_> = candidates
        .iter()
        .copied()
        .filter(|&id| {
            let is_cover = families
                .get(id)
                .is_none_or(|member| member.counting == FamilyCounting::Parts);
            let inside = families.ancestors(id).any(|above| {
                above.counting == FamilyCounting::Whole && candidates.contains(&above.id)
            });
            !is_cover && !inside
        })
        .collect();
    match level {
        Level::Project => counted,
        Level::Part => counted
            .iter()
            .flat_map(|&id| broken_down(families, id))
            .collect(),
    }
}

fn with_parts_of_covers(families: &Families, members: &BTreeSet<ProjectId>) -> BTreeSet<ProjectId> {
    let mut found = BTreeSet::new();
    let mut open: Vec<_> = members.iter().copied().collect();
    while let Some(id) = open.pop() {
        let is_cover = families
            .get(id)
            .is_some_and(|member| member.counting == FamilyCounting::Parts);
        if found.insert(id) && is_cover {
            open.extend(families.parts(id));
        }
    }
    found
}

/// A counted project at [`Level::Part`]: itself, or, of a whole with parts, all that is inside it.
fn broken_down(families: &Families, id: ProjectId) -> Vec<ProjectId> {
    let is_whole = families
        .get(id)
        .is_some_and(|member| member.counting == FamilyCounting::Whole);
    if !is_whole || families.parts(id).is_empty() {
        return vec![id];
    }
    let mut found = Vec::new();
    let mut open = families.parts(id).to_vec();
    while let Some(id) = open.pop() {
        let parts = families.parts(id);
        let counts = families
            .get(id)
            .is_some_and(|member| match member.counting {
                FamilyCounting::Whole => parts.is_empty(),
                FamilyCounting::Parts => false,
                FamilyCounting::Separate => true,
            });
        if counts {
            found.push(id);
        }
        open.extend(parts);
    }
    found
}

#[cfg(test)]
mod tests;
