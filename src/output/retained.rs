//! Which alarms' retained states the far end may not have. Pure.
//!
//! A broker may come back without anything it was given. So after every connect the state of every
//! alarm goes out again: what is not normal at once, before any event; what is normal when nothing
//! else waits. A state that an event carries is newer than both and takes the alarm off the list. When
//! events are passed over, the states they led to are put on it.
//!
//! The topic of an alarm that is no longer configured would show its last state for ever: it is taken
//! away, last of all. Drills have no retained state: a receiver that keeps one for each alarm never sees a
//! drill in the place of the alarm.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::engine::alarm::AlarmState;
use crate::engine::drill::drilled;
use crate::engine::snapshot::AlarmRecord;
use crate::guidance::Directory;

/// The list of one output; alarms are positions in the guidance.
#[derive(Debug)]
pub(super) struct Retained {
    alarms: Arc<Directory>,
    waiting: BTreeSet<(Urgency, usize)>,
    /// By alarm: the event up to which the state published on this connection is true.
    as_of: Vec<u64>,
    /// Known to the journal and not configured; their topics have to go. No more than it has records.
    removed: Vec<Arc<str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    /// Not normal.
    Now,
    /// It has changed at some time.
    Soon,
    /// It never has.
    Sometime,
}

impl Urgency {
    const ALL: [Self; 3] = [Self::Now, Self::Soon, Self::Sometime];
}

impl Retained {
    pub(super) fn new(alarms: Arc<Directory>) -> Self {
        Self {
            waiting: BTreeSet::new(),
            as_of: vec![0; alarms.all().len()],
            removed: Vec::new(),
            alarms,
        }
    }

    /// A connection is up: everything has to go.
    pub(super) fn connected<'s>(&mut self, states: impl Iterator<Item = &'s AlarmRecord>) {
        self.as_of.fill(0);
        let all = 0..self.alarms.all().len();
        self.waiting = all.map(|alarm| (Urgency::Sometime, alarm)).collect();
        self.removed.clear();
        for record in states {
            match self.position(&record.alarm) {
                Some(alarm) => self.list(alarm, record),
                // A drill never had a topic.
                None if drilled(&record.alarm).is_some() => {}
                None => self.removed.push(record.alarm.clone()),
            }
        }
    }

    /// Events were passed over: of every alarm that ever changed the state has to go.
    pub(super) fn passed_over<'s>(&mut self, states: impl Iterator<Item = &'s AlarmRecord>) {
        for record in states {
            if let Some(alarm) = self.position(&record.alarm) {
                self.list(alarm, record);
            }
        }
    }

    fn list(&mut self, alarm: usize, record: &AlarmRecord) {
        self.unlist(alarm);
        let quiet = record.state == AlarmState::Normal
            && record.overlays().is_empty()
            && record.unacknowledged.is_empty();
        let urgency = if quiet { Urgency::Soon } else { Urgency::Now };
        self.waiting.insert((urgency, alarm));
    }

    fn unlist(&mut self, alarm: usize) {
        for urgency in Urgency::ALL {
            self.waiting.remove(&(urgency, alarm));
        }
    }

    /// Where the guidance of this alarm stands; `None`: not configured any more.
    pub(super) fn position(&self, alarm: &str) -> Option<usize> {
        self.alarms.position(alarm)
    }

    /// The next alarm whose state must go before any event.
    pub(super) fn urgent(&self) -> Option<usize> {
        self.idle().filter(|alarm| {
            let key = (Urgency::Now, *alarm);
            self.waiting.contains(&key)
        })
    }

    /// The next alarm whose state goes when nothing else waits.
    pub(super) fn idle(&self) -> Option<usize> {
        self.waiting.first().map(|(_, alarm)| *alarm)
    }

    /// The next alarm that is no longer configured, once.
    pub(super) fn removed(&mut self) -> Option<Arc<str>> {
        self.removed.pop()
    }

    /// The alarm's state right after event `as_of` (or later) was handed to the wire.
    pub(super) fn published(&mut self, alarm: usize, as_of: u64) {
        self.unlist(alarm);
        if let Some(known) = self.as_of.get_mut(alarm) {
            *known = as_of.max(*known);
        }
    }

    /// Was a state published that is at least as new as event `seq`?
    pub(super) fn superseded(&self, alarm: usize, seq: u64) -> bool {
        self.as_of.get(alarm).is_some_and(|as_of| seq <= *as_of)
    }

    /// The alarm changed with event `seq`, whose state is not at hand.
    pub(super) fn changed(&mut self, alarm: usize, seq: u64) {
        if !self.superseded(alarm, seq) {
            self.outdated(alarm);
        }
    }

    /// What the state says beside the alarm is not so any more: it goes again when nothing else waits.
    pub(super) fn outdated(&mut self, alarm: usize) {
        if !self.waiting.contains(&(Urgency::Now, alarm)) {
            self.waiting.remove(&(Urgency::Sometime, alarm));
            self.waiting.insert((Urgency::Soon, alarm));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::message::tests::{guidance, record};

    fn order(retained: &mut Retained) -> Vec<usize> {
        let mut order = Vec::new();
        while let Some(alarm) = retained.idle() {
            order.push(alarm);
            retained.published(alarm, 9);
        }
        order
    }

    #[test]
    fn what_is_not_normal_goes_first_and_everything_goes() {
        let alarms = ["A/high", "B/high", "C/high"].map(guidance);
        let mut retained = Retained::new(Directory::new(alarms).into());
        let states = [
            record("C/high", AlarmState::Unacknowledged),
            record("B/high", AlarmState::Normal),
            record("GONE/high", AlarmState::Unacknowledged),
            record("A/high/drill", AlarmState::Unacknowledged),
        ];
        retained.connected(states.iter());
        assert_eq!(retained.urgent(), Some(2));
        assert_eq!(order(&mut retained), [2, 1, 0]);
        assert_eq!(retained.urgent(), None);
        assert_eq!(retained.removed().as_deref(), Some("GONE/high"));
        assert_eq!(retained.removed(), None);
        retained.connected([].iter());
        assert_eq!(retained.urgent(), None);
        assert_eq!(order(&mut retained), [0, 1, 2]);
    }

    #[test]
    fn an_older_state_never_follows_a_newer_one() {
        let mut retained = Retained::new(Directory::new([guidance("A/high")]).into());
        retained.connected([].iter());
        retained.published(0, 7);
        assert!(retained.superseded(0, 7));
        assert!(!retained.superseded(0, 8));
        retained.changed(0, 7);
        assert_eq!(retained.idle(), None);
        retained.changed(0, 8);
        assert_eq!(retained.idle(), Some(0));
        retained.connected([].iter());
        assert!(!retained.superseded(0, 7));
    }

    #[test]
    fn what_is_said_again_waits_for_whatever_is_news() {
        let alarms = ["A/high", "B/high"].map(guidance);
        let mut retained = Retained::new(Directory::new(alarms).into());
        retained.connected([].iter());
        order(&mut retained);
        retained.outdated(0);
        assert_eq!((retained.urgent(), retained.idle()), (None, Some(0)));
        let news = record("A/high", AlarmState::Unacknowledged);
        retained.passed_over([&news].into_iter());
        retained.outdated(0);
        assert_eq!(retained.urgent(), Some(0));
        assert_eq!(order(&mut retained), [0]);
    }

    #[test]
    fn what_events_passed_over_have_led_to_goes_by_itself() {
        let alarms = ["A/high", "B/high", "C/high"].map(guidance);
        let mut retained = Retained::new(Directory::new(alarms).into());
        retained.connected([].iter());
        order(&mut retained);
        let states = [
            record("B/high", AlarmState::Normal),
            record("C/high", AlarmState::Unacknowledged),
        ];
        retained.passed_over(states.iter());
        assert_eq!(retained.urgent(), Some(2));
        assert!(retained.superseded(0, 9), "what is known stays known");
        assert_eq!(order(&mut retained), [2, 1]);
    }
}
