//! The series that live as long as the process: names, labels, help, buckets.
//!
//! Names follow the Prometheus conventions (base units, `_total` on counters). A help text says what
//! the number means to the person who reads the dashboard.

use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};

use super::Names;
use super::alertmanager::Alertmanager;
use super::commands::Commands;
use super::points::STATES;
use crate::engine::effect::EventKind;
use crate::engine::notice::Notice;

/// Seconds that a Modbus answer takes: a LAN answers in milliseconds, a slow serial line in seconds.
const REQUEST_BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0];

/// Seconds of one engine call: microseconds when all is well; a second is a stall.
const EVALUATION_BUCKETS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0,
];

/// Seconds of one commit: a good card syncs in milliseconds, a dying one in seconds.
const COMMIT_BUCKETS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Seconds from an event to the receiver's acknowledgement: an outage of an hour still shows.
const DELIVERY_BUCKETS: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0,
];

/// The notice of an all-clear, which is an event of its own.
pub(super) const ALL_CLEAR: &str = EventKind::AllClear.name();

/// The class of what the journal keeps; telemetry is not among it.
pub(super) const EVENT: &str = "event";

/// One field per family.
#[derive(Debug)]
pub(super) struct Families {
    pub(super) registry: Registry,
    pub(super) readings: IntCounterVec,
    pub(super) readings_rejected: IntCounterVec,
    pub(super) modbus_requests: IntCounterVec,
    pub(super) modbus_failures: IntCounterVec,
    pub(super) modbus_request_duration: HistogramVec,
    pub(super) device_up: IntGaugeVec,
    pub(super) late_polls: IntCounterVec,
    pub(super) bus_cycle: GaugeVec,
    pub(super) refused_values: IntGaugeVec,
    pub(super) refused_again: IntCounterVec,
    pub(super) broker_connected: IntGaugeVec,
    pub(super) broker_reconnects: IntCounterVec,
    pub(super) evaluation: Histogram,
    pub(super) transitions: IntCounterVec,
    pub(super) left_unconfirmed: IntCounter,
    pub(super) points_inhibited: IntGauge,
    pub(super) notifications: IntCounterVec,
    pub(super) commit_duration: Histogram,
    pub(super) events_committed: IntCounter,
    pub(super) last_commit: Gauge,
    pub(super) journal_durable: IntGauge,
    pub(super) records_dropped: IntCounterVec,
    pub(super) store_size: IntGauge,
    pub(super) store_limit: IntGauge,
    pub(super) output_connected: IntGaugeVec,
    pub(super) output_up: IntGaugeVec,
    pub(super) output_queue: IntGaugeVec,
    pub(super) output_oldest: GaugeVec,
    pub(super) delivered: IntCounterVec,
    pub(super) output_failures: IntCounterVec,
    pub(super) output_dropped: IntCounterVec,
    pub(super) output_unheard: IntCounterVec,
    pub(super) output_aside: IntGaugeVec,
    pub(super) delivery_duration: HistogramVec,
    pub(super) alertmanager: Alertmanager,
    pub(super) commands: Commands,
}

impl Families {
    /// Registers everything; what is configured stands at 0.
    pub(super) fn new(names: &Names) -> Self {
        let registry = Registry::new();
        let r = &registry;
        valid(r.register(Box::new(ProcessCollector::for_self())));
        info(
            r,
            "forewarn_build_info",
            "Always 1; the version and source revision of the running binary.",
            &[
                ("version", env!("CARGO_PKG_VERSION")),
                (
                    "revision",
                    option_env!("FOREWARN_REVISION").unwrap_or("unknown"),
                ),
            ],
        );
        info(
            r,
            "forewarn_config_info",
            "Always 1; the hash of the configuration in force.",
            &[("hash", &names.config_hash)],
        );
        let families = Self {
            readings: counters(
                r,
                "forewarn_readings_total",
                "Readings taken in, good or bad, before the engine sorts out what is repeated, late or retained.",
                &["device"],
            ),
            readings_rejected: counters(
                r,
                "forewarn_readings_rejected_total",
                "Messages and answers that gave no reading, by reason.",
                &["source", "reason"],
            ),
            modbus_requests: counters(
                r,
                "forewarn_modbus_requests_total",
                "Modbus requests sent.",
                &["device"],
            ),
            modbus_failures: counters(
                r,
                "forewarn_modbus_request_failures_total",
                "Modbus requests without a usable answer, by reason.",
                &["device", "reason"],
            ),
            modbus_request_duration: histograms(
                r,
                "forewarn_modbus_request_duration_seconds",
                "Time from a Modbus request to its answer, in seconds.",
                &["device"],
                REQUEST_BUCKETS,
            ),
            device_up: gauges(
                r,
                "forewarn_device_up",
                "1 while the device answers its polls, else 0.",
                &["device"],
            ),
            late_polls: counters(
                r,
                "forewarn_device_late_polls_total",
                "Polls that began after their time because the line or the engine was busy.",
                &["device"],
            ),
            bus_cycle: register(
                r,
                valid(GaugeVec::new(
                    Opts::new(
                        "forewarn_modbus_cycle_seconds",
                        "Longest time of the last minute from when a poll was due until it was answered, in seconds.",
                    ),
                    &["bus"],
                )),
            ),
            refused_values: gauges(
                r,
                "forewarn_modbus_refused_values",
                "Values that the device refuses with exception 2 or 3; their points are bad.",
                &["device"],
            ),
            refused_again: counters(
                r,
                "forewarn_modbus_refused_again_total",
                "Times that a refused value was asked for again, in case it is there one day, and was refused again.",
                &["device"],
            ),
            broker_connected: gauges(
                r,
                "forewarn_broker_connected",
                "1 while the session with the broker stands, else 0.",
                &["broker"],
            ),
            broker_reconnects: counters(
                r,
                "forewarn_broker_reconnects_total",
                "Sessions with the broker that had to be opened again.",
                &["broker"],
            ),
            evaluation: histogram(
                r,
                "forewarn_evaluation_duration_seconds",
                "Time that one call of the engine took, from a reading to the end of its rules, in seconds.",
                EVALUATION_BUCKETS,
            ),
            transitions: counters(
                r,
                "forewarn_alarm_transitions_total",
                "State changes of alarms, by the state entered.",
                &["area", "priority", "to"],
            ),
            left_unconfirmed: counter(
                r,
                "forewarn_occurrences_left_unconfirmed_total",
                "Occurrences that were to be confirmed and no longer can be, for too many newer ones wait.",
            ),
            points_inhibited: gauge(
                r,
                "forewarn_points_inhibited",
                "Hazard points that somebody has inhibited: an alarm is out of service, or the device says so.",
            ),
            notifications: counters(
                r,
                "forewarn_notifications_total",
                "Times that people or outputs were told, by notice (page, reminder, late, chatter, flood or all_clear).",
                &["notice"],
            ),
            commit_duration: histogram(
                r,
                "forewarn_commit_duration_seconds",
                "Time that one commit of the journal took, disk sync included, in seconds.",
                COMMIT_BUCKETS,
            ),
            events_committed: counter(
                r,
                "forewarn_events_committed_total",
                "Events written to the journal.",
            ),
            last_commit: register(
                r,
                valid(Gauge::new(
                    "forewarn_store_last_commit_timestamp_seconds",
                    "Wall time of the last commit, in seconds since 1970.",
                )),
            ),
            journal_durable: gauge(
                r,
                "forewarn_journal_durable",
                "1 while events reach the disk before they leave, 0 while the journal lives in memory only.",
            ),
            records_dropped: counters(
                r,
                "forewarn_records_dropped_total",
                "Events that the journal lost: memory was full while the disk failed, or an output had them not yet when the journal was full or its files were removed. The class is event; telemetry has forewarn_telemetry_dropped_total.",
                &["class"],
            ),
            store_size: gauge(
                r,
                "forewarn_store_size_bytes",
                "Bytes of the journal's files that are in use; what pruning freed is used again.",
            ),
            store_limit: gauge(
                r,
                "forewarn_store_limit_bytes",
                "Configured limit of the journal's size in bytes.",
            ),
            output_connected: gauges(
                r,
                "forewarn_output_connected",
                "1 while the connection to the receiver stands, else 0.",
                &["output"],
            ),
            output_up: gauges(
                r,
                "forewarn_output_up",
                "1 while events get through, if perhaps not every one at once, else 0.",
                &["output"],
            ),
            output_queue: gauges(
                r,
                "forewarn_output_queue_events",
                "Committed events that the receiver has not confirmed yet.",
                &["output"],
            ),
            output_oldest: register(
                r,
                valid(GaugeVec::new(
                    Opts::new(
                        "forewarn_output_oldest_event_timestamp_seconds",
                        "Wall time of the oldest unconfirmed event, in seconds since 1970; 0 when there is none.",
                    ),
                    &["output"],
                )),
            ),
            delivered: counters(
                r,
                "forewarn_output_delivered_total",
                "Events confirmed by the receiver.",
                &["output"],
            ),
            output_failures: counters(
                r,
                "forewarn_output_failures_total",
                "Failed deliveries, by reason; each is tried again.",
                &["output", "reason"],
            ),
            output_dropped: counters(
                r,
                "forewarn_output_dropped_total",
                "Events given up for this output, by reason.",
                &["output", "reason"],
            ),
            output_unheard: counters(
                r,
                "forewarn_output_unheard_total",
                "Events that the broker took although nobody is subscribed to them (MQTT 5).",
                &["output"],
            ),
            output_aside: gauges(
                r,
                "forewarn_output_aside_events",
                "Events that the receiver refused for good, or by closing the connection again and again, or that single readers are owed; each is tried again later.",
                &["output"],
            ),
            delivery_duration: histograms(
                r,
                "forewarn_output_delivery_duration_seconds",
                "Time from an event to the receiver's confirmation, commit and outages included, in seconds; from the start of this run at the earliest.",
                &["output"],
                DELIVERY_BUCKETS,
            ),
            alertmanager: Alertmanager::new(r),
            commands: Commands::new(r),
            registry,
        };
        families.begin_at_zero(names);
        families
    }

    /// Touches every series whose labels are known.
    fn begin_at_zero(&self, names: &Names) {
        self.journal_durable.set(1);
        for source in names.devices.iter().chain(&names.brokers) {
            self.readings.with_label_values(&[&**source]);
        }
        for device in &names.devices {
            self.modbus_requests.with_label_values(&[&**device]);
            self.modbus_request_duration.with_label_values(&[&**device]);
            self.device_up.with_label_values(&[&**device]);
            self.late_polls.with_label_values(&[&**device]);
            self.refused_values.with_label_values(&[&**device]);
            self.refused_again.with_label_values(&[&**device]);
            for reason in names.modbus_failures {
                self.modbus_failures.with_label_values(&[&**device, reason]);
            }
        }
        for bus in &names.buses {
            self.bus_cycle.with_label_values(&[bus.as_str()]);
        }
        for broker in &names.brokers {
            self.broker_connected.with_label_values(&[&**broker]);
            self.broker_reconnects.with_label_values(&[&**broker]);
            for reason in &names.rejections {
                self.readings_rejected
                    .with_label_values(&[&**broker, reason]);
            }
        }
        for output in &names.outputs {
            for reason in names.output_failures {
                self.output_failures.with_label_values(&[&**output, reason]);
            }
            for reason in names.output_drops {
                self.output_dropped.with_label_values(&[&**output, reason]);
            }
            let output = [&**output];
            self.output_connected.with_label_values(&output);
            self.output_up.with_label_values(&output);
            self.output_queue.with_label_values(&output);
            self.output_unheard.with_label_values(&output);
            self.output_aside.with_label_values(&output);
            self.output_oldest.with_label_values(&output);
            self.delivered.with_label_values(&output);
            self.delivery_duration.with_label_values(&output);
        }
        self.alertmanager.begin_at_zero(&names.members);
        self.commands.begin_at_zero(names.link_results);
        for (area, priority) in &names.alarms {
            for state in STATES {
                let labels = [&**area, priority.name(), state];
                self.transitions.with_label_values(&labels);
            }
        }
        for notice in Notice::ALL {
            self.notifications.with_label_values(&[notice.name()]);
        }
        self.notifications.with_label_values(&[ALL_CLEAR]);
        self.records_dropped.with_label_values(&[EVENT]);
    }
}

pub(super) fn counter(registry: &Registry, name: &str, help: &str) -> IntCounter {
    register(registry, valid(IntCounter::new(name, help)))
}

pub(super) fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> IntCounterVec {
    let family = valid(IntCounterVec::new(Opts::new(name, help), labels));
    register(registry, family)
}

pub(super) fn gauges(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    let family = valid(IntGaugeVec::new(Opts::new(name, help), labels));
    register(registry, family)
}

pub(super) fn gauge(registry: &Registry, name: &str, help: &str) -> IntGauge {
    register(registry, valid(IntGauge::new(name, help)))
}

fn histogram(registry: &Registry, name: &str, help: &str, buckets: &[f64]) -> Histogram {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    register(registry, valid(Histogram::with_opts(options)))
}

fn histograms(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
    buckets: &[f64],
) -> HistogramVec {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    register(registry, valid(HistogramVec::new(options, labels)))
}

/// A gauge that is always 1 and says something by its labels.
fn info(registry: &Registry, name: &str, help: &str, labels: &[(&str, &str)]) {
    let constants = labels
        .iter()
        .map(|(label, value)| ((*label).to_owned(), (*value).to_owned()));
    let options = Opts::new(name, help).const_labels(constants.collect());
    register(registry, valid(IntGauge::with_opts(options))).set(1);
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, family: C) -> C {
    valid(registry.register(Box::new(family.clone())));
    family
}

/// Names and labels are literals of this file; a mistake shows in the first test.
fn valid<T>(made: prometheus::Result<T>) -> T {
    made.expect("every family of this file is valid and there once")
}
