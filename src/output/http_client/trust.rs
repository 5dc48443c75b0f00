//! Whom to trust: the operating system's authorities, or those in a file and nobody else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::failure::Failure;

/// Reads the authorities, on a thread that may block. `None`: those of the operating system.
pub(super) async fn load(ca_file: Option<PathBuf>) -> Result<Arc<ClientConfig>, Failure> {
    let load = move || match ca_file {
        Some(file) => from_file(&file),
        None => from_system(),
    };
    let roots = tokio::task::spawn_blocking(load).await;
    let roots = roots.map_err(|_| Failure::Trust("the gateway is stopping".to_owned()))??;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default protocol versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn from_file(file: &Path) -> Result<RootCertStore, Failure> {
    let unusable = |why: &dyn std::fmt::Display| {
        let file = file.display();
        Failure::Trust(format!(
            "`ca_file` {file} cannot be used: {why}; expected a PEM file"
        ))
    };
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        roots.add(certificate).map_err(|error| unusable(&error))?;
    }
    if roots.is_empty() {
        return Err(unusable(&"there is no certificate in it"));
    }
    Ok(roots)
}

/// Single ones that cannot be used are passed over: stores of operating systems have some.
fn from_system() -> Result<RootCertStore, Failure> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (usable, _unusable) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        let text = "the operating system has no certificate authorities (Debian package ca-certificates); \
                    name a `ca_file`";
        return Err(Failure::Trust(text.to_owned()));
    }
    Ok(roots)
}
