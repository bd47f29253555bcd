//! The cells of a workbook, streamed out of it one after another; it has been looked through before.

use std::collections::VecDeque;
use std::io::Cursor;

use calamine::{DataRef, Reader, SheetType, SheetVisible, Style, Xlsx, XlsxError};

use super::archive::Scanned;
use super::part::SheetPart;
use super::{MAX_CELLS, Opened, Refused, RefusedCode};
use crate::document::SheetState;
use crate::grid::{Grid, GridRow, Raw};
use crate::value::date::Shown;

/// Takes the cells out of a workbook, sheet by sheet.
pub(super) fn cells(bytes: &[u8], scanned: &Scanned) -> Result<Vec<Opened>, Refused> {
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
    let is_1904 = book.has_1904_epoch();
    let sheets = book.sheets_metadata().to_vec();
    let mut left = MAX_CELLS;
    let mut opened = Vec::with_capacity(sheets.len());
    for sheet in sheets {
        let state = match (sheet.typ, sheet.visible) {
            (SheetType::WorkSheet, SheetVisible::Visible) => None,
            (SheetType::WorkSheet, SheetVisible::Hidden | SheetVisible::VeryHidden) => {
                Some(SheetState::Hidden)
            }
            _ => Some(SheetState::NotCells),
        };
        if let Some(state) = state {
            opened.push(Opened::Unread(sheet.name, state));
            continue;
        }
        let none = SheetPart::default();
        let part = scanned.sheets.get(&sheet.name).unwrap_or(&none);
        let mut grid = Grid {
            name: sheet.name,
            merges: part.merges.clone(),
            has_hidden: part.has_hidden,
            is_1904,
            ..Grid::default()
        };
        fill(&mut book, &mut grid, part, &mut left)?;
        opened.push(Opened::Cells(grid));
    }
    Ok(opened)
}

fn damaged(error: &XlsxError) -> Refused {
    if matches!(error, XlsxError::Password) {
        return RefusedCode::Encrypted.into();
    }
    Refused::with(RefusedCode::Damaged, "reason", &error.to_string())
}

fn fill(
    book: &mut Xlsx<Cursor<&[u8]>>,
    grid: &mut Grid,
    part: &SheetPart,
    left: &mut usize,
) -> Result<(), Refused> {
    let mut reader = book
        .worksheet_cells_reader(&grid.name)
        .map_err(|error| damaged(&error))?;
    let looks: Vec<Look> = reader.styles().iter().map(Look::of).collect();
    let mut errors: VecDeque<&(u32, u16, String)> = part.errors.iter().collect();
    let mut rows: Vec<GridRow> = Vec::new();
    loop {
        let (row, column, raw) = match reader.next_cell_with_style_id() {
            Ok(None) => break,
            Ok(Some((cell, style))) => {
                let (row, column) = cell.get_position();
                let look = looks.get(style).copied().unwrap_or_default();
                let Some(raw) = raw_of(cell.get_value(), look, grid.is_1904) else {
                    continue;
                };
                let column = u16::try_from(column)
                    .map_err(|_| Refused::from(RefusedCode::TooManyColumns))?;
                (row.saturating_add(1), column, raw)
            }
            // An error of a newer spreadsheet; where it stands was found before.
            Err(XlsxError::CellError(_)) => {
                let Some((row, column, text)) = errors.pop_front() else {
                    return Err(RefusedCode::Damaged.into());
                };
                (*row, *column, Raw::Error(text.as_str().into()))
            }
            Err(error) => return Err(damaged(&error)),
        };
        *left = left.checked_sub(1).ok_or(RefusedCode::TooManyCells)?;
        match rows.last_mut().filter(|last| last.number == row) {
            Some(last) => last.cells.push((column, raw)),
            None => rows.push(GridRow {
                number: row,
                cells: vec![(column, raw)],
            }),
        }
    }
    for (row, column) in &part.uncomputed {
        *left = left.checked_sub(1).ok_or(RefusedCode::TooManyCells)?;
        rows.push(GridRow {
            number: *row,
            cells: vec![(*column, Raw::Uncomputed)],
        });
    }
    grid.rows = ordered(rows);
    Ok(())
}

/// Rows and cells may come in any order, and twice: the last one stands.
fn ordered(mut rows: Vec<GridRow>) -> Vec<GridRow> {
    rows.sort_by_key(|row| row.number);
    let mut ordered: Vec<GridRow> = Vec::with_capacity(rows.len());
    for row in rows {
        match ordered.last_mut().filter(|last| last.number == row.number) {
            Some(last) => last.cells.extend(row.cells),
            None => ordered.push(row),
        }
    }
    for row in &mut ordered {
        row.cells.sort_by_key(|(column, _)| *column);
        row.cells.reverse();
        row.cells.dedup_by_key(|(column, _)| *column);
        row.cells.reverse();
    }
    ordered
}

/// What a cell looks like, as far as it matters.
#[derive(Clone, Copy)]
struct Look {
    indent: u8,
    is_share: bool,
    shown: Shown,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            indent: 0,
            is_share: false,
            shown: Shown::Day,
        }
    }
}

impl Look {
    fn of(style: &Style) -> Self {
        let format = style.number_format.as_ref();
        let code = format.map_or("", |format| format.format_code.as_str());
        let tokens = tokens(code);
        // The formats of Chinese spreadsheets that have no code in the file: 2023年5月.
        let is_chinese_month = matches!(
            format.and_then(|format| format.format_id),
            Some(27 | 36 | 50 | 52 | 57)
        );
        let shown = if is_chinese_month && code == "General" {
            Shown::Month
        } else if tokens.contains('y') && !tokens.contains('d') {
            if tokens.contains('m') {
                Shown::Month
            } else {
                Shown::Year
            }
        } else {
            Shown::Day
        };
        Self {
            indent: style
                .alignment
                .as_ref()
                .and_then(|alignment| alignment.indent)
                .unwrap_or(0),
            is_share: tokens.contains('%'),
            shown,
        }
    }
}

/// What a format's code is made of, without what it writes as it stands.
fn tokens(code: &str) -> String {
    let (mut tokens, mut chars) = (String::new(), code.chars());
    while let Some(c) = chars.next() {
        match c {
            '"' => while chars.next().is_some_and(|c| c != '"') {},
            '[' => while chars.next().is_some_and(|c| c != ']') {},
            '\\' | '_' | '*' => {
                chars.next();
            }
            ';' => break,
            c => tokens.push(c.to_ascii_lowercase()),
        }
    }
    tokens
}

/// What stands in a cell; none if nothing does.
fn raw_of(value: &DataRef<'_>, look: Look, is_1904: bool) -> Option<Raw> {
    let text = |text: &str| {
        let raw = Raw::Text {
            text: text.into(),
            indent: look.indent,
        };
        (!raw.is_blank()).then_some(raw)
    };
    match value {
        DataRef::Empty => None,
        DataRef::Int(number) => text(&number.to_string()),
        DataRef::Float(value) => Some(Raw::Number {
            value: *value,
            is_share: look.is_share,
        }),
        DataRef::SharedString(string) => text(string),
        DataRef::Bool(value) => Some(Raw::Bool(*value)),
        DataRef::DateTime(moment) if moment.is_datetime() => Some(Raw::Date {
            serial: moment.as_f64(),
            shown: look.shown,
            is_1904,
        }),
        DataRef::DateTime(moment) => Some(Raw::Number {
            value: moment.as_f64(),
            is_share: false,
        }),
        DataRef::String(string) | DataRef::DateTimeIso(string) | DataRef::DurationIso(string) => {
            text(string)
        }
        DataRef::Error(error) => Some(Raw::Error(error.to_string().into())),
    }
}
