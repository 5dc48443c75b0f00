//! How many refused commands stand in the journal one by one.
//!
//! A refusal is an event, and the journal is bounded: without a bound of their own, refusals that a broken
//! script (or somebody who wants the history gone) provokes would push out what happened. So each
//! costs a coin; a coin comes back every [`EACH`], up to [`PURSE`] of them. What finds the purse empty is
//! refused all the same and counted, and the next one on record tells how many there were.

use std::time::Duration;

use super::time::Mono;

/// A coin comes back after so long: some 3,000 a day, about 2 MB.
const EACH: Duration = Duration::from_secs(30);

/// So many at once: more than people give in a bad hour.
const PURSE: u32 = 100;

/// The purse.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Refusals {
    /// When the purse is full again.
    full_at: Mono,
    untold: u64,
}

impl Refusals {
    /// A command was refused: `None` when it is not to be recorded, else how many before it were not.
    pub(super) fn record(&mut self, now: Mono) -> Option<u64> {
        let full_at = self.full_at.max(now) + EACH;
        if full_at.since(now) > EACH * PURSE {
            self.untold += 1;
            return None;
        }
        self.full_at = full_at;
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_told_of_with_the_next() {
        let mut refusals = Refusals::default();
        let at = |seconds| Mono::ZERO + Duration::from_secs(seconds);
        let recorded = (0..250).filter(|_| refusals.record(at(5)).is_some());
        assert_eq!(recorded.count(), 100);
        assert_eq!(refusals.record(at(34)), None);
        assert_eq!(refusals.record(at(35)), Some(151));
        assert_eq!(refusals.record(at(35)), None);
        assert_eq!(refusals.record(at(65)), Some(1));
        // The purse holds no more after any time.
        let recorded = (0..250).filter(|_| refusals.record(at(1_000_000)).is_some());
        assert_eq!(recorded.count(), 100);
    }
}
