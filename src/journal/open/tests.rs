//! Files that are damaged, foreign, newer or gone.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write as _};
use std::path::Path;
use std::sync::Arc;

use super::super::scratch::{Scratch, TO_VERSION_1, alter, at, memory, raises, seqs};
use super::super::sidecar::beside;
use super::super::{JournalSettings, OpenError, Restored, Store};

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

/// A power cut while it is made leaves all of it or nothing, and a start does not wait for more syncs than
/// two transactions take: one for the tables, one for the write-ahead log.
#[test]
fn a_fresh_journal_is_made_at_once() {
    let scratch = Scratch::new();
    let (_store, _) = scratch.open();
    let file = fs::read(scratch.settings().path).expect("it was made");
    let word = |at: usize| u32::from_be_bytes(file[at..at + 4].try_into().expect("four bytes"));
    let [changes, largest_root, incremental] = [24, 52, 64].map(word);
    assert_eq!(changes, 2, "transactions outside the log");
    assert!(
        largest_root > 0 && incremental == 1,
        "pages can be given back"
    );
    assert_eq!(word(16) >> 16, 1024, "bytes a page");
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
fn what_an_output_that_is_gone_has_not_delivered_is_told() {
    let scratch = Scratch::new();
    let (mut store, restored) = scratch.open_for(&["behind", "done"]);
    assert_eq!(restored.stranded, []);
    store.commit(&raises(1, 5), at(2000).wall).expect("commits");
    drop(store);
    alter(
        &scratch.database(),
        "UPDATE cursor SET seq=2 WHERE output='behind'; UPDATE cursor SET seq=5 WHERE output='done'",
    );
    // However often, and whatever happens without them.
    for occurrence in 6..=8 {
        let (mut store, restored) = scratch.open_for(&["new"]);
        let [stranded] = &*restored.stranded else {
            panic!("one: {:?}", restored.stranded);
        };
        assert_eq!((&*stranded.output, stranded.events), ("behind", 3));
        assert!(stranded.since.is_some());
        store
            .commit(&raises(occurrence, 1), at(2000).wall)
            .expect("commits");
    }
    // It is no accident that it is behind while it is there.
    let (store, restored) = scratch.open_for(&["behind", "done", "new"]);
    drop(store);
    assert_eq!((restored.stranded, restored.cursors["behind"]), (vec![], 2));
    assert_eq!(restored.cursors["done"], 5);
    // Now it could have had everything.
    let (_store, restored) = scratch.open_for(&["behind", "new"]);
    let told = restored.stranded.iter();
    let told: Vec<_> = told.map(|it| (&*it.output, it.events)).collect();
    assert_eq!(told, [("done", 3)]);
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
fn every_start_takes_an_epoch_of_its_own_and_knows_it_from_two_places() {
    let scratch = Scratch::new();
    let settings = JournalSettings {
        first_epoch: None,
        ..scratch.settings()
    };
    let start = |second| {
        let (mut store, restored) =
            Store::open(&settings, "north", &[], at(second)).expect("the journal opens");
        let shown = store.commit(&raises(1, 1), at(second).wall);
        let id = format!("north:{}:", restored.epoch);
        assert!(shown.expect("commits")[0].line.contains(&id));
        // Not even closed in order: numbers shown without the disk are on no file.
        restored.epoch
    };
    assert_eq!(start(5000), 5000, "Unix seconds");
    assert_eq!(start(5000), 5001);
    assert_eq!(start(100), 5002, "a clock set back");
    fs::remove_file(beside(&scratch.database(), ".epoch")).expect("there");
    assert_eq!(start(100), 5003);
    fs::remove_file(scratch.database()).expect("there");
    assert_eq!(start(100), 5004);
    assert_eq!(start(9000), 9000);
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
    alter(&scratch.database(), "PRAGMA user_version=9");
    let before = fs::read(scratch.database()).expect("there");
    let refused = Store::open(&scratch.settings(), "north", &[], at(1)).expect_err("newer");
    assert!(matches!(refused, OpenError::Newer { found: 9, .. }));
    assert_eq!(fs::read(scratch.database()).expect("there"), before);

    let scratch = Scratch::new();
    alter(&scratch.database(), "CREATE TABLE theirs (x)");
    let before = fs::read(scratch.database()).expect("there");
    let refused = Store::open(&scratch.settings(), "north", &[], at(1)).expect_err("foreign");
    assert!(matches!(refused, OpenError::Foreign { .. }));
    assert_eq!(fs::read(scratch.database()).expect("there"), before);
}

#[test]
fn a_journal_of_the_first_version_is_brought_up_to_date_and_keeps_all_it_knows() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    store.commit(&raises(1, 9), at(2000).wall).expect("commits");
    store.close();
    alter(&scratch.database(), TO_VERSION_1);
    let (mut store, restored) = scratch.open();
    assert_eq!((restored.records[0].occurrence, restored.last_seq), (9, 9));
    assert!(restored.memories.is_empty() && !restored.is_history_lost());
    store
        .remember(&[memory("CO-12/stel", 1990).into()], at(2000).wall)
        .expect("there is a place for it now");
    store.close();
    assert_eq!(scratch.open().1.memories, [memory("CO-12/stel", 1990)]);
}

#[test]
fn a_memory_that_was_altered_is_told_of_and_not_used_and_costs_nothing_else() {
    let scratch = Scratch::new();
    let (mut store, _) = scratch.open();
    store.commit(&raises(1, 9), at(2000).wall).expect("commits");
    let both = [memory("CO-12/stel", 1990), memory("CO-13/stel", 1990)].map(Arc::new);
    store.remember(&both, at(2000).wall).expect("commits");
    store.close();
    alter(
        &scratch.database(),
        "UPDATE memory SET memory = replace(memory, '127.5', '0.5') WHERE alarm = 'CO-12/stel'",
    );
    let (_store, restored) = scratch.open();
    assert_eq!(restored.memories, [memory("CO-13/stel", 1990)]);
    assert_eq!(restored.records.len(), 1);
    assert!(!restored.is_history_lost());
    let notes = restored.notes();
    assert!(notes[0].contains("remembered of CO-12/stel"), "{notes:?}");
}

#[test]
fn damaged_files_do_not_pile_up() {
    let scratch = Scratch::new();
    for _ in 0..6 {
        let (store, _) = scratch.open();
        store.close();
        fs::write(scratch.database(), "garbage").expect("writable");
    }
    let folder = scratch.database();
    let files = fs::read_dir(folder.parent().expect("has one")).expect("there");
    let aside = files
        .filter_map(|file| file.ok()?.file_name().into_string().ok())
        .filter(|name| name.contains(".damaged-"))
        .count();
    assert_eq!(aside, 3);
}

#[test]
fn a_loss_is_found_again_when_the_gateway_was_killed_before_it_told_of_it() {
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 2] = [
        ("gone", |path| fs::remove_file(path).expect("there")),
        ("garbage", |path| fs::write(path, "x").expect("writable")),
    ];
    for (what, harm) in harms {
        let scratch = Scratch::new();
        let (mut store, _) = scratch.open();
        store.commit(&raises(1, 9), at(2000).wall).expect("commits");
        store.close();
        harm(&scratch.database());
        let (killed, first) = scratch.open();
        assert!(first.is_history_lost(), "{what}");
        drop(killed);
        let (mut store, second) = scratch.open();
        assert_eq!(second.lost_tail, 9, "{what}");
        assert!(second.epoch > first.epoch, "{what}");
        store.commit(&raises(1, 1), at(2000).wall).expect("commits");
        store.close();
        assert!(!scratch.open().1.is_history_lost(), "{what}: told once");
    }
}

#[test]
fn an_epoch_file_cut_by_a_kill_or_with_an_absurd_number_stops_nothing() {
    for text in [
        "",
        "Written by",
        "highest epoch \n",
        "highest epoch 18446744073709551615\n",
    ] {
        let scratch = Scratch::new();
        scratch.open().0.close();
        let path = beside(&scratch.database(), ".epoch");
        fs::write(&path, text).expect("writable");
        // What a kill between writing and renaming leaves behind.
        fs::write(beside(&path, ".new"), "highest ep").expect("writable");
        let (_store, restored) = scratch.open();
        assert_eq!(restored.epoch, 1, "{text}");
        let written = fs::read_to_string(&path).expect("there");
        assert!(written.contains("highest epoch 1\n"), "{text}: {written}");
    }
}
