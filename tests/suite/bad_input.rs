//! Values that can't be are refused where they stand, in both languages, and never break the service.

use serde_json::{Value, json};

use crate::support::library::{fields, id, with};
use crate::support::problems::in_both_languages;
use crate::support::{Client, Server};

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
async fn values_that_can_not_be_are_refused_with_their_pointers() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let long = "长".repeat(300);
    let cases = [
        (json!({ "name": long }), "/name", "text_too_long"),
        (json!({ "name": "" }), "/name", "text_empty"),
        (json!({ "name": " \u{3000}" }), "/name", "text_empty"),
        (json!({ "name": null }), "/name", "required"),
        (
            json!({ "name": "a\u{0}b" }),
            "/name",
            "text_control_character",
        ),
        (
            json!({ "name": "a\u{7}b" }),
            "/name",
            "text_control_character",
        ),
        (json!({ "name": "a\nb" }), "/name", "text_control_character"),
        (
            json!({ "name": "a\u{202e}b" }),
            "/name",
            "text_control_character",
        ),
        (
            json!({ "name": "a\u{200b}b" }),
            "/name",
            "text_control_character",
        ),
        (
            json!({ "note": "a\u{0}b" }),
            "/note",
            "text_control_character",
        ),
        (
            json!({ "aliases": ["好", "a\u{0}b"] }),
            "/aliases/1",
            "text_control_character",
        ),
        (json!({ "aliases": vec!["x"; 21] }), "/aliases", "too_many"),
        (
            json!({ "unit": "a\u{0}b" }),
            "/unit",
            "text_control_character",
        ),
        (json!({ "unit": "no-such" }), "/unit", "unknown_unit"),
        (json!({ "unit": null }), "/unit", "required"),
        (json!({ "sector": "no-such" }), "/sector", "unknown_sector"),
        (
            json!({ "programme": "no-such" }),
            "/programme",
            "unknown_programme",
        ),
        (json!({ "chain": "no-such" }), "/chain", "unknown_chain"),
        (json!({ "region": "219999" }), "/region", "unknown_region"),
        (
            json!({ "region": "somewhere" }),
            "/region",
            "unknown_region",
        ),
        (
            json!({ "region": "2111\u{0}4" }),
            "/region",
            "unknown_region",
        ),
        (
            json!({ "region": "211121" }),
            "/region",
            "region_not_in_force",
        ),
        (
            json!({ "code": "2101-211100" }),
            "/code",
            "invalid_project_code",
        ),
        (
            json!({ "code": "２１01-211100-04-01-123456" }),
            "/code",
            "invalid_project_code",
        ),
        (
            json!({ "code": "2101-999999-04-01-123456" }),
            "/code",
            "unknown_region",
        ),
        (json!({ "kind": "private" }), "/kind", "unknown_code"),
        (
            json!({ "family_counting": "twice" }),
            "/family_counting",
            "unknown_code",
        ),
        (
            json!({ "owner": { "name": "甲", "uscc": "91110000600037341M" } }),
            "/owner/uscc",
            "invalid_uscc",
        ),
        (
            json!({ "owner": { "name": "甲", "uscc": "91110000600037341l" } }),
            "/owner/uscc",
            "invalid_uscc",
        ),
        (
            json!({ "owner": { "name": "甲", "uscc": "9111000060003734" } }),
            "/owner/uscc",
            "invalid_uscc",
        ),
        (
            json!({ "owner": { "name": "甲", "uscc": "" } }),
            "/owner/uscc",
            "invalid_uscc",
        ),
        (
            json!({ "owner": { "name": "a\u{0}" } }),
            "/owner/name",
            "text_control_character",
        ),
        (
            json!({ "total_investment": { "exact": "-1.00" } }),
            "/total_investment/exact",
            "amount_negative",
        ),
        (
            json!({ "total_investment": { "floor": "1.001" } }),
            "/total_investment/floor",
            "amount_too_precise",
        ),
        (
            json!({ "planned_start_on": "1500-01-01" }),
            "/planned_start_on",
            "date_out_of_range",
        ),
        (
            json!({ "planned_start_on": "9999-12-31" }),
            "/planned_start_on",
            "date_out_of_range",
        ),
        (
            json!({ "signed_on": "2199-01-01" }),
            "/signed_on",
            "date_in_future",
        ),
        (
            json!({ "planned_start_on": "2025-02-01", "planned_completion_on": "2025-01-31" }),
            "/planned_completion_on",
            "date_out_of_order",
        ),
        (
            json!({ "commissioned_on": "2025-01-01" }),
            "/commissioned_on",
            "not_started",
        ),
        (
            json!({ "at_capacity_on": "2025-01-01" }),
            "/at_capacity_on",
            "date_needs_another",
        ),
        (
            json!({ "signed_document": { "issued_on": "2025-01-01", "document_number": "1" } }),
            "/signed_document",
            "document_without_date",
        ),
        (
            json!({ "signed_on": "2025-01-01", "signed_document": { "issued_on": "2025-01-01" } }),
            "/signed_document",
            "evidence_not_identified",
        ),
        (
            json!({ "signed_on": "2025-01-01", "signed_document":
                { "issued_on": "2025-01-01", "attachment": "javascript:alert(1)" } }),
            "/signed_document/attachment",
            "invalid_address",
        ),
        (
            json!({ "parent_id": "0193a5f0-0000-7000-8000-000000000001" }),
            "/parent_id",
            "unknown_parent",
        ),
    ];
    for (more, pointer, code) in cases {
        let body = with(fields("有误的项目", "211100"), &more);
        let request = || officer.post("/v1/projects", &body);
        let reply = in_both_languages(request, 422, &more.to_string()).await;
        assert_eq!(reply.code(), "validation_failed", "{more}");
        assert_eq!(reply.error_codes(), [code], "{more}: {}", reply.text);
        assert_eq!(reply.pointers(), [pointer], "{more}");
    }
    let found = officer.all("/v1/projects?q=有误的项目").await;
    assert!(found.is_empty());
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let body = json!({
        "region": "somewhere", "code": "1", "kind": "private",
        "owner": { "name": "", "uscc": "1" },
        "total_investment": { "exact": "-1" },
        "aliases": ["", "好"],
    });
    let reply = officer.post("/v1/projects", &body).send().await.expect(422);
    let mut pointers = reply.pointers();
    pointers.sort();
    let expected = [
        "/aliases/0",
        "/code",
        "/kind",
        "/name",
        "/owner/name",
        "/owner/uscc",
        "/region",
        "/total_investment/exact",
    ];
    assert_eq!(pointers, expected);
}

#[tokio::test]
async fn the_valid_sample_codes_are_taken() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let more = json!({
        "code": "2101-211100-04-01-123456",
        "owner": { "name": "某某公司", "uscc": "91110000600037341L" },
        "note": "第一行\r\n第二行\t完",
    });
    let made = officer
        .register(&with(fields("  代码齐全 ", "211100"), &more))
        .await;
    assert_eq!(made.str("/name"), "代码齐全");
    assert_eq!(made.str("/code_check"), "not_verified");
    assert_eq!(made.str("/owner/uscc"), "91110000600037341L");
    assert_eq!(made.str("/note"), "第一行\n第二行\t完");
    let again = with(fields("另一个", "211100"), &more);
    let request = || officer.post("/v1/projects", &again);
    let taken = in_both_languages(request, 409, "taken").await;
    assert_eq!(taken.code(), "code_taken");
}

#[tokio::test]
async fn a_secret_project_is_refused() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let body = with(fields("涉密", "211100"), &json!({ "secret": true }));
    let request = || officer.post("/v1/projects", &body);
    let reply = in_both_languages(request, 422, "secret").await;
    assert_eq!(reply.code(), "secret_project");
    let by_code = "/v1/projects/by-code/2101-211100-04-01-123456";
    let request = || officer.put(by_code, &body).if_none();
    let reply = in_both_languages(request, 422, "secret, by code").await;
    assert_eq!(reply.code(), "secret_project");
    let open = officer
        .register(&with(fields("公开", "211100"), &json!({ "secret": false })))
        .await;
    let secret = officer.amend(&id(&open), &json!({ "secret": true })).await;
    assert_eq!(secret.expect(422).code(), "secret_project");
}

/// Odd values in every place of a move and of evidence.
#[tokio::test]
async fn moves_plans_and_permits_refuse_what_can_not_be() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let made = manager.register(&fields("动作", "211100")).await;
    let root = format!("/v1/projects/{}", id(&made));
    let posted = async |client: &Client, body: Value, status: u16| {
        let path = format!("{root}/transitions");
        let what = body.to_string();
        let request = || client.post(&path, &body).if_match("\"1\"");
        in_both_languages(request, status, &what).await
    };
    let reply = posted(&manager, json!({}), 400).await;
    assert_eq!(reply.error_codes(), ["required"]);
    let reply = posted(&manager, json!({ "to": "done" }), 422).await;
    assert_eq!(reply.pointers(), ["/to"]);
    let reply = posted(
        &manager,
        json!({ "to": "suspended", "note": "a\u{0}b" }),
        422,
    )
    .await;
    assert_eq!(reply.pointers(), ["/note"]);
    let reply = posted(
        &manager,
        json!({ "to": "suspended", "occurred_on": "1800-01-01", "note": "x" }),
        422,
    )
    .await;
    assert_eq!(reply.pointers(), ["/occurred_on"]);
    let reply = posted(&manager, json!({ "to": "suspended", "when": "now" }), 400).await;
    assert_eq!(reply.pointers(), ["/when"]);
    for key in ["", "a b", "键", &"x".repeat(256)] {
        let Ok(_) = reqwest::header::HeaderValue::from_str(key) else {
            continue;
        };
        let body = fields("键", "211100");
        let request = || {
            manager
                .post("/v1/projects", &body)
                .header("idempotency-key", key)
        };
        let reply = in_both_languages(request, 400, key).await;
        assert_eq!(reply.code(), "invalid_idempotency_key");
    }
    for (path, body, pointer, status) in [
        (
            "plan-years/2025",
            json!({ "planned_investment": "-1" }),
            "/planned_investment",
            422,
        ),
        (
            "plan-years/2025",
            json!({ "planned_investment": 1 }),
            "/planned_investment",
            400,
        ),
        (
            "approvals/land_use",
            json!({ "status": "lost" }),
            "/status",
            422,
        ),
        (
            "approvals/land_use",
            json!({ "status": "waived" }),
            "/reason",
            422,
        ),
        (
            "approvals/land_use",
            json!({ "status": "obtained" }),
            "/document_number",
            422,
        ),
        ("approvals/land_use", json!({}), "", 400),
        (
            "approvals/land_use",
            json!({ "status": "pending", "attachment": "file:///etc/passwd" }),
            "/attachment",
            422,
        ),
    ] {
        let path = format!("{root}/{path}");
        let request = || manager.put(&path, &body).if_none();
        let reply = in_both_languages(request, status, &body.to_string()).await;
        assert_eq!(reply.pointers()[0], pointer, "{}", reply.text);
    }
    let far = format!("{root}/plan-years/3000");
    let request = || manager.put(&far, &json!({})).if_none();
    in_both_languages(request, 404, "year 3000").await;
    assert_eq!(manager.get(&root).await.at("/version"), 1);
}
