//! The journal on disk: rows in, one transaction a group. Used by the writer thread, and directly
//! by `replay`, which needs no thread.
//!
//! Guarantee: when [`Store::commit`] says yes, events, alarm states, cursors and the sign of life
//! are on disk together (WAL, `synchronous=FULL`: one `fsync` a commit); when it says no, the
//! outcome is **unknown** until the file is opened again. So a write is made to be repeated: rows
//! name their numbers, and what an unsettled attempt may have left is replaced.
//!
//! When the file reaches its cap the oldest delivered rows go first (`prune.rs`).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, TransactionBehavior, params};

use super::chain::{self, Hash};
use super::database;
use super::found::OpenError;
use super::place::FileId;
use super::prune::{Age, Losses};
use super::receipts::{self, Receipt};
use super::sidecar::{Ballast, HeadFile, Lock};
use crate::engine::effect::Event;
use crate::engine::memory::Memory;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::{Mono, Wall};
use crate::event::{Committed, Identity, encode};

/// Bytes of a page: small pages halve what a single event costs the flash.
pub(super) const PAGE: u64 = 1024;

/// The journal, opened for writing by this process alone.
#[derive(Debug)]
pub struct Store {
    pub(super) path: PathBuf,
    /// `None` after a failed commit, until the file is opened again.
    pub(super) connection: Option<Connection>,
    pub(super) identity: Identity,
    /// Newest row of the last commit that succeeded.
    pub(super) last_seq: u64,
    /// Newest row in the file; larger after an attempt whose outcome was unknown.
    pub(super) on_disk: u64,
    pub(super) max_pages: u64,
    /// Of the configured outputs, as stored.
    pub(super) cursors: BTreeMap<Arc<str>, u64>,
    pub(super) losses: Losses,
    /// By which rows grow old.
    pub(super) age: Age,
    /// The database as it was opened, to know it again.
    pub(super) file: FileId,
    pub(super) head_file: HeadFile,
    pub(super) ballast: Ballast,
    pub(super) lock: Lock,
    #[cfg(test)]
    pub(super) faults: Arc<super::faults::Faults>,
}

/// One event to commit.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The event, with the alarm state it carries.
    pub event: Arc<Event>,
    /// Seconds since the start of a replay; `None` otherwise.
    pub t: Option<f64>,
}

/// An event with its number and line.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) committed: Committed,
    pub(super) at: Mono,
    /// States of other alarms that the event settles.
    others: Vec<Arc<AlarmRecord>>,
}

impl Row {
    pub(super) fn stamp(entry: &Entry, identity: &Identity, seq: u64, durable: bool) -> Self {
        let event = &entry.event;
        let committed = Committed {
            seq,
            line: encode(event, identity, seq, entry.t).into(),
            alarm: event
                .subject
                .as_ref()
                .map(|subject| Arc::clone(&subject.alarm)),
            record: event.record.clone().map(Arc::new),
            durable,
            at: Some(event.at.mono),
        };
        Self {
            committed,
            at: event.at.mono,
            others: event.others.iter().cloned().map(Arc::new).collect(),
        }
    }

    /// Every alarm state that is stored with the event.
    pub(super) fn records(&self) -> impl Iterator<Item = &Arc<AlarmRecord>> {
        self.committed.record.iter().chain(&self.others)
    }
}

/// Everything one transaction brings to disk.
#[derive(Debug, Default)]
pub(super) struct Write<'a> {
    /// When; the journal's own clock goes on from here at the next start.
    pub(super) at: Mono,
    /// In order; each number larger than the one before.
    pub(super) rows: &'a [Row],
    /// Rows beyond this number come from attempts whose outcome was unknown; `rows` replace them.
    pub(super) settled: u64,
    /// Alarm states whose events were dropped from full memory; older than those of `rows`.
    pub(super) states: &'a [Arc<AlarmRecord>],
    /// What alarms remember beside their state.
    pub(super) memories: &'a [Arc<Memory>],
    /// Cursors that moved.
    pub(super) cursors: &'a [(Arc<str>, u64)],
    /// Of events up to the last of `rows`.
    pub(super) receipts: &'a [Receipt],
}

/// Why a commit failed. Its outcome is unknown (module docs).
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// The transaction failed.
    #[error("cannot commit to the journal {}", path.display())]
    Commit {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// After an earlier failure the journal could not be opened.
    #[error("cannot open the journal {} again", path.display())]
    Reopen {
        /// The database.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// Somebody removed the file, or its folder.
    #[error("the journal {} was removed", path.display())]
    Gone {
        /// Where it was.
        path: PathBuf,
    },
    /// Somebody put another file in its place.
    #[error(
        "another file is in the place of the journal {}: restart the gateway to use that one",
        path.display()
    )]
    Replaced {
        /// Where it was.
        path: PathBuf,
    },
    /// The journal's place cannot be looked at, or the removed files not be made anew.
    #[error("the journal's place cannot be used")]
    Place {
        /// Why.
        #[source]
        source: OpenError,
    },
}

impl CommitError {
    /// A short word for metrics and health: `full`, `read_only`, `io`, `damaged`, `busy`, `missing`
    /// or `other`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Commit { source, .. } | Self::Reopen { source, .. } => database::reason(source),
            Self::Gone { .. } | Self::Replaced { .. } => "missing",
            Self::Place { source } => source.reason(),
        }
    }
}

impl Store {
    /// Commits `batch` in order, together with the alarm states it carries, and answers what to
    /// show: number, line and state of each. `now` is the sign of life.
    ///
    /// # Errors
    /// Nothing may be shown; the same batch may be given again (module docs).
    pub fn commit(&mut self, batch: &[Entry], now: Wall) -> Result<Vec<Committed>, CommitError> {
        let rows: Vec<Row> = batch
            .iter()
            .zip(self.last_seq + 1..)
            .map(|(entry, seq)| Row::stamp(entry, &self.identity, seq, true))
            .collect();
        let write = Write {
            rows: &rows,
            settled: self.last_seq,
            ..Write::default()
        };
        self.write(&write, now)?;
        Ok(rows.into_iter().map(|row| row.committed).collect())
    }

    /// Stores what alarms remember. `now` is the sign of life.
    ///
    /// # Errors
    /// The same may be given again (module docs).
    pub fn remember(&mut self, memories: &[Arc<Memory>], now: Wall) -> Result<(), CommitError> {
        let write = Write {
            memories,
            settled: self.last_seq,
            ..Write::default()
        };
        self.write(&write, now)
    }

    /// Newest number on disk; 0 in an empty journal.
    pub const fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Site and epoch of the ids of this run.
    pub const fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Bytes in use on disk with the write-ahead log. The file itself does not shrink: pages that pruning
    /// freed are used again and do not count.
    pub fn size(&self) -> u64 {
        let free = self.connection.as_ref().map(|connection| {
            let pages = connection.pragma_query_value(None, "freelist_count", |row| row.get(0));
            pages.map_or(0, |pages: i64| pages.unsigned_abs().saturating_mul(PAGE))
        });
        let files: u64 = ["", "-wal"]
            .into_iter()
            .filter_map(|suffix| std::fs::metadata(super::sidecar::beside(&self.path, suffix)).ok())
            .map(|file| file.len())
            .sum();
        files.saturating_sub(free.unwrap_or_default())
    }

    /// Brings the write-ahead log into the database and empties it; at the end of the process.
    /// Nothing is lost when it fails: the log is read at the next start.
    pub fn close(mut self) {
        if let Some(connection) = self.connection.take() {
            let emptied = connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_row| Ok(()))
                .and_then(|()| connection.close().map_err(|(_connection, error)| error));
            if let Err(error) = emptied {
                tracing::debug!(%error, "write-ahead log left for the next start");
            }
        }
    }

    /// Takes space to give up when the disk is full; asked again from time to time.
    pub(super) fn take_ballast(&self) {
        if let Err(error) = self.ballast.take() {
            tracing::warn!(%error, "no room on disk for the reserve of the journal");
        }
    }

    pub(super) fn write(&mut self, write: &Write<'_>, now: Wall) -> Result<(), CommitError> {
        // Each round that makes room frees a share of the file, so this ends soon.
        let mut rounds = 0;
        loop {
            match self.attempt(write, now) {
                Ok(()) => return Ok(()),
                Err(CommitError::Commit { source, .. })
                    if database::reason(&source) == "full" && rounds < 32 && self.make_room() =>
                {
                    rounds += 1;
                }
                Err(error) => {
                    // Its state is unknown: the next write opens the file anew.
                    self.connection = None;
                    return Err(error);
                }
            }
        }
    }

    fn attempt(&mut self, write: &Write<'_>, now: Wall) -> Result<(), CommitError> {
        self.look()?;
        let path = &self.path;
        let reopen = |source| CommitError::Reopen {
            path: path.clone(),
            source,
        };
        if self.connection.is_none() {
            let (connection, on_disk) = database::again(path, self.max_pages).map_err(reopen)?;
            self.on_disk = on_disk;
            self.connection = Some(connection);
        }
        let connection = self.connection.as_mut().expect("it was opened just now");
        let last_seq = write
            .rows
            .last()
            .map_or(self.last_seq, |row| row.committed.seq);
        let newest = write.rows.last().map_or(write.at, |row| row.at);
        let clock = self.age.millis(newest.max(write.at));
        #[cfg(test)]
        let faults = Arc::clone(&self.faults);
        let done = (|| {
            #[cfg(test)]
            faults.before_commit()?;
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if self.on_disk > write.settled && !write.rows.is_empty() {
                tx.execute("DELETE FROM event WHERE seq > ?1", [signed(write.settled)])?;
            }
            put_rows(&tx, write.rows, self.age, now)?;
            put_states(&tx, write)?;
            put_memories(&tx, write.memories)?;
            for (output, seq) in write.cursors {
                // Never beyond what is on disk: after a crash those numbers are given again.
                tx.prepare_cached("INSERT OR REPLACE INTO cursor VALUES (?1, ?2, NULL)")?
                    .execute(params![output, signed((*seq).min(last_seq))])?;
            }
            let clock = put_meta(&tx, millis(now), last_seq, clock)?;
            receipts::put(&tx, write.receipts, clock)?;
            tx.commit()?;
            #[cfg(test)]
            faults.after_commit()?;
            Ok(())
        })();
        done.map_err(|source| CommitError::Commit {
            path: path.clone(),
            source,
        })?;
        self.last_seq = last_seq;
        if !write.rows.is_empty() {
            self.on_disk = last_seq;
        }
        self.head_file.note(last_seq);
        for (output, seq) in write.cursors {
            self.cursors
                .insert(Arc::clone(output), (*seq).min(last_seq));
        }
        Ok(())
    }
}

fn put_rows(tx: &Connection, rows: &[Row], age: Age, now: Wall) -> Result<(), rusqlite::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut hash = head(tx)?;
    let mut insert = tx.prepare_cached("INSERT INTO event VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for row in rows {
        let line = &*row.committed.line;
        hash = chain::link(&hash, line);
        insert.execute(params![
            signed(row.committed.seq),
            age.millis(row.at),
            line,
            hash,
            millis(now)
        ])?;
    }
    Ok(())
}

fn put_states(tx: &Connection, write: &Write<'_>) -> Result<(), rusqlite::Error> {
    // Only the newest state of each alarm touches a page.
    let rows = write.rows.iter().flat_map(Row::records);
    let newest: BTreeMap<&str, &AlarmRecord> = write
        .states
        .iter()
        .chain(rows)
        .map(|record| (&*record.alarm, &**record))
        .collect();
    let mut upsert = tx.prepare_cached("INSERT OR REPLACE INTO alarm VALUES (?1, ?2, ?3)")?;
    for (alarm, record) in newest {
        put_json(&mut upsert, alarm, record)?;
    }
    Ok(())
}

fn put_memories(tx: &Connection, memories: &[Arc<Memory>]) -> Result<(), rusqlite::Error> {
    let mut upsert = tx.prepare_cached("INSERT OR REPLACE INTO memory VALUES (?1, ?2, ?3)")?;
    for memory in memories {
        put_json(&mut upsert, &memory.alarm, &**memory)?;
    }
    Ok(())
}

/// The sign of life, the newest row that there must be, and where the journal's own clock stands, which never goes back.
fn put_meta(
    tx: &Connection,
    alive_ms: i64,
    last_seq: u64,
    clock: i64,
) -> Result<i64, rusqlite::Error> {
    tx.prepare_cached(
        "UPDATE meta SET alive_ms=?1, last_seq=?2, clock_ms=max(?3, coalesce(clock_ms, ?3))
         RETURNING clock_ms",
    )?
    .query_row(params![alive_ms, signed(last_seq), clock], |row| row.get(0))
}

/// A row of name, JSON and the check sum of the JSON.
fn put_json(
    upsert: &mut CachedStatement<'_>,
    alarm: &str,
    content: &impl serde::Serialize,
) -> Result<(), rusqlite::Error> {
    let text = serde_json::to_string(content)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    upsert.execute(params![alarm, text, chain::digest(&text)])?;
    Ok(())
}

/// Hash of the newest row, or what stands in its place.
fn head(tx: &Connection) -> Result<Hash, rusqlite::Error> {
    tx.prepare_cached(
        "SELECT coalesce((SELECT hash FROM event ORDER BY seq DESC LIMIT 1), base_hash) FROM meta",
    )?
    .query_row([], |row| row.get(0))
}

/// SQLite's integers are signed; 63 bits of events last for ever.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn millis(wall: Wall) -> i64 {
    wall.unix_nanos().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests;
