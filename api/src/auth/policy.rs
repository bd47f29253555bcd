//! What the office demands of those who sign in.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use super::principal::{Grant, Restriction};
use super::role::Role;
use crate::problem::Fault;

/// The greatest length of a password, in characters.
pub const MAX_PASSWORD: usize = 128;
/// The fewest guesses, as a power of ten, that a password has to withstand.
const LEAST_GUESSES_LOG10: u32 = 8;

/// What a password has to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PasswordProfile {
    /// OWASP ASVS: 12 characters or more, none that is easily guessed; not to be changed without a reason.
    Asvs,
    /// 等保: 8 characters or more of three classes, none that is easily guessed; to be changed every 90 days.
    Dengbao,
}

impl PasswordProfile {
    /// The least length of a password, in characters.
    #[must_use]
    pub const fn min_length(self) -> usize {
        match self {
            Self::Asvs => 12,
            Self::Dengbao => 8,
        }
    }

    /// How old a password may become.
    #[must_use]
    pub const fn max_age(self) -> Option<TimeDelta> {
        match self {
            Self::Asvs => None,
            Self::Dengbao => Some(TimeDelta::days(90)),
        }
    }

    /// What is wrong with a password; `names` are the owner's, which are guessed first.
    #[must_use]
    pub fn faults(self, pointer: &str, password: &str, names: &[&str]) -> Vec<Fault> {
        let length = password.chars().count();
        let mut faults = Vec::new();
        if !(self.min_length()..=MAX_PASSWORD).contains(&length) {
            let (min, max) = (self.min_length(), MAX_PASSWORD);
            faults.push(Fault::at(
                pointer,
                "password_length",
                format!("密码须有 {min} 至 {max} 个字符，现有 {length} 个"),
                format!("A password has {min} to {max} characters; this one has {length}"),
            ));
            return faults;
        }
        if self == Self::Dengbao && classes(password) < 3 {
            faults.push(Fault::at(
                pointer,
                "password_classes",
                "密码须含大写字母、小写字母、数字、其他字符中的至少三类",
                "A password has three of: capital letters, small letters, digits, other characters",
            ));
        }
        if is_easily_guessed(password, names) {
            faults.push(Fault::at(
                pointer,
                "password_guessable",
                "密码太容易被猜到：不要使用常见密码、姓名、键盘顺序或重复",
                "The password is too easily guessed: no common passwords, names, rows of keys or repetitions",
            ));
        }
        faults
    }
}

fn classes(password: &str) -> usize {
    let has = |is: fn(char) -> bool| usize::from(password.chars().any(is));
    has(|c| c.is_ascii_uppercase())
        + has(|c| c.is_ascii_lowercase())
        + has(|c| c.is_ascii_digit())
        + has(|c| !c.is_ascii_alphanumeric())
}

/// Common passwords, words, names and patterns are recognised also where something is added to them.
fn is_easily_guessed(password: &str, names: &[&str]) -> bool {
    const OURS: [&str; 4] = ["taizhang", "台账", "panjin", "盘锦"];
    let inputs: Vec<&str> = names.iter().chain(&OURS).copied().collect();
    let guesses = zxcvbn::zxcvbn(password, &inputs).guesses();
    guesses < 10_u64.pow(LEAST_GUESSES_LOG10)
}

/// What the office demands of those who sign in.
#[derive(Clone, Debug)]
pub struct Policy {
    /// What a password has to be like.
    pub passwords: PasswordProfile,
    /// The roles that need a second factor.
    pub second_factor: BTreeSet<Role>,
    /// Whether people may sign in with a password that is kept here.
    pub local_sign_in: bool,
}

/// How somebody has signed in, as far as it matters for what has to be done first.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// Whether the password was given by somebody else.
    pub is_one_time: bool,
    /// When the password was set.
    pub password_set_at: Option<DateTime<Utc>>,
    /// Whether there is a second factor.
    pub has_second_factor: bool,
}

impl Policy {
    /// What somebody who has signed in with a password has to do before anything else.
    #[must_use]
    pub fn restriction(
        &self,
        standing: Standing,
        grants: &[Grant],
        now: DateTime<Utc>,
    ) -> Option<Restriction> {
        let age = standing.password_set_at.map(|set_at| now - set_at);
        let is_too_old = self
            .passwords
            .max_age()
            .is_some_and(|max| age.is_some_and(|age| age > max));
        if standing.is_one_time || is_too_old {
            return Some(Restriction::PasswordChange);
        }
        let needs_second = grants
            .iter()
            .any(|grant| self.second_factor.contains(&grant.role));
        (needs_second && !standing.has_second_factor).then_some(Restriction::SecondFactor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(profile: PasswordProfile, password: &str) -> Vec<String> {
        let faults = profile.faults("/password", password, &["zhangwei", "张伟"]);
        let told = faults
            .iter()
            .map(|fault| fault.told(crate::problem::Language::English));
        told.map(|fault| fault["code"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    #[test]
    fn asvs_takes_long_ones_of_any_class_that_are_not_guessed() {
        let asvs = PasswordProfile::Asvs;
        for good in [
            "correct horse battery staple",
            "辽河口的芦苇在十月变红了吗",
            "vq8kzn2wpxr4m",
        ] {
            assert!(wrong(asvs, good).is_empty(), "{good}");
        }
        for (bad, code) in [
            ("vq8kzn2wpxr", "password_length"),
            ("password1234", "password_guessable"),
            ("qwertyuiop12", "password_guessable"),
            ("zhangwei1234", "password_guessable"),
            ("aaaaaaaaaaaaaaaa", "password_guessable"),
            ("taizhang2025", "password_guessable"),
        ] {
            assert_eq!(wrong(asvs, bad), [code], "{bad}");
        }
        assert_eq!(wrong(asvs, &"长".repeat(129)), ["password_length"]);
    }

    #[test]
    fn dengbao_wants_three_classes() {
        let dengbao = PasswordProfile::Dengbao;
        assert!(wrong(dengbao, "vQ8kzn2w").is_empty());
        assert_eq!(wrong(dengbao, "vq8kzn2w"), ["password_classes"]);
        assert_eq!(wrong(dengbao, "vQ8kz2w"), ["password_length"]);
        assert_eq!(wrong(dengbao, "Passw0rd"), ["password_guessable"]);
    }
}
