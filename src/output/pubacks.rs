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

    /// Who holds this packet id.
    pub(super) fn holder(&self, id: u16) -> Option<&T> {
        self.numbered.get(&id).map(|(what, _)| what)
    }

    /// When the one that waits longest of those that are `meant` was asked for.
    pub(super) fn oldest(&self, meant: impl Fn(&T) -> bool) -> Option<Mono> {
        let all = self.numbered.values().chain(&self.unnumbered);
        let meant = all.filter(|(what, _)| meant(what));
        meant.map(|(_, since)| *since).min()
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
        assert_eq!((pubacks.holder(2), pubacks.holder(3)), (Some(&"b"), None));
        assert_eq!(pubacks.acknowledged(2), Some("b"));
        let oldest = |pubacks: &PubAcks<&str>| pubacks.oldest(|_| true);
        assert_eq!(oldest(&pubacks), Some(Mono::from_nanos(0)));
        let but_a = pubacks.oldest(|what| *what != "a");
        assert_eq!(but_a, Some(Mono::from_nanos(2)));
        assert_eq!(pubacks.acknowledged(1), Some("a"));
        assert_eq!(pubacks.acknowledged(1), None);
        assert_eq!(oldest(&pubacks), Some(Mono::from_nanos(2)));
        // A number may come back.
        pubacks.written(1);
        assert_eq!(pubacks.acknowledged(1), Some("c"));
        assert_eq!(oldest(&pubacks), None);
        pubacks.written(5);
        assert_eq!(pubacks.acknowledged(5), None);
    }
}
