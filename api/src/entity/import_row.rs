//! What came of the rows of a file; those that stood so already are only counted.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "import_row")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub job_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub seq: i64,
    pub sheet: i32,
    pub number: i64,
    pub outcome: String,
    pub name: Option<String>,
    pub subject: Option<String>,
    pub version_before: Option<i64>,
    pub version_after: Option<i64>,
    pub detail: Json,
}

impl ActiveModelBehavior for ActiveModel {}
