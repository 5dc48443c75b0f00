//! Whom to trust when a broker shows its certificate: the configured authority, and nobody else.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;

use super::Tls;

/// Why a broker's address cannot be used yet.
#[derive(Debug, Error)]
pub enum BrokerError {
    /// The file with the certificate authority cannot be read, or is no PEM.
    #[error(
        "the certificate authority for the broker, `{path}`, cannot be read; expected a PEM file"
    )]
    CaFile {
        /// As configured.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::pki_types::pem::Error,
    },
    /// There is no certificate in it.
    #[error("`{path}` holds no certificate; expected at least one `BEGIN CERTIFICATE` block")]
    NoCertificate {
        /// As configured.
        path: PathBuf,
    },
    /// A certificate in it cannot be one to trust.
    #[error("`{path}` holds a certificate that cannot be used as a certificate authority")]
    Certificate {
        /// As configured.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// A session hangs on its client id.
    #[error("the broker's client id is empty; a session needs one that stays the same")]
    NoClientId,
}

/// How to verify a broker, ready for use.
#[derive(Clone)]
pub struct Trust(Arc<rustls::ClientConfig>);

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust")
    }
}

impl Trust {
    /// For the TLS layer of the client library.
    pub(super) fn into_config(self) -> Arc<rustls::ClientConfig> {
        self.0
    }
}

impl Tls {
    /// Reads the certificate authority. To be done once and kept: a reconnect must not depend on
    /// the disk.
    ///
    /// # Errors
    /// The file cannot be read, or holds no usable certificate.
    pub fn load(&self) -> Result<Trust, BrokerError> {
        let path = || self.ca_file.clone();
        let unreadable = |source| BrokerError::CaFile {
            path: path(),
            source,
        };
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(&self.ca_file).map_err(unreadable)? {
            roots
                .add(certificate.map_err(unreadable)?)
                .map_err(|source| BrokerError::Certificate {
                    path: path(),
                    source,
                })?;
        }
        if roots.is_empty() {
            return Err(BrokerError::NoCertificate { path: path() });
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the default protocol versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Trust(Arc::new(config)))
    }
}
