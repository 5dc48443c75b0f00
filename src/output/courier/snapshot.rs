//! Which alarms are active now, told once after an outage before anything else. Pure, but for the putting together.
//!
//! ```text
//!   an attempt begins with backlog ──▶ first: the snapshot ◀─failed─▶ second: events, in turns
//!                                         │                    │ an event is taken: the snapshot is next, for the last time
//!                        taken ◀──────────┤                    ▼
//!      it rests until an event is taken   └── refused, or failed then ──▶ it rests for 10 min, with whatever comes
//! ```
//!
//! It says at once what stands, but no event may wait for it for good: a receiver need not understand it, and a long one
//! may be too much for it.

use std::sync::Arc;
use std::time::Duration;

use super::{Carrier, Courier};
use crate::clock;
use crate::engine::alarm::AlarmState;
use crate::engine::time::{Mono, Wall};
use crate::output::message;

/// So long it is not told again where no event arrives after it, or where it was not taken.
const RESTS: Duration = Duration::from_secs(600);

/// The state of every alarm that is not normal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// The site.
    pub site: Arc<str>,
    /// Seen then.
    pub at: Wall,
    /// True up to this event.
    pub seq: u64,
    /// As on the topics of the alarms (contract, section 6), each a JSON object.
    pub states: Vec<String>,
}

/// Whether it is to be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Snapshot {
    /// No outage.
    #[default]
    NotDue,
    /// It goes before all events.
    First,
    /// It failed, and this attempt begins with events.
    Second,
    /// It failed, an event did not: once more.
    LastTime,
    /// It was told.
    Told { again: Mono },
    /// The far end does not take it.
    Unwanted { again: Mono },
}

impl Snapshot {
    /// An attempt begins, with backlog.
    pub(super) fn owe(&mut self, now: Mono) {
        match *self {
            Self::NotDue => *self = Self::First,
            Self::Told { again } | Self::Unwanted { again } if again <= now => *self = Self::First,
            Self::First
            | Self::Second
            | Self::LastTime
            | Self::Told { .. }
            | Self::Unwanted { .. } => {}
        }
    }

    /// Is it to be sent before anything else?
    pub(super) const fn is_next(self) -> bool {
        matches!(self, Self::First | Self::LastTime)
    }

    /// The far end has it.
    pub(super) fn taken(&mut self, now: Mono) {
        *self = Self::Told { again: now + RESTS };
    }

    /// The far end will not take it.
    pub(super) fn refused(&mut self, now: Mono) {
        *self = Self::Unwanted { again: now + RESTS };
    }

    /// What was sent was not taken now, be it this or an event.
    pub(super) fn failed(&mut self, now: Mono) {
        match self {
            Self::First => *self = Self::Second,
            Self::Second => *self = Self::First,
            Self::LastTime => self.refused(now),
            Self::NotDue | Self::Told { .. } | Self::Unwanted { .. } => {}
        }
    }

    /// The far end has taken an event.
    pub(super) const fn event_taken(&mut self) {
        match self {
            Self::Second => *self = Self::LastTime,
            Self::Told { .. } => *self = Self::NotDue,
            Self::NotDue | Self::First | Self::LastTime | Self::Unwanted { .. } => {}
        }
    }
}

impl<C: Carrier> Courier<C> {
    /// Every alarm that is not normal, as it is now.
    pub(super) fn present(&self) -> Present {
        let seq = self.feed.committed();
        let at = clock::now().wall;
        let durable = self.feed.is_durable(seq);
        let mut active = self.feed.states();
        active.retain(|record| record.state != AlarmState::Normal);
        let readers = &self.context.readers;
        // In the order of their ids, and few; what is configured is in no order, and a lot.
        let states = self.context.all().iter().filter_map(|guidance| {
            let found = active.binary_search_by(|record| guidance.cmp_id(&record.alarm).reverse());
            let record = active.get(found.ok()?)?;
            Some(message::state(guidance, readers, Some(record), durable, at))
        });
        Present {
            site: Arc::clone(&self.context.site),
            at,
            seq,
            states: states.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn what_fails_alternates_with_events() {
        let mut snapshot = Snapshot::default();
        for is_next in [true, false, true, false] {
            snapshot.owe(at(0));
            assert_eq!(snapshot.is_next(), is_next);
            snapshot.failed(at(0));
        }
    }

    #[test]
    fn what_fails_where_events_do_not_is_left_out_for_a_while() {
        let mut snapshot = Snapshot::First;
        snapshot.failed(at(0));
        snapshot.event_taken();
        assert!(snapshot.is_next(), "once more");
        snapshot.failed(at(0));
        for second in [1, 599] {
            snapshot.event_taken();
            snapshot.owe(at(second));
            assert!(!snapshot.is_next(), "{second}");
        }
        snapshot.owe(at(600));
        assert!(snapshot.is_next());
    }

    #[test]
    fn it_is_told_once_an_outage() {
        let mut snapshot = Snapshot::First;
        snapshot.taken(at(0));
        snapshot.owe(at(1));
        assert!(!snapshot.is_next(), "nothing has arrived since");
        snapshot.event_taken();
        snapshot.owe(at(2));
        assert!(snapshot.is_next());
    }
}
