//! What was put by: events that were set aside, and those that single readers are owed.
//!
//! ```text
//!   nothing new ──▶ what is due is tried ── taken ──▶ done
//!                      ▲        ├── not taken ──▶ that event (`aside`), or that reader (the carrier), rests
//!                      │        └── nobody reached, or asked to wait ─┐
//!                      └──────── back-off, 0.5 s to 30 s ◀────────────┘
//!                                (5 min where everything is refused); whatever is new goes meanwhile
//! ```
//!
//! A far end that was not reached is asked until it answers, so that its health ([`Health`]) is soon true again
//! although nothing new is sent.

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::owed::{KEPT_FOR, Standing};
use super::{Carrier, Courier, Follow, Health, Parcel, Pauses, Step};
use crate::engine::time::{Moment, Mono};
use crate::event::{Committed, WireEvent};
use crate::journal::{Audience, Feed, FeedError, PutBy};
use crate::output::reporting::POISON;
use crate::output::verdict::{BUSY, Parted, UNAVAILABLE, UNWELCOME, is_answer};

/// When the disk does not give what was put by.
const DISK_RESTS: Duration = Duration::from_secs(60);

/// When what was put by is tried again after the far end was not reached with it. The pauses of what is new are not
/// touched, nor does that wait for this.
#[derive(Default)]
pub(super) struct Retry {
    pauses: Pauses,
    not_before: Mono,
}

impl<C: Carrier> Courier<C> {
    /// What an earlier run had put by is put by for this one.
    pub(super) fn take_up(&mut self, now: Moment) {
        for PutBy { receipt, age } in self.report.left_aside() {
            let owed = receipt.audience.filter(|it| !it.waiting.is_empty());
            if let Some(audience) = owed {
                let standing = Standing {
                    seq: receipt.seq,
                    since: receipt.at,
                    audience,
                };
                let left = KEPT_FOR.saturating_sub(age);
                self.unserved.carried(standing.audience.reached);
                self.owe(standing, now.mono + left, now);
            } else if let Some(oldest) = self.aside.take_up(receipt.seq, age, now.mono) {
                self.report.lost_events(1, POISON, oldest);
            }
        }
        if self.held() > 0 {
            info!(
                output = &*self.report.id,
                aside = self.aside.len(),
                owed = self.owed.len(),
                "takes up what an earlier run had set aside or owed to single readers"
            );
        }
    }

    /// At the end of the run.
    pub(super) fn tell_what_stays(&self) {
        if self.held() > 0 {
            info!(
                output = &*self.report.id,
                aside = self.aside.len(),
                owed = self.owed.len(),
                "what is set aside or owed to single readers is tried again by the next run"
            );
        }
    }

    /// Some readers have it, others not. The output goes on, unless nobody is served any more.
    pub(super) fn parted(&mut self, step: &Step, parted: &Parted, now: Moment) -> Follow {
        let parcels = match step {
            Step::Event(parcel) | Step::Again(parcel) => std::slice::from_ref(parcel),
            Step::Summary(parcels) => parcels,
            // Owed as before: the reader is put off again.
            Step::Owed(..) => {
                self.put_by_is_answered(now.mono);
                return Follow::Next;
            }
            Step::Present(_) => return Follow::Next,
        };
        if parted.serves_nobody() {
            // What was set aside is in the journal's past: the output has gone on without it.
            let is_new = !matches!(step, Step::Again(_));
            if is_new && !self.unserved.has_room(parcels.len()) {
                self.probe = parcels.last().map(|last| last.seq);
                return Follow::Anew(self.later(step, UNAVAILABLE, &parted.why, now));
            }
            if is_new {
                self.unserved
                    .count(parcels.len(), parted.put_off(), now.mono);
                self.is(self.unserved.health(now.mono));
            } else {
                self.put_by_is_answered(now.mono);
            }
        } else {
            self.serves();
        }
        for parcel in parcels {
            self.part(parcel, parted, now);
        }
        Follow::Next
    }

    fn part(&mut self, parcel: &Parcel, parted: &Parted, now: Moment) {
        let seq = parcel.seq;
        let known = parted.events.get(&seq).cloned();
        let audience = known.unwrap_or_else(|| Audience {
            waiting: self.carrier.readers(&parcel.event),
            ..Audience::default()
        });
        let reached = audience.reached;
        if reached {
            self.stubborn.taken(seq);
        }
        self.aside.forget(seq);
        self.owed.forget(seq);
        let words = if audience.waiting.is_empty() {
            &parted.answer
        } else {
            &parted.why
        };
        let standing = Standing {
            seq,
            since: now.wall,
            audience,
        };
        // The receipt first: no cursor is on disk before it.
        self.note(&standing, Some(words), now);
        if !standing.audience.waiting.is_empty() {
            self.owe(standing, now.mono + KEPT_FOR, now);
        }
        let mut progress = self.delivery.acknowledged(seq);
        if let Some(since) = progress.delivered.take()
            && reached
        {
            let took = now.mono.since(since);
            self.report.metrics.output_delivered(&self.report.id, took);
        }
        self.report.progress(progress, seq, now);
    }

    fn owe(&mut self, standing: Standing, until: Mono, now: Moment) {
        for (reader, standing) in self.owed.owe(standing, until) {
            let why = "too much is owed to them";
            self.misses(&reader, &standing, why, now);
        }
    }

    /// The reader has what they were owed.
    pub(super) fn paid(&mut self, reader: &str, parcels: &[Parcel], now: Moment) {
        for parcel in parcels {
            if let Some(standing) = self.owed.taken(parcel.seq, reader) {
                self.note(&standing, None, now);
            }
        }
        info!(
            output = &*self.report.id,
            reader,
            events = parcels.len(),
            "a reader has got what they were owed"
        );
    }

    /// The reader will never have what they were owed.
    pub(super) fn unpaid(&mut self, reader: &str, parcels: &[Parcel], why: &str, now: Moment) {
        for parcel in parcels {
            self.miss(reader, parcel.seq, why, now);
        }
    }

    fn miss(&mut self, reader: &str, seq: u64, why: &str, now: Moment) {
        if let Some(standing) = self.owed.missed(seq, reader) {
            self.misses(reader, &standing, why, now);
        }
    }

    fn misses(&mut self, reader: &str, standing: &Standing, why: &str, now: Moment) {
        let told = format!("{reader} does not get event {}: {why}", standing.seq);
        self.report.not_everybody(UNWELCOME, &told, now.mono);
        let words = format!("{reader}: {why}");
        self.note(standing, Some(&words), now);
    }

    /// For the ledger. `words`: why it waits, or what was said of it; else what was said last.
    fn note(&mut self, standing: &Standing, words: Option<&str>, now: Moment) {
        let words = words.map_or_else(|| Arc::clone(&self.report.answer), Arc::from);
        let Standing {
            seq,
            since,
            audience,
        } = standing;
        let audience: Audience = audience.clone();
        self.report.parted(*seq, *since, audience, words, now);
    }

    /// Once more it was not taken. What answers says nothing of what is new, and this waits for its next turn. Who
    /// is not reached, or asks for a slower pace, is asked soon again, and until then by whatever is new.
    pub(super) fn put_by_fails(
        &mut self,
        step: &Step,
        (reason, why): (&'static str, &str),
        after: Option<Duration>,
        now: Moment,
    ) {
        let what = "what was put by is not delivered";
        self.report.failed(reason, why, now.mono, what);
        if matches!(step, Step::Again(_)) && is_answer(reason) {
            if let Some(seq) = self.aside.disconnected(false, now.mono) {
                self.report.lost_events(1, POISON, seq);
            }
            self.put_by_is_answered(now.mono);
        } else {
            self.aside.put_back();
            let pauses = self.retry.pauses.after(reason);
            let pause = pauses.failed(now.mono, fastrand::f64());
            self.retry.not_before = now.mono + pause.max(after.unwrap_or_default());
            self.is(if reason == BUSY {
                Health::Busy
            } else {
                Health::Failing
            });
        }
        self.beat(now);
    }

    /// The far end is there. If it was not when this was tried before, more is known with what is new.
    pub(super) fn put_by_is_answered(&mut self, now: Mono) {
        self.retry = Retry::default();
        if self.health == Health::Failing {
            self.is(self.unserved.health(now));
        }
    }

    /// What was put by and is due: what a reader is owed, else an event that was set aside, read from the journal.
    pub(super) async fn again(&mut self, now: Moment) -> Option<Step> {
        while let Some((reader, seq)) = self.owed.overdue(now.mono) {
            self.miss(&reader, seq, "they were put off for a day", now);
        }
        if now.mono < self.retry.not_before {
            return None;
        }
        if let Some(step) = self.owing(now).await {
            return Some(step);
        }
        let seq = self.aside.due(now.mono)?;
        let found = match read(&self.feed, seq).await {
            Ok(found) => found,
            Err(error) => {
                if let Some(seq) = self.aside.postpone(seq, now.mono) {
                    self.report.lost_events(1, POISON, seq);
                }
                let output = &*self.report.id;
                warn!(output, seq, %error, "an event set aside cannot be read");
                return None;
            }
        };
        let Some(event) = found else {
            self.aside.forget(seq);
            self.report.lost_events(1, POISON, seq);
            return None;
        };
        let Some(mut parcel) = self.parcel(&event, true) else {
            self.aside.forget(seq);
            self.needs_no_more(&event, now);
            return None;
        };
        self.aside.sent(seq);
        parcel.behind = self.behind(&parcel).await;
        Some(Step::Again(parcel))
    }

    /// Nobody needs it any more: another event has told the far end of the same. One that cannot be read was counted as
    /// lost where that was found out.
    fn needs_no_more(&mut self, event: &Committed, now: Moment) {
        if serde_json::from_str::<WireEvent>(&event.line).is_ok() {
            self.report.accepted(event.seq, now.wall);
            let (output, seq) = (&*self.report.id, event.seq);
            info!(
                output,
                seq, "an event that was set aside is not needed any more"
            );
        }
    }

    /// Who is to be sent what now: what is stuck goes last, and each alone.
    fn due(&self, now: Mono) -> Option<(Arc<str>, Vec<u64>)> {
        let carrier = &self.carrier;
        let is_stuck = |reader: &str, seq| carrier.is_stuck(reader, seq);
        let may_try = |reader: &str| carrier.may_try(reader, now);
        if let Some((reader, mut seqs)) = self.owed.due(may_try, is_stuck) {
            seqs.truncate(carrier.width(&reader));
            return Some((reader, seqs));
        }
        let may_try = |reader: &str, seq| {
            is_stuck(reader, seq) && carrier.may_try_stuck(reader, seq, now) && may_try(reader)
        };
        let (reader, seq) = self.owed.stuck(may_try)?;
        Some((reader, vec![seq]))
    }

    /// One notice for a reader, or all the old ones, of which they get a summary.
    async fn owing(&mut self, now: Moment) -> Option<Step> {
        loop {
            let (reader, seqs) = self.due(now.mono)?;
            let mut parcels: Vec<Parcel> = Vec::new();
            for seq in seqs {
                let event = match read(&self.feed, seq).await {
                    Ok(event) => event,
                    Err(error) => {
                        self.retry.not_before = now.mono + DISK_RESTS;
                        let output = &*self.report.id;
                        warn!(output, seq, %error, "what a reader is owed cannot be read");
                        return None;
                    }
                };
                let Some(parcel) = event.and_then(|event| self.parcel(&event, true)) else {
                    self.miss(&reader, seq, "the journal has it no more", now);
                    continue;
                };
                if !self.carrier.readers(&parcel.event).contains(&reader) {
                    self.miss(&reader, seq, "they are not configured to read it", now);
                    continue;
                }
                let is_old = self.is_old(&parcel, now);
                if parcels.is_empty() || is_old {
                    parcels.push(parcel);
                }
                if !is_old {
                    break;
                }
            }
            if !parcels.is_empty() {
                return Some(Step::Owed(reader, parcels));
            }
        }
    }
}

/// One event; `None`: it is not kept.
async fn read(feed: &Feed, seq: u64) -> Result<Option<Committed>, FeedError> {
    let found = feed.after(seq - 1, 1).await?;
    Ok(found.into_iter().find(|event| event.seq == seq))
}
