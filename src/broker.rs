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
//! Deliberately absent: a switch to skip TLS verification, default trust in public authorities, a
//! queue of our own. The journal is the queue towards upstream, the broker's session the one from
//! the plant.

mod backoff;
mod certificate;
mod ending;
mod sampler;
mod signals;
mod status;
mod trust;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions, Outgoing,
    TlsConfiguration, Transport,
};
use tokio::sync::mpsc;
use tokio::time::timeout;

pub use backoff::Backoff;
pub(crate) use certificate::Facts;
pub(crate) use ending::{ENDINGS, Ending};
pub(crate) use sampler::Sampler;
pub(crate) use signals::{Signal, Signals};
pub(crate) use status::{Link, StatusPoint};
use trust::Renewed;
pub(crate) use trust::facts_of;
pub use trust::{BrokerError, Trust};

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

/// A connection attempt takes at most this long: name lookup, TCP, TLS and CONNACK together.
const CONNECT_TIMEOUT_S: u64 = 5;

/// A broker that takes no farewell in this time gets none.
const GOODBYE_WITHIN: Duration = Duration::from_millis(500);

/// Events that wait between the pump and the loop behind it. When full the pump stops reading its
/// socket, and TCP holds the broker back.
const EVENTS: usize = 32;

impl BrokerAddress {
    /// Options for one connection, with what both shells have in common: address, login, keep
    /// alive, and TLS with the trust that was loaded before.
    ///
    /// # Errors
    /// [`BrokerError::NoClientId`], on which the library would panic.
    pub fn options(&self, trust: Option<Trust>) -> Result<MqttOptions, BrokerError> {
        if self.client_id.is_empty() {
            return Err(BrokerError::NoClientId);
        }
        let mut options = MqttOptions::new(&self.client_id, &self.host, self.port);
        // Less than a second would panic, and more than the field on the wire holds would wrap.
        let (shortest, longest) = (Duration::from_secs(1), Duration::from_secs(u16::MAX.into()));
        options.set_keep_alive(self.keep_alive.clamp(shortest, longest));
        if let Some(login) = &self.login {
            options.set_credentials(&login.username, login.password.expose());
        }
        if let Some(trust) = trust {
            let tls = TlsConfiguration::Rustls(trust.into_config());
            options.set_transport(Transport::tls_with_config(tls));
        }
        Ok(options)
    }
}

/// What makes connections to one broker: its address and the trust that was loaded for it.
#[derive(Debug)]
pub(crate) struct Connector {
    address: BrokerAddress,
    trust: Renewed,
}

impl Connector {
    pub(crate) fn new(address: BrokerAddress) -> Self {
        Self {
            address,
            trust: Renewed::default(),
        }
    }

    /// Options for the next connection, with the certificates that are on disk now.
    pub(crate) async fn options(&mut self) -> Result<MqttOptions, BrokerError> {
        let trust = match &self.address.tls {
            Some(tls) => Some(self.trust.get(tls).await?),
            None => None,
        };
        self.address.options(trust)
    }
}

/// What the broker did, or the error that ended the connection.
pub(crate) type Happening = Result<Event, ConnectionError>;

/// The half of a connection that owns the socket.
pub(crate) struct Pump {
    eventloop: EventLoop,
    happenings: mpsc::Sender<Happening>,
}

/// Opens one connection: a client to ask with, a pump to run beside the loop that asks, and what
/// the pump reports. `requests` bounds what may wait to be written.
pub(crate) fn open(
    options: MqttOptions,
    requests: usize,
) -> (AsyncClient, Pump, mpsc::Receiver<Happening>) {
    let (client, mut eventloop) = AsyncClient::new(options, requests);
    let mut network = NetworkOptions::new();
    network.set_connection_timeout(CONNECT_TIMEOUT_S);
    // Without it an alarm waits for the ACK of the segment before: 8 ms instead of 0.2 ms.
    network.set_tcp_nodelay(true);
    eventloop.set_network_options(network);
    let (happenings, receiver) = mpsc::channel(EVENTS);
    let pump = Pump {
        eventloop,
        happenings,
    };
    (client, pump, receiver)
}

impl Pump {
    /// Connects and works until the first error, a DISCONNECT of ours, or nobody listens. Dropping
    /// the future ends the connection; nothing of it may be used afterwards.
    pub(crate) async fn run(mut self) {
        loop {
            let happening = self.eventloop.poll().await;
            let last = matches!(
                happening,
                Err(_) | Ok(Event::Outgoing(Outgoing::Disconnect))
            );
            if self.happenings.send(happening).await.is_err() || last {
                return;
            }
        }
    }
}

/// Leaves in good order: the broker keeps its last will to itself. What was asked before is written
/// first. Never takes longer than half a second.
pub(crate) async fn goodbye(client: &AsyncClient, happenings: &mut mpsc::Receiver<Happening>) {
    if client.try_disconnect().is_err() {
        return;
    }
    let written = async { while matches!(happenings.recv().await, Some(Ok(_))) {} };
    let _late = timeout(GOODBYE_WITHIN, written).await.is_err();
}

#[cfg(test)]
mod tests;
