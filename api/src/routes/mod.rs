//! One file a resource: extract, call, render.

pub mod accounts;
pub mod approvals;
pub mod attainment;
pub mod audit;
pub mod auth;
pub mod batch;
mod contract;
pub mod diff;
pub mod events;
pub mod exports;
pub mod external_refs;
pub mod grants;
pub mod health;
pub mod history;
pub mod imports;
pub mod investment;
mod link;
pub mod lists;
pub mod me;
pub mod numbers;
pub mod oauth;
pub mod once;
mod pages;
pub mod plan_years;
pub mod projects;
pub mod provider;
pub mod query;
pub mod reference;
pub mod scoreboard;
pub mod service_accounts;
pub mod stage_rules;
pub mod summary;
mod table;
pub mod targets;
pub mod transitions;
pub mod users;
pub mod views;
pub mod webhooks;

use actix_web::http::header::{ETAG, LINK};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::page::Page;
use crate::precondition::{Precondition, etag};

pub use contract::contract;
pub(crate) use pages::{nowhere, pages};

/// Every operation of the contract.
pub(crate) fn api(service: &mut ServiceConfig) {
    auth::operations(service);
    provider::operations(service);
    me::operations(service);
    projects::operations(service);
    external_refs::operations(service);
    batch::operations(service);
    exports::operations(service);
    imports::operations(service);
    transitions::operations(service);
    approvals::operations(service);
    plan_years::operations(service);
    investment::operations(service);
    history::operations(service);
    events::operations(service);
    webhooks::operations(service);
    lists::operations(service);
    summary::operations(service);
    diff::operations(service);
    accounts::operations(service);
    // Before the single target, whose path would take it for a code.
    attainment::operations(service);
    targets::operations(service);
    scoreboard::operations(service);
    stage_rules::operations(service);
    reference::operations(service);
    users::operations(service);
    grants::operations(service);
    service_accounts::operations(service);
    oauth::operations(service);
    audit::operations(service);
    health::operations(service);
}

/// A single resource, with the entity tag of its version.
fn single<T: Serialize>(body: &T, version: i64) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((ETAG, etag(version)))
        .json(body)
}

/// The answer to a PUT that has made or replaced something, with the entity tag of its version.
fn put_done(precondition: Precondition, version: i64) -> HttpResponseBuilder {
    let mut response = match precondition {
        Precondition::Absent => HttpResponse::Created(),
        Precondition::Version(_) => HttpResponse::Ok(),
    };
    response.insert_header((ETAG, etag(version)));
    response
}

/// A page of a list; `Link` says where the next one is.
fn page<T: Serialize>(
    request: &actix_web::HttpRequest,
    items: Vec<T>,
    next: Option<String>,
    total: Option<u64>,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(cursor) = &next {
        let kept: Vec<&str> = request
            .query_string()
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("cursor="))
            .collect();
        let query = [kept, vec![&format!("cursor={cursor}")]].concat().join("&");
        response.insert_header((LINK, format!("<{}?{query}>; rel=\"next\"", request.path())));
    }
    response.json(Page {
        items,
        next_cursor: next,
        total,
    })
}
