//! Messages that the broker still holds for us, in order of arrival. Pure.
//!
//! A message is acknowledged when its reading is safe **and** every message before it is
//! acknowledged: after a reconnect the broker then repeats a run from the oldest unsafe one on, in
//! order, instead of single messages that would arrive behind newer ones.

use std::collections::VecDeque;
use std::time::Duration;

use crate::engine::time::Mono;

/// Messages of one connection without their acknowledgement. Serials begin at 0 and are positions:
/// the front has serial `first`.
#[derive(Debug)]
pub(super) struct Acks<T> {
    first: u64,
    held: VecDeque<Held<T>>,
    /// How many of them are not safe yet.
    unsafe_count: usize,
}

#[derive(Debug)]
struct Held<T> {
    message: T,
    arrived: Mono,
    safe: bool,
}

impl<T> Default for Acks<T> {
    fn default() -> Self {
        Self {
            first: 0,
            held: VecDeque::new(),
            unsafe_count: 0,
        }
    }
}

impl<T> Acks<T> {
    /// A message arrived. Its serial comes back in the receipt.
    pub(super) fn push(&mut self, message: T, arrived: Mono) -> u64 {
        self.held.push_back(Held {
            message,
            arrived,
            safe: false,
        });
        self.unsafe_count += 1;
        self.first + self.held.len() as u64 - 1
    }

    /// The reading of this message is safe. Unknown and repeated serials change nothing.
    pub(super) fn safe(&mut self, serial: u64) {
        let position = serial.checked_sub(self.first);
        let position = position.and_then(|position| usize::try_from(position).ok());
        if let Some(held) = position.and_then(|position| self.held.get_mut(position)) {
            self.unsafe_count -= usize::from(!held.safe);
            held.safe = true;
        }
    }

    /// The oldest message, if it may be acknowledged.
    pub(super) fn ready(&self) -> Option<&T> {
        self.held
            .front()
            .filter(|held| held.safe)
            .map(|held| &held.message)
    }

    /// The oldest message was acknowledged.
    pub(super) fn acknowledged(&mut self) {
        if let Some(held) = self.held.pop_front() {
            self.first += 1;
            self.unsafe_count -= usize::from(!held.safe);
        }
    }

    /// How many wait for their receipt.
    pub(super) fn unsafe_count(&self) -> usize {
        self.unsafe_count
    }

    /// How many are held.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Has the oldest message waited for its receipt longer than `limit`?
    pub(super) fn overdue(&self, limit: Duration, now: Mono) -> bool {
        self.held
            .front()
            .is_some_and(|held| !held.safe && now.since(held.arrived) > limit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drain(acks: &mut Acks<u64>) -> Vec<u64> {
        let mut out = Vec::new();
        while let Some(message) = acks.ready() {
            out.push(*message);
            acks.acknowledged();
        }
        out
    }

    #[test]
    fn unknown_serials_change_nothing() {
        let mut acks = Acks::default();
        acks.safe(0);
        assert_eq!(acks.push(7, Mono::ZERO), 0);
        acks.safe(1);
        acks.safe(u64::MAX);
        assert!(drain(&mut acks).is_empty());
        acks.safe(0);
        acks.safe(0);
        assert_eq!(drain(&mut acks), [7]);
        acks.safe(0);
        assert_eq!(acks.push(8, Mono::ZERO), 1);
        assert!(drain(&mut acks).is_empty());
    }

    #[test]
    fn only_an_unsafe_oldest_message_is_overdue() {
        let mut acks = Acks::default();
        let late = Mono::ZERO + Duration::from_secs(61);
        assert!(!acks.overdue(Duration::from_secs(60), late));
        let serial = acks.push(0, Mono::ZERO);
        assert!(acks.overdue(Duration::from_secs(60), late));
        acks.safe(serial);
        assert!(!acks.overdue(Duration::from_secs(60), late));
    }

    proptest! {
        /// Whatever the order of receipts: in order, none twice, none before those ahead of it.
        #[test]
        fn acknowledgements_keep_the_order_of_arrival(
            receipts in Just((0..20_u64).collect::<Vec<_>>()).prop_shuffle(),
            given in 0..20_usize,
        ) {
            let mut acks = Acks::default();
            for message in 0..20 {
                acks.push(message, Mono::ZERO);
            }
            let mut out = Vec::new();
            for serial in &receipts[..given] {
                acks.safe(*serial);
                out.extend(drain(&mut acks));
            }
            prop_assert_eq!(acks.unsafe_count(), 20 - given);
            let model: Vec<u64> = (0..20).take_while(|m| receipts[..given].contains(m)).collect();
            prop_assert_eq!(out, model);
        }
    }
}
