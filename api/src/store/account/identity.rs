//! People who are known by what the office's identity provider says: flows that have begun, accounts that are linked
//! to a subject, and the roles that come with it.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use domain::text::Text;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use uuid::Uuid;

use super::session::{self, Because};
use super::user::{self, PERSON};
use super::{exists, grant};
use crate::auth::Role;
use crate::auth::keys::hash_of_secret;
use crate::auth::provider::{Begun, Identity};
use crate::entity::external_identity::{self, Entity};
use crate::entity::sign_in_flow;
use crate::problem::{Problem, kinds};
use crate::store::{Failure, Tx, event};

/// How long somebody may take to sign in at the provider.
pub const FLOW_LIFE: TimeDelta = TimeDelta::minutes(10);
/// The longest part of a name that an account is named after, in bytes: a number may follow.
const MAX_STEM: usize = 56;

/// Keeps what is needed when a flow comes back.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn begin(tx: &Tx, begun: &Begun) -> Result<(), Failure> {
    let row = sign_in_flow::ActiveModel {
        state_hash: Set(hash_of_secret(&begun.state)),
        browser_hash: Set(hash_of_secret(&begun.browser)),
        nonce: Set(begun.nonce.clone()),
        verifier: Set(begun.verifier.clone()),
        expires_at: Set(tx.now() + FLOW_LIFE),
    };
    sign_in_flow::Entity::insert(row)
        .exec_without_returning(&tx.db)
        .await?;
    Ok(())
}

/// What a flow that has come back is held to.
#[derive(Clone)]
pub struct Flow {
    /// Has to stand in the id token.
    pub nonce: String,
    /// Has to be shown for the code.
    pub verifier: String,
}

impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Flow")
    }
}

/// Uses up a flow that this browser has begun; none if it has not, or too long ago, or has come back already.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn take(tx: &Tx, state: &str, browser: &str) -> Result<Option<Flow>, Failure> {
    let found = sign_in_flow::Entity::find_by_id(hash_of_secret(state))
        .filter(sign_in_flow::Column::BrowserHash.eq(hash_of_secret(browser)))
        .filter(sign_in_flow::Column::ExpiresAt.gt(tx.now()))
        .one(&tx.db)
        .await?;
    let Some(row) = found else {
        return Ok(None);
    };
    let taken = sign_in_flow::Entity::delete_by_id(row.state_hash)
        .exec(&tx.db)
        .await?;
    Ok((taken.rows_affected == 1).then_some(Flow {
        nonce: row.nonce,
        verifier: row.verifier,
    }))
}

/// Drops flows that did not come back in time.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn forget_old(tx: &Tx) -> Result<(), Failure> {
    sign_in_flow::Entity::delete_many()
        .filter(sign_in_flow::Column::ExpiresAt.lt(tx.now()))
        .exec(&tx.db)
        .await?;
    Ok(())
}

/// What comes of what the provider says.
#[derive(Clone, Debug)]
pub enum Arrival {
    /// He has an account, with the rights that come with it.
    Known {
        /// The account.
        account: Uuid,
        /// The name to sign in with.
        username: String,
    },
    /// The account is disabled.
    Disabled,
    /// He would be two of the three administrators.
    TwoAdministrators,
    /// A role demands a second factor, and the provider does not say that he has shown one.
    NeedsSecondFactor,
}

/// Finds the account of a subject, or makes one, and brings its rights to what the provider says.
///
/// An account is found by issuer and subject alone: who has the name of another gets a name of his own.
///
/// # Errors
/// [`Failure`] of the database; `validation_failed` for a region or a unit that is configured and not there.
pub async fn arrive(
    tx: &Tx,
    identity: &Identity,
    second_factor: &BTreeSet<Role>,
) -> Result<Arrival, Failure> {
    let link = Entity::find_by_id((identity.issuer.clone(), identity.subject.clone()))
        .one(&tx.db)
        .await?;
    let row = match link {
        Some(link) => Some(user::find(&tx.db, link.account_id, PERSON).await?),
        None => None,
    };
    if row.as_ref().is_some_and(|row| row.disabled_at.is_some()) {
        return Ok(Arrival::Disabled);
    }
    let mut roles: BTreeSet<Role> = identity.roles.iter().map(|mapping| mapping.role).collect();
    if let Some(row) = &row {
        roles.extend(grant::roles_beside_mapped(tx, row.id).await?);
    }
    if roles.iter().filter(|role| role.is_administrator()).count() > 1 {
        return Ok(Arrival::TwoAdministrators);
    }
    if !identity.has_shown_second_factor && !roles.is_disjoint(second_factor) {
        return Ok(Arrival::NeedsSecondFactor);
    }
    let (account, username) = match row {
        Some(row) => (row.id, row.username),
        None => make(tx, identity).await?,
    };
    grant::bring_to_mapped(tx, account, &identity.roles).await?;
    Ok(Arrival::Known { account, username })
}

async fn make(tx: &Tx, identity: &Identity) -> Result<(Uuid, String), Failure> {
    let stem = stem_of(identity.username.as_deref().unwrap_or_default());
    let mut username = stem.clone();
    let mut number = 1;
    while exists(&tx.db, &username).await? {
        number += 1;
        username = format!("{stem}-{number}");
    }
    let shown = identity.display_name.as_deref().unwrap_or_default();
    let shown = Text::<100>::parse(shown).map(|text| text.as_str().to_owned());
    let shown = shown.unwrap_or_else(|_| username.clone());
    let id = user::insert(tx, &username, &shown, PERSON).await?;
    insert(tx, id, &identity.issuer, &identity.subject).await?;
    Ok((id, username))
}

/// What is left of a name within the pattern of names.
fn stem_of(name: &str) -> String {
    let lower = name.to_lowercase();
    let fits = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._@-".contains(*c);
    let kept: String = lower.chars().filter(fits).take(MAX_STEM).collect();
    let kept = kept.trim_start_matches(['.', '_', '@', '-']);
    if kept.is_empty() { "user" } else { kept }.to_owned()
}

async fn insert(tx: &Tx, account: Uuid, issuer: &str, subject: &str) -> Result<(), Failure> {
    let row = external_identity::ActiveModel {
        issuer: Set(issuer.to_owned()),
        subject: Set(subject.to_owned()),
        account_id: Set(account),
        linked_at: Set(tx.now()),
    };
    Entity::insert(row).exec_without_returning(&tx.db).await?;
    let entry = event::Entry::of_account(account, "identity_linked")
        .changing(None, Some(told(issuer, subject)));
    event::record(tx, entry).await
}

fn told(issuer: &str, subject: &str) -> Value {
    json!({ "issuer": issuer, "subject": subject })
}

/// Records a sign-in at the provider that came to nothing; of who is not known, no more than that.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn record_refusal(
    tx: &Tx,
    identity: Option<&Identity>,
    because: &str,
) -> Result<(), Failure> {
    let link = match identity {
        Some(identity) => {
            Entity::find_by_id((identity.issuer.clone(), identity.subject.clone()))
                .one(&tx.db)
                .await?
        }
        None => None,
    };
    let entry = match link {
        Some(link) => event::Entry::of_account(link.account_id, "attempt_failed"),
        None => event::Entry::of_nobody("attempt_failed"),
    };
    let how = json!({ "method": session::Method::IdentityProvider.code(), "because": because });
    event::record(tx, entry.denied().changing(None, Some(how))).await
}

/// Who somebody is at the provider.
#[derive(Clone, Debug)]
pub struct Link {
    /// The provider.
    pub issuer: String,
    /// Its name for him.
    pub subject: String,
    /// Since when.
    pub linked_at: DateTime<Utc>,
}

/// Who the owner of an account is at the provider.
///
/// # Errors
/// `not_found` if there is no such account, or it is not linked.
pub async fn read(db: &impl ConnectionTrait, account: Uuid) -> Result<Link, Failure> {
    let row = need(db, account).await?;
    Ok(Link {
        issuer: row.issuer,
        subject: row.subject,
        linked_at: row.linked_at,
    })
}

async fn need(
    db: &impl ConnectionTrait,
    account: Uuid,
) -> Result<external_identity::Model, Failure> {
    let found = Entity::find()
        .filter(external_identity::Column::AccountId.eq(account))
        .one(db)
        .await?;
    found.ok_or_else(|| Problem::not_found().into())
}

/// Links an account that is there to a subject of the provider.
///
/// # Errors
/// `not_found`; `own_account` for one's own; `guarded_account` for a security or audit administrator's;
/// `already_exists` if either is linked.
pub async fn link(tx: &Tx, account: Uuid, issuer: &str, subject: &str) -> Result<Link, Failure> {
    user::find(&tx.db, account, PERSON).await?;
    user::refuse_own(tx, account)?;
    user::refuse_guarded(tx, account).await?;
    let is_either =
        external_identity::Column::AccountId
            .eq(account)
            .or(external_identity::Column::Issuer
                .eq(issuer)
                .and(external_identity::Column::Subject.eq(subject)));
    if Entity::find()
        .filter(is_either)
        .one(&tx.db)
        .await?
        .is_some()
    {
        return Err(Problem::new(kinds::ALREADY_EXISTS)
            .say(
                "该账号或该身份已有关联；请先解除原有关联",
                "The account or the subject is linked already; remove that link first",
            )
            .into());
    }
    insert(tx, account, issuer, subject).await?;
    read(&tx.db, account).await
}

/// Removes the link of an account: its owner can't come by the provider any more, the sign-ins end, and so do the
/// rights that came with it.
///
/// # Errors
/// `not_found`; `own_account` for one's own.
pub async fn unlink(tx: &Tx, account: Uuid) -> Result<(), Failure> {
    let row = need(&tx.db, account).await?;
    user::refuse_own(tx, account)?;
    Entity::delete_many()
        .filter(external_identity::Column::AccountId.eq(account))
        .exec(&tx.db)
        .await?;
    grant::bring_to_mapped(tx, account, &[]).await?;
    session::end_all(tx, account, None, Because::EndedByAdministrator).await?;
    let entry = event::Entry::of_account(account, "identity_unlinked")
        .changing(Some(told(&row.issuer, &row.subject)), None);
    event::record(tx, entry).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_brought_into_the_pattern() {
        for (name, stem) in [
            ("zhang.wei", "zhang.wei"),
            ("Zhang Wei@Office", "zhangwei@office"),
            ("-._@x", "x"),
            ("张伟", "user"),
            ("", "user"),
        ] {
            assert_eq!(stem_of(name), stem);
        }
        assert_eq!(stem_of(&"a".repeat(100)).len(), MAX_STEM);
    }
}
