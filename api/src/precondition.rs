//! ETag, If-Match and If-None-Match: nobody overwrites what he has not seen.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};

use crate::problem::{Problem, kinds};

/// What an ETag looks like.
pub const ETAG_PATTERN: &str = r#"^"[1-9][0-9]{0,17}"$"#;

/// The strong entity tag of a version.
#[must_use]
pub fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

/// Which version a change was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// `If-Match`: the resource must stand at this version.
    Version(i64),
    /// `If-None-Match: *`: the resource must not exist.
    Absent,
}

impl Precondition {
    /// For a change of something that exists: `If-Match` with the version seen.
    ///
    /// # Errors
    /// 428 without it, 400 if it can't be read. `*` is not enough: it would overwrite what nobody has seen.
    pub fn if_match(request: &HttpRequest) -> Result<i64, Problem> {
        match Self::read(request.headers())? {
            Some(Self::Version(version)) => Ok(version),
            Some(Self::Absent) | None => Err(required("If-Match")),
        }
    }

    /// For a PUT that creates or replaces: `If-None-Match: *` or `If-Match`.
    ///
    /// # Errors
    /// 428 without either, 400 if it can't be read.
    pub fn either(request: &HttpRequest) -> Result<Self, Problem> {
        Self::read(request.headers())?.ok_or_else(|| required("If-Match / If-None-Match"))
    }

    fn read(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let if_match = one(headers, &IF_MATCH)?;
        let if_none_match = one(headers, &IF_NONE_MATCH)?;
        match (if_match, if_none_match) {
            (None, None) => Ok(None),
            (Some(tag), Some("*")) => version_of(tag).and(Err(Problem::new(kinds::CONTRADICTION))),
            (None, Some("*")) => Ok(Some(Self::Absent)),
            (_, Some(_)) => Err(unreadable(
                "更改时 If-None-Match 只能是 *",
                "If-None-Match can only be * on a change",
            )),
            (Some(tag), None) => version_of(tag).map(|version| Some(Self::Version(version))),
        }
    }

    /// Holds the precondition against what stands; `None` if there is nothing.
    ///
    /// # Errors
    /// 412 if it fails.
    pub fn check(self, present: Option<i64>) -> Result<(), Problem> {
        match (self, present) {
            (Self::Absent, None) => Ok(()),
            (Self::Absent, Some(_)) => Err(Problem::new(kinds::EXISTS)),
            (Self::Version(seen), Some(present)) if seen == present => Ok(()),
            (Self::Version(_), Some(present)) => Err(stale(present)),
            (Self::Version(_), None) => Err(Problem::new(kinds::STALE)
                .say("要更改的内容不存在", "What is to be changed does not exist")),
        }
    }
}

/// Somebody else was faster.
#[must_use]
pub fn stale(present: i64) -> Problem {
    Problem::new(kinds::STALE).say(
        format!("现在的版本是 {present}；请重新读取，在其上再改"),
        format!("It stands at version {present}; read it again and change that"),
    )
}

fn version_of(tag: &str) -> Result<i64, Problem> {
    let digits = tag.trim_matches('"');
    let version = digits.parse().ok();
    // Written as it was given out: no sign, no zeros before it.
    version
        .filter(|version| *version > 0 && etag(*version) == tag)
        .ok_or_else(|| {
            unreadable(
                "If-Match 须是读取时得到的一个 ETag，如 \"7\"",
                "If-Match has to be the one ETag that was read, such as \"7\"",
            )
        })
}

fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Problem> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(|v| Some(v.trim())).map_err(|_| {
            unreadable(
                "请求头含有非法字符",
                "The header has characters that it may not have",
            )
        }),
        (Some(_), Some(_)) => Err(unreadable(
            "请求头重复",
            "The header stands there more than once",
        )),
    }
}

fn required(header: &str) -> Problem {
    Problem::new(kinds::PRECONDITION_REQUIRED).say(
        format!("请带上 {header}，说明改动基于哪一版本"),
        format!("Send {header}, to say which version the change was made from"),
    )
}

fn unreadable(zh: &str, en: &str) -> Problem {
    Problem::new(kinds::INVALID_PRECONDITION).say(zh, en)
}
