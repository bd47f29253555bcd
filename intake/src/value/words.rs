//! Words that stand for a stable code: stages, kinds, permits and their status, and what targets count.

use domain::approval::{ApprovalItem, ApprovalStatus, ProjectKind};
use domain::stage::Stage;
use domain::target::{Metric, TargetKind, TargetUnit};
use domain::tier::InvestmentTier;

use super::{LONGEST, squeezed};

/// The short text of a word; none if it is too long to be one.
fn word(text: &str) -> Option<String> {
    let word = squeezed(text);
    (word.chars().count() <= LONGEST).then_some(word)
}

fn begins<T: Copy>(text: &str, table: &[(&str, T)]) -> Option<T> {
    let exact = table.iter().find(|(word, _)| *word == text);
    let begun = || table.iter().find(|(word, _)| text.starts_with(word));
    exact.or_else(begun).map(|(_, value)| *value)
}

/// Reads a stage (阶段). 新建 and 投产 are none: a nature, and a date of its own.
#[must_use]
pub fn stage(text: &str) -> Option<Stage> {
    const WORDS: [(&str, Stage); 39] = [
        ("谋划", Stage::Planning),
        ("储备", Stage::Planning),
        ("策划", Stage::Planning),
        ("前期", Stage::Planning),
        ("拟建", Stage::Planning),
        ("规划", Stage::Planning),
        ("论证", Stage::Planning),
        ("在谈", Stage::Planning),
        ("洽谈", Stage::Planning),
        ("引育", Stage::Attraction),
        ("签约", Stage::Attraction),
        ("已签约", Stage::Attraction),
        ("落地", Stage::Attraction),
        ("已落地", Stage::Attraction),
        ("招商", Stage::Attraction),
        ("培育", Stage::Attraction),
        ("立项", Stage::Attraction),
        ("已立项", Stage::Attraction),
        ("待开工", Stage::Attraction),
        ("拟开工", Stage::Attraction),
        ("开工", Stage::Construction),
        ("已开工", Stage::Construction),
        ("新开工", Stage::Construction),
        ("在建", Stage::Construction),
        ("续建", Stage::Construction),
        ("建设中", Stage::Construction),
        ("正在建设", Stage::Construction),
        ("施工", Stage::Construction),
        ("开复工", Stage::Construction),
        ("复工", Stage::Construction),
        ("竣工", Stage::Completion),
        ("已竣工", Stage::Completion),
        ("完工", Stage::Completion),
        ("已完工", Stage::Completion),
        ("建成", Stage::Completion),
        ("已建成", Stage::Completion),
        ("已完成", Stage::Completion),
        ("已验收", Stage::Completion),
        ("竣工验收", Stage::Completion),
    ];
    let text = word(text)?;
    Stage::from_code(&text.to_ascii_lowercase()).or_else(|| begins(&text, &WORDS))
}

/// Reads who invests and which road 立项 takes (项目类型).
#[must_use]
pub fn project_kind(text: &str) -> Option<ProjectKind> {
    let text = word(text)?;
    let has = |word: &str| text.contains(word);
    let is_told = |kind: &&ProjectKind| text == kind.code() || text == squeezed(kind.label_en());
    if let Some(kind) = ProjectKind::ALL.iter().find(is_told) {
        return Some(*kind);
    }
    match (has("审批"), has("核准"), has("备案")) {
        (true, false, false) => Some(ProjectKind::GovernmentApproved),
        (false, true, false) => Some(ProjectKind::EnterpriseApproved),
        (false, false, true) => Some(ProjectKind::EnterpriseFiled),
        // 政府投资 is always 审批; 企业投资 may be either.
        (false, false, false) if has("政府投资") => Some(ProjectKind::GovernmentApproved),
        _ => None,
    }
}

/// Reads whether a figure is wanted or was reached (目标、实绩).
#[must_use]
pub fn target_kind(text: &str) -> Option<TargetKind> {
    let text = word(text)?;
    TargetKind::from_code(&text).or_else(|| {
        begins(
            &text,
            &[
                ("目标", TargetKind::Target),
                ("计划", TargetKind::Target),
                ("预期", TargetKind::Target),
                ("实绩", TargetKind::Actual),
                ("实际", TargetKind::Actual),
                ("完成", TargetKind::Actual),
            ],
        )
    })
}

/// Reads a permit (手续事项) out of a text that names it.
#[must_use]
pub fn item(text: &str) -> Option<ApprovalItem> {
    const WORDS: [(&str, ApprovalItem); 31] = [
        ("施工许可", ApprovalItem::ConstructionPermit),
        ("施工证", ApprovalItem::ConstructionPermit),
        ("开工许可", ApprovalItem::ConstructionPermit),
        ("海域", ApprovalItem::SeaUse),
        ("用海", ApprovalItem::SeaUse),
        ("岸线", ApprovalItem::PortShoreline),
        ("安全条件", ApprovalItem::SafetyReview),
        ("安全审查", ApprovalItem::SafetyReview),
        ("安全评价", ApprovalItem::SafetyReview),
        ("安评", ApprovalItem::SafetyReview),
        ("环评", ApprovalItem::EnvironmentalAssessment),
        ("环境影响", ApprovalItem::EnvironmentalAssessment),
        ("环保", ApprovalItem::EnvironmentalAssessment),
        ("节能", ApprovalItem::EnergyReview),
        ("能评", ApprovalItem::EnergyReview),
        ("用地规划", ApprovalItem::PlanningPermit),
        ("工程规划", ApprovalItem::PlanningPermit),
        ("规划许可", ApprovalItem::PlanningPermit),
        ("规划", ApprovalItem::PlanningPermit),
        ("选址", ApprovalItem::PlanningPermit),
        ("用地", ApprovalItem::LandUse),
        ("土地", ApprovalItem::LandUse),
        ("国土", ApprovalItem::LandUse),
        ("不动产", ApprovalItem::LandUse),
        ("立项", ApprovalItem::ProjectApproval),
        ("可研", ApprovalItem::ProjectApproval),
        ("可行性研究", ApprovalItem::ProjectApproval),
        ("项目建议书", ApprovalItem::ProjectApproval),
        ("核准", ApprovalItem::ProjectApproval),
        ("备案", ApprovalItem::ProjectApproval),
        ("项目审批", ApprovalItem::ProjectApproval),
    ];
    let text = word(text)?;
    let found = || WORDS.iter().find(|(word, _)| text.contains(word));
    ApprovalItem::from_code(&text).or_else(|| found().map(|(_, item)| *item))
}

/// Reads how far a permit has come (办理状态).
#[must_use]
pub fn status(text: &str) -> Option<ApprovalStatus> {
    const WORDS: [(&str, ApprovalStatus); 43] = [
        ("不涉及", ApprovalStatus::Waived),
        ("不需要", ApprovalStatus::Waived),
        ("不需", ApprovalStatus::Waived),
        ("无需", ApprovalStatus::Waived),
        ("不用", ApprovalStatus::Waived),
        ("不适用", ApprovalStatus::Waived),
        ("免办", ApprovalStatus::Waived),
        ("豁免", ApprovalStatus::Waived),
        ("办理中", ApprovalStatus::Pending),
        ("正在办理", ApprovalStatus::Pending),
        ("在办", ApprovalStatus::Pending),
        ("待办", ApprovalStatus::Pending),
        ("未办", ApprovalStatus::Pending),
        ("未完成", ApprovalStatus::Pending),
        ("未取得", ApprovalStatus::Pending),
        ("尚未", ApprovalStatus::Pending),
        ("正在", ApprovalStatus::Pending),
        ("编制中", ApprovalStatus::Pending),
        ("申报中", ApprovalStatus::Pending),
        ("审批中", ApprovalStatus::Pending),
        ("审查中", ApprovalStatus::Pending),
        ("已申报", ApprovalStatus::Pending),
        ("已受理", ApprovalStatus::Pending),
        ("已上报", ApprovalStatus::Pending),
        ("拟", ApprovalStatus::Pending),
        ("否", ApprovalStatus::Pending),
        ("×", ApprovalStatus::Pending),
        ("已办", ApprovalStatus::Obtained),
        ("已取得", ApprovalStatus::Obtained),
        ("取得", ApprovalStatus::Obtained),
        ("已批", ApprovalStatus::Obtained),
        ("已核准", ApprovalStatus::Obtained),
        ("已备案", ApprovalStatus::Obtained),
        ("已核发", ApprovalStatus::Obtained),
        ("已完成", ApprovalStatus::Obtained),
        ("已立项", ApprovalStatus::Obtained),
        ("已获", ApprovalStatus::Obtained),
        ("办结", ApprovalStatus::Obtained),
        ("完成", ApprovalStatus::Obtained),
        ("是", ApprovalStatus::Obtained),
        ("有", ApprovalStatus::Obtained),
        ("√", ApprovalStatus::Obtained),
        ("✓", ApprovalStatus::Obtained),
    ];
    let text = word(text)?;
    ApprovalStatus::from_code(&text).or_else(|| begins(&text, &WORDS))
}

/// Whether a text looks like the number of a document (文号): 盘环审〔2024〕5号, 地字第2111号.
#[must_use]
pub fn is_document_number(text: &str) -> bool {
    let text = squeezed(text);
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    has_digit && (text.contains('号') || (text.contains('[') && text.contains(']')))
}

/// Reads what a target counts (指标类别).
#[must_use]
pub fn metric(text: &str) -> Option<Metric> {
    let text = word(text)?;
    let of_label = Metric::ALL.iter().find(|metric| metric.label_zh() == text);
    Metric::from_code(&text)
        .or_else(|| of_label.copied())
        .or_else(|| {
            begins(
                &text,
                &[
                    ("项目数", Metric::ProjectCount),
                    ("完成投资", Metric::CompletedInvestment),
                    ("开复工", Metric::UnderConstruction),
                    ("新开工", Metric::New),
                    ("签约", Metric::Signed),
                    ("落地", Metric::Landed),
                ],
            )
        })
}

/// Reads a tier of total investment by its code, its label or its lower bound: 亿元以上, 500万元以上.
#[must_use]
pub fn tier(text: &str) -> Option<InvestmentTier> {
    let text = word(text)?;
    let of_label = || {
        InvestmentTier::ALL
            .iter()
            .find(|tier| tier.label_zh() == text)
            .copied()
    };
    let of_bound = || {
        let bound = match text.as_str() {
            "亿元以上" | "亿元及以上" | "超亿元" => "1亿元",
            other => other
                .strip_suffix("以上")
                .map(|text| text.trim_end_matches('及'))?,
        };
        let amount = super::amount(bound, None).ok()??.amount;
        InvestmentTier::ALL
            .iter()
            .find(|tier| tier.lower_bound() == Some(amount))
            .copied()
    };
    InvestmentTier::from_code(&text)
        .or_else(of_label)
        .or_else(of_bound)
}

/// Reads the unit of a target (计量单位), and the zeros that its values need to be in the base unit.
#[must_use]
pub fn target_unit(text: &str) -> Option<(TargetUnit, i32)> {
    let text = word(text)?;
    let text = text.trim_matches(['(', ')']);
    let money =
        |text: &str| crate::unit::Unit::parse(text).map(|unit| (TargetUnit::Yuan, unit.zeros()));
    let dollars = || {
        let counted = text.strip_suffix("美元")?;
        let zeros = match counted {
            "" => 0,
            "万" => 4,
            "百万" => 6,
            "亿" => 8,
            _ => return None,
        };
        Some((TargetUnit::Usd, zeros))
    };
    match text {
        "个" | "项" | "家" | "户" | "件" => Some((TargetUnit::Project, 0)),
        "%" | "百分比" | "个百分点" | "百分点" => Some((TargetUnit::Percent, 0)),
        "亩" => Some((TargetUnit::Mu, 0)),
        "万亩" => Some((TargetUnit::Mu, 4)),
        other => TargetUnit::from_code(other)
            .map(|unit| (unit, 0))
            .or_else(dollars)
            .or_else(|| money(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read_by_their_synonyms() {
        for (text, code) in [
            ("谋划", "planning"),
            ("储备", "planning"),
            ("前期工作", "planning"),
            ("签约", "attraction"),
            ("已签约", "attraction"),
            ("在建", "construction"),
            ("已开工", "construction"),
            ("续 建", "construction"),
            ("已竣工", "completion"),
            ("竣工", "completion"),
            ("completion", "completion"),
        ] {
            assert_eq!(stage(text).map(Stage::code), Some(code), "{text}");
        }
        for text in ["新建", "投产", "未开工", "", "停工"] {
            assert_eq!(stage(text), None, "{text}");
        }
    }

    #[test]
    fn permits_and_their_status_are_read() {
        for (text, code) in [
            ("环评批复", "environmental_assessment"),
            ("建设用地规划许可证", "planning_permit"),
            ("用地手续", "land_use"),
            ("施工许可证", "construction_permit"),
            ("海域使用权", "sea_use"),
            ("节能审查", "energy_review"),
            ("立项（核准）", "project_approval"),
        ] {
            assert_eq!(item(text).map(ApprovalItem::code), Some(code), "{text}");
        }
        for (text, code) in [
            ("已办", "obtained"),
            ("已办理", "obtained"),
            ("√", "obtained"),
            ("办理中", "pending"),
            ("未办理", "pending"),
            ("不涉及", "waived"),
            ("无需办理", "waived"),
        ] {
            assert_eq!(status(text).map(ApprovalStatus::code), Some(code), "{text}");
        }
        assert_eq!(status("盘环审〔2024〕5号"), None);
        assert!(is_document_number("盘环审〔2024〕5号"));
        assert!(!is_document_number("已办"));
    }

    #[test]
    fn units_of_targets_bring_their_zeros() {
        assert_eq!(target_unit("个"), Some((TargetUnit::Project, 0)));
        assert_eq!(target_unit("亿元"), Some((TargetUnit::Yuan, 8)));
        assert_eq!(target_unit("万美元"), Some((TargetUnit::Usd, 4)));
        assert_eq!(target_unit("％"), Some((TargetUnit::Percent, 0)));
        assert_eq!(target_unit("吨"), None);
        assert_eq!(
            tier("亿元以上").map(InvestmentTier::code),
            Some("from_100m")
        );
        assert_eq!(
            tier("500万元以上").map(InvestmentTier::code),
            Some("from_5m")
        );
    }
}
