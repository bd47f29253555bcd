//! Permits and documents (手续), and which kinds of project need which.

use std::collections::{BTreeMap, BTreeSet};

use crate::coded::coded_enum;

coded_enum! {
    /// A permit or document that a start may need (手续事项).
    pub enum ApprovalItem {
        /// 立项: approval, verification or filing, by the project's kind.
        ProjectApproval => "project_approval", "立项（审批、核准或备案）", "project approval, verification or filing";
        /// 用地.
        LandUse => "land_use", "用地手续", "land use";
        /// 规划.
        PlanningPermit => "planning_permit", "规划许可", "planning permit";
        /// 环评.
        EnvironmentalAssessment => "environmental_assessment", "环评批复", "environmental impact assessment";
        /// 节能.
        EnergyReview => "energy_review", "节能审查", "energy conservation review";
        /// 施工许可.
        ConstructionPermit => "construction_permit", "施工许可", "construction permit";
        /// 用海.
        SeaUse => "sea_use", "用海手续", "sea use";
        /// 港口岸线.
        PortShoreline => "port_shoreline", "港口岸线使用许可", "port shoreline use";
        /// 安全条件审查.
        SafetyReview => "safety_review", "安全条件审查", "safety conditions review";
    }
}

coded_enum! {
    /// How far a permit has come (办理状态).
    pub enum ApprovalStatus {
        /// Asked for or in preparation (办理中).
        Pending => "pending", "办理中", "pending";
        /// In hand, with number, date and authority (已取得).
        Obtained => "obtained", "已取得", "obtained";
        /// Does not apply, by a manager's word and reason (不涉及).
        Waived => "waived", "不涉及", "waived";
    }
}

impl ApprovalStatus {
    /// Whether the gate takes it as settled.
    #[must_use]
    pub const fn settles(self) -> bool {
        match self {
            Self::Obtained | Self::Waived => true,
            Self::Pending => false,
        }
    }
}

coded_enum! {
    /// Who invests and which road 立项 takes (项目类型).
    pub enum ProjectKind {
        /// 政府投资，审批.
        GovernmentApproved => "government_approved", "政府投资（审批）", "government investment, approved";
        /// 企业投资，核准.
        EnterpriseApproved => "enterprise_approved", "企业投资（核准）", "enterprise investment, verified";
        /// 企业投资，备案.
        EnterpriseFiled => "enterprise_filed", "企业投资（备案）", "enterprise investment, filed";
    }
}

coded_enum! {
    /// What a sector's works touch beyond the common permits (手续类别).
    pub enum ApprovalProfile {
        /// The common permits only.
        General => "general", "一般", "general";
        /// Berths and harbour works (港口).
        Port => "port", "港口", "port";
        /// Oil, gas, power and heat (能源).
        Energy => "energy", "能源", "energy";
    }
}

/// To which projects a rule applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AppliesTo {
    /// To all projects of a kind.
    Kind(ProjectKind),
    /// To all projects of the sectors with this profile.
    Profile(ApprovalProfile),
}

impl AppliesTo {
    /// The stable code: that of the kind or of the profile.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.code(),
            Self::Profile(profile) => profile.code(),
        }
    }

    /// The value of a code, if there is one.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        ProjectKind::from_code(code)
            .map(Self::Kind)
            .or_else(|| ApprovalProfile::from_code(code).map(Self::Profile))
    }
}

/// Which approvals which projects need: data, with a sensible default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRules(BTreeSet<(AppliesTo, ApprovalItem)>);

impl ApprovalRules {
    /// The rules as given.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = (AppliesTo, ApprovalItem)>) -> Self {
        Self(rules.into_iter().collect())
    }

    /// The rules that a new installation starts with: every kind needs the six common permits, berths
    /// also sea and shoreline, energy works also the review of safety conditions.
    #[must_use]
    pub fn preset() -> Self {
        let common = [
            ApprovalItem::ProjectApproval,
            ApprovalItem::LandUse,
            ApprovalItem::PlanningPermit,
            ApprovalItem::EnvironmentalAssessment,
            ApprovalItem::EnergyReview,
            ApprovalItem::ConstructionPermit,
        ];
        let by_kind = ProjectKind::ALL
            .iter()
            .flat_map(|&kind| common.map(|item| (AppliesTo::Kind(kind), item)));
        let by_profile = [
            (ApprovalProfile::Port, ApprovalItem::SeaUse),
            (ApprovalProfile::Port, ApprovalItem::PortShoreline),
            (ApprovalProfile::Energy, ApprovalItem::SafetyReview),
        ]
        .map(|(profile, item)| (AppliesTo::Profile(profile), item));
        Self::new(by_kind.chain(by_profile))
    }

    /// What a project of this kind in a sector of this profile needs; as long as its kind is not known, what
    /// projects of every kind need.
    #[must_use]
    pub fn required(
        &self,
        kind: Option<ProjectKind>,
        profile: ApprovalProfile,
    ) -> BTreeSet<ApprovalItem> {
        let needs = |to, item| self.0.contains(&(to, item));
        ApprovalItem::ALL
            .iter()
            .copied()
            .filter(|&item| {
                let by_kind = match kind {
                    Some(kind) => needs(AppliesTo::Kind(kind), item),
                    None => ProjectKind::ALL
                        .iter()
                        .all(|&kind| needs(AppliesTo::Kind(kind), item)),
                };
                by_kind || needs(AppliesTo::Profile(profile), item)
            })
            .collect()
    }

    /// Every rule, by what it applies to.
    #[must_use]
    pub fn by_target(&self) -> BTreeMap<AppliesTo, Vec<ApprovalItem>> {
        let mut grouped: BTreeMap<AppliesTo, Vec<ApprovalItem>> = BTreeMap::new();
        for &(to, item) in &self.0 {
            grouped.entry(to).or_default().push(item);
        }
        grouped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_berth_needs_sea_and_shoreline_besides_the_common_permits() {
        let rules = ApprovalRules::preset();
        let plain = rules.required(Some(ProjectKind::EnterpriseFiled), ApprovalProfile::General);
        let berth = rules.required(Some(ProjectKind::EnterpriseFiled), ApprovalProfile::Port);
        assert_eq!(plain.len(), 6);
        let more: Vec<_> = berth.difference(&plain).copied().collect();
        assert_eq!(more, [ApprovalItem::SeaUse, ApprovalItem::PortShoreline]);
    }

    #[test]
    fn a_project_of_no_known_kind_is_told_what_every_kind_needs() {
        let (filed, general) = (
            AppliesTo::Kind(ProjectKind::EnterpriseFiled),
            ApprovalProfile::General,
        );
        let preset = ApprovalRules::preset();
        assert_eq!(preset.required(None, general).len(), 6);
        let only_filed = ApprovalRules::new([(filed, ApprovalItem::LandUse)]);
        assert!(only_filed.required(None, general).is_empty());
    }
}
