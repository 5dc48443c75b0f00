//! The only file that reads clocks. Everything else is handed a [`Moment`].
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one place where time enters the process"
)]

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::engine::time::{Moment, Mono, Wall};

/// Both clocks, read one right after the other.
pub fn now() -> Moment {
    Moment {
        mono: monotonic(),
        wall: wall(),
    }
}

/// Nanoseconds since the first call in this process. Tokio's clock, so that tests may pause it.
pub fn monotonic() -> Mono {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = *START.get_or_init(Instant::now);
    let elapsed = tokio::time::Instant::now()
        .into_std()
        .saturating_duration_since(start);
    Mono::ZERO + elapsed
}

/// The wall clock; saturates outside 1677 to 2262.
fn wall() -> Wall {
    let nanos = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    };
    Wall::from_unix_nanos(nanos)
}
