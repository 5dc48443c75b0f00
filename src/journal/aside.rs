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
//! makes nothing younger; where single readers are owed it, the time from which they are (`receipts.rs`).
//!
//! # What is old
//!
//! A board that starts in 1970, or one whose clock stands in 2038 for an hour, must not give up a page; nor may one that
//! starts in 1970 each time make what it has set aside young again. So the age is by the journal's own clock
//! (`prune.rs`), which no wall clock moves: it was written into the row when the event was set aside. Time without a
//! gateway makes nothing older.
//!
//! Of a row from before that clock was written, the younger of two ages counts, once, and is written into it: by the wall
//! clock, since the event was set aside; by the journal's, since it happened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::prune::{Age, whole};
use super::receipts::{self, Fate, Receipt};
use super::store::{millis, signed};
use crate::engine::time::Moment;

/// Rows of an output that are taken up at most.
const MOST: usize = 4096;

/// An output tries no longer.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(32 * 3600);

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
    // One: each is synced, and the gateway watches nothing before the last of them.
    let tx = connection.unchecked_transaction()?;
    let left = sorted(&tx, cursors, clock, now)?;
    tx.commit()?;
    Ok(left)
}

/// The same, within a transaction.
fn sorted(
    connection: &Connection,
    cursors: &BTreeMap<Arc<str>, u64>,
    clock: Age,
    now: Moment,
) -> Result<BTreeMap<Arc<str>, LeftAside>, rusqlite::Error> {
    let mut left: BTreeMap<Arc<str>, LeftAside> = BTreeMap::new();
    let mut ended = Vec::new();
    for (receipt, since) in receipts::aside(connection)? {
        let cursor = cursors.get(&receipt.output);
        if cursor.is_some_and(|cursor| receipt.seq > *cursor) {
            continue;
        }
        let age = match since {
            Some(since) => clock.since(since, now.mono),
            None => first_seen(connection, &receipt, clock, now)?,
        };
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

/// How long ago the event was set aside, at most, of which the row does not tell yet.
fn first_seen(
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
    let by_journal = happened.map_or(Duration::ZERO, |then| clock.since(then, now.mono));
    let by_wall = Duration::try_from_secs_f64(now.wall.seconds_since(receipt.at));
    // Before it was set aside: the clock was put back.
    let age = by_journal.min(by_wall.unwrap_or_default());
    connection
        .prepare_cached("UPDATE receipt SET aside_ms = ?3 WHERE seq = ?1 AND output = ?2")?
        .execute(params![
            signed(receipt.seq),
            receipt.output,
            clock.millis(now.mono).saturating_sub(whole(age)),
        ])?;
    Ok(age)
}

fn write(connection: &Connection, ended: Vec<Receipt>, now: Moment) -> Result<(), rusqlite::Error> {
    for receipt in ended {
        let readers = receipt.audience.as_ref().map(receipts::readers);
        connection.prepare_cached(
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
    Ok(())
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
    use crate::journal::scratch::{Scratch, TO_VERSION_5, alter, at, raises, receipt};
    use crate::journal::store::Write;
    use crate::journal::{Audience, Pages, Restored, Store};

    fn set_aside(seq: u64, output: &str, second: u64) -> Receipt {
        Receipt {
            attempts: Some(3),
            words: Some("no".into()),
            ..receipt(seq, output, Fate::Aside, second)
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

    /// Six events, of which all outputs have five; each receipt at its second by both clocks. Then one event so many
    /// seconds later, if any.
    fn written(scratch: &Scratch, receipts: &[Receipt], later: Option<u64>) {
        let (mut store, _) = scratch.open_for(&["up", "chat", "gone"]);
        store
            .commit(&raises(1, 6), at(1).wall)
            .expect("a sound disk");
        let cursors = ["up", "chat", "gone"].map(|output| (Arc::from(output), 5));
        for receipt in receipts {
            let since = Duration::try_from_secs_f64(receipt.at.seconds_since(at(0).wall));
            let write = Write {
                at: at(1000).after(since.expect("after 1970")).mono,
                settled: 6,
                cursors: &cursors,
                receipts: std::slice::from_ref(receipt),
                ..Write::default()
            };
            store.write(&write, at(2).wall).expect("a sound disk");
        }
        if let Some(later) = later {
            store
                .commit(&raises(later, 1), at(3).wall)
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
        written(&scratch, &rows, Some(LIMIT + 150));
        let first = left(&scratch, at(150));
        assert_eq!((first.given_up, first.events.len()), (1, 1));
        assert_eq!(receipts_of(&first), [rows[1].clone()]);
        let Fate::Aside = fates(&scratch)[2].1 else {
            panic!("beyond the cursor it comes again by itself")
        };
        assert_eq!(left(&scratch, at(151)).given_up, 0);
        assert_eq!(fates(&scratch)[..2], [(1, Fate::Lost), (2, Fate::Aside)]);
    }

    #[test]
    fn no_clock_that_is_wrong_gives_anything_up_or_makes_it_young() {
        const YEARS: u64 = 56 * 365 * 86_400;
        let rows = [set_aside(1, "up", 100), owed(2, 100, true)];
        // The clock stands in 1970, before the rows were written, where they say, or far ahead.
        for wall in [0, 50, 150, YEARS] {
            let scratch = Scratch::new();
            written(&scratch, &rows, Some(700));
            // Each start and each minute makes them older, and nothing makes them young again.
            for minutes in 0..3 {
                let found = left(&scratch, at(wall));
                assert_eq!(receipts_of(&found), rows);
                for put_by in &found.events {
                    assert_eq!(put_by.age.as_secs(), 600 + 60 * minutes, "{wall}");
                }
                lives(&scratch, at(wall), 60);
            }
            lives(&scratch, at(wall), LIMIT - 660);
            let found = left(&scratch, at(wall));
            assert_eq!((found.given_up, found.missed), (1, 1), "{wall}");
        }
    }

    /// A run of so many seconds in which nothing happens; signs of life are all that it writes.
    fn lives(scratch: &Scratch, start: Moment, seconds: u64) {
        let outputs = ["up", "chat"].map(Arc::from);
        let opened = Store::open(&scratch.settings(), "north", &outputs, start);
        let (mut store, _) = opened.expect("the journal opens");
        let write = Write {
            at: start.after(Duration::from_secs(seconds)).mono,
            settled: store.last_seq(),
            ..Write::default()
        };
        store.write(&write, start.wall).expect("a sound disk");
        store.close();
    }

    /// It took a day until it was known that it is for single readers alone.
    #[test]
    fn what_readers_are_owed_is_as_old_as_that_is_known() {
        let scratch = Scratch::new();
        let rows = [
            set_aside(1, "up", 100),
            owed(1, 200, true),
            owed(1, 300, true),
        ];
        written(&scratch, &rows, Some(400));
        let found = left(&scratch, at(400));
        assert_eq!(receipts_of(&found), rows[2..]);
        assert_eq!(found.events[0].age.as_secs(), 200);
    }

    /// A transaction is synced, and there may be thousands of rows.
    #[test]
    fn rows_whose_age_is_not_known_are_written_in_one_transaction() {
        let scratch = Scratch::new();
        let rows = [1, 2, 3].map(|seq| set_aside(seq, "up", 100));
        written(&scratch, &rows, Some(700));
        alter(&scratch.database(), "UPDATE receipt SET aside_ms = NULL");
        let connection = Connection::open(scratch.database()).expect("a database");
        let fails = "CREATE TEMP TRIGGER fails BEFORE UPDATE ON main.receipt WHEN new.seq = 1
            BEGIN SELECT RAISE(ABORT, 'on request of a test'); END";
        connection.execute_batch(fails).expect("a valid statement");
        let cursors = BTreeMap::from([(Arc::from("up"), 5)]);
        let now = at(800);
        let taken = take_up(&connection, &cursors, Age::new(now, Some(0)), now);
        assert!(taken.is_err(), "the oldest is the last: {taken:?}");
        let known = receipts::aside(&connection).expect("readable");
        assert!(known.iter().all(|(_, since)| since.is_none()), "{known:?}");
    }

    /// As nothing else is known of them, the younger of two ages counts; from then on they grow older.
    #[test]
    fn rows_of_the_fifth_version_are_young_once() {
        for (wall, age) in [(50, 0), (160, 60), (100_000, 699)] {
            let scratch = Scratch::new();
            let before = set_aside(1, "up", 100);
            written(&scratch, std::slice::from_ref(&before), Some(700));
            alter(&scratch.database(), TO_VERSION_5);
            let ages = [0, 1].map(|_start| {
                let found = left(&scratch, at(wall));
                lives(&scratch, at(wall), 60);
                found.events[0].age.as_secs()
            });
            assert_eq!(ages, [age, age + 60], "{wall}");
        }
    }

    #[test]
    fn what_an_output_that_is_gone_had_set_aside_is_told_and_waits_for_it() {
        let scratch = Scratch::new();
        let rows = [set_aside(1, "gone", 100), set_aside(2, "gone", 200)];
        written(&scratch, &rows, Some(LIMIT + 50));
        alter(&scratch.database(), "UPDATE cursor SET seq = 7");
        let restored = opened(&scratch, at(150));
        let [stranded] = &*restored.stranded else {
            panic!("one: {:?}", restored.stranded);
        };
        assert_eq!((stranded.events, stranded.put_by), (0, 2));
        assert_eq!(stranded.put_by_until, Some(at(200).wall));
        assert!(restored.aside.is_empty(), "nobody asks for it");
        let (store, restored) = scratch.open_for(&["gone"]);
        store.close();
        assert_eq!(receipts_of(&restored.aside["gone"]), rows);
        lives(&scratch, at(150), 100);
        let told = opened(&scratch, at(150)).stranded;
        assert_eq!(told[0].put_by, 1, "what is too old is given up");
        assert_eq!(fates(&scratch), [(1, Fate::Lost), (2, Fate::Aside)]);
    }

    #[test]
    fn what_readers_were_owed_for_too_long_is_there_if_anybody_has_it() {
        let scratch = Scratch::new();
        let young = owed(3, 200, false);
        let rows = [owed(1, 100, true), owed(2, 100, false), young.clone()];
        written(&scratch, &rows, Some(LIMIT + 150));
        let left = left(&scratch, at(150));
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
