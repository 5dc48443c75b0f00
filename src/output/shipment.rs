//! Which telemetry goes out next, and how far an output has it. Pure.
//!
//! ```text
//!   cursor          everything below is safe
//!     │
//!  ───●────────┬───────────┬──────────────●───────────▶ numbers of records
//!     │ missed │   there   │    missed    │   live
//!     │ behind │ (arrived) │    behind    │   first
//!                                         └ newest when the connection was made
//! ```
//!
//! **What is recorded from the connection on goes first**, so that a dashboard shows the present at once, whatever
//! the backlog; what was missed goes behind it, oldest first, marked `replayed`. Each lane is in order.
//!
//! Acknowledged is what moves the cursor, never what was handed to the wire. A connection that ends takes back
//! all that is on the way, and so does the end of a pause. What arrived live before the backlog was done is remembered as a hole between two
//! stretches, and is not sent again while the process lives.
//!
//! | bound | when full |
//! |---|---|
//! | 16 messages or 32 KiB on the way | the next waits for a PUBACK |
//! | 8 stretches of backlog | the newest two become one: what lies between comes again |
//! | a far end that does not take it | pauses of 10 s, doubled up to 10 min until the cursor moves; one message after each |

use std::collections::VecDeque;
use std::time::Duration;

use crate::engine::time::Mono;

/// Messages on the way at most.
pub(super) const WINDOW: usize = 16;
/// What an event may find before it on the wire, bytes.
const BYTES: usize = 32 * 1024;
/// Stretches of backlog.
const STRETCHES: usize = 8;
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// The state of one output.
#[derive(Debug)]
pub(super) struct Shipment {
    /// Oldest first; never empty, the last one is live and has no end.
    stretches: VecDeque<Stretch>,
    /// Number of the next stretch.
    next_lane: u64,
    parcels: VecDeque<Parcel>,
    next_ticket: u64,
    bytes: usize,
    failures: u32,
    not_before: Mono,
    /// It has rested: one message at a time, until one arrives.
    careful: bool,
    /// Nothing that is on the way counts any more.
    spoilt: bool,
    /// What is on the way is late; it counts until the pause is over, should it still arrive.
    late: bool,
}

#[derive(Debug)]
struct Stretch {
    lane: u64,
    /// Everything up to here has arrived.
    arrived: u64,
    /// Everything up to here is on the way at least.
    sent: u64,
    /// The last number that belongs to it; the greatest there is while it is live.
    end: u64,
}

#[derive(Debug)]
struct Parcel {
    ticket: u64,
    lane: u64,
    load: Load,
    since: Mono,
    acknowledged: bool,
}

/// What a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Load {
    /// Everything of its lane up to this number is in it, or in one before it.
    pub(super) last: u64,
    /// Length.
    pub(super) bytes: usize,
    /// Records.
    pub(super) records: u32,
}

/// What is to be sent next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Want {
    /// Which stretch it belongs to.
    pub(super) lane: u64,
    /// After this number.
    pub(super) after: u64,
    /// Up to this one.
    pub(super) upto: u64,
    /// Is it older than the connection?
    pub(super) replayed: bool,
}

impl Stretch {
    fn wants(&self, newest: u64) -> Option<Want> {
        let upto = self.end.min(newest);
        (self.sent < upto).then_some(Want {
            lane: self.lane,
            after: self.sent,
            upto,
            replayed: self.end < u64::MAX,
        })
    }
}

impl Shipment {
    /// Everything up to `cursor` has arrived.
    pub(super) fn new(cursor: u64) -> Self {
        let live = Stretch {
            lane: 0,
            arrived: cursor,
            sent: cursor,
            end: u64::MAX,
        };
        Self {
            stretches: VecDeque::from([live]),
            next_lane: 1,
            parcels: VecDeque::with_capacity(WINDOW),
            next_ticket: 0,
            bytes: 0,
            failures: 0,
            not_before: Mono::ZERO,
            careful: false,
            spoilt: false,
            late: false,
        }
    }

    /// A connection was made; the newest record then is `newest`.
    pub(super) fn connected(&mut self, newest: u64) {
        self.take_back();
        let Some(live) = self.stretches.back_mut() else {
            return;
        };
        if live.arrived < newest {
            live.end = newest;
            self.stretches.push_back(Stretch {
                lane: self.next_lane,
                arrived: newest,
                sent: newest,
                end: u64::MAX,
            });
            self.next_lane += 1;
        }
        if self.stretches.len() > STRETCHES + 1 {
            let newest_missed = self.stretches.len() - 2;
            if let Some(newer) = self.stretches.remove(newest_missed)
                && let Some(older) = self.stretches.get_mut(newest_missed - 1)
            {
                older.end = newer.end;
            }
        }
    }

    /// The connection ended; `by_far_end`: it was closed on us. What is on the way may be to blame.
    pub(super) fn disconnected(&mut self, by_far_end: bool, now: Mono) {
        if by_far_end && !self.parcels.is_empty() {
            self.rest(now);
        }
        self.take_back();
    }

    /// The far end does not take the message of this ticket: what is on the way is sent again, later.
    pub(super) fn refused(&mut self, ticket: u64, now: Mono) {
        if self.find(ticket).is_some() && !self.spoilt {
            self.rest(now);
            self.spoilt = true;
        }
        self.acknowledged(ticket);
    }

    /// Since when the message that waits longest waits for its PUBACK; `None`: nothing is expected.
    pub(super) fn waits_since(&self) -> Option<Mono> {
        let oldest = self.parcels.front().filter(|_| !self.late);
        oldest.map(|parcel| parcel.since)
    }

    /// The far end acknowledges everything but this. `false`: there is nothing that it could.
    pub(super) fn is_late(&mut self, now: Mono) -> bool {
        if self.parcels.is_empty() {
            return false;
        }
        if !self.rests(now) {
            self.rest(now);
        }
        self.late = true;
        true
    }

    /// Time passes: after the pause what was late is sent again.
    pub(super) fn turn(&mut self, now: Mono) {
        if self.late && !self.rests(now) {
            self.take_back();
        }
    }

    /// Has it been put off, and is it unknown since whether the far end takes it?
    pub(super) const fn is_in_doubt(&self) -> bool {
        self.failures > 0
    }

    /// Does it rest, for the far end has not taken it?
    pub(super) fn rests(&self, now: Mono) -> bool {
        now < self.not_before
    }

    /// May another message be sent?
    pub(super) fn has_room(&self, now: Mono) -> bool {
        let window = if self.careful { 1 } else { WINDOW };
        let open = !self.spoilt && !self.late && !self.rests(now);
        open && self.parcels.len() < window && self.bytes < BYTES
    }

    /// What is next, when the newest record is `newest`: live before backlog.
    pub(super) fn next(&self, newest: u64) -> Option<Want> {
        let live = self.stretches.back()?;
        live.wants(newest).or_else(|| self.next_missed())
    }

    /// What is next of what was missed.
    pub(super) fn next_missed(&self) -> Option<Want> {
        let missed = self.stretches.iter().take(self.stretches.len() - 1);
        missed
            .filter_map(|stretch| stretch.wants(stretch.end))
            .next()
    }

    /// A message of this lane went out. The ticket comes back with its PUBACK.
    pub(super) fn sent(&mut self, lane: u64, load: Load, now: Mono) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        self.bytes += load.bytes;
        self.parcels.push_back(Parcel {
            ticket,
            lane,
            load,
            since: now,
            acknowledged: false,
        });
        if let Some(stretch) = self.stretch(lane) {
            stretch.sent = stretch.sent.max(load.last);
        }
        ticket
    }

    /// There is nothing more of this lane up to `last`: it was dropped. Safe once what is on the way is.
    pub(super) fn passed_over(&mut self, lane: u64, last: u64) {
        let nothing = Load {
            last,
            bytes: 0,
            records: 0,
        };
        // It waits for no PUBACK, so it does not matter since when.
        let ticket = self.sent(lane, nothing, Mono::ZERO);
        self.acknowledged(ticket);
    }

    /// A PUBACK came. How many records have arrived with it, for good.
    pub(super) fn acknowledged(&mut self, ticket: u64) -> u64 {
        if let Some(parcel) = self.find(ticket) {
            parcel.acknowledged = true;
        }
        let (before, mut records) = (self.cursor(), 0);
        while let Some(parcel) = self.parcels.pop_front_if(|parcel| parcel.acknowledged) {
            self.bytes -= parcel.load.bytes;
            if self.spoilt {
                continue;
            }
            records += u64::from(parcel.load.records);
            if let Some(stretch) = self.stretch(parcel.lane) {
                stretch.arrived = stretch.arrived.max(parcel.load.last);
            }
        }
        if self.spoilt && self.parcels.is_empty() {
            self.take_back();
        }
        self.finish();
        if records > 0 {
            self.careful = false;
            // What is taken beside what never is makes no pause shorter.
            if self.cursor() > before {
                self.failures = 0;
            }
        }
        records
    }

    /// Everything up to here has arrived.
    pub(super) fn cursor(&self) -> u64 {
        let oldest = self.stretches.front();
        oldest.map_or(0, |stretch| stretch.arrived)
    }

    /// Messages on the way, but for those that are late.
    pub(super) fn on_the_way(&self) -> usize {
        if self.late { 0 } else { self.parcels.len() }
    }

    fn find(&mut self, ticket: u64) -> Option<&mut Parcel> {
        let mut parcels = self.parcels.iter_mut();
        parcels.find(|parcel| parcel.ticket == ticket)
    }

    fn stretch(&mut self, lane: u64) -> Option<&mut Stretch> {
        let mut stretches = self.stretches.iter_mut();
        stretches.find(|stretch| stretch.lane == lane)
    }

    /// Nothing is on the way any more.
    fn take_back(&mut self) {
        self.parcels.clear();
        self.bytes = 0;
        self.spoilt = false;
        self.late = false;
        for stretch in &mut self.stretches {
            stretch.sent = stretch.arrived;
        }
    }

    /// Stretches that have arrived are done.
    fn finish(&mut self) {
        let done = |stretch: &mut Stretch| stretch.arrived >= stretch.end;
        while self.stretches.pop_front_if(done).is_some() {}
    }

    fn rest(&mut self, now: Mono) {
        let doubled = 1_u32 << self.failures.min(10);
        self.failures = self.failures.saturating_add(1);
        self.careful = true;
        self.not_before = now + (SHORTEST_PAUSE * doubled).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests;
