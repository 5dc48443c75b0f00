//! Upstream as a Sparkplug B 3.0 edge node: one task per broker.
//!
//! ```text
//!  connecting ──CONNACK──▶ subscribe ──SUBACK──▶ wait for the primary host ──STATE online──▶ births
//!   will: NDEATH                                  (if there is one)                             │
//!      ▲                                                  ┌─────────────────────────────────────┘
//!      │                                                  ▼
//!      │                             events behind the cursor, then changed values ──▶ rebirth on NCMD
//!      └── back-off ◀── any error; or NDEATH and goodbye: STATE offline, shutdown
//! ```
//!
//! **What a host sees.** The gateway is the edge node, each Modbus device and each broker that is read
//! from is a device; `plan` has the tree and says why alarms are the gateway's. Births tell everything
//! with names, datatypes and properties; data goes by alias. Which message is next is decided by `node`,
//! a pure state machine; this file and its neighbours move messages, bytes and time.
//!
//! **Alarm events are never lost.** The journal is the queue. While the host is away, or the broker,
//! events wait behind this output's cursor ([`delivery`](super::delivery)). Afterwards the births tell
//! how every alarm stands now, so what is live comes first; then each missed event follows, marked
//! `is_historical`, with the time at which it happened. The `Event` metric carries the line of the
//! journal with its id, by which duplicates are removed. Values are told as they are and never later.
//!
//! **Receipts.** Data goes at QoS 0, as the specification wants. The cursor moves when the broker has
//! answered a question that was written behind the events (`receipts`). So the broker has them for
//! certain; whether it hands them to the host is QoS 0 again. A host that finds a hole in `seq` asks
//! for births, and so learns every present state, but not the event that led to it. That is the limit
//! of this protocol: who must have every event takes an `mqtt` output beside it.
//!
//! | bound | when full |
//! |---|---|
//! | `window` events without receipt | the journal keeps the rest |
//! | messages that wait for the wire: births, changes, a window | nothing more is made until they are gone |
//! | 16 MiB for one message | the output is lost, and says why: fewer points, or another output |
//! | one birth in 5 s | who asks meanwhile gets his at the end |
//! | 64 KiB and 1000 metrics in a command | it is ignored, told in the log |
//!
//! Deliberately absent: commands to equipment (nothing here writes), DCMD, data sets and templates,
//! compression, several brokers for one host.

mod births;
mod connection;
mod fact;
mod host;
pub(super) mod node;
mod number;
mod plan;
mod receipts;
mod reporting;
mod sending;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tracing::info;

use self::connection::{Connection, REQUESTS};
use self::node::Node;
use self::number::Numbers;
pub use self::plan::Origin;
use self::plan::Plan;
use super::delivery::Delivery;
use super::finishing;
use super::present::Present;
use super::reporting::{HOST_OFFLINE, NO_RECEIPT, POISON, Reporter};
use super::supply::answered;
use super::{SparkplugTarget, Wiring};
use crate::broker::{
    Backoff, Connector, Ending, Event, Grant, Link, Session, Signal, Signals, Unsure, Will,
};
use crate::clock;
use crate::engine::reading::PointIndex;
use crate::engine::time::{Moment, Mono};
use crate::evaluation::Desk;
use crate::journal::Feed;
use crate::sparkplug::state_topic;

/// The first births of a run belong to its start when they come within this; what waits for later ones is
/// backlog.
const START: Duration = Duration::from_secs(10);
/// Longest packet that is sent, bytes. A birth has everything in it.
const OUTGOING_LIMIT: usize = 16 * 1024 * 1024;
/// Longest packet that is read, bytes: commands and the host's state.
const INCOMING_LIMIT: usize = 256 * 1024;
/// Alarms whose present state goes ahead of backlog at a time.
const LIVE_AHEAD: usize = 50;

/// Is an edge node of one broker until `shutdown` turns true; then finishes its batch, says that it
/// dies and returns within 2.5 s. Never returns for a fault: a broker that is lost or refuses is
/// tried again with growing pauses. `status` reads 2 while nothing gets through: no births are at the far end, or
/// the cursor does not move; 1 while an event was lost within the last hour.
pub async fn run(
    id: Arc<str>,
    status: PointIndex,
    target: SparkplugTarget,
    wiring: Wiring,
    shutdown: watch::Receiver<bool>,
) {
    let feed = wiring.feed.clone();
    let mut report = Reporter::new(&id, status, &wiring);
    // An output of another kind had this id. Nothing is set aside here, so nothing could be tried again.
    for put_by in report.left_aside() {
        report.lost_events(1, POISON, put_by.receipt.seq);
    }
    let plan = Plan::new(
        &target.group,
        &target.node,
        Arc::clone(&target.origins),
        wiring.guidance,
    );
    let file = target.folder.join(format!("sparkplug-{id}.bdseq"));
    let mut edge = Edge {
        report,
        connector: Connector::new(target.address.clone()),
        delivery: Delivery::new(feed.cursor(&id), target.window, feed.last_seq_at_start()),
        node: Node::new(plan),
        numbers: Numbers::new(file),
        host_topic: target.primary_host.as_deref().map(state_topic),
        question: format!("{}/receipt", target.address.client_id),
        present: Present::default(),
        values_due: Mono::ZERO,
        desk: wiring.desk,
        backoff: Backoff::default(),
        began: clock::monotonic(),
        proven: false,
        id,
        target,
        feed,
    };
    edge.serve(Signals::new(shutdown)).await;
}

/// What outlives a connection.
struct Edge {
    id: Arc<str>,
    report: Reporter,
    target: SparkplugTarget,
    feed: Feed,
    desk: Desk,
    connector: Connector,
    delivery: Delivery,
    node: Node,
    numbers: Numbers,
    /// Where the primary host says whether it is there.
    host_topic: Option<String>,
    /// What we ask the broker to unsubscribe us from, for a receipt: nobody subscribes to it.
    question: String,
    present: Present,
    values_due: Mono,
    backoff: Backoff,
    /// When the output started.
    began: Mono,
    /// This connection gave a receipt.
    proven: bool,
}

impl Edge {
    async fn serve(&mut self, mut signals: Signals) {
        while !signals.stopping() {
            self.report.look_at_oldest(&self.delivery).await;
            let end = self.connection(&mut signals).await;
            self.report.metrics.output_connected(&self.id, false);
            let Err(ending) = end else { break };
            let now = clock::now();
            self.lost(&ending, now);
            let wait = self.backoff.failed(now.mono, fastrand::f64());
            let beat = || self.beat(Link::Lost, clock::now());
            if signals.pause(wait, beat).await == Signal::Stop {
                break;
            }
        }
        info!(output = &*self.id, "output stopped");
    }

    /// Opens one connection and stays on it to its end; `Ok`: we were asked to stop.
    async fn connection(&mut self, signals: &mut Signals) -> Result<(), Ending> {
        let number = self.numbers.next().await;
        self.proven = false;
        let session = self.session(number);
        let (client, pump, happenings) = self.connector.open(session, REQUESTS).await?;
        let server = self.connector.server();
        self.report.answer = format!("{server} answered what was asked behind it").into();
        let mut connection = Connection::new(client, happenings);
        let conversation = self.converse(&mut connection, signals);
        pump.beside(conversation).await
    }

    fn session(&mut self, number: u8) -> Session {
        let will = self.node.connecting(number, clock::now().wall);
        Session {
            keep: false,
            incoming: INCOMING_LIMIT,
            outgoing: OUTGOING_LIMIT,
            // Nothing is published at QoS 1; questions take packet ids.
            inflight: 100,
            ahead: 20,
            will: Some(Will {
                topic: will.topic,
                payload: will.payload.to_bytes(),
                retain: false,
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
            self.ask_for_births(connection);
            let filled = self.fill(connection);
            if connection
                .finishing
                .is_over(&self.delivery, clock::monotonic())
            {
                self.farewell(connection).await;
                return Ok(());
            }
            let step = tokio::select! {
                biased;
                _ = std::future::ready(()), if filled.is_err() => filled,
                signal = signals.next(), if !connection.finishing.has_begun() => match signal {
                    Signal::Turn => self.turn(connection, clock::now()),
                    Signal::Stop if connection.up_since.is_none() => return Ok(()),
                    Signal::Stop => {
                        // Without births nothing can be delivered.
                        let born = self.node.is_born();
                        let until = if born { self.feed.committed() } else { 0 };
                        connection.finishing.begin(until, clock::monotonic());
                        Ok(())
                    }
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
                snapshot = answered(&mut connection.snapshot) => {
                    self.present(connection, snapshot);
                    Ok(())
                }
                () = self.feed.advanced(connection.seen), if self.node.is_born() => Ok(()),
            };
            if let Err(ending) = step {
                if ending.name == HOST_OFFLINE {
                    self.farewell(connection).await;
                }
                return Err(ending);
            }
        }
    }

    /// About twice a second, whatever happens.
    fn turn(&mut self, connection: &mut Connection, now: Moment) -> Result<(), Ending> {
        self.beat(self.link(connection), now);
        connection.supply.rest = false;
        connection.engine_rest = false;
        let late = |since: Mono| now.mono.since(since) > self.target.ack_timeout;
        if connection.receipts.missing_since().is_some_and(late) {
            return Err(Ending::ours(NO_RECEIPT, "the broker did not answer"));
        }
        if connection.subscribing.is_some_and(late) {
            let detail = "the broker did not answer the subscription";
            return Err(Ending::ours(NO_RECEIPT, detail));
        }
        let idle = connection.is_idle() && connection.supply.is_empty();
        if self.node.is_born() && now.mono >= self.values_due && idle {
            self.values_due = now.mono + self.target.readings;
            self.ask_engine(connection);
        }
        Ok(())
    }

    /// Births are made of what the engine says about the present.
    fn ask_for_births(&self, connection: &mut Connection) {
        let ready = connection.up_since.is_some() && connection.subscribing.is_none();
        if ready && connection.births.due(clock::monotonic()) {
            self.ask_engine(connection);
        }
    }

    fn ask_engine(&self, connection: &mut Connection) {
        if connection.snapshot.is_none() && !connection.engine_rest {
            let desk = self.desk.clone();
            connection.snapshot = Some(Box::pin(async move { desk.snapshot().await }));
        }
    }

    fn handle(&mut self, connection: &mut Connection, event: Event) -> Result<(), Ending> {
        match event {
            Event::Connected(_) => self.connack(connection),
            Event::Subscribed(grants) => self.subscribed(connection, &grants)?,
            Event::Unsubscribed => self.receipt(connection),
            Event::Message(message) => self.heard(connection, &message)?,
            Event::Written(_) => connection.written(),
            Event::Acknowledged(..) | Event::IdsCameRound(_) => {}
        }
        Ok(())
    }

    fn connack(&mut self, connection: &mut Connection) {
        let now = clock::now();
        connection.up_since = Some(now.mono);
        self.backoff.connected(now.mono);
        self.numbers.used();
        // Before the births: who is born must hear what is wanted of him.
        let commands = self.node.command_topic();
        connection.subscribe(self.topics(&commands), now.mono);
        if self.host_topic.is_none() {
            connection.births.want();
        } else {
            info!(
                output = &*self.id,
                "connected; waiting for the primary host"
            );
        }
    }

    /// What is subscribed to, in this order.
    fn topics<'t>(&'t self, commands: &'t str) -> impl Iterator<Item = &'t str> {
        let topics = [Some(commands), self.host_topic.as_deref()];
        topics.into_iter().flatten()
    }

    fn subscribed(&self, connection: &mut Connection, grants: &[Grant]) -> Result<(), Ending> {
        if let Some(why) = grants.iter().find_map(|grant| grant.refusal()) {
            let detail =
                format!("the broker does not let us hear commands or the host's state: {why}");
            return Err(Ending::ours("refused", &detail));
        }
        connection.subscribing = None;
        let mut unsure = Unsure::default();
        unsure.granted(self.topics(&self.node.command_topic()).zip(grants));
        self.unsure(unsure.words());
        Ok(())
    }
}
