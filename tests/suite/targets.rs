//! Targets: those of Panjin, kept with their history, seen by who may, and checked against each other.

use std::path::Path;

use serde_json::{Value, json};
use taizhang::auth::Role;
use taizhang::catalogue::Catalogue;
use taizhang::store::account::grant::Wanted;
use taizhang::store::catalogue::{self, Loaded};

use crate::support::library::{add_account_with, author, day, in_store, with};
use crate::support::problems::in_both_languages;
use crate::support::{Client, Reply, Server};

const DAWA: &str = "211104";
const XINGLONGTAI: &str = "211103";

/// A target for a year, in full but for what may be left out.
fn body(members: &Value) -> Value {
    let whole = json!({
        "plan": "2026", "region": DAWA, "from_tier": "from_100m", "metric": "new", "name": "新建",
        "from_year": 2026, "to_year": 2026, "value": "40", "unit": "project", "kind": "target",
    });
    with(whole, members)
}

async fn set(client: &Client, code: &str, members: &Value) -> Reply {
    let path = format!("/v1/targets/{code}");
    client.put(&path, &body(members)).if_none().send().await
}

fn codes(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(|item| item["code"].as_str().unwrap())
        .collect()
}

async fn codes_of(client: &Client, query: &str) -> Vec<String> {
    let found = client.all(&format!("/v1/targets?{query}")).await;
    codes(&found).into_iter().map(str::to_owned).collect()
}

/// A comparison in short.
fn told(comparison: &Value) -> String {
    let side = |name: &str| {
        let side = &comparison[name];
        format!(
            "{} {}",
            side["by"].as_str().unwrap(),
            side["sum"].as_str().unwrap()
        )
    };
    let mark = if comparison["thresholds_differ"] == true {
        " !"
    } else {
        ""
    };
    format!(
        "{} {} / {}{mark}: {} {}",
        comparison["metric"].as_str().unwrap(),
        side("left"),
        side("right"),
        comparison["difference"].as_str().unwrap(),
        comparison["verdict"].as_str().unwrap(),
    )
}

async fn comparisons(client: &Client, query: &str) -> Vec<Value> {
    let checked = client.get(&format!("/v1/targets/cascade?{query}")).await;
    let checked = checked.expect(200);
    checked.at("/comparisons").as_array().unwrap().clone()
}

#[tokio::test]
async fn the_targets_of_panjin_are_there_as_the_plans_print_them() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let all = leader.all("/v1/targets").await;
    assert_eq!(all.len(), 81);
    for (query, count) in [
        ("plan=十四五", 37),
        ("plan=十四五&kind=target", 37),
        ("plan=十三五", 14),
        ("plan=十三五&kind=actual", 10),
        ("plan=2024", 15),
        ("plan=2025", 15),
        ("plan=2024&plan=2025", 30),
        ("kind=target", 56),
        ("kind=actual", 25),
        ("region=211103", 14),
        ("region=211100", 81),
        ("region=211100-ldw", 1),
        ("metric=entered&plan=2025", 10),
        ("metric=new&metric=continued", 6),
        // Those of 2025 alone, and of every year from 2021 to 2025.
        ("period=2025", 26),
        ("period=2021-2025", 36),
        ("period=2020", 2),
        ("period=2022-2025", 0),
        ("plan=十六五", 0),
    ] {
        let found = codes_of(&leader, query).await;
        assert_eq!(found.len(), count, "{query}: {found:?}");
    }
    let invested = leader.get("/v1/targets/pj-t-145-invest-500w").await;
    let invested = invested.expect(200);
    assert_eq!(invested.etag(), "\"1\"");
    let expected = json!({
        "code": "pj-t-145-invest-500w", "plan": "十四五", "region": "211100", "programme": null, "sector": null,
        "from_tier": "from_5m", "up_to_tier": null, "metric": "completed_investment", "name": "完成投资",
        "from_year": 2021, "to_year": 2025, "each_year": false, "value": "300000000000.00", "unit": "yuan",
        "kind": "target", "schedule": null, "quote": "累计完成投资3000亿元",
        "source": "盘锦市“十四五”规划纲要:1105", "version": 1,
        "recorded_at": invested.at("/recorded_at"),
    });
    assert_eq!(invested.body, expected);
    let tier = leader.get("/v1/targets/pj-t-145-count-10y-50y").await;
    let tier = tier.expect(200);
    assert_eq!(
        (tier.str("/from_tier"), tier.str("/up_to_tier")),
        ("from_1b".to_owned(), "from_1b".to_owned())
    );
    let growth = leader.get("/v1/targets/pj-t-2024-neizi-growth").await;
    assert_eq!(growth.expect(200).str("/value"), "20.20");
    let land = leader
        .get("/v1/targets/pj-t-xlt-145-land")
        .await
        .expect(200);
    assert_eq!(
        (land.str("/unit"), land.at("/each_year")),
        ("mu".to_owned(), &json!(true))
    );
}

#[tokio::test]
async fn the_targets_of_the_fourteenth_plan_agree_and_disagree_where_they_are_known_to() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let found = comparisons(&leader, "plan=十四五").await;
    let told: Vec<String> = found.iter().map(told).collect();
    let expected = [
        "project_count whole 1500.00 / tiers 580.00 !: 920.00 not_allotted",
        "project_count tiers 580.00 / programmes 580.00: 0.00 equal",
        "project_count whole 1500.00 / programmes 580.00 !: 920.00 not_allotted",
        "project_count whole 160.00 / sectors 160.00: 0.00 equal",
        "completed_investment whole 300000000000.00 / programmes 280000000000.00 !: 20000000000.00 not_allotted",
        "completed_investment whole 30000000000.00 / sectors 30000000000.00: 0.00 equal",
        "entered whole 2000000000.00 / regions 1700000000.00: 300000000.00 not_allotted",
    ];
    assert_eq!(told, expected);
    let tiers = &found[1]["left"];
    let targets = tiers["targets"].as_array().unwrap();
    assert_eq!(
        codes(targets),
        [
            "pj-t-145-count-1y-10y",
            "pj-t-145-count-10y-50y",
            "pj-t-145-count-50y-100y",
            "pj-t-145-count-100y"
        ]
    );
    assert_eq!(tiers["from_tier"], "from_100m");
    assert_eq!(targets[0]["value"], "500.00");
    assert_eq!(found[3]["programme"], "specialty");
    assert_eq!(found[5]["right"]["targets"].as_array().unwrap().len(), 3);
    assert_eq!(found[6]["name"], "实际利用外资");
    assert_eq!(found[6]["unit"], "usd");
    let whole = leader.get("/v1/targets/cascade?plan=十四五").await;
    assert_eq!(whole.expect(200).str("/covers"), "all");
    assert_eq!(comparisons(&leader, "plan=2025").await, Vec::<Value>::new());
    assert_eq!(
        comparisons(&leader, "plan=十四五&region=211103").await,
        Vec::<Value>::new()
    );
}

#[tokio::test]
async fn a_target_is_set_replaced_and_removed_by_its_version() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let path = "/v1/targets/dawa-2026-new";
    manager.get(path).await.expect(404);
    let plain = body(&json!({}));
    manager.put(path, &plain).send().await.expect(428);
    let early = manager.put(path, &plain).if_match("\"1\"").send().await;
    early.expect(412);
    let made = manager.put(path, &plain).if_none().send().await;
    let made = made.expect(201);
    assert_eq!(made.etag(), "\"1\"");
    assert_eq!(made.str("/value"), "40.00");
    assert_eq!(made.at("/each_year"), &json!(false));
    manager.put(path, &plain).if_none().send().await.expect(412);
    // The same once more is no change.
    let same = manager.put(path, &plain).if_match("\"1\"").send().await;
    assert_eq!(same.expect(200).body, made.body);
    let months = [0, 0, 10, 25, 40, 50, 60, 70, 80, 90, 95, 100];
    let more = body(
        &json!({ "value": "45.0", "schedule": months, "quote": "两行\n的话", "source": "报告:3" }),
    );
    let changed = manager.put(path, &more).if_match("\"1\"").send().await;
    let changed = changed.expect(200);
    assert_eq!(changed.etag(), "\"2\"");
    assert_eq!(changed.str("/value"), "45.00");
    assert_eq!(changed.at("/schedule"), &json!(months));
    let late = manager.put(path, &plain).if_match("\"1\"").send().await;
    assert_eq!(late.expect(412).code(), "stale_version");
    assert_eq!(manager.get(path).await.expect(200).body, changed.body);
    manager.delete(path).send().await.expect(428);
    manager
        .delete(path)
        .if_match("\"1\"")
        .send()
        .await
        .expect(412);
    manager
        .delete(path)
        .if_match("\"2\"")
        .send()
        .await
        .expect(204);
    manager.get(path).await.expect(404);
    manager
        .delete(path)
        .if_match("\"2\"")
        .send()
        .await
        .expect(404);
    let again = manager.put(path, &plain).if_none().send().await;
    assert_eq!(again.expect(201).etag(), "\"3\"");
}

#[tokio::test]
async fn json_s_whole_numbers_may_have_a_point() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let text = body(&json!({ "schedule": [0, 0, 10, 25, 40, 50, 60, 70, 80, 90, 95, 100] }))
        .to_string()
        .replace("2026,", "2026.0,")
        .replace("2026}", "2026.0}")
        .replace(",100]", ",100.0]");
    assert!(text.contains("2026.0") && text.contains("100.0"), "{text}");
    let request = manager
        .request(reqwest::Method::PUT, "/v1/targets/points")
        .raw("application/json", &text)
        .if_none();
    let made = request.send().await.expect(201);
    assert_eq!(made.at("/from_year"), &json!(2026));
    assert_eq!(made.at("/schedule/11"), &json!(100));
    for wrong in ["2026.5", "\"2026\"", "1e30", "99999999999"] {
        let text = body(&json!({})).to_string();
        let text = text.replace("\"from_year\":2026", &format!("\"from_year\":{wrong}"));
        let request = manager
            .request(reqwest::Method::PUT, "/v1/targets/wrong")
            .raw("application/json", &text)
            .if_none();
        let refused = request.send().await.expect(400);
        assert_eq!(refused.pointers(), ["/from_year"], "{wrong}");
    }
}

#[tokio::test]
async fn what_was_known_before_is_told_as_of_then() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let path = "/v1/targets/dawa-2026-new";
    let first = set(&manager, "dawa-2026-new", &json!({})).await.expect(201);
    let raised = body(&json!({ "value": "50", "plan": "2026-调整" }));
    let second = manager.put(path, &raised).if_match("\"1\"").send().await;
    let second = second.expect(200);
    manager
        .delete(path)
        .if_match("\"2\"")
        .send()
        .await
        .expect(204);
    let third = set(&manager, "dawa-2026-new", &json!({ "value": "60" })).await;
    let third = third.expect(201);
    let known = async |query: String| {
        let found = manager.all(&format!("/v1/targets?{query}")).await;
        let mine = found
            .into_iter()
            .find(|target| target["code"] == "dawa-2026-new");
        mine.map(|target| target["value"].as_str().unwrap().to_owned())
    };
    let at = |reply: &Reply| reply.str("/recorded_at");
    assert_eq!(
        known(format!("as_of={}", at(&first))).await,
        Some("40.00".to_owned())
    );
    assert_eq!(
        known(format!("as_of={}", at(&second))).await,
        Some("50.00".to_owned())
    );
    assert_eq!(
        known(format!("as_of={}", at(&third))).await,
        Some("60.00".to_owned())
    );
    assert_eq!(
        known(format!("plan=2026&as_of={}", at(&second))).await,
        None
    );
    assert_eq!(
        known("plan=2026".to_owned()).await,
        Some("60.00".to_owned())
    );
    assert_eq!(
        known(format!("as_of={}", day(0))).await,
        Some("60.00".to_owned())
    );
    assert_eq!(known(format!("as_of={}", day(-1))).await, None);
    // Before the catalogue was loaded there were none, and nothing to compare.
    let yesterday = format!("plan=十四五&as_of={}", day(-1));
    assert_eq!(codes_of(&manager, &yesterday).await, Vec::<String>::new());
    assert_eq!(comparisons(&manager, &yesterday).await, Vec::<Value>::new());
    let ahead = manager.get(&format!("/v1/targets?as_of={}", day(1))).await;
    assert_eq!(ahead.expect(422).error_codes(), ["as_of_in_future"]);
}

#[tokio::test]
async fn a_check_of_the_past_uses_the_targets_of_then() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let path = "/v1/targets/pj-t-145-petrochem-count";
    let before = manager.get(path).await.expect(200);
    let mut fields = before.body.clone();
    let members = fields.as_object_mut().unwrap();
    for name in ["code", "version", "recorded_at"] {
        members.remove(name);
    }
    members.insert("value".to_owned(), json!("190"));
    let raised = manager.put(path, &fields).if_match("\"1\"").send().await;
    raised.expect(200);
    let programmes = async |query: &str| {
        let found = comparisons(&manager, query).await;
        let found = found
            .iter()
            .find(|one| one["left"]["by"] == "tiers")
            .unwrap();
        told(found)
    };
    assert_eq!(
        programmes("plan=十四五").await,
        "project_count tiers 580.00 / programmes 590.00: -10.00 exceeds"
    );
    let then = format!("plan=十四五&as_of={}", before.str("/recorded_at"));
    assert_eq!(
        programmes(&then).await,
        "project_count tiers 580.00 / programmes 580.00: 0.00 equal"
    );
}

/// Puts a region into another one.
async fn put_into(server: &Server, region: &str, parent: &str) {
    let admin = server.sign_in("admin").await;
    let path = format!("/v1/regions/{region}");
    let stood = admin.get(&path).await.expect(200);
    let mut fields = stood.body.clone();
    fields["parent"] = parent.into();
    for name in ["code", "version"] {
        fields.as_object_mut().unwrap().remove(name);
    }
    let put = admin.put(&path, &fields).if_match(&stood.etag());
    put.send().await.expect(200);
}

#[tokio::test]
async fn the_past_is_checked_and_held_by_the_regions_of_then() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    for (code, region, value) in [
        ("t-city", "211100", "100"),
        ("t-dawa", DAWA, "60"),
        ("t-xinglongtai", XINGLONGTAI, "40"),
    ] {
        let members = json!({ "plan": "分解", "region": region, "value": value });
        set(&manager, code, &members).await.expect(201);
    }
    let then = manager.get("/v1/summary").await.str("/as_of");
    let of_dawa = somebody(&server, "dawa", Role::Leader, Some(DAWA), None).await;
    let held = async |query: &str| {
        let path = format!("/v1/targets/attainment?plan=分解{query}");
        let found = of_dawa.get(&path).await.expect(200);
        found.at("/items").as_array().unwrap().len()
    };
    assert_eq!(held("").await, 1);
    put_into(&server, XINGLONGTAI, DAWA).await;
    let checked = async |query: &str| {
        let found = comparisons(&manager, &format!("plan=分解{query}")).await;
        found.iter().map(told).collect::<Vec<_>>()
    };
    let as_of = format!("&as_of={then}");
    assert_eq!(
        checked(&as_of).await,
        ["new whole 100.00 / regions 100.00: 0.00 equal"]
    );
    assert_ne!(checked("").await, checked(&as_of).await);
    // Who sees both districts may be told of each as it was; who sees one of them, not of the time when it held both.
    assert_eq!(held(&as_of).await, 2);
    let both = manager.get("/v1/summary").await.str("/as_of");
    put_into(&server, XINGLONGTAI, "211100").await;
    assert_eq!(held("").await, 1);
    assert_eq!(held(&format!("&as_of={both}")).await, 0);
}

#[tokio::test]
async fn who_sets_it_and_what_it_was_is_recorded() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    set(&manager, "dawa-2026-new", &json!({})).await.expect(201);
    let path = "/v1/targets/dawa-2026-new";
    let raised = body(&json!({ "value": "50" }));
    let raised = manager.put(path, &raised).if_match("\"1\"").send().await;
    raised.expect(200);
    manager
        .delete(path)
        .if_match("\"2\"")
        .send()
        .await
        .expect(204);
    let auditor = server.sign_in("auditor").await;
    let events = auditor.all("/v1/audit?subject=target/dawa-2026-new").await;
    let mine: Vec<&Value> = events
        .iter()
        .filter(|event| event["subject"] == "target/dawa-2026-new")
        .collect();
    let values = |event: &Value| {
        let value = |side: &str| event[side]["value"].as_str().unwrap_or("-").to_owned();
        let kind = event["kind"].as_str().unwrap();
        format!("{kind} {} {}", value("before"), value("after"))
    };
    let mut told: Vec<String> = mine.iter().map(|event| values(event)).collect();
    told.sort();
    assert_eq!(
        told,
        [
            "target_removed 50.00 -",
            "target_set - 40.00",
            "target_set 40.00 50.00"
        ]
    );
}

/// Somebody with a right in a region, or for a unit.
async fn somebody(
    server: &Server,
    name: &str,
    role: Role,
    region: Option<&'static str>,
    unit: Option<&str>,
) -> Client {
    let mut wanted = Wanted::everywhere(role).within(region);
    wanted.unit = unit.map(str::to_owned);
    add_account_with(server, name, vec![wanted]).await;
    server.sign_in(name).await
}

#[tokio::test]
async fn a_reader_sees_the_targets_of_his_regions_and_no_others() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    set(&manager, "of-dawa", &json!({})).await.expect(201);
    let district = somebody(&server, "xlt", Role::Leader, Some(XINGLONGTAI), None).await;
    let unit = somebody(&server, "unit", Role::Leader, None, Some("xinglongtai-drb")).await;
    let found = district.all("/v1/targets").await;
    assert_eq!(found.len(), 14);
    assert!(found.iter().all(|target| target["region"] == XINGLONGTAI));
    assert_eq!(
        codes_of(&district, "region=211104").await,
        Vec::<String>::new()
    );
    assert_eq!(unit.all("/v1/targets").await, Vec::<Value>::new());
    let hidden = district.get("/v1/targets/of-dawa").await.expect(404);
    let absent = district.get("/v1/targets/no-such").await.expect(404);
    assert_eq!(
        (hidden.code(), hidden.body["detail"].clone()),
        (absent.code(), absent.body["detail"].clone())
    );
    unit.get("/v1/targets/pj-t-xlt-145-fai").await.expect(404);
    district
        .get("/v1/targets/pj-t-xlt-145-fai")
        .await
        .expect(200);
    // The district's part of the foreign capital is compared with nothing that is not seen.
    assert_eq!(
        comparisons(&district, "plan=十四五").await,
        Vec::<Value>::new()
    );
    let checked = district.get("/v1/targets/cascade?plan=十四五").await;
    assert_eq!(checked.expect(200).str("/covers"), "visible");
}

#[tokio::test]
async fn only_a_manager_of_its_region_sets_replaces_moves_or_removes_a_target() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    set(&manager, "of-dawa", &json!({})).await.expect(201);
    let path = "/v1/targets/of-dawa";
    let neighbour = somebody(&server, "xlt", Role::Manager, Some(XINGLONGTAI), None).await;
    let unit = somebody(&server, "unit", Role::Manager, None, Some("dawa-drb")).await;
    let district = somebody(&server, "dawa", Role::Manager, Some(DAWA), None).await;
    for other in [&neighbour, &unit] {
        set(other, "new", &json!({})).await.expect(403);
        let raised = body(&json!({ "value": "50" }));
        let changed = other.put(path, &raised).if_match("\"1\"").send().await;
        changed.expect(412);
        other
            .delete(path)
            .if_match("\"1\"")
            .send()
            .await
            .expect(404);
        // That the code is taken is told.
        let taken = other.put(path, &raised).if_none().send().await;
        taken.expect(412);
    }
    let officer = server.sign_in("officer").await;
    set(&officer, "new", &json!({})).await.expect(403);
    officer
        .delete(path)
        .if_match("\"1\"")
        .send()
        .await
        .expect(403);
    // Neither the city's target, nor one that is moved to another district.
    set(&district, "new", &json!({ "region": "211100" }))
        .await
        .expect(403);
    let moved = body(&json!({ "region": XINGLONGTAI }));
    district
        .put(path, &moved)
        .if_match("\"1\"")
        .send()
        .await
        .expect(403);
    let raised = body(&json!({ "value": "50" }));
    district
        .put(path, &raised)
        .if_match("\"1\"")
        .send()
        .await
        .expect(200);
    set(&district, "new", &json!({})).await.expect(201);
    manager
        .put(path, &moved)
        .if_match("\"2\"")
        .send()
        .await
        .expect(200);
    district.get(path).await.expect(404);
    assert_eq!(manager.get(path).await.expect(200).etag(), "\"3\"");
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
async fn values_that_can_not_be_are_refused_where_they_stand() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let months = |last: i64| json!([0, 0, 10, 25, 40, 50, 60, 70, 80, 90, 95, last]);
    let cases = [
        (json!({ "metric": "happiness" }), "/metric", "unknown_code"),
        (json!({ "unit": "kg" }), "/unit", "unknown_code"),
        (json!({ "kind": "wish" }), "/kind", "unknown_code"),
        (json!({ "plan": "" }), "/plan", "text_empty"),
        (json!({ "plan": "长".repeat(41) }), "/plan", "text_too_long"),
        (
            json!({ "name": "a\u{0}b" }),
            "/name",
            "text_control_character",
        ),
        (json!({ "region": "219999" }), "/region", "unknown_region"),
        (
            json!({ "region": "somewhere" }),
            "/region",
            "unknown_region",
        ),
        (
            json!({ "programme": "no-such" }),
            "/programme",
            "unknown_programme",
        ),
        (json!({ "sector": "光学电子" }), "/sector", "unknown_sector"),
        (
            json!({ "from_tier": "from_2b" }),
            "/from_tier",
            "unknown_code",
        ),
        (
            json!({ "from_tier": "under_5m" }),
            "/from_tier",
            "no_threshold",
        ),
        (
            json!({ "from_tier": "undetermined" }),
            "/from_tier",
            "no_threshold",
        ),
        (
            json!({ "up_to_tier": "from_5m" }),
            "/up_to_tier",
            "tiers_out_of_order",
        ),
        (
            json!({ "up_to_tier": "from_10b" }),
            "/up_to_tier",
            "open_at_the_top",
        ),
        (
            json!({ "from_tier": null, "up_to_tier": "from_1b" }),
            "/up_to_tier",
            "needs_from_tier",
        ),
        (
            json!({ "to_year": 2025 }),
            "/to_year",
            "period_out_of_order",
        ),
        (
            json!({ "from_year": 1900 }),
            "/from_year",
            "year_out_of_range",
        ),
        (json!({ "to_year": 2201 }), "/to_year", "year_out_of_range"),
        (json!({ "each_year": true }), "/each_year", "only_one_year"),
        (json!({ "unit": "yuan" }), "/unit", "unit_of_metric"),
        (
            json!({ "metric": "completed_investment" }),
            "/unit",
            "unit_of_metric",
        ),
        (json!({ "value": "-1" }), "/value", "invalid_value"),
        (json!({ "value": "1.234" }), "/value", "invalid_value"),
        (json!({ "value": "四十" }), "/value", "invalid_value"),
        (
            json!({ "value": "1000000000000001" }),
            "/value",
            "invalid_value",
        ),
        (json!({ "value": "1.5" }), "/value", "not_whole"),
        (json!({ "schedule": [] }), "/schedule", "not_twelve_months"),
        (
            json!({ "schedule": months(99) }),
            "/schedule",
            "schedule_not_all",
        ),
        (
            json!({ "schedule": months(94) }),
            "/schedule",
            "schedule_out_of_order",
        ),
        (
            json!({ "schedule": months(101) }),
            "/schedule",
            "schedule_out_of_order",
        ),
        (
            json!({ "schedule": months(100), "to_year": 2030 }),
            "/schedule",
            "schedule_of_years",
        ),
        (
            json!({ "quote": "长".repeat(501) }),
            "/quote",
            "text_too_long",
        ),
        (json!({ "source": " " }), "/source", "text_empty"),
    ];
    for (wrong, pointer, code) in cases {
        let request = || manager.put("/v1/targets/new", &body(&wrong)).if_none();
        let refused = in_both_languages(request, 422, &wrong.to_string()).await;
        assert_eq!(refused.pointers(), [pointer], "{wrong}: {}", refused.text);
        assert_eq!(refused.error_codes(), [code], "{wrong}");
    }
    let several = json!({ "plan": "", "value": "x", "metric": "y", "quote": "" });
    let refused = set(&manager, "new", &several).await.expect(422);
    assert_eq!(refused.pointers(), ["/plan", "/metric", "/value", "/quote"]);
    let unknown = set(&manager, "new", &json!({ "threshold": "1亿" })).await;
    assert_eq!(unknown.expect(400).error_codes(), ["unknown_field"]);
    for code in ["cascade", "attainment", "%20x", "a%0Ab"] {
        let refused = set(&manager, code, &json!({})).await.expect(422);
        assert_eq!(refused.pointers(), ["/code"], "{code}");
    }
    manager.get("/v1/targets/new").await.expect(404);
}

#[tokio::test]
async fn parameters_that_mean_nothing_are_refused() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    for (path, status, parameter, code) in [
        ("?kind=wish", 400, "kind", "unknown_code"),
        ("?metric=happiness", 400, "metric", "unknown_code"),
        ("?period=25", 400, "period", "unreadable_parameter"),
        ("?period=2025-", 400, "period", "unreadable_parameter"),
        (
            "?period=2021-2025-2026",
            400,
            "period",
            "unreadable_parameter",
        ),
        ("?period=9999", 422, "period", "year_out_of_range"),
        ("?period=2025-2021", 422, "period", "period_out_of_order"),
        ("?region=219999", 422, "region", "unknown_region"),
        ("?as_of=yesterday", 400, "as_of", "invalid_instant"),
        ("?limit=0", 400, "limit", "limit_out_of_range"),
        ("?colour=red", 400, "colour", "unknown_parameter"),
        ("/cascade", 400, "plan", "missing_parameter"),
        (
            "/cascade?plan=2025&region=219999",
            422,
            "region",
            "unknown_region",
        ),
        (
            "/cascade?plan=2025&kind=actual",
            400,
            "kind",
            "unknown_parameter",
        ),
    ] {
        let path = format!("/v1/targets{path}");
        let request = || manager.request(reqwest::Method::GET, &path);
        let refused = in_both_languages(request, status, &path).await;
        assert_eq!(refused.error_codes(), [code], "{path}");
        assert_eq!(refused.str("/errors/0/parameter"), parameter, "{path}");
    }
}

#[tokio::test]
async fn pages_of_targets_follow_each_other() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let all = leader.all("/v1/targets?plan=十四五").await;
    let mut next = "/v1/targets?plan=十四五&limit=10".to_owned();
    let mut pages = Vec::new();
    loop {
        let page = leader.get(&next).await.expect(200);
        pages.push(page.at("/items").as_array().unwrap().clone());
        let Some(cursor) = page.at("/next_cursor").as_str() else {
            break;
        };
        let other = format!("/v1/targets?plan=2025&limit=10&cursor={cursor}");
        assert_eq!(
            leader.get(&other).await.expect(422).code(),
            "invalid_cursor"
        );
        next = format!("/v1/targets?plan=十四五&limit=10&cursor={cursor}");
    }
    assert_eq!(
        pages.iter().map(Vec::len).collect::<Vec<_>>(),
        [10, 10, 10, 7]
    );
    assert_eq!(pages.concat(), all);
}

#[tokio::test]
async fn of_many_who_replace_a_target_at_once_one_does() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    set(&manager, "crowded", &json!({})).await.expect(201);
    let asked = (0..16).map(|number| {
        let raised = body(&json!({ "value": (100 + number).to_string() }));
        let request = manager.put("/v1/targets/crowded", &raised);
        tokio::spawn(request.if_match("\"1\"").send())
    });
    let mut statuses = Vec::new();
    for reply in asked.collect::<Vec<_>>() {
        statuses.push(reply.await.unwrap().status);
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200, "{statuses:?}");
    assert!(
        statuses[1..].iter().all(|status| *status == 412),
        "{statuses:?}"
    );
    let left = manager.get("/v1/targets/crowded").await.expect(200);
    assert_eq!(left.etag(), "\"2\"");
}

const HEADER: &str = "code,plan,region,programme,sector,from_tier,up_to_tier,metric,name,from_year,to_year,each_year,value,unit,kind,schedule,quote,source";
const GOOD: &str = "t-1,2026,211100,,,from_100m,,new,新建,2026,2026,false,40,project,target,0|0|10|25|40|50|60|70|80|90|95|100,新建40个,报告:3";

/// Loads a file of targets as `taizhang load` does; the refusal is the text that the terminal shows.
async fn load(server: &Server, lines: &[&str]) -> Result<Loaded, String> {
    let directory = tempfile::TempDir::new().unwrap();
    let text = format!("{HEADER}\n{}\n", lines.join("\n"));
    std::fs::write(directory.path().join("targets.csv"), text).unwrap();
    load_directory(server, directory.path()).await
}

async fn load_directory(server: &Server, directory: &Path) -> Result<Loaded, String> {
    let data = Catalogue::read(directory).map_err(|error| error.to_string())?;
    in_store(server, async move |db| {
        db.write(author(), async move |tx| catalogue::load(tx, &data).await)
            .await
            .map_err(|problem| problem.for_terminal())
    })
    .await
}

#[tokio::test]
async fn a_file_of_targets_makes_them_what_it_says_and_a_second_time_changes_nothing() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let changed = |loaded: Result<Loaded, String>| loaded.unwrap().reference;
    assert_eq!(changed(load(&server, &[GOOD]).await), 1);
    let made = manager.get("/v1/targets/t-1").await.expect(200);
    assert_eq!(made.at("/schedule/3"), &json!(25));
    assert_eq!(changed(load(&server, &[GOOD]).await), 0);
    assert_eq!(
        manager.get("/v1/targets/t-1").await.expect(200).body,
        made.body
    );
    let raised = GOOD.replace(",40,", ",50,");
    assert_eq!(changed(load(&server, &[&raised]).await), 1);
    let now = manager.get("/v1/targets/t-1").await.expect(200);
    assert_eq!(
        (now.str("/value"), now.etag()),
        ("50.00".to_owned(), "\"2\"".to_owned())
    );
    manager
        .delete("/v1/targets/t-1")
        .if_match("\"2\"")
        .send()
        .await
        .expect(204);
    assert_eq!(changed(load(&server, &[&raised]).await), 1);
    assert_eq!(
        manager.get("/v1/targets/t-1").await.expect(200).etag(),
        "\"3\""
    );
    let again = in_store(&server, async move |db| {
        let data = Catalogue::panjin().unwrap();
        let loaded = db.write(author(), async move |tx| catalogue::load(tx, &data).await);
        loaded.await.unwrap()
    });
    assert_eq!(again.await.reference, 0);
    assert_eq!(manager.all("/v1/targets?plan=十四五").await.len(), 37);
}

#[tokio::test]
async fn a_broken_file_of_targets_tells_where_and_what_and_changes_nothing() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let second = |from: &str, to: &str| GOOD.replace("t-1", "t-2").replace(from, to);
    for (line, expected) in [
        (
            second(",new,", ",happiness,"),
            ["\"line\":3", "happiness", "/metric"],
        ),
        (
            second(",211100,", ",219999,"),
            ["\"line\":3", "219999", "/region"],
        ),
        (
            second(",211100,,", ",211100,no-such,"),
            ["\"line\":3", "no-such", "/programme"],
        ),
        (
            second(",40,", ",-40,"),
            ["\"line\":3", "invalid_value", "/value"],
        ),
        (
            second(",2026,2026,", ",2026,2025,"),
            ["\"line\":3", "period_out_of_order", "/to_year"],
        ),
        (
            second("|95|", "|x|"),
            ["\"line\":3", "schedule_out_of_order", "/schedule"],
        ),
        (
            second("t-2", "t-1"),
            ["\"line\":3", "code_not_unique", "/code"],
        ),
        (
            second(",2026,2026,", ",二〇二六,2026,"),
            ["line: 3", "field 9", "targets.csv"],
        ),
        (
            second(",false,", ",maybe,"),
            ["line: 3", "field 11", "targets.csv"],
        ),
    ] {
        let told = load(&server, &[GOOD, &line]).await.unwrap_err();
        assert!(told.contains("targets.csv"), "{told}");
        for part in expected {
            assert!(told.contains(part), "{part} is not in: {told}");
        }
        manager.get("/v1/targets/t-1").await.expect(404);
    }
}
