//! Sectors (行业).

use domain::approval::ApprovalProfile;
use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::named::Programme;
use super::{Entry, Kind, common_faults, missing, to_json};
use crate::entity::sector::{ActiveModel, Column, Entity, Model};
use crate::problem::Fault;
use crate::problem::value::unknown_code;
use crate::store::row::strings;
use crate::store::{Failure, Tx};

/// What is said of a sector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Sector {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// The programme under which it is usually told.
    pub programme: Option<String>,
    /// Which approvals its works need beside the common ones.
    #[schema(value_type = crate::codes::ApprovalProfileCode)]
    pub approval_profile: String,
    /// Other names it goes by.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub aliases: Vec<String>,
}

impl Kind for Sector {
    const NAME: &'static str = "sector";
    const NAME_ZH: &'static str = "行业";

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
            programme,
            approval_profile,
            aliases,
            version,
        } = row;
        Entry {
            code,
            version,
            fields: Sector {
                name,
                programme,
                approval_profile,
                aliases: strings(&aliases),
            },
        }
    }

    fn row(entry: Entry<Self>) -> ActiveModel {
        let Sector {
            name,
            programme,
            approval_profile,
            aliases,
        } = entry.fields;
        ActiveModel {
            code: Set(entry.code),
            name: Set(name),
            programme: Set(programme),
            approval_profile: Set(approval_profile),
            aliases: Set(to_json(&aliases)),
            version: Set(entry.version),
        }
    }

    async fn faults(&self, tx: &Tx, code: &str) -> Result<Vec<Fault>, Failure> {
        let mut faults = common_faults(code, &self.name, &self.aliases);
        if ApprovalProfile::from_code(&self.approval_profile).is_none() {
            faults.push(unknown_code("/approval_profile", &self.approval_profile));
        }
        let programme = self.programme.as_deref();
        faults.extend(missing::<Programme>(&tx.db, "/programme", programme).await?);
        Ok(faults)
    }
}
