//! What is wrong with a target, and what it is of one year.

use super::*;

/// A target for the whole of Panjin in 2025, of 100 projects of any amount.
pub(super) fn target(code: &str) -> Target {
    Target {
        code: RefCode::parse(code).unwrap(),
        plan: Text::parse("十四五").unwrap(),
        region: RegionCode::parse("211100").unwrap(),
        programme: None,
        sector: None,
        from_tier: None,
        up_to_tier: None,
        period: Period::year(2025),
        each_year: false,
        metric: Metric::ProjectCount,
        name: Text::parse("项目个数").unwrap(),
        value: quantity("100"),
        unit: TargetUnit::Project,
        kind: TargetKind::Target,
        schedule: None,
        quote: None,
        source: None,
    }
}

pub(super) fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

pub(super) const FIVE_YEARS: Period = Period {
    from_year: 2021,
    to_year: 2025,
};

/// The faults by pointer and code.
fn faults(target: &Target) -> Vec<(&'static str, &'static str)> {
    let faults = target.faults();
    faults
        .iter()
        .map(|fault| (fault.pointer, fault.kind.code()))
        .collect()
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let wrong = Target {
        period: Period {
            from_year: 2201,
            to_year: 1948,
        },
        from_tier: Some(InvestmentTier::From1b),
        up_to_tier: Some(InvestmentTier::From5m),
        value: quantity("1.5"),
        unit: TargetUnit::Yuan,
        ..target("cascade")
    };
    let expected = [
        ("/code", "reserved_code"),
        ("/from_year", "year_out_of_range"),
        ("/to_year", "year_out_of_range"),
        ("/to_year", "period_out_of_order"),
        ("/unit", "unit_of_metric"),
        ("/up_to_tier", "tiers_out_of_order"),
    ];
    assert_eq!(faults(&wrong), expected);
    assert_eq!(faults(&target("t")), []);
}

#[test]
fn a_threshold_is_the_lower_bound_of_a_tier_that_plans_draw() {
    use InvestmentTier::{From1b, From5m, From10b, From100m, Under5m, Undetermined};
    for (from, up_to, expected) in [
        (None, None, vec![]),
        (Some(From5m), None, vec![]),
        (Some(From10b), None, vec![]),
        (Some(From100m), Some(From100m), vec![]),
        (Some(From100m), Some(From1b), vec![]),
        (Some(Under5m), None, vec![("/from_tier", "no_threshold")]),
        (
            Some(Undetermined),
            None,
            vec![("/from_tier", "no_threshold")],
        ),
        (
            Some(From5m),
            Some(Undetermined),
            vec![("/up_to_tier", "no_threshold")],
        ),
        (
            Some(From5m),
            Some(From10b),
            vec![("/up_to_tier", "open_at_the_top")],
        ),
        (None, Some(From5m), vec![("/up_to_tier", "needs_from_tier")]),
        (
            Some(From1b),
            Some(From100m),
            vec![("/up_to_tier", "tiers_out_of_order")],
        ),
    ] {
        let some = Target {
            from_tier: from,
            up_to_tier: up_to,
            ..target("t")
        };
        assert_eq!(faults(&some), expected, "{from:?} {up_to:?}");
    }
}

#[test]
fn each_metric_has_its_unit_and_an_entered_one_any() {
    for &metric in Metric::ALL {
        for &unit in TargetUnit::ALL {
            let some = Target {
                metric,
                unit,
                ..target("t")
            };
            let fits = match metric {
                Metric::Entered => true,
                Metric::CompletedInvestment => unit == TargetUnit::Yuan,
                Metric::ProjectCount
                | Metric::Planned
                | Metric::Signed
                | Metric::Landed
                | Metric::New
                | Metric::Continued
                | Metric::UnderConstruction
                | Metric::Completed
                | Metric::Commissioned
                | Metric::AtCapacity => unit == TargetUnit::Project,
            };
            assert_eq!(faults(&some).is_empty(), fits, "{metric} {unit}");
        }
    }
}

#[test]
fn projects_come_whole_and_money_to_the_hundredth() {
    let half = Target {
        value: quantity("1.50"),
        ..target("t")
    };
    assert_eq!(faults(&half), [("/value", "not_whole")]);
    let money = Target {
        metric: Metric::CompletedInvestment,
        unit: TargetUnit::Yuan,
        ..half
    };
    assert_eq!(faults(&money), []);
}

#[test]
fn a_value_for_every_year_needs_several_and_a_months_plan_a_single_one() {
    let each = Target {
        each_year: true,
        ..target("t")
    };
    assert_eq!(faults(&each), [("/each_year", "only_one_year")]);
    let months = Schedule::new(&[0, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]).unwrap();
    let scheduled = |each_year, period| Target {
        each_year,
        period,
        schedule: Some(months),
        ..target("t")
    };
    let faults_of = |each_year, period| faults(&scheduled(each_year, period));
    assert_eq!(faults_of(false, Period::year(2025)), []);
    assert_eq!(faults_of(true, FIVE_YEARS), []);
    assert_eq!(
        faults_of(false, FIVE_YEARS),
        [("/schedule", "schedule_of_years")]
    );
}

#[test]
fn a_months_plan_rises_to_all_of_it_by_december() {
    let mut percents = [0, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100];
    assert_eq!(
        Schedule::new(&percents).unwrap().percents().map(i64::from),
        percents
    );
    assert_eq!(Schedule::new(&percents[1..]), Err(ScheduleFault::NotTwelve));
    percents[11] = 99;
    assert_eq!(
        Schedule::new(&percents),
        Err(ScheduleFault::NotAllByDecember)
    );
    for (month, wrong) in [(3, 9), (3, -1), (11, 101), (0, 1000)] {
        let mut percents = percents;
        percents[month] = wrong;
        assert_eq!(Schedule::new(&percents), Err(ScheduleFault::OutOfOrder));
    }
}

#[test]
fn a_value_is_a_number_with_two_decimals_and_never_negative() {
    for (text, told) in [
        ("0", "0.00"),
        ("1500", "1500.00"),
        ("20.2", "20.20"),
        ("1000000000000000.00", "1000000000000000.00"),
    ] {
        assert_eq!(quantity(text).to_string(), told);
    }
    for text in [
        "",
        "-1",
        "1.234",
        "1e3",
        "一百",
        "1,000",
        "1000000000000000.01",
    ] {
        assert_eq!(Quantity::parse(text), None, "{text}");
    }
    assert_eq!(Quantity::from_hundredths(-1), None);
    assert_eq!(
        Quantity::from_hundredths(150).map(Quantity::hundredths),
        Some(150)
    );
}

#[test]
fn the_goal_of_a_value_for_every_year_is_the_sum_of_the_years() {
    let each = Target {
        each_year: true,
        period: FIVE_YEARS,
        ..target("t")
    };
    assert_eq!(each.goal().to_string(), "500.00");
    let once = Target {
        each_year: false,
        ..each.clone()
    };
    assert_eq!(once.goal().to_string(), "100.00");
    let level = Target {
        metric: Metric::Entered,
        unit: TargetUnit::Percent,
        ..each
    };
    assert_eq!(level.goal().to_string(), "100.00");
}

#[test]
fn a_year_has_the_target_that_is_its_own_or_every_years() {
    let each = Target {
        each_year: true,
        period: FIVE_YEARS,
        ..target("t")
    };
    for year in 2020..=2026 {
        let of_year = each.in_year(year);
        assert_eq!(of_year.is_some(), (2021..=2025).contains(&year), "{year}");
        if let Some(of_year) = of_year {
            assert_eq!(of_year.period, Period::year(year));
            assert_eq!(of_year.goal().to_string(), "100.00");
            assert_eq!(faults(&of_year), []);
        }
    }
    let five = Target {
        each_year: false,
        ..each
    };
    assert_eq!(five.in_year(2025), None);
    assert!(target("t").in_year(2025).is_some());
    assert_eq!(target("t").in_year(2024), None);
}

#[test]
fn codes_are_read_back() {
    for &metric in Metric::ALL {
        assert_eq!(Metric::from_code(metric.code()), Some(metric));
    }
    for &unit in TargetUnit::ALL {
        assert_eq!(TargetUnit::from_code(unit.code()), Some(unit));
    }
    assert_eq!(TargetKind::from_code("Target"), None);
}
