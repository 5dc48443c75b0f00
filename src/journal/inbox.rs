//! The engine's way in: never waits for the disk, and can be asked for room.

use std::sync::Arc;

use super::{Entry, Record, Shared};
use crate::engine::memory::Memory;
use crate::engine::time::Mono;

/// Where the engine hands in its events; cheap to clone.
#[derive(Debug, Clone)]
pub struct Inbox {
    pub(super) shared: Arc<Shared>,
}

impl Inbox {
    /// Hands in an event. Never waits for the disk; when memory is full the oldest event goes, is
    /// counted, and its waiter is told.
    pub fn push(&self, record: Record) {
        self.push_at(record, crate::clock::monotonic());
    }

    pub(super) fn push_at(&self, record: Record, now: Mono) {
        let entry = Entry {
            event: Arc::from(record.event),
            t: None,
        };
        let mut ledger = self.shared.lock();
        let (told, dropped) = ledger.push(entry, record.committed, now);
        let lost = ledger.dropped();
        self.shared.publish(ledger, told);
        self.shared.wake.notify_one();
        if dropped {
            self.shared.metrics.journal_dropped(1);
            self.shared.tell_of_drops(lost, now);
        }
    }

    /// Hands in what an alarm remembers. It reaches the disk with the next event, or with the next sign of
    /// life, and wakes nobody unless it [is urgent](Memory::is_urgent).
    pub fn remember(&self, memory: Memory) {
        let urgent = memory.is_urgent();
        self.shared.lock().remember(memory);
        if urgent {
            self.shared.wake.notify_one();
        }
    }

    /// May an event be pushed without another being dropped for it? Also true while the disk fails:
    /// waiting would not help then.
    pub fn has_room(&self) -> bool {
        *self.shared.room.borrow()
    }

    /// Returns once there is room: after the next commit, or when the disk is found to fail.
    /// Cancel-safe.
    pub async fn room(&self) {
        let mut room = self.shared.room.subscribe();
        // The other end lives in `shared`, which we hold.
        let _never_closed = room.wait_for(|room| *room).await.is_err();
    }
}
