//! When an event went out first, and how often: for its receipt. Pure.
//!
//! Kept in memory, so a run counts its own attempts only. What a full window holds finds room; of more, the
//! oldest is forgotten, and its receipt says that nobody knows.

use std::collections::BTreeMap;

use crate::engine::time::Wall;

/// Events that are kept at most: the largest window, and those set aside.
const MOST: usize = 1024;

/// Events that were sent and are not through.
#[derive(Debug, Default)]
pub(super) struct Tries(BTreeMap<u64, Tried>);

/// Attempts of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tried {
    /// When the first was made.
    pub(super) first: Wall,
    /// How many there were.
    pub(super) count: u32,
}

impl Tries {
    /// The event `seq` is handed to the wire.
    pub(super) fn sent(&mut self, seq: u64, now: Wall) {
        let fresh = Tried {
            first: now,
            count: 0,
        };
        let tried = self.0.entry(seq).or_insert(fresh);
        tried.count = tried.count.saturating_add(1);
        while self.0.len() > MOST {
            self.0.pop_first();
        }
    }

    /// What is known of it so far.
    pub(super) fn of(&self, seq: u64) -> Option<Tried> {
        self.0.get(&seq).copied()
    }

    /// Nothing more is to come of it.
    pub(super) fn done(&mut self, seq: u64) {
        self.0.remove(&seq);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_counted_from_the_first_and_the_oldest_are_forgotten() {
        let second = |second: i64| Wall::from_unix_nanos(second * 1_000_000_000);
        let mut tries = Tries::default();
        assert_eq!(tries.of(1), None);
        tries.sent(1, second(10));
        tries.sent(1, second(20));
        let tried = Tried {
            first: second(10),
            count: 2,
        };
        assert_eq!(tries.of(1), Some(tried));
        tries.done(1);
        assert_eq!(tries.of(1), None);
        for seq in 0..=MOST as u64 {
            tries.sent(seq, second(30));
        }
        assert_eq!((tries.of(0), tries.0.len()), (None, MOST));
    }
}
