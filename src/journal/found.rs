//! What opening the journal finds, and why it may be refused.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::aside::LeftAside;
use super::database::{MIGRATIONS, reason};
use super::stranded::Stranded;
use crate::engine::memory::Memory;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::Wall;

/// What was found at start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restored {
    /// The newest state of every alarm, in order of their ids.
    pub records: Vec<AlarmRecord>,
    /// What alarms remember beside their state, in order of their ids.
    pub memories: Vec<Memory>,
    /// Alarms whose memory was damaged and is not used.
    pub forgotten: Vec<String>,
    /// What each configured output has delivered. An output that is new starts at the newest event.
    pub cursors: BTreeMap<Arc<str>, u64>,
    /// What each configured output had set aside and is to try again.
    pub aside: BTreeMap<Arc<str>, LeftAside>,
    /// Outputs that are not configured any more and had not delivered everything, in order of their ids.
    pub stranded: Vec<Stranded>,
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
    /// The journal's disk fails: this is a temporary one.
    pub temporary: Option<Temporary>,
}

/// Why there is a temporary journal, and what it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Temporary {
    /// What the disk does, as [`OpenError::reason`] says it.
    pub reason: &'static str,
    /// The same in words.
    pub why: String,
    /// The temporary database.
    pub path: PathBuf,
    /// How much was read from the real one.
    pub known: Known,
}

/// How much a temporary journal knows of the alarms before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Everything that was stored.
    All,
    /// The newest changes before the end of the last run may be missing.
    Older,
    /// Nothing: every alarm begins as normal.
    Nothing,
}

impl Restored {
    /// Is a part of the history, or of the alarm states, gone?
    pub const fn is_history_lost(&self) -> bool {
        self.quarantined.is_some() || self.missing || self.lost_tail > 0
    }

    /// What people must know, in words: what was lost, and where the rest is.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(aside) = &self.quarantined {
            notes.push(format!(
                "the journal was damaged and a fresh one was begun: earlier events, alarm states \
                 and acknowledgements are not in it; the damaged file is kept as {}",
                aside.display()
            ));
        }
        if self.missing {
            notes.push(
                "the journal was gone and a fresh one was begun: earlier events, alarm states and \
                 acknowledgements are lost"
                    .to_owned(),
            );
        }
        if self.lost_tail > 0 {
            notes.push(format!(
                "the newest {} events of the run before are gone from the journal, with the alarm \
                 states they led to",
                self.lost_tail
            ));
        }
        if !self.forgotten.is_empty() {
            notes.push(format!(
                "what was remembered of {} was damaged: it begins anew",
                self.forgotten.join(", ")
            ));
        }
        if let Some(temporary) = &self.temporary {
            let states = match temporary.known {
                Known::All => "alarm states and acknowledgements were read from the journal",
                Known::Older => {
                    "alarm states were read from the journal, but the newest changes may be missing"
                }
                Known::Nothing => {
                    "alarm states and acknowledgements from before are not known: every alarm \
                     begins as normal"
                }
            };
            notes.push(format!(
                "the journal cannot be used ({}): events are kept in {} only and are not safe; \
                 {states}",
                temporary.why,
                temporary.path.display()
            ));
        }
        notes
    }
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
    /// The disk gives no answer.
    #[error(
        "the disk of the journal {} gives no answer: it was waited for {} s",
        path.display(), patience.as_secs()
    )]
    Hangs {
        /// The database.
        path: PathBuf,
        /// How long it was waited for.
        patience: Duration,
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

impl OpenError {
    /// The system refuses `attempt` for the journal at `path`.
    pub(super) fn file(attempt: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::File {
            attempt,
            path: path.clone(),
            source,
        }
    }

    /// SQLite refuses the journal at `path`.
    pub(super) fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Sqlite {
            path: path.clone(),
            source,
        }
    }

    /// Is it the disk's fault, and not that the journal is another's?
    pub const fn is_of_the_disk(&self) -> bool {
        matches!(
            self,
            Self::File { .. } | Self::Sqlite { .. } | Self::Hangs { .. }
        )
    }

    /// A short word, as of [`CommitError::reason`](super::CommitError::reason), or `slow` when the disk
    /// gives no answer.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Sqlite { source, .. } => reason(source),
            #[expect(clippy::wildcard_enum_match_arm, reason = "the system's kinds grow")]
            Self::File { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "full",
                io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => "read_only",
                // A file in the place of a folder says the third.
                io::ErrorKind::NotFound
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::AlreadyExists => "missing",
                _ => "io",
            },
            Self::Hangs { .. } => "slow",
            Self::Running { .. } | Self::Newer { .. } | Self::Foreign { .. } => "other",
        }
    }
}
