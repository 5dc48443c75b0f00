//! What each stretch of the journal gets: from memory what memory has, the rest from disk; and what
//! follows when the disk does not give it ([`delivery`](crate::output::delivery)).

use tracing::{error, warn};

use super::Forwarder;
use super::connection::{Asked, Connection, Events};
use crate::clock;
use crate::engine::time::Moment;
use crate::output::delivery::{Place, Want};

/// How a stretch of the journal fared.
enum Served {
    /// It has what it could get.
    Done,
    /// Ask it again.
    Again,
    /// It waits for the disk, and what comes after it waits, too.
    Waits,
    /// The journal was cut in front of it: the first has another place now.
    Cut,
}

impl Forwarder {
    /// Hands out events, stretch by stretch.
    pub(super) fn forward(&mut self, connection: &mut Connection, now: Moment) {
        let mut turn = 0;
        while let Some(want) = self.delivery.want(turn) {
            match self.serve_stretch(connection, want, now) {
                Served::Done => turn += 1,
                Served::Again => {}
                Served::Cut => turn = 0,
                Served::Waits => return,
            }
        }
    }

    fn serve_stretch(&mut self, connection: &mut Connection, want: Want, now: Moment) -> Served {
        if want.room == 0 || want.after >= want.upto || !self.has_room(connection) {
            return Served::Done;
        }
        let from_disk = matches!(want.place, Place::Only | Place::Oldest);
        if from_disk && let Some(next) = connection.turn_page(want.after) {
            self.send_from_page(connection, want, next, now);
            return Served::Again;
        }
        let until = match self.feed.recent(want.after, want.room) {
            Ok(events) => {
                for event in events.iter().take_while(|event| event.seq <= want.upto) {
                    if self.has_room(connection) {
                        self.publish_event(connection, event, from_disk, now);
                    }
                }
                return Served::Done;
            }
            Err(until) => until,
        };
        if from_disk {
            self.fetch(connection, want, now);
            if !connection.is_unread(now.mono) {
                return Served::Waits;
            }
        }
        if want.place != Place::Oldest && self.go_ahead(want.after, until, now) {
            return Served::Cut;
        }
        Served::Done
    }

    fn send_from_page(&mut self, connection: &mut Connection, want: Want, next: u64, now: Moment) {
        if next > want.upto {
            // The page goes on where the next stretch begins.
            let progress = self.delivery.passed_over(want.after, want.upto);
            self.progress(progress, want.upto);
        } else if let Some(event) = connection.page.pop_front() {
            self.publish_event(connection, &event, true, now);
        }
    }

    /// Asks the journal for what a stretch wants, unless it is being asked.
    fn fetch(&self, connection: &mut Connection, want: Want, now: Moment) {
        if connection.fetch.is_some() || connection.rest {
            return;
        }
        let feed = self.feed.clone();
        connection.asked = Asked {
            after: want.after,
            upto: feed.committed(),
            at: now.mono,
        };
        connection.page.clear();
        connection.fetch = Some(Box::pin(
            async move { feed.after(want.after, want.room).await },
        ));
    }

    /// The journal has answered.
    pub(super) fn fetched(&mut self, connection: &mut Connection, fetched: Events) {
        match fetched {
            Ok(events) if events.is_empty() => {
                connection.rest = true;
                let Asked { after, upto, .. } = connection.asked;
                let progress = self.delivery.passed_over(after, upto);
                self.progress(progress, upto);
            }
            Ok(events) => connection.page.extend(events),
            Err(error) => {
                connection.rest = true;
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
