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
