//! Requests that are sent twice and done once.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::projects::{Office, Project, fields, step};
use crate::support::{Client, Reply, Server};

/// An answer as a client keeps it.
fn kept(reply: &Reply) -> (u16, &Value, Option<&str>, Option<&str>, Option<&str>) {
    (
        reply.status,
        &reply.body,
        reply.header("etag"),
        reply.header("location"),
        reply.header("content-type"),
    )
}

async fn create(client: &Client, key: &str, body: &Value) -> Reply {
    let request = client.post("/v1/projects", body);
    request.header("idempotency-key", key).send().await
}

async fn move_it(project: &Project, key: &str, etag: &str, body: &Value) -> Reply {
    let path = project.path("/transitions");
    let request = project.office.officer.post(&path, body).if_match(etag);
    request.header("idempotency-key", key).send().await
}

/// How many projects have this name.
async fn named(office: &Office, name: &str) -> usize {
    let page = office.officer.get(&format!("/v1/projects?q={name}")).await;
    page.expect(200).at("/items").as_array().unwrap().len()
}

#[tokio::test]
async fn a_registration_that_is_sent_twice_is_done_once_and_answered_alike() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let body = fields(&json!({ "name": "重发登记的项目" }));
    let first = create(&office.officer, "k-1", &body).await.expect(201);
    assert!(first.header("location").is_some());
    assert!(first.header("etag").is_some());
    // The first answer is given again, whatever has become of the project.
    let project = office.project(&first.str("/id"));
    project
        .amend(&json!({ "steward": "李管家" }))
        .await
        .expect(200);
    let second = create(&office.officer, "k-1", &body).await;
    assert_eq!(kept(&second), kept(&first));
    assert_eq!(named(&office, "重发登记的项目").await, 1);
    assert_eq!(project.events("registered").await, 1);
}

#[tokio::test]
async fn a_move_that_is_sent_twice_is_done_once_and_answered_alike() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    let etag = project.etag().await;
    let request = step("attraction");
    let first = move_it(&project, "k-1", &etag, &request).await.expect(201);
    let before = project.trace().await;
    let second = move_it(&project, "k-1", &etag, &request).await;
    assert_eq!(kept(&second), kept(&first));
    assert_eq!(project.trace().await, before);
    assert_eq!(project.events("moved").await, 1);
}

#[tokio::test]
async fn one_key_is_not_used_for_other_content() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let body = fields(&json!({ "name": "先到的项目" }));
    let first = create(&office.officer, "k-1", &body).await.expect(201);
    let other = fields(&json!({ "name": "后到的项目" }));
    let reply = create(&office.officer, "k-1", &other).await.expect(422);
    assert_eq!(reply.code(), "idempotency_key_reused");
    assert_eq!(named(&office, "后到的项目").await, 0);
    let again = create(&office.officer, "k-1", &body).await;
    assert_eq!(kept(&again), kept(&first));

    let project = office.project(&first.str("/id"));
    // The same key for another path is another key.
    let etag = project.etag().await;
    let moved = move_it(&project, "k-1", &etag, &step("attraction")).await;
    let moved = moved.expect(201);
    let before = project.trace().await;
    let reply = move_it(&project, "k-1", &moved.etag(), &step("construction")).await;
    assert_eq!(reply.expect(422).code(), "idempotency_key_reused");
    assert_eq!(project.trace().await, before);
}

#[tokio::test]
async fn a_registration_that_is_sent_many_times_at_once_is_done_once() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let body = fields(&json!({ "name": "同时登记的项目" }));
    let replies = join_all((0..16).map(|_| create(&office.officer, "k-1", &body))).await;
    one_effect(&replies);
    assert_eq!(named(&office, "同时登记的项目").await, 1);
}

#[tokio::test]
async fn a_move_that_is_sent_many_times_at_once_is_done_once() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    let (etag, version) = (project.etag().await, project.version().await);
    let request = step("attraction");
    let replies = join_all((0..16).map(|_| move_it(&project, "k-1", &etag, &request))).await;
    one_effect(&replies);
    assert_eq!(project.events("moved").await, 1);
    assert_eq!(project.version().await, version + 1);
}

/// Whoever was answered was answered alike; the others may only be told to wait.
fn one_effect(replies: &[Reply]) {
    let (done, waiting): (Vec<_>, Vec<_>) = replies.iter().partition(|r| r.status == 201);
    let first = done.first().unwrap();
    for reply in &done {
        assert_eq!(kept(reply), kept(first));
    }
    for reply in waiting {
        assert_eq!(reply.status, 409, "{}", reply.text);
        assert_eq!(reply.code(), "request_in_flight");
        assert!(reply.header("retry-after").is_some());
    }
}

#[tokio::test]
async fn two_people_may_choose_the_same_key() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let body = fields(&json!({ "name": "两人各自登记的项目" }));
    let one = create(&office.officer, "k-1", &body).await.expect(201);
    let other = create(&office.manager, "k-1", &body).await.expect(201);
    assert_ne!(one.str("/id"), other.str("/id"));
    assert_eq!(named(&office, "两人各自登记的项目").await, 2);
}

#[tokio::test]
async fn a_request_that_was_refused_may_be_tried_again_with_its_key() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({ "owner": null })).await;
    let request = step("attraction");
    let etag = project.etag().await;
    let shut = move_it(&project, "k-1", &etag, &request).await.expect(422);
    assert_eq!(shut.error_codes(), ["missing_owner"]);
    let owner = json!({ "owner": { "name": "盘锦新材料有限公司" } });
    project.amend(&owner).await.expect(200);
    let stale = move_it(&project, "k-1", &etag, &request).await;
    assert_eq!(stale.expect(412).code(), "stale_version");
    let etag = project.etag().await;
    move_it(&project, "k-1", &etag, &request).await.expect(201);

    let unnamed = fields(&json!({ "name": null }));
    create(&office.officer, "k-2", &unnamed).await.expect(422);
    let named = fields(&json!({}));
    create(&office.officer, "k-2", &named).await.expect(201);
}

#[tokio::test]
async fn a_key_has_at_most_255_visible_characters() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let body = fields(&json!({ "name": "键值不合规的项目" }));
    for key in ["", " ", "two words", &"k".repeat(256)] {
        let reply = create(&office.officer, key, &body).await.expect(400);
        assert_eq!(reply.code(), "invalid_idempotency_key", "{key:?}");
    }
    assert_eq!(named(&office, "键值不合规的项目").await, 0);
    let longest = "k".repeat(255);
    create(&office.officer, &longest, &body).await.expect(201);
}
