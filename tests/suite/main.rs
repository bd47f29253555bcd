//! One suite over HTTP, run on SQLite and on PostgreSQL: `TEST_DATABASE_URL` unset gives each test a
//! temporary SQLite file, set it gives each test a PostgreSQL database of its own.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may stop at the first surprise, and reads the clock to compare"
)]

mod support;

mod access;
mod accounts;
mod append_only;
mod attainment;
mod audit;
mod bad_input;
mod catalogue;
mod chains;
mod concurrency;
mod contract;
mod diff;
mod edge;
mod events;
mod exports;
mod external_refs;
mod families;
mod history;
mod idempotency;
mod imports;
mod investment;
mod kept_sums;
mod lockout;
mod matrix;
mod migrations;
mod money;
mod moves;
mod oc4ids;
mod printing;
mod protocol;
mod provider;
mod random_histories;
mod reference;
mod replay;
mod round_trip;
mod scoreboard;
mod second_factor;
mod sessions;
mod sign_in;
mod summary;
mod systems;
mod taking_back;
mod targets;
mod unwritable;
mod webhooks;
mod year_accounts;
