//! The one who asks.

use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::auth::{Caller, may};

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(get_me);
}

/// The one who asks, with all rights.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    /// The account.
    id: Uuid,
    /// The name to sign in with.
    #[schema(example = "officer")]
    username: String,
    /// The name to show.
    display_name: String,
    /// The rights; they are ORed.
    grants: Vec<GrantView>,
}

/// A right: a role, and the region in whose subtree it holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantView {
    /// The role: `officer`, `manager`, `leader`, `administrator`.
    #[schema(example = "officer")]
    role: String,
    /// The region; null for everywhere.
    #[schema(example = "211100")]
    region: Option<String>,
}

/// Who am I
#[utoipa::path(tag = "sign-in", security(("bearer" = [])),
    responses((status = 200, description = "The caller", body = Me)))]
#[get("/v1/me")]
async fn get_me(caller: Caller<may::BeHere>) -> HttpResponse {
    let principal = caller.principal;
    HttpResponse::Ok().json(Me {
        id: principal.id,
        username: principal.username,
        display_name: principal.display_name,
        grants: principal
            .grants
            .into_iter()
            .map(|grant| GrantView {
                role: grant.role.code().to_owned(),
                region: grant.region,
            })
            .collect(),
    })
}
