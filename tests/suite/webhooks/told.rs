//! What a webhook is told: everything once or more, signed, in order, as far as its owner may read it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Hook, World, rename};
use crate::support::library::add_account;
use crate::support::projects::Project;
use crate::support::receiver::{Manner, Taken};
use taizhang::auth::Role;

/// Waits until the feed tells of a project: who begins at the end of it is told of what comes after.
async fn sealed(world: &World, project: &Project) {
    let query = format!("/v1/events?wait=20&project={}", project.id);
    let page = world.office.manager.get(&query).await.expect(200);
    assert_ne!(page.at("/items"), &json!([]));
}

#[tokio::test]
async fn what_happens_is_told_as_the_feed_tells_it_and_signed() {
    let mut world = World::new().await;
    let project = world.office.register(&json!({})).await;
    sealed(&world, &project).await;
    let hook = world.hook(&json!({ "types": [] })).await;
    rename(&project, &["甲"]).await;
    let taken = world.receiver.next().await;
    assert_eq!(taken.path, "/hook");
    assert_eq!(
        taken.headers["content-type"],
        "application/cloudevents+json; charset=utf-8"
    );
    assert!(Hook::signed(&hook.secret, &taken));
    let query = format!("/v1/events?project={}&limit=200", project.id);
    let feed = world.office.manager.get(&query).await.expect(200);
    assert_eq!(
        feed.at("/items").as_array().unwrap().last(),
        Some(&taken.event)
    );
    assert_eq!(taken.event["id"], taken.id());
    let sent: i64 = taken.headers["webhook-timestamp"].parse().unwrap();
    assert!((chrono::Utc::now().timestamp() - sent).abs() < 60);

    let log = hook.log_with(1, "delivered").await;
    assert_eq!(log[0]["event"], taken.id());
    assert_eq!(log[0]["attempts"][0]["response_status"], 200);
    let one = hook.path(&format!("/deliveries/{}", log[0]["id"].as_str().unwrap()));
    let one = hook.client.get(&one).await.expect(200);
    assert_eq!(one.body, log[0]);
    assert!(!hook.read().await.at("/delivered_at").is_null());
}

#[tokio::test]
async fn whoever_begins_at_the_beginning_is_told_all_of_it() {
    let mut world = World::new().await;
    let types = json!(["taizhang.chain.changed"]);
    let query = "/v1/events?limit=200&type=taizhang.chain.changed";
    let feed = world.office.manager.get(query).await.expect(200);
    let feed = feed.at("/items").as_array().unwrap().clone();
    assert!(!feed.is_empty());
    world.hook(&json!({ "types": types, "after": "0" })).await;
    let mut told = world.receiver.some(feed.len()).await;
    told.sort_by_key(|taken| taken.event["sequence"].as_str().unwrap().to_owned());
    let told: Vec<&Value> = told.iter().map(|taken| &taken.event).collect();
    assert_eq!(told, feed.iter().collect::<Vec<_>>());
}

#[tokio::test]
async fn events_of_a_project_come_in_their_order_while_others_go_on() {
    let mut world = World::new().await;
    let nothing = json!({});
    let (one, other) = futures::join!(
        world.office.register(&nothing),
        world.office.register(&nothing)
    );
    let hook = world.hook(&json!({})).await;
    let stuck = one.id.clone();
    let mut refusals = 2;
    world.receiver.decides(move |taken| {
        let is_stuck = taken.event["data"]["project"] == stuck.as_str() && refusals > 0;
        refusals -= usize::from(is_stuck);
        Manner::Answer(if is_stuck { 500 } else { 200 })
    });
    futures::join!(
        rename(&one, &["甲一", "甲二", "甲三"]),
        rename(&other, &["乙一", "乙二", "乙三"])
    );
    // While the first of one project is put off, what comes after it waits, and the other project's goes on.
    hook.log_when(|log| {
        let done = log.iter().filter(|told| told["status"] == "delivered");
        log.len() == 6 && done.count() == 3 && log.iter().any(|told| told["attempts"] != json!([]))
    })
    .await;
    hook.hurry(&world.server).await;
    hook.log_when(|log| {
        log.iter()
            .any(|told| told["attempts"].as_array().unwrap().len() == 2)
    })
    .await;
    hook.hurry(&world.server).await;
    hook.log_with(6, "delivered").await;
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for taken in world.receiver.rest() {
        let project = taken.event["data"]["project"].as_str().unwrap().to_owned();
        told.entry(project)
            .or_default()
            .push(taken.name().to_owned());
    }
    assert_eq!(told[&one.id], ["甲一", "甲一", "甲一", "甲二", "甲三"]);
    assert_eq!(told[&other.id], ["乙一", "乙二", "乙三"]);
}

#[tokio::test]
async fn only_what_it_is_for_is_told() {
    let mut world = World::new().await;
    let dawa = world.office.register(&json!({ "region": "211104" })).await;
    let other = world.office.register(&json!({ "region": "211103" })).await;
    sealed(&world, &other).await;
    let by_region = world
        .hook(&json!({ "types": [], "regions": ["211104"] }))
        .await;
    let by_project = world.hook(&json!({ "project": other.id })).await;
    rename(&dawa, &["甲"]).await;
    rename(&other, &["乙"]).await;
    let told = world.receiver.some(2).await;
    for taken in &told {
        let is_dawa = taken.name() == "甲";
        let of = if is_dawa { &by_region } else { &by_project };
        assert!(Hook::signed(&of.secret, taken), "{}", taken.event);
    }
    by_region.log_with(1, "delivered").await;
    by_project.log_with(1, "delivered").await;
    assert!(world.receiver.rest().is_empty());
}

#[tokio::test]
async fn while_a_secret_is_followed_by_another_both_sign() {
    let mut world = World::new().await;
    let project = world.office.register(&json!({})).await;
    let hook = world.hook(&json!({})).await;
    let new = hook
        .client
        .post(&hook.path("/secrets"), &json!({ "overlap_hours": 1 }));
    let new = new.send().await.expect(201);
    rename(&project, &["甲"]).await;
    let taken = world.receiver.next().await;
    assert!(Hook::signed(&hook.secret, &taken) && Hook::signed(&new.str("/secret"), &taken));
    assert_eq!(taken.headers["webhook-signature"].split(' ').count(), 2);
    let shown = hook.read().await;
    assert_eq!(
        shown.at("/former_secret_until"),
        new.at("/former_secret_until")
    );
    // When its time is over, the former signs no more.
    let id: uuid::Uuid = hook.id.parse().unwrap();
    let over = chrono::Utc::now() - chrono::TimeDelta::seconds(1);
    world
        .server
        .set("webhook", ("former_until", over), ("id", id))
        .await;
    rename(&project, &["乙"]).await;
    let taken = world.receiver.next().await;
    assert!(!Hook::signed(&hook.secret, &taken) && Hook::signed(&new.str("/secret"), &taken));
    let last = hook
        .client
        .post(&hook.path("/secrets"), &json!({ "overlap_hours": 0 }));
    let last = last.send().await.expect(201);
    rename(&project, &["丙"]).await;
    let taken = world.receiver.next().await;
    assert!(
        !Hook::signed(&new.str("/secret"), &taken) && Hook::signed(&last.str("/secret"), &taken)
    );
}

#[tokio::test]
async fn what_its_owner_may_not_read_is_not_told() {
    let mut world = World::new().await;
    let dawa = world.office.register(&json!({ "region": "211104" })).await;
    let other = world.office.register(&json!({ "region": "211103" })).await;
    let officer = world.server.sign_in("officer.dawa").await;
    let body = json!({ "url": world.receiver.url(), "types": ["taizhang.project.amended"] });
    let hook = Hook::made(&officer, &body).await;
    rename(&other, &["外"]).await;
    rename(&dawa, &["内"]).await;
    assert_eq!(world.receiver.next().await.name(), "内");
    assert_eq!(hook.log_with(1, "delivered").await.len(), 1);
    // What has gone to another district when it is its turn is not told either.
    world.receiver.does(Manner::Answer(500));
    rename(&dawa, &["走前"]).await;
    world.receiver.next().await;
    hook.log_when(|log| super::errors(log).contains(&Some("not_taken")))
        .await;
    dawa.amend(&json!({ "region": "211103" })).await.expect(200);
    world.receiver.does(Manner::Answer(200));
    hook.hurry(&world.server).await;
    hook.log_with(1, "skipped").await;
    assert!(world.receiver.rest().is_empty());
}

#[tokio::test]
async fn an_owner_who_is_out_is_told_nothing_until_he_is_back() {
    let mut world = World::new().await;
    let project = world.office.register(&json!({})).await;
    add_account(&world.server, "zhang.wei", Role::Manager, Some("211100")).await;
    let zhang = world.server.sign_in("zhang.wei").await;
    let body = json!({ "url": world.receiver.url(), "types": ["taizhang.project.amended"] });
    let hook = Hook::made(&zhang, &body).await;
    // A webhook of somebody else's says when all has been looked through.
    let witness = world.hook(&json!({})).await;
    let admin = world.server.sign_in("admin").await;
    let found = admin.get("/v1/users?q=zhang.wei").await.expect(200);
    let path = format!("/v1/users/{}", found.str("/items/0/id"));
    let disable = async |disabled: bool| {
        let tag = admin.get(&path).await.expect(200).etag();
        let change = admin.patch(&path, &json!({ "disabled": disabled }));
        change.if_match(&tag).send().await.expect(200);
    };
    disable(true).await;
    rename(&project, &["甲", "乙"]).await;
    for _ in 0..2 {
        let taken = world.receiver.next().await;
        assert!(Hook::signed(&witness.secret, &taken));
    }
    witness.log_with(2, "delivered").await;
    assert!(world.receiver.rest().is_empty());
    disable(false).await;
    let told = world.receiver.some(2).await;
    assert!(told.iter().all(|taken| Hook::signed(&hook.secret, taken)));
    assert_eq!([told[0].name(), told[1].name()], ["甲", "乙"]);
    // Nor without the right.
    let account: uuid::Uuid = found.str("/items/0/id").parse().unwrap();
    let yesterday: chrono::NaiveDate = crate::support::library::day(-1).parse().unwrap();
    let row = ("account_id", account);
    world
        .server
        .set("account_grant", ("valid_until", yesterday), row)
        .await;
    rename(&project, &["丙"]).await;
    assert!(Hook::signed(&witness.secret, &world.receiver.next().await));
    witness.log_with(3, "delivered").await;
    assert!(world.receiver.rest().is_empty());
}

#[tokio::test]
async fn a_system_keeps_its_own_by_its_scope() {
    let mut world = World::new().await;
    let (admin, security) = futures::join!(
        world.server.sign_in("admin"),
        world.server.sign_in("secadmin")
    );
    let end = chrono::Utc::now() + chrono::TimeDelta::days(30);
    let fields = |scopes: Value| json!({ "display_name": "OA", "scopes": scopes, "expires_at": end.to_rfc3339() });
    let body = json!({ "client_id": "oa", "fields": fields(json!(["webhooks:manage"])) });
    let made = security
        .post("/v1/service-accounts", &body)
        .send()
        .await
        .expect(201);
    let id = made.str("/id");
    let wanted = json!({ "role": "officer", "region": "211104" });
    let asked = admin
        .post(&format!("/v1/users/{id}/grants"), &wanted)
        .send()
        .await
        .expect(201);
    let decide = format!("/v1/grants/{}/decide", asked.str("/id"));
    let granted = security.post(&decide, &json!({ "granted": true }));
    granted.send().await.expect(200);
    let secret = security.post(&format!("/v1/service-accounts/{id}/secrets"), &json!({}));
    let secret = secret.send().await.expect(201).str("/client_secret");
    let basic = BASE64_STANDARD.encode(format!("oa:{secret}"));
    let token = world
        .server
        .anonymous()
        .request(Method::POST, "/oauth/token")
        .header("authorization", &format!("Basic {basic}"));
    let form = "grant_type=client_credentials";
    let token = token
        .raw("application/x-www-form-urlencoded", form)
        .send()
        .await;
    let oa = world.server.anonymous();
    let oa = oa.with_token(&token.expect(200).str("/access_token"));

    let project = world.office.register(&json!({ "region": "211104" })).await;
    let body = json!({ "url": world.receiver.url(), "types": ["taizhang.project.amended"] });
    let hook = Hook::made(&oa, &body).await;
    rename(&project, &["甲"]).await;
    assert_eq!(world.receiver.next().await.name(), "甲");
    hook.log_with(1, "delivered").await;
    // What it may be let do no more is not done for it either.
    let witness = world.hook(&json!({})).await;
    let path = format!("/v1/service-accounts/{id}");
    let tag = security.get(&path).await.expect(200).etag();
    let without = security.put(&path, &fields(json!(["events:read"])));
    without.if_match(&tag).send().await.expect(200);
    rename(&project, &["乙"]).await;
    assert!(Hook::signed(&witness.secret, &world.receiver.next().await));
    witness.log_with(1, "delivered").await;
    assert!(world.receiver.rest().is_empty());
}

#[tokio::test]
async fn what_was_told_can_be_told_again() {
    let mut world = World::new().await;
    let nothing = json!({});
    let (one, other) = futures::join!(
        world.office.register(&nothing),
        world.office.register(&nothing)
    );
    let hook = world.hook(&json!({})).await;
    rename(&one, &["甲一", "甲二"]).await;
    rename(&other, &["乙"]).await;
    let log = hook.log_with(3, "delivered").await;
    let first: Vec<String> = world
        .receiver
        .some(3)
        .await
        .iter()
        .map(|t| t.id().to_owned())
        .collect();
    let path = format!("/deliveries/{}/replay", log[0]["id"].as_str().unwrap());
    let replay = hook.client.request(Method::POST, &hook.path(&path));
    let replayed = replay.send().await.expect(200);
    assert_eq!(replayed.str("/status"), "pending");
    let again = world.receiver.next().await;
    assert_eq!(again.event["id"], log[0]["event"]);
    hook.log_with(3, "delivered").await;

    let all = json!({ "after": "0", "only_failed": false });
    let begun = hook
        .client
        .post(&hook.path("/replay"), &all)
        .send()
        .await
        .expect(200);
    assert_eq!(begun.body, json!({ "deliveries": 3, "next_after": null }));
    let told = world.receiver.some(3).await;
    let mut ids: Vec<&str> = told.iter().map(Taken::id).collect();
    ids.sort_unstable();
    let mut before: Vec<&str> = first.iter().map(String::as_str).collect();
    before.sort_unstable();
    assert_eq!(ids, before);
    let of_one: Vec<&str> = told
        .iter()
        .map(Taken::name)
        .filter(|n| *n != "乙")
        .collect();
    assert_eq!(of_one, ["甲一", "甲二"]);
    // After a place, only what came after it; nothing has failed.
    hook.log_with(3, "delivered").await;
    let since = json!({ "after": log[1]["place"], "only_failed": false });
    let begun = hook
        .client
        .post(&hook.path("/replay"), &since)
        .send()
        .await
        .expect(200);
    assert_eq!(begun.at("/deliveries"), 1);
    let failed = json!({ "after": "0" });
    let begun = hook
        .client
        .post(&hook.path("/replay"), &failed)
        .send()
        .await
        .expect(200);
    assert_eq!(begun.at("/deliveries"), 0);
}

#[tokio::test]
async fn a_test_says_what_its_receiver_says() {
    let mut world = World::new().await;
    let hook = world.hook(&json!({})).await;
    hook.amend(&json!({ "state": "disabled" }))
        .await
        .expect(200);
    let tried = async |manner: Manner| {
        world.receiver.does(manner);
        let request = hook.client.request(Method::POST, &hook.path("/tests"));
        request.send().await.expect(200)
    };
    let good = tried(Manner::Answer(204)).await;
    assert_eq!(good.at("/delivered"), true);
    for (manner, status, error) in [
        (Manner::Answer(500), json!(500), "not_taken"),
        (
            Manner::Redirect(world.receiver.url()),
            json!(307),
            "redirected",
        ),
        (Manner::Reset, Value::Null, "broken"),
        (Manner::Silent, Value::Null, "timed_out"),
    ] {
        let bad = tried(manner).await;
        assert_eq!(bad.at("/delivered"), false, "{error}");
        assert_eq!(bad.at("/response_status"), &status, "{error}");
        assert_eq!(bad.str("/error"), error);
    }
    let taken = world.receiver.next().await;
    assert_eq!(taken.event["type"], "taizhang.webhook.test");
    assert_eq!(taken.id(), good.str("/id"));
    assert!(Hook::signed(&hook.secret, &taken));
    assert_eq!(world.receiver.rest().len(), 4, "nothing is sent twice");
}
