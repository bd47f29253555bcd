//! Checkpoints: seals that are signed, and the keys that sign and prove them.

use std::collections::HashMap;
use std::path::Path;

use aws_lc_rs::digest::{self, SHA256};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};

use super::Hash;
use crate::auth::keys::{self, KeyError};

/// What is signed begins with this, so that no signature of this key is good for anything else.
const DOMAIN: &[u8] = b"taizhang audit checkpoint 1\0";

/// A seal that is signed; it answers for the entries from `first` to `seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last entry that it answers for.
    pub seq: i64,
    /// The first one.
    pub first: i64,
    /// The hash of the last one.
    pub hash: Hash,
    /// When it was made, to the microsecond.
    pub sealed_at: DateTime<Utc>,
    /// Which key signed it.
    pub key_id: String,
    /// By Ed25519.
    pub signature: Vec<u8>,
}

fn signed(first: i64, seq: i64, hash: &Hash, sealed_at: DateTime<Utc>) -> Vec<u8> {
    let mut bytes = DOMAIN.to_vec();
    for number in [first, seq, sealed_at.timestamp_micros()] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(hash);
    bytes
}

/// Signs checkpoints.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    id: String,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads the key in `path`, or makes one there that only its owner may read.
    ///
    /// # Errors
    /// [`KeyError`] if it can't be read, written or used, or if others have access to it.
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        if !path.exists() {
            let pair = Ed25519KeyPair::generate().map_err(unusable)?;
            // Version 1 of PKCS #8, which every reader takes.
            let pkcs8 = pair.to_pkcs8v1().map_err(unusable)?;
            keys::write_new(path, pkcs8.as_ref())?;
        }
        let pair = Ed25519KeyPair::from_pkcs8(&keys::read_private(path)?).map_err(unusable)?;
        let id = id_of(pair.public_key().as_ref());
        Ok(Self { pair, id })
    }

    /// The public key, by which others prove what this one signs.
    #[must_use]
    pub fn public(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.pair.public_key())
    }

    /// Signs for the entries from `first` to `seq`.
    #[must_use]
    pub fn sign(&self, first: i64, seq: i64, hash: Hash, sealed_at: DateTime<Utc>) -> Checkpoint {
        let signature = self.pair.sign(&signed(first, seq, &hash, sealed_at));
        Checkpoint {
            seq,
            first,
            hash,
            sealed_at,
            key_id: self.id.clone(),
            signature: signature.as_ref().to_vec(),
        }
    }
}

/// The public keys whose signatures count.
#[derive(Clone, Debug, Default)]
pub struct TrustedKeys(HashMap<String, Vec<u8>>);

/// What a signature proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// One of the trusted keys made it, for just this.
    Good,
    /// It was not made for this.
    Bad,
    /// Its key is not trusted here.
    UnknownKey,
}

impl TrustedKeys {
    /// The service's own key, and others by their public halves: those that it had before, and those of other
    /// instances.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] names the one that is no key.
    pub fn new<'a>(
        own: &SigningKey,
        others: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, KeyError> {
        let mut keys = HashMap::from([(own.id.clone(), own.pair.public_key().as_ref().to_vec())]);
        for text in others {
            let key = BASE64_URL_SAFE_NO_PAD
                .decode(text)
                .ok()
                .filter(|bytes| bytes.len() == 32)
                .ok_or_else(|| KeyError::Unusable(format!("{text:?} is not a public key")))?;
            keys.insert(id_of(&key), key);
        }
        Ok(Self(keys))
    }

    /// Whether a checkpoint was signed as it stands.
    #[must_use]
    pub fn prove(&self, checkpoint: &Checkpoint) -> Proof {
        let Checkpoint {
            seq,
            first,
            hash,
            sealed_at,
            key_id,
            signature,
        } = checkpoint;
        let Some(key) = self.0.get(key_id) else {
            return Proof::UnknownKey;
        };
        let message = signed(*first, *seq, hash, *sealed_at);
        match UnparsedPublicKey::new(&ED25519, key).verify(&message, signature) {
            Ok(()) => Proof::Good,
            Err(_) => Proof::Bad,
        }
    }
}

fn id_of(public: &[u8]) -> String {
    let fingerprint = digest::digest(&SHA256, public);
    BASE64_URL_SAFE_NO_PAD.encode(fingerprint.as_ref().get(..9).unwrap_or_default())
}

fn unusable(why: impl std::fmt::Display) -> KeyError {
    KeyError::Unusable(format!("not an Ed25519 key in PKCS #8: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> (SigningKey, std::path::PathBuf) {
        let path = std::env::temp_dir().join(format!("{name}-{}.p8", crate::clock::new_id()));
        (SigningKey::from_file(&path).unwrap(), path)
    }

    #[test]
    fn a_signature_is_good_for_what_was_signed_and_for_a_trusted_key() {
        let ((key, path), (other, other_path)) = (key("one"), key("other"));
        let again = SigningKey::from_file(&path).unwrap();
        assert_eq!(again.public(), key.public());
        let trusted = TrustedKeys::new(&key, []).unwrap();
        let good = key.sign(1, 2, [7; 32], DateTime::UNIX_EPOCH);
        assert_eq!(trusted.prove(&good), Proof::Good);
        let mut changed = vec![good.clone(); 4];
        changed[0].seq = 3;
        changed[1].first = 2;
        changed[2].hash[31] = 8;
        changed[3].sealed_at += chrono::TimeDelta::microseconds(1);
        for bad in changed {
            assert_eq!(trusted.prove(&bad), Proof::Bad, "{bad:?}");
        }
        let foreign = other.sign(1, 2, [7; 32], DateTime::UNIX_EPOCH);
        assert_eq!(trusted.prove(&foreign), Proof::UnknownKey);
        let both = TrustedKeys::new(&key, [other.public().as_str()]).unwrap();
        assert_eq!(both.prove(&foreign), Proof::Good);
        for path in [path, other_path] {
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let (_, path) = key("open");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            SigningKey::from_file(&path),
            Err(KeyError::Exposed(_))
        ));
        std::fs::remove_file(path).unwrap();
    }
}
