//! Upstream over MQTT.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Reading;
use crate::config::broker::{PLAIN, TLS, enter, is_topic, reach, unknown_address};
use crate::config::endpoint;
use crate::config::finding::{Kind, Log};
use crate::output::message::Dots;
use crate::output::{MqttTarget, Target};

pub(super) const KEYS: &[&str] = &[
    "mqtt",
    "username",
    "password_file",
    "ca_file",
    "cert_file",
    "key_file",
    "version",
    "keep_alive",
    "prefix",
    "escape_dots",
    "window",
    "ack_timeout",
    "readings",
    "password",
];

const ACK_TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);
const READINGS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(86_400);

pub(super) fn read(reading: &Reading<'_>, log: &mut Log) -> Option<Target> {
    let Reading { keys, sources, .. } = reading;
    let client_id = format!("forewarn-{}-out-{}", reading.site, reading.id);
    let mut target = MqttTarget {
        address: unknown_address(client_id),
        prefix: "forewarn/v1".to_owned(),
        dots: Dots::Kept,
        window: 50,
        ack_timeout: Duration::from_secs(15),
        readings: None,
    };
    let url = keys.text("mqtt", log);
    let endpoint = url.and_then(|url| endpoint::parse("mqtt", &url, &[PLAIN, TLS], log));
    let known = endpoint.is_some();
    if let Some(endpoint) = endpoint {
        reach(&mut target.address, endpoint, keys, sources, log);
    }
    enter(&mut target.address, keys, sources, log);
    if let Some(prefix) = keys.text("prefix", log) {
        if is_topic(&prefix.value) && !prefix.value.starts_with('/') && !prefix.value.ends_with('/')
        {
            target.prefix = prefix.value;
        } else {
            log.error(
                Kind::BadValue,
                prefix.place,
                "`prefix` is not the beginning of a topic",
            )
            .hint("levels joined by `/`, without `+` and `#`, such as \"forewarn/v1\"");
        }
    }
    if keys.flag("escape_dots", log).is_some_and(|flag| flag.value) {
        target.dots = Dots::Escaped;
    }
    if let Some(window) = keys.whole("window", 1..=1_000, log) {
        target.window = usize::from(window.value);
    }
    if let Some(timeout) = keys.duration("ack_timeout", ACK_TIMEOUT, log) {
        target.ack_timeout = timeout.value;
    }
    target.readings = keys
        .duration("readings", READINGS, log)
        .map(|every| every.value);
    known.then_some(Target::Mqtt(target))
}

pub(super) fn explain(target: &MqttTarget) -> String {
    let address = &target.address;
    let (host, port, prefix) = (&address.host, address.port, &target.prefix);
    let tls = if address.tls.is_some() {
        " with TLS"
    } else {
        ""
    };
    format!("MQTT to {host}:{port}{tls}, topics below {prefix}")
}
