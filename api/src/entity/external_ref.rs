//! Under which keys other offices' systems know projects.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "external_ref")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub system: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub project_id: Uuid,
    pub linked_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
