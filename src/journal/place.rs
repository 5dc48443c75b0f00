//! The journal's place while the gateway runs: its files may vanish under it.
//!
//! ```text
//!  before each commit: what is there?
//!   ├── the file that was opened ────────────▶ goes on
//!   ├── nothing ──▶ folder, lock, epoch file and an empty database are made anew
//!   │                ├── made ───────────────▶ the next commit brings all it must hold: what waits,
//!   │                │                         every alarm state, every cursor
//!   │                └── cannot be made ─────▶ volatile; each attempt to commit tries again
//!   └── another file ────────────────────────▶ volatile until a restart, which looks into the file
//! ```
//!
//! SQLite notices nothing: it goes on in a file that somebody has deleted, and nothing of it would be
//! left. What was in the removed file is lost; what waits, the alarm states and the events still in
//! memory are not. The run goes on in its epoch and counts on, so no event gets a second id. The
//! journal's alarm is raised for a minute, and stays until somebody acknowledges it.
//!
//! Until the first commit the head file stands one number ahead of the empty database: a kill in
//! between is found by the next start, as a lost tail.
//!
//! A temporary journal is not made anew: it may lie in a folder for everybody, where somebody else
//! could be first.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::database;
use super::found::OpenError;
use super::open::unix_seconds;
use super::sidecar::{EpochFile, HeadFile, Lock, beside, folder, quarantine};
use super::store::{CommitError, Store, signed};
use crate::engine::time::Wall;

/// One file on one file system, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|found| Self::of(&found))
    }

    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

impl Store {
    /// Is the file that was opened still at its place?
    pub(super) fn look(&self) -> Result<(), CommitError> {
        let path = || self.path.clone();
        match FileId::at(&self.path) {
            Ok(found) if found == self.file => Ok(()),
            Ok(_other) => Err(CommitError::Replaced { path: path() }),
            Err(error) if is_gone(&error) => Err(CommitError::Gone { path: path() }),
            Err(error) => Err(CommitError::Place {
                source: OpenError::file("look at the database", &self.path)(error),
            }),
        }
    }

    /// After [`CommitError::Gone`]: makes the journal's files anew, without a row and without states.
    ///
    /// # Errors
    /// Why not; the same may be tried again.
    pub(super) fn begin_anew(&mut self, now: Wall) -> Result<(), CommitError> {
        self.connection = None;
        self.take_place(now)
            .and_then(|()| self.make_database())
            .map_err(|source| CommitError::Place { source })
    }

    /// Everything beside the database.
    fn take_place(&mut self, now: Wall) -> Result<(), OpenError> {
        let path = &self.path;
        let failed = |attempt| OpenError::file(attempt, path);
        fs::create_dir_all(folder(path)).map_err(failed("create the folder"))?;
        if !self.lock.is_beside(path) {
            // Another gateway may have begun here.
            self.lock = Lock::take(path).map_err(|locked| locked.refusal(path))?;
        }
        let epoch_file = EpochFile::new(path);
        let known = epoch_file.read().map_err(failed("read the epoch file"))?;
        let highest = self.identity.epoch.max(known.unwrap_or(0));
        epoch_file
            .write(&self.identity.site, highest)
            .map_err(failed("write the epoch file"))?;
        self.head_file = HeadFile::open(path).map_err(failed("open the head file"))?;
        self.head_file.note(self.last_seq + 1);
        if beside(path, "-wal").exists() {
            // It belongs to the database that was moved away, and holds its newest rows.
            quarantine(path, unix_seconds(now)).map_err(failed("move an old log"))?;
        }
        Ok(())
    }

    fn make_database(&mut self) -> Result<(), OpenError> {
        let path = &self.path;
        // Fails when somebody has put a file here meanwhile.
        self.file = File::create_new(path)
            .and_then(|file| Ok(FileId::of(&file.metadata()?)))
            .map_err(OpenError::file("create the database", path))?;
        let made = database::create(path, self.max_pages).and_then(|connection| {
            connection.execute(
                "UPDATE meta SET epoch=?1, last_seq=?2, base_seq=?2",
                [signed(self.identity.epoch), signed(self.last_seq)],
            )?;
            Ok(connection)
        });
        match made {
            Ok(connection) => {
                self.connection = Some(connection);
                self.on_disk = self.last_seq;
                Ok(())
            }
            Err(source) => {
                // Half a journal is none: the next attempt finds nothing here, as this one did.
                let _left_behind = fs::remove_file(path).is_err();
                Err(OpenError::sqlite(path)(source))
            }
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
