//! Access and refresh tokens: EdDSA JWTs, each of its own type.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::keys::{KeyError, Keys};

/// How long an access token is good for.
pub const ACCESS_LIFE: TimeDelta = TimeDelta::minutes(10);
/// How far the clocks of two machines may be apart, in seconds.
const LEEWAY: u64 = 30;
/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 4096;

/// What a token is for; also its `typ`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// To make requests.
    Access,
    /// To get new tokens.
    Refresh,
}

impl Use {
    const fn typ(self) -> &'static str {
        match self {
            Self::Access => "at+jwt",
            Self::Refresh => "rt+jwt",
        }
    }
}

/// What a token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The account.
    pub sub: Uuid,
    /// The sign-in.
    pub sid: Uuid,
    /// This token.
    pub jti: Uuid,
    iss: String,
    aud: String,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// Signs tokens and reads them back.
#[derive(Debug)]
pub struct Tokens {
    keys: Keys,
    issuer: String,
}

impl Tokens {
    /// With the keys of a directory; the first is made if there is none.
    ///
    /// # Errors
    /// [`KeyError`] if one can't be read, written or used.
    pub fn open(directory: &Path, issuer: &str, now: DateTime<Utc>) -> Result<Self, KeyError> {
        Ok(Self {
            keys: Keys::open(directory, now)?,
            issuer: issuer.to_owned(),
        })
    }

    /// The keys that sign and verify.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Signs a token.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if the key won't sign.
    pub fn sign(
        &self,
        purpose: Use,
        (account, session, id): (Uuid, Uuid, Uuid),
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<String, KeyError> {
        let key = self.keys.signer()?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(purpose.typ().to_owned());
        header.kid = Some(key.id);
        let claims = Claims {
            sub: account,
            sid: session,
            jti: id,
            iss: self.issuer.clone(),
            aud: self.issuer.clone(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: until.timestamp(),
        };
        encode(&header, &claims, &key.encoding).map_err(|e| KeyError::Unusable(e.to_string()))
    }

    /// What a token says, if it was signed here, for this use, and is in force.
    #[must_use]
    pub fn read(&self, purpose: Use, token: &str, now: DateTime<Utc>) -> Option<Claims> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let header = decode_header(token).ok()?;
        if header.alg != Algorithm::EdDSA || header.typ.as_deref() != Some(purpose.typ()) {
            return None;
        }
        let key = self.keys.find(header.kid.as_deref()?, now)?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.issuer]);
        decode::<Claims>(token, &key.decoding, &validation)
            .ok()
            .map(|data| data.claims)
    }
}
