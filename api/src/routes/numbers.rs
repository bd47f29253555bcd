//! What answers with numbers have in common: the version of the data that they tell.

use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, ETAG, EntityTag, Header, HeaderValue,
    IfNoneMatch as Sent, VARY,
};
use actix_web::{HttpRequest, HttpResponse};
use utoipa::IntoParams;

use crate::app::App;
use crate::auth::Reach;
use crate::print::Print;
use crate::problem::Problem;
use crate::store::Failure;
use crate::store::rollup::{self, State};

/// The answer that is known already.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
pub struct IfNoneMatch {
    /// The `ETag` of an answer that is known already.
    #[param(
        rename = "If-None-Match",
        required = false,
        example = "W/\"1204-9f86d081884c7d65\""
    )]
    #[expect(
        dead_code,
        reason = "a parameter in the contract; the header is read where it is compared"
    )]
    if_none_match: Option<String>,
}

/// The entity tag of an answer: of the version of the data and of the service, of what is asked, by whom and on which day. Weak, for the
/// instant at which it is asked stands in the answer too.
pub(super) struct Tag(EntityTag);

/// What there is to be done for a question.
pub(super) enum Begun {
    /// Nothing: the answer is known.
    Known(HttpResponse),
    /// It has to be answered, of data that stand so, under this tag.
    New(State, Tag),
}

/// Whether the answer to a question is known already.
pub(super) async fn begin(
    app: &App,
    request: &HttpRequest,
    reach: &Reach,
    print: &Print,
) -> Result<Begun, Problem> {
    // Read before the data are: an answer may be newer than its tag, never older.
    let state = rollup::state(app.db.reader())
        .await
        .map_err(Failure::told)?;
    let clock = app.db.clock();
    let mut hasher = DefaultHasher::new();
    (request.path(), request.query_string(), reach).hash(&mut hasher);
    // What else an answer is made by: a later version may tell it otherwise, and so may another setting.
    (env!("CARGO_PKG_VERSION"), app.landing_months).hash(&mut hasher);
    clock.day_of(clock.now()).hash(&mut hasher);
    for name in [ACCEPT, ACCEPT_LANGUAGE] {
        let sent = request.headers().get(name);
        sent.map(HeaderValue::as_bytes).hash(&mut hasher);
    }
    let tag = Tag(EntityTag::new_weak(format!(
        "{}-{:016x}",
        state.version,
        hasher.finish()
    )));
    // A table tells names too, of which the version knows nothing.
    if print.0.is_none() && tag.is_known_to(request) {
        return Ok(Begun::Known(tag.on(HttpResponse::NotModified().finish())));
    }
    Ok(Begun::New(state, tag))
}

impl Tag {
    /// Whether a request names it; `*` names no answer that was given.
    fn is_known_to(&self, request: &HttpRequest) -> bool {
        match Sent::parse(request) {
            Ok(Sent::Items(known)) => known.iter().any(|tag| tag.weak_eq(&self.0)),
            Ok(Sent::Any) | Err(_) => false,
        }
    }

    /// Puts it on a response, which may be kept by who asked, and has to be asked for again.
    pub(super) fn on(&self, mut response: HttpResponse) -> HttpResponse {
        let headers = response.headers_mut();
        // What a tag is made of may stand in a header.
        if let Ok(tag) = HeaderValue::from_str(&self.0.to_string()) {
            headers.insert(ETAG, tag);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.insert(VARY, HeaderValue::from_static("Accept"));
        response
    }
}
