//! Targets held against the library: every figure counted, and opened into its projects.

use serde_json::{Value, json};
use taizhang::catalogue::{Catalogue, ProjectRow};

use crate::support::library::with;
use crate::support::{Client, Server};
use crate::year_accounts::{COUNTY, library_of_2024, load};

/// Sets a target for the county of the library of 2024.
async fn set(manager: &Client, code: &str, more: &Value) {
    let base = json!({
        "plan": "试验", "region": COUNTY, "name": "试验", "from_year": 2024, "to_year": 2024,
        "unit": "project", "kind": "target",
    });
    let put = manager.put(&format!("/v1/targets/{code}"), &with(base, more));
    let put = put.if_none().send().await;
    assert_eq!(put.status, 201, "{}", put.text);
}

async fn held(client: &Client, query: &str) -> Vec<Value> {
    let answer = client
        .get(&format!("/v1/targets/attainment?{query}"))
        .await
        .expect(200);
    answer.at("/items").as_array().unwrap().clone()
}

fn one<'a>(items: &'a [Value], code: &str) -> &'a Value {
    let found = items.iter().find(|item| item["target"]["code"] == code);
    found.unwrap_or_else(|| panic!("no {code}"))
}

/// The projects that a figure links to are as many as it says.
async fn follow(client: &Client, item: &Value) {
    let link = item["projects"].as_str().unwrap();
    let found = client
        .get(&format!("{link}&with_total=true&limit=1"))
        .await
        .expect(200);
    let attained = item["attainment"]["attained"].as_str().unwrap();
    assert_eq!(format!("{}.00", found.at("/total")), attained, "{link}");
}

#[tokio::test]
async fn what_was_reached_is_counted_and_opens_into_its_projects() {
    let (_server, manager) = library_of_2024().await;
    for (code, metric, value) in [
        ("t-new", "new", "300"),
        ("t-both", "under_construction", "502"),
        ("t-carried", "continued", "200"),
        ("t-completed", "completed", "200"),
    ] {
        set(&manager, code, &json!({ "metric": metric, "value": value })).await;
    }
    for level in ["from_100m", "from_1b"] {
        let body = json!({ "metric": "project_count", "value": "10", "from_year": 2021, "to_year": 2025, "from_tier": level });
        set(&manager, &format!("t-{level}"), &body).await;
    }
    let items = held(&manager, &format!("region={COUNTY}")).await;
    for (code, attained, missing, state) in [
        ("t-new", "272.00", "28.00", "missed"),
        ("t-both", "502.00", "0.00", "reached"),
        ("t-carried", "230.00", "0.00", "reached"),
        ("t-completed", "175.00", "25.00", "missed"),
        // Each once over the five years: all that was ever under construction from 2021 on.
        ("t-from_100m", "573.00", "0.00", "reached"),
        ("t-from_1b", "0.00", "10.00", "missed"),
    ] {
        let item = one(&items, code);
        let reached = &item["attainment"];
        let told = ["attained", "missing", "state"].map(|name| reached[name].as_str().unwrap());
        assert_eq!(told, [attained, missing, state], "{code}");
        assert_eq!(item["basis"], "derived");
        follow(&manager, item).await;
    }
    assert_eq!(one(&items, "t-new")["attainment"]["rate"], "90.66");
    // The same by the library as it was known.
    let now = manager.get("/v1/summary").await.str("/as_of");
    let then = held(&manager, &format!("region={COUNTY}&as_of={now}")).await;
    for item in &items {
        let code = item["target"]["code"].as_str().unwrap();
        assert_eq!(one(&then, code)["attainment"], item["attainment"], "{code}");
        follow(&manager, one(&then, code)).await;
    }
}

#[tokio::test]
async fn what_may_belong_is_told_and_not_counted() {
    let (server, manager) = library_of_2024().await;
    let mut data = Catalogue::default();
    for (line, (floor, programme)) in [
        ("50000000.00", ""),
        ("", "services"),
        ("150000000.00", "services"),
    ]
    .into_iter()
    .enumerate()
    {
        let row = ProjectRow {
            external_ref: format!("下限-{line}"),
            name: format!("下限 {line}"),
            region: COUNTY.to_owned(),
            unit: "panjin-drc".to_owned(),
            family_counting: "whole".to_owned(),
            stage: "construction".to_owned(),
            started_on: "2024-08-01".to_owned(),
            investment_floor: floor.to_owned(),
            programme: programme.to_owned(),
            basis_inferred: "false".to_owned(),
            ..ProjectRow::default()
        };
        data.projects.push((u64::try_from(line).unwrap() + 2, row));
    }
    load(&server, data).await;
    for (code, more) in [
        ("t-all", json!({})),
        ("t-above", json!({ "from_tier": "from_100m" })),
        (
            "t-range",
            json!({ "from_tier": "from_100m", "up_to_tier": "from_100m", "programme": "services" }),
        ),
    ] {
        set(
            &manager,
            code,
            &with(json!({ "metric": "new", "value": "300" }), &more),
        )
        .await;
    }
    let items = held(&manager, &format!("region={COUNTY}&period=2024")).await;
    for (code, attained, may_belong) in [
        ("t-all", "275.00", 0),
        ("t-above", "273.00", 2),
        ("t-range", "1.00", 1),
    ] {
        let item = one(&items, code);
        assert_eq!(item["attainment"]["attained"], attained, "{code}");
        assert_eq!(item["attainment"]["may_belong"], may_belong, "{code}");
        follow(&manager, item).await;
    }
}

#[tokio::test]
async fn a_target_of_a_century_opens_into_its_projects_too() {
    let (_server, manager) = library_of_2024().await;
    for (code, metric, attained) in [
        ("t-long", "completed", "205.00"),
        ("t-long-both", "project_count", "582.00"),
    ] {
        let body = json!({ "metric": metric, "value": "300", "from_year": 1949, "to_year": 2200 });
        set(&manager, code, &body).await;
        let items = held(&manager, &format!("region={COUNTY}")).await;
        let item = one(&items, code);
        assert_eq!(item["attainment"]["attained"], attained, "{item}");
        follow(&manager, item).await;
    }
}

#[tokio::test]
async fn money_is_counted_in_yuan_and_what_can_not_be_counted_is_held_against_what_was_entered() {
    let (_server, manager) = library_of_2024().await;
    let id = manager.named("年内开工 1").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (month, completed) in [(3, "1000000.05"), (4, "0.00"), (5, "2500000.00")] {
        let path = format!("/v1/projects/{id}/investment/2024/{month}");
        let body = json!({ "completed": completed });
        manager.put(&path, &body).if_none().send().await.expect(201);
    }
    let money = json!({ "metric": "completed_investment", "value": "7000000.10", "unit": "yuan" });
    set(&manager, "t-money", &money).await;
    let foreign = json!({ "metric": "entered", "name": "实际利用外资", "value": "4000000.00", "unit": "usd" });
    set(&manager, "t-foreign", &foreign).await;
    set(
        &manager,
        "t-growth",
        &json!({ "metric": "entered", "name": "增速", "value": "10", "unit": "percent" }),
    )
    .await;
    let actual = with(
        foreign,
        &json!({ "kind": "actual", "plan": "报告", "value": "1000000.00" }),
    );
    set(&manager, "t-foreign-actual", &actual).await;
    let items = held(&manager, &format!("region={COUNTY}&period=2024")).await;
    let money = &one(&items, "t-money")["attainment"];
    assert_eq!(
        [&money["attained"], &money["missing"], &money["rate"]],
        ["3500000.05", "3500000.05", "50.00"]
    );
    let foreign = one(&items, "t-foreign");
    assert_eq!(
        [&foreign["basis"], &foreign["entered"]],
        ["entered", "1000000.00"]
    );
    assert_eq!(foreign["attainment"]["rate"], "25.00");
    assert_eq!(foreign["projects"], Value::Null);
    // Nobody has said: that is not nothing.
    assert_eq!(one(&items, "t-growth")["attainment"], Value::Null);
}

#[tokio::test]
async fn the_targets_of_panjin_are_held_to_the_year_that_is_asked_about() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let items = held(&leader, "period=2025").await;
    let started = one(&items, "pj-t-2025-xinjian");
    assert_eq!(started["attainment"]["goal"], "366.00");
    assert_eq!(started["attainment"]["elapsed"], "100.00");
    assert_eq!(started["attainment"]["state"], "missed");
    // 200 every year: of one year, one year's.
    let yearly = one(&items, "pj-t-145-annual-kaigong");
    assert_eq!(yearly["attainment"]["goal"], "200.00");
    assert!(items.iter().all(|item| item["target"]["to_year"] == 2025));
    let of_2024 = held(&leader, "period=2024").await;
    // What the report says was reached is told beside what is counted, and not taken for it.
    let yearly = one(&of_2024, "pj-t-145-annual-jungong");
    assert_eq!(yearly["attainment"]["attained"], "0.00");
    assert_eq!(yearly["entered"], "175.00");
    let all = held(&leader, "plan=十四五").await;
    assert_eq!(all.len(), 37);
    for wrong in ["period=20250", "metric=colour"] {
        leader
            .get(&format!("/v1/targets/attainment?{wrong}"))
            .await
            .expect(400);
    }
    for wrong in ["period=2025-2024", "region=999999", "as_of=2020-01-01"] {
        leader
            .get(&format!("/v1/targets/attainment?{wrong}"))
            .await
            .expect(422);
    }
}

#[tokio::test]
async fn a_target_for_each_of_several_years_is_held_to_the_sum_of_them() {
    let (_server, manager) = library_of_2024().await;
    let body = json!({ "metric": "continued", "value": "200", "from_year": 2023, "to_year": 2024, "each_year": true });
    set(&manager, "t-each", &body).await;
    let attained = async |period: &str| {
        let items = held(&manager, &format!("region={COUNTY}{period}")).await;
        let attainment = &one(&items, "t-each")["attainment"];
        ["goal", "attained"].map(|name| attainment[name].as_str().unwrap().to_owned())
    };
    assert_eq!(attained("&period=2023").await, ["200.00", "259.00"]);
    assert_eq!(attained("&period=2024").await, ["200.00", "230.00"]);
    assert_eq!(attained("").await, ["400.00", "489.00"]);
}

#[tokio::test]
async fn whoever_may_belong_does_so_once_in_all_the_years() {
    let (_server, manager) = library_of_2024().await;
    let project = manager.named("年内开工 0").await;
    let id = project["id"].as_str().unwrap();
    let floor = json!({ "total_investment": { "floor": "5000000.00" } });
    manager.amend(id, &floor).await.expect(200);
    for year in [2024, 2025] {
        for month in [1, 2] {
            let path = format!("/v1/projects/{id}/investment/{year}/{month}");
            let told = manager.put(&path, &json!({ "completed": "1000.00" }));
            told.if_none().send().await.expect(201);
        }
    }
    let body = json!({
        "metric": "completed_investment", "unit": "yuan", "value": "100000.00", "from_year": 2024, "to_year": 2025,
        "from_tier": "from_100m",
    });
    set(&manager, "t-money", &body).await;
    let items = held(&manager, &format!("region={COUNTY}")).await;
    let reached = &one(&items, "t-money")["attainment"];
    assert_eq!(reached["attained"], "0.00");
    assert_eq!(reached["may_belong"], 1);
}
