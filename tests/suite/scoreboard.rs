//! The scoreboard: regions ranked by a month or a quarter, each score opened into its projects, and closed for ever.

use std::collections::BTreeMap;

use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use taizhang::auth::Role;
use taizhang::catalogue::{Catalogue, ProjectRow};
use taizhang::store::account::grant::Wanted;
use taizhang::store::reference::region::Region;

use crate::support::library::{add_account, add_account_with, day, fields, id, with};
use crate::support::problems::in_both_languages;
use crate::support::{Client, Reply, Server};
use crate::year_accounts::load;

/// The region that is ranked, and its parts.
const COUNTY: &str = "211199";
const PARTS: [&str; 4] = ["211199-a", "211199-b", "211199-c", "211199-d"];
const MARCH: &str = "/v1/scoreboard?region=211199&period=2025-03";
const SCHEME: &str = "/v1/scoreboard/scheme";

/// Projects that started: how many, in which part, and when.
const STARTED: [(usize, &str, &str); 13] = [
    (1, "211199-a", "2025-02-28"),
    (2, "211199-a", "2025-03-01"),
    (2, "211199-a", "2025-03-31"),
    (1, "211199-a", "2025-04-01"),
    (2, "211199-b", "2025-03-10"),
    (3, "211199-c", "2025-02-01"),
    (2, "211199-c", "2025-03-15"),
    (1, "211199-d", "2025-03-20"),
    // Of the county itself, and of a part of another time.
    (1, COUNTY, "2025-03-05"),
    (1, "211199-old", "2025-03-06"),
    // On a day that is not known.
    (2, "211199-b", ""),
    (1, "211199-d", ""),
    (1, "211199-d", "2024-05-01"),
];

fn region(name: &str, parent: &str) -> Region {
    Region {
        name: name.to_owned(),
        kind: "zone".to_owned(),
        parent: Some(parent.to_owned()),
        valid_from: None,
        valid_to: None,
        aliases: Vec::new(),
        opening_closed_on: None,
    }
}

/// Makes a region another, with these members on top.
async fn alter(admin: &Client, code: &str, more: &Value) {
    let path = format!("/v1/regions/{code}");
    let before = admin.get(&path).await.expect(200);
    let mut body = before.body.clone();
    for name in ["code", "version"] {
        body.as_object_mut().unwrap().remove(name);
    }
    let put = admin.put(&path, &with(body, more));
    put.if_match(&before.etag()).send().await.expect(200);
}

fn row(name: &str, region: &str, started_on: &str) -> ProjectRow {
    ProjectRow {
        external_ref: name.to_owned(),
        name: name.to_owned(),
        region: region.to_owned(),
        unit: "panjin-drc".to_owned(),
        family_counting: "whole".to_owned(),
        stage: "construction".to_owned(),
        started_on: started_on.to_owned(),
        investment_exact: "100000000.00".to_owned(),
        basis_inferred: "false".to_owned(),
        ..ProjectRow::default()
    }
}

/// What the tests look at: starts by 60, money by 40; the first is red, the last black.
fn scheme() -> Value {
    json!({
        "indicators": [
            { "indicator": "started", "measure": "count", "weight": 60, "normalised_by": "none" },
            { "indicator": "completed_investment", "measure": "investment", "weight": 40, "normalised_by": "none" },
        ],
        "red": { "top": 1, "at_least": null }, "black": { "bottom": 1, "below": null }, "landing_months": 6,
    })
}

async fn set_scheme(manager: &Client, scheme: &Value) -> Reply {
    let tag = manager.get(SCHEME).await.expect(200).etag();
    let put = manager.put(SCHEME, scheme).if_match(&tag).send().await;
    put.expect(200)
}

/// Enters what was completed in a month of the one project of a name.
async fn complete(manager: &Client, name: &str, month: &str, amount: &str) {
    let project = manager.named(name).await;
    let path = format!(
        "/v1/projects/{}/investment/{month}",
        project["id"].as_str().unwrap()
    );
    let figures = json!({ "completed": amount });
    let present = manager.get(&path).await;
    let put = manager.put(&path, &figures);
    match present.header("etag") {
        Some(tag) => put.if_match(tag).send().await.expect(200),
        None => put.if_none().send().await.expect(201),
    };
}

/// The county of the tests, under their scheme.
async fn library() -> (Server, Client) {
    let server = Server::demo().await;
    let mut data = Catalogue::default();
    data.regions
        .push((COUNTY.to_owned(), region("试验县", "211100")));
    for part in PARTS {
        data.regions.push((part.to_owned(), region(part, COUNTY)));
    }
    data.regions
        .push(("211199-old".to_owned(), region("旧区", COUNTY)));
    let mut line = 1;
    for (count, part, started_on) in STARTED {
        for number in 1..=count {
            line += 1;
            let name = format!("{part} {started_on} {number}");
            data.projects.push((line, row(&name, part, started_on)));
        }
    }
    load(&server, data).await;
    let admin = server.sign_in("admin").await;
    alter(&admin, "211199-old", &json!({ "valid_to": 2016 })).await;
    let manager = server.sign_in("manager").await;
    set_scheme(&manager, &scheme()).await;
    for (name, month, amount) in [
        ("211199-a 2025-03-01 1", "2025/3", "1000000.00"),
        ("211199-a 2025-03-01 2", "2025/3", "2000000.00"),
        ("211199-c 2025-02-01 1", "2025/1", "1000000.00"),
        ("211199-c 2025-02-01 1", "2025/3", "6000000.00"),
        ("211199-d 2025-03-20 1", "2025/3", "0.00"),
    ] {
        complete(&manager, name, month, amount).await;
    }
    (server, manager)
}

/// A region of an answer.
fn of<'a>(board: &'a Value, region: &str) -> &'a Value {
    let regions = board["regions"].as_array().unwrap();
    let found = regions.iter().find(|row| row["region"] == region);
    found.unwrap_or_else(|| panic!("no {region} in {board}"))
}

/// Region, score and rank, in the order of the answer.
fn ranking(board: &Value) -> Vec<(String, String, u64)> {
    let regions = board["regions"].as_array().unwrap();
    let told = regions.iter().map(|row| {
        let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        (
            text("region"),
            text("score"),
            row["rank"].as_u64().unwrap_or_default(),
        )
    });
    told.collect()
}

fn ranked(rows: &[(&str, &str, u64)]) -> Vec<(String, String, u64)> {
    let owned =
        |&(region, score, rank): &(&str, &str, u64)| (region.to_owned(), score.to_owned(), rank);
    rows.iter().map(owned).collect()
}

/// Whether every figure has exactly the projects that it links to; answers how many figures there were.
async fn follow(client: &Client, board: &Value) -> usize {
    let mut open = vec![board];
    let mut followed = 0;
    while let Some(value) = open.pop() {
        if let Some(link) = value.get("projects").and_then(Value::as_str) {
            let found = client
                .get(&format!("{link}&with_total=true&limit=1"))
                .await
                .expect(200);
            assert_eq!(found.at("/total"), &value["count"], "{link}");
            followed += 1;
        }
        match value {
            Value::Object(members) => open.extend(members.values()),
            Value::Array(items) => open.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    followed
}

/// Whether each score is the mean by weight of the scores that it is made of.
fn adds_up(board: &Value) {
    for row in board["regions"].as_array().unwrap() {
        let mut sum = 0;
        let mut weights = 0;
        for indicator in row["indicators"].as_array().unwrap() {
            let is_scored = indicator["state"] == "scored";
            assert_eq!(is_scored, indicator["score"].is_string(), "{indicator}");
            if let Some(score) = indicator["score"].as_str() {
                let weight = indicator["weight"].as_u64().unwrap();
                sum += weight * score.replace('.', "").parse::<u64>().unwrap();
                weights += weight;
            }
        }
        assert_eq!(row["weight"], weights);
        let expected = (2 * sum + weights)
            .checked_div(2 * weights)
            .map(|mean| format!("{}.{:02}", mean / 100, mean % 100));
        assert_eq!(row["score"].as_str(), expected.as_deref(), "{row}");
    }
}

#[tokio::test]
async fn regions_are_ranked_by_what_happened_and_every_figure_opens() {
    let (_server, manager) = library().await;
    let board = manager.get(MARCH).await.expect(200).body;
    // 60 × 100 + 40 × 50; 60 × 50 + 40 × 100; starts alone, for nobody told of money; 60 × 25 + 40 × 0.
    let expected = [
        ("211199-a", "80.00", 1),
        ("211199-c", "70.00", 2),
        ("211199-b", "50.00", 3),
        ("211199-d", "15.00", 4),
    ];
    assert_eq!(ranking(&board), ranked(&expected));
    assert_eq!(board["red"], json!(["211199-a"]));
    assert_eq!(board["black"], json!(["211199-d"]));
    assert_eq!(
        (&board["from"], &board["to"]),
        (&json!("2025-03-01"), &json!("2025-03-31"))
    );
    assert_eq!(board["closed_at"], Value::Null);
    // In February: c 100, a 33.33, and nothing of the others; nobody told of money.
    for (region, score, rank, change) in [
        ("211199-a", "33.33", 2, 1),
        ("211199-b", "0.00", 3, 0),
        ("211199-c", "100.00", 1, -1),
        ("211199-d", "0.00", 3, -1),
    ] {
        let previous = json!({ "score": score, "rank": rank, "change": change });
        assert_eq!(of(&board, region)["previous"], previous, "{region}");
    }
    assert_eq!(
        board["previous"],
        json!({ "period": "2025-02", "closed_at": null })
    );
    adds_up(&board);
    // Of each region two figures, its stock and two of unknown dates; and what is outside.
    assert_eq!(follow(&manager, &board).await, 4 * 5 + 1);
    assert_eq!(board["outside"]["count"], 2);

    let money = |region| of(&board, region)["indicators"][1].clone();
    let told = |indicator: &Value| (indicator["state"].clone(), indicator["value"].clone());
    // What nobody told is not known; that nothing was done was told.
    assert_eq!(told(&money("211199-b")), (json!("unknown"), Value::Null));
    assert_eq!(told(&money("211199-d")), (json!("scored"), json!("0.00")));
    assert_eq!(money("211199-a")["reached"]["count"], 2);
    assert_eq!(money("211199-a")["reached"]["amount"], "3000000.00");
    let unknown = |region| of(&board, region)["date_unknown"]["started"]["count"].clone();
    assert_eq!(
        (unknown("211199-b"), unknown("211199-d")),
        (json!(2), json!(1))
    );
}

#[tokio::test]
async fn equal_scores_share_a_rank_and_a_list() {
    let (_server, manager) = library().await;
    let only_starts = with(
        scheme(),
        &json!({ "indicators": [{ "indicator": "started", "weight": 1 }], "red": { "top": 2 } }),
    );
    set_scheme(&manager, &only_starts).await;
    let board = manager.get(MARCH).await.expect(200).body;
    let expected = [
        ("211199-a", "100.00", 1),
        ("211199-b", "50.00", 2),
        ("211199-c", "50.00", 2),
        ("211199-d", "25.00", 4),
    ];
    assert_eq!(ranking(&board), ranked(&expected));
    assert_eq!(board["red"], json!(["211199-a", "211199-b", "211199-c"]));
    assert_eq!(board["black"], json!(["211199-d"]));
    // Where there is nothing to compare there is no list, and what nobody did weighs nothing.
    let empty = MARCH.replace("2025-03", "2023-03");
    let board = manager.get(&empty).await.expect(200).body;
    assert_eq!(board["red"], json!([]));
    assert_eq!(board["black"], json!([]));
    for part in PARTS {
        let row = of(&board, part);
        assert_eq!(row["indicators"][0]["state"], "not_applicable");
        assert_eq!(row["indicators"][0]["value"], "0.00");
        assert_eq!((&row["score"], &row["rank"]), (&Value::Null, &Value::Null));
    }
    // A region of another time is ranked in its own, and stands beside those of its last year.
    let then = manager
        .get(&MARCH.replace("2025-03", "2016-Q4"))
        .await
        .expect(200)
        .body;
    assert_eq!(then["regions"].as_array().unwrap().len(), 5);
    let later = manager
        .get(&MARCH.replace("2025-03", "2017-01"))
        .await
        .expect(200)
        .body;
    assert_eq!(later["regions"].as_array().unwrap().len(), 4);
}

/// A scheme of every indicator, in every way in which it can be measured.
fn everything() -> Value {
    let flows = [
        "planned",
        "signed",
        "landed",
        "funds_approved",
        "started",
        "completed",
        "commissioned",
        "at_capacity",
    ];
    let mut indicators: Vec<Value> = Vec::new();
    for indicator in flows {
        indicators.push(json!({ "indicator": indicator, "weight": 3 }));
        indicators.push(json!({ "indicator": indicator, "measure": "investment", "weight": 7.0 }));
    }
    for indicator in [
        "completed_investment",
        "annual_plan_rate",
        "start_rate",
        "landing_rate",
    ] {
        indicators.push(json!({ "indicator": indicator, "weight": 11 }));
    }
    assert_eq!(indicators.len(), 20);
    with(
        scheme(),
        &json!({ "indicators": indicators, "landing_months": 3.0 }),
    )
}

/// Registers projects that were signed, landed, planned to start and planned for the year.
async fn register_more(manager: &Client) {
    let signed = |landed_on: Value, start: &str| {
        json!({ "signed_on": "2025-03-05", "landed_on": landed_on, "planned_start_on": start,
            "total_investment": { "exact": "60000000.00" } })
    };
    for (name, more, planned) in [
        (
            "及时落地",
            signed(json!("2025-06-05"), "2025-03-30"),
            json!("8000000.00"),
        ),
        (
            "过期落地",
            signed(json!("2025-06-06"), "2025-03-01"),
            json!("2000000.00"),
        ),
        ("尚未落地", signed(Value::Null, "2025-02-01"), Value::Null),
    ] {
        let body = with(fields(name, "211199-a"), &more);
        let made = manager.register(&body).await;
        let path = format!("/v1/projects/{}/plan-years/2025", id(&made));
        let plan = json!({ "planned_investment": planned });
        manager.put(&path, &plan).if_none().send().await.expect(201);
    }
    let unknown = with(
        fields("金额未定", "211199-b"),
        &json!({ "signed_on": "2025-03-31" }),
    );
    manager.register(&unknown).await;
    complete(manager, "过期落地", "2025/2", "1500000.00").await;
}

#[tokio::test]
async fn every_indicator_is_what_its_projects_are() {
    let (_server, manager) = library().await;
    register_more(&manager).await;
    set_scheme(&manager, &everything()).await;
    for period in ["2025-03", "2025-Q1", "2024-05", "2025-Q2"] {
        let board = manager
            .get(&MARCH.replace("2025-03", period))
            .await
            .expect(200)
            .body;
        adds_up(&board);
        // Three rates have two figures each.
        assert_eq!(
            follow(&manager, &board).await,
            4 * (20 + 3 + 3) + 1,
            "{period}"
        );
    }
    let board = manager.get(MARCH).await.expect(200).body;
    let told = |region: &str, indicator: &str, measure: &str| {
        let all = of(&board, region)["indicators"].as_array().unwrap().clone();
        let found = all
            .into_iter()
            .find(|i| i["indicator"] == indicator && i["measure"] == measure);
        found.unwrap()
    };
    let landing = told("211199-a", "landing_rate", "count");
    assert_eq!(
        (&landing["value"], &landing["unit"]),
        (&json!("33.33"), &json!("percent"))
    );
    assert_eq!(
        (&landing["reached"]["count"], &landing["of"]["count"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(
        told("211199-c", "landing_rate", "count")["state"],
        "not_applicable"
    );
    assert_eq!(told("211199-b", "landing_rate", "count")["value"], "0.00");
    let start = told("211199-a", "start_rate", "count");
    assert_eq!(
        (&start["value"], &start["of"]["count"]),
        (&json!("0.00"), &json!(2))
    );
    // Of a plan of which nothing was reported, and of one without an amount, nothing is compared.
    let plan = told("211199-a", "annual_plan_rate", "investment");
    assert_eq!(plan["value"], "75.00");
    assert_eq!(
        (&plan["of"]["count"], &plan["of"]["unknown_amounts"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(
        told("211199-c", "annual_plan_rate", "investment")["state"],
        "not_applicable"
    );
    let signed = told("211199-b", "signed", "investment");
    assert_eq!(
        (&signed["state"], &signed["value"]),
        (&json!("unknown"), &Value::Null)
    );
    assert_eq!(signed["reached"]["unknown_amounts"], 1);
    assert_eq!(
        told("211199-a", "signed", "investment")["value"],
        "180000000.00"
    );
    assert_eq!(told("211199-c", "signed", "investment")["value"], "0.00");
}

#[tokio::test]
async fn the_size_of_a_region_is_taken_out_where_that_is_asked() {
    let (_server, manager) = library().await;
    let by_size = with(
        scheme(),
        &json!({ "indicators": [
            { "indicator": "started", "weight": 1, "normalised_by": "projects" },
            { "indicator": "completed_investment", "weight": 1, "normalised_by": "investment" },
        ] }),
    );
    set_scheme(&manager, &by_size).await;
    let board = manager.get(MARCH).await.expect(200).body;
    let told = |region: &str, place: usize| {
        let indicator = &of(&board, region)["indicators"][place];
        let text = |name: &str| indicator[name].as_str().unwrap().to_owned();
        (text("normalised"), text("score"))
    };
    let pair = |one: &str, other: &str| (one.to_owned(), other.to_owned());
    // In stock: a 6, b 4, c 5, d 3, each of 1 亿元.
    for (region, normalised, score) in [
        ("211199-a", "0.6667", "100.00"),
        ("211199-b", "0.5000", "75.00"),
        ("211199-c", "0.4000", "60.00"),
        ("211199-d", "0.3333", "50.00"),
    ] {
        assert_eq!(told(region, 0), pair(normalised, score), "{region}");
    }
    assert_eq!(told("211199-a", 1), pair("500000.0000", "41.67"));
    assert_eq!(told("211199-c", 1), pair("1200000.0000", "100.00"));
    adds_up(&board);
}

async fn close(manager: &Client, period: &str) -> Reply {
    let path = format!("/v1/scoreboard/periods/{period}");
    manager.request(Method::PUT, &path).if_none().send().await
}

/// Changes whatever a ranking is made of.
async fn change_everything(server: &Server, manager: &Client) {
    complete(manager, "211199-b 2025-03-10 1", "2025/3", "900000000.00").await;
    let project = manager.named("211199-a 2025-03-01 1").await;
    let moved = json!({ "region": "211199-d", "total_investment": { "exact": "5.00" } });
    manager
        .amend(project["id"].as_str().unwrap(), &moved)
        .await
        .expect(200);
    let gone = manager.named("211199-a 2025-03-31 1").await;
    let withdrawn = json!({ "to": "withdrawn", "occurred_on": day(0), "note": "退库" });
    manager
        .step(gone["id"].as_str().unwrap(), &withdrawn)
        .await
        .expect(201);
    let new = with(
        fields("新登记", "211199-c"),
        &json!({ "signed_on": "2025-03-05" }),
    );
    manager.register(&new).await;
    let admin = server.sign_in("admin").await;
    for (code, more) in [
        ("211199-b", json!({ "parent": "211100" })),
        ("211199-c", json!({ "name": "改了名", "valid_to": 2020 })),
        ("211199-old", json!({ "valid_to": null })),
    ] {
        alter(&admin, code, &more).await;
    }
    let new = json!({ "name": "新区", "kind": "zone", "parent": COUNTY });
    admin
        .put("/v1/regions/211199-new", &new)
        .if_none()
        .send()
        .await
        .expect(201);
    set_scheme(manager, &everything()).await;
}

#[tokio::test]
async fn what_is_closed_is_told_the_same_for_ever() {
    let (server, manager) = library().await;
    let open = manager.get(MARCH).await.expect(200).body;
    let closed = close(&manager, "2025-03").await.expect(201);
    assert_eq!(closed.str("/period"), "2025-03");
    let board = manager.get(MARCH).await.expect(200).body;
    assert_eq!(board["closed_at"], closed.body["closed_at"]);
    assert_eq!(board["as_of"], closed.body["closed_at"]);
    assert_eq!(ranking(&board), ranking(&open));
    follow(&manager, &board).await;

    change_everything(&server, &manager).await;
    let again = manager.get(MARCH).await.expect(200).body;
    assert_eq!(again, board);
    // Even a region that never had a project stands in what was closed.
    let (admin, old) = (server.sign_in("admin").await, "/v1/regions/211199-old");
    let tag = admin.get(old).await.expect(200).etag();
    let kept = admin.delete(old).if_match(&tag).send().await.expect(409);
    assert_eq!(kept.code(), "still_in_use");
    // The month before is closed later, as it stands then: what was told of it here stays too.
    close(&manager, "2025-02").await.expect(201);
    let again = manager.get(MARCH).await.expect(200).body;
    assert_eq!(again, board);
    follow(&manager, &again).await;
    let february = manager
        .get(&MARCH.replace("03", "02"))
        .await
        .expect(200)
        .body;
    assert_eq!(february["scheme"]["version"], 3);

    let april = manager
        .get(&MARCH.replace("2025-03", "2025-04"))
        .await
        .expect(200)
        .body;
    assert_eq!(april["closed_at"], Value::Null);
    assert_eq!(
        april["previous"],
        json!({ "period": "2025-03", "closed_at": board["closed_at"] })
    );
    let before: BTreeMap<String, Value> = april["regions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                row["region"].as_str().unwrap().to_owned(),
                row["previous"].clone(),
            )
        })
        .collect();
    assert_eq!(before["211199-a"]["rank"], 1);
    assert_eq!(before["211199-d"]["score"], "15.00");
    // It was not there yet, or not ranked.
    assert_eq!(before["211199-new"], Value::Null);
    assert_eq!(before["211199-old"], Value::Null);
    assert!(!before.contains_key("211199-b") && !before.contains_key("211199-c"));
}

#[tokio::test]
async fn a_closing_waits_for_who_is_writing_and_nothing_comes_in_behind_it() {
    let (_server, manager) = library().await;
    let signed = json!({ "indicators": [{ "indicator": "signed", "weight": 1 }] });
    set_scheme(&manager, &with(scheme(), &signed)).await;
    let registering = (0..24).map(async |number| {
        let fields = fields(&format!("同时登记{number}"), "211199-a");
        let body = with(fields, &json!({ "signed_on": "2025-03-05" }));
        manager.register(&body).await;
    });
    let closing = async {
        // Who holds up a closing for too long is told to the one who closes, and he tries again.
        while close(&manager, "2025-03").await.status == 409 {}
        manager.get(MARCH).await.expect(200).body
    };
    let (_, closed) = futures::join!(join_all(registering), closing);
    assert!(closed["closed_at"].is_string());
    let after = manager.get(MARCH).await.expect(200).body;
    assert_eq!(after, closed);
    follow(&manager, &after).await;
}

#[tokio::test]
async fn a_period_is_reopened_with_a_reason_and_nothing_is_forgotten() {
    let (server, manager) = library().await;
    let closed = close(&manager, "2025-03").await.expect(201);
    let path = "/v1/scoreboard/periods/2025-03";
    let board = manager.get(MARCH).await.expect(200).body;
    let then = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    complete(&manager, "211199-b 2025-03-10 1", "2025/3", "6000000.00").await;

    let again = close(&manager, "2025-03").await.expect(412);
    assert_eq!(again.code(), "exists");
    let same = manager
        .request(Method::PUT, path)
        .if_match(&closed.etag())
        .send()
        .await;
    assert_eq!(same.expect(200).body, closed.body);
    let bare = manager
        .delete(path)
        .if_match(&closed.etag())
        .send()
        .await
        .expect(400);
    assert_eq!(bare.error_codes(), ["missing_parameter"]);
    let blank = manager
        .delete(&format!("{path}?reason=%20"))
        .if_match(&closed.etag());
    blank.send().await.expect(422);
    let reopen = format!("{path}?reason=更正完成投资");
    manager.delete(&reopen).send().await.expect(428);
    manager
        .delete(&reopen)
        .if_match("\"2\"")
        .send()
        .await
        .expect(412);
    manager
        .delete(&reopen)
        .if_match(&closed.etag())
        .send()
        .await
        .expect(204);
    manager.get(path).await.expect(404);
    manager
        .delete(&reopen)
        .if_match(&closed.etag())
        .send()
        .await
        .expect(404);

    let open = manager.get(MARCH).await.expect(200).body;
    assert_eq!(open["closed_at"], Value::Null);
    assert_eq!(of(&open, "211199-b")["score"], "70.00");
    // As it was known while it was closed.
    let known = manager
        .get(&format!("{MARCH}&as_of={then}"))
        .await
        .expect(200)
        .body;
    assert_eq!(known, board);
    let second = close(&manager, "2025-03").await.expect(201);
    assert_eq!(second.at("/version"), 2);
    let now = manager.get(MARCH).await.expect(200).body;
    assert_eq!(ranking(&now), ranking(&open));

    close(&manager, "2025-Q1").await.expect(201);
    close(&manager, "2024-12").await.expect(201);
    let listed = manager.all("/v1/scoreboard/periods").await;
    let listed: Vec<_> = listed
        .iter()
        .map(|closing| closing["period"].as_str().unwrap())
        .collect();
    assert_eq!(listed, ["2025-Q1", "2025-03", "2024-12"]);
    let one = manager
        .get("/v1/scoreboard/periods?limit=1")
        .await
        .expect(200);
    let next = format!(
        "/v1/scoreboard/periods?limit=1&cursor={}",
        one.str("/next_cursor")
    );
    assert_eq!(
        manager.get(&next).await.expect(200).str("/items/0/period"),
        "2025-03"
    );

    let auditor = server.sign_in("auditor").await;
    let events = auditor.all("/v1/audit").await;
    let of_march = events
        .iter()
        .filter(|event| event["subject"] == "scoreboard/2025-03");
    let mut told: Vec<_> = of_march
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    told.sort_unstable();
    assert_eq!(told, ["period_closed", "period_closed", "period_reopened"]);
    let reopened = events
        .iter()
        .find(|event| event["kind"] == "period_reopened")
        .unwrap();
    assert_eq!(reopened["after"]["reason"], "更正完成投资");
}

#[tokio::test]
async fn an_open_period_is_told_as_it_was_known() {
    let (_server, manager) = library().await;
    let before = manager.get(MARCH).await.expect(200);
    let then = before.str("/as_of");
    let tag = before.etag();
    let known = manager
        .request(Method::GET, MARCH)
        .header("if-none-match", &tag);
    known.send().await.expect(304);
    complete(&manager, "211199-b 2025-03-10 1", "2025/3", "6000000.00").await;
    let known = manager
        .request(Method::GET, MARCH)
        .header("if-none-match", &tag);
    let now = known.send().await.expect(200);
    assert_ne!(ranking(&now.body), ranking(&before.body));
    set_scheme(&manager, &everything()).await;
    let known = manager
        .get(&format!("{MARCH}&as_of={then}"))
        .await
        .expect(200);
    assert_eq!(ranking(&known.body), ranking(&before.body));
    assert_eq!(known.at("/scheme"), before.at("/scheme"));
    follow(&manager, &known.body).await;
    let tag = manager.get(MARCH).await.expect(200).etag();
    close(&manager, "2025-03").await.expect(201);
    let known = manager
        .request(Method::GET, MARCH)
        .header("if-none-match", &tag);
    known.send().await.expect(200);
}

#[tokio::test]
async fn the_preset_holds_until_a_scheme_is_set_and_versions_are_kept() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let preset = manager.get(SCHEME).await.expect(200);
    assert_eq!(preset.etag(), "\"1\"");
    assert_eq!(preset.at("/is_preset"), true);
    let same = manager
        .put(SCHEME, preset.at("/scheme"))
        .if_match("\"1\"")
        .send()
        .await;
    assert_eq!(same.expect(200).etag(), "\"1\"");
    // The root of the library, by the preset: the county of before 2016 is not ranked.
    let board = manager
        .get("/v1/scoreboard?period=2025-Q1")
        .await
        .expect(200);
    assert_eq!(board.str("/region"), "211100");
    let mut regions: Vec<_> = ranking(&board.body).into_iter().map(|row| row.0).collect();
    regions.sort();
    assert_eq!(
        regions,
        [
            "211100-gxq",
            "211100-ldw",
            "211102",
            "211103",
            "211104",
            "211122"
        ]
    );
    follow(&manager, &board.body).await;

    let set = manager.put(SCHEME, &scheme());
    set.clone().send().await.expect(428);
    let told = set.clone().if_match("\"1\"").send().await.expect(200);
    assert_eq!(
        (told.etag().as_str(), told.at("/is_preset")),
        ("\"2\"", &json!(false))
    );
    assert_eq!(told.at("/scheme"), &scheme());
    let stale = set.if_match("\"1\"").send().await.expect(412);
    assert_eq!(stale.code(), "stale_version");
    let auditor = server.sign_in("auditor").await;
    let events = auditor.all("/v1/audit").await;
    let event = events
        .iter()
        .find(|event| event["kind"] == "scheme_set")
        .unwrap();
    assert_eq!(event["before"], *preset.at("/scheme"));
    assert_eq!(event["after"], scheme());
}

#[tokio::test]
async fn what_is_wrong_with_a_scheme_is_told_field_by_field() {
    let (_server, manager) = library().await;
    let tag = manager.get(SCHEME).await.expect(200).etag();
    let wrong = json!({
        "indicators": [
            { "indicator": "started", "weight": 0 },
            { "indicator": "happiness", "measure": "by_heart", "weight": 1, "normalised_by": "area" },
            { "indicator": "completed_investment", "measure": "count", "weight": 1 },
            { "indicator": "landing_rate", "weight": 1, "normalised_by": "projects" },
            { "indicator": "started", "measure": "count", "weight": 9_999_999_999_i64 },
        ],
        "red": { "top": 0, "at_least": "100.01" }, "black": {}, "landing_months": -1,
    });
    let put = || manager.put(SCHEME, &wrong).if_match(&tag);
    let refused = in_both_languages(put, 422, "scheme").await;
    let told: BTreeMap<String, String> = refused
        .pointers()
        .into_iter()
        .zip(refused.error_codes())
        .collect();
    let expected = [
        ("/black", "rule_says_nothing"),
        ("/indicators/0/weight", "number_out_of_range"),
        ("/indicators/1/indicator", "unknown_code"),
        ("/indicators/1/measure", "unknown_code"),
        ("/indicators/1/normalised_by", "unknown_code"),
        ("/indicators/2/measure", "measure_not_possible"),
        ("/indicators/3/normalised_by", "rate_is_not_normalised"),
        ("/indicators/4/indicator", "duplicate_indicator"),
        ("/indicators/4/weight", "number_out_of_range"),
        ("/landing_months", "number_out_of_range"),
        ("/red/at_least", "invalid_score"),
        ("/red/top", "number_out_of_range"),
    ];
    let expected = expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()));
    assert_eq!(told, expected.into());
    let many: Vec<Value> = (0..21)
        .map(|_| json!({ "indicator": "started", "weight": 1 }))
        .collect();
    for indicators in [json!([]), json!(many)] {
        let put = manager.put(
            SCHEME,
            &with(scheme(), &json!({ "indicators": indicators })),
        );
        let refused = put.if_match(&tag).send().await.expect(422);
        assert!(
            refused
                .error_codes()
                .contains(&"number_of_indicators".to_owned())
        );
    }
    for (name, value) in [
        ("weight", json!(1.5)),
        ("weight", json!("1")),
        ("colour", json!(1)),
    ] {
        let item = with(
            json!({ "indicator": "started", "weight": 1 }),
            &json!({ name: value }),
        );
        let put = manager.put(SCHEME, &with(scheme(), &json!({ "indicators": [item] })));
        put.if_match(&tag).send().await.expect(400);
    }
}

#[tokio::test]
async fn what_can_not_be_answered_is_refused_with_its_reason() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let next_year = day(0)[..4].parse::<i32>().unwrap() + 1;
    for (query, status, code, parameter) in [
        (String::new(), 400, "missing_parameter", "period"),
        (
            "period=2025-13".to_owned(),
            400,
            "unreadable_parameter",
            "period",
        ),
        (
            "period=2025-Q5".to_owned(),
            400,
            "unreadable_parameter",
            "period",
        ),
        (
            "period=2025".to_owned(),
            400,
            "unreadable_parameter",
            "period",
        ),
        (
            "period=10000-01".to_owned(),
            400,
            "unreadable_parameter",
            "period",
        ),
        (
            "period=9999-01".to_owned(),
            422,
            "year_out_of_range",
            "period",
        ),
        (
            format!("period={next_year}-01"),
            422,
            "period_in_future",
            "period",
        ),
        (
            "period=2025-03&as_of=1948-01-01".to_owned(),
            422,
            "as_of_too_early",
            "as_of",
        ),
        (
            format!("period=2025-03&as_of={}", day(1)),
            422,
            "as_of_in_future",
            "as_of",
        ),
        (
            "period=2019-03&as_of=2020-01-01".to_owned(),
            422,
            "as_of_before_library",
            "as_of",
        ),
        (
            "period=2021-03&as_of=2020-01-01".to_owned(),
            422,
            "period_in_future",
            "period",
        ),
        (
            "period=2025-03&as_of=yesterday".to_owned(),
            400,
            "invalid_instant",
            "as_of",
        ),
        (
            "period=2025-03&region=999999".to_owned(),
            422,
            "unknown_region",
            "region",
        ),
        (
            "period=2025-03&region=%00".to_owned(),
            400,
            "unreadable_parameter",
            "region",
        ),
        (
            "period=2025-03&colour=red".to_owned(),
            400,
            "unknown_parameter",
            "colour",
        ),
    ] {
        let ask = || manager.request(Method::GET, &format!("/v1/scoreboard?{query}"));
        let refused = in_both_languages(ask, status, &query).await;
        assert_eq!(refused.error_codes(), [code], "{query}");
        assert_eq!(refused.str("/errors/0/parameter"), parameter, "{query}");
    }
}

#[tokio::test]
async fn where_several_regions_lie_in_no_other_one_has_to_be_named() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let admin = server.sign_in("admin").await;
    let city = json!({ "name": "营口市", "kind": "city", "parent": null });
    admin
        .put("/v1/regions/210800", &city)
        .if_none()
        .send()
        .await
        .expect(201);
    let refused = manager
        .get("/v1/scoreboard?period=2025-03")
        .await
        .expect(422);
    assert_eq!(refused.error_codes(), ["region_needed"]);
    // The manager is one of Panjin's.
    let elsewhere = "/v1/scoreboard?period=2025-03&region=210800";
    manager.get(elsewhere).await.expect(403);
    add_account(&server, "all.leader", Role::Leader, None).await;
    let leader = server.sign_in("all.leader").await;
    let empty = leader.get(elsewhere).await.expect(200);
    assert_eq!(empty.at("/regions"), &json!([]));
}

#[tokio::test]
async fn a_period_that_is_not_over_or_is_none_can_not_be_closed() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let this_month = day(0)[..7].to_owned();
    // A month that runs is told, and not closed.
    let path = format!("/v1/scoreboard?period={this_month}");
    manager.get(&path).await.expect(200);
    for (period, status, code) in [
        (this_month.as_str(), 422, "period_not_over"),
        ("2025-13", 400, "unreadable_parameter"),
        ("2025-Q5", 400, "unreadable_parameter"),
        ("9999-01", 422, "year_out_of_range"),
    ] {
        let refused = close(&manager, period).await.expect(status);
        assert_eq!(refused.error_codes(), [code], "{period}");
        assert_eq!(refused.str("/errors/0/parameter"), "period");
    }
    manager
        .get("/v1/scoreboard/periods/2025-13")
        .await
        .expect(400);
    let bare = manager.request(Method::PUT, "/v1/scoreboard/periods/2025-03");
    bare.send().await.expect(428);
}

#[tokio::test]
async fn filters_by_months_that_mean_nothing_are_refused() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    for (query, status, code) in [
        ("account=2025-13:new", 400, "unknown_account"),
        ("account=1900-03:new", 422, "unknown_account"),
        ("account=2025-03:landed_within_x", 422, "unknown_account"),
        ("plan_year=1900", 400, "unreadable_parameter"),
        ("invested=2025", 400, "unreadable_parameter"),
        ("invested=2025-03..2025-01", 422, "months_out_of_range"),
        ("invested=2024-12..2025-01", 422, "months_out_of_range"),
    ] {
        let refused = manager
            .get(&format!("/v1/projects?{query}"))
            .await
            .expect(status);
        assert_eq!(refused.error_codes(), [code], "{query}");
    }
}

#[tokio::test]
async fn only_who_may_read_all_of_a_region_is_told_its_ranking() {
    let (server, manager) = library().await;
    add_account(&server, "county.leader", Role::Leader, Some(COUNTY)).await;
    add_account(&server, "county.manager", Role::Manager, Some(COUNTY)).await;
    add_account(&server, "part.leader", Role::Leader, Some("211199-a")).await;
    let mut of_unit = Wanted::everywhere(Role::Leader);
    of_unit.unit = Some("panjin-drc".to_owned());
    add_account_with(&server, "unit.leader", vec![of_unit]).await;
    let city = "/v1/scoreboard?period=2025-03";
    let part = "/v1/scoreboard?period=2025-03&region=211199-a";
    let all = manager.get(MARCH).await.expect(200).body;
    for (name, seen) in [
        ("leader", [200, 200, 200]),
        ("county.leader", [403, 200, 200]),
        ("county.manager", [403, 200, 200]),
        ("part.leader", [403, 403, 200]),
        ("unit.leader", [403, 403, 403]),
    ] {
        let client = server.sign_in(name).await;
        for (path, status) in [city, MARCH, part].into_iter().zip(seen) {
            let reply = client.get(path).await;
            assert_eq!(reply.status, status, "{name} {path}: {}", reply.text);
            if status == 403 {
                assert_eq!(reply.code(), "forbidden");
                assert!(!reply.text.contains("211199-b"), "{name}");
            } else if path == MARCH {
                assert_eq!(reply.body["regions"], all["regions"], "{name}");
                follow(&client, &reply.body).await;
            }
        }
        client.get(SCHEME).await.expect(200);
        client.get("/v1/scoreboard/periods").await.expect(200);
    }
    // A county's manager sets nothing that is for all.
    let county = server.sign_in("county.manager").await;
    let set = county.put(SCHEME, &scheme()).if_match("\"2\"").send().await;
    assert_eq!(set.expect(403).code(), "forbidden");
    assert_eq!(
        close(&county, "2025-03").await.expect(403).code(),
        "forbidden"
    );
    let tag = close(&manager, "2025-03").await.expect(201).etag();
    let reopen = county
        .delete("/v1/scoreboard/periods/2025-03?reason=x")
        .if_match(&tag);
    assert_eq!(reopen.send().await.expect(403).code(), "forbidden");
    let city = server.sign_in("county.leader").await;
    close(&city, "2025-02").await.expect(403);
}

#[tokio::test]
async fn a_ranking_is_printed_as_it_is_told() {
    let (_server, manager) = library().await;
    let board = manager.get(MARCH).await.expect(200).body;
    let csv = manager
        .request(Method::GET, &MARCH.replace("scoreboard", "scoreboard.csv"))
        .english()
        .send()
        .await
        .expect(200);
    let text = csv.text.trim_start_matches('\u{FEFF}').to_owned();
    let mut lines = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.as_bytes());
    let headings: Vec<String> = lines.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(headings.len(), 6 + 2 * 3);
    assert_eq!(headings[9], "completed investment (10,000 CNY)");
    let rows: Vec<Vec<String>> = lines
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let first = &rows[0];
    assert_eq!(first[..6], ["1", "211199-a", "80.00", "2", "↑1", "red"]);
    assert_eq!(first[6..8], ["4", "100.00"]);
    assert_eq!(
        first[8],
        of(&board, "211199-a")["indicators"][0]["reached"]["projects"]
            .as_str()
            .unwrap()
    );
    assert_eq!(first[9..11], ["300.00", "50.00"]);
    assert_eq!(rows[2][9..11], ["", ""]);
    assert_eq!(rows[3][..6], ["4", "211199-d", "15.00", "3", "↓1", "black"]);
    assert_eq!(rows[3][9..11], ["0.00", "0.00"]);
    for form in ["csv", "xlsx"] {
        let path = MARCH.replace("scoreboard", &format!("scoreboard.{form}"));
        assert!(!manager.get(&path).await.expect(200).bytes.is_empty());
    }
}

#[tokio::test]
async fn projects_are_found_by_what_happened_in_a_month_and_by_plan_and_money() {
    let (_server, manager) = library().await;
    register_more(&manager).await;
    for (query, count) in [
        ("account=2025-03:new", 11),
        ("account=2025-Q1:new", 15),
        ("account=2025:new", 16),
        ("account=2025-03:new:2025-03-01", 2),
        ("account=2025-03:new&account=2025-04:new", 12),
        ("account=2025-03:landed_within_3", 1),
        ("account=2025-03:landed_within_4", 2),
        ("account=2025:landed_within_0", 0),
        ("plan_year=2025", 3),
        ("plan_year=2024&plan_year=2025", 3),
        ("plan_year=2026", 0),
        ("invested=2025-03", 4),
        ("invested=2025-02", 1),
        ("invested=2025-Q1", 5),
        ("invested=2025-01..2025-02", 2),
        ("invested=2025-03&plan_year=2025", 0),
    ] {
        let path =
            format!("/v1/projects?region={COUNTY}&counting=portfolio&with_total=true&{query}");
        assert_eq!(
            manager.get(&path).await.expect(200).at("/total"),
            count,
            "{query}"
        );
        let summary = manager
            .get(&format!("/v1/summary?region={COUNTY}&{query}"))
            .await
            .expect(200);
        assert_eq!(summary.at("/total/count"), count, "{query}");
    }
}
