//! The caller as a handler sees him: signed in, and let in by the table of operations.

use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures::future::LocalBoxFuture;

use super::access;
use super::principal::Principal;
use crate::app::{App, request_id, source};
use crate::auth::token::{Claims, Use};
use crate::problem::{Problem, kinds};
use crate::store::rollup::State;
use crate::store::{Author, Failure, account};

/// A person or a system that has signed in and may do the operation that was asked for.
#[derive(Debug)]
pub struct Caller {
    /// Who.
    pub principal: Principal,
    request_id: String,
    source: Option<IpAddr>,
}

impl Caller {
    /// On whose behalf a change is written.
    #[must_use]
    pub fn author(&self) -> Author {
        Author {
            account: Some(self.principal.id),
            name: self.principal.username.clone(),
            request_id: Some(self.request_id.clone()),
            source: self.source,
        }
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (app, claims) = claimed(&request)?;
            let found = account::principal(&app.db, &app.policy, &claims, source(&request)).await;
            Self::let_in(&request, found.map_err(Failure::told)?)
        })
    }
}

impl Caller {
    /// Who sends a request, with where the data stood when it came in.
    pub(crate) async fn and_state(request: &HttpRequest) -> Result<(Self, State), Problem> {
        let (app, claims) = claimed(request)?;
        let source = source(request);
        let found = account::principal_and_state(&app.db, &app.policy, &claims, source).await;
        let (principal, state) = found.map_err(Failure::told)?.unzip();
        let caller = Self::let_in(request, principal)?;
        Ok((caller, state.ok_or_else(unauthenticated)?))
    }

    fn let_in(request: &HttpRequest, principal: Option<Principal>) -> Result<Self, Problem> {
        let caller = Self {
            principal: principal.ok_or_else(unauthenticated)?,
            request_id: request_id(request),
            source: source(request),
        };
        tracing::Span::current().record("user", tracing::field::display(caller.principal.id));
        // For the edge, which records what is denied.
        request.extensions_mut().insert(caller.author());
        let pattern = request.match_pattern().unwrap_or_default();
        let operation = access::find(request.method().as_str(), &pattern);
        let operation = operation.ok_or_else(|| {
            tracing::error!(pattern, "an operation that does not stand in the table");
            Problem::new(kinds::FORBIDDEN)
        })?;
        operation.admit(&caller.principal)?;
        Ok(caller)
    }
}

/// Whom the token of a request names, with all that handlers share.
fn claimed(request: &HttpRequest) -> Result<(&web::Data<App>, Claims), Problem> {
    let app = request
        .app_data::<web::Data<App>>()
        .ok_or(Problem::new(kinds::INTERNAL))?;
    let now = app.db.clock().now();
    let claims = bearer(request)
        .and_then(|token| app.tokens.read(Use::Access, token, now))
        .ok_or_else(unauthenticated)?;
    app.edge.limits.principal(claims.sub)?;
    Ok((app, claims))
}

fn bearer(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn unauthenticated() -> Problem {
    Problem::new(kinds::UNAUTHENTICATED)
        .say(
            "访问令牌缺失、无效或已过期；请先 POST /auth/login",
            "The access token is missing, invalid or expired; POST /auth/login first",
        )
        .with_header(WWW_AUTHENTICATE, "Bearer")
}
