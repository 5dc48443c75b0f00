//! Upstream over MQTT.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::Reading;
use crate::broker::Server;
use crate::config::broker::{PLAIN, TLS, enter, is_topic, reach, unknown_address};
use crate::config::endpoint::{self, Endpoint};
use crate::config::finding::{Kind, Log};
use crate::config::keys::{Keys, mismatch};
use crate::config::people::dangling;
use crate::config::place::At;
use crate::config::scalar;
use crate::config::tree::{Item, Value};
use crate::output::message::Dots;
use crate::output::{Form, MqttTarget, Target};

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
    "commands",
    "password",
];

const ACK_TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);
const READINGS: [(&str, Form); 2] = [("points", Form::Points), ("batches", Form::Batches)];
/// Servers of one broker; each that is dead costs up to 5 s before the next is tried.
const SERVERS_MAX: usize = 8;

pub(super) fn read(reading: &Reading<'_>, log: &mut Log) -> Option<Target> {
    let Reading { keys, sources, .. } = reading;
    let client_id = format!("forewarn-{}-out-{}", reading.site, reading.id);
    let mut target = MqttTarget {
        address: unknown_address(client_id),
        others: Vec::new(),
        prefix: "forewarn/v1".to_owned(),
        dots: Dots::Kept,
        window: 50,
        ack_timeout: Duration::from_secs(15),
        commands: [].into(),
        readings: None,
    };
    let mut servers = servers(keys, log).into_iter();
    let first = servers.next();
    let known = first.is_some();
    if let Some(first) = first {
        reach(&mut target.address, first, keys, sources, log);
    }
    target.others = servers.map(Endpoint::into).collect();
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
    target.readings = telemetry(keys, log);
    target.commands = commanders(reading, log);
    known.then_some(Target::Mqtt(target))
}

/// How telemetry goes out. How often a point is recorded is no matter of an output: all have the same.
fn telemetry(keys: &Keys<'_>, log: &mut Log) -> Option<Form> {
    let item = &keys.entry("readings")?.item;
    if let Value::Text(text) = &item.value
        && scalar::duration(text).is_ok()
    {
        let words = "`readings` says in which form telemetry is sent, not how often";
        log.error(Kind::BadValue, item.place, words).hint(format!(
            "write `readings = \"points\"` (a message for each) or \"batches\" (many in one) here, and \
             `min_interval = \"{text}\"` under `[telemetry]`"
        ));
        return None;
    }
    let form = keys.choice("readings", &READINGS, log)?;
    Some(form.value)
}

/// The servers of the broker, in the order in which they are tried. None when one of them is a mistake.
fn servers(keys: &Keys<'_>, log: &mut Log) -> Vec<Endpoint> {
    let Some(Value::List(items)) = keys.entry("mqtt").map(|entry| &entry.item.value) else {
        let url = keys.text("mqtt", log);
        let one = url.and_then(|url| endpoint::parse("mqtt", &url, &[PLAIN, TLS], log));
        return one.into_iter().collect();
    };
    if items.is_empty() || items.len() > SERVERS_MAX {
        let place = keys.place_of("mqtt").unwrap_or(keys.owner);
        let text = format!(
            "`mqtt` lists {} servers, not 1 to {SERVERS_MAX}",
            items.len()
        );
        log.error(Kind::OutOfRange, place, text).hint(
            "name every server of the one broker: [\"mqtt://192.0.2.30\", \"mqtt://192.0.2.31\"]",
        );
        return Vec::new();
    }
    let mut servers = Vec::new();
    for item in items {
        if let Some(server) = server(item, &servers, log) {
            servers.push(server);
        }
    }
    if servers.len() < items.len() {
        servers.clear();
    }
    servers
}

/// One of a list, after those before it.
fn server(item: &Item, before: &[Endpoint], log: &mut Log) -> Option<Endpoint> {
    let place = item.place;
    let Value::Text(text) = &item.value else {
        return mismatch("mqtt", "an address or a list of them", item, log);
    };
    let value = text.clone();
    let server = endpoint::parse("mqtt", &At { value, place }, &[PLAIN, TLS], log)?;
    if before
        .first()
        .is_some_and(|first| first.scheme != server.scheme)
    {
        log.error(
            Kind::Conflict,
            place,
            "the servers of one broker differ in TLS",
        )
        .hint("write mqtts:// for all of them, or mqtt://");
        return None;
    }
    if before.contains(&server) {
        let text = format!("{}:{} stands twice in `mqtt`", server.host, server.port);
        log.error(Kind::Duplicate, place, text)
            .hint("name each server of the broker once");
        return None;
    }
    Some(server)
}

impl From<Endpoint> for Server {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            host: endpoint.host,
            port: endpoint.port,
        }
    }
}

/// Who may command. A name that stands for nobody is a mistake: it would be let in by whoever uses it.
fn commanders(reading: &Reading<'_>, log: &mut Log) -> Arc<[Arc<str>]> {
    let items = reading.keys.list("commands", log).unwrap_or_default();
    let person = |item: &Item| {
        let Value::Text(id) = &item.value else {
            return mismatch("commands", "a list of person ids", item, log);
        };
        if reading.persons.contains_key(id) {
            return Some(Arc::from(id.as_str()));
        }
        let id = At {
            value: id.clone(),
            place: item.place,
        };
        dangling("person", &id, reading.persons.keys(), log);
        None
    };
    items.iter().filter_map(person).collect()
}

pub(super) fn explain(target: &MqttTarget) -> String {
    let servers = target
        .servers()
        .map(|(host, port)| format!("{host}:{port}"));
    let servers = servers.collect::<Vec<_>>().join(", else ");
    let prefix = &target.prefix;
    let tls = if target.address.tls.is_some() {
        " with TLS"
    } else {
        ""
    };
    let commands = match &*target.commands {
        [] => String::new(),
        persons => format!("; commands of {}", persons.join(", ")),
    };
    let readings = match target.readings {
        None => "",
        Some(Form::Points) => "; telemetry, a message for each record",
        Some(Form::Batches) => "; telemetry, many records in a message",
    };
    format!("MQTT to {servers}{tls}, topics below {prefix}{commands}{readings}")
}
