//! What became of a summary: its parts add up to the difference, and each leads to its projects.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::library::{day, fen, fields, id, with};
use crate::support::projects::{self, Office};
use crate::support::{Client, Server};

/// Count, exact count and sum, floor count and sum, undetermined.
type Sums = [i128; 6];
/// A tier and a stage.
type Cell = (String, String);

/// An instant after all that is done, and before all that will be.
fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, true)
}

fn told(measures: &Value) -> Sums {
    if measures.is_null() {
        return Sums::default();
    }
    let count = |pointer: &str| i128::from(measures.pointer(pointer).unwrap().as_i64().unwrap());
    let sum = |pointer: &str| {
        let text = measures.pointer(pointer).unwrap().as_str().unwrap();
        match text.strip_prefix('-') {
            Some(below) => -fen(below),
            None => fen(text),
        }
    };
    [
        count("/count"),
        count("/exact/count"),
        sum("/exact/sum"),
        count("/floor/count"),
        sum("/floor/sum"),
        count("/undetermined"),
    ]
}

fn plus(a: Sums, b: Sums) -> Sums {
    std::array::from_fn(|place| a[place] + b[place])
}

fn less(a: Sums, b: Sums) -> Sums {
    std::array::from_fn(|place| a[place] - b[place])
}

fn cell(value: &Value) -> Option<Cell> {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    text("tier").zip(text("stage"))
}

/// What one project adds up to where it stood, or stands.
fn of_project(stood: &Value) -> Sums {
    if stood.is_null() {
        return Sums::default();
    }
    let amount = |name: &str| stood["total_investment"][name].as_str().map(fen);
    match (amount("exact"), amount("floor")) {
        (Some(exact), _) => [1, 1, exact, 0, 0, 0],
        (None, Some(floor)) => [1, 0, 0, 1, floor, 0],
        (None, None) => [1, 0, 0, 0, 0, 1],
    }
}

/// The summary of an instant: all together, and each cell.
async fn summary(client: &Client, filters: &str, at: &str) -> (Sums, BTreeMap<Cell, Sums>) {
    let path = format!("/v1/summary?group_by=tier,stage&as_of={at}{filters}");
    let summary = client.get(&path).await.expect(200);
    let cells = summary.at("/cells").as_array().unwrap().iter();
    let cells = cells.map(|one| (cell(one).unwrap(), told(one))).collect();
    (told(summary.at("/total")), cells)
}

/// Follows every link of a difference, and holds it against the summaries of both instants, together and by cell;
/// answers what became of each project.
async fn explained(
    client: &Client,
    filters: &str,
    (from, to): (&str, &str),
) -> BTreeMap<String, String> {
    let path = format!("/v1/summary/diff?from={from}&to={to}{filters}");
    let diff = client.get(&path).await.expect(200);
    let (before, cells_before) = summary(client, filters, from).await;
    let (after, cells_after) = summary(client, filters, to).await;
    assert_eq!(told(diff.at("/before")), before, "{path}");
    assert_eq!(told(diff.at("/after")), after, "{path}");
    assert_eq!(told(diff.at("/difference")), less(after, before), "{path}");
    let mut together = Sums::default();
    let mut cells: BTreeMap<Cell, Sums> = BTreeMap::new();
    let mut became = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for change in diff.at("/changes").as_array().unwrap() {
        let (was, is) = (told(&change["before"]), told(&change["after"]));
        assert_eq!(told(&change["difference"]), less(is, was), "{change}");
        together = plus(together, less(is, was));
        for (side, sums) in [("from", less(Sums::default(), was)), ("to", is)] {
            if let Some(cell) = cell(&change[side]) {
                let present = cells.entry(cell).or_default();
                *present = plus(*present, sums);
            }
        }
        let link = change["projects"].as_str().unwrap();
        let items = client.all(link).await;
        assert_eq!(change["count"], items.len(), "{link}");
        assert!(!items.is_empty(), "{link}");
        let sum_of = |side: &str| {
            let each = items.iter().map(|item| of_project(&item[side]));
            each.fold(Sums::default(), plus)
        };
        assert_eq!((sum_of("before"), sum_of("after")), (was, is), "{link}");
        for item in &items {
            assert_eq!(cell(&item["before"]), cell(&change["from"]), "{link}");
            assert_eq!(cell(&item["after"]), cell(&change["to"]), "{link}");
            assert!(seen.insert(item["id"].to_string()), "twice: {item}");
            let reason = change["reason"].as_str();
            let told = [change["change"].as_str(), reason].into_iter().flatten();
            let name = item["name"].as_str().unwrap().to_owned();
            became.insert(name, told.collect::<Vec<_>>().join(" "));
        }
    }
    assert_eq!(together, less(after, before), "{path}");
    cells.retain(|_, sums| *sums != Sums::default());
    let mut expected = BTreeMap::new();
    for cell in cells_before.keys().chain(cells_after.keys()) {
        let at = |cells: &BTreeMap<Cell, Sums>| cells.get(cell).copied().unwrap_or_default();
        let difference = less(at(&cells_after), at(&cells_before));
        if difference != Sums::default() {
            expected.insert(cell.clone(), difference);
        }
    }
    assert_eq!(cells, expected, "{path}");
    became
}

fn became(expected: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = |(name, what): &(&str, &str)| ((*name).to_owned(), (*what).to_owned());
    expected.iter().map(owned).collect()
}

async fn move_to(client: &Client, id: &str, to: &str) {
    let body = json!({ "to": to, "occurred_on": day(0), "note": "试验" });
    client.step(id, &body).await.expect(201);
}

fn exact(amount: &str) -> Value {
    json!({ "total_investment": { "exact": amount } })
}

/// A project of 大洼区 in 谋划 that may be moved on, of 2 亿元.
async fn made(office: &Office, name: &str, more: &Value) -> projects::Project {
    office.register(&with(json!({ "name": name }), more)).await
}

/// Projects to which something will happen, and what happens to them; answers the instants around it.
async fn happenings(office: &Office) -> (String, String) {
    let whole = made(office, "整体", &exact("9000000000.00")).await;
    let inside = json!({ "parent_id": whole.id });
    let apart = made(office, "独立", &inside).await;
    let withdrawn = made(office, "重入", &json!({})).await;
    move_to(&office.manager, &withdrawn.id, "withdrawn").await;
    let mut there = BTreeMap::new();
    for name in [
        "并入",
        "退库",
        "迁出",
        "推进",
        "增资",
        "推进增资",
        "微调",
        "改口径",
        "不明",
        "更名",
    ] {
        there.insert(name, made(office, name, &json!({})).await);
    }
    let elsewhere = json!({ "region": "211103", "unit": "xinglongtai-drb" });
    let arriving = made(office, "迁入", &elsewhere).await;
    let from = now();
    made(office, "新增", &exact("50000000.00")).await;
    apart.amend(&json!({ "parent_id": null })).await.expect(200);
    move_to(&office.manager, &withdrawn.id, "planning").await;
    there["并入"].amend(&inside).await.expect(200);
    move_to(&office.manager, &there["退库"].id, "withdrawn").await;
    there["迁出"].amend(&elsewhere).await.expect(200);
    let home = json!({ "region": "211104", "unit": "dawa-drb" });
    arriving.amend(&home).await.expect(200);
    there["推进"].go_on_to("attraction").await;
    there["增资"]
        .amend(&exact("2000000000.00"))
        .await
        .expect(200);
    there["推进增资"].go_on_to("attraction").await;
    let more = exact("20000000000.00");
    there["推进增资"].amend(&more).await.expect(200);
    there["微调"]
        .amend(&exact("300000000.01"))
        .await
        .expect(200);
    let floor = json!({ "total_investment": { "floor": "200000000.00" } });
    there["改口径"].amend(&floor).await.expect(200);
    let unknown = json!({ "total_investment": null });
    there["不明"].amend(&unknown).await.expect(200);
    let name = json!({ "name": "更名之后" });
    there["更名"].amend(&name).await.expect(200);
    let to = now();
    // Of what comes after, nothing is told.
    made(office, "后来", &json!({})).await;
    there["推进"]
        .amend(&exact("700000000.00"))
        .await
        .expect(200);
    (from, to)
}

const STAYED: [(&str, &str); 10] = [
    ("新增", "entered registered"),
    ("重入", "entered re_entered"),
    ("退库", "left withdrawn"),
    ("推进", "moved"),
    ("增资", "retiered"),
    ("推进增资", "moved_and_retiered"),
    ("微调", "amount"),
    ("改口径", "amount"),
    ("不明", "retiered"),
    ("独立", "entered counted"),
];

#[tokio::test]
async fn every_change_is_told_once_with_its_reason_and_they_add_up() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let (from, to) = happenings(&office).await;
    let span = (from.as_str(), to.as_str());
    let leader = server.sign_in("leader").await;
    let mut expected = became(&STAYED);
    expected.extend(became(&[("并入", "left not_counted")]));
    assert_eq!(explained(&leader, "", span).await, expected);
    let mut in_dawa = expected.clone();
    in_dawa.extend(became(&[
        ("迁出", "left reclassified"),
        ("迁入", "entered reclassified"),
    ]));
    let region = "&region=211104";
    assert_eq!(explained(&leader, region, span).await, in_dawa);
    // By part the whole gives way to its parts, which are then counted themselves.
    let by_part = explained(&leader, "&level=part", span).await;
    assert!(!by_part.contains_key("并入") && !by_part.contains_key("整体"));
    let planning = explained(&leader, "&stage=planning&tier=from_100m", span).await;
    assert_eq!(
        [&planning["推进"], &planning["增资"], &planning["重入"]],
        [
            "left reclassified",
            "left reclassified",
            "entered re_entered"
        ]
    );
    let withdrawn = explained(&leader, "&condition=withdrawn", span).await;
    let expected = [
        ("退库", "entered reclassified"),
        ("重入", "left reclassified"),
    ];
    assert_eq!(withdrawn, became(&expected));
    let active = explained(&leader, "&condition=active", span).await;
    assert_eq!(
        [&active["退库"], &active["重入"]],
        ["left withdrawn", "entered re_entered"]
    );
    for filters in [
        "&q=推进",
        "&unit=dawa-drb&list=null",
        "&min_investment=300000000",
        "&parent=null&level=part",
        "&list=gas-storage",
    ] {
        explained(&leader, filters, span).await;
    }
    // Each side of a project that stayed is told as it was then.
    let path = format!("/v1/summary/diff/projects?from={from}&to={to}&change=moved");
    let moved = leader.all(&path).await;
    assert_eq!(moved.len(), 1);
    assert_eq!(moved[0]["before"]["stage"], "planning");
    assert_eq!(moved[0]["after"]["stage"], "attraction");
    let amount = &moved[0]["after"]["total_investment"];
    assert_eq!(amount["exact"], "200000000.00");
}

#[tokio::test]
async fn the_changed_projects_come_by_pages_and_up_to_now() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let (from, _) = happenings(&office).await;
    let leader = server.sign_in("leader").await;
    let path = format!("/v1/summary/diff/projects?from={from}");
    let all = leader.all(&path).await;
    assert_eq!(all.len(), 12, "{all:?}");
    assert!(all.iter().any(|item| item["name"] == "后来"));
    let mut paged = Vec::new();
    let mut next = format!("{path}&limit=5");
    let (mut turns, first) = (0, next.clone());
    loop {
        let page = leader.get(&next).await.expect(200);
        paged.extend(page.at("/items").as_array().unwrap().iter().cloned());
        turns += 1;
        let Some(cursor) = page.at("/next_cursor").as_str() else {
            break;
        };
        next = format!("{first}&cursor={cursor}");
        let other = format!("{path}&change=left&cursor={cursor}");
        let refused = leader.get(&other).await.expect(422);
        assert_eq!(refused.code(), "invalid_cursor");
    }
    assert_eq!((turns, paged), (3, all));
}

#[tokio::test]
async fn on_a_list_a_project_changes_with_what_stands_above_it() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let manager = &office.manager;
    let whole = made(&office, "上级", &exact("9000000000.00")).await;
    let parts = json!({ "family_counting": "parts" });
    let cover = with(fields("封面", "211104"), &parts);
    let cover = id(&manager.register(&cover).await);
    let part = made(&office, "下级", &json!({ "parent_id": whole.id })).await;
    made(&office, "子项", &json!({ "parent_id": cover })).await;
    let list = "gas-storage";
    manager.on_list(list, &part.id, true).await.expect(204);
    let from = now();
    manager.on_list(list, &whole.id, true).await.expect(204);
    manager.on_list(list, &cover, true).await.expect(204);
    let middle = now();
    manager.on_list(list, &whole.id, false).await.expect(204);
    manager.on_list(list, &part.id, false).await.expect(204);
    let separate = json!({ "family_counting": "separate" });
    whole.amend(&separate).await.expect(200);
    let to = now();
    let filters = "&list=gas-storage";
    let first = explained(manager, filters, (&from, &middle)).await;
    let expected = [
        ("上级", "entered counted"),
        ("下级", "left not_counted"),
        ("子项", "entered counted"),
    ];
    assert_eq!(first, became(&expected));
    let second = explained(manager, filters, (&middle, &to)).await;
    assert_eq!(second, became(&[("上级", "left not_counted")]));
    let both = explained(manager, filters, (&from, &to)).await;
    let expected = [("下级", "left not_counted"), ("子项", "entered counted")];
    assert_eq!(both, became(&expected));
    for more in ["&list=panjin-port", "&level=part", "&region=211104"] {
        let filters = format!("{filters}{more}");
        explained(manager, &filters, (&from, &to)).await;
    }
}

#[tokio::test]
async fn a_region_that_lies_elsewhere_takes_its_projects_along() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let admin = server.sign_in("admin").await;
    let path = "/v1/regions/211191";
    let lies_in =
        |parent: &str| json!({ "name": "试验区", "kind": "zone", "parent": parent, "aliases": [] });
    let zone = admin.put(path, &lies_in("211104")).if_none().send().await;
    let tag = zone.expect(201).etag();
    office.manager.register(&fields("随迁", "211191")).await;
    let from = now();
    let zone = admin.put(path, &lies_in("211103")).if_match(&tag);
    let tag = zone.send().await.expect(200).etag();
    let to = now();
    let leader = server.sign_in("leader").await;
    let span = (from.as_str(), to.as_str());
    let left = explained(&leader, "&region=211104", span).await;
    assert_eq!(left, became(&[("随迁", "left reclassified")]));
    let entered = explained(&leader, "&region=211103", span).await;
    assert_eq!(entered, became(&[("随迁", "entered reclassified")]));
    for filters in ["", "&region=211100", "&region_exact=211191"] {
        assert!(explained(&leader, filters, span).await.is_empty());
    }
    // What came back has not changed.
    let back = admin.put(path, &lies_in("211104")).if_match(&tag);
    back.send().await.expect(200);
    let later = now();
    let span = (from.as_str(), later.as_str());
    assert!(explained(&leader, "&region=211104", span).await.is_empty());
}

#[tokio::test]
async fn an_officer_of_a_district_is_told_of_his_district_only() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let elsewhere = json!({ "region": "211103", "unit": "xinglongtai-drb" });
    let going = made(&office, "离开", &json!({})).await;
    let coming = made(&office, "到来", &elsewhere).await;
    let stranger = made(&office, "界外", &elsewhere).await;
    let from = now();
    made(&office, "区内", &json!({})).await;
    made(&office, "界外新增", &elsewhere).await;
    stranger.amend(&exact("7000000000.00")).await.expect(200);
    going.amend(&elsewhere).await.expect(200);
    let renamed = json!({ "name": "离开之后" });
    going.amend(&renamed).await.expect(200);
    move_to(&office.manager, &going.id, "withdrawn").await;
    let home = json!({ "region": "211104", "unit": "dawa-drb" });
    coming.amend(&home).await.expect(200);
    let to = now();
    let dawa = server.sign_in("officer.dawa").await;
    // That it was withdrawn where he does not see it, and what it is called there, is not told.
    let expected = became(&[
        ("离开", "left reclassified"),
        ("到来", "entered reclassified"),
        ("区内", "entered registered"),
    ]);
    for filters in ["", "&region=211100", "&region=211104"] {
        let told = explained(&dawa, filters, (&from, &to)).await;
        assert_eq!(told, expected, "{filters}");
    }
    let path = format!("/v1/summary/diff?from={from}&to={to}");
    let told = dawa.get(&path).await.expect(200);
    assert_eq!(told.str("/covers"), "visible");
    let nothing = format!("{path}&region=211103");
    let told = dawa.get(&nothing).await.expect(200);
    assert_eq!(told.at("/changes").as_array().unwrap().len(), 0);
    let leader = server.sign_in("leader").await;
    let theirs = leader.get(&path).await.expect(200);
    assert_eq!(theirs.str("/covers"), "all");
}

#[tokio::test]
async fn a_difference_that_is_known_is_told_again_only_when_something_changed() {
    let server = Server::demo().await;
    let (manager, leader) = (
        server.sign_in("manager").await,
        server.sign_in("leader").await,
    );
    let path = format!("/v1/summary/diff?from={}&region=211104&level=part", now());
    let first = leader.get(&path).await.expect(200);
    assert_eq!(first.at("/filters"), &json!({ "region": ["211104"] }));
    assert_eq!(first.str("/level"), "part");
    assert_eq!(first.str("/counting"), "portfolio");
    let ask = || {
        let request = leader.request(reqwest::Method::GET, &path);
        request.header("if-none-match", &first.etag())
    };
    ask().send().await.expect(304);
    manager.register(&fields("改变", "211104")).await;
    let second = ask().send().await.expect(200);
    assert_eq!(second.at("/difference/count"), 1);
    assert_eq!(second.at("/difference/undetermined"), 1);
}

#[tokio::test]
async fn what_can_not_be_compared_is_refused() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let (begun, yesterday, tomorrow) = (now(), day(-1), day(1));
    let today = day(0);
    for (query, status, parameter, code) in [
        (String::new(), 400, "from", "missing_parameter"),
        (format!("to={begun}"), 400, "from", "missing_parameter"),
        ("from=yesterday".to_owned(), 400, "from", "invalid_instant"),
        (
            format!("from={begun}&to=soon"),
            400,
            "to",
            "invalid_instant",
        ),
        (
            format!("from={begun}&as_of={begun}"),
            400,
            "as_of",
            "unknown_parameter",
        ),
        (
            format!("from={begun}&group_by=tier"),
            400,
            "group_by",
            "unknown_parameter",
        ),
        (
            format!("from={begun}&level=deep"),
            400,
            "level",
            "unknown_code",
        ),
        (
            format!("from={begun}&to={begun}"),
            422,
            "to",
            "span_out_of_order",
        ),
        (format!("from={today}"), 422, "to", "span_out_of_order"),
        (format!("from={tomorrow}"), 422, "from", "as_of_in_future"),
        (
            format!("from={begun}&to={tomorrow}"),
            422,
            "to",
            "as_of_in_future",
        ),
        ("from=1948-12-31".to_owned(), 422, "from", "as_of_too_early"),
        (
            format!("from={yesterday}"),
            422,
            "from",
            "as_of_before_library",
        ),
        (
            format!("from={begun}&region=999999"),
            422,
            "region",
            "unknown_region",
        ),
    ] {
        for path in ["/v1/summary/diff", "/v1/summary/diff/projects"] {
            let refused = leader.get(&format!("{path}?{query}")).await.expect(status);
            assert_eq!(refused.error_codes(), [code], "{query}");
            assert_eq!(refused.str("/errors/0/parameter"), parameter, "{query}");
        }
    }
    for (name, value) in [
        ("change", "grown"),
        ("reason", "because"),
        ("to_tier", "huge"),
    ] {
        let path = format!("/v1/summary/diff/projects?from={begun}&{name}={value}");
        let refused = leader.get(&path).await.expect(400);
        assert_eq!(refused.error_codes(), ["unknown_code"], "{name}");
        assert_eq!(refused.str("/errors/0/parameter"), name);
    }
}
