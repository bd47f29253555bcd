//! What was done, by whom, with before and after.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub project_id: Option<Uuid>,
    pub subject: String,
    pub kind: String,
    pub version: Option<i64>,
    pub before: Option<Json>,
    pub after: Option<Json>,
    pub actor_id: Option<Uuid>,
    pub actor_name: String,
    pub request_id: Option<String>,
    pub recorded_at: DateTimeUtc,
    pub source: Option<String>,
    pub result: String,
}

impl ActiveModelBehavior for ActiveModel {}
