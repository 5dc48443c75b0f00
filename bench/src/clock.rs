//! The only file of the benchmark that reads clocks and sleeps.
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark measures time, and paces its load by blocking a thread of its own"
)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Now, monotonic.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970, as sensors stamp them.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Blocks the calling thread.
pub(crate) fn sleep(time: Duration) {
    std::thread::sleep(time);
}

/// Blocks the calling thread until `at`; not at all when it has passed.
pub(crate) fn sleep_until(at: Instant) {
    std::thread::sleep(at.saturating_duration_since(Instant::now()));
}
