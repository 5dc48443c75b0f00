//! What goes when there is too much: oldest first, and nothing undelivered while anything
//! delivered is left. Alarm states are never pruned.
//!
//! | when | what goes |
//! |---|---|
//! | once an hour | delivered to every output, and older than `keep_events` |
//! | the file has reached `max_size` | the oldest sixteenth of what every output has |
//! | ... and nothing in it is delivered | the oldest undelivered rows: counted, an error in the log |
//! | the disk is full | the ballast; then nothing more: the journal goes volatile |
//!
//! An event that an output has set aside, or owes to single readers, is as undelivered as one beyond its cursor: for
//! 32 h at most (`aside.rs`), then it is given up and holds nothing.
//!
//! # What is old
//!
//! A board whose clock stands in 2038 for an hour must not lose three years of history in it, and one
//! that starts in 1970 must not call everything before that old. So no wall clock says how old a row
//! is. Rows carry the time of the journal's own clock, which goes on only while a gateway runs: at a
//! start it goes on from where the last transaction left it, a minute before the end at most; in a fresh
//! journal it begins with the wall clock, right or not, as only differences count. Time without a gateway makes nothing older: after a winter in a
//! drawer rows stay a winter longer, within `max_size`.
//!
//! Rows go by range, rarely: a DELETE per event quadruples the wear of the flash. Freed pages are
//! used again, so the file stays at its size.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::chain::Hash;
use super::store::{PAGE, Store, millis, signed};
use crate::engine::time::{Moment, Mono};

/// Rows that one transaction deletes at most, so that an alarm behind it does not wait.
const CHUNK: u64 = 2000;

/// The smallest share of rows worth a transaction.
const LEAST: u64 = 128;

/// The clock by which rows grow old (module docs).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Age {
    opened: Mono,
    then: i64,
}

impl Age {
    /// Goes on from `stood`, where it was last; `None` in a fresh journal.
    pub(super) fn new(now: Moment, stood: Option<i64>) -> Self {
        Self {
            opened: now.mono,
            then: stood.unwrap_or_else(|| millis(now.wall)),
        }
    }

    /// Milliseconds at `now`.
    pub(super) fn millis(self, now: Mono) -> i64 {
        self.then.saturating_add(whole(now.since(self.opened)))
    }

    /// How long ago it stood at `then`, milliseconds; zero in what is to come.
    pub(super) fn since(self, then: i64, now: Mono) -> Duration {
        let past = self.millis(now).saturating_sub(then);
        Duration::from_millis(u64::try_from(past).unwrap_or(0))
    }
}

/// Milliseconds; as many as there are numbers for.
pub(super) fn whole(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// What had to go before every output had it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// Rows pruned although an output had not delivered them, or had set them aside.
    pub undelivered: u64,
}

impl Store {
    /// Losses since the last time this was asked.
    pub fn take_losses(&mut self) -> Losses {
        std::mem::take(&mut self.losses)
    }

    /// Deletes a chunk of rows that every output has and that are older than `keep`. `true`: there
    /// may be more.
    ///
    /// # Errors
    /// The file could not be read or written; nothing is lost by trying again later.
    pub fn prune(&mut self, keep: Duration, now: Mono) -> Result<bool, rusqlite::Error> {
        let delivered = self.delivered();
        let kept_from = self.age.millis(now).saturating_sub(whole(keep));
        let Some(connection) = &mut self.connection else {
            return Ok(false);
        };
        let base = base(connection)?;
        let put_by = put_by(connection, &self.cursors, (base, delivered))?;
        let free = before(&put_by, delivered);
        let upto = free.min(base.saturating_add(CHUNK));
        let old = older_than(connection, (base, upto), kept_from)?;
        delete(connection, base, old)
    }

    /// Rows that every configured output is through with; some of them may be set aside.
    fn delivered(&self) -> u64 {
        let slowest = self.cursors.values().min();
        slowest.map_or(self.last_seq, |seq| (*seq).min(self.last_seq))
    }

    /// After SQLite said "full": makes room and says whether another attempt is worth while.
    pub(super) fn make_room(&mut self) -> bool {
        match self.make_room_in_file() {
            Ok(Some(freed)) => freed,
            // Below the cap: it is the disk that is full.
            Ok(None) => {
                let released = self.ballast.release();
                if released {
                    tracing::error!("disk full: the journal uses its reserve; free some space");
                }
                released
            }
            Err(error) => {
                tracing::warn!(%error, "no room made in the journal");
                self.ballast.release()
            }
        }
    }

    /// `None`: the file is below its cap.
    fn make_room_in_file(&mut self) -> Result<Option<bool>, rusqlite::Error> {
        let delivered = self.delivered();
        let last_seq = self.last_seq;
        let max_pages = self.max_pages;
        let Some(connection) = &mut self.connection else {
            return Ok(Some(false));
        };
        let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        // A large group may need many pages at once, so "near" is generous.
        let near = max_pages
            .saturating_sub((256 << 10) / PAGE)
            .min(max_pages / 2);
        if pages.unsigned_abs() < near {
            return Ok(None);
        }
        let base = base(connection)?;
        let share = ((last_seq - base.min(last_seq)) / 16).clamp(LEAST, CHUNK);
        let upto = base + share;
        let put_by = put_by(connection, &self.cursors, (base, delivered))?;
        let free = before(&put_by, delivered);
        if base < free {
            return delete(connection, base, upto.min(free)).map(Some);
        }
        let upto = upto.min(last_seq);
        let freed = delete(connection, base, upto)?;
        if freed {
            let put_by = put_by.iter().filter(|seq| **seq <= upto).count();
            let beyond = upto.saturating_sub(delivered.max(base));
            self.losses.undelivered += put_by as u64 + beyond;
        }
        Ok(Some(freed))
    }
}

/// Rows in `(base, delivered]` that a configured output has set aside, in order.
fn put_by(
    connection: &Connection,
    cursors: &BTreeMap<Arc<str>, u64>,
    (base, delivered): (u64, u64),
) -> Result<BTreeSet<u64>, rusqlite::Error> {
    let mut select = connection.prepare_cached(
        "SELECT seq, output FROM receipt WHERE fate = 'aside' AND seq > ?1 AND seq <= ?2",
    )?;
    let rows = select.query_map([signed(base), signed(delivered)], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut found = BTreeSet::new();
    for row in rows {
        let (seq, output) = row?;
        if cursors.contains_key(&*output) {
            found.insert(seq.unsigned_abs());
        }
    }
    Ok(found)
}

/// Up to where rows may go: before the first of those put by.
fn before(put_by: &BTreeSet<u64>, delivered: u64) -> u64 {
    put_by.first().map_or(delivered, |first| first - 1)
}

/// The number before the oldest row: a hole in the numbers behind the rows that are gone is no row.
fn base(connection: &Connection) -> Result<u64, rusqlite::Error> {
    let base: i64 = connection.query_row(
        "SELECT coalesce((SELECT min(seq) - 1 FROM event), base_seq) FROM meta",
        [],
        |row| row.get(0),
    )?;
    Ok(base.unsigned_abs())
}

/// The last number in `(base, upto]` up to which all rows are older than `time_ms`; `base` when none is.
fn older_than(
    connection: &Connection,
    (base, upto): (u64, u64),
    time_ms: i64,
) -> Result<u64, rusqlite::Error> {
    let young: Option<i64> = connection
        .prepare_cached(
            "SELECT seq FROM event WHERE seq > ?1 AND seq <= ?2 AND time_ms >= ?3 ORDER BY seq LIMIT 1",
        )?
        .query_row([signed(base), signed(upto), time_ms], |row| row.get(0))
        .optional()?;
    Ok(young.map_or(upto, |young| young.unsigned_abs() - 1))
}

/// Deletes the rows in `(base, upto]`; their last hash becomes the base of the chain.
fn delete(connection: &mut Connection, base: u64, upto: u64) -> Result<bool, rusqlite::Error> {
    if upto <= base {
        return Ok(false);
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let newest: Option<(i64, Hash)> = tx
        .query_row(
            "SELECT seq, hash FROM event WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1",
            [signed(upto)],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((seq, hash)) = newest else {
        return Ok(false);
    };
    tx.execute("DELETE FROM event WHERE seq <= ?1", [seq])?;
    tx.execute("DELETE FROM receipt WHERE seq <= ?1", [seq])?;
    tx.execute(
        "UPDATE meta SET base_seq=?1, base_hash=?2",
        params![seq, hash],
    )?;
    tx.commit()?;
    Ok(true)
}
