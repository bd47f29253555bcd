//! How another office's system proves who it is by a key of its own: a JWT that it has signed (RFC 7523).

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::dangerous::insecure_decode;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

/// The longest assertion that is looked at, in bytes.
const MAX_ASSERTION: usize = 8192;
/// For how long an assertion may be good.
const MAX_LIFE: TimeDelta = TimeDelta::minutes(5);
/// How far the clocks of two machines may be apart, in seconds.
const LEEWAY: u64 = 30;
/// The shortest modulus of an RSA key, in the characters of its base64url: 2048 bits.
const MIN_MODULUS: usize = 341;

/// What an assertion says, once it is known to be true.
#[derive(Debug)]
pub struct Assertion {
    /// Its id: it is good once.
    pub id: String,
    /// Until when it could be shown.
    pub until: DateTime<Utc>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    jti: String,
    exp: i64,
}

/// Whom an assertion names, which is still to be proved.
#[must_use]
pub fn named(assertion: &str) -> Option<String> {
    if assertion.len() > MAX_ASSERTION {
        return None;
    }
    let claims = insecure_decode::<Claims>(assertion).ok()?.claims;
    Some(claims.sub)
}

/// Reads an assertion that a system has signed with one of its keys, for this service.
#[must_use]
pub fn read(
    assertion: &str,
    client_id: &str,
    keys: &[(String, Value)],
    audience: &str,
    now: DateTime<Utc>,
) -> Option<Assertion> {
    if assertion.len() > MAX_ASSERTION {
        return None;
    }
    let header = decode_header(assertion).ok()?;
    let (_, jwk) = match &header.kid {
        Some(kid) => keys.iter().find(|(name, _)| name == kid)?,
        None => keys.first().filter(|_| keys.len() == 1)?,
    };
    let jwk: Jwk = serde_json::from_value(jwk.clone()).ok()?;
    if !algorithms(&jwk).contains(&header.alg) {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    let mut validation = Validation::new(header.alg);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY;
    validation.set_issuer(&[client_id]);
    validation.set_audience(&[audience]);
    validation.sub = Some(client_id.to_owned());
    let claims = decode::<Claims>(assertion, &key, &validation).ok()?.claims;
    let until = DateTime::from_timestamp(claims.exp, 0)?;
    let is_short = until <= now + MAX_LIFE + TimeDelta::seconds(30);
    let is_named = claims.iss == claims.sub && (1..=255).contains(&claims.jti.len());
    (is_short && is_named && !claims.jti.contains('\0')).then_some(Assertion {
        id: claims.jti,
        // While it may still be shown, it has to be remembered.
        until: until + TimeDelta::seconds(60),
    })
}

/// By what a key may sign.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "whatever else there is or will be is not taken"
)]
const fn algorithms(jwk: &Jwk) -> &'static [Algorithm] {
    use jsonwebtoken::jwk::EllipticCurve::{Ed25519, P256, P384};
    match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if matches!(pair.curve, Ed25519) => {
            &[Algorithm::EdDSA]
        }
        AlgorithmParameters::EllipticCurve(curve) => match curve.curve {
            P256 => &[Algorithm::ES256],
            P384 => &[Algorithm::ES384],
            _ => &[],
        },
        AlgorithmParameters::RSA(_) => &[
            Algorithm::RS256,
            Algorithm::RS384,
            Algorithm::RS512,
            Algorithm::PS256,
            Algorithm::PS384,
            Algorithm::PS512,
        ],
        _ => &[],
    }
}

/// Why a key can't be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// It is a private key, or has the parts of one.
    Private,
    /// It is none of Ed25519, P-256, P-384 and RSA of 2048 bits or more.
    Unsuitable,
}

/// The name and the public parts of a key, to be kept.
///
/// # Errors
/// [`KeyFault`] if it can't be taken.
pub fn public_key(key: &Value) -> Result<(String, Value), KeyFault> {
    const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];
    if PRIVATE.iter().any(|part| key.get(part).is_some()) {
        return Err(KeyFault::Private);
    }
    let jwk: Jwk = serde_json::from_value(key.clone()).map_err(|_| KeyFault::Unsuitable)?;
    let is_short = matches!(&jwk.algorithm, AlgorithmParameters::RSA(rsa)
        if rsa.n.trim_end_matches('=').len() < MIN_MODULUS);
    let name = jwk.common.key_id.clone().unwrap_or_default();
    let is_named = (1..=128).contains(&name.len()) && !name.contains('\0');
    if is_short || !is_named || algorithms(&jwk).is_empty() || DecodingKey::from_jwk(&jwk).is_err()
    {
        return Err(KeyFault::Unsuitable);
    }
    let kept = serde_json::to_value(&jwk).map_err(|_| KeyFault::Unsuitable)?;
    Ok((name, kept))
}
