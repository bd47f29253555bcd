//! Where what is in a synthetic library: by arithmetic, so that a load generator needs no list of it.

use uuid::Uuid;

/// How many cities there are.
pub(crate) const CITIES: u64 = 300;
/// How many regions a city has: itself and nine below it.
pub(crate) const REGIONS_OF_CITY: u64 = 10;
/// How many cities a province has.
const CITIES_OF_PROVINCE: u64 = 10;
/// Projects come in blocks; the first of each block are a family.
pub(crate) const BLOCK: u64 = 50;
/// The first project of a block and its three parts: 8 in 100 projects are in a family.
pub(crate) const FAMILY: u64 = 4;
/// How many projects can be moved at the most.
const MOST_MOVABLE: u64 = 60_000;
/// The most movable projects in a block.
const MOST_MOVABLE_OF_BLOCK: u64 = 15;

/// Into how many parts the movable projects are divided, for each of a move is used once: three programs at two numbers
/// of connections, a part that the capture takes from, two without the sums, and the part of one cell, the last.
pub(crate) const PARTS: u64 = 10;

/// Which projects a library of a certain size has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    /// How many.
    pub size: u64,
}

impl Layout {
    /// How many projects of each block stand ready to be moved, right after its family.
    pub(crate) const fn movable_of_block(self) -> u64 {
        let wanted = MOST_MOVABLE.div_ceil(self.size.div_ceil(BLOCK));
        if wanted < MOST_MOVABLE_OF_BLOCK {
            wanted
        } else {
            MOST_MOVABLE_OF_BLOCK
        }
    }

    /// How many projects stand ready to be moved.
    pub(crate) const fn movable(self) -> u64 {
        (self.size / BLOCK) * self.movable_of_block()
    }

    /// The number of the `k`th movable project.
    pub(crate) const fn movable_at(self, k: u64) -> u64 {
        let each = self.movable_of_block();
        (k / each) * BLOCK + FAMILY + k % each
    }

    /// How many movable projects a part has.
    pub(crate) const fn part(self) -> u64 {
        self.movable() / PARTS
    }

    /// Whether a movable project is one of those that are all in one region and one tier.
    pub(crate) const fn is_of_one_cell(self, n: u64) -> bool {
        let each = self.movable_of_block();
        self.is_movable(n) && n / BLOCK * each + n % BLOCK - FAMILY >= (PARTS - 1) * self.part()
    }

    /// Whether a project stands ready to be moved.
    pub(crate) const fn is_movable(self, n: u64) -> bool {
        let place = n % BLOCK;
        n < self.size / BLOCK * BLOCK && place >= FAMILY && place < FAMILY + self.movable_of_block()
    }
}

/// What stands before a number in an id; the number follows in decimal digits.
pub(crate) const PROJECT_IDS: &str = "0190000000007000800000";
/// What is added to a number so that it always has ten digits.
pub(crate) const FIRST: u64 = 1_000_000_000;

/// The id of a thing of some sort: of version 7, and later numbers sort after earlier ones.
pub(crate) fn id(sort: &str, n: u64) -> Uuid {
    Uuid::parse_str(&format!("{sort}{:010}", FIRST + n)).unwrap_or_default()
}

/// The id of a project.
pub(crate) fn project_id(n: u64) -> Uuid {
    id(PROJECT_IDS, n)
}

/// The code of the first region of a city, the city itself; the others follow one by one.
pub(crate) const fn city_code(city: u64) -> u64 {
    (1000 + city) * 100
}

/// The code of the province of a city.
pub(crate) const fn province_code(city: u64) -> u64 {
    (10 + city / CITIES_OF_PROVINCE) * 10_000 + 99
}
