//! What was recorded and where it is. Pure.
//!
//! Every record has a number, one more than the record before it.
//!
//! ```text
//!      gone        disk (store.rs)            memory
//!  ───────────┬─────────────────────┬──────────────┬────────┐
//!   dropped,  │ blocks              │ blocks       │ open   │ ◀── the engine's task
//!   counted   │        ▲            │    ▲ stored  │        │
//!  ───────────┴────────┼────────────┴────┼─────────┴────────┘
//!                   safe: every output has what lies before it
//! ```
//!
//! Memory keeps the newest, on disk or not; what falls out of it and is neither stored nor safe is dropped,
//! oldest first.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::record::{Record, decode, encode, millis};

/// Records in a block.
pub(super) const BLOCK: usize = 512;
/// Records that are not in a block yet; room for them is taken at the start.
const OPEN: usize = 2 * BLOCK;
/// All blocks in memory, bytes: some 100,000 records.
const BLOCKS: usize = 1536 * 1024;
/// What a block in memory takes beside its records, bytes.
const OVERHEAD: usize = 64;

/// Records in the form in which they are kept.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) first: u64,
    pub(super) last: u64,
    /// Time of its newest record, milliseconds since 1970.
    pub(super) newest_ms: i64,
    pub(super) bytes: Arc<[u8]>,
}

/// See the module docs.
#[derive(Debug)]
pub(super) struct Memory {
    open: VecDeque<Record>,
    blocks: VecDeque<Block>,
    size: usize,
    /// Number of the next record.
    next: u64,
    /// Up to here everything was written to disk that was to be written.
    stored: u64,
    /// What lies on disk, with holes of what was safe.
    disk: Option<RangeInclusive<u64>>,
    /// Up to where each output has everything.
    cursors: Vec<(Arc<str>, u64)>,
    /// Dropped since the start.
    dropped: u64,
}

/// An answer to [`Memory::read`].
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// In order, with their numbers; at least one.
    Here(Vec<(u64, Record)>),
    /// The disk has the next ones.
    OnDisk,
    /// There are no newer ones.
    Nothing,
}

impl Memory {
    /// Numbers go on after `last`.
    pub(super) fn new(last: u64, cursors: Vec<(Arc<str>, u64)>) -> Self {
        Self {
            open: VecDeque::with_capacity(OPEN),
            blocks: VecDeque::new(),
            size: 0,
            next: last + 1,
            stored: last,
            disk: None,
            cursors,
            dropped: 0,
        }
    }

    /// Takes a record. Says how many were dropped for it.
    pub(super) fn push(&mut self, record: Record) -> u64 {
        let dropped = if self.open.len() == OPEN {
            self.seal()
        } else {
            0
        };
        self.open.push_back(record);
        self.next += 1;
        dropped
    }

    /// Is there so much that is not in a block that it makes one?
    pub(super) fn makes_block(&self) -> bool {
        self.open.len() >= BLOCK
    }

    /// Makes a block of the oldest that are in none. Says how many records were dropped for it.
    pub(super) fn seal(&mut self) -> u64 {
        let count = self.open.len().min(BLOCK);
        if count == 0 {
            return 0;
        }
        let first = self.first_open();
        let times = self.open.iter().take(count).map(|record| record.time);
        let newest_ms = times.max().map_or(0, millis);
        let bytes: Arc<[u8]> = encode(self.open.drain(..count)).into();
        self.size += bytes.len() + OVERHEAD;
        self.blocks.push_back(Block {
            first,
            last: first + count as u64 - 1,
            newest_ms,
            bytes,
        });
        let mut dropped = 0;
        while self.size > BLOCKS
            && let Some(oldest) = self.blocks.pop_front()
        {
            self.size -= oldest.bytes.len() + OVERHEAD;
            let kept = self.stored.max(self.safe());
            dropped += lost(&(oldest.first..=oldest.last), kept);
        }
        self.dropped += dropped;
        dropped
    }

    /// Blocks for the disk, oldest first: what an output still has to get. All of it when `all`, else no
    /// part of a block.
    pub(super) fn unstored(&mut self, all: bool) -> Vec<Block> {
        while self.makes_block() || (all && !self.open.is_empty()) {
            self.seal();
        }
        let done = self.stored.max(self.safe());
        let waiting = self.blocks.iter().filter(|block| block.last > done);
        waiting.cloned().collect()
    }

    /// The disk has `disk` now, and everything up to `upto` that it is to have. `evicted` went for it: says
    /// how many of those are lost.
    pub(super) fn stored(
        &mut self,
        upto: u64,
        disk: Option<RangeInclusive<u64>>,
        evicted: &[RangeInclusive<u64>],
    ) -> u64 {
        self.stored = self.stored.max(upto);
        self.disk = disk;
        let safe = self.safe();
        let dropped = evicted.iter().map(|range| lost(range, safe)).sum();
        self.dropped += dropped;
        dropped
    }

    /// The disk has nothing of this any more. Says how many records are lost.
    pub(super) fn gave_way(&mut self) -> u64 {
        let Some(disk) = self.disk.take() else {
            return 0;
        };
        // What is in memory, too, is not lost.
        let first = self.first_in_memory();
        let gone = *disk.start()..=(*disk.end()).min(first - 1);
        let dropped = lost(&gone, self.safe());
        self.stored = self.stored.min(first - 1);
        self.dropped += dropped;
        dropped
    }

    /// The disk turns out to have `found`, which nobody will ask for; of it everything up to `safe` has
    /// arrived. Says how many records are lost.
    pub(super) fn found_late(&mut self, found: &RangeInclusive<u64>, safe: u64) -> u64 {
        let gone = *found.start()..=(*found.end()).min(self.first_in_memory() - 1);
        let dropped = lost(&gone, safe);
        self.dropped += dropped;
        dropped
    }

    /// Up to `max` records after the number `after`, none newer than `upto`.
    pub(super) fn read(&self, after: u64, upto: u64, max: usize) -> Found {
        let upto = upto.min(self.newest());
        if after >= upto {
            return Found::Nothing;
        }
        let first = self.first_in_memory();
        let on_disk = self.disk.as_ref().is_some_and(|disk| *disk.end() > after);
        if after + 1 < first && on_disk {
            return Found::OnDisk;
        }
        let from = (after + 1).max(first);
        let wanted = |record: &(u64, Record)| (from..=upto).contains(&record.0);
        let at = self.blocks.partition_point(|block| block.last < from);
        let records: Vec<_> = match self.blocks.get(at) {
            Some(block) => {
                let records = decode(&block.bytes).expect("memory keeps what was encoded");
                let numbered = (block.first..).zip(records);
                numbered.filter(wanted).take(max).collect()
            }
            None => {
                let numbered = (self.first_open()..).zip(self.open.iter().copied());
                numbered.filter(wanted).take(max).collect()
            }
        };
        if records.is_empty() {
            return Found::Nothing;
        }
        Found::Here(records)
    }

    /// The output has everything up to `cursor`.
    pub(super) fn arrived(&mut self, output: &str, cursor: u64) {
        let known = self.cursors.iter_mut().find(|(id, _)| **id == *output);
        if let Some((_, known)) = known {
            *known = cursor.max(*known);
        }
    }

    pub(super) fn cursor(&self, output: &str) -> u64 {
        let known = self.cursors.iter().find(|(id, _)| **id == *output);
        known.map_or(self.newest(), |(_, cursor)| *cursor)
    }

    pub(super) fn cursors(&self) -> &[(Arc<str>, u64)] {
        &self.cursors
    }

    /// Every output has everything up to here.
    pub(super) fn safe(&self) -> u64 {
        let cursors = self.cursors.iter().map(|(_, cursor)| *cursor);
        cursors.min().unwrap_or(u64::MAX)
    }

    /// Number of the newest record; that of the run before when there is none.
    pub(super) const fn newest(&self) -> u64 {
        self.next - 1
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Bytes of blocks that no disk has.
    pub(super) fn unstored_bytes(&self) -> usize {
        let done = self.stored.max(self.safe());
        let waiting = self.blocks.iter().filter(|block| block.last > done);
        waiting.map(|block| block.bytes.len()).sum()
    }

    pub(super) const fn disk(&self) -> Option<&RangeInclusive<u64>> {
        self.disk.as_ref()
    }

    /// So many records turned out to be lost.
    pub(super) const fn lose(&mut self, records: u64) {
        self.dropped += records;
    }

    /// The disk has nothing behind this number.
    pub(super) fn disk_ends_at(&mut self, last: u64) {
        let disk = self.disk.take();
        self.disk = disk.map(|disk| *disk.start()..=last);
    }

    /// At the start: what the disk has.
    pub(super) fn found_on_disk(&mut self, disk: Option<RangeInclusive<u64>>) {
        self.disk = disk;
    }

    fn first_open(&self) -> u64 {
        self.next - self.open.len() as u64
    }

    /// That of the oldest record here; of the next one when there is none.
    pub(super) fn first_in_memory(&self) -> u64 {
        let oldest = self.blocks.front().map(|block| block.first);
        oldest.unwrap_or_else(|| self.first_open())
    }
}

/// How many of `range` come after `kept`.
fn lost(range: &RangeInclusive<u64>, kept: u64) -> u64 {
    let from = (*range.start()).max(kept.saturating_add(1));
    (*range.end() + 1).saturating_sub(from)
}

#[cfg(test)]
mod tests;
