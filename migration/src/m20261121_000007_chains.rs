//! Industrial chains, and which of them a project belongs to.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::dialect::fill;
use crate::grants;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261121_000007_chains"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let db = manager.get_connection();
        db.execute_unprepared(&fill(backend, CHAINS)).await?;
        if backend == DbBackend::Postgres && grants::exists(db, grants::APP_ROLE).await? {
            grants::give(db, grants::APP_ROLE).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(DOWN).await?;
        Ok(())
    }
}

/// A version keeps the code as it was, be the chain still there or not.
const CHAINS: &str = "
CREATE TABLE chain (
  code TEXT PRIMARY KEY CHECK (length(code) BETWEEN 1 AND 64),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  aliases {json} NOT NULL,
  version {bigint} NOT NULL CHECK (version >= 1)
) {strict};
ALTER TABLE project ADD COLUMN chain TEXT REFERENCES chain (code);
ALTER TABLE project_version ADD COLUMN chain TEXT;
CREATE INDEX project_by_chain ON project (chain, updated_at, id);
";

const DOWN: &str = "
DROP INDEX project_by_chain;
ALTER TABLE project_version DROP COLUMN chain;
ALTER TABLE project DROP COLUMN chain;
DROP TABLE chain;
";
