//! What each step forward needs, and by which evidence it is met.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use crate::approval::{ApprovalItem, ApprovalStatus, ProjectKind};
use crate::evidence::Evidence;
use crate::id::ProjectId;
use crate::money::Money;
use crate::stage::{Condition, Stage};
use crate::tier::Investment;

/// The least investment that the plan counts: 500万元.
pub const LEAST_INVESTMENT: Money = Money::from_yuan(5_000_000);

/// A fact that brings a project into 引育; each is counted in its own year.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttractionFact {
    /// The day it happened.
    pub on: Option<NaiveDate>,
    /// The document that proves it.
    pub document: Option<Evidence>,
}

impl AttractionFact {
    const fn is_proven(&self) -> bool {
        self.on.is_some() && self.document.is_some()
    }
}

/// Which of the three facts of 引育.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttractionStep {
    /// 签约引进.
    Signed,
    /// 培育落地.
    Landed,
    /// 争取立项.
    FundsApproved,
}

impl AttractionStep {
    /// The field that holds the document.
    #[must_use]
    pub const fn document_pointer(self) -> &'static str {
        match self {
            Self::Signed => "/signed_document",
            Self::Landed => "/landed_document",
            Self::FundsApproved => "/funds_approved_document",
        }
    }
}

/// A part of a project, as its whole's gate sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which project.
    pub id: ProjectId,
    /// Its name, for the answer; none if the asker may not see it.
    pub name: Option<String>,
    /// Where it stands.
    pub stage: Stage,
    /// Whether it goes on.
    pub condition: Condition,
}

/// All that a gate reads of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// 签约引进.
    pub signed: AttractionFact,
    /// 培育落地.
    pub landed: AttractionFact,
    /// 争取立项.
    pub funds_approved: AttractionFact,
    /// 总投资.
    pub investment: Investment,
    /// Whether an investor or funding body is named.
    pub has_owner: bool,
    /// Whether it has a 项目代码.
    pub has_code: bool,
    /// The kind that tells which 立项 it needs.
    pub kind: Option<ProjectKind>,
    /// What its kind and sector need.
    pub required: BTreeSet<ApprovalItem>,
    /// What it has.
    pub approvals: BTreeMap<ApprovalItem, ApprovalStatus>,
    /// The years in whose annual plan it stands.
    pub plan_years: BTreeSet<i32>,
    /// Its parts, when they are inside it (`whole`).
    pub parts: Vec<Part>,
}

/// One thing that a gate lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// None of signed, landed, funds approved.
    AttractionFact,
    /// The fact is dated and has no document.
    Document(AttractionStep),
    /// Neither amount nor lower bound.
    Investment,
    /// The amount or lower bound is under 500万元.
    InvestmentBelowLeast,
    /// No investor or funding body.
    Owner,
    /// No exact total amount.
    ExactInvestment,
    /// No 项目代码.
    ProjectCode,
    /// No kind: nobody can tell which approvals it needs.
    Kind,
    /// A permit that its kind needs is neither obtained nor waived.
    Approval(ApprovalItem),
    /// Not in the annual plan of the year of the start.
    AnnualPlan {
        /// The year of the start.
        year: i32,
    },
    /// No proof that permanent works began.
    StartEvidence,
    /// No document of acceptance.
    Acceptance,
    /// A part is neither completed nor withdrawn.
    Part(Part),
}

impl Missing {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AttractionFact => "missing_attraction_fact",
            Self::Document(_) => "missing_document",
            Self::Investment => "missing_investment",
            Self::InvestmentBelowLeast => "investment_below_least",
            Self::Owner => "missing_owner",
            Self::ExactInvestment => "missing_exact_investment",
            Self::ProjectCode => "missing_project_code",
            Self::Kind => "missing_kind",
            Self::Approval(_) => "missing_approval",
            Self::AnnualPlan { .. } => "not_in_annual_plan",
            Self::StartEvidence => "missing_start_evidence",
            Self::Acceptance => "missing_acceptance",
            Self::Part(_) => "part_not_completed",
        }
    }

    /// The field of the project, or of the request, that would supply it.
    #[must_use]
    pub const fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::AttractionFact => Some("/signed_on"),
            Self::Document(step) => Some(step.document_pointer()),
            Self::Investment | Self::InvestmentBelowLeast | Self::ExactInvestment => {
                Some("/total_investment")
            }
            Self::Owner => Some("/owner"),
            Self::ProjectCode => Some("/code"),
            Self::Kind => Some("/kind"),
            Self::StartEvidence => Some("/start_evidence"),
            Self::Acceptance => Some("/acceptance"),
            Self::Approval(_) | Self::AnnualPlan { .. } | Self::Part(_) => None,
        }
    }
}

/// What the request itself brings to a gate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Proof that permanent works began.
    pub start_evidence: bool,
    /// A document of acceptance.
    pub acceptance: bool,
}

/// Everything that the gate into `stage` lacks; `year` is that of the move.
///
/// The gate into 谋划 is the registration itself, which [`crate::project`] checks.
#[must_use]
pub fn missing(stage: Stage, file: &File, year: i32, brought: Brought) -> Vec<Missing> {
    match stage {
        Stage::Planning => Vec::new(),
        Stage::Attraction => missing_for_attraction(file),
        Stage::Construction => missing_for_construction(file, year, brought),
        Stage::Completion => missing_for_completion(file, brought),
    }
}

fn missing_for_attraction(file: &File) -> Vec<Missing> {
    let mut missing = Vec::new();
    let facts = [
        (AttractionStep::Signed, &file.signed),
        (AttractionStep::Landed, &file.landed),
        (AttractionStep::FundsApproved, &file.funds_approved),
    ];
    if !facts.iter().any(|(_, fact)| fact.is_proven()) {
        let undocumented: Vec<_> = facts
            .iter()
            .filter(|(_, fact)| fact.on.is_some())
            .map(|&(step, _)| Missing::Document(step))
            .collect();
        if undocumented.is_empty() {
            missing.push(Missing::AttractionFact);
        }
        missing.extend(undocumented);
    }
    match file.investment.known() {
        None => missing.push(Missing::Investment),
        Some(amount) if amount < LEAST_INVESTMENT => missing.push(Missing::InvestmentBelowLeast),
        Some(_) => {}
    }
    if !file.has_owner {
        missing.push(Missing::Owner);
    }
    missing
}

fn missing_for_construction(file: &File, year: i32, brought: Brought) -> Vec<Missing> {
    let mut missing = Vec::new();
    if file.investment.exact().is_none() {
        missing.push(Missing::ExactInvestment);
    }
    if !file.has_code {
        missing.push(Missing::ProjectCode);
    }
    if file.kind.is_none() {
        missing.push(Missing::Kind);
    }
    missing.extend(
        file.required
            .iter()
            .filter(|item| !file.approvals.get(item).is_some_and(|s| s.settles()))
            .map(|&item| Missing::Approval(item)),
    );
    if !file.plan_years.contains(&year) {
        missing.push(Missing::AnnualPlan { year });
    }
    if !brought.start_evidence {
        missing.push(Missing::StartEvidence);
    }
    missing
}

fn missing_for_completion(file: &File, brought: Brought) -> Vec<Missing> {
    let mut missing = Vec::new();
    if !brought.acceptance {
        missing.push(Missing::Acceptance);
    }
    missing.extend(
        file.parts
            .iter()
            .filter(|part| {
                part.stage != Stage::Completion && part.condition != Condition::Withdrawn
            })
            .cloned()
            .map(Missing::Part),
    );
    missing
}

/// What a change would take away from the gates that a project has passed.
///
/// Evidence that opened a gate stays as long as the move stands; what was missing before the change (an
/// opening balance may lack anything) is not held against it, also if the change mends it by half.
/// `start_year` is that of the start; while it is unknown, no annual plan is asked for.
#[must_use]
pub fn lost(reached: Stage, before: &File, after: &File, start_year: Option<i32>) -> Vec<Missing> {
    // What a move itself brought is kept with the move, out of reach of a change.
    let brought = Brought {
        start_evidence: true,
        acceptance: true,
    };
    let lacks = |stage, file| {
        let mut missing = missing(stage, file, start_year.unwrap_or_default(), brought);
        missing.retain(|m| start_year.is_some() || !matches!(m, Missing::AnnualPlan { .. }));
        missing
    };
    let mut lost = Vec::new();
    for &stage in Stage::ALL.iter().filter(|&&stage| stage <= reached) {
        let lacked = lacks(stage, before);
        let lacking = lacks(stage, after).into_iter();
        lost.extend(lacking.filter(|now| !was_lacking(now, &lacked, &before.required)));
    }
    lost
}

/// Whether a gate that had `lacked` these things was already without what is missing `now`.
///
/// Two values of [`Missing`] may be of the same requirement: a fact without its document is no more, and
/// no less, than no fact at all.
fn was_lacking(now: &Missing, lacked: &[Missing], required: &BTreeSet<ApprovalItem>) -> bool {
    lacked.iter().any(|before| match (before, now) {
        (
            Missing::AttractionFact | Missing::Document(_),
            Missing::AttractionFact | Missing::Document(_),
        )
        | (
            Missing::Investment | Missing::InvestmentBelowLeast,
            Missing::Investment | Missing::InvestmentBelowLeast,
        ) => true,
        (Missing::Part(before), Missing::Part(now)) => before.id == now.id,
        // A permit that nobody had asked for: without a kind, or beside others that were lacking, its
        // absence had not let the gate open.
        (Missing::Kind | Missing::Approval(_), Missing::Approval(item))
            if !required.contains(item) =>
        {
            true
        }
        (before, now) => before == now,
    })
}

#[cfg(test)]
mod tests;
