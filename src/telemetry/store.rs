//! Blocks of telemetry on disk: a file of its own beside the journal, written rarely and in large pieces.
//!
//! The file has a rollback journal and no write-ahead log. New blocks go to pages that nobody has to be able to
//! bring back, so they are written once (with all that goes with it, 1.5 times what they hold); a log has
//! each of them written twice (2.2 times), and it is good for readers beside the writer, of which there are none.
//! A power cut costs the last commit at most; `synchronous=NORMAL` may in theory cost the file on old file
//! systems, and then the file is set aside.
//!
//! The file and its journal together are never larger than the cap: the file has `max_page_count`, and a
//! transaction is so small that its journal fits into [`MARGIN`]. When a block does not fit, the oldest blocks
//! go first, each counted. Freed pages are used again; the file does not shrink.

mod rows;

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use self::rows::{
    block_after, create, delete, enter, expire, make_room, put_block, put_cursors, range, signed,
};
use super::memory::Block;
use super::names::Names;
use super::record::{Record, decode};

/// `PRAGMA application_id`: "fwtl".
const APPLICATION: u32 = 0x6677_746c;
const VERSION: u32 = 1;
/// Bytes of a page.
const PAGE: u64 = 4096;
/// What the rollback journal may take of the cap, bytes.
const MARGIN: u64 = 1 << 20;
/// Blocks in one transaction, bytes.
const PIECE: usize = 128 * 1024;
/// So much of the disk is left to the journal and to everybody else, bytes.
const LEFT: u64 = 64 << 20;

/// Where telemetry is kept, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskSettings {
    /// The file.
    pub path: PathBuf,
    /// The file and its journal are never larger, bytes.
    pub max_size: u64,
    /// Older records go, delivered or not.
    pub keep: Duration,
}

/// Why the disk did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error("cannot {attempt} {}", path.display())]
    File {
        attempt: &'static str,
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("telemetry file {}", path.display())]
    Sqlite {
        path: PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    #[error("{} is not a file of telemetry that this version knows", path.display())]
    Foreign { path: PathBuf },
}

impl StoreError {
    /// Is the file no good any more?
    pub(super) fn is_damage(&self) -> bool {
        let Self::Sqlite { source, .. } = self else {
            return false;
        };
        let rusqlite::Error::SqliteFailure(failure, _) = source else {
            // A row that is not as the schema says.
            return true;
        };
        matches!(
            failure.code,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase
        )
    }
}

/// An open file.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    settings: DiskSettings,
    /// Key of the present names.
    catalogue: i64,
    names: Arc<Names>,
    /// Other names that were read last.
    others: Option<(i64, Arc<Names>)>,
}

/// What a file held when it was opened.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) disk: Option<RangeInclusive<u64>>,
    /// The highest number that was given.
    pub(super) last: u64,
    /// Of the outputs that were asked for; a new one begins at the end.
    pub(super) cursors: Vec<(Arc<str>, u64)>,
}

/// What is to be written.
#[derive(Debug)]
pub(super) struct Write<'w> {
    pub(super) blocks: &'w [Block],
    pub(super) cursors: &'w [(Arc<str>, u64)],
    /// Every output has everything up to here.
    pub(super) safe: u64,
    /// Milliseconds since 1970.
    pub(super) now_ms: i64,
}

/// What a write led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) disk: Option<RangeInclusive<u64>>,
    /// Went because the file is full.
    pub(super) evicted: Vec<RangeInclusive<u64>>,
    /// Went because they are too old.
    pub(super) expired: Vec<RangeInclusive<u64>>,
}

/// Numbers, names and records.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// What the points in the records are called.
    pub names: Arc<Names>,
    /// In order, with their numbers.
    pub records: Vec<(u64, Record)>,
}

impl Store {
    /// Opens the file, or makes it. Records are of `names` from now on.
    pub(super) fn open(
        settings: &DiskSettings,
        names: &Arc<Names>,
        outputs: &[Arc<str>],
    ) -> Result<(Self, Contents), StoreError> {
        let path = settings.path.as_path();
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(file("create the folder of", path))?;
        let failed = sqlite(path);
        let mut connection = Connection::open(path).map_err(sqlite(path))?;
        let version = configure(&connection, settings.max_size).map_err(sqlite(path))?;
        if version == 0 {
            create(&mut connection).map_err(sqlite(path))?;
        } else if version != VERSION {
            let path = path.to_owned();
            return Err(StoreError::Foreign { path });
        }
        let (catalogue, contents) = enter(&mut connection, names, outputs).map_err(failed)?;
        let store = Self {
            connection,
            settings: settings.clone(),
            catalogue,
            names: Arc::clone(names),
            others: None,
        };
        Ok((store, contents))
    }

    /// Writes blocks and cursors, in several transactions when there is much; what was written before a
    /// failure stays, and may be written again.
    pub(super) fn write(&mut self, write: &Write<'_>) -> Result<Written, StoreError> {
        let path = self.settings.path.clone();
        self.write_pieces(write).map_err(sqlite(&path))
    }

    fn write_pieces(&mut self, write: &Write<'_>) -> Result<Written, rusqlite::Error> {
        let mut written = Written::default();
        let budget = self.budget();
        let keep = i64::try_from(self.settings.keep.as_millis()).unwrap_or(i64::MAX);
        let oldest = write.now_ms.saturating_sub(keep);
        let mut rest = write.blocks;
        loop {
            let (piece, after) = rest.split_at(piece(rest));
            rest = after;
            let tx = self.connection.transaction()?;
            put_cursors(&tx, write.cursors)?;
            tx.prepare_cached("DELETE FROM block WHERE last <= ?1")?
                .execute([signed(write.safe)])?;
            expire(&tx, oldest, &mut written.expired)?;
            let bytes = piece.iter().map(|block| block.bytes.len() as u64 + 64);
            let need = bytes.sum();
            make_room(&tx, need, budget, &mut written.evicted)?;
            for block in piece {
                put_block(&tx, block, self.catalogue)?;
            }
            // For the next: what is freed here and now would be written to the rollback journal when it is
            // used here and now.
            make_room(&tx, need, budget, &mut written.evicted)?;
            tx.commit()?;
            if rest.is_empty() {
                break;
            }
        }
        written.disk = range(&self.connection)?;
        Ok(written)
    }

    /// The block with the first record after the number `after`; `None`: there is nothing behind it. And how
    /// many records lay in damaged blocks before it, which are deleted.
    pub(super) fn read(&mut self, after: u64) -> Result<(Option<Page>, u64), StoreError> {
        let path = self.settings.path.clone();
        self.next_block(after).map_err(sqlite(&path))
    }

    fn next_block(&mut self, after: u64) -> Result<(Option<Page>, u64), rusqlite::Error> {
        let mut damaged = 0;
        while let Some(row) = block_after(&self.connection, after)? {
            let (first, last) = (*row.range.start(), *row.range.end());
            let Some(records) = decode(&row.records) else {
                tracing::error!(first, last, "a damaged block of telemetry is dropped");
                delete(&self.connection, &row.range)?;
                damaged += last - after.max(first - 1);
                continue;
            };
            let records = (first..=last).zip(records);
            let page = Page {
                names: self.names_of(row.catalogue)?,
                records: records.filter(|(number, _)| *number > after).collect(),
            };
            return Ok((Some(page), damaged));
        }
        Ok((None, damaged))
    }

    fn names_of(&mut self, key: i64) -> Result<Arc<Names>, rusqlite::Error> {
        if key == self.catalogue {
            return Ok(Arc::clone(&self.names));
        }
        if let Some((known, names)) = &self.others
            && *known == key
        {
            return Ok(Arc::clone(names));
        }
        let select = "SELECT points FROM catalogue WHERE key=?1";
        let lines: String = (self.connection).query_row(select, [key], |row| row.get(0))?;
        let names = Arc::new(Names::from_lines(&lines));
        self.others = Some((key, Arc::clone(&names)));
        Ok(names)
    }

    /// Bytes that the file may have now: the cap less the journal's part, and no more than the disk can
    /// spare.
    fn budget(&self) -> u64 {
        let cap = self.settings.max_size - MARGIN;
        let path = &self.settings.path;
        let (Ok(present), Ok(disk)) = (fs::metadata(path), rustix::fs::statvfs(path)) else {
            return cap;
        };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        cap.min(present.len() + free.saturating_sub(LEFT))
    }

    /// Bytes on disk, the journal included.
    pub(super) fn size(&self) -> u64 {
        size(&self.settings.path)
    }
}

/// Bytes of a file of telemetry and its journal.
pub(super) fn size(path: &Path) -> u64 {
    let of = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    of(path) + of(&beside(path, "-journal"))
}

/// Moves a file that is no good out of the way; the one that was moved before goes.
pub(super) fn set_aside(path: &Path) -> Result<(), StoreError> {
    let aside = beside(path, ".damaged");
    fs::rename(path, aside).map_err(file("set aside", path))?;
    let _not_there = fs::remove_file(beside(path, "-journal")).is_err();
    Ok(())
}

/// Gives the room on disk back.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    let _not_there = fs::remove_file(beside(path, "-journal")).is_err();
    let _not_there = fs::remove_file(beside(path, ".damaged")).is_err();
    fs::remove_file(path).map_err(file("remove", path))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn file(attempt: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::File {
        attempt,
        path,
        source,
    }
}

fn sqlite(path: &Path) -> impl FnOnce(rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    move |source| StoreError::Sqlite { path, source }
}

/// Sets what SQLite does not keep in the file. Answers its version; 0 of a new one.
fn configure(connection: &Connection, max_size: u64) -> Result<u32, rusqlite::Error> {
    connection.busy_timeout(Duration::from_millis(500))?;
    connection.pragma_update(None, "page_size", signed(PAGE))?;
    let _mode: String =
        connection.query_row("PRAGMA journal_mode=TRUNCATE", [], |row| row.get(0))?;
    connection.execute_batch(
        "PRAGMA synchronous=NORMAL;
         PRAGMA cache_size=-512;
         PRAGMA mmap_size=0;
         PRAGMA temp_store=MEMORY;",
    )?;
    let pages = (max_size - MARGIN) / PAGE;
    let _pages: i64 =
        connection.query_row(&format!("PRAGMA max_page_count={pages}"), [], |row| {
            row.get(0)
        })?;
    let application: u32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    Ok(match (application, version) {
        (APPLICATION, version) => version,
        (0, 0) => 0,
        _ => u32::MAX,
    })
}

/// How many of the blocks make one transaction; one at least, if there is one.
fn piece(blocks: &[Block]) -> usize {
    let mut bytes = 0;
    let fits = blocks.iter().take_while(|block| {
        let first = bytes == 0;
        bytes += block.bytes.len();
        first || bytes <= PIECE
    });
    fits.count()
}

#[cfg(test)]
mod tests;
