//! Secrets and signatures as Standard Webhooks has them (<https://www.standardwebhooks.com>, version 1).

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::auth::keys::KeyError;

/// How many random bytes a secret has; the standard asks for 24 to 64.
const BYTES: usize = 32;
/// How a secret begins that is shown to people.
const PREFIX: &str = "whsec_";

/// What a receiver knows its sender by.
pub struct Secret(Vec<u8>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if the machine has no random bytes to give.
    pub fn draw() -> Result<Self, KeyError> {
        let mut bytes = vec![0; BYTES];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|e| KeyError::Unusable(e.to_string()))?;
        Ok(Self(bytes))
    }

    /// One that was kept.
    #[must_use]
    pub const fn of(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be kept.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As it is given to its receiver.
    #[must_use]
    pub fn told(&self) -> String {
        format!("{PREFIX}{}", BASE64_STANDARD.encode(&self.0))
    }

    fn sign(&self, content: &[u8]) -> String {
        let tag = sign(&Key::new(HMAC_SHA256, &self.0), content);
        format!("v1,{}", BASE64_STANDARD.encode(tag))
    }
}

/// The header `webhook-signature`: a signature by each secret, so that a receiver may know either.
#[must_use]
pub fn signatures(secrets: &[Secret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut content = format!("{id}.{timestamp}.").into_bytes();
    content.extend_from_slice(body);
    let each: Vec<String> = secrets.iter().map(|secret| secret.sign(&content)).collect();
    each.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_signed_as_it_says() {
        let key = BASE64_STANDARD
            .decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
            .unwrap();
        let secret = Secret::of(key);
        assert_eq!(secret.told(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let signed = signatures(
            &[secret],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            body,
        );
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn two_secrets_make_two_signatures() {
        let secrets = [Secret::draw().unwrap(), Secret::draw().unwrap()];
        let signed = signatures(&secrets, "a", 1, b"{}");
        let each: Vec<&str> = signed.split(' ').collect();
        assert_eq!(each.len(), 2);
        assert_ne!(each[0], each[1]);
        assert!(secrets[0].bytes().len() >= 24);
    }
}
