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
//! then the gateway's time is used and the value is uncertain. A source that is always late by
//! about the same amount is skewed, not late: the smallest delay of its last 60 live readings is
//! taken off. Times on rule windows are on the gateway's monotonic scale.

use std::collections::VecDeque;
use std::time::Duration;

use super::reading::{Doubt, Fault, Quality, Reading, Sample};
use super::snapshot::ReadingCounts;
use super::time::{Mono, Wall};

/// A source time later than the gateway's by more than this is wrong.
const FUTURE: f64 = 5.0;

/// A reading delayed by more than this beyond its source's usual delay is history.
const LATE: f64 = 10.0;

/// No source time before this is right: 2020-01-01T00:00:00Z. Clocks that lost their battery show
/// 1970 or 2000.
const PLAUSIBLE_FROM: Wall = Wall::from_unix_nanos(1_577_836_800_000_000_000);

/// Live readings whose delay tells the skew.
const LAGS: usize = 60;

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
    /// The newest source time that can be right; older ones are late.
    watermark: Option<Wall>,
    /// When the value was last doubtful, until it is marked as good again.
    doubted: Option<Mono>,
    /// How far our own clock was set back, seconds, not above 0.
    set_back: f64,
    lags: VecDeque<f64>,
}

/// What identifies a reading at its source.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stamp {
    time: Option<Wall>,
    sequence: Option<u64>,
    sample: Sample,
}

impl Channel {
    /// A point of which nothing is known; the silence counts from `now`.
    pub(super) const fn new(condition: Condition, now: Mono) -> Self {
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
            },
            confirm_armed: false,
            newest: None,
            watermark: None,
            doubted: None,
            set_back: 0.0,
            lags: VecDeque::new(),
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
        let (sample, taken) = match reading.source_time {
            None => (reading.sample, received.mono),
            // A wrong clock must not move the watermark, or good data would be "late" for days.
            Some(source) if self.is_implausible(source, received.wall) => {
                (doubt_clock(reading.sample), received.mono)
            }
            Some(source) => {
                let lag = received.wall.seconds_since(source);
                let delay = lag - self.skew(lag);
                if delay > LATE || self.watermark.is_some_and(|newest| source < newest) {
                    self.counts.late += 1;
                    return Admission::Ignored;
                }
                self.remember_lag(lag);
                self.watermark = Some(source);
                (reading.sample, before(received.mono, delay))
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

    /// The gateway's own clock stepped by `step` seconds: every delay that was measured with it is off
    /// by as much. So a source is neither late nor from the future because of a step of ours.
    pub(super) fn shift_lags(&mut self, step: f64) {
        self.set_back = (self.set_back + step).min(0.0);
        for lag in &mut self.lags {
            *lag += step;
        }
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

    /// No clock shows this time: before 2020, or in the future of ours, also when it is not counted
    /// how far ours was set back.
    fn is_implausible(&self, source: Wall, received: Wall) -> bool {
        source < PLAUSIBLE_FROM || received.seconds_since(source) - self.set_back < -FUTURE
    }

    /// The source's usual delay, seconds; its own on the first reading, which is live by definition.
    fn skew(&self, lag: f64) -> f64 {
        self.lags
            .iter()
            .copied()
            .reduce(f64::min)
            .map_or(lag, |usual| usual.min(lag))
    }

    fn remember_lag(&mut self, lag: f64) {
        if self.lags.len() == LAGS {
            self.lags.pop_front();
            // The source shows by now how far it is ahead of us.
            self.set_back = self.set_back.max(self.skew(lag).min(0.0));
        }
        self.lags.push_back(lag);
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
