//! The command line: one file a command.

pub mod access;
mod audit;
mod health;
mod import;
mod keys;
mod load;
mod migrate;
mod read_plan;
mod rollup;
pub mod serve;
mod user;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use migration::{Migrator, MigratorTrait};

use crate::config::{Config, LogFormat, Secret};
use crate::problem::Problem;
use crate::store::{self, Author, Db, Failure};

/// 台账：政府重大项目库 / the library of a government's major projects
#[derive(Debug, Parser)]
#[command(name = "taizhang", version, propagate_version = true)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes. A flag goes before the environment, that before the file.
#[derive(Debug, clap::Args)]
struct Settings {
    /// A configuration file (TOML); every setting may also be an environment variable, as `TAIZHANG_LISTEN`
    #[arg(long, global = true, env = "TAIZHANG_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// `sqlite://PATH?mode=rwc` or `postgres://USER:PASSWORD@HOST/DATABASE` [default: an SQLite file in the data directory]
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Where the embedded database and the signing key are kept [default: var]
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// What to log, as `info` or `info,taizhang=debug` [default: info]
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
    /// Log lines as JSON
    #[arg(long, global = true)]
    log_json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API
    Serve(serve::Arguments),
    /// Bring the database's shape up or down
    Migrate {
        /// What to do
        #[command(subcommand)]
        what: migrate::What,
    },
    /// Take a data set (a directory of CSV files) into the library
    Load {
        /// The directory; its files are documented in data/panjin/README.md
        directory: PathBuf,
    },
    /// Take in what another office sends: a spreadsheet or a CSV file
    Import(Box<import::Arguments>),
    /// Read a file for `import`, as its child
    #[command(name = crate::import::reader::SUBCOMMAND, hide = true)]
    ReadFile,
    /// Propose projects out of the text of a plan or a report, for a person to confirm
    ReadPlan(read_plan::Arguments),
    /// Look after accounts
    User {
        /// What to do
        #[command(subcommand)]
        what: user::What,
    },
    /// Look after the keys that sign tokens
    Keys {
        /// What to do
        #[command(subcommand)]
        what: keys::What,
    },
    /// Print the table of who may do what, as docs/access.md has it
    Access,
    /// Prove the audit, hand it out, and look after its chain
    Audit {
        /// What to do
        #[command(subcommand)]
        what: audit::What,
    },
    /// Look after the sums that are kept for summaries and accounts
    Rollup {
        /// What to do
        #[command(subcommand)]
        what: rollup::What,
    },
    /// Print the OpenAPI contract
    Openapi,
    /// Ask a running service whether it lives; for container health checks
    Health {
        /// Where it listens [default: as configured]
        #[arg(long, value_name = "ADDRESS")]
        at: Option<SocketAddr>,
    },
}

/// Why a command failed, for the one at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// Configuration.
    #[error(transparent)]
    Configuration(#[from] crate::config::ConfigError),
    /// The database.
    #[error("database: {0}")]
    Database(#[from] sea_orm::DbErr),
    /// A data set.
    #[error("data set: {0}")]
    Catalogue(#[from] crate::catalogue::CatalogueError),
    /// The signing key.
    #[error(transparent)]
    Key(#[from] crate::auth::keys::KeyError),
    /// The certificate.
    #[error(transparent)]
    Certificate(#[from] crate::edge::tls::CertificateError),
    /// The audit's chain.
    #[error("audit: {0}")]
    Audit(#[from] crate::audit::sealer::SealError),
    /// The identity provider.
    #[error(transparent)]
    Provider(#[from] crate::auth::provider::ProviderError),
    /// The client that webhooks are sent with.
    #[error("webhooks: {0}")]
    Webhooks(#[from] reqwest::Error),
    /// A password.
    #[error(transparent)]
    Password(#[from] crate::auth::password::HashError),
    /// Files and sockets.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
    /// A refusal by rule.
    #[error("{0}")]
    Refused(String),
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem.for_terminal())
    }
}

/// Runs the command line.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    // Before anything is begun that would take of its memory.
    if matches!(cli.command, Command::ReadFile) {
        return crate::import::reader::child();
    }
    match actix_web::rt::System::new().block_on(dispatch(cli)) {
        Ok(code) => code,
        Err(failed) => {
            tell(&format!("taizhang: {failed}"));
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(cli: Cli) -> Result<ExitCode, Failed> {
    let config = || configure(cli.settings);
    let done = match cli.command {
        Command::Openapi => openapi(),
        Command::Access => {
            say(access::told(&crate::routes::contract()).trim_end());
            Ok(())
        }
        Command::ReadPlan(arguments) => read_plan::run(&arguments),
        Command::Import(arguments) => return import::run(&config()?, *arguments).await,
        Command::Serve(arguments) => serve::run(config()?, arguments).await,
        Command::Migrate { what } => migrate::run(&config()?, what).await,
        Command::Load { directory } => load::run(&config()?, &directory).await,
        Command::User { what } => user::run(&config()?, what).await,
        Command::Health { at } => {
            let config = config()?;
            health::run(
                at.unwrap_or(config.listen),
                config.tls_certificate.is_some(),
            )
        }
        Command::Audit { what } => audit::run(&config()?, what).await,
        Command::Keys { what } => keys::run(&config()?, &what),
        Command::Rollup { what } => rollup::run(&config()?, what).await,
        Command::ReadFile => return Ok(crate::import::reader::child()),
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn openapi() -> Result<(), Failed> {
    let yaml = crate::routes::contract().to_yaml();
    say(yaml.map_err(|e| Failed::Refused(e.to_string()))?.trim_end());
    Ok(())
}

fn configure(settings: Settings) -> Result<Config, Failed> {
    let mut config = Config::read(settings.config.as_deref())?;
    if let Some(url) = settings.database_url {
        config.database_url = Some(Secret::new(url));
    }
    if let Some(directory) = settings.data_dir {
        config.data_dir = directory;
    }
    if let Some(log) = settings.log {
        config.log = log;
    }
    if settings.log_json {
        config.log_format = LogFormat::Json;
    }
    Ok(config.checked()?)
}

/// Connects to the database; the directory of the embedded one is made if it is missing.
async fn connect(config: &Config) -> Result<Db, Failed> {
    std::fs::create_dir_all(&config.data_dir).map_err(|source| Failed::Io {
        what: config.data_dir.display().to_string(),
        source,
    })?;
    Ok(Db::connect(config).await?)
}

/// Connects, and brings the database's shape up to date. Where it is, nothing is asked for that only the owner of the
/// tables may do.
async fn open(config: &Config) -> Result<Db, Failed> {
    brought_up_to_date(connect(config).await?).await
}

async fn brought_up_to_date(db: Db) -> Result<Db, Failed> {
    let pending = Migrator::get_pending_migrations_read_only(db.writer()).await?;
    if !pending.is_empty() {
        migrate::up(&db).await?;
    }
    if store::rollup::complete(&db).await.map_err(Failure::told)? {
        tracing::info!("the library has been counted");
    }
    let keyed = store::search::complete(&db).await.map_err(Failure::told)?;
    if keyed > 0 {
        tracing::info!(keyed, "the names have been given their keys");
    }
    Ok(db)
}

/// Opens a library that is there: who looks after one must not make an empty one instead, and hear that all is well of
/// it.
async fn open_existing(config: &Config) -> Result<Db, Failed> {
    let file = config.database_file();
    let place = file.as_ref().map_or_else(
        || "that database".to_owned(),
        |file| file.display().to_string(),
    );
    let missing = || {
        Failed::Refused(format!(
            "there is no library in {place}; --database-url names another"
        ))
    };
    if file.as_ref().is_some_and(|file| !file.exists()) {
        return Err(missing());
    }
    let db = connect(config).await?;
    let pending = Migrator::get_pending_migrations_read_only(db.writer()).await?;
    if pending.len() == Migrator::migrations().len() {
        return Err(missing());
    }
    brought_up_to_date(db).await
}

/// What a command writes to its user.
#[expect(clippy::print_stdout, reason = "this is what a command line is for")]
fn say(line: &str) {
    println!("{line}");
}

/// What a command writes besides its result.
#[expect(clippy::print_stderr, reason = "this is what a command line is for")]
fn tell(line: &str) {
    eprintln!("{line}");
}

/// The command line as an author.
fn terminal() -> Author {
    Author {
        account: None,
        name: "command line".to_owned(),
        request_id: None,
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_library_that_is_not_there_is_not_made_to_be_looked_after() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path().to_str().unwrap();
        let run = |command: &[&str]| {
            let words = ["taizhang", "--data-dir", directory];
            dispatch(Cli::parse_from(words.iter().chain(command)))
        };
        for command in [
            ["rollup", "verify"],
            ["audit", "verify"],
            ["user", "password"],
        ] {
            let named = (command[0] == "user").then_some("admin");
            let command: Vec<&str> = command.into_iter().chain(named).collect();
            let failed = run(&command).await.unwrap_err().to_string();
            assert!(failed.contains("there is no library in"), "{failed}");
            assert!(failed.contains("taizhang.sqlite"), "{failed}");
        }
        assert!(
            !std::path::Path::new(directory)
                .join("taizhang.sqlite")
                .exists()
        );

        run(&["migrate", "up"]).await.unwrap();
        run(&["rollup", "verify"]).await.unwrap();
    }
}
