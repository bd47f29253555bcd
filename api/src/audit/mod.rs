//! The audit chain outside the database: its hash, its signatures, the file of checkpoints, and the sealer.
//!
//! What is recorded stands in `event`; `store::audit` has the SQL of its chain.

pub mod checkpoint;
pub mod export;
pub mod journal;
pub mod sealer;

use aws_lc_rs::digest;
use serde::Deserialize;
use sm3::Digest;

/// A link of the chain.
pub type Hash = [u8; 32];

/// What the first link is chained to.
pub const START: Hash = [0; 32];

/// How the chain is hashed. It stands with each link, so a change of it leaves what is sealed as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SM3 (GM/T 0004-2012, 国密).
    Sm3,
}

impl Algorithm {
    /// The stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sm3 => "sm3",
        }
    }

    /// The algorithm of a code, if there is one.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Sha256, Self::Sm3]
            .into_iter()
            .find(|algorithm| algorithm.code() == code)
    }

    /// The hash of bytes.
    #[must_use]
    pub fn hash(self, bytes: &[u8]) -> Hash {
        match self {
            Self::Sha256 => {
                let mut hash = START;
                hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
                hash
            }
            Self::Sm3 => sm3::Sm3::digest(bytes).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of FIPS 180-2 and of GM/T 0004-2012, appendix A.1.
    #[test]
    fn the_hashes_are_those_of_the_standards() {
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let sm3 = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0";
        assert_eq!(hex::encode(Algorithm::Sha256.hash(b"abc")), sha256);
        assert_eq!(hex::encode(Algorithm::Sm3.hash(b"abc")), sm3);
    }
}
