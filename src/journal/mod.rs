//! Room three: one transaction writes event and alarm state.

use std::path::PathBuf;
use std::time::Duration;

/// Where the journal lives and how large it may grow.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalSettings {
    /// The database file.
    pub path: PathBuf,
    /// The database file is never larger than this, bytes.
    pub max_size: u64,
    /// Events older than this may go once every output has them.
    pub keep_events: Duration,
    /// Epoch of a fresh journal; `None`: counted, and never below the Unix time in seconds, so that
    /// a replaced card cannot repeat an event id. Replay sets 1.
    pub first_epoch: Option<u64>,
}

/// Read access to what is committed, and the outputs' cursors.
#[derive(Debug, Clone)]
pub struct Feed {}

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// Gone.
    #[error("gone")]
    Gone,
}

#[expect(clippy::all, unused_variables, clippy::unused_async, reason = "stub")]
impl Feed {
    /// a
    pub fn committed(&self) -> u64 {
        0
    }
    /// a
    pub async fn advanced(&mut self, beyond: u64) {
        std::future::pending().await
    }
    /// a
    pub async fn after(
        &self,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<crate::event::Committed>, FeedError> {
        Err(FeedError::Gone)
    }
    /// a
    pub fn cursor(&self, output: &str) -> u64 {
        0
    }
    /// a
    pub fn acknowledge(&self, output: &str, seq: u64) {}
    /// a
    pub fn states(&self) -> Vec<crate::engine::snapshot::AlarmRecord> {
        Vec::new()
    }
    /// a
    pub fn last_seq_at_start(&self) -> u64 {
        0
    }
}
