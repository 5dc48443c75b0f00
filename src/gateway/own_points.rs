//! The journal's condition as a reading of the gateway's own point: the same rules make the alarm.
//!
//! The point reads 1 while events are not on disk, and for a minute after a part of the history was
//! lost, before this start or while it runs, so that a person must acknowledge it. The first reading is
//! handed in at start whatever it says: else an alarm from the run before would stay for ever.

use std::time::Duration;

use crate::engine::reading::{PointIndex, Reading, Sample};
use crate::engine::time::{Moment, Mono};
use crate::evaluation::{Batch, Delivery, Readings};
use crate::journal::JournalHealth;

/// How long lost history keeps the point at 1.
const LOSS_SHOWN: Duration = Duration::from_secs(60);

/// What the engine was told about the journal.
#[derive(Debug)]
pub(super) struct JournalPoint {
    point: PointIndex,
    loss_until: Option<Mono>,
    /// How often the journal was begun anew, as far as is known here.
    begun_anew: u32,
    told: Option<bool>,
}

impl JournalPoint {
    pub(super) fn new(point: PointIndex, history_lost: bool, now: Mono) -> Self {
        Self {
            point,
            loss_until: history_lost.then_some(now + LOSS_SHOWN),
            begun_anew: 0,
            told: None,
        }
    }

    /// Hands in a reading when the condition is news. A full queue is tried again the next time.
    pub(super) fn report(&mut self, health: JournalHealth, now: Moment, readings: &Readings) {
        if health.begun_anew > self.begun_anew {
            self.begun_anew = health.begun_anew;
            self.loss_until = Some(now.mono + LOSS_SHOWN);
        }
        let loss = self.loss_until.is_some_and(|until| now.mono < until);
        let faulty = !health.durable || loss;
        if self.told == Some(faulty) {
            return;
        }
        let value = if faulty { 1.0 } else { 0.0 };
        let delivery = Delivery {
            readings: Batch::One(Reading::live(self.point, Sample::measured(value), now)),
            receipt: None,
        };
        if readings.try_send(delivery).is_ok() {
            self.told = Some(faulty);
        } else {
            tracing::warn!("the journal's condition could not be handed to the engine yet");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::reading::{Measured, PointIndex};
    use crate::engine::time::Wall;
    use tokio::sync::mpsc;

    fn at(seconds: u64) -> Moment {
        let zero = Moment {
            mono: Mono::ZERO,
            wall: Wall::default(),
        };
        zero.after(Duration::from_secs(seconds))
    }

    fn health(durable: bool, begun_anew: u32) -> JournalHealth {
        JournalHealth {
            durable,
            begun_anew,
            ..JournalHealth::default()
        }
    }

    /// What the engine is told at each `(second, durable)`.
    fn told(history_lost: bool, steps: &[(u64, bool)]) -> Vec<Option<f64>> {
        let steps = steps
            .iter()
            .map(|(second, durable)| (*second, health(*durable, 0)));
        told_of(history_lost, steps)
    }

    fn told_of(
        history_lost: bool,
        steps: impl IntoIterator<Item = (u64, JournalHealth)>,
    ) -> Vec<Option<f64>> {
        let (send, mut receive) = mpsc::channel(8);
        let mut point = JournalPoint::new(PointIndex(0), history_lost, Mono::ZERO);
        let mut said = Vec::new();
        for (second, health) in steps {
            point.report(health, at(second), &send);
            let reading = receive.try_recv().ok().map(|delivery| {
                let Batch::One(reading) = delivery.readings else {
                    panic!("one reading at a time");
                };
                match reading.measured {
                    Measured::Sample(sample) => sample.value().map(|value| value.get()),
                    Measured::Raw(raw) => panic!("a gateway's own reading is a value, not {raw}"),
                }
            });
            said.push(reading.flatten());
        }
        said
    }

    #[test]
    fn the_first_reading_and_each_change_are_told() {
        let steps = [(0, true), (1, true), (2, false), (3, false), (4, true)];
        let expected = [Some(0.0), None, Some(1.0), None, Some(0.0)];
        assert_eq!(told(false, &steps), expected);
    }

    #[test]
    fn lost_history_is_an_alarm_for_a_minute() {
        let steps = [(0, true), (59, true), (60, true), (61, true)];
        assert_eq!(told(true, &steps), [Some(1.0), None, Some(0.0), None]);
        // A disk that fails meanwhile keeps it.
        let steps = [(0, true), (30, false), (60, false), (90, true)];
        assert_eq!(told(true, &steps), [Some(1.0), None, None, Some(0.0)]);
    }

    #[test]
    fn history_that_is_lost_while_it_runs_is_an_alarm_for_a_minute_each_time() {
        let steps = [(0, 0), (9, 1), (50, 2), (70, 2), (109, 2), (110, 2)];
        let steps = steps.map(|(second, begun_anew)| (second, health(true, begun_anew)));
        let expected = [Some(0.0), Some(1.0), None, None, None, Some(0.0)];
        assert_eq!(told_of(false, steps), expected);
    }

    #[test]
    fn a_reading_that_did_not_fit_is_handed_in_later() {
        let (send, mut receive) = mpsc::channel(1);
        let mut first = JournalPoint::new(PointIndex(0), false, Mono::ZERO);
        let mut second = JournalPoint::new(PointIndex(1), false, Mono::ZERO);
        first.report(health(false, 0), at(0), &send);
        second.report(health(false, 0), at(0), &send);
        let _first = receive.try_recv().expect("there is room for one");
        assert!(receive.try_recv().is_err());
        second.report(health(false, 0), at(1), &send);
        assert!(receive.try_recv().is_ok());
    }
}
