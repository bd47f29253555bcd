//! Codes, percentages, and yes and no.

use domain::code::{ProjectCode, Uscc};
use domain::region::RegionCode;

use super::{Decimal, Value, normal, squeezed, tidy};
use crate::document::FaultCode;

/// Reads yes or no.
///
/// # Errors
/// `not_a_flag`.
pub fn flag(text: &str) -> Result<bool, FaultCode> {
    match squeezed(text).to_ascii_lowercase().as_str() {
        "是" | "有" | "√" | "✓" | "y" | "yes" | "true" | "1" => Ok(true),
        "否" | "无" | "×" | "x" | "n" | "no" | "false" | "0" => Ok(false),
        _ => Err(FaultCode::NotAFlag),
    }
}

/// Reads a percentage: `85%`, `85.5`; a cell that is shown as a percentage holds a share (`is_share`).
///
/// # Errors
/// `not_a_percent`.
pub fn percent(text: &str, is_share: bool) -> Result<String, FaultCode> {
    let text = squeezed(text);
    let number = text.strip_suffix('%').unwrap_or(&text);
    let number = Decimal::parse(number).ok_or(FaultCode::NotAPercent)?;
    Ok(number.shifted(if is_share { 2 } else { 0 }).plain())
}

/// Reads a project code (项目代码); blanks within and dashes of other kinds do not matter.
///
/// # Errors
/// `invalid_project_code`.
pub fn project_code(text: &str) -> Result<String, FaultCode> {
    let text: String = squeezed(text)
        .chars()
        .map(|c| if "—–―_".contains(c) { '-' } else { c })
        .collect();
    let code = ProjectCode::parse(&text).map_err(|_| FaultCode::InvalidProjectCode)?;
    Ok(code.as_str().to_owned())
}

/// Reads a unified social credit code (统一社会信用代码).
///
/// # Errors
/// `invalid_uscc`.
pub fn uscc(text: &str) -> Result<String, FaultCode> {
    let text = squeezed(text).to_ascii_uppercase();
    let code = Uscc::parse(&text).map_err(|_| FaultCode::InvalidUscc)?;
    Ok(code.as_str().to_owned())
}

/// Reads a region: a code if it is one, else the name that the library has to know.
#[must_use]
pub fn region(text: &str) -> Value {
    match RegionCode::parse(&normal(text).to_ascii_lowercase()) {
        Ok(code) => Value::Code(code.as_str().to_owned()),
        Err(_) => Value::Text(tidy(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_with_the_dashes_and_blanks_that_people_use() {
        assert_eq!(
            project_code(" ２４０５—211102-04-01-123456 "),
            Ok("2405-211102-04-01-123456".to_owned())
        );
        assert_eq!(project_code("2405"), Err(FaultCode::InvalidProjectCode));
        assert_eq!(
            uscc("91110000600037341l"),
            Ok("91110000600037341L".to_owned())
        );
        assert_eq!(uscc("91110000600037341X"), Err(FaultCode::InvalidUscc));
        assert_eq!(region("２１１１０４"), Value::Code("211104".to_owned()));
        assert_eq!(region(" 大洼区 "), Value::Text("大洼区".to_owned()));
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!(percent("85.50％", false), Ok("85.5".to_owned()));
        assert_eq!(percent("0.855", true), Ok("85.5".to_owned()));
        assert_eq!(flag("是"), Ok(true));
        assert_eq!(flag("也许"), Err(FaultCode::NotAFlag));
    }
}
