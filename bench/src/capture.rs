//! Asks the service once for each figure and reads in PostgreSQL's log what it sent.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

use crate::Result;
use crate::drive::{Asked, sign_in};
use crate::layout::{CITIES, Layout, REGIONS_OF_CITY, city_code};
use crate::plan::{Bind, Figure, Plan, Statement, is_of_the_caller};

/// The city that is asked for.
const CITY: u64 = 7;
/// The project that is asked for: in no family, and not movable.
const PROJECT: u64 = 45;
/// Which part of the movable projects is moved here.
const OF_CAPTURE: u64 = 6;
/// For how long the log is given to be written.
const SETTLE: Duration = Duration::from_millis(300);
/// What the service does each second by itself: what is captured meanwhile is no request's.
const HOUSEKEEPING: [&str; 3] = [
    "LOCK TABLE rollup_state",
    "AS n FROM rollup_pending",
    "\"audit_pending\"",
];
/// How often a figure is captured until nothing of that is in between.
const TRIES: usize = 50;

/// Captures the statements of every figure.
pub(crate) async fn capture(url: &str, service: &str, password: &str, size: u64) -> Result<Plan> {
    let layout = Layout { size };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    actix_web::rt::spawn(connection);
    let token = sign_in(service, password).await?;
    let asked = Asked::new(&token).knowing(service).await?;
    // A move takes a project each time, from a part that nothing else uses.
    let mut fresh = (0..layout.part()).map(|k| layout.movable_at(OF_CAPTURE * layout.part() + k));
    // A summary is asked for in words of its own each time, so that it is made.
    let mut words = 0;
    let mut asking = |figure| match figure {
        // What has not changed is, for the limit, a static reply behind the same check of who asks.
        Figure::Get | Figure::Unchanged => (Figure::Get, PROJECT),
        Figure::List => (Figure::List, CITY),
        Figure::Summary | Figure::FreshSummary => {
            words += 1;
            (Figure::FreshSummary, words)
        }
        Figure::City | Figure::FreshCity => {
            words += 1;
            (Figure::FreshCity, words * CITIES + CITY)
        }
        Figure::Move => (Figure::Move, fresh.next().unwrap_or_default()),
    };
    // Once before, so that statements are already prepared.
    for figure in Figure::ALL {
        let (figure, n) = asking(figure);
        asked.once(service, figure, n).await?;
    }
    set(&client, "ALTER SYSTEM SET log_statement = 'all'").await?;
    set(&client, "ALTER SYSTEM SET log_line_prefix = '%a|%p|'").await?;
    client.execute("SELECT pg_reload_conf()", &[]).await?;
    tokio::time::sleep(SETTLE).await;
    let mut plan = Plan::new();
    for figure in Figure::ALL {
        let mut tries = 0;
        loop {
            let (asked_for, n) = asking(figure);
            let from = log_size(&client).await?;
            let body = asked.once(service, asked_for, n).await?;
            tokio::time::sleep(SETTLE).await;
            let log = log_since(&client, from).await?;
            tries += 1;
            if HOUSEKEEPING.iter().any(|sql| log.contains(sql)) && tries < TRIES {
                continue;
            }
            let page = page_ids(&body);
            let project = crate::layout::project_id(n).to_string();
            let mut sent = statements(&log, &project, &page);
            if figure == Figure::Unchanged {
                sent.retain(is_of_the_caller);
            }
            plan.insert(figure, sent);
            break;
        }
    }
    set(&client, "ALTER SYSTEM RESET ALL").await?;
    client.execute("SELECT pg_reload_conf()", &[]).await?;
    Ok(plan)
}

async fn set(client: &Client, sql: &str) -> Result<()> {
    Ok(client.batch_execute(sql).await?)
}

const LOG: &str = "current_setting('data_directory') || '/../server.log'";

async fn log_size(client: &Client) -> Result<i64> {
    let sql = format!("SELECT size FROM pg_stat_file({LOG})");
    Ok(client.query_one(&sql, &[]).await?.get(0))
}

async fn log_since(client: &Client, from: i64) -> Result<String> {
    let sql = format!("SELECT pg_read_file({LOG}, $1, 1000000000)");
    Ok(client.query_one(&sql, &[&from]).await?.get(0))
}

fn page_ids(body: &str) -> Vec<String> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let items = body.get("items").and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .filter_map(|item| item.get("id")?.as_str().map(str::to_owned))
        .collect()
}

fn statements(log: &str, project: &str, page: &[String]) -> Vec<Statement> {
    let mut all: Vec<(Statement, String)> = Vec::new();
    for line in log.lines() {
        let Some(message) = line
            .strip_prefix("taizhang|")
            .and_then(|rest| rest.split_once('|'))
            .map(|(_, message)| message)
        else {
            continue;
        };
        if let Some(sql) = message.strip_prefix("LOG:  statement: ") {
            all.push((plain(sql, false), String::new()));
        } else if let Some(named) = message.strip_prefix("LOG:  execute ")
            && let Some((_, sql)) = named.split_once(": ")
        {
            all.push((plain(sql, true), String::new()));
        } else if let Some((_, values)) = message.split_once("arameters: ")
            && let Some((_, last)) = all.last_mut()
        {
            values.clone_into(last);
        }
    }
    let mut seen = BTreeSet::new();
    let mut fresh = Vec::new();
    all.into_iter()
        .map(|(statement, values)| {
            let inserts = statement.sql.starts_with("INSERT");
            let binds = values_of(&values)
                .into_iter()
                .map(|value| {
                    let Some(value) = value else {
                        return Bind::Null;
                    };
                    bind(value, project, page, inserts, &mut seen, &mut fresh)
                })
                .collect();
            Statement { binds, ..statement }
        })
        .collect()
}

fn plain(sql: &str, prepared: bool) -> Statement {
    Statement {
        sql: sql.to_owned(),
        binds: Vec::new(),
        prepared,
    }
}

fn bind(
    value: String,
    project: &str,
    page: &[String],
    inserts: bool,
    seen: &mut BTreeSet<String>,
    fresh: &mut Vec<String>,
) -> Bind {
    if value == project {
        return Bind::Project;
    }
    let numbered = |place: usize| u64::try_from(place).unwrap_or_default();
    if let Some(place) = page.iter().position(|id| *id == value) {
        return Bind::OnPage(numbered(place));
    }
    let number: Option<u64> = value.parse().ok();
    if let Some(below) = number.and_then(|code| code.checked_sub(city_code(CITY)))
        && below < REGIONS_OF_CITY
    {
        return Bind::Region(below);
    }
    if Uuid::parse_str(&value).is_ok() {
        if let Some(place) = fresh.iter().position(|id| *id == value) {
            return Bind::Fresh(numbered(place));
        }
        if inserts && !seen.contains(&value) {
            fresh.push(value);
            return Bind::Fresh(numbered(fresh.len() - 1));
        }
        seen.insert(value.clone());
    }
    Bind::Same(value)
}

/// Reads `$1 = 'a', $2 = NULL`.
fn values_of(text: &str) -> Vec<Option<String>> {
    let mut values = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(" = ") {
        let Some(mut inside) = after.strip_prefix('\'') else {
            values.push(None);
            rest = after;
            continue;
        };
        let mut value = String::new();
        while let Some((part, more)) = inside.split_once('\'') {
            value.push_str(part);
            inside = more;
            if let Some(more) = inside.strip_prefix('\'') {
                value.push('\'');
                inside = more;
            } else {
                break;
            }
        }
        values.push(Some(value));
        rest = inside;
    }
    values
}
