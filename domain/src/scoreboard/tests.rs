use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::accounting::Line;
use crate::money::Total;
use crate::rollup::{Known, Measures, Told};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn a_period_is_a_month_or_a_quarter() {
    for (text, first, last, previous) in [
        ("2025-01", "2025-01-01", "2025-01-31", "2024-12"),
        ("2024-02", "2024-02-01", "2024-02-29", "2024-01"),
        ("2025-12", "2025-12-01", "2025-12-31", "2025-11"),
        ("2025-Q1", "2025-01-01", "2025-03-31", "2024-Q4"),
        ("2025-Q3", "2025-07-01", "2025-09-30", "2025-Q2"),
        ("2025-Q4", "2025-10-01", "2025-12-31", "2025-Q3"),
    ] {
        let period = Period::parse(text).unwrap();
        assert_eq!(period.to_string(), text);
        assert_eq!((period.first(), period.last()), (day(first), day(last)));
        assert_eq!(period.previous().unwrap().to_string(), previous);
    }
}

#[test]
fn what_is_no_period_is_told() {
    for text in [
        "",
        "2025",
        "2025-",
        "2025-0",
        "2025-3",
        "2025-00",
        "2025-13",
        "2025-Q0",
        "2025-Q5",
        "2025-q1",
        "2025-Q01",
        "2025-+3",
        "+025-03",
        "10000-01",
        "25-03",
        "2025-03-01",
        "２０２５-03",
        " 2025-03",
    ] {
        assert_eq!(Period::parse(text), Err(PeriodError::Unreadable), "{text}");
    }
    for text in ["1948-12", "0000-01", "2201-Q1", "9999-12"] {
        assert_eq!(
            Period::parse(text),
            Err(PeriodError::YearOutOfRange),
            "{text}"
        );
    }
    for text in ["1949-01", "1949-Q1"] {
        assert_eq!(Period::parse(text).unwrap().previous(), None);
    }
}

fn item(indicator: Indicator, measure: Measure, weight: u32, basis: Basis) -> Item {
    Item {
        indicator,
        measure,
        weight,
        basis,
    }
}

fn count(indicator: Indicator, weight: u32) -> Item {
    item(indicator, Measure::Count, weight, Basis::None)
}

fn places(places: u32) -> Rule {
    Rule {
        places: Some(places),
        score: None,
    }
}

fn score(hundredths: i64) -> Score {
    Score::from_hundredths(hundredths).unwrap()
}

#[test]
fn the_preset_is_a_scheme() {
    let preset = Scheme::preset();
    let again = Scheme::new(
        preset.items().to_vec(),
        preset.red(),
        preset.black(),
        preset.landing_months(),
    );
    assert_eq!(again, Ok(preset.clone()));
    let weights: u32 = preset.items().iter().map(|item| item.weight).sum();
    assert_eq!(weights, 100);
}

#[test]
fn everything_that_is_wrong_with_a_scheme_is_told() {
    let items = vec![
        count(Indicator::Started, 0),
        count(Indicator::CompletedInvestment, 10),
        item(Indicator::StartRate, Measure::Count, 10, Basis::Projects),
        count(Indicator::Started, MAX_WEIGHT + 1),
        // Another basis is another thing to look at.
        item(Indicator::Started, Measure::Count, 10, Basis::Projects),
    ];
    let nothing = Some(Rule::default());
    assert_eq!(
        Scheme::new(items, nothing, Some(places(0)), 0),
        Err(vec![
            SchemeFault::Weight(0),
            SchemeFault::Measure(1),
            SchemeFault::Normalised(2),
            SchemeFault::Weight(3),
            SchemeFault::Duplicate(3),
            SchemeFault::RedSaysNothing,
            SchemeFault::BlackPlaces,
            SchemeFault::LandingMonths,
        ])
    );
    for number in [0, MAX_ITEMS + 1] {
        let items = (1..=number).map(|_| count(Indicator::Started, 1)).collect();
        let faults = Scheme::new(items, None, None, 6).unwrap_err();
        assert_eq!(faults.first(), Some(&SchemeFault::NumberOfItems));
    }
}

fn measures(exact: &[i128], others: u64) -> Measures {
    let mut measures = Measures::default();
    for fen in exact {
        measures.add_many(Known::Exact, 1, Total::from_fen(*fen));
    }
    measures.add_many(Known::Unknown, others, Total::ZERO);
    measures
}

fn figures(line: Line, measures: Measures) -> Figures {
    Figures {
        lines: [(line, measures)].into(),
        ..Figures::default()
    }
}

fn money(projects: u64, count: u64, fen: i128) -> Completed {
    let sum = Total::from_fen(fen);
    Completed {
        projects,
        told: Told { count, sum },
    }
}

fn shown(item: Item, figures: &Figures) -> (String, String) {
    let opened = open(item, figures);
    let value = opened.value.known().map(|value| value.to_string());
    let normalised = opened.normalised.known().map(|ratio| ratio.to_string());
    (value.unwrap_or_default(), normalised.unwrap_or_default())
}

#[test]
fn a_value_is_counted_or_added_up_and_the_size_is_taken_out_of_it() {
    let mut of = figures(Line::New, measures(&[30_000_000_000, 10_000_000_000], 1));
    of.stock = measures(&[80_000_000_000; 5], 3);
    for (measure, basis, value, normalised) in [
        (Measure::Count, Basis::None, "3.00", "3.0000"),
        (Measure::Count, Basis::Projects, "3.00", "0.3750"),
        (Measure::Count, Basis::Investment, "3.00", "0.0750"),
        (
            Measure::Investment,
            Basis::None,
            "400000000.00",
            "400000000.0000",
        ),
        (
            Measure::Investment,
            Basis::Projects,
            "400000000.00",
            "50000000.0000",
        ),
        (
            Measure::Investment,
            Basis::Investment,
            "400000000.00",
            "10000000.0000",
        ),
    ] {
        let item = item(Indicator::Started, measure, 1, basis);
        let expected = (value.to_owned(), normalised.to_owned());
        assert_eq!(shown(item, &of), expected, "{measure} {basis}");
    }
    let by_money = item(Indicator::Started, Measure::Investment, 1, Basis::None);
    assert_eq!(open(by_money, &of).reached.unknown, 1);
}

#[test]
fn what_is_not_known_is_not_nothing() {
    let by = |indicator, basis| item(indicator, Measure::Investment, 1, basis);
    let started = by(Indicator::Started, Basis::None);
    let nothing = Figures::default();
    assert_eq!(shown(started, &nothing).0, "0.00");
    let unknown = figures(Line::New, measures(&[], 2));
    assert_eq!(open(started, &unknown).value, Reading::Unknown);
    // Nobody told of any month; somebody told that nothing was done.
    let completed = by(Indicator::CompletedInvestment, Basis::None);
    assert_eq!(open(completed, &nothing).value, Reading::Unknown);
    let told = Figures {
        completed: money(1, 1, 0),
        ..Figures::default()
    };
    assert_eq!(shown(completed, &told).0, "0.00");
    // Of a region without projects there is no size; of one whose amounts are unknown, it is not known.
    let per = |basis| open(item(Indicator::Started, Measure::Count, 1, basis), &nothing).normalised;
    assert_eq!(per(Basis::Projects), Reading::NotApplicable);
    assert_eq!(per(Basis::Investment), Reading::NotApplicable);
    let of_unknown = Figures {
        stock: measures(&[], 2),
        ..Figures::default()
    };
    let started = item(Indicator::Started, Measure::Count, 1, Basis::Investment);
    assert_eq!(open(started, &of_unknown).normalised, Reading::Unknown);
}

#[test]
fn a_rate_needs_something_to_be_reached() {
    let plan = item(
        Indicator::AnnualPlanRate,
        Measure::Investment,
        1,
        Basis::None,
    );
    let told = |count, fen| Told {
        count,
        sum: Total::from_parts(0, fen),
    };
    let plans = |projects, reported, both, planned, completed| AnnualPlans {
        projects,
        reported,
        planned: told(both, planned),
        completed: told(both, completed),
    };
    for (plans, expected) in [
        (plans(3, 2, 2, 40, 30), Ok("75.00")),
        (plans(3, 2, 2, 40, 0), Ok("0.00")),
        // Plans of which nothing was reported, or that have no amount.
        (plans(3, 0, 0, 0, 0), Err(Reading::Unknown)),
        (plans(3, 2, 0, 0, 0), Err(Reading::Unknown)),
        (plans(0, 0, 0, 0, 0), Err(Reading::NotApplicable)),
        (plans(1, 1, 1, 0, 30), Err(Reading::NotApplicable)),
    ] {
        let figures = Figures {
            plans,
            ..Figures::default()
        };
        let opened = open(plan, &figures);
        match expected {
            Ok(value) => assert_eq!(shown(plan, &figures).0, value),
            Err(reading) => assert_eq!(opened.value, reading),
        }
        let both = plans.planned.count;
        assert_eq!(opened.of.unwrap().unknown, plans.projects - both);
        assert_eq!(opened.reached.unknown, plans.reported - both);
    }
    let landing = count(Indicator::LandingRate, 1);
    let mut of = figures(Line::Signed, measures(&[1, 1, 1], 0));
    of.landed_in_time = 2;
    assert_eq!(
        shown(landing, &of),
        ("66.67".to_owned(), "0.6667".to_owned())
    );
    assert_eq!(
        open(landing, &Figures::default()).value,
        Reading::NotApplicable
    );
    let mut start = figures(Line::StartPlanned, measures(&[1, 1, 1, 1], 0));
    start.lines.insert(Line::StartMet, measures(&[1], 0));
    assert_eq!(shown(count(Indicator::StartRate, 1), &start).0, "25.00");
}

/// Regions with so many started and so many completed each.
fn ranked(scheme: &Scheme, regions: &[(i128, i128)]) -> Vec<Standing> {
    let known = |count: i128| Reading::Known(Ratio::new(count, 1).unwrap());
    let readings: Vec<Vec<_>> = regions
        .iter()
        .map(|(started, completed)| vec![known(*started), known(*completed)])
        .collect();
    rank(scheme, &readings)
}

fn scheme(red: Option<Rule>, black: Option<Rule>) -> Scheme {
    let items = vec![count(Indicator::Started, 2), count(Indicator::Completed, 1)];
    Scheme::new(items, red, black, 6).unwrap()
}

#[test]
fn totals_are_weighed_and_equal_ones_share_a_rank() {
    let standings = ranked(
        &scheme(Some(places(2)), Some(places(1))),
        &[(3, 1), (6, 3), (0, 3), (2, 2), (1, 1)],
    );
    let told: Vec<_> = standings
        .iter()
        .map(|s| {
            (
                s.total.unwrap().to_string(),
                s.rank.unwrap(),
                s.is_red,
                s.is_black,
            )
        })
        .collect();
    let of = |total: &str, rank, red, black| (total.to_owned(), rank, red, black);
    assert_eq!(
        told,
        [
            // 50 × 2 and 33.33 × 1; 33.33 × 2 and 66.67 × 1; 16.67 × 2 and 33.33 × 1.
            of("44.44", 2, true, false),
            of("100.00", 1, true, false),
            of("33.33", 4, false, false),
            of("44.44", 2, true, false),
            of("22.22", 5, false, true),
        ]
    );
}

#[test]
fn an_item_without_a_best_is_left_out_and_an_unknown_one_for_its_region_alone() {
    let scheme = scheme(None, None);
    let standings = ranked(&scheme, &[(4, 0), (3, 0)]);
    for (standing, total) in standings.iter().zip([score(10_000), score(7_500)]) {
        assert_eq!((standing.total, standing.weight), (Some(total), 2));
        assert_eq!(standing.scores[1], (State::NotApplicable, None));
    }
    let known = |count| Reading::Known(Ratio::new(count, 1).unwrap());
    let regions = [
        vec![known(4), Reading::Unknown],
        vec![Reading::NotApplicable, known(1)],
        vec![known(1), known(2)],
        vec![Reading::Unknown, Reading::NotApplicable],
    ];
    let standings = rank(&scheme, &regions);
    let told: Vec<_> = standings
        .iter()
        .map(|s| (s.total, s.rank, s.weight))
        .collect();
    assert_eq!(
        told,
        [
            (Some(score(10_000)), Some(1), 2),
            (Some(score(5_000)), Some(2), 1),
            (Some(score(5_000)), Some(2), 3),
            (None, None, 0),
        ]
    );
    assert_eq!(standings[0].scores[1], (State::Unknown, None));
    assert_eq!(standings[1].scores[0], (State::NotApplicable, None));
}

fn lists(scheme: &Scheme, started: &[i128]) -> (Vec<usize>, Vec<usize>) {
    let regions: Vec<(i128, i128)> = started.iter().map(|count| (*count, 0)).collect();
    let standings = ranked(scheme, &regions);
    let of = |is_on: fn(&Standing) -> bool| {
        let places = standings.iter().enumerate().filter(|(_, s)| is_on(s));
        places.map(|(place, _)| place).collect()
    };
    (of(|s| s.is_red), of(|s| s.is_black))
}

#[test]
fn lists_take_all_ties_in_and_never_the_same_region() {
    let three = scheme(Some(places(3)), Some(places(3)));
    let one = scheme(Some(places(1)), Some(places(1)));
    let by_score = |least, bound| {
        let of = |hundredths| {
            Some(Rule {
                places: None,
                score: Some(score(hundredths)),
            })
        };
        scheme(of(least), of(bound))
    };
    for (scheme, started, red, black) in [
        (&one, &[5, 5, 3, 1, 1][..], &[0, 1][..], &[3, 4][..]),
        (&three, &[9, 7, 5, 3, 1, 0], &[0, 1, 2], &[3, 4, 5]),
        // Too few to part: who would be on both is on neither, the first is red and the last black.
        (&three, &[9, 5, 1], &[0], &[2]),
        (&three, &[9, 1], &[0], &[1]),
        (&three, &[9, 5, 0, 0, 0], &[0, 1], &[2, 3, 4]),
        // Nothing to compare.
        (&three, &[5, 5, 5], &[], &[]),
        (&three, &[5], &[], &[]),
        (&three, &[0, 0], &[], &[]),
        (&three, &[], &[], &[]),
        (
            &by_score(9_000, 5_000),
            &[100, 90, 89, 50, 49],
            &[0, 1],
            &[4],
        ),
        (&by_score(5_000, 9_000), &[100, 90, 60, 10], &[0, 1], &[3]),
        (&by_score(0, 10_000), &[100, 90, 60, 10], &[0], &[3]),
    ] {
        let expected = (red.to_vec(), black.to_vec());
        assert_eq!(lists(scheme, started), expected, "{started:?}");
    }
    let both = Rule {
        places: Some(3),
        score: Some(score(9_000)),
    };
    assert_eq!(
        lists(&scheme(Some(both), None), &[100, 95, 50, 1]).0,
        [0, 1]
    );
    assert_eq!(lists(&scheme(None, None), &[100, 95]), (vec![], vec![]));
}

#[test]
fn a_change_of_rank_is_up_where_the_number_falls() {
    assert_eq!(change(Some(4), Some(1)), Some(3));
    assert_eq!(change(Some(1), Some(2)), Some(-1));
    assert_eq!(change(None, Some(2)), None);
    assert_eq!(change(Some(2), None), None);
}

#[test]
fn amounts_beyond_all_building_are_not_told_wrong() {
    assert_eq!(Ratio::new(i128::MAX, 1), None);
    assert_eq!(Ratio::new(1, i128::MAX), None);
    assert_eq!(Ratio::new(-1, 1), None);
    assert_eq!(Ratio::new(1, 0), None);
    // A million projects of the greatest amount, per 亿元 of as much.
    let most = 10_i128.pow(23);
    let mut of = figures(Line::New, measures(&[most], 0));
    of.stock = measures(&[most - 1], 0);
    let started = item(
        Indicator::Started,
        Measure::Investment,
        1,
        Basis::Investment,
    );
    assert_eq!(shown(started, &of).1, "100000000.0000");
}

proptest! {
    #[test]
    fn a_score_is_a_hundred_times_the_value_by_the_best(
        numbers in prop::collection::vec((0..1_000_000_i128, 1..1_000_000_i128), 1..8),
    ) {
        let ratios: Vec<Ratio> = numbers.iter().map(|(n, d)| Ratio::new(*n, *d).unwrap()).collect();
        let scheme = Scheme::new(vec![count(Indicator::Started, 1)], None, None, 6).unwrap();
        let regions: Vec<_> = ratios.iter().map(|ratio| vec![Reading::Known(*ratio)]).collect();
        let standings = rank(&scheme, &regions);
        let (best_n, best_d) = *numbers.iter().max_by(|a, b| (a.0 * b.1).cmp(&(b.0 * a.1))).unwrap();
        for ((n, d), standing) in numbers.iter().zip(&standings) {
            let expected = (best_n > 0).then(|| {
                let (part, of) = (n * best_d * 10_000, d * best_n);
                (2 * part + of) / (2 * of)
            });
            prop_assert_eq!(standing.total.map(|total| i128::from(total.hundredths())), expected);
        }
    }

    #[test]
    fn ratios_are_ordered_as_cross_products_are(a in (0..1_i128 << 60, 1..1_i128 << 60), b in (0..1_i128 << 60, 1..1_i128 << 60)) {
        let (one, other) = (Ratio::new(a.0, a.1).unwrap(), Ratio::new(b.0, b.1).unwrap());
        prop_assert_eq!(one.cmp(&other), (a.0 * b.1).cmp(&(b.0 * a.1)));
    }

    #[test]
    fn ranks_and_lists_go_by_the_totals(
        started in prop::collection::vec((0..6_i128, 0..4_i128), 0..10), red in 1..4_u32, black in 1..4_u32,
    ) {
        let standings = ranked(&scheme(Some(places(red)), Some(places(black))), &started);
        for one in &standings {
            prop_assert!(!(one.is_red && one.is_black));
            let higher = standings.iter().filter(|other| other.total > one.total).count();
            prop_assert_eq!(one.rank.map(|rank| usize::try_from(rank).unwrap()), one.total.map(|_| higher + 1));
            for other in standings.iter().filter(|other| other.total == one.total) {
                prop_assert_eq!((one.is_red, one.is_black), (other.is_red, other.is_black));
            }
            for other in standings.iter().filter(|other| other.total > one.total) {
                // Nobody is shamed while a lower one is praised.
                prop_assert!(!(one.is_red && other.is_black));
            }
            let scored: Vec<_> = one.scores.iter().zip([2_u64, 1]).filter_map(|((_, s), w)| Some((w, (*s)?))).collect();
            let weights: u64 = scored.iter().map(|(weight, _)| weight).sum();
            let sum: u64 = scored.iter().map(|(weight, score)| weight * u64::from(score.hundredths())).sum();
            let mean = (2 * sum + weights).checked_div(2 * weights);
            prop_assert_eq!(one.total.map(|total| u64::from(total.hundredths())), mean);
        }
    }

    #[test]
    fn every_period_is_read_back_and_follows_the_one_before(year in 1949..=2200_i32, number in 1..=16_u32) {
        let text = if number <= 12 { format!("{year}-{number:02}") } else { format!("{year}-Q{}", number - 12) };
        let period = Period::parse(&text).unwrap();
        prop_assert_eq!(period.to_string(), text);
        if let Some(previous) = period.previous() {
            prop_assert_eq!(previous.last().succ_opt(), Some(period.first()));
        }
    }
}
