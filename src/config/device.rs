//! `[device]`: what is polled over Modbus.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::endpoint::{self, Endpoint};
use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary, check_id};
use super::people::entries;
use super::place::{At, Place};
use super::tree::{Entry, Section};

const DEVICE: Vocabulary = Vocabulary {
    what: "a device",
    keys: &[
        "modbus",
        "unit_id",
        "poll",
        "timeout",
        "max_registers",
        "max_bits",
        "max_gap",
    ],
    later: &[("serial", "open serial lines")],
};

/// Faster than this no device answers; slower is no monitoring.
const POLL: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3_600);

/// Below 100 ms a busy line looks like a dead one.
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(60);

/// Holes up to this are read over: one register costs less than a hundredth of another request.
/// Larger holes are where devices keep addresses that they refuse to serve.
const DEFAULT_GAP: u16 = 8;

/// One unit behind one endpoint.
pub(super) struct Device {
    pub(super) id: At<String>,
    pub(super) endpoint: Endpoint,
    pub(super) unit_id: u8,
    pub(super) poll: Duration,
    /// Where `poll` is written, else the device's id.
    pub(super) poll_place: Place,
    pub(super) timeout: Duration,
    pub(super) max_registers: u16,
    pub(super) max_bits: u16,
    pub(super) max_gap: u16,
}

/// Reads `[device]`. A device with mistakes is kept, so that its points are not called orphans.
pub(super) fn read(root: &Section, log: &mut Log) -> Vec<Device> {
    let entries = entries(root, "device", log);
    entries.iter().map(|entry| device(entry, log)).collect()
}

fn device(entry: &Entry, log: &mut Log) -> Device {
    check_id("a device", &entry.key, log);
    let mut device = Device {
        id: entry.key.clone(),
        endpoint: Endpoint::default(),
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
    keys.require("modbus", "\"tcp://192.0.2.10:502\"", log);
    if let Some(url) = keys.text("modbus", log) {
        if url.value.starts_with("rtu://") {
            log.error(
                Kind::NotSupportedYet,
                url.place,
                "this version does not open serial lines",
            )
            .hint("put a Modbus TCP gateway before the line, or wait for a later version");
        } else if let Some(endpoint) = endpoint::parse("modbus", &url, &[("tcp", 502)], log) {
            device.endpoint = endpoint;
        }
    }
    if let Some(unit) = keys.whole("unit_id", 0..=255, log) {
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
    device
}
