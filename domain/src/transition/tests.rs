//! Every stage, condition, move, mandate and set of evidence; in [`requests`] what else may be wrong
//! with a request, in [`history`] whole lives.

mod history;
mod requests;

use std::collections::BTreeMap;
use std::fmt::Write;

use uuid::Uuid;

use super::*;
use crate::approval::{ApprovalItem, ApprovalStatus, ProjectKind};
use crate::gate::{AttractionFact, Part};
use crate::id::ProjectId;
use crate::money::Money;
use crate::tier::Investment;

fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, month, day).unwrap()
}

fn today() -> NaiveDate {
    day(6, 30)
}

/// The day from which every dossier here stands where it stands.
fn since() -> NaiveDate {
    day(3, 1)
}

fn evidence() -> Evidence {
    Evidence {
        document_number: Some(Text::parse("盘住建〔2025〕7号").unwrap()),
        issued_on: day(2, 1),
        authority: None,
        attachment: None,
        description: None,
    }
}

fn reason() -> Text<MAX_NOTE> {
    Text::parse("资金未到位").unwrap()
}

fn part(stage: Stage) -> Part {
    Part {
        id: ProjectId(Uuid::from_u128(9)),
        name: Some("一期".to_owned()),
        stage,
        condition: Condition::Active,
    }
}

/// A file that opens every gate in 2025.
fn complete_file() -> File {
    File {
        signed: AttractionFact {
            on: Some(day(1, 10)),
            document: Some(evidence()),
        },
        landed: AttractionFact::default(),
        funds_approved: AttractionFact::default(),
        investment: Investment::Exact(Money::from_yuan(100_000_000)),
        has_owner: true,
        has_code: true,
        kind: Some(ProjectKind::EnterpriseFiled),
        required: [ApprovalItem::ConstructionPermit].into(),
        approvals: BTreeMap::from([(ApprovalItem::ConstructionPermit, ApprovalStatus::Obtained)]),
        plan_years: [2025].into(),
        parts: vec![part(Stage::Completion)],
    }
}

fn standing(stage: Stage, condition: Condition) -> Standing {
    Standing {
        stage,
        condition,
        stage_since: Some(since()),
        basis: StageBasis::Gate,
        started_on: (stage >= Stage::Construction).then(since),
        completed_on: (stage >= Stage::Completion).then(since),
    }
}

/// A project that stands here, lacks nothing, and has nothing that could be taken back.
fn dossier(stage: Stage, condition: Condition) -> Dossier {
    Dossier {
        standing: standing(stage, condition),
        is_cover: false,
        last_moved_on: Some(since()),
        latest: None,
        inside_completed: false,
        file: complete_file(),
    }
}

/// The move that led here, if one did: what can be taken back.
fn latest(stage: Stage, condition: Condition) -> Option<StandingMove> {
    let (kind, before) = match (stage, condition) {
        (Stage::Planning, Condition::Active) => return None,
        (Stage::Attraction, Condition::Active) => (Move::Attraction, Stage::Planning),
        (Stage::Construction, Condition::Active) => (Move::Construction, Stage::Attraction),
        (Stage::Completion, _) => (Move::Completion, Stage::Construction),
        (_, Condition::Suspended) => (Move::Suspended, stage),
        (_, Condition::Withdrawn) => (Move::Withdrawn, stage),
    };
    Some(StandingMove {
        id: TransitionId(Uuid::from_u128(7)),
        kind,
        before: standing(before, Condition::Active),
    })
}

/// A request that brings all that this move takes.
fn request(to: Move) -> MoveRequest {
    MoveRequest {
        to,
        occurred_on: (to != Move::Corrected).then(today),
        note: to.needs_manager().then(reason),
        start_evidence: (to == Move::Construction).then(evidence),
        acceptance: (to == Move::Completion).then(evidence),
    }
}

fn manage(project: &Dossier, request: &MoveRequest) -> Result<Transition, Refusal> {
    decide(project, request, Mandate::Manager, today())
}

/// The codes of everything that is wrong; empty if the move is granted.
fn objection_codes(result: &Result<Transition, Refusal>) -> Vec<&'static str> {
    match result {
        Ok(_) => Vec::new(),
        Err(Refusal::Objections { objections, .. }) => {
            objections.iter().map(Objection::code).collect()
        }
        Err(refusal) => panic!("refused outright: {refusal:?}"),
    }
}

fn everywhere() -> impl Iterator<Item = (Stage, Condition)> {
    let conditions = |&stage| {
        Condition::ALL
            .iter()
            .map(move |&condition| (stage, condition))
    };
    Stage::ALL.iter().flat_map(conditions)
}

/// What a manager is answered who asks, from every standing, for every move, with everything in order.
const ANSWERS: &str = "\
planning active
  attraction    -> attraction active
  construction  stage_skipped
  completion    stage_skipped
  suspended     -> planning suspended
  resumed       not_suspended
  withdrawn     -> planning withdrawn
  planning      not_withdrawn
  corrected     nothing_to_correct
planning suspended
  attraction    project_suspended
  construction  project_suspended
  completion    project_suspended
  suspended     project_suspended
  resumed       -> planning active
  withdrawn     -> planning withdrawn
  planning      project_suspended
  corrected     -> planning active
planning withdrawn
  attraction    project_withdrawn
  construction  project_withdrawn
  completion    project_withdrawn
  suspended     project_withdrawn
  resumed       project_withdrawn
  withdrawn     project_withdrawn
  planning      -> planning active
  corrected     -> planning active
attraction active
  attraction    already_in_stage
  construction  -> construction active
  completion    stage_skipped
  suspended     -> attraction suspended
  resumed       not_suspended
  withdrawn     -> attraction withdrawn
  planning      not_withdrawn
  corrected     -> planning active
attraction suspended
  attraction    project_suspended
  construction  project_suspended
  completion    project_suspended
  suspended     project_suspended
  resumed       -> attraction active
  withdrawn     -> attraction withdrawn
  planning      project_suspended
  corrected     -> attraction active
attraction withdrawn
  attraction    project_withdrawn
  construction  project_withdrawn
  completion    project_withdrawn
  suspended     project_withdrawn
  resumed       project_withdrawn
  withdrawn     project_withdrawn
  planning      -> planning active
  corrected     -> attraction active
construction active
  attraction    no_way_back
  construction  already_in_stage
  completion    -> completion active
  suspended     -> construction suspended
  resumed       not_suspended
  withdrawn     -> construction withdrawn
  planning      not_withdrawn
  corrected     -> attraction active
construction suspended
  attraction    project_suspended
  construction  project_suspended
  completion    project_suspended
  suspended     project_suspended
  resumed       -> construction active
  withdrawn     -> construction withdrawn
  planning      project_suspended
  corrected     -> construction active
construction withdrawn
  attraction    project_withdrawn
  construction  project_withdrawn
  completion    project_withdrawn
  suspended     project_withdrawn
  resumed       project_withdrawn
  withdrawn     project_withdrawn
  planning      -> planning active
  corrected     -> construction active
completion active
  attraction    no_way_back
  construction  no_way_back
  completion    already_in_stage
  suspended     project_completed
  resumed       not_suspended
  withdrawn     project_completed
  planning      not_withdrawn
  corrected     -> construction active
";

#[test]
fn each_move_from_each_standing_is_answered_as_agreed() {
    let mut answers = String::new();
    // A completed project is neither suspended nor withdrawn; the next test asks there too.
    for (stage, condition) in everywhere().take(10) {
        writeln!(answers, "{stage} {condition}").unwrap();
        for &to in Move::ALL {
            let mut project = dossier(stage, condition);
            project.latest = latest(stage, condition);
            let answer = match manage(&project, &request(to)) {
                Ok(Transition { after, .. }) => format!("-> {} {}", after.stage, after.condition),
                Err(refusal) => refusal.code().to_owned(),
            };
            writeln!(answers, "  {:<13} {answer}", to.code()).unwrap();
        }
    }
    assert_eq!(answers, ANSWERS);
}

/// A piece of evidence, how it goes missing, and by which code which gate says so.
struct Piece {
    lose: fn(&mut File, &mut MoveRequest),
    lacking: &'static [(Move, &'static str)],
}

/// In the order in which the gates tell them.
const PIECES: [Piece; 11] = [
    Piece {
        lose: |file, _| file.signed = AttractionFact::default(),
        lacking: &[(Move::Attraction, "missing_attraction_fact")],
    },
    Piece {
        lose: |file, _| file.investment = Investment::Floor(Money::from_yuan(100_000_000)),
        lacking: &[(Move::Construction, "missing_exact_investment")],
    },
    Piece {
        lose: |file, _| file.investment = Investment::Unknown,
        lacking: &[
            (Move::Attraction, "missing_investment"),
            (Move::Construction, "missing_exact_investment"),
        ],
    },
    Piece {
        lose: |file, _| file.has_owner = false,
        lacking: &[(Move::Attraction, "missing_owner")],
    },
    Piece {
        lose: |file, _| file.has_code = false,
        lacking: &[(Move::Construction, "missing_project_code")],
    },
    Piece {
        lose: |file, _| file.kind = None,
        lacking: &[(Move::Construction, "missing_kind")],
    },
    Piece {
        lose: |file, _| file.approvals.clear(),
        lacking: &[(Move::Construction, "missing_approval")],
    },
    Piece {
        lose: |file, _| file.plan_years = [2024, 2026].into(),
        lacking: &[(Move::Construction, "not_in_annual_plan")],
    },
    Piece {
        lose: |_, request| request.start_evidence = None,
        lacking: &[(Move::Construction, "missing_start_evidence")],
    },
    Piece {
        lose: |_, request| request.acceptance = None,
        lacking: &[(Move::Completion, "missing_acceptance")],
    },
    Piece {
        lose: |file, _| file.parts = vec![part(Stage::Construction)],
        lacking: &[(Move::Completion, "part_not_completed")],
    },
];

/// Every set of missing pieces, as bits: none, each alone, all, and whatever lies between.
const EVERY_SET: std::ops::Range<u32> = 0..1 << PIECES.len();

fn lost_pieces(set: u32) -> impl Iterator<Item = &'static Piece> {
    let numbered = (0..).zip(&PIECES);
    numbered.filter_map(move |(n, piece)| (set >> n & 1 == 1).then_some(piece))
}

/// A project that stands here, and a request, without this set of pieces.
fn without(set: u32, stage: Stage, condition: Condition, to: Move) -> (Dossier, MoveRequest) {
    let mut project = dossier(stage, condition);
    project.latest = latest(stage, condition);
    let mut asked = request(to);
    for piece in lost_pieces(set) {
        (piece.lose)(&mut project.file, &mut asked);
    }
    (project, asked)
}

/// What the gate of this move says of the set of missing pieces.
fn expected_missing(to: Move, set: u32) -> Vec<&'static str> {
    let lacking = lost_pieces(set).flat_map(|piece| piece.lacking);
    let of_gate = lacking.filter(|(gate, _)| *gate == to);
    let mut codes: Vec<_> = of_gate.map(|&(_, code)| code).collect();
    codes.dedup();
    codes
}

#[test]
fn a_move_is_granted_if_the_table_the_mandate_and_the_gate_allow_it_and_only_then() {
    for set in EVERY_SET {
        for (stage, condition) in everywhere() {
            for &to in Move::ALL {
                let (project, asked) = without(set, stage, condition, to);
                let missing = expected_missing(to, set);
                for mandate in [Mandate::Officer, Mandate::Manager] {
                    let answer = decide(&project, &asked, mandate, today());
                    let what = format!("{stage} {condition}: {to} by {mandate:?} without {set:b}");
                    check(&answer, &project, &asked, mandate, &missing, &what);
                }
            }
        }
    }
}

/// Holds an answer against the table, the mandate and the gate, each by itself.
fn check(
    answer: &Result<Transition, Refusal>,
    project: &Dossier,
    asked: &MoveRequest,
    mandate: Mandate,
    missing: &[&str],
    what: &str,
) {
    let to = asked.to;
    let undone = project.latest.as_ref().filter(|_| to == Move::Corrected);
    let Standing {
        stage, condition, ..
    } = project.standing;
    let is_possible = undone.is_some() || exits(stage, condition).contains(&to);
    if to.needs_manager() && mandate == Mandate::Officer {
        assert_eq!(answer, &Err(Refusal::NeedsManager), "{what}");
    } else if to == Move::Corrected && !is_possible {
        assert_eq!(answer, &Err(Refusal::NothingToCorrect), "{what}");
    } else if !is_possible {
        let refused = Refusal::NotInTable {
            stage,
            condition,
            to,
        };
        assert_eq!(answer, &Err(refused), "{what}");
    } else if !missing.is_empty() {
        assert_eq!(objection_codes(answer), missing, "{what}");
        let refusal = answer.as_ref().unwrap_err();
        assert_eq!(refusal.code(), "gate_shut", "{what}");
        let gate = to.step_to();
        assert!(
            matches!(refusal, Refusal::Objections { gate: g, .. } if *g == gate),
            "{what}"
        );
    } else {
        let granted = answer.as_ref().expect(what);
        assert_eq!(
            (granted.kind, granted.occurred_on),
            (to, asked.occurred_on),
            "{what}"
        );
        assert_eq!(granted.before, project.standing, "{what}");
        assert_eq!(granted.corrects, undone.map(|undone| undone.id), "{what}");
        if let Some(undone) = undone {
            assert_eq!(granted.after, undone.before, "{what}");
        }
    }
}

#[test]
fn what_is_offered_is_what_would_be_granted() {
    for set in EVERY_SET {
        for (stage, condition) in everywhere() {
            let (project, _) = without(set, stage, condition, Move::Corrected);
            let offers = offers(&project, today());
            for &to in Move::ALL {
                let answer = manage(&project, &request(to));
                let is_open = matches!(answer, Ok(_) | Err(Refusal::Objections { .. }));
                let offer = offers.iter().find(|offer| offer.to == to);
                assert_eq!(offer.is_some(), is_open, "{stage} {condition}: {to}");
                let Some(offer) = offer else { continue };
                let missing: Vec<_> = offer.missing.iter().map(Missing::code).collect();
                assert_eq!(missing, objection_codes(&answer));
                assert_eq!(offer.needs_manager, to.needs_manager());
            }
        }
    }
}

#[test]
fn an_offer_names_the_fields_that_the_request_has_to_bring() {
    for (stage, condition) in everywhere() {
        let mut project = dossier(stage, condition);
        project.latest = latest(stage, condition);
        for offer in offers(&project, today()) {
            let bare = MoveRequest {
                to: offer.to,
                occurred_on: None,
                note: None,
                start_evidence: None,
                acceptance: None,
            };
            let Err(Refusal::Objections { objections, .. }) = manage(&project, &bare) else {
                panic!("{} needs nothing", offer.to)
            };
            let asked_for: Vec<_> = objections.iter().filter_map(Objection::pointer).collect();
            assert_eq!(offer.needs, asked_for, "{}", offer.to);
        }
    }
}

#[test]
fn a_cover_takes_no_move_and_is_offered_none() {
    for (stage, condition) in everywhere() {
        let mut cover = dossier(stage, condition);
        cover.is_cover = true;
        cover.latest = latest(stage, condition);
        assert_eq!(offers(&cover, today()), []);
        for &to in Move::ALL {
            for mandate in [Mandate::Officer, Mandate::Manager] {
                let answer = decide(&cover, &request(to), mandate, today());
                assert_eq!(answer, Err(Refusal::CoverHasNoStage));
                assert_eq!(answer.unwrap_err().code(), "cover_has_no_stage");
            }
        }
    }
}

/// Inside a completed whole nothing becomes open work that was none: neither by coming back into the
/// reserve nor by taking back what had ended it. Everything else is as it is elsewhere.
#[test]
fn inside_a_completed_whole_no_work_is_opened_again() {
    for (stage, condition) in everywhere() {
        let mut project = dossier(stage, condition);
        project.latest = latest(stage, condition);
        let mut inside = project.clone();
        inside.inside_completed = true;
        let was_open = stage != Stage::Completion && condition != Condition::Withdrawn;
        for &to in Move::ALL {
            let elsewhere = manage(&project, &request(to));
            let is_open = elsewhere.as_ref().is_ok_and(|granted| {
                granted.after.stage != Stage::Completion
                    && granted.after.condition != Condition::Withdrawn
            });
            let expected = if is_open && !was_open {
                Err(Refusal::InsideCompleted)
            } else {
                elsewhere
            };
            assert_eq!(manage(&inside, &request(to)), expected);
            let is_offered = offers(&inside, today()).iter().any(|offer| offer.to == to);
            assert_eq!(is_offered, expected.is_ok(), "{stage} {condition}: {to}");
        }
    }
    assert_eq!(Refusal::InsideCompleted.code(), "inside_completed_whole");
}

#[test]
fn inside_a_completed_whole_a_return_into_the_reserve_can_be_taken_back() {
    let mut inside = dossier(Stage::Planning, Condition::Active);
    inside.inside_completed = true;
    inside.latest = Some(StandingMove {
        id: TransitionId(Uuid::from_u128(7)),
        kind: Move::Planning,
        before: standing(Stage::Construction, Condition::Withdrawn),
    });
    let granted = manage(&inside, &request(Move::Corrected)).unwrap();
    assert_eq!(
        granted.after,
        standing(Stage::Construction, Condition::Withdrawn)
    );
}

#[test]
fn a_correction_is_never_taken_back() {
    let mut project = dossier(Stage::Attraction, Condition::Active);
    project.latest = Some(StandingMove {
        id: TransitionId(Uuid::from_u128(7)),
        kind: Move::Corrected,
        before: standing(Stage::Construction, Condition::Active),
    });
    assert_eq!(
        manage(&project, &request(Move::Corrected)),
        Err(Refusal::NothingToCorrect)
    );
}
