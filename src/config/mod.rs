//! From what a person wrote to what the gateway runs on.
//!
//! ```text
//!   file, conf.d/*.toml          environment, --data
//!          |  source                    |
//!          v                            |
//!   tree: everything with its place     |
//!          |  csv: points of lists      |
//!          +--> layers: defaults < files < environment   (single values: site, http, journal, log)
//!          |
//!          +--> people, device, broker, point, register, alarm   what was written, checked by itself
//!                         |
//!                         v
//!                 defaults: what was not written
//!                         |
//!                         v
//!                 check, wiring: what only shows across settings
//!                         |
//!                         v
//!                 Config, or every mistake at once
//! ```
//!
//! Nothing stops at the first mistake: each is written down with its place, and what cannot be read
//! is replaced by something harmless, so that the walk goes on and finds the next. A configuration
//! with a mistake is never built. The words of the configuration language that this version does not
//! implement are refused as such, so that nothing a person wrote is silently without effect.
//!
//! Values are strict: no rounding, no number in quotes, no NaN, durations only with their unit.
//! Environment variables can change where things are, never a limit. Secrets come from files.

mod alarm;
mod alarm_name;
mod assemble;
mod availability;
mod broker;
mod build;
mod check;
mod connections;
mod count;
pub mod csv;
mod currents;
mod defaults;
mod detection;
mod deviation;
mod device;
mod endpoint;
mod escalation;
pub mod explain;
mod exposure;
mod finding;
mod first_out;
mod forecast;
mod frozen;
mod group;
mod health;
mod keys;
mod language;
mod layers;
mod line;
mod links;
mod login;
mod mapping;
mod marker;
mod origin;
mod output;
mod overlays;
mod own;
mod parts;
mod payload;
mod people;
mod place;
mod plant_state;
mod point;
mod polling;
mod priority;
mod reach;
mod register;
mod review;
mod rota;
mod secret;
mod shape;
mod signal;
mod source;
mod subscribers;
mod suppression;
mod telemetry;
mod texts;
mod tls;
mod topic;
mod tree;
mod trend;
mod wiring;
pub(crate) mod words;

pub(crate) use finding::nearest;
pub use finding::{Finding, Kind, Location, Mistakes, Severity, warnings_in_words};
pub use source::Source;

use crate::ack_links::LinkSettings;
use crate::engine::reading::PointIndex;
use crate::engine::settings::Settings;
use crate::guidance::Guidance;
use crate::http::HttpSettings;
use crate::input::modbus::BusSettings;
use crate::input::mqtt::SubscriberSettings;
use crate::journal::JournalSettings;
use crate::notify::settings::NotifySettings;
use crate::output::OutputSettings;
use crate::scalar;
use crate::telemetry::TelemetrySettings;
use crate::wording::Readers;

/// A configuration without mistakes, all defaults resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The site; part of every event id.
    pub site: String,
    /// How much is logged.
    pub log: tracing::Level,
    /// What the engine watches. The gateway's own points come last.
    pub engine: Settings,
    /// One per alarm, in the engine's order.
    pub guidance: Vec<Guidance>,
    /// Who is told of which alarm, and when.
    pub notify: NotifySettings,
    /// Modbus lines.
    pub buses: Vec<BusSettings>,
    /// MQTT brokers to read from.
    pub subscribers: Vec<SubscriberSettings>,
    /// Outputs.
    pub outputs: Vec<OutputSettings>,
    /// Small brokers to run inside the process (cargo feature `demo`): address to listen on.
    pub embedded_brokers: Vec<std::net::SocketAddr>,
    /// HTTP.
    pub http: HttpSettings,
    /// Links in messages with which people acknowledge; `None`: there are none.
    pub links: Option<LinkSettings>,
    /// Journal.
    pub journal: JournalSettings,
    /// The gateway's own point that says whether the journal is off the disk (1) or fine (0).
    pub journal_status: PointIndex,
    /// What is recorded for dashboards; `None` when no output carries it.
    pub telemetry: Option<TelemetrySettings>,
    /// What each point can measure, in its unit, as written; as many as the engine has points.
    pub ranges: Vec<Option<(f64, f64)>>,
    /// Who reads messages, and in which language and zone.
    pub readers: Readers,
    /// SHA-256 over the effective configuration, for `forewarn_config_info` and `started` events.
    /// Secrets are left out. Comparable between runs of one version of the program.
    pub hash: String,
}

/// Reads a configuration and resolves all defaults.
///
/// # Errors
/// Every mistake in every file, each with its place; warnings come along.
pub fn load(source: &Source) -> Result<(Config, Vec<Finding>), Mistakes> {
    let mut log = finding::Log::default();
    let (mut sources, overrides) = source.read(&mut log);
    let mut root = tree::read(&sources, &mut log);
    csv::read(&mut root, &mut sources, &mut log);
    let scalars = layers::read(&root, &overrides, &sources, &mut log);
    let config = build::build(root, scalars, &sources, &mut log);
    let findings = log.finish(&sources);
    match config {
        Some(config) => Ok((config, findings)),
        None => Err(Mistakes { findings }),
    }
}

#[cfg(test)]
mod tests;
