//! Whether the time of an answer tells which user names there are.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use clap::Args;

use crate::drive::{Connection, login};
use crate::{Result, say};

/// How far the medians may be apart.
const LIMIT: Duration = Duration::from_millis(5);

/// What is asked.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Where the service listens, on 127.0.0.1
    #[arg(long)]
    service: SocketAddr,
    /// The accounts that there are; of each, 99 failures an hour are taken
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "officer,officer.dawa,manager,leader"
    )]
    known: Vec<String>,
    /// How often a name of each kind is tried
    #[arg(long, default_value_t = 200)]
    tries: u16,
}

/// Tries wrong passwords of names that are known and of names that are not, in turn, each from an address of its
/// own, so that none of them is locked out.
pub(crate) async fn measure(arguments: Arguments) -> Result<()> {
    let Arguments {
        service,
        known,
        tries,
    } = arguments;
    let (mut of_known, mut of_unknown) = (Vec::new(), Vec::new());
    for (place, name) in (0..tries).zip(known.iter().cycle()) {
        let unknown = format!("{name}.{place}");
        let mut pair = [(name, &mut of_known), (&unknown, &mut of_unknown)];
        // Neither kind always goes first.
        if place % 2 == 1 {
            pair.reverse();
        }
        for (kind, (name, taken)) in (1..).zip(pair) {
            let [high, low] = place.to_be_bytes();
            let source = Ipv4Addr::new(127, kind, high, low.max(1));
            taken.push(try_once(service, source.into(), name).await?);
        }
    }
    let (of_known, of_unknown) = (median(of_known), median(of_unknown));
    let apart = of_known.abs_diff(of_unknown);
    say("| known names | unknown names | apart | limit |");
    say("|---:|---:|---:|---:|");
    say(&format!(
        "| {of_known:.2?} | {of_unknown:.2?} | {apart:.2?} | {LIMIT:?} |"
    ));
    if apart < LIMIT {
        Ok(())
    } else {
        Err("the time of the answer tells which names there are".into())
    }
}

/// How long a wrong password takes to be refused.
async fn try_once(service: SocketAddr, source: IpAddr, name: &str) -> Result<Duration> {
    let request = login(name, "not-the-password");
    let mut connection = Connection::open_from(source, service).await?;
    let asked = Instant::now();
    let (status, head) = connection.ask(request.as_bytes()).await?;
    let taken = asked.elapsed();
    if status == 401 {
        Ok(taken)
    } else {
        Err(format!("{name}: {status}: {}", connection.body(head)).into())
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
