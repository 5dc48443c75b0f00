//! Which publish a PUBACK is for. Pure.
//!
//! The client library numbers a publish only when it writes it, and tells the number but not which
//! one it was. It writes in the order it was asked, so the first that has no number yet is meant.
//! That holds as long as nobody else publishes on the same client, and QoS 0 (number 0) is left out.

use std::collections::{BTreeMap, VecDeque};

use crate::engine::time::Mono;

/// Publishes of one connection without their PUBACK.
#[derive(Debug)]
pub(super) struct PubAcks<T> {
    unnumbered: VecDeque<(T, Mono)>,
    numbered: BTreeMap<u16, (T, Mono)>,
}

impl<T> Default for PubAcks<T> {
    fn default() -> Self {
        Self {
            unnumbered: VecDeque::new(),
            numbered: BTreeMap::new(),
        }
    }
}

impl<T> PubAcks<T> {
    /// A publish was asked for.
    pub(super) fn asked(&mut self, what: T, now: Mono) {
        self.unnumbered.push_back((what, now));
    }

    /// The library wrote one under this packet id.
    pub(super) fn written(&mut self, id: u16) {
        if let Some(asked) = self.unnumbered.pop_front() {
            self.numbered.insert(id, asked);
        }
    }

    /// A PUBACK came: for what.
    pub(super) fn acknowledged(&mut self, id: u16) -> Option<T> {
        self.numbered.remove(&id).map(|(what, _)| what)
    }

    /// How many PUBACKs have not come.
    pub(super) fn len(&self) -> usize {
        self.unnumbered.len() + self.numbered.len()
    }

    /// When the one that waits longest was asked for.
    pub(super) fn oldest(&self) -> Option<Mono> {
        let unnumbered = self.unnumbered.front().map(|(_, since)| *since);
        let numbered = self.numbered.values().map(|(_, since)| *since).min();
        // Written before: asked before.
        numbered.or(unnumbered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_to_publishes_in_the_order_they_were_asked() {
        let mut pubacks = PubAcks::default();
        for (index, what) in ["a", "b", "c"].into_iter().enumerate() {
            pubacks.asked(what, Mono::from_nanos(index as u64));
        }
        assert_eq!(pubacks.acknowledged(1), None);
        pubacks.written(1);
        pubacks.written(2);
        assert_eq!(pubacks.len(), 3);
        assert_eq!(pubacks.acknowledged(2), Some("b"));
        assert_eq!(pubacks.oldest(), Some(Mono::from_nanos(0)));
        assert_eq!(pubacks.acknowledged(1), Some("a"));
        assert_eq!(pubacks.acknowledged(1), None);
        assert_eq!(pubacks.oldest(), Some(Mono::from_nanos(2)));
        // A number may come back.
        pubacks.written(1);
        assert_eq!(pubacks.acknowledged(1), Some("c"));
        assert_eq!((pubacks.len(), pubacks.oldest()), (0, None));
        pubacks.written(5);
        assert_eq!(pubacks.acknowledged(5), None);
    }
}
