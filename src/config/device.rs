//! `[device]`: what is polled over Modbus.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary, check_id, joined, mismatch};
use super::line::{self, Places};
use super::people::entries;
use super::place::{At, Place};
use super::register::table_named;
use super::tree::{Entry, Item, Section, Value};
use crate::input::modbus::line::Line;
use crate::input::modbus::plan::{Gap, MAX_BITS, MAX_REGISTERS, Rules};
use crate::input::modbus::timing::Timing;

const DEVICE: Vocabulary = Vocabulary {
    what: "a device",
    keys: &joined::<11>(&[&line::KEYS, &OWN]),
    later: &[],
};

const OWN: [&str; 8] = [
    "unit_id",
    "poll",
    "timeout",
    "max_registers",
    "max_bits",
    "max_gap",
    "gaps",
    "reply_time",
];

/// Faster than this no device answers; slower is no monitoring.
pub(super) const POLL: RangeInclusive<Duration> =
    Duration::from_millis(10)..=Duration::from_secs(3_600);

/// Below 100 ms a busy line looks like a dead one.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);

/// How long a device may think about an answer that it gives.
const REPLY_TIME: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(10);

/// A device that answers at once behind a network of the site, or a slow one on a line.
const DEFAULT_REPLY_TIME: Duration = Duration::from_millis(10);

/// One unit on one line.
pub(super) struct Device {
    pub(super) id: At<String>,
    /// `None` when it has a mistake.
    pub(super) line: Option<(Line, Places)>,
    pub(super) unit_id: u8,
    pub(super) poll: Duration,
    /// Where `poll` is written, else the device's id.
    pub(super) poll_place: Place,
    pub(super) timeout: Duration,
    /// What requests must keep to.
    pub(super) rules: Rules,
    /// Where each of the gaps is written.
    pub(super) gap_places: Vec<Place>,
}

impl Device {
    /// Are both on one line, on which one is asked at a time? Of a line with a mistake nothing is known.
    pub(super) fn is_on_line_of(&self, other: &Self) -> bool {
        match (&self.line, &other.line) {
            (Some((own, _)), Some((other, _))) => own.is_same_wire(other),
            _ => false,
        }
    }
}

/// Reads `[device]`. A device with mistakes is kept, so that its points are not called orphans.
pub(super) fn read(root: &Section, log: &mut Log) -> Vec<Device> {
    let entries = entries(root, "device", log);
    let devices: Vec<_> = entries.iter().map(|entry| device(entry, log)).collect();
    line::check(&devices, log);
    devices
}

fn device(entry: &Entry, log: &mut Log) -> Device {
    check_id("a device", &entry.key, log);
    let mut device = Device {
        id: entry.key.clone(),
        line: None,
        unit_id: 1,
        poll: Duration::from_secs(1),
        poll_place: entry.key.place,
        timeout: Duration::from_secs(1),
        rules: Rules {
            max_registers: MAX_REGISTERS,
            max_bits: MAX_BITS,
            max_gap: u16::MAX,
            gaps: Vec::new(),
            timing: Timing::tcp(DEFAULT_REPLY_TIME),
        },
        gap_places: Vec::new(),
    };
    let Some(keys) = Keys::open(entry, &DEVICE, log) else {
        return device;
    };
    device.line = line::read(&keys, log);
    // On a serial line 0 is for everybody, and nobody answers; beyond 247 is reserved.
    let units = match &device.line {
        Some((Line::RtuOverTcp(_) | Line::Serial(_), _)) => 1..=247,
        Some((Line::Tcp(_), _)) | None => 0..=255,
    };
    if let Some(unit) = keys.whole("unit_id", units, log) {
        device.unit_id = u8::try_from(unit.value).unwrap_or(u8::MAX);
    }
    if let Some(poll) = keys.duration("poll", POLL, log) {
        (device.poll, device.poll_place) = (poll.value, poll.place);
    }
    if let Some(timeout) = keys.duration("timeout", TIMEOUT, log) {
        device.timeout = timeout.value;
    }
    for (key, range, target) in [
        ("max_registers", 1..=125, &mut device.rules.max_registers),
        ("max_bits", 1..=2_000, &mut device.rules.max_bits),
        ("max_gap", 0..=1_998, &mut device.rules.max_gap),
    ] {
        if let Some(number) = keys.whole(key, range, log) {
            *target = number.value;
        }
    }
    let reply = keys.duration("reply_time", REPLY_TIME, log);
    let reply = reply.map_or(DEFAULT_REPLY_TIME, |reply| reply.value);
    if let Some((line, _)) = &device.line {
        device.rules.timing = Timing::on(line, reply);
    }
    for item in keys.list("gaps", log).into_iter().flatten() {
        if let Some(gap) = gap(item, log) {
            device.rules.gaps.push(gap);
            device.gap_places.push(item.place);
        }
    }
    device
}

/// `"holding:88-119"`: addresses that are never read.
fn gap(item: &Item, log: &mut Log) -> Option<Gap> {
    let Value::Text(text) = &item.value else {
        return mismatch("gaps", "a list of texts", item, log);
    };
    let ends = |text: &str| {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        let (first, last) = (
            digits(first).then_some(first)?,
            digits(last).then_some(last)?,
        );
        Some((first.parse::<u16>().ok()?, last.parse::<u16>().ok()?))
    };
    let parts = text.split_once(':');
    let found = parts.and_then(|(table, addresses)| Some((table_named(table)?, ends(addresses)?)));
    match found {
        Some((table, (first, last))) if first <= last => Some(Gap { table, first, last }),
        Some(_) | None => {
            let message = format!("`gaps` cannot have \"{text}\"");
            log.error(Kind::BadValue, item.place, message).hint(
                "write table, first and last address, as in \"holding:88-119\" or \"coil:7\"",
            );
            None
        }
    }
}
