//! Under which keys other offices' systems know projects.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::dialect::fill;
use crate::grants;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_000012_external_refs"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let db = manager.get_connection();
        db.execute_unprepared(&fill(backend, UP)).await?;
        if backend == DbBackend::Postgres && grants::exists(db, grants::APP_ROLE).await? {
            grants::give(db, grants::APP_ROLE).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP TABLE external_ref;").await?;
        Ok(())
    }
}

/// A key of a system names one project, and a system has one key for a project. What was linked before is told by the
/// project's history.
const UP: &str = "
CREATE TABLE external_ref (
  system TEXT NOT NULL CHECK (length(system) BETWEEN 1 AND 64),
  key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 128),
  project_id {uuid} NOT NULL REFERENCES project (id),
  linked_at {instant} NOT NULL,
  PRIMARY KEY (system, key),
  UNIQUE (project_id, system)
) {strict};
";
