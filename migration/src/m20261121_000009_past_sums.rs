//! What each day changed of the sums that are kept, so that a sum of the past needs no look at the whole library.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::dialect::fill;
use crate::grants;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261121_000009_past_sums"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let db = manager.get_connection();
        db.execute_unprepared(&fill(backend, PAST)).await?;
        if backend == DbBackend::Postgres && grants::exists(db, grants::APP_ROLE).await? {
            grants::give(db, grants::APP_ROLE).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(
            "DROP INDEX project_version_by_region; DROP TABLE rollup_past; DROP TABLE rollup_past_day;",
        )
        .await?;
        Ok(())
    }
}

/// The ends of the days that are kept, and what had changed by then since the one before, of all regions together; the
/// keys are those of a cell. What was known of a region is found by an index instead. The sums have lines that they had
/// not, so a library that has sums is counted anew.
const PAST: &str = "
CREATE TABLE rollup_past_day (
  until {instant} PRIMARY KEY
) {strict};
CREATE TABLE rollup_past (
  until {instant} NOT NULL REFERENCES rollup_past_day (until),
  line TEXT NOT NULL,
  year {int} NOT NULL,
  tier TEXT NOT NULL,
  stage TEXT NOT NULL,
  condition TEXT NOT NULL,
  kind TEXT NOT NULL,
  by_project {bool} NOT NULL,
  by_part {bool} NOT NULL,
  detail {int} NOT NULL,
  n {bigint} NOT NULL,
  high {bigint} NOT NULL,
  low {bigint} NOT NULL,
  PRIMARY KEY (line, until, year, tier, stage, condition, kind, by_project, by_part, detail)
) {strict};
CREATE INDEX project_version_by_region ON project_version (region, updated_at);
UPDATE rollup_state SET is_complete = FALSE;
";
