//! Is there a value? What a point goes through when its readings are believed, doubted, lost and believed
//! again; the picture is that of [`quality`](super::quality). What a value means is for
//! [`judge`](super::judge) to say.

use std::time::Duration;

use super::agenda::Timer;
use super::delay::Zone;
use super::links::Source;
use super::occurrence::Alarm;
use super::quality::{Condition, Doubtful};
use super::reading::{Doubt, Fault, Sample};
use super::rule::Watch;
use super::time::{Moment, Mono};
use super::{Engine, Point, Sight, timer_index};

impl Engine {
    /// A live reading of a point.
    pub(super) fn accept(&mut self, index: usize, sample: Sample, taken: Mono, now: Moment) {
        self.arm_stale(index);
        let weighed = self.points[index].check.weigh(sample);
        let weighed = self.warm_up(index, weighed, now);
        let channel = &mut self.points[index].channel;
        if let Sample::Bad(fault) = weighed {
            channel.confirm_due = None;
            self.lose_value(index, Condition::Bad(fault), now);
            return;
        }
        match channel.condition {
            Condition::Waiting | Condition::Present => self.believe(index, sample, taken, now),
            Condition::Bad(_) | Condition::Stale => {
                channel.sample = Some(sample);
                channel.as_read = Some(sample);
                self.await_confirmation(index, now);
            }
        }
    }

    /// There is a value to judge.
    fn believe(&mut self, index: usize, sample: Sample, taken: Mono, now: Moment) {
        let confirm = self.points[index].good_confirm;
        let channel = &mut self.points[index].channel;
        channel.sample = Some(sample);
        channel.as_read = Some(sample);
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
        let begins = point
            .channel
            .aside
            .is_some_and(|aside| aside.since == now.mono);
        if changed || begins {
            // Whoever compares with it holds, too.
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
            Doubtful::FaultCurrent(fault) => {
                self.lose_value(index, Condition::Bad(fault), now);
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
        if let Some(sample) = channel.as_read {
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
        match self.points[index].channel.condition {
            Condition::Stale => {}
            // The alarm is there already; silence is only another reason for it.
            Condition::Bad(_) if !self.is_silence_news(index) => {
                self.lose_value(index, Condition::Bad(Fault::NoCommunication), now)
            }
            Condition::Waiting | Condition::Present | Condition::Bad(_) => {
                self.lose_value(index, Condition::Stale, now)
            }
        }
    }

    /// Is the silence of a bad point an alarm of its own? While nobody was told that it is bad, which may have
    /// a long delay: that nothing arrives any more does not wait for it, and ends it, so that there is one
    /// alarm.
    fn is_silence_news(&self, index: usize) -> bool {
        let own = &self.alarms[self.points[index].alarms.clone()];
        let told = |alarm: &Alarm| matches!(alarm.watch, Watch::Bad) && alarm.state.is_active();
        let tells = |alarm: &Alarm| matches!(alarm.watch, Watch::Stale);
        !own.iter().any(told) && own.iter().any(tells)
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

    /// Has an alarm of a point confirmed that its value is lost? Where no alarm is about that, the loss itself
    /// does.
    pub(super) fn is_loss_confirmed(&self, index: usize) -> bool {
        let own = &self.alarms[self.points[index].alarms.clone()];
        let mut losses = own
            .iter()
            .filter(|alarm| alarm.watch.is_about_loss())
            .peekable();
        losses.peek().is_none() || losses.any(|alarm| alarm.state.is_active())
    }

    /// There is no value to judge: alarms hold, pending raises are dropped, the alarm about the
    /// missing value rises and says what it hides.
    pub(super) fn lose_value(&mut self, index: usize, condition: Condition, now: Moment) {
        let was = std::mem::replace(&mut self.points[index].channel.condition, condition);
        let had_value = matches!(was, Condition::Waiting | Condition::Present);
        self.points[index].warm_up.lose(condition);
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
}
