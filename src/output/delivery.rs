//! Which events are on their way, and how far the far end has them for good. Pure; one for every
//! output.
//!
//! ```text
//!   journal   1 2 3 4 5 6 7 8 9 ...
//!                 ▲     ▲   ▲
//!            cursor     │   next: handed to the wire
//!      all before it    └ acknowledged out of order: waits for 4
//!      are safe
//! ```
//!
//! The cursor moves only over events whose acknowledgements have all come, without a hole. When the
//! connection ends, everything behind the cursor goes again: at least once, in order, never out of
//! the journal before it is safe.
//!
//! # While the backlog cannot be read
//!
//! What an output has not delivered may be on disk only, and a disk that fails or hangs must not hold
//! back a new alarm. Then the journal is cut into **stretches**, each with a place of its own:
//!
//! ```text
//!   on disk, unread     in memory, backlog     in memory, live
//!  ├──────────────────┼──────────────────────┼─────────────────▶
//!   ▲ cursor           ▲ second              ▲ goes first
//! ```
//!
//! The newest goes first, whatever becomes of the others; the oldest is tried again and again. The
//! cursor stays before the gap until all of the gap has been read, sent and acknowledged; then it
//! moves over everything that is safe behind it. The far end's receipts for what went ahead are kept
//! over connections, not over a restart of the gateway: those events come again, with the same ids.
//!
//! **Order.** Within a stretch events go in the order of the journal. There is more than one stretch
//! only after the disk could not be read: as long as it can, everything goes in order. Else an alarm's
//! live events come in order, and its backlog after them, marked `replayed`, in order as well if the
//! disk heals before the backlog in memory is through. Retained states never go back (`retained`).
//!
//! # A row that kills connections
//!
//! An event that makes the far end drop the connection would block all events behind it for ever.
//! No event is sent before the far end has acknowledged something else. When a connection that has
//! proved itself in this way dies, the first event on its way becomes suspect, unless one that was
//! sent after it was acknowledged: a far end takes them in order. A suspect goes alone. Dead eight
//! times alone, which the pauses between connections stretch over minutes so that a far end that
//! merely restarts is not mistaken for one that refuses, it is set aside. That happens once; only an
//! event that does arrive gives credit for the next. Without this rule a far end that refuses *every*
//! event would drain the journal. What holds for a far end that answers is in `answers`.

mod answers;
mod stretch;

use std::collections::VecDeque;

use self::stretch::{Sent, Stretch};
use crate::engine::time::Mono;

/// So many deaths alone, and an event is set aside.
const STRIKES: u32 = 8;

/// Stretches at most. When full, the two before the newest become one, of which the second goes again.
const STRETCHES: usize = 4;

/// The window of one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    capacity: usize,
    /// Oldest first; what lies in none of them is safe. Never empty: the last has no end.
    stretches: VecDeque<Stretch>,
    /// Events up to here were committed before this connection was up, or are overtaken.
    backlog_until: u64,
    earlier_runs_until: u64,
    /// The gateway starts: what happens before the first connection is up is not late.
    starting: bool,
    /// This connection acknowledged something that is no event.
    proven: bool,
    /// This connection acknowledged an event.
    delivered: bool,
    /// Counts events in the order in which they are handed to the wire.
    handed_out: u64,
    /// By that count, the newest that was acknowledged.
    survived: u64,
    suspect: Option<Suspect>,
    /// So many were set aside since the last one that arrived.
    set_aside: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Suspect {
    seq: u64,
    strikes: u32,
}

/// Which events a stretch wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// Events after this number ...
    pub after: u64,
    /// ... up to this one.
    pub upto: u64,
    /// At most so many.
    pub room: usize,
    /// Which of the stretches it is.
    pub place: Place,
}

/// A stretch among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// There is no other. What memory does not have is read from disk.
    Only,
    /// The live one, of several. It does not wait for the disk.
    Newest,
    /// The first of several. What memory does not have is read from disk.
    Oldest,
    /// Neither; only memory is asked.
    Between,
}

impl Place {
    /// Does nothing that is kept come before it? Then what memory does not have is read from disk.
    pub const fn is_oldest(self) -> bool {
        matches!(self, Self::Only | Self::Oldest)
    }
}

/// What happened to the window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// An event is complete; it happened then.
    pub delivered: Option<Mono>,
    /// Everything up to this event is safe.
    pub cursor: Option<u64>,
    /// So many numbers were passed over because no event is kept under them.
    pub gone: u64,
}

impl Delivery {
    /// Begins behind the durable `cursor` with at most `capacity` events on the way.
    /// `earlier_runs_until` is the last event of the runs before this one.
    pub fn new(cursor: u64, capacity: usize, earlier_runs_until: u64) -> Self {
        Self {
            capacity: capacity.max(1),
            stretches: [Stretch::open(cursor)].into(),
            backlog_until: earlier_runs_until,
            earlier_runs_until,
            starting: true,
            proven: false,
            delivered: false,
            handed_out: 0,
            survived: 0,
            suspect: None,
            set_aside: 0,
        }
    }

    /// A connection is up; the journal's last event is `committed`.
    pub fn connected(&mut self, committed: u64) {
        self.backlog_until = if self.starting {
            self.earlier_runs_until
        } else {
            committed
        };
        self.starting = false;
        self.begin_again();
    }

    /// The far end was not there when the gateway started: what it did not get meanwhile is late.
    pub const fn missed_the_start(&mut self) {
        self.starting = false;
    }

    /// The connection ended; `by_far_end`: it was closed on us. The event to set aside, if one has
    /// become known as the reason.
    pub fn disconnected(&mut self, by_far_end: bool) -> Option<u64> {
        let on_the_way = self.stretches.iter().flat_map(|part| &part.on_the_way);
        let unanswered = on_the_way.filter(|sent| sent.due > 0);
        let first = unanswered.min_by_key(|sent| sent.order).copied();
        let blamed = first.filter(|sent| by_far_end && self.proven && sent.order > self.survived);
        self.begin_again();
        let seq = blamed?.seq;
        let strikes = self.strikes(seq).map_or(0, |strikes| strikes + 1);
        self.suspect = Some(Suspect { seq, strikes });
        (strikes >= STRIKES && self.set_aside == 0).then(|| self.put_aside(seq))
    }

    fn begin_again(&mut self) {
        for stretch in &mut self.stretches {
            stretch.begin_again();
        }
        self.proven = false;
        self.delivered = false;
    }

    /// Something that is no event was acknowledged: the far end works.
    pub fn proved(&mut self) {
        self.proven = true;
    }

    /// Did this connection get an event through?
    pub const fn has_delivered(&self) -> bool {
        self.delivered
    }

    /// What the stretches want, the newest first, then from the oldest on; `None` when all have been
    /// asked. To be asked with 0, 1, 2 ... as long as each is served or passed over.
    pub fn want(&self, turn: usize) -> Option<Want> {
        let last = self.stretches.len() - 1;
        let (index, place) = match turn {
            0 if last == 0 => (0, Place::Only),
            0 => (last, Place::Newest),
            1 => (0, Place::Oldest),
            _ => (turn - 1, Place::Between),
        };
        if turn > last {
            return None;
        }
        let stretch = self.stretches.get(index)?;
        Some(Want {
            after: stretch.next,
            upto: stretch.end,
            room: self.room(index),
            place,
        })
    }

    /// How many more events of a stretch may be handed to the wire.
    /// None before the far end has proved that it works.
    fn room(&self, index: usize) -> usize {
        let on_the_way = self.stretches.iter().map(|part| part.on_the_way.len());
        let on_the_way: usize = on_the_way.sum();
        let room = self.capacity.saturating_sub(on_the_way);
        let suspect = self.suspect.map(|suspect| {
            let index = self.index_of(suspect.seq);
            let stretch = self.stretches.get(index);
            (index, stretch.is_some_and(|part| suspect.seq <= part.next))
        });
        match suspect {
            _ if !self.proven => 0,
            None => room,
            Some((_, true)) => 0,
            Some((its, false)) if its == index => usize::from(on_the_way == 0),
            Some((_, false)) => room,
        }
    }

    /// Everything up to here is safe.
    pub fn cursor(&self) -> u64 {
        self.stretches.front().map_or(0, |oldest| oldest.safe)
    }

    /// How many of the events up to `committed` are not safe.
    pub fn unconfirmed(&self, committed: u64) -> u64 {
        let open = |part: &Stretch| part.end.min(committed).saturating_sub(part.safe);
        self.stretches.iter().map(open).sum()
    }

    /// Is there an event up to `committed` to hand to the wire, in a stretch that goes on after
    /// number `memory` or later? 0: anywhere.
    pub fn has_more(&self, committed: u64, memory: u64) -> bool {
        let open = |part: &Stretch| part.next >= memory && part.next < part.end.min(committed);
        self.stretches.iter().any(open)
    }

    /// Is there more than one stretch?
    pub fn is_cut(&self) -> bool {
        self.stretches.len() > 1
    }

    /// Is this event backlog: committed before the connection was up, or overtaken by later ones?
    pub const fn replayed(&self, seq: u64) -> bool {
        seq <= self.backlog_until
    }

    /// Does backlog go before what is live?
    pub fn is_replaying(&self) -> bool {
        let newest = self.stretches.back();
        newest.is_some_and(|newest| newest.next < self.backlog_until)
    }

    /// The last number of the backlog.
    pub const fn backlog_until(&self) -> u64 {
        self.backlog_until
    }

    /// The disk does not give the events up to `until`, which memory does not have, and the stretch
    /// that goes on after `after` lacks them: what follows goes first from now on, and of that what is
    /// live before what is backlog. Of an oldest stretch waits what memory does not have. `true`: something
    /// else is wanted now.
    pub fn go_ahead(&mut self, after: u64, until: u64) -> bool {
        let index = self.index_of(after + 1);
        if index + 1 == self.stretches.len() {
            let live = self.backlog_until.max(until);
            let cut = self.cut(until);
            self.cut(live);
            self.backlog_until = live;
            return cut;
        }
        if index > 0 {
            self.give_back(index, until);
            return true;
        }
        self.split_oldest(until)
    }

    /// What memory has of the oldest stretch does not wait for the part of it that it does not have.
    fn split_oldest(&mut self, until: u64) -> bool {
        let oldest = self.stretches.front_mut();
        let Some(oldest) = oldest.filter(|part| part.next < until && until < part.end) else {
            return false;
        };
        let rest = Stretch {
            end: oldest.end,
            ..Stretch::open(until)
        };
        oldest.end = until;
        self.stretches.insert(1, rest);
        self.bound();
        true
    }

    /// What memory has lost of a stretch is left to the one before it, even what was acknowledged.
    fn give_back(&mut self, index: usize, until: u64) {
        let Some(stretch) = self.stretches.get_mut(index) else {
            return;
        };
        let until = until.min(stretch.end);
        let rest = Stretch {
            end: stretch.end,
            ..Stretch::open(until)
        };
        *stretch = rest;
        if let Some(before) = self.stretches.get_mut(index - 1) {
            before.end = until;
        }
        self.settle();
    }

    fn cut(&mut self, until: u64) -> bool {
        let newest = self.stretches.back_mut();
        let Some(newest) = newest.filter(|newest| until > newest.next) else {
            return false;
        };
        newest.end = until;
        self.stretches.push_back(Stretch::open(until));
        self.bound();
        true
    }

    fn bound(&mut self) {
        if self.stretches.len() > STRETCHES
            && let Some(second) = self.stretches.remove(STRETCHES - 1)
            && let Some(first) = self.stretches.get_mut(STRETCHES - 2)
        {
            first.end = second.end;
        }
    }

    /// An event that happened at `since` was handed to the wire and is complete after `due`
    /// acknowledgements; 0 gives it up.
    pub fn sent(&mut self, seq: u64, due: usize, since: Mono) -> Progress {
        let before = self.cursor();
        self.handed_out += 1;
        let order = self.handed_out;
        let sent = Sent {
            seq,
            due,
            since,
            order,
        };
        let Some(gone) = self.stretch_mut(seq).sent(sent) else {
            return Progress::default();
        };
        self.settle();
        self.progress(before, gone)
    }

    /// No event is kept under the numbers after `after` up to `upto`, where a stretch goes on.
    pub fn passed_over(&mut self, after: u64, upto: u64) -> Progress {
        let before = self.cursor();
        let stretch = self.stretch_mut(after + 1);
        let upto = upto.min(stretch.end);
        if stretch.next != after || upto <= after {
            return Progress::default();
        }
        stretch.pass_over(upto);
        self.settle();
        self.progress(before, upto - after)
    }

    /// An acknowledgement for this event came. Unknown ones change nothing.
    pub fn acknowledged(&mut self, seq: u64) -> Progress {
        let before = self.cursor();
        let Some(sent) = self.stretch_mut(seq).acknowledged(seq) else {
            return Progress::default();
        };
        self.settle();
        self.survived = sent.order.max(self.survived);
        self.delivered = true;
        self.set_aside = 0;
        Progress {
            delivered: Some(sent.since),
            ..self.progress(before, 0)
        }
    }

    fn progress(&self, before: u64, gone: u64) -> Progress {
        let cursor = self.cursor();
        Progress {
            delivered: None,
            cursor: (cursor != before).then_some(cursor),
            gone,
        }
    }

    /// The stretch that a number lies in, or the next one when it is safe.
    fn index_of(&self, seq: u64) -> usize {
        let last = self.stretches.len() - 1;
        self.stretches
            .partition_point(|part| part.end < seq)
            .min(last)
    }

    fn stretch_mut(&mut self, seq: u64) -> &mut Stretch {
        let index = self.index_of(seq);
        self.stretches.get_mut(index).expect("the last has no end")
    }

    /// Lets go of what is safe by now.
    fn settle(&mut self) {
        self.stretches.retain(|part| part.safe < part.end);
        let safe = |seq| {
            let stretch = self.stretches.get(self.index_of(seq));
            stretch.is_some_and(|part| seq <= part.safe)
        };
        self.suspect = self.suspect.filter(|suspect| !safe(suspect.seq));
    }
}

#[cfg(test)]
mod tests;
