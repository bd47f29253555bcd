//! Files of text with a delimiter, read to their rows.

use crate::support::{only, rows, shown};
use intake::document::SheetState;
use intake::{Format, Kind, RefusedCode, Request, Unit, read};
use proptest::prelude::*;

const TABLE: &str = "某市重点项目表,,,\n\
    单位：万元,,,\n\
    序号,项目名称,投资,,开工时间\n\
    ,,总投资,2024年计划,\n\
    1,\"某路,一期\",\"12,600.5\",500,2023.10\n\
    2,某桥,约５亿元,待定,2023.1\n\
    ,小计,\"62,600.5\",500,\n\
    合计,2个,\"62,600.50\",501,\n";

const WANTED: &str = "5 #1; name@B=某路,一期; total_investment@C=126005000.00; started_on@E=2023-10; planned_investment@2024@D=5000000.00\n\
    6 #2; name@B=某桥; total_investment@C=~500000000.00; planned_investment@2024@D=?; !E ambiguous_date 2023.1\n";

#[test]
fn the_same_table_is_read_from_every_encoding_and_delimiter() {
    let (gbk, _, _) = encoding(TABLE);
    let wide: Vec<u8> = [0xFE, 0xFF]
        .into_iter()
        .chain(TABLE.encode_utf16().flat_map(u16::to_be_bytes))
        .collect();
    let marked = format!("\u{FEFF}{TABLE}").into_bytes();
    for (bytes, encoding) in [
        (TABLE.as_bytes().to_vec(), "utf-8"),
        (TABLE.replace('\n', "\r\n").into_bytes(), "utf-8"),
        (marked, "utf-8"),
        (gbk, "gb18030"),
        (wide, "utf-16be"),
    ] {
        let document = read(&bytes, &Request::of(Kind::Projects)).unwrap();
        assert_eq!(document.format, Format::Csv);
        assert_eq!(document.encoding.as_deref(), Some(encoding));
        let sheet = only(document);
        assert_eq!(rows(&sheet), WANTED);
        assert_eq!(sheet.unit, Some(Unit::WanYuan));
        assert_eq!(sheet.header_rows, [3, 4]);
    }
}

/// GBK of a text, of which the tests need no more than this.
fn encoding(text: &str) -> (Vec<u8>, &'static str, bool) {
    let (bytes, encoding, had_errors) = encoding_rs::GBK.encode(text);
    (bytes.into_owned(), encoding.name(), had_errors)
}

#[test]
fn tabs_and_semicolons_part_too() {
    for sign in ['\t', ';'] {
        let text = format!("项目名称{sign}总投资（亿元）\n某路{sign}1,234.5\n");
        let sheet = only(read(text.as_bytes(), &Request::of(Kind::Projects)).unwrap());
        assert_eq!(
            rows(&sheet),
            "2; name@A=某路; total_investment@B=123450000000.00\n"
        );
    }
}

#[test]
fn a_row_of_large_numbers_is_not_one_that_numbers_the_columns() {
    let text = "项目名称,总投资（元）,备注\n4294967295,4294967295,4294967296\n";
    let sheet = only(read(text.as_bytes(), &Request::of(Kind::Projects)).unwrap());
    assert_eq!(
        rows(&sheet),
        "2; name@A=4294967295; total_investment@B=4294967295.00; note@C=4294967296\n"
    );
}

#[test]
fn sums_are_held_against_the_rows_of_a_text_too() {
    let sheet = only(read(TABLE.as_bytes(), &Request::of(Kind::Projects)).unwrap());
    let sums: Vec<(u32, String, bool)> = sheet
        .control_totals
        .iter()
        .map(|total| {
            (
                total.row,
                total
                    .field
                    .map_or("count".to_owned(), |field| field.to_string()),
                total.agrees,
            )
        })
        .collect();
    let plan = "planned_investment@2024".to_owned();
    let total = "total_investment".to_owned();
    assert_eq!(
        sums,
        [
            (7, total.clone(), true),
            (7, plan.clone(), true),
            (8, "count".to_owned(), true),
            (8, total, true),
            (8, plan, false),
        ]
    );
    assert_eq!(sheet.control_totals[1].left_out, 1);
}

#[test]
fn a_text_without_a_table_is_told_as_such() {
    let document = read(
        "各单位：\n请填报。\n".as_bytes(),
        &Request::of(Kind::Projects),
    )
    .unwrap();
    assert_eq!(only(document).state, SheetState::NoTable);
}

#[test]
fn a_text_has_its_limits_too() {
    let mut text = String::from("项目名称,总投资（万元）\n");
    for number in 0..200_001 {
        text.push_str("路,");
        text.push_str(&number.to_string());
        text.push('\n');
    }
    let code = |text: &str| {
        read(text.as_bytes(), &Request::of(Kind::Projects))
            .unwrap_err()
            .code
    };
    assert_eq!(code(&text), RefusedCode::TooManyRows);
    assert_eq!(
        code(&format!("项目名称{}", ",1".repeat(300))),
        RefusedCode::TooManyColumns
    );
    assert_eq!(
        code(&format!("项目名称\n{}", "路".repeat(40_000))),
        RefusedCode::CellTooLong
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_makes_reading_panic(
        lines in prop::collection::vec(prop::collection::vec(
            prop::sample::select(vec![
                "项目名称", "总投资", "2024年计划投资", "序号", "合计", "小计", "一、港口", "（一）", "1", "1.1", "其中：一期", "其中", "单位：万元",
                "12.6亿元", "约5", "", "", "2023.1", "待定", "注：见附件", "县区", "完成投资", "本月", "合计12个", "\u{3000}\u{3000}二期", "#REF!",
            ]), 0..6), 0..14),
        kind in prop::sample::select(Kind::ALL.to_vec()),
    ) {
        let text: Vec<String> = lines.iter().map(|line| line.join(",")).collect();
        if let Ok(document) = read(text.join("\n").as_bytes(), &Request::of(kind)) {
            let json = serde_json::to_string(&document).unwrap();
            prop_assert_eq!(serde_json::from_str::<intake::Document>(&json).unwrap(), document.clone());
            let _ = shown(&document.sheets[0]);
        }
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), begin in prop::sample::select(vec!["", "PK\u{3}\u{4}", "项目名称,总投资\n"])) {
        let bytes: Vec<u8> = begin.bytes().chain(bytes).collect();
        let _ = intake::inspect(&bytes);
        let _ = read(&bytes, &Request::of(Kind::Projects));
    }

    #[test]
    fn a_damaged_workbook_never_makes_reading_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = crate::support::book("表", vec![row!["项目名称", "总投资（亿元）"], row!["某路", 1.5]], &[("A3:B3", "合计")]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = read(&bytes, &Request::of(Kind::Projects));
    }
}
