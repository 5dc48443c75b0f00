//! From a verdict to a confirmed condition: the delays of an alarm, and its count where it has one.

use super::Engine;
use super::agenda::Timer;
use super::delay::{Confirmed, Delays, Phase, Zone};
use super::links::Source;
use super::occurrence::Alarm;
use super::time::{Moment, Mono, spoken};
use super::timer_index;

impl Alarm {
    /// How far the condition itself is confirmed, whether it is counted or not.
    pub(super) fn delayed(&self) -> Phase {
        self.count.as_ref().map_or(self.phase, |count| count.phase)
    }

    /// Is the condition true, or was it and is not confirmed gone?
    pub(super) fn has_begun(&self) -> bool {
        self.phase != Phase::Idle || self.delayed() != Phase::Idle
    }

    fn is_due(&self, now: Mono) -> bool {
        match self.phase {
            Phase::Pending { due } | Phase::Clearing { due } => due <= now,
            Phase::Idle | Phase::Active => false,
        }
    }

    /// Is it raised at this very instant, unless something comes between?
    pub(super) fn raises_now(&self, now: Mono) -> bool {
        matches!(self.phase, Phase::Pending { .. }) && self.is_due(now)
    }

    /// Is it cleared at this very instant, unless something comes between?
    pub(super) fn clears_now(&self, now: Mono) -> bool {
        matches!(self.phase, Phase::Clearing { .. }) && self.is_due(now)
    }

    /// What may be about to clear does not.
    fn hold(&mut self) {
        match &mut self.count {
            Some(count) => count.hold(),
            None => self.phase.hold(),
        }
    }

    /// A running delay begins anew at `now`.
    pub(super) fn restart_delay(&mut self, now: Mono) {
        let delays = self.delays;
        match &mut self.count {
            Some(count) => count.phase.restart(delays, now),
            None => self.phase.restart(delays, now),
        }
    }

    /// Takes up that it was active before this run.
    pub(super) fn resume_active(&mut self) {
        self.phase = Phase::Active;
        if let Some(count) = &mut self.count {
            count.phase = Phase::Active;
        }
    }

    fn judge(&mut self, zone: Zone, now: Mono) -> Option<Confirmed> {
        let Some(count) = &mut self.count else {
            self.prove(zone);
            return self.phase.judge(zone, self.delays, now);
        };
        let zone = count.judge(zone, self.delays, now);
        self.prove(zone);
        self.phase.judge(zone, Delays::NONE, now)
    }

    /// The present rule finds it true: what ends it from now on is the process.
    fn prove(&mut self, zone: Zone) {
        if zone == Zone::Beyond
            && let Some(episode) = &mut self.episode
        {
            episode.unproven = false;
        }
    }

    fn expire(&mut self, due: Mono) -> Option<Confirmed> {
        let Some(count) = &mut self.count else {
            return self.phase.expire(due);
        };
        let zone = count.expire(due);
        self.prove(zone);
        self.phase.judge(zone, Delays::NONE, due)
    }
}

impl Engine {
    /// Hands a verdict to the delays of an alarm.
    pub(super) fn advance(&mut self, index: usize, zone: Zone, now: Moment) {
        let was_due = self.alarms[index].is_due(now.mono);
        match self.alarms[index].judge(zone, now.mono) {
            Some(confirmed) => self.confirm(index, confirmed, now),
            None => {
                self.take_back(index, was_due, now);
                self.arm_delay(index);
            }
        }
        self.arm_count(index, now);
    }

    /// What may be about to clear does not.
    pub(super) fn hold(&mut self, index: usize, now: Moment) {
        let was_due = self.alarms[index].is_due(now.mono);
        self.alarms[index].hold();
        self.take_back(index, was_due, now);
    }

    /// Nothing is on its way any more.
    pub(super) fn stand_down(&mut self, index: usize, now: Moment) {
        let was_due = self.alarms[index].is_due(now.mono);
        self.alarms[index].phase = Phase::Idle;
        self.take_back(index, was_due, now);
    }

    /// Whoever counted on a raise or a clear that was due at this very instant hears that it does not come.
    fn take_back(&mut self, index: usize, was_due: bool, now: Moment) {
        if was_due && !self.alarms[index].is_due(now.mono) {
            self.links.touch(Source::Alarm(index));
        }
    }

    /// The agenda's entry of a delay comes up; the delay may have been stopped or begun anew meanwhile.
    pub(super) fn end_delay(&mut self, index: usize, timer: Timer, due: Mono, now: Moment) {
        let alarm = &mut self.alarms[index];
        alarm.armed = false;
        if alarm.delayed().timer(timer_index(index)) != Some((due, timer)) {
            self.arm_delay(index);
            return;
        }
        if let Some(confirmed) = alarm.expire(due) {
            self.confirm(index, confirmed, now);
        }
        self.arm_count(index, now);
    }

    /// Sees to it that a running delay ends. An entry that is there already is not later than it: the
    /// delays of an alarm do not change, and a raise lies between an on-delay and an off-delay.
    fn arm_delay(&mut self, index: usize) {
        let alarm = &mut self.alarms[index];
        let timer = alarm.delayed().timer(timer_index(index));
        if let (false, Some((due, timer))) = (alarm.armed, timer) {
            alarm.armed = true;
            self.agenda.push(due, timer);
        }
    }

    /// Sees to it that an alarm that counts is looked at when its instants are old.
    fn arm_count(&mut self, index: usize, now: Moment) {
        self.remember_count(index, now);
        let alarm = &mut self.alarms[index];
        let Some(count) = &mut alarm.count else {
            return;
        };
        if let Some(ends) = count.ends().filter(|ends| *ends > now.mono)
            && alarm.phase.in_alarm()
            && !count.armed
        {
            count.armed = true;
            self.agenda.push(ends, Timer::Look(timer_index(index)));
        }
    }

    /// The agenda's entry of a count comes up; there may be younger instants meanwhile.
    pub(super) fn look_at_count(&mut self, index: usize, now: Moment) {
        let alarm = &mut self.alarms[index];
        let Some(count) = &mut alarm.count else {
            return;
        };
        count.armed = false;
        let zone = count.zone(now.mono);
        if let Some(confirmed) = alarm.phase.judge(zone, Delays::NONE, now.mono) {
            self.confirm(index, confirmed, now);
        }
        self.arm_count(index, now);
    }

    /// `3 times within 10 min`.
    pub(super) fn told_of_count(&self, alarm: usize) -> Option<String> {
        let rule = self.alarms[alarm].count.as_ref()?.rule;
        let within = spoken(rule.within.as_secs_f64());
        Some(format!("{} times within {within}", rule.times))
    }
}
