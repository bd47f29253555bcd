//! The service: what its handlers share, and serving.

use std::net::{IpAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{HttpMessage, HttpRequest, HttpServer, web};
use tokio::sync::Semaphore;
use utoipa_actix_web::AppExt;
use uuid::Uuid;

use crate::answers::Answers;
use crate::audit::sealer::Sealer;
use crate::auth::Policy;
use crate::auth::keys::{KeyError, Vault};
use crate::auth::provider::Provider;
use crate::auth::second_factor::SecondFactor;
use crate::auth::token::Tokens;
use crate::config::{Config, OpenData};
use crate::delivery;
use crate::delivery::receiver::Receivers;
use crate::edge::source::Source;
use crate::edge::{Edge, RequestId, cross_origin, edge, limited};
use crate::housekeeping;
use crate::import::Desk;
use crate::problem::Problem;
use crate::routes;
use crate::store::Db;

/// How long a connection may stay idle.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long the head of a request may take to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests that were taken in may go on after SIGTERM, in seconds.
const SHUTDOWN_TIMEOUT: u64 = 15;
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
    /// The office's own identity provider, if there is one.
    pub provider: Option<Arc<Provider>>,
    /// The name under which authenticators show this service.
    pub issuer: Arc<str>,
    /// What the edge goes by: proxies, limits, the certificate.
    pub edge: Arc<Edge>,
    /// Within how many months what was signed has to land (落地率).
    pub landing_months: u32,
    /// How many seconds an answer waits for an event at the most.
    pub event_wait: u64,
    /// Leave to wait for events.
    pub followers: Arc<Semaphore>,
    /// What was answered already.
    pub answers: Arc<Answers>,
    /// Seals what is recorded.
    pub sealer: Arc<Sealer>,
    /// Where files are taken in.
    pub imports: Desk,
    /// How projects are told to everybody.
    pub open_data: Arc<OpenData>,
    /// Leave to make a file of projects; only so many are made at a time.
    pub exports: Arc<Semaphore>,
    /// Where webhooks are sent.
    pub receivers: Arc<Receivers>,
    /// Leave to send to webhooks.
    pub sending: Arc<Semaphore>,
    /// Where files are made that are gone when they have been sent.
    pub scratch: Arc<Path>,
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

/// The id of a request: for its log lines, its events and its problems.
#[must_use]
pub fn request_id(request: &HttpRequest) -> String {
    request
        .extensions()
        .get::<RequestId>()
        .map_or_else(String::new, |id| id.0.clone())
}

/// The address that a request came from, which a trusted proxy may have named; no IPv4 address is written as IPv6.
#[must_use]
pub fn source(request: &HttpRequest) -> Option<IpAddr> {
    request.extensions().get::<Source>()?.address
}

/// Serves on a listener that is already bound; returns when it has stopped. What is recorded is sealed and told to
/// webhooks meanwhile.
///
/// # Errors
/// [`std::io::Error`] if the listener or the certificate can't be used.
pub fn serve(listener: TcpListener, config: &Config, app: App) -> std::io::Result<Server> {
    actix_web::rt::spawn(Arc::clone(&app.sealer).run(app.db.clone()));
    let contract = Arc::new(routes::contract());
    housekeeping::start(app.clone());
    delivery::start(app.clone());
    let origins = config.cors_origins.clone();
    let certificate = app.edge.certificate.clone();
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
            // The last is the first that a request meets.
            .wrap(from_fn(limited))
            .wrap(cross_origin(&origins))
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
    let server = match certificate {
        Some(certificate) => {
            let tls = certificate.for_server().map_err(std::io::Error::other)?;
            server.listen_rustls_0_23(listener, tls)?
        }
        None => server.listen(listener)?,
    };
    Ok(server.run())
}
