//! Events that are set aside for an output, and when they are tried again. Pure.
//!
//! MQTT 3.1.1 has no word for a message that is refused for good: a broker that cannot take one
//! closes the connection, as one does that is ill, overloaded or badly configured. So an event that
//! has ended nine connections alone is not lost, and neither is one that a receiver with answers has
//! refused three times: somebody may put the far end, or the template, right. It is tried again,
//! alone, when nothing else is to be done, since each attempt may cost the connection:
//!
//! ```text
//!  set aside ──15 min──▶ tried ──30 min──▶ tried ── 1 h, 2 h, 4 h, 8 h, 16 h ──▶ given up
//!                          └── acknowledged: delivered, marked `replayed`
//! ```
//!
//! | bound | when full |
//! |---|---|
//! | 16 events | the oldest is given up |
//! | 7 attempts in about 32 h | the event is given up |
//! | 32 h, whatever came of the attempts | the event is given up with the next one that fails |
//!
//! What is given up is counted and told; the journal keeps it. A restart may be what puts things right, so what is
//! set aside is tried by the next run soon: the first at once, each other one a minute after the one before, as each may
//! cost the connection. It is a try beside the row above: whatever comes of it, no attempt is spent, and the event goes
//! on as if it had been there all the time.

use std::collections::VecDeque;
use std::time::Duration;

use crate::engine::time::Mono;

/// After a restart, from one event to the next.
const APART: Duration = Duration::from_secs(60);
/// Before the first attempt; doubled before each that follows.
const FIRST_PAUSE: Duration = Duration::from_secs(15 * 60);
/// An event is given up after so many.
const ATTEMPTS: u32 = 7;
/// It is tried no more after this.
const KEPT_FOR: Duration = Duration::from_secs(32 * 3600);
/// Events at most.
const MOST: usize = 16;

/// The list of one output.
#[derive(Debug, Default)]
pub(super) struct Aside {
    events: VecDeque<Held>,
    on_the_way: Option<u64>,
}

#[derive(Debug)]
struct Held {
    seq: u64,
    attempts: u32,
    due: Mono,
    /// It is given up after this.
    until: Mono,
    /// The next try is the one of a restart.
    is_extra: bool,
}

impl Held {
    /// `age`: it was set aside so long ago.
    fn new(seq: u64, age: Duration, now: Mono) -> Self {
        Self {
            seq,
            attempts: 0,
            due: now,
            until: now + KEPT_FOR.saturating_sub(age),
            is_extra: false,
        }
    }

    fn rest(&mut self, now: Mono) {
        self.due = now + FIRST_PAUSE * (1_u32 << self.attempts.min(ATTEMPTS));
    }

    fn is_over(&self, now: Mono) -> bool {
        self.attempts >= ATTEMPTS || now >= self.until
    }
}

impl Aside {
    /// Sets an event aside. The one that is given up for it, if the list is full.
    pub(super) fn put(&mut self, seq: u64, now: Mono) -> Option<u64> {
        let mut held = Held::new(seq, Duration::ZERO, now);
        held.rest(now);
        self.hold(held)
    }

    /// An earlier run had set it aside `age` ago. The one that is given up for it, if the list is full.
    pub(super) fn take_up(&mut self, seq: u64, age: Duration, now: Mono) -> Option<u64> {
        let mut held = Held::new(seq, age, now);
        let mut tried = Mono::ZERO;
        while held.attempts + 1 < ATTEMPTS {
            held.rest(tried);
            if held.due.since(Mono::ZERO) > age {
                break;
            }
            tried = held.due;
            held.attempts += 1;
        }
        let before = u32::try_from(self.events.len()).unwrap_or(u32::MAX);
        held.due = now + APART.saturating_mul(before);
        held.is_extra = true;
        self.hold(held)
    }

    fn hold(&mut self, held: Held) -> Option<u64> {
        self.events.push_back(held);
        if self.events.len() <= MOST {
            return None;
        }
        self.events.pop_front().map(|oldest| oldest.seq)
    }

    /// The event to try now.
    pub(super) fn due(&self, now: Mono) -> Option<u64> {
        let mut due = self.events.iter().filter(|held| held.due <= now);
        due.next()
            .filter(|_| self.on_the_way.is_none())
            .map(|held| held.seq)
    }

    /// It was handed to the wire.
    pub(super) const fn sent(&mut self, seq: u64) {
        self.on_the_way = Some(seq);
    }

    /// Is one on the way?
    pub(super) const fn is_trying(&self) -> bool {
        self.on_the_way.is_some()
    }

    /// It cannot be tried now: no attempt, and another pause. The event that is given up, if it is over.
    pub(super) fn postpone(&mut self, seq: u64, now: Mono) -> Option<u64> {
        let held = self.events.iter_mut().find(|held| held.seq == seq)?;
        if !held.is_over(now) {
            held.rest(now);
            return None;
        }
        self.forget(seq);
        Some(seq)
    }

    /// Nobody was reached with it: no attempt, and it is due as before.
    pub(super) const fn put_back(&mut self) {
        self.on_the_way = None;
    }

    /// It has arrived, or is given up.
    pub(super) fn forget(&mut self, seq: u64) {
        self.events.retain(|held| held.seq != seq);
        self.on_the_way = self.on_the_way.filter(|trying| *trying != seq);
    }

    /// The connection ended; `by_far_end`: it was closed on us. The event that is given up, if it was
    /// the last attempt.
    pub(super) fn disconnected(&mut self, by_far_end: bool, now: Mono) -> Option<u64> {
        let seq = self.on_the_way.take()?;
        let held = self.events.iter_mut().find(|held| held.seq == seq)?;
        let counts = by_far_end && !std::mem::take(&mut held.is_extra);
        held.attempts += u32::from(counts);
        if !held.is_over(now) {
            held.rest(now);
            return None;
        }
        self.forget(seq);
        Some(seq)
    }

    /// All of them, oldest first.
    #[cfg(test)]
    pub(super) fn all(&self) -> impl Iterator<Item = u64> {
        self.events.iter().map(|held| held.seq)
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600;

    fn after(seconds: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn it_is_tried_with_growing_pauses_and_given_up_in_the_end() {
        let mut aside = Aside::default();
        assert_eq!(aside.put(7, Mono::ZERO), None);
        let mut now = 0;
        let mut pauses = Vec::new();
        let given_up = loop {
            let began = now;
            while aside.due(after(now)).is_none() {
                now += 60;
            }
            pauses.push((now - began) / 60);
            aside.sent(7);
            assert_eq!(aside.due(after(now)), None, "it is on the way");
            if let Some(seq) = aside.disconnected(true, after(now)) {
                break seq;
            }
        };
        assert_eq!((given_up, aside.len()), (7, 0));
        assert_eq!(pauses, [15, 30, 60, 120, 240, 480, 960]);
        assert!(now < 32 * HOUR);
    }

    #[test]
    fn what_ends_for_another_reason_is_no_attempt() {
        let mut aside = Aside::default();
        aside.put(7, Mono::ZERO);
        for round in 1..32 {
            let now = after(round * HOUR);
            assert_eq!(aside.due(now), Some(7));
            aside.sent(7);
            assert_eq!(aside.disconnected(false, now), None);
            assert_eq!(aside.due(now), None);
        }
        assert!(!aside.is_trying());
        assert_eq!(
            aside.disconnected(true, after(0)),
            None,
            "none was on the way"
        );
        // But a list must end, and what holds events in the journal.
        let mut beside = Aside::default();
        beside.put(8, Mono::ZERO);
        assert_eq!(beside.postpone(8, after(31 * HOUR)), None);
        assert_eq!(beside.postpone(8, after(32 * HOUR)), Some(8));
        aside.sent(7);
        assert_eq!(aside.disconnected(false, after(32 * HOUR)), Some(7));
        assert_eq!((aside.len(), beside.len()), (0, 0));
    }

    #[test]
    fn a_restart_tries_at_once_and_goes_on_where_the_run_before_was() {
        for (hours, pause_minutes) in [(0, 15), (1, 60), (30, 960)] {
            let mut aside = Aside::default();
            let now = after(100);
            let age = Duration::from_secs(hours * HOUR);
            assert_eq!(aside.take_up(7, age, now), None);
            assert_eq!(aside.due(now), Some(7));
            aside.sent(7);
            aside.disconnected(false, now);
            let pause = now + Duration::from_secs(pause_minutes * 60);
            assert_eq!(aside.due(pause), Some(7), "{hours} h");
            assert_eq!(aside.due(pause - Duration::from_secs(1)), None, "{hours} h");
        }
    }

    #[test]
    fn the_try_of_a_restart_spends_no_attempt() {
        for hours in [0, 15, 16, 31] {
            let mut aside = Aside::default();
            let age = Duration::from_secs(hours * HOUR);
            aside.take_up(7, age, Mono::ZERO);
            let mut refusals = 0;
            let mut now = 0;
            let given_up = loop {
                while aside.due(after(now)).is_none() {
                    now += 60;
                }
                aside.sent(7);
                refusals += 1;
                if let Some(seq) = aside.disconnected(true, after(now)) {
                    break seq;
                }
            };
            assert_eq!(given_up, 7);
            assert!(refusals >= 2, "at {hours} h");
            assert!(
                hours * HOUR + now > 31 * HOUR,
                "given up after {now} s at {hours} h"
            );
        }
    }

    #[test]
    fn a_restart_with_many_tries_one_a_minute() {
        let mut aside = Aside::default();
        for seq in 1..=16 {
            aside.take_up(seq, Duration::ZERO, Mono::ZERO);
        }
        for minute in 0..15 {
            let now = minute * 60;
            assert_eq!(aside.due(after(now)), Some(minute + 1));
            aside.sent(minute + 1);
            aside.disconnected(true, after(now));
            assert_eq!(aside.due(after(now + 59)), None, "minute {minute}");
        }
    }

    #[test]
    fn what_has_arrived_is_forgotten_and_a_full_list_gives_up_the_oldest() {
        let mut aside = Aside::default();
        for seq in 1..=16 {
            assert_eq!(aside.put(seq, Mono::ZERO), None);
        }
        assert_eq!(aside.put(17, Mono::ZERO), Some(1));
        aside.sent(2);
        aside.forget(2);
        assert!(!aside.is_trying());
        assert!(aside.all().eq(3..=17));
    }
}
