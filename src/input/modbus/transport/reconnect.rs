//! When an endpoint that cannot be reached is tried again: for ever, ever more rarely up to 10 s,
//! with jitter so that after a power cut not every gateway on the site calls at one instant.

use std::time::Duration;

use crate::engine::time::Mono;

const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(10);

/// The pause before the next attempt to connect.
#[derive(Debug, Default)]
pub(super) struct Reconnect {
    failures: u32,
    not_before: Mono,
}

impl Reconnect {
    /// May an attempt be made at `now`?
    pub(super) fn allowed(&self, now: Mono) -> bool {
        now >= self.not_before
    }

    /// An attempt failed at `now`. `jitter` in 0 to 1 lengthens the pause by up to a half.
    pub(super) fn failed(&mut self, now: Mono, jitter: f64) {
        let doubled = SHORTEST.saturating_mul(2u32.saturating_pow(self.failures.min(16)));
        let pause = doubled.mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 2.0);
        self.failures = self.failures.saturating_add(1);
        self.not_before = now + pause.min(LONGEST);
    }

    /// A request was answered.
    pub(super) fn worked(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_and_start_anew_after_an_answer() {
        let mut reconnect = Reconnect::default();
        let mut pauses = Vec::new();
        assert!(reconnect.allowed(Mono::ZERO));
        for _ in 0..7 {
            reconnect.failed(Mono::ZERO, 0.0);
            assert!(!reconnect.allowed(Mono::ZERO));
            pauses.push(reconnect.not_before.since(Mono::ZERO).as_millis());
        }
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
        for _ in 0..1000 {
            reconnect.failed(Mono::ZERO, 1.0);
        }
        assert_eq!(reconnect.not_before.since(Mono::ZERO), LONGEST);
        reconnect.worked();
        assert!(reconnect.allowed(Mono::ZERO));
        reconnect.failed(Mono::ZERO, 1.0);
        assert_eq!(reconnect.not_before.since(Mono::ZERO).as_millis(), 750);
    }
}
