//! Who asks, with all rights.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use domain::transition::Mandate;
use uuid::Uuid;

use super::reach::{Extent, Reach};
use super::role::{Role, Scope};
use crate::problem::{Problem, kinds};

/// One right: a role and where it holds.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// The region it was given for; none for every region.
    pub region: Option<String>,
    /// The last day on which it holds.
    pub valid_until: Option<NaiveDate>,
    /// Where it holds.
    pub extent: Extent,
}

/// Why somebody who has signed in may do nothing yet but mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restriction {
    /// The password was given by somebody else, or is too old.
    PasswordChange,
    /// The role demands a second factor, and there is none.
    SecondFactor,
}

/// A person or another office's system that has signed in, with all rights; they are ORed.
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
    /// What has to be done first.
    pub restriction: Option<Restriction>,
    /// What a system is limited to; none for a person.
    pub scopes: Option<BTreeSet<Scope>>,
    /// Whether the account has a second factor.
    pub has_second_factor: bool,
}

/// Where any of the roles holds.
fn reach_of(grants: &[Grant], roles: &[Role]) -> Reach {
    let held = grants.iter().filter(|grant| roles.contains(&grant.role));
    Reach::of(held.map(|grant| grant.extent.clone()))
}

/// The roles that read projects.
const READERS: [Role; 3] = [Role::Officer, Role::Manager, Role::Leader];

/// What an account may do for which something is done while it does not ask.
#[derive(Clone, Debug)]
pub struct Rights {
    /// The rights.
    pub grants: Vec<Grant>,
    /// What a system is limited to; none for a person.
    pub scopes: Option<BTreeSet<Scope>>,
}

impl Rights {
    /// Where it may read projects, if it has any of these roles and, being a system, this scope.
    #[must_use]
    pub fn reads_as(&self, roles: &[Role], scope: Scope) -> Option<Reach> {
        let may = self
            .scopes
            .as_ref()
            .is_none_or(|scopes| scopes.contains(&scope));
        let has = self.grants.iter().any(|grant| roles.contains(&grant.role));
        (may && has).then(|| reach_of(&self.grants, &READERS))
    }
}

impl Principal {
    /// Where this person may read projects: what every query on projects has to be limited to.
    #[must_use]
    pub fn reads(&self) -> Reach {
        reach_of(&self.grants, &READERS)
    }

    /// Where this person is a manager of projects.
    #[must_use]
    pub fn manages(&self) -> Reach {
        reach_of(&self.grants, &[Role::Manager])
    }

    /// Whether any of the roles is held, wherever.
    #[must_use]
    pub fn has_any(&self, roles: &[Role]) -> bool {
        self.grants.iter().any(|grant| roles.contains(&grant.role))
    }

    /// What this person may do to a project of a region and a unit; none if only read.
    #[must_use]
    pub fn mandate(&self, region: &str, unit: Option<&str>) -> Option<Mandate> {
        let holds = |role: Role| reach_of(&self.grants, &[role]).covers(region, unit);
        if holds(Role::Manager) {
            Some(Mandate::Manager)
        } else if holds(Role::Officer) {
            Some(Mandate::Officer)
        } else {
            None
        }
    }

    /// The mandate over projects of a region and a unit, or the refusal.
    ///
    /// # Errors
    /// 403 if this person may only read them.
    pub fn need_mandate(&self, region: &str, unit: Option<&str>) -> Result<Mandate, Problem> {
        self.mandate(region, unit).ok_or_else(|| {
            Problem::new(kinds::FORBIDDEN).say(
                "您对该地区、该责任单位的项目没有录入权限",
                "You may not enter projects of that region and that responsible unit",
            )
        })
    }

    /// A manager's mandate over projects of a region and a unit, or the refusal.
    ///
    /// # Errors
    /// 403 if this person is not a manager there.
    pub fn need_manager(&self, region: &str, unit: Option<&str>) -> Result<(), Problem> {
        match self.need_mandate(region, unit)? {
            Mandate::Manager => Ok(()),
            Mandate::Officer => Err(Problem::new(kinds::NEEDS_MANAGER)),
        }
    }
}
