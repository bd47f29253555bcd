//! TLS of the service's own, by rustls: 1.3 and 1.2 and nothing older, HTTP/1.1 and nothing else.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};

/// Rights to a key's file that nobody may have: others any, the group to write.
const TOO_OPEN: u32 = 0o027;

/// A certificate with its key, from files that may be read again while connections go on.
#[derive(Debug)]
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    current: RwLock<Arc<CertifiedKey>>,
}

/// Why a certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file that can't be read, or holds something else.
    #[error("TLS: {path}: {why}")]
    File {
        /// Where.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A key that others could take or change.
    #[error(
        "TLS: {path}: others can read or change this key; chmod 600 it (640 if a group has to read it)"
    )]
    TooOpen {
        /// Where.
        path: String,
    },
    /// A key that is not the certificate's, or of a kind that is not supported.
    #[error("TLS: {0}")]
    Unusable(#[from] rustls::Error),
}

impl Certificate {
    /// Reads a certificate, followed by those it rests on, and its key, both in PEM.
    ///
    /// # Errors
    /// [`CertificateError`] if they can't be read or don't belong together, or if others can get at the key.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self, CertificateError> {
        Ok(Self {
            current: RwLock::new(read(certificate, key)?),
            chain: certificate.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Reads the files again, for the connections that come from now on.
    ///
    /// # Errors
    /// As [`Certificate::from_files`]; what was read before stays.
    pub fn reload(&self) -> Result<(), CertificateError> {
        let fresh = read(&self.chain, &self.key)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// How to serve with it.
    ///
    /// # Errors
    /// [`CertificateError::Unusable`] if the cryptography that was built in knows none of the versions.
    pub fn for_server(self: &Arc<Self>) -> Result<ServerConfig, CertificateError> {
        let certificate = Arc::clone(self);
        Ok(ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(certificate))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&current))
    }
}

/// The cryptography: named, because the database's driver builds in another one.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn read(certificate: &Path, key: &Path) -> Result<Arc<CertifiedKey>, CertificateError> {
    let wrong = |path: &Path, why: &dyn std::fmt::Display| CertificateError::File {
        path: path.display().to_string(),
        why: why.to_string(),
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| wrong(certificate, &error))?;
    if chain.is_empty() {
        return Err(wrong(certificate, &"there is no certificate in it"));
    }
    let mode = std::fs::metadata(key)
        .map_err(|error| wrong(key, &error))?
        .permissions()
        .mode();
    if mode & TOO_OPEN != 0 {
        return Err(CertificateError::TooOpen {
            path: key.display().to_string(),
        });
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    let certified = CertifiedKey::from_der(chain, private, &provider())?;
    Ok(Arc::new(certified))
}
