//! Tokens for other offices' systems: OAuth 2.0 client credentials (RFC 6749, 7523).

use std::collections::BTreeSet;

use actix_web::http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, post, web};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::auth::{broken_key, locked_out, refuse_locked};
use crate::app::{App, request_id, source};
use crate::auth::keys::hash_of_secret;
use crate::auth::token::{ACCESS_LIFE, Use};
use crate::auth::{Scope, assertion};
use crate::body::Form;
use crate::clock::new_id;
use crate::problem::Problem;
use crate::store::account::attempts::{Attempt, Verdict};
use crate::store::account::is_listed;
use crate::store::account::service::{self, Client, Proof};
use crate::store::{Author, Failure};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// The longest name or secret that is looked at, in bytes.
const MAX_SECRET: usize = 256;

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(get_token);
}

/// What a system asks for.
#[derive(Deserialize, ToSchema)]
pub struct TokenRequest {
    /// Always `client_credentials`.
    #[schema(pattern = "^client_credentials$", example = "client_credentials")]
    grant_type: String,
    /// What the token is to be good for, parted by blanks; all that the system may ask for if it is left out.
    #[schema(
        nullable = false,
        max_length = 500,
        example = "projects:read summary:read"
    )]
    scope: Option<String>,
    /// The system's name, where it proves itself by an assertion.
    #[schema(nullable = false, max_length = 64)]
    client_id: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    #[schema(nullable = false)]
    client_assertion_type: Option<String>,
    /// A JWT signed by one of the system's keys: `iss` and `sub` its name, `aud` this service's issuer, `jti`, and
    /// `exp` within five minutes.
    #[schema(nullable = false, max_length = 8192)]
    client_assertion: Option<String>,
}

impl std::fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenRequest")
    }
}

/// A token for a system.
#[derive(Serialize, ToSchema)]
pub struct ClientToken {
    /// To be sent as `Authorization: Bearer ...`.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: String,
    /// For how many seconds it is good.
    #[schema(example = 600)]
    expires_in: i64,
    /// What it is good for.
    #[schema(example = "projects:read summary:read")]
    scope: String,
}

/// A refusal as OAuth 2.0 words it (RFC 6749, section 5.2).
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenRefusal {
    /// `invalid_request`, `invalid_client`, `invalid_scope` or `unsupported_grant_type`.
    #[schema(example = "invalid_client")]
    error: String,
    /// In words.
    error_description: String,
}

fn refused(error: &str, description: &str) -> HttpResponse {
    let mut response = if error == "invalid_client" {
        HttpResponse::Unauthorized()
    } else {
        HttpResponse::BadRequest()
    };
    if error == "invalid_client" {
        response.insert_header((WWW_AUTHENTICATE, "Basic realm=\"taizhang\""));
    }
    response
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(TokenRefusal {
            error: error.to_owned(),
            error_description: description.to_owned(),
        })
}

/// Get a token as a system
///
/// OAuth 2.0 client credentials, by `client_secret_basic` or `private_key_jwt`. The token is good for ten minutes;
/// ask again then. Refusals are worded as RFC 6749 has them.
#[utoipa::path(tag = "sign-in", security(()),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "A token", body = ClientToken),
        (status = 400, description = "The request is wrong", body = TokenRefusal),
        (status = 401, description = "The system is not known by this", body = TokenRefusal)))]
#[post("/oauth/token")]
async fn get_token(
    app: web::Data<App>,
    request: HttpRequest,
    form: Form<TokenRequest>,
) -> Result<HttpResponse, Problem> {
    let Some(asked) = form.0 else {
        return Ok(refused(
            "invalid_request",
            "parameters are missing or repeated",
        ));
    };
    if asked.grant_type != "client_credentials" {
        return Ok(refused("unsupported_grant_type", "only client_credentials"));
    }
    if request.headers().contains_key(AUTHORIZATION) && asked.client_assertion.is_some() {
        return Ok(refused(
            "invalid_request",
            "a secret and an assertion at once",
        ));
    }
    let Some(shown) = shown(&request, &asked) else {
        return Ok(refused(
            "invalid_client",
            "show client_secret_basic or private_key_jwt",
        ));
    };
    let now = app.db.clock().now();
    let attempt = Attempt::new(shown.client_id(), source(&request));
    refuse_locked(&app, &attempt).await?;
    let client = service::client(app.db.reader(), shown.client_id(), now)
        .await
        .map_err(Failure::told)?
        .filter(|client| is_listed(&client.addresses, source(&request)));
    let proof = client
        .as_ref()
        .map_or(Proof::None, |client| shown.proof(&app, client, now));
    let proved = client.as_ref().filter(|_| !matches!(proof, Proof::None));
    let Some(scopes) = scopes(proved, asked.scope.as_deref()) else {
        return Ok(refused(
            "invalid_scope",
            "not among the scopes of this system",
        ));
    };
    let account = client.map(|client| client.account);
    let by = Author {
        account,
        name: account.map_or_else(|| "-".to_owned(), |_| shown.client_id().to_owned()),
        request_id: Some(request_id(&request)),
        source: source(&request),
    };
    let (until, kept) = (now + ACCESS_LIFE, scopes.clone());
    let (verdict, session) = app
        .db
        .write(by, async move |tx| {
            service::sign_in(tx, &attempt, account, &proof, &kept, until).await
        })
        .await?;
    match (verdict, account) {
        (Verdict::Right, Some(account)) => token(&app, account, session, &scopes, now),
        (Verdict::Right | Verdict::Wrong(_), _) => Ok(refused(
            "invalid_client",
            "unknown system, or wrong secret or assertion",
        )),
        (Verdict::Locked(until), _) => Err(locked_out(&app, until)),
    }
}

fn token(
    app: &App,
    account: Uuid,
    session: Uuid,
    scopes: &BTreeSet<Scope>,
    now: DateTime<Utc>,
) -> Result<HttpResponse, Problem> {
    let signed = app
        .tokens
        .sign(
            Use::Access,
            (account, session, new_id()),
            now,
            now + ACCESS_LIFE,
        )
        .map_err(broken_key)?;
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.code()).collect();
    Ok(HttpResponse::Ok().json(ClientToken {
        access_token: signed,
        token_type: "Bearer".to_owned(),
        expires_in: ACCESS_LIFE.num_seconds(),
        scope: scopes.join(" "),
    }))
}

/// What a system shows of itself.
enum Shown {
    Secret {
        client_id: String,
        secret: String,
    },
    Assertion {
        client_id: String,
        assertion: String,
    },
}

/// What a request shows; none if it is nothing that can be read.
fn shown(request: &HttpRequest, asked: &TokenRequest) -> Option<Shown> {
    let basic = request.headers().get(AUTHORIZATION);
    match (basic, &asked.client_assertion) {
        (Some(value), None) => {
            let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
            let bytes = BASE64_STANDARD.decode(encoded.trim()).ok()?;
            let text = String::from_utf8(bytes).ok()?;
            let (client_id, secret) = text.split_once(':')?;
            let (client_id, secret) = (form_decoded(client_id)?, form_decoded(secret)?);
            let is_short = client_id.len() <= MAX_SECRET && secret.len() <= MAX_SECRET;
            let is_same = asked.client_id.as_ref().is_none_or(|id| *id == client_id);
            (scheme.eq_ignore_ascii_case("basic") && is_short && is_same)
                .then_some(Shown::Secret { client_id, secret })
        }
        (None, Some(assertion))
            if asked.client_assertion_type.as_deref() == Some(ASSERTION_TYPE) =>
        {
            let client_id = assertion::named(assertion).filter(|id| id.len() <= MAX_SECRET)?;
            let is_same = asked.client_id.as_ref().is_none_or(|id| *id == client_id);
            is_same.then(|| Shown::Assertion {
                client_id,
                assertion: assertion.clone(),
            })
        }
        _ => None,
    }
    .filter(|shown| !shown.client_id().contains('\0'))
}

/// Name and secret are written as in a form before they are joined (RFC 6749, section 2.3.1).
fn form_decoded(text: &str) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_html_form::from_str(&format!("v={text}")).ok()?;
    match <[(String, String); 1]>::try_from(pairs) {
        Ok([(_, value)]) => Some(value),
        Err(_) => None,
    }
}

impl Shown {
    fn client_id(&self) -> &str {
        match self {
            Self::Secret { client_id, .. } | Self::Assertion { client_id, .. } => client_id,
        }
    }

    fn proof(&self, app: &App, client: &Client, now: DateTime<Utc>) -> Proof {
        match self {
            Self::Secret { secret, .. } => {
                if client.secret_hashes.contains(&hash_of_secret(secret)) {
                    Proof::Secret
                } else {
                    Proof::None
                }
            }
            Self::Assertion {
                client_id,
                assertion,
            } => {
                let read = assertion::read(assertion, client_id, &client.keys, &app.issuer, now);
                read.map_or(Proof::None, |assertion| {
                    Proof::Assertion(assertion.id, assertion.until)
                })
            }
        }
    }
}

/// The scopes of the token; none if one is asked for that the system may not have. Who has not proved himself is
/// told nothing by this.
fn scopes(client: Option<&Client>, asked: Option<&str>) -> Option<BTreeSet<Scope>> {
    let Some(client) = client else {
        return Some(BTreeSet::new());
    };
    match asked {
        None => Some(client.scopes.clone()),
        Some(asked) => asked
            .split_ascii_whitespace()
            .map(|code| Scope::from_code(code).filter(|scope| client.scopes.contains(scope)))
            .collect(),
    }
}
