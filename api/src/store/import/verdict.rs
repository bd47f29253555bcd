//! What is to be done with a row.

use std::collections::BTreeMap;

use domain::approval::ApprovalItem;
use domain::money::Money;
use domain::monthly::{Figures, Month};
use domain::project::Facts;
use domain::target::Target;
use domain::text::Text;
use domain::transition::Standing;
use intake::Kind;
use intake::field::FieldName;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::import::Remark;
use crate::store::approval::Approval;
use crate::store::external_ref::ExternalRef;

/// What is done with a row whose project has the name and the region of another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SameName {
    /// It is shown and left.
    #[default]
    Ask,
    /// It is taken for that project.
    Amend,
    /// It is registered as another one.
    Create,
}

/// What is known of a file besides what stands in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// What its rows are.
    pub kind: Kind,
    /// The region of rows that name none.
    pub region: Option<String>,
    /// The responsible unit of rows that name none.
    pub responsible_unit: Option<String>,
    /// The sector of rows that name none.
    pub sector: Option<String>,
    /// The system whose keys stand in the column 编号; none if they are not kept.
    pub system: Option<String>,
    /// What is done where only name and region are the same.
    pub same_name: SameName,
    /// Whether existing projects are taken over at their stage (期初导入).
    pub opening_balance: bool,
}

impl Terms {
    /// Whether a column for a field says something that is taken in, or what the row is about.
    #[must_use]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what is not named is not taken"
    )]
    pub fn takes(&self, name: FieldName) -> bool {
        use FieldName as F;
        let is_of_project = match name {
            F::Id | F::Version | F::Code | F::Name | F::Region => true,
            F::ExternalRef => self.system.is_some(),
            _ => false,
        };
        match self.kind {
            Kind::Projects => {
                let is_standing = matches!(name, F::Stage | F::StartedOn | F::CompletedOn);
                is_of_project
                    || (is_standing && self.opening_balance)
                    || matches!(
                        name,
                        F::Aliases
                            | F::Parent
                            | F::Unit
                            | F::Sector
                            | F::Programme
                            | F::Chain
                            | F::Kind
                            | F::TotalInvestment
                            | F::InvestmentFloor
                            | F::InvestmentNote
                            | F::Owner
                            | F::OwnerUscc
                            | F::Steward
                            | F::Capacity
                            | F::Note
                            | F::Period
                            | F::PlannedStartOn
                            | F::PlannedCompletionOn
                            | F::SignedOn
                            | F::LandedOn
                            | F::FundsApprovedOn
                            | F::CommissionedOn
                            | F::AtCapacityOn
                            | F::Published
                    )
            }
            Kind::AnnualPlans => is_of_project || matches!(name, F::Year | F::PlannedInvestment),
            Kind::MonthlyFigures => {
                is_of_project
                    || matches!(
                        name,
                        F::Year
                            | F::Month
                            | F::Completed
                            | F::Statistics
                            | F::FundsAllocated
                            | F::FundsReceived
                            | F::FundsPaid
                    )
            }
            Kind::Approvals => {
                is_of_project
                    || matches!(
                        name,
                        F::Item
                            | F::Status
                            | F::DocumentNumber
                            | F::IssuedOn
                            | F::Authority
                            | F::Attachment
                            | F::Reason
                    )
            }
            Kind::Targets => matches!(
                name,
                F::Code
                    | F::Name
                    | F::Plan
                    | F::Region
                    | F::Programme
                    | F::Sector
                    | F::FromTier
                    | F::Metric
                    | F::Kind
                    | F::Year
                    | F::FromYear
                    | F::ToYear
                    | F::Value
                    | F::Unit
                    | F::Quote
                    | F::Source
            ),
        }
    }

    /// Terms that say nothing but what the rows are.
    #[must_use]
    pub const fn of(kind: Kind) -> Self {
        Self {
            kind,
            region: None,
            responsible_unit: None,
            sector: None,
            system: None,
            same_name: SameName::Ask,
            opening_balance: false,
        }
    }

    /// A system's key of a project, as it stands in a cell.
    pub(super) fn external(&self, key: &str) -> Option<ExternalRef> {
        Some(ExternalRef {
            system: Text::parse(self.system.as_deref()?).ok()?,
            key: Text::parse(key).ok()?,
        })
    }
}

/// Where a row stands: in which sheet, from 0, and in which row of it, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The sheet.
    pub sheet: usize,
    /// The row.
    pub row: u32,
}

/// A project to be registered or taken over.
#[derive(Clone, Debug)]
pub(crate) struct New {
    /// What is said of it.
    pub(crate) facts: Facts,
    /// Where it stands, if it is taken over; and the words of the file for that.
    pub(crate) standing: Option<(Standing, String)>,
    /// Which of the verdicts registers the project that it is part of, if that is new.
    pub(crate) parent: Option<usize>,
    /// How another system knows it.
    pub(crate) external: Option<ExternalRef>,
}

/// Something that a row does to the library.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// A project is registered.
    Enter(Box<New>),
    /// A project is amended, linked to another system's key, or both.
    Amend {
        id: Uuid,
        seen: i64,
        after: Box<Facts>,
        link: Option<ExternalRef>,
    },
    /// A project is put into the annual plan of a year, or its planned investment is changed.
    Plan {
        id: Uuid,
        year: i32,
        planned: Option<Money>,
        seen: Option<i64>,
    },
    /// The figures of a month are entered or changed.
    Figures {
        id: Uuid,
        month: Month,
        figures: Figures,
        seen: Option<i64>,
    },
    /// It is said how a permit stands.
    Approval {
        id: Uuid,
        item: ApprovalItem,
        approval: Box<Approval>,
        seen: Option<i64>,
    },
    /// A target is set.
    Target {
        target: Box<Target>,
        seen: Option<i64>,
    },
}

/// A project that a row may be about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Twin {
    /// Its id; none if it is another row of the file.
    pub id: Option<Uuid>,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its code.
    pub code: Option<String>,
    /// The other row of the file.
    pub row: Option<u32>,
}

/// Why a row may be about a project that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Likeness {
    /// 项目代码 or key is the same, within the file.
    SameKey,
    /// Name and region are the same.
    SameName,
    /// The names are nearly the same.
    SimilarName,
}

impl Likeness {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::SameKey => "same_key",
            Self::SameName => "same_name",
            Self::SimilarName => "similar_name",
        }
    }
}

/// What is like a row, and how much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Double {
    /// How.
    pub likeness: Likeness,
    /// Whether the row is left for it.
    pub is_held: bool,
    /// What is like it.
    pub of: Vec<Twin>,
}

/// What comes of a row.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// It does something.
    Do {
        deed: Deed,
        is_new: bool,
        before: Option<Value>,
        after: Option<Value>,
    },
    /// It stands so already.
    Same,
    /// It is left, for somebody has to say what it is about.
    Held,
    /// It can't be taken in.
    Refused,
}

/// What comes of a row, and what has to be said of it.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    /// Where the row stands.
    pub(crate) place: Place,
    /// The name of its project or target.
    pub(crate) name: String,
    /// What comes of it.
    pub(crate) what: What,
    /// What is like it.
    pub(crate) double: Option<Double>,
    /// What is wrong with it, or has to be told.
    pub(crate) remarks: Vec<Remark>,
    /// Its cells by the letters of their columns, if it is refused or held.
    pub(crate) cells: BTreeMap<String, String>,
}

impl Verdict {
    /// Refuses the row; what else there was to say of it no longer matters.
    pub(crate) fn refuse(&mut self, remarks: Vec<Remark>) {
        self.what = What::Refused;
        self.remarks = remarks;
    }
}
