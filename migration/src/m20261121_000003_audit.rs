//! The audit: events with address and result, chained by the sealer, and changed by nobody.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::dialect::fill;
use crate::grants;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261121_000003_audit"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let db = manager.get_connection();
        db.execute_unprepared(&fill(backend, AUDIT)).await?;
        if backend == DbBackend::Postgres {
            db.execute_unprepared(POSTGRES_FUNCTIONS).await?;
        }
        for sql in triggers(backend) {
            db.execute_unprepared(&sql).await?;
        }
        if backend == DbBackend::Postgres && grants::exists(db, grants::APP_ROLE).await? {
            grants::give(db, grants::APP_ROLE).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let db = manager.get_connection();
        // Those of the tables that are dropped go with them.
        for (name, table) in [
            ("event_waits", "event"),
            ("event_stays", "event"),
            ("transition_stays", "transition"),
        ] {
            for trigger in parts(backend, name) {
                let on = on(backend, table);
                db.execute_unprepared(&format!("DROP TRIGGER {trigger}{on};"))
                    .await?;
            }
        }
        db.execute_unprepared(UNDONE).await?;
        if backend == DbBackend::Postgres {
            db.execute_unprepared("DROP FUNCTION audit_stays(); DROP FUNCTION event_waits();")
                .await?;
        }
        Ok(())
    }
}

/// What is written once and never changed.
const KEPT: [&str; 4] = ["event", "transition", "audit_seal", "audit_checkpoint"];

/// Events wait in `audit_pending` from the transaction that wrote them until they are sealed. A table that commits
/// with them is the only order that can't miss one: a transaction may last longer than any window of time.
///
/// A seal chains one event to the one before it; a checkpoint is a signed seal, which answers for those since the
/// last checkpoint.
const AUDIT: &str = "
ALTER TABLE event ADD COLUMN source TEXT CHECK (length(source) BETWEEN 1 AND 64);
ALTER TABLE event ADD COLUMN result TEXT NOT NULL DEFAULT 'done' CHECK (result IN ('done', 'denied'));
CREATE INDEX event_by_actor ON event (actor_id, id);
CREATE INDEX event_by_kind ON event (kind, id);
CREATE INDEX event_denied ON event (id) WHERE result = 'denied';

CREATE TABLE audit_pending (
  event_id {uuid} PRIMARY KEY
) {strict};
INSERT INTO audit_pending (event_id) SELECT id FROM event;

CREATE TABLE audit_seal (
  seq {bigint} PRIMARY KEY CHECK (seq >= 1),
  event_id {uuid} NOT NULL UNIQUE REFERENCES event (id),
  algorithm TEXT NOT NULL CHECK (algorithm IN ('sha256', 'sm3')),
  hash {bytes} NOT NULL CHECK (length(hash) = 32)
) {strict};

CREATE TABLE audit_checkpoint (
  seq {bigint} PRIMARY KEY REFERENCES audit_seal (seq),
  first {bigint} NOT NULL CHECK (first BETWEEN 1 AND seq),
  hash {bytes} NOT NULL CHECK (length(hash) = 32),
  sealed_at {instant} NOT NULL,
  key_id TEXT NOT NULL,
  signature {bytes} NOT NULL CHECK (length(signature) = 64)
) {strict};
";

const UNDONE: &str = "
DROP TABLE audit_checkpoint;
DROP TABLE audit_seal;
DROP TABLE audit_pending;
DROP INDEX event_denied;
DROP INDEX event_by_kind;
DROP INDEX event_by_actor;
ALTER TABLE event DROP COLUMN result;
ALTER TABLE event DROP COLUMN source;
";

const POSTGRES_FUNCTIONS: &str = "
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'what is recorded in % stays as it is', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE FUNCTION event_waits() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_pending (event_id) VALUES (NEW.id);
  RETURN NULL;
END $$;
";

/// A trigger of SQLite has one occasion, so there it takes two.
fn parts(backend: DbBackend, name: &str) -> Vec<String> {
    if backend == DbBackend::Postgres || name == "event_waits" {
        vec![name.to_owned()]
    } else {
        vec![format!("{name}_on_update"), format!("{name}_on_delete")]
    }
}

fn on(backend: DbBackend, table: &str) -> String {
    if backend == DbBackend::Postgres {
        format!(" ON {table}")
    } else {
        String::new()
    }
}

fn triggers(backend: DbBackend) -> Vec<String> {
    if backend == DbBackend::Postgres {
        let stays = KEPT.map(|table| {
            format!(
                "CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} \
                 FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();"
            )
        });
        let waits = "CREATE TRIGGER event_waits AFTER INSERT ON event \
                     FOR EACH ROW EXECUTE FUNCTION event_waits();";
        return stays.into_iter().chain([waits.to_owned()]).collect();
    }
    let stays = KEPT.iter().flat_map(|table| {
        ["UPDATE", "DELETE"].map(|act| {
            format!(
                "CREATE TRIGGER {table}_stays_on_{} BEFORE {act} ON {table} \
                 BEGIN SELECT RAISE(ABORT, 'what is recorded in {table} stays as it is'); END;",
                act.to_lowercase()
            )
        })
    });
    let waits = "CREATE TRIGGER event_waits AFTER INSERT ON event \
                 BEGIN INSERT INTO audit_pending (event_id) VALUES (NEW.id); END;";
    stays.chain([waits.to_owned()]).collect()
}
