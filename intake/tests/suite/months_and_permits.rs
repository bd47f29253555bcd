//! Tables of months, permits and targets, with what has to be read of them.

use crate::support::C::F;
use crate::support::{assert_same, book, only, rows, shown};
use intake::{Kind, Request, Unit, read};

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
fn headings_of_amounts_are_told_apart_by_what_they_are_of() {
    let bytes = book(
        "表",
        vec![
            row![
                "项目名称",
                "总投资",
                "2023年完成投资",
                "2024年计划",
                "截至2023年底累计完成投资",
                "1-6月完成投资",
                "本月完成投资",
                "累计完成投资",
                "到位资金",
                "中央预算内投资"
            ],
            row!["某路", 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        ],
        &[],
    );
    let request = Request {
        default_unit: Some(Unit::Yuan),
        ..Request::of(Kind::Projects)
    };
    let sheet = only(read(&bytes, &request).unwrap());
    assert_same(
        &rows(&sheet),
        "2; name@A=某路; total_investment@B=1.00; planned_investment@2024@D=3.00; completed@G=6.00; completed_in_year@F=5.00; completed_in_year@2023@C=2.00; completed_total@H=7.00; completed_total@2023@E=4.00; funds_received@I=8.00",
    );
}

#[test]
fn the_names_of_the_api_are_headings_too() {
    let bytes = book(
        "data",
        vec![
            row![
                "name",
                "region",
                "total_investment",
                "planned_investment@2024"
            ],
            row!["甲", "211104", "5", 6.0],
        ],
        &[],
    );
    let request = Request {
        default_unit: Some(Unit::Yuan),
        ..Request::of(Kind::Projects)
    };
    let sheet = only(read(&bytes, &request).unwrap());
    assert_same(
        &rows(&sheet),
        "2; name@A=甲; region@B=<211104>; total_investment@C=5.00; planned_investment@2024@D=6.00",
    );
}
