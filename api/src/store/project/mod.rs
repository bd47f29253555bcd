//! Projects: read within a scope, taken hold of, registered and amended.

mod annul;
mod change;
mod gates;
mod hold;
mod snapshot;
mod upsert;

use chrono::{DateTime, Utc};
use domain::project::Facts;
use domain::stage::Stage;
use domain::transition::Standing;
use sea_orm::sea_query::{Expr, ExprTrait, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::row::{self, coded};
use super::{Failure, list};
use crate::auth::Reach;
use crate::auth::reach::Extent;
use crate::entity::project::{self, Model};
use crate::problem::Problem;

pub(crate) use annul::annul;
pub(crate) use change::{Came, blank, check_parent, enter};
pub use change::{Registration, amend, register};
pub(crate) use gates::{evidence, file, is_inside_completed, parts_inside, refuse_lost};
pub(crate) use hold::{Held, hold, parent_row};
pub(crate) use snapshot::{difference, snapshot};
pub use upsert::{Known, Outcome, Seen, upsert};

/// Where a stage was read, when it was taken over (阶段依据).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// The words of the document.
    pub quote: Option<String>,
    /// Which document, and where in it.
    pub source: Option<String>,
    /// The time of which the document speaks.
    pub as_of: Option<String>,
    /// Whether the stage was inferred, not told.
    pub inferred: bool,
}

/// A project as it is known.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its id.
    pub id: Uuid,
    /// How often it has been changed.
    pub version: i64,
    /// What is said of it.
    pub facts: Facts,
    /// Where it stands.
    pub standing: Standing,
    /// Where its opening stage was read.
    pub basis: Basis,
    /// The lists on which it stands.
    pub lists: Vec<String>,
    /// Its ancestors, nearest first; only read for a single project.
    pub ancestors: Vec<Ancestor>,
    /// When it was registered.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What one may know of an ancestor, even out of scope.
#[derive(Clone, Debug)]
pub struct Ancestor {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its code.
    pub code: Option<String>,
    /// Its stage.
    pub stage: Stage,
}

impl Record {
    pub(crate) fn of(model: &Model, lists: Vec<String>) -> Result<Self, Failure> {
        Ok(Self {
            id: model.id,
            version: model.version,
            facts: row::facts(model)?,
            standing: row::standing(model)?,
            basis: Basis {
                quote: model.basis_quote.clone(),
                source: model.basis_source.clone(),
                as_of: model.basis_as_of.clone(),
                inferred: model.basis_inferred,
            },
            lists,
            ancestors: Vec::new(),
            created_at: model.created_at,
            updated_at: model.updated_at,
        })
    }
}

/// How a project is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Key<'a> {
    /// By id.
    Id(Uuid),
    /// By 项目代码.
    Code(&'a str),
}

/// THE scope: what a person may read. Every query on projects goes through it.
pub(crate) fn within(reach: &Reach) -> Condition {
    reached(reach).add(is_in_library())
}

/// The same, with what an import registered and was taken back: for who is told that it was.
pub(crate) fn reached(reach: &Reach) -> Condition {
    let any = match reach.extents() {
        // Not `any` of nothing, which would be everything.
        [] => Condition::any().add(Expr::val(1).eq(2)),
        several => several
            .iter()
            .fold(Condition::any(), |any, extent| any.add(reached_one(extent))),
    };
    Condition::all().add(any)
}

/// One extent of a scope.
pub(crate) fn within_one(extent: &Extent) -> Condition {
    reached_one(extent).add(is_in_library())
}

fn is_in_library() -> SimpleExpr {
    project::Column::Annulled.eq(false)
}

fn reached_one(extent: &Extent) -> Condition {
    let regions = extent.regions.as_ref();
    Condition::all()
        .add_option(regions.map(|r| project::Column::Region.is_in(r.iter().map(String::as_str))))
        .add_option(extent.unit.as_deref().map(|u| project::Column::Unit.eq(u)))
}

pub(crate) async fn find(
    db: &impl ConnectionTrait,
    reach: &Reach,
    key: Key<'_>,
) -> Result<Option<Model>, Failure> {
    let by_key = match key {
        Key::Id(id) => project::Column::Id.eq(id),
        Key::Code(code) => project::Column::Code.eq(code),
    };
    let found = project::Entity::find()
        .filter(by_key)
        .filter(within(reach))
        .one(db)
        .await?;
    Ok(found)
}

pub(crate) async fn need(
    db: &impl ConnectionTrait,
    reach: &Reach,
    key: Key<'_>,
) -> Result<Model, Failure> {
    find(db, reach, key)
        .await?
        .ok_or_else(|| Problem::not_found().into())
}

/// One project with its lists and its ancestors.
///
/// # Errors
/// `not_found` if it is absent or out of scope.
pub async fn read(
    db: &impl ConnectionTrait,
    reach: &Reach,
    key: Key<'_>,
) -> Result<Record, Failure> {
    let model = need(db, reach, key).await?;
    complete(db, &model).await
}

/// The record of a row that has been read or saved.
pub(crate) async fn complete(db: &impl ConnectionTrait, model: &Model) -> Result<Record, Failure> {
    let lists = list::of_projects(db, &[model.id]).await?;
    let mut record = Record::of(model, lists.get(&model.id).cloned().unwrap_or_default())?;
    let mut above = model.parent_id;
    while let Some(id) = above {
        let Some(parent) = project::Entity::find_by_id(id).one(db).await? else {
            break;
        };
        above = parent.parent_id;
        record.ancestors.push(Ancestor {
            id,
            name: parent.name,
            code: parent.code,
            stage: coded(Stage::from_code, &parent.stage)?,
        });
    }
    Ok(record)
}
