//! What an answer changes.

use std::time::Duration;

use tracing::{error, info};

use super::blocked::{Blocked, Look};
use super::{Carrier, Courier, Health, Parcel, Pauses, Retry, Step};
use crate::clock;
use crate::engine::time::Moment;
use crate::output::reporting::POISON;
use crate::output::verdict::{BUSY, UNWELCOME, Verdict, is_answer};

/// What follows an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follow {
    /// What is next, at once.
    Next,
    /// The same once more, after a pause. What comes meanwhile is no backlog.
    Again(Duration),
    /// Another attempt, after a pause: what is there by then is backlog.
    Anew(Duration),
}

impl<C: Carrier> Courier<C> {
    /// Takes note of what became of `step`.
    pub(super) fn judge(&mut self, step: &Step, verdict: Verdict, now: Moment) -> Follow {
        match verdict {
            Verdict::Accepted { answer } => {
                self.report.answer = answer.into();
                self.accepted(step, now);
                Follow::Next
            }
            Verdict::Parted(parted) => self.parted(step, &parted, now),
            Verdict::Refused { why } => self.refused(step, &why, now),
            Verdict::Later { after, reason, why } => {
                if let Step::Again(_) | Step::Owed(..) = step {
                    self.put_by_fails(step, (reason, &why), after, now);
                    return Follow::Next;
                }
                let pause = self.later(step, reason, &why, now);
                Follow::Anew(pause.max(after.unwrap_or_default()))
            }
        }
    }

    /// Tries again, after a pause that outlasts no patience.
    pub(super) fn later(
        &mut self,
        step: &Step,
        reason: &'static str,
        why: &str,
        now: Moment,
    ) -> Duration {
        self.put_off(step, reason, why, now);
        let pause = self.pauses.after(reason).failed(now.mono, fastrand::f64());
        let patience = self.carrier.patience(clock::monotonic());
        pause.min(patience.unwrap_or(Duration::MAX))
    }

    /// The far end is there and takes what it is sent.
    pub(super) fn serves(&mut self) {
        if self.health.fails() {
            info!(output = &*self.report.id, "delivers again");
        }
        self.is(Health::Good);
        // An answer that counts shows more than a connection that stands.
        self.pauses = Pauses::default();
        self.retry = Retry::default();
        self.blocked = Blocked::default();
        self.unserved.served();
    }

    /// A far end that answers is connected, whatever it says.
    pub(super) fn is(&mut self, health: Health) {
        self.health = health;
        let connected = health != Health::Failing;
        self.report
            .metrics
            .output_connected(&self.report.id, connected);
    }

    fn accepted(&mut self, step: &Step, now: Moment) {
        // A far end may take snapshots and refuse every event.
        if !matches!(step, Step::Present(_)) || !self.blocked.is_on() {
            self.serves();
        }
        match step {
            Step::Event(parcel) => self.arrived(std::slice::from_ref(parcel), now),
            Step::Summary(parcels) => self.arrived(parcels, now),
            Step::Present(_) => self.snapshot.taken(now.mono),
            Step::Owed(reader, parcels) => self.paid(reader, parcels, now),
            Step::Again(parcel) => {
                let seq = parcel.seq;
                self.aside.forget(seq);
                self.report.accepted(seq, now.wall);
                info!(
                    output = &*self.report.id,
                    seq, "an event that was set aside has arrived after all"
                );
            }
        }
    }

    fn arrived(&mut self, parcels: &[Parcel], now: Moment) {
        self.snapshot.event_taken();
        for parcel in parcels {
            self.stubborn.taken(parcel.seq);
            // Out of a stretch that was given back it comes again, to everybody.
            self.owed.forget(parcel.seq);
            let progress = self.delivery.acknowledged(parcel.seq);
            self.report.progress(progress, parcel.seq, now);
        }
    }

    /// The far end is there, and will not take this one.
    fn refused(&mut self, step: &Step, why: &str, now: Moment) -> Follow {
        if let Step::Owed(reader, parcels) = step {
            self.put_by_is_answered(now.mono);
            self.unpaid(reader, parcels, &format!("is refused: {why}"), now);
            return Follow::Next;
        }
        let what = "the receiver refuses a message for good";
        self.report.failed(UNWELCOME, why, now.mono, what);
        let blocked = match step {
            Step::Event(parcel) => self.strike(parcel.seq, why, now),
            Step::Summary(parcels) => {
                let first = parcels.first();
                first.and_then(|first| self.strike(first.seq, why, now))
            }
            Step::Present(_) => {
                self.snapshot.refused(now.mono);
                None
            }
            Step::Owed(..) => None,
            Step::Again(parcel) => {
                if let Some(seq) = self.aside.disconnected(true, now.mono) {
                    self.report.lost_events(1, POISON, seq);
                }
                debug_assert!(!self.aside.is_trying(), "{} is tried no more", parcel.seq);
                self.put_by_is_answered(now.mono);
                return Follow::Next;
            }
        };
        if let Some(look) = blocked {
            self.probe = look.past;
            let pause = if look.pause {
                self.pauses.short.failed(now.mono, fastrand::f64())
            } else {
                Duration::ZERO
            };
            return Follow::Anew(pause);
        }
        Follow::Again(self.pauses.short.failed(now.mono, fastrand::f64()))
    }

    /// Where it blocks what is behind it, since nothing more may be set aside: what is tried next.
    fn strike(&mut self, seq: u64, why: &str, now: Moment) -> Option<Look> {
        let aside = self.delivery.refused(seq);
        self.page.clear();
        self.report.oldest.disconnected();
        if aside {
            self.put_aside(seq, why, now);
        }
        if aside || self.delivery.may_set_aside() {
            return None;
        }
        self.is(Health::Failing);
        let (cursor, committed) = (self.delivery.cursor(), self.feed.committed());
        Some(self.blocked.refused(seq, cursor, committed))
    }

    /// The output goes on without it.
    fn put_aside(&mut self, seq: u64, why: &str, now: Moment) {
        error!(
            output = &*self.report.id,
            seq,
            why,
            "the receiver does not take this event: it is set aside, the output goes on without it and tries \
             it again later"
        );
        self.report.set_aside(seq, why, now.wall);
        if let Some(oldest) = self.aside.put(seq, now.mono) {
            self.report.lost_events(1, POISON, oldest);
        }
        self.report.moved(self.delivery.cursor());
        self.pauses = Pauses::default();
        // The far end answers, and it was this one that it did not take.
        if self.health == Health::Failing {
            self.is(Health::Busy);
        }
    }

    /// No use at present.
    fn put_off(&mut self, step: &Step, reason: &'static str, why: &str, now: Moment) {
        self.is(if reason == BUSY {
            Health::Busy
        } else {
            Health::Failing
        });
        self.snapshot.failed(now.mono);
        let nobody = self.delivery.disconnected(false);
        debug_assert_eq!(nobody, None, "nobody is to blame");
        self.page.clear();
        self.report.oldest.disconnected();
        self.report.failed(reason, why, now.mono, "not delivered");
        self.blame(step, reason, why, now);
        self.beat(now);
    }

    /// Sets aside what fails while others arrive. Where nobody answers nothing is to blame.
    fn blame(&mut self, step: &Step, reason: &'static str, why: &str, now: Moment) {
        let events = match step {
            Step::Event(parcel) => std::slice::from_ref(parcel),
            Step::Summary(parcels) => parcels.as_slice(),
            Step::Present(_) | Step::Again(_) | Step::Owed(..) => return,
        };
        if let ([first, ..], [.., last]) = (events, events)
            && is_answer(reason)
        {
            let (events, cursor) = ((first.seq, last.seq), self.delivery.cursor());
            if self.stubborn.failed(events, cursor, now.mono) && self.delivery.give_way(first.seq) {
                self.put_aside(first.seq, why, now);
            }
        }
    }
}
