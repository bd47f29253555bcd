//! Which approvals which projects need, as data.

use aws_lc_rs::digest;
use domain::approval::{AppliesTo, ApprovalItem, ApprovalProfile, ApprovalRules};
use sea_orm::{ActiveValue::Set, ConnectionTrait, EntityTrait};
use serde_json::{Value, json};

use crate::entity::{approval_rule, sector};
use crate::precondition::Precondition;
use crate::store::row::coded;
use crate::store::{Failure, Tx, event};

/// The rules as they stand: those that were set, or the preset.
pub(crate) async fn approval_rules(db: &impl ConnectionTrait) -> Result<ApprovalRules, Failure> {
    let rows = approval_rule::Entity::find().all(db).await?;
    if rows.is_empty() {
        return Ok(ApprovalRules::preset());
    }
    let rules: Vec<_> = rows
        .iter()
        .map(|row| {
            let to = coded(AppliesTo::from_code, &row.applies_to)?;
            Ok((to, coded(ApprovalItem::from_code, &row.item)?))
        })
        .collect::<Result<_, Failure>>()?;
    Ok(ApprovalRules::new(rules))
}

/// What the works of a sector touch.
pub(crate) async fn profile_of(
    db: &impl ConnectionTrait,
    code: &str,
) -> Result<ApprovalProfile, Failure> {
    match sector::Entity::find_by_id(code).one(db).await? {
        None => Ok(ApprovalProfile::General),
        Some(row) => coded(ApprovalProfile::from_code, &row.approval_profile),
    }
}

/// The rules with their version: a number made from what they say, for they are one resource.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn read(db: &impl ConnectionTrait) -> Result<(ApprovalRules, i64), Failure> {
    let rules = approval_rules(db).await?;
    let mut text = String::new();
    for (to, items) in rules.by_target() {
        text.push_str(to.code());
        for item in items {
            text.push(' ');
            text.push_str(item.code());
        }
        text.push('\n');
    }
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    let version = hash
        .as_ref()
        .iter()
        .take(6)
        .fold(1_i64, |number, byte| number << 8 | i64::from(*byte));
    Ok((rules, version))
}

/// Replaces the rules, if they are at version `seen`.
///
/// # Errors
/// 412 if they are not.
pub async fn replace(
    tx: &Tx,
    rules: &[(AppliesTo, ApprovalItem)],
    seen: i64,
) -> Result<(), Failure> {
    tx.alone_with_reference_data().await?;
    let (_, present) = read(&tx.db).await?;
    Precondition::Version(seen).check(Some(present))?;
    set(tx, rules).await?;
    Ok(())
}

/// Sets the rules as a whole; answers whether they differ from what stood.
///
/// # Errors
/// [`Failure`] of the database.
pub async fn set(tx: &Tx, rules: &[(AppliesTo, ApprovalItem)]) -> Result<bool, Failure> {
    tx.alone_with_reference_data().await?;
    let wanted = ApprovalRules::new(rules.iter().copied());
    let present = approval_rules(&tx.db).await?;
    if present == wanted {
        return Ok(false);
    }
    approval_rule::Entity::delete_many().exec(&tx.db).await?;
    for (to, items) in wanted.by_target() {
        for item in items {
            let row = approval_rule::ActiveModel {
                applies_to: Set(to.code().to_owned()),
                item: Set(item.code().to_owned()),
            };
            approval_rule::Entity::insert(row)
                .exec_without_returning(&tx.db)
                .await?;
        }
    }
    let version = event::last_version(tx, "approval_rules", "all").await? + 1;
    let done = event::Entry::of_code("approval_rules", "all", "reference_changed", version);
    event::record(tx, done.changing(Some(told(&present)), Some(told(&wanted)))).await?;
    Ok(true)
}

fn told(rules: &ApprovalRules) -> Value {
    let of_target = |(to, items): (AppliesTo, Vec<ApprovalItem>)| {
        let items: Vec<&str> = items.iter().map(|item| item.code()).collect();
        json!({ "applies_to": to.code(), "items": items })
    };
    rules.by_target().into_iter().map(of_target).collect()
}
