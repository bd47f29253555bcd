//! The domain's refusals, told to people: one `From` for each.

use domain::evidence::EvidenceFault;
use domain::family::FamilyFault;
use domain::gate::{AttractionStep, Missing};
use domain::project::{FactFault, FactFaultKind, MAX_ALIASES};
use domain::region::RegionTreeError;
use domain::stage::Stage;
use domain::target::{TargetFault, TargetFaultKind, YEARS};
use domain::transition::{Objection, Refusal};

use super::{Fault, Problem, Said, kinds};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let kind = kinds::of_code(refusal.code()).unwrap_or(kinds::VALIDATION_FAILED);
        let problem = Self::new(kind);
        match refusal {
            Refusal::CoverHasNoStage => problem.say(
                "打捆项目的阶段由其子项得出，请在子项上办理",
                "A cover shows what its parts say; move the parts",
            ),
            Refusal::NeedsManager => problem.say(
                "停缓建、恢复、退库、重新入库和更正由项目主管办理",
                "Suspending, resuming, withdrawing, re-entering and correcting are a manager's",
            ),
            Refusal::NotInTable {
                stage,
                condition,
                to,
            } => problem.say(
                format!(
                    "项目处于{}（{}），不能{}",
                    stage.label_zh(),
                    condition.label_zh(),
                    to.label_zh()
                ),
                format!(
                    "The project is in {} ({}); it can't {}",
                    stage.label_en(),
                    condition.label_en(),
                    to.label_en()
                ),
            ),
            Refusal::NothingToCorrect => problem.say(
                "只有尚未更正的变动可以更正；登记和期初导入不能更正",
                "Only a standing move can be taken back; a registration or an opening balance can't",
            ),
            Refusal::InsideCompleted => problem.say(
                "请先更正所属项目的竣工",
                "Take the completion of the whole back first",
            ),
            Refusal::Objections { gate, objections } => {
                let count = objections.len();
                let faults = objections.iter().map(Fault::from).collect();
                let problem = match (kind.code, gate) {
                    ("gate_shut", Some(stage)) => problem
                        .titled(
                            format!("{}条件不满足", stage.label_zh()),
                            format!("The gate to {} is shut", stage.label_en()),
                        )
                        .say(format!("还缺 {count} 项"), format!("{count} missing")),
                    _ => problem.say(
                        format!("有 {count} 处不符合要求"),
                        format!("{count} to be put right"),
                    ),
                };
                problem.with_faults(faults)
            }
        }
    }
}

impl From<&Objection> for Fault {
    fn from(objection: &Objection) -> Self {
        let said = match objection {
            Objection::DateMissing => Said::new(
                "请填写实际发生的日期",
                "Give the day on which it really happened",
            ),
            Objection::DateInFuture => Said::new("日期不能晚于今天", "The day is later than today"),
            Objection::DateBeforeLastMove { last } => Said::new(
                format!("日期早于上一次变动（{last}）"),
                format!("The day is before the last move ({last})"),
            ),
            Objection::DateNotTaken => Said::new(
                "更正恢复原来的日期，不另填日期",
                "A correction restores the dates; it has none of its own",
            ),
            Objection::ReasonMissing => {
                Said::new("请在 note 中说明原因", "Give the reason in note")
            }
            Objection::Evidence { fault, .. } => evidence_said(*fault),
            Objection::EvidenceNotTaken { .. } => Said::new(
                "这种变动不需要该材料",
                "This move does not take this evidence",
            ),
            Objection::Missing(missing) => return Self::from(missing),
        };
        told(objection.pointer(), objection.code(), said)
    }
}

impl From<&TargetFault> for Fault {
    fn from(fault: &TargetFault) -> Self {
        let said = match fault.kind {
            TargetFaultKind::Reserved => Said::new(
                "这个代码是一项操作的名称，请另取代码",
                "This code is the name of an operation; take another",
            ),
            TargetFaultKind::YearOutOfRange => Said::new(
                format!("年份须在 {} 至 {} 之间", YEARS.0, YEARS.1),
                format!("The year has to be from {} to {}", YEARS.0, YEARS.1),
            ),
            TargetFaultKind::PeriodOutOfOrder => {
                Said::new("止年早于起年", "The period ends before it begins")
            }
            TargetFaultKind::OnlyOneYear => Said::new(
                "只有一年的目标不必逐年：each_year 请填 false",
                "A period of one year has no other: make each_year false",
            ),
            TargetFaultKind::NoThreshold => Said::new(
                "投资门槛只能是 500 万、1 亿、10 亿、50 亿、100 亿元（from_5m、from_100m、from_1b、from_5b、from_10b）",
                "A threshold is from_5m, from_100m, from_1b, from_5b or from_10b",
            ),
            TargetFaultKind::NeedsFromTier => Said::new(
                "有上限档须有下限档：请填 from_tier",
                "An upper tier needs a lower one: give from_tier",
            ),
            TargetFaultKind::TiersOutOfOrder => {
                Said::new("上限档低于下限档", "The upper tier is below the lower one")
            }
            TargetFaultKind::OpenAtTheTop => Said::new(
                "100 亿元以上没有上限：up_to_tier 请留空",
                "The highest tier has no upper bound: leave up_to_tier empty",
            ),
            TargetFaultKind::UnitOfMetric(unit) => Said::new(
                format!("该指标的单位是{}（{unit}）", unit.label_zh()),
                format!("The unit of this metric is {unit}"),
            ),
            TargetFaultKind::NotWhole => Said::new("个数须为整数", "A number of projects is whole"),
            TargetFaultKind::ScheduleOfYears => Said::new(
                "月度计划只适用于一年的目标或逐年的目标",
                "A months' plan is for a value of one year, or of every year",
            ),
        };
        told(Some(fault.pointer), fault.kind.code(), said)
    }
}

impl From<&Missing> for Fault {
    fn from(missing: &Missing) -> Self {
        let fault = told(missing.pointer(), missing.code(), missing_said(missing));
        match missing {
            Missing::Approval(item) => fault.with("item", item.code()),
            Missing::AnnualPlan { year } => fault.with("year", *year),
            Missing::Part(part) => match &part.name {
                Some(name) => fault
                    .with("project_id", part.id.to_string())
                    .with("name", name.clone())
                    .with("stage", part.stage.code()),
                None => fault,
            },
            Missing::AttractionFact
            | Missing::Document(_)
            | Missing::Investment
            | Missing::InvestmentBelowLeast
            | Missing::Owner
            | Missing::ExactInvestment
            | Missing::ProjectCode
            | Missing::Kind
            | Missing::StartEvidence
            | Missing::Acceptance => fault,
        }
    }
}

fn missing_said(missing: &Missing) -> Said {
    match missing {
        Missing::AttractionFact => Said::new(
            "签约引进、培育落地、争取立项至少要有一项（日期和文件）",
            "At least one of signed, landed or funds approved is needed, with date and document",
        ),
        Missing::Document(step) => {
            let (zh, en) = match step {
                AttractionStep::Signed => ("签约引进", "signing"),
                AttractionStep::Landed => ("培育落地", "landing"),
                AttractionStep::FundsApproved => ("争取立项", "approval of funds"),
            };
            Said::new(
                format!("{zh}没有证明文件"),
                format!("No document proves the {en}"),
            )
        }
        Missing::Investment => Said::new(
            "没有总投资（确数或下限）",
            "No total investment, neither exact nor a lower bound",
        ),
        Missing::InvestmentBelowLeast => Said::new(
            "总投资不足 500 万元",
            "The total investment is under 5,000,000 元",
        ),
        Missing::Owner => Said::new("没有投资主体或出资单位", "No investor or funding body"),
        Missing::ExactInvestment => Said::new("总投资没有确数", "No exact total investment"),
        Missing::ProjectCode => Said::new("没有项目代码", "No project code"),
        Missing::Kind => Said::new(
            "没有项目类型（审批、核准或备案），无法确定所需手续",
            "No kind (approved, verified or filed): which approvals it needs can't be told",
        ),
        Missing::Approval(item) => Said::new(
            format!("没有{}", item.label_zh()),
            format!("No {}", item.label_en()),
        ),
        Missing::AnnualPlan { year } => Said::new(
            format!("未列入 {year} 年度计划"),
            format!("Not in the annual plan of {year}"),
        ),
        Missing::StartEvidence => Said::new(
            "没有永久性工程开工的佐证（start_evidence）",
            "No evidence that permanent works began (start_evidence)",
        ),
        Missing::Acceptance => Said::new(
            "没有竣工验收文件（acceptance）",
            "No document of acceptance (acceptance)",
        ),
        Missing::Part(part) => match &part.name {
            Some(name) => Said::new(
                format!("子项“{name}”尚未竣工（{}）", part.stage.label_zh()),
                format!(
                    "The part \"{name}\" is not completed ({})",
                    part.stage.label_en()
                ),
            ),
            None => Said::new(
                "有一个不在您范围内的子项尚未竣工",
                "A part that is out of your scope is not completed",
            ),
        },
    }
}

impl From<&FactFault> for Fault {
    fn from(fault: &FactFault) -> Self {
        told(
            Some(fault.pointer),
            fault.kind.code(),
            fact_said(fault.kind),
        )
    }
}

fn fact_said(kind: FactFaultKind) -> Said {
    match kind {
        FactFaultKind::Required => Said::new("必须填写", "Required"),
        FactFaultKind::DateInFuture => Said::new("日期不能晚于今天", "The day is later than today"),
        FactFaultKind::DateOutOfOrder => Said::new(
            "日期先后有误",
            "The day is before the one that has to come first",
        ),
        FactFaultKind::DateNeedsAnother => Said::new(
            "达产以前须先投产",
            "Full capacity needs the day of commissioning first",
        ),
        FactFaultKind::NotStarted => Said::new(
            "项目尚未开工，不能投产",
            "Works have not started, so production can't have begun",
        ),
        FactFaultKind::AmountNotPositive => Said::new(
            "金额必须大于 0；未知请填 null",
            "The amount must be more than 0; say null if it is unknown",
        ),
        FactFaultKind::OriginalMismatch => Said::new(
            "外币金额乘以汇率不等于人民币金额",
            "The foreign amount times the rate is not the amount in 元",
        ),
        FactFaultKind::RateNotPositive => {
            Said::new("汇率必须大于 0", "The rate must be more than 0")
        }
        FactFaultKind::Document(fault) => evidence_said(fault),
        FactFaultKind::DocumentWithoutDate => Said::new(
            "有文件而没有日期",
            "A document is given without the day that it proves",
        ),
        FactFaultKind::TooMany => Said::new(
            format!("最多 {MAX_ALIASES} 个"),
            format!("{MAX_ALIASES} at the most"),
        ),
    }
}

fn evidence_said(fault: EvidenceFault) -> Said {
    match fault {
        EvidenceFault::NotIdentified => Said::new(
            "请填写文号、地址或说明中的至少一项",
            "Give at least one of number, attachment and description",
        ),
        EvidenceFault::DateInFuture => Said::new("日期不能晚于今天", "The day is later than today"),
    }
}

impl From<RegionTreeError> for Problem {
    fn from(error: RegionTreeError) -> Self {
        let fault = Fault::at(
            "/parent",
            error.code(),
            format!("地区的上下级关系有误（{error}）"),
            error.to_string(),
        );
        Self::invalid(vec![fault])
    }
}

impl From<FamilyFault> for Problem {
    fn from(fault: FamilyFault) -> Self {
        let (pointer, id, said) = match &fault {
            FamilyFault::UnknownParent(id) => (
                "/parent_id",
                id,
                Said::new("上级项目不存在", "There is no such parent"),
            ),
            FamilyFault::Cycle(id) => (
                "/parent_id",
                id,
                Said::new(
                    "项目不能是自己的上级",
                    "A project can't be its own ancestor",
                ),
            ),
            FamilyFault::TooDeep(id) => (
                "/parent_id",
                id,
                Said::new("项目群的层次太多", "The family has too many generations"),
            ),
            FamilyFault::CoverHoldsAmount(id) => (
                "/total_investment",
                id,
                Said::new("打捆项目本身不填金额", "A cover holds no amount of its own"),
            ),
            // The amounts may be out of the asker's scope.
            FamilyFault::PartsExceedWhole { whole, .. } => (
                "/total_investment",
                whole,
                Said::new(
                    "子项金额合计超过整体金额",
                    "The parts carry more than the whole",
                ),
            ),
        };
        let item = told(Some(pointer), fault.code(), said).with("project_id", id.to_string());
        Self::new(kinds::FAMILY_REFUSED).with_faults(vec![item])
    }
}

impl Problem {
    /// A change that would take away what a gate that was passed rests on.
    #[must_use]
    pub fn evidence_in_use(stage: Stage, lost: &[Missing]) -> Self {
        Self::new(kinds::EVIDENCE_IN_USE)
            .say(
                format!("项目已到{}；如要撤销，请先更正该变动", stage.label_zh()),
                format!(
                    "The project has reached {}; take that move back first",
                    stage.label_en()
                ),
            )
            .with_faults(lost.iter().map(Fault::from).collect())
    }
}

fn told(pointer: Option<&str>, code: &str, said: Said) -> Fault {
    match pointer {
        Some(pointer) => Fault::at(pointer, code, said.zh, said.en),
        None => Fault::elsewhere(code, said.zh, said.en),
    }
}
