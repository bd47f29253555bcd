//! Sign-ins.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub account_id: Uuid,
    pub refresh_id: Uuid,
    pub created_at: DateTimeUtc,
    pub idle_until: DateTimeUtc,
    pub absolute_until: DateTimeUtc,
    pub ended_at: Option<DateTimeUtc>,
    pub method: String,
    pub scopes: Option<Json>,
    pub last_used_at: Option<DateTimeUtc>,
    pub source: Option<String>,
    pub user_agent: Option<String>,
    pub ended_because: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The method of a sign-in by a password that is kept here.
pub const PASSWORD: &str = "password";
/// The method of a sign-in at the office's own identity provider.
pub const IDENTITY_PROVIDER: &str = "identity_provider";
/// The method of another office's system.
pub const CLIENT: &str = "client";
