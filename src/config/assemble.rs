//! Puts the parts together: indices, buses, and the fingerprint of the whole.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::Config;
use super::broker::Broker;
use super::connections::{self, Connection};
use super::defaults::Resolved;
use super::device::Device;
use super::escalation;
use super::layers::Scalars;
use super::mapping::Mapping;
use super::origin;
use super::output::{self, Output};
use super::own;
use super::point::RawPoint;
use super::polling::{self};
use super::subscribers;
use super::telemetry::RawTelemetry;
use crate::ack_links::LinkSettings;
use crate::engine::reading::PointIndex;
use crate::engine::settings::{FirstOutSettings, Guards, Longest, Priority, Reminder, Settings};
use crate::input::modbus::schedule::slowest_probe;
use crate::input::modbus::{BusSettings, DeviceSettings, RegisterPoint};
use crate::input::mqtt::{Mappings, SubscriberSettings};
use crate::journal::chain::hex;
use crate::notify::settings::NotifySettings;
use crate::output::OutputSettings;
use crate::wording::Readers;

/// Everything that was read, without mistakes.
pub(super) struct Parts {
    pub(super) readers: Readers,
    pub(super) notify: NotifySettings,
    /// In the order of the configuration.
    pub(super) areas: Vec<Arc<str>>,
    pub(super) points: Vec<RawPoint>,
    pub(super) resolved: Vec<Resolved>,
    pub(super) devices: Vec<Device>,
    pub(super) registers: Vec<Vec<RegisterPoint>>,
    pub(super) brokers: Vec<Broker>,
    pub(super) mappings: Vec<Mapping>,
    pub(super) outputs: Vec<Output>,
    pub(super) links: Option<LinkSettings>,
    pub(super) first_outs: Vec<FirstOutSettings>,
    pub(super) longest: Longest,
    pub(super) guards: Guards,
    /// What the gateway reminds of while it is inhibited.
    pub(super) hazards: Vec<PointIndex>,
    pub(super) telemetry: RawTelemetry,
}

/// Points in the engine's order; hands out indices.
struct Numbered {
    settings: Settings,
    guidance: Vec<crate::guidance::Guidance>,
}

impl Numbered {
    fn add(&mut self, point: Resolved) -> PointIndex {
        let index = index(self.settings.points.len());
        self.settings.points.push(point.settings);
        self.guidance.extend(point.guidance);
        index
    }

    /// How urgent it is that a device or broker with `points` is lost.
    fn urgency(&self, points: impl Iterator<Item = PointIndex>) -> Priority {
        connections::priority(own::LOST, points, &self.settings.points)
    }
}

/// The engine's index of the point at this position.
pub(super) fn index(position: usize) -> PointIndex {
    PointIndex(u32::try_from(position).unwrap_or(u32::MAX))
}

/// The configuration of these parts.
pub(super) fn assemble(scalars: Scalars, parts: Parts) -> Config {
    let mut numbered = Numbered {
        settings: Settings {
            first_outs: parts.first_outs,
            longest: parts.longest,
            guards: parts.guards,
            ..Settings::default()
        },
        guidance: Vec::new(),
    };
    let alarms = parts.resolved.iter().map(|point| point.guidance.len());
    // The gateway's own, an alarm each: journal, inhibited points, devices and lines, brokers, outputs.
    let own = 2 + 2 * parts.devices.len() + parts.brokers.len() + parts.outputs.len();
    numbered.guidance.reserve(alarms.sum::<usize>() + own);
    numbered.settings.points.reserve(parts.resolved.len() + own);
    for point in parts.resolved {
        numbered.add(point);
    }
    let journal_status = numbered.add(own::journal());
    let embedded_brokers = parts.brokers.iter().filter_map(|broker| broker.embedded);
    let mut embedded_brokers: Vec<_> = embedded_brokers.collect();
    embedded_brokers.sort();
    embedded_brokers.dedup();
    let buses = buses(parts.devices, parts.registers, &mut numbered);
    let read_from = subscribers::mappings(&parts.points, parts.mappings, &parts.brokers);
    let subscribers = subscribers(parts.brokers, read_from, &mut numbered);
    let mut outputs = outputs(parts.outputs, &mut numbered);
    output::tell_nodes(&mut outputs, &buses, &subscribers, &scalars.journal.path);
    if !parts.hazards.is_empty() {
        numbered.settings.reminder = Some(Reminder {
            point: numbered.add(own::inhibited()),
            hazards: parts.hazards,
        });
    }
    let mut notify = parts.notify;
    notify.may_be_held =
        escalation::may_be_held(&parts.points, &numbered.settings.points).collect();
    notify.channels = connections::channels(&outputs, &parts.readers.persons);
    let connected = connected(&buses, &subscribers);
    let all = &numbered.settings.points;
    connections::connect(&connected, all, &parts.areas, &mut notify);
    let all = numbered.settings.points.len();
    let targets = outputs.iter().map(|output| &output.target);
    let journal = &scalars.journal.path;
    let telemetry = (parts.telemetry).settings(&parts.points, all, targets, journal);
    let ranges = ranges(&parts.points, all);
    let mut config = Config {
        site: scalars.site,
        log: scalars.log,
        engine: numbered.settings,
        guidance: numbered.guidance,
        notify,
        buses,
        subscribers,
        outputs,
        embedded_brokers,
        http: scalars.http,
        links: parts.links,
        journal: scalars.journal,
        journal_status,
        telemetry,
        ranges,
        readers: parts.readers,
        hash: String::new(),
    };
    for (point, origin) in origin::all(&config) {
        if let Some(point) = config.engine.points.get_mut(point.0 as usize) {
            point.origin = Some(origin);
        }
    }
    config.hash = fingerprint(&config);
    config
}

/// What was written about measured points, which come first; nothing of the others.
fn ranges(points: &[RawPoint], all: usize) -> Vec<Option<(f64, f64)>> {
    let mut ranges: Vec<_> = points
        .iter()
        .map(|point| point.range.as_ref().map(|range| range.value))
        .collect();
    ranges.resize(all, None);
    ranges
}

/// Devices on one line share it.
fn buses(
    devices: Vec<Device>,
    registers: Vec<Vec<RegisterPoint>>,
    numbered: &mut Numbered,
) -> Vec<BusSettings> {
    let mut buses: Vec<BusSettings> = Vec::new();
    for (device, points) in devices.into_iter().zip(registers) {
        let Some((line, _)) = device.line else {
            continue;
        };
        let urgency = numbered.urgency(points.iter().map(|point| point.point));
        let stale = points.iter().filter_map(|point| {
            let settings = numbered.settings.points.get(point.point.0 as usize)?;
            settings.stale_after
        });
        let stale_after = stale.min();
        let settings = DeviceSettings {
            slowest_probe: slowest_probe(stale_after, device.timeout),
            stale_after,
            status: numbered.add(own::device(&device.id.value, urgency)),
            id: Arc::from(device.id.value),
            unit_id: device.unit_id,
            poll: device.poll,
            timeout: device.timeout,
            rules: device.rules,
            points,
        };
        let mut known = buses.iter_mut();
        match known.find(|bus| bus.line == line) {
            Some(bus) => bus.devices.push(settings),
            None => buses.push(BusSettings {
                status: numbered.add(own::bus(&line.to_string())),
                line,
                devices: vec![settings],
                cycle_limit: Duration::ZERO,
            }),
        }
    }
    for bus in &mut buses {
        bus.cycle_limit = polling::limit(bus);
    }
    buses
}

fn subscribers(
    brokers: Vec<Broker>,
    read_from: Vec<Mappings>,
    numbered: &mut Numbered,
) -> Vec<SubscriberSettings> {
    let with_mappings = brokers.into_iter().zip(read_from);
    with_mappings
        .map(|(broker, mappings)| SubscriberSettings {
            status: {
                let urgency = numbered.urgency(mappings.points());
                numbered.add(own::broker(&broker.id.value, urgency))
            },
            id: Arc::from(broker.id.value),
            address: broker.address,
            mappings,
        })
        .collect()
}

/// Devices and brokers with their points.
fn connected(buses: &[BusSettings], subscribers: &[SubscriberSettings]) -> Vec<Connection> {
    let devices = buses.iter().flat_map(|bus| &bus.devices);
    let devices = devices.map(|device| Connection {
        status: device.status,
        points: device.points.iter().map(|point| point.point).collect(),
    });
    let brokers = subscribers.iter().map(|broker| Connection {
        status: broker.status,
        points: broker.mappings.points().collect(),
    });
    devices.chain(brokers).collect()
}

fn outputs(outputs: Vec<Output>, numbered: &mut Numbered) -> Vec<OutputSettings> {
    let settings = |output: Output| {
        Some(OutputSettings {
            target: output.target?,
            status: numbered.add(own::output(&output.id.value)),
            id: Arc::from(output.id.value),
        })
    };
    outputs.into_iter().filter_map(settings).collect()
}

/// SHA-256 over the whole configuration as `Debug` renders it: every field in a fixed order, floats
/// in full, secrets as `***`.
fn fingerprint(config: &Config) -> String {
    /// Hashes what is written: rendered as one text, thousands of points would fill tens of MB.
    struct Hasher(Sha256);

    impl Write for Hasher {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.update(text.as_bytes());
            Ok(())
        }
    }

    let mut hasher = Hasher(Sha256::new());
    write!(hasher, "{config:?}").expect("hashing cannot fail");
    hex(&hasher.0.finalize())
}
