use std::fs;
use std::io::{Read, Seek, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;

use super::super::chain::{Damage, verify};
use super::super::scratch::{Scratch, at, event, raises};
use super::super::sidecar::beside;
use super::super::{Entry, OpenError, Restored, Store};
use super::{CommitError, Write, events_after, reader};
use crate::engine::effect::EventKind;
use crate::engine::time::Wall;

fn alter(path: &Path, sql: &str) {
    let connection = Connection::open(path).expect("the file is a database");
    connection
        .execute_batch(sql)
        .expect("the statement is valid");
}

fn seqs(store: &Store) -> Vec<u64> {
    let connection = reader(&store.path).expect("the file is a database");
    let rows = events_after(&connection, (0, u64::MAX), usize::MAX, usize::MAX);
    rows.expect("rows are readable")
        .iter()
        .map(|row| row.seq)
        .collect()
}

#[test]
fn a_fresh_journal_is_empty_and_says_so() {
    let scratch = Scratch::new();
    let (store, restored) = scratch.open();
    assert_eq!(
        restored,
        Restored {
            epoch: 1,
            cursors: [(Arc::from("up"), 0)].into(),
            ..Restored::default()
        }
    );
    assert_eq!(store.last_seq(), 0);
}

#[test]
fn a_restart_brings_everything_back_whether_closed_or_killed() {
    for close in [true, false] {
        let scratch = Scratch::new();
        let (mut store, _) = scratch.open();
        let shown = store.commit(&raises(1, 3), at(2000).wall).expect("commits");
        assert_eq!(shown[2].seq, 3);
        assert!(shown[2].line.starts_with(r#"{"id":"north:1:3","seq":3,"#));
        let stop = Entry {
            event: Arc::new(event(EventKind::Stopped, "TT-1/low", 1)),
            t: None,
        };
        let write = Write {
            cursors: &[("up".into(), 2)],
            epoch: 1,
            ..Write::default()
        };
        store.write(&write, at(2001).wall).expect("commits");
        store.commit(&[stop], at(2002).wall).expect("commits");
        if close {
            store.close();
        } else {
            drop(store);
        }
        let (mut store, restored) = scratch.open();
        let alarms: Vec<_> = restored.records.iter().map(|r| &*r.alarm).collect();
        assert_eq!(alarms, ["PT-330/high", "TT-1/low"]);
        assert_eq!(restored.records[0].occurrence, 3);
        assert_eq!(restored.cursors["up"], 2);
        assert_eq!(restored.last_seq, 4);
        assert_eq!(restored.epoch, 1);
        assert_eq!(restored.last_alive, Some(at(2002).wall));
        assert!(restored.clean_stop);
        assert_eq!(restored.quarantined, None);
        assert_eq!((restored.missing, restored.lost_tail), (false, 0));
        store.commit(&raises(4, 1), at(2003).wall).expect("commits");
        assert_eq!(seqs(&store), [1, 2, 3, 4, 5]);
        let verified = verify(&scratch.database()).expect("nothing was altered");
        assert_eq!((verified.rows, verified.last, verified.dropped), (5, 5, 0));
    }
}

#[test]
fn a_second_gateway_is_refused_and_told_who_is_first() {
    let scratch = Scratch::new();
    let (_store, _) = scratch.open();
    let refused = Store::open(&scratch.settings(), "north", &[], at(1)).expect_err("in use");
    let pid = std::process::id().to_string();
    assert!(matches!(&refused, OpenError::Running { holder, .. } if *holder == pid));
}

#[test]
fn an_output_that_is_new_begins_at_the_newest_event_and_one_that_returns_where_it_was() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open_for(&["a"]);
    store.commit(&raises(1, 5), at(2000).wall).expect("commits");
    drop(store);
    let (mut store, restored) = scratch.open_for(&["b"]);
    assert_eq!(restored.cursors["b"], 5);
    store.commit(&raises(6, 1), at(2000).wall).expect("commits");
    drop(store);
    let (_store, restored) = scratch.open_for(&["a", "b"]);
    assert_eq!((restored.cursors["a"], restored.cursors["b"]), (0, 5));
}

#[test]
fn a_failed_commit_may_be_repeated_whatever_became_of_it() {
    for reached_disk in [false, true] {
        let scratch = Scratch::new();
        let (mut store, _) = scratch.open();
        store.commit(&raises(1, 1), at(2000).wall).expect("commits");
        let rows: Vec<_> = raises(2, 2)
            .iter()
            .zip(2..)
            .map(|(entry, seq)| super::Row::stamp(entry, store.identity(), seq, true))
            .collect();
        let write = Write {
            rows: &rows,
            epoch: 1,
            ..Write::default()
        };
        if reached_disk {
            store.faults.fail_after(1);
        } else {
            store.faults.fail(1);
        }
        let error = store.write(&write, at(2001).wall).expect_err("on request");
        assert!(matches!(error, CommitError::Commit { .. }));
        assert_eq!(error.reason(), "io");
        store.write(&write, at(2001).wall).expect("commits now");
        assert_eq!(seqs(&store), [1, 2, 3]);
        assert_eq!(verify(&scratch.database()).expect("sound").rows, 3);
    }
}

#[test]
fn a_cursor_never_points_beyond_what_is_on_disk() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    store.commit(&raises(1, 2), at(2000).wall).expect("commits");
    let write = Write {
        cursors: &[("up".into(), 9)],
        epoch: 1,
        ..Write::default()
    };
    store.write(&write, at(2001).wall).expect("commits");
    drop(store);
    assert_eq!(scratch.open().1.cursors["up"], 2);
}

#[test]
fn the_chain_names_the_first_row_that_is_not_as_written() {
    let whole = |sql: &str| {
        let scratch = Scratch::new();
        let (mut store, _) = scratch.open();
        store.commit(&raises(1, 9), at(2000).wall).expect("commits");
        store.close();
        alter(&scratch.database(), sql);
        verify(&scratch.database())
    };
    assert!(whole("").is_ok());
    for (sql, at) in [
        (
            "UPDATE event SET line = replace(line, '8.5', '7.5') WHERE seq = 4",
            4,
        ),
        ("UPDATE event SET hash = zeroblob(32) WHERE seq = 6", 6),
        ("UPDATE event SET hash = x'00' WHERE seq = 6", 6),
        ("UPDATE event SET seq = seq + 100 WHERE seq >= 5", 105),
        (
            "UPDATE event SET seq = -3 WHERE seq = 3; UPDATE event SET seq = 3 WHERE seq = 4;
             UPDATE event SET seq = 4 WHERE seq = -3",
            3,
        ),
    ] {
        let damage = whole(sql).expect_err(sql);
        assert!(
            matches!(damage, Damage::Altered { seq } if seq == at),
            "{sql}: {damage}"
        );
    }
    for (sql, at) in [
        ("DELETE FROM event WHERE seq = 5", 5),
        ("DELETE FROM event WHERE seq IN (2, 3)", 2),
        ("DELETE FROM event WHERE seq = 1", 1),
        ("DELETE FROM event WHERE seq > 7", 8),
        ("DELETE FROM event", 1),
    ] {
        let damage = whole(sql).expect_err(sql);
        assert!(
            matches!(damage, Damage::Missing { seq } if seq == at),
            "{sql}: {damage}"
        );
    }
}

/// Does `harm` to a journal with 60 events, closed or killed, and opens it again.
fn harmed(close: bool, harm: impl Fn(&Path)) -> Result<(Restored, Vec<u64>), OpenError> {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    for number in 1..=60 {
        store
            .commit(&raises(number, 1), at(2000).wall)
            .expect("commits");
    }
    if close {
        store.close();
    } else {
        // As after `kill -9`: the files as they are now, nothing tidied up behind them.
        let copies = ["", "-wal"].map(|suffix| {
            let path = beside(&scratch.database(), suffix);
            (fs::read(&path).expect("it is there"), path)
        });
        drop(store);
        for (bytes, path) in copies {
            fs::write(path, bytes).expect("the folder is ours");
        }
    }
    harm(&scratch.database());
    let settings = scratch.settings();
    let (mut store, restored) = Store::open(&settings, "north", &["up".into()], at(3000))?;
    let shown = store
        .commit(&raises(61, 1), at(3000).wall)
        .expect("goes on");
    let id = format!("north:{}:{}", restored.epoch, restored.last_seq + 1);
    assert!(shown[0].line.contains(&id));
    let now = seqs(&store);
    if let Some(aside) = &restored.quarantined {
        assert!(aside.exists(), "the damaged file is kept");
    }
    Ok((restored, now))
}

fn overwrite(path: &Path, from: u64, bytes: &[u8]) {
    let mut file = fs::File::options().write(true).open(path).expect("there");
    file.seek(SeekFrom::Start(from)).expect("seekable");
    file.write_all(bytes).expect("writable");
}

#[test]
fn a_damaged_file_is_kept_aside_and_a_fresh_one_begun_under_a_new_epoch() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 9] = [
        ("emptied", |path| fs::write(path, "").expect("writable")),
        ("garbage", |path| {
            fs::write(path, vec![b'x'; 5000]).expect("writable")
        }),
        ("cut to half a page", |path| {
            let file = fs::File::options().write(true).open(path).expect("there");
            file.set_len(512).expect("writable");
        }),
        ("cut to half", |path| {
            let file = fs::File::options().write(true).open(path).expect("there");
            let size = file.metadata().expect("there").len();
            file.set_len(size / 2).expect("writable");
        }),
        ("first page zeroed", |path| overwrite(path, 0, &[0; 1024])),
        ("pages zeroed", |path| overwrite(path, 1024, &[0; 8 * 1024])),
        ("impossible version", |path| overwrite(path, 60, &[0xff; 4])),
        ("schema gone", |path| alter(path, "DROP TABLE meta")),
        ("an alarm state altered", |path| {
            alter(
                path,
                "UPDATE alarm SET record = replace(record, '8.5', '0.5')",
            );
        }),
    ];
    for (what, harm) in harms {
        let (restored, now) = harmed(true, harm).expect(what);
        assert!(restored.quarantined.is_some(), "{what}");
        assert!(restored.records.is_empty(), "{what}");
        assert!(restored.epoch > 1, "{what}: ids would be given twice");
        assert_eq!(now, [1], "{what}");
    }
}

#[test]
fn flipped_bits_never_panic_and_never_pass_silently_for_alarm_states() {
    for offset in (0..24 * 1024).step_by(509) {
        let harm = move |path: &Path| {
            let mut byte = [0];
            let mut file = fs::File::open(path).expect("there");
            file.seek(SeekFrom::Start(offset)).expect("seekable");
            file.read_exact(&mut byte).expect("inside the file");
            overwrite(path, offset, &[byte[0] ^ 0x10]);
        };
        // A flip in the version or in free space may be refused or mean nothing.
        let Ok((restored, _)) = harmed(true, harm) else {
            continue;
        };
        if restored.quarantined.is_none() {
            assert_eq!(restored.records[0].occurrence, 60, "offset {offset}");
        }
    }
}

#[test]
fn a_file_that_is_gone_is_noticed() {
    let (restored, now) =
        harmed(true, |path| fs::remove_file(path).expect("there")).expect("opens");
    assert!(restored.missing && restored.quarantined.is_none());
    assert!(restored.epoch > 1);
    assert_eq!(now, [1]);
}

#[test]
fn a_lost_tail_is_noticed_and_its_ids_are_not_given_again() {
    let remove = |path: &Path| fs::remove_file(beside(path, "-wal")).expect("there");
    let tear = |path: &Path| overwrite(&beside(path, "-wal"), 5000, &[0; 2000]);
    for harm in [&remove as &dyn Fn(&Path), &tear] {
        let (restored, now) = harmed(false, harm).expect("opens");
        assert!(restored.lost_tail > 0);
        assert_eq!(restored.last_seq + restored.lost_tail, 60);
        assert!(restored.epoch > 1);
        assert_eq!(now, (1..=restored.last_seq + 1).collect::<Vec<_>>());
    }
    let (restored, _) = harmed(false, |_path| {}).expect("opens");
    assert_eq!((restored.lost_tail, restored.epoch), (0, 1));
}

#[test]
fn a_newer_version_and_another_programs_database_are_refused_untouched() {
    let scratch = Scratch::new();
    scratch.open().0.close();
    alter(&scratch.database(), "PRAGMA user_version=2");
    let before = fs::read(scratch.database()).expect("there");
    let refused = Store::open(&scratch.settings(), "north", &[], at(1)).expect_err("newer");
    assert!(matches!(refused, OpenError::Newer { found: 2, .. }));
    assert_eq!(fs::read(scratch.database()).expect("there"), before);

    let scratch = Scratch::new();
    alter(&scratch.database(), "CREATE TABLE theirs (x)");
    let before = fs::read(scratch.database()).expect("there");
    let refused = Store::open(&scratch.settings(), "north", &[], at(1)).expect_err("foreign");
    assert!(matches!(refused, OpenError::Foreign { .. }));
    assert_eq!(fs::read(scratch.database()).expect("there"), before);
}

#[test]
fn at_its_cap_the_file_gives_up_delivered_rows_first() {
    let scratch = Scratch::new();
    let mut settings = scratch.settings();
    settings.max_size = 512 << 10;
    let outputs = ["up".into()];
    let (mut store, _) = Store::open(&settings, "north", &outputs, at(1)).expect("opens");
    let mut put = |first: u64, delivered: u64| {
        store
            .commit(&raises(first, 50), at(2000).wall)
            .expect("goes on");
        let write = Write {
            cursors: &[("up".into(), delivered)],
            epoch: 1,
            ..Write::default()
        };
        store.write(&write, at(2000).wall).expect("goes on");
        (store.take_losses().undelivered, seqs(&store), store.size())
    };
    // Everything is delivered: nothing is lost.
    for round in 0..60 {
        let (lost, ..) = put(1 + round * 50, (round + 1) * 50);
        assert_eq!(lost, 0);
    }
    // The output has stopped: its rows stay until nothing else is left.
    let (mut lost, mut oldest) = (0, 0);
    for round in 60..120 {
        let (now, rows, size) = put(1 + round * 50, 3000);
        lost += now;
        oldest = rows[0];
        assert!(lost == 0 || oldest > 3001);
        assert!(size < (512 << 10) + (1 << 20), "{size}");
    }
    assert_eq!(oldest, 3001 + lost);
    assert!(lost > 0);
    let verified = verify(&scratch.database()).expect("pruning leaves the chain whole");
    assert_eq!((verified.first, verified.last), (Some(oldest), 6000));
}

#[test]
fn age_prunes_only_what_is_delivered() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    // Occurrence n happens at second 1000 + n.
    store
        .commit(&raises(1, 5000), at(7000).wall)
        .expect("commits");
    let keep = std::time::Duration::from_secs(1000);
    let now: Wall = at(5001).wall;
    assert!(
        !store.prune(keep, now).expect("works"),
        "nothing is delivered"
    );
    let write = Write {
        cursors: &[("up".into(), 2500)],
        epoch: 1,
        ..Write::default()
    };
    store.write(&write, now).expect("commits");
    while store.prune(keep, now).expect("works") {}
    assert_eq!(seqs(&store)[0], 2501, "not delivered yet");
    let write = Write {
        cursors: &[("up".into(), 5000)],
        epoch: 1,
        ..Write::default()
    };
    store.write(&write, now).expect("commits");
    while store.prune(keep, now).expect("works") {}
    assert_eq!(seqs(&store)[0], 3001, "not old enough yet");
    assert_eq!(store.take_losses().undelivered, 0);
    drop(store);
    let (_store, restored) = scratch.open();
    assert_eq!((restored.last_seq, restored.records.len()), (5000, 1));
    assert!(verify(&scratch.database()).is_ok());
}
