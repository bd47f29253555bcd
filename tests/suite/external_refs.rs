//! Other offices' systems: their keys of projects, making and amending by them, and many at once.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use taizhang::auth::Role;
use taizhang::store::account::grant::Wanted;
use taizhang::store::rollup;

use crate::support::library::{add_account_with, fields, id, in_store, with};
use crate::support::projects::{Office, new_code};
use crate::support::{Client, Reply, Server};

fn item(key: &str, version: Option<i64>, fields: &Value) -> Value {
    json!({ "external_ref": { "system": "oa", "key": key }, "version": version, "fields": fields })
}

fn worth(amount: &str) -> Value {
    json!({ "total_investment": { "exact": amount } })
}

async fn batch(client: &Client, mode: &str, items: &[Value]) -> Reply {
    let body = json!({ "mode": mode, "items": items });
    client.post("/v1/batches/projects", &body).send().await
}

/// How many were created, changed, unchanged and refused.
fn counts(reply: &Reply) -> [i64; 4] {
    ["created", "changed", "unchanged", "refused"]
        .map(|name| reply.at(&format!("/{name}")).as_i64().unwrap())
}

/// Every sum is what the library adds up to.
async fn hold_sums(server: &Server) {
    let proof = in_store(server, async |db| rollup::verify(&db).await.unwrap()).await;
    assert_eq!(proof.differences, []);
}

/// How many projects there are.
async fn total(client: &Client) -> i64 {
    let page = client.get("/v1/projects?limit=1&with_total=true").await;
    page.expect(200).at("/total").as_i64().unwrap()
}

#[tokio::test]
async fn a_project_is_made_amended_and_found_by_another_systems_key() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let officer = &office.officer;
    let path = "/v1/external-refs/oa/XM-2025%2F42";
    assert_eq!(officer.get(path).await.status, 404);
    let made = officer
        .put(path, &fields("港口一期", "211104"))
        .if_none()
        .send()
        .await
        .expect(201);
    assert_eq!(
        made.header("location").unwrap(),
        format!("/v1/projects/{}", id(&made))
    );
    let found = officer.get(path).await.expect(200);
    assert_eq!((id(&found), found.etag()), (id(&made), made.etag()));
    let refs = officer
        .get(&format!("/v1/projects/{}/external-refs", id(&made)))
        .await
        .expect(200);
    assert_eq!(refs.at("/items/0/system"), "oa");
    assert_eq!(refs.at("/items/0/key"), "XM-2025/42");

    // Once more it is there already; a stale version changes nothing.
    let again = officer
        .put(path, &fields("港口一期", "211104"))
        .if_none()
        .send()
        .await;
    assert_eq!(again.expect(412).code(), "exists");
    let amended = officer
        .put(path, &json!({ "name": "港口二期" }))
        .if_match(&made.etag())
        .send()
        .await;
    assert_eq!(amended.expect(200).str("/name"), "港口二期");
    let stale = officer
        .put(path, &json!({ "name": "港口三期" }))
        .if_match(&made.etag())
        .send()
        .await;
    assert_eq!(stale.expect(412).code(), "stale_version");
    let history = officer
        .get(&format!("/v1/projects/{}/history", id(&made)))
        .await
        .expect(200);
    let kinds: Vec<&Value> = history
        .at("/items")
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["kind"])
        .collect();
    assert_eq!(kinds, ["amended", "linked", "registered"]);
    hold_sums(&server).await;
}

#[tokio::test]
async fn a_key_names_one_project_and_a_system_has_one_key_for_it() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let (one, other) = (
        office.register(&json!({})).await,
        office.register(&json!({})).await,
    );
    let link = async |id: &str, system: &str, key: &str| {
        let tag = office
            .officer
            .get(&format!("/v1/projects/{id}"))
            .await
            .expect(200)
            .etag();
        let path = format!("/v1/projects/{id}/external-refs/{system}");
        office
            .officer
            .put(&path, &json!({ "key": key }))
            .if_match(&tag)
            .send()
            .await
    };
    let first = link(&one.id, "oa", "1").await.expect(200);
    let taken = link(&other.id, "oa", "1").await.expect(409);
    assert_eq!(taken.code(), "key_taken");
    // Said twice it changes nothing; another key takes the place of the first.
    assert_eq!(
        link(&one.id, "oa", "1").await.expect(200).etag(),
        first.etag()
    );
    link(&one.id, "oa", "2").await.expect(200);
    link(&one.id, "approvals", "1").await.expect(200);
    link(&other.id, "oa", "1").await.expect(200);
    let keys = async |id: &str| {
        let all = office
            .officer
            .get(&format!("/v1/projects/{id}/external-refs"))
            .await
            .expect(200);
        let all = all.at("/items").as_array().unwrap().clone();
        let told = |of: &Value| {
            (
                of["system"].as_str().unwrap().to_owned(),
                of["key"].as_str().unwrap().to_owned(),
            )
        };
        all.iter().map(told).collect::<BTreeSet<_>>()
    };
    let pair = |system: &str, key: &str| (system.to_owned(), key.to_owned());
    assert_eq!(
        keys(&one.id).await,
        [pair("oa", "2"), pair("approvals", "1")].into()
    );
    assert_eq!(keys(&other.id).await, [pair("oa", "1")].into());
    // Taken off, it is free.
    let project = format!("/v1/projects/{}", other.id);
    let tag = office.officer.get(&project).await.expect(200).etag();
    let gone = office
        .officer
        .delete(&format!("{project}/external-refs/oa"))
        .if_match(&tag)
        .send()
        .await
        .expect(204);
    assert_eq!(
        gone.etag(),
        office.officer.get(&project).await.expect(200).etag()
    );
    assert_eq!(
        office.officer.get("/v1/external-refs/oa/1").await.status,
        404
    );
    let again = office
        .officer
        .delete(&format!("{project}/external-refs/oa"))
        .if_match(&gone.etag())
        .send()
        .await;
    again.expect(404);
    for (system, key, pointer) in [
        ("oa", "", "/key"),
        ("oa", " 1", "/key"),
        ("oa", "1\u{200b}", "/key"),
    ] {
        let reply = link(&one.id, system, key).await.expect(422);
        assert_eq!(reply.pointers(), [pointer], "{key:?}");
    }
}

#[tokio::test]
async fn a_batch_makes_amends_and_leaves_what_stands() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let officer = &office.officer;
    let code = new_code();
    let coded = office.register(&json!({ "code": code })).await;
    let coded_version = coded.read().await.at("/version").as_i64().unwrap();
    let items = [
        item("1", None, &fields("甲", "211104")),
        item(
            "2",
            None,
            &with(fields("乙", "211104"), &worth("6000000.00")),
        ),
        // Known by its code, and not linked yet.
        item(
            "3",
            Some(coded_version),
            &with(
                json!({ "code": code, "name": "丙" }),
                &worth("120000000.00"),
            ),
        ),
    ];
    let before = total(officer).await;
    let first = batch(officer, "atomic", &items).await.expect(200);
    assert_eq!(counts(&first), [2, 1, 0, 0]);
    assert_eq!(total(officer).await, before + 2);
    assert_eq!(
        id(&officer.get("/v1/external-refs/oa/3").await.expect(200)),
        coded.id
    );
    // Sent again it changes nothing, whatever versions it names.
    let second = batch(officer, "atomic", &items).await.expect(200);
    assert_eq!(counts(&second), [0, 0, 3, 0]);
    let versions = |reply: &Reply| {
        let items = reply.at("/items").as_array().unwrap();
        items
            .iter()
            .map(|item| item["version"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(versions(&second), versions(&first));
    // A change needs the version that stands.
    let one = versions(&first)[0];
    let renamed = json!({ "name": "甲二" });
    let blind = batch(officer, "partial", &[item("1", None, &renamed)])
        .await
        .expect(200);
    assert_eq!(counts(&blind), [0, 0, 0, 1]);
    assert_eq!(blind.at("/items/0/problem/code"), "precondition_required");
    let stale = batch(officer, "partial", &[item("1", Some(one + 7), &renamed)])
        .await
        .expect(200);
    assert_eq!(stale.at("/items/0/problem/code"), "stale_version");
    let seen = batch(officer, "partial", &[item("1", Some(one), &renamed)])
        .await
        .expect(200);
    assert_eq!(counts(&seen), [0, 1, 0, 0]);
    assert_eq!(seen.at("/items/0/version"), one + 1);
    hold_sums(&server).await;
}

#[tokio::test]
async fn an_atomic_batch_with_a_fault_does_nothing_and_says_everything() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let officer = &office.officer;
    let before = total(officer).await;
    let amount = with(
        fields("丁", "211104"),
        &json!({ "total_investment": { "exact": "x" } }),
    );
    let items = [
        item("1", None, &fields("甲", "211104")),
        item("2", None, &json!({ "name": "乙", "region": "211104" })),
        item("3", None, &fields("丙", "999999")),
        item("4", None, &amount),
        item(" 5", None, &fields("戊", "211104")),
        json!({ "fields": fields("己", "211104") }),
        // Nobody else takes the key meanwhile, but the batch itself has.
        item("1", None, &fields("庚", "211104")),
    ];
    let refused = batch(officer, "atomic", &items).await.expect(422);
    assert_eq!(refused.code(), "batch_refused");
    let pointers: BTreeSet<String> = refused.pointers().into_iter().collect();
    let expected = [
        "/items/1/fields/unit",
        "/items/1/fields/sector",
        "/items/2/fields/region",
        "/items/3/fields/total_investment/exact",
        "/items/4/external_ref/key",
        "/items/5",
        "/items/6",
    ];
    assert_eq!(
        pointers,
        expected.map(str::to_owned).into(),
        "{}",
        refused.text
    );
    assert_eq!(total(officer).await, before);
    // By themselves, those that are right are done.
    let partial = batch(officer, "partial", &items).await.expect(200);
    assert_eq!(counts(&partial), [1, 0, 0, 6]);
    let english = officer
        .post(
            "/v1/batches/projects",
            &json!({ "mode": "partial", "items": [items[5]] }),
        )
        .english()
        .send()
        .await
        .expect(200);
    assert_eq!(english.at("/items/0/problem/errors/0/code"), "key_missing");
    assert!(
        english
            .str("/items/0/problem/errors/0/detail")
            .starts_with("It needs")
    );
    assert_eq!(total(officer).await, before + 1);
    hold_sums(&server).await;
}

#[tokio::test]
async fn a_batch_of_a_thousand_is_taken_and_one_more_is_not() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let many = |count: usize| -> Vec<Value> {
        let item = |n: usize| item(&n.to_string(), None, &fields(&format!("项目{n}"), "211104"));
        (0..count).map(item).collect()
    };
    let refused = batch(&office.officer, "atomic", &many(1001))
        .await
        .expect(422);
    assert_eq!(refused.pointers(), ["/items"]);
    batch(&office.officer, "atomic", &[]).await.expect(422);
    let done = batch(&office.officer, "atomic", &many(1000))
        .await
        .expect(200);
    assert_eq!(counts(&done), [1000, 0, 0, 0]);
    let again = batch(&office.officer, "partial", &many(1000))
        .await
        .expect(200);
    assert_eq!(counts(&again), [0, 0, 1000, 0]);
    hold_sums(&server).await;
}

#[tokio::test]
async fn nobody_learns_of_or_touches_another_districts_projects_by_their_keys() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let dawa = server.sign_in("officer.dawa").await;
    let path = "/v1/external-refs/oa/1";
    let body = with(fields("兴隆台", "211103"), &json!({ "unit": "panjin-drc" }));
    let made = office
        .officer
        .put(path, &body)
        .if_none()
        .send()
        .await
        .expect(201);
    assert_eq!(dawa.get(path).await.status, 404);
    let refs = format!("/v1/projects/{}/external-refs", id(&made));
    assert_eq!(dawa.get(&refs).await.status, 404);
    let hers = dawa
        .request(Method::DELETE, &format!("{refs}/oa"))
        .if_match(&made.etag())
        .send()
        .await;
    hers.expect(404);
    let amend = dawa
        .put(path, &json!({ "name": "大洼" }))
        .if_match(&made.etag())
        .send()
        .await;
    assert_eq!(amend.expect(412).code(), "stale_version");
    // As with a 项目代码, that it is taken is all that she is told.
    let mine = with(fields("大洼", "211104"), &json!({ "unit": "dawa-drb" }));
    let taken = dawa.put(path, &mine).if_none().send().await;
    assert_eq!(taken.expect(409).code(), "key_taken");
    let elsewhere = item("2", None, &body);
    let refused = batch(&dawa, "partial", &[elsewhere, item("3", None, &mine)])
        .await
        .expect(200);
    assert_eq!(counts(&refused), [1, 0, 0, 1]);
    assert_eq!(refused.at("/items/0/problem/code"), "forbidden");
    assert_eq!(
        office.officer.get(path).await.expect(200).etag(),
        made.etag()
    );
}

#[tokio::test]
async fn who_only_reads_a_project_may_not_leave_it_as_it_stands_either() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let body = with(fields("兴隆台", "211103"), &json!({ "unit": "panjin-drc" }));
    let path = "/v1/external-refs/oa/1";
    let made = office
        .officer
        .put(path, &body)
        .if_none()
        .send()
        .await
        .expect(201);
    // She enters projects of 大洼区, and reads those of the city.
    let rights = vec![
        Wanted::everywhere(Role::Officer).within(Some("211104")),
        Wanted::everywhere(Role::Leader).within(Some("211100")),
    ];
    add_account_with(&server, "wang", rights).await;
    let wang = server.sign_in("wang").await;
    wang.get(path).await.expect(200);
    for body in [json!({ "name": "兴隆台" }), json!({ "name": "大洼" })] {
        let put = wang.put(path, &body).if_match(&made.etag()).send().await;
        assert_eq!(put.expect(403).code(), "forbidden", "{body}");
        let items = [
            item("2", None, &fields("大洼", "211104")),
            item("1", Some(2), &body),
        ];
        let atomic = batch(&wang, "atomic", &items).await.expect(403);
        assert_eq!(atomic.code(), "forbidden");
        assert_eq!(atomic.pointers(), ["/items/1"]);
        let partial = batch(&wang, "partial", &items[1..]).await.expect(200);
        assert_eq!(partial.at("/items/0/problem/code"), "forbidden");
    }
    assert_eq!(wang.get("/v1/external-refs/oa/2").await.status, 404);
    // That she tried is in the audit: two times each way.
    let auditor = server.sign_in("auditor").await;
    for (operation, times) in [
        ("PUT /v1/external-refs/{system}/{key}", 2),
        ("POST /v1/batches/projects", 4),
    ] {
        let operation = operation
            .replace(' ', "%20")
            .replace('{', "%7B")
            .replace('}', "%7D");
        let path = format!("/v1/audit?result=denied&subject=operation/{operation}");
        let denied = auditor.get(&path).await.expect(200);
        let actors: Vec<&Value> = denied
            .at("/items")
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| &entry["actor"])
            .collect();
        assert_eq!(actors, vec!["wang"; times], "{operation}");
    }
}

#[tokio::test]
async fn two_who_send_the_same_at_once_make_one_project() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let before = total(&office.officer).await;
    let items: Vec<Value> = (0..20)
        .map(|n| item(&n.to_string(), None, &fields(&format!("项目{n}"), "211104")))
        .collect();
    let (one, other) = futures::join!(
        batch(&office.officer, "partial", &items),
        batch(&office.manager, "partial", &items),
    );
    let (one, other) = (counts(&one.expect(200)), counts(&other.expect(200)));
    assert_eq!(one[0] + other[0], 20, "{one:?} {other:?}");
    assert_eq!(total(&office.officer).await, before + 20);
    hold_sums(&server).await;
    // Whoever was second is told so, and finds it as it is wanted when he sends it again.
    let again = batch(&office.manager, "partial", &items).await.expect(200);
    assert_eq!(counts(&again), [0, 0, 20, 0]);
}
