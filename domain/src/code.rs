//! Codes that the state gives: to a project (项目代码) and to an organisation (统一社会信用代码).

use std::fmt;

/// The state's code of an investment project (项目代码, GB/T 40058-2021): the time, the region, the department,
/// the type, then random digits and a check digit, as in `2405-211102-04-01-123456`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectCode(String);

impl ProjectCode {
    /// Every `0` stands for any digit.
    const SHAPE: &str = "0000-000000-00-00-000000";

    /// Reads a code, by its shape alone: see [`CodeCheck::NotVerified`].
    ///
    /// # Errors
    /// [`CodeError::InvalidProjectCode`] for every other shape; the digits are those of ASCII.
    pub fn parse(text: &str) -> Result<ProjectCode, CodeError> {
        let fits = text.len() == Self::SHAPE.len()
            && text
                .bytes()
                .zip(Self::SHAPE.bytes())
                .all(|(byte, shape)| match shape {
                    b'0' => byte.is_ascii_digit(),
                    fixed => byte == fixed,
                });
        if fits {
            Ok(ProjectCode(text.to_owned()))
        } else {
            Err(CodeError::InvalidProjectCode)
        }
    }

    /// The code as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The six digits of the region (行政区划) that gave the code; whether it exists is not known here.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split('-').nth(1).unwrap_or_default()
    }

    /// What is known of the check digit.
    #[must_use]
    pub const fn check(&self) -> CodeCheck {
        CodeCheck::NotVerified
    }
}

impl fmt::Display for ProjectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Whether the check digit (校验码) of a project code holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CodeCheck {
    /// Not verified: the rule of the check digit is not public, so a code of the right shape
    /// may still be a wrong one, and nobody here may claim otherwise.
    NotVerified,
}

impl CodeCheck {
    /// The stable code: `not_verified`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            CodeCheck::NotVerified => "not_verified",
        }
    }
}

/// The unified social credit code of an organisation (统一社会信用代码, GB 32100-2015):
/// 18 characters in upper case, of which the last one checks the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uscc(String);

impl Uscc {
    /// A character's value is its place in here: 31 characters, without I, O, S, V and Z.
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";

    /// The weights of the standard, and 1 for the check character.
    const WEIGHTS: [usize; 18] = [
        1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28, 1,
    ];

    /// Reads a code and verifies its check character.
    ///
    /// # Errors
    /// [`CodeError::InvalidUscc`] for a wrong length, character, case or check character.
    pub fn parse(text: &str) -> Result<Uscc, CodeError> {
        let values: Option<Vec<usize>> = text.chars().map(|c| Self::ALPHABET.find(c)).collect();
        let values = values
            .filter(|values| values.len() == Self::WEIGHTS.len())
            .ok_or(CodeError::InvalidUscc)?;
        let sum: usize = values
            .iter()
            .zip(Self::WEIGHTS)
            .map(|(value, weight)| value * weight)
            .sum();
        // The check character is (31 - sum of the others mod 31) mod 31: it fills the sum up to a multiple.
        if sum.is_multiple_of(Self::ALPHABET.len()) {
            Ok(Uscc(text.to_owned()))
        } else {
            Err(CodeError::InvalidUscc)
        }
    }

    /// The code as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why a text is not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// The text has not the shape of a project code.
    #[error("a project code has the shape 0000-000000-00-00-000000, all digits")]
    InvalidProjectCode,
    /// The text is no unified social credit code.
    #[error(
        "a unified social credit code has 18 characters in upper case, the last of which checks the others"
    )]
    InvalidUscc,
}

impl CodeError {
    /// The stable code of the error, for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            CodeError::InvalidProjectCode => "invalid_project_code",
            CodeError::InvalidUscc => "invalid_uscc",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PETROCHINA: &str = "91110000600037341L";

    #[test]
    fn a_project_code_tells_its_region() {
        let code = ProjectCode::parse("2405-211102-04-01-123456").unwrap();
        assert_eq!(code.region(), "211102");
        assert_eq!(code.to_string(), "2405-211102-04-01-123456");
        assert_eq!(code.check().code(), "not_verified");
    }

    #[test]
    fn a_project_code_of_another_shape_is_refused() {
        let others = [
            "",
            "2405-211102-04-01-12345",
            "2405-211102-04-01-1234567",
            " 2405-211102-04-01-123456",
            "2405-211102-04-01-123456\n",
            "2405211102040112345600000",
            "2405-2111020-4-01-123456",
            "2405-21110X-04-01-123456",
            "2405—211102—04—01—123456",
            "２405-211102-04-01-1234",
        ];
        for other in others {
            assert_eq!(
                ProjectCode::parse(other).unwrap_err().code(),
                "invalid_project_code",
                "{other:?}"
            );
        }
    }

    #[test]
    fn a_credit_code_is_valid_with_its_check_character() {
        assert_eq!(Uscc::parse(PETROCHINA).unwrap().as_str(), PETROCHINA);
    }

    #[test]
    fn any_one_changed_character_makes_a_credit_code_invalid() {
        let characters: Vec<char> = PETROCHINA.chars().collect();
        for (place, kept) in characters.iter().enumerate() {
            for other in ('0'..='9').chain('A'..='Z').filter(|other| other != kept) {
                let before = characters.iter().take(place);
                let after = characters.iter().skip(place + 1);
                let changed: String = before.chain([&other]).chain(after).collect();
                assert_eq!(
                    Uscc::parse(&changed).unwrap_err().code(),
                    "invalid_uscc",
                    "{changed}"
                );
            }
        }
    }

    #[test]
    fn a_credit_code_of_another_length_or_case_is_refused() {
        for other in [
            "",
            "0",
            "91110000600037341l",
            "91110000600037341L0",
            "91110000600037341",
            " 91110000600037341L",
        ] {
            assert_eq!(Uscc::parse(other), Err(CodeError::InvalidUscc), "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn exactly_one_check_character_fits_any_beginning(start in "[0-9A-HJ-NP-RTUWXY]{17}") {
            let fitting = Uscc::ALPHABET.chars().filter(|check| Uscc::parse(&format!("{start}{check}")).is_ok());
            prop_assert_eq!(fitting.count(), 1);
        }

        #[test]
        fn a_project_code_is_written_as_it_was_read(text in "[0-9]{4}-[0-9]{6}-[0-9]{2}-[0-9]{2}-[0-9]{6}") {
            let code = ProjectCode::parse(&text).unwrap();
            prop_assert_eq!(code.as_str(), &text);
            prop_assert!(text.contains(code.region()));
        }
    }
}
