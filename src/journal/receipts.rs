//! What became of which event at which output, and when: the ledger that proves a delivery.
//!
//! The cursor of an output says that it is through with everything up to a number; it may have passed events over
//! that are not for it. A receipt says of one event what became of it: the far end has it, or the output goes on
//! without it. Receipts are stored with the next group, with events that are on disk only, as a number may be
//! given again when its event is lost. The first acceptance counts: what is sent twice was accepted before.
//!
//! ```text
//!   aside ──▶ accepted         lost ──▶ accepted: never seen, but it would count
//!     └────▶ lost
//! ```
//!
//! An event that single readers are owed ([`Audience`]) is `aside` as long as one of them waits, and says since when
//! from the first to the last of them. Where it was set aside as a whole before, its age counts from the first of them
//! on: each reader has all of the time for which is kept what they are owed.
//!
//! | bound | when full |
//! |---|---|
//! | 4096 receipts that wait for the disk, one for each event and output, and as many that are being written | the oldest is forgotten that is not `aside`: it proves a delivery and causes none |
//! | 120 characters of what the far end said | the rest is left out |
//! | on disk: a row for each event and output | pruned with the events |

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use rusqlite::{Connection, Row, Transaction, params};

use super::audience::Audience;
use super::database::{READERS_SINCE, user_version};
use super::store::{millis, signed};
use crate::engine::time::Wall;

/// Receipts that wait for the disk at most.
const WAITING: usize = 4096;

/// So much of what a far end says is kept, characters.
const SAID: usize = 120;

/// Of a row.
const COLUMNS: &str = "seq, output, time_ms, fate, sent_ms, attempts, words, readers";
/// The same of a journal that knows no readers.
const COLUMNS_BEFORE: &str =
    "seq, output, time_ms, fate, sent_ms, attempts, words, NULL AS readers";

/// What became of an event at an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The far end has it.
    Accepted,
    /// The far end refuses it; it is tried again from time to time, by the next run, too (`aside.rs`).
    Aside,
    /// It was given up for this output.
    Lost,
}

/// An output is through with an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The event's number.
    pub seq: u64,
    /// The output's id.
    pub output: Arc<str>,
    /// When.
    pub at: Wall,
    /// What became of it.
    pub fate: Fate,
    /// When this run sent it first; `None`: it did not, or nobody knows.
    pub sent: Option<Wall>,
    /// How often this run sent it.
    pub attempts: Option<u32>,
    /// What the far end said, or why the event is not there.
    pub words: Option<Arc<str>>,
    /// Where not every reader of the output has it.
    pub audience: Option<Audience>,
}

impl Receipt {
    /// Of which it is.
    fn key(&self) -> (u64, &str) {
        (self.seq, &self.output)
    }

    /// What is known when this comes after `self`.
    fn then(&self, next: &Self) -> Self {
        if self.fate == Fate::Accepted {
            return self.clone();
        }
        let mut next = next.clone();
        if next.fate != Fate::Accepted {
            next.words = next.words.or_else(|| self.words.clone());
        }
        next.sent = next.sent.or(self.sent);
        next.attempts = next.attempts.or(self.attempts);
        next
    }
}

impl Fate {
    /// As it stands in the table.
    pub(super) const fn word(self) -> Option<&'static str> {
        match self {
            Self::Accepted => None,
            Self::Aside => Some("aside"),
            Self::Lost => Some("lost"),
        }
    }

    fn of(word: Option<&str>) -> Self {
        match word {
            None => Self::Accepted,
            Some("aside") => Self::Aside,
            Some(_) => Self::Lost,
        }
    }
}

/// Receipts that are not known to be on disk, in order of their arrival; of one event and output one, however much is
/// said of it, beside the one that is being written.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    waiting: VecDeque<Receipt>,
    /// In the hands of a transaction: nobody finds them on disk before it has succeeded.
    writing: Arc<[Receipt]>,
}

impl Receipts {
    pub(super) fn add(&mut self, mut receipt: Receipt) {
        receipt.words = receipt.words.map(shortened);
        // What is said again is mostly said soon after.
        let mut newest_first = self.waiting.iter_mut().rev();
        match newest_first.find(|known| known.key() == receipt.key()) {
            Some(known) => *known = known.then(&receipt),
            None => self.waiting.push_back(receipt),
        }
        self.bound();
    }

    /// What is set aside causes a delivery, if only a later run's, and goes last.
    fn bound(&mut self) {
        while self.waiting.len() > WAITING {
            let proves = |receipt: &Receipt| receipt.fate != Fate::Aside;
            let oldest = self.waiting.iter().position(proves);
            self.waiting.remove(oldest.unwrap_or(0));
        }
    }

    /// Does one of an event up to `seq` wait?
    pub(super) fn any_upto(&self, seq: u64) -> bool {
        self.waiting.iter().any(|receipt| receipt.seq <= seq)
    }

    /// Takes those of events up to `seq` for a transaction.
    pub(super) fn take_upto(&mut self, seq: u64) -> Arc<[Receipt]> {
        let all = std::mem::take(&mut self.waiting).into_iter();
        let (ready, rest): (Vec<_>, Vec<_>) = all.partition(|receipt| receipt.seq <= seq);
        self.waiting = rest.into();
        self.writing = ready.into();
        Arc::clone(&self.writing)
    }

    /// They are on disk.
    pub(super) fn written(&mut self) {
        self.writing = Arc::default();
    }

    /// They did not reach the disk.
    pub(super) fn give_back(&mut self) {
        let older = std::mem::take(&mut self.writing);
        let newer = std::mem::replace(&mut self.waiting, older.iter().cloned().collect());
        let key = |receipt: &Receipt| (receipt.seq, Arc::clone(&receipt.output));
        let places: HashMap<_, _> = older.iter().map(key).zip(0..).collect();
        for receipt in newer {
            match places.get(&key(&receipt)) {
                Some(place) => self.waiting[*place] = self.waiting[*place].then(&receipt),
                None => self.waiting.push_back(receipt),
            }
        }
        self.bound();
    }

    /// Those of one event, in order.
    pub(super) fn of(&self, seq: u64) -> impl Iterator<Item = &Receipt> {
        let all = self.writing.iter().chain(&self.waiting);
        all.filter(move |receipt| receipt.seq == seq)
    }
}

fn shortened(words: Arc<str>) -> Arc<str> {
    match words.char_indices().nth(SAID) {
        None => words,
        Some((end, _)) => words.get(..end).unwrap_or_default().into(),
    }
}

/// Of one event: what is on disk, and then what is on its way there.
pub(super) fn together(mut stored: Vec<Receipt>, waiting: &[Receipt]) -> Vec<Receipt> {
    for next in waiting {
        let known = stored.iter_mut().find(|known| known.output == next.output);
        match known {
            Some(known) => *known = known.then(next),
            None => stored.push(next.clone()),
        }
    }
    stored
}

/// Writes receipts beside those that are there; [`Receipt::then`] in SQL. `clock`: the journal's own.
pub(super) fn put(
    tx: &Transaction<'_>,
    receipts: &[Receipt],
    clock: i64,
) -> Result<(), rusqlite::Error> {
    let mut upsert = tx.prepare_cached(
        "INSERT INTO receipt (seq, output, time_ms, fate, sent_ms, attempts, words, readers, aside_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (seq, output) DO UPDATE SET
             time_ms = excluded.time_ms,
             fate = excluded.fate,
             readers = excluded.readers,
             aside_ms = CASE WHEN readers IS NULL AND excluded.readers IS NOT NULL
                             THEN coalesce(excluded.aside_ms, aside_ms)
                             ELSE coalesce(aside_ms, excluded.aside_ms) END,
             sent_ms = coalesce(excluded.sent_ms, sent_ms),
             attempts = coalesce(excluded.attempts, attempts),
             words = CASE WHEN excluded.fate IS NULL THEN excluded.words
                          ELSE coalesce(excluded.words, words) END
         WHERE fate IS NOT NULL",
    )?;
    for receipt in receipts {
        upsert.execute(params![
            signed(receipt.seq),
            receipt.output,
            millis(receipt.at),
            receipt.fate.word(),
            receipt.sent.map(millis),
            receipt.attempts,
            receipt.words,
            receipt.audience.as_ref().map(readers).transpose()?,
            (receipt.fate == Fate::Aside).then_some(clock),
        ])?;
    }
    Ok(())
}

/// Those of one event that are on disk, in the order of time.
pub(super) fn stored(connection: &Connection, seq: u64) -> Result<Vec<Receipt>, rusqlite::Error> {
    let columns = if user_version(connection)? < READERS_SINCE {
        COLUMNS_BEFORE
    } else {
        COLUMNS
    };
    let mut select = connection.prepare_cached(&format!(
        "SELECT {columns} FROM receipt WHERE seq = ?1 ORDER BY time_ms, output"
    ))?;
    let rows = select.query_map([signed(seq)], receipt)?;
    rows.collect()
}

/// All that is set aside, the newest first, each with when that was by the journal's own clock, if it is known.
pub(super) fn aside(
    connection: &Connection,
) -> Result<Vec<(Receipt, Option<i64>)>, rusqlite::Error> {
    let mut select = connection.prepare(&format!(
        "SELECT {COLUMNS}, aside_ms FROM receipt WHERE fate = 'aside' ORDER BY seq DESC, output"
    ))?;
    let rows = select.query_map([], |row| Ok((receipt(row)?, row.get("aside_ms")?)))?;
    rows.collect()
}

/// What a row says.
fn receipt(row: &Row<'_>) -> Result<Receipt, rusqlite::Error> {
    let seq: i64 = row.get("seq")?;
    let fate: Option<String> = row.get("fate")?;
    let sent: Option<i64> = row.get("sent_ms")?;
    let words: Option<String> = row.get("words")?;
    let readers: Option<String> = row.get("readers")?;
    Ok(Receipt {
        seq: seq.unsigned_abs(),
        output: row.get::<_, String>("output")?.into(),
        at: wall(row.get("time_ms")?),
        fate: Fate::of(fate.as_deref()),
        sent: sent.map(wall),
        attempts: row.get("attempts")?,
        words: words.map(Into::into),
        // What is no such JSON is not ours, and then the event is set aside as a whole.
        audience: readers.and_then(|readers| serde_json::from_str(&readers).ok()),
    })
}

/// As they stand in the table.
pub(super) fn readers(audience: &Audience) -> Result<String, rusqlite::Error> {
    serde_json::to_string(audience)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

/// Unix milliseconds as a time.
pub(super) fn wall(time_ms: i64) -> Wall {
    Wall::from_unix_nanos(time_ms.saturating_mul(1_000_000))
}

#[cfg(test)]
mod tests;
