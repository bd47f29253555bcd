//! The way of a file: put down, read by a child, judged, and taken in or only shown.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::rt::task::JoinHandle;
use aws_lc_rs::digest::{SHA256, digest};
use intake::document::Because;
use intake::request::{Assigned, Correction};
use intake::{Document, Request, Unit};
use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use super::Report;
use super::reader::Reader;
use crate::auth::Principal;
use crate::problem::{Problem, kinds};
use crate::store::import::job::{self, Begun, Finished, Mode, State};
use crate::store::import::outcome;
use crate::store::import::{self, Terms, mapping};
use crate::store::{Author, Db, Failure, Tx, corrupt, idempotency};

/// How many files are worked on at a time by a process: what is read of one may be large.
const AT_A_TIME: usize = 1;
/// How many more may wait.
const WAITING: usize = 8;
/// How often a job says that it is alive.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// Where files are taken in.
#[derive(Clone, Debug)]
pub struct Desk {
    reader: Reader,
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Desk {
    /// A desk whose files are read by this reader.
    #[must_use]
    pub fn new(reader: Reader) -> Self {
        Self {
            reader,
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
            places: Arc::new(Semaphore::new(AT_A_TIME + WAITING)),
        }
    }
}

/// A file, and how it is to be taken in.
#[derive(Clone, Debug)]
pub struct Work {
    /// Its bytes.
    pub file: Vec<u8>,
    /// What it is called.
    pub file_name: String,
    /// Looked at or taken in.
    pub mode: Mode,
    /// All or nothing.
    pub is_atomic: bool,
    /// Who sent it.
    pub sender: String,
    /// What is known of it.
    pub terms: Terms,
    /// The unit of amounts for which it tells none.
    pub unit: Option<Unit>,
    /// How its columns are to be understood.
    pub mapping: Vec<Correction>,
}

impl Work {
    fn begun(&self) -> Begun {
        Begun {
            file_name: self.file_name.clone(),
            file_size: self.file.len(),
            file_hash: hex::encode(digest(&SHA256, &self.file).as_ref()),
            mode: self.mode,
            is_atomic: self.is_atomic,
            sender: self.sender.clone(),
            terms: self.terms.clone(),
        }
    }
}

/// Whoever brings a file in.
#[derive(Clone, Debug)]
pub struct Bringer {
    /// With which rights.
    pub principal: Principal,
    /// As whom it is recorded.
    pub author: Author,
}

/// Puts a file down and begins to work on it. Answers its job, and the work, which goes on whoever waits for it; none if
/// the same request was taken before.
///
/// # Errors
/// 503 if too many files wait; `idempotency_key_reused`.
pub async fn begin(
    desk: &Desk,
    db: &Db,
    bringer: Bringer,
    work: Work,
    key: Option<idempotency::Request>,
) -> Result<(Uuid, Option<JoinHandle<()>>), Problem> {
    let place = Arc::clone(&desk.places).try_acquire_owned().map_err(|_| {
        Problem::new(kinds::UNAVAILABLE)
            .say(
                "正在处理的导入文件过多，请稍后再试",
                "Too many files are being taken in; try again later",
            )
            .with_header(actix_web::http::header::RETRY_AFTER, "10")
    })?;
    let begun = work.begun();
    let (id, is_new) = db
        .write(bringer.author.clone(), async move |tx| {
            once(tx, key.as_ref(), &begun).await
        })
        .await?;
    if !is_new {
        return Ok((id, None));
    }
    let (desk, db) = (desk.clone(), db.clone());
    let working = actix_web::rt::spawn(async move {
        let _place = place;
        match run(&desk, &db, bringer, work, id).await {
            Ok(()) => tracing::info!("import/{id} has ended"),
            Err(problem) => tracing::info!(%problem, "import/{id} was refused"),
        }
    });
    Ok((id, Some(working)))
}

/// Puts a job down, or answers the one that the same request put down.
async fn once(
    tx: &Tx,
    key: Option<&idempotency::Request>,
    begun: &Begun,
) -> Result<(Uuid, bool), Failure> {
    let Some(key) = key else {
        return Ok((job::begin(tx, begun).await?, true));
    };
    if let Some(given) = idempotency::take(tx, key).await? {
        let id = given
            .body
            .parse()
            .map_err(|_| corrupt("the job of a request"))?;
        return Ok((id, false));
    }
    let id = job::begin(tx, begun).await?;
    let answer = idempotency::Answer {
        status: 201,
        etag: None,
        location: None,
        body: id.to_string(),
    };
    idempotency::keep(tx, key, &answer).await?;
    Ok((id, true))
}

/// How far a file is.
#[derive(Debug, Default)]
struct Progress {
    done: AtomicUsize,
    total: AtomicUsize,
}

async fn run(desk: &Desk, db: &Db, bringer: Bringer, work: Work, id: Uuid) -> Result<(), Problem> {
    let progress = Arc::new(Progress::default());
    let alive = signs_of_life(db.clone(), id, Arc::clone(&progress));
    let working = work_on(desk, db, bringer.clone(), work, id, progress);
    let done = tokio::select! {
        done = working => done,
        () = alive => Ok(()),
    };
    let Err(problem) = done else {
        return Ok(());
    };
    // Nothing was changed: what ends a job changes something in the same transaction.
    let told = problem.clone();
    let by = bringer.author;
    db.write(by, async move |tx| {
        let finished = Finished {
            state: State::Refused,
            report: Report::refused(told.clone()),
            rows: Vec::new(),
        };
        job::finish(tx, id, finished).await
    })
    .await?;
    Err(problem)
}

/// Says from time to time that the job is alive; never ends.
async fn signs_of_life(db: Db, id: Uuid, progress: Arc<Progress>) {
    let mut ticks = tokio::time::interval(SIGN_OF_LIFE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let count =
            |count: &AtomicUsize| i64::try_from(count.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let (done, total) = (count(&progress.done), count(&progress.total));
        // While the file itself is written to SQLite nothing else can be, and nobody can give the job up either.
        if let Err(failure) = job::progress(&db, id, done, total).await {
            tracing::debug!(problem = %Failure::told(failure), "no sign of life could be given");
        }
    }
}

async fn work_on(
    desk: &Desk,
    db: &Db,
    bringer: Bringer,
    work: Work,
    id: Uuid,
    progress: Arc<Progress>,
) -> Result<(), Problem> {
    let _turn = desk.turns.acquire().await;
    let Bringer { principal, author } = bringer;
    let request = request(db, &author, &work).await?;
    let document = desk.reader.read(&work.file, &request).await?;
    let rows: usize = document.sheets.iter().map(|sheet| sheet.rows.len()).sum();
    progress.total.store(rows, Ordering::Relaxed);
    let step = move |done: usize| progress.done.store(done, Ordering::Relaxed);
    let corrected = corrected(&document);
    match work.mode {
        Mode::Preview => {
            let wanted = (&document, &work.terms);
            let verdicts = import::preview(db, &author, &principal, wanted, step)
                .await
                .map_err(Failure::told)?;
            let report = Report::of(&document, work.terms.kind, &verdicts);
            let finished = Rc::new((report, outcome::previewed(id, &verdicts)));
            let Work { sender, terms, .. } = work;
            db.write(author, async move |tx| {
                mapping::remember(tx, id, (&sender, terms.kind), &corrected).await?;
                let (report, rows) = finished.as_ref().clone();
                let finished = Finished {
                    state: State::Done,
                    report,
                    rows,
                };
                job::finish(tx, id, finished).await
            })
            .await
        }
        Mode::Commit => {
            let Work {
                file_name,
                is_atomic,
                sender,
                terms,
                ..
            } = work;
            let kind = terms.kind;
            let remembering = author.clone();
            let work = import::Work {
                job: id,
                document,
                terms,
                file_name,
                is_atomic,
                step: Box::new(step),
            };
            // So that whoever looks meanwhile knows that it is alive.
            let total = i64::try_from(rows).unwrap_or(i64::MAX);
            job::progress(db, id, 0, total)
                .await
                .map_err(Failure::told)?;
            tracing::debug!(import = %id, rows, "a file is taken in");
            let committed = import::commit(db, author, Rc::new(principal), Rc::new(work)).await?;
            if committed.is_done && !corrected.is_empty() {
                db.write(remembering, async move |tx| {
                    mapping::remember(tx, id, (&sender, kind), &corrected).await
                })
                .await?;
            }
            Ok(())
        }
    }
}

/// What the child has to know: also what the columns of the sender's earlier files were for.
async fn request(db: &Db, author: &Author, work: &Work) -> Result<Request, Problem> {
    let kind = work.terms.kind;
    let remembered = match author.account {
        None => BTreeMap::new(),
        Some(account) => mapping::remembered(db.reader(), account, &work.sender, kind)
            .await
            .map_err(Failure::told)?,
    };
    Ok(Request {
        kind,
        default_unit: work.unit,
        mapping: work.mapping.clone(),
        remembered,
    })
}

/// What columns were said to be for, by their headings.
fn corrected(document: &Document) -> BTreeMap<String, Assigned> {
    let columns = document.sheets.iter().flat_map(|sheet| &sheet.mapping);
    let said = columns.filter_map(|column| {
        let assigned = match (column.because, column.field) {
            (Because::Given, Some(field)) => Assigned::Field(field),
            (Because::Ignored, _) => Assigned::Ignore,
            _ => return None,
        };
        (!column.heading.is_empty()).then(|| (column.heading.clone(), assigned))
    });
    said.collect()
}
