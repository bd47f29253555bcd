//! The rules as data: the table of moves, the gates, and which approvals which projects need.

use actix_web::{HttpRequest, HttpResponse, get, put, web};
use domain::approval::{AppliesTo, ApprovalItem};
use domain::stage::{Condition, Move, Stage, exits};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::single;
use crate::app::App;
use crate::auth::Caller;
use crate::body::Body;
use crate::codes::{ApprovalItemCode, ConditionCode, MoveCode, StageCode};
use crate::input::read::Reader;
use crate::precondition::Precondition;
use crate::problem::{Fault, Problem};
use crate::store::{Failure, reference};

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(get_stage_rules).service(put_approval_rules);
}

/// The rules.
#[derive(Debug, Serialize, ToSchema)]
pub struct StageRules {
    /// The stages, in order.
    stages: Vec<Labelled>,
    /// The moves.
    moves: Vec<MoveRule>,
    /// Where a project may go from where; `corrected` may follow any move that nobody has taken back.
    table: Vec<Exit>,
    /// What each gate needs.
    gates: Vec<GateRule>,
    /// Which approvals which projects need.
    approvals: Vec<ApprovalRule>,
}

/// A code with its labels.
#[derive(Debug, Serialize, ToSchema)]
pub struct Labelled {
    /// The code.
    code: String,
    /// In Chinese.
    zh: String,
    /// In English.
    en: String,
}

/// A move.
#[derive(Debug, Serialize, ToSchema)]
pub struct MoveRule {
    /// The move.
    to: MoveCode,
    /// In Chinese.
    zh: String,
    /// In English.
    en: String,
    /// Whether only a manager may do it, with a reason.
    needs_manager: bool,
}

/// Where a project may go from here.
#[derive(Debug, Serialize, ToSchema)]
pub struct Exit {
    /// From this stage,
    stage: StageCode,
    /// in this condition,
    condition: ConditionCode,
    /// to these.
    to: Vec<MoveCode>,
}

/// What a gate needs.
#[derive(Debug, Serialize, ToSchema)]
pub struct GateRule {
    /// The stage that it leads to.
    stage: StageCode,
    /// The codes of what may be found missing.
    needs: Vec<String>,
}

/// Which approvals the projects of a kind, or of the sectors of a profile, need.
#[derive(Debug, Serialize, ToSchema)]
pub struct ApprovalRule {
    /// A kind of project or an approval profile of sectors.
    #[schema(example = "port")]
    applies_to: String,
    /// What they need.
    items: Vec<ApprovalItemCode>,
}

/// The whole set of approval rules.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"rules": [{"applies_to": "enterprise_filed", "items": ["project_approval", "construction_permit"]}]}))]
pub struct ApprovalRulesInput {
    /// The rules.
    #[schema(min_items = 1, max_items = 20)]
    rules: Vec<ApprovalRuleInput>,
}

/// One approval rule.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRuleInput {
    /// A kind of project or an approval profile of sectors.
    applies_to: String,
    /// What they need.
    #[schema(value_type = Vec<ApprovalItemCode>, max_items = 20)]
    items: Vec<String>,
}

/// Read the rules of moving
#[utoipa::path(tag = "reference", security(("bearer" = [])),
    responses((status = 200, description = "The rules", body = StageRules)))]
#[get("/v1/stage-rules")]
async fn get_stage_rules(app: web::Data<App>, _caller: Caller) -> Result<HttpResponse, Problem> {
    answer(&app).await
}

async fn answer(app: &App) -> Result<HttpResponse, Problem> {
    let (rules, version) = reference::rules::read(app.db.reader())
        .await
        .map_err(Failure::told)?;
    Ok(single(&told(&rules), version))
}

/// Set which approvals which projects need
///
/// The whole set is replaced. Gates that have been passed stay passed.
#[utoipa::path(tag = "reference", request_body = ApprovalRulesInput, security(("bearer" = [])),
    params(("If-Match" = String, Header, description = "The ETag of the rules that are replaced", example = "\"281474976710656\"")),
    responses((status = 200, description = "The rules as they stand now", body = StageRules)))]
#[put("/v1/stage-rules/approvals")]
async fn put_approval_rules(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: Body<ApprovalRulesInput>,
) -> Result<HttpResponse, Problem> {
    let seen = Precondition::if_match(&request)?;
    let wanted = read(&body.value)?;
    app.db
        .write(caller.author(), async move |tx| {
            reference::rules::replace(tx, &wanted, seen).await
        })
        .await?;
    answer(&app).await
}

fn read(input: &ApprovalRulesInput) -> Result<Vec<(AppliesTo, ApprovalItem)>, Problem> {
    let mut reader = Reader::default();
    let mut rules = Vec::new();
    for (index, rule) in input.rules.iter().enumerate() {
        let pointer = format!("/rules/{index}/applies_to");
        let to = reader.coded(&pointer, AppliesTo::from_code, &rule.applies_to);
        for (at, code) in rule.items.iter().enumerate() {
            let pointer = format!("/rules/{index}/items/{at}");
            let item = reader.coded(&pointer, ApprovalItem::from_code, code);
            rules.extend(to.zip(item));
        }
    }
    if rules.is_empty() && reader.faults.is_empty() {
        reader.faults.push(Fault::at(
            "/rules",
            "required",
            "至少一条规则",
            "At least one rule is needed",
        ));
    }
    if reader.faults.is_empty() {
        Ok(rules)
    } else {
        Err(Problem::invalid(reader.faults))
    }
}

fn told(rules: &domain::approval::ApprovalRules) -> StageRules {
    let labelled = |stage: &Stage| Labelled {
        code: stage.code().to_owned(),
        zh: stage.label_zh().to_owned(),
        en: stage.label_en().to_owned(),
    };
    let move_rule = |to: &Move| MoveRule {
        to: MoveCode(*to),
        zh: to.label_zh().to_owned(),
        en: to.label_en().to_owned(),
        needs_manager: to.needs_manager(),
    };
    let table = Stage::ALL.iter().flat_map(|&stage| {
        Condition::ALL.iter().map(move |&condition| Exit {
            stage: StageCode(stage),
            condition: ConditionCode(condition),
            to: exits(stage, condition)
                .iter()
                .map(|&to| MoveCode(to))
                .collect(),
        })
    });
    let gates = Stage::ALL.iter().map(|&stage| GateRule {
        stage: StageCode(stage),
        needs: needs(stage).iter().map(|&code| code.to_owned()).collect(),
    });
    StageRules {
        stages: Stage::ALL.iter().map(labelled).collect(),
        moves: Move::ALL.iter().map(move_rule).collect(),
        table: table.collect(),
        gates: gates.collect(),
        approvals: rules
            .by_target()
            .into_iter()
            .map(|(to, items)| ApprovalRule {
                applies_to: to.code().to_owned(),
                items: items.into_iter().map(ApprovalItemCode).collect(),
            })
            .collect(),
    }
}

/// The codes of what a gate may find missing.
const fn needs(stage: Stage) -> &'static [&'static str] {
    match stage {
        Stage::Planning => &["name", "region", "unit", "sector"],
        Stage::Attraction => &[
            "missing_attraction_fact",
            "missing_document",
            "missing_investment",
            "investment_below_least",
            "missing_owner",
        ],
        Stage::Construction => &[
            "missing_exact_investment",
            "missing_project_code",
            "missing_kind",
            "missing_approval",
            "not_in_annual_plan",
            "missing_start_evidence",
        ],
        Stage::Completion => &["missing_acceptance", "part_not_completed"],
    }
}
