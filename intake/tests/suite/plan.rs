//! Texts of plans, written for these tests, and the projects that have to be proposed of them.

use intake::plan::{Confidence, Hint, Reason, read_plan};
use intake::value::Known;
use proptest::prelude::*;

/// What is proposed, a line each: place, parent, name, amount, hint, claim, how sure.
fn shown(text: &str) -> Vec<String> {
    read_plan(text)
        .iter()
        .map(|proposal| {
            let amount = proposal.amount.as_ref().map_or("-".to_owned(), |amount| {
                let mark = match amount.known {
                    Known::Exact => "",
                    Known::Floor => ">=",
                    Known::Approximate => "~",
                };
                format!(
                    "{mark}{}{}",
                    amount.amount,
                    amount.currency.clone().unwrap_or_default()
                )
            });
            let hint = proposal
                .hint
                .map_or(String::new(), |hint| format!(" {hint}"));
            let claimed = proposal
                .claimed
                .map_or(String::new(), |claimed| format!(" of {claimed}"));
            let parent = proposal
                .parent
                .map_or(String::new(), |parent| format!(" in {parent}"));
            format!(
                "{}:{}{parent} {} {amount}{hint}{claimed} {}",
                proposal.line, proposal.column, proposal.name, proposal.confidence
            )
        })
        .collect()
}

#[test]
fn an_amount_before_the_name() {
    assert_eq!(
        shown("全力推进投资12.6亿元的某港区航道工程、总投资50亿元以上的精细化工项目建设。"),
        [
            "1:14 某港区航道工程 1260000000.00 high",
            "1:32 精细化工项目建设 >=5000000000.00 medium"
        ]
    );
    assert_eq!(
        shown("新建总投资约3亿美元的某食品产业园项目"),
        ["1:12 某食品产业园项目 ~300000000.00USD new high"]
    );
}

#[test]
fn an_amount_behind_the_name() {
    assert_eq!(
        shown(
            "续建某热电联产项目，总投资8.5亿元；新开工某污水处理厂（总投资3000万元）。\n某产业园项目，占地300亩，建设厂房5万平方米，计划总投资超过10亿元。"
        ),
        [
            "1:3 某热电联产项目 850000000.00 continued high",
            "1:23 某污水处理厂 30000000.00 new high",
            "2:1 某产业园项目 >=1000000000.00 medium",
        ]
    );
}

#[test]
fn a_list_that_tells_how_many_there_are() {
    let text = "加快推进甲港区泊位工程、乙储气库项目、丙公路改扩建等9个项目建设。";
    assert_eq!(
        shown(text),
        [
            "1:5 甲港区泊位工程 - of 9 medium",
            "1:13 乙储气库项目 - of 9 medium",
            "1:20 丙公路改扩建 - of 9 medium",
        ]
    );
    let proposals = read_plan(text);
    assert!(
        proposals
            .iter()
            .all(|proposal| proposal.reasons.contains(&Reason::MoreThanNamed))
    );
    assert_eq!(
        proposals[0].quoted,
        "甲港区泊位工程、乙储气库项目、丙公路改扩建等9个项目建设"
    );
    assert_eq!(
        shown("谋划储备甲水库工程（2亿元）、乙湿地公园项目（投资约3000万元）等两个项目"),
        [
            "1:5 甲水库工程 200000000.00 planned of 2 high",
            "1:16 乙湿地公园项目 ~30000000.00 planned of 2 high"
        ]
    );
}

#[test]
fn boxes_and_numbered_lines() {
    let text = "专栏3 重点项目\n1.甲化工园区基础设施项目\n（2）乙港疏港铁路专用线：新建铁路12公里\n能源项目：丙风电场、丁储能电站\n第三章 保障措施\n加强组织领导，压实责任";
    assert_eq!(
        shown(text),
        [
            "2:3 甲化工园区基础设施项目 - medium",
            "3:4 乙港疏港铁路专用线 - medium",
            "4:6 丙风电场 - medium",
            "4:11 丁储能电站 - medium",
        ]
    );
}

#[test]
fn parts_belong_to_the_project_before() {
    assert_eq!(
        shown("某石化基地项目，总投资100亿元，其中：一期工程投资40亿元，二期工程投资60亿元。"),
        [
            "1:1 某石化基地项目 10000000000.00 high",
            "1:21 in 0 一期工程 4000000000.00 high",
            "1:32 in 0 二期工程 6000000000.00 high",
        ]
    );
}

#[test]
fn a_chapter_of_a_report_is_read_line_by_line() {
    let text = "（一）做强产业。围绕石化产业，全力推进总投资超百亿元的甲炼化一体化项目，确保年内机械竣工；加快建设投资35亿元的乙新材料产业园、投资8000万元的丙仓储项目。
续建丁热电联产、戊接收站等5个项目，新开工己风电场二期、庚污水处理厂提标改造等12个亿元以上项目。
专栏2 交通重点工程
公路：辛高速公路（总投资56亿元）；壬国道改扩建工程（总投资12亿元）。
1. 丑铁路专用线项目。建设里程20公里，估算总投资9.8亿元，计划2026年建成。
全市共实施亿元以上项目230个，完成投资410亿元。
争取中央预算内投资5亿元，专项债券20亿元。
推动“辰数字经济产业园”建设，计划投资15亿元左右，其中一期投资6亿元。
某某集团投资100亿元建设巳精细化工项目。
抓好总投资300亿元的30个重大项目建设。
全年新开工亿元以上项目40个，总投资600亿元。";
    assert_eq!(
        shown(text),
        [
            "1:28 甲炼化一体化项目 >=10000000000.00 high",
            "1:57 乙新材料产业园 3500000000.00 under_construction high",
            "1:74 丙仓储项目 80000000.00 under_construction high",
            "2:3 丁热电联产 - continued of 5 medium",
            "2:9 戊接收站 - continued of 5 medium",
            "2:22 己风电场二期 - new of 12 medium",
            "2:29 庚污水处理厂提标改造 - new of 12 medium",
            "4:4 辛高速公路 5600000000.00 high",
            "4:19 壬国道改扩建工程 1200000000.00 high",
            "5:4 丑铁路专用线项目 980000000.00 medium",
            "8:4 辰数字经济产业园 ~1500000000.00 high",
            "8:29 in 10 一期 600000000.00 high",
            "9:14 巳精细化工项目 10000000000.00 high",
        ]
    );
}

#[test]
fn what_is_no_project_is_not_proposed() {
    for text in [
        "",
        "全年完成投资300亿元，增长7%。",
        "地区生产总值达到1500亿元。",
        "实施项目1500个，累计完成投资3000亿元。",
        "印发《某市重大项目管理规划》。",
        "粮食产量20亿斤，种植面积100万亩。",
        "一般公共预算收入100亿元以上",
    ] {
        assert_eq!(shown(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_is_doubtful_is_said_to_be() {
    let proposals = read_plan("投资5亿元的配套设施");
    assert_eq!(proposals[0].name, "配套设施");
    assert_eq!(proposals[0].confidence, Confidence::Medium);
    let apart = read_plan("某市医养服务，床位500张，总投资2亿元");
    assert_eq!(apart[0].confidence, Confidence::Low);
    assert!(proposals[0].reasons.contains(&Reason::NotNamedAsProject));
    let built = read_plan("建成投产某食品加工项目，总投资2亿元");
    assert_eq!(built[0].hint, Some(Hint::Completed));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "(投资|总投资|12.6|亿元|万元|的|某港工程|项目|、|，|。|；|等9个|其中|：|（|）|新建|续建|专栏1|\n|1\\.|美元|以上|约|和){0,30}", anything in any::<String>()) {
        for text in [text, anything] {
            let proposals = read_plan(&text);
            for (place, proposal) in proposals.iter().enumerate() {
                prop_assert!(!proposal.name.is_empty());
                prop_assert!(proposal.parent.is_none_or(|parent| parent < place));
                // The name stands where it is said to stand.
                let line = text.lines().nth(proposal.line - 1).unwrap();
                prop_assert!(proposal.column <= line.chars().count());
            }
        }
    }
}
