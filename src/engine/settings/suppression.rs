//! Suppression by design: states of the plant in which an alarm means nothing (alarm-standards 1.4).

use std::time::Duration;

use super::PlantState;

/// What silences an alarm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Suppressor {
    /// The state of the plant in which it is silent.
    pub plant: PlantState,
    /// For so long at most after the state was seen to begin. `None`: as long as the state lasts.
    pub max: Option<Duration>,
}
