//! What answers with numbers have in common: the version of the data that they tell.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::dev::Payload;
use actix_web::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CACHE_CONTROL, ContentType, ETAG, EntityTag, Header, HeaderName,
    HeaderValue, IfNoneMatch as Sent, VARY,
};
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use futures::future::LocalBoxFuture;
use serde::Serialize;
use utoipa::IntoParams;

use super::link::set_filters;
use crate::answers::Asked;
use crate::app::App;
use crate::auth::{Caller, Reach};
use crate::print::Sheet;
use crate::problem::{Problem, kinds};

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

/// A question for numbers, by somebody who is let in: what he may read, and where the data stood when it came in. The
/// data are read after that: an answer may be newer than its tag, never older.
pub(super) struct Asking {
    /// What the asker may read. Nothing else of him makes a difference to the answer, so it is all that a handler sees.
    pub reach: Reach,
    /// Whether the sums that are kept hold the whole library.
    pub sums_are_complete: bool,
    app: web::Data<App>,
    request: HttpRequest,
    asked: Asked,
    /// The entity tag of the answer. Weak, for the instant at which it was made stands in it too.
    tag: EntityTag,
}

impl FromRequest for Asking {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = request.app_data::<web::Data<App>>().cloned();
            let app = app.ok_or(Problem::new(kinds::INTERNAL))?;
            let (caller, state) = Caller::and_state(&request).await?;
            let (reach, clock) = (caller.principal.reads(), app.db.clock());
            let header = |name: HeaderName| {
                let sent = request.headers().get(name);
                sent.map(|value| value.as_bytes().to_vec())
            };
            let asked = Asked {
                version: state.version,
                path: request.path().to_owned(),
                query: request.query_string().to_owned(),
                reach: reach.clone(),
                taken: [ACCEPT, ACCEPT_LANGUAGE].map(header),
                day: clock.day_of(clock.now()),
            };
            let mut hasher = DefaultHasher::new();
            asked.hash(&mut hasher);
            // What else an answer is made by: a later version may tell it otherwise, and so may another setting.
            (env!("CARGO_PKG_VERSION"), app.landing_months).hash(&mut hasher);
            let tag = format!("{}-{:016x}", state.version, hasher.finish());
            Ok(Self {
                reach,
                sums_are_complete: state.is_complete,
                app,
                request,
                asked,
                tag: EntityTag::new_weak(tag),
            })
        })
    }
}

impl Asking {
    /// The filters that are set.
    pub(super) fn filters(&self) -> BTreeMap<String, Vec<String>> {
        set_filters(self.request.query_string())
    }

    /// The response, if the asker knows the answer or it was given before. A table tells names too, of which the version
    /// of the data knows nothing: it is made anew.
    pub(super) fn known(&self, sheet: Option<Sheet>) -> Option<HttpResponse> {
        if sheet.is_some() {
            return None;
        }
        if self.is_known_to_asker() {
            return Some(self.tagged(HttpResponse::NotModified().finish()));
        }
        let body = self.app.answers.find(&self.asked)?;
        Some(self.response(body))
    }

    /// Answers, and keeps the answer.
    pub(super) fn answer(&self, view: &impl Serialize) -> Result<HttpResponse, Problem> {
        let body = serde_json::to_vec(view).map_err(|error| {
            tracing::error!(%error, "an answer that can't be written down");
            Problem::new(kinds::INTERNAL)
        })?;
        let body = Bytes::from(body);
        self.app.answers.keep(self.asked.clone(), body.clone());
        Ok(self.response(body))
    }

    /// Whether the request names the tag; `*` names no answer that was given.
    fn is_known_to_asker(&self) -> bool {
        match Sent::parse(&self.request) {
            Ok(Sent::Items(known)) => known.iter().any(|tag| tag.weak_eq(&self.tag)),
            Ok(Sent::Any) | Err(_) => false,
        }
    }

    fn response(&self, body: Bytes) -> HttpResponse {
        let json = HttpResponse::Ok()
            .content_type(ContentType::json())
            .body(body);
        self.tagged(json)
    }

    /// A response, which may be kept by who asked, and has to be asked for again.
    fn tagged(&self, mut response: HttpResponse) -> HttpResponse {
        let headers = response.headers_mut();
        // What a tag is made of may stand in a header.
        if let Ok(tag) = HeaderValue::from_str(&self.tag.to_string()) {
            headers.insert(ETAG, tag);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.insert(VARY, HeaderValue::from_static("Accept"));
        response
    }
}
