//! The audit, for its administrator: what was recorded, whether its chain holds, and handing it out.

use std::net::IpAddr;

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get, web};
use chrono::{DateTime, NaiveDate, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::page;
use super::query::Paging;
use super::views::ProblemItem;
use crate::app::App;
use crate::audit::checkpoint::Checkpoint;
use crate::audit::export::line;
use crate::auth::Caller;
use crate::body::{Parameters, Query, documented, read_part};
use crate::clock::Clock;
use crate::codes::DayOrInstant;
use crate::page::Page;
use crate::problem::{Fault, Language, Problem};
use crate::store::audit::{self, Entry, Filter, Reached, Verdict, Window};
use crate::store::{Db, Failure, event};

/// How many entries a request proves, at the end of the chain.
const PROVED: u64 = 1000;
/// Up to how many events that wait are counted.
const MAX_WAITING: u64 = 1000;
/// The longest value to look for, in characters.
const MAX_WANTED: usize = 200;

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(list_audit)
        .service(verify_audit)
        .service(export_audit);
}

/// Which entries of the audit.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct AuditFilters {
    /// Done, or asked for, by this account.
    pub actor: Option<Uuid>,
    /// What happened, such as `moved`, `signed_in`, `denied`, `exported`.
    #[param(pattern = r"^[a-z_]{1,64}$", example = "moved")]
    pub kind: Option<String>,
    /// `done` or `denied`.
    #[param(pattern = "^(done|denied)$")]
    pub result: Option<String>,
    /// What it is about: `project/ID`, `account/ID`, `list/CODE`, `operation/METHOD PATH` and so on.
    #[param(
        pattern = r"^[^\x00-\x1F\x7F-\x9F]{1,200}$",
        example = "list/gas-storage"
    )]
    pub subject: Option<String>,
    /// About this project.
    pub project: Option<Uuid>,
    /// From this address.
    #[param(value_type = Option<String>, pattern = r"^[0-9A-Fa-f:.]{2,45}$", example = "127.0.0.1")]
    pub source: Option<String>,
    /// In this request: its `X-Request-Id`.
    #[param(pattern = r"^[A-Za-z0-9_.:\-]{1,128}$")]
    pub request_id: Option<String>,
    /// Recorded at this instant (RFC 3339) or later, or from this day on.
    #[param(value_type = Option<DayOrInstant>, inline, example = "2025-01-01")]
    pub from: Option<String>,
    /// Recorded at this instant (RFC 3339) or before, or up to the end of this day.
    #[param(value_type = Option<DayOrInstant>, inline)]
    pub to: Option<String>,
}

impl AuditFilters {
    fn read(self, clock: Clock) -> Result<Filter, Problem> {
        let mut faults = Vec::new();
        let mut unreadable = |name: &str| {
            faults.push(Fault::parameter(
                name,
                "unreadable_parameter",
                "无法读取",
                "It can't be read",
            ));
        };
        let is_plain =
            |text: &str| text.chars().count() <= MAX_WANTED && !text.chars().any(char::is_control);
        let is_kind = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let is_id = |c: char| c.is_ascii_alphanumeric() || "_.:-".contains(c);
        let kind = self.kind.as_deref();
        if kind.is_some_and(|text| text.len() > 64 || !is_kind(text)) {
            unreadable("kind");
        }
        let subject = self.subject.as_deref();
        if subject.is_some_and(|text| !is_plain(text)) {
            unreadable("subject");
        }
        let request_id = self.request_id.as_deref();
        if request_id.is_some_and(|text| text.len() > 128 || !text.chars().all(is_id)) {
            unreadable("request_id");
        }
        let result = self.result.as_deref();
        if result.is_some_and(|result| !["done", "denied"].contains(&result)) {
            unreadable("result");
        }
        let source = self.source.map(|text| text.parse::<IpAddr>());
        if matches!(source, Some(Err(_))) {
            unreadable("source");
        }
        let from = self
            .from
            .map(|text| instant(&text, |day| clock.start_of(day)));
        if from == Some(None) {
            unreadable("from");
        }
        let to = self.to.map(|text| instant(&text, |day| clock.end_of(day)));
        if to == Some(None) {
            unreadable("to");
        }
        if !faults.is_empty() {
            return Err(Problem::invalid(faults));
        }
        Ok(Filter {
            actor: self.actor,
            kind: self.kind,
            result: self.result,
            subject: self.subject,
            project: self.project,
            // As it is written down.
            source: source.and_then(Result::ok).map(|ip| ip.to_string()),
            request_id: self.request_id,
            from: from.flatten(),
            to: to.flatten(),
        })
    }
}

/// An instant, or a day's beginning or end.
fn instant(
    text: &str,
    of_day: impl Fn(NaiveDate) -> Option<DateTime<Utc>>,
) -> Option<DateTime<Utc>> {
    match text.parse::<NaiveDate>() {
        Ok(day) => of_day(day),
        Err(_) => DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|at| at.to_utc()),
    }
}

/// The parameters of the list.
#[derive(Debug)]
pub struct AuditQuery {
    filters: AuditFilters,
    paging: Paging,
}

impl Parameters for AuditQuery {
    fn names() -> Vec<String> {
        [documented::<AuditFilters>(), documented::<Paging>()].concat()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        Ok(Self {
            filters: read_part(query)?,
            paging: read_part(query)?,
        })
    }
}

impl Parameters for AuditFilters {
    fn names() -> Vec<String> {
        documented::<Self>()
    }

    fn read(query: &str) -> Result<Self, Problem> {
        read_part(query)
    }
}

/// One thing that was recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Its id.
    id: Uuid,
    /// When.
    recorded_at: DateTime<Utc>,
    /// What happened.
    kind: String,
    /// `done`, or `denied`.
    result: String,
    /// What it is about.
    subject: String,
    /// The project, if it is about one.
    project: Option<Uuid>,
    /// The version that came of it.
    version: Option<i64>,
    /// What was, of what changed.
    before: Option<Value>,
    /// What is.
    after: Option<Value>,
    /// The account that did it; null for the command line and for who is not known.
    actor_id: Option<Uuid>,
    /// Its name.
    actor: String,
    /// The address that it came from.
    source: Option<String>,
    /// The request.
    request_id: Option<String>,
    /// Its link in the chain; null for the second until it is sealed.
    seal: Option<AuditSeal>,
}

/// A link of the chain.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditSeal {
    /// The place in the chain, from 1.
    seq: i64,
    /// `sha256` or `sm3`.
    algorithm: String,
    /// The hash of the entry and of the one before, in hexadecimal digits.
    hash: String,
}

impl From<Entry> for AuditEntry {
    fn from(entry: Entry) -> Self {
        let Entry {
            id,
            recorded_at,
            kind,
            result,
            subject,
            project,
            version,
            before,
            after,
            actor_id,
            actor,
            source,
            request_id,
            link,
        } = entry;
        Self {
            id,
            recorded_at,
            kind,
            result,
            subject,
            project,
            version,
            before,
            after,
            actor_id,
            actor,
            source,
            request_id,
            seal: link.map(|link| AuditSeal {
                seq: link.seq,
                algorithm: link.algorithm,
                hash: link.hash,
            }),
        }
    }
}

/// Read the audit
///
/// Everything that was done and denied, newest first. Looking for an address or a request goes through all that the
/// other filters leave.
#[utoipa::path(tag = "audit", params(AuditFilters, Paging), security(("bearer" = [])),
    responses((status = 200, description = "A page of it", body = Page<AuditEntry>)))]
#[get("/v1/audit")]
async fn list_audit(
    app: web::Data<App>,
    request: HttpRequest,
    _caller: Caller,
    query: Query<AuditQuery>,
) -> Result<HttpResponse, Problem> {
    let (limit, cursor) = query.0.paging.checked()?;
    let filter = query.0.filters.read(app.db.clock())?;
    let (entries, next) = audit::page(app.db.reader(), &filter, limit, cursor.as_deref())
        .await
        .map_err(Failure::told)?;
    let items: Vec<AuditEntry> = entries.into_iter().map(AuditEntry::from).collect();
    Ok(page(&request, items, next, None))
}

/// How the chain of the audit stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditState {
    /// The last signed entry; null before the first.
    checkpoint: Option<AuditCheckpoint>,
    /// How many events wait to be sealed; 1000 stands for that many or more.
    waiting: u64,
    /// Since when the oldest of them does.
    waiting_since: Option<DateTime<Utc>>,
    /// The entry after which the chain was proved for this answer: the end of it only. `taizhang audit verify` proves
    /// the whole, and holds it against the checkpoints that are kept elsewhere.
    proved_after: i64,
    /// The entry up to which it was proved.
    proved_to: i64,
    /// How much is wrong there.
    wrong: u64,
    /// What is wrong; the first of it.
    #[schema(value_type = Vec<ProblemItem>)]
    findings: Vec<Value>,
}

/// A signed entry.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditCheckpoint {
    /// Its place in the chain.
    seq: i64,
    /// Its hash, in hexadecimal digits.
    hash: String,
    /// When it was signed.
    sealed_at: DateTime<Utc>,
    /// By which key.
    key_id: String,
}

impl From<Checkpoint> for AuditCheckpoint {
    fn from(checkpoint: Checkpoint) -> Self {
        Self {
            seq: checkpoint.seq,
            hash: hex::encode(checkpoint.hash),
            sealed_at: checkpoint.sealed_at,
            key_id: checkpoint.key_id,
        }
    }
}

/// See how the chain of the audit stands
///
/// The last signed entry, what waits to be sealed, and a proof of the last thousand entries or so.
#[utoipa::path(tag = "audit", security(("bearer" = [])),
    responses((status = 200, description = "How it stands", body = AuditState)))]
#[get("/v1/audit/verify")]
async fn verify_audit(
    app: web::Data<App>,
    request: HttpRequest,
    _caller: Caller,
) -> Result<HttpResponse, Problem> {
    let keys = app.sealer.trusted.clone();
    let now = app.db.clock().now();
    let (found, checkpoint, (waiting, waiting_since)) = app
        .db
        .read(async move |tx| {
            Ok((
                audit::verify(tx, &keys, None, Window::Last(PROVED), now).await?,
                audit::last_checkpoint(tx).await?,
                audit::waiting(tx, MAX_WAITING).await?,
            ))
        })
        .await?;
    let Verdict {
        after,
        last,
        wrong,
        findings,
        ..
    } = found;
    let language = Language::of(request.headers());
    Ok(HttpResponse::Ok().json(AuditState {
        checkpoint: checkpoint.map(AuditCheckpoint::from),
        waiting,
        waiting_since,
        proved_after: after,
        proved_to: last,
        wrong,
        findings: findings.iter().map(|fault| fault.told(language)).collect(),
    }))
}

/// Hand the audit out
///
/// A line of JSON for each sealed entry, in the order of the chain, with its hash and the one before, so that it can be
/// proved elsewhere. That it was handed out is recorded, with what was asked for.
#[utoipa::path(tag = "audit", params(AuditFilters), security(("bearer" = [])),
    responses((status = 200, description = "The entries", body = String, content_type = "application/x-ndjson")))]
#[get("/v1/audit/export")]
async fn export_audit(
    app: web::Data<App>,
    caller: Caller,
    query: Query<AuditFilters>,
) -> Result<HttpResponse, Problem> {
    let filter = query.0.read(app.db.clock())?;
    let asked = serde_json::json!(filter);
    // Before the first line: what may have left the house is recorded, however much of it was read.
    app.db
        .write(caller.author(), async move |tx| {
            event::record(tx, event::Entry::of_export("audit", asked.clone())).await
        })
        .await?;
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .streaming(lines(app.db.clone(), filter)))
}

/// The lines of an export, page after page. What fails on the way cuts the answer off.
fn lines(db: Db, filter: Filter) -> impl futures::Stream<Item = Result<Bytes, Problem>> {
    let from = (db, filter, Reached::default());
    stream::try_unfold(from, async |(db, filter, reached)| {
        let page = audit::export_page(db.reader(), &filter, reached)
            .await
            .map_err(Failure::told)?;
        Ok(page.map(|(entries, reached)| {
            let text: String = entries.iter().map(|entry| line(entry) + "\n").collect();
            (Bytes::from(text), (db, filter, reached))
        }))
    })
    // A chunk without bytes would end the answer.
    .try_filter(|bytes| std::future::ready(!bytes.is_empty()))
    .boxed_local()
}
