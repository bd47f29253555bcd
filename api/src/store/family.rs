//! Families as they are stored: locked at the root, settled as one, saved version by version.

use std::collections::{BTreeMap, BTreeSet};

use domain::family::{Families, FamilyCounting, MAX_MEMBERS, Placement};
use domain::id::ProjectId;
use sea_orm::sea_query::{Expr, LockType, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable,
    QueryFilter,
};
use serde_json::json;
use uuid::Uuid;

use super::{Failure, Tx, corrupt, event, rollup, row, search};
use crate::entity::project::{self, Model};
use crate::entity::{project_search, project_version};
use crate::problem::{Problem, kinds};

/// How many new rows are saved by one statement: each has some fifty values, and SQLite takes 32,766.
const ROWS: usize = 500;

/// The families that a change touches, locked until the transaction ends.
#[derive(Debug)]
pub(crate) struct Household {
    rows: BTreeMap<Uuid, Model>,
}

impl Household {
    /// Locks the families of these roots and reads them.
    ///
    /// SQLite has one writer and ignores the row lock; either way the version is compared when saving.
    pub(crate) async fn lock(tx: &Tx, roots: BTreeSet<Uuid>) -> Result<Self, Failure> {
        let lock = Query::select()
            .column(project::Column::Id)
            .from(project::Entity)
            .and_where(project::Column::Id.is_in(roots.iter().copied()))
            .order_by(project::Column::Id, sea_orm::Order::Asc)
            .lock(LockType::Update)
            .to_owned();
        // Also of no family: who waits for the library to himself is waited for before anything is dated.
        tx.db.query_all(&lock).await?;
        let household = Self::read(&tx.db, roots).await?;
        // What was saved of families that were held before is in the sums under the time at which it was.
        rollup::post(tx).await?;
        tx.comes_after(household.rows.values().map(|row| row.updated_at).max());
        Ok(household)
    }

    /// Reads the families of these roots as they stand.
    pub(crate) async fn read(
        db: &impl ConnectionTrait,
        roots: BTreeSet<Uuid>,
    ) -> Result<Self, Failure> {
        if roots.is_empty() {
            return Ok(Self {
                rows: BTreeMap::new(),
            });
        }
        let rows = project::Entity::find()
            .filter(project::Column::RootId.is_in(roots))
            .all(db)
            .await?;
        Ok(Self {
            rows: rows.into_iter().map(|row| (row.id, row)).collect(),
        })
    }

    /// A member as it stands now.
    pub(crate) fn get(&self, id: Uuid) -> Option<&Model> {
        self.rows.get(&id)
    }

    /// All that is inside a member, of any generation.
    pub(crate) fn inside(&self, id: Uuid) -> impl Iterator<Item = &Model> {
        self.rows
            .values()
            .filter(move |row| self.ancestors(row.id).any(|above| above.id == id))
    }

    /// The ancestors of a member, nearest first.
    pub(crate) fn ancestors(&self, id: Uuid) -> impl Iterator<Item = &Model> {
        let above = |id: Uuid| self.rows.get(&self.rows.get(&id)?.parent_id?);
        // A stored family has no cycle; the bound holds even if one were written by hand.
        std::iter::successors(above(id), move |row| above(row.id)).take(MAX_MEMBERS)
    }

    /// Takes changed and new rows in, lets the rules of families speak, and saves every row that is changed
    /// by it: the rows themselves, their ancestors (whose gates and counting read them), and whoever is now
    /// counted in another way. Answers the changed rows as saved.
    pub(crate) async fn settle(
        self,
        tx: &Tx,
        changes: Vec<Model>,
    ) -> Result<BTreeMap<Uuid, Model>, Failure> {
        let before = self.rows;
        let mut after = before.clone();
        let mut dirty: BTreeSet<Uuid> = changes.iter().map(|row| row.id).collect();
        for row in changes {
            dirty.extend(ancestors_of(&before, row.id));
            after.insert(row.id, row);
        }
        for id in dirty.clone() {
            dirty.extend(ancestors_of(&after, id));
        }
        place(&mut after)?;
        dirty.extend(
            after
                .iter()
                .filter(|(id, row)| before.get(id) != Some(row))
                .map(|(id, _)| *id),
        );
        let mut saved = BTreeMap::new();
        let mut new = Vec::new();
        for id in dirty {
            let Some(row) = after.remove(&id) else {
                continue;
            };
            let Some(before) = before.get(&id) else {
                new.push(row);
                continue;
            };
            let row = save(tx, before, row).await?;
            tell_of_cover(tx, before, &row).await?;
            saved.insert(id, row);
        }
        let new = save_new(tx, new).await?;
        saved.extend(new.into_iter().map(|row| (row.id, row)));
        Ok(saved)
    }
}

/// What a cover shows changes with its parts: its history says so.
async fn tell_of_cover(tx: &Tx, before: &Model, after: &Model) -> Result<(), Failure> {
    let shown = |row: &Model| json!({ "stage": row.stage, "condition": row.condition });
    let is_cover = after.family_counting == FamilyCounting::Parts.code();
    if !is_cover || shown(before) == shown(after) {
        return Ok(());
    }
    let entry = event::Entry::of_project(after.id, "shown_by_parts", after.version);
    event::record(tx, entry.changing(Some(shown(before)), Some(shown(after)))).await
}

fn ancestors_of(rows: &BTreeMap<Uuid, Model>, id: Uuid) -> BTreeSet<Uuid> {
    let mut found = BTreeSet::new();
    let mut above = rows.get(&id).and_then(|row| row.parent_id);
    while let Some(id) = above {
        if !found.insert(id) {
            break;
        }
        above = rows.get(&id).and_then(|row| row.parent_id);
    }
    found
}

/// Writes into each row its root, how it is counted and, for a cover, what it shows.
fn place(rows: &mut BTreeMap<Uuid, Model>) -> Result<(), Failure> {
    let members: Vec<_> = rows.values().map(row::member).collect::<Result<_, _>>()?;
    let families = Families::new(members)?;
    let roots: BTreeMap<Uuid, Uuid> = rows
        .keys()
        .map(|&id| {
            let root = families.ancestors(ProjectId(id)).last();
            (id, root.map_or(id, |root| root.id.0))
        })
        .collect();
    let mut sizes: BTreeMap<Uuid, usize> = BTreeMap::new();
    for root in roots.values() {
        *sizes.entry(*root).or_default() += 1;
    }
    if sizes.values().any(|&size| size > MAX_MEMBERS) {
        return Err(Problem::new(kinds::FAMILY_REFUSED)
            .say(
                format!("一个项目群最多 {MAX_MEMBERS} 个项目"),
                format!("A family has {MAX_MEMBERS} projects at the most"),
            )
            .into());
    }
    for (id, placement) in families.placements() {
        let Some(row) = rows.get_mut(&id.0) else {
            continue;
        };
        let Placement {
            by_project,
            by_part,
            remainder,
            shown: (stage, condition),
        } = placement;
        row.root_id = roots.get(&id.0).copied().unwrap_or(id.0);
        row.counts_by_project = by_project && !row.annulled;
        row.counts_by_part = by_part && !row.annulled;
        row.remainder_fen = remainder
            .and_then(|left| left.exact.or(left.floor))
            .map(domain::money::Money::fen);
        if row.family_counting == FamilyCounting::Parts.code() {
            row.stage = stage.code().into();
            row.condition = condition.code().into();
        }
    }
    Ok(())
}

/// Saves one row as its next version; whoever changed it meanwhile has won.
async fn save(tx: &Tx, before: &Model, mut after: Model) -> Result<Model, Failure> {
    tx.saves(after.id);
    after.updated_at = tx.now();
    after.version = before.version + 1;
    let active = after.clone().into_active_model().reset_all();
    let changed = project::Entity::update_many()
        .set(active)
        .filter(project::Column::Id.eq(before.id))
        .filter(project::Column::Version.eq(before.version))
        .exec(&tx.db)
        .await?;
    if changed.rows_affected != 1 {
        return Err(Failure::Moved);
    }
    project_version::Entity::update_many()
        .col_expr(project_version::Column::SupersededAt, Expr::value(tx.now()))
        .filter(project_version::Column::Id.eq(before.id))
        .filter(project_version::Column::Version.eq(before.version))
        .exec(&tx.db)
        .await?;
    keep_versions(tx, &[after.id]).await?;
    if search::entry(before) != search::entry(&after) {
        keep_search(tx, std::slice::from_ref(&after)).await?;
    }
    Ok(after)
}

/// Saves new rows, each as its first version.
async fn save_new(tx: &Tx, mut rows: Vec<Model>) -> Result<Vec<Model>, Failure> {
    for row in &mut rows {
        tx.saves(row.id);
        row.updated_at = tx.now();
        row.version = 1;
    }
    for some in rows.chunks(ROWS) {
        let active = some
            .iter()
            .cloned()
            .map(|row| row.into_active_model().reset_all());
        project::Entity::insert_many(active)
            .exec_without_returning(&tx.db)
            .await?;
        let ids: Vec<Uuid> = some.iter().map(|row| row.id).collect();
        keep_versions(tx, &ids).await?;
        keep_search(tx, some).await?;
    }
    Ok(rows)
}

/// Copies present rows into the versions, column by column as the database has them.
async fn keep_versions(tx: &Tx, ids: &[Uuid]) -> Result<(), Failure> {
    let columns: Vec<_> = project::Column::iter().collect();
    let present = Query::select()
        .columns(columns.iter().copied())
        .from(project::Entity)
        .and_where(project::Column::Id.is_in(ids.iter().copied()))
        .to_owned();
    let copy = Query::insert()
        .into_table(project_version::Entity)
        .columns(columns)
        .select_from(present)
        .map_err(|e| corrupt(&e.to_string()))?
        .to_owned();
    tx.db.execute(&copy).await?;
    Ok(())
}

async fn keep_search(tx: &Tx, rows: &[Model]) -> Result<(), Failure> {
    project_search::Entity::insert_many(rows.iter().map(search::entry))
        .on_conflict(
            OnConflict::column(project_search::Column::ProjectId)
                .update_columns([
                    project_search::Column::Haystack,
                    project_search::Column::Grams,
                    project_search::Column::NameKey,
                ])
                .to_owned(),
        )
        .exec_without_returning(&tx.db)
        .await?;
    Ok(())
}
