//! Signing in and out.

use actix_web::http::header::{RETRY_AFTER, USER_AGENT};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::views::ProblemDetails;
use crate::app::{App, request_id, source};
use crate::auth::keys::KeyError;
use crate::auth::password::HashError;
use crate::auth::policy::MAX_PASSWORD;
use crate::auth::second_factor::hash_of_recovery_code;
use crate::auth::token::{ACCESS_LIFE, Use};
use crate::auth::{Caller, password};
use crate::body::Body;
use crate::clock::new_id;
use crate::problem::{Problem, kinds};
use crate::store::account::attempts::{self, Attempt};
use crate::store::account::password::{self as kept, Outcome};
use crate::store::account::second_factor::Proof;
use crate::store::account::session::{self, Because, Renewal, Session};
use crate::store::{Author, Failure};

/// The longest name that is looked up, in characters.
const MAX_USERNAME: usize = 64;
/// The longest code that is looked at, in characters.
const MAX_CODE: usize = 64;

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(login)
        .service(refresh)
        .service(logout)
        .service(get_keys);
}

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// The name to sign in with.
    #[schema(min_length = 1, max_length = 64, example = "officer")]
    username: String,
    /// The password.
    #[schema(min_length = 1, max_length = 128, format = Password, example = "Taizhang-demo-2025")]
    password: String,
    /// The code of the second factor, for those who have one.
    #[schema(max_length = 64, example = json!(null))]
    code: Option<String>,
    /// A recovery code in place of it.
    #[schema(max_length = 64, example = json!(null))]
    recovery_code: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// A refresh token.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// The token, which is used up by this.
    #[schema(min_length = 1, max_length = 4096)]
    refresh_token: String,
}

impl std::fmt::Debug for RefreshRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshRequest")
    }
}

/// Tokens of a sign-in.
#[derive(Serialize, ToSchema)]
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
/// With name and password; answers an access token for ten minutes and a refresh token. Who has a second factor is
/// answered 401 `second_factor_code_required` and sends the same again with `code` or `recovery_code`. Five failures
/// lock the account for that source for 15 minutes: 429 with `Retry-After`. Where passwords are turned off: 403
/// `local_sign_in_off` for everybody.
#[utoipa::path(tag = "sign-in", request_body = Credentials, security(()),
    responses((status = 200, description = "Signed in", body = TokenPair),
        (status = 403, description = "Passwords are turned off", body = ProblemDetails,
            content_type = "application/problem+json")))]
#[post("/auth/login")]
async fn login(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<Credentials>,
) -> Result<HttpResponse, Problem> {
    let Credentials {
        username,
        password,
        code,
        recovery_code,
    } = body.value;
    if !app.policy.local_sign_in {
        return Err(Problem::new(kinds::LOCAL_SIGN_IN_OFF));
    }
    let wrong = || Problem::new(kinds::WRONG_CREDENTIALS);
    let is_too_long = |text: &Option<String>| text.as_ref().is_some_and(|t| t.len() > MAX_CODE);
    if username.chars().count() > MAX_USERNAME
        || password.chars().count() > MAX_PASSWORD
        || username.contains('\0')
        || is_too_long(&code)
        || is_too_long(&recovery_code)
    {
        return Err(wrong());
    }
    let attempt = Attempt::new(&username, source(&request));
    refuse_locked(&app, &attempt).await?;
    let now = app.db.clock().now();
    let known = kept::credentials(app.db.reader(), &username, now)
        .await
        .map_err(Failure::told)?;
    let hash = known.as_ref().map(|known| known.hash.clone());
    let is_password = password::verify(password, hash)
        .await
        .map_err(not_checked)?;
    let proof = match (&known, code, recovery_code) {
        (Some(known), Some(code), _) => known.sealed_secret.as_ref().map(|sealed| {
            let factor = app.second_factor(known.account, &username, sealed);
            factor.map(|factor| Proof::Code(factor.step_of(code.trim(), now)))
        }),
        (Some(_), None, Some(code)) => Some(Ok(Proof::Recovery(hash_of_recovery_code(&code)))),
        _ => None,
    };
    let proof = proof.transpose().map_err(broken_key)?;
    let agent = user_agent(&request);
    let by = author(
        &request,
        &username,
        known.as_ref().map(|known| known.account),
    );
    let outcome = app
        .db
        .write(by, async move |tx| {
            kept::sign_in(
                tx,
                &attempt,
                known.as_ref(),
                is_password,
                proof.as_ref(),
                agent.as_deref(),
            )
            .await
        })
        .await?;
    match outcome {
        Outcome::SignedIn(session) => pair(&app, session),
        Outcome::NeedsSecondFactor => Err(Problem::new(kinds::SECOND_FACTOR_CODE_REQUIRED).say(
            "请再次提交用户名和密码，并带上 code（动态验证码）或 recovery_code（恢复码）",
            "Send name and password again, with code or recovery_code",
        )),
        Outcome::Wrong => Err(wrong()),
        Outcome::Locked(until) => Err(locked_out(&app, until)),
    }
}

/// Who tries: of a name that is not known nothing is written down, for people type passwords where it belongs.
fn author(request: &HttpRequest, username: &str, account: Option<uuid::Uuid>) -> Author {
    Author {
        account,
        name: account.map_or_else(|| "-".to_owned(), |_| username.to_owned()),
        request_id: Some(request_id(request)),
        source: source(request),
    }
}

pub(super) fn user_agent(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(USER_AGENT)?.to_str().ok()?;
    Some(value.to_owned())
}

/// Answers whoever is locked out, before anything is computed for him.
pub(super) async fn refuse_locked(app: &App, attempt: &Attempt) -> Result<(), Problem> {
    let now = app.db.clock().now();
    let locked = attempts::locked_until(app.db.reader(), attempt, now)
        .await
        .map_err(Failure::told)?;
    locked.map_or(Ok(()), |until| Err(locked_out(app, until)))
}

/// 429 until a time.
pub(super) fn locked_out(app: &App, until: DateTime<Utc>) -> Problem {
    let seconds = (until - app.db.clock().now()).num_seconds().max(0) + 1;
    Problem::new(kinds::LOCKED_OUT)
        .say(
            format!("失败次数过多；请在 {} 分钟后再试，或请安全管理员解锁", seconds / 60 + 1),
            format!(
                "Too many failures; try again in {} minutes, or ask the security administrator to unlock it",
                seconds / 60 + 1
            ),
        )
        .with_header(RETRY_AFTER, seconds.to_string())
}

/// Renew a sign-in
///
/// A refresh token is good once: the answer holds the next one. One that comes a second time has been copied, and
/// ends the sign-in for everybody who holds a token of it.
#[utoipa::path(tag = "sign-in", request_body = RefreshRequest, security(()),
    responses((status = 200, description = "Renewed", body = TokenPair)))]
#[post("/auth/refresh")]
async fn refresh(
    app: web::Data<App>,
    request: HttpRequest,
    body: Body<RefreshRequest>,
) -> Result<HttpResponse, Problem> {
    let invalid = || Problem::new(kinds::INVALID_REFRESH_TOKEN);
    let now = app.db.clock().now();
    let claims = app
        .tokens
        .read(Use::Refresh, &body.value.refresh_token, now)
        .ok_or_else(invalid)?;
    let by = author(&request, "refresh", Some(claims.sub));
    let renewal = app
        .db
        .write(by, async move |tx| {
            session::renew(tx, claims.sid, claims.jti).await
        })
        .await?;
    match renewal {
        Renewal::Renewed(session) => pair(&app, session),
        Renewal::Reused => Err(invalid().say(
            "该刷新令牌已被用过；为安全起见，本次登录已结束，请重新登录",
            "This refresh token was used before; to be safe the sign-in has been ended, sign in again",
        )),
        Renewal::Over => Err(invalid()),
    }
}

/// Sign out
///
/// Ends this sign-in: its tokens are good for nothing from now on.
#[utoipa::path(tag = "sign-in", security(("bearer" = [])),
    responses((status = 204, description = "Signed out")))]
#[post("/auth/logout")]
async fn logout(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    let (session, account) = (caller.principal.session, caller.principal.id);
    app.db
        .write(caller.author(), async move |tx| {
            session::end_one(tx, account, session, Because::SignedOut).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
pub struct KeySet {
    /// The keys, newest first.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<Value>,
}

/// Read the public keys
///
/// By which access tokens can be verified; the newest first. A key that has a successor still verifies for an hour.
#[utoipa::path(tag = "sign-in", security(()),
    responses((status = 200, description = "The keys", body = KeySet)))]
#[get("/.well-known/jwks.json")]
async fn get_keys(app: web::Data<App>) -> HttpResponse {
    HttpResponse::Ok().json(KeySet {
        keys: app.tokens.keys().public(),
    })
}

/// A password that could not be compared or hashed.
pub(super) fn not_checked(error: HashError) -> Problem {
    match error {
        HashError::Busy => Problem::new(kinds::UNAVAILABLE).with_header(RETRY_AFTER, "5"),
        HashError::Failed(error) => {
            tracing::error!(error, "a password could not be checked");
            Problem::new(kinds::INTERNAL)
        }
    }
}

/// A key that won't do its work.
#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(super) fn broken_key(error: KeyError) -> Problem {
    tracing::error!(%error, "a key won't do its work");
    Problem::new(kinds::INTERNAL)
}

/// The tokens of a sign-in that has begun or been renewed.
pub(super) fn pair(app: &App, session: Session) -> Result<HttpResponse, Problem> {
    let now = app.db.clock().now();
    let sign = |purpose, id, until| {
        app.tokens
            .sign(purpose, (session.account, session.id, id), now, until)
            .map_err(broken_key)
    };
    Ok(HttpResponse::Ok().json(TokenPair {
        access_token: sign(Use::Access, new_id(), now + ACCESS_LIFE)?,
        refresh_token: sign(Use::Refresh, session.refresh_id, session.idle_until)?,
        token_type: "Bearer".to_owned(),
        expires_in: ACCESS_LIFE.num_seconds(),
    }))
}
