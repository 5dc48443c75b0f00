//! Whom to trust when a broker shows its certificate: the configured authority, and nobody else. And who
//! we are, when it asks.
//!
//! ```text
//!  files on disk ──at each connection──▶ Trust ──▶ TLS
//!        │ unreadable, or too slow                 ▲
//!        └──────── the Trust before ───────────────┘
//! ```
//!
//! Certificates are renewed while the gateway runs, so the files are read for each connection. But a
//! reconnect must not depend on the disk: a file that is gone, half written or on a disk that hangs leaves
//! what was read before in force, and is told. One reading is under way at most.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use tracing::warn;

use super::authorities::{NoAuthorities, authorities, verified_by};
use super::certificate::{self, Facts};
use super::{ClientCertificate, Tls};

/// A sound disk gives some small files within this.
const READ_WITHIN: Duration = Duration::from_secs(1);

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
        source: pem::Error,
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
    /// The file with our own certificate cannot be read, or is no PEM.
    #[error("the client certificate `{path}` cannot be read; expected a PEM file")]
    CertFile {
        /// As configured.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// Our own certificate is of a version that nobody takes.
    #[error(
        "the client certificate `{path}` is version {version}; TLS takes version 3 only (openssl makes them \
         with `-extfile`, or with `req -x509`)"
    )]
    OldCertificate {
        /// As configured.
        path: PathBuf,
        /// 1 or 2.
        version: u8,
    },
    /// The file with its key cannot be read, or holds no key without a password.
    #[error(
        "the private key `{path}` cannot be read; expected PEM with PKCS#8, PKCS#1 or SEC1 and no password \
         on it"
    )]
    KeyFile {
        /// As configured.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// The key is of a kind that is not known here.
    #[error("the private key `{path}` cannot be used; RSA, ECDSA (P-256, P-384) and Ed25519 can")]
    Key {
        /// As configured.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
    /// Certificate and key are of different pairs.
    #[error("the private key `{key}` does not belong to the certificate `{certificate}`")]
    KeyMismatch {
        /// As configured.
        certificate: PathBuf,
        /// As configured.
        key: PathBuf,
    },
    /// The disk hangs, and nothing was read before.
    #[error("the certificates for the broker were not read within a second")]
    SlowDisk,
    /// A session hangs on its client id.
    #[error("the broker's client id is empty; a session needs one that stays the same")]
    NoClientId,
}

impl BrokerError {
    /// Is it about the private key, and not about a certificate?
    pub(crate) const fn is_of_key(&self) -> bool {
        matches!(
            self,
            Self::KeyFile { .. } | Self::Key { .. } | Self::KeyMismatch { .. }
        )
    }

    /// Is it about our own certificate?
    pub(crate) fn is_of(&self, certificate: &Path) -> bool {
        match self {
            Self::CertFile { path, .. }
            | Self::OldCertificate { path, .. }
            | Self::NoCertificate { path } => path == certificate,
            Self::CaFile { .. }
            | Self::Certificate { .. }
            | Self::KeyFile { .. }
            | Self::Key { .. }
            | Self::KeyMismatch { .. }
            | Self::SlowDisk
            | Self::NoClientId => false,
        }
    }
}

/// How to verify a broker, and what to show it, ready for use.
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
    /// Reads the certificate authority and, if there is one, our own certificate with its key. Waits for
    /// the disk.
    ///
    /// # Errors
    /// A file cannot be read, or holds nothing that can be used.
    pub fn load(&self) -> Result<Trust, BrokerError> {
        let config = verified_by(self.roots()?);
        let config = match &self.client {
            None => config.with_no_client_auth(),
            Some(client) => {
                let (chain, key) = client.read()?;
                let unusable = |error| client.unusable(error);
                config.with_client_auth_cert(chain, key).map_err(unusable)?
            }
        };
        Ok(Trust(Arc::new(config)))
    }

    fn roots(&self) -> Result<rustls::RootCertStore, BrokerError> {
        let path = self.ca_file.clone();
        authorities(&self.ca_file).map_err(|why| match why {
            NoAuthorities::Unreadable(source) => BrokerError::CaFile { path, source },
            NoAuthorities::Unfit(source) => BrokerError::Certificate { path, source },
            NoAuthorities::Empty => BrokerError::NoCertificate { path },
        })
    }
}

impl ClientCertificate {
    fn read(&self) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), BrokerError> {
        let path = || self.cert_file.clone();
        let unreadable = |source| BrokerError::CertFile {
            path: path(),
            source,
        };
        let chain = CertificateDer::pem_file_iter(&self.cert_file).map_err(unreadable)?;
        let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(unreadable)?;
        let Some(own) = chain.first() else {
            return Err(BrokerError::NoCertificate { path: path() });
        };
        if let Some(Facts { version, .. }) = certificate::read(own)
            && version < 3
        {
            return Err(BrokerError::OldCertificate {
                path: path(),
                version,
            });
        }
        let key = PrivateKeyDer::from_pem_file(&self.key_file);
        let key = key.map_err(|source| BrokerError::KeyFile {
            path: self.key_file.clone(),
            source,
        })?;
        Ok((chain, key))
    }

    fn unusable(&self, error: rustls::Error) -> BrokerError {
        if matches!(error, rustls::Error::InconsistentKeys(_)) {
            return BrokerError::KeyMismatch {
                certificate: self.cert_file.clone(),
                key: self.key_file.clone(),
            };
        }
        BrokerError::Key {
            path: self.key_file.clone(),
            source: error,
        }
    }
}

/// The certificates in a file that are understood, the first one first.
pub(crate) fn facts_of(path: &Path) -> Vec<Facts> {
    let all = CertificateDer::pem_file_iter(path).into_iter().flatten();
    all.filter_map(|der| certificate::read(&der.ok()?))
        .collect()
}

/// The trust of one address, as new as the disk gives it.
#[derive(Debug, Default)]
pub(super) struct Renewed {
    known: Option<Trust>,
    reading: Option<JoinHandle<Result<Trust, BrokerError>>>,
}

impl Renewed {
    /// Reads the files, or falls back on what was read before. Takes a second at most; dropping the future
    /// loses nothing.
    pub(super) async fn get(&mut self, tls: &Tls) -> Result<Trust, BrokerError> {
        let tls = tls.clone();
        let reading = self
            .reading
            .get_or_insert_with(|| spawn_blocking(move || tls.load()));
        let read = timeout(READ_WITHIN, reading).await;
        if read.is_ok() {
            self.reading = None;
        }
        match read {
            Ok(Ok(Ok(trust))) => {
                self.known = Some(trust.clone());
                Ok(trust)
            }
            Ok(Ok(Err(error))) => self.known_after(error),
            // The runtime ends, or the disk hangs.
            Ok(Err(_)) | Err(_) => self.known_after(BrokerError::SlowDisk),
        }
    }

    fn known_after(&self, error: BrokerError) -> Result<Trust, BrokerError> {
        let Some(trust) = &self.known else {
            return Err(error);
        };
        warn!(%error, "certificates could not be read again; those from before are used");
        Ok(trust.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::scratch::ScratchFolder;

    /// Of nobody; its key is gone.
    const AUTHORITY: &str = "\
        -----BEGIN CERTIFICATE-----\n\
        MIIBizCCATGgAwIBAgIUG4tpfb1Q2VsjwEbjUCvKamwxKrcwCgYIKoZIzj0EAwIw\n\
        GjEYMBYGA1UEAwwPcGxhbnQgYXV0aG9yaXR5MCAXDTI2MTEyNjIyNTUzMloYDzIx\n\
        MjYxMTAyMjI1NTMyWjAaMRgwFgYDVQQDDA9wbGFudCBhdXRob3JpdHkwWTATBgcq\n\
        hkjOPQIBBggqhkjOPQMBBwNCAAQRby9/Ijn/EHBp8wUyCn8bhclAftZ10dnSoVO9\n\
        kd/82BrBPMerPkUCxO9XDM/vSU3IV6uJyylAJW1zkuy5bzYJo1MwUTAdBgNVHQ4E\n\
        FgQU2NkIuoA7VB9SO5HrOnc/sPoA+qowHwYDVR0jBBgwFoAU2NkIuoA7VB9SO5Hr\n\
        Onc/sPoA+qowDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA6IuM\n\
        GHJCu8O0aoZcw6THKp48PPP4cGYNxIYdn0H6yCMCIEAAezYdAhflYzBjhvNl0b+S\n\
        fVAqFEh8qDSq5OFY9n9J\n\
        -----END CERTIFICATE-----\n\
        ";

    /// Certificates are renewed by programs that write files at any time.
    #[tokio::test]
    async fn what_was_read_before_holds_while_a_file_is_gone_or_half_written() {
        let folder = ScratchFolder::new("trust-test").expect("a folder");
        let ca_file = folder.path().join("ca.pem");
        let write = |text: &str| std::fs::write(&ca_file, text).expect("our own folder");
        let tls = Tls {
            ca_file: ca_file.clone(),
            client: None,
        };
        let mut renewed = Renewed::default();
        assert!(renewed.get(&tls).await.is_err(), "there is nothing yet");
        write(AUTHORITY);
        let first = renewed.get(&tls).await.expect("it is there");
        for damage in ["", &AUTHORITY[..200]] {
            write(damage);
            let kept = renewed.get(&tls).await.expect("that from before");
            assert!(Arc::ptr_eq(&kept.0, &first.0), "{damage}");
        }
        std::fs::remove_file(&ca_file).expect("our own file");
        assert!(renewed.get(&tls).await.is_ok());
        write(AUTHORITY);
        let again = renewed.get(&tls).await.expect("it is there again");
        assert!(!Arc::ptr_eq(&again.0, &first.0), "what is new is read");
    }
}
