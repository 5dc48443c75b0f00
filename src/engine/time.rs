//! Two clocks with two meanings. Durations, delays and deadlines use [`Mono`]; [`Wall`] only stamps
//! what leaves the gateway. A board without a battery starts in 1970 and jumps when it finds a time
//! server: no rule may notice.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Monotonic time: nanoseconds since an arbitrary start of this process. Never steps, never stops.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mono(u64);

impl Mono {
    /// The start of the process' monotonic clock.
    pub const ZERO: Self = Self(0);
    /// Later than any deadline.
    pub const NEVER: Self = Self(u64::MAX);

    /// From nanoseconds since the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, for arithmetic on windows and for the `t` of a replay.
    pub fn as_secs_f64(self) -> f64 {
        Duration::from_nanos(self.0).as_secs_f64()
    }

    /// Time from `earlier` to `self`; zero when `earlier` is the later one.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Nanoseconds on the scale of [`Mono`]; negative before it began, of what a restart brings back.
pub(super) type Nanos = i64;

/// A time on the scale that reaches back beyond the start.
pub(super) fn nanos(mono: Mono) -> Nanos {
    i64::try_from(mono.as_nanos()).unwrap_or(i64::MAX)
}

/// A span on it.
pub(super) fn span_nanos(span: Duration) -> Nanos {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

impl Moment {
    /// A time of the wall clock on that scale, by what both clocks show now; the present at the latest.
    pub(super) fn nanos_of(self, wall: Wall) -> Nanos {
        let passed = self.wall.unix_nanos().saturating_sub(wall.unix_nanos());
        nanos(self.mono).saturating_sub(passed.max(0))
    }

    /// The other way round.
    pub(super) fn wall_of(self, time: Nanos) -> Wall {
        let ago = nanos(self.mono).saturating_sub(time);
        Wall::from_unix_nanos(self.wall.unix_nanos().saturating_sub(ago))
    }
}

impl Add<Duration> for Mono {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(whole_nanos(span)))
    }
}

impl Sub<Duration> for Mono {
    type Output = Self;

    /// The start of the process at the earliest.
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(whole_nanos(span)))
    }
}

/// Wall-clock time: nanoseconds since 1970-01-01T00:00:00Z, without leap seconds (as Unix counts).
/// Covers the years 1677 to 2262; times outside are refused where they enter.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Wall(i64);

impl Wall {
    /// From nanoseconds since the Unix epoch.
    pub const fn from_unix_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn unix_nanos(self) -> i64 {
        self.0
    }

    /// `self` minus `earlier`, in seconds; negative when `earlier` is later.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        let nanos = self.0.saturating_sub(earlier.0);
        let magnitude = Duration::from_nanos(nanos.unsigned_abs()).as_secs_f64();
        if nanos < 0 { -magnitude } else { magnitude }
    }
}

impl Wall {
    /// The same instant by a clock that stepped by `step` seconds; unchanged when that is no time span.
    #[must_use]
    pub fn stepped(self, step: f64) -> Self {
        let by = Duration::try_from_secs_f64(step.abs()).unwrap_or_default();
        if step < 0.0 { self - by } else { self + by }
    }
}

impl Add<Duration> for Wall {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(whole_nanos(span)))
    }
}

impl Sub<Duration> for Wall {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(whole_nanos(span)))
    }
}

/// One instant as both clocks saw it. Made in `src/clock.rs`, by `replay` and by tests only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    /// For every duration and deadline.
    pub mono: Mono,
    /// For stamps that leave the gateway.
    pub wall: Wall,
}

impl Moment {
    /// This moment moved forward by `span` on both clocks.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self {
            mono: self.mono + span,
            wall: self.wall + span,
        }
    }

    /// The moment at which the monotonic clock shows `mono`, as far as this moment can tell: both
    /// clocks are taken to run alike between the two. Used for timers that fire between readings.
    #[must_use]
    pub fn at(self, mono: Mono) -> Self {
        let wall = if mono >= self.mono {
            self.wall + mono.since(self.mono)
        } else {
            self.wall - self.mono.since(mono)
        };
        Self { mono, wall }
    }
}

/// Units of a span and their length in milliseconds.
pub const SPANS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// A span as people write it in a configuration, in the largest unit that leaves no remainder.
pub fn show_duration(span: Duration) -> String {
    let millis = span.as_millis();
    if millis == 0 {
        return "0s".to_owned();
    }
    let mut units = SPANS.iter().rev();
    let unit = units.find(|(_, factor)| millis.is_multiple_of(u128::from(*factor)));
    unit.map_or_else(
        || format!("{millis}ms"),
        |(name, factor)| format!("{}{name}", millis / u128::from(*factor)),
    )
}

/// A span as a person says it.
pub fn spoken(seconds: f64) -> String {
    let (unit, name) = spoken_unit(seconds);
    format!("{:.0} {name}", seconds / unit)
}

/// The unit that leaves a handy number, in seconds and by name.
pub const fn spoken_unit(seconds: f64) -> (f64, &'static str) {
    match seconds {
        ..90.0 => (1.0, "s"),
        ..5_400.0 => (60.0, "min"),
        ..172_800.0 => (3_600.0, "h"),
        _ => (86_400.0, "days"),
    }
}

/// Whole nanoseconds of `span`, at most `u64::MAX` (584 years).
fn whole_nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_projects_in_both_directions() {
        let moment = Moment {
            mono: Mono::from_nanos(5_000),
            wall: Wall::from_unix_nanos(100_000),
        };
        assert_eq!(
            moment.at(Mono::from_nanos(6_000)).wall.unix_nanos(),
            101_000
        );
        assert_eq!(moment.at(Mono::from_nanos(4_000)).wall.unix_nanos(), 99_000);
        assert_eq!(moment.after(Duration::from_nanos(1)).mono.as_nanos(), 5_001);
    }

    #[test]
    fn spans_are_said_in_whole_numbers() {
        for (seconds, told) in [
            (0.4, "0 s"),
            (89.0, "89 s"),
            (90.0, "2 min"),
            (600.0, "10 min"),
            (7_200.0, "2 h"),
        ] {
            assert_eq!(spoken(seconds), told);
        }
    }

    #[test]
    fn a_span_is_shown_in_the_largest_unit_that_leaves_no_remainder() {
        for (millis, shown) in [
            (0, "0s"),
            (1, "1ms"),
            (1_500, "1500ms"),
            (2_000, "2s"),
            (90_000, "90s"),
            (600_000, "10min"),
            (7_200_000, "2h"),
            (172_800_000, "2d"),
        ] {
            assert_eq!(show_duration(Duration::from_millis(millis)), shown);
        }
        assert_eq!(show_duration(Duration::from_micros(1)), "0s");
    }

    #[test]
    fn arithmetic_saturates() {
        let five = Mono::from_nanos(5);
        assert_eq!(five - Duration::from_nanos(2), Mono::from_nanos(3));
        assert_eq!(five - Duration::from_nanos(6), Mono::ZERO);
        assert_eq!(Mono::NEVER + Duration::from_secs(1), Mono::NEVER);
        assert_eq!(Mono::ZERO.since(Mono::NEVER), Duration::ZERO);
        assert_eq!(
            (Wall::from_unix_nanos(i64::MAX) + Duration::MAX).unix_nanos(),
            i64::MAX
        );
    }

    #[test]
    fn wall_differences_are_signed() {
        let early = Wall::from_unix_nanos(-1_000_000_000);
        let late = Wall::from_unix_nanos(500_000_000);
        assert!((late.seconds_since(early) - 1.5).abs() < 1e-12);
        assert!((early.seconds_since(late) + 1.5).abs() < 1e-12);
    }
}
