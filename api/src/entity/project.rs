//! Projects as they are known now; `project_version` has the same columns.
#![expect(clippy::struct_excessive_bools, reason = "columns of a table")]

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "project")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub version: i64,
    pub root_id: Uuid,
    pub parent_id: Option<Uuid>,
    pub family_counting: String,
    pub external_ref: Option<String>,
    pub code: Option<String>,
    pub name: String,
    pub aliases: Json,
    pub region: String,
    pub unit: Option<String>,
    pub programme: Option<String>,
    pub sector: Option<String>,
    pub chain: Option<String>,
    pub kind: Option<String>,
    pub stage: String,
    pub condition: String,
    pub stage_since: Option<Date>,
    pub stage_basis: String,
    pub basis_quote: Option<String>,
    pub basis_source: Option<String>,
    pub basis_as_of: Option<String>,
    pub basis_inferred: bool,
    pub amount_kind: String,
    pub amount_fen: Option<i64>,
    pub tier: String,
    pub original_amount: Option<i64>,
    pub original_currency: Option<String>,
    pub original_rate: Option<String>,
    pub original_rate_on: Option<Date>,
    pub investment_note: Option<String>,
    pub owner_name: Option<String>,
    pub owner_uscc: Option<String>,
    pub steward: Option<String>,
    pub capacity: Option<String>,
    pub note: Option<String>,
    pub planned_start_on: Option<Date>,
    pub planned_completion_on: Option<Date>,
    pub signed_on: Option<Date>,
    pub signed_document: Option<Json>,
    pub landed_on: Option<Date>,
    pub landed_document: Option<Json>,
    pub funds_approved_on: Option<Date>,
    pub funds_approved_document: Option<Json>,
    pub started_on: Option<Date>,
    pub completed_on: Option<Date>,
    pub commissioned_on: Option<Date>,
    pub at_capacity_on: Option<Date>,
    pub published: bool,
    pub counts_by_project: bool,
    pub counts_by_part: bool,
    pub remainder_fen: Option<i64>,
    pub annulled: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
