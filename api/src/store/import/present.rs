//! What of the library some rows may be about.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use intake::field::{Field, FieldName};
use intake::value::Value;
use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, Iterable, QueryFilter,
};
use uuid::Uuid;

use super::verdict::Terms;
use crate::auth::Reach;
use crate::entity::project::{self, Model};
use crate::entity::{external_ref, project_search, project_version};
use crate::store::project::within;
use crate::store::search::name_key;
use crate::store::{Failure, list};

/// The text of a field, if the row tells it.
pub(super) fn told(row: &intake::document::Row, name: FieldName) -> Option<&str> {
    let cell = row.fields.get(&Field::from(name))?;
    if let Value::Text(text) | Value::Code(text) = &cell.value {
        return Some(text);
    }
    None
}

/// What is known of the projects that some rows may be about.
#[derive(Default)]
pub(super) struct Present {
    projects: HashMap<Uuid, Model>,
    by_code: HashMap<String, Uuid>,
    by_key: HashMap<String, Uuid>,
    by_name: HashMap<String, Vec<Uuid>>,
    /// As they were known at the versions that rows have seen.
    seen: HashMap<(Uuid, i64), Model>,
    parents: HashMap<Uuid, String>,
    /// On which lists they stand now, of those that were taken out.
    lists: BTreeMap<Uuid, Vec<String>>,
}

/// By what some rows name their projects.
#[derive(Default)]
struct Wanted {
    ids: BTreeSet<Uuid>,
    codes: BTreeSet<String>,
    keys: BTreeSet<String>,
    names: BTreeSet<String>,
    versions: BTreeMap<Uuid, i64>,
}

impl Wanted {
    fn of(rows: &[&intake::document::Row]) -> Self {
        let mut wanted = Self::default();
        for row in rows {
            let told = |name| told(row, name);
            if let Some(id) = id_of(row) {
                wanted.ids.insert(id);
                if let Some(version) = version_of(row) {
                    wanted.versions.insert(id, version);
                }
            }
            wanted
                .codes
                .extend(told(FieldName::Code).map(str::to_owned));
            wanted
                .keys
                .extend(told(FieldName::ExternalRef).map(str::to_owned));
            let names = [FieldName::Name, FieldName::Parent]
                .into_iter()
                .filter_map(told);
            wanted.names.extend(names.map(name_key));
        }
        wanted
    }
}

/// The project that a row was taken out of.
pub(super) fn id_of(row: &intake::document::Row) -> Option<Uuid> {
    told(row, FieldName::Id)?.parse().ok()
}

/// The version of it that was taken out.
pub(super) fn version_of(row: &intake::document::Row) -> Option<i64> {
    told(row, FieldName::Version)?.parse().ok()
}

impl Present {
    pub(super) async fn read(
        db: &impl ConnectionTrait,
        reach: &Reach,
        terms: &Terms,
        rows: &[&intake::document::Row],
    ) -> Result<Self, Failure> {
        let wanted = Wanted::of(rows);
        let mut present = Self::default();
        if let Some(system) = &terms.system {
            let found = external_ref::Entity::find()
                .filter(external_ref::Column::System.eq(system))
                .filter(external_ref::Column::Key.is_in(&wanted.keys))
                .all(db)
                .await?;
            let keys = found.into_iter().map(|row| (row.key, row.project_id));
            present.by_key.extend(keys);
        }
        let mut ids = wanted.ids.clone();
        ids.extend(present.by_key.values());
        let named = Query::select()
            .column(project_search::Column::ProjectId)
            .from(project_search::Entity)
            .and_where(project_search::Column::NameKey.is_in(&wanted.names))
            .take();
        // By code also what is out of reach, for its code is taken. One question each, or no index would answer.
        let questions = [
            Condition::all().add(project::Column::Id.is_in(ids)),
            Condition::all().add(project::Column::Code.is_in(&wanted.codes)),
            within(reach).add(project::Column::Id.in_subquery(named)),
        ];
        for question in questions {
            for model in project::Entity::find().filter(question).all(db).await? {
                present.add(model);
            }
        }
        present.read_versions(db, &wanted.versions).await?;
        present.read_parents(db).await?;
        let taken_out: Vec<Uuid> = wanted.ids.iter().copied().collect();
        present.lists = list::of_projects(db, &taken_out).await?;
        Ok(present)
    }

    fn add(&mut self, model: Model) {
        if self.projects.contains_key(&model.id) {
            return;
        }
        if let Some(code) = &model.code {
            self.by_code.insert(code.clone(), model.id);
        }
        let named = self.by_name.entry(name_key(&model.name)).or_default();
        named.push(model.id);
        self.projects.insert(model.id, model);
    }

    /// The versions that are not the present ones.
    async fn read_versions(
        &mut self,
        db: &impl ConnectionTrait,
        versions: &BTreeMap<Uuid, i64>,
    ) -> Result<(), Failure> {
        let old = versions.iter().filter(|(id, version)| {
            let is_present = |model: &Model| model.version == **version;
            !self.projects.get(id).is_some_and(is_present)
        });
        let old: Vec<(Uuid, i64)> = old.map(|(id, version)| (*id, *version)).collect();
        if old.is_empty() {
            return Ok(());
        }
        let any = old.iter().fold(Condition::any(), |any, (id, version)| {
            any.add(
                Condition::all()
                    .add(project_version::Column::Id.eq(*id))
                    .add(project_version::Column::Version.eq(*version)),
            )
        });
        for model in versions_where(db, any).await? {
            self.seen.insert((model.id, model.version), model);
        }
        Ok(())
    }

    async fn read_parents(&mut self, db: &impl ConnectionTrait) -> Result<(), Failure> {
        let all = self.projects.values().chain(self.seen.values());
        let parents: BTreeSet<Uuid> = all.filter_map(|model| model.parent_id).collect();
        if parents.is_empty() {
            return Ok(());
        }
        let rows = project::Entity::find()
            .filter(project::Column::Id.is_in(parents))
            .all(db)
            .await?;
        self.parents = rows.into_iter().map(|row| (row.id, row.name)).collect();
        Ok(())
    }

    pub(super) fn get(&self, id: Uuid) -> Option<&Model> {
        self.projects.get(&id)
    }

    pub(super) fn of_code(&self, code: &str) -> Option<&Model> {
        self.get(*self.by_code.get(code)?)
    }

    pub(super) fn of_key(&self, key: &str) -> Option<&Model> {
        self.get(*self.by_key.get(key)?)
    }

    /// Those whose names are nearly the same; of some region first.
    pub(super) fn of_name(&self, name: &str) -> Vec<&Model> {
        let ids = self.by_name.get(&name_key(name));
        let found = ids.into_iter().flatten().filter_map(|id| self.get(*id));
        found.filter(|model| !model.annulled).collect()
    }

    /// A project as it was known at a version that was taken out.
    pub(super) fn at(&self, id: Uuid, version: i64) -> Option<&Model> {
        let present = self.get(id).filter(|model| model.version == version);
        present.or_else(|| self.seen.get(&(id, version)))
    }

    /// The lists on which a project stood that was taken out; none if it has changed since.
    pub(super) fn lists(&self, taken_out: &Model) -> Option<&[String]> {
        let is_present = |model: &&Model| model.version == taken_out.version;
        self.get(taken_out.id).filter(is_present)?;
        Some(self.lists.get(&taken_out.id).map_or(&[], Vec::as_slice))
    }

    pub(super) fn parent_name(&self, model: &Model) -> Option<&String> {
        self.parents.get(&model.parent_id?)
    }
}

/// Versions of projects, as they were known.
pub(super) async fn versions_where(
    db: &impl ConnectionTrait,
    which: Condition,
) -> Result<Vec<Model>, Failure> {
    let select = Query::select()
        .columns(project::Column::iter())
        .from(project_version::Entity)
        .cond_where(which)
        .take();
    let rows = db.query_all(&select).await?;
    let models = rows.iter().map(|row| Model::from_query_result(row, ""));
    Ok(models.collect::<Result<_, _>>()?)
}
