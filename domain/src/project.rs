//! What may be said of a project (项目), and what is wrong with it.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use crate::approval::ProjectKind;
use crate::code::{ProjectCode, Uscc};
use crate::evidence::EvidenceFault;
use crate::family::FamilyCounting;
use crate::gate::AttractionFact;
use crate::id::ProjectId;
use crate::money::Money;
use crate::region::RegionCode;
use crate::stage::Stage;
use crate::text::Text;
use crate::tier::Investment;

/// The longest name, in characters.
pub const MAX_NAME: usize = 200;
/// How many aliases a project may have.
pub const MAX_ALIASES: usize = 20;
/// The longest note, in characters.
pub const MAX_PROJECT_NOTE: usize = 4000;
/// The longest code of a unit, programme, sector, chain or list, in characters.
pub const MAX_CODE: usize = 64;

/// The code of a unit, programme, sector, chain or list.
pub type RefCode = Text<MAX_CODE>;

/// Who invests or funds (业主、投资主体).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub name: Text<MAX_NAME>,
    /// Its 统一社会信用代码.
    pub uscc: Option<Uscc>,
}

/// An amount in a foreign currency, kept beside the one in 元 (外币原值).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalAmount {
    /// The amount, in hundredths of the currency's unit.
    pub amount: Money,
    /// ISO 4217.
    pub currency: Currency,
    /// 元 for one unit of the currency.
    pub rate: Decimal,
    /// The day of the rate.
    pub rate_on: NaiveDate,
}

/// A currency other than CNY: three capital letters (ISO 4217).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency(String);

impl Currency {
    /// Takes three capital letters, but not CNY.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let is_code = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        (is_code && code != "CNY").then(|| Self(code.to_owned()))
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The facts that people enter; the rest of a project is derived, or moved by rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// 项目代码.
    pub code: Option<ProjectCode>,
    /// 项目名称.
    pub name: Text<MAX_NAME>,
    /// Other names it goes by (别名).
    pub aliases: Vec<Text<MAX_NAME>>,
    /// The project that it is part of.
    pub parent: Option<ProjectId>,
    /// How its family is counted.
    pub counting: FamilyCounting,
    /// Where it is (所在地).
    pub region: RegionCode,
    /// Who answers for it (责任单位).
    pub unit: Option<RefCode>,
    /// 五大工程.
    pub programme: Option<RefCode>,
    /// 行业.
    pub sector: Option<RefCode>,
    /// 产业链.
    pub chain: Option<RefCode>,
    /// 项目类型.
    pub kind: Option<ProjectKind>,
    /// 总投资.
    pub investment: Investment,
    /// The amount as it was agreed in a foreign currency.
    pub original: Option<OriginalAmount>,
    /// What a text says of the amount beyond a figure.
    pub investment_note: Option<Text<1000>>,
    /// 业主.
    pub owner: Option<Owner>,
    /// 项目管家.
    pub steward: Option<Text<100>>,
    /// What it will produce or build (建设规模).
    pub capacity: Option<Text<1000>>,
    /// Anything else.
    pub note: Option<Text<MAX_PROJECT_NOTE>>,
    /// 计划开工.
    pub planned_start_on: Option<NaiveDate>,
    /// 计划竣工.
    pub planned_completion_on: Option<NaiveDate>,
    /// 签约引进.
    pub signed: AttractionFact,
    /// 培育落地.
    pub landed: AttractionFact,
    /// 争取立项.
    pub funds_approved: AttractionFact,
    /// 投产.
    pub commissioned_on: Option<NaiveDate>,
    /// 达产.
    pub at_capacity_on: Option<NaiveDate>,
    /// Whether it may be told to everybody (公开), which a manager decides.
    pub published: bool,
}

/// Something wrong with a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactFault {
    /// The field.
    pub pointer: &'static str,
    /// What is wrong.
    pub kind: FactFaultKind,
}

/// What may be wrong with a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactFaultKind {
    /// The field may not be empty.
    Required,
    /// Later than today.
    DateInFuture,
    /// Before the date that has to come first.
    DateOutOfOrder,
    /// A date needs another one first.
    DateNeedsAnother,
    /// Production cannot begin before permanent works have.
    NotStarted,
    /// An amount of nothing: unknown is said by leaving it empty.
    AmountNotPositive,
    /// Amount times rate is not the amount in 元.
    OriginalMismatch,
    /// A rate of nothing or less.
    RateNotPositive,
    /// A document that proves nothing.
    Document(EvidenceFault),
    /// A document without the date of the fact that it proves.
    DocumentWithoutDate,
    /// More aliases than [`MAX_ALIASES`].
    TooMany,
}

impl FactFaultKind {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::DateInFuture => "date_in_future",
            Self::DateOutOfOrder => "date_out_of_order",
            Self::DateNeedsAnother => "date_needs_another",
            Self::NotStarted => "not_started",
            Self::AmountNotPositive => "amount_not_positive",
            Self::OriginalMismatch => "original_mismatch",
            Self::RateNotPositive => "rate_not_positive",
            Self::Document(fault) => fault.code(),
            Self::DocumentWithoutDate => "document_without_date",
            Self::TooMany => "too_many",
        }
    }
}

/// Where the project stands, as far as its facts depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FactsContext {
    /// Its stage.
    pub stage: Stage,
    /// The day permanent works began, if known.
    pub started_on: Option<NaiveDate>,
    /// Today.
    pub today: NaiveDate,
}

impl Facts {
    /// Everything that is wrong with the facts as a whole.
    #[must_use]
    pub fn faults(&self, context: FactsContext) -> Vec<FactFault> {
        let mut faults = Vec::new();
        if self.aliases.len() > MAX_ALIASES {
            faults.push(fault("/aliases", FactFaultKind::TooMany));
        }
        self.check_money(&mut faults, context.today);
        self.check_attraction(&mut faults, context.today);
        self.check_dates(&mut faults, context);
        faults
    }

    /// What a new registration lacks: 谋划's own gate.
    #[must_use]
    pub fn missing_for_registration(&self) -> Vec<FactFault> {
        let mut faults = Vec::new();
        if self.unit.is_none() {
            faults.push(fault("/unit", FactFaultKind::Required));
        }
        if self.sector.is_none() {
            faults.push(fault("/sector", FactFaultKind::Required));
        }
        faults
    }

    fn check_money(&self, faults: &mut Vec<FactFault>, today: NaiveDate) {
        if self.investment.known() == Some(Money::ZERO) {
            faults.push(fault("/total_investment", FactFaultKind::AmountNotPositive));
        }
        let Some(original) = &self.original else {
            return;
        };
        if original.rate_on > today {
            faults.push(fault(
                "/total_investment/original/rate_on",
                FactFaultKind::DateInFuture,
            ));
        }
        if original.rate <= Decimal::ZERO {
            // Such a rate makes no product that could agree or not.
            faults.push(fault(
                "/total_investment/original/rate",
                FactFaultKind::RateNotPositive,
            ));
            return;
        }
        // Texts round the product to the 元; a larger difference is a slip of the pen.
        let agrees = self.investment.known().is_some_and(|known| {
            Decimal::from(original.amount.fen())
                .checked_mul(original.rate)
                .is_some_and(|fen| (fen - Decimal::from(known.fen())).abs() <= Decimal::ONE_HUNDRED)
        });
        if !agrees {
            faults.push(fault(
                "/total_investment/original/amount",
                FactFaultKind::OriginalMismatch,
            ));
        }
    }

    fn check_attraction(&self, faults: &mut Vec<FactFault>, today: NaiveDate) {
        let facts = [
            ("/signed_on", "/signed_document", &self.signed),
            ("/landed_on", "/landed_document", &self.landed),
            (
                "/funds_approved_on",
                "/funds_approved_document",
                &self.funds_approved,
            ),
        ];
        for (on, document, fact) in facts {
            if fact.on.is_some_and(|day| day > today) {
                faults.push(fault(on, FactFaultKind::DateInFuture));
            }
            if let Some(evidence) = &fact.document {
                if fact.on.is_none() {
                    faults.push(fault(document, FactFaultKind::DocumentWithoutDate));
                }
                faults.extend(
                    evidence
                        .faults(today)
                        .into_iter()
                        .map(|f| fault(document, FactFaultKind::Document(f))),
                );
            }
        }
    }

    fn check_dates(&self, faults: &mut Vec<FactFault>, context: FactsContext) {
        if let (Some(start), Some(end)) = (self.planned_start_on, self.planned_completion_on)
            && end < start
        {
            faults.push(fault(
                "/planned_completion_on",
                FactFaultKind::DateOutOfOrder,
            ));
        }
        if self.at_capacity_on.is_some_and(|day| day > context.today) {
            faults.push(fault("/at_capacity_on", FactFaultKind::DateInFuture));
        }
        let Some(commissioned) = self.commissioned_on else {
            if self.at_capacity_on.is_some() {
                faults.push(fault("/at_capacity_on", FactFaultKind::DateNeedsAnother));
            }
            return;
        };
        if context.stage < Stage::Construction {
            faults.push(fault("/commissioned_on", FactFaultKind::NotStarted));
        }
        if commissioned > context.today {
            faults.push(fault("/commissioned_on", FactFaultKind::DateInFuture));
        }
        if context.started_on.is_some_and(|start| commissioned < start) {
            faults.push(fault("/commissioned_on", FactFaultKind::DateOutOfOrder));
        }
        if self.at_capacity_on.is_some_and(|day| day < commissioned) {
            faults.push(fault("/at_capacity_on", FactFaultKind::DateOutOfOrder));
        }
    }
}

const fn fault(pointer: &'static str, kind: FactFaultKind) -> FactFault {
    FactFault { pointer, kind }
}

#[cfg(test)]
mod tests;
