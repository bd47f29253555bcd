//! Events: what was done, by whom, with before and after; written with what they record.

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::Value;
use uuid::Uuid;

use super::{Failure, Tx};
use crate::clock::id_at;
use crate::entity::event;

/// How many events are inserted at a time: each has 13 values, and SQLite takes 32,766.
const ROWS: usize = 1000;

/// One event to be recorded.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The project, if it is about one.
    pub project: Option<Uuid>,
    /// What it is about: `project/ID`, `list/CODE`, `region/CODE` and so on.
    pub subject: String,
    /// What happened.
    pub kind: &'static str,
    /// The version that came of it.
    pub version: Option<i64>,
    /// As it was.
    pub before: Option<Value>,
    /// As it is.
    pub after: Option<Value>,
    /// Whether it was asked for and refused.
    pub denied: bool,
}

impl Entry {
    /// About a project.
    #[must_use]
    pub fn of_project(id: Uuid, kind: &'static str, version: i64) -> Self {
        Self {
            project: Some(id),
            subject: format!("project/{id}"),
            kind,
            version: Some(version),
            before: None,
            after: None,
            denied: false,
        }
    }

    /// About an account.
    #[must_use]
    pub fn of_account(id: Uuid, kind: &'static str) -> Self {
        Self {
            project: None,
            subject: format!("account/{id}"),
            kind,
            version: None,
            before: None,
            after: None,
            denied: false,
        }
    }

    /// About nobody who is known.
    #[must_use]
    pub fn of_nobody(kind: &'static str) -> Self {
        Self {
            project: None,
            subject: "account/-".to_owned(),
            kind,
            version: None,
            before: None,
            after: None,
            denied: false,
        }
    }

    /// About something with a code.
    #[must_use]
    pub fn of_code(what: &str, code: &str, kind: &'static str, version: i64) -> Self {
        Self {
            project: None,
            subject: format!("{what}/{code}"),
            kind,
            version: Some(version),
            before: None,
            after: None,
            denied: false,
        }
    }

    /// About what was handed out: `audit` or `projects`, and how much of it.
    #[must_use]
    pub fn of_export(what: &str, scope: Value) -> Self {
        Self {
            project: None,
            subject: what.to_owned(),
            kind: "exported",
            version: None,
            before: None,
            after: Some(scope),
            denied: false,
        }
    }

    /// About a file that was brought in.
    #[must_use]
    pub fn of_import(id: Uuid, kind: &'static str) -> Self {
        Self {
            project: None,
            subject: format!("import/{id}"),
            kind,
            version: None,
            before: None,
            after: None,
            denied: false,
        }
    }

    /// About an operation of the contract that was asked for.
    #[must_use]
    pub fn of_operation(method: &str, path: &str, kind: &'static str) -> Self {
        Self {
            project: None,
            subject: format!("operation/{method} {path}"),
            kind,
            version: None,
            before: None,
            after: None,
            denied: false,
        }
    }

    /// It was asked for and refused.
    #[must_use]
    pub fn denied(mut self) -> Self {
        self.denied = true;
        self
    }

    /// With how it was and how it is.
    #[must_use]
    pub fn changing(mut self, before: Option<Value>, after: Option<Value>) -> Self {
        self.before = before;
        self.after = after;
        self
    }
}

/// The last version of something with a code that is no longer there; 0 if it never was. Versions go on after a
/// removal, so that an old entity tag never fits a new entry.
pub(crate) async fn last_version(tx: &Tx, what: &str, code: &str) -> Result<i64, Failure> {
    let last = event::Entity::find()
        .filter(event::Column::Subject.eq(format!("{what}/{code}")))
        .order_by_desc(event::Column::Id)
        .one(&tx.db)
        .await
        .map_err(Failure::unrecorded)?;
    Ok(last.and_then(|row| row.version).unwrap_or_default())
}

/// Records an event in the transaction of what it records.
///
/// # Errors
/// [`Failure::Unrecorded`] if it can't be; the change is then refused with it.
pub async fn record(tx: &Tx, entry: Entry) -> Result<(), Failure> {
    record_all(tx, vec![entry]).await
}

/// The same of several, in their order.
///
/// # Errors
/// As for [`record`].
pub(crate) async fn record_all(tx: &Tx, entries: Vec<Entry>) -> Result<(), Failure> {
    let rows: Vec<_> = entries.into_iter().map(|entry| row(tx, entry)).collect();
    for some in rows.chunks(ROWS) {
        event::Entity::insert_many(some.iter().cloned())
            .exec_without_returning(&tx.db)
            .await
            .map_err(Failure::unrecorded)?;
    }
    Ok(())
}

fn row(tx: &Tx, entry: Entry) -> event::ActiveModel {
    event::ActiveModel {
        id: Set(id_at(tx.now(), tx.nth_event())),
        project_id: Set(entry.project),
        subject: Set(entry.subject),
        kind: Set(entry.kind.to_owned()),
        version: Set(entry.version),
        before: Set(entry.before),
        after: Set(entry.after),
        actor_id: Set(tx.by.account),
        actor_name: Set(tx.by.name.clone()),
        request_id: Set(tx.by.request_id.clone()),
        recorded_at: Set(tx.now()),
        source: Set(tx.by.source.map(|address| address.to_string())),
        result: Set(if entry.denied { "denied" } else { "done" }.to_owned()),
    }
}
