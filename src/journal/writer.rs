//! Who commits: takes a group, brings it to disk, settles it; and in between keeps house. It never
//! decides what is shown: that is the ledger's.
//!
//! What to do next is decided apart from the waiting for it, with the time as an argument. In a gateway
//! a thread of its own does both ([`Writer::run`]); who drives a journal by hand
//! ([`ByHand`](super::ByHand)) waits for nothing.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::ledger::{Group, Ledger};
use super::store::{CommitError, Store, Write};
use super::{JournalSettings, Shared};
use crate::clock;
use crate::engine::time::{Moment, Mono};

/// Receipts wait for company at most this long.
const RECEIPTS: Duration = Duration::from_millis(200);
/// A sign of life so long after a transaction, if there is no other.
pub const ALIVE: Duration = Duration::from_secs(60);
/// Old rows go, and the reserve is taken again, this often.
const HOUSEKEEPING: Duration = Duration::from_secs(3600);
/// After a failed commit, doubled up to the longest.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The thread shows that it lives at least this often.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// When the process is stopping, a disk that fails is asked this often.
const LAST_TRIES: u32 = 3;

pub(super) struct Writer {
    shared: Arc<Shared>,
    store: Store,
    keep: Duration,
    failures: u32,
    last_tries: u32,
    not_before: Mono,
    receipts_since: Option<Mono>,
    committed_at: Mono,
    housekeeping_at: Mono,
}

/// What to do next.
pub(super) enum Task {
    Commit(Group),
    KeepHouse,
    /// Nothing for so long, unless something comes.
    Rest(Duration),
    End,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        store: Store,
        settings: &JournalSettings,
        now: Mono,
    ) -> Self {
        Self {
            shared,
            store,
            keep: settings.keep_events,
            failures: 0,
            last_tries: 0,
            not_before: now,
            receipts_since: None,
            committed_at: now,
            housekeeping_at: now + ALIVE,
        }
    }

    /// Runs until the journal is closed. `true`: everything is on disk.
    pub(super) fn run(mut self) -> bool {
        let shared = Arc::clone(&self.shared);
        let mut is_new = true;
        loop {
            let mut ledger = shared.lock();
            let task = self.next(&mut ledger, clock::monotonic());
            if let (Task::Rest(_), true) = (&task, is_new) {
                // The reserve is megabytes; what there is to record at a start does not wait for them.
                drop(ledger);
                self.take_ballast();
                is_new = false;
                continue;
            }
            if let Task::Rest(rest) = task {
                // Still beneath the lock: what comes after the look at the ledger wakes us. Woken early
                // or for nothing: the next round looks again.
                let woken = shared.wake.wait_timeout(ledger, rest);
                drop(woken.unwrap_or_else(PoisonError::into_inner));
                continue;
            }
            drop(ledger);
            // No heartbeat: a disk that hangs must not starve the watchdog. What waits for the disk
            // is shown without it, and the health page says so.
            if !self.work(task, &clock::now) {
                break;
            }
        }
        let mut ledger = shared.lock();
        ledger.close();
        let stored = ledger.waiting() == 0;
        shared.publish(ledger, Vec::new());
        self.store.close();
        stored
    }

    /// Does it. `false`: there was nothing to be done.
    pub(super) fn work(&mut self, task: Task, clock: &dyn Fn() -> Moment) -> bool {
        match task {
            Task::Commit(group) => self.commit(group, clock),
            Task::KeepHouse => self.keep_house(clock().mono),
            Task::Rest(_) | Task::End => return false,
        }
        true
    }

    /// What is to be done at `now`; a rest is no longer than until the next heartbeat.
    pub(super) fn next(&mut self, ledger: &mut Ledger, now: Mono) -> Task {
        // Beneath the ledger's lock: else it may be set, and its call to wake us lost, before we wait.
        let closing = self.shared.is_closing();
        let may_commit = now >= self.not_before || closing;
        if closing && self.last_tries >= LAST_TRIES {
            return Task::End;
        }
        if !ledger.has_receipts() {
            self.receipts_since = None;
        } else if self.receipts_since.is_none() {
            self.receipts_since = Some(now);
        }
        let receipts_due = self.receipts_since.map(|since| since + RECEIPTS);
        let alive_due = self.committed_at + ALIVE;
        let due = receipts_due.map_or(alive_due, |due| due.min(alive_due));
        let flush = closing && (receipts_due.is_some() || ledger.has_memories());
        // After a failure even an empty transaction is of use: it says that the disk works again.
        let wanted = ledger.has_work() || self.failures > 0;
        if may_commit && (wanted || due <= now || flush) {
            return Task::Commit(ledger.group());
        }
        if closing {
            return Task::End;
        }
        if self.housekeeping_at <= now && self.failures == 0 {
            return Task::KeepHouse;
        }
        let until = if may_commit { due } else { self.not_before };
        Task::Rest(until.since(now).min(HEARTBEAT))
    }

    fn commit(&mut self, mut group: Group, clock: &dyn Fn() -> Moment) {
        group.stamp();
        let began = clock();
        let write = Write {
            at: began.mono,
            rows: &group.rows,
            settled: group.settled,
            states: &group.states,
            memories: &group.memories,
            cursors: &group.cursors,
            receipts: &group.receipts,
        };
        match self.store.write(&write, began.wall) {
            Ok(()) => self.committed(group, began, clock()),
            Err(CommitError::Gone { .. }) if self.shared.real_place.is_none() => {
                match self.store.begin_anew(began.wall) {
                    Ok(()) => self.begun_anew(group, clock().mono),
                    Err(error) => self.failed(group, &error, clock().mono),
                }
            }
            Err(error) => self.failed(group, &error, clock().mono),
        }
    }

    fn failed(&mut self, group: Group, error: &CommitError, now: Mono) {
        self.failures = self.failures.saturating_add(1);
        self.last_tries += u32::from(self.shared.is_closing());
        let reason = error.reason();
        let cause = causes(error);
        tracing::warn!(%error, cause, reason, failures = self.failures, "commit failed");
        let mut ledger = self.shared.lock();
        ledger.abandon(group);
        let told = if self.failures >= 2 {
            if ledger.volatile().is_none() {
                tracing::error!(reason, "disk fails: events go on from memory");
            }
            ledger.go_volatile(reason)
        } else {
            Vec::new()
        };
        self.shared.publish(ledger, told);
        self.not_before = now + pause(self.failures);
    }

    /// The journal's files were removed and are there again, empty. Nothing of `group` is written yet.
    fn begun_anew(&mut self, group: Group, now: Mono) {
        self.shared.close_readers();
        let mut ledger = self.shared.lock();
        ledger.abandon(group);
        let undelivered = ledger.begin_anew();
        tracing::error!(
            journal = %self.shared.path.display(),
            undelivered,
            "the journal's files were removed: fresh ones begun, earlier events are lost"
        );
        self.shared.metrics.journal_dropped(undelivered);
        self.shared.health.send_if_modified(|health| {
            health.begun_anew += 1;
            true
        });
        self.shared.publish(ledger, Vec::new());
        // Soon, for the reserve on disk.
        self.housekeeping_at = now + ALIVE;
    }

    fn committed(&mut self, group: Group, began: Moment, now: Moment) {
        let events = group.rows.len();
        self.failures = 0;
        self.committed_at = now.mono;
        self.shared
            .metrics
            .commit(events, now.mono.since(began.mono));
        let losses = self.store.take_losses().undelivered;
        if losses > 0 {
            tracing::error!(
                events = losses,
                "journal full: the oldest events went although an output had not delivered them"
            );
            self.shared.metrics.journal_dropped(losses);
        }
        let size = self.store.size();
        let mut ledger = self.shared.lock();
        let was_volatile = ledger.volatile().is_some();
        ledger.lost(losses);
        let told = ledger.settle(group, now.mono);
        if was_volatile && ledger.volatile().is_none() {
            tracing::info!("disk works again: events are stored");
        }
        self.shared.health.send_if_modified(|health| {
            health.last_commit = Some(now.wall);
            health.size = size;
            // There to be looked at, not worth waking anybody.
            false
        });
        let limit = self.shared.health.borrow().limit;
        self.shared.metrics.store_size(size, limit);
        self.shared.publish(ledger, told);
    }

    fn keep_house(&mut self, now: Mono) {
        self.take_ballast();
        let more = self.store.prune(self.keep, now);
        // A chunk at a time, so that events that come meanwhile are committed in between.
        if !more.is_ok_and(|more| more) {
            self.housekeeping_at = now + HOUSEKEEPING;
        }
    }

    /// A temporary journal needs no reserve: it does not count on its disk.
    fn take_ballast(&self) {
        if self.shared.real_place.is_none() {
            self.store.take_ballast();
        }
    }
}

/// What lies behind an error, in one line.
fn causes(error: &CommitError) -> Option<String> {
    let first = std::error::Error::source(error)?;
    let causes = std::iter::successors(Some(first), |cause| cause.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    Some(causes.join(": "))
}

/// 100 ms, 200 ms, ... 5 s.
fn pause(failures: u32) -> Duration {
    let doubled = 1_u32 << failures.saturating_sub(1).min(10);
    (SHORTEST_PAUSE * doubled).min(LONGEST_PAUSE)
}
