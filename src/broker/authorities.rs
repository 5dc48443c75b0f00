//! The certificate authorities in a file, for whoever verifies a far end: brokers and receivers.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use thiserror::Error;

/// Why the file is of no use.
#[derive(Debug, Error)]
pub(crate) enum NoAuthorities {
    /// It cannot be read, or is no PEM.
    #[error(transparent)]
    Unreadable(pem::Error),
    /// A certificate in it cannot be one to trust.
    #[error(transparent)]
    Unfit(rustls::Error),
    /// There is none.
    #[error("there is no certificate in it")]
    Empty,
}

/// Reads every one in a PEM file; one that is of no use spoils all. Waits for the disk.
pub(crate) fn authorities(file: &Path) -> Result<RootCertStore, NoAuthorities> {
    use NoAuthorities::{Empty, Unfit, Unreadable};
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(Unreadable)? {
        let certificate = certificate.map_err(Unreadable)?;
        roots.add(certificate).map_err(Unfit)?;
    }
    if roots.is_empty() {
        return Err(Empty);
    }
    Ok(roots)
}

/// What verifies a far end by these.
pub(crate) fn verified_by(roots: RootCertStore) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_root_certificates(roots)
}
