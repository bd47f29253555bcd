//! Many people at once: nobody's change is lost, and nobody is hindered by what is not his own.

use std::collections::BTreeMap;

use futures::future::join_all;
use sea_orm::ConnectionTrait;
use sea_orm::sea_query::{Alias, Expr, ExprTrait, Query};
use serde_json::json;

use crate::support::projects::{Office, Project, new_code, obtained, step};
use crate::support::{Reply, Server};

const MANY: usize = 64;

/// How many rows of the table of moves a project has of this kind.
async fn stored_moves(server: &Server, project: &Project, kind: &str) -> i64 {
    let id: uuid::Uuid = project.id.parse().unwrap();
    let count = Query::select()
        .expr(Expr::cust("COUNT(*)"))
        .from(Alias::new("transition"))
        .and_where(Expr::col(Alias::new("project_id")).eq(id))
        .and_where(Expr::col(Alias::new("kind")).eq(kind))
        .to_owned();
    let row = server.database().await.query_one(&count).await.unwrap();
    row.unwrap().try_get_by_index(0).unwrap()
}

/// How often each status was answered.
fn statuses(replies: &[Reply]) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    for reply in replies {
        *statuses.entry(reply.status).or_default() += 1;
    }
    statuses
}

/// One was done with this status; all others were told that they came too late.
fn one_was_first(replies: &[Reply], done: u16) -> &Reply {
    let statuses = statuses(replies);
    let too_late = |status: &u16| [done, 409, 412].contains(status);
    assert!(statuses.keys().all(too_late), "{statuses:?}");
    assert_eq!(statuses.get(&done), Some(&1), "{statuses:?}");
    replies.iter().find(|reply| reply.status == done).unwrap()
}

#[tokio::test]
async fn of_many_moves_from_one_version_exactly_one_is_made() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("attraction", &json!({})).await;
    project.make_ready_to_start().await;
    let (etag, version) = (project.etag().await, project.version().await);
    let moved = project.events("moved").await;
    let path = project.path("/transitions");
    let request = step("construction");
    let replies = join_all((0..MANY).map(|_| {
        let request = office.officer.post(&path, &request);
        request.if_match(&etag).send()
    }))
    .await;
    let won = one_was_first(&replies, 201);
    assert_eq!(project.read().await.body, won.body);
    assert_eq!(project.version().await, version + 1);
    assert_eq!(project.events("moved").await, moved + 1);
    assert_eq!(stored_moves(&server, &project, "construction").await, 1);
}

#[tokio::test]
async fn of_many_amendments_of_one_version_exactly_one_is_made() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    let (etag, version) = (project.etag().await, project.version().await);
    let replies = join_all((0..MANY).map(|who| {
        let patch = json!({ "steward": format!("管家{who}") });
        let request = office.officer.patch(&project.path(""), &patch);
        request.if_match(&etag).send()
    }))
    .await;
    let won = one_was_first(&replies, 200);
    assert_eq!(project.read().await.body, won.body);
    assert_eq!(project.version().await, version + 1);
    assert_eq!(project.events("amended").await, 1);
}

#[tokio::test]
async fn parts_of_one_cover_move_at_the_same_time_without_hindering_each_other() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let cover = json!({ "family_counting": "parts", "total_investment": null });
    let cover = office.register(&cover).await;
    let mut parts = Vec::new();
    for _ in 0..32 {
        let part = office.register(&json!({ "parent_id": cover.id })).await;
        let etag = part.etag().await;
        parts.push((part, etag));
    }
    assert_eq!(cover.read().await.str("/stage"), "planning");
    let version = cover.version().await;
    let request = step("attraction");
    let replies = join_all(parts.iter().map(|(part, etag)| {
        let request = office.officer.post(&part.path("/transitions"), &request);
        request.if_match(etag).send()
    }))
    .await;
    assert_eq!(statuses(&replies), BTreeMap::from([(201, 32)]));
    for (part, _) in &parts {
        assert_eq!(part.read().await.str("/stage"), "attraction");
        assert_eq!(part.events("moved").await, 1);
    }
    assert_eq!(cover.read().await.str("/stage"), "attraction");
    assert_eq!(cover.version().await, version + 32, "one for each move");
}

#[tokio::test]
async fn a_permit_can_not_be_withdrawn_from_under_the_move_that_rests_on_it() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let permit = "/approvals/land_use";
    for _ in 0..4 {
        let project = office.at_stage("attraction", &json!({})).await;
        project.make_ready_to_start().await;
        let etag = project.etag().await;
        let start = office
            .officer
            .post(&project.path("/transitions"), &step("construction"));
        let pending = json!({ "status": "pending" });
        let lose = office.officer.put(&project.path(permit), &pending);
        let (start, lose) =
            futures::join!(start.if_match(&etag).send(), lose.if_match("\"1\"").send());
        let has_permit = office.officer.get(&project.path(permit)).await;
        let stands = (
            project.read().await.str("/stage"),
            has_permit.str("/status"),
        );
        match (start.status, lose.status) {
            (201, 422) => assert_eq!(stands, ("construction".into(), "obtained".into())),
            (412, 200) => assert_eq!(stands, ("attraction".into(), "pending".into())),
            other => panic!("{other:?}: {} {}", start.text, lose.text),
        }
    }
}

#[tokio::test]
async fn a_part_is_not_opened_while_its_whole_is_completed() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let amount = json!({ "total_investment": { "exact": "1000000000.00" } });
    for _ in 0..3 {
        let whole = office.at_stage("construction", &amount).await;
        let part = json!({ "parent_id": whole.id });
        let part = office.at_stage("completion", &part).await;
        let (of_whole, of_part) = (whole.etag().await, part.etag().await);
        let complete = office
            .officer
            .post(&whole.path("/transitions"), &step("completion"));
        let correction = json!({ "to": "corrected", "note": "录入有误" });
        let open = office.manager.post(&part.path("/transitions"), &correction);
        let (complete, open) = futures::join!(
            complete.if_match(&of_whole).send(),
            open.if_match(&of_part).send()
        );
        let stands = (
            whole.read().await.str("/stage"),
            part.read().await.str("/stage"),
        );
        match (complete.status, open.status) {
            (201, 422) => assert_eq!(stands, ("completion".into(), "completion".into())),
            (412, 201) => assert_eq!(stands, ("construction".into(), "construction".into())),
            other => panic!("{other:?}: {} {}", complete.text, open.text),
        }
    }
}

#[tokio::test]
async fn of_many_who_enter_one_code_or_one_permit_exactly_one_is_first() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let path = format!("/v1/projects/by-code/{}", new_code());
    let replies = join_all((0..16).map(|_| {
        let mut fields = crate::support::projects::fields(&json!({}));
        fields["name"] = json!("同一代码的项目");
        office.officer.put(&path, &fields).if_none().send()
    }))
    .await;
    let made = one_was_first(&replies, 201);
    let page = office.officer.get("/v1/projects?q=同一代码的项目").await;
    assert_eq!(page.at("/items").as_array().unwrap().len(), 1);

    let project = office.project(&made.str("/id"));
    let version = project.version().await;
    let path = project.path("/approvals/land_use");
    let replies = join_all((0..16).map(|_| {
        let request = office.officer.put(&path, &obtained());
        request.if_none().send()
    }))
    .await;
    one_was_first(&replies, 201);
    assert_eq!(project.version().await, version + 1);
    assert_eq!(project.events("approval_changed").await, 1);
}
