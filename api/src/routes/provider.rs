//! Signing in at the office's own identity provider.

use actix_web::cookie::{Cookie, SameSite, time};
use actix_web::http::header::{LOCATION, RETRY_AFTER};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use chrono::{DateTime, Utc};
use domain::text::Text;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use super::auth::{TokenPair, broken_key, pair, user_agent};
use super::views::ProblemDetails;
use crate::app::{App, request_id, source};
use crate::auth::Caller;
use crate::auth::provider::{Identity, Provider, ProviderError};
use crate::body::Body;
use crate::input::read::Reader;
use crate::problem::{Fault, Problem, kinds};
use crate::store::account::identity::{self, Arrival, FLOW_LIFE, Link};
use crate::store::account::session::{self, Method};
use crate::store::{Author, Failure};

pub(super) fn operations(service: &mut ServiceConfig) {
    service
        .service(get_sign_in_methods)
        .service(sign_in_at_provider)
        .service(come_back_from_provider)
        .service(get_identity)
        .service(link_identity)
        .service(remove_identity);
}

/// How people can sign in.
#[derive(Debug, Serialize, ToSchema)]
pub struct Methods {
    /// Whether with a password that is kept here: `POST /auth/login`.
    password: bool,
    /// At the office's own identity provider; null if there is none.
    identity_provider: Option<ProviderView>,
}

/// An identity provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProviderView {
    /// Who it is.
    #[schema(example = "https://id.example.gov.cn")]
    issuer: String,
    /// Where a browser begins.
    #[schema(example = "/auth/provider")]
    sign_in: String,
}

/// Read how to sign in
#[utoipa::path(tag = "sign-in", security(()),
    responses((status = 200, description = "The ways that are open", body = Methods)))]
#[get("/auth/methods")]
async fn get_sign_in_methods(app: web::Data<App>) -> HttpResponse {
    let provider = app.provider.as_ref().map(|provider| ProviderView {
        issuer: provider.settings().issuer.clone(),
        sign_in: "/auth/provider".to_owned(),
    });
    HttpResponse::Ok().json(Methods {
        password: app.policy.local_sign_in,
        identity_provider: provider,
    })
}

fn provider(app: &App) -> Result<&Provider, Problem> {
    app.provider.as_deref().ok_or_else(|| {
        Problem::not_found().say(
            "没有配置统一身份认证",
            "There is no identity provider to sign in at",
        )
    })
}

/// The cookie that ties a flow to the browser that has begun it. Where the service is reached over HTTPS, no other
/// host can set it.
fn cookie<'c>(provider: &Provider, value: String, seconds: i64) -> Cookie<'c> {
    let is_over_https = provider.settings().is_over_https();
    Cookie::build(cookie_name(is_over_https), value)
        .path("/")
        .http_only(true)
        .secure(is_over_https)
        // The provider's redirect comes from another site.
        .same_site(SameSite::Lax)
        .max_age(time::Duration::seconds(seconds))
        .finish()
}

const fn cookie_name(is_over_https: bool) -> &'static str {
    if is_over_https {
        "__Host-taizhang-sign-in"
    } else {
        "taizhang-sign-in"
    }
}

/// Sign in at the identity provider
///
/// For a browser: it is sent to the office's own provider (OpenID Connect, authorization code with PKCE), which sends
/// it back to `/auth/provider/callback` within ten minutes.
#[utoipa::path(tag = "sign-in", security(()),
    responses((status = 303, description = "Go to the provider",
        headers(("Location" = String, description = "The provider's address"),
            ("Set-Cookie" = String, description = "Ties the answer to this browser"))),
        (status = 404, description = "There is no identity provider", body = ProblemDetails,
            content_type = "application/problem+json")))]
#[get("/auth/provider")]
async fn sign_in_at_provider(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let provider = provider(&app)?;
    let begun = provider
        .begin(app.db.clock().now())
        .await
        .map_err(not_identified)?;
    let cookie = cookie(provider, begun.browser.clone(), FLOW_LIFE.num_seconds());
    let address = begun.address.clone();
    app.db
        .write(by_provider(&request), async move |tx| {
            identity::begin(tx, &begun).await
        })
        .await?;
    Ok(HttpResponse::SeeOther()
        .insert_header((LOCATION, address))
        .cookie(cookie)
        .finish())
}

/// Nobody has signed in yet: what is done is done on the provider's word.
fn by_provider(request: &HttpRequest) -> Author {
    Author {
        account: None,
        name: "identity provider".to_owned(),
        request_id: Some(request_id(request)),
        source: source(request),
    }
}

/// What the provider answers; whatever else it adds is not looked at.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ProviderAnswer {
    /// What the flow was begun with.
    state: Option<String>,
    /// What is exchanged for who has signed in.
    code: Option<String>,
    /// Why nobody has.
    error: Option<String>,
    /// Who answers (RFC 9207).
    iss: Option<String>,
}

impl std::fmt::Debug for ProviderAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProviderAnswer")
    }
}

/// Come back from the identity provider
///
/// Good once, for the browser that has begun it, within ten minutes: else 400 `sign_in_not_begun`. Answers the same
/// tokens as `POST /auth/login`. Who comes for the first time gets an account; his rights are brought to the roles that
/// the provider's claim maps to, each time.
#[utoipa::path(tag = "sign-in", params(ProviderAnswer), security(()),
    responses((status = 200, description = "Signed in", body = TokenPair),
        (status = 403, description = "The account is disabled, or its roles ask for more", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = 404, description = "There is no identity provider", body = ProblemDetails,
            content_type = "application/problem+json"),
        (status = 409, description = "He would be two of the three administrators", body = ProblemDetails,
            content_type = "application/problem+json")))]
#[get("/auth/provider/callback")]
async fn come_back_from_provider(
    app: web::Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let provider = provider(&app)?;
    let answer: ProviderAnswer =
        serde_html_form::from_str(request.query_string()).map_err(|error| {
            Problem::bad_parameters(vec![Fault::elsewhere(
                "unreadable_parameter",
                format!("参数无法读取（{error}）"),
                format!("The parameters can't be read: {error}"),
            )])
        })?;
    let name = cookie_name(provider.settings().is_over_https());
    let browser = request.cookie(name).map(|cookie| cookie.value().to_owned());
    let (Some(state), Some(browser)) = (answer.state, browser) else {
        return Err(not_begun());
    };
    let flow = app
        .db
        .write(by_provider(&request), async move |tx| {
            identity::take(tx, &state, &browser).await
        })
        .await?
        .ok_or_else(not_begun)?;
    let is_from_elsewhere = answer
        .iss
        .is_some_and(|iss| iss != provider.settings().issuer);
    let identified = match (answer.code, answer.error) {
        _ if is_from_elsewhere => Err(ProviderError::NotProved("another issuer".to_owned())),
        (_, Some(error)) => Err(ProviderError::Refused(error)),
        (None, None) => Err(ProviderError::NotProved(
            "neither code nor error".to_owned(),
        )),
        (Some(code), None) => {
            let now = app.db.clock().now();
            let identified = provider.identify(code, flow.verifier, flow.nonce, now);
            identified.await
        }
    };
    let identity = match identified {
        Ok(identity) => identity,
        Err(error) => {
            let problem = not_identified(error);
            record_refusal(&app, &request, None, problem.code()).await?;
            return Err(problem);
        }
    };
    let (account, username) = arrive(&app, &request, identity).await?;
    let agent = user_agent(&request);
    let by = Author {
        account: Some(account),
        name: username,
        ..by_provider(&request)
    };
    let session = app
        .db
        .write(by, async move |tx| {
            session::sign_in(tx, account, Method::IdentityProvider, agent.as_deref()).await
        })
        .await?;
    let mut response = pair(&app, session)?;
    let gone = cookie(provider, String::new(), 0);
    response
        .add_cookie(&gone)
        .map_err(|_| Problem::new(kinds::INTERNAL))?;
    Ok(response)
}

/// The account that somebody whom the provider knows comes to.
async fn arrive(
    app: &App,
    request: &HttpRequest,
    identity: Identity,
) -> Result<(Uuid, String), Problem> {
    let policy = std::sync::Arc::clone(&app.policy);
    let arriving = identity.clone();
    let arrival = app
        .db
        .write(by_provider(request), async move |tx| {
            identity::arrive(tx, &arriving, &policy.second_factor).await
        })
        .await
        .map_err(|problem| {
            if problem.code() != kinds::VALIDATION_FAILED.code {
                return problem;
            }
            tracing::error!(
                problem = problem.for_terminal(),
                "identity_provider.roles: a region or a unit that is not there"
            );
            Problem::new(kinds::INTERNAL)
        })?;
    let problem = match arrival {
        Arrival::Known { account, username } => return Ok((account, username)),
        Arrival::Disabled => Problem::new(kinds::ACCOUNT_DISABLED),
        Arrival::TwoAdministrators => Problem::new(kinds::ADMINISTRATORS_EXCLUDE),
        Arrival::NeedsSecondFactor => Problem::new(kinds::SECOND_FACTOR_REQUIRED).say(
            "您的角色要求双因素登录，而统一身份认证未说明已验证第二因素",
            "Your role demands a second factor, and the identity provider does not say that you have shown one",
        ),
    };
    record_refusal(app, request, Some(identity), problem.code()).await?;
    Err(problem)
}

async fn record_refusal(
    app: &App,
    request: &HttpRequest,
    identity: Option<Identity>,
    because: &'static str,
) -> Result<(), Problem> {
    app.db
        .write(by_provider(request), async move |tx| {
            identity::record_refusal(tx, identity.as_ref(), because).await
        })
        .await
}

fn not_begun() -> Problem {
    Problem::new(kinds::SIGN_IN_NOT_BEGUN).say(
        "这次登录不是由本浏览器发起的，或已用过、已超过十分钟；请重新从 /auth/provider 开始",
        "This sign-in was not begun by this browser, or has been used, or is older than ten minutes; begin again at \
         /auth/provider",
    )
}

/// Why the provider did not say who somebody is.
fn not_identified(error: ProviderError) -> Problem {
    match error {
        ProviderError::Refused(code) => {
            let is_code = (1..=64).contains(&code.len())
                && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            let code = if is_code { &code } else { "unknown" };
            tracing::info!(code, "the identity provider refused");
            Problem::new(kinds::PROVIDER_REFUSED).say(
                format!("统一身份认证的答复：{code}"),
                format!("The identity provider says: {code}"),
            )
        }
        ProviderError::NotProved(why) => {
            tracing::warn!(why, "what the identity provider says does not hold");
            Problem::new(kinds::IDENTITY_NOT_PROVED)
        }
        ProviderError::Key(error) => broken_key(error),
        ProviderError::Unusable(_) | ProviderError::Settings(_) => {
            tracing::error!(%error, "nobody can sign in at the identity provider");
            Problem::new(kinds::PROVIDER_UNAVAILABLE).with_header(RETRY_AFTER, "5")
        }
    }
}

/// Who somebody is at the identity provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityView {
    /// The provider.
    #[schema(example = "https://id.example.gov.cn")]
    issuer: String,
    /// Its name for him, which it gives to nobody else.
    #[schema(example = "f3a1c2")]
    subject: String,
    /// Since when.
    linked_at: DateTime<Utc>,
}

impl From<Link> for IdentityView {
    fn from(link: Link) -> Self {
        Self {
            issuer: link.issuer,
            subject: link.subject,
            linked_at: link.linked_at,
        }
    }
}

/// Who somebody is to be at the identity provider.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIdentity {
    /// The provider, as it writes itself.
    #[schema(
        min_length = 1,
        max_length = 500,
        example = "https://id.example.gov.cn"
    )]
    issuer: String,
    /// Its name for him (`sub`).
    #[schema(min_length = 1, max_length = 255, example = "f3a1c2")]
    subject: String,
}

/// Read who somebody is at the identity provider
#[utoipa::path(tag = "users", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, description = "The link", body = IdentityView)))]
#[get("/v1/users/{id}/identity")]
async fn get_identity(
    app: web::Data<App>,
    _caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let link = identity::read(app.db.reader(), *id)
        .await
        .map_err(Failure::told)?;
    Ok(HttpResponse::Ok().json(IdentityView::from(link)))
}

/// Link somebody to the identity provider
///
/// From now on who signs in there as this subject comes to this account. Nobody is ever linked by his name. Who has an
/// account of his own from an earlier sign-in there: remove that link first. Security and audit administrators are not
/// linked by another: they come by a role that is mapped from a claim.
#[utoipa::path(tag = "users", request_body = NewIdentity, security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 201, description = "Linked", body = IdentityView)))]
#[post("/v1/users/{id}/identity")]
async fn link_identity(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
    body: Body<NewIdentity>,
) -> Result<HttpResponse, Problem> {
    let mut reader = Reader::default();
    let issuer: Option<Text<500>> = reader.text("/issuer", &body.value.issuer);
    let subject: Option<Text<255>> = reader.text("/subject", &body.value.subject);
    let (Some(issuer), Some(subject)) = (issuer, subject) else {
        return Err(Problem::invalid(reader.faults));
    };
    let link = app
        .db
        .write(caller.author(), async move |tx| {
            identity::link(tx, *id, issuer.as_str(), subject.as_str()).await
        })
        .await?;
    Ok(HttpResponse::Created().json(IdentityView::from(link)))
}

/// Remove somebody's link to the identity provider
///
/// His sign-ins end, and so do the rights that came with it. Who signs in there again gets an account of his own.
#[utoipa::path(tag = "users", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 204, description = "Removed")))]
#[post("/v1/users/{id}/identity/remove")]
async fn remove_identity(
    app: web::Data<App>,
    caller: Caller,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    app.db
        .write(caller.author(), async move |tx| {
            identity::unlink(tx, *id).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
