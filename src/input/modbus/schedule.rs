//! Who is polled next on one bus.
//!
//! Every unit has a grid of ticks: its period, shifted by its share of it, so that units with one
//! period are spread evenly over it. A unit that is due is polled once; ticks missed meanwhile are
//! skipped and counted, never made up for in a burst.
//!
//! A unit that stays silent three polls in a row is *probed*: at twice its period, then four times,
//! up to every 30 s. After a probe, units that answer and are due go first, each once, before the
//! next probe. So any number of dead units costs the others one timeout between two of their rounds,
//! they cannot starve the probes either, and one dead unit with 1 s of timeout takes 3 % of the bus.
//!
//! Time is an argument. There is no randomness: the spread of the ticks does that work.

use std::time::Duration;

use crate::engine::time::Mono;

/// Silent polls in a row after which a unit is only probed.
pub const SILENT_AFTER: u32 = 3;

/// Longest spacing of probes, unless the unit's own period is longer.
pub const SLOWEST_PROBE: Duration = Duration::from_secs(30);

/// Keeps an absurd period from spinning.
const SHORTEST_PERIOD: Duration = Duration::from_millis(1);

/// The units of one bus, by position.
#[derive(Debug, Clone)]
pub struct Schedule {
    units: Vec<Unit>,
    /// Polls of units that answer since the last probe.
    polls_since_probe: usize,
}

#[derive(Debug, Clone)]
struct Unit {
    period: Duration,
    /// The first tick.
    start: Mono,
    due: Mono,
    /// Silent polls in a row.
    silent: u32,
}

impl Schedule {
    /// The unit at position `i` of `n` first comes due `i / n` of its period after `now`.
    pub fn new(periods: impl IntoIterator<Item = Duration>, now: Mono) -> Self {
        let periods: Vec<_> = periods.into_iter().collect();
        let count = u32::try_from(periods.len()).unwrap_or(u32::MAX);
        let units = periods
            .into_iter()
            .zip(0u32..)
            .map(|(period, position)| {
                let start = now + (period / count).saturating_mul(position);
                Unit {
                    period: period.max(SHORTEST_PERIOD),
                    start,
                    due: start,
                    silent: 0,
                }
            })
            .collect();
        Self {
            units,
            polls_since_probe: 0,
        }
    }

    /// The unit to poll at `now`, if one is due.
    pub fn due(&self, now: Mono) -> Option<usize> {
        let first = |probed: bool| {
            (0..)
                .zip(&self.units)
                .filter(|(_, unit)| unit.due <= now && unit.probe_spacing().is_some() == probed)
                .min_by_key(|(_, unit)| unit.due)
                .map(|(position, _)| position)
        };
        let answering = self.units.iter().filter(|unit| unit.silent < SILENT_AFTER);
        if self.polls_since_probe < answering.count() {
            first(false).or_else(|| first(true))
        } else {
            first(true).or_else(|| first(false))
        }
    }

    /// When a unit comes due next; [`Mono::NEVER`] without units.
    pub fn next_due(&self) -> Mono {
        let dues = self.units.iter().map(|unit| unit.due);
        dues.min().unwrap_or(Mono::NEVER)
    }

    /// `unit` is being polled: its next tick is the first one after `now`. Says how many ticks were
    /// missed.
    pub fn begin(&mut self, unit: usize, now: Mono) -> u64 {
        let Some(unit) = self.units.get_mut(unit) else {
            return 0;
        };
        let missed = ticks(now.since(unit.due), unit.period);
        unit.due = unit.first_tick_after(now);
        self.polls_since_probe = match unit.probe_spacing() {
            Some(_) => 0,
            None => self.polls_since_probe.saturating_add(1),
        };
        missed
    }

    /// `unit` answered.
    pub fn answered(&mut self, unit: usize) {
        if let Some(unit) = self.units.get_mut(unit) {
            unit.silent = 0;
        }
    }

    /// `unit` was asked and did not answer; it was given up at `now`.
    pub fn silent(&mut self, unit: usize, now: Mono) {
        let Some(unit) = self.units.get_mut(unit) else {
            return;
        };
        unit.silent = unit.silent.saturating_add(1);
        if let Some(spacing) = unit.probe_spacing() {
            // The first tick that is not earlier than `spacing` from now keeps the spread.
            let before = Mono::from_nanos((now + spacing).as_nanos().saturating_sub(1));
            unit.due = unit.first_tick_after(before);
        }
    }
}

impl Unit {
    /// `None` while the unit is polled normally.
    fn probe_spacing(&self) -> Option<Duration> {
        let doublings = self.silent.checked_sub(SILENT_AFTER)?.saturating_add(1);
        let factor = 2u32.saturating_pow(doublings.min(31));
        let spacing = self.period.saturating_mul(factor);
        Some(spacing.min(SLOWEST_PROBE).max(self.period))
    }

    fn first_tick_after(&self, now: Mono) -> Mono {
        if now < self.start {
            return self.start;
        }
        let passed = ticks(now.since(self.start), self.period);
        let nanos = u64::try_from(self.period.as_nanos()).unwrap_or(u64::MAX);
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
