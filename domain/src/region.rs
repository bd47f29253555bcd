//! Regions (行政区划): their codes, their years, and which lies within which.

mod tree;

use std::fmt;

use crate::coded::coded_enum;
pub use tree::{RegionTree, RegionTreeError};

/// The code of a region: six digits (GB/T 2260, `211102`), or those and a local part of 1 to 12 lower-case
/// letters and digits for a functional zone (功能区, `211100-ldw`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionCode(String);

impl RegionCode {
    /// Reads a code, by its shape; whether there is such a region, a [`RegionTree`] knows.
    ///
    /// # Errors
    /// [`RegionCodeError`] for every other shape.
    pub fn parse(text: &str) -> Result<RegionCode, RegionCodeError> {
        let (digits, zone) = match text.split_once('-') {
            Some((digits, zone)) => (digits, Some(zone)),
            None => (text, None),
        };
        let digits_fit = digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
        let zone_fits = zone.is_none_or(|zone| {
            let mut bytes = zone.bytes();
            (1..=12).contains(&zone.len())
                && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        });
        if digits_fit && zone_fits {
            Ok(RegionCode(text.to_owned()))
        } else {
            Err(RegionCodeError)
        }
    }

    /// The code as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RegionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A text has not the shape of a region's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a region's code is six digits, or those with a local part such as 211100-ldw")]
pub struct RegionCodeError;

impl RegionCodeError {
    /// The stable code of the error, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        "invalid_region_code"
    }
}

/// A region and the years of its validity. One that was renamed or made another kind (大洼县, 大洼区)
/// is two regions with a code each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// Its code.
    pub code: RegionCode,
    /// Its name, in full: 盘锦市.
    pub name: String,
    /// What kind of region it is.
    pub kind: RegionKind,
    /// The region that it is part of; none for a root.
    pub parent: Option<RegionCode>,
    /// The first year in which it is valid; none for ever before.
    pub valid_from: Option<i32>,
    /// The last year in which it is valid; none for ever after.
    pub valid_to: Option<i32>,
}

impl Region {
    /// Whether the region is valid in a year. Both its first and its last year count:
    /// in the year of a change, the old region and the new one are valid.
    #[must_use]
    pub fn valid_in(&self, year: i32) -> bool {
        self.valid_from.is_none_or(|from| from <= year) && self.valid_to.is_none_or(|to| year <= to)
    }
}

coded_enum! {
    /// What kind of region it is (区划类型).
    pub enum RegionKind {
        /// A province (省).
        Province => "province", "省", "province";
        /// A prefecture-level city (市).
        City => "city", "市", "city";
        /// A district of a city (区).
        District => "district", "区", "district";
        /// A county (县).
        County => "county", "县", "county";
        /// A functional zone (功能区), which has no code of the state's.
        Zone => "zone", "功能区", "functional zone";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> RegionCode {
        RegionCode::parse(text).unwrap()
    }

    #[test]
    fn a_code_is_six_digits_or_those_with_a_zone() {
        for text in ["211100", "211100-ldw", "211100-a", "211100-gaoxinqu2024"] {
            assert_eq!(code(text).to_string(), text);
        }
        let others = [
            "",
            "21110",
            "2111000",
            "21110X",
            "２１１１００",
            "211100-",
            "211100-LDW",
            "211100-l-w",
            "211100-辽",
            "211100-gaoxinqu20245",
            " 211100",
            "211100\n",
        ];
        for text in others {
            let error = RegionCode::parse(text).unwrap_err();
            assert_eq!(error.code(), "invalid_region_code", "{text:?}");
        }
    }

    #[test]
    fn in_the_year_of_a_change_both_regions_are_valid() {
        let district = |text, valid_from, valid_to| Region {
            code: code(text),
            name: "大洼".to_owned(),
            kind: RegionKind::District,
            parent: None,
            valid_from,
            valid_to,
        };
        let old = district("211121", None, Some(2016));
        let new = district("211104", Some(2016), None);
        let valid = |year| (old.valid_in(year), new.valid_in(year));
        assert_eq!(valid(2015), (true, false));
        assert_eq!(valid(2016), (true, true));
        assert_eq!(valid(2017), (false, true));
    }

    #[test]
    fn codes_of_kinds_are_read_back() {
        for &kind in RegionKind::ALL {
            assert_eq!(RegionKind::from_code(kind.code()), Some(kind));
        }
        assert_eq!(RegionKind::from_code("Province"), None);
    }
}
