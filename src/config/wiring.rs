//! Checks of what is connected to what: two that would take the same place, and what nobody uses.

use std::collections::BTreeMap;

use super::broker::Broker;
use super::device::Device;
use super::finding::{Kind, Log};
use super::mapping::Mapping;
use super::output::Output;
use super::place::Place;
use super::point::{RawPoint, RawSource};
use super::register::table_name;
use crate::output::{MqttTarget, SparkplugTarget, Target};

/// Two points that would read the same value, and settings that nothing uses.
pub(super) fn check(
    points: &[RawPoint],
    devices: &[Device],
    brokers: &[Broker],
    mappings: &[Mapping],
    outputs: &[Output],
    log: &mut Log,
) {
    registers(points, devices, log);
    topics(points, log);
    sparkplug_names(devices, brokers, outputs, log);
    let (mut device_used, mut broker_used) =
        (vec![false; devices.len()], vec![false; brokers.len()]);
    let mut mapping_used = vec![false; mappings.len()];
    for source in points.iter().filter_map(|point| point.source.as_ref()) {
        match source {
            RawSource::Register(register) => device_used[register.device] = true,
            RawSource::Topic(topic) => broker_used[topic.broker] = true,
            RawSource::Mapped(mapped) => {
                broker_used[mapped.broker] = true;
                mapping_used[mapped.mapping] = true;
            }
        }
    }
    let devices = devices
        .iter()
        .map(|device| ("device", &device.id))
        .zip(device_used);
    let broker_ids = brokers
        .iter()
        .map(|broker| ("broker", &broker.id))
        .zip(broker_used);
    let mapping_ids = mappings
        .iter()
        .map(|mapping| ("mapping", &mapping.id))
        .zip(mapping_used);
    // Nothing is known about the source of a point with a mistake.
    let complete = points.iter().all(|point| point.source.is_some());
    for ((what, id), _) in devices
        .chain(broker_ids)
        .chain(mapping_ids)
        .filter(|(_, used)| !used && complete)
    {
        let text = format!("no point is read from {what} \"{}\"", id.value);
        log.warn(Kind::Unused, id.place, text);
    }
    clients(brokers, outputs, log);
    receivers(outputs, log);
}

fn registers(points: &[RawPoint], devices: &[Device], log: &mut Log) {
    let mut taken = Vec::new();
    for point in points {
        if let Some(RawSource::Register(register)) = &point.source {
            let device = &devices[register.device];
            // Nothing is known about a device whose address has a mistake.
            let Some((line, _)) = &device.line else {
                continue;
            };
            let unit = (line, device.unit_id, register.table);
            taken.push((unit, register.address, register.place, register.takes()));
        }
    }
    taken.sort();
    // Several points may read different bits of one register.
    let mut holders: BTreeMap<_, Vec<(u16, Place)>> = BTreeMap::new();
    for (unit, address, place, masks) in taken {
        let mut other = None;
        for (register, mask) in (address..=u16::MAX).zip(masks) {
            let holders = holders.entry((unit, register)).or_default();
            let first = holders.iter().find(|(held, _)| held & mask != 0);
            other = other.or(first.map(|(_, first)| (register, *first)));
            holders.push((mask, place));
        }
        let Some((register, first)) = other else {
            continue;
        };
        let (place, first) = if place < first {
            (first, place)
        } else {
            (place, first)
        };
        let text = format!(
            "two points read {}:{register} of one device",
            table_name(unit.2)
        );
        log.error(Kind::Duplicate, place, text)
            .hint("check address, type and bits of both; a float32 takes two registers")
            .also(first, "the other point");
    }
}

fn topics(points: &[RawPoint], log: &mut Log) {
    let mut taken = BTreeMap::new();
    for point in points {
        let Some(RawSource::Topic(topic)) = &point.source else {
            continue;
        };
        let value = topic.value.as_ref().map(ToString::to_string);
        let key = (topic.broker, &topic.topic.value, value);
        if let Some(first) = taken.insert(key, topic.topic.place) {
            let text = "two points read the same value of one topic";
            log.error(Kind::Duplicate, topic.topic.place, text)
                .also(first, "the other point");
        }
    }
}

/// A broker throws out the first client when a second one has its id, for ever in turn.
fn clients(brokers: &[Broker], outputs: &[Output], log: &mut Log) {
    let brokers = brokers.iter().map(|broker| {
        let address = &broker.address;
        let server = (address.host.as_str(), address.port);
        (server, &address.client_id, broker.url_place)
    });
    let over_mqtt = upstream(outputs).flat_map(|(target, place)| {
        let id = &target.address.client_id;
        target.servers().map(move |server| (server, id, place))
    });
    let nodes = nodes(outputs).map(|(target, place)| {
        let address = &target.address;
        let server = (address.host.as_str(), address.port);
        (server, &address.client_id, place)
    });
    let outputs = over_mqtt.chain(nodes);
    let mut taken = BTreeMap::new();
    for (server, id, place) in brokers.chain(outputs).filter(|((_, port), ..)| *port > 0) {
        if let Some(first) = taken.insert((server, id), place) {
            let text = format!("two connections to one broker have the client id \"{id}\"");
            log.error(Kind::Duplicate, place, text)
                .hint("choose another `client_id` or other ids")
                .also(first, "the other connection");
        }
    }
}

/// The outputs over MQTT, and where their addresses stand.
fn upstream(outputs: &[Output]) -> impl Iterator<Item = (&MqttTarget, Place)> {
    outputs.iter().filter_map(|output| {
        let Target::Mqtt(target) = output.target.as_ref()? else {
            return None;
        };
        Some((target, output.place))
    })
}

/// The edge nodes, and where their addresses stand.
fn nodes(outputs: &[Output]) -> impl Iterator<Item = (&SparkplugTarget, Place)> {
    outputs.iter().filter_map(|output| {
        let Target::Sparkplug(target) = output.target.as_ref()? else {
            return None;
        };
        Some((target, output.place))
    })
}

/// Two edge nodes of one name, or two devices of one name in an edge node: a host would take each for
/// the other.
fn sparkplug_names(devices: &[Device], brokers: &[Broker], outputs: &[Output], log: &mut Log) {
    let mut taken = BTreeMap::new();
    for (target, place) in nodes(outputs) {
        let address = &target.address;
        let (group, node) = (&target.group, &target.node);
        let key = (&address.host, address.port, group, node);
        if let Some(first) = taken.insert(key, place) {
            let (host, port) = (&address.host, address.port);
            let text = format!("two outputs are the edge node {group}/{node} at {host}:{port}");
            log.error(Kind::Duplicate, place, text)
                .hint("leave one of the two out, or give it another `node`")
                .also(first, "the other output");
        }
    }
    let Some((_, place)) = nodes(outputs).next() else {
        return;
    };
    for broker in brokers {
        let same = |device: &&Device| device.id.value == broker.id.value;
        if let Some(device) = devices.iter().find(same) {
            let text = format!(
                "a device and a broker are both called \"{}\", and a Sparkplug host could not tell them apart",
                broker.id.value
            );
            log.error(Kind::Duplicate, broker.id.place, text)
                .hint("give one of them another id")
                .also(device.id.place, "the device")
                .also(place, "the output that tells of both");
        }
    }
}

/// Two outputs that write the same topics: every event would arrive twice, and the last will of one
/// would call the other dead.
fn receivers(outputs: &[Output], log: &mut Log) {
    let mut taken = BTreeMap::new();
    let servers = upstream(outputs)
        .flat_map(|(target, place)| target.servers().map(move |server| (server, target, place)));
    for ((host, port), target, place) in servers {
        let prefix = &target.prefix;
        if let Some(first) = taken.insert((host, port, prefix), place) {
            let text = format!("two outputs write to {host}:{port} below `{prefix}`");
            log.error(Kind::Duplicate, place, text)
                .hint("leave one of the two out, or give it another `prefix`")
                .also(first, "the other output");
        }
    }
}
