use proptest::prelude::*;

use super::*;
use crate::stage::{Condition, exits};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn registered(moves: &[(Move, &str)]) -> Course {
    course(
        Entry::Registered {
            on: day("2019-05-01"),
        },
        moves,
    )
}

fn course(entry: Entry, moves: &[(Move, &str)]) -> Course {
    Course {
        entry,
        moves: moves.iter().map(|&(kind, on)| (kind, day(on))).collect(),
        signed_on: None,
        landed_on: None,
        funds_approved_on: None,
        planned_start_on: None,
        commissioned_on: None,
        at_capacity_on: None,
    }
}

fn taken_over(stage: Stage, started_on: Option<&str>, completed_on: Option<&str>) -> Entry {
    Entry::TakenOver {
        stage,
        since: None,
        started_on: started_on.map(day),
        completed_on: completed_on.map(day),
        on: day("2025-03-01"),
    }
}

/// The years between 2018 and 2030 in which a course stands in a line.
fn years(course: &Course, line: Line) -> Vec<i32> {
    let spans = spans(course);
    (2018..=2030)
        .filter(|&year| {
            spans
                .iter()
                .any(|span| span.line == line && stands(span, year))
        })
        .collect()
}

fn previous(course: &Course) -> Vec<(Line, i32, Option<i32>)> {
    spans(course)
        .iter()
        .filter(|span| counts_as_works(span.line))
        .map(|span| (span.line, span.from, span.previous))
        .collect()
}

#[test]
fn what_starts_in_a_year_is_new_in_it_and_carried_over_in_the_next() {
    let course = registered(&[
        (Move::Attraction, "2020-02-01"),
        (Move::Construction, "2022-01-01"),
        (Move::Completion, "2025-12-31"),
    ]);
    assert_eq!(years(&course, Line::Planned), [2019]);
    assert_eq!(years(&course, Line::New), [2022]);
    assert_eq!(years(&course, Line::Continued), [2023, 2024, 2025]);
    assert_eq!(years(&course, Line::Completed), [2025]);
}

#[test]
fn what_starts_and_is_completed_in_a_year_counts_once_in_each() {
    let course = registered(&[
        (Move::Attraction, "2024-01-02"),
        (Move::Construction, "2024-03-01"),
        (Move::Completion, "2024-11-01"),
    ]);
    assert_eq!(years(&course, Line::New), [2024]);
    assert_eq!(years(&course, Line::Completed), [2024]);
    assert_eq!(years(&course, Line::Continued), Vec::<i32>::new());
}

#[test]
fn held_for_the_whole_year_is_not_carried_over_held_for_a_part_of_it_is() {
    let course = registered(&[
        (Move::Attraction, "2020-02-01"),
        (Move::Construction, "2021-06-01"),
        (Move::Suspended, "2022-01-01"),
        (Move::Resumed, "2024-12-31"),
        (Move::Suspended, "2026-02-01"),
    ]);
    assert_eq!(years(&course, Line::New), [2021]);
    assert_eq!(years(&course, Line::Continued), [2024, 2025, 2026]);
}

#[test]
fn withdrawn_in_the_year_still_counts_and_is_told_apart() {
    let course = registered(&[
        (Move::Attraction, "2020-02-01"),
        (Move::Construction, "2021-06-01"),
        (Move::Withdrawn, "2023-01-01"),
        (Move::Planning, "2023-04-01"),
        (Move::Attraction, "2023-05-01"),
        (Move::Construction, "2025-05-01"),
    ]);
    assert_eq!(years(&course, Line::New), [2021, 2025]);
    assert_eq!(
        years(&course, Line::Continued),
        [2022, 2023, 2026, 2027, 2028, 2029, 2030]
    );
    assert_eq!(years(&course, Line::Withdrawn), [2023]);
    assert_eq!(
        previous(&course),
        [
            (Line::New, 2021, None),
            (Line::New, 2025, Some(2023)),
            (Line::Continued, 2022, Some(2021)),
            (Line::Continued, 2026, Some(2025)),
        ]
    );
}

#[test]
fn withdrawn_while_held_all_year_was_not_under_way_in_it() {
    let course = registered(&[
        (Move::Attraction, "2020-02-01"),
        (Move::Construction, "2021-06-01"),
        (Move::Suspended, "2022-07-01"),
        (Move::Withdrawn, "2023-08-01"),
    ]);
    assert_eq!(years(&course, Line::Continued), [2022]);
    assert_eq!(years(&course, Line::Withdrawn), Vec::<i32>::new());
}

#[test]
fn who_is_carried_over_and_starts_anew_in_one_year_can_be_told_to_be_one() {
    let course = registered(&[
        (Move::Attraction, "2020-02-01"),
        (Move::Construction, "2021-06-01"),
        (Move::Withdrawn, "2022-02-01"),
        (Move::Planning, "2022-02-02"),
        (Move::Attraction, "2022-03-01"),
        (Move::Construction, "2022-10-01"),
    ]);
    assert_eq!(
        previous(&course),
        [
            (Line::New, 2021, None),
            (Line::New, 2022, Some(2022)),
            (Line::Continued, 2022, Some(2021)),
            (Line::Continued, 2023, Some(2022)),
        ]
    );
}

#[test]
fn an_unknown_start_is_told_until_the_project_is_known_to_be_started() {
    let course = course(
        taken_over(Stage::Construction, None, None),
        &[(Move::Completion, "2027-02-01")],
    );
    assert_eq!(years(&course, Line::New), Vec::<i32>::new());
    assert_eq!(
        years(&course, Line::StartUnknown),
        (2018..=2025).collect::<Vec<_>>()
    );
    assert_eq!(years(&course, Line::Continued), [2026, 2027]);
    assert_eq!(years(&course, Line::Completed), [2027]);
}

#[test]
fn an_unknown_completion_is_told_and_never_guessed() {
    let known_start = course(taken_over(Stage::Completion, Some("2021-04-01"), None), &[]);
    assert_eq!(years(&known_start, Line::New), [2021]);
    assert_eq!(
        years(&known_start, Line::CompletionUnknown),
        (2021..=2025).collect::<Vec<_>>()
    );
    assert_eq!(years(&known_start, Line::Continued), Vec::<i32>::new());
    let nothing_known = course(taken_over(Stage::Completion, None, None), &[]);
    for line in [Line::StartUnknown, Line::CompletionUnknown] {
        assert_eq!(
            years(&nothing_known, line),
            (2018..=2025).collect::<Vec<_>>()
        );
    }
    let known_end = course(taken_over(Stage::Completion, None, Some("2023-04-01")), &[]);
    assert_eq!(
        years(&known_end, Line::StartUnknown),
        (2018..=2023).collect::<Vec<_>>()
    );
    assert_eq!(years(&known_end, Line::Completed), [2023]);
}

#[test]
fn a_start_that_was_planned_is_met_by_the_end_of_its_year() {
    let planned = |on: &str| Course {
        planned_start_on: Some(day(on)),
        ..registered(&[
            (Move::Attraction, "2020-02-01"),
            (Move::Construction, "2021-06-01"),
        ])
    };
    for (on, met) in [
        ("2020-12-01", vec![]),
        ("2021-03-01", vec![2021]),
        ("2022-01-01", vec![2022]),
    ] {
        let course = planned(on);
        assert_eq!(years(&course, Line::StartPlanned), [day(on).year()]);
        assert_eq!(years(&course, Line::StartMet), met, "{on}");
    }
}

#[test]
fn works_that_were_given_up_before_do_not_meet_a_later_plan() {
    let planned = |on: &str| Course {
        planned_start_on: Some(day(on)),
        ..registered(&[
            (Move::Attraction, "2020-02-01"),
            (Move::Construction, "2021-06-01"),
            (Move::Withdrawn, "2022-03-01"),
            (Move::Planning, "2023-01-01"),
        ])
    };
    for (on, met) in [
        ("2021-09-01", vec![2021]),
        ("2022-09-01", vec![2022]),
        ("2025-09-01", vec![]),
    ] {
        assert_eq!(years(&planned(on), Line::StartMet), met, "{on}");
    }
}

#[test]
fn months_from_signing_to_landing_are_counted_by_the_day() {
    let after = |landed: Option<&str>| {
        let course = Course {
            signed_on: Some(day("2024-01-31")),
            landed_on: landed.map(day),
            ..registered(&[])
        };
        let spans = spans(&course);
        spans
            .iter()
            .find(|span| span.line == Line::Signed)
            .unwrap()
            .landed_after
    };
    assert_eq!(after(None), None);
    for (landed, months) in [
        ("2024-01-31", 0),
        ("2024-01-05", 0),
        ("2024-02-29", 1),
        ("2024-03-01", 2),
        ("2024-07-31", 6),
        ("2024-08-01", 7),
    ] {
        assert_eq!(after(Some(landed)), Some(months), "{landed}");
    }
}

#[test]
fn codes_of_lines_are_read_back() {
    for &line in Line::ALL {
        assert_eq!(Line::from_code(line.code()), Some(line));
    }
}

/// Any moves that the table allows, on days that never go back.
fn any_course() -> impl Strategy<Value = Course> {
    proptest::collection::vec((any::<u8>(), 0_u64..500), 0..14).prop_map(|steps| {
        let mut on = day("2019-01-01");
        let (mut stage, mut condition) = (Stage::Planning, Condition::Active);
        let mut moves = Vec::new();
        for (choice, days) in steps {
            let allowed = exits(stage, condition);
            let Some(&kind) = allowed.get(usize::from(choice) % allowed.len().max(1)) else {
                break;
            };
            // Often the very first day of a year, where the rules are the finest.
            on = on + chrono::Days::new(days);
            if choice > 200 {
                on = NaiveDate::from_ymd_opt(on.year() + 1, 1, 1).unwrap();
            }
            match kind {
                Move::Suspended => condition = Condition::Suspended,
                Move::Resumed => condition = Condition::Active,
                Move::Withdrawn => condition = Condition::Withdrawn,
                Move::Planning => (stage, condition) = (Stage::Planning, Condition::Active),
                Move::Attraction | Move::Construction | Move::Completion | Move::Corrected => {
                    stage = kind.step_to().unwrap();
                }
            }
            moves.push((kind, on));
        }
        Course {
            moves,
            ..registered(&[])
        }
    })
}

/// The rule as the plan words it, day by day.
fn by_the_rule(course: &Course, year: i32) -> (bool, bool, bool, bool) {
    let new_year = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let last_day = NaiveDate::from_ymd_opt(year, 12, 31).unwrap();
    let (mut stage, mut condition) = (Stage::Planning, Condition::Active);
    let mut step = |kind: Move| match kind {
        Move::Suspended => condition = Condition::Suspended,
        Move::Resumed => condition = Condition::Active,
        Move::Withdrawn => condition = Condition::Withdrawn,
        Move::Planning => (stage, condition) = (Stage::Planning, Condition::Active),
        Move::Attraction | Move::Construction | Move::Completion | Move::Corrected => {
            stage = kind.step_to().unwrap();
        }
    };
    let before = course.moves.iter().filter(|(_, on)| *on < new_year);
    before.for_each(|(kind, _)| step(*kind));
    let (stage, condition) = (stage, condition);
    let within: Vec<_> = course
        .moves
        .iter()
        .filter(|(_, on)| (new_year..=last_day).contains(on))
        .collect();
    let is_started = stage == Stage::Construction && condition != Condition::Withdrawn;
    let held_on_new_year = if condition == Condition::Suspended {
        // Unless it goes on again in the year.
        true
    } else {
        within
            .first()
            .is_some_and(|(kind, on)| *kind == Move::Suspended && *on == new_year)
    };
    // A resumption only says that these works were at work if it is theirs.
    let resumed = within
        .iter()
        .take_while(|(kind, _)| *kind != Move::Withdrawn)
        .any(|(kind, _)| *kind == Move::Resumed);
    let continued = is_started && (!held_on_new_year || resumed);
    let new = within.iter().any(|(kind, _)| *kind == Move::Construction);
    let completed = within.iter().any(|(kind, _)| *kind == Move::Completion);
    let mut under_way = continued;
    let mut withdrawn = false;
    for (kind, _) in &within {
        under_way |= *kind == Move::Construction;
        withdrawn |= *kind == Move::Withdrawn && under_way;
    }
    (new, continued, completed, withdrawn)
}

proptest! {
    #[test]
    fn every_year_is_as_the_rule_says(course in any_course()) {
        let spans = spans(&course);
        for year in 2018..=2045 {
            let stands_in = |line| spans.iter().any(|span| span.line == line && stands(span, year));
            let told = (
                stands_in(Line::New),
                stands_in(Line::Continued),
                stands_in(Line::Completed),
                stands_in(Line::Withdrawn),
            );
            prop_assert_eq!(told, by_the_rule(&course, year), "{}: {:?}", year, course);
        }
    }

    /// Over several years a project counts once, by the years that its spans tell.
    #[test]
    fn a_project_is_counted_once_over_several_years(course in any_course(), a in 2018_i32..2032, more in 0_i32..8) {
        let b = a + more;
        let spans = spans(&course);
        let works: Vec<_> = spans.iter().filter(|span| counts_as_works(span.line)).collect();
        let in_any = (a..=b).any(|year| works.iter().any(|span| stands(span, year)));
        let counted = works
            .iter()
            .filter(|span| {
                let is_first = span.previous.is_none_or(|previous| previous < a);
                if span.from < a { stands(span, a) } else { span.from <= b && is_first }
            })
            .count();
        prop_assert_eq!(counted, usize::from(in_any), "{:?}", spans);
    }
}
