//! Projects as a file, for people and for other offices' systems.

mod columns;
mod labels;
mod oc4ids;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, Write};
use std::path::Path;
use std::sync::{Arc, Weak};

use actix_web::body::SizedStream;
use actix_web::http::header::{CONTENT_DISPOSITION, RETRY_AFTER, VARY};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, get, web};
use chrono::{DateTime, Utc};
use futures::{Stream, StreamExt, stream};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use self::columns::Reading;
use self::labels::Labels;
use super::link::{sent, set_filters};
use super::query::{Arrangement, ExportParameters, ProjectFilters};
use super::table::{covers, filters, instant, said};
use super::views::Project;
use crate::app::App;
use crate::auth::{Caller, Reach};
use crate::body::Query;
use crate::clock::Clock;
use crate::codes::Spreadsheet;
use crate::print::negotiate::{CSV, XLSX};
use crate::print::{About, Long, Print, PrintError, Printing, Sheet, attachment};
use crate::problem::{Problem, kinds};
use crate::store::project::Record;
use crate::store::{Db, Failure, event, listing};

/// How many projects are read at a time: few enough to be held, and so many that asking again costs little beside them.
const AT_A_TIME: u64 = 5000;
/// How much of a file is sent at a time, in bytes.
const PIECE: usize = 64 * 1024;
/// What the file is called, without an ending.
const NAME: &str = "projects";

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(export_projects)
        .service(oc4ids::export_open_data);
}

/// Projects as they were found by a list.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "the shape of a file that is written piece by piece"
)]
pub struct ExportedProjects {
    /// The projects, in the order that was asked for.
    items: Vec<Project>,
}

/// Take projects out as a file
///
/// Those that a list with the same filters shows, in the same order, all of them: as JSON, or as a table by
/// `Accept: text/csv` or the ending `.csv` or `.xlsx` (`.json` too). Amounts of a table are exact. The whole file is of one
/// moment. That it was taken out is recorded, with what was asked for and how many projects it has.
#[utoipa::path(tag = "exchange", params(ProjectFilters, Arrangement, Printing), security(("bearer" = [])),
    responses((status = 200, description = "The file",
        content((ExportedProjects = "application/json"), (String = CSV), (Spreadsheet = XLSX)))))]
#[get("/v1/exports/projects")]
async fn export_projects(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    parameters: Query<ExportParameters>,
    print: Print,
) -> Result<HttpResponse, Problem> {
    let clock = app.db.clock();
    let question = parameters.0.question(clock, AT_A_TIME)?;
    let paper = Paper {
        sheet: print.0,
        by: caller.author().name,
        filters: set_filters(request.query_string()),
        as_of: question.frame.as_of,
        clock,
        scratch: Arc::clone(&app.scratch),
    };
    let order = Order {
        name: NAME,
        form: print.0.map_or("json", Sheet::form_name),
        question,
        most: print.0.and_then(Sheet::most_rows),
    };
    let write = move |pages| paper.write(pages);
    let file = made(&app, &request, &caller, order, write).await?;
    let head = print
        .0
        .map_or_else(|| json_head(NAME), |sheet| sheet.head(NAME));
    answer(head, file)
}

/// A file that is to be made.
struct Order {
    /// What it is called, without an ending.
    name: &'static str,
    /// The form of it.
    form: &'static str,
    /// Which projects it has.
    question: listing::Question,
    /// How many projects it may have.
    most: Option<u64>,
}

/// Makes a file of projects, and records that it was taken out.
async fn made<W>(
    app: &App,
    request: &HttpRequest,
    caller: &Caller,
    order: Order,
    write: W,
) -> Result<File, Problem>
where
    W: FnOnce(Receiver) -> Result<(File, u64), Problem> + Send + 'static,
{
    let leave = app.exports.clone().try_acquire_owned().map_err(|_| {
        Problem::new(kinds::UNAVAILABLE)
            .say(
                "正在生成的导出文件过多，请稍后再试",
                "Too many files are being made; try again later",
            )
            .with_header(RETRY_AFTER, "10")
    })?;
    // Reading waits for writing, so that no more than a few pages are in memory.
    let (send, receive) = mpsc::channel(1);
    let writing = web::block(move || write(receive));
    let wanted = Arc::new(leave);
    let reading = Pages {
        question: order.question,
        most: order.most,
        send,
        wanted: Arc::downgrade(&wanted),
    };
    let reading = reading.read(&app.db, caller.principal.reads());
    let (read, written) = futures::join!(reading, writing);
    drop(wanted);
    read?;
    let (file, count) = written.map_err(|error| {
        tracing::error!(%error, "a file of projects was given up");
        Problem::new(kinds::INTERNAL)
    })??;
    let asked = sent(request.query_string());
    let scope = json!({ "form": order.form, "projects": count, "asked": asked });
    // Before the first byte: what may have left the house is recorded.
    app.db
        .write(caller.author(), async move |tx| {
            event::record(tx, event::Entry::of_export(order.name, scope.clone())).await
        })
        .await?;
    Ok(file)
}

/// Where the pages of a file arrive.
type Receiver = mpsc::Receiver<Option<Page>>;

/// Some projects, and what has to be known to write them for people.
struct Page {
    records: Vec<Record>,
    parents: BTreeMap<Uuid, listing::Named>,
    labels: Arc<Labels>,
}

/// The pages of a file, on their way to whoever writes them; the end is said too.
struct Pages {
    question: listing::Question,
    /// How many projects the file may have.
    most: Option<u64>,
    send: mpsc::Sender<Option<Page>>,
    /// Gone when nobody waits for the file any more.
    wanted: Weak<OwnedSemaphorePermit>,
}

impl Pages {
    /// Reads them all, of one moment.
    async fn read(self, db: &Db, reach: Reach) -> Result<(), Problem> {
        let Self {
            mut question,
            most,
            send,
            wanted,
        } = self;
        question.with_total = most.is_some();
        db.read(async move |tx| {
            let labels = Arc::new(Labels::read(tx).await?);
            // Held to the end, whoever waits: as long as something is read it is one of the few.
            while let Some(_leave) = wanted.upgrade() {
                let answer = listing::answer(tx, &reach, question.clone()).await?;
                if let (Some(most), Some(total)) = (most, answer.total)
                    && total > most
                {
                    return Err(too_many(total, most).into());
                }
                let records = answer.records;
                let parents = records.iter().filter_map(|record| record.facts.parent);
                let parents = parents.map(|id| id.0);
                let page = Page {
                    parents: listing::names(tx, &question.frame, parents).await?,
                    records,
                    labels: Arc::clone(&labels),
                };
                // Who writes and has given up says why himself.
                if send.send(Some(page)).await.is_err() {
                    return Ok(());
                }
                question.with_total = false;
                question.cursor = answer.next;
                if question.cursor.is_none() {
                    let _given_up = send.send(None).await;
                    return Ok(());
                }
            }
            Ok::<(), Failure>(())
        })
        .await
    }
}

fn too_many(total: u64, most: u64) -> Problem {
    Problem::new(kinds::TOO_MANY_ROWS).say(
        format!("共 {total} 个项目，电子表格最多 {most} 行；请缩小筛选范围，或导出 CSV、JSON"),
        format!(
            "{total} projects, and a spreadsheet has {most} rows; ask for fewer, or for CSV or JSON"
        ),
    )
}

/// What is written, for whom.
struct Paper {
    sheet: Option<Sheet>,
    by: String,
    filters: BTreeMap<String, Vec<String>>,
    as_of: Option<DateTime<Utc>>,
    clock: Clock,
    scratch: Arc<Path>,
}

impl Paper {
    /// Writes the pages as they come; answers the file and how many projects it has.
    fn write(&self, pages: Receiver) -> Result<(File, u64), Problem> {
        match self.sheet {
            Some(sheet) => self.write_table(sheet, pages),
            None => Ok(self.write_json(pages)?),
        }
    }

    fn write_table(&self, sheet: Sheet, mut pages: Receiver) -> Result<(File, u64), Problem> {
        let language = sheet.language;
        let headings = columns::headings(language);
        let name = language.choose("项目", "Projects");
        let mut long = Long::begin(sheet, name, headings, &self.scratch)?;
        let mut count = 0;
        while let Some(page) = next(&mut pages)? {
            for record in &page.records {
                let parent = record.facts.parent.and_then(|id| page.parents.get(&id.0));
                let reading = Reading {
                    record,
                    parent: parent.map(|parent| &parent.name),
                    labels: &page.labels,
                    language,
                    clock: self.clock,
                };
                long.row(&columns::cells(&reading))?;
                count += 1;
            }
        }
        Ok((long.end(&self.about(sheet, count))?, count))
    }

    fn write_json(&self, mut pages: Receiver) -> Result<(File, u64), PrintError> {
        let mut file = BufWriter::new(tempfile::tempfile_in(&self.scratch)?);
        let mut count = 0;
        file.write_all(b"{\"items\":[")?;
        while let Some(page) = next(&mut pages)? {
            for record in page.records {
                if count > 0 {
                    file.write_all(b",")?;
                }
                serde_json::to_writer(&mut file, &Project::from(record))
                    .map_err(std::io::Error::from)?;
                count += 1;
            }
        }
        file.write_all(b"]}")?;
        let file = file
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        Ok((file, count))
    }

    fn about(&self, sheet: Sheet, count: u64) -> About {
        let language = sheet.language;
        let made = self.clock.now();
        let as_of = instant(self.clock, self.as_of.unwrap_or(made));
        let mut notes = vec![
            said(language, "截至", "As of", &as_of),
            said(language, "项目数", "Projects", &count.to_string()),
            said(
                language,
                "导出时间",
                "Taken out at",
                &instant(self.clock, made),
            ),
            said(language, "导出人", "Taken out by", &self.by),
            covers(language, false),
            sheet.exactness(),
        ];
        notes.extend(filters(language, &self.filters));
        About {
            sheet: language.choose("说明", "About").to_owned(),
            title: language.choose("项目导出", "Projects").to_owned(),
            notes,
        }
    }
}

/// The next page, or none after the last. Where pages end without a word, the file is given up.
fn next(pages: &mut Receiver) -> Result<Option<Page>, PrintError> {
    let gone = || std::io::Error::other("the projects could not be read to the end").into();
    pages.blocking_recv().ok_or_else(gone)
}

fn answer(mut head: HttpResponseBuilder, mut file: File) -> Result<HttpResponse, Problem> {
    let length = file
        .rewind()
        .and_then(|()| file.metadata())
        .map_err(PrintError::Io)?
        .len();
    Ok(head.body(SizedStream::new(length, pieces(file))))
}

fn json_head(name: &str) -> HttpResponseBuilder {
    let mut head = HttpResponse::Ok();
    head.content_type("application/json")
        .insert_header((CONTENT_DISPOSITION, attachment(name, ".json")))
        .insert_header((VARY, "Accept"));
    head
}

/// A file, piece by piece.
fn pieces(file: File) -> impl Stream<Item = Result<Bytes, Problem>> {
    stream::try_unfold(file, async |mut file| {
        let read = web::block(move || {
            let mut piece = vec![0; PIECE];
            let length = file.read(&mut piece)?;
            piece.truncate(length);
            Ok::<_, std::io::Error>((piece, file))
        });
        let (piece, file) = read
            .await
            .map_err(std::io::Error::other)
            .and_then(|read| read)
            .map_err(PrintError::Io)?;
        Ok((!piece.is_empty()).then(|| (Bytes::from(piece), file)))
    })
    .boxed_local()
}
