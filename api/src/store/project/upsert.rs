//! Making or amending a project by a key that another office's system knows.

use domain::code::ProjectCode;
use domain::project::Facts;
use uuid::Uuid;

use super::{Key, Record, Registration, amend, complete, find, read, register};
use crate::auth::Principal;
use crate::entity::project::Model;
use crate::precondition::Precondition;
use crate::problem::{Problem, kinds};
use crate::store::external_ref::{self, ExternalRef};
use crate::store::{Failure, Tx, row};

/// How a project is known: by a system's key, by 项目代码, or both.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The key of a system. It goes before the code; a project that is found by its code is linked to it.
    pub external: Option<ExternalRef>,
    /// The code.
    pub code: Option<ProjectCode>,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was registered.
    Created,
    /// It was changed.
    Changed,
    /// It stood so already.
    Unchanged,
}

/// The version that is changed.
#[derive(Clone, Copy, Debug)]
pub enum Seen {
    /// Of a request about one project.
    Precondition(Precondition),
    /// Of one thing in a batch: none if there must be no such project, or if nothing is to be changed about it.
    Version(Option<i64>),
}

/// Registers or amends a project, and links it to the key of the system. Nobody overwrites what he has not seen; what
/// stands as it is wanted is left, whatever was seen; by whoever might change it.
///
/// # Errors
/// As [`register`] and [`amend`]; `key_taken`; 412, and `precondition_required` for a change without a version.
pub async fn upsert(
    tx: &Tx,
    principal: &Principal,
    known: &Known,
    seen: Seen,
    new: impl Fn() -> Result<Registration, Problem>,
    change: impl Fn(Facts) -> Result<Facts, Problem>,
) -> Result<(Outcome, Record), Failure> {
    let present = look_up(tx, principal, known).await?;
    if let Seen::Precondition(precondition) = seen {
        precondition.check(present.as_ref().map(|row| row.version))?;
    }
    let Some(present) = present else {
        if let Seen::Version(Some(version)) = seen {
            Precondition::Version(version).check(None)?;
        }
        let record = register(tx, principal, new()?).await?;
        let record = linked(tx, principal, record, known).await?;
        return Ok((Outcome::Created, record));
    };
    let is_linked = is_linked(tx, present.id, known).await?;
    let facts = row::facts(&present)?;
    if is_linked && change(facts.clone())? == facts {
        principal.need_mandate(&present.region, present.unit.as_deref())?;
        return Ok((Outcome::Unchanged, complete(&tx.db, &present).await?));
    }
    let version = match seen {
        Seen::Precondition(_) => present.version,
        Seen::Version(version) => version.ok_or_else(|| {
            Problem::new(kinds::PRECONDITION_REQUIRED).say(
                format!(
                    "项目已存在，现在的版本是 {}；请带上所见版本",
                    present.version
                ),
                format!(
                    "The project is there, at version {}; say which version was seen",
                    present.version
                ),
            )
        })?,
    };
    let record = amend(tx, principal, present.id, version, change).await?;
    let record = linked(tx, principal, record, known).await?;
    Ok((Outcome::Changed, record))
}

/// The project that is known so, in the scope of whoever asks; one out of it is as good as none.
async fn look_up(tx: &Tx, principal: &Principal, known: &Known) -> Result<Option<Model>, Failure> {
    let reach = principal.reads();
    if let Some(external) = &known.external
        && let Some(id) = external_ref::project_of(&tx.db, external).await?
    {
        return find(&tx.db, &reach, Key::Id(id)).await;
    }
    match &known.code {
        Some(code) => find(&tx.db, &reach, Key::Code(code.as_str())).await,
        None => Ok(None),
    }
}

async fn is_linked(tx: &Tx, id: Uuid, known: &Known) -> Result<bool, Failure> {
    let Some(external) = &known.external else {
        return Ok(true);
    };
    Ok(external_ref::project_of(&tx.db, external).await? == Some(id))
}

/// The record of a project that has been saved, linked to the key of the system if it is not yet.
async fn linked(
    tx: &Tx,
    principal: &Principal,
    record: Record,
    known: &Known,
) -> Result<Record, Failure> {
    let Some(external) = &known.external else {
        return Ok(record);
    };
    if is_linked(tx, record.id, known).await? {
        return Ok(record);
    }
    external_ref::link(tx, principal, record.id, record.version, external).await?;
    read(&tx.db, &principal.reads(), Key::Id(record.id)).await
}
