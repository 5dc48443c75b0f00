//! A value that does not move: what it is worth then. Whether it moves is told in
//! [`rule::frozen`](super::rule::frozen).
//!
//! The alarm is judged before the others of its point, because it says what they see: while it is
//! active the value is *uncertain* (`frozen`). So limits still judge it, but it bends no line, is
//! compared with no other channel, and is no evidence for a reset.

use super::Engine;
use super::agenda::Timer;
use super::gate;
use super::links::Source;
use super::reading::{Doubt, Sample};
use super::rule::Watch;
use super::time::{Moment, Mono, spoken};
use super::timer_index;

impl Engine {
    /// A believed value of a point, taken at `taken`: has it moved? Gives it as it is worth.
    pub(super) fn watch_movement(
        &mut self,
        point: usize,
        sample: Sample,
        taken: Mono,
        now: Moment,
    ) -> Sample {
        if let Some(alarm) = self.points[point].frozen
            && let Some(look) = self.points[point].look(sample, Some(taken), now.mono)
        {
            let zone = self.zone(point, alarm, &look);
            self.advance(alarm, zone, now);
            self.arm_movement(alarm, now);
        }
        self.worth(point, sample)
    }

    /// The agenda's entry of a run comes up; the run may have begun anew meanwhile.
    pub(super) fn look_for_movement(&mut self, alarm: usize, now: Moment) {
        if let Watch::Frozen(frozen) = &mut self.alarms[alarm].watch {
            frozen.armed = false;
        }
        // What is not believed yet may be the movement: the next value decides.
        if self.points[self.point_of(alarm)].channel.aside.is_none() {
            self.judge_again(alarm, now);
        }
        self.arm_movement(alarm, now);
    }

    /// Sees to it that the end of the run comes up. Costs nothing while an entry is there: it moves then.
    pub(super) fn arm_movement(&mut self, alarm: usize, now: Moment) {
        if let Watch::Frozen(frozen) = &mut self.alarms[alarm].watch
            && let Some(due) = frozen.due().filter(|due| *due > now.mono)
            && !frozen.armed
        {
            frozen.armed = true;
            self.agenda.push(due, Timer::Look(timer_index(alarm)));
        }
    }

    /// What was read of a point as it is worth: doubtful while it is found frozen, or its device does not say
    /// that it is well.
    pub(super) fn worth(&self, point: usize, as_read: Sample) -> Sample {
        let frozen = self.points[point].frozen;
        let frozen = frozen.is_some_and(|alarm| self.alarms[alarm].phase.in_alarm());
        let sample = match as_read {
            Sample::Good(value) if frozen => Sample::Uncertain(value, Doubt::Frozen),
            Sample::Good(_) | Sample::Uncertain(..) | Sample::Bad(_) => as_read,
        };
        self.points[point].check.weigh(sample)
    }

    /// `alarm` became active, or is over: if it is about movement, the value it was judged by is worth
    /// something else now. Says whether people must be told so.
    pub(super) fn weigh_again(&mut self, alarm: usize, now: Moment) -> bool {
        let index = self.point_of(alarm);
        if self.points[index].frozen != Some(alarm) {
            return false;
        }
        let channel = &self.points[index].channel;
        let Some(as_read) = channel.shown().and(channel.as_read) else {
            return false;
        };
        let worth = self.worth(index, as_read);
        let point = &mut self.points[index];
        point.channel.sample = Some(worth);
        let changed = point.channel.mark(worth, now.mono, point.good_confirm);
        if changed {
            self.links.touch(Source::Condition(index));
        }
        changed
    }

    /// Marks the occurrences of a point that go on while its value is worth something else.
    pub(super) fn report_worth(&mut self, frozen: usize, now: Moment) {
        for alarm in self.points[self.point_of(frozen)].alarms.clone() {
            if alarm != frozen {
                self.report_quality(alarm, false, now);
            }
        }
    }

    /// `has not moved by more than 0.1 bar for 30 min, although PUMP-7 is 1`.
    pub(super) fn told_of_movement(&self, alarm: usize) -> Option<String> {
        let Watch::Frozen(frozen) = &self.alarms[alarm].watch else {
            return None;
        };
        let rule = &frozen.rule;
        let unit = &self.points[self.point_of(alarm)].unit;
        let tolerance = format!("{} {unit}", rule.tolerance);
        let gate = rule.gate.map_or_else(String::new, |gate| {
            format!(", although {}", gate::words(gate, &self.points))
        });
        Some(format!(
            "has not moved by more than {} for {}{gate}",
            tolerance.trim_end(),
            spoken(rule.after.as_secs_f64())
        ))
    }
}
