//! What the writer, the outputs and the supervisor have in common.

use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use super::ledger::{Ledger, Told};
use super::stranded::Keep;
use super::writer::Writer;
use super::{JournalHealth, JournalSettings, Restored, Store, feed};
use crate::engine::time::Mono;
use crate::metrics::Metrics;

/// Lost events are told of in the log at most this often.
const DROPS_TOLD: Duration = Duration::from_secs(10);

/// See the module docs.
pub(super) struct Shared {
    pub(super) ledger: Mutex<Ledger>,
    pub(super) wake: Condvar,
    pub(super) closing: AtomicBool,
    pub(super) issued: watch::Sender<u64>,
    pub(super) room: watch::Sender<bool>,
    pub(super) drops_told: Mutex<Option<Mono>>,
    pub(super) health: watch::Sender<JournalHealth>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) path: PathBuf,
    /// Of a temporary journal: where the real one should be.
    pub(super) real_place: Option<PathBuf>,
    pub(super) last_seq_at_start: u64,
    pub(super) keep: Keep,
    pub(super) readers: Arc<Semaphore>,
    pub(super) idle_readers: Mutex<IdleReaders>,
}

/// Connections for the next reads from disk, all to the present file.
#[derive(Default)]
pub(super) struct IdleReaders {
    /// Counts the files of this run.
    pub(super) file: u32,
    pub(super) connections: Vec<rusqlite::Connection>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Everything of a journal but who drives its writer.
pub(super) fn assemble(
    store: Store,
    restored: &Restored,
    settings: &JournalSettings,
    metrics: Arc<Metrics>,
    now: Mono,
) -> (Arc<Shared>, Writer) {
    let ledger = Ledger::new(store.identity().clone(), restored);
    let health = JournalHealth {
        durable: ledger.volatile().is_none(),
        reason: ledger.volatile(),
        size: store.size(),
        limit: settings.max_size,
        ..JournalHealth::default()
    };
    let shared = Arc::new(Shared {
        ledger: Mutex::new(ledger),
        wake: Condvar::new(),
        closing: false.into(),
        issued: watch::Sender::new(restored.last_seq),
        room: watch::Sender::new(true),
        drops_told: Mutex::default(),
        health: watch::Sender::new(health),
        metrics,
        path: store.path.clone(),
        real_place: restored.temporary.as_ref().map(|_| settings.path.clone()),
        last_seq_at_start: restored.last_seq,
        keep: Keep {
            age: store.age,
            span: settings.keep_events,
        },
        readers: Arc::new(Semaphore::new(feed::READERS)),
        idle_readers: Mutex::default(),
    });
    let writer = Writer::new(Arc::clone(&shared), store, settings, now);
    (shared, writer)
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Ledger> {
        // The ledger is whole between calls; a panic elsewhere is no reason to stop the alarms.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stop(&self) {
        self.closing.store(true, Ordering::Release);
        // Between the writer's look at the flag and its wait it holds the lock.
        drop(self.lock());
        self.wake.notify_one();
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Notices a disk that does not answer.
    pub(super) fn tick(&self, now: Mono) {
        let mut ledger = self.lock();
        let told = if ledger.is_stuck(now) {
            tracing::error!("disk does not answer: events go on from memory");
            ledger.go_volatile("slow")
        } else {
            Told::new()
        };
        self.publish(ledger, told);
    }

    /// An error when it begins, and again every [`DROPS_TOLD`] while it goes on.
    pub(super) fn tell_of_drops(&self, lost: u64, now: Mono) {
        let mut told = self
            .drops_told
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|before| now.since(before) >= DROPS_TOLD) {
            *told = Some(now);
            tracing::error!(
                lost,
                "memory full while the disk fails: the oldest events are not stored"
            );
        }
    }

    /// Makes the present known, gives the lock back, and tells those who wait.
    pub(super) fn publish(&self, ledger: MutexGuard<'_, Ledger>, told: Told) {
        let issued = ledger.issued();
        let volatile = ledger.volatile();
        let room = ledger.has_room();
        self.room
            .send_if_modified(|known| std::mem::replace(known, room) != room);
        let (waiting, dropped) = (ledger.waiting(), ledger.dropped());
        self.issued.send_if_modified(|known| {
            let newer = *known < issued;
            *known = issued.max(*known);
            newer
        });
        self.health.send_if_modified(|health| {
            let before = *health;
            health.durable = volatile.is_none();
            health.reason = volatile;
            health.waiting = waiting;
            health.dropped = dropped;
            // A queue that moves is no news.
            before.durable != health.durable || before.dropped != dropped
        });
        drop(ledger);
        self.metrics.journal_durable(volatile.is_none());
        for (waiter, outcome) in told {
            waiter(outcome);
        }
    }
}
