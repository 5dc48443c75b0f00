//! How often somebody outside may make the engine work: some times at once, then once for each span of time. Pure.

use std::time::Duration;

use crate::engine::time::Mono;

/// What is left of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    burst: u32,
    refill: Duration,
    used: u32,
    since: Mono,
}

impl Allowance {
    /// `burst` times at once, and one more after each `refill`.
    pub(crate) const fn new(burst: u32, refill: Duration) -> Self {
        Self {
            burst,
            refill,
            used: 0,
            since: Mono::ZERO,
        }
    }

    /// May it once more?
    pub(crate) fn take(&mut self, now: Mono) -> bool {
        while self.used > 0 && now.since(self.since) >= self.refill {
            self.used -= 1;
            self.since = self.since + self.refill;
        }
        if self.used == 0 {
            self.since = now;
        }
        let may = self.used < self.burst;
        self.used += u32::from(may);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_at_once_and_then_one_after_another() {
        let mut allowance = Allowance::new(10, Duration::from_millis(200));
        let mut taken = |millis| {
            let now = Mono::ZERO + Duration::from_millis(millis);
            (0..20).filter(|_| allowance.take(now)).count()
        };
        assert_eq!(taken(1_000), 10);
        assert_eq!(taken(1_199), 0);
        assert_eq!(taken(1_200), 1);
        assert_eq!(taken(2_200), 5);
        assert_eq!(taken(60_000), 10);
    }
}
