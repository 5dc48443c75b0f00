//! The only file that reads clocks. Everything else is handed a [`Moment`].
//!
//! While a board is suspended the process' own clock stands still, but the plant does not. So the time
//! of a suspension is added: whoever compares two times sees that nobody watched in between, as after
//! a process was stopped.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place where time enters the process"
)]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, Timespec, clock_gettime};
use tokio::time::Instant;

use crate::engine::time::{Moment, Mono, Wall};

/// Both clocks, read one right after the other.
pub fn now() -> Moment {
    Moment {
        mono: monotonic(),
        wall: wall(),
    }
}

/// What the kernel calls this boot of the board: a new name after every one. `None` where it tells none.
pub fn boot_id() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let id = text.trim();
    (!id.is_empty()).then(|| id.to_owned())
}

/// Nanoseconds since the first call in this process, suspensions included. Tokio's clock, so that
/// tests may pause it.
pub fn monotonic() -> Mono {
    static START: OnceLock<(Instant, Suspended)> = OnceLock::new();
    let now = Instant::now();
    let (start, suspended) = START.get_or_init(|| (now, Suspended::since(suspended_since_boot())));
    let elapsed = now.saturating_duration_since(*start);
    Mono::ZERO + elapsed + suspended.at(suspended_since_boot())
}

/// What CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC. Read in this order, an interruption in between
/// makes it smaller and never larger.
fn suspended_since_boot() -> Duration {
    let boot = since_boot(clock_gettime(ClockId::Boottime));
    boot.saturating_sub(since_boot(clock_gettime(ClockId::Monotonic)))
}

fn since_boot(time: Timespec) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}

/// The suspensions since a start. Never goes back, and ignores how unevenly two clocks are read.
struct Suspended {
    start: Duration,
    nanos: AtomicU64,
}

impl Suspended {
    /// Less is no suspension.
    const LEAST: Duration = Duration::from_secs(1);

    const fn since(start: Duration) -> Self {
        Self {
            start,
            nanos: AtomicU64::new(0),
        }
    }

    /// How long in all, when the time suspended since boot is `now`.
    fn at(&self, now: Duration) -> Duration {
        let known = Duration::from_nanos(self.nanos.load(Ordering::Relaxed));
        let found = now.saturating_sub(self.start);
        if found < known + Self::LEAST {
            return known;
        }
        let nanos = u64::try_from(found.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.nanos.fetch_max(nanos, Ordering::Relaxed).max(nanos))
    }
}

/// The wall clock; saturates outside 1677 to 2262.
fn wall() -> Wall {
    let nanos = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    };
    Wall::from_unix_nanos(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspensions_add_up_and_never_go_back() {
        let secs = Duration::from_secs_f64;
        let suspended = Suspended::since(secs(100.0));
        for (now, expected) in [
            (100.0, 0.0),
            (99.9, 0.0),
            (100.9, 0.0),
            (101.5, 1.5),
            (101.4, 1.5),
            (102.4, 1.5),
            (3702.0, 3602.0),
            (100.0, 3602.0),
        ] {
            assert_eq!(suspended.at(secs(now)), secs(expected), "at {now}");
        }
    }

    #[test]
    fn without_a_suspension_the_clocks_go_alike() {
        let before = suspended_since_boot();
        let first = monotonic();
        assert!(monotonic() >= first);
        // A machine that runs tests is not suspended meanwhile; interruptions make it smaller.
        assert!(suspended_since_boot() < before + Suspended::LEAST);
    }
}
