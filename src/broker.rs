//! Where an MQTT broker is and how to get in: shared by the subscriber (`input/mqtt`) and the
//! forwarder (`output/mqtt`), which never share a connection.
//!
//! Theory of operation: one `Client` and one `Pump` live exactly as long as one connection. A
//! client library that reconnects by itself forgets, without a word, what was in flight when the
//! broker comes back without its session; so ours never does. After any error both are thrown away
//! and [`Backoff`] says when to try again.
//!
//! ```text
//!  shell's loop ──requests──▶ Client ──▶ ┌──────┐
//!        ▲                               │ Pump │ ◀──▶ broker
//!        └────────── events ◀────────────└──────┘
//! ```
//!
//! The pump runs beside the shell's loop in the same task, because its `poll` may not be dropped
//! half-way: what was read from the socket or written to it would be lost.
//!
//! Several servers may be one broker. They are tried in turn; whoever takes us keeps us until the connection
//! ends, so a server that comes back is not gone back to.
//!
//! Deliberately absent: a switch to skip TLS verification, default trust in public authorities, a
//! queue of our own. The journal is the queue towards upstream, the broker's session the one from
//! the plant.

mod authorities;
mod backoff;
mod certificate;
mod client;
mod ending;
mod event;
mod pump;
mod sampler;
mod session;
mod signals;
mod status;
mod theft;
mod trust;
mod unsure;

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

pub(crate) use authorities::{authorities, verified_by};
pub use backoff::Backoff;
pub(crate) use certificate::Facts;
pub(crate) use client::{Client, Sure};
pub(crate) use ending::{ENDINGS, Ending};
pub(crate) use event::{Connected, Event, Grant, Message, Verdict};
pub(crate) use pump::Pump;
pub(crate) use sampler::Sampler;
pub(crate) use session::{Session, Will};
pub(crate) use signals::{Signal, Signals};
pub(crate) use status::{Flow, Link, StatusPoint};
pub(crate) use theft::{STOLEN, Theft};
use trust::Renewed;
pub(crate) use trust::facts_of;
pub use trust::{BrokerError, Trust};
pub(crate) use unsure::Unsure;

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
    /// Which MQTT it speaks.
    pub version: Version,
    /// MQTT keep alive; at least 1 s, 5 s with version 5. A dead link is noticed within twice this.
    pub keep_alive: Duration,
}

/// One of several servers that are one broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// A version of MQTT.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Version {
    /// 3.1.1, which every broker speaks.
    #[default]
    V3,
    /// 5, in which a broker says why it refuses something.
    V5,
}

/// How the broker is verified, and what we show it. Verification cannot be switched off.
#[derive(Debug, Clone, PartialEq)]
pub struct Tls {
    /// Certificate authority to trust, PEM.
    pub ca_file: PathBuf,
    /// Our own certificate, for a broker that asks for one.
    pub client: Option<ClientCertificate>,
}

/// Who we are.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientCertificate {
    /// Our certificate, then those between it and its authority; PEM.
    pub cert_file: PathBuf,
    /// Its private key without a password; PEM with PKCS#8, PKCS#1 or SEC1.
    pub key_file: PathBuf,
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

/// A broker that takes no farewell in this time gets none.
pub(crate) const GOODBYE_WITHIN: Duration = Duration::from_millis(500);

/// What makes connections to one broker: its address and the trust that was loaded for it.
#[derive(Debug)]
pub(crate) struct Connector {
    /// With the server that the next connection goes to.
    address: BrokerAddress,
    /// The servers after it, the next one first.
    others: VecDeque<Server>,
    trust: Renewed,
}

impl Connector {
    pub(crate) fn new(address: BrokerAddress) -> Self {
        Self {
            address,
            others: VecDeque::new(),
            trust: Renewed::default(),
        }
    }

    /// The same for a broker of several servers.
    pub(crate) fn among(mut self, others: &[Server]) -> Self {
        self.others.extend(others.iter().cloned());
        self
    }

    /// The next connection goes to the next server; after the last comes the first.
    pub(crate) fn turn(&mut self) {
        let Some(next) = self.others.pop_front() else {
            return;
        };
        self.others.push_back(Server {
            host: mem::replace(&mut self.address.host, next.host),
            port: mem::replace(&mut self.address.port, next.port),
        });
    }

    /// Where the next connection goes, or the present one went: `host:port`.
    pub(crate) fn server(&self) -> String {
        format!("{}:{}", self.address.host, self.address.port)
    }

    /// Opens the next connection, with the certificates that are on disk now: a client to ask with, a
    /// pump to run beside the loop that asks, and what the pump reports. `requests` bounds what may wait
    /// to be written.
    pub(crate) async fn open(
        &mut self,
        session: Session,
        requests: usize,
    ) -> Result<(Client, Pump, Happenings), BrokerError> {
        let trust = match &self.address.tls {
            Some(tls) => Some(self.trust.get(tls).await?),
            None => None,
        };
        pump::open(&self.address, trust, session, requests)
    }
}

/// What the broker did, or why the connection ended.
pub(crate) type Happening = Result<Event, Ending>;

/// What a pump reports, in order.
#[derive(Debug)]
pub(crate) struct Happenings(mpsc::Receiver<Happening>);

impl Happenings {
    /// The next one; behind the last comes an ending, however often it is asked. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Happening {
        let happening = self.0.recv().await;
        happening.unwrap_or_else(|| Err(Ending::ours("stopped", "the connection ended")))
    }
}

/// Leaves in good order: the broker keeps its last will to itself. What was asked before is written
/// first. Never takes longer than [`GOODBYE_WITHIN`].
pub(crate) async fn goodbye(client: &Client, happenings: &mut Happenings) {
    if client.disconnect().is_err() {
        return;
    }
    let written = async { while happenings.next().await.is_ok() {} };
    let _late = timeout(GOODBYE_WITHIN, written).await.is_err();
}

#[cfg(test)]
mod tests;
