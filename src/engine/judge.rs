//! From a live reading (or its absence) to a confirmed condition: the point's condition decides
//! whether there is a value to judge, the rules say where it lies, the delays when that is certain,
//! the life cycle what it means.

use super::agenda::Timer;
use super::alarm::{Input, Step, transition};
use super::delay::{Confirmed, Phase, Zone};
use super::quality::Condition;
use super::reading::{Fault, Sample};
use super::time::{Moment, Mono};
use super::{Engine, Point, Sight, timer_index};

impl Engine {
    /// A live reading of a point.
    pub(super) fn accept(&mut self, index: usize, sample: Sample, taken: Mono, now: Moment) {
        self.arm_stale(index);
        let channel = &mut self.points[index].channel;
        if let Sample::Bad(fault) = sample {
            channel.confirm_due = None;
            self.lose_value(index, Condition::Bad(fault), now);
            return;
        }
        channel.sample = Some(sample);
        match channel.condition {
            Condition::Waiting | Condition::Present => {
                channel.condition = Condition::Present;
                self.judge(index, sample, Some(taken), now);
            }
            Condition::Bad(_) | Condition::Stale => self.await_confirmation(index, now),
        }
    }

    /// A point that was bad or stale delivers again; it is believed after `good_confirm`.
    pub(super) fn await_confirmation(&mut self, index: usize, now: Moment) {
        let point = &mut self.points[index];
        if point.good_confirm.is_zero() {
            self.regain_value(index, now);
        } else if point.channel.confirm_due.is_none() {
            let due = now.mono + point.good_confirm;
            point.channel.confirm_due = Some(due);
            self.agenda.push(due, Timer::Confirm(timer_index(index)));
        }
    }

    /// The value is believed again, and judged as it stands. It is not a new sample: a slope is
    /// drawn through samples only.
    pub(super) fn regain_value(&mut self, index: usize, now: Moment) {
        let channel = &mut self.points[index].channel;
        channel.confirm_due = None;
        channel.condition = Condition::Present;
        if let Some(sample) = channel.sample {
            self.judge(index, sample, None, now);
        }
        self.report_quality_of_active(index, now);
    }

    pub(super) fn fall_silent(&mut self, index: usize, due: Mono, now: Moment) {
        let point = &mut self.points[index];
        let Some(stale_after) = point.stale_after else {
            return;
        };
        let silent_from = point.channel.last_fresh + stale_after;
        if silent_from > due {
            self.agenda
                .push(silent_from, Timer::Stale(timer_index(index)));
            return;
        }
        point.channel.stale_armed = false;
        point.channel.confirm_due = None;
        match point.channel.condition {
            Condition::Stale => {}
            // The alarm is there already; silence is only another reason for it.
            Condition::Bad(_) => {
                self.lose_value(index, Condition::Bad(Fault::NoCommunication), now)
            }
            Condition::Waiting | Condition::Present => {
                self.lose_value(index, Condition::Stale, now)
            }
        }
    }

    /// Watches for silence. Costs nothing while the timer runs already: it moves when it comes up.
    pub(super) fn arm_stale(&mut self, index: usize) {
        let Point {
            stale_after: Some(stale_after),
            channel,
            ..
        } = &mut self.points[index]
        else {
            return;
        };
        if !channel.stale_armed {
            channel.stale_armed = true;
            let due = channel.last_fresh + *stale_after;
            self.agenda.push(due, Timer::Stale(timer_index(index)));
        }
    }

    /// There is no value to judge: alarms hold, pending raises are dropped, the alarm about the
    /// missing value rises and says what it hides.
    pub(super) fn lose_value(&mut self, index: usize, condition: Condition, now: Moment) {
        let sight = self.hazards_in_sight(index);
        let was = std::mem::replace(&mut self.points[index].channel.condition, condition);
        for alarm in self.points[index].alarms.clone() {
            let known = self.alarms[alarm].state.is_active();
            let zone = self.alarms[alarm].watch.zone_without_value(condition);
            self.advance(alarm, zone, &sight, now);
            if known && zone == Zone::Beyond && was != condition {
                self.report_change(alarm, now);
            }
        }
        if matches!(was, Condition::Waiting | Condition::Present) {
            self.report_quality_of_active(index, now);
        }
    }

    /// Judges a value by every rule of its point. `taken` is its time on the rules' windows.
    pub(super) fn judge(&mut self, index: usize, sample: Sample, taken: Option<Mono>, now: Moment) {
        let Some(value) = sample.value() else {
            return;
        };
        let quality = sample.quality();
        for index in self.points[index].alarms.clone() {
            let alarm = &mut self.alarms[index];
            if let Some(taken) = taken {
                alarm.watch.learn(taken, sample);
            }
            let zone = alarm.watch.zone(value, quality);
            if alarm.phase.in_alarm() {
                alarm.follow(value);
            }
            self.advance(index, zone, &Sight::default(), now);
        }
    }

    /// Hands a verdict to the delays of an alarm.
    pub(super) fn advance(&mut self, index: usize, zone: Zone, sight: &Sight, now: Moment) {
        let alarm = &mut self.alarms[index];
        let before = alarm.phase;
        if let Some(confirmed) = alarm.phase.judge(zone, alarm.delays, now.mono) {
            self.confirm(index, confirmed, sight, now);
        } else if alarm.phase != before {
            match alarm.phase {
                Phase::Pending { due } => self.agenda.push(due, Timer::Raise(timer_index(index))),
                Phase::Clearing { due } => self.agenda.push(due, Timer::Clear(timer_index(index))),
                Phase::Idle | Phase::Active => {}
            }
        }
    }

    /// A condition has become certain: runs the life cycle and reports.
    pub(super) fn confirm(
        &mut self,
        index: usize,
        confirmed: Confirmed,
        sight: &Sight,
        now: Moment,
    ) {
        let input = match confirmed {
            Confirmed::Raise => Input::Raise,
            Confirmed::Clear => Input::Clear,
        };
        let value = self.value_for(index);
        let alarm = &mut self.alarms[index];
        let Ok((state, step)) = transition(alarm.state, input, alarm.traits) else {
            debug_assert!(false, "raise and clear are never refused");
            return;
        };
        match step {
            Step::Raised => {
                alarm.begin(now, value, sight.priority);
                alarm.state = state;
                self.report_raise(index, sight, now);
            }
            Step::Cleared | Step::ClearedUnattended => {
                let lasted = alarm.end(now);
                alarm.state = state;
                if step == Step::ClearedUnattended {
                    alarm.acknowledge("system", now);
                }
                self.report_clear(index, lasted, now);
            }
            Step::Nothing
            | Step::Acknowledged
            | Step::AlreadyAcknowledged
            | Step::Reset
            | Step::Realarmed => alarm.state = state,
        }
    }

    /// What a point whose value is lost hides: hazards that are active, and those on their way.
    pub(super) fn hazards_in_sight(&self, point: usize) -> Sight {
        let mut sight = Sight::default();
        for alarm in &self.alarms[self.points[point].alarms.clone()] {
            if !alarm.watch.is_process() {
                continue;
            }
            match alarm.phase {
                Phase::Idle => continue,
                Phase::Pending { .. } => sight.pending.push(alarm.kind),
                Phase::Active | Phase::Clearing { .. } => sight.held.push(alarm.kind),
            }
            sight.priority = sight.priority.max(Some(alarm.priority));
        }
        sight
    }
}
