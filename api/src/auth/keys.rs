//! Keys that are kept in files which nobody else may read: those that sign tokens, and the one that seals secrets.
//!
//! The newest signing key signs; one that has a successor still verifies for [`OVERLAP`], which is longer than any
//! token that is not renewed lives. So keys change without anybody having to sign in again.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde_json::{Value, json};

/// For how long a key still verifies after it has a successor.
pub const OVERLAP: TimeDelta = TimeDelta::hours(1);
/// How soon the files are looked at again for a key that is not known: anybody can make up a name.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(1);
/// How the time at which a key was made stands in its file's name.
const MADE_AT: &str = "%Y%m%dT%H%M%S%6f";

/// Keys that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file can't be read or written.
    #[error("key {path}: {source}")]
    File {
        /// Where.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Others than its owner may read it.
    #[error(
        "key {0}: others may read this file; take that right away (chmod 600) and change the key"
    )]
    Exposed(String),
    /// It is no key of the kind that is needed, or won't do its work.
    #[error("key: {0}")]
    Unusable(String),
}

/// A key that signs and verifies tokens.
#[derive(Clone)]
pub struct SigningKey {
    /// Its name in tokens.
    pub id: String,
    /// Signs.
    pub encoding: EncodingKey,
    /// Verifies.
    pub decoding: DecodingKey,
    public: Vec<u8>,
}

impl SigningKey {
    fn read(path: &Path) -> Result<Self, KeyError> {
        let pkcs8 = read_private(path)?;
        let pair = Ed25519KeyPair::from_pkcs8(&pkcs8)
            .map_err(|e| KeyError::Unusable(format!("not an Ed25519 key in PKCS #8: {e}")))?;
        let public = pair.public_key().as_ref().to_vec();
        let fingerprint = digest(&SHA256, &public);
        let id = BASE64_URL_SAFE_NO_PAD.encode(fingerprint.as_ref().get(..9).unwrap_or_default());
        Ok(Self {
            id,
            encoding: EncodingKey::from_ed_der(&pkcs8),
            decoding: DecodingKey::from_ed_der(&public),
            public,
        })
    }
}

/// The signing keys of a directory, read anew when they change.
pub struct Keys {
    directory: PathBuf,
    /// Newest first; never empty.
    ring: RwLock<Arc<Vec<SigningKey>>>,
    looked_at: Mutex<DateTime<Utc>>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads the keys of a directory; the first is made if there is none.
    ///
    /// # Errors
    /// [`KeyError`] if one can't be read, written or used.
    pub fn open(directory: &Path, now: DateTime<Utc>) -> Result<Self, KeyError> {
        let mut ring = read_ring(directory, now)?;
        if ring.is_empty() {
            make(directory, now)?;
            ring = read_ring(directory, now)?;
        }
        Ok(Self {
            directory: directory.to_owned(),
            ring: RwLock::new(Arc::new(ring)),
            looked_at: Mutex::new(now),
        })
    }

    /// The key that signs.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if there is none.
    pub fn signer(&self) -> Result<SigningKey, KeyError> {
        let newest = self.ring().first().cloned();
        newest.ok_or_else(|| KeyError::Unusable("there is none to sign with".to_owned()))
    }

    /// The key of a name, if tokens that it has signed are still taken. One that is not known may have been made
    /// by another instance since.
    #[must_use]
    pub fn find(&self, id: &str, now: DateTime<Utc>) -> Option<SigningKey> {
        let named = |ring: &[SigningKey]| ring.iter().find(|key| key.id == id).cloned();
        if let Some(key) = named(&self.ring()) {
            return Some(key);
        }
        {
            let mut looked_at = self
                .looked_at
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if now < *looked_at + LOOK_AGAIN {
                return None;
            }
            *looked_at = now;
        }
        self.reload(now);
        named(&self.ring())
    }

    /// Reads the keys anew; what can't be read leaves the present ones.
    pub fn reload(&self, now: DateTime<Utc>) {
        match read_ring(&self.directory, now) {
            Ok(ring) if ring.is_empty() => {
                tracing::error!("the signing keys are gone; those known go on");
            }
            Ok(ring) => {
                *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
            }
            Err(error) => tracing::error!(%error, "the signing keys can't be read anew"),
        }
    }

    /// The public keys, as JSON Web Keys (RFC 7517), newest first.
    #[must_use]
    pub fn public(&self) -> Vec<Value> {
        self.ring()
            .iter()
            .map(|key| {
                json!({
                    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.id,
                    "x": BASE64_URL_SAFE_NO_PAD.encode(&key.public),
                })
            })
            .collect()
    }

    fn ring(&self) -> Arc<Vec<SigningKey>> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Makes the next signing key, and removes those whose time is over; `at_once` removes every other one, so that all
/// who are signed in have to sign in again. Answers the new key's name.
///
/// # Errors
/// [`KeyError`] if a file can't be written or removed.
pub fn rotate(directory: &Path, now: DateTime<Utc>, at_once: bool) -> Result<String, KeyError> {
    let made = make(directory, now)?;
    let kept: Vec<PathBuf> = if at_once {
        vec![made.clone()]
    } else {
        in_force(files(directory)?, now)
            .into_iter()
            .map(|(path, _)| path)
            .collect()
    };
    for (path, _) in files(directory)? {
        if !kept.contains(&path) {
            fs::remove_file(&path).map_err(file_error(&path))?;
        }
    }
    Ok(SigningKey::read(&made)?.id)
}

fn make(directory: &Path, now: DateTime<Utc>) -> Result<PathBuf, KeyError> {
    let pair = Ed25519KeyPair::generate().map_err(|e| KeyError::Unusable(e.to_string()))?;
    // Version 1 of PKCS #8, which every reader takes.
    let pkcs8 = pair
        .to_pkcs8v1()
        .map_err(|e| KeyError::Unusable(e.to_string()))?;
    let path = directory.join(format!("token-{}.p8", now.format(MADE_AT)));
    write_private(&path, pkcs8.as_ref())?;
    Ok(path)
}

fn read_ring(directory: &Path, now: DateTime<Utc>) -> Result<Vec<SigningKey>, KeyError> {
    in_force(files(directory)?, now)
        .into_iter()
        .map(|(path, _)| SigningKey::read(&path))
        .collect()
}

/// The key files, newest first, with the time at which each was made.
fn files(directory: &Path) -> Result<Vec<(PathBuf, DateTime<Utc>)>, KeyError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(file_error(directory)(e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(file_error(directory))?.path();
        let made_at = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix("token-")?.strip_suffix(".p8"))
            .and_then(|time| NaiveDateTime::parse_from_str(time, MADE_AT).ok());
        if let Some(made_at) = made_at {
            found.push((path, made_at.and_utc()));
        }
    }
    found.sort_by_key(|(_, made_at)| std::cmp::Reverse(*made_at));
    Ok(found)
}

/// The newest, and those whose successor is not older than [`OVERLAP`].
fn in_force(
    files: Vec<(PathBuf, DateTime<Utc>)>,
    now: DateTime<Utc>,
) -> Vec<(PathBuf, DateTime<Utc>)> {
    let mut successor: Option<DateTime<Utc>> = None;
    files
        .into_iter()
        .take_while(|(_, made_at)| {
            let is_in_force = successor.is_none_or(|successor| now < successor + OVERLAP);
            successor = Some(*made_at);
            is_in_force
        })
        .collect()
}

/// Seals what has to be read again but must not stand in the database for everybody to read.
pub struct Vault {
    key: RandomizedNonceKey,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// Reads the key in a file, or makes one there.
    ///
    /// # Errors
    /// [`KeyError`] if it can't be read, written or used.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        if !path.exists() {
            let mut key = [0; 32];
            aws_lc_rs::rand::fill(&mut key).map_err(|e| KeyError::Unusable(e.to_string()))?;
            write_new(path, &key)?;
        }
        let key = RandomizedNonceKey::new(&AES_256_GCM, &read_private(path)?)
            .map_err(|e| KeyError::Unusable(format!("not 32 bytes: {e}")))?;
        Ok(Self { key })
    }

    /// Seals some bytes; they open only for the same owner.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if the key won't.
    pub fn seal(&self, owner: &[u8], secret: &[u8]) -> Result<String, KeyError> {
        let mut bytes = secret.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(owner), &mut bytes)
            .map_err(|e| KeyError::Unusable(e.to_string()))?;
        Ok(BASE64_URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &bytes].concat()))
    }

    /// Opens what was sealed for an owner.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] if it was sealed by another key, for somebody else, or has been changed.
    pub fn open_sealed(&self, owner: &[u8], sealed: &str) -> Result<Vec<u8>, KeyError> {
        let unusable = |_| KeyError::Unusable("a sealed secret does not open".to_owned());
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(sealed)
            .map_err(|e| KeyError::Unusable(e.to_string()))?;
        let (nonce, sealed) = bytes
            .split_at_checked(aws_lc_rs::aead::NONCE_LEN)
            .ok_or_else(|| KeyError::Unusable("a sealed secret is cut".to_owned()))?;
        let nonce = aws_lc_rs::aead::Nonce::try_assume_unique_for_key(nonce).map_err(unusable)?;
        let mut opened = sealed.to_vec();
        let length = self
            .key
            .open_in_place(nonce, Aad::from(owner), &mut opened)
            .map_err(unusable)?
            .len();
        opened.truncate(length);
        Ok(opened)
    }
}

/// Random bytes, as text that fits into an address.
///
/// # Errors
/// [`KeyError::Unusable`] if the machine has none to give.
pub fn random_text<const BYTES: usize>() -> Result<String, KeyError> {
    let mut bytes = [0; BYTES];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|e| KeyError::Unusable(e.to_string()))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

/// The hash under which a random secret is kept. It has too many bits to be guessed, so it need not be slow.
#[must_use]
pub fn hash_of_secret(secret: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.as_bytes()))
}

fn file_error(path: &Path) -> impl Fn(std::io::Error) -> KeyError {
    let path = path.display().to_string();
    move |source| KeyError::File {
        path: path.clone(),
        source,
    }
}

/// Reads a file that nobody but its owner may read.
pub(crate) fn read_private(path: &Path) -> Result<Vec<u8>, KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(path).map_err(file_error(path))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Exposed(path.display().to_string()));
    }
    fs::read(path).map_err(file_error(path))
}

/// Writes a key where there is none: two that start at once make one key.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    match write_private(path, bytes) {
        Err(KeyError::File { source, .. })
            if source.kind() == std::io::ErrorKind::AlreadyExists =>
        {
            Ok(())
        }
        made => made,
    }
}

/// Writes a new file that nobody but its owner may read.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(parent) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .map_err(file_error(parent))?;
    }
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(file_error(path))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .map_err(file_error(path))
}
