//! How late is a reading? Told from its source time alone, per source (alarm-standards 2.23).
//!
//! A source that is always late by about the same amount is skewed, not late: the smallest lag of its
//! last 60 live readings is taken off. A reading that is late beyond that is history, and so is one
//! that is much older than the newest; one that is little older only came out of order.
//!
//! ```text
//!  source time ─▶ plausible? ─▶ later than the newest, and not held back? ─▶ live
//!                     │ no                       │ no
//!                     ▼                          ▼         five in a row at live pace
//!                gateway's time                 late ─────────────────────────────────▶ live,
//!                                                                                   with a new skew
//! ```
//!
//! **Before the first live reading.** On a fresh journal the first reading is live by definition and
//! its lag is the source's skew. After a restart it is not: a broker hands out what it kept
//! meanwhile, and an old good value must not end an alarm. So until the skew is known again it is
//! taken as none, and nothing from before the last sign of life is news. A source that is ahead only
//! since our own clock was set back is taken to follow that clock as it was before.
//!
//! **When even that is in doubt.** Our own clock may have been set back before the first reading, here or,
//! without our seeing it, while nobody was there; or a reading shows our future. Whether the source is
//! ahead of us or the reading is old cannot be told then: it may raise an alarm and ends none
//! ([`Doubt::UnknownClock`]), until readings have come for `late`, [`WITNESSES`] of them apart: what a
//! broker kept pours in at once.
//!
//! **When a clock falls back, or the way becomes longer.** All readings are late from then on. The
//! late ones are watched: five with rising source times and a nearly constant lag, which arrive as far
//! apart as they were taken, are a living source with another skew. Buffered readings that pour in
//! come faster than they were taken, so they never qualify. Readings that only came out of order are no
//! witnesses: a clock that fell back by less than `reorder` has caught up with itself soon. A backlog that is sent at exactly the
//! pace it was taken at cannot be told from a skewed source by its times; it is not looked for.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::delay::Zone;
use super::super::reading::Doubt;
use super::super::time::{Moment, Mono, Wall};
use super::lags::Lags;
use super::span;

/// A source time later than the gateway's by more than this is wrong, seconds.
const FUTURE: f64 = 5.0;

/// No source time before this is right: 2020-01-01T00:00:00Z. Clocks that lost their battery show
/// 1970 or 2000.
pub(in crate::engine) const PLAUSIBLE_FROM: Wall = Wall::from_unix_nanos(1_577_836_800_000_000_000);

/// Late readings in a row that show a source with another skew.
const WITNESSES: usize = 5;

/// Late readings that arrive closer together than this are one witness, seconds: what pours in at
/// once proves nothing.
const APART: f64 = 0.5;

/// The lags of the witnesses differ by no more than this, seconds.
const STEADY: f64 = 5.0;

/// A source whose usual lag is more than this is skewed, seconds.
const SKEWED: f64 = 5.0;

/// It is right again when the lag is less by this, seconds.
const STEADY_AGAIN: f64 = 1.0;

/// Live pace: the time between the first and the last arrival differs from that between their source
/// times by no more than this share.
const PACE: f64 = 0.25;

/// What a source time says about a reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Timing {
    /// The clock cannot be right.
    Implausible,
    /// History, taken at this time of the gateway's clock.
    Late(Wall),
    /// Older than the newest one, but not by much; held up by this many seconds beyond the usual.
    Reordered(f64),
    /// News, held up by this many seconds beyond the usual.
    Live(f64),
    /// News: the source is alive with another skew than before.
    Reskewed,
}

/// What is known of the clock of one source, and of the way from it.
#[derive(Debug)]
pub(super) struct SourceClock {
    late: Duration,
    reorder: Duration,
    /// The newest source time that can be right; older ones are late.
    watermark: Option<Wall>,
    /// Is the first reading one after a restart?
    resumed: bool,
    /// How far our own clock was set back, seconds, not above 0.
    set_back: f64,
    /// By how much our own clock stepped since the start, seconds.
    stepped: f64,
    /// The lag of the last reading, seconds, if it cannot be right.
    wrong: Option<f64>,
    /// Of live readings; the smallest tells the skew.
    lags: Lags,
    witnesses: VecDeque<Witness>,
    /// Is it known what is old?
    known: bool,
    /// Was our own clock set back before that was known?
    fell_back: bool,
    /// Readings that were heard before, [`APART`] at least.
    heard: Heard,
}

/// How long a source has been heard, while nobody can tell how old what it says is.
#[derive(Debug, Default)]
struct Heard {
    first: Option<Mono>,
    last: Mono,
    readings: usize,
}

/// A late reading.
#[derive(Debug, Clone, Copy)]
struct Witness {
    source: Wall,
    arrived: Mono,
    lag: f64,
}

impl SourceClock {
    /// Nothing is known yet, but when the run before this one was last alive. A reading delayed by
    /// more than `late` beyond its source's usual delay is history.
    pub(super) fn new(last_alive: Option<Wall>, late: Duration, reorder: Duration) -> Self {
        Self {
            late,
            reorder,
            watermark: last_alive,
            resumed: last_alive.is_some(),
            set_back: 0.0,
            stepped: 0.0,
            wrong: None,
            lags: Lags::default(),
            witnesses: VecDeque::new(),
            known: last_alive.is_none(),
            fell_back: false,
            heard: Heard::default(),
        }
    }

    /// A reading with this source time arrived.
    pub(super) fn time(&mut self, source: Wall, received: Moment) -> Timing {
        let nothing_heard = self.heard.first.is_none() && self.lags.smallest().is_none();
        if nothing_heard && self.watermark.is_some_and(|alive| received.wall < alive) {
            self.fell_back = true;
        }
        let timing = self.tell(source, received);
        if !self.known {
            self.known = match timing {
                Timing::Reskewed => true,
                Timing::Live(_) | Timing::Reordered(_) if !self.fell_back => true,
                Timing::Live(_) | Timing::Reordered(_) | Timing::Implausible => {
                    self.heard.proves(received.mono, self.late)
                }
                Timing::Late(_) => false,
            };
        }
        timing
    }

    /// Can it be told whether a reading is old? Not always after a restart, before the source was
    /// heard for some time.
    pub(super) const fn is_known(&self) -> bool {
        self.known
    }

    fn tell(&mut self, source: Wall, received: Moment) -> Timing {
        if self.is_implausible(source, received.wall) {
            // It must not move the watermark, or good data would be "late" for days.
            self.wrong = Some(received.wall.seconds_since(source));
            return Timing::Implausible;
        }
        self.wrong = None;
        let lag = received.wall.seconds_since(source);
        let delay = lag - self.skew(lag);
        let held_back = delay > self.late.as_secs_f64();
        if held_back || self.watermark.is_some_and(|newest| source < newest) {
            // Without a live reading yet, the newest one is of the run before, which knew this one.
            let near = self
                .watermark
                .is_some_and(|newest| newest <= source + self.reorder);
            if near && !held_back && self.lags.smallest().is_some() {
                return Timing::Reordered(delay);
            }
            let witness = Witness {
                source,
                arrived: received.mono,
                lag,
            };
            return if self.testify(witness) {
                Timing::Reskewed
            } else {
                Timing::Late(received.wall - span(delay))
            };
        }
        self.witnesses.clear();
        self.remember_lag(lag);
        self.watermark = Some(source);
        Timing::Live(delay)
    }

    /// The gateway's own clock stepped by `step` seconds: every lag that was measured with it is off
    /// by as much. So a source is neither late nor from the future because of a step of ours.
    pub(super) fn shift(&mut self, step: f64) {
        self.set_back = (self.set_back + step).min(0.0);
        self.fell_back |= step < 0.0;
        self.stepped += step;
        self.lags.shift(step);
        for witness in &mut self.witnesses {
            witness.lag += step;
        }
    }

    /// Is the clock right? Of two views, with and without the steps of our own clock, the better one
    /// counts: a step of ours is no fault of the source, nor does it hide that we were wrong before.
    pub(super) fn zone(&self) -> Zone {
        if self.wrong.is_some() {
            return Zone::Beyond;
        }
        let usual = self.lags.smallest();
        let Some(usual) = usual.filter(|_| self.lags.len() >= WITNESSES as u64) else {
            return Zone::Unknown;
        };
        let off = usual.abs().min((usual - self.stepped).abs());
        if off > SKEWED {
            Zone::Beyond
        } else if off > SKEWED - STEADY_AGAIN {
            Zone::Margin
        } else {
            Zone::Inside
        }
    }

    /// What is wrong, and the lag in seconds.
    pub(super) fn fault(&self) -> (&'static str, f64) {
        let usual = self.lags.smallest();
        self.wrong
            .map_or(("clock_skew", usual.unwrap_or_default()), |lag| {
                (Doubt::BadClock.name(), lag)
            })
    }

    /// A late reading: is it one of enough that show another skew?
    fn testify(&mut self, late: Witness) -> bool {
        if let Some(last) = self.witnesses.back() {
            if late.source < last.source {
                self.witnesses.clear();
            } else if late.source == last.source
                || late.arrived.since(last.arrived).as_secs_f64() < APART
            {
                return false;
            }
        }
        if self.witnesses.len() == WITNESSES {
            self.witnesses.pop_front();
        }
        self.witnesses.push_back(late);
        if self.witnesses.len() < WITNESSES || !self.is_alive() {
            return false;
        }
        let lags = self.witnesses.drain(..).map(|witness| witness.lag);
        self.lags.begin_anew(lags);
        self.watermark = Some(late.source);
        true
    }

    /// Do the witnesses show a steady lag and live pace?
    fn is_alive(&self) -> bool {
        let (Some(first), Some(last)) = (self.witnesses.front(), self.witnesses.back()) else {
            return false;
        };
        let lags = || self.witnesses.iter().map(|witness| witness.lag);
        let spread = lags().fold(f64::MIN, f64::max) - lags().fold(f64::MAX, f64::min);
        let arriving = last.arrived.since(first.arrived).as_secs_f64();
        let taking = last.source.seconds_since(first.source);
        spread <= STEADY && (arriving - taking).abs() <= PACE * arriving
    }

    /// No clock shows this time: before 2020, or in the future of ours, also when it is not counted
    /// how far ours was set back.
    fn is_implausible(&self, source: Wall, received: Wall) -> bool {
        source < PLAUSIBLE_FROM || received.seconds_since(source) - self.set_back < -FUTURE
    }

    /// The source's usual lag, seconds. Before the first live reading: none after a restart, by the
    /// one of our clocks that the source can follow; else the reading's own.
    fn skew(&self, lag: f64) -> f64 {
        let is_ahead = lag < -FUTURE;
        let presumed = if is_ahead { self.set_back } else { 0.0 };
        let usual = self.lags.smallest();
        let usual = usual.or(self.resumed.then_some(presumed));
        usual.map_or(lag, |usual| usual.min(lag))
    }

    fn remember_lag(&mut self, lag: f64) {
        if self.lags.make_room() {
            // The source shows by now how far it is ahead of us.
            self.set_back = self.set_back.max(self.skew(lag).min(0.0));
        }
        self.lags.push(lag);
    }
}

impl Heard {
    /// One more reading: has it been heard for `enough` by now?
    fn proves(&mut self, at: Mono, enough: Duration) -> bool {
        let first = *self.first.get_or_insert(at);
        if self.readings == 0 || at.since(self.last).as_secs_f64() >= APART {
            self.last = at;
            self.readings += 1;
        }
        self.readings >= WITNESSES && at.since(first) >= enough
    }
}

#[cfg(test)]
mod tests;
