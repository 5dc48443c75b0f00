//! Events that were set aside are tried again when nothing else is to be done, each alone.

use tracing::{error, info, warn};

use super::Forwarder;
use super::connection::{Connection, ReadAgain, What};
use super::sending::is_too_long;
use crate::clock;
use crate::engine::time::Moment;
use crate::journal::PutBy;
use crate::output::message;
use crate::output::reporting::POISON;

impl Forwarder {
    /// An event that the broker does not take: goes on without it for now.
    pub(super) fn set_aside(&mut self, seq: u64, reason: &str, now: Moment) {
        error!(
            output = &*self.id,
            seq,
            reason,
            "an event is set aside: the output goes on without it and tries it again later"
        );
        self.report.set_aside(seq, reason, now.wall);
        if let Some(oldest) = self.aside.put(seq, now.mono) {
            self.report.lost_events(1, POISON, oldest);
        }
    }

    fn nothing_is_on_the_way(&self, connection: &Connection) -> bool {
        connection.unacknowledged == 0 && self.telemetry_on_the_way() == 0
    }

    /// Reads the next event that is to be tried again.
    pub(super) fn try_again(&mut self, connection: &mut Connection, now: Moment) {
        let alone = self.nothing_is_on_the_way(connection) && connection.again.is_none();
        let due = self.aside.due(now.mono).filter(|_| alone);
        if let Some(seq) = due {
            let feed = self.feed.clone();
            connection.again = Some(Box::pin(async move { (seq, feed.after(seq - 1, 1).await) }));
        }
    }

    pub(super) fn read_again(
        &mut self,
        connection: &mut Connection,
        (seq, read): ReadAgain,
        now: Moment,
    ) {
        if !self.nothing_is_on_the_way(connection) {
            // Something else goes first; it is still due.
            return;
        }
        match read {
            Ok(events) => match events.first().filter(|event| event.seq == seq) {
                Some(event) => {
                    let line = message::event(&event.line, true, event.durable);
                    if is_too_long(&line, connection.limit) {
                        self.postpone(seq, now);
                        return;
                    }
                    self.aside.sent(seq);
                    self.report.sent(seq, now.wall);
                    let topic = self.topics.event();
                    connection.publish(topic, false, line, What::Aside(seq), now.mono);
                }
                None => {
                    self.aside.forget(seq);
                    self.report.lost_events(1, POISON, seq);
                }
            },
            Err(error) => {
                self.postpone(seq, now);
                warn!(output = &*self.id, seq, %error, "an event set aside cannot be read");
            }
        }
    }

    fn postpone(&mut self, seq: u64, now: Moment) {
        if let Some(seq) = self.aside.postpone(seq, now.mono) {
            self.report.lost_events(1, POISON, seq);
        }
    }

    pub(super) fn arrived_after_all(&mut self, seq: u64) {
        self.aside.forget(seq);
        self.delivery.proved();
        self.report.accepted(seq, clock::now().wall);
        info!(
            output = &*self.id,
            seq, "an event that was set aside has arrived after all"
        );
    }

    /// What an earlier run had set aside is set aside for this one.
    pub(super) fn take_up(&mut self, now: Moment) {
        for PutBy { receipt, age } in self.report.left_aside() {
            if let Some(oldest) = self.aside.take_up(receipt.seq, age, now.mono) {
                self.report.lost_events(1, POISON, oldest);
            }
        }
    }

    /// At the end of the run.
    pub(super) fn tell_what_stays_aside(&self) {
        let aside = self.aside.len();
        if aside > 0 {
            info!(
                output = &*self.id,
                aside, "events that are set aside are tried again by the next run"
            );
        }
    }
}
