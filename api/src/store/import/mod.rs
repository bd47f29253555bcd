//! Files of other offices: what their rows are about, what they would change, changing it, and taking it back.
//!
//! Rows are judged in memory, some at a time, so that many cost little: [`judge`]. What single rules say of a change of
//! what is there already is found out by trying it: [`rehearse`]. [`commit`] judges again within its transaction, for
//! the library goes on; new projects are saved many at a time. All of a file is one transaction.

mod beside;
mod cells;
pub mod job;
pub(crate) mod mapping;
mod names;
mod not_taken;
pub mod outcome;
mod present;
mod projects;
mod undo;
mod verdict;
mod write;

use std::collections::BTreeMap;

use intake::document::{Document, Row};
use sea_orm::ConnectionTrait;

use crate::auth::Principal;
use crate::problem::Problem;
use crate::store::{Author, Db, Failure};
use names::Names;
pub use undo::undo;
pub use verdict::{Double, Likeness, Place, SameName, Terms, Twin};
pub(crate) use verdict::{Verdict, What};
pub use write::{Committed, Work, commit};

/// How many rows are judged at a time.
const CHUNK: usize = 500;

/// The texts of a row's cells, by the letters of their columns.
fn cells_of(row: &Row) -> BTreeMap<String, String> {
    let read = row.fields.values();
    let read = read.map(|cell| (cell.column.to_string(), cell.text.clone()));
    let faulty = row.faults.iter();
    let faulty = faulty.filter_map(|fault| Some((fault.column.clone()?, fault.text.clone())));
    read.chain(faulty).collect()
}

/// What comes of each row of a file, by the library as it stands.
pub(crate) async fn judge(
    db: &impl ConnectionTrait,
    principal: &Principal,
    (document, terms): (&Document, &Terms),
    today: chrono::NaiveDate,
    step: impl Fn(usize),
) -> Result<Vec<Verdict>, Failure> {
    let names = Names::read(db, today).await?;
    if terms.kind == intake::Kind::Projects {
        let mut verdicts = projects::Judge::new(principal, terms, names, today)
            .judge(db, document, step)
            .await?;
        if terms.opening_balance {
            write::refuse_closed(db, &mut verdicts, today).await?;
        }
        return Ok(verdicts);
    }
    let judge = beside::Judge {
        principal,
        terms,
        names,
        today,
    };
    judge.judge(db, document, step).await
}

/// Judges the rows of a file, and tries what they would change of what is there already, so that every refusal is told
/// before anything is done. Nothing is changed.
///
/// # Errors
/// [`Failure`] of the database.
pub(crate) async fn preview(
    db: &Db,
    by: &Author,
    principal: &Principal,
    wanted: (&Document, &Terms),
    step: impl Fn(usize),
) -> Result<Vec<Verdict>, Failure> {
    let today = db.clock().day_of(db.clock().now());
    let mut verdicts = db
        .snapshot(async |tx| judge(tx, principal, wanted, today, &step).await)
        .await?;
    for (done, verdict) in verdicts.iter_mut().enumerate() {
        let tried = match &verdict.what {
            What::Do { deed, .. } if write::has_to_be_tried(deed) => {
                let work =
                    async |tx: &crate::store::Tx| write::one(tx, principal, deed).await.map(|_| ());
                db.rehearse(by.clone(), work).await
            }
            What::Do { .. } | What::Same | What::Held | What::Refused => continue,
        };
        match tried {
            Ok(()) => {}
            Err(Failure::Refused(problem)) => verdict.refuse(told(problem)),
            Err(failure) => return Err(failure),
        }
        step(done);
    }
    Ok(verdicts)
}

fn told(problem: Problem) -> Vec<crate::import::Remark> {
    crate::import::Remark::of_problem(problem)
}
