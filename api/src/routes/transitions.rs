//! Moves: what may be done, and doing it.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::NaiveDate;
use domain::gate::Missing;
use domain::stage::{Move, Stage, StageBasis};
use domain::transition::{Mandate, MoveRequest};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::once::{key, made, once};
use super::projects::location;
use super::single;
use super::views::{ProblemItem, Project};
use crate::app::App;
use crate::auth::Caller;
use crate::body::Body;
use crate::codes::{MoveCode, StageBasisCode, StageCode};
use crate::input::EvidenceInput;
use crate::input::read::Reader;
use crate::precondition::Precondition;
use crate::problem::{Fault, Language, Problem};
use crate::store::transition::{self, Outlook};

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(list_transitions).service(create_transition);
}

/// A move that is asked for.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "construction", "occurred_on": "2025-03-18", "note": "桩基开工",
    "start_evidence": {"document_number": "盘建开〔2025〕3号", "issued_on": "2025-03-18", "description": "第一根工程桩施工记录"}}))]
pub struct TransitionRequest {
    /// Where to: a stage, or `suspended`, `resumed`, `withdrawn`, `planning` (re-entry), `corrected`.
    #[schema(value_type = MoveCode)]
    to: String,
    /// The day on which it really happened; none for `corrected`.
    occurred_on: Option<NaiveDate>,
    /// A note; the reason where one is needed.
    #[schema(min_length = 1, max_length = 2000)]
    note: Option<String>,
    /// For `construction`: proof that permanent works began.
    start_evidence: Option<EvidenceInput>,
    /// For `completion`: the document of acceptance.
    acceptance: Option<EvidenceInput>,
}

impl TransitionRequest {
    fn read(&self) -> Result<MoveRequest, Problem> {
        let mut reader = Reader::default();
        let to = reader.coded("/to", Move::from_code, &self.to);
        let note = self.note.as_deref();
        let note = note.and_then(|note| reader.lines("/note", note));
        let occurred_on = self.occurred_on;
        let occurred_on = occurred_on.and_then(|day| reader.day("/occurred_on", day));
        let start_evidence = self.start_evidence.as_ref();
        let start_evidence = start_evidence.and_then(|e| reader.evidence("/start_evidence", e));
        let acceptance = self.acceptance.as_ref();
        let acceptance = acceptance.and_then(|e| reader.evidence("/acceptance", e));
        match to {
            Some(to) if reader.faults.is_empty() => Ok(MoveRequest {
                to,
                occurred_on,
                note,
                start_evidence,
                acceptance,
            }),
            _ => Err(Problem::invalid(reader.faults)),
        }
    }
}

/// What may be done with a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct Transitions {
    /// The stage in which it stands.
    stage: StageCode,
    /// The gates behind it.
    passed: Vec<PassedGate>,
    /// The gates ahead, with what each lacks.
    ahead: Vec<GateAhead>,
    /// The moves that the table allows from here.
    moves: Vec<MoveOffer>,
}

/// A gate behind a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct PassedGate {
    /// The stage that it leads to.
    stage: StageCode,
    /// `gate`: met; `opening_balance`: taken over as it was found.
    basis: StageBasisCode,
}

/// A gate ahead of a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct GateAhead {
    /// The stage that it leads to.
    stage: StageCode,
    /// What is missing, each with a code.
    #[schema(value_type = Vec<ProblemItem>)]
    missing: Vec<Value>,
}

/// A move that the table allows.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoveOffer {
    /// Where to.
    to: MoveCode,
    /// Whether you may do it now: your role allows it and nothing is missing but what the request brings.
    possible: bool,
    /// Whether only a manager may do it.
    needs_manager: bool,
    /// What the request itself must bring.
    #[schema(example = json!(["/occurred_on", "/start_evidence"]))]
    needs: Vec<String>,
    /// What is missing, each with a code.
    #[schema(value_type = Vec<ProblemItem>)]
    missing: Vec<Value>,
}

/// What may be done with a project now
///
/// Every move that the table allows from where the project stands, and everything that is missing for it.
#[utoipa::path(tag = "moves", params(("id" = Uuid, Path, description = "The project")), security(("bearer" = [])),
    responses((status = 200, description = "What may be done", body = Transitions)))]
#[get("/v1/projects/{id}/transitions")]
async fn list_transitions(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let language = Language::of(request.headers());
    let clock = app.db.clock();
    let today = clock.day_of(clock.now());
    let (principal, id) = (caller.principal, *id);
    let outlook = app
        .db
        .read(async move |tx| transition::outlook(tx, &principal, id, today).await)
        .await?;
    let version = outlook.record.version;
    Ok(single(&told(outlook, language), version))
}

fn told(outlook: Outlook, language: Language) -> Transitions {
    let Outlook {
        record,
        offers,
        mandate,
        passed,
        ahead,
    } = outlook;
    let told = |missing: &[Missing]| -> Vec<Value> {
        let faults = missing.iter().map(Fault::from);
        faults.map(|fault| fault.told(language)).collect()
    };
    let passed_gate = |(stage, basis): (Stage, StageBasis)| PassedGate {
        stage: StageCode(stage),
        basis: StageBasisCode(basis),
    };
    let moves = offers
        .into_iter()
        .map(|offer| {
            let is_mine = match mandate {
                None => false,
                Some(Mandate::Officer) => !offer.needs_manager,
                Some(Mandate::Manager) => true,
            };
            MoveOffer {
                to: MoveCode(offer.to),
                possible: is_mine && offer.missing.is_empty(),
                needs_manager: offer.needs_manager,
                needs: offer
                    .needs
                    .iter()
                    .map(|&pointer| pointer.to_owned())
                    .collect(),
                missing: told(&offer.missing),
            }
        })
        .collect();
    Transitions {
        stage: StageCode(record.standing.stage),
        passed: passed.into_iter().map(passed_gate).collect(),
        ahead: ahead
            .iter()
            .map(|(stage, missing)| GateAhead {
                stage: StageCode(*stage),
                missing: told(missing),
            })
            .collect(),
        moves,
    }
}

/// Move a project
///
/// One step at a time, with the day on which it really happened. A refusal lists everything that is missing.
#[utoipa::path(tag = "moves", request_body = TransitionRequest, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The project"),
        ("If-Match" = String, Header, description = "The ETag of the version that is moved", example = "\"7\""),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key does the same once", max_length = 255)),
    responses((status = 201, description = "Moved; the project as it stands now", body = Project)))]
#[post("/v1/projects/{id}/transitions")]
async fn create_transition(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    id: web::Path<Uuid>,
    body: Body<TransitionRequest>,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(&request)?;
    let asked = body.value.read()?;
    let key = key(&request, caller.principal.id, &body.bytes)?;
    let (by, principal, id) = (caller.author(), caller.principal, *id);
    once(&app.db, by, key, async move |tx| {
        let record = transition::advance(tx, &principal, id, seen, &asked).await?;
        let version = record.version;
        made(&Project::single(record), version, Some(location(id)))
    })
    .await
}
