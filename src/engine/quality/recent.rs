//! The newest readings of a source in the order of its times, for those that come out of order or all
//! at once (alarm-standards 2.23).

use std::collections::VecDeque;
use std::time::Duration;

use super::super::delay::Zone;
use super::super::reading::Sample;
use super::super::settings::PendingHold;
use super::super::time::Wall;

/// Readings that are kept at most; of a faster source the oldest leave earlier than the window asks.
const SAMPLES: usize = 128;

/// What orders readings: the time of the source, then its counter.
pub(super) type Key = (Wall, Option<u64>);

/// See the module docs.
#[derive(Debug, Default)]
pub(in super::super) struct Recent {
    samples: VecDeque<(Key, Sample)>,
}

impl Recent {
    /// Is there an equal reading: same counter, or same time and value?
    pub(super) fn holds(&self, key: Key, sample: Sample) -> bool {
        let newest_first = self.samples.iter().rev();
        let mut near = newest_first.take_while(|(known, _)| known.0 >= key.0);
        near.any(|(known, value)| match (known.1, key.1) {
            (Some(known), Some(this)) => known == this,
            (_, _) => known.0 == key.0 && *value == sample,
        })
    }

    /// Is this one older than the newest?
    pub(super) fn is_before_newest(&self, key: Key) -> bool {
        self.samples.back().is_some_and(|(newest, _)| key < *newest)
    }

    /// Puts a reading in its place; what is older than the newest by more than `window` is forgotten.
    pub(super) fn insert(&mut self, key: Key, sample: Sample, window: Duration) {
        let newest = self
            .samples
            .back()
            .map_or(key, |(newest, _)| key.max(*newest));
        while let Some((oldest, _)) = self.samples.front()
            && (oldest.0 + window < newest.0 || self.samples.len() == SAMPLES)
        {
            self.samples.pop_front();
        }
        let at = self.samples.partition_point(|(known, _)| *known <= key);
        self.samples.insert(at, (key, sample));
    }

    /// The reading before the newest, and the time of the newest.
    pub(in super::super) fn last_two(&self) -> Option<(Sample, Wall)> {
        let mut newest_first = self.samples.iter().rev();
        let (newest, _) = newest_first.next()?;
        let (_, before) = newest_first.next()?;
        Some((*before, newest.0))
    }

    /// Another clock counts from now on.
    pub(super) fn clear(&mut self) {
        self.samples.clear();
    }

    /// Was the condition true at `time` without a break for `on`? A value holds until the next one.
    pub(in super::super) fn lasted(
        &self,
        time: Wall,
        on: Duration,
        hold: PendingHold,
        zone: impl Fn(Sample) -> Zone,
    ) -> bool {
        let mut since = None;
        for ((at, _), sample) in &self.samples {
            let (beyond, unbroken) = match (zone(*sample), hold) {
                (Zone::Beyond, _) => (true, true),
                (Zone::Margin, PendingHold::Deadband) => (false, true),
                (Zone::Margin | Zone::Inside | Zone::Unknown, _) => (false, false),
            };
            // At one instant a reading comes first, then the end of a delay.
            let enough = |since: Wall| since + on < *at || (unbroken && since + on <= *at);
            if since.is_some_and(|since| since <= time && time <= *at && enough(since)) {
                return true;
            }
            since = since.filter(|_| unbroken).or(beyond.then_some(*at));
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::reading::Finite;
    use super::*;

    fn at(seconds: u64) -> Wall {
        Wall::from_unix_nanos(1_777_874_400_000_000_000) + Duration::from_secs(seconds)
    }

    fn of(samples: &[(u64, f64)], window: u64) -> Recent {
        let mut recent = Recent::default();
        for (second, value) in samples {
            let key = (at(*second), None);
            recent.insert(key, Sample::measured(*value), Duration::from_secs(window));
        }
        recent
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten_and_what_is_as_old_is_not() {
        let holds = |recent: &Recent, second: u64| {
            let one = Sample::measured(1.0);
            recent.holds((at(second), None), one)
        };
        let recent = of(&[(0, 1.0), (3, 1.0), (10, 1.0)], 10);
        assert!(holds(&recent, 0) && holds(&recent, 3));
        let recent = of(&[(0, 1.0), (3, 1.0), (10, 1.0), (12, 1.0)], 10);
        assert!(!holds(&recent, 0));
        assert!(holds(&recent, 3) && holds(&recent, 12));
    }

    #[test]
    fn a_fast_source_fills_no_memory() {
        let mut recent = Recent::default();
        for millis in 0..2_000 {
            let key = (at(0) + Duration::from_millis(millis), None);
            recent.insert(key, Sample::measured(1.0), Duration::from_secs(3_600));
            assert!(recent.samples.len() <= SAMPLES);
        }
        assert_eq!(recent.samples.len(), SAMPLES);
    }

    /// Beyond the limit above 8, in the margin above 7.
    #[test]
    fn a_condition_has_lasted_when_it_was_true_for_the_delay_without_a_break() {
        use PendingHold::{Deadband, Limit};
        let zone = |sample: Sample| match sample.value().map(Finite::get) {
            Some(8.0..) => Zone::Beyond,
            Some(7.0..) => Zone::Margin,
            Some(_) => Zone::Inside,
            None => Zone::Unknown,
        };
        type Case = (&'static [(u64, f64)], u64, PendingHold, bool);
        let cases: [Case; 11] = [
            (&[(10, 9.0), (15, 9.0)], 12, Limit, true),
            (&[(10, 9.0), (14, 9.0)], 12, Limit, false),
            (&[(10, 9.0), (14, 9.0), (15, 9.0)], 12, Limit, true),
            // At the end of the delay the reading comes first.
            (&[(10, 9.0), (15, 1.0)], 12, Limit, false),
            (&[(10, 9.0), (16, 1.0)], 12, Limit, true),
            (
                &[(10, 9.0), (13, 1.0), (14, 9.0), (18, 9.0)],
                12,
                Limit,
                false,
            ),
            (&[(10, 9.0), (13, 7.5), (15, 9.0)], 12, Limit, false),
            (&[(10, 9.0), (13, 7.5), (15, 7.5)], 12, Deadband, true),
            // Not at that time: before it, and after it.
            (&[(10, 9.0), (15, 9.0)], 9, Limit, false),
            (&[(10, 9.0), (15, 9.0)], 16, Limit, false),
            (&[(10, 9.0), (15, 9.0)], 15, Limit, true),
        ];
        for (samples, time, hold, expected) in cases {
            let recent = of(samples, 3_600);
            let lasted = recent.lasted(at(time), Duration::from_secs(5), hold, zone);
            assert_eq!(lasted, expected, "{samples:?} at {time}");
        }
    }
}
