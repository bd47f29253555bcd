//! Targets and entered actuals, and when they were known.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "target")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    pub plan: String,
    pub region: String,
    pub programme: Option<String>,
    pub sector: Option<String>,
    pub from_tier: Option<String>,
    pub up_to_tier: Option<String>,
    pub metric: String,
    pub name: String,
    pub from_year: i32,
    pub to_year: i32,
    pub each_year: bool,
    pub value: i64,
    pub unit: String,
    pub kind: String,
    pub schedule: Option<Json>,
    pub quote: Option<String>,
    pub source: Option<String>,
    pub recorded_at: DateTimeUtc,
    pub superseded_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
