//! Reading values that clients send: everything that is wrong is gathered, with its pointer and in both
//! languages.

use chrono::{Datelike, NaiveDate};
use domain::code::Uscc;
use domain::evidence::Evidence;
use domain::money::{Money, MoneyError};
use domain::project::{Currency, OriginalAmount, Owner};
use domain::text::{Text, TextError};
use domain::tier::Investment;
use rust_decimal::Decimal;

use super::input::{EvidenceInput, InvestmentInput, OriginalInput, OwnerInput};
use crate::problem::Fault;

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

    pub(super) fn coded<T>(
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

/// A code that is none of those there are.
pub(crate) fn unknown_code(pointer: &str, code: &str) -> Fault {
    Fault::at(
        pointer,
        "unknown_code",
        format!("没有 {code} 这个值"),
        format!("There is no such value as {code}"),
    )
}

/// What is wrong with a text, told to people.
pub(crate) fn text_told(pointer: &str, error: &TextError) -> Fault {
    let code = error.code();
    match error {
        TextError::Empty => Fault::at(pointer, code, "不能为空", "It can't be empty"),
        TextError::TooLong { max, got } => Fault::at(
            pointer,
            code,
            format!("最多 {max} 个字符，现有 {got} 个"),
            format!("{max} characters at the most; there are {got}"),
        ),
        TextError::ControlCharacter { position } => Fault::at(
            pointer,
            code,
            format!("第 {} 个字符是控制字符或不可见字符", position + 1),
            format!(
                "Character {} is a control or invisible character",
                position + 1
            ),
        ),
    }
}

/// What is wrong with an amount, told to people.
pub(crate) fn money_told(pointer: &str, error: MoneyError) -> Fault {
    let (zh, en) = match error {
        MoneyError::Empty => ("金额为空", "The amount is empty"),
        MoneyError::NotANumber => (
            "金额须为以元为单位的十进制数，如 \"5000000.00\"",
            "An amount is a decimal number of 元, such as \"5000000.00\"",
        ),
        MoneyError::Negative => ("金额不能为负", "An amount can't be negative"),
        MoneyError::TooPrecise => (
            "金额最多两位小数（精确到分）",
            "An amount has two decimals at the most",
        ),
        MoneyError::TooLarge => ("金额不能超过 10^15 元", "An amount is 10^15 元 at the most"),
    };
    Fault::at(pointer, error.code(), zh, en)
}

/// What is wrong with a 项目代码, told to people.
pub(crate) fn code_told(pointer: &str) -> Fault {
    Fault::at(
        pointer,
        "invalid_project_code",
        "项目代码须为 24 位：年月-地区-部门-类型-序号，如 2101-211100-04-01-123456",
        "A project code has 24 characters, such as 2101-211100-04-01-123456",
    )
}

fn uscc_told(pointer: &str) -> Fault {
    Fault::at(
        pointer,
        "invalid_uscc",
        "统一社会信用代码须为 18 位，且校验码正确",
        "A unified social credit code has 18 characters, the last of which checks the others",
    )
}

/// What is wrong with a 统一社会信用代码, if anything is.
pub(crate) fn uscc_fault(pointer: &str, uscc: &str) -> Option<Fault> {
    Uscc::parse(uscc).is_err().then(|| uscc_told(pointer))
}
