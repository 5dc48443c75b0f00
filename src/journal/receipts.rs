//! Which output's far end accepted which event, and when: the ledger that proves a delivery.
//!
//! The cursor of an output says that it is through with everything up to a number; it may have passed events over
//! that are not for it. A receipt says of one event that the far end has it. Receipts are stored with the next
//! group, with events that are on disk only, as a number may be given again when its event is lost. The first
//! one counts: what is sent twice was accepted before.
//!
//! | bound | when full |
//! |---|---|
//! | 4096 receipts that wait for the disk | the oldest is forgotten: it proves a delivery and causes none |
//! | on disk: a row for each event and output | pruned with the events |

use std::collections::VecDeque;
use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};

use super::store::{millis, signed};
use crate::engine::time::Wall;

/// Receipts that wait for the disk at most.
const WAITING: usize = 4096;

/// The far end of an output accepted an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The event's number.
    pub seq: u64,
    /// The output's id.
    pub output: Arc<str>,
    /// When.
    pub at: Wall,
}

/// Receipts that are not on disk, in order of their arrival.
#[derive(Debug, Default)]
pub(super) struct Receipts(VecDeque<Receipt>);

impl Receipts {
    pub(super) fn add(&mut self, receipt: Receipt) {
        self.0.push_back(receipt);
        self.bound();
    }

    fn bound(&mut self) {
        while self.0.len() > WAITING {
            self.0.pop_front();
        }
    }

    /// Is there one of an event up to `seq`?
    pub(super) fn any_upto(&self, seq: u64) -> bool {
        self.0.iter().any(|receipt| receipt.seq <= seq)
    }

    /// Takes those of events up to `seq`.
    pub(super) fn take_upto(&mut self, seq: u64) -> Vec<Receipt> {
        let all = std::mem::take(&mut self.0).into_iter();
        let (ready, rest): (Vec<_>, Vec<_>) = all.partition(|receipt| receipt.seq <= seq);
        self.0 = rest.into();
        ready
    }

    /// They did not reach the disk.
    pub(super) fn give_back(&mut self, receipts: Vec<Receipt>) {
        for receipt in receipts.into_iter().rev() {
            self.0.push_front(receipt);
        }
        self.bound();
    }

    /// Those of one event.
    pub(super) fn of(&self, seq: u64) -> impl Iterator<Item = &Receipt> {
        self.0.iter().filter(move |receipt| receipt.seq == seq)
    }
}

/// Writes receipts beside those that are there.
pub(super) fn put(tx: &Transaction<'_>, receipts: &[Receipt]) -> Result<(), rusqlite::Error> {
    let mut insert = tx.prepare_cached("INSERT OR IGNORE INTO receipt VALUES (?1, ?2, ?3)")?;
    for receipt in receipts {
        insert.execute(params![
            signed(receipt.seq),
            receipt.output,
            millis(receipt.at)
        ])?;
    }
    Ok(())
}

/// Those of one event that are on disk, in the order of time.
pub(super) fn stored(connection: &Connection, seq: u64) -> Result<Vec<Receipt>, rusqlite::Error> {
    let mut select = connection.prepare_cached(
        "SELECT output, time_ms FROM receipt WHERE seq = ?1 ORDER BY time_ms, output",
    )?;
    let rows = select.query_map([signed(seq)], |row| {
        let time_ms: i64 = row.get(1)?;
        Ok(Receipt {
            seq,
            output: row.get::<_, String>(0)?.into(),
            at: Wall::from_unix_nanos(time_ms.saturating_mul(1_000_000)),
        })
    })?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::effect::EventKind;
    use crate::journal::scratch::{Scratch, at, event};
    use crate::journal::store::Write;
    use crate::journal::{Entry, reader};

    fn receipt(seq: u64, output: &str, second: u64) -> Receipt {
        Receipt {
            seq,
            output: output.into(),
            at: at(second).wall,
        }
    }

    #[test]
    fn what_is_not_on_disk_waits_and_the_oldest_is_forgotten() {
        let mut receipts = Receipts::default();
        for seq in [5, 3, 9] {
            receipts.add(receipt(seq, "up", 1));
        }
        assert!(!receipts.any_upto(2) && receipts.any_upto(3));
        let taken = receipts.take_upto(5);
        assert_eq!(taken.iter().map(|it| it.seq).collect::<Vec<_>>(), [5, 3]);
        receipts.give_back(taken);
        assert_eq!(receipts.of(3).count(), 1);
        for seq in 10..10 + WAITING as u64 {
            receipts.add(receipt(seq, "up", 1));
        }
        assert_eq!(receipts.0.len(), WAITING);
        assert_eq!(receipts.of(9).count(), 0);
    }

    #[test]
    fn the_first_receipt_of_an_output_stays_and_goes_with_its_event() {
        let scratch = Scratch::new();
        let (mut store, _) = scratch.open();
        let entry = |occurrence| Entry {
            event: Arc::new(event(EventKind::Raised, "P/high", occurrence)),
            t: None,
        };
        store
            .commit(&[entry(1), entry(2)], at(1).wall)
            .expect("a sound disk");
        for (seq, output, second) in [(1, "up", 10), (1, "chat", 12), (1, "up", 20), (2, "up", 11)]
        {
            let write = Write {
                settled: 2,
                receipts: &[receipt(seq, output, second)],
                ..Write::default()
            };
            store.write(&write, at(second).wall).expect("a sound disk");
        }
        let reader = reader::reader(&scratch.database()).expect("it is there");
        let found = stored(&reader, 1).expect("readable");
        assert_eq!(found, [receipt(1, "up", 10), receipt(1, "chat", 12)]);
        assert_eq!(stored(&reader, 3).expect("readable"), []);
    }
}
