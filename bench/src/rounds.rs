//! The rounds: both programs take turns, so that what else the machine does hits both alike.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crate::process::{BrokerSettings, Mosquitto};
use crate::session::{Flood, Places, Program, Session};

/// Readings a second in the windows for CPU.
pub(crate) const RATE: u32 = 2_000;
/// The quieter background of the latency cells.
pub(crate) const CALM: u32 = 100;
/// First readings a second when a whole plant comes up.
const POWER_UP: u32 = 5_000;
/// The rate of goal P3.
const FLOOD: u32 = 50_000;

/// How much to measure.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) rounds: u32,
    /// Of a CPU window.
    pub(crate) window: Duration,
    /// In a latency cell.
    pub(crate) alarms: usize,
    /// Length of the recording that is replayed, seconds.
    pub(crate) recorded: u32,
}

/// Everything measured of one program; one entry a round unless said otherwise.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Start to first alarm, milliseconds: idle and 1,000 points.
    pub(crate) first_alarm: [Vec<f64>; 2],
    /// Microseconds of CPU per reading: 1,000 and 10,000 points.
    pub(crate) cpu: [Vec<f64>; 2],
    /// Resident MB: idle, 1,000 and 10,000 points.
    pub(crate) memory: [Vec<f64>; 3],
    /// The highest resident MB ever with 10,000 points.
    pub(crate) memory_peak: Vec<f64>,
    /// All latencies, ms: at [`CALM`] and at [`RATE`].
    pub(crate) latency: [Vec<f64>; 2],
    /// The same on a broker with default settings.
    pub(crate) latency_default: [Vec<f64>; 2],
    /// All latencies, ms, while 10,000 sensors speak for the first time.
    pub(crate) power_up: Vec<f64>,
    /// Events that the first readings made.
    pub(crate) uninvited: u64,
    /// Readings sent at QoS 1 and not counted (the floor does not count).
    pub(crate) lost: u64,
    pub(crate) flood: Vec<Flood>,
}

/// Measures both programs.
pub(crate) fn run(places: &Places, effort: Effort) -> io::Result<[Measured; 2]> {
    let tuned = Mosquitto::start(&places.folder, BrokerSettings::Tuned)?;
    let default = Mosquitto::start(&places.folder, BrokerSettings::Default)?;
    let mut measured = [Measured::default(), Measured::default()];
    let mut number = 0;
    for round in 0..effort.rounds {
        for (program, results) in Program::BOTH.into_iter().zip(&mut measured) {
            say(&format!("round {}: {}", round + 1, program.name()));
            let mut start = |broker: &Mosquitto, points| {
                number += 1;
                Session::start(program, places, broker.address, points, number)
            };
            idle(start(&tuned, 1)?, results)?;
            plant(start(&tuned, 1_000)?, effort, results)?;
            large_plant(start(&tuned, 10_000)?, effort, results)?;
            let mut session = start(&default, 1_000)?;
            session.settle()?;
            for (rate, cell) in [CALM, RATE].into_iter().zip(&mut results.latency_default) {
                cell.extend(millis(&session.latencies(rate, effort.alarms)?));
            }
        }
    }
    Ok(measured)
}

/// Measures resident memory only: plants of three sizes, every sensor of which has spoken.
pub(crate) fn memory(places: &Places, effort: Effort) -> io::Result<[Measured; 2]> {
    let broker = Mosquitto::start(&places.folder, BrokerSettings::Tuned)?;
    let mut measured = [Measured::default(), Measured::default()];
    let mut number = 0;
    for round in 0..effort.rounds {
        for (program, results) in Program::BOTH.into_iter().zip(&mut measured) {
            for (at, points) in [1, 1_000, 10_000].into_iter().enumerate() {
                say(&format!(
                    "round {}: {}, {points} points",
                    round + 1,
                    program.name()
                ));
                number += 1;
                let mut session = Session::start(program, places, broker.address, points, number)?;
                if points > 1 {
                    session.first_readings(POWER_UP)?;
                }
                session.settle()?;
                let (now, peak) = session.memory()?;
                results.memory[at].push(megabytes(now));
                if points == 10_000 {
                    results.memory_peak.push(megabytes(peak));
                }
            }
        }
    }
    Ok(measured)
}

fn idle(session: Session, results: &mut Measured) -> io::Result<()> {
    session.settle()?;
    results.first_alarm[0].extend(millis(&[session.first_alarm]));
    results.memory[0].push(megabytes(session.memory()?.0));
    Ok(())
}

fn plant(mut session: Session, effort: Effort, results: &mut Measured) -> io::Result<()> {
    results.first_alarm[1].extend(millis(&[session.first_alarm]));
    session.settle()?;
    for (rate, cell) in [CALM, RATE].into_iter().zip(&mut results.latency) {
        cell.extend(millis(&session.latencies(rate, effort.alarms)?));
    }
    let (cpu, lost) = session.cpu_per_reading(RATE, effort.window)?;
    results.cpu[0].push(cpu);
    results.lost += lost;
    results.memory[1].push(megabytes(session.memory()?.0));
    let flood = session.flood(FLOOD, 4)?;
    results.flood.push(flood);
    Ok(())
}

fn large_plant(mut session: Session, effort: Effort, results: &mut Measured) -> io::Result<()> {
    // At once after the start: in a plant that comes up, the gateway is busy with its own start, too.
    let (latencies, uninvited) = session.first_readings(POWER_UP)?;
    results.power_up.extend(millis(&latencies));
    results.uninvited += uninvited;
    session.settle()?;
    let (cpu, lost) = session.cpu_per_reading(RATE, effort.window)?;
    results.cpu[1].push(cpu);
    results.lost += lost;
    let (now, peak) = session.memory()?;
    results.memory[2].push(megabytes(now));
    results.memory_peak.push(megabytes(peak));
    Ok(())
}

/// Size of a file in MB.
pub(crate) fn file_size(path: &Path) -> io::Result<f64> {
    Ok(std::fs::metadata(path)?.len() as f64 / 1e6)
}

fn megabytes(kib: u64) -> f64 {
    kib as f64 * 1024.0 / 1e6
}

fn millis(times: &[Duration]) -> impl Iterator<Item = f64> {
    times.iter().map(|time| time.as_secs_f64() * 1e3)
}

/// Progress, for whoever waits; the table alone goes to standard output.
pub(crate) fn say(words: &str) {
    // Nobody may be listening.
    let _deaf = writeln!(io::stderr(), "bench: {words}").is_err();
}
