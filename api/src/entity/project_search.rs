//! What a search for words looks through.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project_search")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: Uuid,
    pub haystack: String,
    pub grams: String,
    pub name_key: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
