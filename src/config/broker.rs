//! `[broker]`: MQTT in, and how to get into a broker.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::availability::{self, RawAvailability};
use super::endpoint::{self, Endpoint};
use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary, check_id};
use super::login;
use super::people::entries;
use super::place::{At, Place, Sources};
use super::tls;
use super::tree::{Entry, Section};
use crate::broker::{BrokerAddress, Version};

const BROKER: Vocabulary = Vocabulary {
    what: "a broker",
    keys: &[
        "url",
        "username",
        "password_file",
        "ca_file",
        "cert_file",
        "key_file",
        "client_id",
        "version",
        "keep_alive",
        "availability",
        "password",
    ],
    later: &[],
};

pub(super) const PLAIN: (&str, u16) = ("mqtt", 1883);
pub(super) const TLS: (&str, u16) = ("mqtts", 8883);
/// No default port: two small brokers on one machine are common.
const EMBEDDED: (&str, u16) = ("embedded", 0);

/// Below one second the client library gives up; above, MQTT has no number for it.
const KEEP_ALIVE: RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(18 * 3_600);

/// The client library's own limit for version 5.
const KEEP_ALIVE_OF_5: Duration = Duration::from_secs(5);

/// A broker to read from.
pub(super) struct Broker {
    pub(super) id: At<String>,
    pub(super) url_place: Place,
    pub(super) address: BrokerAddress,
    /// Run a broker inside this process at this address.
    pub(super) embedded: Option<SocketAddr>,
    /// Who says that everything behind it is gone.
    pub(super) availability: Option<RawAvailability>,
}

/// Reads `[broker]`. A broker with mistakes is kept, so that its points are not called orphans.
pub(super) fn brokers(root: &Section, site: &str, sources: &Sources, log: &mut Log) -> Vec<Broker> {
    let read = |entry: &Entry, log: &mut Log| {
        check_id("a broker", &entry.key, log);
        let client_id = format!("forewarn-{site}-{}", entry.key.value);
        let mut broker = Broker {
            id: entry.key.clone(),
            url_place: entry.key.place,
            address: unknown_address(client_id),
            embedded: None,
            availability: None,
        };
        let Some(keys) = Keys::open(entry, &BROKER, log) else {
            return broker;
        };
        keys.require("url", "\"mqtt://192.0.2.20:1883\"", log);
        if let Some(url) = keys.text("url", log) {
            broker.url_place = url.place;
            let schemes = [PLAIN, TLS, EMBEDDED];
            if let Some(endpoint) = endpoint::parse("url", &url, &schemes, log) {
                if endpoint.scheme == EMBEDDED.0 {
                    broker.embedded = embedded(&endpoint, url.place, log);
                }
                reach(&mut broker.address, endpoint, &keys, sources, log);
            }
        }
        if let Some(id) = keys.text("client_id", log) {
            broker.address.client_id = id.value;
        }
        enter(&mut broker.address, &keys, sources, log);
        broker.availability = availability::read(&keys, &[], log);
        broker
    };
    let entries = entries(root, "broker", log);
    entries.iter().map(|entry| read(entry, log)).collect()
}

/// May this text be a topic to publish to or an exact topic to subscribe to?
pub(super) fn is_topic(text: &str) -> bool {
    let bad = |c: char| matches!(c, '+' | '#') || c.is_control();
    !text.is_empty() && text.len() <= 1_024 && !text.contains(bad)
}

/// Where nothing is: what an address begins with.
pub(super) fn unknown_address(client_id: String) -> BrokerAddress {
    BrokerAddress {
        host: String::new(),
        port: 0,
        tls: None,
        login: None,
        client_id,
        version: Version::V3,
        keep_alive: Duration::from_secs(10),
    }
}

/// Host, port and TLS.
pub(super) fn reach(
    address: &mut BrokerAddress,
    endpoint: Endpoint,
    keys: &Keys<'_>,
    sources: &Sources,
    log: &mut Log,
) {
    address.tls = tls::read(keys, endpoint.scheme == TLS.0, sources, log);
    address.host = endpoint.host;
    address.port = endpoint.port;
}

/// Login and keep alive.
pub(super) fn enter(
    address: &mut BrokerAddress,
    keys: &Keys<'_>,
    sources: &Sources,
    log: &mut Log,
) {
    if let Some(version) = keys.whole("version", 3..=5, log) {
        match version.value {
            3 => {}
            5 => address.version = Version::V5,
            _ => {
                log.error(Kind::BadValue, version.place, "there is no MQTT 4")
                    .hint("write 3 for MQTT 3.1.1, or 5");
            }
        }
    }
    if let Some(keep_alive) = keys.duration("keep_alive", KEEP_ALIVE, log) {
        address.keep_alive = keep_alive.value;
        if address.version == Version::V5 && keep_alive.value < KEEP_ALIVE_OF_5 {
            let text = "with `version = 5`, `keep_alive` is at least 5s";
            log.error(Kind::OutOfRange, keep_alive.place, text);
        }
    }
    address.login = login::read(keys, "\"mqtt-password\"", sources, log);
}

/// A broker inside the process serves this machine only: it has no login.
fn embedded(endpoint: &Endpoint, place: Place, log: &mut Log) -> Option<SocketAddr> {
    if !cfg!(feature = "demo") {
        log.error(
            Kind::NotSupportedYet,
            place,
            "this build has no embedded broker",
        )
        .hint("use a broker of its own, or build with the cargo feature `demo`");
        return None;
    }
    match endpoint.host.parse::<IpAddr>() {
        Ok(ip) if ip.is_loopback() => Some(SocketAddr::new(ip, endpoint.port)),
        _ => {
            log.error(
                Kind::Exposed,
                place,
                "an embedded broker listens on this machine only",
            )
            .hint(format!("write \"embedded://127.0.0.1:{}\"", endpoint.port));
            None
        }
    }
}
