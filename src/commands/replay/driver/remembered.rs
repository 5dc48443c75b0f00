//! What of that which alarms remember is on disk when power fails, as the journal's writer
//! ([`journal`](crate::journal)) would have it: it goes along with every event, and with the sign of life
//! that comes a minute after the last transaction. What is urgent has a transaction of its own.
//!
//! Nothing reads the journal before the life ends, so nothing is written until then.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::memory::Memory;
use crate::engine::time::{Moment, Wall};
use crate::journal::ALIVE;

/// The memories of one life.
pub(super) struct Remembered {
    /// The last transaction.
    written: Moment,
    /// What it and those before it took along.
    on_disk: BTreeMap<Arc<str>, Arc<Memory>>,
    /// What the next one takes along.
    waiting: BTreeMap<Arc<str>, Arc<Memory>>,
}

impl Remembered {
    /// The start is an event.
    pub(super) const fn new(start: Moment) -> Self {
        Self {
            written: start,
            on_disk: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// An event was said at `at`.
    pub(super) fn committed(&mut self, at: Moment) {
        self.pass(at);
        self.written = at;
        self.on_disk.append(&mut self.waiting);
    }

    /// An alarm remembers something, by a clock that shows `now` or is a little further.
    pub(super) fn remember(&mut self, memory: Memory, now: Moment) {
        let ago = now.wall.unix_nanos().saturating_sub(memory.at.unix_nanos());
        let ago = std::time::Duration::from_nanos(ago.max(0).unsigned_abs());
        let at = now.at(now.mono - ago);
        self.pass(at);
        let memory = Arc::new(memory);
        self.waiting
            .insert(Arc::clone(&memory.alarm), Arc::clone(&memory));
        if memory.is_urgent() {
            self.committed(at);
        }
    }

    /// What is on disk at `now`, and the last sign of life.
    pub(super) fn on_disk(mut self, now: Moment) -> (Vec<Arc<Memory>>, Wall) {
        self.pass(now);
        (self.on_disk.into_values().collect(), self.written.wall)
    }

    /// Signs of life before `now`. What comes at the same instant goes along.
    fn pass(&mut self, now: Moment) {
        while self.written.mono + ALIVE < now.mono {
            self.written = self.written.after(ALIVE);
            self.on_disk.append(&mut self.waiting);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::memory::{Content, Counted};
    use crate::engine::time::Mono;

    fn at(second: u64) -> Moment {
        let moment = Moment {
            mono: Mono::ZERO,
            wall: Wall::from_unix_nanos(1_767_225_600_000_000_000),
        };
        moment.after(Duration::from_secs(second))
    }

    fn memory(alarm: &str, second: u64, content: Content) -> Memory {
        Memory {
            alarm: alarm.into(),
            at: at(second).wall,
            content,
        }
    }

    const fn usual() -> Content {
        Content::Usual { usual: Vec::new() }
    }

    /// Names of what is on disk at the end, and the last sign of life.
    fn left(remembered: Remembered, end: u64) -> (Vec<String>, Wall) {
        let (memories, alive) = remembered.on_disk(at(end));
        let names = memories.iter().map(|memory| memory.alarm.to_string());
        (names.collect(), alive)
    }

    #[test]
    fn a_power_cut_costs_what_no_transaction_took_along() {
        // Second of the memory, of the event after it if there is one, of the power cut; is it there?
        for (remembered, event, cut, kept) in [
            (10, None, 60, false),
            (10, None, 61, true),
            (60, None, 61, true),
            (61, None, 120, false),
            (10, Some(12), 13, true),
            (10, Some(12), 12, true),
            (14, Some(12), 72, false),
            (14, Some(12), 73, true),
        ] {
            let mut own = Remembered::new(at(0));
            let now = at(200);
            if event.is_some_and(|event| event < remembered) {
                own.committed(at(event.unwrap_or_default()));
            }
            own.remember(memory("A/usual", remembered, usual()), now);
            if let Some(event) = event.filter(|event| *event >= remembered) {
                own.committed(at(event));
            }
            let (names, _) = left(own, cut);
            assert_eq!(
                names.len(),
                usize::from(kept),
                "{remembered} {event:?} {cut}"
            );
        }
    }

    #[test]
    fn a_count_is_on_disk_at_once_and_takes_along_what_waits() {
        let counted = Counted {
            lasts: true,
            instants: Vec::new(),
        };
        let mut own = Remembered::new(at(0));
        own.remember(memory("A/usual", 10, usual()), at(10));
        own.remember(memory("B/count", 11, Content::Count { counted }), at(11));
        own.remember(memory("C/usual", 12, usual()), at(12));
        let (names, alive) = left(own, 13);
        assert_eq!(names, ["A/usual", "B/count"]);
        assert_eq!(alive, at(11).wall);
    }
}
