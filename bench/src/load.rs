//! Puts a synthetic library straight into the tables of a database that has been migrated.

use actix_web::web::BytesMut;
use futures::SinkExt;
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous,
};
use sea_orm::sqlx::{self, AssertSqlSafe, ConnectOptions, Connection, Row as _};
use std::fmt::Write as _;
use std::pin::pin;
use std::str::FromStr;
use tokio_postgres::NoTls;

use crate::Result;
use crate::layout::Layout;
use crate::library::Library;
use crate::reference;
use crate::table::{Cell, Table};

/// How many projects are written at a time.
const CHUNK: u64 = 20_000;
/// Up to how many projects the database checks every reference itself.
const CHECKED: u64 = 100_000;
/// How many values SQLite takes in one statement.
const SQLITE_VALUES: usize = 6_000;

/// Loads a library of `size` projects.
pub(crate) async fn load(url: &str, size: u64, seed: u64) -> Result<()> {
    let library = Library::new(seed, Layout { size });
    if url.starts_with("sqlite:") {
        sqlite(url, size, &library).await
    } else {
        postgres(url, size, &library).await
    }
}

fn chunks(size: u64) -> impl Iterator<Item = (u64, u64)> {
    (0..size.div_ceil(CHUNK)).map(move |i| (i * CHUNK, size.min((i + 1) * CHUNK)))
}

async fn postgres(url: &str, size: u64, library: &Library) -> Result<()> {
    let (mut client, connection) = tokio_postgres::connect(url, NoTls).await?;
    actix_web::rt::spawn(connection);
    let indexes = client
        .query(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()
               AND indexname NOT IN (SELECT conname FROM pg_constraint)
               AND tablename NOT IN ('seaql_migrations', 'account_grant', 'session')",
            &[],
        )
        .await?;
    let indexes: Vec<(String, String)> =
        indexes.iter().map(|row| (row.get(0), row.get(1))).collect();
    client
        .batch_execute("SET maintenance_work_mem = '512MB'; SET synchronous_commit = off")
        .await?;
    if size > CHECKED {
        client
            .batch_execute("SET session_replication_role = replica")
            .await?;
    }
    // All or nothing: a load that was interrupted leaves the indexes where they were.
    let transaction = client.transaction().await?;
    for (name, _) in &indexes {
        transaction
            .batch_execute(&format!("DROP INDEX {name}"))
            .await?;
    }
    for table in reference::tables() {
        copy(&transaction, table).await?;
    }
    for (from, to) in chunks(size) {
        for table in library.tables(from, to) {
            copy(&transaction, table).await?;
        }
    }
    transaction
        .batch_execute("SET CONSTRAINTS ALL IMMEDIATE")
        .await?;
    // Where the triggers were off, nothing made them wait for their seal.
    transaction
        .batch_execute(
            "INSERT INTO audit_pending (event_id) SELECT id FROM event ON CONFLICT DO NOTHING",
        )
        .await?;
    for (_, definition) in &indexes {
        transaction.batch_execute(definition).await?;
    }
    transaction.commit().await?;
    client.batch_execute("VACUUM ANALYZE").await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}

async fn copy(client: &tokio_postgres::Transaction<'_>, table: Table) -> Result<()> {
    let sql = format!(
        "COPY {} ({}) FROM STDIN",
        table.name,
        table.columns.join(", ")
    );
    let mut sink = pin!(client.copy_in::<_, BytesMut>(&sql).await?);
    let mut text = String::new();
    for row in &table.rows {
        for (i, cell) in row.iter().enumerate() {
            if i > 0 {
                text.push('\t');
            }
            copied(&mut text, cell)?;
        }
        text.push('\n');
        if text.len() > 1 << 20 {
            sink.send(BytesMut::from(text.as_str())).await?;
            text.clear();
        }
    }
    sink.send(BytesMut::from(text.as_str())).await?;
    sink.finish().await?;
    Ok(())
}

fn copied(text: &mut String, cell: &Cell) -> Result<()> {
    let mut escaped = |value: &str| {
        for c in value.chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                c => text.push(c),
            }
        }
    };
    match cell {
        Cell::Null => text.push_str("\\N"),
        Cell::Text(value) => escaped(value),
        Cell::Word(value) => escaped(value),
        Cell::Int(value) => write!(text, "{value}")?,
        Cell::Bool(value) => write!(text, "{value}")?,
        Cell::Id(value) => write!(text, "{value}")?,
        Cell::Day(value) => write!(text, "{value}")?,
        Cell::At(value) => text.push_str(&value.to_rfc3339()),
    }
    Ok(())
}

async fn sqlite(url: &str, size: u64, library: &Library) -> Result<()> {
    let mut connection = SqliteConnectOptions::from_str(url)?
        .foreign_keys(size <= CHECKED)
        .journal_mode(SqliteJournalMode::Memory)
        .synchronous(SqliteSynchronous::Off)
        .pragma("cache_size", "-1000000")
        .disable_statement_logging()
        .connect()
        .await?;
    let indexes = sqlx::query(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
           AND tbl_name NOT IN ('account_grant', 'session')",
    )
    .fetch_all(&mut connection)
    .await?;
    let indexes: Vec<(String, String)> =
        indexes.iter().map(|row| (row.get(0), row.get(1))).collect();
    let mut transaction = connection.begin().await?;
    for (name, _) in &indexes {
        execute(&mut transaction, format!("DROP INDEX {name}")).await?;
    }
    for table in reference::tables() {
        insert(&mut transaction, table).await?;
    }
    for (from, to) in chunks(size) {
        for table in library.tables(from, to) {
            insert(&mut transaction, table).await?;
        }
    }
    for (_, definition) in indexes {
        execute(&mut transaction, definition).await?;
    }
    transaction.commit().await?;
    execute(&mut connection, "ANALYZE".to_owned()).await?;
    execute(&mut connection, "PRAGMA journal_mode = WAL".to_owned()).await?;
    connection.close().await?;
    Ok(())
}

async fn execute(connection: &mut SqliteConnection, sql: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await?;
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, table: Table) -> Result<()> {
    let width = table.columns.len();
    let places = format!("({})", vec!["?"; width].join(", "));
    for rows in table.rows.chunks((SQLITE_VALUES / width).max(1)) {
        let sql = format!(
            "INSERT INTO {} ({}) VALUES {}",
            table.name,
            table.columns.join(", "),
            vec![places.as_str(); rows.len()].join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for cell in rows.iter().flatten() {
            query = match cell {
                Cell::Null => query.bind(None::<String>),
                Cell::Text(value) => query.bind(value.as_str()),
                Cell::Word(value) => query.bind(*value),
                Cell::Int(value) => query.bind(*value),
                Cell::Bool(value) => query.bind(*value),
                Cell::Id(value) => query.bind(*value),
                Cell::Day(value) => query.bind(*value),
                Cell::At(value) => query.bind(*value),
            };
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}
