//! Upstream as a Sparkplug B edge node.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::Reading;
use crate::config::broker::{PLAIN, TLS, enter, is_topic, reach, unknown_address};
use crate::config::endpoint;
use crate::config::finding::{Kind, Log};
use crate::config::keys::joined;
use crate::input::modbus::BusSettings;
use crate::input::mqtt::SubscriberSettings;
use crate::output::{Origin, OutputSettings, SparkplugTarget, Target};

/// What no other kind of output has.
pub(super) const OWN: &[&str] = &["sparkplug", "group", "node", "primary_host"];

/// What it has in common with an output over MQTT.
const SHARED: &[&str] = &[
    "username",
    "password_file",
    "ca_file",
    "cert_file",
    "key_file",
    "keep_alive",
    "window",
    "ack_timeout",
    "readings",
    "password",
];

pub(super) const KEYS: &[&str] = &joined::<{ OWN.len() + SHARED.len() }>(&[OWN, SHARED]);

const ACK_TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);
const READINGS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(86_400);

pub(super) fn read(reading: &Reading<'_>, log: &mut Log) -> Option<Target> {
    let Reading { keys, sources, .. } = reading;
    let client_id = format!("forewarn-{}-out-{}", reading.site, reading.id);
    let mut target = SparkplugTarget {
        address: unknown_address(client_id),
        group: "forewarn".to_owned(),
        node: reading.site.to_owned(),
        primary_host: None,
        window: 50,
        ack_timeout: Duration::from_secs(15),
        readings: Duration::from_secs(1),
        // Known when everything is read.
        origins: [].into(),
        folder: PathBuf::new(),
    };
    let url = keys.text("sparkplug", log);
    let endpoint = url.and_then(|url| endpoint::parse("sparkplug", &url, &[PLAIN, TLS], log));
    let known = endpoint.is_some();
    if let Some(endpoint) = endpoint {
        reach(&mut target.address, endpoint, keys, sources, log);
    }
    enter(&mut target.address, keys, sources, log);
    if let Some(group) = level(reading, "group", log) {
        target.group = group;
    }
    if let Some(node) = level(reading, "node", log) {
        target.node = node;
    }
    target.primary_host = level(reading, "primary_host", log);
    if let Some(window) = keys.whole("window", 1..=1_000, log) {
        target.window = usize::from(window.value);
    }
    if let Some(timeout) = keys.duration("ack_timeout", ACK_TIMEOUT, log) {
        target.ack_timeout = timeout.value;
    }
    if let Some(every) = keys.duration("readings", READINGS, log) {
        target.readings = every.value;
    }
    known.then_some(Target::Sparkplug(target))
}

/// A text that is one level of a topic.
fn level(reading: &Reading<'_>, key: &str, log: &mut Log) -> Option<String> {
    let text = reading.keys.text(key, log)?;
    if is_topic(&text.value) && !text.value.contains('/') {
        return Some(text.value);
    }
    log.error(
        Kind::BadValue,
        text.place,
        format!("`{key}` is not one level of a topic"),
    )
    .hint("a Sparkplug id has no `/`, `+` and `#`");
    None
}

pub(super) fn explain(target: &SparkplugTarget) -> String {
    let address = &target.address;
    let (host, port) = (&address.host, address.port);
    let (group, node) = (&target.group, &target.node);
    let tls = if address.tls.is_some() {
        " with TLS"
    } else {
        ""
    };
    let waits = match &target.primary_host {
        Some(host) => format!("; waits for the primary host {host}"),
        None => "; whoever listens, there is no primary host".to_owned(),
    };
    format!("Sparkplug B to {host}:{port}{tls}, edge node {group}/{node}{waits}")
}

/// Edge nodes tell of devices and brokers, and keep a number beside the journal.
pub(in crate::config) fn tell_nodes(
    outputs: &mut [OutputSettings],
    buses: &[BusSettings],
    subscribers: &[SubscriberSettings],
    journal: &Path,
) {
    let devices = buses.iter().flat_map(|bus| &bus.devices);
    let devices = devices.map(|device| Origin {
        id: Arc::clone(&device.id),
        status: device.status,
        points: device.points.iter().map(|point| point.point).collect(),
    });
    let brokers = subscribers.iter().map(|broker| Origin {
        id: Arc::clone(&broker.id),
        status: broker.status,
        points: broker.mappings.points().collect(),
    });
    let all = devices.chain(brokers);
    let origins: Arc<[Origin]> = all.filter(|origin| !origin.points.is_empty()).collect();
    for output in outputs {
        if let Target::Sparkplug(target) = &mut output.target {
            target.origins = Arc::clone(&origins);
            target.folder = journal.parent().map(Path::to_owned).unwrap_or_default();
        }
    }
}
