//! How projects that may be told to everybody are told (开放数据): who publishes them, and under which names.

use std::collections::BTreeMap;

use domain::code::Uscc;
use serde::Deserialize;

/// What stands in a package of OC4IDS beside its projects. The preset is a placeholder: a publisher has a name, and a
/// prefix that was given to him.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OpenData {
    /// What the ids of projects begin with: `oc4ids-` and six letters or digits, as the Open Contracting Partnership
    /// gives them to a publisher.
    pub prefix: String,
    /// Who publishes.
    pub publisher: String,
    /// The publisher's 统一社会信用代码.
    pub publisher_uscc: Option<String>,
    /// The publisher's address on the web.
    pub publisher_uri: Option<String>,
    /// Where the package can be had; by default each package is named by an id of its own.
    pub uri: Option<String>,
    /// The address of the licence.
    pub license: Option<String>,
    /// The address of the publication policy.
    pub publication_policy: Option<String>,
    /// The codes of `projectSector` that sectors of the library are told as, as `"交通" = "transport"`. A sector that is
    /// not named is told by its own name alone.
    pub sectors: BTreeMap<String, String>,
}

impl Default for OpenData {
    fn default() -> Self {
        Self {
            prefix: "oc4ids-000000".to_owned(),
            publisher: "Publisher not set (open_data.publisher)".to_owned(),
            publisher_uscc: None,
            publisher_uri: None,
            uri: None,
            license: None,
            publication_policy: None,
            sectors: BTreeMap::new(),
        }
    }
}

impl OpenData {
    /// The settings, if they can be used.
    ///
    /// # Errors
    /// The first setting that can't be, and what is wrong with it.
    pub(super) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let is_given = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
        let given = self.prefix.strip_prefix("oc4ids-").unwrap_or_default();
        if given.len() != 6 || !given.bytes().all(is_given) {
            return Err((
                "open_data.prefix",
                "must be oc4ids- and six lower-case letters or digits",
            ));
        }
        if self.publisher.trim().is_empty() {
            return Err(("open_data.publisher", "must not be empty"));
        }
        if self
            .publisher_uscc
            .as_ref()
            .is_some_and(|uscc| Uscc::parse(uscc).is_err())
        {
            return Err(("open_data.publisher_uscc", "is no 统一社会信用代码"));
        }
        let addresses = [
            ("open_data.publisher_uri", &self.publisher_uri),
            ("open_data.uri", &self.uri),
            ("open_data.license", &self.license),
            ("open_data.publication_policy", &self.publication_policy),
        ];
        for (field, address) in addresses {
            if address.as_deref().is_some_and(|uri| !is_address(uri)) {
                return Err((
                    field,
                    "must be an address such as https://www.example.gov.cn/",
                ));
            }
        }
        if !self.sectors.values().all(|code| is_sector(code)) {
            return Err((
                "open_data.sectors",
                "each must be a code of projectSector, such as transport or transport.road",
            ));
        }
        Ok(())
    }

    /// The codes that a sector is told as: with `transport.road` goes `transport`.
    #[must_use]
    pub fn sector(&self, code: &str) -> Vec<&str> {
        let told = self.sectors.get(code).map(String::as_str);
        let whole = told.and_then(|told| told.split_once('.'));
        whole
            .map(|(whole, _)| whole)
            .into_iter()
            .chain(told)
            .collect()
    }
}

fn is_address(text: &str) -> bool {
    let uri: Option<actix_web::http::Uri> = text.parse().ok();
    uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some()
    })
}

fn is_sector(code: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphabetic());
    code.split('.').count() <= 2 && code.split('.').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sector_goes_with_the_one_that_it_is_part_of() {
        let sectors = [("港口", "transport.water"), ("交通", "transport")];
        let open = OpenData {
            sectors: sectors
                .map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()))
                .into(),
            ..OpenData::default()
        };
        assert_eq!(open.check(), Ok(()));
        assert_eq!(open.sector("港口"), ["transport", "transport.water"]);
        assert_eq!(open.sector("交通"), ["transport"]);
        assert!(open.sector("教育").is_empty());
    }

    #[test]
    fn what_no_package_could_have_is_refused() {
        let preset = OpenData::default;
        let some = |text: &str| Some(text.to_owned());
        let sectors = |code: &str| [("a".to_owned(), code.to_owned())].into();
        for (field, wrong) in [
            (
                "prefix",
                OpenData {
                    prefix: "oc4ids-ABC123".to_owned(),
                    ..preset()
                },
            ),
            (
                "prefix",
                OpenData {
                    prefix: "panjin".to_owned(),
                    ..preset()
                },
            ),
            (
                "publisher",
                OpenData {
                    publisher: " ".to_owned(),
                    ..preset()
                },
            ),
            (
                "publisher_uscc",
                OpenData {
                    publisher_uscc: some("91110000600037341X"),
                    ..preset()
                },
            ),
            (
                "uri",
                OpenData {
                    uri: some("/data"),
                    ..preset()
                },
            ),
            (
                "license",
                OpenData {
                    license: some("ftp://a.cn/"),
                    ..preset()
                },
            ),
            (
                "sectors",
                OpenData {
                    sectors: sectors("transport road"),
                    ..preset()
                },
            ),
            (
                "sectors",
                OpenData {
                    sectors: sectors("transport."),
                    ..preset()
                },
            ),
        ] {
            let told = wrong.check().map_err(|(field, _)| field);
            assert_eq!(told, Err(format!("open_data.{field}").as_str()));
        }
    }
}
