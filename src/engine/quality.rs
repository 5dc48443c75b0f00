//! What becomes of a reading before any rule sees it (alarm-standards 2.9, 2.10, 2.23).
//!
//! ```text
//!             first value                       silence for `stale_after`
//!  ┌─────────┐ ─────────▶ ┌─────────┐ ───────────────────────────────────▶ ┌───────┐
//!  │ Waiting │            │ Present │ ◀── good values for `good_confirm` ── │ Stale │
//!  └─────────┘            └─────────┘ ──┐                                  └───────┘
//!       │ silence           ▲           │ bad reading                          │
//!       │                   │ good      ▼                                      │ bad reading
//!       │                   │ values  ┌─────┐ ◀────────────────────────────────┘
//!       │                   └──────── │ Bad │   silence while bad changes its reason only
//!       ▼ Stale                       └─────┘
//! ```
//!
//! *Bad* means that the source says so or its value cannot be one; *stale* means that nothing new
//! arrives. Repetitions, retained messages and readings older than the newest one are counted and
//! are not news: they refresh nothing, clear nothing and are never shown as the present.
//!
//! A source's clock is believed unless it shows the future by more than 5 s or a time before 2020;
//! then the gateway's time is used and the value is uncertain. What is late, and what only skewed,
//! is told in [`source_clock`]. Times on rule windows are on the gateway's monotonic scale.
//!
//! A value holds until the next one, or until silence makes it stale. So one good value may end an
//! off-delay; but it confirms nothing across a silence: when a point falls silent its confirmation
//! ends, also when both are due at one instant.

mod source_clock;

use std::time::Duration;

use super::reading::{Doubt, Fault, Quality, Reading, Sample};
use super::snapshot::ReadingCounts;
use super::time::{Mono, Wall};
pub(super) use source_clock::PLAUSIBLE_FROM;
use source_clock::{SourceClock, Timing};

/// What the point can say about its value now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Condition {
    /// Nothing has arrived yet.
    Waiting,
    /// There is a value to judge.
    Present,
    /// The source says that there is none.
    Bad(Fault),
    /// Nothing new arrives.
    Stale,
}

/// What a reading is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Admission {
    /// News, taken at this time on the monotonic scale.
    Live(Sample, Mono),
    /// Counted, and nothing else.
    Ignored,
}

/// The measuring side of one point.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) condition: Condition,
    /// The newest value, while it may be shown.
    pub(super) sample: Option<Sample>,
    /// When the newest live reading arrived.
    pub(super) last_fresh: Mono,
    pub(super) last_reading: Option<Wall>,
    /// Does a timer watch for silence?
    pub(super) stale_armed: bool,
    /// End of the confirmation that the point is good again.
    pub(super) confirm_due: Option<Mono>,
    pub(super) counts: ReadingCounts,
    /// Is there an entry of the confirmation in the agenda?
    pub(super) confirm_armed: bool,
    newest: Option<Stamp>,
    clock: SourceClock,
    /// When the value was last doubtful, until it is marked as good again.
    doubted: Option<Mono>,
}

/// What identifies a reading at its source.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stamp {
    time: Option<Wall>,
    sequence: Option<u64>,
    sample: Sample,
}

impl Channel {
    /// A point of which nothing is known; the silence counts from `now`. `last_alive`: the last sign
    /// of life of the run before, after a restart.
    pub(super) const fn new(condition: Condition, last_alive: Option<Wall>, now: Mono) -> Self {
        Self {
            condition,
            sample: None,
            last_fresh: now,
            last_reading: None,
            stale_armed: false,
            confirm_due: None,
            counts: ReadingCounts {
                accepted: 0,
                bad: 0,
                duplicate: 0,
                late: 0,
                retained: 0,
                reskewed: 0,
            },
            confirm_armed: false,
            newest: None,
            clock: SourceClock::new(last_alive),
            doubted: None,
        }
    }

    /// Is this reading news?
    pub(super) fn admit(&mut self, reading: &Reading) -> Admission {
        if reading.retained {
            self.counts.retained += 1;
            return Admission::Ignored;
        }
        let stamp = Stamp {
            time: reading.source_time,
            sequence: reading.sequence,
            sample: reading.sample,
        };
        if self.repeats(stamp) {
            self.counts.duplicate += 1;
            return Admission::Ignored;
        }
        let received = reading.received;
        let timing = reading
            .source_time
            .map(|source| self.clock.time(source, received));
        let (sample, taken) = match timing {
            None => (reading.sample, received.mono),
            Some(Timing::Implausible) => (doubt_clock(reading.sample), received.mono),
            Some(Timing::Late) => {
                self.counts.late += 1;
                return Admission::Ignored;
            }
            Some(Timing::Live(delay)) => (reading.sample, before(received.mono, delay)),
            Some(Timing::Reskewed) => {
                self.counts.reskewed += 1;
                (reading.sample, received.mono)
            }
        };
        self.newest = Some(stamp);
        self.live(sample, reading, taken)
    }

    /// The value that may be shown: none while it is not believed.
    pub(super) fn shown(&self) -> Option<Sample> {
        match self.condition {
            Condition::Present => self.sample,
            Condition::Waiting | Condition::Bad(_) | Condition::Stale => None,
        }
    }

    /// The quality, and why it is not good.
    pub(super) fn quality(&self) -> (Quality, Option<&'static str>) {
        match (self.condition, self.sample) {
            (Condition::Present, Some(sample)) => (sample.quality(), sample.reason()),
            (Condition::Bad(fault), _) => (Quality::Bad, Some(fault.name())),
            (Condition::Stale, _) => (Quality::Bad, Some(Fault::NoCommunication.name())),
            (Condition::Waiting | Condition::Present, _) => {
                (Quality::Bad, Some(Fault::WaitingForInitialData.name()))
            }
        }
    }

    /// Was the value marked as doubtful, and not as good again since?
    pub(super) const fn is_doubtful(&self) -> bool {
        self.doubted.is_some()
    }

    /// The gateway's own clock stepped by `step` seconds.
    pub(super) fn clock_stepped(&mut self, step: f64) {
        self.clock.shift(step);
    }

    /// Nobody watched for `gap`, until `now`: it counts neither as silence nor as confirmation.
    pub(super) fn sleep(&mut self, gap: Duration, confirm: Duration, now: Mono) {
        self.last_fresh = (self.last_fresh + gap).min(now);
        self.doubted = self.doubted.map(|last| (last + gap).min(now));
        self.confirm_due = self.confirm_due.map(|_| now + confirm);
    }

    /// Takes note of the quality of a value that is judged. Says whether it is another than before,
    /// which running occurrences are marked with: worse at once, better only after `confirm` without
    /// doubt, so that a flickering quality does not flood the journal.
    pub(super) fn mark(&mut self, sample: Sample, now: Mono, confirm: Duration) -> bool {
        match (sample.quality(), self.doubted) {
            (Quality::Good, Some(last)) if now.since(last) >= confirm => {
                self.doubted = None;
                true
            }
            (Quality::Good, _) => false,
            (Quality::Uncertain | Quality::Bad, last) => {
                self.doubted = Some(now);
                last.is_none()
            }
        }
    }

    fn live(&mut self, sample: Sample, reading: &Reading, taken: Mono) -> Admission {
        self.counts.accepted += 1;
        if matches!(sample, Sample::Bad(_)) {
            self.counts.bad += 1;
        }
        self.last_fresh = reading.received.mono;
        self.last_reading = Some(reading.received.wall);
        Admission::Live(sample, taken)
    }

    /// Same counter, or same source time and same value. Without either there is no telling, and
    /// an equal value is a new reading: a burst may carry equal values.
    fn repeats(&self, stamp: Stamp) -> bool {
        let Some(newest) = self.newest else {
            return false;
        };
        match (stamp.sequence, newest.sequence) {
            (Some(this), Some(last)) => this == last,
            _ => stamp.time.is_some() && stamp.time == newest.time && stamp.sample == newest.sample,
        }
    }
}

fn doubt_clock(sample: Sample) -> Sample {
    match sample {
        Sample::Good(value) => Sample::Uncertain(value, Doubt::BadClock),
        Sample::Uncertain(..) | Sample::Bad(_) => sample,
    }
}

fn before(received: Mono, delay: f64) -> Mono {
    let delay = Duration::try_from_secs_f64(delay.max(0.0)).unwrap_or_default();
    Mono::ZERO + received.since(Mono::ZERO).saturating_sub(delay)
}

#[cfg(test)]
mod tests;
