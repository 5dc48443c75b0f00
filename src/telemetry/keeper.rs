//! The thread that waits for the disk, so that nobody else does.
//!
//! ```text
//!            opened       every commit_every, or when there is much
//!  ┌────────┐ ───▶ ┌──────┐ ───▶ writes what no output has confirmed, and the cursors
//!  │ closed │      │ open │
//!  └────────┘ ◀─── └──────┘ ◀─── pages for outputs
//!      ▲ any failure: 30 s, doubled up to 10 min, until it is tried again
//!      ├── damaged: the file is set aside and begun anew
//!      └── the journal's disk is full: the file is removed, so that the journal has its room
//! ```
//!
//! While the disk does not answer this thread stands still and memory drops the oldest.

use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::memory::Block;
use super::record::millis;
use super::shared::{Ask, Shared};
use super::store::{self, DiskSettings, Store, StoreError, Write};
use super::{AGE, DAMAGED, FULL, GAVE_WAY, JournalState, MEMORY};
use crate::clock;
use crate::engine::time::{Moment, Mono};

/// It looks around at least this often.
const TURN: Duration = Duration::from_secs(1);
/// Blocks that wait for the disk; with more nobody waits until a commit is due, bytes.
const MUCH: usize = 256 * 1024;
const SHORTEST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// How the journal fares, asked before anything is written.
pub(super) type Journal = Box<dyn Fn() -> JournalState + Send>;

/// What the thread does.
#[derive(Debug)]
pub(super) struct Keeper {
    shared: Arc<Shared>,
    outputs: Vec<Arc<str>>,
    disk: Option<Disk>,
}

struct Disk {
    settings: DiskSettings,
    commit_every: Duration,
    journal: Journal,
    store: Option<Store>,
    committed_at: Mono,
    failures: u32,
    not_before: Mono,
    /// Cursors as they were written last.
    cursors: Vec<(Arc<str>, u64)>,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Keeper {
    /// Keeps in memory only.
    pub(super) const fn of_memory(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            outputs: Vec::new(),
            disk: None,
        }
    }

    /// Keeps in memory and on disk; `store` is `None` when the file could not be opened at start.
    pub(super) fn of_disk(
        shared: Arc<Shared>,
        outputs: Vec<Arc<str>>,
        settings: DiskSettings,
        commit_every: Duration,
        (store, journal): (Option<Store>, Journal),
        now: Moment,
    ) -> Self {
        let now = now.mono;
        let failures = u32::from(store.is_none());
        let disk = Disk {
            settings,
            commit_every,
            journal,
            store,
            committed_at: now,
            failures,
            not_before: now + pause(failures),
            cursors: Vec::new(),
        };
        Self {
            shared,
            outputs,
            disk: Some(disk),
        }
    }

    /// Runs until telemetry is closed; what is in memory then is on disk, if there is one.
    pub(super) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        loop {
            let mut state = shared.lock();
            if shared.is_closing() {
                break;
            }
            if let Some(ask) = state.asks.pop_front() {
                drop(state);
                self.answer(ask);
                continue;
            }
            // Woken early or for nothing: the next round looks again.
            let woken = shared.wake.wait_timeout(state, TURN);
            drop(woken.unwrap_or_else(PoisonError::into_inner));
            self.turn(clock::now(), false);
        }
        self.turn(clock::now(), true);
    }

    /// About once a second; `last`: what is in memory is to be on disk.
    pub(super) fn turn(&mut self, now: Moment, last: bool) {
        let (much, dropped) = {
            let memory = &mut self.shared.lock().memory;
            let dropped = if memory.makes_block() {
                memory.seal()
            } else {
                0
            };
            (memory.unstored_bytes() > MUCH, dropped)
        };
        self.shared.metrics.telemetry().dropped(MEMORY, dropped);
        self.show();
        let Some(disk) = &self.disk else { return };
        let due = now.mono.since(disk.committed_at) >= disk.commit_every;
        if last || ((due || much) && now.mono >= disk.not_before) {
            self.commit(now);
        }
    }

    fn commit(&mut self, now: Moment) {
        let Some(disk) = &mut self.disk else { return };
        disk.committed_at = now.mono;
        match (disk.journal)() {
            JournalState::Sound => {}
            JournalState::Volatile => return,
            JournalState::DiskFull => return self.give_way(now.mono),
        }
        let (blocks, cursors, safe, on_disk) = {
            let memory = &mut self.shared.lock().memory;
            let before = memory.dropped();
            let blocks = memory.unstored(true);
            let metrics = self.shared.metrics.telemetry();
            metrics.dropped(MEMORY, memory.dropped() - before);
            let on_disk = memory.disk().cloned();
            (blocks, memory.cursors().to_vec(), memory.safe(), on_disk)
        };
        // As long as everything arrives there is nothing that a restart would miss.
        let forgotten = on_disk.is_some() && cursors != disk.cursors;
        if blocks.is_empty() && !forgotten {
            return;
        }
        if let Err(error) = self.write(&blocks, &cursors, safe, now) {
            self.failed(&error, now.mono);
        }
    }

    fn write(
        &mut self,
        blocks: &[Block],
        cursors: &[(Arc<str>, u64)],
        safe: u64,
        now: Moment,
    ) -> Result<(), StoreError> {
        let before = bytes_written();
        self.open()?;
        let Some(disk) = &mut self.disk else {
            return Ok(());
        };
        let Some(store) = &mut disk.store else {
            return Ok(());
        };
        let written = store.write(&Write {
            blocks,
            cursors,
            safe,
            now_ms: millis(now.wall),
        })?;
        let size = store.size();
        disk.failures = 0;
        disk.cursors = cursors.to_vec();
        let bytes = bytes_written().saturating_sub(before);
        let upto = blocks.last().map_or(0, |block| block.last);
        let memory = &mut self.shared.lock().memory;
        let full = memory.stored(upto, written.disk.clone(), &written.evicted);
        let old = memory.stored(upto, written.disk, &written.expired);
        let metrics = self.shared.metrics.telemetry();
        metrics.dropped(FULL, full);
        metrics.dropped(AGE, old);
        metrics.written(bytes);
        metrics.store_size(size);
        Ok(())
    }

    /// After a failure: opens the file again.
    fn open(&mut self) -> Result<(), StoreError> {
        let Some(disk) = &mut self.disk else {
            return Ok(());
        };
        if disk.store.is_some() {
            return Ok(());
        }
        let file = disk.settings.path.clone();
        let (mut opened, contents) =
            Store::open(&disk.settings, &self.shared.names, &self.outputs)?;
        let unknown = self.shared.lock().memory.disk().is_none();
        if let (true, Some(found)) = (unknown, contents.disk) {
            // Outputs have gone on without it. What this run wrote of it is in memory, too.
            let safe = contents.cursors.iter().map(|(_, cursor)| *cursor).min();
            let dropped = self
                .shared
                .lock()
                .memory
                .found_late(&found, safe.unwrap_or(0));
            tracing::error!(file = %file.display(), dropped, "telemetry that was found too late is dropped");
            self.shared.metrics.telemetry().dropped(DAMAGED, dropped);
            drop(opened);
            store::remove(&file)?;
            opened = Store::open(&disk.settings, &self.shared.names, &self.outputs)?.0;
        }
        tracing::info!(file = %file.display(), "telemetry is kept on disk");
        disk.store = Some(opened);
        Ok(())
    }

    fn failed(&mut self, error: &StoreError, now: Mono) {
        let Some(disk) = &mut self.disk else { return };
        disk.store = None;
        let cause = std::error::Error::source(error).map(ToString::to_string);
        let file = disk.settings.path.display();
        tracing::warn!(%error, cause, %file, "telemetry is not kept on disk for now; alarms are not concerned");
        disk.failures = disk.failures.saturating_add(1);
        disk.not_before = now + pause(disk.failures);
        if error.is_damage() {
            let moved = store::set_aside(&disk.settings.path);
            let dropped = self.shared.lock().memory.gave_way();
            tracing::error!(
                dropped,
                is_aside = moved.is_ok(),
                "the file of telemetry is damaged and begun anew"
            );
            self.shared.metrics.telemetry().dropped(DAMAGED, dropped);
            disk.not_before = now;
        }
    }

    /// The journal needs the room more.
    fn give_way(&mut self, now: Mono) {
        let Some(disk) = &mut self.disk else { return };
        disk.not_before = now + LONGEST_PAUSE;
        disk.store = None;
        let path = &disk.settings.path;
        if !path.exists() {
            return;
        }
        match store::remove(path) {
            Ok(()) => {
                let dropped = self.shared.lock().memory.gave_way();
                tracing::error!(
                    dropped,
                    "the disk is full: stored telemetry is removed for the journal"
                );
                let metrics = self.shared.metrics.telemetry();
                metrics.dropped(GAVE_WAY, dropped);
                metrics.store_size(0);
            }
            Err(error) => tracing::warn!(%error, "stored telemetry is in the way of the journal"),
        }
    }

    pub(super) fn answer_all(&mut self) {
        loop {
            let ask = self.shared.lock().asks.pop_front();
            let Some(ask) = ask else { return };
            self.answer(ask);
        }
    }

    /// Who asks and gets nothing asks again.
    fn answer(&mut self, ask: Ask) {
        let now = clock::monotonic();
        let Some(disk) = &mut self.disk else { return };
        let Some(store) = &mut disk.store else { return };
        match store.read(ask.after) {
            Ok((page, damaged)) => {
                let memory = &mut self.shared.lock().memory;
                memory.lose(damaged);
                self.shared.metrics.telemetry().dropped(DAMAGED, damaged);
                match page {
                    Some(page) => {
                        let _gone = ask.reply.send(page).is_err();
                    }
                    // What comes next is in memory.
                    None => memory.disk_ends_at(ask.after),
                }
            }
            Err(error) => self.failed(&error, now),
        }
    }

    fn show(&self) {
        let metrics = self.shared.metrics.telemetry();
        let state = self.shared.lock();
        let newest = state.memory.newest();
        for (output, cursor) in state.memory.cursors() {
            metrics.backlog(output, newest.saturating_sub(*cursor));
        }
    }
}

fn pause(failures: u32) -> Duration {
    let doubled = 1_u32 << failures.saturating_sub(1).min(10);
    (SHORTEST_PAUSE * doubled).min(LONGEST_PAUSE)
}

/// What this thread has had written to disk so far, as the kernel counts it: whole pages, the rollback journal
/// included. 0 where the kernel does not count.
fn bytes_written() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/io").unwrap_or_default();
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
}
