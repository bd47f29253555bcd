//! The one who asks: his rights, his password, his second factor, his sign-ins.

use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::auth::{broken_key, locked_out, not_checked, refuse_locked};
use crate::app::{App, source};
use crate::auth::policy::MAX_PASSWORD;
use crate::auth::principal::{Grant, Restriction};
use crate::auth::second_factor::{hash_of_recovery_code, new_secret, recovery_codes};
use crate::auth::{Caller, password};
use crate::body::Body;
use crate::problem::{Problem, kinds};
use crate::store::Failure;
use crate::store::account::attempts::{Attempt, Verdict};
use crate::store::account::password as kept;
use crate::store::account::second_factor::{self, Proof};
use crate::store::account::session::{self, Because, Standing};

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(get_me)
        .service(change_password)
        .service(list_my_sessions)
        .service(end_my_sessions)
        .service(end_my_session)
        .service(begin_second_factor)
        .service(confirm_second_factor)
        .service(remove_second_factor);
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
    /// The rights that hold today; they are ORed.
    grants: Vec<GrantView>,
    /// What has to be done before anything else: `password_change`, `second_factor`; null if nothing.
    must: Option<String>,
    /// Whether there is a second factor.
    has_second_factor: bool,
    /// What a system is limited to; null for a person.
    scopes: Option<Vec<String>>,
}

/// A right: a role, and where it holds.
#[derive(Debug, Serialize, ToSchema)]
pub struct GrantView {
    /// The role: `officer`, `manager`, `leader`, `system_admin`, `security_admin`, `audit_admin`.
    #[schema(example = "officer")]
    role: String,
    /// The region in whose subtree it holds; null for every region.
    #[schema(example = "211100")]
    region: Option<String>,
    /// The unit for whose projects it holds; null for every unit.
    unit: Option<String>,
    /// The last day on which it holds; null without an end.
    valid_until: Option<NaiveDate>,
}

impl From<Grant> for GrantView {
    fn from(grant: Grant) -> Self {
        Self {
            role: grant.role.code().to_owned(),
            region: grant.region,
            unit: grant.extent.unit,
            valid_until: grant.valid_until,
        }
    }
}

/// Who am I
#[utoipa::path(tag = "me", security(("bearer" = [])),
    responses((status = 200, description = "The caller", body = Me)))]
#[get("/v1/me")]
async fn get_me(caller: Caller) -> HttpResponse {
    let principal = caller.principal;
    let must = principal.restriction.map(|restriction| match restriction {
        Restriction::PasswordChange => "password_change".to_owned(),
        Restriction::SecondFactor => "second_factor".to_owned(),
    });
    let scopes = principal.scopes;
    HttpResponse::Ok().json(Me {
        id: principal.id,
        username: principal.username,
        display_name: principal.display_name,
        grants: principal.grants.into_iter().map(GrantView::from).collect(),
        must,
        has_second_factor: principal.has_second_factor,
        scopes: scopes.map(|some| some.into_iter().map(|s| s.code().to_owned()).collect()),
    })
}

/// A new password, with the present one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present password.
    #[schema(min_length = 1, max_length = 128, format = Password)]
    current_password: String,
    /// The new one.
    #[schema(min_length = 8, max_length = 128, format = Password)]
    new_password: String,
}

impl std::fmt::Debug for PasswordChange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordChange")
    }
}

/// Change my password
///
/// Every other sign-in of mine ends. A wrong present password counts as a failed sign-in.
#[utoipa::path(tag = "me", request_body = PasswordChange, security(("bearer" = [])),
    responses((status = 204, description = "Changed")))]
#[post("/v1/me/password")]
async fn change_password(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: Body<PasswordChange>,
) -> Result<HttpResponse, Problem> {
    let PasswordChange {
        current_password,
        new_password,
    } = body.value;
    let me = &caller.principal;
    let names = [me.username.as_str(), me.display_name.as_str()];
    let profile = app.policy.passwords;
    let mut faults = profile.faults("/new_password", &new_password, &names);
    if new_password == current_password {
        faults.push(crate::problem::Fault::at(
            "/new_password",
            "password_unchanged",
            "新密码须与现在的不同",
            "The new password has to differ from the present one",
        ));
    }
    if !faults.is_empty() {
        return Err(Problem::invalid(faults));
    }
    let attempt = Attempt::new(&me.username, source(&request));
    refuse_locked(&app, &attempt).await?;
    let is_right = verify_own(&app, &caller, current_password).await?;
    let hash = if is_right {
        password::hash(new_password).await.map_err(not_checked)?
    } else {
        String::new()
    };
    let whose = (me.id, me.session);
    let verdict = app
        .db
        .write(caller.author(), async move |tx| {
            kept::change(tx, whose, &attempt, is_right, &hash).await
        })
        .await?;
    accept(&app, verdict)?;
    Ok(HttpResponse::NoContent().finish())
}

/// Whether a password is the caller's own.
async fn verify_own(app: &App, caller: &Caller, password: String) -> Result<bool, Problem> {
    if password.chars().count() > MAX_PASSWORD {
        return Ok(false);
    }
    let now = app.db.clock().now();
    let known = kept::credentials(app.db.reader(), &caller.principal.username, now)
        .await
        .map_err(Failure::told)?;
    password::verify(password, known.map(|known| known.hash))
        .await
        .map_err(not_checked)
}

fn accept(app: &App, verdict: Verdict) -> Result<(), Problem> {
    match verdict {
        Verdict::Right => Ok(()),
        Verdict::Wrong(_) => Err(Problem::new(kinds::WRONG_PROOF)),
        Verdict::Locked(until) => Err(locked_out(app, until)),
    }
}

/// A sign-in that is in force.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// Which.
    id: Uuid,
    /// Whether it is the one that asks.
    is_this: bool,
    /// By what: `password`, `identity_provider`.
    method: String,
    /// When it began.
    created_at: DateTime<Utc>,
    /// When it was last renewed.
    last_used_at: Option<DateTime<Utc>>,
    /// When it ends unless it is renewed.
    idle_until: DateTime<Utc>,
    /// When it ends in any case.
    absolute_until: DateTime<Utc>,
    /// From which address it was begun.
    source: Option<String>,
    /// By which program.
    user_agent: Option<String>,
}

/// The sign-ins of an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sessions {
    /// The latest first.
    items: Vec<SessionView>,
}

/// The sign-ins of an account that are in force.
pub(super) async fn sessions_of(
    app: &App,
    account: Uuid,
    this: Uuid,
) -> Result<HttpResponse, Problem> {
    let standing = session::standing(app.db.reader(), account, app.db.clock().now())
        .await
        .map_err(Failure::told)?;
    let view = |session: Standing| SessionView {
        is_this: session.id == this,
        id: session.id,
        method: session.method,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        idle_until: session.idle_until,
        absolute_until: session.absolute_until,
        source: session.source,
        user_agent: session.user_agent,
    };
    let items = standing.into_iter().map(view).collect();
    Ok(HttpResponse::Ok().json(Sessions { items }))
}

/// List my sign-ins
#[utoipa::path(tag = "me", security(("bearer" = [])),
    responses((status = 200, description = "Those in force", body = Sessions)))]
#[get("/v1/me/sessions")]
async fn list_my_sessions(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    sessions_of(&app, caller.principal.id, caller.principal.session).await
}

/// Sign out everywhere
///
/// Ends every sign-in of mine, this one too.
#[utoipa::path(tag = "me", security(("bearer" = [])),
    responses((status = 204, description = "Signed out everywhere")))]
#[post("/v1/me/sessions/end")]
async fn end_my_sessions(app: web::Data<App>, caller: Caller) -> Result<HttpResponse, Problem> {
    let account = caller.principal.id;
    app.db
        .write(caller.author(), async move |tx| {
            session::end_all(tx, account, None, Because::SignedOutEverywhere).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End one of my sign-ins
#[utoipa::path(tag = "me", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The sign-in")),
    responses((status = 204, description = "Ended")))]
#[post("/v1/me/sessions/{id}/end")]
async fn end_my_session(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let (account, id) = (caller.principal.id, id.into_inner());
    app.db
        .write(caller.author(), async move |tx| {
            session::end_one(tx, account, id, Because::SignedOut).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The caller's own password, once more.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnPassword {
    /// The password.
    #[schema(min_length = 1, max_length = 128, format = Password)]
    password: String,
}

impl std::fmt::Debug for OwnPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnPassword")
    }
}

/// A second factor that has begun.
#[derive(Serialize, ToSchema)]
pub struct SecondFactorBegun {
    /// The secret, to be typed into an authenticator.
    secret: String,
    /// The address that an authenticator takes.
    address: String,
    /// The address as a picture to be photographed (SVG).
    picture: String,
}

/// Begin a second factor
///
/// Shown once; it is asked for after it has been confirmed with a code. Needs the password once more.
#[utoipa::path(tag = "me", request_body = OwnPassword, security(("bearer" = [])),
    responses((status = 200, description = "To be taken into an authenticator", body = SecondFactorBegun)))]
#[post("/v1/me/second-factor")]
async fn begin_second_factor(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: Body<OwnPassword>,
) -> Result<HttpResponse, Problem> {
    let me = caller.principal.id;
    let attempt = Attempt::new(&caller.principal.username, source(&request));
    refuse_locked(&app, &attempt).await?;
    let is_right = verify_own(&app, &caller, body.value.password).await?;
    let secret = new_secret().map_err(broken_key)?;
    let sealed = app.vault.seal(me.as_bytes(), &secret).map_err(broken_key)?;
    let kept = sealed.clone();
    let verdict = app
        .db
        .write(caller.author(), async move |tx| {
            let verdict = kept::judge(tx, Some(me), &attempt, is_right).await?;
            if verdict == Verdict::Right {
                second_factor::begin(tx, me, &kept).await?;
            }
            Ok(verdict)
        })
        .await?;
    accept(&app, verdict)?;
    let factor = app
        .second_factor(me, &caller.principal.username, &sealed)
        .map_err(broken_key)?;
    Ok(HttpResponse::Ok().json(SecondFactorBegun {
        secret: factor.secret(),
        address: factor.address().map_err(broken_key)?,
        picture: factor.picture().map_err(broken_key)?,
    }))
}

/// A code of the second factor.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecondFactorCode {
    /// The six digits that the authenticator shows.
    #[schema(min_length = 1, max_length = 64, example = "123456")]
    code: String,
}

/// Codes for the day the second factor is lost.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCodes {
    /// Each is good once; they are not shown again.
    recovery_codes: Vec<String>,
}

/// Confirm my second factor
///
/// With a code from the authenticator. From now on signing in asks for one. The recovery codes are shown once.
#[utoipa::path(tag = "me", request_body = SecondFactorCode, security(("bearer" = [])),
    responses((status = 200, description = "Confirmed", body = RecoveryCodes)))]
#[post("/v1/me/second-factor/confirm")]
async fn confirm_second_factor(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: Body<SecondFactorCode>,
) -> Result<HttpResponse, Problem> {
    let me = caller.principal.id;
    let attempt = Attempt::new(&caller.principal.username, source(&request));
    refuse_locked(&app, &attempt).await?;
    let begun = second_factor::find(app.db.reader(), me)
        .await
        .map_err(Failure::told)?
        .ok_or(Problem::new(kinds::SECOND_FACTOR_UNSET))?;
    let factor = app
        .second_factor(me, &caller.principal.username, &begun.sealed_secret)
        .map_err(broken_key)?;
    let step = factor.step_of(body.value.code.trim(), app.db.clock().now());
    let codes = recovery_codes().map_err(broken_key)?;
    let hashes: Vec<String> = codes.iter().map(|c| hash_of_recovery_code(c)).collect();
    let verdict = app
        .db
        .write(caller.author(), async move |tx| {
            let verdict = kept::judge(tx, Some(me), &attempt, step.is_some()).await?;
            if let (Verdict::Right, Some(step)) = (verdict, step) {
                second_factor::confirm(tx, me, (&begun.sealed_secret, step), &hashes).await?;
            }
            Ok(verdict)
        })
        .await?;
    accept(&app, verdict)?;
    Ok(HttpResponse::Ok().json(RecoveryCodes {
        recovery_codes: codes,
    }))
}

/// Remove my second factor
///
/// With a code from it, or a recovery code. Where a role demands one, another has to be set at once.
#[utoipa::path(tag = "me", request_body = SecondFactorCode, security(("bearer" = [])),
    responses((status = 204, description = "Removed")))]
#[post("/v1/me/second-factor/remove")]
async fn remove_second_factor(
    app: web::Data<App>,
    request: HttpRequest,
    caller: Caller,
    body: Body<SecondFactorCode>,
) -> Result<HttpResponse, Problem> {
    let me = caller.principal.id;
    let attempt = Attempt::new(&caller.principal.username, source(&request));
    refuse_locked(&app, &attempt).await?;
    let kept = second_factor::find(app.db.reader(), me)
        .await
        .map_err(Failure::told)?
        .filter(|kept| kept.confirmed_at.is_some())
        .ok_or(Problem::new(kinds::SECOND_FACTOR_UNSET))?;
    let factor = app
        .second_factor(me, &caller.principal.username, &kept.sealed_secret)
        .map_err(broken_key)?;
    let code = body.value.code;
    let proof = match factor.step_of(code.trim(), app.db.clock().now()) {
        Some(step) => Proof::Code(Some(step)),
        None => Proof::Recovery(hash_of_recovery_code(&code)),
    };
    let verdict = app
        .db
        .write(caller.author(), async move |tx| {
            let is_right = second_factor::take(tx, me, &proof).await?;
            let verdict = kept::judge(tx, Some(me), &attempt, is_right).await?;
            if verdict == Verdict::Right {
                second_factor::remove(tx, me).await?;
            }
            Ok(verdict)
        })
        .await?;
    accept(&app, verdict)?;
    Ok(HttpResponse::NoContent().finish())
}
