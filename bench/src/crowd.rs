//! Whether a crowd that signs in keeps the others waiting.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::drive::{Connection, Outcome, drive, login};
use crate::{Result, say};

/// How many times its idle value the 99th percentile may be.
const LIMIT: u64 = 3;

/// What is asked.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where the service listens, on 127.0.0.1, without limits of rate
    #[arg(long)]
    service: SocketAddr,
    /// An account that reads projects
    #[arg(long, default_value = "officer")]
    username: String,
    /// Its password
    #[arg(long)]
    password: String,
    /// How many sign in at once
    #[arg(long, default_value_t = 50)]
    crowd: usize,
    /// How long each figure is measured
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

/// Reads one project over one connection, first alone, then while a crowd signs in.
pub(crate) async fn measure(arguments: Arguments) -> Result<()> {
    let Arguments {
        service,
        username,
        password,
        crowd,
        seconds,
    } = arguments;
    let (address, time) = (service.to_string(), Duration::from_secs(seconds));
    let sign_in = login(&username, &password).into_bytes();
    let told = ask(&address, &sign_in).await?;
    let token = told.pointer("/access_token").and_then(Value::as_str);
    let token = token.ok_or("no access token")?.to_owned();
    let get = |path: &str| {
        format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n\r\n")
            .into_bytes()
    };
    let page = ask(&address, &get("/v1/projects?limit=1")).await?;
    let id = page.pointer("/items/0/id").and_then(Value::as_str);
    let one = get(&format!("/v1/projects/{}", id.ok_or("no project")?));
    let read = |request: Vec<u8>| drive(&address, 1, time, move || Some(request.clone()));
    let idle = read(one.clone()).await?;
    let signing_in = drive(&address, crowd, time, move || Some(sign_in.clone()));
    let (crowded, signed_in) = futures::try_join!(read(one), signing_in)?;
    say("| reading one project | p50 µs | p99 µs | failed |");
    say("|---|---:|---:|---:|");
    let line = |what: &str, outcome: &Outcome| {
        let Outcome {
            median,
            p99,
            failed,
            ..
        } = outcome;
        say(&format!("| {what} | {median} | {p99} | {failed} |"));
    };
    line("alone", &idle);
    line(&format!("while {crowd} sign in"), &crowded);
    line("(a sign-in)", &signed_in);
    say(&format!(
        "\nlimit: p99 below {} µs, {LIMIT} times the idle one",
        idle.p99 * LIMIT
    ));
    if crowded.failed == 0 && crowded.p99 < idle.p99 * LIMIT {
        Ok(())
    } else {
        Err("a crowd that signs in keeps the others waiting".into())
    }
}

async fn ask(address: &str, request: &[u8]) -> Result<Value> {
    let mut connection = Connection::open(address).await?;
    let (_, head) = connection.ask(request).await?;
    Ok(serde_json::from_str(&connection.body(head))?)
}
