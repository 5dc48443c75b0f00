//! Hands out the journal stretch by stretch ([`supply`](crate::output::supply)); and what follows when the disk
//! does not give it ([`delivery`](crate::output::delivery)).

use tracing::{error, warn};

use super::Forwarder;
use super::connection::Connection;
use crate::clock;
use crate::engine::time::Moment;
use crate::event::Committed;
use crate::output::supply::{Events, Supplied};

impl Forwarder {
    /// Hands out events, stretch by stretch, as long as there is room.
    pub(super) fn forward(&mut self, connection: &mut Connection, now: Moment) {
        let mut turn = 0;
        while let Some(want) = self.delivery.want(turn)
            && self.has_room(connection)
        {
            match connection.supply.serve(want, &self.feed, now.mono) {
                Supplied::Next(event) => self.publish_event(connection, &event, true, now),
                Supplied::Ends => {
                    let progress = self.delivery.passed_over(want.after, want.upto);
                    self.progress(progress, want.upto);
                }
                Supplied::Last(events) => {
                    self.publish_events(connection, &events, want.place.is_oldest(), now);
                    turn += 1;
                }
                Supplied::Waits => return,
                Supplied::Unread(until) if self.go_ahead(want.after, until, now) => turn = 0,
                Supplied::Unread(_) => turn += 1,
            }
        }
    }

    /// Those that find no room stay in memory for later.
    fn publish_events(
        &mut self,
        connection: &mut Connection,
        events: &[Committed],
        in_order: bool,
        now: Moment,
    ) {
        for event in events {
            if self.has_room(connection) {
                self.publish_event(connection, event, in_order, now);
            }
        }
    }

    /// The journal has answered.
    pub(super) fn fetched(&mut self, connection: &mut Connection, fetched: Events) {
        match fetched {
            Ok(events) => {
                if let Some((after, upto)) = connection.supply.fetched(events) {
                    let progress = self.delivery.passed_over(after, upto);
                    self.progress(progress, upto);
                }
            }
            Err(error) => {
                connection.supply.rest = true;
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                if let Some(count) = self.report.sampler.hit("journal", clock::monotonic()) {
                    warn!(output = &*self.id, %error, cause, count, "backlog not read");
                }
            }
        }
    }

    /// The backlog up to `until` does not come in time: what follows does not wait for it.
    fn go_ahead(&mut self, after: u64, until: u64, now: Moment) -> bool {
        if !self.delivery.go_ahead(after, until) {
            return false;
        }
        self.refresh_states(until);
        if let Some(count) = self.report.sampler.hit("gap", now.mono) {
            error!(
                output = &*self.id,
                until,
                count,
                "the disk does not give the backlog: newer events go first, from memory"
            );
        }
        true
    }

    /// Events up to `until` are passed over, for now or for ever: the states they led to go by
    /// themselves.
    pub(super) fn refresh_states(&mut self, until: u64) {
        if until > self.refreshed {
            self.refreshed = self.present.refresh(&self.feed);
            self.retained.passed_over(self.present.all());
        }
    }
}
