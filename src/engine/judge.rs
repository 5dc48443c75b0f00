//! From a live reading (or its absence) to a confirmed condition: the point's condition decides
//! whether there is a value to judge, the rules say where it lies, the delays when that is certain,
//! the life cycle what it means.

use std::time::Duration;

use super::agenda::Timer;
use super::alarm::{Input, Standing, Step, transition};
use super::delay::{Confirmed, Zone};
use super::effect::Cause;
use super::links::Source;
use super::occurrence::Alarm;
use super::quality::{Condition, Doubtful};
use super::reading::{Doubt, Fault, Sample};
use super::rule::{Company, Look, Watch};
use super::settings::AlarmKind;
use super::time::{Moment, Mono};
use super::{Engine, Point, Sight, timer_index};

impl Point {
    /// What its rules see of a value; nothing of one that is bad.
    pub(super) fn look(&self, sample: Sample, taken: Option<Mono>, now: Mono) -> Option<Look> {
        let value = sample.value()?;
        let holds = |stale_after| self.channel.last_fresh + stale_after;
        Some(Look {
            value: self.held_at.unwrap_or(value),
            sample,
            taken,
            until: self.stale_after.map_or(Mono::NEVER, holds),
            now,
            held: self.held_at.is_some(),
        })
    }
}

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
        match channel.condition {
            Condition::Waiting | Condition::Present => self.believe(index, sample, taken, now),
            Condition::Bad(_) | Condition::Stale => {
                channel.sample = Some(sample);
                self.await_confirmation(index, now);
            }
        }
    }

    /// There is a value to judge.
    fn believe(&mut self, index: usize, sample: Sample, taken: Mono, now: Moment) {
        let confirm = self.points[index].good_confirm;
        let channel = &mut self.points[index].channel;
        channel.sample = Some(sample);
        let first = channel.condition == Condition::Waiting;
        channel.condition = Condition::Present;
        let sample = self.watch_movement(index, sample, taken, now);
        let channel = &mut self.points[index].channel;
        channel.sample = Some(sample);
        let changed = channel.mark(sample, now.mono, confirm);
        if first || changed {
            self.links.touch(Source::Condition(index));
        }
        self.judge(index, sample, Some(taken), changed, now);
    }

    /// A reading that is not believed yet. The value before it holds, but is no evidence: nothing
    /// clears, and a point that was bad is not good again.
    pub(super) fn set_aside(&mut self, index: usize, now: Moment) {
        self.arm_stale(index);
        let point = &mut self.points[index];
        point.channel.confirm_due = None;
        if let (Some(aside), false) = (point.channel.aside, point.channel.aside_armed) {
            point.channel.aside_armed = true;
            let due = aside.due(&point.channel);
            self.agenda.push(due, Timer::Aside(timer_index(index)));
        }
        let last = point.channel.shown().and_then(Sample::value);
        let changed = last.is_some_and(|last| {
            let held = Sample::Uncertain(last, Doubt::LastUsableValue);
            point.channel.mark(held, now.mono, point.good_confirm)
        });
        if changed {
            self.links.touch(Source::Condition(index));
        }
        for alarm in point.alarms.clone() {
            self.hold(alarm, now);
            if changed {
                self.report_quality(alarm, true, now);
            }
        }
    }

    /// The agenda's entry of what is set aside comes up; another may have taken its place.
    pub(super) fn end_aside(&mut self, index: usize, due: Mono, now: Moment) {
        let point = &mut self.points[index];
        point.channel.aside_armed = false;
        let Some(aside) = point.channel.aside else {
            return;
        };
        let lasted = aside.due(&point.channel);
        if lasted > due {
            point.channel.aside_armed = true;
            self.agenda.push(lasted, Timer::Aside(timer_index(index)));
            return;
        }
        match aside.what {
            Doubtful::FaultCurrent => {
                self.lose_value(index, Condition::Bad(Fault::SensorFailure), now);
            }
            Doubtful::Step(sample, taken) => {
                point.channel.aside = None;
                self.believe(index, sample, taken, now);
            }
        }
    }

    /// A point that was bad or stale delivers again; it is believed after `good_confirm`.
    fn await_confirmation(&mut self, index: usize, now: Moment) {
        let point = &mut self.points[index];
        if point.good_confirm.is_zero() {
            self.regain_value(index, now);
        } else if point.channel.confirm_due.is_none() {
            let due = now.mono + point.good_confirm;
            point.channel.confirm_due = Some(due);
            if !point.channel.confirm_armed {
                point.channel.confirm_armed = true;
                self.agenda.push(due, Timer::Confirm(timer_index(index)));
            }
        }
    }

    /// The agenda's entry of a confirmation comes up; the confirmation may have begun anew meanwhile.
    pub(super) fn end_confirmation(&mut self, index: usize, due: Mono, now: Moment) {
        let channel = &mut self.points[index].channel;
        channel.confirm_armed = false;
        match channel.confirm_due {
            Some(moved) if moved > due => {
                channel.confirm_armed = true;
                self.agenda.push(moved, Timer::Confirm(timer_index(index)));
            }
            Some(_) => self.regain_value(index, now),
            None => {}
        }
    }

    /// The value is believed again, and judged as it stands. It is not a new sample: a slope is
    /// drawn through samples only.
    fn regain_value(&mut self, index: usize, now: Moment) {
        self.points[index].hidden = Sight::default();
        let channel = &mut self.points[index].channel;
        channel.confirm_due = None;
        channel.condition = Condition::Present;
        if let Some(sample) = channel.sample {
            let sample = self.worth(index, sample);
            let channel = &mut self.points[index].channel;
            channel.sample = Some(sample);
            channel.mark(sample, now.mono, Duration::ZERO);
            self.links.touch(Source::Condition(index));
            self.judge(index, sample, None, true, now);
        }
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
        point.channel.aside = None;
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
    fn lose_value(&mut self, index: usize, condition: Condition, now: Moment) {
        let was = std::mem::replace(&mut self.points[index].channel.condition, condition);
        let had_value = matches!(was, Condition::Waiting | Condition::Present);
        if had_value {
            // Kept until there is a value again: the alarm that tells of it may have a delay.
            self.points[index].hidden = self.hazards_in_sight(index);
        }
        if was != condition {
            self.links.touch(Source::Condition(index));
            self.links.touch(Source::Value(index));
        }
        let other_reason = (self.points[index].channel).other_reason(had_value, now.mono);
        for alarm in self.points[index].alarms.clone() {
            let own = &mut self.alarms[alarm];
            let known = own.state.is_active() && !own.watch.is_process();
            own.watch.lose(now.mono);
            let zone = own.watch.zone_without_value(condition, now.mono);
            self.advance(alarm, zone, now);
            if known && zone == Zone::Beyond && other_reason {
                self.report_change(alarm, now);
            }
        }
        if had_value {
            for alarm in self.points[index].alarms.clone() {
                self.report_quality(alarm, true, now);
            }
        }
    }

    /// Judges a value by every rule of its point. `taken` is its time on the rules' windows, absent for
    /// a value that was judged before. `changed`: its quality is another than before, which occurrences
    /// that go on are marked with.
    pub(super) fn judge(
        &mut self,
        index: usize,
        sample: Sample,
        taken: Option<Mono>,
        changed: bool,
        now: Moment,
    ) {
        let Some(look) = self.points[index].look(sample, taken, now.mono) else {
            return;
        };
        // Good samples only: a doubtful value may be shown and compared, but bends no line, and one that
        // was judged before is no sample.
        if let (Sample::Good(value), Some(taken), false) = (look.sample, look.taken, look.held) {
            for trend in &mut self.points[index].trends {
                trend.learn(taken, value);
            }
            self.remember_slopes(index, now);
        }
        self.links.touch(Source::Value(index));
        let mut waiting = false;
        for alarm in self.points[index].alarms.clone() {
            if self.alarms[alarm].waits {
                waiting = true;
            } else {
                self.judge_alarm((index, alarm), &look, changed, now);
            }
        }
        if waiting {
            for alarm in self.points[index].alarms.clone() {
                if self.alarms[alarm].waits {
                    self.judge_alarm((index, alarm), &look, changed, now);
                }
            }
        }
    }

    /// Judges a value by the rule of one alarm of its point.
    fn judge_alarm(
        &mut self,
        (index, alarm): (usize, usize),
        look: &Look,
        changed: bool,
        now: Moment,
    ) {
        if self.alarms[alarm].watch.is_judged_apart() {
            return;
        }
        self.alarms[alarm].watch.learn(look);
        if self.alarms[alarm].watch.is_memory_due(now.mono) {
            self.remember_usual(alarm, now);
        }
        let zone = if matches!(self.alarms[alarm].watch, Watch::Clock) {
            self.points[index].channel.clock_zone()
        } else {
            self.zone(index, alarm, look)
        };
        let Alarm { phase, state, .. } = &self.alarms[alarm];
        let was_active = state.is_active();
        if phase.in_alarm() {
            self.alarms[alarm].follow(look.value);
            self.alarms[alarm].follow_exposure(now.mono);
            let believed = matches!(look.sample, Sample::Good(_));
            if believed && self.end_by_config(alarm, zone, look.sample, now) {
                return;
            }
        }
        if let Some(before) = self.was_about_to(index, alarm, zone) {
            let taken = self.points[index].channel.source_now(now);
            self.add_excursion(index, alarm, before, taken, now);
        } else {
            self.advance(alarm, zone, now);
        }
        if changed && was_active {
            self.report_quality(alarm, false, now);
        }
    }

    /// Judges one alarm by the value there is, because what it looks at elsewhere has changed. It is
    /// no new sample of its own point.
    pub(super) fn judge_again(&mut self, index: usize, now: Moment) {
        let point = self.point_of(index);
        let own = &self.points[point];
        let condition = own.channel.condition;
        let shown = own.channel.shown();
        let zone = match shown.and_then(|sample| own.look(sample, None, now.mono)) {
            Some(look) => self.zone(point, index, &look),
            None => {
                let watch = &mut self.alarms[index].watch;
                watch.zone_without_value(condition, now.mono)
            }
        };
        self.advance(index, zone, now);
        self.report_reference(index, now);
        self.arm_movement(index, now);
    }

    /// Where a value of a point lies with respect to one of its alarms.
    pub(super) fn zone(&mut self, point: usize, alarm: usize, look: &Look) -> Zone {
        let company = self.company(point, alarm);
        let Self { points, alarms, .. } = self;
        let watch = &mut alarms[alarm].watch;
        watch.zone(look, &points[point].trends, company)
    }

    /// What else goes on at the point of an alarm, for rules that ask. Alarms on the value itself come
    /// first in a point's order, so that they have seen the same sample.
    fn company(&self, point: usize, alarm: usize) -> Company {
        let nothing = Company::default();
        let watch = &self.alarms[alarm].watch;
        if let Watch::Deviation(_) = watch {
            return Company {
                reference: self.reference(alarm),
                ..nothing
            };
        }
        if let Some((gate, so_far)) = watch.gate() {
            return Company {
                must_move: self.holds(gate, so_far),
                ..nothing
            };
        }
        let Watch::Forecast(forecast) = watch else {
            return nothing;
        };
        let own = &self.alarms[self.points[point].alarms.clone()];
        let begun = |kind| {
            own.iter()
                .any(|alarm| alarm.kind == kind && alarm.has_begun())
        };
        Company {
            limit_passed: begun(forecast.rule.to.kind()),
            over_range: begun(AlarmKind::OverRange),
            ..nothing
        }
    }

    /// A condition has become certain: runs the life cycle and reports.
    pub(super) fn confirm(&mut self, index: usize, confirmed: Confirmed, now: Moment) {
        let input = match confirmed {
            Confirmed::Raise => Input::Raise,
            Confirmed::Clear => Input::Clear,
        };
        if confirmed == Confirmed::Raise {
            self.hold_value(index);
            // What silences it at this very instant does so before anybody is told.
            self.suppress_in_time(index, now);
        }
        let doubted = self.weigh_again(index, now);
        let value = self.value_for(index, now);
        let point = self.point_of(index);
        let alarm = &mut self.alarms[index];
        let Ok((Standing { state, .. }, step)) = transition(alarm.standing(), input, alarm.traits)
        else {
            debug_assert!(false, "raise and clear are never refused");
            return;
        };
        self.links.touch(Source::Alarm(index));
        match step {
            Step::Raised => {
                alarm.begin(now, value, self.points[point].hidden.priority);
                alarm.seen_at(self.points[point].channel.source_now(now), confirmed);
                alarm.state = state;
                self.report_raise(index, now);
                self.raise_held(index, now);
            }
            Step::Cleared | Step::ClearedUnattended => self.clear(index, Cause::Process, now),
            Step::Nothing
            | Step::Acknowledged
            | Step::AlreadyAcknowledged
            | Step::Reset
            | Step::Realarmed
            | Step::Covered
            | Step::Uncovered
            | Step::Resurfaced => alarm.state = state,
        }
        if doubted {
            self.report_worth(index, now);
        }
    }

    /// The condition of an active alarm has ended.
    pub(super) fn clear(&mut self, index: usize, cause: Cause, now: Moment) {
        let point = self.point_of(index);
        let alarm = &mut self.alarms[index];
        let Ok((Standing { state, .. }, step)) =
            transition(alarm.standing(), Input::Clear, alarm.traits)
        else {
            debug_assert!(false, "a clear is never refused");
            return;
        };
        let lasted = alarm.end(now);
        alarm.seen_at(self.points[point].channel.source_now(now), Confirmed::Clear);
        alarm.state = state;
        if step == Step::ClearedUnattended {
            alarm.acknowledge("system", now);
        }
        self.links.touch(Source::Alarm(index));
        self.report_clear(index, lasted, cause, now);
        self.end_one_shot(index, now);
    }
}
