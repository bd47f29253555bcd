//! The year's accounts, and the sums that are kept so that nobody has to add the library up.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::dialect::fill;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261121_000004_numbers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let db = manager.get_connection();
        for sql in [
            ACCOUNTING.to_owned(),
            REGIONS.to_owned(),
            format!(
                "CREATE TABLE rollup_cell (\n{KEYS}{MEASURES},\n  PRIMARY KEY (region, line, year, tier, stage, \
                 condition, kind, by_project, by_part, detail)\n) {{strict}};"
            ),
            // Only ever added to and emptied: no two writers meet in a row of it.
            format!("CREATE TABLE rollup_pending (\n{KEYS}{MEASURES}\n) {{strict}};"),
            STATE.to_owned(),
        ] {
            db.execute_unprepared(&fill(backend, &sql)).await?;
        }
        if backend == DbBackend::Postgres {
            db.execute_unprepared(POSTGRES_STORAGE).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for table in [
            "rollup_state",
            "rollup_pending",
            "rollup_cell",
            "region_closure_past",
            "accounting_span",
        ] {
            db.execute_unprepared(&format!("DROP TABLE {table};"))
                .await?;
        }
        db.execute_unprepared("ALTER TABLE region_closure DROP COLUMN recorded_at;")
            .await?;
        Ok(())
    }
}

/// In which years a project stands in which line of the accounts, and when that was known.
const ACCOUNTING: &str = "
CREATE TABLE accounting_span (
  project_id {uuid} NOT NULL REFERENCES project (id),
  line TEXT NOT NULL CHECK (line IN ('planned', 'signed', 'landed', 'funds_approved', 'start_planned',
    'start_met', 'new', 'continued', 'withdrawn', 'completed', 'commissioned', 'at_capacity', 'start_unknown', 'completion_unknown')),
  from_year {int} NOT NULL CHECK (from_year > 0),
  to_year {int} CHECK (to_year >= from_year),
  previous_year {int} CHECK (previous_year <= from_year),
  landed_after {int} CHECK (landed_after >= 0),
  happened_on {date},
  recorded_at {instant} NOT NULL,
  superseded_at {instant},
  PRIMARY KEY (project_id, line, from_year, recorded_at),
  CHECK (to_year IS NOT NULL OR line IN ('continued', 'start_unknown', 'completion_unknown'))
) {strict};
CREATE UNIQUE INDEX accounting_span_present ON accounting_span (project_id, line, from_year)
  WHERE superseded_at IS NULL;
CREATE INDEX accounting_span_by_line ON accounting_span (line, from_year, project_id) WHERE superseded_at IS NULL;
";

/// Which regions lay within which, when that is no longer so; no time of recording means since the library began.
const REGIONS: &str = "
ALTER TABLE region_closure ADD COLUMN recorded_at {instant};
CREATE TABLE region_closure_past (
  ancestor TEXT NOT NULL,
  descendant TEXT NOT NULL,
  recorded_at {instant},
  superseded_at {instant} NOT NULL,
  PRIMARY KEY (ancestor, descendant, superseded_at)
) {strict};
";

/// A region's own projects, or all of them where the region is empty, by what summaries and accounts ask most. Year 0
/// is for what belongs to no year. What an account line has no use for is empty; the detail is what else it needs.
const KEYS: &str = "  region TEXT NOT NULL,
  line TEXT NOT NULL,
  year {int} NOT NULL,
  tier TEXT NOT NULL,
  stage TEXT NOT NULL,
  condition TEXT NOT NULL,
  kind TEXT NOT NULL,
  by_project {bool} NOT NULL,
  by_part {bool} NOT NULL,
  detail {int} NOT NULL,";

/// How many, and how much: 分 in two parts, so that no sum overflows.
const MEASURES: &str = "
  n {bigint} NOT NULL,
  high {bigint} NOT NULL,
  low {bigint} NOT NULL";

/// How many changes have been folded into the cells; whether the spans of what was there before are made; and what
/// the last proof found.
const STATE: &str = "
CREATE TABLE rollup_state (
  id {int} PRIMARY KEY CHECK (id = 1),
  folded {bigint} NOT NULL CHECK (folded >= 0),
  is_complete {bool} NOT NULL,
  verified_at {instant},
  differences {bigint} CHECK (differences >= 0),
  CHECK ((verified_at IS NULL) = (differences IS NULL))
) {strict};
INSERT INTO rollup_state (id, folded, is_complete) VALUES (1, 0, FALSE);
";

/// Cells are changed in place, over and over; what waits is emptied every second.
const POSTGRES_STORAGE: &str = "
ALTER TABLE rollup_cell SET (fillfactor = 60);
ALTER TABLE rollup_pending SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
";
