//! The subscriber: one task per broker.
//!
//! ```text
//!          ┌────────────── back-off ◀───────────── any error ────────────────┐
//!          ▼                                                                 │
//!     connecting ──CONNACK──▶ subscribing ──SUBACK, all granted──▶ subscribed
//! ```
//!
//! A message waits at the broker until its reading is safe:
//!
//! ```text
//!  broker ──PUBLISH──▶ mapping ──Delivery──▶ engine ──▶ journal
//!     ▲                   │ refused             │ nothing caused │ committed
//!     └──PUBACK── acks ◀──┴──────◀── receipt ───┴────────────────┘
//! ```
//!
//! - The session is kept (`clean_session = false`, the same client id for ever), so that the broker
//!   queues what is sent while we are away. We subscribe on every CONNACK all the same: whether the
//!   broker really still has the subscriptions cannot be asked, and asking twice does no harm.
//! - Not acknowledging is the back-pressure. At most `WINDOW` messages wait for their receipt; when
//!   the engine's inbox is full, nothing is read from the socket. Safe messages whose PUBACK waits for
//!   the wire stop nothing: the library reads and writes in one loop, so a reader that waited for its
//!   own acknowledgements to be written would wait for ever.
//! - What can never become a reading is acknowledged at once and counted: left alone, it would come
//!   again for ever and keep what is behind it from us.
//! - A receipt that never comes ends the connection: then the broker sends the message again.
//!
//! Deliberately absent: QoS 2 (a connection lost at the wrong moment leaves a session that no client
//! of this library can ever use again), automatic reconnects of the library.

mod reporting;
mod subscription;
mod unheard;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tracing::{debug, error, info};

use self::subscription::Subscription;
use self::unheard::Unheard;
use super::SubscriberSettings;
use super::acks::Acks;
use super::mapping::{Mapper, Rejection};
use super::oversize::{PacketLimit, Plan};
use crate::broker::{
    Backoff, Client, Connected, Connector, Ending, Event, Happenings, Message, Sampler, Session,
    Signal, Signals, StatusPoint, Theft, Unsure, goodbye,
};
use crate::clock;
use crate::engine::time::{Moment, Mono};
use crate::evaluation::{Batch, Delivery, Readings, Receipt};
use crate::metrics::Metrics;

/// Messages without their receipt at most, whatever the broker allows: mosquitto sends far ahead.
const WINDOW: u16 = 256;
/// Requests that wait to be written: every PUBACK of the window twice over, and a subscription.
const REQUESTS: usize = 2 * WINDOW as usize + 8;
/// We publish nothing; packet ids of subscriptions come round after so many.
const INFLIGHT: u16 = 16;
/// We send PUBACKs and short SUBSCRIBEs; topics are at most 64 KiB each.
const OUTGOING_LIMIT: usize = 1024 * 1024;
/// Connected and deaf is worse than disconnected: no SUBACK in this time ends the connection.
const SUBACK_WITHIN: Duration = Duration::from_secs(5);
/// Longest pause between two connections: while it lasts the points behind this broker are blind.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// A reading whose receipt has not come in this time is asked for again.
const RECEIPT_WITHIN: Duration = Duration::from_secs(60);
/// How long the last receipts may take at shutdown.
const CLOSE_WITHIN: Duration = Duration::from_millis(500);

/// Reads from one broker until `shutdown` turns true. Never returns for a fault: a broker that is
/// lost, refuses or misbehaves is tried again with growing pauses, and is a reading of 2 on the
/// status point in the meantime; of 1, if something else is wrong with one that is connected.
pub async fn run(
    settings: SubscriberSettings,
    readings: Readings,
    metrics: Arc<Metrics>,
    shutdown: watch::Receiver<bool>,
) {
    let mut subscriber = Subscriber {
        mapper: Mapper::new(settings.mappings),
        connector: Connector::new(settings.address.clone()),
        task: format!("input.mqtt.{}", settings.id),
        status: StatusPoint::new(settings.status, readings.clone()),
        id: settings.id,
        readings,
        metrics,
        limit: PacketLimit::default(),
        backoff: Backoff::up_to(LONGEST_WAIT),
        sampler: Sampler::default(),
        connected: false,
        lived: None,
        theft: Theft::default(),
        told: None,
    };
    subscriber.serve(Signals::new(shutdown)).await;
}

/// What outlives a connection.
struct Subscriber {
    id: Arc<str>,
    task: String,
    mapper: Mapper,
    connector: Connector,
    readings: Readings,
    metrics: Arc<Metrics>,
    status: StatusPoint,
    limit: PacketLimit,
    backoff: Backoff,
    sampler: Sampler,
    /// Connected and subscribed.
    connected: bool,
    /// How long the last connection stood, if it did.
    lived: Option<Duration>,
    theft: Theft,
    /// What the health pages say of this broker.
    told: Option<String>,
}

/// What ends with a connection.
struct Connection {
    client: Client,
    happenings: Happenings,
    acks: Acks<u16>,
    /// Receipts come back here; those of an older connection find it closed.
    done: mpsc::Sender<u64>,
    receipts: mpsc::Receiver<u64>,
    /// The engine's inbox was full.
    waiting: Option<Delivery>,
    connack_at: Option<Mono>,
    subscription: Subscription,
    subscribed: bool,
    unheard: Unheard,
    unsure: Unsure,
}

impl Subscriber {
    async fn serve(&mut self, mut signals: Signals) {
        while !signals.stopping() {
            let end = self.connection(&mut signals).await;
            self.set_connected(false);
            let Err(ending) = end else { break };
            let now = clock::monotonic();
            self.report(&ending, now);
            if ending.oversize.is_some_and(PacketLimit::is_beyond) {
                // Never read, so nobody else counts it.
                let reason = Rejection::TooLarge.name();
                self.metrics.reading_rejected(&self.id, reason);
            }
            self.limit.ended(ending.oversize);
            let wait = self.backoff.failed(now, fastrand::f64());
            let beat = || self.beat(clock::now());
            if signals.pause(wait, beat).await == Signal::Stop {
                break;
            }
            self.metrics.broker_reconnect(&self.id);
        }
        info!(broker = &*self.id, "subscriber stopped");
    }

    /// Opens one connection and stays on it to its end; `Ok`: we were asked to stop.
    async fn connection(&mut self, signals: &mut Signals) -> Result<(), Ending> {
        self.lived = None;
        let opened = self.connector.open(self.session(), REQUESTS).await;
        let (client, pump, happenings) = opened?;
        let (done, receipts) = mpsc::channel(WINDOW.into());
        let mut connection = Connection {
            client,
            happenings,
            acks: Acks::default(),
            done,
            receipts,
            waiting: None,
            connack_at: None,
            subscription: Subscription::default(),
            subscribed: false,
            unheard: Unheard::default(),
            unsure: Unsure::default(),
        };
        let conversation = self.converse(&mut connection, signals);
        let end = pump.beside(conversation).await;
        self.lived = connection
            .connack_at
            .map(|since| clock::monotonic().since(since));
        end
    }

    fn session(&self) -> Session {
        Session {
            keep: self.limit.plan() != Plan::Purge,
            incoming: self.limit.bytes(),
            outgoing: OUTGOING_LIMIT,
            inflight: INFLIGHT,
            ahead: WINDOW,
            will: None,
        }
    }

    /// The loop of one connection. No branch may wait for another: every future here loses nothing
    /// when it is dropped.
    async fn converse(
        &mut self,
        connection: &mut Connection,
        signals: &mut Signals,
    ) -> Result<(), Ending> {
        let readings = self.readings.clone();
        loop {
            let may_read = connection.may_read();
            let step: Result<(), Ending> = tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::Turn => self.turn(connection, clock::now()),
                    Signal::Stop => {
                        connection.close().await;
                        return Ok(());
                    }
                },
                Some(serial) = connection.receipts.recv() => {
                    connection.acks.safe(serial);
                    connection.acknowledge();
                    Ok(())
                }
                permit = readings.reserve(), if connection.waiting.is_some() => {
                    // A closed inbox: the engine is gone, and so are we soon.
                    let Ok(permit) = permit else { return Ok(()) };
                    if let Some(delivery) = connection.waiting.take() {
                        permit.send(delivery);
                    }
                    Ok(())
                }
                happening = connection.happenings.next(), if may_read => {
                    happening.and_then(|event| self.handle(connection, event))
                }
            };
            step?;
        }
    }

    /// About twice a second, whatever happens.
    fn turn(&mut self, connection: &mut Connection, now: Moment) -> Result<(), Ending> {
        self.beat(now);
        self.look_at(connection, now);
        // A PUBACK that found no room before.
        connection.acknowledge();
        let asked_at = connection.subscription.asked_at;
        let since = asked_at.map(|since| now.mono.since(since));
        if !connection.subscribed && since.is_some_and(|since| since > SUBACK_WITHIN) {
            return Err(Ending::ours(
                "no_suback",
                "the broker did not answer the subscription",
            ));
        }
        if connection.acks.overdue(RECEIPT_WITHIN, now.mono) {
            return Err(Ending::ours(
                "no_receipt",
                "a reading was not confirmed as safe; the broker is asked for it again",
            ));
        }
        Ok(())
    }

    fn handle(&mut self, connection: &mut Connection, event: Event) -> Result<(), Ending> {
        match event {
            Event::Connected(connected) => self.connack(connection, connected),
            Event::Subscribed(grants) => self.suback(connection, &grants),
            Event::Message(message) => {
                self.publish(connection, message);
                Ok(())
            }
            Event::Unsubscribed
            | Event::Written(_)
            | Event::Acknowledged(..)
            | Event::IdsCameRound(_) => Ok(()),
        }
    }

    fn connack(&mut self, connection: &mut Connection, connected: Connected) -> Result<(), Ending> {
        let now = clock::monotonic();
        self.mapper.connected();
        connection.connack_at = Some(now);
        self.backoff.connected(now);
        if self.limit.plan() == Plan::Purge {
            error!(
                broker = &*self.id,
                "a message too large for this gateway blocked the broker's queue for us; the queue \
                 was thrown away"
            );
            return Err(Ending::ours("purged", "the session was thrown away"));
        }
        debug!(
            broker = &*self.id,
            session_present = connected.session_present,
            "connected"
        );
        self.subscribe(connection);
        Ok(())
    }

    /// One message: to readings, to the engine, and remembered until it may be acknowledged.
    fn publish(&mut self, connection: &mut Connection, message: Message) {
        let now = clock::now();
        connection.unheard.heard(&message.topic);
        let (accepted, refused) =
            self.mapper
                .read(&message.topic, &message.payload, message.retain, now);
        for refused in refused {
            self.reject(connection, &message.topic, &refused, now);
        }
        let serial = connection.hold(message.id, accepted.is_none(), now.mono);
        let Some(readings) = accepted else { return };
        let count = match &readings {
            Batch::One(_) => 1,
            Batch::Many(many) => many.len() as u64,
        };
        self.metrics.readings(&self.id, count);
        let delivery = Delivery {
            readings,
            receipt: serial.map(|serial| Receipt::new(connection.done.clone(), serial)),
        };
        if let Err(mpsc::error::TrySendError::Full(delivery)) = self.readings.try_send(delivery) {
            connection.waiting = Some(delivery);
        }
    }
}

impl Connection {
    /// May the next message be taken in? What stops it has to end without the pump: the pump does
    /// not write while what it read is not taken, so PUBACKs that wait for the wire must not count.
    fn may_read(&self) -> bool {
        self.waiting.is_none() && self.acks.unsafe_count() < usize::from(WINDOW)
    }

    /// Remembers a message until it is acknowledged. `None` for QoS 0, which never is.
    fn hold(&mut self, id: Option<u16>, safe: bool, now: Mono) -> Option<u64> {
        let serial = self.acks.push(id?, now);
        if safe {
            self.acks.safe(serial);
            self.acknowledge();
        }
        Some(serial)
    }

    /// Acknowledges what is safe, oldest first. With no room for a PUBACK the rest waits for the
    /// next turn.
    fn acknowledge(&mut self) {
        while let Some(id) = self.acks.ready() {
            if self.client.acknowledge(*id).is_err() {
                return;
            }
            self.acks.acknowledged();
        }
    }

    /// Collects the receipts that are on their way, then leaves in good order. New messages are
    /// left to the broker.
    async fn close(&mut self) {
        let receipts = async {
            while self.acks.len() > 0 {
                tokio::select! {
                    Some(serial) = self.receipts.recv() => {
                        self.acks.safe(serial);
                        self.acknowledge();
                    }
                    happening = self.happenings.next() => {
                        if happening.is_err() {
                            return;
                        }
                    }
                }
            }
        };
        let _unconfirmed = timeout(CLOSE_WITHIN, receipts).await.is_err();
        if self.connack_at.is_some() {
            goodbye(&self.client, &mut self.happenings).await;
        }
    }
}
