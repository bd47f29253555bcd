//! The project library: reference data, accounts, projects with their history, lists and evidence.

use sea_orm_migration::MigrationName;
use sea_orm_migration::prelude::{DbErr, MigrationTrait, SchemaManager, async_trait};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbBackend};

use crate::dialect::fill;

#[derive(Debug)]
pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261121_000001_library"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let db = manager.get_connection();
        for sql in [
            REFERENCE.to_owned(),
            ACCOUNTS.to_owned(),
            format!("CREATE TABLE project (\n{PROJECT_COLUMNS},\n{PROJECT_KEYS}\n) {{strict}};"),
            format!(
                "CREATE TABLE project_version (\n  superseded_at {{instant}},{PROJECT_COLUMNS},\n{PROJECT_VERSION_KEYS}\n) {{strict}};"
            ),
            PROJECT_INDEXES.to_owned(),
            EVIDENCE.to_owned(),
            HISTORY.to_owned(),
        ] {
            db.execute_unprepared(&fill(backend, &sql)).await?;
        }
        if backend == DbBackend::Postgres {
            db.execute_unprepared(POSTGRES_SEARCH).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        for table in TABLES {
            db.execute_unprepared(&format!("DROP TABLE {table};"))
                .await?;
        }
        Ok(())
    }
}

/// Every table, those that refer to others first.
const TABLES: [&str; 19] = [
    "idempotency_key",
    "event",
    "transition",
    "approval",
    "plan_year",
    "list_member",
    "project_search",
    "project_version",
    "project",
    "project_list",
    "approval_rule",
    "session",
    "account_grant",
    "account",
    "sector",
    "programme",
    "unit",
    "region_closure",
    "region",
];

/// Regions, units, programmes, sectors, lists and the rules of approvals: data, not code.
const REFERENCE: &str = "
CREATE TABLE region (
  code TEXT PRIMARY KEY CHECK (length(code) BETWEEN 6 AND 19),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  kind TEXT NOT NULL CHECK (kind IN ('province', 'city', 'district', 'county', 'zone')),
  parent TEXT REFERENCES region (code),
  valid_from {int},
  valid_to {int},
  aliases {json} NOT NULL,
  opening_closed_on {date},
  version {bigint} NOT NULL CHECK (version >= 1),
  CHECK (parent IS NULL OR parent <> code),
  CHECK (valid_from IS NULL OR valid_to IS NULL OR valid_from <= valid_to)
) {strict};

CREATE TABLE region_closure (
  ancestor TEXT NOT NULL REFERENCES region (code),
  descendant TEXT NOT NULL REFERENCES region (code),
  PRIMARY KEY (ancestor, descendant)
) {strict};

CREATE TABLE unit (
  code TEXT PRIMARY KEY CHECK (length(code) BETWEEN 1 AND 64),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  region TEXT NOT NULL REFERENCES region (code),
  uscc TEXT CHECK (length(uscc) = 18),
  aliases {json} NOT NULL,
  version {bigint} NOT NULL CHECK (version >= 1)
) {strict};

CREATE TABLE programme (
  code TEXT PRIMARY KEY CHECK (length(code) BETWEEN 1 AND 64),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  aliases {json} NOT NULL,
  version {bigint} NOT NULL CHECK (version >= 1)
) {strict};

CREATE TABLE sector (
  code TEXT PRIMARY KEY CHECK (length(code) BETWEEN 1 AND 64),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  programme TEXT REFERENCES programme (code),
  approval_profile TEXT NOT NULL CHECK (approval_profile IN ('general', 'port', 'energy')),
  aliases {json} NOT NULL,
  version {bigint} NOT NULL CHECK (version >= 1)
) {strict};

CREATE TABLE project_list (
  code TEXT PRIMARY KEY CHECK (length(code) BETWEEN 1 AND 64),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  description TEXT CHECK (length(description) <= 1000),
  version {bigint} NOT NULL CHECK (version >= 1)
) {strict};

CREATE TABLE approval_rule (
  applies_to TEXT NOT NULL CHECK (applies_to IN
    ('government_approved', 'enterprise_approved', 'enterprise_filed', 'general', 'port', 'energy')),
  item TEXT NOT NULL CHECK (item IN ('project_approval', 'land_use', 'planning_permit',
    'environmental_assessment', 'energy_review', 'construction_permit', 'sea_use', 'port_shoreline',
    'safety_review')),
  PRIMARY KEY (applies_to, item)
) {strict};
";

/// People, what they may do and where, and their sign-ins.
const ACCOUNTS: &str = "
CREATE TABLE account (
  id {uuid} PRIMARY KEY,
  username TEXT NOT NULL UNIQUE CHECK (length(username) BETWEEN 1 AND 64),
  display_name TEXT NOT NULL CHECK (length(display_name) BETWEEN 1 AND 100),
  password_hash TEXT NOT NULL,
  disabled_at {instant},
  created_at {instant} NOT NULL
) {strict};

-- No region: everywhere.
CREATE TABLE account_grant (
  id {uuid} PRIMARY KEY,
  account_id {uuid} NOT NULL REFERENCES account (id),
  role TEXT NOT NULL CHECK (role IN ('officer', 'manager', 'leader', 'administrator')),
  region TEXT REFERENCES region (code)
) {strict};
CREATE UNIQUE INDEX account_grant_once ON account_grant (account_id, role, COALESCE(region, ''));

CREATE TABLE session (
  id {uuid} PRIMARY KEY,
  account_id {uuid} NOT NULL REFERENCES account (id),
  refresh_id {uuid} NOT NULL,
  created_at {instant} NOT NULL,
  idle_until {instant} NOT NULL,
  absolute_until {instant} NOT NULL,
  ended_at {instant}
) {strict};
CREATE INDEX session_by_account ON session (account_id);
";

/// What is known of a project: the same in the present row and in each version.
const PROJECT_COLUMNS: &str = "
  id {uuid} NOT NULL,
  version {bigint} NOT NULL CHECK (version >= 1),
  root_id {uuid} NOT NULL,
  parent_id {uuid},
  family_counting TEXT NOT NULL CHECK (family_counting IN ('whole', 'parts', 'separate')),
  external_ref TEXT CHECK (length(external_ref) BETWEEN 1 AND 200),
  code TEXT CHECK (length(code) = 24),
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
  aliases {json} NOT NULL,
  region TEXT NOT NULL,
  unit TEXT,
  programme TEXT,
  sector TEXT,
  kind TEXT CHECK (kind IN ('government_approved', 'enterprise_approved', 'enterprise_filed')),
  stage TEXT NOT NULL CHECK (stage IN ('planning', 'attraction', 'construction', 'completion')),
  condition TEXT NOT NULL CHECK (condition IN ('active', 'suspended', 'withdrawn')),
  stage_since {date},
  stage_basis TEXT NOT NULL CHECK (stage_basis IN ('gate', 'opening_balance')),
  basis_quote TEXT,
  basis_source TEXT,
  basis_as_of TEXT,
  basis_inferred {bool} NOT NULL,
  amount_kind TEXT NOT NULL CHECK (amount_kind IN ('exact', 'floor', 'unknown')),
  amount_fen {bigint} CHECK (amount_fen BETWEEN 1 AND 100000000000000000),
  tier TEXT NOT NULL,
  original_amount {bigint} CHECK (original_amount BETWEEN 0 AND 100000000000000000),
  original_currency TEXT CHECK (length(original_currency) = 3),
  original_rate TEXT,
  original_rate_on {date},
  investment_note TEXT CHECK (length(investment_note) <= 1000),
  owner_name TEXT CHECK (length(owner_name) BETWEEN 1 AND 200),
  owner_uscc TEXT CHECK (length(owner_uscc) = 18),
  steward TEXT CHECK (length(steward) BETWEEN 1 AND 100),
  capacity TEXT CHECK (length(capacity) <= 1000),
  note TEXT CHECK (length(note) <= 4000),
  planned_start_on {date},
  planned_completion_on {date},
  signed_on {date},
  signed_document {json},
  landed_on {date},
  landed_document {json},
  funds_approved_on {date},
  funds_approved_document {json},
  started_on {date},
  completed_on {date},
  commissioned_on {date},
  at_capacity_on {date},
  counts_by_project {bool} NOT NULL,
  counts_by_part {bool} NOT NULL,
  remainder_fen {bigint} CHECK (remainder_fen >= 0),
  created_at {instant} NOT NULL,
  updated_at {instant} NOT NULL,
  CHECK ((amount_kind = 'unknown') = (amount_fen IS NULL)),
  CHECK (tier = CASE
    WHEN amount_fen IS NULL THEN 'undetermined'
    WHEN amount_fen < 500000000 THEN 'under_5m'
    WHEN amount_fen < 10000000000 THEN 'from_5m'
    WHEN amount_fen < 100000000000 THEN 'from_100m'
    WHEN amount_fen < 500000000000 THEN 'from_1b'
    WHEN amount_fen < 1000000000000 THEN 'from_5b'
    ELSE 'from_10b' END),
  CHECK (family_counting <> 'parts' OR amount_kind = 'unknown'),
  CHECK (family_counting <> 'parts' OR NOT (counts_by_project OR counts_by_part)),
  CHECK (stage <> 'completion' OR condition = 'active'),
  CHECK (stage_basis = 'opening_balance' OR family_counting = 'parts'
    OR stage <> 'construction' OR amount_kind = 'exact'),
  CHECK (completed_on IS NULL OR started_on IS NULL OR completed_on >= started_on),
  CHECK (at_capacity_on IS NULL OR commissioned_on IS NOT NULL),
  CHECK (at_capacity_on IS NULL OR at_capacity_on >= commissioned_on),
  CHECK (planned_completion_on IS NULL OR planned_start_on IS NULL
    OR planned_completion_on >= planned_start_on),
  CHECK ((original_amount IS NULL) = (original_currency IS NULL)),
  CHECK (owner_uscc IS NULL OR owner_name IS NOT NULL),
  CHECK (parent_id IS NULL OR parent_id <> id)";

const PROJECT_KEYS: &str = "
  PRIMARY KEY (id),
  UNIQUE (code),
  UNIQUE (external_ref),
  FOREIGN KEY (parent_id) REFERENCES project (id) DEFERRABLE INITIALLY DEFERRED,
  FOREIGN KEY (region) REFERENCES region (code),
  FOREIGN KEY (unit) REFERENCES unit (code),
  FOREIGN KEY (programme) REFERENCES programme (code),
  FOREIGN KEY (sector) REFERENCES sector (code)";

/// `updated_at` is when the version became known; `superseded_at` when the next one did.
const PROJECT_VERSION_KEYS: &str = "
  PRIMARY KEY (id, version)";

/// Each order in which projects are listed has its index; the orders by time also within a region, so that
/// a page of a region costs the same in a library of any size.
const PROJECT_INDEXES: &str = "
CREATE INDEX project_by_update ON project (updated_at, id);
CREATE INDEX project_by_creation ON project (created_at, id);
CREATE INDEX project_by_name ON project (name, id);
CREATE INDEX project_by_amount ON project (COALESCE(amount_fen, 0), id);
CREATE INDEX project_by_region_update ON project (region, updated_at, id);
CREATE INDEX project_by_region_creation ON project (region, created_at, id);
CREATE INDEX project_by_parent ON project (parent_id);
CREATE INDEX project_by_root ON project (root_id);
CREATE INDEX project_by_unit ON project (unit, updated_at, id);
CREATE INDEX project_by_programme ON project (programme, updated_at, id);
CREATE INDEX project_by_sector ON project (sector, updated_at, id);
CREATE INDEX project_by_stage ON project (stage, updated_at, id);
CREATE INDEX project_by_cell ON project (tier, stage, updated_at, id);
CREATE INDEX project_by_start ON project (started_on, id);
CREATE INDEX project_by_completion ON project (completed_on, id);
CREATE INDEX project_version_present ON project_version (id) WHERE superseded_at IS NULL;
CREATE INDEX project_version_by_time ON project_version (updated_at);

CREATE TABLE project_search (
  project_id {uuid} PRIMARY KEY REFERENCES project (id),
  haystack TEXT NOT NULL,
  grams TEXT NOT NULL
) {strict};
";

/// An inverted index over pairs of characters: Chinese has no spaces, and words of two characters are
/// too short for trigrams.
const POSTGRES_SEARCH: &str =
    "CREATE INDEX project_search_grams ON project_search USING gin (string_to_array(grams, ' '));";

/// What stands on lists, in annual plans and in the files: each row with the time it was known.
const EVIDENCE: &str = "
CREATE TABLE list_member (
  list_code TEXT NOT NULL REFERENCES project_list (code),
  project_id {uuid} NOT NULL REFERENCES project (id),
  recorded_at {instant} NOT NULL,
  superseded_at {instant},
  PRIMARY KEY (list_code, project_id, recorded_at)
) {strict};
CREATE UNIQUE INDEX list_member_present ON list_member (project_id, list_code)
  WHERE superseded_at IS NULL;

CREATE TABLE plan_year (
  project_id {uuid} NOT NULL REFERENCES project (id),
  year {int} NOT NULL CHECK (year BETWEEN 1949 AND 2200),
  planned_fen {bigint} CHECK (planned_fen BETWEEN 0 AND 100000000000000000),
  version {bigint} NOT NULL CHECK (version >= 1),
  recorded_at {instant} NOT NULL,
  superseded_at {instant},
  PRIMARY KEY (project_id, year, version)
) {strict};
CREATE UNIQUE INDEX plan_year_present ON plan_year (project_id, year) WHERE superseded_at IS NULL;

CREATE TABLE approval (
  project_id {uuid} NOT NULL REFERENCES project (id),
  item TEXT NOT NULL CHECK (item IN ('project_approval', 'land_use', 'planning_permit',
    'environmental_assessment', 'energy_review', 'construction_permit', 'sea_use', 'port_shoreline',
    'safety_review')),
  status TEXT NOT NULL CHECK (status IN ('pending', 'obtained', 'waived')),
  document_number TEXT CHECK (length(document_number) BETWEEN 1 AND 100),
  issued_on {date},
  authority TEXT CHECK (length(authority) BETWEEN 1 AND 200),
  attachment TEXT CHECK (length(attachment) BETWEEN 1 AND 1000),
  reason TEXT CHECK (length(reason) BETWEEN 1 AND 2000),
  version {bigint} NOT NULL CHECK (version >= 1),
  recorded_at {instant} NOT NULL,
  superseded_at {instant},
  PRIMARY KEY (project_id, item, version),
  CHECK (status <> 'obtained'
    OR (document_number IS NOT NULL AND issued_on IS NOT NULL AND authority IS NOT NULL)),
  CHECK (status <> 'waived' OR reason IS NOT NULL)
) {strict};
CREATE UNIQUE INDEX approval_present ON approval (project_id, item) WHERE superseded_at IS NULL;
";

/// What was done: moves, events, and answers already given.
///
/// The table of moves stands here once more, as a check: a row that the rules would refuse cannot be
/// stored by any other way either.
const HISTORY: &str = "
CREATE TABLE transition (
  id {uuid} PRIMARY KEY,
  project_id {uuid} NOT NULL REFERENCES project (id),
  seq {bigint} NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('registered', 'opening_balance', 'attraction', 'construction',
    'completion', 'suspended', 'resumed', 'withdrawn', 'planning', 'corrected')),
  occurred_on {date},
  note TEXT CHECK (length(note) BETWEEN 1 AND 2000),
  evidence {json},
  corrects {uuid} UNIQUE REFERENCES transition (id),
  before_stage TEXT,
  before_condition TEXT,
  before_stage_since {date},
  before_basis TEXT,
  before_started_on {date},
  before_completed_on {date},
  after_stage TEXT NOT NULL,
  after_condition TEXT NOT NULL,
  after_stage_since {date},
  after_basis TEXT NOT NULL,
  after_started_on {date},
  after_completed_on {date},
  actor_id {uuid} REFERENCES account (id),
  recorded_at {instant} NOT NULL,
  UNIQUE (project_id, seq),
  CHECK ((kind = 'corrected') = (corrects IS NOT NULL)),
  CHECK ((kind IN ('registered', 'opening_balance')) = (before_stage IS NULL)),
  CHECK ((before_stage IS NULL) = (before_condition IS NULL)),
  CHECK ((before_stage IS NULL) = (before_basis IS NULL)),
  CHECK (kind NOT IN ('corrected', 'opening_balance') OR occurred_on IS NULL),
  CHECK (kind IN ('corrected', 'opening_balance', 'registered') OR occurred_on IS NOT NULL),
  CHECK (kind NOT IN ('suspended', 'resumed', 'withdrawn', 'planning', 'corrected') OR note IS NOT NULL),
  CHECK (kind NOT IN ('construction', 'completion') OR evidence IS NOT NULL),
  CHECK (CASE kind
    WHEN 'registered' THEN after_stage = 'planning' AND after_condition = 'active'
    WHEN 'opening_balance' THEN after_basis = 'opening_balance' AND after_condition = 'active'
    WHEN 'attraction' THEN before_stage = 'planning' AND before_condition = 'active'
      AND after_stage = 'attraction' AND after_condition = 'active'
    WHEN 'construction' THEN before_stage = 'attraction' AND before_condition = 'active'
      AND after_stage = 'construction' AND after_condition = 'active' AND after_started_on = occurred_on
    WHEN 'completion' THEN before_stage = 'construction' AND before_condition = 'active'
      AND after_stage = 'completion' AND after_condition = 'active' AND after_completed_on = occurred_on
    WHEN 'suspended' THEN before_stage <> 'completion' AND before_condition = 'active'
      AND after_stage = before_stage AND after_condition = 'suspended'
    WHEN 'resumed' THEN before_stage <> 'completion' AND before_condition = 'suspended'
      AND after_stage = before_stage AND after_condition = 'active'
    WHEN 'withdrawn' THEN before_stage <> 'completion' AND before_condition IN ('active', 'suspended')
      AND after_stage = before_stage AND after_condition = 'withdrawn'
    WHEN 'planning' THEN before_stage <> 'completion' AND before_condition = 'withdrawn'
      AND after_stage = 'planning' AND after_condition = 'active'
    ELSE TRUE END)
) {strict};

CREATE TABLE event (
  id {uuid} PRIMARY KEY,
  project_id {uuid} REFERENCES project (id),
  subject TEXT NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
  kind TEXT NOT NULL CHECK (length(kind) BETWEEN 1 AND 64),
  version {bigint},
  before {json},
  after {json},
  actor_id {uuid} REFERENCES account (id),
  actor_name TEXT NOT NULL,
  request_id TEXT,
  recorded_at {instant} NOT NULL
) {strict};
CREATE INDEX event_by_project ON event (project_id, id);
CREATE INDEX event_by_subject ON event (subject, id);

CREATE TABLE idempotency_key (
  account_id {uuid} NOT NULL REFERENCES account (id),
  route TEXT NOT NULL,
  key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
  request_hash TEXT NOT NULL,
  status {int},
  etag TEXT,
  location TEXT,
  body TEXT,
  created_at {instant} NOT NULL,
  PRIMARY KEY (account_id, route, key)
) {strict};
CREATE INDEX idempotency_key_by_age ON idempotency_key (account_id, created_at);
";
