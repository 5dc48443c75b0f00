//! Memory, keeper and file together, in a time of their own.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use super::*;
use crate::engine::reading::{PointIndex, Quality};
use crate::engine::time::Mono;
use crate::journal::scratch::Scratch;

const EVERY: Duration = Duration::from_secs(30);

struct World {
    scratch: Scratch,
    journal: Arc<Mutex<JournalState>>,
    metrics: Arc<Metrics>,
    now: Moment,
}

impl World {
    fn new() -> Self {
        Self {
            scratch: Scratch::new(),
            journal: Arc::new(Mutex::new(JournalState::Sound)),
            metrics: Arc::default(),
            now: Moment {
                mono: Mono::ZERO + EVERY,
                wall: clock::now().wall,
            },
        }
    }

    fn file(&self) -> PathBuf {
        self.scratch.folder().join("telemetry.db")
    }

    fn open(&self) -> ByHand {
        self.open_at(self.file())
    }

    fn open_at(&self, path: PathBuf) -> ByHand {
        let settings = TelemetrySettings {
            pace: Pace {
                shortest: Duration::ZERO,
                longest: EVERY,
            },
            deadbands: vec![0.0],
            disk: Some(DiskSettings {
                path,
                max_size: 4 << 20,
                keep: Duration::from_secs(86_400),
            }),
            commit_every: EVERY,
        };
        let names = Names::new([(Arc::from("A"), Arc::from("bar"))].into_iter());
        let journal = Arc::clone(&self.journal);
        let journal = move || *journal.lock().expect("nobody panics");
        let metrics = Arc::clone(&self.metrics);
        ByHand::open(&settings, names, &["up".into()], journal, metrics, self.now)
    }

    /// Takes `count` records, and lets a commit become due.
    fn record(&mut self, telemetry: &mut ByHand, count: u64) {
        for _ in 0..count {
            telemetry.push(Record {
                point: PointIndex(0),
                time: self.now.wall,
                from: self.now.wall,
                value: Some(1.5),
                quality: Quality::Good,
                reason: None,
                held: false,
                range: None,
                count: 1,
            });
        }
        self.now = self.now.after(EVERY);
        telemetry.turn(self.now);
    }

    fn counted(&self, series: &str) -> u64 {
        let page = self.metrics.render(None);
        let line = page.lines().find_map(|line| line.strip_prefix(series));
        line.map_or(0, |value| value.trim().parse().expect("a number"))
    }

    fn size(&self) -> u64 {
        store::size(&self.file())
    }
}

/// How many records there are behind `after`, wherever they lie.
fn count(telemetry: &mut ByHand, mut after: u64) -> u64 {
    let feed = telemetry.feed();
    let mut count = 0;
    loop {
        let page = match feed.read(after, u64::MAX, 1000) {
            Next::Nothing => return count,
            Next::Page(page) => page,
            Next::OnDisk(mut page) => {
                telemetry.answer();
                page.try_recv().expect("the disk works")
            }
        };
        for (number, record) in page.records {
            assert_eq!(page.names.get(record.point), Some(("A", "bar")));
            assert!(number > after);
            (after, count) = (number, count + 1);
        }
    }
}

#[test]
fn what_arrives_in_time_is_never_written() {
    let mut world = World::new();
    let mut telemetry = world.open();
    let feed = telemetry.feed();
    let size = world.size();
    for _ in 0..50 {
        world.record(&mut telemetry, 0);
        telemetry.push(Record {
            point: PointIndex(0),
            time: world.now.wall,
            from: world.now.wall,
            value: None,
            quality: Quality::Bad,
            reason: None,
            held: false,
            range: None,
            count: 1,
        });
        feed.arrived("up", feed.newest());
    }
    assert_eq!(world.size(), size);
    assert_eq!(world.counted("forewarn_telemetry_written_bytes_total"), 0);
}

#[test]
fn a_power_cut_costs_what_came_after_the_last_commit_and_no_more() {
    let mut world = World::new();
    let mut telemetry = world.open();
    world.record(&mut telemetry, 2000);
    let first = telemetry.feed().cursor("up");
    telemetry.feed().arrived("up", first + 700);
    world.record(&mut telemetry, 1000);
    telemetry.feed().arrived("up", first + 900);
    let newest = telemetry.feed().newest();
    drop(telemetry);
    let mut telemetry = world.open();
    let feed = telemetry.feed();
    assert_eq!((feed.cursor("up"), feed.newest()), (first + 700, newest));
    assert_eq!(count(&mut telemetry, first + 700), 2300);
    // Numbers go on.
    world.record(&mut telemetry, 10);
    assert_eq!(telemetry.feed().newest(), newest + 10);
    assert_eq!(count(&mut telemetry, first + 700), 2310);
    assert_eq!(telemetry.feed().dropped(), 0);
}

#[test]
fn a_damaged_file_is_set_aside_and_stops_nothing() {
    let mut world = World::new();
    fs::write(world.file(), vec![7; 9000]).expect("our own folder");
    let mut telemetry = world.open();
    world.record(&mut telemetry, 100);
    assert!(world.scratch.folder().join("telemetry.db.damaged").exists());
    drop(telemetry);
    let mut telemetry = world.open();
    let cursor = telemetry.feed().cursor("up");
    assert_eq!(count(&mut telemetry, cursor), 100);
}

#[test]
fn without_a_disk_that_works_memory_goes_on_until_it_does() {
    let mut world = World::new();
    let in_the_way = world.scratch.folder().join("folder");
    fs::write(&in_the_way, "").expect("our own folder");
    let mut telemetry = world.open_at(in_the_way.join("telemetry.db"));
    let cursor = telemetry.feed().cursor("up");
    for _ in 0..5 {
        world.record(&mut telemetry, 100);
    }
    assert_eq!(count(&mut telemetry, cursor), 500);
    fs::remove_file(&in_the_way).expect("our own folder");
    for _ in 0..25 {
        world.record(&mut telemetry, 100);
    }
    assert!(in_the_way.join("telemetry.db").exists());
    assert_eq!(count(&mut telemetry, cursor), 3000);
    assert_eq!(telemetry.feed().dropped(), 0);
}

#[test]
fn a_journal_without_its_disk_comes_first() {
    let mut world = World::new();
    let mut telemetry = world.open();
    let cursor = telemetry.feed().cursor("up");
    *world.journal.lock().expect("nobody panics") = JournalState::Volatile;
    let size = world.size();
    world.record(&mut telemetry, 5000);
    assert_eq!(world.size(), size, "nothing is written");
    *world.journal.lock().expect("nobody panics") = JournalState::Sound;
    world.record(&mut telemetry, 1);
    assert!(world.size() > size);
    // More than memory keeps, so that a part is on disk only.
    for _ in 0..65 {
        world.record(&mut telemetry, 5000);
    }
    assert_eq!(telemetry.feed().dropped(), 0);
    *world.journal.lock().expect("nobody panics") = JournalState::DiskFull;
    world.record(&mut telemetry, 1);
    assert_eq!(world.size(), 0, "it gives the room back");
    let dropped = telemetry.feed().dropped();
    let left = count(&mut telemetry, cursor);
    assert!(dropped > 0 && left > 0);
    assert_eq!(dropped + left, 5000 + 1 + 65 * 5000 + 1);
    let series = "forewarn_telemetry_dropped_total{reason=\"gave_way\"}";
    assert_eq!(world.counted(series), dropped);
}
