//! What may be wrong with a request, and what a granted one leaves behind.

use super::*;

/// The codes for a move from construction (a step, a suspension) or planning withdrawn (a return).
fn dated(to: Move, occurred_on: Option<NaiveDate>) -> Vec<&'static str> {
    let (stage, condition) = everywhere()
        .find(|&(stage, condition)| exits(stage, condition).contains(&to))
        .unwrap();
    let asked = MoveRequest {
        occurred_on,
        ..request(to)
    };
    objection_codes(&manage(&dossier(stage, condition), &asked))
}

#[test]
fn each_move_but_a_correction_has_a_day_that_has_come_and_follows_the_last() {
    for &to in Move::ALL.iter().filter(|&&to| to != Move::Corrected) {
        assert_eq!(dated(to, None), ["date_missing"], "{to}");
        assert_eq!(dated(to, Some(today())), [""; 0], "{to}: today");
        assert_eq!(dated(to, Some(day(7, 1))), ["date_in_future"], "{to}");
        assert_eq!(dated(to, Some(since())), [""; 0], "{to}: the same day");
        let before = dated(to, Some(day(2, 28)));
        assert_eq!(before, ["date_before_last_move"], "{to}");
    }
}

#[test]
fn a_correction_has_no_day_of_its_own() {
    let mut project = dossier(Stage::Attraction, Condition::Active);
    project.latest = latest(Stage::Attraction, Condition::Active);
    for on in [since(), today(), day(2, 28), day(7, 1)] {
        let asked = MoveRequest {
            occurred_on: Some(on),
            ..request(Move::Corrected)
        };
        let answer = manage(&project, &asked);
        assert_eq!(objection_codes(&answer), ["date_not_taken"]);
    }
}

/// An opening entry has no day; what is known to the day is the order that can be checked.
#[test]
fn a_move_comes_after_all_that_is_known_to_the_day() {
    let asked = |stage_since, started_on, on| {
        let mut project = dossier(Stage::Construction, Condition::Active);
        project.last_moved_on = None;
        project.standing.basis = StageBasis::OpeningBalance;
        (project.standing.stage_since, project.standing.started_on) = (stage_since, started_on);
        let completed = MoveRequest {
            occurred_on: Some(on),
            ..request(Move::Completion)
        };
        manage(&project, &completed)
    };
    let before = |last| {
        Err(Refusal::Objections {
            gate: Some(Stage::Completion),
            objections: vec![Objection::DateBeforeLastMove { last }],
        })
    };
    let (early, late) = (day(2, 1), day(4, 1));
    assert_eq!(asked(Some(late), None, early), before(late));
    assert_eq!(asked(None, Some(late), early), before(late));
    assert_eq!(asked(Some(since()), Some(late), early), before(late));
    assert!(asked(Some(early), Some(early), early).is_ok());
    assert!(asked(None, None, day(1, 1)).is_ok());
}

#[test]
fn what_a_manager_does_has_a_reason() {
    for (stage, condition) in everywhere() {
        for &to in exits(stage, condition).iter().chain([&Move::Corrected]) {
            let mut project = dossier(stage, condition);
            project.latest = latest(stage, condition);
            if to == Move::Corrected && project.latest.is_none() {
                continue;
            }
            let silent = MoveRequest {
                note: None,
                ..request(to)
            };
            let expected: &[&str] = if to.needs_manager() {
                &["reason_missing"]
            } else {
                &[]
            };
            assert_eq!(
                objection_codes(&manage(&project, &silent)),
                expected,
                "{to}"
            );
        }
    }
}

#[test]
fn evidence_given_to_the_wrong_move_is_refused() {
    for (stage, condition) in everywhere() {
        for &to in exits(stage, condition).iter().chain([&Move::Corrected]) {
            let mut project = dossier(stage, condition);
            project.latest = Some(StandingMove {
                id: TransitionId(Uuid::from_u128(7)),
                kind: Move::Suspended,
                before: standing(Stage::Planning, Condition::Active),
            });
            let asked = MoveRequest {
                start_evidence: Some(evidence()),
                acceptance: Some(evidence()),
                ..request(to)
            };
            let not_taken = |pointer| Objection::EvidenceNotTaken { pointer };
            let expected = match to {
                Move::Construction => vec![not_taken("/acceptance")],
                Move::Completion => vec![not_taken("/start_evidence")],
                Move::Attraction
                | Move::Suspended
                | Move::Resumed
                | Move::Withdrawn
                | Move::Planning
                | Move::Corrected => vec![not_taken("/start_evidence"), not_taken("/acceptance")],
            };
            let refused = Refusal::Objections {
                gate: to.step_to(),
                objections: expected,
            };
            assert_eq!(refused.code(), "evidence_not_taken");
            assert_eq!(manage(&project, &asked), Err(refused), "{to}");
        }
    }
}

#[test]
fn evidence_that_proves_nothing_is_refused_with_each_of_its_faults() {
    let nothing = Evidence {
        document_number: None,
        issued_on: day(7, 1),
        ..evidence()
    };
    let steps = [
        (Stage::Attraction, Move::Construction, "/start_evidence"),
        (Stage::Construction, Move::Completion, "/acceptance"),
    ];
    for (stage, to, pointer) in steps {
        let mut asked = request(to);
        asked.start_evidence = asked.start_evidence.map(|_| nothing.clone());
        asked.acceptance = asked.acceptance.map(|_| nothing.clone());
        let fault = |fault| Objection::Evidence { pointer, fault };
        let refused = Refusal::Objections {
            gate: to.step_to(),
            objections: vec![
                fault(EvidenceFault::NotIdentified),
                fault(EvidenceFault::DateInFuture),
            ],
        };
        let answer = manage(&dossier(stage, Condition::Active), &asked);
        assert_eq!(answer, Err(refused));
    }
}

#[test]
fn a_refusal_says_everything_at_once_and_is_called_by_the_fault_of_the_request() {
    let mut project = dossier(Stage::Attraction, Condition::Active);
    project.file = without(
        EVERY_SET.end - 1,
        Stage::Attraction,
        Condition::Active,
        Move::Corrected,
    )
    .0
    .file;
    let asked = MoveRequest {
        to: Move::Construction,
        occurred_on: None,
        note: None,
        start_evidence: None,
        acceptance: Some(evidence()),
    };
    let answer = manage(&project, &asked);
    assert_eq!(
        objection_codes(&answer),
        [
            "date_missing",
            "evidence_not_taken",
            "missing_exact_investment",
            "missing_project_code",
            "missing_kind",
            "missing_approval",
            "not_in_annual_plan",
            "missing_start_evidence",
        ]
    );
    assert_eq!(answer.unwrap_err().code(), "date_missing");
}

#[test]
fn the_plan_asked_for_is_that_of_the_year_of_the_start() {
    let mut project = dossier(Stage::Attraction, Condition::Active);
    project.last_moved_on = None;
    project.standing.stage_since = None;
    let in_2024 = MoveRequest {
        occurred_on: NaiveDate::from_ymd_opt(2024, 12, 31),
        ..request(Move::Construction)
    };
    let not_planned = Refusal::Objections {
        gate: Some(Stage::Construction),
        objections: vec![Objection::Missing(Missing::AnnualPlan { year: 2024 })],
    };
    assert_eq!(manage(&project, &in_2024), Err(not_planned));
    project.file.plan_years = [2024].into();
    assert!(manage(&project, &in_2024).is_ok());
}

#[test]
fn a_step_is_dated_and_keeps_its_evidence_and_the_dates_before_it() {
    let started = manage(
        &dossier(Stage::Attraction, Condition::Active),
        &request(Move::Construction),
    )
    .unwrap();
    assert_eq!(started.evidence, Some(evidence()));
    let expected = Standing {
        stage_since: Some(today()),
        started_on: Some(today()),
        ..standing(Stage::Construction, Condition::Active)
    };
    assert_eq!(started.after, expected);

    let mut taken_over = dossier(Stage::Construction, Condition::Active);
    taken_over.standing.basis = StageBasis::OpeningBalance;
    let completed = manage(&taken_over, &request(Move::Completion)).unwrap();
    let expected = Standing {
        stage_since: Some(today()),
        completed_on: Some(today()),
        ..standing(Stage::Completion, Condition::Active)
    };
    assert_eq!(
        completed.after, expected,
        "through the gate, started as it was"
    );
}

#[test]
fn being_held_leaves_the_stage_its_dates_and_its_basis() {
    for (stage, from) in everywhere() {
        let mut project = dossier(stage, from);
        project.standing.basis = StageBasis::OpeningBalance;
        for &to in exits(stage, from) {
            let condition = match to {
                Move::Suspended => Condition::Suspended,
                Move::Resumed => Condition::Active,
                Move::Withdrawn => Condition::Withdrawn,
                Move::Attraction
                | Move::Construction
                | Move::Completion
                | Move::Planning
                | Move::Corrected => continue,
            };
            let granted = manage(&project, &request(to)).unwrap();
            let expected = Standing {
                condition,
                ..project.standing.clone()
            };
            assert_eq!(granted.after, expected, "{stage} {from}: {to}");
        }
    }
}

#[test]
fn who_comes_back_into_the_reserve_begins_anew() {
    let mut project = dossier(Stage::Construction, Condition::Withdrawn);
    project.standing.basis = StageBasis::OpeningBalance;
    let granted = manage(&project, &request(Move::Planning)).unwrap();
    let expected = Standing {
        stage_since: Some(today()),
        ..standing(Stage::Planning, Condition::Active)
    };
    assert_eq!(granted.after, expected);
}
