//! Moving projects forward: what the gates ask for, who may, and what stays as it was.

use serde_json::{Value, json};

use crate::support::projects::{
    ATTRACTED_ON, COMPLETED_ON, Office, PERMITS, Project, SIGNED_ON, STARTED_ON, document, fields,
    new_code, obtained, offer, step, step_on,
};
use crate::support::{Reply, Server};

/// A gate that is shut, and the one request that is tried again and again.
struct Gate<'p> {
    project: &'p Project,
    request: Value,
    lacking: Vec<String>,
}

impl<'p> Gate<'p> {
    async fn shut(project: &'p Project, request: Value, lacking: &[&str]) -> Self {
        let lacking = lacking.iter().map(|&code| code.to_owned()).collect();
        let gate = Self {
            project,
            request,
            lacking,
        };
        gate.refuses().await;
        gate
    }

    /// It refuses with exactly what is lacking, and would have said so beforehand.
    async fn refuses(&self) {
        let officer = &self.project.office.officer;
        let refused = (422, "gate_shut");
        let reply = self.project.refuses(officer, &self.request, refused).await;
        let lacking = sorted(self.lacking.clone());
        assert_eq!(sorted(reply.error_codes()), lacking, "{}", reply.text);
        assert_eq!(reply.str("/detail"), format!("还缺 {} 项", lacking.len()));

        let to = self.request["to"].as_str().unwrap();
        let offer = offer(self.project, to).await;
        assert_eq!(offer["possible"], false);
        // The day of the move is not known beforehand, so the plan is told for the year that it is.
        let but_the_plan = |codes: Vec<String>| -> Vec<String> {
            let kept = codes.into_iter().filter(|c| c != "not_in_annual_plan");
            sorted(kept.collect())
        };
        let told = but_the_plan(codes(&offer["missing"]));
        assert_eq!(told, but_the_plan(lacking));
    }

    /// What was lacking has been supplied: it alone has gone from the list.
    async fn has_got(&mut self, code: &str) {
        let before = self.lacking.len();
        self.lacking.retain(|lacking| lacking != code);
        assert_eq!(self.lacking.len() + 1, before, "{code}");
        if !self.lacking.is_empty() {
            self.refuses().await;
        }
    }

    /// Nothing is lacking any more: the same request is granted.
    async fn opens(self) -> Reply {
        assert_eq!(self.lacking, [""; 0]);
        self.project.step(&self.request).await
    }
}

fn sorted(mut codes: Vec<String>) -> Vec<String> {
    codes.sort();
    codes
}

/// The codes of faults, with the item where there is one.
fn codes(faults: &Value) -> Vec<String> {
    let code = |fault: &Value| {
        let code = fault["code"].as_str().unwrap();
        match fault["item"].as_str() {
            Some(item) => format!("{code}:{item}"),
            None => code.to_owned(),
        }
    };
    faults.as_array().unwrap().iter().map(code).collect()
}

#[tokio::test]
async fn a_storage_goes_from_planning_to_completion_once_every_missing_item_is_supplied() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.find("马19储气库").await;
    let found = project.read().await;
    assert_eq!(found.at("/lists"), &json!(["gas-storage"]));
    assert_eq!(found.str("/stage"), "planning");
    assert_eq!(found.str("/stage_basis"), "opening_balance");

    let lacking = [
        "missing_attraction_fact",
        "missing_investment",
        "missing_owner",
    ];
    let mut gate = Gate::shut(&project, step("attraction"), &lacking).await;
    let floor = json!({ "total_investment": { "floor": "600000000.00" } });
    project.amend(&floor).await.expect(200);
    gate.has_got("missing_investment").await;
    let owner = json!({ "owner": { "name": "辽河油田", "uscc": "91110000600037341L" } });
    project.amend(&owner).await.expect(200);
    gate.has_got("missing_owner").await;
    let funds = json!({
        "funds_approved_on": SIGNED_ON,
        "funds_approved_document": document("辽发改投资〔2024〕66号", SIGNED_ON),
    });
    project.amend(&funds).await.expect(200);
    gate.has_got("missing_attraction_fact").await;
    let moved = gate.opens().await;
    assert_eq!(moved.str("/stage"), "attraction");
    assert_eq!(moved.str("/stage_basis"), "gate");
    assert_eq!(moved.str("/stage_since"), ATTRACTED_ON);

    start_a_storage(&project).await;

    let told = offer(&project, "completion").await;
    assert_eq!(told["needs"], json!(["/occurred_on", "/acceptance"]));
    assert_eq!(told["possible"], true);
    let bare = json!({ "to": "completion", "occurred_on": COMPLETED_ON });
    let refused = (422, "gate_shut");
    let refused = project.refuses(&office.officer, &bare, refused).await;
    assert_eq!(refused.error_codes(), ["missing_acceptance"]);
    let moved = project.step(&step("completion")).await;
    assert_eq!(moved.str("/stage"), "completion");
    assert_eq!(moved.str("/completed_on"), COMPLETED_ON);
    assert_eq!(moved.str("/started_on"), STARTED_ON);
    assert_eq!(project.events("moved").await, 3);

    let outlook = office.manager.get(&project.path("/transitions")).await;
    let passed = json!([
        { "stage": "planning", "basis": "opening_balance" },
        { "stage": "attraction", "basis": "gate" },
        { "stage": "construction", "basis": "gate" },
        { "stage": "completion", "basis": "gate" },
    ]);
    assert_eq!(outlook.at("/passed"), &passed);
}

async fn start_a_storage(project: &Project) {
    // As long as its kind is not known, the permits that every kind needs are told, and that of energy works.
    let permits = PERMITS.iter().chain(&["safety_review"]);
    let permits: Vec<String> = permits
        .map(|item| format!("missing_approval:{item}"))
        .collect();
    let mut lacking = vec![
        "missing_exact_investment",
        "missing_project_code",
        "missing_kind",
    ];
    lacking.extend(permits.iter().map(String::as_str));
    lacking.push("not_in_annual_plan");
    let mut gate = Gate::shut(project, step("construction"), &lacking).await;
    let bare = json!({ "to": "construction", "occurred_on": STARTED_ON });
    let officer = &project.office.officer;
    let refused = project.refuses(officer, &bare, (422, "gate_shut")).await;
    lacking.push("missing_start_evidence");
    let and_evidence = lacking.iter().map(|&code| code.to_owned()).collect();
    assert_eq!(sorted(refused.error_codes()), sorted(and_evidence));

    project
        .amend(&json!({ "kind": "enterprise_approved" }))
        .await
        .expect(200);
    gate.has_got("missing_kind").await;

    let exact = json!({ "total_investment": { "exact": "837000000.00" } });
    project.amend(&exact).await.expect(200);
    gate.has_got("missing_exact_investment").await;
    for item in ["safety_review", PERMITS[3], PERMITS[0], PERMITS[5]] {
        project.permit(item).await;
        gate.has_got(&format!("missing_approval:{item}")).await;
    }
    project.plan(2024).await;
    gate.refuses().await;
    project.plan(2025).await;
    gate.has_got("not_in_annual_plan").await;
    let code = json!({ "code": "2101-211100-04-01-123456" });
    project.amend(&code).await.expect(200);
    gate.has_got("missing_project_code").await;
    for item in [PERMITS[1], PERMITS[4]] {
        project.permit(item).await;
        gate.has_got(&format!("missing_approval:{item}")).await;
    }
    // A permit that is only applied for opens nothing.
    let path = project.path(&format!("/approvals/{}", PERMITS[2]));
    let pending = json!({ "status": "pending" });
    let asked = officer.put(&path, &pending).if_none();
    let asked = asked.send().await.expect(201);
    gate.refuses().await;
    let got = officer.put(&path, &obtained()).if_match(&asked.etag());
    got.send().await.expect(200);
    gate.has_got(&format!("missing_approval:{}", PERMITS[2]))
        .await;

    let moved = gate.opens().await;
    assert_eq!(moved.str("/stage"), "construction");
    assert_eq!(moved.str("/started_on"), STARTED_ON);
    assert_eq!(moved.str("/code"), "2101-211100-04-01-123456");
}

#[tokio::test]
async fn a_fact_without_its_document_opens_no_gate_and_the_field_is_named() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({ "signed_document": null })).await;
    let refused = (422, "gate_shut");
    let reply = project
        .refuses(&office.officer, &step("attraction"), refused)
        .await;
    assert_eq!(reply.error_codes(), ["missing_document"]);
    assert_eq!(reply.pointers(), ["/signed_document"]);

    let little = json!({ "total_investment": { "exact": "4999999.99" } });
    project.amend(&little).await.expect(200);
    let reply = project
        .refuses(&office.officer, &step("attraction"), refused)
        .await;
    assert_eq!(
        reply.error_codes(),
        ["missing_document", "investment_below_least"]
    );
}

#[tokio::test]
async fn no_stage_is_skipped_repeated_or_gone_back_to() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    project.make_ready_to_start().await;
    let shut = async |to: &str, code: &str| {
        let answer = (422, code);
        project.refuses(&office.officer, &step(to), answer).await;
    };
    shut("construction", "stage_skipped").await;
    shut("completion", "stage_skipped").await;
    project.step(&step("attraction")).await;
    shut("attraction", "already_in_stage").await;
    shut("completion", "stage_skipped").await;
    project.step(&step("construction")).await;
    shut("attraction", "no_way_back").await;
    project.step(&step("completion")).await;
    shut("construction", "no_way_back").await;
    for to in ["suspended", "withdrawn"] {
        let request = json!({ "to": to, "occurred_on": COMPLETED_ON, "note": "停工" });
        let refused = (422, "project_completed");
        project.refuses(&office.manager, &request, refused).await;
    }
}

#[tokio::test]
async fn a_move_happened_on_a_day_that_has_come_and_not_before_the_last_one() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office
        .register(&json!({ "planned_on": "2024-12-01" }))
        .await;
    let officer = &office.officer;
    let today = chrono::Utc::now().with_timezone(&server.config.time_zone);
    let tomorrow = today.date_naive() + chrono::Days::new(1);
    // Nor may midnight pass between this line and the answer.
    let after = tomorrow + chrono::Days::new(1);

    let cases = [
        (json!({ "to": "attraction" }), "date_missing"),
        (step_on("attraction", &after.to_string()), "date_in_future"),
        (step_on("attraction", "2024-11-30"), "date_before_last_move"),
    ];
    for (request, code) in cases {
        let reply = project.refuses(officer, &request, (422, code)).await;
        assert_eq!(reply.pointers(), ["/occurred_on"]);
    }
    project.step(&step_on("attraction", "2024-12-01")).await;
    project.make_ready_to_start().await;
    let early = step_on("construction", "2024-11-30");
    let refused = (422, "date_before_last_move");
    let reply = project.refuses(officer, &early, refused).await;
    // All at once: the year of that day is not planned either.
    assert_eq!(
        reply.error_codes(),
        ["date_before_last_move", "not_in_annual_plan"]
    );
    let ancient = step_on("construction", "1948-12-31");
    project
        .refuses(officer, &ancient, (422, "validation_failed"))
        .await;
}

#[tokio::test]
async fn start_and_completion_need_evidence_that_can_be_found_and_belongs_to_them() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("attraction", &json!({})).await;
    project.make_ready_to_start().await;
    let mut nothing = step("construction");
    nothing["start_evidence"] = json!({ "issued_on": STARTED_ON });
    let refused = (422, "evidence_not_identified");
    let reply = project.refuses(&office.officer, &nothing, refused).await;
    assert_eq!(reply.pointers(), ["/start_evidence"]);
    let mut foreign = step("construction");
    foreign["acceptance"] = document("盘竣验〔2025〕7号", STARTED_ON);
    let refused = (422, "evidence_not_taken");
    let reply = project.refuses(&office.officer, &foreign, refused).await;
    assert_eq!(reply.pointers(), ["/acceptance"]);
}

#[tokio::test]
async fn a_move_is_made_from_the_version_that_was_seen() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    let seen = project.etag().await;
    project
        .amend(&json!({ "steward": "李管家" }))
        .await
        .expect(200);
    let before = project.trace().await;
    let path = project.path("/transitions");
    let request = || office.officer.post(&path, &step("attraction"));
    let bare = request().send().await.expect(428);
    assert_eq!(bare.code(), "precondition_required");
    let stale = request().if_match(&seen).send().await.expect(412);
    assert_eq!(stale.code(), "stale_version");
    request().if_match("*").send().await.expect(400);
    assert_eq!(project.trace().await, before);
}

#[tokio::test]
async fn an_officer_of_one_district_neither_sees_nor_moves_projects_of_another() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let dawa = server.sign_in("officer.dawa").await;
    let theirs = json!({ "region": "211102", "unit": "shuangtaizi-drb" });
    let project = office.register(&theirs).await;
    let before = project.trace().await;

    let absent = (404, "not_found");
    project.refuses(&dawa, &step("attraction"), absent).await;
    for below in ["", "/transitions", "/history", "/approvals", "/plan-years"] {
        dawa.get(&project.path(below)).await.expect(404);
    }
    let etag = project.etag().await;
    let amend = dawa.patch(&project.path(""), &json!({ "steward": "他" }));
    amend.if_match(&etag).send().await.expect(404);
    let permit = dawa.put(&project.path("/approvals/land_use"), &obtained());
    permit.if_none().send().await.expect(404);
    assert_eq!(project.trace().await, before);

    let mut wanted = fields(&theirs);
    wanted["name"] = json!("大洼专员在双台子登记");
    let refused = dawa.post("/v1/projects", &wanted).send().await.expect(403);
    assert_eq!(refused.code(), "forbidden");
    let path = "/v1/projects?q=大洼专员在双台子登记";
    assert_eq!(office.manager.get(path).await.at("/items"), &json!([]));

    let own = office.register(&json!({})).await;
    own.ask(&dawa, &step("attraction")).await.expect(201);
    let away = dawa.patch(&own.path(""), &theirs);
    let away = away.if_match(&own.etag().await).send().await.expect(403);
    assert_eq!(away.code(), "forbidden");
}

#[tokio::test]
async fn a_leader_reads_what_may_be_done_and_does_nothing() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let leader = server.sign_in("leader").await;
    let project = office.register(&json!({})).await;
    project
        .refuses(&leader, &step("attraction"), (403, "forbidden"))
        .await;
    let outlook = leader.get(&project.path("/transitions")).await.expect(200);
    for offer in outlook.at("/moves").as_array().unwrap() {
        assert_eq!(offer["possible"], false, "{offer}");
    }
    let reply = project
        .ask(&server.anonymous(), &step("attraction"))
        .await
        .expect(401);
    assert_eq!(reply.code(), "unauthenticated");
}

#[tokio::test]
async fn a_refusal_is_told_in_the_language_of_the_reader_with_the_same_codes() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({ "owner": null })).await;
    let etag = project.etag().await;
    let path = project.path("/transitions");
    let ask = || office.officer.post(&path, &step("attraction"));
    let chinese = ask().if_match(&etag).send().await.expect(422);
    let english = ask().english().if_match(&etag).send().await.expect(422);
    assert_eq!(chinese.error_codes(), english.error_codes());
    assert_eq!(chinese.str("/errors/0/detail"), "没有投资主体或出资单位");
    assert_eq!(english.str("/title"), "The gate to attraction is shut");
    assert_eq!(
        english.str("/errors/0/detail"),
        "No investor or funding body"
    );
}

#[tokio::test]
async fn evidence_that_opened_a_gate_stays_while_the_move_stands() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("construction", &json!({})).await;
    let permit = project.path("/approvals/land_use");
    let plan = project.path("/plan-years/2025");
    let no_code = json!({ "code": null });
    let floor = json!({ "total_investment": { "floor": "200000000.00" } });
    let pending = json!({ "status": "pending" });
    let unsigned = json!({ "signed_on": null, "signed_document": null });
    let set_pending = async || {
        let etag = office.officer.get(&permit).await.expect(200).etag();
        let request = office.officer.put(&permit, &pending);
        request.if_match(&etag).send().await
    };
    let take_out = async || {
        let etag = office.manager.get(&plan).await.expect(200).etag();
        office.manager.delete(&plan).if_match(&etag).send().await
    };

    let before = project.trace().await;
    let in_use = |reply: Reply, missing: &str| {
        let reply = reply.expect(422);
        assert_eq!(reply.code(), "evidence_in_use");
        assert_eq!(reply.error_codes(), [missing]);
    };
    in_use(project.amend(&no_code).await, "missing_project_code");
    in_use(project.amend(&floor).await, "missing_exact_investment");
    in_use(
        project.amend(&json!({ "kind": null })).await,
        "missing_kind",
    );
    in_use(
        project.amend(&json!({ "owner": null })).await,
        "missing_owner",
    );
    in_use(project.amend(&unsigned).await, "missing_attraction_fact");
    in_use(set_pending().await, "missing_approval:land_use");
    in_use(take_out().await, "not_in_annual_plan");
    assert_eq!(project.trace().await, before);

    // What the gate rests on may still be put right, and what it does not rest on may go.
    let next = project.plan(2026).await.etag();
    let path = project.path("/plan-years/2026");
    let next = office.manager.delete(&path).if_match(&next);
    next.send().await.expect(204);
    let more = json!({ "total_investment": { "exact": "210000000.00" }, "code": new_code() });
    project.amend(&more).await.expect(200);

    project.correct().await;
    project.amend(&no_code).await.expect(200);
    project.amend(&floor).await.expect(200);
    set_pending().await.expect(200);
    take_out().await.expect(204);
    in_use(project.amend(&unsigned).await, "missing_attraction_fact");
    project.correct().await;
    project.amend(&unsigned).await.expect(200);
}

#[tokio::test]
async fn a_permit_that_does_not_apply_is_waived_by_a_manager_with_a_reason() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.at_stage("attraction", &json!({})).await;
    project.amend(&json!({ "code": new_code() })).await;
    for item in &PERMITS[1..] {
        project.permit(item).await;
    }
    project.plan(2025).await;
    let lacking = ["missing_approval:project_approval"];
    let mut gate = Gate::shut(&project, step("construction"), &lacking).await;

    let path = project.path("/approvals/project_approval");
    let waived = json!({ "status": "waived", "reason": "既有项目改建，不涉及" });
    let before = project.trace().await;
    let by_officer = office.officer.put(&path, &waived).if_none();
    let reply = by_officer.send().await.expect(403);
    assert_eq!(reply.code(), "needs_manager");
    let bare = json!({ "status": "waived" });
    let no_reason = office.manager.put(&path, &bare).if_none();
    let reply = no_reason.send().await.expect(422);
    assert_eq!(reply.code(), "validation_failed");
    assert_eq!(reply.pointers(), ["/reason"]);
    assert_eq!(project.trace().await, before);

    let made = office.manager.put(&path, &waived).if_none();
    let made = made.send().await.expect(201);
    gate.has_got(lacking[0]).await;
    let undone = office.officer.put(&path, &obtained());
    let undone = undone.if_match(&made.etag()).send().await.expect(403);
    assert_eq!(undone.code(), "needs_manager");
    gate.opens().await;
}
