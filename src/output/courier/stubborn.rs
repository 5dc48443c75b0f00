//! A message that fails again and again, and perhaps it alone: a receiver that answers 500 to one text, a filter
//! before it that answers 403. Such an answer says nothing of whose fault it is, so the message goes again; but it
//! must not keep everything behind it for ever. Pure.
//!
//! ```text
//!   the head fails ──8 times, 10 min──▶ each 4th attempt is with what follows ──fails, too──▶ nobody is to blame
//!                                               │ taken
//!                                               ▼
//!                       the head fails ──3 times, each time after others were taken──▶ set aside (`aside`)
//! ```
//!
//! Only answers count, and of those not the ones that ask for a slower pace: where nobody is reached, or too much is sent, no
//! message is to blame. The price: after an outage of more than ten
//! minutes in which the far end answered with errors, the first message may come after those that follow it.

use std::time::Duration;

use crate::engine::time::Mono;

/// So often it fails ...
const FAILURES: u32 = 8;
/// ... over so long, before anything else is tried ...
const FOR: Duration = Duration::from_secs(600);
/// ... with one attempt of so many.
const EVERY: u32 = 4;
/// So often it fails after others were taken, and it is to blame.
const STRIKES: u32 = 3;

/// The message that everything waits for, if it failed.
#[derive(Debug, Default)]
pub(super) struct Stubborn(Option<Head>);

#[derive(Debug, Clone, Copy)]
struct Head {
    /// The event, or the first and last of a summary.
    first: u64,
    last: u64,
    since: Mono,
    failures: u32,
    attempts: u32,
    /// Others were taken since it failed.
    others: bool,
    strikes: u32,
}

impl Head {
    /// Has it failed for so long that something else is tried? What is live goes before a backlog without that.
    fn is_old(&self, now: Mono) -> bool {
        self.failures >= FAILURES && now.since(self.since) >= FOR
    }
}

impl Stubborn {
    /// The far end answered, and did not take the events from `first` to `last`. `true`: they are to blame.
    pub(super) fn failed(&mut self, (first, last): (u64, u64), cursor: u64, now: Mono) -> bool {
        let known = self.0.filter(|head| head.first > cursor);
        let mut head = known.unwrap_or(Head {
            first,
            last,
            since: now,
            failures: 0,
            attempts: 0,
            others: false,
            strikes: 0,
        });
        head.attempts = head.attempts.wrapping_add(1);
        if head.first == first {
            head.last = last;
            head.failures = head.failures.saturating_add(1);
            let others = std::mem::take(&mut head.others);
            head.strikes += u32::from(others && head.is_old(now));
        }
        self.0 = Some(head).filter(|head| head.strikes < STRIKES);
        self.0.is_none()
    }

    /// An event was taken.
    pub(super) fn taken(&mut self, seq: u64) {
        self.0 = self.0.filter(|head| head.first != seq);
        if let Some(head) = &mut self.0 {
            head.others = true;
        }
    }

    /// The last event of what fails, when what follows is to be tried.
    pub(super) fn gives_way(&self, now: Mono) -> Option<u64> {
        let head = self.0?;
        (head.is_old(now) && head.attempts.is_multiple_of(EVERY)).then_some(head.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn only_what_fails_while_others_are_taken_is_to_blame() {
        let mut stubborn = Stubborn::default();
        let mut probes = 0;
        for second in (0..3_600).step_by(30) {
            // The far end is down: whatever is tried fails.
            let seq = if stubborn.gives_way(at(second)).is_some() {
                8
            } else {
                7
            };
            probes += u32::from(seq == 8);
            assert!(!stubborn.failed((seq, seq), 6, at(second)), "{second}");
        }
        assert_eq!(probes, 25, "one attempt of four after ten minutes");
        for strike in 1..=STRIKES {
            stubborn.taken(8);
            assert_eq!(stubborn.failed((7, 7), 6, at(4_000)), strike == STRIKES);
        }
        assert!(stubborn.0.is_none());
    }

    #[test]
    fn what_fails_for_minutes_beside_live_messages_is_not_to_blame_yet() {
        let mut stubborn = Stubborn::default();
        for second in 0..599 {
            stubborn.taken(100 + second);
            assert!(!stubborn.failed((7, 7), 6, at(second)), "{second}");
        }
    }

    #[test]
    fn what_arrives_after_all_or_is_passed_over_is_forgotten() {
        let mut stubborn = Stubborn::default();
        stubborn.failed((7, 9), 6, at(0));
        stubborn.taken(7);
        assert!(stubborn.0.is_none());
        stubborn.failed((10, 10), 9, at(0));
        stubborn.failed((12, 12), 11, at(1));
        assert_eq!(
            stubborn.0.map(|head| (head.first, head.failures)),
            Some((12, 1))
        );
    }
}
