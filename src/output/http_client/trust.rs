//! Whom to trust: the operating system's authorities, or those in a file and nobody else.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use super::failure::Failure;
use crate::broker::{authorities, verified_by};

/// Reads the authorities, on a thread that may block. `None`: those of the operating system.
pub(in crate::output) async fn load(
    ca_file: Option<PathBuf>,
) -> Result<Arc<ClientConfig>, Failure> {
    let load = move || match ca_file {
        Some(file) => from_file(&file),
        None => from_system(),
    };
    let roots = tokio::task::spawn_blocking(load).await;
    let roots = roots.map_err(|_| Failure::Trust("the gateway is stopping".to_owned()))??;
    Ok(Arc::new(verified_by(roots).with_no_client_auth()))
}

fn from_file(file: &Path) -> Result<RootCertStore, Failure> {
    authorities(file).map_err(|why| {
        let file = file.display();
        Failure::Trust(format!(
            "`ca_file` {file} cannot be used: {why}; expected a PEM file"
        ))
    })
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
