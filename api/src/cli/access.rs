//! The table of who may do what, for people: `taizhang access` prints it.

use std::fmt::Write;

use utoipa::openapi::OpenApi;
use utoipa::openapi::path::{Operation as Told, PathItem};

use crate::auth::Role;
use crate::auth::access::{Door, OPERATIONS, Operation};

const HEAD: &str = "# Who may do what

Made from `api/src/auth/access.rs` by `taizhang access`; a test fails if it is out of date.

Roles are given for a region (with its subtree), for a unit, for both, or for everything, and may begin and end on a
day; the three administrators hold everywhere and exclude each other (三员). Where a role holds is checked in the
store: what is out of scope is answered 404. A system (service account) needs one of the scopes, and its account a role.
";

/// The table in Markdown.
#[must_use]
pub fn told(contract: &OpenApi) -> String {
    let mut text = HEAD.to_owned();
    let roles = Role::ALL.map(Role::code);
    let _ = writeln!(
        text,
        "\n| operation | what it does | {} | scopes |",
        roles.join(" | ")
    );
    let _ = writeln!(text, "|---|---|{}---|", "---|".repeat(roles.len()));
    for operation in OPERATIONS {
        let summary = summary(contract, operation).unwrap_or_default();
        let marks: Vec<&str> = Role::ALL
            .iter()
            .map(|role| mark(operation.door, *role))
            .collect();
        let scopes: Vec<&str> = operation.scopes.iter().map(|scope| scope.code()).collect();
        let scopes = if scopes.len() == crate::auth::Scope::ALL.len() {
            "any".to_owned()
        } else {
            scopes.join(", ")
        };
        let _ = writeln!(
            text,
            "| `{} {}` | {summary} | {} | {scopes} |",
            operation.method,
            operation.path,
            marks.join(" | ")
        );
    }
    text
}

fn mark(door: Door, role: Role) -> &'static str {
    match door {
        Door::Open => "open",
        Door::Oneself => "oneself",
        Door::Roles(roles) if roles.contains(&role) => "yes",
        Door::Roles(_) => "",
    }
}

fn summary<'c>(contract: &'c OpenApi, operation: &Operation) -> Option<&'c str> {
    let item = contract.paths.paths.get(operation.path)?;
    told_of(item, operation.method)?.summary.as_deref()
}

fn told_of<'c>(item: &'c PathItem, method: &str) -> Option<&'c Told> {
    match method {
        "GET" => item.get.as_ref(),
        "POST" => item.post.as_ref(),
        "PUT" => item.put.as_ref(),
        "PATCH" => item.patch.as_ref(),
        "DELETE" => item.delete.as_ref(),
        _ => None,
    }
}
