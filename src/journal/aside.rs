//! What was set aside when the run before ended: each output takes up its own.
//!
//! ```text
//!  a row that is `aside` ──┬─ beyond the cursor ──────────────────────▶ stays: the event comes again by itself
//!                          ├─ older than 32 h, or one of too many ────▶ lost, and its output counts it
//!                          │                (single readers were owed it: accepted, without them)
//!                          ├─ of an output that is gone ──────────────▶ stays, should it return; told at each start
//!                          └─ else ───────────────────────────────────▶ its output tries it again
//! ```
//!
//! Bound: 4096 rows an output, the newest. A row keeps the time at which its event was set aside, so a restart
//! makes nothing younger.
//!
//! # What is old
//!
//! A board that starts in 1970, or one whose clock stands in 2038 for an hour, must not give up a page. So the younger
//! of two ages counts: by the wall clock, since the event was set aside; by the journal's own clock (`prune.rs`), since
//! it happened. The first may be far too high, the second never is but for an event that had waited long when it was set
//! aside. Where both lie below the truth the event is tried a little longer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::prune::Age;
use super::receipts::{self, Fate, Receipt};
use super::store::{millis, signed};
use crate::engine::time::Moment;

/// Rows of an output that are taken up at most.
const MOST: usize = 4096;

/// An output tries no longer.
const KEPT_FOR: Duration = Duration::from_secs(32 * 3600);

/// What an earlier run had set aside for an output.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftAside {
    /// To be tried again, oldest first.
    pub events: Vec<PutBy>,
    /// So many were given up just now, and nobody has them.
    pub given_up: u64,
    /// So many were given up that single readers were owed; others have them.
    pub missed: u64,
}

/// An event that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutBy {
    /// Its row.
    pub receipt: Receipt,
    /// How long ago; no clock that is wrong makes it more (module docs).
    pub age: Duration,
}

/// What is left for each output, those that are gone among them: `cursors` are of the configured ones. What is too old is
/// given up, on disk, too. `clock`: the journal's own.
pub(super) fn take_up(
    connection: &Connection,
    cursors: &BTreeMap<Arc<str>, u64>,
    clock: Age,
    now: Moment,
) -> Result<BTreeMap<Arc<str>, LeftAside>, rusqlite::Error> {
    let mut left: BTreeMap<Arc<str>, LeftAside> = BTreeMap::new();
    let mut ended = Vec::new();
    for receipt in receipts::aside(connection)? {
        let cursor = cursors.get(&receipt.output);
        if cursor.is_some_and(|cursor| receipt.seq > *cursor) {
            continue;
        }
        let age = age(connection, &receipt, clock, now)?;
        let mine = left.entry(Arc::clone(&receipt.output)).or_default();
        if age > KEPT_FOR || mine.events.len() >= MOST {
            let receipt = given_up(receipt);
            let is_lost = receipt.fate == Fate::Lost;
            mine.given_up += u64::from(is_lost);
            mine.missed += u64::from(!is_lost);
            ended.push(receipt);
        } else {
            mine.events.push(PutBy { receipt, age });
        }
    }
    write(connection, ended, now)?;
    for mine in left.values_mut() {
        mine.events.reverse();
    }
    Ok(left)
}

/// How long ago the event was set aside, at most.
fn age(
    connection: &Connection,
    receipt: &Receipt,
    clock: Age,
    now: Moment,
) -> Result<Duration, rusqlite::Error> {
    let happened: Option<i64> = connection
        .prepare_cached("SELECT time_ms FROM event WHERE seq = ?1")?
        .query_row([signed(receipt.seq)], |row| row.get(0))
        .optional()?;
    // Of one that is gone nothing is known; its output will find that it is.
    let since = happened.map_or(0, |then| clock.millis(now.mono).saturating_sub(then));
    let by_journal = Duration::from_millis(u64::try_from(since).unwrap_or(0));
    let by_wall = Duration::try_from_secs_f64(now.wall.seconds_since(receipt.at));
    // Before it was set aside: the clock was put back.
    Ok(by_journal.min(by_wall.unwrap_or_default()))
}

fn write(connection: &Connection, ended: Vec<Receipt>, now: Moment) -> Result<(), rusqlite::Error> {
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
            millis(now.wall),
            readers.transpose()?,
        ])?;
    }
    tx.commit()
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
    use crate::journal::{Audience, Pages, Restored, Store};

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

    /// Six events, of which all outputs have five; then one so many seconds later, if any.
    fn written(scratch: &Scratch, receipts: &[Receipt], later: Option<u64>) {
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
        if let Some(later) = later {
            store
                .commit(&raises(6 + later, 1), at(3).wall)
                .expect("a sound disk");
        }
        store.close();
    }

    fn opened(scratch: &Scratch, now: Moment) -> Restored {
        let outputs = ["up", "chat"].map(Arc::from);
        let opened = Store::open(&scratch.settings(), "north", &outputs, now);
        let (store, restored) = opened.expect("the journal opens");
        store.close();
        restored
    }

    fn left(scratch: &Scratch, now: Moment) -> LeftAside {
        let mut left = opened(scratch, now).aside;
        left.remove("up").unwrap_or_default()
    }

    fn receipts_of(left: &LeftAside) -> Vec<Receipt> {
        left.events.iter().map(|it| it.receipt.clone()).collect()
    }

    fn fates(scratch: &Scratch) -> Vec<(u64, Fate)> {
        let reader = crate::journal::reader::reader(&scratch.database()).expect("it is there");
        let stored = (1..=6).flat_map(|seq| receipts::stored(&reader, seq).expect("readable"));
        stored.map(|receipt| (receipt.seq, receipt.fate)).collect()
    }

    const LIMIT: u64 = KEPT_FOR.as_secs();

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
        written(&scratch, &rows, None);
        // Again and again, as long as it has not arrived.
        for second in [20, 30] {
            let left = opened(&scratch, at(second)).aside;
            assert_eq!(left.len(), 2, "{left:?}");
            assert_eq!(receipts_of(&left["up"]), [rows[0].clone(), rows[3].clone()]);
            assert_eq!(receipts_of(&left["chat"]), [rows[2].clone()]);
            assert!(left.values().all(|left| left.given_up == 0));
        }
        use Fate::Aside;
        let expected = [1, 2, 3, 4, 6].map(|seq| (seq, Aside));
        assert_eq!(fates(&scratch), expected);
    }

    #[test]
    fn what_is_too_old_is_lost_and_counted_once() {
        let scratch = Scratch::new();
        let rows = [
            set_aside(1, "up", 100),
            set_aside(2, "up", 200),
            set_aside(6, "up", 100),
        ];
        written(&scratch, &rows, Some(LIMIT + 10));
        let first = left(&scratch, at(150 + LIMIT));
        assert_eq!((first.given_up, first.events.len()), (1, 1));
        assert_eq!(receipts_of(&first), [rows[1].clone()]);
        let Fate::Aside = fates(&scratch)[2].1 else {
            panic!("beyond the cursor it comes again by itself")
        };
        assert_eq!(left(&scratch, at(151 + LIMIT)).given_up, 0);
        assert_eq!(fates(&scratch)[..2], [(1, Fate::Lost), (2, Fate::Aside)]);
    }

    #[test]
    fn no_clock_that_is_wrong_gives_anything_up() {
        const YEARS: u64 = 56 * 365 * 86_400;
        // Set aside in 1970, or before the clock stands far ahead for one boot: minutes ago, by the journal's own clock.
        let scratch = Scratch::new();
        let rows = [set_aside(1, "up", 100), owed(2, 100, true)];
        written(&scratch, &rows, Some(600));
        let found = left(&scratch, at(YEARS));
        assert_eq!((found.given_up, found.missed), (0, 0));
        assert_eq!(receipts_of(&found), rows);
        for put_by in &found.events {
            assert!((600..610).contains(&put_by.age.as_secs()), "{put_by:?}");
        }
        // What waited for days in a backlog was set aside just now.
        let scratch = Scratch::new();
        written(&scratch, &[set_aside(1, "up", 100)], Some(3 * LIMIT));
        let found = left(&scratch, at(160));
        assert_eq!(found.events[0].age.as_secs(), 60);
        // A clock that was put back.
        assert_eq!(left(&scratch, at(50)).events[0].age, Duration::ZERO);
        assert_eq!(fates(&scratch), [(1, Fate::Aside)]);
    }

    #[test]
    fn what_an_output_that_is_gone_had_set_aside_is_told_and_waits_for_it() {
        let scratch = Scratch::new();
        let rows = [set_aside(1, "gone", 100), set_aside(2, "gone", 200)];
        written(&scratch, &rows, Some(LIMIT + 10));
        alter(&scratch.database(), "UPDATE cursor SET seq = 7");
        let restored = opened(&scratch, at(150));
        let [stranded] = &*restored.stranded else {
            panic!("one: {:?}", restored.stranded);
        };
        assert_eq!((stranded.events, stranded.put_by), (0, 2));
        assert!(restored.aside.is_empty(), "nobody asks for it");
        let (store, restored) = scratch.open_for(&["gone"]);
        store.close();
        assert_eq!(receipts_of(&restored.aside["gone"]), rows);
        let told = opened(&scratch, at(150 + LIMIT)).stranded;
        assert_eq!(told[0].put_by, 1, "what is too old is given up");
        assert_eq!(fates(&scratch), [(1, Fate::Lost), (2, Fate::Aside)]);
    }

    #[test]
    fn what_readers_were_owed_for_too_long_is_there_if_anybody_has_it() {
        let scratch = Scratch::new();
        let young = owed(3, 200, false);
        let rows = [owed(1, 100, true), owed(2, 100, false), young.clone()];
        written(&scratch, &rows, Some(LIMIT + 10));
        let left = left(&scratch, at(150 + LIMIT));
        assert_eq!((left.given_up, left.missed), (1, 1));
        assert_eq!(receipts_of(&left), [young], "as it was, readers and all");
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
        written(&scratch, std::slice::from_ref(&before), None);
        alter(&scratch.database(), TO_VERSION_5);
        let pages = Pages::open(&scratch.database()).expect("a journal");
        let account = pages.account(1).expect("readable");
        let mine = account.outputs.iter().find(|it| &*it.output == "up");
        let mine = mine.expect("it has a receipt");
        assert_eq!(mine.reason.as_deref(), Some("no"));
        assert!(mine.owed_to.is_empty());
        drop(pages);
        assert_eq!(receipts_of(&left(&scratch, at(20))), [before]);
    }
}
