//! The journal's memory: what is shown, kept and let go, and when.

mod model;

use std::sync::Mutex;

use super::super::scratch::{count, event, memory, raises};
use super::super::{Fate, Restored, Waiter};
use super::*;
use crate::engine::effect::EventKind;

fn ledger() -> Ledger {
    run(7, 0)
}

/// The memory of a run that finds `last_seq` on disk.
fn run(epoch: u64, last_seq: u64) -> Ledger {
    let identity = Identity {
        site: "north".into(),
        epoch,
    };
    let restored = Restored {
        cursors: [(Arc::from("up"), last_seq)].into(),
        last_seq,
        ..Restored::default()
    };
    Ledger::new(identity, &restored)
}

fn entry(number: u64) -> Entry {
    raises(number, 1).remove(0)
}

fn secs(seconds: u64) -> Mono {
    Mono::ZERO + Duration::from_secs(seconds)
}

/// What the store does with a group: replaces all that is not settled.
fn store(disk: &mut BTreeMap<u64, Arc<str>>, group: &mut Group) {
    group.stamp();
    if !group.rows.is_empty() {
        disk.split_off(&(group.settled + 1));
    }
    for row in &group.rows {
        disk.insert(row.committed.seq, Arc::clone(&row.committed.line));
    }
}

fn id(line: &str) -> &str {
    line.split('"').nth(3).expect("a line begins with its id")
}

#[test]
fn events_are_shown_after_their_commit_and_not_before() {
    let mut ledger = ledger();
    ledger.push(entry(1), None, Mono::ZERO);
    let mut group = ledger.group();
    group.stamp();
    assert_eq!(ledger.issued(), 0);
    assert!(ledger.records().is_empty());
    ledger.settle(group, Mono::ZERO);
    assert_eq!(ledger.issued(), 1);
    assert_eq!(ledger.records()[0].occurrence, 1);
    let shown = ledger.after(0, 10).expect("in memory");
    assert!(shown[0].durable);
    assert_eq!(id(&shown[0].line), "north:7:1");
    assert_eq!(ledger.waiting(), 0);
}

#[test]
fn a_disk_that_returns_late_has_what_was_shown_meanwhile() {
    let mut ledger = ledger();
    let mut disk = BTreeMap::new();
    ledger.push(entry(1), None, Mono::ZERO);
    let mut stuck = ledger.group();
    ledger.push(entry(2), None, secs(1));
    assert!(!ledger.is_stuck(secs(2)));
    assert!(ledger.is_stuck(secs(3)));
    ledger.go_volatile("slow");
    ledger.push(entry(3), None, secs(4));
    assert_eq!(ledger.issued(), 3);
    assert!(!ledger.is_stuck(secs(100)), "everything is shown");
    let shown = ledger.after(0, 10).expect("in memory");
    assert!(shown.iter().all(|event| !event.durable));

    store(&mut disk, &mut stuck);
    ledger.settle(stuck, secs(5));
    assert_eq!(ledger.waiting(), 2);
    let mut rest = ledger.group();
    store(&mut disk, &mut rest);
    ledger.settle(rest, secs(5));
    assert_eq!((ledger.volatile(), ledger.waiting()), (None, 0));
    assert!(shown.iter().map(|event| &event.line).eq(disk.values()));
    assert!(shown.iter().map(|event| &event.seq).eq(disk.keys()));
    let shown = ledger.after(0, 10).expect("in memory");
    assert!(shown.iter().all(|event| event.durable), "they are now");
}

#[test]
fn a_count_is_work_of_its_own_until_it_is_on_disk() {
    let mut ledger = ledger();
    ledger.remember(memory("A/stel", 60));
    assert!(!ledger.has_work(), "an average waits for an event");
    ledger.remember(count("A/high/count", 61));
    assert!(ledger.has_work());
    let failing = ledger.group();
    assert!(!ledger.has_work());
    ledger.abandon(failing);
    assert!(ledger.has_work());
    let mut group = ledger.group();
    assert_eq!(group.memories.len(), 2, "what waits goes along");
    group.stamp();
    ledger.settle(group, secs(1));
    assert!(!ledger.has_work());
}

#[test]
fn what_alarms_remember_goes_with_one_group_and_comes_back_only_from_a_failure() {
    let is = |alarm: &str, seconds| Arc::new(memory(alarm, seconds));
    let mut ledger = ledger();
    for seconds in [60, 120] {
        ledger.remember(memory("A/stel", seconds));
        ledger.remember(memory("B/stel", seconds));
    }
    assert!(!ledger.is_stuck(secs(1000)), "nobody waits for it");
    ledger.push(entry(1), None, Mono::ZERO);
    let failing = ledger.group();
    assert_eq!(failing.memories, [is("A/stel", 120), is("B/stel", 120)]);
    ledger.remember(memory("B/stel", 180));
    ledger.abandon(failing);
    let mut group = ledger.group();
    assert_eq!(group.memories, [is("A/stel", 120), is("B/stel", 180)]);
    group.stamp();
    ledger.settle(group, secs(1));
    for number in 2..5 {
        ledger.push(entry(number), None, secs(1));
        let mut group = ledger.group();
        assert!(
            group.memories.is_empty(),
            "written once, not with every event"
        );
        group.stamp();
        ledger.settle(group, secs(1));
    }
}

#[test]
fn a_disk_that_just_keeps_up_stays_volatile() {
    let mut ledger = ledger();
    ledger.push(entry(1), None, Mono::ZERO);
    ledger.go_volatile("slow");
    let mut group = ledger.group();
    group.stamp();
    ledger.push(entry(2), None, secs(1));
    ledger.settle(group, secs(3));
    assert_eq!(ledger.volatile(), Some("slow"));
}

#[test]
fn when_full_the_oldest_is_shown_before_it_goes_and_its_alarm_state_stays() {
    let mut ledger = ledger();
    let told = Arc::new(Mutex::new(Vec::new()));
    let mut dropped = 0;
    ledger.push(entry(1), None, Mono::ZERO);
    let in_flight = ledger.group();
    for number in 2..RING as u64 + 3 {
        let told = Arc::clone(&told);
        let waiter: Waiter = Box::new(move |outcome| {
            told.lock().expect("sound").push((number, outcome));
        });
        let (now, full) = ledger.push(entry(number), Some(waiter), Mono::ZERO);
        dropped += u64::from(full);
        now.into_iter()
            .for_each(|(waiter, outcome)| waiter(outcome));
    }
    assert_eq!((dropped, ledger.dropped()), (2, 2));
    let expected = |number| {
        let outcome = CommitOutcome::Committed {
            seq: number,
            durable: false,
        };
        (number, outcome)
    };
    assert_eq!(told.lock().expect("sound")[..2], [expected(2), expected(3)]);
    assert_eq!(told.lock().expect("sound").len(), RING + 1);
    assert_eq!(ledger.records()[0].occurrence, RING as u64 + 2);
    assert!(ledger.has_room(), "nobody waits for a disk that fails");
    ledger.abandon(in_flight);
    let mut group = ledger.group();
    group.stamp();
    assert_eq!(group.states[0].occurrence, 3);
    assert_eq!(group.rows.len(), GROUP);
    let occurrences: Vec<_> = group.rows.iter().take(2).map(|row| row.at).collect();
    assert_eq!(
        occurrences,
        [entry(1).event.at.mono, entry(4).event.at.mono]
    );
    assert_eq!(group.rows[1].committed.seq, 4, "their numbers stay holes");
}

#[test]
fn a_dropped_summary_leaves_the_states_of_all_alarms_it_settled() {
    let mut ledger = ledger();
    let mut summary = event(EventKind::Notified, "TT-1/low", 1);
    summary.others.extend(entry(9).event.record.clone());
    let summary = Entry {
        event: Arc::new(summary),
        t: None,
    };
    ledger.push(summary, None, Mono::ZERO);
    let later = event(EventKind::Raised, "LT-2/low", 1);
    let later = Entry {
        event: Arc::new(later),
        t: None,
    };
    for _ in 0..RING {
        ledger.push(later.clone(), None, Mono::ZERO);
    }
    assert_eq!(ledger.dropped(), 1);
    let known = ledger.records();
    let known: Vec<_> = known.iter().map(|record| &*record.alarm).collect();
    assert_eq!(known, ["LT-2/low", "PT-330/high", "TT-1/low"]);
    let states = ledger.group().states;
    let states: Vec<_> = states.iter().map(|state| &*state.alarm).collect();
    assert_eq!(states, ["PT-330/high", "TT-1/low"]);
}

#[test]
fn outputs_are_served_from_memory_as_far_as_it_reaches() {
    let mut ledger = ledger();
    for number in 1..=TAIL as u64 + 10 {
        ledger.push(entry(number), None, Mono::ZERO);
        let mut group = ledger.group();
        group.stamp();
        ledger.settle(group, Mono::ZERO);
    }
    assert_eq!(ledger.after(9, 1).expect_err("too old"), TAIL as u64 + 10);
    assert_eq!(ledger.after(10, 1).expect("oldest kept")[0].seq, 11);
    assert_eq!(ledger.after(5000, 1).expect("nothing yet"), []);
    ledger.go_volatile("io");
    for number in 0..2 * TAIL as u64 {
        ledger.push(entry(number), None, Mono::ZERO);
    }
    let first = TAIL as u64 + 11;
    let shown = ledger
        .after(first - 1, usize::MAX)
        .expect("not on disk yet");
    assert_eq!(shown.len(), 2 * TAIL);
}

#[test]
fn receipts_coalesce_and_are_never_stored_ahead_of_the_disk() {
    let mut ledger = ledger();
    ledger.go_volatile("io");
    for number in 1..=3 {
        ledger.push(entry(number), None, Mono::ZERO);
        ledger.acknowledge("up", number);
    }
    ledger.acknowledge("up", 2);
    ledger.acknowledge("unknown", 2);
    assert_eq!(ledger.cursor("up"), Some(3));
    assert!(!ledger.has_receipts(), "nothing of it is on disk");
    let mut group = ledger.group();
    group.stamp();
    assert_eq!(group.cursors, [(Arc::from("up"), 3)]);
    ledger.settle(group, Mono::ZERO);
    assert!(!ledger.has_receipts());
    assert!(ledger.group().cursors.is_empty());
}

fn receipt(seq: u64, fate: Fate) -> Receipt {
    crate::journal::scratch::receipt(seq, "up", fate, 1)
}

/// While a card takes seconds for it, nobody says that the event was not for this output.
#[test]
fn a_receipt_is_found_while_it_is_being_written() {
    let mut ledger = run(7, 9);
    let found = |ledger: &Ledger| {
        let found = ledger.receipts.of(8);
        found.map(|receipt| receipt.fate).collect::<Vec<_>>()
    };
    ledger.receipts.add(receipt(8, Fate::Aside));
    let failing = ledger.group();
    assert_eq!(found(&ledger), [Fate::Aside]);
    ledger.abandon(failing);
    assert_eq!(found(&ledger), [Fate::Aside], "once");
    let group = ledger.group();
    ledger.receipts.add(receipt(8, Fate::Accepted));
    assert_eq!(found(&ledger), [Fate::Aside, Fate::Accepted], "in order");
    ledger.settle(group, Mono::ZERO);
    assert_eq!(found(&ledger), [Fate::Accepted], "the other is on disk");
}

/// A cursor without it would say that an output is through with what it still owes.
#[test]
fn what_is_set_aside_goes_with_the_cursor_that_passes_it() {
    let mut ledger = run(7, 9);
    ledger.receipts.add(receipt(8, Fate::Aside));
    ledger.acknowledge("up", 8);
    // The disk fails, and meanwhile more is delivered than may wait for it.
    for _failure in 0..2 {
        let group = ledger.group();
        ledger.abandon(group);
        for _receipt in 0..5000 {
            ledger.receipts.add(receipt(9, Fate::Accepted));
        }
    }
    ledger.cursors.insert("up".into(), Cursor::default());
    ledger.acknowledge("up", 9);
    let group = ledger.group();
    assert_eq!(group.cursors, [("up".into(), 9)]);
    let aside = |receipt: &&Receipt| receipt.fate == Fate::Aside;
    assert_eq!(group.receipts.iter().filter(aside).count(), 1);
}
