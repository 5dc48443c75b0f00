//! How far the far end's clock is ahead of ours. Pure.
//!
//! Alertmanager compares the times of alerts with its own clock. Seen with 0.25: an end that lies in its
//! past is an alert that is over before it begins, as from a board that starts in 1970; and an alert taken
//! back by a clock that runs ahead stands on for a day. So times are written as its clock shows them, by
//! the `Date` of its answers; what people read keeps the gateway's times.
//!
//! A difference below [`TOLERANCE`] is left alone: the answer says whole seconds and takes its time.

use std::time::Duration;

use crate::engine::time::Wall;

/// Clocks that differ by less are the same.
const TOLERANCE: Duration = Duration::from_secs(5);

/// What to add to a time of ours, nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Skew(i64);

impl Skew {
    /// The far end answered at `now` that its clock shows `date`. `true`: what was sent before has wrong
    /// times.
    pub(super) fn learn(&mut self, date: Wall, now: Wall) -> bool {
        let ahead = date.unix_nanos().saturating_sub(now.unix_nanos());
        let tolerance = i64::try_from(TOLERANCE.as_nanos()).unwrap_or(i64::MAX);
        let found = if ahead.saturating_abs() < tolerance {
            0
        } else {
            ahead
        };
        if found.saturating_sub(self.0).saturating_abs() < tolerance {
            return false;
        }
        self.0 = found;
        true
    }

    /// A time of ours by the far end's clock.
    pub(super) const fn there(self, ours: Wall) -> Wall {
        Wall::from_unix_nanos(ours.unix_nanos().saturating_add(self.0))
    }

    /// How far it is ahead, seconds.
    pub(super) fn seconds(self) -> f64 {
        Wall::from_unix_nanos(self.0).seconds_since(Wall::from_unix_nanos(0))
    }
}

/// The `Date` of an answer (RFC 9110, 5.6.7), as every server of today writes it.
pub(super) fn date(header: &str) -> Option<Wall> {
    let time = jiff::fmt::rfc2822::DateTimeParser::new();
    let time = time.parse_timestamp(header.trim()).ok()?;
    i64::try_from(time.as_nanosecond())
        .ok()
        .map(Wall::from_unix_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Wall {
        Wall::from_unix_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn clocks_that_are_nearly_one_are_one() {
        let mut skew = Skew::default();
        for ahead in [-4, 0, 4] {
            assert!(!skew.learn(at(1000 + ahead), at(1000)));
            assert_eq!(skew.there(at(7)), at(7));
        }
    }

    #[test]
    fn a_board_in_1970_and_one_in_the_future_are_put_right() {
        let mut skew = Skew::default();
        assert!(skew.learn(at(1_800_000_000), at(60)));
        assert_eq!(skew.there(at(61)), at(1_800_000_001));
        assert!(!skew.learn(at(1_800_000_003), at(62)), "it trembles");
        // The board has found its time server.
        assert!(skew.learn(at(1_800_000_010), at(1_800_000_010)));
        assert_eq!(skew.there(at(61)), at(61));
        assert!(skew.learn(at(0), at(3600)));
        assert_eq!(skew.there(at(3600)), at(0));
        assert!((skew.seconds() + 3600.0).abs() < 1e-9);
    }

    #[test]
    fn the_date_of_an_answer_is_read() {
        let read = date("Thu, 26 Nov 2026 19:35:23 GMT").expect("a date");
        assert_eq!(
            crate::event::rfc3339::format(read),
            "2026-11-26T19:35:23.000Z"
        );
        for nonsense in ["", "now", "26 Nov", "2026-11-26"] {
            assert_eq!(date(nonsense), None, "{nonsense}");
        }
    }
}
