//! `taizhang migrate`.

use clap::Subcommand;
use migration::{MigrationStatus, Migrator, MigratorTrait, grants};
use sea_orm::{DbBackend, DbErr};

use super::{Failed, connect, say};
use crate::config::Config;
use crate::store::Db;

#[derive(Clone, Debug, Subcommand)]
pub(super) enum What {
    /// Apply every migration that is pending
    Up,
    /// Take the latest migrations back; this drops their tables and what is in them
    Down {
        /// How many
        #[arg(long, default_value_t = 1)]
        steps: u32,
        /// Say that losing the data is meant
        #[arg(long, required = true)]
        drop_data: bool,
    },
    /// Say which migrations are applied
    Status,
    /// Let another PostgreSQL role do what the service does, and not change what is recorded; again after every
    /// migration (`taizhang_app` is looked after by the migrations themselves)
    Grants {
        /// The role; it must exist
        role: String,
    },
}

pub(super) async fn run(config: &Config, what: What) -> Result<(), Failed> {
    let db = connect(config).await?;
    match what {
        What::Up => up(&db).await?,
        What::Down { steps, .. } => Migrator::down(db.writer(), Some(steps)).await?,
        What::Status => {}
        What::Grants { role } => {
            if db.writer().get_database_backend() != DbBackend::Postgres {
                return Err(Failed::Refused("SQLite has no roles".to_owned()));
            }
            grants::give(db.writer(), &role).await?;
            say(&format!("{role}: granted"));
            return Ok(());
        }
    }
    for migration in Migrator::get_migration_with_status_read_only(db.writer()).await? {
        let status = match migration.status() {
            MigrationStatus::Applied => "applied",
            MigrationStatus::Pending => "pending",
        };
        say(&format!("{status}  {}", migration.name()));
    }
    Ok(())
}

/// Applies what is pending; the role of the service gets its rights to what is new.
pub(super) async fn up(db: &Db) -> Result<(), DbErr> {
    let db = db.writer();
    Migrator::up(db, None).await?;
    if db.get_database_backend() == DbBackend::Postgres
        && grants::exists(db, grants::APP_ROLE).await?
    {
        grants::give(db, grants::APP_ROLE).await?;
    }
    Ok(())
}
