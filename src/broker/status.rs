//! A fault of ours as a reading, so that it goes through the same rules and becomes an alarm.

use crate::engine::reading::{PointIndex, Reading, Sample, Service};
use crate::engine::time::{Moment, Mono};
use crate::evaluation::{Batch, Delivery, Readings};

/// A connection that is back within this time was never lost, as far as people are concerned.
const GRACE: std::time::Duration = std::time::Duration::from_secs(5);

/// What is known of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Link {
    /// Not connected.
    Lost,
    /// Of use, though not as it should be: not at every end, or more slowly than it is wanted.
    Partial,
    /// Connected, but nothing shows yet that it is of use: no reason to say that all is well, and
    /// none to say that it is not.
    Unproven,
    /// Connected and of use.
    Proven,
}

/// What goes over it, whatever the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Everything.
    Good,
    /// Not everything, or something else is wrong.
    Troubled,
    /// Nothing any more.
    Stuck,
}

impl Flow {
    /// Good, or troubled.
    pub(crate) const fn troubled(troubled: bool) -> Self {
        if troubled { Self::Troubled } else { Self::Good }
    }
}

/// One of the gateway's own points: how a connection serves ([`Service`]). Its alarm is active for whatever is
/// wrong; escalations ask whether an output delivers at all. Reported on change only. When the
/// engine's inbox is full it is tried again at the next turn.
#[derive(Debug)]
pub(crate) struct StatusPoint {
    point: PointIndex,
    readings: Readings,
    /// Since when it has not been as it should be, and since when it has been of no use.
    impaired: Option<Mono>,
    lost: Option<Mono>,
    reported: Option<Service>,
}

impl StatusPoint {
    pub(crate) const fn new(point: PointIndex, readings: Readings) -> Self {
        Self {
            point,
            readings,
            impaired: None,
            lost: None,
            reported: None,
        }
    }

    /// To be called about once a second and on change. A link that is lost or impaired gets [`GRACE`],
    /// which an unproven one in between does not start over: a far end that accepts and drops is a lost one.
    /// `flow` is reported as it is.
    pub(crate) fn update(&mut self, link: Link, flow: Flow, now: Moment) {
        let flow = match flow {
            Flow::Good => Service::Good,
            Flow::Troubled => Service::Troubled,
            Flow::Stuck => Service::Down,
        };
        let service = self.hear(link, now.mono).max(flow);
        // Nothing is known yet.
        if link != Link::Proven && service == Service::Good {
            return;
        }
        if self.reported == Some(service) {
            return;
        }
        let sample = Sample::measured(service.value());
        let delivery = Delivery {
            readings: Batch::One(Reading::live(self.point, sample, now)),
            receipt: None,
        };
        if self.readings.try_send(delivery).is_ok() {
            self.reported = Some(service);
        }
    }

    /// What the link alone says. Without proof nothing is better than it was reported.
    fn hear(&mut self, link: Link, now: Mono) -> Service {
        let over = |since: &mut Option<Mono>| now.since(*since.get_or_insert(now)) >= GRACE;
        let before = self.reported.unwrap_or(Service::Good);
        match link {
            Link::Proven => {
                (self.impaired, self.lost) = (None, None);
                Service::Good
            }
            Link::Unproven => before,
            Link::Partial => {
                self.lost = None;
                if over(&mut self.impaired) {
                    Service::Troubled
                } else {
                    before.min(Service::Troubled)
                }
            }
            Link::Lost => {
                let impaired = over(&mut self.impaired);
                if over(&mut self.lost) {
                    Service::Down
                } else if impaired {
                    before.max(Service::Troubled)
                } else {
                    before
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::Link::{Lost, Partial, Proven, Unproven};
    use super::*;
    use crate::engine::reading::Measured;
    use crate::engine::reading::Service::{Down, Good, Troubled};

    fn said(inbox: &mut mpsc::Receiver<Delivery>) -> Option<f64> {
        match inbox.try_recv().ok()?.readings {
            Batch::One(Reading {
                measured: Measured::Sample(sample),
                ..
            }) => sample.value().map(|value| value.get()),
            Batch::One(_) | Batch::Many(_) => None,
        }
    }

    /// What is reported when, as the seconds pass; `(second, link, flow, expected report)`.
    fn tells(steps: &[(u64, Link, Flow, Option<Service>)]) {
        let (readings, mut inbox) = mpsc::channel(4);
        let mut status = StatusPoint::new(PointIndex(0), readings);
        for (second, link, flow, expected) in steps {
            let now = Moment::default().after(Duration::from_secs(*second));
            status.update(*link, *flow, now);
            let expected = expected.map(Service::value);
            assert_eq!(said(&mut inbox), expected, "second {second}");
        }
    }

    #[test]
    fn loss_is_reported_after_the_grace_and_return_at_once() {
        tells(&[
            (0, Lost, Flow::Good, None),
            (4, Lost, Flow::Good, None),
            (5, Lost, Flow::Good, Some(Down)),
            (6, Lost, Flow::Good, None),
            (7, Proven, Flow::Good, Some(Good)),
            (8, Lost, Flow::Good, None),
            (9, Proven, Flow::Good, None),
            (10, Proven, Flow::Stuck, Some(Down)),
            (11, Proven, Flow::Stuck, None),
            (12, Proven, Flow::Good, Some(Good)),
        ]);
    }

    /// What is in trouble is told from what does not deliver, and each loss has its grace.
    #[test]
    fn trouble_is_no_loss() {
        tells(&[
            (0, Proven, Flow::Troubled, Some(Troubled)),
            (1, Lost, Flow::Troubled, None),
            (6, Lost, Flow::Troubled, Some(Down)),
            // Connected again, and nothing has arrived: no better than before.
            (7, Unproven, Flow::Troubled, None),
            (8, Proven, Flow::Troubled, Some(Troubled)),
            (9, Proven, Flow::Good, Some(Good)),
        ]);
        tells(&[
            (0, Proven, Flow::Good, Some(Good)),
            (1, Partial, Flow::Good, None),
            (6, Partial, Flow::Good, Some(Troubled)),
            (7, Lost, Flow::Good, None),
            (9, Partial, Flow::Good, None),
            (10, Lost, Flow::Good, None),
            (13, Lost, Flow::Good, None),
            (15, Lost, Flow::Good, Some(Down)),
            (16, Partial, Flow::Good, Some(Troubled)),
            (17, Proven, Flow::Good, Some(Good)),
        ]);
    }

    #[test]
    fn a_far_end_that_accepts_and_drops_is_one_loss() {
        let (readings, mut inbox) = mpsc::channel(4);
        let mut status = StatusPoint::new(PointIndex(0), readings);
        let mut told = Vec::new();
        for second in 0..60 {
            let link = if second % 3 == 0 { Unproven } else { Lost };
            let now = Moment::default().after(Duration::from_secs(second));
            status.update(link, Flow::Good, now);
            told.extend(said(&mut inbox));
        }
        assert_eq!(told, [Down.value()]);
        let now = Moment::default().after(Duration::from_secs(60));
        status.update(Proven, Flow::Good, now);
        assert_eq!(said(&mut inbox), Some(0.0));
    }

    #[test]
    fn a_full_inbox_loses_no_report() {
        let (readings, mut inbox) = mpsc::channel(1);
        let mut other = StatusPoint::new(PointIndex(1), readings.clone());
        let mut status = StatusPoint::new(PointIndex(0), readings);
        other.update(Proven, Flow::Good, Moment::default());
        status.update(Proven, Flow::Good, Moment::default());
        assert_eq!(said(&mut inbox), Some(0.0));
        assert_eq!(said(&mut inbox), None);
        status.update(Proven, Flow::Good, Moment::default());
        assert_eq!(said(&mut inbox), Some(0.0));
    }
}
