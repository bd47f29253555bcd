//! Attainment on the days on which it turns.

use super::super::tests::{FIVE_YEARS, quantity, target};
use super::super::{Metric, TargetUnit};
use super::*;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn projects(count: i128) -> Total {
    Total::from_fen(count * 100)
}

fn told(target: &Target, attained: i128, today: &str) -> Attainment {
    let reached = Reached {
        attained: projects(attained),
        ..Reached::default()
    };
    attainment(target, reached, day(today))
}

/// 600 projects in a year.
fn year(year: i32) -> Target {
    Target {
        period: Period::year(year),
        value: quantity("600"),
        ..target("t")
    }
}

#[test]
fn a_year_is_over_day_by_day() {
    let of_2025 = year(2025);
    for (today, elapsed, expected) in [
        ("2024-12-31", "0.00", "0.00"),
        ("2025-01-01", "0.27", "1.00"),
        ("2025-03-31", "24.65", "147.00"),
        ("2025-12-30", "99.72", "598.00"),
        ("2025-12-31", "100.00", "600.00"),
        ("2026-01-01", "100.00", "600.00"),
        ("2030-05-05", "100.00", "600.00"),
    ] {
        let told = told(&of_2025, 0, today);
        assert_eq!(told.elapsed.to_string(), elapsed, "{today}");
        assert_eq!(told.expected.to_string(), expected, "{today}");
    }
}

#[test]
fn a_leap_year_has_a_day_more() {
    // The 60th day of 366, and of 365.
    assert_eq!(
        told(&year(2024), 0, "2024-02-29").elapsed.to_string(),
        "16.39"
    );
    assert_eq!(
        told(&year(2025), 0, "2025-03-01").elapsed.to_string(),
        "16.43"
    );
    assert_eq!(
        told(&year(2024), 0, "2024-12-30").elapsed.to_string(),
        "99.72"
    );
    assert_eq!(
        told(&year(2024), 0, "2024-12-31").elapsed.to_string(),
        "100.00"
    );
    assert_eq!(
        [days_of(1900), days_of(2000), days_of(2100)],
        [365, 366, 365]
    );
}

#[test]
fn five_years_with_a_leap_year_among_them_have_1826_days() {
    let five = Target {
        period: FIVE_YEARS,
        value: quantity("1826"),
        ..target("t")
    };
    for (today, expected) in [
        ("2020-12-31", "0.00"),
        ("2021-01-01", "1.00"),
        ("2023-12-31", "1095.00"),
        ("2024-02-29", "1155.00"),
        ("2024-12-31", "1461.00"),
        ("2025-12-31", "1826.00"),
    ] {
        assert_eq!(told(&five, 0, today).expected.to_string(), expected);
    }
}

#[test]
fn it_stands_where_the_day_and_the_count_put_it() {
    use AttainmentState::{Behind, Missed, NotBegun, OnPace, Reached};
    let of_2025 = year(2025);
    for (today, attained, state, ahead, missing) in [
        ("2024-12-31", 0, NotBegun, "0.00", "600.00"),
        ("2024-12-31", 700, NotBegun, "700.00", "0.00"),
        ("2025-01-01", 0, Behind, "-1.00", "600.00"),
        ("2025-01-01", 1, OnPace, "0.00", "599.00"),
        ("2025-03-31", 146, Behind, "-1.00", "454.00"),
        ("2025-03-31", 147, OnPace, "0.00", "453.00"),
        ("2025-03-31", 600, Reached, "453.00", "0.00"),
        ("2025-12-31", 599, Behind, "-1.00", "1.00"),
        ("2025-12-31", 600, Reached, "0.00", "0.00"),
        ("2026-01-01", 599, Missed, "-1.00", "1.00"),
        ("2026-01-01", 601, Reached, "1.00", "0.00"),
    ] {
        let told = told(&of_2025, attained, today);
        assert_eq!(told.state, state, "{today} {attained}");
        assert_eq!(told.ahead.to_string(), ahead, "{today} {attained}");
        assert_eq!(told.missing.to_string(), missing, "{today} {attained}");
    }
}

#[test]
fn the_pace_so_far_tells_what_the_end_will_be() {
    let of_2025 = year(2025);
    let forecast = |attained, today| {
        let forecast = told(&of_2025, attained, today).forecast;
        forecast.map(|total| total.to_string())
    };
    assert_eq!(forecast(5, "2024-12-31"), None);
    assert_eq!(forecast(1, "2025-01-01"), Some("365.00".to_owned()));
    assert_eq!(forecast(0, "2025-06-30"), Some("0.00".to_owned()));
    // 100 × 365 / 181 is 201.65…: there is no part of a project.
    assert_eq!(forecast(100, "2025-06-30"), Some("201.00".to_owned()));
    assert_eq!(forecast(599, "2025-12-31"), Some("599.00".to_owned()));
    assert_eq!(forecast(601, "2026-06-30"), Some("601.00".to_owned()));
}

#[test]
fn the_rate_is_exact_and_never_rounded_up_to_all_of_it() {
    let rate = |attained, value| {
        let some = Target {
            value: quantity(value),
            ..target("t")
        };
        told(&some, attained, "2025-06-30")
            .rate
            .map(|rate| rate.to_string())
    };
    assert_eq!(rate(0, "600"), Some("0.00".to_owned()));
    assert_eq!(rate(1, "3"), Some("33.33".to_owned()));
    assert_eq!(rate(99_999, "100000"), Some("99.99".to_owned()));
    assert_eq!(rate(100_000, "100000"), Some("100.00".to_owned()));
    assert_eq!(rate(150, "100"), Some("150.00".to_owned()));
    assert_eq!(rate(1, "0"), None);
}

#[test]
fn a_goal_of_nothing_is_reached_and_has_no_rate() {
    let nothing = Target {
        value: quantity("0"),
        ..target("t")
    };
    let told = told(&nothing, 0, "2025-01-01");
    assert_eq!(told.state, AttainmentState::Reached);
    assert_eq!((told.rate, told.missing), (None, Total::ZERO));
}

#[test]
fn a_months_plan_spreads_the_year() {
    let scheduled = Target {
        schedule: Some(Schedule::new(&[0, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]).unwrap()),
        ..year(2024)
    };
    for (today, elapsed, expected) in [
        ("2024-01-31", "0.00", "0.00"),
        ("2024-02-29", "0.00", "0.00"),
        ("2024-03-01", "0.32", "1.00"),
        ("2024-03-31", "10.00", "60.00"),
        ("2024-04-15", "15.00", "90.00"),
        ("2024-12-31", "100.00", "600.00"),
    ] {
        let told = told(&scheduled, 0, today);
        assert_eq!(told.elapsed.to_string(), elapsed, "{today}");
        assert_eq!(told.expected.to_string(), expected, "{today}");
    }
    // Nothing was to be done yet, so there is no pace.
    assert_eq!(told(&scheduled, 3, "2024-02-29").forecast, None);
    assert_eq!(
        told(&scheduled, 3, "2024-02-29").state,
        AttainmentState::OnPace
    );
}

#[test]
fn a_months_plan_of_every_year_is_gone_through_each_year() {
    let each = Target {
        each_year: true,
        period: FIVE_YEARS,
        schedule: Some(Schedule::new(&[0, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]).unwrap()),
        ..target("t")
    };
    for (today, expected) in [
        ("2021-03-31", "10.00"),
        ("2022-02-28", "100.00"),
        ("2022-03-31", "110.00"),
        ("2025-12-31", "500.00"),
    ] {
        assert_eq!(told(&each, 0, today).expected.to_string(), expected);
    }
}

#[test]
fn money_is_told_to_the_hundredth() {
    let invested = Target {
        metric: Metric::CompletedInvestment,
        unit: TargetUnit::Yuan,
        value: quantity("1000.00"),
        ..target("t")
    };
    let reached = Reached {
        attained: Total::from_fen(12_345),
        may_belong: 4,
        ..Reached::default()
    };
    let told = attainment(&invested, reached, day("2025-01-01"));
    assert_eq!(told.expected.to_string(), "2.73");
    assert_eq!(told.ahead.to_string(), "120.72");
    assert_eq!(told.forecast.unwrap().to_string(), "45059.25");
    assert_eq!(told.missing.to_string(), "876.55");
    assert_eq!(
        told.rate,
        Some(crate::rate::Percent::from_hundredths(1_234))
    );
    assert_eq!(told.may_belong, 4);
}

#[test]
fn a_growth_is_a_level_from_the_first_day_to_the_last() {
    let growth = Target {
        metric: Metric::Entered,
        unit: TargetUnit::Percent,
        value: quantity("10"),
        ..target("t")
    };
    let at = |hundredths, today| {
        let reached = Reached {
            attained: Total::from_fen(hundredths),
            ..Reached::default()
        };
        attainment(&growth, reached, day(today))
    };
    let low = at(800, "2025-02-01");
    assert_eq!(low.expected.to_string(), "10.00");
    assert_eq!(low.forecast.unwrap().to_string(), "8.00");
    assert_eq!(low.state, AttainmentState::Behind);
    assert_eq!(at(1000, "2025-02-01").state, AttainmentState::Reached);
    assert_eq!(at(0, "2024-02-01").forecast, None);
}

#[test]
fn what_was_carried_over_is_no_pace() {
    // 230 carried over and 10 begun by the 31st of 366 days, of 502.
    let under_construction = Target {
        metric: Metric::UnderConstruction,
        value: quantity("502"),
        ..year(2024)
    };
    let reached = Reached {
        attained: projects(240),
        carried: projects(230),
        may_belong: 0,
    };
    let told = attainment(&under_construction, reached, day("2024-01-31"));
    // 230 + 272 × 31 / 366, and 230 + 10 × 366 / 31.
    assert_eq!(told.expected.to_string(), "253.00");
    assert_eq!(told.forecast.unwrap().to_string(), "348.00");
    assert_eq!(told.state, AttainmentState::Behind);
    let before = attainment(&under_construction, reached, day("2023-12-31"));
    assert_eq!((before.expected, before.forecast), (Total::ZERO, None));
    // More was carried over than is wanted.
    let more = Reached {
        attained: projects(600),
        carried: projects(600),
        may_belong: 0,
    };
    let told = attainment(&under_construction, more, day("2024-01-31"));
    assert_eq!(told.expected.to_string(), "502.00");
    assert_eq!(told.forecast.unwrap().to_string(), "600.00");
}

#[test]
fn what_is_carried_over_is_there_from_the_first_day_and_grows_no_more() {
    let continued = Target {
        metric: Metric::Continued,
        value: quantity("234"),
        ..year(2025)
    };
    let told = told(&continued, 230, "2025-01-31");
    assert_eq!(told.expected.to_string(), "234.00");
    assert_eq!(told.ahead.to_string(), "-4.00");
    assert_eq!(told.forecast.unwrap().to_string(), "230.00");
    assert_eq!(told.state, AttainmentState::Behind);
    let each = Target {
        each_year: true,
        period: FIVE_YEARS,
        value: quantity("100"),
        ..continued
    };
    let told = self::told(&each, 300, "2023-06-30");
    assert_eq!(told.expected.to_string(), "300.00");
    assert_eq!(told.forecast.unwrap().to_string(), "500.00");
    assert_eq!(told.state, AttainmentState::OnPace);
}
