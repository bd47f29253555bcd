//! Workbooks: some to begin with, and damage that leaves them archives, or the reader would never get to see the rest.

use std::io::{Cursor, Read, Write};

use rust_xlsxwriter::{Format, Formula, Workbook, XlsxError};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// A part of a workbook: its name in the archive, and what is in it.
type Part = (String, Vec<u8>);

/// What attributes are set to: counts and places that no workbook has, and words that mean something.
const VALUES: &[&str] = &[
    "",
    "0",
    "-1",
    "1",
    "7",
    "65535",
    "4294967295",
    "40000000000",
    "18446744073709551615",
    "1e308",
    "NaN",
    "true",
    "A1",
    "B2",
    "XFD1048576",
    "AAAA1",
    "A1:B2",
    "B2:A1",
    "A1:XFD1048576",
    "s",
    "e",
    "d",
    "b",
    "str",
    "inlineStr",
    "shared",
    "array",
    "hidden",
    "veryHidden",
    "rId1",
    "rId2",
    "../x.xml",
    "/xl/workbook.xml",
    "worksheets/sheet1.xml",
    "sharedStrings.xml",
    "yyyy&quot;年&quot;m&quot;月&quot;",
    "0.00%",
    "&#0;",
    "&x;",
];
/// What is put between elements.
const ELEMENTS: &[&str] = &[
    "<c/>",
    "<c r=\"A1\"><v>1</v></c>",
    "<c t=\"s\"><v>0</v></c>",
    "<c t=\"s\"><v>99</v></c>",
    "<c t=\"e\"><v>#SPILL!</v></c>",
    "<c t=\"inlineStr\"><is><t>合计</t></is></c>",
    "<c><f>A1</f></c>",
    "<c t=\"d\"><v>2025-02-30T25:00:00</v></c>",
    "<c s=\"1\"><v>45000.5</v></c>",
    "<row>",
    "</row>",
    "<row r=\"60000\">",
    "<row hidden=\"1\"/>",
    "<f t=\"shared\" si=\"0\" ref=\"A1:B9\">A1+B$1</f>",
    "<f t=\"shared\" si=\"0\"/>",
    "<v>",
    "<mergeCell ref=\"A1:C3\"/>",
    "<sheetData>",
    "</sheetData>",
    "<si><t>二、产业项目</t></si>",
    "<si/>",
    "<r><t>x</t></r>",
    "<rPh><t>y</t></rPh>",
    "<xf numFmtId=\"57\"/>",
    "<numFmt numFmtId=\"200\" formatCode=\"yyyy\"/>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?x?>",
    "<!DOCTYPE x>",
    "<sheet name=\"二\" sheetId=\"2\" r:id=\"rId1\"/>",
];

/// Numbers that follow from a seed (`SplitMix64`): the same seed is the same damage.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is 0 for none.
    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(1);
        usize::try_from(self.next() % end).unwrap_or_default()
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        let place = self.below(all.len());
        all.get(place).copied().unwrap_or_default()
    }
}

/// Damages the first `size` bytes of `data` and tells how many there are then, `longest` at the most. `plainly` damages
/// bytes without knowing what they are.
pub fn mutated(
    data: &mut [u8],
    size: usize,
    longest: usize,
    seed: u32,
    plainly: fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut chance = Chance(u64::from(seed));
    let parts = data.get(..size).and_then(unpacked).unwrap_or_default();
    let is_raw = parts.is_empty() || chance.below(10) == 0;
    if !is_raw {
        let bytes = packed(&damaged(parts, &mut chance, plainly), &mut chance);
        let place = data.get_mut(..bytes.len().min(longest));
        if let Some(place) = place.filter(|place| place.len() == bytes.len()) {
            place.copy_from_slice(&bytes);
            return bytes.len();
        }
    }
    plainly(data, size, longest)
}

fn damaged(
    mut parts: Vec<Part>,
    chance: &mut Chance,
    plainly: fn(&mut [u8], usize, usize) -> usize,
) -> Vec<Part> {
    for _ in 0..=chance.below(3) {
        let place = chance.below(parts.len());
        let Some((name, bytes)) = parts.get_mut(place) else {
            continue;
        };
        match chance.below(16) {
            0 => {
                let double = (format!("{name}{}", chance.below(3)), bytes.clone());
                parts.push(double);
            }
            1 => {
                parts.remove(place);
            }
            2 => *name = name.replacen('/', "\\", 1),
            3..6 => between(bytes, chance),
            6..11 => attribute(bytes, chance),
            _ => {
                let size = bytes.len();
                bytes.resize(size + 64, 0);
                let size = plainly(bytes, size, size + 64);
                bytes.truncate(size);
            }
        }
    }
    parts
}

/// Puts something between two elements, or takes elements out, or there twice.
fn between(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let begins = |byte: &u8| *byte == b'<';
    let places: Vec<usize> = (0..)
        .zip(bytes.iter())
        .filter(|(_, byte)| begins(byte))
        .map(|(at, _)| at)
        .collect();
    let mut place = || {
        places
            .get(chance.below(places.len()))
            .copied()
            .unwrap_or_default()
    };
    let (mut from, mut to) = (place(), place());
    if from > to {
        (from, to) = (to, from);
    }
    match chance.below(4) {
        0 => drop(bytes.drain(from..to)),
        1 => {
            let taken: Vec<u8> = bytes.get(from..to).unwrap_or_default().to_vec();
            bytes.splice(to..to, taken);
        }
        _ => drop(bytes.splice(from..from, chance.of(ELEMENTS).bytes())),
    }
}

/// Sets an attribute, or what stands between two elements.
fn attribute(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let marks: Vec<usize> = (0..)
        .zip(bytes.iter())
        .filter(|(_, byte)| matches!(byte, b'"' | b'<' | b'>'))
        .map(|(at, _)| at)
        .collect();
    let place = chance.below(marks.len().saturating_sub(1));
    let ends = marks.get(place).zip(marks.get(place + 1));
    if let Some((from, to)) = ends {
        bytes.splice(from + 1..*to, chance.of(VALUES).bytes());
    }
}

/// The parts of an archive; none if it is none, or unpacks to much.
fn unpacked(bytes: &[u8]) -> Option<Vec<Part>> {
    const MUCH: u64 = 1024 * 1024;
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut parts = Vec::new();
    for place in 0..archive.len().min(50) {
        let entry = archive.by_index(place).ok()?;
        let name = entry.name().ok()?.into_owned();
        let mut bytes = Vec::new();
        entry.take(MUCH).read_to_end(&mut bytes).ok()?;
        parts.push((name, bytes));
    }
    Some(parts)
}

fn packed(parts: &[Part], chance: &mut Chance) -> Vec<u8> {
    let method = match chance.below(4) {
        0 => CompressionMethod::Deflated,
        _ => CompressionMethod::Stored,
    };
    let mut bytes = zipped(parts, method).unwrap_or_default();
    // The minute at which the first entry was written says as what the rows are read.
    if let Some(minute) = bytes.get_mut(10) {
        *minute = u8::try_from(chance.below(256)).unwrap_or_default();
    }
    bytes
}

fn zipped(parts: &[Part], method: CompressionMethod) -> zip::result::ZipResult<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in parts {
        zip.start_file(name.as_str(), options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// Workbooks as offices send them.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let written = [plain, headed, computed, parted, monthly].map(|fill| {
        let mut workbook = Workbook::new();
        fill(&mut workbook).and_then(|()| workbook.save_to_buffer())
    });
    let mut seeds = Vec::new();
    for (kind, bytes) in (0..).zip(written.into_iter().flatten()) {
        // As it is, and small and without packing: most of what is made up comes of that one.
        let mut parts = unpacked(&bytes).unwrap_or_default();
        parts.retain(|(name, _)| !name.starts_with("docProps/") && !name.contains("theme"));
        let mut small = zipped(&parts, CompressionMethod::Stored).unwrap_or_default();
        if let Some(minute) = small.get_mut(10) {
            *minute = kind;
        }
        seeds.extend([bytes, small]);
    }
    seeds
}

/// A table with titles above and a sum below.
fn plain(workbook: &mut Workbook) -> Result<(), XlsxError> {
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, "某市2025年重点项目表")?;
    sheet.write(1, 0, "单位：万元")?;
    sheet.write_row(
        2,
        0,
        ["序号", "项目名称", "总投资", "建设年限", "开工时间", "县区"],
    )?;
    sheet.write_row(
        3,
        0,
        ["1", "某路", "12,600.5", "2023-2025", "2023.10", "大洼区"],
    )?;
    sheet.write_row(
        4,
        0,
        ["2", "某桥", "约5亿元", "2024", "2023年5月", "盘山县"],
    )?;
    sheet.write_row(5, 1, ["合计", "62600.5"])?;
    Ok(())
}

/// Headings of two rows, merged cells, hidden rows and columns, a second sheet that is hidden.
fn headed(workbook: &mut Workbook) -> Result<(), XlsxError> {
    let sheet = workbook.add_worksheet();
    let none = Format::new();
    sheet.merge_range(0, 0, 1, 0, "项目名称", &none)?;
    sheet.merge_range(0, 1, 0, 2, "投资（亿元）", &none)?;
    sheet.write_row(1, 1, ["总投资", "2025年计划"])?;
    sheet.merge_range(2, 0, 3, 0, "某港", &none)?;
    sheet.write_column(2, 1, [1.5, 2.25])?;
    sheet.set_row_hidden(3)?;
    sheet.set_column_hidden(2)?;
    workbook.add_worksheet().set_hidden(true).write(0, 0, "x")?;
    Ok(())
}

/// Formulas with and without a result, errors, flags, dates and shares by their formats.
fn computed(workbook: &mut Workbook) -> Result<(), XlsxError> {
    let sheet = workbook.add_worksheet();
    let month = Format::new().set_num_format("yyyy\"年\"m\"月\"");
    let share = Format::new().set_num_format("0.00%");
    sheet.write_row(0, 0, ["项目名称", "总投资（元）", "开工时间", "完成率"])?;
    sheet.write(1, 0, "某厂")?;
    sheet.write(1, 1, Formula::new("SUM(B3:B4)").set_result("700"))?;
    sheet.write_with_format(1, 2, 45_000.5, &month)?;
    sheet.write_with_format(1, 3, 0.855, &share)?;
    sheet.write(2, 0, true)?;
    sheet.write(2, 1, Formula::new("1/0").set_result("#DIV/0!"))?;
    sheet.write(2, 2, Formula::new("TODAY()"))?;
    Ok(())
}

/// Sections, parts by indent and by words, sums.
fn parted(workbook: &mut Workbook) -> Result<(), XlsxError> {
    let sheet = workbook.add_worksheet();
    let indented = Format::new().set_indent(2);
    sheet.write_row(0, 0, ["序号", "项目名称", "总投资（亿元）"])?;
    sheet.write_row(1, 0, ["", "一、港口", "50"])?;
    sheet.write_row(2, 0, ["1", "某港", "30"])?;
    sheet.write_with_format(3, 1, "其中：一期", &indented)?;
    sheet.write(3, 2, 20.0)?;
    sheet.write_row(4, 0, ["1.1", "二期", "10亿元以上"])?;
    sheet.write_row(5, 0, ["", "小计", "50"])?;
    sheet.write_row(6, 0, ["合计", "2个", "50"])?;
    Ok(())
}

/// Months, permits and targets beside each other, on three sheets.
fn monthly(workbook: &mut Workbook) -> Result<(), XlsxError> {
    let sheet = workbook.add_worksheet();
    sheet.write_row(
        0,
        0,
        [
            "项目名称",
            "1月完成投资（万元）",
            "2月完成投资（万元）",
            "统计入库投资",
        ],
    )?;
    sheet.write_row(1, 0, ["某路", "100", "200.5", "-"])?;
    let sheet = workbook.add_worksheet();
    sheet.write_row(0, 0, ["项目代码", "用地文号", "批复时间", "环评"])?;
    sheet.write_row(
        1,
        0,
        [
            "2101-211100-04-01-123456",
            "盘环审〔2024〕5号",
            "2024/5/6",
            "已办理",
        ],
    )?;
    let sheet = workbook.add_worksheet();
    sheet.write_row(0, 0, ["指标名称", "计量单位", "目标值", "年度"])?;
    sheet.write_row(1, 0, ["亿元以上项目", "个", "500", "2021-2025"])?;
    Ok(())
}
