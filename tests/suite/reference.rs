//! Keeping reference data: regions, units, programmes, sectors, chains and lists, each by its version.

use reqwest::Method;
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use serde_json::{Value, json};

use crate::support::Server;
use crate::support::library::{NOBODY, fields, id, with};

#[tokio::test]
async fn reference_data_is_made_replaced_and_removed_with_its_version() {
    let server = Server::demo().await;
    let admin = server.sign_in("admin").await;
    let region = json!({ "name": "新区", "kind": "zone", "parent": "211104" });
    let unit = json!({ "name": "新单位", "region": "211100", "uscc": "91110000600037341L" });
    let sector = json!({ "name": "新行业", "programme": "services", "approval_profile": "energy" });
    for (kind, code, fields) in [
        ("regions", "211104-new", region),
        ("units", "new", unit),
        (
            "programmes",
            "new",
            json!({ "name": "新工程", "aliases": ["新"] }),
        ),
        ("sectors", "新", sector),
        (
            "chains",
            "new",
            json!({ "name": "新产业链", "aliases": ["新链"] }),
        ),
        (
            "lists",
            "new",
            json!({ "name": "新清单", "description": "说明" }),
        ),
    ] {
        let path = format!("/v1/{kind}/{code}");
        admin.get(&path).await.expect(404);
        admin.put(&path, &fields).send().await.expect(428);
        admin
            .put(&path, &fields)
            .if_match("\"1\"")
            .send()
            .await
            .expect(412);
        let made = admin.put(&path, &fields).if_none().send().await.expect(201);
        assert_eq!(made.etag(), "\"1\"");
        assert_eq!(made.str("/code"), code);
        admin.put(&path, &fields).if_none().send().await.expect(412);
        let renamed = with(fields.clone(), &json!({ "name": "改名" }));
        let changed = admin.put(&path, &renamed).if_match("\"1\"").send().await;
        let changed = changed.expect(200);
        assert_eq!(
            (changed.etag(), changed.str("/name")),
            ("\"2\"".to_owned(), "改名".to_owned())
        );
        let late = admin.put(&path, &fields).if_match("\"1\"").send().await;
        assert_eq!(late.expect(412).code(), "stale_version");
        assert_eq!(admin.get(&path).await.expect(200).body, changed.body);
        let wrong = with(fields.clone(), &json!({ "name": "" }));
        let wrong = admin.put(&path, &wrong).if_match("\"2\"").send().await;
        assert_eq!(wrong.expect(422).pointers(), ["/name"]);
        let listed = admin.all(&format!("/v1/{kind}")).await;
        assert!(listed.contains(&changed.body));
        admin.delete(&path).send().await.expect(428);
        admin
            .delete(&path)
            .if_match("\"1\"")
            .send()
            .await
            .expect(412);
        admin
            .delete(&path)
            .if_match("\"2\"")
            .send()
            .await
            .expect(204);
        admin.get(&path).await.expect(404);
        admin
            .delete(&path)
            .if_match("\"2\"")
            .send()
            .await
            .expect(404);
    }
}

#[tokio::test]
async fn what_is_made_again_goes_on_in_its_versions_and_the_same_again_is_no_version() {
    let server = Server::demo().await;
    let admin = server.sign_in("admin").await;
    for (path, fields) in [
        ("/v1/programmes/again", json!({ "name": "又一工程" })),
        ("/v1/lists/again", json!({ "name": "又一清单" })),
    ] {
        let made = admin.put(path, &fields).if_none().send().await.expect(201);
        let same = admin.put(path, &fields).if_match(&made.etag()).send().await;
        assert_eq!(same.expect(200).etag(), made.etag());
        let removed = admin.delete(path).if_match(&made.etag()).send().await;
        removed.expect(204);
        let again = admin.put(path, &fields).if_none().send().await.expect(201);
        assert_ne!(again.etag(), made.etag(), "{path}");
        // Who had seen the first one has not seen this one.
        let late = admin.delete(path).if_match(&made.etag()).send().await;
        assert_eq!(late.expect(412).code(), "stale_version");
    }
}

#[tokio::test]
async fn changed_rules_of_approval_are_recorded_with_what_stood_before() {
    let server = Server::demo().await;
    let admin = server.sign_in("admin").await;
    let stood = admin.get("/v1/stage-rules").await.expect(200);
    let rules = json!([{ "applies_to": "enterprise_filed", "items": ["land_use"] }]);
    let set = |rules: &Value, etag: &str| {
        let body = json!({ "rules": rules });
        admin.put("/v1/stage-rules/approvals", &body).if_match(etag)
    };
    set(&rules, &stood.etag()).send().await.expect(200);
    let last = Query::select()
        .columns(["before", "after"])
        .from("event")
        .and_where(Expr::col("subject").eq("approval_rules/all"))
        .order_by("id", Order::Desc)
        .to_owned();
    let recorded = server.database().await.query_one(&last).await;
    let recorded = recorded.unwrap().unwrap();
    let side = |name: &str| recorded.try_get::<Value>("", name).unwrap();
    assert_eq!(&side("before"), stood.at("/approvals"));
    assert_eq!(side("after"), rules);
}

#[tokio::test]
async fn reference_data_in_use_is_not_removed() {
    let server = Server::demo().await;
    let admin = server.sign_in("admin").await;
    for path in [
        "regions/211100",
        "regions/211104",
        "units/dawa-drb",
        "programmes/services",
        "sectors/%E4%BA%A4%E9%80%9A",
        "lists/gas-storage",
    ] {
        let path = format!("/v1/{path}");
        let present = admin.get(&path).await.expect(200);
        let kept = admin.delete(&path).if_match(&present.etag()).send().await;
        assert_eq!(kept.expect(409).code(), "still_in_use", "{path}");
        assert_eq!(admin.get(&path).await.expect(200).body, present.body);
    }
}

#[tokio::test]
async fn regions_form_a_tree() {
    let server = Server::demo().await;
    let admin = server.sign_in("admin").await;
    let put = async |code: &str, fields: Value, etag: Option<&str>| {
        let request = admin.put(&format!("/v1/regions/{code}"), &fields);
        match etag {
            None => request.if_none().send().await,
            Some(etag) => request.if_match(etag).send().await,
        }
    };
    let orphan = json!({ "name": "孤儿", "kind": "district", "parent": "219999" });
    let refused = put("211199", orphan, None).await.expect(422);
    assert_eq!(refused.pointers(), ["/parent"]);
    assert_eq!(refused.error_codes(), ["unknown_region"]);
    for parent in ["211104", "211100"] {
        let cycle = json!({ "name": "盘锦市", "kind": "city", "parent": parent });
        let refused = put("211100", cycle, Some("\"1\"")).await.expect(422);
        assert_eq!(refused.pointers(), ["/parent"], "{}", refused.text);
    }
    let odd = json!({ "name": "怪", "kind": "zone", "parent": "211100" });
    let refused = put("211100-NEW", odd.clone(), None).await.expect(422);
    assert_eq!(refused.error_codes(), ["invalid_region_code"]);
    let backwards = with(odd, &json!({ "valid_from": 2020, "valid_to": 2010 }));
    let refused = put("211100-new", backwards, None).await.expect(422);
    assert_eq!(refused.pointers(), ["/valid_to"]);

    // A new zone within a district is its officer's at once.
    let zone = json!({ "name": "大洼新区", "kind": "zone", "parent": "211104" });
    put("211104-new", zone, None).await.expect(201);
    let dawa = server.sign_in("officer.dawa").await;
    let made = dawa.register(&fields("新区项目", "211104-new")).await;
    let seen = dawa.all("/v1/projects?region=211104&q=新区项目").await;
    assert_eq!(seen[0]["id"], *made.at("/id"));
    // And is no longer when it is moved to another.
    let moved = json!({ "name": "大洼新区", "kind": "zone", "parent": "211103" });
    put("211104-new", moved, Some("\"1\"")).await.expect(200);
    let path = format!("/v1/projects/{}", id(&made));
    dawa.get(&path).await.expect(404);
}

#[tokio::test]
async fn a_manager_keeps_the_lists_by_their_versions() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let made = manager.register(&fields("上清单", "211104")).await;
    let root = format!("/v1/projects/{}", id(&made));
    let list = "/v1/lists/gas-storage";
    let member = format!("{list}/projects/{}", id(&made));
    let first = manager.get(list).await.expect(200).etag();
    let put = || manager.request(Method::PUT, &member);
    put().send().await.expect(428);
    put().if_match("\"999\"").send().await.expect(412);
    let second = put().if_match(&first).send().await.expect(204).etag();
    assert_ne!(first, second);
    assert_eq!(manager.get(list).await.etag(), second);
    let on = manager.get(&root).await.expect(200);
    assert_eq!(on.at("/lists"), &json!(["gas-storage"]));
    // Once more: nothing changes.
    let third = put().if_match(&second).send().await.expect(204).etag();
    assert_eq!(second, third);
    assert_eq!(manager.get(&root).await.etag(), on.etag());
    put().if_match(&first).send().await.expect(412);
    let listed = manager.all("/v1/projects?list=gas-storage").await;
    assert!(listed.iter().any(|p| p["id"] == *made.at("/id")));

    let off = manager.delete(&member).if_match(&third).send().await;
    let off = off.expect(204).etag();
    let gone = manager.get(&root).await.expect(200);
    assert_eq!(gone.at("/lists"), &json!([]));
    let again = manager.delete(&member).if_match(&off).send().await;
    assert_eq!(again.expect(204).etag(), off);
    assert_eq!(manager.get(&root).await.etag(), gone.etag());

    let nowhere = format!("/v1/lists/nowhere/projects/{}", id(&made));
    let nowhere = manager.request(Method::PUT, &nowhere).if_match("\"1\"");
    nowhere.send().await.expect(404);
    let nobody = format!("{list}/projects/{NOBODY}");
    let nobody = manager.request(Method::PUT, &nobody).if_match(&off);
    nobody.send().await.expect(404);
}
