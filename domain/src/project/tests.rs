//! Each fault of the facts, one by one and together.

use super::*;
use crate::evidence::Evidence;

fn day(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2025, month, day).unwrap()
}

const TODAY: (u32, u32) = (6, 30);

fn context() -> FactsContext {
    FactsContext {
        stage: Stage::Construction,
        started_on: Some(day(2, 1)),
        today: day(TODAY.0, TODAY.1),
    }
}

fn document() -> Evidence {
    Evidence {
        document_number: Some(Text::parse("盘发改〔2025〕1号").unwrap()),
        issued_on: day(1, 5),
        authority: None,
        attachment: None,
        description: None,
    }
}

fn proven() -> AttractionFact {
    AttractionFact {
        on: Some(day(1, 5)),
        document: Some(document()),
    }
}

/// Facts with everything in them and nothing wrong.
fn facts() -> Facts {
    Facts {
        code: None,
        name: Text::parse("双台子储气库").unwrap(),
        aliases: Vec::new(),
        parent: None,
        counting: FamilyCounting::Whole,
        region: RegionCode::parse("211100").unwrap(),
        unit: Some(Text::parse("unit").unwrap()),
        programme: None,
        chain: None,
        sector: Some(Text::parse("sector").unwrap()),
        kind: None,
        investment: Investment::Exact(Money::from_yuan(710_000_000)),
        original: Some(OriginalAmount {
            amount: Money::from_yuan(100_000_000),
            currency: Currency::parse("USD").unwrap(),
            rate: Decimal::new(71, 1),
            rate_on: day(1, 5),
        }),
        investment_note: None,
        owner: None,
        steward: None,
        capacity: None,
        note: None,
        planned_start_on: Some(day(2, 1)),
        planned_completion_on: Some(day(2, 1)),
        signed: proven(),
        landed: proven(),
        funds_approved: proven(),
        commissioned_on: Some(day(2, 1)),
        at_capacity_on: Some(day(2, 1)),
        published: false,
    }
}

fn faults_of(change: impl FnOnce(&mut Facts)) -> Vec<(&'static str, &'static str)> {
    faults_in(context(), change)
}

fn faults_in(
    context: FactsContext,
    change: impl FnOnce(&mut Facts),
) -> Vec<(&'static str, &'static str)> {
    let mut facts = facts();
    change(&mut facts);
    let faults = facts.faults(context);
    faults.iter().map(|f| (f.pointer, f.kind.code())).collect()
}

#[test]
fn facts_that_are_right_have_no_fault() {
    assert_eq!(faults_of(|_| {}), []);
    let least = |facts: &mut Facts| {
        facts.investment = Investment::Unknown;
        facts.original = None;
        facts.signed = AttractionFact::default();
        facts.planned_start_on = None;
        facts.commissioned_on = None;
        facts.at_capacity_on = None;
    };
    let registering = FactsContext {
        stage: Stage::Planning,
        started_on: None,
        ..context()
    };
    assert_eq!(faults_in(registering, least), []);
}

#[test]
fn a_project_goes_by_twenty_other_names_and_no_more() {
    let named =
        |count| faults_of(|facts| facts.aliases = vec![Text::parse("别名").unwrap(); count]);
    assert_eq!(named(MAX_ALIASES), []);
    assert_eq!(named(MAX_ALIASES + 1), [("/aliases", "too_many")]);
}

#[test]
fn an_amount_of_nothing_is_not_an_unknown_amount() {
    for known in [Investment::Exact, Investment::Floor] {
        let faults = faults_of(|facts| {
            facts.investment = known(Money::ZERO);
            facts.original = None;
        });
        assert_eq!(faults, [("/total_investment", "amount_not_positive")]);
    }
}

#[test]
fn a_foreign_amount_agrees_with_the_one_in_yuan_to_the_yuan() {
    let mismatch = [("/total_investment/original/amount", "original_mismatch")];
    let with = |investment| faults_of(|facts| facts.investment = investment);
    let yuan = |fen: i64| Money::from_fen(71_000_000_000 + fen).unwrap();
    for known in [Investment::Exact, Investment::Floor] {
        for near in [-100, -1, 0, 1, 100] {
            assert_eq!(with(known(yuan(near))), [], "{near}");
        }
        for far in [-101, 101, 71_000_000_000] {
            assert_eq!(with(known(yuan(far))), mismatch, "{far}");
        }
    }
    assert_eq!(with(Investment::Unknown), mismatch);
}

#[test]
fn a_rate_is_positive_and_its_day_has_come() {
    let original = |rate, rate_on| {
        faults_of(|facts| {
            let original = facts.original.as_mut().unwrap();
            (original.rate, original.rate_on) = (rate, rate_on);
        })
    };
    let not_positive = ("/total_investment/original/rate", "rate_not_positive");
    let in_future = ("/total_investment/original/rate_on", "date_in_future");
    let right = Decimal::new(71, 1);
    assert_eq!(original(right, context().today), []);
    assert_eq!(original(right, day(7, 1)), [in_future]);
    for rate in [Decimal::ZERO, Decimal::NEGATIVE_ONE] {
        assert_eq!(original(rate, day(1, 5)), [not_positive]);
        assert_eq!(original(rate, day(7, 1)), [in_future, not_positive]);
    }
}

#[test]
fn a_rate_beyond_all_measure_is_a_mismatch_and_no_panic() {
    for rate in [Decimal::MAX, Decimal::new(1, 28)] {
        let faults = faults_of(|facts| {
            let original = facts.original.as_mut().unwrap();
            (original.amount, original.rate) = (Money::MAX, rate);
        });
        assert_eq!(
            faults,
            [("/total_investment/original/amount", "original_mismatch")]
        );
    }
}

#[test]
fn each_fact_of_attraction_has_come_and_each_document_has_its_fact() {
    type Fact = fn(&mut Facts) -> &mut AttractionFact;
    let all: [(Fact, &str, &str); 3] = [
        (|facts| &mut facts.signed, "/signed_on", "/signed_document"),
        (|facts| &mut facts.landed, "/landed_on", "/landed_document"),
        (
            |facts| &mut facts.funds_approved,
            "/funds_approved_on",
            "/funds_approved_document",
        ),
    ];
    for (fact, on, document) in all {
        let faults = faults_of(|facts| fact(facts).on = Some(day(7, 1)));
        assert_eq!(faults, [(on, "date_in_future")]);
        let faults = faults_of(|facts| fact(facts).on = Some(context().today));
        assert_eq!(faults, []);
        let faults = faults_of(|facts| fact(facts).on = None);
        assert_eq!(faults, [(document, "document_without_date")]);
        let faults = faults_of(|facts| {
            let evidence = fact(facts).document.as_mut().unwrap();
            evidence.document_number = None;
            evidence.issued_on = day(7, 1);
        });
        assert_eq!(
            faults,
            [
                (document, "evidence_not_identified"),
                (document, "date_in_future")
            ]
        );
        let faults = faults_of(|facts| fact(facts).document = None);
        assert_eq!(faults, [], "the gate asks for the document, not the fact");
    }
}

#[test]
fn a_number_an_address_or_a_description_identifies_a_document() {
    let ways: [fn(&mut Evidence); 2] = [
        |evidence| evidence.attachment = Some(Text::parse("https://oa.example/1").unwrap()),
        |evidence| evidence.description = Some(Text::parse("桩基施工照片").unwrap()),
    ];
    for identify in ways {
        let mut evidence = document();
        evidence.document_number = None;
        evidence.authority = Some(Text::parse("市发改委").unwrap());
        assert_eq!(
            evidence.faults(context().today),
            [EvidenceFault::NotIdentified]
        );
        identify(&mut evidence);
        assert_eq!(evidence.faults(context().today), []);
    }
}

#[test]
fn works_are_not_planned_to_end_before_they_begin() {
    let faults = faults_of(|facts| facts.planned_completion_on = Some(day(1, 31)));
    assert_eq!(faults, [("/planned_completion_on", "date_out_of_order")]);
}

#[test]
fn production_begins_after_the_works_and_not_tomorrow() {
    let commissioned = |on, context| {
        faults_in(context, |facts| {
            facts.commissioned_on = Some(on);
            facts.at_capacity_on = None;
        })
    };
    let out_of_order = ("/commissioned_on", "date_out_of_order");
    let in_future = ("/commissioned_on", "date_in_future");
    let not_started = ("/commissioned_on", "not_started");
    assert_eq!(commissioned(day(1, 31), context()), [out_of_order]);
    assert_eq!(commissioned(day(7, 1), context()), [in_future]);
    let unknown = FactsContext {
        started_on: None,
        ..context()
    };
    assert_eq!(commissioned(day(1, 31), unknown), []);
    for &stage in Stage::ALL {
        let in_stage = FactsContext { stage, ..context() };
        let expected = if stage < Stage::Construction {
            vec![not_started]
        } else {
            vec![]
        };
        assert_eq!(commissioned(day(2, 1), in_stage), expected, "{stage}");
    }
}

#[test]
fn capacity_is_reached_after_production_began_and_not_tomorrow() {
    let dates = |commissioned_on, at_capacity_on| {
        faults_of(|facts| {
            facts.commissioned_on = commissioned_on;
            facts.at_capacity_on = Some(at_capacity_on);
        })
    };
    let needs_another = ("/at_capacity_on", "date_needs_another");
    let in_future = ("/at_capacity_on", "date_in_future");
    let out_of_order = ("/at_capacity_on", "date_out_of_order");
    assert_eq!(dates(Some(day(3, 1)), day(2, 28)), [out_of_order]);
    assert_eq!(dates(Some(day(3, 1)), day(7, 1)), [in_future]);
    assert_eq!(dates(None, day(3, 1)), [needs_another]);
    assert_eq!(dates(None, day(7, 1)), [in_future, needs_another]);
}

#[test]
fn a_registration_names_its_unit_and_its_sector() {
    assert_eq!(facts().missing_for_registration(), []);
    let mut facts = facts();
    facts.unit = None;
    facts.sector = None;
    let required = |pointer| fault(pointer, FactFaultKind::Required);
    assert_eq!(
        facts.missing_for_registration(),
        [required("/unit"), required("/sector")]
    );
}

#[test]
fn a_currency_is_three_capital_letters_and_a_foreign_one() {
    assert_eq!(Currency::parse("EUR").unwrap().as_str(), "EUR");
    for other in ["", "CNY", "eur", "EURO", "E1R", "元", "美元美"] {
        assert_eq!(Currency::parse(other), None, "{other:?}");
    }
}
