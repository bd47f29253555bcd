//! Access: grants that are asked for and decided, sign-ins that can be listed, second factors, service accounts,
//! identity providers, and the count of failed attempts.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::ConnectionTrait;

use crate::dialect::fill;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261121_000002_access"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &[ACCOUNTS, GRANTS, SESSIONS, SERVICES, PROVIDERS]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &[DOWN]).await
    }
}

async fn run(manager: &SchemaManager<'_>, texts: &[&str]) -> Result<(), DbErr> {
    let backend = manager.get_database_backend();
    let db = manager.get_connection();
    for text in texts {
        db.execute_unprepared(&fill(backend, text)).await?;
    }
    Ok(())
}

/// A password and a second factor are things that an account may have, not what it is: people who sign in at
/// their office's identity provider and other offices' systems have neither.
const ACCOUNTS: &str = "
ALTER TABLE account ADD COLUMN kind TEXT NOT NULL DEFAULT 'person' CHECK (kind IN ('person', 'service'));
ALTER TABLE account ADD COLUMN version {bigint} NOT NULL DEFAULT 1 CHECK (version >= 1);

CREATE TABLE account_password (
  account_id {uuid} PRIMARY KEY REFERENCES account (id),
  hash TEXT NOT NULL,
  is_one_time {bool} NOT NULL,
  set_at {instant} NOT NULL
) {strict};
INSERT INTO account_password (account_id, hash, is_one_time, set_at)
  SELECT id, password_hash, FALSE, created_at FROM account;
ALTER TABLE account DROP COLUMN password_hash;

-- Not confirmed: shown to its owner, who has not yet proved that he has it.
CREATE TABLE second_factor (
  account_id {uuid} PRIMARY KEY REFERENCES account (id),
  sealed_secret TEXT NOT NULL,
  created_at {instant} NOT NULL,
  confirmed_at {instant},
  last_step {bigint} NOT NULL
) {strict};

CREATE TABLE recovery_code (
  account_id {uuid} NOT NULL REFERENCES account (id),
  hash TEXT NOT NULL,
  used_at {instant},
  PRIMARY KEY (account_id, hash)
) {strict};

-- Failed attempts in a window of time, by what they have in common.
CREATE TABLE failed_attempts (
  subject TEXT PRIMARY KEY,
  failures {int} NOT NULL CHECK (failures >= 0),
  window_from {instant} NOT NULL,
  locked_until {instant}
) {strict};
";

/// Who asks for a grant is neither the one who decides nor the one who gets it: also for the database.
const GRANTS: &str = "
CREATE TABLE new_account_grant (
  id {uuid} PRIMARY KEY,
  account_id {uuid} NOT NULL REFERENCES account (id),
  role TEXT NOT NULL CHECK (role IN
    ('officer', 'manager', 'leader', 'system_admin', 'security_admin', 'audit_admin')),
  region TEXT REFERENCES region (code),
  unit TEXT REFERENCES unit (code),
  valid_from {date},
  valid_until {date},
  origin TEXT NOT NULL CHECK (origin IN ('request', 'terminal', 'identity_provider')),
  state TEXT NOT NULL CHECK (state IN ('requested', 'granted', 'rejected', 'ended')),
  requested_by {uuid} REFERENCES account (id),
  requested_at {instant} NOT NULL,
  decided_by {uuid} REFERENCES account (id),
  decided_at {instant},
  note TEXT CHECK (length(note) BETWEEN 1 AND 2000),
  ended_at {instant},
  CHECK (valid_from IS NULL OR valid_until IS NULL OR valid_from <= valid_until),
  CHECK (role IN ('officer', 'manager', 'leader') OR (region IS NULL AND unit IS NULL)),
  CHECK ((origin = 'request') = (requested_by IS NOT NULL)),
  CHECK (origin = 'request' OR state IN ('granted', 'ended')),
  CHECK (requested_by <> account_id),
  CHECK (decided_by <> account_id),
  CHECK (decided_by <> requested_by),
  CHECK (origin <> 'request' OR state NOT IN ('granted', 'rejected') OR decided_by IS NOT NULL),
  CHECK ((state = 'ended') = (ended_at IS NOT NULL))
) {strict};
INSERT INTO new_account_grant (id, account_id, role, region, origin, state, requested_at)
  SELECT g.id, g.account_id, CASE g.role WHEN 'administrator' THEN 'system_admin' ELSE g.role END,
    CASE g.role WHEN 'administrator' THEN NULL ELSE g.region END, 'terminal', 'granted', a.created_at
  FROM account_grant g JOIN account a ON a.id = g.account_id
  WHERE g.role <> 'administrator' OR NOT EXISTS (SELECT 1 FROM account_grant o
    WHERE o.account_id = g.account_id AND o.role = 'administrator' AND o.id < g.id);
DROP TABLE account_grant;
ALTER TABLE new_account_grant RENAME TO account_grant;
CREATE UNIQUE INDEX account_grant_once
  ON account_grant (account_id, role, COALESCE(region, ''), COALESCE(unit, ''))
  WHERE state IN ('requested', 'granted');
-- The three administrators exclude each other.
CREATE UNIQUE INDEX account_grant_one_administrator ON account_grant (account_id)
  WHERE state IN ('requested', 'granted') AND role IN ('system_admin', 'security_admin', 'audit_admin');
CREATE INDEX account_grant_by_state ON account_grant (state, requested_at, id);
";

const SESSIONS: &str = "
ALTER TABLE session ADD COLUMN method TEXT NOT NULL DEFAULT 'password'
  CHECK (method IN ('password', 'identity_provider', 'client'));
ALTER TABLE session ADD COLUMN scopes {json};
ALTER TABLE session ADD COLUMN last_used_at {instant};
ALTER TABLE session ADD COLUMN source TEXT CHECK (length(source) <= 64);
ALTER TABLE session ADD COLUMN user_agent TEXT CHECK (length(user_agent) <= 300);
ALTER TABLE session ADD COLUMN ended_because TEXT CHECK (ended_because IN
  ('signed_out', 'signed_out_everywhere', 'ended_by_administrator', 'refresh_reused', 'password_changed',
   'account_disabled'));
CREATE INDEX session_by_end ON session (absolute_until);
";

/// Other offices' systems: accounts that show a secret or sign with a key of their own.
const SERVICES: &str = "
CREATE TABLE service_account (
  account_id {uuid} PRIMARY KEY REFERENCES account (id),
  description TEXT CHECK (length(description) BETWEEN 1 AND 1000),
  scopes {json} NOT NULL,
  addresses {json} NOT NULL,
  expires_at {instant} NOT NULL
) {strict};

CREATE TABLE service_secret (
  id {uuid} PRIMARY KEY,
  account_id {uuid} NOT NULL REFERENCES account (id),
  hash TEXT NOT NULL,
  created_at {instant} NOT NULL,
  expires_at {instant},
  revoked_at {instant}
) {strict};
CREATE INDEX service_secret_by_account ON service_secret (account_id);

CREATE TABLE service_key (
  account_id {uuid} NOT NULL REFERENCES account (id),
  key_id TEXT NOT NULL CHECK (length(key_id) BETWEEN 1 AND 128),
  jwk {json} NOT NULL,
  created_at {instant} NOT NULL,
  PRIMARY KEY (account_id, key_id)
) {strict};

-- An assertion is good once.
CREATE TABLE client_assertion (
  account_id {uuid} NOT NULL REFERENCES account (id),
  jti TEXT NOT NULL CHECK (length(jti) BETWEEN 1 AND 255),
  expires_at {instant} NOT NULL,
  PRIMARY KEY (account_id, jti)
) {strict};
CREATE INDEX client_assertion_by_end ON client_assertion (expires_at);
";

/// Signing in at the office's own identity provider.
const PROVIDERS: &str = "
CREATE TABLE external_identity (
  issuer TEXT NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
  subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
  account_id {uuid} NOT NULL UNIQUE REFERENCES account (id),
  linked_at {instant} NOT NULL,
  PRIMARY KEY (issuer, subject)
) {strict};

-- Between the way to the provider and the way back; good once.
CREATE TABLE sign_in_flow (
  state_hash TEXT PRIMARY KEY,
  browser_hash TEXT NOT NULL,
  nonce TEXT NOT NULL,
  verifier TEXT NOT NULL,
  expires_at {instant} NOT NULL
) {strict};
CREATE INDEX sign_in_flow_by_end ON sign_in_flow (expires_at);
";

/// What the former shape can't hold is dropped: service accounts and people without a password can no longer
/// sign in, grants that were only asked for are gone.
const DOWN: &str = "
DROP TABLE sign_in_flow;
DROP TABLE external_identity;
DROP TABLE client_assertion;
DROP TABLE service_key;
DROP TABLE service_secret;
DROP TABLE service_account;
DROP INDEX session_by_end;
ALTER TABLE session DROP COLUMN ended_because;
ALTER TABLE session DROP COLUMN user_agent;
ALTER TABLE session DROP COLUMN source;
ALTER TABLE session DROP COLUMN last_used_at;
ALTER TABLE session DROP COLUMN scopes;
ALTER TABLE session DROP COLUMN method;
CREATE TABLE old_account_grant (
  id {uuid} PRIMARY KEY,
  account_id {uuid} NOT NULL REFERENCES account (id),
  role TEXT NOT NULL CHECK (role IN ('officer', 'manager', 'leader', 'administrator')),
  region TEXT REFERENCES region (code)
) {strict};
INSERT INTO old_account_grant (id, account_id, role, region)
  SELECT id, account_id, CASE role WHEN 'system_admin' THEN 'administrator' ELSE role END, region
  FROM account_grant
  WHERE state = 'granted' AND unit IS NULL AND role NOT IN ('security_admin', 'audit_admin');
DROP TABLE account_grant;
ALTER TABLE old_account_grant RENAME TO account_grant;
CREATE UNIQUE INDEX account_grant_once ON account_grant (account_id, role, COALESCE(region, ''));
DROP TABLE failed_attempts;
DROP TABLE recovery_code;
DROP TABLE second_factor;
ALTER TABLE account ADD COLUMN password_hash TEXT NOT NULL DEFAULT '';
UPDATE account SET password_hash = COALESCE(
  (SELECT hash FROM account_password p WHERE p.account_id = account.id), '');
DROP TABLE account_password;
ALTER TABLE account DROP COLUMN version;
ALTER TABLE account DROP COLUMN kind;
";
