//! The journal of a gateway whose disk does not work at start: watching without a memory is worth
//! more than not watching.
//!
//! ```text
//!  Store::open ── sound, fresh, damaged ───────────────▶ the journal
//!       ├── in use, of a newer version, foreign ───────▶ refused
//!       └── the disk fails, or gives no answer for 20 s
//!             ▼
//!           fresh folder, 0700, in $RUNTIME_DIRECTORY or the system's temporary folder
//!             ├── made ────────────────────────────────▶ temporary journal: volatile for life
//!             └── neither place works ─────────────────▶ refused, for the first reason
//! ```
//!
//! Everything at a start that touches a disk has a thread of its own, because nothing ends a system
//! call on a disk that hangs. The thread that is left behind closes what it gets in the end; until
//! then it may hold the journal's lock, also against a process that is started anew.
//!
//! Nothing in a temporary journal counts as stored, however well its writes go: it mostly lies in
//! memory, and no later start reads it. It bounds what memory holds and lets outputs catch up. Alarm
//! states and the last sign of life are read from the broken place if it lets itself be read.
//!
//! **Ids.** Epochs of real journals are counts and Unix seconds, so they stay below 2^34. Epochs of
//! temporary journals stay above: the Unix time in seconds in the lower 34 bits, random bits beyond
//! them. So they meet no real epoch, whether the epoch file can be read or not, and two of them meet
//! only in the same second of the same clock **and** with the same 27 random bits, which holds
//! without a clock, too, when every start is in the first minute of 1970.
//!
//! **The way back** is a restart, announced in the log once the place works. Switching over in the
//! running gateway is deliberately absent: numbers, cursors and alarm states of two journals would
//! have to be merged while events flow. What happened on the temporary journal was delivered, but is
//! not in the real one: acknowledgements given meanwhile are asked for again, and occurrences are
//! counted on from where the real one stands, so that a number may come twice (under another id).
//! Events that the real one had not delivered go out after the restart.

use std::fs::{self, DirBuilder, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::database::{self, APPLICATION, MIGRATIONS};
use super::found::{Known, OpenError, Restored, Temporary};
use super::sidecar::{Lock, beside, folder};
use super::{JournalSettings, Store};
use crate::engine::time::{Moment, Wall};

/// A temporary journal is never larger, bytes: it may lie in memory.
const MAX_SIZE: u64 = 8 << 20;

/// Folders of earlier runs kept at most, for people who want to look.
const KEPT: usize = 2;

/// The name of a folder begins so.
const PREFIX: &str = "forewarn-temporary-";

/// Epochs of real journals fit into so many bits.
const REAL_EPOCH_BITS: u32 = 34;

/// How long a start waits for the journal's disk: a sound journal is checked within a few seconds on a
/// slow card, and the service manager gives the start a minute.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// The same for a temporary place, which mostly lies in memory.
const PLACE_PATIENCE: Duration = Duration::from_secs(10);

/// How often the place in the settings is tried.
const PERIOD: Duration = Duration::from_secs(30);

/// Where temporary journals may be: the service's folder in memory, then the system's.
pub(super) fn places() -> Vec<PathBuf> {
    let runtime = std::env::var_os("RUNTIME_DIRECTORY");
    // systemd separates several by colons; the first is the service's own.
    let runtime = runtime
        .iter()
        .flat_map(|all| std::env::split_paths(all).next());
    runtime.chain([std::env::temp_dir()]).collect()
}

/// A start of the gateway's journal.
pub(super) struct Start<'a> {
    pub(super) settings: &'a JournalSettings,
    pub(super) site: &'a str,
    pub(super) outputs: &'a [Arc<str>],
    pub(super) now: Moment,
    /// How long the journal's disk may give no answer.
    pub(super) patience: Duration,
}

impl Start<'_> {
    /// The journal, or when its disk fails or hangs a temporary one in the first of `places` that
    /// works.
    pub(super) fn open(&self, places: &[PathBuf]) -> Result<(Store, Restored), OpenError> {
        let refused = match self.store(self.settings.clone(), self.patience) {
            Err(error) if error.is_of_the_disk() => error,
            other => return other,
        };
        let why = explained(&refused);
        tracing::error!(%why, "the journal cannot be used: trying a temporary one");
        for place in places {
            match self.fresh(place) {
                Ok((store, mut restored)) => {
                    let (found, known) = self.remembered(&refused);
                    restored.records = found.records;
                    restored.memories = found.memories;
                    restored.last_alive = found.last_alive;
                    restored.temporary = Some(Temporary {
                        reason: refused.reason(),
                        why,
                        path: store.path.clone(),
                        known,
                    });
                    return Ok((store, restored));
                }
                Err(error) => {
                    let error = explained(&error);
                    tracing::warn!(place = %place.display(), %error, "no temporary journal here");
                }
            }
        }
        Err(refused)
    }

    fn store(
        &self,
        settings: JournalSettings,
        patience: Duration,
    ) -> Result<(Store, Restored), OpenError> {
        let path = settings.path.clone();
        let (site, outputs, now) = (self.site.to_owned(), self.outputs.to_vec(), self.now);
        within(patience, &path, move || {
            Store::open(&settings, &site, &outputs, now)
        })
        .flatten()
    }

    fn fresh(&self, place: &Path) -> Result<(Store, Restored), OpenError> {
        let epoch = epoch(self.now.wall);
        let own = place.join(format!("{PREFIX}{epoch}"));
        let path = own.join("journal.db");
        let (place, journal) = (place.to_path_buf(), path.clone());
        within(PLACE_PATIENCE, &path, move || {
            make_folder(&place, &own, &journal)
        })
        .flatten()?;
        let settings = JournalSettings {
            path,
            max_size: self.settings.max_size.min(MAX_SIZE),
            keep_events: self.settings.keep_events,
            first_epoch: Some(epoch),
        };
        self.store(settings, PLACE_PATIENCE)
    }

    /// What the broken place knows. A disk that hangs is not asked again.
    fn remembered(&self, refused: &OpenError) -> (Restored, Known) {
        let nothing = (Restored::default(), Known::Nothing);
        if matches!(refused, OpenError::Hangs { .. }) {
            return nothing;
        }
        let path = self.settings.path.clone();
        within(self.patience, &self.settings.path, move || {
            remembered(&path)
        })
        .unwrap_or(nothing)
    }
}

fn make_folder(place: &Path, own: &Path, journal: &Path) -> Result<(), OpenError> {
    // Fails when the name is taken, also by a link: nobody else can have prepared the folder.
    DirBuilder::new()
        .mode(0o700)
        .create(own)
        .map_err(OpenError::file("create a temporary folder", journal))?;
    if let Err(error) = sweep(place, own) {
        tracing::debug!(%error, "temporary journals of earlier runs not removed");
    }
    Ok(())
}

/// Does `work` on the disk of the journal at `path` on a thread of its own. After `patience` the
/// thread is left to itself; what it brings after that is closed there.
fn within<T: Send + 'static>(
    patience: Duration,
    path: &Path,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, OpenError> {
    let (send, receive) = mpsc::sync_channel(1);
    std::thread::Builder::new()
        .name("journal-start".to_owned())
        .spawn(move || {
            let _too_late = send.send(work()).is_err();
        })
        .map_err(OpenError::file("start a thread", path))?;
    receive
        .recv_timeout(patience)
        .map_err(|_elapsed| OpenError::Hangs {
            path: path.to_path_buf(),
            patience,
        })
}

/// See the module docs.
fn epoch(now: Wall) -> u64 {
    let seconds = u64::try_from(now.unix_nanos() / 1_000_000_000).unwrap_or(0);
    // Seeded by the system. Early after power on its pool may be poor: the rest tells starts apart.
    let random = RandomState::new().hash_one((
        now.unix_nanos(),
        crate::clock::monotonic().as_nanos(),
        std::process::id(),
    ));
    // 62 bits in all, never without a bit above those of real epochs.
    let high = (random >> 36) | (1 << 27);
    (high << REAL_EPOCH_BITS) | (seconds & ((1 << REAL_EPOCH_BITS) - 1))
}

/// Removes temporary journals of earlier runs: ours, of no living process, all but the newest.
fn sweep(place: &Path, own: &Path) -> io::Result<()> {
    let user = fs::symlink_metadata(own)?.uid();
    let mut left = Vec::new();
    for entry in fs::read_dir(place)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if path == own || !name.starts_with(PREFIX.as_bytes()) {
            continue;
        }
        // In a folder for everybody: nothing of another user's is touched, and no link followed.
        let found = fs::symlink_metadata(&path)?;
        if found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0 {
            left.push((found.modified()?, path));
        }
    }
    left.sort();
    for (_, path) in left.iter().take(left.len().saturating_sub(KEPT)) {
        if let Ok(_unused) = Lock::take(&path.join("journal.db")) {
            fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}

/// What the broken place knows, read without writing anything, also when an older version of the
/// program wrote it.
fn remembered(path: &Path) -> (Restored, Known) {
    let ours = database::header(path).is_ok_and(|header| {
        matches!(header, Some(Ok(header)) if header.application == APPLICATION
            && (1..=MIGRATIONS.len()).contains(&(header.version as usize)))
    });
    let log = fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    // Without rights to write SQLite reads a write-ahead log only beside its index; the second
    // attempt passes over the log.
    let attempts = [("ro", Known::All), ("ro&immutable=1", Known::Older)];
    for (mode, known) in attempts.into_iter().filter(|_| ours) {
        match read_only(path, mode) {
            Ok(found) => return (found, if log { known } else { Known::All }),
            Err(error) => tracing::warn!(mode, %error, "alarm states not read from the journal"),
        }
    }
    (Restored::default(), Known::Nothing)
}

fn read_only(path: &Path, mode: &str) -> Result<Restored, rusqlite::Error> {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri.push_str("?mode=");
    uri.push_str(mode);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(uri, flags)?;
    let mut found = Restored {
        records: database::states(&connection)?,
        last_alive: database::last_alive(&connection)?,
        ..Restored::default()
    };
    if database::user_version(&connection)? >= database::MEMORIES_SINCE {
        (found.memories, found.forgotten) = database::memories(&connection)?;
    }
    Ok(found)
}

/// Returns once the journal at `place` could be used again.
pub(super) async fn works_again(place: PathBuf) {
    loop {
        tokio::time::sleep(PERIOD).await;
        let tried = place.clone();
        // A disk that hangs holds this one thread, and is not tried again.
        match tokio::task::spawn_blocking(move || attempt(&tried)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                let error = explained(&error);
                tracing::debug!(%error, "the journal's place does not work yet");
            }
            Err(_cancelled) => std::future::pending().await,
        }
    }
}

/// Would a start find a disk that works? Changes nothing: a damaged journal is for the start itself
/// to find and to tell of.
fn attempt(path: &Path) -> Result<(), OpenError> {
    let failed = |attempt| OpenError::file(attempt, path);
    fs::create_dir_all(folder(path)).map_err(failed("create the folder"))?;
    let trial = beside(path, ".trial");
    let written = fs::File::create(&trial).and_then(|mut file| {
        file.write_all(&[0x66; 64 << 10])?;
        file.sync_all()
    });
    let removed = fs::remove_file(&trial);
    written
        .and(removed)
        .map_err(failed("write a file beside the database"))?;
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => drop(opened.map_err(failed("open the database"))?),
    }
    let begun = database::open(path, u64::MAX >> 1)
        .and_then(|connection| connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK"));
    match begun {
        Err(source) if database::reason(&source) != "damaged" => {
            Err(OpenError::sqlite(path)(source))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The error with its cause, in one line.
fn explained(error: &OpenError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
