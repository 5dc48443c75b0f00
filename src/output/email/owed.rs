//! Readers whom the relay puts off while it serves others: a full box, a relay that wants to see us twice. Pure.
//!
//! One of them must not keep the mails of all others waiting, so the output goes on without them and owes them
//! theirs:
//!
//! ```text
//!   put off ──all wait, it is tried again──▶ 20 s ──rests, is owed──▶ 1 min ──tried── 2 min, 4 min, 5 min, 5 min ...
//!                        └── taken: in order                               └── taken: nothing is owed any more
//! ```
//!
//! | bound | when full |
//! |---|---|
//! | 64 mails owed | the oldest is given up |
//! | 24 h | the mail is given up |
//! | readers that rest | those of the configuration |
//!
//! What is given up is told and counted; the journal keeps the notice. The list does not outlive the process.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use lettre::Address;

use super::compose::Mail;
use crate::engine::time::Mono;

/// A hiccup is waited for, so that a reader's mails stay in order ...
const PATIENCE: Duration = Duration::from_secs(20);
/// ... but no longer: the reader is tried after this, doubled each time ...
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// ... up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// A mail that is owed for longer is given up.
const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// Mails at most.
const MOST: usize = 64;
/// Mails that are tried at once: what is new does not wait for them all.
const AT_ONCE: usize = 8;

/// What is owed to whom.
#[derive(Debug, Default)]
pub(super) struct Owed {
    mails: VecDeque<(Mono, Mail)>,
    resting: BTreeMap<Address, Rest>,
}

/// A reader who was put off.
#[derive(Debug)]
struct Rest {
    /// In the relay's words.
    why: String,
    /// For the first time.
    since: Mono,
    until: Mono,
    pause: Duration,
}

impl Owed {
    /// The relay puts the reader off.
    pub(super) fn put_off(&mut self, reader: &Address, why: &str, now: Mono) {
        let rest = self.resting.entry(reader.clone()).or_insert(Rest {
            why: String::new(),
            since: now,
            until: now,
            pause: FIRST_PAUSE,
        });
        why.clone_into(&mut rest.why);
        if now >= rest.until {
            rest.until = now + rest.pause;
            rest.pause = (rest.pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The relay took a mail for the reader.
    pub(super) fn served(&mut self, reader: &Address) {
        self.resting.remove(reader);
    }

    /// Why there is no use in trying the reader now.
    pub(super) fn resting(&self, reader: &Address, now: Mono) -> Option<&str> {
        let rest = self.resting.get(reader).filter(|rest| now < rest.until)?;
        self.is_tired(reader, now).then_some(&*rest.why)
    }

    /// Has the reader been put off for so long that nobody waits any more?
    pub(super) fn is_tired(&self, reader: &Address, now: Mono) -> bool {
        let rest = self.resting.get(reader);
        rest.is_some_and(|rest| now.since(rest.since) >= PATIENCE)
    }

    /// The mail is owed from now on. Those that are given up for it.
    pub(super) fn owe(&mut self, mail: Mail, now: Mono) -> Option<Mail> {
        self.mails.push_back((now, mail));
        if self.mails.len() <= MOST {
            return None;
        }
        self.mails.pop_front().map(|(_, mail)| mail)
    }

    /// How many mails are owed.
    pub(super) fn len(&self) -> usize {
        self.mails.len()
    }

    /// Is there one to be tried?
    pub(super) fn is_due(&self, now: Mono) -> bool {
        self.mails.iter().any(|(_, mail)| self.may_try(mail, now))
    }

    fn may_try(&self, mail: &Mail, now: Mono) -> bool {
        let rest = self.resting.get(&mail.to);
        rest.is_none_or(|rest| rest.until <= now)
    }

    /// Those to be tried now, oldest first; whoever tries them owes again what is not taken.
    pub(super) fn take_due(&mut self, now: Mono) -> Vec<(Mono, Mail)> {
        let all = std::mem::take(&mut self.mails).into_iter();
        let mut due = Vec::new();
        for owing in all {
            if due.len() < AT_ONCE && self.may_try(&owing.1, now) {
                due.push(owing);
            } else {
                self.mails.push_back(owing);
            }
        }
        due
    }

    /// It was not taken and is owed as before. It comes back when it is given up.
    pub(super) fn still_owe(&mut self, (since, mail): (Mono, Mail), now: Mono) -> Option<Mail> {
        if now.since(since) >= KEPT_FOR {
            return Some(mail);
        }
        let at = self.mails.partition_point(|(other, _)| *other <= since);
        self.mails.insert(at, (since, mail));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(seconds)
    }

    fn reader(name: &str) -> Address {
        format!("{name}@plant.test").parse().expect("an address")
    }

    fn mail(name: &str) -> Mail {
        Mail {
            to: reader(name),
            text: Vec::new(),
        }
    }

    #[test]
    fn a_reader_is_waited_for_and_rests_longer_and_longer_after_that() {
        let mut owed = Owed::default();
        let li = reader("li");
        owed.put_off(&li, "full", at(0));
        for second in [0, 10, 19] {
            assert!(owed.resting(&li, at(second)).is_none(), "{second}");
        }
        let mut tries = Vec::new();
        for second in 20..3_600 {
            if owed.resting(&li, at(second)).is_none() {
                tries.push(second);
                owed.put_off(&li, "full", at(second));
            }
        }
        assert_eq!(tries[..4], [60, 180, 420, 720]);
        owed.served(&li);
        assert!(!owed.is_tired(&li, at(3_600)));
    }

    #[test]
    fn mails_wait_for_their_own_reader_and_no_longer_than_a_day() {
        let mut owed = Owed::default();
        for name in ["li", "anna", "li"] {
            assert_eq!(owed.owe(mail(name), at(0)), None);
        }
        owed.put_off(&reader("li"), "full", at(0));
        let due = owed.take_due(at(1));
        assert_eq!(due, [(at(0), mail("anna"))]);
        assert!(!owed.is_due(at(59)) && owed.is_due(at(60)));
        let due = owed.take_due(at(60));
        assert_eq!((due.len(), owed.len()), (2, 0));
        for owing in due {
            assert_eq!(owed.still_owe(owing, at(61)), None);
        }
        let due = owed.take_due(at(24 * 3_600));
        let given_up = due
            .into_iter()
            .filter_map(|it| owed.still_owe(it, at(24 * 3_600)));
        assert_eq!(given_up.count(), 2);
        assert_eq!(owed.len(), 0);
    }

    #[test]
    fn a_full_list_gives_up_the_oldest() {
        let mut owed = Owed::default();
        for number in 0..MOST {
            assert_eq!(owed.owe(mail(&format!("p{number}")), at(0)), None);
        }
        assert_eq!(owed.owe(mail("last"), at(1)), Some(mail("p0")));
        assert_eq!(owed.len(), MOST);
    }
}
