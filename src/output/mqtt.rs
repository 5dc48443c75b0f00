//! Upstream over MQTT: one task per broker.
//!
//! ```text
//!  connecting ──CONNACK──▶ status "online" ──▶ states that are not normal ──▶ events behind the cursor
//!      ▲                                                                           │ nothing waits
//!      └── back-off ◀── any error, or a PUBACK that does not come                   ▼
//!                                                         states that are normal, then telemetry (`readings`)
//! ```
//!
//! The journal is the queue; this task holds no more than its window. An event is done when its own
//! PUBACK has come and that of the alarm's retained state that goes with it; then the output's
//! cursor moves ([`delivery`](super::delivery)). The session is clean: what the broker would keep
//! for us the journal keeps better.
//!
//! Live first: the state of an alarm that changes while backlog is on its way goes before that
//! backlog, its event in its turn. When the disk does not give the backlog, live events go first, too.
//!
//! Only this task publishes on its client: PUBACKs are matched by order (`pubacks`).
//! At most half of the library's packet ids are in use, so that an id does not come round while its
//! PUBACK is late, on which the library would stall. Only telemetry can hold one for longer (`readings`).
//!
//! A broker of version 3.1.1 acknowledges what its access list then throws away. One of version 5 says so:
//! an event that it refuses ends the connection and is asked for again with growing pauses, and is told.
//!
//! Deliberately absent: a subscription (commands have a connection of their own: `command_topic`), and any
//! judgement of what 3.1.1 cannot tell.

mod connection;
mod readings;
mod reporting;
mod retrying;
mod sending;
mod stretches;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tracing::info;

use self::connection::{Connection, What};
use self::readings::Telemetry;
use super::MqttTarget;
use super::Wiring;
use super::aside::Aside;
use super::delivery::Delivery;
use super::finishing;
use super::message::{self, Topics};
use super::present::Present;
use super::reporting::{NO_PUBACK, Reporter};
use super::retained::Retained;
use super::shipment;
use super::supply::answered;
use crate::broker::{
    Backoff, Connected, Connector, Ending, Event, Link, Session, Signal, Signals, Theft, Will,
};
use crate::clock;
use crate::engine::reading::PointIndex;
use crate::engine::time::{Moment, Mono};
use crate::guidance::Directory;
use crate::journal::Feed;
use crate::wording::{Readers, Shift};

/// Events that are on the way at most, whatever is configured: the packet ids must suffice.
const WINDOW_MAX: usize = 1000;
/// The first connection of a run belongs to its start when it comes within this; what waits for a later
/// one is backlog.
const START: Duration = Duration::from_secs(10);
/// Longest packet that is sent, bytes.
const OUTGOING_LIMIT: usize = 256 * 1024;
/// A broker that takes no packet as long as this takes no events; those it does not take would all be set
/// aside.
const SMALLEST_LIMIT: usize = 16 * 1024;
/// We read nothing but acknowledgements.
const INCOMING_LIMIT: usize = 16 * 1024;

/// Forwards to one broker until `shutdown` turns true; then finishes its batch, says goodbye and
/// returns within 2.5 s. Never returns for a fault: a broker that is lost or refuses is tried again
/// with growing pauses. `status` reads 2 while nothing gets through: it is not connected, or the cursor does not
/// move; 1 while an event is set aside, or one was lost within the last hour.
pub async fn run(
    id: Arc<str>,
    status: PointIndex,
    target: MqttTarget,
    wiring: Wiring,
    shutdown: watch::Receiver<bool>,
) {
    let report = Reporter::new(&id, status, &wiring);
    let telemetry = wiring.telemetry.zip(target.readings);
    let telemetry = telemetry.map(|(feed, form)| Telemetry::new(&id, feed, form));
    let feed = wiring.feed;
    let window = target.window.clamp(1, WINDOW_MAX);
    let mut forwarder = Forwarder {
        report,
        topics: Topics::new(&target.prefix, &wiring.site).spelt(target.dots),
        connector: Connector::new(target.address.clone()).among(&target.others),
        delivery: Delivery::new(feed.cursor(&id), window, feed.last_seq_at_start()),
        aside: Aside::default(),
        retained: Retained::new(Arc::clone(&wiring.guidance)),
        present: Present::default(),
        refreshed: 0,
        telemetry,
        guidance: wiring.guidance,
        readers: wiring.readers,
        shift: Shift::default(),
        backoff: Backoff::default().among(1 + target.others.len()),
        began: clock::monotonic(),
        publishes: 2 * window,
        refused: None,
        states_refused: false,
        lived: None,
        theft: Theft::default(),
        told: None,
        id,
        target,
        feed,
    };
    forwarder.serve(Signals::new(shutdown)).await;
}

/// What outlives a connection.
struct Forwarder {
    id: Arc<str>,
    report: Reporter,
    target: MqttTarget,
    topics: Topics,
    guidance: Arc<Directory>,
    readers: Readers,
    /// Of the retained states.
    shift: Shift,
    feed: Feed,
    connector: Connector,
    delivery: Delivery,
    aside: Aside,
    retained: Retained,
    present: Present,
    /// No state that the far end has, or that waits for it, is older than this event.
    refreshed: u64,
    telemetry: Option<Telemetry>,
    backoff: Backoff,
    /// When the output started.
    began: Mono,
    /// Publishes without their PUBACK at most.
    publishes: usize,
    /// The event that the broker refused for good, which ends the connection.
    refused: Option<u64>,
    /// On this connection the broker did not take the state of an alarm.
    states_refused: bool,
    /// How long the last connection stood, if it did.
    lived: Option<Duration>,
    theft: Theft,
    /// What the health pages say of this broker.
    told: Option<String>,
}

impl Forwarder {
    async fn serve(&mut self, mut signals: Signals) {
        self.take_up(clock::now());
        while !signals.stopping() {
            self.report.look_at_oldest(&self.delivery).await;
            let end = self.connection(&mut signals).await;
            self.report.metrics.output_connected(&self.id, false);
            let Err(ending) = end else { break };
            let now = clock::now();
            self.lost(&ending, now);
            self.connector.turn();
            let wait = self.backoff.failed(now.mono, fastrand::f64());
            let beat = || self.beat(Link::Lost, clock::now());
            if signals.pause(wait, beat).await == Signal::Stop {
                break;
            }
        }
        self.tell_what_stays_aside();
        info!(output = &*self.id, "output stopped");
    }

    /// Opens one connection and stays on it to its end; `Ok`: we were asked to stop.
    async fn connection(&mut self, signals: &mut Signals) -> Result<(), Ending> {
        self.lived = None;
        let requests = self.publishes + shipment::WINDOW + 8;
        let opened = self.connector.open(self.session(), requests).await;
        let (client, pump, happenings) = opened?;
        let mut connection = Connection::new(client, happenings);
        let conversation = self.converse(&mut connection, signals);
        let end = pump.beside(conversation).await;
        self.lived = connection
            .up_since
            .map(|since| clock::monotonic().since(since));
        end
    }

    fn session(&self) -> Session {
        Session {
            keep: false,
            incoming: INCOMING_LIMIT,
            outgoing: OUTGOING_LIMIT,
            inflight: u16::try_from(2 * (self.publishes + shipment::WINDOW)).unwrap_or(u16::MAX),
            ahead: 1,
            will: Some(Will {
                topic: self.topics.status(),
                payload: message::last_will().into_bytes(),
                retain: true,
            }),
        }
    }

    /// The loop of one connection. Every future here loses nothing when it is dropped; those that
    /// would are kept in the connection until they are done.
    async fn converse(
        &mut self,
        connection: &mut Connection,
        signals: &mut Signals,
    ) -> Result<(), Ending> {
        loop {
            self.fill(connection);
            if connection
                .finishing
                .is_over(&self.delivery, clock::monotonic())
            {
                self.farewell(connection).await;
                return Ok(());
            }
            let step: Result<(), Ending> = tokio::select! {
                biased;
                signal = signals.next(), if !connection.finishing.has_begun() => match signal {
                    Signal::Turn => self.turn(connection, clock::now()),
                    Signal::Stop if connection.up_since.is_some() => {
                        connection.finishing.begin(self.feed.committed(), clock::monotonic());
                        Ok(())
                    }
                    Signal::Stop => return Ok(()),
                },
                () = sleep(finishing::TURN), if connection.finishing.has_begun() => {
                    self.turn(connection, clock::now())
                }
                happening = connection.happenings.next() => {
                    happening.and_then(|event| self.handle(connection, event))
                }
                fetched = answered(&mut connection.supply.fetch) => {
                    self.fetched(connection, fetched);
                    Ok(())
                }
                again = answered(&mut connection.again) => {
                    self.read_again(connection, again, clock::now());
                    Ok(())
                }
                () = readings::answered(&mut self.telemetry) => Ok(()),
                () = self.feed.advanced(connection.seen), if connection.up_since.is_some() => Ok(()),
            };
            step?;
        }
    }

    /// About twice a second, whatever happens.
    fn turn(&mut self, connection: &mut Connection, now: Moment) -> Result<(), Ending> {
        let link = self.link(connection, now);
        if let Some(since) = connection.up_since {
            self.stands(now.mono.since(since), link);
            self.hand_over(now.wall);
        }
        self.beat(link, now);
        connection.supply.rest = false;
        let oldest = connection.pubacks.oldest(|what| !what.is_telemetry());
        if oldest.is_some_and(|since| now.mono.since(since) > self.target.ack_timeout) {
            return Err(Ending::ours(NO_PUBACK, "the broker did not acknowledge"));
        }
        self.turn_of_telemetry(connection, now.mono);
        Ok(())
    }

    fn handle(&mut self, connection: &mut Connection, event: Event) -> Result<(), Ending> {
        match event {
            Event::Connected(connected) => return self.connack(connection, connected),
            Event::Written(id) => connection.pubacks.written(id),
            Event::Acknowledged(id, verdict) => return self.puback(connection, id, verdict),
            // From here on the order by which PUBACKs are matched would not hold.
            Event::IdsCameRound(id) if self.telemetry_holds(connection, id) => {
                let detail =
                    "the broker did not acknowledge telemetry until its packet ids were needed";
                return Err(Ending::ours(NO_PUBACK, detail));
            }
            Event::IdsCameRound(_) => {
                return Err(Ending::ours("protocol", "the packet ids came round"));
            }
            Event::Subscribed(_) | Event::Unsubscribed | Event::Message(_) => {}
        }
        Ok(())
    }

    fn connack(&mut self, connection: &mut Connection, connected: Connected) -> Result<(), Ending> {
        let now = clock::now();
        let longest = connected.longest.unwrap_or(OUTGOING_LIMIT);
        if longest < SMALLEST_LIMIT {
            let detail = format!(
                "the broker takes packets of {longest} bytes; events need {SMALLEST_LIMIT}"
            );
            return Err(Ending::ours("refused", &detail));
        }
        connection.limit = longest.min(OUTGOING_LIMIT);
        self.states_refused = false;
        connection.up_since = Some(now.mono);
        self.backoff.connected(now.mono);
        self.report.metrics.output_connected(&self.id, true);
        let committed = self.present.refresh(&self.feed);
        if now.mono.since(self.began) > START {
            self.delivery.missed_the_start();
        }
        self.delivery.connected(committed);
        self.hand_over(now.wall);
        self.retained.connected(self.present.all());
        self.refreshed = committed;
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.connected();
        }
        connection.online = message::online(now.wall, committed);
        let online = connection.online.clone();
        connection.publish(self.topics.status(), true, online, What::State, now.mono);
        let server = self.connector.server();
        self.report.answer = format!("PUBACK of {server}").into();
        info!(
            output = &*self.id,
            server,
            backlog = self.waiting(),
            "connected"
        );
        self.beat(self.link(connection, now), now);
        Ok(())
    }
}
