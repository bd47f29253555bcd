//! The sealer: chains what was recorded, signs, and writes the checkpoints to their file.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::Algorithm;
use super::checkpoint::{SigningKey, TrustedKeys};
use super::journal::Journal;
use crate::auth::keys::KeyError;
use crate::config::Config;
use crate::problem::Problem;
use crate::store::{Author, Db, Failure, audit};

/// How often it looks for events: what is recorded is sealed within a second.
const EVERY: Duration = Duration::from_millis(500);
/// How long it leaves a database or a disk alone that has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(2);

/// Why events could not be sealed, or their checkpoints not be written.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The database.
    #[error("{}", .0.for_terminal())]
    Database(#[from] Problem),
    /// The file of checkpoints.
    #[error("checkpoints {path}: {source}")]
    Journal {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

/// What it takes to seal, and to prove what was sealed.
#[derive(Debug)]
pub struct Sealer {
    key: SigningKey,
    algorithm: Algorithm,
    /// The public keys whose signatures count.
    pub trusted: TrustedKeys,
    /// Where the file of checkpoints is.
    pub journal: PathBuf,
}

impl Sealer {
    /// Reads the key, or makes one.
    ///
    /// # Errors
    /// [`KeyError`] if it can't be used.
    pub fn open(config: &Config) -> Result<Self, KeyError> {
        let key = SigningKey::from_file(&config.keys().join("audit.p8"))?;
        let trusted = TrustedKeys::new(&key, config.audit_trusted_keys.iter())?;
        Ok(Self {
            key,
            algorithm: config.audit_hash,
            trusted,
            journal: config.checkpoints(),
        })
    }

    /// The public key, by which others prove what is signed here.
    #[must_use]
    pub fn public_key(&self) -> String {
        self.key.public()
    }

    /// Seals as long as the service lives.
    pub async fn run(self: Arc<Self>, db: Db) {
        if let Err(error) = self.compare(&db).await {
            tracing::error!(%error, "the audit chain can't be compared with its checkpoints");
        }
        loop {
            let pause = match Self::pass(&self, &db).await {
                Ok(_) => EVERY,
                Err(error) => {
                    tracing::error!(%error, "the audit chain waits");
                    AFTER_FAILURE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Seals everything that waits, and writes the checkpoints that the file lacks. Answers how many events.
    ///
    /// # Errors
    /// [`SealError`]; whatever was sealed before stays so, and the next pass goes on from there.
    pub async fn pass(self: &Arc<Self>, db: &Db) -> Result<usize, SealError> {
        let mut sealed = 0;
        let mut after = Uuid::nil();
        while audit::is_waiting(db.reader(), after)
            .await
            .map_err(Failure::told)?
        {
            let this = Arc::clone(self);
            let batch = db
                .write(author(), async move |tx| {
                    audit::seal(tx, &this.key, this.algorithm, after).await
                })
                .await?;
            let Some(batch) = batch else { break };
            sealed += batch.events;
            // From the beginning again while there is something to seal: what is committed meanwhile may come before what
            // is seen already, and of one project it has to be sealed before. Only what waits without an event is passed.
            if batch.events == 0 {
                after = batch.last;
            }
        }
        self.write_down(db).await?;
        Ok(sealed)
    }

    /// Writes the checkpoints that the file lacks: after they are committed, so that none stands there which the
    /// chain does not have.
    async fn write_down(&self, db: &Db) -> Result<(), SealError> {
        let failed = |source| SealError::Journal {
            path: self.journal.display().to_string(),
            source,
        };
        let mut journal = Journal::open(&self.journal).await.map_err(failed)?;
        loop {
            let more = audit::checkpoints_after(db.reader(), journal.last())
                .await
                .map_err(Failure::told)?;
            if more.is_empty() {
                return Ok(());
            }
            journal.append(&more).map_err(failed)?;
        }
    }

    /// Says loudly if the chain does not go on from the last checkpoint of the file: it was cut, or rolled back.
    async fn compare(&self, db: &Db) -> Result<(), SealError> {
        let last = Journal::open(&self.journal)
            .await
            .map_err(|source| SealError::Journal {
                path: self.journal.display().to_string(),
                source,
            })?
            .into_last();
        let Some(last) = last else { return Ok(()) };
        let stored = audit::hash_at(db.reader(), last.seq)
            .await
            .map_err(Failure::told)?;
        if stored.as_deref() != Some(&last.hash[..]) {
            tracing::error!(
                entry = last.seq,
                "the audit chain is not the one of the checkpoint file: it was cut off or rolled back"
            );
        }
        Ok(())
    }
}

/// The sealer writes no event; its transactions have an author as all do.
fn author() -> Author {
    Author {
        account: None,
        name: "sealer".to_owned(),
        request_id: None,
        source: None,
    }
}
