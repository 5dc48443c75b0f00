//! The hash chain: each row carries SHA-256(hash of the row before || its line).
//!
//! ```text
//!  base_hash ──┐        ┌── hash 41 ──┐        ┌── hash 42 ──┐
//!              ▼        │             ▼        │             ▼
//!        line 41 ─▶ SHA-256     line 42 ─▶ SHA-256     line 43 ─▶ ...      meta.last_seq = newest
//! ```
//!
//! A line that was altered, a row that was deleted, swapped or slipped in breaks the chain at that
//! place; rows cut off at the end are missed by `meta.last_seq`. Rows pruned from the front leave
//! their last hash behind as the new base.
//!
//! A jump in `seq` over which the chain holds is no damage: those events were dropped from full
//! memory while the disk failed, before they ever reached the file. [`Verified::dropped`] counts them.
//!
//! Deliberately absent: a key. Whoever can rewrite the whole file can compute a new chain; the
//! chain finds damage and casual edits. Copies of the newest hash kept elsewhere find the rest.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

/// Hash of a row, or of what stands before the first one.
pub type Hash = [u8; 32];

/// What stands before the first row of a fresh journal.
pub const GENESIS: Hash = [0; 32];

/// The hash of a row with `line` after a row with hash `previous`.
pub fn link(previous: &Hash, line: &str) -> Hash {
    Sha256::new()
        .chain_update(previous)
        .chain_update(line)
        .finalize()
        .into()
}

/// The check sum of a text that stands alone.
pub(super) fn digest(text: &str) -> Hash {
    Sha256::digest(text).into()
}

/// A journal whose every kept row is as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Rows looked at.
    pub rows: u64,
    /// Oldest row kept; `None` when there is none.
    pub first: Option<u64>,
    /// Newest row.
    pub last: u64,
    /// Numbers that were given to events which the disk never got (module docs).
    pub dropped: u64,
    /// Hash of the newest row: keep a copy elsewhere to find a rewritten file.
    pub head: Hash,
}

/// Where a journal is not as it was written.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// The row is there, but its line or its predecessor is not what was written.
    #[error("event {seq} or the one before it was altered: the hash chain breaks there")]
    Altered {
        /// First row at which the chain does not hold.
        seq: u64,
    },
    /// Rows were there and are gone.
    #[error("event {seq} is missing")]
    Missing {
        /// First missing row.
        seq: u64,
    },
    /// The file cannot be read as a journal of this version.
    #[error("cannot read the journal {}", path.display())]
    Unreadable {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
}

/// Reads every row of the journal at `path`, also while a gateway writes to it, and checks the
/// chain. Takes one pass and no memory; holds up pruning of the write-ahead log meanwhile.
///
/// # Errors
/// The first row that was altered or is missing, or why the file cannot be read.
pub fn verify(path: &Path) -> Result<Verified, Damage> {
    let unreadable = |source| Damage::Unreadable {
        path: path.to_path_buf(),
        source,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(unreadable)?;
    // One snapshot for the base, the rows and the end.
    let snapshot = connection.transaction().map_err(unreadable)?;
    walk(&snapshot).map_err(unreadable)?
}

fn walk(snapshot: &Connection) -> Result<Result<Verified, Damage>, rusqlite::Error> {
    let (base, hash, newest): (i64, Hash, i64) = snapshot.query_row(
        "SELECT base_seq, base_hash, last_seq FROM meta",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )?;
    let mut walk = Walk::new(base.unsigned_abs(), hash);
    let mut select = snapshot.prepare("SELECT seq, line, hash FROM event ORDER BY seq")?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)?.unsigned_abs();
        // Damaged bytes may be no text, and a damaged hash may have another length.
        let line = row.get_ref(1)?.as_bytes().ok().map(str::from_utf8);
        let stored = row.get_ref(2)?.as_bytes().unwrap_or_default();
        if let Err(damage) = walk.row(seq, line.and_then(Result::ok), stored) {
            return Ok(Err(damage));
        }
    }
    Ok(walk.end(newest.unsigned_abs()))
}

/// A walk along the chain, row by row, wherever the rows come from.
#[derive(Debug)]
pub struct Walk {
    verified: Verified,
}

impl Walk {
    /// Begins behind row `base`, whose hash is `hash`.
    pub const fn new(base: u64, hash: Hash) -> Self {
        Self {
            verified: Verified {
                rows: 0,
                first: None,
                last: base,
                dropped: 0,
                head: hash,
            },
        }
    }

    /// The next row: its number, its line if it is text, and the hash stored with it.
    ///
    /// # Errors
    /// It is not as it was written, or one before it is missing.
    pub fn row(&mut self, seq: u64, line: Option<&str>, stored: &[u8]) -> Result<(), Damage> {
        let expected = self.verified.last + 1;
        // The line names its own number: a row that was only renumbered keeps its hash.
        let own = format!("\"seq\":{seq},");
        let line = line.filter(|line| line.contains(&own));
        let linked = line.map(|line| link(&self.verified.head, line));
        let linked = linked.ok_or(Damage::Altered { seq })?;
        if stored != linked.as_slice() {
            return Err(if seq > expected {
                Damage::Missing { seq: expected }
            } else {
                Damage::Altered { seq }
            });
        }
        self.verified.head = linked;
        self.verified.dropped += seq - expected.min(seq);
        self.verified.rows += 1;
        self.verified.first.get_or_insert(seq);
        self.verified.last = seq;
        Ok(())
    }

    /// Newest row so far, or the one before the first.
    pub const fn last(&self) -> u64 {
        self.verified.last
    }

    /// There are no more rows, and `newest` must have been the last.
    ///
    /// # Errors
    /// Rows are missing at the end.
    pub fn end(self, newest: u64) -> Result<Verified, Damage> {
        if self.verified.last < newest {
            return Err(Damage::Missing {
                seq: self.verified.last + 1,
            });
        }
        Ok(self.verified)
    }
}

/// A hash as 64 hexadecimal digits.
pub fn hex(hash: &[u8]) -> String {
    hash.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String cannot fail");
        text
    })
}
