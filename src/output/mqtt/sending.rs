//! What goes out next on a connection, and what its acknowledgements change.

use rumqttc::QoS;
use tracing::{debug, warn};

use super::reporting::TOO_LARGE;
use super::{Connection, Forwarder, OUTGOING_LIMIT, TELEMETRY_AHEAD, What};
use crate::broker::goodbye;
use crate::clock;
use crate::engine::time::{Moment, Mono};
use crate::event::Committed;
use crate::journal::FeedError;
use crate::output::delivery::Progress;
use crate::output::message;

/// What topic and header may take of the longest packet, bytes.
const HEADER: usize = 4 * 1024;

impl Forwarder {
    fn progress(&mut self, progress: Progress) {
        let now = clock::monotonic();
        if let Some(since) = progress.delivered {
            self.metrics.output_delivered(&self.id, now.since(since));
        }
        if let Some(cursor) = progress.cursor {
            self.moved_at = now;
            self.oldest.confirmed(cursor);
            self.feed.acknowledge(&self.id, cursor);
        }
    }

    /// Hands the wire whatever may go now, the most urgent first.
    pub(super) fn fill(&mut self, connection: &mut Connection) {
        if connection.up_since.is_none() || connection.broken {
            return;
        }
        let now = clock::now();
        while connection.pubacks.len() < self.publishes {
            let Some(alarm) = self.retained.urgent() else {
                break;
            };
            self.publish_present(connection, alarm, now);
        }
        if self.retained.urgent().is_some() {
            return;
        }
        // An event takes two publishes.
        while connection.pubacks.len() + 1 < self.publishes && self.delivery.room() > 0 {
            let Some((event, since)) = connection.events.pop_front() else {
                break;
            };
            self.publish_event(connection, &event, since, now);
        }
        self.fetch(connection);
        if !self.is_idle(connection) || connection.finishing.is_some() {
            return;
        }
        // One at a time: an event that comes now waits for one PUBACK at most.
        if connection.pubacks.len() == 0
            && let Some(alarm) = self.retained.idle()
        {
            self.publish_present(connection, alarm, now);
        }
        self.publish_telemetry(connection);
    }

    fn fetch(&mut self, connection: &mut Connection) {
        let (after, room) = (self.delivery.next(), self.delivery.room());
        let more = connection.events.is_empty() && room > 0 && self.feed.committed() > after;
        if more && connection.fetch.is_none() && !connection.rest {
            let feed = self.feed.clone();
            connection.fetch = Some(Box::pin(async move { feed.after(after, room).await }));
        }
    }

    pub(super) fn fetched(
        &mut self,
        connection: &mut Connection,
        fetched: Result<Vec<Committed>, FeedError>,
    ) {
        let now = clock::monotonic();
        match fetched {
            Ok(events) => {
                connection.rest = events.is_empty();
                self.oldest.read(&events);
                let events = events.into_iter().map(|event| (event, now));
                connection.events.extend(events);
            }
            Err(error) => {
                connection.rest = true;
                if let Some(count) = self.sampler.hit("journal", now) {
                    warn!(output = &*self.id, %error, count, "cannot read the journal");
                }
            }
        }
    }

    fn publish_event(
        &mut self,
        connection: &mut Connection,
        event: &Committed,
        since: Mono,
        now: Moment,
    ) {
        let seq = event.seq;
        let line = message::event(&event.line, self.delivery.replayed(seq), event.durable);
        if line.len() + HEADER > OUTGOING_LIMIT {
            self.set_aside(seq, TOO_LARGE);
            let progress = self.delivery.sent(seq, 0, since);
            self.progress(progress);
            return;
        }
        connection.publish(self.topics.event(), false, line, What::Event(seq), now.mono);
        let alarm = event.alarm.as_deref();
        let alarm = alarm.and_then(|alarm| self.retained.position(alarm));
        let mut due = 1;
        match (alarm, &event.record) {
            (Some(alarm), Some(record)) if !self.retained.superseded(alarm, seq) => {
                if let Some(guidance) = self.guidance.get(alarm) {
                    let state = message::state(guidance, Some(record), now.wall);
                    let topic = self.topics.alarm(guidance);
                    connection.publish(topic, true, state, What::Event(seq), now.mono);
                    self.retained.published(alarm, seq);
                    due = 2;
                }
            }
            (Some(alarm), None) => self.retained.changed(alarm, seq),
            (Some(_), Some(_)) | (None, _) => {}
        }
        let progress = self.delivery.sent(seq, due, since);
        self.progress(progress);
    }

    /// The newest state of an alarm, by itself.
    fn publish_present(&mut self, connection: &mut Connection, alarm: usize, now: Moment) {
        let as_of = self.present.refresh(&self.feed);
        if let Some(guidance) = self.guidance.get(alarm) {
            let record = self.present.get(&guidance.alarm);
            let state = message::state(guidance, record, now.wall);
            let topic = self.topics.alarm(guidance);
            connection.publish(topic, true, state, What::State, now.mono);
        }
        self.retained.published(alarm, as_of);
    }

    fn publish_telemetry(&mut self, connection: &mut Connection) {
        while connection.telemetry_ahead < TELEMETRY_AHEAD && !connection.broken {
            let Some((topic, payload)) = self.telemetry.next() else {
                return;
            };
            connection.tell(topic, payload);
        }
    }

    /// A PUBACK came under this packet id.
    pub(super) fn puback(&mut self, connection: &mut Connection, id: u16) {
        match connection.pubacks.acknowledged(id) {
            Some(What::Event(seq)) => {
                let progress = self.delivery.acknowledged(seq);
                self.progress(progress);
            }
            Some(What::State) => self.delivery.proved(),
            None => debug!(output = &*self.id, id, "PUBACK for nothing"),
        }
    }

    /// Says that we leave, so that the last will is not needed.
    pub(super) async fn farewell(&mut self, connection: &mut Connection) {
        let now = clock::now();
        let stopped = message::stopped(now.wall, self.feed.committed());
        connection.publish(self.topics.status(), true, stopped, What::State, now.mono);
        goodbye(&connection.client, &mut connection.happenings).await;
    }

    /// Does no event wait to be sent?
    pub(super) fn is_idle(&self, connection: &Connection) -> bool {
        connection.events.is_empty() && self.feed.committed() <= self.delivery.next()
    }
}

impl Connection {
    /// Publishes at QoS 0: nobody asks whether it arrived.
    fn tell(&mut self, topic: String, payload: String) {
        let asked = self
            .client
            .try_publish(topic, QoS::AtMostOnce, false, payload);
        self.broken |= asked.is_err();
        self.telemetry_ahead += 1;
    }
}
