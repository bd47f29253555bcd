//! What the service does by itself: takes up new keys, forgets what no longer matters.

use std::time::Duration;

use chrono::{TimeDelta, Timelike};
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::store::account::{attempts, identity, session};
use crate::store::{Author, Db, Failure, import, rollup, webhook};

/// How often the keys are read anew, so that a key that was taken away is gone here too.
const KEYS: Duration = Duration::from_secs(10);
/// How often what changed is folded into the sums that are kept. Who reads adds what waits himself; the less waits,
/// the less there is to add.
const FOLD: Duration = Duration::from_secs(1);
/// How often it is looked whether a day is over of which is to be kept what it changed.
const DAY_OVER: Duration = Duration::from_mins(10);
/// How often it is looked whether the sums have to be proved again.
const PROVE: Duration = Duration::from_mins(10);
/// How old a proof gets: each night there is another.
const PROOF_LASTS: TimeDelta = TimeDelta::hours(20);
/// The hours of the night in which they are proved, when few ask.
const NIGHT: std::ops::Range<u32> = 1..5;
/// How often what is old is dropped.
const OLD: Duration = Duration::from_mins(10);

/// Starts it; it ends with the runtime.
pub(crate) fn start(app: App) {
    let App { db, tokens, .. } = app;
    let clock = db.clock();
    actix_web::rt::spawn(async move {
        let mut ticks = tokio::time::interval(KEYS);
        loop {
            ticks.tick().await;
            tokens.keys().reload(clock.now());
        }
    });
    let folding = db.clone();
    actix_web::rt::spawn(async move {
        let mut ticks = tokio::time::interval(FOLD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(failure) = rollup::fold(&folding).await {
                let problem = Failure::told(failure);
                tracing::warn!(%problem, "what changed could not be folded; it is tried again");
            }
        }
    });
    let keeping = db.clone();
    actix_web::rt::spawn(async move {
        let mut ticks = tokio::time::interval(DAY_OVER);
        loop {
            ticks.tick().await;
            keep_days(&keeping).await;
        }
    });
    let proving = db.clone();
    actix_web::rt::spawn(async move {
        let mut ticks = tokio::time::interval(PROVE);
        loop {
            ticks.tick().await;
            if is_due(&proving).await {
                prove(&proving).await;
            }
        }
    });
    actix_web::rt::spawn(async move {
        let mut ticks = tokio::time::interval(OLD);
        loop {
            ticks.tick().await;
            forget_old(&db).await;
        }
    });
}

/// Keeps what each day changed that is over; after a rebuilding those are all days there were.
async fn keep_days(db: &Db) {
    loop {
        match rollup::keep_next_day(db).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(failure) => {
                let problem = Failure::told(failure);
                tracing::warn!(%problem, "the sums of a day could not be kept; it is tried again");
                return;
            }
        }
    }
}

/// Whether it is night and the last proof is of the night before, by whichever service it was made.
async fn is_due(db: &Db) -> bool {
    let now = db.clock().now();
    let proved = match rollup::health(db.reader()).await {
        Ok(health) => health.proved,
        Err(_) => return false,
    };
    NIGHT.contains(&db.clock().local(now).hour())
        && proved.is_none_or(|(at, _)| now - at > PROOF_LASTS)
}

/// Holds the sums against the library; what differs is told, by name, for whoever looks after the service.
async fn prove(db: &Db) {
    match rollup::verify(db).await {
        Ok(proof) if proof.count == 0 => tracing::info!("every sum is what the library adds up to"),
        Ok(proof) => {
            for difference in &proof.differences {
                tracing::error!(?difference, "a sum is not what the library adds up to");
            }
            tracing::error!(
                count = proof.count,
                "`taizhang rollup rebuild` makes the sums anew"
            );
        }
        Err(failure) => {
            let problem = Failure::told(failure);
            tracing::warn!(%problem, "the sums could not be proved");
        }
    }
}

async fn forget_old(db: &Db) {
    let by = Author {
        account: None,
        name: "housekeeping".to_owned(),
        request_id: None,
        source: None,
    };
    let done = db
        .write(by, async |tx| {
            session::forget_old(tx).await?;
            identity::forget_old(tx).await?;
            attempts::forget_old(tx).await?;
            import::job::tidy(tx).await?;
            webhook::work::forget_old(tx).await
        })
        .await;
    if let Err(problem) = done {
        tracing::warn!(%problem, "what is old could not be dropped; it is tried again");
    }
}
