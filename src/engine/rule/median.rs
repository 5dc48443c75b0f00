//! The middle of the good values of the last while: what a value is usually like (alarm-standards 2.6).
//! Half of the values may be wild before it moves.
//!
//! At most [`SAMPLES`] values are kept, evenly over the window: of values that come faster, the first of
//! each [`SAMPLES`]th of the window. Times are those of the rules' windows. What must be seen of the window
//! stands with [`MedianRule`]; after a hole in it the median begins anew, as slopes do. Room for all values
//! from the start.

use std::collections::VecDeque;
use std::time::Duration;

use super::super::memory::Content;
use super::super::refill;
use super::super::report::six_digits;
use super::super::settings::MedianRule;
use super::super::time::{Mono, Nanos, nanos, span_nanos};

/// Values that are kept at most.
const SAMPLES: u32 = 256;

/// The values of the last while.
#[derive(Debug)]
pub(in super::super) struct RollingMedian {
    rule: MedianRule,
    /// In order of their times.
    samples: VecDeque<(Nanos, f64)>,
    /// The same values in order of their size.
    sorted: Vec<f64>,
    /// Time of the newest value, kept or not.
    newest: Option<Nanos>,
    /// When it was remembered last.
    remembered: Mono,
}

impl RollingMedian {
    /// No values yet.
    pub(in super::super) fn new(rule: MedianRule) -> Self {
        Self {
            rule,
            samples: VecDeque::with_capacity(SAMPLES as usize),
            sorted: Vec::with_capacity(SAMPLES as usize),
            newest: None,
            remembered: Mono::ZERO,
        }
    }

    /// Takes one good value. A time before the newest one counts as the newest.
    pub(in super::super) fn learn(&mut self, time: Mono, value: f64) {
        self.take(nanos(time), value);
    }

    /// Is nothing known?
    pub(in super::super) fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// How much must be seen before there is a median.
    pub(in super::super) fn min_span(&self) -> Duration {
        self.rule.min_span()
    }

    /// Is it worth remembering over a restart, and time for that?
    pub(in super::super) fn is_memory_due(&self, now: Mono) -> bool {
        refill::is_due(self.rule.window, self.remembered, now)
    }

    /// What to remember, if it is worth that: values evenly over the window, and the newest.
    pub(in super::super) fn remember(&mut self, now: Mono) -> Option<Content> {
        self.remembered = now;
        if self.rule.window < refill::LASTING {
            return None;
        }
        // An empty one is kept, too: it must not be taken for what was kept of it before.
        let every = self.samples.len().div_ceil(refill::PIECES).max(1);
        let age = |time: Nanos| {
            let age = nanos(now).saturating_sub(time).max(0).unsigned_abs();
            six_digits(Duration::from_nanos(age).as_secs_f64())
        };
        let kept = self.samples.iter().rev().step_by(every);
        let mut usual: Vec<_> = kept
            .map(|(time, value)| (age(*time), six_digits(*value)))
            .collect();
        usual.reverse();
        Some(Content::Usual { usual })
    }

    /// Takes up what was remembered `at`.
    pub(in super::super) fn restore(&mut self, content: &Content, at: Nanos, now: Mono) {
        if let Content::Usual { usual } = content {
            for (age, value) in usual.iter().filter(|(_, value)| value.is_finite()) {
                if let Ok(age) = Duration::try_from_secs_f64(*age) {
                    self.take(at.saturating_sub(span_nanos(age)), *value);
                }
            }
            if self
                .newest
                .is_some_and(|newest| self.is_hole(newest, nanos(now)))
            {
                *self = Self::new(self.rule);
            }
        }
        self.remembered = now;
    }

    fn take(&mut self, time: Nanos, value: f64) {
        let time = self.newest.map_or(time, |newest| newest.max(time));
        let hole = self.newest.is_some_and(|newest| self.is_hole(newest, time));
        self.newest = Some(time);
        if hole {
            self.samples.clear();
            self.sorted.clear();
        }
        while let Some((oldest, _)) = self.samples.front()
            && time.saturating_sub(*oldest) >= span_nanos(self.rule.window)
        {
            self.forget_oldest();
        }
        let width = self.rule.window / SAMPLES;
        let (last, full) = (self.samples.back(), self.samples.len() == SAMPLES as usize);
        if last.is_some_and(|(last, _)| time.saturating_sub(*last) < span_nanos(width)) {
            return;
        }
        if full {
            self.forget_oldest();
        }
        self.samples.push_back((time, value));
        let at = self.place_of(value);
        self.sorted.insert(at, value);
    }

    /// The median, if enough of the window up to `now` was seen.
    pub(in super::super) fn get(&self, now: Mono) -> Option<f64> {
        let ((first, _), (last, _)) = (self.samples.front()?, self.samples.back()?);
        let enough = self.sorted.len() >= MedianRule::MIN_SAMPLES
            && last.saturating_sub(*first) >= span_nanos(self.rule.min_span());
        if !enough || self.is_hole(self.newest?, nanos(now)) {
            return None;
        }
        middle(&self.sorted)
    }

    fn is_hole(&self, from: Nanos, to: Nanos) -> bool {
        to.saturating_sub(from) > span_nanos(self.rule.max_gap())
    }

    fn forget_oldest(&mut self) {
        if let Some((_, value)) = self.samples.pop_front() {
            let after = self.place_of(value);
            self.sorted.remove(after - 1);
        }
    }

    /// Behind all values that are not greater.
    fn place_of(&self, value: f64) -> usize {
        self.sorted
            .partition_point(|known| known.total_cmp(&value).is_le())
    }
}

/// The middle of values in order of their size; between two, the half of both.
pub(in super::super) fn middle(sorted: &[f64]) -> Option<f64> {
    let at = sorted.len() / 2;
    let upper = *sorted.get(at)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    // Halved first: the sum of two large values is more than a float holds.
    Some(sorted[at - 1] / 2.0 + upper / 2.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(seconds: u64) -> RollingMedian {
        RollingMedian::new(MedianRule {
            window: Duration::from_secs(seconds),
        })
    }

    fn at(second: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(second)
    }

    fn near(found: Option<f64>, expected: Option<f64>) -> bool {
        match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
            (found, expected) => found.is_none() && expected.is_none(),
        }
    }

    #[test]
    fn nothing_is_said_before_enough_was_seen() {
        let mut median = of(60);
        for second in 0..36 {
            median.learn(at(second), 5.0);
            assert_eq!(median.get(at(second)), None, "{second}");
        }
        median.learn(at(36), 5.0);
        assert!(near(median.get(at(36)), Some(5.0)));
        let mut sparse = of(60);
        for second in [0, 6, 12, 18, 24, 30, 36, 42, 48] {
            sparse.learn(at(second), 5.0);
            assert_eq!(sparse.get(at(second)), None, "fewer than 10: {second}");
        }
        sparse.learn(at(54), 5.0);
        assert!(near(sparse.get(at(54)), Some(5.0)));
    }

    #[test]
    fn a_hole_is_no_verdict_and_begins_anew() {
        let mut median = of(60);
        (0..60).for_each(|second| median.learn(at(second), 5.0));
        assert!(near(median.get(at(79)), Some(5.0)), "a third of the window");
        assert_eq!(median.get(at(80)), None);
        median.learn(at(80), 9.0);
        assert_eq!(median.get(at(80)), None);
        (81..=116).for_each(|second| median.learn(at(second), 9.0));
        assert!(near(median.get(at(116)), Some(9.0)), "nothing from before");
    }

    #[test]
    fn half_of_the_values_may_be_wild() {
        let mut median = of(60);
        for second in 0..60 {
            let wild = second % 5 < 2;
            median.learn(at(second), if wild { 1e9 } else { 5.0 });
        }
        assert!(near(median.get(at(59)), Some(5.0)));
    }

    #[test]
    fn a_fast_source_fills_no_memory_and_loses_no_span() {
        let mut median = of(60);
        let room = (median.samples.capacity(), median.sorted.capacity());
        for step in 0..60_000_u32 {
            let time = Mono::ZERO + Duration::from_millis(10) * step;
            median.learn(time, f64::from(step));
            assert!(median.samples.len() <= SAMPLES as usize);
        }
        assert_eq!((median.samples.capacity(), median.sorted.capacity()), room);
        let found = median.get(at(599)).expect("it was seen");
        assert!((found - 57_000.0).abs() < 50.0, "{found}");
    }

    #[test]
    fn values_as_far_apart_as_there_is_room_for_are_all_kept() {
        let mut median = of(u64::from(SAMPLES));
        (0..100).for_each(|second| median.learn(at(second), 5.0));
        assert_eq!(median.samples.len(), 100);
    }

    #[test]
    fn between_two_lies_the_half_of_both() {
        for (values, expected) in [
            (vec![], None),
            (vec![3.0], Some(3.0)),
            (vec![3.0, 4.0], Some(3.5)),
            (vec![1.0, 3.0, 9.0], Some(3.0)),
            (vec![f64::MAX, f64::MAX], Some(f64::MAX)),
        ] {
            assert!(near(middle(&values), expected), "{values:?}");
        }
    }

    proptest! {
        /// By its definition: sort what lies in the window, take the middle.
        #[test]
        fn agrees_with_sorting(
            values in prop::collection::vec((1_u64..5, -3_i8..4), 1..200), window in 20_u64..60,
        ) {
            let mut median = of(window);
            let (mut second, mut seen) = (0, Vec::new());
            for (gap, value) in values {
                second += gap;
                let value = f64::from(value) * 0.5;
                median.learn(at(second), value);
                seen.push((second, value));
                let inside = seen.iter().filter(|(then, _)| second - then < window);
                let mut sorted: Vec<f64> = inside.clone().map(|(_, value)| *value).collect();
                sorted.sort_by(f64::total_cmp);
                let first = inside.map(|(then, _)| *then).min().unwrap_or(second);
                let enough = sorted.len() >= MedianRule::MIN_SAMPLES && 5 * (second - first) >= 3 * window;
                let expected = middle(&sorted).filter(|_| enough);
                let found = median.get(at(second));
                prop_assert!(near(found, expected), "{:?} {:?}", found, expected);
            }
        }
    }
}
