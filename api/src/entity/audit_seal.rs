//! The chain: one seal for each event, in the order in which they were sealed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_seal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub event_id: Uuid,
    pub algorithm: String,
    pub hash: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
