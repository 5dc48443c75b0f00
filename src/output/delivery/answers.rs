//! What a far end that answers each request adds to the rule of delivery.
//!
//! There a "connection" is a stretch of time in which requests succeed, and there is no need to guess: an event that
//! the far end refuses for good, in its answer, three times over, is set aside, and up to sixteen in a row, as many
//! as are tried again later. If it refuses those all, it may refuse everything: the next one waits for it, and so does all
//! that is behind it, unless the caller lets that pass for a try ([`Delivery::let_pass`]).
//!
//! Such a far end gets what is live before a long backlog, by the same cut as when the disk cannot be read.

use super::{Delivery, Suspect};

/// So many refusals for good, and an event is set aside ...
const REFUSALS: u32 = 3;

/// ... unless so many were set aside since the last one that arrived.
const REFUSED_IN_A_ROW: u32 = 16;

/// A backlog as short as this goes before what is live: order is worth more.
const SHORT: u64 = 10;

impl Delivery {
    /// The far end refused the event `seq`, the first of its stretch on the way, and all others that are
    /// there go again as well. `true`: it has done so often enough to be set aside.
    pub fn refused(&mut self, seq: u64) -> bool {
        let proven = self.proven;
        self.begin_again();
        self.proven = proven;
        let strikes = self.strikes(seq).unwrap_or(0) + 1;
        self.suspect = Some(Suspect { seq, strikes });
        let aside = strikes >= REFUSALS && self.may_set_aside();
        if aside {
            self.put_aside(seq);
        }
        aside
    }

    /// May one more be set aside before something arrives?
    pub const fn may_set_aside(&self) -> bool {
        self.set_aside < REFUSED_IN_A_ROW
    }

    /// How often the suspect was to blame, if it is this event.
    pub(super) fn strikes(&self, seq: u64) -> Option<u32> {
        let suspect = self.suspect.filter(|suspect| suspect.seq == seq)?;
        Some(suspect.strikes)
    }

    pub(super) fn put_aside(&mut self, seq: u64) -> u64 {
        self.set_aside += 1;
        self.suspect = None;
        // It is the first of its stretch that is not safe, so it counts as safe alone.
        let stretch = self.stretch_mut(seq);
        stretch.pass_over(seq);
        self.settle();
        seq
    }

    /// The event `seq` fails while others arrive: it is set aside, unless too many were.
    pub fn give_way(&mut self, seq: u64) -> bool {
        let proven = self.proven;
        self.begin_again();
        self.proven = proven;
        let aside = self.may_set_aside();
        if aside {
            self.put_aside(seq);
        }
        aside
    }

    /// What follows `until` goes first from now on.
    pub fn let_pass(&mut self, until: u64) {
        self.undo_unused_cuts();
        self.cut(until);
    }

    /// What is live does not wait for the backlog from now on, unless that is short. What was live when an
    /// earlier backlog was overtaken, and has not arrived, goes behind that one.
    pub fn live_first(&mut self) {
        self.undo_unused_cuts();
        let newest = self.stretches.back();
        let waiting = newest.map_or(0, |newest| self.backlog_until.saturating_sub(newest.next));
        let short = if self.is_cut() { 0 } else { SHORT };
        if waiting > short {
            self.cut(self.backlog_until);
        }
    }

    /// A newest stretch of which nothing has arrived was cut off for nothing.
    fn undo_unused_cuts(&mut self) {
        while let [.., before, newest] = self.stretches.make_contiguous()
            && newest.safe == before.end
            && newest.on_the_way.is_empty()
        {
            before.end = newest.end;
            self.stretches.pop_back();
        }
    }
}
