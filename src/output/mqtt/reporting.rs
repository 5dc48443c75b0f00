//! What a broker's connection says about the output, and what its end means for what was on the way.

use std::time::Duration;

use super::{Connection, Forwarder};
use crate::broker::{Ending, Link};
use crate::engine::time::Moment;
use crate::output::reporting::POISON;

/// A connection on which nothing is to be sent counts as good after this.
const STANDS_AFTER: Duration = Duration::from_secs(10);

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
        let waiting = self.waiting();
        self.report.beat(link, waiting, self.aside.len(), now);
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
            self.report.lost_events(1, POISON, seq);
        }
        if let Some(seq) = self.delivery.disconnected(by_far_end && !trying) {
            self.set_aside(seq, now.mono);
            self.report.moved(self.delivery.cursor());
        }
        self.report.oldest.disconnected();
        self.beat(Link::Lost, now);
        let (name, detail) = (ending.name, &ending.detail);
        self.report
            .failed(name, detail, now.mono, "output not connected");
    }
}
