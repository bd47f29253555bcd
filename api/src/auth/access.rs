//! The table of operations: which roles may do each, and which scope a system needs for it.
//!
//! The check of every request, `docs/access.md` and the test of every operation × role are made from it. Where a
//! role holds (region and unit) is the store's to check. An operation that does not stand here is refused.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::principal::{Principal, Restriction};
use super::role::{Role, Scope};
use crate::problem::{Problem, kinds};

/// Who may do an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// Everybody, without signing in.
    Open,
    /// Whoever has signed in, also before he has set his password or his second factor: it is about himself.
    Oneself,
    /// Whoever has signed in and has any of these roles, wherever it holds.
    Roles(&'static [Role]),
}

/// One operation of the contract.
#[derive(Debug)]
pub struct Operation {
    /// The method.
    pub method: &'static str,
    /// The path, as the contract writes it.
    pub path: &'static str,
    /// Who may do it.
    pub door: Door,
    /// The scopes of which a system needs one; none if it is not for systems.
    pub scopes: &'static [Scope],
}

const EVERY_ROLE: Door = Door::Roles(&Role::ALL);
const READERS: Door = Door::Roles(&[Role::Officer, Role::Manager, Role::Leader]);
const EDITORS: Door = Door::Roles(&[Role::Officer, Role::Manager]);
const WATCHED_EDITORS: Door = Door::Roles(&[Role::Officer, Role::Manager, Role::SecurityAdmin]);
const MANAGERS: Door = Door::Roles(&[Role::Manager]);
const SYSTEM: Door = Door::Roles(&[Role::SystemAdmin]);
const SECURITY: Door = Door::Roles(&[Role::SecurityAdmin]);
const AUDIT: Door = Door::Roles(&[Role::AuditAdmin]);
const ADMINISTRATORS: Door =
    Door::Roles(&[Role::SystemAdmin, Role::SecurityAdmin, Role::AuditAdmin]);

const PEOPLE_ONLY: &[Scope] = &[];
const ANY_SCOPE: &[Scope] = &Scope::ALL;
const READ: &[Scope] = &[Scope::ProjectsRead];
const EXPORT: &[Scope] = &[Scope::ProjectsExport];
const WRITE: &[Scope] = &[Scope::ProjectsWrite];
const EVENTS: &[Scope] = &[Scope::EventsRead];
const WEBHOOKS: &[Scope] = &[Scope::WebhooksManage];
const SUMMARY: &[Scope] = &[Scope::SummaryRead];
const REFERENCE: &[Scope] = &[
    Scope::ProjectsRead,
    Scope::ProjectsWrite,
    Scope::SummaryRead,
    Scope::ReportsWrite,
];

macro_rules! operations {
    ($( $method:ident $path:literal: $door:expr, $scopes:expr; )+) => {
        /// Every operation.
        pub const OPERATIONS: &[Operation] = &[
            $( Operation { method: stringify!($method), path: $path, door: $door, scopes: $scopes }, )+
        ];
    };
}

operations! {
    POST "/auth/login": Door::Open, PEOPLE_ONLY;
    GET "/auth/methods": Door::Open, PEOPLE_ONLY;
    GET "/auth/provider": Door::Open, PEOPLE_ONLY;
    GET "/auth/provider/callback": Door::Open, PEOPLE_ONLY;
    POST "/auth/refresh": Door::Open, PEOPLE_ONLY;
    POST "/auth/logout": Door::Oneself, PEOPLE_ONLY;
    POST "/oauth/token": Door::Open, PEOPLE_ONLY;
    GET "/.well-known/jwks.json": Door::Open, PEOPLE_ONLY;
    GET "/healthz": Door::Open, PEOPLE_ONLY;
    GET "/readyz": Door::Open, PEOPLE_ONLY;
    GET "/metrics": Door::Open, PEOPLE_ONLY;

    GET "/v1/me": Door::Oneself, ANY_SCOPE;
    POST "/v1/me/password": Door::Oneself, PEOPLE_ONLY;
    GET "/v1/me/sessions": Door::Oneself, PEOPLE_ONLY;
    POST "/v1/me/sessions/end": Door::Oneself, PEOPLE_ONLY;
    POST "/v1/me/sessions/{id}/end": Door::Oneself, PEOPLE_ONLY;
    POST "/v1/me/second-factor": Door::Oneself, PEOPLE_ONLY;
    POST "/v1/me/second-factor/confirm": Door::Oneself, PEOPLE_ONLY;
    POST "/v1/me/second-factor/remove": Door::Oneself, PEOPLE_ONLY;

    GET "/v1/projects": READERS, READ;
    POST "/v1/projects": EDITORS, WRITE;
    GET "/v1/projects/by-code/{code}": READERS, READ;
    PUT "/v1/projects/by-code/{code}": EDITORS, WRITE;
    GET "/v1/external-refs/{system}/{key}": READERS, READ;
    PUT "/v1/external-refs/{system}/{key}": EDITORS, WRITE;
    POST "/v1/batches/projects": EDITORS, WRITE;
    GET "/v1/exports/projects": READERS, EXPORT;
    GET "/v1/imports": EDITORS, WRITE;
    POST "/v1/imports": EDITORS, WRITE;
    GET "/v1/imports/{id}": EDITORS, WRITE;
    GET "/v1/imports/{id}/rows": EDITORS, WRITE;
    GET "/v1/imports/{id}/errors.xlsx": EDITORS, WRITE;
    POST "/v1/imports/{id}/undo": EDITORS, WRITE;
    GET "/v1/exports/oc4ids.json": READERS, EXPORT;
    GET "/v1/projects/{id}": READERS, READ;
    PATCH "/v1/projects/{id}": EDITORS, WRITE;
    GET "/v1/projects/{id}/approvals": READERS, READ;
    GET "/v1/projects/{id}/approvals/{item}": READERS, READ;
    PUT "/v1/projects/{id}/approvals/{item}": EDITORS, WRITE;
    GET "/v1/projects/{id}/external-refs": READERS, READ;
    PUT "/v1/projects/{id}/external-refs/{system}": EDITORS, WRITE;
    DELETE "/v1/projects/{id}/external-refs/{system}": EDITORS, WRITE;
    GET "/v1/projects/{id}/history": READERS, EVENTS;
    GET "/v1/events": READERS, EVENTS;
    GET "/v1/webhooks": WATCHED_EDITORS, WEBHOOKS;
    POST "/v1/webhooks": EDITORS, WEBHOOKS;
    GET "/v1/webhooks/{id}": WATCHED_EDITORS, WEBHOOKS;
    PATCH "/v1/webhooks/{id}": WATCHED_EDITORS, WEBHOOKS;
    DELETE "/v1/webhooks/{id}": WATCHED_EDITORS, WEBHOOKS;
    POST "/v1/webhooks/{id}/secrets": EDITORS, WEBHOOKS;
    POST "/v1/webhooks/{id}/tests": EDITORS, WEBHOOKS;
    GET "/v1/webhooks/{id}/deliveries": EDITORS, WEBHOOKS;
    GET "/v1/webhooks/{id}/deliveries/{delivery}": EDITORS, WEBHOOKS;
    POST "/v1/webhooks/{id}/deliveries/{delivery}/replay": EDITORS, WEBHOOKS;
    POST "/v1/webhooks/{id}/replay": EDITORS, WEBHOOKS;
    GET "/v1/projects/{id}/investment/{year}": READERS, READ;
    GET "/v1/projects/{id}/investment/{year}/{month}": READERS, READ;
    PUT "/v1/projects/{id}/investment/{year}/{month}": EDITORS, WRITE;
    DELETE "/v1/projects/{id}/investment/{year}/{month}": EDITORS, WRITE;
    GET "/v1/projects/{id}/plan-years": READERS, READ;
    GET "/v1/projects/{id}/plan-years/{year}": READERS, READ;
    PUT "/v1/projects/{id}/plan-years/{year}": MANAGERS, WRITE;
    DELETE "/v1/projects/{id}/plan-years/{year}": MANAGERS, WRITE;
    GET "/v1/projects/{id}/transitions": READERS, READ;
    POST "/v1/projects/{id}/transitions": EDITORS, WRITE;
    PUT "/v1/lists/{code}/projects/{id}": MANAGERS, WRITE;
    DELETE "/v1/lists/{code}/projects/{id}": MANAGERS, WRITE;
    GET "/v1/summary": READERS, SUMMARY;
    GET "/v1/summary/diff": READERS, SUMMARY;
    GET "/v1/summary/diff/projects": READERS, READ;
    GET "/v1/accounts/{year}": READERS, SUMMARY;
    GET "/v1/targets": READERS, SUMMARY;
    GET "/v1/targets/attainment": READERS, SUMMARY;
    GET "/v1/targets/cascade": READERS, SUMMARY;
    GET "/v1/targets/{code}": READERS, SUMMARY;
    PUT "/v1/targets/{code}": MANAGERS, PEOPLE_ONLY;
    DELETE "/v1/targets/{code}": MANAGERS, PEOPLE_ONLY;
    GET "/v1/scoreboard": READERS, SUMMARY;
    GET "/v1/scoreboard/scheme": READERS, SUMMARY;
    PUT "/v1/scoreboard/scheme": MANAGERS, PEOPLE_ONLY;
    GET "/v1/scoreboard/periods": READERS, SUMMARY;
    GET "/v1/scoreboard/periods/{period}": READERS, SUMMARY;
    PUT "/v1/scoreboard/periods/{period}": MANAGERS, PEOPLE_ONLY;
    DELETE "/v1/scoreboard/periods/{period}": MANAGERS, PEOPLE_ONLY;

    GET "/v1/regions": EVERY_ROLE, REFERENCE;
    GET "/v1/regions/{code}": EVERY_ROLE, REFERENCE;
    PUT "/v1/regions/{code}": SYSTEM, PEOPLE_ONLY;
    DELETE "/v1/regions/{code}": SYSTEM, PEOPLE_ONLY;
    GET "/v1/units": EVERY_ROLE, REFERENCE;
    GET "/v1/units/{code}": EVERY_ROLE, REFERENCE;
    PUT "/v1/units/{code}": SYSTEM, PEOPLE_ONLY;
    DELETE "/v1/units/{code}": SYSTEM, PEOPLE_ONLY;
    GET "/v1/programmes": EVERY_ROLE, REFERENCE;
    GET "/v1/programmes/{code}": EVERY_ROLE, REFERENCE;
    PUT "/v1/programmes/{code}": SYSTEM, PEOPLE_ONLY;
    DELETE "/v1/programmes/{code}": SYSTEM, PEOPLE_ONLY;
    GET "/v1/sectors": EVERY_ROLE, REFERENCE;
    GET "/v1/sectors/{code}": EVERY_ROLE, REFERENCE;
    PUT "/v1/sectors/{code}": SYSTEM, PEOPLE_ONLY;
    DELETE "/v1/sectors/{code}": SYSTEM, PEOPLE_ONLY;
    GET "/v1/chains": EVERY_ROLE, REFERENCE;
    GET "/v1/chains/{code}": EVERY_ROLE, REFERENCE;
    PUT "/v1/chains/{code}": SYSTEM, PEOPLE_ONLY;
    DELETE "/v1/chains/{code}": SYSTEM, PEOPLE_ONLY;
    GET "/v1/lists": EVERY_ROLE, REFERENCE;
    GET "/v1/lists/{code}": EVERY_ROLE, REFERENCE;
    PUT "/v1/lists/{code}": SYSTEM, PEOPLE_ONLY;
    DELETE "/v1/lists/{code}": SYSTEM, PEOPLE_ONLY;
    GET "/v1/stage-rules": EVERY_ROLE, REFERENCE;
    PUT "/v1/stage-rules/approvals": SYSTEM, PEOPLE_ONLY;

    GET "/v1/users": ADMINISTRATORS, PEOPLE_ONLY;
    POST "/v1/users": SYSTEM, PEOPLE_ONLY;
    GET "/v1/users/{id}": ADMINISTRATORS, PEOPLE_ONLY;
    PATCH "/v1/users/{id}": SYSTEM, PEOPLE_ONLY;
    POST "/v1/users/{id}/password": SYSTEM, PEOPLE_ONLY;
    POST "/v1/users/{id}/unlock": SECURITY, PEOPLE_ONLY;
    POST "/v1/users/{id}/second-factor/remove": SECURITY, PEOPLE_ONLY;
    GET "/v1/users/{id}/identity": ADMINISTRATORS, PEOPLE_ONLY;
    POST "/v1/users/{id}/identity": SYSTEM, PEOPLE_ONLY;
    POST "/v1/users/{id}/identity/remove": SYSTEM, PEOPLE_ONLY;
    GET "/v1/users/{id}/sessions": ADMINISTRATORS, PEOPLE_ONLY;
    POST "/v1/users/{id}/sessions/end": SECURITY, PEOPLE_ONLY;
    GET "/v1/users/{id}/grants": ADMINISTRATORS, PEOPLE_ONLY;
    POST "/v1/users/{id}/grants": SYSTEM, PEOPLE_ONLY;
    GET "/v1/service-accounts": ADMINISTRATORS, PEOPLE_ONLY;
    POST "/v1/service-accounts": SECURITY, PEOPLE_ONLY;
    GET "/v1/service-accounts/{id}": ADMINISTRATORS, PEOPLE_ONLY;
    PUT "/v1/service-accounts/{id}": SECURITY, PEOPLE_ONLY;
    POST "/v1/service-accounts/{id}/secrets": SECURITY, PEOPLE_ONLY;
    POST "/v1/service-accounts/{id}/secrets/revoke": SECURITY, PEOPLE_ONLY;
    PUT "/v1/service-accounts/{id}/keys": SECURITY, PEOPLE_ONLY;
    GET "/v1/grants": ADMINISTRATORS, PEOPLE_ONLY;
    POST "/v1/grants/{id}/decide": SECURITY, PEOPLE_ONLY;
    POST "/v1/grants/{id}/end": SECURITY, PEOPLE_ONLY;

    GET "/v1/audit": AUDIT, PEOPLE_ONLY;
    GET "/v1/audit/verify": AUDIT, PEOPLE_ONLY;
    GET "/v1/audit/export": AUDIT, PEOPLE_ONLY;
}

static BY_NAME: LazyLock<HashMap<(&str, &str), &Operation>> = LazyLock::new(|| {
    let named = OPERATIONS
        .iter()
        .map(|operation| ((operation.method, operation.path), operation));
    named.collect()
});

/// The operation of a method and a path, as the contract writes it.
#[must_use]
pub fn find(method: &str, path: &str) -> Option<&'static Operation> {
    BY_NAME.get(&(method, path)).copied()
}

impl Operation {
    /// Lets a person or a system in, or says why not.
    ///
    /// # Errors
    /// 403: what has to be done first, `scope_missing`, `forbidden`.
    pub fn admit(&self, principal: &Principal) -> Result<(), Problem> {
        if let Some(scopes) = &principal.scopes
            && !self.scopes.iter().any(|scope| scopes.contains(scope))
        {
            return Err(self.scope_missing());
        }
        match (self.door, principal.restriction) {
            (Door::Open | Door::Oneself, _) => Ok(()),
            (Door::Roles(_), Some(Restriction::PasswordChange)) => {
                Err(Problem::new(kinds::PASSWORD_CHANGE_REQUIRED).say(
                    "请先用 POST /v1/me/password 设置自己的密码",
                    "Set a password of your own first: POST /v1/me/password",
                ))
            }
            (Door::Roles(_), Some(Restriction::SecondFactor)) => {
                Err(Problem::new(kinds::SECOND_FACTOR_REQUIRED).say(
                    "您的角色要求双因素登录，请先用 POST /v1/me/second-factor 设置",
                    "Your role demands a second factor; set one first: POST /v1/me/second-factor",
                ))
            }
            (Door::Roles(roles), None) if principal.has_any(roles) => Ok(()),
            (Door::Roles(_), None) => Err(Problem::new(kinds::FORBIDDEN)
                .say("您的角色不能进行这项操作", "Your role does not allow this")),
        }
    }

    fn scope_missing(&self) -> Problem {
        let needed: Vec<&str> = self.scopes.iter().map(|scope| scope.code()).collect();
        let problem = Problem::new(kinds::SCOPE_MISSING);
        if needed.is_empty() {
            return problem.say("这项操作只供用户使用", "This operation is for people only");
        }
        let needed = needed.join(" | ");
        problem.say(
            format!("需要权限范围 {needed}"),
            format!("It needs the scope {needed}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a path may fit both.
    fn overlap(one: &str, other: &str) -> bool {
        let (one, other): (Vec<_>, Vec<_>) = (one.split('/').collect(), other.split('/').collect());
        one.len() == other.len()
            && one
                .iter()
                .zip(&other)
                .all(|(a, b)| a == b || a.starts_with('{') || b.starts_with('{'))
    }

    #[test]
    fn what_may_be_taken_for_another_is_for_the_same_people() {
        for (place, one) in OPERATIONS.iter().enumerate() {
            for other in OPERATIONS.iter().skip(place + 1) {
                if one.method == other.method && overlap(one.path, other.path) {
                    assert_ne!(one.path, other.path, "twice");
                    assert_eq!(one.door, other.door, "{} {}", one.path, other.path);
                }
            }
        }
    }
}
