//! Many projects at once, from another office's system.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, ResponseError, post, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::external_refs::{code_of, external};
use super::projects::put;
use super::views::ProblemDetails;
use crate::app::{App, request_id};
use crate::auth::{Caller, Principal};
use crate::body::Body;
use crate::edge::record_denial;
use crate::input::{ProjectFields, whole};
use crate::problem::{Fault, Language, Problem, kinds};
use crate::store::project::{Known, Outcome, Record, Seen};
use crate::store::{Failure, Tx};

/// How many projects a batch has at the most.
const MAX_ITEMS: usize = 1000;
/// The largest batch, in bytes.
const MAX_BATCH: usize = 4 * 1024 * 1024;

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(put_batch);
}

/// Whether a batch is done as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchMode {
    /// All of it or nothing.
    #[default]
    Atomic,
    /// Each thing by itself.
    Partial,
}

/// Projects to be made or amended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Whether it is done as one; `atomic` unless told otherwise.
    #[serde(default)]
    #[schema(inline)]
    mode: BatchMode,
    /// The projects, in the order in which they are done.
    #[schema(min_items = 1, max_items = 1000)]
    items: Vec<BatchItem>,
}

/// One project of a batch. It is known by `external_ref`, by the `code` among its fields, or by both.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BatchItem {
    /// A system and its key of the project.
    external_ref: Option<ExternalRefInput>,
    /// The version that is changed. A project that is not there is registered without; one that is there is changed only
    /// with it.
    #[serde(default, deserialize_with = "whole::one_or_none")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: Option<i64>,
    /// What is said of it: as in a registration, or as in a merge patch of what is there.
    fields: ProjectFields,
}

/// A system and its key of a project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExternalRefInput {
    /// Which system.
    #[schema(min_length = 1, max_length = 64, example = "oa")]
    system: String,
    /// Its key.
    #[schema(min_length = 1, max_length = 128, example = "XM-2025-0042")]
    key: String,
}

/// What came of a batch.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct BatchReport {
    /// How many were registered.
    created: usize,
    /// How many were changed.
    changed: usize,
    /// How many stood so already.
    unchanged: usize,
    /// How many were refused.
    refused: usize,
    /// What came of each, in their order.
    items: Vec<BatchResult>,
}

/// What came of one project.
#[derive(Debug, Serialize, ToSchema)]
pub struct BatchResult {
    /// `created`, `changed`, `unchanged` or `refused`.
    outcome: &'static str,
    /// The project; null if it was refused.
    id: Option<Uuid>,
    /// Its version now; null if it was refused.
    version: Option<i64>,
    /// Why it was refused.
    #[schema(value_type = Option<ProblemDetails>)]
    problem: Option<Value>,
}

/// Make or amend many projects
///
/// Up to 1,000, by another system's key or by 项目代码. A project that is not there is registered, one that is there is
/// amended as a merge patch does if `version` is the one that stands; what stands as it is wanted is left, so the same
/// batch may be sent again. The stage is never changed. `atomic` does all or nothing and says everything that is wrong;
/// `partial` does each by itself and answers 200 with what was refused. What one may not do is recorded either way.
#[utoipa::path(tag = "exchange", request_body = Batch, security(("bearer" = [])),
    responses((status = 200, description = "What came of each", body = BatchReport)))]
#[post("/v1/batches/projects")]
async fn put_batch(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: Body<Batch, MAX_BATCH>,
) -> Result<HttpResponse, Problem> {
    let Batch { mode, items } = body.value;
    if !(1..=MAX_ITEMS).contains(&items.len()) {
        return Err(Problem::invalid(vec![Fault::at(
            "/items",
            "wrong_count",
            format!("须有 1 至 {MAX_ITEMS} 项，现有 {} 项", items.len()),
            format!("It has 1 to {MAX_ITEMS} items; there are {}", items.len()),
        )]));
    }
    let items = items.into_iter().map(Wanted::read).collect();
    let done = match mode {
        BatchMode::Atomic => as_one(&app, caller, items).await?,
        BatchMode::Partial => {
            let done = one_by_one(&app, caller, items).await;
            if done.iter().any(|done| done.as_ref().is_err_and(is_denied)) {
                record_denial(&app, &request).await;
            }
            done
        }
    };
    Ok(HttpResponse::Ok().json(report(&request, done)))
}

/// One project of a batch, as it was understood.
#[derive(Clone, Debug)]
struct Wanted {
    known: Known,
    seen: Seen,
    fields: ProjectFields,
}

impl Wanted {
    fn read(item: BatchItem) -> Result<Self, Problem> {
        let BatchItem {
            external_ref,
            version,
            fields,
        } = item;
        let placed = |fault: Fault, name| fault.within(&format!("/external_ref/{name}"));
        let external = external_ref
            .map(|of| external(&of.system, &of.key, placed))
            .transpose()?;
        fields.refuse_secret()?;
        let known = Known {
            code: code_of(&fields),
            external,
        };
        if known.external.is_none() && fields.code.as_ref().is_none_or(Option::is_none) {
            return Err(Problem::invalid(vec![Fault::at(
                "",
                "key_missing",
                "须有 external_ref 或项目代码 fields.code",
                "It needs an external_ref, or a code among its fields",
            )]));
        }
        Ok(Self {
            known,
            seen: Seen::Version(version),
            fields,
        })
    }

    async fn put(&self, tx: &Tx, principal: &Principal) -> Result<(Outcome, Record), Failure> {
        let put = put(tx, principal, &self.known, self.seen, &self.fields);
        match Box::pin(put).await {
            Ok(put) => Ok(put),
            Err(Failure::Refused(problem)) => Err(problem.under("/fields").into()),
            Err(failure) => Err(failure),
        }
    }
}

/// Whether it was asked for by one who may not.
fn is_denied(problem: &Problem) -> bool {
    problem.status_code() == StatusCode::FORBIDDEN
}

type Done = Result<(Outcome, Record), Problem>;

/// All of it or nothing, with everything that is wrong. Who may not do a part of it may not do it, and that is recorded as
/// every such answer is.
async fn as_one(
    app: &App,
    caller: Caller,
    items: Vec<Result<Wanted, Problem>>,
) -> Result<Vec<Done>, Problem> {
    let (by, principal) = (caller.author(), caller.principal);
    app.db
        .write(by, async move |tx| {
            let mut done = Vec::with_capacity(items.len());
            let mut faults = Vec::new();
            let mut kind = kinds::BATCH_REFUSED;
            for (index, item) in items.iter().enumerate() {
                let put = match item {
                    Ok(wanted) => wanted.put(tx, &principal).await,
                    Err(problem) => Err(Failure::Refused(problem.clone())),
                };
                match put {
                    Ok(put) => done.push(Ok(put)),
                    Err(Failure::Refused(problem)) => {
                        if is_denied(&problem) {
                            kind = kinds::FORBIDDEN;
                        }
                        faults.extend(problem.at(&format!("/items/{index}")));
                    }
                    Err(failure) => return Err(failure),
                }
            }
            if faults.is_empty() {
                return Ok(done);
            }
            let refused = items.len() - done.len();
            Err(Problem::new(kind)
                .say(
                    format!("{} 项中有 {refused} 项不能执行", items.len()),
                    format!("{refused} of {} can't be done", items.len()),
                )
                .with_faults(faults)
                .into())
        })
        .await
}

/// Each by itself.
async fn one_by_one(app: &App, caller: Caller, items: Vec<Result<Wanted, Problem>>) -> Vec<Done> {
    let by = caller.author();
    let principal = std::rc::Rc::new(caller.principal);
    let mut done = Vec::with_capacity(items.len());
    for item in items {
        let put = match item {
            Ok(wanted) => {
                let principal = std::rc::Rc::clone(&principal);
                let write = async move |tx: &Tx| wanted.put(tx, &principal).await;
                app.db.write(by.clone(), write).await
            }
            Err(problem) => Err(problem),
        };
        done.push(put);
    }
    done
}

fn report(request: &HttpRequest, done: Vec<Done>) -> BatchReport {
    let language = Language::of(request.headers());
    let id = request_id(request);
    let mut report = BatchReport::default();
    for done in done {
        let (count, result) = match done {
            Ok((outcome, record)) => {
                let (count, outcome) = match outcome {
                    Outcome::Created => (&mut report.created, "created"),
                    Outcome::Changed => (&mut report.changed, "changed"),
                    Outcome::Unchanged => (&mut report.unchanged, "unchanged"),
                };
                let result = BatchResult {
                    outcome,
                    id: Some(record.id),
                    version: Some(record.version),
                    problem: None,
                };
                (count, result)
            }
            Err(problem) => {
                let result = BatchResult {
                    outcome: "refused",
                    id: None,
                    version: None,
                    problem: Some(problem.body(language, request.path(), &id)),
                };
                (&mut report.refused, result)
            }
        };
        *count += 1;
        report.items.push(result);
    }
    report
}
