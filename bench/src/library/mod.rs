//! The projects of a synthetic library, block by block, and the families among them.

mod rows;
mod write;

use chrono::NaiveDate;
use domain::family::{Families, FamilyCounting, Member, Placement};
use domain::id::ProjectId;
use domain::money::Money;
use domain::stage::{Condition, Stage};
use domain::tier::Investment;

use crate::layout::{BLOCK, CITIES, FAMILY, Layout, project_id};
use crate::random::Random;
use crate::table::Table;
use rows::Rows;

/// Amounts from one to another 元, and how common they are.
const AMOUNTS: [((i64, i64), u64); 6] = [
    ((500_000, 5_000_000), 5),
    ((5_000_000, 100_000_000), 50),
    ((100_000_000, 1_000_000_000), 32),
    ((1_000_000_000, 5_000_000_000), 9),
    ((5_000_000_000, 10_000_000_000), 2),
    ((10_000_000_000, 60_000_000_000), 2),
];
const STAGES: [(Stage, u64); 4] = [
    (Stage::Planning, 35),
    (Stage::Attraction, 25),
    (Stage::Construction, 25),
    (Stage::Completion, 15),
];
const CONDITIONS: [(Condition, u64); 3] = [
    (Condition::Active, 90),
    (Condition::Suspended, 6),
    (Condition::Withdrawn, 4),
];

/// A project before it is written into rows.
#[derive(Clone, Debug)]
struct Project {
    n: u64,
    parent: Option<u64>,
    counting: FamilyCounting,
    stage: Stage,
    condition: Condition,
    investment: Investment,
    city: u64,
    placement: Option<Placement>,
}

impl Project {
    fn member(&self) -> Member {
        Member {
            id: ProjectId(project_id(self.n)),
            parent: self.parent.map(|n| ProjectId(project_id(n))),
            counting: self.counting,
            stage: self.stage,
            condition: self.condition,
            investment: self.investment,
        }
    }
}

/// Makes a library.
#[derive(Debug)]
pub(crate) struct Library {
    seed: u64,
    layout: Layout,
    cities: Vec<(u64, u64)>,
    start: NaiveDate,
}

impl Library {
    pub(crate) fn new(seed: u64, layout: Layout) -> Self {
        Self {
            seed,
            layout,
            // The largest city has some twenty times as many as the smallest.
            cities: (0..CITIES)
                .map(|city| (city, 1_000_000 / (city + 15)))
                .collect(),
            start: NaiveDate::from_ymd_opt(2022, 1, 3).unwrap_or_default(),
        }
    }

    /// The rows of the projects from `from` up to `to`, in the order in which they can be stored.
    pub(crate) fn tables(&self, from: u64, to: u64) -> Vec<Table> {
        let mut rows = Rows::default();
        let mut block = from / BLOCK * BLOCK;
        while block < to {
            for project in self.block(block, to.min(block + BLOCK)) {
                self.write(&project, &mut rows);
            }
            block += BLOCK;
        }
        rows.tables()
    }

    fn block(&self, from: u64, to: u64) -> Vec<Project> {
        let mut all: Vec<_> = (from..to).map(|n| self.plain(n)).collect();
        if to - from == BLOCK {
            self.join(&mut all);
        }
        let members: Vec<_> = all.iter().map(Project::member).collect();
        // Made so that the rules have nothing against it; a fault would be a bug here.
        let placements = Families::new(members)
            .map(|families| families.placements())
            .unwrap_or_default();
        for project in &mut all {
            project.placement = placements.get(&ProjectId(project_id(project.n))).copied();
        }
        all
    }

    fn plain(&self, n: u64) -> Project {
        let mut random = Random::of(self.seed, n);
        let movable = self.layout.is_movable(n);
        let stage = if movable {
            Stage::Planning
        } else {
            random.weighted(&STAGES).unwrap_or(Stage::Planning)
        };
        let condition = if movable || stage == Stage::Completion {
            Condition::Active
        } else {
            random.weighted(&CONDITIONS).unwrap_or(Condition::Active)
        };
        let (low, high) = random.weighted(&AMOUNTS).unwrap_or_default();
        // Documents give round numbers: thousands.
        let yuan = random.between(low / 1000, high / 1000 - 1) * 1000;
        let is_of_one_cell = self.layout.is_of_one_cell(n);
        let yuan = match movable {
            true if is_of_one_cell => 5_000_000,
            true => yuan.max(5_000_000),
            false => yuan,
        };
        let amount = Money::from_fen(yuan * 100).ok();
        let investment = match (amount, random.below(100)) {
            (Some(amount), _) if movable => Investment::Exact(amount),
            (Some(amount), 15..) => Investment::Exact(amount),
            (Some(amount), 8..15) => Investment::Floor(amount),
            (Some(_) | None, _) => Investment::Unknown,
        };
        Project {
            n,
            parent: None,
            counting: FamilyCounting::Whole,
            stage,
            condition,
            investment,
            city: if is_of_one_cell {
                0
            } else {
                random.weighted(&self.cities).unwrap_or_default()
            },
            placement: None,
        }
    }

    /// Makes the first projects of a block a family.
    fn join(&self, block: &mut [Project]) {
        let Some((root, others)) = block.split_first_mut() else {
            return;
        };
        let mut carried = 0;
        for part in others
            .iter_mut()
            .take(usize::try_from(FAMILY - 1).unwrap_or_default())
        {
            part.parent = Some(root.n);
            part.city = root.city;
            carried += part.investment.known().map_or(0, Money::fen);
        }
        match root.n / BLOCK % 3 {
            0 => {
                let own = Random::of(self.seed, root.n).between(0, 1_000_000) * 100_000;
                root.investment = Money::from_fen(carried + own.max(100_000))
                    .map_or(Investment::Unknown, Investment::Exact);
                // A whole is completed after its parts.
                if root.stage == Stage::Completion {
                    root.stage = Stage::Construction;
                }
            }
            1 => {
                root.counting = FamilyCounting::Parts;
                root.investment = Investment::Unknown;
            }
            _ => root.counting = FamilyCounting::Separate,
        }
    }
}
