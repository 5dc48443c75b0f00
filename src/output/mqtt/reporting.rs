//! What a broker's connection says about the output, and what its end means for what was on the way.

use std::time::Duration;

use tracing::{error, warn};

use super::{Connection, Forwarder, Telemetry, What};
use crate::broker::{Ending, Link, STOLEN};
use crate::clock;
use crate::engine::time::{Moment, Mono};
use crate::output::command_topic::COMMANDS;
use crate::output::reporting::{POISON, PUBLISH_REFUSED};

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
        let commands = self.report.metrics.is_troubled(COMMANDS, &self.id);
        self.report.wrong = self.told.is_some() || commands;
        self.report.beat(link, waiting, self.aside.len(), now);
    }

    /// Events that the far end has not confirmed.
    pub(super) fn waiting(&self) -> u64 {
        self.delivery.unconfirmed(self.feed.committed())
    }

    /// A connection stands for so long.
    pub(super) fn stands(&mut self, lived: Duration, link: Link) {
        self.theft.stands(lived);
        if link == Link::Proven && !self.theft.is_known() && !self.states_refused {
            self.tell(self.telemetry.as_ref().and_then(Telemetry::trouble));
        }
    }

    /// For the health pages; what is told already is not told again.
    pub(super) fn tell(&mut self, words: Option<String>) {
        if words != self.told {
            let metrics = &self.report.metrics;
            metrics.trouble("output", &self.id, words.clone());
            self.told = words;
        }
    }

    pub(super) fn lost(&mut self, ending: &Ending, now: Moment) {
        // One that is tried again is to blame before all others, and before a second client, too.
        let trying = self.aside.is_trying();
        if trying {
            self.theft.ended_on_trial(ending);
        } else {
            self.theft.ended(ending, self.lived);
        }
        // Telemetry that was on the way may be to blame: it rests first, so that the next end tells.
        let blameless = self.telemetry_on_the_way() == 0;
        if let Some(telemetry) = &mut self.telemetry {
            telemetry.disconnected(ending.is_abort(), now);
        }
        if self.theft.is_known() {
            self.tell(Some(STOLEN.to_owned()));
        } else if ending.name == PUBLISH_REFUSED {
            self.tell(Some(ending.detail.clone()));
        }
        let by_far_end = ending.is_abort();
        let refused = ending.name == PUBLISH_REFUSED;
        if let Some(seq) = self.aside.disconnected(by_far_end || refused, now.mono) {
            self.report.lost_events(1, POISON, seq);
        }
        let (blamed, reason) = match self.refused.take() {
            Some(seq) => (self.refused_for_good(seq), "the broker refuses it"),
            None => (
                self.delivery
                    .disconnected(by_far_end && !trying && blameless),
                "the broker drops every connection on it",
            ),
        };
        if let Some(seq) = blamed {
            self.set_aside(seq, reason, now);
            self.report.moved(self.delivery.cursor());
        }
        self.report.oldest.disconnected();
        self.beat(Link::Lost, now);
        let (name, detail) = (ending.name, &ending.detail);
        self.report
            .failed(name, detail, now.mono, "output not connected");
    }

    /// The event, if it has been refused often enough to be set aside. Only the first that is not safe can be:
    /// what lies before it must not be passed over with it.
    fn refused_for_good(&mut self, seq: u64) -> Option<u64> {
        if self.delivery.cursor() + 1 != seq {
            return self.delivery.disconnected(false);
        }
        self.delivery.refused(seq).then_some(seq)
    }

    /// The broker did not take the retained state of an alarm.
    pub(super) fn state_refused(&mut self, reason: &str, now: Mono) {
        self.states_refused = true;
        self.tell(Some(format!(
            "it does not take the state of an alarm: {reason}"
        )));
        if let Some(count) = self.report.sampler.hit("state_refused", now) {
            error!(
                output = &*self.id,
                reason, count, "the broker does not take the retained state of an alarm"
            );
        }
    }

    /// The broker took it, but nobody is subscribed: delivered, as far as MQTT goes.
    pub(super) fn unheard(&mut self, what: What) {
        let What::Event(seq) = what else { return };
        self.report.metrics.output_unheard(&self.id);
        if let Some(count) = self.report.sampler.hit("unheard", clock::monotonic()) {
            warn!(
                output = &*self.id,
                seq, count, "the broker has nobody who is subscribed to the events"
            );
        }
    }
}
