//! Values that do not move although they should, and what says that they should.

use std::time::Duration;

use super::super::reading::{Finite, PointIndex};
use super::AlarmKind;

/// `frozen` (alarm-standards 2.11).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrozenRule {
    /// In alarm when the value has not moved for this long.
    pub after: Duration,
    /// It has moved when its greatest and its least value differ by more than this, in the point's unit.
    pub tolerance: f64,
    /// A value within the tolerance of zero is at rest, as that of a gas detector in clean air.
    pub rests_at_zero: bool,
    /// Only while this is so must it move; always when absent.
    pub gate: Option<Gate>,
}

impl FrozenRule {
    /// Fewer values than this say nothing about whether one of them would have been another.
    pub const MIN_SAMPLES: u8 = 5;
}

/// Something elsewhere in the plant that is so, is not so, or of which nobody knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gate {
    /// The value of a point.
    Value {
        /// Which point.
        point: PointIndex,
        /// What must be true of it.
        is: Test,
    },
    /// An alarm of a point is active.
    Alarm {
        /// Which point.
        point: PointIndex,
        /// Which of its alarms.
        kind: AlarmKind,
    },
}

impl Gate {
    /// The point that is looked at.
    pub const fn point(self) -> PointIndex {
        match self {
            Self::Value { point, .. } | Self::Alarm { point, .. } => point,
        }
    }
}

/// What may be asked of a value, in its point's unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Test {
    /// A digital point is set (`true`: not zero), or not set.
    Set(bool),
    /// At this or above.
    Above(f64),
    /// At this or below.
    Below(f64),
}

impl Test {
    /// Is it true of `value`?
    pub fn holds(self, value: Finite) -> bool {
        match self {
            Self::Set(set) => value.is_set() == set,
            Self::Above(limit) => value.get() >= limit,
            Self::Below(limit) => value.get() <= limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_belong_to_both_sides() {
        for (test, value, expected) in [
            (Test::Above(5.0), 4.9, false),
            (Test::Above(5.0), 5.0, true),
            (Test::Below(5.0), 5.0, true),
            (Test::Below(5.0), 5.1, false),
            (Test::Set(true), 1.0, true),
            (Test::Set(true), 0.0, false),
            (Test::Set(false), 0.0, true),
            (Test::Set(false), -1.0, false),
        ] {
            let value = Finite::new(value).expect("the table holds numbers");
            assert_eq!(test.holds(value), expected, "{test:?} {value:?}");
        }
    }
}
