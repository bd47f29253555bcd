//! The edge: what every request passes on its way in and out.

mod cross_origin;
mod headers;
pub mod limits;
pub mod source;
pub mod tls;
mod unread;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use actix_cors::CorsError;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, VARY};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};
use tracing::Instrument;

use crate::app::App;
use crate::clock::new_id;
use crate::config::Config;
use crate::print::negotiate::take_ending;
use crate::problem::{Language, Problem, kinds};
use crate::store::{Author, event};

pub(crate) use cross_origin::cross_origin;
pub(crate) use headers::PAGE_POLICY;
use limits::Limits;
use source::{Proxies, Source};
use tls::{Certificate, CertificateError};
use unread::Unread;

/// The longest request id that is taken over from a client, in characters.
const MAX_REQUEST_ID: usize = 128;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What the edge goes by, from the configuration.
#[derive(Debug)]
pub struct Edge {
    /// Whose word counts on where a request came from.
    pub proxies: Proxies,
    /// How much one asker may ask.
    pub limits: Limits,
    /// The certificate, if the service speaks TLS itself.
    pub certificate: Option<Arc<Certificate>>,
}

impl Edge {
    /// The edge as it is configured.
    ///
    /// # Errors
    /// [`CertificateError`] if the certificate or its key can't be used.
    pub fn new(config: &Config) -> Result<Self, CertificateError> {
        let certificate = match (&config.tls_certificate, &config.tls_key) {
            (Some(certificate), Some(key)) => Some(Certificate::from_files(certificate, key)?),
            (Some(_), None) | (None, _) => None,
        };
        Ok(Self {
            proxies: Proxies::new(config.trusted_proxies.clone()),
            limits: Limits::new(
                config.rate_limit_per_address,
                config.rate_limit_per_principal,
            ),
            certificate: certificate.map(Arc::new),
        })
    }
}

/// The id of a request, as the edge gave or took it.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) String);

/// Gives a request its id, its source, its language and its log line; gives the answer its problem and its headers.
pub(crate) async fn edge<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    take_ending(&mut request);
    let id = incoming_id(request.headers());
    let language = Language::of(request.headers());
    let path = request.path().to_owned();
    let app = request.app_data::<web::Data<App>>().cloned();
    let source = app
        .as_ref()
        .map_or_else(Source::default, |app| app.edge.proxies.source(&request));
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(source);
    let span = tracing::info_span!(
        "request",
        id,
        method = %request.method(),
        path,
        source = source.address.map(tracing::field::display),
        trace = request.headers().get(&TRACEPARENT).and_then(|v| v.to_str().ok()),
        user = tracing::field::Empty,
    );
    // A HEAD is answered as the GET would be; the connection leaves the body out.
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let unread = Unread::of(&mut request);
    let started = tokio::time::Instant::now();
    // Handlers and extractors answer; nothing between here and them fails.
    let response = next
        .call(request)
        .instrument(span.clone())
        .await?
        .map_into_boxed_body();
    if response.status() == StatusCode::FORBIDDEN
        && let Some(app) = &app
    {
        record_denial(app, response.request()).await;
    }
    let mut response = told(response, language, &path, &id);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    headers::make_careful(response.headers_mut(), source.is_https);
    if app.is_some_and(|app| app.draining.load(Ordering::Relaxed)) {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let status = response.status().as_u16();
    let elapsed = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(status, micros = elapsed, "answered"));
    Ok(match unread {
        Some(unread) => unread.held_by(response),
        None => response,
    })
}

/// Records that somebody who is known asked for what he may not do. If that can't be written he is refused all the same,
/// and the log says so.
pub(crate) async fn record_denial(app: &App, request: &HttpRequest) {
    let Some(by) = request.extensions().get::<Author>().cloned() else {
        return;
    };
    let route = request.match_pattern().unwrap_or_default();
    let entry = event::Entry::of_operation(request.method().as_str(), &route, "denied").denied();
    let denied = app
        .db
        .write(by, async move |tx| event::record(tx, entry.clone()).await);
    if denied.await.is_err() {
        tracing::error!("a denial could not be recorded");
    }
}

/// Turns away whoever asks too much, by address, before any work is done for him.
///
/// Within [`cross_origin`], so that a page of another origin can read when to try again.
pub(crate) async fn limited<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let address = crate::app::source(request.request());
    let allowed = match (request.app_data::<web::Data<App>>(), address) {
        (Some(app), Some(address)) if !limits::is_free(request.path()) => {
            app.edge.limits.address(address)
        }
        _ => Ok(()),
    };
    match allowed {
        Ok(()) => Ok(next.call(request).await?.map_into_boxed_body()),
        Err(problem) => Ok(request.error_response(problem)),
    }
}

/// Writes the problem that an answer carries, or that its bare status means.
fn told(
    mut response: ServiceResponse,
    language: Language,
    path: &str,
    id: &str,
) -> ServiceResponse {
    let carried = response.response_mut().extensions_mut().remove::<Problem>();
    let is_bare_failure = (response.status().is_client_error()
        || response.status().is_server_error())
        && !response.headers().contains_key(CONTENT_TYPE);
    let is_text_failure = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/plain"))
        && response.status().as_u16() >= 400;
    let is_cross_origin_refusal = response
        .response()
        .error()
        .is_some_and(|error| error.as_error::<CorsError>().is_some());
    let problem = match carried {
        Some(problem) => problem,
        None if is_cross_origin_refusal => Problem::new(kinds::CROSS_ORIGIN_REFUSED),
        None if is_bare_failure || is_text_failure => {
            Problem::new(kinds::of_status(response.status().as_u16()))
        }
        None => return response,
    };
    let (request, said) = response.into_parts();
    let mut told = problem.told(language, path, id);
    // Without them a page of another origin that is allowed here could not read what went wrong.
    for (name, value) in said.headers() {
        if *name == VARY || name.as_str().starts_with("access-control-") {
            told.headers_mut().append(name.clone(), value.clone());
        }
    }
    ServiceResponse::new(request, told)
}

fn incoming_id(headers: &HeaderMap) -> String {
    headers
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            (1..=MAX_REQUEST_ID).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
        })
        .map_or_else(|| new_id().to_string(), str::to_owned)
}
