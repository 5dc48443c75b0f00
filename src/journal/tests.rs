//! The thread, its feed and a disk that misbehaves on request.

mod reading;
mod removal;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::chain::verify;
use super::faults::Faults;
use super::scratch::{Scratch, event, memory, raises};
use super::{CommitOutcome, Feed, Inbox, Journal, JournalSettings, Record, Store, run};
use crate::engine::effect::EventKind;
use crate::event::Committed;

/// The machine is shared; a pass takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

struct Bench {
    runtime: Runtime,
    journal: Journal,
    feed: Feed,
    inbox: Inbox,
    faults: Arc<Faults>,
}

impl Bench {
    fn start(scratch: &Scratch) -> Self {
        Self::start_with(&scratch.settings())
    }

    fn start_with(settings: &JournalSettings) -> Self {
        let now = crate::clock::now();
        let (store, restored) =
            Store::open(settings, "north", &["up".into()], now).expect("the journal opens");
        let faults = Arc::clone(&store.faults);
        let metrics = Arc::default();
        let journal = run(store, &restored, settings, metrics).expect("starts");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime starts");
        Self {
            runtime,
            feed: journal.feed(),
            inbox: journal.inbox(),
            journal,
            faults,
        }
    }

    fn push(&self, occurrence: u64) -> tokio::sync::oneshot::Receiver<CommitOutcome> {
        self.raise("PT-330/high", occurrence)
    }

    fn raise(&self, alarm: &str, occurrence: u64) -> tokio::sync::oneshot::Receiver<CommitOutcome> {
        let (tell, told) = tokio::sync::oneshot::channel();
        self.inbox.push(Record {
            event: Box::new(event(EventKind::Raised, alarm, occurrence)),
            committed: Some(Box::new(move |outcome| {
                // Some tests look only at what is shown.
                let _unheard = tell.send(outcome).is_err();
            })),
        });
        told
    }

    fn outcome(&self, told: tokio::sync::oneshot::Receiver<CommitOutcome>) -> CommitOutcome {
        self.wait(told).expect("told before it was dropped")
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime
            .block_on(async { tokio::time::timeout(PATIENCE, future).await })
            .expect("it happens before the deadline")
    }

    fn durable(&self, durable: bool) {
        let mut health = self.journal.health();
        self.wait(health.wait_for(|health| health.durable == durable))
            .expect("the journal lives");
    }

    fn after(&self, seq: u64) -> Vec<Committed> {
        self.wait(self.feed.after(seq, 1000)).expect("readable")
    }

    fn close(self) -> bool {
        let Self {
            runtime, journal, ..
        } = self;
        runtime.block_on(journal.close(PATIENCE))
    }
}

fn ids(events: &[Committed]) -> Vec<&str> {
    let id = |event: &'_ Committed| -> Option<(usize, usize)> {
        let from = event.line.find(':')? + 2;
        Some((from, from + event.line[from..].find('"')?))
    };
    events
        .iter()
        .map(|event| id(event).map_or("", |(from, to)| &event.line[from..to]))
        .collect()
}

/// As in a gateway: an epoch for each start.
fn live(scratch: &Scratch) -> JournalSettings {
    JournalSettings {
        first_epoch: None,
        ..scratch.settings()
    }
}

const fn stored(seq: u64) -> CommitOutcome {
    CommitOutcome::Committed { seq, durable: true }
}

const fn from_memory(seq: u64) -> CommitOutcome {
    CommitOutcome::Committed {
        seq,
        durable: false,
    }
}

#[test]
fn events_come_out_as_they_went_in_from_memory_and_from_disk() {
    let scratch = Scratch::new();
    let bench = Bench::start(&scratch);
    let last = (1..=1500).map(|number| bench.push(number)).last();
    assert_eq!(bench.outcome(last.expect("some")), stored(1500));
    let mut feed = bench.feed.clone();
    bench.wait(feed.advanced(1499));
    assert_eq!(bench.feed.committed(), 1500);
    let mut seen: Vec<Committed> = Vec::new();
    while let Some(more) = Some(bench.after(seen.len() as u64)).filter(|more| !more.is_empty()) {
        seen.extend(more);
    }
    assert!(seen.iter().map(|event| event.seq).eq(1..=1500));
    assert!(seen[0].record.is_none() && seen[1499].record.is_some());
    assert_eq!(seen[0].alarm.as_deref(), Some("PT-330/high"));
    assert_eq!(bench.feed.states()[0].occurrence, 1500);
    bench.feed.acknowledge("up", 700);
    assert!(bench.close());

    let bench = Bench::start(&scratch);
    assert_eq!(bench.feed.cursor("up"), 700);
    assert_eq!(bench.feed.last_seq_at_start(), 1500);
    assert_eq!(bench.feed.states()[0].occurrence, 1500);
    assert_eq!(bench.after(1499)[0].line, seen[1499].line);
    assert!(bench.close());
    assert_eq!(verify(&scratch.database()).expect("sound").rows, 1500);
}

#[test]
fn a_lone_receipt_reaches_the_disk() {
    let scratch = Scratch::new();
    let bench = Bench::start(&scratch);
    let told = bench.push(1);
    bench.outcome(told);
    let before = bench.journal.health().borrow().last_commit;
    bench.feed.acknowledge("up", 1);
    let deadline = crate::clock::monotonic() + PATIENCE;
    while bench.journal.health().borrow().last_commit == before {
        assert!(crate::clock::monotonic() < deadline);
        std::thread::yield_now();
    }
    let connection = super::reader::reader(&scratch.database()).expect("readable");
    let seq: i64 = connection
        .query_row("SELECT seq FROM cursor WHERE output='up'", [], |row| {
            row.get(0)
        })
        .expect("there");
    assert_eq!(seq, 1);
    assert!(bench.close());
}

#[test]
fn what_alarms_remember_goes_with_the_next_event_and_is_not_lost_at_the_end() {
    let scratch = Scratch::new();
    let bench = Bench::start(&scratch);
    let told = bench.push(1);
    bench.outcome(told);
    bench.inbox.remember(memory("A/stel", 60));
    let told = bench.push(2);
    bench.outcome(told);
    let stored = || {
        let connection = super::reader::reader(&scratch.database()).expect("readable");
        super::database::memories(&connection).expect("readable").0
    };
    assert_eq!(stored(), [memory("A/stel", 60)], "it went with the event");
    bench.inbox.remember(memory("A/stel", 120));
    assert!(bench.close());
    assert_eq!(stored(), [memory("A/stel", 120)]);
}

#[test]
fn one_failed_commit_is_repeated_and_nobody_notices() {
    for reached_disk in [false, true] {
        let scratch = Scratch::new();
        let bench = Bench::start(&scratch);
        if reached_disk {
            bench.faults.fail_after(1);
        } else {
            bench.faults.fail(1);
        }
        let told = bench.push(1);
        assert_eq!(bench.outcome(told), stored(1));
        assert_eq!(ids(&bench.after(0)), ["north:1:1"]);
        assert!(bench.close());
        assert_eq!(verify(&scratch.database()).expect("sound").rows, 1);
    }
}

#[test]
fn on_a_failing_disk_delivery_goes_on_and_heals_with_the_ids_that_were_shown() {
    let scratch = Scratch::new();
    let bench = Bench::start(&scratch);
    let told = bench.push(1);
    assert_eq!(bench.outcome(told), stored(1));
    bench.faults.fail(u32::MAX);
    let told = bench.push(2);
    assert_eq!(bench.outcome(told), from_memory(2));
    assert_eq!(bench.journal.health().borrow().reason, Some("io"));
    let told = bench.push(3);
    assert_eq!(bench.outcome(told), from_memory(3));
    let shown = bench.after(1);
    assert_eq!(ids(&shown), ["north:1:2", "north:1:3"]);
    assert!(shown.iter().all(|event| !event.durable));
    assert_eq!(bench.feed.states()[0].occurrence, 3);
    bench.feed.acknowledge("up", 3);

    bench.faults.fail(0);
    bench.durable(true);
    let told = bench.push(4);
    assert_eq!(bench.outcome(told), stored(4));
    assert!(bench.close());
    let bench = Bench::start(&scratch);
    assert_eq!(bench.feed.cursor("up"), 3);
    let all = bench.after(0);
    assert_eq!(
        ids(&all),
        ["north:1:1", "north:1:2", "north:1:3", "north:1:4"]
    );
    assert!(all[1..3].iter().zip(&shown).all(|(a, b)| a.line == b.line));
    assert!(bench.close());
}

#[test]
fn a_crash_on_a_failing_disk_gives_no_id_twice() {
    let scratch = Scratch::new();
    let settings = live(&scratch);
    let mut shown = Vec::new();
    for round in 0..3 {
        let bench = Bench::start_with(&settings);
        let first = bench.feed.committed();
        let told = bench.push(round);
        assert_eq!(bench.outcome(told), stored(first + 1));
        bench.faults.fail(u32::MAX);
        let told = bench.push(round);
        assert_eq!(bench.outcome(told), from_memory(first + 2));
        shown.extend(bench.after(first));
        assert!(!bench.close(), "not everything is on disk, and it says so");
    }
    let mut unique = ids(&shown);
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), shown.len(), "{:?}", ids(&shown));
}

#[test]
fn a_crash_after_the_disk_hung_finds_every_event_as_it_was_shown() {
    for reached_disk in [true, false] {
        let scratch = Scratch::new();
        let settings = live(&scratch);
        let bench = Bench::start_with(&settings);
        let told = bench.push(1);
        assert_eq!(bench.outcome(told), stored(1));
        bench.faults.hang(true);
        let told = bench.push(2);
        let now = crate::clock::now();
        bench.journal.tick(now.after(Duration::from_secs(3)));
        assert_eq!(bench.outcome(told), from_memory(2));
        let shown = bench.after(0);
        if reached_disk {
            bench.faults.fail_after(u32::MAX);
        } else {
            bench.faults.fail(u32::MAX);
        }
        bench.faults.hang(false);
        assert!(!bench.close(), "nobody knows, and it says so");

        let bench = Bench::start_with(&settings);
        let kept = 1 + u64::from(reached_disk);
        assert_eq!(bench.feed.committed(), kept);
        let told = bench.push(3);
        assert_eq!(bench.outcome(told), stored(kept + 1));
        let now = bench.after(0);
        if reached_disk {
            assert_eq!(now[1].line, shown[1].line, "the same event has the same id");
        } else {
            assert_ne!(ids(&now)[1], ids(&shown)[1], "another event has another id");
        }
        assert!(bench.close());
    }
}

#[test]
fn on_a_disk_that_hangs_delivery_goes_on_and_closing_does_not_wait_for_ever() {
    let scratch = Scratch::new();
    let bench = Bench::start(&scratch);
    bench.faults.hang(true);
    let told = bench.push(1);
    let now = crate::clock::now();
    bench.journal.tick(now.after(Duration::from_secs(1)));
    assert_eq!(bench.feed.committed(), 0, "not yet: it may be only slow");
    bench.journal.tick(now.after(Duration::from_secs(3)));
    assert_eq!(bench.outcome(told), from_memory(1));
    assert_eq!(bench.journal.health().borrow().reason, Some("slow"));
    let told = bench.push(2);
    assert_eq!(bench.outcome(told), from_memory(2));
    assert_eq!(ids(&bench.after(0)), ["north:1:1", "north:1:2"]);
    bench.faults.hang(false);
    bench.durable(true);
    let told = bench.push(3);
    assert_eq!(bench.outcome(told), stored(3));

    bench.faults.hang(true);
    let faults = Arc::clone(&bench.faults);
    let told = bench.push(4);
    let Bench {
        runtime, journal, ..
    } = bench;
    let stored = runtime.block_on(journal.close(Duration::from_millis(50)));
    assert!(!stored);
    faults.hang(false);
    let late = runtime.block_on(async { tokio::time::timeout(PATIENCE, told).await });
    assert!(
        late.is_ok_and(|late| late.is_ok()),
        "the waiter is told in the end"
    );
    // The thread lets go of the file a moment later.
    let deadline = crate::clock::monotonic() + PATIENCE;
    let reopened = loop {
        let again = Store::open(&scratch.settings(), "north", &[], crate::clock::now());
        if again.is_ok() || crate::clock::monotonic() > deadline {
            break again;
        }
        std::thread::yield_now();
    };
    let (_store, restored) = reopened.expect("the lock is free in the end");
    assert_eq!(restored.last_seq, 4);
    let verified = verify(&scratch.database()).expect("sound");
    assert_eq!((verified.rows, verified.dropped), (4, 0));
}

#[test]
fn after_closing_events_are_refused_and_counted() {
    let scratch = Scratch::new();
    let bench = Bench::start(&scratch);
    let inbox = bench.inbox.clone();
    assert!(bench.close());
    let (tell, mut told) = tokio::sync::oneshot::channel();
    inbox.push(Record {
        event: Box::new(event(EventKind::Raised, "PT-330/high", 1)),
        committed: Some(Box::new(move |outcome| {
            tell.send(outcome).expect("the test waits");
        })),
    });
    assert_eq!(told.try_recv(), Ok(CommitOutcome::Dropped));
}
