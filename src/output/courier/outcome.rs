//! What an answer changes.

use std::sync::Arc;
use std::time::Duration;

use tracing::{error, info, warn};

use super::{Carrier, Courier, Health, Parcel, Pauses, Step};
use crate::engine::time::Moment;
use crate::output::reporting::{POISON, age};
use crate::output::verdict::{PROTOCOL, UNAVAILABLE, UNWELCOME, Verdict};

impl<C: Carrier> Courier<C> {
    /// Takes note of what became of `step`. How long to wait before the next one, if at all.
    pub(super) fn judge(&mut self, step: &Step, verdict: Verdict, now: Moment) -> Option<Duration> {
        match verdict {
            Verdict::Accepted { answer } => {
                self.report.answer = answer.into();
                self.accepted(step, now);
                None
            }
            Verdict::Refused { why } => Some(self.refused(step, &why, now)),
            Verdict::Later { after, reason, why } => {
                self.put_off(step, reason, &why, now);
                let pauses = &mut self.pauses;
                let pauses = if reason == UNWELCOME {
                    &mut pauses.long
                } else {
                    &mut pauses.short
                };
                let pause = pauses.failed(now.mono, fastrand::f64());
                Some(pause.max(after.unwrap_or_default()))
            }
        }
    }

    fn accepted(&mut self, step: &Step, now: Moment) {
        let id = Arc::clone(&self.report.id);
        // A refusal shows as a failure, too, and is over with the next that is taken.
        self.report.metrics.output_connected(&id, true);
        if self.health == Health::Failing {
            info!(output = &*id, "delivers again");
        }
        self.health = Health::Good;
        // An answer that counts shows more than a connection that stands.
        self.pauses = Pauses::default();
        match step {
            Step::Event(parcel) => self.arrived(std::slice::from_ref(parcel), now),
            Step::Summary(parcels) => self.arrived(parcels, now),
            Step::Present(_) => self.present_due = false,
            Step::Owed => {}
            Step::Again(parcel) => {
                let seq = parcel.seq;
                self.aside.forget(seq);
                self.report.accepted(seq, now.wall);
                info!(
                    output = &*id,
                    seq, "an event that was set aside has arrived after all"
                );
            }
        }
    }

    fn arrived(&mut self, parcels: &[Parcel], now: Moment) {
        for parcel in parcels {
            self.stubborn.taken(parcel.seq);
            let progress = self.delivery.acknowledged(parcel.seq);
            self.report.progress(progress, parcel.seq, now);
        }
    }

    /// The far end is there, and will not take this one.
    fn refused(&mut self, step: &Step, why: &str, now: Moment) -> Duration {
        let what = "the receiver refuses a message for good";
        self.report.failed(UNWELCOME, why, now.mono, what);
        match step {
            // Nothing hangs on it.
            Step::Present(_) => self.present_due = false,
            Step::Owed => {}
            Step::Again(parcel) => {
                if let Some(seq) = self.aside.disconnected(true, now.mono) {
                    self.report.lost_events(1, POISON, seq);
                }
                debug_assert!(!self.aside.is_trying(), "{} is tried no more", parcel.seq);
            }
            Step::Event(parcel) => self.strike(parcel.seq, why, now),
            Step::Summary(parcels) => {
                if let Some(first) = parcels.first() {
                    self.strike(first.seq, why, now);
                }
            }
        }
        self.pauses.short.failed(now.mono, fastrand::f64())
    }

    fn strike(&mut self, seq: u64, why: &str, now: Moment) {
        let aside = self.delivery.refused(seq);
        self.page.clear();
        self.report.oldest.disconnected();
        if !aside {
            return;
        }
        self.put_aside(seq, why, now);
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
    }

    /// No use at present.
    fn put_off(&mut self, step: &Step, reason: &'static str, why: &str, now: Moment) {
        let given_up = match step {
            Step::Again(_) => self.aside.disconnected(false, now.mono),
            Step::Event(_) | Step::Summary(_) | Step::Present(_) | Step::Owed => None,
        };
        debug_assert_eq!(given_up, None, "only a refusal counts as an attempt");
        if self.health != Health::Failing {
            self.report.metrics.output_connected(&self.report.id, false);
        }
        self.health = Health::Failing;
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
            Step::Present(_) | Step::Again(_) | Step::Owed => return,
        };
        let answered = [UNAVAILABLE, UNWELCOME, PROTOCOL].contains(&reason);
        if let ([first, ..], [.., last]) = (events, events)
            && answered
        {
            let (events, cursor) = ((first.seq, last.seq), self.delivery.cursor());
            if self.stubborn.failed(events, cursor, now.mono) && self.delivery.give_way(first.seq) {
                self.put_aside(first.seq, why, now);
            }
        }
    }
}

impl<C: Carrier> Courier<C> {
    /// What an earlier run had set aside is set aside for this one.
    pub(super) fn take_up(&mut self, now: Moment) {
        for receipt in self.report.left_aside() {
            let age = age(receipt.at, now.wall);
            if let Some(oldest) = self.aside.take_up(receipt.seq, age, now.mono) {
                self.report.lost_events(1, POISON, oldest);
            }
        }
    }

    /// What was put by and is due: what the carrier owes, else an event that was set aside, read from the
    /// journal.
    pub(super) async fn again(&mut self, now: Moment) -> Option<Step> {
        if self.carrier.owes(now.mono) {
            return Some(Step::Owed);
        }
        let seq = self.aside.due(now.mono)?;
        let read = self.feed.after(seq - 1, 1).await;
        let found = match read {
            Ok(found) => found.into_iter().find(|event| event.seq == seq),
            Err(error) => {
                self.aside.postpone(seq, now.mono);
                let output = &*self.report.id;
                warn!(output, seq, %error, "an event set aside cannot be read");
                return None;
            }
        };
        let parcel = found.and_then(|event| self.parcel(&event, true));
        let Some(parcel) = parcel else {
            self.aside.forget(seq);
            self.report.lost_events(1, POISON, seq);
            return None;
        };
        self.aside.sent(seq);
        Some(Step::Again(parcel))
    }
}
