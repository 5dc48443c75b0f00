//! The present state of every alarm, copied from the journal when it has moved on.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::snapshot::AlarmRecord;
use crate::journal::Feed;

/// A copy, at most as old as the last [`Present::refresh`].
#[derive(Debug, Default)]
pub(super) struct Present {
    as_of: Option<u64>,
    durable: bool,
    records: BTreeMap<Arc<str>, AlarmRecord>,
}

impl Present {
    /// Brings the copy up to date, if it is not. The event up to which it is true.
    pub(super) fn refresh(&mut self, feed: &Feed) -> u64 {
        // Read first: the copy may be newer than the number says, never older.
        let committed = feed.committed();
        if self.as_of != Some(committed) {
            let states = feed.states().into_iter();
            self.records = states
                .map(|record| (record.alarm.clone(), record))
                .collect();
            self.as_of = Some(committed);
        }
        self.durable = feed.is_durable(committed);
        committed
    }

    /// Was all of it on disk at the last refresh?
    pub(super) const fn is_durable(&self) -> bool {
        self.durable
    }

    /// `None`: it never changed.
    pub(super) fn get(&self, alarm: &str) -> Option<&AlarmRecord> {
        self.records.get(alarm)
    }

    /// Every alarm that ever changed.
    pub(super) fn all(&self) -> impl Iterator<Item = &AlarmRecord> {
        self.records.values()
    }
}
