//! How often a condition became true: an alarm that rises only when that happened several times within
//! a time.
//!
//! ```text
//!  zone ─▶ delays ─▶ became true? ─▶ instants ─▶ enough of them within the time? ─▶ life cycle
//! ```
//!
//! The stage stands between the delays and the life cycle. A pump that starts once is nothing, six
//! starts in an hour are; one short dip of the supply is nothing, three in a minute are.
//!
//! - **Raised** at the instant at which the condition became true for the last of the times.
//! - **Cleared** when fewer instants lie within the time *and* the condition is gone. So it holds while
//!   the condition lasts, and for as long as the instants are young: what comes back meanwhile is
//!   counted, and is no new occurrence.
//! - **Held** while there is no verdict: a value that is missing counts nothing and clears nothing, also
//!   when the instants grow old meanwhile.
//!
//! Instants survive a restart ([`refill`](super::refill)), and so does whether the condition was true: what
//! goes on over a restart is no second time. Readings out of order and delayed data are not counted: when
//! the condition became true by them is not known in time.

use super::delay::{Confirmed, Delays, Phase, Zone};
use super::memory::Counted;
use super::recurrence::Instants;
use super::settings::CountRule;
use super::time::{Moment, Mono};

/// The count of one alarm.
#[derive(Debug)]
pub(super) struct Count {
    pub(super) rule: CountRule,
    /// How far the condition itself is confirmed.
    pub(super) phase: Phase,
    /// When it became true.
    instants: Instants,
    /// Is there a verdict about the condition?
    known: bool,
    /// Did it become true, or false, since it was remembered last?
    changed: bool,
    /// Is there an entry in the agenda for the time at which the instants are old?
    pub(super) armed: bool,
}

impl Count {
    pub(super) fn new(rule: CountRule) -> Self {
        Self {
            rule,
            phase: Phase::Idle,
            instants: Instants::new(usize::from(rule.times)),
            known: false,
            changed: false,
            armed: false,
        }
    }

    /// Takes a new verdict about the condition; gives that about the count.
    pub(super) fn judge(&mut self, zone: Zone, delays: Delays, now: Mono) -> Zone {
        let confirmed = self.phase.judge(zone, delays, now);
        self.known = zone != Zone::Unknown;
        self.take(confirmed, now)
    }

    /// The delay that was to end at `due` ends.
    pub(super) fn expire(&mut self, due: Mono) -> Zone {
        let confirmed = self.phase.expire(due);
        self.take(confirmed, due)
    }

    /// The condition may be true again: nothing clears.
    pub(super) fn hold(&mut self) {
        self.phase.hold();
        self.known = false;
    }

    /// When the instants will be too old to be enough, if they are.
    pub(super) fn ends(&self) -> Option<Mono> {
        self.instants.pass(self.rule.within)
    }

    fn take(&mut self, confirmed: Option<Confirmed>, now: Mono) -> Zone {
        if confirmed == Some(Confirmed::Raise) {
            self.instants.note(now);
        }
        self.changed |= confirmed.is_some();
        self.zone(now)
    }

    /// Is there something to remember that is another than before?
    pub(super) const fn has_changed(&self) -> bool {
        self.changed
    }

    /// What to remember.
    pub(super) fn remember(&mut self, now: Moment) -> Counted {
        self.changed = false;
        let instants = self.instants.known();
        Counted {
            lasts: self.phase.in_alarm(),
            instants: instants.map(|time| now.wall_of(time)).collect(),
        }
    }

    /// Takes up what was remembered.
    pub(super) fn restore(&mut self, counted: &Counted, now: Moment) {
        for instant in &counted.instants {
            self.instants.note_at(now.nanos_of(*instant));
        }
        if counted.lasts {
            self.phase = Phase::Active;
        }
    }

    /// Where the count lies at `now`.
    pub(super) fn zone(&self, now: Mono) -> Zone {
        if !self.known {
            Zone::Unknown
        } else if self.instants.are_within(self.rule.within, now) {
            Zone::Beyond
        } else if self.phase == Phase::Idle {
            Zone::Inside
        } else {
            Zone::Margin
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::super::settings::PendingHold;
    use super::*;

    fn at(second: usize) -> Mono {
        Mono::ZERO + Duration::from_secs(second as u64)
    }

    fn counted(times: u8, within: u64) -> Count {
        Count::new(CountRule {
            times,
            within: Duration::from_secs(within),
        })
    }

    fn delays(on: u64, off: u64) -> Delays {
        Delays {
            on: Duration::from_secs(on),
            off: Duration::from_secs(off),
            hold: PendingHold::Limit,
        }
    }

    /// One verdict a second, timers between them; the verdict about the count after each.
    fn run(count: &mut Count, delays: Delays, zones: &[Zone]) -> Vec<Zone> {
        let judged = zones.iter().enumerate().map(|(second, zone)| {
            count.judge(*zone, delays, at(second));
            count.expire(at(second))
        });
        judged.collect()
    }

    #[test]
    fn the_last_of_the_times_raises_and_age_clears() {
        use Zone::{Beyond as B, Inside as I, Margin as M, Unknown as U};
        let cases: [(&str, &[Zone], &[Zone]); 5] = [
            (
                "three times within 10 s",
                &[B, I, B, I, B, I, I, I, I, I, I],
                &[M, I, M, I, B, B, B, B, B, B, I],
            ),
            (
                "the first is too old",
                &[B, I, I, I, I, I, I, I, B, I, B, I],
                &[M, I, I, I, I, I, I, I, M, I, M, I],
            ),
            (
                "holds while the condition lasts",
                &[B, I, B, I, B, B, B, B, B, B, B, M, I],
                &[M, I, M, I, B, B, B, B, B, B, M, M, I],
            ),
            (
                "no verdict holds",
                &[B, I, B, I, B, I, U, U, U, U, U, U, I],
                &[M, I, M, I, B, B, U, U, U, U, U, U, I],
            ),
            (
                "a condition that goes on through a gap is one",
                &[B, U, B, U, B, I],
                &[M, U, M, U, M, I],
            ),
        ];
        for (name, zones, expected) in cases {
            let zones = run(&mut counted(3, 10), delays(0, 0), zones);
            assert_eq!(zones, expected, "{name}");
        }
    }

    #[test]
    fn what_is_not_confirmed_is_not_counted() {
        use Zone::{Beyond as B, Inside as I};
        let mut count = counted(2, 60);
        let zones = run(&mut count, delays(2, 0), &[B, B, I, B, B, B, I, B, B, B]);
        assert_eq!(zones[8], Zone::Margin);
        assert_eq!(zones[9], Zone::Beyond, "the second that lasted for 2 s");
        assert_eq!(count.ends(), Some(at(5 + 60)));
    }

    #[test]
    fn what_may_be_true_again_clears_nothing() {
        use Zone::{Beyond as B, Inside as I};
        let mut count = counted(2, 5);
        run(&mut count, delays(0, 0), &[B, I, B, I]);
        count.hold();
        assert_eq!(count.zone(at(30)), Zone::Unknown);
        assert_eq!(count.judge(I, delays(0, 0), at(31)), Zone::Inside);
    }

    proptest! {
        /// By looking back over everything: how often did it become true within the time?
        #[test]
        fn agrees_with_looking_back(
            beyond in prop::collection::vec(any::<bool>(), 1..120),
            times in 1_u8..5,
            within in 1_usize..30,
        ) {
            let zones: Vec<Zone> = beyond.iter()
                .map(|beyond| if *beyond { Zone::Beyond } else { Zone::Inside }).collect();
            let judged = run(&mut counted(times, within as u64), delays(0, 0), &zones);
            for (now, zone) in judged.iter().enumerate() {
                let became = |second: &usize| beyond[*second] && (*second == 0 || !beyond[second - 1]);
                let since = (now + 1).saturating_sub(within);
                let enough = (since..=now).filter(became).count() >= usize::from(times);
                let expected = match (enough, beyond[now]) {
                    (true, _) => Zone::Beyond,
                    (false, true) => Zone::Margin,
                    (false, false) => Zone::Inside,
                };
                prop_assert_eq!(*zone, expected, "{}", now);
            }
        }
    }
}
