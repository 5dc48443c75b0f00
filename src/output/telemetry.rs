//! Values for dashboards. Pure. The first thing to go when there is anything else to do: nothing
//! here is kept, repeated or waited for.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::message::{Topics, reading};
use crate::engine::reading::Quality;
use crate::engine::snapshot::Snapshot;

/// What waits to be published; at most one message per point.
#[derive(Debug, Default)]
pub(super) struct Telemetry {
    told: BTreeMap<Arc<str>, Quality>,
    waiting: VecDeque<(String, String)>,
}

impl Telemetry {
    /// Replaces what waits by the present: every point with a value, and those whose quality is not
    /// what was told last.
    pub(super) fn take(&mut self, snapshot: &Snapshot, topics: &Topics) {
        self.waiting.clear();
        for point in &snapshot.points {
            let before = self.told.insert(point.id.clone(), point.quality);
            if point.value.is_some() || before != Some(point.quality) {
                let payload = reading(point, snapshot.at.wall);
                self.waiting.push_back((topics.reading(&point.id), payload));
            }
        }
    }

    /// Topic and payload of the next message.
    pub(super) fn next(&mut self) -> Option<(String, String)> {
        self.waiting.pop_front()
    }

    /// Nobody knows anything any more.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::snapshot::{PointView, ReadingCounts};
    use crate::engine::time::Moment;

    fn snapshot(value: Option<f64>, quality: Quality) -> Snapshot {
        let point = PointView {
            id: "CH4-101".into(),
            area: None,
            unit: "%LEL".into(),
            value,
            quality,
            reason: None,
            last_reading: None,
            slope_per_min: None,
            forecast: Vec::new(),
            group: None,
            held: None,
            stel: None,
            twa: None,
            counts: ReadingCounts::default(),
        };
        Snapshot {
            at: Moment::default(),
            points: vec![point],
            alarms: Vec::new(),
            drills: Vec::new(),
            notices: Default::default(),
        }
    }

    #[test]
    fn values_are_told_every_time_and_badness_once() {
        let topics = Topics::new("p", "s");
        let mut telemetry = Telemetry::default();
        let steps = [
            (Some(1.0), Quality::Good, true),
            (Some(1.0), Quality::Good, true),
            (None, Quality::Bad, true),
            (None, Quality::Bad, false),
            (Some(1.0), Quality::Good, true),
        ];
        for (value, quality, told) in steps {
            telemetry.take(&snapshot(value, quality), &topics);
            assert_eq!(telemetry.next().is_some(), told, "{value:?} {quality:?}");
            assert!(telemetry.next().is_none());
        }
        telemetry.take(&snapshot(None, Quality::Bad), &topics);
        telemetry.forget();
        telemetry.take(&snapshot(None, Quality::Bad), &topics);
        telemetry.take(&snapshot(Some(1.0), Quality::Good), &topics);
        assert!(telemetry.next().is_some() && telemetry.next().is_none());
    }
}
