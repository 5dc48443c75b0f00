//! What the output tells of itself beside what every output does.

use super::{Connection, Edge};
use crate::broker::{Ending, Link};
use crate::clock;
use crate::engine::time::Moment;
use crate::output::delivery::Progress;
use crate::output::reporting::POISON;

impl Edge {
    /// Connected alone proves nothing: a far end that takes the births, and a host that is there, do.
    pub(super) fn link(&self, connection: &Connection) -> Link {
        match (connection.up_since, self.node.is_born()) {
            (Some(_), true) if self.proven => Link::Proven,
            (Some(_), true) => Link::Unproven,
            // Accepted, but nobody is there for whom the alarms are.
            (Some(_), false) | (None, _) => Link::Lost,
        }
    }

    /// About twice a second, whatever happens.
    pub(super) fn beat(&mut self, link: Link, now: Moment) {
        let waiting = self.waiting();
        self.report.beat(link, waiting, 0, now);
    }

    /// Events that the far end has not confirmed.
    pub(super) fn waiting(&self) -> u64 {
        self.delivery.unconfirmed(self.feed.committed())
    }

    /// What happened around event `seq`. Of events that are gone, the far end lacks the states they led
    /// to.
    pub(super) fn progress(&mut self, connection: &mut Connection, progress: Progress, seq: u64) {
        self.report.progress(progress, seq, clock::now());
        if progress.gone > 0 {
            connection.births.want();
        }
    }

    /// What the broker grants is less than was asked for, or nothing is any more: for the health pages, as long as
    /// the connection stands.
    pub(super) fn unsure(&self, words: Option<String>) {
        if let Some(words) = &words {
            tracing::warn!(output = &*self.id, "{words}");
        }
        self.report.metrics.trouble("output", &self.id, words);
    }

    /// The connection is over.
    pub(super) fn lost(&mut self, ending: &Ending, now: Moment) {
        self.unsure(None);
        if let Some(seq) = self.delivery.disconnected(ending.is_abort()) {
            self.report.lost_events(1, POISON, seq);
            self.report.moved(self.delivery.cursor());
        }
        self.report.oldest.disconnected();
        self.report.failed(
            ending.name,
            &ending.detail,
            now.mono,
            "output not connected",
        );
        self.beat(Link::Lost, now);
    }

    /// Says something that may repeat.
    pub(super) fn tell(&mut self, cause: &'static str, detail: &str) {
        if let Some(count) = self.report.sampler.hit(cause, clock::monotonic()) {
            tracing::warn!(output = &*self.id, count, detail, "{cause}");
        }
    }
}
