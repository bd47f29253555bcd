//! Files that were brought in, or looked at.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_job")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Option<Uuid>,
    pub account_name: String,
    pub kind: String,
    pub mode: String,
    pub is_atomic: bool,
    pub sender: String,
    pub terms: Json,
    pub file_name: String,
    pub file_size: i64,
    pub file_hash: String,
    pub state: String,
    pub lease_until: Option<DateTimeUtc>,
    pub rows_done: i64,
    pub rows_total: i64,
    pub report: Option<Json>,
    pub created_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
    pub undone_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
