//! One MQTT connection from its first byte to its end.
//!
//! rumqttc forgets what it had in flight when a session is lost, and its `poll` must not be cancelled.
//! Hence every connection gets a fresh client and a fresh event loop, polled by a task of its own; what
//! happens comes through a bounded channel, and after [`Event::Down`] the link is thrown away.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectionError, EventLoop, MqttOptions, NetworkOptions, Outgoing, Packet,
    Publish, SubscribeReasonCode,
};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::notation::{self, NotationError};

/// Publishes in flight at a time, as far as rumqttc goes.
pub(crate) const INFLIGHT: u16 = 100;
/// The largest packet in either direction: a sensor may be asked to send a megabyte.
const MAX_PACKET: usize = 2 * 1024 * 1024;
const EVENTS: usize = 256;
const KEEP_ALIVE: Duration = Duration::from_secs(5);
const CONNECT_SECONDS: u64 = 2;
const CLOSE: Duration = Duration::from_secs(1);

/// Where a broker listens (MQTT over plain TCP).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    host: String,
    port: u16,
}

impl From<SocketAddr> for Broker {
    fn from(address: SocketAddr) -> Self {
        Self {
            host: address.ip().to_string(),
            port: address.port(),
        }
    }
}

impl FromStr for Broker {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, NotationError> {
        let expected = "HOST:PORT, such as 127.0.0.1:1883";
        let (host, port) = text
            .rsplit_once(':')
            .filter(|(host, _)| !host.is_empty())
            .ok_or_else(|| NotationError::new(text, expected).within(text))?;
        let port = notation::whole(port, "a port").map_err(|error| error.within(text))?;
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// What happened on a connection.
#[derive(Debug)]
pub(crate) enum Event {
    /// The broker accepted the connection.
    Up,
    /// The next publish in order of asking went out under this packet identifier (0 at QoS 0).
    Sent(u16),
    /// The broker acknowledged a publish.
    Acked(u16),
    /// The broker answered a subscription.
    Subscribed { granted: bool },
    /// A message arrived.
    Message(Publish),
    /// The connection is over, and why.
    Down(String),
}

/// How a connection is made.
#[derive(Debug, Clone)]
pub(crate) struct LinkOptions {
    pub(crate) broker: Broker,
    pub(crate) client_id: String,
    /// Ask the broker to remember subscriptions and undelivered messages.
    pub(crate) persistent: bool,
    /// Requests (publishes, acknowledgements) that wait for the wire.
    pub(crate) requests: usize,
}

/// A connection, or the attempt at one. Dropping it ends it without a word to the broker.
pub(crate) struct Link {
    pub(crate) client: AsyncClient,
    events: mpsc::Receiver<Event>,
    poller: JoinSet<()>,
}

impl Link {
    /// Begins to connect; [`Event::Up`] or [`Event::Down`] will follow.
    pub(crate) fn open(options: &LinkOptions) -> Self {
        let Broker { host, port } = options.broker.clone();
        let mut mqtt = MqttOptions::new(options.client_id.clone(), host, port);
        mqtt.set_keep_alive(KEEP_ALIVE)
            .set_clean_session(!options.persistent)
            .set_max_packet_size(MAX_PACKET, MAX_PACKET)
            .set_inflight(INFLIGHT)
            .set_manual_acks(true);
        let (client, mut event_loop) = AsyncClient::new(mqtt, options.requests);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        network.set_connection_timeout(CONNECT_SECONDS);
        event_loop.set_network_options(network);

        let (sender, events) = mpsc::channel(EVENTS);
        let mut poller = JoinSet::new();
        poller.spawn(poll(event_loop, sender));
        Self {
            client,
            events,
            poller,
        }
    }

    /// The next thing that happens. Can be cancelled without loss.
    pub(crate) async fn next(&mut self) -> Event {
        let ended = || Event::Down("the connection ended".to_owned());
        self.events.recv().await.unwrap_or_else(ended)
    }

    /// Says goodbye to the broker, so that no last will is sent, and ends.
    pub(crate) async fn close(mut self) {
        if self.client.try_disconnect().is_ok() {
            let drained = async { while self.events.recv().await.is_some() {} };
            // A broker that does not listen any more needs no goodbye.
            drop(timeout(CLOSE, drained).await);
        }
        self.poller.shutdown().await;
    }
}

async fn poll(mut event_loop: EventLoop, events: mpsc::Sender<Event>) {
    loop {
        let polled = event_loop.poll().await;
        if matches!(polled, Ok(rumqttc::Event::Outgoing(Outgoing::Disconnect))) {
            return;
        }
        let over = polled.is_err();
        if let Some(event) = translate(polled)
            && events.send(event).await.is_err()
        {
            return;
        }
        if over {
            return;
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the packets not named here are between rumqttc and the broker"
)]
fn translate(polled: Result<rumqttc::Event, ConnectionError>) -> Option<Event> {
    match polled {
        Ok(rumqttc::Event::Incoming(packet)) => match packet {
            Packet::ConnAck(_) => Some(Event::Up),
            Packet::PubAck(ack) => Some(Event::Acked(ack.pkid)),
            Packet::SubAck(ack) => Some(Event::Subscribed {
                granted: ack
                    .return_codes
                    .iter()
                    .all(|code| matches!(code, SubscribeReasonCode::Success(_))),
            }),
            Packet::Publish(message) => Some(Event::Message(message)),
            _ => None,
        },
        Ok(rumqttc::Event::Outgoing(Outgoing::Publish(id))) => Some(Event::Sent(id)),
        Ok(rumqttc::Event::Outgoing(_)) => None,
        Err(error) => Some(Event::Down(error.to_string())),
    }
}

/// Why there is no connection, for whoever wants to tell it: `None` while there is one or nothing is known.
#[derive(Debug, Clone, Default)]
pub struct Trouble(watch::Sender<Option<String>>);

impl Trouble {
    /// The reason now and its changes.
    pub fn subscribe(&self) -> watch::Receiver<Option<String>> {
        self.0.subscribe()
    }

    fn set(&self, why: Option<String>) {
        self.0.send_if_modified(|known| {
            let news = *known != why;
            *known = why;
            news
        });
    }
}

/// The pause before the next attempt: it doubles from 100 ms to 2 s and begins anew after a connection.
#[derive(Debug)]
pub(crate) struct Backoff {
    failures: u32,
    trouble: Trouble,
}

impl Backoff {
    pub(crate) fn new(trouble: Trouble) -> Self {
        Self {
            failures: 0,
            trouble,
        }
    }

    pub(crate) fn connected(&mut self) {
        self.failures = 0;
        self.trouble.set(None);
    }

    /// How long to wait after a failure.
    pub(crate) fn failed(&mut self, why: String) -> Duration {
        let pause = Duration::from_millis(100) * 2_u32.pow(self.failures.min(5));
        self.failures = self.failures.saturating_add(1);
        self.trouble.set(Some(why));
        pause.min(Duration::from_secs(2))
    }
}
