//! Receivers that are down, slow, broken or gone: nothing is lost, and nobody else waits for them.

use std::net::TcpListener;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Hook, TIMEOUT, World, errors, rename};
use crate::support::Server;
use crate::support::issued::Issued;
use crate::support::receiver::{Manner, Receiver};

fn instant(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_receiver_that_is_down_is_told_when_it_is_back() {
    let world = World::new().await;
    let project = world.office.register(&json!({})).await;
    // A port that was free a moment ago: nobody listens there.
    let at = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let hook = world
        .hook(&json!({ "url": format!("http://{at}/hook") }))
        .await;
    rename(&project, &["甲", "乙"]).await;
    let log = hook
        .log_when(|log| log.len() == 2 && log[0]["attempts"] != json!([]))
        .await;
    assert_eq!(errors(&log), [Some("unreachable"), None]);
    assert!(log[1]["next_at"].is_null(), "it waits for its turn");
    let mut receiver = Receiver::at(&at.to_string()).await;
    hook.hurry(&world.server).await;
    let told = receiver.some(2).await;
    assert_eq!([told[0].name(), told[1].name()], ["甲", "乙"]);
    let log = hook.log_with(2, "delivered").await;
    assert_eq!(log[0]["attempts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_receiver_whose_certificate_nobody_vouches_for_is_told_nothing() {
    let world = World::new().await;
    let issued = Issued::new();
    let receiver = Server::configured(|config| {
        config.tls_certificate = Some(issued.certificate());
        config.tls_key = Some(issued.key());
    })
    .await;
    let url = receiver.base.replace("http://", "https://");
    let project = world.office.register(&json!({})).await;
    let hook = world.hook(&json!({ "url": format!("{url}/hook") })).await;
    rename(&project, &["甲"]).await;
    let log = hook
        .log_when(|log| {
            log.first()
                .is_some_and(|told| told["attempts"] != json!([]))
        })
        .await;
    assert_eq!(errors(&log), [Some("untrusted")]);
    assert_eq!(log[0]["attempts"][0]["response_status"], Value::Null);
}

#[tokio::test]
async fn each_kind_of_trouble_is_told_apart_and_tried_again_on_time() {
    let mut world = World::new().await;
    let mut elsewhere = Receiver::new().await;
    let project = world.office.register(&json!({})).await;
    let hook = world.hook(&json!({})).await;
    let troubles = [
        (Manner::Answer(500), json!(500), "not_taken", 5),
        (Manner::Answer(404), json!(404), "not_taken", 300),
        (
            Manner::Redirect(elsewhere.url()),
            json!(307),
            "redirected",
            1800,
        ),
        (Manner::Reset, Value::Null, "broken", 7200),
        (Manner::Silent, Value::Null, "timed_out", 18_000),
        (Manner::Answer(429), json!(429), "not_taken", 36_000),
    ];
    world.receiver.does(troubles[0].0.clone());
    rename(&project, &["甲"]).await;
    for (nth, (_, status, error, seconds)) in troubles.iter().enumerate() {
        let log = hook
            .log_when(|log| {
                log.first()
                    .is_some_and(|t| t["attempts"].as_array().unwrap().len() == nth + 1)
            })
            .await;
        let attempt = &log[0]["attempts"][nth];
        assert_eq!(
            (&attempt["response_status"], attempt["error"].as_str()),
            (status, Some(*error))
        );
        let wait = instant(&log[0]["next_at"]) - instant(&attempt["tried_at"]);
        let (least, most) = (
            seconds * 800,
            seconds * 1200 + 1000 * i64::try_from(TIMEOUT).unwrap() + 5000,
        );
        let millis = wait.num_milliseconds();
        assert!((least..most).contains(&millis), "{error}: {millis} ms");
        let next = troubles
            .get(nth + 1)
            .map_or(Manner::Answer(200), |next| next.0.clone());
        world.receiver.does(next);
        hook.hurry(&world.server).await;
    }
    let log = hook.log_with(1, "delivered").await;
    assert_eq!(
        log[0]["attempts"].as_array().unwrap().len(),
        troubles.len() + 1
    );
    let ids: Vec<String> = world
        .receiver
        .rest()
        .iter()
        .map(|t| t.id().to_owned())
        .collect();
    assert_eq!(ids.len(), troubles.len() + 1);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(elsewhere.rest().is_empty(), "nothing is followed");
}

#[tokio::test]
async fn a_receiver_without_end_has_taken_it_and_one_that_is_slow_keeps_nobody_waiting() {
    let mut world = World::new().await;
    let project = world.office.register(&json!({})).await;
    let slow = Receiver::new().await;
    slow.does(Manner::Silent);
    let waits = world.hook(&json!({ "url": slow.url() })).await;
    let hook = world.hook(&json!({})).await;
    rename(&project, &["甲", "乙", "丙"]).await;
    world.receiver.some(3).await;
    hook.log_with(3, "delivered").await;
    let log = waits
        .log_when(|log| {
            log.first()
                .is_some_and(|told| told["attempts"] != json!([]))
        })
        .await;
    assert_eq!(errors(&log)[0], Some("timed_out"));
    let took = log[0]["attempts"][0]["duration_ms"].as_u64().unwrap();
    assert!(took >= TIMEOUT * 1000, "{took} ms");
    slow.does(Manner::Endless);
    waits.hurry(&world.server).await;
    waits.log_with(3, "delivered").await;
}

#[tokio::test]
async fn a_receiver_that_says_it_is_gone_is_told_nothing_more_until_it_is_enabled() {
    let mut world = World::new().await;
    let project = world.office.register(&json!({})).await;
    let hook = world.hook(&json!({})).await;
    let witness = Receiver::new().await;
    let witness = world.hook(&json!({ "url": witness.url() })).await;
    world.receiver.does(Manner::Answer(410));
    rename(&project, &["甲"]).await;
    world.receiver.next().await;
    let until = tokio::time::Instant::now() + super::PATIENCE;
    let stopped = loop {
        let read = hook.read().await;
        if read.str("/state") == "disabled" {
            break read;
        }
        assert!(tokio::time::Instant::now() < until);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!(stopped.str("/state_reason"), "gone");
    rename(&project, &["乙"]).await;
    // The other's receiver is gone with its server; what is asked for is that its deliveries were put down.
    witness.log_when(|log| log.len() == 2).await;
    assert!(world.receiver.rest().is_empty());
    let auditor = world.server.sign_in("auditor").await;
    let entries = auditor.all("/v1/audit").await;
    assert!(
        entries
            .iter()
            .any(|entry| entry["kind"] == "webhook_disabled")
    );

    world.receiver.does(Manner::Answer(200));
    hook.amend(&json!({ "state": "active" })).await.expect(200);
    let told = world.receiver.some(2).await;
    assert_eq!([told[0].name(), told[1].name()], ["甲", "乙"]);
}

/// Makes the next failure of a delivery the last.
async fn wear_out(world: &World, hook: &Hook) {
    let log = hook
        .log_when(|log| log.iter().any(|told| told["attempts"] != json!([])))
        .await;
    let tried = log
        .iter()
        .find(|told| told["attempts"] != json!([]))
        .unwrap();
    let id: uuid::Uuid = tried["id"].as_str().unwrap().parse().unwrap();
    world
        .server
        .set("webhook_delivery", ("tries", 9), ("id", id))
        .await;
    hook.hurry(&world.server).await;
}

#[tokio::test]
async fn one_whose_every_attempt_fails_is_disabled_and_loses_nothing() {
    let mut world = World::new().await;
    let project = world.office.register(&json!({})).await;
    let hook = world.hook(&json!({})).await;
    world.receiver.does(Manner::Answer(503));
    rename(&project, &["甲", "乙"]).await;
    wear_out(&world, &hook).await;
    hook.log_when(|log| log[0]["attempts"].as_array().unwrap().len() == 2)
        .await;
    let read = hook.read().await;
    assert_eq!(read.str("/state_reason"), "failing");
    world.receiver.rest();
    world.receiver.does(Manner::Answer(200));
    hook.amend(&json!({ "state": "active" })).await.expect(200);
    let told = world.receiver.some(2).await;
    assert_eq!([told[0].name(), told[1].name()], ["甲", "乙"]);
}

#[tokio::test]
async fn one_event_that_is_never_taken_fails_alone_and_can_be_sent_again() {
    let mut world = World::new().await;
    let nothing = json!({});
    let (one, other) = futures::join!(
        world.office.register(&nothing),
        world.office.register(&nothing)
    );
    let hook = world.hook(&json!({})).await;
    world
        .receiver
        .decides(|taken| Manner::Answer(if taken.name() == "坏" { 422 } else { 200 }));
    rename(&one, &["坏", "好"]).await;
    hook.log_when(|log| log.iter().any(|told| told["attempts"] != json!([])))
        .await;
    rename(&other, &["别的"]).await;
    hook.log_with(1, "delivered").await;
    wear_out(&world, &hook).await;
    let log = hook.log_with(1, "failed").await;
    assert_eq!(log.len(), 3);
    hook.log_with(2, "delivered").await;
    assert_eq!(hook.read().await.str("/state"), "active");
    let failed = hook
        .client
        .get(&hook.path("/deliveries?status=failed"))
        .await
        .expect(200);
    assert_eq!(failed.at("/items").as_array().unwrap().len(), 1);
    world.receiver.rest();
    world.receiver.does(Manner::Answer(200));
    let begun = hook
        .client
        .post(&hook.path("/replay"), &json!({ "after": "0" }));
    assert_eq!(begun.send().await.expect(200).at("/deliveries"), 1);
    assert_eq!(world.receiver.next().await.name(), "坏");
    hook.log_with(3, "delivered").await;
}

#[tokio::test]
async fn old_deliveries_are_dropped_and_what_waits_is_not() {
    let mut world = World::new().await;
    let nothing = json!({});
    let (one, other) = futures::join!(
        world.office.register(&nothing),
        world.office.register(&nothing)
    );
    let hook = world.hook(&json!({})).await;
    world
        .receiver
        .decides(|taken| Manner::Answer(if taken.name() == "坏" { 500 } else { 200 }));
    rename(&one, &["坏"]).await;
    rename(&other, &["好"]).await;
    world.receiver.some(2).await;
    let log = hook.log_with(1, "delivered").await;
    // As if both had been put down long ago: ids tell the time.
    let db = world.server.database().await;
    for told in &log {
        let old = taizhang::clock::id_at(Utc::now() - TimeDelta::days(31), 0);
        let id: uuid::Uuid = told["id"].as_str().unwrap().parse().unwrap();
        for sql in [
            "INSERT INTO webhook_delivery SELECT $1, webhook_id, seq + 1000000, event_id, event_type, subject || '-', \
             project_id, status, tries, first_tried_at, next_at, lease, created_at, done_at \
             FROM webhook_delivery WHERE id = $2",
        ] {
            use sea_orm::ConnectionTrait;
            let values: [sea_orm::Value; 2] = [old.into(), id.into()];
            let backend = db.get_database_backend();
            let made = sea_orm::Statement::from_sql_and_values(backend, sql, values);
            db.execute_raw(made).await.unwrap();
        }
    }
    assert_eq!(hook.log().await.len(), 4);
    crate::support::library::in_store(&world.server, async |db| {
        let by = crate::support::library::author();
        db.write(by, async |tx| {
            taizhang::store::webhook::work::forget_old(tx).await
        })
        .await
        .unwrap();
    })
    .await;
    let log = hook.log().await;
    let stand: Vec<&Value> = log.iter().map(|told| &told["status"]).collect();
    assert_eq!(stand.len(), 3, "{stand:?}");
}
