//! Calls for attention. An occurrence calls when it is raised, and again when the acknowledgement that it had does
//! not stand any more: it ran out, an overlay ended, it became more urgent. What was said in answer to one call is
//! no answer to the next.
//!
//! ```text
//!   raised ──▶ call 1 ──ack──▶ realarmed ──▶ call 2 ──ack──▶ ...
//! ```
//!
//! Each call has a number that no other call of the same occurrence has, nor, after a journal was lost, the call
//! of another occurrence that was given the same number. It is made of the time, in milliseconds, and is no time:
//! no step of the clock changes it afterwards, and calls of one occurrence only grow.

use super::time::Wall;

/// The number of a call at `now`, after the call `before` of the same occurrence.
pub(super) fn next(before: Option<u64>, now: Wall) -> u64 {
    let millis = u64::try_from(now.unix_nanos() / 1_000_000).unwrap_or(0);
    before.map_or(millis, |before| millis.max(before.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_one_occurrence_grow_whatever_the_clock_does() {
        let at = |seconds: i64| Wall::from_unix_nanos(seconds * 1_000_000_000);
        for (before, now, expected) in [
            (None, 5, 5_000),
            (None, -5, 0),
            (Some(5_000), 6, 6_000),
            (Some(5_000), 5, 5_001),
            (Some(5_000), 1, 5_001),
            (Some(u64::MAX), 1, u64::MAX),
        ] {
            assert_eq!(next(before, at(now)), expected, "{before:?} {now}");
        }
    }
}
