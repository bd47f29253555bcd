//! What offices call the columns of their tables.

mod own;

use own::{APPROVALS, MONTHLY, SOURCE, TARGETS};

use crate::field::FieldName;
use crate::request::Kind;

/// A field and its names: first those that mean it and nothing else, the more telling ones first; then those that a
/// heading may contain.
pub(super) type Names = (FieldName, &'static [&'static str], &'static [&'static str]);

/// The names that number the rows.
pub(super) const ORDINALS: [&str; 8] = ["序号", "序", "顺序号", "No.", "NO.", "NO", "No", "行号"];

const NAME: Names = (
    FieldName::Name,
    &[
        "项目名称",
        "工程名称",
        "建设项目名称",
        "重点项目名称",
        "重大项目名称",
        "子项目名称",
        "工程项目名称",
        "项目(工程)名称",
        "名称",
        "建设项目",
        "项目",
        "工程",
    ],
    &["项目名称", "工程名称", "项目名"],
);

/// Names of what every kind of table may tell of a project.
const COMMON: [Names; 43] = [
    NAME,
    (FieldName::Id, &["标识", "项目标识"], &[]),
    (FieldName::Version, &["版本", "项目版本"], &[]),
    (
        FieldName::Code,
        &[
            "项目代码",
            "项目统一代码",
            "投资项目统一代码",
            "投资项目代码",
            "统一代码",
            "项目赋码",
            "赋码",
            "赋码代码",
            "国家代码",
            "在线平台代码",
            "项目编码",
            "代码",
        ],
        &["项目代码", "统一代码", "赋码"],
    ),
    (
        FieldName::ExternalRef,
        &[
            "项目编号",
            "编号",
            "库内编号",
            "系统编号",
            "项目库编号",
            "内部编号",
            "项目ID",
            "ID",
        ],
        &["编号"],
    ),
    (
        FieldName::Aliases,
        &["别名", "项目别名", "曾用名", "其他名称", "项目简称", "简称"],
        &["别名", "曾用名"],
    ),
    (
        FieldName::Parent,
        &["所属项目", "上级项目", "母项目", "总项目", "所属项目群"],
        &["上级项目", "所属项目"],
    ),
    (FieldName::FamilyCounting, &["计数方式"], &[]),
    (
        FieldName::Region,
        &[
            "县区",
            "区县",
            "县市区",
            "所属县区",
            "所属区县",
            "所在县区",
            "所在区县",
            "落地县区",
            "县",
            "区",
            "属地",
            "行政区划",
            "行政区划代码",
            "行政区",
            "地区",
            "所属地区",
            "所在地区",
            "所属区域",
            "区域",
            "项目属地",
            "所在地",
            "项目所在地",
            "建设所在地",
            "建设地点",
            "建设地址",
            "项目地点",
            "项目地址",
            "地点",
        ],
        &["县区", "区县", "属地", "行政区划", "所在地", "建设地点"],
    ),
    (
        FieldName::Unit,
        &[
            "责任单位",
            "牵头单位",
            "主管单位",
            "责任部门",
            "牵头部门",
            "主管部门",
            "牵头责任单位",
            "责任主体",
            "行业主管部门",
            "市级牵头单位",
            "市直责任单位",
            "包保单位",
            "推进单位",
            "服务单位",
        ],
        &[
            "责任单位",
            "牵头单位",
            "主管单位",
            "责任部门",
            "牵头部门",
            "主管部门",
        ],
    ),
    (
        FieldName::Sector,
        &[
            "所属行业",
            "行业",
            "行业类别",
            "行业分类",
            "行业领域",
            "所属领域",
            "领域",
            "产业类别",
            "产业领域",
            "所属产业",
            "产业",
        ],
        &["行业", "领域"],
    ),
    (
        FieldName::Programme,
        &["五大工程", "所属五大工程", "所属工程", "工程类别"],
        &["五大工程"],
    ),
    (
        FieldName::Chain,
        &["产业链", "所属产业链", "产业链条", "产业链名称"],
        &["产业链"],
    ),
    (
        FieldName::List,
        &["所属清单", "清单", "项目清单", "清单名称"],
        &["所属清单"],
    ),
    (
        FieldName::Kind,
        &[
            "项目类型",
            "审批类型",
            "审批方式",
            "立项方式",
            "立项类型",
            "审批核准备案",
            "审批/核准/备案",
            "投资类型",
        ],
        &["项目类型", "立项方式", "审批方式"],
    ),
    (
        FieldName::Nature,
        &["建设性质", "项目性质", "性质"],
        &["建设性质"],
    ),
    (
        FieldName::Stage,
        &[
            "阶段",
            "项目阶段",
            "所处阶段",
            "当前阶段",
            "目前阶段",
            "建设阶段",
            "推进阶段",
            "进展阶段",
            "项目状态",
            "建设状态",
            "状态",
        ],
        &["阶段", "项目状态"],
    ),
    (FieldName::StageSince, &["进入阶段日期"], &[]),
    (FieldName::BasisQuote, &["阶段依据"], &[]),
    (FieldName::BasisSource, &["依据出处"], &[]),
    (FieldName::InvestmentNote, &["投资说明", "投资备注"], &[]),
    (FieldName::Tier, &["投资分档"], &[]),
    (FieldName::OriginalAmount, &["外币金额"], &[]),
    (FieldName::OriginalCurrency, &["币种"], &[]),
    (FieldName::OriginalRate, &["汇率"], &[]),
    (FieldName::OriginalRateOn, &["汇率日期"], &[]),
    (FieldName::InvestmentFloor, &["总投资下限"], &[]),
    (
        FieldName::OwnerUscc,
        &[
            "统一社会信用代码",
            "社会信用代码",
            "统一信用代码",
            "信用代码",
        ],
        &["统一社会信用代码", "信用代码"],
    ),
    (
        FieldName::Owner,
        &[
            "业主",
            "业主单位",
            "项目业主",
            "建设单位",
            "项目建设单位",
            "项目单位",
            "项目法人",
            "项目法人单位",
            "法人单位",
            "投资方",
            "投资主体",
            "投资单位",
            "投资企业",
            "建设主体",
            "实施主体",
            "实施单位",
            "企业名称",
        ],
        &[
            "业主",
            "建设单位",
            "项目单位",
            "项目法人",
            "投资方",
            "投资主体",
            "实施主体",
        ],
    ),
    (
        FieldName::Steward,
        &["项目管家", "管家", "服务管家", "包保领导", "包联领导"],
        &["管家"],
    ),
    (
        FieldName::Capacity,
        &[
            "建设规模",
            "建设内容",
            "建设内容及规模",
            "建设规模及内容",
            "建设规模及主要内容",
            "建设规模及主要建设内容",
            "建设内容和规模",
            "建设规模和内容",
            "主要建设内容",
            "主要建设内容及规模",
            "主要建设规模及内容",
            "主要内容",
            "项目内容",
            "项目概况",
            "项目简介",
            "规模",
        ],
        &["建设规模", "建设内容"],
    ),
    (
        FieldName::Note,
        &["备注", "说明", "其他说明", "附注"],
        &["备注"],
    ),
    (
        FieldName::Progress,
        &[
            "形象进度",
            "工程形象进度",
            "工程进展",
            "项目进展",
            "项目进展情况",
            "进展情况",
            "目前进展",
            "当前进展",
            "工程进度",
            "推进情况",
        ],
        &["形象进度", "进展"],
    ),
    (
        FieldName::SignedOn,
        &["签约时间", "签约日期", "签约引进时间"],
        &[],
    ),
    (
        FieldName::LandedOn,
        &["落地时间", "落地日期", "培育落地时间"],
        &[],
    ),
    (
        FieldName::FundsApprovedOn,
        &[
            "争取立项时间",
            "立项时间",
            "立项日期",
            "立项资金日期",
            "资金批复时间",
        ],
        &[],
    ),
    (FieldName::SignedDocument, &["签约文件"], &[]),
    (FieldName::LandedDocument, &["落地文件"], &[]),
    (FieldName::FundsApprovedDocument, &["立项资金文件"], &[]),
    (FieldName::Published, &["公开", "是否公开"], &[]),
    (
        FieldName::CommissionedOn,
        &["投产时间", "投产日期", "实际投产时间", "实际投产日期"],
        &[],
    ),
    (FieldName::AtCapacityOn, &["达产时间", "达产日期"], &[]),
    (
        FieldName::Year,
        &["年度", "年份", "计划年度", "所属年度", "年"],
        &[],
    ),
];

/// What a heading is for beside a better one for its field: beside 阶段, 状态 says whether a project goes on.
pub(super) fn second(kind: Kind, heading: &str) -> Option<FieldName> {
    let is_condition = matches!(kind, Kind::Projects) && heading == "状态";
    is_condition.then_some(FieldName::Condition)
}

/// The names that hold for a kind of table, its own before those that are common to all.
pub(super) fn of(kind: Kind) -> impl Iterator<Item = &'static Names> {
    let (own, more): (&[Names], &[Names]) = match kind {
        Kind::Projects | Kind::AnnualPlans => (&[], &COMMON),
        Kind::MonthlyFigures => (&MONTHLY, &COMMON),
        Kind::Approvals => (&APPROVALS, &COMMON),
        Kind::Targets => (&TARGETS, &SOURCE),
    };
    own.iter().chain(more)
}
