//! Periods of the scoreboard that are closed, or were, and when that was known.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "scoreboard_closing")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub period: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i64,
    pub scheme_version: i64,
    pub scheme: Json,
    pub places: Json,
    pub recorded_at: DateTimeUtc,
    pub superseded_at: Option<DateTimeUtc>,
    pub reopened_for: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
