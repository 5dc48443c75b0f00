//! Spans that may have begun before this process did: on the monotonic clock while it runs, as wall
//! time in the journal.

use std::time::Duration;

use crate::engine::time::{Moment, Mono, Wall};

/// A beginning. This process's clock may not reach back to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Since {
    seen: Mono,
    /// How long ago it was then.
    before: Duration,
}

impl Since {
    /// It begins at `now`.
    pub(super) const fn now(now: Mono) -> Self {
        Self {
            seen: now,
            before: Duration::ZERO,
        }
    }

    /// It began at `began`, as the journal has it. `last_alive` bounds what a clock that fell back
    /// would hide.
    pub(super) fn restored(began: Wall, last_alive: Option<Wall>, now: Moment) -> Self {
        let latest = last_alive.map_or(now.wall, |alive| alive.max(now.wall));
        let nanos = latest.unix_nanos().saturating_sub(began.unix_nanos());
        Self {
            seen: now.mono,
            before: Duration::from_nanos(u64::try_from(nanos).unwrap_or(0)),
        }
    }

    /// When this process first knew of it: as it began, or at the start.
    pub(super) const fn seen(self) -> Mono {
        self.seen
    }

    /// How long ago it is.
    pub(super) const fn age(self, now: Mono) -> Duration {
        self.before.saturating_add(now.since(self.seen))
    }

    /// When it is `span` ago; the past counts as when it was first seen.
    pub(super) fn plus(self, span: Duration) -> Mono {
        self.seen + span.saturating_sub(self.before)
    }

    /// Its wall time by the present clock.
    pub(super) fn wall(self, now: Moment) -> Wall {
        now.wall - self.age(now.mono)
    }
}

/// The newest `N` beginnings of something.
#[derive(Debug, Clone)]
pub(super) struct Recent<const N: usize> {
    /// A ring; `next` is the oldest.
    times: [Option<Since>; N],
    next: usize,
}

impl<const N: usize> Default for Recent<N> {
    fn default() -> Self {
        Self {
            times: [None; N],
            next: 0,
        }
    }
}

impl<const N: usize> Recent<N> {
    /// One more, not older than those before.
    pub(super) fn push(&mut self, since: Since) {
        self.times[self.next] = Some(since);
        self.next = (self.next + 1) % N;
    }

    /// Were there at least `count` (1 to `N`) within `span` up to now?
    pub(super) fn within(&self, count: usize, span: Duration, now: Mono) -> bool {
        let index = (self.next + N - count) % N;
        self.times[index].is_some_and(|since| since.age(now) < span)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment {
            mono: Mono::ZERO + Duration::from_secs(seconds),
            wall: Wall::from_unix_nanos(1_767_225_600_000_000_000) + Duration::from_secs(seconds),
        }
    }

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_span_goes_on_over_a_restart() {
        let began = at(100);
        // The process started at 200, its monotonic clock at zero.
        let now = Moment {
            mono: Mono::ZERO + secs(3),
            wall: at(200).wall,
        };
        let since = Since::restored(began.wall, None, now);
        assert_eq!(since.age(now.mono), secs(100));
        assert_eq!(since.plus(secs(130)), now.mono + secs(30));
        assert_eq!(since.plus(secs(60)), now.mono, "overdue is due now");
        assert_eq!(since.wall(now.after(secs(7))), began.wall);
    }

    #[test]
    fn a_clock_that_fell_back_hides_only_the_time_without_power() {
        let now = Moment {
            mono: Mono::ZERO,
            wall: Wall::from_unix_nanos(0),
        };
        let since = Since::restored(at(100).wall, Some(at(160).wall), now);
        assert_eq!(since.age(now.mono), secs(60));
        assert_eq!(
            Since::restored(at(100).wall, None, now).age(now.mono),
            Duration::ZERO
        );
    }

    #[test]
    fn a_step_of_the_clock_moves_the_stamp_and_not_the_span() {
        let since = Since::now(at(100).mono);
        let stepped = Moment {
            wall: at(4000).wall,
            ..at(130)
        };
        assert_eq!(since.age(stepped.mono), secs(30));
        assert_eq!(since.wall(stepped), at(3970).wall);
    }

    #[test]
    fn the_newest_are_counted_in_a_window() {
        let mut recent = Recent::<3>::default();
        for seconds in [0, 10, 20, 30] {
            assert!(!recent.within(3, secs(21), at(seconds).mono));
            recent.push(Since::now(at(seconds).mono));
        }
        let now = at(30).mono;
        assert!(recent.within(3, secs(21), now) && recent.within(1, secs(1), now));
        assert!(!recent.within(3, secs(20), now), "(t - 20, t] has two");
        assert!(recent.within(2, secs(20), now));
    }
}
