//! Taizhang (台账): the library of a government's major projects, served over HTTP.

pub mod answers;
pub mod app;
pub mod audit;
pub mod auth;
pub mod body;
pub mod catalogue;
pub mod cli;
pub mod clock;
pub mod cloud_event;
pub mod codes;
pub mod config;
pub mod delivery;
pub mod edge;
mod entity;
mod housekeeping;
pub mod import;
pub mod input;
pub mod page;
pub mod precondition;
pub mod print;
pub mod problem;
pub mod routes;
pub mod store;
