//! Transactions, numbers and bounds on a real file system.

use std::sync::Arc;
use std::time::Duration;

use super::super::chain::{Damage, verify};
use super::super::scratch::{Scratch, alter, at, event, raises, receipt, seqs};
use super::super::{Entry, Fate, Receipt, Store};
use super::{CommitError, Write};
use crate::engine::effect::{Event, EventKind};
use crate::engine::time::{Moment, Mono};

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
fn an_event_brings_the_states_of_all_alarms_that_it_settles() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    store.commit(&raises(1, 1), at(2000).wall).expect("commits");
    let mut summary = event(EventKind::Notified, "TT-1/low", 1);
    summary.others = [raises(2, 1), raises(3, 1)]
        .into_iter()
        .flat_map(|raise| raise[0].event.record.clone())
        .collect();
    let summary = Entry {
        event: Arc::new(summary),
        t: None,
    };
    store.commit(&[summary], at(2001).wall).expect("commits");
    drop(store);
    let (_, restored) = scratch.open();
    let states = restored.records.iter();
    let states: Vec<_> = states.map(|r| (&*r.alarm, r.occurrence)).collect();
    assert_eq!(states, [("PT-330/high", 3), ("TT-1/low", 1)]);
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
            settled: 1,
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
fn the_same_batch_may_be_given_again_and_again() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    store.faults.fail_after(3);
    for _ in 0..3 {
        store
            .commit(&raises(1, 2), at(2000).wall)
            .expect_err("on request");
    }
    let shown = store.commit(&raises(1, 2), at(2000).wall).expect("commits");
    assert_eq!(shown[0].seq, 1);
    assert_eq!(seqs(&store), [1, 2]);
    assert_eq!(verify(&scratch.database()).expect("sound").rows, 2);
}

#[test]
fn a_cursor_never_points_beyond_what_is_on_disk() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    store.commit(&raises(1, 2), at(2000).wall).expect("commits");
    let write = Write {
        cursors: &[("up".into(), 9)],
        ..Write::default()
    };
    store.write(&write, at(2001).wall).expect("commits");
    drop(store);
    // Numbers that are given now were never delivered.
    let (mut store, restored) = scratch.open();
    assert_eq!(restored.cursors["up"], 2);
    store.commit(&raises(3, 4), at(2002).wall).expect("commits");
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

fn put_by(seq: u64, output: &str, fate: Fate) -> Receipt {
    receipt(seq, output, fate, 2000)
}

fn noted(store: &mut Store, receipts: &[Receipt]) {
    let write = Write {
        settled: store.last_seq(),
        cursors: &[("up".into(), store.last_seq())],
        receipts,
        ..Write::default()
    };
    store.write(&write, at(2000).wall).expect("goes on");
}

#[test]
fn what_is_put_by_is_not_old() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    let keep = Duration::from_secs(1000);
    store
        .commit(&raises(1, 3000), at(7000).wall)
        .expect("commits");
    let (mine, gone) = (
        put_by(501, "up", Fate::Aside),
        put_by(7, "gone", Fate::Aside),
    );
    noted(&mut store, &[mine, gone]);
    let now = at(5001).mono;
    while store.prune(keep, now).expect("works") {}
    assert_eq!(
        seqs(&store)[0],
        501,
        "for an output that is gone nothing waits"
    );
    noted(&mut store, &[put_by(501, "up", Fate::Accepted)]);
    while store.prune(keep, now).expect("works") {}
    assert!(seqs(&store).is_empty(), "nothing waits any longer");
    assert_eq!(store.take_losses().undelivered, 0);
}

#[test]
fn at_its_cap_the_file_gives_up_what_is_put_by_last_and_counts_it() {
    let scratch = Scratch::new();
    let mut settings = scratch.settings();
    settings.max_size = 512 << 10;
    let outputs = ["up".into()];
    let (mut store, _) = Store::open(&settings, "north", &outputs, at(1)).expect("opens");
    let mut lost = 0;
    for round in 0..60 {
        store
            .commit(&raises(1 + round * 50, 50), at(2000).wall)
            .expect("goes on");
        let mine = [101, 102, 2900].map(|seq| put_by(seq, "up", Fate::Aside));
        let behind = mine.iter().filter(|it| it.seq.div_ceil(50) == round + 1);
        let behind: Vec<_> = behind.cloned().collect();
        noted(&mut store, &behind);
        lost += store.take_losses().undelivered;
        let oldest = seqs(&store)[0];
        let gone = (101..=102).filter(|seq| *seq < oldest).count();
        assert_eq!(lost, gone as u64, "what was delivered is no loss");
    }
    assert_eq!(lost, 2);
}

#[test]
fn age_prunes_only_what_is_delivered() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    // Occurrence n happens at second 1000 + n.
    store
        .commit(&raises(1, 5000), at(7000).wall)
        .expect("commits");
    let keep = Duration::from_secs(1000);
    let now = at(5001);
    assert!(
        !store.prune(keep, now.mono).expect("works"),
        "nothing is delivered"
    );
    let write = Write {
        cursors: &[("up".into(), 2500)],
        ..Write::default()
    };
    store.write(&write, now.wall).expect("commits");
    while store.prune(keep, now.mono).expect("works") {}
    assert_eq!(seqs(&store)[0], 2501, "not delivered yet");
    let write = Write {
        cursors: &[("up".into(), 5000)],
        ..Write::default()
    };
    store.write(&write, now.wall).expect("commits");
    while store.prune(keep, now.mono).expect("works") {}
    assert_eq!(seqs(&store)[0], 3001, "not old enough yet");
    assert_eq!(store.take_losses().undelivered, 0);
    drop(store);
    let (_store, restored) = scratch.open();
    assert_eq!((restored.last_seq, restored.records.len()), (5000, 1));
    assert!(verify(&scratch.database()).is_ok());
}

#[test]
fn no_wall_clock_makes_history_old() {
    let scratch = Scratch::new();
    let keep = Duration::from_secs(1000);
    // An hour in 2100, between two runs in 1970: each run has its own monotonic clock.
    let far = Duration::from_secs(4_102_444_800);
    for wall in [at(1000).wall, at(1000).wall + far, at(1000).wall] {
        let begin = Moment {
            mono: Mono::ZERO,
            wall,
        };
        let (mut store, _) =
            Store::open(&scratch.settings(), "north", &[], begin).expect("the journal opens");
        let entries: Vec<Entry> = raises(1, 3)
            .into_iter()
            .zip(1_u64..)
            .map(|(entry, second)| Entry {
                event: Arc::new(Event {
                    at: begin.after(Duration::from_secs(100 * second)),
                    ..(*entry.event).clone()
                }),
                t: None,
            })
            .collect();
        store.commit(&entries, wall).expect("commits");
        let later = begin.after(Duration::from_secs(301));
        assert!(!store.prune(keep, later.mono).expect("works"));
    }
    // Nine hundred seconds of watching in all, and six hundred more.
    let (mut store, _) = scratch.open_for(&[]);
    assert_eq!(seqs(&store).len(), 9);
    let later = at(1000).after(Duration::from_secs(601)).mono;
    assert!(store.prune(keep, later).expect("works"));
    assert_eq!(seqs(&store)[0], 6, "older than a thousand seconds");
}

#[test]
fn a_long_hole_in_the_numbers_stops_no_pruning() {
    for by_age in [true, false] {
        let scratch = Scratch::new();
        let mut settings = scratch.settings();
        settings.max_size = 512 << 10;
        let (mut store, _) = Store::open(&settings, "north", &[], at(1)).expect("opens");
        // As after a long time without a disk.
        for first in [10_001, 20_001] {
            let rows: Vec<_> = raises(first, 50)
                .iter()
                .zip(first..)
                .map(|(entry, seq)| super::Row::stamp(entry, store.identity(), seq, true))
                .collect();
            let write = Write {
                rows: &rows,
                settled: store.last_seq,
                ..Write::default()
            };
            store.write(&write, at(2000).wall).expect("commits");
        }
        if by_age {
            let now = at(1000 + 20_025).mono;
            while store.prune(Duration::ZERO, now).expect("works") {}
            assert_eq!(seqs(&store)[0], 20_025);
        } else {
            for round in 0..60 {
                let batch = raises(30_001 + round * 50, 50);
                store.commit(&batch, at(2000).wall).expect("goes on");
            }
            assert!(seqs(&store)[0] > 20_050);
        }
        assert!(verify(&scratch.database()).is_ok());
    }
}
