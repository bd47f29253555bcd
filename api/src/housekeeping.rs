//! What the service does by itself: takes up new keys, forgets what no longer matters.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::store::account::{attempts, identity, session};
use crate::store::{Author, Db, Failure, rollup};

/// How often the keys are read anew, so that a key that was taken away is gone here too.
const KEYS: Duration = Duration::from_secs(10);
/// How often what changed is folded into the sums that are kept. Who reads adds what waits himself; the less waits,
/// the less there is to add.
const FOLD: Duration = Duration::from_secs(1);
/// How often the sums are proved.
const PROVE: Duration = Duration::from_hours(24);
/// How long after the start that is done first: a service that has just begun has better to do.
const PROVE_FIRST: Duration = Duration::from_mins(10);
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
    let proving = db.clone();
    actix_web::rt::spawn(async move {
        let start = tokio::time::Instant::now() + PROVE_FIRST;
        let mut ticks = tokio::time::interval_at(start, PROVE);
        loop {
            ticks.tick().await;
            prove(&proving).await;
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
            attempts::forget_old(tx).await
        })
        .await;
    if let Err(problem) = done {
        tracing::warn!(%problem, "what is old could not be dropped; it is tried again");
    }
}
