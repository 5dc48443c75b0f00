//! A fault of ours as a reading, so that it goes through the same rules and becomes an alarm.

use crate::engine::reading::{PointIndex, Reading, Sample};
use crate::engine::time::Moment;
use crate::evaluation::{Batch, Delivery, Readings};

/// A connection that is back within this time was never lost, as far as people are concerned.
const GRACE: std::time::Duration = std::time::Duration::from_secs(5);

/// One of the gateway's own points: 1 while something is wrong, 0 while it is fine. Reported on
/// change only. When the engine's inbox is full it is tried again at the next turn.
#[derive(Debug)]
pub(crate) struct StatusPoint {
    point: PointIndex,
    readings: Readings,
    down_since: Option<Moment>,
    reported: Option<bool>,
}

impl StatusPoint {
    pub(crate) const fn new(point: PointIndex, readings: Readings) -> Self {
        Self {
            point,
            readings,
            down_since: None,
            reported: None,
        }
    }

    /// To be called about once a second and on change. `connected` gets [`GRACE`]; `stuck` is
    /// reported as it is.
    pub(crate) fn update(&mut self, connected: bool, stuck: bool, now: Moment) {
        let down = if connected {
            self.down_since = None;
            false
        } else {
            let since = *self.down_since.get_or_insert(now);
            now.mono.since(since.mono) >= GRACE
        };
        // Not connected yet, and not for long: nothing is known.
        if !connected && !down && !stuck {
            return;
        }
        let fault = down || stuck;
        if self.reported == Some(fault) {
            return;
        }
        let sample = Sample::measured(if fault { 1.0 } else { 0.0 });
        let delivery = Delivery {
            readings: Batch::One(Reading::live(self.point, sample, now)),
            receipt: None,
        };
        if self.readings.try_send(delivery).is_ok() {
            self.reported = Some(fault);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::*;

    fn said(inbox: &mut mpsc::Receiver<Delivery>) -> Option<f64> {
        match inbox.try_recv().ok()?.readings {
            Batch::One(reading) => reading.sample.value().map(|value| value.get()),
            Batch::Many(_) => None,
        }
    }

    #[test]
    fn loss_is_reported_after_the_grace_and_return_at_once() {
        let (readings, mut inbox) = mpsc::channel(4);
        let mut status = StatusPoint::new(PointIndex(0), readings);
        let at = |seconds| Moment::default().after(Duration::from_secs(seconds));
        // (second, connected, stuck, expected report)
        let steps = [
            (0, false, false, None),
            (4, false, false, None),
            (5, false, false, Some(1.0)),
            (6, false, false, None),
            (7, true, false, Some(0.0)),
            (8, false, false, None),
            (9, true, false, None),
            (10, true, true, Some(1.0)),
            (11, true, true, None),
            (12, true, false, Some(0.0)),
        ];
        for (second, connected, stuck, expected) in steps {
            status.update(connected, stuck, at(second));
            assert_eq!(said(&mut inbox), expected, "second {second}");
        }
    }

    #[test]
    fn a_full_inbox_loses_no_report() {
        let (readings, mut inbox) = mpsc::channel(1);
        let mut other = StatusPoint::new(PointIndex(1), readings.clone());
        let mut status = StatusPoint::new(PointIndex(0), readings);
        other.update(true, false, Moment::default());
        status.update(true, false, Moment::default());
        assert_eq!(said(&mut inbox), Some(0.0));
        assert_eq!(said(&mut inbox), None);
        status.update(true, false, Moment::default());
        assert_eq!(said(&mut inbox), Some(0.0));
    }
}
