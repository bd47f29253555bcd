//! The record of every change of the database's shape, for SQLite and PostgreSQL from one text.
//!
//! A migration is plain SQL with the few type names that differ filled in by [`dialect::fill`]. It knows
//! neither the entities nor the domain: it must mean the same in ten years.

use sea_orm_migration::prelude::{MigrationTrait, async_trait};
pub use sea_orm_migration::{MigrationStatus, MigratorTrait};

mod dialect;
pub mod grants;
mod m20261121_000001_library;
mod m20261121_000002_access;
mod m20261121_000003_audit;
mod m20261121_000004_numbers;
mod m20261121_000005_investment;
mod m20261121_000006_targets;
mod m20261121_000007_chains;
mod m20261121_000008_scoreboard;
mod m20261121_000009_past_sums;
mod m20261122_000010_past_by_day;
mod m20261128_000011_counted_anew;
mod m20261128_000012_external_refs;
mod m20261129_000013_imports;
mod m20261129_000014_webhooks;
mod m20261129_000015_publication;

/// Every migration, oldest first.
#[derive(Debug, Clone, Copy)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261121_000001_library::Migration),
            Box::new(m20261121_000002_access::Migration),
            Box::new(m20261121_000003_audit::Migration),
            Box::new(m20261121_000004_numbers::Migration),
            Box::new(m20261121_000005_investment::Migration),
            Box::new(m20261121_000006_targets::Migration),
            Box::new(m20261121_000007_chains::Migration),
            Box::new(m20261121_000008_scoreboard::Migration),
            Box::new(m20261121_000009_past_sums::Migration),
            Box::new(m20261122_000010_past_by_day::Migration),
            Box::new(m20261128_000011_counted_anew::Migration),
            Box::new(m20261128_000012_external_refs::Migration),
            Box::new(m20261129_000013_imports::Migration),
            Box::new(m20261129_000014_webhooks::Migration),
            Box::new(m20261129_000015_publication::Migration),
        ]
    }
}
