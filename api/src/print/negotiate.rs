//! In which form an answer is wanted: by the ending of the path, or else by `Accept`.

use std::sync::LazyLock;

use actix_web::dev::{ResourceDef, ServiceRequest, Url};
use actix_web::http::header::ACCEPT;
use actix_web::http::uri::PathAndQuery;
use actix_web::http::{Method, Uri};
use actix_web::{HttpMessage, HttpRequest};

use crate::problem::weighted;

/// The operations that answer tables too: GETs, as the contract writes their paths. An ending means nothing anywhere
/// else, for codes in paths may end in anything.
pub const PRINTABLE: [&str; 6] = [
    "/v1/exports/projects",
    "/v1/summary",
    "/v1/summary/diff",
    "/v1/accounts/{year}",
    "/v1/targets/attainment",
    "/v1/scoreboard",
];

const JSON: &str = "application/json";
/// The media type of CSV.
pub const CSV: &str = "text/csv";
/// The media type of a spreadsheet (XLSX).
pub const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

static PATTERNS: LazyLock<ResourceDef> = LazyLock::new(|| ResourceDef::new(PRINTABLE));

/// A form of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// For people and simple programs.
    Csv,
    /// A spreadsheet, for people.
    Xlsx,
}

/// What there is: JSON, which is answered if nothing speaks against it, and the forms of a table.
const OFFERS: [Option<Form>; 3] = [None, Some(Form::Csv), Some(Form::Xlsx)];

/// The form that is wanted most: by its weight, then by how precisely it is named, then by the order of names; JSON if
/// there is nothing of what is wanted.
fn accepted(ranges: &[(&str, u32)]) -> Option<Form> {
    let mut best = (None, (0, 0));
    for (range, _) in ranges {
        for offer in OFFERS {
            let wanted = weight(offer, ranges);
            if precision(offer, range) > 0 && wanted.0 > 0 && wanted > best.1 {
                best = (offer, wanted);
            }
        }
    }
    best.0
}

/// How much an offer is wanted, and how precisely it is named where that is said.
fn weight(offer: Option<Form>, ranges: &[(&str, u32)]) -> (u32, u8) {
    ranges
        .iter()
        .map(|(range, weight)| (precision(offer, range), *weight))
        .filter(|(precision, _)| *precision > 0)
        .max()
        .map_or((0, 0), |(precision, weight)| (weight, precision))
}

/// How precisely a media range names an offer: 3 itself, 2 its kind, 1 anything, 0 not at all.
fn precision(offer: Option<Form>, range: &str) -> u8 {
    let media = offer.map_or(JSON, Form::media);
    let kind = media.split('/').next().unwrap_or_default();
    if range.eq_ignore_ascii_case(media) {
        3
    } else if range
        .strip_suffix("/*")
        .is_some_and(|of| of.eq_ignore_ascii_case(kind))
    {
        2
    } else {
        u8::from(range == "*/*")
    }
}

/// What the ending of a path asked for.
#[derive(Clone, Copy, Debug)]
struct Ending(Option<Form>);

/// The endings of paths, and what they ask for.
const ENDINGS: [(&str, Option<Form>); 3] = [
    (".json", None),
    (Form::Csv.suffix(), Some(Form::Csv)),
    (Form::Xlsx.suffix(), Some(Form::Xlsx)),
];

impl Form {
    /// The form of a table that a request asks for; none if it is to be JSON.
    pub(super) fn wanted(request: &HttpRequest) -> Option<Self> {
        let by_ending = request.extensions().get::<Ending>().copied();
        match by_ending {
            Some(Ending(form)) => form,
            None => accepted(&weighted(request.headers(), &ACCEPT)),
        }
    }

    const fn media(self) -> &'static str {
        match self {
            Self::Csv => CSV,
            Self::Xlsx => XLSX,
        }
    }

    /// What its `Content-Type` says.
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Xlsx => XLSX,
        }
    }

    /// The ending of its files, and of the paths that ask for it.
    pub(super) const fn suffix(self) -> &'static str {
        match self {
            Self::Csv => ".csv",
            Self::Xlsx => ".xlsx",
        }
    }
}

/// Takes the ending off the path of an operation that answers tables, and keeps in mind which form it asks for. From
/// here on it is the same operation as without: to routing, rights, limits and the log.
pub(crate) fn take_ending(request: &mut ServiceRequest) {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return;
    }
    let path = request.path();
    let named = ENDINGS
        .into_iter()
        .find_map(|(ending, form)| Some((form, path.strip_suffix(ending)?)));
    let Some((form, bare)) = named.filter(|(_, bare)| PATTERNS.is_match(bare)) else {
        return;
    };
    let target = match request.uri().query() {
        Some(query) => format!("{bare}?{query}"),
        None => bare.to_owned(),
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = PathAndQuery::try_from(target).ok();
    // What is left of an address after a piece is cut off is an address.
    let Ok(uri) = Uri::from_parts(parts) else {
        return;
    };
    request.match_info_mut().set(Url::new(uri.clone()));
    request.head_mut().uri = uri;
    request.extensions_mut().insert(Ending(form));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(header: &str) -> Option<Form> {
        let headers = [(ACCEPT, header.parse().unwrap())].into_iter().collect();
        accepted(&weighted(&headers, &ACCEPT))
    }

    const CSV_FORM: Option<Form> = Some(Form::Csv);

    #[test]
    fn the_form_that_is_wanted_most_is_answered() {
        for (header, expected) in [
            ("text/csv", CSV_FORM),
            ("TEXT/CSV; charset=utf-8", CSV_FORM),
            (XLSX, Some(Form::Xlsx)),
            ("text/*", CSV_FORM),
            ("*/*", None),
            ("application/*", None),
            ("text/csv, */*", CSV_FORM),
            ("*/*, text/csv", CSV_FORM),
            ("text/csv, application/json", CSV_FORM),
            ("application/json, text/csv", None),
            ("text/csv;q=0.5, application/json;q=0.9", None),
            ("text/csv;q=0.9, application/json;q=0.5", CSV_FORM),
            ("text/csv;q=0, */*", None),
            ("application/json;q=0, */*;q=0.1", CSV_FORM),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                None,
            ),
        ] {
            assert_eq!(answered(header), expected, "{header}");
        }
    }

    #[test]
    fn what_there_is_not_stays_json() {
        for header in [
            "",
            "image/png",
            "application/pdf, text/html",
            "csv",
            "text/csv;q=0",
        ] {
            assert_eq!(answered(header), None, "{header}");
        }
    }
}
