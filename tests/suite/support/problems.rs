//! Refusals, held to what each of them has to be, in both languages.

use serde_json::Value;

use super::{Reply, Request};

/// What a refusal has to be, whatever was wrong.
#[track_caller]
pub(crate) fn is_problem(reply: &Reply, status: u16, what: &str) {
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
pub(crate) async fn in_both_languages(
    request: impl Fn() -> Request,
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
