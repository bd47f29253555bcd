//! One row read into its fields.

use domain::approval::{ApprovalItem, ApprovalStatus, ProjectKind};
use domain::stage::Stage;
use domain::target::{Metric, TargetKind, TargetUnit};
use domain::tier::InvestmentTier;

use super::mapping::Mapped;
use crate::document::{Cell, Data, Fault, FaultCode};
use crate::field::{FieldName, Reading};
use crate::grid::Raw;
use crate::request::Kind;
use crate::unit::Unit;
use crate::value::amount::amount_of_number;
use crate::value::date::{date_of_number, of_serial};
use crate::value::period::{span, term};
use crate::value::{
    self, Date, Decimal, Term, Value, amount, codes, date, squeezed, tidy, tidy_lines, words,
};

/// What is needed to read the cells of a sheet.
pub(super) struct Eye {
    pub(super) kind: Kind,
    /// The unit of amounts for which neither cell nor heading tells one.
    pub(super) unit: Option<Unit>,
    pub(super) is_1904: bool,
    pub(super) is_plain: bool,
    /// The unit that the row tells for the value of a target.
    pub(super) measure: Option<String>,
}

impl Eye {
    /// Reads a cell as its column is for.
    pub(super) fn read(&self, mapped: &Mapped, raw: &Raw) -> Result<Value, FaultCode> {
        match raw {
            Raw::Error(_) => return Err(FaultCode::CellError),
            Raw::Uncomputed => return Err(FaultCode::NotComputed),
            Raw::Text { .. } | Raw::Number { .. } | Raw::Date { .. } | Raw::Bool(_) => {}
        }
        let reading = mapped.field.name.reading(self.kind);
        let shown = raw.shown();
        if value::is_unknown(&shown) {
            return Ok(Value::Unknown);
        }
        match reading {
            Reading::Text => Ok(Value::Text(tidy(&shown))),
            Reading::Lines => Ok(Value::Text(tidy_lines(&shown))),
            Reading::Texts => Ok(Value::Texts(parted(&shown))),
            Reading::Amount => self.amount(raw, &shown, mapped.unit.or(self.unit)),
            Reading::Date => self.date(raw, &shown).map(Value::Date),
            Reading::Span => match raw {
                Raw::Text { .. } => span(&shown)?.map(Value::Span).ok_or(FaultCode::NotASpan),
                Raw::Number { .. }
                | Raw::Date { .. }
                | Raw::Bool(_)
                | Raw::Error(_)
                | Raw::Uncomputed => self
                    .date(raw, &shown)
                    .map(|day| Value::Span(value::Span { from: day, to: day })),
            },
            Reading::Term => self.term(mapped.field.name, raw, &shown).map(Value::Term),
            Reading::Code => codes::project_code(&shown).map(Value::Code),
            Reading::Uscc => codes::uscc(&shown).map(Value::Code),
            Reading::Region => Ok(codes::region(&shown)),
            Reading::Stage => code(
                words::stage(&shown).map(Stage::code),
                FaultCode::UnknownStage,
            ),
            Reading::ProjectKind => code(
                words::project_kind(&shown).map(ProjectKind::code),
                FaultCode::UnknownKind,
            ),
            Reading::TargetKind => code(
                words::target_kind(&shown).map(TargetKind::code),
                FaultCode::UnknownKind,
            ),
            Reading::Status => self.status(raw, &shown),
            Reading::Item => code(
                words::item(&shown).map(ApprovalItem::code),
                FaultCode::UnknownItem,
            ),
            Reading::Metric => code(
                words::metric(&shown).map(Metric::code),
                FaultCode::UnknownMetric,
            ),
            Reading::Tier => code(
                words::tier(&shown).map(InvestmentTier::code),
                FaultCode::UnknownTier,
            ),
            Reading::Quantity => self.quantity(raw, &shown, mapped.unit),
            Reading::Flag => codes::flag(&shown).map(|is_so| Value::Code(is_so.to_string())),
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "one manner of reading beside the others"
    )]
    fn amount(&self, raw: &Raw, shown: &str, unit: Option<Unit>) -> Result<Value, FaultCode> {
        match raw {
            Raw::Number {
                value,
                is_share: false,
            } => amount_of_number(*value, unit).map(Value::Amount),
            Raw::Text { .. } => Ok(amount(shown, unit)?.map_or(Value::Unknown, Value::Amount)),
            Raw::Number { is_share: true, .. }
            | Raw::Date { .. }
            | Raw::Bool(_)
            | Raw::Error(_)
            | Raw::Uncomputed => Err(FaultCode::NotAnAmount),
        }
    }

    fn date(&self, raw: &Raw, shown: &str) -> Result<Date, FaultCode> {
        match raw {
            Raw::Number {
                value,
                is_share: false,
            } => date_of_number(*value, self.is_1904),
            Raw::Date {
                serial,
                shown,
                is_1904,
            } => of_serial(*serial, *is_1904, *shown),
            // What was a number in a spreadsheet lost its zero on the way into the text too.
            Raw::Text { .. } if self.is_plain && is_year_point_one(shown) => {
                Err(FaultCode::AmbiguousDate)
            }
            Raw::Text { .. } => date(shown)?.ok_or(FaultCode::NotADate),
            Raw::Number { is_share: true, .. } | Raw::Bool(_) | Raw::Error(_) | Raw::Uncomputed => {
                Err(FaultCode::NotADate)
            }
        }
    }

    fn term(&self, name: FieldName, raw: &Raw, shown: &str) -> Result<Term, FaultCode> {
        match raw {
            // A small number is a year only where years are asked for, and a month where months are.
            Raw::Text { .. } => term(shown)?.ok_or(FaultCode::NotAMonth),
            Raw::Number { .. } if name == FieldName::Month && shown.len() <= 2 => {
                term(shown)?.ok_or(FaultCode::NotAMonth)
            }
            Raw::Number { .. } | Raw::Date { .. } => match self.date(raw, shown)? {
                Date::Year(year) => Ok(Term::Year(year)),
                Date::Month(year, month) => Ok(Term::Month(year, month)),
                Date::Day(day) => term(&day.to_string())?.ok_or(FaultCode::NotAMonth),
            },
            Raw::Bool(_) | Raw::Error(_) | Raw::Uncomputed => Err(FaultCode::NotAMonth),
        }
    }

    /// How far a permit has come: by a word, or by the date or the number of the document that stands there.
    fn status(&self, raw: &Raw, shown: &str) -> Result<Value, FaultCode> {
        if let Some(status) = words::status(shown) {
            return Ok(Value::Code(status.code().to_owned()));
        }
        let is_date = !matches!(raw, Raw::Bool(_))
            && self
                .date(raw, shown)
                .is_ok_and(|day| matches!(day, Date::Day(_) | Date::Month(..)));
        let is_obtained =
            is_date || words::is_document_number(shown) || matches!(raw, Raw::Bool(true));
        let obtained = ApprovalStatus::Obtained.code();
        code(is_obtained.then_some(obtained), FaultCode::UnknownStatus)
    }

    /// The value of a target, in its base unit.
    fn quantity(&self, raw: &Raw, shown: &str, heading: Option<Unit>) -> Result<Value, FaultCode> {
        let text = squeezed(shown);
        let text = text.trim_start_matches(['约', '超', '≥', '>', '=']);
        let text = ["以上", "左右", "及", "+"]
            .iter()
            .fold(text, |text, word| text.trim_end_matches(word));
        let end = text
            .find(|c: char| !(c.is_ascii_digit() || ".,-".contains(c)))
            .unwrap_or(text.len());
        let (number, own) = text.split_at(end);
        let number = Decimal::parse(number).ok_or(FaultCode::NotAnAmount)?;
        let unit = match (own, &self.measure) {
            ("", Some(measure)) => words::target_unit(measure),
            ("", None) => heading
                .or(self.unit)
                .map(|unit| (TargetUnit::Yuan, unit.zeros())),
            (own, _) => words::target_unit(own),
        };
        let (unit, zeros) = unit.ok_or(FaultCode::UnknownUnit)?;
        // 7.5% in the cell was read as it is shown.
        let is_share = matches!(raw, Raw::Number { is_share: true, .. });
        let number = if is_share {
            number
        } else {
            number.shifted(zeros)
        };
        Ok(Value::Quantity {
            value: number.money()?,
            unit: unit.code().to_owned(),
        })
    }
}

fn code(code: Option<&'static str>, fault: FaultCode) -> Result<Value, FaultCode> {
    code.map(|code| Value::Code(code.to_owned())).ok_or(fault)
}

/// Whether a text is what a spreadsheet makes of 2023.10.
fn is_year_point_one(text: &str) -> bool {
    let text = squeezed(text);
    text.strip_suffix(".1")
        .is_some_and(|year| year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Several texts in one cell.
fn parted(text: &str) -> Vec<String> {
    let parts = text.split(['、', ';', '；', '|', '\n']).map(tidy);
    parts.filter(|part| !part.is_empty()).collect()
}

/// What a cell says, at its place.
pub(super) fn cell(row: u32, mapped: &Mapped, raw: &Raw, value: Value) -> Cell {
    Cell {
        row,
        column: mapped.column.into(),
        text: raw.shown().into_owned(),
        value,
    }
}

/// What is wrong with a cell.
pub(super) fn fault(mapped: &Mapped, raw: &Raw, code: FaultCode) -> Fault {
    Fault {
        column: Some(mapped.letters.clone()),
        field: mapped.field,
        code,
        text: raw.shown().into_owned(),
        data: Data::new(),
    }
}
