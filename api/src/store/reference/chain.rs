//! Industrial chains (产业链).

use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Entry, Kind, common_faults, to_json};
use crate::entity::chain::{ActiveModel, Column, Entity, Model};
use crate::problem::Fault;
use crate::store::row::strings;
use crate::store::{Failure, Tx};

/// What is said of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Chain {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Other names it goes by.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub aliases: Vec<String>,
}

impl Kind for Chain {
    const NAME: &'static str = "chain";
    const NAME_ZH: &'static str = "产业链";

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
            aliases,
            version,
        } = row;
        Entry {
            code,
            version,
            fields: Chain {
                name,
                aliases: strings(&aliases),
            },
        }
    }

    fn row(entry: Entry<Self>) -> ActiveModel {
        let Chain { name, aliases } = entry.fields;
        ActiveModel {
            code: Set(entry.code),
            name: Set(name),
            aliases: Set(to_json(&aliases)),
            version: Set(entry.version),
        }
    }

    async fn faults(&self, _: &Tx, code: &str) -> Result<Vec<Fault>, Failure> {
        Ok(common_faults(code, &self.name, &self.aliases))
    }
}
