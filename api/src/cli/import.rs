//! `taizhang import`.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use intake::{Kind, Unit};
use uuid::Uuid;

use super::{Failed, open_existing, say, tell, terminal};
use crate::auth::Principal;
use crate::auth::principal::Grant;
use crate::auth::reach::Extent;
use crate::auth::role::Role;
use crate::config::Config;
use crate::import::reader::Reader;
use crate::import::view::document;
use crate::import::{Bringer, Desk, Work, begin};
use crate::problem::Language;
use crate::store::import::job::Mode;
use crate::store::import::{SameName, Terms};

#[derive(Clone, Copy, Debug, ValueEnum)]
enum KindName {
    Projects,
    AnnualPlans,
    MonthlyFigures,
    Approvals,
    Targets,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeName {
    Preview,
    Commit,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum UnitName {
    Yuan,
    WanYuan,
    YiYuan,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SameNameName {
    Ask,
    Amend,
    Create,
}

/// What `taizhang import` takes.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(super) struct Arguments {
    /// The file: .xlsx, or .csv in UTF-8 or GBK
    file: PathBuf,
    /// What its rows are
    #[arg(long, value_enum)]
    kind: KindName,
    /// Say what would come of it, or take it in
    #[arg(long, value_enum, default_value = "preview")]
    mode: ModeName,
    /// The region of rows that name none, by code or name
    #[arg(long, value_name = "CODE")]
    region: Option<String>,
    /// The code of the responsible unit of rows that name none
    #[arg(long, value_name = "CODE")]
    responsible_unit: Option<String>,
    /// The code of the sector of rows that name none
    #[arg(long, value_name = "CODE")]
    sector: Option<String>,
    /// The unit of amounts for which the file tells none
    #[arg(long, value_enum)]
    unit: Option<UnitName>,
    /// The system whose keys stand in the column 编号
    #[arg(long)]
    system: Option<String>,
    /// What to do with a row of which only name and region are those of a project
    #[arg(long, value_enum, default_value = "ask")]
    same_name: SameNameName,
    /// Take existing projects over at their stage (期初导入)
    #[arg(long)]
    opening_balance: bool,
    /// All of it or nothing [default]
    #[arg(long, conflicts_with = "partial")]
    atomic: bool,
    /// What can be taken in; the rest is left
    #[arg(long)]
    partial: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Whoever sits at the terminal may do everything.
fn everything() -> Principal {
    Principal {
        id: Uuid::nil(),
        session: Uuid::nil(),
        username: terminal().name.clone(),
        display_name: terminal().name,
        grants: vec![Grant {
            role: Role::Manager,
            region: None,
            valid_until: None,
            extent: Extent::EVERYTHING,
        }],
        restriction: None,
        scopes: None::<BTreeSet<_>>,
        has_second_factor: false,
    }
}

pub(super) async fn run(config: &Config, arguments: Arguments) -> Result<ExitCode, Failed> {
    let io = |what: String| move |source| Failed::Io { what, source };
    let name = arguments.file.display().to_string();
    let file = std::fs::read(&arguments.file).map_err(io(name.clone()))?;
    let reader = Reader::itself().map_err(io("this program".to_owned()))?;
    let db = open_existing(config).await?;
    let is_json = arguments.json;
    let bringer = Bringer {
        principal: everything(),
        author: terminal(),
    };
    let work = work(arguments, file);
    let desk = Desk::new(reader);
    let (id, working) = begin(&desk, &db, bringer, work, None).await?;
    if let Some(working) = working {
        working
            .await
            .map_err(|error| Failed::Refused(error.to_string()))?;
    }
    let import = document(&db, None, id, Language::Chinese).await?;
    if is_json {
        let json = serde_json::to_string_pretty(&import);
        say(&json.map_err(|error| Failed::Refused(error.to_string()))?);
    } else {
        import.lines().iter().for_each(|line| say(line));
        tell(import.verdict());
    }
    Ok(if import.is_refused() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn work(arguments: Arguments, file: Vec<u8>) -> Work {
    let called = arguments.file.file_name();
    let kind = match arguments.kind {
        KindName::Projects => Kind::Projects,
        KindName::AnnualPlans => Kind::AnnualPlans,
        KindName::MonthlyFigures => Kind::MonthlyFigures,
        KindName::Approvals => Kind::Approvals,
        KindName::Targets => Kind::Targets,
    };
    Work {
        file,
        file_name: called
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        mode: match arguments.mode {
            ModeName::Preview => Mode::Preview,
            ModeName::Commit => Mode::Commit,
        },
        is_atomic: !arguments.partial,
        sender: String::new(),
        terms: Terms {
            region: arguments.region,
            responsible_unit: arguments.responsible_unit,
            sector: arguments.sector,
            system: arguments.system,
            same_name: match arguments.same_name {
                SameNameName::Ask => SameName::Ask,
                SameNameName::Amend => SameName::Amend,
                SameNameName::Create => SameName::Create,
            },
            opening_balance: arguments.opening_balance,
            kind,
        },
        unit: arguments.unit.map(|unit| match unit {
            UnitName::Yuan => Unit::Yuan,
            UnitName::WanYuan => Unit::WanYuan,
            UnitName::YiYuan => Unit::YiYuan,
        }),
        mapping: Vec::new(),
    }
}
