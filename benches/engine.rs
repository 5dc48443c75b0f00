//! What judging a reading costs, and whether that grows with the plant: `cargo bench --bench engine`.
//!
//! Measured is the pair of engine and notifier, as `run` and `replay` drive it, without inputs, journal
//! and outputs. Prints two tables.
//!
//! **Plants.** 100, 10,000 and 100,000 points with four alarms each. In every second of virtual time
//! each point is read once, in an order that jumps through memory. A plant of 100,000 points is hundreds
//! of megabytes and lies in no cache; that is the machine's cost and not the engine's. So beside it runs
//! a *floor* that touches as much memory in the same order: a thousand plants of 100 points. What the
//! large plant costs more than the floor is what really grows with it.
//!
//! **Rules.** One point's cost per reading with one rule more each time.
//!
//! All plants live at once and take turns, and a figure is the median of its turns, in time of a core:
//! whatever else the machine does hits all alike. No benchmark crate is used, for none sets one measurement against
//! another of the same moment.

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use forewarn::config::{self, Config, Source};
use forewarn::engine::reading::{Measured, PointIndex, Reading};
use forewarn::engine::settings::{AlarmKind, Settings};
use forewarn::engine::snapshot::History;
use forewarn::engine::time::{Moment, Mono, Wall};
use forewarn::notify::station::Station;
use rustix::time::{ClockId, clock_gettime};

/// A point of the first table. Its `bad` alarm, which every point has, is taken away: four are left.
const FOUR_ALARMS: &str = "high = 80\nhigh_high = 90\nrise = { by = 10, within = \"1min\" }";

/// The rules of the second table: what they are, and as a person writes them.
const RULES: [(&str, &str); 6] = [
    ("bad and stale only", ""),
    ("and one limit", "high = 80"),
    (
        "and one limit and a rate (least squares)",
        "high = 80\nrise = { by = 10, within = \"1min\" }",
    ),
    (
        "the same with Theil-Sen",
        "high = 80\n[point.P.alarm.rise]\nlimit = 10\nmethod = \"theil_sen\"",
    ),
    (
        "and two limits, a rate and a forecast",
        "high = 80\nhigh_high = 90\nrise = { by = 10, within = \"1min\" }\nforecast = { within = \"5min\" }",
    ),
    (
        "and one limit and two averages",
        "high = 80\nstel = 70\ntwa = 70",
    ),
];

const SMALL: u32 = 100;
/// Readings of one turn.
const TURN: u32 = 100_000;
/// Turns; a figure is the median.
const TURNS: usize = 9;
/// Seconds until every window of a minute is full.
const WARM: u32 = 70;
/// What goes beyond this must be explained by the memory touched.
const BAR: f64 = 1.5;
/// From one point to the next one that is read: further than any cache line or page.
const STRIDE: u32 = 7_919;

/// One or many plants whose points are read in turn.
struct Contender {
    stations: Vec<Station>,
    /// Points of each of them.
    points: u32,
    second: u32,
    turns: Vec<f64>,
}

impl Contender {
    /// `count` plants of `points` points like the one in `template`.
    fn new(template: &Config, points: u32, count: u32) -> Self {
        let settings = Settings {
            points: (0..points)
                .map(|number| {
                    let mut point = template.engine.points[0].clone();
                    point.id = Arc::from(format!("GAS-{number:05}"));
                    point
                })
                .collect(),
            ..template.engine.clone()
        };
        let start = |_| {
            let notify = template.notify.clone();
            Station::start(&settings, notify, &History::default(), at(0))
        };
        Self {
            stations: (0..count).map(start).collect(),
            points,
            second: 0,
            turns: Vec::new(),
        }
    }

    /// All points once, in an order that jumps.
    fn second(&mut self) {
        self.second += 1;
        let now = at(self.second);
        let all = self.points * u32::try_from(self.stations.len()).unwrap_or(u32::MAX);
        let mut position = 0;
        for _point in 0..all {
            position = (position + STRIDE) % all;
            let noise = f64::from((position * 31 + self.second * 17) % 101) / 200.0;
            let point = PointIndex(position % self.points);
            let station = &mut self.stations[(position / self.points) as usize];
            station.read(Reading {
                source_time: Some(now.wall),
                ..Reading::live(point, Measured::Raw(20.0 + noise), now)
            });
        }
        for station in &mut self.stations {
            while station.poll_effect().is_some() {}
        }
    }

    /// One turn: nanoseconds per reading.
    fn turn(&mut self) {
        let all = self.points * u32::try_from(self.stations.len()).unwrap_or(u32::MAX);
        let seconds = (TURN / all).max(1);
        let began = cpu_time();
        (0..seconds).for_each(|_| self.second());
        let took = cpu_time().saturating_sub(began);
        self.turns
            .push(took.as_secs_f64() * 1e9 / f64::from(seconds * all));
    }

    fn median(&self) -> f64 {
        let mut sorted = self.turns.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }
}

/// What this thread has used of a core: what others use meanwhile is not counted.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let part = |number: i64| u64::try_from(number).unwrap_or(0);
    Duration::from_secs(part(time.tv_sec)) + Duration::from_nanos(part(time.tv_nsec))
}

fn at(second: u32) -> Moment {
    let start = Moment {
        mono: Mono::ZERO,
        wall: Wall::from_unix_nanos(1_767_225_600_000_000_000),
    };
    start.after(Duration::from_secs(u64::from(second)))
}

/// A plant of one point with these rules.
fn template(rules: &str) -> Result<Config, Box<dyn Error>> {
    let text = format!(
        "site = 'bench'\n[person.li]\n[area.hall]\nresponsible = ['li']\n[broker.b]\n\
         url = 'mqtt://127.0.0.1'\n[point.P]\narea = 'hall'\ntopic = 'p'\nvalue = '/v'\n\
         unit = 'bar'\nrange = [0, 100]\naction = 'Look'\n{rules}\n"
    );
    Ok(config::load(&Source::text("bench", &text))?.0)
}

/// Takes turns until everyone has had all of them.
fn measure<'a>(contenders: impl IntoIterator<Item = &'a mut Contender>) {
    let mut contenders: Vec<_> = contenders.into_iter().collect();
    for contender in &mut contenders {
        (0..WARM).for_each(|_| contender.second());
    }
    for _turn in 0..TURNS {
        contenders.iter_mut().for_each(|contender| contender.turn());
    }
}

fn plants(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut template = template(FOUR_ALARMS)?;
    let alarms = &mut template.engine.points[0].alarms;
    alarms.retain(|alarm| alarm.kind() != AlarmKind::Bad);
    assert_eq!(alarms.len(), 4, "four alarms a point");
    let sizes = [SMALL, 10_000, 100_000];
    let mut plants: Vec<[Contender; 2]> = sizes
        .iter()
        .map(|points| {
            [
                Contender::new(&template, *points, 1),
                Contender::new(&template, SMALL, points / SMALL),
            ]
        })
        .collect();
    measure(plants.iter_mut().flatten());
    let small = plants[0][0].median();
    writeln!(
        out,
        "| points, four alarms each | ns per reading | x of {SMALL} points | floor: plants of {SMALL} points, \
         as much memory | beyond cache misses | bar | |\n|---|---|---|---|---|---|---|"
    )?;
    for [plant, floor] in &plants {
        let (ours, floor) = (plant.median(), floor.median());
        let beyond = ours / floor;
        let met = if beyond <= BAR { "met" } else { "**not met**" };
        writeln!(
            out,
            "| {} | {ours:.0} | {:.2} | {floor:.0} ns | {beyond:.2} | {BAR} | {met} |",
            plant.points,
            ours / small
        )?;
    }
    Ok(())
}

fn rules(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut contenders = Vec::new();
    for (words, rules) in RULES {
        contenders.push((words, Contender::new(&template(rules)?, SMALL, 1)));
    }
    measure(contenders.iter_mut().map(|(_, contender)| contender));
    writeln!(
        out,
        "\n| rules of a point, a reading a second | ns per reading |\n|---|---|"
    )?;
    for (words, contender) in &contenders {
        writeln!(out, "| {words} | {:.0} |", contender.median())?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = io::stdout().lock();
    if cfg!(debug_assertions) {
        writeln!(
            out,
            "unoptimized figures mean nothing; use: cargo bench --bench engine"
        )?;
        return Ok(());
    }
    plants(&mut out)?;
    rules(&mut out)
}
