//! Disks that fail in earnest: a file in the way of the folder, and a file system that only reads.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::super::scratch::{Scratch, TO_VERSION_1, alter, at, event, memory, raises};
use super::super::{CommitOutcome, Journal, Record, run};
use super::*;
use crate::engine::effect::EventKind;

fn settings(path: PathBuf) -> JournalSettings {
    JournalSettings {
        path,
        max_size: 64 << 20,
        keep_events: Duration::from_secs(86_400),
        first_epoch: None,
    }
}

fn folder_in(scratch: &Scratch, name: &str) -> PathBuf {
    let folder = scratch.database().with_file_name(name);
    fs::create_dir(&folder).expect("the scratch folder is writable");
    folder
}

/// A path below a file: no folder can be made there.
fn blocked(scratch: &Scratch) -> PathBuf {
    let file = scratch.database().with_file_name("file");
    fs::write(&file, "in the way").expect("the scratch folder is writable");
    file.join("journal.db")
}

fn open_in(settings: &JournalSettings, places: &[PathBuf]) -> Result<(Store, Restored), OpenError> {
    open_within(Duration::from_secs(20), settings, places)
}

fn open_within(
    patience: Duration,
    settings: &JournalSettings,
    places: &[PathBuf],
) -> Result<(Store, Restored), OpenError> {
    let start = Start {
        settings,
        site: "north",
        outputs: &["up".into()],
        now: at(1000),
        patience,
    };
    start.open(places)
}

fn push(journal: &Journal, occurrence: u64) -> CommitOutcome {
    let (tell, told) = std::sync::mpsc::sync_channel(1);
    journal.inbox().push(Record {
        event: Box::new(event(EventKind::Raised, "PT-330/high", occurrence)),
        committed: Some(Box::new(move |outcome| {
            tell.send(outcome).expect("the test waits");
        })),
    });
    told.recv_timeout(Duration::from_secs(20)).expect("told")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime starts")
}

#[test]
fn a_place_that_cannot_be_used_is_replaced_by_a_folder_of_our_own() {
    let scratch = Scratch::new();
    let (bad, good) = (
        scratch.database().with_file_name("absent"),
        folder_in(&scratch, "run"),
    );
    let (store, restored) =
        open_in(&settings(blocked(&scratch)), &[bad, good.clone()]).expect("a temporary journal");
    let temporary = restored.temporary.clone().expect("it says so");
    assert_eq!(
        (temporary.reason, temporary.known),
        ("missing", Known::Nothing)
    );
    assert!(temporary.path.starts_with(&good), "{temporary:?}");
    let own = fs::metadata(folder(&temporary.path)).expect("it is there");
    assert_eq!(own.permissions().mode() & 0o777, 0o700);
    assert_eq!(restored.last_seq, 0);
    assert!(store.max_pages <= MAX_SIZE / 1024);
    let note = restored.notes().concat();
    assert!(
        note.contains("not safe") && note.contains("begins as normal"),
        "{note}"
    );
}

/// A file that nobody can open to the end, until somebody writes to it.
fn hanging(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.is_ok_and(|status| status.success()));
}

#[test]
fn a_disk_that_hangs_is_not_waited_for_and_what_it_brings_later_is_closed() {
    let scratch = Scratch::new();
    let (dead, good) = (folder_in(&scratch, "dead"), folder_in(&scratch, "run"));
    let settings = settings(scratch.database());
    let epoch_file = beside(&settings.path, ".epoch");
    hanging(&epoch_file);
    let dead = dead.join("absent");
    let began = crate::clock::monotonic();
    let (store, restored) =
        open_within(Duration::from_millis(400), &settings, &[dead, good]).expect("goes on");
    let took = crate::clock::monotonic().since(began);
    assert!(took < Duration::from_secs(20), "{took:?}");
    let temporary = restored.temporary.clone().expect("it says so");
    assert_eq!(
        (temporary.reason, temporary.known),
        ("slow", Known::Nothing)
    );
    assert!(temporary.why.contains("gives no answer"), "{temporary:?}");
    drop(store);

    let refused = Store::open(&settings, "north", &[], at(1000));
    assert!(
        matches!(refused, Err(OpenError::Running { .. })),
        "the thread that was left behind still has it"
    );
    // The disk answers in the end.
    drop(OpenOptions::new().write(true).open(&epoch_file));
    let deadline = crate::clock::monotonic() + Duration::from_secs(20);
    let (_store, restored) = loop {
        match Store::open(&settings, "north", &[], at(1000)) {
            Ok(opened) => break opened,
            Err(error) => assert!(crate::clock::monotonic() < deadline, "{error}"),
        }
        std::thread::yield_now();
    };
    assert!(!restored.is_history_lost(), "{restored:?}");
}

#[test]
fn without_any_place_the_first_reason_is_the_answer() {
    let scratch = Scratch::new();
    let refused = open_in(&settings(blocked(&scratch)), &[]).expect_err("nowhere to go");
    assert!(matches!(
        refused,
        OpenError::File {
            attempt: "create the folder",
            ..
        }
    ));
}

#[test]
fn a_journal_of_somebody_else_is_refused_and_not_replaced() {
    let scratch = Scratch::new();
    let place = folder_in(&scratch, "run");
    let (store, _) = scratch.open();
    let refused = open_in(&settings(scratch.database()), std::slice::from_ref(&place));
    assert!(matches!(refused, Err(OpenError::Running { .. })));
    drop(store);
    alter(&scratch.database(), "PRAGMA user_version=9");
    let refused = open_in(&settings(scratch.database()), std::slice::from_ref(&place));
    assert!(matches!(refused, Err(OpenError::Newer { .. })));
    assert_eq!(fs::read_dir(&place).expect("readable").count(), 0);
}

#[test]
fn nothing_in_a_temporary_journal_counts_as_stored() {
    let scratch = Scratch::new();
    let place = folder_in(&scratch, "run");
    let settings = settings(blocked(&scratch));
    let (store, restored) = open_in(&settings, &[place]).expect("a temporary journal");
    let journal = run(store, &restored, &settings, Arc::default()).expect("starts");
    let health = *journal.health().borrow();
    assert_eq!((health.durable, health.reason), (false, Some("missing")));
    for seq in 1..=2000 {
        let outcome = push(&journal, seq);
        assert_eq!(
            outcome,
            CommitOutcome::Committed {
                seq,
                durable: false
            }
        );
    }
    let feed = journal.feed();
    // Beyond what memory keeps: those are read from the temporary file.
    let wait = async {
        while feed.after(0, 1).await.is_ok_and(|events| events.is_empty())
            || journal.inbox().shared.lock().waiting() > 0
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
            journal.tick(crate::clock::now());
        }
        feed.after(0, 10).await.expect("readable")
    };
    let runtime = runtime();
    let oldest = runtime
        .block_on(async { tokio::time::timeout(Duration::from_secs(20), wait).await })
        .expect("it is written");
    assert_eq!(oldest.first().map(|event| event.seq), Some(1));
    assert!(oldest.iter().all(|event| !event.durable));
    let newest = runtime.block_on(feed.after(1990, 100)).expect("in memory");
    assert!(newest.len() == 10 && newest.iter().all(|event| !event.durable));
    assert!(
        oldest[0]
            .line
            .contains(&format!("north:{}:1", restored.epoch))
    );
    assert!(!journal.health().borrow().durable);
    assert!(!runtime.block_on(journal.close(Duration::from_secs(20))));
}

#[test]
fn what_the_broken_place_knows_is_read_from_it() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    store.commit(&raises(1, 3), at(2000).wall).expect("commits");
    // Still open, so the newest commit is in the write-ahead log.
    store
        .remember(&[memory("CO-12/stel", 1990).into()], at(2000).wall)
        .expect("commits");
    let (found, known) = remembered(&scratch.database());
    assert_eq!(found.records.len(), 1);
    assert_eq!(found.records[0].occurrence, 3);
    assert_eq!(found.memories, [memory("CO-12/stel", 1990)]);
    assert_eq!((found.last_alive, known), (Some(at(2000).wall), Known::All));
    store.close();
    alter(&scratch.database(), TO_VERSION_1);
    let (found, known) = remembered(&scratch.database());
    assert_eq!((found.records.len(), known), (1, Known::All));
    fs::write(scratch.database(), "no database").expect("writable");
    assert_eq!(
        remembered(&scratch.database()),
        (Restored::default(), Known::Nothing)
    );
}

#[test]
fn a_file_system_that_only_reads_is_watched_from_with_its_alarm_states() {
    let scratch = Scratch::new();
    let (place, mount) = (folder_in(&scratch, "run"), folder_in(&scratch, "disk"));
    let command = |name: &str, arguments: &[&str]| {
        let target = mount.to_str().expect("an ASCII path");
        let done = Command::new(name).args(arguments).arg(target).status();
        done.is_ok_and(|status| status.success())
    };
    if !command("mount", &["-t", "tmpfs", "tmpfs"]) {
        println!("skipped: this user cannot mount a file system");
        return;
    }
    let settings = settings(mount.join("journal.db"));
    let (mut store, _) = open_in(&settings, &[]).expect("opens");
    store.commit(&raises(1, 3), at(2000).wall).expect("commits");
    store.close();
    let remounted = command("mount", &["-o", "remount,ro"]);
    let opened = open_in(&settings, std::slice::from_ref(&place));
    let before = attempt(&settings.path);
    let writable = command("mount", &["-o", "remount,rw"]);
    let after = attempt(&settings.path);
    let unmounted = command("umount", &[]);
    assert!(remounted && writable && unmounted);
    let (_store, restored) = opened.expect("a temporary journal");
    let temporary = restored.temporary.expect("it says so");
    assert_eq!(
        (temporary.reason, temporary.known),
        ("read_only", Known::All)
    );
    assert_eq!(restored.records.len(), 1);
    assert_eq!(restored.last_alive, Some(at(2000).wall));
    assert!(before.is_err(), "a read-only place does not work");
    assert!(after.is_ok(), "{after:?}");
}

#[test]
fn epochs_of_temporary_journals_meet_no_other() {
    for wall in [
        Wall::default(),
        Wall::from_unix_nanos(i64::MIN),
        Wall::from_unix_nanos(i64::MAX),
    ] {
        let (one, other) = (epoch(wall), epoch(wall));
        assert_ne!(one, other);
        for epoch in [one, other] {
            assert!(epoch >= 1 << 61 && i64::try_from(epoch).is_ok(), "{epoch}");
            let seconds = u64::try_from(wall.unix_nanos() / 1_000_000_000).unwrap_or(0);
            assert_eq!(epoch & ((1 << REAL_EPOCH_BITS) - 1), seconds);
        }
    }
    // The end of the wall clock is within the bits of real epochs.
    const { assert!(i64::MAX / 1_000_000_000 < 1 << REAL_EPOCH_BITS) };
}

#[test]
fn folders_of_earlier_runs_are_bounded_and_those_of_others_stay() {
    let scratch = Scratch::new();
    let place = folder_in(&scratch, "run");
    let bystander = place.join(format!("{PREFIX}open"));
    fs::create_dir(&bystander).expect("writable");
    fs::set_permissions(&bystander, fs::Permissions::from_mode(0o777)).expect("ours");
    let settings = settings(blocked(&scratch));
    let (first, _) = open_in(&settings, std::slice::from_ref(&place)).expect("opens");
    for _ in 0..5 {
        let opened = open_in(&settings, std::slice::from_ref(&place));
        drop(opened.expect("opens"));
    }
    assert!(first.path.exists(), "in use");
    assert!(bystander.exists(), "open to others, so perhaps not ours");
    let folders = fs::read_dir(&place).expect("readable").count();
    assert!(folders <= KEPT + 3, "{folders} folders");
}

#[test]
fn a_place_that_works_is_found_and_left_as_it_is() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    store.commit(&raises(1, 3), at(2000).wall).expect("commits");
    store.close();
    let before = fs::read(scratch.database()).expect("readable");
    attempt(&scratch.database()).expect("works");
    assert_eq!(fs::read(scratch.database()).expect("readable"), before);
    assert!(!beside(&scratch.database(), ".trial").exists());
    assert!(attempt(&blocked(&scratch)).is_err());
    // Damage is for the start to tell of.
    fs::write(scratch.database(), vec![7; 4096]).expect("writable");
    attempt(&scratch.database()).expect("the disk works");
    assert_eq!(fs::read(scratch.database()).expect("readable"), [7; 4096]);
}
