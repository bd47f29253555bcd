//! `taizhang keys`.

use clap::Subcommand;

use super::{Failed, say};
use crate::auth::keys;
use crate::clock::Clock;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// Make the next key that signs tokens. A running service takes it up by itself, and goes on taking tokens of
    /// the former key for an hour
    Rotate {
        /// Take no more tokens of former keys: everybody has to sign in again
        #[arg(long)]
        at_once: bool,
    },
}

pub(super) fn run(config: &Config, what: &What) -> Result<(), Failed> {
    let What::Rotate { at_once } = what;
    let now = Clock::new(config.time_zone).now();
    let id = keys::rotate(&config.keys(), now, *at_once)?;
    say(&format!("{id}: signs from now on"));
    Ok(())
}
