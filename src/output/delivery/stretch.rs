//! A part of the journal whose events go in order.

use std::collections::VecDeque;

use crate::engine::time::Mono;

/// A part of the journal whose events go in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its last number.
    pub(super) end: u64,
    /// Everything up to here is safe.
    pub(super) safe: u64,
    /// The last event that was handed to the wire, or number that has no event.
    pub(super) next: u64,
    pub(super) on_the_way: VecDeque<Sent>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) seq: u64,
    /// Acknowledgements that have not come.
    pub(super) due: usize,
    pub(super) since: Mono,
    pub(super) order: u64,
}

impl Stretch {
    /// Everything after this number.
    pub(super) const fn open(after: u64) -> Self {
        Self {
            end: u64::MAX,
            safe: after,
            next: after,
            on_the_way: VecDeque::new(),
        }
    }

    /// The connection ended: what is not safe goes again.
    pub(super) fn begin_again(&mut self) {
        self.on_the_way.clear();
        self.next = self.safe;
    }

    /// An event was handed to the wire: so many numbers were left out before it. `None`: it was handed
    /// out before.
    pub(super) fn sent(&mut self, sent: Sent) -> Option<u64> {
        let left_out = sent.seq.checked_sub(self.next + 1)?;
        self.next = sent.seq;
        self.on_the_way.push_back(sent);
        self.advance();
        Some(left_out)
    }

    /// Goes on after this number.
    pub(super) fn pass_over(&mut self, upto: u64) {
        self.next = upto;
        self.advance();
    }

    /// An acknowledgement came; the event, if it was the last that was due.
    pub(super) fn acknowledged(&mut self, seq: u64) -> Option<Sent> {
        let found = self.on_the_way.binary_search_by_key(&seq, |sent| sent.seq);
        let sent = self.on_the_way.get_mut(found.ok()?)?;
        let due = sent.due.checked_sub(1)?;
        sent.due = due;
        let complete = (due == 0).then_some(*sent)?;
        self.advance();
        Some(complete)
    }

    /// Lets go of complete events, up to the first that is not.
    fn advance(&mut self) {
        while self.on_the_way.front().is_some_and(|sent| sent.due == 0) {
            self.on_the_way.pop_front();
        }
        let first = self.on_the_way.front();
        self.safe = first.map_or(self.next, |sent| sent.seq - 1);
    }
}
