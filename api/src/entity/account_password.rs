//! The password of a person, if he has one here.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account_password")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: Uuid,
    pub hash: String,
    pub is_one_time: bool,
    pub set_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
