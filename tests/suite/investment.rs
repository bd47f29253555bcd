//! Investment figures by month: what is told, what is not, what they add up to, and the rates that follow.

use chrono::{Datelike, Months, NaiveDate};
use serde_json::{Value, json};

use crate::support::library::{NOBODY, add_account, day, fields, id, with};
use crate::support::projects::{Office, Project};
use crate::support::{Client, Reply, Server};
use taizhang::auth::Role;

const DAWA: &str = "211104";

/// The path of a month, or of a year, of a project.
fn figures_of(project: &Project, when: &str) -> String {
    project.path(&format!("/investment/{when}"))
}

/// The officer enters a month of which nothing was told.
async fn enter(project: &Project, when: &str, figures: &Value) -> Reply {
    let path = figures_of(project, when);
    let request = project.office.officer.put(&path, figures).if_none();
    request.send().await.expect(201)
}

async fn year(project: &Project, year: i32) -> Reply {
    let path = figures_of(project, &year.to_string());
    project.office.manager.get(&path).await.expect(200)
}

fn sum(amount: &str, months: u32) -> Value {
    json!({ "sum": amount, "months": months })
}

fn nothing() -> Value {
    json!({ "sum": null, "months": 0 })
}

#[tokio::test]
async fn a_year_shows_its_months_its_sums_and_those_to_date() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    enter(&project, "2024/11", &json!({ "completed": "10000000", "funds_allocated": "40000000", "funds_received": "20000000.00" })).await;
    enter(
        &project,
        "2025/1",
        &json!({ "completed": "5000000.10", "statistics": "4000000.05" }),
    )
    .await;
    enter(
        &project,
        "2025/3",
        &json!({ "completed": "0", "funds_received": "10000000.00", "funds_paid": "2500000.01" }),
    )
    .await;
    enter(&project, "2025/10", &json!({ "statistics": "7000000.00" })).await;
    enter(&project, "2026/1", &json!({ "completed": "1.00" })).await;

    let told = year(&project, 2025).await;
    assert_eq!(told.etag(), project.etag().await);
    assert_eq!(told.at("/annual_plan"), &Value::Null);
    let months = told.at("/months").as_array().unwrap();
    let numbers: Vec<_> = months.iter().map(|month| &month["month"]).collect();
    assert_eq!(numbers, [1, 3, 10]);
    assert_eq!(
        months[0],
        json!({ "year": 2025, "month": 1, "completed": "5000000.10", "statistics": "4000000.05", "gap": "-1000000.05",
            "funds_allocated": null, "funds_received": null, "funds_paid": null, "version": 1 })
    );
    assert_eq!(months[1]["completed"], "0.00");
    assert_eq!(months[1]["gap"], Value::Null);
    assert_eq!(
        told.at("/in_year"),
        &json!({ "completed": sum("5000000.10", 2), "statistics": sum("11000000.05", 2), "gap": sum("-1000000.05", 1),
            "funds_allocated": nothing(), "funds_received": sum("10000000.00", 1), "funds_paid": sum("2500000.01", 1) })
    );
    assert_eq!(
        told.at("/to_date"),
        &json!({ "completed": sum("15000000.10", 3), "statistics": sum("11000000.05", 2), "gap": sum("-1000000.05", 1),
            "funds_allocated": sum("40000000.00", 1), "funds_received": sum("30000000.00", 2),
            "funds_paid": sum("2500000.01", 1) })
    );
}

#[tokio::test]
async fn what_was_not_told_is_null_and_never_nought() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    let told = year(&project, 2025).await;
    assert_eq!(told.at("/months"), &json!([]));
    for sums in ["/in_year", "/to_date"] {
        for (name, told) in told.at(sums).as_object().unwrap() {
            assert_eq!(told, &nothing(), "{sums}/{name}");
        }
    }
    assert!(!told.text.contains("\"0.00\""), "{}", told.text);
    let month = figures_of(&project, "2025/3");
    office.officer.get(&month).await.expect(404);

    // A month in which nothing was done is another thing.
    enter(&project, "2025/3", &json!({ "completed": "0" })).await;
    let told = year(&project, 2025).await;
    assert_eq!(told.at("/in_year/completed"), &sum("0.00", 1));
    assert_eq!(told.at("/in_year/statistics"), &nothing());
    let month = office.officer.get(&month).await.expect(200);
    assert_eq!(month.at("/statistics"), &Value::Null);
}

fn rate(numerator: Option<&str>, denominator: Option<&str>, percent: Option<&str>) -> Value {
    let applicable = denominator.is_some_and(|denominator| denominator != "0.00");
    json!({ "numerator": numerator, "denominator": denominator, "percent": percent, "applicable": applicable })
}

#[tokio::test]
async fn rates_are_exact_and_rounded_half_up() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    let plan = json!({ "planned_investment": "30000000.00" });
    let plan = office
        .manager
        .put(&project.path("/plan-years/2025"), &plan)
        .if_none();
    plan.send().await.expect(201);
    enter(
        &project,
        "2024/12",
        &json!({ "completed": "30000000", "funds_allocated": "60000000" }),
    )
    .await;
    enter(
        &project,
        "2025/6",
        &json!({ "completed": "20000000", "funds_received": "20000000" }),
    )
    .await;
    let told = year(&project, 2025).await;
    assert_eq!(told.at("/annual_plan/planned_investment"), "30000000.00");
    assert_eq!(
        told.at("/rates"),
        &json!({
            "completion": rate(Some("50000000.00"), Some("200000000.00"), Some("25.00")),
            "annual_completion": rate(Some("20000000.00"), Some("30000000.00"), Some("66.67")),
            "funds_received": rate(Some("20000000.00"), Some("60000000.00"), Some("33.33")),
        })
    );
}

#[tokio::test]
async fn an_empty_denominator_makes_no_rate() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let floor = json!({ "total_investment": { "floor": "200000000.00" } });
    let project = office.register(&floor).await;
    let plan = json!({ "planned_investment": "0" });
    let plan = office
        .manager
        .put(&project.path("/plan-years/2025"), &plan)
        .if_none();
    plan.send().await.expect(201);
    enter(
        &project,
        "2025/6",
        &json!({ "completed": "0", "funds_received": "5", "funds_allocated": "0" }),
    )
    .await;
    let told = year(&project, 2025).await;
    assert_eq!(
        told.at("/rates"),
        &json!({
            "completion": rate(Some("0.00"), None, None),
            "annual_completion": rate(Some("0.00"), Some("0.00"), None),
            "funds_received": rate(Some("5.00"), Some("0.00"), None),
        }),
        "a lower bound is nothing to measure by, and nought is neither"
    );
    // In the plan without an amount, and with nothing done that is told.
    let exact = json!({ "total_investment": { "exact": "200000000.00" } });
    let project = office.register(&exact).await;
    let plan = project.path("/plan-years/2025");
    let plan = office.manager.put(&plan, &json!({})).if_none();
    plan.send().await.expect(201);
    let told = year(&project, 2025).await;
    assert_eq!(told.at("/annual_plan/planned_investment"), &Value::Null);
    let rates = told.at("/rates");
    assert_eq!(rates["annual_completion"], rate(None, None, None));
    assert_eq!(rates["completion"], rate(None, Some("200000000.00"), None));
}

#[tokio::test]
async fn figures_are_corrected_from_what_was_seen() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    let path = figures_of(&project, "2025/3");
    let (first, second) = (json!({ "completed": "1" }), json!({ "paid": "1" }));
    let put = |figures: &Value| office.officer.put(&path, figures);
    let reply = put(&first).send().await.expect(428);
    assert_eq!(reply.code(), "precondition_required");
    put(&first).if_match("\"1\"").send().await.expect(412);
    let entered = put(&first).if_none().send().await.expect(201);
    assert_eq!(entered.etag(), "\"1\"");
    put(&first).if_none().send().await.expect(412);
    let unknown = put(&second).if_match("\"1\"").send().await.expect(400);
    assert_eq!(unknown.pointers(), ["/paid"]);

    let corrected = json!({ "completed": null, "statistics": "2.5" });
    let reply = put(&corrected).if_match("\"1\"").send().await.expect(200);
    assert_eq!(reply.etag(), "\"2\"");
    assert_eq!(reply.at("/completed"), &Value::Null, "all are replaced");
    let read = office.officer.get(&path).await.expect(200);
    assert_eq!((read.etag(), &read.body), (reply.etag(), &reply.body));
    let stale = put(&first).if_match("\"1\"").send().await.expect(412);
    assert_eq!(stale.code(), "stale_version");

    let trace = project.trace().await;
    let same = put(&corrected).if_match("\"2\"").send().await.expect(200);
    assert_eq!(same.etag(), "\"2\"");
    assert_eq!(project.trace().await, trace, "the same again is no change");

    let delete = || office.officer.delete(&path);
    delete().send().await.expect(428);
    delete().if_match("\"1\"").send().await.expect(412);
    delete().if_match("\"2\"").send().await.expect(204);
    delete().if_match("\"2\"").send().await.expect(404);
    office.officer.get(&path).await.expect(404);
    let again = put(&first).if_none().send().await.expect(201);
    assert_eq!(again.etag(), "\"3\"", "an old tag never fits a new entry");
}

#[tokio::test]
async fn the_history_shows_every_figure_and_what_it_was() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    let version = project.version().await;
    let path = figures_of(&project, "2025/3");
    enter(&project, "2025/3", &json!({ "completed": "1" })).await;
    let corrected = json!({ "completed": "2", "funds_paid": "1" });
    let corrected = office.officer.put(&path, &corrected).if_match("\"1\"");
    corrected.send().await.expect(200);
    let removed = office.manager.delete(&path).if_match("\"2\"");
    removed.send().await.expect(204);
    let told = |completed: &str, paid: Value| {
        json!({ "year": 2025, "month": 3, "completed": completed, "statistics": null, "funds_allocated": null,
            "funds_received": null, "funds_paid": paid })
    };
    let (first, second) = (told("1.00", Value::Null), told("2.00", "1.00".into()));
    let history = project.history().await;
    let events: Vec<_> = history[..3]
        .iter()
        .map(|event| {
            json!([
                event["kind"],
                event["before"],
                event["after"],
                event["actor"]
            ])
        })
        .collect();
    assert_eq!(
        events,
        [
            json!(["uninvested", second, null, "manager"]),
            json!(["invested", first, second, "officer"]),
            json!(["invested", null, first, "officer"]),
        ]
    );
    assert_eq!(project.version().await, version + 3);
}

/// The month that begins so many months after this one, as Panjin has it.
fn month(after: u32) -> String {
    let today: NaiveDate = day(0).parse().unwrap();
    let then = today.with_day(1).unwrap() + Months::new(after);
    format!("{}/{}", then.year(), then.month())
}

#[tokio::test]
async fn a_month_that_has_not_begun_has_no_figures() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    enter(&project, &month(0), &json!({ "completed": "1" })).await;
    let trace = project.trace().await;
    for ahead in [1, 12] {
        let path = figures_of(&project, &month(ahead));
        let request = office.officer.put(&path, &json!({ "completed": "1" }));
        let reply = request.clone().if_none().send().await.expect(422);
        assert_eq!(reply.code(), "month_in_future", "{path}");
        let english = request.if_none().english().send().await.expect(422);
        assert_ne!(reply.str("/detail"), english.str("/detail"));
    }
    assert_eq!(project.trace().await, trace);
}

#[tokio::test]
async fn what_is_no_month_is_not_there_and_what_is_no_figure_is_refused_where_it_stands() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    let one = json!({ "completed": "1" });
    for when in [
        "2025/0",
        "2025/13",
        "2025/300",
        "2025/march",
        "1948/12",
        "2201/1",
    ] {
        let path = figures_of(&project, when);
        office.officer.get(&path).await.expect(404);
        let put = office.officer.put(&path, &one).if_none();
        put.send().await.expect(404);
        let delete = office.officer.delete(&path).if_match("\"1\"");
        delete.send().await.expect(404);
    }
    for year in ["1948", "2201", "this"] {
        let path = figures_of(&project, year);
        office.officer.get(&path).await.expect(404);
    }
    let trace = project.trace().await;
    let path = figures_of(&project, "2025/3");
    for (body, status, pointer, code) in [
        (json!({}), 422, "", "nothing_told"),
        (json!({ "completed": null }), 422, "", "nothing_told"),
        (
            json!({ "completed": "-0.01" }),
            422,
            "/completed",
            "amount_negative",
        ),
        (
            json!({ "statistics": "0.001" }),
            422,
            "/statistics",
            "amount_too_precise",
        ),
        (
            json!({ "funds_allocated": "" }),
            422,
            "/funds_allocated",
            "amount_empty",
        ),
        (
            json!({ "funds_received": "1e3" }),
            422,
            "/funds_received",
            "amount_not_a_number",
        ),
        (
            json!({ "funds_paid": "1000000000000000.01" }),
            422,
            "/funds_paid",
            "amount_too_large",
        ),
        (json!({ "completed": 1 }), 400, "/completed", "wrong_type"),
    ] {
        let put = office.officer.put(&path, &body).if_none();
        let reply = put.send().await.expect(status);
        assert_eq!(reply.pointers(), [pointer], "{body}");
        assert_eq!(reply.error_codes(), [code], "{body}");
    }
    assert_eq!(project.trace().await, trace);
    let most = json!({ "completed": "1000000000000000.00", "statistics": "1000000000000000.00" });
    enter(&project, "2025/3", &most).await;
    enter(&project, "2025/4", &most).await;
    let told = year(&project, 2025).await;
    assert_eq!(
        told.at("/in_year/completed"),
        &sum("2000000000000000.00", 2)
    );
}

#[tokio::test]
async fn a_cover_holds_no_figures() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let body = with(
        fields("投资封面", DAWA),
        &json!({ "family_counting": "parts" }),
    );
    let cover = office.project(&id(&office.officer.register(&body).await));
    let put = office
        .officer
        .put(&figures_of(&cover, "2025/3"), &json!({ "completed": "1" }));
    let reply = put.if_none().send().await.expect(422);
    assert_eq!(reply.code(), "cover_has_no_stage");
    assert_eq!(year(&cover, 2025).await.at("/months"), &json!([]));
}

/// What an answer tells, but for what names the request.
fn refusal(reply: &Reply) -> (u16, String) {
    (reply.status, reply.code())
}

#[tokio::test]
async fn figures_are_for_who_sees_the_project_and_entered_by_who_may() {
    let server = Server::demo().await;
    let office = Office::of(&server).await;
    let project = office.register(&json!({})).await;
    enter(&project, "2025/3", &json!({ "completed": "1" })).await;
    add_account(&server, "elsewhere", Role::Officer, Some("211103")).await;
    add_account(&server, "here", Role::Officer, Some(DAWA)).await;
    let (elsewhere, here) = (
        server.sign_in("elsewhere").await,
        server.sign_in("here").await,
    );
    let leader = server.sign_in("leader").await;
    let nobody = office.project(NOBODY);
    let one = json!({ "completed": "2" });
    let tried = async |client: &Client, project: &Project| {
        let (month, year) = (figures_of(project, "2025/3"), figures_of(project, "2025"));
        let put = client.put(&month, &one).if_match("\"1\"");
        let delete = client.delete(&month).if_match("\"1\"");
        [
            client.get(&year).await,
            client.get(&month).await,
            put.send().await,
            delete.send().await,
        ]
    };
    let out_of_scope = tried(&elsewhere, &project).await;
    let absent = tried(&elsewhere, &nobody).await;
    for (hidden, absent) in out_of_scope.iter().zip(&absent) {
        assert_eq!(refusal(hidden), (404, "not_found".to_owned()));
        assert_eq!(refusal(hidden), refusal(absent));
    }
    let statuses = |replies: [Reply; 4]| replies.map(|reply| reply.status);
    assert_eq!(
        statuses(tried(&leader, &project).await),
        [200, 200, 403, 403]
    );
    // The last one saw a version that is no longer the present one.
    assert_eq!(statuses(tried(&here, &project).await), [200, 200, 200, 412]);
}
