//! The standing reminder of hazard points that are inhibited.

use super::super::reading::PointIndex;

/// Of what the gateway reminds, and where. Exists where there are hazard points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reminder {
    /// The gateway's own point that says how many are inhibited.
    pub point: PointIndex,
    /// The points that are meant, in order: what watches the air, or has a critical alarm.
    pub hazards: Vec<PointIndex>,
}
