//! Whether the service lives, and whether it can work.

use std::sync::atomic::Ordering;

use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, get, web};
use chrono::{DateTime, Utc};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::problem::{Problem, kinds};
use crate::store::{Failure, rollup, webhook};

/// The media type of figures for monitoring.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(get_health)
        .service(get_readiness)
        .service(get_metrics);
}

/// How the service is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`: a service that isn't answers a problem, or not at all.
    #[schema(example = "ok")]
    status: String,
    /// Its version.
    version: String,
}

/// Does the process live
#[utoipa::path(tag = "operations", security(()),
    responses((status = 200, description = "It does", body = Health)))]
#[get("/healthz")]
async fn get_health() -> HttpResponse {
    HttpResponse::Ok().json(Health {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// How the sums are that summaries are read from.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sums {
    /// `agree` with the library, `differ` from it, or `unproved` so far. A sum that differs does not make the service
    /// unready: `taizhang rollup verify` names it, `taizhang rollup rebuild` makes it right.
    #[schema(example = "agree")]
    state: String,
    /// When they were proved last; null if they never were.
    proved_at: Option<DateTime<Utc>>,
    /// How many differed then.
    differences: Option<i64>,
}

impl From<rollup::Health> for Sums {
    fn from(health: rollup::Health) -> Self {
        let state = match health.proved {
            None => "unproved",
            Some((_, 0)) => "agree",
            Some(_) => "differ",
        };
        Self {
            state: state.to_owned(),
            proved_at: health.proved.map(|(at, _)| at),
            differences: health.proved.map(|(_, count)| count),
        }
    }
}

/// Whether the service can work.
#[derive(Debug, Serialize, ToSchema)]
pub struct Readiness {
    /// Always `ok`: a service that can't work answers a problem.
    #[schema(example = "ok")]
    status: String,
    /// Its version.
    version: String,
    /// How the sums are that summaries are read from.
    sums: Sums,
}

/// Can the service work
///
/// It reaches its database and has not been asked to stop.
#[utoipa::path(tag = "operations", security(()),
    responses((status = 200, description = "It can", body = Readiness)))]
#[get("/readyz")]
async fn get_readiness(app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let not_ready = |zh: &str, en: &str| {
        Problem::new(kinds::UNAVAILABLE)
            .say(zh, en)
            .with_header(RETRY_AFTER, "2")
    };
    if app.draining.load(Ordering::Relaxed) {
        return Err(not_ready("服务正在停止", "The service is stopping"));
    }
    let sums = rollup::health(app.db.reader())
        .await
        .map_err(|_| not_ready("数据库无法连接", "The database can't be reached"))?;
    Ok(HttpResponse::Ok().json(Readiness {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        sums: Sums::from(sums),
    }))
}

/// Figures for monitoring
///
/// In the text format of Prometheus (OpenMetrics): how the sums are that summaries are read from, and how many
/// deliveries to webhooks wait.
#[utoipa::path(tag = "operations", security(()),
    responses((status = 200, description = "The figures", body = String, content_type = "application/openmetrics-text")))]
#[get("/metrics")]
async fn get_metrics(app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let health = rollup::health(app.db.reader())
        .await
        .map_err(Failure::told)?;
    let webhooks = webhook::work::health(app.db.reader())
        .await
        .map_err(Failure::told)?;
    let mut registry = Registry::default();
    let mut gauge = |name: &str, help: &str, value: i64| {
        let gauge = Gauge::<i64>::default();
        gauge.set(value);
        registry.register(name, help, gauge);
    };
    gauge(
        "taizhang_sums_waiting",
        "Changes that wait to be folded into the sums that are kept",
        health.waiting,
    );
    let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    gauge(
        "taizhang_webhook_deliveries_waiting",
        "Deliveries to webhooks that wait for their turn or to be tried again",
        count(webhooks.waiting),
    );
    gauge(
        "taizhang_webhooks_disabled",
        "Webhooks that were disabled because their receivers are gone or take nothing",
        count(webhooks.disabled),
    );
    if let Some((at, differences)) = health.proved {
        gauge(
            "taizhang_sums_differences",
            "Sums that differed from the library when they were proved last",
            differences,
        );
        gauge(
            "taizhang_sums_proved_timestamp_seconds",
            "When the sums were proved last",
            at.timestamp(),
        );
    }
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|e| Failure::Broken(e.to_string()).told())?;
    Ok(HttpResponse::Ok().content_type(OPEN_METRICS).body(text))
}
