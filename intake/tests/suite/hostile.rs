//! Files that were made to do harm, or that are not what they are called: each is refused with a code of its own.

use std::io::{Cursor, Write};

use intake::{Format, Kind, Refused, RefusedCode, Request, inspect, read};
use rust_xlsxwriter::Workbook;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
const ROOT: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const BOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="一" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const LINKS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;

/// The parts of a workbook, of which a test replaces or adds some.
pub(crate) fn parts(sheet: &str) -> Vec<(String, Vec<u8>)> {
    let sheet = format!(
        r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{sheet}</worksheet>"#
    );
    [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", ROOT),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", LINKS),
        ("xl/worksheets/sheet1.xml", &sheet),
    ]
    .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))
    .to_vec()
}

pub(crate) fn packed(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in parts {
        zip.start_file(name.as_str(), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn with(name: &str, bytes: impl Into<Vec<u8>>) -> Vec<u8> {
    let mut parts = parts("<sheetData/>");
    parts.retain(|(other, _)| other != name);
    parts.push((name.to_owned(), bytes.into()));
    packed(&parts)
}

fn code(bytes: &[u8]) -> RefusedCode {
    let inspected = inspect(bytes);
    let refused: Refused = inspected.clone().expect_err("it has to be refused");
    // Reading refuses it for the same reason.
    assert_eq!(
        read(bytes, &Request::of(Kind::Projects)).err(),
        Some(refused.clone())
    );
    refused.code
}

#[test]
fn the_workbook_that_the_others_are_made_of_is_fine() {
    let sheet = r#"<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>项目名称</t></is></c><c r="B1" t="inlineStr"><is><t>总投资（亿元）</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>某港</t></is></c><c r="B2"><v>1.5</v></c></row></sheetData>"#;
    let bytes = packed(&parts(sheet));
    assert_eq!(inspect(&bytes), Ok(Format::Xlsx));
    let document = read(&bytes, &Request::of(Kind::Projects)).unwrap();
    assert_eq!(document.sheets[0].rows.len(), 1);
}

#[test]
fn files_that_are_no_workbooks_are_called_what_they_are() {
    let compound = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
    let wide = |text: &str| {
        text.encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    let inside = |stream: &str| [compound.as_slice(), &[0; 504], &wide(stream), &[0; 512]].concat();
    for (bytes, wanted) in [
        (Vec::new(), RefusedCode::EmptyFile),
        (inside("EncryptedPackage"), RefusedCode::Encrypted),
        (inside("Workbook"), RefusedCode::Xls),
        (compound.to_vec(), RefusedCode::Xls),
        (
            b"\x09\x08\x10\x00\x00\x06\x05\x00".to_vec(),
            RefusedCode::Xls,
        ),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01".to_vec(),
            RefusedCode::Binary,
        ),
        (
            b"\xFF\xD8\xFF\xE0\0\x10JFIF\0".to_vec(),
            RefusedCode::Binary,
        ),
        (
            b"<html><table><tr><td>1</td></tr></table></html>".to_vec(),
            RefusedCode::Markup,
        ),
        (
            b"<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>".to_vec(),
            RefusedCode::Markup,
        ),
        (
            b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec(),
            RefusedCode::NotAWorkbook,
        ),
        (
            vec![b'a'; intake::file::MAX_FILE + 1],
            RefusedCode::FileTooLarge,
        ),
        (
            with("[Content_Types].xml", "<Types/>"),
            RefusedCode::NotAWorkbook,
        ),
        (with("xl/vbaProject.bin", "x"), RefusedCode::Macros),
        (
            with(
                "[Content_Types].xml",
                TYPES.replace(
                    "spreadsheetml.sheet.main",
                    "ms-excel.sheet.macroEnabled.main",
                ),
            ),
            RefusedCode::Macros,
        ),
        (with("xl/workbook.bin", "x"), RefusedCode::Xlsb),
    ] {
        assert_eq!(code(&bytes), wanted, "{:?}", bytes.get(..24));
    }
}

#[test]
fn a_file_that_was_cut_off_is_told_as_such() {
    let whole = packed(&parts("<sheetData/>"));
    for length in [4, 30, whole.len() / 2, whole.len() - 1] {
        assert_eq!(code(&whole[..length]), RefusedCode::Truncated, "{length}");
    }
}

#[test]
fn nothing_unpacks_to_more_than_is_allowed() {
    let zeros = vec![b' '; 8 * 1024 * 1024];
    assert_eq!(
        code(&with("xl/media/image1.png", zeros.clone())),
        RefusedCode::RatioTooLarge
    );
    assert_eq!(
        code(&with("xl/styles.xml", zeros)),
        RefusedCode::RatioTooLarge
    );
    // Many small ones, each of which would do no harm.
    let block = vec![b' '; 1024 * 1024];
    let mut many = parts("<sheetData/>");
    let entry = |number: u32| (format!("xl/media/{number}.bin"), block.clone());
    many.extend((0..90).map(entry));
    assert_eq!(code(&packed(&many)), RefusedCode::RatioTooLarge);
    // And together with what does not pack, so that the ratio is fine.
    let mut seed = 1_u32;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        seed.to_be_bytes()[0]
    });
    many.extend((90..110).map(entry));
    many.insert(
        0,
        (
            "xl/media/noise.bin".to_owned(),
            noise.take(1_500_000).collect(),
        ),
    );
    assert_eq!(code(&packed(&many)), RefusedCode::UnpackedTooLarge);
}

#[test]
fn archives_of_many_entries_are_not_even_listed() {
    let mut many = parts("<sheetData/>");
    many.extend((0..200).map(|number| (format!("xl/media/{number}.bin"), Vec::new())));
    assert_eq!(code(&packed(&many)), RefusedCode::TooManyEntries);
    // As many names as fit into a file: the directory alone, pointing at one entry.
    let local = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0a";
    let mut bytes = local.to_vec();
    let entries = 400_000_u32;
    for number in 0..entries {
        bytes.extend(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(b"PK\x05\x06\0\0\0\0\xff\xff\xff\xff");
    bytes.extend((entries * 50).to_le_bytes());
    bytes.extend(31_u32.to_le_bytes());
    bytes.extend([0, 0]);
    assert_eq!(
        code(&bytes[..bytes.len().min(intake::file::MAX_FILE)]),
        RefusedCode::TooManyEntries
    );
}

#[test]
fn parts_that_declare_a_document_type_are_refused() {
    let laughs = "<!DOCTYPE lolz [<!ENTITY lol \"lol\">]>";
    let sheet = format!("<?xml version=\"1.0\"?>{laughs}<worksheet><sheetData/></worksheet>");
    assert_eq!(
        code(&with("xl/worksheets/sheet1.xml", sheet.clone())),
        RefusedCode::Doctype
    );
    assert_eq!(
        code(&with("docProps/core.xml", sheet.clone())),
        RefusedCode::Doctype
    );
    assert_eq!(
        code(&with("xl/sharedStrings.xml", sheet)),
        RefusedCode::Doctype
    );
}

#[test]
fn what_a_workbook_declares_of_itself_is_not_believed() {
    let strings = |count: &str| {
        with(
            "xl/sharedStrings.xml",
            format!("<sst {count}><si><t>a</t></si></sst>"),
        )
    };
    assert_eq!(
        code(&strings("count=\"1\" uniqueCount=\"40000000000\"")),
        RefusedCode::StringsAbsurd
    );
    assert_eq!(
        code(&strings("uniqueCount=\"40000000\"")),
        RefusedCode::StringsAbsurd
    );
    assert_eq!(
        code(&strings("count=\"99999999999\" uniqueCount=\"1\"")),
        RefusedCode::StringsAbsurd
    );
    let sheet = |inner: &str| packed(&parts(inner));
    let far = r#"<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>"#;
    assert_eq!(code(&sheet(far)), RefusedCode::TooManyColumns);
    let low = r#"<sheetData><row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>"#;
    assert_eq!(code(&sheet(low)), RefusedCode::TooManyRows);
    for name in [
        "XFE1",
        "A1048577",
        "A0",
        "1",
        "A",
        "AAAA1",
        "A99999999999999999999",
        "",
        "A1A",
    ] {
        let cell = format!(r#"<sheetData><row r="1"><c r="{name}"><v>1</v></c></row></sheetData>"#);
        assert_eq!(code(&sheet(&cell)), RefusedCode::CellOutOfBounds, "{name}");
    }
    assert_eq!(
        code(&sheet(r#"<sheetData><row r="0"/></sheetData>"#)),
        RefusedCode::CellOutOfBounds
    );
    // The reader of values goes on where the cells seem to have ended within one.
    for end in ["</sheetData>", "<sheetData></sheetData>"] {
        let rows = format!(
            r#"<sheetData><row r="1"><c r="A1"><v>1</v>{end}</c></row><row r="99999999999"><c r="A2"><v>1</v></c></row></sheetData>"#
        );
        assert_eq!(code(&sheet(&rows)), RefusedCode::CellOutOfBounds, "{end}");
    }
    for extent in ["C3:A1", "A1:XFE1", "A1:B2:C3", "A1:A9999999999", "x"] {
        assert_eq!(
            code(&sheet(&format!(
                r#"<dimension ref="{extent}"/><sheetData/>"#
            ))),
            RefusedCode::DimensionAbsurd,
            "{extent}"
        );
    }
    assert_eq!(
        code(&sheet(
            r#"<sheetData/><mergeCells><mergeCell ref="C3:A1"/></mergeCells>"#
        )),
        RefusedCode::CellOutOfBounds
    );
    let long = format!(
        r#"<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>{}</t></is></c></row></sheetData>"#,
        "港a".repeat(20_000)
    );
    assert_eq!(code(&sheet(&long)), RefusedCode::CellTooLong);
    let deep = format!("{}{}", "<a>".repeat(100), "</a>".repeat(100));
    assert_eq!(code(&sheet(&deep)), RefusedCode::Damaged);
}

#[test]
fn formatted_cells_without_values_may_reach_to_the_end_of_a_sheet() {
    let sheet = r#"<dimension ref="A1:XFD1048576"/><sheetData><row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>"#;
    assert_eq!(inspect(&packed(&parts(sheet))), Ok(Format::Xlsx));
}

#[test]
fn entries_stay_where_they_are_and_have_one_name_each() {
    for name in [
        "../evil.xml",
        "xl/../../evil.xml",
        "/etc/passwd",
        "C:/evil.xml",
        "xl\\..\\..\\evil.xml",
    ] {
        assert_eq!(code(&with(name, "<a/>")), RefusedCode::PathTrick, "{name}");
    }
    assert_eq!(
        code(&with("XL/Workbook.xml", "<a/>")),
        RefusedCode::DuplicateEntry
    );
}

#[test]
fn a_part_that_is_read_is_looked_through_first() {
    let elsewhere = LINKS.replace("worksheets/sheet1.xml", "media/image1.png");
    assert_eq!(
        code(&with("xl/_rels/workbook.xml.rels", elsewhere)),
        RefusedCode::Damaged
    );
}

/// A workbook of a heading and so many rows.
fn of_rows(rows: u32) -> Vec<u8> {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write_string(0, 0, "项目名称").unwrap();
    sheet.write_string(0, 1, "总投资（万元）").unwrap();
    for row in 1..=rows {
        sheet
            .write_string(row, 0, format!("第{row}号泊位工程"))
            .unwrap();
        sheet.write_number(row, 1, row).unwrap();
    }
    workbook.save_to_buffer().unwrap()
}

#[test]
fn fifty_thousand_rows_are_read_and_one_more_is_refused() {
    let request = Request::of(Kind::Projects);
    let document = read(&of_rows(50_000), &request).unwrap();
    let rows = &document.sheets[0].rows;
    assert_eq!(rows.len(), 50_000);
    assert!(
        rows.iter()
            .all(|row| row.faults.is_empty() && row.fields.len() == 2)
    );
    let refused = read(&of_rows(50_001), &request).unwrap_err();
    assert_eq!(refused.code, RefusedCode::TooManyRows);
    assert_eq!(refused.data["row"], "50002");
}
