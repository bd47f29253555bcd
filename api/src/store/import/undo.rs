//! Taking an import back as a whole, as long as nothing is built upon it.

use std::collections::{BTreeMap, BTreeSet};

use domain::approval::ApprovalItem;
use domain::monthly::Month;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use super::job;
use super::outcome::{self, Kept};
use super::present::versions_where;
use crate::auth::Principal;
use crate::entity::project::{Column as Table, Entity as Projects};
use crate::entity::{approval as approvals, investment_month, plan_year as plans, project_version};
use crate::precondition::Precondition;
use crate::problem::{Fault, Problem, kinds};
use crate::store::family::Household;
use crate::store::project::{self, Key};
use crate::store::{Failure, Tx, approval, corrupt, event, investment, plan_year, row, target};

/// Takes an import back: what it registered leaves the library, what it changed is as it was before; each as a change of
/// its own, so that versions and history tell it.
///
/// # Errors
/// `not_found`, `import_not_committed`; `built_upon` with what was changed since; the refusal of a rule.
pub async fn undo(tx: &Tx, principal: &Principal, id: Uuid) -> Result<(), Failure> {
    if !tx.alone_with_imports().await? {
        return Err(Problem::new(kinds::IMPORT_RUNNING).into());
    }
    let kept = job::undoable(tx, principal.id, id).await?;
    refuse_built_upon(tx, &kept).await?;
    let (entered, rest): (Vec<&Kept>, Vec<&Kept>) = kept.iter().partition(|one| one.is_entered());
    for one in rest.into_iter().rev() {
        match take_back(tx, principal, one).await {
            Ok(None) => {}
            Ok(Some(version)) => outcome::restored(tx, id, one, version).await?,
            Err(Failure::Refused(problem)) => return Err(problem.about(&one.name).into()),
            Err(failure) => return Err(failure),
        }
    }
    let entered: BTreeSet<Uuid> = entered.iter().filter_map(|one| one.project()).collect();
    project::annul(tx, principal, &entered).await?;
    let entry = event::Entry::of_import(id, "import_undone");
    event::record(
        tx,
        entry.changing(None, Some(json!({ "rows": kept.len() }))),
    )
    .await?;
    job::undone(tx, id).await
}

/// Projects that somebody has changed since: whatever is built upon one makes a new version of it. Their families are locked
/// first, so that nobody changes one between this and its being taken back.
async fn refuse_built_upon(tx: &Tx, kept: &[Kept]) -> Result<(), Failure> {
    let mut faults = Vec::new();
    let mut total = 0;
    let mut projects: BTreeMap<Uuid, &Kept> = BTreeMap::new();
    for one in kept {
        if let Some(id) = one.project() {
            projects.insert(id, one);
        }
    }
    let ids: Vec<Uuid> = projects.keys().copied().collect();
    for some in ids.chunks(1000) {
        let named = Table::Id.is_in(some.iter().copied());
        let found = Projects::find().filter(named.clone()).all(&tx.db).await?;
        Household::lock(tx, found.iter().map(|row| row.root_id).collect()).await?;
        let rows = Projects::find().filter(named).all(&tx.db).await?;
        let changed = rows.iter().filter(|row| {
            let is_as_left = |one: &&Kept| one.after == row.version;
            projects.get(&row.id).is_some_and(|one| !is_as_left(one))
        });
        let changed: Vec<Uuid> = changed.map(|row| row.id).collect();
        let restored = outcome::restorations(tx, &changed).await?;
        for row in rows {
            let Some(one) = projects.get(&row.id) else {
                continue;
            };
            // What a later import did and was taken back with it is not built upon this one.
            let mut left = one.after;
            while let Some((.., again)) = restored
                .iter()
                .find(|(id, before, _)| *id == row.id && *before == left)
            {
                left = *again;
            }
            if row.version != left {
                total += 1;
                faults.push(
                    Fault::elsewhere(
                        "changed_since",
                        format!("“{}”在导入后又有改动（第 {} 版）", row.name, row.version),
                        format!(
                            "\"{}\" was changed since (version {})",
                            row.name, row.version
                        ),
                    )
                    .with("id", row.id.to_string()),
                );
            }
        }
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Problem::new(kinds::BUILT_UPON)
        .say(
            format!("有 {total} 个项目在导入后又有改动"),
            format!("{total} projects were changed since"),
        )
        .with_faults(faults)
        .into())
}

/// Answers the version at which a project is as it was.
async fn take_back(tx: &Tx, principal: &Principal, one: &Kept) -> Result<Option<i64>, Failure> {
    let parts: Vec<&str> = one.subject.split('/').collect();
    let parsed = |text: &str| text.parse::<Uuid>().map_err(|_| corrupt(text));
    match (parts.as_slice(), one.before) {
        (["project", id], Some(before)) => {
            let version = amend_back(tx, principal, parsed(id)?, before).await?;
            return Ok(Some(version));
        }
        (["plan_year", id, year], before) => {
            let year = year.parse().map_err(|_| corrupt(year))?;
            plan_back(tx, principal, (parsed(id)?, year), before, one.after).await?;
        }
        (["investment_month", id, month], before) => {
            let month = month_of(month).ok_or_else(|| corrupt(month))?;
            month_back(tx, principal, (parsed(id)?, month), before, one.after).await?;
        }
        (["approval", id, item], before) => {
            let item = ApprovalItem::from_code(item).ok_or_else(|| corrupt(item))?;
            approval_back(tx, principal, (parsed(id)?, item), before, one.after).await?;
        }
        (["target", code], before) => match before {
            None => target::remove(tx, principal, code, one.after).await?,
            Some(before) => {
                let then = target::at_version(&tx.db, code, before).await?;
                target::put(tx, principal, Precondition::Version(one.after), &then).await?;
            }
        },
        _ => return Err(corrupt(&one.subject)),
    }
    Ok(None)
}

/// Gives a project the facts that it had at a version, and takes off the key that it was linked to.
async fn amend_back(tx: &Tx, principal: &Principal, id: Uuid, before: i64) -> Result<i64, Failure> {
    let which = Condition::all()
        .add(project_version::Column::Id.eq(id))
        .add(project_version::Column::Version.eq(before));
    let then = versions_where(&tx.db, which).await?;
    let then = then
        .first()
        .ok_or_else(|| corrupt("version before the import"))?;
    let facts = row::facts(then)?;
    let mut now = project::need(&tx.db, &principal.reads(), Key::Id(id)).await?;
    let record = project::amend(tx, principal, id, now.version, |_| Ok(facts.clone())).await?;
    now.version = record.version;
    let links = crate::store::external_ref::since(&tx.db, id, then.updated_at).await?;
    for system in links {
        now.version =
            crate::store::external_ref::unlink(tx, principal, id, now.version, &system).await?;
    }
    Ok(now.version)
}

async fn plan_back(
    tx: &Tx,
    principal: &Principal,
    (id, year): (Uuid, i32),
    before: Option<i64>,
    after: i64,
) -> Result<(), Failure> {
    let Some(before) = before else {
        return plan_year::remove(tx, principal, id, year, after).await;
    };
    let then = plans::Entity::find_by_id((id, year, before))
        .one(&tx.db)
        .await?;
    let then = plan_year::record(&then.ok_or_else(|| corrupt("plan before the import"))?)?;
    let seen = Precondition::Version(after);
    plan_year::put(tx, principal, id, year, seen, then.planned).await?;
    Ok(())
}

async fn month_back(
    tx: &Tx,
    principal: &Principal,
    (id, month): (Uuid, Month),
    before: Option<i64>,
    after: i64,
) -> Result<(), Failure> {
    let Some(before) = before else {
        return investment::remove(tx, principal, id, month, after).await;
    };
    let then = investment_month::Entity::find()
        .filter(investment::of_month(id, month))
        .filter(investment_month::Column::Version.eq(before))
        .one(&tx.db)
        .await?;
    let then = investment::record(&then.ok_or_else(|| corrupt("month before the import"))?)?;
    let seen = Precondition::Version(after);
    investment::put(tx, principal, id, month, seen, then.figures).await?;
    Ok(())
}

async fn approval_back(
    tx: &Tx,
    principal: &Principal,
    (id, item): (Uuid, ApprovalItem),
    before: Option<i64>,
    after: i64,
) -> Result<(), Failure> {
    let Some(before) = before else {
        return approval::remove(tx, principal, id, item, after).await;
    };
    let then = approvals::Entity::find()
        .filter(approvals::Column::ProjectId.eq(id))
        .filter(approvals::Column::Item.eq(item.code()))
        .filter(approvals::Column::Version.eq(before))
        .one(&tx.db)
        .await?;
    let then = approval::record(then.ok_or_else(|| corrupt("permit before the import"))?)?;
    let seen = Precondition::Version(after);
    approval::put(tx, principal, id, item, seen, then.approval).await?;
    Ok(())
}

fn month_of(text: &str) -> Option<Month> {
    let (year, month) = text.split_once('-')?;
    Month::new(year.parse().ok()?, month.parse().ok()?)
}
