//! Certificates that nobody trusts unless he is told to.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

/// A certificate for 127.0.0.1 with its key, in files.
pub(crate) struct Issued {
    directory: TempDir,
}

impl Issued {
    pub(crate) fn new() -> Self {
        let issued = Self {
            directory: TempDir::new().unwrap(),
        };
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(issued.certificate(), made.cert.pem()).unwrap();
        std::fs::write(issued.key(), made.signing_key.serialize_pem()).unwrap();
        issued.permit(0o600);
        issued
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.path().join("certificate.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }

    pub(crate) fn permit(&self, mode: u32) {
        std::fs::set_permissions(self.key(), std::fs::Permissions::from_mode(mode)).unwrap();
    }
}
