//! From a value to a confirmed condition: the rules say where it lies, the delays when that is certain, the
//! life cycle what it means. Whether there is a value is told in [`presence`](super::presence).

use super::alarm::{Input, Standing, Step, transition};
use super::delay::{Confirmed, Zone};
use super::effect::Cause;
use super::links::Source;
use super::occurrence::Alarm;
use super::reading::Sample;
use super::rule::{Company, Look, Watch};
use super::settings::AlarmKind;
use super::time::{Moment, Mono};
use super::{Engine, Point};

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
            if believed && self.end_by_config(alarm, zone, look, now) {
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
        let mut company = self.company(point, alarm);
        company.doubted |= self.points[point].channel.aside.is_some();
        let Self { points, alarms, .. } = self;
        let watch = &mut alarms[alarm].watch;
        watch.zone(look, &points[point].trends, company)
    }

    /// What else goes on at the point of an alarm, for rules that ask. Alarms on the value itself come
    /// first in a point's order, so that they have seen the same sample.
    pub(super) fn company(&self, point: usize, alarm: usize) -> Company {
        let nothing = Company::default();
        let watch = &self.alarms[alarm].watch;
        if let Watch::Deviation(_) = watch {
            return Company {
                reference: self.reference(alarm),
                doubted: self.is_reference_doubted(alarm),
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
                let left = alarm.begin(now, value, self.points[point].hidden.priority);
                alarm.seen_at(self.points[point].channel.source_now(now), confirmed);
                alarm.state = state;
                self.report_raise(index, left, now);
                self.raise_held(index, now);
            }
            Step::Cleared | Step::ClearedUnattended => {
                let episode = alarm.episode.as_ref();
                let cause = match episode.is_some_and(|episode| episode.unproven) {
                    true => Cause::Config,
                    false => Cause::Process,
                };
                self.clear(index, cause, now);
            }
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
