//! Every deadline of the engine in one queue.
//!
//! A timer is an entry of the heap *and* a due time kept where it belongs (the point, the alarm), with
//! a mark there that the entry exists. Moving a deadline later, or stopping it, touches only the due
//! time; the entry is looked at when it comes up, and moved or dropped. So the staleness of a point
//! costs nothing per reading, and a value that flaps around a limit with a delay of a day fills no
//! memory: the heap holds at most one entry per point and purpose, and two per alarm.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::time::Mono;

/// What is due. The order is the order at one instant: a raise that is due is not lost to a silence
/// that begins at the same instant, and a silence stops a clear that would come with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The on-delay of an alarm.
    Raise(u32),
    /// What was set aside at a point has lasted.
    Aside(u32),
    /// The silence of a point.
    Stale(u32),
    /// The confirmation that a point is good again.
    Confirm(u32),
    /// The next look at what changes with time alone.
    Look(u32),
    /// The off-delay of an alarm.
    Clear(u32),
    /// Delayed data of a point are complete.
    Late(u32),
    /// What a person or plant state silenced for a time wants attention again. After a clear that is
    /// due: an alarm that is just gone disturbs nobody.
    Attend(u32),
    /// The end of a drill. Last: what is real comes first.
    Drill(u32),
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Reverse<(Mono, Timer)>>,
}

impl Agenda {
    /// Room for `timers` entries without allocating later.
    pub(super) fn with_capacity(timers: usize) -> Self {
        Self {
            heap: BinaryHeap::with_capacity(timers),
        }
    }

    /// Wakes at `due` for `timer`.
    pub(super) fn push(&mut self, due: Mono, timer: Timer) {
        self.heap.push(Reverse((due, timer)));
    }

    /// Wakes at `due` for `timer`, which has a later entry. Looks through the whole queue: for what people
    /// do, not for what readings do.
    pub(super) fn hasten(&mut self, due: Mono, timer: Timer) {
        self.heap.retain(|Reverse((_, entry))| *entry != timer);
        self.push(due, timer);
    }

    /// The earliest entry; possibly of a timer that has moved or was stopped.
    pub(super) fn next(&self) -> Option<Mono> {
        self.heap.peek().map(|Reverse((due, _))| *due)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Takes the earliest entry if it is due before `horizon`, or at it when `inclusive`.
    pub(super) fn pop(&mut self, horizon: Mono, inclusive: bool) -> Option<(Mono, Timer)> {
        let due = self.next()?;
        if due < horizon || (inclusive && due == horizon) {
            self.heap.pop().map(|Reverse(entry)| entry)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earliest_first_and_by_kind_at_one_instant() {
        let at = Mono::from_nanos;
        let mut agenda = Agenda::default();
        agenda.push(at(5), Timer::Clear(0));
        agenda.push(at(5), Timer::Stale(0));
        agenda.push(at(5), Timer::Raise(9));
        agenda.push(at(3), Timer::Confirm(1));
        assert_eq!(agenda.next(), Some(at(3)));
        assert_eq!(agenda.pop(at(3), false), None);
        assert_eq!(agenda.pop(at(3), true), Some((at(3), Timer::Confirm(1))));
        let rest: Vec<_> = std::iter::from_fn(|| agenda.pop(at(6), false)).collect();
        assert_eq!(
            rest,
            [
                (at(5), Timer::Raise(9)),
                (at(5), Timer::Stale(0)),
                (at(5), Timer::Clear(0))
            ]
        );
    }
}
