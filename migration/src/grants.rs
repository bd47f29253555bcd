//! What the role that the service runs as may do in PostgreSQL, where another role owns the tables.

use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr, Statement};

/// The role that is given its rights by the migrations, if it exists.
pub const APP_ROLE: &str = "taizhang_app";

/// The longest name that PostgreSQL keeps, in bytes.
const MAX_NAME: usize = 63;

/// Whether the database has a role of this name.
///
/// # Errors
/// [`DbErr`] of the database.
pub async fn exists(db: &impl ConnectionTrait, role: &str) -> Result<bool, DbErr> {
    let sql = "SELECT 1 FROM pg_roles WHERE rolname = $1";
    let asked = Statement::from_sql_and_values(db.get_database_backend(), sql, [role.into()]);
    Ok(db.query_one_raw(asked).await?.is_some())
}

/// Lets a role do what the service does, and nothing else: it may add to what is recorded, and neither change nor
/// remove any of it. Whatever it could do to the tables before is taken away first.
///
/// # Errors
/// [`DbErr`] if the name can't be one, or whoever asks does not own the tables.
pub async fn give(db: &impl ConnectionTrait, role: &str) -> Result<(), DbErr> {
    let is_name = (1..=MAX_NAME).contains(&role.len())
        && role
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !is_name {
        return Err(DbErr::Custom(format!(
            "{role:?}: a role is named in lower-case letters, digits and underscores"
        )));
    }
    db.execute_unprepared(&GRANTS.replace("{role}", role))
        .await?;
    Ok(())
}

const GRANTS: &str = "
DO $$
DECLARE name text;
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO {role}', current_schema());
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
    EXECUTE format('REVOKE ALL ON %I FROM {role}', name);
    EXECUTE format('GRANT %s ON %I TO {role}',
      CASE WHEN name = 'seaql_migrations' THEN 'SELECT'
        WHEN name IN ('event', 'transition', 'audit_seal', 'audit_checkpoint') THEN 'SELECT, INSERT'
        ELSE 'SELECT, INSERT, UPDATE, DELETE' END, name);
  END LOOP;
END $$;
";
