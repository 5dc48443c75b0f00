//! What a missing value hides: hazards that are active and held, and those whose raise was on its way.

use super::Engine;
use super::delay::Phase;
use super::settings::{AlarmKind, Priority};

/// Hazards of a point that its missing value hides.
#[derive(Debug, Clone, Default)]
pub(super) struct Sight {
    /// The highest priority among them.
    pub(super) priority: Option<Priority>,
    /// Active, and held.
    pub(super) held: Vec<AlarmKind>,
    /// On their way, and dropped.
    pub(super) pending: Vec<AlarmKind>,
}

impl Engine {
    /// What a point whose value is lost hides: hazards that are active, and those on their way.
    pub(super) fn hazards_in_sight(&self, point: usize) -> Sight {
        let mut sight = Sight::default();
        for alarm in &self.alarms[self.points[point].alarms.clone()] {
            if !alarm.watch.is_process() {
                continue;
            }
            match alarm.phase {
                Phase::Idle => continue,
                Phase::Pending { .. } => sight.pending.push(alarm.kind),
                Phase::Active | Phase::Clearing { .. } => sight.held.push(alarm.kind),
            }
            sight.priority = sight.priority.max(Some(alarm.priority));
        }
        sight
    }
}
