//! `taizhang audit`.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::NaiveDate;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Failed, open_existing, say, terminal};
use crate::audit::export::{COLUMNS, cells, line};
use crate::audit::sealer::Sealer;
use crate::clock::Clock;
use crate::config::Config;
use crate::problem::Language;
use crate::store::audit::{self, Entry, Filter, Reached, Verdict, Window};
use crate::store::{Db, Failure, event};

#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// Prove the whole chain: every event unchanged, in its order, and none missing; exit code 1 if not
    Verify {
        /// A copy of the checkpoints that was kept elsewhere [default: the file that the service writes]
        #[arg(long, value_name = "FILE")]
        checkpoints: Option<PathBuf>,
    },
    /// Write what was recorded to standard output, each entry with its hash and the one before; this is recorded too
    Export {
        /// The first day
        #[arg(long, value_name = "DATE")]
        from: Option<NaiveDate>,
        /// The last day
        #[arg(long, value_name = "DATE")]
        to: Option<NaiveDate>,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
    },
    /// Seal what waits to be sealed, where no service runs
    Seal,
    /// Print the public key that proves the checkpoints made here
    Key,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Format {
    /// A line of JSON for each entry
    Jsonl,
    /// For a spreadsheet; a cell that a spreadsheet would take for a formula begins with '
    Csv,
}

impl Format {
    const fn code(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }
}

pub(super) async fn run(config: &Config, what: What) -> Result<(), Failed> {
    let sealer = Arc::new(Sealer::open(config)?);
    if matches!(what, What::Key) {
        say(&sealer.public_key());
        return Ok(());
    }
    let db = open_existing(config).await?;
    match what {
        What::Verify { checkpoints } => verify(&db, &sealer, checkpoints).await,
        What::Export { from, to, format } => export(&db, from, to, format).await,
        What::Seal => {
            let count = sealer.pass(&db).await?;
            say(&format!("封存 {count} 条 / {count} events sealed"));
            Ok(())
        }
        What::Key => Ok(()),
    }
}

async fn verify(db: &Db, sealer: &Sealer, checkpoints: Option<PathBuf>) -> Result<(), Failed> {
    let keys = sealer.trusted.clone();
    let journal = checkpoints.unwrap_or_else(|| sealer.journal.clone());
    let clock = db.clock();
    let began = clock.now();
    let found = db
        .read(async move |tx| {
            audit::verify(tx, &keys, Some(&journal), Window::Whole, clock.now()).await
        })
        .await?;
    told(&found, clock.now() - began);
    if found.wrong == 0 {
        return Ok(());
    }
    Err(Failed::Refused(format!(
        "审计链有 {0} 处问题 / {0} findings in the audit",
        found.wrong
    )))
}

fn told(found: &Verdict, took: chrono::TimeDelta) {
    say(&format!(
        "{} entries, {} checkpoints, {} lines of the checkpoint file; {} events wait to be sealed; {}.{:03} s",
        found.entries,
        found.checkpoints,
        found.journal,
        found.waiting,
        took.num_seconds(),
        took.subsec_millis(),
    ));
    say(&format!(
        "last entry {}: {}",
        found.last,
        hex::encode(found.hash)
    ));
    if let Some(first) = found.first_late {
        say(&format!(
            "注意：{0} 条的封存时间与记录时间相差一分钟以上，首条为第 {first} 条 / \
             note: {0} entries were sealed more than a minute apart from when they say they were recorded, the first is {first}",
            found.late
        ));
    }
    for fault in &found.findings {
        let said = |language| {
            let told = fault.told(language);
            told.get("detail")
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        say(&format!(
            "  {} / {}",
            said(Language::Chinese).unwrap_or_default(),
            said(Language::English).unwrap_or_default()
        ));
    }
    let told = u64::try_from(found.findings.len()).unwrap_or(u64::MAX);
    if found.wrong > told {
        say(&format!("  … and {} more", found.wrong - told));
    }
}

async fn export(
    db: &Db,
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    format: Format,
) -> Result<(), Failed> {
    let filter = days(db.clock(), from, to)?;
    // Before the first line: what has left the house is recorded, however much of it is read.
    db.write(terminal(), async move |tx| {
        let scope = json!({ "from": from, "to": to, "format": format.code() });
        event::record(tx, event::Entry::of_export("audit", scope)).await
    })
    .await?;
    match format {
        Format::Jsonl => {
            let mut out = std::io::BufWriter::new(std::io::stdout().lock());
            each(db, &filter, |entry| writeln!(out, "{}", line(entry))).await?;
            out.flush().map_err(stdout)
        }
        Format::Csv => {
            let mut out = csv::Writer::from_writer(std::io::stdout().lock());
            out.write_record(COLUMNS).map_err(|e| stdout(e.into()))?;
            each(db, &filter, |entry| Ok(out.write_record(cells(entry))?)).await?;
            out.flush().map_err(stdout)
        }
    }
}

fn stdout(source: std::io::Error) -> Failed {
    Failed::Io {
        what: "standard output".to_owned(),
        source,
    }
}

/// Every entry of the chain that is asked for, in its order.
async fn each(
    db: &Db,
    filter: &Filter,
    mut write: impl FnMut(&Entry) -> std::io::Result<()>,
) -> Result<(), Failed> {
    let mut reached = Reached::default();
    while let Some((page, to)) = audit::export_page(db.reader(), filter, reached)
        .await
        .map_err(Failure::told)?
    {
        for entry in &page {
            write(entry).map_err(stdout)?;
        }
        reached = to;
    }
    Ok(())
}

fn days(clock: Clock, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<Filter, Failed> {
    let is_wrong = || Failed::Refused("that is not a day of this calendar".to_owned());
    let from = from.map(|day| clock.start_of(day).ok_or_else(is_wrong));
    let to = to.map(|day| clock.end_of(day).ok_or_else(is_wrong));
    Ok(Filter {
        from: from.transpose()?,
        to: to.transpose()?,
        ..Filter::default()
    })
}
