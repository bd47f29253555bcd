//! What clients get: the answers' shapes.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use domain::evidence::Evidence;
use domain::project::{OriginalAmount, Owner};
use domain::text::Text;
use domain::tier::Investment;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::codes::{
    ApprovalItemCode, ApprovalStatusCode, ConditionCode, FamilyCountingCode, ProjectKindCode,
    StageBasisCode, StageCode, TierBasisCode, TierCode,
};
use crate::store::{approval, history, plan_year, project};

/// A problem (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"type": "/problems/gate-shut", "title": "条件不满足", "status": 422, "code": "gate_shut",
    "detail": "开工条件不满足，还缺 3 项", "instance": "/v1/projects/0193/transitions", "request_id": "0193",
    "errors": [{"code": "missing_project_code", "pointer": "/code", "detail": "没有项目代码"},
        {"code": "missing_approval", "item": "construction_permit", "detail": "没有施工许可"},
        {"code": "not_in_annual_plan", "year": 2025, "detail": "未列入 2025 年度计划"}]}))]
pub struct ProblemDetails {
    /// Which kind, as an address.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind, in the reader's language.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: String,
    /// What it is about, this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub detail: Option<String>,
    /// The path that was asked for.
    pub instance: String,
    /// The request, to be named to whoever looks after the service.
    pub request_id: String,
    /// Everything that is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<ProblemItem>,
}

/// One of several things that are wrong; more members by code.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemItem {
    /// The stable code.
    pub code: String,
    /// The field of the body, as a JSON pointer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub pointer: Option<String>,
    /// The parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parameter: Option<String>,
    /// What is wrong, in the reader's language.
    pub detail: String,
    /// More, by code: `item`, `year`, `project_id`.
    #[serde(flatten)]
    #[schema(value_type = Object, additional_properties = true)]
    pub more: BTreeMap<String, Value>,
}

/// An amount of 元 as a decimal string with two places.
pub type Amount = String;

/// A total investment: `exact` or `floor`.
#[derive(Debug, Serialize, ToSchema)]
pub struct InvestmentView {
    /// The exact amount in 元.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "8370000000.00")]
    pub exact: Option<Amount>,
    /// The lower bound in 元.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub floor: Option<Amount>,
    /// The amount as agreed in a foreign currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub original: Option<OriginalView>,
}

/// An amount in a foreign currency.
#[derive(Debug, Serialize, ToSchema)]
pub struct OriginalView {
    /// The amount.
    pub amount: Amount,
    /// ISO 4217.
    pub currency: String,
    /// 元 for one unit.
    pub rate: String,
    /// The day of the rate.
    pub rate_on: NaiveDate,
}

/// Who invests or funds.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnerView {
    /// Its name.
    pub name: String,
    /// Its 统一社会信用代码.
    pub uscc: Option<String>,
}

/// A document, by reference.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvidenceView {
    /// 文号.
    pub document_number: Option<String>,
    /// The day of the document.
    pub issued_on: NaiveDate,
    /// Who issued it.
    pub authority: Option<String>,
    /// Where it can be read.
    pub attachment: Option<String>,
    /// What it shows.
    pub description: Option<String>,
}

/// What one may know of an ancestor, even out of one's scope.
#[derive(Debug, Serialize, ToSchema)]
pub struct AncestorView {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its 项目代码.
    pub code: Option<String>,
    /// Its stage.
    pub stage: StageCode,
}

/// Where the opening stage was read.
#[derive(Debug, Serialize, ToSchema)]
pub struct BasisView {
    /// The words of the document.
    pub quote: Option<String>,
    /// Which document, and where in it.
    pub source: Option<String>,
    /// The time of which the document speaks.
    pub as_of: Option<String>,
    /// Whether the stage was inferred, not told.
    pub inferred: bool,
}

/// A project.
#[derive(Debug, Serialize, ToSchema)]
pub struct Project {
    /// Its id.
    pub id: Uuid,
    /// 项目代码.
    pub code: Option<String>,
    /// Whether the check digit of the code was verified; its rule is not public.
    #[schema(example = "not_verified")]
    pub code_check: Option<String>,
    /// 项目名称.
    #[schema(example = "辽河储气库群双台子储气库")]
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// The project that it is part of.
    pub parent_id: Option<Uuid>,
    /// Its ancestors, nearest first; only of a single project.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ancestors: Option<Vec<AncestorView>>,
    /// How its family is counted.
    pub family_counting: FamilyCountingCode,
    /// The lists on which it stands.
    pub lists: Vec<String>,
    /// The code of its region.
    #[schema(example = "211100")]
    pub region: String,
    /// The code of the unit that answers for it.
    pub unit: Option<String>,
    /// The code of its programme.
    pub programme: Option<String>,
    /// The code of its sector.
    pub sector: Option<String>,
    /// The code of its industrial chain (产业链).
    pub chain: Option<String>,
    /// Who invests and which road 立项 takes.
    pub kind: Option<ProjectKindCode>,
    /// 阶段.
    pub stage: StageCode,
    /// 状态.
    pub condition: ConditionCode,
    /// The day it entered its stage, if known.
    pub stage_since: Option<NaiveDate>,
    /// How the stage was reached.
    pub stage_basis: StageBasisCode,
    /// Where the opening stage was read; null if it was registered here.
    pub basis: Option<BasisView>,
    /// 总投资; null if unknown.
    pub total_investment: Option<InvestmentView>,
    /// 投资分档.
    pub tier: TierCode,
    /// What the tier rests on.
    pub tier_basis: TierBasisCode,
    /// What a text says of the amount.
    pub investment_note: Option<String>,
    /// 业主.
    pub owner: Option<OwnerView>,
    /// 项目管家.
    pub steward: Option<String>,
    /// 建设规模.
    pub capacity: Option<String>,
    /// Anything else.
    pub note: Option<String>,
    /// 计划开工.
    pub planned_start_on: Option<NaiveDate>,
    /// 开工.
    pub started_on: Option<NaiveDate>,
    /// 计划竣工.
    pub planned_completion_on: Option<NaiveDate>,
    /// 竣工.
    pub completed_on: Option<NaiveDate>,
    /// 投产.
    pub commissioned_on: Option<NaiveDate>,
    /// 达产.
    pub at_capacity_on: Option<NaiveDate>,
    /// 签约引进.
    pub signed_on: Option<NaiveDate>,
    /// What proves it.
    pub signed_document: Option<EvidenceView>,
    /// 培育落地.
    pub landed_on: Option<NaiveDate>,
    /// What proves it.
    pub landed_document: Option<EvidenceView>,
    /// 争取立项.
    pub funds_approved_on: Option<NaiveDate>,
    /// What proves it.
    pub funds_approved_document: Option<EvidenceView>,
    /// Whether it may be told to everybody (公开).
    pub published: bool,
    /// What deserves a second look, such as production before acceptance.
    pub warnings: Vec<Warning>,
    /// How often it has been changed; its ETag.
    pub version: i64,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// Something that deserves a second look; it hinders nothing.
#[derive(Debug, Serialize, ToSchema)]
pub struct Warning {
    /// The stable code.
    #[schema(example = "commissioned_before_acceptance")]
    pub code: String,
    /// The field.
    pub pointer: String,
}

fn string<const MAX: usize>(text: Text<MAX>) -> String {
    text.into_string()
}

impl From<Evidence> for EvidenceView {
    fn from(evidence: Evidence) -> Self {
        let Evidence {
            document_number,
            issued_on,
            authority,
            attachment,
            description,
        } = evidence;
        Self {
            document_number: document_number.map(string),
            issued_on,
            authority: authority.map(string),
            attachment: attachment.map(string),
            description: description.map(string),
        }
    }
}

impl From<OriginalAmount> for OriginalView {
    fn from(original: OriginalAmount) -> Self {
        Self {
            amount: original.amount.to_string(),
            currency: original.currency.as_str().to_owned(),
            rate: original.rate.to_string(),
            rate_on: original.rate_on,
        }
    }
}

impl From<Owner> for OwnerView {
    fn from(owner: Owner) -> Self {
        Self {
            name: string(owner.name),
            uscc: owner.uscc.map(|uscc| uscc.as_str().to_owned()),
        }
    }
}

impl InvestmentView {
    /// An amount as it is told; none if it is unknown.
    pub(super) fn of(investment: Investment, original: Option<OriginalAmount>) -> Option<Self> {
        investment.known()?;
        Some(Self {
            exact: investment.exact().map(|amount| amount.to_string()),
            floor: investment.floor().map(|amount| amount.to_string()),
            original: original.map(OriginalView::from),
        })
    }
}

impl Project {
    /// One project, with its ancestors.
    #[must_use]
    pub fn single(mut record: project::Record) -> Self {
        let ancestors = std::mem::take(&mut record.ancestors);
        let ancestors = ancestors
            .into_iter()
            .map(|ancestor| AncestorView {
                id: ancestor.id,
                name: ancestor.name,
                code: ancestor.code,
                stage: StageCode(ancestor.stage),
            })
            .collect();
        Self {
            ancestors: Some(ancestors),
            ..Self::from(record)
        }
    }
}

impl From<project::Record> for Project {
    fn from(record: project::Record) -> Self {
        let project::Record {
            id,
            version,
            facts,
            standing,
            basis,
            lists,
            ancestors: _,
            created_at,
            updated_at,
        } = record;
        let mut warnings = Vec::new();
        let early = match (facts.commissioned_on, standing.completed_on) {
            (Some(commissioned), Some(completed)) => commissioned < completed,
            (Some(_), None) => standing.stage < domain::stage::Stage::Completion,
            (None, _) => false,
        };
        if early {
            warnings.push(Warning {
                code: "commissioned_before_acceptance".to_owned(),
                pointer: "/commissioned_on".to_owned(),
            });
        }
        let tier = facts.investment.tier();
        let tier_basis = facts.investment.basis();
        let has_basis = basis.quote.is_some() || basis.source.is_some();
        Self {
            id,
            code_check: facts
                .code
                .as_ref()
                .map(|code| code.check().code().to_owned()),
            code: facts.code.map(|code| code.as_str().to_owned()),
            name: string(facts.name),
            aliases: facts.aliases.into_iter().map(string).collect(),
            parent_id: facts.parent.map(|id| id.0),
            ancestors: None,
            family_counting: FamilyCountingCode(facts.counting),
            lists,
            region: facts.region.as_str().to_owned(),
            unit: facts.unit.map(string),
            programme: facts.programme.map(string),
            sector: facts.sector.map(string),
            chain: facts.chain.map(string),
            kind: facts.kind.map(ProjectKindCode),
            stage: StageCode(standing.stage),
            condition: ConditionCode(standing.condition),
            stage_since: standing.stage_since,
            stage_basis: StageBasisCode(standing.basis),
            basis: has_basis.then_some(BasisView {
                quote: basis.quote,
                source: basis.source,
                as_of: basis.as_of,
                inferred: basis.inferred,
            }),
            total_investment: InvestmentView::of(facts.investment, facts.original),
            tier: TierCode(tier),
            tier_basis: TierBasisCode(tier_basis),
            investment_note: facts.investment_note.map(string),
            owner: facts.owner.map(OwnerView::from),
            steward: facts.steward.map(string),
            capacity: facts.capacity.map(string),
            note: facts.note.map(string),
            planned_start_on: facts.planned_start_on,
            started_on: standing.started_on,
            planned_completion_on: facts.planned_completion_on,
            completed_on: standing.completed_on,
            commissioned_on: facts.commissioned_on,
            at_capacity_on: facts.at_capacity_on,
            signed_on: facts.signed.on,
            signed_document: facts.signed.document.map(EvidenceView::from),
            landed_on: facts.landed.on,
            landed_document: facts.landed.document.map(EvidenceView::from),
            funds_approved_on: facts.funds_approved.on,
            funds_approved_document: facts.funds_approved.document.map(EvidenceView::from),
            published: facts.published,
            warnings,
            version,
            created_at,
            updated_at,
        }
    }
}

/// A permit or document of a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct Approval {
    /// Which.
    pub item: ApprovalItemCode,
    /// How far it has come.
    pub status: ApprovalStatusCode,
    /// 文号.
    pub document_number: Option<String>,
    /// The day of the document.
    pub issued_on: Option<NaiveDate>,
    /// Who issued it.
    pub authority: Option<String>,
    /// Where it can be read.
    pub attachment: Option<String>,
    /// Why it does not apply.
    pub reason: Option<String>,
    /// How often it has been changed; its ETag.
    pub version: i64,
}

impl From<approval::Record> for Approval {
    fn from(record: approval::Record) -> Self {
        let approval::Record {
            item,
            version,
            approval,
        } = record;
        Self {
            item: ApprovalItemCode(item),
            status: ApprovalStatusCode(approval.status),
            document_number: approval.document_number,
            issued_on: approval.issued_on,
            authority: approval.authority,
            attachment: approval.attachment,
            reason: approval.reason,
            version,
        }
    }
}

/// A project's place in the annual plan of a year.
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanYear {
    /// The year.
    pub year: i32,
    /// The investment planned for it, in 元; null if not told.
    pub planned_investment: Option<Amount>,
    /// How often it has been changed; its ETag.
    pub version: i64,
}

impl From<plan_year::Record> for PlanYear {
    fn from(record: plan_year::Record) -> Self {
        Self {
            year: record.year,
            planned_investment: record.planned.map(|amount| amount.to_string()),
            version: record.version,
        }
    }
}

/// Something that was done to a project.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryEntry {
    /// Its id.
    pub id: Uuid,
    /// What happened: `registered`, `taken_over`, `amended`, `moved`, `approval_changed`, `planned`, `unplanned`,
    /// `invested`, `uninvested`, `listed`, `unlisted`, `linked`, `unlinked`.
    pub kind: String,
    /// The project's version after it.
    pub version: Option<i64>,
    /// What was, of what changed.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// What is, of what changed.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
    /// Who did it.
    pub actor: String,
    /// The request in which it was done.
    pub request_id: Option<String>,
    /// When it became known.
    pub recorded_at: DateTime<Utc>,
}

impl From<history::Entry> for HistoryEntry {
    fn from(entry: history::Entry) -> Self {
        let history::Entry {
            id,
            kind,
            version,
            before,
            after,
            actor,
            request_id,
            recorded_at,
        } = entry;
        Self {
            id,
            kind,
            version,
            before,
            after,
            actor,
            request_id,
            recorded_at,
        }
    }
}
