//! What can be wrong with a single value, told to people.

use domain::coded::Coded;
use domain::money::MoneyError;
use domain::text::TextError;

use super::{Fault, Problem};

/// A code that is none of those there are.
pub(crate) fn unknown_code(pointer: &str, code: &str) -> Fault {
    Fault::at(
        pointer,
        "unknown_code",
        format!("没有 {code} 这个值"),
        format!("There is no such value as {code}"),
    )
}

/// A code in a parameter that is none of those there are.
pub(crate) fn unknown_parameter_value<T: Coded>(name: &str, code: &str) -> Problem {
    let known: Vec<_> = T::VALUES.iter().map(|value| value.as_code()).collect();
    Problem::bad_parameters(vec![Fault::parameter(
        name,
        "unknown_code",
        format!("没有 {code}；可用：{}", known.join("、")),
        format!("There is no {code}; there are: {}", known.join(", ")),
    )])
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

/// What is wrong with a 统一社会信用代码, told to people.
pub(crate) fn uscc_told(pointer: &str) -> Fault {
    Fault::at(
        pointer,
        "invalid_uscc",
        "统一社会信用代码须为 18 位，且校验码正确",
        "A unified social credit code has 18 characters, the last of which checks the others",
    )
}

/// A code of reference data that is not there; `what` is the kind's name.
pub(crate) fn unknown_reference(pointer: &str, what: &str, zh: &str, code: &str) -> Fault {
    Fault::at(
        pointer,
        format!("unknown_{what}"),
        format!("没有{zh} {code}"),
        format!("There is no {what} {code}"),
    )
}
