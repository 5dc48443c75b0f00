//! Whether a bus keeps its promise: the measured cycle against its limit.
//!
//! What counts is how long a class waits from when it is due until it was read, for classes whose device
//! answers. The longest of the last [`WINDOW`] is the *measured cycle*. The bus is *behind* from the first
//! wait beyond the limit until a whole window has none.

use std::time::Duration;

use crate::engine::time::Mono;

/// How long a wait is remembered.
pub const WINDOW: Duration = Duration::from_secs(60);

/// The waits of one bus.
#[derive(Debug)]
pub struct Pace {
    limit: Duration,
    /// When the present window began.
    began: Mono,
    /// The longest wait of the present window, and of the one before it.
    longest: Duration,
    before: Duration,
    /// What was said last.
    told: Option<bool>,
}

impl Pace {
    /// Measures against `limit`.
    pub const fn new(limit: Duration, now: Mono) -> Self {
        Self {
            limit,
            began: now,
            longest: Duration::ZERO,
            before: Duration::ZERO,
            told: None,
        }
    }

    /// A class that was due at `tick` was read at `now`. Says whether the bus is behind, when that changes
    /// or is known for the first time.
    pub fn read(&mut self, tick: Mono, now: Mono) -> Option<bool> {
        let passed = now.since(self.began);
        if passed >= WINDOW {
            let idle = passed >= WINDOW.saturating_mul(2);
            self.before = if idle { Duration::ZERO } else { self.longest };
            self.longest = Duration::ZERO;
            self.began = now;
        }
        self.longest = self.longest.max(now.since(tick));
        let behind = self.cycle() > self.limit;
        (self.told.replace(behind) != Some(behind)).then_some(behind)
    }

    /// The longest wait of at least the last window.
    pub fn cycle(&self) -> Duration {
        self.longest.max(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said when a class due at `tick` is read at `now`, in seconds.
    fn said(pace: &mut Pace, steps: &[(u64, u64)]) -> Vec<Option<bool>> {
        let at = |seconds| Mono::ZERO + Duration::from_secs(seconds);
        let said = steps
            .iter()
            .map(|&(tick, now)| pace.read(at(tick), at(now)));
        said.collect()
    }

    fn pace() -> Pace {
        Pace::new(Duration::from_secs(2), Mono::ZERO)
    }

    #[test]
    fn a_bus_is_behind_from_the_first_wait_beyond_the_limit() {
        let steps = [(0, 1), (1, 3), (3, 6), (6, 9), (10, 10)];
        let expected = [Some(false), None, Some(true), None, None];
        assert_eq!(said(&mut pace(), &steps), expected);
    }

    #[test]
    fn it_keeps_up_again_after_a_whole_window_without_one() {
        let mut pace = pace();
        let steps = [(0, 5), (60, 60), (119, 119), (120, 120), (121, 121)];
        let expected = [Some(true), None, None, Some(false), None];
        assert_eq!(said(&mut pace, &steps), expected);
        assert_eq!(pace.cycle(), Duration::ZERO);
        // What was before a long silence of all devices is not held against it.
        assert_eq!(
            said(&mut pace, &[(121, 130), (500, 501)]),
            [Some(true), Some(false)]
        );
        assert_eq!(pace.cycle(), Duration::from_secs(1));
    }
}
