//! Signed seals: each answers for those since the one before.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_checkpoint")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub first: i64,
    pub hash: Vec<u8>,
    pub sealed_at: DateTimeUtc,
    pub key_id: String,
    pub signature: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}
