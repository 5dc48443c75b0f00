//! What a point costs in memory, in bytes asked for: while the configuration is read, while the engine
//! starts for the first time and again, and when it watches. The highest of a start stays resident, for the
//! holes it leaves are too small to be given back.
//!
//! Bounds are a tenth above what was measured: growth shows, and a field more in a structure does not.

use std::fmt::Write;

use allocation_counter::measure;
use forewarn::config::{self, Config, Source};
use forewarn::engine::effect::Effect;
use forewarn::engine::memory::Memory;
use forewarn::engine::snapshot::History;
use forewarn::engine::time::{Moment, Mono, Wall};
use forewarn::notify::station::Station;

const POINTS: usize = 2_000;

/// As the benchmark has it: four alarms a point, and the texts that a plant would write.
fn plant() -> String {
    let mut text = r#"site = "plant"
[person.li-wei]
[area.hall]
responsible = ["li-wei"]
[broker.b]
url = "mqtt://192.0.2.20"
"#
    .to_owned();
    for index in 0..POINTS {
        write!(
            text,
            r#"
[point.GAS-{index:05}]
name = "Methane, hall north, detector {index}"
area = "hall"
measures = "gas"
sensor = "infrared"
topic = "bench/hall/GAS-{index:05}"
value = "/value"
time = "/ts"
unit = "%LEL"
range = [0, 100]
stale_after = "10s"
high = 20
rise = {{ by = 10, within = "10min" }}
action = "Stop hot work, start the fans, call the shift lead"
"#
        )
        .expect("writing to a string");
    }
    text
}

/// Bytes a point.
#[derive(Debug)]
struct Footprint {
    /// At the highest.
    peak: u64,
    /// Of what the work gave.
    left: u64,
}

fn footprint<T>(work: impl FnOnce() -> T) -> (T, Footprint) {
    let mut result = None;
    let counted = measure(|| result = Some(work()));
    let points = POINTS as u64;
    let left = u64::try_from(counted.bytes_current).expect("all that is freed was asked for");
    let footprint = Footprint {
        peak: counted.bytes_max / points,
        left: left / points,
    };
    (result.expect("it was done"), footprint)
}

fn read(text: &str) -> Config {
    let (config, _) = config::load(&Source::text("plant", text)).expect("a good plant");
    config
}

/// The gateway's order: the engine has its own form of the settings.
fn start(mut config: Config, memories: Vec<Memory>) -> (Config, Station) {
    let history = History {
        memories,
        ..History::default()
    };
    let now = Moment {
        mono: Mono::ZERO,
        wall: Wall::from_unix_nanos(1_767_225_600_000_000_000),
    };
    let settings = std::mem::take(&mut config.engine);
    let notify = std::mem::take(&mut config.notify);
    let station = Station::start(&settings, notify, &history, now);
    (config, station)
}

/// What it wants kept for the next start, as it stands in the journal.
fn kept(station: &mut Station) -> Vec<String> {
    let effects = std::iter::from_fn(|| station.poll_effect());
    let kept = effects.filter_map(|effect| match effect {
        Effect::Remember(memory) => Some(serde_json::to_string(&*memory).expect("texts")),
        Effect::Event(_) => None,
    });
    kept.collect()
}

/// Bounds, bytes a point.
const READING: u64 = 6_550;
const FIRST_START: u64 = 7_350;
const RESTART: u64 = 7_750;
const WATCHING: u64 = 4_350;

#[test]
fn a_point_takes_no_more_memory_than_it_did() {
    let text = plant();
    let (_, reading) = footprint(|| read(&text));
    let (kept, first) = footprint(|| kept(&mut start(read(&text), Vec::new()).1));
    assert_eq!(kept.len(), 1, "what was configured");
    let (_, again) = footprint(|| {
        let config = read(&text);
        let memories = kept.iter().map(|text| serde_json::from_str(text));
        let memories = memories.collect::<Result<_, _>>();
        start(config, memories.expect("as it was written"))
    });
    let (_, watching) = footprint(|| {
        let (config, mut station) = start(read(&text), Vec::new());
        while station.poll_effect().is_some() {}
        (config, station)
    });
    for (what, bytes, bound) in [
        ("reading the configuration", reading.peak, READING),
        ("a first start", first.peak, FIRST_START),
        ("a restart", again.peak, RESTART),
        ("watching", watching.left, WATCHING),
    ] {
        assert!(bytes <= bound, "{what}: {bytes} bytes a point, not {bound}");
        // One that nothing comes near notices no growth.
        assert!(
            bytes > bound * 3 / 4,
            "{what}: {bytes} bytes a point, bound {bound}"
        );
    }
}
