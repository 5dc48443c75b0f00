//! What a subscriber tells: heartbeat, status point, counters, log.

use tracing::{error, warn};

use super::subscription::SUBSCRIPTION_REFUSED;
use super::unheard::TOLD_AFTER;
use super::{Connection, Subscriber};
use crate::broker::{Ending, Flow, Link, STOLEN};
use crate::clock;
use crate::engine::time::{Moment, Mono};
use crate::input::mqtt::mapping::{Refused, Rejection};
use crate::metrics::Refusal;

impl Subscriber {
    pub(super) fn beat(&mut self, now: Moment) {
        self.metrics.heartbeat(&self.task);
        let link = if self.connected {
            Link::Proven
        } else {
            Link::Lost
        };
        let flow = Flow::troubled(self.theft.is_known());
        self.status.update(link, flow, now);
    }

    /// What a connection that stands has to say of itself, about twice a second.
    pub(super) fn look_at(&mut self, connection: &Connection, now: Moment) {
        let Some(since) = connection.connack_at.filter(|_| connection.subscribed) else {
            return;
        };
        let lived = now.mono.since(since);
        self.theft.stands(lived);
        let unheard = (lived >= TOLD_AFTER).then(|| connection.unheard.words());
        let words = if self.theft.is_known() {
            Some(STOLEN.to_owned())
        } else {
            let both = [connection.unsure.words(), unheard.flatten()];
            let both: Vec<String> = both.into_iter().flatten().collect();
            (!both.is_empty()).then(|| both.join("; "))
        };
        if words.is_some() && words != self.told {
            let words = words.as_deref();
            warn!(
                broker = &*self.id,
                words, "connected, but something is wrong"
            );
        }
        self.tell(words);
    }

    /// For the health pages; what is told already is not told again.
    fn tell(&mut self, words: Option<String>) {
        if words != self.told {
            self.metrics.trouble("broker", &self.id, words.clone());
            self.told = words;
        }
    }

    pub(super) fn reject(
        &mut self,
        connection: &Connection,
        topic: &str,
        refused: &Refused,
        now: Moment,
    ) {
        let reason = refused.reason.name();
        self.metrics.reading_rejected(&self.id, reason);
        let what = Refusal::new(topic, &refused.detail, now.wall);
        self.metrics.last_refusal(&self.id, reason, what);
        let Some(count) = self.sampler.hit(reason, now.mono) else {
            return;
        };
        warn!(
            broker = &*self.id,
            topic,
            reason,
            met = refused.detail,
            count,
            detail = %refused.reason,
            "message rejected"
        );
        if refused.reason == Rejection::UnknownTopic {
            // Left over from an older configuration; with no room it is asked at the next line.
            let _later = connection.client.unsubscribe(topic).is_err();
        }
    }

    pub(super) fn set_connected(&mut self, connected: bool) {
        self.connected = connected;
        self.metrics.broker_connected(&self.id, connected);
        self.beat(clock::now());
    }

    pub(super) fn report(&mut self, ending: &Ending, now: Mono) {
        let known = self.theft.is_known();
        self.theft.ended(ending, self.lived);
        let words = if self.theft.is_known() {
            Some(STOLEN.to_owned())
        } else if ending.name == SUBSCRIPTION_REFUSED {
            Some(ending.detail.clone())
        } else {
            None
        };
        self.tell(words);
        if self.theft.is_known() && !known {
            error!(
                broker = &*self.id,
                "{STOLEN}: the broker drops us for it, again and again"
            );
        }
        if let Some(count) = self.sampler.hit(ending.name, now) {
            warn!(
                broker = &*self.id,
                reason = ending.name,
                detail = ending.detail,
                count,
                "broker not connected"
            );
        }
    }
}
