//! What each gate lacks, and what a change may not take away from it.

use uuid::Uuid;

use super::*;
use crate::text::Text;

const YEAR: i32 = 2025;
const BROUGHT: Brought = Brought {
    start_evidence: true,
    acceptance: true,
};

fn proven() -> AttractionFact {
    let on = NaiveDate::from_ymd_opt(2025, 1, 10).unwrap();
    AttractionFact {
        on: Some(on),
        document: Some(Evidence {
            document_number: Some(Text::parse("盘招商〔2025〕3号").unwrap()),
            issued_on: on,
            authority: None,
            attachment: None,
            description: None,
        }),
    }
}

fn undocumented() -> AttractionFact {
    AttractionFact {
        document: None,
        ..proven()
    }
}

/// What an opening balance may bring: nothing.
fn empty() -> File {
    File {
        signed: AttractionFact::default(),
        landed: AttractionFact::default(),
        funds_approved: AttractionFact::default(),
        investment: Investment::Unknown,
        has_owner: false,
        has_code: false,
        kind: None,
        required: BTreeSet::new(),
        approvals: BTreeMap::new(),
        plan_years: BTreeSet::new(),
        parts: Vec::new(),
    }
}

/// A file that opens every gate.
fn full() -> File {
    let items = [ApprovalItem::ProjectApproval, ApprovalItem::LandUse];
    File {
        signed: proven(),
        investment: Investment::Exact(Money::from_yuan(100_000_000)),
        has_owner: true,
        has_code: true,
        kind: Some(ProjectKind::EnterpriseFiled),
        required: items.into(),
        approvals: items.map(|item| (item, ApprovalStatus::Obtained)).into(),
        plan_years: [YEAR].into(),
        parts: vec![part(1, Stage::Completion, Condition::Active)],
        ..empty()
    }
}

fn part(n: u128, stage: Stage, condition: Condition) -> Part {
    Part {
        id: ProjectId(Uuid::from_u128(n)),
        name: Some(format!("子项{n}")),
        stage,
        condition,
    }
}

fn codes(missing: &[Missing]) -> Vec<&'static str> {
    missing.iter().map(Missing::code).collect()
}

fn lost_codes(
    reached: Stage,
    before: &File,
    after: &File,
    start_year: Option<i32>,
) -> Vec<&'static str> {
    codes(&lost(reached, before, after, start_year))
}

#[test]
fn any_one_of_the_three_facts_opens_the_gate_if_it_has_date_and_document() {
    let document_only = AttractionFact {
        on: None,
        ..proven()
    };
    let states = [
        AttractionFact::default(),
        document_only,
        undocumented(),
        proven(),
    ];
    for signed in &states {
        for landed in &states {
            for funds_approved in &states {
                let file = File {
                    signed: signed.clone(),
                    landed: landed.clone(),
                    funds_approved: funds_approved.clone(),
                    ..full()
                };
                let facts = [signed, landed, funds_approved];
                let dated = facts.iter().filter(|fact| fact.on.is_some()).count();
                let expected = match dated {
                    _ if facts.contains(&&proven()) => vec![],
                    0 => vec!["missing_attraction_fact"],
                    dated => vec!["missing_document"; dated],
                };
                let missing = missing(Stage::Attraction, &file, YEAR, BROUGHT);
                assert_eq!(codes(&missing), expected, "{facts:?}");
            }
        }
    }
}

#[test]
fn a_missing_document_points_to_the_fact_that_it_would_prove() {
    let file = File {
        signed: AttractionFact::default(),
        landed: undocumented(),
        funds_approved: undocumented(),
        ..full()
    };
    let missing = missing(Stage::Attraction, &file, YEAR, BROUGHT);
    let pointers: Vec<_> = missing.iter().map(Missing::pointer).collect();
    assert_eq!(
        pointers,
        [Some("/landed_document"), Some("/funds_approved_document")]
    );
}

#[test]
fn five_million_yuan_open_the_gate_and_a_fen_less_does_not() {
    let less = Money::from_fen(LEAST_INVESTMENT.fen() - 1).unwrap();
    let lacking = |investment| {
        let file = File {
            investment,
            ..full()
        };
        codes(&missing(Stage::Attraction, &file, YEAR, BROUGHT))
    };
    for known in [Investment::Exact, Investment::Floor] {
        assert!(lacking(known(LEAST_INVESTMENT)).is_empty());
        assert_eq!(lacking(known(less)), ["investment_below_least"]);
    }
    assert_eq!(lacking(Investment::Unknown), ["missing_investment"]);
}

#[test]
fn an_approval_is_settled_when_obtained_or_waived_and_only_then() {
    let states = [None]
        .into_iter()
        .chain(ApprovalStatus::ALL.iter().copied().map(Some));
    for status in states {
        let mut file = full();
        file.approvals.remove(&ApprovalItem::LandUse);
        file.approvals
            .extend(status.map(|status| (ApprovalItem::LandUse, status)));
        let expected = match status {
            Some(ApprovalStatus::Obtained | ApprovalStatus::Waived) => vec![],
            None | Some(ApprovalStatus::Pending) => {
                vec![Missing::Approval(ApprovalItem::LandUse)]
            }
        };
        assert_eq!(
            missing(Stage::Construction, &file, YEAR, BROUGHT),
            expected,
            "{status:?}"
        );
    }
}

#[test]
fn the_annual_plan_must_be_that_of_the_year_of_the_start() {
    for year in [YEAR - 1, YEAR + 1] {
        assert_eq!(
            missing(Stage::Construction, &full(), year, BROUGHT),
            [Missing::AnnualPlan { year }]
        );
    }
}

#[test]
fn every_part_must_be_completed_or_withdrawn() {
    for &stage in Stage::ALL {
        for &condition in Condition::ALL {
            let open = part(2, stage, condition);
            let mut file = full();
            file.parts.push(open.clone());
            let is_done = stage == Stage::Completion || condition == Condition::Withdrawn;
            let expected = if is_done {
                vec![]
            } else {
                vec![Missing::Part(open)]
            };
            assert_eq!(
                missing(Stage::Completion, &file, YEAR, BROUGHT),
                expected,
                "{stage} {condition}"
            );
        }
    }
}

#[test]
fn the_gate_into_the_reserve_is_the_registration_itself() {
    assert!(missing(Stage::Planning, &empty(), YEAR, Brought::default()).is_empty());
}

/// A change, the least stage that forbids it, and what it would take away.
type Loss = (fn(&mut File), Stage, &'static str);

const LOSSES: [Loss; 12] = [
    (
        |file| file.signed.on = None,
        Stage::Attraction,
        "missing_attraction_fact",
    ),
    (
        |file| file.signed.document = None,
        Stage::Attraction,
        "missing_document",
    ),
    (
        |file| file.investment = Investment::Exact(Money::from_yuan(4_999_999)),
        Stage::Attraction,
        "investment_below_least",
    ),
    (
        |file| file.has_owner = false,
        Stage::Attraction,
        "missing_owner",
    ),
    (
        |file| file.investment = Investment::Floor(LEAST_INVESTMENT),
        Stage::Construction,
        "missing_exact_investment",
    ),
    (
        |file| file.has_code = false,
        Stage::Construction,
        "missing_project_code",
    ),
    (|file| file.kind = None, Stage::Construction, "missing_kind"),
    (
        |file| {
            file.approvals
                .insert(ApprovalItem::LandUse, ApprovalStatus::Pending);
        },
        Stage::Construction,
        "missing_approval",
    ),
    (
        |file| {
            file.required.insert(ApprovalItem::SeaUse);
        },
        Stage::Construction,
        "missing_approval",
    ),
    (
        |file| file.plan_years.clear(),
        Stage::Construction,
        "not_in_annual_plan",
    ),
    (
        |file| file.parts[0].stage = Stage::Construction,
        Stage::Completion,
        "part_not_completed",
    ),
    (
        |file| {
            file.parts
                .push(part(2, Stage::Planning, Condition::Suspended));
        },
        Stage::Completion,
        "part_not_completed",
    ),
];

#[test]
fn evidence_stays_as_long_as_its_gate_is_passed() {
    for (place, (change, gate, code)) in LOSSES.into_iter().enumerate() {
        let mut after = full();
        change(&mut after);
        for &reached in Stage::ALL {
            let expected = if reached >= gate { vec![code] } else { vec![] };
            let found = lost_codes(reached, &full(), &after, Some(YEAR));
            assert_eq!(found, expected, "change {place} in {reached}");
            assert_eq!(
                lost(reached, &after, &full(), Some(YEAR)),
                [],
                "mending {place} in {reached}"
            );
            assert_eq!(
                lost(reached, &after, &after, Some(YEAR)),
                [],
                "leaving {place} in {reached}"
            );
        }
    }
}

#[test]
fn everything_that_is_lost_is_told_at_once() {
    let mut after = empty();
    after.required = full().required;
    after.parts = vec![part(1, Stage::Construction, Condition::Active)];
    assert_eq!(
        lost_codes(Stage::Completion, &full(), &after, Some(YEAR)),
        [
            "missing_attraction_fact",
            "missing_investment",
            "missing_owner",
            "missing_exact_investment",
            "missing_project_code",
            "missing_kind",
            "missing_approval",
            "missing_approval",
            "not_in_annual_plan",
            "part_not_completed",
        ]
    );
}

#[test]
fn a_start_in_an_unknown_year_holds_no_annual_plan() {
    let mut after = full();
    after.plan_years.clear();
    assert_eq!(lost(Stage::Completion, &full(), &after, None), []);
    // Not even the year 0, which is nobody's start.
    let mut before = full();
    before.plan_years.insert(0);
    assert_eq!(lost(Stage::Completion, &before, &after, None), []);
    // The rest is held as ever.
    after.has_code = false;
    assert_eq!(
        lost_codes(Stage::Completion, &full(), &after, None),
        ["missing_project_code"]
    );
}

#[test]
fn only_the_year_of_the_start_is_held_in_the_plan() {
    let mut before = full();
    before.plan_years.insert(YEAR + 1);
    let mut after = before.clone();
    after.plan_years.remove(&(YEAR + 1));
    assert_eq!(lost(Stage::Completion, &before, &after, Some(YEAR)), []);
}

/// What was taken over may lack anything, and filling it in by and by is never a loss.
#[test]
fn an_opening_balance_is_filled_in_step_by_step() {
    let steps: [fn(&mut File); 12] = [
        |file| file.parts = vec![part(1, Stage::Planning, Condition::Suspended)],
        |file| file.investment = Investment::Floor(Money::from_yuan(1)),
        |file| file.investment = Investment::Exact(Money::from_yuan(100_000_000)),
        |file| file.signed = undocumented(),
        |file| file.landed = undocumented(),
        |file| file.signed = AttractionFact::default(),
        |file| file.landed = proven(),
        |file| file.has_owner = true,
        |file| {
            file.kind = Some(ProjectKind::EnterpriseFiled);
            file.required = full().required;
        },
        |file| {
            file.required.insert(ApprovalItem::SeaUse);
        },
        |file| file.parts[0].condition = Condition::Active,
        |file| file.parts[0].stage = Stage::Attraction,
    ];
    let mut file = empty();
    file.parts = vec![part(1, Stage::Planning, Condition::Active)];
    for (place, step) in steps.into_iter().enumerate() {
        let before = file.clone();
        step(&mut file);
        assert_eq!(
            lost(Stage::Completion, &before, &file, Some(YEAR)),
            [],
            "step {place}"
        );
    }
}

#[test]
fn a_permit_in_hand_is_held_even_where_others_are_lacking() {
    let mut before = full();
    before.kind = None;
    before.required.insert(ApprovalItem::SeaUse);
    let mut after = before.clone();
    after.kind = Some(ProjectKind::EnterpriseApproved);
    after.approvals.remove(&ApprovalItem::LandUse);
    assert_eq!(
        lost(Stage::Construction, &before, &after, Some(YEAR)),
        [Missing::Approval(ApprovalItem::LandUse)]
    );
}

#[test]
fn another_open_part_is_lost_beside_one_that_was_taken_over() {
    let mut before = full();
    before.parts = vec![part(1, Stage::Planning, Condition::Active)];
    let mut after = before.clone();
    after
        .parts
        .push(part(2, Stage::Planning, Condition::Active));
    assert_eq!(
        lost(Stage::Completion, &before, &after, Some(YEAR)),
        [Missing::Part(part(2, Stage::Planning, Condition::Active))]
    );
}
