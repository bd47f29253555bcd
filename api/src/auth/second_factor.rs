//! The second factor: codes that change every 30 seconds (TOTP, RFC 6238), and codes for the day it is lost.

use qrcode::QrCode;
use qrcode::render::svg;
use totp_rs::{Builder, Secret, Totp};

use super::keys::{KeyError, hash_of_secret, random_text};

/// The length of a secret, in bytes: that of the hash, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;
/// How many recovery codes there are.
pub const RECOVERY_CODES: usize = 10;
/// The least width and height of the picture, in pixels.
const PICTURE: u32 = 240;

/// A secret that makes codes.
pub struct SecondFactor {
    totp: Totp,
    secret: Vec<u8>,
}

impl std::fmt::Debug for SecondFactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecondFactor")
    }
}

fn unusable(error: impl std::fmt::Display) -> KeyError {
    KeyError::Unusable(error.to_string())
}

/// A new secret, as bytes.
///
/// # Errors
/// [`KeyError::Unusable`] if the machine has no random bytes to give.
pub fn new_secret() -> Result<Vec<u8>, KeyError> {
    let mut secret = vec![0; SECRET_BYTES];
    aws_lc_rs::rand::fill(&mut secret).map_err(unusable)?;
    Ok(secret)
}

impl SecondFactor {
    /// The second factor of a secret; issuer and name are what the owner's telephone shows.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if it is no secret, or a name has a colon.
    pub fn new(secret: &[u8], issuer: &str, name: &str) -> Result<Self, KeyError> {
        let totp = Builder::new()
            .with_secret(secret.to_vec())
            .with_skew(0)
            .with_issuer(Some(issuer))
            .with_account_name(name)
            .build()
            .map_err(unusable)?;
        Ok(Self {
            totp,
            secret: secret.to_vec(),
        })
    }

    /// The step of time at which a code is the right one, if that is now: a code is good for 30 seconds.
    #[must_use]
    pub fn step_of(&self, code: &str, now: chrono::DateTime<chrono::Utc>) -> Option<i64> {
        let now = u64::try_from(now.timestamp()).ok()?;
        let step = self.totp.check(code, now)?;
        i64::try_from(step).ok()
    }

    /// The secret, to be typed.
    #[must_use]
    pub fn secret(&self) -> String {
        Secret::from(self.secret.clone()).to_base32()
    }

    /// The address that a telephone takes.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if a name can't stand in it.
    pub fn address(&self) -> Result<String, KeyError> {
        self.totp.to_url().map_err(unusable)
    }

    /// The address as a picture (SVG).
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if it is too long.
    pub fn picture(&self) -> Result<String, KeyError> {
        let code = QrCode::new(self.address()?).map_err(unusable)?;
        Ok(code
            .render::<svg::Color<'_>>()
            .min_dimensions(PICTURE, PICTURE)
            .build())
    }
}

/// New codes that stand in for a lost second factor, once each.
///
/// # Errors
/// [`KeyError::Unusable`] if the machine has no random bytes to give.
pub fn recovery_codes() -> Result<Vec<String>, KeyError> {
    (0..RECOVERY_CODES).map(|_| random_text::<16>()).collect()
}

/// The hash under which a recovery code is kept.
#[must_use]
pub fn hash_of_recovery_code(code: &str) -> String {
    hash_of_secret(code.trim())
}
