//! How the far end serves: what it did last for what is new, or for everything. Pure.
//!
//! ```text
//!                 takes something, of what was put by, too
//!   unknown ───────────────────▶ good ◀──────────────────────────────┐
//!                                 │ asks for a slower pace; one reader is waited for, or is owed it
//!                                 ▼                                  │
//!                               busy: in trouble, and it delivers ───┤
//!                                 │ fails; puts off several readers, or one for two minutes, and serves nobody
//!                                 ▼                                  │
//!                               failing: nothing gets through ───────┘
//! ```
//!
//! What was put by (`put_by`) has failed before, perhaps alone: that the far end answers it with a failure again says
//! nothing of others. Only that the far end could not be reached counts, and then it is asked within seconds until it
//! answers.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::broker::Link;
use crate::engine::time::Mono;

/// Events that may go on although nobody is served.
const MOST: usize = 64;
/// One full box is not the far end's fault; but where nobody is served for so long nothing gets through.
const FOR_LONG: Duration = Duration::from_secs(120);

/// What the last answers say about the far end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// Nothing was sent yet.
    Unknown,
    Good,
    /// Of use, but not at once for everything or everybody.
    Busy,
    Failing,
}

impl Health {
    /// Was the last thing sent not taken?
    pub(super) const fn fails(self) -> bool {
        matches!(self, Self::Busy | Self::Failing)
    }

    pub(super) const fn link(self) -> Link {
        match self {
            Self::Unknown => Link::Unproven,
            Self::Good => Link::Proven,
            Self::Busy => Link::Partial,
            Self::Failing => Link::Lost,
        }
    }
}

/// Events that were parted since somebody was served: the output went on, and each of their readers is owed them. A
/// far end that serves nobody must not empty the journal so: after [`MOST`] the output waits.
///
/// The first load after a service is parted however much it is. A summary for the one reader with the full box must not
/// wait for good while others are served.
#[derive(Debug, Default)]
pub(super) struct Unserved {
    events: usize,
    /// Put off with them.
    readers: BTreeSet<Arc<str>>,
    /// When the first of them was counted.
    since: Option<Mono>,
    /// Somebody was served since the last of them was counted.
    proven: bool,
}

impl Unserved {
    /// Somebody has got something.
    pub(super) fn served(&mut self) {
        *self = Self {
            proven: true,
            ..Self::default()
        };
    }

    /// May as many events more go on with nobody served?
    pub(super) const fn has_room(&self, events: usize) -> bool {
        self.proven || self.events + events <= MOST
    }

    /// As many went on.
    pub(super) fn count(
        &mut self,
        events: usize,
        put_off: impl IntoIterator<Item = Arc<str>>,
        now: Mono,
    ) {
        self.proven = false;
        self.since.get_or_insert(now);
        self.events += events;
        self.readers.extend(put_off);
    }

    /// An earlier run left an event with somebody waiting for it. In the order of their numbers.
    pub(super) const fn carried(&mut self, reached: bool) {
        self.events = if reached { 0 } else { self.events + 1 };
    }

    /// Has nobody been served for long, though somebody was to be?
    pub(super) fn is_for_long(&self, now: Mono) -> bool {
        self.since.is_some_and(|since| now.since(since) >= FOR_LONG)
    }

    /// One reader may have a full box. Several of whom none was served are a far end that serves nobody, and so is one
    /// for long.
    pub(super) fn health(&self, now: Mono) -> Health {
        if self.readers.len() > 1 || self.is_for_long(now) {
            Health::Failing
        } else {
            Health::Busy
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Arc<str>> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    fn at(seconds: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn after_so_many_for_nobody_the_output_waits_until_somebody_is_served() {
        let mut unserved = Unserved::default();
        for event in 1..=MOST {
            assert!(unserved.has_room(1), "{event}");
            unserved.count(1, names(&["li"]), at(0));
        }
        assert!(!unserved.has_room(1));
        unserved.served();
        assert!(unserved.has_room(1));
        // What it did for those before says nothing of now.
        for _ in 1..=MOST {
            unserved.count(1, names(&["li"]), at(0));
        }
        assert!(!unserved.has_room(1));
    }

    #[test]
    fn a_summary_counts_for_each_event_of_it() {
        let mut unserved = Unserved::default();
        assert!(unserved.has_room(MOST) && !unserved.has_room(MOST + 1));
        unserved.served();
        assert!(unserved.has_room(500), "somebody was served just before");
        unserved.count(500, names(&["li"]), at(0));
        assert!(!unserved.has_room(1));
    }

    #[test]
    fn a_restart_counts_what_went_on_since_somebody_was_served() {
        let mut unserved = Unserved::default();
        for reached in [false, true, false, false] {
            unserved.carried(reached);
        }
        assert!(unserved.has_room(MOST - 2) && !unserved.has_room(MOST - 1));
    }

    #[test]
    fn one_full_box_is_trouble_and_several_readers_without_a_mail_are_a_loss() {
        let mut unserved = Unserved::default();
        unserved.count(1, names(&["li"]), at(0));
        unserved.count(1, names(&["li"]), at(0));
        assert_eq!(unserved.health(at(0)), Health::Busy);
        unserved.count(1, names(&["anna"]), at(0));
        assert_eq!(unserved.health(at(0)), Health::Failing);
        unserved.served();
        unserved.count(1, names(&["anna"]), at(0));
        assert_eq!(unserved.health(at(0)), Health::Busy);
    }

    #[test]
    fn one_reader_for_long_is_a_loss_unless_others_are_served() {
        let mut unserved = Unserved::default();
        assert!(!unserved.is_for_long(at(1_000)), "nothing was to be sent");
        unserved.count(1, names(&["li"]), at(10));
        unserved.count(1, names(&["li"]), at(100));
        assert!(!unserved.is_for_long(at(129)) && unserved.is_for_long(at(130)));
        assert_eq!(unserved.health(at(129)), Health::Busy);
        assert_eq!(unserved.health(at(130)), Health::Failing);
        unserved.served();
        assert!(!unserved.is_for_long(at(1_000)));
    }
}
