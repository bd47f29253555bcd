//! Named lists of projects (清单).

use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Entry, Kind, common_faults, text_fault};
use crate::entity::project_list::{ActiveModel, Column, Entity, Model};
use crate::problem::Fault;
use crate::store::{Failure, Tx};

/// What is said of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// What stands on it.
    #[schema(max_length = 1000)]
    pub description: Option<String>,
}

impl Kind for List {
    const NAME: &'static str = "list";
    const IS_OF_PROJECTS: bool = false;
    const NAME_ZH: &'static str = "清单";

    type Table = Entity;
    type Row = ActiveModel;

    fn code() -> Column {
        Column::Code
    }

    fn version() -> Column {
        Column::Version
    }

    fn entry(row: Model) -> Entry<Self> {
        let Model {
            code,
            name,
            description,
            version,
        } = row;
        Entry {
            code,
            version,
            fields: List { name, description },
        }
    }

    fn row(entry: Entry<Self>) -> ActiveModel {
        let List { name, description } = entry.fields;
        ActiveModel {
            code: Set(entry.code),
            name: Set(name),
            description: Set(description),
            version: Set(entry.version),
        }
    }

    async fn faults(&self, _: &Tx, code: &str) -> Result<Vec<Fault>, Failure> {
        let mut faults = common_faults(code, &self.name, &[]);
        if let Some(description) = &self.description {
            faults.extend(text_fault::<1000>("/description", description));
        }
        Ok(faults)
    }
}
