//! SeaORM models: primitive columns, no serde, private to the store.
#![expect(
    unreachable_pub,
    reason = "what SeaORM derives beside a model is public"
)]

pub(crate) mod account;
pub(crate) mod account_grant;
pub(crate) mod account_password;
pub(crate) mod accounting_span;
pub(crate) mod approval;
pub(crate) mod approval_rule;
pub(crate) mod audit_checkpoint;
pub(crate) mod audit_pending;
pub(crate) mod audit_seal;
pub(crate) mod chain;
pub(crate) mod client_assertion;
pub(crate) mod event;
pub(crate) mod external_identity;
pub(crate) mod external_ref;
pub(crate) mod failed_attempts;
pub(crate) mod idempotency_key;
pub(crate) mod import_job;
pub(crate) mod import_mapping;
pub(crate) mod import_row;
pub(crate) mod investment_month;
pub(crate) mod list_member;
pub(crate) mod plan_year;
pub(crate) mod programme;
#[expect(
    clippy::struct_excessive_bools,
    reason = "a row has the columns that it has"
)]
pub(crate) mod project;
pub(crate) mod project_list;
pub(crate) mod project_search;
pub(crate) mod project_version;
pub(crate) mod recovery_code;
pub(crate) mod region;
pub(crate) mod region_closure;
pub(crate) mod region_closure_past;
pub(crate) mod scoreboard_closing;
pub(crate) mod scoreboard_scheme;
pub(crate) mod second_factor;
pub(crate) mod sector;
pub(crate) mod service_account;
pub(crate) mod service_key;
pub(crate) mod service_secret;
pub(crate) mod session;
pub(crate) mod sign_in_flow;
pub(crate) mod target;
pub(crate) mod transition;
pub(crate) mod unit;
pub(crate) mod webhook;
pub(crate) mod webhook_attempt;
pub(crate) mod webhook_delivery;
