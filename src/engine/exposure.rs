//! Average exposure in the engine: it moves with time, also when no value comes, and must outlive the
//! process. What the averages are is told in [`rule::exposure`](super::rule::exposure).

use super::agenda::Timer;
use super::alarm::AlarmState;
use super::command::{Command, Denied, Outcome};
use super::configured::{Kinship, kinship};
use super::delay::Zone;
use super::effect::{Cause, Details, Effect, EventKind};
use super::memory::{Content, Memory};
use super::operate::said;
use super::reading::{Doubt, Quality};
use super::report::six_digits;
use super::rule::Watch;
use super::rule::exposure::{Exposed, Exposure};
use super::settings::{Average, Settings};
use super::snapshot::{ExposureView, History};
use super::time::Moment;
use super::{Engine, timer_index};

impl Engine {
    /// Every average begins to count, with what is remembered of the run before. Numbers of another size
    /// are left out, and the event of the change says so: parts of a million and of a billion have no sum. A
    /// new instrument at the same place is no reason: who stood there took in what the old one saw.
    pub(super) fn begin_exposures(&mut self, settings: &Settings, history: &History, now: Moment) {
        for index in 0..self.alarms.len() {
            let point = &settings.points[self.point_of(index)];
            let alarm = &mut self.alarms[index];
            let Watch::Exposure(exposure) = &mut alarm.watch else {
                continue;
            };
            exposure.begin(now.mono);
            let mut known = history.memories.iter();
            if let Some(memory) = known.find(|memory| memory.alarm == alarm.id)
                && kinship(point, settings, history) != Kinship::Strange
            {
                exposure.restore(memory, now);
            }
            let due = exposure.next_update(now.mono);
            self.agenda.push(due, Timer::Look(timer_index(index)));
        }
    }

    /// Time has passed: the average is another, whether values came or not.
    pub(super) fn update_exposure(&mut self, index: usize, now: Moment) {
        let believed = self.points[self.point_of(index)].channel.can_clear();
        let alarm = &mut self.alarms[index];
        let Watch::Exposure(exposure) = &alarm.watch else {
            debug_assert!(false, "only averages have this timer");
            return;
        };
        let zone = exposure.zone(believed, now.mono);
        let (next, remember) = (
            exposure.next_update(now.mono),
            exposure.is_memory_due(now.mono),
        );
        self.agenda.push(next, Timer::Look(timer_index(index)));
        if alarm.phase.in_alarm() {
            alarm.follow_exposure(now.mono);
        }
        if !self.end_average_by_config(index, zone, now) {
            self.advance(index, zone, now);
        }
        if remember {
            self.remember_exposure(index, now);
        }
    }

    /// The average has left the alarm between two values, and only because the rule is another than before.
    fn end_average_by_config(&mut self, index: usize, zone: Zone, now: Moment) -> bool {
        if !self.alarms[index].phase.in_alarm() {
            return false;
        }
        let point = &self.points[self.point_of(index)];
        let shown = point.channel.shown();
        let look = shown.and_then(|sample| point.look(sample, None, now.mono));
        look.is_some_and(|look| self.end_by_config(index, zone, &look, now))
    }

    /// What an average is made of is kept, if the alarm is about one.
    pub(super) fn remember_exposure(&mut self, index: usize, now: Moment) {
        let alarm = &mut self.alarms[index];
        if let Watch::Exposure(exposure) = &mut alarm.watch {
            let (last, exposure) = exposure.remember(now);
            self.effects.push_back(Effect::Remember(Box::new(Memory {
                alarm: alarm.id.clone(),
                at: now.wall,
                content: Content::Exposure {
                    last: last.map(six_digits),
                    exposure,
                },
            })));
        }
    }

    /// A new dose begins, as at the beginning of a shift. An alarm that is active must have been
    /// recognised; it clears, for a dose has no other end.
    pub(super) fn reset_dose(
        &mut self,
        index: usize,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let alarm = &mut self.alarms[index];
        if alarm.state.is_unacknowledged() && alarm.traits.ack_required {
            return Err(Denied::NotAcknowledged);
        }
        if alarm.state != AlarmState::Normal {
            alarm.check_confirmed()?;
        }
        let was = self.exposed(index, now);
        let alarm = &mut self.alarms[index];
        if let Watch::Exposure(exposure) = &mut alarm.watch {
            exposure.reset(now.mono);
        }
        let occurrence = alarm.occurrence();
        let was_in_alarm = alarm.phase.in_alarm();
        self.stand_down(index, now);
        // Before the event, so that one transaction takes both.
        self.remember_exposure(index, now);
        let details = Details {
            message: was.map(|was| {
                let unit = &self.points[self.point_of(index)].unit;
                format!("a new dose begins; it was {} {unit}", six_digits(was.lower))
            }),
            ..said(command)
        };
        self.report(index, EventKind::Reset, Cause::Operator, details, now);
        if was_in_alarm {
            self.clear(index, Cause::Operator, now);
        }
        Ok(Outcome::Accepted {
            occurrence,
            at: now.wall,
        })
    }

    /// The average behind an alarm, if it is about one and anything was seen.
    pub(super) fn exposed(&self, alarm: usize, now: Moment) -> Option<Exposed> {
        let Watch::Exposure(exposure) = &self.alarms[alarm].watch else {
            return None;
        };
        exposure.average(now.mono)
    }

    /// The average behind an alarm as people see it.
    pub(super) fn exposure_view(&self, alarm: usize, now: Moment) -> Option<ExposureView> {
        let exposed = self.exposed(alarm, now)?;
        Some(ExposureView {
            average: six_digits(exposed.lower),
            upper_bound: six_digits(exposed.upper),
            coverage: six_digits(exposed.coverage),
            uncertain: !exposed.is_covered(),
        })
    }

    /// The quality of an average: of the value that it is made of now, but never bad while anything was
    /// seen, and uncertain with too little of it.
    pub(super) fn exposure_quality(
        &self,
        alarm: usize,
        point: (Quality, Option<&'static str>),
        now: Moment,
    ) -> (Quality, Option<&'static str>) {
        if !matches!(self.alarms[alarm].watch, Watch::Exposure(_)) {
            return point;
        }
        match (self.exposed(alarm, now), point) {
            (None, (Quality::Bad, _)) => point,
            (_, (Quality::Bad | Quality::Uncertain, reason)) => (Quality::Uncertain, reason),
            (Some(exposed), (Quality::Good, _)) if exposed.is_covered() => point,
            (_, (Quality::Good, _)) => (Quality::Uncertain, Some(Doubt::SubNormal.name())),
        }
    }

    /// Adds coverage, the bounds of an uncertain average and, for a raise, words.
    pub(super) fn tell_exposure(
        &self,
        alarm: usize,
        raised: bool,
        details: &mut Details,
        now: Moment,
    ) {
        let Some(view) = self.exposure_view(alarm, now) else {
            return;
        };
        details.coverage = Some(view.coverage);
        if view.uncertain {
            details.lower_bound = Some(view.average);
            details.upper_bound = Some(view.upper_bound);
        }
        if let (true, Watch::Exposure(exposure)) = (raised, &self.alarms[alarm].watch) {
            details.message = Some(words(
                exposure,
                &view,
                &self.points[self.point_of(alarm)].unit,
            ));
        }
    }
}

/// What the number is. A fixed detector measures a place.
fn words(exposure: &Exposure, view: &ExposureView, unit: &str) -> String {
    let what = match exposure.rule().average {
        Average::ShortTerm => "average of the last 15 min",
        Average::Shift => "average of the last 8 h",
        Average::Dose => "dose since the last reset, divided by 8 h",
    };
    let mut words = format!("area exposure: {what}");
    if view.uncertain {
        words.push_str(&format!(
            ", of which {:.0} % was seen: between {} and {} {unit}",
            view.coverage * 100.0,
            view.average,
            view.upper_bound
        ));
    }
    words
}
