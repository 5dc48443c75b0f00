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
//!       │                   └──────── │ Bad │   silence while its alarm is active changes its reason only;
//!       ▼ Stale                       └─────┘   before that it makes the point stale
//! ```
//!
//! *Bad* means that the source says so or its value cannot be one; *stale* means that nothing new
//! arrives. Repetitions, retained messages and readings older than the newest one, by their time or else by
//! the [`counter`] of their source, are counted and are not news: they refresh nothing, clear nothing and are never shown as the present. A reading that
//! is little older may still raise an alarm ([`reorder`](super::reorder)); one that is much older is
//! history, and judged as such ([`late`](super::late)).
//!
//! A source's clock is believed unless it shows the future by more than 5 s or a time before 2020;
//! then the gateway's time is used and the value is uncertain. What is late, and what only skewed,
//! is told in [`source_clock`]; which readings are not believed at once, in [`aside`]. Times on rule
//! windows are on the gateway's monotonic scale.
//!
//! A value holds until the next one, or until silence makes it stale. So one good value may end an
//! off-delay; but it confirms nothing across a silence: when a point falls silent its confirmation
//! ends, also when both are due at one instant.

mod aside;
mod counter;
mod lags;
mod recent;
mod source_clock;

use std::sync::Arc;
use std::time::Duration;

use super::delay::Zone;
use super::reading::{Doubt, Fault, Health, Measured, Quality, Reading, Sample};
use super::reorder::Taken;
use super::settings::PointSettings;
use super::signal::{Conditioned, Signal};
use super::snapshot::ReadingCounts;
use super::time::{Moment, Mono, Wall};
use aside::Aside;
pub(super) use aside::Doubtful;
use counter::Counter;
use recent::{Key, Recent};
pub(super) use source_clock::PLAUSIBLE_FROM;
use source_clock::{SourceClock, Timing};

/// Another reason for a missing value is told no more often than this.
const REASON_EVERY: Duration = Duration::from_secs(60);

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
    /// Alive, but not believed yet.
    Aside,
    /// Out of order, but in time.
    Reordered(Sample, Taken),
    /// History, taken at this time of the gateway's clock.
    Late(Sample, Wall),
    /// Counted, and nothing else.
    Ignored,
}

/// The measuring side of one point.
#[derive(Debug)]
pub(super) struct Channel {
    /// Shared with the points that understand their numbers alike.
    signal: Arc<Signal>,
    reorder: Duration,
    pub(super) recent: Recent,
    /// The same of readings with times that cannot be right: to know one that comes again.
    strange: Recent,
    /// The same of history, of which some may turn out to be of a living source whose clock is another:
    /// one that comes again then is no news either.
    delayed: Recent,
    pub(super) condition: Condition,
    /// The newest value, while it may be shown.
    pub(super) sample: Option<Sample>,
    /// The same as it was read, before anything else made it doubtful.
    pub(super) as_read: Option<Sample>,
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
    /// What is not believed yet.
    pub(super) aside: Option<Aside>,
    /// Is there an entry of it in the agenda?
    pub(super) aside_armed: bool,
    newest: Option<Stamp>,
    /// The source's counter, for readings without a time.
    counter: Counter,
    /// When the newest live reading was taken, by the gateway's clock.
    newest_at: Wall,
    clock: SourceClock,
    /// When the value was last doubtful, until it is marked as good again.
    doubted: Option<Mono>,
    /// Why there is no value, as it was told last, and when it was told anew.
    told: Option<(Condition, Option<Mono>)>,
}

/// What identifies a reading at its source.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stamp {
    time: Option<Wall>,
    sequence: Option<u64>,
    measured: Measured,
}

impl Channel {
    /// A point of which nothing is known; the silence counts from `now`. `last_alive`: the last sign of
    /// life of the run before, after a restart.
    pub(super) fn new(point: &PointSettings, last_alive: Option<Wall>, now: Mono) -> Self {
        Self {
            signal: Arc::clone(&point.signal),
            reorder: point.reorder,
            recent: Recent::default(),
            strange: Recent::default(),
            delayed: Recent::default(),
            condition: Condition::Waiting,
            sample: None,
            as_read: None,
            last_fresh: now,
            last_reading: None,
            stale_armed: false,
            confirm_due: None,
            counts: ReadingCounts::default(),
            confirm_armed: false,
            aside: None,
            aside_armed: false,
            newest: None,
            counter: Counter::default(),
            newest_at: Wall::default(),
            clock: SourceClock::new(last_alive, point.late, point.reorder),
            doubted: None,
            told: None,
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
            measured: reading.measured,
        };
        let key: Option<Key> = reading.source_time.map(|time| (time, reading.sequence));
        let conditioned = self.signal.condition(reading.measured);
        let conditioned = conditioned.of_device(reading.health);
        let behind = key.is_none()
            && (reading.sequence)
                .is_some_and(|number| self.counter.is_behind(number, reading.received.mono));
        if behind || self.repeats(stamp) || self.is_known(key, conditioned) {
            self.counts.duplicate += 1;
            return Admission::Ignored;
        }
        let received = reading.received;
        let timing = key.map(|(source, _)| self.clock.time(source, received));
        let (conditioned, taken) = match timing {
            None => (conditioned, received.mono),
            Some(Timing::Implausible) => {
                if let (Some(key), Conditioned::Sample(sample)) = (key, conditioned) {
                    self.strange.insert(key, sample, self.reorder);
                }
                (conditioned.doubt_clock(), received.mono)
            }
            Some(Timing::Late(time)) => {
                self.counts.late += 1;
                let (Some(key), Conditioned::Sample(sample)) = (key, conditioned) else {
                    return Admission::Ignored;
                };
                self.delayed.insert(key, sample, self.reorder);
                return Admission::Late(sample, time);
            }
            Some(Timing::Reordered(delay)) => {
                return self.put_in_order(conditioned, key, delay, received);
            }
            Some(Timing::Live(delay))
                if key.is_some_and(|key| self.recent.is_before_newest(key)) =>
            {
                return self.put_in_order(conditioned, key, delay, received);
            }
            Some(Timing::Live(delay)) => (conditioned, before(received.mono, delay)),
            Some(Timing::Reskewed) => {
                self.recent.clear();
                self.counts.reskewed += 1;
                (conditioned, received.mono)
            }
        };
        let known = timing.is_none() || self.clock.is_known();
        let conditioned = if known {
            conditioned
        } else {
            conditioned.doubt_age()
        };
        self.newest = Some(stamp);
        self.counter.accept(reading.sequence);
        self.newest_at = match timing {
            Some(Timing::Live(delay)) => received.wall - span(delay),
            Some(
                Timing::Implausible | Timing::Late(_) | Timing::Reordered(_) | Timing::Reskewed,
            )
            | None => received.wall,
        };
        self.last_fresh = received.mono;
        self.last_reading = Some(received.wall);
        match self.weigh(conditioned, taken, received.mono) {
            Some(sample) => {
                self.count(sample);
                if let Some(key) = key.filter(|_| timing != Some(Timing::Implausible)) {
                    self.recent.insert(key, sample, self.reorder);
                }
                Admission::Live(sample, taken)
            }
            None => Admission::Aside,
        }
    }

    /// Is this one of the newest readings, once more?
    fn is_known(&self, key: Option<Key>, conditioned: Conditioned) -> bool {
        match (key, conditioned) {
            (Some(key), Conditioned::Sample(sample)) => {
                let mut known = [&self.recent, &self.strange, &self.delayed].into_iter();
                known.any(|readings| readings.holds(key, sample))
            }
            (_, _) => false,
        }
    }

    /// A reading out of order, delayed by `delay` seconds beyond the usual.
    fn put_in_order(
        &mut self,
        conditioned: Conditioned,
        key: Option<Key>,
        delay: f64,
        received: Moment,
    ) -> Admission {
        // One moment of a fault current proves nothing, the less out of order.
        let (Some(key), Conditioned::Sample(sample)) = (key, conditioned) else {
            self.counts.fault_current += 1;
            return Admission::Ignored;
        };
        self.count(sample);
        self.counts.reordered += 1;
        self.recent.insert(key, sample, self.reorder);
        let taken = Taken {
            mono: before(received.mono, delay),
            source: key.0,
            wall: received.wall - span(delay),
        };
        Admission::Reordered(sample, taken)
    }

    /// The value that may be shown: none while it is not believed.
    pub(super) fn shown(&self) -> Option<Sample> {
        match self.condition {
            Condition::Present => self.sample,
            Condition::Waiting | Condition::Bad(_) | Condition::Stale => None,
        }
    }

    /// May its value end what is active? Not one that only holds while what came after it is not believed.
    pub(super) fn can_clear(&self) -> bool {
        self.aside.is_none() && self.shown().is_some_and(Sample::can_clear)
    }

    /// The quality, and why it is not good.
    pub(super) fn quality(&self) -> (Quality, Option<&'static str>) {
        match (self.condition, self.sample) {
            (Condition::Present, Some(_)) if self.aside.is_some() => {
                (Quality::Uncertain, Some(Doubt::LastUsableValue.name()))
            }
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

    /// Up to when the value is known to hold at `now`, by the gateway's clock less the usual way of the
    /// readings.
    pub(super) fn source_now(&self, now: Moment) -> Wall {
        self.newest_at + now.mono.since(self.last_fresh)
    }

    /// Where the clock of the source lies with respect to what can be.
    pub(super) fn clock_zone(&self) -> Zone {
        self.clock.zone()
    }

    /// What is wrong with the clock of the source: the reason's name, and by how many seconds it is
    /// behind; negative when it is ahead.
    pub(super) fn clock_fault(&self) -> (&'static str, f64) {
        self.clock.fault()
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
        if let Some(aside) = &mut self.aside {
            aside.since = now;
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

    /// There is no value; `had_value`: until now there was one. Says whether people must be told that
    /// the reason is another: at once, but then not again for [`REASON_EVERY`], so that a source that
    /// alternates between two reasons does not flood the journal. That nothing arrives any more is the
    /// last thing to be learnt, so it does not wait.
    pub(super) fn other_reason(&mut self, had_value: bool, now: Mono) -> bool {
        let silent = self.condition == Condition::Bad(Fault::NoCommunication);
        let tell = match self.told {
            _ if had_value => false,
            Some((told, _)) if told == self.condition => return false,
            Some((_, Some(since))) if !silent && now.since(since) < REASON_EVERY => return false,
            Some(_) | None => true,
        };
        self.told = Some((self.condition, tell.then_some(now)));
        tell
    }

    fn count(&mut self, sample: Sample) {
        self.counts.accepted += 1;
        if let Sample::Bad(fault) = sample {
            self.counts.bad[fault as usize] += 1;
        }
    }

    /// Same counter, or same source time and same value. Without either there is no telling, and
    /// an equal value is a new reading: a burst may carry equal values.
    fn repeats(&self, stamp: Stamp) -> bool {
        let Some(newest) = self.newest else {
            return false;
        };
        match (stamp.sequence, newest.sequence) {
            (Some(this), Some(last)) => this == last,
            _ => {
                stamp.time.is_some()
                    && stamp.time == newest.time
                    && stamp.measured == newest.measured
            }
        }
    }
}

impl Conditioned {
    /// With what the device says of itself: more than a current can tell.
    fn of_device(self, health: Health) -> Self {
        match (self, health.fault()) {
            (_, Some(fault)) => Self::Sample(Sample::Bad(fault)),
            (Self::Sample(sample), None) => Self::Sample(health.weigh(sample)),
            (Self::FaultCurrent(_), None) => self,
        }
    }

    fn doubt_clock(self) -> Self {
        match self {
            Self::Sample(Sample::Good(value)) => {
                Self::Sample(Sample::Uncertain(value, Doubt::BadClock))
            }
            Self::Sample(Sample::Uncertain(..) | Sample::Bad(_)) | Self::FaultCurrent(_) => self,
        }
    }

    /// It may be old.
    fn doubt_age(self) -> Self {
        match self {
            Self::Sample(sample) if sample.can_clear() => {
                let doubted = |value| Sample::Uncertain(value, Doubt::UnknownClock);
                Self::Sample(sample.value().map_or(sample, doubted))
            }
            Self::Sample(_) | Self::FaultCurrent(_) => self,
        }
    }
}

fn before(received: Mono, delay: f64) -> Mono {
    Mono::ZERO + received.since(Mono::ZERO).saturating_sub(span(delay))
}

/// So many seconds; none when they are negative.
fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
