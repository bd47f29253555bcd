//! Whether targets agree that break the same thing down (目标分解): by tier, by programme, by sector, by region.

use std::collections::BTreeMap;

use super::{MAX_PLAN, Metric, Period, Quantity, Target, TargetKind, TargetUnit};
use crate::coded::coded_enum;
use crate::money::Total;
use crate::project::{MAX_NAME, RefCode};
use crate::region::{RegionCode, RegionTree};
use crate::text::Text;
use crate::tier::InvestmentTier;

coded_enum! {
    /// What one side of a comparison is (分解方式).
    pub enum SideKind {
        /// A single target.
        Whole => "whole", "总目标", "the whole";
        /// Targets of tiers that follow each other up to the top.
        Tiers => "tiers", "分档", "by tier";
        /// Targets of programmes.
        Programmes => "programmes", "分工程", "by programme";
        /// Targets of one programme's sectors.
        Sectors => "sectors", "分行业", "by sector";
        /// Targets of the regions right within it.
        Regions => "regions", "分地区", "by region";
    }
}

coded_enum! {
    /// What comes of a comparison (核对结果).
    pub enum Verdict {
        /// Both sides come to the same.
        Equal => "equal", "一致", "equal";
        /// The right side comes to less: so much is not allotted.
        NotAllotted => "not_allotted", "未分解", "not allotted";
        /// The right side comes to more.
        Exceeds => "exceeds", "超出", "exceeds";
    }
}

/// One target on a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its code.
    pub code: RefCode,
    /// Its value.
    pub value: Quantity,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// What it is.
    pub kind: SideKind,
    /// The lowest tier that it covers; none for any amount.
    pub from_tier: Option<InvestmentTier>,
    /// Its targets.
    pub targets: Vec<Part>,
    /// What they come to, in hundredths of the unit.
    pub sum: Total,
}

/// A comparison of targets that cover the same, or nearly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The plan that sets them.
    pub plan: Text<MAX_PLAN>,
    /// Their years.
    pub period: Period,
    /// Whether they are for every year of it.
    pub each_year: bool,
    /// What they count.
    pub metric: Metric,
    /// What the plan calls it.
    pub name: Text<MAX_NAME>,
    /// Their unit.
    pub unit: TargetUnit,
    /// Where.
    pub region: RegionCode,
    /// Of which programme; none for all of them.
    pub programme: Option<RefCode>,
    /// Of which sector; none for all of them.
    pub sector: Option<RefCode>,
    /// The highest tier that both cover; none for all above the lowest.
    pub up_to_tier: Option<InvestmentTier>,
    /// The whole, where one is compared.
    pub left: Side,
    /// What breaks it down.
    pub right: Side,
    /// Whether the left side also covers lower amounts, so that both need not come to the same.
    pub thresholds_differ: bool,
    /// The left side less the right one, in hundredths of the unit.
    pub difference: Total,
    /// What comes of it.
    pub verdict: Verdict,
}

/// What targets have to share to be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Subject<'t> {
    plan: &'t Text<MAX_PLAN>,
    period: Period,
    each_year: bool,
    metric: Metric,
    name: &'t Text<MAX_NAME>,
    unit: TargetUnit,
}

/// What a target covers. The lower threshold stands last: those that differ only in it lie side by side, the widest
/// first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Coverage {
    region: RegionCode,
    programme: Option<RefCode>,
    sector: Option<RefCode>,
    up_to: Option<InvestmentTier>,
    from: Option<InvestmentTier>,
}

/// The targets of one subject by what they cover; of several that cover the same, by code.
type Wholes<'t> = BTreeMap<Coverage, Vec<&'t Target>>;

/// Compares the targets that break each other down. Each way of breaking something down is held against the target
/// that covers the same (of thresholds, the same or the next wider one), and against the other ways. `programme_of`
/// says under which programme a sector is told. Entered actuals, and levels that don't add up, are left out.
#[must_use]
pub fn cascade(
    targets: &[Target],
    programme_of: &BTreeMap<RefCode, RefCode>,
    regions: &RegionTree,
) -> Vec<Finding> {
    let mut subjects: BTreeMap<Subject<'_>, Wholes<'_>> = BTreeMap::new();
    let mut sorted: Vec<&Target> = targets
        .iter()
        .filter(|target| target.kind == TargetKind::Target && target.unit.adds_up())
        .collect();
    sorted.sort_by_key(|target| &target.code);
    for target in sorted {
        let covered = Coverage {
            region: target.region.clone(),
            programme: target.programme.clone().or_else(|| {
                let sector = target.sector.as_ref()?;
                programme_of.get(sector).cloned()
            }),
            sector: target.sector.clone(),
            up_to: target.up_to_tier,
            from: target.from_tier,
        };
        let wholes = subjects.entry(Subject::of(target)).or_default();
        wholes.entry(covered).or_default().push(target);
    }
    subjects
        .iter()
        .flat_map(|(subject, wholes)| subject.findings(wholes, regions))
        .collect()
}

impl<'t> Subject<'t> {
    fn of(target: &'t Target) -> Self {
        Self {
            plan: &target.plan,
            period: target.period,
            each_year: target.each_year,
            metric: target.metric,
            name: &target.name,
            unit: target.unit,
        }
    }

    fn findings(&self, wholes: &Wholes<'t>, regions: &RegionTree) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (covered, several) in wholes {
            let Some((first, twins)) = several.split_first() else {
                continue;
            };
            for twin in twins {
                let side = |target| Side::of(SideKind::Whole, covered.from, &[target]);
                findings.push(self.compare(covered, side(*first), side(*twin)));
            }
        }
        for (covered, ways) in breakdowns(wholes, regions) {
            for (place, way) in ways.iter().enumerate() {
                if let Some(whole) = whole_over(wholes, &covered, way.kind) {
                    findings.push(self.compare(&covered, whole, way.clone()));
                }
                for other in ways.iter().skip(place + 1) {
                    findings.push(self.compare(&covered, way.clone(), other.clone()));
                }
            }
        }
        findings
    }

    fn compare(&self, covered: &Coverage, left: Side, right: Side) -> Finding {
        let verdict = match right.sum.cmp(&left.sum) {
            std::cmp::Ordering::Equal => Verdict::Equal,
            std::cmp::Ordering::Less => Verdict::NotAllotted,
            std::cmp::Ordering::Greater => Verdict::Exceeds,
        };
        Finding {
            plan: self.plan.clone(),
            period: self.period,
            each_year: self.each_year,
            metric: self.metric,
            name: self.name.clone(),
            unit: self.unit,
            region: covered.region.clone(),
            programme: covered.programme.clone(),
            sector: covered.sector.clone(),
            up_to_tier: covered.up_to,
            thresholds_differ: left.from_tier != right.from_tier,
            difference: Total::from_fen(left.sum.fen().saturating_sub(right.sum.fen())),
            verdict,
            left,
            right,
        }
    }
}

impl Side {
    fn of(kind: SideKind, from_tier: Option<InvestmentTier>, targets: &[&Target]) -> Self {
        let values = targets
            .iter()
            .map(|target| i128::from(target.value.hundredths()));
        Self {
            kind,
            from_tier,
            sum: Total::from_fen(values.sum()),
            targets: targets
                .iter()
                .map(|target| Part {
                    code: target.code.clone(),
                    value: target.value,
                })
                .collect(),
        }
    }
}

/// The target that covers as much as a breakdown, or the next wider one. Of tiers that only continue lower ones,
/// there is no wider one to be held against: the whole row of them is.
fn whole_over(wholes: &Wholes<'_>, covered: &Coverage, kind: SideKind) -> Option<Side> {
    let widest = Coverage {
        from: None,
        ..covered.clone()
    };
    let (found, targets) = wholes.range(widest..=covered.clone()).next_back()?;
    let continues_lower_ones = kind == SideKind::Tiers
        && beside(wholes, covered).any(|other| other.goes_on_at() == covered.from);
    if continues_lower_ones && found.from != covered.from {
        return None;
    }
    let first = targets.first()?;
    Some(Side::of(SideKind::Whole, found.from, &[*first]))
}

/// Every way in which the targets break something down, by what each covers.
fn breakdowns(wholes: &Wholes<'_>, regions: &RegionTree) -> BTreeMap<Coverage, Vec<Side>> {
    let mut parts: BTreeMap<(Coverage, SideKind), Vec<&Target>> = BTreeMap::new();
    for (covered, targets) in wholes {
        let Some(target) = targets.first() else {
            continue;
        };
        let inner = match (&covered.programme, &covered.sector) {
            (Some(_), Some(_)) => Some((covered.without_sector(), SideKind::Sectors)),
            (Some(_), None) => Some((covered.without_programme(), SideKind::Programmes)),
            (None, _) => None,
        };
        let parent = regions
            .get(&covered.region)
            .and_then(|region| region.parent.clone());
        let outer = parent.map(|region| {
            let covered = Coverage {
                region,
                ..covered.clone()
            };
            (covered, SideKind::Regions)
        });
        for key in inner.into_iter().chain(outer) {
            parts.entry(key).or_default().push(target);
        }
    }
    let mut ways: BTreeMap<Coverage, Vec<Side>> = BTreeMap::new();
    for (covered, tiers) in rows_of_tiers(wholes) {
        let side = Side::of(SideKind::Tiers, covered.from, &tiers);
        ways.entry(covered).or_default().push(side);
    }
    for ((covered, kind), targets) in parts {
        let side = Side::of(kind, covered.from, &targets);
        ways.entry(covered).or_default().push(side);
    }
    ways
}

/// Every row of at least two tiers, each beginning where the one before ends, up to the top.
fn rows_of_tiers<'t>(wholes: &Wholes<'t>) -> Vec<(Coverage, Vec<&'t Target>)> {
    let mut rows = Vec::new();
    for covered in wholes.keys().filter(|covered| covered.up_to.is_some()) {
        // At most five tiers follow each other, so there are few ways to go on.
        let mut open = vec![vec![covered]];
        while let Some(row) = open.pop() {
            let goes_on_at = row.last().and_then(|last| last.goes_on_at());
            if goes_on_at.is_none() {
                let targets = row
                    .iter()
                    .filter_map(|tier| wholes.get(*tier)?.first().copied())
                    .collect();
                let whole = Coverage {
                    up_to: None,
                    ..covered.clone()
                };
                rows.push((whole, targets));
                continue;
            }
            let next = beside(wholes, covered).filter(|other| other.from == goes_on_at);
            open.extend(next.map(|next| {
                let mut longer = row.clone();
                longer.push(next);
                longer
            }));
        }
    }
    rows
}

/// What differs from a coverage in its tiers alone.
fn beside<'w>(
    wholes: &'w Wholes<'_>,
    covered: &Coverage,
) -> impl Iterator<Item = &'w Coverage> + use<'w> {
    let first = Coverage {
        up_to: None,
        from: None,
        ..covered.clone()
    };
    let end = first.clone();
    let is_beside = move |other: &&Coverage| {
        (&other.region, &other.programme, &other.sector)
            == (&end.region, &end.programme, &end.sector)
    };
    wholes
        .range(first..)
        .map(|(other, _)| other)
        .take_while(is_beside)
}

impl Coverage {
    fn without_sector(&self) -> Self {
        Self {
            sector: None,
            ..self.clone()
        }
    }

    fn without_programme(&self) -> Self {
        Self {
            programme: None,
            ..self.clone()
        }
    }

    /// The tier that follows its highest one; none if it goes up to the top.
    fn goes_on_at(&self) -> Option<InvestmentTier> {
        let bound = self.up_to?.upper_bound()?;
        Some(InvestmentTier::of(bound))
    }
}

#[cfg(test)]
mod tests;
