//! The service: what its handlers share, the edge that every request passes, and serving.

use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::{Next, from_fn};
use actix_web::{HttpMessage, HttpRequest, HttpServer, web};
use ipnet::Ipv6Net;
use tracing::Instrument;
use utoipa_actix_web::AppExt;
use uuid::Uuid;

use crate::auth::Policy;
use crate::auth::keys::{KeyError, Vault};
use crate::auth::second_factor::SecondFactor;
use crate::auth::token::Tokens;
use crate::clock::new_id;
use crate::config::Config;
use crate::housekeeping;
use crate::problem::{Language, Problem, kinds};
use crate::routes;
use crate::store::Db;

/// How long a connection may stay idle.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long the head of a request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests that were taken in may go on after SIGTERM, in seconds.
const SHUTDOWN_TIMEOUT: u64 = 15;
/// The longest request id that is taken over from a client, in characters.
const MAX_REQUEST_ID: usize = 128;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What all handlers share.
#[derive(Clone, Debug)]
pub struct App {
    /// The library.
    pub db: Db,
    /// Signs and reads tokens.
    pub tokens: Arc<Tokens>,
    /// Seals the secrets of second factors.
    pub vault: Arc<Vault>,
    /// What the office demands of those who sign in.
    pub policy: Arc<Policy>,
    /// The name under which authenticators show this service.
    pub issuer: Arc<str>,
    /// Set when the service has been asked to stop: no longer ready, and closing connections.
    pub draining: Arc<AtomicBool>,
}

impl App {
    /// The second factor of an account, out of its sealed secret.
    ///
    /// # Errors
    /// [`KeyError`] if it does not open.
    pub fn second_factor(
        &self,
        account: Uuid,
        username: &str,
        sealed: &str,
    ) -> Result<SecondFactor, KeyError> {
        let secret = self.vault.open_sealed(account.as_bytes(), sealed)?;
        SecondFactor::new(&secret, &self.issuer, username)
    }
}

/// The id of a request, as the edge gave or took it.
#[derive(Clone, Debug)]
struct RequestId(String);

/// The id of a request: for its log lines, its events and its problems.
#[must_use]
pub fn request_id(request: &HttpRequest) -> String {
    request
        .extensions()
        .get::<RequestId>()
        .map_or_else(String::new, |id| id.0.clone())
}

/// The address that a request came from.
#[must_use]
pub fn source(request: &HttpRequest) -> Option<IpAddr> {
    request.peer_addr().map(|address| address.ip())
}

/// The network that failures are counted for: an address, or the /64 that one holder of IPv6 has.
#[must_use]
pub fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Net::new_assert(address, 64).trunc().to_string(),
    }
}

/// Serves on a listener that is already bound; returns when it has stopped.
///
/// # Errors
/// [`std::io::Error`] if the listener can't be used.
pub fn serve(listener: TcpListener, config: &Config, app: App) -> std::io::Result<Server> {
    let contract = Arc::new(routes::contract());
    housekeeping::start(app.clone());
    let server = HttpServer::new(move || {
        let contract = Arc::clone(&contract);
        actix_web::App::new()
            .into_utoipa_app()
            .app_data(web::Data::new(app.clone()))
            .app_data(web::PathConfig::default().error_handler(|_, _| Problem::not_found().into()))
            .configure(routes::api)
            .into_app()
            .configure(move |service| routes::pages(service, &contract))
            .default_service(web::to(routes::nowhere))
            .wrap(from_fn(edge))
    })
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(SHUTDOWN_TIMEOUT)
    .disable_signals();
    let server = match config.workers {
        Some(workers) => server.workers(workers),
        None => server,
    };
    Ok(server.listen(listener)?.run())
}

/// What every request passes on its way in and out: its id, its language, its log line, its problems.
async fn edge<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<actix_web::body::BoxBody>, actix_web::Error> {
    let id = incoming_id(request.headers());
    let language = Language::of(request.headers());
    let path = request.path().to_owned();
    let draining = request
        .app_data::<web::Data<App>>()
        .is_some_and(|app| app.draining.load(Ordering::Relaxed));
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!(
        "request",
        id,
        method = %request.method(),
        path,
        trace = request.headers().get(&TRACEPARENT).and_then(|v| v.to_str().ok()),
        user = tracing::field::Empty,
    );
    // A HEAD is answered as the GET would be; the connection leaves the body out.
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let started = tokio::time::Instant::now();
    // Handlers and extractors answer; nothing between here and them fails.
    let response = next
        .call(request)
        .instrument(span.clone())
        .await?
        .map_into_boxed_body();
    let mut response = told(response, language, &path, &id);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    for (name, value) in SAFE_HEADERS {
        response.headers_mut().insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    if draining {
        response
            .headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let status = response.status().as_u16();
    let elapsed = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(status, micros = elapsed, "answered"));
    Ok(response)
}

/// Headers that make a browser careful with every answer.
const SAFE_HEADERS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cache-control", "no-store"),
];

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
    let problem = match carried {
        Some(problem) => problem,
        None if is_bare_failure || is_text_failure => {
            Problem::new(kinds::of_status(response.status().as_u16()))
        }
        None => return response,
    };
    let (request, _) = response.into_parts();
    ServiceResponse::new(request, problem.told(language, path, id))
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
