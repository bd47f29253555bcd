//! One XML part of a workbook, looked through for what it declares and where its cells stand.

use std::cell::Cell;
use std::io::BufRead;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{
    MAX_CELL_TEXT, MAX_CELLS, MAX_COLUMNS, MAX_MERGES, MAX_ROW_NUMBER, MAX_STRINGS, MAX_UNPACKED,
    Refused, RefusedCode,
};
use crate::grid::{Merge, column_of};

/// The deepest nesting of elements.
const MAX_DEPTH: usize = 64;
/// The longest start of an element, in bytes.
const MAX_TAG: usize = 64 * 1024;

/// What was found in a part; most parts have little of it.
#[derive(Default)]
pub(super) struct Part {
    pub(super) content_types: Vec<String>,
    pub(super) relations: Vec<Relation>,
    /// The sheets that a workbook names, with the ids of their relations.
    pub(super) sheets: Vec<(String, String)>,
    pub(super) cells: SheetPart,
}

/// A relation between parts.
pub(super) struct Relation {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) target: String,
}

/// What was found in a sheet beside its values.
#[derive(Default)]
pub(super) struct SheetPart {
    pub(super) merges: Vec<Merge>,
    pub(super) has_hidden: bool,
    /// Cells with errors of newer spreadsheets (row from 1, column from 0), in order.
    pub(super) errors: Vec<(u32, u16, String)>,
    /// Cells with a formula of which no result was kept.
    pub(super) uncomputed: Vec<(u32, u16)>,
}

/// Where the reading stands.
#[derive(Default)]
struct Place {
    depth: usize,
    /// Whether cells have begun. Where they end the reader of values may see otherwise, in a part that is not nested as it
    /// should be, so all that follows is looked through as they are.
    in_cells: bool,
    /// The row, from 1, and the next column, from 0.
    row: u32,
    column: u32,
    cell: Option<Open>,
    in_text: bool,
    text: usize,
    error: String,
    values: usize,
    strings: u64,
}

/// The cell that is open.
#[derive(Clone, Copy)]
struct Open {
    column: u32,
    is_error: bool,
    has_formula: bool,
    has_value: bool,
}

/// Looks through a part.
pub(super) fn read(input: &mut impl BufRead, count: &Cell<u64>) -> Result<Part, Refused> {
    let mut reader = Reader::from_reader(input);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let (mut part, mut place, mut buffer) = (Part::default(), Place::default(), Vec::new());
    loop {
        buffer.clear();
        let event = reader
            .read_event_into(&mut buffer)
            .map_err(|_| damaged(count))?;
        match event {
            Event::DocType(_) => return Err(RefusedCode::Doctype.into()),
            Event::Start(start) => {
                place.depth += 1;
                if place.depth > MAX_DEPTH {
                    return Err(RefusedCode::Damaged.into());
                }
                opened(&mut part, &mut place, &start)?;
            }
            Event::Empty(start) => {
                opened(&mut part, &mut place, &start)?;
                closed(&mut part, &mut place, start.local_name().as_ref())?;
            }
            Event::End(end) => {
                place.depth = place.depth.saturating_sub(1);
                closed(&mut part, &mut place, end.local_name().as_ref())?;
            }
            Event::Text(text) => told(&mut place, &text)?,
            Event::CData(text) => told(&mut place, &text)?,
            Event::GeneralRef(_) => told(&mut place, "&")?,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return Ok(part),
        }
    }
}

fn damaged(count: &Cell<u64>) -> Refused {
    if count.get() > MAX_UNPACKED {
        RefusedCode::UnpackedTooLarge.into()
    } else {
        RefusedCode::Damaged.into()
    }
}

/// The value of an attribute by its local name.
fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, Refused> {
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| Refused::from(RefusedCode::Damaged))?;
        if attribute.key.local_name().as_ref() == name {
            let value = quick_xml::escape::unescape(&attribute.value);
            return Ok(Some(value.map_or_else(
                |_| attribute.value.to_string(),
                std::borrow::Cow::into_owned,
            )));
        }
    }
    Ok(None)
}

fn opened(part: &mut Part, place: &mut Place, start: &BytesStart<'_>) -> Result<(), Refused> {
    if start.len() > MAX_TAG {
        return Err(RefusedCode::Damaged.into());
    }
    match start.local_name().as_ref() {
        "c" if place.in_cells => cell(place, start)?,
        "f" => {
            if let Some(cell) = &mut place.cell {
                cell.has_formula = true;
            }
        }
        "v" | "t" => {
            place.in_text = true;
            if let Some(cell) = &mut place.cell {
                cell.has_value = true;
                place.values += 1;
            }
        }
        "row" if place.in_cells => row(part, place, start)?,
        "sheetData" => place.in_cells = true,
        "si" => {
            place.text = 0;
            place.strings += 1;
        }
        "sst" => shared(start)?,
        "dimension" => {
            if let Some(extent) = attribute(start, "ref")? {
                let refused = || Refused::with(RefusedCode::DimensionAbsurd, "extent", &extent);
                extent_of(&extent).ok_or_else(refused)?;
            }
        }
        "mergeCell" => merge(part, start)?,
        "col" if is_true(attribute(start, "hidden")?.as_deref()) => part.cells.has_hidden = true,
        "Relationship" => relation(part, start)?,
        "Default" | "Override" => part.content_types.extend(attribute(start, "ContentType")?),
        "sheet" => {
            let (name, id) = (attribute(start, "name")?, attribute(start, "id")?);
            part.sheets.extend(name.zip(id));
        }
        _ => {}
    }
    if place.strings > MAX_STRINGS {
        return Err(Refused::with(
            RefusedCode::StringsAbsurd,
            "found",
            &place.strings,
        ));
    }
    Ok(())
}

fn closed(part: &mut Part, place: &mut Place, name: &str) -> Result<(), Refused> {
    match name {
        "c" if place.in_cells => end_cell(part, place)?,
        "v" | "t" => {
            place.in_text = false;
            check_cell(place)?;
        }
        _ => {}
    }
    Ok(())
}

/// Keeps what the reader of values can't tell of a cell.
fn end_cell(part: &mut Part, place: &mut Place) -> Result<(), Refused> {
    let Some(cell) = place.cell else {
        return Ok(());
    };
    let column = u16::try_from(cell.column);
    if let Ok(column) = column
        && cell.is_error
        && !is_known_error(&place.error)
    {
        let error = std::mem::take(&mut place.error);
        part.cells.errors.push((place.row, column, error));
    }
    if let Ok(column) = column
        && cell.has_formula
        && !cell.has_value
    {
        check_cell(place)?;
        part.cells.uncomputed.push((place.row, column));
    }
    place.cell = None;
    Ok(())
}

/// Counts a piece of text.
fn told(place: &mut Place, text: &str) -> Result<(), Refused> {
    if !place.in_text {
        return Ok(());
    }
    place.text += text.encode_utf16().count();
    if place.cell.is_some_and(|cell| cell.is_error) {
        place.error.push_str(text);
    }
    if place.text > MAX_CELL_TEXT {
        return Err(Refused::with(RefusedCode::CellTooLong, "row", &place.row));
    }
    Ok(())
}

fn cell(place: &mut Place, start: &BytesStart<'_>) -> Result<(), Refused> {
    let (mut column, mut is_error) = (place.column, false);
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| Refused::from(RefusedCode::Damaged))?;
        match attribute.key.as_ref() {
            "r" => {
                let name = &attribute.value;
                let refused = || Refused::with(RefusedCode::CellOutOfBounds, "cell", name);
                (place.row, column) = cell_of(name).ok_or_else(refused)?;
            }
            "t" => is_error = attribute.value == "e",
            _ => {}
        }
    }
    place.column = column + 1;
    place.cell = Some(Open {
        column,
        is_error,
        has_formula: false,
        has_value: false,
    });
    place.error.clear();
    place.text = 0;
    Ok(())
}

/// A cell with a value stands within the limits.
fn check_cell(place: &Place) -> Result<(), Refused> {
    let Some(cell) = place.cell else {
        return Ok(());
    };
    if cell.column >= u32::from(MAX_COLUMNS) {
        return Err(Refused::with(
            RefusedCode::TooManyColumns,
            "row",
            &place.row,
        ));
    }
    if place.row > MAX_ROW_NUMBER {
        return Err(Refused::with(RefusedCode::TooManyRows, "row", &place.row));
    }
    if place.values > MAX_CELLS {
        return Err(RefusedCode::TooManyCells.into());
    }
    Ok(())
}

fn row(part: &mut Part, place: &mut Place, start: &BytesStart<'_>) -> Result<(), Refused> {
    let number = match attribute(start, "r")? {
        Some(number) => {
            let refused = || Refused::with(RefusedCode::CellOutOfBounds, "row", &number);
            row_of(&number).ok_or_else(refused)?
        }
        None => place.row.saturating_add(1),
    };
    place.row = number;
    place.column = 0;
    part.cells.has_hidden |= is_true(attribute(start, "hidden")?.as_deref());
    Ok(())
}

/// What a table of shared texts declares; a reader makes room for as many.
fn shared(start: &BytesStart<'_>) -> Result<(), Refused> {
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| Refused::from(RefusedCode::Damaged))?;
        let name = attribute.key.local_name();
        let is_count = name.as_ref().to_ascii_lowercase().ends_with("count");
        if is_count
            && attribute
                .value
                .parse::<u64>()
                .is_ok_and(|count| count > MAX_STRINGS)
        {
            return Err(Refused::with(
                RefusedCode::StringsAbsurd,
                "declared",
                &attribute.value,
            ));
        }
    }
    Ok(())
}

fn merge(part: &mut Part, start: &BytesStart<'_>) -> Result<(), Refused> {
    let Some(name) = attribute(start, "ref")? else {
        return Ok(());
    };
    let refused = || Refused::with(RefusedCode::CellOutOfBounds, "cell", &name);
    let ((first_row, first), (last_row, last)) = extent_of(&name).ok_or_else(refused)?;
    let columns = u16::try_from(first).ok().zip(u16::try_from(last).ok());
    let (first_column, last_column) = columns.ok_or_else(refused)?;
    if part.cells.merges.len() >= MAX_MERGES {
        return Err(RefusedCode::TooManyMerges.into());
    }
    part.cells.merges.push(Merge {
        first_row,
        last_row,
        first_column,
        last_column,
    });
    Ok(())
}

/// The parts that are read are XML by their names too, or they would not have been looked through.
fn relation(part: &mut Part, start: &BytesStart<'_>) -> Result<(), Refused> {
    let (id, kind, target) = (
        attribute(start, "Id")?,
        attribute(start, "Type")?,
        attribute(start, "Target")?,
    );
    let (Some(id), Some(kind), Some(target)) = (id, kind, target) else {
        return Ok(());
    };
    let is_read = kind.ends_with("/worksheet") || kind.ends_with("/officeDocument");
    if is_read && !target.to_ascii_lowercase().ends_with(".xml") {
        let is_binary = target.to_ascii_lowercase().ends_with(".bin");
        return Err(if is_binary {
            RefusedCode::Xlsb
        } else {
            RefusedCode::Damaged
        }
        .into());
    }
    part.relations.push(Relation { id, kind, target });
    Ok(())
}

fn is_true(value: Option<&str>) -> bool {
    matches!(value, Some("1" | "true"))
}

/// The errors that every spreadsheet knows.
fn is_known_error(text: &str) -> bool {
    matches!(
        text,
        "#DIV/0!" | "#N/A" | "#NAME?" | "#NULL!" | "#NUM!" | "#REF!" | "#VALUE!"
    )
}

fn row_of(digits: &str) -> Option<u32> {
    let is_number =
        (1..=7).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let row = is_number.then(|| digits.parse::<u32>().ok())??;
    (1..=1_048_576).contains(&row).then_some(row)
}

/// The row, from 1, and the column, from 0, of `B12`.
fn cell_of(name: &str) -> Option<(u32, u32)> {
    let digits = name.find(|c: char| !c.is_ascii_alphabetic())?;
    let (letters, digits) = name.split_at(digits);
    Some((row_of(digits)?, column_of(letters)?))
}

/// The first and the last cell of `A1:C5`, or of one cell.
fn extent_of(name: &str) -> Option<((u32, u32), (u32, u32))> {
    let (first, last) = name.split_once(':').unwrap_or((name, name));
    let (first, last) = (cell_of(first)?, cell_of(last)?);
    (first.0 <= last.0 && first.1 <= last.1).then_some((first, last))
}
