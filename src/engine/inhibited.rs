//! Which hazard points watch nothing because somebody wants it so: the gateway reminds of them for as long
//! as there is one (alarm-standards 2.16).
//!
//! Inhibited is a point
//!
//! - of which any alarm is out of service: somebody works on it with a permit;
//! - or whose device says that it is out of service, inhibited (a function check among others) or warming up.
//!
//! A point that failed is not: that is an alarm of its own. Nor is one whose alarm is shelved or suppressed by
//! design: what it measures is still evidence to all others.
//!
//! After a restart the outages are known at once, and what devices say is not. So whether *nobody* is inhibited
//! is certain only when every hazard point was heard, or found silent.

use std::sync::Arc;

use super::quality::Condition;
use super::reading::{Fault, PointIndex};
use super::{Engine, Point};

/// The hazard points that are inhibited now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inhibited {
    /// The gateway's own point that reminds of them.
    pub reminder: PointIndex,
    /// Their ids, in configuration order.
    pub points: Vec<Arc<str>>,
    /// Is every other one known not to be?
    pub is_complete: bool,
}

impl Engine {
    /// Looks at every hazard point; `None` when there are none.
    pub fn inhibited(&self) -> Option<Inhibited> {
        let reminder = self.reminder.as_ref()?;
        let mut inhibited = Inhibited {
            reminder: reminder.point,
            points: Vec::new(),
            is_complete: true,
        };
        let hazards = reminder.hazards.iter();
        for point in hazards.filter_map(|hazard| self.points.get(hazard.0 as usize)) {
            if self.is_inhibited(point) {
                inhibited.points.push(Arc::clone(&point.id));
            } else if is_unheard(point) {
                inhibited.is_complete = false;
            }
        }
        Some(inhibited)
    }

    fn is_inhibited(&self, point: &Point) -> bool {
        let says_so =
            matches!(point.channel.condition, Condition::Bad(fault) if fault.is_intended());
        let mut alarms = self.alarms[point.alarms.clone()].iter();
        says_so || alarms.any(|alarm| alarm.overlays().out_of_service)
    }
}

/// Has nothing been heard of it since the start, or not yet how its device is?
fn is_unheard(point: &Point) -> bool {
    matches!(
        point.channel.condition,
        Condition::Waiting | Condition::Bad(Fault::WaitingForInitialData)
    ) || point.check.is_unheard()
}
