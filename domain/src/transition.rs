//! `decide()`: the only way to move a project.

use chrono::{Datelike, NaiveDate};

use crate::evidence::{Evidence, EvidenceFault};
use crate::gate::{self, Brought, File, Missing};
use crate::id::TransitionId;
use crate::stage::{Condition, Move, Stage, StageBasis, exits};
use crate::text::Text;

/// The longest note or reason of a move.
pub const MAX_NOTE: usize = 2000;

/// Where a project stands: what a move changes, and what a correction restores.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// 阶段.
    pub stage: Stage,
    /// 状态.
    pub condition: Condition,
    /// The day it entered the stage, if known to the day.
    pub stage_since: Option<NaiveDate>,
    /// How the stage was reached.
    pub basis: StageBasis,
    /// The day permanent works began.
    pub started_on: Option<NaiveDate>,
    /// The day of acceptance.
    pub completed_on: Option<NaiveDate>,
}

impl Standing {
    /// Where a project stands that is registered: in 谋划, since a day if that is known.
    #[must_use]
    pub const fn registered(planned_on: Option<NaiveDate>) -> Self {
        Self {
            stage: Stage::Planning,
            condition: Condition::Active,
            stage_since: planned_on,
            basis: StageBasis::Gate,
            started_on: None,
            completed_on: None,
        }
    }

    /// Where a project stands that is taken over at its stage (期初导入).
    #[must_use]
    pub fn taken_over(
        stage: Stage,
        started_on: Option<NaiveDate>,
        completed_on: Option<NaiveDate>,
    ) -> Self {
        Self {
            stage,
            condition: Condition::Active,
            stage_since: completed_on
                .filter(|_| stage == Stage::Completion)
                .or(started_on.filter(|_| stage == Stage::Construction)),
            basis: StageBasis::OpeningBalance,
            started_on,
            completed_on,
        }
    }

    /// Whether there is work to do or to wait for: neither completed nor withdrawn.
    fn is_open(&self) -> bool {
        self.stage != Stage::Completion && self.condition != Condition::Withdrawn
    }
}

/// The latest move that nobody has taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingMove {
    /// Which.
    pub id: TransitionId,
    /// What it was.
    pub kind: Move,
    /// Where the project stood before it.
    pub before: Standing,
}

/// A project as the rules of moving see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dossier {
    /// Where it stands.
    pub standing: Standing,
    /// Whether it is a cover (`parts`), which takes no moves.
    pub is_cover: bool,
    /// The day of the latest standing move, registration or opening entry, if known to the day.
    pub last_moved_on: Option<NaiveDate>,
    /// The latest standing move: what a correction would take back.
    pub latest: Option<StandingMove>,
    /// Whether it is inside a `whole` that is completed: it then may not become open work again.
    pub inside_completed: bool,
    /// All that the gates read.
    pub file: File,
}

/// What somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveRequest {
    /// The move.
    pub to: Move,
    /// The day on which it really happened; none for a correction.
    pub occurred_on: Option<NaiveDate>,
    /// A note; the reason where one is needed.
    pub note: Option<Text<MAX_NOTE>>,
    /// Proof that permanent works began (for 开工).
    pub start_evidence: Option<Evidence>,
    /// The document of acceptance (for 竣工).
    pub acceptance: Option<Evidence>,
}

/// What the asker may do to this project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mandate {
    /// An officer: enters and moves forward.
    Officer,
    /// A manager: also suspends, withdraws, waives, plans and takes back.
    Manager,
}

/// A move that was granted: what is to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The move.
    pub kind: Move,
    /// The day on which it happened.
    pub occurred_on: Option<NaiveDate>,
    /// The note or reason.
    pub note: Option<Text<MAX_NOTE>>,
    /// What proves it.
    pub evidence: Option<Evidence>,
    /// The move that this one takes back.
    pub corrects: Option<TransitionId>,
    /// Where the project stood.
    pub before: Standing,
    /// Where it stands now.
    pub after: Standing,
}

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// The move needs the day on which it happened.
    DateMissing,
    /// The day is later than today.
    DateInFuture,
    /// The day is before that of the latest standing move, or before what is known of the standing.
    DateBeforeLastMove {
        /// The latest day that is known.
        last: NaiveDate,
    },
    /// A correction has no date of its own.
    DateNotTaken,
    /// The move needs a reason.
    ReasonMissing,
    /// A piece of evidence proves nothing.
    Evidence {
        /// The field.
        pointer: &'static str,
        /// Why.
        fault: EvidenceFault,
    },
    /// Evidence was given that this move does not take.
    EvidenceNotTaken {
        /// The field.
        pointer: &'static str,
    },
    /// The gate lacks something.
    Missing(Missing),
}

impl Objection {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::DateMissing => "date_missing",
            Self::DateInFuture => "date_in_future",
            Self::DateBeforeLastMove { .. } => "date_before_last_move",
            Self::DateNotTaken => "date_not_taken",
            Self::ReasonMissing => "reason_missing",
            Self::Evidence { fault, .. } => fault.code(),
            Self::EvidenceNotTaken { .. } => "evidence_not_taken",
            Self::Missing(missing) => missing.code(),
        }
    }

    /// The field that would mend it.
    #[must_use]
    pub const fn pointer(&self) -> Option<&'static str> {
        match self {
            Self::DateMissing
            | Self::DateInFuture
            | Self::DateBeforeLastMove { .. }
            | Self::DateNotTaken => Some("/occurred_on"),
            Self::ReasonMissing => Some("/note"),
            Self::Evidence { pointer, .. } | Self::EvidenceNotTaken { pointer } => Some(pointer),
            Self::Missing(missing) => missing.pointer(),
        }
    }
}

/// Why a move is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A cover has no stage of its own.
    CoverHasNoStage,
    /// Only a manager may do it.
    NeedsManager,
    /// The table has no such move from here.
    NotInTable {
        /// Where the project stands.
        stage: Stage,
        /// And in which condition.
        condition: Condition,
        /// What was asked for.
        to: Move,
    },
    /// There is no standing move to take back.
    NothingToCorrect,
    /// It is inside a completed whole: take the whole's completion back first.
    InsideCompleted,
    /// The request is at fault or the gate is shut: everything that is wrong, at once.
    Objections {
        /// The stage whose gate was tried, if the move has one.
        gate: Option<Stage>,
        /// Everything.
        objections: Vec<Objection>,
    },
}

impl Refusal {
    /// The stable code: of the first fault of the request itself, or `gate_shut`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::CoverHasNoStage => "cover_has_no_stage",
            Self::NeedsManager => "needs_manager",
            Self::NotInTable {
                stage,
                condition,
                to,
            } => not_in_table_code(*stage, *condition, *to),
            Self::NothingToCorrect => "nothing_to_correct",
            Self::InsideCompleted => "inside_completed_whole",
            Self::Objections { objections, .. } => objections
                .iter()
                .find(|o| !matches!(o, Objection::Missing(_)))
                .map_or("gate_shut", Objection::code),
        }
    }
}

fn not_in_table_code(stage: Stage, condition: Condition, to: Move) -> &'static str {
    match condition {
        Condition::Withdrawn => "project_withdrawn",
        Condition::Suspended => "project_suspended",
        Condition::Active => match to.step_to() {
            Some(target) if target > stage => "stage_skipped",
            Some(target) if target == stage => "already_in_stage",
            Some(_) => "no_way_back",
            None => match to {
                Move::Resumed => "not_suspended",
                Move::Planning => "not_withdrawn",
                Move::Attraction
                | Move::Construction
                | Move::Completion
                | Move::Suspended
                | Move::Withdrawn
                | Move::Corrected => "project_completed",
            },
        },
    }
}

/// Grants or refuses a move; a refusal says everything that is wrong.
///
/// # Errors
/// A [`Refusal`], after which nothing may be changed.
pub fn decide(
    project: &Dossier,
    request: &MoveRequest,
    mandate: Mandate,
    today: NaiveDate,
) -> Result<Transition, Refusal> {
    if project.is_cover {
        return Err(Refusal::CoverHasNoStage);
    }
    if request.to.needs_manager() && mandate != Mandate::Manager {
        return Err(Refusal::NeedsManager);
    }
    let latest = allowed(project, request.to)?;
    let objections = objections(project, request, today);
    if !objections.is_empty() {
        return Err(Refusal::Objections {
            gate: request.to.step_to(),
            objections,
        });
    }
    let after = match latest {
        Some(undone) => undone.before.clone(),
        None => after(&project.standing, request),
    };
    Ok(Transition {
        kind: request.to,
        occurred_on: request.occurred_on,
        note: request.note.clone(),
        evidence: request
            .start_evidence
            .clone()
            .or_else(|| request.acceptance.clone()),
        corrects: latest.map(|undone| undone.id),
        before: project.standing.clone(),
        after,
    })
}

/// Whether the table, and the family, let the move happen from here; for a correction, what it undoes.
fn allowed(project: &Dossier, to: Move) -> Result<Option<&StandingMove>, Refusal> {
    let Standing {
        stage, condition, ..
    } = project.standing;
    let undone = if to == Move::Corrected {
        // A correction is never taken back: it is no standing move, whatever the caller says.
        let standing = project.latest.as_ref();
        let undone = standing.filter(|latest| latest.kind != Move::Corrected);
        Some(undone.ok_or(Refusal::NothingToCorrect)?)
    } else if exits(stage, condition).contains(&to) {
        None
    } else {
        return Err(Refusal::NotInTable {
            stage,
            condition,
            to,
        });
    };
    let becomes_open = match undone {
        Some(undone) => undone.before.is_open(),
        None => to == Move::Planning,
    };
    // A part that an opening balance found open inside its completed whole is open anyhow.
    if project.inside_completed && becomes_open && !project.standing.is_open() {
        return Err(Refusal::InsideCompleted);
    }
    Ok(undone)
}

fn objections(project: &Dossier, request: &MoveRequest, today: NaiveDate) -> Vec<Objection> {
    let mut found = date_objections(project, request, today);
    if request.to.needs_manager() && request.note.is_none() {
        found.push(Objection::ReasonMissing);
    }
    found.extend(evidence_objections(request, today));
    if let Some(stage) = request.to.step_to() {
        let year = request.occurred_on.unwrap_or(today).year();
        let brought = Brought {
            start_evidence: request.start_evidence.is_some(),
            acceptance: request.acceptance.is_some(),
        };
        found.extend(
            gate::missing(stage, &project.file, year, brought)
                .into_iter()
                .map(Objection::Missing),
        );
    }
    found
}

fn date_objections(project: &Dossier, request: &MoveRequest, today: NaiveDate) -> Vec<Objection> {
    let on = match (request.to, request.occurred_on) {
        (Move::Corrected, None) => return Vec::new(),
        (Move::Corrected, Some(_)) => return vec![Objection::DateNotTaken],
        (_, None) => return vec![Objection::DateMissing],
        (_, Some(on)) => on,
    };
    let mut found = Vec::new();
    if on > today {
        found.push(Objection::DateInFuture);
    }
    // An opening entry has no date of its own, but the standing that it found may have some.
    let known = [
        project.last_moved_on,
        project.standing.stage_since,
        project.standing.started_on,
    ];
    if let Some(last) = known.into_iter().flatten().max().filter(|&last| on < last) {
        found.push(Objection::DateBeforeLastMove { last });
    }
    found
}

fn evidence_objections(request: &MoveRequest, today: NaiveDate) -> Vec<Objection> {
    let mut found = Vec::new();
    let given = [
        (
            "/start_evidence",
            request.start_evidence.as_ref(),
            Move::Construction,
        ),
        ("/acceptance", request.acceptance.as_ref(), Move::Completion),
    ];
    for (pointer, evidence, belongs_to) in given {
        let Some(evidence) = evidence else { continue };
        if request.to == belongs_to {
            found.extend(
                evidence
                    .faults(today)
                    .into_iter()
                    .map(|fault| Objection::Evidence { pointer, fault }),
            );
        } else {
            found.push(Objection::EvidenceNotTaken { pointer });
        }
    }
    found
}

/// Where a project stands after a move of the table; the request has been found right.
fn after(before: &Standing, request: &MoveRequest) -> Standing {
    let mut after = before.clone();
    let on = request.occurred_on;
    match request.to {
        Move::Attraction | Move::Construction | Move::Completion => {
            after.stage = request.to.step_to().unwrap_or(before.stage);
            after.stage_since = on;
            after.basis = StageBasis::Gate;
            if request.to == Move::Construction {
                after.started_on = on;
            }
            if request.to == Move::Completion {
                after.completed_on = on;
            }
        }
        Move::Suspended => after.condition = Condition::Suspended,
        Move::Resumed => after.condition = Condition::Active,
        Move::Withdrawn => after.condition = Condition::Withdrawn,
        Move::Planning => {
            after = Standing {
                stage: Stage::Planning,
                condition: Condition::Active,
                stage_since: on,
                basis: StageBasis::Gate,
                started_on: None,
                completed_on: None,
            };
        }
        Move::Corrected => {}
    }
    after
}

/// A move as it may be offered beforehand, with what it still lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The move.
    pub to: Move,
    /// Whether only a manager may do it.
    pub needs_manager: bool,
    /// The fields that the request itself has to bring.
    pub needs: &'static [&'static str],
    /// What the gate lacks today, besides what the request itself will bring.
    pub missing: Vec<Missing>,
}

/// What may be done with a project now, and what is missing for it.
#[must_use]
pub fn offers(project: &Dossier, today: NaiveDate) -> Vec<Offer> {
    if project.is_cover {
        return Vec::new();
    }
    let brought = Brought {
        start_evidence: true,
        acceptance: true,
    };
    Move::ALL
        .iter()
        .filter(|&&to| allowed(project, to).is_ok())
        .map(|&to| Offer {
            to,
            needs_manager: to.needs_manager(),
            needs: fields_needed(to),
            missing: to.step_to().map_or_else(Vec::new, |stage| {
                gate::missing(stage, &project.file, today.year(), brought)
            }),
        })
        .collect()
}

/// The fields that a request for this move may not leave out.
const fn fields_needed(to: Move) -> &'static [&'static str] {
    match to {
        Move::Attraction => &["/occurred_on"],
        Move::Construction => &["/occurred_on", "/start_evidence"],
        Move::Completion => &["/occurred_on", "/acceptance"],
        Move::Suspended | Move::Resumed | Move::Withdrawn | Move::Planning => {
            &["/occurred_on", "/note"]
        }
        Move::Corrected => &["/note"],
    }
}

#[cfg(test)]
mod tests;
