//! Permits and documents, and when they were known.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "approval")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub item: String,
    pub status: String,
    pub document_number: Option<String>,
    pub issued_on: Option<Date>,
    pub authority: Option<String>,
    pub attachment: Option<String>,
    pub reason: Option<String>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    pub recorded_at: DateTimeUtc,
    pub superseded_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
