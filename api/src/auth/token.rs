//! Access and refresh tokens: EdDSA JWTs, each of its own type.

use std::io::Write;
use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
pub struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    key_id: String,
    issuer: String,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens")
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}

/// A signing key that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can't be read or written.
    #[error("signing key {path}: {source}")]
    File {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The file holds no Ed25519 key in PKCS #8.
    #[error("signing key: {0}")]
    Unusable(String),
}

impl Tokens {
    /// Reads the key in `path`, or makes one there that only its owner may read.
    ///
    /// # Errors
    /// [`KeyError`] if it can't be read, written or used.
    pub fn from_file(path: &Path, issuer: &str) -> Result<Self, KeyError> {
        let file_error = |source| KeyError::File {
            path: path.display().to_string(),
            source,
        };
        let pkcs8 = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                let pkcs8 = generate()?;
                write_private(path, &pkcs8).map_err(file_error)?;
                pkcs8
            }
            Err(e) => return Err(file_error(e)),
        };
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8)
            .map_err(|e| KeyError::Unusable(format!("not an Ed25519 key in PKCS #8: {e}")))?;
        let public = pair.public_key().as_ref();
        let fingerprint = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, public);
        let key_id =
            BASE64_URL_SAFE_NO_PAD.encode(fingerprint.as_ref().get(..9).unwrap_or_default());
        Ok(Self {
            encoding: EncodingKey::from_ed_der(&pkcs8),
            decoding: DecodingKey::from_ed_der(public),
            key_id,
            issuer: issuer.to_owned(),
        })
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
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(purpose.typ().to_owned());
        header.kid = Some(self.key_id.clone());
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
        encode(&header, &claims, &self.encoding).map_err(|e| KeyError::Unusable(e.to_string()))
    }

    /// What a token says, if it was signed here, for this use, and is in force.
    #[must_use]
    pub fn read(&self, purpose: Use, token: &str) -> Option<Claims> {
        if token.len() > MAX_TOKEN {
            return None;
        }
        let header = decode_header(token).ok()?;
        let is_ours = header.alg == Algorithm::EdDSA
            && header.typ.as_deref() == Some(purpose.typ())
            && header.kid.as_deref() == Some(self.key_id.as_str());
        if !is_ours {
            return None;
        }
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = LEEWAY;
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.issuer]);
        decode::<Claims>(token, &self.decoding, &validation)
            .ok()
            .map(|data| data.claims)
    }
}

fn generate() -> Result<Vec<u8>, KeyError> {
    // Version 1 of PKCS #8, which every reader takes.
    let pair = Ed25519KeyPair::generate().map_err(|e| KeyError::Unusable(e.to_string()))?;
    pair.to_pkcs8v1()
        .map(|document| document.as_ref().to_vec())
        .map_err(|e| KeyError::Unusable(e.to_string()))
}

fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
