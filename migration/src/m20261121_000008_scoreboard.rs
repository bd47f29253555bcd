//! The schemes of the scoreboard, and the periods that are closed, each version with the time it was known.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::dialect::fill;
use crate::grants;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261121_000008_scoreboard"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let db = manager.get_connection();
        db.execute_unprepared(&fill(backend, SCHEMES)).await?;
        db.execute_unprepared(&fill(backend, CLOSINGS)).await?;
        if backend == DbBackend::Postgres && grants::exists(db, grants::APP_ROLE).await? {
            grants::give(db, grants::APP_ROLE).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for table in ["scoreboard_closing", "scoreboard_scheme"] {
            db.execute_unprepared(&format!("DROP TABLE {table};"))
                .await?;
        }
        Ok(())
    }
}

/// The first version is the preset, which is not stored.
const SCHEMES: &str = "
CREATE TABLE scoreboard_scheme (
  id {int} NOT NULL CHECK (id = 1),
  version {bigint} NOT NULL CHECK (version >= 2),
  scheme {json} NOT NULL,
  recorded_at {instant} NOT NULL,
  superseded_at {instant},
  PRIMARY KEY (id, version)
) {strict};
CREATE UNIQUE INDEX scoreboard_scheme_present ON scoreboard_scheme (id) WHERE superseded_at IS NULL;
";

/// A closing holds all that is not kept with the time it was known elsewhere: the scheme, for the preset may become
/// another, and the regions with their names and years.
const CLOSINGS: &str = "
CREATE TABLE scoreboard_closing (
  period TEXT NOT NULL CHECK (length(period) = 7),
  version {bigint} NOT NULL CHECK (version >= 1),
  scheme_version {bigint} NOT NULL CHECK (scheme_version >= 1),
  scheme {json} NOT NULL,
  places {json} NOT NULL,
  recorded_at {instant} NOT NULL,
  superseded_at {instant},
  reopened_for TEXT CHECK (length(reopened_for) BETWEEN 1 AND 500),
  PRIMARY KEY (period, version),
  CHECK ((superseded_at IS NULL) = (reopened_for IS NULL))
) {strict};
CREATE UNIQUE INDEX scoreboard_closing_present ON scoreboard_closing (period) WHERE superseded_at IS NULL;
";
