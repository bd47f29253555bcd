//! Which region lies within which.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use super::{Region, RegionCode};

/// Why regions do not make a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegionTreeError {
    /// Two regions have this code.
    #[error("two regions have the code {code}")]
    Duplicate {
        /// The code of both.
        code: RegionCode,
    },
    /// A region's parent is not among the regions.
    #[error("the region {code} is part of {parent}, which is unknown")]
    UnknownParent {
        /// The region.
        code: RegionCode,
        /// The parent that it names.
        parent: RegionCode,
    },
    /// A region is part of itself, directly or through others.
    #[error("the region {code} is part of itself")]
    Cycle {
        /// One of the regions that go round.
        code: RegionCode,
    },
    /// A region has too many above it.
    #[error("the region {code} is on level {depth}, more than {max}", max = RegionTree::MAX_DEPTH)]
    TooDeep {
        /// The region.
        code: RegionCode,
        /// Its level; a root is on level 1.
        depth: usize,
    },
}

impl RegionTreeError {
    /// The stable code of the error, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            RegionTreeError::Duplicate { .. } => "region_duplicate",
            RegionTreeError::UnknownParent { .. } => "region_parent_unknown",
            RegionTreeError::Cycle { .. } => "region_cycle",
            RegionTreeError::TooDeep { .. } => "region_too_deep",
        }
    }
}

/// All regions, and which lies within which. There may be several roots: a city beside Panjin.
/// Invariant: every parent is in the tree, and going up from any region ends within [`RegionTree::MAX_DEPTH`] levels.
#[derive(Clone, Debug, Default)]
pub struct RegionTree {
    regions: BTreeMap<RegionCode, Region>,
    children: BTreeMap<RegionCode, BTreeSet<RegionCode>>,
}

impl RegionTree {
    /// The most levels, the root's included.
    pub const MAX_DEPTH: usize = 8;

    /// Makes the tree of regions that come in any order.
    ///
    /// # Errors
    /// [`RegionTreeError`], naming the code, for a duplicate, an unknown parent, a cycle or too many levels.
    pub fn new(regions: impl IntoIterator<Item = Region>) -> Result<RegionTree, RegionTreeError> {
        let mut tree = RegionTree::default();
        for region in regions {
            let code = region.code.clone();
            if let Some(parent) = region.parent.clone() {
                tree.children
                    .entry(parent)
                    .or_default()
                    .insert(code.clone());
            }
            if let Some(twin) = tree.regions.insert(code, region) {
                return Err(RegionTreeError::Duplicate { code: twin.code });
            }
        }
        tree.iter()
            .try_for_each(|region| tree.check_ascent(region))?;
        Ok(tree)
    }

    /// Goes up from a region, trusting nothing, to a root within the allowed levels.
    fn check_ascent(&self, start: &Region) -> Result<(), RegionTreeError> {
        let mut below = BTreeSet::new();
        let mut region = start;
        while let Some(parent) = &region.parent {
            let code = region.code.clone();
            if !below.insert(&region.code) {
                return Err(RegionTreeError::Cycle { code });
            }
            let unknown = || RegionTreeError::UnknownParent {
                code,
                parent: parent.clone(),
            };
            region = self.get(parent).ok_or_else(unknown)?;
        }
        let depth = below.len() + 1;
        if depth > Self::MAX_DEPTH {
            return Err(RegionTreeError::TooDeep {
                code: start.code.clone(),
                depth,
            });
        }
        Ok(())
    }

    /// The region with this code; none if unknown.
    #[must_use]
    pub fn get(&self, code: &RegionCode) -> Option<&Region> {
        self.regions.get(code)
    }

    /// The region and everything within it; empty if it is unknown.
    #[must_use]
    pub fn subtree(&self, code: &RegionCode) -> BTreeSet<RegionCode> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&RegionCode> = self
            .get(code)
            .map(|region| &region.code)
            .into_iter()
            .collect();
        while let Some(code) = open.pop() {
            found.insert(code.clone());
            open.extend(self.children.get(code).into_iter().flatten());
        }
        found
    }

    /// Whether a region is `ancestor` or lies within it; never, if either is unknown.
    #[must_use]
    pub fn is_within(&self, code: &RegionCode, ancestor: &RegionCode) -> bool {
        self.ascent(code).any(|region| region.code == *ancestor)
    }

    /// The way from the root down to the region, both included; empty if it is unknown.
    #[must_use]
    pub fn path(&self, code: &RegionCode) -> Vec<RegionCode> {
        let mut path: Vec<_> = self
            .ascent(code)
            .map(|region| region.code.clone())
            .collect();
        path.reverse();
        path
    }

    /// The region, its parent, and so on up to the root.
    fn ascent(&self, code: &RegionCode) -> impl Iterator<Item = &Region> {
        iter::successors(self.get(code), |region| self.get(region.parent.as_ref()?))
    }

    /// All regions, by code.
    pub fn iter(&self) -> impl Iterator<Item = &Region> {
        self.regions.values()
    }

    /// How many regions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.regions.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::RegionKind;
    use super::*;

    fn code(text: &str) -> RegionCode {
        RegionCode::parse(text).unwrap()
    }

    fn region(text: &str, parent: Option<&str>) -> Region {
        let (name, kind) = (format!("区划{text}"), RegionKind::District);
        let parent = parent.map(code);
        Region {
            code: code(text),
            name,
            kind,
            parent,
            valid_from: None,
            valid_to: None,
        }
    }

    fn panjin() -> RegionTree {
        RegionTree::new([
            region("211100-ldw", Some("211100")),
            region("211102", Some("211100")),
            region("211100", None),
            region("211100-ldw1", Some("211100-ldw")),
            region("210800", None),
        ])
        .unwrap()
    }

    #[test]
    fn a_subtree_has_the_region_and_all_below_it() {
        let tree = panjin();
        let below = tree.subtree(&code("211100"));
        assert_eq!(
            below,
            ["211100", "211100-ldw", "211100-ldw1", "211102"]
                .map(code)
                .into()
        );
        assert_eq!(tree.subtree(&code("211102")), [code("211102")].into());
        assert!(tree.subtree(&code("999999")).is_empty());
    }

    #[test]
    fn a_path_leads_from_the_root_to_the_region() {
        let path = panjin().path(&code("211100-ldw1"));
        assert_eq!(path, ["211100", "211100-ldw", "211100-ldw1"].map(code));
        assert!(panjin().path(&code("999999")).is_empty());
    }

    #[test]
    fn a_region_is_within_itself_and_those_above_it_only() {
        let within = |inner, outer| panjin().is_within(&code(inner), &code(outer));
        assert!(within("211102", "211102"));
        assert!(within("211100-ldw1", "211100"));
        assert!(!within("211100", "211102"));
        assert!(!within("211102", "210800"));
        assert!(!within("999999", "999999"));
    }

    #[test]
    fn regions_that_make_no_tree_are_refused_by_name() {
        let refused = |regions: Vec<Region>| RegionTree::new(regions).unwrap_err();
        let twice = refused(vec![region("211100", None), region("211100", None)]);
        assert_eq!(
            twice,
            RegionTreeError::Duplicate {
                code: code("211100")
            }
        );
        let orphan = refused(vec![region("211102", Some("211100"))]);
        assert_eq!(
            orphan.to_string(),
            "the region 211102 is part of 211100, which is unknown"
        );
        let own_parent = refused(vec![region("211100", Some("211100"))]);
        assert_eq!(
            own_parent,
            RegionTreeError::Cycle {
                code: code("211100")
            }
        );
        let around = vec![
            region("211101", Some("211102")),
            region("211102", Some("211103")),
            region("211103", Some("211102")),
        ];
        assert_eq!(
            refused(around),
            RegionTreeError::Cycle {
                code: code("211102")
            }
        );
    }

    #[test]
    fn a_tree_has_at_most_eight_levels() {
        let chain = |levels: u32| {
            let name = |level: u32| format!("{level:06}");
            let parent = move |level: u32| level.checked_sub(1).map(name);
            RegionTree::new((0..levels).map(|level| region(&name(level), parent(level).as_deref())))
        };
        assert_eq!(chain(8).unwrap().len(), 8);
        let error = chain(9).unwrap_err();
        assert_eq!(
            error,
            RegionTreeError::TooDeep {
                code: code("000008"),
                depth: 9
            }
        );
    }

    proptest! {
        /// Region n > 0 has any parent before it, so every input is a forest, if sometimes too deep a one.
        #[test]
        fn subtree_path_and_within_agree(parents in prop::collection::vec(any::<prop::sample::Index>(), 0..12)) {
            let name = |place: usize| format!("{place:06}");
            let below = parents.iter().enumerate().map(|(place, parent)| {
                region(&name(place + 1), Some(&name(parent.index(place + 1))))
            });
            if let Ok(tree) = RegionTree::new(below.chain([region(&name(0), None)])) {
                for outer in tree.iter() {
                    let subtree = tree.subtree(&outer.code);
                    for inner in tree.iter() {
                        let within = tree.is_within(&inner.code, &outer.code);
                        prop_assert_eq!(within, subtree.contains(&inner.code));
                        prop_assert_eq!(within, tree.path(&inner.code).contains(&outer.code));
                    }
                }
            }
        }
    }
}
