//! The Modbus input: `cargo run --release -p bench -- modbus`.
//!
//! The simulated device is a process of its own and notes what it is asked, and when. Polling it, in turns:
//!
//! | who | what it shows |
//! |---|---|
//! | `forewarn run` with 1,000 and 10,000 points | requests as planned, every poll made, jitter, CPU of the whole process |
//! | the bus task with a sink, bare `tokio-modbus`, PyMODBUS ([`part`]) | CPU of the Modbus part by itself (goal P11) |
//! | `forewarn run` on 50 scattered addresses | requests a poll, with and without reading over holes (P10) |
//! | `forewarn run` on 20 units of which one dies, over TCP and on a serial line | what the others lose (P12) |

mod device;
pub(crate) mod part;
mod plant;
mod polls;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use self::device::Device;
use self::part::REGISTERS;
use self::polls::Asked;
use crate::clock;
use crate::process::{Process, free_address};
use crate::rounds::{Effort, say};
use crate::session::Places;
use crate::table::{Row, median, percentile};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How many units, and how often each is asked, milliseconds.
const PACES: [(u8, u64, &str); 4] = [
    (20, 1_000, "20 units each second"),
    (200, 5_000, "200 units every 5 s"),
    (20, 20, "20 units every 20 ms"),
    // More than any device answers: one question follows the other.
    (20, 1, "20 units back to back"),
];

/// A shorter period than this is none that anybody keeps, milliseconds.
const SHORTEST_KEPT: u64 = 20;

/// The unit that dies, of [`plant::UNITS`].
const DEAD: u8 = 7;

/// Measures it.
pub(crate) fn rows(places: &Places, effort: Effort) -> Outcome<Vec<Row>> {
    let mut rows = scattered(places)?;
    rows.extend(loads(places, effort)?);
    rows.extend(parts(places, effort)?);
    rows.extend(dead_unit(places, effort)?);
    Ok(rows)
}

fn device(places: &Places, arguments: &[&str]) -> Outcome<Device> {
    let program = places.bench.with_file_name("modbus-device");
    Ok(Device::start(&program, arguments)?)
}

fn tcp_device(places: &Places) -> Outcome<Device> {
    device(places, &["--listen", "127.0.0.1:0", "--fill", "1-200"])
}

/// A gateway that runs with this value, in a folder of its own.
fn gateway(places: &Places, name: &str, configuration: &str) -> Outcome<Process> {
    let folder = places.folder.join(name);
    fs::create_dir_all(&folder)?;
    let file = folder.join("forewarn.toml");
    let http = free_address()?;
    fs::write(
        &file,
        format!("site = \"bench\"\n[http]\nlisten = \"{http}\"\n{configuration}"),
    )?;
    let mut command = Command::new(&places.forewarn);
    command.arg("run").arg("--config").arg(&file);
    command.arg("--data").arg(&folder);
    Ok(Process::start(&mut command, &folder.join("log"))?)
}

/// Waits until each of the units has been asked so often, and forgets that.
fn asked_all(device: &mut Device, units: u8, times: usize) -> Outcome<()> {
    let mut asked = Vec::new();
    for _turn in 0..600 {
        clock::sleep(Duration::from_millis(100));
        asked.extend(device.asked()?);
        if (1..=units).all(|unit| polls::times(&asked, unit, 0).len() >= times) {
            return Ok(());
        }
    }
    Err("the gateway does not poll every unit within a minute; see its log".into())
}

fn watch(device: &mut Device, span: Duration) -> Outcome<Vec<Asked>> {
    device.asked()?;
    clock::sleep(span);
    Ok(device.asked()?)
}

/// Fifty values at 0, 3, 6 ... 87 and 120 to 139 in the fewest requests, and never over a hole.
fn scattered(places: &Places) -> Outcome<Vec<Row>> {
    say("modbus: scattered map");
    let mut device = tcp_device(places)?;
    let _gateway = gateway(places, "scattered", &plant::scattered(&device.place))?;
    asked_all(&mut device, 2, 3)?;
    let asked = watch(&mut device, Duration::from_secs(5))?;
    let requests = |unit| polls::requests_a_poll(&asked, unit, 0);
    let row =
        |what, unit, bar, words| Row::new("P10", what, requests(unit), None, "", Some(bar), words);
    Ok(vec![
        row("requests a poll, 50 scattered values", 1, 2.0, "2"),
        row(
            "the same, the holes listed in `gaps`",
            2,
            31.0,
            "31, by hand",
        ),
    ])
}

/// The whole process: requests as planned, every poll made, when, and what it costs.
fn loads(places: &Places, effort: Effort) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for (units, period_ms, what) in &PACES[..2] {
        say(&format!("modbus: forewarn run, {what}"));
        let period = *period_ms as f64 / 1e3;
        let mut device = tcp_device(places)?;
        let configuration = plant::contiguous(&device.place, *units, *period_ms);
        let gateway = gateway(places, &format!("load-{units}"), &configuration)?;
        asked_all(&mut device, *units, 2)?;
        let span = Duration::from_millis(*period_ms).max(effort.window) * 2;
        let before = gateway.cpu()?;
        let asked = watch(&mut device, span)?;
        let cpu = gateway.cpu()?.saturating_sub(before);
        let unplanned = asked
            .iter()
            .filter(|asked| (asked.address, asked.count) != (0, REGISTERS));
        let unplanned = unplanned.count() as f64;
        let gaps = polls::gaps(&asked, 1..=*units);
        let cycles = span.as_secs_f64() / period;
        let requests = asked.len() as f64 / (f64::from(*units) * cycles);
        // The window begins and ends within a cycle.
        let requests = (requests * 50.0).round() / 50.0;
        let registers = asked.len() as f64 * f64::from(REGISTERS);
        let figure = |what: String, value, unit, bar, words| {
            Row::new("load", &what, value, None, unit, bar, words)
        };
        let one = Some(1.0);
        rows.push(figure(
            format!("requests a unit and cycle, {what}, 50 registers each"),
            requests,
            "",
            one,
            "1",
        ));
        let none = Some(0.0);
        rows.push(figure(
            "requests that are not planned, of these".into(),
            unplanned,
            "",
            none,
            "none",
        ));
        rows.push(figure(
            "polls left out, of these".into(),
            polls::missed(&gaps, period),
            "",
            none,
            "none",
        ));
        let late = percentile(&polls::jitter(&gaps, period), 99);
        rows.push(figure(
            "jitter of the period p99, of these".into(),
            late,
            "ms",
            None,
            "",
        ));
        let cost = cpu.as_secs_f64() * 1e6 / registers;
        rows.push(figure(
            "CPU per register of the whole process, judged and stored".into(),
            cost,
            "us",
            None,
            "",
        ));
    }
    Ok(rows)
}

/// What a part, its floor or PyMODBUS used; microseconds a register.
#[derive(Default)]
struct Used {
    cost: Vec<f64>,
    jitter: Vec<f64>,
}

/// The Modbus part by itself.
fn parts(places: &Places, effort: Effort) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for (units, period, what) in PACES {
        let mut used = [Used::default(), Used::default(), Used::default()];
        for round in 1..=effort.rounds {
            say(&format!("modbus: round {round}: the part, {what}"));
            for (who, used) in used.iter_mut().enumerate() {
                let mut device = tcp_device(places)?;
                let seconds = effort
                    .window
                    .max(Duration::from_millis(period) * 2)
                    .as_secs();
                let mut command = asker(places, who, &device.place, units, period, seconds)?;
                let output = command
                    .stdin(Stdio::null())
                    .stderr(Stdio::inherit())
                    .output()?;
                let told: Value = serde_json::from_slice(&output.stdout)?;
                let (polls, cpu) = (told["polls"].as_f64(), told["cpu_us"].as_f64());
                let registers = polls.unwrap_or(0.0).max(1.0) * f64::from(REGISTERS);
                used.cost.push(cpu.unwrap_or(f64::NAN) / registers);
                if period >= SHORTEST_KEPT {
                    let gaps = polls::gaps(&device.asked()?, 1..=units);
                    let jitter = polls::jitter(&gaps, period as f64 / 1e3);
                    used.jitter.extend(jitter);
                }
            }
        }
        let [ours, floor, python] = used;
        let (cost, bare, slow) = (
            median(&ours.cost),
            median(&floor.cost),
            median(&python.cost),
        );
        let row = |what: String, floor, bar, words| {
            Row::new("P11", &what, cost, floor, "us", Some(bar), words)
        };
        rows.push(row(
            format!("CPU per register, {what}, 50 a request"),
            None,
            0.5,
            "0.5 us",
        ));
        rows.push(row(
            "the same beside bare tokio-modbus".into(),
            Some(bare),
            3.0 * bare,
            "3 x floor",
        ));
        rows.push(row(
            "the same beside PyMODBUS".into(),
            Some(slow),
            0.2 * slow,
            "0.2 x floor",
        ));
        if period >= SHORTEST_KEPT {
            let [ours, floor] = [ours, floor].map(|used| percentile(&used.jitter, 99));
            let what = "jitter of the period p99, of these";
            rows.push(Row::new("P11", what, ours, Some(floor), "ms", None, ""));
        }
    }
    Ok(rows)
}

/// Ours, the floor, or PyMODBUS.
fn asker(
    places: &Places,
    who: usize,
    device: &str,
    units: u8,
    period: u64,
    seconds: u64,
) -> Outcome<Command> {
    let numbers = [u64::from(units), period, seconds].map(|number| number.to_string());
    if who == 2 {
        let (host, port) = device.rsplit_once(':').ok_or("an address without a port")?;
        let mut command = Command::new(python()?);
        command.arg(script()).args([host, port]).args(numbers);
        return Ok(command);
    }
    let [units, period, seconds] = numbers;
    let mut command = Command::new(&places.bench);
    command.arg(if who == 0 {
        "modbus-part"
    } else {
        "modbus-floor"
    });
    command.args([
        "--device",
        device,
        "--units",
        &units,
        "--period",
        &period,
        "--seconds",
        &seconds,
    ]);
    Ok(command)
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/modbus/pymodbus_client.py")
}

/// The one that the interop tests use.
fn python() -> Outcome<PathBuf> {
    let python = crate::workspace().join("tests/.venv/bin/python");
    if python.exists() {
        Ok(python)
    } else {
        Err("PyMODBUS is not installed: run tests/setup".into())
    }
}

/// Twenty units on each of two lines; one of them dies.
fn dead_unit(places: &Places, effort: Effort) -> Outcome<Vec<Row>> {
    say("modbus: one dead unit of twenty, over TCP and on a serial line");
    let path = places.folder.join("ttyPlant").display().to_string();
    let mut lines = [
        (tcp_device(places)?, "TCP"),
        (
            device(places, &["--pty", &path, "--fill", "1-20"])?,
            "a serial line",
        ),
    ];
    let configuration = plant::twenty_on_each(&lines[0].0.place, &lines[1].0.place);
    let _gateway = gateway(places, "dead", &configuration)?;
    for (device, _) in &mut lines {
        asked_all(device, plant::UNITS, 2)?;
    }
    for (device, _) in &mut lines {
        device.asked()?;
        device.tell(&format!("unit={DEAD} silent"))?;
    }
    // Until it is asked as rarely as it will be; then two of these pauses, or one in a hurry.
    let probes = if effort.rounds == 1 { 1 } else { 2 };
    clock::sleep(plant::BACKING_OFF);
    let mut first = Vec::new();
    for (device, _) in &mut lines {
        first.push(device.asked()?);
    }
    clock::sleep((plant::PROBE + plant::TIMEOUT) * probes);
    let mut rows = Vec::new();
    for ((device, line), first) in lines.iter_mut().zip(first) {
        let after = device.asked()?;
        let lost = |asked: &[Asked], span: Duration| {
            let polls = asked
                .iter()
                .filter(|asked| asked.unit != DEAD && asked.address == 0);
            let expected = span.as_secs_f64() * f64::from(plant::UNITS - 1);
            // A window that begins and ends within a cycle.
            ((1.0 - polls.count() as f64 / expected) * 1e3)
                .round()
                .max(0.0)
                / 10.0
        };
        let living = (1..=plant::UNITS).filter(|unit| *unit != DEAD);
        let longest = polls::gaps(&first, living).into_iter().fold(0.0, f64::max);
        let figure = |what: String, value, unit, bar, words| {
            Row::new("P12", &what, value, None, unit, Some(bar), words)
        };
        let backing_off = lost(&first, plant::BACKING_OFF);
        let then = lost(&after, (plant::PROBE + plant::TIMEOUT) * probes);
        rows.push(figure(
            format!("polls that 19 live units lose in the first 45 s, {line}"),
            backing_off,
            "%",
            5.0,
            "5 %",
        ));
        rows.push(figure(
            "polls that they lose after the back-off".into(),
            then,
            "%",
            5.0,
            "5 %",
        ));
        let words = "cycle, timeout, 50 ms";
        rows.push(figure(
            "longest gap between polls of a live unit".into(),
            longest,
            "s",
            2.05,
            words,
        ));
    }
    Ok(rows)
}
