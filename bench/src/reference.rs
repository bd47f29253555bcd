//! The regions, units, programmes, sectors and lists of a synthetic library.

use crate::layout::{CITIES, REGIONS_OF_CITY, city_code, province_code};
use crate::table::{Table, row};

/// How many units each city has.
pub(crate) const UNITS_OF_CITY: u64 = 10;
/// Programmes by code and name.
const PROGRAMMES: [(&str, &str); 5] = [
    ("p1", "交通强基工程"),
    ("p2", "清洁能源工程"),
    ("p3", "水网安澜工程"),
    ("p4", "产业跃升工程"),
    ("p5", "民生改善工程"),
];
/// How many sectors there are.
pub(crate) const SECTORS: u64 = 20;
/// Lists by code and name.
pub(crate) const LISTS: [(&str, &str); 6] = [
    ("l1", "省重点项目"),
    ("l2", "市重点项目"),
    ("l3", "专项债项目"),
    ("l4", "外资项目"),
    ("l5", "前期攻坚项目"),
    ("l6", "领导包保项目"),
];

/// The programme of a sector.
pub(crate) fn programme_of(sector: u64) -> Option<&'static str> {
    let place = usize::try_from(sector % 5).unwrap_or_default();
    PROGRAMMES.get(place).map(|&(code, _)| code)
}

/// The code of a sector.
pub(crate) fn sector_code(sector: u64) -> String {
    format!("s{sector:02}")
}

/// The code of a unit of a city.
pub(crate) fn unit_code(city: u64, unit: u64) -> String {
    format!("u{}", city * UNITS_OF_CITY + unit)
}

/// Everything that projects refer to, in the order in which it can be stored.
#[expect(clippy::too_many_lines, reason = "one table after the other")]
pub(crate) fn tables() -> Vec<Table> {
    let mut regions = Table::new(
        "region",
        &[
            "code",
            "name",
            "kind",
            "parent",
            "valid_from",
            "valid_to",
            "aliases",
            "opening_closed_on",
            "version",
        ],
    );
    let mut closure = Table::new("region_closure", &["ancestor", "descendant"]);
    let mut units = Table::new(
        "unit",
        &["code", "name", "region", "uscc", "aliases", "version"],
    );
    let none = None::<i64>;
    let mut add = |code: &String, name: String, kind: &'static str, above: &[&String]| {
        let parent = above.first().map(|&parent| parent.clone());
        regions.rows.push(row![
            code.clone(),
            name,
            kind,
            parent,
            none,
            none,
            "[]",
            none,
            1_i64
        ]);
        for ancestor in above.iter().chain([&code]) {
            closure
                .rows
                .push(row![String::clone(ancestor), code.clone()]);
        }
    };
    let mut last = 0;
    for city in 0..CITIES {
        let province = province_code(city).to_string();
        if province_code(city) != last {
            last = province_code(city);
            add(&province, format!("省{province}"), "province", &[]);
        }
        let code = city_code(city).to_string();
        add(&code, format!("市{city}"), "city", &[&province]);
        for below in 1..REGIONS_OF_CITY {
            let district = (city_code(city) + below).to_string();
            let kind = if below < 6 { "district" } else { "county" };
            let name = format!("市{city}第{below}区");
            add(&district, name, kind, &[&code, &province]);
        }
        for unit in 0..UNITS_OF_CITY {
            let name = format!("市{city}第{unit}局");
            units.rows.push(row![
                unit_code(city, unit),
                name,
                code.clone(),
                none,
                "[]",
                1_i64
            ]);
        }
    }
    let mut programmes = Table::new("programme", &["code", "name", "aliases", "version"]);
    for (code, name) in PROGRAMMES {
        programmes.rows.push(row![code, name, "[]", 1_i64]);
    }
    let mut sectors = Table::new(
        "sector",
        &[
            "code",
            "name",
            "programme",
            "approval_profile",
            "aliases",
            "version",
        ],
    );
    for sector in 0..SECTORS {
        let profile = match sector {
            3 => "port",
            4 | 5 => "energy",
            _ => "general",
        };
        let name = format!("行业{sector}");
        sectors.rows.push(row![
            sector_code(sector),
            name,
            programme_of(sector),
            profile,
            "[]",
            1_i64
        ]);
    }
    let mut lists = Table::new("project_list", &["code", "name", "description", "version"]);
    for (code, name) in LISTS {
        lists.rows.push(row![code, name, none, 1_i64]);
    }
    let mut rules = Table::new("approval_rule", &["applies_to", "item"]);
    for (applies_to, item) in [
        ("government_approved", "project_approval"),
        ("enterprise_approved", "project_approval"),
        ("enterprise_filed", "project_approval"),
        ("general", "land_use"),
        ("general", "planning_permit"),
        ("general", "environmental_assessment"),
        ("general", "construction_permit"),
        ("port", "port_shoreline"),
        ("energy", "safety_review"),
    ] {
        rules.rows.push(row![applies_to, item]);
    }
    vec![regions, closure, units, programmes, sectors, lists, rules]
}
