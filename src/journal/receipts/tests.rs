//! What waits, what is stored, and that both follow one rule.

use super::*;
use crate::engine::effect::EventKind;
use crate::journal::scratch::{self, Scratch, at, event, raises};
use crate::journal::store::Write;
use crate::journal::{Entry, reader};

fn receipt(seq: u64, output: &str, second: u64) -> Receipt {
    Receipt {
        attempts: Some(1),
        ..scratch::receipt(seq, output, Fate::Accepted, second)
    }
}

fn story(fate: Fate, second: u64, words: Option<&str>) -> Receipt {
    Receipt {
        fate,
        words: words.map(Into::into),
        ..receipt(1, "up", second)
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
    receipts.give_back();
    assert_eq!(receipts.of(3).count(), 1);
    for seq in 10..10 + WAITING as u64 {
        receipts.add(receipt(seq, "up", 1));
    }
    assert_eq!(receipts.waiting.len(), WAITING);
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
    for (seq, output, second) in [(1, "up", 10), (1, "chat", 12), (1, "up", 20), (2, "up", 11)] {
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

/// On disk and in memory the same rule holds.
#[test]
fn what_is_aside_may_arrive_or_be_lost_and_what_has_arrived_stays() {
    use Fate::{Accepted, Aside, Lost};
    let said = |fate, words| story(fate, 2, words);
    for (first, next, expected) in [
        (
            story(Accepted, 1, Some("yes")),
            said(Accepted, None),
            story(Accepted, 1, Some("yes")),
        ),
        (
            story(Accepted, 1, None),
            said(Lost, Some("no")),
            story(Accepted, 1, None),
        ),
        (
            story(Aside, 1, Some("no")),
            said(Accepted, None),
            said(Accepted, None),
        ),
        (
            story(Aside, 1, Some("no")),
            said(Lost, None),
            said(Lost, Some("no")),
        ),
        (
            story(Aside, 1, None),
            said(Lost, Some("big")),
            said(Lost, Some("big")),
        ),
    ] {
        let expected = [expected];
        let found = together(vec![first.clone()], std::slice::from_ref(&next));
        assert_eq!(found, expected);
        let scratch = Scratch::new();
        let (mut store, _) = scratch.open();
        store
            .commit(&raises(1, 1), at(1).wall)
            .expect("a sound disk");
        for receipt in [first, next] {
            let write = Write {
                settled: 1,
                receipts: &[receipt],
                ..Write::default()
            };
            store.write(&write, at(2).wall).expect("a sound disk");
        }
        let reader = reader::reader(&scratch.database()).expect("it is there");
        assert_eq!(stored(&reader, 1).expect("readable"), expected);
    }
}

/// The newest word counts, on disk and on its way there.
#[test]
fn readers_are_those_of_the_newest_receipt() {
    let audience = |waiting: &[&str], missed: &[&str]| Audience {
        waiting: waiting.iter().map(|it| Arc::from(*it)).collect(),
        missed: missed.iter().map(|it| Arc::from(*it)).collect(),
        reached: true,
    };
    let with = |fate, audience| Receipt {
        audience: Some(audience),
        ..story(fate, 1, Some("full"))
    };
    let stages = [
        with(Fate::Aside, audience(&["li", "anna"], &[])),
        with(Fate::Aside, audience(&["li"], &[])),
        with(Fate::Accepted, audience(&[], &["li"])),
    ];
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    store
        .commit(&raises(1, 1), at(1).wall)
        .expect("a sound disk");
    for (number, stage) in stages.iter().enumerate() {
        let write = Write {
            settled: 1,
            receipts: std::slice::from_ref(stage),
            ..Write::default()
        };
        store.write(&write, at(2).wall).expect("a sound disk");
        let reader = reader::reader(&scratch.database()).expect("it is there");
        let expected = [stage.clone()];
        assert_eq!(stored(&reader, 1).expect("readable"), expected);
        assert_eq!(together(Vec::new(), &stages[..=number]), expected);
    }
}

#[test]
fn what_is_aside_is_forgotten_last() {
    let mut receipts = Receipts::default();
    receipts.add(story(Fate::Aside, 1, None));
    for seq in 2..=1 + WAITING as u64 {
        receipts.add(receipt(seq, "up", 1));
    }
    assert_eq!((receipts.of(1).count(), receipts.of(2).count()), (1, 0));
    for seq in 1..=1 + WAITING as u64 {
        let fate = Fate::Aside;
        receipts.add(Receipt {
            fate,
            ..receipt(seq, "chat", 1)
        });
    }
    assert_eq!(receipts.waiting.len(), WAITING);
    assert_eq!(receipts.of(1).count(), 0, "the oldest goes in the end");
}

/// A failing disk, and one reader after the other who is put off: nothing of it counts twice.
#[test]
fn what_is_said_again_of_an_event_takes_no_place() {
    let mut receipts = Receipts::default();
    let note = |seq, fate, second| Receipt {
        fate,
        ..receipt(seq, "up", second)
    };
    receipts.add(note(1, Fate::Aside, 1));
    for second in 2..10_000 {
        receipts.add(note(2, Fate::Aside, second));
    }
    assert_eq!((receipts.of(1).count(), receipts.waiting.len()), (1, 2));
    assert_eq!(receipts.take_upto(2).len(), 2);
    receipts.add(note(3, Fate::Aside, 1));
    receipts.add(note(2, Fate::Accepted, 10_000));
    receipts.add(receipt(2, "chat", 10_000));
    receipts.give_back();
    let all: Vec<_> = receipts
        .waiting
        .iter()
        .map(|it| (it.key(), it.fate))
        .collect();
    let expected = [
        ((1, "up"), Fate::Aside),
        ((2, "up"), Fate::Accepted),
        ((3, "up"), Fate::Aside),
        ((2, "chat"), Fate::Accepted),
    ];
    assert_eq!(all, expected);
}

#[test]
fn what_a_far_end_says_is_cut() {
    let mut receipts = Receipts::default();
    receipts.add(story(Fate::Accepted, 1, Some(&"ä".repeat(500))));
    let words = receipts.of(1).next().and_then(|one| one.words.clone());
    assert_eq!(words.map(|words| words.chars().count()), Some(SAID));
}
