//! In which years a project stands in which line of the accounts, and when that was known.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "accounting_span")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub line: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub from_year: i32,
    pub to_year: Option<i32>,
    pub previous_year: Option<i32>,
    pub landed_after: Option<i32>,
    pub happened_on: Option<Date>,
    #[sea_orm(primary_key, auto_increment = false)]
    pub recorded_at: DateTimeUtc,
    pub superseded_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
