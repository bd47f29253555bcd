//! What can't be right is refused where it stands, in both languages, and never breaks the service.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::library::{fields, id, with};
use crate::support::{Client, Reply, Server};

/// What a refusal has to be, whatever was wrong.
#[track_caller]
fn is_problem(reply: &Reply, status: u16, what: &str) {
    assert_eq!(reply.status, status, "{what}: {}", reply.text);
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json"),
        "{what}"
    );
    assert_eq!(reply.at("/status"), status, "{what}");
    assert!(!reply.str("/title").is_empty(), "{what}");
    let kind = format!("/problems/{}", reply.code().replace('_', "-"));
    assert_eq!(reply.str("/type"), kind, "{what}");
    assert_eq!(
        reply.header("x-request-id").unwrap(),
        reply.str("/request_id"),
        "{what}"
    );
}

/// Told in Chinese unless English is asked for, with the same codes and places.
async fn in_both_languages(
    request: impl Fn() -> crate::support::Request,
    status: u16,
    what: &str,
) -> Reply {
    let zh = request().send().await;
    let en = request().english().send().await;
    is_problem(&zh, status, what);
    is_problem(&en, status, what);
    assert_eq!(zh.header("content-language"), Some("zh-CN"), "{what}");
    assert_eq!(en.header("content-language"), Some("en"), "{what}");
    assert!(!zh.str("/title").is_ascii(), "{what}");
    assert!(en.str("/title").is_ascii(), "{what}: {}", en.text);
    assert_eq!(zh.code(), en.code(), "{what}");
    assert_eq!(zh.error_codes(), en.error_codes(), "{what}");
    assert_eq!(zh.pointers(), en.pointers(), "{what}");
    let details = |reply: &Reply| -> Vec<String> {
        let errors = reply.body.get("errors").and_then(Value::as_array);
        let details = errors.into_iter().flatten();
        details
            .map(|error| error["detail"].as_str().unwrap().to_owned())
            .collect()
    };
    for (zh, en) in details(&zh).iter().zip(details(&en)) {
        assert_ne!(*zh, en, "{what}");
    }
    zh
}

#[tokio::test]
async fn a_body_that_can_not_be_read_is_refused_with_the_place() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let deep = format!("{{\"name\":{}", "[".repeat(100_000));
    let deep_object = "{\"owner\":".repeat(10_000);
    let cases: Vec<(&str, &str, &str)> = vec![
        ("", "malformed_json", ""),
        ("{", "malformed_json", ""),
        ("{\"name\": \"x\"", "malformed_json", ""),
        ("{\"name\": \"x\",}", "malformed_json", ""),
        ("{} {}", "malformed_json", ""),
        ("{'name': 'x'}", "malformed_json", ""),
        ("\u{feff}{}", "malformed_json", ""),
        ("{\"name\": \"\\ud800\"}", "malformed_json", "/name"),
        ("{\"name\": \"\\udc00\\ud800\"}", "malformed_json", "/name"),
        ("{\"name\": \"a\nb\"}", "malformed_json", "/name"),
        ("{\"name\": NaN}", "malformed_json", "/name"),
        (&deep, "wrong_type", "/name"),
        (&deep_object, "unknown_field", "/owner/owner"),
        ("null", "wrong_type", ""),
        ("\"name\"", "wrong_type", ""),
        ("7", "wrong_type", ""),
        ("{\"colour\": 1}", "unknown_field", "/colour"),
        (
            "{\"owner\": {\"name\": \"x\", \"colour\": 1}}",
            "unknown_field",
            "/owner/colour",
        ),
        ("{\"stage\": \"completion\"}", "unknown_field", "/stage"),
        ("{\"id\": 1}", "unknown_field", "/id"),
        ("{\"name\": 5}", "wrong_type", "/name"),
        ("{\"name\": [\"x\"]}", "wrong_type", "/name"),
        ("{\"aliases\": \"x\"}", "wrong_type", "/aliases"),
        ("{\"aliases\": [\"x\", 5]}", "wrong_type", "/aliases/1"),
        ("{\"parent_id\": \"x\"}", "wrong_type", "/parent_id"),
        ("{\"secret\": \"yes\"}", "wrong_type", "/secret"),
        (
            "{\"planned_start_on\": \"2025-02-30\"}",
            "wrong_type",
            "/planned_start_on",
        ),
        (
            "{\"total_investment\": {\"exact\": 5000000}}",
            "wrong_type",
            "/total_investment/exact",
        ),
        (
            "{\"total_investment\": {\"exact\": 1e400}}",
            "malformed_json",
            "/total_investment/exact",
        ),
        (
            "{\"total_investment\": 99999999999999999999999999999999999999}",
            "wrong_type",
            "/total_investment",
        ),
        ("{\"owner\": {\"uscc\": \"x\"}}", "required", "/owner"),
    ];
    for (body, code, pointer) in cases {
        let what: String = body.chars().take(80).collect();
        let request = || {
            officer
                .request(Method::POST, "/v1/projects")
                .raw("application/json", body)
        };
        let reply = in_both_languages(request, 400, &what).await;
        assert_eq!(reply.code(), "malformed_body", "{what}");
        assert_eq!(reply.error_codes(), [code], "{what}: {}", reply.text);
        assert_eq!(reply.pointers(), [pointer], "{what}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_member_that_stands_twice_is_refused() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let body = "{\"name\":\"甲\",\"name\":\"乙\",\"region\":\"211100\",\"unit\":\"panjin-drc\",\"sector\":\"交通\"}";
    let request = || {
        officer
            .request(Method::POST, "/v1/projects")
            .raw("application/json", body)
    };
    in_both_languages(request, 400, "twice").await;
}

#[tokio::test]
async fn an_array_in_the_place_of_an_object_is_refused() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    let credentials = json!(["officer", crate::support::PASSWORD]);
    let reply = nobody.post("/auth/login", &credentials).send().await;
    is_problem(&reply, 400, "credentials");
    let officer = server.sign_in("officer").await;
    for wrong in [
        json!({ "owner": ["辽河油田", null] }),
        json!({ "total_investment": ["5000000.00", null, null] }),
        json!({ "signed_document": ["文号", "2025-01-01", null, null, null] }),
    ] {
        let body = with(fields("数组", "211100"), &wrong);
        let reply = officer.post("/v1/projects", &body).send().await;
        is_problem(&reply, 400, &wrong.to_string());
        let member = wrong.as_object().unwrap().keys().next().unwrap();
        assert_eq!(reply.pointers(), [format!("/{member}")]);
    }
}

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

#[tokio::test]
async fn a_parameter_that_can_not_be_is_refused_by_name() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let long = format!("q={}", "长".repeat(201));
    let many = "stage=planning&".repeat(51);
    let cases = [
        ("/v1/projects?colour=red", "colour", "unknown_parameter"),
        ("/v1/projects?Limit=5", "Limit", "unknown_parameter"),
        ("/v1/projects?limit=0", "limit", "limit_out_of_range"),
        ("/v1/projects?limit=201", "limit", "limit_out_of_range"),
        ("/v1/projects?limit=-1", "limit", "unreadable_parameter"),
        ("/v1/projects?limit=ten", "limit", "unreadable_parameter"),
        (
            "/v1/projects?limit=99999999999999999999",
            "limit",
            "unreadable_parameter",
        ),
        (
            "/v1/projects?with_total=maybe",
            "with_total",
            "unreadable_parameter",
        ),
        ("/v1/projects?sort=colour", "sort", "unknown_sort"),
        ("/v1/projects?sort=name;drop", "sort", "unknown_sort"),
        (
            "/v1/projects?counting=everything",
            "counting",
            "unreadable_parameter",
        ),
        (
            "/v1/projects?counting=list:",
            "counting",
            "unreadable_parameter",
        ),
        (
            "/v1/projects?counting=portfolio&level=room",
            "level",
            "unknown_code",
        ),
        ("/v1/projects?stage=dreaming", "stage", "unknown_code"),
        ("/v1/projects?condition=asleep", "condition", "unknown_code"),
        ("/v1/projects?tier=huge", "tier", "unknown_code"),
        ("/v1/projects?stage=null", "stage", "unknown_code"),
        (
            "/v1/projects?parent=nobody",
            "parent",
            "unreadable_parameter",
        ),
        (
            "/v1/projects?started_year=25",
            "started_year",
            "unreadable_parameter",
        ),
        (
            "/v1/projects?updated_since=today",
            "updated_since",
            "invalid_instant",
        ),
        (
            "/v1/projects?min_investment=-1",
            "min_investment",
            "amount_negative",
        ),
        (
            "/v1/projects?max_investment=1.234",
            "max_investment",
            "amount_too_precise",
        ),
        ("/v1/projects?region=", "region", "empty_parameter"),
        ("/v1/projects?unit=a%00b", "unit", "unreadable_parameter"),
        ("/v1/projects?q=a%00b", "q", "unreadable_parameter"),
        ("/v1/projects?{long}", "q", "unreadable_parameter"),
        ("/v1/projects?{many}", "stage", "too_many"),
        ("/v1/summary?limit=5", "limit", "unknown_parameter"),
        ("/v1/summary?colour=red", "colour", "unknown_parameter"),
        ("/v1/summary?year=never", "year", "unreadable_parameter"),
        ("/v1/units?limit=0", "limit", "limit_out_of_range"),
        ("/v1/units?q=x", "q", "unknown_parameter"),
    ];
    for (path, parameter, code) in cases {
        let path = path
            .replace("{long}", &long)
            .replace("{many}", many.trim_end_matches('&'));
        let what: String = path.chars().take(80).collect();
        let request = || officer.request(Method::GET, &path);
        let reply = in_both_languages(request, 400, &what).await;
        assert_eq!(reply.code(), "invalid_parameter", "{what}");
        assert_eq!(reply.str("/errors/0/code"), code, "{what}: {}", reply.text);
        assert_eq!(reply.str("/errors/0/parameter"), parameter, "{what}");
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_query_only() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let first = officer.get("/v1/projects?limit=5").await.expect(200);
    let cursor = first.str("/next_cursor");
    let next = officer
        .get(&format!("/v1/projects?limit=5&cursor={cursor}"))
        .await
        .expect(200);
    assert_ne!(first.at("/items"), next.at("/items"));
    // The size of the page is no part of the question.
    officer
        .get(&format!("/v1/projects?limit=7&cursor={cursor}"))
        .await
        .expect(200);
    let cut = &cursor[..cursor.len() - 4];
    for wrong in [
        format!("/v1/projects?limit=5&q=港&cursor={cursor}"),
        format!("/v1/projects?limit=5&sort=name&cursor={cursor}"),
        format!("/v1/projects?limit=5&counting=portfolio&cursor={cursor}"),
        format!("/v1/projects?limit=5&cursor={cut}"),
        "/v1/projects?cursor=garbage".to_owned(),
        "/v1/projects?cursor=%00".to_owned(),
        format!("/v1/units?cursor={cursor}"),
    ] {
        let request = || officer.request(Method::GET, &wrong);
        let reply = in_both_languages(request, 422, &wrong).await;
        assert_eq!(reply.code(), "invalid_cursor", "{wrong}");
    }
}

#[tokio::test]
async fn a_change_has_to_say_which_version_it_changes() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let made = officer.register(&fields("有条件", "211100")).await;
    let path = format!("/v1/projects/{}", id(&made));
    let body = json!({ "steward": "张三" });
    let request = || officer.patch(&path, &body);
    let reply = in_both_languages(request, 428, "nothing").await;
    assert_eq!(reply.code(), "precondition_required");
    let reply = in_both_languages(|| request().if_none(), 428, "If-None-Match").await;
    assert_eq!(reply.code(), "precondition_required");
    for wrong in [
        "*",
        "W/\"1\"",
        "1",
        "\"x\"",
        "\"1\", \"2\"",
        "\"0\"",
        "\"-1\"",
        "\"\"",
        "",
        "\"99999999999999999999\"",
    ] {
        let reply = in_both_languages(|| request().if_match(wrong), 400, wrong).await;
        assert_eq!(reply.code(), "invalid_precondition", "{wrong}");
    }
    let twice = || request().if_match("\"1\"").also("if-match", "\"1\"");
    let reply = in_both_languages(twice, 400, "twice").await;
    assert_eq!(reply.code(), "invalid_precondition");
    let both = || request().if_match("\"1\"").if_none();
    let reply = in_both_languages(both, 412, "both").await;
    assert_eq!(reply.code(), "contradictory_preconditions");
    let stale = || request().if_match("\"9\"");
    let reply = in_both_languages(stale, 412, "stale").await;
    assert_eq!(reply.code(), "stale_version");

    let by_code = "/v1/projects/by-code/2101-211100-04-01-123456";
    let whole = fields("按代码", "211100");
    let neither = || officer.put(by_code, &whole);
    in_both_languages(neither, 428, "neither").await;
    let some = || {
        officer
            .put(by_code, &whole)
            .header("if-none-match", "\"1\"")
    };
    in_both_languages(some, 400, "If-None-Match with a tag").await;
    let absent = || officer.put(by_code, &whole).if_match("\"1\"");
    in_both_languages(absent, 412, "there is none").await;
    let after = officer.get(&path).await.expect(200);
    assert_eq!(after.at("/version"), 1);
}

#[tokio::test]
async fn only_plain_json_of_a_bearable_size_is_taken() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    let body = fields("类型", "211100").to_string();
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        "application/merge-patch+json",
        "",
    ] {
        let request = || {
            officer
                .request(Method::POST, "/v1/projects")
                .raw(content_type, &body)
        };
        let reply = in_both_languages(request, 415, content_type).await;
        assert_eq!(reply.code(), "unsupported_media_type");
    }
    for encoding in ["gzip", "br", "identity, gzip"] {
        let request = || {
            officer
                .request(Method::POST, "/v1/projects")
                .raw("application/json", &body)
                .header("content-encoding", encoding)
        };
        let reply = in_both_languages(request, 415, encoding).await;
        assert_eq!(reply.code(), "unsupported_media_type");
    }
    let large = with(
        fields("太大", "211100"),
        &json!({ "note": "x".repeat(300 * 1024) }),
    );
    let request = || officer.post("/v1/projects", &large);
    let reply = in_both_languages(request, 413, "300 KiB").await;
    assert_eq!(reply.code(), "body_too_large");
    officer
        .request(Method::POST, "/v1/projects")
        .raw("application/json; charset=utf-8", &body)
        .header("content-encoding", "identity")
        .send()
        .await
        .expect(201);
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    for (method, path, allowed) in [
        (Method::DELETE, "/v1/projects", "GET, POST"),
        (Method::POST, "/v1/summary", "GET"),
        (Method::PATCH, "/v1/units/panjin-drc", "GET, PUT, DELETE"),
        (Method::GET, "/auth/login", "POST"),
        (Method::POST, "/healthz", "GET"),
        (
            Method::GET,
            "/v1/lists/gas-storage/projects/0193a5f0-0000-7000-8000-000000000001",
            "PUT, DELETE",
        ),
    ] {
        let request = || officer.request(method.clone(), path);
        let reply = in_both_languages(request, 405, path).await;
        assert_eq!(reply.code(), "method_not_allowed");
        assert_eq!(reply.header("allow"), Some(allowed), "{method} {path}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_too() {
    let server = Server::demo().await;
    let officer = server.sign_in("officer").await;
    for path in [
        "/v1/nothing",
        "/v1",
        "/v2/projects",
        "/v1/projects/",
        "/v1/projects/not-a-uuid",
        "/v1/projects/not-a-uuid/history",
        "/v1/projects/not-a-uuid/transitions",
        "/v1/projects/0193a5f0-0000-7000-8000-000000000001",
        "/v1/projects/by-code/2101-211100-04-01-999999",
        "/v1/projects/by-code/%00",
        "/v1/projects/by-code/%ff",
        "/v1/projects/0193a5f0-0000-7000-8000-000000000001/plan-years/2025",
        "/v1/projects/0193a5f0-0000-7000-8000-000000000001/plan-years/99999999999",
        "/v1/projects/0193a5f0-0000-7000-8000-000000000001/approvals/construction_permit",
        "/v1/units/no-such-unit",
        "/v1/units/%00",
        "/v1/lists/%E6%B2%A1%E6%9C%89",
        "/v1/regions/..%2f..%2fetc",
    ] {
        let request = || officer.request(Method::GET, path);
        let reply = in_both_languages(request, 404, path).await;
        assert_eq!(reply.code(), "not_found", "{path}");
    }
    let known = officer.named("盘锦港").await;
    let known = known["id"].as_str().unwrap();
    for path in [
        format!("/v1/projects/{known}/approvals/tea_permit"),
        format!("/v1/projects/{known}/plan-years/2025"),
        format!("/v1/projects/{known}/plan-years/1"),
    ] {
        let request = || officer.request(Method::GET, &path);
        in_both_languages(request, 404, &path).await;
    }
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
