//! The investment figures of projects by month, each version of them kept.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::dialect::fill;
use crate::grants;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261121_000005_investment"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let db = manager.get_connection();
        db.execute_unprepared(&fill(backend, MONTHS)).await?;
        if backend == DbBackend::Postgres && grants::exists(db, grants::APP_ROLE).await? {
            grants::give(db, grants::APP_ROLE).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP TABLE investment_month;")
            .await?;
        Ok(())
    }
}

/// NULL is what was not told; a month of which nothing is told has no row.
const MONTHS: &str = "
CREATE TABLE investment_month (
  project_id {uuid} NOT NULL REFERENCES project (id),
  year {int} NOT NULL CHECK (year BETWEEN 1949 AND 2200),
  month {int} NOT NULL CHECK (month BETWEEN 1 AND 12),
  completed_fen {bigint} CHECK (completed_fen BETWEEN 0 AND 100000000000000000),
  statistics_fen {bigint} CHECK (statistics_fen BETWEEN 0 AND 100000000000000000),
  allocated_fen {bigint} CHECK (allocated_fen BETWEEN 0 AND 100000000000000000),
  received_fen {bigint} CHECK (received_fen BETWEEN 0 AND 100000000000000000),
  paid_fen {bigint} CHECK (paid_fen BETWEEN 0 AND 100000000000000000),
  version {bigint} NOT NULL CHECK (version >= 1),
  recorded_at {instant} NOT NULL,
  superseded_at {instant},
  PRIMARY KEY (project_id, year, month, version),
  CHECK (COALESCE(completed_fen, statistics_fen, allocated_fen, received_fen, paid_fen) IS NOT NULL)
) {strict};
CREATE UNIQUE INDEX investment_month_present ON investment_month (project_id, year, month)
  WHERE superseded_at IS NULL;
";
