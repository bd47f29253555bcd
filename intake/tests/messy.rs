//! Workbooks as offices send them, each with what has to be read of it, cell by cell, written by hand.

#[macro_use]
mod support;

use intake::document::SheetState;
use intake::{Kind, Request, Unit, read};
use pretty::assert_same;
use rust_xlsxwriter::Workbook;
use support::C::{E, F, I, N, S};
use support::{book, merged, only, rows, shown};

mod pretty {
    /// Compares line by line, so that a difference is seen.
    pub(crate) fn assert_same(read: &str, wanted: &str) {
        let wanted: Vec<&str> = wanted
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        let found: Vec<&str> = read.lines().collect();
        for (number, line) in wanted.iter().enumerate() {
            assert_eq!(found.get(number), Some(line), "line {number} of\n{read}");
        }
        assert_eq!(found.len(), wanted.len(), "{read}");
    }
}

fn projects(bytes: &[u8]) -> String {
    shown(&only(read(bytes, &Request::of(Kind::Projects)).unwrap()))
}

#[test]
fn one_a_title_a_unit_sections_and_sums() {
    let bytes = book(
        "重点项目",
        vec![
            row!["某市2024年重点项目计划表"],
            row!["填报单位：某市发展改革委", "", "", "", "单位：万元"],
            row![
                "序号",
                "项目名称",
                "建设地点",
                "总 投 资",
                "2024年计划投资",
                "责任单位",
                "备注"
            ],
            row!["", "合计（4个）", "", 161_800.0, 45_000.0],
            row!["一", "港口项目"],
            row![
                1.0,
                "某港区５万吨级航道工程",
                "大洼区",
                126_000.0,
                30_000.0,
                "某局",
                "无"
            ],
            row![2.0, "某港区通用泊位", "211104", "2,800", 1_000.0, "某局"],
            row!["", "小计", "", 128_800.0, 31_000.0],
            row!["二", "储气库项目（2个）"],
            row![3.0, "某储气库一期", "盘山县", "约3亿元", 12_000.0, "油田"],
            row![4.0, "某储气库二期", "盘山县", 3_000.0, "2000", "油田"],
            row!["", "小计", "", 33_000.0, 13_000.0],
            row!["注：总投资以批复为准。"],
            row!["填报人：张三", "", "审核人：李四"],
        ],
        &[],
    );
    assert_same(
        &projects(&bytes),
        "read unit=wan_yuan term=2024 header=[3]
         A 序号 -> - ordinal
         B 项目名称 -> name exact
         C 建设地点 -> region exact
         D 总 投 资 -> total_investment exact
         E 2024年计划投资 -> planned_investment@2024 contained
         F 责任单位 -> unit exact
         G 备注 -> note exact
         6 #1 [港口项目]; name@B=某港区５万吨级航道工程; region@C=大洼区; unit@F=某局; total_investment@D=1260000000.00; note@G=?; planned_investment@2024@E=300000000.00
         7 #2 [港口项目]; name@B=某港区通用泊位; region@C=<211104>; unit@F=某局; total_investment@D=28000000.00; planned_investment@2024@E=10000000.00
         10 #3 [储气库项目]; name@B=某储气库一期; region@C=盘山县; unit@F=油田; total_investment@D=~300000000.00; planned_investment@2024@E=120000000.00
         11 #4 [储气库项目]; name@B=某储气库二期; region@C=盘山县; unit@F=油田; total_investment@D=30000000.00; planned_investment@2024@E=20000000.00
         sum total B4 count 4 = 4 of 4 agrees
         sum total D4 total_investment 1618000000.00 = 1618000000.00 of 4 agrees
         sum total E4 planned_investment@2024 450000000.00 = 450000000.00 of 4 agrees
         sum subtotal D8 total_investment 1288000000.00 = 1288000000.00 of 2 agrees
         sum subtotal E8 planned_investment@2024 310000000.00 = 310000000.00 of 2 agrees
         sum section B9 count 2 = 2 of 2 agrees
         sum subtotal D12 total_investment 330000000.00 = 330000000.00 of 2 agrees
         sum subtotal E12 planned_investment@2024 130000000.00 = 140000000.00 of 2 differs",
    );
}

#[test]
fn two_headings_of_two_rows_with_merged_cells() {
    let bytes = book(
        "附件1",
        vec![
            row![""],
            row!["（单位：亿元）"],
            row!["", "", "", "", "", "", "", ""],
            row!["", "", "", "总投资", "2024年", "2025年", "开工", "竣工"],
            row![
                1.0,
                "某园区道路",
                "双台子区",
                1.2,
                0.5,
                0.7,
                "2023年5月",
                "2025.10"
            ],
            row![
                2.0,
                "某污水处理厂",
                "兴隆台区",
                "8000万元",
                "-",
                "待定",
                F(45_047.0, "yyyy-mm-dd"),
                F(45_992.0, "yyyy\"年\"m\"月\"")
            ],
            row![
                3.0,
                "某热电厂",
                "盘山县",
                12.600_000_000_000_001,
                "6",
                "６．６",
                45_047.0,
                2025.1
            ],
        ],
        &[
            ("A1:H1", "某区基础设施项目汇总"),
            ("A3:A4", "序号"),
            ("B3:B4", "工程名称"),
            ("C3:C4", "县（区）"),
            ("D3:F3", "计划投资"),
            ("G3:H3", "建设起止时间"),
        ],
    );
    let document = read(&bytes, &Request::of(Kind::Projects)).unwrap();
    let sheet = only(document);
    assert_eq!(sheet.header_rows, [3, 4]);
    assert_eq!(sheet.unit, Some(Unit::YiYuan));
    let headings: Vec<&str> = sheet
        .mapping
        .iter()
        .map(|column| column.heading.as_str())
        .collect();
    assert_eq!(headings[3..5], ["计划投资|总投资", "计划投资|2024年"]);
    assert_same(
        &rows(&sheet),
        "5 #1; name@B=某园区道路; region@C=双台子区; total_investment@D=120000000.00; started_on@G=2023-05; completed_on@H=2025-10; planned_investment@2024@E=50000000.00; planned_investment@2025@F=70000000.00
         6 #2; name@B=某污水处理厂; region@C=兴隆台区; total_investment@D=80000000.00; started_on@G=2023-05-01; completed_on@H=2025-12; planned_investment@2024@E=?; planned_investment@2025@F=?
         7 #3; name@B=某热电厂; region@C=盘山县; total_investment@D=1260000000.00; started_on@G=2023-05-01; planned_investment@2024@E=600000000.00; planned_investment@2025@F=660000000.00; !H ambiguous_date 2025.1",
    );
}

#[test]
fn three_rows_of_headings_and_units_in_them() {
    let bytes = book(
        "表",
        vec![
            row!["重大项目台账"],
            row!["", "", "", "", "", "", "", ""],
            row!["", "", "", "", "", "", "", ""],
            row!["", "", "", "", "", "本月", "本年累计", ""],
            row!["甲", "乙", 1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
            row!["一", "某炼化项目", "某公司", 837.0, ">=50", 1.5, 12.25, 0.5],
        ],
        &[
            ("A2:C2", "项目基本情况"),
            ("D2:H2", "投资情况"),
            ("A3:A4", "序号"),
            ("B3:B4", "项目名称"),
            ("C3:C4", "业主单位"),
            ("D3:D4", "总投资/亿元"),
            ("E3:E4", "年度投资计划\n(亿元)"),
            ("F3:G3", "完成投资（亿元）"),
            ("H3:H4", "到位资金（亿元）"),
        ],
    );
    assert_same(
        &projects(&bytes),
        "read unit=- term=- header=[2, 3, 4, 5]
         A 项目基本情况|序号 -> - ordinal
         B 项目基本情况|项目名称 -> name exact
         C 项目基本情况|业主单位 -> owner exact
         D 投资情况|总投资/亿元 -> total_investment exact yi_yuan
         E 投资情况|年度投资计划(亿元) -> planned_investment contained yi_yuan
         F 投资情况|完成投资（亿元）|本月 -> completed contained yi_yuan
         G 投资情况|完成投资（亿元）|本年累计 -> completed_in_year contained yi_yuan
         H 投资情况|到位资金（亿元） -> funds_received contained yi_yuan
         6 #一; name@B=某炼化项目; total_investment@D=83700000000.00; owner@C=某公司; planned_investment@E=>=5000000000.00; completed@F=150000000.00; completed_in_year@G=1225000000.00; funds_received@H=50000000.00",
    );
}

#[test]
fn four_parts_by_their_mark_their_indent_and_their_number() {
    let bytes = book(
        "项目群",
        vec![
            row!["单位：亿元"],
            row!["序号", "名称", "投资额", "所属行业"],
            row![1.0, "某储气库群", 50.0, "能源"],
            row!["", "其中：一期工程", 20.0, ""],
            row!["", "二期工程", "30亿元以上", ""],
            row![2.0, "某港", 30.0, "港口"],
            row![2.1, "航道", 10.0, ""],
            row![2.2, "泊位", 20.0, ""],
            vec![
                N(3.0),
                support::C::T("某产业园"),
                N(9.0),
                support::C::T("园区"),
            ],
            vec![E, I("起步区", 2), N(4.0)],
            row!["", "　　拓展区", 5.0],
            row!["其中", "", "", ""],
            row!["", "绿化", 1.0],
            row!["合计", "3个", 89.0],
            row!["", "其中：新建2个", 59.0],
        ],
        &[],
    );
    assert_same(
        &projects(&bytes),
        "read unit=yi_yuan term=- header=[2]
         A 序号 -> - ordinal
         B 名称 -> name exact
         C 投资额 -> total_investment exact
         D 所属行业 -> sector exact
         3 #1; name@B=某储气库群; sector@D=能源; total_investment@C=5000000000.00
         4 part of 3; name@B=一期工程; total_investment@C=2000000000.00
         5 part of 3; name@B=二期工程; total_investment@C=>=3000000000.00
         6 #2; name@B=某港; sector@D=港口; total_investment@C=3000000000.00
         7 #2.1 part of 6; name@B=航道; total_investment@C=1000000000.00
         8 #2.2 part of 6; name@B=泊位; total_investment@C=2000000000.00
         9 #3; name@B=某产业园; sector@D=园区; total_investment@C=900000000.00
         10 part of 9; name@B=起步区; total_investment@C=400000000.00
         11 part of 9; name@B=拓展区; total_investment@C=500000000.00
         13 part of 9; name@B=绿化; total_investment@C=100000000.00
         sum total B14 count 3 = 3 of 3 agrees
         sum total C14 total_investment 8900000000.00 = 8900000000.00 of 3 agrees",
    );
}

#[test]
fn five_sections_within_sections_and_sums_of_both() {
    let bytes = book(
        "清单",
        vec![
            row!["项目名称", "计划总投资（万元）", "县区"],
            row![""],
            row![""],
            row!["某路", 100.0, "甲区"],
            row!["某桥", 200.0, "甲区"],
            row!["小 计", 300.0],
            row![""],
            row!["某水厂", 50.5, "乙县"],
            row!["小 计", 50.5],
            row!["一、基础设施小计", 350.5],
            row!["二、产业项目", 1_000.0],
            row!["某化工项目", 600.0, "乙县"],
            row!["某食品项目", 400.0, "乙县"],
            row!["总 计", 1_350.0],
            row!["说明：数据截至5月底"],
        ],
        &[
            ("A2:C2", "一、基础设施"),
            ("A3:C3", "（一）交通"),
            ("A7:C7", "（二）水利"),
        ],
    );
    assert_same(
        &projects(&bytes),
        "read unit=- term=- header=[1]
         A 项目名称 -> name exact
         B 计划总投资（万元） -> total_investment exact wan_yuan
         C 县区 -> region exact
         4 [基础设施>交通]; name@A=某路; region@C=甲区; total_investment@B=1000000.00
         5 [基础设施>交通]; name@A=某桥; region@C=甲区; total_investment@B=2000000.00
         8 [基础设施>水利]; name@A=某水厂; region@C=乙县; total_investment@B=505000.00
         12 [产业项目]; name@A=某化工项目; region@C=乙县; total_investment@B=6000000.00
         13 [产业项目]; name@A=某食品项目; region@C=乙县; total_investment@B=4000000.00
         sum subtotal B6 total_investment 3000000.00 = 3000000.00 of 2 agrees
         sum subtotal B9 total_investment 505000.00 = 505000.00 of 1 agrees
         sum subtotal B10 total_investment 3505000.00 = 3505000.00 of 3 agrees
         sum section B11 total_investment 10000000.00 = 10000000.00 of 2 agrees
         sum total B14 total_investment 13500000.00 = 13505000.00 of 5 differs",
    );
}

#[test]
fn six_pages_repeat_their_headings_and_blank_rows_say_nothing() {
    let bytes = book(
        "Sheet1",
        vec![
            row![
                "No.",
                "项目名称",
                "项目代码",
                "总投资",
                "开工日期",
                "竣工日期",
                "",
                ""
            ],
            row![
                1.0,
                "某厂\n二期工程",
                "２４０５-211102-04-01-123456",
                "1亿2000万元",
                "2023/5/1",
                "2024年"
            ],
            row![""],
            row![
                2.0,
                "某站 ",
                "2405—211102—04—01—12345",
                "3亿美元",
                "20230501",
                "2023-02-30"
            ],
            row!["本页小计", "", "", 12.0],
            row![
                "No.",
                "项目名称",
                "项目代码",
                "总投资",
                "开工日期",
                "竣工日期"
            ],
            row!["", "", "", "", "", ""],
            vec![
                N(3.0),
                support::C::T("某塔"),
                E,
                S("=1/0", "#DIV/0!"),
                support::C::T("202305"),
                support::C::T("已竣工"),
            ],
            row![4.0, "", "", 5.0, "23年5月", ""],
            row![5.0, "某园", "", "-5", 60.0, F(60.0, "yyyy/m/d")],
        ],
        &[],
    );
    let document = read(
        &bytes,
        &Request {
            default_unit: Some(Unit::YiYuan),
            ..Request::of(Kind::Projects)
        },
    )
    .unwrap();
    assert_same(
        &shown(&only(document)),
        "read unit=- term=- header=[1]
         A No. -> - ordinal
         B 项目名称 -> name exact
         C 项目代码 -> code exact
         D 总投资 -> total_investment exact
         E 开工日期 -> started_on contained
         F 竣工日期 -> completed_on contained
         2 #1; code@C=<2405-211102-04-01-123456>; name@B=某厂二期工程; total_investment@D=120000000.00; started_on@E=2023-05-01; completed_on@F=2024
         4 #2; name@B=某站; total_investment@D=300000000.00USD; started_on@E=2023-05-01; !C invalid_project_code 2405—211102—04—01—12345; !F impossible_date 2023-02-30
         8 #3; name@B=某塔; started_on@E=2023-05; !D cell_error #DIV/0!; !F not_a_date 已竣工
         9 #4; total_investment@D=500000000.00; !E two_digit_year 23年5月; !B required
         10 #5; name@B=某园; !D negative -5; !E impossible_date 60; !F impossible_date 60
         sum subtotal D5 total_investment 1200000000.00 = 120000000.00 of 2 differs",
    );
}

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
    support::fill(sheet, vec![row!["请各单位认真填报"]], &[]);
    let sheet = workbook.add_worksheet().set_name("2024年").unwrap();
    support::fill(
        sheet,
        vec![row!["项目名称", "年度投资计划（万元）"], row!["某路", 5.0]],
        &[],
    );
    let sheet = workbook.add_worksheet().set_name("字典").unwrap();
    support::fill(
        sheet,
        vec![row!["项目名称", "总投资（万元）"], row!["某路", 5.0]],
        &[],
    );
    sheet.set_hidden(true);
    let sheet = workbook.add_worksheet().set_name("2025年").unwrap();
    support::fill(
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
fn ten_monthly_figures_tell_what_was_completed_when() {
    let bytes = book(
        "3月",
        vec![
            row![""],
            row!["编制单位：某局", "", "", "", "", "单位：万元"],
            row!["", "", "", "", "", "", "", ""],
            row!["", "", "", "本月", "1-3月累计", "", "", ""],
            row![
                "1",
                "某路",
                "100000",
                1_200.0,
                3_000.0,
                500.0,
                "8,000",
                "路基完成60%"
            ],
            row!["2", "某桥", "50000", "-", 800.0, "暂无", 600.0, ""],
            row!["合计", "", 150_000.0, 1_200.0, 3_800.0, 500.0, 8_600.0],
        ],
        &[
            ("A1:H1", "2025年3月重点项目调度表"),
            ("A3:A4", "序号"),
            ("B3:B4", "项目名称"),
            ("C3:C4", "总投资"),
            ("D3:E3", "完成投资"),
            ("F3:F4", "统计入库投资"),
            ("G3:G4", "本月到位资金"),
            ("H3:H4", "形象进度"),
        ],
    );
    let sheet = only(read(&bytes, &Request::of(Kind::MonthlyFigures)).unwrap());
    assert_same(
        &shown(&sheet),
        "read unit=wan_yuan term=2025-03 header=[3, 4]
         A 序号 -> - ordinal
         B 项目名称 -> name exact
         C 总投资 -> total_investment exact
         D 完成投资|本月 -> completed contained
         E 完成投资|1-3月累计 -> completed_in_year contained
         F 统计入库投资 -> statistics contained
         G 本月到位资金 -> funds_received contained
         H 形象进度 -> progress exact
         5 #1; name@B=某路; total_investment@C=1000000000.00; progress@H=路基完成60%; completed@D=12000000.00; completed_in_year@E=30000000.00; statistics@F=5000000.00; funds_received@G=80000000.00
         6 #2; name@B=某桥; total_investment@C=500000000.00; completed@D=?; completed_in_year@E=8000000.00; statistics@F=?; funds_received@G=6000000.00
         sum total C7 total_investment 1500000000.00 = 1500000000.00 of 2 agrees
         sum total D7 completed 12000000.00 = 12000000.00 of 2 agrees
         sum total E7 completed_in_year 38000000.00 = 38000000.00 of 2 agrees
         sum total F7 statistics 5000000.00 = 5000000.00 of 2 agrees
         sum total G7 funds_received 86000000.00 = 86000000.00 of 2 agrees",
    );
}

#[test]
fn eleven_months_side_by_side() {
    let bytes = book(
        "表",
        vec![
            row!["2024年重点项目月度完成投资（亿元）"],
            row!["项目名称", "1月", "2月", "12月份", "全年累计完成投资"],
            row!["某路", 0.1, "0.2亿元", 0.05, 0.35],
        ],
        &[],
    );
    let request = Request {
        default_unit: Some(Unit::YiYuan),
        ..Request::of(Kind::MonthlyFigures)
    };
    let sheet = only(read(&bytes, &request).unwrap());
    assert_same(
        &rows(&sheet),
        "3; name@A=某路; completed@2024-01@B=10000000.00; completed@2024-02@C=20000000.00; completed@2024-12@D=5000000.00; completed_in_year@E=35000000.00",
    );
}

#[test]
fn twelve_approvals_one_row_each_and_side_by_side() {
    let bytes = book(
        "手续",
        vec![
            row![
                "项目名称",
                "手续名称",
                "办理情况",
                "批复文号",
                "批复时间",
                "审批部门"
            ],
            row![
                "",
                "环评批复",
                "已办",
                "某环审〔2024〕5号",
                "2024年3月5日",
                "某生态环境局"
            ],
            row!["", "用地手续", "办理中", "/", "", ""],
            row!["", "用海手续", "不涉及", "", "", ""],
            row!["某桥", "水保", "已办", "", "2024.3.5", ""],
        ],
        &[("A2:A4", "某码头")],
    );
    let sheet = only(read(&bytes, &Request::of(Kind::Approvals)).unwrap());
    assert_same(
        &rows(&sheet),
        "2; name@A=某码头; item@B=<environmental_assessment>; status@C=<obtained>; document_number@D=某环审〔2024〕5号; issued_on@E=2024-03-05; authority@F=某生态环境局
         3; name@A2=某码头; item@B=<land_use>; status@C=<pending>; document_number@D=?
         4; name@A2=某码头; item@B=<sea_use>; status@C=<waived>
         5; name@A=某桥; status@C=<obtained>; issued_on@E=2024-03-05; !B unknown_item 水保",
    );
    let bytes = book(
        "手续",
        vec![
            row!["", "", "", "", "", ""],
            row!["", "文号", "批复时间", "", "", ""],
            row![
                "某码头",
                "某发改备〔2024〕1号",
                "2024/1/2",
                "已取得",
                "√",
                "某环审〔2024〕5号"
            ],
            row!["某桥", "", "", "不涉及", "办理中", "很快"],
        ],
        &[
            ("A1:A2", "项目名称"),
            ("B1:C1", "立项"),
            ("D1:D2", "用地"),
            ("E1:E2", "施工许可证"),
            ("F1:F2", "环评"),
        ],
    );
    let sheet = only(read(&bytes, &Request::of(Kind::Approvals)).unwrap());
    assert_same(
        &rows(&sheet),
        "3; name@A=某码头; status@land_use@D=<obtained>; status@environmental_assessment@F=<obtained>; status@construction_permit@E=<obtained>; document_number@project_approval@B=某发改备〔2024〕1号; document_number@environmental_assessment@F=某环审〔2024〕5号; issued_on@project_approval@C=2024-01-02
         4; name@A=某桥; status@land_use@D=<waived>; status@construction_permit@E=<pending>; !F unknown_status 很快",
    );
}

#[test]
fn thirteen_targets_in_their_own_units() {
    let bytes = book(
        "指标",
        vec![
            row!["“十四五”重大项目目标"],
            row![
                "序号",
                "指标名称",
                "计量单位",
                "目标值",
                "投资门槛",
                "属地",
                "起始年",
                "截止年"
            ],
            row![
                1.0,
                "项目个数",
                "个",
                1_500.0,
                "500万元以上",
                "211100",
                2021.0,
                2025.0
            ],
            row![
                2.0,
                "完成投资",
                "亿元",
                "3000",
                "",
                "盘锦市",
                "2021年",
                "2025"
            ],
            row![
                3.0,
                "投资增长",
                "%",
                F(0.07, "0.0%"),
                "亿元以上",
                "",
                "",
                ""
            ],
            row![4.0, "利用外资", "万美元", "5,000以上", "", "", "", ""],
            row![5.0, "新增用地", "吨", 1.0, "", "", "", ""],
        ],
        &[],
    );
    let sheet = only(read(&bytes, &Request::of(Kind::Targets)).unwrap());
    assert_same(
        &rows(&sheet),
        "3 #1; name@B=项目个数; region@F=<211100>; unit@C=个; from_tier@E=<from_5m>; from_year@G=2021; to_year@H=2025; value@D=1500.00 project
         4 #2; name@B=完成投资; region@F=盘锦市; unit@C=亿元; from_year@G=2021; to_year@H=2025; value@D=300000000000.00 yuan
         5 #3; name@B=投资增长; unit@C=%; from_tier@E=<from_100m>; value@D=7.00 percent
         6 #4; name@B=利用外资; unit@C=万美元; value@D=50000000.00 usd
         7 #5; name@B=新增用地; unit@C=吨; !D unknown_unit 1",
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
