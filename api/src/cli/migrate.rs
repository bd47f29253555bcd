//! `taizhang migrate`.

use clap::Subcommand;
use migration::{MigrationStatus, Migrator, MigratorTrait};

use super::{Failed, connect, say};
use crate::config::Config;

#[derive(Clone, Copy, Debug, Subcommand)]
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
}

pub(super) async fn run(config: &Config, what: What) -> Result<(), Failed> {
    let db = connect(config).await?;
    match what {
        What::Up => Migrator::up(db.writer(), None).await?,
        What::Down { steps, .. } => Migrator::down(db.writer(), Some(steps)).await?,
        What::Status => {}
    }
    for migration in Migrator::get_migration_with_status(db.writer()).await? {
        let status = match migration.status() {
            MigrationStatus::Applied => "applied",
            MigrationStatus::Pending => "pending",
        };
        say(&format!("{status}  {}", migration.name()));
    }
    Ok(())
}
