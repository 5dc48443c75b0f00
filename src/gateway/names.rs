//! What the tasks are called, and what the metrics know from the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::Config;
use crate::evaluation;
use crate::http;
use crate::input::modbus::{self, BusSettings, DeviceSettings};
use crate::input::mqtt::SubscriberSettings;
use crate::input::mqtt::mapping::Rejection;
use crate::metrics::Names;
use crate::output::{self, OutputSettings, Target, command_topic};
use crate::telemetry;

/// A task's name, in heartbeats and when it dies.
pub(super) fn bus_task(bus: &BusSettings) -> String {
    modbus::bus::task_name(bus)
}

pub(super) fn subscriber_task(subscriber: &SubscriberSettings) -> String {
    format!("input.mqtt.{}", subscriber.id)
}

/// Those that are asked: of a device without points nothing can be said.
fn devices(config: &Config) -> impl Iterator<Item = &DeviceSettings> {
    let devices = config.buses.iter().flat_map(|bus| &bus.devices);
    devices.filter(|device| !device.points.is_empty())
}

/// What each point is read from, by point index; empty for what is not read.
fn source_of_point(config: &Config) -> Vec<Arc<str>> {
    let mut sources = vec![Arc::from(""); config.engine.points.len()];
    for device in devices(config) {
        for point in &device.points {
            sources[point.point.0 as usize] = Arc::clone(&device.id);
        }
    }
    for subscriber in &config.subscribers {
        for point in subscriber.mappings.points() {
            sources[point.0 as usize] = Arc::clone(&subscriber.id);
        }
    }
    sources
}

/// The same by the point's id, if an output asks for it.
pub(super) fn sources(config: &Config) -> BTreeMap<Arc<str>, Arc<str>> {
    let asks = |output: &OutputSettings| matches!(output.target, Target::Alertmanager(_));
    if !config.outputs.iter().any(asks) {
        return BTreeMap::new();
    }
    let points = config
        .engine
        .points
        .iter()
        .map(|point| Arc::clone(&point.id));
    let sources = points.zip(source_of_point(config));
    sources.filter(|(_, source)| !source.is_empty()).collect()
}

/// Addresses of the members of Alertmanagers, with the id of their output.
fn members(config: &Config) -> Vec<(Arc<str>, String)> {
    let members = |output: &OutputSettings| match &output.target {
        Target::Alertmanager(target) => {
            let members = target.members.iter();
            let named = members.map(|member| (Arc::clone(&output.id), member.url.to_string()));
            named.collect()
        }
        Target::Mqtt(_)
        | Target::Webhook(_)
        | Target::Email(_)
        | Target::Sparkplug(_)
        | Target::Stdout => Vec::new(),
    };
    config.outputs.iter().flat_map(members).collect()
}

/// What the metrics know from the start.
pub(super) fn names(config: &Config) -> Names {
    let devices = devices(config);
    let mut tasks = vec![evaluation::TASK.to_owned()];
    tasks.extend(config.buses.iter().map(bus_task));
    tasks.extend(config.subscribers.iter().map(subscriber_task));
    tasks.extend(
        config
            .outputs
            .iter()
            .map(|output| format!("output.{}", output.id)),
    );
    let commanded = |output: &&OutputSettings| matches!(&output.target, Target::Mqtt(target) if !target.commands.is_empty());
    let commanded = config.outputs.iter().filter(commanded);
    tasks.extend(commanded.map(|output| command_topic::task_name(&output.id)));
    let carriers = config.outputs.iter();
    let carriers = carriers.filter(|output| output.target.carries_telemetry());
    let alarms = config.guidance.iter();
    Names {
        devices: devices.map(|device| Arc::clone(&device.id)).collect(),
        buses: config
            .buses
            .iter()
            .map(|bus| bus.line.to_string())
            .collect(),
        brokers: config
            .subscribers
            .iter()
            .map(|broker| Arc::clone(&broker.id))
            .collect(),
        outputs: config
            .outputs
            .iter()
            .map(|output| Arc::clone(&output.id))
            .collect(),
        members: members(config),
        tasks,
        alarms: alarms
            .map(|alarm| {
                (
                    alarm.point.area.clone().unwrap_or_else(|| "".into()),
                    alarm.priority,
                )
            })
            .collect(),
        source_of_point: source_of_point(config),
        modbus_failures: &modbus::failure::Failure::REASONS,
        rejections: Rejection::ALL.map(Rejection::name).into(),
        output_failures: &output::FAILURE_REASONS,
        output_drops: &output::DROP_REASONS,
        link_results: match config.links {
            Some(_) => &http::LINK_RESULTS,
            None => &[],
        },
        telemetry: carriers.map(|output| Arc::clone(&output.id)).collect(),
        telemetry_drops: &telemetry::DROP_REASONS,
        config_hash: config.hash.clone(),
    }
}
