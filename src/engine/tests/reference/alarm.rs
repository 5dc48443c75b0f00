//! One alarm of the slow and obvious engine: every verdict since the last certainty, and three flags where
//! the engine has a state.

use super::super::super::alarm::AlarmState;
use super::super::super::settings::{AlarmSettings, PendingHold};
use super::model::Where;
use super::{Duration, Quarters, What, span};

pub(super) struct ModelAlarm {
    pub(super) settings: AlarmSettings,
    /// Since the condition was last confirmed or confirmed gone.
    verdicts: Vec<(Quarters, Where)>,
    /// Is the condition confirmed? Where it is counted, the alarm is more than that.
    condition: bool,
    /// Every time that it became true.
    became: Vec<Quarters>,
    active: bool,
    pub(super) acknowledged: bool,
    pub(super) latched: bool,
    pub(super) occurrence: u64,
    pub(super) open: Vec<u64>,
    /// Those that are not the newest and that somebody recognised, in the order of that.
    pub(super) recognised: Vec<u64>,
}

impl ModelAlarm {
    pub(super) fn new(settings: &AlarmSettings) -> Self {
        Self {
            settings: settings.clone(),
            verdicts: Vec::new(),
            condition: false,
            became: Vec::new(),
            active: false,
            acknowledged: true,
            latched: false,
            occurrence: 0,
            open: Vec::new(),
            recognised: Vec::new(),
        }
    }

    pub(super) const fn is_active(&self) -> bool {
        self.active
    }

    /// A verdict. What it turns the alarm to.
    pub(super) fn hear(&mut self, place: Where, now: Quarters) -> Option<What> {
        self.verdicts.push((now, place));
        if self.delay().is_zero() && self.is_due(now) {
            self.turn_condition(now);
        }
        self.count(now)
    }

    /// Time alone: conditions that are certain (`gone`: certain to be gone) by now.
    pub(super) fn pass(&mut self, gone: bool, now: Quarters) -> Option<What> {
        let due = self.condition == gone && self.is_due(now);
        if due {
            self.turn_condition(now);
        }
        // A count grows old after a silence that begins at the same instant.
        if due || gone { self.count(now) } else { None }
    }

    /// Is a raise on its way?
    pub(super) fn is_on_its_way(&self) -> bool {
        self.settings.count.is_none() && self.run().is_some()
    }

    /// Since when everything has spoken for the other condition than the present one.
    fn run(&self) -> Option<Quarters> {
        let hold = self.settings.pending_hold == PendingHold::Deadband;
        let fits = |place: Where| match place {
            Where::Inside => self.condition,
            Where::Beyond => !self.condition,
            Where::Margin => !self.condition && hold,
            Where::Unknown => false,
        };
        let begins = if self.condition {
            Where::Inside
        } else {
            Where::Beyond
        };
        let run = self
            .verdicts
            .iter()
            .rev()
            .take_while(|(_, place)| fits(*place));
        run.filter(|(_, place)| *place == begins)
            .last()
            .map(|(t, _)| *t)
    }

    fn delay(&self) -> Duration {
        if self.condition {
            self.settings.off_delay
        } else {
            self.settings.on_delay
        }
    }

    fn is_due(&self, now: Quarters) -> bool {
        self.run()
            .is_some_and(|since| span(now - since) >= self.delay())
    }

    fn turn_condition(&mut self, now: Quarters) {
        let last = self.verdicts.last().copied();
        self.verdicts.clear();
        self.condition = !self.condition;
        if self.condition {
            self.became.push(now);
        }
        // What it was certain by is still what is known.
        self.verdicts.extend(last);
    }

    /// Is the alarm what its condition, or the count of it, says?
    fn count(&mut self, now: Quarters) -> Option<What> {
        let Some(rule) = self.settings.count else {
            return (self.active != self.condition).then(|| self.turn());
        };
        // Without a verdict nothing is known of the condition.
        let known = self.verdicts.last().map(|(_, place)| *place);
        if known.is_none_or(|place| place == Where::Unknown) {
            return None;
        }
        let young = |t: &&Quarters| span(now - **t) < rule.within;
        let enough = self.became.iter().filter(young).count() >= usize::from(rule.times);
        let gone = !self.condition && self.run().is_none();
        let turns = if self.active { !enough && gone } else { enough };
        turns.then(|| self.turn())
    }

    pub(super) fn state(&self) -> AlarmState {
        match (self.active, self.latched, self.acknowledged) {
            (true, _, false) => AlarmState::Unacknowledged,
            (true, _, true) => AlarmState::Acknowledged,
            (false, true, false) => AlarmState::LatchedUnacknowledged,
            (false, true, true) => AlarmState::LatchedAcknowledged,
            (false, false, false) => AlarmState::ReturnedUnacknowledged,
            (false, false, true) => AlarmState::Normal,
        }
    }

    fn turn(&mut self) -> What {
        self.active = !self.active;
        if self.active {
            if !self.acknowledged {
                self.open.push(self.occurrence);
            } else if self.occurrence > 0 {
                self.recognised.push(self.occurrence);
            }
            self.occurrence += 1;
            self.acknowledged = false;
            self.latched = false;
            return What::Raised;
        }
        self.latched = self.settings.latching;
        self.acknowledged |= !self.settings.ack_required;
        What::Cleared
    }
}
