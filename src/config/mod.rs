//! From what a person wrote to what the gateway runs on.

use std::collections::BTreeMap;

use crate::engine::settings::Settings;
use crate::guidance::Guidance;
use crate::http::HttpSettings;
use crate::input::modbus::BusSettings;
use crate::input::mqtt::SubscriberSettings;
use crate::journal::JournalSettings;
use crate::output::OutputSettings;

/// A configuration without mistakes, all defaults resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The site; part of every event id.
    pub site: String,
    /// What the engine watches. The gateway's own points come last.
    pub engine: Settings,
    /// One per alarm, in the engine's order.
    pub guidance: Vec<Guidance>,
    /// Modbus endpoints.
    pub buses: Vec<BusSettings>,
    /// MQTT brokers to read from.
    pub subscribers: Vec<SubscriberSettings>,
    /// Outputs.
    pub outputs: Vec<OutputSettings>,
    /// Small brokers to run inside the process (cargo feature `demo`): address to listen on.
    pub embedded_brokers: Vec<std::net::SocketAddr>,
    /// HTTP.
    pub http: HttpSettings,
    /// Journal.
    pub journal: JournalSettings,
    /// Persons by id: plain name.
    pub persons: BTreeMap<String, String>,
    /// SHA-256 over the effective configuration, for `forewarn_config_info` and `started` events.
    pub hash: String,
}
