//! Events that a webhook is told of, and what came of it.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub webhook_id: Uuid,
    pub seq: i64,
    pub event_id: Uuid,
    pub event_type: String,
    pub subject: String,
    pub project_id: Option<Uuid>,
    pub status: String,
    pub tries: i32,
    pub first_tried_at: Option<DateTimeUtc>,
    pub next_at: Option<DateTimeUtc>,
    pub lease: Option<Uuid>,
    pub created_at: DateTimeUtc,
    pub done_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
