//! A journal without a thread: its owner says what time it is, and when the disk has its turn. The same
//! ledger, store and writer, so that whole lives of the gateway can be run through, power cuts and failing
//! disks included, in a time of their own and twice alike (`tests/simulation`).

use std::sync::Arc;

use super::shared::{Shared, assemble};
use super::writer::Writer;
use super::{Feed, Inbox, JournalHealth, JournalSettings, OpenError, Record, Restored, Store};
use crate::engine::memory::Memory;
use crate::engine::time::Moment;
use crate::metrics::Metrics;

/// See the module docs. Dropping it is a power cut: what is not on disk is lost.
pub struct ByHand {
    shared: Arc<Shared>,
    writer: Writer,
}

impl ByHand {
    /// Opens the journal. `outputs`: ids of the configured ones.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open(
        settings: &JournalSettings,
        site: &str,
        outputs: &[Arc<str>],
        metrics: Arc<Metrics>,
        now: Moment,
    ) -> Result<(Self, Restored), OpenError> {
        let (store, restored) = Store::open(settings, site, outputs, now)?;
        let (shared, writer) = assemble(store, &restored, settings, metrics, now.mono);
        Ok((Self { shared, writer }, restored))
    }

    /// What [`Inbox::push`] does, at `now`.
    pub fn push(&self, record: Record, now: Moment) {
        self.inbox().push_at(record, now.mono);
    }

    /// What [`Inbox::remember`] does.
    pub fn remember(&self, memory: Memory) {
        self.inbox().remember(memory);
    }

    /// The supervisor's look at a disk that may not answer.
    pub fn tick(&self, now: Moment) {
        self.shared.tick(now.mono);
    }

    /// The disk has its turn: whatever is due at `now` is written.
    pub fn write(&mut self, now: Moment) {
        loop {
            let task = self.writer.next(&mut self.shared.lock(), now.mono);
            if !self.writer.work(task, &|| now) {
                return;
            }
        }
    }

    /// What is shown, for outputs.
    pub fn feed(&self) -> Feed {
        Feed::new(Arc::clone(&self.shared))
    }

    /// The journal's condition, as of the last turn or tick.
    pub fn health(&self) -> JournalHealth {
        *self.shared.health.borrow()
    }

    /// The engine's way in.
    pub fn inbox(&self) -> Inbox {
        Inbox {
            shared: Arc::clone(&self.shared),
        }
    }
}
