//! Readers whom the relay puts off while it serves others: a full box, a relay that wants to see us twice, silence. Pure.
//!
//! One of them must not keep the mails of all others waiting, so the output goes on without them, and the courier owes
//! them theirs ([`courier`](super::super::courier)). Here is when they are tried:
//!
//! ```text
//!   put off ──all wait, it is tried again──▶ 20 s ──rests, is owed──▶ 1 min ──tried── 2 min, 4 min, 5 min, 5 min ...
//!                        └── taken: in order               │                └── taken: rests no more
//!                                                          ├── a new notice: tried, but for one within 30 s of the last try
//!                                                          └── one that must wait behind what is owed: that is tried then
//! ```
//!
//! **Who hangs** (their last conversation brought nothing in 5 s or more) costs others their time, and is tried with what
//! is owed alone. After a conversation that hung for so long, nobody who hangs is tried for three times as long, so that
//! all of them together take a quarter of the time at most; and each rests until all others had their turn.
//!
//! Bound: the readers of the configuration. A restart forgets who rests: each is tried once more.

use std::collections::BTreeMap;
use std::time::Duration;

use lettre::Address;

use crate::engine::time::Mono;

/// A hiccup is waited for, so that a reader's mails stay in order ...
const PATIENCE: Duration = Duration::from_secs(20);
/// ... but no longer: what is owed is tried after this, doubled each time ...
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// ... up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A new notice may be a page that must not wait for all of that, but for this.
const SHORT_PAUSE: Duration = Duration::from_secs(30);
/// A conversation that took as long and brought nothing hung.
const HANGS: Duration = Duration::from_secs(5);
/// Those who hang are left alone for so many times what they took.
const RELIEF: u32 = 3;

/// Who rests.
#[derive(Debug, Default)]
pub(super) struct Resting {
    readers: BTreeMap<Address, Rest>,
    /// Nobody who hangs is tried before.
    relief: Mono,
}

/// A reader who was put off.
#[derive(Debug)]
struct Rest {
    /// In the relay's words.
    why: String,
    /// For the first time.
    since: Mono,
    /// For the last time.
    tried: Mono,
    until: Mono,
    pause: Duration,
    hangs: bool,
}

impl Resting {
    /// The relay puts the reader off, or falls silent over their mail, which was begun then.
    pub(super) fn put_off(&mut self, reader: &Address, why: &str, begun: Mono, now: Mono) {
        let took = now.since(begun);
        let rest = self.readers.entry(reader.clone()).or_insert(Rest {
            why: String::new(),
            since: begun,
            tried: now,
            until: now,
            pause: FIRST_PAUSE,
            hangs: false,
        });
        why.clone_into(&mut rest.why);
        rest.tried = now;
        rest.hangs = took >= HANGS;
        if now >= rest.until {
            rest.until = now + rest.pause;
            rest.pause = (rest.pause * 2).min(LONGEST_PAUSE);
        }
        if rest.hangs {
            self.relief = now + took * RELIEF;
            let hanging = self.readers.values().filter(|rest| rest.hangs).count();
            let round = took * (RELIEF + 1) * u32::try_from(hanging).unwrap_or(u32::MAX);
            let rest = self.readers.get_mut(reader).expect("just put there");
            rest.until = rest.until.max(begun + round);
        }
    }

    /// Something new waits behind what the reader is owed, which is tried when a new notice would be.
    pub(super) fn hurry(&mut self, reader: &Address) {
        if let Some(rest) = self.readers.get_mut(reader)
            && !rest.hangs
        {
            rest.until = rest.until.min(rest.tried + SHORT_PAUSE);
        }
    }

    /// The relay took a mail for the reader.
    pub(super) fn served(&mut self, reader: &Address) {
        if let Some(rest) = self.readers.remove(reader)
            && rest.hangs
        {
            // What was wrong with one is perhaps right for all.
            self.relief = Mono::ZERO;
        }
    }

    /// Why there is no use in trying the reader with a new notice now.
    pub(super) fn resting(&self, reader: &Address, now: Mono) -> Option<&str> {
        let rest = self.readers.get(reader)?;
        let was_tried = now < rest.until && now.since(rest.tried) < SHORT_PAUSE;
        let rests = self.is_tired(reader, now) && (was_tried || rest.hangs);
        rests.then_some(&*rest.why)
    }

    /// May what the reader is owed be tried now?
    pub(super) fn may_try(&self, reader: &Address, now: Mono) -> bool {
        let rest = self.readers.get(reader);
        rest.is_none_or(|rest| rest.until <= now && (!rest.hangs || self.relief <= now))
    }

    /// How long somebody is still waited for: what is left of the shortest wait.
    pub(super) fn patience(&self, now: Mono) -> Option<Duration> {
        let waits = self.readers.values().map(|rest| rest.since + PATIENCE);
        let lasting = waits.filter(|end| *end > now);
        lasting.map(|end| end.since(now)).min()
    }

    /// Was the reader put off last?
    pub(super) fn knows(&self, reader: &Address) -> bool {
        self.readers.contains_key(reader)
    }

    /// Was the reader put off just now, so that the others wait with them?
    pub(super) fn is_waited_for(&self, reader: &Address, now: Mono) -> bool {
        self.knows(reader) && !self.is_tired(reader, now)
    }

    /// Has the reader been put off for so long that nobody waits any more?
    fn is_tired(&self, reader: &Address, now: Mono) -> bool {
        let rest = self.readers.get(reader);
        rest.is_some_and(|rest| now.since(rest.since) >= PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(seconds)
    }

    fn li() -> Address {
        "li@plant.test".parse().expect("an address")
    }

    fn put_off(resting: &mut Resting, second: u64) {
        resting.put_off(&li(), "full", at(second), at(second));
    }

    /// Seconds at which a reader is tried who is put off each time.
    fn tries(may_try: impl Fn(&Resting, Mono) -> bool) -> Vec<u64> {
        let mut resting = Resting::default();
        put_off(&mut resting, 0);
        let mut tries = Vec::new();
        for second in 20..3_600 {
            if may_try(&resting, at(second)) {
                tries.push(second);
                put_off(&mut resting, second);
            }
        }
        tries
    }

    #[test]
    fn a_reader_is_waited_for_and_rests_longer_and_longer_after_that() {
        let mut resting = Resting::default();
        put_off(&mut resting, 0);
        for second in [0, 10, 19] {
            assert!(resting.resting(&li(), at(second)).is_none(), "{second}");
            let left = Duration::from_secs(20 - second);
            assert_eq!(resting.patience(at(second)), Some(left));
        }
        assert_eq!(resting.patience(at(20)), None);
        let owed = tries(|resting, now| resting.may_try(&li(), now));
        assert_eq!(owed[..4], [60, 180, 420, 720]);
        resting.served(&li());
        assert!(!resting.is_tired(&li(), at(3_600)) && resting.may_try(&li(), at(1)));
    }

    /// Nor does one of an alarm that the reader is owed something of: that is tried first, and as soon.
    #[test]
    fn what_a_new_notice_waits_behind_is_tried_twice_a_minute() {
        let mut resting = Resting::default();
        put_off(&mut resting, 0);
        resting.hurry(&li());
        assert!(!resting.may_try(&li(), at(29)));
        assert!(resting.may_try(&li(), at(30)));
    }

    /// A page that comes in the middle of a long rest does not wait for its end.
    #[test]
    fn new_notices_are_tried_twice_a_minute() {
        let new = tries(|resting, now| resting.resting(&li(), now).is_none());
        assert_eq!(new[..4], [30, 60, 90, 120]);
    }

    /// However many hang, three quarters of the time are for others; each has its turn, and none is asked with what is
    /// new.
    #[test]
    fn those_who_hang_take_a_quarter_of_the_time_in_turns() {
        for count in [1, 2, 5, 20] {
            let readers: Vec<Address> = (0..count)
                .map(|number| format!("p{number}@plant.test").parse().expect("an address"))
                .collect();
            let mut resting = Resting::default();
            let mut tries = vec![0; count];
            let (mut hung, mut now) = (0, 0_u64);
            let end = 600 * 60;
            while now < end {
                // As the courier asks, that one first who has waited longest.
                let due = readers.iter().position(|it| resting.may_try(it, at(now)));
                let Some(due) = due else {
                    now += 1;
                    continue;
                };
                resting.put_off(&readers[due], "no answer", at(now), at(now + 60));
                tries[due] += 1;
                hung += 60_u64;
                now += 60;
                assert!(resting.resting(&readers[due], at(now + 3_000)).is_some());
            }
            assert!(
                hung * 4 <= end + 240 * count as u64,
                "{count}: {hung} s of {end} s"
            );
            let (least, most) = (tries.iter().min(), tries.iter().max());
            assert!(
                *least.expect("some") >= 1 && most.expect("some") - least.expect("some") <= 2,
                "{tries:?}"
            );
        }
    }

    #[test]
    fn who_is_served_after_all_hangs_no_more_and_the_others_are_asked_at_once() {
        let anna: Address = "anna@plant.test".parse().expect("an address");
        let mut resting = Resting::default();
        for reader in [li(), anna.clone()] {
            resting.put_off(&reader, "no answer", at(0), at(60));
        }
        assert!(!resting.may_try(&anna, at(239)) && resting.may_try(&li(), at(240)));
        resting.put_off(&anna, "no answer", at(700), at(760));
        assert!(!resting.may_try(&li(), at(761)));
        resting.served(&anna);
        assert!(resting.may_try(&li(), at(761)));
    }
}
