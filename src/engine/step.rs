//! The wall clock steps: a board without a battery starts in 1970 and jumps when it finds a time server.
//!
//! Nothing that runs notices, for it runs by the monotonic clock. But a restart has nothing to count on
//! except stamps of the wall clock, and stamps of the old time would make what they belong to older or
//! younger by the step: shelves would last for longer, a count would forget, a window would have a hole
//! that never was, a ladder would leave out a step. So everything whose age decides something moves with
//! the step, here and on disk, in the transaction of the event that tells of it:
//!
//! | what | how |
//! |---|---|
//! | overlays, promises and drills; since when an alarm is active | their stamps move, and their records go with the event |
//! | steps of ladders, holds, what is over and not told yet | [`notify`](crate::notify) adds their records |
//! | windows, averages, counts | are remembered anew, with the new time |
//!
//! What is over stays as it was stamped. A step before the event is on disk is none that a restart could
//! know of. A step is rare and a memory has some 2 kB at most, so one of each is cheap; to keep a scale of
//! its own beside the wall clock would leave everybody who reads the journal with two.

use super::Engine;
use super::effect::{Cause, Details, Effect, EventKind};
use super::occurrence::Alarm;
use super::snapshot::AlarmRecord;

impl Engine {
    /// The wall clock stepped by so many seconds, up to now.
    pub(super) fn clock_stepped(&mut self, step: f64) {
        for point in &mut self.points {
            point.channel.clock_stepped(step);
        }
        for alarm in &mut self.alarms {
            alarm.clock_stepped(step);
        }
        self.suppressions.clock_stepped(step);
        self.drills.clock_stepped(step);
        // Before the event, so that one transaction takes both.
        self.remember_everything(self.now);
        let details = Details {
            step_s: Some((step * 1000.0).round() / 1000.0),
            ..Details::default()
        };
        self.announce(EventKind::ClockStepped, Cause::System, details);
        self.store_stamps();
    }

    /// The records of what has a stamp that a restart counts on go with the event that was said last.
    fn store_stamps(&mut self) {
        let stamped = self.alarms.iter().filter(|alarm| {
            // An acknowledgement that runs out is one of an active alarm.
            alarm.cover.is_some() || alarm.state.is_active()
        });
        let records = stamped.map(|alarm| alarm.record(self.now.mono));
        let drills = self.drills.running().cloned();
        let records: Vec<AlarmRecord> = records.chain(drills).collect();
        if let Some(Effect::Event(event)) = self.effects.back_mut() {
            event.others = records;
        }
    }
}

impl Alarm {
    /// The wall clock stepped: what ends at a time of it ends as much later or earlier, and an alarm that is
    /// active is so for as long as before.
    fn clock_stepped(&mut self, step: f64) {
        if let Some(cover) = &mut self.cover {
            cover.clock_stepped(step);
        }
        let active = self.state.is_active();
        let Some(episode) = self.episode.as_mut().filter(|_| active) else {
            return;
        };
        if let Some(raised_at) = &mut episode.raised_at {
            *raised_at = raised_at.stepped(step);
        }
        if let Some(acknowledged) = &mut episode.acknowledged {
            acknowledged.at = acknowledged.at.stepped(step);
        }
        let confirmation = episode.confirmation.as_deref_mut();
        if let Some(confirmed) = confirmation.and_then(|own| own.confirmed.as_mut()) {
            confirmed.at = confirmed.at.stepped(step);
        }
        if let Some(promise) = &mut episode.promise {
            promise.shift(step);
        }
    }
}
