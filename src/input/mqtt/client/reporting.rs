//! What a subscriber tells: heartbeat, status point, counters, log.

use std::time::Duration;

use tracing::warn;

use super::{Connection, Subscriber};
use crate::broker::{Ending, Link};
use crate::clock;
use crate::engine::time::{Moment, Mono};
use crate::input::mqtt::mapping::{Refused, Rejection};
use crate::metrics::Refusal;

/// So young and aborted so many times in a row: somebody else uses our client id.
const THEFT: (Duration, u32) = (Duration::from_secs(2), 5);

impl Subscriber {
    pub(super) fn beat(&mut self, now: Moment) {
        self.metrics.heartbeat(&self.task);
        let link = if self.connected {
            Link::Proven
        } else {
            Link::Lost
        };
        self.status.update(link, false, now);
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
        let link = if connected { Link::Proven } else { Link::Lost };
        self.status.update(link, false, clock::now());
    }

    pub(super) fn report(&mut self, ending: &Ending, connack_at: Option<Mono>, now: Mono) {
        let (young, times) = THEFT;
        let was_young = connack_at.is_some_and(|since| now.since(since) < young);
        self.young_aborts = if ending.is_abort() && was_young {
            self.young_aborts.saturating_add(1)
        } else {
            0
        };
        if self.young_aborts == times {
            warn!(
                broker = &*self.id,
                times,
                "the broker drops us at once, again and again: does another client use the \
                 same client id?"
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
