//! Units that answer for projects (责任单位).

use domain::code::Uscc;
use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::region::Region;
use super::{Entry, Kind, common_faults, missing, to_json};
use crate::entity::unit::{ActiveModel, Column, Entity, Model};
use crate::problem::Fault;
use crate::problem::value::uscc_told;
use crate::store::row::strings;
use crate::store::{Failure, Tx};

/// What is said of a unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// The region it is in.
    #[schema(example = "211100")]
    pub region: String,
    /// Its 统一社会信用代码.
    pub uscc: Option<String>,
    /// Other names it goes by.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub aliases: Vec<String>,
}

impl Kind for Unit {
    const NAME: &'static str = "unit";
    const NAME_ZH: &'static str = "单位";

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
            region,
            uscc,
            aliases,
            version,
        } = row;
        Entry {
            code,
            version,
            fields: Unit {
                name,
                region,
                uscc,
                aliases: strings(&aliases),
            },
        }
    }

    fn row(entry: Entry<Self>) -> ActiveModel {
        let Unit {
            name,
            region,
            uscc,
            aliases,
        } = entry.fields;
        ActiveModel {
            code: Set(entry.code),
            name: Set(name),
            region: Set(region),
            uscc: Set(uscc),
            aliases: Set(to_json(&aliases)),
            version: Set(entry.version),
        }
    }

    async fn faults(&self, tx: &Tx, code: &str) -> Result<Vec<Fault>, Failure> {
        let mut faults = common_faults(code, &self.name, &self.aliases);
        if self
            .uscc
            .as_ref()
            .is_some_and(|uscc| Uscc::parse(uscc).is_err())
        {
            faults.push(uscc_told("/uscc"));
        }
        faults.extend(missing::<Region>(&tx.db, "/region", Some(&self.region)).await?);
        Ok(faults)
    }
}
