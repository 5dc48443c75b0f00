//! States of the plant as points and alarms show them, for rules that are judged only then: a pump that
//! runs, a tank that is being filled.
//!
//! A value is looked at as it is believed, doubtful or not. Without one nobody knows, and of an alarm
//! neither while its own point has no value: it may be held. Whoever silences alarms by such a state asks
//! for more ([`suppression`](super::suppression)).

use super::links::{Dependent, Source, Wiring};
use super::occurrence::Alarm;
use super::quality::Condition;
use super::reading::Sample;
use super::settings::{AlarmKind, PlantState};
use super::{Engine, Point};

impl Engine {
    /// Is the plant in this state? `so_far`: was it? `None`: nobody knows.
    pub(super) fn holds(&self, gate: PlantState, so_far: bool) -> Option<bool> {
        let point = self.points.get(gate.point().0 as usize)?;
        if let PlantState::Active { kind, .. } = gate {
            let alarm = &self.alarms[find(point, kind, &self.alarms)?];
            let known = point.channel.condition == Condition::Present || !alarm.watch.needs_value();
            return known.then(|| alarm.state.is_active());
        }
        let value = point.channel.shown().and_then(Sample::value)?;
        Some(gate.is_shown_by(point.held_at.unwrap_or(value), so_far))
    }
}

/// `dependent` looks at `gate`.
pub(super) fn wire(
    gate: PlantState,
    dependent: Dependent,
    points: &[Point],
    alarms: &[Alarm],
    wiring: &mut Wiring,
) {
    let point = gate.point().0 as usize;
    // Touched, too, when the value is lost or there again.
    wiring.input(Source::Value(point), dependent);
    if let PlantState::Active { kind, .. } = gate
        && let Some(alarm) = points.get(point).and_then(|own| find(own, kind, alarms))
    {
        wiring.input(Source::Alarm(alarm), dependent);
    }
}

/// The alarm of this kind of a point.
pub(super) fn find(point: &Point, kind: AlarmKind, alarms: &[Alarm]) -> Option<usize> {
    let mut own = point.alarms.clone();
    own.find(|alarm| alarms[*alarm].kind == kind)
}

/// `PUMP-7 is 0`, `SPEED-7 is below 300 rpm`, `FT-77/low is active`.
pub(super) fn words(plant: PlantState, points: &[Point]) -> String {
    let Some(Point { id, unit, .. }) = points.get(plant.point().0 as usize) else {
        return String::new();
    };
    match plant {
        PlantState::Position { on, .. } => format!("{id} is {}", u8::from(on)),
        PlantState::Beyond { above, limit, .. } => {
            let side = if above { "above" } else { "below" };
            let words = format!("{id} is {side} {limit} {unit}");
            words.trim_end().to_owned()
        }
        PlantState::Active { kind, .. } => format!("{id}/{} is active", kind.name()),
    }
}
