//! What was set aside when the run before ended: each output takes up its own.
//!
//! ```text
//!  a row that is `aside` ──┬─ of an output that is gone ──────────────▶ lost
//!                          ├─ beyond the cursor ──────────────────────▶ stays: the event comes again by itself
//!                          ├─ older than 32 h, or one of too many ────▶ lost, and its output counts it
//!                          │                (single readers were owed it: accepted, without them)
//!                          └─ else ───────────────────────────────────▶ its output tries it again
//! ```
//!
//! Bound: 4096 rows an output, the newest. A row keeps the time at which its event was set aside, so a restart
//! makes nothing younger.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};

use super::receipts::{self, Fate, Receipt};
use super::store::{millis, signed};
use crate::engine::time::Wall;

/// Rows of an output that are taken up at most.
const MOST: usize = 4096;

/// An output tries no longer.
const KEPT_FOR: Duration = Duration::from_secs(32 * 3600);

/// What an earlier run had set aside for an output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftAside {
    /// To be tried again, oldest first.
    pub receipts: Vec<Receipt>,
    /// So many were given up just now, and nobody has them.
    pub given_up: u64,
    /// So many were given up that single readers were owed; others have them.
    pub missed: u64,
}

/// What each output takes up. `cursors`: of the configured ones. The rest is given up, on disk, too.
pub(super) fn take_up(
    connection: &Connection,
    cursors: &BTreeMap<Arc<str>, u64>,
    now: Wall,
) -> Result<BTreeMap<Arc<str>, LeftAside>, rusqlite::Error> {
    let mut left: BTreeMap<Arc<str>, LeftAside> = BTreeMap::new();
    let mut ended = Vec::new();
    for receipt in receipts::aside(connection)? {
        let Some(cursor) = cursors.get(&receipt.output) else {
            ended.push(given_up(receipt));
            continue;
        };
        let mine = left.entry(Arc::clone(&receipt.output)).or_default();
        let is_old = now.seconds_since(receipt.at) > KEPT_FOR.as_secs_f64();
        if is_old || mine.receipts.len() >= MOST {
            let receipt = given_up(receipt);
            let is_lost = receipt.fate == Fate::Lost;
            mine.given_up += u64::from(is_lost);
            mine.missed += u64::from(!is_lost);
            ended.push(receipt);
        } else if receipt.seq <= *cursor {
            mine.receipts.push(receipt);
        }
    }
    let tx = connection.unchecked_transaction()?;
    for receipt in ended {
        let readers = receipt.audience.as_ref().map(receipts::readers);
        tx.prepare_cached(
            "UPDATE receipt SET fate = ?3, time_ms = ?4, readers = ?5 WHERE seq = ?1 AND output = ?2",
        )?
        .execute(params![
            signed(receipt.seq),
            receipt.output,
            receipt.fate.word(),
            millis(now),
            readers.transpose()?,
        ])?;
    }
    tx.commit()?;
    for mine in left.values_mut() {
        mine.receipts.reverse();
    }
    Ok(left)
}

fn given_up(mut receipt: Receipt) -> Receipt {
    receipt.fate = Fate::Lost;
    if let Some(audience) = &mut receipt.audience {
        audience.give_up();
        receipt.fate = audience.fate();
    }
    receipt
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Moment;
    use crate::journal::scratch::{Scratch, TO_VERSION_5, alter, at, raises};
    use crate::journal::store::Write;
    use crate::journal::{Audience, Pages, Store};

    fn set_aside(seq: u64, output: &str, second: u64) -> Receipt {
        Receipt {
            seq,
            output: output.into(),
            at: at(second).wall,
            fate: Fate::Aside,
            sent: None,
            attempts: Some(3),
            words: Some("no".into()),
            audience: None,
        }
    }

    fn owed(seq: u64, second: u64, reached: bool) -> Receipt {
        let audience = Some(Audience {
            waiting: vec!["li".into()],
            missed: vec!["gone".into()],
            reached,
        });
        Receipt {
            audience,
            ..set_aside(seq, "up", second)
        }
    }

    /// Six events, of which all outputs have five.
    fn written(scratch: &Scratch, receipts: &[Receipt]) {
        let (mut store, _) = scratch.open_for(&["up", "chat", "gone"]);
        store
            .commit(&raises(1, 6), at(1).wall)
            .expect("a sound disk");
        let cursors = ["up", "chat", "gone"].map(|output| (Arc::from(output), 5));
        let write = Write {
            settled: 6,
            cursors: &cursors,
            receipts,
            ..Write::default()
        };
        store.write(&write, at(2).wall).expect("a sound disk");
        store.close();
    }

    fn opened(scratch: &Scratch, now: Moment) -> BTreeMap<Arc<str>, LeftAside> {
        let outputs = ["up", "chat"].map(Arc::from);
        let opened = Store::open(&scratch.settings(), "north", &outputs, now);
        let (store, restored) = opened.expect("the journal opens");
        store.close();
        restored.aside
    }

    fn fates(scratch: &Scratch) -> Vec<(u64, Fate)> {
        let reader = crate::journal::reader::reader(&scratch.database()).expect("it is there");
        let stored = (1..=6).flat_map(|seq| receipts::stored(&reader, seq).expect("readable"));
        stored.map(|receipt| (receipt.seq, receipt.fate)).collect()
    }

    #[test]
    fn each_output_takes_up_what_lies_behind_its_cursor() {
        let scratch = Scratch::new();
        let rows = [
            set_aside(1, "up", 10),
            set_aside(2, "gone", 10),
            set_aside(3, "chat", 11),
            set_aside(4, "up", 12),
            set_aside(6, "up", 13),
        ];
        written(&scratch, &rows);
        // Again and again, as long as it has not arrived.
        for second in [20, 30] {
            let left = opened(&scratch, at(second));
            assert_eq!(left.len(), 2, "{left:?}");
            assert_eq!(left["up"].receipts, [rows[0].clone(), rows[3].clone()]);
            assert_eq!(left["chat"].receipts, [rows[2].clone()]);
            assert!(left.values().all(|left| left.given_up == 0));
        }
        use Fate::{Aside, Lost};
        let expected = [(1, Aside), (2, Lost), (3, Aside), (4, Aside), (6, Aside)];
        assert_eq!(fates(&scratch), expected);
    }

    #[test]
    fn what_is_too_old_is_lost_and_counted_once() {
        let scratch = Scratch::new();
        let limit = KEPT_FOR.as_secs();
        written(
            &scratch,
            &[set_aside(1, "up", 100), set_aside(2, "up", 200)],
        );
        let left = opened(&scratch, at(150 + limit));
        assert_eq!(left["up"].given_up, 1);
        assert_eq!(left["up"].receipts, [set_aside(2, "up", 200)]);
        assert_eq!(fates(&scratch), [(1, Fate::Lost), (2, Fate::Aside)]);
        assert_eq!(opened(&scratch, at(151 + limit))["up"].given_up, 0);
    }

    #[test]
    fn what_readers_were_owed_for_too_long_is_there_if_anybody_has_it() {
        let scratch = Scratch::new();
        let limit = KEPT_FOR.as_secs();
        let young = owed(3, 200, false);
        written(
            &scratch,
            &[owed(1, 100, true), owed(2, 100, false), young.clone()],
        );
        let left = opened(&scratch, at(150 + limit));
        let left = &left["up"];
        assert_eq!((left.given_up, left.missed), (1, 1));
        assert_eq!(left.receipts, [young], "as it was, readers and all");
        use Fate::{Accepted, Aside, Lost};
        assert_eq!(fates(&scratch), [(1, Accepted), (2, Lost), (3, Aside)]);
        let reader = crate::journal::reader::reader(&scratch.database()).expect("it is there");
        let stored = receipts::stored(&reader, 1).expect("readable");
        let audience = stored[0].audience.clone().expect("single readers");
        assert_eq!(audience.missed, ["gone".into(), "li".into()]);
    }

    #[test]
    fn a_journal_of_the_fifth_version_is_read_as_it_is_and_keeps_what_is_aside() {
        let scratch = Scratch::new();
        let before = set_aside(1, "up", 10);
        written(&scratch, std::slice::from_ref(&before));
        alter(&scratch.database(), TO_VERSION_5);
        let pages = Pages::open(&scratch.database()).expect("a journal");
        let account = pages.account(1).expect("readable");
        let mine = account.outputs.iter().find(|it| &*it.output == "up");
        let mine = mine.expect("it has a receipt");
        assert_eq!(mine.reason.as_deref(), Some("no"));
        assert!(mine.owed_to.is_empty());
        drop(pages);
        assert_eq!(opened(&scratch, at(20))["up"].receipts, [before]);
    }
}
