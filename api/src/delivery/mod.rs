//! Telling webhooks of what happens (docs/decisions/0008): each process of the service takes what is due, sends it, and
//! writes down what came of it. What is due, and to whom, is [`store::webhook`](crate::store::webhook)'s.

pub mod address;
pub mod receiver;
pub mod schedule;
pub mod signature;

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use reqwest::dns::Resolve;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Instant;
use uuid::Uuid;

use crate::app::App;
use crate::auth::keys::{KeyError, Vault};
use crate::clock::new_id;
use crate::cloud_event::CloudEvent;
use crate::config::Config;
use crate::store::Failure;
use crate::store::webhook::Sealed;
use crate::store::webhook::work::{self, Report};
use receiver::{Outcome, Receivers};
use signature::{Secret, signatures};

/// How often it is looked whether there is something to do.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long a database is left alone that has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(2);
/// How many deliveries a process sends at a time, in all.
pub const SENDING: usize = 128;
/// How many of them to one webhook.
const TO_ONE: usize = 32;
/// How many to one whose receiver has not taken any lately: one that is down or slow is not to keep the others waiting.
const TO_ONE_THAT_FAILS: usize = 4;
/// For how many webhooks a process asks the database at a time: there may be hundreds, and whoever else asks it is not to
/// wait for them.
const ASKING: usize = 4;
/// How long a lease lasts beyond the time that a receiver has to answer.
const TO_SETTLE: Duration = Duration::from_secs(15);

/// Starts it; it ends when the service is asked to stop.
pub(crate) fn start(app: App) {
    actix_web::rt::spawn(async move {
        let crew = Crew {
            app: app.clone(),
            process: new_id(),
            at_work: Rc::default(),
            turns: Rc::new(Semaphore::new(ASKING)),
        };
        while !is_ending(&app) {
            let pause = match work::with_work(&app.db).await {
                Ok(ids) => {
                    for id in ids {
                        crew.begin(id);
                    }
                    LOOK_EVERY
                }
                Err(failure) => {
                    let problem = Failure::told(failure);
                    tracing::warn!(%problem, "webhooks wait");
                    AFTER_FAILURE
                }
            };
            tokio::time::sleep(pause).await;
        }
    });
}

/// Waits until what is being sent has been answered and written down, which takes a limited time.
pub(crate) async fn drained(app: &App) {
    let all = u32::try_from(SENDING).unwrap_or(u32::MAX);
    let until = app.receivers.patience() + AFTER_FAILURE;
    if tokio::time::timeout(until, app.sending.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!("what was sent to webhooks last is not written down: it will be sent again");
    }
}

fn is_ending(app: &App) -> bool {
    app.draining.load(Ordering::Relaxed)
}

/// Those of this process who work for webhooks.
struct Crew {
    app: App,
    process: Uuid,
    at_work: Rc<RefCell<HashSet<Uuid>>>,
    turns: Rc<Semaphore>,
}

impl Crew {
    /// Works for a webhook, unless that goes on already.
    fn begin(&self, id: Uuid) {
        if !self.at_work.borrow_mut().insert(id) {
            return;
        }
        let mut worker = Worker {
            app: self.app.clone(),
            process: self.process,
            webhook: id,
            turns: Rc::clone(&self.turns),
            sends: JoinSet::new(),
            width: TO_ONE_THAT_FAILS,
        };
        let at_work = Rc::clone(&self.at_work);
        actix_web::rt::spawn(async move {
            if let Err(failure) = worker.run().await {
                let problem = Failure::told(failure);
                tracing::warn!(webhook = %id, %problem, "a webhook waits");
            }
            at_work.borrow_mut().remove(&id);
        });
    }
}

/// A report, with the leave to send that is given back when it is written down.
type Sent = (Report, OwnedSemaphorePermit);

/// One who works for a webhook as long as there is something to do.
struct Worker {
    app: App,
    process: Uuid,
    webhook: Uuid,
    /// Leave to ask the database.
    turns: Rc<Semaphore>,
    sends: JoinSet<Option<Sent>>,
    width: usize,
}

impl Worker {
    async fn run(&mut self) -> Result<(), Failure> {
        loop {
            if !is_ending(&self.app) && self.sends.len() <= self.width / 2 {
                self.take_more().await?;
            }
            let Some(first) = self.sends.join_next().await else {
                return Ok(());
            };
            let mut sent: Vec<Sent> = first.ok().flatten().into_iter().collect();
            while let Some(more) = self.sends.try_join_next() {
                sent.extend(more.ok().flatten());
            }
            self.settle(sent).await?;
        }
    }

    /// Begins to send what is due, as far as there is room; puts down what is to come when there is room left.
    async fn take_more(&mut self) -> Result<(), Failure> {
        let turns = Rc::clone(&self.turns);
        let _turn = turns.acquire().await;
        loop {
            let Some(hook) = work::hook(&self.app.db, self.webhook).await? else {
                return Ok(());
            };
            let secrets = open(&self.app.vault, self.webhook, &hook.sealed);
            let secrets: Arc<[Secret]> =
                secrets.map_err(|e| Failure::Broken(e.to_string()))?.into();
            let mut leave = self.leave(self.width - self.sends.len());
            if leave.is_empty() {
                return Ok(());
            }
            let begun = Instant::now();
            let lasts = self.app.receivers.patience() + TO_SETTLE;
            let lasts = TimeDelta::from_std(lasts).unwrap_or(TimeDelta::MAX);
            let wanted = (leave.len(), lasts);
            let parcels = work::lease(&self.app.db, &hook, self.process, wanted).await?;
            let has_room = parcels.len() < leave.len();
            for (parcel, leave) in parcels.into_iter().zip(leave.drain(..)) {
                let sending = Sending {
                    app: self.app.clone(),
                    url: hook.record.fields.url.clone(),
                    secrets: Arc::clone(&secrets),
                    until: begun + TO_SETTLE,
                };
                self.sends.spawn_local(sending.send(parcel, leave));
            }
            if !has_room || is_ending(&self.app) {
                return Ok(());
            }
            let is_more = work::put_down(&self.app.db, &hook).await?;
            // What has been sent is not to wait until the feed is looked through: its leases end.
            if !is_more || !self.sends.is_empty() {
                return Ok(());
            }
        }
    }

    fn leave(&self, most: usize) -> Vec<OwnedSemaphorePermit> {
        let one = || Arc::clone(&self.app.sending).try_acquire_owned().ok();
        std::iter::from_fn(one).take(most).collect()
    }

    async fn settle(&mut self, sent: Vec<Sent>) -> Result<(), Failure> {
        let (reports, _leave): (Vec<Report>, Vec<OwnedSemaphorePermit>) = sent.into_iter().unzip();
        if reports.is_empty() {
            return Ok(());
        }
        let is_taken = |report: &Report| report.outcome.is_some_and(|came| came.fault.is_none());
        self.width = if reports.iter().any(is_taken) {
            TO_ONE
        } else {
            TO_ONE_THAT_FAILS
        };
        let _turn = self.turns.acquire().await;
        work::settle(&self.app.db, self.webhook, self.process, reports).await
    }
}

/// The secrets of a webhook that sign now.
///
/// # Errors
/// [`KeyError`] if one does not open.
pub fn open(vault: &Vault, webhook: Uuid, sealed: &Sealed) -> Result<Vec<Secret>, KeyError> {
    let each = std::iter::once(&sealed.secret).chain(&sealed.former);
    each.map(|sealed| Ok(Secret::of(vault.open_sealed(webhook.as_bytes(), sealed)?)))
        .collect()
}

/// What it takes to send a delivery.
struct Sending {
    app: App,
    url: String,
    secrets: Arc<[Secret]>,
    /// After this it is not begun any more: the lease might end before the receiver has answered.
    until: Instant,
}

impl Sending {
    async fn send(self, parcel: work::Parcel, leave: OwnedSemaphorePermit) -> Option<Sent> {
        if Instant::now() >= self.until {
            return None;
        }
        let at = self.app.db.clock().now();
        let outcome = match parcel.happening {
            None => None,
            Some(told) => {
                let event = CloudEvent::from(told);
                Some(post(&self.app, &self.url, &self.secrets, &event).await)
            }
        };
        let report = Report {
            delivery: parcel.delivery,
            at,
            outcome,
        };
        Some((report, leave))
    }
}

/// Signs an event and sends it.
pub async fn post(app: &App, url: &str, secrets: &[Secret], event: &CloudEvent) -> Outcome {
    let body = serde_json::to_vec(event).unwrap_or_default();
    let id = event.id().to_string();
    let timestamp = app.db.clock().now().timestamp();
    let parcel = receiver::Parcel {
        signatures: signatures(secrets, &id, timestamp, &body),
        id,
        timestamp,
        body,
    };
    app.receivers.send(url, parcel).await
}

/// Leave to send so many deliveries at a time.
#[must_use]
pub fn leave() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(SENDING))
}

/// Receivers as the configuration has them, whose names are looked up so.
///
/// # Errors
/// [`reqwest::Error`] if the machine's certificate authorities can't be used.
pub fn receivers(config: &Config, names: Arc<dyn Resolve>) -> Result<Receivers, reqwest::Error> {
    Receivers::new(
        address::Policy::new(config.webhook_allowed_networks.clone()),
        names,
        Duration::from_secs(config.webhook_timeout),
    )
}
