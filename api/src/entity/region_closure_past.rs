//! Which regions lay within which, when that is no longer so.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "region_closure_past")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub ancestor: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub descendant: String,
    pub recorded_at: Option<DateTimeUtc>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub superseded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
