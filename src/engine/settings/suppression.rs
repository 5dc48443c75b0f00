//! Suppression by design: states of the plant in which an alarm means nothing (alarm-standards 1.4).

use std::time::Duration;

use super::super::reading::PointIndex;
use super::AlarmKind;

/// What silences an alarm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suppressor {
    /// The state of the plant in which it is silent.
    pub plant: PlantState,
    /// For so long at most after the state was seen to begin. `None`: as long as the state lasts.
    pub max: Option<Duration>,
}

/// A state of the plant, as a point or an alarm shows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PlantState {
    /// A digital point stands in a position.
    Position {
        /// Which point.
        point: PointIndex,
        /// The position: `true` is a value other than zero.
        on: bool,
    },
    /// A value lies on one side of a limit.
    Beyond {
        /// Which point.
        point: PointIndex,
        /// Which side: above the limit (`true`) or below it.
        above: bool,
        /// In the unit of that point.
        limit: f64,
        /// It counts only when the value is beyond the limit by more than this, in the unit of that
        /// point; it ends at the limit itself.
        deadband: f64,
    },
    /// An alarm is active.
    Active {
        /// Its point.
        point: PointIndex,
        /// Its kind.
        kind: AlarmKind,
    },
}
