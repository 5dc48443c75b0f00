//! Somebody removes or replaces the journal's files while the gateway runs.

use std::fs;

use super::super::ledger::TAIL;
use super::super::scratch::at;
use super::super::sidecar::Lock;
use super::*;

/// A gateway with three events and an output's cursor on disk.
fn begun(settings: &JournalSettings) -> Bench {
    let bench = Bench::start_with(settings);
    let told = bench.raise("TT-1/low", 7);
    assert_eq!(bench.outcome(told), stored(1));
    let told = bench.push(2);
    assert_eq!(bench.outcome(told), stored(2));
    bench.feed.acknowledge("up", 2);
    let told = bench.push(3);
    assert_eq!(bench.outcome(told), stored(3));
    bench
}

#[test]
fn a_folder_that_is_removed_is_made_anew_with_all_that_is_known() {
    let scratch = Scratch::new();
    let settings = live(&scratch);
    let bench = begun(&settings);
    fs::remove_dir_all(scratch.folder()).expect("it is there");
    let told = bench.push(4);
    assert_eq!(bench.outcome(told), stored(4));
    let health = *bench.journal.health().borrow();
    assert_eq!((health.begun_anew, health.dropped), (1, 0));
    let shown = bench.after(0);
    assert_eq!(shown.len(), 4, "memory has what the disk has no more");
    let refused = Store::open(&settings, "north", &[], crate::clock::now());
    assert!(refused.is_err(), "locked as before");
    assert!(bench.close());
    let verified = verify(&scratch.database()).expect("sound");
    assert_eq!((verified.first, verified.last), (Some(4), 4));

    let bench = Bench::start_with(&settings);
    let states = bench.feed.states();
    let states: Vec<_> = states.iter().map(|s| (&*s.alarm, s.occurrence)).collect();
    assert_eq!(states, [("PT-330/high", 4), ("TT-1/low", 7)]);
    assert_eq!(bench.feed.cursor("up"), 2);
    assert_eq!(bench.after(2)[0].line, shown[3].line);
    assert!(bench.close());
}

#[test]
fn while_nothing_can_be_made_in_its_place_events_go_on_from_memory() {
    let scratch = Scratch::new();
    let bench = begun(&live(&scratch));
    fs::remove_dir_all(scratch.folder()).expect("it is there");
    fs::write(scratch.folder(), "in the way").expect("our own place");
    let told = bench.push(4);
    assert_eq!(bench.outcome(told), from_memory(4));
    let health = *bench.journal.health().borrow();
    assert_eq!((health.reason, health.begun_anew), (Some("missing"), 0));
    let shown = bench.after(3);
    fs::remove_file(scratch.folder()).expect("it is there");
    bench.durable(true);
    let told = bench.push(5);
    assert_eq!(bench.outcome(told), stored(5));
    assert_eq!(bench.journal.health().borrow().begun_anew, 1);
    assert!(bench.close());
    let (_store, restored) = scratch.open();
    assert_eq!((restored.last_seq, restored.lost_tail), (5, 0));
    let reader = super::super::reader::reader(&scratch.database()).expect("readable");
    let kept = super::super::reader::events_after(&reader, (0, 9), 9, usize::MAX);
    let kept = kept.expect("readable");
    assert_eq!((kept.len(), &kept[0].line), (2, &shown[0].line));
}

#[test]
fn a_place_that_another_gateway_has_taken_is_left_to_it() {
    let scratch = Scratch::new();
    let bench = begun(&live(&scratch));
    fs::remove_dir_all(scratch.folder()).expect("it is there");
    fs::create_dir(scratch.folder()).expect("our own place");
    let other = Lock::take(&scratch.database()).expect("free");
    let told = bench.push(4);
    assert_eq!(bench.outcome(told), from_memory(4));
    assert!(!scratch.database().exists());
    drop(other);
    bench.durable(true);
    assert!(bench.close());
}

#[test]
fn a_file_that_somebody_puts_in_its_place_is_not_touched() {
    let scratch = Scratch::new();
    let bench = begun(&scratch.settings());
    let aside = scratch.database().with_extension("aside");
    fs::rename(scratch.database(), &aside).expect("there");
    fs::copy(&aside, scratch.database()).expect("our own folder");
    let before = fs::read(scratch.database()).expect("there");
    let told = bench.push(4);
    assert_eq!(bench.outcome(told), from_memory(4));
    assert_eq!(bench.journal.health().borrow().reason, Some("missing"));
    assert_eq!(fs::read(scratch.database()).expect("there"), before);
    // Its own file is taken up again.
    fs::rename(&aside, scratch.database()).expect("there");
    bench.durable(true);
    assert_eq!(bench.journal.health().borrow().begun_anew, 0);
    assert!(bench.close());
    assert_eq!(verify(&scratch.database()).expect("sound").rows, 4);
}

#[test]
fn a_log_that_is_left_alone_is_kept_and_not_read() {
    let scratch = Scratch::new();
    let bench = begun(&live(&scratch));
    let aside = scratch.database().with_extension("aside");
    fs::rename(scratch.database(), &aside).expect("there");
    let told = bench.push(4);
    assert_eq!(bench.outcome(told), stored(4));
    assert!(bench.close());
    assert_eq!(verify(&scratch.database()).expect("sound").first, Some(4));
    let files = fs::read_dir(scratch.folder()).expect("ours");
    let log = files.flatten().find(|file| {
        let name = file.file_name().into_string().unwrap_or_default();
        name.contains(".damaged-") && name.ends_with("-wal")
    });
    fs::rename(
        log.expect("kept").path(),
        scratch.folder().join("journal.aside-wal"),
    )
    .expect("ours");
    assert_eq!(verify(&aside).expect("whole again").rows, 3);
}

#[test]
fn outputs_read_the_new_file_and_what_is_lost_to_them_is_counted() {
    let scratch = Scratch::new();
    let bench = Bench::start_with(&live(&scratch));
    let many = TAIL as u64 + 100;
    let last = (1..=many).map(|number| bench.push(number)).last();
    assert_eq!(bench.outcome(last.expect("some")), stored(many));
    assert_eq!(bench.after(0)[0].seq, 1, "from disk");
    fs::remove_dir_all(scratch.folder()).expect("it is there");
    let last = (1..=many).map(|number| bench.push(number)).last();
    assert_eq!(bench.outcome(last.expect("some")), stored(2 * many));
    assert_eq!(bench.journal.health().borrow().dropped, 100);
    assert_eq!(bench.after(many)[0].seq, many + 1, "from the new disk");
    assert!(bench.close());
}

#[test]
fn a_kill_before_anything_is_in_the_new_file_is_found_by_the_next_start() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    store.commit(&raises(1, 3), at(2000).wall).expect("commits");
    fs::remove_dir_all(scratch.folder()).expect("it is there");
    let error = store.commit(&raises(4, 1), at(2000).wall);
    assert_eq!(error.expect_err("gone").reason(), "missing");
    store.begin_anew(at(2000).wall).expect("it can be made");
    drop(store);
    let (mut store, restored) = scratch.open();
    assert_eq!((restored.last_seq, restored.lost_tail), (3, 1));
    store.commit(&raises(4, 1), at(2000).wall).expect("commits");
    assert!(verify(&scratch.database()).is_ok());
}
