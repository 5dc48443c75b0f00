//! A fault of ours as a reading, so that it goes through the same rules and becomes an alarm.

use crate::engine::reading::{PointIndex, Reading, Sample};
use crate::engine::time::Moment;
use crate::evaluation::{Batch, Delivery, Readings};

/// A connection that is back within this time was never lost, as far as people are concerned.
const GRACE: std::time::Duration = std::time::Duration::from_secs(5);

/// What is known of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// Not connected.
    Lost,
    /// Connected, but nothing shows yet that it is of use: no reason to say that all is well, and
    /// none to say that it is not.
    Unproven,
    /// Connected and of use.
    Proven,
}

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

    /// To be called about once a second and on change. A lost link gets [`GRACE`], which an unproven
    /// one in between does not start over: a far end that accepts and drops is a lost one. `stuck`
    /// is reported as it is.
    pub(crate) fn update(&mut self, link: Link, stuck: bool, now: Moment) {
        let down = match link {
            Link::Proven => {
                self.down_since = None;
                false
            }
            Link::Unproven => false,
            Link::Lost => {
                let since = *self.down_since.get_or_insert(now);
                now.mono.since(since.mono) >= GRACE
            }
        };
        // Nothing is known yet.
        if link != Link::Proven && !down && !stuck {
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
    use crate::engine::reading::Measured;

    fn said(inbox: &mut mpsc::Receiver<Delivery>) -> Option<f64> {
        match inbox.try_recv().ok()?.readings {
            Batch::One(Reading {
                measured: Measured::Sample(sample),
                ..
            }) => sample.value().map(|value| value.get()),
            Batch::One(_) | Batch::Many(_) => None,
        }
    }

    #[test]
    fn loss_is_reported_after_the_grace_and_return_at_once() {
        use Link::{Lost, Proven};
        let (readings, mut inbox) = mpsc::channel(4);
        let mut status = StatusPoint::new(PointIndex(0), readings);
        let at = |seconds| Moment::default().after(Duration::from_secs(seconds));
        // (second, link, stuck, expected report)
        let steps = [
            (0, Lost, false, None),
            (4, Lost, false, None),
            (5, Lost, false, Some(1.0)),
            (6, Lost, false, None),
            (7, Proven, false, Some(0.0)),
            (8, Lost, false, None),
            (9, Proven, false, None),
            (10, Proven, true, Some(1.0)),
            (11, Proven, true, None),
            (12, Proven, false, Some(0.0)),
        ];
        for (second, link, stuck, expected) in steps {
            status.update(link, stuck, at(second));
            assert_eq!(said(&mut inbox), expected, "second {second}");
        }
    }

    #[test]
    fn a_far_end_that_accepts_and_drops_is_one_loss() {
        use Link::{Lost, Proven, Unproven};
        let (readings, mut inbox) = mpsc::channel(4);
        let mut status = StatusPoint::new(PointIndex(0), readings);
        let mut told = Vec::new();
        for second in 0..60 {
            let link = if second % 3 == 0 { Unproven } else { Lost };
            let now = Moment::default().after(Duration::from_secs(second));
            status.update(link, false, now);
            told.extend(said(&mut inbox));
        }
        assert_eq!(told, [1.0]);
        let now = Moment::default().after(Duration::from_secs(60));
        status.update(Proven, false, now);
        assert_eq!(said(&mut inbox), Some(0.0));
    }

    #[test]
    fn a_full_inbox_loses_no_report() {
        let (readings, mut inbox) = mpsc::channel(1);
        let mut other = StatusPoint::new(PointIndex(1), readings.clone());
        let mut status = StatusPoint::new(PointIndex(0), readings);
        other.update(Link::Proven, false, Moment::default());
        status.update(Link::Proven, false, Moment::default());
        assert_eq!(said(&mut inbox), Some(0.0));
        assert_eq!(said(&mut inbox), None);
        status.update(Link::Proven, false, Moment::default());
        assert_eq!(said(&mut inbox), Some(0.0));
    }
}
