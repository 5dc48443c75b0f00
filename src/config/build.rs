//! Puts the parts together: indices, buses, and the fingerprint of the whole.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::Config;
use super::broker::{self, Broker};
use super::check::{self, Checked};
use super::connections::{self, Connection};
use super::defaults::{self, Resolved, is_process};
use super::device::{self, Device};
use super::escalation;
use super::finding::Log;
use super::first_out;
use super::frozen;
use super::group;
use super::health;
use super::language;
use super::layers::Scalars;
use super::links;
use super::mapping::{self, Mapping};
use super::origin;
use super::output::{self, Output};
use super::overlays;
use super::own;
use super::people;
use super::place::Sources;
use super::point::{self, RawPoint, RawSource, Surroundings};
use super::polling::{self, Polling};
use super::priority;
use super::reach;
use super::review;
use super::subscribers;
use super::suppression;
use super::telemetry::{self, RawTelemetry};
use super::texts::Texts;
use super::tree::Section;
use super::wiring;
use crate::ack_links::LinkSettings;
use crate::engine::reading::PointIndex;
use crate::engine::settings::{
    FirstOutSettings, Guards, Longest, PointSettings, Priority, Reminder, Settings,
};
use crate::input::modbus::schedule::slowest_probe;
use crate::input::modbus::{BusSettings, DeviceSettings, RegisterPoint};
use crate::input::mqtt::{Mappings, SubscriberSettings};
use crate::journal::chain::hex;
use crate::notify::settings::NotifySettings;
use crate::output::OutputSettings;
use crate::wording::{Duties, Readers};

/// Reads the tables of `root` and builds the configuration, unless there was a mistake.
pub(super) fn build(
    root: Section,
    scalars: Option<Scalars>,
    sources: &Sources,
    log: &mut Log,
) -> Option<Config> {
    let site = scalars.as_ref().map_or("", |scalars| scalars.site.as_str());
    let readers = language::read(&root, log);
    let people = people::read(&root, readers.zone.as_ref(), log);
    let devices = device::read(&root, log);
    let brokers = broker::brokers(&root, site, sources, log);
    let mappings = mapping::read(&root, &brokers, log);
    let outputs = output::read(&root, site, sources, &people.persons, log);
    let telemetry = telemetry::read(&root, &outputs, log);
    let priorities = priority::read(&root, log);
    let links = links::read(&root, &people.persons, sources, log);
    let (longest, guards) = overlays::commands(&root, &people, log);
    let escalation = escalation::read(&root, &people, &outputs, log);
    let around = Surroundings {
        people: &people,
        devices: &devices,
        brokers: &brokers,
        mappings: &mappings,
    };
    let entries = people::entries(&root, "point", log);
    // Grown step by step it would end with room for half as many again.
    let mut points: Vec<RawPoint> = Vec::with_capacity(entries.len());
    points.extend(
        entries
            .iter()
            .filter_map(|entry| point::read(entry, &around, log)),
    );
    let groups = group::read(&root, &mut points, &people, log);
    let (groups, first_outs) = (groups.voting, groups.first_outs);
    // With thousands of points the tree is the largest thing in memory: what comes next fits into
    // its place.
    drop(root);
    let mut resolved: Vec<Resolved> = Vec::with_capacity(points.len());
    let mut texts = Texts::default();
    let mut registers = registers(&points, devices.len());
    let polling = Polling::new(&devices, &registers);
    polling.check(&devices, log);
    let mut told_stale = Vec::new();
    for raw in &points {
        let poll = match &raw.source {
            Some(RawSource::Register(register)) => Some(polling.of(register, &devices)),
            Some(RawSource::Topic(_) | RawSource::Mapped(_)) | None => None,
        };
        let period = poll.map(|poll| poll.period);
        let decided = defaults::resolve(raw, &points, period, &priorities, &people, &mut texts);
        let checked = Checked {
            raw,
            points: &points,
            settings: &decided.settings,
            guidance: &decided.guidance,
            poll,
        };
        check::point(&checked, log);
        polling::check_stale(&checked, &mut told_stale, log);
        review::point(&checked, log);
        resolved.push(decided);
    }
    for raw in &groups {
        let decided = group::resolve(raw, &priorities, &people, &mut texts);
        let checked = Checked {
            points: &points,
            raw: &raw.point,
            settings: &decided.settings,
            guidance: &decided.guidance,
            poll: None,
        };
        check::point(&checked, log);
        resolved.push(decided);
    }
    let all: Vec<&RawPoint> = (points.iter())
        .chain(groups.iter().map(|group| &group.point))
        .collect();
    suppression::connect(&all, &mut resolved, log);
    frozen::connect(&all, &mut resolved, log);
    health::connect(&all, &mut resolved, log);
    let first_outs = first_out::resolve(&first_outs, &all, log);
    wiring::check(&points, &devices, &brokers, &mappings, &outputs, log);
    let notify = escalation.settings(&people, &outputs);
    let decided = resolved.iter().map(|point| &point.settings);
    let pairs: Vec<_> = all.iter().copied().zip(decided).collect();
    escalation.check(&pairs, &people, &notify, log);
    reach::check(&people, &notify, &outputs, log);
    let areas = people.in_order();
    for point in registers.iter_mut().flatten() {
        let position = point.point.0 as usize;
        point.hazard = is_hazard(&points[position], &resolved[position].settings);
    }
    let hazards = pairs.iter().enumerate();
    let hazards = hazards.filter(|(_, (raw, settings))| is_hazard(raw, settings));
    let hazards = hazards.map(|(position, _)| index(position)).collect();
    let scalars = scalars?;
    if log.has_errors() {
        return None;
    }
    Some(assemble(
        scalars,
        Parts {
            readers: Readers {
                language: readers.language,
                zone: readers.zone.unwrap_or(TimeZone::UTC),
                persons: Arc::new(people.persons),
                duties: Arc::new(Duties::from(&notify)),
            },
            notify,
            areas,
            points,
            resolved,
            devices,
            registers,
            brokers,
            mappings,
            outputs,
            links,
            first_outs,
            longest,
            guards,
            hazards,
            telemetry,
        },
    ))
}

/// What is read of each device, hazards not yet marked: alarms are decided later.
fn registers(points: &[RawPoint], devices: usize) -> Vec<Vec<RegisterPoint>> {
    let mut registers = vec![Vec::new(); devices];
    for (position, point) in points.iter().enumerate() {
        if let Some(RawSource::Register(register)) = &point.source {
            registers[register.device].push(RegisterPoint {
                point: index(position),
                table: register.table,
                address: register.address,
                data_type: register.data_type,
                order: register.order,
                bits: register.bits,
                poll: register.period,
                hazard: false,
            });
        }
    }
    registers
}

/// Does it watch the air, or anything whose alarm is critical?
fn is_hazard(raw: &RawPoint, settings: &PointSettings) -> bool {
    let mut process = settings
        .alarms
        .iter()
        .filter(|alarm| is_process(alarm.kind()));
    process.any(|alarm| raw.measures.is_gas() || alarm.priority == Priority::Critical)
}

/// Everything that was read, without mistakes.
struct Parts {
    readers: Readers,
    notify: NotifySettings,
    /// In the order of the configuration.
    areas: Vec<Arc<str>>,
    points: Vec<RawPoint>,
    resolved: Vec<Resolved>,
    devices: Vec<Device>,
    registers: Vec<Vec<RegisterPoint>>,
    brokers: Vec<Broker>,
    mappings: Vec<Mapping>,
    outputs: Vec<Output>,
    links: Option<LinkSettings>,
    first_outs: Vec<FirstOutSettings>,
    longest: Longest,
    guards: Guards,
    /// What the gateway reminds of while it is inhibited.
    hazards: Vec<PointIndex>,
    telemetry: RawTelemetry,
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

fn index(position: usize) -> PointIndex {
    PointIndex(u32::try_from(position).unwrap_or(u32::MAX))
}

fn assemble(scalars: Scalars, parts: Parts) -> Config {
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
