//! What a workbook that was taken out tells of a project and no import changes: whoever edits it there is told so, or he would
//! think that it is done.

use domain::evidence::Evidence;
use domain::family::FamilyCounting;
use domain::project::Facts;
use domain::stage::Condition;
use domain::tier::InvestmentTier;
use intake::document::Cell;
use intake::field::{Field, FieldName};
use intake::value::{Date, Value};

use super::cells::{Source, same_text};
use crate::entity::project::Model;
use crate::import::Remark;

/// What a cell said, in the languages that workbooks are written in; nothing if it was empty.
type Said = Vec<String>;

/// A field that is not changed, and what is to be done instead.
type Kept = (FieldName, &'static str, &'static str);

const BY_MOVES: (&str, &str) = ("请用“阶段变动”", "move the project");
const BY_HAND: (&str, &str) = ("请在系统中修改", "change it in the system");
const BY_ITSELF: (&str, &str) = ("由系统得出", "it follows from the others");

const fn kept(name: FieldName, (zh, en): (&'static str, &'static str)) -> Kept {
    (name, zh, en)
}

/// The fields, but for the stage, of which every row is told.
const KEPT: [Kept; 16] = [
    kept(FieldName::FamilyCounting, BY_HAND),
    kept(FieldName::List, BY_HAND),
    kept(FieldName::Condition, BY_MOVES),
    kept(FieldName::StageSince, BY_MOVES),
    kept(FieldName::StartedOn, BY_MOVES),
    kept(FieldName::CompletedOn, BY_MOVES),
    kept(FieldName::BasisQuote, BY_MOVES),
    kept(FieldName::BasisSource, BY_MOVES),
    kept(FieldName::Tier, BY_ITSELF),
    kept(FieldName::OriginalAmount, BY_HAND),
    kept(FieldName::OriginalCurrency, BY_HAND),
    kept(FieldName::OriginalRate, BY_HAND),
    kept(FieldName::OriginalRateOn, BY_HAND),
    kept(FieldName::SignedDocument, BY_HAND),
    kept(FieldName::LandedDocument, BY_HAND),
    kept(FieldName::FundsApprovedDocument, BY_HAND),
];

/// A project as a workbook tells it.
pub(super) struct Shown<'a> {
    pub(super) model: &'a Model,
    pub(super) facts: &'a Facts,
    /// What its lists are called; none if it is not known any more.
    pub(super) lists: Option<String>,
}

impl Shown<'_> {
    /// A remark on each cell of the row that says something else than when it was taken out.
    pub(super) fn remarks(&self, source: &Source) -> Vec<Remark> {
        let edited = KEPT
            .into_iter()
            .filter(|(name, ..)| self.is_edited(source, *name));
        let remarks = edited.map(|(name, zh, en)| {
            source.placed(Remark {
                field: Some(name.code().to_owned()),
                ..Remark::of_row(
                    "cell_not_taken",
                    format!("这一栏不随导入变动，{zh}"),
                    format!("An import does not change this; {en}"),
                )
            })
        });
        remarks.collect()
    }

    fn is_edited(&self, source: &Source, name: FieldName) -> bool {
        let Some(said) = self.said(name) else {
            return false;
        };
        match source.row.fields.get(&Field::from(name)) {
            Some(cell) => {
                let is_as_it_was = now(cell).map_or(said.is_empty(), |now| {
                    said.iter().any(|was| same_text(was, &now))
                });
                let tells_nothing = said.is_empty() && cell.value == Value::Unknown;
                !is_as_it_was && !tells_nothing
            }
            None => source.has_column(name) && !said.is_empty(),
        }
    }

    /// What the cell of a field said; none if that can't be told.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the other columns are taken"
    )]
    fn said(&self, name: FieldName) -> Option<Said> {
        let Self { model, facts, .. } = self;
        let one = |text: Option<String>| Some(text.into_iter().collect());
        let both = |labels: Option<(&str, &str)>| {
            let texts = labels.map(|(zh, en)| vec![zh.to_owned(), en.to_owned()]);
            Some(texts.unwrap_or_default())
        };
        let day = |day: Option<chrono::NaiveDate>| one(day.map(|day| day.to_string()));
        let original = facts.original.as_ref();
        let document = |document: &Option<Evidence>| {
            let document = document.as_ref();
            one(document.and_then(Evidence::known_by).map(str::to_owned))
        };
        match name {
            FieldName::FamilyCounting => both(
                FamilyCounting::from_code(&model.family_counting)
                    .map(|counting| (counting.label_zh(), counting.label_en())),
            ),
            FieldName::List => {
                let lists = self.lists.clone()?;
                one(Some(lists).filter(|lists| !lists.is_empty()))
            }
            FieldName::Condition => both(
                Condition::from_code(&model.condition)
                    .map(|condition| (condition.label_zh(), condition.label_en())),
            ),
            FieldName::StageSince => day(model.stage_since),
            FieldName::StartedOn => day(model.started_on),
            FieldName::CompletedOn => day(model.completed_on),
            FieldName::BasisQuote => one(model.basis_quote.clone()),
            FieldName::BasisSource => one(model.basis_source.clone()),
            FieldName::Tier => both(
                InvestmentTier::from_code(&model.tier)
                    .map(|tier| (tier.label_zh(), tier.label_en())),
            ),
            FieldName::OriginalAmount => one(original.map(|of| of.amount.to_string())),
            FieldName::OriginalCurrency => one(original.map(|of| of.currency.as_str().to_owned())),
            FieldName::OriginalRate => one(original.map(|of| of.rate.to_string())),
            FieldName::OriginalRateOn => day(original.map(|of| of.rate_on)),
            FieldName::SignedDocument => document(&facts.signed.document),
            FieldName::LandedDocument => document(&facts.landed.document),
            FieldName::FundsApprovedDocument => document(&facts.funds_approved.document),
            _ => None,
        }
    }
}

/// What a cell says now; nothing if it is empty.
fn now(cell: &Cell) -> Option<String> {
    if let Value::Date(Date::Day(day)) = cell.value {
        return Some(day.to_string());
    }
    Some(cell.text.clone()).filter(|text| !text.trim().is_empty())
}
