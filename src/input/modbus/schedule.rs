//! Who is polled next on one bus.
//!
//! What is polled is a *class*: the points of one unit that have one period. Every class has a grid of
//! ticks: its period, shifted by its share of it, so that classes with one period are spread evenly over
//! it. A class that is due is polled once; ticks missed meanwhile are skipped and counted, never made up
//! for in a burst.
//!
//! Of those that are due the one goes first whose next tick is nearest: what is polled fast does not
//! wait behind what is polled slowly. A class that watches for hazards goes as if its next tick were now.
//! Both are points in time that stay while everybody else's move on, so nobody waits for ever.
//!
//! ```text
//!                      silent three times in a row
//!        ┌────────┐ ────────────────────────────────▶ ┌─────────────┐
//!        │ polled │                                    │ quarantined │──┐ silent: twice as long
//!        └────────┘ ◀──────────────────────────────── └─────────────┘◀─┘ up to `slowest_probe`
//!                      answers: all its classes due
//! ```
//!
//! Silence is that of a unit, whichever of its classes was asked. A unit that stays silent is
//! *quarantined*: one class at a time is asked, at twice its period, then four times, up to its
//! `slowest_probe`. Everything that was due at the end of one probe is polled before the next probe. So
//! any number of dead units costs the others one timeout between two of their rounds, and they cannot
//! starve the probes either. After a silence another unit goes first, if one is due: a late answer has
//! time to come in and to be thrown away. Where a line needs that time in any case (its *rest*), the unit is
//! not due before it is over, so that nobody else waits for it.
//!
//! A class that is not read in the time planned for it, as its device answers slowly, is *put off*: the rest of
//! it is due at once, like a tick of that moment.
//!
//! Time is an argument. There is no randomness: the spread of the ticks does that work.

use std::time::Duration;

use crate::engine::time::Mono;

/// Silent polls in a row after which a unit is only probed.
pub const SILENT_AFTER: u32 = 3;

/// Longest spacing of probes of a unit whose points may be without a value for longer.
const SLOWEST_PROBE: Duration = Duration::from_secs(30);

/// Of the time of a bus, one dead unit may take at most one part in so many.
const SHARE_OF_DEAD: u32 = 20;

/// Keeps an absurd period from spinning.
const SHORTEST_PERIOD: Duration = Duration::from_millis(1);

/// What is polled together: points of one unit with one period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Class {
    /// Who is asked; classes with the same number fall silent together.
    pub unit: u8,
    /// From one question to the next.
    pub period: Duration,
    /// Does it watch for what is dangerous?
    pub hazard: bool,
    /// Longest spacing of probes while the unit is silent, as [`slowest_probe`] says.
    pub slowest_probe: Duration,
}

/// The longest spacing of the probes of a unit: so short that it is seen again before its points would
/// be stale a second time, given the shortest time after which one of them is; but at least twenty times
/// its `timeout`, as long as one dead unit may take 5 % of the bus.
pub fn slowest_probe(stale_after: Option<Duration>, timeout: Duration) -> Duration {
    let seen_again = stale_after.unwrap_or(SLOWEST_PROBE).min(SLOWEST_PROBE);
    seen_again.max(timeout.saturating_mul(SHARE_OF_DEAD))
}

/// The classes of one bus, by position.
#[derive(Debug, Clone)]
pub struct Schedule {
    slots: Vec<Slot>,
    /// Units that did not answer when they were last asked.
    silent: Vec<Silence>,
    /// The end of the last probe.
    probed: Mono,
    /// The unit asked last, if it did not answer.
    passed_over: Option<u8>,
}

#[derive(Debug, Clone)]
struct Slot {
    class: Class,
    /// The first tick.
    start: Mono,
    due: Mono,
}

/// A unit that stays silent.
#[derive(Debug, Clone, Copy)]
struct Silence {
    unit: u8,
    /// Polls in a row.
    polls: u32,
    /// When it may be asked again.
    not_before: Mono,
}

impl Schedule {
    /// The class at position `i` of `n` first comes due `i / n` of its period after `now`.
    pub fn new(classes: impl IntoIterator<Item = Class>, now: Mono) -> Self {
        let classes: Vec<_> = classes.into_iter().collect();
        let count = u32::try_from(classes.len()).unwrap_or(u32::MAX);
        let slots = classes.into_iter().zip(0u32..).map(|(class, position)| {
            let start = now + (class.period / count).saturating_mul(position);
            Slot {
                class: Class {
                    period: class.period.max(SHORTEST_PERIOD),
                    ..class
                },
                start,
                due: start,
            }
        });
        Self {
            slots: slots.collect(),
            silent: Vec::new(),
            probed: now,
            passed_over: None,
        }
    }

    /// The class to poll at `now`, if one is due.
    pub fn due(&self, now: Mono) -> Option<usize> {
        let live = || self.due_slots(now, false);
        if live().any(|(_, slot)| slot.due <= self.probed) {
            return self.most_urgent(live());
        }
        let probe = self.due_slots(now, true);
        let probe = probe.min_by_key(|(_, slot)| (self.is_passed_over(slot), self.due_of(slot)));
        match probe {
            Some((position, slot)) if !self.is_passed_over(slot) => Some(position),
            _ => {
                let probe = probe.map(|(position, _)| position);
                self.most_urgent(live()).or(probe)
            }
        }
    }

    /// When a class comes due next; [`Mono::NEVER`] without classes.
    pub fn next_due(&self) -> Mono {
        let dues = self.slots.iter().map(|slot| self.due_of(slot));
        dues.min().unwrap_or(Mono::NEVER)
    }

    /// When the class at `position` came due, or comes.
    pub fn tick_of(&self, position: usize) -> Mono {
        let slot = self.slots.get(position);
        slot.map_or(Mono::NEVER, |slot| self.due_of(slot))
    }

    /// Is `unit` asked only now and then, because it stays silent?
    pub fn is_quarantined(&self, unit: u8) -> bool {
        self.silence_of(unit)
            .is_some_and(|silence| silence.polls >= SILENT_AFTER)
    }

    /// The class at `position` is being polled: its next tick is the first one after `now`. Says how many
    /// ticks were missed.
    pub fn begin(&mut self, position: usize, now: Mono) -> u64 {
        let due = self.tick_of(position);
        let Some(slot) = self.slots.get_mut(position) else {
            return 0;
        };
        let missed = ticks(now.since(due), slot.class.period);
        slot.due = slot.first_tick_after(now);
        missed
    }

    /// The class at `position` was read until `now`. After a quarantine everything else of its unit is
    /// due at once.
    pub fn answered(&mut self, position: usize, now: Mono) {
        let Some(unit) = self.slots.get(position).map(|slot| slot.class.unit) else {
            return;
        };
        if self.is_quarantined(unit) {
            self.probed = now;
            for (other, slot) in self.slots.iter_mut().enumerate() {
                if slot.class.unit == unit && other != position {
                    slot.due = slot.due.min(now);
                }
            }
        }
        self.silent.retain(|silence| silence.unit != unit);
        self.passed_over = None;
    }

    /// The class at `position` was read until `now`, and not all of it: the rest is due at once, behind
    /// what is due already.
    pub fn put_off(&mut self, position: usize, now: Mono) {
        if let Some(slot) = self.slots.get_mut(position) {
            slot.due = now;
        }
    }

    /// The class at `position` could not be asked at `now`, as there is no connection.
    pub fn unreachable(&mut self, position: usize, now: Mono) {
        if let Some(unit) = self.slots.get(position).map(|slot| slot.class.unit) {
            self.skip(unit, now);
        }
    }

    /// The class at `position` was asked and did not answer; it was given up at `now`. Its unit is to be
    /// left alone for `rest` at least.
    pub fn silent(&mut self, position: usize, now: Mono, rest: Duration) {
        let Some(Slot { class, .. }) = self.slots.get(position).cloned() else {
            return;
        };
        let unit = class.unit;
        if self.is_quarantined(unit) {
            self.probed = now;
        }
        self.passed_over = Some(unit);
        if self.silence_of(unit).is_none() {
            self.silent.push(Silence {
                unit,
                polls: 0,
                not_before: now,
            });
        }
        // It cannot be asked more often than it must rest.
        let periods = self.of_unit(unit).map(|slot| slot.class.period.max(rest));
        let fastest = periods.min();
        let silence = self.silent.iter_mut().find(|silence| silence.unit == unit);
        if let Some(silence) = silence {
            silence.polls = silence.polls.saturating_add(1);
            silence.not_before = now + rest;
            let period = fastest.unwrap_or(class.period);
            if let Some(spacing) = spacing(silence.polls, period, class.slowest_probe) {
                silence.not_before = now + spacing;
            }
        }
        self.skip(unit, now);
    }

    /// What else is due of a unit that gave no answer would have none either: one timeout is enough, and
    /// one poll to be counted.
    fn skip(&mut self, unit: u8, now: Mono) {
        let slots = self.slots.iter_mut();
        for slot in slots.filter(|slot| slot.class.unit == unit && slot.due <= now) {
            slot.due = slot.first_tick_after(now);
        }
    }

    /// Classes that are due: those that are probed, or the others.
    fn due_slots(&self, now: Mono, probed: bool) -> impl Iterator<Item = (usize, &Slot)> {
        let slots = self.slots.iter().enumerate();
        slots.filter(move |(_, slot)| {
            self.due_of(slot) <= now && self.is_quarantined(slot.class.unit) == probed
        })
    }

    fn most_urgent<'a>(&self, due: impl Iterator<Item = (usize, &'a Slot)>) -> Option<usize> {
        let first = due.min_by_key(|(_, slot)| (self.is_passed_over(slot), slot.deadline()));
        first.map(|(position, _)| position)
    }

    fn is_passed_over(&self, slot: &Slot) -> bool {
        self.passed_over == Some(slot.class.unit)
    }

    /// When a class may be asked.
    fn due_of(&self, slot: &Slot) -> Mono {
        let silence = self.silence_of(slot.class.unit);
        silence.map_or(slot.due, |silence| slot.due.max(silence.not_before))
    }

    fn silence_of(&self, unit: u8) -> Option<&Silence> {
        self.silent.iter().find(|silence| silence.unit == unit)
    }

    fn of_unit(&self, unit: u8) -> impl Iterator<Item = &Slot> {
        let slots = self.slots.iter();
        slots.filter(move |slot| slot.class.unit == unit)
    }
}

/// How long a unit is left alone after so many silent polls; `None` while it is polled as ever.
fn spacing(silent: u32, period: Duration, slowest: Duration) -> Option<Duration> {
    let doublings = silent.checked_sub(SILENT_AFTER)?.saturating_add(1);
    let factor = 2u32.saturating_pow(doublings.min(31));
    Some(period.saturating_mul(factor).min(slowest).max(period))
}

impl Slot {
    /// What is due is served in this order.
    fn deadline(&self) -> Mono {
        if self.class.hazard {
            self.due
        } else {
            self.due + self.class.period
        }
    }

    fn first_tick_after(&self, now: Mono) -> Mono {
        if now < self.start {
            return self.start;
        }
        let passed = ticks(now.since(self.start), self.class.period);
        let nanos = u64::try_from(self.class.period.as_nanos()).unwrap_or(u64::MAX);
        self.start + Duration::from_nanos(nanos.saturating_mul(passed.saturating_add(1)))
    }
}

/// How many whole periods fit in `span`.
fn ticks(span: Duration, period: Duration) -> u64 {
    let whole = span.as_nanos() / period.as_nanos().max(1);
    u64::try_from(whole).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
