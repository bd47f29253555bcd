//! Webhooks: who is told of what happens, where, and what came of it.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::dialect::fill;
use crate::grants;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261129_000014_webhooks"
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
        db.execute_unprepared(
            "DROP TABLE webhook_attempt; DROP TABLE webhook_delivery; DROP TABLE webhook;",
        )
        .await?;
        Ok(())
    }
}

/// `webhook.place` is how far the feed has been put down as deliveries. Of the deliveries of a webhook about one subject
/// only the first that is not done has `next_at`: so they go out in order, and what is due is found by an index that holds
/// nothing else. While a process has one, `lease` is that process and `next_at` is when the lease ends.
const UP: &str = "
CREATE TABLE webhook (
  id {uuid} PRIMARY KEY,
  account_id {uuid} NOT NULL REFERENCES account (id),
  url TEXT NOT NULL CHECK (length(url) BETWEEN 1 AND 1000),
  description TEXT CHECK (length(description) BETWEEN 1 AND 200),
  types {json} NOT NULL,
  regions {json} NOT NULL,
  project_id {uuid} REFERENCES project (id),
  state TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
  reason TEXT CHECK (reason IN ('by_owner', 'by_administrator', 'gone', 'failing')),
  state_since {instant} NOT NULL,
  secret TEXT NOT NULL,
  former_secret TEXT,
  former_until {instant},
  place {bigint} NOT NULL CHECK (place >= 0),
  delivered_at {instant},
  created_at {instant} NOT NULL,
  updated_at {instant} NOT NULL,
  version {bigint} NOT NULL CHECK (version > 0),
  CHECK ((state = 'disabled') = (reason IS NOT NULL)),
  CHECK ((former_secret IS NULL) = (former_until IS NULL))
) {strict};
CREATE INDEX webhook_of_account ON webhook (account_id, id);
CREATE TABLE webhook_delivery (
  id {uuid} PRIMARY KEY,
  webhook_id {uuid} NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
  seq {bigint} NOT NULL,
  event_id {uuid} NOT NULL,
  event_type TEXT NOT NULL,
  subject TEXT NOT NULL,
  project_id {uuid},
  status TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed', 'skipped')),
  tries {int} NOT NULL CHECK (tries >= 0),
  first_tried_at {instant},
  next_at {instant},
  lease {uuid},
  created_at {instant} NOT NULL,
  done_at {instant},
  UNIQUE (webhook_id, seq),
  CHECK ((status = 'pending') = (done_at IS NULL)),
  CHECK (done_at IS NULL OR next_at IS NULL),
  CHECK (lease IS NULL OR next_at IS NOT NULL)
) {strict};
CREATE INDEX webhook_delivery_waiting ON webhook_delivery (webhook_id, subject, seq) WHERE done_at IS NULL;
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX webhook_delivery_status ON webhook_delivery (webhook_id, status, seq);
CREATE TABLE webhook_attempt (
  id {uuid} PRIMARY KEY,
  delivery_id {uuid} NOT NULL REFERENCES webhook_delivery (id) ON DELETE CASCADE,
  tried_at {instant} NOT NULL,
  response_status {int},
  error TEXT CHECK (length(error) BETWEEN 1 AND 64),
  duration_ms {bigint} NOT NULL CHECK (duration_ms >= 0)
) {strict};
CREATE INDEX webhook_attempt_of_delivery ON webhook_attempt (delivery_id, id);
";
