//! A sensor that comes back from a failure does not measure at once (alarm-standards 2.16).
//!
//! ```text
//!              the device or the sensor fails            first value
//!  ┌────────┐ ────────────────────────────▶ ┌────────┐ ─────────────▶ ┌────────────┐
//!  │ Normal │                               │ Failed │                │ Warming up │ bad (warming_up)
//!  └────────┘ ◀──┐                          └────────┘ ◀───────────── └────────────┘
//!                │                                       it fails again      │
//!                └───────────── values from `warm_up` on, good for `good_confirm`
//! ```
//!
//! *Failed* is what the source says: `device_failure`, or `sensor_failure`, which also stands for a loop
//! without current, a marker of the device and a value that cannot be. Silence is none, for the sensor ran on
//! behind the line that broke; nor is a restart of the gateway, which must not blind a hazard point. It also
//! ends a warm-up, as it forgets the failure. A device that says itself that it warms up is believed, and
//! nothing is added to that.
//!
//! What is read meanwhile is never judged: it raises nothing, clears nothing and is not shown. But nobody
//! knows whether a value beyond an upper limit is the sensor or the gas. So whoever is told of the missing
//! value is told of it, once for each limit, and called as urgently as by the alarm that it would be.

use std::time::Duration;

use super::Engine;
use super::alarm::{Input, Step, transition};
use super::delay::Zone;
use super::effect::{Cause, Details, EventKind};
use super::quality::Condition;
use super::reading::{Fault, Sample};
use super::report::six_digits;
use super::rule::{Look, Watch};
use super::settings::Priority;
use super::time::{Moment, Mono};

/// Of one point, whether it warms up.
#[derive(Debug)]
pub(super) struct WarmUp {
    /// How long it takes; zero: it does not.
    span: Duration,
    /// Has it failed since it last had a value?
    failed: bool,
    /// When it has warmed up.
    until: Option<Mono>,
}

impl WarmUp {
    pub(super) const fn new(span: Duration) -> Self {
        Self {
            span,
            failed: false,
            until: None,
        }
    }

    /// There is no value, for this reason.
    pub(super) const fn lose(&mut self, condition: Condition) {
        if let Condition::Bad(Fault::DeviceFailure | Fault::SensorFailure) = condition {
            self.failed = true;
            self.until = None;
        }
    }

    /// A reading as it is worth: none while it warms up.
    fn weigh(&mut self, sample: Sample, now: Mono) -> Sample {
        match sample {
            Sample::Bad(Fault::WarmingUp) => {
                self.failed = false;
                self.until = None;
                return sample;
            }
            Sample::Bad(_) => return sample,
            Sample::Good(_) | Sample::Uncertain(..) => {}
        }
        if std::mem::take(&mut self.failed) && !self.span.is_zero() {
            self.until = Some(now + self.span);
        }
        self.until = self.until.filter(|until| now < *until);
        if self.until.is_some() {
            Sample::Bad(Fault::WarmingUp)
        } else {
            sample
        }
    }
}

impl Engine {
    /// A live reading of a point as it is worth by whether its sensor has warmed up.
    pub(super) fn warm_up(&mut self, index: usize, sample: Sample, now: Moment) -> Sample {
        let weighed = self.points[index].warm_up.weigh(sample, now.mono);
        if weighed != sample {
            self.tell_of_cold_values(index, sample, now);
        }
        weighed
    }

    /// What is read while the sensor warms up lies beyond an upper limit.
    fn tell_of_cold_values(&mut self, index: usize, sample: Sample, now: Moment) {
        let Some(value) = sample.value() else {
            return;
        };
        let mut beyond: Option<Priority> = None;
        let mut names = Vec::new();
        for alarm in self.points[index].alarms.clone() {
            let own = &mut self.alarms[alarm];
            let Watch::Limit(rule) = own.watch else {
                continue;
            };
            let look = Look {
                value,
                sample,
                taken: None,
                until: Mono::NEVER,
                now: now.mono,
                held: false,
            };
            let hidden = &mut self.points[index].hidden;
            let known = hidden.held.contains(&own.kind) || hidden.pending.contains(&own.kind);
            if known
                || !rule.level.is_upper()
                || own.watch.zone_then(look.sample, &[], now.mono) != Zone::Beyond
            {
                continue;
            }
            hidden.pending.push(own.kind);
            hidden.priority = hidden.priority.max(Some(own.priority));
            beyond = beyond.max(Some(own.priority));
            names.push(own.kind.name());
        }
        let Some(priority) = beyond else {
            return;
        };
        let unit = &self.points[index].unit;
        let shown = format!("{} {unit}", six_digits(value.get()));
        let message = format!(
            "reads {} while it warms up, which may be true: {}",
            shown.trim_end(),
            names.join(", ")
        );
        for alarm in self.points[index].alarms.clone() {
            if matches!(self.alarms[alarm].watch, Watch::Bad) {
                self.call_as_urgently(alarm, priority, message.clone(), now);
            }
        }
    }

    /// An active alarm is as urgent as what it may hide, if nobody fixed its priority; whoever recognised it
    /// did not know of that.
    fn call_as_urgently(&mut self, alarm: usize, priority: Priority, message: String, now: Moment) {
        let own = &mut self.alarms[alarm];
        if !own.state.is_active() {
            // It is not confirmed yet, and will say what it hides when it is.
            return;
        }
        let mut reason = None;
        if own.inherits && priority > own.priority {
            own.priority = priority;
            let realarmed = transition(own.standing(), Input::Realarm, own.traits);
            if let Ok((standing, Step::Realarmed)) = realarmed {
                own.withdraw_acknowledgement(now);
                own.state = standing.state;
            }
            reason = Some("priority_raised".to_owned());
        }
        let details = Details {
            reason,
            message: Some(message),
            ..Details::default()
        };
        self.report(alarm, EventKind::Changed, Cause::Process, details, now);
    }
}
