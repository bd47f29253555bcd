//! The rows that were not taken in, as a workbook with the reasons beside the cells, to be put right and sent again.

use std::collections::{BTreeMap, BTreeSet};

use rust_xlsxwriter::{Color, Format, Workbook, Worksheet, XlsxError};

use super::report::{Report, SheetReport};
use crate::problem::Language;
use crate::store::import::outcome::RowRecord;

/// The widest that a column is made, in digits.
const WIDTH: f64 = 24.0;
/// What the columns of reasons are called; no name of a field, so that they are not read when the file is sent again.
const REASON: (&str, &str) = ("※问题", "※ Reason");

/// Writes the rows that were refused or left, each sheet on a sheet of its own.
///
/// # Errors
/// [`XlsxError`] if it can't be written.
pub fn workbook(
    report: &Report,
    rows: &[RowRecord],
    language: Language,
) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let mut by_sheet: BTreeMap<usize, Vec<&RowRecord>> = BTreeMap::new();
    for row in rows {
        by_sheet.entry(row.sheet).or_default().push(row);
    }
    for (number, rows) in by_sheet {
        if let Some(sheet) = report.sheets.get(number) {
            workbook.push_worksheet(written(sheet, &rows, language)?);
        }
    }
    if workbook.worksheets().is_empty() {
        workbook.add_worksheet();
    }
    workbook.save_to_buffer()
}

/// What stands in a column of the workbook.
enum Column<'a> {
    /// The cells of a column of the file.
    Cells { letters: &'a str, heading: &'a str },
    /// What is wrong with them.
    Reasons { letters: &'a str },
    /// What is wrong with rows as a whole.
    OfRows,
}

fn written(
    sheet: &SheetReport,
    rows: &[&RowRecord],
    language: Language,
) -> Result<Worksheet, XlsxError> {
    let mut paper = Worksheet::new();
    if !sheet.name.is_empty() {
        paper.set_name(&sheet.name)?;
    }
    let bold = Format::new().set_bold();
    let marked = Format::new().set_background_color(Color::RGB(0x00FF_E0E0));
    let reasons = Format::new()
        .set_font_color(Color::RGB(0x00C0_0000))
        .set_text_wrap();
    let mut line = 0;
    if let Some(unit) = sheet.unit {
        // As in the file: without it the amounts would have no unit.
        let name = match unit {
            intake::Unit::Yuan => "元",
            intake::Unit::ThousandYuan => "千元",
            intake::Unit::WanYuan => "万元",
            intake::Unit::MillionYuan => "百万元",
            intake::Unit::YiYuan => "亿元",
        };
        paper.write_string(line, 0, format!("单位：{name}"))?;
        line += 1;
    }
    let columns = columns(sheet, rows);
    for (place, column) in (0..).zip(&columns) {
        let heading = match column {
            Column::Cells { heading, .. } => heading,
            Column::Reasons { .. } | Column::OfRows => language.choose(REASON.0, REASON.1),
        };
        paper.write_string_with_format(line, place, heading, &bold)?;
        paper.set_column_width(place, WIDTH)?;
    }
    paper.set_freeze_panes(line + 1, 0)?;
    for row in rows {
        line += 1;
        for (place, column) in (0..).zip(&columns) {
            match column {
                Column::Cells { letters, .. } => {
                    let is_wrong = row.detail.remarks.iter().any(|r| is_at(r, letters));
                    if let Some(text) = row.detail.cells.get(*letters) {
                        if is_wrong {
                            paper.write_string_with_format(line, place, text, &marked)?;
                        } else {
                            paper.write_string(line, place, text)?;
                        }
                    }
                }
                Column::Reasons { letters } => {
                    let said = said(row, language, |r| is_at(r, letters));
                    paper.write_string_with_format(line, place, said, &reasons)?;
                }
                Column::OfRows => {
                    let mut all = said(row, language, |r| r.column.is_none());
                    if let Some(double) = &row.detail.double {
                        let names: Vec<&str> = double.of.iter().map(|t| t.name.as_str()).collect();
                        let names = names.join("、");
                        let asked = match language {
                            Language::Chinese => format!("与“{names}”相同或相近，请确认"),
                            Language::English => format!("Like \"{names}\": which is it?"),
                        };
                        all = [all, asked]
                            .into_iter()
                            .filter(|s| !s.is_empty())
                            .collect::<Vec<_>>()
                            .join("；");
                    }
                    let at = match language {
                        Language::Chinese => format!("原第 {} 行：{all}", row.number),
                        Language::English => format!("Row {}: {all}", row.number),
                    };
                    paper.write_string_with_format(line, place, at, &reasons)?;
                }
            }
        }
    }
    Ok(paper)
}

fn is_at(remark: &super::Remark, letters: &str) -> bool {
    remark.column.as_deref() == Some(letters)
}

/// The columns of the file of which any row has something, with the reasons beside those of which something is wrong.
fn columns<'a>(sheet: &'a SheetReport, rows: &[&RowRecord]) -> Vec<Column<'a>> {
    let told: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| row.detail.cells.keys().map(String::as_str))
        .collect();
    let wrong: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| {
            row.detail
                .remarks
                .iter()
                .filter_map(|r| r.column.as_deref())
        })
        .collect();
    let mut columns = Vec::new();
    for column in &sheet.mapping {
        let letters = column.column.as_str();
        if told.contains(letters) || wrong.contains(letters) {
            columns.push(Column::Cells {
                letters,
                heading: &column.heading,
            });
        }
        if wrong.contains(letters) {
            columns.push(Column::Reasons { letters });
        }
    }
    columns.push(Column::OfRows);
    columns
}

fn said(row: &RowRecord, language: Language, which: impl Fn(&super::Remark) -> bool) -> String {
    let said: Vec<&str> = row
        .detail
        .remarks
        .iter()
        .filter(|remark| which(remark))
        .map(|remark| language.choose(&remark.zh, &remark.en))
        .collect();
    said.join("；")
}
