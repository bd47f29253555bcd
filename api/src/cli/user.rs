//! `taizhang user`, and the first administrators.

use std::io::{BufRead, IsTerminal, Write};

use clap::Subcommand;

use super::{Failed, open, open_existing, say, tell, terminal};
use crate::auth::policy::PasswordProfile;
use crate::auth::{Role, password};
use crate::config::Config;
use crate::problem::Language;
use crate::routes::users::one_time_password;
use crate::store::account;
use crate::store::account::grant::{self, Origin, Wanted};
use crate::store::account::user::{self, New};
use crate::store::{Db, Failure};

#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// Make an account; its password is read from the first line of standard input
    Add {
        /// The name to sign in with
        username: String,
        /// The role: `officer`, `manager`, `leader`, `system_admin`, `security_admin` or `audit_admin`
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
        /// The unit for whose projects the role holds [default: every unit]
        #[arg(long)]
        unit: Option<String>,
        /// The name to show [default: the user name]
        #[arg(long)]
        display_name: Option<String>,
    },
    /// Give somebody a new one-time password, and let him try again; for administrators who are locked out
    Password {
        /// The name to sign in with
        username: String,
    },
}

pub(super) async fn run(config: &Config, what: What) -> Result<(), Failed> {
    match what {
        What::Add {
            username,
            role,
            region,
            everywhere: _,
            unit,
            display_name,
        } => {
            let role = Role::from_code(&role).ok_or_else(|| {
                let codes = Role::ALL.map(Role::code).join(", ");
                Failed::Refused(format!("there is no role {role}; there are: {codes}"))
            })?;
            check_username(&username)?;
            let password = read_password(config.password_profile, &username)?;
            let db = open(config).await?;
            let new = New {
                display_name: display_name.unwrap_or_else(|| username.clone()),
                password_hash: password::hash(password).await?,
                username: username.clone(),
                is_one_time: false,
            };
            let mut wanted = Wanted::everywhere(role).within(region.as_deref());
            wanted.unit = unit;
            add(&db, new, wanted).await?;
            say(&format!("{username}: added"));
        }
        What::Password { username } => {
            let db = open_existing(config).await?;
            let id = account::named(db.reader(), &username)
                .await
                .map_err(Failure::told)?
                .ok_or_else(|| Failed::Refused(format!("there is no account {username}")))?;
            let (password, hash) = one_time_password().await?;
            db.write(terminal(), async move |tx| {
                user::reset_password(tx, id, &hash).await
            })
            .await?;
            say(&format!("{username}: one-time password {password}"));
        }
    }
    Ok(())
}

async fn add(db: &Db, new: New, wanted: Wanted) -> Result<(), Failed> {
    db.write(terminal(), async move |tx| {
        let id = user::add(tx, &new).await?;
        grant::add(tx, id, &wanted, Origin::Terminal).await
    })
    .await?;
    Ok(())
}

/// Asks for the three administrators where there is no account yet, and makes them with one-time passwords. Where
/// nobody can be asked, says how to make them.
pub(super) async fn first_administrators(db: &Db) -> Result<(), Failed> {
    if !account::none(db.reader()).await.map_err(Failure::told)? {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        tell(
            "还没有账号 / there is no account yet. Make the three administrators with:\n  \
             taizhang user add NAME --role system_admin --everywhere\n  \
             taizhang user add NAME --role security_admin --everywhere\n  \
             taizhang user add NAME --role audit_admin --everywhere\n\
             (each password is read from standard input)",
        );
        return Ok(());
    }
    say("首次启动，请设置三员 / first start: who are the three administrators?");
    for (role, zh, suggestion) in [
        (Role::SystemAdmin, "系统管理员", "sysadmin"),
        (Role::SecurityAdmin, "安全管理员", "secadmin"),
        (Role::AuditAdmin, "审计管理员", "auditor"),
    ] {
        let username = ask(
            &format!("  {zh} / {} [{suggestion}]: ", role.code()),
            suggestion,
        )?;
        check_username(&username)?;
        let (password, password_hash) = one_time_password().await?;
        let new = New {
            username: username.clone(),
            display_name: zh.to_owned(),
            password_hash,
            is_one_time: true,
        };
        add(db, new, Wanted::everywhere(role)).await?;
        say(&format!(
            "    {username}: 一次性密码 / one-time password {password}"
        ));
    }
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "a question, on whose line the answer stands"
)]
fn ask(question: &str, suggestion: &str) -> Result<String, Failed> {
    print!("{question}");
    let io = |source| Failed::Io {
        what: "terminal".to_owned(),
        source,
    };
    std::io::stdout().flush().map_err(io)?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(io)?;
    let answer = line.trim();
    Ok(if answer.is_empty() {
        suggestion
    } else {
        answer
    }
    .to_owned())
}

fn check_username(username: &str) -> Result<(), Failed> {
    let mut reader = crate::input::read::Reader::default();
    crate::routes::users::check_username(&mut reader, "/username", username);
    refuse(&reader.faults)
}

fn refuse(faults: &[crate::problem::Fault]) -> Result<(), Failed> {
    match faults.first() {
        None => Ok(()),
        Some(fault) => {
            let told = |language| {
                let told = fault.told(language);
                let detail = told.get("detail").and_then(serde_json::Value::as_str);
                detail.unwrap_or_default().to_owned()
            };
            Err(Failed::Refused(format!(
                "{} / {}",
                told(Language::Chinese),
                told(Language::English)
            )))
        }
    }
}

fn read_password(profile: PasswordProfile, username: &str) -> Result<String, Failed> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|source| Failed::Io {
            what: "standard input".to_owned(),
            source,
        })?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    refuse(&profile.faults("/password", &password, &[username]))?;
    Ok(password)
}
