//! What waits, what was shown, what is on disk: the journal's memory. Pure: no thread, no disk, no
//! clock. The diagram is in the module above.
//!
//! ```text
//!            durable ─────────────▶ issued
//!  on disk ◀────┤ shown, not on disk │ not shown yet
//!               │  (volatile only)   │
//!   ring:       [ row row row row    │ entry entry entry ]   ◀── push
//!                 └── in flight ──────────┘
//! ```
//!
//! An event has its number, and with it its line, from its place in the ring: the same for the writer
//! that takes it along and for the reader who sees it before the disk has it.
//! Nothing on the way renumbers it.
//!
//! Invariants, held under a property test: numbers are shown in order, each once and without a gap; an
//! event has one line, wherever it is found, and no two events share an id, over crashes, too; every
//! waiter is told exactly once; what is dropped was shown, and is the oldest that is not being written;
//! an alarm's state outlives its dropped event.

mod known;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::aside::LeftAside;
use super::receipts::{Receipt, Receipts};
use super::store::{Entry, Row};
use super::{CommitOutcome, Waiter};
use crate::engine::memory::Memory;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::Mono;
use crate::event::{Committed, Identity};

/// Records that wait for the disk at most.
pub(super) const RING: usize = 4096;
/// Events kept in memory for outputs that keep up.
pub(super) const TAIL: usize = 1024;
/// Events in one transaction at most.
pub(super) const GROUP: usize = 500;
/// A record that waits longer than this is shown without the disk.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// Whom to tell what, once the lock is given back.
pub(super) type Told = Vec<(Waiter, CommitOutcome)>;

/// An event in the ring.
struct Pending {
    entry: Entry,
    since: Mono,
    /// Its number and line, once shown.
    row: Option<Row>,
    waiter: Option<Waiter>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cursor {
    pub(super) delivered: u64,
    stored: u64,
}

/// What one transaction takes along.
#[derive(Debug)]
pub(super) struct Group {
    /// Numbered rows; complete after [`Group::stamp`].
    pub(super) rows: Vec<Row>,
    fresh: Vec<(Entry, u64)>,
    /// Newest number known to be on disk; whatever lies beyond is replaced.
    pub(super) settled: u64,
    identity: Identity,
    pub(super) states: Vec<Arc<AlarmRecord>>,
    pub(super) memories: Vec<Arc<Memory>>,
    pub(super) cursors: Vec<(Arc<str>, u64)>,
    pub(super) receipts: Arc<[Receipt]>,
}

impl Group {
    /// Writes the lines of what was not shown yet; outside the lock, so that the engine never waits.
    pub(super) fn stamp(&mut self) {
        for (entry, seq) in std::mem::take(&mut self.fresh) {
            self.rows
                .push(Row::stamp(&entry, &self.identity, seq, true));
        }
    }
}

/// See the module docs.
pub(super) struct Ledger {
    /// Of every id of this run.
    identity: Identity,
    ring: VecDeque<Pending>,
    in_flight: usize,
    tail: VecDeque<Committed>,
    issued: u64,
    durable: u64,
    /// Why nothing reaches the disk.
    volatile: Option<&'static str>,
    /// What reaches the disk is not kept: volatile for life.
    temporary: bool,
    records: BTreeMap<Arc<str>, Arc<AlarmRecord>>,
    orphans: BTreeMap<Arc<str>, Arc<AlarmRecord>>,
    /// What alarms remember, on its way to the disk: the newest of each name, of which an alarm has a few.
    memories: BTreeMap<Arc<str>, Arc<Memory>>,
    /// Is one of them urgent?
    urgent: bool,
    pub(super) cursors: BTreeMap<Arc<str>, Cursor>,
    pub(super) receipts: Receipts,
    /// Of an earlier run, until its output takes it up.
    pub(super) aside: BTreeMap<Arc<str>, LeftAside>,
    dropped: u64,
    closed: bool,
}

impl Ledger {
    pub(super) fn new(identity: Identity, restored: &super::Restored) -> Self {
        let records = restored
            .records
            .iter()
            .map(|record| (Arc::clone(&record.alarm), Arc::new(record.clone())));
        let cursors = restored.cursors.iter().map(|(output, seq)| {
            let cursor = Cursor {
                delivered: *seq,
                stored: *seq,
            };
            (Arc::clone(output), cursor)
        });
        Self {
            identity,
            ring: VecDeque::new(),
            in_flight: 0,
            tail: VecDeque::new(),
            issued: restored.last_seq,
            durable: restored.last_seq,
            volatile: restored
                .temporary
                .as_ref()
                .map(|temporary| temporary.reason),
            temporary: restored.temporary.is_some(),
            records: records.collect(),
            orphans: BTreeMap::new(),
            memories: BTreeMap::new(),
            urgent: false,
            cursors: cursors.collect(),
            receipts: Receipts::default(),
            aside: restored.aside.clone(),
            dropped: 0,
            closed: false,
        }
    }

    /// Site and epoch of what is numbered now.
    pub(super) const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Takes an event in; in volatile mode it is shown at once. `true`: an older one had to go.
    pub(super) fn push(&mut self, entry: Entry, waiter: Option<Waiter>, now: Mono) -> (Told, bool) {
        let mut told = Told::new();
        if self.closed {
            self.dropped += 1;
            told.extend(waiter.map(|waiter| (waiter, CommitOutcome::Dropped)));
            return (told, true);
        }
        let full = self.ring.len() >= RING;
        if full {
            // Whoever pushes waits for room while the disk works. Nothing goes unseen.
            told.extend(self.go_volatile("slow"));
        }
        if full && let Some(oldest) = self.ring.remove(self.in_flight) {
            self.dropped += 1;
            let event = &oldest.entry.event;
            for record in event.record.iter().chain(&event.others) {
                self.orphans
                    .insert(Arc::clone(&record.alarm), Arc::new(record.clone()));
            }
            told.extend(oldest.waiter.map(|waiter| (waiter, CommitOutcome::Dropped)));
        }
        self.ring.push_back(Pending {
            entry,
            since: now,
            row: None,
            waiter,
        });
        if self.volatile.is_some() {
            told.extend(self.show_waiting());
        }
        (told, full)
    }

    /// Takes in what an alarm remembers, in place of what it remembered before.
    pub(super) fn remember(&mut self, memory: Memory) {
        if !self.closed {
            self.urgent |= memory.is_urgent();
            self.memories
                .insert(Arc::clone(&memory.alarm), Arc::new(memory));
        }
    }

    /// May an event be pushed? While the disk works, none is dropped for those that come after it.
    pub(super) fn has_room(&self) -> bool {
        self.ring.len() < RING || self.closed || self.volatile.is_some()
    }

    /// Takes the oldest events for a transaction. They stay in the ring until it has succeeded.
    pub(super) fn group(&mut self) -> Group {
        self.urgent = false;
        let mut group = Group {
            rows: Vec::new(),
            fresh: Vec::new(),
            settled: self.durable,
            identity: self.identity.clone(),
            states: std::mem::take(&mut self.orphans).into_values().collect(),
            memories: std::mem::take(&mut self.memories).into_values().collect(),
            cursors: Vec::new(),
            receipts: Arc::default(),
        };
        for pending in self.ring.iter().take(GROUP) {
            match &pending.row {
                Some(row) => group.rows.push(row.clone()),
                None => {
                    let seq = self.issued + 1 + group.fresh.len() as u64;
                    group.fresh.push((pending.entry.clone(), seq));
                }
            }
        }
        self.in_flight = group.rows.len() + group.fresh.len();
        let fresh = group.fresh.last().map(|(_, seq)| *seq);
        let shown = group.rows.last().map(|row| row.committed.seq);
        let end = fresh.or(shown).unwrap_or(self.durable);
        group.receipts = self.receipts.take_upto(end);
        for (output, cursor) in &self.cursors {
            let seq = cursor.delivered.min(end);
            if seq > cursor.stored {
                group.cursors.push((Arc::clone(output), seq));
            }
        }
        group
    }

    /// The transaction has succeeded: shows what was not shown, and lets go of the group. What was
    /// shown while the disk took its time is on disk now, line for line.
    pub(super) fn settle(&mut self, group: Group, now: Mono) -> Told {
        self.in_flight = 0;
        self.receipts.written();
        let mut told = Told::new();
        for (output, seq) in &group.cursors {
            if let Some(cursor) = self.cursors.get_mut(output) {
                cursor.stored = *seq;
            }
        }
        for row in group.rows {
            let Some(pending) = self.ring.pop_front() else {
                break;
            };
            let seq = row.committed.seq;
            self.durable = seq;
            if pending.row.is_none() {
                self.issued = seq;
                self.show(&row);
                told.extend(outcome(pending.waiter, seq, true));
            } else {
                let at = self.tail.partition_point(|shown| shown.seq < seq);
                if let Some(shown) = self.tail.get_mut(at).filter(|shown| shown.seq == seq) {
                    shown.durable = !self.temporary;
                }
            }
        }
        self.trim();
        let waited = self.ring.front().map(|oldest| now.since(oldest.since));
        // Half the patience: a disk that just keeps up must not flap.
        if !self.temporary && waited.is_none_or(|waited| waited < PATIENCE / 2) {
            self.volatile = None;
        }
        told
    }

    /// The transaction failed, or nobody knows: everything waits for the next one.
    pub(super) fn abandon(&mut self, group: Group) {
        self.in_flight = 0;
        self.receipts.give_back();
        for memory in group.memories {
            self.urgent |= memory.is_urgent();
            // One that came meanwhile is newer.
            self.memories
                .entry(Arc::clone(&memory.alarm))
                .or_insert(memory);
        }
        self.adopt_orphans(group.states);
    }

    fn adopt_orphans(&mut self, states: Vec<Arc<AlarmRecord>>) {
        for state in states {
            // One that was dropped meanwhile is newer.
            self.orphans
                .entry(Arc::clone(&state.alarm))
                .or_insert(state);
        }
    }

    /// Goes on without the disk: everything that waits is shown from memory, also what the writer has
    /// in its hands.
    pub(super) fn go_volatile(&mut self, reason: &'static str) -> Told {
        if self.temporary || self.volatile.replace(reason).is_some() {
            return Told::new();
        }
        self.show_waiting()
    }

    fn show_waiting(&mut self) -> Told {
        let mut told = Told::new();
        let first = self.ring.iter().rposition(|pending| pending.row.is_some());
        let mut ring = std::mem::take(&mut self.ring);
        for pending in ring.range_mut(first.map_or(0, |shown| shown + 1)..) {
            self.issued += 1;
            let row = Row::stamp(&pending.entry, &self.identity, self.issued, false);
            self.show(&row);
            pending.row = Some(row);
            told.extend(outcome(pending.waiter.take(), self.issued, false));
        }
        self.ring = ring;
        told
    }

    fn show(&mut self, row: &Row) {
        for record in row.records() {
            self.records
                .insert(Arc::clone(&record.alarm), Arc::clone(record));
        }
        self.tail.push_back(row.committed.clone());
        self.trim();
    }

    /// What is not on disk can be had only here, so it stays as long as it is in the ring.
    fn trim(&mut self) {
        while let Some(oldest) = self.tail.front()
            && self.tail.len() > TAIL
            && (oldest.seq <= self.durable || self.tail.len() > TAIL + RING)
        {
            self.tail.pop_front();
        }
    }

    /// Has the oldest event waited too long?
    pub(super) fn is_stuck(&self, now: Mono) -> bool {
        let oldest = self.ring.iter().find(|pending| pending.row.is_none());
        self.volatile.is_none() && oldest.is_some_and(|oldest| now.since(oldest.since) > PATIENCE)
    }

    /// The file is a new one without anything in it: it gets all alarm states and cursors again. What
    /// alarms remember comes again at its next turn. Answers how many events that an output still has to deliver are gone with the old one.
    pub(super) fn begin_anew(&mut self) -> u64 {
        // What is shown is newer than what was dropped before.
        self.orphans = self.records.clone();
        for cursor in self.cursors.values_mut() {
            cursor.stored = 0;
        }
        let kept = self.tail.front().map_or(self.issued, |kept| kept.seq - 1);
        let slowest = self.cursors.values().map(|cursor| cursor.delivered).min();
        let lost = slowest.map_or(0, |slowest| kept.saturating_sub(slowest));
        self.dropped += lost;
        lost
    }

    /// Is there anything for the disk, but for receipts?
    pub(super) fn has_work(&self) -> bool {
        !self.ring.is_empty() || !self.orphans.is_empty() || self.urgent
    }

    /// An output has everything up to `seq`.
    pub(super) fn acknowledge(&mut self, output: &str, seq: u64) {
        if let Some(cursor) = self.cursors.get_mut(output) {
            cursor.delivered = cursor.delivered.max(seq.min(self.issued));
        }
    }

    /// Is there a cursor or receipt to store that could be stored now?
    pub(super) fn has_receipts(&self) -> bool {
        let durable = self.durable;
        let moved = |cursor: &Cursor| cursor.delivered.min(durable) > cursor.stored;
        self.cursors.values().any(moved) || self.receipts.any_upto(durable)
    }

    /// Does anything that alarms remember wait for a transaction?
    pub(super) fn has_memories(&self) -> bool {
        !self.memories.is_empty()
    }

    /// Events after `seq` if memory has them; `Err` with the newest number on disk if not.
    pub(super) fn after(&self, seq: u64, limit: usize) -> Result<Vec<Committed>, u64> {
        if seq >= self.issued {
            return Ok(Vec::new());
        }
        match self.tail.front() {
            Some(oldest) if oldest.seq <= seq + 1 => Ok(self.in_memory(seq, limit)),
            Some(_) | None => Err(self.durable),
        }
    }

    /// Whatever memory has after `seq`, after a gap if there is one.
    pub(super) fn in_memory(&self, seq: u64, limit: usize) -> Vec<Committed> {
        let from = self.tail.partition_point(|shown| shown.seq <= seq);
        self.tail.range(from..).take(limit).cloned().collect()
    }

    /// The number before the oldest event in memory; the newest shown if there is none.
    pub(super) fn memory_begins_after(&self) -> u64 {
        let oldest = self.tail.front();
        oldest.map_or(self.issued, |oldest| oldest.seq.saturating_sub(1))
    }

    pub(super) const fn close(&mut self) {
        self.closed = true;
    }

    pub(super) const fn lost(&mut self, events: u64) {
        self.dropped += events;
    }

    pub(super) fn waiting(&self) -> usize {
        self.ring.len()
    }

    pub(super) const fn is_durable(&self, seq: u64) -> bool {
        seq <= self.durable && !self.temporary
    }

    pub(super) const fn issued(&self) -> u64 {
        self.issued
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) const fn volatile(&self) -> Option<&'static str> {
        self.volatile
    }

    pub(super) fn cursor(&self, output: &str) -> Option<u64> {
        self.cursors.get(output).map(|cursor| cursor.delivered)
    }
}

fn outcome(waiter: Option<Waiter>, seq: u64, durable: bool) -> Option<(Waiter, CommitOutcome)> {
    waiter.map(|waiter| (waiter, CommitOutcome::Committed { seq, durable }))
}

#[cfg(test)]
mod tests;
