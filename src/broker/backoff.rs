//! How long to wait before the next connection.
//!
//! The wait doubles from half a second up to half a minute, or a limit of one's own, and carries jitter, so that a hundred
//! gateways do not come back in step. It starts over only after a connection that stayed up: a
//! broker that accepts and drops at once is not asked faster than one that refuses.
//!
//! With several servers there is no wait before the next one, until each has been asked once. One that accepts
//! and soon drops is followed by a wait all the same: what it dropped may be our fault.

use std::time::Duration;

use crate::engine::time::Mono;

/// Shortest wait.
const MIN: Duration = Duration::from_millis(500);
/// Longest wait.
const MAX: Duration = Duration::from_secs(30);
/// A connection that lived this long was a good one.
const STABLE: Duration = Duration::from_secs(30);

/// The schedule of one connection. Time and randomness are arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    /// The next wait is between half of this and all of it.
    ceiling: Duration,
    longest: Duration,
    /// To be asked one after another.
    servers: usize,
    /// Asked since the last wait.
    asked: usize,
    connected: Option<Mono>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::up_to(MAX)
    }
}

impl Backoff {
    /// A schedule whose waits are never longer than `longest`.
    pub const fn up_to(longest: Duration) -> Self {
        Self {
            ceiling: MIN.saturating_mul(2),
            longest,
            servers: 1,
            asked: 0,
            connected: None,
        }
    }

    /// The same for so many servers, of which the next one is asked after each failure.
    pub const fn among(self, servers: usize) -> Self {
        Self { servers, ..self }
    }

    /// The connection is up.
    pub const fn connected(&mut self, now: Mono) {
        self.connected = Some(now);
    }

    /// The connection ended or did not come about: how long to wait. `jitter` is random in 0 to 1.
    pub fn failed(&mut self, now: Mono, jitter: f64) -> Duration {
        let lived = self.connected.take().map(|since| now.since(since));
        let was_good = lived.is_some_and(|lived| lived >= STABLE);
        if was_good {
            *self = Self::up_to(self.longest).among(self.servers);
        }
        self.asked += 1;
        if self.asked < self.servers && (lived.is_none() || was_good) {
            return Duration::ZERO;
        }
        self.asked = 0;
        let half = self.ceiling / 2;
        self.ceiling = (self.ceiling * 2).min(self.longest);
        half + half.mul_f64(jitter.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(seconds)
    }

    fn waits(backoff: &mut Backoff, jitter: f64) -> Vec<u128> {
        (0..9)
            .map(|_| backoff.failed(at(0), jitter).as_millis())
            .collect()
    }

    #[test]
    fn the_wait_doubles_within_its_bounds() {
        let least = [500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000, 15_000];
        assert_eq!(waits(&mut Backoff::default(), 0.0), least);
        let most = least.map(|wait| wait * 2);
        assert_eq!(waits(&mut Backoff::default(), 1.0), most);
    }

    #[test]
    fn a_shorter_limit_holds_for_ever() {
        let mut backoff = Backoff::up_to(Duration::from_secs(10));
        assert!(waits(&mut backoff, 1.0).iter().all(|wait| *wait <= 10_000));
        backoff.connected(at(100));
        assert_eq!(backoff.failed(at(130), 0.0), MIN);
        assert!(waits(&mut backoff, 1.0).iter().all(|wait| *wait <= 10_000));
    }

    #[test]
    fn every_server_is_asked_before_a_wait() {
        let mut backoff = Backoff::default().among(3);
        assert_eq!(
            waits(&mut backoff, 0.0),
            [0, 0, 500, 0, 0, 1000, 0, 0, 2000]
        );
        backoff.connected(at(100));
        assert_eq!(backoff.failed(at(130), 0.0), Duration::ZERO, "it was good");
        assert_eq!(waits(&mut backoff, 0.0)[..5], [0, 500, 0, 0, 1000]);
    }

    #[test]
    fn a_server_that_accepts_and_drops_does_not_send_us_to_the_next_at_once() {
        let mut backoff = Backoff::default().among(3);
        for least in [500, 1000, 2000] {
            backoff.connected(at(100));
            assert_eq!(backoff.failed(at(101), 0.0), Duration::from_millis(least));
        }
    }

    #[test]
    fn jitter_outside_its_range_is_harmless() {
        for jitter in [-1.0, 7.0] {
            let wait = Backoff::default().failed(at(0), jitter);
            assert!((MIN..=MIN * 2).contains(&wait), "{jitter}: {wait:?}");
        }
    }

    #[test]
    fn only_a_stable_connection_starts_over() {
        let mut backoff = Backoff::default();
        waits(&mut backoff, 0.0);
        backoff.connected(at(100));
        assert_eq!(backoff.failed(at(129), 0.0), MAX / 2);
        backoff.connected(at(200));
        assert_eq!(backoff.failed(at(230), 0.0), MIN);
    }

    #[test]
    fn a_failure_without_a_connection_does_not_count_an_old_one() {
        let mut backoff = Backoff::default();
        backoff.connected(at(0));
        backoff.failed(at(1), 0.0);
        assert!(backoff.failed(at(100), 0.0) > MIN);
    }
}
