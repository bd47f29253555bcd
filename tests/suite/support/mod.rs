//! What every test needs: a server of its own, and clients that hold each answer to the contract.

pub(crate) mod chance;
mod client;
pub(crate) mod contract;
mod demo;
pub(crate) mod issued;
pub(crate) mod library;
pub(crate) mod problems;
pub(crate) mod projects;
pub(crate) mod provider;
pub(crate) mod receiver;
mod server;

pub(crate) use client::{Client, Reply, Request};
pub(crate) use server::{PASSWORD, Server, reader};
