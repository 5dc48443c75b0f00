//! What is asked of the devices of a line, how long that takes, and whether it can be done in time.
//!
//! The promise of a line is that every point is read within its period and what was due before it, and
//! that no point is stale while its device answers. It is checked with the sizes of all frames, the speed
//! of the line and the devices' `reply_time`; with one device that does not answer it is checked, too,
//! but a plant may live with that.

use std::fmt::Write;
use std::time::Duration;

use super::check::Checked;
use super::detection::{self, Poll};
use super::device::Device;
use super::finding::{Kind, Log};
use super::place::Place;
use super::register::Register;
use super::scalar::show_duration;
use crate::engine::reading::PointIndex;
use crate::input::modbus::cycle::{self, Load, Waits};
use crate::input::modbus::line::Line;
use crate::input::modbus::plan::{Plan, Request, Rules};
use crate::input::modbus::{BusSettings, DeviceSettings, RegisterPoint, by_period};

/// A line that is busier than this has no room for anything unforeseen.
const TIGHT: f64 = 0.8;

/// Points of one device that are read together.
struct Part {
    plan: Plan,
    load: Load,
    /// All but the shortest of its requests: what the others take while one takes its timeout.
    together: Duration,
}

/// How all devices are asked, by position.
pub(super) struct Polling {
    devices: Vec<Asked>,
}

struct Asked {
    parts: Vec<Part>,
    /// The device's line, as the position of its first device.
    line: usize,
    waits: Waits,
    /// The same while one other device does not answer.
    waits_with_dead: Waits,
    /// What the other devices of the line take while they do not answer.
    held_up: Duration,
}

fn parts(points: &[RegisterPoint], rules: &Rules) -> Vec<Part> {
    let part = |(period, points)| {
        let plan = Plan::new(points, rules);
        let cost = plan.cost(&rules.timing);
        let requests = plan.requests().iter();
        let shortest = requests.map(|request| rules.timing.of(request.table, request.count));
        let together = cost.saturating_sub(shortest.min().unwrap_or_default());
        Part {
            plan,
            load: Load { period, cost },
            together,
        }
    };
    by_period(points).into_iter().map(part).collect()
}

impl Polling {
    /// `registers`: what is read of each device.
    pub(super) fn new(devices: &[Device], registers: &[Vec<RegisterPoint>]) -> Self {
        let pairs = devices.iter().zip(registers);
        let planned = pairs.map(|(device, points)| parts(points, &device.rules));
        let planned: Vec<Vec<Part>> = planned.collect();
        let asked = |device: &Device| {
            let on_line = |other: &Device| other.is_on_line_of(device);
            let line = devices.iter().zip(&planned);
            let line = line.filter(|(other, _)| on_line(other));
            let loads: Vec<Load> = line.clone().flat_map(|(_, parts)| loads(parts)).collect();
            let times = line
                .map(|(other, parts)| (other.id.value.as_str(), !parts.is_empty(), other.timeout));
            let others = times
                .clone()
                .filter(|(id, asked, _)| *asked && *id != device.id.value);
            let dead = others.map(|(_, _, timeout)| timeout).max();
            let worst = times.clone().map(|(_, _, timeout)| timeout).max();
            let line = device.line.as_ref().map(|(line, _)| line);
            let resync = line.map(|line| line.resync(worst.unwrap_or_default()));
            let dead = dead.map(|dead| dead + resync.unwrap_or_default());
            Asked {
                parts: Vec::new(),
                line: devices.iter().position(on_line).unwrap_or(usize::MAX),
                waits: Waits::new(&loads, Duration::ZERO),
                waits_with_dead: Waits::new(&loads, dead.unwrap_or_default()),
                held_up: line.map_or(Duration::ZERO, |line| {
                    detection::held_up(&device.id.value, line, times)
                }),
            }
        };
        let asked: Vec<Asked> = devices.iter().map(asked).collect();
        let devices = asked.into_iter().zip(planned);
        let devices = devices.map(|(asked, parts)| Asked { parts, ..asked });
        Self {
            devices: devices.collect(),
        }
    }

    /// How a point is asked.
    pub(super) fn of(&self, register: &Register, devices: &[Device]) -> Poll {
        let (device, asked) = (&devices[register.device], &self.devices[register.device]);
        let (period, place) = (register.period, register.period_place);
        let own = asked.parts.iter().find(|part| part.load.period == period);
        let cost = own.map_or(Duration::ZERO, |part| part.load.cost);
        let wait = |waits: Waits| waits.of(period).unwrap_or_default();
        Poll {
            period,
            wait: about(wait(asked.waits).saturating_sub(cost)),
            wait_with_dead: about(wait(asked.waits_with_dead)),
            together: about(own.map_or(Duration::ZERO, |part| part.together)),
            timeout: device.timeout,
            held_up: asked.held_up,
            place,
        }
    }

    /// A line that is asked for more than it can carry, and answers that cannot come in time.
    pub(super) fn check(&self, devices: &[Device], log: &mut Log) {
        for (asked, device) in self.devices.iter().zip(devices) {
            check_timeout(asked, device, log);
        }
        for (position, first) in self.devices.iter().enumerate() {
            if first.line != position {
                continue;
            }
            let line = self.devices.iter().zip(devices);
            let line: Vec<_> = line.filter(|(asked, _)| asked.line == position).collect();
            check_line(&line, log);
        }
    }
}

fn loads(parts: &[Part]) -> impl Iterator<Item = Load> {
    parts.iter().map(|part| part.load)
}

/// A request whose answer is still under way when the timeout is over would never be answered.
fn check_timeout(asked: &Asked, device: &Device, log: &mut Log) {
    let requests = asked.parts.iter().flat_map(|part| part.plan.requests());
    let took = |request: &Request| device.rules.timing.of(request.table, request.count);
    let Some(longest) = requests.max_by_key(|request| took(request)) else {
        return;
    };
    let span = took(longest);
    if span <= device.timeout {
        return;
    }
    let text = format!(
        "{longest} takes about {}, and would never be answered within the timeout of {}",
        show_duration(about(span)),
        show_duration(device.timeout)
    );
    log.error(Kind::Timing, device.id.place, text).hint(
        "a longer `timeout`, fewer `max_registers` and `max_bits` in one request, or a shorter `reply_time` if the \
         device answers faster",
    );
}

fn check_line(line: &[(&Asked, &Device)], log: &mut Log) {
    let share_of = |asked: &Asked| cycle::share(&loads(&asked.parts).collect::<Vec<_>>());
    let share: f64 = line.iter().map(|(asked, _)| share_of(asked)).sum();
    let hungriest = line
        .iter()
        .max_by(|one, other| share_of(one.0).total_cmp(&share_of(other.0)));
    let Some((asked, device)) = hungriest.filter(|_| share > TIGHT) else {
        return;
    };
    let requests = line.iter().flat_map(|(asked, _)| &asked.parts);
    let requests: usize = requests.map(|part| part.plan.requests().len()).sum();
    let (percent, own) = (in_percent(share), in_percent(share_of(asked)));
    let Some((address, _)) = &device.line else {
        return;
    };
    let told = format!(
        "what is read over {address} takes {percent} % of the time there is: {requests} requests a round, \
         {own} % for this device"
    );
    let slower = share / (TIGHT * 0.75);
    let period = device.poll.mul_f64(slower).as_millis().div_ceil(100) * 100;
    let period = Duration::from_millis(u64::try_from(period).unwrap_or(u64::MAX));
    let hint = format!(
        "poll all devices of this line about {slower:.1} times slower (`poll = \"{}\"` here), raise its \
         speed, write a shorter `reply_time` if they answer faster, or put some on another line",
        show_duration(period)
    );
    let place = device.poll_place;
    if asked.waits.of(Duration::MAX).is_none() {
        log.error(Kind::Timing, place, told).hint(hint);
    } else {
        log.warn(Kind::Timing, place, told).hint(hint);
    }
}

fn in_percent(share: f64) -> String {
    format!("{:.0}", (share * 100.0).min(1e9))
}

/// A point that would be stale although its device answers, or while one other of the line does not.
/// One message for what is polled together: `told_for` are the places of the periods that have theirs.
pub(super) fn check_stale(point: &Checked<'_>, told_for: &mut Vec<Place>, log: &mut Log) {
    let (Some(poll), Some(stale_after)) = (point.poll, point.settings.stale_after) else {
        return;
    };
    let written = point.raw.stale_after.as_ref();
    let at = written.map_or(point.raw.place(), |written| written.place);
    if stale_after <= poll.period || told_for.contains(&poll.place) {
        return;
    }
    let within = poll.period.saturating_add(poll.wait);
    let with_dead = poll.period.saturating_add(poll.wait_with_dead);
    let shown = show_duration(stale_after);
    if within > stale_after {
        let (within, period) = (show_duration(within), show_duration(poll.period));
        let text = format!(
            "the point would be stale after {shown}, but may be read only {within} after the last time: \
             it is polled every {period} and waits for the rest of its line"
        );
        log.error(Kind::Timing, at, text)
            .hint("poll the devices of this line more slowly, or raise `stale_after`")
            .also(poll.place, "the poll period");
        told_for.push(poll.place);
    } else if with_dead > stale_after {
        let within = show_duration(with_dead);
        let text = format!(
            "while one other device of its line does not answer, the point may be read only {within} after \
             the last time, and would be stale after {shown}"
        );
        log.warn(Kind::Timing, at, text)
            .hint("shorten the `timeout` of the devices of this line, or raise `stale_after`")
            .also(poll.place, "the poll period");
        told_for.push(poll.place);
    }
}

/// What a bus keeps to while at most one of its devices does not answer: the longest that anything waits,
/// but at least a period and what such a device costs, which nobody need be told of.
pub(super) fn limit(bus: &BusSettings) -> Duration {
    let devices = &bus.devices;
    let loads = devices.iter().flat_map(|device| {
        let parts = parts(&device.points, &device.rules);
        parts.into_iter().map(|part| part.load)
    });
    let loads: Vec<Load> = loads.collect();
    let timeout = devices.iter().map(|device| device.timeout).max();
    let timeout = timeout.unwrap_or_default();
    let timeout = timeout.saturating_add(bus.line.resync(timeout));
    let shortest = loads.iter().map(|load| load.period).min();
    let usual = shortest.unwrap_or_default().saturating_add(timeout);
    cycle::cycle(&loads, timeout).map_or(usual, |cycle| cycle.max(usual))
}

/// How long the point of each device may take to be read at worst, and how much longer while others do
/// not answer.
pub(super) fn readings(bus: &BusSettings) -> Vec<Vec<(PointIndex, (Duration, Duration))>> {
    let planned = bus.devices.iter();
    let planned = planned.map(|device| parts(&device.points, &device.rules));
    let planned: Vec<_> = planned.collect();
    let loads: Vec<Load> = planned.iter().flat_map(|parts| loads(parts)).collect();
    let waits = Waits::new(&loads, Duration::ZERO);
    let devices = bus.devices.iter().zip(&planned);
    let of_device = |(device, parts): (&DeviceSettings, &Vec<Part>)| {
        let line = bus.devices.iter();
        let line = line.map(|other| (&*other.id, !other.points.is_empty(), other.timeout));
        let held_up = detection::held_up(&device.id, &bus.line, line);
        let points = device.points.iter().map(|point| {
            let own = parts.iter().find(|part| part.load.period == point.poll);
            let cost = own.map_or(Duration::ZERO, |part| part.load.cost);
            let together = own.map_or(Duration::ZERO, |part| part.together);
            let wait = waits.of(point.poll).unwrap_or_default();
            let asked = point.poll + about(wait.saturating_sub(cost));
            let reading = asked + about(together) + device.timeout;
            (point.point, (reading, held_up))
        });
        points.collect()
    };
    devices.map(of_device).collect()
}

/// What is asked over a bus, in words: a line for the bus and each device, one for each request.
pub(super) fn explain(bus: &BusSettings) -> String {
    let mut text = format!("Line {}.", bus.line);
    let mut all = Vec::new();
    let mut devices = String::new();
    for device in bus
        .devices
        .iter()
        .filter(|device| !device.points.is_empty())
    {
        let (id, unit) = (&device.id, device.unit_id);
        push(
            &mut devices,
            format_args!("\n  Device {id}, unit {unit}, is asked"),
        );
        for part in parts(&device.points, &device.rules) {
            let period = show_duration(part.load.period);
            let plan = part.plan.to_string().replace('\n', "\n    ");
            push(&mut devices, format_args!("\n    every {period}: {plan}"));
            all.push(part.load);
        }
    }
    if all.is_empty() {
        return text + " Nothing is read over it.";
    }
    let round: Duration = all.iter().map(|load| load.cost).sum();
    let (round, limit) = (rough(round), rough(bus.cycle_limit));
    let percent = in_percent(cycle::share(&all));
    push(
        &mut text,
        format_args!(
            " A round of all questions takes about {round}, {percent} % of its time is taken; an alarm tells \
             when something waits for longer than {limit}."
        ),
    );
    if matches!(bus.line, Line::RtuOverTcp(_)) {
        text.push_str(" The line behind the server is not reckoned with, only the `reply_time` of its devices.");
    }
    text + &devices
}

fn push(text: &mut String, content: std::fmt::Arguments<'_>) {
    text.write_fmt(content)
        .expect("writing to a String cannot fail");
}

/// An estimate, to a tenth of a second or, from ten seconds on, to a second.
fn about(span: Duration) -> Duration {
    let step = if span < Duration::from_secs(10) {
        100
    } else {
        1_000
    };
    let steps = (span.as_millis() + step / 2) / step;
    Duration::from_millis(u64::try_from(steps * step).unwrap_or(u64::MAX))
}

/// Nobody counts microseconds of an estimate.
fn rough(span: Duration) -> String {
    let millis = span.as_micros().div_ceil(1_000);
    show_duration(Duration::from_millis(
        u64::try_from(millis).unwrap_or(u64::MAX),
    ))
}
