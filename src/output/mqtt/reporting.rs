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
/// Why an event can be set aside, for metrics.
pub const DROP_REASONS: [&str; 2] = [POISON, TOO_LARGE];

pub(super) const NO_PUBACK: &str = "no_puback";
/// It ends every connection that it is sent on.
const POISON: &str = "poison";
/// Longer than a packet may be.
pub(super) const TOO_LARGE: &str = "too_large";

/// An output that has something to send and sends nothing in this time is stuck.
const STUCK_AFTER: Duration = Duration::from_secs(60);
/// A connection on which nothing is to be sent counts as good after this.
const STANDS_AFTER: Duration = Duration::from_secs(10);
/// So long the status point tells of an event that was set aside.
const ASIDE_FOR: Duration = Duration::from_secs(3600);
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
        self.metrics.output_oldest(&self.id, self.oldest.time());
        if waiting == 0 {
            self.moved_at = now.mono;
        }
        let stuck = now.mono.since(self.moved_at) > STUCK_AFTER;
        let aside = self.aside_at.map(|since| now.mono.since(since));
        let aside = aside.is_some_and(|aside| aside < ASIDE_FOR);
        self.status.update(link, stuck || aside, now);
    }

    /// Before each attempt to connect: what waits may be from an earlier run, or has come during the
    /// pause. A disk that hangs must not delay the attempt.
    pub(super) async fn look_at_oldest(&mut self) {
        if self.waiting() == 0 || self.oldest.time().is_some() {
            return;
        }
        let first = self.feed.after(self.delivery.cursor(), 1);
        if let Ok(Ok(first)) = timeout(LOOK_WITHIN, first).await {
            self.oldest.read(&first);
        }
        self.metrics.output_oldest(&self.id, self.oldest.time());
    }

    /// Events behind the cursor.
    pub(super) fn waiting(&self) -> u64 {
        self.feed.committed().saturating_sub(self.delivery.cursor())
    }

    pub(super) fn lost(&mut self, ending: &Ending, now: Moment) {
        if let Some(seq) = self.delivery.disconnected(ending.is_abort()) {
            self.set_aside(seq, POISON);
            self.oldest.confirmed(seq);
            self.feed.acknowledge(&self.id, seq);
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

    /// Goes on without an event, and says so: in the log, in the counter and on the status point.
    pub(super) fn set_aside(&mut self, seq: u64, reason: &'static str) {
        self.aside_at = Some(clock::monotonic());
        self.metrics.output_dropped(&self.id, reason);
        error!(
            output = &*self.id,
            seq,
            reason,
            "this output cannot take an event; it goes on without it (the journal still has it)"
        );
    }
}
