//! Reads what other offices send: workbooks, files of text with a delimiter, and the texts of plans.
//!
//! Pure reading, without async, clock, network or database: bytes in, a [`Document`] out, which can be written as JSON
//! and read back, because a limited child process reads and its parent decides. What the rows do to the library (new,
//! changed, the same) is not known here. Errors carry codes and data; the words for people are the caller's.
//!
//! - [`inspect`] tells what a file is and refuses what is dangerous, by counting and not by trusting.
//! - [`read`] finds the table of each sheet, what its columns are for, and reads its rows; sums are held against them.
//! - [`read_plan`] proposes projects out of the text of a plan, for a person to confirm.
//! - [`value`] reads single amounts, dates and words.

mod coded;
pub mod document;
pub mod field;
pub mod file;
mod grid;
pub mod plan;
pub mod request;
mod table;
pub mod unit;
pub mod value;

pub use document::{Document, Sheet};
pub use file::{Format, Refused, RefusedCode, inspect};
pub use plan::{Proposal, read_plan};
pub use request::{Kind, Request};
pub use unit::Unit;

use file::{MAX_ROWS, MAX_TEXT_ROWS, Opened};

/// The text of a file, in whichever of the usual encodings it is: UTF-8, GB18030 (with GBK and GB2312) or UTF-16.
///
/// # Errors
/// `binary` or `unknown_encoding`.
pub fn text(bytes: &[u8]) -> Result<String, Refused> {
    file::decoded(bytes)
}

/// Reads a file as what its rows are said to be. It is inspected first.
///
/// # Errors
/// Why the file is not read at all; what is wrong with single cells stands in the document.
pub fn read(bytes: &[u8], request: &Request) -> Result<Document, Refused> {
    let opened = file::open(bytes)?;
    let mut left = match opened.format {
        Format::Xlsx => MAX_ROWS,
        Format::Csv => MAX_TEXT_ROWS,
    };
    let mut sheets = Vec::with_capacity(opened.opened.len());
    for sheet in opened.opened {
        sheets.push(match sheet {
            Opened::Cells(grid) => table::read(grid, request, &mut left)?,
            Opened::Unread(name, state) => Sheet::unread(&name, state),
        });
    }
    Ok(Document {
        format: opened.format,
        encoding: opened.encoding,
        sheets,
    })
}
