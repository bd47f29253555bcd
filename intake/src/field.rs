//! What a column may be for. The names are those of the API where it has them.

use std::fmt;
use std::str::FromStr;

use domain::approval::ApprovalItem;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::coded::coded;
use crate::request::Kind;
use crate::value::Term;

coded! {
    /// What a column is for.
    pub enum FieldName {
        /// 项目代码, or the code of a target.
        Code => "code",
        /// The office's own number of a project (编号).
        ExternalRef => "external_ref",
        /// The id of a project that was taken out of the library (标识).
        Id => "id",
        /// The version of a project that was taken out of the library (版本).
        Version => "version",
        /// 项目名称, or what a plan calls its target (指标名称).
        Name => "name",
        /// 别名.
        Aliases => "aliases",
        /// The project that it is part of (所属项目).
        Parent => "parent",
        /// 计数方式.
        FamilyCounting => "family_counting",
        /// 县区、建设地点.
        Region => "region",
        /// 责任单位; of a target the unit of its value (计量单位).
        Unit => "unit",
        /// 行业.
        Sector => "sector",
        /// 五大工程.
        Programme => "programme",
        /// 产业链.
        Chain => "chain",
        /// 清单.
        List => "list",
        /// 项目类型 (审批、核准、备案), or whether a figure is a target or an actual (目标、实绩).
        Kind => "kind",
        /// 建设性质 (新建、续建、改扩建).
        Nature => "nature",
        /// 阶段.
        Stage => "stage",
        /// 状态: whether it goes on, is suspended or has left.
        Condition => "condition",
        /// Since when it stands in its stage (进入阶段日期).
        StageSince => "stage_since",
        /// What the stage goes by (阶段依据).
        BasisQuote => "basis_quote",
        /// Where that stands (依据出处).
        BasisSource => "basis_source",
        /// 总投资.
        TotalInvestment => "total_investment",
        /// 总投资下限.
        InvestmentFloor => "investment_floor",
        /// What is said of the amount.
        InvestmentNote => "investment_note",
        /// 投资分档.
        Tier => "tier",
        /// 外币金额.
        OriginalAmount => "original_amount",
        /// 币种.
        OriginalCurrency => "original_currency",
        /// 汇率.
        OriginalRate => "original_rate",
        /// 汇率日期.
        OriginalRateOn => "original_rate_on",
        /// 业主、建设单位.
        Owner => "owner",
        /// 统一社会信用代码.
        OwnerUscc => "owner_uscc",
        /// 项目管家.
        Steward => "steward",
        /// 建设规模、建设内容.
        Capacity => "capacity",
        /// 备注.
        Note => "note",
        /// 进展 (形象进度).
        Progress => "progress",
        /// 建设年限.
        Period => "period",
        /// 计划开工.
        PlannedStartOn => "planned_start_on",
        /// 开工.
        StartedOn => "started_on",
        /// 计划竣工.
        PlannedCompletionOn => "planned_completion_on",
        /// 竣工.
        CompletedOn => "completed_on",
        /// 签约引进.
        SignedOn => "signed_on",
        /// 培育落地.
        LandedOn => "landed_on",
        /// 争取立项.
        FundsApprovedOn => "funds_approved_on",
        /// What proves 签约引进.
        SignedDocument => "signed_document",
        /// What proves 培育落地.
        LandedDocument => "landed_document",
        /// What proves 争取立项.
        FundsApprovedDocument => "funds_approved_document",
        /// 公开: whether it may be published.
        Published => "published",
        /// 投产.
        CommissionedOn => "commissioned_on",
        /// 达产.
        AtCapacityOn => "at_capacity_on",
        /// 年度.
        Year => "year",
        /// 月份.
        Month => "month",
        /// 年度计划投资.
        PlannedInvestment => "planned_investment",
        /// Completed in the month (本月完成投资).
        Completed => "completed",
        /// Completed since the year began (本年累计完成投资).
        CompletedInYear => "completed_in_year",
        /// Completed since works began (累计完成投资).
        CompletedTotal => "completed_total",
        /// 统计入库投资.
        Statistics => "statistics",
        /// 资金下达.
        FundsAllocated => "funds_allocated",
        /// 资金到位.
        FundsReceived => "funds_received",
        /// 资金支付.
        FundsPaid => "funds_paid",
        /// 手续事项.
        Item => "item",
        /// 办理状态.
        Status => "status",
        /// 文号.
        DocumentNumber => "document_number",
        /// 批复时间.
        IssuedOn => "issued_on",
        /// 审批部门.
        Authority => "authority",
        /// Where a document can be read.
        Attachment => "attachment",
        /// Why it does not apply.
        Reason => "reason",
        /// The plan that sets a target.
        Plan => "plan",
        /// 指标类别: what a target counts.
        Metric => "metric",
        /// The lowest tier of a target.
        FromTier => "from_tier",
        /// The first year of a target.
        FromYear => "from_year",
        /// The last year of a target.
        ToYear => "to_year",
        /// 目标值.
        Value => "value",
        /// 原文.
        Quote => "quote",
        /// 出处.
        Source => "source",
    }
}

/// How a field's cells are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    Text,
    Lines,
    Texts,
    Amount,
    Date,
    Span,
    Term,
    Code,
    Uscc,
    Region,
    Stage,
    ProjectKind,
    TargetKind,
    Status,
    Item,
    Metric,
    Tier,
    Quantity,
    Flag,
}

impl FieldName {
    /// How its cells are read in a table of this kind.
    pub(crate) const fn reading(self, kind: Kind) -> Reading {
        let of_targets = matches!(kind, Kind::Targets);
        match self {
            Self::Code if of_targets => Reading::Text,
            Self::Code => Reading::Code,
            Self::Kind if of_targets => Reading::TargetKind,
            Self::Kind => Reading::ProjectKind,
            Self::Aliases => Reading::Texts,
            Self::Region => Reading::Region,
            Self::Stage => Reading::Stage,
            Self::TotalInvestment
            | Self::InvestmentFloor
            | Self::PlannedInvestment
            | Self::Completed
            | Self::CompletedInYear
            | Self::CompletedTotal
            | Self::Statistics
            | Self::FundsAllocated
            | Self::FundsReceived
            | Self::FundsPaid => Reading::Amount,
            Self::OwnerUscc => Reading::Uscc,
            Self::Capacity
            | Self::Note
            | Self::Progress
            | Self::InvestmentNote
            | Self::BasisQuote
            | Self::Quote
            | Self::Reason => Reading::Lines,
            Self::Published => Reading::Flag,
            Self::Period => Reading::Span,
            Self::PlannedStartOn
            | Self::StartedOn
            | Self::PlannedCompletionOn
            | Self::CompletedOn
            | Self::SignedOn
            | Self::LandedOn
            | Self::FundsApprovedOn
            | Self::CommissionedOn
            | Self::AtCapacityOn
            | Self::IssuedOn => Reading::Date,
            Self::Year | Self::Month | Self::FromYear | Self::ToYear => Reading::Term,
            Self::Item => Reading::Item,
            Self::Status => Reading::Status,
            Self::Metric => Reading::Metric,
            Self::FromTier => Reading::Tier,
            Self::Value => Reading::Quantity,
            Self::ExternalRef
            | Self::Id
            | Self::Version
            | Self::Name
            | Self::Parent
            | Self::Unit
            | Self::Sector
            | Self::Programme
            | Self::Chain
            | Self::List
            | Self::FamilyCounting
            | Self::Condition
            | Self::StageSince
            | Self::BasisSource
            | Self::Tier
            | Self::OriginalAmount
            | Self::OriginalCurrency
            | Self::OriginalRate
            | Self::OriginalRateOn
            | Self::SignedDocument
            | Self::LandedDocument
            | Self::FundsApprovedDocument
            | Self::Nature
            | Self::Owner
            | Self::Steward
            | Self::DocumentNumber
            | Self::Authority
            | Self::Attachment
            | Self::Plan
            | Self::Source => Reading::Text,
        }
    }

    /// The field that a heading without blanks names as the API does: `Plannedstarton`.
    pub(crate) fn of_heading(heading: &str) -> Option<Self> {
        if !heading.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return None;
        }
        let is_named = |name: &Self| {
            let letters = name.code().bytes().filter(|byte| *byte != b'_');
            letters.eq(heading.bytes().map(|byte| byte.to_ascii_lowercase()))
        };
        Self::ALL.iter().copied().find(is_named)
    }

    /// Whether it is an amount of money, which sums of a sheet add up.
    pub(crate) fn is_amount(self) -> bool {
        // The same in a table of any kind.
        self.reading(Kind::Projects) == Reading::Amount
    }

    /// Whether a cell that is merged over several rows says the same of each of them.
    pub(crate) const fn is_shared(self, kind: Kind) -> bool {
        // A project has several permits, years and months, each in a row of its own.
        let is_of_projects = matches!(kind, Kind::Projects | Kind::Targets);
        (matches!(self, Self::Name | Self::Code) && !is_of_projects)
            || matches!(
                self,
                Self::Region
                    | Self::Unit
                    | Self::Sector
                    | Self::Programme
                    | Self::Chain
                    | Self::List
                    | Self::Stage
                    | Self::Parent
                    | Self::Owner
                    | Self::Year
                    | Self::Month
                    | Self::Plan
            )
    }
}

/// Of what a column tells, if its heading says so: of a year, a month, or a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Of {
    /// A year or a month.
    Term(Term),
    /// A permit.
    Item(ApprovalItem),
}

impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Term(term) => term.fmt(f),
            Self::Item(item) => item.fmt(f),
        }
    }
}

/// What a column is for, and of what. It is written as `planned_investment`, `planned_investment@2024`,
/// `completed@2025-03`, `document_number@land_use`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Field {
    /// What it is for.
    pub name: FieldName,
    /// Of what it tells.
    pub of: Option<Of>,
}

impl From<FieldName> for Field {
    fn from(name: FieldName) -> Self {
        Self { name, of: None }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)?;
        self.of.map_or(Ok(()), |of| write!(f, "@{of}"))
    }
}

/// A text is no field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such field")]
pub struct NoField;

impl FromStr for Field {
    type Err = NoField;

    fn from_str(text: &str) -> Result<Self, NoField> {
        let (name, of) = match text.split_once('@') {
            Some((name, of)) => (name, Some(of)),
            None => (text, None),
        };
        let name = FieldName::from_code(name).ok_or(NoField)?;
        let read = |of: &str| {
            let item = ApprovalItem::from_code(of).map(Of::Item);
            item.or_else(|| of.parse().ok().map(Of::Term))
                .ok_or(NoField)
        };
        let of = of.map(read).transpose()?;
        Ok(Self { name, of })
    }
}

impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_they_are_written() {
        for text in [
            "name",
            "planned_investment@2024",
            "completed@2025-03",
            "completed@--03",
            "document_number@land_use",
        ] {
            assert_eq!(text.parse::<Field>().unwrap().to_string(), text);
        }
        for text in ["", "names", "name@", "name@x", "@2024"] {
            assert_eq!(text.parse::<Field>(), Err(NoField), "{text}");
        }
    }
}
