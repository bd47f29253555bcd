//! Reference data that has a name, other names, and nothing else.

use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Entry, Kind, common_faults, to_json};
use crate::entity::{chain, programme};
use crate::problem::Fault;
use crate::store::row::strings;
use crate::store::{Failure, Tx};

/// A kind with its table: these differ in nothing else, and each needs its own schema in the contract.
macro_rules! named {
    ($(#[$doc:meta])* $kind:ident in $table:ident, $name:literal, $name_zh:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $kind {
            /// Its name.
            #[schema(min_length = 1, max_length = 200)]
            pub name: String,
            /// Other names it goes by.
            #[serde(default)]
            #[schema(max_items = 20)]
            pub aliases: Vec<String>,
        }

        impl Kind for $kind {
            const NAME: &'static str = $name;
            const NAME_ZH: &'static str = $name_zh;

            type Table = $table::Entity;
            type Row = $table::ActiveModel;

            fn code() -> $table::Column {
                $table::Column::Code
            }

            fn version() -> $table::Column {
                $table::Column::Version
            }

            fn entry(row: $table::Model) -> Entry<Self> {
                Entry {
                    code: row.code,
                    version: row.version,
                    fields: $kind {
                        name: row.name,
                        aliases: strings(&row.aliases),
                    },
                }
            }

            fn row(entry: Entry<Self>) -> $table::ActiveModel {
                let $kind { name, aliases } = entry.fields;
                $table::ActiveModel {
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
    };
}

named!(
    /// What is said of a programme (五大工程).
    Programme in programme, "programme", "工程"
);
named!(
    /// What is said of a chain (产业链).
    Chain in chain, "chain", "产业链"
);
