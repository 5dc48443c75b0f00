//! What became of the readers of what is being sent, event by event. Pure.
//!
//! ```text
//!   a mail for a reader, of one event or several
//!     ├── accepted, refused for good ──▶ settled: kept while the load is tried again, for these events alone, so
//!     │                                  that a load that has grown or comes otherwise brings a reader only what is new
//!     ├── put off ──────────────────────▶ tried with the next attempt
//!     └── behind: the reader is owed something earlier of the alarm, and is not asked
//!
//!   the load is through ──▶ its events are forgotten
//! ```
//!
//! Bound: 1000 events a reader, twice what one digest tells of. Beyond them the oldest are forgotten, and may be sent
//! again under the id that they had.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use lettre::Address;

use super::compose::Mail;
use crate::journal::Audience;
use crate::output::courier::Complaint;
use crate::output::verdict::{BUSY, Parted, UNAVAILABLE, UNWELCOME, Verdict};

/// Events that are remembered of one reader.
const REMEMBERED: usize = 1000;

/// Readers that one sentence names.
const SHOWN: usize = 4;

/// Who waits behind what they are owed.
const BEHIND: &str = "they are owed an earlier message of this alarm";

/// Why somebody is not sent a notice at all.
const TOO_MANY: &str = "the notice has too many readers";

/// What became of one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fate {
    /// What the relay said to it.
    Accepted(Arc<str>),
    /// For good, in the relay's words.
    Refused(Arc<str>),
    /// Not now.
    PutOff(Arc<str>),
    /// Not before what they are owed.
    Behind,
}

impl Fate {
    const fn is_settled(&self) -> bool {
        matches!(self, Self::Accepted(_) | Self::Refused(_))
    }

    /// Why the reader has not got it.
    fn trouble(&self) -> Option<&str> {
        match self {
            Self::Accepted(_) => None,
            Self::Refused(why) | Self::PutOff(why) => Some(why),
            Self::Behind => Some(BEHIND),
        }
    }
}

/// Fates of readers, by the number of the event.
#[derive(Debug, Default)]
pub(super) struct Served(BTreeMap<Address, BTreeMap<u64, Fate>>);

/// Who reads an event: address, and name in the ledger.
pub(super) type Readers = Vec<(Address, Arc<str>)>;

impl Served {
    /// What became of a mail.
    pub(super) fn put(&mut self, mail: &Mail, fate: &Fate) {
        for seq in &mail.events {
            self.set(&mail.to, *seq, fate.clone());
        }
    }

    /// The reader gets this event after what they are owed, unless they have it.
    pub(super) fn behind(&mut self, reader: &Address, seq: u64) {
        if !self.is_through(reader, seq) {
            self.set(reader, seq, Fate::Behind);
        }
    }

    /// The reader misses this event, for want of room.
    pub(super) fn leave_out(&mut self, reader: &Address, seq: u64) {
        self.set(reader, seq, Fate::Refused(TOO_MANY.into()));
    }

    fn set(&mut self, reader: &Address, seq: u64, fate: Fate) {
        let events = self.0.entry(reader.clone()).or_default();
        events.insert(seq, fate);
        if events.len() > REMEMBERED {
            events.pop_first();
        }
    }

    /// Is nothing to be sent to the reader of this event in this attempt?
    pub(super) fn is_through(&self, reader: &Address, seq: u64) -> bool {
        self.fate(reader, seq).is_some()
    }

    fn fate(&self, reader: &Address, seq: u64) -> Option<&Fate> {
        self.0.get(reader)?.get(&seq)
    }

    /// Another attempt begins.
    pub(super) fn begin(&mut self) {
        self.0.retain(|_, events| {
            events.retain(|_, fate| fate.is_settled());
            !events.is_empty()
        });
    }

    /// What became of these events, which are forgotten here.
    pub(super) fn take(&mut self, seqs: &BTreeSet<u64>) -> Self {
        let mut taken = BTreeMap::new();
        for (reader, events) in &mut self.0 {
            let mine: BTreeMap<u64, Fate> =
                events.extract_if(.., |seq, _| seqs.contains(seq)).collect();
            if !mine.is_empty() {
                taken.insert(reader.clone(), mine);
            }
        }
        self.0.retain(|_, events| !events.is_empty());
        Self(taken)
    }

    /// Takes back what was taken.
    pub(super) fn keep(&mut self, taken: Self) {
        for (reader, events) in taken.0 {
            for (seq, fate) in events {
                self.set(&reader, seq, fate);
            }
        }
    }

    /// Whom the relay puts off.
    pub(super) fn put_off(&self) -> impl Iterator<Item = &Address> {
        let is_put_off = |fate: &Fate| matches!(fate, Fate::PutOff(_));
        let readers = self.0.iter();
        let put_off = readers.filter(move |(_, events)| events.values().any(is_put_off));
        put_off.map(|(reader, _)| reader)
    }

    /// One reader may have a full box; several of whom none is served have a relay that serves nobody.
    pub(super) fn why_waiting(&self) -> &'static str {
        let mut fates = self.0.values().flat_map(BTreeMap::values);
        let is_served = fates.any(|fate| matches!(fate, Fate::Accepted(_)));
        let nobody = !is_served && self.put_off().count() > 1;
        if nobody { UNAVAILABLE } else { BUSY }
    }

    /// What the fates mean for a load of these events. Of whom nothing is known waits.
    pub(super) fn verdict(&self, load: impl Iterator<Item = (u64, Readers)>) -> Verdict {
        let mut events = BTreeMap::new();
        for (seq, readers) in load {
            let audience: &mut Audience = events.entry(seq).or_default();
            for (address, name) in readers {
                match self.fate(&address, seq) {
                    Some(Fate::Accepted(_)) => audience.reached = true,
                    Some(Fate::Refused(_)) => audience.missed.push(name),
                    Some(Fate::PutOff(_) | Fate::Behind) | None => {
                        audience.waiting.push(name);
                    }
                }
            }
        }
        if events.values().all(Audience::is_whole) {
            let answer = self.answer();
            return Verdict::Accepted { answer };
        }
        let is_refused = |it: &Audience| !it.reached && it.waiting.is_empty();
        if events.values().all(is_refused) {
            let why = format!("no reader is served: {}", self.words());
            return Verdict::Refused { why };
        }
        Verdict::Parted(Parted {
            events,
            answer: self.answer(),
            why: self.words(),
        })
    }

    /// Who was not served, one by one, each with the first trouble they are in.
    fn troubles(&self) -> impl Iterator<Item = (&Address, &Fate, &str)> {
        self.0.iter().filter_map(|(reader, events)| {
            let troubles = events.values().map(|fate| (fate, fate.trouble()));
            let mut troubles = troubles.filter_map(|(fate, why)| Some((reader, fate, why?)));
            troubles.next()
        })
    }

    /// The same, to be told.
    pub(super) fn complaints(&self) -> impl Iterator<Item = Complaint> {
        self.troubles().map(|(reader, fate, why)| match fate {
            Fate::Refused(_) => (UNWELCOME, format!("{reader} is refused: {why}")),
            Fate::Accepted(_) | Fate::PutOff(_) | Fate::Behind => {
                (UNAVAILABLE, format!("{reader} is put off: {why}"))
            }
        })
    }

    /// What the relay said to those that it took mails for, and who is not among them.
    fn answer(&self) -> String {
        let mut answers: Vec<&str> = Vec::new();
        for events in self.0.values() {
            let mut accepted = events.values().filter_map(|fate| match fate {
                Fate::Accepted(answer) => Some(&**answer),
                Fate::Refused(_) | Fate::PutOff(_) | Fate::Behind => None,
            });
            answers.extend(accepted.next_back());
        }
        let answer = answers.join("; ");
        let not_served = self.words();
        if not_served.is_empty() {
            return answer;
        }
        format!("not served: {not_served}; else {answer}")
    }

    /// Who was not served, and why.
    pub(super) fn words(&self) -> String {
        let words = self.troubles();
        let words = words.map(|(reader, _, why)| format!("{reader} ({why})"));
        words.take(SHOWN).collect::<Vec<_>>().join(", ")
    }
}
