//! Values that do not move although they should.

use std::time::Duration;

use super::PlantState;

/// `frozen` (alarm-standards 2.11).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrozenRule {
    /// In alarm when the value has not moved for this long.
    pub after: Duration,
    /// It has moved when its greatest and its least value differ by more than this, in the point's unit.
    pub tolerance: f64,
    /// A value within the tolerance of zero is at rest, as that of a gas detector in clean air.
    pub rests_at_zero: bool,
    /// Only in this state of the plant must it move; always when absent.
    pub gate: Option<PlantState>,
}

impl FrozenRule {
    /// Fewer values than this say nothing about whether one of them would have been another.
    pub const MIN_SAMPLES: u8 = 5;
}
