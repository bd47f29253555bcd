//! Files of text with a delimiter, in the encodings that offices use.

use csv::{ReaderBuilder, StringRecord};
use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

use super::{MAX_CELL_TEXT, MAX_CELLS, MAX_COLUMNS, MAX_TEXT_ROWS, Refused, RefusedCode};
use crate::grid::{Grid, GridRow, Raw};

/// How many lines are looked at to find the delimiter.
const LOOKED_AT: usize = 50;

/// A text, and the encoding that it was in.
pub(super) struct Decoded {
    pub(super) text: String,
    pub(super) encoding: String,
}

/// Decodes a text: by its byte order mark, else as UTF-8, else as GB18030, which GBK and GB2312 are part of.
pub(super) fn decoded(bytes: &[u8]) -> Result<Decoded, Refused> {
    let strictly = |encoding: &'static Encoding, bytes: &[u8]| {
        let (text, had_errors) = encoding.decode_without_bom_handling(bytes);
        (!had_errors).then(|| text.into_owned())
    };
    let (encoding, text) = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => (
            encoding,
            strictly(encoding, bytes.get(mark..).unwrap_or_default()),
        ),
        None => match strictly(UTF_8, bytes) {
            Some(text) => (UTF_8, Some(text)),
            None => (GB18030, strictly(GB18030, bytes)),
        },
    };
    let is_wide = encoding == UTF_16LE || encoding == UTF_16BE;
    // Texts have no such bytes, pictures and programs do.
    let is_binary = |text: &str| {
        text.chars()
            .any(|c| matches!(c, '\0'..='\x08' | '\x0E'..='\x1A' | '\x1C'..='\x1F'))
    };
    match text {
        Some(text) if !is_binary(&text) => Ok(Decoded {
            text,
            encoding: encoding.name().to_ascii_lowercase(),
        }),
        None if !is_wide && !bytes.contains(&0) => Err(RefusedCode::UnknownEncoding.into()),
        Some(_) | None => Err(RefusedCode::Binary.into()),
    }
}

/// The delimiter that parts the most lines into the same number of fields.
fn delimiter(text: &str) -> u8 {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(LOOKED_AT)
        .collect();
    let score = |delimiter: char| {
        let mut counts = Vec::new();
        let mut is_quoted = false;
        let mut count = 0;
        for line in &lines {
            for c in line.chars() {
                is_quoted ^= c == '"';
                count += usize::from(c == delimiter && !is_quoted);
            }
            if !is_quoted {
                counts.push(std::mem::take(&mut count));
            }
        }
        let same = |wanted: usize| counts.iter().filter(|count| **count == wanted).count();
        let best = counts
            .iter()
            .copied()
            .filter(|count| *count > 0)
            .map(|count| (same(count), count))
            .max();
        best.unwrap_or((0, 0))
    };
    // In doubt the first of them: a comma.
    let (mut found, mut best) = (b',', score(','));
    for (byte, sign) in [(b'\t', '\t'), (b';', ';')] {
        let other = score(sign);
        if other > best {
            (found, best) = (byte, other);
        }
    }
    found
}

/// Parts a text into cells.
pub(super) fn cells(text: &str) -> Result<Grid, Refused> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let (mut rows, mut record) = (Vec::new(), StringRecord::new());
    let (mut number, mut left) = (0_u32, MAX_CELLS);
    loop {
        let start = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        if !reader
            .read_record(&mut record)
            .map_err(|_| Refused::from(RefusedCode::Damaged))?
        {
            break;
        }
        number = number
            .saturating_add(1)
            .saturating_add(blank_lines(text, start));
        let cells = row(&record, number, &mut left)?;
        if cells.is_empty() {
            continue;
        }
        if rows.len() >= MAX_TEXT_ROWS {
            return Err(Refused::with(RefusedCode::TooManyRows, "row", &number));
        }
        rows.push(GridRow { number, cells });
    }
    Ok(Grid {
        rows,
        is_plain: true,
        ..Grid::default()
    })
}

/// How many empty lines stand where a record begins: the reader leaves them out, a spreadsheet counts them.
fn blank_lines(text: &str, start: usize) -> u32 {
    let bytes = text.as_bytes();
    let mut at = start;
    // The reader stops between the two characters that end a line on Windows.
    let after_return = at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\r');
    if after_return && bytes.get(at) == Some(&b'\n') {
        at += 1;
    }
    let mut blank = 0;
    loop {
        match (bytes.get(at), bytes.get(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => at += 2,
            (Some(b'\r' | b'\n'), _) => at += 1,
            _ => return blank,
        }
        blank += 1;
    }
}

fn row(record: &StringRecord, number: u32, left: &mut usize) -> Result<Vec<(u16, Raw)>, Refused> {
    let mut cells = Vec::new();
    for (place, field) in record.iter().enumerate() {
        let raw = Raw::text_of(unguarded(field));
        if raw.is_blank() {
            continue;
        }
        let column = u16::try_from(place)
            .ok()
            .filter(|column| *column < MAX_COLUMNS);
        let column =
            column.ok_or_else(|| Refused::with(RefusedCode::TooManyColumns, "row", &number))?;
        if field.encode_utf16().count() > MAX_CELL_TEXT {
            return Err(Refused::with(RefusedCode::CellTooLong, "row", &number));
        }
        *left = left.checked_sub(1).ok_or(RefusedCode::TooManyCells)?;
        cells.push((column, raw));
    }
    Ok(cells)
}

/// Takes off the apostrophe with which exports keep a text from being taken for a formula.
fn unguarded(field: &str) -> &str {
    let guarded = field.strip_prefix('\'');
    guarded
        .filter(|text| text.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r']))
        .unwrap_or(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<(u32, Vec<String>)> {
        let grid = cells(text).unwrap();
        let rows = grid.rows.iter();
        rows.map(|row| {
            (
                row.number,
                row.cells
                    .iter()
                    .map(|(_, raw)| raw.shown().into_owned())
                    .collect(),
            )
        })
        .collect()
    }

    #[test]
    fn texts_are_decoded_by_looking() {
        let text = "项目名称,总投资\n某港,1";
        let (gbk, _, _) = encoding_rs::GBK.encode(text);
        let wide: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain(text.encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let marked: Vec<u8> = [0xEF, 0xBB, 0xBF].into_iter().chain(text.bytes()).collect();
        for (bytes, encoding) in [
            (text.as_bytes(), "utf-8"),
            (&marked, "utf-8"),
            (&gbk, "gb18030"),
            (&wide, "utf-16le"),
        ] {
            let decoded = decoded(bytes).unwrap();
            assert_eq!(
                (decoded.text.as_str(), decoded.encoding.as_str()),
                (text, encoding)
            );
        }
        let code = |bytes: &[u8]| decoded(bytes).err().unwrap().code;
        assert_eq!(code(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), RefusedCode::Binary);
        assert_eq!(code(b"caf\xe9"), RefusedCode::UnknownEncoding);
    }

    #[test]
    fn the_delimiter_is_found_by_looking() {
        for (text, byte) in [
            ("a,b,c\n1,2,3", b','),
            ("a;b;c\n1,5;2;3", b';'),
            ("a\tb\n1,5\t2,5", b'\t'),
            ("\"a;b;c\",d\n1,2", b','),
            ("项目\n某港", b','),
        ] {
            assert_eq!(delimiter(text), byte, "{text}");
        }
    }

    #[test]
    fn rows_are_counted_as_a_spreadsheet_counts_them() {
        let row = |number, cells: &[&str]| {
            (
                number,
                cells
                    .iter()
                    .map(|&cell| cell.to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        let wanted = [
            row(1, &["a", "b"]),
            row(4, &["1\n2", "x"]),
            row(5, &["3"]),
            row(7, &["4"]),
        ];
        assert_eq!(shown("a,b\n\n\n\"1\n2\",x\n3\n,\n4"), wanted);
        assert_eq!(
            shown("a,b\r\n\r\n\r\n\"1\n2\",x\r\n3\r\n,\r\n4\r\n"),
            wanted
        );
    }

    #[test]
    fn the_guard_of_an_export_is_taken_off() {
        assert_eq!(
            shown("'=1+1,'某港"),
            [(1, vec!["=1+1".to_owned(), "'某港".to_owned()])]
        );
    }
}
