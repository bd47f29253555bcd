//! Reading values that clients send: everything that is wrong is gathered, with its pointer and in both
//! languages.

use chrono::{Datelike, NaiveDate};
use domain::code::Uscc;
use domain::evidence::Evidence;
use domain::money::Money;
use domain::project::{Currency, OriginalAmount, Owner};
use domain::text::Text;
use domain::tier::Investment;
use rust_decimal::Decimal;

use super::{EvidenceInput, InvestmentInput, OriginalInput, OwnerInput};
use crate::problem::Fault;
use crate::problem::value::{money_told, text_told, unknown_code, uscc_told};

/// The years that a date may have.
const YEARS: std::ops::RangeInclusive<i32> = 1949..=2200;

/// Reads values, gathering what is wrong.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) faults: Vec<Fault>,
}

impl Reader {
    pub(crate) fn take<T>(&mut self, read: Result<T, Fault>) -> Option<T> {
        read.map_err(|fault| self.faults.push(fault)).ok()
    }

    pub(crate) fn text<const MAX: usize>(
        &mut self,
        pointer: &str,
        value: &str,
    ) -> Option<Text<MAX>> {
        self.take(Text::parse(value).map_err(|error| text_told(pointer, &error)))
    }

    pub(crate) fn lines<const MAX: usize>(
        &mut self,
        pointer: &str,
        value: &str,
    ) -> Option<Text<MAX>> {
        self.take(Text::parse_multiline(value).map_err(|error| text_told(pointer, &error)))
    }

    pub(crate) fn money(&mut self, pointer: &str, value: &str) -> Option<Money> {
        self.take(Money::parse_yuan(value).map_err(|error| money_told(pointer, error)))
    }

    pub(crate) fn coded<T>(
        &mut self,
        pointer: &str,
        read: impl Fn(&str) -> Option<T>,
        code: &str,
    ) -> Option<T> {
        self.take(read(code).ok_or_else(|| unknown_code(pointer, code)))
    }

    pub(crate) fn day(&mut self, pointer: &str, day: NaiveDate) -> Option<NaiveDate> {
        let fault = || {
            Fault::at(
                pointer,
                "date_out_of_range",
                "日期须在 1949 至 2200 年之间",
                "The year has to be from 1949 to 2200",
            )
        };
        self.take(YEARS.contains(&day.year()).then_some(day).ok_or_else(fault))
    }

    pub(crate) fn evidence(&mut self, pointer: &str, input: &EvidenceInput) -> Option<Evidence> {
        let before = self.faults.len();
        let at = |name: &str| format!("{pointer}/{name}");
        let number = input.document_number.as_deref();
        let document_number = number.and_then(|s| self.text(&at("document_number"), s));
        let authority = input.authority.as_deref();
        let authority = authority.and_then(|s| self.text(&at("authority"), s));
        let attachment = input.attachment.as_deref();
        let attachment = attachment.and_then(|s| self.address(&at("attachment"), s));
        let description = input.description.as_deref();
        let description = description.and_then(|s| self.lines(&at("description"), s));
        let issued_on = self.day(&at("issued_on"), input.issued_on)?;
        (self.faults.len() == before).then_some(Evidence {
            document_number,
            issued_on,
            authority,
            attachment,
            description,
        })
    }

    /// An address that a reader may follow: `http` or `https`.
    pub(crate) fn address(&mut self, pointer: &str, value: &str) -> Option<Text<1000>> {
        let text = self.text(pointer, value)?;
        let is_web = ["http://", "https://"]
            .iter()
            .any(|scheme| text.as_str().starts_with(scheme));
        let fault = || {
            Fault::at(
                pointer,
                "invalid_address",
                "地址须以 http:// 或 https:// 开头",
                "The address has to begin with http:// or https://",
            )
        };
        self.take(is_web.then_some(text).ok_or_else(fault))
    }

    pub(super) fn investment(
        &mut self,
        input: &InvestmentInput,
    ) -> (Investment, Option<OriginalAmount>) {
        let investment = match (&input.exact, &input.floor) {
            (Some(exact), None) => self
                .money("/total_investment/exact", exact)
                .map(Investment::Exact),
            (None, Some(floor)) => self
                .money("/total_investment/floor", floor)
                .map(Investment::Floor),
            (None, None) | (Some(_), Some(_)) => {
                self.faults.push(Fault::at(
                    "/total_investment",
                    "exact_or_floor",
                    "exact 与 floor 须填且只填一个；未知请将 total_investment 填为 null",
                    "Give exactly one of exact and floor; if neither is known, make total_investment null",
                ));
                None
            }
        };
        let original = input.original.as_ref().and_then(|o| self.original(o));
        (investment.unwrap_or(Investment::Unknown), original)
    }

    pub(super) fn original(&mut self, input: &OriginalInput) -> Option<OriginalAmount> {
        const AT: &str = "/total_investment/original";
        let amount = self.money(&format!("{AT}/amount"), &input.amount);
        let currency = Currency::parse(&input.currency).ok_or_else(|| {
            Fault::at(
                format!("{AT}/currency"),
                "invalid_currency",
                "币种须为三个大写字母（ISO 4217），且不是 CNY",
                "A currency has three capital letters (ISO 4217) and is not CNY",
            )
        });
        let currency = self.take(currency);
        let rate = Decimal::from_str_exact(&input.rate)
            .ok()
            .filter(|rate| rate.scale() <= 8 && rate.abs() < Decimal::from(1_000_000_000))
            .ok_or_else(|| {
                Fault::at(
                    format!("{AT}/rate"),
                    "invalid_rate",
                    "汇率须为不超过 8 位小数的十进制数",
                    "A rate is a decimal number with 8 decimals at the most",
                )
            });
        let rate = self.take(rate);
        let rate_on = self.day(&format!("{AT}/rate_on"), input.rate_on);
        Some(OriginalAmount {
            amount: amount?,
            currency: currency?,
            rate: rate?,
            rate_on: rate_on?,
        })
    }

    pub(super) fn owner(&mut self, input: &OwnerInput) -> Option<Owner> {
        let name = self.text("/owner/name", &input.name);
        let uscc = input.uscc.as_deref().map(|uscc| {
            let read = Uscc::parse(uscc).map_err(|_| uscc_told("/owner/uscc"));
            self.take(read)
        });
        Some(Owner {
            name: name?,
            uscc: uscc.flatten(),
        })
    }
}
