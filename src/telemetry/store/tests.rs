//! A real file in a folder of its own.

use super::*;
use crate::engine::reading::{PointIndex, Quality};
use crate::engine::time::Wall;
use crate::journal::scratch::Scratch;
use crate::telemetry::record::encode;

const CAP: u64 = 4 << 20;

struct World {
    scratch: Scratch,
    settings: DiskSettings,
}

impl World {
    fn new() -> Self {
        let scratch = Scratch::new();
        let settings = DiskSettings {
            path: scratch.folder().join("telemetry.db"),
            max_size: CAP,
            keep: Duration::from_secs(86_400),
        };
        Self { scratch, settings }
    }

    fn open(&self) -> (Store, Contents) {
        self.open_with(&["A", "B"])
    }

    fn open_with(&self, points: &[&str]) -> (Store, Contents) {
        let points = points.iter().map(|id| (Arc::from(*id), Arc::from("bar")));
        let names = Arc::new(Names::new(points));
        Store::open(&self.settings, &names, &["up".into()]).expect("the folder is ours")
    }

    /// Bytes of everything in the folder.
    fn folder(&self) -> u64 {
        let files = fs::read_dir(self.scratch.folder()).expect("there");
        files
            .map(|file| {
                file.expect("there")
                    .metadata()
                    .map_or(0, |found| found.len())
            })
            .sum()
    }
}

fn record(number: u64) -> Record {
    let time = Wall::from_unix_nanos(i64::try_from(number).expect("few") * 1_000_000);
    Record {
        point: PointIndex(1),
        time,
        from: time,
        value: Some(number as f64),
        quality: Quality::Good,
        reason: None,
        held: false,
        range: None,
        count: 1,
    }
}

/// A block with many records, recorded at one millisecond each.
fn block(first: u64, last: u64) -> Block {
    Block {
        first,
        last,
        newest_ms: i64::try_from(last).expect("few"),
        bytes: encode((first..=last).map(record)).into(),
    }
}

fn write(store: &mut Store, blocks: &[Block], cursor: u64) -> Written {
    let cursors = [(Arc::from("up"), cursor)];
    let newest = blocks.last().map_or(0, |block| block.newest_ms);
    let write = Write {
        blocks,
        cursors: &cursors,
        safe: cursor,
        now_ms: newest,
    };
    store.write(&write).expect("the disk works")
}

/// Numbers of all records after `after`.
fn all(store: &mut Store, mut after: u64) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let (Some(page), _) = store.read(after).expect("the disk works") {
        for (number, content) in page.records {
            assert_eq!(content, record(number));
            numbers.push(number);
            after = number;
        }
    }
    numbers
}

#[test]
fn what_was_written_is_there_after_a_restart_and_so_are_cursors() {
    let world = World::new();
    let (mut store, contents) = world.open();
    assert_eq!((contents.disk, contents.last), (None, 0));
    write(&mut store, &[block(1, 500), block(501, 900)], 0);
    write(&mut store, &[block(901, 950)], 120);
    drop(store);
    let (mut store, contents) = world.open();
    assert_eq!((contents.disk, contents.last), (Some(1..=950), 950));
    assert_eq!(contents.cursors, [(Arc::from("up"), 120)]);
    assert!(all(&mut store, 120).into_iter().eq(121..=950));
}

#[test]
fn what_every_output_has_goes_and_its_room_is_used_again() {
    let world = World::new();
    let (mut store, _) = world.open();
    write(&mut store, &[block(1, 500), block(501, 900)], 0);
    let written = write(&mut store, &[block(901, 1000)], 600);
    assert_eq!(written.disk, Some(501..=1000));
    let written = write(&mut store, &[], 1000);
    assert_eq!(written, Written::default());
    drop(store);
    let (_, contents) = world.open();
    assert_eq!(
        (contents.disk, contents.last),
        (None, 1000),
        "numbers go on"
    );
}

#[test]
fn the_file_is_never_over_its_cap_and_the_oldest_goes_first() {
    let world = World::new();
    let (mut store, _) = world.open();
    let (mut next, mut evicted) = (1, 0);
    for _ in 0..300 {
        let blocks: Vec<_> = (0..8)
            .map(|position| block(next + position * 512, next + position * 512 + 511))
            .collect();
        next += 8 * 512;
        let written = write(&mut store, &blocks, 0);
        for range in written.evicted {
            assert_eq!(*range.start(), evicted + 1, "the oldest, and none twice");
            evicted = *range.end();
        }
        assert!(
            store.size() <= CAP && world.folder() <= CAP,
            "{}",
            store.size()
        );
        assert_eq!(written.disk, Some(evicted + 1..=next - 1));
    }
    assert!(evicted > 0, "it was filled");
    assert!(store.size() > CAP / 2, "and used");
    assert!(all(&mut store, 0).into_iter().eq(evicted + 1..=next - 1));
}

#[test]
fn what_is_too_old_goes() {
    let world = World::new();
    let (mut store, _) = world.open();
    write(&mut store, &[block(1, 500), block(501, 900)], 0);
    let late = Block {
        newest_ms: 86_400_000 + 600,
        ..block(901, 950)
    };
    let written = write(&mut store, &[late], 0);
    assert_eq!(written.expired, [1..=500]);
    assert_eq!(written.disk, Some(501..=950));
}

#[test]
fn records_keep_the_names_of_their_time() {
    let world = World::new();
    let (mut store, _) = world.open();
    write(&mut store, &[block(1, 10)], 0);
    drop(store);
    let (mut store, _) = world.open_with(&["A", "NEW", "B"]);
    write(&mut store, &[block(11, 20)], 0);
    let mut name = |after| {
        let (page, _) = store.read(after).expect("the disk works");
        let page = page.expect("a page");
        let (_, record) = page.records[0];
        page.names.get(record.point).map(|(id, _)| id.to_owned())
    };
    assert_eq!(name(0).as_deref(), Some("B"));
    assert_eq!(name(10).as_deref(), Some("NEW"));
    assert_eq!(name(0).as_deref(), Some("B"));
    // Names that nothing needs any more go with the next start.
    write(&mut store, &[], 20);
    drop(store);
    let (store, _) = world.open();
    let count = "SELECT count(*) FROM catalogue";
    let count: i64 = store
        .connection
        .query_row(count, [], |row| row.get(0))
        .expect("there");
    assert_eq!(count, 1);
}

#[test]
fn a_damaged_block_is_passed_over_and_a_damaged_file_is_said_to_be_one() {
    let world = World::new();
    let (mut store, _) = world.open();
    write(&mut store, &[block(1, 10), block(11, 20), block(21, 30)], 0);
    let spoil = "UPDATE block SET records=zeroblob(40) WHERE last=20";
    store.connection.execute(spoil, []).expect("there");
    let (page, damaged) = store.read(14).expect("the disk works");
    assert_eq!((page.map(|page| page.records[0].0), damaged), (Some(21), 6));
    let (_, damaged) = store.read(14).expect("the disk works");
    assert_eq!(damaged, 0, "counted once");
    let numbers = all(&mut store, 0);
    assert!(numbers.into_iter().eq((1..=10).chain(21..=30)));
    drop(store);
    fs::write(&world.settings.path, vec![7; 20_000]).expect("ours");
    let names = Arc::new(Names::default());
    let error = Store::open(&world.settings, &names, &[]).expect_err("it is no database");
    assert!(error.is_damage(), "{error:?}");
    set_aside(&world.settings.path).expect("ours");
    let (_, contents) = world.open();
    assert_eq!(contents.last, 0);
}

#[test]
fn the_file_of_another_program_is_left_alone() {
    let world = World::new();
    let other = Connection::open(&world.settings.path).expect("ours");
    other
        .execute_batch("PRAGMA application_id=7; CREATE TABLE theirs(x)")
        .expect("ours");
    let names = Arc::new(Names::default());
    let error = Store::open(&world.settings, &names, &[]).expect_err("it is not ours");
    assert!(matches!(error, StoreError::Foreign { .. }) && !error.is_damage());
}
