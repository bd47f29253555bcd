//! Workbooks as offices send them, each with what has to be read of it, cell by cell, written by hand.

use crate::support::C::{E, F, I, N, S, T};
use crate::support::{assert_same, book, only, rows, shown};
use intake::{Kind, Request, Unit, read};

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
            vec![N(3.0), T("某产业园"), N(9.0), T("园区")],
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
                T("某塔"),
                E,
                S("=1/0", "#DIV/0!"),
                T("202305"),
                T("已竣工"),
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
