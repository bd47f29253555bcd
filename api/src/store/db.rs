//! The connections, and the one way to read and the one way to write.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::RETRY_AFTER;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction,
    DbBackend, DbErr, IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{Semaphore, SemaphorePermit};
use tracing::Instrument;
use uuid::Uuid;

use super::failure::Failure;
use super::rollup;
use crate::clock::Clock;
use crate::config::Config;
use crate::problem::{Problem, kinds};

/// How long a request waits for a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a writer waits for his turn. Writers wait for each other's locks; only so many at a time hold a
/// connection while they do, so that a crowd is served in turn and readers are not kept waiting.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);
/// After how long without use a connection is tried before it is used: trying it costs a round trip to the
/// database, as much as a read.
const TRIED_AFTER: Duration = Duration::from_secs(1);
/// How often a transaction is tried that the database could not serialise.
const MAX_TRIES: u32 = 5;

/// The library's database: a pool to read and, on SQLite, one connection to write.
#[derive(Clone, Debug)]
pub struct Db {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    turns: Arc<Semaphore>,
    clock: Clock,
}

/// On whose behalf something is written.
#[derive(Clone, Debug)]
pub struct Author {
    /// The account; none for the command line.
    pub account: Option<Uuid>,
    /// The name to show.
    pub name: String,
    /// The request, if there was one.
    pub request_id: Option<String>,
    /// The address that it came from.
    pub source: Option<IpAddr>,
}

/// A write transaction, with the time and the author of all that is written in it.
#[derive(Debug)]
pub struct Tx {
    /// The transaction.
    pub db: DatabaseTransaction,
    /// When all of it becomes known.
    now: Cell<DateTime<Utc>>,
    clock: Clock,
    /// The calendar day of that.
    pub today: NaiveDate,
    /// By whom.
    pub by: Author,
    /// The projects that were saved, for the sums that are kept of them.
    saved: RefCell<BTreeSet<Uuid>>,
    /// How many events were recorded.
    events: Cell<u32>,
}

impl Db {
    /// Connects; an SQLite file is created if it is missing.
    ///
    /// # Errors
    /// [`DbErr`] if the database can't be reached or the address means nothing.
    pub async fn connect(config: &Config) -> Result<Self, DbErr> {
        let url = config.database();
        let clock = Clock::new(config.time_zone);
        if url.expose().starts_with("sqlite:") {
            let writer = Database::connect(sqlite(url.expose(), 1, false)).await?;
            let readers = config.database_connections;
            let reader = Database::connect(sqlite(url.expose(), readers, true)).await?;
            return Ok(Self {
                reader,
                writer,
                turns: Arc::new(Semaphore::new(1)),
                clock,
            });
        }
        let pool = Database::connect(postgres(config)).await?;
        let writers = usize::try_from(config.database_connections / 2).unwrap_or(1);
        Ok(Self {
            reader: pool.clone(),
            writer: pool,
            turns: Arc::new(Semaphore::new(writers)),
            clock,
        })
    }

    /// The clock by which the library dates what it learns.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        self.clock
    }

    /// For a single query; several that must agree go through [`Db::read`].
    #[must_use]
    pub const fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// For migrations.
    #[must_use]
    pub const fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Several queries that see one state.
    ///
    /// # Errors
    /// Whatever `work` answers, or the database's own failure.
    pub async fn read<T, F>(&self, work: F) -> Result<T, Problem>
    where
        T: 'static,
        F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, Failure> + 'static,
    {
        let this = self.clone();
        // In its own task: a client that goes away must not leave a transaction half begun.
        detached(async move { this.snapshot(work).await })
            .await
            .map_err(Failure::told)
    }

    /// The same, for who is no client.
    ///
    /// # Errors
    /// Whatever `work` answers, or the database's own failure.
    pub(crate) async fn snapshot<T, F>(&self, work: F) -> Result<T, Failure>
    where
        F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, Failure>,
    {
        let isolation = (self.reader.get_database_backend() == DbBackend::Postgres)
            .then_some(IsolationLevel::RepeatableRead);
        let options = TransactionOptions {
            isolation_level: isolation,
            access_mode: isolation.map(|_| AccessMode::ReadOnly),
            sqlite_transaction_mode: None,
        };
        let tx = self.reader.begin_with_options(options).await?;
        let result = work(&tx).await;
        tx.rollback().await?;
        result
    }

    /// One transaction that is done wholly or not at all; tried again if the database asks for it.
    ///
    /// # Errors
    /// Whatever `work` answers, after which nothing is changed, or the database's own failure.
    pub async fn write<T, F>(&self, by: Author, work: F) -> Result<T, Problem>
    where
        T: 'static,
        F: AsyncFn(&Tx) -> Result<T, Failure> + 'static,
    {
        let this = self.clone();
        // In its own task: once begun, a change is not cut short by a client that goes away.
        detached(async move {
            let _turn = this.turn().await?;
            let mut tries = 1;
            loop {
                match this.try_write(&by, &work).await {
                    Err(failure) if failure.may_be_tried_again() && tries < MAX_TRIES => {
                        tokio::time::sleep(pause(tries)).await;
                        tries += 1;
                    }
                    result => return result,
                }
            }
        })
        .await
        .map_err(Failure::told)
    }

    /// Does what a write would do, and takes all of it back: to find out whether it would be refused.
    ///
    /// # Errors
    /// Whatever `work` answers, or the database's own failure.
    pub(crate) async fn rehearse<T, F>(&self, by: Author, work: F) -> Result<T, Failure>
    where
        F: AsyncFn(&Tx) -> Result<T, Failure>,
    {
        let _turn = self.turn().await?;
        let mut tries = 1;
        loop {
            let tx = self.begin(&by).await?;
            let done = Box::pin(work(&tx)).await;
            tx.db.rollback().await?;
            match done {
                Err(failure) if failure.may_be_tried_again() && tries < MAX_TRIES => {
                    tokio::time::sleep(pause(tries)).await;
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    /// Work on what is derived from the library and kept: nothing is said to have happened, and it is not tried
    /// again. It sees one state throughout, taken by its first query.
    ///
    /// # Errors
    /// Whatever `work` answers, after which nothing is changed, or the database's own failure.
    pub(crate) async fn maintain<T, F>(&self, work: F) -> Result<T, Failure>
    where
        F: AsyncFnOnce(&DatabaseTransaction) -> Result<T, Failure>,
    {
        let is_postgres = self.writer.get_database_backend() == DbBackend::Postgres;
        let _turn = if is_postgres {
            None
        } else {
            Some(self.turn().await?)
        };
        let options = TransactionOptions {
            isolation_level: is_postgres.then_some(IsolationLevel::RepeatableRead),
            access_mode: None,
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        };
        let tx = self.writer.begin_with_options(options).await?;
        let done = work(&tx).await;
        match done {
            Ok(_) => tx.commit().await?,
            Err(_) => tx.rollback().await?,
        }
        done
    }

    async fn turn(&self) -> Result<SemaphorePermit<'_>, Failure> {
        let waited = tokio::time::timeout(TURN_TIMEOUT, self.turns.acquire()).await;
        match waited {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(Problem::new(kinds::UNAVAILABLE)
                .with_header(RETRY_AFTER, "2")
                .into()),
        }
    }

    async fn begin(&self, by: &Author) -> Result<Tx, Failure> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let db = self.writer.begin_with_options(options).await?;
        let now = self.clock.now();
        Ok(Tx {
            db,
            now: Cell::new(now),
            clock: self.clock,
            today: self.clock.day_of(now),
            by: by.clone(),
            saved: RefCell::default(),
            events: Cell::default(),
        })
    }

    async fn try_write<T, F>(&self, by: &Author, work: &F) -> Result<T, Failure>
    where
        F: AsyncFn(&Tx) -> Result<T, Failure>,
    {
        let tx = self.begin(by).await?;
        // On the heap: what a change takes on the way is more than belongs on a stack.
        let done = match Box::pin(work(&tx)).await {
            Ok(value) => rollup::post(&tx).await.map(|()| value),
            Err(failure) => Err(failure),
        };
        match done {
            Ok(value) => {
                tx.db.commit().await?;
                Ok(value)
            }
            Err(failure) => {
                tx.db.rollback().await?;
                Err(failure)
            }
        }
    }
}

impl Tx {
    /// When all that is written here becomes known.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.now.get()
    }

    /// The calendar day of an instant.
    pub(crate) fn day_of(&self, instant: DateTime<Utc>) -> NaiveDate {
        self.clock.day_of(instant)
    }

    /// Notes that a project is saved: whatever changed about it goes into the sums when the work is done.
    pub(crate) fn saves(&self, id: Uuid) {
        self.saved.borrow_mut().insert(id);
    }

    /// The projects that were saved, of which the sums do not know yet.
    pub(super) fn take_saved(&self) -> Vec<Uuid> {
        self.saved.take().into_iter().collect()
    }

    /// Which event of the transaction the next one is, from 0.
    pub(crate) fn nth_event(&self) -> u32 {
        self.events.replace(self.events.get().saturating_add(1))
    }

    /// Dates what is written after what has been read, which another transaction may have written while this one
    /// waited for its lock: of a family, one version ends where the next begins.
    pub(crate) fn comes_after(&self, latest: Option<DateTime<Utc>>) {
        debug_assert!(
            self.saved.borrow().is_empty(),
            "what is saved is posted to the sums by the time at which it was"
        );
        let now = self.clock.now();
        let after = latest.map_or(now, |latest| latest + TimeDelta::microseconds(1));
        self.now.set(Ord::max(now, after));
    }

    /// Waits until no other transaction writes reference data, and keeps others waiting: it is written seldom,
    /// and what is written depends on the whole of it. Libraries in other schemas of the same database do not
    /// wait for each other. SQLite has one writer anyway.
    pub(crate) async fn alone_with_reference_data(&self) -> Result<(), Failure> {
        if self.db.get_database_backend() == DbBackend::Postgres {
            self.db
                .execute_unprepared(
                    "SELECT pg_advisory_xact_lock(hashtext('taizhang reference data'), \
                                                  hashtext(current_schema()))",
                )
                .await?;
        }
        Ok(())
    }

    /// Waits until no other transaction writes of projects or reference data, and keeps others waiting, so that whatever
    /// they write is dated after this; what follows has to be dated by [`Tx::comes_after`]. SQLite has one writer anyway.
    pub(crate) async fn alone_with_the_library(&self) -> Result<(), Failure> {
        self.alone_with_reference_data().await?;
        if self.db.get_database_backend() == DbBackend::Postgres {
            // Whoever holds a family has locked rows of it.
            self.db
                .execute_unprepared("LOCK TABLE project IN EXCLUSIVE MODE")
                .await?;
        }
        Ok(())
    }

    /// Whether this is the only transaction that takes in a file, until it ends; it does not wait for another. So no two
    /// files register one project each.
    pub(crate) async fn alone_with_imports(&self) -> Result<bool, Failure> {
        self.alone_with("taizhang imports").await
    }

    /// Whether this is the only transaction that seals, until it ends; it does not wait for another.
    pub(crate) async fn alone_with_the_chain(&self) -> Result<bool, Failure> {
        self.alone_with("taizhang audit chain").await
    }

    async fn alone_with(&self, what: &str) -> Result<bool, Failure> {
        if self.db.get_database_backend() != DbBackend::Postgres {
            return Ok(true);
        }
        let asked = Statement::from_sql_and_values(
            DbBackend::Postgres,
            "SELECT pg_try_advisory_xact_lock(hashtext($1), hashtext(current_schema()))",
            [what.into()],
        );
        let row = self.db.query_one_raw(asked).await?;
        Ok(row.is_some_and(|row| row.try_get_by_index(0).unwrap_or(false)))
    }

    /// Does a part of a transaction wholly or not at all: where it is refused, the rest stands.
    ///
    /// # Errors
    /// Whatever `work` answers; only after a refusal does the transaction go on.
    pub(crate) async fn attempt<T>(
        &self,
        work: impl AsyncFnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // What was saved before goes into the sums before, or it would be taken back with this.
        rollup::post(self).await?;
        self.db.execute_unprepared("SAVEPOINT attempt").await?;
        match Box::pin(work()).await {
            Ok(done) => {
                self.db
                    .execute_unprepared("RELEASE SAVEPOINT attempt")
                    .await?;
                Ok(done)
            }
            Err(Failure::Refused(problem)) => {
                self.take_saved();
                self.db
                    .execute_unprepared("ROLLBACK TO SAVEPOINT attempt; RELEASE SAVEPOINT attempt")
                    .await?;
                Err(Failure::Refused(problem))
            }
            Err(failure) => Err(failure),
        }
    }
}

async fn detached<T: 'static>(
    work: impl Future<Output = Result<T, Failure>> + 'static,
) -> Result<T, Failure> {
    // What is logged there belongs to the request all the same.
    actix_web::rt::spawn(work.in_current_span())
        .await
        .unwrap_or_else(|_| {
            Err(Failure::Broken(
                "a task of the store ended early".to_owned(),
            ))
        })
}

/// Spreads the tries of those who met: the second part differs from one try and one request to the next.
fn pause(tries: u32) -> Duration {
    let jitter = crate::clock::new_id().as_u128() % 20;
    Duration::from_millis(u64::from(tries) * 10 + u64::try_from(jitter).unwrap_or_default())
}

fn sqlite(url: &str, connections: u32, reads_only: bool) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        // A file doesn't go away as a server does.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            let sqlite = sqlite
                .busy_timeout(TURN_TIMEOUT)
                .foreign_keys(true)
                // In KiB, for each connection.
                .pragma("cache_size", "-8192");
            if reads_only {
                sqlite.pragma("query_only", "on")
            } else {
                sqlite
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
            }
        });
    options
}

fn postgres(config: &Config) -> ConnectOptions {
    let mut options = ConnectOptions::new(config.database().expose());
    options
        .max_connections(config.database_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire_if_idle_for(TRIED_AFTER)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|postgres| {
            postgres.application_name("taizhang").options([
                ("lock_timeout", "2s"),
                ("statement_timeout", "10s"),
                ("idle_in_transaction_session_timeout", "15s"),
                // Compiling a statement takes longer than running any of these.
                ("jit", "off"),
            ])
        })
        // A connection that came back with a transaction still open is not used again.
        .map_sqlx_postgres_before_acquire(|connection, _| {
            Box::pin(async move {
                use sea_orm::sqlx::Connection;
                Ok(!connection.is_in_transaction())
            })
        });
    if let Some(schema) = &config.database_schema {
        options.set_schema_search_path(schema.clone());
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Span;

    #[actix_web::test]
    async fn a_task_of_its_own_still_belongs_to_the_request() {
        let _guard = tracing::subscriber::set_default(tracing_subscriber::fmt().finish());
        let span = tracing::info_span!("request");
        let within = detached(async { Ok(Span::current().id()) })
            .instrument(span.clone())
            .await
            .unwrap();
        assert!(span.id().is_some());
        assert_eq!(within, span.id());
    }
}
