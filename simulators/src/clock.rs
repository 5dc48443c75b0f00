//! The only file here that reads clocks and starts tasks.
//!
//! Stories are told in time since the start of a simulator, on the monotonic clock of tokio, which a
//! test can pause. Wall time only stamps payloads.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

/// Now, on the monotonic clock.
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Milliseconds since 1970-01-01T00:00:00Z; 0 on a clock that stands before that.
#[expect(
    clippy::disallowed_methods,
    reason = "sensors stamp their payloads with wall time; this is the one place that reads it"
)]
pub(crate) fn unix_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

/// Starts the one task of a simulator; its children live in a `JoinSet` of that task.
#[expect(
    clippy::disallowed_methods,
    reason = "a simulator runs beside the code under test and is ended through its handle"
)]
pub(crate) fn start<F>(task: F) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    tokio::spawn(task)
}

/// `2026-05-04T06:12:31.000Z` from milliseconds since 1970.
///
/// The days are counted as in Howard Hinnant's `civil_from_days`: years begin in March, so that the
/// leap day is the last of its year.
pub(crate) fn rfc3339(unix_ms: i64) -> String {
    const MS_PER_DAY: i64 = 86_400_000;
    let day = unix_ms.div_euclid(MS_PER_DAY) + 719_468;
    let ms = unix_ms.rem_euclid(MS_PER_DAY);
    let era = day.div_euclid(146_097);
    let day_of_era = day.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day_of_month:02}T{:02}:{:02}:{:02}.{:03}Z",
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1_000 % 60,
        ms % 1_000
    )
}

/// Which round of a story that repeats a time lies in, and how far into it.
pub(crate) fn round(time: Duration, every: Duration) -> (u128, Duration) {
    let round = time.as_nanos() / every.as_nanos();
    let into = time.as_nanos() % every.as_nanos();
    let into = u64::try_from(into).map_or(Duration::MAX, Duration::from_nanos);
    (round, into)
}

/// Whole microseconds of a duration.
pub(crate) fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_dates_of_leap_years_and_turns_of_centuries() {
        let cases = [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (1_777_875_151_000, "2026-05-04T06:12:31.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ];
        for (unix_ms, expected) in cases {
            assert_eq!(rfc3339(unix_ms), expected);
        }
    }
}
