//! Which events are on their way, and how far the far end has them for good. Pure; one for every
//! output.
//!
//! ```text
//!   journal   1 2 3 4 5 6 7 8 9 ...
//!                 ▲     ▲   ▲
//!            cursor     │   next: handed to the wire
//!      all before it    └ acknowledged out of order: waits for 4
//!      are safe
//! ```
//!
//! The cursor moves only over events whose acknowledgements have all come, without a hole. When the
//! connection ends, everything behind the cursor goes again: at least once, in order, never out of
//! the journal before it is safe.
//!
//! # A row that kills connections
//!
//! An event that makes the far end drop the connection would block all events behind it for ever.
//! No event is sent before the far end has acknowledged something else. When a connection that has
//! proved itself in this way dies before any event was acknowledged, its oldest event becomes
//! suspect and goes alone. Dead eight times alone, which the pauses between connections stretch over
//! minutes so that a far end that merely restarts is not mistaken for one that refuses, it is set
//! aside: named in the log and counted; the journal keeps it. That happens once; only an event that
//! does arrive gives credit for the next. Without this rule a far end that refuses *every* event
//! would drain the journal.

use std::collections::VecDeque;

use crate::engine::time::Mono;

/// So many deaths alone, and an event is set aside.
const STRIKES: u32 = 8;

/// The window of one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    capacity: usize,
    cursor: u64,
    next: u64,
    on_the_way: VecDeque<Sent>,
    /// Events up to here were committed before this connection was up.
    backlog_until: u64,
    earlier_runs_until: u64,
    connected_before: bool,
    /// This connection acknowledged something that is no event.
    proven: bool,
    /// This connection acknowledged an event.
    delivered: bool,
    suspect: Option<Suspect>,
    /// May an event be set aside?
    credit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    seq: u64,
    /// Acknowledgements that have not come.
    due: usize,
    since: Mono,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Suspect {
    seq: u64,
    strikes: u32,
}

/// What an acknowledgement changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// An event is complete; it was known to this output since then.
    pub delivered: Option<Mono>,
    /// Everything up to this event is safe.
    pub cursor: Option<u64>,
}

impl Delivery {
    /// Begins behind the durable `cursor` with at most `capacity` events on the way.
    /// `earlier_runs_until` is the last event of the runs before this one.
    pub fn new(cursor: u64, capacity: usize, earlier_runs_until: u64) -> Self {
        Self {
            capacity: capacity.max(1),
            cursor,
            next: cursor,
            on_the_way: VecDeque::new(),
            backlog_until: earlier_runs_until,
            earlier_runs_until,
            connected_before: false,
            proven: false,
            delivered: false,
            suspect: None,
            credit: true,
        }
    }

    /// A connection is up; the journal's last event is `committed`.
    pub fn connected(&mut self, committed: u64) {
        // The first connection of a run is part of its start: what happens meanwhile is not late.
        self.backlog_until = if self.connected_before {
            committed
        } else {
            self.earlier_runs_until
        };
        self.connected_before = true;
        self.begin_again();
    }

    /// The connection ended; `by_far_end`: it was closed on us. The event to set aside, if one has
    /// become known as the reason.
    pub fn disconnected(&mut self, by_far_end: bool) -> Option<u64> {
        let head = self.on_the_way.front().map(|sent| sent.seq);
        let blamed = head.filter(|_| by_far_end && self.proven && !self.delivered);
        self.begin_again();
        let head = blamed?;
        let strikes = match self.suspect {
            Some(suspect) if suspect.seq == head => suspect.strikes + 1,
            Some(_) | None => 0,
        };
        if strikes < STRIKES || !self.credit {
            self.suspect = Some(Suspect { seq: head, strikes });
            return None;
        }
        self.credit = false;
        self.suspect = None;
        self.cursor = head;
        self.begin_again();
        Some(head)
    }

    fn begin_again(&mut self) {
        self.on_the_way.clear();
        self.next = self.cursor;
        self.proven = false;
        self.delivered = false;
    }

    /// Something that is no event was acknowledged: the far end works.
    pub fn proved(&mut self) {
        self.proven = true;
    }

    /// Did this connection get an event through?
    pub const fn has_delivered(&self) -> bool {
        self.delivered
    }

    /// How many more events may be handed to the wire.
    /// None before the far end has proved that it works.
    pub fn room(&self) -> usize {
        let capacity = match (self.proven, self.suspect) {
            (false, _) => 0,
            (true, Some(_)) => 1,
            (true, None) => self.capacity,
        };
        capacity.saturating_sub(self.on_the_way.len())
    }

    /// The last event that was handed to the wire.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Everything up to here is safe.
    pub const fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Is this event backlog: committed before the connection was up?
    pub const fn replayed(&self, seq: u64) -> bool {
        seq <= self.backlog_until
    }

    /// An event was handed to the wire and is complete after `due` acknowledgements; 0 gives it up.
    /// `since`: when this output learned of it.
    pub fn sent(&mut self, seq: u64, due: usize, since: Mono) -> Progress {
        self.next = self.next.max(seq);
        self.on_the_way.push_back(Sent { seq, due, since });
        Progress {
            delivered: None,
            cursor: self.advance(),
        }
    }

    /// An acknowledgement for this event came. Unknown ones change nothing.
    pub fn acknowledged(&mut self, seq: u64) -> Progress {
        let found = self
            .on_the_way
            .binary_search_by_key(&seq, |sent| sent.seq)
            .ok();
        let Some(sent) = found.and_then(|position| self.on_the_way.get_mut(position)) else {
            return Progress::default();
        };
        if sent.due == 0 {
            return Progress::default();
        }
        sent.due -= 1;
        if sent.due > 0 {
            return Progress::default();
        }
        let delivered = Some(sent.since);
        self.delivered = true;
        self.credit = true;
        if self.suspect.is_some_and(|suspect| suspect.seq <= seq) {
            self.suspect = None;
        }
        Progress {
            delivered,
            cursor: self.advance(),
        }
    }

    /// Moves the cursor over complete events, up to the first hole.
    fn advance(&mut self) -> Option<u64> {
        let before = self.cursor;
        while let Some(sent) = self.on_the_way.front().filter(|sent| sent.due == 0) {
            self.cursor = sent.seq;
            self.on_the_way.pop_front();
        }
        (self.cursor != before).then_some(self.cursor)
    }
}

#[cfg(test)]
mod tests;
