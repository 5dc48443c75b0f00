//! What outputs leave behind that are gone: renamed, removed, or taking no events any more.
//!
//! The cursor of such an output ends at the last event that it could have had (`cursor.ended_seq`), so one that had
//! everything is never among them. What it left holds no pruning: it goes when it is old, as what every output has,
//! and earlier when the file is full. An output that comes back under the id goes on where it was.
//!
//! Asked anew each time: there is less of it every day.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;

use super::aside::KEPT_FOR;
use super::prune::Age;
use super::receipts::{self, Receipt, wall};
use crate::engine::time::{Moment, Wall};
use crate::event::rfc3339;

/// What an output that is gone has not delivered of the events that it could have had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranded {
    /// Its id.
    pub output: Arc<str>,
    /// Events after the last one that it delivered, as far as it was there; 0 once none of them is kept.
    pub events: u64,
    /// Events before that, which it had set aside, or owed to single readers.
    pub put_by: u64,
    /// When the oldest of `events` that is still kept happened.
    pub since: Option<Wall>,
    /// From then on `events` go, the oldest first; earlier when the file is full.
    pub kept_until: Option<Wall>,
    /// A start after that gives up `put_by`, the oldest first.
    pub put_by_until: Option<Wall>,
}

/// How long rows are kept, and by which clock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keep {
    pub(super) age: Age,
    pub(super) span: Duration,
}

impl Keep {
    /// When what is kept for `span` since this time of the journal's own clock may go.
    fn until(self, span: Duration, time_ms: i64, now: Moment) -> Wall {
        now.wall + span.saturating_sub(self.age.since(time_ms, now.mono))
    }
}

impl Stranded {
    /// For the log.
    pub(super) fn tell(&self) {
        let words = |at: Option<Wall>| at.map(rfc3339::format);
        tracing::warn!(
            output = &*self.output,
            events = self.events,
            put_by = self.put_by,
            since = words(self.since),
            kept_until = words(self.kept_until),
            "an output that is not configured any more has not delivered these events, and no other output delivers \
             them in its place; it goes on where it was as soon as there is one of its name again, with what it had \
             put by if that is within 32 h"
        );
    }
}

/// Everything that outputs left which are gone, in the order of their ids.
pub(super) fn read(
    connection: &Connection,
    keep: Keep,
    now: Moment,
) -> Result<Vec<Stranded>, rusqlite::Error> {
    let put_by = receipts::aside(connection)?;
    let mut select = connection.prepare(
        "SELECT output, cursor.seq, max(ended_seq - cursor.seq, 0), time_ms, line FROM cursor \
         LEFT JOIN event ON event.seq = \
         (SELECT min(seq) FROM event WHERE event.seq > cursor.seq AND event.seq <= ended_seq) \
         WHERE ended_seq IS NOT NULL ORDER BY output",
    )?;
    let rows = select.query_map([], |row| {
        let (output, seq, behind): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let oldest: Option<(i64, String)> = row.get::<_, Option<i64>>(3)?.zip(row.get(4)?);
        let mine = put_by
            .iter()
            .filter(|(receipt, _)| *receipt.output == *output);
        let mine = mine.filter(|(receipt, _)| receipt.seq <= seq.unsigned_abs());
        let since = |(time_ms, line): &(i64, String)| {
            rfc3339::of_line(line).unwrap_or_else(|| wall(*time_ms))
        };
        let put_by_until = |(receipt, since): &(Receipt, Option<i64>)| match since {
            Some(since) => keep.until(KEPT_FOR, *since, now),
            None => receipt.at + KEPT_FOR,
        };
        Ok(Stranded {
            // Pruned: nothing can be done for them.
            events: oldest.as_ref().map_or(0, |_| behind.unsigned_abs()),
            put_by: mine.clone().count() as u64,
            since: oldest.as_ref().map(since),
            kept_until: oldest
                .as_ref()
                .map(|(time_ms, _)| keep.until(keep.span, *time_ms, now)),
            put_by_until: mine.map(put_by_until).min(),
            output: output.into(),
        })
    })?;
    let has_left = |stranded: &Stranded| stranded.events + stranded.put_by > 0;
    let all: Vec<Stranded> = rows.collect::<Result<_, _>>()?;
    Ok(all.into_iter().filter(has_left).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::scratch::{Scratch, alter, at, raises};

    #[test]
    fn it_is_said_since_when_and_until_when() {
        let scratch = Scratch::new();
        let (mut store, _) = scratch.open_for(&["behind"]);
        store.commit(&raises(1, 5), at(2000).wall).expect("commits");
        drop(store);
        alter(&scratch.database(), "UPDATE cursor SET seq=2");
        let (_store, restored) = scratch.open_for(&["new"]);
        let [stranded] = &*restored.stranded else {
            panic!("one: {:?}", restored.stranded);
        };
        assert_eq!(stranded.since, Some(at(1003).wall), "the third");
        // By the journal's own clock, which stands at the fifth.
        let day = Duration::from_secs(86_400);
        let until = at(1000).wall + day.saturating_sub(Duration::from_secs(2));
        assert_eq!(stranded.kept_until, Some(until));
        assert_eq!((stranded.put_by, stranded.put_by_until), (0, None));
    }
}
