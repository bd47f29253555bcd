//! Sending to receivers: only to addresses that have passed, without following anything, and not for ever.
//!
//! A name is looked up at each send and every address that it has must pass. The connection is made by a client whose own
//! looking-up does the same, so it goes to an address that has passed whatever a name server says in between.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderName};
use reqwest::redirect;
use tokio::time::{Instant, timeout_at};

use super::address::{Policy, Refused, Target};
use crate::cloud_event;

/// How long a connection to a receiver is kept for the next delivery.
const KEPT_IDLE: Duration = Duration::from_secs(30);
/// How much of an answer is read, in bytes, so that the connection can be used again. Nothing of it is kept.
const MOST_OF_ANSWER: usize = 64 * 1024;
/// How long is waited for the rest of an answer whose status has come.
const REST_OF_ANSWER: Duration = Duration::from_secs(1);
/// What the service calls itself.
const USER_AGENT: &str = concat!("taizhang/", env!("CARGO_PKG_VERSION"));

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// Looks names up as every program of this machine does.
#[derive(Debug)]
pub struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            Ok::<Addrs, _>(Box::new(found.into_iter()))
        })
    }
}

/// Looks names up, and answers with nothing unless every address has passed.
struct Checked {
    names: Arc<dyn Resolve>,
    policy: Policy,
    is_encrypted: bool,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.names.resolve(name);
        let (policy, is_encrypted) = (self.policy.clone(), self.is_encrypted);
        Box::pin(async move {
            let found: Vec<SocketAddr> = found.await?.collect();
            policy.admit(found.iter().map(SocketAddr::ip), is_encrypted)?;
            Ok::<Addrs, _>(Box::new(found.into_iter()))
        })
    }
}

/// What is sent: one event, signed.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// The id of the event, the same at every attempt.
    pub id: String,
    /// When it is sent, in seconds since 1970.
    pub timestamp: i64,
    /// The signatures.
    pub signatures: String,
    /// The event.
    pub body: Vec<u8>,
}

/// Why a receiver has not taken what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Its address may not be sent to; nothing was.
    AddressRefused,
    /// Its name has no address.
    Unresolved,
    /// No connection could be made.
    Unreachable,
    /// Nobody whom this machine trusts vouches for its certificate.
    Untrusted,
    /// It did not answer in time.
    TimedOut,
    /// The connection broke before it had answered.
    Broken,
    /// It wants it sent elsewhere, which is not done.
    Redirected,
    /// It says that it is there no more.
    Gone,
    /// It answered with a status that does not say that it has taken it.
    NotTaken,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 9] = [
        Self::AddressRefused,
        Self::Unresolved,
        Self::Unreachable,
        Self::Untrusted,
        Self::TimedOut,
        Self::Broken,
        Self::Redirected,
        Self::Gone,
        Self::NotTaken,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AddressRefused => "address_refused",
            Self::Unresolved => "unresolved",
            Self::Unreachable => "unreachable",
            Self::Untrusted => "untrusted",
            Self::TimedOut => "timed_out",
            Self::Broken => "broken",
            Self::Redirected => "redirected",
            Self::Gone => "gone",
            Self::NotTaken => "not_taken",
        }
    }

    const fn of_refusal(refused: Refused) -> Self {
        match refused {
            Refused::Unresolved => Self::Unresolved,
            Refused::Unreadable
            | Refused::TooLong
            | Refused::Scheme
            | Refused::Extras
            | Refused::Port(_)
            | Refused::NotEncrypted
            | Refused::Address { .. } => Self::AddressRefused,
        }
    }

    fn of_error(error: &reqwest::Error) -> Self {
        let mut cause = error.source();
        while let Some(under) = cause {
            if let Some(refused) = under.downcast_ref::<Refused>() {
                return Self::of_refusal(*refused);
            }
            if is_about_certificate(under) {
                return Self::Untrusted;
            }
            cause = under.source();
        }
        if error.is_timeout() {
            Self::TimedOut
        } else if error.is_connect() {
            Self::Unreachable
        } else {
            Self::Broken
        }
    }

    /// What a status says against it; none if the receiver has taken it.
    const fn of_status(status: u16) -> Option<Self> {
        match status {
            200..=299 => None,
            300..=399 => Some(Self::Redirected),
            410 => Some(Self::Gone),
            _ => Some(Self::NotTaken),
        }
    }
}

/// Whether a connection was given up because of the other's certificate. Errors within errors of IO are no sources of them.
fn is_about_certificate(error: &(dyn Error + 'static)) -> bool {
    if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
        return true;
    }
    let inner = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::get_ref);
    inner.is_some_and(|inner| is_about_certificate(inner))
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// What the receiver answered.
    pub status: Option<u16>,
    /// Why it has not taken it; none if it has.
    pub fault: Option<Fault>,
    /// How long it took.
    pub took: Duration,
}

/// All receivers, as they are reached.
pub struct Receivers {
    policy: Policy,
    names: Arc<dyn Resolve>,
    encrypted: reqwest::Client,
    in_the_clear: reqwest::Client,
    patience: Duration,
}

impl std::fmt::Debug for Receivers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receivers")
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

impl Receivers {
    /// Receivers at addresses that pass, each of which has so long to answer.
    ///
    /// # Errors
    /// [`reqwest::Error`] if the machine's certificate authorities can't be used.
    pub fn new(
        policy: Policy,
        names: Arc<dyn Resolve>,
        patience: Duration,
    ) -> Result<Self, reqwest::Error> {
        let client = |is_encrypted: bool| {
            let checked = Checked {
                names: Arc::clone(&names),
                policy: policy.clone(),
                is_encrypted,
            };
            reqwest::Client::builder()
                .redirect(redirect::Policy::none())
                .no_proxy()
                .https_only(is_encrypted)
                .dns_resolver(Arc::new(checked))
                .pool_idle_timeout(KEPT_IDLE)
                .user_agent(USER_AGENT)
                .build()
        };
        Ok(Self {
            encrypted: client(true)?,
            in_the_clear: client(false)?,
            policy,
            names,
            patience,
        })
    }

    /// How long a receiver has to answer.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.patience
    }

    /// Whether something may be sent to a URL now.
    ///
    /// # Errors
    /// Why not.
    pub async fn admit(&self, url: &str) -> Result<Target, Refused> {
        let target = Target::read(url, &self.policy)?;
        if let Some(name) = &target.name {
            let name: Name = name.parse().map_err(|_| Refused::Unresolved)?;
            let looked_up = tokio::time::timeout(self.patience, self.names.resolve(name)).await;
            let found = looked_up.map_err(|_| Refused::Unresolved)?;
            let found: Vec<IpAddr> = found
                .map_err(|_| Refused::Unresolved)?
                .map(|address| address.ip())
                .collect();
            if found.is_empty() {
                return Err(Refused::Unresolved);
            }
            self.policy.admit(found, target.is_encrypted())?;
        }
        Ok(target)
    }

    /// Sends an event to a URL.
    pub async fn send(&self, url: &str, parcel: Parcel) -> Outcome {
        let begun = Instant::now();
        let until = begun + self.patience;
        let answered = match self.admit(url).await {
            Ok(target) => timeout_at(until, self.post(target, parcel))
                .await
                .unwrap_or(Err(Fault::TimedOut)),
            Err(refused) => Err(Fault::of_refusal(refused)),
        };
        let status = answered
            .as_ref()
            .ok()
            .map(|answer| answer.status().as_u16());
        let outcome = Outcome {
            status,
            fault: answered
                .as_ref()
                .err()
                .copied()
                .or(status.and_then(Fault::of_status)),
            took: begun.elapsed(),
        };
        if let Ok(answer) = answered {
            // What it says besides does not matter, nor whether it gets to say it.
            let _rest = tokio::time::timeout(REST_OF_ANSWER, read_rest(answer)).await;
        }
        outcome
    }

    async fn post(&self, target: Target, parcel: Parcel) -> Result<reqwest::Response, Fault> {
        let client = if target.is_encrypted() {
            &self.encrypted
        } else {
            &self.in_the_clear
        };
        let sent = client
            .post(target.url)
            .header(CONTENT_TYPE, cloud_event::MEDIA_TYPE)
            .header(WEBHOOK_ID, parcel.id)
            .header(WEBHOOK_TIMESTAMP, parcel.timestamp)
            .header(WEBHOOK_SIGNATURE, parcel.signatures)
            .body(parcel.body)
            .send()
            .await;
        sent.map_err(|error| Fault::of_error(&error))
    }
}

/// Reads an answer to its end, if that is near.
async fn read_rest(mut answer: reqwest::Response) {
    let mut read = 0;
    while let Ok(Some(chunk)) = answer.chunk().await {
        read += chunk.len();
        if read > MOST_OF_ANSWER {
            return;
        }
    }
}
