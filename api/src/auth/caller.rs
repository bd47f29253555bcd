//! The caller as a handler sees him: the right stands in the handler's signature.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use actix_web::{FromRequest, HttpRequest, web};
use domain::transition::Mandate;
use futures::future::LocalBoxFuture;
use uuid::Uuid;

use crate::app::{App, request_id, source};
use crate::auth::token::Use;
use crate::problem::{Problem, kinds};
use crate::store::{Author, account};

/// What a grant lets a person do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Enters projects and moves them (项目专员).
    Officer,
    /// All that, and suspends, withdraws, waives, plans and takes back (项目主管).
    Manager,
    /// Reads (领导).
    Leader,
    /// Reference data and accounts, not projects (系统管理员).
    Administrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [
        Self::Officer,
        Self::Manager,
        Self::Leader,
        Self::Administrator,
    ];

    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::Manager => "manager",
            Self::Leader => "leader",
            Self::Administrator => "administrator",
        }
    }

    /// The role of a code, if there is one.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.code() == code)
    }

    const fn reads_projects(self) -> bool {
        match self {
            Self::Officer | Self::Manager | Self::Leader => true,
            Self::Administrator => false,
        }
    }
}

/// Where something holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In every region.
    Everywhere,
    /// In these regions; their subtrees are already in.
    Regions(BTreeSet<String>),
}

impl Reach {
    /// Whether it holds in a region.
    #[must_use]
    pub fn covers(&self, region: &str) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Regions(regions) => regions.contains(region),
        }
    }
}

/// One right: a role and where it holds.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// The region it was given for; none for everywhere.
    pub region: Option<String>,
    /// Where it holds.
    pub reach: Reach,
}

/// A person who has signed in, with all rights; they are ORed.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The account.
    pub id: Uuid,
    /// The sign-in.
    pub session: Uuid,
    /// The name to sign in with.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// The rights.
    pub grants: Vec<Grant>,
}

impl Principal {
    /// Where this person may read projects: what every query on projects has to be limited to.
    #[must_use]
    pub fn reads(&self) -> Reach {
        self.reach_of(Role::reads_projects)
    }

    /// Where the roles chosen hold.
    fn reach_of(&self, chosen: impl Fn(Role) -> bool) -> Reach {
        let mut regions = BTreeSet::new();
        for grant in self.grants.iter().filter(|grant| chosen(grant.role)) {
            match &grant.reach {
                Reach::Everywhere => return Reach::Everywhere,
                Reach::Regions(some) => regions.extend(some.iter().cloned()),
            }
        }
        Reach::Regions(regions)
    }

    fn has(&self, chosen: impl Fn(Role) -> bool) -> bool {
        self.grants.iter().any(|grant| chosen(grant.role))
    }

    /// What this person may do to a project in a region; none if only read.
    #[must_use]
    pub fn mandate(&self, region: &str) -> Option<Mandate> {
        let holds = |role: Role| self.reach_of(|r| r == role).covers(region);
        if holds(Role::Manager) {
            Some(Mandate::Manager)
        } else if holds(Role::Officer) {
            Some(Mandate::Officer)
        } else {
            None
        }
    }

    /// The mandate in a region, or the refusal.
    ///
    /// # Errors
    /// 403 if this person may only read there.
    pub fn need_mandate(&self, region: &str) -> Result<Mandate, Problem> {
        self.mandate(region).ok_or_else(|| {
            Problem::new(kinds::FORBIDDEN).say(
                "您在该地区只能查看项目",
                "You may only read projects in that region",
            )
        })
    }

    /// A manager's mandate in a region, or the refusal.
    ///
    /// # Errors
    /// 403 if this person is not a manager there.
    pub fn need_manager(&self, region: &str) -> Result<(), Problem> {
        match self.need_mandate(region)? {
            Mandate::Manager => Ok(()),
            Mandate::Officer => Err(Problem::new(kinds::NEEDS_MANAGER)),
        }
    }
}

/// A right that an operation demands.
pub trait Right: 'static {
    /// Whether a person has it anywhere; where it holds is the store's to check.
    fn held_by(principal: &Principal) -> bool;
}

/// The rights, to stand in a handler's signature.
pub mod may {
    use super::{Principal, Reach, Right, Role};

    macro_rules! rights {
        ($( $(#[$meta:meta])* $name:ident: $roles:expr; )+) => {
            $(
                $(#[$meta])*
                #[derive(Debug)]
                pub struct $name;

                impl Right for $name {
                    fn held_by(principal: &Principal) -> bool {
                        principal.has(|role| $roles.contains(&role))
                    }
                }
            )+
        };
    }

    rights! {
        /// See the reference data and oneself: everybody who has signed in and may do anything at all.
        BeHere: Role::ALL;
        /// Read projects.
        Read: [Role::Officer, Role::Manager, Role::Leader];
        /// Enter projects, supply evidence, move.
        Edit: [Role::Officer, Role::Manager];
        /// Plan, and keep the lists.
        Manage: [Role::Manager];
    }

    /// Keep the reference data, which holds for all regions: no regional grant is enough.
    #[derive(Debug)]
    pub struct Administer;

    impl Right for Administer {
        fn held_by(principal: &Principal) -> bool {
            principal
                .grants
                .iter()
                .any(|grant| grant.role == Role::Administrator && grant.reach == Reach::Everywhere)
        }
    }
}

/// A person who has signed in and has the right `R`.
#[derive(Debug)]
pub struct Caller<R> {
    /// Who.
    pub principal: Principal,
    request_id: String,
    source: Option<IpAddr>,
    right: PhantomData<R>,
}

impl<R> Caller<R> {
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

impl<R: Right> FromRequest for Caller<R> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let principal = principal_of(&request).await?;
            if !R::held_by(&principal) {
                return Err(Problem::new(kinds::FORBIDDEN)
                    .say("您的角色不能进行这项操作", "Your role does not allow this"));
            }
            tracing::Span::current().record("user", tracing::field::display(principal.id));
            Ok(Self {
                principal,
                request_id: request_id(&request),
                source: source(&request),
                right: PhantomData,
            })
        })
    }
}

async fn principal_of(request: &HttpRequest) -> Result<Principal, Problem> {
    let app = request
        .app_data::<web::Data<App>>()
        .ok_or(Problem::new(kinds::INTERNAL))?;
    let claims = bearer(request)
        .and_then(|token| app.tokens.read(Use::Access, token))
        .ok_or_else(unauthenticated)?;
    account::principal(
        app.db.reader(),
        claims.sub,
        claims.sid,
        app.db.clock().now(),
    )
    .await
    .map_err(crate::store::Failure::told)?
    .ok_or_else(unauthenticated)
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
