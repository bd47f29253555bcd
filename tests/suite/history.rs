//! What was done to a project, by whom, with before and after.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::Server;
use crate::support::projects::{Office, Project, fields, obtained, step};

/// The history read page by page, as a client that follows `Link` does.
async fn paged(project: &Project, limit: usize) -> Vec<Value> {
    let mut path = project.path(&format!("/history?limit={limit}"));
    let mut all = Vec::new();
    loop {
        let page = project.office.officer.get(&path).await.expect(200);
        let items = page.at("/items").as_array().unwrap();
        assert!(items.len() <= limit);
        all.extend(items.iter().cloned());
        let Some(cursor) = page.at("/next_cursor").as_str() else {
            assert_eq!(page.header("link"), None);
            return all;
        };
        assert_eq!(items.len(), limit);
        let link = page.header("link").unwrap();
        let (address, rel) = link.split_once(';').unwrap();
        assert_eq!(rel.trim(), "rel=\"next\"");
        address.trim_matches(['<', '>']).clone_into(&mut path);
        assert!(path.contains(&format!("cursor={cursor}")), "{link}");
        assert!(path.contains(&format!("limit={limit}")), "{link}");
    }
}

fn ids(history: &[Value]) -> Vec<&str> {
    history
        .iter()
        .map(|event| event["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn every_estimate_of_the_amount_is_kept_with_what_it_was_before() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let amounts = [
        Value::Null,
        json!({ "floor": "5000000000.00" }),
        json!({ "exact": "8370000000.00" }),
        json!({ "exact": "8370000000.01" }),
        Value::Null,
    ];
    let members = json!({ "total_investment": amounts[0] });
    let project = office.register(&members).await;
    for amount in &amounts[1..] {
        let patch = json!({ "total_investment": amount });
        let told = project.amend(&patch).await.expect(200);
        assert_eq!(told.at("/total_investment"), amount);
    }
    let mut history = project.history().await;
    history.reverse();
    assert_eq!(history[0]["kind"], "registered");
    let kept: Vec<_> = history[1..]
        .iter()
        .map(|event| {
            assert_eq!(event["kind"], "amended");
            let side = |side: &str| event[side]["total_investment"].clone();
            (side("before"), side("after"))
        })
        .collect();
    let expected: Vec<_> = amounts
        .windows(2)
        .map(|pair| (pair[0].clone(), pair[1].clone()))
        .collect();
    assert_eq!(kept, expected);
}

#[tokio::test]
async fn an_amendment_that_changes_nothing_leaves_no_trace_and_one_that_does_tells_only_that() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({ "steward": "李管家" })).await;
    let before = project.trace().await;
    let same = json!({ "steward": "李管家" });
    project.amend(&same).await.expect(200);
    assert_eq!(project.trace().await, before);
    let other = json!({ "steward": "王管家", "unit": "dawa-drb" });
    project.amend(&other).await.expect(200);
    let event = &project.history().await[0];
    assert_eq!(event["before"], json!({ "steward": "李管家" }));
    assert_eq!(event["after"], json!({ "steward": "王管家" }));
    assert_eq!(event["version"], project.version().await);
}

#[tokio::test]
async fn saying_the_same_again_of_a_permit_or_a_plan_leaves_no_trace() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("attraction", &json!({})).await;
    let manager = &office.manager;
    let obtained = json!({ "status": "obtained", "document_number": "盘审〔2025〕1号",
        "issued_on": "2025-02-20", "authority": "盘锦市自然资源局" });
    let planned = json!({ "planned_investment": "1000000.00" });
    for (path, said) in [
        (project.path("/approvals/land_use"), obtained),
        (project.path("/plan-years/2024"), planned),
    ] {
        let first = manager.put(&path, &said).if_none().send().await.expect(201);
        let before = project.trace().await;
        let again = manager.put(&path, &said).if_match(&first.etag());
        let again = again.send().await.expect(200);
        assert_eq!((again.etag(), &again.body), (first.etag(), &first.body));
        assert_eq!(project.trace().await, before, "{path}");
    }
}

#[tokio::test]
async fn paging_through_the_history_gives_everything_once() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("construction", &json!({})).await;
    let whole = project.history().await;
    assert_eq!(whole.len(), 11);
    for limit in [1, 2, 3, 11, 12] {
        assert_eq!(paged(&project, limit).await, whole, "limit={limit}");
    }
    let distinct: BTreeSet<_> = ids(&whole).into_iter().collect();
    assert_eq!(distinct.len(), whole.len());
    let versions: Vec<_> = whole.iter().map(|e| e["version"].as_i64()).collect();
    assert!(versions.is_sorted_by(|newer, older| newer > older));

    let other = office.register(&json!({})).await;
    let first = project.path("/history?limit=2");
    let first = office.officer.get(&first).await.expect(200);
    let cursor = first.str("/next_cursor");
    let foreign = other.path(&format!("/history?cursor={cursor}"));
    let foreign = office.officer.get(&foreign).await.expect(422);
    assert_eq!(foreign.code(), "invalid_cursor");
    for wrong in ["limit=0", "limit=201", "limit=two", "pages=1"] {
        let path = project.path(&format!("/history?{wrong}"));
        office.officer.get(&path).await.expect(400);
    }
}

#[tokio::test]
async fn what_happens_between_two_pages_neither_repeats_nor_hides_anything() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("attraction", &json!({})).await;
    project.make_ready_to_start().await;
    let whole = project.history().await;
    let first = project.path("/history?limit=2");
    let first = office.officer.get(&first).await.expect(200);
    project.step(&step("construction")).await;
    let cursor = first.str("/next_cursor");
    let rest = project.path(&format!("/history?limit=200&cursor={cursor}"));
    let rest = office.officer.get(&rest).await.expect(200);
    let items = |reply: &crate::support::Reply| reply.at("/items").as_array().unwrap().clone();
    assert_eq!([items(&first), items(&rest)].concat(), whole);
}

#[tokio::test]
async fn every_change_names_who_made_it_and_in_which_request() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let made = office.officer.post("/v1/projects", &fields(&json!({})));
    let made = made.header("x-request-id", "r-register");
    let made = made.send().await.expect(201);
    assert_eq!(made.header("x-request-id"), Some("r-register"));
    let project = office.project(&made.str("/id"));
    let base = project.path("");

    let amend = office.officer.patch(&base, &json!({ "steward": "李管家" }));
    let amend = amend.if_match(&project.etag().await);
    let amend = amend.header("x-request-id", "r-amend");
    amend.send().await.expect(200);
    let permit = project.path("/approvals/land_use");
    let permit = office.officer.put(&permit, &obtained()).if_none();
    let permit = permit.header("x-request-id", "r-permit");
    permit.send().await.expect(201);
    let year = project.path("/plan-years/2025");
    let plan = office.manager.put(&year, &json!({})).if_none();
    let plan = plan.header("x-request-id", "r-plan").send().await;
    let plan = plan.expect(201);
    let unplan = office.manager.delete(&year).if_match(&plan.etag());
    let unplan = unplan.header("x-request-id", "r-unplan");
    unplan.send().await.expect(204);
    let step = office
        .officer
        .post(&project.path("/transitions"), &step("attraction"));
    let step = step.if_match(&project.etag().await);
    let step = step.header("x-request-id", "r-move");
    step.send().await.expect(201);
    let list = office
        .manager
        .get("/v1/lists/gas-storage")
        .await
        .expect(200);
    let member = format!("/v1/lists/gas-storage/projects/{}", project.id);
    let listed = office.manager.put(&member, &Value::Null);
    let listed = listed.if_match(&list.etag());
    let listed = listed.header("x-request-id", "r-list");
    listed.send().await.expect(204);

    let told: Vec<_> = project
        .history()
        .await
        .iter()
        .map(|event| {
            assert!(event["recorded_at"].is_string());
            let member = |name: &str| event[name].as_str().unwrap().to_owned();
            (member("kind"), member("actor"), member("request_id"))
        })
        .collect();
    let expected = [
        ("listed", "manager", "r-list"),
        ("moved", "officer", "r-move"),
        ("unplanned", "manager", "r-unplan"),
        ("planned", "manager", "r-plan"),
        ("approval_changed", "officer", "r-permit"),
        ("amended", "officer", "r-amend"),
        ("registered", "officer", "r-register"),
    ];
    let expected: Vec<_> = expected
        .iter()
        .map(|(kind, actor, request)| {
            (
                (*kind).to_owned(),
                (*actor).to_owned(),
                (*request).to_owned(),
            )
        })
        .collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_request_without_an_id_of_its_own_is_given_one_that_the_history_names() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    let moved = project.step(&step("attraction")).await;
    let event = &project.history().await[0];
    assert_eq!(moved.header("x-request-id"), event["request_id"].as_str());
}

#[tokio::test]
async fn a_move_is_kept_with_its_day_its_words_and_its_evidence() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("construction", &json!({})).await;
    let event = project.history().await.remove(0);
    assert_eq!(event["before"]["stage"], "attraction");
    assert_eq!(event["after"]["stage"], "construction");
    let done = &event["after"]["transition"];
    assert_eq!(done["to"], "construction");
    assert_eq!(done["occurred_on"], "2025-03-18");
    assert_eq!(done["evidence"]["description"], "第一根工程桩");
    project.correct().await;
    let event = project.history().await.remove(0);
    let done = &event["after"]["transition"];
    assert_eq!(done["note"], "录入有误");
    assert_eq!(done["occurred_on"], Value::Null);
    assert!(done["corrects"].is_string());
}

#[tokio::test]
async fn a_project_that_was_taken_over_says_so_at_the_beginning_of_its_history() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.find("马19储气库").await;
    let history = project.history().await;
    assert_eq!(history.last().unwrap()["kind"], "taken_over");
}
