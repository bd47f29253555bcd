//! Which approvals which projects need.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "approval_rule")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub applies_to: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub item: String,
}

impl ActiveModelBehavior for ActiveModel {}
