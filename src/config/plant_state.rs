//! States of the plant that alarms refer to, for those that are silent then and those that are judged only
//! then: `{ point = "PUMP-7", is = 0 }`, `{ point = "FT-77", above = 5 }`, `{ alarm = "FT-77/low" }`.

use super::alarm_name;
use super::explain::quantity;
use super::finding::{Kind, Log};
use super::keys::Keys;
use super::people::dangling;
use super::place::{At, Place};
use super::point::RawPoint;
use crate::engine::reading::PointIndex;
use crate::engine::settings::{PlantState, PointSettings};

/// As written.
#[derive(Debug, Clone)]
pub(super) enum RawPlantState {
    /// The id of a point, and what its value must be.
    Point(At<String>, Is),
    /// `POINT/kind`.
    Alarm(At<String>),
}

/// What the value of a point must be.
#[derive(Debug, Clone)]
pub(super) enum Is {
    Position(bool),
    Beyond {
        above: bool,
        limit: f64,
        deadband: Option<f64>,
    },
}

impl RawPlantState {
    /// Reads the keys `point`, `is`, `below`, `above`, `deadband` and `alarm` of a table.
    pub(super) fn read(keys: &Keys<'_>, log: &mut Log) -> Option<Self> {
        let point = keys.text("point", log);
        let alarm = keys.text("alarm", log);
        match (point, alarm) {
            (Some(_), Some(alarm)) => {
                let text = "a state is seen in a point or in an alarm, not in both";
                log.error(Kind::Conflict, alarm.place, text)
                    .hint("keep one of the two");
                None
            }
            (Some(point), None) => Some(Self::Point(point, is(keys, log)?)),
            (None, Some(alarm)) => {
                for key in ["is", "below", "above", "deadband"] {
                    keys.refuse(key, "an alarm is active or not", log);
                }
                Some(Self::Alarm(alarm))
            }
            (None, None) => {
                if !keys.has("point") && !keys.has("alarm") {
                    keys.require("point", "\"PUMP-7\"", log);
                }
                None
            }
        }
    }

    /// An id alone: an alarm that is active, or a contact that is set.
    pub(super) fn of(id: At<String>) -> Self {
        if id.value.contains('/') {
            Self::Alarm(id)
        } else {
            Self::Point(id, Is::Position(true))
        }
    }

    /// Where its point or alarm is named.
    pub(super) const fn place(&self) -> Place {
        match self {
            Self::Point(id, _) | Self::Alarm(id) => id.place,
        }
    }

    /// With indices; `raw` are all points and groups in the order of theirs.
    pub(super) fn resolve(&self, raw: &[&RawPoint], log: &mut Log) -> Option<PlantState> {
        match self {
            Self::Alarm(alarm) => {
                let (position, kind) = alarm_name::find(alarm, raw, log)?;
                let point = index(position);
                Some(PlantState::Active { point, kind })
            }
            Self::Point(id, is) => {
                let found = raw.iter().position(|point| point.id.value == id.value);
                let Some(position) = found else {
                    dangling("point", id, raw.iter().map(|point| &point.id.value), log);
                    return None;
                };
                value_state(id, is, position, raw[position], log)
            }
        }
    }
}

/// What the value of a point must be: exactly one of three.
fn is(keys: &Keys<'_>, log: &mut Log) -> Option<Is> {
    const ONE_OF: [&str; 3] = ["is", "below", "above"];
    let written: Vec<&str> = ONE_OF.into_iter().filter(|key| keys.has(key)).collect();
    match written[..] {
        ["is"] => {
            keys.refuse("deadband", "a position has none", log);
            let position = keys.whole("is", 0..=1, log)?;
            Some(Is::Position(position.value == 1))
        }
        [side @ ("below" | "above")] => {
            let deadband = keys.positive("deadband", true, log);
            Some(Is::Beyond {
                above: side == "above",
                limit: keys.number(side, log)?.value,
                deadband: deadband.map(|deadband| deadband.value),
            })
        }
        [_, second, ..] => {
            let place = keys.place_of(second).unwrap_or(keys.owner);
            let text = "a state has one of `is`, `below` and `above`";
            log.error(Kind::Conflict, place, text)
                .hint("keep one of the two");
            None
        }
        _ => {
            keys.require("is", "0", log);
            None
        }
    }
}

fn value_state(
    id: &At<String>,
    is: &Is,
    position: usize,
    other: &RawPoint,
    log: &mut Log,
) -> Option<PlantState> {
    let point = index(position);
    let (digital, hint) = match is {
        Is::Position(_) => (true, "compare it with `below` or `above`"),
        Is::Beyond { .. } => (false, "name its position: `is = 0` or `is = 1`"),
    };
    // Of a point without a readable source nobody knows what it is; a group is counted.
    let has_positions = other.is_digital().or(other.is_group().then_some(false));
    if has_positions.is_some_and(|has| has != digital) {
        let what = if digital { "a number" } else { "a contact" };
        let text = format!("`{}` is {what}", id.value);
        log.error(Kind::Conflict, id.place, text)
            .hint(hint)
            .also(other.place(), "the point");
        return None;
    }
    match *is {
        Is::Position(on) => Some(PlantState::Position { point, on }),
        Is::Beyond {
            above,
            limit,
            deadband,
        } => {
            // What comes and goes with the noise would page with the noise.
            let span = other
                .range
                .as_ref()
                .map(|range| range.value.1 - range.value.0);
            let deadband = deadband.unwrap_or_else(|| span.unwrap_or(limit.abs()) / 100.0);
            Some(PlantState::Beyond {
                point,
                above,
                limit,
                deadband,
            })
        }
    }
}

fn index(position: usize) -> PointIndex {
    PointIndex(u32::try_from(position).unwrap_or(u32::MAX))
}

/// In words: `FT-77 is above 5 m3/h, once by more than 1 m3/h`.
pub(super) fn explain(plant: PlantState, points: &[PointSettings]) -> String {
    let Some(PointSettings { id, unit, .. }) = points.get(plant.point().0 as usize) else {
        return String::new();
    };
    match plant {
        PlantState::Position { on, .. } => format!("{id} is {}", u8::from(on)),
        PlantState::Beyond {
            above,
            limit,
            deadband,
            ..
        } => {
            let side = if above { "above" } else { "below" };
            let (limit, deadband) = (quantity(limit, unit), quantity(deadband, unit));
            format!("{id} is {side} {limit}, once by more than {deadband}")
        }
        PlantState::Active { kind, .. } => format!("{id}/{} is active", kind.name()),
    }
}
