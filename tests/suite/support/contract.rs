//! Holds every answer of the whole suite to the contract: declared status, type and schema.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};
use taizhang::print::negotiate::PRINTABLE;

use super::Reply;

/// The contract as the service serves it.
pub(crate) static CONTRACT: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(taizhang::routes::contract()).unwrap());

static VALIDATORS: LazyLock<Mutex<HashMap<String, std::sync::Arc<Validator>>>> =
    LazyLock::new(Mutex::default);

/// Fails the test if the answer is not one that the contract declares.
pub(crate) fn hold(method: &str, path: &str, reply: &Reply) {
    let path = without_ending(method, path.split('?').next().unwrap());
    let Some((template, operation)) = operation(method, path) else {
        return;
    };
    let status = reply.status.to_string();
    let name = format!("{method} {template} {status}");
    let declared = operation["responses"]
        .get(&status)
        .unwrap_or_else(|| panic!("{name}: not declared: {}", reply.text));
    let Some(content) = declared.get("content").and_then(Value::as_object) else {
        assert!(
            reply.text.is_empty(),
            "{name}: a body where none is declared"
        );
        return;
    };
    let sent = reply.header("content-type").unwrap_or_default();
    let essence = sent.split(';').next().unwrap().trim();
    let schema = content
        .get(essence)
        .unwrap_or_else(|| panic!("{name}: {essence} is not declared"));
    let validator = validator(&format!("{name} {essence}"), &schema["schema"]);
    // What is not JSON is a text.
    let text = Value::String(reply.text.clone());
    let body = if essence.ends_with("/json") || essence.ends_with("+json") {
        &reply.body
    } else {
        &text
    };
    let errors: Vec<_> = validator
        .iter_errors(body)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:?}\n{}", reply.text);
}

fn validator(name: &str, schema: &Value) -> std::sync::Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap();
    let made = validators.entry(name.to_owned()).or_insert_with(|| {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [schema],
            "components": CONTRACT["components"],
        });
        std::sync::Arc::new(jsonschema::validator_for(&whole).unwrap())
    });
    std::sync::Arc::clone(made)
}

/// The path without the ending that asks for a table, where there is one.
fn without_ending<'a>(method: &str, path: &'a str) -> &'a str {
    let is_read = ["GET", "HEAD"].contains(&method);
    let bare = [".csv", ".json", ".xlsx"]
        .into_iter()
        .find_map(|ending| path.strip_suffix(ending));
    bare.filter(|bare| is_read && PRINTABLE.iter().any(|template| fits(template, bare)))
        .unwrap_or(path)
}

/// The operation of the contract that a request is for; the most literal template wins.
fn operation(method: &str, path: &str) -> Option<(String, &'static Value)> {
    let method = method.to_ascii_lowercase();
    let paths = CONTRACT["paths"].as_object().unwrap();
    let mut fitting: Vec<_> = paths
        .iter()
        .filter(|(template, item)| fits(template, path) && item.get(&method).is_some())
        .collect();
    fitting.sort_by_key(|(template, _)| template.matches('{').count());
    let (template, item) = fitting.first()?;
    Some(((*template).clone(), &item[&method]))
}

fn fits(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    wanted.len() == given.len()
        && wanted.iter().zip(&given).all(|(wanted, given)| {
            wanted == given || (wanted.starts_with('{') && !given.is_empty())
        })
}
