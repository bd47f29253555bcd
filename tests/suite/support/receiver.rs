//! A receiver of webhooks: a server that takes what it is sent, or does not, as a test wants it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How long anything that a test waits for may take.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What a receiver does with what it is sent.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// Answers with this status.
    Answer(u16),
    /// Wants it sent to another address.
    Redirect(String),
    /// Resets the connection.
    Reset,
    /// Says nothing for ever.
    Silent,
    /// Answers 200, with a body that never ends.
    Endless,
}

/// What was sent.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) event: Value,
}

impl Taken {
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// What the event says the project is called now.
    pub(crate) fn name(&self) -> &str {
        self.event["data"]["after"]["name"].as_str().unwrap()
    }
}

type Decide = Box<dyn FnMut(&Taken) -> Manner + Send>;

/// A server on 127.0.0.1, until it is dropped.
pub(crate) struct Receiver {
    pub(crate) at: SocketAddr,
    taken: mpsc::UnboundedReceiver<Taken>,
    decide: Arc<Mutex<Decide>>,
    listening: JoinHandle<()>,
}

impl Receiver {
    /// Takes everything.
    pub(crate) async fn new() -> Self {
        Self::at("127.0.0.1:0").await
    }

    pub(crate) async fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let at = listener.local_addr().unwrap();
        let (tell, taken) = mpsc::unbounded_channel();
        let decide: Decide = Box::new(|_| Manner::Answer(200));
        let decide = Arc::new(Mutex::new(decide));
        let deciding = Arc::clone(&decide);
        let listening = tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                open.spawn(serve(stream, tell.clone(), Arc::clone(&deciding)));
            }
        });
        Self {
            at,
            taken,
            decide,
            listening,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.at)
    }

    /// From now on it does so.
    pub(crate) fn does(&self, manner: Manner) {
        self.decides(move |_| manner.clone());
    }

    /// From now on it does what this says.
    pub(crate) fn decides(&self, decide: impl FnMut(&Taken) -> Manner + Send + 'static) {
        *self.decide.lock().unwrap() = Box::new(decide);
    }

    /// The next that comes.
    pub(crate) async fn next(&mut self) -> Taken {
        let next = tokio::time::timeout(PATIENCE, self.taken.recv()).await;
        next.expect("nothing comes").unwrap()
    }

    /// The next that come.
    pub(crate) async fn some(&mut self, count: usize) -> Vec<Taken> {
        let mut some = Vec::new();
        while some.len() < count {
            some.push(self.next().await);
        }
        some
    }

    /// What has come and was not looked at.
    pub(crate) fn rest(&mut self) -> Vec<Taken> {
        std::iter::from_fn(|| self.taken.try_recv().ok()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(stream: TcpStream, tell: mpsc::UnboundedSender<Taken>, decide: Arc<Mutex<Decide>>) {
    let mut stream = BufReader::new(stream);
    while let Some(taken) = read(&mut stream).await {
        let manner = decide.lock().unwrap()(&taken);
        let _nobody_looks = tell.send(taken);
        let answer = match manner {
            Manner::Answer(status) => format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\nok"),
            Manner::Redirect(to) => {
                format!("HTTP/1.1 307 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
            }
            Manner::Reset => {
                stream.get_ref().set_zero_linger().unwrap();
                return;
            }
            Manner::Silent => std::future::pending().await,
            Manner::Endless => {
                let begin = b"HTTP/1.1 200 X\r\ntransfer-encoding: chunked\r\n\r\n";
                let mut sent = stream.write_all(begin).await;
                while sent.is_ok() {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    sent = stream.write_all(b"1\r\na\r\n").await;
                }
                return;
            }
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request of a connection, if one comes.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<Taken> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    assert!(line.starts_with("POST "), "{line}");
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length: usize = headers.get("content-length")?.parse().unwrap();
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await.ok()?;
    Some(Taken {
        path,
        headers,
        event: serde_json::from_slice(&bytes).unwrap(),
        bytes,
    })
}
