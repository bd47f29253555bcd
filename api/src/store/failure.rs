//! Why a transaction failed: by rule, or by the database.

use actix_web::http::header::RETRY_AFTER;
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};

use crate::problem::{Problem, kinds};

/// Why a transaction failed.
#[derive(Debug)]
pub enum Failure {
    /// Refused by rule.
    Refused(Problem),
    /// The ground moved between reading and locking: begin again.
    Moved,
    /// The database failed.
    Database(DbErr),
    /// What is done can't be recorded, so it is not done.
    Unrecorded(DbErr),
    /// What is stored can't be, or a task broke.
    Broken(String),
}

impl From<DbErr> for Failure {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

impl<P: Into<Problem>> From<P> for Failure {
    fn from(problem: P) -> Self {
        Self::Refused(problem.into())
    }
}

/// What is stored is not what the domain knows.
pub(crate) fn corrupt(what: &str) -> Failure {
    Failure::Broken(format!("stored value that means nothing: {what}"))
}

impl Failure {
    /// The failure of a change that could not be recorded. One that may succeed when it is begun again
    /// is that of any other statement.
    pub(crate) fn unrecorded(error: DbErr) -> Self {
        let is_of_any = matches!(
            code_of(&error).as_deref(),
            Some("40001" | "40P01" | "55P03")
        );
        if is_of_any {
            return Self::Database(error);
        }
        Self::Unrecorded(error)
    }

    /// Whether the same work may succeed when it is begun again.
    #[must_use]
    pub fn may_be_tried_again(&self) -> bool {
        match self {
            Self::Moved => true,
            Self::Database(error) => matches!(code_of(error).as_deref(), Some("40001" | "40P01")),
            Self::Refused(_) | Self::Unrecorded(_) | Self::Broken(_) => false,
        }
    }

    /// The failure as it is told to the client; what is the service's own fault goes to the log.
    #[must_use]
    pub fn told(self) -> Problem {
        match self {
            Self::Refused(problem) => problem,
            Self::Moved => Problem::new(kinds::CONCURRENT_CHANGE),
            Self::Database(error) => told_of_database(&error),
            Self::Unrecorded(error) => {
                tracing::error!(%error, "what is done can't be recorded, so it is refused");
                unavailable()
            }
            Self::Broken(what) => {
                tracing::error!(error = what, "the store is broken");
                Problem::new(kinds::INTERNAL)
            }
        }
    }
}

fn told_of_database(error: &DbErr) -> Problem {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(what)) => {
            tracing::warn!(error = what, "two of what may stand once");
            return Problem::new(kinds::ALREADY_EXISTS);
        }
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => {
            return Problem::new(kinds::STILL_IN_USE).say(
                "引用的对象不存在，或仍被引用",
                "It refers to something that is not there, or is still referred to",
            );
        }
        Some(_) | None => {}
    }
    match code_of(error).as_deref() {
        Some("40001" | "40P01" | "55P03") => Problem::new(kinds::CONCURRENT_CHANGE),
        _ if is_unavailable(error) => {
            tracing::error!(%error, "the database can't be reached");
            unavailable()
        }
        _ => {
            tracing::error!(%error, "the database failed");
            Problem::new(kinds::INTERNAL)
        }
    }
}

fn unavailable() -> Problem {
    Problem::new(kinds::UNAVAILABLE).with_header(RETRY_AFTER, "2")
}

fn is_unavailable(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) {
        return true;
    }
    let is_gone = matches!(
        sqlx_error(error),
        Some(
            sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::WorkerCrashed
        )
    );
    // PostgreSQL: cancelled, shutting down, out of resources, disk full; SQLite: busy, full, I/O.
    is_gone
        || code_of(error).is_some_and(|code| {
            let is_class = |class: &&str| code.len() == 5 && code.starts_with(class);
            ["57", "53", "08"].iter().any(is_class)
                || code
                    .parse()
                    .is_ok_and(|code: u32| [5, 10, 13].contains(&(code & 0xFF)))
        })
}

fn sqlx_error(error: &DbErr) -> Option<&sqlx::Error> {
    if let DbErr::Conn(RuntimeErr::SqlxError(e))
    | DbErr::Exec(RuntimeErr::SqlxError(e))
    | DbErr::Query(RuntimeErr::SqlxError(e)) = error
    {
        return Some(e);
    }
    None
}

fn code_of(error: &DbErr) -> Option<String> {
    let database = sqlx_error(error)?.as_database_error()?;
    database.code().map(std::borrow::Cow::into_owned)
}
