//! What a device says of itself, and what its value is worth then (alarm-standards 2.13, NAMUR NE 107).
//!
//! ```text
//!  status points ──┐ the worst of what they say     a reading that says it itself
//!                  ▼                                  │
//!  good            │ as it was read                   │ counts for this reading, from
//!  maintenance     │ as it was read, and `maintenance`│ where it is taken in
//!  out of spec     │ uncertain (sensor_not_accurate)  │
//!  not known       │ uncertain (sub_normal)           │
//!  function check  │ bad (out_of_service)             │
//!  failure         ▼ bad (device_failure)             ▼
//! ```
//!
//! A status that is bad, stale, doubtful, not heard yet or of a value that stands in no list is no clean
//! bill: the point is uncertain. It is judged all the same, and raises what it must; only what asks for good
//! evidence, as slopes and resets, does without it.
//!
//! What is bad is so at once, before the next reading; that it is good again needs a fresh reading and
//! `good_confirm`, as after any fault. A device and its status are two readings: a value that comes before
//! the status which takes it back has been judged by then.

use super::Engine;
use super::delay::Zone;
use super::links::{Dependent, Source, Wiring};
use super::quality::Condition;
use super::reading::{Fault, Health, Quality, Sample};
use super::settings::HealthRule;
use super::settings::{AlarmKind, PointSettings};
use super::time::Moment;

/// What the device of one point says of itself.
#[derive(Debug)]
pub(super) struct SelfCheck {
    rules: Box<[HealthRule]>,
    /// What its status points say, the worst of it.
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
            says: if settings.health.is_empty() {
                Health::Good
            } else {
                Health::Unknown
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
        let says = self.health_of(index);
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
    fn health_of(&self, index: usize) -> Health {
        let rules = self.points[index].check.rules.iter();
        let said = rules.map(|rule| {
            let status = self.points.get(rule.from.0 as usize);
            let sample = status.and_then(|status| status.channel.shown());
            let Some((sample, value)) = sample.and_then(|sample| Some((sample, sample.value()?)))
            else {
                return Health::Unknown;
            };
            let said = rule.says(value.get());
            match sample.quality() {
                Quality::Good => said,
                Quality::Uncertain | Quality::Bad => said.max(Health::Unknown),
            }
        });
        said.max().unwrap_or(Health::Good)
    }

    /// The device says that there is no value. Of a silent one the silence stays the reason.
    fn fail(&mut self, index: usize, fault: Fault, now: Moment) {
        let channel = &mut self.points[index].channel;
        match channel.condition {
            Condition::Stale | Condition::Bad(Fault::NoCommunication) => {}
            Condition::Waiting | Condition::Present | Condition::Bad(_) => {
                channel.confirm_due = None;
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
            Health::Unknown | Health::FunctionCheck | Health::Failure => Zone::Unknown,
        };
        self.advance(alarm, zone, now);
    }
}
