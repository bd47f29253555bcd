//! Roll-ups: every number agrees with the projects that it links to.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::library::{day, fen, fields, id, with};
use crate::support::{Client, Server};

/// Groupings whose cells are followed to their projects.
const GROUPINGS: [&str; 10] = [
    "",
    "tier,stage",
    "region",
    "list",
    "programme,sector",
    "chain,stage",
    "started_year,completed_year",
    "condition",
    "unit",
    "list,stage",
];

/// Families, amounts, a withdrawn and a suspended project, beside the catalogue of Panjin.
async fn enrich(server: &Server) -> BTreeMap<&'static str, String> {
    let manager = server.sign_in("manager").await;
    let exact = |amount: &str| json!({ "total_investment": { "exact": amount } });
    let mut ids = BTreeMap::new();
    let roots = [
        ("测试整体", "211104", exact("1000000000.00")),
        ("测试封面", "211100", json!({ "family_counting": "parts" })),
        (
            "测试一期",
            "211104",
            json!({ "family_counting": "separate" }),
        ),
        ("测试退库", "211104", exact("700000000.00")),
        (
            "测试停建",
            "211104",
            json!({ "total_investment": { "floor": "50000000.00" }, "programme": "services", "chain": "c4" }),
        ),
        ("测试市级", "211100", exact("99999999.99")),
    ];
    for (name, region, more) in roots {
        let made = manager.register(&with(fields(name, region), &more)).await;
        ids.insert(name, id(&made));
    }
    let parts = [
        ("部分甲", "测试整体", "211104", exact("300000000.00")),
        ("部分乙", "测试整体", "211104", exact("200000000.01")),
        ("封面子项", "测试封面", "211104", exact("6000000000.00")),
        (
            "测试二期",
            "测试一期",
            "211104",
            json!({ "unit": "dawa-drb" }),
        ),
        ("市级的大洼部分", "测试市级", "211104", exact("1.01")),
    ];
    for (name, parent, region, more) in parts {
        let body = with(fields(name, region), &more);
        let body = with(body, &json!({ "parent_id": ids[parent] }));
        ids.insert(name, id(&manager.register(&body).await));
    }
    for (name, to) in [("测试退库", "withdrawn"), ("测试停建", "suspended")] {
        let body = json!({ "to": to, "occurred_on": day(0), "note": "试验" });
        manager.step(&ids[name], &body).await.expect(201);
    }
    for (list, name) in [
        ("gas-storage", "测试整体"),
        ("panjin-port", "部分甲"),
        ("huajin-aramco", "测试封面"),
    ] {
        manager.on_list(list, &ids[name], true).await.expect(204);
    }
    ids
}

/// Measures added up anew from projects.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sums {
    count: u64,
    exact: (u64, i128),
    floor: (u64, i128),
    undetermined: u64,
}

impl Sums {
    fn of_projects(projects: &[Value]) -> Self {
        let mut sums = Self::default();
        for project in projects {
            sums.count += 1;
            let amount = &project["total_investment"];
            if let Some(exact) = amount["exact"].as_str() {
                sums.exact = (sums.exact.0 + 1, sums.exact.1 + fen(exact));
            } else if let Some(floor) = amount["floor"].as_str() {
                sums.floor = (sums.floor.0 + 1, sums.floor.1 + fen(floor));
            } else {
                sums.undetermined += 1;
            }
        }
        sums
    }

    fn told(measures: &Value) -> Self {
        let pair = |name: &str| {
            (
                measures[name]["count"].as_u64().unwrap(),
                fen(measures[name]["sum"].as_str().unwrap()),
            )
        };
        Self {
            count: measures["count"].as_u64().unwrap(),
            exact: pair("exact"),
            floor: pair("floor"),
            undetermined: measures["undetermined"].as_u64().unwrap(),
        }
    }

    fn and(self, other: &Self) -> Self {
        Self {
            count: self.count + other.count,
            exact: (self.exact.0 + other.exact.0, self.exact.1 + other.exact.1),
            floor: (self.floor.0 + other.floor.0, self.floor.1 + other.floor.1),
            undetermined: self.undetermined + other.undetermined,
        }
    }
}

/// What a project has of a dimension.
fn value_of(project: &Value, dimension: &str) -> Value {
    let year_of = |date: &Value| date.as_str().map(|day| day[..4].parse::<i32>().unwrap());
    match dimension {
        "started_year" => year_of(&project["started_on"]).into(),
        "completed_year" => year_of(&project["completed_on"]).into(),
        _ => project[dimension].clone(),
    }
}

/// Follows every link of a summary, and holds the numbers against the projects behind it.
async fn follow(client: &Client, summary: &Value, grouping: &str) {
    let names: Vec<&str> = grouping
        .split(',')
        .filter(|name| !name.is_empty())
        .collect();
    let mut together = Sums::default();
    for cell in summary["cells"].as_array().unwrap() {
        let link = cell["projects"].as_str().unwrap();
        let projects = client.all(link).await;
        assert_eq!(Sums::of_projects(&projects), Sums::told(cell), "{link}");
        assert!(!projects.is_empty(), "{link}");
        for name in names.iter().filter(|name| **name != "list") {
            for project in &projects {
                assert_eq!(value_of(project, name), cell[*name], "{link}");
            }
        }
        together = together.and(&Sums::told(cell));
    }
    let total = Sums::told(&summary["total"]);
    let link = summary["projects"].as_str().unwrap();
    let behind = Sums::of_projects(&client.all(link).await);
    assert_eq!(behind, total, "{link}");
    let by_list = names.contains(&"list");
    assert_eq!(summary["additive"], !by_list);
    if !by_list && !names.is_empty() {
        assert_eq!(together, total, "{grouping}");
    }
}

async fn follow_all(client: &Client, filters: &[&str]) {
    for filter in filters {
        for level in ["project", "part"] {
            for grouping in GROUPINGS {
                let group_by = if grouping.is_empty() {
                    String::new()
                } else {
                    format!("group_by={grouping}&")
                };
                let path = format!("/v1/summary?{group_by}level={level}&{filter}");
                let summary = client.get(&path).await.expect(200);
                follow(client, &summary.body, grouping).await;
            }
        }
    }
}

#[tokio::test]
async fn every_cell_leads_to_exactly_the_projects_that_it_counts() {
    let server = Server::demo().await;
    enrich(&server).await;
    let leader = server.sign_in("leader").await;
    follow_all(&leader, &[""]).await;
}

#[tokio::test]
async fn every_cell_of_a_filtered_summary_leads_to_its_projects() {
    let server = Server::demo().await;
    enrich(&server).await;
    let leader = server.sign_in("leader").await;
    let filters = [
        "region=211104",
        "region=211103&region=211104&stage=planning",
        "programme=null&q=测试",
        "chain=null&chain=c4&q=测试",
        "q=%E6%B8%AF",
        "list=null&region_exact=211104",
        "list=gas-storage&list=panjin-port",
        "min_investment=100000000&max_investment=1000000000",
        "condition=withdrawn",
        "condition=suspended&condition=withdrawn",
        "parent=null&unit=dawa-drb&unit=panjin-drc&tier=from_5b",
    ];
    follow_all(&leader, &filters).await;
}

#[tokio::test]
async fn an_officer_of_a_district_is_told_only_what_is_visible() {
    let server = Server::demo().await;
    enrich(&server).await;
    let dawa = server.sign_in("officer.dawa").await;
    follow_all(&dawa, &["", "region=211100", "q=测试", "list=gas-storage"]).await;
    let summary = dawa.get("/v1/summary?group_by=region").await.expect(200);
    assert_eq!(summary.str("/covers"), "visible");
    assert_eq!(summary.at("/cells").as_array().unwrap().len(), 1);
    assert_eq!(summary.str("/cells/0/region"), "211104");
    let leader = server.sign_in("leader").await;
    let all = leader.get("/v1/summary?region=211104").await.expect(200);
    assert_eq!(all.str("/covers"), "all");
    assert_eq!(all.at("/total"), summary.at("/total"));
    // Inside a project of the city, it is counted there, whoever looks.
    let counted = dawa.all("/v1/projects?counting=portfolio").await;
    assert!(counted.iter().all(|p| p["name"] != "市级的大洼部分"));
    assert_eq!(summary.at("/inside_families"), all.at("/inside_families"));
}

#[tokio::test]
async fn lower_bounds_and_unknown_amounts_stand_apart_from_exact_ones() {
    let server = Server::demo().await;
    enrich(&server).await;
    let leader = server.sign_in("leader").await;
    let summary = leader
        .get("/v1/summary?q=测试&group_by=tier")
        .await
        .expect(200);
    // 测试整体, 测试市级; 测试停建; 测试一期, 测试二期: the cover does not count, the withdrawn is out.
    let expected = Sums {
        count: 5,
        exact: (2, fen("1099999999.99")),
        floor: (1, fen("50000000.00")),
        undetermined: 2,
    };
    assert_eq!(Sums::told(summary.at("/total")), expected);
    let tiers: Vec<&str> = summary
        .at("/cells")
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| cell["tier"].as_str().unwrap())
        .collect();
    assert_eq!(tiers, ["from_5m", "from_1b", "undetermined"]);
}

#[tokio::test]
async fn the_money_that_parts_do_not_carry_is_told_and_never_spread() {
    let server = Server::demo().await;
    enrich(&server).await;
    let leader = server.sign_in("leader").await;
    let by_project = leader.get("/v1/summary?q=测试整体").await.expect(200);
    assert!(by_project.body.get("not_broken_down").is_none());
    let by_part = leader
        .get("/v1/summary?q=测试整体&level=part")
        .await
        .expect(200);
    assert_eq!(by_part.at("/total/count"), 0);
    assert_eq!(by_part.at("/not_broken_down/count"), 1);
    assert_eq!(by_part.str("/not_broken_down/exact/sum"), "499999999.99");
    let parts = leader
        .get("/v1/summary?q=部分&level=part&region=211104")
        .await
        .expect(200);
    assert_eq!(parts.str("/total/exact/sum"), "500000001.02");
}

#[tokio::test]
async fn projects_counted_within_a_parent_are_told() {
    let server = Server::demo().await;
    enrich(&server).await;
    let leader = server.sign_in("leader").await;
    let all = leader.all("/v1/projects").await;
    let by_id: BTreeMap<&str, &Value> = all
        .iter()
        .map(|project| (project["id"].as_str().unwrap(), project))
        .collect();
    let is_inside = |project: &Value| {
        let mut above = project["parent_id"].as_str();
        while let Some(parent) = above {
            if by_id[parent]["family_counting"] == "whole" {
                return true;
            }
            above = by_id[parent]["parent_id"].as_str();
        }
        false
    };
    let within = all
        .iter()
        .filter(|p| p["family_counting"] != "parts" && p["condition"] != "withdrawn")
        .filter(|p| is_inside(p))
        .count();
    let summary = leader.get("/v1/summary").await.expect(200);
    assert_eq!(summary.at("/inside_families"), within);
}

#[tokio::test]
async fn the_withdrawn_are_out_unless_they_are_asked_for() {
    let server = Server::demo().await;
    let ids = enrich(&server).await;
    let leader = server.sign_in("leader").await;
    let count = async |query: &str| {
        let summary = leader
            .get(&format!("/v1/summary?{query}"))
            .await
            .expect(200);
        summary.at("/total/count").as_u64().unwrap()
    };
    assert_eq!(count("q=测试退库").await, 0);
    assert_eq!(count("q=测试退库&condition=withdrawn").await, 1);
    assert_eq!(count("q=测试停建").await, 1);
    let by_condition = leader
        .get("/v1/summary?group_by=condition")
        .await
        .expect(200);
    let cells = by_condition.at("/cells").as_array().unwrap();
    assert!(cells.iter().all(|cell| cell["condition"] != "withdrawn"));
    // A plain list shows them, marked.
    let listed = leader.named("测试退库").await;
    assert_eq!(listed["id"], ids["测试退库"].as_str());
    assert_eq!(listed["condition"], "withdrawn");
}

#[tokio::test]
async fn each_cell_by_list_is_the_summary_of_that_list() {
    let server = Server::demo().await;
    enrich(&server).await;
    let leader = server.sign_in("leader").await;
    for level in ["project", "part"] {
        let path = format!("/v1/summary?group_by=list&level={level}");
        let by_list = leader.get(&path).await.expect(200);
        assert_eq!(by_list.at("/additive"), false);
        assert_eq!(by_list.at("/cells").as_array().unwrap().len(), 3);
        for cell in by_list.at("/cells").as_array().unwrap() {
            let list = cell["list"].as_str().unwrap();
            let path = format!("/v1/summary?list={list}&level={level}");
            let alone = leader.get(&path).await.expect(200);
            assert_eq!(alone.str("/counting"), format!("list:{list}"));
            assert_eq!(Sums::told(cell), Sums::told(alone.at("/total")), "{list}");
        }
        let plain = leader.get(&format!("/v1/summary?level={level}")).await;
        assert_eq!(by_list.at("/total"), plain.at("/total"));
    }
}

#[tokio::test]
async fn a_summary_as_of_an_instant_stays_what_it_was() {
    let server = Server::demo().await;
    let ids = enrich(&server).await;
    let manager = server.sign_in("manager").await;
    let then = manager.get("/v1/summary").await.expect(200).str("/as_of");
    let mut taken = Vec::new();
    for grouping in ["tier,stage", "list,stage", "region", "condition"] {
        for level in ["project", "part"] {
            let path = format!("/v1/summary?group_by={grouping}&level={level}&as_of={then}");
            let summary = manager.get(&path).await.expect(200);
            assert_eq!(summary.str("/as_of"), then);
            taken.push((path, grouping, summary.body));
        }
    }
    let now_before = manager
        .get("/v1/summary?group_by=tier,stage")
        .await
        .expect(200);

    // Amount, family, region, condition, list: all of it is changed.
    let amount = json!({ "total_investment": { "exact": "12000000000.00" } });
    manager.amend(&ids["测试整体"], &amount).await.expect(200);
    let alone = json!({ "parent_id": null, "region": "211103" });
    manager.amend(&ids["部分甲"], &alone).await.expect(200);
    let gone = json!({ "to": "withdrawn", "occurred_on": day(0), "note": "试验" });
    manager.step(&ids["测试停建"], &gone).await.expect(201);
    manager
        .on_list("gas-storage", &ids["测试整体"], false)
        .await
        .expect(204);
    manager.register(&fields("测试新增", "211104")).await;

    for (path, grouping, before) in taken {
        let after = manager.get(&path).await.expect(200);
        assert_eq!(after.body, before, "{path}");
        follow(&manager, &before, grouping).await;
    }
    let now_after = manager
        .get("/v1/summary?group_by=tier,stage")
        .await
        .expect(200);
    assert_ne!(now_after.at("/cells"), now_before.at("/cells"));
}

#[tokio::test]
async fn as_of_takes_a_day_and_refuses_what_can_not_be_known() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let today = leader
        .get(&format!("/v1/summary?as_of={}", day(0)))
        .await
        .expect(200);
    assert_eq!(today.at("/total/count"), 324);
    let (yesterday, tomorrow) = (day(-1), day(1));
    for (wrong, code) in [
        // The library began today: of before, nothing is known, which is not none.
        (yesterday.as_str(), "as_of_before_library"),
        (tomorrow.as_str(), "as_of_in_future"),
        ("2999-01-01T00:00:00Z", "as_of_in_future"),
        ("1948-12-31", "as_of_too_early"),
        ("0122-06-15T00:00:00Z", "as_of_too_early"),
    ] {
        for path in ["/v1/summary", "/v1/projects"] {
            let refused = leader.get(&format!("{path}?as_of={wrong}")).await;
            let refused = refused.expect(422);
            assert_eq!(refused.error_codes(), [code]);
            assert_eq!(refused.str("/errors/0/parameter"), "as_of");
        }
    }
    for wrong in ["2025-02-30", "yesterday", "2025-01-01T00:00:00"] {
        let path = format!("/v1/summary?as_of={wrong}");
        leader.get(&path).await.expect(400);
    }
}

#[tokio::test]
async fn an_unknown_grouping_is_refused() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    for wrong in ["colour", "tier,colour", "tier;stage"] {
        let path = format!("/v1/summary?group_by={wrong}");
        let refused = leader.get(&path).await.expect(400);
        assert_eq!(refused.str("/errors/0/parameter"), "group_by");
        assert_eq!(refused.error_codes(), ["unknown_group"]);
    }
}

#[tokio::test]
async fn filters_that_mean_nothing_are_refused() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    for (query, parameter, code) in [
        (
            "min_investment=200&max_investment=100",
            "max_investment",
            "contradictory_filters",
        ),
        (
            "list=null&list=gas-storage",
            "list",
            "contradictory_filters",
        ),
        ("region=999999", "region", "unknown_region"),
        ("region_exact=999999", "region_exact", "unknown_region"),
        ("list=no-such-list", "list", "unknown_list"),
        ("programme=none", "programme", "unknown_programme"),
        ("sector=none", "sector", "unknown_sector"),
        ("chain=none", "chain", "unknown_chain"),
        ("unit=none", "unit", "unknown_unit"),
    ] {
        for path in ["/v1/summary", "/v1/projects"] {
            let refused = leader.get(&format!("{path}?{query}")).await.expect(422);
            assert_eq!(refused.str("/errors/0/parameter"), parameter, "{query}");
            assert_eq!(refused.str("/errors/0/code"), code, "{query}");
        }
    }
}

#[tokio::test]
async fn the_annual_plan_of_a_year_is_added_up() {
    let server = Server::demo().await;
    let ids = enrich(&server).await;
    let manager = server.sign_in("manager").await;
    for (name, year, planned) in [
        ("测试整体", 2025, Some("120000000.01")),
        ("测试停建", 2025, Some("0.99")),
        ("测试市级", 2025, None),
        ("测试整体", 2024, Some("7.00")),
        // Inside the whole: it is not added a second time.
        ("部分甲", 2025, Some("50000000.00")),
        // Withdrawn: out.
        ("测试退库", 2025, Some("3000.00")),
    ] {
        let path = format!("/v1/projects/{}/plan-years/{year}", ids[name]);
        let body = json!({ "planned_investment": planned });
        manager.put(&path, &body).if_none().send().await.expect(201);
    }
    for (query, expected) in [
        ("year=2025", "120000001.00"),
        ("year=2024", "7.00"),
        ("year=2023", "0.00"),
        ("year=2025&level=part", "50000000.99"),
        ("year=2025&region=211103", "0.00"),
        ("year=2025&condition=withdrawn", "3000.00"),
    ] {
        let path = format!("/v1/summary?group_by=tier,stage&{query}");
        let summary = manager.get(&path).await.expect(200);
        assert_eq!(summary.str("/total/annual_plan"), expected, "{query}");
        let cells = summary.at("/cells").as_array().unwrap();
        let sum: i128 = cells
            .iter()
            .map(|cell| fen(cell["annual_plan"].as_str().unwrap()))
            .sum();
        assert_eq!(sum, fen(expected), "{query}");
    }
    for wrong in ["year=1900", "year=2201"] {
        let path = format!("/v1/summary?{wrong}");
        let refused = manager.get(&path).await.expect(400);
        assert_eq!(refused.str("/errors/0/parameter"), "year");
    }
}

#[tokio::test]
async fn words_find_in_the_past_what_they_find_now() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let as_of = leader.get("/v1/summary").await.str("/as_of");
    for (words, count) in [
        // As it stands in the library, in full width; and as people type it.
        ("丰海（盘锦）", 1),
        ("丰海(盘锦)", 1),
        ("ABS及其配套", 1),
        ("ａｂｓ及其配套", 1),
        // How a list of names is kept is nothing to be found.
        ("[", 0),
        ("\"", 0),
    ] {
        for how in ["", &format!("&as_of={as_of}")] {
            let found = leader.get(&format!("/v1/summary?q={words}{how}")).await;
            assert_eq!(found.expect(200).at("/total/count"), count, "{words}{how}");
        }
    }
}
