//! Files: what they are, what is refused of them, and their cells.

mod archive;
mod part;
mod text;
mod workbook;

use serde::{Deserialize, Serialize};

use crate::coded::coded;
use crate::document::Data;
use crate::grid::Grid;

/// The largest file that is read, in bytes.
pub const MAX_FILE: usize = 20 * 1024 * 1024;
/// The most entries of an archive.
pub const MAX_ENTRIES: usize = 200;
/// The most bytes that an archive may unpack to, all entries together.
pub const MAX_UNPACKED: u64 = 100 * 1024 * 1024;
/// How many times as large as its packed form an entry may be.
pub const MAX_RATIO: u64 = 100;
/// The most rows of a workbook's tables.
pub const MAX_ROWS: usize = 50_000;
/// The last row of a sheet that may have a cell: titles, notes, sums and blank rows stand between the table's rows.
pub const MAX_ROW_NUMBER: u32 = 60_000;
/// The most rows of a file of text.
pub const MAX_TEXT_ROWS: usize = 200_000;
/// The most columns.
pub const MAX_COLUMNS: u16 = 300;
/// The most cells that are not empty, all sheets together.
pub const MAX_CELLS: usize = 1_500_000;
/// The longest text of a cell, in UTF-16 units.
pub const MAX_CELL_TEXT: usize = 32_767;
/// The most texts that the cells of a workbook share.
pub const MAX_STRINGS: u64 = 2_000_000;
/// The most merged regions of a sheet.
pub const MAX_MERGES: usize = 20_000;
/// The most sheets of a workbook.
pub const MAX_SHEETS: usize = 100;

coded! {
    /// What kind of file it is.
    pub enum Format {
        /// A workbook of Office Open XML.
        Xlsx => "xlsx",
        /// A text with a delimiter.
        Csv => "csv",
    }
}

coded! {
    /// Why a file is refused as a whole.
    pub enum RefusedCode {
        /// It has no bytes.
        EmptyFile => "empty_file",
        /// It is larger than [`MAX_FILE`].
        FileTooLarge => "file_too_large",
        /// It is encrypted.
        Encrypted => "encrypted",
        /// A workbook of before 2007 (`.xls`).
        Xls => "xls",
        /// A binary workbook (`.xlsb`).
        Xlsb => "xlsb",
        /// A spreadsheet of Open Document (`.ods`).
        Ods => "ods",
        /// A page of HTML or a workbook of 2003 in one XML, which programs like to call `.xls`.
        Markup => "markup",
        /// A workbook with macros (`.xlsm`).
        Macros => "macros",
        /// An archive that is no workbook: a document, or any other.
        NotAWorkbook => "not_a_workbook",
        /// A file of another kind: a picture, a PDF.
        Binary => "binary",
        /// It ends too early.
        Truncated => "truncated",
        /// It can't be unpacked or read.
        Damaged => "damaged",
        /// Its text has characters of no encoding that is known.
        UnknownEncoding => "unknown_encoding",
        /// More than [`MAX_ENTRIES`] entries.
        TooManyEntries => "too_many_entries",
        /// More than [`MAX_UNPACKED`] bytes.
        UnpackedTooLarge => "unpacked_too_large",
        /// An entry is more than [`MAX_RATIO`] times as large as its packed form.
        RatioTooLarge => "ratio_too_large",
        /// Entries lead out of the archive.
        PathTrick => "path_trick",
        /// Two entries have one name.
        DuplicateEntry => "duplicate_entry",
        /// A part declares a document type.
        Doctype => "doctype",
        /// A number of shared texts that no file has.
        StringsAbsurd => "strings_absurd",
        /// The extent of a sheet is none.
        DimensionAbsurd => "dimension_absurd",
        /// A cell stands where no spreadsheet has one.
        CellOutOfBounds => "cell_out_of_bounds",
        /// More than [`MAX_ROWS`] or [`MAX_TEXT_ROWS`] rows, or one below [`MAX_ROW_NUMBER`].
        TooManyRows => "too_many_rows",
        /// More than [`MAX_COLUMNS`] columns.
        TooManyColumns => "too_many_columns",
        /// More than [`MAX_CELLS`] cells.
        TooManyCells => "too_many_cells",
        /// A text longer than [`MAX_CELL_TEXT`].
        CellTooLong => "cell_too_long",
        /// More than [`MAX_MERGES`] merged regions.
        TooManyMerges => "too_many_merges",
        /// More than [`MAX_SHEETS`] sheets.
        TooManySheets => "too_many_sheets",
    }
}

/// A file is not read at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("the file is refused: {code}")]
pub struct Refused {
    /// Why.
    pub code: RefusedCode,
    /// What was found, and where.
    #[serde(default)]
    pub data: Data,
}

impl Refused {
    pub(crate) fn with(code: RefusedCode, key: &str, value: &(impl ToString + ?Sized)) -> Self {
        let mut refused = Self::from(code);
        refused.data.insert(key.to_owned(), value.to_string());
        refused
    }
}

impl From<RefusedCode> for Refused {
    fn from(code: RefusedCode) -> Self {
        Self {
            code,
            data: Data::new(),
        }
    }
}

/// What a file is by its bytes, not by its name; every limit of archives is held to by counting.
///
/// # Errors
/// Why it is not read.
pub fn inspect(bytes: &[u8]) -> Result<Format, Refused> {
    match sniff(bytes)? {
        Format::Xlsx => archive::scan(bytes).map(|_| Format::Xlsx),
        Format::Csv => text::decoded(bytes).map(|_| Format::Csv),
    }
}

/// The text of a file that is one.
pub(crate) fn decoded(bytes: &[u8]) -> Result<String, Refused> {
    text::decoded(bytes).map(|decoded| decoded.text)
}

/// The sheets of a file; of those that are hidden or no sheets of cells, the name and what they are.
pub(crate) struct Sheets {
    pub(crate) format: Format,
    pub(crate) encoding: Option<String>,
    pub(crate) opened: Vec<Opened>,
}

/// A sheet that was opened, or why it was not.
pub(crate) enum Opened {
    Cells(Grid),
    Unread(String, crate::document::SheetState),
}

/// Inspects a file and takes out its cells.
pub(crate) fn open(bytes: &[u8]) -> Result<Sheets, Refused> {
    let format = sniff(bytes)?;
    let (encoding, sheets) = match format {
        Format::Xlsx => (None, workbook::cells(bytes, &archive::scan(bytes)?)?),
        Format::Csv => {
            let decoded = text::decoded(bytes)?;
            let grid = text::cells(&decoded.text)?;
            (Some(decoded.encoding), vec![Opened::Cells(grid)])
        }
    };
    Ok(Sheets {
        format,
        encoding,
        opened: sheets,
    })
}

/// What a file begins like.
fn sniff(bytes: &[u8]) -> Result<Format, Refused> {
    const ZIP: &[u8] = b"PK\x03\x04";
    const COMPOUND: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
    if bytes.is_empty() {
        return Err(RefusedCode::EmptyFile.into());
    }
    if bytes.len() > MAX_FILE {
        return Err(Refused::with(
            RefusedCode::FileTooLarge,
            "bytes",
            &bytes.len(),
        ));
    }
    if bytes.starts_with(ZIP) {
        return Ok(Format::Xlsx);
    }
    if bytes.starts_with(b"PK\x05\x06") {
        return Err(RefusedCode::NotAWorkbook.into());
    }
    if bytes.starts_with(COMPOUND) {
        // What is encrypted in a compound file has a stream of this name, in UTF-16.
        let is_encrypted =
            contains_wide(bytes, "EncryptedPackage") || contains_wide(bytes, "EncryptionInfo");
        let code = if is_encrypted {
            RefusedCode::Encrypted
        } else {
            RefusedCode::Xls
        };
        return Err(code.into());
    }
    // The first record of a workbook without a compound file around it (BIFF 2 to 5).
    if [[0x09, 0x00], [0x09, 0x02], [0x09, 0x04], [0x09, 0x08]]
        .iter()
        .any(|begin| bytes.starts_with(begin))
    {
        return Err(RefusedCode::Xls.into());
    }
    let head = bytes.get(..bytes.len().min(1024)).unwrap_or_default();
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let head = head.trim_start_matches('\u{FEFF}').trim_start();
    if [
        "<html",
        "<!doctype",
        "<?xml",
        "<table",
        "<meta",
        "mime-version:",
    ]
    .iter()
    .any(|tag| head.starts_with(tag))
    {
        return Err(RefusedCode::Markup.into());
    }
    Ok(Format::Csv)
}

fn contains_wide(bytes: &[u8], text: &str) -> bool {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.windows(wide.len()).any(|window| window == wide)
}
