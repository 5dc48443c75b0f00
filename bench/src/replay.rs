//! How fast recorded readings are tried: `cargo run --release -p bench -- replay`.
//!
//! The release binary replays a recording of a quiet plant whose points have one limit and one rate rule
//! (and the `bad` and `stale` that every point has). Beside it, in turns, a floor does in this process
//! the least that could be called the same: it reads lines, understands them with the same crate, finds
//! the point, and compares with a limit and with the value of a minute ago.

use std::collections::HashMap;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::plant;
use crate::process;
use crate::rounds::{Effort, say};
use crate::session::Places;
use crate::table::{Row, median};

/// Points of the recording; each is read once a second.
const POINTS: usize = 100;

/// Nanoseconds of a core's time that a reading may cost: 2 million a second.
const BAR: f64 = 500.0;

/// Measures it.
pub(crate) fn row(places: &Places, effort: Effort) -> Result<Row, Box<dyn Error>> {
    let readings = POINTS as f64 * f64::from(effort.recorded);
    let config = places.folder.join("replay.toml");
    let recording = places.folder.join("readings.jsonl");
    std::fs::write(&config, configuration())?;
    say(&format!("recording {readings} readings"));
    record(&recording, effort.recorded)?;
    let (mut ours, mut floors) = (Vec::new(), Vec::new());
    for round in 1..=effort.rounds {
        say(&format!("round {round}: replay"));
        let replayed = replay(&places.forewarn, &config, &recording)?;
        ours.push(per_reading(replayed, readings));
        floors.push(per_reading(floor(&recording, readings)?, readings));
    }
    let (ours, floor) = (median(&ours), median(&floors));
    let what = format!(
        "CPU per replayed reading, one limit and one rate: {:.1} million readings/s per core",
        1e3 / ours
    );
    let (bar, words) = (Some(BAR), "2 million/s");
    Ok(Row::new(
        "replay",
        &what,
        ours,
        Some(floor),
        "ns",
        bar,
        words,
    ))
}

fn per_reading(cpu: Duration, readings: f64) -> f64 {
    cpu.as_secs_f64() * 1e9 / readings
}

fn configuration() -> String {
    let mut text = "site = \"bench\"\n[broker.b]\nurl = \"mqtt://127.0.0.1\"\n".to_owned();
    for index in 0..POINTS {
        let id = plant::point(index);
        text.push_str(&format!(
            "[point.{id}]\ntopic = \"{id}\"\nunit = \"bar\"\nrange = [0, 100]\nhigh = {}\n\
             rise = {{ by = {}, within = \"1min\" }}\naction = \"Look\"\n",
            plant::HIGH,
            plant::RISE_PER_MINUTE
        ));
    }
    text
}

fn record(to: &Path, seconds: u32) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(to)?);
    for second in 0..seconds {
        for index in 0..POINTS {
            let (point, value) = (plant::point(index), plant::quiet(index, second.into()));
            writeln!(
                out,
                r#"{{"t": {second}, "point": "{point}", "value": {value}}}"#
            )?;
        }
    }
    out.flush()
}

/// CPU time of one replay, from start to end.
fn replay(forewarn: &Path, config: &Path, recording: &Path) -> Result<Duration, Box<dyn Error>> {
    let before = process::cpu_of_children()?;
    let status = Command::new(forewarn)
        .args(["replay", "--config"])
        .args([config, recording])
        .stdout(Stdio::null())
        .status()?;
    if !status.success() {
        return Err("the replay failed".into());
    }
    Ok(process::cpu_of_children()? - before)
}

/// CPU time of the least that could be called the same.
fn floor(recording: &Path, readings: f64) -> Result<Duration, Box<dyn Error>> {
    let before = process::own_cpu()?;
    let mut points: HashMap<String, Option<(f64, f64)>> = (0..POINTS)
        .map(|index| (plant::point(index), None))
        .collect();
    let mut lines = BufReader::new(File::open(recording)?);
    let (mut line, mut crossed, mut count) = (String::new(), 0_u64, 0.0);
    while lines.read_line(&mut line)? > 0 {
        let reading: Value = serde_json::from_str(&line)?;
        let (Some(t), Some(point), Some(value)) = (
            reading["t"].as_f64(),
            reading["point"].as_str(),
            reading["value"].as_f64(),
        ) else {
            return Err("the recording is broken".into());
        };
        let from = points.get_mut(point).ok_or("an unknown point")?;
        let (since, then) = *from.get_or_insert((t, value));
        if t - since >= 60.0 {
            *from = Some((t, value));
        }
        let rising = (value - then) / (t - since).max(1.0) * 60.0 >= plant::RISE_PER_MINUTE;
        crossed += u64::from(value >= plant::HIGH || rising);
        count += 1.0;
        line.clear();
    }
    if count < readings || crossed > 0 {
        return Err("the recording is not what was recorded".into());
    }
    Ok(process::own_cpu()? - before)
}
