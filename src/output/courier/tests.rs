//! The courier over a real journal, with a scripted far end and virtual time.

mod aside;
mod hanging;
mod owed;
mod put_by;
mod slow;
mod snapshot;

use std::sync::Mutex;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::*;
use crate::engine::effect::EventKind;
use crate::engine::reading::{Measured, Reading, Service};
use crate::evaluation;
use crate::journal::scratch::{Scratch, event};
use crate::journal::{ByHand, Fate, Record};
use crate::output::verdict::{UNAVAILABLE, UNWELCOME};

/// What a far end was given and when, in whole seconds.
type Got = Arc<Mutex<Vec<(u64, String)>>>;

type Answering = Box<dyn FnMut(&Load<'_>) -> Verdict + Send>;

struct FarEnd {
    got: Got,
    began: Mono,
    answer: Answering,
    wants: fn(&WireEvent) -> bool,
    sums_up: bool,
    tells_present: bool,
    readers: fn(&WireEvent) -> Vec<Arc<str>>,
    /// Readers who were put off rest so long.
    rest: Mono,
    /// Until then they are waited for.
    patience: Mono,
    takes: fn(&Load<'_>) -> Duration,
    /// By the number of the event.
    stuck: fn(u64) -> bool,
    /// Is it given all of it before it answers?
    takes_all_first: fn(&Load<'_>) -> bool,
    on_its_way: Arc<AtomicBool>,
}

impl Carrier for FarEnd {
    fn readers(&self, event: &WireEvent) -> Vec<Arc<str>> {
        (self.readers)(event)
    }

    fn may_try(&self, _reader: &str, now: Mono) -> bool {
        now >= self.rest
    }

    fn is_stuck(&self, _reader: &str, seq: u64) -> bool {
        (self.stuck)(seq)
    }

    fn on_its_way(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.on_its_way)
    }

    fn patience(&self, now: Mono) -> Option<Duration> {
        (now < self.patience).then(|| self.patience.since(now))
    }

    fn wants(&self, event: &WireEvent) -> bool {
        (self.wants)(event)
    }

    fn sums_up(&self) -> bool {
        self.sums_up
    }

    fn tells_present(&self) -> bool {
        self.tells_present
    }

    async fn carry(&mut self, load: &Load<'_>) -> Verdict {
        let mark = |parcel: &Parcel| if parcel.replayed { "r" } else { "" };
        let words = match load {
            Load::Event(parcel) => {
                assert_eq!(parcel.line.contains("\"replayed\":true"), parcel.replayed);
                format!("{}{}", parcel.seq, mark(parcel))
            }
            Load::Summary(parcels) => format!("summary of {}", parcels.len()),
            Load::Present(present) => format!("present at {}", present.seq),
            Load::Owed { reader, parcels } => {
                let seqs: Vec<_> = parcels.iter().map(|it| it.seq.to_string()).collect();
                format!("{} to {reader}", seqs.join(" "))
            }
        };
        let verdict = (self.answer)(load);
        if matches!(verdict, Verdict::Parted(_)) && clock::monotonic() >= self.rest {
            self.rest = clock::monotonic() + seconds(60);
        }
        let on_its_way = (self.takes_all_first)(load);
        self.on_its_way.store(on_its_way, Ordering::Relaxed);
        sleep((self.takes)(load)).await;
        let second = clock::monotonic().since(self.began).as_secs();
        let taken = if verdict.is_accepted() { "" } else { "!" };
        let got = format!("{words}{taken}");
        self.got.lock().expect("no panic").push((second, got));
        verdict
    }
}

/// A journal and an output of it.
struct World {
    scratch: Scratch,
    journal: ByHand,
    got: Got,
    far_end: Option<FarEnd>,
    raised: u64,
    /// What the output tells of itself.
    told: Option<mpsc::Receiver<evaluation::Delivery>>,
}

impl World {
    fn new(answer: impl FnMut(&Load<'_>) -> Verdict + Send + 'static) -> Self {
        Self::begin(Scratch::new(), 0, answer)
    }

    /// The power fails after cursor and receipts are on disk, and comes back: another run over the same journal.
    async fn again(mut self, answer: impl FnMut(&Load<'_>) -> Verdict + Send + 'static) -> Self {
        self.journal.write(clock::now());
        sleep(seconds(1)).await;
        self.journal.write(clock::now());
        let (scratch, raised) = (self.scratch, self.raised);
        drop(self.journal);
        Self::begin(scratch, raised, answer)
    }

    fn begin(
        scratch: Scratch,
        raised: u64,
        answer: impl FnMut(&Load<'_>) -> Verdict + Send + 'static,
    ) -> Self {
        let outputs = [Arc::from("up")];
        let journal = ByHand::open(
            &scratch.settings(),
            "north",
            &outputs,
            Arc::default(),
            clock::now(),
        );
        let (journal, _) = journal.expect("it opens");
        let got = Got::default();
        let far_end = FarEnd {
            got: Arc::clone(&got),
            began: clock::monotonic(),
            answer: Box::new(answer),
            wants: |_event| true,
            sums_up: false,
            tells_present: false,
            readers: |_event| Vec::new(),
            rest: Mono::ZERO,
            patience: Mono::ZERO,
            takes: |_load| Duration::from_millis(10),
            stuck: |_seq| false,
            takes_all_first: |_load| false,
            on_its_way: Arc::default(),
        };
        Self {
            scratch,
            journal,
            got,
            far_end: Some(far_end),
            raised,
            told: None,
        }
    }

    fn far_end(&mut self) -> &mut FarEnd {
        self.far_end.as_mut().expect("it does not run yet")
    }

    /// So many more events, committed.
    fn commit(&mut self, count: u64) {
        for _ in 0..count {
            self.raised += 1;
            let event = Box::new(event(EventKind::Raised, "P/high", self.raised));
            let committed = None;
            self.journal.push(Record { event, committed }, clock::now());
        }
        self.journal.write(clock::now());
    }

    /// Runs the output; `during` happens beside it.
    async fn run(&mut self, during: impl AsyncFnOnce(&mut Self)) {
        let far_end = self.far_end.take().expect("it runs once");
        let (readings, told) = mpsc::channel(64);
        self.told = Some(told);
        let wiring = wiring(self.journal.feed(), readings);
        let (stop, stopped) = watch::channel(false);
        let output = run("up".into(), PointIndex(0), far_end, wiring, stopped);
        let life = async {
            during(self).await;
            stop.send_replace(true);
        };
        tokio::join!(output, life);
        self.journal.write(clock::now());
    }

    /// Services that the output reported since it was asked last.
    fn services(&mut self) -> Vec<Service> {
        let told = self.told.as_mut().expect("it runs");
        let told = std::iter::from_fn(|| told.try_recv().ok());
        let told = told.filter_map(|delivery| match delivery.readings {
            evaluation::Batch::One(Reading {
                measured: Measured::Sample(sample),
                ..
            }) => sample.value(),
            evaluation::Batch::One(_) | evaluation::Batch::Many(_) => None,
        });
        told.map(Service::of).collect()
    }

    fn cursor(&self) -> u64 {
        self.journal.feed().cursor("up")
    }

    /// What the ledger says of an event.
    async fn fate(&self, seq: u64) -> Vec<Fate> {
        let receipts = self.journal.feed().receipts(seq).await;
        let receipts = receipts.expect("a sound disk");
        receipts.iter().map(|receipt| receipt.fate).collect()
    }

    /// What was taken or refused, in order.
    fn got(&self) -> Vec<String> {
        let got = self.got.lock().expect("no panic");
        got.iter().map(|(_, what)| what.clone()).collect()
    }

    async fn until_cursor(&self, seq: u64) {
        let looking = async {
            while self.cursor() < seq {
                sleep(Duration::from_millis(10)).await;
            }
        };
        let arrived = timeout(Duration::from_secs(7200), looking).await;
        assert!(arrived.is_ok(), "{:?}", self.got());
    }
}

/// Of an output that writes to nobody by name and asks the engine nothing.
fn wiring(feed: Feed, readings: evaluation::Readings) -> Wiring {
    let (_, desk, _inlet) = evaluation::door();
    Wiring {
        site: "north".into(),
        guidance: Arc::default(),
        feed,
        readers: crate::wording::Readers::default(),
        links: None,
        desk,
        telemetry: None,
        readings,
        metrics: Arc::default(),
        sources: Arc::default(),
    }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn busy() -> Verdict {
    Verdict::later(UNAVAILABLE, "HTTP 503".to_owned())
}

fn refused() -> Verdict {
    Verdict::Refused {
        why: "HTTP 400".to_owned(),
    }
}

const fn accepted(_load: &Load<'_>) -> Verdict {
    Verdict::accepted()
}

fn is(load: &Load<'_>, seq: u64) -> bool {
    matches!(load, Load::Event(parcel) if parcel.seq == seq)
}

/// Takes nothing in the first `span`.
fn gone_for(span: Duration) -> impl FnMut(&Load<'_>) -> Verdict {
    let began = clock::monotonic();
    move |_load| {
        let gone = clock::monotonic().since(began) < span;
        if gone { busy() } else { Verdict::accepted() }
    }
}

#[tokio::test(start_paused = true)]
async fn events_go_one_by_one_with_a_receipt_for_each() {
    let mut world = World::new(accepted);
    world
        .run(async |world| {
            world.commit(3);
            world.until_cursor(3).await;
            world.commit(2);
            world.until_cursor(5).await;
        })
        .await;
    assert_eq!(world.got(), ["1", "2", "3", "4", "5"]);
    for seq in 1..=5 {
        let receipts = world
            .journal
            .feed()
            .receipts(seq)
            .await
            .expect("a sound disk");
        let outputs: Vec<&str> = receipts.iter().map(|receipt| &*receipt.output).collect();
        assert_eq!(outputs, ["up"], "{seq}");
    }
    assert_eq!(world.fate(6).await, []);
    assert!(world.scratch.database().exists());
}

#[tokio::test(start_paused = true)]
async fn what_a_receiver_missed_comes_again_marked_and_what_follows_is_live() {
    let mut world = World::new(gone_for(seconds(20)));
    world
        .run(async |world| {
            world.commit(2);
            world.until_cursor(2).await;
            world.commit(1);
            world.until_cursor(3).await;
        })
        .await;
    let got = world.got();
    assert_eq!(got[0], "1!");
    assert_eq!(got[got.len() - 3..], ["1r", "2r", "3"]);
    let tries = got.len() - 3;
    assert!((3..12).contains(&tries), "{tries} tries in 20 s: {got:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_asked_for_is_kept() {
    let mut first = true;
    let mut world = World::new(move |_load| {
        let wait = Verdict::Later {
            after: Some(seconds(90)),
            reason: UNAVAILABLE,
            why: "HTTP 429".to_owned(),
        };
        if std::mem::take(&mut first) {
            wait
        } else {
            Verdict::accepted()
        }
    });
    world
        .run(async |world| {
            world.commit(1);
            world.until_cursor(1).await;
        })
        .await;
    let got = world.got.lock().expect("no panic").clone();
    assert_eq!(got.len(), 2);
    assert_eq!((got[0].0, got[1].0), (0, 90), "{got:?}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_password_sets_nothing_aside() {
    let began = clock::monotonic();
    let mut world = World::new(move |_load| {
        let wrong = clock::monotonic().since(began) < seconds(3600);
        let why = "HTTP 401".to_owned();
        if wrong {
            Verdict::later(UNWELCOME, why)
        } else {
            Verdict::accepted()
        }
    });
    world
        .run(async |world| {
            world.commit(3);
            world.until_cursor(3).await;
        })
        .await;
    let got = world.got();
    // After so long the first may come last (`stubborn`).
    let mut taken: Vec<_> = got.iter().filter(|it| !it.ends_with('!')).collect();
    taken.sort();
    assert_eq!(taken, ["1r", "2r", "3r"]);
    assert!(got.len() < 40, "{} tries in an hour", got.len());
}

#[tokio::test(start_paused = true)]
async fn old_notices_are_summed_up_and_what_is_not_wanted_is_passed_over() {
    // Events of this scratch journal happened long ago, by the wall clock of the test.
    let mut world = World::new(gone_for(seconds(30)));
    world.far_end().sums_up = true;
    world.far_end().wants = |event| event.seq % 2 == 0;
    world
        .run(async |world| {
            world.commit(700);
            world.until_cursor(700).await;
        })
        .await;
    let got = world.got();
    assert!(got[0].ends_with('!'), "{}", got[0]);
    let taken: Vec<_> = got.iter().filter(|it| !it.ends_with('!')).collect();
    assert_eq!(taken, ["summary of 250", "summary of 100"]);
    let feed = world.journal.feed();
    assert_eq!(feed.receipts(700).await.expect("a sound disk").len(), 1);
    assert_eq!(feed.receipts(699).await.expect("a sound disk").len(), 0);
}
