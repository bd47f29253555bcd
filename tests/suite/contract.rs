//! The contract: what is checked in is what is served, whole, and true about who may come in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::{Value, json};

use taizhang::auth::access::{Door, OPERATIONS};
use taizhang::cli::access::told;

use crate::support::Server;
use crate::support::contract::CONTRACT;

const CHECKED_IN: &str = include_str!("../../openapi.yaml");
/// The page of who may do what, as it is checked in.
const PAGE: &str = include_str!("../../docs/access.md");

/// What anybody may ask without having signed in; whoever adds to it has to mean it.
const OPEN: [&str; 10] = [
    "GET /.well-known/jwks.json",
    "GET /auth/methods",
    "GET /auth/provider",
    "GET /auth/provider/callback",
    "GET /healthz",
    "GET /metrics",
    "GET /readyz",
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /oauth/token",
];

const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Every operation: method, path, what the contract says of it.
fn operations() -> Vec<(String, &'static str, &'static Value)> {
    let paths = CONTRACT["paths"].as_object().unwrap();
    let mut found = Vec::new();
    for (path, item) in paths {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                found.push((method.to_ascii_uppercase(), path.as_str(), operation));
            }
        }
    }
    assert!(found.len() > 30, "{}", found.len());
    found
}

/// An operation is open if it names no requirement, or also lets in who meets none.
fn is_open(operation: &Value) -> bool {
    let needs = operation
        .get("security")
        .or_else(|| CONTRACT.get("security"));
    let Some(needs) = needs.and_then(Value::as_array) else {
        return true;
    };
    needs.is_empty() || needs.iter().any(|need| need == &json!({}))
}

/// A path with plausible values in its places.
fn filled(path: &str) -> String {
    path.replace("{id}", "0193a5f0-0000-7000-8000-000000000001")
        .replace("{delivery}", "0193a5f0-0000-7000-8000-000000000001")
        .replace("{year}", "2025")
        .replace("{month}", "3")
        .replace("{item}", "construction_permit")
        .replace("{system}", "oa")
        .replace("{key}", "XM-2025-0042")
        .replace("by-code/{code}", "by-code/2101-211100-04-01-123456")
        .replace("{code}", "gas-storage")
}

#[test]
fn the_contract_that_is_checked_in_is_the_one_that_is_served() {
    let served = taizhang::routes::contract().to_yaml().unwrap();
    assert!(
        served.trim_end() == CHECKED_IN.trim_end(),
        "openapi.yaml is not up to date: run `make openapi`"
    );
}

#[tokio::test]
async fn the_service_serves_its_contract_and_a_readable_page_of_it() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    let yaml = nobody.get("/openapi.yaml").await.expect(200);
    assert_eq!(yaml.text.trim_end(), CHECKED_IN.trim_end());
    let page = nobody.get("/docs/").await.expect(200);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
}

#[test]
fn the_contract_is_openapi_3_1() {
    assert_eq!(CONTRACT["openapi"], "3.1.0");
}

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if let ("$ref", Value::String(target)) = (name.as_str(), member) {
                    found.insert(target);
                }
                references(member, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                references(item, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn no_reference_leads_nowhere() {
    let mut found = BTreeSet::new();
    references(&CONTRACT, &mut found);
    assert!(found.len() > 20);
    for target in found {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(CONTRACT.pointer(pointer).is_some(), "{target}");
    }
}

/// The names under which a source file's types stand in the contract.
fn schemas_of(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut renamed = None;
    let mut is_schema = false;
    for line in source.lines() {
        if line.starts_with("#[derive(") {
            is_schema = line.contains("ToSchema");
            renamed = None;
        } else if let Some((_, rest)) = line.split_once("#[schema(as = ") {
            renamed = rest.split([',', ')']).next().map(str::to_owned);
        } else if line.starts_with("pub struct ") || line.starts_with("pub enum ") {
            let name = line.split([' ', '<', '(', ';']).nth(2).unwrap();
            if std::mem::take(&mut is_schema) {
                names.push(renamed.take().unwrap_or_else(|| name.to_owned()));
            }
        }
    }
    names
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// In the contract the one that comes later takes the other's place, and nothing says so.
#[test]
fn no_two_types_have_the_same_name_in_the_contract() {
    let mut files = Vec::new();
    sources(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/src"),
        &mut files,
    );
    let mut names = BTreeMap::new();
    for file in files {
        for name in schemas_of(&std::fs::read_to_string(&file).unwrap()) {
            let other = names.insert(name.clone(), file.clone());
            assert!(other.is_none(), "{name}: {file:?} and {other:?}");
        }
    }
    assert!(names.len() > 60, "{names:?}");
}

#[test]
fn every_schema_can_be_compiled() {
    for name in CONTRACT["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": format!("#/components/schemas/{name}"),
            "components": CONTRACT["components"],
        });
        assert!(jsonschema::validator_for(&whole).is_ok(), "{name}");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_a_summary_and_its_errors() {
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap();
        assert!(names.insert(name), "{name} stands there twice");
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty(), "{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        let errors: Vec<_> = responses
            .iter()
            .filter(|(status, _)| status.as_str() >= "400")
            .collect();
        assert!(!errors.is_empty(), "{method} {path}");
        for (status, error) in errors {
            // Refusals of OAuth 2.0 are worded as its standard has them.
            if path == "/oauth/token" && ["400", "401"].contains(&status.as_str()) {
                continue;
            }
            let problem = &error["content"]["application/problem+json"]["schema"]["$ref"];
            let expected = "#/components/schemas/ProblemDetails";
            assert_eq!(problem, expected, "{method} {path} {status}");
        }
        assert!(
            responses
                .keys()
                .any(|status| status.starts_with(['2', '3'])),
            "{method} {path}"
        );
    }
}

#[test]
fn every_parameter_in_a_path_is_described() {
    for (method, path, operation) in operations() {
        let described: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let named: BTreeSet<&str> = path
            .split('/')
            .filter_map(|piece| piece.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        assert_eq!(described, named, "{method} {path}");
    }
}

#[test]
fn only_the_listed_operations_are_open() {
    let open: BTreeSet<String> = operations()
        .into_iter()
        .filter(|(_, _, operation)| is_open(operation))
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    assert_eq!(open, OPEN.map(str::to_owned).into());
}

#[test]
fn the_table_of_operations_and_the_contract_name_the_same_ones() {
    let told: BTreeSet<String> = operations()
        .into_iter()
        .map(|(method, path, operation)| format!("{method} {path} {}", is_open(operation)))
        .collect();
    let listed: BTreeSet<String> = OPERATIONS
        .iter()
        .map(|o| format!("{} {} {}", o.method, o.path, o.door == Door::Open))
        .collect();
    assert_eq!(told, listed);
}

#[test]
fn the_page_of_who_may_do_what_is_what_the_table_says() {
    assert!(
        PAGE == told(&taizhang::routes::contract()),
        "run `make openapi`"
    );
}

#[tokio::test]
async fn every_other_operation_asks_to_sign_in_first() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    let stranger = nobody.with_token("not-a-token");
    for (method, path, operation) in operations() {
        let name = format!("{method} {path}");
        let verb = Method::from_bytes(method.as_bytes()).unwrap();
        for client in [&nobody, &stranger] {
            let bare = client.request(verb.clone(), &filled(path)).send().await;
            let full = client
                .request(verb.clone(), &filled(path))
                .if_match("\"1\"")
                .json(&json!({}))
                .send()
                .await;
            for reply in [bare, full] {
                if is_open(operation) {
                    let is_sign_in = path.starts_with("/auth/") || path == "/oauth/token";
                    assert!(is_sign_in || reply.status == 200, "{name}: {}", reply.text);
                } else {
                    assert_eq!(reply.status, 401, "{name}: {}", reply.text);
                    assert_eq!(reply.code(), "unauthenticated", "{name}");
                    assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{name}");
                }
            }
        }
    }
}

#[tokio::test]
async fn head_is_answered_as_get_would_be_without_the_body() {
    let server = Server::demo().await;
    let nobody = server.anonymous();
    let leader = server.sign_in("leader").await;
    for (client, path) in [
        (&nobody, "/"),
        (&nobody, "/readyz"),
        (&nobody, "/v1/lists"),
        (&leader, "/v1/lists/gas-storage"),
        (&leader, "/v1/nothing"),
        (&leader, "/auth/login"),
    ] {
        let get = client.get(path).await;
        let head = client.request(Method::HEAD, path).send().await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.text, "", "{path}");
        for name in ["content-type", "etag", "allow", "www-authenticate"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
    }
}

#[tokio::test]
async fn as_many_values_are_taken_as_the_contract_says() {
    let server = Server::demo().await;
    let manager = server.sign_in("manager").await;
    let mut bounded = 0;
    for (method, path, operation) in operations() {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let Some(most) = parameter["schema"]["maxItems"].as_u64() else {
                continue;
            };
            let path = path.replace("{year}", "2024");
            assert_eq!((method.as_str(), path.contains('{')), ("GET", false));
            bounded += 1;
            let name = parameter["name"].as_str().unwrap();
            for (many, is_too_many) in [(most, false), (most + 1, true)] {
                // Whether the values mean anything is asked after how many there are.
                let query = vec![format!("{name}=x"); usize::try_from(many).unwrap()].join("&");
                let reply = manager.get(&format!("{path}?{query}")).await;
                let told = reply.body["errors"].as_array().into_iter().flatten();
                let mut told = told.filter(|error| error["parameter"] == name);
                let refused = told.any(|error| error["code"] == "too_many");
                assert_eq!(
                    refused, is_too_many,
                    "{path}: {many} of {name}: {}",
                    reply.text
                );
            }
        }
    }
    assert!(bounded > 20, "{bounded}");
}
