//! What an output tells: heartbeat, status point, counters, log.

use std::time::Duration;

use tokio::time::timeout;
use tracing::{error, warn};

use super::{Connection, Forwarder};
use crate::broker::{ENDINGS, Ending, Link};
use crate::clock;
use crate::engine::time::Moment;

/// Why a connection can end, for metrics.
pub const FAILURE_REASONS: [&str; 10] = {
    let [a, b, c, d, e, f, g, h, i] = ENDINGS;
    [a, b, c, d, e, f, g, h, i, NO_PUBACK]
};
/// Why an event can be lost for this output, for metrics.
pub const DROP_REASONS: [&str; 3] = [GONE, POISON, TOO_LARGE];

pub(super) const NO_PUBACK: &str = "no_puback";
/// The journal had to let go of it before its turn came: pruned, or dropped from full memory.
pub(super) const GONE: &str = "gone";
/// It ended every connection that it was sent on.
pub(super) const POISON: &str = "poison";
/// Longer than a packet may be.
pub(super) const TOO_LARGE: &str = "too_large";

/// An output whose cursor does not move in this time although something waits is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);
/// A connection on which nothing is to be sent counts as good after this.
const STANDS_AFTER: Duration = Duration::from_secs(10);
/// So long the status point tells of an event that was lost.
const LOST_FOR: Duration = Duration::from_secs(3600);
/// The journal answers from memory at once, from a sound disk within this.
const LOOK_WITHIN: Duration = Duration::from_millis(500);

impl Forwarder {
    /// A far end that accepts and then drops is of no use: connected alone proves nothing.
    pub(super) fn link(&self, connection: &Connection, now: Moment) -> Link {
        let stood = connection.up_since.map(|since| now.mono.since(since));
        match stood {
            None => Link::Lost,
            Some(_) if self.delivery.has_delivered() => Link::Proven,
            Some(stood) if self.waiting() == 0 && stood >= STANDS_AFTER => Link::Proven,
            Some(_) => Link::Unproven,
        }
    }

    pub(super) fn beat(&mut self, link: Link, now: Moment) {
        self.metrics.heartbeat(&self.task);
        let waiting = self.waiting();
        self.metrics.output_queue(&self.id, waiting);
        self.metrics.output_aside(&self.id, self.aside.len());
        self.metrics.output_oldest(&self.id, self.oldest.time());
        if waiting == 0 {
            self.moved_at = now.mono;
        }
        let stuck = now.mono.since(self.moved_at) > STUCK_AFTER;
        let lost = self.lost_at.map(|since| now.mono.since(since));
        let lost = lost.is_some_and(|lost| lost < LOST_FOR);
        let missing = lost || self.aside.len() > 0;
        self.status.update(link, stuck || missing, now);
    }

    /// Before each attempt to connect: what waits may be from an earlier run, or has come during the
    /// pause. A disk that hangs must not delay the attempt.
    pub(super) async fn look_at_oldest(&mut self) {
        if self.waiting() == 0 || self.oldest.time().is_some() {
            return;
        }
        let first = self.feed.after(self.delivery.cursor(), 1);
        if let Ok(Ok(first)) = timeout(LOOK_WITHIN, first).await {
            first
                .iter()
                .for_each(|event| self.oldest.handed_out(event, true));
        }
        self.metrics.output_oldest(&self.id, self.oldest.time());
    }

    /// Events that the far end has not confirmed.
    pub(super) fn waiting(&self) -> u64 {
        self.delivery.unconfirmed(self.feed.committed())
    }

    pub(super) fn lost(&mut self, ending: &Ending, now: Moment) {
        let by_far_end = ending.is_abort();
        // One that is tried again is to blame before all others.
        let trying = self.aside.is_trying();
        if let Some(seq) = self.aside.disconnected(by_far_end, now.mono) {
            self.lost_events(1, POISON, seq);
        }
        if let Some(seq) = self.delivery.disconnected(by_far_end && !trying) {
            self.set_aside(seq, now.mono);
            let cursor = self.delivery.cursor();
            self.oldest.confirmed(cursor);
            self.feed.acknowledge(&self.id, cursor);
        }
        self.oldest.disconnected();
        debug_assert!(FAILURE_REASONS.contains(&ending.name), "{}", ending.name);
        self.metrics.output_failure(&self.id, ending.name);
        self.beat(Link::Lost, now);
        if let Some(count) = self.sampler.hit(ending.name, now.mono) {
            warn!(
                output = &*self.id,
                reason = ending.name,
                detail = ending.detail,
                count,
                "output not connected"
            );
        }
    }

    /// Goes on without events for good, and says so: in the log, in the counter and on the status
    /// point. `seq`: the newest of them, or the one after it.
    pub(super) fn lost_events(&mut self, events: u64, reason: &'static str, seq: u64) {
        self.lost_at = Some(clock::monotonic());
        self.metrics.output_dropped(&self.id, reason, events);
        let kept = if reason == GONE {
            "events are gone from the journal before this output had them"
        } else {
            "an event is given up for this output (the journal still has it)"
        };
        error!(output = &*self.id, seq, events, reason, "{kept}");
    }
}
