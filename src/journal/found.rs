//! What opening the journal finds, and why it may be refused.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::database::MIGRATIONS;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::Wall;

/// What was found at start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restored {
    /// The newest state of every alarm, in order of their ids.
    pub records: Vec<AlarmRecord>,
    /// What each configured output has delivered. An output that is new starts at the newest event.
    pub cursors: BTreeMap<Arc<str>, u64>,
    /// Newest number; 0 in a fresh journal.
    pub last_seq: u64,
    /// Epoch of the ids given from now on.
    pub epoch: u64,
    /// Until when the gateway is known to have watched; `None` in a fresh journal.
    pub last_alive: Option<Wall>,
    /// Is the newest event `stopped`?
    pub clean_stop: bool,
    /// A damaged journal was moved to this place, and a fresh one begun.
    pub quarantined: Option<PathBuf>,
    /// There was a journal before, and now there is no file.
    pub missing: bool,
    /// So many committed events are gone from the end of the file.
    pub lost_tail: u64,
}

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another gateway uses it.
    #[error(
        "the journal {} is in use by the gateway with process id {holder}; stop that one first",
        path.display()
    )]
    Running {
        /// The database.
        path: PathBuf,
        /// The other process.
        holder: String,
    },
    /// Written by a later version.
    #[error(
        "the journal {} has version {found}, this program knows {}; it was left untouched: \
         install the newer program again, or set another [journal] path",
        path.display(), MIGRATIONS.len()
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A database, but not a journal.
    #[error(
        "{} is the database of another program; it was left untouched: set another [journal] path",
        path.display()
    )]
    Foreign {
        /// The database.
        path: PathBuf,
    },
    /// The system refuses a file or the folder.
    #[error("cannot {attempt} for the journal {}", path.display())]
    File {
        /// What was attempted.
        attempt: &'static str,
        /// The database.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// SQLite refuses, and not because of damage.
    #[error("cannot open the journal {}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
}
