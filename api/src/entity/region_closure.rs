//! Which regions lie within which, each within itself.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "region_closure")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub ancestor: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub descendant: String,
    pub recorded_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
