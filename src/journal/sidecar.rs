//! The small files beside the database, for what must survive its loss.
//!
//! | file | what | written |
//! |---|---|---|
//! | `journal.db.lock` | held while a gateway runs; its process id | at start |
//! | `journal.db.epoch` | highest epoch that any run took for its ids | at start, before the first id; synced |
//! | `journal.db.head` | newest committed number | after every commit, not synced: it is there to notice a lost write-ahead log, not a power cut |
//! | `journal.db.ballast` | 4 MiB to delete when the disk is full, so that alarms still fit | when there is room |
//!
//! A kill at any instant leaves each of them of use. The epoch file is replaced as a whole by a rename;
//! a `.epoch.new` left behind is overwritten. The head file is one write of 21 bytes in place, made
//! after the commit it tells of: it may be behind the database, never before it. At start it is only
//! read, so that a loss is found again by the next start if this one is killed before it told of it.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::found::OpenError;
use super::place::FileId;

/// Freeing 1 MiB was measured to be enough for SQLite to go on; half of that was not.
const BALLAST: usize = 4 << 20;

/// Larger numbers are damage: an epoch is a count, or a time in Unix seconds.
const LARGEST_EPOCH: u64 = 1 << 34;

/// Damaged journals kept aside at most.
const KEPT: usize = 3;

/// `journal.db` and `suffix` give `journal.db-wal`, `journal.db.lock`...
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(suffix);
    PathBuf::from(name)
}

/// Exclusive use of a journal by one process; given back by the kernel however the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// Why the lock was not taken.
#[derive(Debug)]
pub(super) enum Locked {
    /// Another process has it; its id, as far as the file tells.
    By(String),
    /// The lock file cannot be used.
    Unusable(io::Error),
}

impl Lock {
    pub(super) fn take(database: &Path) -> Result<Self, Locked> {
        let path = beside(database, ".lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(Locked::Unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only words for the message; the refusal stands without them.
                let known = file.read_to_string(&mut holder).is_ok();
                let holder = holder.trim();
                let named = known && !holder.is_empty();
                return Err(Locked::By(
                    if named { holder } else { "unknown" }.to_owned(),
                ));
            }
            Err(TryLockError::Error(error)) => return Err(Locked::Unusable(error)),
        }
        // A full disk must not keep the gateway from starting: the lock holds without the number.
        let written = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = written {
            tracing::debug!(%error, "process id not written to the lock file");
        }
        Ok(Self { file })
    }

    /// Is the file that is locked the one beside `database`? Another process locks the one it finds.
    pub(super) fn is_beside(&self, database: &Path) -> bool {
        let held = self.file.metadata().map(|file| FileId::of(&file));
        let found = FileId::at(&beside(database, ".lock"));
        matches!((held, found), (Ok(held), Ok(found)) if held == found)
    }
}

impl Drop for Lock {
    /// A process that is being started from this one holds a copy of every open file until it runs its own program, and
    /// with a copy the lock: closing ours would not give it back.
    fn drop(&mut self) {
        // What the kernel does not take back now it takes back when the process ends.
        self.file.unlock().ok();
    }
}

impl Locked {
    /// The same for whoever wanted the journal at `database`.
    pub(super) fn refusal(self, database: &Path) -> OpenError {
        match self {
            Self::By(holder) => OpenError::Running {
                path: database.to_path_buf(),
                holder,
            },
            Self::Unusable(source) => OpenError::file("open the lock file", database)(source),
        }
    }
}

/// Highest epoch that any run took, kept outside the database.
#[derive(Debug)]
pub(super) struct EpochFile {
    path: PathBuf,
}

impl EpochFile {
    pub(super) fn new(database: &Path) -> Self {
        Self {
            path: beside(database, ".epoch"),
        }
    }

    /// `None`: there is no such file, so no gateway was here before. A file that cannot be
    /// understood counts as epoch 0: the clock then provides a higher one.
    pub(super) fn read(&self) -> io::Result<Option<u64>> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let text = String::from_utf8_lossy(&bytes);
        let epoch = text
            .lines()
            .find_map(|line| line.strip_prefix("highest epoch ")?.trim().parse().ok())
            .filter(|epoch| *epoch < LARGEST_EPOCH);
        if epoch.is_none() {
            tracing::warn!(path = %self.path.display(), "epoch file is not readable");
        }
        Ok(Some(epoch.unwrap_or(0)))
    }

    /// Replaces the file as a whole, on disk before this returns.
    pub(super) fn write(&self, site: &str, highest: u64) -> io::Result<()> {
        let fresh = beside(&self.path, ".new");
        let mut file = File::create(&fresh)?;
        write!(
            file,
            "Written by forewarn; keeps event ids unique should the journal be lost. Leave it here.\n\
             site {site}\nhighest epoch {highest}\n"
        )?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        sync_folder(&self.path)
    }
}

/// Newest committed number, kept outside the database.
#[derive(Debug)]
pub(super) struct HeadFile {
    file: File,
}

impl HeadFile {
    pub(super) fn open(database: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(beside(database, ".head"))?;
        Ok(Self { file })
    }

    /// 0 when nothing (readable) was noted.
    pub(super) fn read(&self) -> u64 {
        let mut text = [0; 20];
        let noted = self.file.read_exact_at(&mut text, 0).is_ok();
        let number = str::from_utf8(&text)
            .ok()
            .and_then(|text| text.parse().ok());
        number.filter(|_| noted).unwrap_or(0)
    }

    /// Fixed width, in place: one page of the cache, no metadata that changes size.
    pub(super) fn note(&self, seq: u64) {
        if let Err(error) = self.file.write_all_at(format!("{seq:020}\n").as_bytes(), 0) {
            tracing::debug!(%error, "newest number not noted beside the journal");
        }
    }
}

/// Space held back for alarms.
#[derive(Debug)]
pub(super) struct Ballast {
    path: PathBuf,
}

impl Ballast {
    pub(super) fn new(database: &Path) -> Self {
        Self {
            path: beside(database, ".ballast"),
        }
    }

    /// Takes the space unless it is taken already. On a full disk nothing is left behind.
    pub(super) fn take(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|file| file.len() >= BALLAST as u64) {
            return Ok(());
        }
        let block = [0x66; 64 << 10];
        let written = File::create(&self.path).and_then(|mut file| {
            for _ in 0..BALLAST / block.len() {
                file.write_all(&block)?;
            }
            Ok(())
        });
        if written.is_err() {
            self.release();
        }
        written
    }

    /// Gives the space back; `true` when there was some.
    pub(super) fn release(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }
}

/// Moves a database with its `-wal` and `-shm` aside under one name; answers where the database is
/// now. People may want to look, so the newest [`KEPT`] of them stay.
pub(super) fn quarantine(database: &Path, unix_seconds: u64) -> io::Result<PathBuf> {
    let mut aside = beside(database, &format!(".damaged-{unix_seconds}"));
    for attempt in 1_u32.. {
        if !fs::exists(&aside)? {
            break;
        }
        aside = beside(database, &format!(".damaged-{unix_seconds}-{attempt}"));
    }
    // The log first: a crash in between must not leave an old log beside a fresh database.
    for suffix in ["-wal", "-shm", ""] {
        match fs::rename(beside(database, suffix), beside(&aside, suffix)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    sync_folder(database)?;
    if let Err(error) = drop_oldest(database) {
        tracing::warn!(%error, "old damaged journals not removed");
    }
    Ok(aside)
}

fn drop_oldest(database: &Path) -> io::Result<()> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_os_string();
    let prefix = name(&beside(database, ".damaged-"));
    let mut aside = Vec::new();
    for entry in fs::read_dir(folder(database))? {
        let path = entry?.path();
        let bytes = name(&path).into_encoded_bytes();
        let log = bytes.ends_with(b"-wal") || bytes.ends_with(b"-shm");
        if bytes.starts_with(prefix.as_encoded_bytes()) && !log {
            aside.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    aside.sort();
    for (_, path) in aside.iter().take(aside.len().saturating_sub(KEPT)) {
        for suffix in ["", "-wal", "-shm"] {
            match fs::remove_file(beside(path, suffix)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
    }
    Ok(())
}

pub(super) fn folder(file: &Path) -> &Path {
    let folder = file.parent().filter(|path| !path.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn sync_folder(file: &Path) -> io::Result<()> {
    File::open(folder(file))?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::scratch::Scratch;

    #[test]
    fn a_lock_that_is_given_back_is_free_whoever_has_a_copy_of_its_file() {
        let scratch = Scratch::new();
        let lock = Lock::take(&scratch.database()).expect("nobody has it");
        let copy = lock.file.try_clone().expect("a copy");
        assert!(matches!(
            Lock::take(&scratch.database()),
            Err(Locked::By(_))
        ));
        drop(lock);
        Lock::take(&scratch.database()).expect("nobody has it any more");
        drop(copy);
    }
}
