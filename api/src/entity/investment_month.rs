//! Investment figures of a project by month, and when they were known.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "investment_month")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub year: i32,
    #[sea_orm(primary_key, auto_increment = false)]
    pub month: i32,
    pub completed_fen: Option<i64>,
    pub statistics_fen: Option<i64>,
    pub allocated_fen: Option<i64>,
    pub received_fen: Option<i64>,
    pub paid_fen: Option<i64>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    pub recorded_at: DateTimeUtc,
    pub superseded_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
