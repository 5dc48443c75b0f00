//! The way of a reading asks for no memory. Engine and notifier judge a plant in which every kind of
//! rule takes part, and every call that says nothing is held to that: no allocation, whatever goes on
//! meanwhile, its telemetry included (delays that begin and are dropped, alarms that are active and told of, values that are
//! not believed yet, readings out of order). What is said (an event, a memory) is allocated.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use forewarn::config::{self, Config, Source};
use forewarn::engine::reading::{Fault, Measured, PointIndex, Reading, Sample};
use forewarn::engine::settings::AlarmKind;
use forewarn::engine::snapshot::History;
use forewarn::engine::time::{Moment, Mono, Wall};
use forewarn::notify::station::Station;
use forewarn::telemetry::{self, JournalState, Names, Tap, Telemetry};

const PLANT: &str = r#"
site = "plant"

[person.li-wei]
[area.north]
responsible = ["li-wei"]

[broker.b]
url = "mqtt://192.0.2.20"
[output.control-room]
mqtt = "mqtt://192.0.2.30"
readings = "points"
[telemetry]
min_interval = "200s"

[point.GAS-1]
area = "north"
measures = "gas"
sensor = "catalytic"
topic = "gas-1"
value = "/v"
time = "/t"
unit = "%LEL"
range = [0, 100]
low_low = 1
low = 3
high = 25
high_high = 50
rise = { by = 10, within = "1min" }
fall = { by = 10, within = "1min" }
forecast = { within = "5min" }
stel = 30
twa = 20
action = "Leave"

[point.GAS-2]
area = "north"
measures = "gas"
topic = "gas-2"
unit = "%LEL"
range = [0, 100]
high = 25
action = "Leave"

[group.GAS]
vote = "1oo2"
of = ["GAS-1", "GAS-2"]
alarm = "high"
discrepancy = { limit = 5 }

[point.SMOOTH]
topic = "smooth"
unit = "bar"
high = 30
deviation = { from = "SET", limit = 5 }
action = "Look"
[point.SMOOTH.alarm.rise]
limit = 10
method = "theil_sen"
[point.SMOOTH.alarm.twa]
limit = 30
method = "dose"

[point.SET]
topic = "set"
unit = "bar"

[point.USUAL]
topic = "usual"
unit = "bar"
range = [0, 100]
[point.USUAL.alarm.deviation]
from = { median = "1min" }
limit = 5

[point.STUCK]
topic = "stuck"
unit = "bar"
range = [0, 100]
frozen = { after = "10min" }
action = "Look"

[point.OFTEN]
topic = "often"
unit = "bar"
action = "Look"
[point.OFTEN.alarm.high]
limit = 10
deadband = 0.5
count = { times = 4, within = "10min" }

[point.PENDING]
topic = "pending"
unit = "bar"
high = 10
delay = "10s"
deadband = 0.5
action = "Look"

[point.CLEARING]
topic = "clearing"
unit = "bar"
action = "Look"
[point.CLEARING.alarm.high]
limit = 10
deadband = 0.5
off_delay = "10s"

[point.ACTIVE]
area = "north"
topic = "active"
unit = "bar"
high = 10
action = "Look"

[point.LOOP]
topic = "loop"
signal = "4-20mA"
unit = "bar"
range = [0, 10]
max_step = 3
high = 9
action = "Look"

[point.DOOR]
topic = "door"
state = { when = 1 }
action = "Close it"

[point.BROKEN]
topic = "broken"
high = 10
action = "Look"

[point.SILENT]
topic = "silent"
high = 10
action = "Look"
"#;

/// Every kind of alarm, for a kind that takes no part proves nothing.
const KINDS: [AlarmKind; 20] = [
    AlarmKind::LowLow,
    AlarmKind::Low,
    AlarmKind::High,
    AlarmKind::HighHigh,
    AlarmKind::Rise,
    AlarmKind::Fall,
    AlarmKind::Deviation,
    AlarmKind::Discrepancy,
    AlarmKind::Forecast,
    AlarmKind::Stel,
    AlarmKind::Twa,
    AlarmKind::OverRange,
    AlarmKind::Bad,
    AlarmKind::Stale,
    AlarmKind::Frozen,
    AlarmKind::Clock,
    AlarmKind::State,
    AlarmKind::Vote,
    AlarmKind::Degraded,
    AlarmKind::GroupFault,
];

/// What a point says in a second; `None`: it is silent.
type Voice = fn(u32) -> Option<Measured>;

const VOICES: [(&str, Voice); 14] = [
    ("GAS-1", |second| value(20.0 + noise(second))),
    ("GAS-2", |second| value(19.0 + noise(second + 3))),
    ("SMOOTH", |second| value(20.0 + noise(second))),
    ("USUAL", |second| value(20.0 + noise(second))),
    ("STUCK", |_| value(3.0)),
    // Beyond the limit again and again.
    ("OFTEN", |second| {
        value(if second % 8 < 3 { 12.0 } else { 5.0 })
    }),
    ("SET", |second| value(20.0 + noise(second + 5))),
    // Beyond the limit for a few seconds, then inside again: a raise is on its way and is dropped.
    ("PENDING", |second| {
        value(if second % 8 < 5 { 12.0 } else { 5.0 })
    }),
    // In alarm, and never inside for as long as clearing takes.
    ("CLEARING", |second| {
        value(if second % 8 < 3 { 12.0 } else { 5.0 })
    }),
    ("ACTIVE", |second| value(60.0 + noise(second))),
    // A fault current and a step, neither of which lasts.
    ("LOOP", |second| match second % 10 {
        3 => Some(Measured::Raw(2.0)),
        7 => Some(Measured::Raw(18.0)),
        _ => Some(Measured::Raw(8.0)),
    }),
    ("DOOR", |_| value(0.0)),
    ("BROKEN", |_| Some(Sample::Bad(Fault::DeviceFailure).into())),
    ("SILENT", |second| {
        (second == 0).then_some(Measured::Raw(5.0))
    }),
];

fn value(value: f64) -> Option<Measured> {
    Some(Measured::Raw(value))
}

fn noise(second: u32) -> f64 {
    f64::from(second * 17 % 11) / 10.0
}

/// The pair, and where its points are.
struct Plant {
    station: Station,
    tap: Tap,
    telemetry: Telemetry,
    voices: Vec<(PointIndex, Voice)>,
}

/// What calls asked for.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    /// Calls that said nothing.
    silent: u64,
    /// Allocations of those.
    by_silent: u64,
    /// Calls that said something.
    telling: u64,
    /// Allocations of those.
    by_telling: u64,
}

impl Plant {
    fn new() -> Self {
        let (config, _) = config::load(&Source::text("plant", PLANT)).expect("a good plant");
        let voices = VOICES
            .iter()
            .map(|(id, voice)| (index(&config, id), *voice));
        let voices = voices.collect();
        let history = History::default();
        let station = Station::start(&config.engine, config.notify, &history, at(0, 0));
        let points = config.engine.points.iter();
        let names = Names::new(points.map(|point| (point.id.clone(), point.unit.clone())));
        let settings = config.telemetry.expect("an output carries it");
        let (outputs, sound) = (["control-room".into()], || JournalState::Sound);
        let metrics = Arc::default();
        let (telemetry, tap) = telemetry::start(&settings, names, &outputs, sound, metrics);
        Self {
            station,
            tap,
            telemetry,
            voices,
        }
    }

    /// Every point says what it has to say, second by second. Most stamp their readings; in each second
    /// divisible by five a point says what it forgot the second before.
    fn run(&mut self, seconds: std::ops::Range<u32>) -> Asked {
        let mut asked = Asked::default();
        while self.station.poll_effect().is_some() {}
        for second in seconds {
            for position in 0..self.voices.len() {
                let (point, voice) = self.voices[position];
                let Some(measured) = voice(second) else {
                    continue;
                };
                let taken = match second % 5 {
                    4 if position < 2 => continue,
                    _ => at(second, 0).wall,
                };
                let reading = Reading {
                    source_time: Some(taken),
                    ..Reading::live(point, measured, at(second, 50))
                };
                self.read(reading, &mut asked);
                if second % 5 == 0 && position < 2 && second > 0 {
                    let forgotten = Reading {
                        source_time: Some(at(second - 1, 0).wall),
                        ..reading
                    };
                    self.read(forgotten, &mut asked);
                }
            }
        }
        asked
    }

    fn read(&mut self, reading: Reading, asked: &mut Asked) {
        let station = &mut self.station;
        let tap = &mut self.tap;
        let counted = allocation_counter::measure(|| {
            station.read(reading);
            tap.judged(reading.point, station.show(reading.point), reading.received);
            tap.turn(reading.received, |point| station.show(point));
        });
        let counted = counted.count_total;
        let mut said = 0_u32;
        while self.station.poll_effect().is_some() {
            said += 1;
        }
        if said == 0 {
            asked.silent += 1;
            asked.by_silent += counted;
        } else {
            asked.telling += 1;
            asked.by_telling += counted;
        }
    }
}

fn index(config: &Config, id: &str) -> PointIndex {
    let mut points = config.engine.points.iter().zip(0..);
    let found = points.find(|(point, _)| *point.id == *id);
    PointIndex(found.expect("it is configured").1)
}

fn at(second: u32, millis: u64) -> Moment {
    let start = Moment {
        mono: Mono::ZERO,
        wall: Wall::from_unix_nanos(1_767_225_600_000_000_000),
    };
    start.after(Duration::from_secs(u64::from(second)) + Duration::from_millis(millis))
}

#[test]
fn a_reading_that_says_nothing_asks_for_no_memory() {
    let mut plant = Plant::new();
    // Windows, queues and lists have their size after this.
    plant.run(0..900);
    let asked = plant.run(900..4_500);
    assert_eq!(asked.by_silent, 0, "{asked:?}");
    let recorded = plant.telemetry.feed();
    let recorded = recorded.newest() - recorded.cursor("control-room");
    // Fewer than make a block, which is allocated.
    assert!((100..1_024).contains(&recorded), "{recorded}");
    assert!(asked.silent > 30_000, "{asked:?}");
    // Averages are remembered, people reminded: a few calls of thousands.
    assert!((1..1_000).contains(&asked.telling), "{asked:?}");
}

/// The counting counts: what says something allocates.
#[test]
fn a_reading_that_says_something_is_seen_to_ask_for_memory() {
    let mut plant = Plant::new();
    let asked = plant.run(0..60);
    assert!(asked.telling > 0, "{asked:?}");
    assert!(asked.by_telling >= asked.telling, "{asked:?}");
}

#[test]
fn every_kind_of_alarm_takes_part() {
    let mut plant = Plant::new();
    plant.run(0..900);
    let snapshot = plant.station.snapshot();
    let kinds: BTreeSet<AlarmKind> = snapshot.alarms.iter().map(|alarm| alarm.kind).collect();
    assert_eq!(kinds, BTreeSet::from(KINDS));
    let active = |alarm: &str| {
        let mut alarms = snapshot.alarms.iter();
        let found = alarms.find(|known| *known.alarm == *alarm);
        found.expect("it is configured").state.is_active()
    };
    for (alarm, expected) in [
        ("ACTIVE/high", true),
        ("STUCK/frozen", true),
        ("OFTEN/high", true),
        ("CLEARING/high", true),
        ("PENDING/high", false),
        ("BROKEN/bad", true),
        ("SILENT/stale", true),
        ("LOOP/bad", false),
        ("GAS-1/high", false),
    ] {
        assert_eq!(active(alarm), expected, "{alarm}");
    }
    let gas = &snapshot.points[0];
    assert!(gas.slope_per_min.is_some() && gas.stel.is_some() && gas.counts.reordered > 0);
    let current = snapshot.points.iter().find(|point| *point.id == *"LOOP");
    let counts = current.expect("it is configured").counts;
    assert!(counts.fault_current > 0 && counts.step > 0, "{counts:?}");
}
