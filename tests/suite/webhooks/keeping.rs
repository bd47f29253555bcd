//! What is said of a webhook, by whom, and what is wrong with it.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Hook, World, local};
use crate::support::Server;
use crate::support::library::NOBODY;
use crate::support::problems::in_both_languages;

const URL: &str = "http://127.0.0.1:65535/hook";

#[tokio::test]
async fn a_webhook_is_made_read_changed_and_removed() {
    let world = World::new().await;
    let manager = &world.office.manager;
    let body = json!({
        "url": URL, "description": "市政府 OA 待办", "types": ["taizhang.project.moved"], "regions": ["211104"],
    });
    let made = manager.post("/v1/webhooks", &body).send().await.expect(201);
    let path = made.header("location").unwrap().to_owned();
    let shown = manager.get(&path).await.expect(200);
    assert_eq!(made.at("/webhook"), &shown.body);
    assert_eq!(made.etag(), shown.etag());
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(&shown.body[name], value, "{name}");
    }
    assert_eq!(shown.str("/owner"), "manager");
    assert_eq!(shown.str("/state"), "active");
    assert!(!shown.text.contains("whsec"), "{}", shown.text);

    let members = json!({ "description": null, "regions": [], "state": "disabled" });
    let changed = manager.patch(&path, &members).if_match(&shown.etag());
    let changed = changed.send().await.expect(200);
    assert_eq!(changed.at("/description"), &Value::Null);
    assert_eq!(changed.at("/types"), &body["types"]);
    assert_eq!(changed.str("/state_reason"), "by_owner");
    let stale = manager.patch(&path, &members).if_match(&shown.etag());
    stale.send().await.expect(412);
    manager.patch(&path, &members).send().await.expect(428);
    let on = manager.patch(&path, &json!({ "state": "active" }));
    let on = on.if_match(&changed.etag()).send().await.expect(200);
    assert_eq!(on.at("/state_reason"), &Value::Null);
    manager.delete(&path).send().await.expect(428);
    let stale = manager.delete(&path).if_match(&shown.etag());
    stale.send().await.expect(412);
    let removed = manager.delete(&path).if_match(&on.etag());
    removed.send().await.expect(204);
    manager.get(&path).await.expect(404);

    // Each change is in the audit, and no secret is.
    let auditor = world.server.sign_in("auditor").await;
    let subject = format!("webhook/{}", shown.str("/id"));
    let entries = auditor.all("/v1/audit").await;
    let about = entries
        .iter()
        .filter(|entry| entry["subject"] == subject.as_str());
    let kinds: Vec<&str> = about.map(|entry| entry["kind"].as_str().unwrap()).collect();
    let mut sorted = kinds.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            "webhook_added",
            "webhook_changed",
            "webhook_changed",
            "webhook_removed"
        ]
    );
    assert!(
        !entries
            .iter()
            .any(|entry| entry.to_string().contains("whsec"))
    );
}

#[tokio::test]
async fn sent_twice_under_one_key_it_is_made_once_and_its_secret_shown_once() {
    let server = Server::configured(local).await;
    let manager = server.sign_in("manager").await;
    let body = json!({ "url": URL });
    let make = || {
        manager
            .post("/v1/webhooks", &body)
            .header("idempotency-key", "k-1")
            .send()
    };
    let (first, second) = (make().await.expect(201), make().await.expect(201));
    assert_eq!(first.at("/webhook"), second.at("/webhook"));
    assert!(first.str("/secret").starts_with("whsec_"));
    assert_eq!(second.at("/secret"), &Value::Null);
    assert_eq!(manager.all("/v1/webhooks").await.len(), 1);
    let other = json!({ "url": format!("{URL}/other") });
    let other = manager
        .post("/v1/webhooks", &other)
        .header("idempotency-key", "k-1");
    assert_eq!(
        other.send().await.expect(422).code(),
        "idempotency_key_reused"
    );
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place() {
    let server = Server::configured(local).await;
    let manager = server.sign_in("manager").await;
    let many = vec!["211104"; 51];
    for (body, pointer, code) in [
        (
            json!({ "url": "http://10.0.0.1/" }),
            "/url",
            "address_refused",
        ),
        (
            json!({ "url": format!("{URL}/{}", "a".repeat(1000)) }),
            "/url",
            "url_too_long",
        ),
        (
            json!({ "url": URL, "types": ["taizhang.project.exploded"] }),
            "/types/0",
            "unknown_code",
        ),
        (
            json!({ "url": URL, "regions": ["211104", "999999"] }),
            "/regions/1",
            "unknown_region",
        ),
        (
            json!({ "url": URL, "regions": ["\u{0}"] }),
            "/regions/0",
            "unknown_region",
        ),
        (
            json!({ "url": URL, "regions": many }),
            "/regions",
            "too_many",
        ),
        (
            json!({ "url": URL, "project": NOBODY }),
            "/project",
            "unknown_project",
        ),
        (
            json!({ "url": URL, "description": "" }),
            "/description",
            "text_empty",
        ),
        (
            json!({ "url": URL, "after": "yesterday" }),
            "/after",
            "unreadable_place",
        ),
    ] {
        let request = || manager.post("/v1/webhooks", &body);
        let refused = in_both_languages(request, 422, &body.to_string()).await;
        assert_eq!(refused.pointers(), [pointer], "{body}");
        assert_eq!(refused.error_codes(), [code], "{body}");
    }
    let beyond = json!({ "url": URL, "after": "999999999" });
    let beyond = manager
        .post("/v1/webhooks", &beyond)
        .send()
        .await
        .expect(422);
    assert_eq!(beyond.code(), "invalid_cursor");
    let hook = Hook::made(&manager, &json!({ "url": URL })).await;
    for (path, body) in [
        ("/secrets", json!({ "overlap_hours": 721 })),
        ("/replay", json!({ "after": "yesterday" })),
    ] {
        let request = || manager.post(&hook.path(path), &body);
        in_both_languages(request, 422, path).await;
    }
    let query = hook.path("/deliveries?status=lost");
    let refused = manager.get(&query).await.expect(400);
    assert_eq!(refused.at("/errors/0/parameter"), "status");
    let nothing = hook.path(&format!("/deliveries/{NOBODY}"));
    manager.get(&nothing).await.expect(404);
    let replay = manager.request(Method::POST, &format!("{nothing}/replay"));
    replay.send().await.expect(404);
    for _ in 1..20 {
        Hook::made(&manager, &json!({ "url": URL })).await;
    }
    let more = manager.post("/v1/webhooks", &json!({ "url": URL }));
    assert_eq!(more.send().await.expect(409).code(), "too_many_webhooks");
}

#[tokio::test]
async fn a_webhook_is_its_owners_and_the_security_administrator_can_stop_it() {
    let world = World::new().await;
    let hook = world.hook(&json!({})).await;
    let (officer, security) = futures::join!(
        world.server.sign_in("officer"),
        world.server.sign_in("secadmin")
    );
    for path in ["", "/deliveries"] {
        officer.get(&hook.path(path)).await.expect(404);
    }
    assert!(officer.all("/v1/webhooks").await.is_empty());
    let tag = hook.read().await.etag();
    let off = json!({ "state": "disabled" });
    let refused = officer.patch(&hook.path(""), &off).if_match(&tag);
    refused.send().await.expect(404);
    officer
        .delete(&hook.path(""))
        .if_match(&tag)
        .send()
        .await
        .expect(404);
    let replay = officer.post(&hook.path("/replay"), &json!({ "after": "0" }));
    replay.send().await.expect(404);

    let seen = security.all("/v1/webhooks").await;
    assert_eq!(seen[0]["owner"], "manager");
    let elsewhere = json!({ "url": "http://127.0.0.1:65535/mine" });
    let refused = security.patch(&hook.path(""), &elsewhere).if_match(&tag);
    refused.send().await.expect(403);
    let stopped = security.patch(&hook.path(""), &off).if_match(&tag);
    let stopped = stopped.send().await.expect(200);
    assert_eq!(stopped.str("/state_reason"), "by_administrator");
    // Its owner does not start it again.
    let refused = hook.amend(&json!({ "state": "active" })).await;
    assert_eq!(refused.expect(403).code(), "forbidden");
    let removed = security.delete(&hook.path("")).if_match(&stopped.etag());
    removed.send().await.expect(204);
}
