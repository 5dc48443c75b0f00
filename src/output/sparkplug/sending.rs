//! What goes out next on a connection, and what its receipts change.

use super::connection::Connection;
use super::host::Word;
use super::{Edge, LIVE_AHEAD, START};
use crate::broker::{Ending, Message, goodbye};
use crate::clock;
use crate::engine::snapshot::Snapshot;
use crate::engine::time::Moment;
use crate::evaluation::DeskError;
use crate::event::Committed;
use crate::output::reporting::{HOST_OFFLINE, since};
use crate::output::supply::{Events, Supplied};
use crate::sparkplug::{Limits, Payload, REBIRTH, metric_value};

/// A command to a node is a metric or two.
const COMMAND: Limits = Limits {
    bytes: 64 * 1024,
    elements: 1000,
};

impl Edge {
    /// Hands the wire whatever may go now, the most urgent first.
    pub(super) fn fill(&mut self, connection: &mut Connection) -> Result<(), Ending> {
        connection.seen = self.feed.committed();
        if connection.up_since.is_none() {
            return Ok(());
        }
        let now = clock::now();
        // Births that are being prepared come before data.
        if self.node.is_born() && !self.is_giving_birth(connection, now) {
            self.send_live_states(connection, now);
            self.forward(connection, now);
        }
        connection.hand_over(&self.question, now.mono)
    }

    /// Is a snapshot on its way that births are made of?
    fn is_giving_birth(&self, connection: &Connection, now: Moment) -> bool {
        connection.snapshot.is_some() && connection.births.due(now.mono)
    }

    /// While backlog goes first, the alarms that change now do not wait for it.
    fn send_live_states(&mut self, connection: &mut Connection, now: Moment) {
        let from = connection.noticed.max(self.delivery.backlog_until());
        if !self.delivery.is_replaying() || connection.seen <= from || !connection.is_idle() {
            return;
        }
        match self.feed.recent(from, LIVE_AHEAD) {
            Ok(events) => {
                for event in events {
                    connection.noticed = event.seq;
                    if let Some(message) = self.node.ahead(&event, now.wall) {
                        connection.publish(message, None);
                    }
                }
            }
            Err(until) => {
                connection.noticed = until;
                connection.births.want();
            }
        }
    }

    /// Hands out events, stretch by stretch.
    fn forward(&mut self, connection: &mut Connection, now: Moment) {
        let mut turn = 0;
        while let Some(want) = self.delivery.want(turn) {
            match connection.supply.serve(want, &self.feed, now.mono) {
                Supplied::Next(event) => self.send(connection, &event, true, now),
                Supplied::Ends => {
                    let progress = self.delivery.passed_over(want.after, want.upto);
                    self.progress(connection, progress, want.upto);
                }
                Supplied::Last(events) => {
                    let in_order = turn == 0 && !self.delivery.is_cut();
                    for event in &events {
                        self.send(connection, event, in_order, now);
                    }
                    turn += 1;
                }
                Supplied::Waits => return,
                Supplied::Unread(until) if self.delivery.go_ahead(want.after, until) => {
                    self.tell(
                        "the disk does not give the backlog: newer events go first, from memory",
                        &format!("events up to {until} wait"),
                    );
                    connection.births.want();
                    turn = 0;
                }
                Supplied::Unread(_) => turn += 1,
            }
        }
    }

    fn send(
        &mut self,
        connection: &mut Connection,
        event: &Committed,
        in_order: bool,
        now: Moment,
    ) {
        let seq = event.seq;
        self.report.oldest.handed_out(event, in_order);
        if self.node.leaves_behind(event) {
            connection.births.want();
        }
        let backlog = self.delivery.replayed(seq);
        let message = self.node.event(event, backlog, now.wall);
        let due = usize::from(message.is_some());
        if let Some(message) = message {
            connection.publish(message, Some(seq));
            self.report.sent(seq, now.wall);
        }
        let progress = self.delivery.sent(seq, due, since(event, now));
        self.progress(connection, progress, seq);
    }

    /// The journal has answered.
    pub(super) fn fetched(&mut self, connection: &mut Connection, fetched: Events) {
        match fetched {
            Ok(events) => {
                if let Some((after, upto)) = connection.supply.fetched(events) {
                    let progress = self.delivery.passed_over(after, upto);
                    self.progress(connection, progress, upto);
                }
            }
            Err(error) => {
                connection.supply.rest = true;
                let cause = std::error::Error::source(&error);
                let cause = cause.map_or_else(String::new, |cause| format!(": {cause}"));
                self.tell("backlog not read", &format!("{error}{cause}"));
            }
        }
    }

    /// The engine has answered: births if they are due, else what has changed.
    pub(super) fn present(
        &mut self,
        connection: &mut Connection,
        answer: Result<Snapshot, DeskError>,
    ) {
        let now = clock::now();
        let Ok(snapshot) = answer else {
            // It is asked again at the next turn.
            connection.engine_rest = true;
            return;
        };
        let messages = if connection.births.due(now.mono) {
            self.born(connection, &snapshot, now)
        } else {
            self.node.values(&snapshot, now.wall)
        };
        for message in messages {
            connection.publish(message, None);
        }
    }

    fn born(
        &mut self,
        connection: &mut Connection,
        snapshot: &Snapshot,
        now: Moment,
    ) -> Vec<super::node::Message> {
        let first = !self.node.is_born();
        let committed = self.present.refresh(&self.feed);
        let messages = self
            .node
            .birth(snapshot, &self.present, committed, now.wall);
        connection.births.made(now.mono);
        if first {
            if now.mono.since(self.began) > START {
                self.delivery.missed_the_start();
            }
            self.delivery.connected(committed);
            self.report.metrics.output_connected(&self.id, true);
            tracing::info!(output = &*self.id, backlog = self.waiting(), "node born");
        } else {
            tracing::info!(output = &*self.id, "node born again");
        }
        messages
    }

    /// The answer to our question came: the broker has what was published before it.
    pub(super) fn receipt(&mut self, connection: &mut Connection) {
        let Some(events) = connection.receipts.answered() else {
            return;
        };
        self.proven = true;
        self.delivery.proved();
        for seq in events {
            let progress = self.delivery.acknowledged(seq);
            self.progress(connection, progress, seq);
        }
    }

    /// Something was published on a topic of ours.
    pub(super) fn heard(
        &mut self,
        connection: &mut Connection,
        message: &Message,
    ) -> Result<(), Ending> {
        connection.acknowledge(message);
        if self.host_topic.as_ref() == Some(&message.topic) {
            return self.heard_host(connection, &message.payload);
        }
        // A command that was kept by the broker is from before this session.
        let asks = !message.retain && asks_for_birth(&message.payload);
        if message.topic == self.node.command_topic() && asks {
            if self.node.is_born() {
                connection.births.want();
            }
        } else {
            let (topic, size) = (&message.topic, message.payload.len());
            let detail = format!("{topic}, {size} bytes; only `{REBIRTH}` = true is known");
            self.tell("a command is not understood and does nothing", &detail);
        }
        Ok(())
    }

    fn heard_host(&mut self, connection: &mut Connection, payload: &[u8]) -> Result<(), Ending> {
        match connection.host.hear(payload) {
            Word::Came => {
                connection.births.want();
                Ok(())
            }
            Word::Went => Err(Ending::ours(
                HOST_OFFLINE,
                "the primary host says that it is gone",
            )),
            Word::Nothing => Ok(()),
            Word::Unreadable => {
                self.tell(
                    "the primary host says something that is not understood",
                    "its STATE must be JSON with `online` and `timestamp`, as in Sparkplug 3.0",
                );
                Ok(())
            }
        }
    }

    /// Says that we leave, so that the last will is not needed.
    pub(super) async fn farewell(&mut self, connection: &mut Connection) {
        let death = self.node.death(clock::now().wall);
        if connection.at_once(death).is_ok() {
            goodbye(&connection.client, &mut connection.happenings).await;
        }
    }
}

/// Does a command ask for births? What cannot be read does not.
fn asks_for_birth(payload: &[u8]) -> bool {
    let payload = Payload::from_bytes(payload, COMMAND).unwrap_or_default();
    payload.metrics.iter().any(|metric| {
        metric.name.as_deref() == Some(REBIRTH)
            && metric.value == Some(metric_value::Value::Boolean(true))
    })
}
