//! Readers whom the relay puts off while it serves others: a full box, a relay that wants to see us twice. Pure.
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

/// Who rests.
#[derive(Debug, Default)]
pub(super) struct Resting(BTreeMap<Address, Rest>);

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
}

impl Resting {
    /// The relay puts the reader off.
    pub(super) fn put_off(&mut self, reader: &Address, why: &str, now: Mono) {
        let rest = self.0.entry(reader.clone()).or_insert(Rest {
            why: String::new(),
            since: now,
            tried: now,
            until: now,
            pause: FIRST_PAUSE,
        });
        why.clone_into(&mut rest.why);
        rest.tried = now;
        if now >= rest.until {
            rest.until = now + rest.pause;
            rest.pause = (rest.pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Something new waits behind what the reader is owed, which is tried when a new notice would be.
    pub(super) fn hurry(&mut self, reader: &Address) {
        if let Some(rest) = self.0.get_mut(reader) {
            rest.until = rest.until.min(rest.tried + SHORT_PAUSE);
        }
    }

    /// The relay took a mail for the reader.
    pub(super) fn served(&mut self, reader: &Address) {
        self.0.remove(reader);
    }

    /// Why there is no use in trying the reader with a new notice now.
    pub(super) fn resting(&self, reader: &Address, now: Mono) -> Option<&str> {
        let rest = self.0.get(reader).filter(|rest| now < rest.until)?;
        let rests = self.is_tired(reader, now) && now.since(rest.tried) < SHORT_PAUSE;
        rests.then_some(&*rest.why)
    }

    /// May what the reader is owed be tried now?
    pub(super) fn may_try(&self, reader: &Address, now: Mono) -> bool {
        let rest = self.0.get(reader);
        rest.is_none_or(|rest| rest.until <= now)
    }

    /// How long somebody is still waited for: what is left of the shortest wait.
    pub(super) fn patience(&self, now: Mono) -> Option<Duration> {
        let waits = self.0.values().map(|rest| rest.since + PATIENCE);
        let lasting = waits.filter(|end| *end > now);
        lasting.map(|end| end.since(now)).min()
    }

    /// Has the reader been put off for so long that nobody waits any more?
    pub(super) fn is_tired(&self, reader: &Address, now: Mono) -> bool {
        let rest = self.0.get(reader);
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

    /// Seconds at which a reader is tried who is put off each time.
    fn tries(may_try: impl Fn(&Resting, Mono) -> bool) -> Vec<u64> {
        let mut resting = Resting::default();
        resting.put_off(&li(), "full", at(0));
        let mut tries = Vec::new();
        for second in 20..3_600 {
            if may_try(&resting, at(second)) {
                tries.push(second);
                resting.put_off(&li(), "full", at(second));
            }
        }
        tries
    }

    #[test]
    fn a_reader_is_waited_for_and_rests_longer_and_longer_after_that() {
        let mut resting = Resting::default();
        resting.put_off(&li(), "full", at(0));
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
        resting.put_off(&li(), "full", at(0));
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
}
