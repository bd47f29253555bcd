//! Workbooks of which columns, sheets and merged cells are the trouble, with what has to be read of them.

use crate::support::C::F;
use crate::support::{assert_same, book, merged, only, rows, shown};
use intake::document::SheetState;
use intake::{Kind, Request, Unit, read};
use rust_xlsxwriter::Workbook;

#[test]
fn seven_columns_that_nobody_knows_are_told_with_samples() {
    let bytes = book(
        "台账",
        vec![
            row![
                "项目名称",
                "所在县区",
                "建设地点",
                "计划投资",
                "总投资",
                "用海面积",
                "自筹资金",
                "",
                "完成率"
            ],
            row![
                "某泊位",
                "大洼区",
                "某镇",
                1.0,
                2.0,
                3.5,
                1.0,
                "x",
                F(0.5, "0%")
            ],
            row!["某码头", "大洼区", "某村", 1.0, 2.0, "无", 1.0],
        ],
        &[],
    );
    let request = Request {
        default_unit: Some(Unit::WanYuan),
        ..Request::of(Kind::Projects)
    };
    let sheet = only(read(&bytes, &request).unwrap());
    assert_same(
        &shown(&sheet),
        "read unit=- term=- header=[1]
         A 项目名称 -> name exact
         B 所在县区 -> region exact
         C 建设地点 -> - duplicate
         D 计划投资 -> planned_investment contained
         E 总投资 -> total_investment exact
         F 用海面积 -> - unknown
         G 自筹资金 -> - unknown
         H  -> - no_heading
         I 完成率 -> - unknown
         2; name@A=某泊位; region@B=大洼区; total_investment@E=20000.00; planned_investment@D=10000.00
         3; name@A=某码头; region@B=大洼区; total_investment@E=20000.00; planned_investment@D=10000.00",
    );
    let samples: Vec<&[String]> = sheet
        .mapping
        .iter()
        .map(|column| column.samples.as_slice())
        .collect();
    assert_eq!(samples[2], ["某镇", "某村"]);
    assert_eq!(samples[5], ["3.5", "无"]);
    assert_eq!(samples[8], ["50%"]);
}

#[test]
fn eight_a_mapping_can_be_corrected_and_remembered() {
    let bytes = book(
        "台账",
        vec![
            row!["事由", "地盘", "数额", "附言"],
            row!["某泊位", "大洼区", 2.0, "x"],
        ],
        &[],
    );
    let plain = only(read(&bytes, &Request::of(Kind::Projects)).unwrap());
    assert_eq!(plain.state, SheetState::NoTable);
    let request: Request = serde_json::from_value(serde_json::json!({
        "kind": "projects",
        "default_unit": "yi_yuan",
        "mapping": [{"sheet": "台账", "columns": {"A": "name", "数额": "total_investment"}}],
        "remembered": {"地盘": "region", "附言": "ignore"},
    }))
    .unwrap();
    // A letter tells what a column is for, not where the headings are; the other two do.
    let wanted = "2; name@A=某泊位; region@B=大洼区; total_investment@C=200000000.00";
    let given: Request = serde_json::from_value(serde_json::json!({
        "kind": "projects",
        "default_unit": "yi_yuan",
        "mapping": [{"header_rows": [1, 1], "columns": {"A": "name", "B": "region", "C": "total_investment", "D": "ignore"}}],
    }))
    .unwrap();
    for request in [request, given] {
        let sheet = only(read(&bytes, &request).unwrap());
        assert_same(&rows(&sheet), wanted);
    }
}

#[test]
fn nine_several_sheets_of_which_some_are_hidden_or_empty() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet().set_name("说明").unwrap();
    crate::support::fill(sheet, vec![row!["请各单位认真填报"]], &[]);
    let sheet = workbook.add_worksheet().set_name("2024年").unwrap();
    crate::support::fill(
        sheet,
        vec![row!["项目名称", "年度投资计划（万元）"], row!["某路", 5.0]],
        &[],
    );
    let sheet = workbook.add_worksheet().set_name("字典").unwrap();
    crate::support::fill(
        sheet,
        vec![row!["项目名称", "总投资（万元）"], row!["某路", 5.0]],
        &[],
    );
    sheet.set_hidden(true);
    let sheet = workbook.add_worksheet().set_name("2025年").unwrap();
    crate::support::fill(
        sheet,
        vec![
            row!["年度计划（单位：亿元）"],
            row!["项目名称", "计划投资"],
            row!["某桥", "６"],
        ],
        &[],
    );
    workbook.add_worksheet().set_name("空").unwrap();
    let document = read(
        &workbook.save_to_buffer().unwrap(),
        &Request::of(Kind::AnnualPlans),
    )
    .unwrap();
    let states: Vec<(&str, &str)> = document
        .sheets
        .iter()
        .map(|sheet| (sheet.name.as_str(), sheet.state.code()))
        .collect();
    assert_eq!(
        states,
        [
            ("说明", "no_table"),
            ("2024年", "read"),
            ("字典", "hidden"),
            ("2025年", "read"),
            ("空", "no_table")
        ]
    );
    assert_same(
        &shown(&document.sheets[1]),
        "read unit=- term=2024 header=[1]
         A 项目名称 -> name exact
         B 年度投资计划（万元） -> planned_investment contained wan_yuan
         2; name@A=某路; planned_investment@B=50000.00",
    );
    assert_same(
        &shown(&document.sheets[3]),
        "read unit=yi_yuan term=2025 header=[2]
         A 项目名称 -> name exact
         B 计划投资 -> planned_investment exact
         3; name@A=某桥; planned_investment@B=600000000.00",
    );
}

#[test]
fn fourteen_merged_cells_say_the_same_of_each_row() {
    let bytes = book(
        "表",
        vec![
            row![
                "县区",
                "项目名称",
                "行业",
                "总投资（万元）",
                "阶段",
                "建设年限",
                "信用代码"
            ],
            row![
                "",
                "某路",
                "",
                10.0,
                "在建",
                "2023-2025",
                "91110000600037341L"
            ],
            row![
                "",
                "某桥",
                "",
                20.0,
                "储备",
                "2024年3月-10月",
                "91110000600037341X"
            ],
            row!["乙县", "某站", "能源", 30.0, "新建", "36个月", ""],
            row!["", "", "", "", "", "", ""],
        ],
        &[
            ("A2:A3", "甲区"),
            ("C2:C3", "交通"),
            (
                "A5:G5",
                "以上项目均为某市重点项目，数据由各县区报送，截至本月底。",
            ),
        ],
    );
    let sheet = only(read(&bytes, &Request::of(Kind::Projects)).unwrap());
    assert_same(
        &rows(&sheet),
        "2; name@B=某路; region@A=甲区; sector@C=交通; stage@E=<construction>; total_investment@D=100000.00; owner_uscc@G=<91110000600037341L>; period@F=2023..2025
         3; name@B=某桥; region@A2=甲区; sector@C2=交通; stage@E=<planning>; total_investment@D=200000.00; period@F=2024-03..2024-10; !G invalid_uscc 91110000600037341X
         4; name@B=某站; region@A=乙县; sector@C=能源; total_investment@D=300000.00; !E unknown_stage 新建; !F not_a_span 36个月",
    );
}

#[test]
fn a_document_is_the_same_after_it_was_written_as_json() {
    let bytes = book(
        "表",
        vec![
            row!["单位：万元"],
            row!["序号", "项目名称", "2024年计划投资", "开工时间", "别名"],
            row![1.0, "某路", "约5", "2023年", "甲、乙"],
            row!["合计", "", 5.0],
        ],
        &[],
    );
    let document = read(&bytes, &Request::of(Kind::Projects)).unwrap();
    let text = serde_json::to_string(&document).unwrap();
    assert_eq!(
        serde_json::from_str::<intake::Document>(&text).unwrap(),
        document
    );
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cell = &json["sheets"][0]["rows"][0]["fields"]["planned_investment@2024"];
    assert_eq!(
        *cell,
        serde_json::json!({"row": 3, "column": "C", "text": "约5", "value": {"amount": {"known": "approximate", "amount": "50000.00"}}})
    );
}

#[test]
fn merged_cells_of_a_title_are_no_table() {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    merged(sheet, &[("A1:H3", "某市重点项目名称及总投资")]);
    let document = read(
        &workbook.save_to_buffer().unwrap(),
        &Request::of(Kind::Projects),
    )
    .unwrap();
    assert_eq!(document.sheets[0].state, SheetState::NoTable);
}

#[test]
fn pages_repeat_their_title_and_a_second_table_is_no_row() {
    let bytes = book(
        "表",
        vec![
            row!["某市重点项目计划表（万元）"],
            row!["序号", "项目名称", "总投资"],
            row![1.0, "某路", 5.0],
            row!["某市重点项目计划表（万元）"],
            row!["序号", "项目名称", "总投资"],
            row![2.0, "某桥", 6.0],
            row!["合计", "", 11.0],
            row!["以上数据由各单位报送"],
            row!["序号", "项目名称", "建设内容"],
        ],
        &[],
    );
    let sheet = only(read(&bytes, &Request::of(Kind::Projects)).unwrap());
    assert_same(
        &shown(&sheet),
        "read unit=wan_yuan term=- header=[2]
         A 序号 -> - ordinal
         B 项目名称 -> name exact
         C 总投资 -> total_investment exact
         3 #1; name@B=某路; total_investment@C=50000.00
         6 #2; name@B=某桥; total_investment@C=60000.00
         sum total C7 total_investment 110000.00 = 110000.00 of 2 agrees",
    );
}

#[test]
fn a_formula_that_was_never_computed_is_told_and_not_taken_for_nothing() {
    let sheet = |value: &str| {
        format!(
            r#"<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>项目名称</t></is></c><c r="B1" t="inlineStr"><is><t>总投资（亿元）</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>某港</t></is></c><c r="B2"><f>1+1</f>{value}</c></row><row r="3"><c r="A3" t="inlineStr"><is><t>合计</t></is></c><c r="B3"><f>SUM(B2)</f></c></row></sheetData>"#
        )
    };
    let read = |value: &str| {
        let bytes = crate::hostile::packed(&crate::hostile::parts(&sheet(value)));
        shown(&only(read(&bytes, &Request::of(Kind::Projects)).unwrap()))
    };
    let rows = |text: &str| text.lines().skip(3).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&read("")), ["2; name@A=某港; !B not_computed ="]);
    assert_eq!(rows(&read("<v></v>")), ["2; name@A=某港"]);
    assert_eq!(
        rows(&read("<v>2</v>")),
        ["2; name@A=某港; total_investment@B=200000000.00"]
    );
}

#[test]
fn errors_of_newer_spreadsheets_are_told_at_their_place() {
    let sheet = r#"<sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>项目名称</t></is></c><c r="B1" t="inlineStr"><is><t>总投资（亿元）</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>某港</t></is></c><c r="B2" t="e"><v>#SPILL!</v></c></row><row r="3"><c r="A3" t="inlineStr"><is><t>某桥</t></is></c><c r="B3" t="e"><v>#N/A</v></c></row><row r="4"><c r="A4" t="inlineStr"><is><t>某路</t></is></c><c r="B4" t="e"><v>#CALC!</v></c></row></sheetData>"#;
    let bytes = crate::hostile::packed(&crate::hostile::parts(sheet));
    let sheet = only(read(&bytes, &Request::of(Kind::Projects)).unwrap());
    assert_same(
        &rows(&sheet),
        "2; name@A=某港; !B cell_error #SPILL!
         3; name@A=某桥; !B cell_error #N/A
         4; name@A=某路; !B cell_error #CALC!",
    );
}
