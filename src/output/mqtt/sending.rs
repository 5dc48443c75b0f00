//! What goes out next on a connection, and what its acknowledgements change.

use tracing::debug;

use super::connection::{Connection, What};
use super::{Forwarder, OUTGOING_LIMIT};
use crate::broker::{Ending, Verdict, goodbye};
use crate::clock;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::{Moment, Wall};
use crate::event::Committed;
use crate::output::delivery::Progress;
use crate::output::message;
use crate::output::reporting::{PUBLISH_REFUSED, TOO_LARGE, since};

/// What topic and header may take of the longest packet, bytes.
pub(super) const HEADER: usize = 4 * 1024;

impl Forwarder {
    /// What happened around event `seq`.
    pub(super) fn progress(&mut self, progress: Progress, seq: u64) {
        self.report.progress(progress, seq, clock::now());
        if progress.gone > 0 {
            self.refresh_states(seq);
        }
    }

    /// Hands the wire whatever may go now, the most urgent first.
    pub(super) fn fill(&mut self, connection: &mut Connection) {
        connection.seen = self.feed.committed();
        if connection.up_since.is_none() || connection.broken {
            return;
        }
        let now = clock::now();
        self.publish_urgent(connection, now);
        if self.retained.urgent().is_some() {
            return;
        }
        self.publish_live_states(connection, now);
        self.forward(connection, now);
        if !self.is_idle(connection, now) || connection.finishing.has_begun() {
            return;
        }
        // One at a time: an event that comes now waits for one PUBACK at most.
        if connection.unacknowledged == 0
            && let Some(alarm) = self.retained.idle()
        {
            self.publish_present(connection, alarm, now);
        } else if connection.unacknowledged == 0
            && let Some(alarm) = self.retained.removed()
        {
            // An empty retained message takes the topic away (MQTT 3.1.1, 3.3.1.3).
            let topic = self.topics.alarm(&alarm);
            connection.publish(topic, true, String::new(), What::State, now.mono);
        }
        self.try_again(connection, now);
        self.publish_telemetry(connection, now);
    }

    fn publish_urgent(&mut self, connection: &mut Connection, now: Moment) {
        while connection.unacknowledged < self.publishes
            && let Some(alarm) = self.retained.urgent()
        {
            self.publish_present(connection, alarm, now);
        }
    }

    /// While backlog goes first, the alarms that change now do not wait for it.
    fn publish_live_states(&mut self, connection: &mut Connection, now: Moment) {
        let from = connection.noticed.max(self.delivery.backlog_until());
        if !self.delivery.is_replaying() || connection.seen <= from {
            return;
        }
        let room = self.publishes.saturating_sub(connection.unacknowledged);
        match self.feed.recent(from, room) {
            Ok(events) => {
                for event in events {
                    connection.noticed = event.seq;
                    self.publish_state(connection, &event, What::State, now);
                }
            }
            Err(until) => {
                connection.noticed = until;
                self.refresh_states(until);
            }
        }
    }

    pub(super) fn has_room(&self, connection: &Connection) -> bool {
        // An event takes two publishes.
        connection.unacknowledged + 1 < self.publishes && !connection.broken
    }

    pub(super) fn publish_event(
        &mut self,
        connection: &mut Connection,
        event: &Committed,
        in_order: bool,
        now: Moment,
    ) {
        let seq = event.seq;
        self.report.oldest.handed_out(event, in_order);
        let line = message::event(&event.line, self.delivery.replayed(seq), event.durable);
        let mut due = 0;
        if is_too_long(&line, OUTGOING_LIMIT) {
            self.report.lost_events(1, TOO_LARGE, seq);
        } else if is_too_long(&line, connection.limit) {
            self.set_aside(seq, "it is longer than the broker takes", now);
        } else {
            connection.publish(self.topics.event(), false, line, What::Event(seq), now.mono);
            self.report.sent(seq, now.wall);
            let with_state = self.publish_state(connection, event, What::StateOf(seq), now);
            due = 1 + usize::from(with_state);
        }
        let progress = self.delivery.sent(seq, due, since(event, now));
        self.progress(progress, seq);
    }

    /// The state that an event led to, unless the far end has a newer one. `true`: it was published.
    fn publish_state(
        &mut self,
        connection: &mut Connection,
        event: &Committed,
        what: What,
        now: Moment,
    ) -> bool {
        let alarm = event.alarm.as_deref();
        let Some(alarm) = alarm.and_then(|alarm| self.retained.position(alarm)) else {
            return false;
        };
        if self.retained.superseded(alarm, event.seq) {
            return false;
        }
        let Some(record) = &event.record else {
            self.retained.changed(alarm, event.seq);
            return false;
        };
        let durable = event.durable;
        let published = self.publish_record(connection, alarm, Some(record), durable, what, now);
        self.retained.published(alarm, event.seq);
        published
    }

    /// Retained states name whoever is responsible: with another shift those of a rota go again.
    pub(super) fn hand_over(&mut self, now: Wall) {
        let shift = self.readers.duties.shift(now);
        if shift == self.shift {
            return;
        }
        self.shift = shift;
        for (alarm, guidance) in self.guidance.all().iter().enumerate() {
            if self.readers.is_by_rota(&guidance.point) {
                self.retained.outdated(alarm);
            }
        }
    }

    /// The newest state of an alarm, by itself.
    fn publish_present(&mut self, connection: &mut Connection, alarm: usize, now: Moment) {
        let as_of = self.present.refresh(&self.feed);
        if let Some(guidance) = self.guidance.all().get(alarm) {
            let record = self.present.get(&guidance.alarm()).cloned();
            let durable = self.present.is_durable();
            self.publish_record(
                connection,
                alarm,
                record.as_ref(),
                durable,
                What::State,
                now,
            );
        }
        self.retained.published(alarm, as_of);
    }

    /// `false`: it is longer than the broker takes.
    fn publish_record(
        &mut self,
        connection: &mut Connection,
        alarm: usize,
        record: Option<&AlarmRecord>,
        durable: bool,
        what: What,
        now: Moment,
    ) -> bool {
        let Some(guidance) = self.guidance.all().get(alarm) else {
            return false;
        };
        let state = message::state(guidance, &self.readers, record, durable, now.wall);
        let topic = self.topics.alarm(&guidance.alarm());
        let short = !is_too_long(&state, connection.limit);
        if short {
            connection.publish(topic, true, state, what, now.mono);
        } else {
            self.state_refused("it is longer than the broker takes", now.mono);
        }
        short
    }

    /// A PUBACK came under this packet id.
    pub(super) fn puback(
        &mut self,
        connection: &mut Connection,
        id: u16,
        verdict: Verdict,
    ) -> Result<(), Ending> {
        let Some(what) = connection.acknowledged(id) else {
            debug!(output = &*self.id, id, "PUBACK for nothing");
            return Ok(());
        };
        let taken = matches!(verdict, Verdict::Taken | Verdict::Unheard);
        match verdict {
            Verdict::Taken => {}
            Verdict::Unheard => self.unheard(what),
            Verdict::Refused(reason) => self.refused(what, true, reason)?,
            Verdict::Later(reason) => self.refused(what, false, reason)?,
        }
        match what {
            What::Event(seq) | What::StateOf(seq) => {
                let progress = self.delivery.acknowledged(seq);
                self.progress(progress, seq);
            }
            What::Aside(seq) => self.arrived_after_all(seq),
            What::State => self.delivery.proved(),
            What::Question => {
                self.delivery.proved();
                self.telemetry_alone_is_late();
            }
            What::Readings(ticket) if taken => self.telemetry_arrived(ticket),
            What::Readings(_) => {}
        }
        Ok(())
    }

    /// The broker does not take what it was sent. A state that it does not take must not hold back the
    /// events, which it may; without one of those nothing goes on.
    fn refused(&mut self, what: What, for_good: bool, reason: &'static str) -> Result<(), Ending> {
        match what {
            What::State | What::StateOf(_) | What::Question => {
                self.state_refused(reason, clock::monotonic());
                Ok(())
            }
            What::Readings(ticket) => {
                self.telemetry_refused(ticket, reason);
                Ok(())
            }
            What::Event(seq) | What::Aside(seq) => {
                let is_event = matches!(what, What::Event(_));
                self.refused = Some(seq).filter(|_| for_good && is_event);
                let detail = format!(
                    "the broker does not take event {seq}: {reason}; see its ACL and limits"
                );
                Err(Ending::ours(PUBLISH_REFUSED, &detail))
            }
        }
    }

    /// Says that we leave, so that the last will is not needed.
    pub(super) async fn farewell(&mut self, connection: &mut Connection) {
        let now = clock::now();
        let stopped = message::stopped(now.wall, self.feed.committed());
        connection.publish(self.topics.status(), true, stopped, What::State, now.mono);
        goodbye(&connection.client, &mut connection.happenings).await;
    }

    /// Is nothing at hand that could be sent?
    pub(super) fn is_idle(&self, connection: &Connection, now: Moment) -> bool {
        let unread = connection.supply.is_unread(now.mono);
        let memory = self.feed.recent(0, 0).err().filter(|_| unread);
        let committed = self.feed.committed();
        connection.supply.is_empty() && !self.delivery.has_more(committed, memory.unwrap_or(0))
    }
}

/// Is a payload over the limit of a packet?
pub(super) const fn is_too_long(payload: &str, limit: usize) -> bool {
    payload.len() + HEADER > limit
}
