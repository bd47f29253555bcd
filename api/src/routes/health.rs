//! Whether the service lives, and whether it can work.

use std::sync::atomic::Ordering;

use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::App;
use crate::problem::{Problem, kinds};

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(get_health).service(get_readiness);
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

fn ok() -> HttpResponse {
    HttpResponse::Ok().json(Health {
        status: "ok".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// Does the process live
#[utoipa::path(tag = "operations", security(()),
    responses((status = 200, description = "It does", body = Health)))]
#[get("/healthz")]
async fn get_health() -> HttpResponse {
    ok()
}

/// Can the service work
///
/// It reaches its database and has not been asked to stop.
#[utoipa::path(tag = "operations", security(()),
    responses((status = 200, description = "It can", body = Health)))]
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
    crate::store::ping(app.db.reader())
        .await
        .map_err(|_| not_ready("数据库无法连接", "The database can't be reached"))?;
    Ok(ok())
}
