//! Covers, wholes and their parts: what a cover shows, and when a whole or a part of it may move.

use serde_json::json;

use crate::support::Server;
use crate::support::projects::{Office, Project, STARTED_ON, fields, obtained, step};

#[tokio::test]
async fn a_cover_takes_no_moves_no_permits_and_no_plan() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let port = office.find("盘锦港").await;
    let moves = [
        "attraction",
        "construction",
        "completion",
        "suspended",
        "resumed",
        "withdrawn",
        "planning",
        "corrected",
    ];
    let refused = (422, "cover_has_no_stage");
    for to in moves {
        let request = json!({ "to": to, "occurred_on": STARTED_ON, "note": "有原因" });
        port.refuses(&office.manager, &request, refused).await;
    }
    let outlook = office.officer.get(&port.path("/transitions")).await;
    assert_eq!(outlook.expect(200).at("/moves"), &json!([]));
    let before = port.trace().await;
    let permit = office
        .officer
        .put(&port.path("/approvals/sea_use"), &obtained());
    let reply = permit.if_none().send().await.expect(422);
    assert_eq!(reply.code(), "cover_has_no_stage");
    let plan = office
        .manager
        .put(&port.path("/plan-years/2025"), &json!({}));
    let reply = plan.if_none().send().await.expect(422);
    assert_eq!(reply.code(), "cover_has_no_stage");
    assert_eq!(port.trace().await, before);
}

#[tokio::test]
async fn a_cover_shows_what_its_parts_say_together() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let cover = json!({ "family_counting": "parts", "total_investment": null });
    let cover = office.register(&cover).await;
    let inside = json!({ "parent_id": cover.id });
    let one = office.register(&inside).await;
    let other = office.register(&inside).await;
    let shows = async |stage: &str, condition: &str| {
        let read = cover.read().await;
        let shown = (read.str("/stage"), read.str("/condition"));
        assert_eq!(shown, (stage.to_owned(), condition.to_owned()));
    };
    shows("planning", "active").await;
    one.go_on_to("completion").await;
    shows("construction", "active").await;
    other.manage("suspended", "2025-02-01").await;
    shows("construction", "suspended").await;
    other.manage("withdrawn", "2025-02-02").await;
    shows("completion", "active").await;
    one.correct().await;
    shows("construction", "active").await;
    one.manage("withdrawn", "2025-11-01").await;
    shows("construction", "withdrawn").await;
}

#[tokio::test]
async fn an_officer_moves_a_part_of_something_that_is_out_of_sight() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let dawa = server.sign_in("officer.dawa").await;
    let whole = json!({ "region": "211100", "unit": "panjin-drc", "name": "全市一体项目" });
    let whole = office.register(&whole).await;
    let part = office.register(&json!({ "parent_id": whole.id })).await;
    let moved = part.ask(&dawa, &step("attraction")).await.expect(201);
    assert_eq!(moved.str("/ancestors/0/name"), "全市一体项目");
    dawa.get(&whole.path("")).await.expect(404);
}

/// A whole under construction and, inside it, parts under construction.
async fn whole_with_parts(office: &Office, names: &[&str]) -> (Project, Vec<Project>) {
    let amount = json!({ "total_investment": { "exact": "1000000000.00" } });
    let whole = office.at_stage("construction", &amount).await;
    let mut parts = Vec::new();
    for name in names {
        let part = json!({ "name": name, "parent_id": whole.id });
        parts.push(office.at_stage("construction", &part).await);
    }
    (whole, parts)
}

#[tokio::test]
async fn a_whole_is_completed_only_after_each_part_is_completed_or_withdrawn() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let (whole, parts) = whole_with_parts(&office, &["一标段", "二标段"]).await;
    let refused = (422, "gate_shut");
    let complete = step("completion");
    let reply = whole.refuses(&office.officer, &complete, refused).await;
    assert_eq!(
        reply.error_codes(),
        ["part_not_completed", "part_not_completed"]
    );
    parts[0].step(&complete).await;
    let reply = whole.refuses(&office.officer, &complete, refused).await;
    assert_eq!(reply.error_codes(), ["part_not_completed"]);
    assert_eq!(reply.str("/errors/0/project_id"), parts[1].id);
    assert_eq!(reply.str("/errors/0/name"), "二标段");
    assert!(reply.str("/errors/0/detail").contains("二标段"));
    // A part that is only held is not done with.
    parts[1].manage("suspended", "2025-10-01").await;
    whole.refuses(&office.officer, &complete, refused).await;
    parts[1].manage("withdrawn", "2025-10-02").await;
    whole.step(&complete).await;
}

#[tokio::test]
async fn inside_a_completed_whole_no_part_becomes_open_work_again() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let (whole, parts) = whole_with_parts(&office, &["一标段", "二标段"]).await;
    parts[0].step(&step("completion")).await;
    parts[1].manage("withdrawn", "2025-10-02").await;
    whole.step(&step("completion")).await;

    let inside = (422, "inside_completed_whole");
    let correct = json!({ "to": "corrected", "note": "录入有误" });
    let again = json!({ "to": "planning", "occurred_on": "2025-11-01", "note": "重新入库" });
    parts[0].refuses(&office.manager, &correct, inside).await;
    parts[1].refuses(&office.manager, &correct, inside).await;
    parts[1].refuses(&office.manager, &again, inside).await;
    let before = whole.trace().await;
    let late = fields(&json!({ "parent_id": whole.id }));
    let late = office.officer.post("/v1/projects", &late).send().await;
    assert_eq!(late.expect(422).code(), inside.1);
    let other = office.register(&json!({})).await;
    let joining = other.amend(&json!({ "parent_id": whole.id })).await;
    assert_eq!(joining.expect(422).code(), inside.1);
    assert_eq!(whole.trace().await, before);

    whole.correct().await;
    let opened = parts[0].correct().await;
    assert_eq!(opened.str("/stage"), "construction");
    let opened = parts[1].correct().await;
    assert_eq!(opened.str("/condition"), "active");
}

#[tokio::test]
async fn whatever_a_gate_reads_of_a_part_changes_the_version_of_all_that_it_is_part_of() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let cover = json!({ "family_counting": "parts", "total_investment": null });
    let cover = office.register(&cover).await;
    let amount = json!({ "exact": "1000000000.00" });
    let whole = json!({ "parent_id": cover.id, "total_investment": amount });
    let whole = office.register(&whole).await;
    let part = office.register(&json!({ "parent_id": whole.id })).await;
    let sibling = office.register(&json!({ "parent_id": whole.id })).await;
    let family = [&cover, &whole, &part];
    let versions = async || {
        let mut versions = Vec::new();
        for member in family {
            versions.push(member.version().await);
        }
        versions
    };
    let mut before = versions().await;
    let aside = sibling.etag().await;
    let mut all_moved_by_one = async |what: &str| {
        let expected: Vec<i64> = before.iter().map(|version| version + 1).collect();
        before = versions().await;
        assert_eq!(before, expected, "{what}");
    };

    let seen = whole.etag().await;
    part.permit("land_use").await;
    all_moved_by_one("a permit").await;
    let stale = office
        .officer
        .post(&whole.path("/transitions"), &step("attraction"))
        .if_match(&seen);
    assert_eq!(stale.send().await.expect(412).code(), "stale_version");
    part.plan(2025).await;
    all_moved_by_one("a plan").await;
    let amount = json!({ "total_investment": { "exact": "300000000.00" } });
    part.amend(&amount).await.expect(200);
    all_moved_by_one("an amount").await;
    part.step(&step("attraction")).await;
    all_moved_by_one("a move").await;
    part.correct().await;
    all_moved_by_one("a correction").await;
    office.register(&json!({ "parent_id": part.id })).await;
    all_moved_by_one("a part of the part").await;
    assert_eq!(sibling.etag().await, aside, "a sibling is not touched");

    // Who leaves one family for another changes both.
    let other = json!({ "family_counting": "parts", "total_investment": null });
    let other = office.register(&other).await;
    let joined = other.version().await;
    let parent = json!({ "parent_id": other.id });
    part.amend(&parent).await.expect(200);
    all_moved_by_one("a part that left").await;
    assert_eq!(other.version().await, joined + 1);
}
