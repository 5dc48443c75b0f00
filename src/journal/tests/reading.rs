//! What can be read while the disk cannot, and what is gone.

use super::super::ledger::{RING, TAIL};
use super::super::scratch::{alter, at};
use super::super::{FeedError, Unreadable};
use super::*;

#[test]
fn a_disk_that_cannot_be_read_leaves_a_gap_before_what_memory_has() {
    let scratch = Scratch::new();
    let bench = Bench::start(&scratch);
    let last = (1..=1500).map(|number| bench.push(number)).last();
    assert_eq!(bench.outcome(last.expect("some")), stored(1500));
    let aside = scratch.database().with_extension("aside");
    std::fs::rename(scratch.database(), &aside).expect("there");
    let answer = bench.wait(bench.feed.after(7, 10));
    let Err(FeedError::GapUnread { until, why }) = answer else {
        panic!("no gap: {answer:?}");
    };
    assert!(matches!(why, Unreadable::Refused(_)), "{why:?}");
    assert_eq!(until, 1500 - 1024);
    assert_eq!(bench.feed.recent(7, 10).expect_err("not in memory"), until);
    let recent = bench.feed.recent(until, 2).expect("in memory");
    assert_eq!(
        ids(&recent),
        [
            format!("north:1:{}", until + 1),
            format!("north:1:{}", until + 2)
        ]
    );
    std::fs::rename(&aside, scratch.database()).expect("there");
    assert_eq!(ids(&bench.after(7))[0], "north:1:8");
    assert!(bench.close());
}

#[test]
fn what_full_memory_dropped_is_passed_over() {
    let scratch = Scratch::new();
    let bench = Bench::start(&scratch);
    let told = bench.push(1);
    assert_eq!(bench.outcome(told), stored(1));
    bench.faults.fail(u32::MAX);
    let last = (2..=6000).map(|number| bench.push(number)).last();
    assert_eq!(bench.outcome(last.expect("some")), from_memory(6000));
    let memory = (TAIL + RING) as u64;
    assert_eq!(bench.after(1)[0].seq, 6000 - memory + 1);
    bench.faults.fail(0);
    bench.durable(true);
    let told = bench.push(6001);
    assert_eq!(bench.outcome(told), stored(6001));
    let stored = bench.after(1)[0].seq;
    // A group that is being written stays, and the ones behind it go instead: how many, is chance.
    assert!((3..=6000 - RING as u64 + 1).contains(&stored), "{stored}");
    assert!(bench.close());
}

#[test]
fn reads_from_a_disk_that_hangs_end_with_an_error_and_hold_two_threads() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    store
        .commit(&raises(1, 5), crate::clock::now().wall)
        .expect("commits");
    store.close();
    let bench = Bench::start(&scratch);
    // Opening a pipe that nobody writes to does not return.
    std::fs::remove_file(scratch.database()).expect("it is there");
    let made = std::process::Command::new("mkfifo")
        .arg(scratch.database())
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    let feed = bench.feed.clone();
    let (answers, free) = bench.runtime.block_on(async {
        tokio::time::pause();
        let mut readers = tokio::task::JoinSet::new();
        for _ in 0..3 {
            let feed = feed.clone();
            readers.spawn(async move { feed.after(0, 10).await });
        }
        // The clock stands still while threads are busy, so it is moved by hand.
        for _ in 0..40 {
            tokio::time::advance(Duration::from_millis(500)).await;
            tokio::task::yield_now().await;
        }
        readers.abort_all();
        let mut answers = Vec::new();
        while let Some(read) = readers.join_next().await {
            answers.push(read);
        }
        tokio::time::resume();
        (answers, bench.journal.shared.readers.available_permits())
    });
    // What is new comes from memory all the same.
    let newest = bench.after(5);
    // Lets the threads go, with an error: no database can be read from a pipe.
    let pipe = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(scratch.database());
    let pipe = pipe.expect("readers wait");
    drop(bench);
    drop(pipe);
    assert_eq!((answers.len(), free, newest), (3, 0, Vec::new()));
    for answer in answers {
        let unread = FeedError::GapUnread {
            until: 5,
            why: Unreadable::Slow,
        };
        let answer = answer.expect("ran").expect_err("unreadable");
        assert_eq!(answer.to_string(), unread.to_string());
    }
}

#[test]
fn what_an_output_left_that_is_gone_is_told_while_it_is_there() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open_for(&["gone"]);
    store.commit(&raises(1, 5), at(2000).wall).expect("commits");
    drop(store);
    let bench = Bench::start(&scratch);
    let told = |bench: &Bench| {
        let told = bench.wait(bench.feed.stranded(crate::clock::now()));
        let told = told.expect("readable").into_iter();
        told.map(|it| (it.output, it.events)).collect::<Vec<_>>()
    };
    assert_eq!(told(&bench), [("gone".into(), 5)]);
    alter(&scratch.database(), "DELETE FROM event");
    assert_eq!(told(&bench), []);
    assert!(bench.close());
}
