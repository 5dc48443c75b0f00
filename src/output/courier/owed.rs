//! Which events are owed to which readers: those whom the far end puts off, while the output goes on. Pure.
//!
//! ```text
//!   put off ──▶ owed, in the ledger ──their reader is due──▶ read from the journal, sent to that reader alone
//!                    │                                            ├── taken ──▶ nothing is owed any more
//!                    │                                            ├── refused for good ──▶ missed
//!                    └── 24 h, or more than there is room for ──▶ missed
//!
//!   the last reader has it, or misses it ──▶ somebody has it: accepted │ nobody: lost
//! ```
//!
//! Kept are numbers and readers, no messages: what is owed may be read again, by the next run, too. When a reader
//! may be tried is the carrier's to say.
//!
//! | bound | when full |
//! |---|---|
//! | 24 h by the journal's own clock, over restarts and whatever the wall clock says (`journal::aside`) | that reader misses it |
//! | 500 events a reader | the reader misses the oldest |
//! | 4096 events | all its readers miss the oldest |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::engine::time::{Mono, Wall};
use crate::journal::Audience;

/// An event is owed no longer.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(24 * 3600);
/// Events that one reader is owed at most.
const MOST_OF_ONE: usize = 500;
/// Events at most.
const MOST: usize = 4096;
/// Events of a reader that are tried at once.
const AT_ONCE: usize = 100;

/// What is owed, by the number of the event.
#[derive(Debug, Default)]
pub(super) struct Owed {
    events: BTreeMap<u64, Owing>,
}

/// One event.
#[derive(Debug)]
struct Owing {
    /// By the wall clock, for the ledger.
    since: Wall,
    until: Mono,
    audience: Audience,
}

/// How an event stands, after a reader more has it or misses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) seq: u64,
    /// Owed since then.
    pub(super) since: Wall,
    pub(super) audience: Audience,
}

impl Owed {
    /// The event is owed to those who wait for it, until then. What others miss for it.
    pub(super) fn owe(&mut self, owed: Standing, until: Mono) -> Vec<(Arc<str>, Standing)> {
        let Standing {
            seq,
            since,
            audience,
        } = owed;
        let readers = audience.waiting.clone();
        let owing = Owing {
            since,
            until,
            audience,
        };
        self.events.insert(seq, owing);
        let mut missed = Vec::new();
        // Short lists need no count.
        let readers = readers
            .into_iter()
            .filter(|_| self.events.len() > MOST_OF_ONE);
        for reader in readers.collect::<Vec<_>>() {
            let oldest = self.of(&reader).next();
            if self.of(&reader).count() > MOST_OF_ONE {
                let standing = oldest.and_then(|oldest| self.missed(oldest, &reader));
                missed.extend(standing.map(|standing| (reader, standing)));
            }
        }
        while self.events.len() > MOST
            && let Some((oldest, owing)) = self.events.first_key_value()
        {
            let (oldest, readers) = (*oldest, owing.audience.waiting.clone());
            for reader in readers {
                let standing = self.missed(oldest, &reader);
                missed.extend(standing.map(|standing| (reader, standing)));
            }
        }
        missed
    }

    /// Numbers that the reader waits for, oldest first.
    fn of(&self, reader: &str) -> impl Iterator<Item = u64> {
        let events = self.events.iter();
        events
            .filter(move |(_, owing)| owing.audience.is_waiting(reader))
            .map(|(seq, _)| *seq)
    }

    /// What is owed before the event `seq`, and to whom.
    pub(super) fn before(&self, seq: u64) -> impl Iterator<Item = (u64, &[Arc<str>])> {
        let events = self.events.range(..seq);
        events.map(|(seq, owing)| (*seq, owing.audience.waiting.as_slice()))
    }

    /// Is it owed to anybody?
    pub(super) fn has(&self, seq: u64) -> bool {
        self.events.contains_key(&seq)
    }

    /// The reader has it.
    pub(super) fn taken(&mut self, seq: u64, reader: &str) -> Option<Standing> {
        self.change(seq, |audience| audience.taken(reader))
    }

    /// The reader will never have it.
    pub(super) fn missed(&mut self, seq: u64, reader: &str) -> Option<Standing> {
        self.change(seq, |audience| audience.missed(reader))
    }

    fn change(&mut self, seq: u64, change: impl FnOnce(&mut Audience)) -> Option<Standing> {
        let owing = self.events.get_mut(&seq)?;
        change(&mut owing.audience);
        let standing = Standing {
            seq,
            since: owing.since,
            audience: owing.audience.clone(),
        };
        if standing.audience.waiting.is_empty() {
            self.events.remove(&seq);
        }
        Some(standing)
    }

    /// Everybody has it after all.
    pub(super) fn forget(&mut self, seq: u64) {
        self.events.remove(&seq);
    }

    /// How many events.
    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// One who has waited for too long, and for what.
    pub(super) fn overdue(&self, now: Mono) -> Option<(Arc<str>, u64)> {
        let mut events = self.events.iter();
        let (seq, owing) = events.find(|(_, owing)| owing.until <= now)?;
        Some((Arc::clone(owing.audience.waiting.first()?), *seq))
    }

    /// The reader who may be tried and has waited longest, and what they wait for, oldest first, without what is stuck.
    pub(super) fn due(
        &self,
        may_try: impl Fn(&str) -> bool,
        is_stuck: impl Fn(&str, u64) -> bool,
    ) -> Option<(Arc<str>, Vec<u64>)> {
        let mut resting = BTreeSet::new();
        let (_, reader) = self.all().find(|(seq, reader)| {
            // Each is asked for once, however much they are owed.
            !resting.contains(*reader)
                && !is_stuck(reader, *seq)
                && (may_try(reader) || !resting.insert(Arc::clone(reader)))
        })?;
        let mine = self.of(reader).filter(|seq| !is_stuck(reader, *seq));
        Some((Arc::clone(reader), mine.take(AT_ONCE).collect()))
    }

    /// What is stuck and may be tried, the oldest.
    pub(super) fn stuck(&self, may_try: impl Fn(&str, u64) -> bool) -> Option<(Arc<str>, u64)> {
        let mut all = self.all();
        let (seq, reader) = all.find(|(seq, reader)| may_try(reader, *seq))?;
        Some((Arc::clone(reader), seq))
    }

    /// Each event with each reader who waits for it.
    fn all(&self) -> impl Iterator<Item = (u64, &Arc<str>)> {
        let events = self.events.iter();
        events.flat_map(|(seq, owing)| {
            let waiting = owing.audience.waiting.iter();
            waiting.map(move |reader| (*seq, reader))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Arc<str>> {
        names.iter().map(|name| Arc::from(*name)).collect()
    }

    fn audience(waiting: &[&str], missed: &[&str], reached: bool) -> Audience {
        Audience {
            waiting: names(waiting),
            missed: names(missed),
            reached,
        }
    }

    fn at(seconds: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(seconds)
    }

    fn since(second: i64) -> Wall {
        Wall::from_unix_nanos(second * 1_000_000_000)
    }

    fn owe(owed: &mut Owed, seq: u64, waiting: &[&str], reached: bool) -> Vec<(Arc<str>, u64)> {
        let owing = Standing {
            seq,
            since: since(7),
            audience: audience(waiting, &[], reached),
        };
        let missed = owed.owe(owing, at(100));
        let missed = missed.into_iter();
        missed.map(|(reader, it)| (reader, it.seq)).collect()
    }

    fn standing(seq: u64, audience: Audience) -> Option<Standing> {
        let since = since(7);
        Some(Standing {
            seq,
            since,
            audience,
        })
    }

    #[test]
    fn an_event_is_owed_until_its_last_reader_has_it_or_misses_it() {
        let mut owed = Owed::default();
        assert_eq!(owe(&mut owed, 4, &["li", "anna"], false), []);
        let left = audience(&["anna"], &[], true);
        assert_eq!(owed.taken(4, "li"), standing(4, left));
        assert_eq!(owed.len(), 1);
        let done = audience(&[], &["anna"], true);
        assert_eq!(owed.missed(4, "anna"), standing(4, done));
        assert_eq!(owed.len(), 0);
        assert_eq!(owed.taken(4, "li"), None);
        owe(&mut owed, 5, &["li"], false);
        let lost = audience(&[], &["li"], false);
        assert_eq!(owed.missed(5, "li"), standing(5, lost));
    }

    #[test]
    fn who_has_waited_longest_goes_first_and_who_rests_holds_up_nobody() {
        let mut owed = Owed::default();
        owe(&mut owed, 3, &["li"], true);
        owe(&mut owed, 4, &["li", "anna"], true);
        let due =
            |owed: &Owed, resting: &str| owed.due(|reader| reader != resting, |_, seq| seq == 2);
        assert_eq!(due(&owed, ""), Some(("li".into(), vec![3, 4])));
        assert_eq!(due(&owed, "li"), Some(("anna".into(), vec![4])));
        owe(&mut owed, 2, &["anna"], true);
        assert_eq!(
            due(&owed, "li"),
            Some(("anna".into(), vec![4])),
            "that is stuck"
        );
        assert_eq!(owed.stuck(|_, seq| seq == 2), Some(("anna".into(), 2)));
        for seq in 2..=4 {
            owed.forget(seq);
        }
        assert_eq!(due(&owed, ""), None);
        for seq in 3..=AT_ONCE as u64 + 3 {
            owe(&mut owed, seq, &["li"], true);
        }
        let (_, seqs) = due(&owed, "").expect("one is due");
        assert_eq!((seqs.first(), seqs.len()), (Some(&3), AT_ONCE));
    }

    #[test]
    fn nobody_waits_for_longer_than_that() {
        let mut owed = Owed::default();
        owe(&mut owed, 4, &["li"], true);
        assert_eq!(owed.overdue(at(99)), None);
        assert_eq!(owed.overdue(at(100)), Some(("li".into(), 4)));
    }

    #[test]
    fn a_reader_with_too_much_misses_the_oldest_and_nobody_else_does() {
        let mut owed = Owed::default();
        owe(&mut owed, 1, &["anna", "li"], true);
        for seq in 2..=MOST_OF_ONE as u64 {
            assert_eq!(owe(&mut owed, seq, &["li"], true), []);
        }
        let next = MOST_OF_ONE as u64 + 1;
        assert_eq!(owe(&mut owed, next, &["li"], true), [("li".into(), 1)]);
        assert_eq!(owed.of("anna").next(), Some(1));
        assert_eq!(owed.of("li").next(), Some(2));
    }

    #[test]
    fn the_list_has_an_end() {
        let mut owed = Owed::default();
        for seq in 1..=MOST as u64 {
            let reader = format!("p{}", seq % 20);
            assert_eq!(owe(&mut owed, seq, &[&reader], true), []);
        }
        let missed = owe(&mut owed, 5000, &["li"], true);
        assert_eq!(missed, [("p1".into(), 1)]);
        assert_eq!(owed.len(), MOST);
    }
}
