//! Average exposure (alarm-standards 2.18): what a person would have taken in who stood at the point
//! all the time. A fixed detector measures a place and not a person, hence "area exposure".
//!
//! ```text
//! stel            (1/900 s)   · ∫ c dτ   over the last 15 min
//! twa, "window"   (1/28800 s) · ∫ c dτ   over the last 8 h (OSHA)
//! twa, "dose"     (1/28800 s) · ∫ c dτ   since the last reset (ACGIH, EH40): grows beyond 8 h, too,
//!                                        and may then exceed the highest concentration there was
//! ```
//!
//! The divisor is fixed: a spike of one minute is no less harmful right after the start. A value
//! holds until the next one, at most for the stale time; negative ones count as 0. The rest is
//! *unseen*: it adds nothing to the average, which is therefore the **lower bound**, and lowers the
//! coverage. Had the last value stayed, the average would be the **upper bound**.
//!
//! | | raises | clears |
//! |---|---|---|
//! | what decides | the lower bound: that much was there | the upper bound: not more can have been there |
//! | needs | nothing else, also with little coverage | a value that is believed now, and three quarters seen |
//!
//! So a gap neither raises nor clears, however long it is, and an average that was reached does not
//! go away because the sensor falls silent. Time before the first value counts as 0 in both bounds.
//!
//! **Times** are those of the source where its clock was accepted, on the gateway's monotonic scale:
//! a wall-clock step changes nothing. Only a restart is bridged by the wall clock; the time between
//! counts as unseen. A clock that then shows an earlier time than before bridges nothing.
//!
//! **Resolution**: see [`Window`]. At each update of a window whose spans end with it the average is
//! exact; what is remembered over a restart has six digits.

mod window;

use std::time::Duration;

use super::super::delay::Zone;
use super::super::memory::{self, Amount, Content, Memory};
use super::super::settings::{Average, ExposureRule};
use super::super::time::{Moment, Mono, Nanos, nanos};
use window::{Window, seconds};

/// Less coverage makes an average uncertain.
const ENOUGH: f64 = 0.75;

/// Sums of decimal fractions are off by their last bits; a value that stood at the limit all the
/// time must not stay below it for that.
const ROUNDING: f64 = 1e-9;

/// No concentration is larger; sums over centuries stay finite.
const LARGEST: f64 = 1e280;

/// An average and how far it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Exposed {
    /// The average with unseen time as 0, in the point's unit.
    pub(in super::super) lower: f64,
    /// The average with unseen time at the last value before it.
    pub(in super::super) upper: f64,
    /// The share of the time that was seen, 0 to 1.
    pub(in super::super) coverage: f64,
}

impl Exposed {
    /// Was enough of the time seen?
    pub(in super::super) fn is_covered(&self) -> bool {
        self.coverage >= ENOUGH - ROUNDING
    }
}

/// A value and how long it holds; unseen from then on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Held {
    value: f64,
    from: Nanos,
    until: Nanos,
}

impl Held {
    /// What it adds until `at`: while it holds, and after it.
    fn parts(self, at: Nanos) -> [(Nanos, Nanos, Amount); 2] {
        let until = self.until.min(at);
        let seen = seconds(self.from, until);
        let unseen = seconds(until, at);
        [
            (self.from, until, [self.value * seen, 0.0, seen].into()),
            (until, at, [0.0, self.value * unseen, 0.0].into()),
        ]
    }
}

/// What is added up.
#[derive(Debug)]
enum Sum {
    Moving(Window),
    SinceReset { since: Nanos, sum: Amount },
}

/// One average at run time.
#[derive(Debug)]
pub(in super::super) struct Exposure {
    rule: ExposureRule,
    /// The newest value, not added up yet: a delayed one may still change its end.
    held: Option<Held>,
    sum: Sum,
    remembered: Mono,
}

impl Exposure {
    /// Nothing is seen yet.
    pub(in super::super) fn new(rule: ExposureRule) -> Self {
        let sum = match rule.average {
            Average::ShortTerm | Average::Shift => Sum::Moving(Window::new(rule.average.length())),
            Average::Dose => Sum::SinceReset {
                since: 0,
                sum: Amount::default(),
            },
        };
        Self {
            rule,
            held: None,
            sum,
            remembered: Mono::ZERO,
        }
    }

    /// Begins to count at `now`.
    pub(in super::super) fn begin(&mut self, now: Mono) {
        self.remembered = now;
        self.held = None;
        self.sum = Self::new(self.rule).sum;
        if let Sum::SinceReset { since, .. } = &mut self.sum {
            *since = nanos(now);
        }
    }

    pub(in super::super) const fn rule(&self) -> &ExposureRule {
        &self.rule
    }

    /// A value, from `from` on, which holds until `until` unless the next one comes.
    pub(in super::super) fn observe(&mut self, value: f64, from: Mono, until: Mono) {
        let from = self.settle(from);
        self.held = Some(Held {
            value: value.clamp(0.0, LARGEST),
            from,
            until: nanos(until).max(from),
        });
    }

    /// There is no value any more.
    pub(in super::super) fn lose(&mut self, at: Mono) {
        let at = self.settle(at);
        if let Some(held) = &mut self.held {
            held.until = held.until.min(at);
            held.from = at;
        }
    }

    /// Adds up what the held value gave until `at`; not before it began. Says from when the next one
    /// counts.
    fn settle(&mut self, at: Mono) -> Nanos {
        let Some(held) = self.held else {
            return nanos(at);
        };
        let at = nanos(at).max(held.from);
        for (from, to, amount) in held.parts(at) {
            match &mut self.sum {
                Sum::Moving(window) => window.add(from, to, amount),
                Sum::SinceReset { sum, .. } => *sum += amount,
            }
        }
        at
    }

    /// Everything is forgotten but the value there is: the average begins anew at `now`.
    pub(in super::super) fn reset(&mut self, now: Mono) {
        let from = self.settle(now);
        let held = self.held;
        self.begin(now);
        self.held = held.map(|held| Held { from, ..held });
    }

    /// The average at `now`; none while nothing at all was seen of its time.
    pub(in super::super) fn average(&self, now: Mono) -> Option<Exposed> {
        let now = nanos(now);
        let divisor = self.rule.average.length().as_secs_f64();
        let (begin, span, mut total) = match &self.sum {
            Sum::Moving(window) => (window.begin(now), divisor, window.within(now)),
            Sum::SinceReset { since, sum } => (*since, seconds(*since, now), *sum),
        };
        for (from, to, amount) in self.held.iter().flat_map(|held| held.parts(now)) {
            total += window::share(amount, (from, to), (begin, now));
        }
        let new = span <= 0.0;
        (new || total.seconds > 0.0).then(|| Exposed {
            lower: total.seen / divisor,
            upper: (total.seen + total.assumed) / divisor,
            // Of a dose that begins now nothing was missed.
            coverage: if new {
                1.0
            } else {
                (total.seconds / span).min(1.0)
            },
        })
    }

    /// Where the average lies. `believed`: has the point a value now?
    pub(in super::super) fn zone(&self, believed: bool, now: Mono) -> Zone {
        self.zone_by(&self.rule, believed, now)
    }

    /// The same by the limit of another rule.
    pub(in super::super) fn zone_by(&self, rule: &ExposureRule, believed: bool, now: Mono) -> Zone {
        let Some(exposed) = self.average(now) else {
            return Zone::Unknown;
        };
        let ExposureRule {
            limit, deadband, ..
        } = *rule;
        if exposed.lower >= limit * (1.0 - ROUNDING) {
            Zone::Beyond
        } else if !believed || !exposed.is_covered() {
            Zone::Unknown
        } else if exposed.upper < limit - deadband {
            Zone::Inside
        } else {
            Zone::Margin
        }
    }

    /// When to look at the average next, values or not. On a grid, so that spans end with it.
    pub(in super::super) fn next_update(&self, now: Mono) -> Mono {
        let period = self.rule.average.update();
        let period = u64::try_from(period.as_nanos()).unwrap_or(u64::MAX);
        let passed = now.as_nanos() / period;
        Mono::from_nanos((passed + 1).saturating_mul(period))
    }

    /// Is it time to remember what was seen?
    pub(in super::super) fn is_memory_due(&self, now: Mono) -> bool {
        let every = match self.rule.average {
            Average::ShortTerm => Duration::from_secs(60),
            // A minute of eight hours is not worth its wear of the disk.
            Average::Shift | Average::Dose => Duration::from_secs(300),
        };
        now.since(self.remembered) >= every
    }

    /// What to remember: the last value, and what was seen.
    pub(in super::super) fn remember(&mut self, now: Moment) -> (Option<f64>, memory::Exposure) {
        self.remembered = now.mono;
        let last = self.held.map(|held| held.value);
        let parts = self.held.map(|held| held.parts(nanos(now.mono)));
        let parts = parts.into_iter().flatten();
        let seen = match &self.sum {
            Sum::Moving(window) => {
                let mut window = window.clone();
                parts.for_each(|(from, to, amount)| window.add(from, to, amount));
                window.remember(nanos(now.mono))
            }
            Sum::SinceReset { since, sum } => memory::Exposure::Dose {
                since: now.wall
                    - Duration::try_from_secs_f64(seconds(*since, nanos(now.mono)))
                        .unwrap_or_default(),
                sum: parts.fold(*sum, |sum, (_, _, amount)| sum + amount),
            },
        };
        (last, seen)
    }

    /// Takes up what was remembered. Memories of another method are passed over.
    pub(in super::super) fn restore(&mut self, memory: &Memory, now: Moment) {
        let at = now.nanos_of(memory.at);
        let Content::Exposure { last, exposure } = &memory.content else {
            return;
        };
        match (&mut self.sum, exposure) {
            (
                Sum::Moving(window),
                memory::Exposure::Window {
                    width_s,
                    newest_s,
                    spans,
                },
            ) => window.restore((*width_s, *newest_s, spans), at, nanos(now.mono)),
            (
                Sum::SinceReset { since, sum },
                memory::Exposure::Dose {
                    since: began,
                    sum: known,
                },
            ) => {
                *since = now.nanos_of(*began).min(at);
                *sum = *known;
            }
            (Sum::Moving(_), memory::Exposure::Dose { .. })
            | (Sum::SinceReset { .. }, memory::Exposure::Window { .. }) => return,
        }
        self.held = last.map(|value| Held {
            value: value.clamp(0.0, LARGEST),
            from: at,
            until: at,
        });
    }
}

#[cfg(test)]
mod tests;
