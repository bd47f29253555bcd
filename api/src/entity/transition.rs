//! Moves, registrations and opening entries: kept for ever.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "transition")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project_id: Uuid,
    pub seq: i64,
    pub kind: String,
    pub occurred_on: Option<Date>,
    pub note: Option<String>,
    pub evidence: Option<Json>,
    pub corrects: Option<Uuid>,
    pub before_stage: Option<String>,
    pub before_condition: Option<String>,
    pub before_stage_since: Option<Date>,
    pub before_basis: Option<String>,
    pub before_started_on: Option<Date>,
    pub before_completed_on: Option<Date>,
    pub after_stage: String,
    pub after_condition: String,
    pub after_stage_since: Option<Date>,
    pub after_basis: String,
    pub after_started_on: Option<Date>,
    pub after_completed_on: Option<Date>,
    pub actor_id: Option<Uuid>,
    pub recorded_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
