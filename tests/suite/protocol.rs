//! How the service is spoken to: bodies, parameters, cursors, versions, methods and paths that it does not take.

use reqwest::Method;
use serde_json::json;

use crate::support::Server;
use crate::support::library::{fields, id, with};
use crate::support::problems::{in_both_languages, is_problem};

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
    let request = || {
        officer
            .request(Method::POST, "/v1/projects")
            .raw("application/json", &body)
            .header("content-encoding", "identity")
            .also("content-encoding", "gzip")
    };
    in_both_languages(request, 415, "gzip in a second header").await;
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
