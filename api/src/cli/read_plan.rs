//! `taizhang read-plan`.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use domain::money::MoneyUnit;
use intake::plan::{Confidence, Hint, Reason};
use intake::value::{Amount, Known};
use intake::{Proposal, RefusedCode};

use super::{Failed, say};
use crate::print::{Cell, Column, Table, as_csv};

/// The largest text that is read, in bytes.
const MAX_TEXT: u64 = 20 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The text, as UTF-8 or GBK; `-` reads it from standard input
    file: PathBuf,
    /// How to write what was found
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For reading: each with its line, how sure it is, and the words that tell of it
    Text,
    /// A table to be looked through and then imported
    Csv,
    /// All that is known of each
    Json,
}

/// Proposes projects; nothing is taken into a library.
///
/// # Errors
/// [`Failed`] if the file can't be read, or is no text.
pub(super) fn run(arguments: &Arguments) -> Result<(), Failed> {
    let bytes = read(&arguments.file)?;
    let text = intake::text(&bytes).map_err(|refused| {
        let why = if refused.code == RefusedCode::UnknownEncoding {
            "既非 UTF-8 也非 GBK / it is neither UTF-8 nor GBK"
        } else {
            "不是文本文件 / it is no text; save the document as plain text first"
        };
        Failed::Refused(format!("{}: {why}", arguments.file.display()))
    })?;
    let proposals = intake::read_plan(&text);
    match arguments.format {
        Format::Json => {
            let json = serde_json::to_string_pretty(&proposals);
            say(&json.map_err(|error| Failed::Refused(error.to_string()))?);
        }
        Format::Csv => {
            let csv = as_csv(&table(&proposals), MoneyUnit::WanYuan);
            let csv = csv.map_err(|error| Failed::Refused(error.to_string()))?;
            std::io::stdout()
                .write_all(&csv)
                .map_err(failed(Path::new("standard output")))?;
        }
        Format::Text => {
            for proposal in &proposals {
                say(&line(proposal, &proposals));
            }
            say(&format!(
                "{} 个可能的项目，请逐一核对 / {0} possible projects; look at each",
                proposals.len()
            ));
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>, Failed> {
    let mut bytes = Vec::new();
    let take = |reader: &mut dyn Read, bytes: &mut Vec<u8>| {
        reader.take(MAX_TEXT + 1).read_to_end(bytes).map(drop)
    };
    if file == Path::new("-") {
        take(&mut std::io::stdin().lock(), &mut bytes).map_err(failed(file))?;
    } else {
        let mut opened = std::fs::File::open(file).map_err(failed(file))?;
        take(&mut opened, &mut bytes).map_err(failed(file))?;
    }
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_TEXT) {
        return Err(Failed::Refused(format!(
            "{}: 超过 20 MiB / it is larger than 20 MiB",
            file.display()
        )));
    }
    Ok(bytes)
}

fn failed(file: &Path) -> impl Fn(std::io::Error) -> Failed {
    let what = file.display().to_string();
    move |source| Failed::Io {
        what: what.clone(),
        source,
    }
}

fn line(proposal: &Proposal, all: &[Proposal]) -> String {
    let whole = proposal.parent.and_then(|place| all.get(place));
    let parts = [
        Some(format!("{}:{}", proposal.line, proposal.column)),
        Some(format!("[{}]", sure(proposal.confidence))),
        Some(proposal.name.clone()),
        whole.map(|whole| format!("（属于 {}）", whole.name)),
        proposal.amount.as_ref().map(told),
        proposal.hint.map(|hint| stage(hint).to_owned()),
        Some(format!("「{}」", proposal.quoted)),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// A table in the headings that an import knows.
fn table(proposals: &[Proposal]) -> Table {
    let row = |proposal: &Proposal| {
        let whole = proposal.parent.and_then(|place| proposals.get(place));
        let why: Vec<&str> = proposal
            .reasons
            .iter()
            .map(|reason| because(*reason))
            .collect();
        vec![
            Cell::Text(proposal.name.clone()),
            proposal.amount.as_ref().map_or(Cell::Nothing, amount),
            Cell::text(whole.map(|whole| whole.name.clone())),
            Cell::Text(proposal.quoted.clone()),
            Cell::text(proposal.hint.map(|hint| stage(hint).to_owned())),
            Cell::Count(u64::try_from(proposal.line).unwrap_or_default()),
            Cell::Text(sure(proposal.confidence).to_owned()),
            Cell::Text(why.join("、")),
        ]
    };
    Table {
        name: "proposals".to_owned(),
        // As an import knows a note.
        title: "注：从文本中提出的项目，须逐一核对".to_owned(),
        notes: Vec::new(),
        columns: vec![
            Column::of("项目名称"),
            Column::of("总投资（万元）"),
            Column::of("所属项目"),
            Column::of("备注"),
            Column::of("进展线索"),
            Column::of("原文行号"),
            Column::of("把握"),
            Column::of("理由"),
        ],
        rows: proposals.iter().map(row).collect(),
        total: None,
    }
}

/// An amount as an import reads it: a number in 万元 if it is one, or else with its words.
fn amount(amount: &Amount) -> Cell {
    match (amount.known, &amount.currency) {
        (Known::Exact, None) => Cell::Exact(amount.amount),
        (Known::Floor | Known::Approximate, _) | (_, Some(_)) => Cell::Text(told(amount)),
    }
}

fn told(amount: &Amount) -> String {
    let unit = match amount.currency.as_deref() {
        None => "元",
        Some("USD") => "美元",
        Some("EUR") => "欧元",
        Some("JPY") => "日元",
        Some(other) => other,
    };
    let number = amount.amount.in_unit(MoneyUnit::YiYuan);
    match amount.known {
        Known::Exact => format!("{number}亿{unit}"),
        Known::Floor => format!("{number}亿{unit}以上"),
        Known::Approximate => format!("约{number}亿{unit}"),
    }
}

const fn sure(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "高",
        Confidence::Medium => "中",
        Confidence::Low => "低",
    }
}

const fn stage(hint: Hint) -> &'static str {
    match hint {
        Hint::Planned => "谋划",
        Hint::Signed => "签约",
        Hint::New => "新建",
        Hint::Continued => "续建",
        Hint::UnderConstruction => "在建",
        Hint::Completed => "建成",
    }
}

const fn because(reason: Reason) -> &'static str {
    match reason {
        Reason::AmountBefore => "名称前有金额",
        Reason::AmountBehind => "名称后有金额",
        Reason::AmountApart => "金额与名称不相连",
        Reason::NoAmount => "没有金额",
        Reason::Listed => "列举之一",
        Reason::InBox => "专栏或编号条目",
        Reason::Part => "其中之一",
        Reason::NamedAsProject => "名称像项目",
        Reason::NotNamedAsProject => "名称不像项目",
        Reason::LongName => "名称很长",
        Reason::MoreThanNamed => "原文所说的数目多于所列",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "加快建设投资12.6亿元的某港区航道工程。\n推进总投资超过50亿元的精细化工基地项目，其中，一期工程投资20亿元。\n";

    #[test]
    fn a_proposal_tells_where_it_stands_and_how_sure_it_is() {
        let proposals = intake::read_plan(TEXT);
        let first = line(&proposals[0], &proposals);
        assert!(first.starts_with("1:"), "{first}");
        for part in ["[高]", "某港区航道工程", "12.6亿元", "「"] {
            assert!(first.contains(part), "{first}");
        }
    }

    #[test]
    fn the_table_can_be_imported() {
        let csv = as_csv(&table(&intake::read_plan(TEXT)), MoneyUnit::WanYuan).unwrap();
        let request = intake::Request::of(intake::Kind::Projects);
        let document = intake::read(&csv, &request).unwrap();
        let rows = &document.sheets[0].rows;
        assert_eq!(rows.len(), intake::read_plan(TEXT).len(), "{rows:?}");
        let name = |row: &intake::document::Row| {
            let field = intake::field::Field::from(intake::field::FieldName::Name);
            row.fields.get(&field).unwrap().text.clone()
        };
        assert_eq!(name(&rows[0]), "某港区航道工程");
        assert!(rows.iter().all(|row| row.faults.is_empty()), "{rows:?}");
    }
}
