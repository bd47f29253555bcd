//! What a request has beside its body: preconditions, keys, parameters, cursors.

use std::net::IpAddr;

use actix_web::http::header::{HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};
use actix_web::test::TestRequest;
use actix_web::{HttpRequest, ResponseError};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono_tz::Asia::Shanghai;
use taizhang::body::{Parameters, read_query};
use taizhang::clock::Clock;
use taizhang::delivery::address::{Policy, Standing, Target};
use taizhang::page;
use taizhang::precondition::{Precondition, etag};
use taizhang::problem::Problem;
use taizhang::routes::once;
use taizhang::routes::query::{
    AttainmentParameters, CascadeParameters, ChangedParameters, DiffParameters, EventParameters,
    ExportParameters, ListParameters, ScoreboardParameters, SummaryParameters, TargetParameters,
};
use uuid::Uuid;

/// The question that cursors are opened for.
pub(crate) const QUESTION: &str = "which";

fn with(headers: &[(HeaderName, &[u8])]) -> Option<HttpRequest> {
    let mut request = TestRequest::post().uri("/v1/projects");
    for (name, value) in headers {
        request = request.append_header((name.clone(), HeaderValue::from_bytes(value).ok()?));
    }
    Some(request.to_http_request())
}

/// `If-Match`, and behind a line's end `If-None-Match`.
pub(crate) fn precondition(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let mut headers = Vec::new();
    if !first.is_empty() || second.is_none() {
        headers.push((IF_MATCH, first));
    }
    headers.extend(second.map(|second| (IF_NONE_MATCH, second)));
    let Some(request) = with(&headers) else {
        return;
    };
    if let Ok(version) = Precondition::if_match(&request) {
        assert!(version > 0 && second.is_none());
        let written = etag(version);
        assert_eq!(first.trim_ascii(), written.as_bytes());
    }
    match Precondition::either(&request) {
        Ok(Precondition::Version(version)) => {
            assert!(Precondition::Version(version).check(Some(version)).is_ok());
            assert!(Precondition::Version(version).check(None).is_err());
        }
        Ok(Precondition::Absent) => {
            assert!(headers.iter().all(|(name, _)| *name == IF_NONE_MATCH));
            assert!(Precondition::Absent.check(None).is_ok());
        }
        Err(problem) => refused(&problem),
    }
}

pub(crate) fn idempotency_key(bytes: &[u8]) {
    let name = HeaderName::from_static("idempotency-key");
    let Some(request) = with(&[(name, bytes)]) else {
        return;
    };
    match once::key(&request, Uuid::nil(), b"{}") {
        Ok(read) => {
            let key = read.map(|read| read.key).unwrap_or_default();
            assert!(
                (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
            );
        }
        Err(problem) => refused(&problem),
    }
}

/// Where a webhook may lead: what is admitted is a name to be looked up or a public address, and is read as itself.
pub(crate) fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let policy = Policy::new(Vec::new());
    let Ok(read) = Target::read(text, &policy) else {
        return;
    };
    if read.name.is_none() {
        assert!(read.is_encrypted());
        let host = read.url.host_str().unwrap_or_default();
        let address: IpAddr = host.trim_matches(['[', ']']).parse().expect("an address");
        assert!(
            matches!(policy.standing(address), Standing::Public),
            "{address}"
        );
    }
    let again = Target::read(read.url.as_str(), &policy).expect("what was admitted is admitted");
    assert_eq!(again.url, read.url);
}

/// The parameters of every list, read into the question that they ask.
pub(crate) fn query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let clock = Clock::new(Shanghai);
    asked(text, |list: ListParameters| list.question(clock).map(drop));
    asked(text, |export: ExportParameters| {
        export.question(clock, 100).map(drop)
    });
    asked(text, |summary: SummaryParameters| {
        summary.question(clock).map(drop)
    });
    asked(text, |events: EventParameters| events.checked(30).map(drop));
    asked(text, |attainment: AttainmentParameters| {
        attainment.question(clock).map(drop)
    });
    asked(text, |cascade: CascadeParameters| {
        cascade.question(clock).map(drop)
    });
    asked(text, |changed: ChangedParameters| {
        changed.question(clock).map(drop)
    });
    asked(text, |diff: DiffParameters| diff.question(clock).map(drop));
    asked(text, |board: ScoreboardParameters| {
        board.question(clock).map(drop)
    });
    asked(text, |targets: TargetParameters| {
        targets.question(clock).map(drop)
    });
}

fn asked<T: Parameters>(query: &str, question: impl Fn(T) -> Result<(), Problem>) {
    if let Err(problem) = read_query(query).and_then(question) {
        refused(&problem);
    }
}

/// A cursor, or behind an `i` what one has inside.
pub(crate) fn cursor(bytes: &[u8]) {
    type Key = (Option<i64>, Uuid);
    let Some((how, rest)) = bytes.split_first() else {
        return;
    };
    let cursor = match how {
        b'i' => BASE64_URL_SAFE_NO_PAD.encode(rest),
        _ => String::from_utf8_lossy(rest).into_owned(),
    };
    let opened = page::open::<Key>(QUESTION, &cursor);
    if let Ok(key) = opened {
        let again: Option<Key> = page::open(QUESTION, &page::seal(QUESTION, &key)).ok();
        assert_eq!(again, Some(key));
        assert!(page::open::<Key>("another", &cursor).is_err());
    }
    let problems = [
        opened.err(),
        page::open::<(String, Uuid)>(QUESTION, &cursor).err(),
        page::open::<serde_json::Value>(QUESTION, &cursor).err(),
    ];
    problems.iter().flatten().for_each(refused);
}

/// Whatever is wrong with a request is the asker's fault, and told as such.
fn refused(problem: &Problem) {
    assert!(problem.status_code().is_client_error());
}
