//! Room three: one transaction writes event and alarm state.

pub mod chain;
#[cfg(test)]
mod faults;
mod open;
mod prune;
#[cfg(test)]
mod scratch;
mod sidecar;
mod store;

pub use open::{OpenError, Restored};
pub use prune::Losses;
pub use store::{CommitError, Entry, Store};

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

/// Why committed events cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the journal does not answer")]
pub struct FeedError;

impl Feed {
    /// The newest committed position; 0 before the first.
    pub const fn committed(&self) -> u64 {
        0
    }

    /// At most `limit` events after `seq`, oldest first.
    ///
    /// # Errors
    /// The journal does not answer.
    #[expect(
        unused_variables,
        clippy::unused_async,
        reason = "signature first; the body follows"
    )]
    pub async fn after(
        &self,
        seq: u64,
        limit: usize,
    ) -> Result<Vec<crate::event::Committed>, FeedError> {
        Ok(Vec::new())
    }
}
