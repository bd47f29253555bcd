//! Where a right holds: in regions, for a unit's projects, or everywhere.

use std::collections::BTreeSet;

/// Projects in some regions, of one unit, or both; what is not said is not limited.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extent {
    /// In these regions; their subtrees are already in.
    pub regions: Option<BTreeSet<String>>,
    /// Those that this unit answers for (责任单位).
    pub unit: Option<String>,
}

impl Extent {
    /// Every project.
    pub const EVERYTHING: Self = Self {
        regions: None,
        unit: None,
    };

    fn covers(&self, region: &str, unit: Option<&str>) -> bool {
        self.regions
            .as_ref()
            .is_none_or(|regions| regions.contains(region))
            && self
                .unit
                .as_deref()
                .is_none_or(|wanted| unit == Some(wanted))
    }
}

/// Any of some extents: one for the regions as a whole, and one for each unit that is reached beyond them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reach {
    extents: Vec<Extent>,
}

impl Reach {
    /// Every project.
    #[must_use]
    pub fn everywhere() -> Self {
        Self::of([Extent::EVERYTHING])
    }

    /// Where any of some extents holds.
    #[must_use]
    pub fn of(extents: impl IntoIterator<Item = Extent>) -> Self {
        let mut reach = Self::default();
        for extent in extents {
            let same = reach.extents.iter_mut().find(|e| e.unit == extent.unit);
            match (same, extent) {
                (None, extent) => reach.extents.push(extent),
                (Some(present), Extent { regions: None, .. }) => present.regions = None,
                (Some(present), extent) => {
                    if let (Some(present), Some(more)) = (&mut present.regions, extent.regions) {
                        present.extend(more);
                    }
                }
            }
        }
        if reach.extents.contains(&Extent::EVERYTHING) {
            reach.extents = vec![Extent::EVERYTHING];
        }
        reach
    }

    /// Whether a project of a region and a unit is in.
    #[must_use]
    pub fn covers(&self, region: &str, unit: Option<&str>) -> bool {
        self.extents
            .iter()
            .any(|extent| extent.covers(region, unit))
    }

    /// What is in both this and some regions.
    #[must_use]
    pub fn narrowed(self, to: &BTreeSet<String>) -> Self {
        let narrow = |extent: Extent| Extent {
            regions: Some(match extent.regions {
                None => to.clone(),
                Some(regions) => regions.intersection(to).cloned().collect(),
            }),
            ..extent
        };
        Self {
            extents: self.extents.into_iter().map(narrow).collect(),
        }
    }

    /// Whether it is limited by regions alone.
    #[must_use]
    pub fn is_by_region(&self) -> bool {
        self.extents.iter().all(|extent| extent.unit.is_none())
    }

    /// The extents, of which any may hold.
    #[must_use]
    pub fn extents(&self) -> &[Extent] {
        &self.extents
    }

    /// The regions of which every project is in, whatever its unit; all of them are if this is none.
    #[must_use]
    pub fn whole_regions(&self) -> Option<BTreeSet<&str>> {
        let whole = self.extents.iter().find(|extent| extent.unit.is_none());
        match whole {
            None => Some(BTreeSet::new()),
            Some(extent) => extent
                .regions
                .as_ref()
                .map(|regions| regions.iter().map(String::as_str).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(regions: Option<&[&str]>, unit: Option<&str>) -> Extent {
        Extent {
            regions: regions.map(|some| some.iter().map(|&r| r.to_owned()).collect()),
            unit: unit.map(str::to_owned),
        }
    }

    #[test]
    fn nothing_reaches_nothing() {
        assert!(!Reach::default().covers("211100", None));
        assert_eq!(Reach::default().whole_regions(), Some(BTreeSet::new()));
    }

    #[test]
    fn extents_are_ored_and_what_each_says_is_anded() {
        let reach = Reach::of([
            extent(Some(&["211103"]), None),
            extent(Some(&["211104"]), Some("port")),
            extent(None, Some("energy")),
        ]);
        for (region, unit, is_in) in [
            ("211103", None, true),
            ("211103", Some("other"), true),
            ("211104", Some("port"), true),
            ("211104", Some("other"), false),
            ("211104", None, false),
            ("211100", Some("port"), false),
            ("211100", Some("energy"), true),
        ] {
            assert_eq!(reach.covers(region, unit), is_in, "{region} {unit:?}");
        }
        assert_eq!(reach.whole_regions(), Some(BTreeSet::from(["211103"])));
    }

    #[test]
    fn narrowing_only_takes_away() {
        let only: BTreeSet<String> = ["211104".to_owned()].into();
        let all = Reach::everywhere().narrowed(&only);
        assert!(all.covers("211104", None) && !all.covers("211103", None));
        let units = Reach::of([extent(None, Some("port"))]).narrowed(&only);
        assert!(units.covers("211104", Some("port")) && !units.covers("211104", None));
        let none = Reach::of([extent(Some(&["211103"]), None)]).narrowed(&only);
        assert!(!none.covers("211103", None) && !none.covers("211104", None));
    }

    #[test]
    fn everything_swallows_the_rest() {
        let reach = Reach::of([extent(None, Some("port")), Extent::EVERYTHING]);
        assert_eq!(reach, Reach::everywhere());
        assert_eq!(reach.whole_regions(), None);
    }
}
