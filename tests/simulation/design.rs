//! What the state of the plant means for an alarm: silence while it means nothing, and a value that must
//! move. Looked at from the present.

use forewarn::engine::reading::Quality;
use forewarn::engine::snapshot::{AlarmView, PointView, Snapshot};
use forewarn::engine::time::Wall;

use super::Finding;
use super::plant::LONGEST_RUN_UP;

/// What must hold of the alarms that the plant silences, and of the one that says that a value stands
/// still.
pub(super) fn at(snapshot: &Snapshot) -> Finding {
    silent_by_pump(snapshot)?;
    silent_by_alarm(snapshot)?;
    doubtful_while_frozen(snapshot)
}

/// `FLOW/low` is silent while the pump stands still, and while it runs up, if it was seen to start. What
/// is not known for certain silences nothing, but what was silent before a restart may stay so until
/// something is heard.
fn silent_by_pump(snapshot: &Snapshot) -> Finding {
    let (low, pump) = (alarm(snapshot, "FLOW/low")?, point(snapshot, "PUMP")?);
    let suppression = low
        .cover
        .as_ref()
        .and_then(|cover| cover.suppression.as_ref());
    let known = pump.value.filter(|_| pump.quality == Quality::Good);
    let in_time = |until: Wall| {
        let left = until.seconds_since(snapshot.at.wall);
        // The wall clock of a step is rounded.
        left > -0.01 && left <= LONGEST_RUN_UP + 0.01
    };
    let right = match (known.map(|value| value > 0.5), suppression) {
        (None | Some(true), None) => true,
        (Some(false), Some(suppression)) => suppression.until().is_none(),
        (Some(true), Some(suppression)) => suppression.until().is_some_and(in_time),
        (None, Some(suppression)) => is_unheard(pump) && suppression.until().is_none_or(in_time),
        (Some(false), None) => false,
    };
    holds(right, "silence by the pump", low, pump)
}

/// `LEVEL/low` is silent while `LEVEL/low_low` is active, its value is beyond doubt, and nobody works on it
/// or has put it aside.
fn silent_by_alarm(snapshot: &Snapshot) -> Finding {
    let (low, level) = (alarm(snapshot, "LEVEL/low")?, point(snapshot, "LEVEL")?);
    let cause = alarm(snapshot, "LEVEL/low_low")?;
    let aside = cause.overlays.out_of_service || cause.overlays.shelved;
    let known = level.quality == Quality::Good && !aside;
    let kept = low.overlays.suppressed && is_unheard(level);
    let right = kept || low.overlays.suppressed == (known && cause.state.is_active());
    holds(right, "silence by an alarm", low, level)
}

/// A value that is found frozen is doubtful until it moves, and no other is for that reason.
fn doubtful_while_frozen(snapshot: &Snapshot) -> Finding {
    let (frozen, flow) = (alarm(snapshot, "FLOW/frozen")?, point(snapshot, "FLOW")?);
    let active = frozen.state.is_active();
    let right =
        (!active || flow.quality != Quality::Good) && (active || flow.reason != Some("frozen"));
    holds(right, "doubt of what stands still", frozen, flow)
}

/// Was nothing heard of the point in this life?
fn is_unheard(point: &PointView) -> bool {
    point.last_reading.is_none()
}

fn holds(right: bool, law: &str, alarm: &AlarmView, point: &PointView) -> Finding {
    if right {
        return Ok(());
    }
    Err(format!("{law} does not hold: {alarm:?}, {point:?}"))
}

fn alarm<'a>(snapshot: &'a Snapshot, id: &str) -> Result<&'a AlarmView, String> {
    let found = snapshot.alarms.iter().find(|view| &*view.alarm == id);
    found.ok_or(format!("no alarm {id}"))
}

fn point<'a>(snapshot: &'a Snapshot, id: &str) -> Result<&'a PointView, String> {
    let found = snapshot.points.iter().find(|view| &*view.id == id);
    found.ok_or(format!("no point {id}"))
}
