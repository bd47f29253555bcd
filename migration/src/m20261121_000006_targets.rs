//! Targets and entered actuals, each version with the time it was known.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::dialect::fill;
use crate::grants;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261121_000006_targets"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let db = manager.get_connection();
        db.execute_unprepared(&fill(backend, TARGETS)).await?;
        if backend == DbBackend::Postgres && grants::exists(db, grants::APP_ROLE).await? {
            grants::give(db, grants::APP_ROLE).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared("DROP TABLE target;").await?;
        Ok(())
    }
}

/// The value is in hundredths of its unit. No tier: projects of any amount; no upper one: all above the lower.
const TARGETS: &str = "
CREATE TABLE target (
  code TEXT NOT NULL CHECK (length(code) BETWEEN 1 AND 64),
  version {bigint} NOT NULL CHECK (version >= 1),
  plan TEXT NOT NULL CHECK (length(plan) BETWEEN 1 AND 40),
  region TEXT NOT NULL REFERENCES region (code),
  programme TEXT REFERENCES programme (code),
  sector TEXT REFERENCES sector (code),
  from_tier TEXT CHECK (from_tier IN ('from_5m', 'from_100m', 'from_1b', 'from_5b', 'from_10b')),
  up_to_tier TEXT CHECK (up_to_tier IN ('from_5m', 'from_100m', 'from_1b', 'from_5b')),
  metric TEXT NOT NULL CHECK (metric IN ('project_count', 'completed_investment', 'planned', 'signed', 'landed',
    'new', 'continued', 'under_construction', 'completed', 'commissioned', 'at_capacity', 'entered')),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  from_year {int} NOT NULL CHECK (from_year BETWEEN 1949 AND 2200),
  to_year {int} NOT NULL CHECK (to_year BETWEEN 1949 AND 2200),
  each_year {bool} NOT NULL,
  value {bigint} NOT NULL CHECK (value BETWEEN 0 AND 100000000000000000),
  unit TEXT NOT NULL CHECK (unit IN ('project', 'yuan', 'usd', 'percent', 'mu')),
  kind TEXT NOT NULL CHECK (kind IN ('target', 'actual')),
  schedule {json},
  quote TEXT CHECK (length(quote) BETWEEN 1 AND 500),
  source TEXT CHECK (length(source) BETWEEN 1 AND 200),
  recorded_at {instant} NOT NULL,
  superseded_at {instant},
  PRIMARY KEY (code, version),
  CHECK (from_year <= to_year),
  CHECK (NOT each_year OR from_year < to_year),
  CHECK (schedule IS NULL OR each_year OR from_year = to_year),
  CHECK (up_to_tier IS NULL
    OR CASE from_tier WHEN 'from_5m' THEN 1 WHEN 'from_100m' THEN 2 WHEN 'from_1b' THEN 3 WHEN 'from_5b' THEN 4
      ELSE 5 END
    <= CASE up_to_tier WHEN 'from_5m' THEN 1 WHEN 'from_100m' THEN 2 WHEN 'from_1b' THEN 3 ELSE 4 END),
  CHECK (unit = CASE metric WHEN 'entered' THEN unit WHEN 'completed_investment' THEN 'yuan' ELSE 'project' END),
  CHECK (unit <> 'project' OR value % 100 = 0)
) {strict};
CREATE UNIQUE INDEX target_present ON target (code) WHERE superseded_at IS NULL;
CREATE INDEX target_by_plan ON target (plan, code);
";
