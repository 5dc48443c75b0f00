//! Every metric in one place; the only user of the `prometheus` crate.
//!
//! ```text
//!  shells ── readings(), commit(), ... ──▶ Families ───┐
//!  evaluation ── observe(event) ──▶ log + counter ─────┤
//!  tasks ── heartbeat() ──▶ condition ─────────────────┼──▶ render() ──▶ GET /metrics
//!  engine ── Snapshot (a copy, at scrape time) ────────┘
//! ```
//!
//! Two kinds of series. What the process counts lives in `families` and grows with every call; label
//! values come from the configuration or from closed lists, never from a payload, so their number is
//! fixed. What the engine knows (points, alarms) is no metric object at all: `points` turns a
//! [`Snapshot`] into lines of `text` at each scrape, so a value that is bad or a point that is gone
//! leaves no series behind, and the path of a reading pays nothing.
//!
//! A shell calls once per batch, message or request. That costs one lookup by label (tens of
//! nanoseconds); nothing here is called per point.
//!
//! Deliberately absent: `job`, `instance` and `site` (the scraper's labels), time stamps on samples,
//! quantiles (histograms are summed over gateways, quantiles cannot be).

mod alertmanager;
mod board;
mod commands;
mod condition;
mod families;
mod groups;
mod observe;
mod points;
mod refusals;
mod telemetry;
mod text;
mod trouble;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use prometheus::TextEncoder;

use self::board::Board;
pub use self::condition::{Contact, HEARTBEAT_LIMIT, Heartbeat, is_clock_synchronized};
use self::families::{EVENT, Families};
pub use self::refusals::{Refusal, Refused};
pub use self::telemetry::Telemetry;
use self::text::{Family, Kind};
use self::trouble::Troubles;
use crate::clock;
use crate::engine::settings::Priority;
use crate::engine::snapshot::Snapshot;
use crate::engine::time::Wall;

/// What is configured: counters of these begin at 0 instead of appearing with their first event, so
/// that `rate()` sees the first one and a dashboard finds every series.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Names {
    /// Device ids.
    pub devices: Vec<Arc<str>>,
    /// Modbus buses, as `HOST:PORT` or the device's file.
    pub buses: Vec<String>,
    /// Ids of brokers that are read from.
    pub brokers: Vec<Arc<str>>,
    /// Output ids.
    pub outputs: Vec<Arc<str>>,
    /// Members of Alertmanagers: the output's id and the address.
    pub members: Vec<(Arc<str>, String)>,
    /// Tasks that must give a sign of life; one that never does is found by
    /// [`Metrics::heartbeats`], too.
    pub tasks: Vec<String>,
    /// Area (empty for none) and priority of every alarm; repetitions are fine.
    pub alarms: Vec<(Arc<str>, Priority)>,
    /// Device or broker id of every point, by point index; empty for the gateway's own points.
    pub source_of_point: Vec<Arc<str>>,
    /// Why a Modbus request can fail.
    pub modbus_failures: &'static [&'static str],
    /// Why a message of a broker can be refused.
    pub rejections: Vec<&'static str>,
    /// Why a delivery can fail.
    pub output_failures: &'static [&'static str],
    /// Why an event can be given up for an output.
    pub output_drops: &'static [&'static str],
    /// What can become of an acknowledgement link; empty: there are none.
    pub link_results: &'static [&'static str],
    /// Outputs that carry telemetry.
    pub telemetry: Vec<Arc<str>>,
    /// Why a record of telemetry can be dropped.
    pub telemetry_drops: &'static [&'static str],
    /// Hash of the configuration in force.
    pub config_hash: String,
}

/// Counters and gauges of the process; shared by all shells.
#[derive(Debug)]
pub struct Metrics {
    families: Families,
    telemetry: Telemetry,
    source_of_point: Vec<Arc<str>>,
    /// Nanoseconds of the monotonic clock at the last sign of life (`condition`).
    tasks: Board,
    /// Codes of [`Contact`].
    devices: Board,
    brokers: Board,
    troubles: Troubles,
    outputs: Board,
    refusals: refusals::Book,
    /// Room for the next page, bytes.
    page_length: AtomicUsize,
}

impl Default for Metrics {
    /// Nothing configured: series appear when they are first used.
    fn default() -> Self {
        Self::new(&Names::default())
    }
}

impl Metrics {
    /// Metrics in which everything configured stands at 0.
    pub fn new(names: &Names) -> Self {
        let born = clock::monotonic().as_nanos();
        let families = Families::new(names);
        let telemetry = Telemetry::new(&families.registry);
        telemetry.begin_at_zero(&names.telemetry, names.telemetry_drops);
        let contacts = |ids: &[Arc<str>]| Board::new(ids.iter().map(|id| (&**id, 0)));
        Self {
            families,
            telemetry,
            source_of_point: names.source_of_point.clone(),
            tasks: Board::new(names.tasks.iter().map(|task| (task.as_str(), born))),
            devices: contacts(&names.devices),
            brokers: contacts(&names.brokers),
            troubles: Troubles::default(),
            outputs: contacts(&names.outputs),
            refusals: refusals::Book::default(),
            page_length: AtomicUsize::new(0),
        }
    }

    /// `count` readings of a device or broker were handed to the engine.
    pub fn readings(&self, source: &str, count: u64) {
        let counter = &self.families.readings;
        counter.with_label_values(&[source]).inc_by(count);
    }

    /// A message or answer was refused and became no reading.
    pub fn reading_rejected(&self, source: &str, reason: &'static str) {
        let counter = &self.families.readings_rejected;
        counter.with_label_values(&[source, reason]).inc();
    }

    /// A Modbus request was answered after `took`.
    pub fn modbus_request(&self, device: &str, took: Duration) {
        let families = &self.families;
        families.modbus_requests.with_label_values(&[device]).inc();
        let histogram = &families.modbus_request_duration;
        let histogram = histogram.with_label_values(&[device]);
        histogram.observe(took.as_secs_f64());
    }

    /// A Modbus request failed (an exception counts, too).
    pub fn modbus_failure(&self, device: &str, reason: &'static str) {
        let families = &self.families;
        families.modbus_requests.with_label_values(&[device]).inc();
        let counter = &families.modbus_failures;
        counter.with_label_values(&[device, reason]).inc();
    }

    /// A device answers or not.
    pub fn device_up(&self, device: &str, up: bool) {
        let gauge = &self.families.device_up;
        gauge.with_label_values(&[device]).set(up.into());
        let contact = if up { Contact::Up } else { Contact::Lost };
        self.devices.set(device, contact.code());
    }

    /// A poll began later than its period.
    pub fn late_poll(&self, device: &str) {
        let counter = &self.families.late_polls;
        counter.with_label_values(&[device]).inc();
    }

    /// The longest that anything on a bus waited lately, from when it was due until it was read.
    pub fn bus_cycle(&self, bus: &str, cycle: Duration) {
        let gauge = &self.families.bus_cycle;
        gauge.with_label_values(&[bus]).set(cycle.as_secs_f64());
    }

    /// A value that a device refuses was asked for again, and refused.
    pub fn refused_again(&self, device: &str) {
        let counter = &self.families.refused_again;
        counter.with_label_values(&[device]).inc();
    }

    /// So many values of a device are refused now.
    pub fn refused_values(&self, device: &str, count: usize) {
        let gauge = &self.families.refused_values;
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        gauge.with_label_values(&[device]).set(count);
    }

    /// A broker is connected and subscribed, or not.
    pub fn broker_connected(&self, broker: &str, connected: bool) {
        let gauge = &self.families.broker_connected;
        gauge.with_label_values(&[broker]).set(connected.into());
        self.brokers.connection(broker, connected);
    }

    /// Another attempt to connect to a broker.
    pub fn broker_reconnect(&self, broker: &str) {
        let counter = &self.families.broker_reconnects;
        counter.with_label_values(&[broker]).inc();
    }

    /// One call of the engine took this long.
    pub fn evaluation(&self, took: Duration) {
        self.families.evaluation.observe(took.as_secs_f64());
    }

    /// A group of `events` was committed in `took`.
    pub fn commit(&self, events: usize, took: Duration) {
        let families = &self.families;
        families.commit_duration.observe(took.as_secs_f64());
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        families.events_committed.inc_by(events);
        families.last_commit.set(seconds(clock::now().wall));
    }

    /// So many hazard points are inhibited now.
    pub fn points_inhibited(&self, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.families.points_inhibited.set(count);
    }

    /// Is what we commit on disk?
    pub fn journal_durable(&self, durable: bool) {
        self.families.journal_durable.set(durable.into());
    }

    /// The journal lost events: its memory, or its file, was full, or the file was removed.
    pub fn journal_dropped(&self, events: u64) {
        let counter = &self.families.records_dropped;
        counter.with_label_values(&[EVENT]).inc_by(events);
    }

    /// Size of the journal on disk and its cap, bytes.
    pub fn store_size(&self, bytes: u64, limit: u64) {
        self.families.store_size.set(whole(bytes));
        self.families.store_limit.set(whole(limit));
    }

    /// An output is connected or not.
    pub fn output_connected(&self, output: &str, connected: bool) {
        let families = &self.families;
        let value = connected.into();
        families
            .output_connected
            .with_label_values(&[output])
            .set(value);
        families.output_up.with_label_values(&[output]).set(value);
        self.outputs.connection(output, connected);
    }

    /// An event was accepted by the far end, `latency` after it happened.
    pub fn output_delivered(&self, output: &str, latency: Duration) {
        let families = &self.families;
        families.delivered.with_label_values(&[output]).inc();
        families.output_up.with_label_values(&[output]).set(1);
        let histogram = families.delivery_duration.with_label_values(&[output]);
        histogram.observe(latency.as_secs_f64());
    }

    /// Sending failed and will be tried again. Whether the output is up is not said by one message
    /// ([`Metrics::output_connected`]).
    pub fn output_failure(&self, output: &str, reason: &'static str) {
        let counter = &self.families.output_failures;
        counter.with_label_values(&[output, reason]).inc();
    }

    /// The broker took an event although nobody is subscribed to it.
    pub fn output_unheard(&self, output: &str) {
        let counter = &self.families.output_unheard;
        counter.with_label_values(&[output]).inc();
    }

    /// Events were given up for this output.
    pub fn output_dropped(&self, output: &str, reason: &'static str, events: u64) {
        let counter = &self.families.output_dropped;
        counter.with_label_values(&[output, reason]).inc_by(events);
    }

    /// Events that are set aside for this output, to be tried again.
    pub fn output_aside(&self, output: &str, events: usize) {
        let gauge = &self.families.output_aside;
        let events = i64::try_from(events).unwrap_or(i64::MAX);
        gauge.with_label_values(&[output]).set(events);
    }

    /// A member of an Alertmanager takes what it is sent, or not.
    pub fn alertmanager_member(&self, output: &str, member: &str, up: bool) {
        self.families.alertmanager.member(output, member, up);
    }

    /// So many alerts stand, and so many of them are refused.
    pub fn alertmanager_alerts(&self, output: &str, firing: usize, refused: usize) {
        self.families.alertmanager.alerts(output, firing, refused);
    }

    /// A member took a post with alerts.
    pub fn alertmanager_post(&self, output: &str, member: &str) {
        self.families.alertmanager.post(output, member);
        let up = &self.families.output_up;
        up.with_label_values(&[output]).set(1);
    }

    /// Events that wait for this output.
    pub fn output_queue(&self, output: &str, events: u64) {
        let gauge = &self.families.output_queue;
        gauge.with_label_values(&[output]).set(whole(events));
    }

    /// When the oldest event that waits for this output happened; `None` when none waits.
    pub fn output_oldest(&self, output: &str, event: Option<Wall>) {
        let gauge = self.families.output_oldest.with_label_values(&[output]);
        gauge.set(event.map_or(0.0, seconds));
    }

    /// What telemetry counts.
    pub const fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Everything in the text format 0.0.4. Without a snapshot (the engine does not answer) the
    /// series of points and alarms are absent and the rest is there. Takes milliseconds with
    /// thousands of points and looks at `/proc`: call it off the async threads.
    pub fn render(&self, snapshot: Option<&Snapshot>) -> String {
        let mut families = self.families.registry.gather();
        // The encoder refuses a family without series.
        families.retain(|family| !family.get_metric().is_empty());
        // Growing step by step would take more than twice the room of the page.
        let mut text = String::with_capacity(self.page_length.load(Ordering::Relaxed));
        if let Err(error) = TextEncoder::new().encode_utf8(&families, &mut text) {
            tracing::error!(%error, "metrics cut short");
        }
        self.write_heartbeats(&mut text);
        write_clock_synchronized(&mut text);
        if let Some(snapshot) = snapshot {
            points::write(snapshot, &self.source_of_point, &mut text);
        }
        // A little more than it was, because numbers grow.
        self.page_length
            .store(text.len() + text.len() / 64, Ordering::Relaxed);
        text
    }

    fn write_heartbeats(&self, text: &mut String) {
        let now = clock::now().wall;
        let mut family = Family::new(
            text,
            "forewarn_heartbeat_timestamp_seconds",
            "Wall time of the task's last sign of progress, in seconds since 1970.",
            Kind::Gauge,
        );
        let mut engine = None;
        for beat in self.heartbeats() {
            let at = seconds(now - beat.age);
            family.series(&[("task", &beat.task)], at);
            if beat.task == "engine" {
                engine = Some(at);
            }
        }
        // Under a name of its own, for whoever asks for this one only.
        if let Some(at) = engine {
            let mut family = Family::new(
                text,
                "forewarn_engine_heartbeat_timestamp_seconds",
                "Wall time of the engine's last sign of progress, in seconds since 1970.",
                Kind::Gauge,
            );
            family.series(&[], at);
        }
    }
}

/// Where nobody can say, the metric is absent, which is not the same as 0.
fn write_clock_synchronized(text: &mut String) {
    if let Some(set) = is_clock_synchronized() {
        let mut family = Family::new(
            text,
            "forewarn_clock_synchronized",
            "1 once systemd-timesyncd has set the clock since boot, else 0; absent where it does not run.",
            Kind::Gauge,
        );
        family.series(&[], f64::from(u8::from(set)));
    }
}

/// Seconds since 1970, as Prometheus writes time.
fn seconds(at: Wall) -> f64 {
    at.seconds_since(Wall::from_unix_nanos(0))
}

/// A count as a gauge holds it.
fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
