//! What other offices' files brought, and taking it back.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::dialect::fill;
use crate::grants;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261129_000013_imports"
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
        manager.get_connection().execute_unprepared(DOWN).await?;
        Ok(())
    }
}

/// `annulled`: what an import registered and was taken back with it; it is in no list and no number. What was known before
/// is in the versions.
///
/// `name_key`: the name without what two people write in two ways; none for what was saved before this.
const UP: &str = "
ALTER TABLE project ADD COLUMN annulled {bool} NOT NULL DEFAULT FALSE;
ALTER TABLE project_version ADD COLUMN annulled {bool} NOT NULL DEFAULT FALSE;
ALTER TABLE project_search ADD COLUMN name_key TEXT;
CREATE INDEX project_search_by_name_key ON project_search (name_key);

CREATE TABLE import_job (
  id {uuid} PRIMARY KEY,
  account_id {uuid} REFERENCES account (id),
  account_name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('projects', 'annual_plans', 'monthly_figures', 'approvals', 'targets')),
  mode TEXT NOT NULL CHECK (mode IN ('preview', 'commit')),
  is_atomic {bool} NOT NULL,
  sender TEXT NOT NULL CHECK (length(sender) <= 100),
  terms {json} NOT NULL,
  file_name TEXT NOT NULL CHECK (length(file_name) <= 255),
  file_size {bigint} NOT NULL,
  file_hash TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'refused', 'interrupted', 'undone')),
  lease_until {instant},
  rows_done {bigint} NOT NULL,
  rows_total {bigint} NOT NULL,
  report {json},
  created_at {instant} NOT NULL,
  finished_at {instant},
  undone_at {instant},
  CHECK ((state = 'running') = (finished_at IS NULL)),
  CHECK ((state = 'undone') = (undone_at IS NOT NULL))
) {strict};
CREATE INDEX import_job_by_account ON import_job (account_id, id);
CREATE INDEX import_job_by_file ON import_job (file_hash);
CREATE INDEX import_job_running ON import_job (lease_until) WHERE state = 'running';

CREATE TABLE import_row (
  job_id {uuid} NOT NULL REFERENCES import_job (id),
  seq {bigint} NOT NULL,
  sheet {int} NOT NULL,
  number {bigint} NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('created', 'changed', 'duplicate', 'refused', 'remarked')),
  name TEXT,
  subject TEXT,
  version_before {bigint},
  version_after {bigint},
  detail {json} NOT NULL,
  PRIMARY KEY (job_id, seq)
) {strict};
CREATE INDEX import_row_by_outcome ON import_row (job_id, outcome, seq);

CREATE TABLE import_mapping (
  account_id {uuid} NOT NULL REFERENCES account (id),
  sender TEXT NOT NULL CHECK (length(sender) <= 100),
  kind TEXT NOT NULL,
  columns {json} NOT NULL,
  updated_at {instant} NOT NULL,
  PRIMARY KEY (account_id, sender, kind)
) {strict};
";

const DOWN: &str = "
DROP TABLE import_mapping;
DROP TABLE import_row;
DROP TABLE import_job;
DROP INDEX project_search_by_name_key;
ALTER TABLE project_search DROP COLUMN name_key;
ALTER TABLE project_version DROP COLUMN annulled;
ALTER TABLE project DROP COLUMN annulled;
";
