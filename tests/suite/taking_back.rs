//! Holding, withdrawing, re-entering and correcting: a manager's, with a reason, and what each restores.

use serde_json::{Value, json};

use crate::support::Server;
use crate::support::projects::{
    COMPLETED_ON, Office, Project, SIGNED_ON, STARTED_ON, document, offer, step, step_on,
};

/// Where a project stands: all that a correction restores.
async fn standing(project: &Project) -> Value {
    let read = project.read().await;
    let members = [
        "stage",
        "condition",
        "stage_since",
        "stage_basis",
        "started_on",
        "completed_on",
        "commissioned_on",
    ];
    members.iter().map(|&m| (m, read.body[m].clone())).collect()
}

#[tokio::test]
async fn holding_withdrawing_re_entering_and_correcting_are_a_managers() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("attraction", &json!({})).await;
    for to in ["suspended", "resumed", "withdrawn", "planning", "corrected"] {
        let request = json!({ "to": to, "occurred_on": STARTED_ON, "note": "有原因" });
        let refused = (403, "needs_manager");
        project.refuses(&office.officer, &request, refused).await;
    }
    assert_eq!(offer(&project, "suspended").await["possible"], false);
}

#[tokio::test]
async fn a_manager_holds_withdraws_and_re_enters_a_project_with_a_reason() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("construction", &json!({})).await;
    let manager = &office.manager;
    let no_reason = async |to: &str| {
        let mut request = json!({ "to": to, "occurred_on": "2025-09-01" });
        if to == "corrected" {
            request = json!({ "to": to });
        }
        let refused = (422, "reason_missing");
        let reply = project.refuses(manager, &request, refused).await;
        assert_eq!(reply.pointers(), ["/note"]);
        request["note"] = json!("  ");
        let refused = (422, "validation_failed");
        project.refuses(manager, &request, refused).await;
    };
    let refuses = async |request: &Value, code: &str| {
        project.refuses(manager, request, (422, code)).await;
    };
    let why = |to: &str, day: &str| json!({ "to": to, "occurred_on": day, "note": "有原因" });

    refuses(&why("resumed", "2025-04-01"), "not_suspended").await;
    refuses(&why("planning", "2025-04-01"), "not_withdrawn").await;
    no_reason("suspended").await;
    no_reason("corrected").await;
    let held = project.manage("suspended", "2025-04-01").await;
    assert_eq!(
        (held.str("/stage"), held.str("/condition")),
        ("construction".to_owned(), "suspended".to_owned())
    );
    refuses(&step("completion"), "project_suspended").await;
    refuses(&why("resumed", "2025-03-31"), "date_before_last_move").await;
    no_reason("resumed").await;
    let back = project.manage("resumed", "2025-05-01").await;
    assert_eq!(back.str("/condition"), "active");
    assert_eq!(back.str("/stage_since"), STARTED_ON);

    no_reason("withdrawn").await;
    let left = project.manage("withdrawn", "2025-06-01").await;
    assert_eq!(left.str("/condition"), "withdrawn");
    refuses(&step("completion"), "project_withdrawn").await;
    no_reason("planning").await;
    let anew = project.manage("planning", "2025-07-01").await;
    assert_eq!(
        standing(&project).await,
        json!({
            "stage": "planning", "condition": "active", "stage_since": "2025-07-01", "stage_basis": "gate",
            "started_on": null, "completed_on": null, "commissioned_on": null,
        })
    );
    assert_eq!(anew.str("/signed_on"), SIGNED_ON);
    // It goes through every gate again; what was supplied is still there.
    project.step(&step_on("attraction", "2025-07-02")).await;
    let again = project.step(&step_on("construction", "2025-08-01")).await;
    assert_eq!(again.str("/started_on"), "2025-08-01");
}

#[tokio::test]
async fn a_correction_restores_where_the_project_stood_step_by_step_down_to_its_registration() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    project.make_ready_to_start().await;
    let mut stood = vec![standing(&project).await];
    for to in ["attraction", "construction"] {
        project.step(&step(to)).await;
        stood.push(standing(&project).await);
    }
    for (to, day) in [("suspended", "2025-04-01"), ("resumed", "2025-05-01")] {
        project.manage(to, day).await;
        stood.push(standing(&project).await);
    }
    project.step(&step("completion")).await;

    let dated = json!({ "to": "corrected", "occurred_on": COMPLETED_ON, "note": "录入有误" });
    let refused = (422, "date_not_taken");
    project.refuses(&office.manager, &dated, refused).await;
    let mut events = project.history().await.len();
    for stood in stood.iter().rev() {
        project.correct().await;
        assert_eq!(&standing(&project).await, stood);
        events += 1;
        assert_eq!(project.history().await.len(), events, "nothing is erased");
    }
    let again = json!({ "to": "corrected", "note": "录入有误" });
    let refused = (422, "nothing_to_correct");
    project.refuses(&office.manager, &again, refused).await;
    assert_eq!(project.events("moved").await, 10);

    // What was taken back binds no date: the move is made again, a day earlier.
    let moved = project.step(&step_on("attraction", "2025-01-09")).await;
    assert_eq!(moved.str("/stage_since"), "2025-01-09");
    project.correct().await;
    assert_eq!(standing(&project).await, stood[0]);
}

#[tokio::test]
async fn an_opening_balance_is_never_taken_back() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.find("马19储气库").await;
    let again = json!({ "to": "corrected", "note": "录入有误" });
    let refused = (422, "nothing_to_correct");
    project.refuses(&office.manager, &again, refused).await;
    let stood = standing(&project).await;
    let path = project.path("/transitions");
    let outlook = office.manager.get(&path).await.expect(200);
    let moves = outlook.at("/moves").as_array().unwrap();
    assert!(moves.iter().all(|offer| offer["to"] != "corrected"));

    let supply = json!({
        "total_investment": { "floor": "600000000.00" }, "owner": { "name": "辽河油田" },
        "signed_on": SIGNED_ON, "signed_document": document("合同〔2024〕12号", SIGNED_ON),
    });
    project.amend(&supply).await.expect(200);
    project.step(&step("attraction")).await;
    project.correct().await;
    assert_eq!(standing(&project).await, stood);
    project.refuses(&office.manager, &again, refused).await;
}

#[tokio::test]
async fn taking_a_start_back_takes_the_day_of_production_with_it() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("construction", &json!({})).await;
    let trial = json!({ "commissioned_on": "2025-08-01" });
    project.amend(&trial).await.expect(200);
    project.correct().await;
    let read = project.read().await;
    assert_eq!(read.at("/commissioned_on"), &Value::Null);
    let history = project.history().await;
    assert_eq!(history[0]["before"]["commissioned_on"], "2025-08-01");
}

#[tokio::test]
async fn taking_a_re_entry_back_restores_the_dates_that_it_had_cleared() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("construction", &json!({})).await;
    let trial = json!({ "commissioned_on": "2025-04-01", "at_capacity_on": "2025-05-01" });
    project.amend(&trial).await.expect(200);
    project.manage("withdrawn", "2025-06-01").await;
    let stood = standing(&project).await;
    project.manage("planning", "2025-07-01").await;
    let read = project.correct().await;
    assert_eq!(standing(&project).await, stood);
    assert_eq!(read.str("/commissioned_on"), "2025-04-01");
    assert_eq!(read.str("/at_capacity_on"), "2025-05-01");
}
