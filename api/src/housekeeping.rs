//! What the service does by itself: takes up new keys, forgets what no longer matters.

use std::time::Duration;

use crate::app::App;
use crate::store::account::{attempts, identity, session};
use crate::store::{Author, Db};

/// How often the keys are read anew, so that a key that was taken away is gone here too.
const KEYS: Duration = Duration::from_secs(10);
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
    actix_web::rt::spawn(async move {
        let mut ticks = tokio::time::interval(OLD);
        loop {
            ticks.tick().await;
            forget_old(&db).await;
        }
    });
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
