//! The load generator: connections that are kept, each with one request at a time.

use std::cell::Cell;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::Result;
use crate::layout::{CITIES, city_code, project_id};
use crate::plan::Figure;

const SUMMARY: &str = "/v1/summary?group_by=tier,stage";
/// The parameters of that.
const GROUPED: &str = "group_by=tier,stage";
/// The account that asks; it is a manager everywhere.
pub(crate) const USERNAME: &str = "bench";

/// What a run of requests came to. Microseconds, and requests in a thousand seconds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// How many were answered as they should be.
    pub count: usize,
    /// How many were not.
    pub failed: usize,
    /// Requests in a thousand seconds.
    pub rate: u64,
    /// The median latency.
    pub median: u64,
    /// The 99th percentile.
    pub p99: u64,
}

impl Outcome {
    pub(crate) fn of(mut micros: Vec<u64>, failed: usize, elapsed: u64) -> Self {
        micros.sort_unstable();
        let at = |percent: usize| {
            let place = micros.len() * percent / 100;
            let place = place.min(micros.len().saturating_sub(1));
            micros.get(place).copied().unwrap_or_default()
        };
        let count = u64::try_from(micros.len()).unwrap_or_default();
        Self {
            rate: count * 1_000_000_000 / elapsed.max(1),
            median: at(50),
            p99: at(99),
            count: micros.len(),
            failed,
        }
    }
}

/// One kept connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        Self::over(TcpStream::connect(address).await?)
    }

    /// From another address of this machine.
    pub(crate) async fn open_from(source: IpAddr, address: SocketAddr) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(source, 0))?;
        Self::over(socket.connect(address).await?)
    }

    fn over(stream: TcpStream) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(1 << 17),
        })
    }

    /// Sends a request and reads the whole answer: its status, and where its body begins.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<(u16, usize)> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let (head, length) = loop {
            self.more().await?;
            if let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = self.buffer.get(..end).unwrap_or_default();
                // What has not changed has no body, and need not say so.
                let is_unchanged = head.get(9..12) == Some(b"304".as_slice());
                break (
                    end + 4,
                    if is_unchanged {
                        0
                    } else {
                        content_length(head)?
                    },
                );
            }
        };
        while self.buffer.len() < head + length {
            self.more().await?;
        }
        let status = self.buffer.get(9..12).unwrap_or_default();
        Ok((std::str::from_utf8(status)?.parse()?, head))
    }

    /// A header of the last answer.
    fn header(&self, head: usize, wanted: &str) -> Option<String> {
        let head = std::str::from_utf8(self.buffer.get(..head)?).ok()?;
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted))?;
        Some(value.trim().to_owned())
    }

    async fn more(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err("the connection was closed".into());
        }
        Ok(())
    }

    pub(crate) fn body(&self, head: usize) -> String {
        String::from_utf8_lossy(self.buffer.get(head..).unwrap_or_default()).into_owned()
    }
}

fn content_length(head: &[u8]) -> Result<usize> {
    for line in std::str::from_utf8(head)?.lines() {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            return Ok(value.trim().parse()?);
        }
    }
    Err("an answer without Content-Length".into())
}

/// Signs in, for an access token.
pub(crate) async fn sign_in(address: &str, password: &str) -> Result<String> {
    let answer = once(address, login(USERNAME, password).as_bytes()).await?;
    let answer: Value = serde_json::from_str(&answer)?;
    let token = answer.get("access_token").and_then(Value::as_str);
    Ok(token.ok_or("no access token")?.to_owned())
}

/// The request to sign in.
pub(crate) fn login(username: &str, password: &str) -> String {
    let body = format!("{{\"username\":\"{username}\",\"password\":\"{password}\"}}");
    format!(
        "POST /auth/login HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn once(address: &str, request: &[u8]) -> Result<String> {
    let mut connection = Connection::open(address).await?;
    let (status, head) = connection.ask(request).await?;
    let body = connection.body(head);
    if is_fine(status) {
        Ok(body)
    } else {
        Err(format!("{status}: {body}").into())
    }
}

const fn is_fine(status: u16) -> bool {
    matches!(status, 200..300 | 304)
}

/// The requests of each figure, with the token of one sign-in.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    headers: String,
    /// What the summary was when it was last read.
    tag: String,
}

impl Asked {
    pub(crate) fn new(token: &str) -> Self {
        Self {
            headers: format!("Host: bench\r\nAuthorization: Bearer {token}\r\n"),
            tag: String::new(),
        }
    }

    /// Reads the summary, so that it can be asked for if it has changed.
    pub(crate) async fn knowing(mut self, address: &str) -> Result<Self> {
        let mut connection = Connection::open(address).await?;
        let (_, head) = connection.ask(&self.request(Figure::Summary, 0)).await?;
        self.tag = connection.header(head, "etag").ok_or("no entity tag")?;
        Ok(self)
    }

    /// The request for the `n`th project, or city.
    pub(crate) fn request(&self, figure: Figure, n: u64) -> Vec<u8> {
        const MOVE: &str = "{\"to\":\"attraction\",\"occurred_on\":\"2025-07-01\"}";
        let headers = &self.headers;
        let get = |path: String| format!("GET {path} HTTP/1.1\r\n{headers}\r\n");
        let request = match figure {
            Figure::Get => get(format!("/v1/projects/{}", project_id(n))),
            Figure::List => get(format!("/v1/projects?limit=50&region={}", city_code(n))),
            Figure::Summary => get(SUMMARY.to_owned()),
            Figure::City => get(format!("{SUMMARY}&region={}", city_code(n))),
            Figure::FreshSummary => get(format!("/v1/summary?{}", spelled(GROUPED, n))),
            Figure::FreshCity => get(format!(
                "/v1/summary?{}&region={}",
                spelled(GROUPED, n / CITIES),
                city_code(n % CITIES)
            )),
            Figure::Unchanged => format!(
                "GET {SUMMARY} HTTP/1.1\r\n{headers}If-None-Match: {}\r\n\r\n",
                self.tag
            ),
            Figure::Move => format!(
                "POST /v1/projects/{}/transitions HTTP/1.1\r\n{headers}If-Match: \"1\"\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{MOVE}",
                project_id(n),
                MOVE.len()
            ),
        };
        request.into_bytes()
    }

    /// The request that is answered by who asks, and nothing else.
    pub(crate) fn who_asks(&self) -> Vec<u8> {
        format!("GET /v1/me HTTP/1.1\r\n{}\r\n", self.headers).into_bytes()
    }

    pub(crate) async fn once(&self, address: &str, figure: Figure, n: u64) -> Result<String> {
        once(address, &self.request(figure, n)).await
    }

    /// Asks for a path, and tells how many microseconds that took.
    pub(crate) async fn time(&self, address: &str, path: &str) -> Result<u64> {
        let request = format!("GET {path} HTTP/1.1\r\n{}\r\n", self.headers);
        let asked = Instant::now();
        once(address, request.as_bytes()).await?;
        Ok(u64::try_from(asked.elapsed().as_micros())?)
    }
}

/// Parameters, spelled in the `n`th of many ways: what has not been asked for in the same words has not been answered
/// before.
pub(crate) fn spelled(parameters: &str, n: u64) -> String {
    let mut bits = n;
    let letters = parameters.bytes().map(|letter| {
        if matches!(letter, b'=' | b',') {
            return char::from(letter).to_string();
        }
        let is_encoded = bits & 1 == 1;
        bits >>= 1;
        if is_encoded {
            format!("%{letter:02x}")
        } else {
            char::from(letter).to_string()
        }
    });
    letters.collect()
}

/// A request for a static answer of so many bytes.
pub(crate) fn static_request(bytes: usize) -> Vec<u8> {
    format!("GET /{bytes} HTTP/1.1\r\nHost: bench\r\n\r\n").into_bytes()
}

/// Asks over so many connections until the time is over or nothing is left to be asked.
///
/// Closed loop: a connection asks when it has its answer, so that a slow answer also delays the next
/// question, and latencies are those of this load, not of requests that arrive on their own.
pub(crate) async fn drive(
    address: &str,
    connections: usize,
    time: Duration,
    next: impl FnMut() -> Option<Vec<u8>> + 'static,
) -> Result<Outcome> {
    let next = Rc::new(std::cell::RefCell::new(next));
    let failed = Rc::new(Cell::new(0));
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(address).await?);
    }
    let started = Instant::now();
    let workers = open.into_iter().map(|mut connection| {
        let (next, failed) = (Rc::clone(&next), Rc::clone(&failed));
        async move {
            let mut micros = Vec::new();
            while started.elapsed() < time {
                let Some(request) = (next.borrow_mut())() else {
                    break;
                };
                let asked = Instant::now();
                let (status, head) = connection.ask(&request).await?;
                if is_fine(status) {
                    micros.push(u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX));
                } else {
                    if failed.get() == 0 {
                        crate::tell(&format!("{status}: {}", connection.body(head)));
                    }
                    failed.set(failed.get() + 1);
                }
            }
            Result::Ok(micros)
        }
    });
    let mut all = Vec::new();
    for micros in join_all(workers).await {
        all.extend(micros?);
    }
    let elapsed = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    Ok(Outcome::of(all, failed.get(), elapsed))
}
