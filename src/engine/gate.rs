//! What is so elsewhere in the plant, for rules that are judged only then: a pump that runs, a tank
//! that is being filled.
//!
//! A value is looked at as it is believed, doubtful or not. Without one nobody knows, and of an alarm
//! neither while its own point has no value: it may be held.

use super::links::{Dependent, Source, Wiring};
use super::occurrence::Alarm;
use super::quality::Condition;
use super::reading::Sample;
use super::settings::{AlarmKind, Gate};
use super::{Engine, Point};

impl Engine {
    /// Is it so? `None`: nobody knows.
    pub(super) fn holds(&self, gate: Gate) -> Option<bool> {
        let point = self.points.get(gate.point().0 as usize)?;
        match gate {
            Gate::Value { is, .. } => {
                let value = point.channel.shown().and_then(Sample::value)?;
                Some(is.holds(point.held_at.unwrap_or(value)))
            }
            Gate::Alarm { kind, .. } => {
                let alarm = &self.alarms[find(point, kind, &self.alarms)?];
                let known =
                    point.channel.condition == Condition::Present || !alarm.watch.needs_value();
                known.then(|| alarm.state.is_active())
            }
        }
    }
}

/// `dependent` looks at `gate`.
pub(super) fn wire(
    gate: Gate,
    dependent: Dependent,
    points: &[Point],
    alarms: &[Alarm],
    wiring: &mut Wiring,
) {
    let point = gate.point().0 as usize;
    // Touched, too, when the value is lost or there again.
    wiring.input(Source::Value(point), dependent);
    if let Gate::Alarm { kind, .. } = gate
        && let Some(alarm) = points.get(point).and_then(|own| find(own, kind, alarms))
    {
        wiring.input(Source::Alarm(alarm), dependent);
    }
}

/// The alarm of this kind of a point.
fn find(point: &Point, kind: AlarmKind, alarms: &[Alarm]) -> Option<usize> {
    let mut own = point.alarms.clone();
    own.find(|alarm| alarms[*alarm].kind == kind)
}
