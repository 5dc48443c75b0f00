//! Messages that the relay puts off after it has read them, to one reader: a filter that takes offence at a text, with a
//! code that says "later". Their reader has room, and must not wait for them with what is more urgent. Pure.
//!
//! ```text
//!   put off when the text was read ──again after 20 s──▶ stuck: it alone waits, for its own turns
//!      │ till then as any other: its reader rests,          │ 1 min, doubled to 5 min, one of a reader's at a time
//!      │ and what is new about its alarm waits behind it    └── taken: those that are stuck beside it are tried at once
//!      ├── of more than 4 messages, and none was taken ──▶ it is not the texts: none of them is stuck
//!      └── it was a summary ──▶ the next tells of half as many, until the one is found that is refused; then of twice as many
//! ```
//!
//! What is stuck holds nothing back: not the next page of its alarm, which is more urgent, nor its all-clear, as the
//! reader never had it. So a later page waits for it for 60 s at most, and mostly less, as what has something behind it is
//! tried sooner. It is still owed, goes alone, and says then that it is late.
//!
//! Bound: 64 messages of a reader; beyond them the oldest of the others is counted anew. A restart counts all of them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lettre::Address;

use crate::engine::time::Mono;

/// So often a message is put off, not counting what is tried again at once, ...
const TIMES: u32 = 2;
/// ... as far apart, before its text is to blame, ...
const APART: Duration = Duration::from_secs(20);
/// ... unless as many are put off, and more, while none is taken.
const FEW: usize = 4;
/// Messages of one reader.
const REMEMBERED: usize = 64;
/// One that is stuck is tried again after this, doubled each time ...
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// ... up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// What is put off, by reader.
#[derive(Debug, Default)]
pub(super) struct Texts(BTreeMap<Address, Reader>);

#[derive(Debug)]
struct Reader {
    /// By the number of the event.
    texts: BTreeMap<u64, Text>,
    /// Put off since something was taken, without those that are stuck.
    on_end: BTreeSet<u64>,
    /// Events that a summary may tell of.
    width: usize,
    /// Nothing that is stuck is tried before.
    until: Mono,
    pause: Duration,
}

#[derive(Debug)]
struct Text {
    times: u32,
    counted: Mono,
    /// Others that are stuck have their turn before.
    until: Mono,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            texts: BTreeMap::new(),
            on_end: BTreeSet::new(),
            width: usize::MAX,
            until: Mono::ZERO,
            pause: FIRST_PAUSE,
        }
    }
}

impl Reader {
    fn is_stuck(&self, seq: u64) -> bool {
        let text = self.texts.get(&seq);
        self.on_end.len() <= FEW && text.is_some_and(|text| text.times >= TIMES)
    }

    /// Another attempt failed with one that is stuck: it is the others' turn.
    fn postpone(&mut self, seq: u64, now: Mono) {
        self.until = now + self.pause;
        let stuck = self.texts.values().filter(|text| text.times >= TIMES);
        let turns = u32::try_from(stuck.count()).unwrap_or(u32::MAX);
        if let Some(text) = self.texts.get_mut(&seq) {
            text.until = now + self.pause * turns;
        }
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }
}

impl Texts {
    /// The relay read a message of these events, and put it off. `true`: it is to blame, and its reader is not.
    pub(super) fn put_off(&mut self, reader: &Address, events: &[u64], now: Mono) -> bool {
        let mine = self.0.entry(reader.clone()).or_default();
        let &[seq] = events else {
            mine.width = (events.len() / 2).max(1);
            return false;
        };
        let text = mine.texts.entry(seq).or_insert(Text {
            times: 0,
            counted: now,
            until: now,
        });
        if text.times == 0 || now.since(text.counted) >= APART {
            text.times = text.times.saturating_add(1);
            text.counted = now;
        }
        if text.times <= TIMES && mine.on_end.len() <= FEW {
            mine.on_end.insert(seq);
        }
        if mine.texts.len() > REMEMBERED {
            let oldest = mine.texts.keys().copied().find(|other| *other != seq);
            oldest.and_then(|oldest| mine.texts.remove(&oldest));
        }
        let is_stuck = mine.is_stuck(seq);
        if is_stuck {
            mine.postpone(seq, now);
        }
        is_stuck
    }

    /// The relay took a message of these events.
    pub(super) fn taken(&mut self, reader: &Address, events: &[u64]) {
        let Some(mine) = self.0.get_mut(reader) else {
            return;
        };
        mine.on_end.clear();
        mine.width = mine.width.saturating_mul(2);
        let before = mine.texts.len();
        mine.texts.retain(|seq, _| !events.contains(seq));
        if mine.texts.is_empty() && mine.width > REMEMBERED {
            self.0.remove(reader);
        } else if mine.texts.len() < before {
            mine.until = Mono::ZERO;
            mine.pause = FIRST_PAUSE;
            mine.texts
                .values_mut()
                .for_each(|text| text.until = Mono::ZERO);
        }
    }

    /// Is nothing known of anybody?
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Is it this message alone that the relay puts off?
    pub(super) fn is_stuck(&self, reader: &Address, seq: u64) -> bool {
        self.0.get(reader).is_some_and(|mine| mine.is_stuck(seq))
    }

    /// May it be tried now, which is stuck?
    pub(super) fn may_try(&self, reader: &Address, seq: u64, now: Mono) -> bool {
        let mine = self.0.get(reader);
        mine.is_none_or(|mine| {
            let turn = mine.texts.get(&seq).map_or(now, |text| text.until);
            mine.until <= now && turn <= now
        })
    }

    /// Events that one summary may tell the reader of.
    pub(super) fn width(&self, reader: &Address) -> usize {
        self.0.get(reader).map_or(usize::MAX, |mine| mine.width)
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

    /// Put off so often, 20 s apart.
    fn put_off(texts: &mut Texts, seq: u64, times: u32) -> bool {
        let seconds = (0..u64::from(times)).map(|time| 20 * time);
        let blamed = seconds.map(|second| texts.put_off(&li(), &[seq], at(second)));
        blamed.last().expect("once at least")
    }

    #[test]
    fn a_text_is_to_blame_when_it_was_put_off_often_and_for_some_time() {
        let mut texts = Texts::default();
        for second in [0, 1, 5, 19] {
            assert!(!texts.put_off(&li(), &[7], at(second)), "{second}");
        }
        assert!(texts.put_off(&li(), &[7], at(20)) && texts.is_stuck(&li(), 7));
        assert!(!texts.is_stuck(&li(), 8));
        texts.taken(&li(), &[8]);
        assert!(
            texts.is_stuck(&li(), 7),
            "what else is taken says so all the more"
        );
        texts.taken(&li(), &[7]);
        assert!(texts.is_empty());
    }

    /// A full disk of the relay takes no text, and blames none.
    #[test]
    fn a_relay_that_takes_no_text_blames_none() {
        let mut texts = Texts::default();
        for seq in 1..=FEW as u64 {
            assert!(put_off(&mut texts, seq, TIMES), "{seq}");
        }
        assert!(!put_off(&mut texts, 9, TIMES));
        assert!((1..10).all(|seq| !texts.is_stuck(&li(), seq)));
        texts.taken(&li(), &[10]);
        assert!(
            (1..5).all(|seq| texts.is_stuck(&li(), seq)),
            "it takes others"
        );
    }

    #[test]
    fn those_that_are_stuck_are_tried_in_turns_and_not_often() {
        let mut texts = Texts::default();
        put_off(&mut texts, 1, TIMES);
        put_off(&mut texts, 2, TIMES);
        let mut tries = Vec::new();
        for second in 40..1_800 {
            let due = [1, 2]
                .into_iter()
                .find(|seq| texts.may_try(&li(), *seq, at(second)));
            if let Some(seq) = due {
                tries.push(seq);
                texts.put_off(&li(), &[seq], at(second));
            }
        }
        assert!((6..10).contains(&tries.len()), "{tries:?}");
        assert!(
            tries.windows(2).filter(|two| two[0] == two[1]).count() <= 1,
            "{tries:?}"
        );
        texts.taken(&li(), &[1]);
        assert!(texts.may_try(&li(), 2, at(1_800)), "the filter is changed");
    }

    #[test]
    fn a_summary_is_halved_until_the_one_is_found() {
        let mut texts = Texts::default();
        let mut told: Vec<u64> = (0..100).collect();
        let mut tries = 0;
        while told.len() > 1 {
            assert!(!texts.put_off(&li(), &told, at(0)));
            told.truncate(texts.width(&li()));
            tries += 1;
        }
        assert_eq!(tries, 6);
        texts.taken(&li(), &told);
        assert_eq!(texts.width(&li()), 2);
    }

    /// An event that was owed for long before a filter took offence at it is older than all that are known.
    #[test]
    fn the_oldest_of_a_full_list_is_found_to_be_to_blame_too() {
        let mut texts = Texts::default();
        for seq in 100..100 + REMEMBERED as u64 {
            put_off(&mut texts, seq, TIMES);
            texts.taken(&li(), &[999]);
        }
        assert!(put_off(&mut texts, 7, TIMES) && texts.is_stuck(&li(), 7));
        assert_eq!(texts.0[&li()].texts.len(), REMEMBERED);
        assert!(!texts.is_stuck(&li(), 100), "it is counted anew");
    }

    #[test]
    fn the_list_has_an_end() {
        let mut texts = Texts::default();
        for seq in 0..1_000 {
            texts.put_off(&li(), &[seq], at(seq));
        }
        assert_eq!(texts.0[&li()].texts.len(), REMEMBERED);
        assert!(texts.0[&li()].on_end.len() <= FEW + 1);
    }
}
