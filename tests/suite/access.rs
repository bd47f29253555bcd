//! Who sees what and who may do what.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::library::{NOBODY, day, fields, id, with};
use crate::support::{Client, Reply, Server};

fn ids(projects: &[Value]) -> BTreeSet<String> {
    let ids = projects
        .iter()
        .map(|p| p["id"].as_str().unwrap().to_owned());
    ids.collect()
}

/// Projects in and out of 大洼区, among them families across the border.
async fn across_the_border(server: &Server) -> Vec<Value> {
    let officer = server.sign_in("officer").await;
    let coded = |code: &str| json!({ "code": code });
    let whole = with(
        fields("界外整体", "211100"),
        &coded("2101-211100-04-01-000001"),
    );
    let whole = officer.register(&whole).await;
    let inside = json!({ "parent_id": whole.at("/id"), "code": "2101-211104-04-01-000002" });
    let part = with(fields("界内子项", "211104"), &inside);
    let part = officer.register(&part).await;
    let below = json!({ "parent_id": part.at("/id") });
    officer
        .register(&with(fields("界外孙项", "211103"), &below))
        .await;
    officer.register(&fields("界内独立", "211104")).await;
    officer.all("/v1/projects").await
}

#[tokio::test]
async fn an_officer_of_a_district_lists_only_its_projects_however_asked() {
    let server = Server::demo().await;
    let all = across_the_border(&server).await;
    let dawa = server.sign_in("officer.dawa").await;
    let visible: Vec<Value> = all
        .iter()
        .filter(|p| p["region"] == "211104")
        .cloned()
        .collect();
    assert_eq!(visible.len(), 10);
    let visible = ids(&visible);
    let mut everything = vec![
        "region=211100".to_owned(),
        "with_total=true".to_owned(),
        "region=211100&region=211103&region=211104".to_owned(),
        "condition=active&stage=planning&stage=attraction&stage=construction&stage=completion"
            .to_owned(),
    ];
    for key in ["updated_at", "created_at", "name", "total_investment"] {
        everything.extend([format!("sort={key}"), format!("sort=-{key}")]);
    }
    for query in everything {
        let seen = dawa.all(&format!("/v1/projects?{query}")).await;
        assert_eq!(ids(&seen), visible, "{query}");
        assert_eq!(seen.len(), visible.len(), "{query}");
    }
    let counted = dawa
        .get("/v1/projects?with_total=true&limit=1&sort=name")
        .await
        .expect(200);
    assert_eq!(counted.at("/total"), visible.len());
    for query in [
        "region=211103",
        "region_exact=211100",
        "q=盘锦港",
        "q=界外",
        "q=2101-211100-04-01-000001",
        "list=huajin-aramco",
        "counting=list:panjin-port",
        "list=gas-storage&sort=name",
        "unit=xinglongtai-drb",
    ] {
        let seen = dawa.all(&format!("/v1/projects?{query}")).await;
        assert!(seen.is_empty(), "{query}: {seen:?}");
        let summary = query
            .replace("counting=list:", "list=")
            .replace("&sort=name", "");
        let summary = dawa
            .get(&format!("/v1/summary?{summary}"))
            .await
            .expect(200);
        assert_eq!(summary.at("/total/count"), 0, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_of_somebody_else_opens_nothing() {
    let server = Server::demo().await;
    across_the_border(&server).await;
    let leader = server.sign_in("leader").await;
    let dawa = server.sign_in("officer.dawa").await;
    for sort in ["name", "-updated_at", "total_investment"] {
        let page = format!("/v1/projects?sort={sort}&limit=20");
        let mut next = page.clone();
        loop {
            let theirs = leader.get(&next).await.expect(200);
            let Some(cursor) = theirs.at("/next_cursor").as_str() else {
                break;
            };
            next = format!("{page}&cursor={cursor}");
            let mine = dawa.get(&next).await.expect(200);
            for project in mine.at("/items").as_array().unwrap() {
                assert_eq!(project["region"], "211104");
            }
        }
    }
}

/// An answer but for what names the request.
fn told(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    let members = body.as_object_mut().unwrap();
    members.remove("instance");
    members.remove("request_id");
    body
}

#[tokio::test]
async fn a_project_out_of_scope_is_as_absent_as_one_that_is_not_there() {
    let server = Server::demo().await;
    let all = across_the_border(&server).await;
    let dawa = server.sign_in("officer.dawa").await;
    let outside: Vec<&Value> = all.iter().filter(|p| p["region"] != "211104").collect();
    let paths = [
        "",
        "/history",
        "/transitions",
        "/approvals",
        "/approvals/construction_permit",
        "/plan-years",
        "/plan-years/2025",
    ];
    let mut absent = Vec::new();
    for path in paths {
        let reply = dawa.get(&format!("/v1/projects/{NOBODY}{path}")).await;
        absent.push(told(&reply.expect(404)));
    }
    // Every eleventh, and those at the border.
    let picked = outside
        .iter()
        .enumerate()
        .filter(|(n, p)| n % 11 == 0 || p["name"].as_str().unwrap().starts_with("界外"));
    for (_, project) in picked {
        let root = format!("/v1/projects/{}", project["id"].as_str().unwrap());
        for (path, absent) in paths.iter().zip(&absent) {
            let reply = dawa.get(&format!("{root}{path}")).await.expect(404);
            assert_eq!(&told(&reply), absent, "{path}");
        }
        let amend = dawa.patch(&root, &json!({ "note": "x" }));
        amend.if_match("\"1\"").send().await.expect(404);
        let step = json!({ "to": "attraction", "occurred_on": day(0) });
        let step = dawa.post(&format!("{root}/transitions"), &step);
        step.if_match("\"1\"").send().await.expect(404);
        let permit = dawa.put(
            &format!("{root}/approvals/land_use"),
            &json!({ "status": "pending" }),
        );
        permit.if_none().send().await.expect(404);
        // Nor can it be told apart as a parent.
        let mut refused = Vec::new();
        for parent in [project["id"].as_str().unwrap(), NOBODY] {
            let body = with(fields("试探", "211104"), &json!({ "parent_id": parent }));
            let reply = dawa.post("/v1/projects", &body).send().await;
            refused.push(told(&reply.expect(422)));
        }
        assert_eq!(refused[0], refused[1]);
    }
    let known = "/v1/projects/by-code/2101-211100-04-01-000001";
    let unknown = "/v1/projects/by-code/2101-211100-04-01-999999";
    let known = dawa.get(known).await.expect(404);
    assert_eq!(told(&known), told(&dawa.get(unknown).await.expect(404)));
    let mine = "/v1/projects/by-code/2101-211104-04-01-000002";
    dawa.get(mine).await.expect(200);
}

#[tokio::test]
async fn of_an_ancestor_out_of_scope_name_code_and_stage_are_told_and_no_more() {
    let server = Server::demo().await;
    let all = across_the_border(&server).await;
    let dawa = server.sign_in("officer.dawa").await;
    let named = |name: &str| all.iter().find(|p| p["name"] == name).unwrap();
    let (whole, part) = (named("界外整体"), named("界内子项"));
    let path = format!("/v1/projects/{}", part["id"].as_str().unwrap());
    let seen = dawa.get(&path).await.expect(200);
    let expected = json!([{
        "id": whole["id"], "name": "界外整体", "code": "2101-211100-04-01-000001",
        "stage": "planning",
    }]);
    assert_eq!(seen.at("/ancestors"), &expected);
    // What is below, and out of scope, is not told at all.
    assert!(!seen.text.contains("界外孙项"));
    let history = dawa.get(&format!("{path}/history")).await.expect(200);
    assert!(!history.text.contains("界外孙项"));
    let listed = dawa.named("界内子项").await;
    assert_eq!(listed["parent_id"], whole["id"]);
    assert!(listed.get("ancestors").is_none());
}

#[tokio::test]
async fn an_officer_of_a_district_writes_only_there() {
    let server = Server::demo().await;
    let dawa = server.sign_in("officer.dawa").await;
    let mine = dawa.register(&fields("本区", "211104")).await;
    let body = fields("外区", "211103");
    let refused = dawa.post("/v1/projects", &body).send().await.expect(403);
    assert_eq!(refused.code(), "forbidden");
    let away = dawa.amend(&id(&mine), &json!({ "region": "211103" })).await;
    away.expect(403);
    let by_code = "/v1/projects/by-code/2101-211103-04-01-000009";
    let made = dawa.put(by_code, &body).if_none().send().await;
    made.expect(403);
    let still = dawa.get(&format!("/v1/projects/{}", id(&mine))).await;
    assert_eq!(still.expect(200).str("/region"), "211104");
}

/// Every change of a project that there is.
fn changes(client: &Client, project: &str) -> Vec<(String, crate::support::Request)> {
    let root = format!("/v1/projects/{project}");
    let by_code = "/v1/projects/by-code/2101-211100-04-01-777777";
    let list = format!("/v1/lists/gas-storage/projects/{project}");
    let whole = fields("改动", "211100");
    let requests = [
        client.post("/v1/projects", &whole),
        client.put(by_code, &whole).if_none(),
        client
            .patch(&root, &json!({ "note": "x" }))
            .if_match("\"1\""),
        client
            .post(
                &format!("{root}/transitions"),
                &json!({ "to": "withdrawn", "occurred_on": day(0), "note": "x" }),
            )
            .if_match("\"1\""),
        client
            .put(
                &format!("{root}/approvals/land_use"),
                &json!({ "status": "pending" }),
            )
            .if_none(),
        client
            .put(&format!("{root}/plan-years/2025"), &json!({}))
            .if_none(),
        client
            .delete(&format!("{root}/plan-years/2025"))
            .if_match("\"1\""),
        client.request(Method::PUT, &list).if_match("\"2\""),
        client.delete(&list).if_match("\"2\""),
    ];
    (0..)
        .zip(requests)
        .map(|(number, request): (usize, _)| (format!("change {number}"), request))
        .collect()
}

/// Every change of reference data that there is.
fn reference_changes(client: &Client) -> Vec<crate::support::Request> {
    let mut requests = Vec::new();
    let region = json!({ "name": "新区", "kind": "zone", "parent": "211100" });
    let unit = json!({ "name": "新单位", "region": "211100" });
    let sector = json!({ "name": "新行业", "approval_profile": "general" });
    for (kind, code, body) in [
        ("regions", "211100-new", region),
        ("units", "new", unit),
        ("programmes", "new", json!({ "name": "新工程" })),
        ("sectors", "new", sector),
        ("chains", "new", json!({ "name": "新产业链" })),
        ("lists", "new", json!({ "name": "新清单" })),
    ] {
        let path = format!("/v1/{kind}/{code}");
        requests.push(client.put(&path, &body).if_none());
        requests.push(client.delete(&path).if_match("\"1\""));
    }
    let rules = json!({ "rules": [{ "applies_to": "port", "items": ["sea_use"] }] });
    let rules = client.put("/v1/stage-rules/approvals", &rules);
    requests.push(rules.if_match("\"1\""));
    requests
}

#[tokio::test]
async fn a_leader_reads_and_changes_nothing() {
    let server = Server::demo().await;
    let leader = server.sign_in("leader").await;
    let before = leader.all("/v1/projects").await;
    let one = leader.named("盘锦港").await;
    let one = one["id"].as_str().unwrap();
    for (what, request) in changes(&leader, one) {
        let reply = request.send().await;
        assert_eq!(reply.status, 403, "{what}: {}", reply.text);
    }
    for request in reference_changes(&leader) {
        request.send().await.expect(403);
    }
    assert_eq!(leader.all("/v1/projects").await, before);
    let offers = leader
        .get(&format!("/v1/projects/{one}/transitions"))
        .await
        .expect(200);
    for offer in offers.at("/moves").as_array().unwrap() {
        assert_eq!(offer["possible"], false);
    }
}

#[tokio::test]
async fn an_administrator_keeps_reference_data_and_sees_no_projects() {
    let server = Server::demo().await;
    let admin = server.sign_in("admin").await;
    let one = server.sign_in("leader").await.named("盘锦港").await;
    let one = one["id"].as_str().unwrap();
    for path in [
        "/v1/projects".to_owned(),
        "/v1/summary".to_owned(),
        format!("/v1/projects/{one}"),
        format!("/v1/projects/{one}/history"),
        format!("/v1/projects/{one}/transitions"),
        format!("/v1/projects/{one}/approvals"),
        format!("/v1/projects/{one}/plan-years"),
        "/v1/projects/by-code/2101-211100-04-01-123456".to_owned(),
    ] {
        let reply = admin.get(&path).await.expect(403);
        assert_eq!(reply.code(), "forbidden", "{path}");
    }
    for (what, request) in changes(&admin, one) {
        let reply = request.send().await;
        assert_eq!(reply.status, 403, "{what}: {}", reply.text);
    }
    for path in [
        "regions",
        "units",
        "programmes",
        "sectors",
        "chains",
        "lists",
        "stage-rules",
    ] {
        admin.get(&format!("/v1/{path}")).await.expect(200);
    }
}

#[tokio::test]
async fn officers_and_managers_do_not_touch_reference_data_and_officers_do_not_manage() {
    let server = Server::demo().await;
    for username in ["officer", "manager", "officer.dawa"] {
        let client = server.sign_in(username).await;
        for request in reference_changes(&client) {
            let reply = request.send().await;
            assert_eq!(reply.status, 403, "{username}: {}", reply.text);
        }
    }
    let officer = server.sign_in("officer").await;
    let made = officer.register(&fields("专员的", "211100")).await;
    let root = format!("/v1/projects/{}", id(&made));
    let plan = officer.put(&format!("{root}/plan-years/2025"), &json!({}));
    plan.if_none().send().await.expect(403);
    let waived = json!({ "status": "waived", "reason": "不涉及" });
    let waived = officer.put(&format!("{root}/approvals/sea_use"), &waived);
    waived.if_none().send().await.expect(403);
    officer
        .on_list("gas-storage", &id(&made), true)
        .await
        .expect(403);
    for to in ["suspended", "withdrawn", "corrected"] {
        let body = json!({ "to": to, "note": "x" });
        let refused = officer.step(&id(&made), &body).await.expect(403);
        assert_eq!(refused.code(), "needs_manager");
    }
}
