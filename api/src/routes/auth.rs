//! Signing in and out.

use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::app::{App, request_id, source};
use crate::auth::password::HashError;
use crate::auth::token::{ACCESS_LIFE, Use};
use crate::auth::{Caller, may, password};
use crate::body::Body;
use crate::clock::new_id;
use crate::problem::{Problem, kinds};
use crate::store::account::{self, Session};
use crate::store::{Author, Failure};

/// The longest name that is looked up, in characters.
const MAX_USERNAME: usize = 64;

pub(super) fn operations(service: &mut ServiceConfig) {
    service.service(login).service(refresh).service(logout);
}

/// Who signs in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The name to sign in with.
    #[schema(min_length = 1, max_length = 64, example = "officer")]
    username: String,
    /// The password.
    #[schema(min_length = 1, max_length = 128, format = Password, example = "Taizhang-demo-2025")]
    password: String,
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// The token, which is used up by this.
    #[schema(min_length = 1, max_length = 4096)]
    refresh_token: String,
}

/// Tokens of a sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenPair {
    /// To be sent as `Authorization: Bearer ...`.
    access_token: String,
    /// To get new tokens, once.
    refresh_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: String,
    /// For how many seconds the access token is good.
    #[schema(example = 600)]
    expires_in: i64,
}

/// Sign in
///
/// With name and password; answers an access token for ten minutes and a refresh token.
#[utoipa::path(tag = "sign-in", request_body = Credentials, security(()),
    responses((status = 200, description = "Signed in", body = TokenPair)))]
#[post("/auth/login")]
async fn login(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<Credentials>,
) -> Result<HttpResponse, Problem> {
    let Credentials { username, password } = body.value;
    let wrong = || Problem::new(kinds::WRONG_CREDENTIALS);
    if username.chars().count() > MAX_USERNAME
        || password.chars().count() > password::MAX_PASSWORD
        || username.contains('\0')
    {
        return Err(wrong());
    }
    let known = account::credentials(app.db.reader(), &username)
        .await
        .map_err(Failure::told)?;
    let hash = known.as_ref().map(|(_, hash)| hash.clone());
    let is_right = password::verify(password, hash)
        .await
        .map_err(not_checked)?;
    let id = known.filter(|_| is_right).ok_or_else(wrong)?.0;
    let by = Author {
        account: Some(id),
        name: username,
        request_id: Some(request_id(&request)),
        source: source(&request),
    };
    let session = app
        .db
        .write(by, async move |tx| account::sign_in(tx, id).await)
        .await?;
    pair(&app, session)
}

/// Renew a sign-in
///
/// A refresh token is good once: the answer holds the next one.
#[utoipa::path(tag = "sign-in", request_body = RefreshRequest, security(()),
    responses((status = 200, description = "Renewed", body = TokenPair)))]
#[post("/auth/refresh")]
async fn refresh(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<RefreshRequest>,
) -> Result<HttpResponse, Problem> {
    let claims = app
        .tokens
        .read(Use::Refresh, &body.value.refresh_token)
        .ok_or(Problem::new(kinds::INVALID_REFRESH_TOKEN))?;
    let by = Author {
        account: Some(claims.sub),
        name: "refresh".to_owned(),
        request_id: Some(request_id(&request)),
        source: source(&request),
    };
    let session = app
        .db
        .write(by, async move |tx| {
            account::renew(tx, claims.sid, claims.jti).await
        })
        .await?;
    pair(&app, session)
}

/// Sign out
///
/// Ends this sign-in: its tokens are good for nothing from now on.
#[utoipa::path(tag = "sign-in", security(("bearer" = [])),
    responses((status = 204, description = "Signed out")))]
#[post("/auth/logout")]
async fn logout(app: web::Data<App>, caller: Caller<may::BeHere>) -> Result<HttpResponse, Problem> {
    let (session, account) = (caller.principal.session, caller.principal.id);
    app.db
        .write(caller.author(), async move |tx| {
            account::sign_out(tx, session, account).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn not_checked(error: HashError) -> Problem {
    match error {
        HashError::Busy => Problem::new(kinds::UNAVAILABLE).with_header(RETRY_AFTER, "5"),
        HashError::Failed(error) => {
            tracing::error!(error, "a password could not be checked");
            Problem::new(kinds::INTERNAL)
        }
    }
}

fn pair(app: &App, session: Session) -> Result<HttpResponse, Problem> {
    let now = app.db.clock().now();
    let sign = |purpose, id, until| {
        app.tokens
            .sign(purpose, (session.account, session.id, id), now, until)
            .map_err(|error| {
                tracing::error!(%error, "a token could not be signed");
                Problem::new(kinds::INTERNAL)
            })
    };
    Ok(HttpResponse::Ok().json(TokenPair {
        access_token: sign(Use::Access, new_id(), now + ACCESS_LIFE)?,
        refresh_token: sign(Use::Refresh, session.refresh_id, session.idle_until)?,
        token_type: "Bearer".to_owned(),
        expires_in: ACCESS_LIFE.num_seconds(),
    }))
}
