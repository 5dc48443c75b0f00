//! Where an MQTT broker is and how to get in: shared by the subscriber (`input/mqtt`) and the
//! forwarder (`output/mqtt`), which never share a connection.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A broker's address and credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct BrokerAddress {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// `mqtts`: TLS, always verified. `None`: plain TCP.
    pub tls: Option<Tls>,
    /// User name and password.
    pub login: Option<Login>,
    /// MQTT client id; the same id for ever, because the session hangs on it.
    pub client_id: String,
    /// MQTT keep alive; at least 1 s. A dead link is noticed within twice this.
    pub keep_alive: Duration,
}

/// How the broker is verified. Verification cannot be switched off.
#[derive(Debug, Clone, PartialEq)]
pub struct Tls {
    /// Certificate authority to trust, PEM.
    pub ca_file: PathBuf,
}

/// User name and password for a broker.
#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    /// User name.
    pub username: String,
    /// Password, read from a file.
    pub password: Secret,
}

/// A text that never shows in logs, errors or dumps.
#[derive(Clone, PartialEq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// The secret itself; only for handing it to the far end.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
