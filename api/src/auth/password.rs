//! Passwords: hashed with argon2id, compared in the same time whether the account exists or not.

use std::sync::LazyLock;
use std::time::Duration;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

/// How long one waits for his turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How far what hashes steps back behind everything else that wants the processor.
const NICE: i32 = 5;

/// Where passwords are hashed: half of the processors at the most, each hash 19 MiB, and after all other work, so that
/// a crowd that signs in does not keep the others waiting.
struct Hashers {
    turnstile: Semaphore,
    threads: Option<Runtime>,
}

static HASHERS: LazyLock<Hashers> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let parallel = (processors / 2).max(1);
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(parallel)
        .thread_name("password")
        .on_thread_start(|| {
            // Where it is not allowed, hashing competes as everything else does.
            let _refused = rustix::process::setpriority_process(None, NICE);
        })
        .build();
    if let Err(error) = &threads {
        tracing::error!(%error, "there are no threads to hash passwords in");
    }
    Hashers {
        turnstile: Semaphore::new(parallel),
        threads: threads.ok(),
    }
});

/// What the password of an unknown user is compared with, so that the answer takes as long.
static NOBODY: LazyLock<Option<String>> =
    LazyLock::new(|| hash_now("nobody signs in with this").ok());

/// A password that can't be hashed, or a stored hash that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// Too many wait for theirs.
    #[error("too many passwords are being checked")]
    Busy,
    /// The machine can't, or the hash is none.
    #[error("password hashing failed: {0}")]
    Failed(String),
}

fn hasher() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(19_456, 2, 1, None).map_err(|e| HashError::Failed(e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str) -> Result<String, HashError> {
    hasher()?
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|e| HashError::Failed(e.to_string()))
}

/// Hashes a password.
///
/// # Errors
/// [`HashError`] if the machine can't.
pub async fn hash(password: String) -> Result<String, HashError> {
    in_turn(move || hash_now(&password)).await?
}

/// Whether the password is the one; `stored` is none for an unknown user, who takes as long.
///
/// # Errors
/// [`HashError`] if the machine can't, or the stored hash is none.
pub async fn verify(password: String, stored: Option<String>) -> Result<bool, HashError> {
    in_turn(move || {
        let known = stored.is_some();
        let hash = stored
            .or_else(|| NOBODY.clone())
            .ok_or_else(|| HashError::Failed("no hash to compare with".to_owned()))?;
        let parsed = PasswordHash::new(&hash).map_err(|e| HashError::Failed(e.to_string()))?;
        let is_right = hasher()?
            .verify_password(password.as_bytes(), &parsed)
            .is_ok();
        Ok(is_right && known)
    })
    .await?
}

async fn in_turn<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, HashError> {
    let _turn = tokio::time::timeout(PATIENCE, HASHERS.turnstile.acquire())
        .await
        .map_err(|_| HashError::Busy)?
        .map_err(|e| HashError::Failed(e.to_string()))?;
    let threads = HASHERS.threads.as_ref();
    threads
        .ok_or_else(|| HashError::Failed("no threads to hash in".to_owned()))?
        .spawn_blocking(work)
        .await
        .map_err(|e| HashError::Failed(e.to_string()))
}
