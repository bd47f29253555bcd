//! The plans of the statements that a page or a project needs, with what they read.

use std::path::Path;

use serde_json::Value;
use tokio_postgres::NoTls;

use crate::layout::{Layout, city_code, project_id};
use crate::plan::{Bind, Figure, Plan, is_summary, with_values};
use crate::{Result, say};

/// Prints for each figure each statement's nodes and buffers; an error if one scans a table of the library.
pub(crate) async fn explain(url: &str, plan: &Path, size: u64) -> Result<()> {
    let plan: Plan = serde_json::from_str(&std::fs::read_to_string(plan)?)?;
    let layout = Layout { size };
    let (mut client, connection) = tokio_postgres::connect(url, NoTls).await?;
    actix_web::rt::spawn(connection);
    let mut scans = Vec::new();
    for (figure, statements) in &plan {
        say(&format!(
            "\n### {} in a library of {size}: {} statements\n",
            figure.told(),
            statements.len()
        ));
        let transaction = client.transaction().await?;
        let asked = if *figure == Figure::Move {
            // Nobody else has taken it: the part of the capture begins before its last.
            layout.movable_at(layout.movable() - 3)
        } else {
            size / 2 + 45
        };
        for statement in statements {
            let has_plan = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"]
                .iter()
                .any(|verb| statement.sql.starts_with(verb));
            if !has_plan {
                say(&format!("- `{}`", statement.sql));
                continue;
            }
            let sql = with_values(statement, |bind| match bind {
                Bind::Null => None,
                Bind::Same(text) => Some(text.clone()),
                Bind::Project => Some(project_id(asked).to_string()),
                Bind::Region(below) => Some((city_code(7) + below).to_string()),
                Bind::OnPage(place) => Some(project_id(size / 2 + 17 * place).to_string()),
                Bind::Fresh(_) => Some(taizhang::clock::new_id().to_string()),
            });
            let explained = format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}");
            let rows = transaction.query(&explained, &[]).await?;
            let found: Value = rows.first().ok_or("no plan")?.get(0);
            let mut nodes = Vec::new();
            if let Some(top) = found.pointer("/0/Plan") {
                walk(top, &mut nodes);
            }
            let number = |name: &str| {
                found
                    .pointer(&format!("/0/Plan/{name}"))
                    .and_then(Value::as_u64)
            };
            let head: String = sql.chars().take(70).collect();
            say(&format!(
                "- `{head}…`: {} rows, {} buffers hit, {} read, {} ms\n  {}",
                number("Actual Rows").unwrap_or_default(),
                number("Shared Hit Blocks").unwrap_or_default(),
                number("Shared Read Blocks").unwrap_or_default(),
                found.pointer("/0/Execution Time").unwrap_or(&Value::Null),
                nodes.join(", ")
            ));
            if !is_summary(*figure) {
                scans.extend(
                    nodes
                        .into_iter()
                        .filter(|node| LARGE.iter().any(|table| node.ends_with(table)))
                        .map(|node| format!("{}: {node}", figure.told())),
                );
            }
        }
        transaction.rollback().await?;
    }
    // A small table is best read as a whole.
    if size < JUDGED {
        return Ok(());
    }
    if scans.is_empty() {
        say("\nNo page and no project scans a table of the library.");
        return Ok(());
    }
    Err(format!("scans of the library: {}", scans.join("; ")).into())
}

/// From how many projects on a scan is a fault.
const JUDGED: u64 = 100_000;
/// Sequential scans that must not be.
const LARGE: [&str; 8] = [
    "Seq Scan on project",
    "Seq Scan on project_version",
    "Seq Scan on project_search",
    "Seq Scan on transition",
    "Seq Scan on event",
    "Seq Scan on list_member",
    "Seq Scan on plan_year",
    "Seq Scan on approval",
];

/// The nodes of a plan, each kind once.
fn walk(node: &Value, nodes: &mut Vec<String>) {
    let text = |name: &str| node.get(name).and_then(Value::as_str);
    let kind = text("Node Type").unwrap_or_default();
    let on = text("Relation Name").map_or_else(String::new, |name| format!(" on {name}"));
    let by = text("Index Name").map_or_else(String::new, |name| format!(" by {name}"));
    let told = if by.is_empty() {
        format!("{kind}{on}")
    } else {
        format!("{kind}{by}")
    };
    if !nodes.contains(&told) {
        nodes.push(told);
    }
    let below = node.get("Plans").and_then(Value::as_array);
    for child in below.into_iter().flatten() {
        walk(child, nodes);
    }
}
