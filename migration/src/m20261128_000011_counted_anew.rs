//! What a line of the accounts means has changed, so a library that has accounts is counted anew.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::ConnectionTrait;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_000011_counted_anew"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        count_anew(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        count_anew(manager).await
    }
}

/// Whichever service starts next counts by its own meaning.
async fn count_anew(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let db = manager.get_connection();
    db.execute_unprepared("UPDATE rollup_state SET is_complete = FALSE;")
        .await?;
    Ok(())
}
