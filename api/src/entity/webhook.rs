//! Webhooks: who is told of what happens, and where.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub url: String,
    pub description: Option<String>,
    pub types: Json,
    pub regions: Json,
    pub project_id: Option<Uuid>,
    pub state: String,
    pub reason: Option<String>,
    pub state_since: DateTimeUtc,
    pub secret: String,
    pub former_secret: Option<String>,
    pub former_until: Option<DateTimeUtc>,
    pub place: i64,
    pub delivered_at: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
