//! Days without upstream, in virtual time, on real files.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use forewarn::config::{self, Config, Source};
use forewarn::engine::effect::{Effect, Run};
use forewarn::engine::reading::{PointIndex, Quality, Reading, Sample};
use forewarn::engine::snapshot::{History, Shown};
use forewarn::engine::time::{Moment, Mono, Wall};
use forewarn::journal::{self, Record};
use forewarn::metrics::Metrics;
use forewarn::notify::station::Station;
use forewarn::telemetry::{self, JournalState, Names, Recorder};

use crate::daemon::gateway::SITE;

/// The shortest interval between two records of a point.
const STEP: Duration = Duration::from_secs(10);
/// Steps from alarm to alarm.
const ALARM: u64 = 6;
/// Records of which point and time are remembered; more than the largest store keeps.
const REMEMBERED: usize = 10_000_000;

/// What upstream missed.
pub(super) struct Days {
    /// Ids of all events.
    pub(super) events: BTreeSet<String>,
    pub(super) recorded: u64,
    pub(super) dropped: u64,
    /// Point and time (milliseconds since 1970) of the records that are left, oldest first.
    pub(super) kept: VecDeque<(u32, i64)>,
    pub(super) ended_ms: i64,
    days: f64,
    /// Bytes that the file of telemetry had written.
    written: f64,
    largest: u64,
    journal: u64,
}

/// The gateway, and upstream at `port`, which is away.
pub(super) fn configuration(port: u16, cap: u64, points: u32) -> String {
    let mut text = format!(
        "[broker.plant]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
         [output.control-room]\nmqtt = \"mqtt://127.0.0.1:{port}\"\nreadings = \"batches\"\n\
         [telemetry]\nmax_size = \"{}MiB\"\n",
        cap >> 20
    );
    // The last one has no alarm before upstream is back.
    for point in 0..=points {
        write!(
            text,
            "[point.P-{point}]\ntopic = \"load/{point}\"\nhigh = 60\nunit = \"bar\"\nrange = [0, 100]\n\
             good_confirm = \"0s\"\nstale_after = \"7d\"\n"
        )
        .expect("a string takes all");
    }
    text
}

/// Bytes of everything of telemetry.
pub(super) fn telemetry_on_disk(data: &Path) -> u64 {
    let files = fs::read_dir(data).expect("our own folder");
    let files = files.map(|file| file.expect("ours"));
    let ours = files.filter(|file| file.file_name().to_string_lossy().starts_with("telemetry"));
    ours.map(|file| file.metadata().map_or(0, |found| found.len()))
        .sum()
}

impl Days {
    pub(super) fn pass(lines: &str, data: &Path, points: u32, hours: u64, cap: u64) -> Self {
        let text = format!("site = \"{SITE}\"\n{lines}");
        let (mut config, _) = config::load(&Source::text("plant", &text)).expect("a good plant");
        config.journal.path = data.join("journal.db");
        let metrics = Arc::new(Metrics::default());
        let span = Duration::from_secs(hours * 3600);
        let start = Moment {
            mono: Mono::ZERO,
            wall: forewarn::clock::now().wall - span,
        };
        let mut plant = Plant::open(&mut config, data, points, &metrics, start);
        let (mut largest, mut journal) = (0, 0);
        let steps = hours * 3600 / STEP.as_secs();
        for step in 0..steps {
            let now = start.after(STEP * u32::try_from(step).expect("days"));
            plant.measure(step, now);
            plant.telemetry.turn(now);
            if step % ALARM == 0 {
                plant.alarm(step / ALARM, now);
            }
            if step % 30 == 0 {
                let size = telemetry_on_disk(data);
                assert!(size <= cap, "{size} bytes at step {step}");
                largest = size.max(largest);
                let size = plant.journal.health();
                assert!(size.size <= size.limit && size.durable && size.dropped == 0);
                journal = size.size;
            }
        }
        let end = start.after(span);
        plant.close(end);
        let page = metrics.render(None);
        let Plant {
            kept,
            feed,
            recorded,
            journal: closed,
            ..
        } = plant;
        drop(closed);
        let dropped = feed.dropped();
        let written = page
            .lines()
            .find_map(|line| line.strip_prefix("forewarn_telemetry_written_bytes_total "));
        let left = usize::try_from(recorded - dropped).expect("few");
        assert!(left <= kept.len(), "{left} records are left");
        Self {
            events: events(&config, end),
            recorded,
            dropped,
            kept: kept.into_iter().rev().take(left).rev().collect(),
            ended_ms: millis(end.wall),
            days: span.as_secs_f64() / 86_400.0,
            written: written.map_or(0.0, |bytes| bytes.parse().expect("a number")),
            largest,
            journal,
        }
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            recorded,
            dropped,
            days,
            written,
            ..
        } = self;
        write!(
            f,
            "{} events, journal {} kB; {recorded} records, {dropped} dropped, {} kept in {} kB at most, \
             {:.1} MB written a day, {:.1} B a record",
            self.events.len(),
            self.journal / 1000,
            self.kept.len(),
            self.largest / 1000,
            written / days / 1e6,
            written / *recorded as f64,
        )
    }
}

/// Ids of all that is in the journal.
fn events(config: &Config, now: Moment) -> BTreeSet<String> {
    let outputs = ["control-room".into()];
    let opened = journal::ByHand::open(&config.journal, SITE, &outputs, Arc::default(), now);
    let (journal, _) = opened.expect("it was closed in good order");
    let feed = journal.feed();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let mut ids = BTreeSet::new();
    let mut after = 0;
    loop {
        let page = runtime
            .block_on(feed.after(after, 500))
            .expect("the disk works");
        let Some(last) = page.last() else { return ids };
        after = last.seq;
        for event in page {
            let event: serde_json::Value = serde_json::from_str(&event.line).expect("JSON");
            ids.insert(event["id"].to_string());
        }
    }
}

struct Plant {
    measured: u32,
    station: Station,
    journal: journal::ByHand,
    recorder: Recorder,
    telemetry: telemetry::ByHand,
    feed: telemetry::Feed,
    recorded: u64,
    kept: VecDeque<(u32, i64)>,
}

impl Plant {
    fn open(
        config: &mut Config,
        data: &Path,
        points: u32,
        metrics: &Arc<Metrics>,
        now: Moment,
    ) -> Self {
        let outputs = ["control-room".into()];
        let opened = journal::ByHand::open(&config.journal, SITE, &outputs, Arc::default(), now);
        let (journal, restored) = opened.expect("a fresh journal");
        let history = History {
            records: restored.records,
            memories: restored.memories,
            last_alive: restored.last_alive,
            notes: Vec::new(),
            run: Run::default(),
        };
        let station = Station::start(&config.engine, config.notify.clone(), &history, now);
        let mut settings = config.telemetry.clone().expect("an output carries it");
        let disk = settings.disk.as_mut().expect("`max_size` is written");
        disk.path = data.join("telemetry.db");
        let all = config.engine.points.iter();
        let names = Names::new(all.map(|point| (point.id.clone(), point.unit.clone())));
        let recorder = Recorder::new(settings.pace, settings.deadbands.iter().copied());
        let metrics = Arc::clone(metrics);
        let telemetry = telemetry::ByHand::open(
            &settings,
            names,
            &outputs,
            || JournalState::Sound,
            metrics,
            now,
        );
        Self {
            measured: points,
            station,
            journal,
            recorder,
            feed: telemetry.feed(),
            telemetry,
            recorded: 0,
            kept: VecDeque::new(),
        }
    }

    /// A second of a spike at every point, and what follows.
    fn measure(&mut self, step: u64, now: Moment) {
        for point in 0..self.measured {
            let rest = 20.0 + ((u64::from(point) * 7 + step * 13) % 100) as f64 / 100.0;
            for (reading, value) in [(1, rest + 50.0), (2, rest)] {
                let taken = now.after(Duration::from_millis(u64::from(reading * point)));
                let shown = Shown {
                    value: Some(value),
                    quality: Quality::Good,
                    reason: None,
                    held: false,
                    last_reading: Some(taken.wall),
                    accepted: step * 2 + u64::from(reading),
                };
                let (telemetry, kept) = (&self.telemetry, &mut self.kept);
                let recorded = &mut self.recorded;
                let point = PointIndex(point);
                self.recorder.see(point, &shown, now, &mut |record| {
                    telemetry.push(record);
                    *recorded += 1;
                    if kept.len() == REMEMBERED {
                        kept.pop_front();
                    }
                    kept.push_back((record.point.0, millis(record.time)));
                });
            }
        }
    }

    /// An alarm is raised, and cleared two seconds later.
    fn alarm(&mut self, number: u64, now: Moment) {
        let point = PointIndex(u32::try_from(number % u64::from(self.measured)).expect("few"));
        for (seconds, value) in [(1, 70.0), (3, 20.0)] {
            let at = now.after(Duration::from_secs(seconds));
            self.station
                .read(Reading::live(point, Sample::measured(value), at));
            self.commit(at);
        }
    }

    fn commit(&mut self, now: Moment) {
        while let Some(effect) = self.station.poll_effect() {
            match effect {
                Effect::Event(event) => {
                    let committed = None;
                    self.journal.push(Record { event, committed }, now);
                }
                Effect::Remember(memory) => self.journal.remember(*memory),
            }
        }
        self.journal.tick(now);
        self.journal.write(now);
    }

    fn close(&mut self, now: Moment) {
        self.station.stop(now);
        self.commit(now);
        self.telemetry.finish(now);
    }
}

fn millis(time: Wall) -> i64 {
    time.unix_nanos().div_euclid(1_000_000)
}
