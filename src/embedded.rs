//! A small MQTT broker inside the process, for `forewarn demo` and for `url = "embedded://..."`
//! (cargo feature `demo`; the binary for boards does not have it). It listens on loopback only and
//! keeps everything in memory: a broker that can vanish, which the rest of the gateway treats like
//! any other.
//!
//! The broker has no way to be stopped; its threads end with the process.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::thread;

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

/// Messages kept per topic filter, as memory: the library's sample has 1 GB.
const SEGMENT_BYTES: usize = 100 * 1024;
const SEGMENTS: usize = 4;

/// Starts a broker on `listen`, which must be a loopback address.
///
/// # Errors
/// Another address than loopback, one that is in use, or no thread to be had.
pub fn start(listen: SocketAddr) -> io::Result<()> {
    if !listen.ip().is_loopback() {
        let text = format!("the embedded broker listens on loopback only, not on {listen}");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    // The broker itself panics on an address in use, on a thread of its own: look before.
    drop(std::net::TcpListener::bind(listen)?);
    let mut broker = Broker::new(settings(listen));
    thread::Builder::new()
        .name("embedded-broker".to_owned())
        .spawn(move || {
            if let Err(error) = broker.start() {
                tracing::error!(%error, %listen, "embedded broker ended");
            }
        })?;
    Ok(())
}

fn settings(listen: SocketAddr) -> Config {
    let server = ServerSettings {
        name: "embedded".to_owned(),
        listen,
        tls: None,
        next_connection_delay_ms: 1,
        connections: ConnectionSettings {
            connection_timeout_ms: 5000,
            max_payload_size: 256 * 1024,
            max_inflight_count: 100,
            auth: None,
            external_auth: None,
            dynamic_filters: true,
        },
    };
    Config {
        router: RouterConfig {
            max_connections: 64,
            max_outgoing_packet_count: 200,
            max_segment_size: SEGMENT_BYTES,
            max_segment_count: SEGMENTS,
            ..RouterConfig::default()
        },
        v4: Some(HashMap::from([("embedded".to_owned(), server)])),
        ..Config::default()
    }
}
