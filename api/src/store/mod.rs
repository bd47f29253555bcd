//! All SQL and all transactions; rows become domain values in one place for each aggregate.

pub mod account;
pub mod accounting;
pub mod approval;
pub mod attainment;
pub mod audit;
pub mod catalogue;
pub mod counting;
mod db;
pub mod diff;
pub mod event;
pub mod external_ref;
mod failure;
pub mod family;
pub mod feed;
pub mod filter;
pub mod history;
pub mod idempotency;
pub mod import;
pub mod investment;
pub mod list;
pub mod listing;
pub mod plan_year;
pub mod project;
pub mod reference;
pub mod rollup;
mod row;
pub mod scoreboard;
pub(crate) mod search;
pub mod summary;
pub mod target;
pub mod transition;
pub mod webhook;

pub use db::{Author, Db, Tx};
pub use failure::Failure;
pub(crate) use failure::corrupt;
