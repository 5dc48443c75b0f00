//! What a device says of itself, and what its value is worth then (alarm-standards 2.13, NAMUR NE 107).
//!
//! ```text
//!  status points ──┐ the worst of what they say     a reading that says it itself
//!                  ▼                                  │
//!  good            │ as it was read                   │ counts for this reading, from
//!  maintenance     │ as it was read, and `maintenance`│ where it is taken in
//!  out of spec     │ uncertain (sensor_not_accurate)  │
//!  not known       │ uncertain (sub_normal)           │
//!  not heard yet   │ uncertain (status_not_heard)     │
//!  function check  │ bad (out_of_service)             │
//!  failure         ▼ bad (device_failure)             ▼
//! ```
//!
//! A status that is bad, stale, doubtful or of a value that stands in no list is no clean
//! bill: the point is uncertain. It is judged all the same, and raises what it must; only what asks for good
//! evidence, as slopes and resets, does without it.
//!
//! But it takes back nothing. What a status point said last of a failure or a function check counts until
//! it says something else, beyond doubt: a detector is not well again because the line to its status broke.
//! Nobody keeps that word over a restart of the gateway. So until each status point has said something since,
//! a value may raise an alarm, and ends none, nor the alarm about the missing value.
//!
//! What is bad is so at once, before the next reading; that it is good again needs a fresh reading and
//! `good_confirm`, as after any fault. A device and its status are two readings: a value that comes before
//! the status which takes it back has been judged by then.

use super::delay::Zone;
use super::links::{Dependent, Source, Wiring};
use super::quality::Condition;
use super::reading::{Fault, Health, Sample};
use super::rule::Watch;
use super::settings::HealthRule;
use super::settings::{AlarmKind, PointSettings};
use super::time::Moment;
use super::{Engine, Point};

/// What the device of one point says of itself.
#[derive(Debug)]
pub(super) struct SelfCheck {
    rules: Box<[HealthRule]>,
    /// What each of its status points says, or said last of a fault; in the order of `rules`.
    words: Box<[Health]>,
    /// The worst of it.
    says: Health,
    /// The alarm that says that it wants to be looked after.
    maintenance: Option<usize>,
    /// What the newest reading itself says.
    read: Health,
}

impl SelfCheck {
    /// Of a point whose alarms begin at `first`.
    pub(super) fn new(settings: &PointSettings, first: usize) -> Self {
        let mut kinds = settings.alarms.iter().map(|alarm| alarm.kind());
        Self {
            rules: settings.health.clone().into(),
            words: settings.health.iter().map(|_| Health::NotHeard).collect(),
            says: if settings.health.is_empty() {
                Health::Good
            } else {
                Health::NotHeard
            },
            maintenance: kinds
                .position(|kind| kind == AlarmKind::Maintenance)
                .map(|position| first + position),
            read: Health::Good,
        }
    }

    /// What a sample is worth by what the device says.
    pub(super) fn weigh(&self, sample: Sample) -> Sample {
        self.says.weigh(sample)
    }

    /// Is there a status point that has said nothing since the start?
    pub(super) fn is_unheard(&self) -> bool {
        self.words.contains(&Health::NotHeard)
    }

    /// Who touches the point `own`, and what its judging touches. `alarms` are its own.
    pub(super) fn wire(&self, own: usize, alarms: std::ops::Range<usize>, wiring: &mut Wiring) {
        let dependent = Dependent::Health(own);
        for rule in &self.rules {
            let from = rule.from.0 as usize;
            wiring.input(Source::Value(from), dependent);
            wiring.input(Source::Condition(from), dependent);
        }
        if self.rules.is_empty() {
            return;
        }
        wiring.output(dependent, Source::Value(own));
        wiring.output(dependent, Source::Condition(own));
        for alarm in alarms {
            wiring.output(dependent, Source::Alarm(alarm));
        }
    }
}

impl Engine {
    /// A status point of `index` has changed.
    pub(super) fn judge_health(&mut self, index: usize, now: Moment) {
        let says = self.hear_status(index);
        let was = std::mem::replace(&mut self.points[index].check.says, says);
        if was == says {
            return;
        }
        match says.fault() {
            Some(fault) => self.fail(index, fault, now),
            None => self.weigh_present(index, now),
        }
        self.judge_maintenance(index, now);
    }

    /// What the status points of a point say, the worst of it.
    fn hear_status(&mut self, index: usize) -> Health {
        for position in 0..self.points[index].check.rules.len() {
            let word = self.word_of(index, position);
            self.points[index].check.words[position] = word;
        }
        let words = self.points[index].check.words.iter();
        words.copied().max().unwrap_or(Health::Good)
    }

    /// What one status point says; its last word of a fault, or that it has said nothing yet, unless what it
    /// says now is beyond doubt.
    fn word_of(&self, index: usize, position: usize) -> Health {
        let check = &self.points[index].check;
        let (rule, before) = (&check.rules[position], check.words[position]);
        let status = self.points.get(rule.from.0 as usize);
        let shown = status.and_then(|status| status.channel.shown());
        let said = shown.and_then(|sample| Some((rule.says(sample.value()?.get()), sample)));
        match said {
            Some((said, Sample::Good(_))) if said != Health::Unknown => said,
            Some((said, _)) => said.max(Health::Unknown).max(before),
            None => Health::Unknown.max(before),
        }
    }

    /// Does its alarm about the missing value hold though there is a value, because its status is not heard?
    pub(super) fn is_still_lost(&self, index: usize) -> bool {
        let Point { check, alarms, .. } = &self.points[index];
        let mut own = self.alarms[alarms.clone()].iter();
        check.is_unheard()
            && own.any(|own| matches!(own.watch, Watch::Bad) && own.state.is_active())
    }

    /// The device says that there is no value. Of a silent one the silence stays the reason.
    fn fail(&mut self, index: usize, fault: Fault, now: Moment) {
        let channel = &mut self.points[index].channel;
        channel.confirm_due = None;
        match channel.condition {
            Condition::Stale | Condition::Bad(Fault::NoCommunication) => {}
            Condition::Waiting | Condition::Present | Condition::Bad(_) => {
                channel.aside = None;
                self.lose_value(index, Condition::Bad(fault), now);
            }
        }
    }

    /// The value there is, if there is one, is worth something else.
    fn weigh_present(&mut self, index: usize, now: Moment) {
        let channel = &self.points[index].channel;
        let (Some(before), Some(as_read)) = (channel.shown(), channel.as_read) else {
            return;
        };
        let worth = self.worth(index, as_read);
        if worth == before {
            return;
        }
        let point = &mut self.points[index];
        point.channel.sample = Some(worth);
        let changed = point.channel.mark(worth, now.mono, point.good_confirm);
        if changed {
            self.links.touch(Source::Condition(index));
        }
        self.judge(index, worth, None, changed, now);
    }

    /// The newest reading of a point says itself how its device is. What that makes of the value is seen to
    /// where readings are taken in.
    pub(super) fn hear_health(&mut self, index: usize, health: Health, now: Moment) {
        self.points[index].check.read = health;
        self.judge_maintenance(index, now);
    }

    fn judge_maintenance(&mut self, index: usize, now: Moment) {
        let check = &self.points[index].check;
        let Some(alarm) = check.maintenance else {
            return;
        };
        let asks = [check.says, check.read].contains(&Health::Maintenance);
        let zone = match check.says.max(check.read) {
            Health::Maintenance => Zone::Beyond,
            Health::OutOfSpecification if asks => Zone::Beyond,
            Health::Good | Health::OutOfSpecification => Zone::Inside,
            Health::Unknown | Health::NotHeard | Health::FunctionCheck | Health::Failure => {
                Zone::Unknown
            }
        };
        self.advance(alarm, zone, now);
    }
}
