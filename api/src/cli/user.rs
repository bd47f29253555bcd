//! `taizhang user`.

use std::io::BufRead;

use clap::Subcommand;

use super::{Failed, open, say, terminal};
use crate::auth::{Role, password};
use crate::config::Config;
use crate::store::account::{self, NewAccount};

#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// Make an account; its password is read from the first line of standard input
    Add {
        /// The name to sign in with
        username: String,
        /// The role: officer, manager, leader or administrator
        #[arg(long)]
        role: String,
        /// The region in whose subtree the role holds
        #[arg(
            long,
            required_unless_present = "everywhere",
            conflicts_with = "everywhere"
        )]
        region: Option<String>,
        /// The role holds in every region
        #[arg(long)]
        everywhere: bool,
        /// The name to show [default: the user name]
        #[arg(long)]
        display_name: Option<String>,
    },
}

pub(super) async fn run(config: &Config, what: What) -> Result<(), Failed> {
    let What::Add {
        username,
        role,
        region,
        everywhere: _,
        display_name,
    } = what;
    let role = Role::from_code(&role).ok_or_else(|| {
        Failed::Refused(format!(
            "there is no role {role}; there are: officer, manager, leader, administrator"
        ))
    })?;
    if role == Role::Administrator && region.is_some() {
        return Err(Failed::Refused(
            "an administrator keeps what holds in every region: give --everywhere instead of --region"
                .to_owned(),
        ));
    }
    let is_name = (1..=64).contains(&username.len())
        && username
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-@".contains(&b));
    if !is_name {
        return Err(Failed::Refused(
            "a user name has 1 to 64 letters, digits and . _ - @".to_owned(),
        ));
    }
    let password = read_password()?;
    let db = open(config).await?;
    let new = NewAccount {
        display_name: display_name.unwrap_or_else(|| username.clone()),
        password_hash: password::hash(password).await?,
        username,
        role,
        region,
    };
    let name = new.username.clone();
    db.write(terminal(), async move |tx| account::add(tx, &new).await)
        .await?;
    say(&format!("{name}: added"));
    Ok(())
}

fn read_password() -> Result<String, Failed> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|source| Failed::Io {
            what: "standard input".to_owned(),
            source,
        })?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    let length = password.chars().count();
    if (password::MIN_PASSWORD..=password::MAX_PASSWORD).contains(&length) {
        return Ok(password);
    }
    Err(Failed::Refused(format!(
        "a password has {} to {} characters; this one has {length}",
        password::MIN_PASSWORD,
        password::MAX_PASSWORD
    )))
}
