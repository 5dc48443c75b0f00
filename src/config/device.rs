//! `[device]`: what is polled over Modbus.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::finding::Log;
use super::keys::{Keys, Vocabulary, check_id, joined};
use super::line::{self, Places};
use super::people::entries;
use super::place::{At, Place};
use super::tree::{Entry, Section};
use crate::input::modbus::line::Line;

const DEVICE: Vocabulary = Vocabulary {
    what: "a device",
    keys: &joined::<9>(&[&line::KEYS, &OWN]),
    later: &[],
};

const OWN: [&str; 6] = [
    "unit_id",
    "poll",
    "timeout",
    "max_registers",
    "max_bits",
    "max_gap",
];

/// Faster than this no device answers; slower is no monitoring.
const POLL: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3_600);

/// Below 100 ms a busy line looks like a dead one.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);

/// Holes up to this are read over: one register costs less than a hundredth of another request.
/// Larger holes are where devices keep addresses that they refuse to serve.
const DEFAULT_GAP: u16 = 8;

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
    pub(super) max_registers: u16,
    pub(super) max_bits: u16,
    pub(super) max_gap: u16,
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
        max_registers: 125,
        max_bits: 2_000,
        max_gap: DEFAULT_GAP,
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
        ("max_registers", 1..=125, &mut device.max_registers),
        ("max_bits", 1..=2_000, &mut device.max_bits),
        ("max_gap", 0..=124, &mut device.max_gap),
    ] {
        if let Some(number) = keys.whole(key, range, log) {
            *target = number.value;
        }
    }
    line::check_timeout(&device, log);
    device
}
