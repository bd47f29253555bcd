//! Which projects may be told to everybody.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::dialect::fill;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261129_000015_publication"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(&fill(manager.get_database_backend(), UP))
            .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(DOWN).await?;
        Ok(())
    }
}

/// Of what is there already, nobody has decided that it may.
const UP: &str = "
ALTER TABLE project ADD COLUMN published {bool} NOT NULL DEFAULT FALSE;
ALTER TABLE project_version ADD COLUMN published {bool} NOT NULL DEFAULT FALSE;
";

const DOWN: &str = "
ALTER TABLE project_version DROP COLUMN published;
ALTER TABLE project DROP COLUMN published;
";
