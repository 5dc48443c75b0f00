//! What the tasks are called, and what the metrics know from the start.

use std::sync::Arc;

use crate::config::Config;
use crate::evaluation;
use crate::input::modbus::{self, BusSettings};
use crate::input::mqtt::SubscriberSettings;
use crate::input::mqtt::mapping::Rejection;
use crate::metrics::Names;
use crate::output;

/// A task's name, in heartbeats and when it dies.
pub(super) fn bus_task(bus: &BusSettings) -> String {
    modbus::bus::task_name(bus)
}

pub(super) fn subscriber_task(subscriber: &SubscriberSettings) -> String {
    format!("input.mqtt.{}", subscriber.id)
}

/// What the metrics know from the start.
pub(super) fn names(config: &Config) -> Names {
    let devices = config.buses.iter().flat_map(|bus| &bus.devices);
    // A device without points is never asked, so nothing can be said of it.
    let devices = devices.filter(|device| !device.points.is_empty());
    let mut source_of_point = vec![Arc::from(""); config.engine.points.len()];
    for device in devices.clone() {
        for point in &device.points {
            source_of_point[point.point.0 as usize] = Arc::clone(&device.id);
        }
    }
    for subscriber in &config.subscribers {
        for mapping in &subscriber.mappings {
            source_of_point[mapping.point.0 as usize] = Arc::clone(&subscriber.id);
        }
    }
    let mut tasks = vec![evaluation::TASK.to_owned()];
    tasks.extend(config.buses.iter().map(bus_task));
    tasks.extend(config.subscribers.iter().map(subscriber_task));
    tasks.extend(
        config
            .outputs
            .iter()
            .map(|output| format!("output.{}", output.id)),
    );
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
        tasks,
        alarms: alarms
            .map(|alarm| {
                (
                    alarm.point.area.clone().unwrap_or_else(|| "".into()),
                    alarm.priority,
                )
            })
            .collect(),
        source_of_point,
        modbus_failures: &modbus::failure::Failure::REASONS,
        rejections: Rejection::ALL.map(Rejection::name).into(),
        output_failures: &output::FAILURE_REASONS,
        output_drops: &output::DROP_REASONS,
        config_hash: config.hash.clone(),
    }
}
