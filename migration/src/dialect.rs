//! The few words in which the two databases differ.

use sea_orm_migration::sea_orm::DbBackend;

/// Fills the type names of a backend into a migration's text.
///
/// SQLite tables are STRICT, so that it refuses a wrong type as PostgreSQL does; ids are 16 bytes there,
/// dates and instants ISO 8601 text, which sorts as they do.
pub(crate) fn fill(backend: DbBackend, sql: &str) -> String {
    let words: [(&str, &str); 8] = if backend == DbBackend::Postgres {
        [
            ("{uuid}", "UUID"),
            ("{bigint}", "BIGINT"),
            ("{int}", "INTEGER"),
            ("{bool}", "BOOLEAN"),
            ("{date}", "DATE"),
            ("{instant}", "TIMESTAMPTZ"),
            ("{json}", "JSONB"),
            ("{bytes}", "BYTEA"),
        ]
    } else {
        [
            ("{uuid}", "BLOB"),
            ("{bigint}", "INTEGER"),
            ("{int}", "INTEGER"),
            ("{bool}", "INTEGER"),
            ("{date}", "TEXT"),
            ("{instant}", "TEXT"),
            ("{json}", "TEXT"),
            ("{bytes}", "BLOB"),
        ]
    };
    let strict = if backend == DbBackend::Postgres {
        ""
    } else {
        "STRICT"
    };
    words
        .iter()
        .fold(sql.replace("{strict}", strict), |text, (word, name)| {
            text.replace(word, name)
        })
}
