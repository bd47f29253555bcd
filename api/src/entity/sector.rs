//! Sectors.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sector")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    pub name: String,
    pub programme: Option<String>,
    pub approval_profile: String,
    pub aliases: Json,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
