//! Targets that agree, and that don't.

use super::super::tests::{FIVE_YEARS, quantity, target};
use super::*;
use crate::region::{Region, RegionKind};

fn code(text: &str) -> RefCode {
    RefCode::parse(text).unwrap()
}

fn region(text: &str) -> RegionCode {
    RegionCode::parse(text).unwrap()
}

fn panjin() -> RegionTree {
    let some = |code, parent: Option<&str>| Region {
        code: region(code),
        name: code.to_owned(),
        kind: RegionKind::District,
        parent: parent.map(region),
        valid_from: None,
        valid_to: None,
    };
    RegionTree::new([
        some("211100", None),
        some("211103", Some("211100")),
        some("211104", Some("211100")),
        some("211100-ldw", Some("211100")),
    ])
    .unwrap()
}

fn sectors() -> BTreeMap<RefCode, RefCode> {
    ["粮食", "装备", "新兴"]
        .map(|sector| (code(sector), code("specialty")))
        .into()
}

fn checked(targets: &[Target]) -> Vec<Finding> {
    cascade(targets, &sectors(), &panjin())
}

/// A target of the five years, in projects.
fn of(name: &str, value: &str, from: Option<InvestmentTier>) -> Target {
    Target {
        period: FIVE_YEARS,
        value: quantity(value),
        from_tier: from,
        ..target(name)
    }
}

fn of_programme(programme: &str, value: &str) -> Target {
    Target {
        programme: Some(code(programme)),
        ..of(programme, value, Some(InvestmentTier::From100m))
    }
}

fn of_sector(sector: &str, value: &str) -> Target {
    Target {
        sector: Some(code(sector)),
        ..of(sector, value, Some(InvestmentTier::From100m))
    }
}

fn of_region(region_code: &str, value: &str) -> Target {
    Target {
        region: region(region_code),
        ..of(region_code, value, None)
    }
}

fn of_tier(tier: InvestmentTier, value: &str) -> Target {
    Target {
        up_to_tier: Some(tier),
        ..of(tier.code(), value, Some(tier))
    }
}

/// A finding in short: both kinds and sums, whether the thresholds differ, the difference, the verdict.
fn told(finding: &Finding) -> String {
    let side = |side: &Side| format!("{} {}", side.kind, side.sum);
    let thresholds = if finding.thresholds_differ { " !" } else { "" };
    format!(
        "{} / {}{thresholds}: {} {}",
        side(&finding.left),
        side(&finding.right),
        finding.difference,
        finding.verdict
    )
}

fn all_told(targets: &[Target]) -> Vec<String> {
    checked(targets).iter().map(told).collect()
}

/// The targets of the 十四五 plan for the number of projects.
fn panjin_counts() -> Vec<Target> {
    use InvestmentTier::{From1b, From5b, From5m, From10b, From100m};
    vec![
        of("whole", "1500", Some(From5m)),
        of_tier(From100m, "500"),
        of_tier(From1b, "50"),
        of_tier(From5b, "20"),
        of("from_10b", "10", Some(From10b)),
        of_programme("petrochemical", "180"),
        of_programme("specialty", "160"),
        of_programme("services", "80"),
        of_programme("infrastructure", "100"),
        of_programme("public-services", "60"),
        of_sector("粮食", "40"),
        of_sector("装备", "40"),
        of_sector("新兴", "80"),
    ]
}

#[test]
fn the_tiers_of_the_plan_equal_its_programmes() {
    let mut targets = panjin_counts();
    let expected = [
        "whole 1500.00 / tiers 580.00 !: 920.00 not_allotted",
        "tiers 580.00 / programmes 580.00: 0.00 equal",
        "whole 1500.00 / programmes 580.00 !: 920.00 not_allotted",
        "whole 160.00 / sectors 160.00: 0.00 equal",
    ];
    assert_eq!(all_told(&targets), expected);
    let findings = checked(&targets);
    let codes = |side: &Side| -> Vec<String> {
        let codes = side.targets.iter().map(|part| part.code.to_string());
        codes.collect()
    };
    assert_eq!(
        codes(&findings[1].left),
        ["from_100m", "from_1b", "from_5b", "from_10b"]
    );
    assert_eq!(findings[1].right.targets.len(), 5);
    assert_eq!(findings[1].left.from_tier, Some(InvestmentTier::From100m));
    assert_eq!(findings[3].programme, Some(code("specialty")));
    // The order in which they come does not matter.
    targets.reverse();
    assert_eq!(checked(&targets), findings);
}

#[test]
fn investment_that_no_programme_has_is_not_allotted() {
    let money = |targets: Vec<Target>| -> Vec<Target> {
        let of_money = |target: Target| Target {
            metric: Metric::CompletedInvestment,
            unit: TargetUnit::Yuan,
            ..target
        };
        targets.into_iter().map(of_money).collect()
    };
    let targets = money(vec![
        of("whole", "300000000000", Some(InvestmentTier::From5m)),
        of_programme("petrochemical", "200000000000"),
        of_programme("specialty", "30000000000"),
        of_programme("services", "20000000000"),
        of_programme("infrastructure", "20000000000"),
        of_programme("public-services", "10000000000"),
    ]);
    assert_eq!(
        all_told(&targets),
        ["whole 300000000000.00 / programmes 280000000000.00 !: 20000000000.00 not_allotted"]
    );
}

#[test]
fn regions_are_held_against_the_one_that_they_lie_in() {
    let mut targets = vec![
        of_region("211100", "20"),
        of_region("211103", "2"),
        of_region("211100-ldw", "15"),
    ];
    let expected = ["whole 20.00 / regions 17.00: 3.00 not_allotted"];
    assert_eq!(all_told(&targets), expected);
    targets.push(of_region("211104", "4"));
    let expected = ["whole 20.00 / regions 21.00: -1.00 exceeds"];
    assert_eq!(all_told(&targets), expected);
    // Without a whole there is nothing to hold them against.
    assert_eq!(checked(&targets[1..]), []);
}

#[test]
fn a_whole_of_higher_amounts_covers_no_lower_ones() {
    let targets = [
        of("whole", "50", Some(InvestmentTier::From1b)),
        of_programme("petrochemical", "60"),
    ];
    assert_eq!(checked(&targets), []);
}

#[test]
fn of_several_wholes_the_same_threshold_is_held_against_or_else_the_next_wider() {
    let any = of("any", "700", None);
    let low = of("low", "600", Some(InvestmentTier::From5m));
    let same = of("same", "125", Some(InvestmentTier::From100m));
    let part = of_programme("petrochemical", "125");
    let told = |targets: &[&Target]| {
        let targets: Vec<Target> = targets.iter().map(|target| (*target).clone()).collect();
        all_told(&targets)
    };
    assert_eq!(
        told(&[&any, &low, &same, &part]),
        ["whole 125.00 / programmes 125.00: 0.00 equal"]
    );
    assert_eq!(
        told(&[&any, &low, &part]),
        ["whole 600.00 / programmes 125.00 !: 475.00 not_allotted"]
    );
    assert_eq!(
        told(&[&any, &part]),
        ["whole 700.00 / programmes 125.00 !: 575.00 not_allotted"]
    );
}

#[test]
fn a_row_of_tiers_with_a_gap_or_without_a_top_is_none() {
    use InvestmentTier::{From1b, From5b, From10b, From100m};
    let whole = of("whole", "600", Some(From100m));
    let top = of("top", "10", Some(From10b));
    let gap = [
        whole.clone(),
        of_tier(From100m, "500"),
        of_tier(From5b, "20"),
        top.clone(),
    ];
    // What follows the gap goes up to the top, but covers less than the whole: nothing lower breaks off there.
    assert_eq!(
        all_told(&gap),
        ["whole 600.00 / tiers 30.00 !: 570.00 not_allotted"]
    );
    let no_top = [
        whole.clone(),
        of_tier(From100m, "500"),
        of_tier(From1b, "50"),
    ];
    assert_eq!(checked(&no_top), []);
    let wide = Target {
        up_to_tier: Some(From5b),
        ..of("wide", "80", Some(From1b))
    };
    let two_ways = [
        whole,
        of_tier(From100m, "500"),
        of_tier(From1b, "50"),
        of_tier(From5b, "20"),
        wide,
        top,
    ];
    let told = all_told(&two_ways);
    assert!(told.contains(&"whole 600.00 / tiers 580.00: 20.00 not_allotted".to_owned()));
    assert!(told.contains(&"whole 600.00 / tiers 590.00: 10.00 not_allotted".to_owned()));
    assert!(told.iter().any(|finding| finding.starts_with("tiers 5")));
}

#[test]
fn two_targets_for_the_same_are_held_against_each_other() {
    let twins = [of("a", "100", None), of("b", "120", None)];
    let expected = ["whole 100.00 / whole 120.00: -20.00 exceeds"];
    assert_eq!(all_told(&twins), expected);
}

#[test]
fn only_the_same_subject_is_compared() {
    let whole = of_region("211100", "20");
    let part = of_region("211103", "30");
    assert_eq!(checked(&[whole.clone(), part.clone()]).len(), 1);
    let others = [
        Target {
            plan: Text::parse("十三五").unwrap(),
            ..part.clone()
        },
        Target {
            period: Period::year(2025),
            ..part.clone()
        },
        Target {
            each_year: true,
            ..part.clone()
        },
        Target {
            metric: Metric::Completed,
            ..part.clone()
        },
        Target {
            name: Text::parse("实施项目").unwrap(),
            ..part.clone()
        },
        Target {
            kind: TargetKind::Actual,
            ..part.clone()
        },
    ];
    for other in others {
        assert_eq!(checked(&[whole.clone(), other.clone()]), [], "{other:?}");
    }
    // Growths of districts don't add up to the city's.
    let growth = |target: Target| Target {
        metric: Metric::Entered,
        unit: TargetUnit::Percent,
        ..target
    };
    assert_eq!(checked(&[growth(whole), growth(part)]), []);
}
