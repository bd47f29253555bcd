//! How long the audit of a library takes to seal and to prove.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::{ConnectionTrait, DbBackend};
use taizhang::audit::sealer::Sealer;
use taizhang::config::{Config, Secret};
use taizhang::problem::Language;
use taizhang::store::audit::{Window, verify};
use taizhang::store::{Author, Db};

use crate::{Result, say};

/// How long a million events may take to be proved.
const LIMIT_OF_A_MILLION: Duration = Duration::from_mins(1);
/// How many events are written at a time.
const CHUNK: u64 = 10_000;

/// Writes events beside the service's own handlers, as they write them: with what was and what is.
const POSTGRES: &str = "
INSERT INTO event (id, subject, kind, version, before, after, actor_name, request_id, recorded_at, source)
SELECT ('01910000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'project/' || n, 'amended', n % 50 + 1,
  jsonb_build_object('note', repeat('旧', 60), 'steward', '张三', 'updated_at', n),
  jsonb_build_object('note', repeat('新', 80), 'steward', '李四', 'aliases', jsonb_build_array('甲', '乙'), 'n', n),
  'officer', 'r-' || n, TIMESTAMPTZ '2025-01-01 00:00:00Z' + n * INTERVAL '10 milliseconds', '10.1.2.3'
FROM generate_series({from}::bigint, {to}::bigint) AS t (n)";

const SQLITE: &str = "
WITH RECURSIVE t (n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM t WHERE n < {to})
INSERT INTO event (id, subject, kind, version, before, after, actor_name, request_id, recorded_at, source)
SELECT unhex(printf('01910000000070008000%012x', n)), 'project/' || n, 'amended', n % 50 + 1,
  json_object('note', replace(hex(zeroblob(30)), '0', '旧'), 'steward', '张三', 'updated_at', n),
  json_object('note', replace(hex(zeroblob(40)), '0', '新'), 'steward', '李四', 'aliases', json_array('甲', '乙'), 'n', n),
  'officer', 'r-' || n,
  strftime('%Y-%m-%dT%H:%M:%S+00:00', 1735689600 + n / 100, 'unixepoch'), '10.1.2.3'
FROM t";

/// Writes, seals and proves so many events in a database that has been migrated.
pub(crate) async fn measure(url: String, events: u64, data_dir: PathBuf) -> Result<()> {
    let config = Config {
        database_url: Some(Secret::new(url)),
        data_dir,
        ..Config::default()
    };
    std::fs::create_dir_all(&config.data_dir)?;
    let db = Db::connect(&config).await?;
    let sealer = Arc::new(Sealer::open(&config)?);
    let written = timed(async || write(&db, events).await).await?;
    let chained = timed(async || Ok(sealer.pass(&db).await.map(drop)?)).await?;
    let (keys, journal) = (sealer.trusted.clone(), sealer.journal.clone());
    let now = db.clock().now();
    let began = Instant::now();
    let found = db
        .read(async move |tx| verify(tx, &keys, Some(&journal), Window::Whole, now).await)
        .await?;
    let proved = began.elapsed();
    let limit = LIMIT_OF_A_MILLION * u32::try_from(found.entries.div_ceil(1_000_000))?;
    say("| events | written | sealed | proved | limit | findings |");
    say("|---:|---:|---:|---:|---:|---:|");
    say(&format!(
        "| {} | {written:.1?} | {chained:.1?} | {proved:.1?} | {limit:.1?} | {} |",
        found.entries, found.wrong
    ));
    if let Some(first) = found.findings.first() {
        return Err(first.told(Language::English).to_string().into());
    }
    if found.entries < events || proved > limit {
        return Err("the audit was not proved within its limit".into());
    }
    Ok(())
}

async fn timed(work: impl AsyncFnOnce() -> Result<()>) -> Result<Duration> {
    let began = Instant::now();
    work().await?;
    Ok(began.elapsed())
}

async fn write(db: &Db, events: u64) -> Result<()> {
    let by = Author {
        account: None,
        name: "bench".to_owned(),
        request_id: None,
        source: None,
    };
    for chunk in 0..events.div_ceil(CHUNK) {
        let (from, to) = (chunk * CHUNK + 1, events.min((chunk + 1) * CHUNK));
        db.write(by.clone(), async move |tx| {
            let is_postgres = tx.db.get_database_backend() == DbBackend::Postgres;
            let sql = if is_postgres { POSTGRES } else { SQLITE };
            let sql = sql
                .replace("{from}", &from.to_string())
                .replace("{to}", &to.to_string());
            tx.db.execute_unprepared(&sql).await?;
            Ok(())
        })
        .await?;
    }
    Ok(())
}
