//! `taizhang health`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::{Failed, say};

/// How long the service may take to answer.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks a service for `/healthz`; one that listens everywhere is asked on the loopback.
pub(super) fn run(mut at: SocketAddr) -> Result<(), Failed> {
    if at.ip().is_unspecified() {
        at.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let answer = ask(at).map_err(|source| Failed::Io {
        what: format!("{at}"),
        source,
    })?;
    if answer.starts_with("HTTP/1.1 200") {
        say("ok");
        return Ok(());
    }
    let first = answer.lines().next().unwrap_or("no answer");
    Err(Failed::Refused(format!("{at}: {first}")))
}

fn ask(at: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&at, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(
        format!("GET /healthz HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut answer = String::new();
    stream.take(4096).read_to_string(&mut answer)?;
    Ok(answer)
}
