//! States of the plant that rules and suppressions refer to.

use super::super::reading::{Finite, PointIndex};
use super::AlarmKind;

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

impl PlantState {
    /// The point that shows it, or whose alarm does.
    pub const fn point(self) -> PointIndex {
        match self {
            Self::Position { point, .. }
            | Self::Beyond { point, .. }
            | Self::Active { point, .. } => point,
        }
    }

    /// Does a value of the point show it? `so_far`: did the one before? An alarm's point shows it never.
    pub fn is_shown_by(self, value: Finite, so_far: bool) -> bool {
        match self {
            Self::Position { on, .. } => value.is_set() == on,
            Self::Beyond {
                above,
                limit,
                deadband,
                ..
            } => {
                let sign = if above { 1.0 } else { -1.0 };
                (value.get() - limit) * sign > if so_far { 0.0 } else { deadband }
            }
            Self::Active { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_behind_the_deadband_and_ends_at_the_limit() {
        let point = PointIndex(0);
        let beyond = |above| PlantState::Beyond {
            point,
            above,
            limit: 5.0,
            deadband: 1.0,
        };
        let position = |on| PlantState::Position { point, on };
        for (state, value, so_far, expected) in [
            (beyond(true), 6.0, false, false),
            (beyond(true), 6.1, false, true),
            (beyond(true), 5.1, true, true),
            (beyond(true), 5.0, true, false),
            (beyond(false), 4.0, false, false),
            (beyond(false), 3.9, false, true),
            (beyond(false), 4.9, true, true),
            (beyond(false), 5.0, true, false),
            (position(true), 1.0, false, true),
            (position(true), 0.0, true, false),
            (position(false), 0.0, false, true),
            (position(false), -1.0, true, false),
        ] {
            let value = Finite::new(value).expect("the table holds numbers");
            let shown = state.is_shown_by(value, so_far);
            assert_eq!(shown, expected, "{state:?} {value:?} {so_far}");
        }
    }
}
