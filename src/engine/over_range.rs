//! Over-range of a sensor that cannot be believed afterwards: what is held, and what a reset needs
//! (alarm-standards 2.19). Why is told in [`rule::over_range`](super::rule::over_range).
//!
//! What is held is not stored: it follows from the alarm itself, which is active until its reset. So it
//! is there again after a restart.

use super::Engine;
use super::command::{Command, Denied, Outcome};
use super::effect::{Cause, Details, EventKind};
use super::operate::said;
use super::reading::{Doubt, Finite, Quality, Sample};
use super::rule::Watch;
use super::rule::over_range::OverRange;
use super::time::Moment;

impl Engine {
    /// An alarm becomes active: if it is one that is held, so is what its point shows.
    pub(super) fn hold_value(&mut self, alarm: usize) {
        if let Watch::OverRange(over_range) = &self.alarms[alarm].watch
            && let Some(at) = over_range.holds_at()
        {
            let point = self.point_of(alarm);
            self.points[point].held_at = Some(at);
        }
    }

    /// It is active now: the upper limits of its point are raised by it.
    pub(super) fn raise_held(&mut self, alarm: usize, now: Moment) {
        let point = self.point_of(alarm);
        let own = matches!(self.alarms[alarm].watch, Watch::OverRange(_));
        if !own || self.points[point].held_at.is_none() {
            return;
        }
        for alarm in self.points[point].alarms.clone() {
            let own = &mut self.alarms[alarm];
            if !own.watch.is_held_by_over_range() {
                continue;
            }
            // Without their on-delays: this is no noise that they would hold off.
            if let Some(confirmed) = own.phase.force() {
                self.confirm(alarm, confirmed, now);
            }
        }
    }

    /// What was held before a restart is held.
    pub(super) fn resume_over_range(&mut self, now: Moment) {
        for alarm in 0..self.alarms.len() {
            if self.alarms[alarm].state.is_active() {
                self.hold_value(alarm);
                self.raise_held(alarm, now);
            }
        }
    }

    /// What is shown of a point: no value while none is believed, and the full scale while it is held.
    pub(super) fn shown(&self, point: usize) -> Option<f64> {
        let point = &self.points[point];
        let value = point.channel.shown().and_then(Sample::value)?;
        Some(point.held_at.unwrap_or(value).get())
    }

    /// The quality of a point: what it shows while over-range is held is no measurement.
    pub(super) fn quality_of(&self, point: usize) -> (Quality, Option<&'static str>) {
        let point = &self.points[point];
        match (point.channel.quality(), point.held_at) {
            ((Quality::Good, _), Some(_)) => (
                Quality::Uncertain,
                Some(Doubt::EngineeringUnitsExceeded.name()),
            ),
            (own, _) => own,
        }
    }

    /// What to say instead of the number.
    pub(super) fn held_words(&self, point: usize) -> Option<String> {
        let point = &self.points[point];
        let at = point.held_at.map(Finite::get)?;
        let gap = if point.unit.is_empty() { "" } else { " " };
        Some(format!("at or above {at}{gap}{} (held)", point.unit))
    }

    /// Marks an event of an alarm that is held, and says what its value is.
    pub(super) fn tell_held(&self, alarm: usize, details: &mut Details) {
        let own = &self.alarms[alarm];
        let point = self.point_of(alarm);
        let is_held = own.watch.is_held_by_over_range() && own.phase.in_alarm();
        if let (true, Some(words)) = (is_held, self.held_words(point)) {
            details.held = Some(true);
            details.message.get_or_insert(words);
        }
    }

    /// A person releases what is held.
    ///
    /// # Errors
    /// The first piece that is missing: something to release, an acknowledgement, a confirmation, good quality, a value
    /// below, for long enough, and the statement that the area was checked by other means.
    pub(super) fn reset_over_range(
        &mut self,
        index: usize,
        verified: bool,
        command: &Command,
        now: Moment,
    ) -> Result<Outcome, Denied> {
        let point = self.point_of(index);
        let alarm = &self.alarms[index];
        if !alarm.phase.in_alarm() {
            return Err(Denied::NotLatched);
        }
        if alarm.state.is_unacknowledged() && alarm.traits.ack_required {
            return Err(Denied::NotAcknowledged);
        }
        alarm.check_confirmed()?;
        if let Watch::OverRange(over_range) = &alarm.watch {
            self.evidence(point, over_range, now)?;
        }
        if !verified {
            return Err(Denied::NotVerified);
        }
        self.points[point].held_at = None;
        self.stand_down(index, now);
        let occurrence = self.alarms[index].occurrence();
        self.report(index, EventKind::Reset, Cause::Operator, said(command), now);
        self.clear(index, Cause::Operator, now);
        // The limits that were held are judged by what is read.
        if let Some(sample) = self.points[point].channel.shown() {
            self.judge(point, sample, None, false, now);
        }
        Ok(Outcome::Accepted {
            occurrence,
            at: now.wall,
        })
    }

    /// Has the sensor shown for long enough that it measures again?
    fn evidence(&self, point: usize, over_range: &OverRange, now: Moment) -> Result<(), Denied> {
        let channel = &self.points[point].channel;
        let good = match channel.shown() {
            Some(Sample::Good(value)) => value,
            Some(Sample::Uncertain(..) | Sample::Bad(_)) | None => {
                return Err(Denied::QualityNotGood);
            }
        };
        let rule = &over_range.rule;
        if good.get() >= rule.reset_below {
            let unit = &self.points[point].unit;
            return Err(Denied::ValueNotBelow {
                value: format!("{} {unit}", good.get()).into(),
                below: format!("{} {unit}", rule.reset_below).into(),
            });
        }
        let since = over_range.below_since();
        let lasted = since.map_or_else(Default::default, |since| now.mono.since(since));
        match rule.reset_after.checked_sub(lasted) {
            Some(left) if !left.is_zero() => Err(Denied::NotLongEnough { left }),
            Some(_) | None => Ok(()),
        }
    }
}
