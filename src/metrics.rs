//! Every metric in one place.

use std::time::Duration;

/// Counters and gauges of the process; shared by all shells.
#[derive(Debug, Default)]
pub struct Metrics {}

#[expect(
    unused_variables,
    clippy::unused_self,
    reason = "signatures first; the bodies follow"
)]
impl Metrics {
    /// `count` readings of a device or broker were handed to the engine.
    pub fn readings(&self, source: &str, count: u64) {}
    /// A message or answer was refused and became no reading.
    pub fn reading_rejected(&self, source: &str, reason: &'static str) {}
    /// A Modbus request was answered after `took`.
    pub fn modbus_request(&self, device: &str, took: Duration) {}
    /// A Modbus request failed (an exception counts, too).
    pub fn modbus_failure(&self, device: &str, reason: &'static str) {}
    /// A device answers or not.
    pub fn device_up(&self, device: &str, up: bool) {}
    /// A poll began later than its period.
    pub fn late_poll(&self, device: &str) {}
    /// A broker is connected and subscribed, or not.
    pub fn broker_connected(&self, broker: &str, connected: bool) {}
    /// Another attempt to connect to a broker.
    pub fn broker_reconnect(&self, broker: &str) {}
    /// One call of the engine took this long.
    pub fn evaluation(&self, took: Duration) {}
    /// A group of `events` was committed in `took`.
    pub fn commit(&self, events: usize, took: Duration) {}
    /// Is what we commit on disk?
    pub fn journal_durable(&self, durable: bool) {}
    /// A record was dropped because memory for records is full; `class` is `event` or `telemetry`.
    pub fn record_dropped(&self, class: &'static str) {}
    /// Size of the journal on disk and its cap, bytes.
    pub fn store_size(&self, bytes: u64, limit: u64) {}
    /// An output is connected or not.
    pub fn output_connected(&self, output: &str, connected: bool) {}
    /// An event was accepted by the far end, `latency` after its commit.
    pub fn output_delivered(&self, output: &str, latency: Duration) {}
    /// Sending failed and will be tried again.
    pub fn output_failure(&self, output: &str, reason: &'static str) {}
    /// An event was given up for this output.
    pub fn output_dropped(&self, output: &str, reason: &'static str) {}
    /// Events that wait for this output.
    pub fn output_queue(&self, output: &str, events: u64) {}
    /// A task made progress now.
    pub fn heartbeat(&self, task: &str) {}
}
