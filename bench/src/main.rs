//! Measurements: synthetic libraries, a load generator, and the limits that stand beside each figure.

mod audit;
mod bare;
mod capture;
mod crowd;
mod drive;
mod explain;
mod layout;
mod library;
mod load;
mod measure;
mod plan;
mod random;
mod reference;
mod reply;
mod report;
mod sign_in;
mod table;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// What may go wrong; a measurement that fails says so and stops.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Load and scale measurements of taizhang
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fill a migrated database with a synthetic library
    Load {
        /// The database
        #[arg(long, env = "TAIZHANG_DATABASE_URL", hide_env_values = true)]
        database_url: String,
        /// How many projects
        #[arg(long)]
        size: u64,
        /// The same seed makes the same library
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Write down the SQL that the service sends for each figure; PostgreSQL only
    Capture {
        /// The database
        #[arg(long, env = "TAIZHANG_DATABASE_URL", hide_env_values = true)]
        database_url: String,
        /// Where the service listens
        #[arg(long)]
        service: String,
        /// The password of the account that asks
        #[arg(long)]
        password: String,
        /// How many projects the library has
        #[arg(long)]
        size: u64,
        /// Where to write the statements
        #[arg(long)]
        plan: PathBuf,
    },
    /// Print the plans of the captured statements, and fail if a page or a project scans the library
    Explain {
        /// The database
        #[arg(long, env = "TAIZHANG_DATABASE_URL", hide_env_values = true)]
        database_url: String,
        /// The captured statements
        #[arg(long)]
        plan: PathBuf,
        /// How many projects the library has
        #[arg(long)]
        size: u64,
    },
    /// Serve the bare program: the same token check, the same SQL, the same reply
    Bare {
        /// The database
        #[arg(long, env = "TAIZHANG_DATABASE_URL", hide_env_values = true)]
        database_url: String,
        /// Where to listen
        #[arg(long)]
        listen: String,
        /// The captured statements
        #[arg(long)]
        plan: PathBuf,
        /// The service's signing key
        #[arg(long)]
        key: PathBuf,
        /// The service's issuer
        #[arg(long, default_value = "taizhang")]
        issuer: String,
    },
    /// Serve a static reply of as many bytes as the path says
    Static {
        /// Where to listen
        #[arg(long)]
        listen: String,
    },
    /// Measure every figure, with its limits
    Measure(measure::Arguments),
    /// Write, seal and prove an audit, with the limit beside it, in a migrated database of its own
    Audit {
        /// The database
        #[arg(long, env = "TAIZHANG_DATABASE_URL", hide_env_values = true)]
        database_url: String,
        /// Where the key and the checkpoints are kept
        #[arg(long, env = "TAIZHANG_DATA_DIR")]
        data_dir: PathBuf,
        /// How many events
        #[arg(long, default_value_t = 1_000_000)]
        events: u64,
    },
    /// Time how wrong passwords of known and of unknown names are refused; fail if that tells them apart
    SignInTiming(sign_in::Arguments),
    /// Read one project while a crowd signs in; fail if that keeps the reader waiting
    Crowd(crowd::Arguments),
    /// Ask one route with and without the token being verified, with the limit beside it
    Token,
    /// Print the results as Markdown
    Report {
        /// The results
        #[arg(long)]
        results: PathBuf,
    },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match actix_web::rt::System::new().block_on(run(cli.command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("bench: {}", whole(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<()> {
    match command {
        Command::Load {
            database_url,
            size,
            seed,
        } => load::load(&database_url, size, seed).await,
        Command::Capture {
            database_url,
            service,
            password,
            size,
            plan,
        } => {
            let found = capture::capture(&database_url, &service, &password, size).await?;
            Ok(std::fs::write(plan, serde_json::to_string_pretty(&found)?)?)
        }
        Command::Explain {
            database_url,
            plan,
            size,
        } => explain::explain(&database_url, &plan, size).await,
        Command::Bare {
            database_url,
            listen,
            plan,
            key,
            issuer,
        } => bare::serve(&listen, &database_url, &plan, &key, &issuer).await,
        Command::Static { listen } => bare::serve_static(&listen).await,
        Command::Measure(arguments) => measure::measure(arguments).await,
        Command::Audit {
            database_url,
            data_dir,
            events,
        } => audit::measure(database_url, events, data_dir).await,
        Command::SignInTiming(arguments) => sign_in::measure(arguments).await,
        Command::Crowd(arguments) => crowd::measure(arguments).await,
        Command::Token => token::measure().await,
        Command::Report { results } => report::report(&results),
    }
}

/// An error with what caused it.
fn whole(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
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
